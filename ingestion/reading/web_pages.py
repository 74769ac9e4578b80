"""Tables of HTML documents and of web pages saved as one file.

Belongs here: whether such a file is whole, and which of its text is looked at. Does not belong here: its tables
(``html_tables``, in the process that parses).
"""

from __future__ import annotations

import email
import email.errors
import email.policy
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingestion.base.limits import IntakeLimits, UnreadableFileError
from ingestion.reading.grid import FileContent
from ingestion.reading.legacy_encodings import decode_text
from ingestion.reading.preflight import Kind, foreign_format
from ingestion.reading.sandbox import shared_sandbox
from ingestion.reading.workbooks import content_of

_NOT_MARKUP = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.I | re.S)


def read_html(path: Path, limits: IntakeLimits) -> FileContent:
    """The tables of an HTML document, parsed in the sandbox; raises :class:`UnreadableFileError`."""
    return _html_content(decode_text(path.read_bytes()), limits)


def read_mhtml(path: Path, limits: IntakeLimits) -> FileContent:
    """The tables of a web page saved as one file, whose HTML parts come one after the other.

    Raises :class:`UnreadableFileError`.
    """
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = [part for part in message.walk() if part.get_content_type() == "text/html"]
    if not parts:
        raise foreign_format("trang web MHTML không có bảng")
    if any(defect for part in message.walk() for defect in part.defects if _is_cut(defect)):
        raise _cut_html()
    return _html_content("\n".join(_part_text(part) for part in parts), limits)


def _is_cut(defect: email.errors.MessageDefect) -> bool:
    return isinstance(defect, email.errors.CloseBoundaryNotFoundDefect | email.errors.StartBoundaryNotFoundDefect)


def _part_text(part: Any) -> str:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    try:
        return data.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode_text(data)


def _cut_html() -> UnreadableFileError:
    return UnreadableFileError(
        "truncated", "Tệp HTML bị cắt ngang (thiếu phần kết thúc bảng). Xuất lại tệp rồi nộp lại."
    )


def _html_content(text: str, limits: IntakeLimits) -> FileContent:
    """Tables of HTML text. Every table that is opened must be closed, and no tag may be left unfinished."""
    markup = _NOT_MARKUP.sub("", text)
    opened, closed = (len(re.findall(rf"<{sign}table\b", markup, re.I)) for sign in ("", "/"))
    if opened > closed or "<" in markup[markup.rfind(">") + 1 :]:
        raise _cut_html()
    with tempfile.NamedTemporaryFile(suffix=".html") as plain:
        plain.write(text.encode("utf-8", errors="replace"))
        plain.flush()
        parsed = shared_sandbox().parse(Path(plain.name), Kind.HTML, limits, encoding="utf-8")
    content = content_of(parsed)
    if re.search(r"<html\b", markup, re.I) and not re.search(r"</html\s*>", markup, re.I):
        # Cut between two tables it would look the same.
        notice_vi = "Tệp HTML mở đầu bằng thẻ <html> nhưng không có thẻ </html> kết thúc"
        return replace(
            content,
            proves_itself=False,
            nothing_proves_vi=f"{notice_vi} nên không có gì chứng tỏ tệp đủ bảng.",
            unproven_vi=f"{notice_vi} nên chưa chắc đủ bảng. Nộp kèm tệp .done, hoặc nộp tệp .xlsx.",
        )
    return content

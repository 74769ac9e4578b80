"""Texts with headings, for clerks to write below, and texts as a clerk would have written them.

Belongs here: how such a file looks. Does not belong here: how one is read (``prose``); what is written here is read
like any other delivery.
"""

from __future__ import annotations

from collections.abc import Iterable

from common.periods import Period, quarter_vi
from ingestion.base.contracts import Contract
from ingestion.rows.prose import REMINDER
from ingestion.rows.resolve import Context
from ingestion.rows.untouched import NOTHING, mark_line

_HOW = (
    "Cách ghi:",
    "- Viết dưới tiêu đề của mục, mỗi đoạn một dòng. Không sửa chữ trong ngoặc vuông.",
    "- Mục không có gì để viết thì để trống; báo cáo chừa dòng chấm cho mục ấy.",
    f"- Kỳ này không viết gì: ghi {NOTHING} ở một dòng phía trên mục đầu tiên.",
    "- Số liệu: ghi mã chỉ tiêu trong ngoặc nhọn, ví dụ {III.23}; khi in sẽ thay bằng số của bảng số liệu.",
    "- Không ghi tên người, số điện thoại, số căn cước: báo cáo được công bố.",
    f"- Dòng bắt đầu bằng {REMINDER} là lời nhắc, không đưa vào báo cáo. Giữ dòng cuối để biết tệp đủ.",
)


def text_template(contract: Contract, period: Period | None = None, context: Context | None = None) -> bytes:
    """The file to fill in, UTF-8 with its mark and with line ends that every editor shows. Equal input, equal bytes.

    Raises ``ValueError`` for a contract that takes no running text.
    """
    prose = contract.prose
    if prose is None:
        raise ValueError(f"{contract.source} is not delivered as running text")
    reminders = [f"MẪU NỘP: {contract.title_vi.upper()}"]
    if context is not None:
        reminders.append(context.folder_unit.name)
    if period is not None:
        window = f"từ ngày {period.opens_on:%d/%m/%Y} đến ngày {period.closes_on:%d/%m/%Y}"
        reminders.append(f"{quarter_vi(period.quarter)}, {window}")
    lines = [*_reminders([*reminders, mark_line([]), "", *_HOW]), ""]
    for value, labels in contract.column(prose.heading).labels.items():
        lines += [heading(value, labels[0]), *_reminders([prose.hints[value]]), "", ""]
    return _encoded([*lines, f"[{prose.complete}]"])


def text_of(contract: Contract, paragraphs: Iterable[tuple[str, str]], reminders: Iterable[str] = ()) -> bytes:
    """A whole text of (heading value, paragraph) pairs in their order, as a filled :func:`text_template` would be."""
    prose = contract.prose
    assert prose is not None
    labels = contract.column(prose.heading).labels
    lines = list(_reminders(reminders))
    last = ""
    for value, paragraph in paragraphs:
        if value != last:
            lines += ["", heading(value, labels[value][0])]
        lines.append(paragraph)
        last = value
    return _encoded([*lines, "", f"[{prose.complete}]"])


def heading(value: str, label: str) -> str:
    """``[II.2] Hạn chế`` for a label that begins with its value, else the label in brackets."""
    return f"[{value}] {label.removeprefix(value).strip()}" if label.startswith(value) else f"[{label}]"


def _reminders(lines: Iterable[str]) -> Iterable[str]:
    return (f"{REMINDER} {line}".rstrip() for line in lines)


def _encoded(lines: Iterable[str]) -> bytes:
    return ("\r\n".join([*lines, ""])).encode("utf-8-sig")

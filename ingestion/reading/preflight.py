"""A look at a delivered file before anything parses it: what it really is, and whether it is safe to open.

Belongs here: telling kinds by content, and the bounds of a zip archive from its directory alone, in milliseconds and
constant memory. Does not belong here: reading cells (``sandbox``), text encodings (``legacy_encodings``).
"""

from __future__ import annotations

import re
import zipfile
import zlib
from enum import StrEnum
from pathlib import Path

from ingestion.base.limits import IntakeLimits, UnreadableFileError, active_content, damaged, encrypted
from ingestion.reading.ooxml_package import kind_of


class Kind(StrEnum):
    """What a file is, by its content."""

    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    XML = "xml"
    HTML = "html"
    MHTML = "mhtml"
    DOCX = "docx"
    CSV = "csv"


# Suffixes under which each kind is expected; HTML under .xls and .doc is what many portals export.
EXPECTED_SUFFIXES = {
    Kind.XLSX: frozenset({".xlsx", ".xlsm"}),
    Kind.XLS: frozenset({".xls"}),
    Kind.ODS: frozenset({".ods"}),
    Kind.XML: frozenset({".xml"}),
    Kind.HTML: frozenset({".html", ".htm"}),
    Kind.MHTML: frozenset({".mht", ".mhtml"}),
    Kind.DOCX: frozenset({".docx"}),
    Kind.CSV: frozenset({".csv", ".txt", ".tsv"}),
}
_TEXT_SUFFIXES = frozenset({".csv", ".txt", ".tsv", ".xls", ".xlsx", ".ods", ".doc", ""})
_NAMES_VI = {
    Kind.XLSX: "sổ tính Excel (.xlsx)",
    Kind.XLS: "sổ tính Excel 97-2003 (.xls)",
    Kind.ODS: "sổ tính OpenDocument (.ods)",
    Kind.XML: "bảng tính XML 2003",
    Kind.HTML: "bảng HTML",
    Kind.MHTML: "trang web MHTML",
    Kind.DOCX: "tài liệu Word",
    Kind.CSV: "tệp văn bản CSV",
}
# What the zip reader raises on archives that are damaged or of a kind it does not know.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    KeyError,
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FOREIGN = (
    (b"%PDF", "tệp PDF"),
    (b"\x89PNG", "tệp ảnh"),
    (b"\xff\xd8\xff", "tệp ảnh"),
    (b"GIF8", "tệp ảnh"),
    (b"{\\rtf", "tệp RTF"),
    (b"Rar!", "tệp nén RAR"),
    (b"7z\xbc\xaf", "tệp nén 7z"),
    (b"\x1f\x8b", "tệp nén GZ"),
    (b"PAR1", "tệp Parquet"),
    (b"SQLite format 3", "tệp SQLite"),
    (b"MZ", "chương trình"),
)
_HTML_START = re.compile(
    r"\s*(?:<!--.*?-->\s*|<\?xml[^>]*\?>\s*)*<(?:!doctype\s+html|html|head|body|meta|table|style|div)\b", re.I | re.S
)
# HTML that Excel saves declares that namespace too, but has no such root.
_XML_SPREADSHEET = re.compile(
    r"""<(?:\w+:)?Workbook\b[^>]*["']urn:schemas-microsoft-com:office:spreadsheet["']""", re.I
)
_MHTML_START = re.compile(r"(?:[\w-]+:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*)*?mime-version:", re.I)
_HEAD_BYTES = 65_536
_ACTIVE_PARTS = (
    (re.compile(r"vbaproject\.bin$|(?:^|/)basic/|(?:^|/)scripts/", re.I), "macro"),
    (re.compile(r"/activex/|/embeddings/|oleobject", re.I), "đối tượng nhúng (OLE, ActiveX)"),
    (re.compile(r"/externallinks/", re.I), "liên kết tới sổ tính khác"),
)


def kind_note(kind: Kind, suffix: str) -> str | None:
    """What to tell the clerk where a file's name says something else than its content; None where they agree."""
    if suffix in EXPECTED_SUFFIXES[kind]:
        return None
    return f"Tệp mang đuôi “{suffix}” nhưng thực chất là {_NAMES_VI[kind]}; đã đọc theo nội dung."


def inspect(path: Path, suffix: str, limits: IntakeLimits) -> Kind:
    """The kind of a file that is safe to hand to its reader; raises :class:`UnreadableFileError` otherwise."""
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFileError("empty_file", "Tệp rỗng (0 byte). Nộp lại tệp.")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    kind = _kind(path, head, suffix, limits)
    allowed = limits.max_file_bytes if kind is Kind.CSV else limits.max_workbook_bytes
    if size > allowed:
        raise UnreadableFileError(
            "too_large", f"Tệp lớn hơn {allowed >> 20} MiB. Tách thành nhiều tệp nhỏ hơn (theo tháng) rồi nộp lại."
        )
    return kind


def unpacked_bytes(path: Path) -> int:
    """Size of a file that :func:`inspect` has passed, unpacked where it is a zip archive."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(part.file_size for part in archive.infolist())


def _kind(path: Path, head: bytes, suffix: str, limits: IntakeLimits) -> Kind:
    if head.startswith(b"PK"):
        return _zip_kind(path, limits)
    if head.startswith(_OLE):
        return Kind.XLS
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            raise foreign_format(name)
    # A BIFF stream without its container is what Excel 2 to 4 wrote; nobody else's text starts so.
    if head[:2] in (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08") and b"\0" in head[2:8]:
        raise foreign_format("sổ tính Excel đời rất cũ")
    text = _as_text(head)
    if text is None or not text.strip("\0\ufeff \t\r\n\v\f"):
        raise damaged()
    if _XML_SPREADSHEET.search(text):
        return Kind.XML
    if _MHTML_START.match(text.lstrip("\ufeff\r\n")):
        return Kind.MHTML
    if _HTML_START.match(text.lstrip("\ufeff")):
        return Kind.HTML
    if text.lstrip("\ufeff \r\n").startswith("<?xml"):
        raise foreign_format("tệp XML")
    if suffix in _TEXT_SUFFIXES:
        return Kind.CSV
    raise UnreadableFileError("unknown_format", f"Không nhận tệp loại “{suffix}”. Nộp tệp .xlsx, .xls, .ods hoặc .csv.")


def _as_text(head: bytes) -> str | None:
    """The opening of a file for telling its kind; None where it cannot be text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    zeros = head.count(0)
    if zeros:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) * 8 < len(head) or min(even, odd) * 20 > max(even, odd):
            return None
        return head[: len(head) // 2 * 2].decode("utf-16-le" if odd > even else "utf-16-be", errors="replace")
    return head.decode("latin-1")


def foreign_format(name: str) -> UnreadableFileError:
    """The file is something else than a table."""
    return UnreadableFileError(
        "unknown_format", f"Tệp là {name}, không phải bảng số liệu. Nộp tệp .xlsx, .xls, .ods hoặc .csv."
    )


def _zip_kind(path: Path, limits: IntakeLimits) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            _check_bounds(parts, limits)
            names = {part.filename for part in parts}
            kind = _kind_of_parts(names, archive)
    except ZIP_ERRORS as error:
        raise damaged() from error
    for pattern, what in _ACTIVE_PARTS:
        if any(pattern.search(name.replace("\\", "/")) for name in names):
            raise active_content(what)
    return kind


def _check_bounds(parts: list[zipfile.ZipInfo], limits: IntakeLimits) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise encrypted()
    if len({part.filename.replace("\\", "/").casefold() for part in parts}) != len(parts):
        raise damaged()
    swollen = any(
        part.file_size > max(limits.ratio_free_bytes, part.compress_size * limits.max_ratio) for part in parts
    )
    if swollen or len(parts) > limits.max_parts or sum(p.file_size for p in parts) > limits.max_unpacked_bytes:
        raise UnreadableFileError(
            "zip_bomb",
            "Tệp bung nén ra lớn bất thường nên không được mở. "
            "Chép bảng sang một sổ tính mới (dán giá trị) rồi nộp lại.",
        )


def _kind_of_parts(names: set[str], archive: zipfile.ZipFile) -> Kind:
    match kind_of(archive):
        case "xlsx":
            return Kind.XLSX
        case "xlsb":
            raise foreign_format("sổ tính nhị phân .xlsb")
        case "docx":
            return Kind.DOCX
    if "content.xml" in names and "mimetype" in names:
        if archive.getinfo("mimetype").file_size > 200:
            raise damaged()
        if b"opendocument.spreadsheet" not in archive.read("mimetype"):
            raise foreign_format("tài liệu OpenDocument không phải bảng tính")
        manifest = next((n for n in names if n.casefold() == "meta-inf/manifest.xml"), None)
        if manifest and b"encryption-data" in archive.read(manifest):
            raise encrypted()
        return Kind.ODS
    raise foreign_format("tệp nén")

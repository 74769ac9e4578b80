"""Any delivered file as sheets, told by its content.

Belongs here: which reader reads a kind of file. Does not belong here: any reader, how the kind is told (``preflight``).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits
from ingestion.base.remarks import FileRemark
from ingestion.reading.csv_files import read_csv, without_mark
from ingestion.reading.grid import FileContent
from ingestion.reading.preflight import Kind, foreign_format, inspect, kind_note, unpacked_bytes
from ingestion.reading.web_pages import read_html, read_mhtml
from ingestion.reading.workbooks import read_workbook


def read_sheets(path: Path, suffix: str, limits: IntakeLimits = DEFAULT_LIMITS) -> FileContent:
    """All sheets of a file, told by its content; ``suffix`` is lower case, with dot, as delivered.

    Raises :class:`UnreadableFileError`.
    """
    return sheets_of(path, inspect(path, suffix, limits), suffix, limits)


def sheets_of(path: Path, kind: Kind, suffix: str, limits: IntakeLimits) -> FileContent:
    """All sheets of a file of that kind.

    Raises :class:`UnreadableFileError`.
    """
    match kind:
        case Kind.CSV:
            content = read_csv(without_mark(path))
        case Kind.HTML:
            content = read_html(path, limits.fitted(unpacked_bytes(path)))
        case Kind.MHTML:
            content = read_mhtml(path, limits.fitted(unpacked_bytes(path)))
        case Kind.DOCX:
            raise foreign_format("tài liệu Word")
        case _:
            content = read_workbook(path, kind, limits.fitted(unpacked_bytes(path)))
    return replace(content, remarks=[*suffix_remarks(kind, suffix), *content.remarks])


def suffix_remarks(kind: Kind, suffix: str) -> list[FileRemark]:
    """The remark on a name that says another format than the content, if it does."""
    note = kind_note(kind, suffix)
    return [FileRemark("suffix_differs", note, subject=suffix, value=kind.value)] if note else []

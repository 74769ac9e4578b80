"""A written report from its file: lines of text in reading order, and rows of tables.

Belongs here: opening .docx and .txt. Does not belong here: sentences (``text``), figures, verdicts.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from publication.narrative.text import clean

if TYPE_CHECKING:
    from lxml import etree

_MOST_BYTES = 64 << 20
#: A table of fewer columns sets the page (letterhead, signature block); its cells are lines of text.
_LEAST_COLUMNS = 4
_NAMESPACE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PARAGRAPH, _TABLE, _ROW, _CELL, _TEXT = (f"{_NAMESPACE}{name}" for name in ("p", "tbl", "tr", "tc", "t"))
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = frozenset({f"{_NAMESPACE}del", f"{_NAMESPACE}moveFrom", _FALLBACK})
_TEXT_OF_TAG = {
    f"{_NAMESPACE}tab": "\t",
    f"{_NAMESPACE}br": "\n",
    f"{_NAMESPACE}cr": "\n",
    f"{_NAMESPACE}noBreakHyphen": "-",
}


class UnreadableReport(Exception):
    """The file is no report that can be read. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class WrittenReport:
    """``lines``: text outside tables, one paragraph each (empty ones kept, so that numbers are those of the file for
    a .txt). ``table_rows``: cells of each table row, in order."""

    lines: tuple[str, ...]
    table_rows: tuple[tuple[str, ...], ...]


def read_report(path: Path) -> WrittenReport:
    """Read a ``.docx`` or a UTF-8 ``.txt`` report. Raises UnreadableReport."""
    kind = path.suffix.lower()
    if kind not in (".docx", ".txt"):
        raise UnreadableReport(f"chỉ đọc được báo cáo dạng .docx hoặc .txt, không đọc được {path.name}")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UnreadableReport(f"tệp {path.name} quá lớn")
        return _from_docx(path) if kind == ".docx" else _from_text(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise UnreadableReport(f"không có tệp {path}") from error
    except OSError as error:
        raise UnreadableReport(f"không mở được tệp {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableReport(f"tệp {path.name} không ở bảng mã UTF-8") from error


def _from_text(text: str) -> WrittenReport:
    lines: list[str] = []
    rows: list[tuple[str, ...]] = []
    for line in text.splitlines():
        if "\t" in line:
            rows.append(tuple(clean(cell) for cell in line.split("\t")))
            lines.append("")
        else:
            lines.append(_without_emphasis(line))
    return WrittenReport(tuple(lines), tuple(rows))


def _without_emphasis(line: str) -> str:
    """The line without the asterisks that stand for bold and italic print in plain text."""
    return line.replace("**", "").strip("* ") if "*" in line else line


def _from_docx(path: Path) -> WrittenReport:
    # Imported here: everything that publishes imports this package, and only this function needs the library.
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from lxml import etree

    try:
        with zipfile.ZipFile(path) as package:
            if sum(entry.file_size for entry in package.infolist()) > _MOST_BYTES:
                raise UnreadableReport(f"tệp {path.name} quá lớn")
        body = docx.Document(str(path)).element.body
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, etree.XMLSyntaxError) as error:
        raise UnreadableReport(f"tệp {path.name} không phải là văn bản .docx hoàn chỉnh") from error
    lines: list[str] = []
    rows: list[tuple[str, ...]] = []
    for block in _blocks(body):
        if block.tag == _PARAGRAPH:
            lines.extend(_visible_text(block).split("\n"))
            continue
        cells = [tuple(text for cell in row.iter(_CELL) for text in _cells(cell)) for row in block.iter(_ROW)]
        if max(map(len, cells), default=0) >= _LEAST_COLUMNS:
            rows.extend(cells)
        else:
            lines.extend(cell for row in cells for cell in row if cell)
    return WrittenReport(tuple(lines), tuple(rows))


def _blocks(parent: etree._Element) -> Iterator[etree._Element]:
    """Paragraphs and tables in reading order, those inside content controls and tracked insertions too."""
    for child in parent:
        if child.tag in (_PARAGRAPH, _TABLE):
            yield child
        elif child.tag not in _SKIPPED:
            yield from _blocks(child)


def _cells(cell: etree._Element) -> tuple[str, ...]:
    """The text of a cell, and an empty one for each further column it spans."""
    span = next((int(mark.get(f"{_NAMESPACE}val", "1")) for mark in cell.iter(f"{_NAMESPACE}gridSpan")), 1)
    return (clean(" ".join(_visible_text(paragraph) for paragraph in cell.iter(_PARAGRAPH))), *[""] * (span - 1))


def _visible_text(element: etree._Element) -> str:
    """The text that a reader sees: tracked insertions in, tracked deletions and hidden fallbacks out."""
    if element.tag in _SKIPPED:
        return ""
    if element.tag == _TEXT:
        return element.text or ""
    return _TEXT_OF_TAG.get(element.tag, "") + "".join(_visible_text(child) for child in element)

"""Any delivered file as sheets of native cells with their true coordinates.

Belongs here: formats, encodings, delimiters. Does not belong here: what a row means.

A workbook is read by pandas (calamine engine) without any inference, so that ``1.145`` as text and 1.145 as a number
stay apart and row numbers are those of the sheet. A regular CSV file is read into Arrow columns; an irregular one
(quoted line breaks, ragged rows) row by row with the same result.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from python_calamine import SheetVisibleEnum

from ingestion.fastcsv import cut_lines, is_utf8, may_begin_blank
from ingestion.readings import Cell
from ingestion.vietnamese import VIETNAMESE_LETTERS, clean, looks_broken

WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xls", ".ods"})
CSV_SUFFIXES = frozenset({".csv"})
SUFFIXES = WORKBOOK_SUFFIXES | CSV_SUFFIXES
HEAD_ROWS = 80
CSV_SHEET = "csv"
_DELIMITERS = ",;\t|"
_CSV_FIELD_LIMIT = 1_000_000
_SAMPLE = 1_000_000


class UnreadableFileError(Exception):
    """The file cannot be read as a whole; the message is Vietnamese and fit for the clerk."""


class CellColumn(Protocol):
    """One column of the rows below a header."""

    def __len__(self) -> int: ...
    def blank(self) -> np.ndarray: ...
    def among(self, texts: frozenset[str]) -> np.ndarray: ...
    def at(self, index: int) -> Cell: ...
    def keep(self, mask: np.ndarray) -> CellColumn: ...


@dataclass(frozen=True)
class ListColumn:
    """Cells as Python objects."""

    cells: list[Cell]

    def __len__(self) -> int:
        return len(self.cells)

    def blank(self) -> np.ndarray:
        return np.fromiter((is_blank(c) for c in self.cells), dtype=bool, count=len(self.cells))

    def among(self, texts: frozenset[str]) -> np.ndarray:
        hits = (isinstance(c, str) and clean(c) in texts for c in self.cells)
        return np.fromiter(hits, dtype=bool, count=len(self.cells))

    def at(self, index: int) -> Cell:
        return self.cells[index]

    def keep(self, mask: np.ndarray) -> ListColumn:
        return ListColumn([c for c, kept in zip(self.cells, mask, strict=True) if kept])


@dataclass(frozen=True)
class ArrowColumn:
    """Cells as an Arrow string array; every cell of a CSV file is text."""

    cells: pa.StringArray

    def __len__(self) -> int:
        return len(self.cells)

    def blank(self) -> np.ndarray:
        empty: np.ndarray = pc.equal(pc.binary_length(self.cells), 0).to_numpy(zero_copy_only=False)
        suspect = np.flatnonzero(may_begin_blank(self.cells))
        if len(suspect):
            trimmed = pc.utf8_trim_whitespace(self.cells.take(pa.array(suspect)))
            empty[suspect] = pc.equal(pc.binary_length(trimmed), 0).to_numpy(zero_copy_only=False)
        return empty

    def among(self, texts: frozenset[str]) -> np.ndarray:
        hits = pc.is_in(pc.utf8_trim_whitespace(self.cells), value_set=pa.array(sorted(texts), pa.string()))
        return np.asarray(hits.to_numpy(zero_copy_only=False))

    def at(self, index: int) -> Cell:
        value: str = self.cells[index].as_py()
        return value

    def keep(self, mask: np.ndarray) -> ArrowColumn:
        return ArrowColumn(self.cells.filter(pa.array(mask)))


def is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip("\u200b\ufeff\xa0 \t\r\n"))


@dataclass(frozen=True)
class Body:
    """The rows below a header: 1-based row numbers, columns by position, and rows with a wrong number of fields."""

    row_numbers: np.ndarray
    columns: list[CellColumn]
    ragged: frozenset[int] = frozenset()

    def row(self, index: int) -> list[Cell]:
        return [column.at(index) for column in self.columns]

    def keep(self, mask: np.ndarray) -> Body:
        return Body(self.row_numbers[mask], [c.keep(mask) for c in self.columns], self.ragged)


class Sheet(Protocol):
    """A sheet: its name, its first rows for finding the header, and the body below a given row."""

    @property
    def name(self) -> str: ...
    @property
    def hidden(self) -> bool: ...
    def head(self) -> Sequence[Sequence[Cell]]: ...
    def body(self, header_end: int, width: int) -> Body: ...


@dataclass(frozen=True)
class CellSheet:
    """A sheet held as rows of native cells. ``line_numbers`` is given where rows are not numbered 1, 2, 3."""

    name: str
    rows: list[list[Cell]]
    hidden: bool = False
    line_numbers: list[int] = field(default_factory=list)
    strict_width: bool = False

    def head(self) -> Sequence[Sequence[Cell]]:
        return self.rows[:HEAD_ROWS]

    def body(self, header_end: int, width: int) -> Body:
        rows = self.rows[header_end:]
        numbers = self.line_numbers[header_end:] or range(header_end + 1, header_end + 1 + len(rows))
        ragged = frozenset(
            number
            for number, row in zip(numbers, rows, strict=True)
            if self.strict_width and not _has_width(row, width)
        )
        columns: list[CellColumn] = [
            ListColumn([row[i] if i < len(row) else None for row in rows]) for i in range(width)
        ]
        return Body(np.fromiter(numbers, dtype=np.int64, count=len(rows)), columns, ragged)


def _has_width(row: Sequence[Cell], width: int) -> bool:
    return len(row) == width or (len(row) > width and all(is_blank(c) for c in row[width:]))


# -------------------------------------------------------------------------------------------------------- workbooks

_MAC_EPOCH = re.compile(rb"""date1904=["'](?:1|true)["']""")
_MAC_EPOCH_DAYS = 1462


def _counts_from_1904(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "xl/workbook.xml" in archive.namelist() and bool(_MAC_EPOCH.search(archive.read("xl/workbook.xml")))


def read_workbook(path: Path) -> list[Sheet]:
    """All sheets of an .xlsx, .xls or .ods file; raises :class:`UnreadableFileError`."""
    try:
        if _counts_from_1904(path):
            raise UnreadableFileError(
                "Tệp dùng hệ ngày 1904, dễ lệch ngày. Mở tệp, bỏ chọn “Use 1904 date system” "
                "rồi kiểm tra lại các ngày và nộp lại."
            )
        with pd.ExcelFile(path, engine="calamine") as book:
            hidden = {s.name for s in book.book.sheets_metadata if s.visible != SheetVisibleEnum.Visible}
            sheets: list[Sheet] = []
            for name in book.sheet_names:
                frame = book.parse(name, header=None, dtype=object, na_filter=False)
                rows = [[None if c == "" else c for c in row] for row in frame.to_numpy(dtype=object).tolist()]
                sheets.append(CellSheet(str(name), rows, name in hidden))
            return sheets
    except UnreadableFileError:
        raise
    except Exception as error:  # the reader raises a dozen kinds; whichever it is, the file is unreadable
        raise UnreadableFileError(
            "Không mở được tệp: tệp hỏng, có mật khẩu hoặc không đúng định dạng. "
            "Mở lại bằng Excel, lưu thành .xlsx rồi nộp lại."
        ) from error


# -------------------------------------------------------------------------------------------------------------- csv


def to_utf8(data: bytes) -> bytes:
    """A CSV file as UTF-8 without BOM, from UTF-8, UTF-16 or windows-1258; raises :class:`UnreadableFileError`."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(data, "utf-16").encode()
    if b"\0" in data[:4096]:
        even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
        return _decoded(data, "utf-16-le" if odd > even else "utf-16-be").encode()
    if is_utf8(data):
        return data.removeprefix(b"\xef\xbb\xbf")
    text = _decoded(data, "cp1258")
    letters = [c for c in clean(text[:_SAMPLE]) if c.isalpha() and not c.isascii()]
    foreign = sum(c not in VIETNAMESE_LETTERS for c in letters)
    if looks_broken(clean(text[:_SAMPLE])) and foreign * 20 > len(letters):
        raise UnreadableFileError("Không xác định được bảng mã của tệp CSV. Lưu lại tệp dạng CSV UTF-8 rồi nộp lại.")
    return text.encode()


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UnreadableFileError("Tệp CSV có ký tự sai bảng mã. Lưu lại tệp dạng CSV UTF-8 rồi nộp lại.") from error


def _opening(data: bytes) -> str:
    """The first part of a UTF-8 file; a letter that the cut went through is left out."""
    return data[:_SAMPLE].decode("utf-8", errors="strict" if len(data) <= _SAMPLE else "ignore")


def find_delimiter(data: bytes) -> str:
    """The delimiter that cuts the first lines of a UTF-8 file into the most fields, most evenly."""
    lines = _opening(data).splitlines()[:HEAD_ROWS]

    def score(delimiter: str) -> tuple[int, int]:
        widths = [len(r) for r in csv.reader(lines, delimiter=delimiter) if any(r)]
        common = max(set(widths), key=lambda w: (w > 1, widths.count(w), w)) if widths else 1
        return (widths.count(common), common) if common > 1 else (0, 0)

    return max(_DELIMITERS, key=lambda d: (*score(d), -_DELIMITERS.index(d)))


@dataclass(frozen=True)
class CsvSheet:
    """A CSV file held as UTF-8, cut into columns once the header is known."""

    data: bytes
    delimiter: str
    name: str = CSV_SHEET
    hidden: bool = False

    def head(self) -> Sequence[Sequence[Cell]]:
        return [[c or None for c in row] for _, row in islice(self._records(_opening(self.data)), HEAD_ROWS)]

    def _records(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Records with the line on which each begins; raises :class:`UnreadableFileError` on an unclosed quote."""
        csv.field_size_limit(_CSV_FIELD_LIMIT)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)
        line = 0
        try:
            for row in reader:
                yield line + 1, row
                line = reader.line_num
        except csv.Error as error:
            raise UnreadableFileError(
                f"Tệp CSV hỏng ở bản ghi bắt đầu từ dòng {line + 1} (dấu ngoặc kép không khép kín). "
                "Xuất lại tệp rồi nộp lại."
            ) from error

    def body(self, header_end: int, width: int) -> Body:
        """Rows below the first ``header_end`` rows. Regular text goes through Arrow, any other through ``csv``."""
        return self.columnar_body(header_end, width) or self.rowwise_body(header_end, width)

    def columnar_body(self, header_end: int, width: int) -> Body | None:
        """The body as Arrow columns, or None where a record is not exactly one line of ``width`` fields."""
        start = 0
        for _ in range(header_end):
            start = self.data.find(b"\n", start) + 1
            if start == 0:
                return None
        header_lines = [line for line, _ in self._records(self.data[:start].decode())]
        if header_lines != list(range(1, header_end + 1)):
            return None
        cut = cut_lines(self.data, start, width, self.delimiter)
        if cut is None:
            return None
        columns: list[CellColumn] = [ArrowColumn(c) for c in cut.columns]
        return Body(np.arange(header_end + 1, header_end + 1 + cut.lines, dtype=np.int64), columns)

    def rowwise_body(self, header_end: int, width: int) -> Body:
        """The body row by row; raises :class:`UnreadableFileError` on an unclosed quote."""
        rows: list[list[Cell]] = []
        numbers: list[int] = []
        for line, row in self._records(self.data.decode()):
            rows.append(list(row))
            numbers.append(line)
        return CellSheet(self.name, rows, False, numbers, strict_width=True).body(header_end, width)


def _bytes_without_bom(path: Path) -> bytes:
    """The file without the mark of UTF-8, which is skipped while reading: cutting it off would copy the file."""
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        return file.read()


def read_sheets(path: Path, suffix: str) -> list[Sheet]:
    """All sheets of a file, told by its suffix (lower case, with dot); raises :class:`UnreadableFileError`."""
    if suffix in CSV_SUFFIXES:
        data = to_utf8(_bytes_without_bom(path))
        return [CsvSheet(data, find_delimiter(data))]
    if suffix in WORKBOOK_SUFFIXES:
        return read_workbook(path)
    raise UnreadableFileError(f"Không nhận tệp loại “{suffix}”. Nộp tệp .xlsx, .xls, .ods hoặc .csv.")

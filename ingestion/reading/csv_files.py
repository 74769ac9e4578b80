"""Delimited text as a sheet of cells.

Belongs here: delimiters, records and their lines. Does not belong here: encodings (``legacy_encodings``), cutting
regular text fast (``fastcsv``).

A regular file is read into Arrow columns; an irregular one (quoted line breaks, ragged rows) row by row with the same
result.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingestion.base.limits import UnreadableFileError
from ingestion.base.readings import Cell
from ingestion.base.remarks import FileRemark
from ingestion.reading.fastcsv import Octets, TextScan, cut_lines, scan_text
from ingestion.reading.grid import (
    HEAD_ROWS,
    ArrowColumn,
    Body,
    CellColumn,
    CellSheet,
    DictionaryColumn,
    FileContent,
    Merge,
    Sheet,
    capped,
)
from ingestion.reading.legacy_encodings import may_be_legacy, mend_rows, to_utf8

CSV_SUFFIXES = frozenset({".csv"})
CSV_SHEET = "csv"
DELIMITERS = ",;\t|"
_CSV_FIELD_LIMIT = 1_000_000
_SAMPLE = 1_000_000


def _opening(data: Octets) -> str:
    """The first part of a UTF-8 file; a letter that the cut went through is left out."""
    return bytes(data[:_SAMPLE]).decode("utf-8", errors="strict" if len(data) <= _SAMPLE else "ignore")


def find_delimiter(data: Octets) -> str:
    """The delimiter that cuts the first lines of a UTF-8 file into the most fields, most evenly."""
    csv.field_size_limit(_CSV_FIELD_LIMIT)
    lines = _opening(data).splitlines()[:HEAD_ROWS]

    def score(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(r) for r in csv.reader(lines, delimiter=delimiter) if any(r)]
        except csv.Error:
            return (0, 0)
        common = max(set(widths), key=lambda w: (w > 1, widths.count(w), w)) if widths else 1
        return (widths.count(common), common) if common > 1 else (0, 0)

    return max(DELIMITERS, key=lambda d: (*score(d), -DELIMITERS.index(d)))


@dataclass(frozen=True)
class CsvSheet:
    """A CSV file held as UTF-8, cut into columns once the header is known."""

    data: Octets
    delimiter: str
    scan: TextScan
    name: str = CSV_SHEET
    hidden: bool = False
    merges: Sequence[Merge] = ()

    def width(self) -> int:
        return 0

    def head(self) -> Sequence[Sequence[Cell]]:
        return [[c or None for c in row] for _, row in islice(self._records(_opening(self.data)), HEAD_ROWS)]

    def head_numbers(self) -> Sequence[int]:
        return [line for line, _ in islice(self._records(_opening(self.data)), HEAD_ROWS)]

    def _records(self, text: str, lines: int | None = None) -> Iterator[tuple[int, list[str]]]:
        """Records with the line on which each begins; raises :class:`UnreadableFileError` on an unclosed quote, and
        where the reader has come to another number of lines than ``lines``.
        """
        csv.field_size_limit(_CSV_FIELD_LIMIT)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)
        line = 0
        try:
            for row in reader:
                yield line + 1, row
                line = reader.line_num
        except csv.Error as error:
            raise UnreadableFileError(
                "truncated",
                f"Tệp CSV hỏng ở bản ghi bắt đầu từ dòng {line + 1} (dấu ngoặc kép không khép kín). "
                "Xuất lại tệp rồi nộp lại.",
            ) from error
        if lines not in (None, line):
            raise UnreadableFileError(
                "readers_disagree",
                f"Tệp CSV có {lines} dòng nhưng chỉ đọc được {line} dòng. Lưu lại tệp dạng CSV UTF-8 rồi nộp lại.",
            )

    def body(self, header_end: int, width: int) -> Body:
        """Rows below the first ``header_end`` rows. Regular text goes through Arrow, any other through ``csv``."""
        return self.columnar_body(header_end, width) or self.rowwise_body(header_end, width)

    def columnar_body(self, header_end: int, width: int) -> Body | None:
        """The body as Arrow columns, or None where a record is not exactly one line of ``width`` fields."""
        opening = bytes(self.data[:_SAMPLE])
        start = 0
        for _ in range(header_end):
            start = opening.find(b"\n", start) + 1
            if start == 0:
                return None
        header_lines = [line for line, _ in self._records(opening[:start].decode())]
        if header_lines != list(range(1, header_end + 1)):
            return None
        cut = cut_lines(self.data, start, width, self.delimiter, self.scan)
        if cut is None:
            return None
        columns: list[CellColumn] = [
            DictionaryColumn(c) if isinstance(c, pa.DictionaryArray) else ArrowColumn(c) for c in cut.columns
        ]
        return Body(np.arange(header_end + 1, header_end + 1 + cut.lines, dtype=np.int64), columns)

    def rowwise_body(self, header_end: int, width: int) -> Body:
        """The body row by row; raises :class:`UnreadableFileError` on an unclosed quote."""
        return self.cells().body(header_end, width)

    def cells(self) -> CellSheet:
        """The whole file row by row; raises :class:`UnreadableFileError` on an unclosed quote."""
        rows: list[list[Cell]] = []
        numbers: list[int] = []
        unfinished = bytes(self.data[-1:]) not in (b"", b"\n")
        lines = self.scan.line_feeds + unfinished if self.scan.is_regular else None
        for line, row in self._records(str(self.data, "utf-8"), lines):
            rows.append(list(row))
            numbers.append(line)
        if (swallowed := _swallowed_lines(rows, numbers, self.delimiter)) is not None:
            first, last, count = swallowed
            raise UnreadableFileError(
                "stray_quotes",
                f"Tệp CSV: từ dòng {first} đến dòng {last} nằm trong một cặp dấu ngoặc kép nên {count} dòng số liệu "
                f"bị nuốt vào một ô. Xóa hai dấu ngoặc kép thừa (ở dòng {first} và {last}), hoặc xuất lại tệp, rồi nộp "
                "lại.",
            )
        return CellSheet(self.name, rows, False, numbers, strict_width=True)


_SHAPES_OF_ROWS = 2_000
_MANY_SHAPES = 200


def _shape(text: str) -> str:
    """What a text looks like: its runs of digits and letters each as one sign, what is between them kept."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", text.strip().strip('"')))


def _swallowed_lines(rows: list[list[Cell]], numbers: list[int], delimiter: str) -> tuple[int, int, int] | None:
    """First and last line of a record that swallowed whole records between two stray quotation marks, and how many.

    A cell may hold line breaks. What follows one is a record where it has as many fields as the table and where most
    of them look like those of the same columns elsewhere.
    """
    if len(rows) < 2:
        return None
    plain = [[str(c) for c in row] for row in rows[:_SHAPES_OF_ROWS] if not any("\n" in str(c) for c in row)]
    if not plain:
        return None
    widths = [len(row) for row in plain]
    width = max(set(widths), key=widths.count)
    if width < 2:
        return None
    shapes: list[set[str]] = [set() for _ in range(width)]
    header = next(i for i, row in enumerate(plain) if len(row) == width)
    for row in plain[header + 1 :]:
        if len(row) == width:
            for known, text in zip(shapes, row, strict=True):
                if text.strip() and len(known) < _MANY_SHAPES:
                    known.add(_shape(text))
    for cells, number in zip(rows, numbers, strict=True):
        if not any("\n" in str(cell) for cell in cells):
            continue
        lines = delimiter.join(map(str, cells)).split("\n")
        count = 0
        for line in lines[1:]:
            fields = line.rstrip("\r").split(delimiter)
            filled = [(known, text) for known, text in zip(shapes, fields, strict=False) if text.strip()]
            same = sum(_shape(text) in known for known, text in filled)
            count += len(fields) == width and same >= 2 and same * 2 >= len(filled)
        if count:
            return number, number + len(lines) - 1, count
    return None


def without_mark(path: Path) -> memoryview:
    """The file without the mark of UTF-8, which is passed over: cutting it off would copy the file.

    NumPy asks the system for large pages of memory, which makes reading several times as fast as into ``bytes``.
    """
    with path.open("rb", buffering=0) as file:
        held = np.empty(os.fstat(file.fileno()).st_size, dtype=np.uint8).data
        filled = 0
        while filled < len(held) and (got := file.readinto(held[filled:])):
            filled += got
    return held[3 if held[:3] == codecs.BOM_UTF8 else 0 : filled]


def read_csv(data: Octets) -> FileContent:
    """A CSV file of any known encoding; raises :class:`UnreadableFileError`."""
    scan = scan_text(data)
    utf8 = to_utf8(data, scan.is_utf8)
    if utf8 is not data:
        scan = scan_text(utf8)
    whole = CsvSheet(utf8, find_delimiter(utf8), scan)
    sheet: Sheet = whole
    remarks: list[FileRemark] = []
    if may_be_legacy(utf8, scan):
        cells = whole.cells()
        rows, note = mend_rows(cells.rows)
        sheet = replace(cells, rows=rows)
        remarks += [FileRemark("encoding_mended", note)] if note else []
    is_cut = bytes(utf8[-1:]) not in (b"\n", b"\r")
    content = FileContent([sheet], remarks, may_be_cut=is_cut, proves_itself=False)
    return capped(content, CSV_SHEET, scan.line_feeds + content.may_be_cut)

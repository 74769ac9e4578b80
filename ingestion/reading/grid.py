"""Any delivered file as sheets of native cells with their true coordinates.

Belongs here: what a file is once it is read, whatever its format. Does not belong here: reading a format
(``workbooks``, ``web_pages``, ``csv_files``), what a row means.

``1.145`` as text and 1.145 as a number stay apart, and row numbers are those of the sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.base.cell_fault import merged_cell
from ingestion.base.limits import too_many_cells
from ingestion.base.readings import Cell, Proof
from ingestion.base.remarks import FileRemark
from ingestion.reading.fastcsv import may_begin_blank
from ingestion.reading.formulas import column_letters
from ingestion.text.vietnamese import clean

HEAD_ROWS = 80
_ROWS_AT_ONCE = 5_000


class CellColumn(Protocol):
    """One column of the rows below a header."""

    def __len__(self) -> int: ...
    def blank(self) -> np.ndarray: ...
    def among(self, texts: frozenset[str]) -> np.ndarray: ...
    def at(self, index: int) -> Cell: ...
    def pick(self, indices: np.ndarray) -> list[Cell]: ...
    def keep(self, mask: np.ndarray) -> CellColumn: ...


Merge = tuple[int, int, int, int]  # first row, first column, last row, last column, all counted from 1


@dataclass(frozen=True)
class ListColumn:
    """Cells as Python objects. ``merged`` gives, by index, the merge whose value the cell shares with other rows,
    ``covered`` the merge that hides it behind a cell of another column or value.
    """

    cells: list[Cell]
    merged: dict[int, str] = field(default_factory=dict)
    covered: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.cells)

    def blank(self) -> np.ndarray:
        return np.fromiter((is_blank(c) for c in self.cells), dtype=bool, count=len(self.cells))

    def among(self, texts: frozenset[str]) -> np.ndarray:
        hits = (isinstance(c, str) and clean(c) in texts for c in self.cells)
        return np.fromiter(hits, dtype=bool, count=len(self.cells))

    def at(self, index: int) -> Cell:
        return self.cells[index]

    def pick(self, indices: np.ndarray) -> list[Cell]:
        return [self.cells[i] for i in indices]

    def shifted(self, days: int) -> ListColumn:
        """The column with its plain numbers, which are serial days, moved to the epoch of 1900."""
        cells = [c + days if type(c) in (int, float) else c for c in self.cells]  # type: ignore[operator]
        return replace(self, cells=cells)

    def settled(self, adds_up: bool) -> ListColumn:
        """The column with a fault wherever a merge leaves open what the cell's value is. In a column of figures that
        add up (``adds_up``) a figure cannot hold for several rows.
        """
        doubtful = {**self.covered, **(self.merged if adds_up else {})}
        if not doubtful:
            return self
        cells = list(self.cells)
        for index, merge in doubtful.items():
            cells[index] = merged_cell(merge)
        return ListColumn(cells)

    def keep(self, mask: np.ndarray) -> ListColumn:
        cells = [c for c, kept in zip(self.cells, mask, strict=True) if kept]
        if not self.merged and not self.covered:
            return ListColumn(cells)
        places = np.cumsum(mask) - 1

        def kept_of(merges: dict[int, str]) -> dict[int, str]:
            return {int(places[index]): merge for index, merge in merges.items() if mask[index]}

        return ListColumn(cells, kept_of(self.merged), kept_of(self.covered))


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

    def pick(self, indices: np.ndarray) -> list[Cell]:
        return list(self.cells.take(pa.array(indices)).to_numpy(zero_copy_only=False))

    def keep(self, mask: np.ndarray) -> ArrowColumn:
        return ArrowColumn(self.cells.filter(pa.array(mask)))


@dataclass(frozen=True)
class DictionaryColumn:
    """Cells of CSV text that repeat: each distinct one once, and which of them every row has."""

    cells: pa.DictionaryArray

    def __len__(self) -> int:
        return len(self.cells)

    def distinct(self) -> ArrowColumn:
        return ArrowColumn(self.cells.dictionary)

    def codes(self) -> np.ndarray:
        """For each row the place of its cell among the distinct ones."""
        codes: np.ndarray = self.cells.indices.to_numpy()
        return codes

    def blank(self) -> np.ndarray:
        return np.asarray(self.distinct().blank()[self.codes()])

    def among(self, texts: frozenset[str]) -> np.ndarray:
        return np.asarray(self.distinct().among(texts)[self.codes()])

    def at(self, index: int) -> Cell:
        value: str = self.cells[index].as_py()
        return value

    def pick(self, indices: np.ndarray) -> list[Cell]:
        return list(self.cells.take(pa.array(indices)).to_numpy(zero_copy_only=False))

    def keep(self, mask: np.ndarray) -> DictionaryColumn:
        return DictionaryColumn(self.cells.filter(pa.array(mask)))


def is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip("\u200b\ufeff\xa0 \t\r\n"))


@dataclass(frozen=True)
class Body:
    """The rows below a header: 1-based row numbers, columns by position, rows with a wrong number of fields, and those
    of them with something beyond the last column.
    """

    row_numbers: np.ndarray
    columns: list[CellColumn]
    ragged: frozenset[int] = frozenset()
    beyond: frozenset[int] = frozenset()
    counts_from_1904: bool = False

    def row(self, index: int) -> list[Cell]:
        return [column.at(index) for column in self.columns]

    def rows(self, indices: np.ndarray) -> Iterator[tuple[Cell, ...]]:
        """Some rows, in order; a few thousand at a time are made Python objects."""
        for first in range(0, len(indices), _ROWS_AT_ONCE):
            some = indices[first : first + _ROWS_AT_ONCE]
            yield from zip(*(column.pick(some) for column in self.columns), strict=True)

    def keep(self, mask: np.ndarray) -> Body:
        return replace(self, row_numbers=self.row_numbers[mask], columns=[c.keep(mask) for c in self.columns])


class Sheet(Protocol):
    """A sheet: its name, its first rows for finding the header with their row numbers, and the body below a given row.

    A row that the reader itself put there has number 0. ``width`` is how many columns hold something; 0 where
    rows wider than the header are told as such anyway.
    """

    @property
    def name(self) -> str: ...
    @property
    def hidden(self) -> bool: ...
    @property
    def merges(self) -> Sequence[Merge]: ...
    def width(self) -> int: ...
    def head(self) -> Sequence[Sequence[Cell]]: ...
    def head_numbers(self) -> Sequence[int]: ...
    def body(self, header_end: int, width: int) -> Body: ...


NOTHING_PROVES_VI = "Tệp CSV không có dòng tổng cộng và không kèm tệp .done nên không có gì chứng tỏ tệp đủ dòng."


@dataclass(frozen=True)
class FileContent:
    """What a file holds: its sheets, and remarks on the file as a whole.

    ``may_be_cut`` is true for a text file whose last line does not end: a copy that broke off looks so.
    ``proves_itself`` is true for a format that cannot be read at all unless it is whole.
    ``non_data`` are rows that reading left out of the sheets, by sheet: the headings and reminders of running text.
    ``cut_vi`` and ``unproven_vi`` are what to tell the clerk of a file that is refused for the one or the other, and
    ``nothing_proves_vi`` of one that is taken although nothing proves it whole.
    """

    sheets: Sequence[Sheet]
    remarks: list[FileRemark]
    non_data: Sequence[tuple[str, Proof]] = ()
    may_be_cut: bool = False
    proves_itself: bool = True
    cut_vi: str = (
        "Tệp CSV kết thúc giữa chừng (dòng cuối không có dấu xuống dòng): có thể chép hoặc xuất chưa xong. "
        "Mở và lưu lại tệp dạng CSV UTF-8, hoặc nộp kèm tệp .done, rồi nộp lại."
    )
    nothing_proves_vi: str = NOTHING_PROVES_VI
    unproven_vi: str = (
        "Tệp CSV không có dòng tổng cộng ghi số dòng và không kèm tệp .done nên chưa chắc đủ dòng. "
        "Bổ sung một trong hai rồi nộp lại, hoặc nộp tệp .xlsx."
    )


@dataclass(frozen=True)
class CellSheet:
    """A sheet held as rows of native cells. ``line_numbers`` is given where rows are not numbered 1, 2, 3."""

    name: str
    rows: list[list[Cell]]
    hidden: bool = False
    line_numbers: list[int] = field(default_factory=list)
    strict_width: bool = False
    merges: Sequence[Merge] = ()

    def width(self) -> int:
        return 0 if self.strict_width else max(map(len, self.rows), default=0)

    def head(self) -> Sequence[Sequence[Cell]]:
        return self.rows[:HEAD_ROWS]

    def head_numbers(self) -> Sequence[int]:
        return self.line_numbers[:HEAD_ROWS] or range(1, HEAD_ROWS + 1)

    def body(self, header_end: int, width: int) -> Body:
        rows = self.rows[header_end:]
        numbers = self.line_numbers[header_end:] or range(header_end + 1, header_end + 1 + len(rows))
        ragged = frozenset(
            number
            for number, row in zip(numbers, rows, strict=True)
            if self.strict_width and not _has_width(row, width)
        )
        beyond = frozenset(
            number
            for number, row in zip(numbers, rows, strict=True)
            if number in ragged and any(not is_blank(c) for c in row[width:])
        )
        columns: list[CellColumn] = [
            ListColumn([row[i] if i < len(row) else None for row in rows]) for i in range(width)
        ]
        return Body(np.fromiter(numbers, dtype=np.int64, count=len(rows)), columns, ragged, beyond)


def _has_width(row: Sequence[Cell], width: int) -> bool:
    return len(row) == width or (len(row) > width and all(is_blank(c) for c in row[width:]))


@dataclass(frozen=True)
class ColumnSheet:
    """A sheet held as columns of native cells, all of one length."""

    name: str
    columns: list[list[Cell]]
    row_count: int
    hidden: bool = False
    counts_from_1904: bool = False
    merges: Sequence[Merge] = ()

    def width(self) -> int:
        return len(self.columns)

    def head(self) -> Sequence[Sequence[Cell]]:
        tops = [column[:HEAD_ROWS] for column in self.columns]
        return [list(row) for row in zip(*tops, strict=True)]

    def head_numbers(self) -> Sequence[int]:
        return range(1, HEAD_ROWS + 1)

    def body(self, header_end: int, width: int) -> Body:
        rows = max(0, self.row_count - header_end)
        columns = [
            ListColumn(self.columns[i][header_end:] if i < len(self.columns) else [None] * rows) for i in range(width)
        ]
        _spread_merges(columns, self.merges, header_end, rows, self.name)
        numbers = np.arange(header_end + 1, header_end + 1 + rows, dtype=np.int64)
        return Body(numbers, [*columns], counts_from_1904=self.counts_from_1904)


_MOST_MERGED_CELLS = 5_000_000


def _spread_merges(columns: list[ListColumn], merges: Sequence[Merge], header_end: int, rows: int, name: str) -> None:
    """Gives the value of each merge to all rows that it covers and that hold something of their own, in the merge's
    first column; notes what it covers beside. A merge that begins in the header belongs to the header.
    """
    area = 0
    fillings: list[tuple[int, int, Cell, str]] = []
    for top, left, bottom, right in merges:
        first, last = top - header_end - 1, min(bottom - header_end, rows) - 1
        if first < 0 or last < first or left > len(columns):
            continue
        label = f"{column_letters(left)}{top}:{column_letters(right)}{bottom}"
        area += (last - first + 1) * (min(right, len(columns)) - left + 1)
        if area > _MOST_MERGED_CELLS:
            raise too_many_cells(name, bottom, column_letters(right))
        value = columns[left - 1].cells[first]
        if is_blank(value):
            continue
        if last > first:
            columns[left - 1].merged[first] = label
            fillings += [(index, left - 1, value, label) for index in range(first + 1, last + 1)]
        for column in columns[left : min(right, len(columns))]:
            column.covered.update(dict.fromkeys(range(first, last + 1), label))
    has_own = {
        index: any(not is_blank(column.cells[index]) for column in columns) for index in {i for i, *_ in fillings}
    }
    for index, place, value, label in fillings:
        column = columns[place]
        if not has_own[index]:
            continue
        if is_blank(column.cells[index]):
            column.cells[index] = value
            column.merged[index] = label
        elif column.cells[index] != value:
            column.covered[index] = label


ROW_CAPS = frozenset({65_535, 65_536, 1_048_575, 1_048_576})


def capped(content: FileContent, sheet: str, rows: int) -> FileContent:
    """The content, to be proven whole where a sheet is exactly as long as a spreadsheet may be: what did not fit is
    not there, and nothing else shows it.
    """
    if rows not in ROW_CAPS:
        return content
    notice_vi = f"Trang tính “{sheet}” có đúng {rows} dòng, bằng giới hạn của bảng tính: có thể đã mất các dòng sau đó."
    return replace(
        content,
        may_be_cut=True,
        proves_itself=False,
        cut_vi=f"{notice_vi} Xuất lại thành nhiều tệp (theo tháng) hoặc CSV đủ dòng; nếu đúng là đủ thì thêm dòng tổng "
        "cộng ghi số dòng, hoặc nộp kèm tệp .done, rồi nộp lại.",
    )

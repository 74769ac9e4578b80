"""Any delivered file as sheets of native cells with their true coordinates.

Belongs here: formats, encodings, delimiters. Does not belong here: what a row means.

A workbook is parsed in the sandbox without any inference, so that ``1.145`` as text and 1.145 as a number stay apart
and row numbers are those of the sheet. A regular CSV file is read into Arrow columns; an irregular one
(quoted line breaks, ragged rows) row by row with the same result.
"""

from __future__ import annotations

import codecs
import csv
import email
import email.errors
import email.policy
import io
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.base.cell_fault import (
    CellFault,
    disputed_cell,
    error_cell,
    merged_cell,
    stale_formula,
    uncalculated_cell,
)
from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits, UnreadableFileError, damaged, too_many_cells
from ingestion.base.readings import Cell, Proof
from ingestion.base.remarks import FileRemark
from ingestion.reading.fastcsv import Octets, TextLook, cut_lines, look_at, may_begin_blank
from ingestion.reading.formulas import Sums, agrees, column_letters, is_placeholder
from ingestion.reading.legacy_encodings import decode_text, may_be_legacy, mend_columns, mend_rows, to_utf8
from ingestion.reading.number_formats import as_shown
from ingestion.reading.ooxml_package import with_usual_names
from ingestion.reading.preflight import ZIP_ERRORS, Kind, foreign_format, inspect, kind_note, unpacked_bytes
from ingestion.reading.sandbox import ParsedSheet, shared_sandbox
from ingestion.reading.sheet_xml import BookFacts, look_at_workbook
from ingestion.text.vietnamese import clean

CSV_SUFFIXES = frozenset({".csv"})
HEAD_ROWS = 80
CSV_SHEET = "csv"
DELIMITERS = ",;\t|"
_CSV_FIELD_LIMIT = 1_000_000
_SAMPLE = 1_000_000
_ROWS_AT_ONCE = 5_000


class CellColumn(Protocol):
    """One column of the rows below a header."""

    def __len__(self) -> int: ...
    def blank(self) -> np.ndarray: ...
    def among(self, texts: frozenset[str]) -> np.ndarray: ...
    def at(self, index: int) -> Cell: ...
    def pick(self, indices: np.ndarray) -> list[Cell]: ...
    def keep(self, mask: np.ndarray) -> CellColumn: ...


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
    ``aside`` are rows that reading left out of the sheets, by sheet: the headings and reminders of running text.
    ``cut_vi`` and ``unproven_vi`` are what to tell the clerk of a file that is refused for the one or the other, and
    ``nothing_proves_vi`` of one that is taken although nothing proves it whole.
    """

    sheets: Sequence[Sheet]
    remarks: list[FileRemark]
    aside: Sequence[tuple[str, Proof]] = ()
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


# -------------------------------------------------------------------------------------------------------- workbooks


Merge = tuple[int, int, int, int]  # first row, first column, last row, last column, all counted from 1


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


def read_workbook(path: Path, kind: Kind, limits: IntakeLimits) -> FileContent:
    """All sheets of a workbook, parsed in the sandbox; raises :class:`UnreadableFileError`."""
    if kind is Kind.XLSX:
        with ExitStack() as held:
            try:
                usual = held.enter_context(with_usual_names(path))
            except ZIP_ERRORS as error:
                raise damaged() from error
            return _read_cells(usual, kind, limits)
    return _read_cells(path, kind, limits)


def _read_cells(path: Path, kind: Kind, limits: IntakeLimits) -> FileContent:
    book = BookFacts()

    def look() -> None:
        book.__dict__.update(look_at_workbook(path, limits).__dict__)

    parsed = shared_sandbox().parse(path, kind, limits, meanwhile=look if kind is Kind.XLSX else None)
    if kind is Kind.XLSX:
        for sheet in parsed:
            if (facts := book.sheets.get(sheet.name)) is not None:
                sheet.facts = {
                    **facts.__dict__,
                    "counts_from_1904": book.counts_from_1904,
                    "to_be_calculated": book.to_be_calculated,
                }
    _reconcile(path, kind, parsed, limits)
    return _as_content(parsed)


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
    content = _as_content(parsed)
    if re.search(r"<html\b", markup, re.I) and not re.search(r"</html\s*>", markup, re.I):
        # Cut between two tables it would look the same.
        said = "Tệp HTML mở đầu bằng thẻ <html> nhưng không có thẻ </html> kết thúc"
        return replace(
            content,
            proves_itself=False,
            nothing_proves_vi=f"{said} nên không có gì chứng tỏ tệp đủ bảng.",
            unproven_vi=f"{said} nên chưa chắc đủ bảng. Nộp kèm tệp .done, hoặc nộp tệp .xlsx.",
        )
    return content


def _reconcile(path: Path, kind: Kind, parsed: list[ParsedSheet], limits: IntakeLimits) -> None:
    """Two readers must agree on how many rows hold something; raises :class:`UnreadableFileError` where they do not.

    The cheap count takes an error cell and an empty string for something, which the cells do not show. Where the counts
    differ by more than errors explain, a full second reader decides.
    """

    def agrees(sheet: ParsedSheet) -> bool:
        counted = sheet.facts.get("rows_with_values")
        faulty = len({row for row, _ in sheet.facts.get("faults", {})})
        return counted is None or counted - faulty <= sheet.filled_rows <= counted

    if all(agrees(sheet) for sheet in parsed):
        return
    if kind is Kind.XLSX:
        second = {s: f["filled_rows"] for s, f in shared_sandbox().ask(path, "count", limits).items()}
        faults = {s.name: len({row for row, _ in s.facts.get("faults", {})}) for s in parsed}
        if all(0 <= second.get(s.name, s.filled_rows) - s.filled_rows <= faults[s.name] for s in parsed):
            return
    elif all(agrees(sheet) or sheet.filled_rows <= sheet.facts["rows_with_values"] for sheet in parsed):
        return  # rows of formatted or empty-string cells; no row is missing from the cells' side that was counted
    sheet = next(sheet for sheet in parsed if not agrees(sheet))
    raise UnreadableFileError(
        "readers_disagree",
        f"Trang tính “{sheet.name}”: hai cách đọc cho số dòng khác nhau ({sheet.filled_rows} và "
        f"{sheet.facts['rows_with_values']}). Chép bảng sang một sổ tính mới (dán giá trị) rồi nộp lại.",
    )


def _as_content(parsed: list[ParsedSheet]) -> FileContent:
    remarks: list[FileRemark] = []
    sheets: list[Sheet] = []
    mends: set[str] = set()
    for sheet in parsed:
        hidden = {
            what: int(sheet.facts[name])
            for name, what in (("hidden_rows", "dòng"), ("hidden_columns", "cột"))
            if sheet.facts.get(name)
        }
        if hidden and sheet.filled_rows:
            told = ", ".join(f"{count} {what} ẩn" for what, count in hidden.items())
            message = f"Trang tính “{sheet.name}” có {told}; đã đọc cả phần ẩn."
            remarks.append(
                FileRemark(
                    "hidden_part", message, sheet=sheet.name, subject=sheet.name, value=told, count=sum(hidden.values())
                )
            )
        _put_facts(sheet)
        if computed := _settle_formulas(sheet):
            message = f"Trang tính “{sheet.name}”: đã tính {computed} ô công thức mà tệp chưa lưu kết quả."
            remarks.append(
                FileRemark("formulas_computed", message, sheet=sheet.name, subject=sheet.name, count=computed)
            )
        columns, mended = mend_columns(sheet.columns, sheet.distinct)
        if mended and mended not in mends:
            mends.add(mended)
            remarks.append(FileRemark("encoding_mended", mended))
        sheets.append(
            ColumnSheet(
                sheet.name,
                columns,
                sheet.rows,
                sheet.hidden,
                bool(sheet.facts.get("counts_from_1904")),
                sheet.facts.get("merges", ()),
            )
        )
    filled = [sheet for sheet in parsed if sheet.filled_rows]
    content = FileContent(sheets, remarks)
    # A sheet that is followed by another one goes on there.
    return _capped(content, filled[-1].name, filled[-1].rows) if filled else content


def _put_facts(sheet: ParsedSheet) -> None:
    """Puts into the cells what the reader of cells leaves out: errors, formulas without a result, telling formats."""
    formulas = sheet.facts.get("formulas", {})
    for (row, column), shown in sheet.facts.get("faults", {}).items():
        place = f"{column_letters(column)}{row}"
        if shown or (row, column) not in formulas:
            _put(sheet, row, column, error_cell(shown, place) if shown else uncalculated_cell(place))
    for (row, column), other in sheet.facts.get("disputed", {}).items():
        shown = str(_at(sheet, row, column) or "")
        _put(sheet, row, column, disputed_cell(shown, other, f"{column_letters(column)}{row}"))
    for (row, column), code in sheet.facts.get("formats", {}).items():
        cell = _at(sheet, row, column)
        if type(cell) in (int, float):
            shown_as = as_shown(cell, code, f"{column_letters(column)}{row}")
            # A percentage stays a number for formulas that need it.
            sheet.facts.setdefault("plain", {})[(row, column)] = cell
            _put(sheet, row, column, shown_as)


def _put(sheet: ParsedSheet, row: int, column: int, cell: Cell) -> None:
    while len(sheet.columns) < column:
        sheet.columns.append([""] * sheet.rows)
    if row > sheet.rows:
        for cells in sheet.columns:
            cells += [""] * (row - sheet.rows)
        sheet.rows = row
    sheet.columns[column - 1][row - 1] = cell


def _at(sheet: ParsedSheet, row: int, column: int) -> Cell:
    return sheet.columns[column - 1][row - 1] if column <= len(sheet.columns) and row <= sheet.rows else None


def _settle_formulas(sheet: ParsedSheet) -> int:
    """Checks the stored results of formulas; returns how many had none to be trusted and were computed.

    A result that is missing, or is what libraries store that compute nothing (0, an empty text), is replaced by the
    computed one. One that differs from it is stale. Of a formula that is more than plain arithmetic the stored result
    counts, unless the file says itself that its results are to be calculated anew: then a placeholder does not, and
    none does where another one of the sheet is stale.
    """
    formulas: dict[tuple[int, int], str] = sheet.facts.get("formulas", {})
    if not formulas:
        return 0
    plain: dict[tuple[int, int], Cell] = sheet.facts.get("plain", {})
    formats: dict[tuple[int, int], str] = sheet.facts.get("formats", {})

    def number_at(row: int, column: int) -> Cell:
        return plain.get((row, column), _at(sheet, row, column))

    sums = Sums(formulas, number_at)
    unfinished = bool(sheet.facts.get("to_be_calculated"))
    faults: dict[tuple[int, int], CellFault] = {}
    results: dict[tuple[int, int], Cell] = {}
    open_places: list[tuple[int, int]] = []
    for place in formulas:
        stored = number_at(*place)
        if isinstance(stored, CellFault):
            continue
        name = f"{column_letters(place[1])}{place[0]}"
        computed = sums.at(place)
        if computed is None:
            if is_placeholder(stored) and (unfinished or place in sheet.facts.get("faults", {})):
                faults[place] = uncalculated_cell(name)
            else:
                open_places.append(place)
        elif is_placeholder(stored) and not agrees(stored, computed):
            value = int(computed) if computed.denominator == 1 else float(computed)
            results[place] = as_shown(value, formats.get(place, ""), name)
        elif isinstance(stored, int | float) and not isinstance(stored, bool) and not agrees(stored, computed):
            faults[place] = stale_formula(_shown(float(stored)), _shown(float(computed)), name)
    if unfinished and any(fault.remark.code == "stale_formula" for fault in faults.values()):
        faults |= {place: uncalculated_cell(f"{column_letters(place[1])}{place[0]}") for place in open_places}
    for place, cell in {**results, **faults}.items():
        _put(sheet, *place, cell)
    return len(results)


def _shown(number: float) -> str:
    return f"{number:.10g}".replace(".", ",")


ROW_CAPS = frozenset({65_535, 65_536, 1_048_575, 1_048_576})


def _capped(content: FileContent, sheet: str, rows: int) -> FileContent:
    """The content, to be proven whole where a sheet is exactly as long as a spreadsheet may be: what did not fit is
    not there, and nothing else shows it.
    """
    if rows not in ROW_CAPS:
        return content
    said = f"Trang tính “{sheet}” có đúng {rows} dòng, bằng giới hạn của bảng tính: có thể đã mất các dòng sau đó."
    return replace(
        content,
        may_be_cut=True,
        proves_itself=False,
        cut_vi=f"{said} Xuất lại thành nhiều tệp (theo tháng) hoặc CSV đủ dòng; nếu đúng là đủ thì thêm dòng tổng cộng "
        "ghi số dòng, hoặc nộp kèm tệp .done, rồi nộp lại.",
    )


# -------------------------------------------------------------------------------------------------------------- csv


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
    look: TextLook
    name: str = CSV_SHEET
    hidden: bool = False

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
        cut = cut_lines(self.data, start, width, self.delimiter, self.look)
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
        lines = self.look.line_feeds + unfinished if self.look.is_regular else None
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


def _without_mark(path: Path) -> memoryview:
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
    look = look_at(data)
    utf8 = to_utf8(data, look.is_utf8)
    if utf8 is not data:
        look = look_at(utf8)
    whole = CsvSheet(utf8, find_delimiter(utf8), look)
    sheet: Sheet = whole
    remarks: list[FileRemark] = []
    if may_be_legacy(utf8, look):
        cells = whole.cells()
        rows, note = mend_rows(cells.rows)
        sheet = replace(cells, rows=rows)
        remarks += [FileRemark("encoding_mended", note)] if note else []
    is_cut = bytes(utf8[-1:]) not in (b"\n", b"\r")
    content = FileContent([sheet], remarks, may_be_cut=is_cut, proves_itself=False)
    return _capped(content, CSV_SHEET, look.line_feeds + content.may_be_cut)


def read_sheets(path: Path, suffix: str, limits: IntakeLimits = DEFAULT_LIMITS) -> FileContent:
    """All sheets of a file, told by its content; ``suffix`` is lower case, with dot, as delivered.

    Raises :class:`UnreadableFileError`.
    """
    kind = inspect(path, suffix, limits)
    match kind:
        case Kind.CSV:
            content = read_csv(_without_mark(path))
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

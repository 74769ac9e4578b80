"""The cells of an .xls file, with what their number formats and merges say of them.

Belongs here: xlrd's view of a workbook as columns of native cells. Does not belong here: what the records say beside
(``biff``), what a cell means. Runs in the child process that parses workbooks.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlrd
from xlrd.xldate import XLDateError, xldate_as_datetime

from ingestion.reading.marks import RAISED, STRUCK, marked_text
from ingestion.reading.number_formats import matters


@dataclass
class SheetCells:
    """One sheet: rows of native cells from the first row on (``""`` where blank), and facts by name."""

    name: str
    hidden: bool = False
    rows: list[list[Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return max((len(row) for row in self.rows), default=0)


class EncryptedError(Exception):
    """The workbook has a password."""


def read_xls(path: Path) -> Iterator[SheetCells]:
    """All worksheets in order; raises :class:`EncryptedError`, and xlrd's many errors on what it cannot read."""
    with open(os.devnull, "w", encoding="utf-8") as silence:
        try:
            book = xlrd.open_workbook(
                os.fspath(path), logfile=silence, formatting_info=True, on_demand=True, ragged_rows=True
            )
        except xlrd.XLRDError as error:
            if "encrypted" in str(error).lower():
                raise EncryptedError from error
            raise
        formats = {
            number: book.format_map[xf.format_key].format_str
            for number, xf in enumerate(book.xf_list)
            if xf.format_key in book.format_map
        }
        relevant_formats = {number: code for number, code in formats.items() if matters(code)}
        struck = frozenset(n for n, xf in enumerate(book.xf_list) if _mark(book, xf.font_index) == STRUCK)
        for number in range(book.nsheets):
            yield _sheet(book, number, formats, relevant_formats, struck)
            book.unload_sheet(number)


def _mark(book: Any, font: int) -> str:
    found = book.font_list[font] if font < len(book.font_list) else None
    if found is None:
        return ""
    return STRUCK if found.struck_out else RAISED if found.escapement else ""


def _runs(book: Any, sheet: Any, row: int, column: int, text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text with the marks of their fonts; the first has the font of the cell."""
    runs = sheet.rich_text_runlist_map.get((row, column), [])
    fonts = [(0, book.xf_list[sheet.cell_xf_index(row, column)].font_index), *runs]
    for (start, font), (end, _) in zip(fonts, [*fonts[1:], (len(text), 0)], strict=True):
        yield text[start:end], _mark(book, font)


def _sheet(
    book: Any, number: int, formats: dict[int, str], relevant_formats: dict[int, str], struck: frozenset[int]
) -> SheetCells:
    sheet = book.sheet_by_index(number)
    found = SheetCells(sheet.name, bool(sheet.visibility))
    noted: dict[tuple[int, int], str] = {}
    struck_rows: list[int] = []
    for row in range(sheet.nrows):
        cells: list[Any] = []
        struck_cells: set[bool] = set()
        for column, (kind, value) in enumerate(zip(sheet.row_types(row), sheet.row_values(row), strict=True)):
            is_rich = kind == xlrd.XL_CELL_TEXT and (row, column) in sheet.rich_text_runlist_map
            if kind == xlrd.XL_CELL_TEXT:
                if is_rich:
                    value, is_struck = marked_text(_runs(book, sheet, row, column, value))
                    struck_cells.add(is_struck)
                cells.append(value)
            elif kind == xlrd.XL_CELL_NUMBER:
                cells.append(value)
                if relevant_formats and (style := sheet.cell_xf_index(row, column)) in relevant_formats:
                    noted[(row + 1, column + 1)] = relevant_formats[style]
            elif kind == xlrd.XL_CELL_DATE:
                cells.append(_moment(value, book.datemode, formats.get(sheet.cell_xf_index(row, column), "")))
            elif kind == xlrd.XL_CELL_BOOLEAN:
                cells.append(bool(value))
            else:
                cells.append("")
            if struck and cells[-1] != "" and not is_rich:
                struck_cells.add(sheet.cell_xf_index(row, column) in struck)
        if True in struck_cells:
            struck_rows.append(row + 1)
        while cells and cells[-1] == "":
            cells.pop()
        found.rows.append(cells)
    while found.rows and not found.rows[-1]:
        found.rows.pop()
    found.facts = {
        "formats": noted,
        "struck_rows": struck_rows,
        "merges": [(top + 1, left + 1, bottom, right) for top, bottom, left, right in sheet.merged_cells],
    }
    return found


def _moment(value: float, epoch: int, code: str) -> Any:
    """A cell formatted as a date: a moment, a time of day, or a duration; the number itself where it is no date."""
    if "[h" in code.lower() or "[m" in code.lower() or "[s" in code.lower():
        return dt.timedelta(days=value)
    if 0 <= value < 1:
        seconds = round(value * 86_400)
        return dt.time(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
    try:
        return xldate_as_datetime(value, epoch)
    except (XLDateError, ValueError, OverflowError):
        return value

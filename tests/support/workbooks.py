"""Editing delivered workbooks as a clerk would: one cell, one row; everything else stays.

Belongs here: changes to files in a landing folder. Does not belong here: what the pipeline makes of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

# An edited file is delivered later than every file of the sample, and before the clock of any machine that runs tests.
_LATER = 1_700_000_000


def _edit(path: Path, change: Callable[[Worksheet], None]) -> None:
    book = openpyxl.load_workbook(path)
    change(book.active)
    book.save(path)
    os.utime(path, (_LATER, _LATER))


def _find(sheet: Worksheet, text: str) -> tuple[int, int]:
    found = [(cell.row, cell.column) for row in sheet.iter_rows() for cell in row if cell.value == text]
    assert len(found) == 1, f"{text!r} stands in {len(found)} cells"
    return found[0]


def delete_rows(path: Path, keys: Iterable[str]) -> None:
    """Deletes the row in which each key stands, the whole of it."""

    def change(sheet: Worksheet) -> None:
        for key in keys:
            sheet.delete_rows(_find(sheet, key)[0])

    _edit(path, change)


def set_cell(path: Path, key: str, heading: str, value: Any) -> Any:
    """Sets the cell in the row of ``key`` under ``heading`` and returns what stood there."""
    before: list[Any] = []

    def change(sheet: Worksheet) -> None:
        cell = sheet.cell(_find(sheet, key)[0], _find(sheet, heading)[1])
        before.append(cell.value)
        cell.value = value

    _edit(path, change)
    return before[0]


def value_of(path: Path, key: str, heading: str) -> Any:
    """The cell in the row of ``key`` under ``heading``."""
    sheet = openpyxl.load_workbook(path).active
    return sheet.cell(_find(sheet, key)[0], _find(sheet, heading)[1]).value

"""Cells of a written workbook as a program finds them: the way back that proves what the tables beside this wrote.

Belongs here: opening a workbook, its cells, the value a cell stores. Does not belong here: what a cell should hold
(``annex``, ``form_06a``, ``province_workbook``).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.cell import Cell, MergedCell


class NoWorkbook(Exception):
    """The file is no workbook, lacks a sheet that it must have, or has a cell that holds a formula."""


@contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[Workbook]:
    """The workbook. ``read_only``: row by row, without places or formats, for what is too large to be held whole.

    Raises NoWorkbook, also where what is asked of it in the block is not there.
    """
    import openpyxl  # with its parser 8 MiB, and most commands write no workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with path.open("rb") as stream:
            yield openpyxl.load_workbook(stream, read_only=read_only)
    except (OSError, KeyError, ValueError, InvalidFileException, zipfile.BadZipFile) as error:
        raise NoWorkbook(f"{path.name} does not open as the workbook that was written: {error}") from error


def cells_of(path: Path, sheets: Mapping[str, int | None]) -> dict[str, list[tuple[Cell | MergedCell, ...]]]:
    """The cells of each sheet, row by row, up to its column of that number (from 1; None: all). Raises NoWorkbook."""
    with opened(path) as book:
        found = {name: list(book[name].iter_rows(max_col=last)) for name, last in sheets.items()}
    for name, rows in found.items():
        for cell in (cell for row in rows for cell in row):
            if cell.data_type == "f":
                raise NoWorkbook(f"{name}, {cell.coordinate}: the cell holds a formula")
    return found


def stored_value(cell: Cell | MergedCell) -> Any:
    """What the cell stores; control characters, which the file format escapes, are put back."""
    from openpyxl.utils.escape import unescape

    return unescape(cell.value) if isinstance(cell.value, str) else cell.value

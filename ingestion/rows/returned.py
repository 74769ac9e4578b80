"""How a workbook that this program made is told when it comes back filled in or mended.

Belongs here: the words, headings and sheets that such a workbook adds to the clerk's own, and the rows that were turned
away as they were delivered. Does not belong here: how such a workbook looks and where it lies (``clerk``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ingestion.base.readings import Cell
from ingestion.reading.grid import Body
from ingestion.rows.headers import Layout
from ingestion.text.vietnamese import fold

#: Rows shown in one workbook; the Parquet layer ``raw/rejected`` has them all, and the workbook says how many are left.
MAX_ROWS = 50_000
OWN_HEADINGS = ("Dòng gốc", "Lý do trả lại", "Cách sửa", "Trang tính gốc")
TITLE = "CÁC DÒNG BỊ TRẢ LẠI"
FILE_LINE = "Tệp đã nộp"
COUNT_LINE = "Số dòng bị trả lại"
HOW_LINE = "Cách làm"
OWN_LINES = (TITLE, FILE_LINE, COUNT_LINE, HOW_LINE)
_MAX_TITLES = 12
HELP_SHEET = "Hướng dẫn"
LISTS_SHEET = "Danh mục"
#: Sheets of a template that hold no data; that they have no table is not worth telling the clerk.
HELP_SHEETS = frozenset({HELP_SHEET, LISTS_SHEET})


@dataclass(frozen=True)
class ReturnedSheet:
    """The rejected rows of one delivered sheet: title lines, header rows and cells as delivered, in their order.

    ``positions`` maps a contract column to its 0-based place among the cells; ``numbers`` are the rows' numbers in the
    delivered sheet.
    """

    name: str
    titles: tuple[str, ...]
    header_rows: tuple[tuple[str, ...], ...]
    positions: dict[str, int]
    numbers: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]


def returned_sheet(name: str, body: Body, layout: Layout, taken: np.ndarray, room: int) -> ReturnedSheet:
    """The rows of a body that were ``taken`` out, at most ``room`` of them, as they were delivered.

    Columns and lines that an earlier workbook of this kind added are left out, so that a mended one that comes back
    does not grow. A body wider than the header shows what rows with too many cells have beyond it.
    """
    mask = np.zeros(len(taken), dtype=bool)
    mask[np.flatnonzero(taken)[:room]] = True
    part = body.keep(mask)
    own = {fold(heading) for heading in OWN_HEADINGS}
    kept = [i for i in range(layout.width) if fold(layout.labels[i]) not in own]
    beyond = [i for i in range(layout.width, len(part.columns)) if not part.columns[i].blank().all()]
    kept += range(layout.width, beyond[-1] + 1) if beyond else ()
    place = {old: new for new, old in enumerate(kept)}
    return ReturnedSheet(
        name,
        tuple(text for text in layout.title.texts if not text.startswith(OWN_LINES))[:_MAX_TITLES],
        tuple(tuple(row[i] if i < len(row) else "" for i in kept) for row in layout.header_rows),
        {column: place[i] for column, i in layout.positions.items() if i in place},
        tuple(int(n) for n in part.row_numbers),
        tuple(tuple(part.columns[i].at(row) for i in kept) for row in range(len(part.row_numbers))),
    )


def sheets_without_cells(rejected: pa.Table) -> tuple[ReturnedSheet, ...]:
    """The rejected rows by their numbers alone."""
    numbers: dict[str, dict[int, None]] = defaultdict(dict)
    for name, number in list(zip(rejected["_sheet"].to_pylist(), rejected["_row"].to_pylist(), strict=True))[:MAX_ROWS]:
        numbers[name][number] = None
    return tuple(
        ReturnedSheet(name, (), ((),), {}, tuple(found), tuple(() for _ in found)) for name, found in numbers.items()
    )

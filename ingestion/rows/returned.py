"""A file read back for the clerk: the rows that were turned away, and where rows that come back mended had stood.

Belongs here: rows as they were delivered. Does not belong here: the words that a workbook of this program adds to them
(``own_words``), how such a workbook looks and where it lies (``clerk``). The steps are those of ``intake``, as far as
the cells are cut into tables.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingestion.base.contracts import Contract
from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits
from ingestion.base.readings import Cell
from ingestion.reading.grid import is_blank
from ingestion.rows.cutting import below_header, cut
from ingestion.rows.finding import find_tables
from ingestion.rows.own_words import OWN_HEADINGS, OWN_LINES
from ingestion.rows.prose import read_content
from ingestion.rows.resolve import Context
from ingestion.rows.rules import WRONG_FIELD_COUNT
from ingestion.rows.tables import Table
from ingestion.text.vietnamese import fold

#: Rows shown in one workbook; the Parquet layer ``raw/rejected`` has them all, and the workbook says how many are left.
MAX_ROWS = 50_000
# Cells beyond the header that a rejection workbook shows of rows which have too many.
EXTRA_CELLS = 20
_MAX_TITLES = 12


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


def read_returned(
    path: Path,
    suffix: str,
    contract: Contract,
    context: Context,
    rejected: pa.Table,
    limits: IntakeLimits = DEFAULT_LIMITS,
) -> tuple[ReturnedSheet, ...]:
    """The rejected rows of a file as they were delivered, for the clerk's workbook; at most ``MAX_ROWS`` of them.

    ``rejected`` is what reading the file with the same contract and context rejected. The file is read again, so that
    reading it for the lake need not hold on to cells that nobody else wants.
    """
    found = find_tables(read_content(path, suffix, contract, limits), contract, context)
    wanted: dict[str, set[int]] = {}
    shifted: set[str] = set()
    columns = (rejected[name].to_pylist() for name in ("_sheet", "_row", "reason_code"))
    for name, number, code in zip(*columns, strict=True):
        wanted.setdefault(name, set()).add(number)
        if code == WRONG_FIELD_COUNT:
            shifted.add(name)
    sheets: list[ReturnedSheet] = []
    room = MAX_ROWS
    for sheet in found.tables:
        name = sheet.sheet.name
        if name in wanted and room:
            width = sheet.layout.width + (EXTRA_CELLS if name in shifted else 0)
            for table in cut(below_header(sheet, width), found.headers, context):
                taken = np.isin(table.body.row_numbers, list(wanted[name]))
                if taken.any() and room:
                    sheets.append(_returned_sheet(table, taken, room))
                    room -= len(sheets[-1].rows)
    return tuple(sheets)


def read_row_origins(
    path: Path, suffix: str, contract: Contract, context: Context, limits: IntakeLimits = DEFAULT_LIMITS
) -> dict[tuple[str, int], tuple[str, int]]:
    """Where the rows of a rejection workbook that is delivered stood in the file they came from: sheet and row by sheet
    and row, as the workbook's own columns say.
    """
    origins: dict[tuple[str, int], tuple[str, int]] = {}
    number_heading, sheet_heading = fold(OWN_HEADINGS[0]), fold(OWN_HEADINGS[3])
    for sheet in find_tables(read_content(path, suffix, contract, limits), contract, context).tables:
        labels = [fold(label) for label in sheet.layout.labels]
        if number_heading in labels and sheet_heading in labels:
            body = below_header(sheet, sheet.layout.width).body
            numbers, names = (body.columns[labels.index(h)] for h in (number_heading, sheet_heading))
            for row, place in enumerate(body.row_numbers):
                number, name = numbers.at(row), names.at(row)
                if not is_blank(name) and re.fullmatch(r"\d+(\.0+)?", str(number).strip()):
                    origins[sheet.sheet.name, int(place)] = (str(name), int(float(str(number))))
    return origins


def _returned_sheet(table: Table, taken: np.ndarray, room: int) -> ReturnedSheet:
    """The rows of a table that were ``taken`` out, at most ``room`` of them, as they were delivered.

    Columns and lines that an earlier workbook of this kind added are left out, so that a mended one that comes back
    does not grow. A body wider than the header shows what rows with too many cells have beyond it.
    """
    layout = table.layout
    mask = np.zeros(len(taken), dtype=bool)
    mask[np.flatnonzero(taken)[:room]] = True
    part = table.body.keep(mask)
    own = {fold(heading) for heading in OWN_HEADINGS}
    kept = [i for i in range(layout.width) if fold(layout.labels[i]) not in own]
    beyond = [i for i in range(layout.width, len(part.columns)) if not part.columns[i].blank().all()]
    kept += range(layout.width, beyond[-1] + 1) if beyond else ()
    place = {old: new for new, old in enumerate(kept)}
    return ReturnedSheet(
        table.sheet,
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

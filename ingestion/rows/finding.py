"""Step of reading: which sheets of a file hold a table of the source, and what of the file stands outside of them.

Belongs here: the choice among the sheets. Does not belong here: how a header is told (``headers``), whether what is
passed over would be lost (``passed_over``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ingestion.base.contracts import Contract
from ingestion.base.limits import UNUSABLE, UnreadableFileError
from ingestion.base.readings import Cell, Proof
from ingestion.base.remarks import FileRemark
from ingestion.reading.grid import FileContent, Sheet
from ingestion.rows.headers import HeaderError, HeaderMap, Layout, check_layout, find_layout
from ingestion.rows.own_words import FIGURES_FOR_PROGRAMS, HELP_SHEETS
from ingestion.rows.passed_over import DataProfile, Part
from ingestion.rows.resolve import Context
from ingestion.rows.tables import FoundTable, FoundTables, NonDataRows

# A header that cannot be used but maps so much of the contract that its rows are rows of the source.
_HALF_USABLE = 1000


def find_tables(content: FileContent, contract: Contract, context: Context) -> FoundTables:
    """The tables of a file, their columns mapped to those of the contract that are valid at the closing.

    Raises :class:`HeaderError` where no sheet is usable or one is half usable, :class:`UnreadableFileError` where
    nothing looks like a header.
    """
    headers = HeaderMap.of(contract, context.period.closes_on, context.period.quarter)
    profile = DataProfile.of(headers, context)
    usable: list[FoundTable] = []
    faults: list[tuple[int, HeaderError]] = []
    others: list[Sheet] = []
    for sheet in content.sheets:
        layout = find_layout(sheet, headers)
        if layout is None:
            others.append(sheet)
            continue
        try:
            check_layout(layout, contract, context.units.in_titles(layout.title.texts) is not None)
        except HeaderError as error:
            faults.append((_rank(layout, sheet.head()[layout.header_end :], profile), error))
            others.append(sheet)
            continue
        usable.append(FoundTable(sheet, layout))
    if faults and (not usable or max(rank for rank, _ in faults) >= _HALF_USABLE):
        raise max(faults, key=lambda fault: fault[0])[1]
    if not usable:
        raise _no_table(others, contract)
    for table in usable:
        profile.learn(table.layout, table.sheet.head()[table.layout.header_end :])
    passed_over = tuple(part for part in _passed_over(usable, others, profile) if part is not None)
    left_out = [
        (part.sheet, Proof(number, "passed_over", part.reason))
        for part in passed_over
        if part.reason
        for number in part.filled
    ]
    return FoundTables(
        replace(content, sheets=[]),
        usable,
        headers,
        profile,
        passed_over,
        NonDataRows.of([*content.non_data, *left_out]),
        tuple(_hidden(table.sheet.name) for table in usable if table.sheet.hidden),
    )


def _rank(layout: Layout, rows: Sequence[Sequence[Cell]], profile: DataProfile) -> int:
    """How much a header that cannot be used is that of a table of the source; from ``_HALF_USABLE`` on it surely is:
    it has half of the required columns, or keys stand below it.
    """
    keys = [(layout.positions[n], profile.fits[n]) for n in profile.contract.key if n in layout.positions]
    has_keys = any(place < len(row) and fits(row[place]) for row in rows for place, fits in keys)
    is_half = 2 * sum(name in layout.positions for name in profile.required) >= max(4, len(profile.required))
    return len(layout.positions) + (_HALF_USABLE if has_keys or is_half else 0)


def _no_table(sheets: Sequence[Sheet], contract: Contract) -> UnreadableFileError:
    expected = ", ".join(f"“{c.title_vi}”" for c in contract.columns if c.required)
    names = ", ".join(f"“{sheet.name}”" for sheet in sheets if not sheet.hidden)
    return UnreadableFileError(
        UNUSABLE,
        f"Không tìm thấy dòng tiêu đề của bảng. Cần có các cột: {expected}. Đã tìm ở trang tính: {names}.",
    )


def _hidden(sheet: str) -> FileRemark:
    return FileRemark("hidden_part", f"Trang tính ẩn “{sheet}” cũng được đọc.", sheet=sheet, subject=sheet)


def _passed_over(usable: Sequence[FoundTable], others: Sequence[Sheet], profile: DataProfile) -> Iterator[Part | None]:
    """What stands above the headers, and in sheets without a table."""
    for table in usable:
        above = enumerate(table.sheet.head()[: table.layout.header_start], 1)
        yield profile.part("skipped_block", table.sheet.name, "phía trên dòng tiêu đề", above, is_aside=True)
    for sheet in others:
        is_copy = bool(sheet.head()) and tuple(sheet.head()[0][:2]) == FIGURES_FOR_PROGRAMS
        is_aside = sheet.hidden or sheet.name in HELP_SHEETS or is_copy
        body = sheet.body(0, sheet.width())
        rows = zip(body.row_numbers.tolist(), body.rows(np.arange(len(body.row_numbers))), strict=True)
        reason = "hidden_sheet" if sheet.hidden else "help_sheet" if is_aside else "sheet_without_table"
        reason = "figures_for_programs" if is_copy else reason
        yield profile.part("skipped_sheet", sheet.name, "", rows, is_aside=is_aside, reason=reason)

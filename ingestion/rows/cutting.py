"""Steps of reading: a sheet cut into its tables, and of each table the rows that are no data set apart.

Belongs here: where one table of a sheet ends and the next begins, and what stands beside them. Does not belong here:
what proves that a row is no data (``furniture``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ingestion.base.contracts import Contract
from ingestion.base.readings import Proof
from ingestion.reading.formulas import column_letters
from ingestion.reading.grid import Body, CellColumn, ListColumn, is_blank
from ingestion.rows.furniture import Surroundings, find_furniture
from ingestion.rows.headers import HeaderError, HeaderMap, Layout, check_layout, further_tables
from ingestion.rows.passed_over import DataProfile
from ingestion.rows.printed_form import told_by_place
from ingestion.rows.resolve import Context
from ingestion.rows.tables import ConservationError, DataTable, FoundTable, FoundTables, NonDataRows, Table
from ingestion.rows.untouched import mark_in, typed_rows
from ingestion.rows.values import printed
from ingestion.text.vietnamese import clean


def data_tables(found: FoundTables, context: Context) -> Iterator[DataTable]:
    """The tables of the file one after the other; takes each sheet out of ``found`` and lets it go.

    Raises :class:`HeaderError` and :class:`UnreadableFileError` as :func:`below_header` and :func:`cut` do.
    """
    while found.tables:
        table = found.tables.pop(0)
        whole = _with_beside(below_header(table, table.width()), found.profile)
        del table  # the text of a large file is let go before its columns are parsed
        for one in cut(whole, found.headers, context):
            one = told_by_place(one, found.headers.contract, context)
            yield _set_apart(one, found.headers.contract, context, found.profile)
        del whole


def below_header(found: FoundTable, width: int) -> Table:
    """The first ``width`` columns of a sheet below its header; the text of the sheet is not held on to.

    Raises :class:`UnreadableFileError` where the rows cannot be told from each other.
    """
    sheet, layout = found.sheet, found.layout
    counts = Counter(title=layout.header_start, header=layout.header_end - layout.header_start)
    proofs: list[tuple[str, Proof]] = []
    head = zip(sheet.head_numbers(), sheet.head()[: layout.header_end], strict=False)
    for place, (number, row) in enumerate(head):
        kind, reason = ("title", "above_header") if place < layout.header_start else ("header", "header")
        # A row that the reader itself put there has no number, and a blank one is only counted.
        if number and any(not is_blank(cell) for cell in row):
            proofs.append((sheet.name, Proof(number, kind, reason)))
    return Table(sheet.name, layout, sheet.body(layout.header_end, width), NonDataRows(counts, tuple(proofs)))


def cut(whole: Table, headers: HeaderMap, context: Context) -> Iterator[Table]:
    """The tables below each other in a sheet: the first, and those that are headed in another order.

    Raises :class:`HeaderError` where a header below lacks a required column or has one twice.
    """
    name, layout, body = whole.sheet, whole.layout, whole.body
    further = further_tables(body, layout, headers)
    ends = [place for place, _ in further] + [len(body.row_numbers)]
    yield replace(whole, body=_joined(_slice(body, 0, ends[0]), layout))
    for (place, own), end in zip(further, ends[1:], strict=True):
        row = int(body.row_numbers[place])
        own = replace(own, title=layout.title)
        try:
            check_layout(own, headers.contract, context.units.in_titles(layout.title.texts) is not None)
        except HeaderError as error:
            raise HeaderError(f"Trang tính “{name}”, dòng {row} là tiêu đề của một bảng khác. {error}") from error
        heading = [(name, Proof(int(n), "header", "header")) for n in body.row_numbers[place : own.header_end]]
        yield Table(name, own, _joined(_slice(body, own.header_end, end), own), NonDataRows.of(heading))


def _joined(body: Body, layout: Layout) -> Body:
    """The rows with each text that goes on in the columns beside it whole in its first, the others blank."""
    columns = list(body.columns)
    everything = np.arange(len(body.row_numbers))
    for first, more in layout.continued.items():
        parts = [[clean(printed(cell)) for cell in columns[i].pick(everything)] for i in (first, *more)]
        columns[first] = ListColumn([" ".join(filter(None, cells)) for cells in zip(*parts, strict=True)])
        for i in more:
            columns[i] = ListColumn([None] * len(everything))
    return replace(body, columns=columns)


def _slice(body: Body, first: int, end: int) -> Body:
    if (first, end) == (0, len(body.row_numbers)):
        return body
    mask = np.zeros(len(body.row_numbers), dtype=bool)
    mask[first:end] = True
    return body.keep(mask)


def _with_beside(whole: Table, profile: DataProfile) -> Table:
    """The same with what stands to the right of it, and the rows that hold nothing else."""
    body, width = whole.body, whole.layout.width
    filled = _filled(body, body.columns[width:])
    if not filled.any():
        return whole
    only = body.row_numbers[np.flatnonzero(filled & ~_filled(body, body.columns[:width]))]
    non_data = NonDataRows.of((whole.sheet, Proof(int(n), "passed_over", "beside_table")) for n in only)
    non_data.counts["blank"] -= len(only)  # as which they are counted with the rows of the table
    places = np.flatnonzero(filled)
    rows = zip(body.row_numbers[places].tolist(), body.rows(places), strict=True)
    where = f"từ cột {column_letters(width + 1)} trở đi"
    part = profile.part("skipped_block", whole.sheet, where, rows, left=width)
    return replace(whole, non_data=NonDataRows.joined([whole.non_data, non_data]), beside=part)


def _filled(body: Body, columns: Sequence[CellColumn]) -> np.ndarray:
    """Which rows hold something in one of the columns."""
    filled = np.zeros(len(body.row_numbers), dtype=bool)
    for column in columns:
        filled |= ~column.blank()
    return filled


def _set_apart(table: Table, contract: Contract, context: Context, profile: DataProfile) -> DataTable:
    """The rows of data of a table, and apart from them those that are none."""
    name, layout, body = table.sheet, table.layout, table.body
    found = find_furniture(body, layout, contract, _surroundings(layout, contract, context, profile))
    if sum(found.counts.values()) + np.count_nonzero(found.data) != len(body.row_numbers):
        raise ConservationError(f"{name}: rows that are neither data nor furniture")
    inside = NonDataRows(Counter(found.counts), tuple((name, proof) for proof in found.proofs))
    data = body if found.data.all() else body.keep(found.data)
    return DataTable(
        name,
        layout,
        data,
        found,
        NonDataRows.joined([table.non_data, inside]),
        table.beside,
        table.noticed,
        table.form_rows_met,
        typed_rows(data, layout, contract) if mark_in(layout.title.texts) else None,
    )


def _surroundings(layout: Layout, contract: Contract, context: Context, profile: DataProfile) -> Surroundings:
    fits = {place: profile.fits[name] for name, place in layout.positions.items() if name in profile.fits}
    units = {place for name, place in layout.positions.items() if contract.column(name).type == "unit"}
    has_units = any(column.type == "unit" for column in contract.columns)
    return Surroundings(fits, lambda text: has_units and bool(context.units.find(text)), frozenset(units))

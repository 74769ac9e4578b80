"""A whole column of cells through a parser: each distinct cell is parsed once, and common CSV shapes without Python.

Belongs here: speed that changes no outcome. Does not belong here: any meaning of its own; a vectorised kernel only
recognises cells whose reading by the type's parser is beyond doubt, and leaves all others to that parser.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.grid import ArrowColumn, CellColumn, ListColumn, is_blank
from ingestion.readings import Cell, Reading, Remark
from ingestion.values import Parser, printed

Kernel = Callable[[pa.StringArray], tuple[pa.Array, pa.BooleanArray]]


@dataclass(frozen=True)
class RemarkedCells:
    """One remark and the rows (0-based) whose cell of this printed value it is about."""

    remark: Remark
    value: str
    rows: np.ndarray
    rejects: bool


@dataclass(frozen=True)
class ParsedColumn:
    """Values of all rows (null where blank or rejected), as many as there were cells, and the remarks."""

    values: pa.Array
    remarks: list[RemarkedCells]


def parse_column(
    column: CellColumn, parser: Parser, arrow_type: pa.DataType, kernel: Kernel | None = None
) -> ParsedColumn:
    """Parses a column. The outcome is that of ``parser`` on every cell."""
    if isinstance(column, ArrowColumn):
        return _parse_arrow(column.cells, parser, arrow_type, kernel)
    assert isinstance(column, ListColumn)
    places: dict[tuple[type, Cell], int] = {}
    codes = np.empty(len(column), dtype=np.int64)
    for i, cell in enumerate(column.cells):
        codes[i] = places.setdefault((type(cell), cell), len(places))
    return _spread([cell for _, cell in places], codes, parser, arrow_type)


def _spread(distinct: list[Cell], codes: np.ndarray, parser: Parser, arrow_type: pa.DataType) -> ParsedColumn:
    readings = [parser(None if is_blank(cell) else cell) for cell in distinct]
    values = pa.array([r.value if r.rejection is None else None for r in readings], arrow_type)
    return ParsedColumn(values.take(pa.array(codes)), _remarks(distinct, codes, readings))


def _remarks(distinct: list[Cell], codes: np.ndarray, readings: list[Reading]) -> list[RemarkedCells]:
    noted = [(p, r) for p, r in enumerate(readings) if r.rejection is not None or r.finding is not None]
    if not noted:
        return []
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(distinct) + 1))
    return [
        RemarkedCells(remark, printed(distinct[p]), order[bounds[p] : bounds[p + 1]], remark is reading.rejection)
        for p, reading in noted
        for remark in (reading.rejection, reading.finding)
        if remark is not None
    ]


def _parse_arrow(cells: pa.StringArray, parser: Parser, arrow_type: pa.DataType, kernel: Kernel | None) -> ParsedColumn:
    if kernel is None:
        encoded = cells.dictionary_encode()
        return _spread(encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64), parser, arrow_type)
    values, known = kernel(cells)
    unknown = np.flatnonzero(~known.to_numpy(zero_copy_only=False))
    if not len(unknown):
        return ParsedColumn(values, [])
    encoded = cells.take(pa.array(unknown)).dictionary_encode()
    rest = _spread(encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64), parser, arrow_type)
    remarks = [RemarkedCells(r.remark, r.value, unknown[r.rows], r.rejects) for r in rest.remarks]
    return ParsedColumn(pc.replace_with_mask(values, pc.invert(known), rest.values), remarks)


# ---------------------------------------------------------------------------------------------------------- kernels

_DAY = (
    r"(?:(?:0[1-9]|1[0-9]|2[0-8])/(?:0[1-9]|1[0-2])|(?:29|30)/(?:0[13-9]|1[0-2])|31/(?:0[13578]|1[02]))"
    r"/(?:19[0-9][0-9]|20[0-9][0-9])"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_MOMENTS = (
    (rf"^{_DAY}$", "%d/%m/%Y"),
    (rf"^{_DAY} {_CLOCK}$", "%d/%m/%Y %H:%M"),
    (rf"^{_DAY} {_CLOCK}:[0-5][0-9]$", "%d/%m/%Y %H:%M:%S"),
)


def datetime_kernel(last_day: dt.date | None) -> Kernel:
    """Recognises blank cells and real moments written ``dd/mm/yyyy[ HH:MM[:SS]]``, none of them after ``last_day``."""

    def recognise(cells: pa.StringArray) -> tuple[pa.Array, pa.BooleanArray]:
        known = pc.equal(cells, "")
        values = pa.nulls(len(cells), pa.timestamp("us"))
        for shape, form in _MOMENTS:
            hits = pc.match_substring_regex(cells, shape)
            if pc.any(hits).as_py():
                values = pc.replace_with_mask(values, hits, pc.strptime(cells.filter(hits), format=form, unit="us"))
                known = pc.or_(known, hits)
        if last_day is not None:
            end = pa.scalar(dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time()), pa.timestamp("us"))
            in_time = pc.fill_null(pc.less(values, end), True)
            known = pc.and_(known, in_time)
        return values, known

    return recognise


def case_code_kernel(cells: pa.StringArray) -> tuple[pa.Array, pa.BooleanArray]:
    """Case codes in canonical form."""
    known = pc.match_substring_regex(
        cells,
        r"^(?:(?:(?:[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.)?[HG][0-9]{2}(?:\.[0-9]{1,3}){0,3})-[0-9]{6}-[0-9]{4,6}|[0-9]{12,14})$",
    )
    return pc.if_else(known, cells, pa.scalar(None, pa.string())), known

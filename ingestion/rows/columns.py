"""A whole column of cells through a parser: each distinct cell is parsed once, and common CSV shapes without Python.

Belongs here: speed that changes no outcome. Does not belong here: any meaning of its own; a vectorised kernel only
recognises cells whose reading by the type's parser is beyond doubt, and leaves all others to that parser.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.base.readings import Cell, Reading, Remark
from ingestion.reading.fastcsv import octets_at
from ingestion.reading.grid import ArrowColumn, CellColumn, DictionaryColumn, ListColumn, is_blank
from ingestion.rows.values import Parser, printed

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
    if isinstance(column, DictionaryColumn):
        distinct = _parse_arrow(column.distinct().cells, parser, arrow_type, kernel)
        codes = column.codes()
        return ParsedColumn(distinct.values.take(column.cells.indices), _of_rows(distinct.remarks, codes))
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
    noted = [
        RemarkedCells(remark, printed(distinct[place]), np.array([place]), remark is reading.rejection)
        for place, reading in enumerate(readings)
        for remark in (reading.rejection, reading.finding)
        if remark is not None
    ]
    return _of_rows(noted, codes)


def _of_rows(noted: list[RemarkedCells], codes: np.ndarray) -> list[RemarkedCells]:
    """Remarks on distinct cells as remarks on the rows that have them; ``codes`` gives each row's distinct cell."""
    if not noted:
        return []
    order = np.argsort(codes, kind="stable")
    in_order = codes[order]
    found: list[RemarkedCells] = []
    for remark in noted:
        first = np.searchsorted(in_order, remark.rows, side="left")
        last = np.searchsorted(in_order, remark.rows, side="right")
        rows = np.concatenate([order[a:b] for a, b in zip(first, last, strict=True)])
        if len(rows):
            found.append(replace(remark, rows=rows))
    return found


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

_ZERO = ord("0")
_MOMENT_WIDTHS = (10, 16, 19)  # dd/mm/yyyy, with HH:MM, with HH:MM:SS
_SIGNS = {2: "/", 5: "/", 10: " ", 13: ":", 16: ":"}
_FIRST_YEAR, _YEARS = 1900, 200
_MICROSECONDS = np.int64(1_000_000)


def _calendar() -> tuple[np.ndarray, np.ndarray]:
    """First day (counted from 1970-01-01) and number of days of each month from January 1900 on."""
    firsts = np.arange(f"{_FIRST_YEAR}-01", f"{_FIRST_YEAR + _YEARS}-02", dtype="datetime64[M]").astype("datetime64[D]")
    days = firsts.astype(np.int64)
    return days[:-1], np.diff(days)


_MONTH_STARTS, _MONTH_LENGTHS = _calendar()


def _moments(octets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds since 1970 of cells that all have one of the widths, and which of them are real moments.

    ``octets`` has a row for each place and a column for each cell, so that every step runs along memory.
    """
    width = len(octets)
    places = [i for i in range(width) if i not in _SIGNS]
    digits = octets - np.uint8(_ZERO)  # what is no digit wraps around to more than nine
    real = np.ones(octets.shape[1], dtype=bool)
    for i in places:
        real &= digits[i] <= 9
    for i, sign in _SIGNS.items():
        if i < width:
            real &= octets[i] == ord(sign)

    def two(at: int) -> np.ndarray:
        number: np.ndarray = digits[at].astype(np.int32) * 10 + digits[at + 1]
        return number

    day, month, year = two(0), two(3), two(6) * 100 + two(8)
    real &= (month >= 1) & (month <= 12) & (year >= _FIRST_YEAR) & (year < _FIRST_YEAR + _YEARS)
    at = np.where(real, (year - _FIRST_YEAR) * 12 + month - 1, 0)
    real &= (day >= 1) & (day <= _MONTH_LENGTHS[at]) & ~((at == 0) & (day == 1))  # 01/01/1900 means "no date"
    seconds = np.zeros(octets.shape[1], dtype=np.int64)
    for place, limit, unit in ((11, 24, 3600), (14, 60, 60), (17, 60, 1)):
        if place < width:
            part = two(place)
            real &= part < limit
            seconds += part * np.int64(unit)
    return ((_MONTH_STARTS[at] + day - 1) * np.int64(86400) + seconds) * _MICROSECONDS, real


def datetime_kernel(last_day: dt.date | None) -> Kernel:
    """Recognises blank cells and real moments written ``dd/mm/yyyy[ HH:MM[:SS]]``, none of them after ``last_day``."""
    end = None if last_day is None else np.datetime64(last_day + dt.timedelta(days=1), "us").astype(np.int64)

    def recognise(cells: pa.StringArray) -> tuple[pa.Array, pa.BooleanArray]:
        widths = pc.binary_length(cells).to_numpy(zero_copy_only=False)
        moments = np.zeros(len(cells), dtype=np.int64)
        filled = np.zeros(len(cells), dtype=bool)
        for width in _MOMENT_WIDTHS:
            among = np.flatnonzero(widths == width)
            if len(among):
                found, real = _moments(octets_at(cells, among, np.int32(0), width))
                if end is not None:
                    real &= found < end
                moments[among], filled[among] = found, real
        values = pa.array(moments, pa.timestamp("us"), mask=~filled)
        return values, pa.array(filled | (widths == 0))

    return recognise


def case_code_kernel(cells: pa.StringArray) -> tuple[pa.Array, pa.BooleanArray]:
    """Case codes in canonical form."""
    known = pc.match_substring_regex(
        cells,
        r"^(?:(?:(?:[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.)?[HG][0-9]{2}(?:\.[0-9]{1,3}){0,3})-[0-9]{6}-[0-9]{4,7}|[0-9]{12,14})$",
    )
    if pc.all(known).as_py():
        return cells, known
    return pc.if_else(known, cells, pa.scalar(None, pa.string())), known

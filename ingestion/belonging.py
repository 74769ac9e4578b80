"""Whether a file belongs into the folder in which it lies, told from what it holds.

Belongs here: the quarter and the unit that a file's rows and title speak of, against the folder's. Does not belong
here: single rows that are wrong; a file is held only where it belongs elsewhere as a whole.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import Contract
from ingestion.headers import TitleBlock
from ingestion.resolve import Context
from ingestion.rules import RowRemark, Rows
from ingestion.values import parse_date

WRONG_QUARTER, WRONG_UNIT = "wrong_quarter", "wrong_unit"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Why a file is held: a code, and a message that names the folder and what the file speaks of."""

    code: str
    message_vi: str


def title_unit(titles: Sequence[TitleBlock], context: Context) -> Misplaced | None:
    """A commune's folder that holds a file headed with another commune's name."""
    if context.folder_unit.level != "commune":
        return None
    for title in titles:
        code = context.units.in_titles(title.texts)
        if code is not None and code not in _own_units(context):
            return _wrong_unit(f"tiêu đề ghi {_unit_name(code, context)}", context)
    return None


def _own_units(context: Context) -> set[str]:
    return {context.folder_unit.code, context.units.reporting_unit.code}


def misplaced(rows: Rows, remarks: Sequence[RowRemark], contract: Contract, context: Context) -> Misplaced | None:
    """The quarter or unit to which all rows belong, where it is not the folder's; None where the rows do not tell."""
    plan = contract.belonging
    if plan is None or len(rows) < plan.rows:
        return None
    if plan.period:
        found = _wrong_period(rows, remarks, contract, context)
        if found is not None:
            return found
    if plan.by_unit:
        return _wrong_units(rows, remarks, contract, context)
    return None


# ----------------------------------------------------------------------------------------------------------- quarter


def _wrong_period(
    rows: Rows, remarks: Sequence[RowRemark], contract: Contract, context: Context
) -> Misplaced | None:
    """No row has a day in the quarter, and at least half of the rows are past or still to come.

    A row is past where it ended before the quarter, or where nothing tells that it could still be open.
    """
    plan, period = contract.belonging, context.period
    assert plan is not None
    inside, dated = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    ended = np.zeros(len(rows), dtype=bool)
    days: list[dt.date] = []
    for name in plan.period:
        values = rows.columns[name]
        first = period.opens_on.replace(day=1) if contract.column(name).type == "month" else period.opens_on
        moments = pc.cast(values, pa.timestamp("us"))
        opens = pa.scalar(dt.datetime.combine(first, dt.time()), pa.timestamp("us"))
        end = pa.scalar(dt.datetime.combine(period.closes_on + dt.timedelta(days=1), dt.time()), pa.timestamp("us"))
        inside |= _flags(pc.and_(pc.greater_equal(moments, opens), pc.less(moments, end)))
        if inside.any():
            return None
        present = values.is_valid().to_numpy(zero_copy_only=False)
        dated |= present
        ended |= present & (name in plan.ended_by)
        bounds = pc.min_max(moments).as_py()
        days += [bounds[k].date() for k in ("min", "max") if bounds[k] is not None]
    for remark in remarks:
        if remark.remark.code == "after_closing" and remark.column in plan.period:
            dated[remark.rows] = ended[remark.rows] = True
            days += [day for day in [parse_date(remark.value).value] if day is not None]
    telling = dated & (ended if plan.ended_by else True)
    if not days or np.count_nonzero(telling) * 2 < len(rows):
        return None
    folder = f"{period.quarter} (từ {period.opens_on:%d/%m/%Y} đến {period.closes_on:%d/%m/%Y})"
    return Misplaced(
        WRONG_QUARTER,
        f"Không có dòng nào thuộc kỳ {folder}: các ngày trong tệp từ {min(days):%d/%m/%Y} đến {max(days):%d/%m/%Y}. "
        "Tệp được giữ lại, chưa tính. Chuyển tệp sang thư mục đúng kỳ hoặc xuất lại đúng kỳ.",
    )


def _flags(mask: pa.Array) -> np.ndarray:
    flags: np.ndarray = pc.fill_null(mask, False).to_numpy(zero_copy_only=False)
    return flags


# -------------------------------------------------------------------------------------------------------------- unit


def _wrong_units(
    rows: Rows, remarks: Sequence[RowRemark], contract: Contract, context: Context
) -> Misplaced | None:
    """Every row names units to which the folder does not belong.

    That is: another commune in a commune's folder, one single commune in the district's folder, or names that are no
    unit of the district at all.
    """
    name = contract.unit_column
    assert name is not None
    strangers = [r for r in remarks if r.column == name and r.remark.code == "unknown_unit"]
    unknown: Counter[str] = Counter()
    for remark in strangers:
        unknown[remark.value] += len(remark.rows)
    found = Counter(
        {v["values"]: v["counts"] for v in pc.value_counts(rows.columns[name]).to_pylist() if v["values"] is not None}
    )
    if unknown.total() == len(rows):
        names = ", ".join(f"“{text}”" for text, _ in _most(unknown))
        return _wrong_unit(f"mọi dòng ghi đơn vị {names}", context)
    if unknown.total() + found.total() < len(rows) or not found:
        return None
    folder = context.folder_unit
    if folder.level == "commune":
        if folder.code in found or not all(_is_commune(code, context) for code in found):
            return None
    elif unknown or len(found) > 1 or not _is_commune(next(iter(found)), context):
        return None
    names = ", ".join(_unit_name(code, context) for code, _ in _most(found))
    return _wrong_unit(f"mọi dòng là của {names}", context)


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_NAMED]


def _is_commune(code: str, context: Context) -> bool:
    return code in context.units.commune_codes


def _unit_name(code: str, context: Context) -> str:
    return f"“{dict(context.units.entries)[code]}” ({code})"


def _wrong_unit(what: str, context: Context) -> Misplaced:
    folder = f"“{context.folder_unit.name}” ({context.folder_unit.code})"
    return Misplaced(
        WRONG_UNIT,
        f"Tệp nằm trong thư mục của {folder} nhưng {what}. Tệp được giữ lại, chưa tính. "
        "Chuyển tệp sang thư mục đúng đơn vị.",
    )

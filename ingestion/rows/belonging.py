"""Whether a file belongs into the folder in which it lies, told from what it holds.

Belongs here: the quarter and the unit that a file's rows and title speak of, against the folder's. A file is held only
where it belongs elsewhere as a whole; single rows that do are rejected or remarked on as the contract says.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from common.periods import Period
from common.roles import PART
from ingestion.base.contracts import Contract
from ingestion.base.limits import UNUSABLE, UnreadableFileError
from ingestion.base.readings import Remark
from ingestion.rows.headers import TitleBlock
from ingestion.rows.resolve import Context, names_an_office
from ingestion.rows.rules import RowRemark, Rows, flags_of
from ingestion.rows.tables import FileRows
from ingestion.rows.values import parse_date

WRONG_QUARTER, WRONG_UNIT = "wrong_quarter", "wrong_unit"
_NAMED = 3


def check_sender(contract: Contract, context: Context) -> None:
    """Raises :class:`UnreadableFileError` where units like the folder's do not deliver the source."""
    if context.role not in contract.delivered_by:
        raise UnreadableFileError(
            UNUSABLE, f"Đơn vị “{context.folder_unit.name}” không nộp nguồn “{contract.title_vi}”."
        )


# ------------------------------------------------------------------------------------------------------------ titles


def check_titles(titles: Sequence[TitleBlock], contract: Contract, context: Context) -> None:
    """Raises :class:`UnreadableFileError` where a title names another period or unit than the file's folder."""
    for title in titles:
        _check_title_period(title, contract, context)
    if (fault := _title_unit(titles, context)) is not None:
        raise UnreadableFileError(WRONG_UNIT, fault, titles[0].window)


def _check_title_period(title: TitleBlock, contract: Contract, context: Context) -> None:
    if (named := title.times_for(contract).of_another_period(context.period)) is not None:
        raise UnreadableFileError(
            WRONG_QUARTER,
            f"Tệp ghi kỳ {named}, nhưng nằm trong thư mục của kỳ {_period_vi(context.period)}. "
            "Chuyển tệp sang đúng thư mục hoặc xuất lại đúng kỳ.",
            title.window,
        )


def _period_vi(period: Period) -> str:
    return f"{period.quarter} (từ {period.opens_on:%d/%m/%Y} đến {period.closes_on:%d/%m/%Y})"


def _title_unit(titles: Sequence[TitleBlock], context: Context) -> str | None:
    """What is wrong with a file that is headed with the name of a unit to which its folder does not belong."""
    for title in titles:
        if (stranger := context.units.stranger_in_titles(title.texts)) is not None:
            name = f"“{stranger}”" if names_an_office(stranger) else "tên đơn vị khác"
            return _wrong_unit(f"tiêu đề ghi {name}", context)
        if context.role != PART:
            continue
        code = context.units.in_titles(title.texts)
        if code is not None and code not in _own_units(context):
            return _wrong_unit(f"tiêu đề ghi {_unit_name(code, context)}", context)
    return None


def _own_units(context: Context) -> set[str]:
    return {context.folder_unit.code, context.units.reporting_unit.code}


def check_belonging(read: FileRows, contract: Contract, context: Context) -> None:
    """Raises :class:`UnreadableFileError` where all rows belong to another quarter or unit than the folder's."""
    plan = contract.belonging
    if plan is None or len(read.rows) < plan.rows:
        return
    if plan.period and (fault := _wrong_period(read.rows, read.remarks, contract, context)) is not None:
        raise UnreadableFileError(WRONG_QUARTER, fault, read.window)
    if plan.by_unit and (fault := _wrong_units(read.rows, read.remarks, contract, context)) is not None:
        raise UnreadableFileError(WRONG_UNIT, fault, read.window)


# ----------------------------------------------------------------------------------------------------------- quarter


def _wrong_period(rows: Rows, remarks: Sequence[RowRemark], contract: Contract, context: Context) -> str | None:
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
        inside |= flags_of(pc.and_(pc.greater_equal(moments, opens), pc.less(moments, end)))
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
    deciding = dated & (ended if plan.ended_by else True)
    if not days or np.count_nonzero(deciding) * 2 < len(rows):
        return None
    return (
        f"Không có dòng nào thuộc kỳ {_period_vi(period)}: các ngày trong tệp từ {min(days):%d/%m/%Y} đến "
        f"{max(days):%d/%m/%Y}. "
        "Tệp được giữ lại, chưa tính. Chuyển tệp sang thư mục đúng kỳ hoặc xuất lại đúng kỳ."
    )


# -------------------------------------------------------------------------------------------------------------- unit


def _wrong_units(rows: Rows, remarks: Sequence[RowRemark], contract: Contract, context: Context) -> str | None:
    """Every row names units to which the folder does not belong.

    That is: another commune in a commune's folder, one single commune in the district's folder, or names that are no
    unit of the district at all.
    """
    name, plan = contract.unit_column, contract.belonging
    assert name is not None
    assert plan is not None
    strangers = [r for r in remarks if r.column == name and r.remark.code == "unknown_unit"]
    unknown: Counter[str] = Counter()
    for remark in strangers:
        unknown[remark.value] += len(remark.rows)
    found = Counter(
        {v["values"]: v["counts"] for v in pc.value_counts(rows.columns[name]).to_pylist() if v["values"] is not None}
    )
    if unknown.total() == len(rows):
        # What is said of a file stays in its receipt, so a text that may be somebody's name is not quoted.
        offices = Counter({text: count for text, count in unknown.items() if names_an_office(text)})
        names = ", ".join(f"“{text}”" for text, _ in _most(offices))
        return _wrong_unit(f"mọi dòng ghi đơn vị {names or 'không có trong danh mục của kỳ'}", context)
    if unknown.total() + found.total() < len(rows) or not found:
        return None
    folder = context.folder_unit
    if context.role == PART:
        if folder.code in found or not all(_is_part(code, context) for code in found):
            return None
    elif plan.own_unit_only or unknown or len(found) > 1 or not _is_part(next(iter(found)), context):
        return None
    names = ", ".join(_unit_name(code, context) for code, _ in _most(found))
    return _wrong_unit(f"mọi dòng là của {names}", context)


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_NAMED]


def _is_part(code: str, context: Context) -> bool:
    return code in context.units.part_codes


def _unit_name(code: str, context: Context) -> str:
    return f"“{dict(context.units.entries)[code]}” ({code})"


def _wrong_unit(what: str, context: Context) -> str:
    folder = f"“{context.folder_unit.name}” ({context.folder_unit.code})"
    return (
        f"Tệp nằm trong thư mục của {folder} nhưng {what}. Tệp được giữ lại, chưa tính. "
        "Chuyển tệp sang thư mục đúng đơn vị."
    )


# -------------------------------------------------------------------------------------------------------- single rows


def strays(rows: Rows, contract: Contract, context: Context) -> Iterator[RowRemark]:
    """Rows of another unit, period or year in a file that otherwise belongs where it lies."""
    plan = contract.belonging
    if plan is None:
        return
    period = context.period
    for name, effect in plan.outside.items():
        values, title = rows.columns[name], contract.column(name).title_vi
        is_month = contract.column(name).type == "month"
        first = period.opens_on.replace(day=1) if is_month else period.opens_on
        days = pc.cast(pc.cast(values, pa.timestamp("us")), pa.date32(), safe=False)
        outside = flags_of(pc.or_(pc.less(days, first), pc.greater(days, period.closes_on)))
        for day, places in _by_value(days, outside):
            shown = f"{day:%m/%Y}" if is_month else f"{day:%d/%m/%Y}"
            remark = Remark(
                "outside_period",
                f"“{title}” {shown} nằm ngoài kỳ {_period_vi(period)}",
                "Kiểm tra ngày, tháng; chỉ nộp số liệu thuộc kỳ.",
            )
            yield RowRemark(places, name, shown, remark, effect == "reject")
    if plan.own_unit_only and context.role == PART:
        assert contract.unit_column is not None
        values = rows.columns[contract.unit_column]
        foreign = flags_of(pc.not_equal(values, context.folder_unit.code))
        for code, places in _by_value(values, foreign):
            remark = Remark(
                WRONG_UNIT,
                f"Dòng là của {_unit_name(code, context)}, không phải của “{context.folder_unit.name}”",
                "Mỗi xã chỉ nộp số liệu của mình; chuyển dòng sang tệp của đơn vị đó.",
            )
            yield RowRemark(places, contract.unit_column, code, remark, True)
    if plan.year_by:
        yield from _other_year(rows, contract, context)


def _by_value(values: pa.Array, among: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
    """The distinct values of some rows, in order, each with its rows."""
    places = np.flatnonzero(among)
    found: dict[Any, list[int]] = defaultdict(list)
    for place, value in zip(places.tolist(), values.take(pa.array(places)).to_pylist(), strict=True):
        found[value].append(place)
    for value in sorted(found):
        yield value, np.array(found[value])


_YEAR = re.compile(r"(?<!\d)(?:(?P<month>\d{1,2})[/.-]|tháng (?P<named>\d{1,2}) năm |năm |/)?(?P<year>20\d{2})(?![\d])")
_PLANNED_FROM = 10  # a plan of the next year may be dated in the last months of the one before


def _other_year(rows: Rows, contract: Contract, context: Context) -> Iterator[RowRemark]:
    """Rows of which no text and no day speaks of the year of the period's closing, though some speak of another."""
    assert contract.belonging is not None
    year = context.period.closes_on.year
    names = contract.belonging.year_by
    found: dict[tuple[str, tuple[int, ...]], list[int]] = defaultdict(list)
    for place, cells in enumerate(zip(*(rows.columns[name].to_pylist() for name in names), strict=True)):
        years_by_column = {name: _years(cell) for name, cell in zip(names, cells, strict=True) if cell is not None}
        years = set().union(*years_by_column.values())
        if years and year not in years:
            first = next(name for name in names if years_by_column.get(name))
            found[first, tuple(sorted(years))].append(place)
    for (name, stated_years), places in sorted(found.items()):
        shown = ", ".join(map(str, stated_years))
        remark = Remark(
            "other_year",
            f"“{contract.column(name).title_vi}” ghi năm {shown}, không phải năm {year} "
            f"của kỳ {context.period.quarter}",
            f"Chỉ nộp nhiệm vụ thuộc kế hoạch năm {year}; nếu đúng là của năm {year} thì sửa lại ngày, số văn bản.",
        )
        yield RowRemark(np.array(places), name, shown, remark, False)


def _years(cell: object) -> set[int]:
    """The years of which a text or a day speaks; a day in the last months of a year speaks of the next one too."""
    if isinstance(cell, dt.date):
        return {cell.year}
    years: set[int] = set()
    for match in _YEAR.finditer(str(cell)):
        month = int(match["month"] or match["named"] or 0)
        years |= {int(match["year"])} | ({int(match["year"]) + 1} if month >= _PLANNED_FROM else set())
    return years

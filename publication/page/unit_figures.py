"""Figures of each unit below the reporting unit, beside those of the whole area and of the other units.

Belongs here: which published cells a figure is read from, what a gap means, median and place among the units.
Does not belong here: counting (the marts), which cells are held back (``publication.content.disclosure``), how a page
looks (``unit_pages``).

Everything is a function of published cells: a sum with a part that is held back is held back, and held-back figures
have no place and no part in a median. So a page tells nothing that the tables beside it do not.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from common.forms import form_named
from publication.content.release_content import ReleaseContent
from publication.formatting import HELD_BACK_VI, alphabetical, format_number, percent_of

UNKNOWN_VI = "chưa có"
NOTHING_VI = "không có"
_CLOCK = "reporting_window"
_HUNDREDTH = Decimal("0.01")
#: States of a case that is not settled, as columns of ``case_processing``.
_OPEN = ("in_progress", "waiting_for_supplement", "suspended")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Value:
    """A figure: a number, or why there is none: it is held back (``told``: the sum of its parts that are not), nothing
    is there to be measured, or nothing is known. ``exact``: the share that the number is the print of.
    """

    number: Decimal | None = None
    is_held_back: bool = False
    told: Decimal = Decimal(0)
    is_of_nothing: bool = False
    exact: Fraction | None = None

    @property
    def compared(self) -> Fraction | None:
        """What places go by: shares that round to one print are no equals."""
        return Fraction(self.number) if self.exact is None and self.number is not None else self.exact

    @property
    def printed(self) -> str:
        """As pages print it; a gap in words."""
        if self.number is not None:
            return format_number(self.number)
        if self.is_held_back:
            return f"ít nhất {format_number(self.told)}" if self.told else HELD_BACK_VI
        return NOTHING_VI if self.is_of_nothing else UNKNOWN_VI


NO_VALUE, NOTHING, HELD = Value(), Value(is_of_nothing=True), Value(is_held_back=True)


@dataclass(frozen=True)
class Kind:
    """What a figure is: its name and unit for people, and which end of the units stands first."""

    id: str
    name_vi: str
    unit_vi: str
    first: str  # "most" or "least"

    @property
    def order_vi(self) -> str:
        """Which unit stands first."""
        return "cao nhất đứng đầu" if self.first == "most" else "thấp nhất đứng đầu"


_CASES, _DAYS = "hồ sơ", "ngày làm việc"
KINDS: tuple[Kind, ...] = (
    Kind("received", "Tiếp nhận trong kỳ", _CASES, "most"),
    Kind("online", "Trong đó nộp trực tuyến", _CASES, "most"),
    Kind("online_percent", "Tỷ lệ nộp trực tuyến", "%", "most"),
    Kind("resolved", "Đã trả kết quả", _CASES, "most"),
    Kind("on_time_percent", "Tỷ lệ đúng hạn trong số đã trả kết quả", "%", "most"),
    Kind("late", "Trả kết quả trễ hạn", _CASES, "least"),
    Kind("median_days", "Thời gian giải quyết: một nửa số hồ sơ không quá", _DAYS, "least"),
    Kind("p90_days", "Thời gian giải quyết: chín phần mười số hồ sơ không quá", _DAYS, "least"),
    Kind("open", "Chưa giải quyết xong cuối kỳ", _CASES, "least"),
    Kind("overdue", "Trong đó đã quá hạn", _CASES, "least"),
    Kind("oldest_days", "Hồ sơ chưa xong chờ lâu nhất", _DAYS, "least"),
)


@dataclass(frozen=True)
class Place:
    """A place among the units that tell the figure; equals share the place of the first of them."""

    place: int
    of: int
    is_shared: bool

    @property
    def printed(self) -> str:
        """``2/8``, with a word where the place is shared."""
        return f"{self.place}/{self.of}" + (" (đồng hạng)" if self.is_shared else "")


@dataclass(frozen=True)
class FieldLine:
    """Cases of one field at a unit."""

    field_vi: str
    received: Value
    online: Value
    resolved: Value
    late: Value
    open: Value
    overdue: Value


@dataclass(frozen=True)
class AgeLine:
    """Open cases of a unit by how long they wait; ``age`` is the band of ``case_backlog``."""

    age: str
    cases: Value
    overdue: Value


@dataclass(frozen=True)
class Unit:
    """A unit below the reporting unit. ``values`` by id of the figure."""

    code: str
    name_vi: str
    values: Mapping[str, Value]
    fields: tuple[FieldLine, ...]
    ages: tuple[AgeLine, ...]

    @property
    def has_cases(self) -> bool:
        """Whether any case of the unit is in the tables."""
        return any(value is not NO_VALUE for value in self.values.values())


@dataclass(frozen=True)
class UnitFigures:
    """The units by name, and what stands beside each; ``whole_vi``: of whom ``whole`` is the sum."""

    units: tuple[Unit, ...]
    whole: Mapping[str, Value]
    whole_vi: str
    medians: Mapping[str, Value]

    def place(self, unit: Unit, kind: Kind) -> Place | None:
        """Where a unit stands by a figure; None where it has none that is told, or no other unit has."""
        own = unit.values[kind.id].compared
        told = [other.values[kind.id].compared for other in self.units]
        known = [number for number in told if number is not None]
        if own is None or len(known) < 2:
            return None
        before = sum(number > own if kind.first == "most" else number < own for number in known)
        return Place(before + 1, len(known), known.count(own) > 1)


def unit_figures(content: ReleaseContent) -> UnitFigures:
    """The units below the reporting unit with their figures; without any where there are none."""
    below = sorted(
        (
            (str(row["name_vi"]), str(row["unit_code"]))
            for row in content.tables["dim_unit"].to_pylist()
            if row["reporting_unit_code"] == content.unit_code
            and row["unit_code"] != content.unit_code
            and row["unit_type"] == "commune"
        ),
        key=lambda named: (alphabetical(named[0]), named[1]),
    )
    tables = _Tables(content)
    units = tuple(
        Unit(code, name, tables.of_unit(code), tables.fields_of(code), tables.ages_of(code)) for name, code in below
    )
    medians = {kind.id: _median(unit.values[kind.id].number for unit in units) for kind in KINDS}
    is_whole = content.case_totals.whole.issuperset(form_named(content.form_version).case_levels)
    whole_vi = "Toàn địa bàn" if is_whole else "Các đơn vị đã báo cáo"
    return UnitFigures(units, tables.of_all() if units else {}, whole_vi, medians)


def _median(numbers: Iterable[Decimal | None]) -> Value:
    known = [number for number in numbers if number is not None]
    if not known:
        return NO_VALUE
    return Value(Decimal(statistics.median(known)).quantize(_HUNDREDTH, ROUND_HALF_UP))


class _Tables:
    """The rows of the release that figures are read from. A release of a program that did not yet have a table or a
    column has none of its figures.
    """

    def __init__(self, content: ReleaseContent) -> None:
        self._content = content
        self._form = {
            row["receiving_unit_code"] if row["row_kind"] == "row" else "all": row
            for row in self._rows("case_form_06a")
            if row["breakdown"] == "unit" and row["row_kind"] in ("row", "total")
        }
        self._rates = {
            (row["scope_kind"], row["scope_code"], row["denominator_kind"]): row
            for row in self._rows("case_timeliness")
        }
        self._cases = self._rows("case_processing")
        self._backlog = self._rows("case_backlog")

    def _rows(self, mart: str) -> list[Row]:
        if mart not in self._content.tables:
            return []
        return [row for row in self._content.tables[mart].to_pylist() if row.get("clock", _CLOCK) == _CLOCK]

    def of_unit(self, code: str) -> dict[str, Value]:
        """The figures of one unit by their ids."""
        waiting = [row for row in self._backlog if row["receiving_unit_code"] == code]
        form = self._form.get(code)
        own = [row for row in self._cases if row["receiving_unit_code"] == code]
        open_ = _sum_of(own, *_OPEN) if form is not None and own else NO_VALUE
        return self._values(form, ("unit", code), open_, waiting)

    def of_all(self) -> dict[str, Value]:
        """The figures of the whole area, as far as it is counted."""
        form, counted = self._form.get("all"), self._content.case_totals.open
        open_ = Value(Decimal(sum(counted.values()))) if form is not None and counted else NO_VALUE
        return self._values(form, ("all", "all"), open_, self._backlog)

    def _values(
        self, form: Row | None, scope: tuple[str, str], open_: Value, waiting: Sequence[Row]
    ) -> dict[str, Value]:
        received, resolved = (self._rates.get((*scope, kind)) for kind in ("received", "resolved"))
        online = _cell(form, "received_online")
        taken = _sum([online.number, _cell(form, "received_direct_or_postal").number]) if form else NO_VALUE
        return {
            "received": _cell(received, "denominator"),
            "online": online,
            "online_percent": _percent(online, taken),
            "resolved": _cell(resolved, "denominator"),
            "on_time_percent": _percent(_cell(resolved, "numerator"), _cell(resolved, "denominator")),
            "late": _cell(form, "resolved_late"),
            "median_days": _cell(resolved, "median_working_days"),
            "p90_days": _cell(resolved, "p90_working_days"),
            "open": open_,
            "overdue": _cell(form, "in_progress_overdue"),
            "oldest_days": NO_VALUE if form is None else _greatest(waiting, open_),
        }

    def fields_of(self, code: str) -> tuple[FieldLine, ...]:
        """The fields of a unit's cases: those with most cases first, those that are held back last and by name."""
        by_field: dict[str, list[Row]] = {}
        for row in self._cases:
            if row["receiving_unit_code"] == code:
                by_field.setdefault(row["field_vi"], []).append(row)
        lines = [
            FieldLine(
                name,
                _sum_of(rows, "received"),
                _sum_of((row for row in rows if row["channel"] == "online"), "received"),
                _sum_of(rows, "resolved"),
                _sum_of(rows, "resolved_late"),
                _sum_of(rows, *_OPEN),
                _sum_of(rows, "in_progress_overdue"),
            )
            for name, rows in by_field.items()
        ]
        return tuple(
            sorted(
                lines,
                key=lambda line: (-(line.received.number or line.received.told), alphabetical(line.field_vi)),
            )
        )

    def ages_of(self, code: str) -> tuple[AgeLine, ...]:
        """Open cases of a unit by age, the youngest first."""
        rows = [row for row in self._backlog if row["receiving_unit_code"] == code]
        return tuple(
            AgeLine(
                age,
                _sum_of((row for row in rows if row["age_band"] == age), "cases"),
                _sum_of((row for row in rows if row["age_band"] == age), "overdue"),
            )
            for age in sorted({row["age_band"] for row in rows})
        )


def _cell(row: Row | None, column: str) -> Value:
    """One cell; a blank is held back where its row says so, else there is nothing to tell."""
    if row is None or row.get(column) is None:
        held = column in str((row or {}).get("held_back") or "").split(",")
        return HELD if held else NO_VALUE
    return Value(Decimal(row[column]))


def _sum(numbers: Iterable[Decimal | int | None]) -> Value:
    parts = list(numbers)
    told = Decimal(sum(number for number in parts if number is not None))
    return Value(is_held_back=True, told=told) if None in parts else Value(told)


def _sum_of(rows: Iterable[Row], *columns: str) -> Value:
    return _sum(row.get(column) for row in rows for column in columns)


def _percent(part: Value, whole: Value) -> Value:
    if part.number is None or whole.number is None:
        return HELD if part.is_held_back or whole.is_held_back else NO_VALUE
    percent = percent_of(part.number, whole.number)
    return NO_VALUE if percent is None else Value(percent, exact=Fraction(part.number) / Fraction(whole.number))


def _greatest(rows: Sequence[Row], open_: Value) -> Value:
    """The greatest age: nothing where no case is open, held back where that of any open case is.

    A row may be left out altogether where its being there would tell of a case, so the cases have to be all there.
    """
    cells = [_cell(row, "oldest_working_days") for row in rows]
    if any(cell.is_held_back for cell in cells) or _sum_of(rows, "cases") != open_:
        return NO_VALUE if open_ is NO_VALUE else HELD
    known = [cell.number for cell in cells if cell.number is not None]
    return Value(max(known)) if known else NO_VALUE if cells else NOTHING

"""What units were before, through any number of reforms: since when each is the unit it is, and of whom it is made.

Belongs here: lives of units that changed name, type or parent only, and the units of earlier days that are in one, as
Python asks and as a table for dbt; the proof that who ends closes the books. Does not belong here: what became of a
unit later (``common.units``), which window follows from it (``ingestion.base.reference``).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from common.periods import Duty, Period, is_owed
from common.roles import PART, REPORTING_UNIT, UnitRole, role_on
from common.units import AdminUnit, RegisterFault, UnitRegister

#: Of a unit of an earlier day: the very unit; one that went whole into it; one of which a part did, or that was of
#: another level, so that none of its figures is one of the unit's.
Relation = Literal["own", "whole", "part"]
_DAY = dt.timedelta(days=1)
PAST_COLUMNS = (
    "unit_code", "past_unit_code", "past_name_vi", "unit_level", "relation", "taken_over_on", "reported_by_code",
    "reported_by_name_vi", "begins_on", "first_day", "last_day",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Past:
    """A unit of the days from ``first`` (None: of the beginning) to ``last`` of which something is in another one.

    ``taken_over_on``: the day on which it, or what it had become, came into that one; None where it is ``own``.
    """

    unit: AdminUnit
    relation: Relation
    taken_over_on: dt.date | None
    first: dt.date | None
    last: dt.date


def before_it(register: UnitRegister, unit: AdminUnit, roles: Iterable[UnitRole] | None = None) -> AdminUnit | None:
    """The stretch that a unit goes on from under its own code, as somebody with another name, type or parent: whole,
    with nothing besides, at the same level and in the same role. None for one that began as itself.
    """
    steps = register.predecessors(unit)
    if unit.valid_from is None or [(step.old_code, step.relation) for step in steps] != [(unit.code, "whole")]:
        return None
    eve = unit.valid_from - _DAY
    old = register.unit(unit.code, eve)
    if old is None or old.level != unit.level:
        return None
    same = role_on(old.level, eve, roles).role == role_on(unit.level, unit.valid_from, roles).role
    return old if same else None


def begins_on(register: UnitRegister, unit: AdminUnit, roles: Iterable[UnitRole] | None = None) -> dt.date | None:
    """The first day of a unit's life; None where that is older than the register. A new name begins no life."""
    while (old := before_it(register, unit, roles)) is not None:
        unit = old
    return unit.valid_from


def pasts(register: UnitRegister, unit: AdminUnit, day: dt.date, roles: Iterable[UnitRole] | None = None) -> list[Past]:
    """Of whom a unit that is in being on ``day`` was made on each day up to then, the latest stretch first: in every
    stretch between two changes each unit of those days of which anything is in it.
    """
    found: list[Past] = []
    members: dict[AdminUnit, tuple[Relation, dt.date | None]] = {unit: ("own", None)}
    last = day
    while members:
        change = max(
            (step.effective_on for member in members for step in register.into(member) if step.effective_on <= last),
            default=None,
        )
        begins = [member.valid_from for member in members if member.valid_from is not None]
        first = max([*begins, *([change] if change else [])], default=None)
        found += [
            Past(member, relation, taken_over_on, first, last)
            for member, (relation, taken_over_on) in sorted(members.items(), key=lambda item: item[0].code)
        ]
        if first is None:
            return found
        members, last = _on_the_eve(register, members, first, roles), first - _DAY
    return found


def _on_the_eve(
    register: UnitRegister,
    members: dict[AdminUnit, tuple[Relation, dt.date | None]],
    day: dt.date,
    roles: Iterable[UnitRole] | None,
) -> dict[AdminUnit, tuple[Relation, dt.date | None]]:
    """The members of a unit before the changes of ``day``."""
    found = {member: how for member, how in members.items() if member.valid_from != day}
    for member, (relation, taken_over_on) in members.items():
        own = before_it(register, member, roles) if member.valid_from == day and relation == "own" else None
        for step in register.into(member):
            old = register.unit(step.old_code, day - _DAY)
            if step.effective_on != day or old is None:
                continue
            whole = step.relation == "whole" and relation != "part" and old.level == member.level
            came: tuple[Relation, dt.date | None] = ("whole" if whole else "part", taken_over_on or day)
            # Of one that went into two of them nobody knows which part of its figures is whose.
            found[old] = ("own", None) if old == own else ("part", came[1]) if old in found else came
    return found


def alone_since(register: UnitRegister, unit: AdminUnit, day: dt.date) -> dt.date | None:
    """The first day since which a unit of ``day`` has been made of nothing but itself; None: ever since the register
    knows it. Later than ``begins_on`` where others came into a unit that went on.
    """
    told = pasts(register, unit, day)
    others = [past.last for past in told if past.relation != "own"]
    return max(others) + _DAY if others else told[-1].first


def unclosed(register: UnitRegister, periods: Sequence[Period], duties: Sequence[Duty]) -> list[RegisterFault]:
    """Days within the table of periods on which units that report end and close no books: what came after the last
    period of theirs would be in no report.
    """
    ends: dict[dt.date, list[AdminUnit]] = defaultdict(list)
    for unit in register.units:
        day = unit.valid_to
        if day is None or unit.level == "province" or role_on(unit.level, day).role != REPORTING_UNIT:
            continue
        later = register.unit(unit.code, day + _DAY)
        closes = any(period.closes_on == day and is_owed(period, unit.code, duties) for period in periods)
        if not closes and (later is None or before_it(register, later) != unit):
            ends[day].append(unit)
    first, last = min(p.opens_on for p in periods), max(p.closes_on for p in periods)
    return [
        RegisterFault(
            "reporting_periods.csv",
            f"{day:%d/%m/%Y}",
            f"{units[0].label_vi}{f' và {len(units) - 1} đơn vị khác' if units[1:] else ''} kết thúc ngày này mà không "
            "kỳ nào khóa sổ; thêm một kỳ loại closing đến hết ngày này, và vào report_duties.csv ai báo cáo kỳ đó",
        )
        for day, units in sorted(ends.items())
        if first <= day <= last
    ]


def pasts_csv(register: UnitRegister, day: dt.date) -> str:
    """For dbt, the pasts of every unit that reports by a form, or through one that does, on ``day``.

    ``taken_over_on`` is there the day on which it came to whom the unit reports by on ``day``: where two parts of one
    become a single part, nothing comes to it, and a part that goes on may come to it from another.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, PAST_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for unit in register.units:
        if unit.level == "province" or not unit.valid_on(day):
            continue
        reporting, came = _reporting(register, unit, day), dict[str, dt.date]()
        for past in pasts(register, unit, day):
            by, taken_over_on = _reporting(register, past.unit, past.last), None
            if (by.code, begins_on(register, by)) != (reporting.code, begins_on(register, reporting)):
                taken_over_on = came.setdefault(past.unit.code, past.taken_over_on or past.last + _DAY)
            writer.writerow(_row(register, unit, past, by, taken_over_on))
    return out.getvalue()


def _reporting(register: UnitRegister, unit: AdminUnit, day: dt.date) -> AdminUnit:
    """Whom a unit reports by on a day."""
    above = register.unit(unit.parent_code, day) if role_on(unit.level, day).role == PART else None
    return above or unit


def _row(
    register: UnitRegister, unit: AdminUnit, past: Past, by: AdminUnit, taken_over_on: dt.date | None
) -> dict[str, str]:
    return {
        "unit_code": unit.code,
        "past_unit_code": past.unit.code,
        "past_name_vi": past.unit.name,
        "unit_level": unit.level,
        "relation": past.relation,
        "taken_over_on": taken_over_on.isoformat() if taken_over_on else "",
        "reported_by_code": by.code,
        "reported_by_name_vi": by.name,
        "begins_on": begins.isoformat() if (begins := begins_on(register, past.unit)) else "",
        "first_day": past.first.isoformat() if past.first else "",
        "last_day": past.last.isoformat(),
    }

"""Reporting periods, read from the table that also gives dbt its windows.

Belongs here: the list of periods (quarters, half-years, nine months, years) in its order, which of them has closed on a
day, and which an office owes a report for.
Does not belong here: computing a window, or telling the kind of a period from its key. ``reporting_periods.csv`` is the
only source of dates, ``report_duties.csv`` of duties; how keys are spelled is ``quarters``.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PERIODS_FILE = Path(__file__).resolve().parents[1] / "dbt_project" / "seeds" / "reporting_periods.csv"
KINDS_FILE = PERIODS_FILE.with_name("period_kinds.csv")
DUTIES_FILE = PERIODS_FILE.with_name("report_duties.csv")


@dataclass(frozen=True)
class Period:
    """One reporting period: its key and kind, its names and year, its window (both days included), the day its report
    is due, the first day of its reporting year, the keys of the quarters that a longer period is made of, and the
    periods it is compared with, by key.

    ``in_year_vi`` is the name where the year is said elsewhere, ``ahead_vi`` the time that its report looks ahead to
    and ``ahead_in_year_vi`` the same where that lies in its own year. A decision made for the period may hold until the
    closing of ``decisions_hold_until``.
    """

    quarter: str
    name_vi: str
    short_name_vi: str
    report_year: int
    opens_on: dt.date
    closes_on: dt.date
    due_on: dt.date
    year_opens_on: dt.date
    previous_quarter: str
    same_quarter_last_year: str
    kind: str = "quarter"
    calendar: str = "decree_09"
    in_year_vi: str = ""
    title_vi: str = ""
    ahead_vi: str = ""
    ahead_in_year_vi: str = ""
    decisions_hold_until: str = ""
    made_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class PeriodKind:
    """What a kind of periods is called: above a column of them (``Quý``), the time itself (``trong quý``), one of
    several (``qua các quý``), the period before (empty where figures are not compared with it) and the same period of
    the year before.
    """

    kind: str
    heading_vi: str
    span_vi: str
    each_vi: str
    previous_vi: str
    same_last_year_vi: str


@dataclass(frozen=True)
class Duty:
    """Which kinds of periods of which calendar an office reports on; ``unit_code`` is empty for all offices."""

    unit_code: str
    calendar: str
    kinds: frozenset[str]
    valid_from: dt.date | None
    valid_to: dt.date | None

    def holds_on(self, day: dt.date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@lru_cache(maxsize=2)
def load_periods(path: Path = PERIODS_FILE) -> tuple[Period, ...]:
    """All periods in order of closing, of those that close together the shorter first.

    Raises ``FileNotFoundError`` or ``ValueError`` where the table is wrong.
    """
    rows = [
        Period(
            quarter=row["quarter"],
            name_vi=row["name_vi"],
            short_name_vi=row["short_name_vi"],
            report_year=int(row["report_year"]),
            opens_on=dt.date.fromisoformat(row["opens_on"]),
            closes_on=dt.date.fromisoformat(row["closes_on"]),
            due_on=dt.date.fromisoformat(row["due_on"]),
            year_opens_on=dt.date.fromisoformat(row["year_opens_on"]),
            previous_quarter=row["previous_quarter"],
            same_quarter_last_year=row["same_quarter_last_year"],
            kind=row["kind"],
            calendar=row["calendar"],
            in_year_vi=row["in_year_vi"],
            title_vi=row["title_vi"],
            ahead_vi=row["ahead_vi"],
            ahead_in_year_vi=row["ahead_in_year_vi"],
            decisions_hold_until=row["decisions_hold_until"],
            made_of=tuple(row["made_of"].split()),
        )
        for row in _rows(path)
    ]
    periods = tuple(sorted(rows, key=lambda p: (p.closes_on, -p.opens_on.toordinal(), p.quarter)))
    if not periods or len({p.quarter for p in periods}) != len(periods):
        raise ValueError(f"{path}: no quarter, or a quarter twice")
    return periods


@lru_cache(maxsize=1)
def load_kinds() -> dict[str, PeriodKind]:
    """The kinds of periods by name."""
    return {row["kind"]: PeriodKind(**row) for row in _rows(KINDS_FILE)}


@lru_cache(maxsize=2)
def load_duties(path: Path = DUTIES_FILE) -> tuple[Duty, ...]:
    """The table of duties; raises ``ValueError`` where a row names a kind that there is not."""
    duties = tuple(
        Duty(
            row["unit_code"],
            row["calendar"],
            frozenset(row["kinds"].split()),
            dt.date.fromisoformat(row["valid_from"]) if row["valid_from"] else None,
            dt.date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        )
        for row in _rows(path)
    )
    if unknown := {kind for duty in duties for kind in duty.kinds} - set(load_kinds()):
        raise ValueError(f"{path}: no such kinds of periods: {', '.join(sorted(unknown))}")
    return duties


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def find_period(quarter: str) -> Period | None:
    return next((p for p in load_periods() if p.quarter == quarter), None)


def period_named(quarter: str) -> Period:
    """The period of a key. Raises ``ValueError`` where the table has none."""
    period = find_period(quarter)
    if period is None:
        raise ValueError(f"not a quarter: {quarter!r}")
    return period


def quarter_vi(quarter: str) -> str:
    """``Quý I/2023`` of ``2023-Q1``, ``6 tháng đầu năm 2023`` of ``2023-H1``.

    Raises ``ValueError`` where the table has no such period.
    """
    return period_named(quarter).title_vi


def running_title_vi(quarter: str) -> str:
    """``quý I/2023``, ``6 tháng đầu năm 2023``: the title within a sentence; a key that the table lacks as it is."""
    period = find_period(quarter)
    return period.title_vi[:1].lower() + period.title_vi[1:] if period else quarter


def kind_of(quarter: str) -> PeriodKind:
    """What the period of a key is called among those of its kind. Raises ``ValueError`` where the table has none."""
    return load_kinds()[period_named(quarter).kind]


def place_of(quarter: str) -> tuple[int, str]:
    """Sort key of a period's key: its place in the order of the table; a key that the table lacks comes before all."""
    return _places().get(quarter, -1), quarter


@lru_cache(maxsize=1)
def _places() -> dict[str, int]:
    return {period.quarter: number for number, period in enumerate(load_periods())}


def in_order(quarters: Iterable[str]) -> list[str]:
    """Keys of periods, each once, in the order of the table."""
    return sorted(set(quarters), key=place_of)


def is_owed(period: Period, unit_code: str, duties: Iterable[Duty] | None = None) -> bool:
    """Whether an office owes a report on a period, as the duties (None: the project's) stand on the day it closes."""
    duties = [duty for duty in (load_duties() if duties is None else duties) if duty.holds_on(period.closes_on)]
    own = [duty for duty in duties if duty.unit_code == unit_code]
    general = [duty for duty in duties if not duty.unit_code]
    return any(period.calendar == duty.calendar and period.kind in duty.kinds for duty in own or general)


def is_scheduled(period: Period) -> bool:
    """Whether any office owes a report on the period."""
    return any(
        period.calendar == duty.calendar and period.kind in duty.kinds and duty.holds_on(period.closes_on)
        for duty in load_duties()
    )


def last_closed(on: dt.date, periods: tuple[Period, ...] | None = None) -> tuple[Period, ...]:
    """The periods that closed last before the day ``on`` (a local date) and that somebody reports on, in order: a
    quarter, and with it the half-year or the year. Empty before the first.
    """
    closed = [p for p in (periods or load_periods()) if p.closes_on < on and is_scheduled(p)]
    return tuple(p for p in closed if p.closes_on == closed[-1].closes_on)


def quarters_behind(quarter: str) -> list[str]:
    """The periods whose deliveries the figures of ``quarter`` may use: all up to itself, in the order of the table.

    A case may stay open, and a decision in force, for longer than any bound.
    Raises ``KeyError`` for an unknown quarter.
    """
    if find_period(quarter) is None:
        raise KeyError(quarter)
    return [p.quarter for p in load_periods() if place_of(p.quarter) <= place_of(quarter)]

"""Reporting periods, read from the table that also gives dbt its windows.

Belongs here: the list of quarters and which of them has closed on a day.
Does not belong here: computing a window. ``reporting_periods.csv`` is the only source of dates.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PERIODS_FILE = Path(__file__).resolve().parents[1] / "dbt_project" / "seeds" / "reporting_periods.csv"


@dataclass(frozen=True)
class Period:
    """One reporting quarter: its key, names and year, its window (both days included), the day its report is due, the
    first day of its reporting year, and the quarters it is compared with, by key.
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


@lru_cache(maxsize=2)
def load_periods(path: Path = PERIODS_FILE) -> tuple[Period, ...]:
    """All quarters in order of closing; raises ``FileNotFoundError`` or ``ValueError`` where the table is wrong."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
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
            )
            for row in csv.DictReader(handle)
        ]
    periods = tuple(sorted(rows, key=lambda p: p.closes_on))
    if not periods or len({p.quarter for p in periods}) != len(periods):
        raise ValueError(f"{path}: no quarter, or a quarter twice")
    return periods


def find_period(quarter: str) -> Period | None:
    return next((p for p in load_periods() if p.quarter == quarter), None)


def period_named(quarter: str) -> Period:
    """The period of a key. Raises ``ValueError`` where the table has none."""
    period = find_period(quarter)
    if period is None:
        raise ValueError(f"not a quarter: {quarter!r}")
    return period


def quarter_vi(quarter: str) -> str:
    """``Quý I/2023`` of ``2023-Q1``. Raises ``ValueError`` where the table has no such period."""
    return f"Quý {period_named(quarter).short_name_vi}"


def period_after(quarter: str) -> Period:
    """The period that follows. Raises ``ValueError`` where the table ends."""
    following = [p for p in load_periods() if p.opens_on > period_named(quarter).opens_on]
    if not following:
        raise ValueError(f"no period after {quarter}")
    return following[0]


def last_closed(on: dt.date, periods: tuple[Period, ...] | None = None) -> Period | None:
    """The quarter that closed last before the day ``on`` (a local date), or None before the first."""
    closed = [p for p in (periods or load_periods()) if p.closes_on < on]
    return closed[-1] if closed else None


def quarters_behind(quarter: str) -> list[str]:
    """The quarters whose deliveries the figures of ``quarter`` may use: all up to itself.

    A case may stay open, and a decision in force, for longer than any bound.
    Raises ``KeyError`` for an unknown quarter.
    """
    if find_period(quarter) is None:
        raise KeyError(quarter)
    return sorted(p.quarter for p in load_periods() if p.quarter <= quarter)

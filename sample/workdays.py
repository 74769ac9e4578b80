"""Working days of Vietnamese offices: what an appointment date of the invented cases is counted in.

Belongs here: the calendar of working days and steps along it.
Does not belong here: the windows of the reporting periods (``quarters``) or anything about cases.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

import holidays

_YEARS = range(2021, 2027)


@cache
def working_days() -> tuple[dt.date, ...]:
    """All working days of the sample's years in order; weekends and public holidays are left out."""
    off = holidays.country_holidays("VN", years=_YEARS)
    first, last = dt.date(_YEARS.start, 1, 1), dt.date(_YEARS.stop - 1, 12, 31)
    days = (first + dt.timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(day for day in days if day.weekday() < 5 and day not in off)


@cache
def _positions() -> dict[dt.date, int]:
    return {day: position for position, day in enumerate(working_days())}


def between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Working days from ``first`` to ``last``, both included."""
    return [day for day in working_days() if first <= day <= last]


def add(day: dt.date, steps: int) -> dt.date:
    """The working day ``steps`` working days after the working day ``day`` (which itself is not counted)."""
    return working_days()[_positions()[day] + steps]


def distance(first: dt.date, last: dt.date) -> int:
    """Number of working-day steps from the working day ``first`` to the working day ``last``."""
    return _positions()[last] - _positions()[first]


def next_on_or_after(day: dt.date) -> dt.date:
    """``day`` itself where it is a working day, else the next one."""
    while day not in _positions():
        day += dt.timedelta(days=1)
    return day

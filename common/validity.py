"""Stretches of days in which something holds: a unit, a code, a column, a row of a form.

Belongs here: whether a day lies in one, and its words. Does not belong here: what begins or ends with it.
"""

from __future__ import annotations

import datetime as dt


def holds_on(day: dt.date, first: dt.date | None, last: dt.date | None) -> bool:
    """Whether a day lies from ``first`` to ``last``, both included; None: as far as anybody knows."""
    return (first is None or first <= day) and (last is None or day <= last)


def span_vi(first: dt.date | None, last: dt.date | None) -> list[str]:
    """``["từ 01/07/2025", "đến hết 30/06/2026"]``; empty where neither end is known."""
    return [
        *([f"từ {first:%d/%m/%Y}"] if first else []),
        *([f"đến hết {last:%d/%m/%Y}"] if last else []),
    ]

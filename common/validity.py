"""Stretches of days in which something holds: a unit, a code, a column, a row of a form.

Belongs here: reading an end of one, whether a day lies in one, and its words. Does not belong here: what begins or ends
with it.
"""

from __future__ import annotations

import datetime as dt


def holds_on(day: dt.date, first: dt.date | None, last: dt.date | None) -> bool:
    """Whether a day lies from ``first`` to ``last``, both included; None: as far as anybody knows."""
    return (first is None or first <= day) and (last is None or day <= last)


def read_day(text: str) -> dt.date | None:
    """A day of a table, ``2025-06-30``; None where nothing is written.

    ``ValueError`` says what to write. The calendar's own ends, by which some tables mean that there is none, are no
    days here: nothing lies beside them.
    """
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise ValueError(f"“{text}” không phải ngày; ghi theo dạng năm-tháng-ngày, ví dụ 2025-06-30")
    if day in (dt.date.min, dt.date.max):
        raise ValueError(f"“{text}” không phải ngày có thật; chưa kết thúc, hoặc không rõ từ bao giờ, thì để trống")
    return day


def span_vi(first: dt.date | None, last: dt.date | None) -> list[str]:
    """``["từ 01/07/2025", "đến hết 30/06/2026"]``; empty where neither end is known."""
    return [
        *([f"từ {first:%d/%m/%Y}"] if first else []),
        *([f"đến hết {last:%d/%m/%Y}"] if last else []),
    ]

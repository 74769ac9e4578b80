"""Numbers as they are written in Vietnamese.

Belongs here: print with a decimal comma. Does not belong here: reading a number (``rows.values``), figures of a report.
"""

from __future__ import annotations

from decimal import Decimal


def decimal_vi(number: Decimal) -> str:
    """The number with a decimal comma, without an exponent, grouping or trailing zeros."""
    return f"{number.normalize():f}".replace(".", ",")

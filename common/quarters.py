"""Quarters as keys and as people write them.

Belongs here: a key (``2023-Q1``) from what somebody wrote, and back. Does not belong here: reporting windows, and
finding a quarter in a text.
"""

from __future__ import annotations

#: The numbers of the quarters as Vietnamese offices write them, first to fourth.
ROMAN = ("I", "II", "III", "IV")


def quarter_key(year: str, number: str) -> str:
    """``2023-Q1`` of a year and ``I``, ``i`` or ``1``; raises ``ValueError`` for any other number."""
    found = ROMAN.index(number.upper()) + 1 if number.upper() in ROMAN else int(number)
    if not 1 <= found <= len(ROMAN):
        raise ValueError(f"not a quarter of a year: {number!r}")
    return f"{year}-Q{found}"


def quarter_vi(key: str) -> str:
    """``Quý I/2023`` of ``2023-Q1``."""
    year, _, number = key.partition("-Q")
    return f"Quý {ROMAN[int(number) - 1]}/{year}"

"""Keys of quarters (``2023-Q1``) from what somebody wrote.

Belongs here: the spellings of a quarter's number. Does not belong here: names and windows of periods (``periods``), and
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

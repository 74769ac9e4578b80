"""Keys of periods (``2023-Q1``, ``2023-H1``) from what somebody wrote.

Belongs here: the spellings of periods and the one place that makes their keys. Does not belong here: names and windows
of periods (``periods``), and finding a quarter in a text.
"""

from __future__ import annotations

import re
import unicodedata

#: The numbers of the quarters as Vietnamese offices write them, first to fourth.
ROMAN = ("I", "II", "III", "IV")

#: The form of a period's key, as a regular expression. ``C`` ends the keys of windows by calendar months, ``E`` that of
#: the short period in which units that end within a quarter close their books.
KEY_PATTERN = r"[0-9]{4}-(Q[1-4]E|(Q[1-4]|H1|M9|Y)C?)"

_KEY = re.compile(r"(\d{4})\s*[-/]?\s*(Q[1-4]E|(?:Q[1-4]|H1|M9|Y)C?)", re.IGNORECASE)
_LONGER = (
    (re.compile(r"(?:báo cáo\s+)?(?:6|06|sáu) tháng(?: đầu)?\s*(?:năm|/)?\s*(\d{4})", re.IGNORECASE), "H1"),
    (re.compile(r"(?:báo cáo\s+)?(?:9|09|chín) tháng(?: đầu)?\s*(?:năm|/)?\s*(\d{4})", re.IGNORECASE), "M9"),
    (re.compile(r"(?:cả )?năm\s+(\d{4})", re.IGNORECASE), "Y"),
)


def quarter_key(year: str, number: str) -> str:
    """``2023-Q1`` of a year and ``I``, ``i`` or ``1``; raises ``ValueError`` for any other number."""
    found = ROMAN.index(number.upper()) + 1 if number.upper() in ROMAN else int(number)
    if not 1 <= found <= len(ROMAN):
        raise ValueError(f"not a quarter of a year: {number!r}")
    return f"{year}-Q{found}"


def spelled_key(text: str) -> str | None:
    """The key that a whole text spells: ``2023-H1`` (also of ``6 tháng đầu năm 2023``), ``2023-M9``, ``2023-Y``
    (``năm 2023``), or a quarter's key as such; None for any other text.
    """
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    if match := _KEY.fullmatch(plain):
        return f"{match[1]}-{match[2].upper()}"
    return next((f"{match[1]}-{name}" for form, name in _LONGER if (match := form.fullmatch(plain))), None)


def quarter_number(key: str) -> tuple[str, str | None]:
    """Year and number of the quarter of a period's key: ``("2023", "1")``; no number of a longer period."""
    year, _, name = key.partition("-")
    return year, name[1] if name.startswith("Q") else None

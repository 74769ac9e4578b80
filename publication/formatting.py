"""Vietnamese print of numbers, quarters and dates, and the exact way back.

Belongs here: how a figure looks in a document of the office. Does not belong here: which figure is printed, rounding
of the form's figures (the marts are already rounded), file formats.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

from common.periods import period_named

_PRINTED = re.compile(r"(-?)([0-9]{1,3}(?:\.[0-9]{3})*)(?:,([0-9]+))?")
#: Characters that have no place in markup.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_HUNDREDTH = Decimal("0.01")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_number(value: Decimal | int) -> str:
    """The number as the official form prints it: dot for thousands, comma for decimals, no trailing zeros.

    Exact: every digit of the value is printed, so ``parse_number(format_number(x)) == x``.
    Raises ValueError for NaN and infinities, TypeError for floats (a double is not a figure).
    """
    if isinstance(value, (bool, float)):
        raise TypeError(f"not a decimal figure: {value!r}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"not a finite figure: {value!r}")
    whole, _, fraction = f"{abs(number):f}".partition(".")
    fraction = fraction.rstrip("0")
    sign = "-" if number < 0 else ""
    grouped = f"{int(whole):,}".replace(",", ".")
    return sign + grouped + ("," + fraction if fraction else "")


def percent_of(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """``part`` of ``whole`` in percent, two decimals half up; None of nothing.

    What is not all, or is not nothing, never rounds to 100 or 0: one late case in 30,000 is no 100%.
    """
    if not whole:
        return None
    rounded = (Decimal(100) * part / whole).quantize(_HUNDREDTH, ROUND_HALF_UP)
    if rounded == 100 and part != whole:
        return rounded + (_HUNDREDTH if part > whole else -_HUNDREDTH)
    return _HUNDREDTH if not rounded and part else rounded


#: Stands where a count is held back because it, or another that would follow from it, is small.
HELD_BACK_VI = "giữ kín"


def format_count(value: Decimal | int | None) -> str:
    """A count as :func:`format_number` prints it; a blank one says that it is held back."""
    return HELD_BACK_VI if value is None else format_number(value)


def parse_number(text: str) -> Decimal:
    """The value of a figure printed by :func:`format_number`. Raises ValueError for any other text."""
    match = _PRINTED.fullmatch(text)
    if match is None:
        raise ValueError(f"not a figure in Vietnamese print: {text!r}")
    sign, whole, fraction = match.groups()
    return Decimal(f"{sign}{whole.replace('.', '')}.{fraction or '0'}")


def plain_number(value: Decimal | int) -> str:
    """The number for programs: dot for decimals, no grouping, no exponent, no trailing zeros."""
    text = f"{Decimal(value):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def format_quarter(quarter: str) -> str:
    """``2023-Q1`` → ``quý I năm 2023``. Raises ValueError when the key is not a quarter."""
    return period_named(quarter).name_vi


def format_date(day: dt.date) -> str:
    """``16/03/2023``."""
    return f"{day:%d/%m/%Y}"


def format_date_text(day: dt.date | str) -> str:
    """The same for a date that may have come back from JSON as ISO text."""
    return format_date(dt.date.fromisoformat(day) if isinstance(day, str) else day)


def alphabetical(text: str) -> tuple[str, str]:
    """A key that puts Vietnamese names in the order of the alphabet, as the marts' macro of that name does: marks are
    nothing, đ follows d.
    """
    letters = unicodedata.normalize("NFD", text.lower())
    return "".join(sign for sign in letters if not unicodedata.combining(sign)).replace("đ", "dzz"), text


def markup_text(text: str) -> str:
    """A text as HTML and XML can hold it: line ends are ``\\n``, other control characters a visible ``�``."""
    return CONTROLS.sub("�", text.replace("\r\n", "\n").replace("\r", "\n"))


def footnote_mark(number: int) -> str:
    """``12`` → ``¹²``."""
    return str(number).translate(_SUPERSCRIPTS)

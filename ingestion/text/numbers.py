"""Numbers as they are written in Vietnamese.

Belongs here: print with a decimal comma, words that stand for a factor. Does not belong here: reading a number
(``rows.values``), figures of a report.
"""

from __future__ import annotations

import re
from decimal import Decimal

# "Tỷ lệ" is a ratio; "mươi", "đôi", "tá" stand with a number word or a thing, not as a unit of figures.
_FACTOR = re.compile(
    r"(?<![^\W\d_])(?:nghìn|ngàn|nghin|ngan|triệu|trieu|t[ỷỉ](?! lệ)|phần trăm|trăm|tram|chục|chuc|vạn|k|tr)"
    r"(?![^\W\d_])|[%‰]",
    re.IGNORECASE,
)


def decimal_vi(number: Decimal) -> str:
    """The number with a decimal comma, without an exponent, grouping or trailing zeros."""
    return f"{number.normalize():f}".replace(".", ",")


def factor_in(text: str) -> str | None:
    """The word or sign in a text by which figures are other than ones (``nghìn``, ``%``), as it is written; None where
    there is none.
    """
    return match[0] if (match := _FACTOR.search(text)) else None


def is_share(factor: str) -> bool:
    """Whether a word of :func:`factor_in` makes a percentage of a figure."""
    return factor == "%" or factor.casefold() == "phần trăm"

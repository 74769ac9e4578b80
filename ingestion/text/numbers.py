"""Numbers as they are written in Vietnamese.

Belongs here: print with a decimal comma, words that stand for a factor. Does not belong here: reading a number
(``rows.values``), figures of a report.
"""

from __future__ import annotations

import re
from decimal import Decimal

# "Tỷ lệ", "tỷ trọng" are ratios; "mươi", "đôi", "tá" stand with a number word or a thing.
_FACTOR = re.compile(
    r"(?<![^\W\d_])(?:nghìn|ngàn|nghin|ngan|triệu|trieu|t[ỷỉ](?! (?:lệ|trọng|suất|số))|phần trăm|trăm|tram|chục|chuc|"
    r"vạn|k|tr)(?![^\W\d_])|[%‰]",
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

"""Numbers written in words: ``mười chín``, ``một nghìn một trăm bốn mươi lăm``.

Belongs here: reading them from tokens. Does not belong here: which of them are figures (``figures``), digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from publication.narrative.text import Token, key_of

_DIGITS = ("một mốt", "hai", "ba", "bốn tư", "năm lăm nhăm", "sáu", "bảy bẩy", "tám", "chín")
_ONES = {key_of(word): value for value, words in enumerate(_DIGITS, start=1) for word in words.split()}
_TEN, _TENS, _HUNDRED, _ZERO = key_of("mười"), key_of("mươi"), key_of("trăm"), key_of("không")
_THOUSAND = frozenset(map(key_of, ("nghìn", "ngàn")))
_AND = frozenset(map(key_of, ("linh", "lẻ")))


def in_words(words: Sequence[Token], place: int) -> tuple[Decimal, int] | None:
    """The number that begins at a token, and its last token; None where none does. Up to 999.999."""
    total, part, last, at = 0, 0, None, place
    while at < len(words) and (grown := _grown(part, words, at, place)) is not None:
        part, at = grown
        last = at - 1
        if at < len(words) and words[at].key in _THOUSAND and not total:
            total, part, last, at = part * 1000, 0, at, at + 1
    return (Decimal(total + part), last) if last is not None else None


def _grown(part: int, words: Sequence[Token], at: int, first: int) -> tuple[int, int] | None:
    """A part below a thousand with the next words added, and the place after them; None where none follow."""
    key, following = words[at].key, words[at + 1].key if at + 1 < len(words) else ""
    digit = _ONES.get(key, 0 if key == _ZERO and at > first else None)
    if digit is not None and following == _HUNDRED and not part:
        return digit * 100, at + 2
    if digit and following == _TENS and part % 100 == 0:
        return part + digit * 10, at + 2
    if key == _TEN and part % 100 == 0:
        return part + 10, at + 1
    if key in _AND and part and part % 100 == 0 and following in _ONES:
        return part + _ONES[following], at + 2
    if digit and part % 10 == 0 and (part % 100 or not part):
        return part + digit, at + 1
    return None

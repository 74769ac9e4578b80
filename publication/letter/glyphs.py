"""Which characters the documents can print, and what becomes of the others.

Belongs here: the repertoire that all four faces of the shipped font hold. Does not belong here: the font files.

Delivered texts may hold anything. What has no letter in the font is printed as a white square, in both documents, so
that a reader sees that something stands there; what has no shape at all is left out.
"""

from __future__ import annotations

import unicodedata

MISSING = "□"
_RANGES = (
    (0x20, 0x7E),
    (0xA1, 0x24F),
    (0x386, 0x386),
    (0x388, 0x38A),
    (0x38E, 0x3A1),
    (0x3A3, 0x3CE),
    (0x400, 0x45F),
    (0x1EA0, 0x1EF9),
    (0x2010, 0x2010),
    (0x2012, 0x2022),
    (0x2026, 0x2026),
    (0x2030, 0x2030),
    (0x2032, 0x2033),
    (0x2039, 0x203A),
    (0x2044, 0x2044),
    (0x2074, 0x2079),
    (0x207F, 0x2089),
    (0x20AB, 0x20AC),
    (0x2116, 0x2116),
    (0x2122, 0x2122),
    (0x2153, 0x2154),
    (0x215B, 0x215E),
    (0x2190, 0x2195),
    (0x2212, 0x2212),
    (0x221E, 0x221E),
    (0x2248, 0x2248),
    (0x2260, 0x2260),
    (0x2264, 0x2265),
    (0x25A0, 0x25A1),
    (0x25CF, 0x25CF),
)
REPERTOIRE = frozenset(chr(code) for first, last in _RANGES for code in range(first, last + 1)) - {"\xad"}


def printable(text: str) -> str:
    """The text as both documents print it: NFC, white space as single spaces kept, no character without a letter."""
    return "".join(_printed(character) for character in unicodedata.normalize("NFC", text))


def _printed(character: str) -> str:
    if character in REPERTOIRE:
        return character
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in ("Cc", "Cf") else MISSING

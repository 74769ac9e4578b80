"""Texts typed in the fonts of before Unicode: TCVN3 (ABC) and VNI, as they look when read as Western European text.

Belongs here: the tables, both ways. Does not belong here: deciding that a text is in such a font (``vietnamese`` for
one text, ``legacy_encodings`` for a file).
"""

from __future__ import annotations

import re
import unicodedata

from ingestion.text.syllables import TONES

# TCVN 5712:1993 (VN1), bytes 0x80 to 0xFF; equal to the GNU C library's TCVN. Tone marks stand at 0xB0 to 0xB4.
_TCVN3_UPPER_HALF = (
    "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨ"
    "ÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ"
    "\u00a0ĂÂÊÔƠƯĐăâêôơưđẰ"
    "\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴ"
    "ẮẦẨẪẤỀặầẩẫấậèỂẻẽ"
    "éẹềểễếệìỉỄẾỒĩíịò"
    "Ổỏõóọồổỗốộờởỡớợù"
    "ỖủũúụừửữứựỳỷỹýỵỐ"
)
# Capitals with a tone that stand among the control codes.
_TCVN3_CONTROLS = dict(zip("\x01\x02\x04\x05\x06\x11\x12\x13\x14\x15\x16\x17", "ÚỤỪỬỮỨỰỲỶỸÝỴ", strict=True))


# Word processors put these into text of any font; they are not the rare capitals that share their codes.
_PUNCTUATION = "‚„…‹›‘’“”•–—"


def _western(byte: int) -> set[str]:
    """The characters as which a byte is read: ISO 8859-1, and windows-1252 where that has a letter or rare sign."""
    try:
        return {chr(byte), bytes([byte]).decode("cp1252")} - set(_PUNCTUATION)
    except UnicodeDecodeError:
        return {chr(byte)}


_FROM_TCVN3 = {
    ord(western): letter for byte, letter in enumerate(_TCVN3_UPPER_HALF, start=0x80) for western in _western(byte)
} | {ord(control): letter for control, letter in _TCVN3_CONTROLS.items()}
_TO_TCVN3 = {ord(letter): chr(byte) for byte, letter in enumerate(_TCVN3_UPPER_HALF, start=0x80)} | {
    ord(letter): control for control, letter in _TCVN3_CONTROLS.items()
}

_VNI_MARKS = {
    "\u0301": "ù",
    "\u0300": "ø",
    "\u0309": "û",
    "\u0303": "õ",
    "\u0323": "ï",
    "\u0302": "â",
    "\u0302\u0301": "á",
    "\u0302\u0300": "à",
    "\u0302\u0309": "å",
    "\u0302\u0303": "ã",
    "\u0302\u0323": "ä",
    "\u0306": "ê",
    "\u0306\u0301": "é",
    "\u0306\u0300": "è",
    "\u0306\u0309": "ú",
    "\u0306\u0303": "ü",
    "\u0306\u0323": "ë",
}
_CIRCUMFLEX, _BREVE = "\u0302", "\u0306"
_VNI_SINGLE = {"í": "í", "ì": "ì", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "đ": "ñ", "ơ": "ô", "ư": "ö"}


def _vni_pairs() -> dict[str, str]:
    """Lower-case letters and how VNI writes them."""
    pairs = dict(_VNI_SINGLE)
    for base, marks in (
        ("a", _VNI_MARKS),
        ("e", {m: s for m, s in _VNI_MARKS.items() if not m.startswith(_BREVE)}),
        ("o", {m: s for m, s in _VNI_MARKS.items() if not m.startswith(_BREVE)}),
        ("u", {m: s for m, s in _VNI_MARKS.items() if m in TONES}),
        ("y", {m: s for m, s in _VNI_MARKS.items() if m in TONES and m != "\u0323"}),
    ):
        for mark, sign in marks.items():
            pairs[unicodedata.normalize("NFC", base + mark)] = base + sign
    for horned, written in (("ơ", "ô"), ("ư", "ö")):
        for tone in TONES:
            pairs[unicodedata.normalize("NFC", horned + tone)] = written + _VNI_MARKS[tone]
    return pairs


_TO_VNI = _vni_pairs()
_TO_VNI |= {letter.upper(): written.upper() for letter, written in _TO_VNI.items()}
_FROM_VNI = {written: letter for letter, written in _TO_VNI.items()}
# A capital first letter may carry a small sign after it.
_FROM_VNI |= {
    written[0].upper() + written[1]: letter.upper() for letter, written in _vni_pairs().items() if len(written) == 2
}
_VNI_UNIT = re.compile("|".join(sorted(map(re.escape, _FROM_VNI), key=lambda w: (-len(w), w))))


def from_tcvn3(text: str) -> str:
    """Text typed in a TCVN3 font, as Unicode (NFC)."""
    return unicodedata.normalize("NFC", text.translate(_FROM_TCVN3))


def to_tcvn3(text: str) -> str:
    """Unicode text as a TCVN3 font stores it; letters without a code of their own stay as they are."""
    return unicodedata.normalize("NFC", text).translate(_TO_TCVN3)


def from_vni(text: str) -> str:
    """Text typed in a VNI font, as Unicode (NFC)."""
    return unicodedata.normalize("NFC", _VNI_UNIT.sub(lambda unit: _FROM_VNI[unit[0]], text))


def to_vni(text: str) -> str:
    """Unicode text as a VNI font stores it."""
    return "".join(_TO_VNI.get(letter, letter) for letter in unicodedata.normalize("NFC", text))

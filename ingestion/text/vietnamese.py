"""Vietnamese text: cleaning, repair of broken encodings, and folding for matching.

Belongs here: what is true of any Vietnamese text. Does not belong here: what a particular column may hold.
Folded text is for matching only and is never published.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, TypeVar

from ingestion.text.legacy_fonts import from_tcvn3, from_vni
from ingestion.text.syllables import TONES, is_syllable

T = TypeVar("T")

_INVISIBLE = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0x00AD])
_BASE_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
VIETNAMESE_LETTERS = frozenset(
    unicodedata.normalize("NFC", form)
    for letter in _BASE_LETTERS
    for tone in (["", *TONES] if letter in "aăâeêioôơuưy" else [""])
    for form in (letter + tone, (letter + tone).upper())
    if len(unicodedata.normalize("NFC", letter + tone)) == 1
)
# Signs that legacy fonts (TCVN3, VNI) and doubly decoded UTF-8 leave inside words, and Vietnamese never does.
_SIGN_IN_WORD = re.compile(r"[^\W\d_][µ¶¸¹¨¾¼½ªº§¬¦¤¥›œ‡†•]|(?<!\w)[®¸µ¶¨§](?=[^\W\d_])")
# A byte that goes on a letter in UTF-8, read as windows-1252 or ISO 8859-1.
_GOES_ON = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
# The bytes that begin the letters of Vietnamese, read so; Ã and Â are also letters that a word may end with.
_DOUBLE_DECODED = re.compile(rf"[ÄÅÆ]{_GOES_ON}|á[º»]{_GOES_ON}|(?P<letter>[ÃÂ]){_GOES_ON}")
# What stands after a word in any text: of these alone "XÃ”" and "XÃ" with a fixed blank are no broken "XÔ" and "Xà".
_AFTER_WORD = frozenset("\u00a0»‚„…‘’“”•·–—›")
# The second bytes of letters that windows-1252 leaves unread: no program writes these signs.
_CONTROL = re.compile("[\u0080-\u009f]")
_OPENED = {"”": "“", "’": "‘", "»": "«", "›": "‹"}
_BLANKS = re.compile(r"\s+")
_NOT_WORD = re.compile(r"[\W_]+")


def clean(text: str) -> str:
    """NFC text without invisible characters, with single plain spaces; the form in which text is kept."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", text.translate(_INVISIBLE))).strip()


_WORD_RUN = re.compile(r"[^\W\d_]+")


def looks_broken(text: str) -> bool:
    """Whether the text was decoded with a wrong encoding or typed in a legacy font.

    Letters of other European alphabets are no fault by themselves: a word with them that would be a Vietnamese syllable
    in a legacy font is broken, one that would not be (``Müller``, ``Señorita``) is a foreign word.
    """
    if "\ufffd" in text or any(unicodedata.category(c) in ("Cc", "Co") and c not in "\t\n\r" for c in text):
        return True
    if _SIGN_IN_WORD.search(text) or _is_double_decoded(text):
        return True
    if not any(_is_foreign_letter(c) for c in text):
        return False
    words = _WORD_RUN.findall(unicodedata.normalize("NFC", text))
    return any(any(map(_is_foreign_letter, word)) and not _is_foreign_word(word) for word in words)


def _is_double_decoded(text: str) -> bool:
    """Whether UTF-8 was read as a one-byte encoding somewhere in the text."""
    found = list(_DOUBLE_DECODED.finditer(text))
    is_unicode = bool(found) and _has_unicode_letter(text)
    return not all(_ends_a_word(text, match, is_unicode) for match in found)


def _ends_a_word(text: str, match: re.Match[str], is_unicode: bool) -> bool:
    """Whether what looks like a double decoded letter is the end of a Vietnamese word in capitals and what follows.

    That is certain in a text that is Unicode beyond doubt, and where a quotation ends that was opened.
    """
    sign, before = text[match.end() - 1], text[: match.end() - 1]
    if match["letter"] is None or sign not in _AFTER_WORD:
        return False
    word = re.search(r"[^\W\d_]+$", before)
    if word is None or not word[0].isupper() or not is_syllable(word[0]):
        return False
    return is_unicode or re.search(rf"(?<!\w){_OPENED.get(sign, '(?!)')}", before) is not None


def _has_unicode_letter(text: str) -> bool:
    """Whether the text holds a letter that no one-byte reading gives."""
    return any(char > "\u017e" and char in VIETNAMESE_LETTERS for char in text)


def _is_foreign_letter(char: str) -> bool:
    return "\u00c0" <= char <= "\u024f" and char.isalpha() and char not in VIETNAMESE_LETTERS


@lru_cache(maxsize=65536)
def _is_foreign_word(word: str) -> bool:
    """Whether a word with letters beyond the Vietnamese ones is spelt as one of another European language."""
    if len(word) < 3 or not (word.islower() or word.isupper() or word.istitle()):
        return False
    if sum(map(_is_foreign_letter, word)) * 2 > len(word) or with_d(word) != word:
        return False
    readings = (from_tcvn3(word), from_vni(word), _undone(word) or word)
    return not any(is_syllable(unicodedata.normalize("NFC", reading)) for reading in readings)


# Letters of other alphabets that look like Đ and đ, which keyboards and converters put for them: eth, African d.
_LIKE_D = str.maketrans("ÐðƉɖ", "ĐđĐđ")
_LIKE_D_LETTERS = frozenset("ÐðƉɖ")


def with_d(text: str) -> str:
    """The text with a look-alike of đ made đ in words that are Vietnamese with it: syllables and acronyms (HĐND)."""
    if not _LIKE_D_LETTERS & set(text):
        return text

    def mended(match: re.Match[str]) -> str:
        word = match[0].translate(_LIKE_D)
        composed = unicodedata.normalize("NFC", word)
        return word if is_syllable(composed) or (len(word) > 1 and _is_spelt(composed)) else match[0]

    # A decomposed tone mark is no word character, yet part of the word.
    return re.sub(r"[^\W\d_][^\W\d_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W\d_]*)*", mended, text)


@lru_cache(maxsize=65536)
def _is_spelt(word: str) -> bool:
    return word.isascii() or is_syllable(word) or (word.isupper() and word.replace("Đ", "D").isascii())


def is_well_spelt(text: str) -> bool:
    """Whether every word with a letter beyond ASCII is a well-formed Vietnamese syllable, or an acronym (HĐND)."""
    return text.isascii() or all(map(_is_spelt, _WORD_RUN.findall(clean(text))))


_PLAIN_SIGNS = frozenset("\u00a0–—…“”‘’") | set(map(chr, range(32, 127))) | set("\t\r\n")


def is_plain_vietnamese(text: str) -> bool:
    """Whether a text holds only Vietnamese letters and common signs, and only well-formed syllables; a quick look."""
    composed = unicodedata.normalize("NFC", text)
    if not set(composed) <= _PLAIN_SIGNS | VIETNAMESE_LETTERS or _is_double_decoded(composed):
        return False
    return all(map(_is_spelt, set(_WORD_RUN.findall(composed))))


def spelling_share(text: str) -> float:
    """Share of well-formed syllables among the words with something beyond ASCII; 0 where there is no such word."""
    words = [run for run in re.split(r"[\s!-@\[-`{-~]+", text) if not run.isascii()]
    return sum(word.isalpha() and _is_spelt(word) for word in words) / len(words) if words else 0.0


def _undone(text: str) -> str | None:
    """The text that UTF-8 read as windows-1252 (or ISO 8859-1) comes from; None where that cannot be."""
    data = bytearray()
    for char in text:
        try:
            data += char.encode("cp1252")
        except UnicodeEncodeError:
            if char > "\u00ff":
                return None
            data.append(ord(char))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def reading_in(kind: str, text: str) -> str | None:
    """The text as read in an encoding (``mojibake``, ``tcvn3``, ``vni``); None where that is no sound Vietnamese, or no
    change.
    """
    if kind == "mojibake":
        import ftfy  # which builds its tables when it is imported

        read = _undone(text) or ftfy.fix_encoding(text)
    elif _has_unicode_letter(text):  # legacy fonts store everything in one byte a sign
        return None
    else:
        read = from_tcvn3(text) if kind == "tcvn3" else from_vni(text)
    mended = clean(read)
    if mended == clean(text) or mended.isascii() or not is_plain_vietnamese(mended) or looks_broken(mended):
        return None
    return mended


def certain_repairs(text: str) -> dict[str, str]:
    """Readings of a text in the encodings it may have come through, each only where it gives sound Vietnamese and a
    word of the reading proves it.

    Keys are ``mojibake`` (UTF-8 read as a one-byte encoding), ``tcvn3`` and ``vni``.
    """
    words_before = set(_WORD_RUN.findall(clean(text)))
    found: dict[str, str] = {}
    for kind in ("mojibake", "tcvn3", "vni"):
        mended = reading_in(kind, text)
        if mended is None:
            continue
        # An acronym proves nothing: any word in capitals may be one ("AÑO" is no "AĐO"). A control sign does: nobody
        # writes one, and the second byte of Đ is one (P. GDĐT).
        undone_signs = kind == "mojibake" and _CONTROL.search(text) and not _CONTROL.search(mended)
        proving = mended if kind == "mojibake" else _kept_in_capitals(text, mended)
        new_words = set(_WORD_RUN.findall(proving)) - words_before
        if undone_signs or any(is_syllable(word) for word in new_words if not word.isascii()):
            found[kind] = mended
    return found


def _kept_in_capitals(text: str, mended: str) -> str:
    """The reading of a font without what stands for capitals and is none: ``QÑ`` is no proof of ``Qẹ``."""
    before, after = clean(text).split(), mended.split()
    if len(before) != len(after):
        return mended
    return " ".join(new for old, new in zip(before, after, strict=True) if new.isupper() or not old.isupper())


def repair(text: str) -> str | None:
    """Clean text, repaired where a wrong encoding or a legacy font left exactly one sound reading; else None.

    A repair counts only if it leaves nothing broken behind, so a wrong guess is never let through.
    """
    cleaned = clean(text)
    if cleaned.isascii() and cleaned.isprintable():
        return cleaned
    with_letter_d = with_d(cleaned)
    if with_letter_d != cleaned and not looks_broken(with_letter_d):
        return with_letter_d
    if not looks_broken(text) and not looks_broken(cleaned):
        return cleaned
    readings = set(certain_repairs(text).values())
    return readings.pop() if len(readings) == 1 else None


def strip_marks(text: str) -> str:
    """The text without diacritics, đ as d; all else stays."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.replace("đ", "d").replace("Đ", "D")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word taken apart: bare letters, the quality mark of each letter, and the word's tone wherever it was placed."""

    letters: str
    marks: tuple[str, ...]
    tone: str

    def agrees_with(self, known: _Word) -> bool:
        """Whether what is written here, in marks as far as it has any, is the known word."""
        return (
            self.letters == known.letters
            and self.tone in ("", known.tone)
            and all(mine in ("", theirs) for mine, theirs in zip(self.marks, known.marks, strict=True))
        )


@lru_cache(maxsize=65536)
def _words(text: str) -> tuple[_Word, ...]:
    # Separators are decided on composed letters: a decomposed tone mark is no word character.
    spaced = _NOT_WORD.sub(" ", clean(text).casefold())
    return tuple(_take_apart(word) for word in spaced.split())


def _take_apart(word: str) -> _Word:
    if word.isascii():
        return _Word(word, ("",) * len(word), "")
    letters: list[str] = []
    marks: list[str] = []
    tone = ""
    for char in unicodedata.normalize("NFD", word):
        if char in TONES:
            tone += char
        elif unicodedata.combining(char) and marks:
            marks[-1] += char
        else:
            letters.append("d" if char == "đ" else char)
            marks.append("stroke" if char == "đ" else "")
    return _Word("".join(letters), tuple(marks), tone)


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Key on which spellings of one text agree: case, blanks, punctuation and the place of the tone are nothing."""
    return " ".join(
        "".join(letter + mark for letter, mark in zip(w.letters, w.marks, strict=True)) + w.tone for w in _words(text)
    )


def bare(text: str) -> str:
    """Folded text without any diacritic."""
    return " ".join(w.letters for w in _words(text))


@dataclass
class LabelIndex(Generic[T]):
    """Finds the targets of a label among known labels.

    An exact match (see :func:`fold`) comes first. Otherwise a label written with fewer diacritics matches where it
    does not contradict the known one: ``Ma ho so`` is ``Mã hồ sơ``, but ``Năm`` is not ``Nam``. With ``lenient`` a
    label of ``LONG_LABEL`` letters or more matches even with wrong diacritics.
    """

    LONG_LABEL = 8

    lenient: bool = False
    _exact: dict[str, set[T]] = field(default_factory=lambda: defaultdict(set))
    _bare: dict[str, list[tuple[tuple[_Word, ...], T]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, label: str, target: T) -> None:
        if key := fold(label):
            self._exact[key].add(target)
            self._bare[bare(label)].append((_words(label), target))

    def add_all(self, labels: Iterable[str], target: T) -> None:
        for label in labels:
            self.add(label, target)

    def bare_labels(self) -> list[str]:
        """The known labels without diacritics."""
        return list(self._bare)

    def find(self, label: str) -> set[T]:
        """All targets the label may mean: none, one, or several where it is ambiguous."""
        exact = self._exact.get(fold(label))
        if exact:
            return set(exact)
        key = bare(label)
        written = _words(label)
        careless = self.lenient and len(key.replace(" ", "")) >= self.LONG_LABEL
        return {
            target
            for known, target in self._bare.get(key, ())
            if careless or all(w.agrees_with(k) for w, k in zip(written, known, strict=True))
        }

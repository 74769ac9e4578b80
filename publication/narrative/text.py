"""Vietnamese running text: tokens that agree however they were typed, paragraphs, sentences.

Belongs here: what is true of any Vietnamese report. Does not belong here: numbers and what they count (``figures``),
what a phrase says about a form row (``claims``).

Two spellings of a word have one key: case, composed or decomposed letters, the place of the tone mark (``hoà``,
``hòa``) and the endings ``tỷ``/``tỉ``, ``quý``/``quí`` make no difference. Keys are for matching and never printed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_INVISIBLE = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD])
_BLANKS = re.compile(r"\s+")
_TOKEN = re.compile(r"\d(?:[\d.,]*\d)?|[^\W\d_]+|\S")
#: What offices write out and what they shorten; both become the short form.
_SHORT_FORMS = {
    "thủ tục hành chính": "tthc",
    "văn bản quy phạm pháp luật": "vbqppl",
    "văn bản qppl": "vbqppl",
    "ủy ban nhân dân": "ubnd",
    "sự nghiệp công lập": "sncl",
    "cải cách hành chính": "cchc",
    "bưu chính công ích": "bcci",
    "công nghệ thông tin": "cntt",
    "dịch vụ công": "dvc",
    "người lao động": "nlđ",
}
_LIST_MARK = re.compile(
    r"(?P<mark>[-–—+*•]|\(\d{1,2}\)|[a-zđ]\)|[IVX]+\.|[A-Z]\."
    r"|\d{1,2}(?:\.\d{1,2})*(?:\.(?!\d)|\)|(?=\s+[A-ZĐ])))\s+"
)
_PART_MARK, _CHAPTER_MARK = re.compile(r"[A-HJ-UW-Z]\."), re.compile(r"[IVX]+\.")
_SECTION_MARK, _POINT_MARK = re.compile(r"\d{1,2}(?:\.\d{1,2})*[.)]?"), re.compile(r"[a-zđ]\)")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’)]*\s+(?=[\"“‘(]?(\w))")
_ABBREVIATION = re.compile(r"(?:^|\s)(?:[A-ZĐ]{1,3}|v\.v|tr|Ths|TS)\.$")
_HEADING_WORDS = 24
_CHAPTER = 1
_EARLIER = 1500


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or a sign of a sentence; ``start`` and ``end`` are places in the sentence."""

    key: str
    start: int
    end: int
    kind: str

    @property
    def is_number(self) -> bool:
        """True for digits with or without separators."""
        return self.kind == "number"


@dataclass(frozen=True)
class Sentence:
    """One sentence of a report and where it stands.

    ``chapter`` and ``section`` are the headings above it, ``earlier`` what its paragraph says before it.
    """

    number: int
    line: int
    text: str
    chapter: str = ""
    section: str = ""
    earlier: str = ""


def clean(text: str) -> str:
    """NFC text without invisible characters and with single plain spaces."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", text.translate(_INVISIBLE))).strip()


@lru_cache(maxsize=65536)
def key_of(word: str) -> str:
    """The word's key: lower case, tone at the end, final ``y`` of ``tỷ``, ``quý`` as ``i``."""
    letters, tone = "", ""
    for char in unicodedata.normalize("NFD", word.lower()):
        if char in _TONES:
            tone += char
        else:
            letters += char
    if len(letters) > 1 and letters[-1] == "y" and letters[-2] not in "aâ":
        letters = letters[:-1] + "i"
    return unicodedata.normalize("NFC", letters) + tone


@lru_cache(maxsize=512)
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of cleaned text, in order; what offices shorten is one token however it was written."""
    found = []
    for match in _TOKEN.finditer(text):
        word = match[0]
        kind = "number" if word[0].isdigit() else "word" if word[0].isalpha() else "sign"
        found.append(Token(key_of(word) if kind == "word" else word, match.start(), match.end(), kind))
    return tuple(_shortened(found))


def _shortened(found: Sequence[Token]) -> Iterator[Token]:
    place = 0
    while place < len(found):
        for words, short in _short_forms().get(found[place].key, ()):
            if tuple(token.key for token in found[place : place + len(words)]) == words:
                last = found[place + len(words) - 1]
                yield Token(key_of(short), found[place].start, last.end, "word")
                place += len(words)
                break
        else:
            yield found[place]
            place += 1


@lru_cache(maxsize=1)
def _short_forms() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Long and short forms by the first word of the long one."""
    forms: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for long, short in _SHORT_FORMS.items():
        words = tuple(key_of(word) for word in long.split())
        forms.setdefault(words[0], []).append((words, short))
    return forms


@lru_cache(maxsize=4096)
def phrase(text: str) -> tuple[str, ...]:
    """The keys of a phrase, to be looked for among the keys of a sentence."""
    return tuple(token.key for token in tokens(clean(text)) if token.kind != "sign")


def places(keys: Sequence[str], wanted: tuple[str, ...]) -> list[int]:
    """Where a phrase begins among keys; one without words (a name that is all signs) begins nowhere."""
    if not wanted or wanted[0] not in keys:
        return []
    first, width = wanted[0], len(wanted)
    return [place for place, key in enumerate(keys) if key == first and tuple(keys[place : place + width]) == wanted]


def sentences(lines: Sequence[str]) -> list[Sentence]:
    """The sentences of a report's lines. A line that goes on in small letters is one with the line before."""
    found: list[Sentence] = []
    headings: dict[int, str] = {}
    for number, line in _joined(lines):
        mark = _LIST_MARK.match(line)
        body = line[mark.end() :] if mark else line
        depth = _depth(mark["mark"], body) if mark and _is_heading(body) else None
        if depth is not None:
            headings = {level: text for level, text in headings.items() if level < depth} | {depth: body}
        chapter = " / ".join(text for level, text in headings.items() if level <= _CHAPTER)
        section = " / ".join(text for level, text in headings.items() if level > _CHAPTER)
        earlier = ""
        for text in _split(body):
            found.append(Sentence(len(found) + 1, number, text, chapter, section, earlier))
            # What was said long before says nothing of this sentence, and a paragraph may be of any length.
            earlier = f"{earlier} {text}".strip()[-_EARLIER:]
    return found


def _depth(mark: str, body: str) -> int | None:
    """How deep the headings with this mark stand; None for a dash or a bullet, which mark no heading."""
    if _PART_MARK.fullmatch(mark) and not body.isupper():
        return None
    marks = (_PART_MARK, _CHAPTER_MARK, _SECTION_MARK, _POINT_MARK)
    return next((depth for depth, known in enumerate(marks) if known.fullmatch(mark)), None)


def _joined(lines: Sequence[str]) -> list[tuple[int, str]]:
    joined: list[tuple[int, str]] = []
    open_line = False
    for number, raw in enumerate(lines, start=1):
        line = clean(raw)
        if open_line and line[:1].islower() and not _LIST_MARK.match(line):
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {line}")
        elif line:
            joined.append((number, line))
        open_line = bool(line) and line[-1] not in ".;:!?"
    return joined


def _is_heading(body: str) -> bool:
    return len(body.split()) <= _HEADING_WORDS and body[-1:] not in (";", ",") and not _split_points(body)


def _split(body: str) -> Iterator[str]:
    start = 0
    for end, following in _split_points(body):
        yield body[start:end]
        start = following
    if body[start:].strip():
        yield body[start:].strip()


def _split_points(body: str) -> list[tuple[int, int]]:
    return [
        (match.start() + len(match[0].rstrip()), match.end())
        for match in _SENTENCE_END.finditer(body)
        if not match[1].islower() and not _ABBREVIATION.search(body[: match.start()])
    ]

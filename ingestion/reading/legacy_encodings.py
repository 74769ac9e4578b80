"""In which encoding a whole file is written, and the repair of its texts where that is certain.

Belongs here: decisions that need more than one cell: a lone ``sè`` is Vietnamese, but beside ``Hä vµ tªn`` it is ``số``
in TCVN3. Does not belong here: the tables (``legacy_fonts``), one text alone (``vietnamese``).
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ingestion.base.cell_fault import CellFault, broken_text
from ingestion.base.limits import UnreadableFileError
from ingestion.base.readings import Cell
from ingestion.reading.fastcsv import Octets, TextScan, is_utf8
from ingestion.text.legacy_fonts import from_tcvn3, from_vni
from ingestion.text.vietnamese import (
    certain_repairs,
    clean,
    is_plain_vietnamese,
    is_well_spelt,
    looks_broken,
    reading_in,
    spelling_share,
    with_d,
)

_SAMPLE = 2_000_000
_TAIL = 1_000_000
_FONT_NAMES = {"tcvn3": "TCVN3 (ABC)", "vni": "VNI", "mojibake": "UTF-8 bị đọc sai"}
_DECODERS: dict[str, Callable[[str], str]] = {"tcvn3": from_tcvn3, "vni": from_vni}
# UTF-8 of what legacy fonts and double decoding leave, and Vietnamese text (but for U+00A0) never holds.
_C2_SIGN = re.compile(rb"\xc2[^\xa0]")
# Look-alikes of đ (eth, African d), which a heading may hold.
_LIKE_D = re.compile(rb"\xc3[\x90\xb0]|\xc6\x89|\xc9\x96")
_VNI_SIGN = re.compile(rb"\xc3[\x84-\x87\x8b\x8e\x8f\x91\x96\x98\x9b\x9c\xa4-\xa7\xab\xae\xaf\xb1\xb6\xb8\xbb\xbc\xbf]")
_CERTAIN_SHARE = 0.9
_CLEAR_LEAD = 0.25
# A file is in one encoding where so many of its texts prove it, and so many times more than prove any other.
_ENOUGH = 3
_FEW = 4


def to_utf8(data: Octets, is_valid: bool | None = None) -> Octets:
    """A text file as UTF-8 without byte order mark; raises :class:`UnreadableFileError`. ``is_valid``: whether the
    bytes are valid UTF-8, where that is known already.

    Read are UTF-8, UTF-16, windows-1258, and TCVN3 or VNI bytes. Which of the one-byte encodings it is, is told by
    which of them gives Vietnamese syllables, clearly more than any other.
    """
    head = bytes(data[:4096])
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(data, "utf-16").encode()
    if b"\0" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        return _decoded(data, "utf-16-le" if odd > even else "utf-16-be").encode()
    if is_utf8(data) if is_valid is None else is_valid:
        return data[3:] if head.startswith(codecs.BOM_UTF8) else data
    data = bytes(data)
    if _mostly_utf8(data):
        raise _cut_letter() if any(is_utf8(data[:-tail]) for tail in (1, 2, 3)) else _bad_bytes()
    return _from_one_byte(data).encode()


def decode_text(data: bytes) -> str:
    """:func:`to_utf8` as text."""
    return str(to_utf8(data), "utf-8")


def _mostly_utf8(data: bytes) -> bool:
    """Whether a file is UTF-8 with damaged spots: Vietnamese words are in sequences that no one-byte text has."""
    text = data[:_SAMPLE].decode("utf-8", errors="replace")
    letters = sum(c > "\u00ff" and c != "\ufffd" for c in text)
    return letters > text.count("\ufffd")


def _decoded(data: Octets, encoding: str) -> str:
    try:
        return str(data, encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise (_cut_letter() if error.reason == "truncated data" else _bad_bytes()) from error


def _cut_letter() -> UnreadableFileError:
    return UnreadableFileError(
        "truncated", "Tệp CSV bị cắt ngang giữa một chữ: chép hoặc xuất chưa xong. Xuất lại tệp rồi nộp lại."
    )


def _bad_bytes() -> UnreadableFileError:
    return UnreadableFileError("bad_encoding", "Tệp CSV có ký tự sai bảng mã. Lưu lại tệp dạng CSV UTF-8 rồi nộp lại.")


def _from_one_byte(data: bytes) -> str:
    readings: dict[str, str] = {}
    for name, decode in (
        ("cp1258", lambda b: b.decode("cp1258")),
        ("tcvn3", lambda b: from_tcvn3(b.decode("latin-1"))),
        ("vni", lambda b: from_vni(b.decode("cp1252", errors="strict"))),
    ):
        try:
            readings[name] = decode(data)
        except UnicodeDecodeError:
            continue
    shares = sorted(
        ((spelling_share(clean(text[:_SAMPLE])), name) for name, text in readings.items()),
        key=lambda pair: (-pair[0], pair[1]),
    )
    best, name = shares[0]
    lead = best - (shares[1][0] if len(shares) > 1 else 0.0)
    if best < _CERTAIN_SHARE or lead < _CLEAR_LEAD:
        raise UnreadableFileError(
            "bad_encoding", "Không xác định được bảng mã của tệp CSV. Lưu lại tệp dạng CSV UTF-8 rồi nộp lại."
        )
    return readings[name]


def may_be_legacy(utf8: Octets, scan: TextScan) -> bool:
    """Whether a UTF-8 file holds signs that make a closer look at its texts worth while."""
    if scan.has_c2 and _C2_SIGN.search(utf8):
        return True
    return any(sign.search(utf8[:_SAMPLE]) or sign.search(utf8[-_TAIL:]) for sign in (_VNI_SIGN, _LIKE_D))


def mend_columns(columns: list[list[Cell]], distinct: set[Cell]) -> tuple[list[list[Cell]], str]:
    """Columns of one length with their texts repaired, and what to tell the clerk (empty where nothing was wrong).

    ``distinct`` holds at least every distinct text of the columns.
    """
    plan = plan_repairs(_beyond_ascii(distinct))
    if not plan.is_needed:
        return columns, ""
    rows: list[list[Cell]] = [list(row) for row in zip(*columns, strict=True)]
    mended = [_mended_row(row, plan) for row in rows]
    return [list(column) for column in zip(*mended, strict=True)], plan.note_vi


def mend_rows(rows: list[list[Cell]]) -> tuple[list[list[Cell]], str]:
    """:func:`mend_columns` for cells held as rows of any length."""
    plan = plan_repairs(_beyond_ascii(c for row in rows for c in row))
    return ([_mended_row(row, plan) for row in rows], plan.note_vi) if plan.is_needed else (rows, "")


def _beyond_ascii(cells: Iterable[Cell]) -> set[str]:
    return {c for c in cells if type(c) is str and not c.isascii()}


@dataclass(frozen=True)
class RepairPlan:
    """By text, what replaces it (a fault where that cannot be known), and the encoding it was in.

    ``open_texts`` are sound as they stand and mean something else in a legacy font, by font; the rest of their row
    decides. ``unicode_texts`` can be nothing but Unicode.
    """

    changes: dict[str, str | CellFault]
    kinds: dict[str, str]
    open_texts: dict[str, dict[str, str]]
    unicode_texts: frozenset[str]

    @property
    def is_needed(self) -> bool:
        return bool(self.changes)

    @property
    def note_vi(self) -> str:
        names = ", ".join(_FONT_NAMES[kind] for kind in sorted(set(self.kinds.values())))
        return f"Đã chuyển chữ từ {names} sang Unicode." if names else ""


# Marks of footnotes are words of their own; in legacy fonts the same signs are letters, which stand in words.
_FOOTNOTE_MARKS = re.compile(r"(?<!\S)[¹²³]+(?!\S)")


def plan_repairs(texts: Iterable[str]) -> RepairPlan:
    """Decides on all texts of a file together; each is kept, repaired where certain, or made a fault."""
    texts = sorted(texts)
    if is_plain_vietnamese("\n".join(texts)):
        return RepairPlan({}, {}, {}, frozenset())
    doubtful: dict[str, dict[str, str]] = {}
    sound: list[str] = []
    look_alikes: dict[str, str] = {}
    for text in texts:
        lettered = with_d(text)
        if lettered != text and not looks_broken(lettered):
            look_alikes[text] = lettered
            continue
        if _FOOTNOTE_MARKS.sub("", text).isascii():
            sound.append(text)
            continue
        broken = looks_broken(text)
        found = {} if not broken and is_well_spelt(text) else certain_repairs(text)
        if broken or found:
            doubtful[text] = found
        else:
            sound.append(text)
    if not doubtful:
        return RepairPlan(dict(look_alikes), {}, {}, frozenset())
    unicode_texts = frozenset(t for t in sound if any(c > "\u00ff" and c.isalpha() for c in t))
    kind = None if unicode_texts else _kind_of_file(doubtful)
    fonts = {kind} & set(_DECODERS) if kind else _fonts(doubtful, bool(unicode_texts))
    changes: dict[str, str | CellFault] = {
        text: broken_text(text) if _other_readings(text, fonts) else lettered for text, lettered in look_alikes.items()
    }
    kinds: dict[str, str] = {}
    for text, found in doubtful.items():
        # What the file is in decides what no word of the text proves (acronyms), or proves of another encoding.
        if kind and (mended := reading_in(kind, text)):
            changes[text], kinds[text] = mended, kind
            continue
        fitting = [k for k in found if k in fonts] if len(set(found.values())) > 1 else list(found)
        if len({found[k] for k in fitting}) == 1:
            changes[text], kinds[text] = found[fitting[0]], fitting[0]
        else:
            changes[text] = broken_text(text)
    open_texts = {t: other for t in filter(_only_western, sound) if (other := _other_readings(t, fonts))}
    if len(fonts) == 1 and not unicode_texts:
        changes |= {text: next(iter(other.values())) for text, other in open_texts.items()}
        open_texts = {}
    return RepairPlan(changes, kinds, open_texts, unicode_texts)


def _mended_row(row: list[Cell], plan: RepairPlan) -> list[Cell]:
    texts = [c for c in row if type(c) is str and not c.isascii()]
    if not texts:
        return row
    mended: list[Cell] = [plan.changes.get(c, c) if type(c) is str else c for c in row]
    if not any(text in plan.open_texts for text in texts):
        return mended
    fonts = {plan.kinds[text] for text in texts if text in plan.kinds} & set(_DECODERS)
    is_unicode = any(text in plan.unicode_texts for text in texts)
    for place, cell in enumerate(row):
        other = plan.open_texts.get(cell) if type(cell) is str else None
        if other is None or (is_unicode and not fonts):
            continue
        font = next(iter(fonts)) if len(fonts) == 1 and not is_unicode else None
        mended[place] = other.get(font, cell) if font else broken_text(str(cell))
    return mended


def _kind_of_file(doubtful: dict[str, dict[str, str]]) -> str | None:
    """The one encoding that nearly all texts which prove any prove; None where they are few or divided."""
    proven = Counter(next(iter(found)) for found in doubtful.values() if len(found) == 1).most_common()
    if not proven or proven[0][1] < _ENOUGH or sum(times for _, times in proven[1:]) * _FEW > proven[0][1]:
        return None
    return proven[0][0]


def _fonts(doubtful: dict[str, dict[str, str]], certainly_unicode: bool) -> set[str]:
    """Legacy fonts that the file certainly uses: some text can be nothing else."""
    return {
        next(iter(found))
        for text, found in doubtful.items()
        if len(found) == 1 and (looks_broken(text) or not certainly_unicode)
    } & set(_DECODERS)


def _only_western(text: str) -> bool:
    """Whether all letters beyond ASCII are of the Western European set, in which legacy fonts store everything."""
    letters = [c for c in text if not c.isascii() and c != "\u00a0"]
    return bool(letters) and all(c <= "\u00ff" for c in letters)


def _other_readings(text: str, fonts: set[str]) -> dict[str, str]:
    """What a sound text means in the file's legacy fonts, where that is sound too and another."""
    found: dict[str, str] = {}
    for font in sorted(fonts):
        decoded = clean(_DECODERS[font](text))
        if decoded != clean(text) and is_well_spelt(decoded) and not looks_broken(decoded):
            found[font] = decoded
    return found

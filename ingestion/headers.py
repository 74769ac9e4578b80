"""Finds the table in a sheet: header, columns, title block, and which rows below are furniture.

Belongs here: where things are and what they are headed. Does not belong here: what a cell means (``values``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from ingestion.contracts import Column, Contract
from ingestion.grid import Body, Sheet, is_blank
from ingestion.readings import Cell
from ingestion.values import QUARTER_IN_TEXT, parse_date, printed, quarter_of
from ingestion.vietnamese import LabelIndex, bare, clean, fold, strip_marks

MAX_HEADER_ROWS = 4
SEARCH_ROWS = 60


class HeaderError(Exception):
    """The sheet has a table but it cannot be used; the message is Vietnamese and names what was found."""


@dataclass(frozen=True)
class TitleBlock:
    """What stands above the header: its texts, the window it names, the quarters it names."""

    texts: tuple[str, ...] = ()
    window: tuple[dt.date, dt.date] | None = None
    quarters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """Where a sheet's table is. ``positions`` maps a contract column to its 0-based sheet column; ``counters`` are the
    columns that number the rows, ``unknown`` the headings that mean nothing here.
    """

    header_start: int
    header_end: int
    width: int
    positions: dict[str, int]
    labels: tuple[str, ...]
    personal: frozenset[int]
    counters: frozenset[int]
    unknown: tuple[str, ...]
    header_rows: tuple[tuple[str, ...], ...]
    title: TitleBlock
    missing: tuple[Column, ...] = ()
    duplicates: tuple[tuple[Column, tuple[int, ...]], ...] = ()


_COUNTERS = ("STT", "TT", "Số TT", "Số thứ tự", "Thứ tự", "No.")


@dataclass
class HeaderMap:
    """The contract's headings, ready for matching."""

    contract: Contract
    active: dict[str, Column]
    titles: LabelIndex[str] = field(default_factory=lambda: LabelIndex(lenient=True))
    personal: LabelIndex[bool] = field(default_factory=lambda: LabelIndex(lenient=True))
    counters: LabelIndex[bool] = field(default_factory=LabelIndex)

    @classmethod
    def of(cls, contract: Contract, on: dt.date) -> HeaderMap:
        """Headings of the columns that are valid on the day."""
        active = {
            c.name: c
            for c in contract.columns
            if (c.valid_from is None or c.valid_from <= on) and (c.valid_to is None or on <= c.valid_to)
        }
        headers = cls(contract, active)
        for column in active.values():
            headers.titles.add_all(column.aliases, column.name)
        headers.personal.add_all(contract.personal, True)
        headers.counters.add_all(_COUNTERS, True)
        return headers

    def column_of(self, labels: Sequence[str]) -> str | None:
        """The column that the first telling label means; ``labels`` go from the most to the least specific."""
        for label in labels:
            found = self.titles.find(label)
            if len(found) == 1:
                return found.pop()
            if self.personal.find(label):
                return None
        return None

    def may_be_part(self, text: str) -> bool:
        """Whether a cell's words stand, in this order, in some heading. Where they do not, the cell heads nothing."""
        words = bare(text)
        return "(" in text or ")" in text or (bool(words) and f" {words} " in self._all_titles)

    @cached_property
    def _all_titles(self) -> str:
        return "|".join(f" {title} " for title in self.titles.bare_labels())

    def is_counter(self, labels: Sequence[str]) -> bool:
        return any(self.counters.find(label) for label in labels)

    def is_personal(self, labels: Sequence[str]) -> bool:
        return any(self.personal.find(label) for label in labels)


_PARENTHESES = re.compile(r"\s*\([^)]*\)\s*")


def _forward_filled(row: Sequence[str], below: Sequence[bool]) -> list[str]:
    """A group row of a header with its merged cells filled to the right, where something stands below."""
    filled: list[str] = []
    last = ""
    for text, has_below in zip(row, below, strict=True):
        last = text or last
        filled.append(text or (last if has_below else ""))
    return filled


def _column_labels(block: list[list[str]]) -> list[list[str]]:
    """For each column its labels: the lowest heading, group and heading joined, each also without what is in
    parentheses.
    """
    width = len(block[0])
    below = [any(row[i] for row in block[1:]) for i in range(width)]
    rows = [
        _forward_filled(
            row,
            [any(lower[i] for lower in block[k + 1 :]) for i in range(width)]
            if k < len(block) - 1
            else [False] * width,
        )
        for k, row in enumerate(block)
    ]
    labels: list[list[str]] = []
    for i in range(width):
        parts = list(dict.fromkeys(row[i] for row in rows if row[i]))
        leaf = next((row[i] for row in reversed(block) if row[i]), parts[-1] if parts else "")
        forms = [leaf, " ".join(parts)] if below[i] or len(parts) > 1 else [leaf]
        forms += [_PARENTHESES.sub(" ", form) for form in forms if "(" in form]
        labels.append([form for form in dict.fromkeys(clean(f) for f in forms) if form])
    return labels


def _texts(rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    width = max((len(r) for r in rows), default=0)
    return [[clean(printed(r[i])) if i < len(r) else "" for i in range(width)] for r in rows]


def find_layout(sheet: Sheet, headers: HeaderMap) -> Layout | None:
    """The best header of 1 to 4 rows in the first rows of the sheet, or None where nothing looks like one.

    Best is the header that maps most columns, then the shortest, then the topmost.
    """
    texts = _texts(sheet.head())
    best: tuple[tuple[int, int, int], Layout] | None = None
    heads = [[bool(text) and headers.may_be_part(text) for text in row] for row in texts]
    for start in range(min(SEARCH_ROWS, len(texts))):
        if not any(texts[start]):
            continue
        for height in range(1, MAX_HEADER_ROWS + 1):
            block = texts[start : start + height]
            if len(block) < height or not any(block[-1]):
                break
            most = sum(any(column) for column in zip(*heads[start : start + height], strict=True))
            if most < (best[0][0] if best else 1):
                continue  # cannot map more columns than that; most blocks are rows of data
            layout = _layout(block, start, headers)
            rank = (len(layout.positions) + len(layout.duplicates), -height, -start)
            if rank[0] and (best is None or rank > best[0]):
                best = (rank, layout)
    if best is None:
        return None
    layout = best[1]
    needed = [c for c in headers.active.values() if c.required]
    if len(layout.positions) < min(2, max(1, len(needed))):
        return None
    return _with_title(layout, texts[: layout.header_start])


def _layout(block: list[list[str]], start: int, headers: HeaderMap) -> Layout:
    labels = _column_labels(block)
    found: dict[str, list[int]] = {}
    unknown: list[str] = []
    personal: set[int] = set()
    counters: set[int] = set()
    for i, forms in enumerate(labels):
        name = headers.column_of(forms)
        if name is not None:
            found.setdefault(name, []).append(i)
        elif headers.is_personal(forms):
            personal.add(i)
        elif headers.is_counter(forms):
            counters.add(i)
        elif forms:
            unknown.append(forms[0])
    missing = tuple(c for c in headers.active.values() if c.required and c.derived_from is None and c.name not in found)
    width = 1 + max((i for i, forms in enumerate(labels) if forms), default=-1)
    return Layout(
        header_start=start,
        header_end=start + len(block),
        width=width,
        positions={name: places[0] for name, places in found.items() if len(places) == 1},
        labels=tuple(forms[0] if forms else "" for forms in labels),
        personal=frozenset(personal),
        counters=frozenset(counters),
        unknown=tuple(unknown),
        header_rows=tuple(tuple(row) for row in block),
        title=TitleBlock(),
        missing=missing,
        duplicates=tuple((headers.active[n], tuple(p)) for n, p in found.items() if len(p) > 1),
    )


def column_letter(index: int) -> str:
    """Spreadsheet letters of a 0-based column."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def check_layout(layout: Layout, contract: Contract, has_title_unit: bool) -> None:
    """Raises :class:`HeaderError` where a column is headed twice or a required one is missing."""
    if layout.duplicates:
        column, places = layout.duplicates[0]
        where = " và ".join(f"{column_letter(i)} (“{layout.labels[i]}”)" for i in places)
        raise HeaderError(f"Cột “{column.title_vi}” xuất hiện nhiều lần: {where}. Chỉ để lại một cột.")
    missing = [c.title_vi for c in layout.missing if not (c.from_title_block and has_title_unit)]
    missing += [
        " hoặc ".join(contract.column(n).title_vi for n in group)
        for group in contract.any_of
        if not any(n in layout.positions for n in group)
    ]
    if missing:
        found = ", ".join(f"“{label}”" for label in layout.labels if label)
        raise HeaderError(
            f"Thiếu cột bắt buộc: {', '.join(f'“{m}”' for m in missing)}. "
            f"Tiêu đề đọc được ở dòng {layout.header_end}: {found}."
        )


# ------------------------------------------------------------------------------------------------------ title block

_DAY = r"(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{1,2} tháng \d{1,2} năm \d{4})"
_WINDOW = re.compile(rf"từ(?: ngày)?:? {_DAY},?(?: -)? đến(?: hết)?(?: ngày)?:? {_DAY}", re.IGNORECASE)


def _with_title(layout: Layout, rows: list[list[str]]) -> Layout:
    texts = tuple(text for row in rows for text in row if text)
    joined = " ".join(texts)
    window = None
    if match := _WINDOW.search(joined):
        first, last = parse_date(match[1]).value, parse_date(match[2]).value
        window = (first, last) if first and last and first <= last else None
    quarters = tuple(sorted({quarter_of(m) for text in texts for m in QUARTER_IN_TEXT.finditer(text)}))
    return Layout(**{**layout.__dict__, "title": TitleBlock(texts, window, quarters)})


# -------------------------------------------------------------------------------------------------------- furniture

_ORDINAL = re.compile(r"(?:[IVXL]{1,5}|[A-H])\.?")
_NUMBERING = re.compile(r"\(?(?:\d{1,2}|[A-Z])\)?(?:\s*=.*)?", re.IGNORECASE)
_PLACE_AND_DATE = re.compile(r"ngay (?:\d{1,2} )?thang (?:\d{1,2} )?nam(?: \d{4})?$")
_TOTALS = ("tong cong", "tong so", "cong", "tong", "cong don", "luy ke", "trong do")
# Such rows state sums that cover other rows too, or only some of a group's.
_NO_SUMS = ("cong don", "luy ke", "trong do")
_SIGNERS = (
    "nguoi lap bieu",
    "nguoi lap",
    "nguoi bao cao",
    "can bo bao cao",
    "thu truong don vi",
    "nguoi tong hop",
    "ky ghi ro ho ten",
    "ky ten dong dau",
    "noi nhan",
)
_POSTS = (
    "thu truong",
    "ke toan",
    "nguoi kiem tra",
    "kt chu tich",
    "tm uy ban nhan dan",
    "tm ubnd",
    "chu tich",
    "pho chu tich",
    "truong phong",
    "giam doc",
    "xac nhan",
)
_PAGE = re.compile(r"(?:trang|page)?\s*\d{1,5}\s*(?:/|of|trên)\s*\d{1,5}|(?:trang|page)\s*\d{1,5}", re.IGNORECASE)
_FOOTER_CELLS = 3
_KNOWN_ROWS = 10_000  # page headers and the like come again and again
_NOTHING = "khong phat sinh"


@dataclass(frozen=True)
class TotalRow:
    """A row that states sums: its 0-based place in the body, its row number and its cells."""

    index: int
    row_number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Furniture:
    """Which rows of a body are no data: counts by kind, the mask of the rows that are data, what the total, group
    and footer rows say, the rows that state sums, and the 0-based places of all group and total rows.
    """

    data: np.ndarray
    counts: dict[str, int]
    texts: tuple[str, ...] = ()
    totals: tuple[TotalRow, ...] = ()
    borders: tuple[int, ...] = ()


def find_furniture(body: Body, layout: Layout, contract: Contract) -> Furniture:
    """Tells data rows from blank, numbering, header, group, total and footer rows and from "Không phát sinh".

    A row with every required cell filled is data unless it repeats the header; one with nothing but its number is
    blank. A row with something in a key column
    that could be a key is data too, however much it lacks: it is then rejected with a reason, never passed over.
    """
    total = len(body.row_numbers)
    data = np.ones(total, dtype=bool)
    counts: dict[str, int] = {}
    required = [
        layout.positions[c.name] for c in contract.columns if c.required and c.name in layout.positions
    ] or sorted(layout.positions.values())[:1]
    blank = {i: body.columns[i].blank() for i in required}
    empty = np.logical_and.reduce(list(blank.values())) if blank else np.ones(total, dtype=bool)
    for i in range(layout.width):
        if not empty.any():
            break  # most files have no row without a required cell, and then the other columns need not be looked at
        if i not in blank and i not in layout.counters:
            empty &= body.columns[i].blank()
    data &= ~empty
    if empty.any():
        counts["blank"] = int(np.count_nonzero(empty))
    suspect = np.zeros(total, dtype=bool)
    for i in required:
        suspect |= blank[i]
    headings = body.columns[required[0]].among(frozenset(row[required[0]] for row in layout.header_rows) - {""})
    suspect |= headings
    suspect[1:] |= headings[:-1]  # a numbering row stands right below a header, on every printed page
    if total and not empty.all():
        suspect[int(np.argmin(empty))] = True  # the numbering row stands right below the header
    after_header = True
    after_footer = False
    last_seen = -1
    keys = [layout.positions[n] for n in contract.key if n in layout.positions]
    said: list[str] = []
    totals: list[TotalRow] = []
    borders: list[int] = []
    suspects = np.flatnonzero(suspect & ~empty)
    known: dict[tuple[object, ...], str | None] = {}
    for index, cells in zip(suspects, body.rows(suspects), strict=True):
        after_header = after_header and not data[last_seen + 1 : index].any()
        row = (*map(type, cells), *cells, after_header, after_footer)
        if row not in known:
            if len(known) >= _KNOWN_ROWS:
                known.clear()
            known[row] = _kind(cells, layout, keys, after_header, after_footer)
        kind = known[row]
        last_seen = int(index)
        if kind is None:
            after_header = False
            continue
        data[index] = False
        counts[kind] = counts.get(kind, 0) + 1
        if kind in ("total", "group", "footer"):
            said.append(clean(" ".join(printed(c) for c in cells if not is_blank(c))))
        if kind in ("total", "group"):
            borders.append(int(index))
        if kind == "total" and not _leading(cells).startswith(_NO_SUMS):
            totals.append(TotalRow(int(index), int(body.row_numbers[index]), cells))
        after_header = kind in ("numbering", "header")
        after_footer = kind == "footer" or (after_footer and kind == "group")
    return Furniture(data, counts, tuple(said), tuple(totals), tuple(borders))


_ANY_ROW = ("dong", "ban ghi")
_COUNT = r"(?P<count>\d{1,3}(?:[.,]\d{3})+|\d{1,9})"


def stated_counts(texts: Sequence[str], contract: Contract) -> list[int]:
    """How many rows a sheet's own total rows, title or footer say it has (“Tổng cộng: 776 hồ sơ”)."""
    nouns = "|".join(re.escape(_flat(noun)) for noun in (*contract.counted_as, *_ANY_ROW))
    forms = (
        re.compile(
            rf"(?:tong cong|tong so|tong|danh sach(?: nay)? (?:co|gom))\b[ :(]*(?:co |gom |la )?{_COUNT} (?:{nouns})\b"
        ),
        re.compile(rf"(?:tong cong|tong so|so) (?:{nouns})[ :(]*(?:la )?{_COUNT}(?![\d/.-])"),
    )
    found: list[int] = []
    for text in map(_flat, texts):
        match = next((m for form in forms if (m := form.search(text))), None)
        if match:
            found.append(int(re.sub(r"[.,]", "", match["count"])))
    return found


def _flat(text: str) -> str:
    """Lower case without diacritics; punctuation stays."""
    return strip_marks(clean(text).casefold())


def _kind(cells: Sequence[Cell], layout: Layout, keys: list[int], after_header: bool, after_footer: bool) -> str | None:
    filled = {i: clean(printed(c)) for i, c in enumerate(cells) if not is_blank(c)}
    texts = list(filled.values())
    if _repeats_header(filled, layout):
        return "header"
    if after_header and len(texts) > 1 and _is_numbering(texts):
        return "numbering"
    bares = [bare(t) for t in texts]
    key_like = any(i in filled and _may_be_key(filled[i]) for i in keys)
    if key_like and len(texts) > 1:
        return None
    if any(b.startswith(_NOTHING) for b in bares) and len(texts) <= _FOOTER_CELLS:
        return "nothing"
    if _is_footer(bares) or (len(texts) == 1 and _PAGE.fullmatch(texts[0])):
        return "footer"
    leading = _leading(cells)
    keys_blank = not any(i in filled and _looks_like_key(filled[i]) for i in keys)
    if keys_blank and any(leading == t or leading.startswith(t + " ") for t in _TOTALS):
        return "total"
    if keys_blank and len(texts) <= 2 and any(re.search(r"[^\W\d_]", t) for t in texts):
        return "footer" if after_footer else "group"
    return None


def _leading(cells: Sequence[Cell]) -> str:
    """The first words of a row, without diacritics; an ordinal before them does not count."""
    bares = [bare(clean(printed(c))) for c in cells if not is_blank(c)]
    return next((b for b in bares if not re.fullmatch(r"\d*|[ivx]+|[a-z]", b)), bares[0])


def _may_be_key(text: str) -> bool:
    """Whether a text in a key column may be a key: one word, no ordinal such as ``I``, no ``Cộng``."""
    return not re.search(r"\s", text) and not _ORDINAL.fullmatch(text) and bare(text) not in _TOTALS


def _is_footer(bares: list[str]) -> bool:
    if len(bares) > _FOOTER_CELLS:
        return False
    signed = any(b.startswith(_SIGNERS) or _PLACE_AND_DATE.search(b) for b in bares)
    return signed or all(b.startswith(_POSTS) for b in bares)


def _looks_like_key(text: str) -> bool:
    """Whether a text in a key column may be somebody's key: one word with a digit in it."""
    return bool(re.search(r"\d", text)) and not re.search(r"\s", text)


def _is_numbering(texts: list[str]) -> bool:
    if not all(_NUMBERING.fullmatch(t) for t in texts):
        return False
    numbers = [int(m[0]) for t in texts if (m := re.search(r"\d+", t))]
    return all(b == a + 1 for a, b in pairwise(numbers)) and (len(numbers) > 1 or len(texts) > 2)


def _repeats_header(filled: dict[int, str], layout: Layout) -> bool:
    for row in layout.header_rows:
        same = [i < len(row) and fold(row[i]) == fold(text) for i, text in filled.items()]
        if all(same) and any(i in layout.positions.values() or len(filled) > 1 for i in filled):
            return True
    return False

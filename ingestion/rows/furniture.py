"""Which rows below a header are no data, each with the reason that proves it.

Belongs here: totals, group rows, signatures, page numbers, repeated headers, "Không phát sinh". Does not belong here:
where the header is (``headers``), what is wrong with a row of data (``rules``), whether stated sums hold (``totals``).

A row is data unless something proves that it is not. A row that lacks a required cell is therefore rejected with a
reason, never passed over for its first word: a total is told by adding up or by a label that is a total word and
nothing else, a group row by an ordinal or by standing where no value of the table could stand, a signature by words
that are nothing but posts, alone or beside a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.base.contracts import Contract
from ingestion.base.readings import Cell, Proof
from ingestion.reading.grid import ArrowColumn, Body, CellColumn, DictionaryColumn, is_blank
from ingestion.rows.headers import Layout
from ingestion.rows.values import parse_decimal, printed
from ingestion.text.vietnamese import bare, clean, fold, strip_marks

_KNOWN_ROWS = 10_000  # page headers and the like come again and again
#: Rows at the end of a table that are looked at even where every required cell is filled.
_TAIL_ROWS = 60

#: Why a row is no data, by kind. The words are those of the layer ``furniture``; those of the printed form are told by
#: ``printed_form``, those of running text by ``prose``, those of what is passed over by ``finding`` and ``cutting``.
REASONS = {
    "title": ("above_header",),
    "header": ("header", "repeats_header", "section_heading"),
    "numbering": ("numbers_the_columns",),
    "unfilled": ("holds_only_its_number",),
    "left_open": ("not_filled_in_yet",),
    "nothing": ("says_nothing_to_report",),
    "total": ("total_words_only", "adds_up"),
    "group": ("ordinal_and_title", "title_where_no_value_fits", "form_heading"),
    "left_blank": ("form_row_left_blank",),
    "computed": ("computed_here",),
    "continued": ("goes_on_from_above",),
    "footer": ("signature", "signed_name", "place_and_date", "page_number", "note_below"),
    "reminder": ("marked_as_reminder",),
    "separator": ("signs_only",),
    "passed_over": ("sheet_without_table", "hidden_sheet", "help_sheet", "figures_for_programs", "beside_table"),
}


@dataclass(frozen=True)
class TotalRow:
    """A row that states sums: its 0-based place in the body, its row number and its cells."""

    index: int
    row_number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Furniture:
    """Which rows of a body are no data: counts by kind, the mask of the rows that are data, what the total, group
    and footer rows say, the rows that state sums, and the 0-based places of all group and total rows. ``proofs`` has
    one entry for each row that is neither data nor blank.
    """

    data: np.ndarray
    counts: dict[str, int]
    texts: tuple[str, ...] = ()
    totals: tuple[TotalRow, ...] = ()
    borders: tuple[int, ...] = ()
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """What tells a value from a word that merely stands in a column.

    ``fits`` gives, by 0-based sheet column, whether a cell is a value of the contract's column there; ``names_unit``
    whether a text names a unit of the registers; ``unit_columns`` are the columns in which such a name is a value.
    """

    fits: Mapping[int, Callable[[Cell], bool]] = field(default_factory=dict)
    names_unit: Callable[[str], bool] = lambda text: False
    unit_columns: frozenset[int] = frozenset()


def find_furniture(body: Body, layout: Layout, contract: Contract, around: Surroundings) -> Furniture:
    """Tells data rows from blank, numbering, header, group, total and footer rows and from "Không phát sinh".

    A row with every required cell filled is data unless it repeats the header or is, at the end of the table, nothing
    but a signature. A row of which nothing proves that it is no data is data, however much it lacks: it is then
    rejected with a reason.
    """
    total = len(body.row_numbers)
    data = np.ones(total, dtype=bool)
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
    numbered = np.zeros(total, dtype=bool)
    for i in layout.counters if empty.any() else ():
        is_number = serials(body.columns[i]) > 0
        empty &= is_number | body.columns[i].blank()  # a text where the numbers stand is no number
        numbered |= is_number
    if body.beyond:
        empty &= ~np.isin(body.row_numbers, list(body.beyond))
    data &= ~empty
    found = _Found(body, data)
    found.note_empty(np.flatnonzero(empty), np.flatnonzero(empty & numbered))
    left_open = _left_open(body, layout, contract) & ~empty
    for place in np.flatnonzero(left_open).tolist():
        found.note(place, (), "left_open", "not_filled_in_yet")
    empty |= left_open
    suspect = np.zeros(total, dtype=bool)
    for i in required:
        suspect |= blank[i]
    headings = body.columns[required[0]].among(frozenset(row[required[0]] for row in layout.header_rows) - {""})
    suspect |= headings
    suspect[1:] |= headings[:-1]  # a numbering row stands right below a header, on every printed page
    if total and not empty.all():
        suspect[int(np.argmin(empty))] = True  # the numbering row stands right below the header
    judge = _Judge(layout, contract, around, required)
    tail = _tail(body, empty, judge)
    suspect[tail:] = True
    after_header, after_footer, last_seen = True, False, -1
    suspects = np.flatnonzero(suspect & ~empty)
    known: dict[tuple[object, ...], tuple[tuple[str, str] | None, bool]] = {}
    candidates: list[tuple[int, tuple[Cell, ...]]] = []
    for index, cells in zip(suspects, body.rows(suspects), strict=True):
        between = bool(data[last_seen + 1 : index].any())
        after_header, after_footer = after_header and not between, after_footer and not between
        row = (*map(type, cells), *cells, after_header, after_footer, index >= tail)
        if row not in known:
            if len(known) >= _KNOWN_ROWS:
                known.clear()
            proof = judge.kind(cells, after_header, after_footer, bool(index >= tail))
            known[row] = proof, proof is None and judge.may_add_up(cells)
        proof, may_add_up = known[row]
        last_seen = int(index)
        if proof is None:
            after_header = after_footer = False
            if may_add_up:
                candidates.append((last_seen, cells))
            continue
        found.note(int(index), cells, *proof)
        after_header = proof[0] in ("numbering", "header")
        after_footer = proof[0] == "footer"
    found.add_up(candidates, judge.figures)
    return found.furniture()


def _left_open(body: Body, layout: Layout, contract: Contract) -> np.ndarray:
    """Rows that have all that is required but what the contract leaves to somebody else, and of that nothing."""
    total = len(body.row_numbers)
    needed = {*contract.key, *contract.left_open, *(c.name for c in contract.columns if c.required)}
    if not contract.left_open or not needed <= set(layout.positions):
        return np.zeros(total, dtype=bool)
    unfilled = np.ones(total, dtype=bool)
    for name in contract.left_open:
        unfilled &= body.columns[layout.positions[name]].blank()
    for name in needed - set(contract.left_open):
        unfilled &= ~body.columns[layout.positions[name]].blank()
    return unfilled


class _Found:
    """What has been found so far, by place."""

    def __init__(self, body: Body, data: np.ndarray) -> None:
        self.data = data
        self._body = body
        self._rows: dict[int, tuple[str, str, tuple[Cell, ...]]] = {}
        self._blank = 0

    def note_empty(self, places: np.ndarray, numbered: np.ndarray) -> None:
        """Rows with nothing in them are blank; those with their number only are told apart."""
        self._blank = len(places) - len(numbered)
        for index in numbered.tolist():
            self._rows[index] = ("unfilled", "holds_only_its_number", ())

    def note(self, index: int, cells: tuple[Cell, ...], kind: str, reason: str) -> None:
        self.data[index] = False
        self._rows[index] = (kind, reason, cells)

    def add_up(self, candidates: Sequence[tuple[int, tuple[Cell, ...]]], columns: Sequence[int]) -> None:
        """Takes out those rows whose every figure is the sum of at least two rows above or below."""
        if not candidates:
            return
        # A candidate is no addend of another one: totals of groups stand between the rows they add up.
        addend = self.data.copy()
        addend[[i for i, _ in candidates]] = False
        borders = sorted({0, len(self.data), *(i for i, _ in candidates), *self._borders()})
        sums = {i: _Runs(self._body.columns[i].pick(np.arange(len(addend))), addend) for i in columns}
        for index, cells in candidates:
            stated = {i: parse_decimal(cells[i]).value for i in columns if not is_blank(cells[i])}
            if all(
                value is not None and any(sums[i].is_sum(value, index, border) for border in borders)
                for i, value in stated.items()
            ):
                self.note(index, cells, "total", "adds_up")

    def _borders(self) -> Iterator[int]:
        return (i for i, (kind, _, _) in self._rows.items() if kind in ("group", "total"))

    def furniture(self) -> Furniture:
        rows = sorted(self._rows.items())
        counts = {"blank": self._blank} if self._blank else {}
        for _, (kind, _, _) in rows:
            counts[kind] = counts.get(kind, 0) + 1
        number = self._body.row_numbers
        return Furniture(
            self.data,
            counts,
            tuple(
                clean(" ".join(printed(c) for c in cells if not is_blank(c)))
                for _, (kind, _, cells) in rows
                if kind in ("total", "group", "footer")
            ),
            tuple(
                TotalRow(index, int(number[index]), cells)
                for index, (kind, _, cells) in rows
                if kind == "total" and not _leading(cells).startswith(_NO_SUMS)
            ),
            tuple(index for index, (kind, _, _) in rows if kind in ("group", "total")),
            tuple(Proof(int(number[index]), kind, reason) for index, (kind, reason, _) in rows),
        )


class _Runs:
    """Sums of runs of rows in one column."""

    def __init__(self, cells: Sequence[Cell], addend: np.ndarray) -> None:
        figures = [parse_decimal(c).value or 0 if is_one else 0 for c, is_one in zip(cells, addend, strict=True)]
        self._sums = list(accumulate(figures, initial=0))
        self._rows = list(accumulate((int(is_one) for is_one in addend), initial=0))

    def is_sum(self, stated: object, place: int, border: int) -> bool:
        first, last = sorted((place, border))
        return self._rows[last] - self._rows[first] > 1 and stated == self._sums[last] - self._sums[first]


def serials(column: CellColumn) -> np.ndarray:
    """The whole numbers of a column that numbers the rows; 0 where a cell is none."""
    if isinstance(column, DictionaryColumn):
        return np.asarray(serials(column.distinct())[column.codes()])
    if isinstance(column, ArrowColumn):
        plain = pc.utf8_rtrim(pc.utf8_trim_whitespace(column.cells), ".")
        is_number = pc.match_substring_regex(plain, r"^\d{1,9}$")
        numbers = pc.cast(pc.if_else(is_number, plain, "0"), pa.int64())
        return np.asarray(numbers.to_numpy(zero_copy_only=False))
    return np.fromiter(map(_serial, column.pick(np.arange(len(column)))), dtype=np.int64, count=len(column))


def _serial(cell: Cell) -> int:
    if isinstance(cell, float | int) and not isinstance(cell, bool):
        return int(cell) if 0 < cell < 10**9 and cell == int(cell) else 0
    match = re.fullmatch(r"\s*(\d{1,9})\.?\s*", cell) if isinstance(cell, str) else None
    return int(match[1]) if match else 0


def _tail(body: Body, empty: np.ndarray, judge: _Judge) -> int:
    """The place below the last row that certainly is data; at most ``_TAIL_ROWS`` filled rows from the end."""
    last = np.flatnonzero(~empty)[-_TAIL_ROWS:]
    rows = list(zip(last.tolist(), body.rows(last), strict=True))
    for index, cells in reversed(rows):
        if judge.is_whole(cells):
            return int(index) + 1
    return int(last[0]) if len(last) else len(empty)


# ------------------------------------------------------------------------------------------------------------- words

_ORDINAL = re.compile(r"(?:[IVXL]{1,5}|[A-H])[.)]?")
_NUMBERING = re.compile(r"\(?(?:\d{1,2}|[A-Z])\)?(?:\s*=.*)?", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d[\d., ]*%?|-")
_PAGE = re.compile(r"[-–— ]*(?:trang|page)\s*:?\s*\d{1,5}(?:\s*(?:/|of|trên)\s*\d{1,5})?[-–— ]*", re.IGNORECASE)
_NOTE = re.compile(r"(?:ghi chú|lưu ý|chú thích|nguồn(?: số liệu)?)\s*:.*|\(?\*+\)?\s*\S.*", re.IGNORECASE | re.DOTALL)
_TOWN = r"(?:[^\s,]{1,20}(?: [^\s,]{1,20}){0,5},\s*)?"
_PLACE_AND_DATE = re.compile(
    _TOWN + r"ngày\s*(?:\d{1,2}|[.…_\s]*)\s*tháng\s*(?:\d{1,2}|[.…_\s]*)\s*năm\s*(?:\d{2,4}|[.…_\s]*)\.?",
    re.IGNORECASE,
)
_UNIT_WORDS = (
    r"(?:ubnd|uy ban nhan dan|phong|van phong|don vi|co quan|huyen|quan|thi xa|thanh pho|xa|phuong|thi tran|tinh|"
    r"trung tam|ban|so|truong|bo phan|mot cua|noi vu|cua)"
)
_BEHALF = r"(?:kt|tm|tl|tuq|q|p)"
_POST = (
    r"(?:thu truong|chu tich|pho chu tich|ke toan|ke toan truong|truong phong|pho truong phong|giam doc|pho giam doc|"
    r"hieu truong|pho hieu truong|chanh van phong|pho chanh van phong|truong ban|pho truong ban|truong bo phan|"
    r"truong tram|doi truong|bi thu|pho bi thu|lanh dao|xac nhan|kiem soat|thu quy|cong chuc phu trach|"
    r"can bo phu trach|chuyen vien)"
)
_SIGNER = (
    r"(?:(?:nguoi|can bo|cong chuc) (?:lap|lap bieu|lap bang|lap bao cao|lap phieu|lap danh sach|bao cao|tong hop|"
    r"thong ke|kiem tra|duyet|phe duyet|ky)|uy ban nhan dan|noi nhan|(?:da )?ky(?: ten)?(?: va)?(?: ghi ro ho(?: va)? "
    r"ten)?(?: dong dau)?|chu ky(?: ho ten)?|nhu tren|luu(?: vt| ho so| vt \w{1,12}){0,3})"
)
_OF_UNIT = rf"(?: {_UNIT_WORDS}(?: [^\W\d]+){{0,5}})?"
# Words that are a signature wherever they stand alone, and posts that are one below the table.
_SIGNATURE = re.compile(rf"{_SIGNER}{_OF_UNIT}|{_BEHALF} (?:{_POST}|{_UNIT_WORDS}(?: [^\W\d]+){{0,6}}){_OF_UNIT}")
_POSTS = re.compile(rf"{_POST}{_OF_UNIT}")
_NAME_WORDS = range(2, 8)

_TOTALS = ("tổng cộng", "tổng số", "cộng", "tổng", "cộng dồn", "lũy kế", "trong đó", "cộng trang", "tổng chung")
_BARE_TOTALS = tuple(bare(text) for text in _TOTALS)
# Such rows state sums that cover other rows too, or only some of a group's.
_NO_SUMS = ("cong don", "luy ke", "trong do", "cong trang")
_FOLDED_TOTALS = sorted((fold(text) for text in _TOTALS), key=len, reverse=True)
_TOTAL_REST = (
    r"(?: (?:chung|toan huyen|toan tinh|toan don vi|cac don vi|tu dau nam|den nay|den cuoi ky|trong ky|ca nam|"
    r"(?:nhom|muc|phan|trang|quy|thang|phu luc) ?(?:\d{1,4}|[ivxl]{1,5}|[a-h])(?: \d{4})?|[ivxl]{1,5}|[a-h]|"
    r"\d{1,3}(?: \d{3})*))*"
)
_NOTHING = re.compile(
    r"(?:(?:trong )?(?:ky|quy|thang|nam)(?: (?:nay|bao cao|i|ii|iii|iv|\d{1,4}))* )?(?:don vi )?"
    r"khong (?:co )?phat sinh(?: (?:ho so|so lieu|du lieu|van ban|nhiem vu|thu tuc|tthc|truong hop|nao|moi|gi|trong|"
    r"ky|quy|thang|nam|nay|bao cao|i|ii|iii|iv|\d{1,4})){0,8}"
)


def says_nothing_to_report(text: str) -> bool:
    """Whether a text says that there was nothing to report, and no more."""
    return _NOTHING.fullmatch(bare(text)) is not None


def _says_total(text: str, nouns: Sequence[str]) -> bool:
    """Whether a text is a total word and nothing more than what it counts or covers.

    Marks count where there are any: ``Tống`` and ``Công`` are names, ``TONG CONG`` is a total.
    """
    key = bare(text) if clean(text).isascii() else fold(text)
    words = _BARE_TOTALS if clean(text).isascii() else _FOLDED_TOTALS
    rests = [key[len(word) :] for word in words if key == word or key.startswith(word + " ")]
    counted = "|".join(re.escape(bare(noun)) for noun in (*nouns, *ANY_ROW))
    form = re.compile(rf"(?: (?:so|la|co|gom|{counted}))*{_TOTAL_REST}(?: (?:{counted}))?")
    return any(form.fullmatch(bare(rest) and f" {bare(rest)}") for rest in rests)


class _Judge:
    """What a row is, told from its cells and its place; for one table."""

    def __init__(self, layout: Layout, contract: Contract, around: Surroundings, required: Sequence[int]) -> None:
        self.layout, self.around, self.required = layout, around, required
        self.keys = [layout.positions[n] for n in contract.key if n in layout.positions]
        numbers = {c.name for c in contract.columns if c.type in ("integer", "decimal")}
        self.figures = sorted(layout.positions[n] for n in numbers if n in layout.positions)
        self.nouns = contract.counted_as
        self._counted = re.compile(rf"\d+(?: \d{{3}})* (?:{'|'.join(bare(noun) for noun in (*self.nouns, *ANY_ROW))})")
        self.first = min(layout.positions.values(), default=0)
        self._mapped = set(layout.positions.values())

    def kind(
        self, cells: Sequence[Cell], after_header: bool, after_footer: bool, in_tail: bool
    ) -> tuple[str, str] | None:
        """What kind of furniture the row is and why; None where nothing proves that it is any."""
        filled = {i: clean(printed(c)) for i, c in enumerate(cells) if not is_blank(c)}
        texts = list(filled.values())
        if repeats_header(filled, self.layout):
            return "header", "repeats_header"
        if after_header and len(texts) > 1 and is_numbering(texts):
            return "numbering", "numbers_the_columns"
        if self._is_complete(cells) and not in_tail:
            return None
        if self._says_nothing(filled):
            return "nothing", "says_nothing_to_report"
        if len(texts) == 1 and _PAGE.fullmatch(texts[0]):
            return "footer", "page_number"
        if reason := self._signed(filled, after_footer, in_tail):
            return "footer", reason
        if self._is_complete(cells):
            return None
        if self._is_total(filled):
            return "total", "total_words_only"
        if in_tail and len(texts) == 1 and not self._may_be_value(filled) and _NOTE.fullmatch(texts[0]):
            return "footer", "note_below"
        if reason := self._is_group(filled):
            return "group", reason
        return None

    def is_whole(self, cells: Sequence[Cell]) -> bool:
        """Whether every required cell holds a value of its column, so that the row is data."""
        return self._is_complete(cells) and all(self._fits(i, cells[i]) for i in self.required)

    def may_add_up(self, cells: Sequence[Cell]) -> bool:
        """Whether a row has one label that begins with a total word or stands behind an ordinal, and figures only."""
        if not self.figures or self._is_complete(cells):
            return False
        filled = {i: clean(printed(c)) for i, c in enumerate(cells) if not is_blank(c)}
        figures = [i for i in filled if i in self.figures]
        labels = [i for i in filled if i not in self.figures]
        if not figures or not all(_NUMBER.fullmatch(filled[i]) for i in figures):
            return False
        ordinals = [i for i in labels if i <= self.first and _ORDINAL.fullmatch(filled[i])]
        words = [i for i in labels if i not in ordinals]
        if len(words) != 1 or any(self._may_be_key(i, filled) for i in labels if i not in ordinals):
            return False
        text = fold(filled[words[0]])
        return bool(ordinals) or any(text.startswith(word + " ") for word in _FOLDED_TOTALS)

    def _is_complete(self, cells: Sequence[Cell]) -> bool:
        return bool(self.required) and not any(is_blank(cells[i]) for i in self.required)

    def _fits(self, place: int, cell: Cell) -> bool:
        fits = self.around.fits.get(place)
        return fits is None or fits(cell)

    def _may_be_key(self, place: int, filled: Mapping[int, str]) -> bool:
        """Whether a text in a key column may be a key: one word, no ordinal such as ``I``, no ``Cộng``."""
        text = filled[place]
        if place not in self.keys or re.search(r"\s", text) or _ORDINAL.fullmatch(text):
            return False
        return not _says_total(text, ())

    def _may_be_value(self, filled: Mapping[int, str]) -> bool:
        """Whether the row's only text stands in a column of the contract in which any text is a value."""
        (place,) = filled
        return place in self._mapped and place != 0 and self._fits(place, filled[place])

    def _says_nothing(self, filled: Mapping[int, str]) -> bool:
        nothing_cells = {i for i, text in filled.items() if says_nothing_to_report(text)}
        idle = {
            i
            for i, text in filled.items()
            if re.fullmatch(r"[0\-–—]+", text) or (i in self.layout.counters and _NUMBER.fullmatch(text))
        }
        return bool(nothing_cells) and set(filled) == nothing_cells | idle

    def _is_total(self, filled: Mapping[int, str]) -> bool:
        counted = {i for i, text in filled.items() if _NUMBER.fullmatch(text) or self._counted.fullmatch(bare(text))}
        labels = [i for i in filled if i not in counted]
        ordinals = [i for i in labels if i <= self.first and _ORDINAL.fullmatch(filled[i])]
        words = [i for i in labels if i not in ordinals]
        if not words or not all(_says_total(filled[i], self.nouns) for i in words):
            return False
        return not any(i in self.keys and i not in words for i in filled if i not in ordinals)

    def _signed(self, filled: Mapping[int, str], after_footer: bool, in_tail: bool) -> str | None:
        bares = [bare(text) for text in filled.values()]
        dated = [bool(_PLACE_AND_DATE.fullmatch(text)) for text in filled.values()]
        signed = [bool(_SIGNATURE.fullmatch(b)) for b in bares]
        posts = [bool(_POSTS.fullmatch(b)) for b in bares]
        if all(d or s or p for d, s, p in zip(dated, signed, posts, strict=True)):
            if any(signed) or (any(posts) and (in_tail or after_footer or len(bares) > 1)):
                return "signature"
            if any(dated):
                return "place_and_date"
        below = in_tail or after_footer
        others = [text for text, is_sign in zip(filled.values(), signed, strict=True) if not is_sign]
        if below and any(signed) and all(map(_is_name, others)) and not self._fits_all(filled):
            return "signature"  # who signs, beside the words that say as what
        if after_footer and all(map(_is_name, filled.values())) and not self._fits_all(filled):
            return "signed_name"
        return None

    def _fits_all(self, filled: Mapping[int, str]) -> bool:
        return all(i in filled and self._fits(i, filled[i]) for i in self.required)

    def _is_group(self, filled: Mapping[int, str]) -> str | None:
        """A title above rows: behind an ordinal, or alone where no value could stand."""
        ordinals = [i for i, text in filled.items() if i <= self.first and _ORDINAL.fullmatch(text)]
        words = [i for i in filled if i not in ordinals]
        if len(words) != 1 or not re.search(r"[^\W\d_]{2}", filled[words[0]]):
            return None
        (place,) = words
        if self._may_be_key(place, filled):
            return None
        if ordinals and place > ordinals[0]:
            return "ordinal_and_title"
        is_elsewhere = place not in self._mapped or (place == self.first and not self._fits(place, filled[place]))
        is_unit = place not in self.around.unit_columns and self.around.names_unit(filled[place])
        if len(filled) == 1 and (is_elsewhere or is_unit):
            return "title_where_no_value_fits"
        return None


def _leading(cells: Sequence[Cell]) -> str:
    """The first words of a row, without diacritics; an ordinal before them does not count."""
    bares = [bare(clean(printed(c))) for c in cells if not is_blank(c)]
    return next((b for b in bares if not re.fullmatch(r"\d*|[ivx]+|[a-z]", b)), bares[0])


def _is_name(text: str) -> bool:
    """Whether a text may be a signer's name: a few words, each with a capital, nothing else."""
    words = text.replace(".", " ").split()
    return len(words) in _NAME_WORDS and all(w.isalpha() and w[0].isupper() for w in words)


def is_numbering(texts: Sequence[str]) -> bool:
    """Whether the texts of a row only number its columns."""
    if not all(_NUMBERING.fullmatch(t) for t in texts):
        return False
    numbers = [int(m[0]) for t in texts if (m := re.search(r"\d+", t))]
    return all(b == a + 1 for a, b in pairwise(numbers)) and (len(numbers) > 1 or len(texts) > 2)


def repeats_header(filled: Mapping[int, str], layout: Layout) -> bool:
    """Whether the filled cells of a row, by place, are headings of their columns."""
    for row in layout.header_rows:
        same = [i < len(row) and fold(row[i]) == fold(text) for i, text in filled.items()]
        if all(same) and any(i in layout.positions.values() or len(filled) > 1 for i in filled):
            return True
    return False


# ------------------------------------------------------------------------------------------------------------ counts

ANY_ROW = ("dòng", "bản ghi")
_COUNT = r"(?P<count>\d{1,3}(?:[.,]\d{3})+|\d{1,9})"


def stated_counts(texts: Sequence[str], contract: Contract) -> list[int]:
    """How many rows a sheet's own total rows, title or footer say it has (“Tổng cộng: 776 hồ sơ”)."""
    nouns = "|".join(re.escape(_flat(noun)) for noun in (*contract.counted_as, *ANY_ROW))
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

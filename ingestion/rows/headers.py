"""Finds the table in a sheet: header, columns and title block.

Belongs here: where things are and what they are headed. Does not belong here: what a cell means (``values``), which
rows below the header are no data (``furniture``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ingestion.base.contracts import Column, Contract
from ingestion.base.limits import UnreadableFileError
from ingestion.base.readings import Cell
from ingestion.reading.formulas import column_letters
from ingestion.reading.grid import Body, Merge, Sheet
from ingestion.rows.stated_times import StatedTimes, read_times
from ingestion.rows.values import parse_quarter, printed
from ingestion.text.vietnamese import LabelIndex, bare, clean, fold

MAX_HEADER_ROWS = 4
# Columns of a body in which a heading tells that another table begins there.
_PROBED = 2
SEARCH_ROWS = 60


class HeaderError(UnreadableFileError):
    """The sheet has a table but it cannot be used; the message is Vietnamese and names what was found."""

    def __init__(self, message_vi: str) -> None:
        super().__init__("bad_header", message_vi)


@dataclass(frozen=True)
class TitleBlock:
    """What stands above the header: its texts, and the times that they name."""

    texts: tuple[str, ...] = ()
    times: StatedTimes = field(default_factory=StatedTimes)

    @property
    def window(self) -> tuple[dt.date, dt.date] | None:
        """The window that the texts name by its first and last day."""
        return self.times.window

    def times_for(self, contract: Contract) -> StatedTimes:
        """The times that say something of the rows of such a file."""
        return self.times.of_a_register() if contract.is_register else self.times


@dataclass(frozen=True)
class Layout:
    """Where a sheet's table is. ``positions`` maps a contract column to its 0-based sheet column; ``counters`` are the
    columns that number the rows, ``unknown`` the headings that mean nothing here, with their sheet columns.
    ``is_printed_form``: the table is the form as it is printed, whose rows are told by place and name and have no code.
    ``continued``: by the column where a text begins the ones beside it where it goes on: a name in parts, or under one
    heading merged over several columns.
    """

    header_start: int
    header_end: int
    width: int
    positions: dict[str, int]
    labels: tuple[str, ...]
    personal: frozenset[int]
    counters: frozenset[int]
    unknown: tuple[tuple[int, str], ...]
    header_rows: tuple[tuple[str, ...], ...]
    title: TitleBlock
    missing: tuple[Column, ...] = ()
    duplicates: tuple[tuple[Column, tuple[int, ...]], ...] = ()
    is_printed_form: bool = False
    continued: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def is_spoken_for(self, place: int) -> bool:
        """Whether a column is read as some column of the contract, or left unread on purpose."""
        read = {*self.positions.values(), *(i for more in self.continued.values() for i in more)}
        return place in read or place in self.personal


_COUNTERS = ("STT", "TT", "Số TT", "Số thứ tự", "Thứ tự", "No.")


@dataclass
class HeaderMap:
    """The contract's headings, ready for matching."""

    contract: Contract
    active: dict[str, Column]
    quarter: str = ""
    titles: LabelIndex[str] = field(default_factory=lambda: LabelIndex(lenient=True))
    personal: LabelIndex[bool] = field(default_factory=lambda: LabelIndex(lenient=True))
    parts: LabelIndex[tuple[str, int]] = field(default_factory=lambda: LabelIndex(lenient=True))
    counters: LabelIndex[bool] = field(default_factory=LabelIndex)
    ignored: LabelIndex[bool] = field(default_factory=LabelIndex)

    @classmethod
    def of(cls, contract: Contract, on: dt.date, quarter: str = "") -> HeaderMap:
        """Headings of the columns that are valid on the day; ``quarter`` is the key of the period that is read."""
        active = {c.name: c for c in contract.columns if c.asked_on(on)}
        headers = cls(contract, active, quarter)
        for column in active.values():
            headers.titles.add_all(column.aliases, column.name)
            for number, aliases in enumerate(column.parts):
                headers.parts.add_all(aliases, (column.name, number))
        headers.personal.add_all(contract.personal, True)
        headers.counters.add_all(_COUNTERS, True)
        shown = contract.form_row.shown.headings if contract.form_row else ()
        headers.ignored.add_all([*contract.ignored, *shown], True)
        return headers

    def column_of(self, labels: Sequence[str]) -> str | None:
        """The column that the first telling label means; ``labels`` go from the most to the least specific.

        A label counts without what is in parentheses only where that is known to change nothing: "(dự kiến)", "(kỳ
        trước)", "(nghìn)" make another column of it.
        """
        for label in [*labels, *(_without_parentheses(label) for label in labels if self._means_the_same(label))]:
            found = self.titles.find(label)
            if len(found) == 1 and not _is_share(label):
                return found.pop()
            if self.is_personal([label]):
                return None
        return None

    def _means_the_same(self, label: str) -> bool:
        """Whether the label has parentheses, and none of them says what the heading before it does not."""
        inside = _PARENTHESES.findall(label)
        if not inside:
            return False
        column = self.titles.find(_without_parentheses(label))
        return all(
            _REFERENCE.fullmatch(text)
            or _DATE_SHAPE.fullmatch(text)
            or fold(text) in _HARMLESS
            or parse_quarter(text).value == self.quarter
            or (column and self.titles.find(text) == column)
            for text in (_INTRODUCED.sub("", text) for text in inside)
        )

    def may_be_part(self, text: str) -> bool:
        """Whether a cell's words stand, in this order, in some heading. Where they do not, the cell heads nothing."""
        words = bare(text)
        return "(" in text or ")" in text or (bool(words) and f" {words} " in self._all_titles)

    @cached_property
    def spellings(self) -> frozenset[str]:
        """The headings as they are usually typed."""
        aliases = [clean(alias) for column in self.active.values() for alias in column.aliases]
        return frozenset(form for a in aliases for form in (a, a.upper(), a.lower(), a.capitalize(), a.title()))

    @cached_property
    def _all_titles(self) -> str:
        return "|".join(f" {title} " for index in (self.titles, self.parts) for title in index.bare_labels())

    def is_counter(self, labels: Sequence[str]) -> bool:
        return _is_among(self.counters, labels)

    def is_ignored(self, labels: Sequence[str]) -> bool:
        return _is_among(self.ignored, labels)

    def is_personal(self, labels: Sequence[str]) -> bool:
        return _is_among(self.personal, labels)


def _is_among(index: LabelIndex[bool], labels: Sequence[str]) -> bool:
    """Whether a label, with or without what is in parentheses, heads a column of which nothing is read."""
    return any(index.find(form) for label in labels for form in (label, _without_parentheses(label)))


def _is_share(label: str) -> bool:
    """Whether a sign, which headings are compared without, makes a share of a heading that does not name one."""
    return re.search("[%‰]", label) is not None and "ty le" not in bare(label)


_PARENTHESES = re.compile(r"\(([^()]*)\)")
# What refers to other columns, as in "(3)=(4)+(5)", or is an example of a day. "(k)" is a factor.
_REFERENCE = re.compile(r"[\d\s=+\-–−x*/:.,;]*|\s*[A-ZĐa-jđ]\s*")
# How a day is to be written, in the letters of spreadsheets or of Vietnamese.
_DATE_SHAPE = re.compile(
    r"(?:(?:d{1,2}|m{1,2}|y{2,4}|h{1,2}|s{1,2}|n{1,4}|t{1,2}|p{1,2})(?:[\s/:.,-]+|$))+", re.IGNORECASE
)
_INTRODUCED = re.compile(
    r"^\s*(?:(?:đơn vị tính|đvt|đơn vị|định dạng|kiểu|ví dụ|vd)\s*:?|cột(?= *\d)|ghi rõ(?= ))\s*", re.IGNORECASE
)
# What in parentheses leaves a heading as it is: what is counted, how to write it, that it is the figure of the period.
_HARMLESS = frozenset(
    map(
        fold,
        (
            *("hồ sơ", "văn bản", "người", "phiếu", "thủ tục", "TTHC", "nhiệm vụ", "đơn vị", "cơ quan", "lượt", "bộ"),
            *("VB", "HS", "bản", "số văn bản", "số hồ sơ", "giờ, ngày", "ngày, giờ", "bắt buộc nhập"),
            *("cái", "biên chế", "ngày", "ngày làm việc", "đồng", "VNĐ", "số lượng", "đơn vị tính"),
            *("ký số", "có ký số", "đã ký số", "tên", "nếu có", "bắt buộc", "không bắt buộc", "ghi rõ", "thực tế"),
            *("x", "đánh dấu x", "có/không", "có hoặc không", "ngày/tháng/năm", "ngày tháng năm", "ngày giờ"),
            *("dd/mm/yyyy", "dd/mm/yyyy hh:mm", "dd/mm/yyyy hh:mm:ss", "dd-mm-yyyy", "nn/tt/nnnn", "mm/yyyy"),
            *("tháng/năm", "kỳ này", "kỳ báo cáo", "trong kỳ", "trong kỳ báo cáo", "quý này", "trong quý"),
        ),
    )
)


def _without_parentheses(label: str) -> str:
    return clean(_PARENTHESES.sub(" ", label)) if "(" in label else label


def _forward_filled(row: Sequence[str], below: Sequence[bool]) -> list[str]:
    """A group row of a header with its merged cells filled to the right, where something stands below."""
    filled: list[str] = []
    last = ""
    for text, has_below in zip(row, below, strict=True):
        last = text or last
        filled.append(text or (last if has_below else ""))
    return filled


def _column_labels(block: list[list[str]]) -> list[list[str]]:
    """For each column its labels: the lowest heading, group and heading joined."""
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
        labels.append([form for form in dict.fromkeys(clean(f) for f in forms) if form])
    return labels


def _texts(rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    width = max((len(r) for r in rows), default=0)
    return [[clean(printed(r[i])) if i < len(r) else "" for i in range(width)] for r in rows]


def find_layout(sheet: Sheet, headers: HeaderMap) -> Layout | None:
    """The best header of 1 to 4 rows in the first rows of the sheet, or None where nothing looks like one.

    Best is the header that maps most columns, then the shortest, then the topmost; with the rows below it that head the
    columns of its groups.
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
            layout = _layout(block, start, headers, sheet.merges)
            rank = (len(layout.positions) + len(layout.duplicates), -height, -start)
            if rank[0] and (best is None or rank > best[0]):
                best = (rank, layout)
    if best is None:
        return None
    layout = _with_subheadings(best[1], texts, headers, sheet.merges)
    needed = [c for c in headers.active.values() if c.required]
    if len(layout.positions) < min(2, max(1, len(needed))):
        return None
    above = tuple(text for row in texts[: layout.header_start] for text in row if text)
    return replace(layout, title=TitleBlock(above, read_times(above)))


def _with_subheadings(
    layout: Layout, texts: list[list[str]], headers: HeaderMap, merges: Sequence[Merge] = (), first: int = 0
) -> Layout:
    """The layout with the rows below that head the columns of its groups; ``texts`` are the rows from ``first`` on.

    Without them a group that is named like a column would be its own first column: “Trả kết quả” over “Dự kiến” and
    “Thực tế”.
    """
    start, end = layout.header_start - first, layout.header_end - first
    height = end - start
    while height < MAX_HEADER_ROWS and end < len(texts) and _heads_groups(texts[start:end], texts[end]):
        height, end = height + 1, end + 1
    if end == layout.header_end - first:
        return layout
    return _layout(texts[start:end], layout.header_start, headers, merges)


def _heads_groups(block: list[list[str]], row: list[str]) -> bool:
    """Whether a row holds only words or years, below groups: headings that columns without one follow, and these."""
    headed = [any(texts) for texts in zip(*block, strict=True)]
    in_groups: set[int] = set()
    for i, is_headed in enumerate(headed):
        if not is_headed and any(headed[:i]):
            in_groups |= {i, max(k for k in range(i) if headed[k])}
    filled = [i for i, text in enumerate(row) if text]
    return any(not headed[i] for i in filled) and all(
        i in in_groups and _SUBHEADING.search(row[i]) is not None for i in filled
    )


_SUBHEADING = re.compile(r"[^\W\d_]{2}|^(?:19|20)\d{2}$")


def _layout(block: list[list[str]], start: int, headers: HeaderMap, merges: Sequence[Merge] = ()) -> Layout:
    """The layout of a header; ``merges`` are those of its sheet, in rows and columns from 1."""
    labels = _column_labels(block)
    found: dict[str, list[int]] = {}
    unknown: list[tuple[int, str]] = []
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
        elif forms and not headers.is_ignored(forms):
            unknown.append((i, forms[0]))
    continued = _parts_of_texts(unknown, found, headers)
    for text, places, is_lowest in _merged_headings(block, start, merges):
        if headers.is_personal([text]):
            personal |= set(places) - {i for at in found.values() for i in at}
        elif is_lowest and any(places[0] in at and headers.active[name].parts for name, at in found.items()):
            continued[places[0]] = tuple(places)[1:]
    read = personal | {i for first, more in continued.items() for i in (first, *more)}
    unknown = [(i, label) for i, label in unknown if i not in read]
    missing = tuple(c for c in headers.active.values() if c.required and c.derived_from is None and c.name not in found)
    is_printed_form = _is_printed_form(found, headers.contract)
    if is_printed_form:
        missing = tuple(c for c in missing if c.name != headers.contract.form_row.code)  # type: ignore[union-attr]
    headed = [i for i, forms in enumerate(labels) if forms]
    width = 1 + max([*headed, *personal, *(i for more in continued.values() for i in more)], default=-1)
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
        is_printed_form=is_printed_form,
        continued=continued,
    )


def _merged_headings(block: list[list[str]], start: int, merges: Sequence[Merge]) -> Iterator[tuple[str, range, bool]]:
    """The headings that are merged over several columns, their columns, and whether nothing is headed below them."""
    for top, left, bottom, right in merges:
        first, last = top - 1 - start, bottom - 1 - start
        if left < right <= len(block[0]) and 0 <= first < len(block) and (text := block[first][left - 1]):
            yield text, range(left - 1, right), not any(any(row[left - 1 : right]) for row in block[last + 1 :])


def _parts_of_texts(
    unknown: Sequence[tuple[int, str]], found: dict[str, list[int]], headers: HeaderMap
) -> dict[int, tuple[int, ...]]:
    """Columns side by side that are headed as the parts of a text, in order; the first is noted as the text's place."""
    labels = dict(unknown)
    continued: dict[int, tuple[int, ...]] = {}
    for i in labels:
        for name, number in headers.parts.find(labels[i]):
            count = len(headers.active[name].parts)
            places = range(i, i + count)
            if (
                number == 0
                and name not in found
                and all((name, k) in headers.parts.find(labels.get(place, "")) for k, place in enumerate(places))
            ):
                found[name] = [i]
                continued[i] = tuple(places)[1:]
    return continued


def _is_printed_form(found: Iterable[str], contract: Contract) -> bool:
    """Whether the headings are those of the printed form: names and figures of its rows, and no codes."""
    plan = contract.form_row
    names = set(found)
    return (
        plan is not None and bool(plan.printed_sources) and {plan.name, plan.value} <= names and plan.code not in names
    )


def further_tables(body: Body, layout: Layout, headers: HeaderMap) -> list[tuple[int, Layout]]:
    """Tables below the first one that are headed in another order: the 0-based place of each header, and its layout.

    ``header_start`` and ``header_end`` of these layouts count from the body's first row. A header like the first one
    is none: it only repeats it.
    """
    labels = {text for row in layout.header_rows for text in row if text} | set(headers.spellings)
    columns = [layout.positions[c.name] for c in headers.active.values() if c.name in layout.positions and c.required]
    hits = np.zeros(len(body.row_numbers), dtype=bool)
    for i in columns[:_PROBED] or sorted(layout.positions.values())[:_PROBED]:
        hits |= body.columns[i].among(frozenset(labels))
    found: list[tuple[int, Layout]] = []
    end = 0
    for index in np.flatnonzero(hits).tolist():
        if index < end:
            continue
        rows = body.rows(np.arange(index, min(index + MAX_HEADER_ROWS, len(hits))))
        texts = _texts(list(rows))
        layouts = [_layout(texts[:height], index, headers) for height in range(1, len(texts) + 1)]
        best = max(layouts, key=lambda one: (len(one.positions) + len(one.duplicates), -one.header_end))
        best = _with_subheadings(best, texts, headers, first=index)
        mapped = len(best.positions) + len(best.duplicates)
        if mapped < 2 or mapped * 2 < len(layout.positions):
            continue
        end = best.header_end
        current = found[-1][1] if found else layout
        if best.positions != current.positions or best.duplicates:
            found.append((index, best))
    return found


def check_layout(layout: Layout, contract: Contract, has_title_unit: bool) -> None:
    """Raises :class:`HeaderError` where a column is headed twice or a required one is missing."""
    if layout.duplicates:
        column, places = layout.duplicates[0]
        where = " và ".join(f"{column_letters(i + 1)} (“{layout.labels[i]}”)" for i in places)
        raise HeaderError(f"Cột “{column.title_vi}” xuất hiện nhiều lần: {where}. Chỉ để lại một cột.")
    missing = [c.title_vi for c in layout.missing if not (c.from_title_block and has_title_unit)]
    missing += [
        " hoặc ".join(contract.column(n).title_vi for n in group)
        for group in contract.any_of
        if not any(n in layout.positions for n in group)
    ]
    if missing:
        found = ", ".join(f"“{label}”" for label in layout.labels if label)
        added = ", ".join(f"“{label}”" for _, label in layout.unknown if _PARENTHESES.search(label))
        raise HeaderError(
            f"Thiếu cột bắt buộc: {', '.join(f'“{m}”' for m in missing)}. "
            f"Tiêu đề đọc được ở dòng {layout.header_end}: {found}."
            + (f" Nếu phần trong ngoặc của {added} không đổi nghĩa của cột thì bỏ đi rồi nộp lại." if added else "")
        )

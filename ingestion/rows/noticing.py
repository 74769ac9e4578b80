"""Remarks that follow from the tables of a file as they were found and read.

Belongs here: headings without a meaning, columns without a heading, serial and page numbers with gaps, the window and
the days that a file speaks of. Does not belong here: what is outside the tables (``passed_over``), judging a remark.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from common.periods import Period
from ingestion.base.contracts import FIGURE_TYPES, Column, Contract
from ingestion.base.readings import Cell
from ingestion.base.remarks import FileRemark
from ingestion.reading.formulas import column_letters
from ingestion.reading.grid import Body
from ingestion.rows.furniture import serials
from ingestion.rows.headers import HeaderMap, Layout
from ingestion.rows.own_words import OWN_HEADINGS
from ingestion.rows.rules import Rows
from ingestion.rows.stated_times import read_times, signed_on
from ingestion.rows.values import DAY_IN_TEXT, parse_date
from ingestion.text.numbers import factor_in, is_share
from ingestion.text.vietnamese import bare, fold

# Types whose values look like nothing else, so that cells alone tell what an unknown column may be.
_RECOGNISABLE_TYPES = frozenset({"date", "datetime", "month", "enum", "flag"})
_LOOKED_AT = 60
_SHOWN = 5
_OWN = frozenset(map(fold, OWN_HEADINGS))


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A heading that means nothing here: its place, its text, filled cells below, and the first of them."""

    place: int
    label: str
    filled: int
    cells: tuple[Cell, ...]


def of_headings(
    sheet: str, body: Body, layout: Layout, headers: HeaderMap, fits: Mapping[str, Callable[[Cell], bool]]
) -> Iterator[FileRemark]:
    """Unknown headings, columns without a heading, and optional columns that are missing; ``body`` has the rows of data
    only.

    A missing column may be the one under an unknown heading where the words are alike, or where the cells are values
    of its type.
    """
    unknown: list[_Unknown] = []
    for place, label in layout.unknown:
        if fold(label) in _OWN:
            continue
        places = np.flatnonzero(~body.columns[place].blank())
        cells = tuple(body.columns[place].pick(places[:_LOOKED_AT]))
        unknown.append(_Unknown(place, label, len(places), cells))
    missing = [
        c
        for c in headers.active.values()
        if c.name not in layout.positions and c.derived_from is None and not c.required
    ]
    pairs = {c.name: _closest(c, unknown, fits[c.name]) for c in missing}
    resembles: dict[int, str] = {}
    for column in sorted(missing, key=lambda c: -similarity(found.label, c.aliases) if (found := pairs[c.name]) else 0):
        if (found := pairs[column.name]) is not None:
            resembles.setdefault(found.place, column.name)
    yield from _without_heading(sheet, body, layout)
    contract = headers.contract
    for one in unknown:
        name = resembles.get(one.place)
        title = contract.column(name).title_vi if name else None
        yield FileRemark(
            "unknown_heading",
            f"Trang tính “{sheet}”: không nhận ra tiêu đề “{one.label}” (cột {column_letters(one.place + 1)}, "
            f"{one.filled} ô có nội dung)" + (f"; có thể là “{title}”." if title else "."),
            f"Nếu là cột “{title}” thì sửa tiêu đề rồi nộp lại tệp cùng tên." if title else "",
            sheet=sheet,
            column=name,
            subject=one.label,
            value=column_letters(one.place + 1),
            expected=title,
            count=one.filled,
        )
    doubtful = sum(one.filled > 0 for one in unknown)
    for column in missing:
        found = pairs[column.name]
        if found is None and not column.told_when_absent:
            continue
        yield FileRemark(
            "missing_column",
            f"Trang tính “{sheet}” không có cột “{column.title_vi}”"
            + (f"; cột “{found.label}” không nhận ra được có thể là cột này." if found else "."),
            f"Sửa tiêu đề thành “{column.title_vi}” nếu đúng, rồi nộp lại tệp cùng tên." if found else "",
            sheet=sheet,
            column=column.name,
            subject=column.name,
            value=found.label if found else None,
            expected=column.title_vi,
            count=doubtful,
        )


def _without_heading(sheet: str, body: Body, layout: Layout) -> Iterator[FileRemark]:
    """Columns within the table that hold something under no heading, but for one at the left that numbers the rows."""
    for place, label in enumerate(layout.labels[: layout.width]):
        if label or layout.is_spoken_for(place):
            continue
        filled = int(np.count_nonzero(~body.columns[place].blank()))
        if not filled:
            continue
        if place < min(layout.positions.values()) and np.count_nonzero(serials(body.columns[place])) == filled:
            continue
        letters = column_letters(place + 1)
        yield FileRemark(
            "skipped_block",
            f"Trang tính “{sheet}”: cột {letters} không có tiêu đề nên {filled} ô có nội dung ở cột đó không được đọc.",
            "Nếu đó là số liệu thì ghi tiêu đề của cột rồi nộp lại tệp cùng tên; nếu không thì xóa cột.",
            sheet=sheet,
            subject=f"{sheet}: cột {letters}",
            count=filled,
        )


def _closest(column: Column, unknown: Sequence[_Unknown], fits: Callable[[Cell], bool]) -> _Unknown | None:
    """The unknown heading that the column may stand under, best by words, then by cells."""
    filled = [one for one in unknown if one.filled]
    alike = [(similarity(one.label, column.aliases), -one.place, one) for one in filled]
    named = [entry for entry in alike if entry[0] > 0]
    if named:
        return max(named)[2]
    if column.type not in _RECOGNISABLE_TYPES or column.transient:
        return None
    return next((one for one in filled if sum(map(fits, one.cells)) * 5 >= len(one.cells) * 4), None)


def similarity(label: str, aliases: Iterable[str]) -> float:
    """How alike a heading is to the closest alias, from 0 (not at all) to 1.

    Two words of the shorter one, in any order, must recur, or the spelling be nearly the same.
    """
    best = 0.0
    written = set(bare(label).split())
    for alias in aliases:
        known = set(bare(alias).split())
        shared = len(written & known)
        least = min(len(written), len(known))
        if shared >= 2 and shared * 3 >= least * 2:
            best = max(best, shared / max(len(written), len(known)))
        ratio = difflib.SequenceMatcher(None, bare(label), bare(alias)).ratio()
        if ratio >= 0.8:
            best = max(best, ratio)
    return best


def of_parts(tables: Sequence[tuple[str, Layout, int]], contract: Contract) -> Iterator[FileRemark]:
    """Columns that some tables of the file have and others lack; ``tables`` gives sheet, layout and rows of each."""
    filled = [(sheet, layout, rows) for sheet, layout, rows in tables if rows]
    for column in contract.columns:
        having = [sheet for sheet, layout, _ in filled if column.name in layout.positions]
        lacking = [(sheet, rows) for sheet, layout, rows in filled if column.name not in layout.positions]
        if having and lacking:
            yield FileRemark(
                "column_in_part",
                f"Cột “{column.title_vi}” có ở trang tính “{having[0]}” nhưng không có ở trang tính “{lacking[0][0]}”.",
                "Bổ sung cột còn thiếu rồi nộp lại tệp cùng tên.",
                sheet=lacking[0][0],
                column=column.name,
                subject=column.name,
                expected=column.title_vi,
                count=sum(rows for _, rows in lacking),
            )


def of_blanks(accepted: pa.Table, headed: Iterable[str], contract: Contract) -> Iterator[FileRemark]:
    """Columns among ``headed`` without one value in the rows taken, though some of these ask for one."""
    for column in contract.lake_columns():
        if column.name not in headed or not column.is_absent_when_blank:
            continue
        asking, values = _asking(accepted, column), accepted[column.name]
        if asking and values.null_count == len(values):
            yield FileRemark(
                "blank_column",
                f"Cột “{column.title_vi}” để trống ở mọi dòng nên được coi như không có cột này.",
                f"Nếu có số liệu thì ghi vào cột{_where_none(column)} rồi nộp lại tệp cùng tên.",
                column=column.name,
                subject=column.name,
                expected=column.title_vi,
                count=asking,
            )


def _where_none(column: Column) -> str:
    """How a cell of the column says that there is none, where one can."""
    if column.type in ("flag", "presence"):
        return " (không có thì ghi “Không”)"
    takes_zero = column.type in ("integer", "decimal") and (column.minimum or 0) <= 0
    return " (không có thì ghi 0)" if takes_zero else ""


def _asking(accepted: pa.Table, column: Column) -> int:
    """How many of the rows ask for a value in the column."""
    if column.asked_where is None or not accepted.num_rows:
        return len(accepted)
    masks = [pc.is_valid(accepted[name]) for name in column.asked_where.when_present]
    masks += [
        pc.is_in(accepted[name], value_set=pa.array(values, pa.string()))
        for name, values in column.asked_where.when.items()
    ]
    asking: int | None = pc.sum(functools.reduce(pc.and_, masks)).as_py()
    return asking or 0


# ----------------------------------------------------------------------------------------------------------- numbers


def of_serials(sheet: str, numbers: np.ndarray, last: int) -> Iterator[FileRemark]:
    """Gaps in a table's own row numbers; ``last`` is the last number of the table before it in the file.

    Numbers may begin again at 1, as they do in groups, and rows without a number say nothing. A list in which every
    number stands once may have been sorted by another column: there is no gap where none is missing.
    """
    numbers = numbers[numbers > 0]
    if len(numbers) < 2:
        return
    once = np.unique(numbers)
    if len(once) == len(numbers):
        numbers = once
    before = np.concatenate([[last if numbers[0] > last else 0], numbers[:-1]])
    gaps = numbers - before - 1
    places = np.flatnonzero(gaps > 0)
    if not len(places):
        return
    spans = [(int(before[p]) + 1, int(numbers[p]) - 1) for p in places[:_SHOWN]]
    shown = ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in spans) + (", …" if len(places) > _SHOWN else "")
    count = int(gaps[places].sum())
    yield FileRemark(
        "serial_gap",
        f"Trang tính “{sheet}”: số thứ tự không liền nhau, thiếu {count} số ({shown}) trước số {int(numbers.max())}.",
        "Kiểm tra xem có dòng bị xóa, bị lọc hoặc chưa xuất; nếu thiếu thì xuất lại rồi nộp lại tệp cùng tên.",
        sheet=sheet,
        subject=sheet,
        value=shown,
        expected=str(int(numbers.max())),
        count=count,
    )


_PAGE_OF = re.compile(r"(?:trang|page)\s*:?\s*(\d{1,5})\s*(?:/|of|trên)\s*(\d{1,5})", re.IGNORECASE)


def of_pages(sheet: str, texts: Iterable[str]) -> Iterator[FileRemark]:
    """Printed page numbers that say that pages are missing."""
    pages = [(int(m[1]), int(m[2])) for text in texts if (m := _PAGE_OF.search(text))]
    if not pages:
        return
    stated = max(of for _, of in pages)
    seen = {page for page, _ in pages if page <= stated}
    if len(seen) < stated:
        shown = ", ".join(map(str, sorted(seen)[:_SHOWN])) + (", …" if len(seen) > _SHOWN else "")
        yield FileRemark(
            "page_missing",
            f"Trang tính “{sheet}” ghi có {stated} trang in nhưng chỉ thấy trang {shown}.",
            "Kiểm tra xem bảng có đủ trang không; nếu thiếu thì xuất lại rồi nộp lại tệp cùng tên.",
            sheet=sheet,
            subject=sheet,
            value=shown,
            expected=str(stated),
            count=stated - len(seen),
        )


# -------------------------------------------------------------------------------------------------------------- days

_EXPORTED = re.compile(
    r"(?:ngày|thời gian|thời điểm|giờ)?\s*(?:kết xuất|trích xuất|xuất|in|tạo|lập)"
    rf"(?: báo cáo| dữ liệu| bảng| tệp| file)?(?: ngày| lúc| vào)?[:\s]*(?:\d{{1,2}}:\d{{2}}(?::\d{{2}})?[,\s]*)?"
    rf"(?:ngày\s*)?{DAY_IN_TEXT}",
    re.IGNORECASE,
)


def of_titles(
    sheet: str, layout: Layout, below: Sequence[str], contract: Contract, period: Period
) -> Iterator[FileRemark]:
    """The times that a table states above itself or that its sheet is named with, and the days of making and signing
    above or below it.
    """
    texts = [*layout.title.texts, *below]
    own = f"{period.opens_on.isoformat()}/{period.closes_on.isoformat()}"
    if (stated := layout.title.times_for(contract).stated(period)) is not None:
        first, last = stated
        shown = f"từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}" if first else f"đến {last:%d/%m/%Y}"
        yield FileRemark(
            "stated_window",
            f"Trang tính “{sheet}” ghi số liệu {shown}; kỳ {period.quarter} từ {period.opens_on:%d/%m/%Y} đến "
            f"{period.closes_on:%d/%m/%Y}.",
            sheet=sheet,
            subject=sheet,
            value=f"{first.isoformat() if first else '..'}/{last.isoformat()}",
            expected=own,
            count=max(0, (period.closes_on - last).days),
        )
    if not layout.title.times.is_certain:
        named = read_times(layout.title.texts, sheet)
        if (other := named.of_another_period(period) or named.named_elsewhere(period)) is not None:
            yield FileRemark(
                "other_time",
                f"Trang tính “{sheet}” ghi {other} ở tiêu đề hoặc tên trang, không phải kỳ {period.quarter} "
                f"(từ {period.opens_on:%d/%m/%Y} đến {period.closes_on:%d/%m/%Y}).",
                "Kiểm tra xem số liệu có đúng kỳ không; sửa tiêu đề, tên trang hoặc xuất lại rồi nộp lại tệp cùng tên.",
                sheet=sheet,
                subject=sheet,
                value=other,
                expected=own,
            )
    made = [day for text in texts if (m := _EXPORTED.search(text)) and (day := parse_date(m[1]).value) is not None]
    days: list[tuple[str, str, dt.date | None]] = [
        ("signed_on", "ký ngày", signed_on(texts)),
        ("exported_on", "ghi ngày xuất", max(made, default=None)),
    ]
    for kind, says_vi, day in days:
        if day is not None:
            yield FileRemark(
                kind,
                f"Trang tính “{sheet}” {says_vi} {day:%d/%m/%Y}; ngày chốt số liệu {period.closes_on:%d/%m/%Y}.",
                sheet=sheet,
                subject=sheet,
                value=day.isoformat(),
                expected=period.closes_on.isoformat(),
                count=max(0, (period.closes_on - day).days),
            )


_UNIT_SAID = re.compile(
    r"(?P<label>đơn vị tính|đvt|don vi tinh|dvt|(?:số liệu|^)\s*tính (?:bằng|theo))\b[\s:(]*(?P<unit>[^;]{0,40})|"
    r"tính (?:bằng|theo) (?P<other>[^;%]{0,40})",
    re.IGNORECASE,
)
# What a factor alone on a line counts; any other word makes it a name ("Triệu Phong", "Triệu Thị Hoa").
_COUNTED = re.compile(
    r"(?:(?:số )?(?:đồng|đ|vnđ|vnd|văn bản|vb|hồ sơ|hs|thủ tục|tthc|người|dân|phiếu|lượt|bản|trang|nhiệm vụ|đơn vị)\b"
    r".{0,20})?",
    re.IGNORECASE,
)
_SHARE_ONLY = re.compile(r"(?:tỷ lệ|tỉ lệ|phần trăm|[%‰]|\W)+", re.IGNORECASE)


def of_units(sheet: str, layout: Layout, below: Iterable[str], contract: Contract) -> Iterator[FileRemark]:
    """Words above or below a table by which its figures are not ones (``Đơn vị tính: nghìn văn bản``). Where a column
    may hold percentages, a percent sign says nothing.
    """
    types = {contract.column(name).type for name in layout.positions}
    if not types & FIGURE_TYPES:
        return
    for text in (*layout.title.texts, *below):
        factor = _unit_other_than_one(text)
        if factor is not None and not (is_share(factor) and types & {"decimal", "number_or_text"}):
            yield FileRemark(
                "other_unit",
                f"Trang tính “{sheet}” ghi số liệu tính bằng “{factor}”, còn số trong ô được hiểu là số đếm.",
                "Ghi số đầy đủ (ví dụ 50000, không ghi 50 nghìn), sửa dòng đơn vị tính rồi nộp lại tệp cùng tên.",
                sheet=sheet,
                subject=sheet,
                value=factor,
            )
            return


def _unit_other_than_one(text: str) -> str | None:
    """The factor of the unit of measure that a text says, or is; None where it is none. A share beside something that
    is counted ("văn bản, %") is of another column.
    """
    if match := _UNIT_SAID.search(text):
        unit = match["unit"] or match["other"] or ""
        factor = factor_in(unit)
    else:
        unit = text.strip("() ")
        factor = factor_in(unit)
        if factor is None or not unit.startswith(factor) or not _COUNTED.fullmatch(unit[len(factor) :].strip()):
            return None
    return None if factor is not None and is_share(factor) and not _SHARE_ONLY.fullmatch(unit) else factor


def of_days(rows: Rows, contract: Contract, period: Period) -> Iterator[FileRemark]:
    """First and last day of each column by which rows belong to a period."""
    for name in contract.belonging.period if contract.belonging else ():
        bounds = pc.min_max(pc.cast(rows.columns[name], pa.timestamp("us"))).as_py()
        count = len(rows) - rows.columns[name].null_count
        if bounds["min"] is None:
            continue
        first, last = bounds["min"].date(), bounds["max"].date()
        title = contract.column(name).title_vi
        yield FileRemark(
            "span",
            f"“{title}” trong tệp từ {first:%d/%m/%Y} đến {last:%d/%m/%Y} ({count} dòng).",
            column=name,
            subject=name,
            value=f"{first.isoformat()}/{last.isoformat()}",
            expected=f"{period.opens_on.isoformat()}/{period.closes_on.isoformat()}",
            count=count,
        )

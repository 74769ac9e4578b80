"""Whole columns of dates that are wrong although each of their cells is a date: judged from the cells together.

Belongs here: day and month exchanged by a program of another language, serial numbers of the other epoch, headings of
two columns exchanged. Does not belong here: single cells (``values``) and rows (``rules``); a file is refused only
where its columns contradict themselves as no table of single mistakes does.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.base.contracts import DAY_TYPES, Column, Contract
from ingestion.base.limits import UnreadableFileError
from ingestion.reading.grid import Body, ListColumn
from ingestion.rows.headers import Layout
from ingestion.rows.rules import RowRemark, Rows
from ingestion.rows.tables import DateNotation, FileRows
from ingestion.rows.values import EPOCHS_APART, parse_datetime

SWAPPED, OTHER_EPOCH, EXCHANGED = "day_month_swapped", "epoch_1904", "headings_exchanged"
_LEAST_IMPOSSIBLE = 3
_LEAST_VALUES = 5
# Of the dates that cannot be, how many must become possible by one and the same change, and of the rows that could
# show a contradiction, how many must.
_NEARLY_ALL, _MANY, _HARDLY_ANY = 0.8, 0.2, 0.05
_SAMPLE_ROWS = 1_000
_DAY = 86_400_000_000
_NUMERIC = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}(?:\D.*)?")
_HOW_TO_MEND = (
    "Mở tệp gốc bằng máy có vùng ngôn ngữ Việt Nam (ngày/tháng/năm) rồi xuất lại, hoặc định dạng các cột ngày là Văn "
    "bản (Text) và ghi lại theo ngày/tháng/năm; sau đó nộp lại."
)


@dataclass(frozen=True)
class WholeFault:
    """Why a file's columns cannot be used as they stand: a code, and what to tell the clerk."""

    code: str
    message_vi: str


def date_notations(body: Body, layout: Layout, contract: Contract) -> list[DateNotation]:
    """The notation of each date column of a workbook's sheet; text files have no date cells to differ from."""
    dated: list[tuple[Column, ListColumn]] = []
    for column in contract.columns:
        if column.type in DAY_TYPES and column.name in layout.positions:
            cells = body.columns[layout.positions[column.name]]
            if isinstance(cells, ListColumn):
                dated.append((column, cells))
    if not any(issubclass(kind, dt.date) for _, cells in dated for kind in set(map(type, cells.cells))):
        return []  # no date cells to compare texts with
    notations: list[DateNotation] = []
    for column, cells in dated:
        # The first of January is itself with day and month exchanged, and tells nothing.
        days = [cell.day for cell in cells.cells if isinstance(cell, dt.date) and cell.day != cell.month]
        filled = (cell.strip() for cell in cells.cells if type(cell) is str and cell)
        texts = [int(match[1]) for text in filled if (match := _NUMERIC.match(text))]
        late = (sum(day > 12 for day in days), sum(day > 12 for day in texts))
        notations.append(DateNotation(column.title_vi, len(days) - late[0], late[0], len(texts) - late[1], late[1]))
    return notations


def check_columns(read: FileRows, contract: Contract, closes_on: dt.date) -> None:
    """Raises :class:`UnreadableFileError` with the first fault of the whole that the columns show."""
    if (fault := _first_fault(read, contract, closes_on)) is not None:
        raise UnreadableFileError(fault.code, fault.message_vi, read.window)


def _first_fault(read: FileRows, contract: Contract, closes_on: dt.date) -> WholeFault | None:
    if (fault := _swapped_cells(read.date_notations)) is not None:
        return fault
    rows, remarks = read.rows, read.remarks
    days = {
        c.name: _days(rows, remarks, c.name)
        for c in contract.columns
        if c.type in DAY_TYPES and not c.transient and c.derived_from is None
    }
    if not days:
        return None
    return next((f for f in _faults(rows, remarks, days, contract, closes_on) if f is not None), None)


def _faults(
    rows: Rows, remarks: Sequence[RowRemark], days: dict[str, np.ndarray], contract: Contract, closes_on: dt.date
) -> Iterator[WholeFault | None]:
    last = int(np.datetime64(closes_on, "D").astype(np.int64))
    for name in days:
        yield _swapped_texts(name, days[name], remarks, contract)
    yield _shifted_against_code(rows, days, contract)
    orders = _orders(contract, days)
    as_headed = _contradictions(days, orders, contract, last)
    if np.count_nonzero(as_headed) < _LEAST_VALUES:
        return
    for name in days:
        yield _swapped_values(name, days, orders, contract, last)
    yield _exchanged(days, as_headed, orders, contract, last)


_NONE = np.iinfo(np.int64).min


def _days(rows: Rows, remarks: Sequence[RowRemark], name: str) -> np.ndarray:
    """Days since 1970 of a column, also of dates that were rejected for lying after the closing; least where none."""
    values = pc.cast(rows.columns[name], pa.timestamp("us")) if pa.types.is_date(rows.columns[name].type) else None
    moments = (rows.columns[name] if values is None else values).cast(pa.int64())
    days = np.array(pc.fill_null(moments, _NONE).to_numpy(zero_copy_only=False))
    filled = days != _NONE
    days[filled] //= _DAY
    for remark in remarks:
        if remark.column == name and remark.remark.code == "after_closing":
            value = parse_datetime(remark.value).value
            if value is not None:
                days[remark.rows] = int(np.datetime64(value.date(), "D").astype(np.int64))
    return days


# ----------------------------------------------------------------------------------------------- day and month swapped


def _swapped_cells(notations: Sequence[DateNotation]) -> WholeFault | None:
    """A program that reads month before day makes dates of what it can (days up to the twelfth, exchanged with their
    months) and leaves the rest as text.
    """
    early, late = sum(one.early_cells for one in notations), sum(one.late_cells for one in notations)
    early_texts, late_texts = sum(one.early_texts for one in notations), sum(one.late_texts for one in notations)
    if late or early_texts or min(early, late_texts) < _LEAST_VALUES:
        return None
    titles = ", ".join(f"“{one.title_vi}”" for one in notations if one.early_cells)
    return WholeFault(
        SWAPPED,
        f"Cột {titles}: {early} ô kiểu ngày đều có ngày từ 1 đến 12, còn {late_texts} ô kiểu chữ đều có ngày sau 12. "
        f"Tệp đã được mở bằng máy dùng kiểu tháng/ngày/năm nên ngày và tháng bị đảo ở {early} ô đó. {_HOW_TO_MEND}",
    )


def _swapped_texts(name: str, days: np.ndarray, remarks: Sequence[RowRemark], contract: Contract) -> WholeFault | None:
    """Texts with the month first: days after the twelfth stand where the month should, and none in its own place."""
    impossible = 0
    for remark in remarks:
        if remark.column == name and remark.remark.code == "impossible_date":
            match = _NUMERIC.fullmatch(remark.value)
            impossible += len(remark.rows) if match and int(match[1]) <= 12 < int(match[2]) <= 31 else 0
    if impossible < _LEAST_IMPOSSIBLE:
        return None
    filled = days[days != _NONE]
    late = int(np.count_nonzero(_day_of_month(filled) > 12))
    if late and impossible < _MANY * (len(filled) + impossible):
        return None
    title = contract.column(name).title_vi
    return WholeFault(
        SWAPPED,
        f"Cột “{title}”: {impossible} ngày ghi theo kiểu tháng/ngày/năm (số thứ hai lớn hơn 12), nên các ngày còn lại "
        f"trong cột cũng có thể bị đảo ngày và tháng. {_HOW_TO_MEND}",
    )


def _day_of_month(days: np.ndarray) -> np.ndarray:
    dates = days.astype("datetime64[D]")
    number: np.ndarray = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    return number


def _with_day_and_month_swapped(days: np.ndarray) -> np.ndarray:
    """The days with day and month exchanged; least where that is no other date."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]").astype(np.int64)
    day, month, year = _day_of_month(days), months % 12 + 1, months // 12
    possible = (day <= 12) & (day != month)
    swapped = (year * 12 + np.where(possible, day, 1) - 1).astype("datetime64[M]").astype("datetime64[D]")
    result: np.ndarray = np.where(possible, swapped.astype(np.int64) + month - 1, _NONE)
    return result


def _swapped_values(
    name: str, days: dict[str, np.ndarray], orders: list[tuple[str, str]], contract: Contract, last: int
) -> WholeFault | None:
    """Dates that cannot be (an end before the beginning or after the closing) and could be if swapped."""
    filled = days[name] != _NONE
    wrong = _wrong(name, days[name], days, orders, contract, last) & filled
    count = int(np.count_nonzero(wrong))
    if count < _LEAST_VALUES:
        return None
    swapped = np.full(len(filled), _NONE)
    swapped[wrong] = _with_day_and_month_swapped(days[name][wrong])
    mended = wrong & (swapped != _NONE) & ~_wrong(name, swapped, days, orders, contract, last)
    count_mended = int(np.count_nonzero(mended))
    if count_mended < _NEARLY_ALL * count:
        return None
    title = contract.column(name).title_vi
    return WholeFault(
        SWAPPED,
        f"Cột “{title}”: {count} ngày không thể có (trước ngày bắt đầu hoặc sau ngày chốt số liệu), {count_mended} "
        f"ngày trong đó hợp lý nếu đổi chỗ ngày và tháng: cột bị đảo ngày và tháng. {_HOW_TO_MEND}",
    )


def _orders(contract: Contract, days: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    """Pairs of columns of which the contract says that one is not before the other."""
    checks = (rule.check for rule in contract.row_rules)
    return [(c["earliest"], c["latest"]) for c in checks if {c.get("earliest"), c.get("latest")} <= set(days)]


def _must_have_been(name: str, contract: Contract) -> bool:
    """Whether the column's days cannot lie after the closing."""
    ended = contract.belonging.ended_by if contract.belonging else []
    return name in ended or contract.column(name).not_after == "closing"


def _wrong(
    name: str,
    own: np.ndarray,
    days: dict[str, np.ndarray],
    orders: list[tuple[str, str]],
    contract: Contract,
    last: int,
) -> np.ndarray:
    """Rows in which the column's day contradicts the other columns' or, of what has ended, the closing day."""
    wrong = own > last if _must_have_been(name, contract) else np.zeros(len(own), dtype=bool)
    for earliest, latest in orders:
        if latest == name:
            wrong |= (own != _NONE) & (days[earliest] != _NONE) & (own < days[earliest])
        elif earliest == name:
            wrong |= (days[latest] != _NONE) & (own > days[latest])
    return wrong


# -------------------------------------------------------------------------------------------- epoch, headings exchanged


def _shifted_against_code(rows: Rows, days: dict[str, np.ndarray], contract: Contract) -> WholeFault | None:
    """Serial numbers of the other epoch: all days lie four years beside those that the codes of the rows tell."""
    for rule in contract.row_rules:
        code, name = rule.check.get("case_code_date"), rule.check.get("equals")
        if code is None or name not in days:
            continue
        # Some rows tell whether all have to be looked at.
        some = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE_ROWS)).astype(np.int64))
        if len(rows) > _SAMPLE_ROWS and not _shifted(rows.columns[code].take(pa.array(some)), days[name][some])[0]:
            continue
        shifted, known = _shifted(rows.columns[code], days[name])
        if shifted >= _LEAST_VALUES and shifted * 2 > known:
            title = contract.column(name).title_vi
            return WholeFault(
                OTHER_EPOCH,
                f"Cột “{title}”: {shifted} ngày lệch đúng {EPOCHS_APART} ngày (bốn năm) so với ngày trong mã hồ sơ. "
                "Cột được dán từ sổ tính dùng hệ ngày 1904. Mở sổ tính gốc, bỏ chọn “Use 1904 date system” hoặc xuất "
                "thẳng từ phần mềm, rồi nộp lại.",
            )
    return None


def _shifted(codes: pa.Array, days: np.ndarray) -> tuple[int, int]:
    """How many days lie just the epochs' difference beside the day in the row's code, of how many known."""
    digits = pc.struct_field(pc.extract_regex(codes, r"-(?P<day>\d{6})-\d{4,7}$"), "day")
    code_moments = pc.strptime(digits, format="%y%m%d", unit="s", error_is_null=True).cast(pa.int64())
    code_seconds = np.array(pc.fill_null(code_moments, _NONE).to_numpy(zero_copy_only=False))
    known = (code_seconds != _NONE) & (days != _NONE)
    apart = np.abs(days[known] - code_seconds[known] // 86_400)
    return int(np.count_nonzero(apart == EPOCHS_APART)), int(np.count_nonzero(known))


def _contradictions(
    days: dict[str, np.ndarray], orders: list[tuple[str, str]], contract: Contract, last: int
) -> np.ndarray:
    """Rows in which a column contradicts another one or, of what has ended, the closing day."""
    wrong = np.zeros(len(next(iter(days.values()))), dtype=bool)
    for name, own in days.items():
        if _must_have_been(name, contract):
            wrong |= own > last
    for earliest, latest in orders:
        wrong |= (days[latest] != _NONE) & (days[latest] < days[earliest])
    return wrong


def _exchanged(
    days: dict[str, np.ndarray],
    as_headed: np.ndarray,
    orders: list[tuple[str, str]],
    contract: Contract,
    last: int,
) -> WholeFault | None:
    """Two columns that contradict the others as they are headed, and would not if their headings were exchanged."""
    count = int(np.count_nonzero(as_headed))
    for one, other in combinations(days, 2):
        both = (days[one] != _NONE) & (days[other] != _NONE) & (days[one] != days[other])
        if count < _MANY * np.count_nonzero(both) or np.count_nonzero(as_headed & both) * 2 < count:
            continue
        exchanged = {**days, one: days[other], other: days[one]}
        left = int(np.count_nonzero(_contradictions(exchanged, orders, contract, last)))
        if left <= _HARDLY_ANY * count:
            titles = [contract.column(name).title_vi for name in (one, other)]
            return WholeFault(
                EXCHANGED,
                f"{count} dòng có ngày mâu thuẫn nhau, và chỉ còn {left} dòng nếu đổi chỗ hai cột “{titles[0]}” và "
                f"“{titles[1]}”: tiêu đề của hai cột bị ghi nhầm chỗ cho nhau. Sửa lại tiêu đề rồi nộp lại.",
            )
    return None

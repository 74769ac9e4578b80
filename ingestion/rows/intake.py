"""One delivery: from the file to accepted rows, rejected rows, findings and the facts of its receipt.

Belongs here: the order in which grid, headers, values, resolve and rules are applied. Does not belong here: where
anything is stored. Reading a delivery is a pure function of the file, the contract and the context, and conserves
rows: each data row of the file is either accepted or rejected with at least one reason.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.base.contracts import LINEAGE_FIELDS, Column, Contract
from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits, UnreadableFileError
from ingestion.base.readings import Proof, Reading, Remark, rejected
from ingestion.base.reference import roles_of
from ingestion.base.remarks import SCHEMA as FILE_REMARK_SCHEMA
from ingestion.base.remarks import FileRemark, message_of, remark_table
from ingestion.reading.formulas import column_letters
from ingestion.reading.grid import Body, CellColumn, FileContent, ListColumn, Sheet, is_blank
from ingestion.rows import noticing
from ingestion.rows import values as v
from ingestion.rows.belonging import WRONG_QUARTER, misplaced, strays, title_unit
from ingestion.rows.columns import Kernel, ParsedColumn, case_code_kernel, datetime_kernel, parse_column
from ingestion.rows.form_rows import broken_form_rows
from ingestion.rows.furniture import Surroundings, find_furniture, serials, stated_counts
from ingestion.rows.headers import (
    HeaderError,
    HeaderMap,
    Layout,
    TitleBlock,
    check_layout,
    find_layout,
    further_tables,
)
from ingestion.rows.parsers import parser_of
from ingestion.rows.passed_over import Likeness, Part, settle
from ingestion.rows.prose import read_content
from ingestion.rows.resolve import Context
from ingestion.rows.returned import HELP_SHEETS, MAX_ROWS, OWN_HEADINGS, ReturnedSheet, returned_sheet
from ingestion.rows.rules import RowRemark, Rows, broken_row_rules, missing_cells, repeated_keys
from ingestion.rows.totals import SheetRows, TotalsCheck, check_totals, shown
from ingestion.rows.whole_columns import DateLook, date_looks, judged
from ingestion.text.vietnamese import fold

REMARK_SCHEMA = pa.schema(
    [*LINEAGE_FIELDS, *(pa.field(n, pa.string()) for n in ("column", "value", "reason_code", "reason_vi", "advice_vi"))]
)
FURNITURE_SCHEMA = pa.schema([*LINEAGE_FIELDS, pa.field("kind", pa.string()), pa.field("reason", pa.string())])
_DECIMAL = pa.decimal128(18, 4)
_FIGURE = pa.struct([("number", _DECIMAL), ("text", pa.string())])
HIDDEN_VALUE = ""
WRONG_FIELD_COUNT = "wrong_field_count"
_TOLD_TOTALS = 3
# Cells beyond the header that a rejection workbook shows of rows which have too many.
EXTRA_CELLS = 20
NOTHING_UNSAID = FileRemark(
    "nothing_unsaid",
    "Bảng không có dòng nào nên được hiểu là “Không phát sinh”;",
    "nếu có số liệu thì điền rồi nộp lại tệp cùng tên.",
)
UNUSABLE = "unusable"
# A header that cannot be used but maps so much of the contract that its rows are rows of the source.
_HALF_USABLE = 1000
# Parsing a column is mostly work of Arrow and NumPy, which run outside the interpreter's lock.
_THREADS = min(4, os.cpu_count() or 1)
_THREADED_ROWS = 50_000
_FIGURE_TYPES = frozenset({"integer", "decimal", "number_or_text"})
_CALENDAR_TYPES = frozenset({"date", "datetime", "month"})
_DAYS_BETWEEN_EPOCHS = 1462


class ConservationError(AssertionError):
    """Rows were lost or made on the way: a fault of this program, never of a file."""


@dataclass(frozen=True)
class FileIdentity:
    """The lineage that every row of a delivery carries."""

    delivery_id: str
    source: str
    unit_code: str
    quarter: str
    file_name: str
    sha256: str


@dataclass(frozen=True)
class Intake:
    """What became of one delivery."""

    outcome: str
    accepted: pa.Table
    rejected: pa.Table
    findings: pa.Table
    remarks: pa.Table
    furniture_rows: pa.Table
    rows_read: int = 0
    rows_rejected: int = 0
    rows_with_findings: int = 0
    columns_mapped: tuple[str, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    window: tuple[dt.date, dt.date] | None = None
    furniture: dict[str, int] = field(default_factory=dict)
    message_vi: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class _Vouched:
    """What is known of the whole file from elsewhere, see :func:`read_delivery`."""

    declared_rows: int | None
    is_beginning: bool


class _Refusal(Exception):
    """The whole file is refused; the message is for the clerk."""

    def __init__(self, message: str, title: TitleBlock | None = None, code: str = UNUSABLE) -> None:
        super().__init__(message)
        self.window = title.window if title else None
        self.code = code


def refused(
    contract: Contract, message: str, window: tuple[dt.date, dt.date] | None = None, code: str = UNUSABLE
) -> Intake:
    """The intake of a file of which no row is taken: it cannot be used, or it belongs elsewhere (``code``)."""
    return Intake(
        "refused",
        contract.arrow_schema().empty_table(),
        REMARK_SCHEMA.empty_table(),
        REMARK_SCHEMA.empty_table(),
        FILE_REMARK_SCHEMA.empty_table(),
        FURNITURE_SCHEMA.empty_table(),
        window=window,
        message_vi=message,
        refusal=code,
    )


def read_delivery(
    path: Path,
    suffix: str,
    identity: FileIdentity,
    contract: Contract,
    context: Context,
    limits: IntakeLimits = DEFAULT_LIMITS,
    declared_rows: int | None = None,
    is_beginning: bool = False,
) -> Intake:
    """Reads one file. A file that cannot be read gives the outcome ``refused``; only faults of the program raise.

    ``declared_rows`` is how many rows the sender's ``.done`` file says there are; -1 where it vouches by hash only.
    ``is_beginning``: an earlier version of the file goes on where this one ends.
    """
    try:
        return _read(path, suffix, identity, contract, context, limits, _Vouched(declared_rows, is_beginning))
    except UnreadableFileError as error:
        return refused(contract, str(error), code=error.code)
    except HeaderError as error:
        return refused(contract, str(error), code="bad_header")
    except _Refusal as error:
        return refused(contract, str(error), error.window, error.code)


def _read(
    path: Path,
    suffix: str,
    identity: FileIdentity,
    contract: Contract,
    context: Context,
    limits: IntakeLimits,
    vouched: _Vouched,
) -> Intake:
    if not roles_of(context.folder_unit, context.units.reporting_unit) & set(contract.delivered_by):
        raise _Refusal(f"Đơn vị “{context.folder_unit.name}” không nộp nguồn “{contract.title_vi}”.")
    headers = HeaderMap.of(contract, context.period.closes_on)
    likeness = Likeness.of(headers, context)
    content = read_content(path, suffix, contract, limits)
    tables, noticed, passed_over = _usable_tables(content.sheets, headers, context, likeness)
    source = replace(content, sheets=[])  # nothing else may hold the sheets, so that each can be let go
    del content
    for _, layout in tables:
        _check_period(layout.title, context)
    first = tables[0][1]
    if (held := title_unit([layout.title for _, layout in tables], context)) is not None:
        raise _Refusal(held.message_vi, first.title, held.code)
    read = _Read(noticed)
    read.note_aside(source.aside)
    for apart in passed_over:
        if apart.reason:
            read.note_aside([(apart.sheet, Proof(number, "passed_over", apart.reason)) for number in apart.filled])
    while tables:
        sheet, layout = tables.pop(0)
        name, body = sheet.name, sheet.body(layout.header_end, max(layout.width, sheet.width()))
        read.note_header(sheet, layout)
        del sheet  # the text of a large file is let go before its columns are parsed
        passed_over += _beside(name, body, layout, likeness, read)
        for part, part_layout in _blocks(name, body, layout, headers, context, read):
            _read_table(name, part, part_layout, headers, context, likeness, read)
        del body
    rows, remarks = _joined(read.parts), read.remarks
    is_shifted = any(r.remark.code == WRONG_FIELD_COUNT for r in remarks)  # its figures stand under wrong headings
    totals = TotalsCheck() if is_shifted else check_totals(rows, read.tallies, contract)
    noticed += _told_of_totals(totals, contract)
    if not _is_proven(read.stated, vouched, totals) and not source.proves_itself:
        _check_unproven(source, vouched, limits)
        noticed += [FileRemark("not_proven_whole", source.nothing_proves_vi, count=len(rows))] if len(rows) else []
    if (fault := judged(rows, remarks, read.looks, contract, context.period.closes_on)) is not None:
        raise _Refusal(fault.message_vi, first.title, fault.code)
    if (held := misplaced(rows, remarks, contract, context)) is not None:
        raise _Refusal(held.message_vi, first.title, held.code)
    noticed += settle(passed_over, rows, likeness)
    noticed += noticing.of_parts([(t.name, t.layout, t.count) for t in read.tallies], contract)
    noticed += noticing.of_days(rows, contract, context.period)
    remarks += missing_cells(rows, contract)
    remarks += _resolve_procedures(rows, contract, context)
    remarks += broken_row_rules(rows, contract)
    remarks += strays(rows, contract, context)
    remarks += broken_form_rows(rows, contract, context)
    remarks = _without_shifted_cells(remarks, len(rows))
    taken = _rows_of(remarks, len(rows), rejects=True)
    duplicates = list(repeated_keys(rows, contract, taken))
    remarks += duplicates
    taken |= _rows_of(duplicates, len(rows), rejects=True)
    read.noticed = [*source.remarks, *noticed]
    return _settled(rows, remarks, taken, read, identity, contract)


@dataclass
class _Read:
    """What has been read of a file's tables so far."""

    noticed: list[FileRemark]
    parts: list[Rows] = field(default_factory=list)
    tallies: list[SheetRows] = field(default_factory=list)
    remarks: list[RowRemark] = field(default_factory=list)
    furniture: Counter[str] = field(default_factory=Counter)
    proofs: list[tuple[str, Proof]] = field(default_factory=list)
    stated: list[tuple[int, list[int]]] = field(default_factory=list)
    looks: list[DateLook] = field(default_factory=list)
    last_serial: int = 0

    def note_aside(self, proofs: Sequence[tuple[str, Proof]]) -> None:
        """Notes rows that stand in no table."""
        self.furniture.update(proof.kind for _, proof in proofs)
        self.proofs += proofs

    def note_header(self, sheet: Sheet, layout: Layout) -> None:
        """Notes the rows above a table and its header, blank ones only in number; one that the reader made has none."""
        self.furniture.update(title=layout.header_start, header=layout.header_end - layout.header_start)
        head = zip(sheet.head_numbers(), sheet.head()[: layout.header_end], strict=False)
        for place, (number, row) in enumerate(head):
            kind, reason = ("title", "above_header") if place < layout.header_start else ("header", "header")
            if number and any(not is_blank(cell) for cell in row):
                self.proofs.append((sheet.name, Proof(number, kind, reason)))


def _beside(name: str, body: Body, layout: Layout, likeness: Likeness, read: _Read) -> list[Part]:
    """What stands to the right of a table; rows with nothing in the table itself are noted in ``read``."""
    filled = _filled(body, body.columns[layout.width :])
    if not filled.any():
        return []
    only = np.flatnonzero(filled & ~_filled(body, body.columns[: layout.width]))
    read.note_aside([(name, Proof(int(n), "passed_over", "beside_table")) for n in body.row_numbers[only]])
    read.furniture["blank"] -= len(only)  # as which they are counted with the rows of the table
    places = np.flatnonzero(filled)
    rows = zip(body.row_numbers[places].tolist(), body.rows(places), strict=True)
    where = f"từ cột {column_letters(layout.width + 1)} trở đi"
    part = likeness.part("skipped_block", name, where, rows, left=layout.width)
    return [part] if part is not None else []


def _filled(body: Body, columns: Sequence[CellColumn]) -> np.ndarray:
    """Which rows hold something in one of the columns."""
    filled = np.zeros(len(body.row_numbers), dtype=bool)
    for column in columns:
        filled |= ~column.blank()
    return filled


def _blocks(
    name: str, body: Body, layout: Layout, headers: HeaderMap, context: Context, read: _Read
) -> Iterator[tuple[Body, Layout]]:
    """The tables of a sheet, each with its layout: the first, and those below that are headed in another order.

    Raises :class:`HeaderError` where a header below lacks a required column or has one twice.
    """
    further = further_tables(body, layout, headers)
    ends = [place for place, _ in further] + [len(body.row_numbers)]
    yield _slice(body, 0, ends[0]), layout
    for (place, own), end in zip(further, ends[1:], strict=True):
        row = int(body.row_numbers[place])
        own = replace(own, title=layout.title)
        try:
            check_layout(own, headers.contract, context.units.in_titles(layout.title.texts) is not None)
        except HeaderError as error:
            raise HeaderError(f"Trang tính “{name}”, dòng {row} là tiêu đề của một bảng khác. {error}") from error
        read.furniture["header"] += own.header_end - place
        for number in body.row_numbers[place : own.header_end]:
            read.proofs.append((name, Proof(int(number), "header", "header")))
        yield _slice(body, own.header_end, end), own


def _slice(body: Body, first: int, end: int) -> Body:
    if (first, end) == (0, len(body.row_numbers)):
        return body
    mask = np.zeros(len(body.row_numbers), dtype=bool)
    mask[first:end] = True
    return body.keep(mask)


def _read_table(
    name: str, body: Body, layout: Layout, headers: HeaderMap, context: Context, likeness: Likeness, read: _Read
) -> None:
    """Reads one table into ``read``."""
    contract = headers.contract
    found = find_furniture(body, layout, contract, _surroundings(layout, contract, context, likeness))
    if sum(found.counts.values()) + np.count_nonzero(found.data) != len(body.row_numbers):
        raise ConservationError(f"{name}: rows that are neither data nor furniture")
    read.furniture.update(found.counts)
    read.proofs += [(name, proof) for proof in found.proofs]
    data = body if found.data.all() else body.keep(found.data)
    read.looks += date_looks(data, layout, contract)
    rows, noted = _parse_rows(name, data, layout, headers, context)
    offset = sum(len(p) for p in read.parts)
    read.remarks += [RowRemark(r.rows + offset, r.column, r.value, r.remark, r.rejects) for r in noted]
    read.parts.append(rows)
    read.tallies.append(SheetRows(name, layout, found, offset, len(rows)))
    read.stated.append((len(rows), stated_counts([*layout.title.texts, *found.texts], contract)))
    read.noticed += noticing.of_headings(name, data, layout, headers, likeness.fits)
    read.noticed += noticing.of_titles(name, layout, found.texts, context.period)
    read.noticed += noticing.of_pages(name, found.texts)
    for place in sorted(layout.counters)[:1]:
        numbers = serials(data.columns[place])
        read.noticed += noticing.of_serials(name, numbers, read.last_serial)
        read.last_serial = int(numbers.max(initial=0))


def _surroundings(layout: Layout, contract: Contract, context: Context, likeness: Likeness) -> Surroundings:
    fits = {place: likeness.fits[name] for name, place in layout.positions.items() if name in likeness.fits}
    units = {place for name, place in layout.positions.items() if contract.column(name).type == "unit"}
    has_units = any(column.type == "unit" for column in contract.columns)
    return Surroundings(fits, lambda text: has_units and bool(context.units.find(text)), frozenset(units))


def _without_shifted_cells(remarks: list[RowRemark], total: int) -> list[RowRemark]:
    """The remarks without those on cells of rows that have too many or too few of them.

    Such cells stand under the wrong headings: what is said of them helps nobody, and may quote a name or a phone.
    """
    shifted = _rows_of([r for r in remarks if r.remark.code == WRONG_FIELD_COUNT], total, rejects=True)
    if not shifted.any():
        return remarks
    kept: list[RowRemark] = []
    for remark in remarks:
        if remark.remark.code != WRONG_FIELD_COUNT:
            remark = replace(remark, rows=remark.rows[~shifted[remark.rows]])
        if len(remark.rows):
            kept.append(remark)
    return kept


def read_returned(
    path: Path,
    suffix: str,
    contract: Contract,
    context: Context,
    rejected: pa.Table,
    limits: IntakeLimits = DEFAULT_LIMITS,
) -> tuple[ReturnedSheet, ...]:
    """The rejected rows of a file as they were delivered, for the clerk's workbook; at most ``MAX_ROWS`` of them.

    ``rejected`` is what reading the file with the same contract and context rejected. The file is read again, so that
    reading it for the lake need not hold on to cells that nobody else wants.
    """
    headers = HeaderMap.of(contract, context.period.closes_on)
    likeness = Likeness.of(headers, context)
    tables, _, _ = _usable_tables(read_content(path, suffix, contract, limits).sheets, headers, context, likeness)
    wanted: dict[str, set[int]] = {}
    shifted: set[str] = set()
    columns = (rejected[name].to_pylist() for name in ("_sheet", "_row", "reason_code"))
    for name, number, code in zip(*columns, strict=True):
        wanted.setdefault(name, set()).add(number)
        if code == WRONG_FIELD_COUNT:
            shifted.add(name)
    sheets: list[ReturnedSheet] = []
    room = MAX_ROWS
    for sheet, layout in tables:
        if sheet.name in wanted and room:
            beyond = EXTRA_CELLS if sheet.name in shifted else 0
            body = sheet.body(layout.header_end, layout.width + beyond)
            for part, own in _blocks(sheet.name, body, layout, headers, context, _Read([])):
                taken = np.isin(part.row_numbers, list(wanted[sheet.name]))
                if taken.any() and room:
                    sheets.append(returned_sheet(sheet.name, part, own, taken, room))
                    room -= len(sheets[-1].rows)
    return tuple(sheets)


def read_row_origins(
    path: Path, suffix: str, contract: Contract, context: Context, limits: IntakeLimits = DEFAULT_LIMITS
) -> dict[tuple[str, int], tuple[str, int]]:
    """Where the rows of a rejection workbook that is delivered stood in the file they came from: sheet and row by sheet
    and row, as the workbook's own columns say.
    """
    headers = HeaderMap.of(contract, context.period.closes_on)
    found: dict[tuple[str, int], tuple[str, int]] = {}
    number_heading, sheet_heading = fold(OWN_HEADINGS[0]), fold(OWN_HEADINGS[3])
    likeness = Likeness.of(headers, context)
    tables, _, _ = _usable_tables(read_content(path, suffix, contract, limits).sheets, headers, context, likeness)
    for sheet, layout in tables:
        labels = [fold(label) for label in layout.labels]
        if number_heading in labels and sheet_heading in labels:
            body = sheet.body(layout.header_end, layout.width)
            numbers, names = (body.columns[labels.index(h)] for h in (number_heading, sheet_heading))
            for row, place in enumerate(body.row_numbers):
                number, name = numbers.at(row), names.at(row)
                if not is_blank(name) and re.fullmatch(r"\d+(\.0+)?", str(number).strip()):
                    found[sheet.name, int(place)] = (str(name), int(float(str(number))))
    return found


# ----------------------------------------------------------------------------------------------------------- tables


def _usable_tables(
    sheets: Sequence[Sheet], headers: HeaderMap, context: Context, likeness: Likeness
) -> tuple[list[tuple[Sheet, Layout]], list[FileRemark], list[Part]]:
    """Sheets with a usable table, remarks on hidden ones, and what is passed over; raises where no sheet is usable or
    one is half usable.
    """
    usable: list[tuple[Sheet, Layout]] = []
    faults: list[tuple[int, HeaderError]] = []
    others: list[Sheet] = []
    noticed: list[FileRemark] = []
    for sheet in sheets:
        layout = find_layout(sheet, headers)
        if layout is None:
            others.append(sheet)
            continue
        try:
            check_layout(layout, headers.contract, context.units.in_titles(layout.title.texts) is not None)
        except HeaderError as error:
            faults.append((_rank(layout, sheet.head()[layout.header_end :], likeness), error))
            others.append(sheet)
            continue
        usable.append((sheet, layout))
        if sheet.hidden:
            message = f"Trang tính ẩn “{sheet.name}” cũng được đọc."
            noticed.append(FileRemark("hidden_part", message, sheet=sheet.name, subject=sheet.name))
    if faults and (not usable or max(rank for rank, _ in faults) >= _HALF_USABLE):
        raise max(faults, key=lambda fault: fault[0])[1]
    if not usable:
        expected = ", ".join(f"“{c.title_vi}”" for c in headers.contract.columns if c.required)
        names = ", ".join(f"“{sheet.name}”" for sheet in others if not sheet.hidden)
        raise _Refusal(
            f"Không tìm thấy dòng tiêu đề của bảng. Cần có các cột: {expected}. Đã tìm ở trang tính: {names}."
        )
    parts: list[Part | None] = []
    for sheet, layout in usable:
        likeness.learn(layout, sheet.head()[layout.header_end :])
    for sheet, layout in usable:
        above = enumerate(sheet.head()[: layout.header_start], 1)
        parts.append(likeness.part("skipped_block", sheet.name, "phía trên dòng tiêu đề", above, is_aside=True))
    for sheet in others:
        is_aside = sheet.hidden or sheet.name in HELP_SHEETS
        body = sheet.body(0, sheet.width())
        rows = zip(body.row_numbers.tolist(), body.rows(np.arange(len(body.row_numbers))), strict=True)
        reason = "hidden_sheet" if sheet.hidden else "help_sheet" if is_aside else "sheet_without_table"
        parts.append(likeness.part("skipped_sheet", sheet.name, "", rows, is_aside=is_aside, reason=reason))
    return usable, noticed, [part for part in parts if part is not None]


def _rank(layout: Layout, rows: Sequence[Sequence[v.Cell]], likeness: Likeness) -> int:
    """How much a header that cannot be used is that of a table of the source; from ``_HALF_USABLE`` on it surely is:
    it has half of the required columns, or keys stand below it.
    """
    keys = [(layout.positions[n], likeness.fits[n]) for n in likeness.contract.key if n in layout.positions]
    has_keys = any(place < len(row) and fits(row[place]) for row in rows for place, fits in keys)
    is_half = 2 * sum(name in layout.positions for name in likeness.required) >= max(4, len(likeness.required))
    return len(layout.positions) + (_HALF_USABLE if has_keys or is_half else 0)


def _told_of_totals(totals: TotalsCheck, contract: Contract) -> list[FileRemark]:
    """What is said of sums that differ from those of the rows, a remark each; raises where the contract refuses such a
    file.
    """
    if totals.differences and contract.totals is not None and contract.totals.effect == "refuse":
        several = len(totals.differences) - _TOLD_TOTALS
        told = " ".join(difference.message_vi for difference in totals.differences[:_TOLD_TOTALS])
        told += f" Và {several} chỗ khác." if several > 0 else ""
        raise UnreadableFileError(
            "total_mismatch",
            f"{told} Tệp có thể bị thiếu dòng hoặc ghi sai số. Kiểm tra từng dòng và dòng tổng cộng rồi nộp lại.",
        )
    return [
        FileRemark(
            "totals_differ",
            difference.message_vi,
            sheet=difference.sheet,
            row=difference.row,
            column=difference.column.name,
            subject=f"{difference.sheet}: {difference.column.title_vi}, dòng {difference.row}",
            value=shown(difference.stated),
            expected=shown(difference.whole),
        )
        for difference in totals.differences
    ]


def _is_proven(stated: list[tuple[int, list[int]]], vouched: _Vouched, totals: TotalsCheck) -> bool:
    """Whether the sender's note, a stated count or the sums of a total row say that no row is missing; raises where a
    count says that the file is not whole.

    ``stated`` gives, for each sheet, the rows read and the counts that the sheet states of itself: its total, its
    groups' totals, or both.
    """
    total = sum(rows for rows, _ in stated)
    if vouched.declared_rows is not None and vouched.declared_rows not in (-1, total):
        raise UnreadableFileError(
            "row_count_mismatch",
            f"Tệp .done ghi {vouched.declared_rows} dòng nhưng tệp có {total} dòng: tệp thiếu hoặc thừa dòng. "
            "Xuất lại tệp rồi nộp lại cả hai tệp.",
        )
    proven = vouched.declared_rows is not None or totals.proves_whole
    for rows, counts in stated:
        if not counts:
            continue
        if not {rows, total} & {*counts, sum(counts)} and sum(counts) != 2 * rows:
            said = ", ".join(map(str, counts))
            raise UnreadableFileError(
                "row_count_mismatch",
                f"Tệp ghi tổng cộng {said} nhưng đọc được {rows} dòng: tệp có thể bị cắt bớt. "
                "Xuất lại đủ số dòng rồi nộp lại, hoặc sửa dòng tổng cộng.",
            )
        proven = True
    return proven


def _check_unproven(content: FileContent, vouched: _Vouched, limits: IntakeLimits) -> None:
    """Refuses a text file of which nothing proves that it is whole, where something speaks against it or proof is
    demanded.
    """
    if content.may_be_cut:
        raise UnreadableFileError("truncated", content.cut_vi)
    if vouched.is_beginning:
        raise UnreadableFileError(
            "truncated",
            "Tệp chỉ là phần đầu của bản cùng tên đã nộp trước đó: phần cuối bị mất. Xuất lại đủ rồi nộp lại; nếu thật "
            "sự đã bớt phần cuối thì thêm dòng tổng cộng ghi số dòng (bảng CSV) hoặc nộp kèm tệp .done.",
        )
    if limits.csv_needs_proof:
        raise UnreadableFileError("unproven", content.unproven_vi)


def _check_period(title: TitleBlock, context: Context) -> None:
    """Refuses a file whose title names another period than its folder's.

    A window agrees when it lies inside the quarter's window or covers at least half of it: offices also report calendar
    quarters and the year to date.
    """
    period = context.period
    folder = f"{period.quarter} (từ {period.opens_on:%d/%m/%Y} đến {period.closes_on:%d/%m/%Y})"
    if title.window is not None:
        first, last = title.window
        shared = (min(last, period.closes_on) - max(first, period.opens_on)).days + 1
        inside = shared == (last - first).days + 1
        if not inside and shared * 2 < (period.closes_on - period.opens_on).days + 1:
            raise _Refusal(
                f"Tệp ghi kỳ từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}, nhưng nằm trong thư mục của kỳ {folder}. "
                "Chuyển tệp sang đúng thư mục hoặc xuất lại đúng kỳ.",
                title,
                WRONG_QUARTER,
            )
    elif title.quarters and period.quarter not in title.quarters:
        raise _Refusal(
            f"Tệp ghi kỳ {', '.join(title.quarters)}, nhưng nằm trong thư mục của kỳ {folder}. "
            "Chuyển tệp sang đúng thư mục hoặc xuất lại đúng kỳ.",
            title,
            WRONG_QUARTER,
        )


# ------------------------------------------------------------------------------------------------------------- rows


def _kernel(column: Column, context: Context) -> Kernel | None:
    if column.type == "datetime":
        return datetime_kernel(context.period.closes_on if column.not_after == "closing" else None)
    return case_code_kernel if column.type == "case_code" else None


def _arrow_type(column: Column, contract: Contract) -> pa.DataType:
    return _FIGURE if column.type == "number_or_text" else contract.arrow_schema().field(column.name).type


def _parse_rows(
    sheet_name: str, body: Body, layout: Layout, headers: HeaderMap, context: Context
) -> tuple[Rows, list[RowRemark]]:
    """Parses the data rows of one sheet, column by column."""
    contract = headers.contract
    total = len(body.row_numbers)
    rows = Rows({}, np.full(total, sheet_name, dtype=object), body.row_numbers)
    remarks: list[RowRemark] = []
    plain = [c for c in contract.columns if c.derived_from is None and not c.transient]
    parsed_columns = dict(
        zip((c.name for c in plain), _parsed_columns(plain, contract, body, layout, context), strict=True)
    )
    for column in contract.columns:
        if column.derived_from is not None:
            rows.columns[column.name] = _person_keys(column, contract, body, layout, context, rows, remarks)
        elif not column.transient:
            parsed = parsed_columns[column.name]
            rows.columns[column.name] = parsed.values
            bad = np.zeros(total, dtype=bool)
            for cells in parsed.remarks:
                remarks.append(RowRemark(cells.rows, column.name, cells.value, cells.remark, cells.rejects))
                if cells.rejects:
                    bad[cells.rows] = True
            rows.bad_cells[column.name] = bad
        elif column.name in layout.positions:
            given = body.columns[layout.positions[column.name]]
            filled = ~(given.blank() | given.among(v.NULL_CELLS))
            rows.columns[column.name] = pa.array(["x" if f else None for f in filled], pa.string())
        else:
            rows.columns[column.name] = pa.nulls(total, pa.string())
    ragged = np.flatnonzero(np.isin(body.row_numbers, list(body.ragged)))
    if len(ragged):
        remark = Remark(
            WRONG_FIELD_COUNT,
            "Dòng thừa hoặc thiếu cột so với tiêu đề",
            "Kiểm tra dấu phân cách và dấu ngoặc kép của dòng, hoặc xuất lại tệp.",
        )
        remarks.append(RowRemark(ragged, None, HIDDEN_VALUE, remark, True))
    return rows, remarks


def _parsed_columns(
    columns: list[Column], contract: Contract, body: Body, layout: Layout, context: Context
) -> list[ParsedColumn]:
    """The columns parsed, in order; in threads where there are enough rows for it to be worth it."""

    def parsed(column: Column) -> ParsedColumn:
        return _parsed(column, contract, body, layout, context, len(body.row_numbers))

    if len(body.row_numbers) < _THREADED_ROWS:
        return [parsed(column) for column in columns]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(parsed, columns))


def _parsed(
    column: Column, contract: Contract, body: Body, layout: Layout, context: Context, total: int
) -> ParsedColumn:
    arrow_type = _arrow_type(column, contract)
    if column.name in layout.positions:
        cells = body.columns[layout.positions[column.name]]
        if body.counts_from_1904 and column.type in _CALENDAR_TYPES and isinstance(cells, ListColumn):
            cells = cells.shifted(_DAYS_BETWEEN_EPOCHS)
        if isinstance(cells, ListColumn):
            cells = cells.settled(column.type in _FIGURE_TYPES)
        return parse_column(cells, parser_of(column, context, contract), arrow_type, _kernel(column, context))
    value = context.units.in_titles(layout.title.texts) if column.from_title_block else column.default
    return ParsedColumn(pa.array([value], arrow_type).take(pa.array(np.zeros(total, dtype=np.int64))), [])


def _person_keys(
    column: Column,
    contract: Contract,
    body: Body,
    layout: Layout,
    context: Context,
    rows: Rows,
    remarks: list[RowRemark],
) -> pa.Array:
    """Keys of persons. What identifies them is read here and leaves only as a keyed hash."""
    plan = column.derived_from
    assert plan is not None
    cells: dict[str, CellColumn] = {
        name: body.columns[layout.positions[name]] for name in plan.columns if name in layout.positions
    }
    keys: list[str | None] = []
    bad = np.zeros(len(body.row_numbers), dtype=bool)
    for i in range(len(body.row_numbers)):
        reading = _person_key(plan.code, plan.hashed, cells, i, contract, context.secret_key)
        keys.append(reading.value)
        if reading.rejection is not None:
            bad[i] = True
            remarks.append(RowRemark(np.array([i]), column.name, HIDDEN_VALUE, reading.rejection, True))
    rows.bad_cells[column.name] = bad
    return pa.array(keys, pa.string())


def _person_key(
    code_name: str | None,
    hashed: list[str],
    cells: dict[str, CellColumn],
    row: int,
    contract: Contract,
    secret: bytes,
) -> Reading:
    """The key of one row's person. Without a code column nothing is asked for: no whole name and date, no key."""

    def cell(name: str) -> v.Cell:
        value = cells[name].at(row) if name in cells else None
        return None if is_blank(value) else value

    if code_name is not None:
        code = v.parse_code(cell(code_name))
        if code.rejection is not None:
            return Reading(
                rejection=Remark(
                    code.rejection.code, "Số hiệu không phải dạng văn bản hoặc bị lỗi", code.rejection.advice_vi
                )
            )
        if code.value is not None:
            return Reading(v.person_key(secret, "code", code.value.upper()))
    names: list[str] = []
    births: list[str] = []
    for name in hashed:
        is_birth = contract.column(name).type == "date"
        reading = (v.parse_birth if is_birth else v.parse_text)(cell(name))
        if reading.rejection is not None:
            if code_name is None:
                return Reading()
            return rejected(
                "unreadable_person",
                f"Không đọc được “{contract.column(name).title_vi}”",
                "Sửa lại, hoặc bổ sung số hiệu.",
            )
        if reading.value is not None:
            (births if is_birth else names).append(reading.value)
    if not names or (code_name is None and len(births) != 1):
        return Reading()
    if len(births) != 1:
        return rejected(
            "person_not_identified",
            "Không có số hiệu và không có đúng một ngày sinh",
            "Bổ sung số hiệu, hoặc họ tên và ngày sinh (chỉ ở một cột Nam hoặc Nữ).",
        )
    return Reading(v.person_key(secret, "name", *(n.casefold() for n in names), births[0]))


def _joined(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    return Rows(
        {name: pa.concat_arrays([p.columns[name] for p in parts]) for name in parts[0].columns},
        np.concatenate([p.sheets for p in parts]),
        np.concatenate([p.numbers for p in parts]),
        {name: np.concatenate([p.bad_cells[name] for p in parts]) for name in parts[0].bad_cells},
    )


def _resolve_procedures(rows: Rows, contract: Contract, context: Context) -> list[RowRemark]:
    """Fills procedure codes from names where the code is blank; each pair of name and day is looked up once."""
    remarks: list[RowRemark] = []
    for column in contract.columns:
        plan = column.resolved_from
        if plan is None:
            continue
        names, days = (
            rows.columns[plan.name],
            pc.cast(pc.floor_temporal(rows.columns[plan.day], unit="day"), pa.date32()),
        )
        wanted = np.flatnonzero(
            ~rows.present(column.name)
            & pc.is_valid(names).to_numpy(zero_copy_only=False)
            & pc.is_valid(days).to_numpy(zero_copy_only=False)
        )
        if not len(wanted):
            continue
        at = pa.array(wanted)
        pairs = pa.table({"name": names.take(at), "day": days.take(at)})
        codes, distinct = _distinct_pairs(pairs)
        readings = [context.procedures.resolve(name, day) for name, day in distinct]
        found = pa.array([r.value for r in readings], pa.string()).take(pa.array(codes))
        mask = np.zeros(len(rows), dtype=bool)
        mask[wanted] = True
        rows.columns[column.name] = pc.replace_with_mask(rows.columns[column.name], pa.array(mask), found)
        by_place = np.split(wanted[np.argsort(codes, kind="stable")], np.cumsum(np.bincount(codes))[:-1])
        for reading, (name, _), places in zip(readings, distinct, by_place, strict=True):
            if reading.rejection is not None:
                remarks.append(RowRemark(places, plan.name, name, reading.rejection, True))
    return remarks


def _distinct_pairs(pairs: pa.Table) -> tuple[np.ndarray, list[tuple[str, dt.date]]]:
    names, days = (pairs.column(n).combine_chunks().dictionary_encode() for n in ("name", "day"))
    width = len(days.dictionary)
    joint = names.indices.to_numpy().astype(np.int64) * width + days.indices.to_numpy()
    keys, codes = np.unique(joint, return_inverse=True)
    known_names, known_days = names.dictionary.to_pylist(), days.dictionary.to_pylist()
    return codes, [(known_names[k // width], known_days[k % width]) for k in keys.tolist()]


# ---------------------------------------------------------------------------------------------------------- outcome


def _rows_of(remarks: list[RowRemark], total: int, *, rejects: bool) -> np.ndarray:
    mask = np.zeros(total, dtype=bool)
    for remark in remarks:
        if remark.rejects == rejects:
            mask[remark.rows] = True
    return mask


def _settled(
    rows: Rows,
    remarks: list[RowRemark],
    taken: np.ndarray,
    read: _Read,
    identity: FileIdentity,
    contract: Contract,
) -> Intake:
    total = len(rows)
    accepted = _accepted(rows, ~taken, identity, contract)
    rejections = _remark_table(remarks, rows, identity, taken, rejects=True)
    findings = _remark_table(remarks, rows, identity, ~taken, rejects=False)
    rows_rejected = _distinct_rows(rejections)
    if accepted.num_rows + rows_rejected != total:
        raise ConservationError(
            f"{identity.delivery_id}: {total} read, {accepted.num_rows} accepted, {rows_rejected} rejected"
        )
    if total == 0:
        outcome = "nothing_to_report"
        if "nothing" not in read.furniture:
            read.noticed.append(NOTHING_UNSAID)
    elif rows_rejected == 0:
        outcome = "accepted"
    else:
        outcome = "partly_accepted"
    layouts = [tally.layout for tally in read.tallies]
    headed = {name for layout in layouts for name in layout.positions}
    blanks = list(noticing.of_blanks(accepted, headed, contract))
    read.noticed += blanks
    mapped = headed - {remark.subject for remark in blanks}
    windows = [layout.title.window for layout in layouts if layout.title.window]
    return Intake(
        outcome,
        accepted,
        rejections,
        findings,
        _file_remarks(read.noticed, identity),
        _furniture_table(read.proofs, identity),
        total,
        rows_rejected,
        _distinct_rows(findings),
        columns_mapped=tuple(c.name for c in contract.columns if c.name in mapped),
        unknown_columns=tuple(dict.fromkeys(label for layout in layouts for _, label in layout.unknown)),
        window=windows[0] if windows else None,
        furniture={kind: count for kind, count in sorted(read.furniture.items()) if count},
        message_vi=message_of(read.noticed),
    )


def _furniture_table(proofs: list[tuple[str, Proof]], identity: FileIdentity) -> pa.Table:
    """One record a row that is neither data nor blank, in the order of the file."""
    sheets = pa.array([sheet for sheet, _ in proofs], pa.string())
    arrays = _lineage(identity, sheets, pa.array([proof.row_number for _, proof in proofs], pa.int64()))
    arrays += [pa.array([getattr(p, name) for _, p in proofs], pa.string()) for name in ("kind", "reason")]
    return pa.Table.from_arrays(arrays, names=FURNITURE_SCHEMA.names)


def _file_remarks(noticed: list[FileRemark], identity: FileIdentity) -> pa.Table:
    return remark_table(
        noticed,
        _delivery_id=identity.delivery_id,
        _source=identity.source,
        _unit_code=identity.unit_code,
        _quarter=identity.quarter,
        _file_name=identity.file_name,
        _file_sha256=identity.sha256,
    )


def _constant(value: str, total: int) -> pa.DictionaryArray:
    """The same text for every row; a dictionary, since a million copies of a hash would be the largest thing here."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(total, dtype=np.int32)), pa.array([value], pa.string()))


def _lineage(identity: FileIdentity, sheets: pa.Array, numbers: pa.Array) -> list[pa.Array]:
    constants = (
        identity.delivery_id,
        identity.source,
        identity.unit_code,
        identity.quarter,
        identity.file_name,
        identity.sha256,
    )
    return [*(_constant(c, len(numbers)) for c in constants), sheets, numbers]


def _accepted(rows: Rows, mask: np.ndarray, identity: FileIdentity, contract: Contract) -> pa.Table:
    """The rows of the mask as the lake keeps them; lineage is dictionary-encoded until it is written."""
    everything = bool(mask.all())
    keep = pa.array(mask)
    arrays = _lineage(identity, _sheet_names(rows.sheets[mask]), pa.array(rows.numbers[mask], pa.int64()))
    for column in contract.lake_columns():
        values = rows.columns[column.name] if everything else rows.columns[column.name].filter(keep)
        if column.type == "number_or_text":
            arrays += [pc.struct_field(values, "number"), pc.struct_field(values, "text")]
        else:
            arrays.append(values)
    return pa.Table.from_arrays(arrays, names=contract.arrow_schema().names)


def _sheet_names(sheets: np.ndarray) -> pa.Array:
    codes, names = pd.factorize(sheets)
    indices = pa.array(codes.astype(np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array(names.tolist(), pa.string()))


def _remark_table(
    remarks: list[RowRemark], rows: Rows, identity: FileIdentity, among: np.ndarray, *, rejects: bool
) -> pa.Table:
    """One record a remark and row, in the order of the file, then of column and reason."""
    wanted = [r for r in remarks if r.rejects == rejects]
    told = [(r.column or "", r.remark.code, r.value, r.remark.reason_vi, r.remark.advice_vi) for r in wanted]
    distinct = sorted(set(told))
    ranks = {text: rank for rank, text in enumerate(distinct)}
    nowhere = np.zeros(0, dtype=np.int64)
    places = np.concatenate([nowhere, *(r.rows for r in wanted)])
    texts = np.concatenate([nowhere, *(np.full(len(r.rows), ranks[t]) for r, t in zip(wanted, told, strict=True))])
    kept = among[places]
    places, texts = places[kept], texts[kept]
    order = np.lexsort((texts, places))
    places, chosen = places[order], pa.array(texts[order])
    arrays = _lineage(identity, _sheet_names(rows.sheets[places]), pa.array(rows.numbers[places], pa.int64()))
    for part in (0, 2, 1, 3, 4):
        arrays.append(pa.array([text[part] for text in distinct], pa.string()).take(chosen))
    return pa.Table.from_arrays(arrays, names=REMARK_SCHEMA.names)


def _distinct_rows(table: pa.Table) -> int:
    return int(table.group_by(["_sheet", "_row"]).aggregate([]).num_rows)

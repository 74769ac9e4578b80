"""Step of reading: the rows of data as values of the contract's columns, with what is wrong with single cells.

Belongs here: from cells to values, whole columns at a time, and the keys of persons. Does not belong here: parsers
(``values``, ``resolve``), rules between cells (``rules``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ingestion.base.contracts import CALENDAR_TYPES, DECIMAL, FIGURE_TYPES, Column, Contract
from ingestion.base.readings import Reading, Remark, rejected
from ingestion.base.remarks import FileRemark
from ingestion.reading.grid import Body, CellColumn, ListColumn, is_blank
from ingestion.rows import noticing
from ingestion.rows import values as v
from ingestion.rows.columns import Kernel, ParsedColumn, case_code_kernel, datetime_kernel, parse_column
from ingestion.rows.furniture import serials
from ingestion.rows.headers import HeaderMap, Layout
from ingestion.rows.legends import check_legends
from ingestion.rows.parsers import parser_of
from ingestion.rows.passed_over import DataProfile, Part
from ingestion.rows.resolve import Context
from ingestion.rows.rules import WRONG_FIELD_COUNT, RowRemark, Rows
from ingestion.rows.tables import DataTable, DateNotation, FileRows, NonDataRows, SheetRows
from ingestion.rows.untouched import mark_in
from ingestion.rows.whole_columns import date_notations
from ingestion.text.numbers import factor_in, is_share
from ingestion.text.vietnamese import LabelIndex

HIDDEN_VALUE = ""
_UNIT_HEADINGS: LabelIndex[bool] = LabelIndex()
_UNIT_HEADINGS.add_all(("ĐVT", "Đơn vị tính"), True)
_FIGURE = pa.struct([("number", DECIMAL), ("text", pa.string())])


def parse_tables(tables: Iterable[DataTable], headers: HeaderMap, profile: DataProfile, context: Context) -> FileRows:
    """The rows of all tables; each is parsed before the next one is asked for, so that its cells can be let go."""
    contract, last_serial = headers.contract, 0
    parts: list[Rows] = []
    remarks: list[RowRemark] = []
    placed: list[SheetRows] = []
    notations: list[DateNotation] = []
    beside: list[Part] = []
    non_data: list[NonDataRows] = []
    noticed: list[FileRemark] = []
    for table in tables:
        name, layout, texts = table.sheet, table.layout, table.furniture.texts
        notations += date_notations(table.body, layout, contract)
        rows, noted = parse_rows(name, table.body, layout, contract, context)
        first = sum(map(len, parts))
        remarks += [replace(remark, rows=remark.rows + first) for remark in noted]
        parts.append(rows)
        placed.append(SheetRows(name, layout, table.furniture, first, len(rows), table.form_rows_met, table.typed))
        noticed += table.noticed
        beside += [table.beside] if table.beside is not None else []
        non_data.append(table.non_data)
        noticed += noticing.of_headings(name, table.body, layout, headers, profile.fits)
        noticed += noticing.of_titles(name, layout, texts, contract, context.period)
        noticed += noticing.of_units(name, layout, texts, contract)
        noticed += check_legends(name, table.body, layout, texts, contract)
        noticed += noticing.of_pages(name, texts)
        for place in sorted(layout.counters)[:1]:
            numbers = serials(table.body.columns[place])
            noticed += noticing.of_serials(name, numbers, last_serial)
            last_serial = int(numbers.max(initial=0))
    return FileRows(
        Rows.joined(parts),
        tuple(remarks),
        tuple(placed),
        tuple(notations),
        tuple(beside),
        NonDataRows.joined(non_data),
        tuple(noticed),
    )


def parse_rows(
    sheet_name: str, body: Body, layout: Layout, contract: Contract, context: Context
) -> tuple[Rows, list[RowRemark]]:
    """The values of some rows of data, column by column, and what is wrong with their cells."""
    total = len(body.row_numbers)
    rows = Rows({}, np.full(total, sheet_name, dtype=object), body.row_numbers)
    remarks: list[RowRemark] = []
    plain = [c for c in contract.columns if c.derived_from is None and not c.transient]
    parsed_columns = {c.name: _parsed(c, contract, body, layout, context, total) for c in plain}
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
    return rows, [*remarks, *_other_units(rows, body, layout, contract, context)]


def _other_units(rows: Rows, body: Body, layout: Layout, contract: Contract, context: Context) -> Iterator[RowRemark]:
    """Rows that say beside their figure that it is thousands or a percentage, and whose row of the form does not. What
    a template shows beside its rows is nobody's statement.
    """
    plan = contract.form_row or contract.figure_of_form
    if plan is None or mark_in(layout.title.texts):
        return
    by_code = {row.code: row for row in context.form_rows}
    codes = rows.columns[plan.code].to_pylist()
    for i, label in enumerate(layout.labels):
        if not _UNIT_HEADINGS.find(label.partition("(")[0]):
            continue
        for place, cell in enumerate(body.columns[i].pick(np.arange(len(codes)))):
            said = v.printed(cell)
            factor, own = factor_in(said), by_code.get(codes[place] or "")
            if factor is None or (own is None and is_share(factor)):
                continue
            is_own = own is not None and (
                factor.casefold() in f"{own.unit} {own.printed_unit}".casefold()
                or (is_share(factor) and own.kind == "ratio")
            )
            if not is_own:
                remark = Remark(
                    "other_unit",
                    f"Đơn vị tính ghi “{said}”" + (f" nhưng {own.place_vi} tính bằng “{own.unit}”" if own else ""),
                    "Ghi số đầy đủ theo đơn vị tính của biểu (không ghi theo nghìn, triệu, %) rồi sửa cột đơn vị tính.",
                )
                yield RowRemark(np.array([place]), plan.value, said, remark, True)


def _parsed(
    column: Column, contract: Contract, body: Body, layout: Layout, context: Context, total: int
) -> ParsedColumn:
    arrow_type = _arrow_type(column, contract)
    if column.name in layout.positions:
        cells = body.columns[layout.positions[column.name]]
        if body.counts_from_1904 and column.type in CALENDAR_TYPES and isinstance(cells, ListColumn):
            cells = cells.shifted(v.EPOCHS_APART)
        if isinstance(cells, ListColumn):
            cells = cells.settled(column.type in FIGURE_TYPES)
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


def _kernel(column: Column, context: Context) -> Kernel | None:
    if column.type == "datetime":
        return datetime_kernel(context.period.closes_on if column.not_after == "closing" else None)
    return case_code_kernel if column.type == "case_code" else None


def _arrow_type(column: Column, contract: Contract) -> pa.DataType:
    return _FIGURE if column.type == "number_or_text" else contract.arrow_schema().field(column.name).type

"""What stands in a template before a clerk has it: the rows of the period before, or those of the form.

Belongs here: values of the lake as a clerk types them, which of them may be changed and which are asked for. Does not
belong here: how the workbook looks (``templates``), where last period's rows come from (``dry_run``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ingestion.base.contracts import Column, Contract, FormRowColumns, load_contracts
from ingestion.base.reference import FormRow
from ingestion.clerk.fields import offered_label
from ingestion.rows.resolve import Context
from ingestion.rows.untouched import NOTHING, UNCHANGED
from ingestion.rows.values import printed
from ingestion.text.numbers import decimal_vi


@dataclass(frozen=True)
class Shown:
    """A column of a template that is only looked at: what it tells of each row of the form."""

    heading: str
    width: int
    help_vi: str


@dataclass(frozen=True)
class Known:
    """What stands in a cell already. ``is_open``: the clerk may change it; ``is_asked``: it waits to be filled in."""

    value: str | int | float | None
    is_open: bool = True
    is_asked: bool = False
    is_bold: bool = False


@dataclass(frozen=True)
class Prefilled:
    """The columns of a template and the rows that stand in it.

    ``data_rows``: the rows that would be data as they are, cells as printed; rows of the form are none before somebody
    fills them in. ``answers`` are what an office may say above the table, ``notes_vi`` what the help sheet says of it.
    """

    columns: Sequence[Column | Shown]
    rows: Sequence[Sequence[Known]] = ()
    data_rows: Sequence[Sequence[str]] = ()
    answers: Sequence[str] = (NOTHING,)
    notes_vi: Sequence[str] = ()


def filled(
    contract: Contract, columns: Sequence[Column], context: Context | None, last_rows: Iterable[Mapping[str, Any]]
) -> Prefilled:
    """The template of a unit as far as it is known; ``last_rows`` are its rows of the period before, in their order."""
    known = _by_key(contract, last_rows)
    if contract.form_row is not None and context is not None and context.form_rows:
        both, rows = _form_table(contract, contract.form_row, columns, context.form_rows, known)
        return Prefilled(both, rows, notes_vi=_FORM_NOTES)
    if not contract.carried_over or context is None or not known:
        return Prefilled(columns)
    names = _names_by_code(context)
    rows = [[_known_cell(column, row, names, context.period.closes_on) for column in columns] for row in known]
    printed_rows = [[printed(cell.value) for cell in row] for row in rows]
    notes = [_CARRIED_NOTE.format(rows=len(rows))]
    if asked := [c.title_vi for c in columns if c.transient]:
        notes.append(_PERSONS_NOTE.format(columns=", ".join(f"“{title}”" for title in asked)))
        return Prefilled(columns, rows, printed_rows, notes_vi=notes)
    if contract.belonging is not None and contract.belonging.year_by:
        notes.append(_YEAR_NOTE)
    return Prefilled(columns, rows, printed_rows, (NOTHING, UNCHANGED), notes)


_CARRIED_NOTE = (
    "Bảng có sẵn {rows} dòng đơn vị đã nộp kỳ trước và đã được nhận: sửa dòng thay đổi, thêm dòng mới, xóa dòng "
    "không còn."
)
_PERSONS_NOTE = (
    "Hệ thống không giữ họ tên, số hiệu, ngày sinh nên các cột {columns} để trống (ô màu vàng): điền cho từng người; "
    "dòng không điền sẽ bị trả lại."
)
_YEAR_NOTE = "Sang năm kế hoạch mới: xóa nhiệm vụ của kế hoạch năm trước."
_FORM_NOTES = (
    "Mỗi chỉ tiêu của biểu có sẵn một dòng. Điền cột Số liệu ở các ô màu vàng (đơn vị khai báo).",
    "Chỉ tiêu hệ thống tính được thì có thể ghi số của đơn vị để đối chiếu; khác nhau thì cần quyết định lấy số nào.",
    "Dòng để trống được hiểu là chưa báo cáo, không phải số 0. Không có thì ghi 0.",
    "Số liệu và minh chứng kỳ trước chỉ để tham khảo, không được tính cho kỳ này.",
)


def _by_key(contract: Contract, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows in their order, of several with one key the last."""
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in contract.key)
        found.pop(key, None)
        found[key] = row
    return list(found.values())


def _names_by_code(context: Context) -> dict[str, str]:
    return {code: name for code, name in context.units.entries if context.units.find(name) == {code}}


def _known_cell(column: Column, row: Mapping[str, Any], unit_names: Mapping[str, str], on: dt.date) -> Known:
    """A value of the lake as a clerk types it. What tells of a person is not known, and is asked."""
    if column.transient:
        return Known(None, is_asked=True)
    value = row.get(column.name)
    if value is None:
        return Known(None)
    match column.type:
        case "enum":
            return Known(offered_label(column, value, on))
        case "flag" | "presence":
            return Known("Có" if value else "Không")
        case "unit":
            return Known(unit_names.get(value, value))
        case "month":
            return Known(f"{value:%m/%Y}")
        case "integer":
            return Known(int(value))
        case "decimal":
            return Known(float(value))
    return Known(printed(value))


def _form_table(
    contract: Contract,
    plan: FormRowColumns,
    given: Sequence[Column],
    form: Sequence[FormRow],
    known: Sequence[Mapping[str, Any]],
) -> tuple[list[Column | Shown], list[list[Known]]]:
    """Every row of the form, with last period's figure and evidence beside it; then last period's rows beyond it."""
    shown = plan.shown
    beside = {
        plan.code: [Shown(shown.number, 8, "Số thứ tự in trong biểu.")],
        plan.name: [
            Shown(shown.unit, 14, "Đơn vị tính của chỉ tiêu."),
            Shown(shown.source, 20, "Đơn vị khai báo, hoặc hệ thống tính từ nguồn số liệu nào."),
            Shown(shown.previous, 14, "Số đơn vị khai báo kỳ trước."),
            Shown(shown.evidence, 20, "Văn bản minh chứng đơn vị ghi kỳ trước."),
        ],
    }
    columns: list[Column | Shown] = []
    for column in given:
        columns += [column, *beside.get(column.name, ())]
    last = {row[plan.code]: row for row in known}
    sources = {name: f"Tính từ {c.title_vi}" for name, c in load_contracts().items()}
    sources |= {contract.source: "Đơn vị khai báo", "derived": "Tính từ chỉ tiêu khác", "": ""}
    rows = []
    for row in form:
        texts = {
            plan.code: row.code,
            plan.name: row.names[-1],
            shown.number: row.number,
            shown.unit: row.unit,
            shown.source: sources[row.source],
            **_previous(plan, last.pop(row.code, {})),
        }
        rows.append([_form_cell(column, texts, plan, row, contract.source) for column in columns])
    for code, values in last.items():
        texts = {plan.code: code, plan.name: values[plan.name] or "", **_previous(plan, values)}
        rows.append([_form_cell(column, texts, plan, None, contract.source) for column in columns])
    return columns, rows


def _previous(plan: FormRowColumns, row: Mapping[str, Any]) -> dict[str, str]:
    number, text = row.get(plan.value), row.get(f"{plan.value}_text")
    figure = text or (decimal_vi(Decimal(number)) if number is not None else "")
    return {plan.shown.previous: figure, plan.shown.evidence: row.get(plan.evidence) or ""}


def _form_cell(
    column: Column | Shown, texts: Mapping[str, str], plan: FormRowColumns, row: FormRow | None, contract_source: str
) -> Known:
    is_heading = row is not None and row.is_heading
    if isinstance(column, Shown):
        return Known(texts.get(column.heading, ""), is_open=False, is_bold=is_heading)
    name = column.name
    if name in (plan.code, plan.name):
        return Known(texts[name], is_open=False, is_bold=is_heading)
    if name == plan.value:
        is_asked = row is None or row.source == contract_source
        return Known(None, is_open=not is_heading, is_asked=is_asked and not is_heading)
    return Known(None, is_open=not is_heading or name == plan.note)

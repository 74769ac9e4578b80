"""How each column of a source is filled in: hint, example, the values a clerk may choose from, what a cell may hold.

Belongs here: what follows of that from the contract, the period and the names of a unit, for any workbook that a clerk
writes into. Does not belong here: how such a workbook looks (``templates``, ``feedback``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from common.periods import Period
from ingestion.base.contracts import Column, Contract
from ingestion.rows.own_words import LISTS_SHEET
from ingestion.rows.resolve import Context
from ingestion.rows.untouched import NOTHING

_EXAMPLE_DAY = dt.date(2023, 3, 1)
_HINT_TITLE, _HINT_TEXT = 32, 255
TEXT, _WHOLE, _NUMBER = "@", "0", "0.####"
_LARGEST = 999_999_999


@dataclass(frozen=True)
class Field:
    """One column of a template: how its cells are formatted, hinted at and limited."""

    column: Column
    hint: str
    example: str
    options: tuple[str, ...] = ()
    options_only: bool = False

    @property
    def number_format(self) -> str:
        return {"integer": _WHOLE, "decimal": _NUMBER}.get(self.column.type, TEXT)

    @property
    def message(self) -> str:
        """What a spreadsheet shows beside the selected cell."""
        must = "Bắt buộc. " if self.column.required else ""
        meaning = f"{self.column.help_vi} " if self.column.help_vi else ""
        return f"{must}{meaning}{self.hint} Ví dụ: {self.example}"[:_HINT_TEXT]


def template_columns(contract: Contract, on: dt.date | None = None) -> list[Column]:
    """The columns a clerk fills in: valid on the day, not derived, and of several birth dates the one for everybody."""
    hashed = dict.fromkeys(n for c in contract.columns if c.derived_from for n in c.derived_from.hashed)
    births = [name for name in hashed if contract.column(name).type == "date"]
    return [
        c
        for c in contract.columns
        if c.derived_from is None and c.name not in births[1:] and (on is None or c.asked_on(on))
    ]


def template_fields(contract: Contract, period: Period | None, context: Context | None) -> list[Field]:
    """The columns of the template, each with how it is filled in; the examples together are a row without a fault."""
    day = max(period.opens_on, period.closes_on - dt.timedelta(days=7)) if period else _EXAMPLE_DAY
    columns = template_columns(contract, period.closes_on if period else None)
    return [_field(column, contract, day, period, context) for column in columns]


def _field(column: Column, contract: Contract, day: dt.date, period: Period | None, context: Context | None) -> Field:
    match column.type:
        case "enum":
            labels = tuple(column.offered(period.closes_on if period else None).values())
            example = column.example if column.example in labels else labels[0]
            first = contract.columns[0].name == column.name
            return Field(column, "Chọn trong danh sách.", example, (*labels, *((NOTHING,) if first else ())), True)
        case "flag":
            return Field(column, "Chọn Có hoặc Không; chưa rõ thì để trống.", "Có", ("Có", "Không"), True)
        case "presence":
            return Field(column, "Chọn Có hoặc Không.", "Có", ("Có", "Không"))
        case "unit":
            names = _unit_names(context)
            return Field(column, "Chọn hoặc ghi đúng tên đơn vị.", names[0] if names else "Phòng Nội vụ", names)
        case "procedure_code" | "text" if context is not None and (listed := _procedures(column, contract, context)):
            return Field(column, "Chọn trong danh mục của kỳ hoặc ghi đúng như danh mục.", listed[0], listed)
        case "month":
            months = _months(period)
            return Field(column, "Ghi tháng/năm.", months[-1] if months else f"{day:%m/%Y}", months)
    hint, example = _HINTS[column.type]
    if column.type in ("date", "datetime") and column.not_after == "closing":
        hint += " Không sau ngày chốt số liệu" + (f" {period.closes_on:%d/%m/%Y}." if period else ".")
    if column.minimum is not None:
        hint += f" Không nhỏ hơn {column.minimum}."
    if column.maximum is not None:
        hint += f" Không lớn hơn {column.maximum}."
    quarter = period.quarter if period else "2023-Q1"
    return Field(column, hint, column.example or example.format(day=day, quarter=quarter))


def offered_label(column: Column, value: str, on: dt.date | None = None) -> str:
    """How a value of an enum is offered on a closing day; one that no longer is, or that the contract no longer has, as
    it is read.
    """
    return column.offered(on).get(value, column.labels.get(value, [value])[0])


_HINTS = {
    "text": ("Ghi bằng chữ, phông Unicode.", "Chữ"),
    "code": ("Ghi đúng mã, đủ số 0 ở đầu.", "001"),
    "case_code": ("Ghi đúng mã trên hệ thống một cửa.", "000.00.04.H51-{day:%y%m%d}-0012"),
    "procedure_code": ("Ghi đúng mã quốc gia, đủ sáu chữ số sau dấu chấm.", "1.004946"),
    "integer": ("Ghi số nguyên.", "12"),
    "decimal": ("Ghi số, dấu phẩy ngăn phần thập phân.", "47,37"),
    "number_or_text": ("Ghi số (dấu chấm ngăn hàng nghìn, dấu phẩy ngăn phần thập phân) hoặc chữ.", "1.145"),
    "date": ("Ghi ngày/tháng/năm, đủ bốn chữ số của năm.", "{day:%d/%m/%Y}"),
    "datetime": ("Ghi ngày/tháng/năm, có thể thêm giờ:phút.", "{day:%d/%m/%Y} 08:30"),
    "quarter": ("Ghi kỳ báo cáo.", "{quarter}"),
}


def _unit_names(context: Context | None) -> tuple[str, ...]:
    """Names of the folder's unit and of what belongs to it.

    A unit whose name may mean another one is offered by its code.
    """
    if context is None:
        return ()
    known = context.units.entries
    if context.folder_unit.code != context.units.reporting_unit.code:
        own = {context.folder_unit.code}
        while more := {e.code for e in context.unit_entries if e.parent_code in own} - own:
            own |= more
        known = [(code, name) for code, name in known if code in own]
    return tuple(name if context.units.find(name) == {code} else code for code, name in known)


def _procedures(column: Column, contract: Contract, context: Context) -> tuple[str, ...]:
    """Codes or names of the procedures in force at closing, where the source refers to the catalogue by the column."""
    plans = [(c.name, c.resolved_from.name) for c in contract.columns if c.resolved_from is not None]
    valid = [e for e in context.procedures.entries if e.valid_on(context.period.closes_on)]
    if any(column.name == code for code, _ in plans):
        return tuple(dict.fromkeys(e.code for e in valid))
    if any(column.name == name for _, name in plans):
        return tuple(dict.fromkeys(e.name for e in valid))
    return ()


def _months(period: Period | None) -> tuple[str, ...]:
    months: dict[str, None] = {}
    day = period.opens_on if period else None
    while period and day and day <= period.closes_on:
        months[f"{day:%m/%Y}"] = None
        day += dt.timedelta(days=1)
    return tuple(months)


def validation(field: Field, ranges: dict[str, str], first_cell: str) -> dict[str, object]:
    column = field.column
    rule: dict[str, object] = {
        "input_title": column.title_vi[:_HINT_TITLE],
        "input_message": field.message,
        "error_title": column.title_vi[:_HINT_TITLE],
        "error_message": field.message,
        "ignore_blank": True,
    }
    if column.name in ranges:
        kind = "stop" if field.options_only else "warning"
        return rule | {"validate": "list", "source": f"={ranges[column.name]}", "error_type": kind}
    if column.type in ("integer", "decimal"):
        least = -_LARGEST if column.minimum is None else column.minimum
        most = _LARGEST if column.maximum is None else column.maximum
        return rule | {"validate": column.type, "criteria": "between", "minimum": least, "maximum": most}
    if column.type in ("date", "datetime"):
        written = f'=OR(ISNUMBER({first_cell}),COUNTIF({first_cell},"?*/?*/????*")>0)'
        return rule | {"validate": "custom", "value": written}
    return rule | {"validate": "any"}


def write_lists(
    sheet: Worksheet, line: Format, head: Format, value_format: Format, fields: Sequence[Field]
) -> dict[str, str]:
    """Writes the values of the drop-downs; returns the range of each column's values."""
    ranges: dict[str, str] = {}
    sheet.write_string(0, 0, "Các giá trị dùng cho danh sách chọn ở trang số liệu.", line)
    place = 0
    for field in fields:
        if field.options:
            sheet.set_column(place, place, min(max(map(len, (*field.options, field.column.title_vi))) + 8, 60))
            sheet.write_string(2, place, f"Danh sách: {field.column.title_vi}", head)
            for k, value in enumerate(field.options):
                sheet.write_string(3 + k, place, value, value_format)
            letter = xl_col_to_name(place)
            ranges[field.column.name] = f"'{LISTS_SHEET}'!${letter}$4:${letter}${3 + len(field.options)}"
            place += 1
    sheet.protect()
    return ranges

"""Empty workbooks for clerks to fill in, one kind a source, made from the source's contract.

Belongs here: how a template looks and what it hints at. Does not belong here: how what was filled in is read; a filled
template is a delivery like any other.

Cells whose meaning a spreadsheet could change (codes, dates, declared figures) are formatted as text, so that what is
typed is what is delivered, on any computer. The example stands on the help sheet, never among the data: nothing has to
be deleted before delivering, and no example can be counted.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from common.periods import Period
from common.workbooks import NO_DATE
from ingestion.base.contracts import Column, Contract
from ingestion.clerk.feedback import row_height
from ingestion.rows.own_words import HELP_SHEET, LISTS_SHEET
from ingestion.rows.resolve import Context

DATA_SHEET = "Số liệu"
#: Rows for which a template prepares drop-downs and hints; more may be delivered.
PREPARED_ROWS = 20_000
NOTHING = "Không phát sinh"
_EXAMPLE_DAY = dt.date(2023, 3, 1)
_HINT_TITLE, _HINT_TEXT = 32, 255
_TEXT, _WHOLE, _NUMBER = "@", "0", "0.####"
_LARGEST = 999_999_999


@dataclass(frozen=True)
class _Field:
    """One column of a template: how its cells are formatted, hinted at and limited."""

    column: Column
    hint: str
    example: str
    options: tuple[str, ...] = ()
    options_only: bool = False

    @property
    def number_format(self) -> str:
        return {"integer": _WHOLE, "decimal": _NUMBER}.get(self.column.type, _TEXT)

    @property
    def message(self) -> str:
        """What a spreadsheet shows beside the selected cell."""
        must = "Bắt buộc. " if self.column.required else ""
        return f"{must}{self.hint} Ví dụ: {self.example}"[:_HINT_TEXT]


def template_columns(contract: Contract, on: dt.date | None = None) -> list[Column]:
    """The columns a clerk fills in: valid on the day, not derived, and of several birth dates the one for everybody."""
    hashed = dict.fromkeys(n for c in contract.columns if c.derived_from for n in c.derived_from.hashed)
    births = [name for name in hashed if contract.column(name).type == "date"]
    return [
        c
        for c in contract.columns
        if c.derived_from is None
        and c.name not in births[1:]
        and (on is None or ((c.valid_from is None or c.valid_from <= on) and (c.valid_to is None or on <= c.valid_to)))
    ]


def template_bytes(contract: Contract, period: Period | None = None, context: Context | None = None) -> bytes:
    """The workbook; ``context`` brings the unit's name and the names its drop-downs offer. Equal input, equal bytes."""
    fields = template_fields(contract, period, context)
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": f"Mẫu nộp số liệu: {contract.title_vi}", "created": NO_DATE})
        looks = _Looks(book)
        data = book.add_worksheet(DATA_SHEET)
        guide = book.add_worksheet(HELP_SHEET)
        lists = book.add_worksheet(LISTS_SHEET)
        _write_guide(guide, looks, contract, fields)
        ranges = _write_lists(lists, looks, fields)
        _write_data(data, looks, fields, ranges, _titles(contract, period, context))
        data.activate()
    return buffer.getvalue()


def template_fields(contract: Contract, period: Period | None, context: Context | None) -> list[_Field]:
    """The columns of the template, each with how it is filled in; the examples together are a row without a fault."""
    day = max(period.opens_on, period.closes_on - dt.timedelta(days=7)) if period else _EXAMPLE_DAY
    columns = template_columns(contract, period.closes_on if period else None)
    return [_field(column, contract, day, period, context) for column in columns]


# -------------------------------------------------------------------------------------------------------------- fields


def _field(column: Column, contract: Contract, day: dt.date, period: Period | None, context: Context | None) -> _Field:
    match column.type:
        case "enum":
            labels = tuple(next((x for x in v if not x.isdigit()), v[0]) for v in column.labels.values())
            example = column.example or labels[0]
            first = contract.columns[0].name == column.name
            return _Field(column, "Chọn trong danh sách.", example, (*labels, *((NOTHING,) if first else ())), True)
        case "flag":
            return _Field(column, "Chọn Có hoặc Không; chưa rõ thì để trống.", "Có", ("Có", "Không"), True)
        case "presence":
            return _Field(column, "Ghi x nếu có, để trống nếu không.", "x", ("x",))
        case "unit":
            names = _unit_names(context)
            return _Field(column, "Chọn hoặc ghi đúng tên đơn vị.", names[0] if names else "Phòng Nội vụ", names)
        case "procedure_code" | "text" if context is not None and (listed := _procedures(column, contract, context)):
            return _Field(column, "Chọn trong danh mục của kỳ hoặc ghi đúng như danh mục.", listed[0], listed)
        case "month":
            months = _months(period)
            return _Field(column, "Ghi tháng/năm.", months[-1] if months else f"{day:%m/%Y}", months)
    hint, example = _HINTS[column.type]
    if column.type in ("date", "datetime") and column.not_after == "closing":
        hint += " Không sau ngày chốt số liệu" + (f" {period.closes_on:%d/%m/%Y}." if period else ".")
    if column.minimum is not None:
        hint += f" Không nhỏ hơn {column.minimum}."
    if column.maximum is not None:
        hint += f" Không lớn hơn {column.maximum}."
    quarter = period.quarter if period else "2023-Q1"
    return _Field(column, hint, column.example or example.format(day=day, quarter=quarter))


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
    """Names that mean one unit only; a unit whose name does not is offered by its code."""
    if context is None:
        return ()
    return tuple(name if context.units.find(name) == {code} else code for code, name in context.units.entries)


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


# -------------------------------------------------------------------------------------------------------------- sheets


class _Looks:
    """The cell formats, each made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._font = {"font_name": "Times New Roman", "font_size": 12}
        boxed = {**self._font, "border": 1, "border_color": "#808080", "text_wrap": True, "valign": "vcenter"}
        self.title = book.add_format({**self._font, "bold": True, "font_size": 14})
        self.line = book.add_format({**self._font, "font_color": "#404040"})
        self.required = book.add_format({**boxed, "bold": True, "align": "center", "bg_color": "#F8CBAD"})
        self.optional = book.add_format({**boxed, "bold": True, "align": "center", "bg_color": "#DDEBF7"})
        self.boxed = book.add_format({**boxed, "valign": "top"})
        self.centred = book.add_format({**boxed, "valign": "top", "align": "center"})
        self.listed = book.add_format({**self._font, "num_format": _TEXT})
        self.free = book.add_format({**self._font, "locked": False})

    def input(self, number_format: str) -> Format:
        return self._book.add_format({**self._font, "num_format": number_format, "locked": False, "valign": "top"})


def _titles(contract: Contract, period: Period | None, context: Context | None) -> list[str]:
    lines = [f"MẪU NỘP SỐ LIỆU: {contract.title_vi.upper()}"]
    if context is not None:
        lines.append(context.folder_unit.name)
    if period is not None:
        lines.append(f"Từ ngày {period.opens_on:%d/%m/%Y} đến ngày {period.closes_on:%d/%m/%Y}")
    lines.append(
        "Mỗi dòng một mục, nhập ngay dưới tiêu đề. Cột màu cam là bắt buộc. "
        f"Cách điền và ví dụ từng cột: trang “{HELP_SHEET}”."
    )
    lines.append(f"Trong kỳ không có gì: ghi “{NOTHING}” vào ô đầu tiên dưới tiêu đề. Bảng để trống được hiểu như vậy.")
    return lines


def _write_data(
    sheet: Worksheet,
    looks: _Looks,
    fields: Sequence[_Field],
    ranges: dict[str, str],
    titles: Sequence[str],
) -> None:
    sheet.set_column(len(fields), 16_383, None, looks.free)
    for row, text in enumerate(titles):
        sheet.write_string(row, 0, text, looks.title if row == 0 else looks.line)
    head = len(titles) + 1
    sheet.set_row(head, 50)
    for i, field in enumerate(fields):
        sheet.set_column(i, i, _width(field), looks.input(field.number_format))
        sheet.write_string(head, i, field.column.title_vi, looks.required if field.column.required else looks.optional)
        sheet.data_validation(
            head + 1, i, head + PREPARED_ROWS, i, _validation(field, ranges, xl_rowcol_to_cell(head + 1, i))
        )
    sheet.freeze_panes(head + 1, 1)
    allowed = ("format_columns", "format_rows", "insert_rows", "delete_rows", "sort", "autofilter", "format_cells")
    sheet.protect("", dict.fromkeys(allowed, True))
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head)
    sheet.print_area(0, 0, head + 30, len(fields) - 1)


def _width(field: _Field) -> int:
    return min(max(len(field.column.title_vi) * 4 // 5, len(field.example) + 2, 12), 34)


def _validation(field: _Field, ranges: dict[str, str], first_cell: str) -> dict[str, object]:
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


def _write_lists(sheet: Worksheet, looks: _Looks, fields: Sequence[_Field]) -> dict[str, str]:
    """Writes the values of the drop-downs; returns the range of each column's values."""
    ranges: dict[str, str] = {}
    sheet.write_string(0, 0, "Các giá trị dùng cho danh sách chọn ở trang số liệu.", looks.line)
    place = 0
    for field in fields:
        if field.options:
            sheet.set_column(place, place, min(max(map(len, (*field.options, field.column.title_vi))) + 8, 60))
            sheet.write_string(2, place, f"Danh sách: {field.column.title_vi}", looks.optional)
            for k, value in enumerate(field.options):
                sheet.write_string(3 + k, place, value, looks.listed)
            letter = xl_col_to_name(place)
            ranges[field.column.name] = f"'{LISTS_SHEET}'!${letter}$4:${letter}${3 + len(field.options)}"
            place += 1
    sheet.protect()
    return ranges


def _write_guide(sheet: Worksheet, looks: _Looks, contract: Contract, fields: Sequence[_Field]) -> None:
    for i, width in enumerate((34, 11, 62, 34)):
        sheet.set_column(i, i, width)
    sheet.write_string(0, 0, f"CÁCH ĐIỀN: {contract.title_vi.upper()}", looks.title)
    for i, text in enumerate(("Cột của trang số liệu", "Bắt buộc", "Cách điền", "Ví dụ một dòng")):
        sheet.write_string(2, i, text, looks.optional)
    row = 3
    for i, field in enumerate(fields):
        name = f"Cột {xl_col_to_name(i)}: {field.column.title_vi}"
        sheet.set_row(row, row_height((name, 34), (field.hint, 62), (field.example, 34)))
        sheet.write_string(row, 0, name, looks.boxed)
        sheet.write_string(row, 1, "có" if field.column.required else "", looks.centred)
        sheet.write_string(row, 2, field.hint, looks.boxed)
        sheet.write_string(row, 3, field.example, looks.boxed)
        row += 1
    row += 1
    for line in _guide_notes(contract, {f.column.name for f in fields}):
        sheet.write_string(row, 0, line, looks.line)
        row += 1
    sheet.protect()
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _guide_notes(contract: Contract, given: set[str]) -> list[str]:
    """What holds for whole rows, in words."""

    def titles(names: Sequence[str]) -> str:
        return ", ".join(f"“{contract.column(n).title_vi}”" for n in names if n in given)

    notes = [f"Mỗi dòng phải có ít nhất một trong: {titles(group)}." for group in contract.any_of]
    made_of = {c.name: c.derived_from.columns if c.derived_from else [c.name] for c in contract.columns}
    if key := titles([name for part in contract.key for name in made_of[part]]):
        notes.append(f"Không ghi hai dòng trùng {key} trong một tệp.")
    notes += [
        f"{'Dòng bị trả lại' if rule.effect == 'reject' else 'Dòng được nhận nhưng bị nhắc'} nếu: "
        f"{rule.reason_vi[:1].lower()}{rule.reason_vi[1:]}."
        for rule in contract.row_rules
    ]
    if contract.personal:
        notes.append("Không cần và không nên ghi thêm dữ liệu cá nhân (số điện thoại, địa chỉ, CCCD): không được đọc.")
    notes.append(f"Thử trước khi nộp: cchc check-file {contract.source} TỆP")
    return notes

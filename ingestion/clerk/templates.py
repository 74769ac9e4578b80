"""Empty workbooks for clerks to fill in, one kind a source, made from the source's contract.

Belongs here: how a template looks and what it hints at. Does not belong here: how what was filled in is read; a filled
template is a delivery like any other.

Cells whose meaning a spreadsheet could change (codes, dates, declared figures) are formatted as text, so that what is
typed is what is delivered, on any computer. The example stands on the help sheet, never among the data: nothing has to
be deleted before delivering, and no example can be counted.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from common.periods import Period
from common.workbooks import NO_DATE
from ingestion.base.contracts import Contract
from ingestion.clerk.feedback import row_height
from ingestion.clerk.fields import NOTHING, TEXT, Field, template_fields, validation, write_lists
from ingestion.rows.own_words import HELP_SHEET, LISTS_SHEET
from ingestion.rows.resolve import Context

DATA_SHEET = "Số liệu"
#: Rows for which a template prepares drop-downs and hints; more may be delivered.
PREPARED_ROWS = 20_000


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
        ranges = write_lists(lists, looks.line, looks.optional, looks.listed, fields)
        _write_data(data, looks, fields, ranges, _titles(contract, period, context))
        data.activate()
    return buffer.getvalue()


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
        self.listed = book.add_format({**self._font, "num_format": TEXT})
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
    fields: Sequence[Field],
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
            head + 1, i, head + PREPARED_ROWS, i, validation(field, ranges, xl_rowcol_to_cell(head + 1, i))
        )
    sheet.freeze_panes(head + 1, 1)
    allowed = ("format_columns", "format_rows", "insert_rows", "delete_rows", "sort", "autofilter", "format_cells")
    sheet.protect("", dict.fromkeys(allowed, True))
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head)
    sheet.print_area(0, 0, head + 30, len(fields) - 1)


def _width(field: Field) -> int:
    return min(max(len(field.column.title_vi) * 4 // 5, len(field.example) + 2, 12), 34)


def _write_guide(sheet: Worksheet, looks: _Looks, contract: Contract, fields: Sequence[Field]) -> None:
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

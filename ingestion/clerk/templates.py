"""Workbooks for clerks to fill in, one kind a source, made from the source's contract and filled as far as it is known.

Belongs here: how a template looks, what it hints at and what stands in it already. Does not belong here: how what was
filled in is read (a filled template is a delivery like any other), whether somebody filled it in (``rows.untouched``).

Cells whose meaning a spreadsheet could change (codes, dates, declared figures) are formatted as text, so that what is
typed is what is delivered, on any computer. The example stands on the help sheet, never among the data: nothing has to
be deleted before delivering, and no example can be counted.

What is known stands in the template: for registers and plans the rows that the unit delivered for the period before,
for declared figures every row of the form with last period's figure and evidence beside it, where nothing is read. Of
persons the lake keeps no names and codes: those cells are blank and coloured, and whoever keeps the roster fills them
in. A mark above the table tells when it comes back as it went out, and a cell beside it takes the clerk's answer.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from common.forms import form_named
from common.periods import Period
from common.workbooks import NO_DATE
from ingestion.base.contracts import Contract
from ingestion.clerk.feedback import row_height
from ingestion.clerk.fields import TEXT, Field, template_fields, validation, write_lists
from ingestion.clerk.prefill import Known, Prefilled, Shown, filled
from ingestion.rows.own_words import HELP_SHEET, LISTS_SHEET
from ingestion.rows.resolve import Context
from ingestion.rows.untouched import mark_line

_Columns = Sequence[Field | Shown]

DATA_SHEET = "Số liệu"
#: Rows for which a template prepares drop-downs and hints; more may be delivered.
PREPARED_ROWS = 20_000
_ASKED = "#FFF2CC"
_WIDEST = 48
_ANSWERED_OVER = 3  # columns over which the cell for the answer reaches


def template_bytes(
    contract: Contract,
    period: Period | None = None,
    context: Context | None = None,
    last_rows: Iterable[Mapping[str, Any]] = (),
) -> bytes:
    """The workbook; ``context`` brings the unit's name, the names its drop-downs offer and the rows of the form.

    ``last_rows``: what the unit's current deliveries of the period before say, by column, in their order. Equal input,
    equal bytes.
    """
    fields = template_fields(contract, period, context)
    prefilled = filled(contract, [field.column for field in fields], context, last_rows)
    by_name = {field.column.name: field for field in fields}
    columns = [c if isinstance(c, Shown) else by_name[c.name] for c in prefilled.columns]
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": f"Mẫu nộp số liệu: {contract.title_vi}", "created": NO_DATE})
        looks = _Looks(book)
        data = book.add_worksheet(DATA_SHEET)
        guide = book.add_worksheet(HELP_SHEET)
        lists = book.add_worksheet(LISTS_SHEET)
        _write_guide(guide, looks, contract, columns, prefilled.notes_vi)
        ranges = write_lists(lists, looks.line, looks.optional, looks.listed, fields)
        lists.hide()
        _write_data(data, looks, columns, prefilled, ranges, _titles(contract, period, context, prefilled))
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

        self.answer = book.add_format({**boxed, "num_format": TEXT, "locked": False, "bg_color": _ASKED})
        self.mark = book.add_format({**self._font, "font_size": 8, "font_color": "#808080"})
        self.shown = book.add_format({**boxed, "bold": True, "align": "center", "bg_color": "#E7E6E6"})
        self._inputs: dict[str, Format] = {}
        self._known: dict[tuple[str, bool, bool, bool], Format] = {}

    def input(self, number_format: str) -> Format:
        if number_format not in self._inputs:
            look = {**self._font, "num_format": number_format, "locked": False, "valign": "top"}
            self._inputs[number_format] = self._book.add_format(look)
        return self._inputs[number_format]

    def known(self, number_format: str, cell: Known) -> Format:
        """Of a cell in a row that stands in the template: asked ones are coloured, locked ones grey."""
        key = (number_format, cell.is_open, cell.is_asked, cell.is_bold)
        if key not in self._known:
            look = {
                **self._font, "num_format": number_format, "locked": not cell.is_open, "valign": "top",
                "text_wrap": True, "border": 1, "border_color": "#BFBFBF", "bold": cell.is_bold,
            }  # fmt: skip
            if cell.is_asked or not cell.is_open:
                look["bg_color"] = _ASKED if cell.is_asked else "#F2F2F2"
            self._known[key] = self._book.add_format(look)
        return self._known[key]


def _titles(contract: Contract, period: Period | None, context: Context | None, prefilled: Prefilled) -> list[str]:
    """The lines above the table; the last is followed by the cell for the answer."""
    lines = [f"MẪU NỘP SỐ LIỆU: {contract.title_vi.upper()}"]
    if context is not None:
        lines.append(context.folder_unit.name)
        if context.form_rows and (form := form_named(context.form_rows[0].form)).mark_vi:
            lines.append(f"Biểu mẫu: {form.named_vi}")
    if period is not None:
        lines.append(f"Từ ngày {period.opens_on:%d/%m/%Y} đến ngày {period.closes_on:%d/%m/%Y}")
    lines.append(
        "Mỗi dòng một mục, nhập ngay dưới tiêu đề. Cột màu cam là bắt buộc. "
        f"Cách điền và ví dụ từng cột: trang “{HELP_SHEET}”."
    )
    if prefilled.data_rows:
        lines.append(
            f"Bảng có sẵn {len(prefilled.data_rows)} dòng đơn vị đã nộp kỳ trước: sửa, thêm, xóa cho đúng kỳ này."
        )
    said = " hoặc ".join(f"“{answer}”" for answer in prefilled.answers)
    what = "không có gì để nộp hoặc mọi dòng vẫn đúng" if len(prefilled.answers) > 1 else "không có gì để nộp"
    lines.append(
        f"Nếu kỳ này {what} thì chọn {said} ở ô màu vàng dưới đây. Mẫu nộp lại y nguyên mà không chọn: chưa tính."
    )
    return lines


def _write_data(
    sheet: Worksheet,
    looks: _Looks,
    columns: _Columns,
    prefilled: Prefilled,
    ranges: dict[str, str],
    titles: Sequence[str],
) -> None:
    rows = prefilled.rows
    sheet.set_column(len(columns), 16_383, None, looks.free)
    for row, text in enumerate(titles):
        sheet.write_string(row, 0, text, looks.title if row == 0 else looks.line)
    answer = len(titles)
    sheet.merge_range(answer, 0, answer, _ANSWERED_OVER - 1, "", looks.answer)
    sheet.set_row(answer, 22)
    sheet.data_validation(
        answer, 0, answer, 0, {"validate": "list", "source": list(prefilled.answers), "error_type": "stop"}
    )
    sheet.write_string(answer + 1, 0, mark_line(prefilled.data_rows), looks.mark)
    head = answer + 3
    sheet.set_row(head, 50)
    widths = _widths(columns, rows)
    for i, column in enumerate(columns):
        if isinstance(column, Shown):
            sheet.set_column(i, i, widths[i], looks.input(TEXT))
            sheet.write_string(head, i, column.heading, looks.shown)
            continue
        sheet.set_column(i, i, widths[i], looks.input(column.number_format))
        look = looks.required if column.column.required else looks.optional
        sheet.write_string(head, i, column.column.title_vi, look)
        rule = validation(column, ranges, xl_rowcol_to_cell(head + 1, i))
        for first, last, own in _validated(column, columns, rows):
            sheet.data_validation(head + 1 + first, i, head + 1 + last, i, rule | own)
    _write_rows(sheet, looks, columns, rows, widths, head + 1)
    sheet.freeze_panes(head + 1, _frozen(columns))
    allowed = ("format_columns", "format_rows", "insert_rows", "delete_rows", "sort", "autofilter", "format_cells")
    sheet.protect("", dict.fromkeys(allowed, True))
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head)
    sheet.print_area(0, 0, head + max(30, len(rows)), len(columns) - 1)


def _frozen(columns: _Columns) -> int:
    """How many columns stay where they are when one scrolls: the first, of a form up to the name."""
    shown = [i for i, column in enumerate(columns) if isinstance(column, Shown)]
    return shown[0] + 2 if shown else 1


def _validated(
    field: Field, columns: _Columns, rows: Sequence[Sequence[Known]]
) -> Iterable[tuple[int, int, dict[str, object]]]:
    """The stretches of rows, first and last, in which a column is checked, with what is particular to each."""
    place = columns.index(field)
    if all(row[place].is_open for row in rows):
        return [(0, PREPARED_ROWS - 1, {})]
    opened = [i for i, row in enumerate(rows) if row[place].is_open]
    stretches: list[list[int]] = []
    for i in opened:
        if stretches and stretches[-1][1] == i - 1:
            stretches[-1][1] = i
        else:
            stretches.append([i, i])
    return [*((first, last, {}) for first, last in stretches), (len(rows), PREPARED_ROWS - 1, {})]


def _write_rows(
    sheet: Worksheet,
    looks: _Looks,
    columns: _Columns,
    rows: Sequence[Sequence[Known]],
    widths: Sequence[int],
    first: int,
) -> None:
    for offset, row in enumerate(rows):
        lines = []
        for i, (column, cell) in enumerate(zip(columns, row, strict=True)):
            look = looks.known(TEXT if isinstance(column, Shown) else column.number_format, cell)
            if cell.value is None or cell.value == "":
                sheet.write_blank(first + offset, i, None, look)
            elif isinstance(cell.value, str):
                sheet.write_string(first + offset, i, cell.value, look)
                lines.append((cell.value, widths[i]))
            else:
                sheet.write_number(first + offset, i, cell.value, look)
        sheet.set_row(first + offset, row_height(*lines, ("", 10)))


def _widths(columns: _Columns, rows: Sequence[Sequence[Known]]) -> list[int]:
    """The width of each column: of its heading and its example, and wider for the texts that stand below."""
    widths = []
    for i, column in enumerate(columns):
        if isinstance(column, Shown):
            widths.append(column.width)
            continue
        least = min(max(len(column.column.title_vi) * 4 // 5, len(column.example) + 2, 12), 34)
        longest = max((len(str(row[i].value)) for row in rows if row[i].value is not None), default=0)
        widths.append(max(least, min(longest + 2, _WIDEST)))
    return widths


def _write_guide(sheet: Worksheet, looks: _Looks, contract: Contract, columns: _Columns, known: Sequence[str]) -> None:
    widths = (34, 11, 56, 44, 30)
    for i, width in enumerate(widths):
        sheet.set_column(i, i, width)
    sheet.write_string(0, 0, f"CÁCH ĐIỀN: {contract.title_vi.upper()}", looks.title)
    for i, text in enumerate(("Cột của trang số liệu", "Bắt buộc", "Ý nghĩa", "Cách điền", "Ví dụ một dòng")):
        sheet.write_string(2, i, text, looks.optional)
    row = 3
    for i, column in enumerate(columns):
        if isinstance(column, Shown):
            texts = (column.heading, "", column.help_vi, "Chỉ để xem; sửa ở đây không được tính.", "")
        else:
            must = "có" if column.column.required else ""
            texts = (column.column.title_vi, must, column.column.help_vi, column.hint, column.example)
        texts = (f"Cột {xl_col_to_name(i)}: {texts[0]}", *texts[1:])
        sheet.set_row(row, row_height(*zip(texts, widths, strict=True)))
        for k, text in enumerate(texts):
            sheet.write_string(row, k, text, looks.centred if k == 1 else looks.boxed)
        row += 1
    row += 1
    given = {c.column.name for c in columns if not isinstance(c, Shown)}
    for line in [*known, *_guide_notes(contract, given)]:
        sheet.write_string(row, 0, line, looks.line)
        row += 1
    sheet.freeze_panes(3, 1)
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

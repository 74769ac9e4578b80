"""Circular 01/2020/TT-VPCP form II.06a: ``report/form_06a.xlsx``, a sheet a clock for people and one with the same
figures for machines, and the exact way back.

Belongs here: the look of that form and reading it again. Does not belong here: its figures and identities (the mart
``case_form_06a`` and its dbt tests), number print (``formatting``).

Figures are true numbers with a number format, so that they can be added up where they stand; a program groups them
with the separators of the reader's computer. The sheet for machines has the mart as it is, a column each. Every text is
a string cell, so nothing is a formula.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from common.workbooks import NO_DATE
from publication.content.approval import DRAFT_SHEET_HEAD, DRAFT_VI
from publication.content.release_content import ReleaseContent
from publication.formatting import format_date, format_number, format_quarter, parse_number
from publication.tables.read_back import NoWorkbook, cells_of, stored_value

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell

MART = "case_form_06a"
#: Sheets by clock.
SHEETS: Mapping[str, str] = {"reporting_window": "Kỳ báo cáo", "calendar_quarter": "Quý dương lịch"}
#: The sheet for machines: the mart's own columns and rows.
DATA_SHEET = "Số liệu"
#: Columns (3) to (13) of the form, in order.
FIGURE_COLUMNS = (
    "to_resolve",
    "received_online",
    "received_direct_or_postal",
    "carried_over",
    "resolved",
    "resolved_early",
    "resolved_on_time",
    "resolved_late",
    "in_progress",
    "in_progress_within_due",
    "in_progress_overdue",
)

_BLOCKS = {"field": "A. THEO LĨNH VỰC", "unit": "B. THEO ĐƠN VỊ TIẾP NHẬN, GIẢI QUYẾT"}
_TITLE = "TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH"
_FORM_NAME = "Biểu số II.06a/VPCP/KSTT (Thông tư 01/2020/TT-VPCP)"
_UNIT_LINE = "Đơn vị tính: Số hồ sơ TTHC"
_NUMBERS = (
    "(1)",
    "(2)",
    "(3)=(4)+(5)+(6)",
    "(4)",
    "(5)",
    "(6)",
    "(7)=(8)+(9)+(10)",
    "(8)",
    "(9)",
    "(10)",
    "(11)=(12)+(13)",
    "(12)",
    "(13)",
)
#: Merged heads: first row, first column, last row, last column (0-based below the first head row), text.
_HEADS = (
    (0, 0, 2, 0, "STT"),
    (0, 1, 2, 1, "Lĩnh vực, đơn vị giải quyết"),
    (0, 2, 0, 5, "Số lượng hồ sơ tiếp nhận"),
    (0, 6, 0, 9, "Số lượng hồ sơ đã giải quyết"),
    (0, 10, 0, 12, "Số lượng hồ sơ đang giải quyết"),
    (1, 2, 2, 2, "Tổng số"),
    (1, 3, 1, 4, "Trong kỳ"),
    (1, 5, 2, 5, "Từ kỳ trước"),
    (2, 3, 2, 3, "Trực tuyến"),
    (2, 4, 2, 4, "Trực tiếp, dịch vụ bưu chính"),
    (1, 6, 2, 6, "Tổng số"),
    (1, 7, 2, 7, "Trước hạn"),
    (1, 8, 2, 8, "Đúng hạn"),
    (1, 9, 2, 9, "Quá hạn"),
    (1, 10, 2, 10, "Tổng số"),
    (1, 11, 2, 11, "Trong hạn"),
    (1, 12, 2, 12, "Quá hạn"),
)
_REMARKS = (
    "Cột (9) gồm cả hồ sơ chờ bổ sung, hồ sơ trả lại (từ chối giải quyết) và hồ sơ rút.",
    "Cột (12) gồm cả hồ sơ tạm dừng giải quyết. (3) = (7) + (11).",
)
#: Stands in a cell whose count is held back.
_HELD_BACK = "*"
_HELD_BACK_REMARK = "(*) Số nhỏ, hoặc từ đó suy ra được số nhỏ: không công bố."
_INCOMPLETE = "Chưa đủ dữ liệu: còn đơn vị chưa gửi hồ sơ của một quý báo cáo nằm trong kỳ này."
_NO_APPOINTMENT = (
    "Cột (7) gồm cả {count} hồ sơ không có ngày hẹn trả dù thủ tục có thời hạn; các hồ sơ này "
    "không thuộc cột (8), (9), (10)."
)
_WIDTHS = (6, 46, 15, 11, 14, 11, 16, 11, 11, 11, 14, 11, 11)
_HEAD_ROW = 6
_FIRST_ROW = _HEAD_ROW + 4
_LAST_COLUMN = len(_WIDTHS) - 1
_A4, _LINE_HEIGHT = 9, 17.5
#: The locale makes a program that heeds it group as Vietnamese print does, whatever the computer is set to.
_NUMBER_FORMAT, _DATE_FORMAT = "[$-42A]#,##0", "dd/mm/yyyy"
_FONT = {"font_name": "Times New Roman", "font_size": 12}
#: The workbook says nothing about when it was made, so equal figures are equal bytes.

Line = tuple[str, ...]


class FormDamaged(Exception):
    """The written form does not read back as the mart."""


def printed_lines(content: ReleaseContent, clock: str) -> list[Line]:
    """The lines below the head of a clock's sheet: 13 cells each; a block's title fills only the second."""
    lines: list[Line] = []
    for breakdown, title in _BLOCKS.items():
        lines.append(("", title, *[""] * len(FIGURE_COLUMNS)))
        lines += [
            (row["printed_number"] or "", row["name_vi"], *(_told(row[name]) for name in FIGURE_COLUMNS))
            for row in _rows(content, clock)
            if row["breakdown"] == breakdown
        ]
    return lines


def _told(count: int | None) -> str:
    return _HELD_BACK if count is None else format_number(count)


def _rows(content: ReleaseContent, clock: str) -> list[dict[str, Any]]:
    rows = [row for row in content.tables[MART].to_pylist() if row["clock"] == clock]
    return sorted(rows, key=lambda row: (row["breakdown"], row["row_no"]))


def title_lines(content: ReleaseContent, clock: str) -> tuple[str, ...]:
    """The lines above the head. Without cases there is no window to name."""
    rows = _rows(content, clock)
    period = ""
    if rows:
        first = rows[0]
        days = f"từ ngày {format_date(first['window_from'])} đến ngày {format_date(first['window_to'])}"
        name = SHEETS[clock] if clock == "reporting_window" else "Quý theo năm dương lịch"
        period = f"{name}: {format_quarter(first['window_quarter'])} ({days})"
    title = f"{_TITLE} ({content.standing_vi.upper()})" if content.standing_vi else _TITLE
    return (_FORM_NAME, title, period, f"Đơn vị báo cáo: {content.unit_name_vi}", _UNIT_LINE)


def write_form(path: Path, content: ReleaseContent) -> None:
    """Write the workbook. Equal content gives equal bytes."""
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties({"title": _FORM_NAME, "created": NO_DATE})
        looks = _Looks(workbook)
        for clock, name in SHEETS.items():
            sheet = workbook.add_worksheet(name)
            _set_up_page(sheet)
            _write_heads(sheet, looks, title_lines(content, clock))
            _write_lines(sheet, looks, content, clock)
            if content.draft:
                sheet.write_string(_HEAD_ROW - 1, 0, DRAFT_VI, looks.titles[3])
                sheet.set_header(DRAFT_SHEET_HEAD)
        data = workbook.add_worksheet(DATA_SHEET)
        _write_data(data, looks, content)
        if content.draft:
            data.set_header(DRAFT_SHEET_HEAD)


class _Looks:
    """The cell formats of the form, each made once."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        boxed = {**_FONT, "border": 1, "text_wrap": True, "valign": "vcenter"}
        self.titles: tuple[Format, ...] = tuple(
            workbook.add_format({**_FONT, **look, "valign": "vcenter", "text_wrap": True})
            for look in (
                {"align": "left"},
                {"align": "center", "bold": True, "font_size": 14},
                {"align": "center"},
                {"align": "center", "bold": True},
                {"align": "right", "italic": True},
            )
        )
        self.head: Format = workbook.add_format({**boxed, "bold": True, "align": "center"})
        self.number: Format = workbook.add_format({**boxed, "italic": True, "align": "center", "font_size": 9})
        self.cells = {
            bold: {
                align: workbook.add_format({**boxed, "bold": bold, "align": align, "indent": indent})
                for align, indent in (("left", 0), ("center", 0))
            }
            for bold in (False, True)
        }
        self.figures = {
            bold: workbook.add_format(
                {**boxed, "bold": bold, "align": "right", "indent": 1, "num_format": _NUMBER_FORMAT}
            )
            for bold in (False, True)
        }
        self.data_head: Format = workbook.add_format({**_FONT, "bold": True})
        self.data: Format = workbook.add_format(_FONT)
        self.data_number: Format = workbook.add_format({**_FONT, "num_format": _NUMBER_FORMAT})
        self.data_date: Format = workbook.add_format({**_FONT, "num_format": _DATE_FORMAT})
        self.remark: Format = workbook.add_format({**_FONT, "italic": True})


def _set_up_page(sheet: Worksheet) -> None:
    sheet.set_paper(_A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.center_horizontally()
    sheet.repeat_rows(_HEAD_ROW, _FIRST_ROW - 1)
    sheet.freeze_panes(_FIRST_ROW, 2)
    sheet.set_footer("&C&P/&N")
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)


def _write_heads(sheet: Worksheet, looks: _Looks, titles: Sequence[str]) -> None:
    for row, (line, look) in enumerate(zip(titles, looks.titles, strict=True)):
        sheet.merge_range(row, 0, row, _LAST_COLUMN, "", look)
        sheet.write_string(row, 0, line, look)
        sheet.set_row(row, _LINE_HEIGHT)
    for top, left, bottom, right, text in _HEADS:
        place = (_HEAD_ROW + top, left, _HEAD_ROW + bottom, right)
        if (top, left) == (bottom, right):
            sheet.write_string(place[0], left, text, looks.head)
        else:
            sheet.merge_range(*place, text, looks.head)
    for row, lines in enumerate((1, 1, 3)):
        sheet.set_row(_HEAD_ROW + row, _LINE_HEIGHT * lines)
    for column, text in enumerate(_NUMBERS):
        sheet.write_string(_HEAD_ROW + 3, column, text, looks.number)


def _write_lines(sheet: Worksheet, looks: _Looks, content: ReleaseContent, clock: str) -> None:
    plain = {str(row["name_vi"]) for row in _rows(content, clock) if row["row_kind"] == "row"}
    place = _FIRST_ROW
    for place, line in enumerate(printed_lines(content, clock), start=_FIRST_ROW):
        bold = line[1] not in plain
        sheet.set_row(place, _LINE_HEIGHT * math.ceil(len(line[1]) * 1.05 / _WIDTHS[1]))
        for column, text in enumerate(line):
            if column < 2:
                sheet.write_string(place, column, text, looks.cells[bold]["center" if column == 0 else "left"])
            elif text == _HELD_BACK:
                sheet.write_string(place, column, text, looks.figures[bold])
            elif text:
                sheet.write_number(place, column, int(parse_number(text)), looks.figures[bold])
            else:
                sheet.write_blank(place, column, None, looks.figures[bold])
    sheet.ignore_errors({"number_stored_as_text": f"A{_FIRST_ROW + 1}:A{place + 1}"})
    remarks = [*_REMARKS]
    if any(not row["is_complete"] for row in _rows(content, clock)):
        remarks.append(_INCOMPLETE)
    totals = [row for row in _rows(content, clock) if row["row_kind"] == "total"]
    if any(row[name] is None for row in _rows(content, clock) for name in FIGURE_COLUMNS):
        remarks.append(_HELD_BACK_REMARK)
    if unknown := max((row["resolved_without_appointment"] or 0 for row in totals), default=0):
        remarks.append(_NO_APPOINTMENT.format(count=format_number(unknown)))
    for number, remark in enumerate(remarks, start=place + 2):
        sheet.write_string(number, 1, remark, looks.remark)


def _write_data(sheet: Worksheet, looks: _Looks, content: ReleaseContent) -> None:
    table = content.tables[MART]
    for column, name in enumerate(table.column_names):
        sheet.write_string(0, column, name, looks.data_head)
        sheet.set_column(column, column, 46 if name.endswith("_vi") else 16)
    for place, row in enumerate(table.to_pylist(), start=1):
        for column, value in enumerate(row.values()):
            if isinstance(value, bool):
                sheet.write_boolean(place, column, value, looks.data)
            elif isinstance(value, int):
                sheet.write_number(place, column, value, looks.data_number)
            elif isinstance(value, dt.date):
                sheet.write_datetime(place, column, value, looks.data_date)
            elif value is not None:
                sheet.write_string(place, column, value, looks.data)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, table.num_rows, table.num_columns - 1)
    sheet.set_paper(_A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def read_data(path: Path) -> list[dict[str, Any]]:
    """The rows of the sheet for machines, by column. Raises FormDamaged when it is no such workbook."""
    head, *lines = _cells(path, {DATA_SHEET: None})[DATA_SHEET]
    names = [str(cell.value) for cell in head]
    return [dict(zip(names, map(_stored, line), strict=True)) for line in lines]


def _cells(path: Path, sheets: Mapping[str, int | None]) -> dict[str, list[tuple[Cell | MergedCell, ...]]]:
    try:
        return cells_of(path, sheets)
    except NoWorkbook as error:
        raise FormDamaged(str(error)) from error


def _stored(cell: Cell | MergedCell) -> Any:
    value = stored_value(cell)
    return value.date() if isinstance(value, dt.datetime) else value


def read_form(path: Path) -> dict[str, list[Line]]:
    """The lines of each clock's sheet as printed. Raises FormDamaged when it is no such workbook."""
    cells = _cells(path, dict.fromkeys(SHEETS.values(), _LAST_COLUMN + 1))
    found: dict[str, list[Line]] = {}
    for clock, name in SHEETS.items():
        rows = cells[name]
        texts = [tuple(_printed(cell) for cell in row) for row in rows]
        if texts[_FIRST_ROW - 1] != _NUMBERS:
            raise FormDamaged("the header is not the form's")
        body = texts[_FIRST_ROW:]
        end = next((place for place, line in enumerate(body) if not any(line)), len(body))
        for cell in (cell for row in rows[_FIRST_ROW : _FIRST_ROW + end] for cell in row[2:] if cell.value is not None):
            if cell.value == _HELD_BACK:
                continue
            if cell.data_type != "n" or cell.number_format != _NUMBER_FORMAT:
                raise FormDamaged(f"{SHEETS[clock]}, {cell.coordinate}: {cell.value} is no number with its format")
        found[clock] = body[:end]
    return found


def _printed(cell: Cell | MergedCell) -> str:
    value = stored_value(cell)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return format_number(Decimal(str(value)))
    return "" if value is None else str(value)


def check_form(content: ReleaseContent, path: Path) -> None:
    """Read the workbook again and compare it with the mart. Raises FormDamaged at the first difference."""
    found = read_form(path)
    for clock in SHEETS:
        expected = printed_lines(content, clock)
        if found[clock] != expected:
            wrong = next((pair for pair in zip(expected, found[clock], strict=False) if pair[0] != pair[1]), None)
            raise FormDamaged(f"{path.name}, {SHEETS[clock]}: {wrong or 'lines are missing or too many'}")
    if read_data(path) != content.tables[MART].to_pylist():
        raise FormDamaged(f"{path.name}, {DATA_SHEET}: not the rows of the mart")

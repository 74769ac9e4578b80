"""The workbook that asks for decisions: one line for each thing to decide, and the rows behind it.

Belongs here: how it looks, so that it is read as a register of decisions as it is. Does not belong here: what there is
to decide and what may be done about it (the caller says), where it lies, how it is read.

The sheet of lines has the headings of the contract ``decisions``. What the official fills in (``left_open`` of the
contract) comes right after what each line says; what names the findings is filled in already and locked. A line
nobody has touched is not decided yet.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from common.workbooks import NO_DATE
from ingestion.base.contracts import Column, Contract
from ingestion.clerk.feedback import row_height
from ingestion.rows.own_words import DETAILS_SHEET, HELP_SHEET

LINES_SHEET = "Quyết định"
NUMBER_HEADING = "STT"
DETAIL_HEADINGS = ("Việc số", "Dòng trong biểu", "Là gì", "Mã", "Tệp", "Trang tính", "Dòng trong tệp", "Ghi chú")
_DETAIL_WIDTHS = (9, 10, 44, 32, 40, 20, 24, 46)
_OWN_WIDTHS = (9, 58, 13, 13, 62)
_ASKED_WIDTHS = {"action": 26, "reason": 40, "approved_by": 24, "document_number": 16, "dated": 14}
_NAMED_WIDTH = 24
_MAX_CELL = 32_000
_LIST_CHARACTERS = 255


@dataclass(frozen=True)
class DecisionLine:
    """One thing to decide. ``says``: texts under the contract's ``ignored`` headings, in their order. ``actions``: what
    may be chosen, as keys of the contract's action; none where no decision is possible. ``values``: cells filled in
    already, by column.
    """

    says: tuple[str, ...]
    actions: tuple[str, ...]
    values: Mapping[str, str | dt.date]


@dataclass(frozen=True)
class DecisionBook:
    """All that the workbook says. ``details``: the rows behind the lines, cells as ``DETAIL_HEADINGS``."""

    titles: tuple[str, ...]
    guide: tuple[str, ...]
    lines: tuple[DecisionLine, ...]
    details: tuple[tuple[str | int, ...], ...] = field(default=())


def action_label(contract: Contract, action: str) -> str:
    """An action as the register words it."""
    return contract.column("action").labels[action][0]


def decision_workbook(contract: Contract, book: DecisionBook) -> bytes:
    """The workbook of the contract ``decisions``. Equal content, equal bytes; no cell holds a formula."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as written:
        written.set_properties({"title": book.titles[0], "created": NO_DATE})
        looks = _Looks(written)
        lines = written.add_worksheet(LINES_SHEET)
        _write_lines(lines, looks, contract, book)
        _write_details(written.add_worksheet(DETAILS_SHEET), looks, book)
        _write_guide(written.add_worksheet(HELP_SHEET), looks, book)
        lines.activate()
    return buffer.getvalue()


class _Looks:
    """The cell formats, each made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        font = {"font_name": "Times New Roman", "font_size": 12}
        cell = {**font, "border": 1, "border_color": "#BFBFBF", "valign": "top", "text_wrap": True, "num_format": "@"}
        head = {**font, "bold": True, "border": 1, "text_wrap": True, "align": "center", "valign": "vcenter"}
        self.title = book.add_format({**font, "bold": True, "font_size": 14})
        self.line = book.add_format({**font, "font_color": "#404040"})
        self.says_head = book.add_format({**head, "bg_color": "#DDEBF7"})
        self.asked_head = book.add_format({**head, "bg_color": "#F8CBAD"})
        self.named_head = book.add_format({**head, "bg_color": "#EDEDED", "font_color": "#595959"})
        self.says = book.add_format(cell)
        self.centred = book.add_format({**cell, "align": "center"})
        self.asked = book.add_format({**cell, "locked": False, "bg_color": "#FFF7F2"})
        self.asked_day = book.add_format({**cell, "locked": False, "bg_color": "#FFF7F2", "num_format": "dd/mm/yyyy"})
        self.impossible = book.add_format({**cell, "bg_color": "#D9D9D9"})
        # What names a finding can be changed by who knows why: fewer rows, fewer cases.
        self.named = book.add_format({**cell, "font_color": "#595959", "font_size": 10, "locked": False})
        self.decided = book.add_format({**cell, "bg_color": "#E2EFDA", "locked": False})
        self.decided_day = book.add_format({**cell, "bg_color": "#E2EFDA", "locked": False, "num_format": "dd/mm/yyyy"})
        self.wrapped = book.add_format({**font, "text_wrap": True, "valign": "top"})


def _columns(contract: Contract) -> tuple[list[Column], list[Column]]:
    """Columns that are asked for, and those that name what is decided; a figure of the official's own is not asked."""
    asked = [contract.column(name) for name in contract.left_open]
    named = [c for c in contract.columns if c.name not in contract.left_open and c.name != "value"]
    return asked, named


def _write_lines(sheet: Worksheet, looks: _Looks, contract: Contract, book: DecisionBook) -> None:
    asked, named = _columns(contract)
    says = len(contract.ignored)
    for row, text in enumerate(book.titles):
        sheet.write_string(row, 0, text, looks.title if row == 0 else looks.line)
    head = len(book.titles) + 1
    sheet.set_row(head, 52)
    sheet.set_column(0, 0, 6)
    sheet.write_string(head, 0, NUMBER_HEADING, looks.says_head)
    for i, heading in enumerate(contract.ignored):
        sheet.set_column(1 + i, 1 + i, _OWN_WIDTHS[i])
        sheet.write_string(head, 1 + i, heading, looks.says_head)
    for i, column in enumerate(asked, start=1 + says):
        sheet.set_column(i, i, _ASKED_WIDTHS.get(column.name, 20))
        sheet.write_string(head, i, column.title_vi, looks.asked_head)
    for i, column in enumerate(named, start=1 + says + len(asked)):
        sheet.set_column(i, i, _NAMED_WIDTH)
        sheet.write_string(head, i, column.title_vi, looks.named_head)
    for number, line in enumerate(book.lines, start=1):
        _write_line(sheet, looks, contract, head + number, number, line, asked, named)
    sheet.freeze_panes(head + 1, 3)
    sheet.protect("", dict.fromkeys(("format_columns", "format_rows", "autofilter", "sort", "delete_rows"), True))
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head)
    sheet.print_area(0, 0, head + max(len(book.lines), 1), says + len(asked))


def _write_line(
    sheet: Worksheet,
    looks: _Looks,
    contract: Contract,
    row: int,
    number: int,
    line: DecisionLine,
    asked: Sequence[Column],
    named: Sequence[Column],
) -> None:
    sheet.set_row(row, row_height(*((_shown(text), width) for text, width in zip(line.says, _OWN_WIDTHS, strict=True))))
    sheet.write_number(row, 0, number, looks.centred)
    for i, text in enumerate(line.says):
        sheet.write_string(row, 1 + i, _shown(text), looks.says if i in (1, 4) else looks.centred)
    first = 1 + len(line.says)
    for i, column in enumerate(asked, start=first):
        _write_asked(sheet, looks, row, i, column, line)
        if column.name == "action":
            _offer(sheet, row, i, contract, line)
    for i, column in enumerate(named, start=first + len(asked)):
        sheet.write_string(row, i, str(line.values.get(column.name, "")), looks.named)


def _write_asked(sheet: Worksheet, looks: _Looks, row: int, place: int, column: Column, line: DecisionLine) -> None:
    value = line.values.get(column.name)
    is_day = column.type == "date"
    if isinstance(value, dt.date):
        sheet.write_datetime(row, place, value, looks.decided_day)
    elif value:
        sheet.write_string(row, place, value, looks.decided)
    elif not line.actions:
        sheet.write_blank(row, place, None, looks.impossible)
    else:
        sheet.write_blank(row, place, None, looks.asked_day if is_day else looks.asked)


def _offer(sheet: Worksheet, row: int, place: int, contract: Contract, line: DecisionLine) -> None:
    """The drop-down of a line; where nothing may be chosen, the cell takes nothing."""
    labels = [action_label(contract, action) for action in line.actions]
    if not labels:
        message = "Việc này không giải trình bằng quyết định được; làm theo cột bên trái."
        sheet.data_validation(
            row, place, row, place, {"validate": "length", "criteria": "<", "value": 1, "error_message": message}
        )
        return
    if len(",".join(labels)) > _LIST_CHARACTERS:
        raise ValueError("the labels of the actions are too long for a drop-down")
    sheet.data_validation(
        row,
        place,
        row,
        place,
        {
            "validate": "list",
            "source": labels,
            "input_title": contract.column("action").title_vi,
            "input_message": "Chọn một cách; mỗi cách công bố gì: xem cột bên trái. Chưa quyết định thì để trống.",
            "error_message": "Chỉ chọn một trong các cách xử lý có trong danh sách.",
        },
    )


def _write_details(sheet: Worksheet, looks: _Looks, book: DecisionBook) -> None:
    for i, width in enumerate(_DETAIL_WIDTHS):
        sheet.set_column(i, i, width)
    sheet.write_string(0, 0, "CÁC DÒNG DỮ LIỆU ĐỨNG SAU TỪNG VIỆC CẦN QUYẾT ĐỊNH", looks.title)
    sheet.write_string(1, 0, "Tệp nội bộ: có mã hồ sơ và tên tệp của đơn vị, không gửi ra ngoài.", looks.line)
    sheet.set_row(3, 36)
    for i, heading in enumerate(DETAIL_HEADINGS):
        sheet.write_string(3, i, heading, looks.says_head)
    for row, cells in enumerate(book.details, start=4):
        sheet.set_row(row, row_height(*((str(c), w) for c, w in zip(cells, _DETAIL_WIDTHS, strict=True))))
        for i, cell in enumerate(cells):
            if isinstance(cell, int):
                sheet.write_number(row, i, cell, looks.centred)
            else:
                sheet.write_string(row, i, _shown(cell), looks.says)
    sheet.freeze_panes(4, 1)
    sheet.autofilter(3, 0, 3 + max(len(book.details), 1), len(DETAIL_HEADINGS) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(3)


def _write_guide(sheet: Worksheet, looks: _Looks, book: DecisionBook) -> None:
    sheet.set_column(0, 0, 120)
    sheet.write_string(0, 0, "CÁCH DÙNG SỔ NÀY", looks.title)
    for row, text in enumerate(book.guide, start=2):
        sheet.set_row(row, row_height((text, 120)))
        sheet.write_string(row, 0, text, looks.wrapped)
    sheet.protect()
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _shown(text: str) -> str:
    return text if len(text) <= _MAX_CELL else text[:_MAX_CELL] + "…"


__all__ = ["DETAIL_HEADINGS", "LINES_SHEET", "DecisionBook", "DecisionLine", "action_label", "decision_workbook"]

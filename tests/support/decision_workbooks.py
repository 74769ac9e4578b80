"""Workbooks of decisions to take, filled in as an official would, without reading a word of them.

Belongs here: choosing an action the drop-down offers and filling the cells beside it. Does not belong here: what any
line is about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl

SHEET = "Quyết định"
ASKED = ("Cách xử lý", "Lý do", "Người duyệt (chức vụ)", "Số văn bản", "Ngày văn bản")
FILLED = ("Đã kiểm tra, số liệu đúng như báo cáo", "Chủ tịch UBND huyện", "115/UBND-NV", dt.datetime(2023, 3, 16))
#: As people prefer: count the cases, else take what the office declared, else accept the finding.
PREFERRED = ("Tính là đúng hạn", "Chấp nhận số khai báo", "Chấp nhận có giải trình", "Chấp nhận số tính toán")


class Line:
    """One line of the workbook: its cells by heading, and the actions that its drop-down offers."""

    def __init__(self, sheet: Any, row: int, places: dict[str, int], offered: tuple[str, ...]) -> None:
        self.row, self.offered = row, offered
        self._sheet, self._places = sheet, places

    def __getitem__(self, heading: str) -> Any:
        return self._sheet.cell(self.row, self._places[heading]).value

    def __setitem__(self, heading: str, value: Any) -> None:
        self._sheet.cell(self.row, self._places[heading]).value = value

    def decide(self, action: str) -> None:
        for heading, value in zip(ASKED, (action, *FILLED), strict=True):
            self[heading] = value


def lines_of(book: Any) -> Iterator[Line]:
    """The lines of an opened workbook, in order."""
    sheet = book[SHEET]
    head = next(row for row in range(1, 20) if sheet.cell(row, 1).value == "STT")
    places = {cell.value: cell.column for cell in sheet[head] if cell.value}
    for row in range(head + 1, sheet.max_row + 1):
        if sheet.cell(row, 1).value is None:
            return
        cell = sheet.cell(row, places["Cách xử lý"]).coordinate
        lists = [v for v in sheet.data_validations.dataValidation if cell in v.sqref and v.type == "list"]
        offered = tuple(lists[0].formula1.strip('"').split(",")) if lists else ()
        yield Line(sheet, row, places, offered)


def preferred(line: Line) -> str | None:
    """The action a mechanical official chooses; None where none is offered."""
    return next((action for action in PREFERRED if action in line.offered), None)


def fill(source: Path, target: Path, choose: Callable[[Line], str | None] = preferred) -> int:
    """Saves the workbook with every undecided line decided as ``choose`` says; returns how many were."""
    book = openpyxl.load_workbook(source)
    count = 0
    for line in lines_of(book):
        action = choose(line) if line["Cách xử lý"] is None else None
        if action is not None:
            line.decide(action)
            count += 1
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return count

"""Renders canonical rows as the workbooks and CSV files that clerks deliver.

Belongs here: title blocks, merged headers, numbering and total rows, footers, and how values are typed into cells.
Does not belong here: rows (``rows``), headings (``layouts``), folders (``writer``).
"""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from common.periods import quarter_vi
from ingestion import Column, Contract
from sample import cases, people
from sample.communes import StandingCommune
from sample.districts import District
from sample.layouts import (
    COUNTER,
    LARGE_CASES,
    MINISTRY_CASES,
    MONTHLY_DOCUMENTS,
    OWNER,
    OWNER_ADDRESS,
    OWNER_ID,
    Heading,
    Layout,
)
from sample.provinces import StandingProvince
from sample.quarters import Window

Row = dict[str, Any]
Place = District | StandingCommune | StandingProvince
CellValue = str | int | dt.date | dt.datetime | None

_CREATED = dt.datetime(2023, 1, 1)
#: Lines of a CSV file that are held at a time, half a megabyte.
_BLOCK_OF_LINES = 2_000
_MOTTO = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
_DAY, _MOMENT = "%d/%m/%Y", "%d/%m/%Y %H:%M:%S"


@dataclass(frozen=True)
class Sheet:
    """Everything that one file is drawn from. ``agency`` is the unit that delivers, by its full name."""

    contract: Contract
    layout: Layout
    place: Place
    agency: str
    seat: str
    window: Window

    def cells(self, number: int, row: Row) -> list[CellValue]:
        """The typed cells of a row; ``number`` is its place in the table, from 1."""
        owner = random.Random(str(row.get("case_code"))) if "case_code" in row else None
        return [self._cell(heading, number, row, owner) for heading in self.layout.headings]

    def _cell(self, heading: Heading, number: int, row: Row, owner: random.Random | None) -> CellValue:
        if heading.field == COUNTER:
            return number
        if heading.field.startswith("@"):
            assert owner is not None
            return self._personal(heading.field, owner)
        value = row.get(heading.field)
        return None if value is None else self._typed(self.contract.column(heading.field), value)

    def _personal(self, field: str, owner: random.Random) -> str:
        if field == OWNER:
            return people.full_name(owner, female=owner.random() < 0.5)
        if field == OWNER_ADDRESS:
            return f"{people.address(owner, self.seat)} - {people.phone(owner)}"
        return people.citizen_id(owner) if field == OWNER_ID else people.phone(owner)

    def _typed(self, column: Column, value: Any) -> CellValue:
        layout = self.layout
        match column.type:
            case "enum":
                if (word := layout.words.get(column.name, {}).get(value)) is not None:
                    return word
                labels = [label for label in column.labels[value] if not label.isdigit()]
                return labels[min(layout.label, len(labels) - 1)]
            case "flag":
                if layout.flags == "cross":
                    return "x" if value else None
                return "Có" if value else "Không"
            case "unit":
                return self.place.unit_name(value, layout.unit_style)
            case "procedure_code":
                return f"{value}{layout.code_suffix}"
            case "quarter":
                return quarter_vi(value)
            case "month":
                return f"{value:%m/%Y}"
            case "date" | "datetime":
                return self._day(value)
            case "integer" | "number_or_text":
                return f"{value:,}".replace(",", ".") if layout.numbers == "dotted_text" else value
        return str(value)

    def _day(self, value: dt.date) -> CellValue:
        if self.layout.dates == "cell":
            return value
        moment = self.layout.dates == "moment_text" and isinstance(value, dt.datetime)
        return value.strftime(_MOMENT if moment else _DAY)


def workbook_bytes(sheet: Sheet, rows: Iterable[Row]) -> bytes:
    """The rows as an ``.xlsx`` file with all its furniture. Equal arguments give equal bytes."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _CREATED, "author": sheet.layout.office, "title": sheet.layout.title})
    _Drawing(book, sheet).draw(list(rows))
    book.close()
    return buffer.getvalue()


def csv_blocks(sheet: Sheet, rows: list[Row], scale: int = 1) -> Iterator[bytes]:
    """The rows as a CSV export, in blocks: UTF-8 with BOM, semicolons, header first; cases ``scale`` times each."""
    yield ("\ufeff" + ";".join(heading.text for heading in sheet.layout.headings) + "\r\n").encode()
    if "case_code" in rows[0]:
        lines = _case_lines(sheet, rows, scale)
    else:
        lines = (_line(sheet.cells(number, row)) for number, row in enumerate(rows, 1))
    while block := list(islice(lines, _BLOCK_OF_LINES)):
        yield ("\r\n".join(block) + "\r\n").encode()


def csv_layout(source: str, place: Place) -> Layout:
    """Layout of the CSV files: exports of cases of a system or of many, and the documents counted by month."""
    if isinstance(place, StandingCommune):
        return MINISTRY_CASES
    return LARGE_CASES if source == "one_stop_cases" else MONTHLY_DOCUMENTS


def _case_lines(sheet: Sheet, rows: list[Row], scale: int) -> Iterator[str]:
    """Lines of the cases: copies of a case have their codes, the first cell, and take one of a few endings in turn."""
    for number, row in enumerate(rows, 1):
        rests = [_line(sheet.cells(number, ending)[1:]) for ending in cases.endings_of_copies(row, scale)]
        for copy, code in enumerate(cases.multiplied_codes(row["case_code"], scale)):
            yield f"{code};{rests[copy % len(rests)]}"


def _line(cells: list[CellValue]) -> str:
    return ";".join(_csv_text(cell) for cell in cells)


def _csv_text(cell: CellValue) -> str:
    text = "" if cell is None else str(cell)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ';"\n') else text


class _Drawing:
    """One worksheet being drawn from the top down."""

    def __init__(self, book: xlsxwriter.Workbook, sheet: Sheet) -> None:
        self._sheet = sheet
        self._page: Worksheet = book.add_worksheet("Danh sách")
        self._at = 0
        self._last = len(sheet.layout.headings) - 1
        base = {"font_name": "Times New Roman", "font_size": 11}
        self._text = book.add_format({**base, "border": 1, "text_wrap": True, "num_format": "@"})
        self._number = book.add_format({**base, "border": 1})
        self._date = book.add_format({**base, "border": 1, "num_format": "dd/mm/yyyy"})
        self._moment = book.add_format({**base, "border": 1, "num_format": "dd/mm/yyyy hh:mm:ss"})
        self._head = book.add_format(
            {**base, "bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}
        )
        self._middle = book.add_format({**base, "bold": True, "align": "center"})
        self._italic = book.add_format({**base, "italic": True, "align": "center"})

    def draw(self, rows: list[Row]) -> None:
        for position, heading in enumerate(self._sheet.layout.headings):
            self._page.set_column(position, position, heading.width)
        self._title_block()
        self._header()
        self._numbering()
        for number, row in enumerate(rows, 1):
            for position, cell in enumerate(self._sheet.cells(number, row)):
                self._write(position, cell)
            self._at += 1
        self._total(len(rows))
        self._footer()

    def _write(self, position: int, cell: CellValue) -> None:
        if cell is None:
            self._page.write_blank(self._at, position, None, self._text)
        elif isinstance(cell, dt.datetime):
            self._page.write_datetime(self._at, position, cell, self._moment)
        elif isinstance(cell, dt.date):
            self._page.write_datetime(self._at, position, cell, self._date)
        elif isinstance(cell, int):
            self._page.write_number(self._at, position, cell, self._number)
        else:
            self._page.write_string(self._at, position, cell, self._text)

    def _span(self, first: int, last: int, text: str, style: Format) -> None:
        if last > first:
            self._page.merge_range(self._at, first, self._at, last, text, style)
        else:
            self._page.write_string(self._at, first, text, style)

    def _title_block(self) -> None:
        sheet, half = self._sheet, self._last // 2
        for left, right in ((sheet.agency.upper(), _MOTTO[0]), (sheet.layout.office, _MOTTO[1])):
            self._span(0, half, left, self._middle)
            self._span(half + 1, self._last, right, self._middle)
            self._at += 1
        self._at += 1
        self._span(0, self._last, sheet.layout.title, self._middle)
        self._at += 1
        window = sheet.window
        self._span(0, self._last, f"Từ ngày {window.opens_on:{_DAY}} đến ngày {window.closes_on:{_DAY}}", self._italic)
        self._at += 2

    def _header(self) -> None:
        headings = self._sheet.layout.headings
        if not any(heading.group for heading in headings):
            for position, heading in enumerate(headings):
                self._page.write_string(self._at, position, heading.text, self._head)
            self._at += 1
            return
        position = 0
        while position <= self._last:
            heading = headings[position]
            if heading.group is None:
                self._page.merge_range(self._at, position, self._at + 1, position, heading.text, self._head)
                position += 1
                continue
            end = position
            while end < self._last and headings[end + 1].group == heading.group:
                end += 1
            self._span(position, end, heading.group, self._head)
            for under in range(position, end + 1):
                self._page.write_string(self._at + 1, under, headings[under].text, self._head)
            position = end + 1
        self._at += 2

    def _numbering(self) -> None:
        style = self._sheet.layout.numbering
        if not style:
            return
        for position in range(self._last + 1):
            lettered = "AB"[position] if position < 2 else str(position - 1)
            text = f"({position + 1})" if style == "(1)" else lettered
            self._page.write_string(self._at, position, text, self._head)
        self._at += 1

    def _total(self, count: int) -> None:
        unit = self._sheet.layout.total
        if unit is None:
            return
        self._page.write_string(self._at, 0, "Tổng cộng", self._head)
        self._page.write_string(self._at, 2, f"{count:,} {unit}".replace(",", "."), self._head)
        self._at += 1

    def _footer(self) -> None:
        half = self._last // 2
        day = self._sheet.window.closes_on + dt.timedelta(days=1)
        self._at += 1
        self._span(half + 1, self._last, f"{self._sheet.seat}, ngày {day:%d} tháng {day:%m} năm {day:%Y}", self._italic)
        self._at += 1
        signer = random.Random(f"{self._sheet.agency}-{self._sheet.contract.source}")
        names = [people.full_name(signer, female=female) for female in (True, False)]
        for left, right, style in (
            ("Người lập biểu", "Thủ trưởng đơn vị", self._middle),
            ("(Ký, ghi rõ họ tên)", "(Ký tên, đóng dấu)", self._italic),
            (names[0], names[1], self._middle),
        ):
            self._span(0, half, left, style)
            self._span(half + 1, self._last, right, style)
            self._at += 1

"""``report/tong-hop.xlsx``: a province's figures with its units as columns, and the exact way back.

Belongs here: the look of that workbook and reading it again. Does not belong here: its figures (``province.rollup``).

Sheets: totals first and each unit and department beside them; the ranking; units with their releases; where several
sources tell one fact, their figures side by side; what departments delivered, with file and row; the same as rows for
machines.
Figures are true numbers with a number format, every text is a string cell.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from common.workbooks import NO_DATE
from publication.content.approval import DRAFT_SHEET_HEAD
from publication.content.province_content import LEVELS_VI, ProvinceContent, is_counted
from publication.content.release_content import PROVISIONAL_VI
from publication.tables.read_back import NoWorkbook, opened

SUMMARY, RANKING, UNITS, COMPARED, DEPARTMENTS, DATA = (
    "Tổng hợp",
    "Xếp hạng",
    "Đơn vị",
    "Đối chiếu",
    "Sở, ngành",
    "Số liệu",
)
_FONT = {"font_name": "Times New Roman", "font_size": 11}
_NUMBER, _PERCENT = "[$-42A]#,##0.####", "[$-42A]#,##0.00"
_HEAD_ROW = 3
_FIXED = ("STT", "Chỉ tiêu", "Đơn vị tính", "Toàn tỉnh", "Số đơn vị đã tính", "Số đơn vị", "Chưa có số liệu")
#: The same of a province that lists departments of its own.
_OF_DEPARTMENTS = ("Số sở, ngành đã tính", "Số sở, ngành", "Sở, ngành chưa có số liệu")
_WIDTHS = (6, 60, 14, 14, 10, 10, 30, 10, 10, 30)
_UNIT_WIDTH = 14
_RANKED = (
    ("name_vi", "Chỉ tiêu", 60), ("member_level", "Cấp", 10), ("rank", "Hạng", 8), ("member_code", "Mã", 8),
    ("member_name_vi", "Đơn vị", 30), ("value", "Tỷ lệ (%)", 12), ("numerator", "Tử số", 12),
    ("denominator", "Mẫu số", 12), ("units_ranked", "Số đơn vị xếp hạng", 12),
)  # fmt: skip
_LISTED = (
    ("member_code", "Mã", 8),
    ("member_name_vi", "Đơn vị", 34),
    ("member_level", "Cấp", 10),
    ("release_number", "Bản công bố", 12),
    ("form_version", "Biểu mẫu", 12),
    ("standing_vi", "Tình trạng số liệu", 18),
    ("why_vi", "Lý do chưa có số liệu", 60),
)
_DELIVERED = (
    ("member_code", "Mã", 12), ("indicator_code", "Mã chỉ tiêu", 12), ("value", "Số liệu", 14),
    ("numerator", "Tử số", 12), ("denominator", "Mẫu số", 12), ("evidence_vi", "Tài liệu kiểm chứng", 40),
    ("file_name", "Tệp", 44), ("sheet_no", "Trang thứ", 8), ("row_number", "Dòng", 8),
)  # fmt: skip
_COMPARED = (
    ("indicator_code", "Mã chỉ tiêu", 12), ("indicator_name_vi", "Chỉ tiêu", 60),
    ("unit_of_measure", "Đơn vị tính", 14), ("member_code", "Mã", 8), ("member_name_vi", "Đơn vị", 30),
    ("computed_value", "Số tính từ dữ liệu", 14), ("declared_value", "Số đơn vị khai", 14),
    ("portal_value", "Số trên Cổng", 14), ("portal_vi", "Cổng", 30), ("portal_taken_on", "Ngày lấy số trên Cổng", 14),
    ("declared_minus_computed", "Khai trừ tính", 12), ("portal_minus_computed", "Cổng trừ tính", 12),
    ("portal_minus_declared", "Cổng trừ khai", 12),
)  # fmt: skip


class WorkbookDamaged(Exception):
    """The written workbook does not read back as the release."""


def write_workbook(path: Path, content: ProvinceContent) -> None:
    """Write the workbook; equal contents give equal bytes."""
    options = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": f"Tổng hợp {content.quarter_vi}, {content.unit_name_vi}", "created": NO_DATE})
        looks = _Looks(book)
        _write_summary(book.add_worksheet(SUMMARY), looks, content)
        tables = content.tables
        _write_list(book.add_worksheet(RANKING), looks, _RANKED, _in_words(tables["province_ranking"].to_pylist()))
        _write_list(book.add_worksheet(UNITS), looks, _LISTED, _in_words(content.members))
        if content.compared:
            _write_list(book.add_worksheet(COMPARED), looks, _COMPARED, content.compared)
        if content.has_departments:
            rows = tables["province_departments"].to_pylist()
            _write_list(book.add_worksheet(DEPARTMENTS), looks, _DELIVERED, rows)
        figures = tables["province_indicators"]
        columns = tuple((name, name, 16) for name in figures.column_names)
        _write_list(book.add_worksheet(DATA), looks, columns, figures.to_pylist())
        if content.draft:
            for sheet in book.worksheets():
                sheet.set_header(DRAFT_SHEET_HEAD)


class _Looks:
    def __init__(self, book: xlsxwriter.Workbook) -> None:
        edge = {"border": 1, "border_color": "#999999", "valign": "top"}
        self.title = book.add_format({**_FONT, "bold": True, "font_size": 14})
        self.plain = book.add_format(_FONT)
        self.head = book.add_format({**_FONT, **edge, "bold": True, "text_wrap": True, "bg_color": "#F1EDE3"})
        self.text = book.add_format({**_FONT, **edge, "text_wrap": True})
        self.bold = book.add_format({**_FONT, **edge, "text_wrap": True, "bold": True, "bg_color": "#F1EDE3"})
        self.number = book.add_format({**_FONT, **edge, "num_format": _NUMBER})
        self.day = book.add_format({**_FONT, **edge, "num_format": "dd/mm/yyyy"})
        self.percent = book.add_format({**_FONT, **edge, "num_format": _PERCENT})


def _write_summary(sheet: Worksheet, looks: _Looks, content: ProvinceContent) -> None:
    members = content.members
    standing = f" ({content.standing_vi.upper()})" if content.standing_vi else ""
    sheet.write_string(0, 0, f"{content.unit_name_vi}: tổng hợp {content.quarter_vi}{standing}", looks.title)
    of_departments = ", sở, ngành chưa nộp" if content.has_departments else ""
    told = f"Từ số liệu của {content.covered_vi()}. Đơn vị chưa công bố{of_departments} không được tính là 0."
    sheet.write_string(1, 0, told, looks.plain)
    heads = [*_fixed(content), *(f"{member['member_name_vi']} ({member['member_code']})" for member in members)]
    for column, head in enumerate(heads):
        width = _WIDTHS[column] if column < len(_WIDTHS) else _UNIT_WIDTH
        sheet.set_column(column, column, width)
        sheet.write_string(_HEAD_ROW, column, head, looks.head)
    by_row = _by_row(content)
    for place, total in enumerate(_totals(content), start=_HEAD_ROW + 1):
        look = looks.bold if total["kind"] == "heading" else looks.text
        number = looks.percent if total["kind"] == "ratio" else looks.number
        for column, text in enumerate((total["printed_number"], total["indicator_name_vi"], total["unit_of_measure"])):
            sheet.write_string(place, column, text or "", look)
        figures = [total["value"], *((None, None) if total["kind"] == "heading" else _coverage(total))]
        for column, value in enumerate(figures, start=3):
            _write_figure(sheet, place, column, value, number if column == 3 else looks.number, look)
        sheet.write_string(place, 6, (total["missing_vi"] or "") if is_counted(total) else "", look)
        if content.has_departments:
            for column, value in enumerate(_coverage_of_departments(total), start=len(_FIXED)):
                _write_figure(sheet, place, column, value, looks.number, look)
            missing = (total["departments_missing_vi"] or "") if is_counted(total) else ""
            sheet.write_string(place, len(_FIXED) + 2, missing, look)
        for column, member in enumerate(members, start=len(_fixed(content))):
            value = by_row[total["indicator_code"]].get(member["member_code"])
            _write_figure(sheet, place, column, value, number, look)
    sheet.freeze_panes(_HEAD_ROW + 1, 4)
    sheet.repeat_rows(_HEAD_ROW)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)


def _fixed(content: ProvinceContent) -> tuple[str, ...]:
    """The headings before those of the units."""
    return (*_FIXED, *_OF_DEPARTMENTS) if content.has_departments else _FIXED


def _coverage_of_departments(total: Mapping[str, Any]) -> tuple[int | None, int | None]:
    told = is_counted(total) and total["kind"] != "heading"
    return (total["departments_counted"], total["departments_expected"]) if told else (None, None)


def _coverage(total: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return (total["units_counted"], total["units_expected"]) if is_counted(total) else (None, None)


def _write_figure(sheet: Worksheet, row: int, column: int, value: Any, look: Format, blank: Format) -> None:
    if value is None:
        sheet.write_blank(row, column, None, blank)
    else:
        sheet.write_number(row, column, float(value), look)


def _write_list(
    sheet: Worksheet, looks: _Looks, columns: Sequence[tuple[str, str, int]], rows: Iterable[Mapping[str, Any]]
) -> None:
    for column, (_, head, width) in enumerate(columns):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, head, looks.head)
    count = 0
    for count, row in enumerate(rows, start=1):
        for column, (name, _, _) in enumerate(columns):
            value = row[name]
            if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
                sheet.write_number(count, column, float(value), looks.number)
            elif value is None:
                sheet.write_blank(count, column, None, looks.text)
            elif isinstance(value, dt.date):
                sheet.write_datetime(count, column, dt.datetime.combine(value, dt.time()), looks.day)
            else:
                sheet.write_string(count, column, str(value), looks.text)
    sheet.freeze_panes(1, 0)
    if count:
        sheet.autofilter(0, 0, count, len(columns) - 1)


def _in_words(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows for people: levels, and whether a unit's figures are provisional, in Vietnamese."""
    for row in rows:
        standing = PROVISIONAL_VI if row.get("provisional") else None
        yield {**row, "member_level": LEVELS_VI[row["member_level"]], "standing_vi": standing}


def _totals(content: ProvinceContent) -> list[dict[str, Any]]:
    return sorted(content.tables["province_totals"].to_pylist(), key=lambda row: row["row_no"])


def _by_row(content: ProvinceContent) -> Mapping[str, dict[str, Decimal | None]]:
    found: dict[str, dict[str, Decimal | None]] = defaultdict(dict)
    for row in content.tables["province_indicators"].to_pylist():
        found[row["indicator_code"]][row["member_code"]] = row["value"]
    return found


def check_workbook(path: Path, content: ProvinceContent) -> None:
    """Read totals, coverage and every unit's figures again. Raises WorkbookDamaged where one differs."""
    try:
        with opened(path, read_only=True) as book:
            rows = list(book[SUMMARY].iter_rows(min_row=_HEAD_ROW + 2, values_only=True))
            lists = (RANKING, UNITS, *((DEPARTMENTS,) if content.has_departments else ()), DATA)
            listed = {name: book[name].max_row - 1 for name in lists}
            compared = list(book[COMPARED].iter_rows(min_row=2, values_only=True)) if content.compared else []
    except NoWorkbook as error:
        raise WorkbookDamaged(str(error)) from error
    members = [member["member_code"] for member in content.members]
    by_row = _by_row(content)
    wanted = [
        (
            total["value"],
            *((None, None) if total["kind"] == "heading" else _coverage(total)),
            *(_coverage_of_departments(total) if content.has_departments else ()),
            *(by_row[total["indicator_code"]].get(code) for code in members),
        )
        for total in _totals(content)
    ]
    start, columns = len(_fixed(content)), [3, 4, 5, *([7, 8] if content.has_departments else [])]
    found = [(*(row[column] for column in columns), *row[start : start + len(members)]) for row in rows]
    for total, want, got in zip(_totals(content), wanted, found, strict=False):
        if [_exact(value) for value in want] != [_exact(value) for value in got]:
            raise WorkbookDamaged(f"{path.name}, {total['indicator_code']}: {want} was meant, {got} is there")
    wanted_rows = [tuple(row[name] for name, _, _ in _COMPARED) for row in content.compared]
    for meant, there in zip(wanted_rows, compared, strict=False):
        days = [value.date() if isinstance(value, dt.datetime) else value for value in there]
        if [_as_written(value) for value in meant] != [_as_written(value) for value in days]:
            raise WorkbookDamaged(f"{path.name}, {COMPARED}: {meant} was meant, {there} is there")
    if len(wanted_rows) != len(compared):
        raise WorkbookDamaged(f"{path.name}, {COMPARED}: {len(compared)} rows are there, not {len(wanted_rows)}")
    tables = {RANKING: "province_ranking", UNITS: "province_members", DATA: "province_indicators"}
    tables |= {DEPARTMENTS: "province_departments"} if content.has_departments else {}
    if len(found) != len(wanted) or listed != {n: content.tables[t].num_rows for n, t in tables.items()}:
        raise WorkbookDamaged(f"{path.name} has other rows than the release")


def _as_written(value: Any) -> Any:
    return _exact(value) if isinstance(value, (int, float, Decimal)) else value or None


def _exact(value: Any) -> Decimal | None:
    """A figure has at most four decimals, fewer digits than a double holds."""
    return None if value is None else Decimal(str(value)).quantize(Decimal("0.0001"))

"""Departments' empty annexes as workbooks: the layout of the first province, and a plausible variant of it.

The variant: a title over a header of three rows with merged cells, other headings, sections and items in another order,
words written out or shortened, 40 rows fewer and 40 that nobody knew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import openpyxl

from common.forms import Form

Row = Mapping[str, str]
#: What a row of the variant says otherwise than the known one.
_SPELT = {
    "UBND": "Ủy ban nhân dân",
    "TTHC": "thủ tục hành chính",
    "VBQPPL": "Văn bản quy phạm pháp luật",
    "SNCL": "sự nghiệp công lập",
}
_THINGS = (
    "tổ công nghệ số cộng đồng", "điểm hỗ trợ dịch vụ công trực tuyến", "kiến nghị của cử tri",
    "buổi tập huấn kỹ năng số", "nhà văn hóa ấp có mạng không dây", "hộ kinh doanh dùng hóa đơn điện tử",
    "sổ tay hướng dẫn công dân", "camera an ninh công cộng", "mô hình dân vận khéo", "bản tin loa truyền thanh",
)  # fmt: skip
_DONE = (
    ("Số {} đã thành lập trong kỳ", "Mục"),
    ("Có kế hoạch phát triển {}", "Có = 1 Không = 0"),
    ("Tỷ lệ {} đạt yêu cầu", "%"),
    ("Số {} hiện có", "Mục"),
)


@dataclass(frozen=True)
class Printed:
    """A line of an annex, and the known row that it is; empty code for a row that nobody knew."""

    number: str
    name: str
    unit: str
    code: str


def as_printed(form: Form) -> list[Printed]:
    """The lines of a form in its own order and words."""
    return [Printed(r["printed_number"], r["name_vi"], r["unit_vi"], r["indicator_code"]) for r in form.rows]


def new_rows() -> list[Printed]:
    """40 rows that no form has."""
    return [Printed("", name.format(thing), unit, "") for (name, unit), thing in product(_DONE, _THINGS)]


def variant(form: Form, left_out: Iterable[str]) -> list[Printed]:
    """The lines of the second province."""
    gone = set(left_out)
    sections: dict[str, list[Printed]] = {}
    for line, row in zip(as_printed(form), form.rows, strict=True):
        if line.code not in gone:
            name = re.sub("|".join(_SPELT), lambda match: _SPELT[match[0]], line.name)
            sections.setdefault(row["section"], []).append(Printed(line.number, name, line.unit, line.code))
    extra = new_rows()
    # Another order: the last section but one comes first, and new rows stand at the end of every section.
    order = sorted(sections, key=lambda section: (section != "VI", section))
    share = -(-len(extra) // len(order))
    lines = []
    for place, section in enumerate(order):
        lines += [*sections[section], *extra[place * share : (place + 1) * share]]
    return lines


def write_first(path: Path, lines: Iterable[Printed]) -> None:
    """The layout of the first province: five columns, two header rows."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["BẢNG TỔNG HỢP"])
    sheet.append(["SỐ LIỆU VÀ KẾT QUẢ THỰC HIỆN CÔNG TÁC CẢI CÁCH HÀNH CHÍNH"])
    sheet.append([])
    sheet.append(["STT", "Chỉ tiêu thống kê", "Kết quả thống kê", None, "Ghi chú"])
    sheet.append([None, None, "Đơn vị tính", "Số lượng / Tỷ lệ", None])
    for merged in ("A4:A5", "B4:B5", "C4:D4", "E4:E5"):
        sheet.merge_cells(merged)
    for line in lines:
        sheet.append([line.number or None, line.name, line.unit or None])
    book.save(path)


def write_variant(path: Path, lines: Iterable[Printed]) -> None:
    """The layout of the second: a hidden sheet before, the unit after the figure, a row of column numbers, a footer."""
    book = openpyxl.Workbook()
    hidden = book.active
    hidden.title = "DM"
    hidden.append(["STT", "Nội dung", "ĐVT"])
    hidden.append([1, "Danh mục không phải biểu", "x"])
    hidden.sheet_state = "hidden"
    sheet = book.create_sheet("Biểu số 01")
    sheet.append(["SỞ NỘI VỤ TỈNH"])
    sheet.append(["BIỂU SỐ 01: THỐNG KÊ CẢI CÁCH HÀNH CHÍNH CẤP XÃ"])
    sheet.merge_cells("A2:F2")
    sheet.append([])
    sheet.append(["TT", "NỘI DUNG", "KẾT QUẢ THỰC HIỆN", None, "ĐVT", "GHI CHÚ"])
    sheet.append([None, None, "Kỳ báo cáo", "Lũy kế năm", None, None])
    sheet.append(["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"])
    for merged in ("A4:A5", "B4:B5", "C4:D4", "E4:E5", "F4:F5"):
        sheet.merge_cells(merged)
    for line in lines:
        sheet.append([line.number or None, line.name, None, None, line.unit or None])
    sheet.append([])
    sheet.append([None, "NGƯỜI LẬP BIỂU", None, None, "THỦ TRƯỞNG ĐƠN VỊ"])
    book.save(path)

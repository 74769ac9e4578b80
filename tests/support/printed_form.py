"""The printed form as an office keeps it and fills it in, for tests.

Belongs here: the form's rows as lines of a sheet, and the ways in which offices' copies of it differ. Does not belong
here: how the program prints the form (``publication.tables.annex``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import xlsxwriter

from common.forms import Form

#: The two heading rows of the print: number, name, the two columns below the merged heading, note.
TOP = ("STT", "Chỉ tiêu thống kê", "Kết quả thống kê", None, "Ghi chú")
BOTTOM = (None, None, "Đơn vị tính", "Số lượng / Tỷ lệ", None)

Line = list[Any]


def printed_lines(form: Form, figures: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> list[Line]:
    """One line a row of the form: number, name, unit, figure, note; ``figures`` and ``notes`` by indicator code."""
    return [
        [
            row["printed_number"] or None,
            row["name_corrected_vi"] or row["name_vi"],
            row["unit_vi"] or None,
            figures.get(row["indicator_code"]),
            (notes or {}).get(row["indicator_code"]),
        ]
        for row in form.rows
    ]


def merged_as_printed(form: Form, first_row: int) -> Callable[[xlsxwriter.Workbook], object]:
    """Merges the two heading rows that begin at the 0-based ``first_row``, and the names of the sections below them."""

    def merge(book: xlsxwriter.Workbook) -> None:
        (sheet,) = book.worksheets()
        for column in (0, 1, 4):
            sheet.merge_range(first_row, column, first_row + 1, column, TOP[column])
        sheet.merge_range(first_row, 2, first_row, 3, TOP[2])
        for place, row in enumerate(form.rows, start=first_row + 2):
            if row["level"] == "0":
                sheet.merge_range(place, 1, place, 3, row["name_corrected_vi"] or row["name_vi"])

    return merge


def reordered(rows: Sequence[Line], order: Sequence[int]) -> list[Line]:
    """The lines with their columns in another order."""
    return [[line[i] for i in order] for line in rows]

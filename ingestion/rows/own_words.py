"""The words, headings and sheets that a workbook made by this program adds to the clerk's own.

Belongs here: what tells such a workbook when it comes back filled in or mended. Does not belong here: the rows in it
(``returned``), how it looks and where it lies (``clerk``).
"""

from __future__ import annotations

OWN_HEADINGS = ("Dòng gốc", "Lý do trả lại", "Cách sửa", "Trang tính gốc")
TITLE = "CÁC DÒNG BỊ TRẢ LẠI"
FILE_LINE = "Tệp đã nộp"
COUNT_LINE = "Số dòng bị trả lại"
HOW_LINE = "Cách làm"
OWN_LINES = (TITLE, FILE_LINE, COUNT_LINE, HOW_LINE)
HELP_SHEET = "Hướng dẫn"
LISTS_SHEET = "Danh mục"
DETAILS_SHEET = "Chi tiết"
#: Sheets of our workbooks that hold no data; that they have no table is not worth telling the clerk.
HELP_SHEETS = frozenset({HELP_SHEET, LISTS_SHEET, DETAILS_SHEET})
#: First headings of the sheet of a printed form's workbook that holds its figures for programs. Whoever fills in the
#: form by hand changes the printed sheet, so a workbook that comes back is read there and this sheet is passed over.
FIGURES_FOR_PROGRAMS = ("row_no", "indicator_code")

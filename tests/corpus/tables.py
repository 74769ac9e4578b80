"""The table that every file of the corpus holds, in one disguise or another, and how the lake shows it.

Belongs here: data. Does not belong here: how a file is written (``files``).
"""

from __future__ import annotations

import datetime as dt

SOURCE = "plan_tasks"
HEAD = ["Kế hoạch", "Mã nhiệm vụ", "Nội dung", "Trạng thái", "Ngày hoàn thành"]
ROWS: list[list[str | dt.date]] = [
    ["CCHC năm", "NV-01", "Rà soát thủ tục hành chính", "Hoàn thành", dt.date(2023, 1, 10)],
    ["CCHC năm", "NV-02", "Tập huấn nghiệp vụ cho công chức xã", "Hoàn thành", dt.date(2023, 1, 31)],
    ["Tuyên truyền", "NV-03", "Phát tờ rơi về dịch vụ công trực tuyến", "Hoàn thành", dt.date(2023, 2, 3)],
    ["Tuyên truyền", "NV-04", "Đưa tin trên đài truyền thanh huyện", "Hoàn thành", dt.date(2023, 2, 28)],
    ["Kiểm tra", "NV-05", "Kiểm tra bộ phận một cửa", "Hoàn thành", dt.date(2023, 3, 9)],
    ["Kiểm tra", "NV-06", "Kết luận kiểm tra, kiến nghị khắc phục", "Hoàn thành", dt.date(2023, 3, 14)],
]
CONTENT = {str(row[1]): (str(row[2]), row[4]) for row in ROWS}


def text_rows() -> list[list[str]]:
    """The rows as text, dates as printed."""
    return [[f"{c:%d/%m/%Y}" if isinstance(c, dt.date) else c for c in row] for row in ROWS]

"""Decisions of the chairman of the district that settle the contradictions of the real report.

Belongs here: canonical rows of ``decisions`` for Cù Lao Dung, 2023-Q1.
Does not belong here: what a decision does to a figure.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from ingestion.sample.cases import software_late_codes
from ingestion.sample.districts import District

_APPROVED_BY = "Chủ tịch UBND huyện"
_CASE_DOCUMENT = ("112/UBND-VP", dt.date(2023, 3, 15))
_FIGURE_DOCUMENT = ("115/UBND-NV", dt.date(2023, 3, 16))
_POST_REASON = (
    "Số TTHC đã đăng ký triển khai tiếp nhận, trả kết quả qua dịch vụ bưu chính công ích; "
    "trong quý chưa phát sinh hồ sơ"
)
_SETTLED = (
    ("rule", "report.flag_domain.I.16", "accept_finding", None,
     "Biểu mẫu ghi đơn vị tính là tin, bài; huyện báo cáo số tin, bài (02) thay vì có/không"),
    ("row", "III.05", "accept_declared", 1,
     "Huyện đã ban hành Kế hoạch số 06/KH-UBND và đang rà soát để đơn giản hóa TTHC; "
     "chưa có TTHC được cắt giảm trong quý"),
    ("rule", "report.V.02.heading_contradicts_children", "accept_finding", None,
     "Dòng đề mục in số 0 theo mẫu của Sở Nội vụ; số liệu lấy theo hai dòng con"),
    ("row", "VI.04", "accept_declared", 31,
     "31/31 đơn vị sự nghiệp công lập thực hiện cơ chế tự chủ theo Nghị định số 60/2021/NĐ-CP; "
     "30 đơn vị chưa được phân loại mức tự chủ"),
    ("rule", "report.VI.06.requires_staff", "accept_finding", None,
     "Đơn vị tự chủ 100% chi thường xuyên chưa thuộc nhóm tự chủ hoàn toàn nên không kê số người làm việc"),
    ("rule", "report.VII.29.at_most_offered", "accept_finding", None,
     "Trong 251 TTHC tích hợp trên Cổng Dịch vụ công quốc gia có 14 TTHC mức độ 3; "
     "huyện chưa thống kê riêng số TTHC đang cung cấp mức độ 3"),
    ("row", "VII.44", "accept_declared", 10, _POST_REASON),
    ("row", "VII.45", "accept_declared", 10, _POST_REASON),
    ("row", "VII.50", "accept_declared", 2, _POST_REASON),
    ("row", "VII.51", "accept_declared", 2, _POST_REASON),
    ("rule", "report.III.27.no_backlog", "accept_finding", None,
     "Hồ sơ cấp xã chủ yếu giải quyết trong ngày; các xã, thị trấn đã xác nhận không còn hồ sơ tồn "
     "tại thời điểm chốt số liệu"),
)  # fmt: skip


def decision_rows(seed: int, district: District) -> list[dict[str, Any]]:
    """The sixteen decisions of 2023-Q1: five on cases, the others on rows of the form and on rules."""
    subjects = [
        ("case", code, "count_as_on_time", None,
         "Hồ sơ đã trả đúng hạn cho người dân; trễ hạn trên phần mềm do lỗi thao tác của công chức Bộ phận Một cửa")
        for code in software_late_codes(seed, district, "2023-Q1")
    ]  # fmt: skip
    rows = []
    for number, (kind, subject, action, value, reason) in enumerate([*subjects, *_SETTLED], 1):
        document, dated = _CASE_DOCUMENT if kind == "case" else _FIGURE_DOCUMENT
        rows.append(
            {
                "decision_id": f"QD-{number:02d}",
                "subject_kind": kind,
                "subject": subject,
                "unit": district.code,
                "quarter": "2023-Q1",
                "action": action,
                "value": value,
                "reason": reason,
                "approved_by": _APPROVED_BY,
                "document_number": document,
                "dated": dated,
                "holds_until": "2023-Q1",
            }
        )
    return rows

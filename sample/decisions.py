"""Decisions of the chairman of the district that settle the contradictions of the real report.

Belongs here: canonical rows of ``decisions`` for Cù Lao Dung, 2023-Q1.
Does not belong here: what a decision does to a figure.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sample.cases import software_late_codes
from sample.districts import District

_APPROVED_BY = "Chủ tịch UBND huyện"
_CASE_DOCUMENT = ("112/UBND-VP", dt.date(2023, 3, 15))
_FIGURE_DOCUMENT = ("115/UBND-NV", dt.date(2023, 3, 16))
_POST_REASON = (
    "Số TTHC đã đăng ký triển khai tiếp nhận, trả kết quả qua dịch vụ bưu chính công ích; "
    "trong quý chưa phát sinh hồ sơ"
)
# What the district settles: kind, subject, rules accepted on the row, action, figure, figures seen, reason. The figures
# seen are those that the gate showed; ``{communes}`` stands for the cases that the communes received.
_SETTLED = (
    ("rule", "report.flag_domain.I.16", None, "accept_finding", None, "I.16 = 2",
     "Biểu mẫu ghi đơn vị tính là tin, bài; huyện báo cáo số tin, bài (02) thay vì có/không"),
    ("rule", "report.III.05.follows_parts", None, "accept_finding", None,
     "III.05 = 1; III.06 = 0; III.07 = 0; III.08 = trống",
     "Huyện đã ban hành Kế hoạch số 06/KH-UBND và đang rà soát để đơn giản hóa TTHC; "
     "chưa có TTHC được cắt giảm trong quý"),
    ("rule", "report.V.02.heading_contradicts_children", None, "accept_finding", None, "V.02 = 0; V.03 = 1; V.04 = 0",
     "Dòng đề mục in số 0 theo mẫu của Sở Nội vụ; số liệu lấy theo hai dòng con"),
    ("row", "VI.04", "report.VI.04.sum_of_groups", "accept_declared", 31,
     "số tính toán = 1; số khai báo = 31; VI.04 = 31; VI.05 = 0; VI.06 = 1; VI.07 = 0; VI.08 = 0",
     "31/31 đơn vị sự nghiệp công lập thực hiện cơ chế tự chủ theo Nghị định số 60/2021/NĐ-CP; "
     "30 đơn vị chưa được phân loại mức tự chủ"),
    ("rule", "report.VI.06.requires_staff", None, "accept_finding", None, "IV.21 = 0; IV.22 = 0; VI.05 = 0; VI.06 = 1",
     "Đơn vị tự chủ 100% chi thường xuyên chưa thuộc nhóm tự chủ hoàn toàn nên không kê số người làm việc"),
    ("rule", "report.VII.29.at_most_offered", None, "accept_finding", None,
     "VII.23 = trống; VII.27 = 237; VII.29 = 251",
     "Trong 251 TTHC tích hợp trên Cổng Dịch vụ công quốc gia có 14 TTHC mức độ 3; "
     "huyện chưa thống kê riêng số TTHC đang cung cấp mức độ 3"),
    *(
        ("row", code, f"report.{code}.at_most_cases; report.{code}.iff_cases", "accept_declared", value,
         f"số tính toán = 0; số khai báo = {value}; {code} = {value}; {cases} = 0", _POST_REASON)
        for code, cases, value in (
            ("VII.44", "VII.46", 10), ("VII.45", "VII.47", 10), ("VII.50", "VII.52", 2), ("VII.51", "VII.53", 2),
        )
    ),
    ("rule", "report.III.27.no_backlog", None, "accept_finding", None,
     "III.26 = {communes}; hồ sơ cấp xã chưa kết thúc = 0",
     "Hồ sơ cấp xã chủ yếu giải quyết trong ngày; các xã, thị trấn đã xác nhận không còn hồ sơ tồn "
     "tại thời điểm chốt số liệu"),
)  # fmt: skip


def decision_rows(seed: int, district: District, commune_cases: int) -> list[dict[str, Any]]:
    """The sixteen decisions of 2023-Q1: five on cases, the others on rows of the form and on rules.

    ``commune_cases``: how many cases the communes received, which one of the decisions has seen.
    """
    subjects = [
        ("case", code, None, "count_as_on_time", None, None,
         "Hồ sơ đã trả đúng hạn cho người dân; trễ hạn trên phần mềm do lỗi thao tác của công chức Bộ phận Một cửa")
        for code in software_late_codes(seed, district, "2023-Q1")
    ]  # fmt: skip
    rows = []
    for number, (kind, subject, rules, action, value, seen, reason) in enumerate([*subjects, *_SETTLED], 1):
        document, dated = _CASE_DOCUMENT if kind == "case" else _FIGURE_DOCUMENT
        rows.append(
            {
                "decision_id": f"QD-{number:02d}",
                "subject_kind": kind,
                "subject": subject,
                "applies_to": rules,
                "unit": district.code,
                "quarter": "2023-Q1",
                "action": action,
                "value": value,
                "figures_seen": seen.format(communes=commune_cases) if seen else None,
                "reason": reason,
                "approved_by": _APPROVED_BY,
                "document_number": document,
                "dated": dated,
                "holds_until": "2023-Q1",
            }
        )
    return rows

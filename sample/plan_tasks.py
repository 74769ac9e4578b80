"""Tasks of the plans of 2022, 2023 and 2025: the year's plan, propaganda, inspections, audit, training and the others.

Belongs here: canonical rows of ``plan_tasks`` as of a quarter's closing. Documents of 2023 are those of the real
report; numbers of the other years are invented.
Does not belong here: declared figures about plans (``declared``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sample.districts import District
from sample.quarters import CLOSING, QuarterPlan

Row = dict[str, Any]


@dataclass(frozen=True)
class _Documents:
    cchc_year: str
    propaganda: str
    inspection: str
    audit: str
    training: str
    rotation: str
    procedure_review: str
    digital_government: str


_DOCUMENTS = {
    2022: _Documents(
        cchc_year="05/KH-UBND ngày 06/01/2022",
        propaganda="27/KH-UBND ngày 15/02/2022",
        inspection="29/KH-UBND ngày 18/02/2022",
        audit="14/KH-TTrH ngày 03/12/2021",
        training="25/KH-UBND ngày 11/02/2022",
        rotation="33/KH-UBND ngày 24/02/2022",
        procedure_review="08/KH-UBND ngày 14/01/2022",
        digital_government="10/KH-UBND ngày 19/01/2022",
    ),
    2023: _Documents(
        cchc_year="03/KH-UBND ngày 04/01/2023",
        propaganda="42/KH-UBND ngày 17/02/2023",
        inspection="41/KH-UBND ngày 17/02/2023",
        audit="11/KH-TTrH ngày 02/12/2022",
        training="31/KH-UBND ngày 14/02/2023",
        rotation="43/KH-UBND ngày 22/02/2023",
        procedure_review="06/KH-UBND ngày 13/01/2023",
        digital_government="12/KH-UBND ngày 19/01/2023",
    ),
    2025: _Documents(
        cchc_year="04/KH-UBND ngày 07/01/2025",
        propaganda="30/KH-UBND ngày 14/02/2025",
        inspection="32/KH-UBND ngày 17/02/2025",
        audit="12/KH-TTrH ngày 03/12/2024",
        training="28/KH-UBND ngày 12/02/2025",
        rotation="35/KH-UBND ngày 21/02/2025",
        procedure_review="07/KH-UBND ngày 13/01/2025",
        digital_government="11/KH-UBND ngày 20/01/2025",
    ),
}

_CCHC_TASKS = (
    ("Ban hành Kế hoạch cải cách hành chính năm", "Phòng Nội vụ"),
    ("Ban hành Kế hoạch kiểm soát thủ tục hành chính", "Văn phòng HĐND và UBND huyện"),
    ("Ban hành Kế hoạch rà soát, đánh giá thủ tục hành chính", "Văn phòng HĐND và UBND huyện"),
    ("Ban hành Kế hoạch đào tạo, bồi dưỡng cán bộ, công chức, viên chức", "Phòng Nội vụ"),
    ("Ban hành Kế hoạch kiểm tra, xử lý, rà soát văn bản quy phạm pháp luật", "Phòng Tư pháp"),
    ("Ban hành Kế hoạch kiểm tra cải cách hành chính", "Phòng Nội vụ"),
    ("Ban hành Kế hoạch tuyên truyền cải cách hành chính", "Phòng Văn hóa và Thông tin"),
    ("Ban hành Kế hoạch chuyển đổi vị trí công tác", "Phòng Nội vụ"),
    ("Ban hành Kế hoạch ứng dụng công nghệ thông tin", "Phòng Văn hóa và Thông tin"),
    ("Công khai đầy đủ thủ tục hành chính tại Bộ phận Một cửa cấp huyện, cấp xã", "Văn phòng HĐND và UBND huyện"),
    ("Khảo sát sự hài lòng của người dân, tổ chức quý II", "Văn phòng HĐND và UBND huyện"),
    ("Kiểm tra việc thực hiện cơ chế một cửa tại các xã, thị trấn", "Phòng Nội vụ"),
    ("Số hóa kết quả giải quyết thủ tục hành chính còn hiệu lực", "Văn phòng HĐND và UBND huyện"),
    ("Công bố kết quả chỉ số cải cách hành chính cấp xã", "Phòng Nội vụ"),
    ("Rà soát, sắp xếp tổ chức bộ máy các đơn vị sự nghiệp công lập", "Phòng Nội vụ"),
    ("Thực hiện cơ chế tự chủ tài chính tại đơn vị sự nghiệp công lập", "Phòng Tài chính - Kế hoạch"),
    ("Đánh giá nội bộ hệ thống quản lý chất lượng TCVN ISO 9001:2015", "Phòng Nội vụ"),
    ("Tăng tỷ lệ hồ sơ nộp trực tuyến toàn trình", "Văn phòng HĐND và UBND huyện"),
    ("Tổng kết công tác cải cách hành chính năm", "Phòng Nội vụ"),
)
_CANCELLED_TASK = ("Thí điểm trả kết quả thủ tục hành chính lưu động tại ấp", "Văn phòng HĐND và UBND huyện")
_PROPAGANDA_TASKS = (
    "Ban hành và triển khai kế hoạch tuyên truyền đến các cơ quan, đơn vị",
    "Đăng tải văn bản chỉ đạo về cải cách hành chính trên Trang thông tin điện tử huyện",
    "Lồng ghép tuyên truyền trong các cuộc họp cơ quan, chi bộ",
    "Phát thanh chuyên mục cải cách hành chính trên hệ thống truyền thanh huyện",
    "Tuyên truyền dịch vụ công trực tuyến tại Bộ phận Một cửa",
    "Viết tin, bài gửi Chuyên trang cải cách hành chính tỉnh",
    "Treo băng rôn, pa nô tuyên truyền",
    "Phát tờ rơi hướng dẫn nộp hồ sơ trực tuyến, bưu chính công ích",
    "Tổ chức Hội thi tìm hiểu về cải cách hành chính",
    "Tổng kết công tác tuyên truyền",
)
_TRAINING = {
    2022: (("Bồi dưỡng ngạch chuyên viên", 9), ("Bồi dưỡng chức danh nghề nghiệp", 20), ("Tập huấn CCHC", 9)),
    2023: (
        ("Bồi dưỡng ngạch chuyên viên", 8),
        ("Bồi dưỡng lãnh đạo, quản lý cấp phòng", 5),
        ("Bồi dưỡng chức danh nghề nghiệp", 18),
        ("Tập huấn nghiệp vụ CCHC cấp xã", 12),
    ),
    2025: (("Bồi dưỡng kỹ năng số", 14), ("Tập huấn nghiệp vụ cho công chức cấp xã sau sắp xếp", 16)),
}
_ROTATION = {
    2022: (("Kế toán trường học", 8), ("Công chức địa chính", 3)),
    2023: (("Kế toán trường học", 9), ("Công chức địa chính, tư pháp - hộ tịch", 4)),
    2025: (("Kế toán trường học", 6),),
}
_INSPECTED_DEPARTMENTS = ("Phòng Tài nguyên và Môi trường", "Phòng Kinh tế và Hạ tầng", "Phòng Tư pháp")
_INSPECTED_SERVICE_UNITS, _INSPECTED_COMMUNES = 4, 5

# Inspections and audits done by closing, with findings found and settled in each.
_DONE_INSPECTIONS = {"2022-Q4": 12, "2023-Q1": 0, "2023-Q2": 8, "2023-Q3": 8, "2023-Q4": 8, CLOSING: 3}
_DONE_AUDITS = {"2022-Q4": 3, "2023-Q1": 0, "2023-Q2": 2, "2023-Q3": 2, "2023-Q4": 2, CLOSING: 2}


def plan_task_rows(district: District, quarter: str, plan: QuarterPlan) -> list[Row]:
    """All tasks of the plans of the quarter's year, as of closing."""
    year = plan.window.closes_on.year
    documents = _DOCUMENTS[year]
    rows = _year_plan(district, plan, year, documents)
    rows += _propaganda(district, plan, year, documents)
    rows += _inspections(district, quarter, year, documents)
    rows += _audits(district, quarter, year, documents)
    for kind, document, items in (
        ("training", documents.training, _TRAINING[year]),
        ("rotation", documents.rotation, _ROTATION[year]),
    ):
        prefix = "DT" if kind == "training" else "CD"
        for number, (content, quantity) in enumerate(items, 1):
            rows.append(
                _row(
                    kind, document, f"{prefix}{number:02d}", content, district.department("Phòng Nội vụ"),
                    due_on=dt.date(year, 11, 30), planned_quantity=quantity, status="in_progress",
                )
            )  # fmt: skip
    rows += _standing_plans(district, year, documents)
    rows += _assigned_by_province(district, quarter)
    return rows


def _row(plan: str, document: str, code: str, content: str, unit: str, **changes: Any) -> Row:
    row: Row = {
        "plan": plan,
        "plan_document": document,
        "task_code": code,
        "content": content,
        "unit_in_charge": unit,
        "target_unit": None,
        "planned_quantity": None,
        "due_on": None,
        "done_on": None,
        "evidence_document": None,
        "findings_found": None,
        "findings_settled": None,
        "status": "not_started",
    }
    row.update(changes)
    return row


def _done_on(year: int, number: int, plan: QuarterPlan) -> dt.date:
    """When the task at ``number`` (from 0) of a plan was done: from January on, but not after closing."""
    return min(dt.date(year, 1, 4) + dt.timedelta(days=8 * number), plan.window.closes_on)


def _year_plan(district: District, plan: QuarterPlan, year: int, documents: _Documents) -> list[Row]:
    rows = []
    for number, (content, department) in enumerate(_CCHC_TASKS[: plan.cchc_total]):
        done_on = _done_on(year, number, plan) if number < plan.cchc_done else None
        rows.append(
            _row(
                "cchc_year", documents.cchc_year, f"NV{number + 1:02d}", content, district.department(department),
                due_on=dt.date(year, min(12, 1 + (number * 2) // 3), 28),
                done_on=done_on,
                evidence_document=f"{21 + 7 * number}/BC-UBND ngày {done_on:%d/%m/%Y}" if done_on else None,
                status="done" if done_on else "in_progress",
            )
        )  # fmt: skip
    content, department = _CANCELLED_TASK
    rows.append(
        _row(
            "cchc_year", documents.cchc_year, "NV20", content, district.department(department),
            due_on=dt.date(year, 9, 30), status="cancelled",
        )
    )  # fmt: skip
    return rows


def _propaganda(district: District, plan: QuarterPlan, year: int, documents: _Documents) -> list[Row]:
    rows = []
    for number, content in enumerate(_PROPAGANDA_TASKS[: plan.propaganda_total]):
        done_on = min(dt.date(year, 2, 20) + dt.timedelta(days=7 * number), plan.window.closes_on)
        done = number < plan.propaganda_done
        rows.append(
            _row(
                "propaganda", documents.propaganda, f"TT{number + 1:02d}", content,
                district.department("Phòng Văn hóa và Thông tin"),
                due_on=dt.date(year, min(12, 3 + number), 25),
                done_on=done_on if done else None,
                evidence_document=f"{11 + 5 * number}/BC-VHTT ngày {done_on:%d/%m/%Y}" if done else None,
                status="done" if done else "in_progress",
            )
        )  # fmt: skip
    return rows


def _inspections(district: District, quarter: str, year: int, documents: _Documents) -> list[Row]:
    """Inspections of the reform; those of communes also look at decentralised tasks (a plan of its own in figures)."""
    targets = [(district.department(name), name) for name in _INSPECTED_DEPARTMENTS]
    targets += district.service_units()[:_INSPECTED_SERVICE_UNITS]
    communes = [(commune.code, commune.committee) for commune in district.communes[:_INSPECTED_COMMUNES]]
    # In turn, so that a half-done plan has seen all three kinds of unit.
    order = [pair for group in _in_turn(targets[:3], targets[3:], communes) for pair in group]
    rows: list[Row] = []
    decentralised: list[Row] = []
    for number, (unit, name) in enumerate(order):
        outcome = _inspection_outcome(quarter, year, number, _DONE_INSPECTIONS[quarter])
        rows.append(
            _row(
                "inspection", documents.inspection, f"KT{number + 1:02d}", f"Kiểm tra công tác CCHC tại {name}",
                district.department("Phòng Nội vụ"), target_unit=unit,
                due_on=dt.date(year, min(11, 4 + number // 2), 30), **outcome,
            )
        )  # fmt: skip
        if (unit, name) in communes:
            code = f"PC{len(decentralised) + 1:02d}"
            content = f"Kiểm tra việc thực hiện phân cấp quản lý nhà nước tại {name}"
            decentralised.append(
                {
                    **rows[-1],
                    "plan": "inspection_decentralisation",
                    "plan_document": f"Lồng ghép trong Kế hoạch số {documents.inspection}",
                    "task_code": code,
                    "content": content,
                }
            )
    return [*rows, *decentralised]


def _in_turn(*groups: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    longest = max(len(group) for group in groups)
    return [[group[number] for group in groups if number < len(group)] for number in range(longest)]


def _inspection_outcome(quarter: str, year: int, number: int, done: int, issuer: str = "UBND") -> Row:
    """Done and findings of the inspection at ``number``; in the running year the last one is not yet settled."""
    if number >= done:
        return {}
    first = dt.date(year, 4, 6) if year == 2023 else dt.date(year, 5, 10)
    done_on = first + dt.timedelta(days=(8 if year == 2023 else 16) * number)
    found = number % 3
    settled = 0 if quarter == "2023-Q2" and number == done - 1 else found
    return {
        "done_on": done_on,
        "evidence_document": f"{34 + 2 * number}/KL-{issuer} ngày {done_on:%d/%m/%Y}",
        "findings_found": found,
        "findings_settled": settled,
        "status": "done",
    }


def _audits(district: District, quarter: str, year: int, documents: _Documents) -> list[Row]:
    units = district.service_units()
    targets = [units[8], (district.communes[2].code, district.communes[2].committee), units[12]]
    rows = []
    for number, (unit, name) in enumerate(targets):
        rows.append(
            _row(
                "audit", documents.audit, f"TR{number + 1:02d}",
                f"Thanh tra trách nhiệm người đứng đầu trong công tác quản lý tại {name}",
                district.department("Thanh tra huyện"), target_unit=unit,
                due_on=dt.date(year, 5 + 2 * number, 30),
                **_inspection_outcome(quarter, year, number, _DONE_AUDITS[quarter], "TTrH"),
            )
        )  # fmt: skip
    return rows


def _standing_plans(district: District, year: int, documents: _Documents) -> list[Row]:
    """Plans that are a figure by being issued: review of procedures, digital government."""
    return [
        _row(
            "procedure_review", documents.procedure_review, "RS01",
            "Rà soát, đánh giá thủ tục hành chính trên địa bàn huyện",
            district.department("Văn phòng HĐND và UBND huyện"), due_on=dt.date(year, 9, 15), status="in_progress",
        ),
        _row(
            "digital_government", documents.digital_government, "CS01",
            "Ứng dụng công nghệ thông tin trong hoạt động của cơ quan hành chính nhà nước",
            district.department("Phòng Văn hóa và Thông tin"), due_on=dt.date(year, 12, 15), status="in_progress",
        ),
    ]  # fmt: skip


def _assigned_by_province(district: District, quarter: str) -> list[Row]:
    """Tasks that the province assigned: none in the real quarter; (content, due, done) in the others."""
    office = district.department("Văn phòng HĐND và UBND huyện")
    tasks = {
        "2022-Q4": (
            ("Báo cáo kết quả giải ngân vốn đầu tư công", dt.date(2022, 10, 14), dt.date(2022, 10, 12)),
            ("Rà soát quỹ đất công ích", dt.date(2022, 11, 4), dt.date(2022, 11, 9)),
            ("Góp ý dự thảo Quyết định phân cấp quản lý", dt.date(2022, 11, 18), dt.date(2022, 11, 17)),
            ("Báo cáo tổng kết cải cách hành chính năm 2022", dt.date(2022, 12, 9), dt.date(2022, 12, 8)),
        ),
        "2023-Q1": (),
        "2023-Q2": (
            ("Báo cáo sơ kết Đề án 06 trên địa bàn huyện", dt.date(2023, 4, 14), dt.date(2023, 4, 13)),
            ("Rà soát cơ sở dữ liệu đất đai", dt.date(2023, 5, 19), dt.date(2023, 5, 24)),
            ("Kế hoạch số hóa hồ sơ, giấy tờ", dt.date(2023, 6, 9), dt.date(2023, 6, 7)),
        ),
        "2023-Q3": (("Báo cáo tiến độ số hóa hồ sơ, giấy tờ", dt.date(2023, 8, 18), dt.date(2023, 8, 16)),),
        "2023-Q4": (("Báo cáo tổng kết cải cách hành chính năm 2023", dt.date(2023, 12, 8), dt.date(2023, 12, 7)),),
        CLOSING: (),
    }[quarter]
    return [
        _row(
            "province_assigned", f"Công văn UBND tỉnh, {quarter}", f"TG-{quarter}-{number:02d}", content, office,
            due_on=due_on, done_on=done_on,
            evidence_document=f"{300 + 41 * number}/UBND-VP ngày {done_on:%d/%m/%Y}", status="done",
        )
        for number, (content, due_on, done_on) in enumerate(tasks, 1)
    ]  # fmt: skip

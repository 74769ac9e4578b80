"""How each file of the sample is headed: which columns, under which of the contract's names, grouped how.

Belongs here: layouts of the district's and of the communes' files, with the variety met in real exports.
Does not belong here: drawing them (``workbooks``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

COUNTER = "#"
OWNER, OWNER_ADDRESS, OWNER_PHONE, OWNER_ID = "@owner", "@address", "@phone", "@citizen_id"


@dataclass(frozen=True)
class Heading:
    """One column of a file: the contract's column (or an invented personal one), its heading and its group heading."""

    field: str
    text: str
    group: str | None = None
    width: int = 14


@dataclass(frozen=True)
class Layout:
    """How one file looks.

    ``dates`` is how days and moments are written; ``label`` which of a status's labels is used (0 for the first),
    ``words`` which label a value of a column has instead; ``unit_style`` how a commune is called; ``numbers`` whether
    thousands are typed with a dot.
    """

    title: str
    office: str
    headings: tuple[Heading, ...]
    dates: Literal["cell", "moment_text", "day_text"] = "day_text"
    label: int = 0
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unit_style: Literal["committee", "name", "abbreviated", "one_stop"] = "committee"
    numbers: Literal["cell", "dotted_text"] = "cell"
    flags: Literal["yes_no", "cross"] = "yes_no"
    numbering: Literal["(1)", "A B 1", ""] = "(1)"
    code_suffix: str = ""
    total: str | None = None


_WIDE = {"procedure_name": 48, "content": 48, "indicator_name": 56, "reason": 60, "name": 44, OWNER_ADDRESS: 36}


def _headings(*items: tuple[str, ...]) -> tuple[Heading, ...]:
    """A counter, then a heading for each (column, heading[, group heading])."""
    return (
        Heading(COUNTER, "STT", width=6),
        *(Heading(field, text, group[0] if group else None, _WIDE.get(field, 18)) for field, text, *group in items),
    )


_DAYS = "Ngày, tháng, năm"
_CASES_TITLE = "DANH SÁCH HỒ SƠ TIẾP NHẬN VÀ GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH"
_ONE_STOP = "Bộ phận Tiếp nhận và Trả kết quả"

DISTRICT_CASES = Layout(
    title=_CASES_TITLE,
    office=_ONE_STOP,
    headings=_headings(
        ("case_code", "Mã hồ sơ"),
        ("procedure_code", "Mã TTHC"),
        ("procedure_name", "Tên TTHC"),
        ("field", "Lĩnh vực"),
        (OWNER, "Tên cá nhân/tổ chức"),
        (OWNER_ADDRESS, "Địa chỉ - số điện thoại"),
        ("receiving_unit", "Cơ quan chủ trì giải quyết"),
        ("received_at", "Nhận hồ sơ", _DAYS),
        ("due_at", "Hẹn trả kết quả", _DAYS),
        ("finished_at", "Ngày kết thúc xử lý", _DAYS),
        ("returned_at", "Trả kết quả", _DAYS),
        ("extended_to", "Ngày hẹn trả mới"),
        ("status", "Trạng thái hồ sơ"),
        ("channel", "Hình thức tiếp nhận"),
        ("return_channel", "Phương thức nhận kết quả"),
        ("late_reason", "Lý do trễ hẹn"),
    ),
    dates="moment_text",
    total="hồ sơ",
)

_COMMUNE_CASES = (
    Layout(
        title=_CASES_TITLE,
        office=_ONE_STOP,
        headings=_headings(
            ("case_code", "Số hồ sơ"),
            ("procedure_code", "Mã thủ tục"),
            ("procedure_name", "Tên thủ tục hành chính"),
            ("receiving_unit", "Đơn vị tiếp nhận"),
            (OWNER, "Chủ hồ sơ"),
            (OWNER_PHONE, "Số điện thoại"),
            ("received_at", "Ngày tiếp nhận"),
            ("due_at", "Ngày hẹn trả"),
            ("finished_at", "Ngày hoàn thành"),
            ("returned_at", "Ngày trả"),
            ("extended_to", "Ngày hẹn trả mới"),
            ("status", "Tình trạng"),
            ("channel", "Hình thức nộp"),
            ("return_channel", "Hình thức trả kết quả"),
            ("late_reason", "Ghi chú"),
        ),
        dates="cell",
        total="hồ sơ",
    ),
    Layout(
        title=_CASES_TITLE,
        office=_ONE_STOP,
        headings=_headings(
            ("case_code", "Mã số hồ sơ"),
            ("procedure_code", "Mã TTHC"),
            (OWNER, "Người nộp"),
            (OWNER_ID, "Số CCCD"),
            ("received_at", "Nhận hồ sơ", _DAYS),
            ("due_at", "Hẹn trả", _DAYS),
            ("finished_at", "Ngày xử lý xong", _DAYS),
            ("returned_at", "Trả kết quả", _DAYS),
            ("extended_to", "Gia hạn đến"),
            ("status", "Trạng thái"),
            ("channel", "Kênh tiếp nhận"),
            ("return_channel", "Hình thức trả"),
        ),
        dates="moment_text",
        code_suffix=".000.00.00.H51",
        label=1,
        total="hồ sơ",
    ),
    Layout(
        title=_CASES_TITLE,
        office=_ONE_STOP,
        headings=_headings(
            ("case_code", "Số biên nhận"),
            ("procedure_name", "Loại hồ sơ"),
            ("receiving_unit", "Đơn vị xử lý"),
            (OWNER, "Họ tên"),
            ("received_at", "Ngày nhận"),
            ("due_at", "Ngày hẹn trả kết quả"),
            ("finished_at", "Ngày kết thúc xử lý"),
            ("returned_at", "Ngày trả kết quả"),
            ("extended_to", "Ngày hẹn trả mới"),
            ("status", "Trạng thái hồ sơ"),
            ("channel", "Hình thức"),
            ("return_channel", "Phương thức nhận kết quả"),
        ),
        dates="day_text",
        unit_style="abbreviated",
        numbering="A B 1",
        total="hồ sơ",
    ),
    Layout(
        title=_CASES_TITLE,
        office=_ONE_STOP,
        headings=_headings(
            ("case_code", "Mã biên nhận"),
            ("procedure_name", "Thủ tục"),
            ("field", "Tên lĩnh vực"),
            (OWNER, "Tên người nộp"),
            ("received_at", "Ngày tiếp nhận"),
            ("due_at", "Hạn xử lý"),
            ("finished_at", "Ngày hoàn thành"),
            ("returned_at", "Trả kết quả"),
            ("extended_to", "Gia hạn đến"),
            ("status", "Tình trạng"),
            ("channel", "Hình thức nộp"),
            ("return_channel", "Hình thức trả"),
        ),
        dates="cell",
        label=1,
        numbering="",
        total="hồ sơ",
    ),
)

LARGE_CASES = Layout(
    title=_CASES_TITLE,
    office=_ONE_STOP,
    headings=_headings(
        ("case_code", "Mã hồ sơ"),
        ("procedure_code", "Mã TTHC"),
        ("procedure_name", "Tên TTHC"),
        ("receiving_unit", "Đơn vị tiếp nhận"),
        (OWNER, "Chủ hồ sơ"),
        ("received_at", "Ngày tiếp nhận"),
        ("due_at", "Ngày hẹn trả"),
        ("finished_at", "Ngày kết thúc xử lý"),
        ("returned_at", "Ngày trả kết quả"),
        ("extended_to", "Ngày hẹn trả mới"),
        ("status", "Trạng thái"),
        ("channel", "Hình thức"),
        ("return_channel", "Hình thức trả"),
        ("late_reason", "Lý do trễ hẹn"),
    )[1:],
    dates="moment_text",
)

_DOCUMENT_COUNTS = (
    ("outgoing_total", "Tổng số văn bản đi"),
    ("electronic_only", "Gửi hoàn toàn điện tử (ký số)", "Trong đó"),
    ("electronic_and_paper", "Gửi điện tử song song văn bản giấy", "Trong đó"),
    ("paper_only", "Chỉ gửi giấy", "Trong đó"),
    ("incoming_total", "Tổng số văn bản đến"),
    ("incoming_electronic", "Văn bản đến điện tử"),
    ("connected", "Đã liên thông"),
)
_DOCUMENTS_TITLE = "SỐ LIỆU GỬI, NHẬN VĂN BẢN ĐIỆN TỬ"
_OFFICE = "Văn phòng HĐND và UBND"

DISTRICT_DOCUMENTS = Layout(
    title=_DOCUMENTS_TITLE,
    office=_OFFICE,
    headings=_headings(
        ("unit", "Cơ quan, đơn vị"), ("document_kind", "Loại văn bản"), ("topic", "Lĩnh vực"), *_DOCUMENT_COUNTS
    ),
    numbers="dotted_text",
)
_COMMUNE_DOCUMENTS = Layout(
    title=_DOCUMENTS_TITLE,
    office="Văn phòng - Thống kê",
    headings=_headings(("unit", "Đơn vị"), ("document_kind", "Loại văn bản"), ("topic", "Lĩnh vực"), *_DOCUMENT_COUNTS),
    unit_style="name",
)
MONTHLY_DOCUMENTS = Layout(
    title=_DOCUMENTS_TITLE,
    office="Văn phòng - Thống kê",
    headings=_headings(
        ("unit", "Đơn vị"),
        ("month", "Tháng"),
        ("document_kind", "Loại văn bản"),
        ("topic", "Lĩnh vực"),
        *((name, text) for name, text, *_ in _DOCUMENT_COUNTS),
    )[1:],
)

ORG_UNITS = Layout(
    title="DANH MỤC CƠ QUAN, ĐƠN VỊ",
    office="Phòng Nội vụ",
    headings=_headings(
        ("unit_code", "Mã đơn vị"),
        ("name", "Tên cơ quan, đơn vị"),
        ("short_names", "Tên gọi khác"),
        ("unit_type", "Loại hình"),
        ("parent_code", "Trực thuộc"),
        ("applies_autonomy", "Thực hiện cơ chế tự chủ"),
        ("autonomy_group", "Nhóm tự chủ"),
        ("assigned_posts", "Biên chế, số người làm việc được giao"),
        ("valid_from", "Ngày thành lập"),
        ("valid_to", "Ngày giải thể"),
    ),
    dates="cell",
)

PROCEDURES = Layout(
    title="DANH MỤC THỦ TỤC HÀNH CHÍNH ÁP DỤNG TRÊN ĐỊA BÀN HUYỆN",
    office=_OFFICE,
    headings=_headings(
        ("procedure_code", "Mã số TTHC"),
        ("procedure_name", "Tên thủ tục hành chính"),
        ("field", "Lĩnh vực"),
        ("applies_district", "Cấp huyện", "Áp dụng tại"),
        ("applies_commune", "Cấp xã", "Áp dụng tại"),
        ("valid_from", "Ngày công bố"),
        ("ended_on", "Ngày bãi bỏ, thay thế"),
        ("interlinked", "Liên thông giải quyết"),
        ("internal_process_electronic", "Quy trình nội bộ đã điện tử hóa"),
        ("time_limit", "Thời hạn giải quyết"),
        ("shortened_time_limit", "Thời hạn rút ngắn"),
        ("shortened_on", "Ngày rút ngắn"),
        ("components_reduced_on", "Ngày giảm thành phần hồ sơ"),
        ("online_eligible_level", "Mức độ đủ điều kiện", "Dịch vụ công trực tuyến"),
        ("online_offered_level", "Mức độ đang cung cấp", "Dịch vụ công trực tuyến"),
        ("on_national_portal", "Tích hợp Cổng DVC Quốc gia", "Dịch vụ công trực tuyến"),
        ("has_fee", "Phí, lệ phí"),
        ("online_payment", "Thanh toán trực tuyến"),
        ("postal_service", "Công bố BCCI"),
        ("reviewed_on", "Ngày rà soát"),
    ),
    label=0,
)

STAFF = Layout(
    title="DANH SÁCH CÁN BỘ, CÔNG CHỨC, VIÊN CHỨC",
    office="Phòng Nội vụ",
    headings=_headings(
        ("staff_code", "Số hiệu cán bộ, công chức"),
        ("full_name", "Họ và tên"),
        ("birth_date_male", "Nam", "Ngày, tháng, năm sinh"),
        ("birth_date_female", "Nữ", "Ngày, tháng, năm sinh"),
        ("unit", "Cơ quan, đơn vị"),
        ("category", "Đối tượng"),
        ("salary_source", "Nguồn lương"),
        ("position", "Chức vụ, chức danh"),
        ("leadership", "Cấp lãnh đạo"),
        ("rank_code", "Mã số ngạch"),
        ("recruited_on", "Ngày tuyển dụng"),
        ("recruitment_mode", "Hình thức tuyển dụng"),
        ("appointed_on", "Ngày bổ nhiệm"),
        ("appointment_mode", "Hình thức bổ nhiệm"),
        ("left_on", "Ngày thôi công tác"),
        ("leaving_reason", "Lý do thôi công tác"),
        ("disciplined_on", "Ngày kỷ luật"),
        ("discipline_level", "Hình thức kỷ luật"),
        ("training_course", "Khóa đào tạo, bồi dưỡng"),
        ("training_ended_on", "Ngày kết thúc khóa"),
        ("rotated_on", "Ngày chuyển đổi vị trí công tác"),
        ("digital_certificate", "Có chứng thư số"),
        ("it_officer", "Chuyên trách CNTT"),
    ),
    dates="day_text",
    flags="cross",
    numbering="A B 1",
    total="người",
)
COMMUNE_STAFF = Layout(
    title="DANH SÁCH CÁN BỘ, CÔNG CHỨC CẤP XÃ",
    office="Phòng Nội vụ",
    headings=tuple(
        heading for heading in STAFF.headings if heading.field not in ("staff_code", "appointed_on", "appointment_mode")
    ),
    dates="cell",
    flags="cross",
    numbering="A B 1",
    total="người",
)

PLANS = Layout(
    title="THEO DÕI NHIỆM VỤ CÁC KẾ HOẠCH",
    office="Phòng Nội vụ",
    headings=_headings(
        ("plan", "Loại kế hoạch"),
        ("plan_document", "Số văn bản kế hoạch"),
        ("task_code", "Mã nhiệm vụ"),
        ("content", "Nội dung nhiệm vụ"),
        ("unit_in_charge", "Cơ quan chủ trì"),
        ("target_unit", "Đối tượng kiểm tra"),
        ("planned_quantity", "Số lượng theo kế hoạch"),
        ("due_on", "Thời hạn"),
        ("done_on", "Ngày hoàn thành"),
        ("evidence_document", "Văn bản minh chứng"),
        ("findings_found", "Số vấn đề phát hiện"),
        ("findings_settled", "Số vấn đề đã xử lý xong"),
        ("status", "Tình trạng"),
    ),
)

SURVEY = Layout(
    title="TỔNG HỢP PHIẾU KHẢO SÁT SỰ HÀI LÒNG CỦA NGƯỜI DÂN, TỔ CHỨC",
    office=_ONE_STOP,
    headings=_headings(
        ("form_number", "Số phiếu"),
        ("channel", "Hình thức khảo sát"),
        ("responded_on", "Ngày khảo sát"),
        ("attitude", "Thái độ phục vụ", "Mức độ hài lòng"),
        ("time", "Thời gian giải quyết", "Mức độ hài lòng"),
        ("quality", "Chất lượng xử lý", "Mức độ hài lòng"),
        ("overall", "Đánh giá chung"),
    ),
    dates="cell",
    total="phiếu",
)

DECLARED = Layout(
    title="BẢNG SỐ LIỆU KHAI BÁO CÔNG TÁC CẢI CÁCH HÀNH CHÍNH",
    office="Phòng Nội vụ",
    headings=_headings(
        ("indicator_code", "Mã chỉ tiêu"),
        ("indicator_name", "Chỉ tiêu thống kê"),
        ("value", "Số lượng/Tỷ lệ"),
        ("note", "Ghi chú"),
        ("evidence_document", "Văn bản minh chứng"),
        ("prepared_by", "Cơ quan cung cấp"),
        ("approved_on", "Ngày duyệt"),
    ),
    numbers="dotted_text",
)

DECISIONS = Layout(
    title="TỔNG HỢP GIẢI TRÌNH, QUYẾT ĐỊNH SỐ LIỆU",
    office="Văn phòng HĐND và UBND",
    headings=_headings(
        ("decision_id", "Mã giải trình"),
        ("subject_kind", "Loại đối tượng"),
        ("subject", "Đối tượng"),
        ("applies_to", "Áp dụng cho"),
        ("unit", "Đơn vị"),
        ("quarter", "Kỳ báo cáo"),
        ("action", "Cách xử lý"),
        ("value", "Giá trị"),
        ("figures_seen", "Số liệu đã xem"),
        ("reason", "Giải trình"),
        ("approved_by", "Cơ quan, chức vụ duyệt"),
        ("document_number", "Số văn bản"),
        ("dated", "Ngày ký"),
        ("holds_until", "Hiệu lực đến quý"),
    ),
)

_OF_DISTRICT = {
    "one_stop_cases": DISTRICT_CASES,
    "e_document_counts": DISTRICT_DOCUMENTS,
    "org_units": ORG_UNITS,
    "procedure_catalogue": PROCEDURES,
    "staffing_roster": STAFF,
    "plan_tasks": PLANS,
    "survey_responses": SURVEY,
    "declared_returns": DECLARED,
    "decisions": DECISIONS,
}


#: How the national portal and the systems joined to it write since 2025.
_PORTAL_WORDS = {
    "status": {
        "received": "Được tiếp nhận", "in_progress": "Đang xử lý", "suspended": "Tạm dừng giải quyết",
        "refused": "Từ chối giải quyết", "waiting_for_supplement": "Yêu cầu bổ sung giấy tờ",
    },
    "channel": {"postal": "Dịch vụ BCCI"},
    "return_channel": {"postal": "Dịch vụ BCCI"},
}  # fmt: skip
_MINISTRY_WORDS = {
    "status": {"suspended": "Dừng xử lý", "finished": "Đã xử lý xong"},
    "channel": {"postal": "Qua dịch vụ bưu chính công ích"},
}
_SINCE_DECREE_42 = {"level_3": "Một phần", "level_4": "Toàn trình"}
_SERVICE_CENTRE = "Trung tâm Phục vụ hành chính công"

PROVINCE_CASES = Layout(
    title="DANH SÁCH HỒ SƠ TRÊN HỆ THỐNG THÔNG TIN GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH CỦA THÀNH PHỐ",
    office=_SERVICE_CENTRE,
    headings=_headings(
        ("case_code", "Mã hồ sơ"),
        ("procedure_code", "Mã TTHC"),
        ("procedure_name", "Tên TTHC"),
        ("field", "Lĩnh vực"),
        (OWNER, "Chủ hồ sơ"),
        ("receiving_unit", "Cơ quan tiếp nhận"),
        ("received_at", "Ngày tiếp nhận"),
        ("due_at", "Ngày hẹn trả kết quả"),
        ("finished_at", "Ngày kết thúc xử lý"),
        ("returned_at", "Ngày trả kết quả"),
        ("extended_to", "Ngày hẹn trả mới"),
        ("status", "Trạng thái hồ sơ"),
        ("channel", "Hình thức nộp"),
        ("return_channel", "Hình thức trả kết quả"),
        ("late_reason", "Lý do trễ hẹn"),
    ),
    dates="moment_text",
    words=_PORTAL_WORDS,
    unit_style="one_stop",
    total="hồ sơ",
)
MINISTRY_CASES = replace(
    LARGE_CASES,
    headings=tuple(
        heading
        for one in LARGE_CASES.headings
        for heading in ([one, Heading("field", "Lĩnh vực")] if one.field == "procedure_name" else [one])
    ),
    office=_SERVICE_CENTRE,
    words=_MINISTRY_WORDS,
    unit_style="one_stop",
)


def _without(layout: Layout, office: str, *left_out: str) -> Layout:
    headings = tuple(heading for heading in layout.headings if heading.field not in left_out)
    return replace(layout, headings=headings, office=office)


_OF_STANDING_COMMUNE = {
    "one_stop_cases": PROVINCE_CASES,
    "e_document_counts": replace(DISTRICT_DOCUMENTS, numbers="cell"),
    "org_units": replace(ORG_UNITS, office=_OFFICE),
    "procedure_catalogue": replace(
        _without(PROCEDURES, _OFFICE, "applies_district"),
        title="DANH MỤC THỦ TỤC HÀNH CHÍNH THUỘC THẨM QUYỀN GIẢI QUYẾT CỦA CẤP XÃ",
        words={"online_eligible_level": _SINCE_DECREE_42, "online_offered_level": _SINCE_DECREE_42},
    ),
    "staffing_roster": _without(STAFF, "Phòng Văn hóa - Xã hội", "appointed_on", "appointment_mode"),
    "plan_tasks": replace(PLANS, office="Phòng Văn hóa - Xã hội"),
    "survey_responses": replace(SURVEY, office=_SERVICE_CENTRE),
    "declared_returns": _without(DECLARED, _OFFICE, "indicator_name"),
    "decisions": DECISIONS,
}

#: What a province copied from a portal.
PORTAL = Layout(
    title="SỐ LIỆU CỦA CÁC XÃ, PHƯỜNG HIỂN THỊ TRÊN CỔNG DỊCH VỤ CÔNG",
    office="Sở Nội vụ",
    headings=_headings(
        ("unit", "Đơn vị"),
        ("indicator_code", "Mã chỉ tiêu"),
        ("value", "Số trên Cổng"),
        ("taken_on", "Ngày lấy số"),
        ("portal", "Cổng"),
    ),
)


#: A province's register of its departments, and what it collected of their figures.
PROVINCE_REGISTER = replace(
    ORG_UNITS,
    title="DANH MỤC SỞ, BAN, NGÀNH",
    office="Sở Nội vụ",
    headings=tuple(
        heading
        for heading in ORG_UNITS.headings
        if heading.field not in ("applies_autonomy", "autonomy_group", "assigned_posts")
    ),
)
DEPARTMENT_FIGURES = Layout(
    title="SỐ LIỆU CẢI CÁCH HÀNH CHÍNH CỦA CÁC SỞ, BAN, NGÀNH",
    office="Sở Nội vụ",
    headings=_headings(
        ("department", "Cơ quan, đơn vị"),
        ("indicator_code", "Mã chỉ tiêu"),
        ("value", "Kết quả"),
        ("numerator", "Tử số"),
        ("denominator", "Mẫu số"),
        ("evidence", "Tài liệu kiểm chứng"),
    ),
)
#: By source, how a file of a province is headed.
OF_PROVINCE = {
    "portal_figures": PORTAL,
    "org_units": PROVINCE_REGISTER,
    "department_figures": DEPARTMENT_FIGURES,
}


def standing_commune_layout(source: str) -> Layout:
    """Layout of a workbook of a commune that reports by itself."""
    return _OF_STANDING_COMMUNE[source]


def layout_of(source: str, commune_position: int | None, columns: set[str]) -> Layout:
    """Layout of a file of the district (``commune_position`` None) or of the commune at that place among its eight.

    ``columns`` are the columns that the file's rows have: they tell the rosters apart.
    """
    if commune_position is None:
        return COMMUNE_STAFF if source == "staffing_roster" and "appointed_on" not in columns else _OF_DISTRICT[source]
    if source == "one_stop_cases":
        return _COMMUNE_CASES[commune_position % len(_COMMUNE_CASES)]
    return _COMMUNE_DOCUMENTS

"""What the offices of the sample write for the letter report, in the manner of the real one.

Belongs here: canonical rows of ``report_narrative``. Every sentence is invented or general; nobody is named, and
figures stand as indicator codes in braces.
Does not belong here: the file they are written in (``ingestion.text_of``).
"""

from __future__ import annotations

from collections import Counter
from string import Template
from typing import Any

from sample.districts import CU_LAO_DUNG, District
from sample.quarters import CLOSING

Row = dict[str, Any]
Paragraphs = tuple[tuple[str, str], ...]

_PROVINCE_PLANS = {
    "2022": "170/KH-UBND ngày 21/12/2021",
    "2023": "192/KH-UBND ngày 20/12/2022",
    "2025": "205/KH-UBND ngày 18/12/2024",
}
_PERIODS_VI = {
    "2022-Q4": ("quý IV năm 2022", "quý I năm 2023", "quý"),
    "2023-Q1": ("quý I", "quý II năm 2023", "quý"),
    "2023-Q2": ("quý II", "quý III năm 2023", "quý"),
    "2023-Q3": ("quý III", "quý IV năm 2023", "quý"),
    "2023-Q4": ("quý IV năm 2023", "quý I năm 2024", "quý"),
    "2023-H1": ("6 tháng đầu năm", "6 tháng cuối năm 2023", "6 tháng đầu năm"),
    "2023-M9": ("9 tháng đầu năm", "3 tháng cuối năm 2023", "9 tháng đầu năm"),
    "2023-Y": ("năm 2023", "năm 2024", "năm"),
    CLOSING: ("kỳ cuối, từ ngày 15/6 đến ngày 30/6/2025", "bàn giao", "kỳ"),
}

_OPENING: Paragraphs = (
    (
        "opening",
        "Căn cứ Kế hoạch số $plan của Ủy ban nhân dân tỉnh Sóc Trăng về thực hiện cải cách hành chính năm $year, "
        "Ủy ban nhân dân huyện $district báo cáo kết quả thực hiện công tác cải cách hành chính (CCHC) $this và "
        "phương hướng, nhiệm vụ $next như sau:",
    ),
)
_RESULTS: dict[str, Paragraphs] = {
    "2022-Q4": (
        ("I.1", "Các chỉ tiêu của Kế hoạch CCHC năm 2022 được theo dõi, đôn đốc hằng tháng; đến cuối quý đã hoàn "
                "thành {I.04}/{I.03} nhiệm vụ đề ra."),
        ("I.3", "Thủ tục hành chính được niêm yết đầy đủ, kịp thời tại Bộ phận Tiếp nhận và Trả kết quả cấp "
                "huyện, cấp xã và trên Trang thông tin điện tử của huyện."),
        ("I.8", "Các cơ quan, đơn vị lồng ghép nội dung tuyên truyền CCHC trong các cuộc họp cơ quan, sinh hoạt "
                "chi bộ."),
        ("I.9", "Trong quý không phát sinh phản ánh, kiến nghị của người dân về thái độ phục vụ của cán bộ, công "
                "chức, viên chức."),
    ),
    "2023-Q1": (
        ("I.1", "Trên cơ sở các kế hoạch của Ủy ban nhân dân tỉnh, Ủy ban nhân dân huyện đã ban hành kế hoạch "
                "thực hiện công tác CCHC năm 2023 ngay từ đầu năm và giao nhiệm vụ cụ thể cho từng cơ quan, đơn "
                "vị."),
        ("I.3", "Các cơ quan chuyên môn, Ủy ban nhân dân các xã, thị trấn thực hiện nghiêm túc việc công khai thủ "
                "tục hành chính thuộc thẩm quyền giải quyết; niêm yết đầy đủ, kịp thời các thủ tục hành chính tại "
                "Bộ phận Tiếp nhận và Trả kết quả cấp huyện, cấp xã và Trang thông tin điện tử của huyện."),
        ("I.3", "Bộ phận Một cửa cấp huyện, cấp xã tiếp tục thực hiện đúng cơ chế một cửa, một cửa liên thông "
                "trong giải quyết {III.23} hồ sơ cấp huyện và {III.26} hồ sơ cấp xã tiếp nhận trong quý."),
        ("I.6", "Các cơ quan, đơn vị xây dựng quy chế chi tiêu nội bộ, thực hiện công khai tài chính gắn với thực "
                "hiện quy chế dân chủ ở cơ sở và đề cao trách nhiệm của người đứng đầu."),
        ("I.7", "Ủy ban nhân dân huyện đôn đốc các cơ quan, đơn vị tăng cường ứng dụng công nghệ thông tin, phát "
                "hành văn bản điện tử có sử dụng chữ ký số trên Hệ thống quản lý văn bản điều hành."),
        ("I.8", "Các văn bản chỉ đạo về CCHC được đăng tải kịp thời trên Trang thông tin điện tử của huyện."),
        ("I.9", "Ủy ban nhân dân huyện tiếp tục quán triệt Thủ trưởng các cơ quan, đơn vị và Ủy ban nhân dân các "
                "xã, thị trấn về văn hóa công sở, ý thức trách nhiệm và chất lượng phục vụ nhân dân."),
        ("I.10", "Các cơ quan chuyên môn tiếp tục tham mưu thực hiện tốt các nhiệm vụ được Ủy ban nhân dân tỉnh "
                 "phân cấp quản lý."),
    ),
    "2023-Q2": (
        ("I.1", "Ủy ban nhân dân huyện tiếp tục triển khai Kế hoạch CCHC năm 2023; lũy kế đến cuối quý đã hoàn "
                "thành {I.04}/{I.03} nhiệm vụ, đạt {I.02}% kế hoạch."),
        ("I.3", "Bộ phận Một cửa cấp huyện khảo sát ý kiến bằng phiếu giấy và trực tuyến, thu được {I.25} phiếu, "
                "tỷ lệ hài lòng đạt {I.27}%."),
        ("I.5", "Các lớp đào tạo, bồi dưỡng được mở theo kế hoạch, gắn với vị trí việc làm."),
        ("I.9", "Trong quý không phát sinh phản ánh, kiến nghị của người dân về thái độ phục vụ của cán bộ, công "
                "chức, viên chức."),
    ),
}  # fmt: skip
_JUDGEMENT: dict[str, Paragraphs] = {
    "2022-Q4": (
        ("II.1", "Các cơ quan, đơn vị huyện hoàn thành cơ bản các nhiệm vụ CCHC năm 2022; tỷ lệ hồ sơ cấp huyện "
                 "giải quyết đúng hạn được giữ vững, {III.25}/{III.24} hồ sơ."),
        ("II.2", "Số hồ sơ nộp trực tuyến và qua dịch vụ bưu chính công ích còn thấp so với yêu cầu."),
    ),
    "2023-Q1": (
        ("II.1", "Nhìn chung, các cơ quan, đơn vị huyện đã tham mưu ban hành kịp thời các văn bản chỉ đạo triển "
                 "khai thực hiện công tác CCHC năm 2023."),
        ("II.1", "Cán bộ, công chức, viên chức quan tâm thực hiện tốt quy chế văn hóa công sở, giải quyết thủ tục "
                 "hành chính kịp thời và đúng cơ chế một cửa, một cửa liên thông cho nhân dân."),
        ("II.2", "Một số xã chưa cập nhật kịp thời kết quả và tiến độ giải quyết thủ tục hành chính trên Hệ thống "
                 "một cửa điện tử."),
        ("II.2", "Một số ngành huyện xử lý hồ sơ trên phần mềm một cửa điện tử chậm, cập nhật chưa kịp thời kết "
                 "quả giải quyết, dẫn đến phần mềm còn ghi nhận hồ sơ trễ hạn."),
    ),
    "2023-Q2": (
        ("II.1", "Công tác chỉ đạo, điều hành CCHC được tăng cường; số hồ sơ tồn của quý trước được giải quyết "
                 "phần lớn, trong quý cấp huyện giải quyết {III.24} hồ sơ."),
        ("II.2", "Còn hồ sơ giải quyết trễ hạn ở cấp huyện; việc số hóa kết quả giải quyết thủ tục hành chính ở "
                 "một số xã còn chậm."),
        ("II.2", "Kinh phí bố trí cho ứng dụng công nghệ thông tin còn hạn chế."),
    ),
}  # fmt: skip
_NEXT_TASKS: Paragraphs = (
    ("III", "Trên cơ sở kết quả đạt được trong $this, Ủy ban nhân dân huyện đề ra một số phương hướng, nhiệm "
            "vụ $next như sau:"),
    ("III", "1. Tiếp tục triển khai thực hiện các nhiệm vụ theo kế hoạch CCHC của Ủy ban nhân dân tỉnh, huyện; rà "
            "soát, đề nghị điều chỉnh các quy định, thủ tục hành chính không còn phù hợp."),
    ("III", "2. Tăng cường tuyên truyền để cán bộ, công chức, viên chức và nhân dân biết, thực hiện thủ tục hành "
            "chính qua dịch vụ công trực tuyến và qua dịch vụ bưu chính công ích."),
    ("III", "3. Đôn đốc Ủy ban nhân dân các xã, thị trấn cập nhật kịp thời tiến độ, kết quả giải quyết hồ sơ trên "
            "Hệ thống một cửa điện tử; không để phát sinh hồ sơ trễ hạn."),
)  # fmt: skip
_RECEIVERS: Paragraphs = (
    ("receivers", "- Sở Nội vụ;"),
    ("receivers", "- Các cơ quan, đơn vị huyện;"),
    ("receivers", "- UBND các xã, thị trấn;"),
    ("receivers", "- Lưu: VT."),
)
# The second district, and the first later in the year, write less: what must be in a letter, and one remark.
_SHORT: Paragraphs = (
    ("II.1", "Công tác CCHC của huyện được triển khai đồng bộ; cấp huyện giải quyết {III.24} hồ sơ, cấp xã giải "
             "quyết {III.27} hồ sơ trong $span."),
    ("II.2", "Nhân lực phụ trách công nghệ thông tin ở các xã còn kiêm nhiệm."),
)  # fmt: skip
# The last report looks back, and ahead to the handing over only.
_CLOSING_OPENING: Paragraphs = (
    ("opening", "Căn cứ Kế hoạch số $plan của Ủy ban nhân dân tỉnh Sóc Trăng về thực hiện cải cách hành chính năm "
                "$year, Ủy ban nhân dân huyện $district báo cáo kết quả thực hiện công tác cải cách hành chính (CCHC) "
                "$this như sau:"),
)  # fmt: skip
_CLOSING_TEXTS: Paragraphs = (
    ("I.3", "Bộ phận Một cửa cấp huyện, cấp xã tiếp nhận và trả kết quả bình thường đến hết ngày 30/6/2025; số liệu "
            "trên Hệ thống một cửa điện tử được rà soát và khóa sổ cùng ngày."),
    ("II.1", "Công tác tiếp nhận, giải quyết hồ sơ không bị gián đoạn trong thời gian sắp xếp đơn vị hành chính; trong "
             "kỳ cấp huyện giải quyết {III.24} hồ sơ, cấp xã giải quyết {III.27} hồ sơ."),
    ("II.2", "Công chức vừa giải quyết hồ sơ vừa kiểm kê, bàn giao tài liệu."),
    ("III", "Từ ngày 01/7/2025 huyện kết thúc hoạt động, Ủy ban nhân dân huyện bàn giao như sau:"),
    ("III", "1. Hồ sơ chưa đến hạn trả kết quả được chuyển nguyên trạng trên Hệ thống một cửa điện tử cho Ủy ban nhân "
            "dân xã An Thạnh, Ủy ban nhân dân xã Cù Lao Dung; mã hồ sơ, ngày tiếp nhận và ngày hẹn trả giữ nguyên."),
    ("III", "2. Tài liệu về cải cách hành chính được kiểm kê, bàn giao theo quy định về lưu trữ."),
)  # fmt: skip


def narrative_rows(district: District, quarter: str) -> list[Row]:
    """Paragraphs of the district's letter in order, numbered within their section."""
    this, following, span = _PERIODS_VI[quarter]
    words = {
        "plan": _PROVINCE_PLANS[quarter[:4]], "year": quarter[:4], "district": district.bare_name,
        "this": this, "next": following, "span": span,
    }  # fmt: skip
    full = district is CU_LAO_DUNG and quarter in _RESULTS
    own = _RESULTS[quarter] + _JUDGEMENT[quarter] if full else _SHORT
    body = (*_OPENING, *own, *_NEXT_TASKS) if quarter != CLOSING else (*_CLOSING_OPENING, *_CLOSING_TEXTS)
    counts: Counter[str] = Counter()
    rows: list[Row] = []
    for section, text in (*body, *_RECEIVERS):
        counts[section] += 1
        rows.append({"section": section, "paragraph_no": counts[section], "text": Template(text).substitute(words)})
    return rows

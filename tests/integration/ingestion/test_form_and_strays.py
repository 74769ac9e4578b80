"""Rows that speak of something else than they seem to: another row of the form, another unit, another month or year."""

from __future__ import annotations

from typing import Any

import pytest

from ingestion import read_deliveries

FORM = ["Mã chỉ tiêu", "Chỉ tiêu", "Số liệu", "Ghi chú"]
I14 = "Số lượng tin, bài viết, phóng sự gửi và duyệt đăng tại Chuyên trang CCHC tỉnh (https://cchc.soctrang.gov.vn/)"
I15 = "Số lượng tin, bài viết, phóng sự đã đăng tại Chuyên mục CCHC trên Trang Thông tin điện tử của đơn vị"


@pytest.mark.parametrize(
    ("row", "reasons"),
    [
        (["I.14", I14, "3", None], []),
        (["I.14", I14.upper(), 3, None], []),
        (["I.14", None, "3", None], []),
        (["I.14", "Tin bài trên trang tỉnh", "3", None], []),
        (["I.14", I15, "3", None], ["code_of_other_name"]),
        (["I.15", I14.replace("ố", "ô"), "3", None], ["code_of_other_name"]),
        (["VII.40", None, "2 ứng dụng", None], ["text_in_figure"]),
        (["VII.40", None, "hai", None], ["text_in_figure"]),
        (["VII.40", None, "-2", None], ["not_a_count"]),
        (["VII.40", None, "2,5", None], ["not_a_count"]),
        (["VII.40", None, "12%", None], ["share_for_count"]),
        (["VII.40", None, "12 %", None], ["share_for_count"]),
        (["I.16", None, "100%", None], ["share_for_count"]),
        (["I.17", None, "1%", None], ["share_for_count"]),
        (["I.02", None, "12%", None], []),
        (["VII.40", None, None, "đang triển khai"], []),
        (["I.17", None, "2", None], ["not_a_flag"]),
        (["I.17", None, "Có", None], []),
        (["I.17", None, "thường xuyên", None], ["text_in_figure"]),
        (["I.16", None, "2", None], []),
        (["AUX.02", "Số khác", "12 hồ sơ", None], []),
    ],
)
def test_a_declared_figure_agrees_with_the_form(home: Any, row: list[Any], reasons: list[str]) -> None:
    home.workbook("declared_returns", [FORM, row])
    home.ingest(sources=["declared_returns"])
    assert [code for _, _, code in home.reasons("declared_returns")] == reasons
    for told in home.rows("declared_returns", "rejected"):
        assert row[0] in told["reason_vi"]
    if reasons == ["code_of_other_name"]:
        (told,) = home.rows("declared_returns", "rejected")
        assert I14 in told["reason_vi"] or I15 in told["reason_vi"]
        assert {"I.14", "I.15"} <= set(told["reason_vi"].replace(",", " ").replace(":", " ").split())


@pytest.mark.parametrize("heading", ["ĐVT", "Đơn vị tính", "đơn vị tính (2)"])
@pytest.mark.parametrize(
    ("code", "unit", "is_taken"),
    [
        ("VII.40", "Ứng dụng", True), ("VII.40", None, True), ("VII.40", "Số lượng", True), ("I.02", "%", True),
        ("I.02", "Tỷ lệ %", True), ("I.03", "%", True), ("VII.40", "nghìn", False), ("VII.40", "Nghìn ứng dụng", False),
        ("VII.40", "triệu", False), ("VII.40", "chục", False), ("VII.40", "%", False), ("I.02", "nghìn", False),
        ("AUX.02", "nghìn người", False), ("AUX.02", "%", True),
    ],
)  # fmt: skip
def test_a_declared_figure_is_in_the_unit_of_the_form(
    home: Any, heading: str, code: str, unit: str | None, is_taken: bool
) -> None:
    home.workbook("declared_returns", [["Mã chỉ tiêu", heading, "Số liệu"], [code, unit, 3]])
    home.ingest(sources=["declared_returns"])
    assert [reason for _, _, reason in home.reasons("declared_returns")] == ([] if is_taken else ["other_unit"])
    for told in home.rows("declared_returns", "rejected"):
        assert f"Đơn vị tính ghi “{unit}”" in told["reason_vi"]


COUNTS = ["Đơn vị", "Tháng", "Loại văn bản", "Tổng số văn bản đi"]


@pytest.mark.parametrize(
    ("month", "taken"),
    [("12/2022", True), ("01/2023", True), ("3/2023", True), ("11/2022", False), ("04/2023", False), ("1/2022", False)],
)
def test_a_month_outside_the_window_is_rejected(registers: Any, month: str, taken: bool) -> None:
    rows = [["Phòng Nội vụ", "02/2023", "Tất cả", "5"], ["VP", month, "Tất cả", "7"]]
    registers.workbook("e_document_counts", [COUNTS, *rows])
    registers.ingest()
    assert registers.reasons("e_document_counts") == ([] if taken else [(3, "month", "outside_period")])


def test_a_commune_speaks_for_itself_only(registers: Any) -> None:
    rows = [["Xã An Thạnh 1", "02/2023", "Tất cả", "5"], ["Xã An Thạnh 2", "02/2023", "Tất cả", "7"]]
    registers.workbook("e_document_counts", [COUNTS, *rows], unit="31618")
    registers.workbook("e_document_counts", [COUNTS, rows[1]], unit="31618", name="b.xlsx")
    registers.workbook("e_document_counts", [COUNTS, *rows], unit="945")
    registers.workbook("e_document_counts", [COUNTS, rows[0]], unit="945", name="b.xlsx")
    registers.ingest()
    found = {
        (d["unit_code"], d["file_name"]): (d["outcome"], d["refusal"], d["rows_rejected"])
        for d in read_deliveries(registers.paths).to_pylist()
        if d["source"] == "e_document_counts"
    }
    assert found == {
        ("31618", "a.xlsx"): ("partly_accepted", "", 1), ("31618", "b.xlsx"): ("refused", "wrong_unit", 0),
        ("945", "a.xlsx"): ("accepted", "", 0), ("945", "b.xlsx"): ("accepted", "", 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "titles", "taken"),
    [
        ("945", ["UBND HUYỆN LONG PHÚ"], False),
        ("945", ["ỦY BAN NHÂN DÂN H. LONG PHÚ", "Phòng Nội vụ"], False),
        ("945", ["SỞ NỘI VỤ", "Đơn vị báo cáo: UBND thành phố Sóc Trăng"], False),
        ("945", ["UBND XÃ PHÚ TÂM"], False),
        ("31618", ["UBND XÃ PHÚ TÂM"], False),
        ("945", ["UBND TỈNH SÓC TRĂNG", "UBND HUYỆN CÙ LAO DUNG - PHÒNG NỘI VỤ"], True),
        ("945", ["UBND HUYEN CU LAO DUNG"], True),
        ("945", ["UBND HUYỆN LONG PHÚ đối chiếu với UBND HUYỆN CÙ LAO DUNG"], True),
        ("945", ["UBND TỈNH SÓC TRĂNG", "SỞ NỘI VỤ"], True),
        ("31618", ["UBND HUYỆN CÙ LAO DUNG", "UBND XÃ AN THẠNH 1"], True),
    ],
)
def test_a_file_headed_with_another_unit_is_held(registers: Any, unit: str, titles: list[str], taken: bool) -> None:
    registers.workbook("e_document_counts", [*[[t] for t in titles], COUNTS, ["", "02/2023", "Tất cả", "5"]], unit=unit)
    registers.ingest()
    found = registers.delivery("e_document_counts")
    assert (found["refusal"] != "wrong_unit") == taken
    if not taken:
        assert "Tệp nằm trong thư mục của" in found["message_vi"]


def test_of_a_strange_heading_nothing_is_quoted_that_tells_of_a_person(registers: Any) -> None:
    row = ["", "02/2023", "Tất cả", "5"]
    for number, title in enumerate(["UBND HUYỆN LONG PHÚ", "UBND HUYỆN LONG PHÚ - Bà Lê Thị Hoa, ĐT 0912 345 678"]):
        registers.workbook("e_document_counts", [[title], COUNTS, row], name=f"{number}.xlsx")
    registers.ingest()
    found = {d["file_name"]: d["message_vi"] for d in read_deliveries(registers.paths).to_pylist()}
    plain, personal = found["0.xlsx"], found["1.xlsx"]
    assert "“UBND HUYỆN LONG PHÚ”" in plain
    assert "tiêu đề ghi tên đơn vị khác" in personal
    assert "Hoa" not in personal


TASKS = ["Loại kế hoạch", "Số văn bản kế hoạch", "Mã nhiệm vụ", "Thời hạn"]


@pytest.mark.parametrize(
    ("document", "due", "told"),
    [
        ("03/KH-UBND ngày 04/01/2023", "28/02/2023", False),
        ("11/KH-TTrH ngày 02 tháng 12 năm 2022", "28/02/2023", False),
        ("11/KH-TTrH ngày 02 tháng 12 năm 2022", None, False),
        ("01/KH-UBND ngày 05/01/2022", "30/11/2022", True),
        ("01/KH-UBND ngày 05/01/2022", None, True),
        ("Kế hoạch năm 2022", None, True),
        (None, "30/11/2022", True),
        ("120/KH-UBND ngày 05/03/2021 giai đoạn 2021-2025", "30/06/2023", False),
        (None, None, False),
        ("12/KH-UBND", None, False),
    ],
)
def test_a_task_of_another_years_plan_is_remarked_on(
    registers: Any, document: str | None, due: str | None, told: bool
) -> None:
    registers.workbook("plan_tasks", [TASKS, ["Tuyên truyền", document, "NV-1", due]])
    registers.ingest()
    found = [r["reason_code"] for r in registers.rows("plan_tasks", "findings")]
    assert found == (["other_year"] if told else [])
    assert registers.delivery("plan_tasks")["rows_accepted"] == 1


def test_an_answer_dated_outside_the_window_is_remarked_on(home: Any) -> None:
    head = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
    days = ["10/01/2023", "04/12/2023", "14/03/2023", "15/03/2023", "14/12/2022"]
    rows = [[f"P{n}", "Phiếu giấy", day, "Hài lòng"] for n, day in enumerate(days)]
    home.workbook("survey_responses", [head, *rows])
    home.ingest()
    assert [(r["_row"], r["reason_code"]) for r in home.rows("survey_responses", "findings")] == [
        (3, "outside_period"), (5, "outside_period"), (6, "outside_period"),
    ]  # fmt: skip

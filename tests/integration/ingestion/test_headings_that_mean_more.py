"""A heading that says more than a column of the contract is not that column: words in parentheses that turn its
meaning, and a group over several columns.
"""

from __future__ import annotations

from typing import Any

import pytest

TURNED = ["dự kiến", "theo kế hoạch", "kỳ trước", "quý trước", "Quý IV/2022", "hết hạn", "đã thu hồi", "nghìn", "%",
          "lũy kế từ đầu năm", "chưa", "cùng kỳ", "năm 2022"]  # fmt: skip
SAME = ["người", "(3)=(1)+(2)", "dd/mm/yyyy", "ngày/tháng/năm", "nếu có", "kỳ này", "Quý I/2023", "thực tế", "Có/Không",
        "5", "A", "bắt buộc"]  # fmt: skip
CASES = ["Mã hồ sơ", "Tên TTHC", "Đơn vị", "Ngày nhận", "Trạng thái", "Hình thức", "Ngày trả"]
CASE = ["000.23.32.H51-230105-0001", "Đăng ký khai sinh", "Thị trấn Cù Lao Dung", "05/01/2023", "Đã trả kết quả",
        "Trực tiếp", "09/01/2023"]  # fmt: skip
# Source, headings of a table whose last one gets the parentheses, a row, and the column of that heading.
TABLES = {
    "one_stop_cases": (CASES, CASE, "returned_at"),
    "plan_tasks": (
        ["Loại kế hoạch", "Mã nhiệm vụ", "Nội dung", "Tình trạng", "Ngày hoàn thành"],
        ["Kế hoạch CCHC năm", "NV-01", "Mở lớp", "Hoàn thành", "10/01/2023"],
        "done_on",
    ),
    "staffing_roster": (
        ["Số hiệu", "Đơn vị công tác", "Đối tượng", "Chứng thư số"],
        ["CB-01", "Phòng Nội vụ", "Công chức cấp huyện", "Có"],
        "digital_certificate",
    ),
    "declared_returns": (["Mã chỉ tiêu", "Ghi chú", "Số liệu"], ["I.03", "theo sổ", 12], "value"),
}


def ingested(home: Any, source: str, rows: list[list[Any]]) -> dict[str, Any]:
    home.workbook(source, rows)
    home.ingest()
    return home.delivery(source)


def remarks(home: Any, found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [r for r in home.layer("remarks", found) if r["kind"] == kind]


@pytest.mark.parametrize("words", TURNED)
@pytest.mark.parametrize("source", TABLES)
def test_words_in_parentheses_that_turn_a_heading_make_it_unknown(registers: Any, source: str, words: str) -> None:
    head, row, column = TABLES[source]
    found = ingested(registers, source, [[*head[:-1], f"{head[-1]} ({words})"], row])
    assert column not in found["columns_mapped"], "its values are not those of the column"
    if (source, words) == ("declared_returns", "kỳ trước"):
        return  # which a template shows beside each row
    assert [r["subject"] for r in remarks(registers, found, "unknown_heading")] == [f"{head[-1]} ({words})"]
    [missing] = [r for r in remarks(registers, found, "missing_column") if r["subject"] == column]
    assert missing["count"] == 1, "which gate 1 holds"


@pytest.mark.parametrize("words", SAME)
@pytest.mark.parametrize("source", TABLES)
def test_words_in_parentheses_that_change_nothing_are_left_out(registers: Any, source: str, words: str) -> None:
    head, row, column = TABLES[source]
    found = ingested(registers, source, [[*head[:-1], f"{head[-1]} ({words})"], row])
    assert (found["outcome"], column in found["columns_mapped"]) == ("accepted", True), found["message_vi"]


def test_a_second_heading_of_the_column_in_parentheses_changes_nothing(registers: Any) -> None:
    found = ingested(registers, "one_stop_cases", [["Mã hồ sơ (Số biên nhận)", *CASES[1:]], CASE])
    assert (found["outcome"], "case_code" in found["columns_mapped"]) == ("accepted", True)


def test_a_required_column_under_such_a_heading_refuses_the_file_and_says_what_to_do(registers: Any) -> None:
    found = ingested(registers, "one_stop_cases", [[*CASES[:3], "Ngày nhận (dự kiến)", *CASES[4:]], CASE])
    assert found["outcome"] == "refused"
    assert "Nếu phần trong ngoặc của “Ngày nhận (dự kiến)” không đổi nghĩa của cột thì bỏ đi" in found["message_vi"]


def test_what_is_in_parentheses_uncovers_no_name(registers: Any) -> None:
    found = ingested(registers, "one_stop_cases", [[*CASES, "Người nộp (chữ in hoa)"], [*CASE, "TRẦN ẨN"]])
    assert found["outcome"] == "accepted"
    assert found["unknown_columns"] == [], "a column of persons is dropped, whatever else its heading says"

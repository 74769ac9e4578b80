"""A heading that says more than a column of the contract is not that column: words in parentheses that turn its
meaning, and a group over several columns.
"""

from __future__ import annotations

from typing import Any

import openpyxl
import pytest

TURNED = ["dự kiến", "theo kế hoạch", "kỳ trước", "quý trước", "Quý IV/2022", "hết hạn", "đã thu hồi", "nghìn", "%",
          "lũy kế từ đầu năm", "chưa", "cùng kỳ", "năm 2022", "ĐVT: nghìn", "k"]  # fmt: skip
SAME = ["người", "(3)=(1)+(2)", "dd/mm/yyyy", "ngày/tháng/năm", "nếu có", "kỳ này", "Quý I/2023", "thực tế", "Có/Không",
        "5", "A", "bắt buộc", "hh:mm dd/mm/yyyy", "ĐVT: hồ sơ", "VD: 15/01/2023", "cột 3", "a",
        "ghi rõ ngày, tháng, năm"]  # fmt: skip
CASES = ["Mã hồ sơ", "Tên TTHC", "Đơn vị", "Ngày nhận", "Trạng thái", "Hình thức", "Ngày trả"]
CASE = ["000.23.32.H51-230105-0001", "Đăng ký khai sinh", "Thị trấn Cù Lao Dung", "05/01/2023", "Đã trả kết quả",
        "Trực tiếp", "09/01/2023"]  # fmt: skip
# Source, headings of a table whose last one gets the parentheses, a row, and the column of that heading.
TABLES: dict[str, tuple[list[str], list[Any], str]] = {
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


# Of each source a heading that is a column's name, as a group, and what stands below it, none of it that column.
GROUPS: dict[str, list[tuple[int, list[str], list[Any]]]] = {
    "one_stop_cases": [
        (6, ["Dự kiến", "Thực tế"], ["12/01/2023", "09/01/2023"]),
        (6, ["Hẹn", "Gia hạn", "Đã trả"], ["12/01/2023", None, "09/01/2023"]),
        (3, ["Ngày nộp", "Ngày vào sổ"], ["04/01/2023", "05/01/2023"]),
    ],
    "plan_tasks": [(4, ["Theo KH", "Đã làm"], ["12/01/2023", "09/01/2023"])],
    "staffing_roster": [(3, ["Chưa cấp", "Đã cấp"], ["x", None])],
    "declared_returns": [
        (2, ["Quý trước", "Quý này"], [11, 12]),
        (2, ["2022", "2023"], [11, 12]),
    ],
}


def grouped(head: list[str], at: int, below: list[str]) -> list[list[Any]]:
    """A header whose heading at the place is a group over those below."""
    return [[*head[:at], head[at], *[None] * (len(below) - 1), *head[at + 1 :]], [*[None] * at, *below]]


@pytest.mark.parametrize(
    ("source", "at", "below", "cells"), [(source, *group) for source, groups in GROUPS.items() for group in groups]
)
def test_a_group_named_like_a_column_is_not_its_own_first_column(
    registers: Any, source: str, at: int, below: list[str], cells: list[Any]
) -> None:
    head, row, _ = TABLES[source]
    found = ingested(registers, source, [["Đơn vị lập: Văn phòng"], *grouped(head, at, below),
                                         [*row[:at], *cells, *row[at + 1 :]]])  # fmt: skip
    if found["outcome"] == "refused":
        assert "Thiếu cột bắt buộc" in found["message_vi"]
        return
    assert found["rows_read"] == 1, "the headings below the group are no row of data"
    assert set(below) & {r["subject"] for r in remarks(registers, found, "unknown_heading")}
    assert [r for r in remarks(registers, found, "missing_column") if r["count"]], "which gate 1 holds"


def test_of_the_headings_below_a_group_the_one_that_is_the_column_is_read(registers: Any) -> None:
    head = grouped(["Mã hồ sơ", "Tên TTHC", "Đơn vị", "Nhận hồ sơ", *CASES[4:]], 3, ["Ngày nộp", "Ngày tiếp nhận"])
    found = ingested(registers, "one_stop_cases", [*head, [*CASE[:3], "01/01/2023", *CASE[3:]]])
    assert (found["rows_read"], found["outcome"]) == (1, "accepted")
    [case] = registers.rows("one_stop_cases")
    assert f"{case['received_at']:%d/%m/%Y}" == "05/01/2023"


def test_a_group_in_a_second_table_of_the_sheet_is_none_of_its_columns_either(registers: Any) -> None:
    at = CASES.index("Đơn vị")
    other = [*CASES[:at], *CASES[at + 1 :], "Đơn vị"]  # headed in another order, and so another table
    head = grouped(other, other.index("Ngày trả"), ["Hẹn", "Đã trả"])
    row = ["000.23.32.H51-230106-0002", *CASE[1:at], *CASE[at + 1 : -1], "19/01/2023", "09/01/2023", CASE[at]]
    found = ingested(registers, "one_stop_cases", [CASES, CASE, [], *head, row])
    assert found["rows_read"] == 2
    assert {r["subject"] for r in remarks(registers, found, "unknown_heading")} == {"Hẹn", "Đã trả"}


COUNTS = ["Đơn vị", "Loại văn bản", "Văn bản đi", "Văn bản đến"]


def test_filled_columns_of_the_table_without_a_heading_are_told_each(registers: Any) -> None:
    rows = [["Phòng Nội vụ", "Tất cả", 50, 40, None, 60], ["Xã An Thạnh 1", "Tất cả", 5, 4, None, 6]]
    found = ingested(registers, "e_document_counts", [[*COUNTS[:3], None, None, COUNTS[3]], *rows])
    [told] = remarks(registers, found, "skipped_block")
    assert (told["subject"], told["count"]) == ("Sheet1: cột D", 2)
    assert "cột D không có tiêu đề nên 2 ô có nội dung ở cột đó không được đọc" in found["message_vi"]


def test_a_column_without_a_heading_that_numbers_the_rows_is_not_told(registers: Any) -> None:
    rows = [[1, "Phòng Nội vụ", "Tất cả", 50, 60], [2, "Xã An Thạnh 1", "Tất cả", 5, 6]]
    found = ingested(registers, "e_document_counts", [[None, *COUNTS], *rows])
    assert (found["outcome"], remarks(registers, found, "skipped_block")) == ("accepted", [])


# A person's name in parts: the header with its merges, and a row's cells in these columns.
NAMES: dict[str, tuple[list[list[Any]], list[str], list[Any]]] = {
    "one column": ([["Họ và tên"]], [], ["Trần Thị Hoa"]),
    "a heading over two columns": ([["Họ và tên", None]], ["B1:C1"], ["Trần Thị", "Hoa"]),
    "a heading over three columns": ([["HỌ VÀ TÊN", None, None]], ["B1:D1"], ["Trần", "Thị", "Hoa"]),
    "a heading over two columns and rows": ([["Họ và tên", None], [None, None]], ["B1:C2"], ["Trần Thị ", "Hoa"]),
    "a group": ([["Họ và tên", None], ["Họ đệm", "Tên"]], ["B1:C1"], ["Trần Thị", "Hoa"]),
    "a group that is not merged": ([["Họ và tên", None], ["Họ và chữ đệm", "Tên"]], [], ["Trần Thị", "Hoa"]),
    "two headings": ([["Họ", "Tên"]], [], ["Trần Thị", "Hoa"]),
    "two headings of other words": ([["Họ lót", "Tên"]], [], [" Trần  Thị", "Hoa "]),
    "a name of one word": ([["Họ và tên", None]], ["B1:C1"], [None, "Trần Thị Hoa"]),
}


KEYS = ("person_key", "person_name_key")


def written(
    registers: Any, source: str, rows: list[list[Any]], merges: list[str], name: str = "a.xlsx"
) -> dict[str, Any]:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for merge in merges:
        book.active.merge_cells(merge)
    path = registers.place(source, name)
    book.save(path)
    registers.touch(path)
    registers.ingest()
    return registers.delivery(source)


@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize("coded", [False, True])
def test_a_name_in_parts_is_one_name(registers: Any, way: str, coded: bool) -> None:
    head, merges, name = NAMES[way]
    code = ["Số hiệu", "CB-01"] if coded else ["Ghi chú riêng", None]
    below = ["Ngày sinh", "Đơn vị công tác", "Đối tượng"]
    rows = [[*([code[0]] if k == 0 else [None]), *part, *(below if k == 0 else [])] for k, part in enumerate(head)]
    row = [code[1], *name, "20/05/1985", "Phòng Nội vụ", "Công chức cấp huyện"]
    found = written(registers, "staffing_roster", [*rows, row], merges)
    assert (found["outcome"], found["rows_read"]) == ("accepted", 1), found["message_vi"]
    assert "full_name" in found["columns_mapped"]
    assert remarks(registers, found, "skipped_block") == []
    assert {r["subject"] for r in remarks(registers, found, "unknown_heading")} <= {"Ghi chú riêng"}
    assert "full_name" not in {r["subject"] for r in remarks(registers, found, "missing_column")}
    [person] = registers.rows("staffing_roster")
    whole = [[code[0], "Họ và tên", *below], [code[1], "Trần Thị Hoa", *row[-3:]]]
    written(registers, "staffing_roster", whole, [])
    [same] = registers.rows("staffing_roster")
    assert [same[key] for key in KEYS] == [person[key] for key in KEYS]


@pytest.mark.parametrize(
    ("head", "merges", "cells"),
    [
        ([["Họ tên", None]], ["H1:I1"], ["Trần Thị", "Hoa"]),
        ([["Người nộp", None], ["Họ đệm", "Tên"]], ["H1:I1"], ["Trần Thị", "Hoa"]),
        ([["Người nộp", None, None], ["Họ tên", "Năm sinh", "Nơi ở"]], ["H1:J1"], ["Trần Thị Hoa", 1990, "Ấp 1"]),
    ],
)
def test_columns_of_persons_under_one_heading_are_all_dropped_unread(
    registers: Any, head: list[list[Any]], merges: list[str], cells: list[Any]
) -> None:
    rows = [[*CASES, *head[0]], *([*[None] * len(CASES), *row] for row in head[1:])]
    found = written(registers, "one_stop_cases", [*rows, [*CASE, *cells]], merges)
    assert (found["outcome"], found["rows_read"]) == ("accepted", 1), found["message_vi"]
    assert [remarks(registers, found, kind) for kind in ("skipped_block", "unknown_heading")] == [[], []]


def test_a_figure_under_a_heading_merged_over_two_columns_is_asked_about(registers: Any) -> None:
    rows = [[*COUNTS, None], ["Phòng Nội vụ", "Tất cả", 50, 40, 60]]
    found = written(registers, "e_document_counts", rows, ["D1:E1"])
    assert [r["count"] for r in remarks(registers, found, "skipped_block")] == [1]

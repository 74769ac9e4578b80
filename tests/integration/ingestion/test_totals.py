"""Sums in total rows are held against the rows: a difference is told with its place and both figures, and nested or
partial totals are not taken for differences.
"""

from __future__ import annotations

from typing import Any

import pytest

from ingestion import read_deliveries
from ingestion.base.limits import IntakeLimits

HEAD = ["STT", "Đơn vị", "Loại văn bản", "Lĩnh vực", "Văn bản đi", "Văn bản đến"]
ROWS = [
    [1, "Phòng Nội vụ", "Tất cả", None, 100, 40],
    [2, "Văn phòng HĐND và UBND", "Tất cả", None, 1145, 60],
    [3, "Thị trấn Cù Lao Dung", "Tất cả", None, 30, 7],
    [4, "Xã An Thạnh 1", "Tất cả", None, 25, None],
]
READ = "nhưng các dòng đọc được cộng lại là"
PLAN = ["Kế hoạch", "Mã nhiệm vụ", "Nội dung", "Trạng thái", "Chỉ tiêu"]


def total(label: str, sent: Any, received: Any = None) -> list[Any]:
    return [None, label, None, None, sent, received]


def group(label: str) -> list[Any]:
    return ["I", label]


def ingested(home: Any, rows: list[list[Any]], source: str = "e_document_counts", **kwargs: Any) -> dict[str, Any]:
    home.workbook(source, rows)
    home.ingest(**kwargs)
    return home.delivery(source)


@pytest.mark.parametrize(
    "rows",
    [
        [*ROWS, total("Tổng cộng", 1300, 107)],
        [*ROWS, total("Cộng", "1.300", "107")],
        [*ROWS, total("Tổng cộng", 1300)],
        [total("Tổng số", 1300, 107), *ROWS],
        [group("Khối huyện"), *ROWS[:2], total("Cộng khối huyện", 1245), *ROWS[2:], total("Cộng khối xã", 55),
         total("Tổng cộng", 1300, 107)],
        [group("Khối huyện"), total("Cộng", 1245, 100), *ROWS[:2], group("Khối xã"), total("Cộng", 55, 7), *ROWS[2:]],
        [*ROWS[:2], total("Cộng trang", 1245), HEAD, *ROWS[2:], total("Cộng trang", 55), total("Tổng cộng", 1300)],
        [*ROWS, total("Tổng cộng", 1300), total("Trong đó điện tử", 12), total("Lũy kế từ đầu năm", 99_999)],
        [*ROWS, [5, "Phòng Nội vụ", "Tất cả", "CCHC", 9, 2], total("Tổng cộng", 1300, 107)],
        [*ROWS, [5, "Phòng Nội vụ", "Tất cả", "CCHC", 9, 2], total("Tổng cộng", 1309, 109)],
        [*ROWS, total("Tổng cộng", "-")],
        [*ROWS, total("Tổng cộng", "1,300")],
        [*ROWS[:3], [4, "Xã An Thạnh 1", "Tất cả", None, "hai mươi", None], total("Tổng cộng", 99)],
    ],
    ids=["whole", "text", "blank figure", "above", "groups", "groups above", "pages", "of which and to date",
         "parts left out", "parts taken in", "dash", "two readings", "unreadable cell"],
)  # fmt: skip
def test_totals_that_fit_are_not_remarked_on(registers: Any, rows: list[list[Any]]) -> None:
    found = ingested(registers, [HEAD, *rows])
    assert found["outcome"] in ("accepted", "partly_accepted"), found["message_vi"]
    assert "cộng lại" not in found["message_vi"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*ROWS, total("Tổng cộng", 1400)], f"dòng 6: cột “Tổng số văn bản đi” ghi tổng 1400 {READ} 1300"),
        ([*ROWS[:3], total("Tổng cộng", 1300)], f"ghi tổng 1300 {READ} 1275"),
        ([*ROWS, total("Tổng cộng", 0)], f"ghi tổng 0 {READ} 1300"),
        ([*ROWS, total("Tổng cộng", 1300, 108)], "cột “Tổng số văn bản đến” ghi tổng 108"),
        ([group("Khối huyện"), *ROWS[:2], total("Cộng", 1246), *ROWS[2:], total("Tổng cộng", 1300)], "dòng 5: "),
    ],
)  # fmt: skip
def test_a_total_that_differs_holds_the_file(registers: Any, rows: list[list[Any]], said: str) -> None:
    found = ingested(registers, [HEAD, *rows])
    assert (found["outcome"], found["refusal"]) == ("refused", "total_mismatch")
    assert "Trang tính “Sheet1”" in found["message_vi"]
    assert said in found["message_vi"]


def test_a_contract_may_take_the_file_with_a_remark(registers: Any) -> None:
    tasks = [["Đào tạo", f"DT-{n}", "Mở lớp", "Hoàn thành", 10 * n] for n in (1, 2, 3)]
    found = ingested(registers, [PLAN, *tasks, ["Tổng cộng", None, None, None, 61]], "plan_tasks")
    assert (found["refusal"], found["rows_read"]) == ("", 3)
    assert f"dòng 5: cột “Số lượng theo kế hoạch” ghi tổng 61 {READ} 60" in found["message_vi"]


def test_a_total_of_all_sheets_stands_on_the_last(registers: Any) -> None:
    def second(book: Any) -> None:
        sheet = book.add_worksheet("Xã")
        for r, row in enumerate([HEAD, *ROWS[2:], total("Tổng cộng", 1300, 107)]):
            sheet.write_row(r, 0, row)

    registers.workbook("e_document_counts", [HEAD, *ROWS[:2]], before_closing=second)
    registers.ingest()
    assert registers.delivery("e_document_counts")["outcome"] == "accepted"


def test_a_fitting_total_below_all_rows_proves_a_csv_whole(registers: Any) -> None:
    limits = IntakeLimits(stability_seconds=0, csv_needs_proof=True)
    text = [[c if c is not None else "" for c in row] for row in [HEAD, *ROWS]]
    registers.csv("e_document_counts", [*text, ["", "Tổng cộng", "", "", 1300, 107]])
    registers.ingest(limits=limits)
    assert registers.delivery("e_document_counts")["outcome"] == "accepted"
    registers.csv("e_document_counts", [*text, ["", "Tổng cộng", "", "", "", ""]])
    registers.ingest(limits=limits)
    # The correction is refused, so the file before it still counts.
    assert registers.delivery("e_document_counts")["outcome"] == "accepted"
    assert "unproven" in {d["refusal"] for d in read_deliveries(registers.paths).to_pylist()}

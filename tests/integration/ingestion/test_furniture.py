"""Furniture is passed over, and nothing that may be somebody's row ever is."""

from __future__ import annotations

from typing import Any

import pytest

from ingestion.deliveries.ledger import read_receipts

HEAD = ["Kế hoạch", "Mã nhiệm vụ", "Nội dung", "Trạng thái", "Ngày hoàn thành"]
TASK = ["CCHC năm", "1", "Rà soát", "Hoàn thành", "10/01/2023"]


@pytest.mark.parametrize(
    "row",
    [
        ["Tổng cộng", None, "5"],
        ["", "", "TỔNG SỐ: 5"],
        ["I", None, "Nhóm nhiệm vụ chung"],
        [None, None, "Không phát sinh"],
        [None, None, None, None, "Cù Lao Dung, ngày 15 tháng 3 năm 2023"],
        ["Người lập biểu", None, "Thủ trưởng đơn vị"],
        HEAD,
        [None, "   ", "\u00a0"],
    ],
)
def test_furniture_is_no_row(home: Any, row: list[Any]) -> None:
    home.workbook("plan_tasks", [HEAD, TASK, row])
    home.ingest()
    found = home.delivery("plan_tasks")
    assert (found["outcome"], found["rows_read"]) == ("accepted", 1)


@pytest.mark.parametrize(
    "row",
    [
        [None, "2", "Không phát sinh"],
        [None, "2", "Tổng hợp báo cáo ngày 15 tháng 3 năm 2023"],
        [None, "2", "Thủ trưởng đơn vị ký"],
        ["CCHC năm", None, "Rà soát", "Hoàn thành", "10/01/2023"],
        [None, "NV-2"],
        [None, "2", "Tổng cộng số hồ sơ"],
        ["CCHC năm", "ghi chú", "Không phát sinh"],
    ],
)
def test_a_row_that_lacks_something_is_rejected_or_taken_but_never_passed_over(home: Any, row: list[Any]) -> None:
    home.workbook("plan_tasks", [HEAD, TASK, row])
    home.ingest()
    assert home.delivery("plan_tasks")["rows_read"] == 2


@pytest.mark.parametrize("numbering", [["(1)", "(2)", "(3)", "(4)", "(5)"], ["A", "B", "1", "2", "3"], [1, 2, 3, 4, 5]])
def test_a_numbering_row_is_furniture_only_right_below_a_header(home: Any, numbering: list[Any]) -> None:
    home.workbook("plan_tasks", [HEAD, numbering, TASK, numbering])
    home.ingest()
    assert [r["_row"] for r in home.rows("plan_tasks")] == [3]
    assert {row for row, _, _ in home.reasons("plan_tasks")} == {4}


def test_what_follows_the_signatures_is_furniture_until_it_is_a_row_again(home: Any) -> None:
    home.workbook("plan_tasks", [HEAD, TASK, [None, None, "Người lập biểu"], [None, None, "Trần B"], ["CCHC năm", "2"]])
    home.ingest()
    assert [r["_row"] for r in home.rows("plan_tasks")] == [2, 5]


def test_the_column_that_numbers_the_rows_is_known_and_its_number_alone_is_no_row(home: Any) -> None:
    numbered = [["TT", *HEAD, "Điện thoại riêng"], ["1", *TASK], ["2", *[None] * len(TASK)]]
    home.workbook("plan_tasks", numbered)
    home.ingest()
    found = home.delivery("plan_tasks")
    assert (found["outcome"], found["rows_read"], found["unknown_columns"]) == ("accepted", 1, ["Điện thoại riêng"])


@pytest.mark.parametrize("ragged", [False, True], ids=["regular", "row by row"])
def test_every_line_of_a_csv_is_a_row_or_furniture(home: Any, ragged: bool) -> None:
    tasks = [["CCHC năm", f"NV-{n}", "Rà soát", "Hoàn thành", "10/01/2023"] for n in range(40)]
    blank = [""] * 5
    lines = [["UBND huyện", *blank[1:]], blank, HEAD, ["(1)", "(2)", "(3)", "(4)", "(5)"], *tasks[:20], blank, HEAD,
             *tasks[20:], ["Tổng cộng: 40 nhiệm vụ", *blank[1:]]]  # fmt: skip
    if ragged:
        lines[10] = [*lines[10], "thừa"]
    path = home.csv("plan_tasks", lines)
    home.ingest()
    (receipt,) = read_receipts(home.paths).values()
    assert receipt.furniture == {"blank": 1, "header": 2, "numbering": 1, "title": 2, "total": 1}
    assert (receipt.rows_read, receipt.rows_rejected) == (40, int(ragged))
    assert sum(receipt.furniture.values()) + receipt.rows_read == path.read_bytes().count(b"\n")

"""What departments of a province tell, as it delivers that: of whom, of which row, with parts, or sent back."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from common.forms import form_named
from ingestion.engine import departments_of
from tests.support.templates import PROVINCE_REGISTER

PROVINCE, SOURCE, QUARTER = "94", "department_figures", "2023-Q1"
HEAD = ["STT", "Sở, ban, ngành", "Mã chỉ tiêu", "Số mục", "Chỉ tiêu", "Số liệu", "Tử số", "Mẫu số", "Căn cứ"]
FORM = form_named("2023")
COUNT, RATIO, FLAG = (
    next(row["indicator_code"] for row in FORM.rows if row["kind"] == kind) for kind in ("count", "ratio", "flag")
)


@pytest.fixture
def registered(home: Any) -> Any:
    home.workbook("org_units", PROVINCE_REGISTER, unit=PROVINCE)
    return home


def deliver(home: Any, *rows: Sequence[Any], unit: str = PROVINCE) -> Any:
    table = [[number, *row, "45/BC-SNV"] for number, row in enumerate(rows, 1)]
    home.workbook(SOURCE, [["Số liệu của sở, ban, ngành, quý I năm 2023"], [], HEAD, *table], unit=unit)
    return home.ingest()


def taken(home: Any) -> dict[tuple[str, str], tuple[Decimal | None, Decimal | None, Decimal | None]]:
    return {
        (row["department"], row["indicator_code"]): (row["value"], row["numerator"], row["denominator"])
        for row in home.rows(SOURCE)
    }


def test_departments_are_known_by_code_name_and_short_name_and_rows_by_code_or_print(registered: Any) -> None:
    name = next(row["name_vi"] for row in FORM.rows if row["indicator_code"] == RATIO)
    deliver(
        registered,
        ["Sở Nội vụ", COUNT, None, None, 7, None, None],
        ["SNV", None, None, name, None, 8, 10],
        ["94-STP", RATIO, None, None, "66,7", 2, 3],
        ["Sở Tư pháp tỉnh Sóc Trăng", FLAG, None, None, 0, None, None],
    )
    assert registered.rows(SOURCE, "rejected") == []
    assert taken(registered) == {
        ("94-SNV", COUNT): (7, None, None),
        ("94-SNV", RATIO): (None, 8, 10),
        ("94-STP", RATIO): (Decimal("66.7"), 2, 3),
        ("94-STP", FLAG): (0, None, None),
    }


WRONG: dict[str, tuple[Sequence[Any], str]] = {
    "a department that the register lacks": (["Sở Y tế", COUNT, None, None, 5, None, None], "unknown_unit"),
    "one that has ended": (["Sở Thương mại", COUNT, None, None, 5, None, None], "unknown_unit"),
    "no department": (["Trung tâm Lưu trữ lịch sử", COUNT, None, None, 5, None, None], "unknown_unit"),
    "a district, which reports by itself": (["945", COUNT, None, None, 5, None, None], "unknown_unit"),
    "the province itself": (["Tỉnh Sóc Trăng", COUNT, None, None, 5, None, None], "unknown_unit"),
    "nobody": ([None, COUNT, None, None, 5, None, None], "missing_value"),
    "a ratio without its parts": (["SNV", RATIO, None, None, 80, None, None], "ratio_without_parts"),
    "a ratio with one part": (["SNV", RATIO, None, None, None, 8, None], "ratio_without_parts"),
    "a ratio with the other": (["SNV", RATIO, None, None, 80, None, 10], "ratio_without_parts"),
    "a ratio that its parts do not give": (["SNV", RATIO, None, None, "81,5", 8, 10], "ratio_differs"),
    "a ratio of nothing": (["SNV", RATIO, None, None, 80, 8, 0], "ratio_differs"),
    "parts of a count": (["SNV", COUNT, None, None, 5, 1, 2], "parts_of_no_ratio"),
    "parts below nothing": (["SNV", RATIO, None, None, None, -1, 2], "below_minimum"),
    "no figure at all": (["SNV", COUNT, None, None, None, None, None], "missing_one_of"),
    "words for a figure": (["SNV", COUNT, None, None, "đang cập nhật", None, None], "text_in_figure"),
    "words for a part": (["SNV", RATIO, None, None, None, "tám", 10], "not_a_number"),
    "an answer of two": (["SNV", FLAG, None, None, 2, None, None], "not_a_flag"),
    "a code that the form lacks": (["SNV", "III.99", None, None, 5, None, None], "code_not_in_form"),
    "a heading": (["SNV", "I.01", None, None, 5, None, None], "figure_on_heading"),
}


@pytest.mark.parametrize("fault", sorted(WRONG))
def test_a_row_that_is_no_figure_of_a_department_is_sent_back(registered: Any, fault: str) -> None:
    row, code = WRONG[fault]
    report = deliver(registered, ["Sở Tư pháp", COUNT, None, None, 7, None, None], row)
    assert taken(registered) == {("94-STP", COUNT): (7, None, None)}
    reasons = {rejected["reason_code"] for rejected in registered.rows(SOURCE, "rejected")}
    assert code in reasons, (reasons, report)
    assert not (code == "not_a_number" and "ratio_without_parts" in reasons), "it is there, and cannot be read"


def test_one_department_is_told_once_in_a_file(registered: Any) -> None:
    row = ["Sở Tư pháp", COUNT, None, None, 7, None, None]
    deliver(registered, row, ["94-STP", *row[1:4], 8, None, None])
    assert taken(registered) == {("94-STP", COUNT): (7, None, None)}
    assert {r["reason_code"] for r in registered.rows(SOURCE, "rejected")} == {"duplicate_key"}


def test_a_file_of_one_department_may_name_it_above_the_table(registered: Any) -> None:
    head = [heading for heading in HEAD if heading != "Sở, ban, ngành"]
    rows = [["UBND TỈNH SÓC TRĂNG"], ["SỞ TƯ PHÁP"], ["Quý I năm 2023"], [], head, [1, COUNT, None, None, 7]]
    registered.workbook(SOURCE, rows, unit=PROVINCE)
    registered.ingest()
    assert taken(registered) == {("94-STP", COUNT): (7, None, None)}


def test_without_a_register_nobody_is_a_department_and_with_one_the_file_is_read_again(home: Any) -> None:
    deliver(home, ["Sở Nội vụ", COUNT, None, None, 7, None, None])
    assert taken(home) == {}
    assert departments_of(home.paths, PROVINCE, QUARTER, home.reference) == ([], None)
    home.workbook("org_units", PROVINCE_REGISTER, unit=PROVINCE)
    home.ingest()
    assert taken(home) == {("94-SNV", COUNT): (7, None, None)}
    listed, of_quarter = departments_of(home.paths, PROVINCE, QUARTER, home.reference)
    assert listed == [("94-SNV", "Sở Nội vụ"), ("94-STP", "Sở Tư pháp")]
    assert of_quarter == QUARTER
    assert departments_of(home.paths, PROVINCE, "2023-Q2", home.reference) == (listed, QUARTER), "it holds on"


def test_only_the_province_delivers_it(registered: Any) -> None:
    deliver(registered, ["Sở Nội vụ", COUNT, None, None, 7, None, None], unit="945")
    assert taken(registered) == {}
    receipt = registered.delivery(SOURCE)
    assert (receipt["outcome"], "không nộp nguồn" in receipt["message_vi"]) == ("refused", True)

"""What a portal shows for a province's units, delivered by the province: by code or printed name, or sent back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from common.forms import form_named

PROVINCE, SOURCE = "94", "portal_figures"
HEAD = ["STT", "Đơn vị", "Mã chỉ tiêu", "Số mục", "Chỉ tiêu", "Số liệu", "Ngày lấy số"]
TAKEN = dt.date(2023, 3, 16)
FORM = form_named("2023")


def deliver(home: Any, *rows: Sequence[Any], unit: str = PROVINCE) -> Any:
    table = [[number, *row, TAKEN] for number, row in enumerate(rows, 1)]
    home.workbook(SOURCE, [["Số liệu trên Cổng dịch vụ công, quý I năm 2023"], [], HEAD, *table], unit=unit)
    return home.ingest()


def taken(home: Any) -> dict[tuple[str, str], Decimal]:
    return {(row["unit"], row["indicator_code"]): row["value"] for row in home.rows(SOURCE)}


def unique_names() -> list[tuple[str, str]]:
    """Code and name of rows with a figure whose printed name no other row bears."""
    names = [row["name_vi"] for row in FORM.rows]
    return [
        (row["indicator_code"], row["name_vi"])
        for row in FORM.rows
        if row["kind"] != "heading" and names.count(row["name_vi"]) == 1
    ]


def test_rows_are_known_by_code_or_by_printed_name(home: Any) -> None:
    rows = unique_names()[:40]
    deliver(
        home,
        *([f"UBND {'huyện Châu Thành'}", None, None, name, 1] for _, name in rows),
        *(["945", code, None, None, 0] for code, _ in rows),
    )
    assert taken(home) == {("942", code): 1 for code, _ in rows} | {("945", code): 0 for code, _ in rows}


WRONG: dict[str, tuple[Sequence[Any], str]] = {
    "a unit of another province": (["Huyện Châu Phú", "III.23", None, None, 5], "unknown_unit"),
    "the province itself": (["Tỉnh Sóc Trăng", "III.23", None, None, 5], "unknown_unit"),
    "a commune, which reports to its district": (["31618", "III.23", None, None, 5], "unknown_unit"),
    "a code that the form lacks": (["945", "III.99", None, None, 5], "code_not_in_form"),
    "a heading": (["945", "I.01", None, None, 5], "figure_on_heading"),
    "a name that the form lacks": (["945", None, None, "Số lượt truy cập Cổng", 5], "name_not_in_form"),
    "a name of several rows": (["945", None, None, "Số nhiệm vụ đã hoàn thành đúng hạn", 5], "form_row_ambiguous"),
    "a name of another row": (["945", "III.23", None, "Vấn đề phát hiện qua kiểm tra", 5], "code_of_other_name"),
    "words for a figure": (["945", "III.23", None, None, "đang cập nhật"], "text_in_figure"),
    "half a case": (["945", "III.23", None, None, 5.5], "not_a_count"),
    "no figure": (["945", "III.23", None, None, None], "missing_value"),
    "neither code nor name": (["945", None, None, None, 5], "missing_one_of"),
}


def repeated_names() -> list[str]:
    names = [row["name_vi"] for row in FORM.rows if row["kind"] != "heading"]
    return sorted({name for name in names if names.count(name) > 1})


@pytest.mark.parametrize("fault", sorted(WRONG))
def test_a_row_that_is_no_figure_of_a_unit_is_sent_back(home: Any, fault: str) -> None:
    row, code = list(WRONG[fault][0]), WRONG[fault][1]
    if code == "form_row_ambiguous":
        row[3] = repeated_names()[0]
    if code == "code_of_other_name":
        row[3] = unique_names()[0][1]
    report = deliver(home, ["945", "III.26", None, None, 7], row)
    assert taken(home) == {("945", "III.26"): 7}
    reasons = {rejected["reason_code"] for rejected in home.rows(SOURCE, "rejected")}
    assert code in reasons, (reasons, report)


def test_two_portals_of_one_row_are_told_apart_by_name_and_one_portal_tells_a_row_once(home: Any) -> None:
    head = [*HEAD, "Cổng"]
    rows = [["945", "III.23", None, None, value, TAKEN, portal] for value, portal in (
        (5, "Cổng tỉnh"), (6, "Cổng Dịch vụ công quốc gia"), (7, None), (8, "Cổng tỉnh"), (9, None),
    )]  # fmt: skip
    home.workbook(SOURCE, [head, *([n, *row] for n, row in enumerate(rows, 1))], unit=PROVINCE)
    home.ingest()
    kept = [(row["value"], row["portal"]) for row in home.rows(SOURCE)]
    assert kept == [(5, "Cổng tỉnh"), (6, "Cổng Dịch vụ công quốc gia"), (7, None)]
    assert {row["reason_code"] for row in home.rows(SOURCE, "rejected")} == {"duplicate_key"}


def test_only_the_province_delivers_it_and_it_delivers_nothing_else(home: Any) -> None:
    deliver(home, ["945", "III.23", None, None, 5], unit="945")
    assert taken(home) == {}
    receipt = home.delivery(SOURCE)
    assert receipt["outcome"] == "refused"
    assert "không nộp nguồn" in receipt["message_vi"]

"""Bare digits in a column of labels count as the contract says only where the file says the same."""

from __future__ import annotations

from typing import Any

import pytest

from ingestion import read_deliveries

ANSWERS = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
CASES = [
    "Mã hồ sơ",
    "Tên TTHC",
    "Cơ quan tiếp nhận",
    "Ngày tiếp nhận",
    "Ngày kết thúc xử lý",
    "Trạng thái",
    "Hình thức",
]
SCALE = ("Rất không hài lòng", "Không hài lòng", "Bình thường", "Hài lòng", "Rất hài lòng")
VALUES = ["very_dissatisfied", "dissatisfied", "neutral", "satisfied", "very_satisfied"]


def _in_forms(pairs: list[tuple[int, str]]) -> dict[str, list[list[Any]]]:
    """A legend in the ways in which it is written, as the rows above the table."""
    return {
        "dashes": [["Ghi chú: " + "; ".join(f"{code} - {label}" for code, label in pairs)]],
        "colons": [["Thang điểm: " + ", ".join(f"{code}: {label.lower()}" for code, label in pairs)]],
        "equals": [[" ".join(f"{code}={label}" for code, label in pairs)]],
        "levels": [["; ".join(f"Mức {code} là {label}" for code, label in pairs)]],
        "points": [["; ".join(f"{label} ({code} điểm)" for code, label in pairs)]],
        "behind": [["Đánh giá: " + " - ".join(f"{label}: {code}" for code, label in pairs)]],
        "lines": [[f"{code}. {label.upper()}"] for code, label in pairs] + [["\n".join(f"{c}. {s}" for c, s in pairs)]],
        "cells": [[code, label] for code, label in pairs],
        "ends": [[f"từ {pairs[0][0]} ({pairs[0][1]}) đến {pairs[-1][0]} ({pairs[-1][1]})"]],
    }


AGREEING = _in_forms(list(enumerate(SCALE, 1)))
FALLING = _in_forms(list(enumerate(SCALE, 1))[::-1])
TURNED = _in_forms(list(enumerate(SCALE[::-1], 1)))


def _answers(*marks: Any) -> list[list[Any]]:
    return [[f"P{n}", "Phiếu giấy", "10/01/2023", mark] for n, mark in enumerate(marks, 1)]


def _told(home: Any, source: str) -> list[tuple[str, str]]:
    return [(r["column"], r["value"]) for r in home.rows(source, "remarks") if r["kind"] == "codes_unexplained"]


@pytest.mark.parametrize("form", AGREEING)
@pytest.mark.parametrize("legends", [AGREEING, FALLING], ids=["rising", "falling"])
def test_digits_count_where_the_file_says_the_same(home: Any, legends: dict[str, list[list[Any]]], form: str) -> None:
    home.workbook("survey_responses", [["PHIẾU"], *legends[form], [], ANSWERS, *_answers(1, 2.0, "3", "4", 5)])
    home.ingest()
    assert [row["overall"] for row in home.rows("survey_responses", "lake")] == VALUES
    assert _told(home, "survey_responses") == []


def test_a_legend_may_stand_below_the_table(home: Any) -> None:
    home.workbook("survey_responses", [ANSWERS, *_answers(1, 5), [], *AGREEING["dashes"]])
    home.workbook("survey_responses", [ANSWERS, *_answers(1, 5), [], *TURNED["dashes"]], name="b.xlsx")
    home.ingest()
    assert _told(home, "survey_responses") == []
    assert sorted(d["refusal"] for d in read_deliveries(home.paths).to_pylist()) == ["", "legend_differs"]


@pytest.mark.parametrize("form", TURNED)
def test_a_legend_that_says_otherwise_refuses_the_file(home: Any, form: str) -> None:
    home.workbook("survey_responses", [["PHIẾU"], *TURNED[form], [], ANSWERS, *_answers(1, 4)])
    home.ingest()
    found = home.delivery("survey_responses")
    assert (found["outcome"], found["refusal"]) == ("refused", "legend_differs")
    assert (
        "“Đánh giá chung” là “Rất hài lòng”, nhưng ở đây 1 được hiểu là “Rất không hài lòng”" in found["message_vi"]
        or "“Đánh giá chung” là “Rất không hài lòng”, nhưng ở đây 5 được hiểu là “Rất hài lòng”" in found["message_vi"]
    )


@pytest.mark.parametrize(
    "figures",
    [
        [["Tổng hợp: Rất hài lòng: 1 phiếu; Hài lòng: 2 phiếu"]],
        [["Rất hài lòng 60%, hài lòng 30%, bình thường 10%"]],
        [["Rất hài lòng: 45; Hài lòng: 15; Bình thường: 2"]],
        [["Rất hài lòng: 1; Hài lòng: 1; Bình thường: 0"]],
        [["Rất hài lòng: 1; Hài lòng: 2"]],
    ],
)
def test_figures_beside_labels_are_no_legend(home: Any, figures: list[list[Any]]) -> None:
    home.workbook("survey_responses", [*AGREEING["dashes"], *figures, ANSWERS, *_answers(4, 5)])
    home.ingest()
    assert [row["overall"] for row in home.rows("survey_responses", "lake")] == VALUES[3:]
    assert _told(home, "survey_responses") == []


def test_a_legend_may_be_a_line_an_entry(home: Any) -> None:
    home.workbook("survey_responses", [*AGREEING["lines"][:-1], ANSWERS, *_answers(1, 5)])
    home.workbook("survey_responses", [*TURNED["lines"][:-1], ANSWERS, *_answers(1, 5)], name="b.xlsx")
    home.ingest()
    assert _told(home, "survey_responses") == []
    assert sorted(d["refusal"] for d in read_deliveries(home.paths).to_pylist()) == ["", "legend_differs"]


def test_digits_without_a_legend_are_told(home: Any) -> None:
    home.workbook("survey_responses", [["Xã An Thạnh 1, ngày 5 tháng 3"], ANSWERS, *_answers(5, "1", "Hài lòng")])
    home.ingest()
    assert _told(home, "survey_responses") == [("overall", "1, 5")]
    message = home.delivery("survey_responses")["message_vi"]
    assert "được hiểu 1 là “Rất không hài lòng”, 5 là “Rất hài lòng”" in message


def test_words_need_no_legend_and_bear_any(home: Any) -> None:
    home.workbook("survey_responses", [*TURNED["dashes"], ANSWERS, *_answers(*SCALE)])
    home.ingest()
    assert [row["overall"] for row in home.rows("survey_responses", "lake")] == VALUES
    assert _told(home, "survey_responses") == []


@pytest.mark.parametrize(
    ("legend", "told", "refusal"),
    [
        ("", [("channel", "1, 2"), ("status", "9")], ""),
        ("Hình thức: 1 - Trực tiếp, 2 - Trực tuyến", [("status", "9")], ""),
        ("Hình thức: 0 - Trực tiếp, 1 - Trực tuyến", None, "legend_differs"),
        ("4: Đang xử lý; 9: Đã xử lý xong; 10: Đã trả kết quả", [("channel", "1, 2")], ""),
        ("1: Đang xử lý; 9: Đã trả kết quả", None, "legend_differs"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_codes_of_the_system_that_exports(
    registers: Any, legend: str, told: list[tuple[str, str]] | None, refusal: str, suffix: str
) -> None:
    rows = [
        [f"000.00.04.H51-23011{n}-000{n}", "Đăng ký khai sinh", "Xã An Thạnh 1", f"1{n}/01/2023", f"1{n}/01/2023", 9, n]
        for n in (1, 2)
    ]
    table = [[legend], CASES, *rows] if legend else [CASES, *rows]
    (registers.workbook if suffix == "xlsx" else registers.csv)("one_stop_cases", table, name=f"a.{suffix}")
    registers.ingest()
    assert registers.delivery("one_stop_cases")["refusal"] == refusal
    if told is not None:
        assert sorted(_told(registers, "one_stop_cases")) == told


def test_a_digit_that_its_label_names_needs_no_legend(registers: Any) -> None:
    head = ["Mã TTHC", "Tên thủ tục hành chính", "Lĩnh vực", "Cấp xã", "Ngày hiệu lực", "Mức độ cung cấp"]
    registers.workbook("procedure_catalogue", [head, ["1.004946", "Khai sinh", "Hộ tịch", "x", "01/01/2020", 4]])
    registers.ingest()
    assert _told(registers, "procedure_catalogue") == []

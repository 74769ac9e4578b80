"""What only the landing folder as a whole can show: refused corrections, contradicting files, files in wrong places."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
import pytest

HEAD = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
GOOD, BAD = "Hài lòng", "Không hài lòng"


def answers(*numbers: int, mark: str = GOOD) -> list[list[Any]]:
    return [HEAD, *([f"P{n}", "Phiếu giấy", "10/01/2023", mark] for n in numbers)]


def remarks(home: Any, kind: str) -> list[dict[str, Any]]:
    return [r for r in pq.read_table(home.paths.landing_remarks).to_pylist() if r["kind"] == kind]


def test_a_refused_correction_and_an_empty_one_are_remarked_until_mended(home: Any) -> None:
    home.workbook("survey_responses", answers(1, 2))
    home.ingest()
    home.workbook("survey_responses", [["chỉ có chữ"]])
    home.ingest()
    (remark,) = remarks(home, "correction_refused")
    assert (remark["count"], remark["_unit_code"], remark["_quarter"]) == (2, "945", "2023-Q1")
    assert remark["subject"].startswith("a.xlsx#")
    home.workbook("survey_responses", [HEAD, ["Không phát sinh"]])
    home.ingest()
    assert remarks(home, "correction_refused") == []
    (remark,) = remarks(home, "correction_empty")
    assert remark["count"] == 2


def test_files_that_came_together_and_contradict_each_other_are_remarked_with_keys_and_names(home: Any) -> None:
    home.workbook("survey_responses", answers(1, 2, 3), name="a.xlsx")
    home.workbook("survey_responses", answers(2, 3, mark=BAD), name="b.xlsx")
    home.workbook("survey_responses", answers(1), name="c.xlsx")  # says the same
    home.ingest()
    (remark,) = remarks(home, "order_uncertain")
    assert (remark["count"], remark["value"]) == (2, "P2, P3")
    assert remark["subject"].startswith("a.xlsx#")
    assert "b.xlsx#" in remark["subject"]
    home.ingest("2022-Q4")  # another quarter is looked at: what was found stays
    assert remarks(home, "order_uncertain") == [remark]
    home.workbook("survey_responses", answers(3, mark=BAD), name="b.xlsx")  # sent again, so it is later
    home.ingest()
    assert remarks(home, "order_uncertain") == []


def test_a_file_of_a_later_look_is_later_and_a_delivery_log_tells(home: Any) -> None:
    home.workbook("survey_responses", answers(1), name="b.xlsx")
    home.ingest()
    home.workbook("survey_responses", answers(1, mark=BAD), name="a.xlsx")
    home.ingest()
    assert remarks(home, "order_uncertain") == []


def test_the_log_settles_which_of_two_files_counts(home: Any) -> None:
    home.workbook("survey_responses", answers(1), name="a.xlsx")
    home.workbook("survey_responses", answers(1, mark=BAD), name="b.xlsx")
    log = home.paths.landing / "945" / "2023-Q1" / "delivery_log.csv"
    log.write_text("Nguồn,Tệp,Thay thế\nsurvey_responses,b.xlsx,a.xlsx\n", encoding="utf-8")
    home.ingest()
    assert remarks(home, "order_uncertain") == []


STRAYS: dict[str, tuple[str | None, str | None]] = {
    "tep.xlsx": (None, None),
    "945/tep.xlsx": ("945", None),
    "945/2023-Q1/tep.xlsx": ("945", "2023-Q1"),
    "945/2023-Q1/hồ sơ/tep.xlsx": ("945", "2023-Q1"),
    "945/2023-Q1/survey_responses/cũ/tep.xlsx": ("945", "2023-Q1"),
    "945/Quý I-2023/survey_responses/tep.xlsx": ("945", "2023-Q1"),
    "945/quy 1 nam 2023/survey_responses/tep.xlsx": ("945", "2023-Q1"),
    "945/2023 Q1/survey_responses/tep.xlsx": ("945", "2023-Q1"),
    "Huyện Cù Lao Dung/2023-Q1/survey_responses/tep.xlsx": ("945", "2023-Q1"),
    "945 - Cù Lao Dung/2023-Q1/survey_responses/tep.xlsx": ("945", "2023-Q1"),
    "99999/2023-Q1/survey_responses/tep.xlsx": (None, "2023-Q1"),
    "945/1999-Q1/survey_responses/tep.xlsx": ("945", None),
}


@pytest.mark.parametrize("place", STRAYS)
def test_a_file_in_a_wrong_place_is_remarked_with_the_unit_and_quarter_it_seems_to_be_of(home: Any, place: str) -> None:
    path = home.paths.landing / place
    path.parent.mkdir(parents=True)
    path.write_bytes(b"whatever")
    home.workbook("survey_responses", answers(1))
    home.ingest()
    (remark,) = remarks(home, "stray_file")
    assert remark["subject"] == place
    assert (remark["_unit_code"], remark["_quarter"]) == STRAYS[place]
    path.unlink()
    home.ingest()
    assert remarks(home, "stray_file") == []


@pytest.mark.parametrize(
    ("name", "told"),
    [("~$a.xlsx", True), (".a.xlsx", True), ("a.xlsx.part", True), (".DS_Store", False), ("._a.xlsx", False)],
)
def test_what_programs_leave_behind_is_told_apart_from_temporary_files(home: Any, name: str, told: bool) -> None:
    home.workbook("survey_responses", answers(1))
    home.place("survey_responses", name).write_bytes(b"x")
    home.ingest()
    assert [r["_file_name"] for r in remarks(home, "temporary_file")] == ([name] if told else [])
    assert remarks(home, "stray_file") == []

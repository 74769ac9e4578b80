"""Which file counts: copies, corrections, the delivery log, and files that lie in the wrong folder."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingestion import read_deliveries, status

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
EARLY, LATE = dt.datetime(2023, 3, 15, 8, tzinfo=LOCAL), dt.datetime(2023, 3, 16, 8, tzinfo=LOCAL)
ANSWERS = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
CASES = [
    "Mã hồ sơ",
    "Mã TTHC",
    "Đơn vị tiếp nhận",
    "Ngày tiếp nhận",
    "Ngày kết thúc xử lý",
    "Trạng thái",
    "Hình thức nộp",
]
COMMUNE, OTHER_COMMUNE = "31618", "31621"


def answers(*numbers: int, day: str = "10/01/2023") -> list[list[Any]]:
    return [ANSWERS, *([f"P{n}", "Phiếu giấy", day, "Hài lòng"] for n in numbers)]


def cases(
    count: int, unit: str = "UBND xã An Thạnh 1", received: str = "02/01/2023", ended: str | None = "03/01/2023"
) -> list[list[Any]]:
    status_vi = "Đã trả kết quả" if ended else "Đang xử lý"
    rows = [
        [f"000.21.32.H51-230102-{n:04}", "1.004946", unit, received, ended, status_vi, "Trực tiếp"]
        for n in range(count)
    ]
    return [CASES, *rows]


def current(home: Any, source: str) -> dict[str, dict[str, Any]]:
    return {
        d["file_name"]: d for d in read_deliveries(home.paths).to_pylist() if d["source"] == source and d["is_current"]
    }


def log(home: Any, *lines: str, at: dt.datetime = LATE) -> Path:
    path: Path = home.paths.landing / "945" / "2023-Q1" / "delivery_log.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["Nguồn,Tệp,Thay thế", *lines]), encoding="utf-8")
    home.touch(path, at)
    return path


# ------------------------------------------------------------------------------------------- copies and corrections


def test_a_renamed_copy_counts_once_and_this_is_said(home: Any) -> None:
    path = home.workbook("survey_responses", answers(1, 2), at=EARLY)
    copy = home.place("survey_responses", "ban-sao.xlsx")
    copy.write_bytes(path.read_bytes())
    home.touch(copy, LATE)
    report = home.ingest()
    assert report.rows_read == 2
    assert home.delivery("survey_responses")["note_vi"] == "Tệp “ban-sao.xlsx” có cùng nội dung nên không tính thêm."


def test_the_same_content_in_another_folder_is_said_on_both_sides(home: Any) -> None:
    path = home.workbook("survey_responses", answers(1, 2), quarter="2022-Q4")
    home.place("survey_responses", "b.xlsx").write_bytes(path.read_bytes())
    home.ingest("2022-Q4")
    home.ingest()
    notes = {d["path"]: d["note_vi"] for d in read_deliveries(home.paths).to_pylist()}
    first, second = "945/2022-Q4/survey_responses/a.xlsx", "945/2023-Q1/survey_responses/b.xlsx"
    assert second in notes[first]
    assert first in notes[second]


def test_a_file_named_in_the_log_replaces_another_whole_and_the_old_one_is_kept(home: Any) -> None:
    home.workbook("survey_responses", answers(1, 2), name="a.xlsx", at=LATE)
    home.workbook("survey_responses", answers(3), name="b.xlsx", at=EARLY)
    home.ingest()
    assert set(current(home, "survey_responses")) == {"a.xlsx", "b.xlsx"}
    log(home, "survey_responses,b.xlsx,a.xlsx")
    report = home.ingest()
    assert not report.problems
    assert report.files_read == 0
    found = {d["file_name"]: d for d in read_deliveries(home.paths).to_pylist()}
    assert not found["a.xlsx"]["is_current"]
    assert found["a.xlsx"]["superseded_by"] == found["b.xlsx"]["delivery_id"]
    assert [r["form_number"] for r in home.rows("survey_responses")] == ["P3"]
    assert len(home.layer("lake", found["a.xlsx"])) == 2


def test_a_log_goes_on_counting_when_it_is_taken_away_until_a_later_one_says_otherwise(home: Any) -> None:
    home.workbook("survey_responses", answers(1), name="a.xlsx")
    home.workbook("survey_responses", answers(2), name="b.xlsx")
    path = log(home, "survey_responses,b.xlsx,a.xlsx", at=EARLY)
    home.ingest()
    path.unlink()
    home.ingest()
    assert set(current(home, "survey_responses")) == {"b.xlsx"}
    log(home, at=LATE)
    home.ingest()
    assert set(current(home, "survey_responses")) == {"a.xlsx", "b.xlsx"}


def test_a_replacement_that_has_not_come_replaces_nothing_and_a_circle_neither(home: Any) -> None:
    home.workbook("survey_responses", answers(1), name="a.xlsx")
    home.workbook("survey_responses", answers(2), name="b.xlsx")
    log(home, "survey_responses,new.xlsx,a.xlsx", at=EARLY)
    home.ingest()
    assert set(current(home, "survey_responses")) == {"a.xlsx", "b.xlsx"}
    log(home, "survey_responses,b.xlsx,a.xlsx", "survey_responses,a.xlsx,b.xlsx")
    home.ingest()
    assert set(current(home, "survey_responses")) == {"a.xlsx", "b.xlsx"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no_such_source,b.xlsx,a.xlsx", "no_such_source"),
        ("survey_responses,,a.xlsx", "thiếu tên tệp"),
        ("survey_responses,a.xlsx,a.xlsx", "chính nó"),
    ],
)
def test_a_wrong_line_of_the_log_is_said_and_the_others_count(home: Any, line: str, said: str) -> None:
    home.workbook("survey_responses", answers(1), name="a.xlsx")
    home.workbook("survey_responses", answers(2), name="b.xlsx")
    log(home, line, "survey_responses,b.xlsx,a.xlsx")
    report = home.ingest()
    assert [(p.code, said in p.message_vi, "Dòng 2" in p.message_vi) for p in report.problems] == [
        ("delivery_log", True, True)
    ]
    assert set(current(home, "survey_responses")) == {"b.xlsx"}


def test_a_log_that_is_none_is_said_and_never_followed(home: Any, tmp_path: Path) -> None:
    home.workbook("survey_responses", answers(1), name="a.xlsx")
    secret = tmp_path / "secret.csv"
    secret.write_text("source,file,replaces\nsurvey_responses,b.xlsx,a.xlsx\n")
    (home.paths.landing / "945" / "2023-Q1" / "delivery_log.csv").symlink_to(secret)
    assert [p.code for p in home.ingest().problems] == ["delivery_log"]


# -------------------------------------------------------------------------------------------------- the wrong folder


def held(home: Any, source: str) -> tuple[str, str]:
    found = home.delivery(source)
    assert (found["outcome"], found["rows_read"]) == ("refused", 0)
    return found["refusal"], found["message_vi"]


@pytest.mark.parametrize(
    ("received", "ended"), [("03/10/2022", "05/10/2022"), ("20/03/2023", "22/03/2023"), ("20/03/2023", None)]
)
def test_cases_of_another_quarter_are_held_and_both_are_named(registers: Any, received: str, ended: str | None) -> None:
    registers.workbook("one_stop_cases", cases(6, received=received, ended=ended), unit=COMMUNE)
    registers.ingest()
    code, message = held(registers, "one_stop_cases")
    assert code == "wrong_quarter"
    for words in ("2023-Q1", "14/03/2023", received):
        assert words in message


@pytest.mark.parametrize(
    "rows",
    [
        cases(6, received="03/10/2022", ended=None),  # still open: carried over into this quarter
        cases(6, received="03/10/2022", ended="02/01/2023"),  # ended in this quarter
        cases(4, received="03/10/2022", ended="05/10/2022"),  # too few to tell
        [*cases(6, received="03/10/2022", ended="05/10/2022"), *cases(7)[-1:]],  # one is of this quarter
    ],
)
def test_cases_that_may_concern_the_quarter_are_taken(registers: Any, rows: list[list[Any]]) -> None:
    registers.workbook("one_stop_cases", rows, unit=COMMUNE)
    registers.ingest()
    assert registers.delivery("one_stop_cases")["outcome"] == "accepted"


def test_answers_of_another_quarter_are_held(home: Any) -> None:
    home.workbook("survey_responses", answers(*range(6), day="10/10/2022"))
    home.ingest()
    assert held(home, "survey_responses")[0] == "wrong_quarter"


@pytest.mark.parametrize(
    ("folder", "unit", "named"),
    [
        (COMMUNE, "UBND xã An Thạnh Tây", ["An Thạnh 1", COMMUNE, "An Thạnh Tây", OTHER_COMMUNE]),
        (COMMUNE, "UBND xã Ninh Thới", ["An Thạnh 1", COMMUNE, "Ninh Thới"]),
        ("945", "UBND xã An Thạnh Tây", ["945", "An Thạnh Tây", OTHER_COMMUNE]),
    ],
)
def test_cases_of_another_unit_are_held_and_both_are_named(
    registers: Any, folder: str, unit: str, named: list[str]
) -> None:
    registers.workbook("one_stop_cases", cases(6, unit=unit), unit=folder)
    registers.ingest()
    code, message = held(registers, "one_stop_cases")
    assert code == "wrong_unit"
    for words in named:
        assert words in message


def test_a_title_of_another_commune_holds_the_file(registers: Any) -> None:
    title = [["UBND HUYỆN CÙ LAO DUNG"], ["UBND XÃ AN THẠNH TÂY"], []]
    registers.workbook("one_stop_cases", [*title, *cases(1)], unit=COMMUNE)
    registers.ingest()
    code, message = held(registers, "one_stop_cases")
    assert code == "wrong_unit"
    assert "An Thạnh Tây" in message


def test_a_file_of_several_communes_in_the_districts_folder_is_taken(registers: Any) -> None:
    rows = [*cases(6), *cases(12, unit="UBND xã An Thạnh Tây")[7:]]
    registers.workbook("one_stop_cases", rows)
    registers.ingest()
    assert registers.delivery("one_stop_cases")["outcome"] == "accepted"


# ------------------------------------------------------------------------------------------------------------ status


def test_status_tells_apart_what_was_sent_held_refused_and_not_sent(registers: Any) -> None:
    registers.workbook("one_stop_cases", cases(6, unit="UBND xã An Thạnh Tây"), unit=COMMUNE, at=EARLY)
    registers.workbook("one_stop_cases", [*cases(3), ["sai"] * 7], unit="945", at=EARLY)
    registers.workbook("one_stop_cases", cases(8)[:1] + cases(8)[4:], unit="945", name="b.xlsx", at=LATE)
    registers.workbook("survey_responses", [["chỉ có chữ"]], at=EARLY)
    registers.workbook("plan_tasks", [["Kế hoạch", "Mã nhiệm vụ", "Đơn vị chủ trì"], ["Không phát sinh"]], at=EARLY)
    registers.ingest()
    names = ["one_stop_cases", "survey_responses", "plan_tasks", "decisions"]
    found = {(s.unit_code, s.source): s for s in status(registers.paths, ["945", COMMUNE], "2023-Q1", names)}
    states = {place: s.state for place, s in found.items()}
    assert states["945", "one_stop_cases"] == "delivered"
    assert states[COMMUNE, "one_stop_cases"] == "held"
    assert states["945", "survey_responses"] == "refused"
    assert states["945", "plan_tasks"] == "nothing_to_report"
    assert states["945", "decisions"] == "not_sent"
    cases_945 = found["945", "one_stop_cases"]
    assert (cases_945.files, cases_945.rows_rejected) == (2, 1)
    assert (cases_945.delivered_from, cases_945.delivered_to) == ("2023-03-15T08:00:00", "2023-03-16T08:00:00")
    assert found["945", "decisions"].delivered_to is None


def test_a_corrected_file_is_counted_among_the_superseded(home: Any) -> None:
    home.workbook("survey_responses", answers(1), at=EARLY)
    home.ingest()
    home.workbook("survey_responses", answers(2), at=LATE)
    home.ingest()
    (found,) = status(home.paths, ["945"], "2023-Q1", ["survey_responses"])
    assert (found.files, found.superseded) == (1, 1)

"""Which version of a file counts: what lies under its name now, whatever its time; and never one worth less.

Times of files are what a copy makes of them, so no test here may pass because of them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingestion import read_deliveries, status
from ingestion.deliveries import ledger

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
HEAD = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
PAST, FUTURE = dt.datetime(2001, 1, 1, tzinfo=LOCAL), dt.datetime(2099, 1, 1, tzinfo=LOCAL)
FOLDER = ("945", "2023-Q1", "survey_responses")
NOTHING = [HEAD, ["Không phát sinh"]]


def answers(*numbers: int, mark: str = "Hài lòng") -> list[list[Any]]:
    return [HEAD, *([f"P{n}", "Phiếu giấy", "10/01/2023", mark] for n in numbers)]


def rejected(*numbers: int) -> list[list[Any]]:
    return answers(*numbers, mark="không có trong danh mục")


def table(home: Any) -> dict[str, dict[str, Any]]:
    return {d["sha256"]: d for d in read_deliveries(home.paths).to_pylist()}


def counted(home: Any) -> set[str]:
    return {row["form_number"] for row in home.rows("survey_responses")}


# ------------------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize("moment", [PAST, FUTURE])
def test_a_correction_counts_whatever_its_time(home: Any, moment: dt.datetime) -> None:
    home.workbook("survey_responses", answers(1))
    home.ingest()
    home.workbook("survey_responses", answers(2), at=moment)
    home.ingest()
    assert counted(home) == {"P2"}
    home.workbook("survey_responses", answers(1), at=PAST)  # and the first content comes back
    home.ingest()
    assert counted(home) == {"P1"}
    assert home.delivery("survey_responses")["version"] == 3


def test_new_times_are_no_news(home: Any) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        home.workbook("survey_responses", answers(ord(name[0])), name=name)
    home.ingest()
    before = {p: p.read_bytes() for p in home.paths.raw.rglob("*") if p.is_file()}
    for path in home.paths.landing.rglob("*.xlsx"):
        home.touch(path, FUTURE)
    assert home.ingest().files_read == 0
    assert {p: p.read_bytes() for p in home.paths.raw.rglob("*") if p.is_file()} == before


RETIMED: dict[str, Callable[[int, float], float]] = {
    "copied now": lambda n, t: 1_900_000_000.0,
    "all equal": lambda n, t: 1_000_000_000.0,
    "reversed": lambda n, t: 4_000_000_000 - t,
    "unzipped": lambda n, t: t // 2 * 2,
    "checked out": lambda n, t: 1_900_000_000 + random.Random(n).random() * 5,
    "future": lambda n, t: t + 10**9,
}


@pytest.mark.parametrize("how", RETIMED)
def test_a_home_made_anew_from_a_retimed_landing_folder_has_the_same_lake_and_order(
    home: Any, tmp_path: Path, reference: Any, how: str
) -> None:
    for n, name in enumerate(["c.xlsx", "a.xlsx", "b.xlsx"]):
        home.workbook("survey_responses", answers(n, 10 + n), name=name, at=PAST + dt.timedelta(minutes=n))
        home.workbook("survey_responses", answers(n), name=name, quarter="2022-Q4", at=FUTURE)
    home.ingest("2022-Q4")
    home.ingest()
    other = type(home)(tmp_path / "other", reference)
    shutil.copytree(home.paths.landing, other.paths.landing)
    for n, path in enumerate(sorted(other.paths.landing.rglob("*.xlsx"))):
        moment = RETIMED[how](n, path.stat().st_mtime)
        os.utime(path, (moment, moment))
    other.ingest()
    other.ingest("2022-Q4")
    told = {"delivered_at"}
    mine, theirs = ([{k: v for k, v in d.items() if k not in told} for d in read_deliveries(one.paths).to_pylist()]
                    for one in (home, other))  # fmt: skip
    assert mine == theirs
    for layer in ("lake", "rejected", "findings"):
        folders = [one.paths.raw / layer for one in (home, other)]
        first, second = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*.parquet")} for f in folders)
        assert first == second


def test_the_folders_quarter_comes_before_the_time_of_arrival(home: Any) -> None:
    home.workbook("survey_responses", answers(1))
    home.ingest()
    home.workbook("survey_responses", answers(1, 2), quarter="2022-Q4", at=FUTURE)
    home.ingest("2022-Q4")
    ranks = {d["quarter"]: d["delivery_rank"] for d in read_deliveries(home.paths).to_pylist()}
    assert ranks["2022-Q4"] < ranks["2023-Q1"]


def test_what_came_in_a_later_look_is_later_and_what_came_together_is_not(home: Any) -> None:
    home.workbook("survey_responses", answers(1), name="b.xlsx", at=FUTURE)
    home.workbook("survey_responses", answers(2), name="c.xlsx")
    home.ingest()
    home.workbook("survey_responses", answers(3), name="a.xlsx", at=PAST)
    home.ingest()
    found = {d["file_name"]: d for d in read_deliveries(home.paths).to_pylist()}
    assert [found[n]["first_seen"] for n in ("b.xlsx", "c.xlsx", "a.xlsx")] == [1, 1, 2]
    assert max(found.values(), key=lambda d: d["delivery_rank"])["file_name"] == "a.xlsx"


def test_a_look_that_did_not_see_everything_tells_no_order(home: Any) -> None:
    home.workbook("survey_responses", answers(1), name="a.xlsx")
    waiting = home.workbook("survey_responses", answers(2), name="b.xlsx")
    note = waiting.with_name("b.xlsx.done")
    note.write_text("0" * 64)  # lies there, but is not whole yet
    assert [p.code for p in home.ingest().problems] == ["done_mismatch"]
    note.unlink()
    home.ingest()
    assert {d["file_name"]: d["first_seen"] for d in read_deliveries(home.paths).to_pylist()} == {
        "a.xlsx": 1,
        "b.xlsx": 1,
    }


def test_a_name_in_another_unicode_form_is_the_same_name(home: Any) -> None:
    home.workbook("survey_responses", answers(1), name="phiếu.xlsx")
    home.ingest()
    (home.paths.landing.joinpath(*FOLDER) / "phiếu.xlsx").unlink()
    home.workbook("survey_responses", answers(2), name="phie\u0302\u0301u.xlsx", at=PAST)
    home.ingest()
    assert counted(home) == {"P2"}
    home.workbook("survey_responses", answers(3), name="phiếu.xlsx")  # both lie there now
    assert [p.code for p in home.ingest().problems] == ["same_name"]
    assert counted(home) == {"P3"}


def test_a_ledger_that_ordered_by_times_keeps_its_order(home: Any) -> None:
    for numbers in ((1,), (2,)):
        home.workbook("survey_responses", answers(*numbers))
        home.ingest()
    for path in home.paths.ledger.glob("*.json"):
        data = json.loads(path.read_text())
        for name in ("rows_sha256", "mends", "mended", "seal"):
            del data[name]
        data["arrivals"] = [{k: a[k] for k in ("delivered_at", "file_name")} for a in data["arrivals"]]
        data["arrivals"][0]["delivered_at"] = "2023-03-0{}T08:00:00".format(1 if data["rows_accepted"] else 2)
        path.write_text(json.dumps(data))
    receipts = ledger.read_receipts(home.paths).values()
    assert sorted(a.version for r in receipts for a in r.arrivals) == [1, 2]
    home.workbook("survey_responses", answers(3), at=PAST)
    home.ingest()
    assert counted(home) == {"P3"}


# ------------------------------------------------------------------------------------------------- corrections refused

BAD: dict[str, list[list[Any]]] = {
    "no header": [["chỉ có chữ"]],
    "another quarter": [[*HEAD], *([f"P{n}", "Phiếu giấy", "10/10/2022", "Hài lòng"] for n in range(6))],
    "window of another quarter": [["Từ ngày 15/03/2023 đến ngày 14/06/2023"], *answers(1)],
    "mostly rejected": [*answers(7), *rejected(8, 9)[1:]],
    "all rejected": rejected(1, 2),
}


def correct(home: Any, rows: list[list[Any]] | None) -> None:
    if rows is None:
        (home.paths.landing.joinpath(*FOLDER) / "a.xlsx").write_bytes(b"")
    else:
        home.workbook("survey_responses", rows, at=FUTURE)
    home.ingest()


@pytest.mark.parametrize("bad", [*BAD, "empty file", "cut short"])
def test_a_bad_correction_does_not_oust_the_good_file_and_both_are_told(home: Any, bad: str) -> None:
    path = home.workbook("survey_responses", answers(1, 2, 3))
    home.ingest()
    good = home.delivery("survey_responses")
    if bad == "cut short":
        path.write_bytes(path.read_bytes()[:-400])
        home.ingest()
    else:
        correct(home, BAD.get(bad))
    assert counted(home) == {"P1", "P2", "P3"}
    (refused,) = [d for d in read_deliveries(home.paths).to_pylist() if d["counts_instead"]]
    assert (refused["counts_instead"], refused["is_current"]) == (good["delivery_id"], False)
    assert "vẫn được tính" in refused["note_vi"]
    assert "vẫn được tính" in home.delivery("survey_responses")["note_vi"]
    (told,) = status(home.paths, ["945"], "2023-Q1", ["survey_responses"])
    assert (told.state, told.corrections_refused, told.superseded) == ("delivered", 1, 0)
    workbooks = list(home.paths.outbox.rglob("*.xlsx"))
    assert [w.name for w in workbooks] == ["a.xlsx.rejected.xlsx"]
    before = workbooks[0].read_bytes()
    home.ingest()
    assert workbooks[0].read_bytes() == before
    correct(home, answers(4))  # and a good one takes the place of both
    assert counted(home) == {"P4"}
    assert not [d for d in read_deliveries(home.paths).to_pylist() if d["counts_instead"]]


def test_a_bad_file_is_replaced_by_one_that_is_no_worse(home: Any) -> None:
    for rows in (BAD["no header"], BAD["all rejected"], BAD["mostly rejected"], answers(5), NOTHING):
        correct(home, rows)
        assert not [d for d in read_deliveries(home.paths).to_pylist() if d["counts_instead"]]
    assert home.delivery("survey_responses")["outcome"] == "nothing_to_report"


def test_a_file_that_the_log_names_and_that_is_refused_replaces_nothing(home: Any) -> None:
    home.workbook("survey_responses", answers(1), name="a.xlsx")
    home.workbook("survey_responses", BAD["no header"], name="b.xlsx")
    home.workbook("survey_responses", answers(3), name="c.xlsx")
    log = home.paths.landing / "945" / "2023-Q1" / "delivery_log.csv"
    log.write_text("Nguồn,Tệp,Thay thế\nsurvey_responses,b.xlsx,a.xlsx\n", encoding="utf-8")
    home.ingest()
    assert counted(home) == {"P1", "P3"}
    log.write_text(
        "Nguồn,Tệp,Thay thế\nsurvey_responses,b.xlsx,a.xlsx\nsurvey_responses,c.xlsx,b.xlsx\n", encoding="utf-8"
    )
    home.touch(log, PAST)
    home.ingest()
    assert counted(home) == {"P3"}

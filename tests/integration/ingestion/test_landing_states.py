"""Half-written, misnamed and unreadable things in the landing folder: each has one clear outcome, the others go on."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ingestion.base.limits import IntakeLimits
from ingestion.deliveries import landing
from ingestion.deliveries.ledger import read_receipts

TASKS = [["Kế hoạch", "Mã nhiệm vụ", "Nội dung"], ["CCHC năm", "NV-1", "Rà soát"], ["CCHC năm", "NV-2", "Tập huấn"]]
QUICK = IntakeLimits(stability_seconds=0.3)


def codes(report: Any) -> dict[str, str]:
    return {Path(p.path).name: p.code for p in report.problems}


def seal(path: Path, rows: int | None = None, *, wrong: bool = False) -> Path:
    digest = hashlib.sha256(path.read_bytes() + (b"x" if wrong else b"")).hexdigest()
    done = path.with_name(path.name + ".done")
    done.write_text(json.dumps({"sha256": digest} | ({} if rows is None else {"rows": rows})), encoding="utf-8")
    return done


def test_a_done_file_that_matches_lets_the_delivery_in(home: Any) -> None:
    seal(home.csv("plan_tasks", TASKS), rows=2)
    report = home.ingest()
    assert not report.problems
    assert home.delivery("plan_tasks")["rows_accepted"] == 2


@pytest.mark.parametrize("form", ["{sha}  a.csv\n", "{sha} 2", "sha256: {sha}\nrows: 2\n", "\ufeff{sha}"])
def test_a_done_file_may_be_plain_text(home: Any, form: str) -> None:
    path = home.csv("plan_tasks", TASKS)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name("a.done").write_text(form.format(sha=digest), encoding="utf-8")
    assert not home.ingest().problems
    assert home.delivery("plan_tasks")["rows_accepted"] == 2


def test_a_delivery_that_does_not_match_its_done_file_waits_and_leaves_nothing_behind(home: Any) -> None:
    path = home.csv("plan_tasks", TASKS)
    done = seal(path, wrong=True)
    assert codes(home.ingest()) == {"a.csv": "done_mismatch"}
    assert not read_receipts(home.paths)
    assert not [p for p in home.paths.originals.rglob("*") if p.is_file()]
    done.unlink()
    seal(path)
    assert not home.ingest().problems
    assert home.delivery("plan_tasks")["rows_accepted"] == 2


def test_a_delivery_with_other_rows_than_its_done_file_says_is_refused(home: Any) -> None:
    path = home.workbook("plan_tasks", TASKS)
    done = seal(path, rows=3)
    home.ingest()
    found = home.delivery("plan_tasks")
    assert (found["outcome"], found["rows_read"]) == ("refused", 0)
    assert "3 dòng" in found["message_vi"]
    done.unlink()
    seal(path, rows=2)
    home.ingest()
    assert home.delivery("plan_tasks")["outcome"] == "accepted"


def test_a_done_file_alone_waits_and_one_without_a_hash_holds_its_delivery(home: Any) -> None:
    home.place("plan_tasks", "b.xlsx.done").write_text("0" * 64)
    path = home.csv("plan_tasks", TASKS)
    path.with_name("a.csv.done").write_text("xong")
    assert codes(home.ingest()) == {"b.xlsx.done": "waiting", "a.csv.done": "bad_done"}
    assert not read_receipts(home.paths)


def test_a_done_file_vouches_for_a_csv_without_its_last_line_end(home: Any) -> None:
    path = home.csv("plan_tasks", TASKS)
    path.write_bytes(path.read_bytes().rstrip(b"\r\n"))
    home.touch(path)
    home.ingest()
    assert home.delivery("plan_tasks")["outcome"] == "refused"
    seal(path)
    home.ingest()
    assert home.delivery("plan_tasks")["rows_accepted"] == 2


def test_a_file_that_grows_between_two_looks_is_not_read(home: Any) -> None:
    path = home.csv("plan_tasks", TASKS)
    os.utime(path)
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.05):
            with path.open("ab") as file:
                file.write(b"CCHC n\xc4\x83m,NV-3,x\r\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert codes(home.ingest(limits=QUICK)) == {"a.csv": "unfinished"}
    finally:
        stop.set()
        writer.join()
    assert not read_receipts(home.paths)


def test_old_files_are_not_waited_for(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home.csv("plan_tasks", TASKS)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"slept {seconds} s"))
    home.ingest()


HOSTILE_NAMES = [
    "..\\..\\a.csv",
    "a\nb.csv",
    "a\x1b[2J.csv",
    "\u202efdp.csv",
    "a\u200b.csv",
    "x" * 240 + ".csv",
    "ệ" * 80 + ".csv",
    "\x7f.csv",
    "a\tb.csv",
    "-rf.csv",
    "=cmd|'!A0.csv",
    "CON.csv",
]


def test_hostile_names_write_nothing_outside_and_stop_nobody(home: Any, tmp_path: Path) -> None:
    for number, name in enumerate(HOSTILE_NAMES):
        path = home.csv("plan_tasks", [TASKS[0], ["CCHC năm", f"NV-{number}", "Rà soát"]], name=name)
        assert path.exists()
    undecodable = os.fsencode(home.place("plan_tasks", "x")) + b"\xff.csv"
    Path(os.fsdecode(undecodable)).write_bytes(b"a,b\r\n")
    home.csv("plan_tasks", TASKS, name="good.csv")
    report = home.ingest()
    assert sum(p.code == "bad_name" for p in report.problems) == 10
    assert {r.file_name for r in read_receipts(home.paths).values()} == {*HOSTILE_NAMES[-3:], "good.csv"}
    for problem in report.problems:
        assert problem.path.isprintable()
        problem.path.encode()
    assert {p.name for p in tmp_path.iterdir()} <= {"landing", "raw", "rejected"}


def test_what_is_no_plain_file_is_told_at_once(home: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a")
    home.place("plan_tasks", "link.csv").symlink_to(secret)
    os.mkfifo(home.place("plan_tasks", "pipe.csv"))
    os.mkfifo(home.place("plan_tasks", "good.csv.done"))
    home.place("plan_tasks", "folder.xlsx").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        place = home.place("plan_tasks", "s.csv")
        folder = os.getcwd()
        os.chdir(place.parent)
        try:
            listener.bind("s.csv")
        finally:
            os.chdir(folder)
        home.csv("plan_tasks", TASKS, name="good.csv")
        home.csv("plan_tasks", TASKS, name="fine.csv")
        started = time.monotonic()
        report = home.ingest()
        assert time.monotonic() - started < 20
    expected = dict.fromkeys(("link.csv", "pipe.csv", "folder.xlsx", "s.csv"), "not_a_file")
    assert codes(report) == expected | {"good.csv.done": "bad_done"}
    assert home.delivery("plan_tasks")["file_name"] == "fine.csv"


def test_a_link_that_takes_a_files_place_after_the_scan_is_not_followed(home: Any, tmp_path: Path) -> None:
    path = home.csv("plan_tasks", TASKS)
    file = landing.LandingFile("945", "2023-Q1", "plan_tasks", "a.csv", path)
    path.unlink()
    path.symlink_to(tmp_path / "secret.csv")
    problem = landing.keep_original(home.paths, file)
    assert isinstance(problem, landing.LandingProblem)
    assert problem.code == "not_a_file"


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.EACCES, "not_readable"), (errno.EIO, "not_readable"), (errno.ENOENT, "not_readable")],
)
def test_a_file_that_cannot_be_opened_is_named_and_the_others_go_on(
    home: Any, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    home.csv("plan_tasks", TASKS, name="closed.csv")
    home.csv("plan_tasks", [TASKS[0], ["CCHC năm", "NV-9", "Khác"]], name="open.csv")
    real = os.open

    def refuse(path: Any, *args: Any, **kwargs: Any) -> int:
        if str(path).endswith("closed.csv"):
            raise OSError(number, os.strerror(number), str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(landing.os, "open", refuse)
    assert codes(home.ingest()) == {"closed.csv": code}
    assert [r["task_code"] for r in home.rows("plan_tasks")] == ["NV-9"]


def test_a_folder_that_cannot_be_listed_is_named_and_the_others_go_on(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.csv("plan_tasks", TASKS)
    home.place("survey_responses", "x.csv").write_text("a")
    home.forbid_listing("survey_responses", monkeypatch)
    assert codes(home.ingest()) == {"survey_responses": "not_readable"}
    assert home.delivery("plan_tasks")["rows_accepted"] == 2


def test_a_disk_that_fills_up_while_a_file_is_kept_loses_nothing(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home.csv("plan_tasks", TASKS, name="a.csv")
    home.csv("plan_tasks", [TASKS[0], ["CCHC năm", "NV-9", "Khác"]], name="b.csv")
    real = landing._place_copy
    failed: list[str] = []

    def full(source: int, before: Any, paths: Any, file: Any) -> str:
        if not failed:
            failed.append(file.file_name)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, before, paths, file)

    monkeypatch.setattr(landing, "_place_copy", full)
    assert codes(home.ingest()) == {"a.csv": "disk_full"}
    assert [r["task_code"] for r in home.rows("plan_tasks")] == ["NV-9"]
    assert not list(home.paths.originals.glob(".copy-*"))
    assert not home.ingest().problems
    assert {r["task_code"] for r in home.rows("plan_tasks")} == {"NV-1", "NV-2", "NV-9"}


def test_a_disk_that_fills_up_while_rows_are_written_is_told_and_made_good(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion.base import lake

    home.csv("plan_tasks", TASKS)
    real = lake.write_rows

    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lake, "write_rows", full)
    assert codes(home.ingest()) == {"a.csv": "disk_full"}
    monkeypatch.setattr(lake, "write_rows", real)
    assert not home.ingest().problems
    assert home.delivery("plan_tasks")["rows_accepted"] == 2

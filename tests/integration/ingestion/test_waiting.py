"""A file that lies in the landing folder and was not read: it waits, and nobody says that it was not sent."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from ingestion import check_store, engine, read_deliveries, status, waiting_files
from ingestion.base import lake
from ingestion.deliveries import landing, ledger, readings
from tests.conftest import run_cli

TASKS = [["Kế hoạch", "Mã nhiệm vụ", "Nội dung"], ["CCHC năm", "NV-1", "Rà soát"], ["CCHC năm", "NV-2", "Tập huấn"]]
PERSON = "Nguyễn Văn A, 0912345678"
OTHERS = [TASKS[0], ["CCHC năm", "NV-9", "Khác"]]


def waiting(home: Any) -> list[str]:
    return [file.file_name for file in waiting_files(home.paths, ["2023-Q1"], home.reference)]


def state(home: Any) -> tuple[str, tuple[str, ...]]:
    found = waiting_files(home.paths, ["2023-Q1"], home.reference)
    (told,) = status(home.paths, ["945"], "2023-Q1", ["plan_tasks"], found)
    return told.state, told.waiting


def _full(*args: Any, **kwargs: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (landing, "_place_copy"),  # while the original is kept
        (ledger, "write_receipt"),  # while its arrival is noted
        (lake, "write_rows"),  # while its rows are written
        (lake, "write_empty_schemas"),  # before anything was looked at
        (ledger, "rebuild_deliveries"),  # when all was read, and before it counts
    ],
)
def test_where_the_disk_fills_up_the_file_waits_until_it_is_read(
    home: Any, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    home.csv("plan_tasks", TASKS)
    assert (waiting(home), state(home)) == (["a.csv"], ("not_read", ("a.csv",)))
    with monkeypatch.context() as broken:
        broken.setattr(module, name, _full)
        with suppress(OSError):  # where not even a receipt can be written, the run ends
            home.ingest()
    assert (waiting(home), state(home)) == (["a.csv"], ("not_read", ("a.csv",)))
    assert not home.ingest().problems
    assert (waiting(home), state(home)) == ([], ("delivered", ()))


def test_a_lost_table_of_deliveries_makes_nobody_one_who_sent_nothing(home: Any) -> None:
    home.csv("plan_tasks", TASKS)
    home.ingest()
    home.paths.deliveries.unlink()
    assert (waiting(home), state(home)) == (["a.csv"], ("not_read", ("a.csv",)))
    home.ingest()
    assert (waiting(home), state(home)) == ([], ("delivered", ()))


@pytest.mark.parametrize("was_read_before", [False, True])
def test_a_file_over_which_the_program_breaks_waits_and_stops_no_other(
    home: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, was_read_before: bool
) -> None:
    """Whatever raises, on the first reading or on one by newer rules: what it says may quote a person."""
    home.csv("plan_tasks", TASKS)
    home.csv("plan_tasks", OTHERS, unit="946")
    if was_read_before:
        home.ingest()
        monkeypatch.setattr(engine, "INGEST_VERSION", engine.INGEST_VERSION + 1)
    with monkeypatch.context() as broken:
        read = readings.read_delivery

        def break_over(original: Any, suffix: str, identity: Any, *rest: Any, **named: Any) -> Any:
            if identity.unit_code == "945":
                raise ValueError(PERSON)
            return read(original, suffix, identity, *rest, **named)

        broken.setattr(readings, "read_delivery", break_over)
        report = home.ingest()
        assert [(p.path, p.code) for p in report.problems] == [("945/2023-Q1/plan_tasks/a.csv", "program_fault")]
        assert [(d.unit_code, d.outcome) for d in report.deliveries] == [("946", "accepted")]
        assert "ValueError" in report.problems[0].message_vi
        assert "break_over" in caplog.text
        assert PERSON not in caplog.text + str(report)
        check_store(home.paths)
        assert (waiting(home), state(home)) == (["a.csv"], ("not_read", ("a.csv",)))
        assert [d["unit_code"] for d in read_deliveries(home.paths).to_pylist()] == ["946"]
        # Out of the folder it is still unread, and was sent.
        home.place("plan_tasks", "a.csv").unlink()
        assert (waiting(home), state(home)) == (["a.csv"], ("not_read", ("a.csv",)))
    assert not home.ingest().problems
    assert (waiting(home), state(home)) == ([], ("delivered", ()))


def test_a_correction_that_was_not_read_waits_beside_the_version_that_counts(home: Any) -> None:
    home.csv("plan_tasks", TASKS)
    home.ingest()
    home.csv("plan_tasks", OTHERS)
    assert (waiting(home), state(home)) == (["a.csv"], ("delivered", ("a.csv",)))
    home.ingest()
    home.csv("plan_tasks", TASKS)  # the first content once more: what lies under the name is what counts
    assert waiting(home) == ["a.csv"]
    home.ingest()
    assert waiting(home) == []


def _without_rights(home: Any, patch: pytest.MonkeyPatch) -> None:
    home.forbid_listing("plan_tasks", patch)


def _linked(home: Any, patch: pytest.MonkeyPatch) -> None:
    path = home.place("plan_tasks", "a.csv")
    elsewhere = home.paths.landing.parent / "elsewhere.csv"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def _sealed_for_another(home: Any, patch: pytest.MonkeyPatch) -> None:
    home.place("plan_tasks", "a.csv.done").write_text("0" * 64)


@pytest.mark.parametrize(
    ("hinder", "named"),
    [(_without_rights, "(cả thư mục)"), (_linked, "a.csv"), (_sealed_for_another, "a.csv")],
)
def test_what_cannot_be_taken_in_was_sent_all_the_same(
    home: Any, monkeypatch: pytest.MonkeyPatch, hinder: Callable[[Any, pytest.MonkeyPatch], None], named: str
) -> None:
    home.csv("plan_tasks", TASKS)
    hinder(home, monkeypatch)
    home.ingest()
    assert state(home) == ("not_read", (named,))


def test_what_was_read_refused_copied_anew_or_is_no_delivery_does_not_wait(home: Any) -> None:
    home.csv("plan_tasks", TASKS)
    home.csv("plan_tasks", TASKS, name="the same.csv")
    home.place("plan_tasks", "no table.csv").write_text("không có gì")
    home.ingest()
    os.utime(home.place("plan_tasks", "a.csv"))
    home.place("plan_tasks", "~$a.xlsx").write_text("lock")
    home.place("plan_tasks", "half.csv.part").write_text("a")
    home.place("plan_tasks", "alone.done").write_text("0" * 64)
    home.place("plan_tasks", "folder").mkdir()
    home.csv("plan_tasks", TASKS, quarter="2022-Q4")
    assert waiting(home) == []


def test_status_says_that_the_file_is_there_and_was_not_read(home: Any) -> None:
    home.csv("plan_tasks", TASKS)
    told = run_cli(home.paths.landing.parent, "status", "2023-Q1")
    lines = [line.strip() for line in told.stdout.splitlines() if " plan_tasks: " in line]
    assert lines == ["945 plan_tasks: đã có tệp nhưng chưa đọc được, tệp chưa đọc: a.csv"]
    assert "945 survey_responses: chưa gửi" in told.stdout

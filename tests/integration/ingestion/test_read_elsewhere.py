"""Deliveries that other processes read come to what they come to here; what breaks there is told as here."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion import IngestPaths, Intake, Reading, answered, ingest_quarters, load_contracts, made_of_sent, sent
from ingestion.engine import source_order

KEY = b"a key for tests, 32 bytes long.."
TASKS = [["Kế hoạch", "Mã nhiệm vụ", "Nội dung"], ["CCHC năm", "NV-1", "Rà soát"], ["CCHC năm", "NV-2", "Tập huấn"]]
QUARTERS = ["2022-Q4", "2023-Q1"]


class Elsewhere:
    """Two processes that know nothing but what they are sent; counts what it was asked.

    What a unit ``breaks_at`` delivered is sent without what it is read by.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.breaks_at = ""
        self.pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))

    def __call__(self, readings: Sequence[Reading]) -> list[Intake | Exception]:
        self.asked += len(readings)
        spoilt: Any = {"context": None}
        contents = [sent(replace(r, **spoilt) if r.identity.unit_code == self.breaks_at else r) for r in readings]
        return [answered(content) for content in self.pool.map(made_of_sent, contents)]


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere()
    yield made
    made.pool.shutdown()


def _taken_in(home: Any, readers: Elsewhere | None) -> dict[str, bytes]:
    """Everything that intake keeps of the sample, by path."""
    for source in source_order(load_contracts()):
        reports = ingest_quarters(
            home.paths, source, QUARTERS, reference=home.reference, secret_key=KEY, readers=readers
        )
        assert not [problem for report in reports.values() for problem in report.problems]
    return {str(p.relative_to(home.paths.raw)): p.read_bytes() for p in home.paths.raw.rglob("*") if p.is_file()}


def test_the_sample_is_the_same_files_by_whomever_it_was_read(
    home: Any, sample_landing: Path, elsewhere: Elsewhere
) -> None:
    shutil.copytree(sample_landing, home.paths.landing, dirs_exist_ok=True)
    here = _taken_in(home, None)
    assert len(here) > 100
    shutil.rmtree(home.paths.raw)
    there = _taken_in(home, elsewhere)
    assert elsewhere.asked > 20
    assert there.keys() == here.keys()
    assert [name for name in here if here[name] != there[name]] == []


def test_a_single_delivery_is_read_here(home: Any, elsewhere: Elsewhere) -> None:
    home.csv("plan_tasks", TASKS)
    _ingest(home, elsewhere)
    assert elsewhere.asked == 0


def test_a_delivery_over_which_the_program_breaks_elsewhere_is_told_and_stops_no_other(
    home: Any, elsewhere: Elsewhere, caplog: pytest.LogCaptureFixture
) -> None:
    home.csv("plan_tasks", TASKS)
    home.csv("plan_tasks", TASKS, unit="946")
    elsewhere.breaks_at = "945"
    report = _ingest(home, elsewhere)
    assert [(p.path, p.code) for p in report.problems] == [("945/2023-Q1/plan_tasks/a.csv", "program_fault")]
    assert [(d.unit_code, d.outcome) for d in report.deliveries] == [("946", "accepted")]
    assert "read_delivery" in caplog.text, "the log says where it broke, in the other process"


def test_what_keeps_all_from_being_read_ends_the_intake_and_leaves_no_delivery_half_told(home: Any) -> None:
    home.csv("plan_tasks", TASKS)
    home.csv("plan_tasks", TASKS, unit="946")

    def gone(readings: Sequence[Reading]) -> list[Intake | Exception]:
        raise ConnectionError("nobody answers")

    with pytest.raises(ConnectionError):
        _ingest(home, gone)
    report = _ingest(home, None)
    assert not report.problems
    assert [d.outcome for d in report.deliveries] == ["accepted", "accepted"]


def _ingest(home: Any, readers: Any) -> Any:
    paths: IngestPaths = home.paths
    found = ingest_quarters(paths, "plan_tasks", ["2023-Q1"], reference=home.reference, secret_key=KEY, readers=readers)
    return found["2023-Q1"]

"""What a whole run of the sample leaves of itself: a record, its verdicts, tables, a page, figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations import load_verdict
from orchestration.history import Entry, entries, verdict_of
from orchestration.settings import Settings
from tests.pipeline.conftest import QUARTER, UNIT


@pytest.fixture(scope="module")
def settings(published_home: Path) -> Settings:
    return Settings(home=published_home)


@pytest.fixture(scope="module")
def entry(settings: Settings) -> Entry:
    """The record of the run that made the shared home."""
    return entries(settings.paths)[0]


def test_the_record_says_what_the_run_was_and_came_to(entry: Entry) -> None:
    assert (entry.asked, entry.by, entry.quarter) == ("run", "cchc", QUARTER)
    assert (entry.ended, entry.exit_code, entry.broken) == ("done", 0, {})
    stages = {"mend", "imports", "definitions", "ingest", "gate_raw", "dbt", "candidates", "gate_marts", "publish"}
    assert entry.stages.keys() == stages
    assert entry.seconds is not None
    assert sum(entry.stages.values()) <= entry.seconds
    assert entry.published == [f"{UNIT}/{QUARTER}/r1"]
    assert entry.units[0].decisions > 0
    assert entry.units[0].waived > 0
    assert entry.units[0].blocking == 0


def test_rows_and_space_are_what_lies_in_the_home(entry: Entry, settings: Settings) -> None:
    (expected,) = duckdb.sql(
        "select count(*), sum(rows_read), sum(rows_accepted), sum(rows_rejected) "
        f"from '{settings.paths.raw}/deliveries.parquet' where quarter = '{QUARTER}'"
    ).fetchall()
    assert entry.intake is not None
    found = (entry.intake.files, entry.intake.rows_read, entry.intake.rows_accepted, entry.intake.rows_rejected)
    assert found == expected
    assert entry.space is not None
    size = sum(path.stat().st_size for path in settings.paths.published.rglob("*") if path.is_file())
    assert size * 0.9 < entry.space.used["published"] < size * 2


def test_the_verdicts_of_the_run_are_kept(entry: Entry, settings: Settings) -> None:
    stored = settings.paths.warehouse / "verdicts" / UNIT / QUARTER
    kept = [verdict_of(settings.paths, digest) for digest in entry.units[0].verdicts.values()]
    assert sorted(verdict.stage for verdict in kept) == ["mart", "raw"]
    for verdict in kept:
        assert verdict == load_verdict(stored / f"{verdict.stage}-{verdict.subject_hash}.json")


def test_nothing_that_is_shown_was_delivered(settings: Settings) -> None:
    """Names of files are the senders'; a record has codes, counts and names of offices."""
    files = {path.name for path in settings.paths.landing.rglob("*") if path.is_file()}
    shown = [
        path.read_text(encoding="utf-8")
        for folder in (settings.paths.run_records, settings.paths.history, settings.metrics_path().parent)
        for path in folder.glob("*")
        if path.suffix in (".json", ".html", ".prom")
    ]
    assert len(shown) > 2
    assert files
    assert not [name for text in shown for name in files if name in text]


def test_the_command_and_the_tables_say_the_same(cli: Callable[..., Any], entry: Entry, settings: Settings) -> None:
    (run,) = json.loads(cli(settings.home, "history", "--last", "1", "--unit", UNIT, "--json").stdout)["runs"]
    assert (run["run_id"], run["published"]) == (entry.run_id, entry.published)
    table = duckdb.sql(f"select run_id, seconds, published from '{settings.paths.history}/runs.parquet'").fetchall()
    assert table[0] == (entry.run_id, entry.seconds, entry.published)

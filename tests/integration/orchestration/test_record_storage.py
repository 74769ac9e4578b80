"""Where Dagster keeps its runs: the quick way into its own databases, and PostgreSQL in their place."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from orchestration.automation import automation
from orchestration.doctor import run_records
from orchestration.instance import open_instance
from orchestration.record_storage import quick_records
from orchestration.settings import Settings
from tests.support.postgres import PASSWORD, PostgresServer


@dg.asset
def one() -> dg.MaterializeResult[Any]:
    return dg.MaterializeResult(metadata={"rows": 1})


@dg.asset(deps=[one])
def two() -> None:
    raise RuntimeError("meant to fail")


def _materialize(settings: Settings) -> str:
    with open_instance(settings) as instance:
        return dg.materialize([one, two], instance=instance, raise_on_error=False).run_id


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    settings.paths.create()
    return settings


def _recorded(settings: Settings, run_id: str) -> tuple[list[str], Any, Any]:
    with open_instance(settings) as instance:
        logged = instance.all_logs(run_id)
        events = [str(entry.dagster_event.event_type_value) for entry in logged if entry.dagster_event]
        latest = instance.get_latest_materialization_event(one.key)
        assert latest is not None
        assert latest.asset_materialization is not None
        run = instance.get_run_by_id(run_id)
        assert run is not None
        return events, latest.asset_materialization.metadata, run.status


def test_the_records_of_a_run_are_the_same_either_way(settings: Settings) -> None:
    with quick_records():
        quick = _materialize(settings)
    slow = _materialize(settings)
    assert _recorded(settings, quick) == _recorded(settings, slow)
    assert _recorded(settings, quick)[2] is dg.DagsterRunStatus.FAILURE


def test_databases_keep_their_write_ahead_log_and_are_closed_after(settings: Settings) -> None:
    with quick_records():
        _materialize(settings)
        logs = list(settings.paths.dagster.rglob("*.db-wal"))
    assert logs, "no database was held open in write-ahead mode: each commit empties the log"
    assert not [log for log in logs if log.exists()], "a connection was left open"
    for path in settings.paths.dagster.rglob("*.db"):
        with sqlite3.connect(path) as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_connections_are_opened_as_before_once_it_is_over(settings: Settings) -> None:
    def waits_for_the_disk() -> int:
        with open_instance(settings) as instance, instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
            return int(connection.execute(sa.text("pragma synchronous")).scalar_one())

    full, normal = 2, 1
    with quick_records():
        assert waits_for_the_disk() == normal
    assert waits_for_the_disk() == full


def test_a_database_that_is_set_aside_meanwhile_is_not_written_to(settings: Settings) -> None:
    with quick_records():
        before = _materialize(settings)
        aside = settings.home / "aside"
        (settings.paths.dagster / "history").rename(aside)
        files = {path: path.read_bytes() for path in aside.rglob("*.db*")}
        after = _materialize(settings)
        assert {path: path.read_bytes() for path in aside.rglob("*.db*")} == files
    with open_instance(settings) as instance:
        assert [run.run_id for run in instance.get_runs()] == [after] != [before]


def test_threads_record_beside_each_other(settings: Settings) -> None:
    names = [f"part {n}" for n in range(40)]
    with quick_records(), ThreadPoolExecutor(4) as threads, open_instance(settings) as instance:
        list(threads.map(lambda name: instance.add_dynamic_partitions("parts", [name]), names))
        assert all(threads.map(lambda name: instance.has_dynamic_partition("parts", name), names))
        assert sorted(instance.get_dynamic_partitions("parts")) == sorted(names)


def test_runs_and_ticks_are_kept_in_postgresql_and_its_password_in_no_file(
    settings: Settings, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCHC_DAGSTER_POSTGRES_URL", "")  # taken back after the test
    kept = Settings(home=settings.home, dagster_postgres_url=SecretStr(postgres_server.new_url()))
    run_id = _materialize(kept)
    with open_instance(kept) as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert run.status is dg.DagsterRunStatus.FAILURE
        materialization = instance.get_latest_materialization_event(dg.AssetKey("one"))
        assert materialization is not None
        assert instance.all_instigator_state() == []
    assert automation(kept).unreadable is None
    assert [finding.state for finding in run_records(kept)] == ["ok"]
    gone = Settings(home=settings.home, dagster_postgres_url=SecretStr("postgresql+psycopg2://u:p@127.0.0.1:9/none"))
    assert automation(gone).unreadable == "ConnectionError: PostgreSQL: OperationalError"
    assert [finding.state for finding in run_records(gone)] == ["broken"]
    assert list(settings.paths.dagster.rglob("*.db")) == []
    for file in settings.paths.dagster.rglob("*"):
        assert not file.is_file() or quote(PASSWORD).encode() not in file.read_bytes()

"""Dagster's SQLite databases through engines that are kept: the same events, however many runs."""

from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log.sqlite import sqlite_event_log

from orchestration.instance import open_instance
from orchestration.record_storage import KeptEngines
from orchestration.settings import Settings


@dg.op
def says(context: dg.OpExecutionContext) -> None:
    context.log.info("said")


@dg.job(executor_def=dg.in_process_executor)
def one_step() -> None:
    says()


def test_runs_are_recorded_whole_through_an_engine_a_database(tmp_path: Path) -> None:
    with open_instance(Settings(home=tmp_path / "home")) as instance:
        engines = sqlite_event_log.create_engine
        assert isinstance(engines, KeptEngines)
        before = engines.made
        runs = [one_step.execute_in_process(instance=instance).run_id for _ in range(20)]
        made = engines.made - before
        logs = [[entry.user_message for entry in instance.all_logs(run)] for run in runs]
    assert all(log.count("said") == 1 for log in logs)
    assert len({len(log) for log in logs}) == 1
    # Each run's database and the index; each holds some thirty events.
    assert made <= len(runs) + 1


def test_a_database_made_anew_at_the_same_place_is_used(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with open_instance(settings) as instance:
        first = one_step.execute_in_process(instance=instance).run_id
    for path in settings.paths.dagster.rglob("*.db*"):
        path.unlink()
    with open_instance(settings) as instance:
        second = one_step.execute_in_process(instance=instance).run_id
        assert [run.run_id for run in instance.get_runs()] == [second]
        assert not instance.all_logs(first)
        assert instance.all_logs(second)

"""However a run ends, its record says how: by its outcomes, an error, a signal, or by the next run after a kill."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, PARTITION_NAME_TAG, WILL_RETRY_TAG

from ingestion import IngestReport
from orchestration import recording
from orchestration.aftermath import make_up_if_free
from orchestration.cli.runs import Stage, open_pipeline
from orchestration.cli.terminal import WrongUse
from orchestration.history import Asked, Entry, entries, verdict_of
from orchestration.instance import open_instance
from orchestration.locks import WarehouseHeld, one_run_at_a_time
from orchestration.outcomes import Outcome
from orchestration.pipeline import Pipeline
from orchestration.recording import recorded
from orchestration.retention import prune_dagster
from orchestration.settings import Settings
from orchestration.telling import tell_failure, tell_provinces, tell_run
from tests.conftest import run_cli
from tests.support.run_records import verdict

UNIT, QUARTER = "945", "2023-Q1"
_SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path / "home")
    made.paths.create()
    return made


def _run(
    settings: Settings, work: Callable[[Pipeline], Any], asked: Asked = "run", quarter: str = QUARTER, **options: Any
) -> Entry:
    """Records a run that does this work, and returns its record; the work's error, if any, has come through."""
    pipeline = Pipeline(settings)
    pipeline.record.units = (UNIT,)
    with one_run_at_a_time(settings.paths.lock, "run", print), recorded(pipeline, quarter, asked, "dagster", **options):
        work(pipeline)
    (entry,) = (entry for entry in entries(settings.paths) if entry.run_id == pipeline.record.run_id)
    return entry


def _broken(settings: Settings, error: BaseException, **options: Any) -> list[Entry]:
    def breaks(pipeline: Pipeline) -> None:
        raise error

    with pytest.raises(type(error)):
        _run(settings, breaks, **options)
    return entries(settings.paths)


def _publishes(pipeline: Pipeline) -> None:
    folder = pipeline.home.published / UNIT / QUARTER / "r1"
    pipeline.record.add_verdicts({UNIT: verdict(1)})
    pipeline.record.outcomes[UNIT] = Outcome(UNIT, str(folder), changed=True)
    pipeline.record.intake["one_stop_cases"] = [IngestReport(QUARTER, (), ())]
    with pipeline.timings.stage("publish"):
        pass


def test_a_run_of_the_server_is_judged_by_what_it_came_to(settings: Settings) -> None:
    entry = _run(settings, _publishes)
    assert (entry.ended, entry.exit_code, entry.by, entry.quarter) == ("done", 0, "dagster", QUARTER)
    assert entry.published == ["945/2023-Q1/r1"]
    assert entry.units_asked == (UNIT,)
    assert list(entry.stages) == ["publish"]
    assert entry.seconds is not None
    assert entry.ended_at is not None
    assert entry.started_at <= entry.ended_at
    (unit,) = entry.units
    assert (unit.findings, unit.waived, unit.decisions, unit.rules_failed) == (2, 1, 1, 1)
    assert verdict_of(settings.paths, unit.verdicts["raw"]) == verdict(1)
    assert entry.space is not None
    assert {"raw", "published", "logs"} <= entry.space.used.keys()
    assert entry.peak_memory is not None
    assert 2**20 < entry.peak_memory < 2**40


def test_a_unit_that_a_gate_holds_back_ends_the_run_with_1(settings: Settings) -> None:
    entry = _run(settings, lambda pipeline: pipeline.record.add_verdicts({UNIT: verdict(1)}))
    assert (entry.ended, entry.exit_code, entry.held, entry.published) == ("held_back", 1, [UNIT], [])
    assert entry.units[0].blocking == 1


def test_a_broken_step_ends_the_run_with_3(settings: Settings) -> None:
    entry = _run(settings, lambda pipeline: pipeline.record.broken.update(dbt_models="DbtError"))
    assert (entry.ended, entry.exit_code, entry.broken) == ("failed", 3, {"dbt_models": "DbtError"})


@pytest.mark.parametrize("asked", ["ingest", "build", "part"])
def test_a_stage_that_judges_no_unit_is_done_where_nothing_broke(settings: Settings, asked: Asked) -> None:
    entry = _run(settings, lambda pipeline: None, asked)
    assert (entry.ended, entry.exit_code, entry.units) == ("done", 0, ())


def _tells_its_units(pipeline: Pipeline) -> None:
    _publishes(pipeline)
    tell_run(pipeline, QUARTER, [], "lượt")


def _finds_that_all_stands(pipeline: Pipeline) -> None:
    pipeline.record.outcomes[UNIT] = Outcome(UNIT, str(pipeline.home.published / UNIT / QUARTER / "r1"))
    tell_provinces(pipeline, QUARTER, [], "lượt")


def _breaks_at_its_last_step(pipeline: Pipeline) -> None:
    _tells_its_units(pipeline)
    pipeline.record.broken["provinces"] = "OSError"
    tell_failure(pipeline.settings, QUARTER, pipeline.record.run_id, [], "hỏng")


def test_a_run_that_breaks_is_told_once_until_a_whole_one_came_to_its_end(settings: Settings) -> None:
    """What it came to before the step that broke says nothing of that step."""

    def failures() -> int:
        lines = settings.alerts_path().read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["kind"] for line in lines].count("run_failed")

    for _ in range(2):
        _run(settings, _breaks_at_its_last_step)
    assert failures() == 1
    _run(settings, lambda pipeline: None, "ingest")
    _run(settings, _breaks_at_its_last_step)
    assert failures() == 1
    _run(settings, _finds_that_all_stands)
    _run(settings, _breaks_at_its_last_step)
    assert failures() == 2


def test_the_commands_own_exit_code_counts(settings: Settings) -> None:
    def says(pipeline: Pipeline) -> None:
        _publishes(pipeline)
        pipeline.record.exit_code = 1  # a copy in PostgreSQL that was not made

    assert (_run(settings, says).ended, _run(settings, says).exit_code) == ("held_back", 1)


@pytest.mark.parametrize(
    ("error", "ended", "code"),
    [
        (RuntimeError("HS-01 Nguyễn Văn A"), "failed", 3),
        (OSError(errno.ENOSPC, "full"), "failed", 3),
        (WarehouseHeld("đang mở"), "failed", 1),
        (SystemExit(3), "failed", 3),
        (KeyboardInterrupt(), "interrupted", 130),
    ],
)
def test_a_run_that_breaks_outside_its_steps_is_recorded_without_words_that_may_quote(
    settings: Settings, error: BaseException, ended: str, code: int
) -> None:
    (entry,) = _broken(settings, error)
    assert (entry.ended, entry.exit_code) == (ended, code)
    assert entry.broken == ({} if ended == "interrupted" else {"": type(error).__name__})
    (path,) = settings.paths.run_records.glob("*.json")
    assert "Nguyễn" not in path.read_text(encoding="utf-8")


def test_a_run_that_is_ended_in_the_browser_was_interrupted(settings: Settings) -> None:
    entry = _run(settings, lambda pipeline: None, interrupted=lambda: 143)
    assert (entry.ended, entry.exit_code) == ("interrupted", 143)


def test_a_signal_that_came_when_all_was_done_changes_nothing(settings: Settings) -> None:
    def done(pipeline: Pipeline) -> None:
        pipeline.record.exit_code = 0

    assert _run(settings, done, interrupted=lambda: 143).ended == "done"


def test_wrong_use_is_no_run(settings: Settings) -> None:
    assert _broken(settings, WrongUse("no"), no_run=(WrongUse,)) == []
    with (
        pytest.raises(WrongUse),
        open_pipeline(settings, Stage.BUILD, QUARTER, quiet=True),
    ):
        raise WrongUse("no such unit")
    assert entries(settings.paths) == []


def test_a_run_that_dagster_closes_is_still_judged(settings: Settings) -> None:
    def resource() -> Iterator[None]:
        pipeline = Pipeline(settings)
        pipeline.record.units = (UNIT,)
        with recorded(pipeline, QUARTER, "run", "dagster"):
            _publishes(pipeline)
            yield

    opened = resource()
    next(opened)
    assert [entry.ended for entry in entries(settings.paths)] == ["running"]
    opened.close()  # type: ignore[attr-defined]
    assert [entry.ended for entry in entries(settings.paths)] == ["done"]


def test_a_command_for_a_quarter_without_deliveries_is_recorded(settings: Settings) -> None:
    assert run_cli(settings.home, "ingest", QUARTER).code == 1
    assert run_cli(settings.home, "run", QUARTER).code == 1
    found = [(entry.asked, entry.by, entry.ended, entry.exit_code) for entry in entries(settings.paths)]
    assert sorted(found) == [("ingest", "cchc", "held_back", 1), ("run", "cchc", "held_back", 1)]
    assert (settings.paths.history / "index.html").is_file()
    assert settings.metrics_path().is_file()


@pytest.mark.parametrize("name", ["keep", "show", "space_of", "prune_files", "keep_verdict", "unit_reports"])
def test_what_cannot_be_recorded_breaks_no_run(settings: Settings, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(recording, name, full)
    pipeline = Pipeline(settings)
    with recorded(pipeline, QUARTER, "run", "cchc"):
        _publishes(pipeline)
        pipeline.record.exit_code = 0
    found = [entry.ended for entry in entries(settings.paths)]
    assert found == ([] if name == "keep" else ["done"])


def _work(root: Path, began: Event, end: Event) -> None:
    def waits(pipeline: Pipeline) -> None:
        began.set()
        end.wait()

    _run(Settings(home=root), waits)


def test_a_killed_run_is_named_so_by_the_next_and_a_living_one_is_not(settings: Settings) -> None:
    home = settings.paths
    began, end = _SPAWN.Event(), _SPAWN.Event()
    process = _SPAWN.Process(target=_work, args=(settings.home, began, end))
    process.start()
    assert began.wait(120)
    make_up_if_free(settings)
    assert [entry.ended for entry in entries(home)] == ["running"]
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    assert _run(settings, lambda pipeline: None, "build").ended == "done"
    assert sorted(entry.ended for entry in entries(home)) == ["done", "killed"]


# --- Dagster's storage ------------------------------------------------------------------------------------------------


@dg.op
def _nothing() -> None: ...


@dg.job
def _idle() -> None:
    _nothing()


@dg.job
def _other() -> None:
    _nothing()


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings) as opened:
        yield opened


def _record(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS, **tags: str
) -> str:
    named = {PARTITION_NAME_TAG: "2023-Q1"} | {f"dagster/{name}": value for name, value in tags.items()}
    return str(instance.create_run_for_job(_idle, status=status, tags=named).run_id)


def _left(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


@pytest.mark.parametrize("limit", [1, 3, 6])
def test_of_dagsters_runs_the_newest_remain_and_nothing_of_the_others(
    settings: Settings, instance: dg.DagsterInstance, limit: int
) -> None:
    runs = [_idle.execute_in_process(instance=instance, tags={PARTITION_NAME_TAG: "2023-Q1"}) for _ in range(4)]
    ids = [run.run_id for run in runs]
    deleted = prune_dagster(instance, settings.model_copy(update={"keep_runs": limit}))
    assert set(deleted) == set(ids[: max(0, 4 - limit)])
    assert _left(instance) == set(ids) - set(deleted)
    for run_id in ids:
        left = [path for path in settings.paths.dagster.rglob("*") if run_id in path.name]
        assert bool(left) is (run_id not in deleted)
    with open_instance(settings) as again:
        assert {run_id for run_id in ids if again.all_logs(run_id)} == set(ids) - set(deleted)


def test_runs_that_have_not_ended_are_to_be_repeated_or_are_a_quarters_last_success_stay(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    status, failed = dg.DagsterRunStatus, dg.DagsterRunStatus.FAILURE
    ended = (status.SUCCESS, failed, status.CANCELED)
    # One that waits in the server's queue has an origin there, and counts as those before its start.
    unfinished = [_record(instance, one) for one in status if one not in (*ended, status.QUEUED)]
    to_repeat = _record(instance, failed, **{WILL_RETRY_TAG.removeprefix("dagster/"): "true"})
    repeated = _record(
        instance,
        failed,
        **{WILL_RETRY_TAG.removeprefix("dagster/"): "true", AUTO_RETRY_RUN_ID_TAG.removeprefix("dagster/"): "x"},
    )
    of_another_quarter = _record(instance, partition="2022-Q4")
    older = _record(instance)
    newest = _record(instance)
    failures = [_record(instance, one) for one in (failed, status.CANCELED, failed)]
    look = _other.execute_in_process(instance=instance).run_id
    deleted = prune_dagster(instance, settings.model_copy(update={"keep_runs": 1}))
    assert set(deleted) == {repeated, older, *failures[:2]}
    assert _left(instance) == {*unfinished, to_repeat, of_another_quarter, newest, failures[2], look}

"""Running the job in this process: the same assets, checks and records as from the browser, without a server.

Belongs here: starting helpers early, executing a selection of the job, keeping Dagster's talk out of the terminal, the
exit code of a run.
Does not belong here: words for people (``orchestration.reports``), what the stages do (``orchestration.stages``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from enum import Enum
from typing import Any

from orchestration import spark
from orchestration.automation import STAGE_TAG
from orchestration.causes import cause_vi
from orchestration.cli.terminal import Exit, Progress, WrongUse, asked_path, complain, interrupts
from orchestration.healing import mend
from orchestration.history import Asked
from orchestration.instance import open_instance
from orchestration.liveness import HOME_TAG, alive, end_dead_runs, place_of
from orchestration.locks import WarehouseHeld, one_run_at_a_time, to_stderr
from orchestration.pipeline import Pipeline
from orchestration.recording import recorded
from orchestration.reports import UnitReport, ending
from orchestration.retention import prune_dagster
from orchestration.settings import Settings
from orchestration.telling import OUR_ERRORS, first_cause, tell_failure
from orchestration.timing import Timings


class Stage(Enum):
    """What part of the job a command runs, by asset group."""

    RUN = ("landing", "raw", "reference", "staging", "intermediate", "marts", "gates", "published")
    INGEST = ("landing", "raw")
    BUILD = ("reference", "staging", "intermediate", "marts")
    CHECK = ("gates",)
    PUBLISH = ("published",)
    #: The draft itself is no asset: it is made when these are done.
    REVIEW = ("landing", "raw", "reference", "staging", "intermediate", "marts", "gates")

    @property
    def asked(self) -> Asked:
        return _ASKED[self]

    @property
    def takes_in(self) -> bool:
        return "raw" in self.value

    @property
    def checks(self) -> bool:
        return "gates" in self.value

    @property
    def builds(self) -> bool:
        return "marts" in self.value


_ASKED: dict[Stage, Asked] = {
    Stage.RUN: "run",
    Stage.INGEST: "ingest",
    Stage.BUILD: "build",
    Stage.CHECK: "check",
    Stage.PUBLISH: "publish",
    Stage.REVIEW: "review",
}


@dataclass(frozen=True)
class RunResult:
    """How a run ended. ``broken_steps``: steps that broke, and why."""

    success: bool
    broken_steps: dict[str, str]


@contextmanager
def alone(settings: Settings, what: str, *, wait: bool = True) -> Iterator[None]:
    """Makes the home's folders and holds its lock, after whoever works there; ``what`` is what others are told.

    Raises ``WrongUse`` where the home cannot be used, ``HomeBusy`` where it is in use and shall not be waited for.
    """
    with asked_path(settings.home, "không dùng được thư mục"):
        settings.paths.create()
    with one_run_at_a_time(settings.paths.lock, what, complain, wait=wait):
        yield


@contextmanager
def open_pipeline(
    settings: Settings, stage: Stage, quarter: str, *, quiet: bool, wait: bool = True
) -> Iterator[Pipeline]:
    """A pipeline that tells how far it is, is alone in its home, and whose helper processes are ended with it.

    Raises ``WrongUse`` where the engine that is asked for cannot work here.
    """
    stages = {Stage.RUN: 15, Stage.INGEST: 10, Stage.BUILD: 1, Stage.CHECK: 3, Stage.PUBLISH: 1, Stage.REVIEW: 15}[
        stage
    ]
    if stage in (Stage.RUN, Stage.PUBLISH):
        stages += bool(settings.postgres_url) + bool(settings.provinces)
    if (stage.builds or stage.takes_in) and (fault := spark.fault_vi(settings)):
        raise WrongUse(fault)
    what = f"cchc {stage.name.lower()} {quarter}"
    with alone(settings, what, wait=wait), Progress(stages, quiet=quiet).shown() as progress:
        pipeline = Pipeline(settings, Timings(on_stage=progress.stage))
        with recorded(pipeline, quarter, stage.asked, "cchc", no_run=(WrongUse,), interrupted=interrupts.exit_code):
            try:
                mend(pipeline)
                yield pipeline
            finally:
                pipeline.close()


def execute(pipeline: Pipeline, stage: Stage, quarter: str, units: Sequence[str], *, verbose: bool) -> RunResult:
    """Runs the stage's assets for one quarter and records the run in the home's Dagster instance."""
    settings = pipeline.settings
    with ExitStack() as stack:
        if not verbose:
            log = stack.enter_context(settings.paths.run_log.open("a", encoding="utf-8"))
            stack.enter_context(redirect_stdout(log))
            stack.enter_context(redirect_stderr(log))
        with pipeline.timings.stage("imports"):
            from orchestration.build import build_definitions
            from orchestration.jobs import QUARTER_JOB
            from orchestration.record_storage import quick_records

        with pipeline.timings.stage("definitions"):
            definitions = build_definitions(settings, pipeline=pipeline)
            job = definitions.resolve_job_def(QUARTER_JOB)
            if stage is not Stage.RUN:
                job = _part(job, stage)
        for line in pipeline.record.healing_lines():
            to_stderr(line)  # into the run's log, which is what stands for it here
        stack.enter_context(quick_records())
        instance = stack.enter_context(open_instance(settings, pipeline.record.mended, [quarter]))
        end_dead_runs(instance, settings.paths)
        run_id, pipeline.record.units = pipeline.record.run_id, tuple(units)
        stack.enter_context(alive(settings.paths, run_id))
        outcome = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            partition_key=quarter,
            run_config={"resources": {"scope": {"config": {"units": list(units)}}}},
            tags={STAGE_TAG: stage.name.lower(), HOME_TAG: place_of(settings.paths)},
            raise_on_error=False,
        )
        if not outcome.success:
            interrupts.end_where_asked()
        failures = outcome.get_step_failure_events()
        if failures:
            tell_failure(settings, quarter, run_id, failures)
        prune_dagster(instance, settings)
        _raise_where_held(failures)
        return RunResult(outcome.success, _broken_steps(failures, settings))


def _part(job: Any, stage: Stage) -> Any:
    """The job with the assets of a stage, and with the gates' checks where it is the stage that checks."""
    from dagster import AssetSelection

    from orchestration.assets.names import GATE_CHECK

    graph = job.asset_layer.asset_graph
    assets = AssetSelection.groups(*stage.value).resolve(graph)
    checks = {
        key for key in graph.asset_check_keys if (stage.checks if key.name == GATE_CHECK else key.asset_key in assets)
    }
    return job.get_subset(asset_selection=assets, asset_check_selection=checks)


def _raise_where_held(failures: Iterable[Any]) -> None:
    """Another program has the warehouse open: the command is held up, as by a run in the same home, and no step is at
    fault.
    """
    for event in failures:
        cls_name, message = first_cause(event.event_specific_data.error)
        if cls_name == WarehouseHeld.__name__:
            raise WarehouseHeld(message)


def _broken_steps(failures: Iterable[Any], settings: Settings) -> dict[str, str]:
    """Steps that broke, with their first cause; not those that said themselves that there was nothing to do."""
    broken = {}
    for event in failures:
        if event.event_specific_data.user_failure_data is not None:
            continue
        cls_name, message = first_cause(event.event_specific_data.error)
        told = message if cls_name in OUR_ERRORS else cause_vi(message, settings) or message
        broken[str(event.step_key)] = told
    return broken


def exit_code(result: RunResult, reports: Sequence[UnitReport]) -> Exit:
    """The exit code of a run that came to these reports."""
    codes = {"failed": Exit.FAILED, "held_back": Exit.HELD_BACK, "done": Exit.DONE}
    return codes[ending(bool(result.broken_steps), reports)]

"""One look of Dagster's sensor daemon in a process of its own, which can be killed at the daemon's named points.

The sensor is the project's, on a home's landing folder; its job is one step that notes, as a whole run does, what the
folders held when it began. Runs take place in the daemon's process, so that a kill meets them too.
"""

import datetime as dt
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.sensor import execute_sensor_iteration

from ingestion import load_contracts
from orchestration import sensors
from orchestration.arrivals import folder_states, remember, state_behind
from orchestration.automation import LANDING_WATCH, QUARTER_JOB
from orchestration.partitions import quarters
from orchestration.sensors import landing_watch
from orchestration.settings import Settings

#: Dagster's own names for the places between two of the daemon's writes (``dagster._daemon.sensor``).
POINTS = ("TICK_CREATED", "TICK_HELD", "RUN_IDS_RESERVED", "RUN_CREATED", "RUN_LAUNCHED")
_DAGSTER_YAML = """\
telemetry:
  enabled: false
run_coordinator:
  module: dagster._core.run_coordinator
  class: DefaultRunCoordinator
run_launcher:
  module: dagster._core.launcher.sync_in_memory_run_launcher
  class: SyncInMemoryRunLauncher
"""


def definitions() -> dg.Definitions:
    """The sensor of the home that ``CCHC_HOME`` names, and a job that does nothing but remember."""
    settings = Settings(home=Path(os.environ["CCHC_HOME"]))

    @dg.op
    def see(context: dg.OpExecutionContext) -> None:
        states = folder_states(settings.paths, {path.name for path in settings.paths.landing.glob("*/*")})
        remember(settings.paths, context.partition_key, state_behind(states, context.partition_key))

    @dg.job(name=QUARTER_JOB, partitions_def=quarters(), executor_def=dg.in_process_executor)
    def quarter() -> None:
        see()

    return dg.Definitions(jobs=[quarter], sensors=[landing_watch(settings, quarter, load_contracts())])


@contextmanager
def instance_of(home: Path) -> Iterator[dg.DagsterInstance]:
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(_DAGSTER_YAML, encoding="utf-8")
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance


def look(home: Path, at: dt.datetime, killed_at: str | None) -> None:
    """Lets the daemon look once at the given time; at ``killed_at`` this process is gone."""
    os.environ["CCHC_HOME"] = str(home)
    logging.disable(logging.CRITICAL)
    sensors.now = lambda: at
    origin = InProcessCodeLocationOrigin(
        loadable_target_origin=LoadableTargetOrigin(
            executable_path=sys.executable, module_name="tests.support.daemon_ticks", attribute="definitions"
        ),
        location_name="tests",
    )
    flags = {LANDING_WATCH: {killed_at: signal.SIGKILL}} if killed_at else None
    with (
        freeze_time(at),
        instance_of(home) as instance,
        create_test_daemon_workspace_context(InProcessWorkspaceLoadTarget(origin), instance) as workspace,
    ):
        list(execute_sensor_iteration(workspace, logging.getLogger("daemon"), None, None, debug_crash_flags=flags))

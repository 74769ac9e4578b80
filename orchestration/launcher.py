"""Dagster's launcher with one word more: whether the process of a run it launched is still there.

Belongs here: what ``dagster.yaml`` names. Does not belong here: how that is known (``liveness``).
With it Dagster's run monitoring ends the record of a run whose process was killed at its next look, and its retries
start it again; the launcher as delivered cannot tell, and such a run would count as running until its time limit.
"""

from __future__ import annotations

import time
from pathlib import Path

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

from orchestration.liveness import HOME_TAG, is_alive, place_of
from orchestration.settings import Home

#: A run that has been recorded as begun says within this time that it is alive: it loads its definitions first.
_SECONDS_TO_BEGIN = 300


class HomeRunLauncher(DefaultRunLauncher):
    """Launches as Dagster does; Dagster's documentation calls what is added here run worker health."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        instance = self._instance
        home = Home(Path(instance.root_directory).parent)
        if run.tags.get(HOME_TAG, place_of(home)) != place_of(home):
            return CheckRunHealthResult(WorkerStatus.RUNNING)  # of another home, which alone can tell
        living = is_alive(home, run.run_id)
        if living is None:
            record = instance.get_run_record_by_id(run.run_id)
            begun = record.start_time if record else None
            living = begun is None or time.time() - begun < _SECONDS_TO_BEGIN
        return CheckRunHealthResult(WorkerStatus.RUNNING if living else WorkerStatus.NOT_FOUND)

"""What Dagster hands to the steps of a run: its scope, and the pipeline that serves it from its first step to its last.

Belongs here: what begins and ends with a run of the server. Does not belong here: what steps do with it (``stages``).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from orchestration.assets.names import is_whole
from orchestration.healing import mend
from orchestration.history import Asked
from orchestration.journal import LOGIN_TAG
from orchestration.liveness import alive
from orchestration.locks import one_run_at_a_time
from orchestration.pipeline import Pipeline
from orchestration.recording import recorded
from orchestration.retention import prune_dagster
from orchestration.settings import Settings


class Scope(dg.ConfigurableResource):
    """Reporting units a run is for; empty means every unit that delivered."""

    units: list[str] = Field(default_factory=list, description="Codes of reporting units; empty for all.")


def _code_if_canceled(instance: dg.DagsterInstance | None, run_id: str) -> int | None:
    """The exit code of a run that somebody ended in the browser, as of a command that got SIGTERM; None of others."""
    run = instance.get_run_by_id(run_id) if instance else None
    ended = (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED)
    return 128 + signal.SIGTERM if run and run.status in ended else None


def pipeline_of_run(settings: Settings) -> dg.ResourceDefinition:
    """The pipeline of one run of the server: alone in its home from intake to publication, its processes ended with it.

    Two runs of two quarters share one warehouse file, so nothing less than the whole run may be locked.
    """

    @dg.resource(
        required_resource_keys={"scope"},
        description="Kho số liệu của lượt chạy. The home, locked for this run, and the processes that serve it.",
    )
    def pipeline(context: dg.InitResourceContext) -> Iterator[Pipeline]:
        run_id = context.run_id or ""
        run, instance = context.run, context.instance
        quarter = run.tags.get("dagster/partition", "") if run else ""
        what = f"máy chủ Dagster, kỳ {quarter}, lượt {run_id[:8]}"
        notify = context.log.info if context.log else print
        settings.paths.create()
        with alive(settings.paths, run_id), one_run_at_a_time(settings.paths.lock, what, notify):
            made = Pipeline(settings, asked_by=run.tags.get(LOGIN_TAG) if run else None)
            if run is None or not quarter:  # tried by itself
                yield made
                return
            made.record.run_id, made.record.units = run_id, tuple(context.resources.scope.units)
            asked: Asked = "run" if is_whole(run.asset_selection) else "part"
            with recorded(made, quarter, asked, "dagster", interrupted=lambda: _code_if_canceled(instance, run_id)):
                try:
                    mend(made)
                    for line in made.record.healing_lines():
                        notify(line)
                    yield made
                finally:
                    made.close()
            if instance:
                prune_dagster(instance, settings)

    return pipeline

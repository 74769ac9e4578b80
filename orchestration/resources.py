"""What Dagster hands to the steps of a run: its scope, and the pipeline that serves it from its first step to its last.

Belongs here: what begins and ends with a run of the server. Does not belong here: what steps do with it (``stages``).
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from orchestration.journal import LOGIN_TAG
from orchestration.liveness import alive
from orchestration.locks import one_run_at_a_time
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings


class Scope(dg.ConfigurableResource):
    """Reporting units a run is for; empty means every unit that delivered."""

    units: list[str] = Field(default_factory=list, description="Codes of reporting units; empty for all.")


def pipeline_of_run(settings: Settings) -> dg.ResourceDefinition:
    """The pipeline of one run of the server: alone in its home from intake to publication, its processes ended with it.

    Two runs of two quarters share one warehouse file, so nothing less than the whole run may be locked.
    """

    @dg.resource(
        description="Kho số liệu của lượt chạy. The home, locked for this run, and the processes that serve it."
    )
    def pipeline(context: dg.InitResourceContext) -> Iterator[Pipeline]:
        run_id = context.run_id or ""
        quarter = context.run.tags.get("dagster/partition", "") if context.run else ""
        what = f"máy chủ Dagster, kỳ {quarter}, lượt {run_id[:8]}"
        notify = context.log.info if context.log else print
        settings.paths.create()
        with alive(settings.paths, run_id), one_run_at_a_time(settings.paths.lock, what, notify):
            made = Pipeline(settings, asked_by=context.run.tags.get(LOGIN_TAG) if context.run else None)
            try:
                yield made
            finally:
                made.close()

    return pipeline

"""The jobs: a quarter, from delivered files to releases, and the daily look at what no run notices.

Belongs here: which assets a job runs, and what is told where one breaks. Does not belong here: when it runs
(``schedules``, ``sensors``), what the look finds (``watchman``).
"""

from typing import Any

import dagster as dg

from orchestration.automation import DAILY_LOOK, QUARTER_JOB
from orchestration.liveness import alive
from orchestration.partitions import quarters
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.telling import tell_run, why_broken
from orchestration.timing import now
from orchestration.watchman import look

# A server that was started a moment ago has not looked at the landing folder yet.
_PATIENCE_SECONDS = 120


@dg.failure_hook(name="tell_what_is_known", required_resource_keys={"pipeline", "scope"})
def _tell_what_is_known(context: dg.HookContext) -> None:
    """A run that breaks before publication knows already whom the gates hold back; a step that ran to its end and had
    nothing to publish has told it.
    """
    if isinstance(context.op_exception, dg.Failure):
        return
    run = context.instance.get_run_by_id(context.run_id)
    resources = context.resources
    resources.pipeline.record.broken[context.op.name] = why_broken(context.op_exception, resources.pipeline.settings)
    if run is not None and resources.pipeline.record.verdicts:
        quarter = run.tags["dagster/partition"]
        tell_run(resources.pipeline, quarter, resources.scope.units, context.run_id)


def quarter_job() -> Any:
    """All assets of one quarter, for the units of the run's scope."""
    return dg.define_asset_job(
        QUARTER_JOB,
        # Checks on tables that no step makes (the receipts) belong to no asset of the run; they are named beside.
        selection=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
        partitions_def=quarters(),
        hooks={_tell_what_is_known},
        # What a killed run knew of faults in the landing folder is gone with it, so it is repeated whole; what was
        # taken in, built and released stays, and is not done again.
        tags={"dagster/retry_strategy": "ALL_STEPS"},
        description="Một quý báo cáo: nhận tệp, kiểm tra, tính, công bố. One quarter, from files to releases.",
    )


def daily_look_job(settings: Settings) -> dg.JobDefinition:
    """One step, a run of its own: reading every release takes longer than a tick of a schedule may."""

    @dg.op(name="look", description="Kiểm tra hằng ngày. What is missing, overdue, damaged, full or standing still.")
    def step(context: dg.OpExecutionContext) -> None:
        with alive(settings.paths, context.run_id):
            found = look(Pipeline(settings), now().date(), context.instance, patience_seconds=_PATIENCE_SECONDS)
        for alert in found.found:
            context.log.info(alert.title_vi)

    @dg.job(
        name=DAILY_LOOK,
        executor_def=dg.in_process_executor,
        description="Kiểm tra hằng ngày: tệp còn thiếu, quá hạn, hư hại, ổ đĩa đầy, tự chạy bị tắt.",
    )
    def daily_look() -> None:
        step()

    return daily_look

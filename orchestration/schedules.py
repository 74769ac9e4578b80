"""The schedule: the day after a quarter closes, at six in the morning in Viet Nam."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from common.periods import last_closed
from orchestration.settings import TIME_ZONE

# By Decree 09/2019 a reporting quarter closes on the 14th of its last month.
AFTER_QUARTER_CLOSES = "0 6 15 3,6,9,12 *"


def quarter_schedule(job: Any) -> dg.ScheduleDefinition:
    """Requests the quarter that closed last before the tick; the table of periods says which."""

    @dg.schedule(
        name="after_quarter_closes",
        cron_schedule=AFTER_QUARTER_CLOSES,
        execution_timezone=TIME_ZONE,
        job=job,
        description="Chạy báo cáo quý vào ngày sau khi kỳ báo cáo đóng.",
    )
    def after_quarter_closes(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        day = context.scheduled_execution_time.astimezone(ZoneInfo(TIME_ZONE)).date()
        period = last_closed(day)
        if period is None:
            return dg.SkipReason(f"No quarter in reporting_periods closed before {day}.")
        return dg.RunRequest(run_key=period.quarter, partition_key=period.quarter)

    return after_quarter_closes

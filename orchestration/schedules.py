"""The schedules: the day after a period closes, at six in the morning in Viet Nam, by the table of periods; and a look
every day at seven.

Belongs here: when a run starts by the calendar, and whether anything starts by itself. Does not belong here: dates.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import dagster as dg

from common.periods import is_scheduled, last_closed, load_periods
from orchestration.automation import AFTER_CLOSING, HOUR_OF_LOOK, HOUR_OF_RUN
from orchestration.partitions import add_quarters
from orchestration.settings import TIME_ZONE, Settings

Status = TypeVar("Status", dg.DefaultScheduleStatus, dg.DefaultSensorStatus)


def default_status(settings: Settings, statuses: type[Status]) -> Status:
    """Runs without a click, unless the settings turn automation off; a click in the browser goes before both."""
    return statuses.RUNNING if settings.automation else statuses.STOPPED


def days_after_closing() -> list[str]:
    """The days of a year, as cron lines, on which some period that is reported on has closed the day before."""
    days = {period.closes_on + dt.timedelta(days=1) for period in load_periods() if is_scheduled(period)}
    return [f"0 {HOUR_OF_RUN} {day} {month} *" for month, day in sorted({(d.month, d.day) for d in days})]


def closing_schedule(settings: Settings, job: Any) -> dg.ScheduleDefinition:
    """Requests the periods that closed last before the tick: a quarter, and with it the half-year or the year.

    A tick missed while the server was down is made up for.
    """

    @dg.schedule(
        name=AFTER_CLOSING,
        cron_schedule=days_after_closing(),
        execution_timezone=TIME_ZONE,
        job=job,
        default_status=default_status(settings, dg.DefaultScheduleStatus),
        description="Chạy báo cáo vào ngày sau khi kỳ báo cáo đóng.",
    )
    def after_closing(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        day = context.scheduled_execution_time.astimezone(ZoneInfo(TIME_ZONE)).date()
        closed = last_closed(day)
        if not closed:
            return dg.SkipReason(f"Chưa kỳ báo cáo nào trong bảng kỳ đóng trước ngày {day:%d/%m/%Y}.")
        add_quarters(context.instance, day, [period.quarter for period in closed])
        return [dg.RunRequest(run_key=period.quarter, partition_key=period.quarter) for period in closed]

    return after_closing


def daily_schedule(settings: Settings, job: Any) -> dg.ScheduleDefinition:
    """Looks once a day, after the hour at which a period that has just closed is run."""
    return dg.ScheduleDefinition(
        name=job.name,
        cron_schedule=f"0 {HOUR_OF_LOOK} * * *",
        execution_timezone=TIME_ZONE,
        job=job,
        default_status=default_status(settings, dg.DefaultScheduleStatus),
        description="Kiểm tra hằng ngày lúc 7 giờ: tệp còn thiếu, quá hạn, hư hại, ổ đĩa đầy.",
    )

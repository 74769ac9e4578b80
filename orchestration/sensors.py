"""Sensors: new deliveries start a run; a failed run is told.

Belongs here: when a run starts by itself outside the schedule, and who is told that one failed.
Does not belong here: what a delivery is, what a run does.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Mapping
from typing import Any

import dagster as dg

from common.periods import in_order, period_named
from ingestion import Contract, DamagedError
from orchestration.arrivals import folder_states, remembered, state_behind
from orchestration.automation import ALERT_ON_FAILURE, LANDING_WATCH, SECONDS_BETWEEN_LOOKS
from orchestration.partitions import add_quarters
from orchestration.pipeline import Pipeline
from orchestration.schedules import default_status
from orchestration.settings import Settings
from orchestration.telling import tell_failure, tell_unwatched, why_broken
from orchestration.timing import now
from orchestration.units import UnknownUnit

_log = logging.getLogger(__name__)
# After the first run that a state was asked for by, after the second and so on; the last one from then on.
_WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 15, 45, 135, 360))
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def failure_alert(settings: Settings) -> dg.SensorDefinition:
    """Sensor that tells each failed run of the server; those of the command line tell it themselves."""

    @dg.run_failure_sensor(
        name=ALERT_ON_FAILURE,
        description="Cảnh báo khi một lượt chạy hỏng.",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        tell_failure(
            settings,
            run.tags.get("dagster/partition", ""),
            run.run_id,
            context.get_step_failure_events(),
            context.failure_event.message or "",
            run.job_name,
            getattr(context.failure_event.event_specific_data, "error", None),
        )

    return alert_on_failure


def is_complete(pipeline: Pipeline, quarter: str, contracts: Mapping[str, Contract]) -> bool:
    """Whether some reporting unit, with all that report through it, has sent every source asked of it."""
    sent = {(row["unit_code"], row["source"]) for row in pipeline.deliveries.receipts(quarter)}
    for source in contracts:
        sent |= {(path.parts[0], source) for path in pipeline.deliveries.landed(source, quarter)}
    reporting, folders = set(), {unit for unit, _ in sent}
    for folder in folders:
        try:
            reporting.add(pipeline.units.reporting_unit(folder, quarter))
        except UnknownUnit:
            continue  # The run itself names such a folder; here it only asks nothing of anybody.
    for unit in reporting:
        sent |= pipeline.deliveries.given_by_parts(pipeline.units.folders_expected(unit, quarter), quarter)
    return any(
        all(
            (folder, source) in sent
            for source, contract in contracts.items()
            for folder in pipeline.units.folders_expected(unit, quarter)
            if pipeline.units.role_of(folder, quarter) in contract.required_from
        )
        for unit in reporting
    )


def landing_watch(settings: Settings, job: Any, contracts: Mapping[str, Contract]) -> dg.SensorDefinition:
    """Sensor that requests a quarter where its folders, or those of a quarter before it, hold what no run has seen.

    It waits until nothing changed between two looks, and until a unit's deliveries are complete, the day of the report
    has come, or a release is out that may be outdated. While a run of the quarter is under way it asks for no other; a
    run that did not come to its end is asked for again, later each time. What a run has seen is in the home
    (``arrivals``), so neither a lost cursor nor a run of the command line leads to one too many or too few. A quarter
    that cannot be looked at is told, and the others are still asked for.
    """

    @dg.sensor(
        name=LANDING_WATCH,
        job=job,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=default_status(settings, dg.DefaultSensorStatus),
        description="Chạy kỳ báo cáo khi các đơn vị đã gửi đủ tệp, và chạy lại khi có tệp gửi muộn hoặc sửa lại.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        known: dict[str, dict[str, Any]] = json.loads(context.cursor or "{}")
        pipeline = Pipeline(settings)
        at = now()
        states = folder_states(pipeline.home, pipeline.deliveries.quarters_landed())
        add_quarters(context.instance, at.date(), states)
        requests = []
        for quarter in in_order(states):
            before, state = known.get(quarter, {}), state_behind(states, quarter)
            known[quarter] = {**before, "seen": state}
            if before.get("seen") != state:
                continue
            fault: str | None = None
            try:
                wanted = (
                    remembered(pipeline.home, quarter) != state
                    and _is_due_again(before, state, at)
                    and not _is_under_way(context.instance, quarter)
                    and _is_ready(pipeline, quarter, contracts, at.date())
                )
            except Exception as error:  # the other quarters' runs do not wait for this one's repair
                _log.exception("%s: whether a run is wanted cannot be told", quarter)
                wanted, fault = False, why_broken(error, settings)
            if before.get("fault", "") != fault:
                tell_unwatched(settings, quarter, fault)
                known[quarter]["fault"] = fault
            if wanted:
                times = before["times"] + 1 if before.get("asked") == state else 1
                known[quarter] |= {"asked": state, "times": times, "at": at.isoformat()}
                requests.append(dg.RunRequest(partition_key=quarter, tags={"cchc/arrived": state[:16]}))
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(known, sort_keys=True))

    return watch


def _is_due_again(before: Mapping[str, Any], state: str, at: dt.datetime) -> bool:
    """Whether a state may be asked for: at once the first time, then 5, 15, 45 minutes and so on after the last."""
    if before.get("asked") != state:
        return True
    wait = _WAITS[min(before["times"], len(_WAITS)) - 1]
    # Either way: a clock that was set back must not make it wait for longer.
    return bool(abs(at - dt.datetime.fromisoformat(before["at"])) >= wait)


def _is_under_way(instance: dg.DagsterInstance, quarter: str) -> bool:
    not_ended = [status for status in dg.DagsterRunStatus if status not in _ENDED]
    return bool(instance.get_runs(dg.RunsFilter(tags={"dagster/partition": quarter}, statuses=not_ended), limit=1))


def _is_ready(pipeline: Pipeline, quarter: str, contracts: Mapping[str, Contract], today: dt.date) -> bool:
    """Whether it is time to make the report of what is there: complete, due, or out already."""
    if any(pipeline.home.published.glob(f"*/{quarter}/current.json")):
        return True
    if today >= period_named(quarter).due_on:
        return True
    try:
        return is_complete(pipeline, quarter, contracts)
    except DamagedError:
        return True  # what is damaged is mended by a run, and by nothing else

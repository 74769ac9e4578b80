"""Sensors: new deliveries start a run; a failed run becomes a line in the alert file.

Belongs here: when a run starts by itself outside the schedule, and who is told that one failed.
Does not belong here: what a delivery is, what a run does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import dagster as dg

from ingestion import Contract
from orchestration.alerts import alert
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.units import UnknownUnit

_SECONDS_BETWEEN_LOOKS = 60


def failure_alert(settings: Settings) -> dg.SensorDefinition:
    """Sensor that appends a JSON line ``{kind, job, quarter, run_id, message}`` for each failed run."""

    @dg.run_failure_sensor(
        name="alert_on_failure",
        description="Ghi một dòng cảnh báo khi một lần chạy hỏng.",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
        alert(
            settings,
            {
                "kind": "run_failed",
                "job": context.dagster_run.job_name,
                "quarter": context.dagster_run.tags.get("dagster/partition", ""),
                "run_id": context.dagster_run.run_id,
                "message": context.failure_event.message or "",
            },
        )

    return alert_on_failure


def landing_fingerprint(pipeline: Pipeline, quarter: str, contracts: Mapping[str, Contract]) -> str:
    """Identifies what lies in a quarter's landing folders: every file's path, size and time of change."""
    digest = hashlib.sha256()
    for source in sorted(contracts):
        for path in pipeline.deliveries.landed(source, quarter):
            found = (pipeline.home.landing / path).stat()
            digest.update(f"{path.as_posix()}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_complete(pipeline: Pipeline, quarter: str, contracts: Mapping[str, Contract]) -> bool:
    """Whether some reporting unit, with all that report through it, has sent every source asked of it."""
    sent = {(row["unit_code"], row["source"]) for row in pipeline.deliveries.receipts(quarter)}
    for source in contracts:
        sent |= {(path.parts[0], source) for path in pipeline.deliveries.landed(source, quarter)}
    reporting = set()
    for folder in {unit for unit, _ in sent}:
        try:
            reporting.add(pipeline.units.reporting_unit(folder, quarter))
        except UnknownUnit:
            continue  # The run itself names such a folder; here it only asks nothing of anybody.
    return any(
        all(
            (folder, source) in sent
            for source, contract in contracts.items()
            for folder in pipeline.units.folders_expected(unit, quarter)
            if pipeline.units.roles_of(folder, quarter) & set(contract.required_from)
        )
        for unit in reporting
    )


def landing_watch(settings: Settings, job: Any, contracts: Mapping[str, Contract]) -> dg.SensorDefinition:
    """Sensor that requests a quarter when its deliveries are complete and stable, and again when they change.

    Stable: nothing in the quarter's folders changed between two looks. The cursor holds, for each quarter, what was
    there at the last look and what a run was last requested for; no clock, so a file with an old date is not missed.
    """

    @dg.sensor(
        name="landing_watch",
        job=job,
        minimum_interval_seconds=_SECONDS_BETWEEN_LOOKS,
        description="Chạy kỳ báo cáo khi các đơn vị đã gửi đủ tệp, và chạy lại khi có tệp gửi muộn hoặc sửa lại.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        known: dict[str, dict[str, str]] = json.loads(context.cursor or "{}")
        pipeline = Pipeline(settings)
        requests = []
        for quarter in sorted(pipeline.deliveries.quarters_landed()):
            state = known.setdefault(quarter, {})
            now = landing_fingerprint(pipeline, quarter, contracts)
            is_stable, state["seen"] = state.get("seen") == now, now
            asked_before = "requested" in state
            if not is_stable or state.get("requested") == now:
                continue
            if asked_before or is_complete(pipeline, quarter, contracts):
                state["requested"] = now
                requests.append(dg.RunRequest(run_key=f"{quarter}-{now}", partition_key=quarter))
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(known, sort_keys=True))

    return watch

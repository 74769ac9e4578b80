"""Telling someone: a failed run becomes one line in the alert file, which a mailer or monitor follows."""

import json

import dagster as dg

from orchestration.settings import Settings


def failure_alert(settings: Settings) -> dg.SensorDefinition:
    """Sensor that appends a JSON line ``{job, quarter, run_id, message}`` for each failed run."""

    @dg.run_failure_sensor(
        name="alert_on_failure",
        description="Ghi một dòng cảnh báo khi một lần chạy hỏng.",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
        path = settings.alerts_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        line = {
            "job": context.dagster_run.job_name,
            "quarter": context.dagster_run.tags.get("dagster/partition", ""),
            "run_id": context.dagster_run.run_id,
            "message": context.failure_event.message or "",
        }
        with path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")

    return alert_on_failure

"""What is made of the records of runs for those who look: words, two tables, the page for operators, figures.

Belongs here: turning records into what is shown, for ``cchc history`` too. Does not belong here: records themselves
(``history``), the look of the page (``publication``), names of figures (``metrics``).
All of it is derived, written anew at the end of each run and each daily look, and can be deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa

from common.files import replace_durably, replacing
from orchestration.history import Asked, Counted, Ended, Entry, entries, last_look
from orchestration.metrics import write_metrics
from orchestration.reports import STATE_VI
from orchestration.settings import Settings
from orchestration.timing import now

if TYPE_CHECKING:
    from publication import RunLine

ASKED_VI: dict[Asked, str] = {
    "run": "chạy cả kỳ",
    "ingest": "nhận dữ liệu",
    "build": "tính số liệu",
    "check": "kiểm tra",
    "publish": "công bố",
    "review": "lập dự thảo",
    "part": "chạy một phần",
}
ENDED_VI: dict[Ended, str] = {
    "running": "đang chạy",
    "done": "xong",
    "held_back": "có đơn vị bị giữ lại hoặc tệp bị trả lại",
    "failed": "hỏng",
    "interrupted": "bị người dừng",
    "killed": "bị tắt ngang",
}
BY_VI = {"cchc": "dòng lệnh", "dagster": "máy chủ"}

_MOMENT = pa.timestamp("s", tz="Asia/Ho_Chi_Minh")
_RUNS = pa.schema(
    [
        ("run_id", pa.string()),
        ("quarter", pa.string()),
        ("asked", pa.string()),
        ("by", pa.string()),
        ("code_version", pa.string()),
        ("started_at", _MOMENT),
        ("ended_at", _MOMENT),
        ("ended", pa.string()),
        ("exit_code", pa.int32()),
        ("seconds", pa.float64()),
        ("stages", pa.map_(pa.string(), pa.float64())),
        ("files", pa.int64()),
        ("files_read", pa.int64()),
        ("rows_read", pa.int64()),
        ("rows_accepted", pa.int64()),
        ("rows_rejected", pa.int64()),
        ("rows_with_findings", pa.int64()),
        ("units", pa.int32()),
        ("units_held", pa.int32()),
        ("rules_failed", pa.int64()),
        ("findings", pa.int64()),
        ("waived", pa.int64()),
        ("decisions", pa.int64()),
        ("published", pa.list_(pa.string())),
        ("broken", pa.map_(pa.string(), pa.string())),
        ("disk_used", pa.map_(pa.string(), pa.int64())),
        ("disk_free", pa.int64()),
        ("peak_memory", pa.int64()),
        ("peak_memory_children", pa.int64()),
    ]
)
_RUN_UNITS = pa.schema(
    [
        *((name, pa.string()) for name in ("run_id", "quarter", "unit_code", "name", "state", "release")),
        *((name, pa.int64()) for name in ("rules_failed", "blocking", "findings", "waived", "decisions")),
        ("verdicts", pa.map_(pa.string(), pa.string())),
    ]
)


def show(settings: Settings) -> None:
    """Writes tables, page and figures; raises ``OSError`` where it cannot."""
    import pyarrow.parquet as pq

    from publication import render_runs

    home = settings.paths
    records, look = entries(home), last_look(home)
    home.history.mkdir(parents=True, exist_ok=True)
    tables = {
        "runs": pa.Table.from_pylist([_row(entry) for entry in records], schema=_RUNS),
        "run_units": pa.Table.from_pylist(
            [
                {"run_id": entry.run_id, "quarter": entry.quarter, **unit.model_dump()}
                for entry in records
                for unit in entry.units
            ],
            schema=_RUN_UNITS,
        ),
    }
    for name, table in tables.items():
        with replacing(home.history / f"{name}.parquet", sync_directory=False) as stream:
            pq.write_table(table, stream)
    page = render_runs([line_of(entry) for entry in records], now())
    replace_durably(home.history / "index.html", page)
    write_metrics(settings, records, look)


def _row(entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(entry, name, None) for name in _RUNS.names}
    row |= {name: entry.total(name) for name in get_args(Counted)}
    row |= entry.intake.model_dump() if entry.intake else {}
    row |= {"units": len(entry.units), "units_held": len(entry.held)}
    if entry.space:
        row |= {"disk_used": entry.space.used, "disk_free": entry.space.free}
    return row


def line_of(entry: Entry) -> RunLine:
    """A record as the page shows it."""
    from publication import HeldUnit, RunLine

    intake = entry.intake
    return RunLine(
        at=entry.started_at,
        quarter=entry.quarter,
        asked_vi=ASKED_VI[entry.asked],
        by_vi=BY_VI[entry.by],
        ended_vi=ENDED_VI[entry.ended],
        exit_code=entry.exit_code,
        whole=entry.asked == "run",
        good=entry.ended in ("done", "running"),
        seconds=entry.seconds,
        stages=entry.stages,
        rows_read=intake.rows_read if intake else None,
        rows_accepted=intake.rows_accepted if intake else None,
        rows_rejected=intake.rows_rejected if intake else None,
        findings=entry.total("findings"),
        waived=entry.total("waived"),
        decisions=entry.total("decisions"),
        units=len(entry.units),
        held=tuple(
            HeldUnit(unit.unit_code, unit.name, STATE_VI[unit.state], unit.blocking)
            for unit in entry.units
            if unit.unit_code in entry.held
        ),
        published=tuple(entry.published),
        broken_vi=tuple(f"{step}: {why}" if step else why for step, why in entry.broken.items()),
        disk=sum(entry.space.used.values()) if entry.space else None,
        free=entry.space.free if entry.space else None,
        memory=max((size for size in (entry.peak_memory, entry.peak_memory_children) if size), default=None),
    )

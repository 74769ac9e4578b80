"""Records of runs that never were, for tests of what is kept and shown. No tests here."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from expectations import Finding, Result, Verdict
from orchestration.history import Ended, Entry, Intake, Space, UnitEntry
from orchestration.settings import TIME_ZONE

BEGAN = dt.datetime(2026, 1, 5, 6, 0, tzinfo=ZoneInfo(TIME_ZONE))
_CODES = {"done": 0, "held_back": 1, "failed": 3, "interrupted": 130}


def record(number: int, ended: Ended = "done", **fields: Any) -> Entry:
    """The record of a run that began ``number`` hours after the first."""
    began = BEGAN + dt.timedelta(hours=number)
    over = ended not in ("running", "killed")
    held = ended == "held_back"
    units = (
        UnitEntry(
            unit_code="945",
            name="Huyện Cù Lao Dung",
            state="held_back" if held else "published",
            release=None if held else "945/2023-Q1/r1",
            rules_failed=3,
            blocking=2 if held else 0,
            findings=30,
            waived=10,
            decisions=2,
            verdicts={},
        ),
    )
    known: dict[str, Any] = {
        "ended_at": began + dt.timedelta(seconds=90),
        "exit_code": _CODES.get(ended),
        "seconds": 90.4,
        "stages": {"ingest": 20.0, "dbt": 30.5, "gate_raw": 10.0, "gate_marts": 5.0},
        "intake": Intake(
            files=50, files_read=3, rows_read=12_345, rows_accepted=12_300, rows_rejected=45, rows_with_findings=7
        ),
        "units": units,
        "broken": {"dbt_models": "DbtError"} if ended == "failed" else {},
        "space": Space(used={"raw": 2_000_000, "published": 7_000_000, ".": 4096}, free=10**10, total=4 * 10**10),
        "peak_memory": 300 * 2**20,
        "peak_memory_children": 700 * 2**20,
    }
    made: dict[str, Any] = {
        "run_id": f"{number:08x}-0000-4000-8000-000000000000",
        "quarter": "2023-Q1",
        "asked": "run",
        "by": "cchc",
        "code_version": "0.1.0+0",
        "started_at": began,
        "ended": ended,
        **(known if over else {}),
        **fields,
    }
    return Entry(**made)


def verdict(number: int, unit: str = "945") -> Verdict:
    """A verdict unlike those of other numbers, with one row that a decision settles and one that none does."""
    findings = tuple(
        Finding(subject=f"HS-{number}-{row}", message_vi="thiếu ngày hẹn", decision_id=decision)
        for row, decision in enumerate(("QD-01", None))
    )
    result = Result(
        expectation_id="raw.one_stop_cases.due_on_given",
        source="one_stop_cases",
        sentence_vi="Hồ sơ có ngày hẹn.",
        severity="warning",
        status="fail",
        observed=str(number),
        failed_rows=2,
        covered_rows=1,
        decision_id=None,
        settleable=True,
        empty_allowed=True,
        blocking=True,
        findings=findings,
    )
    return Verdict(
        stage="raw", unit_code=unit, quarter="2023-Q1", subject_hash=str(number), suite_version="1", results=(result,)
    )

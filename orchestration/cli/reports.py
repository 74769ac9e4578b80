"""What a run came to, unit by unit: words for officials and the same as data.

Belongs here: turning verdicts, outcomes and receipts into lines. Does not belong here: running anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Literal

from orchestration.cli.runs import RunResult, Stage
from orchestration.cli.terminal import Exit
from orchestration.periods import find_period
from orchestration.pipeline import Pipeline

State = Literal["published", "unchanged", "held_back", "cleared", "failed"]

_STATE_VI: dict[State, str] = {
    "published": "đã công bố",
    "unchanged": "không thay đổi",
    "held_back": "CHƯA CÔNG BỐ, bị giữ lại",
    "cleared": "đạt mọi kiểm tra",
    "failed": "KHÔNG HOÀN THÀNH, hệ thống gặp lỗi",
}


@dataclass(frozen=True)
class UnitReport:
    """What a run came to for one reporting unit. ``release`` is a folder."""

    unit_code: str
    name: str
    state: State
    release: str | None = None
    reasons: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        head = f"{self.unit_code} {self.name}: {_STATE_VI[self.state]}"
        if self.release:
            head += f": {self.release}"
        return [head, *(f"  - {reason}" for reason in self.reasons)]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def unit_name(pipeline: Pipeline, code: str, quarter: str) -> str:
    """The name the unit bore when the quarter closed; its code where nobody bears it."""
    period = find_period(quarter)
    unit = pipeline.reference.unit(code, period.closes_on) if period else None
    return unit.name if unit else code


def unit_reports(pipeline: Pipeline, stage: Stage, quarter: str, units: Iterable[str]) -> list[UnitReport]:
    """One report a unit, from what the pipeline remembers of this run."""
    return [_unit_report(pipeline, stage, quarter, unit) for unit in units]


def _unit_report(pipeline: Pipeline, stage: Stage, quarter: str, unit: str) -> UnitReport:
    from expectations import explain_vi

    name = unit_name(pipeline, unit, quarter)
    outcome = pipeline.outcomes.get(unit)
    verdicts = pipeline.verdicts.get(unit, {})
    if outcome and outcome.release:
        return UnitReport(unit, name, "published" if outcome.changed else "unchanged", outcome.release)
    why = [line for verdict in verdicts.values() for line in explain_vi(verdict)]
    if not why and outcome:
        why = list(outcome.reasons)
    if why:
        return UnitReport(unit, name, "held_back", reasons=why)
    cleared = stage is Stage.CHECK and set(verdicts) == {"raw", "mart"}
    return UnitReport(unit, name, "cleared" if cleared else "failed")


def exit_code(result: RunResult, reports: Iterable[UnitReport]) -> Exit:
    """3 where a step broke or a unit came to nothing, else 1 where a unit is held back, else 0."""
    states = {report.state for report in reports}
    if result.broken_steps or "failed" in states:
        return Exit.FAILED
    return Exit.HELD_BACK if "held_back" in states else Exit.DONE

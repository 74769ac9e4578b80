"""What a run came to, and how a report stands, unit by unit: words for officials and the same as data.

Belongs here: turning verdicts, outcomes and receipts into lines. Does not belong here: running anything, who is told
(``cli``, ``telling``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from expectations import Verdict, explain_vi
from ingestion import SourceStatus
from orchestration.pipeline import Pipeline
from orchestration.real_names import with_real_names
from orchestration.review import judged, pointer_vi, waiting_workbook

if TYPE_CHECKING:
    from publication import Revision

State = Literal["published", "unchanged", "held_back", "locked", "drafted", "cleared", "failed"]

STATE_VI: dict[State, str] = {
    "published": "đã công bố",
    "unchanged": "không thay đổi",
    "held_back": "CHƯA CÔNG BỐ, bị giữ lại",
    "locked": "KỲ BÁO CÁO ĐÃ KHÓA, số liệu mới chưa công bố",
    "drafted": "đã lập dự thảo, chờ phê duyệt",
    "cleared": "đủ điều kiện công bố",
    "failed": "KHÔNG HOÀN THÀNH, hệ thống gặp lỗi",
}


#: How a report stands that nobody is making just now.
STANDING_VI = {
    "published": "đã công bố",
    "outdated": "đã công bố, có dữ liệu mới chưa công bố",
    "held_back": "bị giữ lại",
    "not_checked": "chưa kiểm tra",
    "nothing_delivered": "chưa gửi dữ liệu",
}


@dataclass(frozen=True)
class ReportStanding:
    """How one unit's report of a quarter stands: a state of ``STANDING_VI``, the folder of the current release, and why
    it is held back, with the names of files as they were delivered.
    """

    state: str
    release: str | None
    reasons: list[str]

    @property
    def state_vi(self) -> str:
        """The state in words."""
        return STANDING_VI[self.state]


def report_standing(
    pipeline: Pipeline, unit: str, quarter: str, sources: Sequence[SourceStatus] | None = None
) -> ReportStanding:
    """How one unit's report of a quarter stands by what is stored; nothing is run. ``sources``: what was delivered,
    where the caller has looked. Raises DamagedPointer.
    """
    from publication import current_release, hash_inputs

    inputs_hash = hash_inputs(pipeline.deliveries.inputs_of([unit], quarter)[unit])
    release = current_release(pipeline.home.published, unit, quarter)
    path = str(release.path) if release else None
    if release and release.manifest().inputs_hash == inputs_hash:
        return ReportStanding("published", path, [])
    reasons = [
        line for verdict in judged(pipeline, unit, quarter, inputs_hash).verdicts for line in explain_vi(verdict)
    ]
    if reasons:
        return ReportStanding("held_back", path, with_real_names(pipeline.deliveries.paths, reasons))
    if release:
        return ReportStanding("outdated", path, [])
    delivered = pipeline.deliveries.sources([unit], quarter) if sources is None else sources
    sent = any(source.state != "not_sent" for source in delivered)
    return ReportStanding("not_checked" if sent else "nothing_delivered", path, [])


@dataclass(frozen=True)
class UnitReport:
    """What a run came to for one reporting unit. ``release`` and ``draft`` are folders; ``revision`` what the release
    changed or would change; ``workbook`` the file that asks for the decisions to take, and ``workbook_vi`` what to do
    with it.
    """

    unit_code: str
    name: str
    state: State
    release: str | None = None
    reasons: list[str] = field(default_factory=list)
    revision: Revision | None = None
    draft: str | None = None
    workbook: str | None = None
    workbook_vi: str | None = None

    def lines(self) -> list[str]:
        head = f"{self.unit_code} {self.name}: {STATE_VI[self.state]}"
        if self.release:
            head += f": {self.release}"
        lines = [head, *(f"  - {reason}" for reason in self.reasons)]
        if self.workbook_vi:
            lines.append(f"  {self.workbook_vi}")
        if self.revision and self.state == "published":
            lines.append(f"  - {self.revision.head_vi}")
        if self.revision:
            lines += [f"  {line}" for line in figure_lines(self.revision)]
        return lines

    def as_dict(self) -> dict[str, Any]:
        revision = revision_as_dict(self.revision) if self.revision else None
        return {**asdict(replace(self, revision=None)), "revision": revision}


def figure_lines(revision: Revision) -> list[str]:
    """The changed figures of the form as a table, each with its causes below it."""
    lines = []
    for figure in revision.figures:
        lines.append(f"{figure.place_vi}: {figure.change_vi}")
        lines.append(f"    {figure.cause_vi}")
    return lines


def revision_as_dict(revision: Revision) -> dict[str, Any]:
    """A revision for machines: the form's changed figures, and how many cells of all tables changed."""
    return {
        "previous": revision.previous,
        "release": revision.release,
        "summary_vi": revision.head_vi,
        "changed_cells": len(revision.changes),
        "figures": [
            {
                "indicator_code": figure.indicator_code,
                "row_no": figure.row_no,
                "name_vi": figure.name_vi,
                "old": figure.old,
                "new": figure.new,
                "causes": [asdict(cause) for cause in figure.causes],
            }
            for figure in revision.figures
        ],
    }


def unit_reports(
    pipeline: Pipeline, quarter: str, units: Iterable[str], *, checked_only: bool = False
) -> list[UnitReport]:
    """One report a unit, from the record of this run; ``checked_only``: it was to run the gates and no more."""
    return [_unit_report(pipeline, quarter, unit, checked_only) for unit in units]


def ending(broken: bool, reports: Sequence[UnitReport]) -> Literal["done", "held_back", "failed"]:
    """How a run ended that came to these reports: failed where a step broke or a unit came to nothing, else held back
    where a unit is held back or locked, or where nobody had sent anything.
    """
    states = {report.state for report in reports}
    if broken or "failed" in states:
        return "failed"
    return "held_back" if states & {"held_back", "locked"} or not reports else "done"


def _unit_report(pipeline: Pipeline, quarter: str, unit: str, checked_only: bool) -> UnitReport:
    name = pipeline.units.name_of(unit, quarter)
    outcome = pipeline.record.outcomes.get(unit)
    verdicts = pipeline.record.verdicts.get(unit, {})
    if outcome and outcome.release:
        state: State = "published" if outcome.changed else "unchanged"
        return UnitReport(unit, name, state, outcome.release, revision=outcome.revision)
    if outcome and outcome.locked:
        return UnitReport(unit, name, "locked", None, list(outcome.reasons), outcome.revision)
    if outcome and outcome.awaits:
        return UnitReport(unit, name, "drafted", None, list(outcome.reasons), draft=outcome.draft)
    if faults := pipeline.record.faults_in(pipeline.units.folders_expected(unit, quarter)):
        return UnitReport(unit, name, "failed", reasons=list(faults))
    found = [line for verdict in verdicts.values() for line in explain_vi(verdict)]
    why = with_real_names(pipeline.deliveries.paths, found) if found else []
    if outcome:
        named = {result.expectation_id for verdict in verdicts.values() for result in verdict.blocking()}
        why += [reason for reason in outcome.reasons if not any(f" {rule} " in reason for rule in named)]
    if why:
        draft = outcome.draft if outcome else None
        why += [f"Bản dự thảo (số liệu bị giữ lại để trống): {draft}"] if draft else []
        asks = waiting_workbook(pipeline.home, unit, quarter)
        told = pointer_vi(asks, pipeline.home.landing, unit, quarter) if asks else None
        return UnitReport(
            unit,
            name,
            "held_back",
            reasons=why,
            draft=draft,
            workbook=str(asks) if asks else None,
            workbook_vi=told,
        )
    if not checked_only or set(verdicts) != {"raw", "mart"}:
        return UnitReport(unit, name, "failed")
    return UnitReport(unit, name, "cleared", reasons=_passed_with(verdicts.values()))


def _passed_with(verdicts: Iterable[Verdict]) -> list[str]:
    """What did not hold and holds nothing back: settled by decision, or only worth a remark. One line says all held."""
    results = [result for verdict in verdicts for result in verdict.results]
    counts = (
        (sum(r.status == "fail" and r.severity != "info" for r in results), "quy tắc không đạt, đã được giải trình"),
        (sum(r.status == "fail" and r.severity == "info" for r in results), "quy tắc không đạt nhưng chỉ để lưu ý"),
        (sum(r.status == "no_data" for r in results), "quy tắc không có dữ liệu để kiểm tra"),
    )
    remarks = [f"{count} trên {len(results)} {what}" for count, what in counts if count]
    return remarks or [f"đạt cả {len(results)} quy tắc"]

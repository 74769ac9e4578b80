"""What there is, without running anything: deliveries, what is missing, verdicts, releases.

Belongs here: ``cchc status``, ``cchc verify`` and the summary after ``cchc ingest``.
Does not belong here: what a run has just done (``orchestration.reports``).
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ingestion import DamagedError, SourceStatus, not_rereadable, remarks_on_landing
from orchestration.cli.revisions import standing, standing_lines
from orchestration.pipeline import Pipeline
from orchestration.reports import STANDING_VI, report_standing
from orchestration.review import pointer_vi, waiting_workbook

_SOURCE_STATES_VI = {
    "delivered": "đã nhận",
    "nothing_to_report": "không phát sinh",
    "held": "giữ lại",
    "refused": "bị trả lại",
    "not_read": "đã có tệp nhưng chưa đọc được",
    "not_sent": "chưa gửi",
}


def source_line(source: SourceStatus) -> str:
    """One source of one folder unit, for people: state, days of delivery, files and rows by what became of them."""
    text = f"    {source.unit_code} {source.source}: {_SOURCE_STATES_VI[source.state]}"
    days = sorted({moment[:10] for moment in (source.delivered_from, source.delivered_to) if moment})
    if days:
        text += " ngày " + " đến ".join(f"{dt.date.fromisoformat(day):%d/%m/%Y}" for day in days)
    if source.files:
        text += f", {source.files} tệp, {source.rows_accepted} dòng"
    counts = (
        (source.rows_rejected, "dòng bị loại"),
        (source.rows_with_findings, "dòng có lưu ý"),
        (source.held, "tệp giữ lại vì sai thư mục"),
        (source.refused, "tệp không dùng được"),
        (source.superseded, "tệp cũ đã được thay"),
        (source.corrections_refused, "bản sửa bị trả lại nên bản trước vẫn được tính"),
    )
    text += "".join(f", {count} {what}" for count, what in counts if count)
    if source.waiting:
        text += f", tệp chưa đọc: {', '.join(source.waiting)}"
    return f"{text} ({'; '.join(source.messages_vi)})" if source.messages_vi else text


@dataclass(frozen=True)
class UnitStatus:
    """One reporting unit in one quarter. ``standing`` is what people did to the published quarter: lock, rollback;
    ``workbook`` the file that asks for the decisions to take.
    """

    unit_code: str
    name: str
    release: str | None
    state: str
    reasons: list[str] = field(default_factory=list)
    sources: list[SourceStatus] = field(default_factory=list)
    not_rereadable: list[str] = field(default_factory=list)
    standing: dict[str, Any] | None = None
    standing_vi: list[str] = field(default_factory=list)
    workbook: str | None = None
    workbook_vi: str | None = None

    def lines(self) -> list[str]:
        release = f", bản hiện hành {self.release}" if self.release else ""
        head = f"  {self.unit_code} {self.name}: {STANDING_VI[self.state]}{release}"
        reasons = [f"    - {reason}" for reason in [*self.standing_vi, *self.reasons]]
        reasons += [f"    {self.workbook_vi}"] if self.workbook_vi else []
        return [head, *reasons, *map(source_line, self.sources), *(f"    {line}" for line in self.not_rereadable)]


@dataclass(frozen=True)
class QuarterStatus:
    """All reporting units of a quarter that ever delivered anything, or have a folder to deliver into."""

    quarter: str
    units: list[UnitStatus]
    remarks: list[str] = field(default_factory=list)
    #: What units above those that report delivered themselves, and how their releases and drafts stand, by code and
    #: name.
    superiors: dict[str, list[SourceStatus]] = field(default_factory=dict)
    superiors_standing_vi: dict[str, list[str]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        lines = [line for unit in self.units for line in unit.lines()]
        for name, sources in self.superiors.items():
            lines.append(f"  {name}: bản tổng hợp và tệp nộp cho bản tổng hợp")
            lines += [f"    - {line}" for line in self.superiors_standing_vi.get(name, [])]
            lines += map(source_line, sources)
        lines = lines or ["  chưa có dữ liệu"]
        return [self.quarter, *lines, *(f"  - {remark}" for remark in self.remarks)]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def quarter_status(pipeline: Pipeline, quarter: str) -> QuarterStatus:
    """What was delivered for a quarter, what is missing, what is held back, what is published."""
    units = []
    remarks = _landing_remarks(pipeline, quarter)
    try:
        gone = _gone_originals(pipeline, quarter)
    except DamagedError as error:  # how long originals were kept is no part of how the quarter stands
        gone = {}
        remarks.append(str(error))
    in_scope = pipeline.deliveries.units_in(quarter, pipeline.deliveries.reporting_units(quarter))
    asked = {
        unit: sorted({*folders, *pipeline.units.folders_expected(unit, quarter)}) for unit, folders in in_scope.items()
    }
    for unit, sources in pipeline.deliveries.sources_of(asked, quarter).items():
        folders = in_scope[unit]
        lines = [line for folder in folders for line in gone.get(folder, [])]
        units.append(
            replace(
                _unit_status(pipeline, unit, quarter, sources),
                not_rereadable=lines,
                **_standing(pipeline, unit, quarter),
            )
        )
    places = (pipeline.home.published, pipeline.home.review)
    known = {folder.parent.name for place in places for folder in place.glob(f"*/{quarter}")}
    superiors = {code for code in known if pipeline.units.is_superior(code, quarter)}
    superiors.update(pipeline.deliveries.superiors(quarter))
    above = {f"{code} {pipeline.units.name_of(code, quarter)}": code for code in sorted(superiors)}
    of_superiors = pipeline.deliveries.sources_of({name: [code] for name, code in above.items()}, quarter)
    return QuarterStatus(
        quarter,
        units,
        remarks,
        of_superiors,
        {name: _released_and_drafted(pipeline, code, quarter) for name, code in above.items()},
    )


def _released_and_drafted(pipeline: Pipeline, superior: str, quarter: str) -> list[str]:
    from publication import current_release

    release = current_release(pipeline.home.published, superior, quarter)
    lines: list[str] = _standing(pipeline, superior, quarter)["standing_vi"]
    return [f"bản hiện hành {release.path}" if release else "chưa có bản công bố", *lines]


def _landing_remarks(pipeline: Pipeline, quarter: str) -> list[str]:
    """What the last ingestion noticed about versions and places, of the quarter or of no quarter that it could tell."""
    found = remarks_on_landing(pipeline.deliveries.paths).to_pylist()
    return [f"{r['message_vi']} {r['advice_vi']}".strip() for r in found if r["_quarter"] in (None, quarter)]


def _standing(pipeline: Pipeline, unit: str, quarter: str) -> dict[str, Any]:
    from publication import DamagedDraft, read_draft, read_pointer

    pointer = read_pointer(pipeline.home.published / unit / quarter)
    lines = standing_lines(pointer) if pointer else []
    with suppress(DamagedDraft):
        draft = read_draft(pipeline.home.draft_of(unit, quarter))
        what = "chờ phê duyệt" if draft.can_be_approved else "chưa đủ điều kiện công bố"
        lines.append(f"có bản dự thảo {draft.code}, {what}: {draft.folder}")
    return {"standing": standing(pointer) if pointer else None, "standing_vi": lines}


def _gone_originals(pipeline: Pipeline, quarter: str) -> dict[str, list[str]]:
    """By folder unit, the deliveries that count but can no longer be read again, and since when."""
    gone = not_rereadable(pipeline.deliveries.paths)
    found: dict[str, list[str]] = {}
    for row in pipeline.deliveries.receipts(quarter):
        if row["delivery_id"] in gone:
            day = gone[row["delivery_id"]]
            why = f"đã xóa theo thời hạn lưu ngày {dt.date.fromisoformat(day):%d/%m/%Y}" if day else "bị mất"
            line = f"{row['unit_code']} {row['source']}: không đọc lại được {row['file_name']}, bản gốc {why}"
            found.setdefault(row["unit_code"], []).append(line)
    return found


def _unit_status(pipeline: Pipeline, unit: str, quarter: str, sources: list[SourceStatus]) -> UnitStatus:
    found = report_standing(pipeline, unit, quarter, sources)
    asks = waiting_workbook(pipeline.home, unit, quarter) if found.reasons else None
    told = pointer_vi(asks, pipeline.home.landing, unit, quarter) if asks else None
    name = pipeline.units.name_of(unit, quarter)
    return UnitStatus(
        unit,
        name,
        found.release,
        found.state,
        found.reasons,
        sources,
        workbook=str(asks) if asks else None,
        workbook_vi=told,
    )


def ingest_summary(pipeline: Pipeline, quarter: str, units: list[str]) -> tuple[list[str], dict[str, Any], bool]:
    """Lines and data of what is in the lake for a quarter, and whether anything delivered was turned away."""
    folders = sorted(
        {folder for folders in pipeline.deliveries.units_in(quarter, units).values() for folder in folders}
    )
    found = [s for s in pipeline.deliveries.sources(folders, quarter) if s.state != "not_sent"]
    turned_away = any(s.held or s.refused or s.rows_rejected for s in found)
    lines = [f"{quarter}: {sum(s.files for s in found)} tệp", *map(source_line, found)]
    lines += problem_lines(pipeline)
    if turned_away:
        lines.append(f"dòng và tệp trả lại để sửa: {pipeline.home.outbox}")
    data = {"sources": [asdict(s) for s in found], "not_deliveries": [asdict(p) for p in pipeline.record.problems]}
    return lines, data, turned_away


def problem_lines(pipeline: Pipeline) -> list[str]:
    """What lies in the landing folder and was not taken in, and why."""
    return [f"  {problem.path}: {problem.message_vi}" for problem in pipeline.record.problems]


def verify_releases(folders: list[Path]) -> tuple[list[str], dict[str, Any], bool]:
    """Lines, data, and whether every release is what was published."""
    from publication import verify

    damages = {str(folder): verify(folder) for folder in folders}
    lines = []
    for folder, found in damages.items():
        lines.append(f"{folder}: {'HƯ HẠI' if found else 'nguyên vẹn'}")
        lines += [f"  - {damage.message_vi}" for damage in found]
    releases = [
        {"path": folder, "whole": not found, "damages": [asdict(damage) for damage in found]}
        for folder, found in damages.items()
    ]
    return lines, {"releases": releases}, not any(damages.values())

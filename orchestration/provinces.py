"""Provinces: what their units have published, rolled up, judged and published as a release of the province.

Belongs here: which units a province has on a closing day, why one is missing, and the steps in order.
Does not belong here: the figures (``publication.province``), what must hold (``expectations``), who is told (``cli``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.roles import SUPERIOR
from common.units import AdminUnit, registered
from ingestion import (
    LandingProblem,
    accepted_rows,
    departments_of,
    ingest_source,
    inputs,
    load_contracts,
    source_order,
)
from orchestration.outcomes import Outcome, why_not_whole
from orchestration.pipeline import Pipeline
from orchestration.stages import draft_unit, publish_unit

if TYPE_CHECKING:
    from publication import Amendment, Department, Draft, MemberUnit, PortalFigure

#: The sources of what a portal shows for units of a province, of its register of departments, and of their figures.
PORTAL_SOURCE, REGISTER_SOURCE, DEPARTMENTS_SOURCE = "portal_figures", "org_units", "department_figures"
#: Of what a rule finds in the province's own tables so many are told.
_SHOWN = 5


class NoProvince(ValueError):
    """A code that is no province on the closing day, or one without units; the message is for people."""


@dataclass(frozen=True)
class RollUp:
    """What came of one province: a release that is current, or why there is none; units put in, and all it has; the
    same of its own departments; the folder of what was rolled up, None where nothing could be.
    """

    name_vi: str
    outcome: Outcome
    counted: int = 0
    expected: int = 0
    departments: tuple[int, int] = (0, 0)
    candidate: Path | None = None

    def lines(self) -> list[str]:
        """What people are told."""
        from publication import coverage_vi

        name = f"{self.name_vi} ({self.outcome.unit_code})"
        of = f"({coverage_vi(self.counted, self.expected, *self.departments)})"
        if self.outcome.awaits:
            return [f"{name}: đã lập dự thảo bản tổng hợp {of}", *(f"  - {r}" for r in self.outcome.reasons)]
        if self.outcome.release is None:
            return [f"{name}: KHÔNG TỔNG HỢP ĐƯỢC", *(f"  - {reason}" for reason in self.outcome.reasons)]
        state = "đã công bố bản tổng hợp" if self.outcome.changed else "bản tổng hợp không thay đổi"
        lines = [f"{name}: {state} {self.outcome.release} {of}"]
        if self.outcome.revision is not None:
            lines += [f"  - {line}" for line in (self.outcome.revision.head_vi, *self.outcome.revision.causes_vi)]
        return lines


def units_of(pipeline: Pipeline, province: str, quarter: str) -> tuple[AdminUnit, list[AdminUnit]]:
    """The province and the units that report to it on the closing day: those whose unit above it is.

    Raises NoProvince.
    """
    day = pipeline.units.closing_day(quarter)
    found = next(
        (u for u in registered().units if u.code == province and u.level == "province" and u.valid_on(day)), None
    )
    if found is None:
        raise NoProvince(f"không có tỉnh, thành phố nào mang mã {province[:40]!r} vào ngày chốt {day:%d/%m/%Y}")
    if not (below := _below(province, day)):
        raise NoProvince(f"{found.name} không có đơn vị nào vào ngày chốt {day:%d/%m/%Y}")
    return found, below


def _below(province: str, day: dt.date) -> list[AdminUnit]:
    """In order of code; nobody reports to a province that is not in being on the day."""
    return sorted(
        (u for u in registered().units if u.parent_code == province and u.valid_on(day)), key=lambda u: u.code
    )


def provinces_of(pipeline: Pipeline, quarter: str) -> list[str]:
    """The provinces that a run rolls up: those of the setting of which a unit has published something; one that has
    ended, or has yet to begin, has no units in the quarter.
    """
    day, published = pipeline.units.closing_day(quarter), pipeline.home.published
    return [
        province
        for province in pipeline.settings.provinces
        if any((published / unit.code / quarter).is_dir() for unit in _below(province, day))
    ]


def roll_up_all(
    pipeline: Pipeline,
    quarter: str,
    provinces: Sequence[str],
    amendment: Amendment | None = None,
    *,
    only_draft: bool = False,
) -> list[RollUp]:
    """Rolls up each province and publishes it, or makes its draft: with ``only_draft``, and where somebody has to
    approve it; the copy in PostgreSQL follows. The run's record keeps what came of it. ``amendment`` lets a locked
    province be revised: one that a run makes of a unit is none of the province's.
    """
    from publication import index_once

    make = draft_unit if only_draft else publish_unit
    with pipeline.timings.stage("provinces", "tổng hợp toàn tỉnh"), index_once():
        found = [_roll_up(pipeline, quarter, province, amendment, make) for province in provinces]
    pipeline.record.provinces = found
    pipeline.record.outcomes |= {one.outcome.unit_code: one.outcome for one in found}
    released = [one.outcome.unit_code for one in found if one.outcome.release]
    if released and not only_draft and pipeline.settings.postgres_url is not None:
        from orchestration.postgres import copy_quarter

        copy_quarter(pipeline, quarter, released)
    return found


def why_stale(pipeline: Pipeline, draft: Draft) -> list[str]:
    """What was published or delivered since the draft of a province was made, a clause each; empty where it is still
    what a roll-up of now would give. A file that lies there unread counts: nobody knows yet what it changes.
    """
    from publication import CandidateError, changed_since, read_candidate

    province, quarter, home = draft.unit_code, draft.quarter, pipeline.home
    unread = [
        f"tệp {file.file_name} ({file.source}) chưa được đọc"
        for file in pipeline.deliveries.waiting_of_superiors([province], quarter)
    ]
    try:
        candidate = read_candidate(home.warehouse / "candidates" / province / quarter / draft.candidate_hash)
    except CandidateError as error:
        return [str(error)]
    members = _members(units_of(pipeline, province, quarter)[1])
    return unread + changed_since(candidate, home.published, quarter, members, _delivered(pipeline, province, quarter))


def _members(below: Iterable[AdminUnit]) -> list[MemberUnit]:
    from publication import MemberUnit

    return [MemberUnit(unit.code, unit.name, unit.level) for unit in below]


def _roll_up(
    pipeline: Pipeline,
    quarter: str,
    province: str,
    amendment: Amendment | None,
    make: Callable[[Pipeline, str, str, Path, Amendment | None], Outcome],
) -> RollUp:
    from expectations import explain_vi, run_province_gate
    from publication import RELEASES_SOURCE, CandidateError, ReleaseNotWhole, read_candidate, roll_up

    home = pipeline.home
    unit, below = units_of(pipeline, province, quarter)
    if faults := _take_in(pipeline, province, quarter):
        return RollUp(unit.name, Outcome(province, None, reasons=faults), 0, len(below))
    try:
        departments = _departments(pipeline, province, quarter)
        folder = roll_up(
            home.published,
            home.warehouse,
            province=province,
            name_vi=unit.name,
            quarter=quarter,
            units=_members(below),
            why_missing={u.code: _why_missing(pipeline, u.code, quarter) for u in below},
            portal=_portal_figures(pipeline, province, quarter),
            departments=departments,
            deliveries=_delivered(pipeline, province, quarter),
        )
    except CandidateError as error:
        return RollUp(unit.name, Outcome(province, None, reasons=(str(error),)), 0, len(below))
    verdicts = run_province_gate(home.warehouse, quarter, {province: (folder, folder.name)}, pipeline.gate())
    counted = sum(given["source"] == RELEASES_SOURCE for given in read_candidate(folder).inputs)
    of_departments = (sum(bool(one.figures) for one in departments), len(departments))
    if blocking := verdicts[province].blocking():
        reasons = tuple(f"{result.sentence_vi} [{result.expectation_id}]" for result in blocking)
        reasons += tuple(explain_vi(verdicts[province])[:5])
        return RollUp(unit.name, Outcome(province, None, reasons=reasons), counted, len(below), of_departments, folder)
    try:
        outcome = make(pipeline, province, quarter, folder, amendment)
    except ReleaseNotWhole as error:
        outcome = Outcome(province, None, reasons=why_not_whole(error, folder, ()))
    return RollUp(unit.name, outcome, counted, len(below), of_departments, folder)


def _take_in(pipeline: Pipeline, province: str, quarter: str) -> tuple[str, ...]:
    """Reads what the province itself delivered for the quarter and checks it as gate 1 does; why it cannot be used.

    Reading it here makes a roll-up the same whether a whole run went before or not; what is read already is passed by.
    """
    from expectations import run_raw_gate
    from publication import hash_inputs

    deliveries, period = pipeline.deliveries, pipeline.units.reference.periods[quarter]
    if not any((pipeline.home.landing / province / quarter).glob("*/*")) and not _delivered(
        pipeline, province, quarter
    ):
        return ()
    problems: list[LandingProblem] = []
    contracts = load_contracts()
    for source in source_order(contracts):
        contract = contracts[source]
        if SUPERIOR in contract.delivered_by or (pipeline.home.landing / province / quarter / source).is_dir():
            problems += ingest_source(
                deliveries.paths,
                source,
                quarter,
                units=[province],
                reference=pipeline.units.reference,
                secret_key=pipeline.settings.person_secret(),
                limits=pipeline.settings.intake,
                signers=pipeline.settings.signers(),
            ).problems
    pipeline.record.problems = sorted({*problems, *pipeline.record.problems})
    if faults := pipeline.record.faults_in([province]):
        return faults
    in_scope = {province: (province,)}
    verdict = run_raw_gate(
        pipeline.home.raw,
        pipeline.home.warehouse,
        quarter,
        (period.opens_on, period.closes_on),
        in_scope,
        {province: hash_inputs(_delivered(pipeline, province, quarter))},
        [
            (file.unit_code, file.quarter, file.source, file.file_name)
            for file in deliveries.waiting_of_superiors([province], quarter)
        ],
        pipeline.gate(),
        superiors=[province],
    )[province]
    # In words of its own: how a decision would be written helps nobody here, since none is taken on these tables.
    return tuple(
        line
        for result in verdict.blocking()
        for line in (
            f"{result.sentence_vi} [{result.expectation_id}]",
            *(finding.message_vi for finding in result.findings[:_SHOWN]),
        )
    )


def _delivered(pipeline: Pipeline, province: str, quarter: str) -> list[dict[str, str]]:
    """The province's own deliveries that its roll-up is made from: those of the quarter, and its register of
    departments where that is an earlier one's.
    """
    paths = pipeline.deliveries.paths
    _, of_register = departments_of(paths, province, quarter, pipeline.units.reference)
    earlier = inputs(paths, [province], [of_register] if of_register and of_register != quarter else [])
    found = [*inputs(paths, [province], [quarter]), *(one for one in earlier if one["source"] == REGISTER_SOURCE)]
    return sorted(found, key=lambda one: one["delivery_id"])


def _portal_figures(pipeline: Pipeline, province: str, quarter: str) -> list[PortalFigure]:
    """What the province's current deliveries say that portals show, one figure a unit, row of the form and portal:
    that of the later delivery where several have one.
    """
    from publication import PortalFigure

    found = {
        (row["unit"], row["indicator_code"], row["portal"] or ""): PortalFigure(
            row["unit"], row["indicator_code"], row["value"], row["taken_on"], row["portal"], *place
        )
        for row, place in _rows_with_places(pipeline, PORTAL_SOURCE, province, quarter)
    }
    return [found[key] for key in sorted(found)]


def _departments(pipeline: Pipeline, province: str, quarter: str) -> list[Department]:
    """The departments of the province's register, with the figures that its current deliveries have of them; one figure
    a department and row: that of the later delivery where several have one.

    Raises CandidateError for figures of a department that the register no longer has.
    """
    from publication import CandidateError, Department, DepartmentFigure

    found: dict[str, dict[str, DepartmentFigure]] = {}
    for row, place in _rows_with_places(pipeline, DEPARTMENTS_SOURCE, province, quarter):
        figure = DepartmentFigure(
            row["department"],
            row["indicator_code"],
            row["value"],
            row["numerator"],
            row["denominator"],
            row["evidence"],
            *place,
        )
        found.setdefault(figure.member_code, {})[figure.indicator_code] = figure
    listed, _ = departments_of(pipeline.deliveries.paths, province, quarter, pipeline.units.reference)
    if strange := sorted(found.keys() - {code for code, _ in listed}):
        names = ", ".join(strange[:_SHOWN])
        raise CandidateError(f"có số liệu của sở, ban, ngành không có trong danh mục của tỉnh: {names}")
    return [
        Department(code, name, tuple(figure for _, figure in sorted(found.get(code, {}).items())))
        for code, name in listed
    ]


def _rows_with_places(
    pipeline: Pipeline, source: str, province: str, quarter: str
) -> Iterator[tuple[dict[str, Any], tuple[str, int, int]]]:
    """The rows of the province's current deliveries of a source, those of the later one last, each with where it
    stands: the file's neutral name, the place of its sheet among the names of the file's sheets, the row.
    """
    from publication import neutral_name

    rows = accepted_rows(pipeline.deliveries.paths, source, province, quarter)
    given = {entry["delivery_id"]: entry for entry in _delivered(pipeline, province, quarter)}
    sheets: dict[str, set[str]] = {}
    for row in rows:
        sheets.setdefault(row["_delivery_id"], set()).add(row["_sheet"] or "")
    for row in rows:
        identity = row["_delivery_id"]
        sheet = 1 + sorted(sheets[identity]).index(row["_sheet"] or "")
        yield row, (neutral_name(given[identity]), sheet, row["_row"])


def _why_missing(pipeline: Pipeline, unit: str, quarter: str) -> str:
    """How far a unit without a release has come."""
    home = pipeline.home
    if any((home.warehouse / "candidates" / unit / quarter).glob("*/candidate.json")):
        return "đã gửi số liệu, đang bị giữ lại ở bước kiểm tra"
    if any((home.landing / unit / quarter).glob("*/*")):
        return "đã gửi tệp, chưa có bản công bố của kỳ"
    return "chưa gửi số liệu của kỳ"

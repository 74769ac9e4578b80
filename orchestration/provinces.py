"""Provinces: what their units have published, rolled up, judged and published as a release of the province.

Belongs here: which units a province has on a closing day, why one is missing, and the steps in order.
Does not belong here: the figures (``publication.province``), what must hold (``expectations``), who is told (``cli``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from common.units import AdminUnit, load_units
from orchestration.outcomes import Outcome
from orchestration.pipeline import Pipeline
from orchestration.settings import DBT_DIR
from orchestration.stages import imprint_of, outcome_of
from orchestration.timing import now
from orchestration.version import code_version, tool_versions

if TYPE_CHECKING:
    from publication import Amendment


#: No draft of a province can be approved yet, and nothing is published past the setting.
_UNAPPROVED_VI = "thiết đặt approval = recorded: bản tổng hợp của tỉnh chưa có bước phê duyệt nên không được công bố"


class NoProvince(ValueError):
    """A code that is no province on the closing day, or one without units; the message is for people."""


@dataclass(frozen=True)
class RollUp:
    """What came of one province: a release that is current, or why there is none; units put in, and all it has."""

    name_vi: str
    outcome: Outcome
    counted: int = 0
    expected: int = 0

    def lines(self) -> list[str]:
        """What people are told."""
        name = f"{self.name_vi} ({self.outcome.unit_code})"
        if self.outcome.release is None:
            return [f"{name}: KHÔNG TỔNG HỢP ĐƯỢC", *(f"  - {reason}" for reason in self.outcome.reasons)]
        state = "đã công bố bản tổng hợp" if self.outcome.changed else "bản tổng hợp không thay đổi"
        lines = [f"{name}: {state} {self.outcome.release} ({self.counted}/{self.expected} đơn vị)"]
        if self.outcome.revision is not None:
            lines += [f"  - {line}" for line in (self.outcome.revision.head_vi, *self.outcome.revision.causes_vi)]
        return lines


@lru_cache(maxsize=1)
def _register() -> tuple[AdminUnit, ...]:
    return load_units(DBT_DIR / "seeds")


def units_of(pipeline: Pipeline, province: str, quarter: str) -> tuple[AdminUnit, list[AdminUnit]]:
    """The province and the units that report to it on the closing day: those whose unit above it is.

    Raises NoProvince.
    """
    day = pipeline.units.closing_day(quarter)
    found = next((u for u in _register() if u.code == province and u.level == "province" and u.valid_on(day)), None)
    if found is None:
        raise NoProvince(f"không có tỉnh, thành phố nào mang mã {province[:40]!r} vào ngày chốt {day:%d/%m/%Y}")
    below = [unit for unit in _register() if unit.parent_code == province and unit.valid_on(day)]
    if not below:
        raise NoProvince(f"{found.name} không có đơn vị nào vào ngày chốt {day:%d/%m/%Y}")
    return found, sorted(below, key=lambda unit: unit.code)


def provinces_of(pipeline: Pipeline, quarter: str, wanted: Sequence[str] = ()) -> list[str]:
    """The provinces that a run rolls up: those of the setting, of which a unit has published something."""
    asked = pipeline.settings.provinces
    published = pipeline.home.published
    return [
        province
        for province in (code for code in asked if not wanted or code in wanted)
        if any((published / unit.code / quarter).is_dir() for unit in units_of(pipeline, province, quarter)[1])
    ]


def roll_up_all(
    pipeline: Pipeline, quarter: str, provinces: Sequence[str], amendment: Amendment | None = None
) -> list[RollUp]:
    """Rolls up each province; the run's record keeps what came of it. ``amendment`` lets a locked province be revised:
    one that a run makes of a unit is none of the province's.
    """
    from publication import index_once

    with pipeline.timings.stage("provinces", "tổng hợp toàn tỉnh"), index_once():
        found = [_roll_up(pipeline, quarter, province, amendment) for province in provinces]
    pipeline.record.provinces = found
    return found


def _roll_up(pipeline: Pipeline, quarter: str, province: str, amendment: Amendment | None) -> RollUp:
    from expectations import explain_vi, run_province_gate
    from publication import CandidateError, MemberUnit, current_release, publish, read_candidate, roll_up

    home = pipeline.home
    unit, below = units_of(pipeline, province, quarter)
    try:
        folder = roll_up(
            home.published,
            home.warehouse,
            province=province,
            name_vi=unit.name,
            quarter=quarter,
            units=[MemberUnit(u.code, u.name, u.level) for u in below],
            why_missing={u.code: _why_missing(pipeline, u.code, quarter) for u in below},
        )
    except CandidateError as error:
        return RollUp(unit.name, Outcome(province, None, reasons=(str(error),)), 0, len(below))
    verdicts = run_province_gate(home.warehouse, quarter, {province: (folder, folder.name)}, pipeline.gate())
    counted = len(read_candidate(folder).inputs)
    if blocking := verdicts[province].blocking():
        reasons = tuple(f"{result.sentence_vi} [{result.expectation_id}]" for result in blocking)
        reasons += tuple(explain_vi(verdicts[province])[:5])
        return RollUp(unit.name, Outcome(province, None, reasons=reasons), counted, len(below))
    if pipeline.settings.approval == "recorded":
        reasons = (_UNAPPROVED_VI,)
        return RollUp(unit.name, Outcome(province, None, reasons=reasons), counted, len(below))
    current = current_release(home.published, province, quarter)
    answer = publish(
        home.published,
        folder,
        home.warehouse / "verdicts" / province / quarter,
        unit=province,
        quarter=quarter,
        expected_previous=current.number if current else None,
        code_version=code_version(),
        published_at=now(),
        versions=tool_versions(),
        amendment=amendment,
        witness=pipeline.journal.witness,
        imprint=imprint_of(pipeline),
    )
    return RollUp(unit.name, outcome_of(pipeline, province, quarter, answer), counted, len(below))


def _why_missing(pipeline: Pipeline, unit: str, quarter: str) -> str:
    """How far a unit without a release has come."""
    home = pipeline.home
    if any((home.warehouse / "candidates" / unit / quarter).glob("*/candidate.json")):
        return "đã gửi số liệu, đang bị giữ lại ở bước kiểm tra"
    if any((home.landing / unit / quarter).glob("*/*")):
        return "đã gửi tệp, chưa có bản công bố của kỳ"
    return "chưa gửi số liệu của kỳ"

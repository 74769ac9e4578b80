"""What came of a run, unit by unit, and why a unit has no new release, in words.

Belongs here: what the steps of one run leave for its answer.
Does not belong here: the steps (``stages``); the answer as a whole (``reports``, ``assets``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.damage import Mended
from expectations import Verdict
from ingestion import IngestReport, LandingProblem

if TYPE_CHECKING:
    from orchestration.provinces import RollUp
    from orchestration.settings import Settings
    from publication import Copied, Draft, Event, Held, PostgresError, ReleaseNotWhole, Revision


@dataclass(frozen=True)
class Outcome:
    """What publication did for one unit: a release that is current, or why there is no new one.

    ``revision`` is what the release changed, or would change where a locked quarter held it back (``locked``).
    ``draft`` is the folder of its draft, where one was made; ``awaits`` whether it only waits to be approved.
    """

    unit_code: str
    release: str | None
    changed: bool = False
    reasons: tuple[str, ...] = ()
    revision: Revision | None = None
    locked: bool = False
    draft: str | None = None
    awaits: bool = False


@dataclass
class RunRecord:
    """What the steps of one run have come to so far.

    ``verdicts`` by unit and stage, ``outcomes`` and ``candidates`` by unit, ``copies`` by ``unit/quarter``.
    ``problems``: what lies in the landing folder and was not taken in. ``candidates`` is None until they are written.
    ``began_with``: the state of the folders before the first source was taken in, ``made_by``: code, forms and tools of
    that moment; ``taken_in``: the sources since.
    ``mended``: what was missing or damaged in the home and was made again; ``damaged``: what a person must bring back.
    ``run_id`` and ``units``: which run this is, in Dagster's storage too, and for whom (all where empty); ``intake`` by
    source, a report a quarter; ``broken``: steps and why; ``exit_code`` once the command knows it.
    ``left``: the units that steps after intake are for, where those of others stand; None until it is known.
    """

    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    units: tuple[str, ...] = ()
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    copies: dict[str, Copied | PostgresError] = field(default_factory=dict)
    problems: list[LandingProblem] = field(default_factory=list)
    candidates: dict[str, Path] | None = None
    began_with: str | None = None
    made_by: list[Any] | None = None
    taken_in: set[str] = field(default_factory=set)
    mended: list[Mended] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    intake: dict[str, list[IngestReport]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    exit_code: int | None = None
    left: list[str] | None = None
    provinces: list[RollUp] = field(default_factory=list)

    @property
    def candidates_in_use(self) -> dict[str, Path]:
        """Of units and provinces, those that the run wrote or found."""
        rolled_up = {one.outcome.unit_code: one.candidate for one in self.provinces if one.candidate}
        return {**(self.candidates or {}), **rolled_up}

    def add_verdicts(self, verdicts: Mapping[str, Verdict]) -> None:
        for unit, verdict in verdicts.items():
            self.verdicts.setdefault(unit, {})[verdict.stage] = verdict

    @property
    def has_faults(self) -> bool:
        return any(problem.is_fault for problem in self.problems)

    def healing_lines(self) -> list[str]:
        """What was wrong with the home itself, a line each."""
        return [*(mended.line_vi() for mended in self.mended), *(f"HƯ HẠI: {line}" for line in self.damaged)]

    def faults_in(self, folders: Collection[str]) -> tuple[str, ...]:
        """What this run could not take in for want of space, rights or a sound disk; no sender is to blame for it."""
        return tuple(
            f"{p.path}: {p.message_vi}" for p in self.problems if p.is_fault and p.path.split("/")[0] in folders
        )


def lock_vi(lock: Event) -> str:
    """A lock as a clause: since when, at which release, why and by whom."""
    since = f" từ ngày {dt.datetime.fromisoformat(lock.at):%d/%m/%Y}" if lock.at else ""
    by = f"; người khóa: {lock.by}" if lock.by else ""
    return f"đã khóa{since} ở bản r{lock.release} (lý do: {lock.reason}{by})"


def why_locked(held: Held, command: str) -> tuple[str, ...]:
    """Which lock holds the release back, what it would change, and the ``command`` by which it is published all the
    same.
    """
    return (
        f"Kỳ báo cáo {lock_vi(held.lock)}.",
        f"Nếu công bố số liệu mới: {held.revision.extent_vi}",
        f'Muốn công bố: {command} --amend --reason "…"',
    )


def why_it_waits(draft: Draft, settings: Settings, command: str) -> tuple[str, ...]:
    """Where the draft lies, and the command that publishes exactly it; ``command`` publishes without an approval."""
    unit, quarter = draft.unit_code, draft.quarter
    if settings.approval == "recorded":
        command = f'cchc approve {quarter} --unit {unit} --by "…" --document "…" --draft {draft.code}'
    elif draft.amendment:
        command += ' --amend --reason "…"'
    return (f"Bản dự thảo {draft.code}: {draft.folder}", f"Đồng ý công bố: {command}")


def why_locked_draft(draft: Draft, lock: Event, command: str) -> tuple[str, ...]:
    """Which lock holds a draft back, and the ``command`` that drafts it as an amendment."""
    return (
        f"Kỳ báo cáo {lock_vi(lock)}.",
        f"Bản dự thảo {draft.code}: {draft.folder}",
        f'Muốn công bố: {command} --amend --reason "…"',
    )


def why_not_whole(error: ReleaseNotWhole, folder: Path, receipts: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Which document of a candidate's ``folder`` could not be made, and of which delivered row, as far as is known."""
    from publication import delivered_places

    head = f"Không lập được “{error.output}” đúng như số liệu, nên chưa công bố."
    if error.code is None:
        return (head, "Chi tiết kỹ thuật ở nhật ký chạy; báo cho người quản trị hệ thống.")
    files = {row["delivery_id"]: row["file_name"] for row in receipts}
    places = [
        f"tệp {files.get(delivery_id, delivery_id)}, {sheet}, dòng {rows}"
        for delivery_id, sheet, rows in delivered_places(folder, error.code)
    ]
    where = f" ({'; '.join(places)})" if places else ""
    return (head, f"Nội dung gây lỗi ở chỉ tiêu {error.code}{where}: sửa lời văn của dòng này rồi gửi lại tệp.")

"""Corrections: ``cchc diff``, ``lock``, ``unlock``, ``rollback``, and the word that ``--amend`` needs.

Belongs here: their questions to publication, and the words of the answers. Does not belong here: what changed and why,
when a move is allowed (``publication``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from orchestration.cli.terminal import WrongUse
from orchestration.lineage import lineage
from orchestration.outcomes import lock_vi
from orchestration.pipeline import Pipeline
from orchestration.reports import figure_lines, revision_as_dict
from orchestration.timing import now

if TYPE_CHECKING:
    from publication import Amendment, ExplainedChange, Pointer, Release

Answer = tuple[list[str], dict[str, Any]]
_MOVES_VI = {"lock": "đã khóa", "unlock": "đã mở khóa", "rollback": "đã đổi bản hiện hành"}


def amendment_of(pipeline: Pipeline, quarter: str, units: Sequence[str], reason: str, by: str) -> Amendment:
    """The amendment that the options ask for; raises ``WrongUse`` where a unit is missing or not locked."""
    from publication import read_pointer

    if not units:
        raise WrongUse("--amend cần --unit: mỗi lần chỉ sửa kỳ đã khóa của đơn vị được nêu tên")
    for unit in units:
        pointer = read_pointer(pipeline.home.published / unit / quarter)
        if not (pointer and pointer.lock):
            raise WrongUse(f"kỳ {quarter} của {unit} chưa khóa; bỏ --amend và chạy lại")
    return _amendment(reason, by)


def check_amend_options(amend: bool, reason: str, by: str) -> None:
    """Raises ``WrongUse`` where a word is given and nothing is amended, or the other way round, or must not be
    published.
    """
    if amend:
        _amendment(reason, by)
    elif reason or by:
        raise WrongUse("--reason và --by chỉ dùng cùng --amend")


def _amendment(reason: str, by: str) -> Amendment:
    from expectations import UnfitText
    from publication import Amendment

    try:
        return Amendment(_given_reason(reason), by.strip() or None)
    except UnfitText as error:
        raise WrongUse(str(error)) from None


def _given_reason(reason: str) -> str:
    if not reason.strip():
        raise WrongUse("cần --reason: nêu lý do")
    return reason.strip()


def moved(
    move: str, pipeline: Pipeline, unit: str, quarter: str, reason: str, by: str, *, to: int | None = None
) -> Answer:
    """Locks, unlocks or rolls back; raises ``WrongUse`` where the quarter is not in the state for it, or the words must
    not be published.
    """
    from expectations import UnfitText
    from publication import Instruction, NotAllowed, lock, roll_back, unlock

    published, witness = pipeline.home.published, pipeline.journal.witness
    try:
        instruction = Instruction(_given_reason(reason), by.strip() or None, now())
        pointer = (
            lock(published, unit, quarter, instruction, witness)
            if move == "lock"
            else unlock(published, unit, quarter, instruction, witness)
            if move == "unlock"
            else roll_back(published, unit, quarter, to or 0, instruction, witness)
        )
    except (LookupError, NotAllowed, UnfitText) as error:
        raise WrongUse(str(error.args[0])) from error
    if move == "rollback" and pipeline.settings.postgres_url is not None:
        from orchestration.postgres import copy_quarter

        copy_quarter(pipeline, quarter, [unit])
    name = pipeline.units.name_of(unit, quarter)
    line = f"{unit} {name}, {quarter}: {_MOVES_VI[move]}, bản hiện hành là r{pointer.release}"
    return [line], {"unit_code": unit, "quarter": quarter, **standing(pointer)}


def standing(pointer: Pointer) -> dict[str, Any]:
    """What the pointer says beside the files: current release, lock, what was taken back, every event."""
    return {
        "release": pointer.release,
        "locked": pointer.lock is not None,
        "withdrawn": pointer.withdrawn,
        "events": [asdict(event) for event in pointer.events],
    }


def standing_lines(pointer: Pointer) -> list[str]:
    """The same in words; nothing where the quarter is open and nothing was taken back."""
    lines = [lock_vi(pointer.lock)] if pointer.lock else []
    if pointer.withdrawn:
        reason = next(event.reason for event in reversed(pointer.events) if event.action == "rollback")
        names = ", ".join(f"r{number}" for number in pointer.withdrawn)
        lines.append(f"đã thu hồi {names} (lý do: {reason})")
    approvals = [event for event in pointer.events if event.action == "approve" and event.release == pointer.release]
    lines += [f"bản r{event.release} do {event.by} phê duyệt theo {event.reason}" for event in approvals[-1:]]
    return lines


def differences(pipeline: Pipeline, quarter: str, units: Sequence[str], old: int | None, new: int | None) -> Answer:
    """What changed between two releases of each unit (default: the current one and the one it took the place of)."""
    found = [_difference(pipeline, quarter, unit, old, new) for unit in units or _published_units(pipeline, quarter)]
    lines = [line for answer, _ in found for line in answer]
    return lines or [f"{quarter}: chưa công bố bản nào"], {"quarter": quarter, "units": [data for _, data in found]}


def _published_units(pipeline: Pipeline, quarter: str) -> list[str]:
    return sorted(path.parent.parent.name for path in pipeline.home.published.glob(f"*/{quarter}/current.json"))


def _difference(pipeline: Pipeline, quarter: str, unit: str, old: int | None, new: int | None) -> Answer:
    from publication import compare_releases

    after = _release(pipeline, unit, quarter, new)
    head = f"{unit} {pipeline.units.name_of(unit, quarter)}, {quarter}"
    previous = after.manifest().previous
    number = old if old is not None else previous.release if previous else None
    data: dict[str, Any] = {"unit_code": unit, "from": number, "to": after.number, "revision": None}
    if number is None:
        return [f"{head}: r{after.number} là bản đầu tiên, không có bản trước để so"], data
    revision = compare_releases(_release(pipeline, unit, quarter, number), after, lineage())
    others = [change for change in revision.changes if change.change.mart != "report_indicators"]
    lines = [f"{head}: {revision.head_vi}", *(f"  {line}" for line in figure_lines(revision)), *_tables(others)]
    changes = [_as_dict(change) for change in revision.changes]
    return lines, {**data, "revision": {**revision_as_dict(revision), "changes": changes}}


def _release(pipeline: Pipeline, unit: str, quarter: str, number: int | None) -> Release:
    from publication import current_release, find_release

    published = pipeline.home.published
    try:
        release = (
            current_release(published, unit, quarter)
            if number is None
            else find_release(published, unit, quarter, number)
        )
    except LookupError as error:
        raise WrongUse(str(error.args[0])) from error
    if release is None:
        raise WrongUse(f"{unit}, {quarter}: chưa công bố bản nào")
    return release


def _tables(changes: Sequence[ExplainedChange]) -> list[str]:
    """How many cells or rows of each table beside the form changed."""
    counts: dict[str, int] = {}
    for explained in changes:
        counts[explained.change.mart] = counts.get(explained.change.mart, 0) + 1
    return [f"  bảng {mart}: {count} thay đổi" for mart, count in sorted(counts.items())]


def _as_dict(explained: ExplainedChange) -> dict[str, Any]:
    change = asdict(explained.change)
    return {**change, "causes": [asdict(cause) for cause in explained.causes], "cause_vi": explained.cause_vi}

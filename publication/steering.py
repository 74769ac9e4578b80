"""What people do to a published quarter by hand: lock it, unlock it, go back to an earlier release.

Belongs here: these three moves of the pointer and when each is allowed. Does not belong here: making releases, what a
lock holds back (``release``). Each move is one atomic replacement of the pointer, with who, why and when in it; a
``witness`` is told of it before. Release folders are never touched and numbers never used again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.files import exclusive_lock
from publication.content.revision import check_words
from publication.index import rebuild_index
from publication.release import WRITERS_LOCK
from publication.store.pointer import Action, Event, Pointer, Witness, move_pointer, read_pointer, release_name
from publication.tables.manifest import DamagedManifest
from publication.verify import verify


class NotAllowed(Exception):
    """The quarter is not in the state that the move needs. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class Instruction:
    """By whose word something is done: ``reason`` must say something, ``at`` knows its time zone.

    Raises UnfitText for words that must not be published.
    """

    reason: str
    by: str | None = None
    at: dt.datetime | None = None

    def __post_init__(self) -> None:
        check_words(self.reason, self.by)

    def event(self, action: Action, release: int) -> Event:
        """The event as the pointer records it. Raises ValueError for an empty reason or a time without zone."""
        if self.at is not None and self.at.tzinfo is None:
            raise ValueError("the time needs a time zone")
        return Event(action, release, self.reason, self.by, self.at.isoformat() if self.at else None)


def lock(published: Path, unit: str, quarter: str, instruction: Instruction, witness: Witness | None = None) -> Pointer:
    """Close a quarter, as after its report was signed: from now on it is revised by an amendment only.

    Raises LookupError when nothing was published, NotAllowed when it is locked already, DamagedManifest when the
    current release is no longer what was published.
    """
    with _held(published, unit, quarter) as (quarter_dir, pointer):
        if pointer.lock:
            raise NotAllowed(f"{_named(pointer)} đã khóa ở bản {release_name(pointer.lock.release)}")
        _check_whole(quarter_dir, pointer.release)
        return _move(quarter_dir, pointer, pointer.release, instruction.event("lock", pointer.release), witness)


def unlock(
    published: Path, unit: str, quarter: str, instruction: Instruction, witness: Witness | None = None
) -> Pointer:
    """Open a locked quarter again. Raises LookupError when nothing was published, NotAllowed when it is not locked."""
    with _held(published, unit, quarter) as (quarter_dir, pointer):
        if not pointer.lock:
            raise NotAllowed(f"{_named(pointer)} không khóa")
        return _move(quarter_dir, pointer, pointer.release, instruction.event("unlock", pointer.release), witness)


def roll_back(
    published: Path,
    unit: str,
    quarter: str,
    number: int,
    instruction: Instruction,
    witness: Witness | None = None,
) -> Pointer:
    """Make another release of the quarter current, earlier or (to undo this) later.

    Raises LookupError when there is no such release, NotAllowed when it is current already or the quarter is locked,
    DamagedManifest when it is no longer what was published.
    """
    with _held(published, unit, quarter) as (quarter_dir, pointer):
        if number not in pointer.manifests:
            raise LookupError(f"{_named(pointer)}: chưa có bản công bố {release_name(number)}")
        if number == pointer.release:
            raise NotAllowed(f"{_named(pointer)}: {release_name(number)} đang là bản hiện hành")
        if pointer.lock:
            raise NotAllowed(f"{_named(pointer)} đã khóa; mở khóa trước khi thay bản hiện hành")
        _check_whole(quarter_dir, number)
        moved = _move(quarter_dir, pointer, number, instruction.event("rollback", number), witness)
    rebuild_index(published)
    return moved


@contextmanager
def _held(published: Path, unit: str, quarter: str) -> Iterator[tuple[Path, Pointer]]:
    """The quarter's folder and pointer, with every other writer kept out."""
    quarter_dir = published / unit / quarter
    if read_pointer(quarter_dir) is None:
        raise LookupError(f"{unit}, {quarter}: chưa công bố bản nào")
    with exclusive_lock(quarter_dir / WRITERS_LOCK):
        pointer = read_pointer(quarter_dir)
        if pointer is None:
            raise LookupError(f"{unit}, {quarter}: chưa công bố bản nào")
        yield quarter_dir, pointer


def _move(quarter_dir: Path, pointer: Pointer, number: int, event: Event, witness: Witness | None) -> Pointer:
    return move_pointer(
        quarter_dir,
        unit=pointer.unit_code,
        quarter=pointer.quarter,
        expected=pointer.release,
        release=number,
        manifest_sha256=pointer.manifests[number],
        events=(event,),
        witness=witness,
    )


def _check_whole(quarter_dir: Path, number: int) -> None:
    damages = verify(quarter_dir / release_name(number))
    if damages:
        raise DamagedManifest(f"bản công bố {release_name(number)} đã hư hại: {damages[0].message_vi}")


def _named(pointer: Pointer) -> str:
    return f"{pointer.unit_code}, {pointer.quarter}"

"""The pointer: which release of a unit and quarter is current, and what people decided about that by hand.

Belongs here: reading ``current.json`` and moving it by compare-and-swap. Does not belong here: making releases, when
a lock holds something back.
A reader reads the pointer once and uses that release folder throughout. Locks, amendments and rollbacks rest in the
same file, so that one atomic step both moves the pointer and records by whose word.
Every pointer is written into ``history.jsonl`` before it becomes the current one, each line with its own hash and that
of the line before: from there a pointer that is lost or damaged comes back (``publication.mending``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from common.chained_log import chained
from common.files import canonical_json, is_regular_file, replace_durably, sha256_bytes

POINTER_NAME = "current.json"
HISTORY_NAME = "history.jsonl"
SCHEMA = 1


class StalePointer(Exception):
    """Another publication moved the pointer since the writer looked. Nothing was changed."""

    def __init__(self, expected: int | None, found: int | None) -> None:
        super().__init__(f"bản công bố hiện hành là {_name(found)}, không phải {_name(expected)} như đã xem trước đó")
        self.expected = expected
        self.found = found


class DamagedPointer(Exception):
    """``current.json`` is there and cannot be trusted; a person must look before anything is published."""


class DamagedHistory(Exception):
    """``history.jsonl`` is there and not what was written."""


Action = Literal["lock", "unlock", "amend", "approve", "rollback"]
_ACTIONS: tuple[Action, ...] = ("lock", "unlock", "amend", "approve", "rollback")


@dataclass(frozen=True)
class Event:
    """What a person did to the quarter: which release was current afterwards, who, why, and when (ISO, with zone).

    Of an approval ``reason`` is the document by which it was given.
    """

    action: Action
    release: int
    reason: str
    by: str | None
    at: str | None

    def __post_init__(self) -> None:
        if self.action not in _ACTIONS or not isinstance(self.release, int) or not str(self.reason).strip():
            raise ValueError(f"not an event: {self}")


@dataclass(frozen=True)
class Pointer:
    """The current release, the manifest hash of every release that has ever been current, and the events in order."""

    unit_code: str
    quarter: str
    release: int
    manifests: dict[int, str]
    events: tuple[Event, ...] = ()

    @property
    def lock(self) -> Event | None:
        """The event that locked the quarter, or None while it is open."""
        locks = [event for event in self.events if event.action in ("lock", "unlock")]
        return locks[-1] if locks and locks[-1].action == "lock" else None

    @property
    def withdrawn(self) -> list[int]:
        """Releases later than the current one: those that a rollback took back."""
        return sorted(number for number in self.manifests if number > self.release)

    @property
    def manifest_sha256(self) -> str:
        """sha256 of the current release's manifest."""
        return self.manifests[self.release]

    @property
    def last_release(self) -> int:
        """The highest number ever published; the next release is one more."""
        return max(self.manifests)

    @property
    def release_name(self) -> str:
        """The folder of the current release."""
        return release_name(self.release)


@dataclass(frozen=True)
class Move:
    """A pointer that is about to take the place of another: ``before`` and ``after`` are the sha256 of the two files,
    None where there was none.
    """

    action: Action | Literal["publish"]
    pointer: Pointer
    by: str | None
    before: str | None
    after: str


#: Who is told of a move before it is made. A witness that raises keeps it from being made.
Witness = Callable[[Move], None]


def release_name(number: int) -> str:
    """``3`` → ``r3``."""
    return f"r{number}"


def _name(number: int | None) -> str:
    return "chưa có" if number is None else release_name(number)


def read_pointer(quarter_dir: Path) -> Pointer | None:
    """The pointer of ``published/<unit>/<quarter>``, or None when nothing was published.

    Raises DamagedPointer when the file is not exactly what :func:`move_pointer` writes.
    """
    path = quarter_dir / POINTER_NAME
    if not path.exists() and not path.is_symlink():
        return None
    try:
        data = path.read_bytes() if is_regular_file(path) else b""
        pointer = _decode(json.loads(data))
        whole = _encode(pointer) == data
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedPointer(f"tệp con trỏ {POINTER_NAME} bị hỏng; chạy cchc rebuild") from error
    if not whole:
        raise DamagedPointer(f"tệp con trỏ {POINTER_NAME} không đúng khuôn; chạy cchc rebuild")
    return pointer


def _decode(content: dict[str, Any]) -> Pointer:
    return Pointer(
        content["unit_code"],
        content["quarter"],
        content["release"],
        {entry["release"]: entry["manifest_sha256"] for entry in content["history"]},
        tuple(Event(**entry) for entry in content.get("events", [])),
    )


def read_history(quarter_dir: Path) -> list[Pointer]:
    """Every pointer of the quarter in order, as far as they were recorded; the last may not have become current.

    Raises DamagedHistory when a line was changed, added or taken out of the middle, or the file cannot be read.
    """
    path = quarter_dir / HISTORY_NAME
    if not path.exists() and not path.is_symlink():
        return []
    try:
        data = path.read_bytes() if is_regular_file(path) else b""
        pointers = [_decode(json.loads(line)["pointer"]) for line in data.splitlines()]
        whole = bool(pointers) and _lines(pointers) == data
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedHistory(f"tệp {path} bị hỏng; chạy cchc rebuild") from error
    if not whole:
        raise DamagedHistory(f"tệp {path} bị sửa; chạy cchc rebuild")
    return pointers


def _lines(pointers: Iterable[Pointer]) -> bytes:
    return chained({"pointer": _content(pointer)} for pointer in pointers)


def record(quarter_dir: Path, *pointers: Pointer, anew: bool = False) -> None:
    """Adds to the history, or begins it ``anew``; what is said already by its last line is not said again.

    The entry in the folder is safe from a power cut when the folder is synced next, as moving the pointer does. The
    caller holds the lock of the quarter folder. Raises DamagedHistory.
    """
    known = [] if anew else read_history(quarter_dir)
    wanted = list(known)
    for pointer in pointers:
        if not wanted or wanted[-1] != pointer:
            wanted.append(pointer)
    if wanted == known:
        return
    replace_durably(quarter_dir / HISTORY_NAME, _lines(wanted), sync_directory=False)


def put_back(quarter_dir: Path, pointer: Pointer) -> None:
    """Makes a recorded pointer the current one where there is none. The caller holds the lock of the quarter folder."""
    replace_durably(quarter_dir / POINTER_NAME, _encode(pointer))


def _encode(pointer: Pointer) -> bytes:
    return canonical_json(_content(pointer))


def _content(pointer: Pointer) -> dict[str, Any]:
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "unit_code": pointer.unit_code,
        "quarter": pointer.quarter,
        "release": pointer.release,
        "path": pointer.release_name,
        "manifest_sha256": pointer.manifest_sha256,
        "history": [{"release": n, "manifest_sha256": pointer.manifests[n]} for n in sorted(pointer.manifests)],
    }
    if pointer.events:
        content["events"] = [asdict(event) for event in pointer.events]
    return content


def move_pointer(
    quarter_dir: Path,
    *,
    unit: str,
    quarter: str,
    expected: int | None,
    release: int,
    manifest_sha256: str,
    events: Sequence[Event] = (),
    witness: Witness | None = None,
) -> Pointer:
    """Make ``release`` current if ``expected`` still is, and record the events with it; the same release may stay.

    The witness is told the last of them.

    The caller holds the lock of the quarter folder.
    Raises StalePointer when another release is current, DamagedPointer when the present pointer or the history cannot
    be read.
    """
    present = read_pointer(quarter_dir)
    found = present.release if present else None
    if found != expected:
        raise StalePointer(expected, found)
    manifests = {**(present.manifests if present else {}), release: manifest_sha256}
    pointer = Pointer(unit, quarter, release, manifests, (*(present.events if present else ()), *events))
    if witness is not None:
        action, by = (events[-1].action, events[-1].by) if events else ("publish", None)
        before = sha256_bytes(_encode(present)) if present else None
        witness(Move(action, pointer, by, before, sha256_bytes(_encode(pointer))))
    try:
        record(quarter_dir, *((present,) if present else ()), pointer)
    except DamagedHistory as error:
        raise DamagedPointer(str(error)) from error
    put_back(quarter_dir, pointer)
    return pointer

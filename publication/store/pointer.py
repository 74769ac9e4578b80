"""The pointer: which release of a unit and quarter is current, and what people decided about that by hand.

Belongs here: reading ``current.json`` and moving it by compare-and-swap. Does not belong here: making releases, when
a lock holds something back.
A reader reads the pointer once and uses that release folder throughout. Locks, amendments and rollbacks rest in the
same file, so that one atomic step both moves the pointer and records by whose word.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from common.files import canonical_json, is_regular_file, replace_durably, sha256_bytes

POINTER_NAME = "current.json"
SCHEMA = 1


class StalePointer(Exception):
    """Another publication moved the pointer since the writer looked. Nothing was changed."""

    def __init__(self, expected: int | None, found: int | None) -> None:
        super().__init__(f"bản phát hành hiện hành là {_name(found)}, không phải {_name(expected)} như đã xem trước đó")
        self.expected = expected
        self.found = found


class DamagedPointer(Exception):
    """``current.json`` is there and cannot be trusted; a person must look before anything is published."""


Action = Literal["lock", "unlock", "amend", "rollback"]
_ACTIONS: tuple[Action, ...] = ("lock", "unlock", "amend", "rollback")


@dataclass(frozen=True)
class Event:
    """What a person did to the quarter: which release was current afterwards, who, why, and when (ISO, with zone)."""

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
        content = json.loads(data)
        pointer = Pointer(
            content["unit_code"],
            content["quarter"],
            content["release"],
            {entry["release"]: entry["manifest_sha256"] for entry in content["history"]},
            tuple(Event(**entry) for entry in content.get("events", [])),
        )
        whole = _encode(pointer) == data
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedPointer(f"tệp con trỏ {POINTER_NAME} bị hỏng") from error
    if not whole:
        raise DamagedPointer(f"tệp con trỏ {POINTER_NAME} không đúng khuôn")
    return pointer


def _encode(pointer: Pointer) -> bytes:
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
    return canonical_json(content)


def move_pointer(
    quarter_dir: Path,
    *,
    unit: str,
    quarter: str,
    expected: int | None,
    release: int,
    manifest_sha256: str,
    event: Event | None = None,
    witness: Witness | None = None,
) -> Pointer:
    """Make ``release`` current if ``expected`` still is, and record the event with it; the same release may stay.

    The caller holds the lock of the quarter folder.
    Raises StalePointer when another release is current, DamagedPointer when the present pointer cannot be read.
    """
    present = read_pointer(quarter_dir)
    found = present.release if present else None
    if found != expected:
        raise StalePointer(expected, found)
    manifests = {**(present.manifests if present else {}), release: manifest_sha256}
    events = (*(present.events if present else ()), *((event,) if event else ()))
    pointer = Pointer(unit, quarter, release, manifests, events)
    data = _encode(pointer)
    if witness is not None:
        action, by = (event.action, event.by) if event else ("publish", None)
        before = sha256_bytes(_encode(present)) if present else None
        witness(Move(action, pointer, by, before, sha256_bytes(data)))
    replace_durably(quarter_dir / POINTER_NAME, data)
    return pointer

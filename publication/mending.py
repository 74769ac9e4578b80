"""What publication can make again of the folder of releases: a pointer from its history, the index from the pointers.

Belongs here: finding what is missing or damaged, setting it aside, making it anew. Does not belong here: releases and
the history, which nothing can be made from and which are checked and named (``verify``), the rest of a home.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from common.damage import RESTORE_VI, Mended, set_aside
from common.files import exclusive_lock
from publication.index import NAMES, index_is_whole, is_of_another_version, rebuild_index
from publication.release import INTENT_NAME, WRITERS_LOCK
from publication.store.pointer import (
    HISTORY_NAME,
    POINTER_NAME,
    DamagedHistory,
    DamagedPointer,
    Pointer,
    put_back,
    read_history,
    read_pointer,
    record,
    release_name,
)
from publication.tables.manifest import DamagedManifest, read_manifest

_RELEASE = re.compile(r"r[1-9][0-9]*")


@dataclass
class ReleasesMending:
    """What was made again, and a sentence for each quarter whose pointer a person must bring back (``lost``)."""

    mended: list[Mended] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def mend_published(published: Path, *, dry_run: bool = False) -> ReleasesMending:
    """Makes pointers and index sound as far as that can be done; ``dry_run`` only says. Releases are not opened, but
    for the manifest of one that becomes current again.
    """
    result = ReleasesMending()
    for quarter_dir in sorted(path for path in published.glob("*/*") if path.is_dir()):
        if _holds_anything(quarter_dir):
            with exclusive_lock(quarter_dir / WRITERS_LOCK):
                _mend_pointer(quarter_dir, published, result, dry_run=dry_run)
    if published.is_dir() and not index_is_whole(published):
        _mend_index(published, result, dry_run=dry_run)
    return result


def _holds_anything(quarter_dir: Path) -> bool:
    names = {path.name for path in quarter_dir.iterdir()}
    return bool(names & {POINTER_NAME, HISTORY_NAME}) or any(map(_RELEASE.fullmatch, names))


def _mend_pointer(quarter_dir: Path, published: Path, result: ReleasesMending, *, dry_run: bool) -> None:
    pointer_path, history_path = quarter_dir / POINTER_NAME, quarter_dir / HISTORY_NAME
    history: list[Pointer] | None
    try:
        history = read_history(quarter_dir)
    except DamagedHistory:
        history = None
    try:
        pointer = read_pointer(quarter_dir)
        fault = "bị mất"
    except DamagedPointer:
        pointer, fault = None, "bị hỏng"
    if pointer is not None:
        if history is None:
            remedy = f"ghi lại từ {POINTER_NAME}, từ trạng thái hiện nay"
            _note(result, history_path, published, "bị hỏng", remedy, dry_run=dry_run)
        if not dry_run:
            # Also where it names a move that a killed run did not come to: the pointer says what holds.
            record(quarter_dir, pointer, anew=history is None)
        return
    if fault == "bị mất" and _never_published(quarter_dir, history):
        return
    last = history[-1] if history else None
    if last is None or not _can_be_current(quarter_dir, last):
        why = "lịch sử con trỏ bị hỏng" if history is None else "không có lịch sử con trỏ dùng được"
        result.lost.append(f"{pointer_path} {fault}, {why}; {RESTORE_VI}")
        return
    remedy = f"lập lại từ {HISTORY_NAME}, bản hiện hành là {last.release_name}"
    _note(result, pointer_path, published, fault, remedy, dry_run=dry_run)
    if not dry_run:
        put_back(quarter_dir, last)


def _never_published(quarter_dir: Path, history: list[Pointer] | None) -> bool:
    """Whether a first publication was killed before its pointer was there; the next one clears up after it."""
    if (quarter_dir / INTENT_NAME).exists():
        return len(history or ()) < 2
    return not history and not any(_RELEASE.fullmatch(path.name) for path in quarter_dir.iterdir())


def _can_be_current(quarter_dir: Path, pointer: Pointer) -> bool:
    """Whether the pointer is of this folder, its release is there as it was published, and no later one is unknown."""
    if (pointer.unit_code, pointer.quarter) != (quarter_dir.parent.name, quarter_dir.name):
        return False
    present = {path.name for path in quarter_dir.iterdir() if _RELEASE.fullmatch(path.name)}
    if present - {release_name(number) for number in pointer.manifests}:
        return False
    try:
        read_manifest(quarter_dir / pointer.release_name, expected_sha256=pointer.manifest_sha256)
    except (DamagedManifest, OSError):
        return False
    return True


def _mend_index(published: Path, result: ReleasesMending, *, dry_run: bool) -> None:
    if is_of_another_version(published):
        if not dry_run:
            rebuild_index(published)
        return
    damaged = [path for name in NAMES if (path := published / name).exists() or path.is_symlink()]
    for name in NAMES:
        path = published / name
        fault = "hư hỏng, hoặc không khớp các bản công bố" if path in damaged else "bị mất"
        if path.is_dir() and not path.is_symlink():
            _note(result, path, published, fault, "lập lại từ các bản công bố", dry_run=dry_run)
        else:
            result.mended.append(Mended(str(path), fault, "lập lại từ các bản công bố"))
    if not dry_run:
        rebuild_index(published, from_releases=True)


def _note(
    result: ReleasesMending, path: Path, published: Path, fault_vi: str, remedy_vi: str, *, dry_run: bool
) -> None:
    aside = None
    if not dry_run and (path.exists() or path.is_symlink()):
        aside = str(set_aside(path, published.parent))
    result.mended.append(Mended(str(path), fault_vi, remedy_vi, aside))

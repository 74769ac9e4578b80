"""Logs that are only ever added to: one JSON document a line, each with the hash of itself and of the line before.

Belongs here: adding a line that survives a power cut, and finding the first line that was changed or taken out. Does
not belong here: what the lines say. The chain has no key: whoever may write the file may write it anew from any line
on, and whoever cuts lines off its end leaves a chain that holds; only what a log is held against can tell.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from common.files import PRIVATE, canonical_json, fsync_path, make_durable_directory, sha256_bytes

#: What the first line has for the hash of the line before.
START = "0" * 64
_BLOCK = 64 * 1024


class BrokenChain(Exception):
    """A line was changed, or one before it taken out: ``number`` counts from 1."""

    def __init__(self, path: Path, number: int, why_vi: str) -> None:
        super().__init__(f"{path}: dòng {number} {why_vi}")
        self.number = number


def add_line(path: Path, facts: Mapping[str, Any], *, first: Mapping[str, Any] | None = None) -> None:
    """Adds a line of the facts; it is on the disk when this returns, and one writer adds after the other.

    ``first`` are the facts of the line that a new log begins with. What a power cut left of a line is taken off first.
    The chain before is not looked at: a log that somebody broke is still added to. Raises ``OSError``.
    """
    is_new = not path.exists()
    make_durable_directory(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        last = _last_line(handle)
        begun = [first] if first is not None and last is None else []
        _write(handle, chained([*begun, facts], previous=_hash_of(last)))
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        fsync_path(path.parent)


def chained(documents: Iterable[Mapping[str, Any]], previous: str = START) -> bytes:
    """The lines of documents, each chained to the one before, the first to ``previous``."""
    lines = []
    for document in documents:
        line = {**document, "previous": previous}
        previous = sha256_bytes(canonical_json(line))
        lines.append(canonical_json({**line, "entry_hash": previous}) + b"\n")
    return b"".join(lines)


def _write(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _last_line(handle: int) -> bytes | None:
    """The last line that was written whole; what follows it is taken off."""
    end = size = os.fstat(handle).st_size
    tail = b""
    while end and tail.count(b"\n") < 2:
        start = max(0, end - _BLOCK)
        tail, end = os.pread(handle, end - start, start) + tail, start
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        os.ftruncate(handle, size - (len(tail) - len(whole)))
    return whole.splitlines()[-1] if whole else None


def _hash_of(line: bytes | None) -> str:
    """The hash that a line gives of itself, or that of its bytes where it is none of ours."""
    if line is None:
        return START
    try:
        return str(json.loads(line)["entry_hash"])
    except (ValueError, KeyError, TypeError):
        return sha256_bytes(line)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The facts of every line, oldest first, with ``previous`` and ``entry_hash``; none where there is no log.

    A last line without its end is what a power cut leaves of one that was never reported as written: it is passed
    over. Raises :class:`BrokenChain` at the first line that does not fit.
    """
    if not path.exists():
        return []
    data = path.read_bytes()
    found: list[dict[str, Any]] = []
    previous = START
    for number, text in enumerate(data[: data.rfind(b"\n") + 1].split(b"\n")[:-1], start=1):
        try:
            line = json.loads(text)
            stated = line.pop("entry_hash")
            is_next = line["previous"] == previous
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BrokenChain(path, number, "không đọc được") from error
        if not is_next or sha256_bytes(canonical_json(line)) != stated:
            raise BrokenChain(path, number, "đã bị sửa, hoặc có dòng trước đó bị xóa")
        previous = stated
        found.append({**line, "entry_hash": stated})
    return found

"""Publications in processes of their own, watched and killed at system calls.

Belongs here: starting a process that is ready at once, recording every operation on files that it does, killing it at
any one of them. Does not belong here: what must hold afterwards.

A fork server that has imported everything makes a process in milliseconds. strace attaches to it before it starts to
publish, so native writers (DuckDB, fonts, PDF engines) are seen as well as Python's own.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

#: Every call that can change what a file system holds, or order what reaches the disk. Names that this machine's
#: architecture lacks are passed over.
CHANGING = (
    "open",
    "openat",
    "creat",
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "pwritev2",
    "ftruncate",
    "truncate",
    "fallocate",
    "copy_file_range",
    "sendfile",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "rmdir",
    "unlink",
    "unlinkat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "utimensat",
)
#: Changes nothing, but says where the next write goes.
_PLACING = "lseek"
_OPENING = frozenset({"open", "openat", "creat"})
_ON_HANDLES = frozenset(
    {
        "write",
        "pwrite64",
        "writev",
        "pwritev",
        "pwritev2",
        "ftruncate",
        "fallocate",
        "copy_file_range",
        "sendfile",
        "fsync",
        "fdatasync",
        "sync_file_range",
        "fchmod",
        _PLACING,
    }
)
_FOR_WRITING = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC)")
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(?!\.)')
_HANDLE = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})*)>")
_FOLDER = re.compile(r"^(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>, ")
#: The two parts of a call that another thread's broke up.
_BEGUN = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_LONGEST = 1 << 26
_PATIENCE = 60.0

Body = Callable[..., Any]


@dataclass(frozen=True)
class Call:
    """One call that succeeded.

    ``number`` counts calls of this name by this thread, failed ones too, from 1. ``paths`` are those
    it names, absolute; ``handle`` the descriptor it is about or opens; ``data`` what it writes; ``arguments`` as
    strace prints them; ``result`` what it returned.
    """

    name: str
    number: int
    paths: tuple[Path, ...]
    handle: int
    data: bytes
    arguments: str
    result: int


def _child(ready: Connection, body: Body, arguments: tuple[Any, ...]) -> None:
    ready.send(None)
    ready.recv()
    ready.send(body(*arguments))


class Watched:
    """A process that waits at the start of ``body(*arguments)`` until it is told to go."""

    def __init__(self, body: Body, *arguments: Any) -> None:
        context = multiprocessing.get_context("forkserver")
        self._mine, theirs = context.Pipe()
        self.process: ForkServerProcess = context.Process(target=_child, args=(theirs, body, arguments), daemon=True)
        self.process.start()
        theirs.close()
        self._mine.recv()

    def go(self) -> None:
        self._mine.send(None)

    def end(self) -> Any:
        """What the body returned, or None where the process was killed."""
        try:
            answer = self._mine.recv() if self._mine.poll(_PATIENCE) else None
        except EOFError:
            answer = None
        self.process.join(_PATIENCE)
        assert self.process.exitcode is not None, "the process hangs"
        return answer


def record(
    log: Path, below: Path, body: Body, *arguments: Any, killed_at: Call | None = None
) -> tuple[Any, list[Call]]:
    """Run the body to its end, or until it enters the call at which it is killed.

    Returns its answer (None where it was killed) and, in order, every changing call on the folder or below, and
    those that place the next write.
    """
    watched = Watched(body, *arguments)
    inject = [] if killed_at is None else ["-e", _kill_option(killed_at)]
    tracer = _attach(watched, [*CHANGING, _PLACING], ["-o", str(log), "-y", "-xx", "-s", str(_LONGEST), *inject])
    watched.go()
    answer = watched.end()
    tracer.wait(_PATIENCE)
    return answer, [call for call in _calls(log) if any(path.is_relative_to(below) for path in call.paths)]


def changing(calls: Iterable[Call]) -> list[Call]:
    """The calls at which a process can be killed to a different effect."""
    return [call for call in calls if call.name != _PLACING]


def kill_at(log: Path, call: Call, body: Body, *arguments: Any) -> list[Call]:
    """Run the body and kill the process as it enters the call; returns what it had renamed until then."""
    watched = Watched(body, *arguments)
    tracer = _attach(watched, CHANGING, ["-o", str(log), "-y", "-xx", "-s", "4096", "-e", _kill_option(call)])
    watched.go()
    watched.end()
    tracer.wait(_PATIENCE)
    assert watched.process.exitcode == -signal.SIGKILL, call
    return [done for done in _calls(log) if done.name.startswith("rename")]


def _kill_option(call: Call) -> str:
    return f"inject={call.name}:signal=KILL:when={call.number}"


def _attach(watched: Watched, names: Iterable[str], options: list[str]) -> subprocess.Popen[bytes]:
    strace = shutil.which("strace")
    if strace is None:
        watched.process.kill()
        pytest.skip("the Debian package strace is not installed")
    pid = watched.process.pid
    tracer = subprocess.Popen(
        [strace, "-f", "-p", str(pid), "-e", "trace=" + ",".join(f"?{name}" for name in names), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    status = Path(f"/proc/{pid}/status")
    deadline = time.monotonic() + _PATIENCE
    while f"TracerPid:\t{tracer.pid}\n" not in status.read_text():
        if tracer.poll() is not None:
            watched.process.kill()
            pytest.skip("strace, of the Debian package strace, may not attach to a process here")
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return tracer


def _whole_lines(lines: Iterable[str]) -> Iterator[str]:
    """A line a call, where it ended; calls of several threads that overlap stand in two parts each."""
    begun: dict[str, str] = {}
    for line in lines:
        if match := _BEGUN.match(line):
            begun[match[1]] = match[2]
        elif match := _RESUMED.match(line):
            yield f"{match[1]} {begun.pop(match[1], '')}{match[2]}"
        else:
            yield line


def _calls(log: Path) -> Iterator[Call]:
    numbers: Counter[tuple[str, str]] = Counter()
    with log.open(encoding="ascii") as lines:
        for line in _whole_lines(lines):
            match = _CALL.match(line)
            if match is None:
                continue
            thread, name, arguments, result, opened = match.groups()
            numbers[thread, name] += 1
            if int(result) >= 0 and (name not in _OPENING or _FOR_WRITING.search(arguments)):
                yield _call(name, numbers[thread, name], arguments, int(result), opened)


def _call(name: str, number: int, arguments: str, result: int, opened: str | None) -> Call:
    if name in _OPENING:
        return Call(name, number, (_path(opened or ""),), result, b"", arguments, result)
    if name in _ON_HANDLES:
        handle, text = _HANDLE.match(arguments), _TEXT.search(arguments)
        assert handle is not None, arguments
        data = _bytes(text[1]) if text else b""
        return Call(name, number, (_path(handle[2]),), int(handle[1]), data, arguments, result)
    folder = _FOLDER.match(arguments)
    base = _path(folder[1]) if folder else Path.cwd()
    paths = tuple(base / _path(text) for text in _TEXT.findall(arguments))
    return Call(name, number, paths, -1, b"", arguments, result)


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _path(escaped: str) -> Path:
    return Path(os.fsdecode(_bytes(escaped)))

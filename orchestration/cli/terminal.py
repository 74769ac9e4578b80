"""What the command line shows: progress while it works, lines or JSON at the end.

Belongs here: words and exit codes. Results go to standard output, progress to standard error.
Does not belong here: finding anything out.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from common.faults import MACHINE_ERRNOS


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    HELD_BACK = 1
    WRONG_USE = 2
    FAILED = 3


class WrongUse(Exception):
    """The command was asked for something that cannot be; the message says what to ask for instead."""


#: Signals that ask a command to end.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """The signals that asked this command to end, heard below whatever handlers libraries put in their place.

    Dagster has handlers of its own while a run lasts, which tell neither which signal came nor, between two steps, that
    one did; Python's wake-up descriptor is written to before any handler is called.
    """

    def __init__(self) -> None:
        self._heard: list[int] = []
        self._ears: tuple[int, int] | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While entered, the signals interrupt the command; one that is ignored, as under nohup, stays ignored."""
        self._heard.clear()
        self._ears = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        numbers = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, _interrupt) for number in numbers}
        woken = signal.set_wakeup_fd(self._ears[1], warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)
            for end in self._ears:
                os.close(end)
            self._ears = None

    def heard(self) -> int | None:
        """The first signal that came; None where none did."""
        if self._ears is not None:
            with contextlib.suppress(BlockingIOError):
                self._heard += [number for number in os.read(self._ears[0], 512) if number in ENDING]
        return self._heard[0] if self._heard else None

    def exit_code(self) -> int | None:
        """The code with which a command ends that one of the signals ended; None where none came."""
        number = self.heard()
        return None if number is None else 128 + number

    def end_where_asked(self) -> None:
        """Interrupts the command where a library has met the interrupt and gone on."""
        if self.heard() is not None:
            raise KeyboardInterrupt


interrupts = Interrupts()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


_WHY_VI = {
    errno.ENOENT: "không có",
    errno.EISDIR: "là thư mục",
    errno.EEXIST: "là tệp, không phải thư mục",
    errno.ENOTDIR: "nằm dưới một tệp, không phải thư mục",
    errno.EACCES: "không có quyền",
    errno.EPERM: "không có quyền",
    errno.ENAMETOOLONG: "tên quá dài",
}


@contextmanager
def asked_path(path: Path, what_vi: str) -> Iterator[None]:
    """Makes it wrong use that a path that was asked for cannot be used; a fault of the machine stays a failure."""
    try:
        yield
    except OSError as error:
        if error.errno in MACHINE_ERRNOS:
            raise
        raise WrongUse(f"{what_vi} {path}: {_WHY_VI.get(error.errno or 0, error.strerror)}") from error


def emit(lines: list[str], document: Any, *, as_json: bool) -> None:
    """Writes lines for people, or one JSON document for machines."""
    text = json.dumps(document, ensure_ascii=False, indent=1) if as_json else "\n".join(lines)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    sys.stderr.write(f"cchc: {message}\n")
    sys.stderr.flush()


class Progress:
    """Stages as they start: a bar on a terminal, a plain line each otherwise, nothing when quiet."""

    def __init__(self, stages: int, *, quiet: bool, stream: TextIO | None = None) -> None:
        self._stages = stages
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._bar: Any = None
        self._task: Any = None

    @contextmanager
    def shown(self) -> Iterator[Progress]:
        if self._quiet or not self._stream.isatty():
            yield self
            return
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(bar_width=30), TextColumn("{task.description}"), TimeElapsedColumn())
        with Bar(*columns, console=Console(file=self._stream), transient=True) as self._bar:
            self._task = self._bar.add_task("", total=self._stages)
            yield self

    def stage(self, name: str) -> None:
        if self._bar is not None:
            self._bar.update(self._task, advance=1, description=name)
        elif not self._quiet and not self._stream.isatty():
            self._stream.write(f"{name}\n")
            self._stream.flush()

"""What the command line shows: progress while it works, lines or JSON at the end.

Belongs here: words and exit codes. Results go to standard output, progress to standard error.
Does not belong here: finding anything out.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, TextIO


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    HELD_BACK = 1
    WRONG_USE = 2
    FAILED = 3


class WrongUse(Exception):
    """The command was asked for something that cannot be; the message says what to ask for instead."""


_WHY_VI = {
    errno.ENOENT: "không có",
    errno.EISDIR: "là thư mục",
    errno.EEXIST: "là tệp, không phải thư mục",
    errno.ENOTDIR: "nằm dưới một tệp, không phải thư mục",
    errno.EACCES: "không có quyền",
    errno.EPERM: "không có quyền",
    errno.ENAMETOOLONG: "tên quá dài",
}
_OUR_OWN = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


@contextmanager
def asked_path(path: Path, what_vi: str) -> Iterator[None]:
    """Makes it wrong use that a path that was asked for cannot be used; a full or failing disk stays a failure."""
    try:
        yield
    except OSError as error:
        if error.errno in _OUR_OWN:
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

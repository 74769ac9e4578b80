"""Work that is stopped, or told that the disk is full, as it enters one of its calls that change files.

Belongs here: a process of its own for each try, and which of Python's own calls count. Does not belong here: what must
hold afterwards. Native writers are not seen (``tests/integration/publication/watched.py`` sees them).
"""

from __future__ import annotations

import errno
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal

How = Literal["killed", "full"]
_CHANGING = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chmod", "os.truncate"})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_REACHED = 7


def at_each_call(prepare: Callable[[], object], body: Callable[[], object], how: How) -> Iterator[int]:
    """Does ``body`` once for each of its calls, stopped there: yields after each, with the call's number from 1.

    ``killed``: the process ends there, with nothing cleaned up; ``full``: the call raises ENOSPC. ``prepare`` is done
    before each, here. Ends with the first try that has no such call.
    """
    for number in itertools.count(1):
        prepare()
        child = os.fork()
        if not child:
            signal.alarm(60)
            code = 1
            try:
                code = _stopped(body, number, how)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, _REACHED), f"call {number}: {code}"
        if code == 0:
            assert number > 3, "hardly a call was seen"
            return
        yield number


def _stopped(body: Callable[[], object], number: int, how: How) -> int:
    """0 where the body ended before that call; what else it raises is told on stderr."""
    seen = 0

    def enter() -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            if how == "killed":
                os._exit(_REACHED)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGING or (event == "open" and arguments[2] & _WRITING):
            enter()

    synced = os.fsync

    def fsync(handle: int) -> None:
        enter()
        synced(handle)

    os.fsync = fsync  # type: ignore[assignment]
    sys.addaudithook(hook)
    try:
        body()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    return _REACHED if seen >= number else 0

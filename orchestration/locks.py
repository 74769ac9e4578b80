"""Who works in a home: one run at a time, and nobody else in the warehouse file.

Belongs here: the kernel's locks that say so, and finding out for whom one waits. Does not belong here: what a run does.
A lock goes with its process, however that ends, so none is ever left behind.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_POLL_SECONDS = 0.2
_held: set[Path] = set()
# struct flock of Linux and of BSD: type, whence, start, length, pid.
_FLOCK = "hhqqi4x" if sys.platform.startswith("linux") else "qqihh"


class WarehouseHeld(RuntimeError):
    """Another program has the warehouse file open; the message says which, in Vietnamese."""


class HomeBusy(RuntimeError):
    """Another run works in the home and this one was not to wait; the message says which, in Vietnamese."""


@contextmanager
def one_run_at_a_time(path: Path, what: str, notify: Callable[[str], None], *, wait: bool = True) -> Iterator[None]:
    """Holds the home's lock; waits for another run to end, and says for which. A signal ends the wait.

    ``what`` names this run to those who wait for it; ``notify`` gets the sentence that says for whom this one waits.
    A process that holds the lock gets it again. Raises :class:`HomeBusy` where it would have to wait and shall not.
    """
    if path in _held:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "không rõ"
            if not wait:
                raise HomeBusy(f"lượt chạy khác đang làm việc trong cùng thư mục: {holder}") from None
            notify(f"đang chờ lượt chạy khác trong cùng thư mục kết thúc: {holder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        file.truncate()
        file.write(f"{what} (tiến trình {os.getpid()})\n")
        file.flush()
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)


def to_stderr(message: str) -> None:
    """Tells what is waited for where there is no terminal of the command's own."""
    sys.stderr.write(f"{message}\n")


def holder_of(path: Path) -> int | None:
    """The process that keeps others from writing a file, by its record locks; None where nobody does."""
    if not path.is_file():
        return None
    with path.open("r+b") as file:
        if sys.platform.startswith("linux"):
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        else:
            asked = struct.pack(_FLOCK, 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
        found = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    kind, pid = (found[0], found[4]) if sys.platform.startswith("linux") else (found[3], found[2])
    return None if kind == fcntl.F_UNLCK else int(pid)


def wait_until_free(path: Path, seconds: float, notify: Callable[[str], None]) -> None:
    """Waits, not for ever, until nobody holds a file open for reading or writing as a database.

    Raises :class:`WarehouseHeld`, naming the program, where it is still held after ``seconds``.
    """
    end = time.monotonic() + seconds
    pid = holder_of(path)
    if pid is None:
        return
    notify(f"đang chờ {_program(pid)} đóng {path} (nhiều nhất {seconds:.0f} giây)")
    while (pid := holder_of(path)) is not None:
        if time.monotonic() >= end:
            raise WarehouseHeld(f"{path} đang do {_program(pid)} mở; đóng chương trình đó rồi chạy lại")
        time.sleep(_POLL_SECONDS)


def _program(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        name = " ".join(os.fsdecode(word) for word in words[:3] if word)
    except OSError:
        name = ""
    return f"chương trình {name!r} (tiến trình {pid})" if name else f"tiến trình {pid}"

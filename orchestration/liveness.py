"""Which of the recorded runs are alive: the process of each holds a lock that the kernel releases when it ends.

Belongs here: that lock, and ending the records of runs whose process is gone. Does not belong here: the lock that lets
one run at a time into a home (``locks``), starting a run again (``sensors``, Dagster's own retries).
Neither process numbers nor times are compared, so a restart of the machine, a copy of the home or a clock that was set
back makes no dead run look alive.
"""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.settings import Home

if TYPE_CHECKING:
    from dagster import DagsterInstance

#: The tag of a run of the command line with the home it works in: several may keep their runs in one database.
HOME_TAG = "cchc/home"
#: What the record of such a run says.
GONE = "Tiến trình của lần chạy này không còn (bị tắt hoặc máy khởi động lại); chạy lại sẽ làm tiếp phần còn thiếu."


def place_of(home: Home) -> str:
    """Machine and folder of a home, for people and for telling it from another that keeps its runs in one database."""
    return f"{socket.gethostname()}:{home.root}"


def _mark(home: Home, run_id: str) -> Path:
    return home.alive / run_id


@contextmanager
def alive(home: Home, run_id: str) -> Iterator[None]:
    """While entered, the run counts as alive; what a killed process leaves behind is an unlocked file."""
    mark = _mark(home, run_id)
    mark.parent.mkdir(parents=True, exist_ok=True)
    beginning = mark.with_name(f".{run_id}")
    with beginning.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Locked before it has its name: whoever finds it unlocked finds a run that is gone.
        beginning.replace(mark)
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)


def is_alive(home: Home, run_id: str) -> bool | None:
    """Whether the run's process lives; None where it has not begun to work, or recorded its end already."""
    try:
        with _mark(home, run_id).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return True


def end_dead_runs(instance: DagsterInstance, home: Home) -> list[str]:
    """Records as failed every run in progress whose process is gone; returns their ids, in order of starting.

    A run that is recorded as begun and has no mark is left: it may be loading its definitions. Where it does not come
    from there, the server's monitoring ends it (``launcher``).
    """
    from dagster import DagsterRunStatus, RunsFilter

    begun = [DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    dead = []
    for run in reversed(instance.get_runs(RunsFilter(statuses=begun))):
        if is_alive(home, run.run_id) is False:
            instance.report_run_failed(run, GONE)
            _mark(home, run.run_id).unlink(missing_ok=True)
            dead.append(run.run_id)
    return dead

"""What lies in the landing folders, and whether a whole run has seen it.

Belongs here: telling two states of the folders apart, and remembering which state the last whole run of a quarter began
with. Does not belong here: what a delivery is (``ingestion``), when a run is asked for (``sensors``).
A state is told by names, sizes, times and numbers of files, so a tick of the sensor opens none. That a copy of the home
changes them costs one run that finds nothing new; no figure follows from them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress

from common.files import replace_durably
from common.periods import quarters_behind
from orchestration.settings import Home


def folder_states(home: Home, quarters: Iterable[str]) -> dict[str, str]:
    """A digest of each quarter's folders, whatever lies in them: deliveries, delivery logs, rows given back, strays.

    Hidden files are none of a sender's. The time of the last change of a file's entry cannot be set back, so content
    put back under its old time and size is a new state. What cannot be looked at is told by its place and the system's
    error, and keeps nobody else's folders from being looked at; intake names it.
    """
    return {quarter: _state(home, quarter) for quarter in quarters}


def _state(home: Home, quarter: str) -> str:
    digest = hashlib.sha256()

    def add(path: str, told: str) -> None:
        digest.update(os.fsencode(os.path.relpath(path, home.landing)) + f"\0{told}\n".encode())

    def add_fault(error: OSError) -> None:
        if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            add(error.filename, str(error.errno))

    units = list[str]()
    with suppress(FileNotFoundError):
        units = sorted(os.listdir(home.landing))
    for unit in units:
        for parent, folders, names in os.walk(home.landing / unit / quarter, onerror=add_fault):
            folders.sort()
            for name in sorted(names):
                if name.startswith((".", "~$")):
                    continue
                path = os.path.join(parent, name)
                try:
                    found = os.lstat(path)  # a link is no delivery, wherever it leads
                except OSError as error:
                    add_fault(error)
                else:
                    add(path, f"{found.st_size}\0{found.st_mtime_ns}\0{found.st_ctime_ns}\0{found.st_ino}")
    return digest.hexdigest()


def state_behind(states: dict[str, str], quarter: str) -> str:
    """What a quarter's figures are made from: the states of its folders and of all quarters before it."""
    digest = hashlib.sha256()
    for name in sorted(set(quarters_behind(quarter)) & states.keys()):  # any fixed order does
        digest.update(f"{name}\0{states[name]}\n".encode())
    return digest.hexdigest()


def remember(home: Home, quarter: str, state: str) -> None:
    """Notes that a whole run of the quarter, over all its units, began with this state and came to its end."""
    home.runs.mkdir(parents=True, exist_ok=True)
    replace_durably(home.runs / f"{quarter}.seen", state.encode())


def remembered(home: Home, quarter: str) -> str | None:
    """The state that the last whole run of the quarter began with; None where there was none."""
    try:
        return (home.runs / f"{quarter}.seen").read_text(errors="replace")
    except FileNotFoundError:
        return None

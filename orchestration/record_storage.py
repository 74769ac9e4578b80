"""Dagster's SQLite storage made quick: an engine a database, and in a run of ours a connection that stays open.

Belongs here: how Dagster's own databases are reached. Does not belong here: which there are (``dagster_files``), what
is recorded; any other database.

As delivered, each of the thousands of small transactions of a run makes an engine, compiles its SQL anew, opens the
file, waits for the disk, and, being the last to leave the file, empties its write-ahead log.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: Events of a run lie in a database of its own; the daemon sees many.
_KEPT = 16


class KeptEngines:
    """Stands for ``sqlalchemy.create_engine``: makes one engine for an address and its options. ``made`` counts them.

    An engine remembers the SQL that it compiled. Dagster's hold no connection (``NullPool``), so threads may share
    them, and a file that takes the place of another is found; while ``held_open``, they keep theirs.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()
        self.held_open = False
        self.made = 0

    def __call__(self, address: str, **options: Any) -> Any:
        key = f"{address} {options}"
        with self._lock:
            if key not in self._kept:
                make = self._make_holding if self.held_open else self._make
                self._kept[key] = make(address, **options)
                self.made += 1
            self._kept.move_to_end(key)
            if len(self._kept) > _KEPT:
                _close(self._kept.popitem(last=False)[1])
            return self._kept[key]

    def _make_holding(self, address: str, **options: Any) -> Any:
        from sqlalchemy import event
        from sqlalchemy.pool import QueuePool

        engine = self._make(address, **options | {"poolclass": QueuePool, "max_overflow": -1})
        event.listen(engine, "connect", _opened)
        event.listen(engine, "checkout", _still_there)
        engine.dispose = _not_yet  # Dagster disposes of an engine after each statement
        return engine

    def hold_open(self, held_open: bool) -> None:
        """From now on engines hold their connections open, or no longer do; those made before are given up."""
        with self._lock:
            self.held_open = held_open
            while self._kept:
                _close(self._kept.popitem()[1])


def _not_yet(close: bool = True) -> None:
    """Stands for ``Engine.dispose`` of an engine that holds its connections open."""


def _close(engine: Any) -> None:
    type(engine).dispose(engine)


def _opened(connection: Any, record: Any) -> None:
    """The write-ahead log keeps a database whole also when the power fails; the last events of a run may then be
    missing from the run's record, as they would be had it failed a moment earlier. Nothing of a release rests there.
    """
    connection.execute("pragma synchronous = normal")
    path = str(connection.execute("pragma database_list").fetchone()[2])
    record.info["file"] = (path, _identity(path))


def _still_there(connection: Any, record: Any, proxy: Any) -> None:
    """A database that was set aside or pruned meanwhile is not written to any more."""
    from sqlalchemy.exc import DisconnectionError

    path, identity = record.info["file"]
    if _identity(path) != identity:
        raise DisconnectionError(f"{path} is another file now")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def keep_engines() -> list[KeptEngines]:
    """Makes this process keep the engines of Dagster's events and runs; gives what keeps them."""
    from dagster._core.storage.event_log.sqlite import sqlite_event_log
    from dagster._core.storage.runs.sqlite import sqlite_run_storage

    storages: tuple[Any, ...] = (sqlite_event_log, sqlite_run_storage)
    for storage in storages:
        if not isinstance(storage.create_engine, KeptEngines):
            storage.create_engine = KeptEngines(storage.create_engine)
    return [storage.create_engine for storage in storages]


@contextmanager
def quick_records() -> Iterator[None]:
    """While entered, connections to Dagster's SQLite databases stay open, and a commit does not wait for the disk."""
    engines = keep_engines()
    for kept in engines:
        kept.hold_open(True)
    try:
        yield
    finally:
        for kept in engines:
            kept.hold_open(False)

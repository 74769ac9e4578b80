"""One SQLAlchemy engine a SQLite database of Dagster's, where Dagster makes one for every statement.

An engine remembers the SQL that it compiled; with a new one each time, compiling takes longer than SQLite does. Belongs
here: that one remembrance. Does not belong here: which databases there are (``dagster_files``).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

#: Events of a run lie in a database of its own; the daemon sees many.
_KEPT = 16


class KeptEngines:
    """Stands for ``sqlalchemy.create_engine``: makes one engine for an address and its options. ``made`` counts them.

    Dagster's hold no connection (``NullPool``), so threads may share them.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()
        self.made = 0

    def __call__(self, address: str, **options: Any) -> Any:
        key = f"{address} {options}"
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._make(address, **options)
                self.made += 1
            self._kept.move_to_end(key)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


def keep_engines() -> None:
    """Makes this process keep the engines of Dagster's events and runs."""
    from dagster._core.storage.event_log.sqlite import sqlite_event_log
    from dagster._core.storage.runs.sqlite import sqlite_run_storage

    storages: tuple[Any, ...] = (sqlite_event_log, sqlite_run_storage)
    for storage in storages:
        if not isinstance(storage.create_engine, KeptEngines):
            storage.create_engine = KeptEngines(storage.create_engine)

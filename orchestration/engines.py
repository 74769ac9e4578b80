"""One SQLAlchemy engine a SQLite database of Dagster's, where Dagster makes one for every statement.

An engine remembers the SQL that it compiled; with a new one each time, compiling takes longer than SQLite does. Belongs
here: that one remembrance. Does not belong here: which databases there are (``dagster_files``).
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

#: Events of a run lie in a database of its own; the daemon sees many.
_KEPT = 16
_MAKER = "create_engine"


def keep_engines() -> None:
    """Makes this process keep Dagster's engines; they hold no connection (``NullPool``), so threads may share them."""
    from dagster._core.storage.event_log.sqlite import sqlite_event_log
    from dagster._core.storage.runs.sqlite import sqlite_run_storage

    for module in (sqlite_event_log, sqlite_run_storage):
        _keep(module)


def _keep(module: ModuleType) -> None:
    make = getattr(module, _MAKER)
    if hasattr(make, "cache_info"):
        return

    @functools.lru_cache(_KEPT)
    def kept(address: str, options: tuple[tuple[str, Any], ...], timeout: tuple[tuple[str, Any], ...]) -> Any:
        return make(address, **dict(options), **({"connect_args": dict(timeout)} if timeout else {}))

    @functools.wraps(make)
    def create_engine(address: str, *, connect_args: dict[str, Any] | None = None, **options: Any) -> Any:
        return kept(address, tuple(options.items()), tuple((connect_args or {}).items()))

    create_engine.cache_info = kept.cache_info  # type: ignore[attr-defined]
    setattr(module, _MAKER, create_engine)

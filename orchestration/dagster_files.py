"""The SQLite databases that Dagster keeps in a home: which there are, what one says, whether one is whole.

Belongs here: reading them without Dagster and without a trace. Does not belong here: what their rows mean
(``automation``), what becomes of a damaged one (``healing``), Dagster's storage in PostgreSQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from orchestration.settings import Home


def databases(home: Home) -> dict[str, Path]:
    """Dagster's databases of runs, of their events and of ticks, by what they hold, whether they are there or not."""
    history = home.dagster / "history"
    return {
        "runs": history / "runs.db",
        "events": history / "runs" / "index.db",
        "schedules": home.dagster / "schedules" / "schedules.db",
    }


def rows(database: Path, query: str, *values: Any) -> list[Any]:
    """What a database says, read without a trace where nobody writes; nothing where there is none.

    Raises ``sqlite3.Error``.
    """
    if (at_rest := _at_rest(database)) is None:
        return _read(database, "", query, values) if database.is_file() else []
    try:
        # SQLite would make files for those who might write, and leave them.
        found: list[Any] | sqlite3.DatabaseError = _read(database, "&immutable=1", query, values)
    except sqlite3.DatabaseError as error:
        found = error
    if _at_rest(database) != at_rest:
        # Somebody wrote meanwhile, so that what was read may be of two moments, or look damaged: SQLite's own locks.
        return _read(database, "", query, values) if database.is_file() else []
    if isinstance(found, sqlite3.DatabaseError):
        raise found
    return found


def _at_rest(database: Path) -> tuple[int, int, int] | None:
    """What tells a database that nobody writes in from what a writer leaves; None where one writes, or there is none.

    Whoever writes has a log beside it, which the last to close puts into the database and takes away.
    """
    if database.with_name(f"{database.name}-wal").exists() or not database.is_file():
        return None
    status = database.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(database: Path, options: str, query: str, values: Sequence[Any]) -> list[Any]:
    address = f"{database.absolute().as_uri()}?mode=ro{options}"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def fault_of(database: Path) -> str | None:
    """Why Dagster could not work with a database; None where it can, also where others are at work in it."""
    if not database.is_file():
        return "không phải tệp"
    try:
        said = [text for (text,) in rows(database, "pragma quick_check(1)")]
        setups = rows(database, "select version_num from alembic_version")
    except sqlite3.OperationalError as error:
        return None if "locked" in str(error) else str(error)
    except sqlite3.DatabaseError as error:
        return str(error)
    if said != ["ok"]:
        return str(said[0]).splitlines()[0]
    # Two that made it at once leave two rows, and Dagster refuses it for good.
    return None if len(setups) == 1 else f"alembic_version có {len(setups)} dòng"

"""Dagster's SQLite storage made quick for a run of the command line, which writes some 1,300 small transactions.

Belongs here: how connections to Dagster's own databases are opened.
Does not belong here: what is recorded; any other database.

As delivered, each transaction opens the file, waits for the disk, and, being the last to leave the file, empties its
write-ahead log. Only public hooks of SQLAlchemy are used to change that, and only while a run of ours lasts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any


@contextmanager
def quick_records() -> Iterator[None]:
    """While entered, a commit to SQLite through SQLAlchemy does not wait for the disk.

    The write-ahead log keeps the databases whole also when the power fails; the last events of a run may then be
    missing from the run's record, as they would be had the power failed a moment earlier. Nothing of a release rests
    there.
    """
    import sqlalchemy as sa
    from sqlalchemy.pool import Pool

    open_connections: dict[str, sqlite3.Connection] = {}

    def opened(connection: Any, _: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("pragma synchronous = normal")
            _keep_open(connection, open_connections)

    sa.event.listen(Pool, "connect", opened)
    try:
        yield
    finally:
        sa.event.remove(Pool, "connect", opened)
        for connection in open_connections.values():
            connection.close()


def _keep_open(connection: sqlite3.Connection, open_connections: dict[str, sqlite3.Connection]) -> None:
    """Holds one idle connection to the same file: only the last to close a file empties its write-ahead log."""
    with closing(connection.execute("pragma database_list")) as cursor:
        path = str(cursor.fetchone()[2])
    if not path:
        return
    if path not in open_connections:
        open_connections[path] = sqlite3.connect(path, check_same_thread=False)
    # An idle connection counts as present once it has read; a new file becomes a write-ahead one after its first use.
    open_connections[path].execute("select count(*) from sqlite_master").fetchall()

"""The published marts as one DuckDB file.

Belongs here: writing that file so that readers of the last DuckDB lines open it, and reading it back.
Does not belong here: which marts are published. The file dbt writes is never copied: this one is made from the marts.

What is deterministic: the tables, their rows and order. What is not: DuckDB draws a random 16-byte database
identifier for each new file, which changes those bytes and the checksums of the two header blocks that carry it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb

#: Readable by DuckDB 1.4, 1.5 and 2.0; from this version on a stale write-ahead log is refused, not replayed.
STORAGE_VERSION = "v1.4.0"


class DamagedDatabase(Exception):
    """What a statement asked could not be had: of a file that was written whole, because it is damaged."""


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of one thread in memory, to which files are attached. Raises DamagedDatabase for any error of it."""
    import duckdb  # 30 MiB, and a run that finds nothing to do opens no database

    try:
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            yield connection
    except duckdb.Error as error:
        raise DamagedDatabase(str(error)) from error


def write_database(path: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write the tables to a new file, checkpointed and closed, with no write-ahead log left beside it.

    Raises FileExistsError when the file is there (a database file is never replaced), RuntimeError when a log stays.
    """
    if path.exists():
        raise FileExistsError(path)
    with in_memory() as connection:
        connection.execute("set preserve_insertion_order = true")
        target = str(path).replace("'", "''")
        connection.execute(f"attach '{target}' as release (storage_version '{STORAGE_VERSION}')")
        for name in sorted(tables):
            connection.register("incoming", tables[name])
            connection.execute(f'create table release.main."{name}" as from incoming')
            connection.unregister("incoming")
        connection.execute("checkpoint release")
        connection.execute("detach release")
    if list(path.parent.glob(f"{path.name}.*")):
        raise RuntimeError(f"{path.name} was not closed cleanly")


def read_database(path: Path) -> dict[str, pa.Table]:
    """Every value of every table, in stored order. Raises DamagedDatabase."""
    with in_memory() as connection:
        target = str(path).replace("'", "''")
        connection.execute(f"attach '{target}' as release (read_only)")
        names = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'release' order by table_name"
        ).fetchall()
        return {name: connection.execute(f'from release.main."{name}"').to_arrow_table() for (name,) in names}

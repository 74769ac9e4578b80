"""What is in ``published/all.duckdb``, as a program that opens it anywhere sees it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from publication.collection import LOCATE


@contextlib.contextmanager
def opened(path: Path, *, located: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database, opened to read; ``located``: as the guide has it for whoever stands in another folder."""
    with duckdb.connect(str(path), read_only=True, config={"threads": 1}) as connection:
        if located:
            connection.execute(LOCATE)
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The rows of a query, by column."""
    answer = connection.execute(query)
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def collection_content(path: Path) -> dict[str, Any]:
    """Everything that is the same in two databases over the same releases: statements, comments, rows in order."""
    with opened(path) as connection:
        told = {
            "tables": connection.execute("select sql, comment from duckdb_tables() order by all").fetchall(),
            "views": connection.execute(
                "select sql, comment from duckdb_views() where not internal order by all"
            ).fetchall(),
            "columns": connection.execute(
                "select table_name, column_index, column_name, data_type, comment from duckdb_columns() "
                "where not internal order by all"
            ).fetchall(),
        }
        names = [
            name for (name,) in connection.execute("select table_name from duckdb_tables() order by all").fetchall()
        ]
        return {**told, **{name: connection.execute(f'from "{name}"').fetchall() for name in names}}

"""``published/all.duckdb``: every current release in one DuckDB file, with the history of releases.

Belongs here: what stands in that file and how it is built; the rows of its tables, for other copies of the history.
Does not belong here: finding releases and putting the file in its place (``publication.index``), a release's own
``marts.duckdb`` (``tables.database``), the page of meanings (``dictionary``).

A mart is a view over the Parquet files of the current releases, taken by name from the index, never by a pattern: so a
replaced release is in no view. Their paths are relative to the folder of the index. DuckDB resolves relative paths
against the folder that a program runs in and cannot know where the opened file lies, so a view puts the variable
``published`` before them where it is set; :data:`LOCATE` sets it from the file's own path.

What is deterministic: tables, views, comments, rows and their order. What is not: the bytes (see ``tables.database``).
So the file is told by two hashes in :data:`PROOF_NAME`: its own, and that of the index it was made from.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from common.files import sha256_bytes
from publication.content.dictionary import described_tables, dictionary_rows
from publication.store.contracts import Column, Contract, stored_contracts, table_name
from publication.store.csvfile import from_csv
from publication.tables.database import STORAGE_VERSION, DamagedDatabase, in_memory

if TYPE_CHECKING:
    import duckdb

DATABASE_NAME = "all.duckdb"
#: Hashes of the database and of the index it was made from, in the layout of ``sha256sum``.
PROOF_NAME = "all.duckdb.sha256"
#: What whoever opened the file from another folder says once.
LOCATE = (
    "set variable published = (select regexp_replace(path, '[^/\\\\]*$', '') from duckdb_databases() "
    f"where path like '%{DATABASE_NAME}')"
)
#: The list of changes of a release.
CHANGES_FILE = "quality/changes.csv"
#: Columns of that list by the columns of ``changed_figures`` that hold them.
_CHANGE_COLUMNS: Mapping[str, str] = {
    "table_name": "mart",
    "row_key": "row",
    "name_vi": "name_vi",
    "column_name": "column",
    "old_value": "old",
    "new_value": "new",
    "cause_kind": "cause_kind",
    "cause": "cause",
    "cause_vi": "cause_vi",
}
#: A small file: most of it are texts of views and comments.
_BLOCK_SIZE = 16384
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_TYPES: Mapping[str, pa.DataType] = {
    "varchar": pa.string(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}
_RELEASE_OF_FILE = "regexp_extract(filename, '([^/]+/[^/]+/r[0-9]+)/marts/', 1)"

Entry = Mapping[str, Any]
Row = dict[str, Any]


# --- rows ---------------------------------------------------------------------------------------------------------


def release_label(entry: Entry, number: int) -> str:
    """``945/2023-Q1/r2``."""
    return f"{entry['unit_code']}/{entry['quarter']}/r{number}"


def release_rows(entries: Iterable[Entry], shown: Collection[str]) -> Iterator[Row]:
    """Rows of ``releases``: what the index says of each current release. ``shown``: paths of those in the views."""
    for entry in entries:
        yield {
            "release": release_label(entry, entry["release"]),
            "unit_code": entry["unit_code"],
            "unit_name_vi": entry["unit_name_vi"],
            "quarter": entry["quarter"],
            "release_number": entry["release"],
            "published_at": _local(entry["published_at"]),
            "provisional": entry["provisional"],
            "has_tables": entry["path"] in shown,
            "path": entry["path"],
            "manifest_sha256": entry["manifest_sha256"],
        }


def history_rows(entry: Entry) -> Iterator[Row]:
    """Rows of ``release_history`` of one unit and period, in order."""
    in_force = _in_force(entry)
    for place, step in enumerate(entry["history"], start=1):
        yield {
            "unit_code": entry["unit_code"],
            "quarter": entry["quarter"],
            "step": place,
            "action": step["action"],
            "release": release_label(entry, step["release"]),
            "release_number": step["release"],
            "previous_release_number": step["previous"],
            "happened_at": _local(step["at"]),
            "changed_cells": step["changed"],
            "reason_vi": step["reason"],
            "provisional": step["provisional"],
            "in_force": step["release"] in in_force,
        }


def changed_rows(published: Path, entry: Entry) -> Iterator[Row]:
    """Rows of ``changed_figures`` of one unit and period: the lists of all its releases that are as published.

    Raises OSError where a list went while the index was made.
    """
    for step in _listing(entry):
        yield from _changes_of(published, entry, step)


def _listing(entry: Entry) -> list[Mapping[str, Any]]:
    """The publications whose list of changes was found whole, each with at least one line."""
    return [step for step in entry["history"] if step["action"] == "publish" and step["changed"]]


def _changes_of(published: Path, entry: Entry, step: Mapping[str, Any]) -> Iterator[Row]:
    path = published / entry["unit_code"] / entry["quarter"] / f"r{step['release']}" / CHANGES_FILE
    about = {
        "release": release_label(entry, step["release"]),
        "unit_code": entry["unit_code"],
        "quarter": entry["quarter"],
        "release_number": step["release"],
        "previous_release_number": step["previous"],
        "in_force": step["release"] in _in_force(entry),
    }
    for position, line in enumerate(from_csv(path.read_bytes()), start=1):
        cells = {name: line.get(column) or None for name, column in _CHANGE_COLUMNS.items()}
        yield {**about, "position": position, **cells}


def _in_force(entry: Entry) -> set[int]:
    """The current release and those that it was made from, one after the other."""
    before = {step["release"]: step["previous"] for step in entry["history"] if step["action"] == "publish"}
    found: set[int] = set()
    number: int | None = entry["release"]
    while number is not None and number not in found:
        found.add(number)
        number = before.get(number)
    return found


def _local(moment: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(moment).astimezone(_ZONE).replace(tzinfo=None) if moment else None


# --- the file -----------------------------------------------------------------------------------------------------


def is_proven(database: bytes, index: bytes, proof: bytes) -> bool:
    """Whether these are the database that was written and the index it was made from."""
    return proof == proof_of(database, index)


def proof_of(database: bytes, index: bytes) -> bytes:
    """What ``sha256sum --check`` reads in the folder of the index."""
    lines = ((database, DATABASE_NAME), (index, "index.json"))
    return "".join(f"{sha256_bytes(data)}  {name}\n" for data, name in lines).encode()


def build_collection(published: Path, entries: Sequence[Entry], before: Path | None = None) -> bytes:
    """The bytes of the database over these entries of the index.

    ``before``: a whole database that this version of the program made; lists of changes that it holds are taken from
    it, since a release never changes. A release that lost tables, or whose tables cannot be opened, stands in no view,
    and ``releases`` says so: another unit's publication does not fail over it.
    """
    shown = {entry["path"] for entry in entries if _has_its_tables(published, entry)}
    try:
        return _built(published, entries, shown, before)
    except DamagedDatabase:
        return _built(
            published, entries, {e["path"] for e in entries if e["path"] in shown and _opens(published, e)}, before
        )


def _has_its_tables(published: Path, entry: Entry) -> bool:
    return bool(entry["tables"]) and all((published / file).is_file() for file in _mart_files(entry))


def _opens(published: Path, entry: Entry) -> bool:
    try:
        return all(pq.read_schema(published / file) is not None for file in _mart_files(entry))
    except (OSError, pa.ArrowException):
        return False


def _mart_files(entry: Entry) -> list[str]:
    return [f"{entry['path']}/marts/{mart}.parquet" for mart in entry["tables"]]


def _built(published: Path, entries: Sequence[Entry], shown: Collection[str], before: Path | None) -> bytes:
    with tempfile.TemporaryDirectory(prefix="cchc-all-") as folder:
        path = Path(folder) / DATABASE_NAME
        with in_memory() as connection:
            connection.execute("set preserve_insertion_order = true")
            connection.execute(
                f"attach '{_quoted(str(path))}' as made (storage_version '{STORAGE_VERSION}', block_size {_BLOCK_SIZE})"
            )
            if before is not None:
                connection.execute(f"attach '{_quoted(str(before))}' as before (read_only)")
            connection.execute("use made")
            # One transaction: each of its own would be written to the disk one after the other.
            connection.begin()
            _fill(connection, published, entries, shown, reuse=before is not None)
            connection.commit()
            connection.execute("checkpoint made")
            connection.execute("use memory")
            connection.execute("detach made")
        return path.read_bytes()


def looks_of(entries: Sequence[Entry]) -> bytes:
    """The statements that make the views and comments of a database over these entries, and the meanings it holds: a
    change of the program that changes the file changes them."""
    views = _views(entries)
    contracts = described_tables(views)
    statements = [
        *views.values(),
        *_comments(contracts, {name: contract.by_name for name, contract in contracts.items()}),
    ]
    return "\n".join(statements).encode()


def _fill(
    connection: duckdb.DuckDBPyConnection,
    published: Path,
    entries: Sequence[Entry],
    shown: Collection[str],
    *,
    reuse: bool,
) -> None:
    views = _views([entry for entry in entries if entry["path"] in shown])
    contracts = described_tables(views)
    _create(connection, "releases", release_rows(entries, shown))
    _create(connection, "release_history", (row for entry in entries for row in history_rows(entry)))
    _create_changes(connection, published, entries, reuse=reuse)
    _create(connection, "dictionary", dictionary_rows(contracts))
    connection.execute("set variable published = $1", [f"{published.resolve()}/"])
    for statement in views.values():
        connection.execute(statement)
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where database_name = 'made' order by all"
    ).fetchall():
        columns.setdefault(table, []).append(column)
    if comments := list(_comments(contracts, columns)):
        connection.execute(";".join(comments))


def _create(connection: duckdb.DuckDBPyConnection, name: str, rows: Iterable[Row]) -> None:
    columns = stored_contracts()[name].columns
    schema = pa.schema([pa.field(column.name, _TYPES[column.type]) for column in columns])
    connection.register("incoming", pa.Table.from_pylist(list(rows), schema=schema))
    declared = ", ".join(f'"{column.name}" {column.type}{" not null" * column.required}' for column in columns)
    connection.execute(f'create table made.main."{name}" ({declared})')
    connection.execute(f'insert into made.main."{name}" from incoming')
    connection.unregister("incoming")


def _create_changes(
    connection: duckdb.DuckDBPyConnection, published: Path, entries: Sequence[Entry], *, reuse: bool
) -> None:
    """Lists that the database before holds whole are copied, others read; then all stand in the order of the index."""
    known: Mapping[str, int] = {}
    if reuse:
        counted = connection.execute("select release, count(*) from before.main.changed_figures group by all")
        known = dict(counted.fetchall())
    places: list[Row] = []
    read: list[Row] = []
    for entry in entries:
        in_force = _in_force(entry)
        for step in _listing(entry):
            label = release_label(entry, step["release"])
            places.append({"release": label, "place": len(places), "in_force": step["release"] in in_force})
            if known.get(label) != step["changed"]:
                read += _changes_of(published, entry, step)
    _create(connection, "changed_figures", read)
    if not reuse:
        return
    schema = pa.schema([("release", pa.string()), ("place", pa.int64()), ("in_force", pa.bool_())])
    connection.register("places", pa.Table.from_pylist(places, schema=schema))
    connection.execute(
        """
        create temp table merged as
        select found.* replace (places.in_force as in_force)
        from (
            from made.main.changed_figures
            union all
            from before.main.changed_figures
            where release not in (select release from made.main.changed_figures)
        ) as found
        inner join places on found.release = places.release
        order by places.place, found.position
        """
    )
    connection.execute("delete from made.main.changed_figures")
    connection.execute("insert into made.main.changed_figures from merged")
    connection.unregister("places")


def _views(entries: Sequence[Entry]) -> dict[str, str]:
    """The statement of each view, by its name. A table of another major version is another view."""
    files: dict[str, list[str]] = {}
    versions: dict[str, set[str]] = {}
    for entry in entries:
        for mart, version in entry["tables"].items():
            name = table_name(mart, version) if version else mart
            files.setdefault(name, []).append(f"{entry['path']}/marts/{mart}.parquet")
            versions.setdefault(name, set()).add(version)
    statements = {}
    place = "coalesce(getvariable('published'), '') || file"
    for name in sorted(files):
        listed = ", ".join(f"'{_quoted(file)}'" for file in files[name])
        # Opening every file to learn its columns is dear, and needed only where they may differ.
        by_name = ", union_by_name = true" if versions[name] != {max(versions[name])} or "" in versions[name] else ""
        statements[name] = (
            f'create view made.main."{name}" as select {_RELEASE_OF_FILE} as release, * exclude (filename) '
            f"from read_parquet(list_transform([{listed}], lambda file: {place}), filename = true{by_name})"
        )
    return statements


def _comments(contracts: Mapping[str, Contract], columns: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Words in both languages for every table and for the columns that it has."""
    for name, contract in contracts.items():
        words = _both(contract.description_vi, contract.description)
        kind = "table" if contract.origin == "index" else "view"
        yield f"comment on {kind} made.main.\"{name}\" is '{_quoted(words)}'"
        for column in columns.get(name, ()):
            if known := contract.by_name.get(column):
                yield f'comment on column made.main."{name}"."{column}" is \'{_quoted(_words(known))}\''


def _words(column: Column) -> str:
    vi, en = column.description_vi or column.description, column.description
    return _both(f"{vi} ({column.unit_vi})" if column.unit_vi else vi, f"{en} ({column.unit})" if column.unit else en)


def _both(vi: str | None, en: str) -> str:
    return f"{vi or en} | {en}"


def _quoted(text: str) -> str:
    return text.replace("'", "''")

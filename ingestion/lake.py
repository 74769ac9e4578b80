"""Where rows rest: Parquet files of accepted rows, rejected rows, findings, and remarks on whole deliveries.

Belongs here: writing files so that they appear whole or not at all, with the same bytes for the same rows. Does not
belong here: what the rows are.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.contracts import Contract
from ingestion.paths import IngestPaths
from ingestion.remarks import SCHEMA as FILE_REMARK_SCHEMA

LAYERS = ("lake", "rejected", "findings", "remarks")
_ROW_GROUP = 200_000


def write_atomically(path: Path, data: bytes) -> None:
    """Puts ``data`` at ``path``: a temporary sibling is written, synced and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_table(path: Path, table: pa.Table) -> None:
    """Writes Parquet with fixed settings, atomically. Dictionary-encoded columns are read back as their plain type."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".rows-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            pq.write_table(
                table, file, compression="zstd", row_group_size=_ROW_GROUP, write_statistics=True, store_schema=False
            )
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_rows(paths: IngestPaths, layer: str, place: tuple[str, str, str, str], table: pa.Table) -> None:
    """Writes one delivery's rows of a layer, or takes the file away where there are none.

    ``place`` is (source, quarter, unit code, delivery id).
    """
    path = paths.rows_file(layer, *place)
    if table.num_rows:
        write_table(path, table)
    else:
        path.unlink(missing_ok=True)


def write_empty_schemas(paths: IngestPaths, contracts: Iterable[Contract]) -> None:
    """Writes the zero-row files of the sources and of the remarks where one is missing or of another schema."""
    schemas = {paths.lake(contract.source): contract.arrow_schema() for contract in contracts}
    schemas[paths.remarks] = FILE_REMARK_SCHEMA
    for folder, schema in schemas.items():
        path = folder / "schema.parquet"
        if not path.exists() or pq.read_schema(path) != schema:
            write_table(path, schema.empty_table())

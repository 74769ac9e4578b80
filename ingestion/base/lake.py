"""Where rows rest: Parquet files of accepted rows, rejected rows, findings, remarks on whole deliveries, and
the rows that are no data.

Belongs here: writing files so that they appear whole or not at all, with the same bytes for the same rows. Does not
belong here: what the rows are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.files import PRIVATE, replacing, sha256_bytes, sha256_file
from ingestion.base.contracts import Contract
from ingestion.base.paths import IngestPaths
from ingestion.base.remarks import SCHEMA as FILE_REMARK_SCHEMA

LAYERS = ("lake", "rejected", "findings", "remarks", "furniture")
_ROW_GROUP = 200_000
#: Of larger files only the last that were read are kept in memory.
_SMALL = 1 << 20


class DamagedError(OSError):
    """A file of this program's own is not what it left there; the message names it. Never a fault of a delivery."""


def _put(table: pa.Table, sink: Any, *, checksums: bool = False) -> None:
    pq.write_table(
        table,
        sink,
        compression="zstd",
        row_group_size=_ROW_GROUP,
        write_statistics=True,
        store_schema=False,
        write_page_checksum=checksums,
    )


def table_bytes(table: pa.Table) -> bytes:
    """What :func:`write_table` would write; for small tables whose hash must be known before they are written."""
    sink = pa.BufferOutputStream()
    _put(table, sink)
    return bytes(sink.getvalue().to_pybytes())


def write_table(path: Path, table: pa.Table, *, checksums: bool = False) -> str:
    """Writes Parquet with fixed settings, atomically, and returns its SHA-256. Dictionary-encoded columns are read back
    as their plain type. ``checksums`` on each page are for files whose hash nobody keeps.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, mode=PRIVATE) as stream:
        _put(table, stream, checksums=checksums)
    return sha256_file(path)


def read_again_and_again(path: Path, *, checksums: bool = False) -> pa.Table:
    """The table of a file that every step of an intake asks for: the same bytes are decoded once in a process.

    ``checksums`` looks at those of the pages. Raises ``OSError`` or ``pa.ArrowException`` where it cannot be read.
    """
    data = path.read_bytes()
    return _decoded(data, checksums) if len(data) <= _SMALL else _decoded_large(data, checksums)


@lru_cache(maxsize=2)
def _decoded_large(data: bytes, checksums: bool) -> pa.Table:
    return _decoded.__wrapped__(data, checksums)


@lru_cache(maxsize=64)
def _decoded(data: bytes, checksums: bool) -> pa.Table:
    return pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=checksums).read()


def is_same_table(path: Path, table: pa.Table) -> bool:
    """Whether the Parquet file at the path can be read and holds this table."""
    try:
        return path.is_file() and bool(read_again_and_again(path) == table)
    except (OSError, pa.ArrowException):
        return False


def is_empty_table(path: Path) -> bool:
    """Whether the Parquet file at the path can be read and holds no row, whatever its columns."""
    try:
        return path.is_file() and read_again_and_again(path).num_rows == 0
    except (OSError, pa.ArrowException):
        return False


def write_rows(paths: IngestPaths, layer: str, place: tuple[str, str, str, str], table: pa.Table) -> dict[str, str]:
    """Writes one delivery's rows of a layer, or takes the file away where there are none; the file's hash by layer.

    ``place`` is (source, quarter, unit code, delivery id).
    """
    path = paths.rows_file(layer, *place)
    if table.num_rows:
        return {layer: write_table(path, table)}
    path.unlink(missing_ok=True)
    return {}


def read_rows(
    paths: IngestPaths, layer: str, place: tuple[str, str, str, str], hashes: Mapping[str, str]
) -> pa.Table | None:
    """One delivery's rows of a layer, None where it left none; raises :class:`DamagedError` where they are not those
    that were written (``hashes`` by layer, as the receipt keeps them).
    """
    if layer not in hashes:
        return None
    path = paths.rows_file(layer, *place)
    data = path.read_bytes() if path.exists() else b""
    if sha256_bytes(data) != hashes[layer]:
        raise DamagedError(f"{path} is not what the receipt of the delivery says")
    return pq.ParquetFile(pa.BufferReader(data)).read()


def write_empty_schemas(paths: IngestPaths, contracts: Iterable[Contract]) -> None:
    """Writes the zero-row files of the sources and of the remarks where one is missing or of another schema."""
    for path, schema in empty_schemas(paths, contracts).items():
        if not is_same_table(path, schema.empty_table()):
            write_table(path, schema.empty_table())


def empty_schemas(paths: IngestPaths, contracts: Iterable[Contract]) -> dict[Path, pa.Schema]:
    """Where the zero-row files lie, and what each must say."""
    schemas = {paths.lake(contract.source): contract.arrow_schema() for contract in contracts}
    schemas[paths.remarks] = FILE_REMARK_SCHEMA
    return {folder / "schema.parquet": schema for folder, schema in schemas.items()}

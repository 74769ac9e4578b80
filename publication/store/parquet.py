"""Parquet of equal rows as equal bytes.

Belongs here: the one writer and reader of Parquet in this room. Does not belong here: which rows a file holds.
The bytes are a function of the rows, the schema and the pyarrow version (it writes its version as ``created_by``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_ROW_GROUP = 1 << 20
#: How every published Parquet file is written.
WRITER_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "version": "2.6",
        "data_page_version": "1.0",
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": True,
        "write_statistics": True,
    }
)


def in_total_order(table: pa.Table) -> pa.Table:
    """Rows sorted by every column, left to right, nulls last.

    Marts start with their key columns, so this is key order; rows equal in every column are interchangeable.
    Lists sort by their text.
    """
    if table.num_rows < 2:
        return table
    keys = {f"k{position}": _sortable(column) for position, column in enumerate(table.columns)}
    order = pc.sort_indices(
        pa.table(keys), options=pc.SortOptions(sort_keys=[(name, "ascending", "at_end") for name in keys])
    )
    return table.take(order)


def _sortable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        return pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())])
    return column


def to_parquet(table: pa.Table) -> bytes:
    """The table's Parquet file: total order, zstd, no metadata from where it was read."""
    schema = pa.schema([pa.field(field.name, field.type, field.nullable) for field in table.schema])
    ordered = in_total_order(table.combine_chunks()).cast(schema).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    pq.write_table(
        ordered.combine_chunks(),
        sink,
        **WRITER_OPTIONS,
        row_group_size=_ROW_GROUP,
        store_schema=True,
    )
    return bytes(sink.getvalue())


def from_parquet(data: bytes) -> pa.Table:
    """Every value of a Parquet file held in memory. Raises pyarrow.ArrowException when it is damaged.

    Read by one thread: the threaded reader was seen to abort the process when the interpreter ended right after.
    """
    with pq.ParquetFile(pa.BufferReader(data), pre_buffer=False, page_checksum_verification=True) as file:
        table = file.read(use_threads=False)
    table.validate(full=True)
    return table

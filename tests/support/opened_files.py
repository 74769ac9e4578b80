"""Files opened as far as they open, so that their content can be searched for what must not be there.

Belongs here: archives, Parquet, DuckDB, SQLite, zlib, PDF, escaped JSON. Does not belong here: what is searched for.
"""

from __future__ import annotations

import io
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pypdfium2

_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})")


def opened(path: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes of a file, and those of whatever is packed inside it, with a name for each."""
    yield from _opened(str(path), path.read_bytes())
    head = path.read_bytes()[:16]
    if head[:4] == b"PAR1":
        table = pq.ParquetFile(path)
        yield f"{path} rows", "\n".join(map(str, table.read().to_pylist())).encode()
        yield f"{path} metadata", (str(table.metadata.metadata) + str(table.schema_arrow)).encode()
    elif head[8:12] == b"DUCK":
        yield f"{path} tables", "\n".join(_duckdb_rows(path)).encode()
    elif head.startswith(b"%PDF"):
        pages = (page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(path))
        yield f"{path} text", " ".join(" ".join(pages).split()).encode()
    elif head.startswith(b"SQLite format 3"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            names = [r[0] for r in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in names:
                for row in database.execute(f'SELECT * FROM "{name}"'):
                    for cell in row:
                        data = cell if isinstance(cell, bytes) else str(cell).encode()
                        yield from _opened(f"{path} {name}", data)


def _opened(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, data
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from _opened(f"{name}!{member}", archive.read(member))
    elif data[:2] in (b"\x1f\x8b", b"\x78\x9c", b"\x78\xda", b"\x78\x01"):
        try:
            yield from _opened(f"{name} unpacked", zlib.decompress(data, wbits=47))
        except zlib.error:
            return
    if b"\\u" in data:  # JSON written in ASCII
        yield f"{name} unescaped", _ESCAPE.sub(lambda m: chr(int(m[1], 16)).encode("utf-8", "surrogatepass"), data)


def _duckdb_rows(path: Path) -> Iterator[str]:
    with duckdb.connect(str(path), read_only=True) as database:
        tables = database.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
        ).fetchall()
        for schema, table in tables:
            for row in database.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall():
                yield str(row)

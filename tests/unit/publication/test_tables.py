"""Parquet bytes follow from rows alone; the DuckDB file is readable, closed and safe from foreign logs."""

import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from publication.store.parquet import from_parquet, in_total_order, to_parquet
from publication.tables.database import STORAGE_VERSION, read_database, write_database

TABLE = pa.table(
    {
        "unit_code": ["945", "941", None, "945"],
        "names": [["b"], ["a"], None, ["a"]],
        "value": pa.array([Decimal("1.5"), None, Decimal("2"), Decimal("1.5")], pa.decimal128(18, 4)),
    }
)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_row_order_and_chunks_do_not_change_the_bytes(order: list[int]) -> None:
    pieces = pa.concat_tables([TABLE.take([position]) for position in order])
    assert to_parquet(pieces) == to_parquet(TABLE)


def test_metadata_of_the_origin_does_not_change_the_bytes() -> None:
    assert to_parquet(TABLE.replace_schema_metadata({"pandas": "x"})) == to_parquet(TABLE)


def test_a_table_reads_back_in_total_order() -> None:
    back = from_parquet(to_parquet(TABLE))
    assert back.equals(in_total_order(TABLE))
    assert back["unit_code"].to_pylist() == ["941", "945", "945", None]
    assert back["names"].to_pylist() == [["a"], ["a"], ["b"], None]


def test_a_damaged_parquet_file_is_an_error() -> None:
    data = to_parquet(TABLE)
    with pytest.raises(pa.ArrowException):
        from_parquet(data[:-5])


def test_the_database_gives_back_every_table(tmp_path: Path) -> None:
    write_database(tmp_path / "marts.duckdb", {"a": TABLE, "b": TABLE.slice(0, 0)})
    back = read_database(tmp_path / "marts.duckdb")
    assert back["a"].to_pylist() == TABLE.to_pylist()
    assert back["b"].num_rows == 0
    assert back["a"].schema.field("value").type == pa.decimal128(18, 4)


def test_no_log_lies_beside_a_written_database(tmp_path: Path) -> None:
    write_database(tmp_path / "marts.duckdb", {"a": TABLE})
    read_database(tmp_path / "marts.duckdb")
    assert [path.name for path in tmp_path.iterdir()] == ["marts.duckdb"]


def test_a_database_file_is_never_replaced(tmp_path: Path) -> None:
    write_database(tmp_path / "marts.duckdb", {"a": TABLE})
    with pytest.raises(FileExistsError):
        write_database(tmp_path / "marts.duckdb", {"a": TABLE})


def test_the_storage_version_is_pinned(tmp_path: Path) -> None:
    write_database(tmp_path / "marts.duckdb", {"a": TABLE})
    with duckdb.connect(str(tmp_path / "marts.duckdb"), read_only=True) as connection:
        tags = connection.execute("select tags from duckdb_databases() where database_name = 'marts'").fetchone()
    assert tags is not None
    assert tags[0]["storage_version"].startswith(STORAGE_VERSION[:4])


def test_a_foreign_log_is_refused_not_replayed(tmp_path: Path) -> None:
    """A log left by another database, put beside the published file, must never change what a reader sees."""
    other = tmp_path / "other.duckdb"
    script = (
        "import duckdb, os, sys\n"
        "c = duckdb.connect(':memory:')\n"
        f"c.execute(\"attach '{other}' as o (storage_version '{STORAGE_VERSION}')\")\n"
        "c.execute('create table o.a as select 1 as x')\n"
        "c.execute('checkpoint o')\n"
        "c.execute(\"set checkpoint_threshold = '1GB'\")\n"
        "c.execute('insert into o.a select range from range(9)')\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    log = Path(f"{other}.wal")
    assert log.stat().st_size > 0
    write_database(tmp_path / "marts.duckdb", {"a": TABLE})
    shutil.copy(log, tmp_path / "marts.duckdb.wal")
    with pytest.raises(duckdb.Error):
        duckdb.connect(str(tmp_path / "marts.duckdb"))


def test_only_the_random_identifier_of_the_database_varies(tmp_path: Path) -> None:
    """Documents what is not deterministic: a 16-byte identifier and the 8-byte checksum in each of two headers."""
    for name in ("one.duckdb", "two.duckdb"):
        write_database(tmp_path / name, {"a": TABLE})
    one, two = (tmp_path / "one.duckdb").read_bytes(), (tmp_path / "two.duckdb").read_bytes()
    assert len(one) == len(two)
    differing = {position for position in range(len(one)) if one[position] != two[position]}
    assert 0 < len(differing) <= 2 * (16 + 8)
    assert max(differing) < 3 * 4096

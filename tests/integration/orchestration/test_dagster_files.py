"""Dagster's databases are read beside whoever writes in them: nobody is told a fault that is none, or half a change."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orchestration.dagster_files import fault_of, rows

_ROWS, _LOOKS = 8_000, 80
#: Opens, moves one from a row to another, and closes, whereby the log goes into the database: again and again.
_WRITER = """
import random, sqlite3, sys, time
while True:
    database = sqlite3.connect(sys.argv[1], timeout=30)
    database.execute("pragma synchronous = off")
    one, other = random.sample(range(int(sys.argv[2])), 2)
    database.execute("begin immediate")
    for row, change in ((one, 1), (other, -1)):
        text = random.randbytes(random.randint(10, 400)).hex()
        database.execute("update moved set number = number + ?, text = ? where id = ?", (change, text, row))
    database.execute("commit")
    database.close()
    time.sleep(random.random() * 0.02)
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "index.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("pragma journal_mode = wal")
        made.execute("create table alembic_version (version_num text)")
        made.execute("insert into alembic_version values ('a')")
        made.execute("create table moved (id integer primary key, number integer, text text)")
        made.execute("create index texts on moved (text)")
        made.executemany("insert into moved values (?, 0, ?)", [(row, str(row) * 80) for row in range(_ROWS)])
        made.commit()
    return path


@pytest.fixture
def writer(database: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(database), str(_ROWS)])
    yield process
    process.kill()
    process.wait()


def test_a_database_somebody_writes_in_is_neither_damaged_nor_half_changed(
    database: Path, writer: subprocess.Popen[bytes]
) -> None:
    found = [(fault_of(database), rows(database, "select sum(number), count(*) from moved")) for _ in range(_LOOKS)]
    assert set(map(str, found)) == {str((None, [(0, _ROWS)]))}
    assert writer.poll() is None
    assert rows(database, "select count(*) from moved where number <> 0") != [(0,)], "it did write"


def test_a_database_at_rest_is_read_without_a_trace(database: Path) -> None:
    before = database.stat()
    assert fault_of(database) is None
    assert rows(database, "select count(*) from moved") == [(_ROWS,)]
    assert [path.name for path in database.parent.iterdir()] == [database.name]
    after = database.stat()
    assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)


@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_one_is_told(database: Path, seed: int) -> None:
    rng, data = random.Random(seed), bytearray(database.read_bytes())
    start = rng.randrange(1, len(data) // 8192) * 4096
    data[start : start + 8192] = rng.randbytes(8192)
    database.write_bytes(data)
    assert fault_of(database) is not None

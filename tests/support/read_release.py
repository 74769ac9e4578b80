"""Reads a release with whatever DuckDB the Python path holds, and prints what it saw; run as a process.

``digest FOLDER`` prints ``{"version": …, "duckdb": {table: sha256}, "parquet": {table: sha256}}`` over all values.
``loop QUARTER_FOLDER STOP_FILE`` reads the current release again and again until STOP_FILE is there, through a
connection that stays open until the release changes, and prints ``{"reads", "releases", "faults"}``.
``readers_of`` starts several of the second kind.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

SCRIPT = Path(__file__)
_BETWEEN_READS = 0.2
_TO_BE_SURE = 1.5


def digest(rows: Iterable[Iterable[Any]]) -> str:
    """sha256 over the rows' values in Python's own print, whatever their order."""
    return hashlib.sha256("\n".join(sorted(repr(tuple(row)) for row in rows)).encode()).hexdigest()


def file_hashes(release: Path) -> dict[str, str]:
    """Hashes of all files of a release but the two that may differ: the manifest knows the time of publication, and
    DuckDB draws an identifier for each file."""
    files = [p for p in release.rglob("*") if p.is_file() and p.name not in {"manifest.json", "marts.duckdb"}]
    assert len(files) > 10
    return {p.relative_to(release).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(files)}


def _tables(connection: Any) -> list[str]:
    return [name for (name,) in connection.execute("select table_name from duckdb_tables() order by 1").fetchall()]


def read_all(folder: Path) -> dict[str, Any]:
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as connection:
        stored = {name: digest(connection.execute(f'from "{name}"').fetchall()) for name in _tables(connection)}
        files = sorted((folder / "marts").glob("*.parquet"))
        parquet = {
            path.stem: digest(connection.execute("from read_parquet(?)", [str(path)]).fetchall()) for path in files
        }
    return {"version": duckdb.__version__, "duckdb": stored, "parquet": parquet}


def loop(quarter_dir: Path, stop: Path) -> dict[str, Any]:
    reads, releases, faults = 0, [], []
    name, connection = "", None
    while not stop.exists():
        try:
            current = json.loads((quarter_dir / "current.json").read_bytes())["path"]
            if current != name:
                if connection is not None:
                    connection.close()
                name = current
                releases.append(name)
                connection = duckdb.connect(str(quarter_dir / name / "marts.duckdb"), read_only=True)
            assert connection is not None
            stored = digest(connection.execute("from report_indicators").fetchall())
            path = str(quarter_dir / name / "marts" / "report_indicators.parquet")
            if stored != digest(connection.execute("from read_parquet(?)", [path]).fetchall()):
                faults.append(f"{name}: the database and the Parquet file differ")
            reads += 1
            time.sleep(_BETWEEN_READS)
        except Exception as error:  # whatever goes wrong is what the test counts
            faults.append(f"{type(error).__name__}: {error}")
    return {"reads": reads, "releases": releases, "faults": faults}


@contextmanager
def readers_of(quarter_dir: Path, stop: Path, count: int) -> Iterator[list[dict[str, Any]]]:
    """So many processes that loop as long as the block lasts; what they tell at their end is in the list then."""
    command = [sys.executable, "-P", str(SCRIPT), "loop", str(quarter_dir), str(stop)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) for _ in range(count)]
    answers: list[dict[str, Any]] = []
    try:
        time.sleep(_TO_BE_SURE)  # every reader has the release before open,
        yield answers
        time.sleep(_TO_BE_SURE)  # and has the time to see the one after
    finally:
        stop.touch()
        answers.extend(json.loads(process.communicate(timeout=120)[0]) for process in processes)


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    found = read_all(Path(paths[0])) if command == "digest" else loop(Path(paths[0]), Path(paths[1]))
    sys.stdout.write(json.dumps(found) + "\n")

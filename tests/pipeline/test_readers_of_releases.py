"""Old and new programs read a release exactly, and nobody who reads stands in the way of a build, nor it in theirs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from publication import current_release
from tests.pipeline.conftest import QUARTER, UNIT
from tests.support.other_duckdb import duckdb_line
from tests.support.read_release import SCRIPT, digest, readers_of

ROOT = Path(__file__).parents[2]
READERS = 10


@pytest.fixture(scope="module")
def release(published_home: Path) -> Path:
    found = current_release(published_home / "published", UNIT, QUARTER)
    assert found is not None
    return found.path


@pytest.fixture(scope="module")
def expected(release: Path) -> dict[str, str]:
    """Digest of every mart's values, as pyarrow gives them."""
    paths = sorted((release / "marts").glob("*.parquet"))
    found = {path.stem: digest(row.values() for row in pq.read_table(path).to_pylist()) for path in paths}
    assert len(found) > 10
    return found


@pytest.mark.parametrize("line", ["1.4", "own", "2.0"])
def test_each_line_of_duckdb_reads_every_value(release: Path, expected: dict[str, str], line: str) -> None:
    path = [str(ROOT)] if line == "own" else [str(duckdb_line(line)), str(ROOT)]
    done = subprocess.run(
        [sys.executable, "-P", str(SCRIPT), "digest", str(release)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert line == "own" or found["version"].startswith(line)
    assert found["duckdb"] == expected
    assert found["parquet"] == expected
    assert not list(release.glob("*.wal"))


def test_pandas_and_polars_read_every_value(release: Path) -> None:
    for path in sorted((release / "marts").glob("*.parquet")):
        rows = [tuple(row.values()) for row in pq.read_table(path).to_pylist()]
        frame = pd.read_parquet(path, dtype_backend="pyarrow").astype(object)
        assert list(frame.where(frame.notna(), None).itertuples(index=False, name=None)) == rows, path.stem
        assert pl.read_parquet(path).rows() == rows, path.stem


@pytest.mark.long
def test_ten_readers_and_whole_runs_do_not_disturb_each_other(published_home: Path, tmp_path: Path) -> None:
    """Readers loop while the quarter is built anew from nothing and published; not one lock error on either side."""
    home = tmp_path / "home"
    shutil.copytree(published_home, home)
    shutil.rmtree(home / "warehouse")
    [delivered] = (home / "landing" / UNIT / QUARTER / "plan_tasks").iterdir()
    workbook = openpyxl.load_workbook(delivered)
    workbook.save(delivered)  # other bytes, the same figures: a later delivery, so a release of its own
    with readers_of(home / "published" / UNIT / QUARTER, tmp_path / "stop", READERS) as reading:
        done = subprocess.run(
            [sys.executable, "-m", "orchestration.cli", "run", QUARTER],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "CCHC_HOME": str(home), "PYTHONPATH": str(ROOT)},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(reading) == READERS
    for result in reading:
        assert result["faults"] == []
        assert result["releases"] == ["r1", "r2"]
        assert result["reads"] > 10

"""The same deliveries give the same bytes: for any thread count, time zone, locale and order of arrival."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sample import CLOSING, COMMUNE_QUARTERS
from tests.pipeline.conftest import QUARTER, release_of
from tests.support.read_release import file_hashes

ROOT = Path(__file__).parents[2]
# A home may lie anywhere: what means something to SQL, Jinja or patterns of files means nothing in its path.
ODD_NAME = 'o\'brien [945] {{ 7*7 }} 100% * "$HOME"'
# The shared home was run with the default of 2 threads.
WORLDS = [
    pytest.param(4, "America/Los_Angeles", "C", 2, id="4-threads", marks=pytest.mark.long),
    pytest.param(1, "Asia/Ho_Chi_Minh", "C.UTF-8", 1, id="1-thread", marks=pytest.mark.long),
]


def _shuffled_copy(landing: Path, target: Path, seed: int) -> None:
    """Copies the files one by one in a random order, so that folders list them differently; times are kept."""
    files = sorted(p for p in landing.rglob("*") if p.is_file())
    random.Random(seed).shuffle(files)
    for path in files:
        copy = target / path.relative_to(landing)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)


@pytest.mark.parametrize(("threads", "zone", "locale", "seed"), WORLDS)
def test_tables_are_byte_identical(
    published_home: Path, sample_landing: Path, tmp_path: Path, threads: int, zone: str, locale: str, seed: int
) -> None:
    home = tmp_path / ODD_NAME
    _shuffled_copy(sample_landing, home / "landing", seed)
    world = {"CCHC_HOME": str(home), "CCHC_DUCKDB_THREADS": str(threads), "TZ": zone, "LC_ALL": locale}
    command = [sys.executable, "-m", "orchestration.cli", "run", QUARTER]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **world}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    first, again = release_of(published_home), release_of(home)
    assert first is not None
    assert again is not None
    assert file_hashes(again) == file_hashes(first)


@pytest.mark.long
def test_the_warehouse_can_be_deleted_and_rebuilt(published_home: Path, home: Path) -> None:
    from tests.conftest import run_cli

    shutil.rmtree(home / "warehouse")
    assert run_cli(home, "run", QUARTER).code == 0
    first, again = release_of(published_home), release_of(home)
    assert first is not None
    assert again is not None
    assert file_hashes(again) == file_hashes(first)


@pytest.mark.long
def test_old_quarters_are_the_same_in_a_home_that_holds_what_came_after(
    published_home: Path, home: Path, tmp_path: Path
) -> None:
    """Built anew beside everything that is delivered up to 2026: file by file what a home has that never saw it."""
    from tests.conftest import QUARTERS, run_cli

    full = tmp_path / "all-years"
    assert run_cli(full, "sample").code == 0
    later = {path.name for path in (full / "landing").glob("*/202[56]-*")}
    assert later == {CLOSING, *COMMUNE_QUARTERS}
    assert run_cli(full, "run", COMMUNE_QUARTERS[0]).code == 0
    assert run_cli(home, "run", QUARTERS[0]).code == 0
    for quarter, before in zip(QUARTERS, (home, published_home), strict=True):
        assert run_cli(full, "run", quarter, "--full").code == 0
        alone, beside = release_of(before, quarter=quarter), release_of(full, quarter=quarter)
        assert alone is not None
        assert beside is not None
        assert file_hashes(beside) == file_hashes(alone)

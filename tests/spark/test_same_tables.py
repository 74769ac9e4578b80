"""Whole runs on a Spark cluster publish the tables that DuckDB publishes, value for value.

Needs what ``make setup-spark`` installs; run by ``make test-spark``. Runs are processes of their own, as users begin
them. What can be told without Spark is in ``tests/unit/orchestration/test_spark.py``.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.spark.cluster import Cluster, cluster
from tests.support import worlds

QUARTER = "2023-Q1"
During = Callable[[subprocess.Popen[str]], None]
_DONE = re.compile(r'"name": "Log(?:Model|Test|Seed)Result"')
#: Models and tests that are done when the worker is lost: some are, and most are not.
_DONE_BEFORE = 60
_LONGEST_SECONDS = 3000
#: Of two homes the same person is the same key only where the secret is.
_KEY = {"CCHC_PERSON_KEY": "0123456789abcdef0123456789abcdef"}


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="module")
def sample(sample_landing: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of the sample, published by DuckDB."""
    return _published(tmp_path_factory.mktemp("sample") / "duckdb", sample_landing)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of a random district, another one at each run, published by DuckDB."""
    seed = random.SystemRandom().randrange(1_000_000)
    places = worlds.districts(most=6)
    place = places[seed % len(places)]
    folder = tmp_path_factory.mktemp(f"world-{seed}")  # whatever fails names its folder, and so the seed
    worlds.write_papers(folder / "landing", worlds.papers(worlds.make_world(seed, *place)))
    return _published(folder / "duckdb", folder / "landing")


def _begin(home: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "run", QUARTER],
        env={**os.environ, **_KEY, "CCHC_HOME": str(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _published(home: Path, landing: Path, during: During | None = None, **environment: str) -> Path:
    """The home, in which a whole run published; ``during`` is done while it is at work."""
    shutil.copytree(landing, home / "landing")
    run = _begin(home, **environment)
    if during is not None:
        during(run)
    said, _ = run.communicate(timeout=_LONGEST_SECONDS)
    assert run.returncode == 0, said[-5000:]
    return home


def _on(made: Cluster) -> dict[str, str]:
    return {"CCHC_ENGINE": "spark", "CCHC_SPARK_MASTER": made.master, **made.settings}


def _differences(ours: Path, theirs: Path) -> dict[str, str]:
    """Of each published table that is not the same in two homes what differs; none where all are."""
    tables = {
        home: {p.relative_to(home): p for p in (home / "published").rglob("*.parquet")} for home in (ours, theirs)
    }
    assert len(tables[theirs]) > 20
    found = {str(name): "there in one home only" for name in tables[ours].keys() ^ tables[theirs].keys()}
    for name in tables[ours].keys() & tables[theirs].keys():
        one, other = pq.read_table(tables[ours][name]), pq.read_table(tables[theirs][name])
        if one.schema != other.schema:
            found[str(name)] = f"{one.schema} and {other.schema}"
        elif one != other:
            found[str(name)] = f"{one.num_rows} rows and {other.num_rows} rows"
    return found


def _candidates(home: Path) -> set[str]:
    """What was handed to the gates, by hash."""
    folder = home / "warehouse" / "candidates"
    return {str(path.relative_to(folder)) for path in folder.glob("*/*/*")}


def _assert_same(ours: Path, theirs: Path) -> None:
    """What was taken in and what was built are the same bytes, what was handed to the gates is the same by hash, and
    what was published the same value for value.
    """
    for folder, least in (("raw", 50), ("warehouse/build/marts", 30)):
        found, wanted = _files(ours / folder), _files(theirs / folder)
        assert len(wanted) > least
        assert found.keys() == wanted.keys()
        assert [name for name in wanted if found[name] != wanted[name]] == []
    assert _differences(ours, theirs) == {}
    assert _candidates(ours) == _candidates(theirs) != set()


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_sample_is_published_with_the_same_tables(sample: Path, two_workers: Cluster, tmp_path: Path) -> None:
    ours = _published(tmp_path / "spark", sample / "landing", **_on(two_workers))
    _assert_same(ours, sample)
    applications = two_workers.applications()
    assert applications[-2:] == ["cchc intake", "cchc"], "intake and build are both Spark's"
    again = _begin(ours, **_on(two_workers))
    said, _ = again.communicate(timeout=_LONGEST_SECONDS)
    assert (again.returncode, "không thay đổi" in said) == (0, True), said[-5000:]
    assert two_workers.applications() == applications, "where all stands already, Spark is not asked"


def test_a_random_world_is_published_with_the_same_tables(world: Path, two_workers: Cluster, tmp_path: Path) -> None:
    ours = _published(tmp_path / "spark", world / "landing", **_on(two_workers))
    _assert_same(ours, world)


def test_a_worker_that_dies_in_the_middle_changes_nothing(world: Path, tmp_path: Path) -> None:
    home = tmp_path / "spark"
    with cluster(tmp_path / "cluster") as made:
        log = home / "warehouse" / "dbt" / "dbt.log"

        def lose_a_worker(run: subprocess.Popen[str]) -> None:
            while not log.exists() or len(_DONE.findall(log.read_text())) < _DONE_BEFORE:
                assert run.poll() is None, run.communicate()[0][-5000:]
                time.sleep(0.2)
            made.lose_a_worker()

        ours = _published(home, world / "landing", lose_a_worker, **_on(made))
        assert len(made.workers) == 1
        said = made.log.read_text(errors="replace")
        lost, ended = said.index("Removing worker"), said.rindex("Removing app")
        assert lost < ended, "the worker was lost while Spark was at work"
    _assert_same(ours, world)

"""Tiers, and the fixtures that are dear enough to share.

``tests/unit`` knows one room and may not use a pipeline fixture; ``tests/integration`` brings rooms or processes
together; ``tests/pipeline`` looks at a whole run of the sample; ``tests/spark`` needs Apache Spark, and is no part of
``make test``. The tier is the folder: nobody sets it by hand.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import settings

from ingestion.deliveries.landing import settled
from orchestration import dbt
from orchestration.locks import one_run_at_a_time
from tests.support.dbt_fork_server import DbtForkServer
from tests.support.postgres import PostgresServer, running_server

TESTS = Path(__file__).parent
QUARTERS = ["2022-Q4", "2023-Q1"]
PIPELINE_FIXTURES = frozenset({"sample_landing", "published_home"})
#: What processes forked by tests need not import again: of gates, of publications and of daemons that are killed.
PRELOADED = ["expectations.gate", "tests.integration.publication.preloaded", "tests.support.daemon_ticks"]
_REST_SECONDS = 0.2
_SHORT = "not long"
_TIERS = ("unit", "integration", "pipeline", "spark")


def pytest_configure(config: pytest.Config) -> None:
    """Property tests draw the same examples at each short run, and other ones at each run of the long tier.

    What fails in the short tier then fails for whoever runs it; new examples are sought where there is time for them.
    """
    settings.register_profile("same examples", derandomize=True, deadline=None)
    settings.register_profile("new examples", derandomize=False, deadline=None, print_blob=True)
    settings.load_profile("same examples" if config.option.markexpr == _SHORT else "new examples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test with its folder's tier; a unit test that asks for a pipeline fixture ends the session."""
    for item in items:
        if not item.path.is_relative_to(TESTS):
            continue
        tier = item.path.relative_to(TESTS).parts[0]
        if tier not in _TIERS:
            raise pytest.UsageError(f"{item.nodeid}: tests live in one of {', '.join(_TIERS)}")
        item.add_marker(getattr(pytest.mark, tier))
        used = PIPELINE_FIXTURES & set(getattr(item, "fixturenames", ()))
        if tier == "unit" and used:
            raise pytest.UsageError(f"{item.nodeid}: a unit test may not use {', '.join(sorted(used))}")


def pytest_sessionstart() -> None:
    """A session keeps what it makes; Python would look through all of it again and again for what may go."""
    gc.set_threshold(50_000, 10, 10)


@pytest.fixture(autouse=True, scope="session")
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads the settings of whoever runs it, nor touches their home."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CCHC_") or name == "DAGSTER_HOME"]:
            patch.delenv(name)
        home = tmp_path_factory.mktemp("no-home")
        patch.setenv("CCHC_HOME", str(home))
        patch.setenv("CCHC_SETTINGS", str(home / "none.toml"))
        yield


@pytest.fixture(autouse=True, scope="session")
def _gates_begin_at_once() -> Iterator[None]:
    """Gates of runs in this process are forked from one that has imported Great Expectations, which takes seconds.

    ``test_worker`` and every run in a process of its own begin as they do for users.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("expectations.worker.START_METHOD", "forkserver")
        yield


@pytest.fixture(autouse=True, scope="session")
def _dbt_begins_at_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """dbt of runs in this process is forked from one that has imported it, and a new home begins with what was parsed
    for the project; see ``DbtForkServer``.
    """
    server = DbtForkServer(tmp_path_factory.mktemp("dbt") / "fork")
    forget = dbt.forget_what_was_parsed_elsewhere

    def lend(target: Path) -> None:
        forget(target)
        parsed = dbt.manifest_folder() / dbt.PARSED
        if parsed.is_file() and not (target / dbt.PARSED).exists():
            shutil.copyfile(parsed, target / dbt.PARSED)  # dbt looks whether it still holds

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestration.dbt._DBT", server)
        patch.setattr("orchestration.dbt.forget_what_was_parsed_elsewhere", lend)
        yield
    server.close()


@pytest.fixture(autouse=True, scope="session")
def _files_come_to_rest_soon() -> Iterator[None]:
    """Intake in this process waits a fifth of a second, not two, for a file that was written just now.

    ``test_slow_writers`` and every run in a process of its own wait as they do for users.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingestion.engine.settled", lambda files, seconds: settled(files, min(seconds, _REST_SECONDS)))
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_power_is_cut() -> Iterator[None]:
    """What this process writes is not forced to the disk, which takes milliseconds each time.

    Tests of durability record the calls of a process of its own, and every other process of a test syncs too.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", os.fstat)  # which refuses what is no open file, as the other does
        yield


@dataclass(frozen=True)
class CliResult:
    """How a command ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str


def run_cli(home: Path, *arguments: str) -> CliResult:
    """Runs ``cchc`` in this process on a home of its own."""
    from orchestration.cli.app import run_app

    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("CCHC_HOME", str(home))
        code = run_app(list(arguments))
    return CliResult(int(code), out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def cli() -> Callable[..., CliResult]:
    """``cli(home, "status", "2023-Q1")``."""
    return run_cli


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder of this session that ``make`` fills: the first worker to need it makes it for all of them."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = base / name, base / f"{name}.done"
    with one_run_at_a_time(base / f"{name}.lock", name, lambda _: None):
        if not done.exists():
            assert not folder.exists(), f"{name} could not be made"
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def sample_landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landing folder with the sample deliveries of ``QUARTERS``. Shared: copy it before changing anything."""

    def make(home: Path) -> None:
        for quarter in QUARTERS:
            assert run_cli(home, "sample", "--quarter", quarter).code == 0

    return made_once(tmp_path_factory, "sample", make) / "landing"


@pytest.fixture(scope="session")
def published_home(sample_landing: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which 2023-Q1 of the sample was run and published. Shared: copy it before changing anything."""

    def make(home: Path) -> None:
        shutil.copytree(sample_landing, home / "landing")
        result = run_cli(home, "run", "2023-Q1", "--json")
        assert result.code == 0, result.stdout + result.stderr

    return made_once(tmp_path_factory, "published", make)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this session's own, reached by a socket only; skips where there is no such program."""
    with running_server() as server:
        yield server

"""Runs whose process is gone: told by the kernel's lock, ended at the next start or look, never a living one."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from orchestration.instance import open_instance
from orchestration.launcher import HomeRunLauncher
from orchestration.liveness import GONE, alive, end_dead_runs, is_alive
from orchestration.settings import Home, Settings

_SPAWN = multiprocessing.get_context("spawn")


def _live(root: Path, run_id: str, ready: Event, end: Event) -> None:
    with alive(Home(root), run_id):
        ready.set()
        end.wait()


class Working:
    """A process that counts as the run's, until it is told to end or is killed."""

    def __init__(self, root: Path, run_id: str) -> None:
        self._end = _SPAWN.Event()
        ready = _SPAWN.Event()
        self.process = _SPAWN.Process(target=_live, args=(root, run_id, ready, self._end))
        self.process.start()
        assert ready.wait(60)

    def end(self) -> None:
        self._end.set()
        self.process.join(60)
        assert self.process.exitcode == 0

    def kill(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)
        self.process.join(60)
        assert self.process.exitcode == -number


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(home=tmp_path / "home")
    found.paths.create()
    return found


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings) as opened:
        yield opened


def _record(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    @dg.op
    def nothing() -> None: ...

    @dg.job
    def idle() -> None:
        nothing()

    return str(instance.create_run_for_job(idle, status=status).run_id)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_run_is_alive_while_its_process_is(settings: Settings, number: int) -> None:
    home = settings.paths
    assert is_alive(home, "a") is None
    first = Working(settings.home, "a")
    assert is_alive(home, "a") is True
    first.end()
    assert is_alive(home, "a") is None
    second = Working(settings.home, "a")
    second.kill(number)
    assert is_alive(home, "a") is False


def test_only_runs_whose_process_is_gone_are_ended(settings: Settings, instance: dg.DagsterInstance) -> None:
    home, status = settings.paths, dg.DagsterRunStatus
    killed, canceling, living, starting, waiting, done = (
        _record(instance, s)
        for s in (status.STARTED, status.CANCELING, status.STARTED, status.STARTED, status.NOT_STARTED, status.SUCCESS)
    )
    for run_id in (killed, canceling, done):
        Working(settings.home, run_id).kill(signal.SIGKILL)
    working = Working(settings.home, living)
    try:
        assert set(end_dead_runs(instance, home)) == {killed, canceling}
        assert end_dead_runs(instance, home) == []
    finally:
        working.end()
    found = {run_id: instance.get_run_by_id(run_id).status for run_id in (killed, canceling)}  # type: ignore[union-attr]
    assert set(found.values()) == {status.FAILURE}
    for run_id, kept in ((living, status.STARTED), (starting, status.STARTED), (waiting, status.NOT_STARTED)):
        assert instance.get_run_by_id(run_id).status == kept  # type: ignore[union-attr]
    assert GONE in [event.message for event in instance.all_logs(killed)]


def test_a_copy_of_a_home_made_during_a_run_is_not_held_by_it(tmp_path: Path, settings: Settings) -> None:
    with open_instance(settings) as instance:
        run_id = _record(instance, dg.DagsterRunStatus.STARTED)
    working = Working(settings.home, run_id)
    copied = Settings(home=shutil.copytree(settings.home, tmp_path / "copy"))
    try:
        with open_instance(copied) as instance:
            assert end_dead_runs(instance, copied.paths) == [run_id]
        assert is_alive(settings.paths, run_id) is True
    finally:
        working.end()


def test_the_server_is_told_which_of_its_runs_are_gone(settings: Settings, instance: dg.DagsterInstance) -> None:
    launcher = instance.run_launcher
    assert isinstance(launcher, HomeRunLauncher)
    run_id = _record(instance, dg.DagsterRunStatus.STARTED)

    def health() -> WorkerStatus:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        return launcher.check_run_worker_health(run).status

    assert health() == WorkerStatus.RUNNING  # it may still be loading its definitions
    working = Working(settings.home, run_id)
    assert health() == WorkerStatus.RUNNING
    working.kill(signal.SIGKILL)
    assert health() == WorkerStatus.NOT_FOUND


def _open(root: Path, start: Event) -> None:
    start.wait()
    with open_instance(Settings(home=root)) as instance:
        assert instance.get_runs_count() == 0


def test_many_that_open_a_fresh_home_at_once_all_find_it_whole(tmp_path: Path) -> None:
    start = _SPAWN.Event()
    processes = [_SPAWN.Process(target=_open, args=(tmp_path / "home", start)) for _ in range(4)]
    for process in processes:
        process.start()
    start.set()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * len(processes)

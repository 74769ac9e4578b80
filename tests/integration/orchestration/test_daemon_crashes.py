"""The daemon killed at each of its named points: what was delivered is asked for once, not lost and not doubled."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from orchestration.arrivals import folder_states, remembered, state_behind
from orchestration.settings import Home
from tests.support.daemon_ticks import POINTS, instance_of, look

QUARTER = "2023-Q1"
_START = dt.datetime(2026, 1, 5, 1, tzinfo=dt.UTC)
_BETWEEN_LOOKS = dt.timedelta(minutes=1)


class Daemon:
    """A daemon that is started anew for each look, a minute after the last."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._at = _START

    def look(self, killed_at: str | None = None) -> bool:
        """Looks once; whether it was killed."""
        process = multiprocessing.get_context("forkserver").Process(target=look, args=(self._home, self._at, killed_at))
        process.start()
        process.join(120)
        self._at += _BETWEEN_LOOKS
        assert process.exitcode == 0 or (killed_at and process.exitcode == -9), process.exitcode
        return process.exitcode != 0

    def runs(self) -> list[tuple[dg.DagsterRunStatus, str]]:
        """Status of each run there is, oldest first, and the state that it was asked for."""
        with instance_of(self._home) as instance:
            return [(run.status, run.tags["cchc/arrived"]) for run in reversed(instance.get_runs())]


def _file(home: Path) -> Path:
    return home / "landing" / "945" / QUARTER / "survey_responses" / "phieu.csv"


def _late(home: Path) -> None:
    _file(home).with_name("bo-sung.csv").write_text("Số phiếu\n2\n", encoding="utf-8")


def _back_dated(home: Path) -> None:
    _late(home)
    os.utime(_file(home).with_name("bo-sung.csv"), (0, 0))


def _replaced(home: Path) -> None:
    other = _file(home).with_name(".moi")
    other.write_text("Số phiếu\n3\n", encoding="utf-8")
    other.replace(_file(home))


def _same_second(home: Path) -> None:
    before = _file(home).stat()
    _file(home).write_text("Số phiếu\n4\n", encoding="utf-8")
    os.utime(_file(home), ns=(before.st_atime_ns, before.st_mtime_ns))


def _renamed(home: Path) -> None:
    _file(home).rename(_file(home).with_name("ten-khac.csv"))


def _copied_in(home: Path) -> None:
    shutil.copy2(_file(home), _file(home).with_name("ban-sao.csv"))


CHANGES = (_late, _back_dated, _replaced, _same_second, _renamed, _copied_in)


#: One before the run and one after it in every run of the tests.
SLICE = (("RUN_IDS_RESERVED", _replaced), ("RUN_LAUNCHED", _late))


def _case(point: str, change: Callable[[Path], None]) -> object:
    marks = () if (point, change) in SLICE else (pytest.mark.long,)
    return pytest.param(point, change, id=f"{point}-{change.__name__.strip('_')}", marks=marks)


@pytest.mark.parametrize(("point", "change"), [_case(point, change) for point in POINTS for change in CHANGES])
def test_a_killed_daemon_loses_and_doubles_nothing(point: str, change: Callable[[Path], None], tmp_path: Path) -> None:
    _file(tmp_path).parent.mkdir(parents=True)
    _file(tmp_path).write_text("Số phiếu\n1\n", encoding="utf-8")
    daemon = Daemon(tmp_path)
    assert [daemon.look(), daemon.look()] == [False, False]
    change(tmp_path)
    killed = [daemon.look(point) for _ in range(4)]
    assert any(killed)
    for _ in range(4):
        daemon.look()
    home = Home(tmp_path)
    state = state_behind(folder_states(home, {QUARTER}), QUARTER)
    first, second = daemon.runs()
    assert first[0] == second[0] == dg.DagsterRunStatus.SUCCESS
    assert first[1] != second[1] == state[:16]
    assert remembered(home, QUARTER) == state

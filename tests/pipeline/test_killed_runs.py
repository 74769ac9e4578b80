"""A whole run ended at any stage, by any signal: the same command then finishes the work as if nothing had been.

Kills come in rows: each run takes up what the killed ones before it left. The stage is told by the run's own progress,
the moment within it by chance. Publication's own steps are killed one by one in ``integration/publication``.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.history import entries
from orchestration.instance import open_instance
from orchestration.settings import PROJECT_DIR, Settings
from tests.conftest import run_cli
from tests.pipeline.conftest import QUARTER, UNIT, release_of
from tests.support.read_release import file_hashes
from tests.support.server import processes_of

STAGES = (
    "nhận dữ liệu: org_units", "nhận dữ liệu: one_stop_cases", "nhận dữ liệu: decisions", "kiểm tra dữ liệu đầu vào",
    "tính số liệu", "lập số liệu chờ công bố", "kiểm tra số liệu báo cáo", "công bố",
)  # fmt: skip
#: How lines of progress begin.
PROGRESS = ("nhận dữ liệu", "kiểm tra", "tính số liệu", "lập số liệu", "công bố")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: A fixed slice: a signal that asks, while deliveries are read, and one that does not, while dbt builds.
ROW = ((STAGES[1], signal.SIGINT, 0.5), (STAGES[4], signal.SIGKILL, 2.0))
_ROWS = 20
_LONGEST_STAGE = 6.0


@dataclass(frozen=True)
class Ended:
    code: int
    words: str


def _run_and_end(home: Path, stage: str, number: int, after: float) -> Ended:
    """Starts a run and ends it in a stage; ``words`` is what it wrote after that stage began.

    A run does only what the one before it left: it may come to its end without the stage. Once a release is out, all
    is asked for again.
    """
    everything = ["--full"] if release_of(home) else []
    with subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "run", QUARTER, *everything],
        cwd=PROJECT_DIR,
        env={**os.environ, "CCHC_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.strip() == stage:
                break
        else:
            assert not everything, f"a run of everything ended before {stage}"
            code = run.wait(120)
            assert (code, release_of(home) is not None) == (0, True), stage
            return Ended(code, "")
        time.sleep(after)
        run.send_signal(number)
        words = run.stderr.read()
        return Ended(run.wait(120), words)


def _wait_for_nobody(home: Path) -> None:
    end = time.monotonic() + 60
    while left := processes_of(home):
        assert time.monotonic() < end, left
        time.sleep(0.2)


def _play(home: Path, kills: tuple[tuple[str, int, float], ...]) -> list[str]:
    """Ends a run for each kill, then lets the same command finish; returns how each ended, by its record."""
    for stage, number, after in kills:
        ended = _run_and_end(home, stage, number, after)
        if ended.code in (0, 1):
            continue  # it was done before the signal came
        if number == signal.SIGKILL:
            assert ended.code == -signal.SIGKILL
        else:
            assert ended.code == 128 + number, (stage, number, ended)
            stopped = f"cchc: đã dừng theo yêu cầu ({signal.Signals(number).name})"
            others = [line for line in ended.words.splitlines() if not line.startswith(PROGRESS)]
            assert others == [stopped], ended
        _wait_for_nobody(home)
    done = run_cli(home, "run", QUARTER)
    assert done.code == 0, done.stdout + done.stderr
    with open_instance(Settings(home=home)) as instance:
        assert all(run.is_finished for run in instance.get_runs())
    assert not list((home / "dagster" / "alive").iterdir())
    records = [entry.ended for entry in entries(Settings(home=home).paths)]
    assert len(records) == len(kills) + 1
    for (_, number, _), ended in zip(kills, records, strict=False):
        # Whom the signal met while the record was being written left it as a killed one does.
        assert ended in ("done", "killed") or (ended == "interrupted" and number != signal.SIGKILL)
    assert records[-1] == "done"
    return list(records)


def _check(home: Path, published_home: Path) -> None:
    first, again = release_of(published_home), release_of(home)
    assert first is not None
    assert again is not None
    assert again.name == "r1", "a run that was killed published something else before"
    assert file_hashes(again) == file_hashes(first)
    names = {path.name for path in (home / "published" / UNIT / QUARTER).iterdir()}
    assert names == {".lock", "current.json", "history.jsonl", "r1"}
    assert run_cli(home, "verify").code == 0


def test_runs_that_are_ended_lose_and_leave_nothing(published_home: Path, sample_landing: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(sample_landing, home / "landing")
    assert {"killed", "interrupted"} <= set(_play(home, ROW))
    _check(home, published_home)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(_ROWS))
def test_a_hundred_runs_ended_by_chance(seed: int, published_home: Path, sample_landing: Path, tmp_path: Path) -> None:
    draw = random.Random(seed)
    home = tmp_path / "home"
    shutil.copytree(sample_landing, home / "landing")
    kills = [(draw.choice(STAGES), draw.choice(SIGNALS), draw.uniform(0, _LONGEST_STAGE)) for _ in range(5)]
    _play(home, tuple(kills))
    _check(home, published_home)

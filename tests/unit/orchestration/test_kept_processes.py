"""How soon a process of the server that ended by itself is started again: by a clock that the test moves."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from orchestration import ui

Starts = Callable[[float], list[float]]


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    """When a process that ends so many seconds after each start is started, over twenty starts."""
    clock = 0.0
    moments: list[float] = []

    def play(lives: float) -> list[float]:
        nonlocal clock
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            ended.wait()

            def start(self: ui.Kept) -> None:
                moments.append(clock)
                self.process, self.started = ended, clock

            monkeypatch.setattr(ui, "time", SimpleNamespace(monotonic=lambda: clock))
            monkeypatch.setattr(ui.Kept, "start", start)
            kept = ui.Kept("daemon", ["none"], {}, sys.stdout.buffer)
            kept.start()
            while len(moments) < 20:
                clock = max(clock + 1, moments[-1] + lives)
                kept.look()
        return moments

    return play


def test_what_ends_at_once_is_started_later_each_time_and_still_within_a_minute(starts: Starts) -> None:
    waits = [later - earlier for earlier, later in itertools.pairwise(starts(0.0))]
    assert waits == sorted(waits)
    assert 1 <= waits[0] < 10 < waits[-1] < 60


def test_what_served_well_is_started_again_at_once_however_often_it_is_killed(starts: Starts) -> None:
    lives = 90.0
    waits = {later - earlier - lives for earlier, later in itertools.pairwise(starts(lives))}
    assert max(waits) <= 2

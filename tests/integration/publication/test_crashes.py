"""A crash at any step leaves the current release whole, and the same command run again finishes the work."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from common.files import remove_tree
from publication import Published, current_release, read_pointer, verify
from publication.release import Unchanged
from publication.store.failpoints import FAILPOINTS
from tests.integration.publication.conftest import Home
from tests.integration.publication.publish_once import publish_once, publish_until
from tests.integration.publication.watched import Call, Watched, changing, kill_at, record
from tests.unit.publication.builders import QUARTER, UNIT, delivery

_AFTER_THE_POINTER = FAILPOINTS[FAILPOINTS.index("pointer.replaced") :]
_KILLS_IN_EVERY_RUN = 20


def _correction(home: Home) -> Path:
    return home.candidate(changes={"I.04": {"value": Decimal(10)}}, inputs=[delivery(content="b")])


def _die_at(home: Home, point: str, folder: Path, expected: int | None) -> None:
    process = Watched(publish_until, point, *home.arguments(folder, expected=expected))
    process.go()
    process.end()
    assert process.process.exitcode == -signal.SIGKILL


def _check_nothing_is_left(home: Home, number: int) -> None:
    names = {path.name for path in home.quarter_dir.iterdir()}
    assert names == {".lock", "current.json", *(f"r{n}" for n in range(1, number + 1))}
    index = json.loads((home.published / "index.json").read_bytes())
    assert [entry["release"] for entry in index["releases"]] == [number]


@pytest.mark.parametrize("point", FAILPOINTS)
@pytest.mark.parametrize("first_release", [True, False], ids=["first", "second"])
def test_killed_at(light_home: Home, point: str, first_release: bool) -> None:
    home = light_home
    expected = None
    if not first_release:
        home.publish(home.candidate())
        expected = 1
    folder = _correction(home)
    _die_at(home, point, folder, expected)

    current = current_release(home.published, UNIT, QUARTER)
    new = 1 if first_release else 2
    if point in _AFTER_THE_POINTER:
        assert current is not None
        assert current.number == new
    else:
        assert (current.number if current else None) == expected
    if current:
        assert verify(current.path) == []

    again = home.publish(folder, expected=expected)
    assert isinstance(again, Unchanged if point in _AFTER_THE_POINTER else Published), again
    assert again.release.number == new
    assert verify(again.release.path) == []
    _check_nothing_is_left(home, new)


def test_every_failpoint_is_passed_by_a_publication(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the declared order: so the kill test above reaches each step, and no declared point is dead."""
    passed: list[str] = []
    monkeypatch.setattr("publication.store.failpoints.reach", passed.append)
    home.publish(home.candidate())
    assert tuple(passed) == FAILPOINTS


def test_crashes_on_end_never_lose_the_way(light_home: Home) -> None:
    """Three crashes one after the other, each of another candidate, then a good run."""
    home = light_home
    home.publish(home.candidate())
    for number, point in enumerate(("publish.renamed", "pointer.temporary_written", "publish.outputs_written")):
        _die_at(home, point, home.candidate(changes={"I.04": {"value": Decimal(11 + number)}}), 1)
    outcome = home.publish(_correction(home), expected=1)
    assert isinstance(outcome, Published)
    assert outcome.release.number == 2
    pointer = read_pointer(home.quarter_dir)
    assert pointer is not None
    assert set(pointer.manifests) == {1, 2}


# --- killed at every operation on files -----------------------------------------------------------------------------

Pick = Callable[[Sequence[Call]], Sequence[Call]]


def _spread(calls: Sequence[Call]) -> Sequence[Call]:
    return [calls[n * (len(calls) - 1) // (_KILLS_IN_EVERY_RUN - 1)] for n in range(_KILLS_IN_EVERY_RUN)]


def _kill_at_each(home: Home, pick: Pick) -> int:
    """Kill the publication of a second release as it enters each picked call; returns the number of kills."""
    home.publish(home.candidate())
    pristine = home.root / "pristine"
    shutil.copytree(home.published, pristine)
    folder = _correction(home)
    arguments = home.arguments(folder, expected=1)

    def restore() -> None:
        remove_tree(home.published)
        shutil.copytree(pristine, home.published)

    # The first run compiles and caches what it imports late; the recorded one makes the calls that all others make.
    for _ in range(2):
        restore()
        answer, calls = record(home.root / "log", home.published, publish_once, *arguments)
        assert answer == "Published r2"
    moved = next(
        n for n, call in enumerate(calls) if call.name.startswith("rename") and call.paths[-1].name == "current.json"
    )
    before = {(call.name, call.number) for call in calls[: moved + 1]}
    picked = pick(changing(calls))
    for call in picked:
        restore()
        assert kill_at(call, publish_once, *arguments) == -signal.SIGKILL, call
        current = current_release(home.published, UNIT, QUARTER)
        assert current is not None
        assert current.number == (1 if (call.name, call.number) in before else 2), call
        assert verify(current.path) == [], call
        assert verify(home.quarter_dir / "r1") == [], call
        again = home.publish(folder, expected=current.number)
        assert isinstance(again, Published if current.number == 1 else Unchanged), (call, again)
        assert verify(again.release.path) == [], call
        _check_nothing_is_left(home, 2)
    return len(picked)


def test_killed_at_operations_all_along(light_home: Home) -> None:
    assert _kill_at_each(light_home, _spread) == _KILLS_IN_EVERY_RUN


@pytest.mark.long
def test_killed_at_every_operation(home: Home) -> None:
    assert _kill_at_each(home, lambda calls: calls) >= 100

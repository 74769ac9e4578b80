"""A crash at any step leaves the current release whole, and the same command run again finishes the work.

Nothing in publication knows of these tests: a process is recorded from outside, and another one that does the same is
killed as it enters one of the calls recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from publication import Published, current_release, read_pointer, verify
from publication.folders import FOLDER_NAME
from publication.index import NAMES
from publication.release import Unchanged
from tests.integration.publication.conftest import Home
from tests.integration.publication.publish_once import publish_once
from tests.integration.publication.watched import Call, changing, kill_at
from tests.unit.publication.builders import QUARTER, UNIT, delivery

#: What a publication does in this order, each as the beginning of the call's name and the last name of its path.
_STEPS = (
    ("mkdir", ".staging-r{}"),
    ("open", "manifest.json"),
    ("rename", ".intent.json"),
    ("rename", "r{}"),
    ("rename", "history.jsonl"),
    ("rename", "current.json"),
    ("unlink", ".intent.json"),
    ("rename", "index.json"),
    ("rename", "all.duckdb"),
    ("rename", "all.duckdb.sha256"),
    ("rename", "feed.atom"),
    ("rename", "catalog.jsonld"),
    ("rename", "dictionary.html"),
    ("rename", "index.html"),
)

Pick = Callable[[Sequence[Call], int], Sequence[Call]]


def _correction(home: Home) -> Path:
    return home.candidate(changes={"I.04": {"value": Decimal(10)}}, inputs=[delivery(content="b")])


def _place(calls: Sequence[Call], begin: str, name: str) -> int:
    """Where the one call stands that begins so and ends in this name."""
    (place,) = (
        place for place, call in enumerate(calls) if call.name.startswith(begin) and call.paths[-1].name == name
    )
    return place


def _check_nothing_is_left(home: Home, number: int) -> None:
    assert {path.name for path in home.published.iterdir()} == {".index.lock", FOLDER_NAME, *NAMES, UNIT}
    names = {path.name for path in home.quarter_dir.iterdir()}
    assert names == {".lock", "current.json", "history.jsonl", *(f"r{n}" for n in range(1, number + 1))}
    index = json.loads((home.published / "index.json").read_bytes())
    assert [entry["release"] for entry in index["releases"]] == [number]


def _kill_at_each(home: Home, expected: int | None, pick: Pick) -> int:
    """Kill the publication that follows ``expected`` as it enters each picked call; returns the number of kills."""
    if expected:
        home.publish(home.candidate())
    new = (expected or 0) + 1
    folder = _correction(home)
    pointer = home.quarter_dir / "current.json"
    calls = changing(home.foresee(folder, expected=expected))
    picked = pick(calls, new)
    for call in picked:
        home.restore()
        # What it had done is read from its own record: where a library makes a call more, death comes a little earlier.
        done = kill_at(home.root / "log", call, publish_once, *home.arguments(folder, expected=expected))
        is_before = all(renamed.paths[-1] != pointer for renamed in done)
        current = current_release(home.published, UNIT, QUARTER)
        assert (current.number if current else None) == (expected if is_before else new), call
        for number in range(1, (current.number if current else 0) + 1):
            assert verify(home.quarter_dir / f"r{number}") == [], call
        again = home.publish(folder, expected=expected)
        assert isinstance(again, Published if is_before else Unchanged), (call, again)
        assert again.release.number == new, call
        assert verify(again.release.path) == [], call
        _check_nothing_is_left(home, new)
    return len(picked)


def _some_steps(calls: Sequence[Call], new: int) -> Sequence[Call]:
    """Of the steps and the calls after each replacement every third; of a first release others than of a second."""
    steps = [_place(calls, begin, name.format(new)) for begin, name in _STEPS]
    assert steps == sorted(steps)
    replaced = [place + 1 for place in steps if calls[place].name.startswith("rename")]
    return [calls[place] for place in sorted({*steps, *replaced})[new % 3 :: 3]]


@pytest.mark.parametrize("expected", [None, 1], ids=["first", "second"])
def test_killed_at_some_steps(light_home: Home, expected: int | None) -> None:
    assert _kill_at_each(light_home, expected, _some_steps) >= 6


@pytest.mark.long
@pytest.mark.parametrize("expected", [None, 1], ids=["first", "second"])
def test_killed_at_every_operation(home: Home, expected: int | None) -> None:
    assert _kill_at_each(home, expected, lambda calls, _: calls) >= 100


def test_crashes_on_end_never_lose_the_way(light_home: Home) -> None:
    """Three crashes one after the other, each of another candidate, then a good run."""
    home = light_home
    home.publish(home.candidate())
    # With the release in its place, with the pointer ready to move, with all outputs written.
    steps = [("rename", "r2", 1), ("rename", "current.json", 0), ("open", "manifest.json", 0)]
    for number, (begin, name, after) in enumerate(steps):
        folder = home.candidate(changes={"I.04": {"value": Decimal(11 + number)}})
        calls = changing(home.foresee(folder, expected=1))
        call = calls[_place(calls, begin, name) + after]
        kill_at(home.root / "log", call, publish_once, *home.arguments(folder, expected=1))
    outcome = home.publish(_correction(home), expected=1)
    assert isinstance(outcome, Published)
    assert outcome.release.number == 2
    pointer = read_pointer(home.quarter_dir)
    assert pointer is not None
    assert set(pointer.manifests) == {1, 2}
    _check_nothing_is_left(home, 2)

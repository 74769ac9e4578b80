"""Which candidate was made last is told from what it is made from, never from the times of files."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.review import last_made
from orchestration.settings import Home

UNIT, QUARTER = "945", "2023-Q1"
#: By which look each delivery was first seen.
SEEN = {"a": 1, "b": 1, "c": 2, "d": 3}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    table = pa.table({"delivery_id": list(SEEN), "first_seen": list(SEEN.values())})
    monkeypatch.setattr("orchestration.review.read_deliveries", lambda paths: table)
    return Home(tmp_path)


def candidate(home: Home, name: str, deliveries: str, *, at: int, is_judged: bool = False) -> Path:
    folder = home.warehouse / "candidates" / UNIT / QUARTER / name
    folder.mkdir(parents=True)
    file = folder / "candidate.json"
    file.write_text(json.dumps({"inputs": [{"delivery_id": one} for one in deliveries], "inputs_hash": deliveries}))
    os.utime(file, (at, at))
    if is_judged:
        verdict = home.warehouse / "verdicts" / UNIT / QUARTER / f"mart-{name}.json"
        verdict.parent.mkdir(parents=True, exist_ok=True)
        verdict.touch()
    return folder


@pytest.mark.parametrize("times", itertools.permutations((1, 2, 3)))
def test_the_last_is_made_of_what_was_seen_last_whatever_the_time_of_its_file(
    times: tuple[int, int, int], home: Home
) -> None:
    made = [
        candidate(home, name, deliveries, at=at)
        for name, deliveries, at in zip(("9", "5", "1"), ("ab", "abc", "abd"), times, strict=True)
    ]
    assert last_made(home, UNIT, QUARTER) == made[::-1]


@pytest.mark.parametrize("times", [(1, 2), (2, 1)])
def test_of_the_same_deliveries_one_that_was_judged_is_the_last(times: tuple[int, int], home: Home) -> None:
    judged = candidate(home, "1", "ab", at=times[0], is_judged=True)
    other = candidate(home, "9", "ab", at=times[1])
    assert last_made(home, UNIT, QUARTER) == [judged, other]


@pytest.mark.parametrize("times", [(1, 2), (2, 1)])
def test_more_of_the_same_look_is_later(times: tuple[int, int], home: Home) -> None:
    more = candidate(home, "1", "abc", at=times[0])
    fewer = candidate(home, "9", "ac", at=times[1])
    assert last_made(home, UNIT, QUARTER) == [more, fewer]


def test_a_damaged_candidate_is_none(home: Home) -> None:
    whole = candidate(home, "1", "a", at=1)
    damaged = candidate(home, "9", "abcd", at=2) / "candidate.json"
    for content in ("{", "[]", '{"inputs": 3}', '{"inputs": [{}]}'):
        damaged.write_text(content)
        assert last_made(home, UNIT, QUARTER) == [whole]

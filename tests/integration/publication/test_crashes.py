"""A crash at any step leaves the current release whole, and the same command run again finishes the work."""

from __future__ import annotations

import json
import signal
from decimal import Decimal
from pathlib import Path

import pytest

from publication import FAILPOINTS, Published, Unchanged, current_release, read_pointer, verify
from tests.integration.publication.conftest import Home
from tests.unit.publication.builders import QUARTER, UNIT, delivery

_AFTER_THE_POINTER = FAILPOINTS[FAILPOINTS.index("pointer.replaced"):]


def _correction(home: Home) -> Path:
    return home.candidate(changes={"I.04": {"value": Decimal(10)}}, inputs=[delivery(content="b")])


@pytest.mark.parametrize("point", FAILPOINTS)
@pytest.mark.parametrize("first_release", [True, False], ids=["first", "second"])
def test_killed_at(home: Home, point: str, first_release: bool) -> None:
    expected = None
    if not first_release:
        home.publish(home.candidate())
        expected = 1
    folder = _correction(home)
    killed = home.start(folder, expected=expected, environment={"CCHC_FAILPOINT": point})
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL

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
    names = {path.name for path in home.quarter_dir.iterdir()}
    assert names == {".lock", "current.json", *(f"r{number}" for number in range(1, new + 1))}
    index = json.loads((home.published / "index.json").read_bytes())
    assert [entry["release"] for entry in index["releases"]] == [new]


def test_every_failpoint_is_passed_by_a_publication(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the declared order: so the kill test above reaches each step, and no declared point is dead."""
    passed: list[str] = []
    monkeypatch.setattr("publication.failpoints.reach", passed.append)
    home.publish(home.candidate())
    assert tuple(passed) == FAILPOINTS


def test_crashes_on_end_never_lose_the_way(home: Home) -> None:
    """Three crashes one after the other, each of another candidate, then a good run."""
    home.publish(home.candidate())
    for number, point in enumerate(("publish.renamed", "pointer.temporary_written", "publish.outputs_written")):
        folder = home.candidate(changes={"I.04": {"value": Decimal(11 + number)}})
        process = home.start(folder, expected=1, environment={"CCHC_FAILPOINT": point})
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
    outcome = home.publish(_correction(home), expected=1)
    assert isinstance(outcome, Published)
    assert outcome.release.number == 2
    pointer = read_pointer(home.quarter_dir)
    assert pointer is not None
    assert set(pointer.manifests) == {1, 2}

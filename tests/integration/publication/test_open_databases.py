"""Programs that keep a release's database open, and publishers, never meet a lock.

A slice of the promise that ``tests/pipeline/test_readers_of_releases.py`` tries with whole runs.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from publication import Published
from tests.integration.publication.conftest import Home
from tests.support.read_release import readers_of
from tests.unit.publication.builders import delivery


def test_programs_that_keep_the_database_open_and_publishers_do_not_meet_a_lock(home: Home, tmp_path: Path) -> None:
    first, *others = [
        home.candidate(changes={"I.04": {"value": Decimal(number)}}, inputs=[delivery(content=str(number))])
        for number in range(1, 5)
    ]
    assert isinstance(home.publish(first), Published)
    with readers_of(home.quarter_dir, tmp_path / "stop", 3) as told:
        for number, folder in enumerate(others, start=1):
            assert isinstance(home.publish(folder, expected=number), Published)
    for reader in told:
        assert reader["faults"] == []
        assert (reader["releases"][0], reader["releases"][-1]) == ("r1", "r4")
        assert reader["reads"] > 10
    assert not list(home.published.rglob("*.wal"))

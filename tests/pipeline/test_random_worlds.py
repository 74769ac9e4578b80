"""Published figures of random districts are those of an independent computation from the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import campaign, worlds

_LARGEST = 6  # communes of a district: 24 districts have no more
_BATCHES = 9


def _check(home: Path, seed: int, count: int) -> None:
    made = campaign.worlds_of(count, seed, most_communes=_LARGEST)
    answers = campaign.published(home, map(worlds.papers, made), [world.district.code for world in made])
    differing = {w.district.code: campaign.differing_figures(answers[w.district.code], w) for w in made}
    assert {code: rows for code, rows in differing.items() if rows} == {}


# A slice stands in every run of the tests, beside wrong deliveries: ``test_plausible_wrong_deliveries``.
@pytest.mark.long
@pytest.mark.parametrize("batch", range(_BATCHES))
def test_two_hundred_worlds_are_published_with_the_right_figures(batch: int, tmp_path: Path) -> None:
    _check(tmp_path, seed=1000 * (batch + 1), count=24)

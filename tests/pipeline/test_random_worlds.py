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
    held = {
        world.district.code: answers[world.district.code].reasons for world in made if answers[world.district.code].held
    }
    assert held == {}
    wrong = {}
    for world in made:
        form = campaign.right_form(world)
        answer = answers[world.district.code]
        assert len(answer.figures) == 211
        differing = {
            row: (value, form.figures[row].value)
            for row, (value, _) in answer.figures.items()
            if value != form.figures[row].value
        }
        if differing:
            wrong[world.district.code, world.seed] = differing
    assert wrong == {}


def test_a_slice_of_worlds_is_published_with_the_right_figures(tmp_path: Path) -> None:
    _check(tmp_path, seed=10, count=5)


@pytest.mark.long
@pytest.mark.parametrize("batch", range(_BATCHES))
def test_two_hundred_worlds_are_published_with_the_right_figures(batch: int, tmp_path: Path) -> None:
    _check(tmp_path, seed=1000 * (batch + 1), count=24)

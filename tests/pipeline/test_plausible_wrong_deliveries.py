"""Plausible wrong deliveries never lead to wrong figures without a word.

Each kind of fault is made in a random district whose right figures are known. Right is: turned away, held back, or the
figures stay what they are; a figure that the release says is missing counts as told.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import campaign, mutants, worlds

_LARGEST = 6
_IN_A_HOME = 23
_SLICE = 20

#: Kinds that nothing in the deliveries can tell from truth, and why; listed in docs/reliability.md.
UNTOLD: dict[str, str] = {}


def _silent(kinds: Sequence[mutants.Kind], home: Path, seed: int) -> dict[str, str]:
    """The kinds whose wrong figures were published, with the figures."""
    made = [campaign.mutant_of(kind, place, seed, most_communes=_LARGEST) for place, kind in enumerate(kinds)]
    # One district without a fault beside them: where it is not published, the others' silence says nothing.
    control = worlds.make_world(seed, *worlds.districts(most=_LARGEST)[len(made)])
    codes = [world.district.code for world in (*(world for world, _ in made), control)]
    answers = campaign.published(home, [*(papers for _, papers in made), worlds.papers(control)], codes)
    assert not answers[control.district.code].held, answers[control.district.code].reasons
    silent = {}
    for kind, (world, _) in zip(kinds, made, strict=True):
        wrong = campaign.wrong_figures(answers[world.district.code], campaign.right_form(world))
        if wrong:
            silent[kind.name] = f"{world.district.code}: " + ", ".join(
                f"row {w.row}: {w.published} for {w.right}" for w in wrong[:8]
            )
    return silent


def _homes() -> list[list[mutants.Kind]]:
    kinds = sorted(mutants.KINDS, key=lambda kind: kind.name)
    random.Random(8).shuffle(kinds)
    return [kinds[start : start + _IN_A_HOME] for start in range(0, len(kinds), _IN_A_HOME)]


def test_there_are_kinds_of_every_source() -> None:
    names = {kind.name for kind in mutants.KINDS}
    assert len(names) == len(mutants.KINDS) >= 80
    for source in mutants.SOURCES:
        assert sum(source in name for name in names) >= 5
    assert set(UNTOLD) <= names


def test_a_slice_of_wrong_deliveries_is_told(tmp_path: Path) -> None:
    kinds = [kind for home in _homes() for kind in home if kind.name not in UNTOLD][:_SLICE]
    assert _silent(kinds, tmp_path, seed=4) == {}


@pytest.mark.long
@pytest.mark.parametrize("place", range(len(_homes())))
def test_every_wrong_delivery_is_told(place: int, tmp_path: Path) -> None:
    silent = _silent(_homes()[place], tmp_path, seed=40 + place)
    assert {name: told for name, told in silent.items() if name not in UNTOLD} == {}

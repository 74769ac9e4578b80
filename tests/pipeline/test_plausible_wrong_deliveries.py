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
_SLICE = 8

_KINDS_PROMISED, _KINDS_OF_A_SOURCE = 80, 8
RELIABILITY = Path(__file__).parents[2] / "docs" / "reliability.md"

#: Kinds or variants that nothing in the deliveries can tell from truth, and why; listed in docs/reliability.md.
_SURVEY = "answers are a sample: nothing says how many there should be, and a list that ends early is a smaller survey"
UNTOLD: dict[str, str] = {
    "cut_rows:survey_responses": _SURVEY,
    "cut_rows_csv:survey_responses": _SURVEY,
    "stale_file:procedure_catalogue": "a catalogue often stays as it was; only a case of a procedure that is new tells",
    "column_emptied:procedure_catalogue.ended_on": "in most quarters no procedure ends",
    "labels_exchanged:one_stop_cases.channel": "how a case came is told once; where two ways are met about as often, "
    "their shares hardly change",
}


def _is_untold(variant: mutants.Variant) -> bool:
    return variant.kind in UNTOLD or variant.name in UNTOLD


def _silent(variants: Sequence[mutants.Variant], home: Path, seed: int, sound: int = 1) -> dict[str, str]:
    """The variants whose wrong figures were published, with the figures; beside them ``sound`` districts without a
    fault are published with the right ones, or the others' silence says nothing.
    """
    made = [campaign.mutant_of(variant, place, seed, most_communes=_LARGEST) for place, variant in enumerate(variants)]
    places = worlds.districts(most=_LARGEST)[len(made) : len(made) + sound]
    controls = [worlds.make_world(seed + n, *place) for n, place in enumerate(places)]
    codes = [world.district.code for world in (*(world for world, _ in made), *controls)]
    answers = campaign.published(home, [*(papers for _, papers in made), *map(worlds.papers, controls)], codes)
    assert [campaign.differing_figures(answers[control.district.code], control) for control in controls] == [{}] * sound
    silent = {}
    for variant, (world, _) in zip(variants, made, strict=True):
        wrong = campaign.wrong_figures(answers[world.district.code], campaign.right_form(world))
        if wrong:
            silent[variant.name] = f"{world.district.code}: " + ", ".join(
                f"row {w.row}: {w.published} for {w.right}" for w in wrong[:8]
            )
    return silent


def _homes() -> list[list[mutants.Variant]]:
    variants = sorted(mutants.VARIANTS, key=lambda variant: variant.name)
    random.Random(8).shuffle(variants)
    return [variants[start : start + _IN_A_HOME] for start in range(0, len(variants), _IN_A_HOME)]


def test_there_are_kinds_of_every_source() -> None:
    """A kind is a way of being wrong in a source; docs/reliability.md says how many there are."""
    variants = {variant.name for variant in mutants.VARIANTS}
    kinds = {variant.kind for variant in mutants.VARIANTS}
    error_types = {variant.error_type for variant in mutants.VARIANTS}
    assert len(variants) == len(mutants.VARIANTS)
    assert {variant.source for variant in mutants.VARIANTS} == {*mutants.SOURCES, "decisions"}
    for source in mutants.SOURCES:
        assert sum(kind.endswith(f":{source}") for kind in kinds) >= _KINDS_OF_A_SOURCE
    assert len(kinds) >= _KINDS_PROMISED
    told = RELIABILITY.read_text(encoding="utf-8")
    assert f"{len(variants)} variants of {len(kinds)} kinds ({len(error_types)} ways of being wrong" in told
    assert set(UNTOLD) <= kinds | variants
    assert [kind for kind in UNTOLD if f"`{kind}`" not in told] == []


def test_a_slice_of_wrong_deliveries_is_told(tmp_path: Path) -> None:
    variants = [variant for home in _homes() for variant in home if not _is_untold(variant)][:_SLICE]
    assert _silent(variants, tmp_path, seed=4, sound=3) == {}


@pytest.mark.long
@pytest.mark.parametrize("place", range(len(_homes())))
def test_every_wrong_delivery_is_told(place: int, tmp_path: Path) -> None:
    variants = _homes()[place]
    untold = {variant.name for variant in variants if _is_untold(variant)}
    silent = _silent(variants, tmp_path, seed=40 + place)
    assert {name: told for name, told in silent.items() if name not in untold} == {}

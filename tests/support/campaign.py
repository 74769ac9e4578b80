"""Worlds through the whole path, many districts in one run, and what was published of each beside the right figures.

Belongs here: running a home of worlds, reading what was published, telling right from wrong. Does not belong here:
the worlds and the faults in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq

from tests.conftest import run_cli
from tests.oracle import Form, reckon
from tests.support import mutants, worlds

#: What a figure may be where something is wrong with it, besides right: said to be missing.
MISSING = frozenset({"not_reported", "withheld", "unsettled"})


@dataclass(frozen=True)
class Published:
    """What became of one district: ``figures`` (value and status by row of the form), none where it was held back."""

    reasons: tuple[str, ...]
    figures: dict[int, tuple[Decimal | None, str]]

    @property
    def held(self) -> bool:
        return not self.figures


@dataclass(frozen=True)
class Wrong:
    """A published figure that is not the right one."""

    row: int
    published: Decimal | None
    right: Decimal | None


@cache
def right_form(world: worlds.World) -> Form:
    """The form of the last quarter, computed from the canonical rows by the second implementation."""
    window = worlds.WINDOWS[worlds.QUARTER]
    return reckon(
        world.files,
        world.district.code,
        worlds.QUARTER,
        (window.opens_on, window.closes_on, window.year_opens_on),
    )


def published(home: Path, papers: Iterable[worlds.Paper], districts: Sequence[str]) -> dict[str, Published]:
    """Delivers the papers into one home, runs the last quarter and reads what is current, by district."""
    for paper in papers:
        worlds.write_papers(home / "landing", paper)
    result = run_cli(home, "run", worlds.QUARTER, "--json")
    assert result.code in (0, 1), f"internal failure: {result.stdout[-2000:]}{result.stderr[-2000:]}"
    reasons = {unit["unit_code"]: tuple(unit["reasons"]) for unit in json.loads(result.stdout)["units"]}
    return {code: Published(reasons.get(code, ()), figures(home, code)) for code in districts}


def figures(home: Path, district: str) -> dict[int, tuple[Decimal | None, str]]:
    """Value and status of each row of the current release; none where there is no release."""
    pointer = home / "published" / district / worlds.QUARTER / "current.json"
    if not pointer.exists():
        return {}
    release = pointer.parent / json.loads(pointer.read_bytes())["path"]
    columns = ["row_no", "value", "status"]
    rows = pq.read_table(release / "marts" / "report_indicators.parquet", columns=columns).to_pylist()
    return {row["row_no"]: (row["value"], row["status"]) for row in rows}


def wrong_figures(answer: Published, form: Form) -> list[Wrong]:
    """Published figures that differ from the right ones; one that is said to be missing is not wrong."""
    wrong = []
    for row, (value, status) in answer.figures.items():
        right = form.figures[row].value
        if value != right and not (value is None and status in MISSING):
            wrong.append(Wrong(row, value, right))
    return wrong


def differing_figures(answer: Published, world: worlds.World) -> dict[int, tuple[Decimal | None, Decimal | None]]:
    """Published and right figure of each row where the two differ, of a district that must be published whole."""
    assert not answer.held, answer.reasons
    assert len(answer.figures) == 211
    right = right_form(world).figures
    return {n: (value, right[n].value) for n, (value, _) in answer.figures.items() if value != right[n].value}


def worlds_of(count: int, seed: int, *, most_communes: int) -> list[worlds.World]:
    """``count`` worlds of different districts; raises ``ValueError`` where there are not so many."""
    places = worlds.districts(most=most_communes)
    if count > len(places):
        raise ValueError(f"{count} worlds, but {len(places)} districts")
    return [worlds.make_world(seed + n, *places[n]) for n in range(count)]


def mutant_of(
    variant: mutants.Variant, place: int, seed: int, *, most_communes: int
) -> tuple[worlds.World, worlds.Paper]:
    """A world of the district at ``place`` in which the fault finds something to change, and its papers with it."""
    district = worlds.districts(most=most_communes)[place]
    reason: Exception | None = None
    for attempt in range(12):
        world = worlds.make_world(seed + 1000 * attempt + place, *district)
        try:
            return world, mutants.mutate(variant, world, worlds.papers(world), seed)
        except mutants.Unfit as error:
            reason = error
    raise AssertionError(f"{variant.name}: no world it fits: {reason}")

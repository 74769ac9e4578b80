"""A run makes only the units that something changed for, and comes to the bytes that a full one comes to.

Random sequences of what people do to a home of several districts; after each a run does what is left, and then
everything is built and judged anew. The candidates are addressed by their content, so the same address is the same
bytes; verdicts are compared as they are stored.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestration.pipeline import Pipeline
from orchestration.settings import load_settings
from orchestration.stages import building, check_marts, check_raw, write_candidates
from tests.conftest import run_cli
from tests.support import worlds
from tests.support.decision_workbooks import fill

QUARTER, BEFORE = worlds.QUARTER, worlds.BEFORE
_SEQUENCES, _BATCHES = 200, 10
Results = dict[str, tuple[str, list[Any]]]


@dataclass
class Office:
    """Some districts, what they delivered into one home, and what is still to come."""

    home: Path
    seed: int
    count: int
    rng: random.Random = field(init=False)
    made: dict[str, worlds.World] = field(init=False)
    owed: list[tuple[str, worlds.Paper]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        places = worlds.districts(most=4)[: self.count]
        self.made = {place[0].code: worlds.make_world(self.seed + n, *place) for n, place in enumerate(places)}

    @property
    def districts(self) -> list[str]:
        return sorted(self.made)

    def begin(self) -> None:
        """Everybody delivers, but each keeps back one file or none: without it a district is held back or not."""
        for code, world in self.made.items():
            papers = worlds.papers(world)
            late = self.rng.choice([None, *sorted(papers)])
            if late is not None:
                self.owed.append((code, {late: papers.pop(late)}))
            worlds.write_papers(self.home / "landing", papers)

    def late_file(self) -> str | None:
        """One of the files kept back comes."""
        if not self.owed:
            return None
        code, paper = self.owed.pop(self.rng.randrange(len(self.owed)))
        worlds.write_papers(self.home / "landing", paper)
        return code

    def corrected_file(self, quarter: str = QUARTER) -> str:
        """A file is sent again with other rows."""
        code = self.rng.choice(self.districts)
        world = self.made[code]
        other = worlds.papers(worlds.make_world(self.rng.randrange(10**6), world.district, world.communes))
        key = self.rng.choice(sorted(key for key in other if key[0] == quarter))
        worlds.write_papers(self.home / "landing", {key: other[key]})
        return code

    def earlier_file(self) -> str:
        """A file of the quarter before is sent again with other rows."""
        return self.corrected_file(BEFORE)

    def decisions(self) -> str | None:
        """What holds a district back is decided, as far as it can be; a workbook that decides nothing comes as well."""
        asked = sorted(self.home.glob(f"review/*/{QUARTER}/*.xlsx"))
        if not asked:
            return None
        workbook = self.rng.choice(asked)
        code = workbook.parts[-3]
        target = self.home / "landing" / code / QUARTER / "decisions" / f"{self.rng.randrange(10**6)}.xlsx"
        target.parent.mkdir(parents=True, exist_ok=True)
        fill(workbook, target)
        return code

    def stray_file(self) -> str:
        """A file that is none comes to lie in a folder."""
        code = self.rng.choice(self.districts)
        (self.home / "landing" / code / QUARTER / "one_stop_cases" / "ghi chú.xlsx").write_bytes(self.rng.randbytes(99))
        return code

    def touched_file(self) -> None:
        """A file is written again as it is."""
        path = self.rng.choice(sorted(p for p in self.home.glob(f"landing/*/{QUARTER}/*/*") if p.is_file()))
        path.write_bytes(path.read_bytes())


_ACTIONS: tuple[Callable[[Office], str | None], ...] = (
    Office.late_file, Office.corrected_file, Office.earlier_file, Office.decisions, Office.stray_file,
    Office.touched_file,
)  # fmt: skip


def _run(home: Path, *options: str) -> dict[str, dict[str, Any]]:
    result = run_cli(home, "run", QUARTER, "--json", *options)
    assert result.code in (0, 1), result.stdout[-2000:] + result.stderr[-2000:]
    return {unit["unit_code"]: unit for unit in json.loads(result.stdout)["units"]}


def _stored(home: Path) -> Results:
    """By unit the last candidate's address, and the stored verdicts on what was delivered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCHC_HOME", str(home))
        pipeline = Pipeline(load_settings())
    from orchestration.review import judged
    from publication import hash_inputs

    found: Results = {}
    for unit, inputs in pipeline.deliveries.inputs_of(pipeline.deliveries.units_in(QUARTER), QUARTER).items():
        what = judged(pipeline, unit, QUARTER, hash_inputs(inputs))
        found[unit] = (
            what.candidate.name if what.candidate else "",
            [v.model_dump(mode="json") for v in what.verdicts],
        )
    return found


def _made_anew(home: Path) -> Results:
    """The same of a build of everything, from nothing that a run before left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCHC_HOME", str(home))
        pipeline = Pipeline(load_settings())
        pipeline.full = True
        try:
            raw = check_raw(pipeline, QUARTER, ())
            with building(pipeline, QUARTER, ()) as process:
                assert process.stdout is not None
                said = process.stdout.read()
            assert process.wait() == 0, said[-3000:]
            folders = write_candidates(pipeline, QUARTER, ())
            marts = check_marts(pipeline, QUARTER, ())
        finally:
            pipeline.close()
    assert set(json.loads(pipeline.home.build_record.read_bytes())["inputs"]) == set(raw)
    return {
        unit: (
            folders[unit].name if unit in folders else "",
            [by[unit].model_dump(mode="json") for by in (raw, marts) if unit in by],
        )
        for unit in raw
    }


def _sequence(office: Office, actions: int) -> None:
    """Some of what people do, a run of what is left, and the proof that a full one would come to the same."""
    changed: set[str] = set()
    for act in office.rng.choices(_ACTIONS, k=actions):
        if code := act(office):
            changed.add(code)
    releases = {path: path.stat().st_mtime_ns for path in office.home.glob(f"published/*/{QUARTER}/current.json")}
    units = _run(office.home)
    assert set(units) == set(office.districts)
    built = set(json.loads((office.home / "warehouse" / "build" / "build.json").read_bytes())["inputs"])
    assert built == (changed or set(office.districts))  # where nothing is left, who has a run begin sees all its steps
    for code in set(office.districts) - changed:
        pointer = office.home / "published" / code / QUARTER / "current.json"
        assert units[code]["state"] in ("unchanged", "held_back")
        assert not pointer.exists() or pointer.stat().st_mtime_ns == releases[pointer]
    assert _stored(office.home) == _made_anew(office.home)


def test_one_corrected_file_makes_one_district_anew_and_all_is_as_if_all_were(tmp_path: Path) -> None:
    office = Office(tmp_path, 7, 3)
    office.begin()
    first = _run(tmp_path)
    assert {unit["state"] for unit in first.values()} == {"published", "held_back"}
    code = office.corrected_file()
    again = _run(tmp_path)
    assert set(json.loads((tmp_path / "warehouse" / "build" / "build.json").read_bytes())["inputs"]) == {code}
    for other in set(first) - {code}:
        assert again[other]["reasons"] == first[other]["reasons"]
        assert again[other]["state"] == {"published": "unchanged"}.get(first[other]["state"], first[other]["state"])
    assert _stored(tmp_path) == _made_anew(tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("batch", range(_BATCHES))
def test_any_sequence_of_deliveries_corrections_and_decisions(batch: int, tmp_path: Path) -> None:
    office = Office(tmp_path, 100 * batch, 3)
    office.begin()
    _run(tmp_path)
    for _ in range(_SEQUENCES // _BATCHES):
        _sequence(office, office.rng.randint(1, 3))

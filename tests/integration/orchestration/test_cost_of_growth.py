"""What a run does before and after the work on a unit grows with units and with periods in proportion, never faster.

Told by counting the lines of the program that are executed, loops of comprehensions included; no clock is asked.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from common.periods import in_order, quarters_behind
from ingestion import check_store, ingest_quarters, load_contracts
from ingestion.deliveries import ledger
from ingestion.engine import source_order
from orchestration import review
from orchestration.cli.overview import quarter_status
from orchestration.office.facts import boxes
from orchestration.pipeline import Pipeline
from orchestration.real_names import with_real_names
from orchestration.settings import Settings

ROOT = Path(__file__).parents[3]
PROGRAM = tuple(f"{ROOT / room}/" for room in ("common", "ingestion", "orchestration", "publication"))
KEY = b"a key for tests, 32 bytes long.."
QUARTER = "2023-Q1"
SOURCE = "survey_responses"
#: How much more than in proportion the second step up may cost: what is done once is in the first.
TOLERANCE = 1.25


class Home:
    """A home of districts that each delivered one small file in some quarters."""

    def __init__(self, root: Path, units: int, quarters: Sequence[str]) -> None:
        self.pipeline = Pipeline(Settings(home=root))
        reference = self.pipeline.units.reference
        day = reference.periods[QUARTER].closes_on
        self.units = sorted(u.code for u in reference.admin_units if u.level == "district" and u.valid_on(day))[:units]
        self.quarter = in_order(quarters)[-1]
        for unit in self.units:
            for quarter in quarters:
                self.deliver(unit, quarter, "a.csv", reference.periods[quarter].closes_on)
        self.take_in()
        time.sleep(2 * ledger._STEP_NS / 1e9)  # then no receipt is too young to be known

    def deliver(self, unit: str, quarter: str, name: str, day: dt.date) -> None:
        path = self.pipeline.home.landing / unit / quarter / SOURCE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        head = "Số phiếu,Hình thức,Ngày trả lời,Đánh giá chung"
        path.write_text(f"{head}\n{unit}-{quarter}-{name},Phát phiếu,{day:%d/%m/%Y},Hài lòng\n")

    def take_in(self) -> None:
        """All sources, as the steps of a run do."""
        deliveries = self.pipeline.deliveries
        for source in source_order(load_contracts()):
            ingest_quarters(
                deliveries.paths,
                source,
                deliveries.quarters_to_read(self.quarter),
                reference=self.pipeline.units.reference,
                secret_key=KEY,
                limits=self.pipeline.settings.intake,
            )

    def questions(self) -> dict[str, Callable[[], object]]:
        """What a run and the commands around it ask, of all units."""
        pipeline, quarter = self.pipeline, self.quarter
        deliveries = pipeline.deliveries
        lines = [f"{SOURCE}-{quarter}-{unit}-00000000" for unit in self.units]
        return {
            "take in again": self.take_in,
            "check_store": lambda: check_store(deliveries.paths),
            "units_in": lambda: deliveries.units_in(quarter),
            "inputs_of": lambda: deliveries.inputs_of(self.units, quarter),
            "told_of": lambda: deliveries.told_of(deliveries.folders_behind(self.units, quarter)),
            "given_by_parts": lambda: deliveries.given_by_parts(self.units, "2023-H1"),
            "sources": lambda: deliveries.sources(self.units, quarter),
            "reporting_units": lambda: deliveries.reporting_units(quarter),
            "real names, a unit at a time": lambda: [with_real_names(deliveries.paths, [line]) for line in lines],
            "last candidates, a unit at a time": lambda: [
                review.last_made(pipeline.home, unit, quarter) for unit in self.units
            ],
            "decisions, a unit at a time": lambda: [
                review._register_rows(pipeline, unit, quarter) for unit in self.units
            ],
            "missing": lambda: deliveries.missing(self.units, quarter),
            "status": lambda: quarter_status(pipeline, quarter),
            "boxes": lambda: list(boxes(pipeline, quarter)),
        }


@contextmanager
def lines_executed() -> Iterator[Counter[str]]:
    """Counts lines of the program that are executed within the block, by module and function."""
    found: Counter[str] = Counter()

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PROGRAM):
            return None
        name = f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}"

        def step(_frame: FrameType, event: str, _argument: Any) -> Any:
            if event == "line":
                found[name] += 1
            return step

        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield found
    finally:
        sys.settrace(before)


def _costs(home: Home) -> dict[str, Counter[str]]:
    found = {}
    for name, ask in home.questions().items():
        ask()  # what is read once a process is not part of what grows
        with lines_executed() as lines:
            ask()
        found[name] = +lines
    return found


def _grows_faster(sizes: Sequence[int], costs: Sequence[int]) -> bool:
    (small, middle, large), (first, second, third) = sizes, costs
    slope = (second - first) / (middle - small)
    return (third - second) / (large - middle) > TOLERANCE * slope + 1


@pytest.fixture(scope="module")
def by_units(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Home]:
    return {n: Home(tmp_path_factory.mktemp(f"units-{n}"), n, [QUARTER]) for n in (4, 12, 36)}


@pytest.fixture(scope="module")
def by_periods(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Home]:
    behind = in_order(quarters_behind("2024-Q4"))
    return {n: Home(tmp_path_factory.mktemp(f"periods-{n}"), 2, behind[-n:]) for n in (2, 5, 11)}


@pytest.mark.parametrize("homes", ["by_units", "by_periods"])
def test_what_is_asked_of_all_units_grows_in_proportion(homes: str, request: pytest.FixtureRequest) -> None:
    found: dict[int, Home] = request.getfixturevalue(homes)
    costs = {size: _costs(home) for size, home in found.items()}
    sizes = list(costs)
    for name in costs[sizes[0]]:
        lines = [costs[size][name] for size in sizes]
        total = [sum(counted.values()) for counted in lines]
        worst = [
            (function, [counted[function] for counted in lines])
            for function in lines[-1]
            if _grows_faster(sizes, [counted[function] for counted in lines])
        ]
        assert not _grows_faster(sizes, total), (name, sizes, total, worst)
    assert sum(costs[sizes[-1]]["take in again"].values()) > sizes[-1] * 100, "the lines were counted"


def test_a_square_would_be_seen() -> None:
    assert _grows_faster([4, 12, 36], [1000 + n * n for n in (4, 12, 36)])
    assert not _grows_faster([4, 12, 36], [1000 + 40 * n for n in (4, 12, 36)])


def test_the_ledger_is_read_once_however_many_ask(by_units: dict[int, Home], monkeypatch: pytest.MonkeyPatch) -> None:
    home = by_units[36]
    home.deliver(home.units[0], QUARTER, "muon.csv", home.pipeline.units.closing_day(QUARTER))
    ledger._known_ledgers.clear()
    read: Counter[str] = Counter()
    kept = ledger._read_receipt
    monkeypatch.setattr(ledger, "_read_receipt", lambda path: read.update([path.name]) or kept(path))
    for ask in home.questions().values():
        ask()
    late = {name for name, times in read.items() if times > 1}
    assert len(read) == 37
    assert len(late) <= 1, "what was there before is read once; the late file's, which is young, may be read again"
    assert {path.name for path in home.pipeline.deliveries.paths.ledger.glob("*.json")} == set(read)


def test_a_receipt_that_somebody_writes_to_is_read_again(by_units: dict[int, Home]) -> None:
    paths = by_units[4].pipeline.deliveries.paths
    assert ledger.read_ledger(paths).damaged == []
    path = next(paths.ledger.glob("*.json"))
    data = path.read_bytes()
    try:
        path.write_bytes(data.replace(b'"accepted"', b'"acceptxd"'))  # the same length
        assert ledger.read_ledger(paths).damaged == [path]
    finally:
        path.write_bytes(data)
    assert ledger.read_ledger(paths).damaged == []

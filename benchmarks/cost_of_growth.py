"""What a home costs by the number of its periods, units and cases: time, memory, sizes, with a plot.

Belongs here: whole runs in homes of several sizes, the table of them and the plot in ``docs``. Does not belong here:
assertions; that nothing grows faster than in proportion is tested by counting
(``tests/integration/orchestration/test_cost_of_growth.py``).

``python -m benchmarks.cost_of_growth [--periods 1 2 5] [--units 1 3 11] [--cases 1 13 131] [--write]``: periods are the
sample district's one after another, of which the run of the last is measured; units are small districts in one period;
cases are those of the sample's quarter, so many times. ``--write`` puts table and plot into ``docs``.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pygal

from benchmarks.bench import ROOT, Measured, cchc, measure
from common.periods import in_order
from sample.quarters import ALL_WINDOWS as QUARTER_WINDOWS
from tests.support import worlds

BEGIN, END = "<!-- growth:begin -->", "<!-- growth:end -->"
PLOT = ROOT / "docs" / "images" / "cost-of-growth.svg"
_QUARTER = worlds.QUARTER
#: The parts of a home whose size is told, and the folders they are.
PERIODS = tuple(quarter for quarter in QUARTER_WINDOWS if quarter.startswith(("2022", "2023-Q")))
PARTS = {"lake": "raw", "warehouse": "warehouse", "published": "published", "dagster": "dagster"}
Point = tuple[int, Measured, dict[str, float]]


def _sizes(home: Path) -> dict[str, float]:
    """MiB of the parts of a home."""
    found = {}
    for part, folder in PARTS.items():
        files = (path for path in (home / folder).rglob("*") if path.is_file() and not path.is_symlink())
        found[part] = sum(path.stat().st_size for path in files) / 2**20
    return found


def _run(home: Path, name: str, quarter: str) -> Measured:
    measured = measure(name, cchc("run", quarter, "--full"), home)
    measured.stages = json.loads((home / "warehouse" / "timings.json").read_text(encoding="utf-8"))["stages"]
    return measured


def by_units(workspace: Path, numbers: Sequence[int]) -> list[Point]:
    """One period of so many small districts, from deliveries to releases."""
    found = []
    chosen = random.Random(1).sample(worlds.districts(most=3), max(numbers))
    for number in numbers:
        home = workspace / f"units-{number}"
        for seed, (district, communes) in enumerate(chosen[:number]):
            worlds.write_papers(home / "landing", worlds.papers(worlds.make_world(seed, district, communes)))
        found.append((number, _run(home, f"{number} units", _QUARTER), _sizes(home)))
    return found


def by_periods(workspace: Path, numbers: Sequence[int]) -> list[Point]:
    """The run of the last of so many periods of the sample's district, after all those before it."""
    found, home = [], workspace / "periods"
    quarters = in_order(PERIODS)[: max(numbers)]
    measure("sample", cchc("sample", *(word for quarter in quarters for word in ("--quarter", quarter))), home)
    aside = workspace / "later"
    _move(home / "landing", aside, quarters)
    for number, quarter in enumerate(quarters, start=1):
        _move(aside, home / "landing", [quarter])
        measured = _run(home, f"period {number}", quarter)
        if number in numbers:
            found.append((number, measured, _sizes(home)))
    return found


def _move(landing: Path, to: Path, quarters: Sequence[str]) -> None:
    """Deliveries of some quarters go from one landing folder to another."""
    for quarter in quarters:
        for folder in sorted(landing.glob(f"*/{quarter}")):
            place = to / folder.parent.name / quarter
            place.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(place)


def by_cases(workspace: Path, scales: Sequence[int]) -> list[Point]:
    """The sample's quarter with its cases so many times."""
    found = []
    for scale in scales:
        home = workspace / f"cases-{scale}"
        measure(f"sample {scale}", cchc("sample", "--quarter", "2023-Q1", "--scale", str(scale)), home)
        found.append((7678 * scale, _run(home, f"{scale} times", "2023-Q1"), _sizes(home)))
        subprocess.run(["chmod", "-R", "u+w", str(home)], check=True)
    return found


AXES: dict[str, Callable[[Path, Sequence[int]], list[Point]]] = {
    "periods": by_periods,
    "units": by_units,
    "cases": by_cases,
}


def table(found: dict[str, list[Point]]) -> str:
    """The runs as Markdown; memory is the sum over all processes at the worst moment."""
    head = ["of", "number", "wall s", "processor s", "tree MiB", *(f"{part} MiB" for part in PARTS)]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for axis, points in found.items():
        for number, measured, sizes in points:
            cells = [axis, f"{number:,}", f"{measured.wall:.0f}", f"{measured.processor:.0f}", f"{measured.tree:.0f}"]
            lines.append(f"| {' | '.join([*cells, *(f'{sizes[part]:.1f}' for part in PARTS)])} |")
    return "\n".join(lines)


def plot(found: dict[str, list[Point]]) -> bytes:
    """Processor time against size, both as multiples of the smallest run of their kind, on logarithmic scales."""
    chart = pygal.XY(
        title="Processor time of a run by size, as multiples of the smallest",
        x_title="times as many",
        y_title="times the processor time",
        x_value_formatter=lambda value: f"{10**value:,.0f}",
        value_formatter=lambda value: f"{10**value:,.1f}",
        js=[],
        legend_at_bottom=True,
    )
    farthest = 0.0
    for axis, points in found.items():
        number, cost = points[0][0], points[0][1].processor
        line = [(math.log10(n / number), math.log10(measured.processor / cost)) for n, measured, _ in points]
        farthest = max(farthest, line[-1][0])
        chart.add(axis, line)
    chart.add("in proportion", [(0.0, 0.0), (farthest, farthest)], stroke_style={"dasharray": "4, 4"})
    picture: bytes = chart.render()
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for axis, numbers in {"periods": [1, 2, 5], "units": [1, 3, 11], "cases": [1, 13, 131]}.items():
        parser.add_argument(f"--{axis}", type=int, nargs="*", default=numbers)
    parser.add_argument("--write", action="store_true", help="put table and plot into docs")
    options = parser.parse_args()
    found: dict[str, list[Point]] = {}
    with tempfile.TemporaryDirectory(prefix="cchc-growth-") as folder:
        for axis, run in AXES.items():
            if numbers := sorted(getattr(options, axis) or ()):
                found[axis] = run(Path(folder), numbers)
                sys.stdout.write(table({axis: found[axis]}) + "\n")
                sys.stdout.flush()
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    if options.write:
        PLOT.write_bytes(plot(found))
        page = ROOT / "docs" / "performance.md"
        before, rest = page.read_text(encoding="utf-8").split(BEGIN)
        page.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()

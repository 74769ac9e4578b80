"""Measures what a run costs as a home grows: with its runs, with units, with cases.

Belongs here: seconds, memory and size by part for homes of several sizes, the table and the pictures of
``docs/performance.md``. Does not belong here: how a command is measured (``bench``), assertions; that nothing grows
with the square of anything is tested by counting (``test_cost_of_growth``).

``python -m benchmarks.growth`` measures all three; ``runs``, ``units`` or ``cases`` one of them, ``--sizes`` others.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pygal
from pygal.style import Style

from benchmarks.bench import ROOT, Measured, cchc, measure
from benchmarks.page import put_in_page
from tests.support import campaign, worlds

PICTURES = ROOT / "docs" / "images"
_PARTS = ("raw", "warehouse", "published", "dagster")
_LATE = (
    "Số phiếu,Hình thức,Ngày trả lời,Thái độ phục vụ,Thời gian giải quyết,Chất lượng xử lý,Đánh giá chung\n"
    "MUON-{number},Phát phiếu,{day:%d/%m/%Y},Hài lòng,Hài lòng,Hài lòng,Hài lòng\n"
)
#: The sample's district, and the cases of its quarter, which ``--scale`` multiplies.
_DISTRICT, _CASES = "945", 7_678


@dataclass(frozen=True)
class Point:
    """A whole run of a home of one size; ``late`` is the run after one more small file, where there was one."""

    size: int
    run: Measured
    late: Measured | None
    mib: dict[str, float]


def _sizes(home: Path) -> dict[str, float]:
    """MiB of each part of a home."""
    return {
        part: sum(path.stat().st_size for path in (home / part).rglob("*") if path.is_file()) / 2**20 for part in _PARTS
    }


def _point(size: int, home: Path, quarter: str, late_from: str = "") -> Point:
    """Runs a home, and once more after a late file of ``late_from``, where a district is given."""
    ran = measure(f"run {size}", cchc("run", quarter), home)
    mib = _sizes(home)
    after = None
    if late_from:
        _add_late_file(home, late_from, quarter, 1)
        after = measure(f"late {size}", cchc("run", quarter), home)
    return Point(size, ran, after, mib)


def _add_late_file(home: Path, district: str, quarter: str, number: int) -> None:
    path = home / "landing" / district / quarter / "survey_responses" / f"muon-{number}.csv"
    path.write_text(_LATE.format(number=number, day=worlds.WINDOWS[quarter].closes_on), encoding="utf-8")


def runs(folder: Path, sizes: Sequence[int]) -> Iterator[Point]:
    """One small district, run again and again, each time with another late file."""
    home = folder / "runs"
    (world,) = campaign.worlds_of(1, 1, most_communes=3)
    worlds.write_papers(home / "landing", worlds.papers(world))
    for number in range(1, max(sizes) + 1):
        if number > 1:
            _add_late_file(home, world.district.code, worlds.QUARTER, number)
        point = _point(number, home, worlds.QUARTER)
        if number in sizes:
            yield point


def units(folder: Path, sizes: Sequence[int]) -> Iterator[Point]:
    """That many small districts in one run, and after it one late file of one of them."""
    for size in sizes:
        home = folder / f"units-{size}"
        made = campaign.worlds_of(size, 1, most_communes=99)
        for world in made:
            worlds.write_papers(home / "landing", worlds.papers(world))
        yield _point(size, home, worlds.QUARTER, late_from=made[0].district.code)
        subprocess.run(["chmod", "-R", "u+w", str(home)], check=True)


def cases(folder: Path, sizes: Sequence[int]) -> Iterator[Point]:
    """The sample district with that many cases, and after its run one late file."""
    for size in sizes:
        home = folder / f"cases-{size}"
        scale = max(1, round(size / _CASES))
        measure(f"sample {size}", cchc("sample", "--quarter", worlds.QUARTER, "--scale", str(scale)), home)
        yield _point(scale * _CASES, home, worlds.QUARTER, late_from=_DISTRICT)


AXES: dict[str, tuple[Callable[[Path, Sequence[int]], Iterator[Point]], tuple[int, ...], str]] = {
    "runs": (runs, (1, 4, 12, 40), "Runs of one small district, one after another"),
    "units": (units, (1, 11, 109), "Small districts in one run"),
    "cases": (cases, (7_678, 100_000, 1_000_000), "Cases of one district"),
}


def table(points: Sequence[Point]) -> str:
    heads = ["size", "run, wall s", "run, processor s", "process tree MiB", "late file, wall s", "late, processor s"]
    heads += [f"{part} MiB" for part in _PARTS]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for point in points:
        late = ["", ""] if point.late is None else [f"{point.late.wall:.1f}", f"{point.late.processor:.1f}"]
        cells = [f"{point.size:,}", f"{point.run.wall:.1f}", f"{point.run.processor:.1f}", f"{point.run.tree:.0f}"]
        lines.append("| " + " | ".join([*cells, *late, *(f"{point.mib[part]:.1f}" for part in _PARTS)]) + " |")
    return "\n".join(lines)


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def draw(name: str, title: str, points: Sequence[Point]) -> Path:
    """Writes the picture of an axis: processor seconds and MiB against size, both scales logarithmic."""
    sizes = [point.size for point in points]
    chart = pygal.XY(
        title=title, logarithmic=True, xrange=(min(sizes), max(sizes)), range=(1, 10_000), width=640, height=360,
        x_labels=sizes, x_labels_major=sizes, y_labels=[1, 10, 100, 1_000, 10_000], legend_at_bottom=True, js=(),
        truncate_legend=-1, margin_right=40, value_formatter=_whole, x_value_formatter=_whole,
        style=Style(font_family="sans-serif", legend_font_size=12, label_font_size=12, major_label_font_size=12),
    )  # fmt: skip
    lines = {
        "run, processor s": [(point.size, point.run.processor) for point in points],
        "run after a late file, processor s": [(p.size, p.late.processor) for p in points if p.late],
        "process tree, MiB": [(point.size, point.run.tree) for point in points],
        "home, MiB": [(point.size, sum(point.mib.values())) for point in points],
    }
    for label, found in lines.items():
        if found:
            chart.add(label, found)
    path = PICTURES / f"growth-{name}.svg"
    # Pygal writes the date of drawing into a comment.
    path.write_text(re.sub(r"<!--.*?-->", "", chart.render(is_unicode=True), flags=re.DOTALL), encoding="utf-8")
    return path


def main() -> None:
    """Prints the tables; ``--write`` puts them and the pictures into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("axis", nargs="?", choices=tuple(AXES), help="only this one")
    parser.add_argument("--sizes", type=int, nargs="+", help="other sizes than its own")
    parser.add_argument("--write", action="store_true", help="tables into docs/performance.md, pictures beside it")
    options = parser.parse_args()
    machine = f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB; one run each."
    report = [machine]
    with tempfile.TemporaryDirectory(prefix="cchc-growth-") as folder:
        for name in (options.axis,) if options.axis else AXES:
            measured, sizes, title = AXES[name]
            points = []
            for point in measured(Path(folder), sorted(options.sizes or sizes)):
                points.append(point)
                sys.stderr.write(json.dumps([name, point.size, round(point.run.wall, 1), point.mib]) + "\n")
            report += [f"**{title}**", table(points)]
            if options.write:
                picture = draw(name, title, points)
                report.append(f"![{title}](images/{picture.name})")
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    text = "\n\n".join(report)
    sys.stdout.write(text + "\n")
    if options.write:
        put_in_page("growth", text)


if __name__ == "__main__":
    main()

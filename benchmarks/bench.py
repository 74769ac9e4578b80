"""Measures the main job end to end, next to the floor that plain DuckDB needs for the same CSV.

Belongs here: timing whole commands and writing the table of ``docs/performance.md``.
Does not belong here: assertions. Machines are noisy; speed is reported, never tested.

Every figure is taken from outside: wall time of the command, the largest single process of its tree, and the sum over
the tree (sampled every 50 ms). The stages come from ``warehouse/timings.json``, which ``cchc run`` writes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.page import put_in_page

ROOT = Path(__file__).resolve().parents[1]
QUARTER = "2023-Q1"
DERIVED = ("raw", "warehouse", "published", "outbox", "dagster")


@dataclass
class Measured:
    """One command: wall seconds, MiB of the largest process and of the whole tree, seconds by stage; seconds of
    processor time over the tree.
    """

    name: str
    wall: float
    largest: float
    tree: float
    stages: dict[str, float] = field(default_factory=dict)
    processor: float = 0.0


def _tree_rss(process: psutil.Process) -> list[int]:
    sizes = []
    for member in [process, *process.children(recursive=True)]:
        try:
            sizes.append(member.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return sizes


def measure(name: str, command: list[str], home: Path, settings: Mapping[str, str] | None = None) -> Measured:
    """Runs ``command`` with ``CCHC_HOME=home``; exits where it fails, since a figure of a failed run means nothing."""
    env = {**os.environ, "CCHC_HOME": str(home), **(settings or {})}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    log = home.parent / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.log"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with log.open("wb") as out:
        child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
        watched = psutil.Process(child.pid)
        largest = tree = 0
        while child.poll() is None:
            try:
                sizes = _tree_rss(watched)
            except psutil.NoSuchProcess:
                break
            if sizes:
                largest, tree = max(largest, *sizes), max(tree, sum(sizes))
            time.sleep(0.05)
        code = child.wait()
    wall = time.perf_counter() - started
    if code != 0:
        sys.exit(f"{name}: exit code {code}\n{log.read_text(errors='replace')[-4000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(name, wall, largest / 2**20, tree / 2**20, processor=processor)


def cchc(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "orchestration.cli", *arguments]


def run(name: str, home: Path) -> Measured:
    measured = measure(name, cchc("run", QUARTER, "--full"), home)
    timings = home / "warehouse" / "timings.json"
    measured.stages = json.loads(timings.read_text(encoding="utf-8"))["stages"]
    return measured


def median_of(runs: list[Measured], name: str) -> Measured:
    stages = {s: statistics.median(r.stages.get(s, 0.0) for r in runs) for s in runs[0].stages}
    return Measured(
        name,
        statistics.median(r.wall for r in runs),
        max(r.largest for r in runs),
        max(r.tree for r in runs),
        stages,
    )


def forget(home: Path) -> None:
    """Removes everything but the deliveries. Releases are read-only, so they are made writable first."""
    for folder in (home / name for name in DERIVED):
        if folder.exists():
            subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
            shutil.rmtree(folder)


def sample_runs(workspace: Path, repeats: int) -> list[Measured]:
    """The sample quarter: cold (empty home) and warm (lake and warehouse are there, nothing changed)."""
    home = workspace / "sample"
    measure("sample", cchc("sample"), home)
    cold, warm = [], []
    for attempt in range(repeats):
        forget(home)
        cold.append(run(f"sample cold {attempt}", home))
        warm.append(run(f"sample warm {attempt}", home))
    return [median_of(cold, "sample, cold"), median_of(warm, "sample, warm")]


def large_runs(workspace: Path, scale: int, repeats: int) -> tuple[list[Measured], int]:
    """About a million cases from CSV: the floor and the pipeline in turn, then the pipeline warm."""
    home = workspace / "large"
    measure("large sample", cchc("sample", "--quarter", QUARTER, "--scale", str(scale)), home)
    floors, colds = [], []
    floor_command = [sys.executable, str(ROOT / "benchmarks" / "floor.py"), str(home / "landing"), QUARTER]
    for attempt in range(repeats):
        floors.append(measure(f"floor {attempt}", floor_command, home))
        forget(home)
        colds.append(run(f"large cold {attempt}", home))
    warm = run("large warm", home)
    cases = int(subprocess.run(floor_command, check=True, capture_output=True, text=True).stdout.split()[0])
    return [median_of(floors, "floor: plain DuckDB"), median_of(colds, "pipeline, cold"), warm], cases


def table(rows: list[Measured]) -> str:
    stages = list(dict.fromkeys(stage for row in rows for stage in row.stages))
    head = ["command", "wall s", "largest process MiB", "process tree MiB", *(f"{s} s" for s in stages)]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = [row.name, f"{row.wall:.1f}", f"{row.largest:.0f}", f"{row.tree:.0f}"]
        cells += [f"{row.stages[s]:.1f}" if s in row.stages else "" for s in stages]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, default=131, help="multiplies the sample's cases (131: about a million)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cchc-bench-") as folder:
        workspace = Path(folder)
        sample = sample_runs(workspace, options.repeats)
        large, cases = large_runs(workspace, options.scale, options.repeats)
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    fixed, floor, cold = sample[0].wall, large[0].wall, large[1].wall
    report = "\n\n".join(
        [
            f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
            f"{platform.system()}, Python {platform.python_version()}; "
            f"medians of {options.repeats} runs, of memory the highest.",
            table(sample),
            f"{cases:,} case rows from CSV:",
            table(large),
            f"Pipeline against floor: {cold:.1f} s / {floor:.1f} s = {cold / floor:.1f} times; without the fixed cost "
            f"(the cold sample run, {fixed:.1f} s): {(cold - fixed) / floor:.1f} times.",
        ]
    )
    sys.stdout.write(report + "\n")
    if options.write:
        put_in_page("bench", report)


if __name__ == "__main__":
    main()

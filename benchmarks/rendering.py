"""Measures rendering: every output of one district's release, written and read back, next to the limit of 5 seconds.

Belongs here: timing of ``publication``'s outputs once the marts are ready. Does not belong here: assertions; speed is
reported, never tested. Each round is a process of its own, so that loading a document's library counts with it, as it
does in a run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.page import put_in_page

ROOT = Path(__file__).resolve().parents[1]
UNIT, QUARTER, LIMIT = "945", "2023-Q1", 5.0


def one_round(home: Path) -> list[tuple[str, float, float, int]]:
    """Name, seconds to write, seconds to read back and bytes of each output, in the order of a release."""
    from publication.audit import clear
    from publication.content.release_content import gather
    from publication.outputs import FOLDERS, OUTPUTS
    from publication.store.candidate import read_candidate
    from publication.store.parquet import in_total_order, to_parquet

    warehouse = home / "warehouse"
    candidates = sorted((warehouse / "candidates" / UNIT / QUARTER).glob("*/candidate.json"))
    candidate = read_candidate(candidates[-1].parent)
    clearance = clear(candidate, warehouse / "verdicts" / UNIT / QUARTER)
    content = gather(
        candidate,
        gate_results=clearance.results,
        extra_marts={"gate_results": to_parquet(clearance.table)},
        extra_tables={"gate_results": in_total_order(clearance.table)},
    )
    measured = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for inner in FOLDERS:
            (folder / inner).mkdir()
        before: set[Path] = set()
        for output in OUTPUTS:
            started = time.perf_counter()
            output.write(content, folder)
            written = time.perf_counter()
            if output.check is not None:
                output.check(content, folder)
            read = time.perf_counter()
            made = {path for path in folder.rglob("*") if path.is_file()}
            size = sum(path.stat().st_size for path in made - before)
            before = made
            measured.append((output.name, written - started, read - written, size))
    return measured


def make_home(home: Path) -> None:
    """The sample district's quarter, run to a release."""
    environment = {**os.environ, "CCHC_HOME": str(home)}
    for command in (["sample"], ["run", QUARTER]):
        subprocess.run(
            [sys.executable, "-m", "orchestration.cli", *command],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
        )


def report(rounds: list[list[tuple[str, float, float, int]]]) -> str:
    lines = [
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; medians of {len(rounds)} "
        "rounds, loading of libraries included.",
        "",
        "| output | write s | read back s | KiB |",
        "| --- | --- | --- | --- |",
    ]
    for place, (name, *_, size) in enumerate(rounds[0]):
        write, read = (statistics.median(found[place][column] for found in rounds) for column in (1, 2))
        lines.append(f"| {name} | {write:.2f} | {read:.2f} | {size / 1024:,.0f} |")
    whole = statistics.median(sum(write + read for _, write, read, _ in found) for found in rounds)
    lines.append(f"| **all** (limit {LIMIT:.0f} s) | **{whole:.2f}** | | |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, help="a home in which the sample's 2023-Q1 was run; made when not given")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--round", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.round:
        sys.stdout.write(json.dumps(one_round(options.home)))
        return
    with tempfile.TemporaryDirectory() as workspace:
        home = options.home or Path(workspace)
        if options.home is None:
            make_home(home)
        command = [sys.executable, "-m", "benchmarks.rendering", "--round", "--home", str(home)]
        rounds = [
            json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
            for _ in range(options.repeats)
        ]
    table = report(rounds)
    sys.stdout.write(table + "\n")
    if options.write:
        put_in_page("rendering", table)


if __name__ == "__main__":
    main()

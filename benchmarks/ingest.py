"""Measures the intake of a million case rows from CSV beside DuckDB's own reading of the same files to Parquet.

Belongs here: the paired ratio of the two, and the memory of each. Does not belong here: the whole pipeline (``bench``)
or assertions. The two run in turn, so that a busy machine slows both; the figure is the median of the pairs' ratios.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUARTER = "2023-Q1"

_DUCKDB = """
import sys, time, resource, duckdb
out, *files = sys.argv[1:]
begun = time.perf_counter()
connection = duckdb.connect()
connection.execute("set enable_progress_bar = false")
for number, path in enumerate(files):
    read = f"read_csv('{path}', delim = ';', header = true, all_varchar = true)"
    connection.execute(f"copy (select * from {read}) to '{out}/{number}.parquet' (format parquet, compression zstd)")
sys.stdout.write(f"{time.perf_counter() - begun} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}")
"""

_INTAKE = """
import sys, time, resource
from pathlib import Path
from ingestion import IngestPaths, ReferenceData, ingest_source
home, seeds, quarter = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
paths = IngestPaths(home / "landing", home / "raw", home / "outbox")
reference, key = ReferenceData.load(seeds), b"a key for measuring only"
for register in ("org_units", "procedure_catalogue"):
    ingest_source(paths, register, quarter, reference=reference, secret_key=key)
begun = time.perf_counter()
report = ingest_source(paths, "one_stop_cases", quarter, reference=reference, secret_key=key)
wall = time.perf_counter() - begun
assert report.rows_read == report.rows_accepted + report.rows_rejected
sys.stdout.write(f"{wall} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024} {report.rows_read}")
"""


@dataclass(frozen=True)
class Pair:
    """One reading by each: seconds and MiB at the highest; and the rows that the intake read."""

    duckdb_seconds: float
    duckdb_mib: float
    seconds: float
    mib: float
    rows: int

    @property
    def ratio(self) -> float:
        return self.seconds / self.duckdb_seconds


def _child(program: str, *arguments: str) -> list[float]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return [float(figure) for figure in done.stdout.split()]


def measure(home: Path) -> Pair:
    """Both on the same files, one after the other, each in a process of its own, the intake on an empty lake."""
    files = sorted(str(p) for p in (home / "landing").glob(f"*/{QUARTER}/one_stop_cases/*.csv"))
    for folder in ("raw", "outbox"):
        shutil.rmtree(home / folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=home) as out:
        floor = _child(_DUCKDB, out, *files)
    seconds, mib, rows = _child(_INTAKE, str(home), str(ROOT / "dbt_project" / "seeds"), QUARTER)
    return Pair(*floor, seconds, mib, int(rows))


def as_one_file(home: Path) -> None:
    """Puts all case rows into the district's one file; DuckDB and the intake then have a single file to read."""
    files = sorted((home / "landing").glob(f"*/{QUARTER}/one_stop_cases/*.csv"))
    whole = home / "whole.csv"
    with whole.open("wb") as target:
        for number, path in enumerate(files):
            with path.open("rb") as source:
                if number:
                    source.readline()
                shutil.copyfileobj(source, target)
            path.unlink()
    whole.rename(home / "landing" / "945" / QUARTER / "one_stop_cases" / "ho-so-mot-cua.csv")


def table(results: dict[str, list[Pair]]) -> str:
    lines = [
        "| rows | DuckDB s | intake s | ratio (median, least to most) | DuckDB MiB | intake MiB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, pairs in results.items():
        ratios = sorted(p.ratio for p in pairs)
        lines.append(
            f"| {pairs[0].rows:,} {name} | {statistics.median(p.duckdb_seconds for p in pairs):.2f} "
            f"| {statistics.median(p.seconds for p in pairs):.2f} "
            f"| {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) "
            f"| {max(p.duckdb_mib for p in pairs):.0f} | {max(p.mib for p in pairs):.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=int, default=131, help="times the sample's cases (131 gives about a million)")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cchc-ingest-") as folder:
        home = Path(folder)
        sample = ["sample", "--quarter", QUARTER, "--scale", str(options.scale)]
        environment = {**os.environ, "CCHC_HOME": folder, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "orchestration.cli", *sample]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        results = {"in nine files": [measure(home) for _ in range(options.repeats)]}
        as_one_file(home)
        results["in one file"] = [measure(home) for _ in range(options.repeats)]
    sys.stdout.write(table(results) + "\n")


if __name__ == "__main__":
    main()

"""Measures a whole province in one run: every unit's deliveries taken in, published and rolled up.

Belongs here: the two provinces of the sample, and writing their table into ``docs/performance.md``. Does not belong
here: how a command is measured (``bench``), assertions.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from benchmarks.bench import Measured, cchc, measure
from benchmarks.page import put_in_page

PROVINCES = (("94", "2023-Q1"), ("92", "2026-Q1"))


def row_of(workspace: Path, province: str, quarter: str) -> str:
    """Writes the sample of a province, publishes it with one command and returns its line of the table.

    Exits where the command fails or a unit was left out of the roll-up.
    """
    home = workspace / f"{province}-{quarter}"
    sample = measure(f"sample {province}", cchc("sample", "--province", province, "--quarter", quarter), home)
    settings = {"CCHC_PROVINCES": json.dumps([province])}
    ran = measure(f"run {province}", cchc("run", quarter, "--full"), home, settings)
    timings = json.loads((home / "warehouse" / "timings.json").read_text(encoding="utf-8"))["stages"]
    manifest = json.loads((home / "published" / province / quarter / "r1" / "manifest.json").read_bytes())
    counted = sum(entry["source"] == "releases" for entry in manifest["inputs"])
    marts = home / "published" / province / quarter / "r1" / "marts"
    units = [
        m for m in pq.read_table(marts / "province_members.parquet").to_pylist() if m["member_level"] != "department"
    ]
    if missing := [m["member_name_vi"] for m in units if m["state"] != "published" or m["provisional"]]:
        sys.exit(f"{province} {quarter}: {len(missing)} units missing or provisional, the first: {missing[0]}")
    files = sum(path.is_file() for path in (home / "landing").rglob("*"))
    return _line(province, quarter, counted, files, sample, ran, timings)


def _line(
    province: str, quarter: str, units: int, files: int, sample: Measured, ran: Measured, stages: dict[str, float]
) -> str:
    told = [f"{stages.get(name, 0.0):.0f}" for name in ("ingest", "dbt", "publish", "provinces")]
    cells = [
        f"{province}, {quarter}", str(units), f"{files:,}", f"{sample.processor:.0f}", f"{ran.wall:.0f}",
        f"{ran.processor:.0f}", f"{ran.largest:.0f}", f"{ran.tree:.0f}", *told,
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Prints the table; ``--write`` puts it into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", help="code of one of the provinces")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    heads = [
        "province", "units", "files", "sample, processor s", "run, wall s", "run, processor s", "largest process MiB",
        "process tree MiB", "ingest s", "dbt s", "publish s", "roll-up s",
    ]  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    with tempfile.TemporaryDirectory(prefix="cchc-provinces-") as folder:
        for province, quarter in PROVINCES:
            if options.only in (None, province):
                lines.append(row_of(Path(folder), province, quarter))
                subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    machine = f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB; one run each."
    report = "\n\n".join([machine, "\n".join(lines)])
    sys.stdout.write(report + "\n")
    if options.write:
        put_in_page("provinces", report)


if __name__ == "__main__":
    main()

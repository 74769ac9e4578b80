"""What a reader of one unit or one indicator reads of the published figures, over many units' releases.

Belongs here: bytes, files and seconds of a few questions, asked of the releases' own Parquet files and of the folders
beside them (``published/tables``). Does not belong here: assertions; how the folders are laid out is tested with
``publication.folders``.

``python -m benchmarks.partial_reads RELEASE [UNITS]``: a published release; each unit has its figures, shifted.
Every question is asked by a process of its own; bytes are those that its system calls read, so a file that lies in the
page cache counts as one that does not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from publication.folders import FOLDER_NAME, refresh_folders
from publication.store.parquet import to_parquet

TABLE, QUARTER = "report_indicators", "2023-Q1"
QUESTIONS = {
    "one unit, all columns": "select * from figures where unit_code = '00050'",
    "one unit, figures and values": "select indicator_code, value from figures where unit_code = '00050'",
    "one indicator of all units": "select unit_code, value from figures where indicator_code = 'III.23'",
    "everything": "select * from figures",
}
_ASK = """
import json, sys, time
from pathlib import Path
import duckdb
files, question = json.loads(sys.stdin.read())
def counted():
    lines = Path("/proc/self/io").read_text().split("\\n")
    return {k: int(v) for k, v in (line.split(": ") for line in lines if line)}
db = duckdb.connect(config={"threads": 1})
db.execute("set enable_progress_bar = false")
db.execute("select 1").fetchall()
before, began = counted(), time.process_time()
hive = str("*" in str(files)).lower()
figures = f"with figures as (select * from read_parquet({files!r}, hive_partitioning = {hive})) "
db.execute(figures + question).fetchall()
after = counted()
print(json.dumps([after["rchar"] - before["rchar"], after["syscr"] - before["syscr"], time.process_time() - began]))
"""


def _releases(published: Path, release: Path, units: int) -> list[dict[str, object]]:
    """Writes ``units`` releases, each with figures of its own; returns what the index would say of them."""
    table = pq.read_table(release / "marts" / f"{TABLE}.parquet")
    place = table.schema.get_field_index("unit_code")
    entries: list[dict[str, object]] = []
    for number in range(units):
        unit = f"{number:05d}"
        own = table.set_column(place, table.schema.field("unit_code"), pa.array([unit] * table.num_rows, pa.string()))
        for position, field in enumerate(table.schema):
            if pa.types.is_decimal(field.type):
                shifted = pc.add(table.column(position), pa.scalar(Decimal(number * 7919 % 9973), pa.decimal128(18, 4)))
                own = own.set_column(position, field, shifted.cast(field.type))
        path = f"{unit}/{QUARTER}/r1"
        file = published / path / "marts" / f"{TABLE}.parquet"
        file.parent.mkdir(parents=True)
        file.write_bytes(to_parquet(own))
        entries.append(
            {
                "unit_code": unit,
                "quarter": QUARTER,
                "release": 1,
                "path": path,
                "manifest_sha256": unit,
                "tables": {TABLE: "1.0.0"},
            }
        )
    return entries


def _ask(files: object, question: str) -> list[float]:
    asked = subprocess.run(
        [sys.executable, "-c", _ASK], input=json.dumps([files, question]), capture_output=True, text=True, check=True
    )
    return [float(figure) for figure in json.loads(asked.stdout.splitlines()[-1])]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("release", type=Path)
    parser.add_argument("units", type=int, nargs="?", default=3321)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="partial-reads-") as folder:
        published = Path(folder)
        entries = _releases(published, options.release, options.units)
        began = time.process_time()
        refresh_folders(published, entries)
        first = time.process_time() - began
        entries[50]["release"], entries[50]["manifest_sha256"] = 2, "late"
        began = time.process_time()
        refresh_folders(published, entries)
        late = time.process_time() - began
        sizes = [path.stat().st_size for path in published.glob(f"{FOLDER_NAME}/*/*/*.parquet")]
        sys.stdout.write(
            f"{options.units} units: folders of {sum(sizes) / 2**20:.1f} MiB, made in {first:.1f} s of processor, "
            f"after one late release in {late:.1f} s.\n\n"
            "| question | the releases' files: KiB read | calls | s | the folder: KiB read | calls | s |\n"
            f"|{' --- |' * 7}\n"
        )
        of_releases = [str(path) for path in sorted(published.glob(f"*/*/r1/marts/{TABLE}.parquet"))]
        for name, question in QUESTIONS.items():
            cells = []
            for files in (of_releases, f"{published}/{FOLDER_NAME}/{TABLE}/*/*.parquet"):
                size, calls, seconds = _ask(files, question)
                cells += [f"{size / 1024:,.0f}", f"{calls:,.0f}", f"{seconds:.2f}"]
            sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()

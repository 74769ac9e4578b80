"""Measures reading: a workbook of 100,000 × 20 cells next to the bare reader library.

Belongs here: timing of ``ingestion``'s reader. Does not belong here: assertions; speed is reported, never tested. Both
ways run in turn, each in a process of its own, so that a busy machine slows both and memory is each one's own.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import xlsxwriter

ROOT = Path(__file__).resolve().parents[1]
_MEASURED = """
import json, resource, sys, time
path = sys.argv[1]
{prepare}
started = time.perf_counter()
{work}
seconds = time.perf_counter() - started
{finish}
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
sys.stdout.write(json.dumps(dict(seconds=seconds, own=own, child=child)))
"""
BARE = _MEASURED.format(
    prepare="from python_calamine import CalamineWorkbook",
    work="CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()",
    finish="",
)
OURS = _MEASURED.format(
    prepare=(
        "from pathlib import Path\n"
        "from ingestion.reading.files import read_sheets\n"
        "from ingestion.reading.sandbox import shared_sandbox"
    ),
    work="read_sheets(Path(path), '.xlsx').sheets[0].body(1, 20)",
    finish="shared_sandbox().close()",
)


def write_workbook(path: Path, rows: int, columns: int) -> None:
    """Text in eight columns of twenty, moments in three, numbers in the rest."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    sheet = book.add_worksheet()
    first = dt.datetime(2023, 1, 1)
    for row in range(rows):
        for column in range(columns):
            if column % 20 < 8:
                sheet.write_string(row, column, f"Hồ sơ số {row * 7 % 5000} cột {column}")
            elif column % 20 < 11:
                sheet.write_datetime(row, column, first + dt.timedelta(days=row % 90, hours=column), moment)
            else:
                sheet.write_number(row, column, row * column)
    book.close()


def measure(program: str, path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reading.xlsx"
        write_workbook(path, options.rows, options.columns)
        bare, ours = [], []
        for _ in range(options.repeats):
            bare.append(measure(BARE, path))
            ours.append(measure(OURS, path))
    base = statistics.median(run["seconds"] for run in bare)
    lines = [
        f"{options.rows:,} × {options.columns} .xlsx, {platform.machine()}, Python {platform.python_version()}, "
        f"medians of {options.repeats} alternating runs, memory the highest",
        "| way | s | times bare | parent MiB | child MiB |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, runs in (("bare reader", bare), ("read_sheets", ours)):
        seconds = statistics.median(run["seconds"] for run in runs)
        memory = [max(run[who] for run in runs) for who in ("own", "child")]
        lines.append(f"| {name} | {seconds:.2f} | {seconds / base:.2f} | {memory[0]:.0f} | {memory[1]:.0f} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""What each piece that exists for speed alone saves a user, measured against the plain way of the libraries.

Belongs here: the pieces, how a command does without one, and the table in ``docs/performance.md``. Does not belong
here: assertions; a piece that saves less than ``WORTH_KEEPING`` of the wall time in no case of a user's is deleted by
hand, with the table as the reason.

A command runs as users run it, but for one piece that is taken out of every process of it; the same command with the
piece runs next to it, in turn.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl

from benchmarks.page import put_in_page

WITHOUT = "CCHC_BENCH_WITHOUT"
WORTH_KEEPING = 1.15
ROOT = Path(__file__).resolve().parents[1]


# ------------------------------------------------------------------------------------- how a command does without one


def _dbt_begins_at_its_step() -> None:
    from orchestration.pipeline import Pipeline

    warm_up = Pipeline.warm_up
    Pipeline.warm_up = lambda self, *, gate, dbt: warm_up(self, gate=gate, dbt=False)  # type: ignore[method-assign]


def _gates_begin_at_their_step() -> None:
    from orchestration.pipeline import Pipeline

    warm_up = Pipeline.warm_up
    Pipeline.warm_up = lambda self, *, gate, dbt: warm_up(self, gate=False, dbt=dbt)  # type: ignore[method-assign]


def _an_engine_a_statement() -> None:
    import orchestration.instance as instance
    import orchestration.record_storage as storage

    storage.quick_records = nullcontext
    instance.keep_engines = lambda: []


def _each_cell_is_parsed() -> None:
    import numpy as np

    from ingestion.rows import columns, parsing

    def parse_column(column: Any, parser: Any, arrow_type: Any, kernel: Any = None) -> Any:
        cells = column.cells if isinstance(column, columns.ListColumn) else column.cells.to_pylist()
        return columns._spread(list(cells), np.arange(len(cells)), parser, arrow_type)

    parsing.parse_column = parse_column


def _no_kernels() -> None:
    import ingestion.rows.parsing as parsing

    parsing._kernel = lambda column, context: None


@dataclass(frozen=True)
class Piece:
    """One piece, in words; ``take_out`` takes it out of this process. ``cases``: those where users may feel it."""

    what: str
    plain: str
    take_out: Callable[[], None]
    cases: tuple[str, ...]


_RUNS, _LARGE = ("cold", "corrected"), ("large", "one-file")
PIECES: dict[str, Piece] = {
    "dbt-in-advance": Piece(
        "dbt begins and parses while deliveries are read", "it begins with its step", _dbt_begins_at_its_step, _RUNS
    ),
    "gates-in-advance": Piece(
        "the gates' process begins with the run", "it begins with its step", _gates_begin_at_their_step, _RUNS
    ),
    "engines-kept": Piece(
        "one engine a database, and it stays open", "an engine for each statement", _an_engine_a_statement, _RUNS
    ),
    "distinct-cells": Piece("a cell that repeats is parsed once", "every cell is parsed", _each_cell_is_parsed, _LARGE),
    "kernels": Piece("moments and case codes by column", "cell by cell", _no_kernels, _LARGE),
}


def _patched() -> None:
    """In whatever process of the command this is: the piece is out before the project's code runs."""
    if (name := os.environ.get(WITHOUT)) is None:
        return
    import orchestration.dbt as dbt

    dbt._DBT = (sys.executable, "-P", "-m", "benchmarks.pieces", "dbt")
    if name in PIECES:
        PIECES[name].take_out()


# --------------------------------------------------------------------------------------------------------- measuring


def _corrected(home: Path) -> None:
    """The survey comes again with one answer changed."""
    (file,) = (home / "landing").glob("945/2023-Q1/survey_responses/*.xlsx")
    book = openpyxl.load_workbook(file)
    sheet: Any = book.active
    answer = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "Rất hài lòng")
    answer.value = "Hài lòng"
    book.save(file)


def _prepared(case: str, base: Path, home: Path) -> list[str]:
    """The home of one command, as it is before it; gives what the command is asked."""
    if home.exists():
        subprocess.run(["chmod", "-R", "u+w", str(home)], check=True)
        shutil.rmtree(home)
    if case == "corrected":
        shutil.copytree(base / "published", home, symlinks=True)
        _corrected(home)
        return ["run", "2023-Q1"]
    shutil.copytree(base / case / "landing", home / "landing")
    return ["run", "2023-Q1"] if case == "cold" else ["ingest", "2023-Q1"]


def _measured(case: str, base: Path, home: Path, without: str) -> tuple[float, float]:
    from benchmarks.bench import measure

    arguments = _prepared(case, base, home)
    command = [sys.executable, "-m", "benchmarks.pieces", "cchc", *arguments]
    found = measure(f"{case} {without}", command, home, {WITHOUT: without})
    return found.wall, found.processor


def _bases(base: Path, cases: set[str], scale: int) -> None:
    from benchmarks.bench import cchc, measure
    from benchmarks.ingest import as_one_file

    measure("sample", cchc("sample", "--quarter", "2023-Q1"), base / "cold")
    if "corrected" in cases:
        shutil.copytree(base / "cold", base / "published")
        measure("published", cchc("run", "2023-Q1"), base / "published")
    if "large" in cases:
        measure("large", cchc("sample", "--quarter", "2023-Q1", "--scale", str(scale)), base / "large")
        shutil.copytree(base / "large", base / "one-file")
        as_one_file(base / "one-file")


_CASES = {
    "cold": "cold sample",
    "corrected": "one corrected file",
    "large": "intake of a million rows in nine files",
    "one-file": "intake of a million rows in one file",
}


def _line(name: str, case: str, plain: list[tuple[float, float]], own: list[tuple[float, float]]) -> str:
    walls = statistics.median(p[0] / o[0] for p, o in zip(plain, own, strict=True))
    processor = statistics.median(p[1] / o[1] for p, o in zip(plain, own, strict=True))
    piece = PIECES[name]
    verdict = "kept" if walls >= WORTH_KEEPING else "less than 15 %"
    return (
        f"| {piece.what} | {piece.plain} | {_CASES[case]} | {statistics.median(o[0] for o in own):.1f} | "
        f"{walls:.2f} | {processor:.2f} | {verdict} |"
    )


def compare(names: list[str], repeats: int, scale: int) -> str:
    """The table: for each piece and case the wall seconds with it, and how many times that it takes without it."""
    lines = [
        "| piece | the plain way | case | s with it | times as long without | times the processor | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory(prefix="cchc-pieces-") as folder:
        base = Path(folder)
        _bases(base, {case for name in names for case in PIECES[name].cases}, scale)
        for name in names:
            for case in PIECES[name].cases:
                pairs = [
                    [_measured(case, base, base / "home", without) for without in (name, "nothing")]
                    for _ in range(repeats)
                ]
                lines.append(_line(name, case, [pair[0] for pair in pairs], [pair[1] for pair in pairs]))
                sys.stderr.write(lines[-1] + "\n")
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    return "\n".join(lines)


def main() -> None:
    if sys.argv[1:2] == ["dbt"]:
        from orchestration.dbt_process import main as dbt

        sys.exit(dbt(sys.argv[2:]))
    if sys.argv[1:2] == ["cchc"]:
        from orchestration.cli import main as command

        sys.argv = ["cchc", *sys.argv[2:]]
        command()
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(PIECES), help=f"of {', '.join(PIECES)}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scale", type=int, default=131)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    report = compare(options.names, options.repeats, options.scale)
    sys.stdout.write(report + "\n")
    if options.write:
        put_in_page("pieces", report)


_patched()
if __name__ == "__main__":
    main()

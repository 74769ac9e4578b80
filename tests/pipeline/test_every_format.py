"""The sample quarter, delivered again in other formats and encodings, gives the same marts byte for byte.

Only what is said of the files' form differs, and none of that holds a report back.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from ingestion import load_contracts
from ingestion.text.legacy_fonts import to_tcvn3, to_vni
from tests.conftest import run_cli
from tests.corpus.writers import (
    ENCODINGS,
    Grid,
    csv_text,
    html_document,
    write_odfpy,
    write_openpyxl,
    write_xlwt,
)
from tests.pipeline.conftest import QUARTER, release_of

# They show of which files and rows the figures come; all else must be equal.
OF_FILES = frozenset({"delivery_log", "rejected_rows", "findings", "figure_rows"})
# Rules about a file's form: a name that says another format, texts that had to be mended, and CSV, of which nothing
# proves that no line is missing at the end.
OF_FORM = frozenset({"remarks.suffix_differs", "remarks.encoding_mended", "remarks.not_proven_whole"})
# What these say of how many they looked at counts remarks of form too, or rows of the tables above.
COUNTING = frozenset({"remarks.kind_known", *(f"marts.{name}.of_this_unit" for name in OF_FILES)})


def as_text(cell: Any) -> Any:
    """A cell as a Vietnamese office's export prints it."""
    if isinstance(cell, dt.datetime):
        return f"{cell:%d/%m/%Y}" if cell.time() == dt.time() else f"{cell:%d/%m/%Y %H:%M:%S}"
    if isinstance(cell, float):
        return repr(cell).replace(".", ",")
    return cell


def _csv(encoding: str, delimiter: str) -> Callable[[Path, Grid], None]:
    def write(path: Path, grid: Grid) -> None:
        text = csv_text([[as_text(c) for c in row] for row in grid.rows], delimiter)
        try:
            path.write_bytes(ENCODINGS[encoding](text))
        except (
            UnicodeEncodeError,
            StopIteration,
        ):  # a sign that the code page lacks: as an old font types it
            path.write_bytes(ENCODINGS.get(f"utf-8 of {encoding}", ENCODINGS["nfd"])(text))

    return write


def _font(convert: Callable[[str], str], writer: Callable[[Path, Grid], None]) -> Callable[[Path, Grid], None]:
    def write(path: Path, grid: Grid) -> None:
        writer(path, Grid([[convert(c) if isinstance(c, str) else c for c in row] for row in grid.rows]))

    return write


def _html(path: Path, grid: Grid) -> None:
    path.write_bytes(html_document(Grid([[as_text(c) for c in row] for row in grid.rows])).encode())


FORMATS: dict[str, tuple[str, Callable[[Path, Grid], None]]] = {
    "xlsx": (".xlsx", write_openpyxl),
    "xls": (".xls", write_xlwt),
    "ods": (".ods", write_odfpy),
    "HTML as xls": (".xls", _html),
    "HTML as doc": (".doc", _html),
    "CSV UTF-8": (".csv", _csv("utf-8", ",")),
    "CSV UTF-8 with mark": (".csv", _csv("utf-8-sig", ";")),
    "CSV UTF-16": (".csv", _csv("utf-16", "\t")),
    "CSV windows-1258": (".csv", _csv("cp1258", "|")),
    "CSV NFD": (".csv", _csv("nfd", ",")),
    "CSV mixed NFC and NFD": (".csv", _csv("mixed", ",")),
    "CSV TCVN3": (".csv", _csv("tcvn3", ",")),
    "CSV VNI": (".csv", _csv("vni", ";")),
    "CSV mojibake": (".csv", _csv("mojibake", ",")),
    "xls TCVN3": (".xls", _font(to_tcvn3, write_xlwt)),
    "xlsx VNI": (".xlsx", _font(to_vni, write_openpyxl)),
}


def _grid(path: Path) -> Grid:
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return Grid([list(row) for row in sheet.iter_rows(values_only=True)])


#: Columns of an accepted row that say of whom and of which quarter it is.
_OF_THE_PLACE = frozenset({"_source", "_unit_code", "_quarter"})


def redeliver(landing: Path, target: Path, choice: Callable[[int], str]) -> None:
    """Writes every workbook anew in the format that ``choice`` gives for its number; names and times are kept."""
    for number, path in enumerate(sorted(p for p in landing.rglob("*") if p.is_file())):
        copy = target / path.relative_to(landing)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix != ".xlsx":
            shutil.copy2(path, copy)
            continue
        suffix, write = FORMATS[choice(number)]
        copy = copy.with_suffix(suffix)
        write(copy, _grid(path))
        times = path.stat()
        os.utime(copy, ns=(times.st_atime_ns, times.st_mtime_ns))


def _judgements(home: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The results of both gates but for the rules about form, and how grave those are."""
    release = release_of(home)
    assert release is not None
    (path,) = release.rglob("gate_results.parquet")
    results = pq.read_table(path).to_pylist()
    for result in results:
        if result["expectation_id"] in COUNTING:
            result["observed"] = None
    of_form = [r for r in results if r["expectation_id"] in OF_FORM]
    return [r for r in results if r not in of_form], {r["expectation_id"]: r["severity"] for r in of_form}


def _marts(home: Path) -> dict[str, str]:
    release = release_of(home)
    assert release is not None
    found = {
        p.stem: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(release.rglob("*.parquet"))
        if p.stem not in OF_FILES | {"gate_results"}
    }
    assert len(found) > 5
    return found


def _rows_behind(home: Path) -> Counter[tuple[Any, ...]]:
    """How many rows stand behind each figure, wherever they lie, by what each contributes."""
    release = release_of(home)
    assert release is not None
    (path,) = release.rglob("figure_rows.parquet")
    found: Counter[tuple[Any, ...]] = Counter()
    for row in pq.read_table(path).to_pylist():
        figure = (row["unit_code"], row["quarter"], row["figure"])
        found[*figure, row["amount_each"], row["decision_id"]] += row["row_count"]
    return found


def _check(published_home: Path, sample_landing: Path, home: Path, choice: Callable[[int], str]) -> None:
    redeliver(sample_landing, home / "landing", choice)
    result = run_cli(home, "run", QUARTER)
    assert result.code == 0, result.stdout + result.stderr
    assert _marts(home) == _marts(published_home)
    (judged, of_form), (expected, _) = _judgements(home), _judgements(published_home)
    assert [r for r in judged if r not in expected] == [r for r in expected if r not in judged] == []
    assert of_form == dict.fromkeys(OF_FORM, "info")
    assert _rows_behind(home) == _rows_behind(published_home)


def _rows_taken(home: Path) -> Counter[tuple[Any, ...]]:
    """Every accepted row by source, quarter and unit, without what says where in which file it stood, and without the
    hashes of persons: each home has a key of its own.
    """
    hashed = {c.name for contract in load_contracts().values() for c in contract.columns if c.derived_from is not None}
    found: Counter[tuple[Any, ...]] = Counter()
    for path in (home / "raw" / "lake").rglob("*.parquet"):
        table = pq.read_table(path, partitioning=None)
        kept = [n for n in table.column_names if n in _OF_THE_PLACE or not (n.startswith("_") or n in hashed)]
        found.update(tuple(sorted(row.items(), key=lambda cell: cell[0])) for row in table.select(kept).to_pylist())
    return found


def test_the_rows_of_each_file_in_another_format_are_the_same(
    published_home: Path, sample_landing: Path, tmp_path: Path
) -> None:
    names, home = list(FORMATS), tmp_path / "home"
    redeliver(sample_landing, home / "landing", lambda number: names[number % len(names)])
    result = run_cli(home, "ingest", QUARTER)
    assert result.code in (0, 1), result.stdout + result.stderr
    assert _rows_taken(home) == _rows_taken(published_home)


@pytest.mark.long
def test_each_file_in_another_format(published_home: Path, sample_landing: Path, tmp_path: Path) -> None:
    names = list(FORMATS)
    _check(published_home, sample_landing, tmp_path / "home", lambda number: names[number % len(names)])


@pytest.mark.long
@pytest.mark.parametrize("name", FORMATS)
def test_all_files_in_one_format(published_home: Path, sample_landing: Path, tmp_path: Path, name: str) -> None:
    _check(published_home, sample_landing, tmp_path / "home", lambda number: name)

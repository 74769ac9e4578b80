"""Old workbooks and OpenDocument ones, cell by cell against LibreOffice, which knows nothing of this program."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl

from ingestion.base.limits import UnreadableFileError
from ingestion.reading.preflight import Kind, inspect
from ingestion.reading.sandbox import ParsedSheet, shared_sandbox
from tests.corpus.files import LIBREOFFICE, corpus
from tests.integration.ingestion.test_corpus import LIMITS

FILES = Path(__file__).parents[2] / "data" / "files"
SECONDS = 300
MIDNIGHT = dt.time()


def _readable(folder: Path) -> dict[str, tuple[Path, list[ParsedSheet]]]:
    """Every .xls and .ods file of the corpus, of the peculiar ones and of those saved by LibreOffice, as read here."""
    folder.mkdir()
    paths = [p for p in (*sorted(FILES.iterdir()), *sorted(LIBREOFFICE.iterdir())) if p.suffix in (".xls", ".ods")]
    written: list[Path] = []
    for number, path in enumerate(paths):
        written.append(folder / f"saved{number}{path.suffix}")
        shutil.copyfile(path, written[-1])
    for number, file in enumerate(corpus()):
        if file.suffix in (".xls", ".ods") and not file.expected.refused:
            written.append(folder / f"made{number}{file.suffix}")
            file.write(written[-1])
    found: dict[str, tuple[Path, list[ParsedSheet]]] = {}
    for path in written:
        try:
            kind = inspect(path, path.suffix, LIMITS)
            if kind in (Kind.XLS, Kind.ODS):
                found[path.stem] = (path, shared_sandbox().parse(path, kind, LIMITS))
        except UnreadableFileError:
            continue
    return found


def _plain(cell: Any) -> Any:
    """A cell as both sides show it: no midnight, no blank, no error, numbers as numbers."""
    if cell is None or (isinstance(cell, str) and (not cell.strip() or cell.startswith(("#", "Err:")))):
        return ""
    if isinstance(cell, dt.datetime) and cell.time() == MIDNIGHT:
        return cell.date()
    if isinstance(cell, str):
        return " ".join(cell.split())
    return float(f"{cell:.12g}") if isinstance(cell, int | float) and not isinstance(cell, bool) else cell


def _cells(rows: list[list[Any]]) -> dict[tuple[int, int], Any]:
    plain = {(r, c): _plain(cell) for r, row in enumerate(rows, 1) for c, cell in enumerate(row, 1)}
    return {place: cell for place, cell in plain.items() if cell != ""}


def test_every_cell_is_what_libreoffice_reads(tmp_path: Path) -> None:
    office = shutil.which("soffice")
    assert office, "needs the Debian package libreoffice-calc (make packages)"
    read = _readable(tmp_path / "in")
    assert len(read) >= 40
    subprocess.run(
        [office, f"-env:UserInstallation=file://{tmp_path}/office", "--headless", "--convert-to", "xlsx", "--outdir",
         str(tmp_path / "out"), *(str(path) for path, _ in read.values())],
        check=True, capture_output=True, timeout=SECONDS,
    )  # fmt: skip
    compared = 0
    for name, (_, sheets) in read.items():
        book = openpyxl.load_workbook(tmp_path / "out" / f"{name}.xlsx", data_only=True)
        assert [sheet.name for sheet in sheets] == book.sheetnames, name
        for sheet in sheets:
            disputed = sheet.facts.get("disputed", {})
            other = book[sheet.name]
            mine = _cells([list(row) for row in zip(*sheet.columns, strict=True)])
            theirs = _cells([list(row) for row in other.iter_rows(values_only=True)])
            shifted = {(r + other.min_row - 1, c + other.min_column - 1): cell for (r, c), cell in theirs.items()}
            faults = set(sheet.facts.get("faults", {}))
            assert not disputed, (name, disputed)
            assert {p: c for p, c in mine.items() if p not in faults} == {
                p: c for p, c in shifted.items() if p not in faults
            }, name
            compared += len(mine)
    assert compared > 2_000

"""Every text of the sample comes through every encoding of a CSV file as it was.

Belongs here: whole files, small ones with few Vietnamese words included, since the encoding is told from the file.
Does not belong here: the letters (``unit``), or what becomes of the rows (``pipeline``).
"""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from ingestion.reading.csv_files import read_csv
from ingestion.text.vietnamese import clean
from tests.corpus.writers import ENCODINGS, csv_text, shown

Rows = list[list[str]]


@pytest.fixture(scope="module")
def tables(sample_landing: Path) -> dict[str, Rows]:
    """The cells of each workbook of 2023-Q1 as a CSV export prints them, by place."""
    found: dict[str, Rows] = {}
    for path in sorted(sample_landing.glob("*/2023-Q1/*/*.xlsx")):
        sheet = openpyxl.load_workbook(path, read_only=True).worksheets[0]
        rows = [[clean(shown(cell)) for cell in row] for row in sheet.iter_rows(values_only=True)]
        found[str(path.relative_to(sample_landing))] = rows
    assert len(found) > 10
    return found


@pytest.mark.parametrize("name", ["cp1258", "tcvn3", "vni"])
def test_each_file_comes_through(tables: dict[str, Rows], name: str) -> None:
    through = 0
    for place, rows in tables.items():
        try:
            data = ENCODINGS[name](csv_text(rows, "|"))
        except (UnicodeEncodeError, StopIteration):  # a sign that the code page lacks; no such file can exist
            continue
        through += 1
        width = max(map(len, rows))
        body = read_csv(data).sheets[0].body(0, width)
        read = [[clean(str(cell or "")) for cell in body.row(i)] for i in range(len(body.row_numbers))]
        assert read == [row + [""] * (width - len(row)) for row in rows], place
    assert through >= len(tables) // 2

"""Whatever the marts' texts begin with, no cell of a published file is run by a spreadsheet, and no text is lost."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from publication import Published
from publication.store.csvfile import from_csv
from tests.unit.publication.builders import UNIT

LEADS = ("=", "+", "-", "@", "\t", "\r")
TEXT_COLUMNS = (
    "printed_number", "indicator_name_vi", "indicator_name_corrected_vi", "unit_of_measure",
    "unit_of_measure_canonical", "value_text", "source", "period_basis", "direction", "note_vi", "footnote_vi",
)  # fmt: skip
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def text(lead: str, column: str) -> str:
    return f'{lead}HYPERLINK("//x";{column})'


def published(home: Any, lead: str) -> Path:
    """A quarter's second release, in which every text column has a text with this lead; so the changes have it too."""
    first = home.publish(home.candidate())
    assert isinstance(first, Published)
    cells = {column: text(lead, column) for column in TEXT_COLUMNS}
    decided = {
        "decision_id": text(lead, "decision_id"), "effect": "applied", "subject_kind": "row", "subject": "I.08",
        "action": "accept_declared", "reason_vi": text(lead, "reason"), "document_number": text(lead, "document"),
    }  # fmt: skip
    candidate = home.candidate(changes={"I.08": {**cells, "value": None}}, decisions=[decided])
    second = home.publish(candidate, expected=1)
    assert isinstance(second, Published)
    return Path(second.release.path)


@pytest.mark.parametrize("lead", LEADS)
def test_no_cell_of_any_published_file_can_start_a_formula(home: Any, lead: str) -> None:
    release = published(home, lead)
    assert release.parent.parent.name == UNIT
    tables = sorted(release.rglob("*.csv"))
    assert {path.name for path in tables} >= {"annex.csv", "notes.csv", "changes.csv"}
    for path in tables:
        data = path.read_bytes()
        for row in csv.reader(io.StringIO(data.decode(), newline=""), strict=True):
            for cell in row:
                assert not cell.startswith((*LEADS, "\n")) or NUMBER.fullmatch(cell), (path.name, cell)
    books = sorted(release.rglob("*.xlsx"))
    assert books
    for path in books:
        cells = [cell for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows() for cell in row]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                assert not re.search(rb"<f[ >]|externalLink|vbaProject|ddeLink", archive.read(name)), (path.name, name)
                assert "external" not in name.lower()


@pytest.mark.parametrize("lead", LEADS)
def test_the_texts_come_back_as_they_were(home: Any, lead: str) -> None:
    release = published(home, lead)
    (row,) = [r for r in from_csv((release / "report" / "annex.csv").read_bytes()) if r["indicator_code"] == "I.08"]
    kept = {column: row[column] for column in TEXT_COLUMNS if column in row and column != "footnote_vi"}
    assert len(kept) == len(TEXT_COLUMNS) - 1
    assert kept == {column: text(lead, column) for column in kept}
    changes = from_csv((release / "quality" / "changes.csv").read_bytes())
    assert any(text(lead, "note_vi") in change.values() for change in changes)

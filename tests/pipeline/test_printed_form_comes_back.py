"""The annex of a release, delivered back as a declared return: every printed figure is read as it was published."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ingestion import IngestPaths, ReferenceData, ingest_source, read_deliveries

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
SOURCE, UNIT, QUARTER = "declared_returns", "945", "2023-Q1"


@pytest.fixture(scope="module")
def report(published_home: Path) -> Path:
    (release,) = (published_home / "published" / UNIT / QUARTER).glob("r*")
    return release / "report"


@pytest.mark.parametrize("name", ["annex.xlsx", "report.docx"])
def test_every_figure_of_the_printed_form_is_read_back(report: Path, tmp_path: Path, name: str) -> None:
    paths = IngestPaths(tmp_path / "landing", tmp_path / "raw", tmp_path / "outbox")
    folder = paths.landing / UNIT / QUARTER / SOURCE
    folder.mkdir(parents=True)
    shutil.copy(report / name, folder / name)
    ingest_source(
        paths, SOURCE, QUARTER, units=[UNIT], reference=ReferenceData.load(SEEDS), secret_key=b"k" * 32
    )  # fmt: skip
    (found,) = read_deliveries(paths).to_pylist()
    assert (found["outcome"], found["rows_rejected"], found["unknown_columns"]) == ("accepted", 0, [])
    remarks = pq.ParquetFile(paths.rows_file("remarks", SOURCE, QUARTER, UNIT, found["delivery_id"])).read()
    assert not {"skipped_sheet", "encoding_mended", "form_rows_missing"} & set(remarks["kind"].to_pylist())
    rows = pq.ParquetFile(paths.rows_file("lake", SOURCE, QUARTER, UNIT, found["delivery_id"])).read().to_pylist()
    declared = {r["indicator_code"]: r["value"] if r["value"] is not None else r["value_text"] for r in rows}
    with (report / "annex.csv").open(encoding="utf-8-sig", newline="") as file:
        printed = {row["indicator_code"]: figure_of(row) for row in csv.DictReader(file)}
    expected = {code: figure for code, figure in printed.items() if figure is not None}
    assert {code: figure for code, figure in declared.items() if figure is not None} == expected
    assert len(expected) > 150


def figure_of(row: dict[str, str]) -> Any:
    return Decimal(row["value"]) if row["value"] else row["value_text"] or None

"""What the tests of whole runs share: homes to change, and how to read a release.

Belongs here: copies of the shared home, a release's figures. Does not belong here: expectations of figures.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.workbooks import set_cell

UNIT, QUARTER = "945", "2023-Q1"
ANNEX = Path(__file__).parents[1] / "data" / "annex_2023-Q1.csv"
_LATE_SURVEY = (
    "Số phiếu,Hình thức,Ngày trả lời,Thái độ phục vụ,Thời gian giải quyết,Chất lượng xử lý,Đánh giá chung\n"
    "BS-001,Trực tuyến,10/03/2023,Hài lòng,Hài lòng,Hài lòng,Rất hài lòng\n"
)
_LATE = 1_690_000_000


@dataclass(frozen=True)
class PrintedRow:
    """A row of the real report's annex; ``value`` is None where nothing is printed."""

    row_no: int
    name: str
    value: Decimal | None


@pytest.fixture(scope="session")
def printed() -> dict[int, PrintedRow]:
    """The 211 rows of the real annex of 2023-Q1 by row number."""
    with ANNEX.open(encoding="utf-8", newline="") as handle:
        lines = list(csv.DictReader(handle))
    rows = [
        PrintedRow(int(r["row_no"]), r["indicator_name_vi"], Decimal(r["value_number"]) if r["value_number"] else None)
        for r in lines
    ]
    assert len(rows) == 211
    assert sum(row.value is not None for row in rows) == 169
    return {row.row_no: row for row in rows}


def release_of(home: Path, unit: str = UNIT, quarter: str = QUARTER) -> Path | None:
    """The current release's folder, through the pointer as any reader finds it."""
    pointer = home / "published" / unit / quarter / "current.json"
    if not pointer.exists():
        return None
    release = json.loads(pointer.read_text(encoding="utf-8"))["release"]
    name = release if str(release).startswith("r") else f"r{release}"
    return pointer.parent / name


def indicators(folder: Path) -> dict[int, dict[str, Any]]:
    """Rows of ``report_indicators`` by row number, from a release or from a build's marts."""
    marts = folder / "marts" if (folder / "marts").is_dir() else folder
    return {row["row_no"]: row for row in pq.read_table(marts / "report_indicators.parquet").to_pylist()}


def correct(home: Path) -> None:
    """A late file of one answer, and a decision that now lets the computed figure stand."""
    landing = home / "landing" / UNIT / QUARTER
    late = landing / "survey_responses" / "phieu-bo-sung.csv"
    late.write_text(_LATE_SURVEY, encoding="utf-8-sig")
    os.utime(late, (_LATE, _LATE))
    (decisions,) = (landing / "decisions").iterdir()
    assert set_cell(decisions, "QD-12", "Cách xử lý", "Chấp nhận số tính toán") == "Chấp nhận số khai báo"
    set_cell(decisions, "QD-12", "Giá trị", None)


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    """A home of one's own: the sample's 2023-Q1 has been taken in and built there, and nothing is published yet."""
    own = tmp_path / "home"
    shutil.copytree(published_home, own, ignore=shutil.ignore_patterns("published", "dagster"))
    return own


@pytest.fixture(scope="session")
def run_json(cli: Callable[..., Any]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Runs 2023-Q1 in a home and returns the exit code and the answer, unit by unit."""

    def run(where: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
        result = cli(where, "run", QUARTER, "--json", *arguments)
        assert result.code in (0, 1), result.stdout + result.stderr
        answer = json.loads(result.stdout)
        return result.code, {unit["unit_code"]: unit for unit in answer["units"]}

    return run

"""A second version of the form is added as a folder of data: no code is touched, old quarters keep the old form.

The new form begins on 2023-03-15, the day after 2023-Q1 closes: one row fewer, one renamed, one split in two, one more.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from orchestration.version import ROOMS
from sample import write_sample

ROOT = Path(__file__).parents[2]
UNIT, FIRST, SECOND, NEW = "945", "2023-Q1", "2023-Q2", "2023b"
DROPPED, RENAMED, SPLIT = "VII.33", "IV.24", "VII.40"
NEW_NAME = "Số lãnh đạo Ủy ban nhân dân cấp huyện đang có mặt"
PARTS = {"VII.61": "Số ứng dụng quản lý nhân sự đã triển khai", "VII.62": "Số ứng dụng chuyên ngành khác đã triển khai"}
ADDED = {"VII.63": "Số hồ sơ giấy đã số hóa trong kỳ"}
DECLARED = {"VII.61": 1, "VII.62": 0, "VII.63": 25}

pytestmark = [pytest.mark.pipeline, pytest.mark.long]


def new_rows(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of the new form, numbered anew."""
    found = []
    for row in rows:
        if row["indicator_code"] == RENAMED:
            row = {**row, "name_vi": NEW_NAME, "name_corrected_vi": ""}
        if row["indicator_code"] == SPLIT:
            found += [{**row, "indicator_code": code, "name_vi": name} for code, name in PARTS.items()]
        elif row["indicator_code"] != DROPPED:
            found.append(row)
    (code, name), like = next(iter(ADDED.items())), next(row for row in rows if row["indicator_code"] == SPLIT)
    found.append({**like, "indicator_code": code, "name_vi": name, "period_basis": "in_period", "level": "2"})
    return [{**row, "row_no": str(number)} for number, row in enumerate(found, 1)]


def add_form(project: Path) -> None:
    """What somebody who adds a form does: docs/adding-a-form.md."""
    old, new = project / "forms" / "2023", project / "forms" / NEW
    new.mkdir()
    (new / "form.yml").write_text(f'form: "{NEW}"\nvalid_from: 2023-03-15\nderived_from: "2023"\n', encoding="utf-8")
    with (old / "rows.csv").open(encoding="utf-8", newline="") as handle:
        before = list(csv.DictReader(handle))
    _write(new / "rows.csv", new_rows(before))
    codes = [row["indicator_code"] for row in before]
    steps = [("same", code, code) for code in codes if code not in (DROPPED, RENAMED, SPLIT)]
    steps += [("renamed", RENAMED, RENAMED), ("ended", DROPPED, "")]
    steps += [*(("split", SPLIT, code) for code in PARTS), *(("new", "", code) for code in ADDED)]
    _write(
        new / "crosswalk.csv",
        [{"old_code": old, "new_code": new, "relation": relation, "note_vi": ""} for relation, old, new in steps],
    )


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def declare_the_new_rows(landing: Path) -> None:
    """The office declares what the new form asks: the parts for the whole, and the row that came."""
    (path,) = (landing / UNIT / SECOND / "declared_returns").iterdir()
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    (place,) = (row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 2).value == SPLIT)
    cells = [sheet.cell(place, column).value for column in range(1, 9)]
    last = max(row for row in range(1, sheet.max_row + 1) if isinstance(sheet.cell(row, 1).value, int))
    for offset, code in enumerate(DECLARED):
        row = place if offset == 0 else last + offset
        if offset:
            sheet.insert_rows(row)
        for column, value in enumerate(cells, 1):
            sheet.cell(row, column, value)
        sheet.cell(row, 1, sheet.cell(place, 1).value if offset == 0 else sheet.cell(last, 1).value + offset)
        sheet.cell(row, 2, code)
        sheet.cell(row, 3, {**PARTS, **ADDED}[code])
        sheet.cell(row, 4, DECLARED[code])
    book.save(path)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one form more."""
    project = tmp_path_factory.mktemp("form") / "project"
    ignored = shutil.ignore_patterns("__pycache__", "target", "logs", "dbt_packages")
    for room in (*ROOMS, "dbt_project"):
        shutil.copytree(ROOT / room, project / room, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", project)
    add_form(project)
    return project


@pytest.fixture(scope="module")
def home(published_home: Path, project: Path) -> Path:
    """2023-Q1 as published before the form came, then 2023-Q2."""
    home = Path(shutil.copytree(published_home, project.parent / "home"))
    write_sample(home / "landing")
    declare_the_new_rows(home / "landing")
    run(project, home, SECOND)
    return home


def run(project: Path, home: Path, quarter: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "run", quarter, "--json"],
        cwd=project,
        env={**os.environ, "CCHC_HOME": str(home), "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def release(home: Path, quarter: str) -> Path:
    folder = home / "published" / UNIT / quarter
    return folder / f"r{json.loads((folder / 'current.json').read_text(encoding='utf-8'))['release']}"


def rows_of(home: Path, quarter: str) -> dict[str, dict[str, Any]]:
    table = pq.read_table(release(home, quarter) / "marts" / "report_indicators.parquet")
    return {row["indicator_code"]: row for row in table.to_pylist()}


def test_each_quarter_has_the_form_of_its_closing_day(home: Path) -> None:
    first, second = rows_of(home, FIRST), rows_of(home, SECOND)
    assert {row["form_version"] for row in first.values()} == {"2023"}
    assert {row["form_version"] for row in second.values()} == {NEW}
    assert set(first) - set(second) == {DROPPED, SPLIT}
    assert set(second) - set(first) == {*PARTS, *ADDED}
    assert {code: second[code]["value"] for code in DECLARED} == DECLARED
    assert second[RENAMED]["indicator_name_vi"] == NEW_NAME
    assert first[RENAMED]["indicator_name_vi"] != NEW_NAME


def test_trends_and_comparisons_follow_the_crosswalk(home: Path) -> None:
    trend = pq.read_table(release(home, SECOND) / "marts" / "indicator_trend.parquet").to_pylist()
    of_first = {row["indicator_code"]: row["value"] for row in trend if row["trend_quarter"] == FIRST}
    first, second = rows_of(home, FIRST), rows_of(home, SECOND)
    assert set(of_first) == set(second) - set(PARTS) - set(ADDED)
    assert of_first[RENAMED] == first[RENAMED]["value"]
    assert second[RENAMED]["previous_quarter_value"] == first[RENAMED]["value"]
    assert {second[code]["previous_quarter_value"] for code in (*PARTS, *ADDED)} == {None}


def test_a_rule_of_a_row_that_the_form_lacks_is_not_asked(home: Path) -> None:
    def told(quarter: str) -> dict[str, dict[str, Any]]:
        table = pq.read_table(release(home, quarter) / "marts" / "gate_results.parquet")
        return {row["expectation_id"]: row for row in table.to_pylist()}

    rule = f"report.{DROPPED}.at_most_with_fee"
    assert "không hỏi" not in (told(FIRST)[rule]["observed"] or "")
    assert told(SECOND)[rule]["status"] == "no_data"
    assert told(SECOND)[rule]["observed"] == f"không hỏi: biểu mẫu {NEW} không có chỉ tiêu {DROPPED}"
    assert not [row for row in told(SECOND).values() if row["status"] == "did_not_run"]
    names_the_row = "report.V.13.at_most_leaders"
    assert f"“{NEW_NAME}”" in told(SECOND)[names_the_row]["sentence_vi"]
    assert f"“{NEW_NAME}”" not in told(FIRST)[names_the_row]["sentence_vi"]


def test_the_documents_print_the_new_rows(home: Path) -> None:
    annex = (release(home, SECOND) / "report" / "annex.csv").read_text(encoding="utf-8")
    assert all(name in annex for name in (NEW_NAME, *PARTS.values(), *ADDED.values()))


def test_an_old_quarter_that_is_run_again_stays_as_it_was(project: Path, home: Path) -> None:
    run(project, home, FIRST)
    assert release(home, FIRST).name == "r1"

"""What a changed delivery changes: exactly the figures that depend on it; and what it cannot touch."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sample import write_sample
from tests.pipeline.conftest import QUARTER, UNIT, indicators, release_of
from tests.support.workbooks import set_cell

RunJson = Callable[..., tuple[int, dict[str, Any]]]
OTHER = "942"
FIGURES = ("value", "computed_value", "declared_value", "status", "numerator", "denominator")


def _district_cases(home: Path) -> Path:
    return home / "landing" / UNIT / QUARTER / "one_stop_cases" / "ho-so-mot-cua.xlsx"


def _figures(folder: Path) -> dict[int, tuple[Any, ...]]:
    return {number: tuple(row[name] for name in FIGURES) for number, row in indicators(folder).items()}


def _first_open_case(path: Path) -> tuple[str, dict[str, str]]:
    """Code of an open case, and the heading under which each needed column stands."""
    sheet = openpyxl.load_workbook(path).active
    for row in sheet.iter_rows(values_only=True):
        code = next((cell for cell in row if isinstance(cell, str) and ".H51-2303" in cell), None)
        if code and any(isinstance(cell, str) and cell.startswith("Đang") for cell in row):
            lines = sheet.iter_rows(max_row=9, values_only=True)
            return code, {cell.casefold(): cell for line in lines for cell in line if isinstance(cell, str)}
    raise AssertionError("the sample has no open case")


def _deliver_a_district_with_a_defective_file(home: Path, apart: Path) -> Path:
    write_sample(apart, quarters=(QUARTER,), district=OTHER)  # it would not be written beside what was changed
    shutil.copytree(apart, home / "landing", dirs_exist_ok=True)
    (roster, *_) = sorted((home / "landing" / OTHER / QUARTER / "staffing_roster").iterdir())
    roster.write_bytes(roster.read_bytes()[:2000])
    return roster


@pytest.mark.long
def test_one_case_resolved_changes_row_72_and_73_and_nothing_else_while_another_district_is_held_back(
    home: Path, published_home: Path, run_json: RunJson, tmp_path: Path
) -> None:
    path = _district_cases(home)
    code, headings = _first_open_case(path)
    status = next(headings[h] for h in ("trạng thái", "trạng thái hồ sơ", "tình trạng") if h in headings)
    ended = next(headings[h] for h in ("ngày kết thúc xử lý", "ngày hoàn thành", "ngày xử lý xong") if h in headings)
    set_cell(path, code, status, "Đã xử lý xong")
    set_cell(path, code, ended, "14/03/2023 16:00:00")
    exit_code, units = run_json(home)
    built = home / "warehouse" / "build" / "marts"
    before = release_of(published_home)
    assert before is not None
    was, now = _figures(before), _figures(built)
    assert {number for number in was if was[number] != now[number]} == {72, 73}
    assert {number: indicators(built)[number]["computed_value"] for number in (72, 73)} == {72: 612, 73: 612}
    # The office still declares 611 resolved: the two figures contradict each other, and the stock no longer adds up.
    assert exit_code == 1
    assert {reason.split(" ")[0] for reason in units[UNIT]["reasons"]} == {"III.23", "III.24", "III.25"}

    declared = home / "landing" / UNIT / QUARTER / "declared_returns" / "so-lieu-khai-bao.xlsx"
    for indicator in ("III.24", "III.25"):
        assert set_cell(declared, indicator, "Số lượng/Tỷ lệ", 612) is not None
    roster = _deliver_a_district_with_a_defective_file(home, tmp_path / "other")
    exit_code, units = run_json(home)
    after = release_of(home)
    assert exit_code == 1
    assert units[UNIT]["state"] == "published", units
    assert after is not None
    published = _figures(after)
    assert {number for number in was if was[number] != published[number]} == {72, 73}
    assert {number: published[number][0] for number in (72, 73)} == {72: 612, 73: 612}
    # A defective file of one district holds that one back, and no other.
    assert units[OTHER]["state"] == "held_back"
    assert any(roster.name in reason for reason in units[OTHER]["reasons"])
    assert release_of(home, OTHER) is None


@pytest.mark.long
def test_two_good_districts_are_both_published_and_do_not_mix(
    home: Path, published_home: Path, run_json: RunJson
) -> None:
    write_sample(home / "landing", quarters=(QUARTER,), district=OTHER)
    exit_code, units = run_json(home)
    assert exit_code == 0, units
    mine, theirs = release_of(home), release_of(home, OTHER)
    before = release_of(published_home)
    assert mine is not None
    assert theirs is not None
    assert before is not None
    assert _figures(mine) == _figures(before)
    assert {row["unit_code"] for row in indicators(theirs).values()} == {OTHER}

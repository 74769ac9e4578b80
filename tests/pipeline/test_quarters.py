"""The quarters around the sample's, which nobody had to decide anything about, and what passes between quarters."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sample import write_sample
from tests.conftest import run_cli
from tests.pipeline.conftest import QUARTER, UNIT, indicators, release_of

#: In every run of the tests a half-year of two quarters is published: ``test_longer_periods``.
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def three_quarters(published_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which 2023-Q1 and 2023-Q2 of the sample are published, and 2022-Q4 is delivered."""
    home = tmp_path_factory.mktemp("quarters") / "home"
    shutil.copytree(published_home, home, ignore=shutil.ignore_patterns("dagster"))
    write_sample(home / "landing", quarters=("2023-Q2",))
    result = run_cli(home, "run", "2023-Q2")
    assert result.code == 0, result.stdout + result.stderr
    return home


def _release(home: Path, quarter: str) -> Path:
    release = release_of(home, UNIT, quarter)
    assert release is not None
    return release


def test_open_cases_are_carried_over_into_the_next_quarter(three_quarters: Path) -> None:
    table = pq.read_table(_release(three_quarters, "2023-Q2") / "marts" / "case_form_06a.parquet").to_pylist()
    [district] = [
        row
        for row in table
        if (row["clock"], row["breakdown"], row["row_kind"], row["unit_level"])
        == ("reporting_window", "unit", "group", "district")
    ]
    assert district["carried_over"] == 534


def test_each_quarter_shows_the_one_before(three_quarters: Path) -> None:
    second, last = (indicators(_release(three_quarters, q)) for q in (QUARTER, "2023-Q2"))
    counted = [number for number, row in second.items() if row["value"] is not None]
    assert {n: last[n]["previous_quarter_value"] for n in counted} == {n: second[n]["value"] for n in counted}
    assert last[71]["year_to_date_value"] == last[71]["value"] + second[71]["value"]
    assert second[71]["previous_quarter_value"] is not None
    assert second[71]["year_to_date_value"] == second[71]["value"]


def test_a_quarter_run_after_later_ones_is_what_those_said_of_it_and_changes_none(three_quarters: Path) -> None:
    result = run_cli(three_quarters, "run", "2022-Q4")
    assert result.code == 0, result.stdout + result.stderr
    first, second = (indicators(_release(three_quarters, q)) for q in ("2022-Q4", QUARTER))
    counted = [number for number, row in second.items() if row["value"] is not None]
    assert {n: second[n]["previous_quarter_value"] for n in counted} == {n: first[n]["value"] for n in counted}
    assert first[71]["previous_quarter_value"] is None
    result = run_cli(three_quarters, "run", QUARTER)
    assert result.code == 0
    assert "không thay đổi" in result.stdout

"""A province of eleven districts in one run: its totals are the sums of what readers find in its units' CSV files."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import run_cli

PROVINCE, QUARTER, DISTRICTS = "94", "2023-Q1", 11

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("province") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCHC_PROVINCES", json.dumps([PROVINCE]))
        assert run_cli(home, "sample", "--province", PROVINCE, "--quarter", QUARTER).code == 0
        result = run_cli(home, "run", QUARTER)
    assert result.code == 0, result.stdout[-3000:] + result.stderr[-2000:]
    assert f"({DISTRICTS}/{DISTRICTS} đơn vị)" in result.stdout
    return home / "published"


def figures(path: Path) -> dict[str, Decimal]:
    """The figures of an annex by row, as a program of its own reads them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["indicator_code"]: Decimal(row["value"]) for row in csv.DictReader(file) if row["value"].strip()}


def test_totals_are_the_sums_of_the_units_files(published: Path) -> None:
    annexes = [figures(path) for path in sorted(published.glob(f"9*/{QUARTER}/r1/report/annex.csv"))]
    assert len(annexes) == DISTRICTS
    marts = published / PROVINCE / QUARTER / "r1" / "marts"
    totals = pq.read_table(marts / "province_totals.parquet").to_pylist()
    summed = [total for total in totals if total["aggregate"] == "sum"]
    assert len(summed) > 80
    for total in summed:
        told = [annex[total["indicator_code"]] for annex in annexes if total["indicator_code"] in annex]
        assert total["value"] == (sum(told) if told else None), total["indicator_code"]
        assert (total["units_counted"], total["units_expected"]) == (len(told), DISTRICTS), total["indicator_code"]


def test_ratios_lie_between_those_of_the_units(published: Path) -> None:
    marts = published / PROVINCE / QUARTER / "r1" / "marts"
    ratios = [t for t in pq.read_table(marts / "province_totals.parquet").to_pylist() if t["aggregate"] == "ratio"]
    told = [ratio for ratio in ratios if ratio["value"] is not None]
    assert told
    assert all(ratio["least"] <= ratio["value"] <= ratio["greatest"] for ratio in told)
    assert any(ratio["least"] < ratio["value"] < ratio["greatest"] for ratio in told)

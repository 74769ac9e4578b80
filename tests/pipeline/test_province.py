"""A province of eleven districts and its departments in one run: its totals are the sums of what readers find in its
units' CSV files and of what was typed into the departments' table.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import openpyxl
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
    assert re.search(rf"\({DISTRICTS}/{DISTRICTS} đơn vị, 1\d/19 sở, ngành\)", result.stdout), result.stdout[-500:]
    return home / "published"


def figures(path: Path) -> dict[str, Decimal]:
    """The figures of an annex by row, as a program of its own reads them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["indicator_code"]: Decimal(row["value"]) for row in csv.DictReader(file) if row["value"].strip()}


def typed(home: Path) -> dict[str, dict[str, tuple[Decimal | None, Decimal | None, Decimal | None]]]:
    """What stands in the departments' table by row of the form and department: figure, numerator, denominator."""
    (path,) = (home / "landing" / PROVINCE / QUARTER / "department_figures").glob("*.xlsx")
    rows = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    head = next(number for number, row in enumerate(rows) if "Mã chỉ tiêu" in row)
    places = [rows[head].index(name) for name in ("Kết quả", "Tử số", "Mẫu số")]
    code, who = (rows[head].index(name) for name in ("Mã chỉ tiêu", "Cơ quan, đơn vị"))
    found: dict[str, dict[str, tuple[Decimal | None, Decimal | None, Decimal | None]]] = defaultdict(dict)
    for row in rows[head + 1 :]:
        if row[code] and "." in str(row[code]):
            value, numerator, denominator = (None if row[p] is None else Decimal(str(row[p])) for p in places)
            found[row[code]][row[who]] = (value, numerator, denominator)
    return found


def test_totals_are_the_sums_of_the_units_files(published: Path) -> None:
    annexes = [figures(path) for path in sorted(published.glob(f"9*/{QUARTER}/r1/report/annex.csv"))]
    assert len(annexes) == DISTRICTS
    marts = published / PROVINCE / QUARTER / "r1" / "marts"
    totals = pq.read_table(marts / "province_totals.parquet").to_pylist()
    of_departments = typed(published.parent)
    assert of_departments
    summed = [total for total in totals if total["aggregate"] == "sum"]
    assert len(summed) > 80
    for total in summed:
        told = [annex[total["indicator_code"]] for annex in annexes if total["indicator_code"] in annex]
        own = [figure for figure, _, _ in of_departments[total["indicator_code"]].values() if figure is not None]
        assert total["value"] == (sum(told) + sum(own) if told or own else None), total["indicator_code"]
        assert (total["departments_counted"], total["departments_expected"]) == (len(own), 19)
        assert (total["units_counted"], total["units_expected"]) == (len(told), DISTRICTS), total["indicator_code"]


def test_ratios_lie_between_those_of_the_units(published: Path) -> None:
    marts = published / PROVINCE / QUARTER / "r1" / "marts"
    ratios = [t for t in pq.read_table(marts / "province_totals.parquet").to_pylist() if t["aggregate"] == "ratio"]
    told = [ratio for ratio in ratios if ratio["value"] is not None]
    assert told
    marts_of = [path / QUARTER / "r1" / "marts" for path in sorted(published.glob("9*")) if path.name != PROVINCE]
    units = [row for path in marts_of for row in pq.read_table(path / "report_indicators.parquet").to_pylist()]
    for ratio in told:
        own = [
            row for row in units if row["indicator_code"] == ratio["indicator_code"] and row["numerator"] is not None
        ]
        parts = [(row["numerator"], row["denominator"]) for row in own]
        parts += [(n, d) for _, n, d in typed(published.parent)[ratio["indicator_code"]].values()]
        numerator, denominator = (sum(part[place] for part in parts) for place in (0, 1))
        share = (100 * numerator / denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert (ratio["numerator"], ratio["denominator"], ratio["value"]) == (numerator, denominator, share)
    assert all(ratio["least"] <= ratio["value"] <= ratio["greatest"] for ratio in told)
    assert any(ratio["least"] < ratio["value"] < ratio["greatest"] for ratio in told)

"""Six quarters in one home, 2024-Q4 to 2026-Q1, through the day on which a district became two communes.

The district's quarters are made small here; the communes' are the sample's. What can be told of a commune before it
began is the sum of those that went whole into it, and the two sums are the district's figure; of the rest there is a
break with the district's figure beside it.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from contextlib import chdir
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from common.periods import period_named
from sample.communes import COMMUNE_QUARTERS, COMMUNE_WINDOWS, COMMUNES, case_rows, commune_rows, district_open_cases
from sample.districts import CU_LAO_DUNG
from sample.rows import DEFAULT_SEED, FileKey, Row
from tests.integration.dbt.conftest import BUILD, Invoke
from tests.support.dbt_build import Build
from tests.support.lake_fixture import write_files

pytestmark = pytest.mark.long

BEFORE = ("2024-Q4", "2025-Q1", "2025-Q2", "2025-Q3E")
SERIES = ("2024-Q4", "2025-Q1", "2025-Q2", *COMMUNE_QUARTERS)
DISTRICT = CU_LAO_DUNG.code
#: Rows that both forms have and that only a declaration tells: of one district nobody can tell two communes'.
DECLARED_BY_DISTRICT = ("I.14", "I.15")
#: Whole in which commune, by resolution 1668/NQ-UBTVQH15.
WENT_INTO = {"31615": ("31615", "31618", "31621", "31624"), "31633": ("31627", "31630", "31633", "31636")}


def _cases(unit: str, agency: str, quarter: str, count: int) -> list[Row]:
    rng, period = random.Random(f"{unit}-{quarter}"), period_named(quarter)
    rows = []
    for number in range(1, count + 1):
        day = period.opens_on + dt.timedelta(days=rng.randrange((period.closes_on - period.opens_on).days + 1))
        received = dt.datetime.combine(day, dt.time(8))
        ended = min(
            received + dt.timedelta(hours=rng.choice((1, 2, 40))), dt.datetime.combine(period.closes_on, dt.time(17))
        )
        rows.append(
            {"case_code": f"{agency}-{day:%y%m%d}-{number:04d}", "procedure_code": "2.000815",
             "procedure_name": "Chứng thực bản sao", "field": "Chứng thực", "receiving_unit": unit,
             "received_at": received, "due_at": received + dt.timedelta(days=1), "finished_at": ended,
             "returned_at": ended, "status": "returned", "channel": "direct", "return_channel": "direct"}
        )  # fmt: skip
    return rows


def _documents(unit: str, total: int) -> list[Row]:
    return [{"unit": unit, "document_kind": "all", "topic": "all", "outgoing_total": total, "paper_only": 2,
             "electronic_only": total - 12, "electronic_and_paper": 10, "connected": True}]  # fmt: skip


def _district_quarter(quarter: str) -> dict[FileKey, list[Row]]:
    files: dict[FileKey, list[Row]] = {
        (DISTRICT, "one_stop_cases", "ho-so.xlsx"): _cases(DISTRICT, "000.00.32.H51", quarter, 30),
        (DISTRICT, "e_document_counts", "van-ban.xlsx"): _documents(DISTRICT, 400),
        (DISTRICT, "declared_returns", "khai-bao.xlsx"): [
            {"indicator_code": code, "value": 5, "approved_on": period_named(quarter).closes_on}
            for code in DECLARED_BY_DISTRICT
        ],
    }
    if quarter == "2025-Q2":
        files[DISTRICT, "plan_tasks", "ke-hoach.xlsx"] = [
            {
                "plan": "inspection",
                "plan_document": "32/KH-UBND ngày 17/02/2025",
                "task_code": f"KT{number}",
                "content": "Kiểm tra CCHC",
                "target_unit": code,
                "due_on": dt.date(2025, 5, 1),
                "done_on": dt.date(2025, 5, 2),
                "findings_found": 3,
                "findings_settled": 1,
                "status": "done",
            }
            for number, code in enumerate(WENT_INTO["31633"], start=1)
        ]
    if quarter == BEFORE[-1]:
        files[DISTRICT, "one_stop_cases", "ho-so-con-lai.xlsx"] = [
            row | {"case_code": row["case_code"]} for row in district_open_cases(DEFAULT_SEED)
        ]
    for number, commune in enumerate(CU_LAO_DUNG.communes):
        cases = _cases(commune.code, f"000.{21 + number}.32.H51", quarter, 12 + 3 * number)
        files[commune.code, "one_stop_cases", "ho-so.xlsx"] = cases
        files[commune.code, "e_document_counts", "van-ban.xlsx"] = _documents(commune.code, 40 + number)
    return files


def _commune_quarter(quarter: str) -> dict[FileKey, list[Row]]:
    files: dict[FileKey, list[Row]] = {}
    for code, commune in COMMUNES.items():
        for key, rows in commune_rows(commune, quarter, DEFAULT_SEED).items():
            # Intake reads the name of the unit before as the unit's own.
            files[key] = [row | ({"receiving_unit": code} if "receiving_unit" in row else {}) for row in rows]
    return files


@pytest.fixture(scope="module")
def build(dbt: Invoke, tmp_path_factory: pytest.TempPathFactory) -> Build:
    home: Path = tmp_path_factory.mktemp("six-quarters")
    files = {quarter: _district_quarter(quarter) for quarter in BEFORE}
    files |= {quarter: _commune_quarter(quarter) for quarter in COMMUNE_QUARTERS}
    write_files(home / "raw", files)
    return dbt(home, *BUILD, quarter=COMMUNE_QUARTERS[-1])


Trend = dict[tuple[str, str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def trend(build: Build) -> Trend:
    names = ("unit_code", "indicator_code", "trend_quarter", "value", "basis", "predecessor_codes", "predecessor_value")
    rows = build.rows(f"select {', '.join(names)} from {{indicator_trend}}")
    return {row[:3]: dict(zip(names[3:], row[3:], strict=True)) for row in rows}


def test_the_series_has_six_quarters_for_both_communes(trend: Trend) -> None:
    for commune in COMMUNES:
        assert [q for q in SERIES if (commune, "III.26", q) in trend] == list(SERIES)
        assert {quarter for unit, _, quarter in trend if unit == commune} == set(SERIES)


def test_what_went_whole_is_summed_and_both_sums_are_the_districts_figure(trend: Trend) -> None:
    summed = defaultdict(set)
    for (unit, code, quarter), told in trend.items():
        if told["basis"] == "predecessors":
            summed[code, quarter].add(unit)
            assert told["predecessor_codes"].split() == list(WENT_INTO[unit])
    assert {("III.26", "2024-Q4"), ("III.28", "2025-Q2"), ("VII.14", "2025-Q1"), ("VII.16", "2025-Q2")} <= summed.keys()
    differences = {
        key: (sum(trend[unit, *key]["value"] for unit in COMMUNES), trend["31615", *key]["predecessor_value"])
        for key, units in summed.items()
        if units == set(COMMUNES) and key[0].startswith(("III.26", "III.27", "III.28", "VII.14", "VII.15", "VII.16"))
    }
    assert len(differences) == 6 * 3
    assert {key: pair for key, pair in differences.items() if pair[0] != pair[1]} == {}


def test_every_additive_measure_of_communes_adds_up_on_both_sides(build: Build) -> None:
    with chdir(build.home), duckdb.connect("warehouse/warehouse.duckdb", read_only=True) as built:
        rows = built.execute(
            "select m.unit_code, m.quarter, m.measure, m.value from int_measures as m join dim_measure as d"
            " on m.measure = d.measure"
            " where d.aggregation in ('count', 'sum') and d.unit_level = 'commune' and m.reported"
        ).fetchall()
    values = {(unit, quarter, measure): value for unit, quarter, measure, value in rows}
    wholes = {key[1:]: value for key, value in values.items() if key[0] == DISTRICT}
    assert {quarter for quarter, _ in wholes} == {q for q in SERIES if q < "2025-Q3"}
    assert len(wholes) > 20
    parts = {key: sum(values[unit, *key] for unit in COMMUNES) for key in wholes}
    assert {key: (parts[key], whole) for key, whole in wholes.items() if parts[key] != whole} == {}


def test_a_task_at_a_commune_that_ended_is_one_task_of_the_district(build: Build) -> None:
    """The commune stands in the registry as it was, and for the one that took it over."""
    with chdir(build.home), duckdb.connect("warehouse/warehouse.duckdb", read_only=True) as built:
        tasks = built.execute(
            "select target_unit_code, target_unit_type, findings_found from int_plan_tasks"
            f" where unit_code = '{DISTRICT}' and quarter = '2025-Q2' order by all"
        ).fetchall()
    assert tasks == [(code, "commune", 3) for code in WENT_INTO["31633"]]


def test_after_the_break_the_communes_sum_is_what_was_delivered(trend: Trend) -> None:
    for quarter in COMMUNE_QUARTERS:
        window = COMMUNE_WINDOWS[quarter]
        received = {
            row["case_code"] for commune in COMMUNES.values() for row in case_rows(commune, quarter, DEFAULT_SEED)
            if row["received_at"].date() >= window.opens_on and row["status"] != "not_received"
        }  # fmt: skip
        assert sum(trend[unit, "III.26", quarter]["value"] for unit in COMMUNES) == len(received)
        assert {trend[unit, "III.26", quarter]["basis"] for unit in COMMUNES} == {"own"}


def test_what_cannot_be_told_of_a_commune_breaks_with_the_districts_figure_beside_it(trend: Trend) -> None:
    told = {code: trend["31633", code, "2025-Q2"] for code in DECLARED_BY_DISTRICT}
    found = {code: (row["value"], row["basis"], row["predecessor_codes"]) for code, row in told.items()}
    assert found == dict.fromkeys(told, (None, "break", DISTRICT))
    assert {row["predecessor_value"] for row in told.values()} == {Decimal(5)}
    for (unit, code, quarter), row in trend.items():
        assert (row["basis"] == "own") is (quarter >= "2025-Q3"), (unit, code, quarter)
        assert row["basis"] != "break" or row["value"] is None

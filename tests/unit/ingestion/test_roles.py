"""As what a unit delivers follows from the table of roles and the register of units on the day."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from common.periods import period_named
from common.roles import PART, REPORTING_UNIT, SUPERIOR, load_roles, role_on
from ingestion import ReferenceData, load_contracts
from ingestion.clerk.fields import template_fields
from ingestion.rows.headers import HeaderMap

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
REFORM = dt.date(2025, 7, 1)
EVE = dt.date(2025, 6, 30)
REFERENCE = ReferenceData.load(SEEDS)


@pytest.mark.parametrize(
    ("code", "day", "role", "reports_by"),
    [
        ("945", dt.date(2023, 3, 14), REPORTING_UNIT, "945"),
        ("945", EVE, REPORTING_UNIT, "945"),
        ("31633", dt.date(2023, 3, 14), PART, "945"),
        ("31633", EVE, PART, "945"),
        # The same code is another unit from 1 July 2025 on, and reports by itself.
        ("31633", REFORM, REPORTING_UNIT, "31633"),
        ("31615", dt.date(2026, 3, 14), REPORTING_UNIT, "31615"),
    ],
)
def test_a_unit_delivers_as_its_role_on_the_day_says(code: str, day: dt.date, role: str, reports_by: str) -> None:
    unit, reporting = REFERENCE.unit(code, day), REFERENCE.reporting_unit(code, day)
    assert unit is not None
    assert reporting is not None
    assert (REFERENCE.role_of(unit, day), reporting.code) == (role, reports_by)
    may_deliver = {name for name, contract in load_contracts().items() if role in contract.delivered_by}
    # Whoever reports delivers every source of the report, decisions included.
    of_report = {name for name, contract in load_contracts().items() if contract.delivered_by != [SUPERIOR]}
    assert (may_deliver == of_report) is (role == REPORTING_UNIT)


@pytest.mark.parametrize("code", ["94", "92"])
def test_a_province_delivers_what_none_of_its_units_has_and_nothing_else(code: str) -> None:
    unit = REFERENCE.sender(code, EVE)
    assert unit is not None
    assert (REFERENCE.role_of(unit, EVE), REFERENCE.is_superior(code, EVE)) == (SUPERIOR, True)
    assert REFERENCE.reporting_unit(code, EVE) is None, "it has no report by a form of its own"
    delivered = {name for name, c in load_contracts().items() if SUPERIOR in c.delivered_by}
    assert delivered == {"portal_figures", "department_figures", "org_units"}
    assert {row.form for row in REFERENCE.form_rows_of(unit, EVE)} == {"2023"}, "read by the form of the units below"
    # 94 was taken into 92 on the day of the reform: nobody delivers under its code since.
    assert (REFERENCE.sender(code, REFORM) is None) is (code == "94")
    assert not REFERENCE.is_superior("945", EVE)


def test_no_district_reports_after_the_reform_and_every_commune_does() -> None:
    for day in (EVE, REFORM):
        units = [unit for unit in REFERENCE.admin_units if unit.valid_on(day)]
        roles = {(unit.level, REFERENCE.role_of(unit, day)) for unit in units}
        reform = {("commune", REPORTING_UNIT)}
        assert roles == (reform if day == REFORM else {("district", REPORTING_UNIT), ("commune", PART)})


def test_every_unit_has_one_role_every_day_of_its_life_and_each_part_somebody_who_reports() -> None:
    days = {unit.valid_from or dt.date(2020, 1, 1) for unit in REFERENCE.admin_units}
    days |= {unit.valid_to or dt.date(2030, 12, 31) for unit in REFERENCE.admin_units}
    for day in sorted(days):
        for unit in REFERENCE.provinces:
            assert role_on(unit.level, day).role == SUPERIOR
        parts = [unit for unit in REFERENCE.admin_units if unit.valid_on(day) and REFERENCE.role_of(unit, day) == PART]
        reporting = {u.code for u in REFERENCE.admin_units if u.valid_on(day) and u not in parts}
        # Nobody is a part of nobody: a folder that no report waits for would be lost without a word.
        assert {unit.parent_code for unit in parts} <= reporting


def test_who_is_expected_to_deliver_follows_the_day() -> None:
    assert len(REFERENCE.parts_of("945", EVE)) == 8
    assert REFERENCE.parts_of("945", REFORM) == []
    assert REFERENCE.parts_of("92", REFORM) == []
    assert REFERENCE.parts_of("31633", REFORM) == []


def test_the_office_that_a_report_goes_to_follows_the_role() -> None:
    told = {(level, day): role_on(level, day).reports_to_vi for level in ("district", "commune") for day in (EVE,)}
    assert told == {("district", EVE): "Sở Nội vụ", ("commune", EVE): "Phòng Nội vụ"}
    assert role_on("commune", REFORM).reports_to_vi == "Sở Nội vụ"
    assert role_on("province", REFORM).reports_to_vi == "Bộ Nội vụ"
    with pytest.raises(LookupError):
        role_on("district", REFORM)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("commune,reporting_unit", "commune,reports", "no role"),
        ("commune,part,Phòng Nội vụ,,2025-06-30", "commune,part,Phòng Nội vụ,,2025-07-01", "two roles on one day"),
    ],
)
def test_a_table_that_says_nothing_or_two_things_is_none(tmp_path: Path, old: str, new: str, said: str) -> None:
    table = (SEEDS / "unit_roles.csv").read_text(encoding="utf-8")
    assert old in table
    path = tmp_path / "unit_roles.csv"
    path.write_text(table.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        load_roles(path)


def test_a_part_that_belongs_to_nobody_who_reports_reports_by_itself() -> None:
    commune = next(unit for unit in REFERENCE.admin_units if unit.code == "31618")
    alone = ReferenceData((replace(commune, parent_code=""),), {})
    unit = alone.unit("31618", EVE)
    assert unit is not None
    assert alone.role_of(unit, EVE) == REPORTING_UNIT
    assert alone.reporting_unit("31618", EVE) == unit


@pytest.mark.parametrize("period", ["2023-Q1", "2025-Q2", "2025-Q3", "2026-Q1"])
def test_a_template_asks_the_columns_of_its_day_and_they_are_the_ones_read(period: str) -> None:
    day = period_named(period).closes_on
    for source, contract in load_contracts().items():
        if contract.prose is None:
            asked = {field.column.name for field in template_fields(contract, period_named(period), None)}
            assert asked <= HeaderMap.of(contract, day).active.keys(), source
    contract = load_contracts()["procedure_catalogue"]
    catalogue = {field.column.name for field in template_fields(contract, period_named(period), None)}
    assert ("applies_district" in catalogue) == (day <= dt.date(2025, 6, 30))
    assert "applies_commune" in catalogue

"""As what a unit delivers follows from the register of units on the day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ingestion import ReferenceData, load_contracts, roles_of

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"


@pytest.mark.parametrize(
    ("code", "day", "roles"),
    [
        ("945", dt.date(2023, 3, 14), {"district"}),
        ("31633", dt.date(2023, 3, 14), {"commune"}),
        ("31633", dt.date(2025, 6, 14), {"commune"}),
        # From 1 July 2025 there are no districts: a commune reports by itself.
        ("31633", dt.date(2025, 9, 14), {"commune", "district"}),
    ],
)
def test_a_commune_without_a_district_delivers_what_a_district_did(code: str, day: dt.date, roles: set[str]) -> None:
    reference = ReferenceData.load(SEEDS)
    unit, reporting = reference.unit(code, day), reference.reporting_unit(code, day)
    assert unit is not None
    assert reporting is not None
    assert roles_of(unit, reporting) == roles
    may_deliver = {name for name, contract in load_contracts().items() if roles & set(contract.delivered_by)}
    assert ("decisions" in may_deliver) is ("district" in roles)

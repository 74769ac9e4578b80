"""Where a district ended on 30 June 2025: each case that it left open is one successor's, and was received once.

The models that read the register of units are run on tables made here, with the register as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.case_models import DISTRICT, CaseModels, Row, case
from tests.support.dbt_build import Build

AN_THANH, CU_LAO_DUNG = "31615", "31633"
CLOSING, FIRST, NEXT = "2025-Q3E", "2025-Q3", "2025-Q4"
CODES = [f"000.00.32.H51-2506{day:02d}-0001" for day in (16, 17, 18, 19, 23, 24)]
PART = "31618"  # An Thạnh 1, whole in An Thạnh


class Handover(CaseModels):
    """The same models with the units of the days before and after the reform."""

    def __init__(self, build: Build, scratch: Path) -> None:
        super().__init__(build, scratch)
        self._own = {name: build.compiled(name) for name in ("int_unit_windows", "int_units")}

    def hand_over(self, rows: Iterable[Row], quarter: str = FIRST) -> Handover:
        """Builds for a quarter after the reform: who reports and since when follows from the register."""
        self._quarter = quarter
        self.build(rows, quarter)
        return self

    def units(self) -> tuple[str, ...]:
        return AN_THANH, CU_LAO_DUNG

    def _fill(self, name: str, rows: list[Row]) -> None:
        if name == "int_units":
            rows = [
                {"quarter": q, "unit_code": unit, "unit_level": level, "current_unit_code": current,
                 "reporting_unit_code": reporting}
                for q in sorted({row["quarter"] for row in rows})
                for unit, level, current, reporting in (_BEFORE if q <= "2025-Q2" or q == CLOSING else _AFTER)
            ]  # fmt: skip
        elif name in ("int_reporting_units", "int_unit_windows"):
            rows = [
                row | {"unit_code": unit} | (_cut(row) if name == "int_unit_windows" else {})
                for row in rows if row["unit_code"] == DISTRICT for unit in (AN_THANH, CU_LAO_DUNG)
            ]  # fmt: skip
        super()._fill(name, rows)


_BEFORE = (
    (DISTRICT, "district", DISTRICT, DISTRICT),
    (PART, "commune", PART, DISTRICT),
    (PART, "commune", AN_THANH, AN_THANH),
)
_AFTER = tuple((unit, "commune", unit, unit) for unit in (AN_THANH, CU_LAO_DUNG))
_REFORM = dt.date(2025, 7, 1)


def _cut(row: Row) -> Row:
    begins = row["opens_on"] <= _REFORM <= row["closes_on"]
    return {"begins_within": begins} | ({"opens_on": _REFORM} if begins else {})


@pytest.fixture(scope="module")
def models(two_districts: Build, tmp_path_factory: pytest.TempPathFactory) -> Handover:
    return Handover(two_districts, tmp_path_factory.mktemp("handover"))


def left(code: str, **values: Any) -> Row:
    """A case open when the district's books closed."""
    return case(code, quarter=CLOSING, received_at=f"2025-06-{code[18:20]}", due_at="2025-07-20", **values)


def taken(code: str, unit: str, **values: Any) -> Row:
    """The same in a successor's export of its first quarter, finished."""
    told = {
        "quarter": FIRST, "delivering_unit_code": unit, "receiving_unit_code": unit, "due_at": "2025-07-20",
        "received_at": f"2025-06-{code[18:20]}", "finished_at": "2025-07-10", "status": "finished", "file": 2,
    }  # fmt: skip
    return case(code, **(told | values))


def handover(models: Handover) -> set[tuple[Any, ...]]:
    return set(models.rows("select kind, unit_code, case_code from int_case_handover"))


def findings(models: Handover) -> set[tuple[Any, ...]]:
    return set(models.rows("select kind, unit_code, case_code, carried_over, open_before from case_findings"))


def counts(models: Handover, flag: str) -> dict[str, int]:
    return dict(
        models.rows(f"select unit_code, count(*) from int_cases where {flag} and quarter = '{FIRST}' group by 1")
    )


WHOLE = [
    *(left(code) for code in CODES[:4]),
    *(taken(code, AN_THANH) for code in CODES[:2]),
    *(taken(code, CU_LAO_DUNG) for code in CODES[2:4]),
]


def test_what_the_district_left_open_is_carried_over_once_and_received_once(models: Handover) -> None:
    models.hand_over(WHOLE)
    assert handover(models) == {
        *(("carried_over", AN_THANH, code) for code in CODES[:2]),
        *(("carried_over", CU_LAO_DUNG, code) for code in CODES[2:4]),
    }
    assert findings(models) == set()
    assert counts(models, "is_carried_over") == {AN_THANH: 2, CU_LAO_DUNG: 2}
    assert counts(models, "is_resolved") == {AN_THANH: 2, CU_LAO_DUNG: 2}
    assert counts(models, "is_received") == {}


def test_a_case_in_two_exports_is_told_to_both(models: Handover) -> None:
    models.hand_over([*WHOLE, taken(CODES[0], CU_LAO_DUNG, file=3)])
    assert findings(models) == {("handover_carried_twice", unit, CODES[0], 4, 4) for unit in (AN_THANH, CU_LAO_DUNG)}


def test_a_case_in_no_export_is_named_to_every_successor(models: Handover) -> None:
    models.hand_over([*WHOLE, left(CODES[4])])
    assert findings(models) == {("handover_remainder", unit, CODES[4], 4, 5) for unit in (AN_THANH, CU_LAO_DUNG)}
    # Open at the district's closing = carried over by successors + the remainder that is named.
    kinds = dict(models.rows("select kind, count(distinct case_key) from int_case_handover group by kind"))
    assert kinds == {"carried_over": 4, "remainder": 1}


def test_a_case_received_again_after_the_reform_is_told(models: Handover) -> None:
    anew = taken(CODES[4], AN_THANH, received_at="2025-07-02")
    models.hand_over([*WHOLE, left(CODES[4]), anew])
    assert ("handover_received_twice", AN_THANH, CODES[4], 5, 5) in findings(models)
    finished = left(CODES[4], status="finished", finished_at="2025-06-27")
    models.hand_over([*WHOLE, finished, anew])
    assert findings(models) == {("handover_received_twice", AN_THANH, CODES[4], 4, 4)}


def test_a_case_that_a_part_left_open_is_its_whole_successors_without_being_told_again(models: Handover) -> None:
    own = left(CODES[5], delivering_unit_code=PART, receiving_unit_code=PART)
    models.hand_over([*WHOLE, own])
    assert ("carried_over", AN_THANH, CODES[5]) in handover(models)
    assert findings(models) == set()
    assert counts(models, "is_carried_over") == {AN_THANH: 3, CU_LAO_DUNG: 2}
    models.hand_over([*WHOLE, own, taken(CODES[5], CU_LAO_DUNG, file=3)])
    assert {row[0] for row in findings(models)} == {"handover_carried_twice"}


@pytest.mark.parametrize(
    "ended",
    [
        {"status": "finished", "finished_at": "2025-06-30"},
        {"status": "withdrawn"},
        {"status": "refused"},
        {"status": "registered"},
        {"status": "not_received"},
    ],
)
def test_what_was_over_by_the_end_is_handed_over_by_nobody(models: Handover, ended: Row) -> None:
    models.hand_over([*WHOLE, left(CODES[4], **ended)])
    assert CODES[4] not in {row[2] for row in handover(models)}
    assert findings(models) == set()


def test_the_last_that_the_district_told_of_a_case_counts(models: Handover) -> None:
    earlier = left(CODES[4]) | {"quarter": "2025-Q2", "received_at": dt.datetime(2025, 6, 3, 8)}
    models.hand_over([*WHOLE, earlier, left(CODES[4], status="finished", finished_at="2025-06-27", file=4)])
    assert CODES[4] not in {row[2] for row in handover(models)}


def test_later_quarters_ask_nothing_of_the_handover(models: Handover) -> None:
    models.hand_over([*WHOLE, left(CODES[4])], NEXT)
    assert handover(models) == set()

"""The rows behind a measure, on made-up facts: the SQL that the mart was built with, run on tables made here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.dbt_build import QUARTER, Build

UNIT = "945"
Row = dict[str, Any]
Told = tuple[str, str, str, int, str | None, str]
RELATIONS = (
    "int_cases", "int_e_documents", "int_org_units", "int_plan_tasks", "int_procedures", "int_staff",
    "int_survey_responses", "int_measures", "int_declared_figures", "int_reporting_units", "int_report_scope",
    "int_sheets",
)  # fmt: skip


class Facts:
    """Empty tables with the columns of a real build, to be filled."""

    def __init__(self, build: Build, scratch: Path) -> None:
        self._sql = build.compiled("figure_rows")
        # dbt, which lives in this process too, keeps its file to itself.
        for path in (build.home / "warehouse").glob("warehouse.duckdb*"):
            shutil.copy(path, scratch)
        self._connection = duckdb.connect()
        self._connection.execute("attach ':memory:' as warehouse")
        # Opened by its own name: views of the build say which file they read from.
        with chdir(build.home), duckdb.connect(str(scratch / "warehouse.duckdb")) as built:
            for name in RELATIONS:
                columns = ", ".join(f"{row[0]} {row[1]}" for row in built.execute(f"describe {name}").fetchall())
                self._connection.execute(f"create table warehouse.main.{name} ({columns})")

    def fill(self, **relations: list[Row]) -> None:
        """Replaces the rows of all tables; cells left out are null."""
        for name in RELATIONS:
            self._connection.execute(f"delete from warehouse.main.{name}")
            for row in relations.get(name, []):
                columns, values = ", ".join(row), ", ".join("?" for _ in row)
                self._connection.execute(
                    f"insert into warehouse.main.{name} ({columns}) values ({values})", list(row.values())
                )
        places = {(row["delivery_id"], row["sheet"]) for rows in relations.values() for row in rows if "sheet" in row}
        for delivery in {delivery for delivery, _ in places}:
            for number, sheet in enumerate(sorted(sheet for of, sheet in places if of == delivery), start=1):
                self._connection.execute(
                    "insert into warehouse.main.int_sheets values (?, ?, ?)", [delivery, sheet, number]
                )

    def rows(self) -> list[Told]:
        """Figure, delivery, sheet (by the name behind its published number), amount of each row, decision and rows, in
        order."""
        self._connection.execute("use warehouse")
        return self._connection.execute(
            "select figure, delivery_id, sheets.sheet, amount_each::integer, decision_id, row_numbers "
            f"from ({self._sql}) as told left join int_sheets as sheets using (delivery_id) "
            "where told.sheet = 'trang ' || sheets.sheet_no order by all"
        ).fetchall()


@pytest.fixture(scope="module")
def facts(two_districts: Build, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return Facts(two_districts, tmp_path_factory.mktemp("facts"))


def _case(row_number: int, sheet: str = "A", unit: str = "31618", **cells: Any) -> Row:
    return {
        "unit_code": UNIT, "quarter": QUARTER, "unit_level": "commune", "receiving_unit_code": unit,
        "is_received": True, "delivery_id": "d1", "sheet": sheet, "row_number": row_number, **cells,
    }  # fmt: skip


def _scope(*measures: str) -> dict[str, list[Row]]:
    return {
        "int_report_scope": [{"quarter": QUARTER, "is_run_quarter": True},
                             {"quarter": "2022-Q4", "is_run_quarter": False}],
        "int_reporting_units": [{"unit_code": UNIT, "quarter": QUARTER, "is_run_quarter": True,
                                 "unit_level": "district"},
                                {"unit_code": UNIT, "quarter": "2022-Q4", "unit_level": "district"}],
        "int_measures": [{"unit_code": UNIT, "quarter": QUARTER, "measure": name, "reported": True}
                         for name in measures],
    }  # fmt: skip


def test_neighbours_are_folded_and_a_gap_another_sheet_and_a_decision_begin_anew(facts: Facts) -> None:
    facts.fill(**_scope("commune_cases_on_time"), int_cases=[
        _case(6, timeliness="early"), _case(7, timeliness="on_time"),
        _case(8, timeliness="on_time", decision_id="QD-1"), _case(9, timeliness="late"),
        _case(10, timeliness="on_time"), _case(11, sheet="B", timeliness="on_time"),
        _case(12, timeliness="on_time", quarter="2022-Q4"), _case(13, timeliness="on_time", unit_level="district"),
    ])  # fmt: skip
    assert facts.rows() == [
        ("commune_cases_on_time", "d1", "A", 1, "QD-1", "8"),
        ("commune_cases_on_time", "d1", "A", 1, None, "6-7,10"),
        ("commune_cases_on_time", "d1", "B", 1, None, "11"),
    ]


def test_of_a_value_that_counts_once_the_first_row_contributes(facts: Facts) -> None:
    cases = [_case(9, unit="31621"), _case(8), _case(7), _case(6), _case(5, sheet="B", unit="31621")]
    facts.fill(**_scope("communes_with_cases"), int_cases=cases)
    assert facts.rows() == [
        ("communes_with_cases", "d1", "A", 0, None, "7-8"),
        ("communes_with_cases", "d1", "A", 1, None, "6,9"),
        ("communes_with_cases", "d1", "B", 0, None, "5"),
    ]


def test_a_sum_has_what_each_row_adds(facts: Facts) -> None:
    tasks = [{"unit_code": UNIT, "quarter": QUARTER, "unit_level": "district", "plan_kind": "training",
              "is_planned": True, "is_of_the_year": True, "planned_quantity": places,
              "delivery_id": "d2", "sheet": "A", "row_number": number}
             for number, places in ((3, 20), (4, 20), (5, None), (6, 3))]  # fmt: skip
    facts.fill(**_scope("training_places_planned"), int_plan_tasks=tasks)
    assert facts.rows() == [
        ("training_places_planned", "d2", "A", 0, None, "5"),
        ("training_places_planned", "d2", "A", 3, None, "6"),
        ("training_places_planned", "d2", "A", 20, None, "3-4"),
    ]


def test_nothing_stands_behind_a_measure_that_was_not_reported(facts: Facts) -> None:
    facts.fill(**_scope(), int_cases=[_case(6), _case(7)])
    assert facts.rows() == []


def test_a_declared_figure_is_its_own_row_and_a_mere_note_is_none(facts: Facts) -> None:
    declared = [{"unit_code": UNIT, "quarter": quarter, "indicator_code": code, "delivery_id": "d3", "sheet": "A",
                 "row_number": number, **cells} for quarter, code, number, cells in (
        (QUARTER, "III.26", 9, {"declared_value": 5}), (QUARTER, "I.30", 10, {"declared_text": "Không"}),
        (QUARTER, "I.02", 11, {"note_vi": "Kế hoạch"}), ("2022-Q4", "III.26", 12, {"declared_value": 7}),
    )]  # fmt: skip
    facts.fill(**_scope(), int_declared_figures=declared)
    assert facts.rows() == [("I.30", "d3", "A", None, None, "10"), ("III.26", "d3", "A", 5, None, "9")]


def _numbers(text: str) -> Iterator[int]:
    for span in text.split(","):
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.integers(1, 40),
        st.tuples(st.sampled_from("AB"), st.sampled_from(["1", "2", "3"]), st.booleans()),
        max_size=30,
    )
)
def test_whatever_was_delivered_counts_and_rows_agree(facts: Facts, cells: dict[int, tuple[str, str, bool]]) -> None:
    cases = [
        _case(number, sheet=sheet, unit=unit, is_received=received) for number, (sheet, unit, received) in cells.items()
    ]
    facts.fill(**_scope("commune_cases_received", "communes_with_cases"), int_cases=cases)
    received = {(sheet, number): unit for number, (sheet, unit, counts) in cells.items() if counts}
    behind: dict[str, dict[tuple[str, int], int]] = {"commune_cases_received": {}, "communes_with_cases": {}}
    for figure, _, sheet, amount, _, text in facts.rows():
        behind[figure] |= {(sheet, number): amount for number in _numbers(text)}
    assert behind["commune_cases_received"] == dict.fromkeys(received, 1)
    firsts = {min(place for place, unit in received.items() if unit == one) for one in set(received.values())}
    assert behind["communes_with_cases"] == {place: int(place in firsts) for place in received}

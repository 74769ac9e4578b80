"""Windows, series and open cases of units that went through more than one reform, or went on while others came in.

The models that ask of whom a unit was made are run on registers made here; the register of the country has no second
reform yet.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import pytest

from common.periods import in_order, period_named
from common.unit_pasts import pasts_csv
from common.units import Succession, UnitRegister
from tests.support.case_models import CaseModels, Row, case
from tests.support.dbt_build import Build
from tests.unit.common.test_unit_pasts import (
    DISTRICT,
    FIRST,
    GOES_ON,
    REFORM,
    RENAMED,
    SPLIT_THEN_RENAMED,
    WHOLE_THEN_MERGED,
    commune,
)

MODELS = ("int_units", "int_unit_windows", "int_figures_told", "report_indicators")
GIVEN = ("int_indicator_values", "stg_forms__earlier_rows", "int_rows_that_add_up")
UNITS = ("int_units", "int_unit_windows")
#: Period and unit of which something lies here.
Folders = Iterable[tuple[str, str]]


class Reforms(CaseModels):
    """The models of cases, with units and windows made from a register of the test's own."""

    def __init__(self, build: Build, scratch: Path) -> None:
        super().__init__(build, scratch)
        self._of_units = {name: build.compiled(name) for name in MODELS}
        with chdir(build.home), duckdb.connect(str(scratch / "warehouse.duckdb")) as built:
            columns = {name: built.execute(f"describe {name}").fetchall() for name in GIVEN}
            roles = built.execute("select * from unit_roles").fetch_arrow_table()
        for name, told in columns.items():
            self.connection.execute(
                f"create or replace table {name} ({', '.join(f'{row[0]} {row[1]}' for row in told)})"
            )
        self.connection.register("roles", roles)
        self.connection.execute("create table warehouse.main.unit_roles as select * from roles")
        self._made = RENAMED

    def register(self) -> UnitRegister:
        return self._made

    def units(self) -> set[str]:
        return {unit.code for unit in self._made.units}

    def told(self, made: UnitRegister, quarter: str, folders: Folders) -> None:
        """Makes the models of units for a quarter's run; each unit has 10 of everything."""
        self._registered(made, quarter, list(folders))
        reporting = self.rows("select distinct reporting_unit_code, quarter, count(*) from int_units group by all")
        self._fill("int_indicator_values", [
            {"unit_code": unit, "quarter": q, "form_version": "xa-2025", "indicator_code": "III.26", "kind": "count",
             "period_basis": "in_period", "status": "computed", "value": 10 * parts, "units_counted": parts,
             "units_expected": parts}
            for unit, q, parts in reporting
        ])  # fmt: skip
        self._make("int_figures_told")
        row = {"form_version": "xa-2025", "indicator_code": "III.26"}
        self._fill("int_rows_that_add_up", [row])
        self._fill("stg_forms__earlier_rows", [row | {f"earlier_{name}": value for name, value in row.items()}])
        self._fill("int_forms_in_force", [
            {"unit_code": unit, "quarter": quarter, "form_version": "xa-2025"} for unit, *_ in reporting
        ])  # fmt: skip
        self._make("report_indicators")

    def _registered(self, made: UnitRegister, quarter: str, folders: list[tuple[str, str]]) -> None:
        self._made, closing = made, period_named(quarter).closes_on
        self._fill("admin_units", [
            {"unit_code": u.code, "level": u.level, "name_vi": u.name, "parent_code": u.parent_code,
             "valid_from": u.valid_from, "valid_to": u.valid_to} for u in self._made.units
        ])  # fmt: skip
        self._fill("stg_units__pasts", [
            {name: value or None for name, value in past.items()}
            for past in csv.DictReader(pasts_csv(self._made, closing).splitlines())
        ])  # fmt: skip
        self._fill("stg_deliveries__deliveries", [
            {"delivery_id": f"{unit}-{q}", "quarter": q, "delivering_unit_code": unit, "is_current": True}
            for q, unit in folders
        ])  # fmt: skip
        names = ("quarter", "opens_on", "closes_on", "year_opens_on", "period_no", "made_of")
        periods = {
            row[0]: dict(zip(names, row, strict=True))
            for row in self.rows(f"select {', '.join(names)} from int_periods")
        }
        self._fill("int_report_scope", [
            periods[q] | {"run_quarter": quarter, "is_run_quarter": q == quarter, "is_part": False}
            for q in in_order({q for q, _ in folders} | {quarter})
        ])  # fmt: skip

    def _make(self, name: str) -> None:
        self.connection.execute(f"create or replace table warehouse.main.{name} as {self._of_units[name]}")

    def _fill(self, name: str, rows: list[Row]) -> None:
        # Units and windows are not given here: they follow from the register and from what was delivered.
        if name not in UNITS:
            super()._fill(name, rows)
        if name == "int_report_scope":
            for made in UNITS:
                self._make(made)

    def of_parts(self, made: UnitRegister, rows: list[Row], quarter: str) -> None:
        """Makes the models of cases for a quarter over delivered rows."""
        self._registered(made, quarter, [(row["quarter"], row["delivering_unit_code"]) for row in rows])
        self.build(rows, quarter)

    def hand_over(self, made: UnitRegister, rows: list[Row], quarter: str) -> None:
        """Makes the models of cases for a quarter over delivered rows; communes report by themselves at any time."""
        roles = self.rows("select * from unit_roles")
        self.connection.execute("delete from unit_roles where role = 'part'")
        self.connection.execute("update unit_roles set valid_from = null where level = 'commune'")
        try:
            self.of_parts(made, rows, quarter)
        finally:
            self.connection.execute("delete from unit_roles")
            marks = ", ".join("?" for _ in roles[0])
            self.connection.executemany(f"insert into unit_roles values ({marks})", roles)


@pytest.fixture(scope="module")
def models(two_districts: Build, tmp_path_factory: pytest.TempPathFactory) -> Reforms:
    return Reforms(two_districts, tmp_path_factory.mktemp("reforms"))


def windows(models: Reforms, unit: str) -> dict[str, tuple[Any, ...]]:
    rows = models.rows(
        "select quarter, opens_on, year_opens_on, begins_within from int_unit_windows"
        f" where unit_code = '{unit}' order by period_no"
    )
    return {row[0]: row[1:] for row in rows}


def series(models: Reforms, unit: str) -> dict[str, tuple[Any, ...]]:
    rows = models.rows(
        "select quarter, basis, value, predecessor_codes, reported_by_code from int_figures_told"
        f" where unit_code = '{unit}' order by quarter"
    )
    assert len({row[0] for row in rows}) == len(rows), "one figure a period"
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize(
    ("made", "unit", "opens", "begins_within"),
    [
        (RENAMED, "31615", dt.date(2026, 6, 15), False),
        (SPLIT_THEN_RENAMED, "31615", dt.date(2026, 6, 15), False),
        (GOES_ON, "10010", dt.date(2026, 6, 15), False),
        (WHOLE_THEN_MERGED, "31640", FIRST, True),
    ],
)
def test_only_one_that_begins_opens_a_window_of_its_own(
    models: Reforms, made: UnitRegister, unit: str, opens: dt.date, begins_within: bool
) -> None:
    models.told(made, "2026-Q3", [("2026-Q3", unit)])
    year = FIRST if begins_within else dt.date(2025, 12, 15)
    assert windows(models, unit) == {"2026-Q3": (opens, year, begins_within)}


def test_a_new_name_keeps_the_series(models: Reforms) -> None:
    models.told(RENAMED, "2026-Q3", [("2026-Q1", "31615"), ("2026-Q3", "31615")])
    assert series(models, "31615") == dict.fromkeys(("2026-Q1", "2026-Q3"), ("own", 10, None, None))
    assert windows(models, "31615")["2026-Q1"][0] == dt.date(2025, 12, 15)


@pytest.mark.parametrize("run", ["2026-Q2", "2026-Q3"])
def test_a_split_stays_a_split_after_a_new_name(models: Reforms, run: str) -> None:
    delivered = [("2025-Q1", "945"), ("2025-Q1", "10001"), ("2025-Q1", "10002"), (run, "31615"), (run, "31633")]
    models.told(SPLIT_THEN_RENAMED, run, delivered)
    assert series(models, "31615") == {"2025-Q1": ("break", None, "945", "945"), run: ("own", 10, None, None)}
    assert series(models, "945")["2025-Q1"][:2] == ("own", 30), "the district's own figure is told as it was"


def test_two_merges_are_sums_of_the_units_of_each_day(models: Reforms) -> None:
    delivered = [
        ("2025-Q1", "945"), ("2025-Q1", "10001"), ("2025-Q1", "10002"), ("2026-Q1", "31615"), ("2026-Q1", "31633"),
        ("2026-Q3", "31640"),
    ]  # fmt: skip
    models.told(WHOLE_THEN_MERGED, "2026-Q3", delivered)
    assert series(models, "31640") == {
        "2025-Q1": ("predecessors", 20, "10001 10002", "945"),
        "2026-Q1": ("predecessors", 20, "31615 31633", None),
        "2026-Q3": ("own", 10, None, None),
    }


def test_one_that_went_on_while_others_came_in_has_no_figure_of_its_own_before(models: Reforms) -> None:
    before, run = "2026-Q1", "2026-Q3"
    delivered = [(before, code) for code in ("10010", "10011", "10012")] + [(run, "10010"), (run, "10013")]
    models.told(GOES_ON, run, delivered)
    assert series(models, "10010")[before] == ("break", None, None, None), "of one only a part came"
    whole = UnitRegister(GOES_ON.units, GOES_ON.successions[:1], ())
    models.told(whole, run, delivered)
    assert series(models, "10010") == {
        before: ("predecessors", 20, "10010 10011", None),
        run: ("own", 10, None, None),
    }
    assert series(models, "10011")[before][:2] == ("own", 10)
    models.told(whole, before, delivered[:3])
    assert series(models, "10010")[before][:2] == ("own", 10), "as it was published then"


@pytest.mark.parametrize(
    ("begins", "of_the_year"), [(None, None), (dt.date(2025, 1, 1), None), (dt.date(2025, 6, 20), 10)]
)
def test_the_short_period_in_which_books_are_closed_is_a_year_of_what_began_in_it(
    models: Reforms, begins: dt.date | None, of_the_year: int | None
) -> None:
    made = UnitRegister((commune("474", begins, REFORM, "46", level="district"),), (), ())
    models.told(made, CLOSING, [(CLOSING, "474")])
    assert models.rows("select value, year_to_date_value from report_indicators") == [(10, of_the_year)]


CLOSING, RUN = "2025-Q3E", "2025-Q3"
TAKEN = dt.date(2025, 7, 1)
#: A commune goes on within a quarter while another one comes into it, on the one day on which books were closed.
TOOK_IN = UnitRegister(
    (commune("10010"), commune("10011", None, TAKEN)), (Succession("10011", "10010", "whole", TAKEN, "1/NQ"),), ()
)
OPEN, ENDED, TOLD_AGAIN, OWN = (f"H13.331-2506{day}-0001" for day in (16, 17, 18, 19))


def delivered(code: str, unit: str, quarter: str, **values: Any) -> Row:
    return case(
        code, quarter=quarter, delivering_unit_code=unit, receiving_unit_code=unit, due_at="2025-07-20",
        received_at=f"2025-06-{code[12:14]}", file=1 if quarter == CLOSING else 2, **values,
    )  # fmt: skip


def test_the_cases_of_one_that_came_in_are_carried_over_and_received_once(models: Reforms) -> None:
    """Those of its last days lie within the window of the unit that went on, and are in its own last report."""
    over = {"status": "finished", "finished_at": "2025-06-20"}
    models.hand_over(
        TOOK_IN,
        [
            delivered(OPEN, "10011", CLOSING), delivered(ENDED, "10011", CLOSING, **over),
            delivered(TOLD_AGAIN, "10011", CLOSING),
            delivered(TOLD_AGAIN, "10010", RUN, status="finished", finished_at="2025-07-10"),
            delivered(OWN, "10010", RUN),
        ],
        RUN,
    )  # fmt: skip
    handed_over = models.rows("select kind, unit_code, ended_code, case_code, open_at_end from int_case_handover")
    assert set(handed_over) == {("carried_over", "10010", "10011", code, 2) for code in (OPEN, TOLD_AGAIN)}
    told = models.rows(
        f"select case_code, is_received, is_carried_over, outcome from int_cases where unit_code = '10010'"
        f" and quarter = '{RUN}'"
    )
    assert set(told) == {
        (OPEN, False, True, "in_progress"), (TOLD_AGAIN, False, True, "resolved"), (OWN, True, False, "in_progress"),
    }  # fmt: skip
    assert (
        models.rows("select kind, case_code from case_findings where kind like 'handover%' or kind like '%gone'") == []
    )


def test_one_that_goes_on_under_another_name_takes_nothing_over(models: Reforms) -> None:
    before = UnitRegister((commune("31615", REFORM),), (), ())
    who = {"delivering_unit_code": "31615", "receiving_unit_code": "31615"}
    rows = [
        case("H13.331-260610-0001", quarter="2026-Q2", received_at="2026-06-10", **who),
        case("H13.331-260620-0001", quarter="2026-Q3", received_at="2026-06-20", **who),
    ]
    told = []
    for made in (RENAMED, before):
        models.hand_over(made, rows, "2026-Q3")
        assert models.rows("select * from int_case_handover") == []
        told.append(models.rows("select case_code, quarter, is_received, is_carried_over from int_cases order by all"))
    assert told[0] == told[1]


def test_two_that_merge_hand_over_to_the_one_after_them_and_to_nobody_else(models: Reforms) -> None:
    """Communes of one province are not one unit that ended."""
    units = [commune(code, None, TAKEN) for code in ("10001", "10002", "10003")] + [
        commune("10004", TAKEN), commune("10005", TAKEN),
    ]  # fmt: skip
    steps = [("10001", "10004"), ("10002", "10004"), ("10003", "10005")]
    made = UnitRegister(tuple(units), tuple(Succession(*step, "whole", TAKEN, "1/NQ") for step in steps), ())
    models.hand_over(
        made,
        [
            delivered(OPEN, "10001", CLOSING), delivered(ENDED, "10002", CLOSING), delivered(OWN, "10003", CLOSING),
            *(delivered(f"H13.331-250622-000{n}", unit, RUN) for n, unit in enumerate(("10004", "10005"))),
        ],
        RUN,
    )  # fmt: skip
    assert set(models.rows("select kind, unit_code, ended_code, case_code from int_case_handover")) == {
        ("carried_over", "10004", "10001", OPEN), ("carried_over", "10004", "10002", ENDED),
        ("carried_over", "10005", "10003", OWN),
    }  # fmt: skip


#: Two communes of a district become one within a quarter; nobody but the district ever reports for either.
WITHIN = dt.date(2024, 5, 1)
OF_ONE_DISTRICT = UnitRegister(
    (DISTRICT, commune("10001", None, REFORM, "945"), commune("10002", None, WITHIN, "945")),
    (Succession("10002", "10001", "whole", WITHIN, "1/NQ"),),
    (),
)


@pytest.mark.parametrize("run", ["2024-Q2", "2024-H1"])
def test_what_went_from_one_part_of_a_unit_to_another_stays_the_units(models: Reforms, run: str) -> None:
    def row(code: str, unit: str, quarter: str, **values: Any) -> Row:
        return case(code, quarter=quarter, delivering_unit_code=unit, receiving_unit_code=unit, **values)

    over, again = "H13.331-240105-0001", "H13.331-240301-0001"
    rows = [
        row(over, "10002", "2024-Q1", received_at="2024-01-05", status="finished", finished_at="2024-02-01"),
        row(again, "10002", "2024-Q1", received_at="2024-03-01"),
        row(again, "10001", "2024-Q2", received_at="2024-03-01", status="finished", finished_at="2024-04-10", file=2),
    ]
    models.of_parts(OF_ONE_DISTRICT, rows, run)
    told = models.rows(
        "select case_code, is_received, is_carried_over, outcome from int_cases"
        f" where unit_code = '945' and quarter = '{run}' order by all"
    )
    assert told == (
        [(again, False, True, "resolved")]
        if run == "2024-Q2"
        else [(over, True, False, "resolved"), (again, True, False, "resolved")]
    )

"""Which decisions stand beside each other: the compiled model on made-up lines of registers."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir
from typing import Any

import duckdb
import pytest

from tests.support.case_models import DISTRICT
from tests.support.dbt_build import Build

FIRST, SECOND, HALF = "2023-Q1", "2023-Q2", "2023-H1"
_SEEDS = ("reporting_periods", "int_periods", "stg_forms__rows")
_EMPTY = ("stg_decisions__decisions", "int_report_scope", "int_units", "int_forms_in_force")
ROW = "III.25"
Judge = Callable[..., dict[str, tuple[str, bool]]]


@pytest.fixture(scope="module")
def judge(two_districts: Build, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """``judge(period, line, …)``: of decisions that concern the period the problem, and whether it is in effect."""
    scratch = tmp_path_factory.mktemp("models")
    for path in (two_districts.home / "warehouse").glob("warehouse.duckdb*"):
        shutil.copy(path, scratch)
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as warehouse")
    with chdir(two_districts.home), duckdb.connect(str(scratch / "warehouse.duckdb")) as built:
        for name in (*_SEEDS, *_EMPTY):
            rows = f"select * from {name}" + (" limit 0" if name in _EMPTY else "")
            connection.register("made", built.execute(rows).fetch_arrow_table())
            connection.execute(f"create table warehouse.main.{name} as select * from made")
    connection.execute("use warehouse")
    sql = two_districts.compiled("int_decisions")

    def fill(name: str, rows: list[dict[str, Any]]) -> None:
        connection.execute(f"delete from {name}")
        for row in rows:
            marks = ", ".join("?" * len(row))
            connection.execute(f"insert into {name} ({', '.join(row)}) values ({marks})", list(row.values()))

    def judged(period: str, *lines: dict[str, Any]) -> dict[str, tuple[str, bool]]:
        connection.execute("delete from int_report_scope")
        connection.execute(
            "insert into int_report_scope by name select quarter, period_no, made_of, opens_on, closes_on, "
            f"true as is_run_quarter from int_periods where quarter = '{period}'"
        )
        here = {"unit_code": DISTRICT, "reporting_unit_code": DISTRICT}
        # One that ended whole is a unit's that it went to as well.
        also = {"unit_code": DISTRICT, "reporting_unit_code": "942"}
        fill("int_units", [one | {"quarter": quarter} for quarter in (FIRST, SECOND, HALF) for one in (here, also)])
        form = {"unit_code": DISTRICT, "form_version": "2023"}
        fill("int_forms_in_force", [form | {"quarter": quarter} for quarter in (FIRST, SECOND, HALF)])
        fill("stg_decisions__decisions", [line | {"row_number": place} for place, line in enumerate(lines, start=2)])
        found = connection.execute(
            f"select decision_id, coalesce(problem_vi, ''), is_in_effect from ({sql}) where unit_code = '{DISTRICT}'"
        ).fetchall()
        assert len({row[0] for row in found}) == len(found), found
        return {decision: (problem, in_effect) for decision, problem, in_effect in found}

    yield judged
    connection.close()


def line(quarter: str = FIRST, decision_id: str = "QD-01", action: str = "count_as_on_time", **cells: Any) -> Any:
    """A line of a quarter's register that can stand."""
    return {
        "delivery_id": f"of {quarter}", "delivery_rank": 1, "delivering_unit_code": DISTRICT, "quarter": quarter,
        "sheet": "S", "decision_id": decision_id, "subject_kind": "row", "subject": ROW, "action": action,
        "decided_unit_code": DISTRICT, "first_quarter": quarter, "last_quarter": quarter, "reason_vi": "lý do",
        "approved_by_vi": "Chủ tịch", "document_number": "1/QĐ-UBND", "dated": dt.date(2023, 3, 15),
        "cases": "H51-230102-0001" if action == "count_as_on_time" else None,
        "figures_seen": "số tính toán = 606; số khai báo = 611" if action.startswith("accept_") else None,
    } | cells  # fmt: skip


STANDS, REPEATED = ("", True), ("", False)


def test_cases_of_two_quarters_rows_both_count_in_the_half_year(judge: Judge) -> None:
    lines = [line(), line(SECOND, "QD-02", cases="H51-230502-0007")]
    assert judge(HALF, *lines) == {"QD-01": STANDS, "QD-02": STANDS}


def test_a_number_given_again_by_the_next_quarters_register_is_another_decision(judge: Judge) -> None:
    case = {"subject_kind": "case", "cases": None}
    lines = [line(**case, subject="H51-230102-0001"), line(SECOND, **case, subject="H51-230502-0007")]
    assert judge(HALF, *lines) == {"QD-01 (2023-Q1)": STANDS, "QD-01": STANDS}
    held = line(action="withhold", last_quarter=SECOND)
    accepted = line(SECOND, action="accept_finding", subject_kind="rule", subject="x", applies_to="y")
    assert judge(SECOND, held, accepted) == {"QD-01 (2023-Q1)": STANDS, "QD-01": STANDS}


def test_two_of_one_number_that_contradict_are_both_named(judge: Judge) -> None:
    held = line(action="withhold", last_quarter=SECOND)
    told = judge(SECOND, held, line(SECOND, action="accept_declared"))
    assert {problem.partition(" về ")[0] for problem, _ in told.values()} == {"Các quyết định QD-01, QD-01 (2023-Q1)"}


def test_a_register_sent_again_replaces_and_a_line_carried_along_is_one_decision(judge: Judge) -> None:
    again = line(cases="H51-230102-0002", delivery_rank=2)
    assert judge(FIRST, line(), again) == {"QD-01": STANDS}
    held = line(action="withhold", last_quarter=SECOND)
    assert judge(SECOND, held, held | {"quarter": SECOND}) == {"QD-01": STANDS}


@pytest.mark.parametrize("choice", ["accept_declared", "accept_computed", "withhold"])
def test_counted_cases_do_not_contradict_a_choice(choice: str, judge: Judge) -> None:
    assert judge(FIRST, line(), line(decision_id="QD-02", action=choice)) == {"QD-01": STANDS, "QD-02": STANDS}
    own = line(HALF, "QD-02", action=choice)
    assert judge(HALF, line(), own) == {"QD-01": STANDS, "QD-02": STANDS}


def test_two_choices_contradict_and_the_same_cases_are_counted_once(judge: Judge) -> None:
    both = judge(FIRST, line(action="accept_declared"), line(decision_id="QD-02", action="withhold"))
    assert all("trái nhau" in problem and not stands for problem, stands in both.values())
    assert judge(FIRST, line(), line(decision_id="QD-02")) == {"QD-01": REPEATED, "QD-02": STANDS}
    assert judge(FIRST, line(), line(decision_id="QD-02", cases="H51-230102-0003")) == {
        "QD-01": STANDS, "QD-02": STANDS,
    }  # fmt: skip

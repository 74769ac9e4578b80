"""The gate of provinces: each rule lets a right roll-up through, and is broken by a wrong one of its kind.

A right roll-up is made by the code that makes them; wrong ones are the same tables with a cell, a row or a rank bent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from common.forms import form_named
from expectations import GateWorker, Verdict, declared_rules, province_publishable, run_province_gate
from publication.province.rollup import (
    DEPARTMENTS,
    INDICATORS,
    MEMBERS,
    PORTAL,
    RANKING,
    TOTALS,
    roll_up_tables,
)
from publication.store.candidate import write_candidate
from tests.unit.publication.test_province_rollup import (
    COUNT,
    MISSING,
    NEW,
    PART,
    RATIO,
    WHOLE,
    declared_percent,
    department,
    member,
    portal_figure,
    ratio,
    row,
    told,
)

PROVINCE, QUARTER = "94", "2023-Q1"
FLAG = "I.24"
Tables = dict[str, pa.Table]
Rows = list[dict[str, Any]]


def right() -> Tables:
    """Three units with a ratio, a count, a flag, a declared ratio and a share; two tie. Two departments with some."""
    flag = next(r["indicator_code"] for r in form_named("2023").rows if r["kind"] == "flag")
    members = [
        member(
            code, ratio(done, whole), row(COUNT, value=Decimal(received), computed_value=Decimal(received)),
            row(flag, value=Decimal(yes)), declared_percent(NEW, 90),
            row(WHOLE, value=Decimal(received)), row(PART, value=Decimal(received - 1)),
        )
        for code, done, whole, received, yes in (("941", 1, 2, 100, 1), ("942", 2, 4, 70, 0), ("945", 9, 10, 33, 1))
    ]  # fmt: skip
    shown = [
        portal_figure("941", COUNT, 100), portal_figure("942", COUNT, 70),
        portal_figure("942", WHOLE, 70, portal="Cổng tỉnh"), portal_figure("942", WHOLE, 70, portal="Cổng quốc gia"),
    ]  # fmt: skip
    listed = [
        department("94-A", told("94-A", COUNT, 5), told("94-A", RATIO, parts=(2, 3)), told("94-A", flag, 1)),
        department("94-B", told("94-B", RATIO, 40, parts=(2, 5))),
    ]
    return roll_up_tables(PROVINCE, "Tỉnh A", QUARTER, members, form_named("2023"), shown, listed)


def bent(name: str, change: Callable[[Rows], Rows | None]) -> Tables:
    """The right tables with one of them changed in place, or by what ``change`` returns."""
    tables = right()
    rows = tables[name].to_pylist()
    changed = change(rows)
    tables[name] = pa.Table.from_pylist(rows if changed is None else changed, schema=tables[name].schema)
    return tables


def cell(name: str, column: str, value: Any, **where: Any) -> Tables:
    """The right tables with a cell of the first row ``where`` set."""

    def change(rows: Rows) -> None:
        found = next(r for r in rows if all(r[key] == wanted for key, wanted in where.items()))
        assert found[column] != value
        found[column] = value

    return bent(name, change)


def twice(name: str) -> Tables:
    return bent(name, lambda rows: [*rows, rows[0]])


def without(name: str, **where: Any) -> Tables:
    return bent(name, lambda rows: [r for r in rows if any(r[key] != wanted for key, wanted in where.items())])


def nobody() -> Tables:
    return roll_up_tables(PROVINCE, "Tỉnh A", QUARTER, [MISSING], form_named("2023"))


#: By rule, tables that break it.
WRONG: dict[str, list[Callable[[], Tables]]] = {
    "province.members.one_row_a_unit": [lambda: twice(MEMBERS)],
    "province.members.of_this_province": [
        lambda: cell(MEMBERS, "unit_code", "95"),
        lambda: cell(MEMBERS, "quarter", "2023-Q2"),
    ],
    "province.members.published_or_missing": [
        lambda: cell(MEMBERS, "release_number", None),
        lambda: cell(MEMBERS, "state", "missing"),
        lambda: cell(MEMBERS, "state", "delivered"),
    ],
    "province.members.departments_delivered_or_missing": [
        lambda: cell(MEMBERS, "state", "missing", member_code="94-A"),
        lambda: without(DEPARTMENTS, member_code="94-B"),
        lambda: silent("delivered"),
    ],
    "province.departments.one_row_a_figure": [lambda: twice(DEPARTMENTS)],
    "province.departments.of_the_register": [
        lambda: without(MEMBERS, member_code="94-B"),
        lambda: cell(DEPARTMENTS, "member_code", "941"),
    ],
    "province.indicators.departments_as_delivered": [
        lambda: cell(INDICATORS, "value", Decimal(6), indicator_code=COUNT, member_code="94-A"),
        lambda: cell(INDICATORS, "value", Decimal("66.66"), indicator_code=RATIO, member_code="94-A"),
        lambda: cell(INDICATORS, "denominator", Decimal(4), indicator_code=RATIO, member_code="94-A"),
        lambda: cell(INDICATORS, "declared_value", None, indicator_code=RATIO, member_code="94-B"),
        lambda: cell(INDICATORS, "release_number", 1, indicator_code=COUNT, member_code="94-A"),
        lambda: without(INDICATORS, indicator_code=COUNT, member_code="94-A"),
        lambda: without(DEPARTMENTS, indicator_code=COUNT, member_code="94-A"),
    ],
    "province.totals.coverage_of_departments": [
        lambda: cell(TOTALS, "departments_counted", 2, indicator_code=COUNT),
        lambda: cell(TOTALS, "departments_expected", 3, indicator_code=COUNT),
        lambda: cell(TOTALS, "departments_counted", 1, indicator_code=NEW),
    ],
    "province.members.departments_missing": [lambda: silent("missing")],
    "province.members.same_form": [lambda: cell(MEMBERS, "form_version", "2019")],
    "province.members.any_published": [nobody],
    "province.indicators.one_row_a_figure": [lambda: twice(INDICATORS)],
    "province.indicators.one_release_a_unit": [
        lambda: cell(INDICATORS, "release_number", 2),
        lambda: without(MEMBERS, member_code="941"),
    ],
    "province.indicators.whole_form": [lambda: without(INDICATORS, indicator_code=COUNT, member_code="945")],
    "province.totals.one_row_an_indicator": [lambda: twice(TOTALS)],
    "province.totals.every_indicator": [
        lambda: without(TOTALS, indicator_code=COUNT),
        lambda: without(INDICATORS, indicator_code=COUNT),
    ],
    "province.totals.sums": [
        lambda: cell(TOTALS, "value", Decimal(209), indicator_code=COUNT),
        lambda: cell(TOTALS, "value", Decimal(203), indicator_code=COUNT),  # the units alone
        lambda: cell(TOTALS, "value", None, indicator_code=COUNT),
        lambda: cell(INDICATORS, "value", Decimal(101), indicator_code=COUNT),
    ],
    "province.totals.ratios": [
        lambda: cell(TOTALS, "value", Decimal("63.33"), indicator_code=RATIO),  # the average of the units
        lambda: cell(TOTALS, "numerator", Decimal(11), indicator_code=RATIO),
        lambda: cell(TOTALS, "value", Decimal("75.00"), indicator_code=RATIO),  # the units alone
        lambda: cell(INDICATORS, "denominator", Decimal(3), indicator_code=RATIO),
    ],
    "province.totals.units_with": [lambda: cell(TOTALS, "value", Decimal(2), aggregate="units_with")],
    "province.totals.coverage": [
        lambda: cell(TOTALS, "units_counted", 2, indicator_code=COUNT),
        lambda: cell(TOTALS, "units_expected", 4, indicator_code=COUNT),
        lambda: cell(TOTALS, "units_counted", 0, indicator_code=NEW),
    ],
    "province.totals.blank_where_nobody_told": [lambda: uncounted()],
    "province.ranking.competition": [
        lambda: cell(RANKING, "rank", 1, rank=2),
        lambda: cell(RANKING, "rank", 3, rank=2),
        lambda: cell(RANKING, "value", Decimal(99), rank=2),
        lambda: cell(RANKING, "numerator", Decimal(1), rank=1),
    ],
    "province.members.missing": [lambda: with_missing()],
    "province.members.provisional": [lambda: cell(MEMBERS, "provisional", True)],
    "province.totals.part_of_whole": [lambda: cell(TOTALS, "value", Decimal(204), indicator_code=PART)],
    "province.indicators.two_sources": [lambda: cell(INDICATORS, "declared_value", Decimal(99), indicator_code=COUNT)],
    "province.portal.one_row_a_figure": [lambda: twice(PORTAL)],
    "province.portal.of_a_unit": [lambda: cell(PORTAL, "member_code", "999")],
    "province.indicators.portal_as_delivered": [
        lambda: cell(INDICATORS, "portal_value", Decimal(101), indicator_code=COUNT),
        lambda: cell(INDICATORS, "portal_value", Decimal(0), indicator_code=COUNT, member_code="945"),
        lambda: without(PORTAL, member_code="941"),
        lambda: cell(INDICATORS, "portals_shown", 1, indicator_code=WHOLE, member_code="942"),
        lambda: cell(PORTAL, "value", Decimal(71), indicator_code=WHOLE),
        lambda: cell(PORTAL, "taken_on", dt.date(2023, 3, 17)),
    ],
    "province.indicators.differences": [
        lambda: cell(INDICATORS, "portal_minus_computed", Decimal(1), indicator_code=COUNT),
        lambda: cell(INDICATORS, "portal_minus_computed", None, indicator_code=COUNT),
        lambda: cell(INDICATORS, "portal_minus_declared", Decimal(0), indicator_code=COUNT),
        lambda: cell(INDICATORS, "declared_minus_computed", Decimal(0), indicator_code=COUNT),
    ],
    "province.indicators.portal_differs": [
        lambda: cell(PORTAL, "computed_value", Decimal(101), indicator_code=COUNT),
        lambda: cell(PORTAL, "declared_value", Decimal(101), indicator_code=COUNT),
    ],
    "province.portal.differences": [
        lambda: cell(PORTAL, "portal_minus_computed", Decimal(1), indicator_code=COUNT),
        lambda: cell(PORTAL, "portal_minus_computed", None, indicator_code=COUNT),
        lambda: cell(PORTAL, "portal_minus_declared", Decimal(1), indicator_code=COUNT),
        lambda: cell(PORTAL, "computed_value", None, indicator_code=COUNT),
    ],
    "province.portal.portals_differ": [lambda: cell(PORTAL, "value", Decimal(71), indicator_code=WHOLE)],
    "province.portal.no_release": [lambda: without(INDICATORS, member_code="942")],
}


def silent(state: str) -> Tables:
    """The right tables with a department that delivered nothing."""

    def add(rows: Rows) -> Rows:
        one = next(row for row in rows if row["member_code"] == "94-B")
        return [*rows, one | {"member_code": "94-C", "state": state, "why_vi": "chưa nộp số liệu của kỳ"}]

    return bent(MEMBERS, add)


def uncounted() -> Tables:
    def change(rows: Rows) -> None:
        found = next(row for row in rows if row["indicator_code"] == COUNT)
        found["units_counted"] = found["departments_counted"] = 0

    return bent(TOTALS, change)


def with_missing() -> Tables:
    tables = right()
    rows = tables[MEMBERS].to_pylist()
    gone = rows[0] | {"member_code": "999", "state": "missing", "release_number": None, "why_vi": "chưa gửi"}
    tables[MEMBERS] = pa.Table.from_pylist([*rows, gone], schema=tables[MEMBERS].schema)
    return tables


@pytest.fixture(scope="module")
def worker() -> GateWorker:
    return GateWorker(inline=True)


def verdict_on(tables: Tables, root: Path, worker: GateWorker) -> tuple[Verdict, str]:
    folder = write_candidate(root / "candidates", PROVINCE, QUARTER, "2023", [], tables)
    verdicts = run_province_gate(root, QUARTER, {PROVINCE: (folder, folder.name)}, worker)
    return verdicts[PROVINCE], folder.name


def statuses(verdict: Verdict) -> dict[str, str]:
    return {result.expectation_id: result.status for result in verdict.results}


def test_a_right_roll_up_passes_every_rule_and_may_be_published(tmp_path: Path, worker: GateWorker) -> None:
    verdict, candidate = verdict_on(right(), tmp_path, worker)
    assert set(statuses(verdict).values()) == {"pass"}
    assert province_publishable(verdict, candidate) == []
    assert [r.reason for r in province_publishable(verdict, "0" * 64)] == ["other_data"]
    assert [r.reason for r in province_publishable(None, candidate)] == ["missing"]
    fewer = verdict.model_copy(update={"results": verdict.results[1:]})
    assert [r.reason for r in province_publishable(fewer, candidate)] == ["incomplete"]


def test_ranks_follow_the_share_and_not_its_print(tmp_path: Path, worker: GateWorker) -> None:
    """Shares that are printed alike, the whole and what is nearly the whole, and nothing and nearly nothing."""
    parts = [(30000, 30000), (29999, 30000), (2, 3), (6667, 10000), (20001, 30000), (1, 30000), (0, 30000)]
    members = [member(str(941 + n), ratio(*each)) for n, each in enumerate(parts)]
    tables = roll_up_tables(PROVINCE, "Tỉnh A", QUARTER, members, form_named("2023"))
    ranks = {row["member_code"]: row["rank"] for row in tables[RANKING].to_pylist()}
    assert [ranks[str(941 + n)] for n in range(len(parts))] == [1, 2, 5, 3, 3, 6, 7]
    verdict, _ = verdict_on(tables, tmp_path, worker)
    assert statuses(verdict)["province.ranking.competition"] == "pass"


def test_every_rule_has_wrong_data() -> None:
    assert WRONG.keys() == {rule.id for rule in declared_rules("province")}


@pytest.mark.parametrize("rule", sorted(WRONG))
def test_each_rule_is_broken_by_what_it_forbids(rule: str, tmp_path: Path, worker: GateWorker) -> None:
    severity = next(declared.severity for declared in declared_rules("province") if declared.id == rule)
    for number, wrong in enumerate(WRONG[rule]):
        verdict, candidate = verdict_on(wrong(), tmp_path / str(number), worker)
        assert statuses(verdict)[rule] == "fail", (number, statuses(verdict))
        blocked = f"Quy tắc {rule} đang chặn công bố"
        refused = any(refusal.message_vi.startswith(blocked) for refusal in province_publishable(verdict, candidate))
        assert refused == (severity != "info")


def test_a_candidate_that_was_touched_is_not_judged(tmp_path: Path, worker: GateWorker) -> None:
    folder = write_candidate(tmp_path / "candidates", PROVINCE, QUARTER, "2023", [], right())
    path = folder / "marts" / f"{TOTALS}.parquet"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    verdict = run_province_gate(tmp_path, QUARTER, {PROVINCE: (folder, folder.name)}, worker)[PROVINCE]
    assert set(statuses(verdict).values()) == {"did_not_run"}
    assert verdict.blocking()

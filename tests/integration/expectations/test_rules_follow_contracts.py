"""Rules of a source and its contract must not drift apart, in either direction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.declarations import Rule, declared_rules
from expectations.inspection import inspect_raw
from ingestion.base.contracts import Contract, load_contracts
from ingestion.base.remarks import KINDS

CONTRACTS = load_contracts()
RULES = declared_rules("raw")
SOURCES = sorted(CONTRACTS)
# A blank month is in order where the file's title block gives the window; who is in service has no day of leaving.
_MAY_BE_BLANK = {
    ("e_document_counts", "month"), ("staffing_roster", "recruited_on"), ("staffing_roster", "left_on"),
    ("portal_figures", "portal"),
}  # fmt: skip


def _columns(source: str, kind: str) -> dict[str, Rule]:
    return {rule.columns[0]: rule for rule in RULES if rule.relation == source and rule.kind == kind}


def _contract_columns(contract: Contract) -> set[str]:
    return set(contract.arrow_schema().names)


def test_every_source_has_rules_and_every_rule_a_source() -> None:
    assert {rule.source for rule in RULES} == {*SOURCES, "remarks"}


@pytest.mark.parametrize("source", SOURCES)
def test_required_and_key_columns_are_checked_for_presence(source: str) -> None:
    contract = CONTRACTS[source]
    needed = {c.name for c in contract.lake_columns() if c.required or c.name in contract.key}
    needed -= {column for of, column in _MAY_BE_BLANK if of == source}
    needed -= {c.name for c in contract.columns if c.type == "number_or_text"}
    # One that only some periods are asked of is looked for in those.
    at_times = {c.name for c in contract.columns if c.valid_from or c.valid_to}
    rules = {rule.id: rule for rule in RULES if rule.source == source}
    for name in needed & at_times:
        rule = rules[f"{source}.{name}_present"]
        assert (rule.kind, rule.violation) == ("condition", f"{name} is null")
        bounds = [day for c in contract.columns if c.name == name for day in (c.valid_from, c.valid_to) if day]
        assert all(f"date '{day}'" in str(rule.applies_when) for day in bounds)
    assert needed - at_times <= set(_columns(source, "not_null"))


@pytest.mark.parametrize("source", SOURCES)
def test_rules_name_columns_that_the_contract_knows(source: str) -> None:
    # A query may show what it computes; where it names a column that is not there, it does not run.
    rules = [rule for rule in RULES if rule.relation == source and rule.kind != "query"]
    named = {column for rule in rules for column in rule.columns}
    assert named <= _contract_columns(CONTRACTS[source])


# One that a rule for each source judges, and a measure for people: what it measures is judged on the rows themselves.
_BY_SOURCE, _ON_ROWS = "stated_window", "span"


def test_each_remark_that_is_judged_is_found_in_the_verdict(tmp_path: Path, worlds: Any) -> None:
    """A remark as bad as can be, of every kind and each in a unit of its own."""
    lake = worlds.lake(tmp_path)
    for kind in KINDS:
        lake.add_unit(kind)
        remark = {"kind": kind, "subject": "due_at", "value": "2020-01-01/2020-03-31", "count": 400, "message_vi": "x"}
        lake.of(kind, "one_stop_cases").remarks.append(remark)
    failed = {
        verdict.unit_code: {r.expectation_id for r in verdict.results if r.status == "fail"}
        for verdict in inspect_raw(lake.request(), worlds.plain)
    }
    assert {kind for kind, rules in failed.items() if not rules} == {_ON_ROWS}
    assert failed[_BY_SOURCE] == {"deliveries.one_stop_cases.window_reaches_closing"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_remark_is_judged_by_one_rule(kind: str) -> None:
    """One rule for each kind; where two share a kind, one takes what the other leaves."""
    judging = [rule for rule in RULES if rule.relation == "remarks" and rule.applies_when == f"kind = '{kind}'"]
    assert bool(judging) == (kind not in (_BY_SOURCE, _ON_ROWS))
    violations = {rule.violation for rule in judging}
    for rule in judging:
        if len(judging) == 2:
            assert violations == {rule.violation, f"not {rule.violation}"} or rule.violation.startswith("not ")
    assert len(judging) <= 2
    [known] = [rule for rule in RULES if rule.id == "remarks.kind_known"]
    assert kind in known.values

"""Rules of a source and its contract must not drift apart, in either direction."""

from __future__ import annotations

import pytest

from expectations.declarations import Rule, declared_rules
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


# Measures that a rule on the receipts or on the rows themselves judges.
_JUDGED_ELSEWHERE = {"stated_window": "window_reaches_closing", "span": "days_without_rows"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_remark_is_judged_by_one_rule(kind: str) -> None:
    """One rule for each kind; where two share a kind, one takes what the other leaves."""
    judging = [rule for rule in RULES if rule.relation == "remarks" and rule.applies_when == f"kind = '{kind}'"]
    if kind in _JUDGED_ELSEWHERE:
        assert not judging
        assert [rule for rule in RULES if rule.id.endswith(f".{_JUDGED_ELSEWHERE[kind]}")]
    else:
        assert judging
    violations = {rule.violation for rule in judging}
    for rule in judging:
        if len(judging) == 2:
            assert violations == {rule.violation, f"not {rule.violation}"} or rule.violation.startswith("not ")
    assert len(judging) <= 2
    [known] = [rule for rule in RULES if rule.id == "remarks.kind_known"]
    assert kind in known.values

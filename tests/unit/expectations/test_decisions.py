"""Which finding a decision covers."""

from __future__ import annotations

import pytest

from expectations.decisions import Decision, Register


def _decision(**fields: str) -> Decision:
    body = {
        "unit": "945",
        "decision_id": "QD-01",
        "subject_kind": "row",
        "subject": "III.25",
        "action": "accept_declared",
        "effect": "applied",
    }
    return Decision(**(body | fields))


@pytest.mark.parametrize(
    ("fields", "rule_id", "subject", "expected"),
    [
        ({}, "report.settled", "III.25", True),
        ({}, "report.settled", "III.24", False),
        ({"effect": "invalid"}, "report.settled", "III.25", False),
        ({"effect": "expired"}, "report.settled", "III.25", False),
        ({"effect": "no_effect"}, "report.settled", "III.25", True),
        (
            {"subject_kind": "rule", "subject": "report.settled", "action": "accept_finding"},
            "report.settled",
            "III.25",
            True,
        ),
        ({"subject_kind": "rule", "subject": "report.settled"}, "report.settled", "III.25", False),
        ({"subject_kind": "rule", "subject": "III.25", "action": "accept_finding"}, "report.settled", "III.25", False),
        ({"subject_kind": "case", "subject": "H51-1"}, "one_stop_cases.x", "H51-1", True),
        ({"subject_kind": "other"}, "report.settled", "III.25", False),
    ],
)
def test_what_a_decision_covers(fields: dict[str, str], rule_id: str, subject: str, expected: bool) -> None:
    assert _decision(**fields).covers(rule_id, subject) is expected


def test_a_decision_of_another_unit_covers_nothing_here() -> None:
    register = Register((_decision(), _decision(unit="946", decision_id="QD-02")))
    assert register.covering("945", "report.settled", "III.25") == ["QD-01"]
    assert register.covering("947", "report.settled", "III.25") == []


def test_the_register_counts_what_each_decision_covered() -> None:
    register = Register((_decision(), _decision(decision_id="QD-02")))
    register.note_covered("945", ["QD-01"], 2)
    register.note_covered("945", ["QD-01"], 1)
    assert [(row[1], row[-1]) for row in register.use()] == [("QD-01", 3), ("QD-02", 0)]

"""Which finding a decision covers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.decisions import Decision, Register, figure_vi, figures_vi, parse_figures
from expectations.declarations import declared_rules
from expectations.suites import compile_rule

RULES = {rule.id: rule for rule in [*declared_rules("mart"), *declared_rules("raw")]}


def _decision(**fields: Any) -> Decision:
    body = {
        "unit": "945",
        "decision_id": "QD-01",
        "subject_kind": "row",
        "subject": "III.25",
        "action": "accept_declared",
        "effect": "applied",
    }
    return Decision(**(body | fields))


_OF_RULE = {"subject_kind": "rule", "action": "accept_finding", "effect": "covers_findings"}


@pytest.mark.parametrize(
    ("fields", "rule_id", "subject", "expected"),
    [
        ({}, "report.settled", "III.25", True),
        ({}, "report.settled", "III.24", False),
        ({"effect": "invalid"}, "report.settled", "III.25", False),
        ({"effect": "expired"}, "report.settled", "III.25", False),
        ({"effect": "no_effect"}, "report.settled", "III.25", False),
        ({"action": "accept_finding", "applies_to": ("report.settled",)}, "report.settled", "III.25", False),
        ({}, "report.counts_whole", "III.25", False),
        ({"applies_to": ("report.counts_whole",)}, "report.counts_whole", "III.25", True),
        ({"applies_to": ("report.counts_whole",)}, "report.counts_whole", "III.24", False),
        (_OF_RULE | {"subject": "report.settled", "applies_to": ("III.25",)}, "report.settled", "III.25", False),
        (_OF_RULE | {"subject": "report.counts_whole"}, "report.counts_whole", "III.25", False),
        (
            _OF_RULE | {"subject": "report.counts_whole", "applies_to": ("III.24", "III.25")},
            "report.counts_whole",
            "III.25",
            True,
        ),
        (_OF_RULE | {"subject": "report.flag_domain.I.16"}, "report.flag_domain.I.16", "I.16", True),
        ({"subject_kind": "case", "subject": "H51-1"}, "one_stop_cases.finished_at_plausible", "H51-1", False),
    ],
)
def test_what_a_decision_covers(fields: dict[str, Any], rule_id: str, subject: str, expected: bool) -> None:
    assert _decision(**fields).covers(RULES[rule_id], subject, {}) is expected


@given(
    st.dictionaries(
        st.sampled_from(["III.25", "số tính toán", "số dòng", "sau ngày", "Ngày hẹn trả kết quả"]),
        st.one_of(st.integers().map(str), st.just("trống"), st.just("47,5"), st.just("01/02/2023")),
    )
)
def test_what_the_gate_prints_is_what_the_register_is_read_as(figures: dict[str, str]) -> None:
    decision = _decision(
        **_OF_RULE | {"subject": "report.counts_whole", "applies_to": ("x",)},
        figures=parse_figures(figures_vi(figures)),
    )
    assert decision.covers(RULES["report.counts_whole"], "x", figures)
    for name in figures:
        changed = figures | {name: "thứ khác"}
        assert not decision.covers(RULES["report.counts_whole"], "x", changed)


def test_every_figure_that_a_decision_must_have_seen_has_a_name_that_can_be_written_in_the_register() -> None:
    """A code of the form, a name of the register, or the heading of the source's column: never a program's word."""
    nameless = []
    for rule in RULES.values():
        for name in compile_rule(rule).shown if rule.settleable else ():
            if rule.figures is None or name in rule.figures:
                printed = figure_vi(rule, name)
                is_row = re.fullmatch(r"[IVX]+\.\d+", printed)
                if re.search("[:=;]", printed) or (printed.isascii() and not is_row):
                    nameless.append((rule.id, printed))
    assert nameless == []


@pytest.mark.parametrize(
    ("written", "now"),
    [
        ("commune_cases_open = 0", {"hồ sơ cấp xã chưa kết thúc": "0"}),
        ("{commune_cases_open} = 0", {"hồ sơ cấp xã chưa kết thúc": "0"}),
        ("previous(III.12) = 7", {"III.12 kỳ trước": "7"}),
        ("Hồ sơ cấp xã chưa kết thúc = 0; iii.12 Kỳ trước = 7",
         {"hồ sơ cấp xã chưa kết thúc": "0", "III.12 kỳ trước": "7"}),
    ],
)  # fmt: skip
def test_a_register_that_names_a_figure_by_its_code_still_settles(written: str, now: dict[str, str]) -> None:
    decision = _decision(
        **_OF_RULE | {"subject": "report.counts_whole", "applies_to": ("x",)}, figures=parse_figures(written)
    )
    assert decision.covers(RULES["report.counts_whole"], "x", now)


def test_a_figure_of_one_row_says_nothing_of_another() -> None:
    decision = _decision(
        **_OF_RULE | {"subject": "report.counts_whole", "applies_to": ("A-1", "A-2")},
        figures=parse_figures("A-1: số dòng = 3; A-2: số dòng = 4"),
    )
    rule = RULES["report.counts_whole"]
    assert decision.covers(rule, "A-1", {"số dòng": "3"})
    assert not decision.covers(rule, "A-2", {"số dòng": "3"})


def test_a_decision_of_another_unit_covers_nothing_here() -> None:
    register = Register((_decision(), _decision(unit="946", decision_id="QD-02")))
    rule = RULES["report.settled"]
    assert register.covering("945", rule, "III.25", {}) == ["QD-01"]
    assert register.covering("947", rule, "III.25", {}) == []


def test_the_register_counts_what_each_decision_covered() -> None:
    register = Register((_decision(), _decision(decision_id="QD-02")))
    register.note_covered("945", ["QD-01"], 2)
    register.note_covered("945", ["QD-01"], 1)
    assert [(row[1], row[-1]) for row in register.use()] == [("QD-01", 3), ("QD-02", 0)]

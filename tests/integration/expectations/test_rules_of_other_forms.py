"""Rules that the project's other forms ask of their own rows: data that must pass, and data that must fail, for each.

Both are made from the form itself: candidates by the form, whose figures hold, and beside each rule one in which its
relation is broken.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from common.forms import form_named
from expectations.declarations import Rule, declared_rules
from expectations.inspection import inspect_marts
from expectations.verdicts import Verdict

if TYPE_CHECKING:
    from conftest import Candidate, CandidateWorld

#: The form that the other tests' candidates are of asks these not.
OTHERS = ("xa-2025",)
_ASKED = {rule.id for rule in declared_rules("mart", "2023")}
OWN = [(form, rule) for form in OTHERS for rule in declared_rules("mart", form) if rule.id not in _ASKED]


def _by(candidate: Candidate, form_id: str) -> None:
    """The candidate by another form: its rows, and figures in which all that it asks of its own rows holds."""
    form = form_named(form_id)
    rows = {row["indicator_code"]: row for row in form.rows}
    for mart in ("report_indicators", "dim_indicator"):
        candidate.marts[mart] = [
            row | {"form_version": form_id} for row in candidate.marts[mart] if row["indicator_code"] in rows
        ]
    ended = {row["name"] for row in candidate.marts["rule_inputs"] if "." in row["name"]} - rows.keys()
    candidate.marts["rule_inputs"] = [row for row in candidate.marts["rule_inputs"] if row["name"] not in ended]
    for code, row in rows.items():
        candidate.row(code)["kind"] = row["kind"]
        if row["kind"] == "flag" and candidate.row(code)["value"] not in (0, 1, None):
            candidate.set_figure(code, 1)
    for code, row in rows.items():
        if row["derivation"] == "sum" and row["derived_from"]:
            parts = [candidate.row(part)["value"] or Decimal(0) for part in row["derived_from"].split("+")]
            candidate.set_figure(code, sum(parts, Decimal(0)))
    for row in candidate.marts["report_indicators"]:
        row["previous_quarter_value"] = row["value"]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory, worlds: Any) -> dict[str, Verdict]:
    from expectations.gate import Database

    world: CandidateWorld = worlds.candidates(tmp_path_factory.mktemp("other-forms"))
    for form in OTHERS:
        world.add(form, lambda candidate, form=form: _by(candidate, form))
    for form, rule in OWN:
        world.add(
            rule.id,
            lambda candidate, form=form: _by(candidate, form),
            lambda candidate, rule=rule: candidate.break_relation(rule),
        )
    return {verdict.unit_code: verdict for verdict in inspect_marts(world.request(), Database)}


def _status(verdict: Verdict, rule: Rule) -> str:
    (result,) = [result for result in verdict.results if result.expectation_id == rule.id]
    return result.status


def test_the_forms_have_rules_of_their_own() -> None:
    assert len(OWN) == 8
    assert {rule.kind for _, rule in OWN} == {"relation"}


@pytest.mark.parametrize(("form", "rule"), OWN, ids=[rule.id for _, rule in OWN])
def test_good_figures_pass_and_broken_ones_fail(form: str, rule: Rule, verdicts: dict[str, Verdict]) -> None:
    assert _status(verdicts[form], rule) == "pass"
    assert _status(verdicts[rule.id], rule) == "fail"
    (result,) = [one for one in verdicts[rule.id].results if one.expectation_id == rule.id]
    named = form_named(form).names
    assert all(named[code].strip(" -") in result.sentence_vi for code in rule.rows), "in the words of that form"


@pytest.mark.parametrize(("form", "rule"), OWN, ids=[rule.id for _, rule in OWN])
def test_the_break_of_one_is_no_break_of_another(form: str, rule: Rule, verdicts: dict[str, Verdict]) -> None:
    """Of the form's own rules only those of a row that was changed may fail with it."""
    failing = {other.id for _, other in OWN if _status(verdicts[rule.id], other) == "fail"}
    assert failing - {rule.id} <= {other.id for _, other in OWN if other.rows & rule.rows}

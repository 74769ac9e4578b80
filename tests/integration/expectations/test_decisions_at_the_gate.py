"""The contradictions of the real report of 2023-Q1: each is held back without its decision, and by nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from expectations import explain_vi
from expectations.gate import Database
from expectations.inspection import inspect_marts, inspect_raw
from expectations.verdicts import Verdict

if TYPE_CHECKING:
    from conftest import Candidate, CandidateWorld, Lake

# decision id -> (kind, subject, action, effect)
DECISIONS = {
    "QD-06": ("rule", "report.flag_domain.I.16", "accept_finding", "covers_findings"),
    "QD-07": ("row", "III.05", "accept_declared", "applied"),
    "QD-08": ("rule", "report.V.02.heading_contradicts_children", "accept_finding", "covers_findings"),
    "QD-09": ("row", "VI.04", "accept_declared", "applied"),
    "QD-10": ("rule", "report.VI.06.requires_staff", "accept_finding", "covers_findings"),
    "QD-11": ("rule", "report.VII.29.at_most_offered", "accept_finding", "covers_findings"),
    "QD-12": ("row", "VII.44", "accept_declared", "applied"),
    "QD-13": ("row", "VII.45", "accept_declared", "applied"),
    "QD-14": ("row", "VII.50", "accept_declared", "applied"),
    "QD-15": ("row", "VII.51", "accept_declared", "applied"),
    "QD-16": ("rule", "report.III.27.no_backlog", "accept_finding", "covers_findings"),
}
# Rows where the office declared another figure than the records give: code -> (computed, declared).
DECLARED = {
    "III.05": (0, 1),
    "VI.04": (1, 31),
    "VII.44": (0, 10),
    "VII.45": (0, 10),
    "VII.50": (0, 2),
    "VII.51": (0, 2),
}


def as_reported(candidate: Candidate, decided: set[str]) -> None:
    """Turns the clean candidate into the contradictory one, with the given decisions laid on it."""
    figures: dict[str, int | None] = {
        "I.16": 2,
        "III.06": 0,
        "III.07": 0,
        "III.08": None,
        "V.02": 0,
        "V.04": 0,
        "VI.05": 0,
        "VI.06": 1,
        "VI.07": 0,
        "VI.08": 0,
        "V.27": 0,
        "V.28": 0,
        "V.29": 0,
        "V.26": 0,
        "V.22": 5,
        "IV.20": 0,
        "IV.21": 0,
        "IV.22": 0,
        "VII.23": None,
        "VII.24": None,
        "VII.46": 0,
        "VII.47": 0,
        "VII.52": 0,
        "VII.53": 0,
        "commune_cases_open": 0,
        "commune_cases_set_aside": 34,
        "VII.55": 1,
        "VII.56": 1,
        "VII.57": 1,
    }
    for name, value in figures.items():
        candidate.set_figure(name, value)
    for row in candidate.marts["report_indicators"]:
        row["previous_quarter_value"] = None
    for code, (computed, declared) in DECLARED.items():
        candidate.set_figure(code, declared)
        candidate.row(code).update(
            computed_value=Decimal(computed), declared_value=Decimal(declared), status="declared"
        )
    for decision_id, (kind, subject, action, effect) in DECISIONS.items():
        if decision_id in decided:
            candidate.decide(decision_id, kind, subject, action, effect)
        elif kind == "row":
            candidate.row(subject).update(status="unsettled", value=None)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory, worlds: Any) -> dict[str, Verdict]:
    """One unit with all decisions (``all``), and one without each of them (named by it)."""
    world: CandidateWorld = worlds.candidates(tmp_path_factory.mktemp("decisions"))
    everything = set(DECISIONS)
    world.add("all", lambda candidate: as_reported(candidate, everything))
    for missing in DECISIONS:
        world.add(missing, lambda candidate, missing=missing: as_reported(candidate, everything - {missing}))
    return {verdict.unit_code: verdict for verdict in inspect_marts(world.request(), Database)}


def test_with_every_decision_nothing_blocks_and_every_contradiction_is_still_told(verdicts: dict[str, Verdict]) -> None:
    verdict = verdicts["all"]
    assert [(r.expectation_id, r.findings) for r in verdict.blocking()] == []
    told = {decision for r in verdict.results if r.decision_id for decision in r.decision_id.split(", ")}
    assert told == set(DECISIONS)


@pytest.mark.parametrize("decision_id", sorted(DECISIONS))
def test_without_one_decision_exactly_its_contradiction_blocks(verdicts: dict[str, Verdict], decision_id: str) -> None:
    kind, subject, _, _ = DECISIONS[decision_id]
    blocking = verdicts[decision_id].blocking()
    assert blocking
    if kind == "rule":
        assert [result.expectation_id for result in blocking] == [subject]
    else:
        open_subjects = {
            finding.subject for result in blocking for finding in result.findings if finding.decision_id is None
        }
        assert open_subjects == {subject}
        assert "report.settled" in {result.expectation_id for result in blocking}


def test_the_contradiction_is_told_in_words_with_row_name_and_figures(verdicts: dict[str, Verdict]) -> None:
    line = next(line for line in explain_vi(verdicts["QD-07"]) if "[report.settled]" in line)
    assert line == (
        "Dòng 53 (III.05, Đơn giản hóa TTHC): số tính toán 0 khác số khai báo 1 và cần một quyết định lấy số nào. "
        "Sửa dữ liệu hoặc số khai báo cho khớp, hoặc ban hành quyết định số liệu cho chỉ tiêu này. [report.settled]"
    )


def test_a_decision_that_matches_nothing_is_an_error(candidate_world: CandidateWorld, worlds: Any) -> None:
    candidate_world.add(
        "1", lambda c: c.decide("QD-90", "rule", "report.no_such_rule", "accept_finding", "covers_findings")
    )
    candidate_world.add("2", lambda c: c.decide("QD-91", "row", "III.25", "accept_declared", "no_effect"))
    candidate_world.add("3", lambda c: c.decide("QD-92", "case", "H51-230510-0001", "count_as_on_time", "no_effect"))
    for verdict in inspect_marts(candidate_world.request(), worlds.plain):
        assert [result.expectation_id for result in verdict.blocking()] == ["decisions.matches_something"]


def test_an_invalid_decision_covers_nothing(candidate_world: CandidateWorld, worlds: Any) -> None:
    def change(candidate: Candidate) -> None:
        candidate.set_figure("I.16", 2)
        candidate.decide("QD-06", "rule", "report.flag_domain.I.16", "accept_finding", "invalid")

    candidate_world.add("945", change)
    [verdict] = inspect_marts(candidate_world.request(), worlds.plain)
    assert [r.expectation_id for r in verdict.blocking()] == ["decisions.complete", "report.flag_domain.I.16"]


def test_a_data_quality_rule_is_never_settled_by_a_decision(candidate_world: CandidateWorld, worlds: Any) -> None:
    def change(candidate: Candidate) -> None:
        candidate.marts["rule_inputs"].append(dict(candidate.marts["rule_inputs"][-1]))
        candidate.decide("QD-01", "rule", "report.inputs_unique", "accept_finding", "covers_findings")

    candidate_world.add("945", change)
    [verdict] = inspect_marts(candidate_world.request(), worlds.plain)
    assert "report.inputs_unique" in {result.expectation_id for result in verdict.blocking()}


def test_a_warning_about_deliveries_is_settled_by_a_decision_in_force(lake: Lake, worlds: Any) -> None:
    for unit, holds_until in (("945", "2023-Q2"), ("946", "2023-Q1")):
        lake.add_unit(unit)
        lake.of(unit, "survey_responses").rows_rejected = 1
        lake.first(unit, "decisions").update(
            unit=unit,
            subject_kind="rule",
            subject="deliveries.survey_responses.rejected_share",
            action="accept_finding",
            quarter="2023-Q1",
            holds_until=holds_until,
        )
    settled, run_out = inspect_raw(lake.request(), worlds.plain)
    assert settled.blocking() == []
    assert [r.expectation_id for r in run_out.blocking()] == ["deliveries.survey_responses.rejected_share"]

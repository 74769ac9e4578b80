"""What was not looked at is not passed: clean worlds pass, and what is missing, broken or foreign blocks."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from expectations import inspection
from expectations.declarations import declared_rules
from expectations.gate import Answer, Database
from expectations.inspection import MartRequest, inspect_marts, inspect_raw
from expectations.verdicts import Result, Verdict

if TYPE_CHECKING:
    from conftest import Candidate, CandidateWorld, Lake


def _by_id(verdict: Verdict) -> dict[str, Result]:
    return {result.expectation_id: result for result in verdict.results}


#: Relations that hold only what is wrong, so that nothing stands in them where all is well.
OF_FAULTS = frozenset(
    {"case_findings", "case_questions", "decision_effects", "decision_use", "findings_by_reason", "letter_findings",
     "period_comparison", "period_moves", "register_doubts", "remarks", "rows_left_out"}
)  # fmt: skip


def _without_data(verdict: Verdict) -> set[str]:
    """Rules that may block and looked at nothing, less those over relations of faults; all may be without data."""
    rules = {rule.id: rule for rule in declared_rules(verdict.stage)}
    idle = [rules[result.expectation_id] for result in verdict.results if result.status != "pass"]
    assert all(rule.when_empty == "allowed" for rule in idle)
    return {rule.id for rule in idle if rule.severity != "info" and rule.relation not in OF_FAULTS}


def test_a_clean_candidate_passes_every_rule(candidate_world: CandidateWorld) -> None:
    candidate_world.add("945")
    [verdict] = inspect_marts(candidate_world.request(), Database)
    assert verdict.blocking() == []
    assert {r.expectation_id for r in verdict.results} == {rule.id for rule in declared_rules("mart", "2023")}
    # The heading V.02 was not declared.
    assert _without_data(verdict) == {"report.V.02.heading_contradicts_children"}


def test_a_clean_lake_passes_every_rule(lake: Lake) -> None:
    lake.add_unit("945")
    [verdict] = inspect_raw(lake.request(), Database)
    assert verdict.blocking() == []
    # No case was extended, no period came before, and no file lies unread.
    nothing = {rule.id for rule in declared_rules("raw") if rule.relation in ("parts_held", "volumes", "waiting_files")}
    assert _without_data(verdict) == nothing | {"one_stop_cases.extended_to_plausible"}


@pytest.mark.parametrize("mart", ["report_indicators", "rule_inputs"])
def test_an_empty_mart_blocks(candidate_world: CandidateWorld, mart: str) -> None:
    candidate_world.add("945", lambda candidate: candidate.marts.__setitem__(mart, []))
    [verdict] = inspect_marts(candidate_world.request(), Database)
    about = {rule.id for rule in declared_rules("mart", "2023") if rule.relation == mart}
    assert about
    assert all(_by_id(verdict)[rule_id].status != "pass" for rule_id in about)
    assert verdict.blocking()


def test_a_mart_missing_in_one_candidate_blocks_that_unit_only(candidate_world: CandidateWorld) -> None:
    candidate_world.add("945", lambda candidate: candidate.marts.pop("rule_inputs"))
    candidate_world.add("946")
    broken, whole = inspect_marts(candidate_world.request(), Database)
    assert _by_id(broken)["report.III.25.at_most_resolved"].status == "did_not_run"
    assert broken.blocking()
    assert whole.blocking() == []


def test_a_figure_missing_in_one_candidate_leaves_its_rules_not_run(
    candidate_world: CandidateWorld, worlds: Any
) -> None:
    def forget(candidate: Candidate) -> None:
        candidate.marts["rule_inputs"] = [r for r in candidate.marts["rule_inputs"] if r["name"] != "III.25"]

    candidate_world.add("945", forget)
    candidate_world.add("946")
    broken, whole = inspect_marts(candidate_world.request(), worlds.plain)
    assert _by_id(broken)["report.III.25.at_most_resolved"].status == "did_not_run"
    assert _by_id(whole)["report.III.25.at_most_resolved"].status == "pass"


def test_a_figure_that_no_candidate_knows_leaves_its_rules_not_run(candidate_world: CandidateWorld) -> None:
    candidate = candidate_world.add("945")
    candidate.marts["rule_inputs"] = [r for r in candidate.marts["rule_inputs"] if r["name"] != "procedures_shared"]
    [verdict] = inspect_marts(candidate_world.request(), Database)
    result = _by_id(verdict)["report.III.12.sum_of_levels"]
    assert (result.status, result.blocking) == ("did_not_run", True)


def test_a_candidate_changed_after_hashing_is_not_checked_at_all(candidate_world: CandidateWorld) -> None:
    candidate_world.add("945")
    candidate_world.add("946")
    request = candidate_world.request()
    path = request.candidates["945"][0] / "marts" / "rule_inputs.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    changed, whole = inspect_marts(request, Database)
    assert {result.status for result in changed.results} == {"did_not_run"}
    assert whole.blocking() == []


def test_a_candidate_of_another_hash_is_not_checked_at_all(candidate_world: CandidateWorld, worlds: Any) -> None:
    candidate_world.add("945")
    request = candidate_world.request()
    folder = request.candidates["945"][0]
    [verdict] = inspect_marts(MartRequest(request.quarter, {"945": (folder, "0" * 64)}), worlds.plain)
    assert {result.status for result in verdict.results} == {"did_not_run"}


def test_a_missing_column_in_the_lake_leaves_its_rules_not_run_and_the_others_run(lake: Lake) -> None:
    lake.add_unit("945")
    request = lake.request()
    for path in sorted((request.raw_dir / "lake" / "source=survey_responses").rglob("*.parquet")):
        pq.write_table(pq.read_table(path).drop_columns(["overall"]), path)
    [verdict] = inspect_raw(request, Database)
    results = _by_id(verdict)
    assert results["survey_responses.overall_present"].status == "did_not_run"
    assert results["survey_responses.overall_present"].blocking
    assert results["survey_responses.form_number_present"].status == "pass"


def test_a_source_without_schema_leaves_its_rules_not_run(lake: Lake) -> None:
    lake.add_unit("945")
    request = lake.request()
    (request.raw_dir / "lake" / "source=plan_tasks" / "schema.parquet").unlink()
    [verdict] = inspect_raw(request, Database)
    assert all(
        result.status == "did_not_run"
        for rule_id, result in _by_id(verdict).items()
        if rule_id.startswith("plan_tasks.")
    )


def test_a_lake_file_cut_short_blocks_its_own_unit_only(lake: Lake, worlds: Any) -> None:
    lake.add_unit("945")
    lake.add_unit("946")
    request = lake.request()
    folder = request.raw_dir / "lake" / "source=org_units" / "quarter=2023-Q2" / "unit=945"
    folder.mkdir(parents=True)
    (folder / "short.parquet").write_bytes(b"PAR1 and no more")
    broken, whole = inspect_raw(request, worlds.plain)
    assert _by_id(broken)["org_units.name_present"].status == "did_not_run"
    assert whole.blocking() == []


def test_a_source_not_sent_has_no_data_and_blocks(lake: Lake, worlds: Any) -> None:
    lake.add_unit("945")
    lake.deliveries.remove(lake.of("945", "survey_responses"))
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    results = _by_id(verdict)
    assert results["deliveries.survey_responses.sent"].status == "fail"
    assert (
        results["survey_responses.overall_present"].status,
        results["survey_responses.overall_present"].blocking,
    ) == (
        "no_data",
        True,
    )


def test_nothing_to_report_has_no_data_and_does_not_block(lake: Lake, worlds: Any) -> None:
    lake.add_unit("945")
    delivery = lake.of("945", "survey_responses")
    delivery.rows, delivery.outcome = [], "nothing_to_report"
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    assert _by_id(verdict)["survey_responses.overall_present"].status == "no_data"
    assert verdict.blocking() == []


def test_a_commune_that_did_not_send_is_named(lake: Lake, worlds: Any) -> None:
    lake.add_unit("945")
    lake.deliveries = [d for d in lake.deliveries if d.unit != "945-x"]
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    [finding] = _by_id(verdict)["deliveries.one_stop_cases.sent_by_communes"].findings
    assert finding.subject == "945-x"
    assert finding.message_vi.startswith("Đơn vị 945-x chưa gửi nguồn “Hồ sơ một cửa”.")


def test_superseded_deliveries_are_not_looked_at(lake: Lake, worlds: Any) -> None:
    lake.add_unit("945")
    old = dataclasses.replace(lake.of("945", "plan_tasks"), delivery_id="old", is_current=False)
    old.rows = [old.rows[0] | {"status": "stranger"}]
    lake.deliveries.append(old)
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    assert verdict.blocking() == []


def test_rows_lost_between_receipt_and_lake_block(lake: Lake, worlds: Any) -> None:
    lake.add_unit("945")
    lake.of("945", "staffing_roster").rows_accepted = 900
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    [finding] = _by_id(verdict)["deliveries.staffing_roster.rows_reconcile"].findings
    assert "900 dòng" in finding.message_vi


class _Contrary(Database):
    """An engine that says of every rule the opposite of what is so."""

    def ask(self, suite):  # type: ignore[no-untyped-def]
        return {
            rule_id: dataclasses.replace(answer, holds=not answer.holds)
            for rule_id, answer in super().ask(suite).items()
        }


class _Silent(Database):
    """An engine that raises, or returns nothing, for every rule."""

    def ask(self, suite):  # type: ignore[no-untyped-def]
        rules = sorted(compiled.rule.id for compiled in suite)
        return {rule_id: Answer(None, "raised") for rule_id in rules[::2]}


@pytest.mark.parametrize("engine", [_Contrary, _Silent])
def test_where_the_engines_disagree_nothing_passes(candidate_world: CandidateWorld, engine: type[Database]) -> None:
    candidate_world.add("945")
    [verdict] = inspect_marts(candidate_world.request(), engine)
    assert {result.status for result in verdict.results} == {"did_not_run"}


def test_findings_hold_no_other_cell_of_the_row(lake: Lake, worlds: Any) -> None:
    """A canary in every text column appears in no finding."""
    lake.add_unit("945")
    for delivery in lake.deliveries:
        for row in delivery.rows:
            row.update({name: "CANARY" for name, value in row.items() if isinstance(value, str)})
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    assert verdict.blocking()
    shown = verdict.to_bytes().decode().replace('"subject":"CANARY"', "")
    assert "CANARY" not in shown


def test_a_rule_is_not_asked_before_it_is_in_force(lake: Lake, monkeypatch: pytest.MonkeyPatch, worlds: Any) -> None:
    lake.add_unit("945")
    later = [
        dataclasses.replace(c, rule=c.rule.model_copy(update={"since": "2024-Q1"}))
        for c in inspection.compiled_suite("raw")
    ]
    monkeypatch.setattr(inspection, "compiled_suite", lambda stage: tuple(later))
    lake.first("945", "plan_tasks")["status"] = "stranger"
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    assert {result.status for result in verdict.results} == {"no_data"}
    assert verdict.blocking() == []


def test_the_order_of_units_and_files_changes_no_byte(candidate_world: CandidateWorld, worlds: Any) -> None:
    for unit in ("946", "945", "947"):
        candidate_world.add(unit, lambda candidate: candidate.set_figure("III.25", 700))
    request = candidate_world.request()
    there = inspect_marts(request, worlds.plain)
    back = inspect_marts(MartRequest(request.quarter, dict(reversed(list(request.candidates.items())))), worlds.plain)
    assert [verdict.to_bytes() for verdict in there] == [verdict.to_bytes() for verdict in back]

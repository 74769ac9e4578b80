"""Each declared rule is broken once, in a unit of its own, and must fire there, with only the others named here.

All spoilt units go through the gate in one run, so a finding in the wrong unit would show as well.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from common.declared import read_yaml
from expectations.declarations import Rule, declared_rules
from expectations.inspection import inspect_marts, inspect_raw
from expectations.verdicts import Verdict

if TYPE_CHECKING:
    from conftest import Candidate, CandidateWorld, Lake

RELATION_MUTATIONS: dict[str, dict[str, Any]] = read_yaml(Path(__file__).parent / "relation_mutations.yml")
_RESTATES_THE_CATALOGUE = re.compile(
    r"report\.(flag_domain\..*|.*\.(equals_parts|zero_when_parent_zero|grows_in_year))(\.form_.*)?"
)


def _in_row(code: str, **values: Any) -> Callable[[Candidate], None]:
    return lambda candidate: candidate.row(code).update(values)


def _twice(mart: str) -> Callable[[Candidate], None]:
    return lambda candidate: candidate.marts[mart].append(dict(candidate.marts[mart][-1]))


def _decided(effect: str | None) -> Callable[[Candidate], None]:
    return lambda candidate: candidate.decide(
        "QD-01", "row", "III.25", "accept_finding", effect, applies_to="report.counts_whole"
    )


def _expired(candidate: Candidate) -> None:
    candidate.decide("QD-01", "row", "III.25", "accept_finding", "invalid", last_quarter="2023-Q1")


def _of_another_unit(mart: str) -> Callable[[Candidate], None]:
    return lambda candidate: candidate.marts[mart][0].update(unit_code="another")


def _cases(level: str, **values: int) -> Callable[[Candidate], None]:
    def change(candidate: Candidate) -> None:
        next(row for row in candidate.marts["case_processing"] if row["unit_level"] == level).update(values)

    return change


def _finds(kind: str, **values: Any) -> Callable[[Candidate], None]:
    return lambda candidate: candidate.find_case(kind, **values)


def _asks(kind: str, **values: Any) -> Callable[[Candidate], None]:
    return lambda candidate: candidate.ask_case(kind, **values)


def _writes(text: str) -> Callable[[Candidate], None]:
    return lambda candidate: candidate.marts["report_narrative"][0].update(text_vi=text)


CASE_FINDINGS = (
    "no_appointment", "ended_after_closing", "lodged_but_ended", "postal_return_without_day", "carried_over_unknown",
    "ended_unreported", "open_then_gone", "spelling_merged", "spelling_doubt", "same_case_other_agency",
    "handover_carried_twice", "handover_received_twice", "handover_remainder",
)  # fmt: skip


def _doubt(doubt: str) -> Callable[[Candidate], None]:
    row = {"source": "e_document_counts", "doubt": doubt, "subject": "945", "label_vi": "tổng số văn bản đi",
           "expected": "40", "found": "80"}  # fmt: skip
    return lambda candidate: candidate.marts["register_doubts"].append(
        {"unit_code": candidate.unit, "quarter": "2023-Q2", **row}
    )


def _left_out(reason: str, rows_delivered: int = 1000) -> Callable[[Candidate], None]:
    row = {"source": "survey_responses", "reason": reason, "file_name": "phieu.xlsx", "sheet": "S", "row_number": 7,
           "told": "03/09/2023", "rows_delivered": rows_delivered}  # fmt: skip
    return lambda candidate: candidate.marts["rows_left_out"].append(
        {"unit_code": candidate.unit, "quarter": "2023-Q2", **row}
    )


def _moved(**values: Any) -> Callable[[Candidate], None]:
    row = {"quarter": "2023-Q2", "indicator_code": "III.24", "kind": "in_no_quarter", "case_code": "H51.32-230103-0001",
           "counted_in": "không quý nào",
           "received_on": dt.date(2023, 1, 3), "file_name": "ho-so.xlsx", "sheet": "S", "row_number": 7,
           "times_in_whole": 1, "times_in_parts": 0}  # fmt: skip
    return lambda candidate: candidate.marts["period_moves"].append({"unit_code": candidate.unit, **row, **values})


def _compared(**values: Any) -> Callable[[Candidate], None]:
    row = {"quarter": "2023-Q2", "indicator_code": "III.24", "source": "one_stop_cases", "value": Decimal(10),
           "quarters_sum": Decimal(9), "quarters": 0, "cases_moved": 1, "moved_net": 1}  # fmt: skip
    return lambda candidate: candidate.marts["period_comparison"].append({"unit_code": candidate.unit, **row, **values})


def _published_otherwise(candidate: Candidate) -> None:
    """Two quarters of 4 and 6; the files of today give them 9."""
    _compared(value=Decimal(9), moved_net=0, quarters=2)(candidate)
    candidate.published += [("2023-Q1", "III.24", "4"), ("2023-Q2", "III.24", "6")]


DOUBTS = (
    "months_differ_from_window", "kinds_exceed_all", "months_missing", "months_blank", "name_with_two_codes",
    "present_twice", "staff_in_other_units", "procedure_not_listed", "day_told_anew", "day_told_late",
    "done_before_plan_year", "approved_before_closing", "column_in_some_files",
)  # fmt: skip


def _says(kind: str) -> Callable[[Candidate], None]:
    finding = {"kind": kind, "subject": "mục II.2, đoạn 1: 05 hồ sơ", "message_vi": "viết “05 hồ sơ”"}
    return lambda candidate: candidate.marts["letter_findings"].append(finding)


MART_MUTATIONS: dict[str, tuple[Callable[[Candidate], None], set[str]]] = {
    "report.settled": (_in_row("III.25", status="unsettled", value=None, declared_value=Decimal(611)), set()),
    "report.headline_declared": (_in_row("III.24", declared_value=None), set()),
    "report.headline_change": (_in_row("VII.13", previous_quarter_value=Decimal(9999)), set()),
    "report.stock_change": (_in_row("III.14", previous_quarter_value=Decimal(9999)), set()),
    "report.share_change": (_in_row("VII.46", previous_quarter_value=Decimal(600)), set()),
    "report.flags_declared": (_in_row("I.17", status="not_reported", value=None), set()),
    "report.counts_whole": (_in_row("I.05", value=Decimal("1.5")), set()),
    "report.ratios_in_range": (_in_row("I.13", value=Decimal(130)), {"report.ratios_reproduce"}),
    "report.shares_not_negative": (_in_row("IV.14", value=Decimal(-5)), {"report.ratios_reproduce"}),
    "report.ratios_reproduce": (_in_row("I.02", value=Decimal("47.36")), set()),
    "report.zero_denominator_blank": (_in_row("I.13", numerator=Decimal(0), denominator=Decimal(0)), set()),
    "report.headings_blank": (_in_row("I.06", declared_value=Decimal(0)), set()),
    "report.status_known": (_in_row("I.06", status="guessed"), set()),
    "report.status_present": (_in_row("I.06", status=None), set()),
    "report.value_agrees_with_status": (_in_row("III.23", status="withheld"), set()),
    "report.rows_unique": (_in_row("VII.60", row_no=210), {"report.rows_in_sequence"}),
    "report.rows_in_sequence": (_in_row("VII.60", row_no=999), set()),
    "report.rows_as_in_form": (_in_row("VII.60", indicator_code="VII.61"), set()),
    "report.of_this_unit": (_in_row("VII.60", quarter="2023-Q1"), set()),
    "report.inputs_unique": (_twice("rule_inputs"), set()),
    "report.inputs_of_this_unit": (lambda candidate: candidate.marts["rule_inputs"][0].update(unit_code="x"), set()),
    "marts.case_processing.of_this_unit": (_of_another_unit("case_processing"), set()),
    "marts.e_document_exchange.of_this_unit": (_of_another_unit("e_document_exchange"), set()),
    "marts.staffing.of_this_unit": (_of_another_unit("staffing"), set()),
    "marts.procedure_coverage.of_this_unit": (_of_another_unit("procedure_coverage"), set()),
    "marts.case_form_06a.of_this_unit": (_of_another_unit("case_form_06a"), set()),
    "marts.case_timeliness.of_this_unit": (_of_another_unit("case_timeliness"), set()),
    "marts.case_backlog.of_this_unit": (_of_another_unit("case_backlog"), set()),
    "marts.procedure_duration.of_this_unit": (_of_another_unit("procedure_duration"), set()),
    "marts.case_lateness.of_this_unit": (_of_another_unit("case_lateness"), set()),
    "marts.figure_rows.of_this_unit": (_of_another_unit("figure_rows"), set()),
    "marts.measure_values.of_this_unit": (_of_another_unit("measure_values"), set()),
    "marts.indicator_trend.of_this_unit": (_of_another_unit("indicator_trend"), set()),
    "marts.report_narrative.of_this_unit": (_of_another_unit("report_narrative"), set()),
    "period_moves.case": (_moved(), set()),
    "period_moves.of_this_unit": (_moved(times_in_parts=1, quarter="2023-Q1"), set()),
    "period_comparison.differs": (_compared(), set()),
    "period_comparison.explained": (_compared(moved_net=0), {"period_comparison.differs"}),
    "period_comparison.as_published": (_published_otherwise, set()),
    "period_comparison.all_published": (_compared(value=Decimal(9), moved_net=0, quarters=2), set()),
    "period_comparison.of_this_unit": (_compared(value=Decimal(9), moved_net=0, unit_code="x"), set()),
    **{f"case_findings.{kind}": (_finds(kind), set()) for kind in CASE_FINDINGS},
    "case_findings.kind_known": (_finds("guessed"), set()),
    "case_findings.of_this_unit": (
        _finds("spelling_merged", unit_code="x"),
        {"case_findings.spelling_merged"},
    ),
    **{
        f"case_questions.{kind}": (_asks(kind, **values), set())
        for kind, values in {
            "serials_missing": {"cases": 1},
            "ended_together": {"cases": 20, "usual": 4},
            "ended_at_closing": {"cases": 20, "usual": 4},
            "due_day_moved": {},
            "code_of_another_unit": {"owner_name_vi": "Xã An Thạnh 2"},
        }.items()
    },
    "case_questions.kind_known": (_asks("guessed"), set()),
    "case_questions.of_this_unit": (_asks("due_day_moved", unit_code="x"), {"case_questions.due_day_moved"}),
    "letter.placeholders_well_formed": (_writes("Giải quyết {III.24 hồ sơ."), set()),
    "letter.placeholders_have_figures": (_writes("Giải quyết {III.99} hồ sơ."), set()),
    **{
        f"letter.{name}": (_says(kind), set())
        for name, kind in {
            "figures_agree": "figure",
            "statements_agree": "statement",
            "as_of_days": "as_of_day",
            "document_symbols": "document_symbol",
            "document_dates": "document_date",
            "left_out_sentences": "left_out",
            "documents_listed": "document_list",
            "index_years": "index_year",
            "doubtful_statements": "doubt",
            "wording": "wording",
            "figures_compared": "not_compared",
        }.items()
    },
    "form.unit_of_measure": (_in_row("I.03", unit_of_measure="%", unit_of_measure_canonical="Nhiệm vụ"), set()),
    "form.code_in_place_of_a_count": (
        _in_row("VII.55", unit_of_measure="Có = 1 Không = 0", unit_of_measure_canonical="Có = 1; Không = 0"),
        set(),
    ),
    "form.code_spelling": (
        _in_row("I.22", unit_of_measure="Không = 0; Có = 1", unit_of_measure_canonical="Có = 1; Không = 0"),
        set(),
    ),
    "form.printed_defects": (_in_row("I.29", indicator_name_corrected_vi="Việc chấp hành Chỉ thị 10"), set()),
    "form.numbering": (_in_row("I.29", printed_number="7"), set()),
    "report.satisfaction_is_a_share_of_the_forms": (
        _in_row("I.27", value=Decimal("98.5"), computed_value=Decimal("98.5"), numerator=None, denominator=None),
        {"report.ratio_parts_given"},
    ),
    "report.ratio_parts_given": (_in_row("I.13", numerator=None), set()),
    "marts.case_processing.parts_add_up": (_cases("district", resolved_late=6), set()),
    "marts.case_processing.district_received_as_reported": (_cases("district", received=1), set()),
    "marts.case_processing.commune_received_as_reported": (_cases("commune", received=1), set()),
    "marts.case_processing.district_resolved_as_reported": (_cases("district", resolved=612, resolved_late=6), set()),
    "marts.case_processing.commune_resolved_as_reported": (_cases("commune", resolved=6501, resolved_late=11), set()),
    **{f"registers.{doubt}": (_doubt(doubt), set()) for doubt in DOUBTS},
    "registers.rows_outside_window": (_left_out("outside_window"), set()),
    "registers.share_outside_window": (_left_out("outside_window", 10), {"registers.rows_outside_window"}),
    "registers.unit_of_another_folder": (_left_out("unit_of_another_folder"), set()),
    "registers.rows_of_other_plans": (_left_out("other_plan_year"), set()),
    "registers.rows_said_twice": (_left_out("said_by_another_row"), set()),
    "decisions.complete": (_decided("invalid"), set()),
    "decisions.in_force": (_expired, set()),
    "decisions.matches_something": (_decided("no_effect"), set()),
    "decisions.effects_known": (_decided("guessed"), set()),
    "decisions.effects_present": (_decided(None), set()),
    "marts.texts_hold_no_personal_data": (_in_row("III.23", indicator_name_vi="gọi 0912000010"), set()),
}
#: Those of the form that the candidates are of; what is asked of another form's rows alone restates its catalogue.
MART_RULES = declared_rules("mart", "2023")
RAW_RULES = declared_rules("raw")


def _failing(verdict: Verdict) -> set[str]:
    assert not [result for result in verdict.results if result.status == "did_not_run"]
    return {result.expectation_id for result in verdict.results if result.status == "fail"}


@pytest.fixture(scope="module")
def changed() -> dict[str, frozenset[str]]:
    """Figures that were changed to break each relation."""
    return {}


@pytest.fixture(scope="module")
def mart_failures(
    tmp_path_factory: pytest.TempPathFactory, worlds: Any, changed: dict[str, frozenset[str]]
) -> dict[str, set[str]]:
    from expectations.gate import Database

    world: CandidateWorld = worlds.candidates(tmp_path_factory.mktemp("marts"))
    for rule in MART_RULES:
        if rule.kind == "relation":
            world.add(rule.id, lambda candidate, rule=rule: changed.update({rule.id: candidate.break_relation(rule)}))
        else:
            world.add(rule.id, MART_MUTATIONS[rule.id][0])
    return {verdict.unit_code: _failing(verdict) for verdict in inspect_marts(world.request(), Database)}


@pytest.mark.parametrize("rule", MART_RULES, ids=lambda rule: rule.id)
def test_a_violating_candidate_fires_its_rule_and_only_the_named_others(
    rule: Rule, mart_failures: dict[str, set[str]], changed: dict[str, frozenset[str]]
) -> None:
    if rule.kind == "relation" and rule.id not in RELATION_MUTATIONS:
        assert rule.id in mart_failures[rule.id]
        rules = {one.id: one for one in MART_RULES}
        for other in mart_failures[rule.id] - {rule.id}:
            assert not rules[other].rows or rules[other].rows & changed[rule.id], other
        return
    others = set(RELATION_MUTATIONS[rule.id].get("also", ())) if rule.kind == "relation" else MART_MUTATIONS[rule.id][1]
    assert mart_failures[rule.id] == {rule.id} | others


def test_rules_of_other_forms_restate_their_catalogues() -> None:
    others = {rule.id for rule in declared_rules("mart")} - {rule.id for rule in MART_RULES}
    assert [rule_id for rule_id in others if not _RESTATES_THE_CATALOGUE.fullmatch(rule_id)] == []


def test_no_mutation_is_left_over() -> None:
    relations = {rule.id for rule in MART_RULES if rule.kind == "relation"}
    restated = {rule_id for rule_id in relations if _RESTATES_THE_CATALOGUE.fullmatch(rule_id)}
    assert set(RELATION_MUTATIONS) - {"report.flag_domain.I.16"} == relations - restated
    assert set(MART_MUTATIONS) == {rule.id for rule in MART_RULES} - relations
    conditions = {rule.id for rule in RAW_RULES if rule.kind in ("condition", "query", "at_most")}
    assert set(RAW_MUTATIONS) == {rule_id for rule_id in conditions if not _is_generic(rule_id)}


_EARLY = dt.date(1800, 1, 1)
_NEVER = dt.date(2023, 5, 11)

# Values of the first row of the rule's source that break it.
RAW_MUTATIONS: dict[str, dict[str, Any]] = {
    "one_stop_cases.received_before_finished": {"finished_at": dt.datetime(2023, 5, 9)},
    "one_stop_cases.received_before_returned": {"returned_at": dt.datetime(2023, 5, 9)},
    "one_stop_cases.resolved_with_date": {"finished_at": None, "returned_at": None},
    "one_stop_cases.procedure_named": {"procedure_code": None, "procedure_name": None},
    "department_figures.figure_or_parts": {"denominator": None},
    "department_figures.part_of_whole": {"numerator": Decimal(11)},
    "department_figures.with_evidence": {"evidence": None},
    "portal_figures.taken_after_closing": {"taken_on": dt.date(2023, 6, 1)},
    "e_document_counts.parts_equal_total": {"outgoing_total": 11},
    "e_document_counts.parts_at_most_total": {"outgoing_total": 9},
    "e_document_counts.incoming_electronic_at_most_total": {"incoming_electronic": 9},
    "plan_tasks.settled_at_most_found": {"findings_settled": 3},
    "plan_tasks.done_with_date": {"done_on": None},
    "plan_tasks.done_by_closing": {"done_on": dt.date(2023, 7, 1)},
    "plan_tasks.done_with_status": {"status": "in_progress"},
    "plan_tasks.done_with_evidence": {"evidence_document": None},
    "procedure_catalogue.announced_before_ended": {"ended_on": dt.date(2019, 1, 1)},
    "procedure_catalogue.applies_somewhere": {"applies_district": False, "applies_commune": False},
    "procedure_catalogue.offered_is_eligible": {"online_eligible_level": None},
    "org_units.valid_from_before_valid_to": {"valid_to": dt.date(2009, 1, 1)},
    "staffing_roster.recruited_before_left": {"recruited_on": _NEVER},
    "staffing_roster.left_with_reason": {"leaving_reason": None},
    "staffing_roster.leaving_reason_with_date": {"left_on": None},
    "declared_returns.says_something": {"value": None, "value_text": None},
    "declared_returns.with_evidence": {"evidence_document": None},
    "declared_returns.documents_listed": {"indicator_code": "I.05", "evidence_document": "01/KH-UBND, 02/KH-UBND"},
    "declared_returns.events_with_evidence": {"indicator_code": "I.28", "evidence_document": None},
    "survey_responses.neutral_is_not_satisfied": {"quality": "neutral"},
    "report_narrative.of_the_reporting_unit": {"_unit_code": "another"},
    "decisions.holds_from_its_quarter": {"quarter": "2023-Q3"},
    "decisions.validity_at_most_four_periods": {"quarter": "2022-Q2"},
    "declared_returns.approved_after_closing": {"approved_on": dt.date(2023, 6, 13)},
    "decisions.action_fits_subject": {"subject_kind": "rule", "action": "count_as_on_time"},
    **{
        f"{source}.{rule}": {column: text}
        for source, column in {
            "declared_returns": "note",
            "decisions": "reason",
            "org_units": "name",
            "procedure_catalogue": "procedure_name",
            "one_stop_cases": "procedure_code",
            "report_narrative": "text",
            "portal_figures": "portal",
            "department_figures": "evidence",
        }.items()
        for rule, text in {
            "texts_hold_no_personal_data": "Liên hệ 0912/000/010",
            "texts_name_nobody": "bà TRẦN THỊ HAI TƯ",
            "texts_fit": "dài " * 2001,
        }.items()
    },
}
# Other rules that the same input rightly breaks.
ALSO: dict[str, set[str]] = {
    "one_stop_cases.texts_hold_no_personal_data": {"one_stop_cases.procedure_code_well_formed"},
    "one_stop_cases.texts_name_nobody": {"one_stop_cases.procedure_code_well_formed"},
    "one_stop_cases.texts_fit": {"one_stop_cases.procedure_code_well_formed"},
    "declared_returns.events_with_evidence": {"declared_returns.with_evidence"},
    "one_stop_cases.procedure_named": {"one_stop_cases.procedure_recognised"},
    "declared_returns.approved_on_plausible": {"declared_returns.approved_after_closing"},
    "portal_figures.taken_on_plausible": {"portal_figures.taken_after_closing"},
    "department_figures.denominator_in_range": {"department_figures.part_of_whole"},
    "e_document_counts.parts_at_most_total": {"e_document_counts.parts_equal_total"},
    "report_narrative.key_agrees": {"report_narrative.section_from_one_file"},
    "decisions.subject_kind_known": {"decisions.action_fits_subject"},
    "e_document_counts.electronic_and_paper_in_range": {"e_document_counts.parts_equal_total"},
    "e_document_counts.electronic_only_in_range": {"e_document_counts.parts_equal_total"},
    "e_document_counts.paper_only_in_range": {"e_document_counts.parts_equal_total"},
    "e_document_counts.outgoing_total_in_range": {
        "e_document_counts.parts_equal_total",
        "e_document_counts.parts_at_most_total",
    },
    "e_document_counts.incoming_total_in_range": {"e_document_counts.incoming_electronic_at_most_total"},
    "plan_tasks.findings_found_in_range": {"plan_tasks.settled_at_most_found"},
}


def _is_generic(rule_id: str) -> bool:
    """Rules whose breach follows from what they are: plausible dates, cells that are owed, agreeing files, sums of
    other rows, receipts, remarks, decisions.
    """
    return rule_id.startswith(("deliveries.", "periods.", "remarks.")) or rule_id.endswith(
        (
            ".key_agrees",
            ".own_row_is_no_total",
            "_plausible",
            "_present",
            ".raw_matches_something",
            ".raw_complete",
            ".section_from_one_file",
        )
    )


def _break_raw(lake: Lake, unit: str, rule: Rule) -> None:
    if rule.id.startswith(("deliveries.", "periods.")):
        _break_receipt(lake, unit, rule)
    elif rule.id.startswith("remarks."):
        _remark(lake, unit, rule)
    elif rule.id in ("decisions.raw_matches_something", "decisions.raw_complete"):
        lake.first(unit, "decisions").update(
            unit=unit, subject_kind="rule", subject="survey_responses.key_unique", action="accept_finding",
            applies_to="survey_responses" if rule.id.endswith("something") else None,
        )  # fmt: skip
    elif rule.id == "e_document_counts.own_row_is_no_total":
        delivery = lake.of(unit, rule.source)
        row = delivery.rows[0]
        halves = {name: value // 2 for name, value in _EVEN.items()}
        delivery.rows = [row | _EVEN | {"unit": unit}, *(row | halves | {"unit": name} for name in ("31618", "31630"))]
    elif rule.kind == "unique":
        delivery = lake.of(unit, rule.source)
        delivery.rows.append(dict(delivery.rows[0]))
    elif rule.id.endswith((".key_agrees", ".section_from_one_file")):
        again = copy.deepcopy(lake.of(unit, rule.source))
        again.delivery_id += ".again"
        again.rows[0].update(_OTHER_CONTENT[rule.source] if rule.id.endswith(".key_agrees") else {"paragraph_no": 2})
        lake.deliveries.append(again)
    else:
        lake.first(unit, rule.source).update(_bad_values(rule))


_EVEN = {"outgoing_total": 12, "electronic_only": 6, "electronic_and_paper": 4, "paper_only": 2, "incoming_total": 8,
         "incoming_electronic": 6}  # fmt: skip

# A column outside the key, and another value in order.
_OTHER_CONTENT: dict[str, dict[str, Any]] = {
    "one_stop_cases": {"late_reason": "khác"},
    "declared_returns": {"note": "khác"},
    "e_document_counts": {"connected": False},
    "org_units": {"name": "Tên khác"},
    "plan_tasks": {"content": "khác"},
    "procedure_catalogue": {"field": "khác"},
    "staffing_roster": {"position": "khác"},
    "survey_responses": {"overall": "neutral"},
    "decisions": {"reason": "khác"},
    "portal_figures": {"value": Decimal(6)},
    "department_figures": {"value": Decimal(81)},
    "report_narrative": {"text": "khác"},
}


def _bad_values(rule: Rule) -> dict[str, Any]:
    if rule.id in RAW_MUTATIONS:
        return RAW_MUTATIONS[rule.id]
    if rule.id.endswith("_plausible"):
        column = rule.id.removeprefix(f"{rule.source}.").removesuffix("_plausible")
        return {column: _implausible(rule.source, column)}
    if rule.id.endswith("_present"):
        return {rule.id.removeprefix(f"{rule.source}.").removesuffix("_present"): None}
    column = rule.columns[0]
    if rule.kind == "between":
        assert rule.minimum is not None
        return {column: rule.minimum - 1}
    stranger = {"not_null": None, "in_set": "stranger", "matches": "stranger", "symbols": "43/KH-Ủy ban nhân dân"}
    return {column: stranger[rule.kind]}


def _implausible(source: str, column: str) -> Any:
    """A date that is out of the window and still in order with the row's other dates."""
    late = column in ("due_at", "extended_to", "finished_at", "returned_at", "ended_on", "left_on", "valid_to")
    day = dt.date(2200, 1, 1) if late else _EARLY
    return dt.datetime(day.year, 1, 1) if source == "one_stop_cases" else day


_STATED = {
    "window_reaches_closing": "2023-03-15/2023-05-01",
    "window_starts_with_period": "2023-05-01/2023-06-14",
    "window_within_period": "2022-12-15/2023-06-14",
}


def _break_receipt(lake: Lake, unit: str, rule: Rule) -> None:
    delivery = lake.of(unit, rule.source)
    what = rule.id.rsplit(".", 1)[1]
    if what == "sent":
        lake.deliveries.remove(delivery)
    elif what == "sent_by_communes":
        lake.deliveries.remove(lake.of(f"{unit}-x", rule.source))
    elif what == "taken_in":
        lake.waiting.append((unit, "2023-Q2", rule.source, "a.xlsx"))
    elif what == "quarters_pass":
        lake.parts_held.append((unit, "2023-Q1", "Mọi tệp đã gửi đều đọc được."))
    elif what == "readable":
        refused = copy.deepcopy(delivery)
        refused.delivery_id += ".refused"
        refused.rows, refused.outcome, refused.message_vi = [], "refused", "tệp hỏng"
        lake.deliveries.append(refused)
    elif what == "rows_reconcile":
        delivery.rows_accepted = 2
    elif what == "findings_share":
        delivery.findings = [{"_row": row, "column": "a", "reason_code": "odd"} for row in range(2, 7)]
    elif what == "findings":
        delivery.findings = [{"_row": 2, "column": "a", "reason_code": "odd"}]
    elif what == "same_columns":
        again = copy.deepcopy(delivery)
        again.delivery_id += ".again"
        again.columns = ("a", "b")
        lake.deliveries.append(again)
    elif what in _STATED:
        delivery.remarks.append({"kind": "stated_window", "subject": "S", "value": _STATED[what]})
    elif what == "volume":
        _delivered_before(lake, unit, rule.source, rows=1000)
    elif what == "days_without_rows":
        first = delivery.rows[0]
        delivery.rows += [first | {"case_code": f"H51-230510-{number:04d}"} for number in range(10, 210)]
    else:
        delivery.rows_rejected = 1


def _delivered_before(lake: Lake, unit: str, source: str, rows: int) -> None:
    before = copy.deepcopy(lake.of(unit, source))
    before.delivery_id += ".before"
    before.quarter, before.rows, before.rows_accepted = "2023-Q1", [], rows
    lake.deliveries.append(before)


def _remark(lake: Lake, unit: str, rule: Rule) -> None:
    """A remark of the kind that the rule judges."""
    kind = rule.id.removeprefix("remarks.").removesuffix("_first").removesuffix("_of_nobody")
    remark = {"kind": kind if kind != "kind_known" else "stranger", "subject": "due_at", "count": 40,
              "message_vi": "Có một điều.", "advice_vi": ""}  # fmt: skip
    if kind == "stray_file":
        named = None if rule.id.endswith("_of_nobody") else unit
        lake.landing_remarks.append(remark | {"_unit_code": named, "_source": "survey_responses"})
        return
    lake.of(unit, "survey_responses").remarks.append(remark)
    if rule.id == "remarks.nothing_unsaid":
        _delivered_before(lake, unit, "survey_responses", rows=1)


def _expected_raw(rule: Rule) -> set[str]:
    receipts = f"deliveries.{rule.source}"
    expected = {rule.id} | ALSO.get(rule.id, set())
    of_rejected = {f"{receipts}.{name}" for name in ("rejected_share", "rejected_rows", "none_rejected")}
    if rule.id in of_rejected:
        # One row of two rejected: whatever the source is asked of them goes together.
        expected |= of_rejected & {r.id for r in RAW_RULES}
    if rule.id == f"{receipts}.findings_share":
        expected.add(f"{receipts}.findings")
    return expected


@pytest.fixture(scope="module")
def raw_failures(tmp_path_factory: pytest.TempPathFactory, worlds: Any) -> dict[str, set[str]]:
    from expectations.gate import Database

    failures = {}
    # What belongs to no unit concerns all of them, so it has a lake of its own.
    nobodys = [rule for rule in RAW_RULES if rule.id.endswith("_of_nobody")]
    for rules in ([rule for rule in RAW_RULES if rule not in nobodys], nobodys):
        lake: Lake = worlds.lake(tmp_path_factory.mktemp("raw"))
        for rule in rules:
            lake.add_unit(rule.id)
            _break_raw(lake, rule.id, rule)
        failures |= {verdict.unit_code: _failing(verdict) for verdict in inspect_raw(lake.request(), Database)}
    return failures


@pytest.mark.parametrize("rule", RAW_RULES, ids=lambda rule: rule.id)
def test_a_violating_delivery_fires_its_rule_and_only_the_named_others(
    rule: Rule, raw_failures: dict[str, set[str]]
) -> None:
    assert raw_failures[rule.id] == _expected_raw(rule)

"""The contradictions of the real report of 2023-Q1: each is held back without its decision, and by nothing else."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expectations import explain_vi
from expectations.decisions import figures_vi, list_vi
from expectations.gate import Database
from expectations.inspection import inspect_marts, inspect_raw
from expectations.verdicts import Verdict

if TYPE_CHECKING:
    from conftest import Candidate, CandidateWorld, Lake

# decision id -> (kind, subject, action, effect, rules accepted on the row, figures seen)
DECISIONS: dict[str, tuple[str, str, str, str, str | None, str | None]] = {
    "QD-06": ("rule", "report.flag_domain.I.16", "accept_finding", "covers_findings", None, "I.16 = 2"),
    "QD-07": ("rule", "report.III.05.follows_parts", "accept_finding", "covers_findings", None,
              "III.05 = 1; III.06 = 0; III.07 = 0; III.08 = trống"),
    "QD-08": ("rule", "report.V.02.heading_contradicts_children", "accept_finding", "covers_findings", None,
              "V.02 = 0; V.03 = 1; V.04 = 0"),
    "QD-09": ("row", "VI.04", "accept_declared", "applied", "report.VI.04.sum_of_groups",
              "số tính toán = 1; số khai báo = 31; VI.04 = 31; VI.05 = 0; VI.06 = 1; VI.07 = 0; VI.08 = 0"),
    "QD-10": ("rule", "report.VI.06.requires_staff", "accept_finding", "covers_findings", None,
              "IV.21 = 0; IV.22 = 0; VI.05 = 0; VI.06 = 1"),
    "QD-11": ("rule", "report.VII.29.at_most_offered", "accept_finding", "covers_findings", None,
              "VII.23 = trống; VII.27 = 237; VII.29 = 251"),
    **{
        decision_id: ("row", code, "accept_declared", "applied",
                      f"report.{code}.at_most_cases; report.{code}.iff_cases",
                      f"số tính toán = 0; số khai báo = {value}; {code} = {value}; {cases} = 0")
        for decision_id, code, cases, value in (
            ("QD-12", "VII.44", "VII.46", 10), ("QD-13", "VII.45", "VII.47", 10),
            ("QD-14", "VII.50", "VII.52", 2), ("QD-15", "VII.51", "VII.53", 2),
        )
    },
    "QD-16": ("rule", "report.III.27.no_backlog", "accept_finding", "covers_findings", None,
              "III.26 = 6530; commune_cases_open = 0"),
}  # fmt: skip
# Rows where the office declared another figure than the records give: code -> (computed, declared).
DECLARED = {
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
    for decision_id, (kind, subject, action, effect, rules, seen) in DECISIONS.items():
        if decision_id in decided:
            candidate.decide(decision_id, kind, subject, action, effect, applies_to=rules, figures_seen=seen)
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
    kind, subject, *_ = DECISIONS[decision_id]
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
    line = next(line for line in explain_vi(verdicts["QD-09"]) if "[report.settled]" in line)
    assert line == (
        "VI.04 “Số lượng đơn vị sự nghiệp công lập (SNCL) thực hiện cơ chế tự chủ” (mục VI.3): số tính toán 1 khác số "
        "khai báo 31 và cần một quyết định lấy số nào. "
        "Sửa dữ liệu hoặc số khai báo cho khớp, hoặc ban hành quyết định số liệu cho chỉ tiêu này. "
        "Quyết định, nếu có, ghi: loại đối tượng “Chỉ tiêu”, đối tượng “VI.04”, cách xử lý “Chấp nhận số khai báo” "
        "hoặc “Chấp nhận số tính toán”, số liệu đã xem “số tính toán = 1; số khai báo = 31”. [report.settled]"
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
            applies_to=f"{unit}/{unit}.survey_responses.xlsx",
            figures_seen="số dòng bị loại = 1; số dòng đã đọc = 2",
            action="accept_finding",
            quarter="2023-Q1",
            holds_until=holds_until,
        )
    settled, run_out = inspect_raw(lake.request(), worlds.plain)
    assert settled.blocking() == []
    assert [r.expectation_id for r in run_out.blocking()] == ["deliveries.survey_responses.rejected_share"]


_WINDOW = "deliveries.one_stop_cases.window_reaches_closing"
_SHEET = "945/one_stop_cases/945.one_stop_cases.xlsx/S"


@pytest.mark.parametrize("first_quarter", ["2023-Q1", "2023-Q2"])
@pytest.mark.parametrize(
    ("applies_to", "seen", "is_covered"),
    [
        (_SHEET, "đến ngày = 31/05/2023", True),
        ("945/945.one_stop_cases.xlsx", "đến ngày = 31/05/2023", False),  # as a rule named what it is about before
        (_SHEET, "đến ngày = 31/03/2023", False),
        (f"{_SHEET}; 945/old.xlsx", "đến ngày = 31/05/2023", True),
    ],
)
def test_a_decision_that_no_longer_matches_is_named_beside_what_is_open_again(
    lake: Lake, worlds: Any, applies_to: str, seen: str, is_covered: bool, first_quarter: str
) -> None:
    lake.add_unit("945")
    lake.of("945", "one_stop_cases").remarks = [
        {"kind": "stated_window", "subject": "S", "value": "2023-03-15/2023-05-31"}
    ]
    lake.first("945", "decisions").update(
        decision_id="QD-05", unit="945", subject_kind="rule", subject=_WINDOW, applies_to=applies_to,
        figures_seen=seen, action="accept_finding", quarter=first_quarter, holds_until="2023-Q2",
    )  # fmt: skip
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    [result] = [r for r in verdict.results if r.expectation_id == _WINDOW]
    assert [f.decision_id for f in result.findings] == ["QD-05" if is_covered else None]
    assert result.blocking is not is_covered
    told = str(result.findings[0].settle_vi)
    assert told.startswith("Quyết định QD-05 nêu quy tắc") is not is_covered
    assert is_covered or f"áp dụng cho “{_SHEET}”" in told


def test_a_decision_that_settles_one_finding_is_not_named_beside_another(lake: Lake, worlds: Any) -> None:
    lake.add_unit("945")
    lake.of("945", "one_stop_cases").remarks = [
        {"kind": "other_time", "subject": sheet, "value": "Quý IV"} for sheet in ("S", "T")
    ]
    lake.first("945", "decisions").update(
        decision_id="QD-05", unit="945", subject_kind="rule", subject="remarks.other_time", applies_to=_SHEET,
        figures_seen="số kỳ này = Quý IV", action="accept_finding", quarter="2023-Q1", holds_until="2023-Q2",
    )  # fmt: skip
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    [result] = [r for r in verdict.results if r.expectation_id == "remarks.other_time"]
    assert sorted((f.decision_id or "", "QD-05" in str(f.settle_vi)) for f in result.findings) == [
        ("", False), ("QD-05", False),
    ]  # fmt: skip


def test_a_number_that_two_quarters_registers_give_settles_at_both_gates_alike(lake: Lake, worlds: Any) -> None:
    """Each quarter numbers its register from the beginning; a line carried along is one decision."""
    lake.add_unit("945")
    for source in ("survey_responses", "one_stop_cases"):
        lake.of("945", source).rows_rejected = 1
    first = lake.first("945", "decisions")

    def about(source: str, **more: str) -> dict[str, str]:
        return {
            "decision_id": "QD 01", "unit": "945", "subject_kind": "rule", "action": "accept_finding",
            "subject": f"deliveries.{source}.rejected_share", "applies_to": f"945/945.{source}.xlsx",
            "figures_seen": "số dòng bị loại = 1; số dòng đã đọc = 2", "quarter": "2023-Q1", "holds_until": "2023-Q2",
            "_quarter": "2023-Q1",
        } | more  # fmt: skip

    first.update(about("survey_responses"))
    again = first | {"_quarter": "2023-Q2"}
    other = first | about("one_stop_cases", quarter="2023-Q2", _quarter="2023-Q2")
    for number, (rows, named) in enumerate([([first, other], "QD 01 (2023-Q1)"), ([first, again], "QD 01")]):
        lake.of("945", "decisions").rows[:] = rows
        [verdict] = inspect_raw(replace(lake, folder=lake.folder / str(number)).request(), worlds.plain)
        by = {r.expectation_id: r.decision_id for r in verdict.results if r.expectation_id.endswith("rejected_share")}
        assert by["deliveries.survey_responses.rejected_share"] == named
        assert by["deliveries.one_stop_cases.rejected_share"] == ("QD 01" if other in rows else None)


def test_of_a_number_that_one_register_gives_twice_the_later_line_holds_at_gate_1_as_in_the_marts(
    lake: Lake, worlds: Any
) -> None:
    """Also where the later one is about something else, so that the earlier one settles nothing any more."""
    lake.add_unit("945")
    lake.of("945", "survey_responses").rows_rejected = 1
    decision = lake.first("945", "decisions")
    decision.update(
        unit="945", subject_kind="rule", subject="deliveries.survey_responses.rejected_share",
        applies_to="945/945.survey_responses.xlsx", action="accept_finding", quarter="2023-Q1", holds_until="2023-Q2",
        figures_seen="số dòng bị loại = 1; số dòng đã đọc = 2",
    )  # fmt: skip
    later = decision | {"subject_kind": "row", "subject": "III.25", "action": "withhold"}
    for number, (rows, named) in enumerate([([decision], decision["decision_id"]), ([decision, later], None)]):
        lake.of("945", "decisions").rows[:] = rows
        [verdict] = inspect_raw(replace(lake, folder=lake.folder / str(number)).request(), worlds.plain)
        assert [r.decision_id for r in verdict.results if r.expectation_id == decision["subject"]] == [named]


# Not quarters, though parts of them can be cast to numbers, or sort behind any quarter.
MALFORMED = ["2023Q2", "2023-Q5", "2023-Q0", "23-Q2", "2023-q2", "2023-Q2 ", " 2023-Q2", "2023-Q2\n", "9999", "Q2/2023",
             "2023-Q22", "２０２３-Q2", "zzzz-Q1", ""]  # fmt: skip


@pytest.mark.parametrize("column", ["quarter", "holds_until"])
def test_a_malformed_quarter_of_a_decision_blocks_and_the_decision_covers_nothing(
    lake: Lake, worlds: Any, column: str
) -> None:
    """However it came past intake: the rule on validity cannot be computed then, so another one must find it."""
    for number, text in enumerate(MALFORMED):
        unit = f"{945 + number}"
        lake.add_unit(unit)
        lake.of(unit, "survey_responses").rows_rejected = 1
        lake.first(unit, "decisions").update(
            {"unit": unit, "subject_kind": "rule", "subject": "deliveries.survey_responses.rejected_share",
             "applies_to": f"{unit}/{unit}.survey_responses.xlsx", "action": "accept_finding",
             "figures_seen": "số dòng bị loại = 1; số dòng đã đọc = 2", "quarter": "2023-Q1",
             "holds_until": "2023-Q2", column: text}
        )  # fmt: skip
    for text, verdict in zip(MALFORMED, inspect_raw(lake.request(), worlds.plain), strict=True):
        blocking = {r.expectation_id for r in verdict.blocking()}
        assert {f"decisions.{column}_well_formed", "deliveries.survey_responses.rejected_share"} <= blocking, repr(text)
        assert not any(r.status == "did_not_run" for r in verdict.results), repr(text)


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        # A rule accepted for good, whatever rows break it.
        ({"subject": "report.settled", "applies_to": "VI.04"}, ["decisions.complete", "report.settled"]),
        ({"subject": "report.counts_whole", "applies_to": None}, ["decisions.complete", "report.settled"]),
        ({"subject": "report.rows_unique", "applies_to": "VI.04"}, ["decisions.complete", "report.settled"]),
        # A row accepted for good, whatever is wrong with it.
        ({"kind": "row", "subject": "VI.04", "applies_to": None}, ["decisions.complete", "report.settled"]),
        ({"kind": "row", "subject": "VI.04", "applies_to": "report.settled"}, ["decisions.complete", "report.settled"]),
    ],
)
def test_a_blanket_decision_is_an_error_and_covers_nothing(
    candidate_world: CandidateWorld, worlds: Any, decision: dict[str, Any], expected: list[str]
) -> None:
    def change(candidate: Candidate) -> None:
        candidate.row("VI.04").update(
            status="unsettled", value=None, computed_value=Decimal(31), declared_value=Decimal(30)
        )
        candidate.decide(
            "QD-90", decision.get("kind", "rule"), decision["subject"], "accept_finding", "covers_findings",
            applies_to=decision["applies_to"], figures_seen="số tính toán = 31; số khai báo = 30",
        )  # fmt: skip

    candidate_world.add("945", change)
    [verdict] = inspect_marts(candidate_world.request(), worlds.plain)
    assert [result.expectation_id for result in verdict.blocking()] == expected


def test_what_rests_on_a_figure_that_is_still_to_be_chosen_asks_for_the_choice_first(
    candidate_world: CandidateWorld, worlds: Any
) -> None:
    """A decision that names today's figures would settle nothing once the other figure is chosen."""

    def change(candidate: Candidate) -> None:
        candidate.set_figure("III.26", 9)
        candidate.row("III.26").update(
            status="unsettled", value=None, computed_value=Decimal(8), declared_value=Decimal(9)
        )

    candidate_world.add("945", change)
    [verdict] = inspect_marts(candidate_world.request(), worlds.plain)
    told = {result.expectation_id: result.findings[0].settle_vi for result in verdict.blocking()}
    first = "Trước hết chọn số cho III.26 “Số hồ sơ TTHC do UBND cấp xã tiếp nhận” (mục III.6); "
    assert str(told.pop("report.settled")).startswith("Quyết định, nếu có, ghi: loại đối tượng “Chỉ tiêu”")
    assert "report.III.26.cases_add_up" in told
    assert [rule for rule, advice in told.items() if not str(advice).startswith(first)] == []


@pytest.mark.parametrize(
    ("seen", "rules", "is_covered"),
    [
        ("VI.04 = 31; VI.05 = 0; VI.06 = 1; VI.07 = 0; VI.08 = 0", "report.VI.04.sum_of_groups", True),
        ("vi.04=31,0\nVI.05 = 0; VI.06=1; VI.07=0; VI.08 = 0", "report.VI.04.sum_of_groups", True),
        ("VI.04 = 30; VI.05 = 0; VI.06 = 1; VI.07 = 0; VI.08 = 0", "report.VI.04.sum_of_groups", False),
        ("VI.04 = 31; VI.05 = 0; VI.06 = 1; VI.07 = 0", "report.VI.04.sum_of_groups", False),
        (None, "report.VI.04.sum_of_groups", False),
        ("VI.04 = 31; VI.05 = 0; VI.06 = 1; VI.07 = 0; VI.08 = 0", "report.VI.04.equals_units", False),
    ],
)
def test_a_decision_covers_the_rule_and_the_figures_it_was_made_for(
    candidate_world: CandidateWorld, worlds: Any, seen: str | None, rules: str, is_covered: bool
) -> None:
    def change(candidate: Candidate) -> None:
        as_reported(candidate, set(DECISIONS) - {"QD-09"})
        candidate.row("VI.04").update(status="declared", value=Decimal(31))
        figures = f"số tính toán = 1; số khai báo = 31; {seen}" if seen else None
        candidate.decide("QD-09", "row", "VI.04", "accept_declared", "applied", applies_to=rules, figures_seen=figures)

    candidate_world.add("945", change)
    [verdict] = inspect_marts(candidate_world.request(), worlds.plain)
    open_rules = [result.expectation_id for result in verdict.blocking()]
    assert open_rules == ([] if is_covered else ["report.VI.04.sum_of_groups"])


def test_a_decision_of_an_earlier_quarter_that_is_no_longer_needed_holds_nothing_back(
    candidate_world: CandidateWorld, worlds: Any
) -> None:
    candidate_world.add(
        "945",
        lambda c: c.decide("QD-06", "rule", "report.flag_domain.I.16", "accept_finding", "covers_findings",
                           first_quarter="2023-Q1", figures_seen="I.16 = 2"),
    )  # fmt: skip
    [verdict] = inspect_marts(candidate_world.request(), worlds.plain)
    assert verdict.blocking() == []


def test_a_commune_that_sent_nothing_is_settled_by_name_and_makes_the_report_provisional(
    lake: Lake, worlds: Any
) -> None:
    for unit, commune in (("945", "945-x"), ("946", "945-x"), ("947", None)):
        lake.add_unit(unit)
        lake.deliveries.remove(lake.of(f"{unit}-x", "one_stop_cases"))
        lake.first(unit, "decisions").update(
            unit=unit, subject_kind="rule", subject="deliveries.one_stop_cases.sent_by_communes",
            applies_to=commune, action="accept_finding",
        )  # fmt: skip
    named, other, nobody = inspect_raw(lake.request(), worlds.plain)
    assert named.blocking() == []
    assert [r.expectation_id for r in named.provisional()] == ["deliveries.one_stop_cases.sent_by_communes"]
    assert {r.expectation_id for r in other.blocking()} == {
        "decisions.raw_matches_something", "deliveries.one_stop_cases.sent_by_communes",
    }  # fmt: skip
    assert {r.expectation_id for r in nobody.blocking()} == {
        "decisions.raw_complete", "deliveries.one_stop_cases.sent_by_communes",
    }  # fmt: skip


def _with_two_rows(lake: Lake, kind: str) -> str:
    """Two findings of one rule in two delivered rows that say the same; returns the rule."""
    lake.add_unit("945")
    if kind == "column":
        first = lake.first("945", "staffing_roster")
        first["rank_code"] = "sai mã"
        rows = lake.of("945", "staffing_roster").rows
        rows.append(first | {"person_key": "khóa khác"})
        return "staffing_roster.rank_code_well_formed"
    if kind == "text":
        rows = lake.of("945", "decisions").rows
        rows[0]["reason"] = "Theo ý kiến của bà Nguyễn Thị Năm"
        rows.append(rows[0] | {"decision_id": "QD-77"})
        return "decisions.texts_name_nobody"
    # The same file name, sheet and row number in another office's folder.
    day = dt.datetime(1923, 3, 1, 8, 0)
    other = lake.of("945-x", "one_stop_cases")
    for delivery in (lake.of("945", "one_stop_cases"), other):
        delivery.rows[0] |= {"case_code": "H51-230510-0007", "due_at": day}
    return "one_stop_cases.due_at_plausible"


@pytest.mark.parametrize("kind", ["column", "text", "key"])
def test_a_row_that_is_accepted_settles_no_other_row_that_says_the_same(worlds: Any, tmp_path: Path, kind: str) -> None:
    """Of rules whose findings have a column, a text or a key for their subject, which several rows share."""
    lake = worlds.lake(tmp_path / "open")
    rule = _with_two_rows(lake, kind)
    (found,) = [r for r in inspect_raw(lake.request(), worlds.plain)[0].results if r.expectation_id == rule]
    assert found.failed_rows == 2
    first, second = found.findings
    assert first.named != second.named

    settled = worlds.lake(tmp_path / "settled")
    assert _with_two_rows(settled, kind) == rule
    rows = settled.of("945", "decisions").rows
    accepts = {"subject_kind": "rule", "subject": rule, "action": "accept_finding", "reason": "Đã xem xét"}
    names = {"applies_to": list_vi([first.named]), "figures_seen": figures_vi(first.figures)}
    rows.append(rows[0] | accepts | names | {"decision_id": "QD-88", "unit": "945"})
    (verdict,) = inspect_raw(settled.request(), worlds.plain)
    (result,) = [r for r in verdict.results if r.expectation_id == rule]
    assert (result.failed_rows, result.covered_rows) == (2, 1)
    assert [finding.named for finding in result.findings if finding.decision_id is None] == [second.named]
    assert rule in {r.expectation_id for r in verdict.blocking()}

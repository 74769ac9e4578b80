"""What is asked of who decides, and that what is decided about one finding settles no other."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from expectations.decisions import CHOICE, Decision, figure_vi, parse_figures, parse_list
from expectations.declarations import Rule, declared_rules, suite_version
from expectations.review import Question, RegisterLine, ReviewedRow, judge_lines, questions
from expectations.suites import compile_rule
from expectations.verdicts import MAX_FINDINGS, Finding, Result, Verdict

RULES = {rule.id: rule for stage in ("raw", "mart") for rule in declared_rules(stage)}  # type: ignore[arg-type]
SETTLEABLE = sorted(rule.id for rule in RULES.values() if rule.settleable)
#: Of the others nobody is asked: they hold nothing back.
HOLDING = [rule_id for rule_id in SETTLEABLE if RULES[rule_id].severity != "info"]
ROW = ReviewedRow("III.25", 73, "Số hồ sơ đúng hạn", Decimal(606), Decimal(611), ("H51-1", "H51-2"))
ROWS = {"III.25": ROW, "III.24": ReviewedRow("III.24", 72, "Số hồ sơ đã trả", Decimal(611), Decimal(611))}


def result_of(rule: Rule, findings: list[Finding], **fields: Any) -> Result:
    findings = fields.pop("shown", findings)
    body: dict[str, Any] = {
        "expectation_id": rule.id, "source": rule.source, "sentence_vi": rule.sentence_vi, "severity": rule.severity,
        "status": "fail", "observed": None, "failed_rows": len(findings), "covered_rows": 0, "decision_id": None,
        "settleable": rule.settleable, "empty_allowed": False, "blocking": True, "findings": tuple(findings),
    }  # fmt: skip
    return Result(**(body | fields))


def verdict_of(*results: Result, stage: Any = "mart") -> Verdict:
    return Verdict(
        stage=stage, unit_code="945", quarter="2023-Q1", subject_hash="h", suite_version=suite_version(stage),
        results=results,
    )  # fmt: skip


def asked_about(rule: Rule, *findings: Finding) -> list[Question]:
    return questions([verdict_of(result_of(rule, list(findings)), stage=rule.stage)], ROWS)


def cell_texts(question: Question, action: str) -> RegisterLine:
    """The line as it stands in the register when the question's workbook comes back."""
    return RegisterLine(
        "dòng 7", question.decision_id, question.subject_kind, question.subject, action,
        question.applies_to_vi, "; ".join(question.cases), question.figures_seen,
    )  # fmt: skip


def decision_of(line: RegisterLine) -> Decision:
    effect = "covers_findings" if line.action == "accept_finding" else "applied"
    return Decision(
        "945", line.decision_id, line.subject_kind, line.subject, line.action, effect,
        applies_to=parse_list(line.applies_to), figures=parse_figures(line.figures_seen),
    ).judged(RULES)  # fmt: skip


_NUMBER = re.compile(r"-?\d+(?:,\d+)?")
_VALUES = st.one_of(
    st.integers(-99, 9999).map(str),
    st.sampled_from(["trống", "47,5", "01/02/2023", "001", "1"]),
    st.text("ab ;:=\"“”\n,.1#~/'", min_size=1, max_size=12).filter(str.strip),
)
_NAMES = st.one_of(
    st.sampled_from(["H51-230301-0012", "945/a.xlsx, Danh sách, dòng 12 ~0a1b2c3d", "945/a.xlsx", "III.25"]),
    st.text("aб1 ;:=\"“”/.,~'", min_size=1, max_size=16).filter(str.strip),
)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _figures_of(rule: Rule) -> list[str]:
    names = [n for n in compile_rule(rule).shown if rule.figures is None or n in rule.figures]
    return [figure_vi(rule, name) for name in names]


@st.composite
def two_findings(draw: st.DrawFn) -> tuple[Rule, Finding, Rule, Finding]:
    """Two findings of any kinds of rules, of one rule more often than not."""
    rule = RULES[draw(st.sampled_from(HOLDING))]
    other = rule if draw(st.booleans()) else RULES[draw(st.sampled_from(SETTLEABLE))]
    made = []
    for one in (rule, other):
        figures = {name: draw(_VALUES) for name in _figures_of(one)}
        about_row = one.id == CHOICE or (one.stage == "mart" and draw(st.booleans()))  # a choice is of a row's figures
        subject = draw(st.sampled_from(sorted(ROWS))) if about_row else draw(_NAMES)
        named = subject if subject in ROWS else draw(_NAMES)
        made.append(Finding(subject=subject, message_vi="x", named=named, figures=figures))
    if rule is other and draw(st.booleans()):  # all but one thing alike
        first, second = made
        twin = first.model_copy(update={"named": second.named, "subject": second.subject})
        if first.figures and draw(st.booleans()):
            name = draw(st.sampled_from(sorted(first.figures)))
            twin = first.model_copy(update={"figures": first.figures | {name: second.figures[name]}})
        made[1] = twin
    return rule, made[0], other, made[1]


def _same(one: str, other: str) -> bool:
    if _NUMBER.fullmatch(_plain(one)) and _NUMBER.fullmatch(_plain(other)):
        # A code that is written like a number is one only where both are numbers as findings print them.
        assume(_plain(one) == _plain(other) or Decimal(one.replace(",", ".")) != Decimal(other.replace(",", ".")))
    return _plain(one) == _plain(other)


@settings(max_examples=400, deadline=None)
@given(two_findings())
def test_what_is_decided_about_one_finding_settles_it_and_never_another(
    drawn: tuple[Rule, Finding, Rule, Finding],
) -> None:
    rule, finding, other_rule, other = drawn
    (question,) = asked_about(rule, finding)
    for option in question.options:
        decision = decision_of(cell_texts(question, option.action))
        if option.action != "count_as_on_time":  # which settles by the figures that it leads to
            assert decision.covers(rule, finding.named, finding.figures), (question, option)
        is_one = (
            rule is other_rule
            and _plain(finding.named) == _plain(other.named)
            and all(_same(value, other.figures[name]) for name, value in finding.figures.items())
        )
        if not is_one:
            assert not decision.covers(other_rule, other.named, other.figures), (question, option)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(_NAMES, _VALUES), min_size=2, max_size=6, unique_by=lambda one: _plain(one[0])).filter(
        lambda found: not {name for name, _ in found} & set(ROWS)
    )
)
def test_a_line_about_several_findings_names_each_with_its_own_figures(found: list[tuple[str, str]]) -> None:
    rule = RULES["case_findings.no_appointment"]
    names = _figures_of(rule)
    findings = [
        Finding(subject=name, message_vi=name, named=name, figures=dict.fromkeys(names, value)) for name, value in found
    ]
    (question,) = asked_about(rule, *findings)
    decision = decision_of(cell_texts(question, "accept_finding"))
    for one in findings:
        assert decision.covers(rule, one.named, one.figures)
        assert not decision.covers(rule, one.named, one.figures | {names[0]: "thứ khác hẳn"})
    assert not decision.covers(rule, "chưa ai nêu", findings[0].figures)


def test_no_rule_shows_two_figures_under_one_name() -> None:
    """Else a change of the one that is lost would go unseen."""
    names = {rule_id: _figures_of(RULES[rule_id]) for rule_id in SETTLEABLE}
    doubled = {rule_id: found for rule_id, found in names.items() if len({n.casefold() for n in found}) < len(found)}
    assert doubled == {}


def test_every_settleable_rule_about_delivered_rows_names_the_row() -> None:
    """A subject such as a column or a source would stand for every row of it, those to come included."""
    for rule_id in SETTLEABLE:
        compiled = compile_rule(RULES[rule_id])
        constant = re.fullmatch(r"'[^']*'", compiled.named)
        about_one_row_of_the_form = RULES[rule_id].indicator is not None and RULES[rule_id].stage == "mart"
        assert constant is None or about_one_row_of_the_form, rule_id


# ------------------------------------------------------------------------------------------------------------ questions


def _settled(**figures: str) -> Finding:
    seen = {"số tính toán": "606", "số khai báo": "611"} | figures
    return Finding(subject="III.25", message_vi="hai số khác nhau", named="III.25", figures=seen)


def test_two_figures_of_a_row_ask_which_with_what_each_would_publish() -> None:
    (question,) = asked_about(RULES[CHOICE], _settled())
    assert [option.action for option in question.options] == [
        "accept_declared", "accept_computed", "count_as_on_time", "withhold",
    ]  # fmt: skip
    declared, computed, counted, withheld = (option.sentence_vi for option in question.options)
    assert "611" in declared
    assert "606" in computed
    assert "608" in counted  # two of five late cases: still not what was declared
    assert "vẫn khác số khai báo 611" in counted
    assert "để trống" in withheld
    assert question.cases == ("H51-1", "H51-2")
    assert question.figures_seen == "số tính toán = 606; số khai báo = 611"


def test_a_rule_that_rests_on_the_row_goes_with_its_choice_and_one_on_another_row_waits() -> None:
    beside = Finding(
        subject="III.25", message_vi="lớn hơn", named="III.25", figures={"III.25": "611", "III.24": "600"},
        waits_for=("III.25",),
    )  # fmt: skip
    later = beside.model_copy(update={"subject": "III.24", "named": "III.24"})
    rule = next(r for r in RULES.values() if r.kind == "relation" and r.indicator == "III.25")
    other = next(r for r in RULES.values() if r.kind == "relation" and r.indicator == "III.24")
    asked = questions(
        [verdict_of(result_of(RULES[CHOICE], [_settled()]), result_of(rule, [beside]), result_of(other, [later]))], ROWS
    )
    choice, waits = asked
    assert choice.applies_to == (rule.id,)
    assert set(choice.findings) == {(CHOICE, "III.25"), (rule.id, "III.25")}
    assert waits.options == ()
    assert waits.mend_vi.startswith("Trước hết chọn số cho III.25 (dòng 73)")


def test_findings_of_one_rule_are_one_line_until_they_are_too_many() -> None:
    rule = RULES["case_findings.no_appointment"]
    found = [
        Finding(subject=code, message_vi=code, named=code, figures={"mã hồ sơ": code}, file="a", row=n)
        for n, code in enumerate(f"H51-{n}" for n in range(400))
    ]  # fmt: skip
    asked = asked_about(rule, *found)
    assert [len(question.applies_to) for question in asked] == [150, 150, 100]
    assert len({question.decision_id for question in asked}) == 3
    assert sorted(name for question in asked for _, name in question.findings) == sorted(f.named for f in found)
    assert all(len(question.figures_seen) < 32_000 and len(question.applies_to_vi) < 32_000 for question in asked)
    assert len(asked[0].places) == 150


@pytest.mark.parametrize(
    ("rule_id", "fields", "says"),
    [
        ("report.rows_unique", {}, "Không giải trình bằng quyết định được"),
        ("report.counts_whole", {"status": "did_not_run", "observed": "hỏng", "shown": []}, "người quản trị"),
        ("report.counts_whole", {"failed_rows": MAX_FINDINGS + 1}, "Quá nhiều chỗ"),
    ],
)
def test_what_no_decision_settles_says_what_to_mend_and_offers_nothing(
    rule_id: str, fields: dict[str, Any], says: str
) -> None:
    found = Finding(subject="x", message_vi="sai", named="x")
    (question,) = questions([verdict_of(result_of(RULES[rule_id], [found], **fields))], ROWS)
    assert question.options == ()
    assert says in question.mend_vi


def test_a_settled_finding_is_asked_about_no_more() -> None:
    found = _settled().model_copy(update={"decision_id": "QD-01"})
    (question,) = asked_about(RULES[CHOICE], found, Finding(subject="III.24", message_vi="y", named="III.24"))
    assert question.subject == "III.24"


def test_the_id_stays_while_the_question_does_and_changes_with_its_figures() -> None:
    (first,), (again,) = asked_about(RULES[CHOICE], _settled()), asked_about(RULES[CHOICE], _settled())
    (changed,) = asked_about(RULES[CHOICE], _settled(**{"số khai báo": "612"}))
    assert first.decision_id == again.decision_id != changed.decision_id


# ---------------------------------------------------------------------------------------------------------------- lines


def _judge(*lines: RegisterLine, standing: tuple[RegisterLine, ...] = ()) -> list[Any]:
    return judge_lines(lines, standing, [verdict_of(result_of(RULES[CHOICE], [_settled()]))], ROWS)


def _line(action: str = "accept_declared", **fields: Any) -> RegisterLine:
    body: dict[str, Any] = {
        "place_vi": "dòng 7", "decision_id": "QD-01", "subject_kind": "row", "subject": "III.25", "action": action,
        "applies_to": None, "cases": None, "figures_seen": "số tính toán = 606; số khai báo = 611",
    }  # fmt: skip
    return RegisterLine(**(body | fields))


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ("accept_declared", "III.25 (dòng 73): công bố 611"),
        ("accept_computed", "III.25 (dòng 73): công bố 606"),
        ("withhold", "III.25 (dòng 73): không công bố"),
    ],
)
def test_a_line_says_what_it_matches_and_what_it_would_change(action: str, changes: str) -> None:
    (judged,) = _judge(_line(action))
    assert judged.matches_vi == ["Hai số khác nhau. [report.settled]"]
    assert judged.changes_vi == changes
    assert judged.problems_vi == []


def test_cases_counted_are_laid_against_the_late_ones() -> None:
    counted, stranger = _judge(
        _line("count_as_on_time", cases="H51-1; H51-2"), _line("count_as_on_time", cases="H51-1; H51-9")
    )
    assert counted.changes_vi == "III.25 (dòng 73): số tính toán từ 606 thành 608, số khai báo 611"
    assert any("1 hồ sơ không trễ hạn" in problem and "H51-9" in problem for problem in stranger.problems_vi)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"figures_seen": "số tính toán = 600; số khai báo = 611"}, "nay có: số tính toán = 606; số khai báo = 611"),
        ({"subject": "III.99"}, "Biểu của kỳ không có chỉ tiêu III.99"),
        ({"subject": "III.24"}, "Không ứng với điểm nào đang chặn công bố"),
        (
            {"subject_kind": "rule", "subject": "report.khong_co", "action": "accept_finding"},
            "Không có quy tắc nào mang mã report.khong_co",
        ),
        (
            {"subject_kind": "rule", "subject": "report.rows_unique", "action": "accept_finding", "applies_to": "x"},
            "phải được sửa, không giải trình bằng quyết định được",
        ),
    ],
)
def test_a_line_that_settles_nothing_says_why(fields: dict[str, Any], says: str) -> None:
    action = fields.pop("action", "accept_declared")
    (judged,) = _judge(_line(action, **fields))
    assert judged.matches_vi == []
    assert any(says in problem for problem in judged.problems_vi), judged.problems_vi


def test_two_lines_that_contradict_say_so_with_the_way_out_wherever_the_other_stands() -> None:
    other = _line("accept_computed", place_vi="dòng 8", decision_id="QD-02")
    first, second = _judge(_line(), other)
    assert "Trái với dòng 8 (QD-02): cùng về III.25" in first.problems_vi[0]
    assert "Giữ một dòng" in first.problems_vi[0]
    assert "Trái với dòng 7 (QD-01)" in second.problems_vi[0]
    (against,) = _judge(_line(), standing=(other,))
    assert "Trái với dòng 8 (QD-02)" in against.problems_vi[0]
    twice, _ = _judge(_line(), _line(decision_id="QD-03", place_vi="dòng 9"))
    assert twice.problems_vi == ["Trùng với dòng 9 (QD-03) về III.25; chỉ cần một dòng."]


def test_cases_that_several_lines_count_are_counted_together_before_the_choice() -> None:
    """A line that counts some of the late cases stays when the next workbook asks about the row again."""
    first = _line("count_as_on_time", cases="H51-1", place_vi="dòng 5", decision_id="QD-01")
    for action in ("count_as_on_time", "accept_computed", "accept_declared", "withhold"):
        again = _line(action, cases="H51-2", place_vi="dòng 4", decision_id="QD-02")
        assert [one.problems_vi for one in _judge(first, again)] == [[], []], action
    _, twice = _judge(first, _line("count_as_on_time", cases=" H51-1 ", place_vi="dòng 4", decision_id="QD-02"))
    assert twice.problems_vi == ["Trùng với dòng 5 (QD-01) về III.25; chỉ cần một dòng."]

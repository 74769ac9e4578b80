"""What is to be decided about a unit that is held back, and what a line of the register of decisions would settle.

Belongs here: findings that share a cause as one question, the actions allowed for it and what each publishes, lines of
a register laid against stored verdicts. Does not belong here: matching one decision to one finding (``decisions``),
files and their looks, where anything is stored.

A question names every finding it settles, so its decision settles no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from common.files import canonical_json, sha256_bytes
from expectations.decisions import (
    CHOICE,
    Decision,
    figures_of_vi,
    figures_vi,
    list_vi,
    names_its_row,
    parse_figures,
    parse_list,
    to_be_chosen_first_vi,
)
from expectations.declarations import Rule, Stage, declared_rules
from expectations.inspection import vietnamese
from expectations.messages import held_rows
from expectations.verdicts import MAX_FINDINGS, Finding, Result, Verdict

#: Findings that one line names; of more, the next line names the rest, so that no cell grows past what it can hold.
_NAMED_A_LINE = 150
_CELL = 30_000
_COUNT = "count_as_on_time"


@dataclass(frozen=True)
class ReviewedRow:
    """A row of the form as it waits: its number and name, both figures, the late cases that a decision may count in the
    computed one, and those that one counts already.
    """

    code: str
    row_no: int
    name_vi: str
    computed: Decimal | None = None
    declared: Decimal | None = None
    late_cases: tuple[str, ...] = ()
    counted_cases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """An action that may be chosen, in a sentence: what it publishes."""

    action: str
    sentence_vi: str


@dataclass(frozen=True)
class Question:
    """One thing to decide. ``findings``: rule and name of each finding that a decision about it settles; ``places``:
    file, sheet and row of those that stand in a file. Without ``options`` no decision is possible, and ``mend_vi`` says
    what to do instead. ``cases``: late cases that an option counts as on time.
    """

    decision_id: str
    about_vi: str
    row: ReviewedRow | None
    findings: tuple[tuple[str, str], ...]
    subject_kind: str
    subject: str
    applies_to: tuple[str, ...]
    figures_seen: str
    options: tuple[Option, ...]
    mend_vi: str = ""
    cases: tuple[str, ...] = ()
    places: tuple[tuple[str, str | None, int | None], ...] = ()

    @property
    def applies_to_vi(self) -> str:
        return list_vi(self.applies_to)


@dataclass(frozen=True)
class _Open:
    """A finding that blocks and that no decision settles."""

    rule: Rule
    finding: Finding


def questions(verdicts: Iterable[Verdict], rows: Mapping[str, ReviewedRow]) -> list[Question]:
    """Everything that holds a unit back, one question a cause: rows of the form in their order, then rules by id, then
    what no decision settles.
    """
    verdict_list = list(verdicts)
    found: list[_Open] = []
    hopeless: list[tuple[Stage, Result]] = []
    for verdict in verdict_list:
        rules = {rule.id: rule for rule in declared_rules(verdict.stage)}
        for result in verdict.blocking():
            uncovered = [f for f in result.findings if f.decision_id is None]
            shown_all = result.failed_rows <= MAX_FINDINGS
            if result.settleable and result.status == "fail" and uncovered and shown_all:
                found += [_Open(rules[result.expectation_id], finding) for finding in uncovered]
            else:
                hopeless.append((verdict.stage, result))
    by_stage = {verdict.stage: verdict for verdict in verdict_list}
    made = [*_about_rows(found, rows), *_about_rules(found, rows)]
    return [*made, *(_hopeless(by_stage[stage], result) for stage, result in hopeless)]


def _chosen(found: Iterable[_Open]) -> set[str]:
    return {one.finding.subject for one in found if one.rule.id == CHOICE}


def _about_rows(found: Sequence[_Open], rows: Mapping[str, ReviewedRow]) -> Iterator[Question]:
    """Questions about rows of the form, in the form's order."""
    undecided = _chosen(found)
    by_row: dict[str, list[_Open]] = {}
    waiting: list[_Open] = []
    for one in found:
        if one.rule.stage != "mart" or one.finding.subject not in rows:
            continue
        row = one.finding.subject
        if set(one.finding.waits_for) <= ({row} & undecided):
            by_row.setdefault(row, []).append(one)
        else:
            waiting.append(one)
    for code in sorted(by_row, key=lambda code: rows[code].row_no):
        alike: list[list[_Open]] = []
        for one in by_row[code]:
            group = next((group for group in alike if _agree(group, one)), None)
            if group is None:
                alike.append([one])
            else:
                group.append(one)
        # The choice comes first: the rules beside it are judged by the figure that is chosen.
        alike.sort(key=lambda group: all(one.rule.id != CHOICE for one in group))
        for group in alike:
            is_choice = any(one.rule.id == CHOICE for one in group)
            yield _choice(rows[code], group) if is_choice else _of_row(rows[code], group)
    for one in waiting:
        yield _waiting(one, rows)


def _agree(group: Sequence[_Open], one: _Open) -> bool:
    """Whether the figures of a finding may stand in one cell with those of the others: no name means two figures."""
    seen = {name: value for other in group for name, value in other.finding.figures.items()}
    return all(seen.get(name, value) == value for name, value in one.finding.figures.items())


def _joined(group: Sequence[_Open]) -> dict[str, str]:
    return {name: value for one in group for name, value in one.finding.figures.items()}


def _choice(row: ReviewedRow, group: Sequence[_Open]) -> Question:
    """Which of two figures of a row is published, with the rules that the declared one would break beside it."""
    beside = sorted(one.rule.id for one in group if one.rule.id != CHOICE)
    order = sorted(group, key=lambda one: (one.rule.id != CHOICE, one.rule.id))
    return _question(
        about_vi=" ".join(_sentence(one.finding.message_vi) for one in order),
        row=row,
        group=order,
        subject_kind="row",
        subject=row.code,
        applies_to=tuple(beside),
        figures_seen=figures_vi(_joined(order)),
        options=tuple(_choices(row, len(beside))),
        cases=row.late_cases,
    )


def _choices(row: ReviewedRow, beside: int) -> Iterator[Option]:
    computed, declared = vietnamese(row.computed), vietnamese(row.declared)
    accepts = f", kèm giải trình cho {beside} điểm chưa khớp nêu bên cạnh" if beside else ""
    again = " Các quy tắc nêu bên cạnh được xét lại với số này; nếu còn vi phạm, lượt chạy sau hỏi tiếp."
    yield Option("accept_declared", f"công bố số khai báo {declared}{accepts}.")
    yield Option("accept_computed", f"công bố số tính toán {computed}.{again if beside else ''}")
    if row.late_cases and row.computed is not None:
        total = row.computed + len(row.late_cases)
        agrees = total == row.declared
        then = (
            f"bằng số khai báo, công bố {vietnamese(total)}"
            if agrees
            else f"vẫn khác số khai báo {declared}; bớt hồ sơ ở cột “Hồ sơ tính đúng hạn” nếu chỉ tính một số hồ sơ"
        )
        yield Option(
            _COUNT,
            f"tính {len(row.late_cases)} hồ sơ trễ hạn (trang Chi tiết) là đúng hạn, số tính toán thành "
            f"{vietnamese(total)}, {then}.",
        )
    yield Option("withhold", "để trống dòng này trong báo cáo.")


def _of_row(row: ReviewedRow, group: Sequence[_Open]) -> Question:
    """Rules that a row of the form breaks with the figure it has."""
    figures = _joined(group)
    rules = [one.rule for one in group]
    one_rule = rules[0] if len(rules) == 1 else None
    return _question(
        about_vi=" ".join(_sentence(one.finding.message_vi) for one in group),
        row=row,
        group=group,
        subject_kind="rule" if one_rule else "row",
        subject=one_rule.id if one_rule else row.code,
        applies_to=(group[0].finding.named,) if one_rule else tuple(sorted(rule.id for rule in rules)),
        figures_seen=figures_vi(figures),
        options=(Option("accept_finding", _accepted_vi(figures)),),
    )


def _accepted_vi(figures: Mapping[str, str]) -> str:
    with_figures = f" ({figures_vi(figures)})" if figures else ""
    return f"công bố số liệu như hiện có{with_figures}, kèm lý do giải trình ở phần ghi chú."


def _waiting(one: _Open, rows: Mapping[str, ReviewedRow]) -> Question:
    names = ", ".join(f"{code} (dòng {rows[code].row_no})" if code in rows else code for code in one.finding.waits_for)
    return _question(
        about_vi=_sentence(one.finding.message_vi),
        row=rows.get(one.finding.subject),
        group=[one],
        subject_kind="rule",
        subject=one.rule.id,
        applies_to=(one.finding.named,),
        figures_seen="",
        options=(),
        mend_vi=f"{to_be_chosen_first_vi(names)}.",
    )


def _about_rules(found: Sequence[_Open], rows: Mapping[str, ReviewedRow]) -> Iterator[Question]:
    """Questions about rules whose findings are cases, files, units or delivered rows: one a rule, with all it names."""
    by_rule: dict[str, list[_Open]] = {}
    for one in found:
        if one.rule.stage != "mart" or one.finding.subject not in rows:
            by_rule.setdefault(one.rule.id, []).append(one)
    for rule_id in sorted(by_rule):
        waiting = [one for one in by_rule[rule_id] if one.finding.waits_for]
        yield from (_waiting(one, rows) for one in waiting)
        for part in _parts([one for one in by_rule[rule_id] if not one.finding.waits_for]):
            yield _of_rule(part)


def _parts(found: Sequence[_Open]) -> Iterator[list[_Open]]:
    """Findings that fit one line: so many, and so long."""
    part: list[_Open] = []
    size = 0
    for one in found:
        length = len(figures_of_vi(one.finding.named, one.finding.figures)) + len(one.finding.named) + 4
        if part and (len(part) == _NAMED_A_LINE or size + length > _CELL):
            yield part
            part, size = [], 0
        part.append(one)
        size += length
    if part:
        yield part


def _of_rule(part: Sequence[_Open]) -> Question:
    rule = part[0].rule
    by_name: dict[str, dict[str, str]] = {}
    for one in part:
        by_name.setdefault(one.finding.named, one.finding.figures)
    alike = len({canonical_json(figures) for figures in by_name.values()}) == 1
    seen = (
        figures_vi(part[0].finding.figures)
        if alike
        else "; ".join(figures_of_vi(name, figures) for name, figures in by_name.items() if figures)
    )
    shown = [_sentence(one.finding.message_vi) for one in part[:5]]
    more = f" Còn {len(part) - 5} chỗ khác, xem trang Chi tiết." if len(part) > 5 else ""
    count = f"công bố dù có {len(part)} chỗ nêu bên cạnh" if len(part) > 1 else "công bố dù có điểm nêu bên cạnh"
    fewer = " Chỉ chấp nhận một số chỗ thì xóa các chỗ kia khỏi cột “Áp dụng cho”." if len(by_name) > 1 else ""
    return _question(
        about_vi=" ".join(dict.fromkeys(shown)) + more,
        row=None,
        group=part,
        subject_kind="rule",
        subject=rule.id,
        applies_to=tuple(by_name),
        figures_seen=seen,
        options=(Option("accept_finding", f"{count}, kèm lý do giải trình ở phần ghi chú.{fewer}"),),
    )


def _hopeless(verdict: Verdict, result: Result) -> Question:
    """What no decision settles: what is wrong, and what to mend."""
    held = held_rows(verdict, [result])
    told = [one.message_vi for one in held[:5]]
    more = f" Còn {len(held) - 5} chỗ khác, xem trang Chi tiết." if len(held) > 5 else ""
    advice = next((rule.advice_vi for rule in declared_rules(verdict.stage) if rule.id == result.expectation_id), "")
    if result.status == "did_not_run":
        advice = "Báo cho người quản trị hệ thống."
    elif result.settleable and result.failed_rows > MAX_FINDINGS:
        advice = f"Quá nhiều chỗ ({result.failed_rows}) để quyết định từng chỗ. {advice}"
    question = _question(
        about_vi=" ".join(dict.fromkeys(told)) + more,
        row=None,
        group=[],
        subject_kind="rule",
        subject=result.expectation_id,
        applies_to=(),
        figures_seen="",
        options=(),
        mend_vi=f"Không giải trình bằng quyết định được. {advice}".strip(),
    )
    return replace(question, places=tuple((one.file, one.sheet, one.row) for one in held if one.file))


def _question(
    *,
    about_vi: str,
    row: ReviewedRow | None,
    group: Sequence[_Open],
    subject_kind: str,
    subject: str,
    applies_to: tuple[str, ...],
    figures_seen: str,
    options: tuple[Option, ...],
    cases: tuple[str, ...] = (),
    mend_vi: str = "",
) -> Question:
    # Of what it settles, so that it means the same whenever it is asked, and another thing never has its id; the row
    # first, because footnotes stand in the order of ids.
    digest = sha256_bytes(
        canonical_json([subject_kind, subject, applies_to, figures_seen, about_vi if not group else ""])
    )
    return Question(
        decision_id=f"QD-{f'{row.row_no:03d}' if row else 'QT'}-{digest[:8].upper()}",
        about_vi=about_vi,
        row=row,
        findings=tuple(dict.fromkeys((one.rule.id, one.finding.named) for one in group)),
        subject_kind=subject_kind,
        subject=subject,
        applies_to=applies_to,
        figures_seen=figures_seen,
        options=options,
        mend_vi=mend_vi,
        cases=cases,
        places=tuple(
            (one.finding.file, one.finding.sheet, one.finding.row) for one in group if one.finding.file is not None
        ),
    )


def _sentence(text: str) -> str:
    return (text[:1].upper() + text[1:]).rstrip(".") + "."


# -------------------------------------------------------------------------------------------------- lines of a register


@dataclass(frozen=True)
class RegisterLine:
    """A line of a register as it was read: where it stands, and its cells."""

    place_vi: str
    decision_id: str
    subject_kind: str
    subject: str
    action: str
    applies_to: str | None
    cases: str | None
    figures_seen: str | None

    @property
    def wants(self) -> str | None:
        """What it chooses about its subject; None of one that accepts findings or counts cases as on time, of which
        there may be several.
        """
        return None if self.action in ("accept_finding", _COUNT) else self.action

    def repeats(self, other: RegisterLine) -> bool:
        """Whether two lines about one subject say the same: of cases, that the same ones count."""
        if self.action != other.action or self.action == "accept_finding":
            return False
        return self.action != _COUNT or set(parse_list(self.cases)) == set(parse_list(other.cases))


@dataclass
class JudgedLine:
    """What a line would settle (``matches``), what is published then, and what is wrong with it."""

    line: RegisterLine
    matches_vi: list[str] = field(default_factory=list)
    changes_vi: str = ""
    problems_vi: list[str] = field(default_factory=list)


def judge_lines(
    lines: Sequence[RegisterLine],
    standing: Sequence[RegisterLine],
    verdicts: Iterable[Verdict],
    rows: Mapping[str, ReviewedRow],
) -> list[JudgedLine]:
    """Each line against the findings of stored verdicts, and against the other lines and those that stand already."""
    rules: dict[str, Rule] = {}
    known: list[tuple[Rule, Finding]] = []
    for verdict in verdicts:
        of_stage = {rule.id: rule for rule in declared_rules(verdict.stage)}
        rules |= of_stage
        known += [
            (of_stage[result.expectation_id], finding)
            for result in verdict.results
            if result.status == "fail" and result.severity != "info"
            for finding in result.findings
        ]
    judged = [_judged(line, rules, known, rows) for line in lines]
    for one in judged:
        one.problems_vi += _contradictions(one.line, lines, standing)
    return judged


def _judged(
    line: RegisterLine,
    rules: Mapping[str, Rule],
    known: Sequence[tuple[Rule, Finding]],
    rows: Mapping[str, ReviewedRow],
) -> JudgedLine:
    found = JudgedLine(line)
    row = rows.get(line.subject)
    if line.action == _COUNT:
        _judge_cases(found, row, rows)
    decision = Decision(
        unit="",
        decision_id=line.decision_id,
        subject_kind=line.subject_kind,
        subject=line.subject,
        action=line.action,
        effect="covers_findings" if line.action == "accept_finding" else "applied",
        applies_to=parse_list(line.applies_to),
        figures=parse_figures(line.figures_seen),
    ).judged(rules)
    if decision.problem_vi:
        found.problems_vi.append(_sentence(decision.problem_vi))
        return found
    nearly: list[str] = []
    for rule, finding in known:
        if not rule.settleable:
            continue
        if decision.covers(rule, finding.named, finding.figures):
            found.matches_vi.append(f"{_sentence(finding.message_vi)} [{rule.id}]")
        elif replace(decision, figures=parse_figures(_all_figures(finding))).covers(
            rule, finding.named, finding.figures
        ):
            nearly.append(f"[{rule.id}] nay có: {figures_vi(finding.figures)}")
    if found.matches_vi and line.action != _COUNT:
        found.changes_vi = _change_vi(line, row)
    if nearly:
        found.problems_vi.append(f"Số liệu đã xem khác số liệu hiện nay: {'; '.join(nearly[:3])}.")
    if not found.matches_vi and not found.problems_vi:
        found.problems_vi.append(_no_match_vi(line, rules, rows))
    return found


def _all_figures(finding: Finding) -> str:
    return figures_vi(finding.figures)


def _no_match_vi(line: RegisterLine, rules: Mapping[str, Rule], rows: Mapping[str, ReviewedRow]) -> str:
    if line.subject_kind == "rule" and line.subject not in rules:
        return f"Không có quy tắc nào mang mã {line.subject}; chép lại mã quy tắc từ thông báo hoặc từ sổ quyết định."
    if line.subject_kind == "row" and line.subject not in rows:
        return f"Biểu của kỳ không có chỉ tiêu {line.subject}."
    rule = rules.get(line.subject)
    if rule is not None and not names_its_row(rule) and line.applies_to:
        return "Không có điểm nào của quy tắc ứng với cột “Áp dụng cho”; lấy lại sổ quyết định mới nhất."
    return "Không ứng với điểm nào đang chặn công bố; bỏ dòng này khỏi sổ."


def _judge_cases(found: JudgedLine, row: ReviewedRow | None, rows: Mapping[str, ReviewedRow]) -> None:
    line = found.line
    named = parse_list(line.cases) if line.subject_kind == "row" else (line.subject,)
    of_rows = [row] if row is not None else list(rows.values())
    late = {code for each in of_rows for code in (*each.late_cases, *each.counted_cases)}
    counted = [code for code in named if code in late]
    strangers = [code for code in named if code not in late]
    if line.subject_kind == "row" and not named:
        found.problems_vi.append("Chưa ghi hồ sơ nào ở cột “Hồ sơ tính đúng hạn”.")
    if strangers:
        found.problems_vi.append(
            f"{len(strangers)} hồ sơ không trễ hạn trong kỳ hoặc không có trong số liệu: {', '.join(strangers[:5])}."
        )
    if counted:
        found.matches_vi.append(f"{len(counted)} hồ sơ trễ hạn: {', '.join(counted[:5])}{', …' if counted[5:] else ''}")
    told = []
    for each in of_rows:
        added = sum(code in each.late_cases for code in counted)
        if each.computed is not None and set(counted) & {*each.late_cases, *each.counted_cases}:
            told.append(
                f"{each.code} (dòng {each.row_no}): số tính toán từ {vietnamese(each.computed)} thành "
                f"{vietnamese(each.computed + added)}, số khai báo {vietnamese(each.declared)}"
            )
    found.changes_vi = "; ".join(told)


def _change_vi(line: RegisterLine, row: ReviewedRow | None) -> str:
    if line.action == "accept_finding" or row is None:
        return "công bố số liệu như hiện có, kèm lý do giải trình"
    place = f"{row.code} (dòng {row.row_no})"
    if line.action == "withhold":
        return f"{place}: không công bố"
    value = row.declared if line.action == "accept_declared" else row.computed
    return f"{place}: công bố {vietnamese(value)}"


def _contradictions(
    line: RegisterLine, lines: Sequence[RegisterLine], standing: Sequence[RegisterLine]
) -> Iterator[str]:
    """Other lines that want something else of the same subject, and the way out."""
    for other in [*lines, *standing]:
        if other is line or (other.subject_kind, other.subject) != (line.subject_kind, line.subject):
            continue
        if line.wants and other.wants and other.wants != line.wants:
            yield (
                f"Trái với {other.place_vi} ({other.decision_id}): cùng về {line.subject} mà chọn cách xử lý khác, nên "
                "cả hai đều không có hiệu lực. Giữ một dòng; ở dòng kia xóa cách xử lý, lý do, người duyệt, số và ngày "
                "văn bản (hoặc bỏ cả dòng) rồi nộp lại."
            )
        elif line.repeats(other) and other.decision_id != line.decision_id and other in lines:
            yield f"Trùng với {other.place_vi} ({other.decision_id}) về {line.subject}; chỉ cần một dòng."


__all__ = ["JudgedLine", "Option", "Question", "RegisterLine", "ReviewedRow", "judge_lines", "questions"]

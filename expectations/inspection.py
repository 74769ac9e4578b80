"""One gate run over all units: rules asked twice, findings attributed to units, decisions laid against them.

Belongs here: the course of a gate run, from relations to verdicts.
Does not belong here: Great Expectations (the database is handed in), SQL of rules, files of verdicts.

Each rule is answered by the handed-in database (Great Expectations) over all units, and counted by plain SQL unit by
unit. Where the two disagree, neither is believed: the rule did not run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment

from common.forms import Form, follows_forms, load_forms
from common.periods import place_of
from expectations.decisions import (
    IN_FORCE,
    Decision,
    Register,
    figure_vi,
    how_to_settle_vi,
    no_longer_settled_vi,
    parse_figures,
    parse_list,
    to_be_chosen_first_vi,
)
from expectations.declarations import Rule, Stage, declared_rules, suite_version
from expectations.engine_sql import (
    Alike,
    Count,
    Violation,
    count_alike,
    count_violations,
    fetch_violations,
    first_line,
    places_of,
    subjects_of,
)
from expectations.form_facts import widest_form, with_names
from expectations.relations import UnitProblems, lay_marts, lay_provinces, lay_raw
from expectations.suites import UNIT, Compiled, compile_rule
from expectations.verdicts import MAX_FINDINGS, Finding, Place, Result, Status, Verdict, blocking

DECISION_USE = "decision_use"
_TOLD_DECISIONS = Path(__file__).resolve().parents[1] / "dbt_project" / "macros" / "told_decisions.sql"


class AnswerLike(Protocol):
    """An answer of the first engine."""

    @property
    def holds(self) -> bool | None: ...

    @property
    def error(self) -> str | None: ...


class DatabaseLike(Protocol):
    """A database that plain SQL and the first engine both see."""

    connection: Any

    def ask(self, suite: Iterable[Compiled]) -> Mapping[str, AnswerLike]: ...


OpenDatabase = Callable[[], AbstractContextManager[DatabaseLike]]


@dataclass(frozen=True)
class RawRequest:
    """What the raw gate is asked: the lake, the quarter with its first and last day, and reporting unit -> the unit
    codes that report through it (whether or not they sent anything), ``inputs_hash`` and form; unit, quarter, source
    and name of each delivered file that is not taken in.

    Of a longer period also which units gave which sources for each of its quarters, and unit, quarter and reason of
    each reporting unit whose deliveries of one of its quarters do not pass this gate. ``superiors``: those of the units
    that stand above the ones that report by a form; they owe no source.
    """

    raw_dir: Path
    quarter: str
    window: tuple[dt.date, dt.date]
    units: Mapping[str, tuple[str, ...]]
    subject_hashes: Mapping[str, str]
    waiting: tuple[tuple[str, str, str, str], ...] = ()
    given_by_parts: tuple[tuple[str, str], ...] = ()
    parts_held: tuple[tuple[str, str, str], ...] = ()
    forms: Mapping[str, str] = field(default_factory=dict)
    own_windows: Mapping[str, tuple[dt.date, dt.date]] = field(default_factory=dict)
    superiors: frozenset[str] = frozenset()


@dataclass(frozen=True)
class MartRequest:
    """What the mart gate is asked: the quarter, and reporting unit -> (candidate folder, candidate hash).

    Of a longer period also what its quarters have published: unit, quarter, row of the form and its figure as text.
    """

    quarter: str
    candidates: Mapping[str, tuple[Path, str]]
    published: tuple[tuple[str, str, str, str | None], ...] = ()


@follows_forms(3)
def compiled_suite(stage: Stage) -> tuple[Compiled, ...]:
    """The compiled rules of a stage, in order of id."""
    return tuple(compile_rule(rule) for rule in declared_rules(stage))


def inspect_raw(request: RawRequest, open_database: OpenDatabase) -> list[Verdict]:
    """Verdicts of gate 1, one for each reporting unit asked about."""
    suite = compiled_suite("raw")
    sources = sorted({compiled.rule.source for compiled in suite})
    with open_database() as database:
        problems = lay_raw(
            database.connection,
            request.raw_dir,
            request.quarter,
            request.window,
            request.units,
            sources,
            request.waiting,
            request.given_by_parts,
            request.parts_held,
            request.own_windows,
            request.superiors,
        )
        rules = {compiled.rule.id: compiled.rule for compiled in suite}
        register = Register(_raw_decisions(database.connection, request.quarter, rules))
        run = _Run(database, "raw", request.quarter, request.subject_hashes, problems, register)
        run.forms = _named(request.forms)
        run.superiors = request.superiors
        run.excused = _sources_without_rows(database.connection, request.subject_hashes, suite, request.superiors)
        return run.verdicts(suite)


def inspect_marts(request: MartRequest, open_database: OpenDatabase) -> list[Verdict]:
    """Verdicts of gate 2, one for each candidate."""
    suite = compiled_suite("mart")
    columns = {column for compiled in suite if compiled.rule.kind == "relation" for column in compiled.shown}
    operands = {operand for compiled in suite for operand in compiled.operands}
    previous = {operand for operand in operands if f"previous({operand})" in columns}
    hashes = {unit: candidate_hash for unit, (_, candidate_hash) in request.candidates.items()}
    with open_database() as database:
        problems = lay_marts(
            database.connection, request.quarter, request.candidates, operands, previous, request.published
        )
        register = Register(_mart_decisions(database.connection))
        run = _Run(database, "mart", request.quarter, hashes, problems, register)
        run.forms = _forms(database.connection)
        run.undecided = _undecided_rows(database.connection)
        return run.verdicts(suite)


def inspect_provinces(request: MartRequest, open_database: OpenDatabase) -> list[Verdict]:
    """Verdicts on what provinces rolled up, one for each candidate. No decision settles anything there: a unit's own
    gates have judged its figures, and what is left is arithmetic.
    """
    suite = compiled_suite("province")
    hashes = {unit: candidate_hash for unit, (_, candidate_hash) in request.candidates.items()}
    with open_database() as database:
        problems = lay_provinces(database.connection, request.quarter, request.candidates)
        run = _Run(database, "province", request.quarter, hashes, problems, Register())
        return run.verdicts(suite)


class _Run:
    """One gate run: collects results by unit."""

    def __init__(
        self,
        database: DatabaseLike,
        stage: Stage,
        quarter: str,
        hashes: Mapping[str, str],
        problems: UnitProblems,
        register: Register,
    ) -> None:
        self._database = database
        self._stage = stage
        self._quarter = quarter
        self._hashes = hashes
        self._problems = problems
        self._register = register
        self._results: dict[str, list[Result]] = {unit: [] for unit in hashes}
        self.excused: frozenset[tuple[str, str]] = frozenset()
        self.superiors: frozenset[str] = frozenset()
        #: The form of each unit's report.
        self.forms: Mapping[str, Form] = {}
        self._widest = widest_form()
        self.undecided: Mapping[str, frozenset[str]] = {}
        self._subjects: dict[tuple[str, str], tuple[str, ...]] = {}
        self._places: dict[tuple[str, str], tuple[Place, ...]] = {}

    def verdicts(self, suite: Iterable[Compiled]) -> list[Verdict]:
        rules = list(suite)
        # Rules about decisions come last: they ask what the decisions have covered.
        self._inspect([compiled for compiled in rules if compiled.relation != DECISION_USE])
        self._lay_decision_use()
        self._inspect([compiled for compiled in rules if compiled.relation == DECISION_USE])
        return [
            Verdict(
                stage=self._stage,
                unit_code=unit,
                quarter=self._quarter,
                subject_hash=self._hashes[unit],
                suite_version=suite_version(self._stage, self._form_id(unit)),
                results=tuple(
                    result.model_copy(
                        update={
                            "subjects": self._subjects.get((unit, result.expectation_id), ()),
                            "places": self._places.get((unit, result.expectation_id), ()),
                        }
                    )
                    for result in sorted(results, key=lambda result: result.expectation_id)
                ),
            )
            for unit, results in sorted(self._results.items())
        ]

    def _lay_decision_use(self) -> None:
        connection = self._database.connection
        connection.execute(
            f"create table {DECISION_USE} ({UNIT} varchar, decision_id varchar, subject_kind varchar, subject varchar, "
            "action varchar, effect varchar, problem_vi varchar, is_new boolean, covered_findings bigint)"
        )
        for row in self._register.use():
            connection.execute(f"insert into {DECISION_USE} values (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(row))

    def _inspect(self, suite: list[Compiled]) -> None:
        units = {compiled.rule.id: self._asked_units(compiled.rule) for compiled in suite}
        asked = [compiled for compiled in suite if units[compiled.rule.id]]
        answers = self._database.ask(asked)
        counts = count_violations(self._database.connection, asked)
        for compiled in suite:
            if not units[compiled.rule.id]:
                continue
            count = counts[compiled.rule.id]
            error = _disagreement(answers.get(compiled.rule.id), count)
            self._judge(compiled, units[compiled.rule.id], count, error)

    def _form(self, unit: str) -> Form:
        return self.forms.get(unit, self._widest)

    def _form_id(self, unit: str) -> str | None:
        return self.forms[unit].form if unit in self.forms else None

    def _asked_units(self, rule: Rule) -> frozenset[str]:
        """The units that the rule is asked of; others get a result that says why not, and none where the rule is for
        other forms.
        """
        asked = set()
        for unit, results in self._results.items():
            if not rule.is_of(self._form_id(unit)):
                continue
            why = rule.not_asked(self._quarter, self._form(unit))
            if why is None:
                asked.add(unit)
            else:
                results.append(_result(rule, self._form(unit), "no_data", observed=why, empty_allowed=True))
        return frozenset(asked)

    def _judge(self, compiled: Compiled, asked: frozenset[str], count: Count, error: str | None) -> None:
        found: dict[str, list[Violation]] = {}
        alike: dict[str, list[Alike]] = {}
        if error is None and count.failed:
            try:
                found = self._fetch(compiled)
                if compiled.rule.settleable and self._register.names(compiled.rule):
                    alike = count_alike(self._database.connection, compiled)
            except Exception as raised:  # a finding that cannot be shown is a rule that did not run
                error = first_line(raised)
        for unit in sorted(asked):
            results, form = self._results[unit], self._form(unit)
            # What is wrong with the unit's own files explains an error about relations they did not bring.
            problem = self._problems.of(unit, compiled.relation, compiled.operands) or error
            if problem is not None:
                results.append(_result(compiled.rule, form, "did_not_run", observed=problem))
            elif count.failed.get(unit):
                results.append(self._failed(compiled, unit, count, found.get(unit, []), alike.get(unit, [])))
            elif not count.scope.get(unit):
                allowed = self._may_be_empty(unit, compiled)
                results.append(_result(compiled.rule, form, "no_data", observed=None, empty_allowed=allowed))
            else:
                results.append(_result(compiled.rule, form, "pass", observed=str(count.scope[unit])))

    def _fetch(self, compiled: Compiled) -> dict[str, list[Violation]]:
        found: dict[str, list[Violation]] = {}
        for violation in fetch_violations(self._database.connection, compiled, MAX_FINDINGS):
            found.setdefault(violation.unit, []).append(violation)
        if compiled.rule.severity == "info":
            for unit, subjects in subjects_of(self._database.connection, compiled).items():
                self._subjects[unit, compiled.rule.id] = subjects
            located = {} if compiled.rule.places == "kept" else places_of(self._database.connection, compiled)
            self._places |= {(unit, compiled.rule.id): places for unit, places in located.items()}
        return found

    def _may_be_empty(self, unit: str, compiled: Compiled) -> bool:
        # Who must have sent a source is not asked of those above who may send it.
        is_not_owed = bool(compiled.rule.required_from) and unit in self.superiors
        return compiled.rule.when_empty == "allowed" or is_not_owed or (unit, compiled.rule.source) in self.excused

    def _failed(
        self, compiled: Compiled, unit: str, count: Count, found: list[Violation], alike: Iterable[Alike]
    ) -> Result:
        rule = compiled.rule
        covered_rows = 0
        used: set[str] = set()
        for each in alike:
            decision_ids = self._register.covering(unit, rule, each.named, _figures(rule, each.values))
            if decision_ids:
                covered_rows += each.rows
                used.update(decision_ids)
                self._register.note_covered(unit, decision_ids, each.rows)
        findings = [self._finding(compiled, unit, violation, used) for violation in found]
        findings.sort(key=lambda finding: finding.decision_id is not None)
        failed = count.failed[unit]
        return _result(
            rule,
            self._form(unit),
            "fail",
            observed=f"{failed} / {count.scope.get(unit, 0)}",
            failed_rows=failed,
            covered_rows=covered_rows,
            decision_id=", ".join(sorted(used)) or None,
            findings=tuple(findings[:MAX_FINDINGS]),
        )

    def _finding(self, compiled: Compiled, unit: str, violation: Violation, used: Collection[str]) -> Finding:
        """A violation in words; ``used`` are the decisions that settle some finding of the rule."""
        rule = compiled.rule
        figures = _figures(rule, violation.values)
        covering = self._register.covering(unit, rule, violation.named, figures) if rule.settleable else []
        # Which figure the row will have is not known: a decision that names today's would settle nothing tomorrow.
        waits_for = sorted(compiled.operands & self.undecided.get(unit, frozenset()))
        first = self._rows_vi(unit, waits_for)
        settle = to_be_chosen_first_vi(first) if first else how_to_settle_vi(rule, violation.named, figures)
        if idle := [name for name in self._register.about(unit, rule, violation.named) if name not in used]:
            settle = f"{no_longer_settled_vi(idle)}. {settle}"
        return Finding(
            subject=violation.subject,
            message_vi=self._message(rule, unit, violation),
            file=violation.file,
            sheet=violation.sheet,
            row=violation.row,
            decision_id=", ".join(covering) or None,
            settle_vi=settle if rule.settleable and not covering else None,
            named=violation.named if rule.settleable else "",
            figures=figures if rule.settleable else {},
            waits_for=tuple(waits_for) if rule.settleable else (),
        )

    def _rows_vi(self, unit: str, codes: Iterable[str]) -> str:
        names = self._form(unit).names
        return ", ".join(f"{code} {names[code]}" for code in sorted(codes) if code in names)

    def _message(self, rule: Rule, unit: str, violation: Violation) -> str:
        """The finding in words: which row, what is wrong, with which figures."""
        form = self._form(unit)
        printed = {name: vietnamese(value) for name, value in violation.values.items()}
        sentence = with_names(rule.sentence_vi, form)
        if rule.message_vi is not None:
            text = rule.message_vi.format(subject=violation.subject, **printed)
        elif rule.kind == "relation":
            figures = "; ".join(f"{figure_vi(rule, name)} = {value}" for name, value in printed.items())
            text = f"{sentence} Số liệu: {figures}."
            text += _difference_vi(rule, violation.values)
        else:
            text = sentence
        if name := form.names.get(violation.subject):
            return f"{violation.subject}: {text}" if name in text else f"{violation.subject} {name}: {text}"
        place = [
            label + str(part)
            for label, part in (("tệp ", violation.file), ("trang ", violation.sheet), ("dòng ", violation.row))
            if part is not None
        ]
        return f"{', '.join(place)}: {text}" if place else text


#: How far a claim between two terms is missed, by its sign.
_MISSED_VI = {"=": "Chênh lệch", "<=": "Vượt", "<": "Vượt", ">=": "Thiếu", ">": "Thiếu"}


def _difference_vi(rule: Rule, values: Mapping[str, Any]) -> str:
    """`` Chênh lệch: 4.``: by how much, exactly, a relation between figures is missed; blank where it has no such."""
    claims = rule.parsed().claims
    if claims is None or claims.sign not in _MISSED_VI:
        return ""
    missed = claims.difference({name: None if value is None else Decimal(value) for name, value in values.items()})
    return f" {_MISSED_VI[claims.sign]}: {vietnamese(abs(missed))}." if missed else ""


def _figures(rule: Rule, values: Mapping[str, Any]) -> dict[str, str]:
    """The figures of a finding that a decision must have seen, as printed: a column bears its heading."""
    return {
        figure_vi(rule, name): vietnamese(value)
        for name, value in values.items()
        if rule.figures is None or name in rule.figures
    }


def vietnamese(value: object) -> str:
    """A value as people read it: decimal comma, no trailing zeros, day before month, ``trống`` for none."""
    if value is None:
        return "trống"
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")
    return str(value)


def _result(
    rule: Rule,
    form: Form,
    status: Status,
    observed: str | None,
    failed_rows: int = 0,
    covered_rows: int = 0,
    decision_id: str | None = None,
    empty_allowed: bool = False,
    findings: tuple[Finding, ...] = (),
) -> Result:
    result = Result(
        expectation_id=rule.id,
        source=rule.source,
        sentence_vi=with_names(rule.sentence_vi, form),
        severity=rule.severity,
        status=status,
        observed=observed,
        failed_rows=failed_rows,
        covered_rows=covered_rows,
        decision_id=decision_id,
        settleable=rule.settleable,
        makes_provisional=rule.makes_provisional,
        places_tell_outcome=rule.places == "outcome",
        empty_allowed=empty_allowed,
        blocking=False,
        findings=findings,
    )
    return result.model_copy(update={"blocking": blocking(result)})


def did_not_run(stage: Stage, quarter: str, hashes: Mapping[str, str], reason: str) -> list[Verdict]:
    """Verdicts of a gate that broke down as a whole: every rule did not run."""
    form = widest_form()
    results = tuple(_result(rule, form, "did_not_run", observed=reason) for rule in declared_rules(stage))
    return [
        Verdict(
            stage=stage,
            unit_code=unit,
            quarter=quarter,
            subject_hash=subject_hash,
            suite_version=suite_version(stage),
            results=results,
        )
        for unit, subject_hash in sorted(hashes.items())
    ]


def _disagreement(answer: AnswerLike | None, count: Count) -> str | None:
    """Why a rule counts as not run: an engine raised, or the two do not say the same."""
    if count.error is not None:
        return count.error
    if answer is None or answer.holds is None:
        return f"Great Expectations: {answer.error if answer else 'không trả lời'}"
    if answer.holds and count.failed:
        return (
            f"hai cách kiểm tra không khớp: Great Expectations không thấy dòng nào, SQL thấy {count.total_failed} dòng"
        )
    if not answer.holds and not count.failed:
        return "hai cách kiểm tra không khớp: Great Expectations thấy vi phạm, SQL không thấy dòng nào"
    return None


def _told_decisions(delivered: str, of_one: str) -> str:
    """SQL of the decisions among lines of registers, by the macro of dbt's model ``int_decisions``."""
    macros: Any = Environment().from_string(_TOLD_DECISIONS.read_text(encoding="utf-8")).module
    return str(macros.told_decisions(delivered, of_one))


def _raw_decisions(connection: Any, quarter: str, rules: Mapping[str, Rule]) -> tuple[Decision, ...]:
    """Decisions in force about rules of the raw gate, straight from the register as delivered.

    Which lines are one decision and how it is named says the macro ``told_decisions``, as in the marts. One with a
    malformed quarter holds nowhere, and a rule on the register says so.
    """
    try:
        rows = connection.execute(
            f"with delivered as (select {UNIT}, unit as decided_unit, decision_id, subject_kind, subject, action, "
            "applies_to, cases, figures_seen, quarter as first_quarter, holds_until as last_quarter, "
            "_quarter as quarter, _delivery_rank as delivery_rank, _sheet as sheet, _row as row_number, "
            "place as delivered_no from all_decisions join period_order on period_key = _quarter), "
            f"told as ({_told_decisions('delivered', UNIT)}) "
            f"select {UNIT}, told_id, subject, first_quarter, applies_to, figures_seen from told "
            f"where decided_unit = {UNIT} and subject_kind = 'rule' and action = 'accept_finding' "
            "and (select place from period_order where period_key = first_quarter) <= ? "
            "and (select place from period_order where period_key = last_quarter) >= ? "
            "and (select closing from period_order where period_key = last_quarter) "
            "<= (select longest_until from longest_validity as v where v.first_quarter = told.first_quarter) "
            f"order by {UNIT}, told_id",
            [place_of(quarter)[0]] * 2,
        ).fetchall()
    except Exception:  # no readable register: no decision covers anything, and the register's own rules do not run
        return ()
    return tuple(
        Decision(
            unit,
            decision_id,
            "rule",
            subject,
            "accept_finding",
            "covers_findings",
            is_new=first == quarter,
            applies_to=parse_list(applies_to),
            figures=parse_figures(figures),
        ).judged(rules)
        for unit, decision_id, subject, first, applies_to, figures in rows
        if subject in rules
    )


def _mart_decisions(connection: Any) -> tuple[Decision, ...]:
    """Decisions as the mart ``decision_effects`` gives them, less those about rules of the raw gate."""
    try:
        rows = connection.execute(
            f"select {UNIT}, decision_id, subject_kind, subject, action, case when effect = 'invalid' "
            "and (select place from period_order where period_key = last_quarter) "
            "< (select place from period_order where period_key = decision_effects.quarter) "
            "then 'expired' else effect end as effect, problem_vi, "
            "first_quarter = quarter as is_new, applies_to, figures_seen from decision_effects "
            f"order by {UNIT}, decision_id, effect, subject_kind, subject"
        ).fetchall()
    except Exception:  # no readable mart: no decision covers anything, and ``decision_effects`` own rule does not run
        return ()
    rules = {rule.id: rule for rule in declared_rules("mart")}
    raw = {rule.id for rule in declared_rules("raw")}
    decisions = [
        replace(Decision(*row[:-2]), applies_to=parse_list(row[-2]), figures=parse_figures(row[-1])).judged(rules)
        for row in rows
    ]
    return tuple(d for d in decisions if not (d.subject_kind == "rule" and d.subject in raw and d.effect in IN_FORCE))


def _forms(connection: Any) -> dict[str, Form]:
    """The form of each unit's report."""
    try:
        rows = connection.execute(
            f"select {UNIT}, min(form_version) from report_indicators group by 1 having min(form_version) is not null"
        ).fetchall()
    except Exception:  # findings are then worded by the newest form; the rules about the relation say what is wrong
        return {}
    return _named(dict(rows))


def _named(forms: Mapping[str, str]) -> dict[str, Form]:
    known = {form.form: form for form in load_forms()}
    return {unit: known[form_id] for unit, form_id in forms.items() if form_id in known}


def _undecided_rows(connection: Any) -> dict[str, frozenset[str]]:
    """By unit, the rows of two figures between which nobody has chosen yet."""
    try:
        rows = connection.execute(
            f"select {UNIT}, list(indicator_code) from report_indicators where status = 'unsettled' group by 1"
        ).fetchall()
    except Exception:  # see _forms
        return {}
    return {unit: frozenset(codes) for unit, codes in rows}


def _sources_without_rows(
    connection: Any, units: Iterable[str], suite: Iterable[Compiled], superiors: frozenset[str] = frozenset()
) -> frozenset[tuple[str, str]]:
    """(unit, source) where having no rows is in order: nothing to report, not sent and not owed (as nothing is by
    those above the units that report), or given for each of
    the quarters of a longer period.
    """
    outcomes: dict[tuple[str, str], set[str]] = {}
    rows = connection.execute(f"select distinct {UNIT}, source, outcome from deliveries").fetchall()
    for unit, source, outcome in rows:
        outcomes.setdefault((unit, source), set()).add(outcome)
    given = set(connection.execute(f"select distinct {UNIT}, source from sent").fetchall())
    rules = [compiled.rule for compiled in suite]
    owed = {rule.source for rule in rules if rule.required_from}
    excused = set()
    for source in {rule.source for rule in rules}:
        for unit in units:
            sent = outcomes.get((unit, source))
            is_owed = source in owed and unit not in superiors and (unit, source) not in given
            if sent == {"nothing_to_report"} or (sent is None and not is_owed):
                excused.add((unit, source))
    return frozenset(excused)

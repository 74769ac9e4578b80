"""The rule catalogue: reads ``rules/*.yml`` into :class:`Rule` objects and names a stage's suite by its hash.

Belongs here: what a declaration may say, defaults of a file, checks of the declarations themselves.
Does not belong here: SQL, Great Expectations, figures, decisions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from string import Template
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from common.codes import FIGURE_CODE, ROW_CODE
from common.declared import read_yaml
from common.files import canonical_json
from common.forms import Form, follows_forms, is_confirmed, load_forms
from common.periods import place_of
from common.quarters import KEY_PATTERN
from common.roles import Role
from expectations.contract_facts import column_facts, source_facts, sources_of_superiors
from expectations.expression import Expression, parse
from expectations.form_facts import row_facts, rows_named
from expectations.form_relations import RELATIONS_YML, relations_of

RULES_DIR = Path(__file__).parent / "rules"

#: Gate 1 on deliveries, gate 2 on a unit's figures, and the gate of a province on what is rolled up from its units.
Stage = Literal["raw", "mart", "province"]
Severity = Literal["critical", "warning", "info"]
Kind = Literal[
    "not_null", "in_set", "matches", "between", "unique", "at_most", "symbols", "condition", "relation", "query"
]

STAGES: tuple[Stage, ...] = ("raw", "mart", "province")

_RULE_ID = re.compile(r"[a-z_]+(\.[A-Za-z0-9_]+)+")
_SIMPLE = re.compile(rf"({ROW_CODE}) (<=|=) ({ROW_CODE}(?: \+ {ROW_CODE})*)")
_INDICATOR = re.compile(rf"\.({FIGURE_CODE})(?:\.|$)")

# What each kind needs besides the common fields; everything else must stay empty.
_NEEDS: dict[str, frozenset[str]] = {
    "not_null": frozenset({"columns"}),
    "in_set": frozenset({"columns", "values"}),
    "matches": frozenset({"columns", "pattern"}),
    "between": frozenset({"columns", "minimum", "maximum"}),
    "unique": frozenset({"columns"}),
    "at_most": frozenset({"columns"}),
    "symbols": frozenset({"columns"}),
    "condition": frozenset({"violation"}),
    "relation": frozenset({"expression"}),
    "query": frozenset({"violations"}),
}
_OPTIONAL: dict[str, frozenset[str]] = {
    "between": frozenset({"minimum", "maximum"}),
    "condition": frozenset({"applies_when", "columns"}),
    "relation": frozenset({"blank_as_zero"}),
    "query": frozenset({"columns", "applies_when"}),
}
_ARGUMENTS = frozenset().union(*_NEEDS.values(), *_OPTIONAL.values())
# An argument that one kind alone needs says which kind a declaration is.
_SAYS_KIND = {argument: kind for kind, needed in _NEEDS.items() for argument in needed - {"columns"}}


class Rule(BaseModel):
    """One thing that must hold.

    ``relation`` names a view of :mod:`expectations.relations`; where a declaration has none it is that of its source.
    Kinds, of which a declaration need not say the one that its arguments tell:

    ========== ==========================================================================================
    not_null   no null in ``columns[0]``
    in_set     ``columns[0]`` is null or one of ``values``
    matches    ``columns[0]`` is null or matches the regular expression ``pattern``
    between    ``columns[0]`` is null or within ``minimum`` .. ``maximum`` (either may be absent)
    unique     the values of ``columns`` together occur once
    at_most    ``columns[0]`` <= ``columns[1]`` where both are given
    symbols    every symbol of a document in ``columns[0]`` has the form of :mod:`expectations.document_symbols`
    condition  no row for which the SQL predicate ``violation`` is true, among rows where ``applies_when`` is
    relation   the ``expression`` over form rows and measures is true (see :mod:`expectations.expression`)
    query      the SQL ``violations`` yields no row; it yields ``reporting_unit`` and ``subject``
    ========== ==========================================================================================

    ``subject`` is the SQL expression (over the relation) that names what a finding is about: a column, an indicator
    code, a case code; a decision covers findings by it. ``message_vi`` may name columns in braces.

    A rule is asked from the quarter ``since`` to ``until``, of ``forms`` (none named: of every form), where the form
    has all of its ``rows``. ``sentence_vi`` names a row by ``{I.04}`` or ``{I.04:place}``, printed as the form in force
    calls it (:func:`expectations.form_facts.with_names`).

    A decision covers a finding for the figures it was made for: those of ``figures``, or all that the finding shows.
    ``places``: whether the rows that a remark (``info``) is about are published with it, as ``told``; where they tell
    an outcome of cases (``outcome``), only where they are not few of a unit.
    ``makes_provisional``: a report that is published although this failed, by decision, is a provisional one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    stage: Stage
    source: str
    relation: str
    kind: Kind
    severity: Severity
    sentence_vi: str = Field(min_length=10)
    advice_vi: str = Field(min_length=10)
    owner: str
    since: str = Field(pattern=f"^{KEY_PATTERN}$")
    until: str | None = Field(default=None, pattern=f"^{KEY_PATTERN}$")
    forms: tuple[str, ...] = ()
    when_empty: Literal["blocks", "allowed"]
    settleable: bool
    makes_provisional: bool = False
    places: Literal["kept", "told", "outcome"] = "kept"
    subject: str | None = None
    indicator: str | None = None
    message_vi: str | None = None
    required_from: tuple[Role, ...] = ()
    columns: tuple[str, ...] = ()
    figures: tuple[str, ...] | None = None
    values: tuple[str | int, ...] = ()
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    violation: str | None = None
    applies_when: str | None = None
    expression: str | None = None
    blank_as_zero: tuple[str, ...] = ()
    violations: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Rule:
        if not _RULE_ID.fullmatch(self.id):
            raise ValueError(f"{self.id!r} is not a rule id")
        given = {name for name in _ARGUMENTS if getattr(self, name) not in (None, ())}
        allowed = _NEEDS[self.kind] | _OPTIONAL.get(self.kind, frozenset())
        required = _NEEDS[self.kind] - _OPTIONAL.get(self.kind, frozenset())
        if not required <= given or not given <= allowed:
            raise ValueError(f"{self.id}: kind {self.kind} takes {sorted(allowed)}, not {sorted(given)}")
        if self.kind == "between" and not given & {"minimum", "maximum"}:
            raise ValueError(f"{self.id}: kind between needs a minimum or a maximum")
        if self.kind == "at_most" and len(self.columns) != 2:
            raise ValueError(f"{self.id}: kind at_most compares two columns")
        if not set(self.figures or ()) <= set(self.columns):
            raise ValueError(f"{self.id}: figures are columns that the finding shows")
        if self.makes_provisional and not self.settleable:
            raise ValueError(f"{self.id}: what no decision settles is never published, provisionally neither")
        if self.kind == "relation":
            self.parsed()
        return self

    @cached_property
    def rows(self) -> frozenset[str]:
        """Indicator codes without which the rule cannot be asked."""
        return rows_named(self.expression, self.violation, self.violations, self.applies_when, self.sentence_vi)

    def is_of(self, form_id: str | None) -> bool:
        """Whether the rule is one for reports by the form; of no form in particular, any is. What only a unit above
        those that report delivers is in nobody's report by a form.
        """
        if form_id is None:
            return True
        return self.source not in sources_of_superiors() and (not self.forms or form_id in self.forms)

    def not_asked(self, quarter: str, form: Form) -> str | None:
        """Why the rule is not asked of a form in a quarter, in Vietnamese; None where it is."""
        if place_of(quarter) < place_of(self.since):
            return f"quy tắc áp dụng từ kỳ {self.since}"
        if self.until is not None and place_of(quarter) > place_of(self.until):
            return f"quy tắc áp dụng đến kỳ {self.until}"
        if self.stage == "mart" and (missing := sorted(self.rows - form.codes)):
            return f"không hỏi: biểu mẫu {form.form} không có chỉ tiêu {', '.join(missing)}"
        return None

    def parsed(self) -> Expression:
        """The relation's expression; raises ``ValueError`` where it is not one or blank_as_zero names a stranger."""
        if self.expression is None:
            raise ValueError(f"{self.id}: not a relation between figures")
        expression = parse(self.expression, frozenset(self.blank_as_zero))
        strangers = set(self.blank_as_zero) - expression.operands
        if strangers:
            raise ValueError(f"{self.id}: blank_as_zero names {sorted(strangers)}, which the expression does not")
        return expression


def _completed(declaration: dict[str, Any]) -> dict[str, Any]:
    """A declaration with what it need not say: relation, kind, and the indicator that its id names."""
    said = {"relation": declaration.get("source")}
    for argument in _SAYS_KIND.keys() & declaration.keys():
        said["kind"] = _SAYS_KIND[argument]
    if named := _INDICATOR.search(str(declaration.get("id", ""))):
        said["indicator"] = named.group(1)
    return _with_sentence(said | declaration)


def _with_sentence(declaration: dict[str, Any]) -> dict[str, Any]:
    """A relation of one row to a sum of rows that has no sentence of its own says what it says."""
    simple = _SIMPLE.fullmatch(str(declaration.get("expression", "")))
    if simple is None or "sentence_vi" in declaration:
        return declaration
    row, sign, whole = simple.groups()
    whole_vi = " cộng ".join(f"{{{code}}}" for code in whole.split(" + "))
    sentence_vi = (
        f"Số liệu {{{row}}} không được lớn hơn {whole_vi}." if sign == "<=" else f"{{{row}}} phải bằng {whole_vi}."
    )
    return {"sentence_vi": sentence_vi, **declaration}


def _expanded(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The declarations of a file; one with ``for_each`` stands for several: one for each of the ``members`` (``all``),
    of those named, or of the sources or columns of which the contracts say something (``{source: key, but: [...]}``,
    ``{column: labels}``), or of rows of the forms (``{row: {kind: flag}, unless: {...}, but: [...]}``).

    In it and in the defaults, ``$name`` is the name and ``$word`` what the member says under that word, or the contract
    (:mod:`expectations.contract_facts`, :mod:`expectations.form_facts`) where it is one of a source, column or row.
    ``thresholds`` of a declaration fill its ``$words`` too. Among the ``values`` of any other declaration ``$members``
    stands for the names of all.
    """
    defaults = document.get("defaults", {})
    members: dict[str, dict[str, Any]] = document.get("members", {})
    for declaration in document["rules"]:
        merged = {**defaults, **declaration}
        # A threshold stands once, and sentence and SQL follow it.
        if thresholds := merged.pop("thresholds", None):
            merged = _filled(merged, thresholds, leave_others=True)
        names = merged.pop("for_each", None)
        if isinstance(names, dict) and "row" in names:
            for words in _of_forms(names):
                yield _filled(merged | {"forms": words["forms"]}, words)
            continue
        if names is None:
            if "values" in merged:
                merged["values"] = [n for v in merged["values"] for n in (members if v == "$members" else [v])]
            yield merged
            continue
        for name in members if names == "all" else _of_contracts(names) if isinstance(names, dict) else names:
            known = source_facts().get(name) or column_facts().get(name) or {}
            yield _filled(merged, {"name": name, **known, **members.get(name, {})})


def _of_forms(wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The words of rows that have all the facts asked for and none of ``unless``, but for those left out."""
    for code, facts in row_facts():
        has = all(facts[name] == value for name, value in wanted["row"].items())
        spared = any(facts[name] == value for name, value in wanted.get("unless", {}).items())
        if has and not spared and code not in wanted.get("but", ()):
            yield facts


def _of_contracts(wanted: dict[str, Any]) -> list[str]:
    """The sources or columns that have a fact, but for those left out."""
    facts, asked = (column_facts(), wanted["column"]) if "column" in wanted else (source_facts(), wanted["source"])
    return [name for name, words in facts.items() if words.get(asked) and name not in wanted.get("but", ())]


def _filled(value: Any, words: dict[str, Any], *, leave_others: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _filled(part, words, leave_others=leave_others) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, words, leave_others=leave_others) for part in value]
    if isinstance(value, str) and "$" in value:
        alone = value.removeprefix("$")
        if alone in words:
            return words[alone]
        return Template(value).safe_substitute(words) if leave_others else Template(value).substitute(words)
    return value


def _check_some_form_asks(rule: Rule) -> None:
    """Raises ``ValueError`` for a rule that would never be asked: of a row that no form has, or of no known form."""
    forms = load_forms()
    if strangers := sorted(set(rule.forms) - {form.form for form in forms}):
        raise ValueError(f"{rule.id}: no form {strangers}")
    asked = [form for form in forms if not rule.forms or form.form in rule.forms]
    if not any(rule.rows <= form.codes for form in asked):
        raise ValueError(f"{rule.id}: no form has all of {sorted(rule.rows)}")


def load_rules(directory: Path = RULES_DIR) -> tuple[Rule, ...]:
    """All declared rules in order of id; raises ``ValueError`` on a double id or a wrong declaration."""
    rules: list[Rule] = []
    for path in sorted(directory.glob("*.yml")):
        document = read_yaml(path)
        rules += [Rule.model_validate(_completed(declaration)) for declaration in _expanded(document)]
    if directory == RULES_DIR:
        # One that was changed since it was confirmed publishes nothing, and may say anything.
        rules += [rule for form in load_forms() if _is_settled(form) for rule in relation_rules(form)]
    ids = [rule.id for rule in rules]
    for rule in rules:
        _check_some_form_asks(rule)
    doubled = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
    if doubled:
        raise ValueError(f"declared twice: {doubled}")
    return tuple(sorted(rules, key=lambda rule: rule.id))


def _is_settled(form: Form) -> bool:
    return form.fingerprint is None or is_confirmed(form.folder)


def relation_rules(form: Form) -> list[Rule]:
    """The rules that a form declares of its own rows (``relations.yml``); raises ``ValueError`` where one is wrong."""
    rules = []
    for declaration in relations_of(form):
        try:
            rule = Rule.model_validate(_with_sentence(declaration))
        except ValidationError as error:
            told = "; ".join(str(one["msg"]) for one in error.errors()[:3])
            raise ValueError(f"forms/{form.form}/{RELATIONS_YML}, {declaration['id']}: {told}") from error
        form.require(rule.rows, f"{RELATIONS_YML}, {declaration['id']}")
        rules.append(rule)
    return rules


@follows_forms(1)
def _declared() -> tuple[Rule, ...]:
    return load_rules()


def declared_rules(stage: Stage, form_id: str | None = None) -> list[Rule]:
    """The rules of one gate, in order of id: all, or those for reports by a form."""
    return [rule for rule in _declared() if rule.stage == stage and rule.is_of(form_id)]


@follows_forms(64)
def suite_version(stage: Stage, form_id: str | None = None) -> str:
    """sha256 (hex) over the rules of a stage and what they look for in texts; a verdict of another version is not
    accepted for publication. That of a form does not change when another form comes."""
    body = [rule.model_dump(mode="json", exclude={"forms"}) for rule in declared_rules(stage, form_id)]
    digest = hashlib.sha256(canonical_json(body))
    for name in ("personal_data.py", "published_texts.yml"):
        digest.update((RULES_DIR.parent / name).read_bytes())
    return digest.hexdigest()

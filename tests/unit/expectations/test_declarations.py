"""The rule catalogue itself: ids, sentences, defaults, and that it covers what the form demands."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.declared import read_yaml
from common.forms import load_forms
from expectations import suite_version
from expectations.declarations import RULES_DIR, STAGES, Rule, declared_rules, load_rules
from expectations.form_facts import with_names

RULES = [rule for stage in STAGES for rule in declared_rules(stage)]

_RULE = """
defaults: {stage: mart, source: s, relation: figures, severity: critical, owner: o, since: 2022-Q1, when_empty: allowed,
           settleable: true, advice_vi: Một lời khuyên.}
rules:
  - {id: report.III.12.x, kind: relation, expression: "III.12 > 0", sentence_vi: Một câu cho người đọc.}
"""


def _write(folder: Path, text: str, name: str = "a.yml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_defaults_of_a_file_hold_for_its_rules_and_the_code_is_read_from_the_id(tmp_path: Path) -> None:
    [rule] = load_rules(_write(tmp_path, _RULE))
    assert (rule.owner, rule.indicator, rule.settleable) == ("o", "III.12", True)


def test_a_declaration_need_not_say_the_kind_that_its_argument_tells_nor_the_relation_of_its_source(
    tmp_path: Path,
) -> None:
    silent = _RULE.replace("kind: relation, ", "").replace(" relation: figures,", "")
    [rule] = load_rules(_write(tmp_path, silent))
    assert (rule.kind, rule.relation) == ("relation", rule.source)
    with pytest.raises(ValueError, match="kind"):
        load_rules(_write(tmp_path, silent.replace('expression: "III.12 > 0"', "columns: [value]")))


def test_an_id_declared_twice_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, _RULE)
    with pytest.raises(ValueError, match="declared twice"):
        load_rules(_write(tmp_path, _RULE, "b.yml"))


@pytest.mark.parametrize(
    ("found", "put"),
    [
        ("kind: relation", "kind: not_null"),
        ("III.12 > 0", "III.12 >"),
        ("severity: critical", "severity: fatal"),
        ("since: 2022-Q1", "since: soon"),
        ("sentence_vi: Một câu cho người đọc.", "sentence_vi: ngắn"),
        ("id: report.III.12.x", "id: Report"),
        ("kind: relation", "kind: relation, colour: red"),
        ("kind: relation", "kind: relation, blank_as_zero: [IV.01]"),
    ],
)
def test_a_wrong_declaration_is_refused(tmp_path: Path, found: str, put: str) -> None:
    assert found in _RULE
    with pytest.raises(ValueError, match=r"validation error|expected"):
        load_rules(_write(tmp_path, _RULE.replace(found, put)))


def test_the_suite_version_changes_with_any_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations import declarations

    before = suite_version("mart")
    changed = tuple(
        rule.model_copy(update={"severity": "info"}) if rule.id == "report.settled" else rule for rule in RULES
    )
    monkeypatch.setattr(declarations, "_declared", lambda: changed)
    suite_version.cache_clear()
    try:
        assert suite_version("mart") != before
    finally:
        suite_version.cache_clear()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_sentences_are_whole_sentences_in_composed_vietnamese(rule: Rule) -> None:
    for text in (with_names(rule.sentence_vi, load_forms()[-1]), rule.advice_vi):
        assert unicodedata.is_normalized("NFC", text)
        assert text.lstrip("“")[0].isupper()
        assert text.endswith(".")
        assert "{" not in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_sentence_speaks_of_a_row_number_that_no_form_prints(rule: Rule) -> None:
    texts = (rule.sentence_vi, rule.advice_vi, rule.message_vi or "")
    assert not any(re.search(r"\b[Dd]òng \d", text) for text in texts)


def test_decisions_about_the_real_report_name_declared_rules() -> None:
    ids = {rule.id for rule in RULES}
    assert ids >= {
        "report.settled",
        "report.flag_domain.I.16",
        "report.V.02.heading_contradicts_children",
        "report.VI.04.sum_of_groups",
        "report.VI.06.requires_staff",
        "report.VII.29.at_most_offered",
        "report.VII.44.iff_cases",
        "report.VII.45.iff_cases",
        "report.VII.50.iff_cases",
        "report.VII.51.iff_cases",
        "report.III.27.no_backlog",
    }


def test_only_the_reasonable_doubt_is_a_warning() -> None:
    severities = {rule.id: rule.severity for rule in RULES}
    assert severities["report.III.27.no_backlog"] == "warning"
    assert severities["report.III.12.sum_of_levels"] == "critical"


def test_what_guards_the_data_is_not_settled_by_decisions() -> None:
    settleable = {rule.id for rule in RULES if rule.settleable and rule.severity == "critical"}
    about_deliveries = {rule_id for rule_id in settleable if not rule_id.startswith("report.")}
    # A date far off may be true all the same, a report may be made without a commune, and people may mean their words.
    settled = ("_plausible", ".sent_by_communes", "letter.figures_agree")
    assert all(rule_id.endswith(settled) for rule_id in about_deliveries)


DECLARED = [
    (path.name, declaration) for path in sorted(RULES_DIR.glob("*.yml")) for declaration in read_yaml(path)["rules"]
]


@pytest.mark.parametrize(("file", "declared"), DECLARED, ids=[f"{file}: {one['id']}" for file, one in DECLARED])
def test_a_threshold_stands_once_and_its_texts_follow(file: str, declared: dict[str, Any]) -> None:
    sql = " ".join(str(declared.get(name, "")) for name in ("violation", "violations", "applies_when"))
    texts = " ".join(str(declared.get(name, "")) for name in ("sentence_vi", "message_vi", "advice_vi"))
    numbers = [set(re.findall(r"(?<![\w./])\d{2,}(?![\w./])", text)) - {"100"} for text in (sql, texts)]
    assert numbers[0] & numbers[1] == set()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"expression": "I.99 <= I.04"}, r"no form has all of \['I\.04', 'I\.99'\]"),
        ({"forms": ["1999"]}, r"no form \['1999'\]"),
    ],
)
def test_a_rule_that_no_form_would_ever_be_asked_is_refused(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    """A wrong code must not make a rule silent."""
    rule = {
        "id": "report.I.04.at_most_planned", "stage": "mart", "source": "report", "relation": "figures",
        "kind": "relation", "severity": "critical", "owner": "Phòng Nội vụ", "since": "2022-Q1",
        "when_empty": "allowed", "settleable": True, "advice_vi": "Kiểm tra lại số liệu.", "expression": "I.04 <= I.03",
        **change,
    }  # fmt: skip
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"rules": [rule]}), encoding="utf-8")
    with pytest.raises(ValueError, match=why):
        load_rules(tmp_path)

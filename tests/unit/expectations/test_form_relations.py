"""Relations of a form: what a file of them may say, and what is told of one that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.forms import Form, form_named
from expectations.declarations import load_rules, relation_rules
from expectations.form_relations import RELATIONS_YML


def _form_in(folder: Path) -> Form:
    form = form_named("2023").model_copy()
    form._folder = folder
    return form


def _told(folder: Path, text: str) -> str:
    (folder / "relations.yml").write_text(text, encoding="utf-8")
    form = _form_in(folder)
    with pytest.raises(ValueError, match=RELATIONS_YML) as raised:
        relation_rules(form)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("relations: [", "không đọc được"),
        ("- 1", "thiếu danh sách relations"),
        ("relations: {a: 1}", "thiếu danh sách relations"),
        ("relations: [{id: a}]", "quan hệ thứ 1: cần có id và expression"),
        ("relations: [{id: a, expression: I.03 = I.04, color: red}]", "không có mục color"),
        ("relations: [{id: a, expression: I.03 = }]", "relations.yml, form.2023.a"),
        ("relations: [{id: a, expression: I.03 = I.99}]", "I.99"),
        ("relations: [{id: a, expression: I.03 = I.04, severity: bad}]", "form.2023.a"),
        ("relations: [{id: a b, expression: I.03 = I.04}]", "is not a rule id"),
        ("relations: [{id: a, expression: I.03 > I.04}]", "form.2023.a"),
    ],
)
def test_what_cannot_be_is_told_with_file_and_relation(tmp_path: Path, text: str, words: str) -> None:
    told = _told(tmp_path, text)
    assert words in told
    assert "relations.yml" in told


def test_a_form_without_relations_has_none_and_a_simple_one_says_what_it_says(tmp_path: Path) -> None:
    form = _form_in(tmp_path)
    assert relation_rules(form) == []
    (tmp_path / "relations.yml").write_text(
        "relations:\n- {id: done, expression: I.04 <= I.03, severity: warning}\n", encoding="utf-8"
    )
    (rule,) = relation_rules(form)
    assert (rule.id, rule.forms, rule.severity) == ("form.2023.done", ("2023",), "warning")
    assert rule.sentence_vi == "Số liệu {I.04} không được lớn hơn {I.03}."


def test_the_projects_rules_load() -> None:
    assert load_rules()

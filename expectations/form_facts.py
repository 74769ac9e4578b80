"""What the report forms say that rules say too: which rows are flags, which are a sum, which are 0 with another.

Belongs here: those words of ``forms/*/rows.csv`` under the names that rules use, how a sentence names a row, and which
rules a form does not ask. Does not belong here: rules, and what else a form says (``common.forms``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from common.codes import ROW_CODE
from common.forms import Form, follows_forms, load_forms

Facts = dict[str, Any]

ROW = re.compile(rf"(?<![\w.]){ROW_CODE}(?![\w.])")
_NAMED = re.compile(rf"\{{({ROW_CODE}(?:\+{ROW_CODE})*)(:place)?\}}")


@follows_forms(1)
def row_facts() -> tuple[tuple[str, Facts], ...]:
    """Indicator code and words of every row of every form, once for forms that say the same of it.

    Words: ``code``, ``kind``, ``period_basis``, ``derivation``, ``parent``, ``is_zero_with_parent``, ``parts`` (an
    expression) and ``parts_vi``; ``forms`` that have the row and say this of it; where others say otherwise ``mark``
    tells the rules apart.
    """
    found: dict[str, list[tuple[Facts, list[str]]]] = {}
    for form in load_forms():
        for row in form.rows:
            facts = _of_row(row)
            known = found.setdefault(row["indicator_code"], [])
            same = next((forms for words, forms in known if words == facts), None)
            if same is None:
                known.append((facts, [form.form]))
            else:
                same.append(form.form)
    return tuple(_with_marks(found))


def _with_marks(found: Mapping[str, list[tuple[Facts, list[str]]]]) -> Iterator[tuple[str, Facts]]:
    for code, variants in found.items():
        for place, (facts, forms) in enumerate(variants):
            yield code, {**facts, "forms": forms, "mark": ".form_" + forms[0].replace("-", "_") if place else ""}


def _of_row(row: Mapping[str, str]) -> Facts:
    parts = row["derived_from"].split("+") if row["derived_from"] else []
    return {
        "code": row["indicator_code"],
        "kind": row["kind"],
        "period_basis": row["period_basis"],
        "derivation": row["derivation"],
        "parent": row["logical_parent_code"],
        "is_zero_with_parent": row["zero_when_parent_zero"] == "true",
        "parts": " + ".join(parts),
        "parts_vi": " cộng ".join(f"{{{code}}}" for code in parts),
    }


def rows_named(*texts: str | None) -> frozenset[str]:
    """Indicator codes that stand in expressions, SQL or sentences."""
    return frozenset(code for text in texts if text for code in ROW.findall(text))


def with_names(sentence: str, form: Form) -> str:
    """A sentence with its placeholders filled as the form prints the rows.

    ``{I.04}``: by name and place; ``{I.04:place}``, ``{V.23+V.24:place}``: by the numbered items in which they stand.
    Words of the form before stand in those of this one.
    """
    sentence = form.in_its_words(sentence)
    if "{" not in sentence:
        return sentence
    names, places = form.names, form.places

    def named(match: re.Match[str]) -> str:
        codes = match[1].split("+")
        if match[2]:
            return ", ".join(dict.fromkeys(places.get(code, code) for code in codes))
        return ", ".join(names.get(code, code) for code in codes)

    return _NAMED.sub(named, sentence)


def widest_form() -> Form:
    """The form that names the most rows, for findings of a unit whose form is not known."""
    return max(load_forms(), key=lambda form: len(form.rows))

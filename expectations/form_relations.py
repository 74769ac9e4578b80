"""Relations that a form declares of its own rows, in ``forms/<id>/relations.yml``, as rules of the second gate.

Belongs here: reading the file and what a relation is taken for where it does not say. Does not belong here: the grammar
(``expression``), relations that the project asks of every form (``rules/report.yml``).

A department prints what must hold below its table, or offices know it of their form; whoever brings the form declares
it beside the rows, and nothing else is touched::

    relations:
      - id: late_is_the_rest
        expression: III.03 = III.01 - III.02
        severity: critical            # warning, info
        sentence_vi: "…"              # of A <= B + C and A = B + C nothing need be said
        blank_as_zero: [III.02]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from common.forms import Form

RELATIONS_YML = "relations.yml"
_FIELDS = frozenset({"id", "expression", "severity", "sentence_vi", "advice_vi", "blank_as_zero", "since", "until"})
_DEFAULTS = {
    "stage": "mart",
    "source": "report",
    "relation": "figures",
    "kind": "relation",
    "severity": "critical",
    "owner": "Cơ quan ban hành biểu mẫu",
    "since": "2022-Q1",
    "when_empty": "allowed",
    "settleable": True,
    "advice_vi": "Kiểm tra lại số liệu các dòng nêu trên; nếu số liệu đúng, ban hành quyết định số liệu có giải trình.",
}


def relations_of(form: Form) -> Iterator[dict[str, Any]]:
    """The declarations of a form's relations, each a rule ``form.<id of the form>.<id>`` of that form alone; those of
    the form before it go on where their rows do.

    Raises ``ValueError``, with the file and the relation, where one cannot be read.
    """
    where = f"forms/{form.form}/{RELATIONS_YML}"
    try:
        document = form.declared(RELATIONS_YML)
    except LookupError:
        return
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{where}: không đọc được: {error}") from error
    relations = document.get("relations") if isinstance(document, dict) else None
    if not isinstance(relations, list):
        raise ValueError(f"{where}: thiếu danh sách relations")
    for place, relation in enumerate(relations, 1):
        if not isinstance(relation, dict) or not {"id", "expression"} <= relation.keys():
            raise ValueError(f"{where}, quan hệ thứ {place}: cần có id và expression")
        if strangers := sorted(set(relation) - _FIELDS):
            raise ValueError(f"{where}, {relation['id']}: không có mục {', '.join(strangers)}")
        name = f"form.{form.form.replace('-', '_')}.{relation['id']}"
        yield {**_DEFAULTS, **relation, "id": name, "forms": [form.form]}

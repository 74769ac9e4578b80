"""What changed in the published figures since the release before of the same quarter.

Belongs here: comparing two releases' marts row by row. Does not belong here: why it changed (the deliveries and
decisions in the manifests say that), comparing quarters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from publication.candidate import FORM_MART
from publication.csvfile import to_csv

CHANGES_COLUMNS = ("mart", "row", "name_vi", "column", "old", "new")
#: Key of one row in each mart whose rows are compared cell by cell; further marts are compared as whole rows.
_KEYS = {
    FORM_MART: ("indicator_code",),
    "case_processing": ("receiving_unit_code", "field_vi", "channel"),
    "e_document_exchange": ("register_unit_code", "document_kind", "topic"),
    "staffing": ("working_unit_type", "category"),
    "procedure_coverage": ("field_vi", "applies_at"),
}
#: Marts that describe how a release was made, or say again what another mart says.
_NOT_COMPARED = frozenset({
    "gate_results", "delivery_log", "figure_rows", "dim_measure", "measure_values", "indicator_trend",
})


@dataclass(frozen=True)
class Change:
    """One changed cell, or (column None) a row that appeared (old None) or went (new None)."""

    mart: str
    row: str
    name_vi: str | None
    column: str | None
    old: str | None
    new: str | None


def compare(old: Mapping[str, pa.Table], new: Mapping[str, pa.Table]) -> list[Change]:
    """Every difference between two releases' published marts, in a total order."""
    changes: list[Change] = []
    for mart in sorted((set(old) | set(new)) - _NOT_COMPARED):
        before = old[mart].to_pylist() if mart in old else []
        after = new[mart].to_pylist() if mart in new else []
        if mart in _KEYS:
            changes.extend(_cells(mart, _KEYS[mart], before, after))
        else:
            changes.extend(_rows(mart, before, after))
    return changes


def _cells(mart: str, key: Sequence[str], before: list[dict[str, Any]],
           after: list[dict[str, Any]]) -> Iterator[Change]:
    old_rows = {" · ".join(str(row[k]) for k in key): row for row in before}
    new_rows = {" · ".join(str(row[k]) for k in key): row for row in after}
    for name in sorted(old_rows.keys() | new_rows.keys()):
        old_row, new_row = old_rows.get(name), new_rows.get(name)
        title = (new_row or old_row or {}).get("indicator_name_vi")
        if old_row is None or new_row is None:
            yield Change(mart, name, title, None, _text(old_row), _text(new_row))
            continue
        for column in sorted(old_row.keys() | new_row.keys()):
            old_cell, new_cell = _text(old_row.get(column)), _text(new_row.get(column))
            if old_cell != new_cell:
                yield Change(mart, name, title, column, old_cell, new_cell)


def _rows(mart: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[Change]:
    gone, come = Counter(map(_line, before)), Counter(map(_line, after))
    for line in sorted((gone - come).elements()):
        yield Change(mart, "", None, None, line, None)
    for line in sorted((come - gone).elements()):
        yield Change(mart, "", None, None, None, line)


def _line(row: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}={_text(value) or ''}" for name, value in sorted(row.items()))


def _text(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return _line(value)
    return None if value is None else str(value)


def changes_csv(old: Mapping[str, pa.Table] | None, new: Mapping[str, pa.Table]) -> bytes:
    """``quality/changes.csv``; only its header for the first release of a quarter."""
    changes = compare(old, new) if old is not None else []
    return to_csv(CHANGES_COLUMNS, [vars(change) for change in changes])

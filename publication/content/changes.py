"""What changed in the published figures since the release before of the same quarter.

Belongs here: comparing two releases' marts row by row. Does not belong here: why it changed (``causes``), how it is
told (``revision``), comparing quarters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from publication.formatting import plain_number
from publication.store.candidate import FORM_MART
from publication.store.contracts import stored_contracts

#: The form's rows are known by their codes; a row's place is one of its cells.
_FORM_KEY = ("indicator_code",)
#: Part of every key and the same throughout a release; only the marts of units and quarters are about them.
_OF_THE_RELEASE = frozenset({"unit_code", "quarter"})
#: Where the contract's key is a place in a table that is printed: what a row is about, which stays when others come.
_BY_CONTENT: Mapping[str, tuple[str, ...]] = {
    "case_form_06a": ("clock", "breakdown", "row_kind", "unit_level", "field_vi", "receiving_unit_code"),
    "dim_indicator": ("form_version", "indicator_code"),
    FORM_MART: _FORM_KEY,
    "report_narrative": ("section", "text_vi"),
}
#: Cells that only say where such a row stands: any row that comes or goes moves them, and nothing is said otherwise.
_PLACES: Mapping[str, frozenset[str]] = {
    "case_form_06a": frozenset({"row_no", "printed_number"}),
    "report_narrative": frozenset({"paragraph_no", "row_number", "file_name", "sheet"}),
}
#: Says which cells are blank; each such cell is told itself.
_GAPS = "held_back"
#: Marts that describe how a release was made, not what it says.
_NOT_COMPARED = frozenset({"gate_results", "delivery_log", "figure_rows", "province_checks"})


@dataclass(frozen=True)
class Change:
    """One changed cell, or (column None) a row that appeared (old None) or went (new None).

    ``of_layout``: not a figure but a whole table or column came or went, as happens when the program is renewed.
    """

    mart: str
    row: str
    name_vi: str | None
    column: str | None
    old: str | None
    new: str | None
    of_layout: bool = False


def compare(old: Mapping[str, pa.Table], new: Mapping[str, pa.Table]) -> list[Change]:
    """Every difference between two releases' published marts, in a total order."""
    changes: list[Change] = []
    for mart in sorted((set(old) | set(new)) - _NOT_COMPARED):
        if mart not in old or mart not in new:
            changes.append(Change(mart, "", None, None, _size(old.get(mart)), _size(new.get(mart)), of_layout=True))
            continue
        changes.extend(_columns(mart, old[mart].column_names, new[mart].column_names))
        places = _PLACES.get(mart, frozenset())
        common = [
            name for name in old[mart].column_names if name in new[mart].column_names and name not in places | {_GAPS}
        ]
        before, after = (table.select(common).to_pylist() for table in (old[mart], new[mart]))
        key = _key(mart, common, before, after)
        changes.extend(_cells(mart, key, before, after) if key else _rows(mart, before, after))
    return changes


def _key(mart: str, columns: Sequence[str], *releases: list[dict[str, Any]]) -> Sequence[str]:
    """Columns by which a row is found again; none where the contract has no key that holds, and whole rows are
    compared."""
    contract = stored_contracts().get(mart)
    key: Sequence[str] = _BY_CONTENT.get(mart, ())
    if not key and contract is not None:
        key = [name for name in contract.key if name not in _OF_THE_RELEASE or mart.startswith("dim_")]
    if not set(key) <= set(columns):
        return ()
    holds = all(len({tuple(row[name] for name in key) for row in rows}) == len(rows) for rows in releases)
    return key if holds else ()


def _size(table: pa.Table | None) -> str | None:
    return None if table is None else f"bảng có {table.num_rows} dòng"


def _columns(mart: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    for name in sorted(set(before) ^ set(after)):
        was, now = ("có cột này" if name in names else None for names in (before, after))
        yield Change(mart, "", None, name, was, now, of_layout=True)


def _cells(
    mart: str, key: Sequence[str], before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> Iterator[Change]:
    old_rows = {" · ".join(str(row[k]) for k in key): row for row in before}
    new_rows = {" · ".join(str(row[k]) for k in key): row for row in after}
    for name in sorted(old_rows.keys() | new_rows.keys()):
        old_row, new_row = old_rows.get(name), new_rows.get(name)
        title = (new_row or old_row or {}).get("indicator_name_vi")
        if old_row is None or new_row is None:
            yield Change(mart, name, title, None, _text(old_row), _text(new_row))
            continue
        for column in sorted(old_row):
            old_cell, new_cell = _text(old_row[column]), _text(new_row[column])
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
    if isinstance(value, Decimal):
        return plain_number(value)
    return None if value is None else str(value)

"""A row that comes, goes or moves is that one change: rows are found again by what they are about, in every table."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pytest

from publication.content.changes import Change, compare
from publication.store.contracts import stored_contracts
from tests.unit.publication.builders import form_06a_table, form_table

NOT_COMPARED = {"gate_results", "delivery_log", "figure_rows", "province_checks", "notes", "changes"}
FIELDS = ["Chứng thực", "Đất đai", "Hộ tịch", "Môi trường", "Tôn giáo"]


def form_06a(fields: list[str]) -> pa.Table:
    """``case_form_06a`` with a row a field on one clock, numbered as they stand."""
    (first, *_) = form_06a_table().to_pylist()
    rows = [
        first | {"row_kind": "row", "unit_level": "district", "field_vi": field, "name_vi": field, "row_no": number,
                 "printed_number": str(number), "resolved": len(field)}
        for number, field in enumerate(fields, start=1)
    ]  # fmt: skip
    total = first | {"row_kind": "total", "unit_level": "all", "row_no": len(rows) + 1, "name_vi": "Tổng cộng"}
    return pa.Table.from_pylist([*rows, total], schema=form_06a_table().schema)


def changes(mart: str, old: pa.Table, new: pa.Table) -> list[Change]:
    return compare({mart: old}, {mart: new})


@pytest.mark.parametrize("place", range(len(FIELDS)))
def test_a_field_that_comes_or_goes_is_one_change_wherever_it_stands(place: int) -> None:
    without = FIELDS[:place] + FIELDS[place + 1 :]
    (came,) = changes("case_form_06a", form_06a(without), form_06a(FIELDS))
    (went,) = changes("case_form_06a", form_06a(FIELDS), form_06a(without))
    assert FIELDS[place] in came.row
    assert came.row == went.row
    assert (came.column, came.old, went.column, went.new) == (None, None, None, None)


def test_another_order_is_no_change() -> None:
    assert changes("case_form_06a", form_06a(FIELDS), form_06a(FIELDS[::-1])) == []


def paragraphs(texts: list[str]) -> pa.Table:
    return pa.Table.from_pylist([
        {"unit_code": "945", "quarter": "2023-Q1", "section": "II.1", "paragraph_no": number, "text_vi": text,
         "file_name": "a", "sheet": "txt", "row_number": number + 10}
        for number, text in enumerate(texts, start=1)
    ])  # fmt: skip


def test_a_paragraph_put_in_front_is_one_change() -> None:
    (came,) = changes("report_narrative", paragraphs(["một", "hai"]), paragraphs(["mới", "một", "hai"]))
    assert came.new is not None
    assert "mới" in came.row


COMPARED = {name for name, contract in stored_contracts().items() if contract.origin != "index"} - NOT_COMPARED


@pytest.mark.parametrize("mart", sorted(COMPARED))
def test_in_every_table_rows_that_come_go_and_move_are_those_rows_only(mart: str) -> None:
    """Made-up rows that differ in every column, some taken out and all shuffled: as many changes as rows taken out."""
    contract = stored_contracts()[mart]
    chance = random.Random(mart)
    rows: list[dict[str, Any]] = [
        {column.name: f"{column.name} {number}" for column in contract.columns} for number in range(20)
    ]
    kept = rows[:7] + rows[9:15] + rows[16:]
    shuffled = chance.sample(kept, len(kept))
    found = changes(mart, pa.Table.from_pylist(rows), pa.Table.from_pylist(shuffled))
    assert len(found) == 3
    assert {change.column for change in found} == {None}
    assert {change.new for change in found} == {None}


def test_a_changed_figure_is_still_one_changed_cell() -> None:
    (change,) = changes("report_indicators", form_table(), form_table(changes={"I.04": {"note_vi": "khác"}}))
    assert (change.row, change.column, change.new) == ("I.04", "note_vi", "khác")

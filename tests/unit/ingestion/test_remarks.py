"""Remarks on whole deliveries: their record, and the message that is made from them."""

from __future__ import annotations

import pytest

from ingestion.base.remarks import KINDS, SCHEMA, FileRemark, message_of, remark_table


def test_a_remark_has_a_declared_kind() -> None:
    with pytest.raises(ValueError, match="undeclared"):
        FileRemark("something_else", "Chữ")


def test_the_clerk_is_told_each_thing_once_and_in_order() -> None:
    once = FileRemark("totals_differ", "Bảng đầy.", "Xuất lại.")
    hushed = FileRemark("missing_column", "Thiếu cột.", column="due_at")
    assert not KINDS["missing_column"].in_message
    assert message_of([once, hushed, once, FileRemark("suffix_differs", "Đuôi khác.")]) == (
        "Bảng đầy. Xuất lại. Đuôi khác."
    )


def test_a_remark_is_a_row_with_its_lineage() -> None:
    table = remark_table(
        [FileRemark("skipped_sheet", "Bỏ qua.", sheet="S2", subject="S2", count=361)],
        _delivery_id="d",
        _source="one_stop_cases",
    )
    assert table.schema == SCHEMA
    (row,) = table.to_pylist()
    assert {name: value for name, value in row.items() if value not in (None, "")} == {
        "_delivery_id": "d", "_source": "one_stop_cases", "_sheet": "S2", "kind": "skipped_sheet", "subject": "S2",
        "count": 361, "message_vi": "Bỏ qua.",
    }  # fmt: skip
    assert remark_table([]).schema == SCHEMA

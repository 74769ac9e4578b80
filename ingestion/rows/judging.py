"""Step of reading: all rules on rows, in order, and which rows they take out.

Belongs here: that order. Does not belong here: a rule (``rules``, ``belonging``, ``form_rows``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingestion.base.contracts import Contract
from ingestion.rows.belonging import strays
from ingestion.rows.form_rows import broken_form_rows
from ingestion.rows.resolve import Context
from ingestion.rows.rules import (
    WRONG_FIELD_COUNT,
    RowRemark,
    broken_row_rules,
    keys_of_rejected,
    missing_cells,
    repeated_keys,
    rows_rejected,
)
from ingestion.rows.tables import FileRows, JudgedRows


def judge_rows(read: FileRows, contract: Contract, context: Context) -> JudgedRows:
    """Holds every row against the rules.

    Which of the rows with one key stays is decided among those that nothing else takes out; a row that is taken out is
    told of its key as well, so that whoever mends it learns of all its faults at once.
    """
    rows = read.rows
    remarks = _without_shifted_cells(
        [
            *read.remarks,
            *missing_cells(rows, contract),
            *broken_row_rules(rows, contract),
            *strays(rows, contract, context),
            *broken_form_rows(rows, contract, context),
        ],
        len(rows),
    )
    rejected = rows_rejected(remarks, len(rows))
    duplicates = list(repeated_keys(rows, contract, rejected))
    rejected |= rows_rejected(duplicates, len(rows))
    shifted = rows_rejected((r for r in remarks if r.remark.code == WRONG_FIELD_COUNT), len(rows))
    told = {int(row) for remark in duplicates for row in remark.rows}
    also = list(keys_of_rejected(rows, contract, rejected, shifted, told))
    return JudgedRows(rows, [*remarks, *duplicates, *also], rejected)


def _without_shifted_cells(remarks: Sequence[RowRemark], total: int) -> Sequence[RowRemark]:
    """The remarks without those on cells of rows that have too many or too few of them.

    Such cells stand under the wrong headings: what is said of them helps nobody, and may quote a name or a phone.
    """
    shifted = rows_rejected((r for r in remarks if r.remark.code == WRONG_FIELD_COUNT), total)
    if not shifted.any():
        return remarks
    kept: list[RowRemark] = []
    for remark in remarks:
        if remark.remark.code != WRONG_FIELD_COUNT:
            remark = replace(remark, rows=remark.rows[~shifted[remark.rows]])
        if len(remark.rows):
            kept.append(remark)
    return kept

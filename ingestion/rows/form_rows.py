"""Rows that declare a figure of the form, against the form: the code against the printed name, the figure against what
the row counts.

Belongs here: faults that the form alone shows. Does not belong here: codes that the form does not have (gate 1), and
figures that contradict each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from ingestion.base.contracts import Contract
from ingestion.base.readings import Remark
from ingestion.base.reference import FormRow
from ingestion.rows.resolve import Context
from ingestion.rows.rules import RowRemark, Rows
from ingestion.rows.values import parse_flag, printed
from ingestion.text.numbers import decimal_vi
from ingestion.text.vietnamese import bare

_COUNTS = frozenset({"count", "flag_or_count"})
_FLAGS = frozenset({"flag", "flag_or_count"})


def broken_form_rows(rows: Rows, contract: Contract, context: Context) -> Iterator[RowRemark]:
    """Rows whose printed name is that of another row of the form, and rows whose figure is none of its row's kind."""
    plan = contract.form_row
    if plan is None or not context.form_rows:
        return
    by_code = {row.code: row for row in context.form_rows}
    named: dict[str, set[str]] = defaultdict(set)
    for row in context.form_rows:
        for name in row.names:
            named[bare(name)].add(row.code)
    columns = (rows.columns[name].to_pylist() for name in (plan.code, plan.name, plan.value))
    for place, (code, name, value) in enumerate(zip(*columns, strict=True)):
        own = by_code.get(code) if code else None
        if own is None:
            continue
        codes_of_name = named.get(bare(name), set()) if name else set()
        if codes_of_name and code not in codes_of_name:
            others = ", ".join(sorted(codes_of_name))
            remark = Remark(
                "code_of_other_name",
                f"Mã {code} là chỉ tiêu “{own.names[0]}”, nhưng tên ghi trong dòng là của mã {others}: “{name}”",
                "Kiểm tra mã, tên và số liệu của dòng rồi sửa mã hoặc tên cho khớp.",
            )
            yield RowRemark(np.array([place]), plan.code, code, remark, True)
        if value is not None and (fault := _fault(own, value["number"], value["text"])) is not None:
            shown = printed(value["text"]) or ("" if value["number"] is None else decimal_vi(value["number"]))
            yield RowRemark(np.array([place]), plan.value, shown, fault, True)


def _fault(row: FormRow, number: Decimal | None, text: str | None) -> Remark | None:
    """What is wrong with a figure of the row; None where nothing is, or where the form does not tell."""
    if row.kind in _COUNTS | _FLAGS | {"ratio"} and number is None and text is not None:
        if row.kind in _FLAGS and parse_flag(text).value is not None:
            return None
        expected = row.unit if row.kind in _FLAGS else "chỉ ghi số"
        return Remark(
            "text_in_figure",
            f"Chỉ tiêu {row.code} cần số liệu ({expected}) nhưng ô ghi chữ: “{text}”",
            "Chỉ ghi số; phần giải thích ghi ở cột Ghi chú. Không có thì ghi 0, chưa có số liệu thì để trống.",
        )
    if number is None:
        return None
    if row.kind == "flag" and number not in (0, 1):
        return Remark(
            "not_a_flag", f"Chỉ tiêu {row.code} chỉ nhận {row.unit}, nhưng ô ghi {decimal_vi(number)}", "Ghi 0 hoặc 1."
        )
    if row.kind in _COUNTS and (number < 0 or number != int(number)):
        return Remark(
            "not_a_count",
            f"Chỉ tiêu {row.code} là số đếm ({row.unit}) nhưng ô ghi {decimal_vi(number)}",
            "Ghi số nguyên không âm.",
        )
    if row.kind == "ratio" and number < 0:
        message = f"Chỉ tiêu {row.code} là tỷ lệ nhưng ô ghi {decimal_vi(number)}"
        return Remark("negative_ratio", message, "Kiểm tra lại số.")
    return None

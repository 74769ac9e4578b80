"""Rows that give a figure of the form, against the form: the code found from the printed name, the code against that
name, the figure against what the row counts.

Belongs here: faults that the form alone shows, and codes that it alone tells. Does not belong here: codes that a
declared return has and the form has not (gate 1), and figures that contradict each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from ingestion.base.contracts import Contract
from ingestion.base.readings import Remark
from ingestion.base.reference import FormRow
from ingestion.rows.resolve import Context
from ingestion.rows.rules import RowRemark, Rows
from ingestion.rows.tables import FileRows
from ingestion.rows.values import parse_flag, printed
from ingestion.text.numbers import decimal_vi
from ingestion.text.vietnamese import bare

_COUNTS = frozenset({"count", "flag_or_count"})
_FLAGS = frozenset({"flag", "flag_or_count"})
_HUNDREDTH = Decimal("0.01")


def resolve_form_rows(read: FileRows, contract: Contract, context: Context) -> FileRows:
    """The same rows with the code of the form's row filled in from its printed name where the code is blank; of several
    rows of that name the printed number decides. A name that means no row, or several, is remarked on.
    """
    plan = contract.figure_of_form
    if plan is None:
        return read
    codes = read.rows.columns[plan.code].to_pylist()
    asked = ~read.rows.present(plan.code)
    named, remarks = _named(context), list(read.remarks)
    numbers = {row.code: row.number for row in context.form_rows}
    names, printed_numbers = (read.rows.columns[name].to_pylist() for name in (plan.name, plan.number))
    for place in np.flatnonzero(asked):
        name, number = names[place], printed_numbers[place]
        if not name:
            continue
        found = named.get(bare(name), set())
        if len(found) > 1 and number:
            found = {code for code in found if numbers[code] == number.strip(" .")} or found
        if len(found) == 1:
            codes[place] = next(iter(found))
        else:
            remarks.append(RowRemark(np.array([place]), plan.name, name, _unclear(name, found), True))
    rows = replace(read.rows, columns={**read.rows.columns, plan.code: pa.array(codes, pa.string())})
    return replace(read, rows=rows, remarks=tuple(remarks))


def _unclear(name: str, found: set[str]) -> Remark:
    """Why a printed name tells no code."""
    if not found:
        return Remark(
            "name_not_in_form",
            f"Biểu của kỳ không có chỉ tiêu “{name}”",
            "Ghi đúng tên như biểu in, hoặc ghi mã chỉ tiêu.",
        )
    return Remark(
        "form_row_ambiguous",
        f"Tên “{name}” là của nhiều chỉ tiêu: {', '.join(sorted(found))}",
        "Ghi thêm mã chỉ tiêu, hoặc số mục in ở biểu.",
    )


def _named(context: Context) -> dict[str, set[str]]:
    """Codes of the form's rows by bare printed name."""
    named: dict[str, set[str]] = defaultdict(set)
    for row in context.form_rows:
        for name in row.names:
            named[bare(name)].add(row.code)
    return named


def broken_form_rows(rows: Rows, contract: Contract, context: Context) -> Iterator[RowRemark]:
    """Rows whose printed name is that of another row of the form, and rows whose figure is none of its row's kind.

    Where the rows give figures of the form and nothing else, also those of no row of it, and those without a figure.
    """
    plan = contract.form_row or contract.figure_of_form
    if plan is None or not context.form_rows:
        return
    by_code = {row.code: row for row in context.form_rows}
    named = _named(context)
    columns = (rows.columns[name].to_pylist() for name in (plan.code, plan.name, plan.value))
    parts = _Parts(rows, contract)
    for place, (code, name, value) in enumerate(zip(*columns, strict=True)):
        own = by_code.get(code) if code else None
        if contract.figure_of_form and code and (remark := _no_figure_of_form(code, own, value)) is not None:
            yield RowRemark(np.array([place]), plan.code if own is None else plan.value, code, remark, True)
            continue
        if own is not None and (of_parts := parts.fault(place, own, value)) is not None:
            yield RowRemark(np.array([place]), *of_parts, True)
            continue
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


class _Parts:
    """The parts of ratios, where rows give them: a ratio has both, another row none, and a percentage beside them is
    what they give.
    """

    def __init__(self, rows: Rows, contract: Contract) -> None:
        plan = contract.figure_of_form
        self._names = plan.parts if plan is not None else None
        self._value = plan.value if plan is not None else ""
        self._parts = [rows.columns[name].to_pylist() for name in self._names or ()]
        # Of a cell that cannot be read its own fault is told, and not that it is missing.
        self._present = [rows.present(name) for name in self._names or ()]

    def fault(self, place: int, row: FormRow, value: dict[str, Any] | None) -> tuple[str, str, Remark] | None:
        """Column, its value as printed, and what is wrong with the row at the place."""
        if self._names is None:
            return None
        numerator, denominator = (column[place] for column in self._parts)
        is_there = [bool(column[place]) for column in self._present]
        given = None if value is None else value["number"]
        shown = ["" if number is None else decimal_vi(number) for number in (numerator, denominator, given)]
        if row.kind != "ratio":
            if not any(is_there):
                return None
            remark = Remark(
                "parts_of_no_ratio",
                f"{row.place_vi} không phải tỷ lệ nên không có tử số, mẫu số",
                "Ghi số ở cột Số liệu và để trống tử số, mẫu số; hoặc sửa chỉ tiêu.",
            )
            return self._names[0], shown[0] or shown[1], remark
        if not all(is_there):
            remark = Remark(
                "ratio_without_parts",
                f"{row.place_vi} là tỷ lệ: thiếu {'mẫu số' if is_there[0] else 'tử số'}",
                "Ghi cả tử số và mẫu số; tỷ lệ chung được tính lại từ tổng của chúng, không lấy trung bình.",
            )
            return self._names[int(is_there[0])], "", remark
        if given is None or numerator is None or denominator is None:
            return None
        # Whole percentages and those of one decimal are printed too: off by no more than a unit of the last place.
        off = Decimal(1).scaleb(min(0, given.normalize().as_tuple().exponent))
        if denominator == 0 or abs(given - 100 * numerator / denominator) > max(off, _HUNDREDTH):
            remark = Remark(
                "ratio_differs",
                f"{row.place_vi}: tỷ lệ ghi {shown[2]}% nhưng {shown[0]}/{shown[1]} "
                + ("không chia được" if denominator == 0 else f"là {decimal_vi(_percent(numerator, denominator))}%"),
                "Kiểm tra tử số, mẫu số và tỷ lệ; tỷ lệ có thể để trống.",
            )
            return self._value, shown[2], remark
        return None


def _percent(numerator: Decimal, denominator: Decimal) -> Decimal:
    return (100 * numerator / denominator).quantize(_HUNDREDTH, ROUND_HALF_UP)


def _no_figure_of_form(code: str, row: FormRow | None, value: dict[str, Any] | None) -> Remark | None:
    """What is wrong with a row that should give a figure of the form."""
    if row is None:
        return Remark("code_not_in_form", f"Biểu của kỳ không có mã chỉ tiêu {code}", "Ghi đúng mã của biểu.")
    if row.is_heading:
        return Remark("figure_on_heading", f"{row.place_vi} là đề mục, không có số liệu", "Ghi chỉ tiêu có số liệu.")
    if value is not None and value["number"] is None:
        return Remark("text_in_figure", f"{row.place_vi}: ô số liệu ghi chữ", "Chỉ ghi số; Có ghi 1, Không ghi 0.")
    return None


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
    if row.kind in _COUNTS | _FLAGS and text is not None and text.endswith("%"):
        return Remark(
            "share_for_count",
            f"Chỉ tiêu {row.code} cần số liệu ({row.unit}) nhưng ô ghi tỷ lệ phần trăm: “{text}”",
            "Ghi số đếm, không ghi tỷ lệ; nếu số đúng là số đếm thì bỏ dấu % hoặc đổi định dạng ô về Chung (General).",
        )
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

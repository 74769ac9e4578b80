"""Formulas of plain arithmetic are computed exactly, others left alone; formats are read as Excel reads them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.base.readings import ShownNumber
from ingestion.reading.formulas import Sums, agrees, column_letters, moved
from ingestion.reading.number_formats import as_shown, matters

CELLS: dict[tuple[int, int], Any] = {
    (1, 1): 10.0, (2, 1): 20.0, (3, 1): "Cộng", (4, 1): 0.5, (1, 2): True, (2, 2): None, (3, 2): "",
}  # fmt: skip


def computed(formula: str, **others: str) -> Fraction | None:
    formulas = {(9, 9): formula, **{(int(k[1:]), ord(k[0]) - 64): f for k, f in others.items()}}
    return Sums(formulas, lambda row, column: CELLS.get((row, column))).at((9, 9))


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("A1+A2", 30),
        ("SUM(A1:A4)", Fraction("30.5")),
        ("sum($A$1:$A$4)", Fraction("30.5")),
        ("SUM(A1,A2;5)", 35),
        ("of:=SUM([.A1:.A4])".partition("=")[2], Fraction("30.5")),
        ("[.A1]+[.A2]", 30),
        ("-A1*2", -20),
        ("(A1+A2)/4", Fraction("7.5")),
        ("A1-A2-1", -11),
        ("B2+1", 1),
        ("SUM(B2:B3)", 0),
        ("2", 2),
        ("A1/B2", None),
        ("A1+A3", None),
        ("A1+B1", None),
        ("IF(A1>1,1,2)", None),
        ("Sheet2!A1", None),
        ("'Tháng 1'!A1+A2", None),
        ("A1%", None),
        ("A1^2", None),
        ("A1&A2", None),
        ("SUM(A:A)", None),
        ("SUMIF(A1:A2,1)", None),
        ("A1+", None),
        ("(A1", None),
        ("", None),
        ("I9+1", None),
    ],
)
def test_what_is_computed(formula: str, result: Any) -> None:
    assert computed(formula) == result


def test_results_of_other_formulas_are_used_and_circles_are_not() -> None:
    assert computed("C1+1", C1="A1*2") == 21
    assert computed("C1+1", C1="I9") is None
    assert computed("C1+1", C1="VLOOKUP(1,A1:A2,1)") is None


def test_sums_of_sums_end() -> None:
    formulas = {(row, 2): f"SUM(A$1:A{row})" for row in range(1, 5_001)}
    sums = Sums(formulas, lambda row, column: 1.0)
    results = [sums.at(place) for place in formulas]
    assert results[:3] == [1, 2, 3]
    assert all(result in (None, row) for row, result in enumerate(results, 1))
    assert results[-1] is None  # looked at enough cells


@given(st.integers(1, 500), st.integers(1, 50), st.integers(0, 100), st.integers(0, 20))
def test_a_shared_formula_moves_with_its_cell(row: int, column: int, down: int, right: int) -> None:
    here, there = column_letters(column), column_letters(column + right)
    assert moved(f"{here}{row}+$A$1", down, right) == f"{there}{row + down}+$A$1"


@given(st.floats(-1e8, 1e8))
def test_the_tail_of_binary_arithmetic_is_no_difference(number: float) -> None:
    assert agrees(number, Fraction(number))
    assert not agrees(number, Fraction(number) + 1)


@pytest.mark.parametrize(
    ("code", "cell", "shown"),
    [
        ("0%", 0.4737, "47,37%"),
        ("0.00%", 1.0, "100%"),
        ("0.00%", 9 / 19, "47,3684%"),
        ("0%", 1e30, f"1{'0' * 32}%"),
        ("General", 47.0, 47.0),
        ("#,##0,", 0.0, 0.0),
        ("yyyy", 2023.0, 2023.0),
        ("0.0", 47.0, 47.0),
        ('[=0]"-";#,##0', 5.0, 5.0),
        ('[=0]"-";#,##0', -5.0, -5.0),
        ('[<0]"-"0;0', -5.0, -5.0),
        ('[>=1000000]0.0,," triệu";0', 50.0, 50.0),
    ],
)
def test_numbers_as_their_format_makes_them(code: str, cell: float, shown: Any) -> None:
    result = as_shown(cell, code, "A1")
    assert result == shown
    assert matters(code) or result == cell


@pytest.mark.parametrize(
    ("code", "cell", "shown"),
    [
        ("00000", 42.0, "00042"),
        ('"CB-"000', 7.0, "CB-007"),
        ("00-00", 1234.0, "12-34"),
        ('0"%"', 47.0, "47%"),
        ("000", 12345.0, "12345"),
        ('#,##0" nghìn"', 50.0, "50 nghìn"),
        ('0.0" nghìn"', 1.5, "1,5 nghìn"),
        ('"-"0', 7.0, "-7"),
        ("0;0", -7.0, "7"),
        ("#,##0_);(#,##0)", -7.0, "(7)"),
        ('0" nghìn"', -7.0, "-7 nghìn"),
        ("#,##0;-#,##0", 7.0, "7"),
        ('[>=1000]0;0" nghìn"', 50.0, "50 nghìn"),
        ("[<0]0;0", -7.0, "7"),
    ],
)
def test_zeros_and_prefixes_belong_to_what_is_shown(code: str, cell: float, shown: str) -> None:
    result = as_shown(cell, code, "A1")
    if shown == str(int(cell)):
        assert result == cell
    else:
        assert isinstance(result, ShownNumber)
        assert (float(result), result.shown) == (cell, shown)

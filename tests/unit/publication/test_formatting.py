"""Figures are printed as the official form prints them, and read back exactly."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publication.formatting import (
    alphabetical,
    footnote_mark,
    format_number,
    format_quarter,
    parse_number,
    percent_of,
    plain_number,
)
from tests.unit.publication.builders import printed_annex

FIGURES = st.decimals(min_value=Decimal(-10) ** 14, max_value=Decimal(10) ** 14, allow_nan=False, places=4)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Decimal("47.3700"), "47,37"),
        (Decimal("1145.0000"), "1.145"),
        (6530, "6.530"),
        (Decimal(0), "0"),
        (Decimal("-0.0"), "0"),
        (Decimal("-1234.5"), "-1.234,5"),
        (Decimal("1E+6"), "1.000.000"),
        (Decimal("0.0001"), "0,0001"),
        (999, "999"),
        (Decimal("100.00"), "100"),
        (Decimal("41.54"), "41,54"),
    ],
)
def test_figures_look_as_on_the_form(value: Decimal | int, printed: str) -> None:
    assert format_number(value) == printed


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_only_all_is_a_hundred_percent_and_only_nothing_is_none(part: int, whole: int) -> None:
    told = percent_of(part, whole)
    assert told is not None
    assert ((told == 100), (told == 0)) == ((part == whole), (part == 0))
    assert abs(told - Decimal(100) * part / whole) <= Decimal("0.01")


def test_of_nothing_there_is_no_share() -> None:
    assert percent_of(0, 0) is None


def test_every_figure_of_the_real_form_is_printed_as_the_office_printed_it() -> None:
    rows = [row for row in printed_annex() if row["value_number"]]
    assert len(rows) == 169
    for row in rows:
        assert format_number(Decimal(row["value_number"])) == row["value_raw"]


@given(FIGURES)
def test_print_and_parse_are_inverse(value: Decimal) -> None:
    assert parse_number(format_number(value)) == value


@given(FIGURES)
def test_plain_print_is_exact_and_never_grouped(value: Decimal) -> None:
    text = plain_number(value)
    assert Decimal(text) == value
    assert not set(text) & set(", eE")


@given(FIGURES, FIGURES)
def test_equal_figures_and_only_those_print_alike(one: Decimal, other: Decimal) -> None:
    assert (format_number(one) == format_number(other)) == (one == other)


@pytest.mark.parametrize("text", ["", "1,145.5", "1145.", "1.14", "12.3456", "1 145", "+5", "=1", "١", "1.145,", "NaN"])
def test_other_texts_are_no_figures(text: str) -> None:
    with pytest.raises(ValueError, match="not a figure"):
        parse_number(text)


@pytest.mark.parametrize("value", [1.5, True, float("nan")])
def test_a_double_is_not_a_figure(value: float) -> None:
    with pytest.raises(TypeError):
        format_number(value)  # type: ignore[arg-type]


def test_infinity_is_not_a_figure() -> None:
    with pytest.raises(ValueError, match="finite"):
        format_number(Decimal("Infinity"))


def test_quarters_are_named_in_vietnamese() -> None:
    assert format_quarter("2023-Q4") == "quý IV năm 2023"
    with pytest.raises(ValueError, match="not a quarter"):
        format_quarter("2023-Q5")


def test_footnote_marks_are_superscripts() -> None:
    assert footnote_mark(120) == "¹²⁰"


def test_names_stand_in_the_order_of_the_alphabet() -> None:
    """Marks are nothing and đ follows d, in whichever way the letters are composed."""
    names = ["Đất đai", "Dân số", "Âm nhạc", "An ninh", "E\u0302 đê", "Ức", "Việc làm", "Hộ tịch", "Duyệt"]
    in_order = ["Âm nhạc", "An ninh", "Dân số", "Duyệt", "Đất đai", "E\u0302 đê", "Hộ tịch", "Ức", "Việc làm"]
    assert sorted(names, key=alphabetical) == in_order

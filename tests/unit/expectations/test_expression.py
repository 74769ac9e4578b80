"""The grammar of relations: what it reads, what it refuses, and what its SQL means."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.expression import parse


def _holds(text: str, figures: dict[str, int | None], blank_as_zero: frozenset[str] = frozenset()) -> bool | None:
    """Truth of an expression over figures; None where it has nothing to say."""
    expression = parse(text, blank_as_zero)
    if any(figures.get(column) is None for column in expression.strict):
        return None
    columns = ", ".join(
        f'cast({"null" if figures.get(c) is None else figures[c]} as decimal(18, 4)) as "{c}"'
        for c in expression.columns
    )
    row = duckdb.sql(f"select {expression.holds} from (select {columns})").fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.parametrize(
    ("text", "figures", "expected"),
    [
        ("III.12 = III.13 + III.14 - {shared}", {"III.12": 389, "III.13": 275, "III.14": 130, "shared": 16}, True),
        ("III.12 = III.13 + III.14 - {shared}", {"III.12": 389, "III.13": 275, "III.14": 130, "shared": 15}, False),
        ("I.01 + I.02 * 2 = 5", {"I.01": 1, "I.02": 2}, True),
        ("(I.01 + I.02) * 2 = 5", {"I.01": 1, "I.02": 2}, False),
        ("I.01 - I.02 - 1 = 0", {"I.01": 3, "I.02": 2}, True),
        ("I.16 in (0, 1)", {"I.16": 2}, False),
        ("not I.01 = 1 and I.02 = 2", {"I.01": 0, "I.02": 2}, True),
        ("I.01 = 1 or I.02 = 2 and I.03 = 3", {"I.01": 1, "I.02": 0, "I.03": 0}, True),
        ("I.01 = 0 => I.02 = 0 => I.03 = 0", {"I.01": 0, "I.02": 1, "I.03": 9}, True),
        ("(VII.44 = 0) = (VII.46 = 0)", {"VII.44": 10, "VII.46": 0}, False),
        ("I.04 >= previous(I.04)", {"I.04": 3, "previous(I.04)": 4}, False),
        ("I.04 >= previous(I.04)", {"I.04": 3, "previous(I.04)": None}, None),
        ("I.19 = 0 => present(I.21) and I.21 = 0", {"I.19": 0, "I.21": None}, False),
        ("I.19 = 0 => present(I.21) and I.21 = 0", {"I.19": 4, "I.21": None}, True),
        ("I.19 <> 3", {"I.19": None}, None),
        ("I.01 > 0 => I.02 = percent(I.03, I.01)", {"I.01": 8, "I.02": 50, "I.03": 4}, True),
        ("I.01 > 0 => I.02 = percent(I.03, I.01)", {"I.01": 9, "I.02": 50, "I.03": 4}, False),
        ("I.01 > 0 => I.02 = percent(I.03, I.01)", {"I.01": 0, "I.02": 50, "I.03": 4}, True),
        ("I.01 > 0 => I.02 * 8 = percent(I.03 + 1, I.01 - 1) * 8", {"I.01": 5, "I.02": 50, "I.03": 1}, True),
        ("((I.01)) = ((I.02 + 1))", {"I.01": 3, "I.02": 2}, True),
        ("(not I.01 = 1)", {"I.01": 0}, True),
    ],
)
def test_an_expression_means_what_it_says(text: str, figures: dict[str, int | None], expected: bool | None) -> None:
    assert _holds(text, figures) is expected


def test_a_blank_counts_as_zero_only_where_declared() -> None:
    figures = {"VII.29": 3, "VII.23": None, "VII.27": 2}
    assert _holds("VII.29 <= VII.23 + VII.27", figures) is None
    assert _holds("VII.29 <= VII.23 + VII.27", figures, frozenset({"VII.23"})) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 = 1",
        "I.01 =",
        "I.01 = 1)",
        "(I.01 = 1",
        "I.1 = 1",
        "I.01 = 1; drop table x",
        "I.01 in ()",
        "I.01 in (I.02)",
        "present(3)",
        "previous(previous(I.01)) = 1",
        "exec(I.01)",
        "I.01 = 'x'",
        "{Bad} = 1",
        "and I.01 = 1",
        "I.01 == 1",
    ],
)
def test_what_is_not_in_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|cannot read|takes a figure|speaks of no figure"):
        parse(text)


@given(a=st.integers(0, 50), b=st.integers(0, 50), c=st.integers(0, 50))
def test_arithmetic_is_that_of_the_figures(a: int, b: int, c: int) -> None:
    expected = Decimal(a) + Decimal(b) * 2 - Decimal(c) <= Decimal(b)
    assert _holds("I.01 + I.02 * 2 - I.03 <= I.02", {"I.01": a, "I.02": b, "I.03": c}) is expected


def _missed(text: str, figures: dict[str, int | None], blank_as_zero: frozenset[str] = frozenset()) -> Decimal | None:
    claims = parse(text, blank_as_zero).claims
    assert claims is not None, text
    return claims.difference({name: None if value is None else Decimal(value) for name, value in figures.items()})


@pytest.mark.parametrize(
    ("text", "figures", "difference"),
    [
        ("I.01 = I.02 + I.03", {"I.01": 9, "I.02": 2, "I.03": 3}, 4),
        ("I.01 + I.02 <= I.03", {"I.01": 5, "I.02": 2, "I.03": 3}, 4),
        ("I.09 > 0 => I.01 = I.02", {"I.01": 1, "I.02": 2}, -1),
        ("I.01 = I.02 - I.03", {"I.01": 0, "I.02": 611, "I.03": 605}, -6),
        ("I.01 = percent(I.02, I.03)", {"I.01": 98, "I.02": 1, "I.03": 3}, Decimal("64.67")),
        ("I.01 = previous(I.01)", {"I.01": 4, "previous(I.01)": 7}, -3),
        ("I.01 * 2 = ((I.02))", {"I.01": 4, "I.02": 7}, 1),
        ("I.01 = I.02", {"I.01": None, "I.02": 7}, None),
        ("I.01 = percent(I.02, I.03)", {"I.01": 98, "I.02": 1, "I.03": 0}, None),
    ],
)
def test_by_how_much_a_claim_is_missed(
    text: str, figures: dict[str, int | None], difference: int | Decimal | None
) -> None:
    assert _missed(text, figures) == difference


def test_a_blank_that_counts_as_zero_does_so_in_the_difference() -> None:
    assert _missed("I.01 <= I.02 + I.03", {"I.01": 5, "I.02": None, "I.03": 1}, frozenset({"I.02"})) == 4


@pytest.mark.parametrize(
    "text",
    [
        "I.01 = 1", "I.01 in (0, 1)", "I.01 = I.02 and I.03 = I.04", "I.01 = I.02 or I.03 = I.04", "not I.01 = I.02",
        "(I.01 = 0) = (I.02 = 0)", "I.01 = I.02 => I.03 = 0", "present(I.01)", "not (I.01 = I.02 and I.03 > I.04)",
    ],
)  # fmt: skip
def test_what_claims_nothing_of_two_terms_is_missed_by_nothing(text: str) -> None:
    assert parse(text).claims is None


@given(*[st.integers(-9, 99)] * 3, st.sampled_from(["=", "<=", "<", ">=", ">"]))
def test_the_difference_agrees_with_the_database(a: int, b: int, c: int, sign: str) -> None:
    text, figures = f"I.01 - I.02 {sign} I.03 * 2", {"I.01": a, "I.02": b, "I.03": c}
    difference = _missed(text, figures)
    assert difference == a - b - 2 * c
    compared = {"=": difference == 0, "<=": difference <= 0, "<": difference < 0, ">=": difference >= 0}
    assert _holds(text, figures) is compared.get(sign, difference > 0)


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_percent_is_the_same_to_the_database_and_to_the_difference(part: int, whole: int) -> None:
    figures = {"I.01": 0, "I.02": part, "I.03": whole}
    missed = _missed("I.01 = percent(I.02, I.03)", figures)
    assert missed is not None
    row = duckdb.sql(
        "select "
        + parse("I.01 = percent(I.02, I.03)").holds
        + f'from (select cast({-missed} as decimal(18, 4)) as "I.01", cast({part} as decimal(18, 4)) as "I.02", '
        + f'cast({whole} as decimal(18, 4)) as "I.03")'
    ).fetchone()
    assert row == (True,)

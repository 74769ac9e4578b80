"""CSV cells cannot run in a spreadsheet and lose nothing."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publication.store.csvfile import from_csv, neutralise, print_cell, restore, to_csv

LEADS = "=+-@\t\r\n＝＋－＠"
TEXTS = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.text(alphabet="'=+-@\t\r\n a\"", min_size=1),
)


@pytest.mark.parametrize("lead", LEADS)
def test_no_text_cell_starts_a_formula(lead: str) -> None:
    assert print_cell(f"{lead}cmd|' /C calc'!A0")[0] == "'"


@given(TEXTS)
def test_neutralising_is_reversible_and_complete(text: str) -> None:
    cell = neutralise(text)
    assert restore(cell) == text
    assert not cell or cell[0] not in LEADS


@given(st.lists(TEXTS, min_size=2, max_size=2))
def test_a_file_gives_back_its_texts(texts: list[str]) -> None:
    rows = from_csv(to_csv(["a", "b"], [{"a": texts[0], "b": texts[1]}]))
    assert [list(row.values()) for row in rows] == [texts]


def test_values_are_printed_for_programs() -> None:
    row = {"n": Decimal("47.3700"), "i": -3, "d": dt.date(2023, 3, 14), "t": None, "l": ("QD-01", "QD-02"), "f": True}
    assert to_csv(list(row), [row]) == b"n,i,d,t,l,f\n47.37,-3,2023-03-14,,QD-01;QD-02,true\n"


def test_a_double_has_no_print() -> None:
    with pytest.raises(TypeError, match="float"):
        print_cell(1.5)


def test_the_row_names_of_the_form_stay_readable() -> None:
    assert print_cell("- Số TTHC áp dụng tại UBND cấp xã:") == "'- Số TTHC áp dụng tại UBND cấp xã:"

"""Row numbers as text: nothing lost, one text a set of rows, and no other text taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publication.content import row_ranges

ROWS = st.sets(st.integers(1, 200), max_size=60)
RANGES = st.lists(st.tuples(st.integers(1, 10**7), st.integers(0, 500)).map(lambda r: (r[0], r[0] + r[1])), max_size=20)


@given(ROWS)
def test_every_set_of_rows_comes_back(rows: set[int]) -> None:
    text = row_ranges.encode((row, row) for row in rows)
    assert list(row_ranges.rows(text)) == sorted(rows)
    assert row_ranges.count(text) == len(rows)


@given(RANGES)
def test_ranges_in_any_order_have_one_text(ranges: list[row_ranges.Range]) -> None:
    text = row_ranges.encode(ranges)
    assert row_ranges.encode(reversed(ranges)) == row_ranges.encode(row_ranges.decode(text)) == text
    assert set(row_ranges.rows(text)) == {row for first, last in ranges for row in range(first, last + 1)}


def test_neighbours_become_one_range() -> None:
    assert row_ranges.encode([(8, 8), (6, 7), (10, 10)]) == "6-8,10"
    assert row_ranges.decode("") == []


@pytest.mark.parametrize("text", [
    "0", "07", "6-6", "7-6", "6,6", "6-8,9", "9,6", "6-8,7-9", "6,,8", "6-", "-6", "a", " 6", "6-8;10", "1.5",
])  # fmt: skip
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rows"):
        row_ranges.decode(text)

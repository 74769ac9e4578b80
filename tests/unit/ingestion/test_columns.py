"""Kernels over whole columns read what the parsers read, or leave the cell to them; nothing else."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.columns import datetime_kernel, parse_column
from ingestion.fastcsv import cut_lines, is_utf8, may_begin_blank
from ingestion.grid import ArrowColumn
from ingestion.values import not_after, parse_datetime

CLOSING = dt.date(2023, 3, 14)
NEAR_MOMENTS = st.one_of(
    st.datetimes(dt.datetime(1880, 1, 1), dt.datetime(2120, 1, 1)).map(lambda m: f"{m:%d/%m/%Y %H:%M:%S}"),
    st.dates().map(lambda d: f"{d:%d/%m/%Y}"),
    st.from_regex(r"[0-3]?[0-9][/.-][01][0-9]/(19|20)[0-9]{2}( [0-9]{2}:[0-9]{2}(:[0-9]{2})?)?", fullmatch=True),
    st.text("0123456789/: đ", max_size=19),
    st.sampled_from(["", "29/02/2023", "29/02/2024", "31/04/2023", "00/01/2023", "01/13/2023", "01/01/2023 24:00"]),
    st.just("đđđđđ"),
)


@given(st.lists(NEAR_MOMENTS, max_size=30), st.integers(0, 3))
def test_the_kernel_of_moments_agrees_with_the_parser(cells: list[str], skipped: int) -> None:
    parser = not_after(CLOSING, parse_datetime)
    column = ArrowColumn(pa.array(cells, pa.string())[min(skipped, len(cells)) :])
    fast = parse_column(column, parser, pa.timestamp("us"), datetime_kernel(CLOSING))
    slow = parse_column(column, parser, pa.timestamp("us"))
    assert fast.values.equals(slow.values)

    def told(parsed: object) -> set[tuple[str, str, tuple[int, ...]]]:
        return {(r.remark.code, r.value, tuple(r.rows.tolist())) for r in parsed.remarks}  # type: ignore[attr-defined]

    assert told(fast) == told(slow)


@given(st.lists(st.text(max_size=5), max_size=20), st.integers(0, 3))
def test_every_cell_of_white_space_is_looked_at(cells: list[str], skipped: int) -> None:
    array = pa.array(cells, pa.string())[min(skipped, len(cells)) :]
    blank = np.array([not c.strip() for c in array.to_pylist()], dtype=bool)
    filled = np.array([bool(c) for c in array.to_pylist()], dtype=bool)
    assert not (blank & filled & ~may_begin_blank(array)).any()


@given(st.binary(max_size=30))
def test_utf8_is_what_python_takes_for_it(data: bytes) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        assert not is_utf8(data)
    else:
        assert is_utf8(data)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (b"a;b\nc;d\n", [["a", "c"], ["b", "d"]]),
        (b"a;b\r\nc;d\r\n\r\n", [["a", "c"], ["b", "d"]]),
        (b'"a;1";b\nc;d', [["a;1", "c"], ["b", "d"]]),
        (b"a;b\r\nc;d\ne;f", [["a", "c", "e"], ["b", "d", "f"]]),
        (b'"a\n1";b\nc;d', None),
        (b"a;b\rc;d\ne;f", None),
        (b"a;b;c\n", None),
        (b"a\n", None),
        (b"\r\n", None),
        (b"", None),
        (b"a;" + b"b" * (1 << 21) + b"\nc;d\n", None),
    ],
)
def test_text_is_cut_where_each_line_is_a_record_and_left_alone_otherwise(
    text: bytes, columns: list[list[str]] | None
) -> None:
    head = b"x;y\n"
    cut = cut_lines(head + text, len(head), 2, ";")
    assert (None if cut is None else [c.to_pylist() for c in cut.columns]) == columns


def test_a_carriage_return_at_the_border_of_a_counted_block_is_seen() -> None:
    line = b"a;b\r\n"
    blocks = line * ((1 << 18) // len(line) + 2)
    for shift in range(6):
        text = b"c" * shift + blocks
        cut = cut_lines(text, 0, 2, ";")
        assert cut is not None
        assert cut.lines == text.count(b"\n")

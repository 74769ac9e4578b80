"""Kernels over whole columns read what the parsers read, or leave the cell to them; nothing else."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.reading.fastcsv import are_distinct, cut_lines, is_utf8, may_begin_blank, scan_text
from ingestion.reading.grid import ArrowColumn, DictionaryColumn
from ingestion.rows.columns import datetime_kernel, parse_column
from ingestion.rows.values import not_after, parse_datetime

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
    once = DictionaryColumn(column.cells.dictionary_encode())
    repeated = parse_column(once, parser, pa.timestamp("us"), datetime_kernel(CLOSING))
    assert fast.values.equals(slow.values)
    assert repeated.values.equals(slow.values)

    def told(parsed: object) -> set[tuple[str, str, tuple[int, ...]]]:
        return {(r.remark.code, r.value, tuple(r.rows.tolist())) for r in parsed.remarks}  # type: ignore[attr-defined]

    assert told(fast) == told(slow) == told(repeated)


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
    cut = cut_lines(head + text, len(head), 2, ";", scan_text(head + text))
    assert (None if cut is None else [c.to_pylist() for c in cut.columns]) == columns


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_columns_whose_cells_repeat_are_held_once(end: str) -> None:
    lines = [f"{n};{'Đã trả' if n % 3 else 'Đang xử lý'};" for n in range(60_000)]
    text = (end.join(lines) + end).encode()
    cut = cut_lines(text, 0, 3, ";", scan_text(text))
    assert cut is not None
    assert [isinstance(c, pa.DictionaryArray) for c in cut.columns] == [False, True, True]
    assert cut.columns[1].dictionary.to_pylist() == ["Đang xử lý", "Đã trả"]
    assert [";".join(row) for row in zip(*(c.to_pylist() for c in cut.columns), strict=True)] == lines


BLOCK = 1 << 20


@given(
    st.binary(max_size=6) | st.sampled_from(["ế".encode(), "ế".encode()[:-1], b"\r\n", b"\r", b"\xc2\xa0", b'"']),
    st.integers(-5, 1),
)
@settings(max_examples=60, deadline=None)
def test_a_look_in_blocks_is_a_look_at_the_whole(octets: bytes, before: int) -> None:
    for rest in (b"", b"\n", b"a" * 9):
        data = b"a\n" * ((BLOCK + before) // 2) + b"a" * ((BLOCK + before) % 2) + octets + rest
        scan = scan_text(data)
        assert scan.is_utf8 == is_utf8(data)
        assert scan.line_feeds == data.count(b"\n")
        assert scan.is_regular == (data.count(b"\r") == data.count(b"\r\n"))
        assert scan.has_quote == (b'"' in data)
        assert scan.has_c2 == (b"\xc2" in data)


KEYS = st.lists(st.text("ab-09đ", min_size=6, max_size=19) | st.none(), max_size=12)


@given(KEYS, st.integers(0, 3))
def test_keys_are_never_taken_for_distinct_where_two_are_alike(keys: list[str | None], skipped: int) -> None:
    array = pa.array(keys, pa.string())[min(skipped, len(keys)) :]
    cells = array.to_pylist()
    if are_distinct(array):
        assert None not in cells
        assert len(set(cells)) == len(cells)


def test_many_different_codes_are_told_to_be_distinct() -> None:
    codes = [f"000.21.32.H51-2303{n % 28 + 1:02}-{n:04}" for n in range(5_000)]
    assert are_distinct(pa.array(codes))
    assert not are_distinct(pa.array([*codes, codes[77]]))

"""Large regular CSV text cut into Arrow columns, without a Python object for a line or a cell.

Belongs here: what makes a million lines cheap to cut, and the proof that each line is one record. Does not belong
here: encodings, delimiters, irregular files (``grid``), or what a cell means.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

Octets = bytes | memoryview

_LOOK_BLOCK = 1 << 20  # stays in the processor's cache
_PARSE_BLOCK = 1 << 20
_THREADS = min(4, os.cpu_count() or 1)
# Of how many bytes at the beginning it is seen whether a column's cells repeat, and below what share of distinct ones.
_REPEAT_SAMPLE = 1 << 18
_REPEAT_SHARE = 0.5
# First bytes of the white space characters of Unicode in UTF-8: ASCII, U+0085 and U+00A0, U+1680, U+2000.., U+3000.
_BLANK_BYTES = np.zeros(256, dtype=bool)
_BLANK_BYTES[[*range(0x21), 0xC2, 0xE1, 0xE2, 0xE3]] = True
_NEWLINE, _RETURN, _QUOTE, _C2 = b'\n\r"\xc2'
_WORD, _LONGEST_KEY = 8, 64
_MIX = np.uint64(0x9E3779B97F4A7C15)
_CONTINUES, _CONTINUATION = 0xC0, 0x80


@dataclass(frozen=True)
class TextScan:
    """What one pass over a text tells: whether it is valid UTF-8, how many line feeds it has, whether every carriage
    return stands before one, whether there is a quotation mark, and whether the byte C2 occurs.
    """

    is_utf8: bool
    line_feeds: int
    is_regular: bool
    has_quote: bool
    has_c2: bool


def scan_text(data: Octets) -> TextScan:
    """Looks at each byte once, block by block, several blocks at a time."""
    octets = np.frombuffer(data, dtype=np.uint8)
    bounds = [*(_letter_start(octets, at) for at in range(0, len(octets), _LOOK_BLOCK)), len(octets)]
    blocks = list(pairwise(bounds))
    if len(blocks) == 1:
        scans = [_scan_block(octets, *blocks[0])]
    else:
        with ThreadPoolExecutor(_THREADS) as pool:
            scans = list(pool.map(lambda block: _scan_block(octets, *block), blocks))
    return TextScan(
        all(scan.is_utf8 for scan in scans),
        sum(scan.line_feeds for scan in scans),
        all(scan.is_regular for scan in scans),
        any(scan.has_quote for scan in scans),
        any(scan.has_c2 for scan in scans),
    )


def _letter_start(octets: np.ndarray, at: int) -> int:
    """Where the letter begins that the byte belongs to; of bytes that are no letter, any of the last four."""
    for start in range(at, max(at - 4, 0), -1):
        if octets[start] & _CONTINUES != _CONTINUATION:
            return start
    return max(at - 4, 0) if at else 0


def _scan_block(octets: np.ndarray, first: int, end: int) -> TextScan:
    block = octets[first:end]
    is_newline = block == _NEWLINE
    is_return = block == _RETURN
    is_regular = True
    if is_return.any():
        ends_line = np.append(is_newline[1:], end < len(octets) and octets[end] == _NEWLINE)
        is_regular = not (is_return & ~ends_line).any()
    return TextScan(
        _is_utf8(block),
        int(np.count_nonzero(is_newline)),
        is_regular,
        bool((block == _QUOTE).any()),
        bool((block == _C2).any()),
    )


def _is_utf8(octets: np.ndarray) -> bool:
    ends = pa.py_buffer(np.array([0, len(octets)], dtype=np.int64))
    whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(octets)])
    try:
        whole.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def is_utf8(data: Octets) -> bool:
    """Whether the bytes are valid UTF-8, found without making a string of them."""
    return _is_utf8(np.frombuffer(data, dtype=np.uint8))


def text_end(data: Octets) -> int:
    """Where the text ends: behind the last byte that is no line end."""
    end = len(data)
    while end and data[end - 1] in (_NEWLINE, _RETURN):
        end -= 1
    return end


Cells: TypeAlias = pa.StringArray | pa.DictionaryArray


@dataclass(frozen=True)
class LineCut:
    """Columns of ``lines`` lines; a column whose cells repeat is dictionary-encoded, in order of first occurrence."""

    lines: int
    columns: list[Cells]


def cut_lines(data: Octets, start: int, width: int, delimiter: str, scan: TextScan) -> LineCut | None:
    """Cuts valid UTF-8 text from byte ``start`` into ``width`` columns; ``scan`` is of the whole text.

    None where a record is not exactly one line of ``width`` fields: a quoted line break, a lone carriage return, a
    short or a long line, one longer than a block, or nothing at all.
    """
    end = text_end(data)
    body = memoryview(data)[start:end]
    if not len(body) or not scan.is_regular:
        return None
    newlines = scan.line_feeds - bytes(data[:start]).count(b"\n") - bytes(data[end:]).count(b"\n")
    names = [str(i) for i in range(width)]

    def cut(part: memoryview, repeating: frozenset[str]) -> pa.Table:
        return pacsv.read_csv(
            pa.BufferReader(pa.py_buffer(part)),
            read_options=pacsv.ReadOptions(column_names=names, block_size=_PARSE_BLOCK),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if scan.has_quote else False,
                newlines_in_values=False,
                ignore_empty_lines=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: _REPEATED if name in repeating else pa.string() for name in names},
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )

    sample = bytes(body[:_REPEAT_SAMPLE]).rfind(b"\n") if len(body) > _REPEAT_SAMPLE else 0
    try:
        repeating = _repeating(cut(body[:sample], frozenset())) if sample > 0 else frozenset()
        table = cut(body, repeating)
    except pa.ArrowInvalid:
        return None
    if table.num_rows != newlines + 1:
        return None
    # Each column's pieces are let go as soon as they are joined; the whole text twice would be too much.
    pieces = table.unify_dictionaries().columns
    del table
    return LineCut(newlines + 1, [_one_chunk(pieces.pop(0)) for _ in names])


_REPEATED = pa.dictionary(pa.int32(), pa.string())


def _repeating(sample: pa.Table) -> frozenset[str]:
    """The columns of which most cells of the sample repeat an earlier one."""
    most = sample.num_rows * _REPEAT_SHARE
    return frozenset(n for n in sample.column_names if pc.count_distinct(sample[n], mode="all").as_py() <= most)


def octets_at(cells: pa.StringArray, rows: np.ndarray, starts: np.ndarray | np.int32, width: int) -> np.ndarray:
    """``width`` bytes of each of the ``rows`` from byte ``starts`` of the cell on: one row a place, one column a cell.

    Every cell must be that long.
    """
    _, offsets, data = cells.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[cells.offset : cells.offset + len(cells)]
    content = np.frombuffer(data, dtype=np.uint8)
    first = bounds[rows] + starts
    octets = np.empty((width, len(rows)), dtype=np.uint8)
    for place in range(width):
        octets[place] = content[first + place]
    return octets


def may_begin_blank(cells: pa.StringArray) -> np.ndarray:
    """Cells whose first byte may begin a white space character; without a null among the cells."""
    _, offsets, data = cells.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[cells.offset : cells.offset + len(cells) + 1]
    content = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    may_begin = np.zeros(len(cells), dtype=bool)
    filled = np.flatnonzero(np.diff(bounds))
    may_begin[filled] = _BLANK_BYTES[content[bounds[filled]]]
    return may_begin


def are_distinct(cells: pa.StringArray) -> bool:
    """Whether all cells differ and none is null; false also where that cannot be told cheaply.

    Cells whose sums of eight-byte words differ are different cells, so no chance is involved in a yes.
    """
    if cells.null_count:
        return False
    _, offsets, data = cells.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[cells.offset : cells.offset + len(cells) + 1].astype(np.int64)
    widths = np.diff(bounds)
    shortest, longest = (int(widths.min()), int(widths.max())) if len(widths) else (0, 0)
    if shortest < _WORD or longest - shortest > _WORD or longest > _LONGEST_KEY:
        return False
    size = len(data) - _WORD + 1
    words = np.ndarray(shape=(size,), dtype="<u8", buffer=data, strides=(1,))
    mixed = widths.astype(np.uint64)
    for place in range(0, longest, _WORD):
        at = np.minimum(place, widths - _WORD)  # the last word ends with the cell
        mixed = (mixed ^ words[bounds[:-1] + at]) * _MIX
        mixed ^= mixed >> np.uint64(29)
    mixed.sort()
    return not (mixed[1:] == mixed[:-1]).any()


def _one_chunk(column: pa.ChunkedArray) -> Cells:
    whole: Cells = column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
    return whole

"""Large regular CSV text cut into Arrow columns, without a Python object for a line or a cell.

Belongs here: what makes a million lines cheap to cut, and the proof that each line is one record. Does not belong
here: encodings, delimiters, irregular files (``grid``), or what a cell means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

_COUNT_BLOCK = 1 << 18  # stays in the processor's cache
_PARSE_BLOCK = 1 << 20
# First bytes of the white space characters of Unicode in UTF-8: ASCII, U+0085 and U+00A0, U+1680, U+2000.., U+3000.
_BLANK_BYTES = np.zeros(256, dtype=bool)
_BLANK_BYTES[[*range(0x21), 0xC2, 0xE1, 0xE2, 0xE3]] = True
_NEWLINE, _RETURN = b"\n\r"


def is_utf8(data: bytes) -> bool:
    """Whether the bytes are valid UTF-8, found without making a string of them."""
    ends = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(data)])
    try:
        whole.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def text_end(data: bytes) -> int:
    """Where the text ends: behind the last byte that is no line end."""
    end = len(data)
    while end and data[end - 1] in (_NEWLINE, _RETURN):
        end -= 1
    return end


@dataclass(frozen=True)
class LineCut:
    """Columns of ``lines`` lines."""

    lines: int
    columns: list[pa.StringArray]


def cut_lines(data: bytes, start: int, width: int, delimiter: str) -> LineCut | None:
    """Cuts valid UTF-8 text from byte ``start`` into ``width`` columns.

    None where a record is not exactly one line of ``width`` fields: a quoted line break, a lone carriage return, a
    short or a long line, one longer than a block, or nothing at all.
    """
    end = text_end(data)
    body = memoryview(data)[start:end]
    if not len(body):
        return None
    newlines, is_regular = _line_ends(body)
    if not is_regular:
        return None
    quoted = data.find(b'"', start, end) >= 0
    names = [str(i) for i in range(width)]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=pacsv.ReadOptions(column_names=names, block_size=_PARSE_BLOCK),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if quoted else False,
                newlines_in_values=False,
                ignore_empty_lines=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != newlines + 1:
        return None
    # Each column's pieces are let go as soon as they are joined; the whole text twice would be too much.
    pieces = table.columns
    del table
    return LineCut(newlines + 1, [_one_chunk(pieces.pop(0)) for _ in names])


def _line_ends(body: memoryview) -> tuple[int, bool]:
    """Number of line feeds, and whether every carriage return stands before one."""
    octets = np.frombuffer(body, dtype=np.uint8)
    newlines = returns = pairs = 0
    for first in range(0, len(octets), _COUNT_BLOCK):
        block = octets[first : first + _COUNT_BLOCK + 1]
        is_newline, is_return = block == _NEWLINE, block == _RETURN
        own = slice(0, _COUNT_BLOCK)  # the last one is the next block's first
        newlines += int(np.count_nonzero(is_newline[own]))
        returns += int(np.count_nonzero(is_return[own]))
        pairs += int(np.count_nonzero(is_return[:-1] & is_newline[1:]))
    return newlines, returns == pairs


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


def _one_chunk(column: pa.ChunkedArray) -> pa.StringArray:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)

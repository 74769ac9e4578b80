"""What the records of an .xls file (BIFF8) say beside its cell values.

Belongs here: encryption, epoch, hidden parts, error cells and the count of rows with values, told from record headers.
Does not belong here: reading values. Runs in the child process that parses workbooks.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

_BOF, _EOF, _FILEPASS, _DATEMODE, _BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0022, 0x0085
_ROW, _COLINFO, _FORMULA, _BOOLERR, _MULRK = 0x0208, 0x007D, 0x0006, 0x0205, 0x00BD
_VALUES = frozenset({0x0203, 0x027E, 0x00FD, 0x0204, 0x00D6, _FORMULA, _BOOLERR, _MULRK})
_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}


@dataclass
class Substream:
    """One sheet: rows (1-based) that hold a value, hidden parts, and errors by 1-based (row, column)."""

    offset: int
    rows: set[int] = field(default_factory=set)
    hidden_rows: int = 0
    hidden_columns: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass
class BiffFacts:
    """The whole workbook stream; sheets in the order of the stream with their offsets, names are given by offset."""

    encrypted: bool = False
    counts_from_1904: bool = False
    sheet_offsets: list[int] = field(default_factory=list)
    substreams: dict[int, Substream] = field(default_factory=dict)


def look_at_stream(data: bytes) -> BiffFacts:
    """Walks the records once; raises ``ValueError`` where they do not add up (a truncated stream)."""
    facts = BiffFacts()
    current: Substream | None = None
    depth = place = 0
    end = len(data) - 4
    while place <= end:
        kind, size = struct.unpack_from("<HH", data, place)
        body = place + 4
        if kind == 0 and size == 0 and depth == 0:
            break  # padding of the last sector
        if body + size > len(data):
            raise ValueError("a record reaches past the end of the stream")
        if kind == _BOF:
            depth += 1
            if depth == 1:
                current = facts.substreams[place] = Substream(place)
        elif kind == _EOF:
            depth -= 1
        elif depth == 1 and current is not None:
            _note(kind, data[body : body + size], facts, current)
        place = body + size
    if depth != 0:
        raise ValueError("a substream has no end")
    return facts


def _note(kind: int, body: bytes, facts: BiffFacts, sheet: Substream) -> None:
    if kind == _FILEPASS:
        facts.encrypted = True
    elif kind == _DATEMODE:
        facts.counts_from_1904 = body[:2] == b"\x01\x00"
    elif kind == _BOUNDSHEET and len(body) >= 6:
        facts.sheet_offsets.append(struct.unpack_from("<I", body)[0])
    elif kind == _ROW and len(body) >= 16:
        sheet.hidden_rows += bool(struct.unpack_from("<H", body, 12)[0] & 0x20)
    elif kind == _COLINFO and len(body) >= 10:
        first, last, _, _, flags = struct.unpack_from("<5H", body)
        sheet.hidden_columns += (last - first + 1) if flags & 1 and last < 256 else 0
    elif kind in _VALUES and len(body) >= 6:
        row, column = struct.unpack_from("<HH", body)
        sheet.rows.add(row + 1)
        if kind == _BOOLERR and len(body) >= 8 and body[7] == 1:
            sheet.errors[(row + 1, column + 1)] = _ERRORS.get(body[6], "#N/A")
        elif kind == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
            sheet.errors[(row + 1, column + 1)] = _ERRORS.get(body[8], "#N/A")

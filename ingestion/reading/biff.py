"""What the records of an .xls file (BIFF5, BIFF8) say beside its cell values.

Belongs here: encryption, epoch, code page, hidden parts, error cells, formulas without a result and which cells hold
something, told from record headers, as a check on the reader of cells.
Does not belong here: reading values. Runs in the child process that parses workbooks.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

_BOF, _EOF, _FILEPASS, _DATEMODE, _BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0022, 0x0085
_ROW, _COLINFO, _BOOLERR, _MULRK, _CODEPAGE = 0x0208, 0x007D, 0x0205, 0x00BD, 0x0042
_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})
_VALUES = frozenset({0x0203, 0x027E, 0x00FD, 0x0204, 0x00D6, _BOOLERR, _MULRK}) | _FORMULAS
_UTF_16 = 1200
# Of a formula: calculate when the file is opened (libraries set it); a text between its tokens.
_CALCULATE_ON_LOAD, _TEXT_TOKEN = 2, 0x17
_EMPTY_TEXT = 3
_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}


@dataclass
class Substream:
    """One sheet: for each row (1-based) that holds a value the columns that do, as bits; hidden parts; errors by
    1-based (row, column), empty for a formula without a result.
    """

    offset: int
    rows: dict[int, int] = field(default_factory=dict)
    hidden_rows: int = 0
    hidden_columns: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    empty_results: set[tuple[int, int]] = field(default_factory=set)

    def as_facts(self, counts_from_1904: bool) -> dict[str, Any]:
        """What is said of the sheet beside its cells, by the names that all readers use."""
        return {
            "rows_with_values": len(self.rows),
            "hidden_rows": self.hidden_rows,
            "hidden_columns": self.hidden_columns,
            "faults": self.errors,
            "counts_from_1904": counts_from_1904,
        }

    def places_beside(self, rows: list[list[Any]]) -> list[tuple[int, int]]:
        """Places that hold something by the records, but not in ``rows``: cells that a reader lost."""
        lost: list[tuple[int, int]] = []
        for row, bits in self.rows.items():
            cells = rows[row - 1] if row <= len(rows) else []
            for column in range(bits.bit_length()):
                if not bits >> column & 1 or (column < len(cells) and cells[column] != ""):
                    continue
                if (row, column + 1) not in self.errors and (row, column + 1) not in self.empty_results:
                    lost.append((row, column + 1))
        return lost


@dataclass
class BiffFacts:
    """The whole workbook stream; sheets by the offset of their substream. ``texts_are_unicode``: the code page is that
    of BIFF8; readers that go by another one garble texts.
    """

    encrypted: bool = False
    counts_from_1904: bool = False
    texts_are_unicode: bool = True
    sheet_offsets: list[int] = field(default_factory=list)
    sheet_names_and_offsets: list[tuple[str, int]] = field(default_factory=list)
    substreams: dict[int, Substream] = field(default_factory=dict)


def scan_stream(data: bytes) -> BiffFacts:
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
        offset = struct.unpack_from("<I", body)[0]
        facts.sheet_offsets.append(offset)
        facts.sheet_names_and_offsets.append((_sheet_name(body), offset))
    elif kind == _CODEPAGE and len(body) >= 2:
        facts.texts_are_unicode = struct.unpack_from("<H", body)[0] == _UTF_16
    elif kind == _ROW and len(body) >= 16:
        sheet.hidden_rows += bool(struct.unpack_from("<H", body, 12)[0] & 0x20)
    elif kind == _COLINFO and len(body) >= 10:
        first, last, _, _, flags = struct.unpack_from("<5H", body)
        sheet.hidden_columns += (last - first + 1) if flags & 1 and last < 256 else 0
    elif kind in _VALUES and len(body) >= 6:
        row, column = struct.unpack_from("<HH", body)
        last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == _MULRK else column
        bits = ((1 << (max(last, column) - column + 1)) - 1) << column if last < 256 else 1 << column
        sheet.rows[row + 1] = sheet.rows.get(row + 1, 0) | bits
        place = (row + 1, column + 1)
        if kind == _BOOLERR and len(body) >= 8 and body[7] == 1:
            sheet.errors[place] = _ERRORS.get(body[6], "#N/A")
        elif kind in _FORMULAS and len(body) >= 16:
            _note_formula(body, place, sheet)
        elif kind in _TEXTS:
            sheet.empty_results.add(place)  # a text may be empty


_TEXTS = frozenset({0x00FD, 0x0204, 0x00D6})


def _note_formula(body: bytes, place: tuple[int, int], sheet: Substream) -> None:
    """Notes a formula's error, and one whose result is none: an empty text where no part of it is a text, or 0 where
    the file asks for a calculation when it is opened.
    """
    special = body[12:14] == b"\xff\xff"
    if special and body[6] == 2:
        sheet.errors[place] = _ERRORS.get(body[8], "#N/A")
    elif special and body[6] in (0, _EMPTY_TEXT):
        if body[6] == _EMPTY_TEXT and _TEXT_TOKEN not in body[20:]:
            sheet.errors[place] = ""
        else:
            sheet.empty_results.add(place)
    elif not any(body[6:14]) and body[14] & _CALCULATE_ON_LOAD:
        sheet.errors[place] = ""


def _sheet_name(body: bytes) -> str:
    """Name in a BOUNDSHEET record of BIFF8; of BIFF5 as far as it is ASCII."""
    size, option = (body[6], body[7]) if len(body) > 7 else (0, 0)
    if option in (0, 1) and len(body) == 8 + size * (1 + option):
        return body[8:].decode("utf-16-le" if option else "latin-1", errors="replace")
    return body[7 : 7 + size].decode("latin-1")

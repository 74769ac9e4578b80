"""The printed lines of a department's empty annex, and what of its workbook is no line.

Belongs here: finding tables in a workbook, which column is which, what is a line, where it stands. Does not belong
here: which known indicator a line is (``form_annex``), reading files (``reading``).

Every row with text is a line, part of a title or a header, a row of column numbers, or below the end. What is none of
these, a sheet without a table and a column that nothing is taken from are told (:class:`Unread`), for a person to say
that nothing is lost with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits
from ingestion.form_units import form_words, unit_of
from ingestion.reading.files import read_sheets
from ingestion.reading.formulas import column_letters
from ingestion.text.vietnamese import clean, fold

_HEADER_HEIGHT = 4
_DASHES = "-–—+*"
_ROMAN = re.compile(r"[IVX]+")
_ROMAN_PART = re.compile(r"([IVX]+)((?:\.\d+)+)")
_DOTTED = re.compile(r"\d+(?:\.\d+)*")
_CAPITAL = re.compile(r"[A-ZĐ]")
_LETTER = re.compile(r"[a-zđ]")
_NUMBERS = (_ROMAN, _ROMAN_PART, _DOTTED, _CAPITAL, _LETTER)
#: A number that stands before the name in one cell: ``II. Cải cách thể chế``, ``Phần II: …``, ``1.2 Số …``, ``a) …``.
_BEFORE_NAME = re.compile(
    r"(?:(?:Phần|Mục)\s+(?=[IVX\d]))?"
    r"(?:([IVX]+|\d+(?:\.\d+)*|[A-ZĐa-zđ](?=[.)]))\s*[.):–-]\s*|(\d{1,2}(?:\.\d{1,2})+)\s+)([^\s\d].*)",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


@dataclass(frozen=True)
class Line:
    """A printed line: where it stands (sheet, 1-based row), and its cells as text.

    ``section`` is its Roman number, ``heading`` the numbered line that it is under, ``depth`` 0 for a section, 1 for a
    number and so on down. ``has_units`` says whether its table has a column of units, ``is_clear`` whether it stands in
    the columns of the table.
    """

    sheet: str
    row: int
    number: str
    name: str
    unit: str
    has_units: bool = True
    is_clear: bool = True
    section: str = ""
    heading: str = ""
    depth: int = 0

    @property
    def place(self) -> str:
        """``Biểu 01!12``."""
        return f"{self.sheet}!{self.row}"

    @property
    def level(self) -> int:
        """As printed: 0 section, 1 numbered, 2 plain, 3 dash, and what stands deeper."""
        return min(self.depth, 3)


@dataclass(frozen=True)
class Unread:
    """A sheet, a column or a row above a header of which nothing was taken, and what it says, in Vietnamese."""

    place: str
    text_vi: str


@dataclass(frozen=True)
class _Header:
    """Column (from 0) by what it holds, columns of names (a group before its parts), what the header says by column,
    and the first row below it.
    """

    columns: Mapping[str, int]
    names: tuple[int, ...]
    said: Mapping[int, str]
    start: int
    first: int


def read_lines(path: Path, limits: IntakeLimits = DEFAULT_LIMITS) -> tuple[list[Line], list[Unread]]:
    """The printed lines of the workbook in order, and what is no line. Raises ``UnreadableFileError``."""
    lines: list[Line] = []
    unread: list[Unread] = []
    for sheet in read_sheets(path, path.suffix.lower(), limits).sheets:
        if sheet.hidden:
            continue
        width = max(sheet.width(), max(map(len, sheet.head()), default=0))
        body = sheet.body(0, width)
        cells = [[_text(cell) for cell in row] for row in body.rows(np.arange(len(body.row_numbers)))]
        table = _SheetOfLines(sheet.name, cells, [int(number) for number in body.row_numbers])
        lines += table.lines
        unread += table.unread
    return _placed(lines), unread


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return clean(str(cell))


@lru_cache(1)
def _labels() -> dict[str, str]:
    return {fold(label): column for column, names in form_words()["columns"].items() for label in names}


def _column_of(cell: str) -> str:
    """What a heading says that its column holds; empty for any other text. ``ĐVT (2)`` is a heading."""
    return _labels().get(fold(_IN_BRACKETS.sub(" ", cell)), "") if cell else ""


@lru_cache(1)
def _ends() -> tuple[tuple[str, ...], re.Pattern[str]]:
    """With what a row below the table begins, and the line with place and day."""
    day, month, year = map(fold, ("ngày", "tháng", "năm"))
    return tuple(map(fold, form_words()["ends"])), re.compile(
        rf"(?:^| ){day} (?:\d+ )?{month} (?:\d+ )?{year}(?: \d+)?$"
    )


def _is_end(cell: str) -> bool:
    beginnings, dated = _ends()
    folded = fold(cell)
    return folded.startswith(beginnings) or bool(dated.search(folded))


def _is_number(cell: str) -> bool:
    return any(pattern.fullmatch(cell) for pattern in _NUMBERS) or bool(cell and not cell.strip(_DASHES))


def _bare_number(cell: str) -> str:
    return cell.strip("() ").rstrip(".)")


class _SheetOfLines:
    """One sheet: its lines, and what of it was not read."""

    def __init__(self, sheet: str, cells: Sequence[Sequence[str]], numbers: Sequence[int]) -> None:
        self._sheet, self._cells, self._numbers = sheet, cells, numbers
        self.lines: list[Line] = []
        self.unread: list[Unread] = []
        headers = list(_headers(cells))
        if not headers:
            if texts := [text for row in cells for text in row if text]:
                self._tell("", f"cả trang tính, bắt đầu bằng “{texts[0]}”: không có dòng tiêu đề cột nào đã biết")
            return
        for row, number in zip(cells[: headers[0].start], numbers, strict=False):
            texts = [text for text in dict.fromkeys(row) if text]
            # Titles stand in several blocks, too; a line has a number.
            if len(texts) > 2 and any(_is_number(_bare_number(text)) for text in texts):
                self._tell(str(number), f"dòng nằm trên tiêu đề bảng: “{' | '.join(texts)}”")
        for header, below in zip(headers, [*headers[1:], None], strict=True):
            self._read(header, below.start if below else self._end(header))

    def _tell(self, place: str, text_vi: str) -> None:
        self.unread.append(Unread(f"{self._sheet}!{place}", text_vi))

    def _end(self, header: _Header) -> int:
        """Where the last table of the sheet ends: below its last line with a number or a known unit, where signatures,
        notes and the day begin. A table that has neither column shows no end.
        """
        marks = [(place, column) for column in ("number", "unit") if (place := header.columns.get(column)) is not None]
        first = header.first
        for index in range(header.first, len(self._cells)):
            row = self._cells[index]
            for place, column in marks:
                is_mark = _is_number(_bare_number(row[place])) if column == "number" else unit_of(row[place]).kind != ""
                if row[place] and is_mark:
                    first = index + 1
        ends = (i for i in range(first, len(self._cells)) if any(_is_end(cell) for cell in self._cells[i] if cell))
        return next(ends, len(self._cells)) if marks else len(self._cells)

    def _read(self, header: _Header, end: int) -> None:
        rows = self._cells[header.first : end]
        names = _columns_of_names(header, rows)
        used = {*header.columns.values(), *names}
        for place in range(max(map(len, rows), default=0)):
            body = next((row[place] for row in rows if row[place] and not _is_numbering(row)), "")
            if place not in used and (said := header.said.get(place, "") or body):
                self._tell(column_letters(place + 1), f"cột “{said}”: biểu chỉ có một cột số liệu và các cột đã biết")
        last: tuple[str, ...] = ()
        for row, number in zip(rows, self._numbers[header.first : end], strict=True):
            if not any(row) or _is_numbering(row):
                continue
            last = self._read_row(header, names, row, number, last)

    def _read_row(
        self, header: _Header, names: Sequence[int], row: Sequence[str], number: int, last: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Takes the lines of a row: one, or its group and its part. Returns its group, which rows below it repeat."""
        at = {column: row[place] for column, place in header.columns.items()}
        texts = list(dict.fromkeys(row[place] for place in names if row[place]))
        is_clear = bool(texts)
        if not texts:
            texts = [next(cell for cell in row if cell)]
        printed, unit = at.get("number", ""), at.get("unit", "")
        # A merged line repeats its text in every column that it covers.
        printed = "" if printed == texts[0] else _bare_number(printed)
        unit = "" if unit == texts[-1] == at.get("value", unit) else unit
        is_clear = is_clear and (not printed or _is_number(printed))
        group = (printed, *texts[:-1])
        if len(texts) > 1 and group == last:
            printed, texts = "", texts[-1:]
        for place, text in enumerate(texts):
            own = printed if place == 0 else ""
            is_last = place == len(texts) - 1
            if not own and (found := _BEFORE_NAME.fullmatch(text)) and _is_number(found[1] or found[2]):
                own, text, is_clear = found[1] or found[2], found[3], True
            self.lines.append(
                Line(
                    self._sheet,
                    number,
                    own,
                    text,
                    unit if is_last else "",
                    has_units="unit" in header.columns,
                    is_clear=is_clear,
                )
            )
        return group


def _headers(cells: Sequence[Sequence[str]]) -> Iterator[_Header]:
    """The headers of a sheet, each as high as it says more, and at most ``_HEADER_HEIGHT`` rows."""
    start = 0
    while start < len(cells):
        found = _header_at(cells, start)
        if found is None:
            start += 1
            continue
        yield found
        start = found.first


def _header_at(cells: Sequence[Sequence[str]], start: int) -> _Header | None:
    """The header that begins in a row: a column of names and two others at least. The lowest heading of a column says
    most exactly what it holds.
    """
    holds: dict[int, str] = {}
    best: tuple[int, dict[int, str]] | None = None
    for end in range(start + 1, min(start + _HEADER_HEIGHT, len(cells)) + 1):
        known = {place: column for place, cell in enumerate(cells[end - 1]) if (column := _column_of(cell))}
        if not known:
            break
        holds |= known
        kinds = set(holds.values())
        if "name" in kinds and len(kinds) >= 3 and (best is None or len(kinds) > len(set(best[1].values()))):
            best = (end, dict(holds))
    if best is None:
        return None
    end, holds = best
    columns: dict[str, int] = {}
    for place in sorted(holds):
        columns.setdefault(holds[place], place)
    # A row above that adds no column, such as one with the office's own name, says nothing of them.
    lower = _header_at(cells, start + 1) if end > start + 1 else None
    if lower is not None and len(lower.columns) == len(columns):
        return replace(lower, start=start)
    while end < min(start + _HEADER_HEIGHT, len(cells)) and _goes_on(cells[end], columns):
        end += 1
    said = {
        place: " – ".join(dict.fromkeys(text for row in cells[start:end] if (text := row[place])))
        for place in range(len(cells[start]))
    }
    names = [columns["name"]]
    while holds.get(names[-1] + 1) == "name":
        names.append(names[-1] + 1)
    return _Header(columns, tuple(names), {place: text for place, text in said.items() if text}, start, end)


def _goes_on(row: Sequence[str], columns: Mapping[str, int]) -> bool:
    """Whether a row below says more of a header: it has text, and neither a number nor a name of its own."""
    own = {column: row[columns[column]] for column in ("number", "name") if column in columns}
    return any(row) and all(not cell or _column_of(cell) == column for column, cell in own.items())


def _columns_of_names(header: _Header, rows: Sequence[Sequence[str]]) -> list[int]:
    """The columns of names: also those beside that the heading covers, where rows say something in them."""
    names = list(header.names)
    taken = header.columns.values() | header.said.keys()
    while (place := names[-1] + 1) not in taken and any(place < len(row) and row[place] for row in rows):
        names.append(place)
    return names


def _is_numbering(row: Sequence[str]) -> bool:
    """``(1) (2) (3)`` or ``A B 1 2`` below a header."""
    cells = {cell for cell in row if cell}
    return len(cells) >= 3 and all(re.fullmatch(r"[(\[]?(\d{1,2}|[A-ZĐ])[)\]]?(\s*=.*)?", cell) for cell in cells)


def _placed(lines: Iterable[Line]) -> list[Line]:
    """The lines with their section, heading and depth, which follow from the numbers of those above."""
    section, heading, found = "I", "", []
    numbered = plain = 1
    for line in lines:
        depth = _depth(line, numbered, plain)
        if depth == 0:
            section, heading, numbered = (_ROMAN.match(line.number) and line.number) or section, "", 1
        elif depth == 1:
            heading = line.name
        if _DOTTED.fullmatch(line.number) or _ROMAN_PART.fullmatch(line.number):
            numbered = depth
        if line.name[:1] not in _DASHES and line.number.strip(_DASHES) == line.number:
            plain = depth
        found.append(replace(line, section=section, heading="" if depth < 2 else heading, depth=depth))
    return found


def _depth(line: Line, numbered: int, plain: int) -> int:
    """How deep a line stands below the last one with an Arabic number and the last one without a dash."""
    number = line.number
    if _ROMAN.fullmatch(number) or _CAPITAL.fullmatch(number):
        return 0
    if line.name[:1] in _DASHES or (number and not number.strip(_DASHES)):
        return max(3, plain + 1)
    if parts := _ROMAN_PART.fullmatch(number):
        return parts[2].count(".")
    if _DOTTED.fullmatch(number):
        return number.count(".") + 1
    return numbered + 1 if not number or _LETTER.fullmatch(number) else 1

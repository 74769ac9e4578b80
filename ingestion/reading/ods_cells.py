"""The cells of an .ods file, with hidden parts, errors, formulas, merges and telling formats.

Belongs here: OpenDocument's ways of storing cells. Does not belong here: what a cell means. Runs in the child process
that parses workbooks; entities are refused and nothing is looked up. Source: OpenDocument 1.3 part 3, 9 and 19.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from ingestion.base.cell_fault import ERROR_TEXT
from ingestion.reading.marks import HIDDEN, RAISED, STRUCK, marked_text
from ingestion.reading.number_formats import matters
from ingestion.reading.xls_cells import SheetCells
from ingestion.text.numbers import factor_in

_NS = "urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE, _TABLE, _TEXT = f"{{{_NS}office:1.0}}", f"{{{_NS}table:1.0}}", f"{{{_NS}text:1.0}}"
_STYLE, _NUMBER = f"{{{_NS}style:1.0}}", f"{{{_NS}datastyle:1.0}}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_HIDDEN = ("collapse", "filter")
_BLANKS = re.compile(r"[ \t\r\n]+")
_DURATION = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,6}))?\d*S)?)?")
# Writers store equal neighbours once with their number. Nobody has this many equal rows, or equal cells in a row.
_MOST_REPEATED = 2_000


_DATA_STYLES = tuple(f"{_NUMBER}{kind}-style" for kind in ("number", "percentage", "currency"))
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
_CONDITION = re.compile(r"\s*value\(\)\s*(<=|>=|!=|<|>|=)\s*(-?\d+(?:\.\d+)?)\s*")
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne
}  # fmt: skip


class TooManyCellsError(Exception):
    """A few bytes stand for more filled cells than any table has."""


class EntitiesError(Exception):
    """The XML declares a document type or entities."""


def check_no_entities(path: Path) -> None:
    """Raises :class:`EntitiesError`."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".xml"):
                refuse_entities(archive.read(name))


def refuse_entities(data: bytes) -> None:
    """Raises :class:`EntitiesError`, also where the XML is in UTF-16."""
    if b"<!ENTITY" in data or b"<!DOCTYPE" in data or b"<\0!\0" in data or b"\0<\0!" in data:
        raise EntitiesError


def read_ods(path: Path, max_cells: int) -> Iterator[SheetCells]:
    """All sheets in order; raises :class:`TooManyCellsError` and the errors of lxml and zipfile."""
    styles = _Styles()
    with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
        if "styles.xml" in archive.namelist():
            for element in etree.fromstring(archive.read("styles.xml"), _PARSER).iterfind(f"{_OFFICE}styles/*"):
                styles.note(element)
        tags = [f"{_TABLE}{name}" for name in ("table", "table-row", "table-column")]
        tags += [f"{_STYLE}style", *_DATA_STYLES]
        sheet: _Sheet | None = None
        depth = 0
        events = etree.iterparse(
            content, events=("start", "end"), tag=tags, resolve_entities=False, no_network=True, huge_tree=False
        )
        for event, element in events:
            name = etree.QName(element).localname
            if name == "table":
                depth += 1 if event == "start" else -1
                if event == "start" and depth == 1:
                    title = element.get(f"{_TABLE}name") or ""
                    sheet = _Sheet(title, styles.hides(element.get(f"{_TABLE}style-name")), styles, max_cells)
                elif event == "end" and depth == 0 and sheet is not None:
                    yield sheet.finished()
                    sheet = None
                    _let_go(element)
            elif event == "end" and depth == 0:
                styles.note(element)
            elif event == "end" and depth == 1 and sheet is not None:
                (sheet.add_row if name == "table-row" else sheet.add_column)(element)
                _let_go(element)


def _let_go(element: Any) -> None:
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


@dataclass(frozen=True)
class _DataStyle:
    """How a number is shown: the code that it means where it changes the number, else empty; that of a negative number,
    whose sign may be a text of the style; and the styles by which it is shown where a condition holds instead.
    """

    code: str = ""
    code_of_negative: str = ""
    instead: tuple[tuple[Callable[[float, float], bool], float, str], ...] = ()


@dataclass(frozen=True)
class _Style:
    """What a style says itself: how its text is marked, by attribute, and its data style."""

    parent: str = ""
    text: Mapping[str, str] = field(default_factory=dict)
    data: str = ""


class _Styles:
    """The styles as far as they hide a sheet, mark a text or change what a number means."""

    def __init__(self) -> None:
        self._hidden: set[str] = set()
        self._styles: dict[tuple[str, str], _Style] = {}
        self._data: dict[str, _DataStyle] = {}

    def note(self, element: Any) -> None:
        name = element.get(f"{_STYLE}name") or ""
        if element.tag == f"{_STYLE}style":
            properties = element.find(f"{_STYLE}table-properties")
            if properties is not None and properties.get(f"{_TABLE}display") == "false":
                self._hidden.add(name)
            text = element.find(f"{_STYLE}text-properties")
            self._styles[(element.get(f"{_STYLE}family") or "", name)] = _Style(
                element.get(f"{_STYLE}parent-style-name") or "",
                {key: value for key, value in text.items() if key in _MARKING} if text is not None else {},
                element.get(f"{_STYLE}data-style-name") or "",
            )
        elif element.tag in _DATA_STYLES:
            self._data[name] = _data_style(element)

    def hides(self, name: str | None) -> bool:
        return name in self._hidden

    def text(self, family: str, name: str | None) -> dict[str, str]:
        """The marking attributes that a style and those that it stands on set."""
        return {key: value for style in reversed(self._line(family, name)) for key, value in style.text.items()}

    def code(self, name: str | None, value: float) -> str:
        """The format code by which a cell style shows a number, where it changes what the number means; else empty."""
        data = self._data_style(name)
        if data is None:
            return ""
        target = next((target for holds, bound, target in data.instead if holds(value, bound)), None)
        by_sign = bool(data.instead)
        if target is not None:
            data = self._data.get(target, _DataStyle())
        return data.code_of_negative if by_sign and value < 0 else data.code

    def tells(self, name: str | None) -> bool:
        """Whether a cell style marks texts or may change what a number means."""
        data = self._data_style(name)
        return bool(self.text("table-cell", name)) or (data is not None and bool(data.code or data.instead))

    def _data_style(self, name: str | None) -> _DataStyle | None:
        return next((self._data.get(style.data) for style in self._line("table-cell", name) if style.data), None)

    def _line(self, family: str, name: str | None) -> list[_Style]:
        """A style and those that it stands on, nearest first."""
        found: list[_Style] = []
        while name and (style := self._styles.get((family, name))) is not None and style not in found:
            found.append(style)
            name = style.parent
        return found


def _data_style(element: Any) -> _DataStyle:
    instead = tuple(
        (_HOLDS[match[1]], float(match[2]), target)
        for one in element.iterfind(f"{_STYLE}map")
        if (match := _CONDITION.fullmatch(one.get(f"{_STYLE}condition") or ""))
        and (target := one.get(f"{_STYLE}apply-style-name")) is not None
    )
    number = element.find(f"{_NUMBER}number")
    if number is None:
        return _DataStyle(instead=instead)
    factor = number.get(f"{_NUMBER}display-factor") or "1"
    digits = int(number.get(f"{_NUMBER}min-integer-digits") or 1)
    decimals = number.get(f"{_NUMBER}decimal-places") or "0"
    if factor.isdigit() and len(factor) > 3:
        code = "0" + "," * (len(factor.rstrip("0")) and (len(factor) - 1) // 3)
        return _DataStyle(code, code, instead)
    places = "0" * min(digits, 30) if decimals == "0" else "0.0"
    parts = [(part is number, (part.text or "").replace('"', "").strip()) for part in element]
    codes = (
        "".join(
            places if is_number else f'"{text}"' if factor_in(text) or (text and has_sign) else ""
            for is_number, text in parts
        )
        for has_sign in (True, False)
    )
    code, of_negative = (code if matters(code) else "" for code in codes)
    return _DataStyle(code, of_negative, instead)


_THROUGH = tuple(f"{_STYLE}text-line-through-{name}" for name in ("style", "type"))
_MARKING = frozenset({*_THROUGH, f"{_TEXT}display", f"{_STYLE}text-position"})


def _mark_of(properties: Mapping[str, str]) -> str:
    """How attributes mark a text, as :mod:`ingestion.reading.marks` names it."""
    if any(properties.get(name, "none") != "none" for name in _THROUGH):
        return STRUCK
    if properties.get(f"{_TEXT}display") == "none":
        return HIDDEN
    position = properties.get(f"{_STYLE}text-position", "").split(" ")[0]
    return RAISED if position not in ("", "0%") else ""


class _Sheet:
    """A sheet while it is read; rows and columns are counted from 1."""

    def __init__(self, name: str, hidden: bool, styles: _Styles, max_cells: int) -> None:
        self._cells = SheetCells(name, hidden)
        self._styles, self._max_cells = styles, max_cells
        self._row = self._columns = self._width = 0
        self._hidden_columns: list[range] = []
        self._default_styles: list[tuple[range, str]] = []
        self._facts: dict[str, Any] = {
            "rows_with_values": 0,
            "hidden_rows": 0,
            "faults": {},
            "formulas": {},
            "formats": {},
            "merges": [],
            "struck_rows": [],
        }

    def add_column(self, element: Any) -> None:
        times = _times(element, "columns-repeated")
        columns = range(self._columns + 1, self._columns + 1 + times)
        if element.get(f"{_TABLE}visibility") in _HIDDEN:
            self._hidden_columns.append(columns)
        if self._styles.tells(name := element.get(f"{_TABLE}default-cell-style-name")):
            self._default_styles.append((columns, name))
        self._columns += times

    def add_row(self, element: Any) -> None:
        times = _times(element, "rows-repeated")
        row, column = self._row + 1, 0
        cells: list[Any] = []
        struck: set[bool] = set()
        for cell in element:
            if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                continue
            repeated = _times(cell, "columns-repeated")
            style = (
                cell.get(f"{_TABLE}style-name")
                or element.get(f"{_TABLE}default-cell-style-name")
                or next((name for columns, name in self._default_styles if column + 1 in columns), "")
            )
            shown, is_struck = self._marked(cell, style)
            value = self._value(cell, shown, style, row, column + 1, repeated)
            if value != "":
                struck.add(is_struck)
                if repeated > _MOST_REPEATED:
                    raise TooManyCellsError
                cells += [""] * (column - len(cells)) + [value] * repeated
            across, down = _times(cell, "columns-spanned"), _times(cell, "rows-spanned")
            if across * down > 1:
                self._facts["merges"].append((row, column + 1, row + down - 1, column + across))
            column += repeated
        self._row += times
        filled = any(row == place[0] for place in self._last_faults)
        if not cells and not filled:
            return
        if times > _MOST_REPEATED:
            raise TooManyCellsError
        self._width = max(self._width, len(cells))
        if self._row * self._width > self._max_cells:
            raise TooManyCellsError
        rows = self._cells.rows
        rows += [[] for _ in range(row - 1 - len(rows))]
        rows += [list(cells) for _ in range(times)]
        self._facts["rows_with_values"] += times
        if True in struck:
            self._facts["struck_rows"] += range(row, row + times)
        if element.get(f"{_TABLE}visibility") in _HIDDEN:
            self._facts["hidden_rows"] += times

    _last_faults: tuple[tuple[int, int], ...] = ()

    def _value(self, cell: Any, shown: str, style: str, row: int, column: int, repeated: int) -> Any:
        kind = cell.get(f"{_OFFICE}value-type") or ""
        value: Any = shown
        number = cell.get(f"{_OFFICE}value")
        code = ""
        if cell.get(f"{_CALC}value-type") == "error" or (kind == "string" and ERROR_TEXT.fullmatch(shown)):
            return self._fault(shown or "#N/A", row, column, repeated)
        if kind in ("float", "currency", "percentage") or (not kind and number):
            value = float(number) if number else shown
            if kind == "percentage":
                code = "0.00%"
            elif isinstance(value, float):
                code = self._styles.code(style, value)
        elif kind == "date":
            value = _moment(cell.get(f"{_OFFICE}date-value") or shown)
        elif kind == "time":
            value = _duration(cell.get(f"{_OFFICE}time-value") or shown)
        elif kind == "boolean":
            value = cell.get(f"{_OFFICE}boolean-value") == "true"
        elif kind == "string":
            value = shown or cell.get(f"{_OFFICE}string-value") or ""
        formula = cell.get(f"{_TABLE}formula")
        if formula is not None and repeated == 1:
            self._facts["formulas"][(row, column)] = formula.partition("=")[2]
            if value == "" and kind != "string":
                return self._fault("", row, column, repeated)
        if code and isinstance(value, float):
            for place in range(column, column + min(repeated, _MOST_REPEATED)):
                self._facts["formats"][(row, place)] = code
        return value

    def _marked(self, cell: Any, style: str) -> tuple[str, bool]:
        """The text of a cell, and whether all of it is struck out."""
        pieces: list[tuple[str, str]] = []
        of_cell = self._styles.text("table-cell", style)
        for number, paragraph in enumerate(cell.findall(f"{_TEXT}p")):
            properties = of_cell | self._styles.text("paragraph", paragraph.get(f"{_TEXT}style-name"))
            pieces += [("\n", "")] * (number > 0) + _trimmed(_pieces(paragraph, properties, self._styles))
        return marked_text(pieces)

    def _fault(self, shown: str, row: int, column: int, repeated: int) -> str:
        places = tuple((row, place) for place in range(column, column + min(repeated, _MOST_REPEATED)))
        self._facts["faults"].update(dict.fromkeys(places, shown))
        self._last_faults = places
        return ""

    def finished(self) -> SheetCells:
        hidden = (len(range(r.start, min(r.stop, self._width + 1))) for r in self._hidden_columns)
        self._cells.facts = {**self._facts, "hidden_columns": sum(hidden)}
        return self._cells


def _times(element: Any, name: str) -> int:
    text = element.get(f"{_TABLE}number-{name}") or "1"
    return max(1, int(text)) if text.isdigit() and len(text) < 10 else 1


def _pieces(element: Any, properties: dict[str, str], styles: _Styles) -> list[tuple[str, str]]:
    """The texts of a paragraph, each with its mark: blanks of its source count as one, those that are said
    (``text:s``) as many.
    """
    mark = _mark_of(properties) if properties else ""
    pieces = [(_BLANKS.sub(" ", element.text or ""), mark)]
    for child in element:
        if child.tag == f"{_TEXT}s":
            pieces.append((" " * min(int(child.get(f"{_TEXT}c") or 1), 1_000), mark))
        elif child.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            pieces.append(("\t" if child.tag == f"{_TEXT}tab" else "\n", mark))
        elif isinstance(child.tag, str) and child.tag.startswith(_TEXT) and child.tag != f"{_TEXT}note":
            own = styles.text("text", child.get(f"{_TEXT}style-name"))
            pieces += _pieces(child, properties | own, styles)
        pieces.append((_BLANKS.sub(" ", child.tail or ""), mark))
    return pieces


def _trimmed(pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pieces without the blanks at both ends."""
    while pieces and not pieces[0][0].strip(" "):
        pieces = pieces[1:]
    while pieces and not pieces[-1][0].strip(" "):
        pieces = pieces[:-1]
    if not pieces:
        return []
    pieces[0] = (pieces[0][0].lstrip(" "), pieces[0][1])
    pieces[-1] = (pieces[-1][0].rstrip(" "), pieces[-1][1])
    return pieces


def _moment(text: str) -> Any:
    try:
        return dt.datetime.fromisoformat(text.rstrip("Z")[:26])
    except ValueError:
        return text


def _duration(text: str) -> Any:
    match = _DURATION.fullmatch(text)
    if match is None:
        return text
    days, hours, minutes, seconds = (int(match[i] or 0) for i in range(2, 6))
    span = dt.timedelta(days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if match[1] else span

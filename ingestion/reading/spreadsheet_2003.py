"""The cells of an "XML Spreadsheet 2003", which many systems export under the suffix .xls.

Belongs here: that one format. Does not belong here: what a cell means. Runs in the child process that parses workbooks;
entities are refused and nothing is looked up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from ingestion.reading.marks import RAISED, STRUCK, marked_text
from ingestion.reading.number_formats import matters
from ingestion.reading.ods_cells import TooManyCellsError, refuse_entities
from ingestion.reading.xls_cells import SheetCells

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_MARKS = {"Sup": RAISED, "Sub": RAISED, "S": STRUCK}
_NAMED_FORMATS = {"Percent": "0.00%"}


def read_xml_spreadsheet(path: Path, max_cells: int) -> Iterator[SheetCells]:
    """All sheets in order; raises :class:`TooManyCellsError`, ``EntitiesError`` and lxml's errors."""
    data = path.read_bytes()
    refuse_entities(data)
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    formats: dict[str, str] = {}
    struck_styles: set[str] = set()
    for style in root.iter(f"{_SS}Style"):  # one that others stand on comes before them
        name, parent = style.get(f"{_SS}ID") or "", style.get(f"{_SS}Parent") or "Default"
        number, font = style.find(f"{_SS}NumberFormat"), style.find(f"{_SS}Font")
        code = formats.get(parent, "") if number is None else number.get(f"{_SS}Format") or ""
        formats[name] = _NAMED_FORMATS.get(code, code)
        if parent in struck_styles if font is None else font.get(f"{_SS}StrikeThrough") == "1":
            struck_styles.add(name)
    relevant_formats = {name: code for name, code in formats.items() if matters(code)}
    for sheet in root.iter(f"{_SS}Worksheet"):
        hidden = any(etree.QName(e).localname == "Visible" for e in sheet.iter(etree.Element))
        yield _sheet(sheet, hidden, relevant_formats, struck_styles, max_cells)


def _sheet(
    sheet: Any, hidden: bool, relevant_formats: dict[str, str], struck_styles: set[str], max_cells: int
) -> SheetCells:
    found = SheetCells(sheet.get(f"{_SS}Name") or "", hidden)
    facts: dict[str, Any] = {"faults": {}, "formats": {}, "merges": [], "hidden_rows": 0, "hidden_columns": 0}
    facts["struck_rows"] = []
    found.facts = facts
    row = width = 0
    column_styles: dict[int, str] = {}
    table = sheet.find(f"{_SS}Table")
    at = 0
    for column in () if table is None else table.iter(f"{_SS}Column"):
        at = int(column.get(f"{_SS}Index") or at + 1)
        span = int(column.get(f"{_SS}Span") or 0)
        for place in range(at, at + min(span, 20_000) + 1):
            column_styles[place] = column.get(f"{_SS}StyleID") or ""
        facts["hidden_columns"] += (span + 1) if column.get(f"{_SS}Hidden") == "1" else 0
        at += span
    for line in () if table is None else table.iter(f"{_SS}Row"):
        row = int(line.get(f"{_SS}Index") or row + 1)
        cells: list[Any] = []
        struck: set[bool] = set()
        place = 0
        for cell in line.iter(f"{_SS}Cell"):
            place = int(cell.get(f"{_SS}Index") or place + 1)
            if row * max(place, width) > max_cells:
                raise TooManyCellsError
            across, down = (int(cell.get(f"{_SS}Merge{direction}") or 0) for direction in ("Across", "Down"))
            if across or down:
                facts["merges"].append((row, place, row + down, place + across))
            style = cell.get(f"{_SS}StyleID") or line.get(f"{_SS}StyleID") or column_styles.get(place, "")
            value, error = _value(cell.find(f"{_SS}Data"), cell.get(f"{_SS}Formula") is not None)
            if error is not None:
                facts["faults"][(row, place)] = error
            elif value != "":
                struck.add(style in struck_styles or marked_text(_pieces(cell.find(f"{_SS}Data"), ""))[1])
                cells += [""] * (place - 1 - len(cells)) + [value]
                if style in relevant_formats and isinstance(value, float):
                    facts["formats"][(row, place)] = relevant_formats[style]
            place += across
        if cells:
            found.rows += [[] for _ in range(row - 1 - len(found.rows))] + [cells]
            width = max(width, len(cells))
            facts["struck_rows"] += [row] if True in struck else []
            facts["hidden_rows"] += line.get(f"{_SS}Hidden") == "1"
        row += int(line.get(f"{_SS}Span") or 0)
    return found


def _pieces(element: Any, mark: str) -> Iterator[tuple[str, str]]:
    """The texts of an element in order, each with its mark."""
    own = _MARKS.get(etree.QName(element).localname, mark)
    yield element.text or "", own
    for child in element.iterchildren(etree.Element):
        yield from _pieces(child, own)
        yield child.tail or "", own


def _value(data: Any, is_formula: bool) -> tuple[Any, str | None]:
    """A cell's value and the error it shows; the error is empty for a formula without a result."""
    text = "" if data is None else marked_text(_pieces(data, ""))[0]
    kind = "" if data is None else data.get(f"{_SS}Type")
    if not text:
        return "", "" if is_formula and kind != "String" else None
    if kind == "Error":
        return "", text
    try:
        if kind == "Number":
            return float(text), None
        if kind == "DateTime":
            return dt.datetime.fromisoformat(text.rstrip("Z")[:26]), None
    except ValueError:
        return text, None
    return (text == "1", None) if kind == "Boolean" else (text, None)

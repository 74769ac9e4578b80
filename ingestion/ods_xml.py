"""What the XML of an .ods file says beside its cell values.

Belongs here: hidden parts, error cells and the extent of each sheet. Does not belong here: reading values. Runs in the
child process that parses workbooks; no XML is parsed and nothing is resolved.
"""

from __future__ import annotations

import html
import re
import zipfile
from pathlib import Path
from typing import Any

_TAG = re.compile(
    rb"<(?P<close>/?)table:(?P<name>table|table-row|table-column|table-cell|covered-table-cell)(?=[\s/>])"
    rb"(?P<attributes>[^>]*)>"
)
_REPEATED = re.compile(rb'table:number-(?:rows|columns)-repeated="(\d{1,9})"')
_HIDDEN = re.compile(rb'table:visibility="(?:collapse|filter)"')
_NAME = re.compile(rb'table:name="([^"]*)"')
_ERROR_TYPE = b'calcext:value-type="error"'
_ERROR_SHOWN = re.compile(rb"\s*<text:p[^>]*>([^<]*)")
_VALUE_TYPE = b"office:value-type="


# Writers store equal neighbours once with their number. Nobody has this many equal rows, or equal cells in a row.
_MOST_REPEATED = 2_000


class TooManyCellsError(Exception):
    """A few bytes stand for more filled cells than any table has."""


class EntitiesError(Exception):
    """The XML declares a document type or entities."""


def check_no_entities(path: Path) -> None:
    """Raises :class:`EntitiesError`."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".xml"):
                head = archive.read(name)
                if b"<!ENTITY" in head or b"<!DOCTYPE" in head or b"<\0!\0" in head or b"\0<\0!" in head:
                    raise EntitiesError


def look_at_ods(path: Path) -> dict[str, dict[str, Any]]:
    """Facts by sheet: rows with values, hidden rows and columns among them, error cells by 1-based (row, column).

    Raises :class:`TooManyCellsError`.
    """
    with zipfile.ZipFile(path) as archive:
        data = archive.read("content.xml")
    facts: dict[str, dict[str, Any]] = {}
    sheet: dict[str, Any] = {}
    row = column = width = 0
    step, has_value, hidden = 1, False, False
    hidden_columns: list[range] = []
    for match in _TAG.finditer(data):
        name, attributes = match["name"], match["attributes"]
        repeated = _REPEATED.search(attributes)
        times = int(repeated[1]) if repeated else 1
        if name == b"table" and not match["close"]:
            title = _NAME.search(attributes)
            sheet = {"rows_with_values": 0, "hidden_rows": 0, "hidden_columns": 0, "faults": {}}
            facts[html.unescape(title[1].decode()) if title else ""] = sheet
            row = column = width = 0
            hidden_columns = []
        elif not sheet:
            continue
        elif name == b"table":
            sheet["hidden_columns"] = sum(len(range(r.start, min(r.stop, width))) for r in hidden_columns)
        elif name == b"table-column" and not match["close"]:
            if _HIDDEN.search(attributes):
                hidden_columns.append(range(column, column + times))
            column += times
        elif name == b"table-row" and not match["close"]:
            row += 1
            column, step, has_value, hidden = 0, times, False, bool(_HIDDEN.search(attributes))
            if attributes.endswith(b"/"):
                row += step - 1
        elif name == b"table-row":
            row += step - 1
            if has_value:
                if step > _MOST_REPEATED:
                    raise TooManyCellsError
                sheet["rows_with_values"] += step
                sheet["hidden_rows"] += step if hidden else 0
        elif name in (b"table-cell", b"covered-table-cell") and not match["close"]:
            if _ERROR_TYPE in attributes:
                shown = _ERROR_SHOWN.match(data, match.end())
                for place in range(column, column + min(times, 1000)):
                    sheet["faults"][(row, place + 1)] = shown[1].decode() if shown else "#N/A"
            if _VALUE_TYPE in attributes:
                if times > _MOST_REPEATED:
                    raise TooManyCellsError
                has_value, width = True, max(width, column + times)
            column += times
    return facts

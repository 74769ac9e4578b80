"""Tables of an HTML document as rows of text.

Belongs here: spans, hidden parts and the text of cells. Does not belong here: encodings, or which table is the data.
Runs in the child process that parses workbooks; nothing outside the given bytes is ever looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import html
from lxml.html import HtmlElement

from ingestion.base.readings import MixedText
from ingestion.reading.marks import HIDDEN, RAISED, STRUCK, marked_text

_BLANKS = re.compile(r"[ \t\r\n\f]+")
_LINES = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})
_STRUCK = re.compile(r"text-decoration[^;]*:[^;]*line-through", re.I)
_RAISED = re.compile(r"vertical-align\s*:\s*(?:super|sub)\b", re.I)
_CLASS = re.compile(r"\.([\w-]+)\s*\{([^{}]*)\}")
_LINE_END = re.compile("[ \u2028]*\u2028[ \u2028]*")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)", re.I)
_MAX_SPAN = 1_000
_MAX_HELD = 1_000_000


class TooManyCellsError(Exception):
    """The spans of a table unfold into more cells than allowed."""


@dataclass
class HtmlTable:
    """One table with the lines of text that stand before it; each line is a row of one cell. ``merges`` are the cells
    that span: first row, first column, last row, last column, all counted from 1; ``struck_rows`` the rows with a
    cell that is struck out.
    """

    rows: list[list[str]] = field(default_factory=list)
    hidden_rows: int = 0
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    struck_rows: list[int] = field(default_factory=list)


def read_tables(text: str, max_cells: int) -> list[HtmlTable]:
    """All outermost tables in document order; raises ``TooManyCellsError`` and lxml's parser errors."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    root = html.document_fromstring(text.encode("utf-8", errors="replace"), parser=parser)
    _put_styles(root)
    tables: list[HtmlTable] = []
    before: list[list[str]] = []
    for element in _blocks(root):
        if element.tag == "table":
            table = _unfolded(element, max_cells)
            if max((len(row) for row in table.rows), default=0) > 1:
                down = len(before)
                table.rows = before + table.rows
                table.merges = [(a + down, left, b + down, right) for a, left, b, right in table.merges]
                table.struck_rows = [row + down for row in table.struck_rows]
                tables.append(table)
                before = []
            else:
                before += table.rows
        elif line := _text(element):
            before.append([line])
    if before and tables:
        tables[-1].rows += before
    return tables


def _put_styles(root: HtmlElement) -> None:
    """Writes beside each element what its classes say: pages that spreadsheets save have all formatting there."""
    said = {
        name: style
        for sheet in root.iter("style")
        for name, style in _CLASS.findall(sheet.text or "")
        if any(pattern.search(style) for pattern in (_HIDDEN, _STRUCK, _RAISED))
    }
    for element in root.iter() if said else ():
        found = [said[name] for name in (element.get("class") or "").split() if name in said]
        if found:
            element.set("style", ";".join([*found, element.get("style") or ""]))


def _blocks(root: HtmlElement) -> Iterator[HtmlElement]:
    """Outermost tables, and the innermost blocks of text outside of them, in document order."""
    stack = [root]
    while stack:
        element = stack.pop()
        if element.tag == "table":
            yield element
        elif element.tag in ("script", "style", "title", "head"):
            continue
        elif element.find(".//table") is not None:
            stack += reversed(element)
        else:
            yield element


def _own(table: HtmlElement) -> Iterator[HtmlElement]:
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in child if row.tag == "tr")


def _unfolded(table: HtmlElement, max_cells: int) -> HtmlTable:
    """Rows of a table; a cell that spans stands in its first place, as in a spreadsheet with merged cells."""
    result = HtmlTable()
    held: dict[tuple[int, int], bool] = {}
    cells = 0
    for number, row in enumerate(_own(table)):
        line: list[str] = []
        struck: set[bool] = set()
        for cell in row:
            if cell.tag not in ("td", "th"):
                continue
            while held.pop((number, len(line)), False):
                line.append("")
            across, down = _span(cell, "colspan"), _span(cell, "rowspan")
            cells += across * down
            if cells > max_cells or len(held) + across * (down - 1) > _MAX_HELD:
                raise TooManyCellsError
            if across * down > 1:
                left = len(line) + 1
                result.merges.append((number + 1, left, number + down, left + across - 1))
            for below in range(1, down):
                held.update({(number + below, len(line) + right): True for right in range(across)})
            text, is_struck = _marked(cell)
            if text:
                struck.add(is_struck or _mark_of(row) == STRUCK)
            line += [text] + [""] * (across - 1)
        result.rows.append(line)
        if True in struck:
            result.struck_rows.append(number + 1)
        result.hidden_rows += bool(_HIDDEN.search(row.get("style") or "") or row.get("hidden") is not None)
    return result


def _span(cell: HtmlElement, name: str) -> int:
    text = (cell.get(name) or "1").strip()
    return min(int(text), _MAX_SPAN) if text.isascii() and text.isdigit() and int(text) > 0 else 1


def _text(element: HtmlElement) -> str:
    return _marked(element)[0]


def _marked(element: HtmlElement) -> tuple[str, bool]:
    """Text as it is shown, blanks of the source as one and a line's end where it is on the page; and whether all of it
    is struck out.
    """
    text, is_struck = marked_text((_BLANKS.sub(" ", piece), mark) for piece, mark in _pieces(element, ""))
    shown = _LINE_END.sub("\n", _BLANKS.sub(" ", text)).strip()
    return (MixedText(shown) if isinstance(text, MixedText) else shown), is_struck


def _pieces(element: HtmlElement, mark: str) -> Iterator[tuple[str, str]]:
    """The texts of an element in order, each with its mark; what ends a line is ``\u2028``."""
    own = _mark_of(element) or mark
    yield element.text or "", own
    for child in element:
        if isinstance(child.tag, str):
            ends_line = child.tag in _LINES
            yield "\u2028" if ends_line else "", mark
            if child.tag not in ("script", "style"):
                yield from _pieces(child, own)
            yield "\u2028" if ends_line and child.tag != "br" else "", mark
        yield child.tail or "", own


def _mark_of(element: HtmlElement) -> str:
    style = element.get("style") or ""
    if _HIDDEN.search(style) or element.get("hidden") is not None:
        return HIDDEN
    if element.tag in ("s", "strike", "del") or _STRUCK.search(style):
        return STRUCK
    return RAISED if element.tag in ("sup", "sub") or _RAISED.search(style) else ""

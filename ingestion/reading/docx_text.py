"""The running text of a Word document as lines, and its tables as rows of texts.

Belongs here: which parts of the document's XML are text that a reader of the document sees. Does not belong here: what
a line means (``prose``) or a row (``printed_form``). Runs in the child process that parses workbooks; nothing outside
the file is looked up.

A line ends where the writer pressed Enter or Shift+Enter; lines are counted from the top, blank ones too. What was
deleted while changes were tracked is left out, what was inserted is read. Numbers and bullets that Word makes by
itself, footnotes, comments and pictures are no text; that a document has them is told.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from ingestion.base.readings import MixedText
from ingestion.reading.marks import HIDDEN, RAISED, STRUCK, marked_text
from ingestion.reading.ods_cells import EntitiesError

_MAIN_PART = "word/document.xml"
# Elements by local name: strict and transitional documents differ in their namespaces only.
_LEFT_OUT = frozenset({"del", "moveFrom", "Fallback", "pPr", "rPr", "instrText", "delText", "txbxContent", "sdtPr"})
_BREAKS = frozenset({"br", "cr"})
_FACTS = {
    "numPr": "automatic_numbers",
    "ins": "tracked_changes",
    "del": "tracked_changes",
    "moveTo": "tracked_changes",
    "vanish": "hidden_text",
    "drawing": "pictures",
    "pict": "pictures",
    "footnoteReference": "notes",
    "endnoteReference": "notes",
    "commentReference": "notes",
}


class ForeignContentError(Exception):
    """The document takes text from another file inside it, which nobody would notice to be missing."""


def read_lines(path: Path) -> tuple[list[str], dict[str, Any]]:
    """All lines of the document's body in order, and what else it holds (``automatic_numbers``, ``pictures`` …); as
    ``struck_rows`` the numbers (from 1) of lines of which something is struck out.

    Raises ``EntitiesError`` for a declared document type, :class:`ForeignContentError`, ``KeyError`` where there is
    no main part, and the errors of lxml and zipfile.
    """
    root = _root(path)
    facts: dict[str, Any] = {**_facts(root), "struck_rows": []}
    lines: list[str] = []
    for element in root.iter(etree.Element):
        if _local(element) == "p" and not _is_left_out(element):
            lines.append("")
            for text, mark in _pieces(element):
                if mark == STRUCK and text.strip() and len(lines) not in facts["struck_rows"][-1:]:
                    facts["struck_rows"].append(len(lines))
                first, *further = text.split("\n")
                lines[-1] += first
                lines += further
    return lines, facts


@dataclass
class WordTable:
    """Rows of texts, and the numbers (from 1) of those with a cell that is struck out."""

    rows: list[list[str]] = field(default_factory=list)
    struck_rows: list[int] = field(default_factory=list)

    def add(self, row: list[str], is_struck: bool) -> None:
        self.rows.append(row)
        if is_struck:
            self.struck_rows.append(len(self.rows))


def read_tables(path: Path) -> tuple[list[WordTable], dict[str, bool]]:
    """The tables of at least ``_TABLE_COLUMNS`` columns, with the lines around them, as rows of texts; and the facts.

    Tables of one width that follow each other are one, as a table broken over pages is. The last lines before a table
    stand above it and all that follow the last one below, each in a row of its own; narrower tables are lines: heads
    and signatures of letters are set in such. A cell that spans columns holds its text in the first of them, one that
    goes on from the row above is blank. Raises as :func:`read_lines` does.
    """
    root = _root(path)
    facts = _facts(root)
    tables: list[WordTable] = []
    before: list[tuple[list[str], bool]] = []
    for block in _blocks(next(child for child in root.iterchildren(etree.Element) if _local(child) == "body")):
        rows = [_cells(row) for row in _rows(block)]
        width = max((len(row) for row, _ in rows), default=0)
        if _local(block) == "tbl" and width >= _TABLE_COLUMNS:
            if not tables or width != max(map(len, tables[-1].rows)):
                tables.append(WordTable())
                before = before[-_LINES_ABOVE:]
            for row, is_struck in [*before, *rows]:
                tables[-1].add(row, is_struck)
            before = []
        elif _local(block) == "tbl":
            before += rows
        elif not _is_left_out(block):
            before += [([line], False) for line in _text(block).split("\n")]
    for row, is_struck in before if tables else ():
        tables[-1].add(row, is_struck)
    return tables, facts


_TABLE_COLUMNS = 3
_LINES_ABOVE = 20


def _blocks(parent: etree._Element) -> Iterator[etree._Element]:
    """Paragraphs and tables in their order, those inside content controls and insertions too."""
    for child in parent.iterchildren(etree.Element):
        if _local(child) in ("p", "tbl"):
            yield child
        elif _local(child) not in _LEFT_OUT:
            yield from _blocks(child)


def _rows(block: etree._Element) -> Iterator[etree._Element]:
    """The rows of a table itself, also those inside content controls (repeated sections) and insertions."""
    for element in block.iter(etree.Element):
        if _local(element) != "tr" or _is_left_out(element):
            continue
        if next(above for above in element.iterancestors() if _local(above) == "tbl") is block:
            yield element


def _cells(row: etree._Element) -> tuple[list[str], bool]:
    """The texts of a row, and whether one of them is struck out."""
    cells: list[str] = []
    is_struck_row = False
    for cell in row.iter(etree.Element):
        if _local(cell) == "gridBefore":
            cells += [""] * _number(cell)
        if _local(cell) != "tc" or next(a for a in cell.iterancestors() if _local(a) == "tr") is not row:
            continue
        span, goes_on = 1, False
        for mark in cell.iter(etree.Element):
            if _local(mark) == "gridSpan":
                span = max(span, _number(mark))
            goes_on |= _local(mark) == "vMerge" and _attribute(mark, "val") != "restart"
        paragraphs = [p for p in cell.iter(etree.Element) if _local(p) == "p" and not _is_left_out(p)]
        pieces = [piece for p in paragraphs for piece in (("\n", ""), *_pieces(p))]
        text, is_struck = marked_text(pieces)
        if goes_on or not text.strip():
            text = ""
        else:
            is_struck_row |= is_struck
        cells += [MixedText(text.strip()) if isinstance(text, MixedText) else text.strip(), *[""] * (span - 1)]
    return cells, is_struck_row


_MOST_COLUMNS = 100


def _number(mark: etree._Element) -> int:
    text = _attribute(mark, "val")
    return min(int(text), _MOST_COLUMNS) if text.isdigit() else 0


def _attribute(element: etree._Element, local: str) -> str:
    return next((str(v) for name, v in element.attrib.items() if etree.QName(name).localname == local), "")


def _root(path: Path) -> etree._Element:
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.casefold() == _MAIN_PART)
        data = archive.read(name)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(data, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise EntitiesError
    return root


def _facts(root: etree._Element) -> dict[str, bool]:
    """What else the document holds; raises :class:`ForeignContentError`."""
    found = {_local(element) for element in root.iter(etree.Element)}
    if "altChunk" in found:
        raise ForeignContentError
    return dict.fromkeys((fact for local, fact in _FACTS.items() if local in found), True)


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _is_left_out(element: etree._Element) -> bool:
    """Whether a paragraph or row stands in what no reader sees; text boxes are read, their older copies are not."""
    return any(_local(above) in ("Fallback", "del", "moveFrom") for above in element.iterancestors())


def _text(paragraph: etree._Element) -> str:
    return "".join(text for text, _ in _pieces(paragraph))


def _pieces(element: etree._Element, mark: str = "") -> Iterator[tuple[str, str]]:
    """The texts inside a paragraph, each with its mark; those of paragraphs nested in it (text boxes) left to
    themselves.
    """
    for child in element.iterchildren(etree.Element):
        local = _local(child)
        if local == "t":
            yield (child.text or "").replace("\n", " "), mark
        elif local == "tab":
            yield " ", mark
        elif local in _BREAKS:
            yield "\n", mark
        elif local == "noBreakHyphen":
            yield "-", mark
        elif local not in _LEFT_OUT:
            yield from _pieces(child, _mark_of(child) if local == "r" else mark)


def _mark_of(run: etree._Element) -> str:
    """How a run is formatted, as far as it may no longer be part of the text beside it."""
    properties = next((child for child in run.iterchildren(etree.Element) if _local(child) == "rPr"), None)
    said = (
        {} if properties is None else {_local(e): _attribute(e, "val") for e in properties.iterchildren(etree.Element)}
    )
    if said.get("vanish", "0") not in _OFF:
        return HIDDEN
    if said.get("strike", "0") not in _OFF or said.get("dstrike", "0") not in _OFF:
        return STRUCK
    return RAISED if said.get("vertAlign", "").endswith("script") else ""


_OFF = frozenset({"0", "false", "off"})

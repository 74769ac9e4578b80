"""The running text of a Word document as lines.

Belongs here: which parts of the document's XML are text that a reader of the document sees. Does not belong here:
what a line means (``prose``). Runs in the child process that parses workbooks; nothing outside the file is looked up.

A line ends where the writer pressed Enter or Shift+Enter; lines are counted from the top, blank ones too. What was
deleted while changes were tracked is left out, what was inserted is read. Numbers and bullets that Word makes by
itself, footnotes, comments and pictures are no text; that a document has them is told.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

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


def read_lines(path: Path) -> tuple[list[str], dict[str, bool]]:
    """All lines of the document's body in order, and what else it holds (``automatic_numbers``, ``pictures`` …).

    Raises ``EntitiesError`` for a declared document type, :class:`ForeignContentError`, ``KeyError`` where there is
    no main part, and the errors of lxml and zipfile.
    """
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.casefold() == _MAIN_PART)
        data = archive.read(name)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(data, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise EntitiesError
    facts: dict[str, bool] = {}
    lines: list[str] = []
    for element in root.iter(etree.Element):
        local = _local(element)
        if local == "altChunk":
            raise ForeignContentError
        if (fact := _FACTS.get(local)) is not None:
            facts[fact] = True
        if local == "p" and not _is_left_out(element):
            lines += "".join(_pieces(element)).split("\n")
    return lines, facts


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _is_left_out(paragraph: etree._Element) -> bool:
    """Whether a paragraph stands in what no reader sees; text boxes are read, their older copies are not."""
    return any(_local(above) in ("Fallback", "del", "moveFrom") for above in paragraph.iterancestors())


def _pieces(element: etree._Element) -> Iterator[str]:
    """The texts inside a paragraph, those of paragraphs nested in it (text boxes) left to themselves."""
    for child in element.iterchildren(etree.Element):
        local = _local(child)
        if local == "t":
            yield (child.text or "").replace("\n", " ")
        elif local == "tab":
            yield " "
        elif local in _BREAKS:
            yield "\n"
        elif local == "noBreakHyphen":
            yield "-"
        elif local not in _LEFT_OUT:
            yield from _pieces(child)

"""Both files read again, from what they show: Word's own markup, and the ink of the PDF.

Belongs here: getting text, table and marked figures back out of a file. Does not belong here: what they should be
(``check``).

The PDF is read as an eye reads it. Table cells are the fields between drawn lines, a row is what lies between two of
them, and a character belongs to the cell in which it stands; nothing is taken from the program that wrote it. White
space is left out of what is read, since a line's end in print is none in the text.
"""

from __future__ import annotations

import ctypes
import re
import zipfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import neg
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
from lxml import etree

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CODE = re.compile(r"(?:([IVX]+)_([0-9]{2,})|m(_[a-z_]+))_[0-9]+")
_MM = 72 / 25.4
_TOP_MARGIN = 20 * _MM
_NEAR = 1.5
_UNSEEN = "\0\u200b"
#: A hyphen at a line's end comes back as one of these.
_HYPHENS = str.maketrans({"\x02": "-", "\ufffe": "-", "\xad": "-"})


class Unreadable(Exception):
    """The file cannot be read as the document it should be."""


@dataclass(frozen=True)
class Reading:
    """What a file shows, white space left out.

    ``text`` is everything outside the annex table, in order, page numbers left out; ``table`` its rows, header rows
    included once; ``figures`` the figures that the file itself marks with an indicator code (Word only). ``continued``
    are the places in ``table`` of rows that stand first on a later page: such a row may be the rest of the one before
    (PDF only; ink does not tell, so whoever knows what was written decides). ``pages``: how many (PDF only).
    """

    text: str
    table: tuple[tuple[str, ...], ...]
    figures: tuple[tuple[str, str], ...] = ()
    continued: frozenset[int] = frozenset()
    pages: int | None = None


def squeeze(text: str) -> str:
    """The text without white space."""
    return "".join(text.split())


# --- Word -----------------------------------------------------------------------------------------------------------


def read_docx(path: Path) -> Reading:
    """The document's text, its one ruled table, and the figures bookmarked in it. Raises Unreadable."""
    try:
        with zipfile.ZipFile(path) as package:
            body = etree.fromstring(package.read("word/document.xml")).find(f"{_W}body")
    except (OSError, KeyError, zipfile.BadZipFile, etree.XMLSyntaxError) as error:
        raise Unreadable(f"not a Word document: {path.name}") from error
    if body is None:
        raise Unreadable(f"{path.name} has no body")
    tables = [table for table in body.iter(f"{_W}tbl") if _is_ruled(table)]
    if len(tables) != 1:
        raise Unreadable(f"{path.name} has {len(tables)} ruled tables")
    text = "".join(_text(child) for child in body if child is not tables[0])
    return Reading(text, tuple(_docx_rows(tables[0])), tuple(_marked_figures(body)))


def _is_ruled(table: etree._Element) -> bool:
    border = table.find(f"{_W}tblPr/{_W}tblBorders/{_W}insideH")
    return border is not None and border.get(f"{_W}val") == "single"


def _text(element: etree._Element) -> str:
    return squeeze("".join(piece.text or "" for piece in element.iter(f"{_W}t")))


def _docx_rows(table: etree._Element) -> Iterator[tuple[str, ...]]:
    """Cells that a merged neighbour above covers are left out."""
    for row in table.iter(f"{_W}tr"):
        yield tuple(_text(cell) for cell in row.iter(f"{_W}tc") if not _is_covered(cell))


def _is_covered(cell: etree._Element) -> bool:
    merge = cell.find(f"{_W}tcPr/{_W}vMerge")
    return merge is not None and merge.get(f"{_W}val") != "restart"


def _marked_figures(body: etree._Element) -> Iterator[tuple[str, str]]:
    for start in body.iter(f"{_W}bookmarkStart"):
        match = _CODE.fullmatch(start.get(f"{_W}name", ""))
        if match is not None:
            following = start.getnext()
            code = f"#{match[3][1:]}" if match[3] else f"{match[1]}.{match[2]}"
            yield code, "" if following is None else _text(following)


# --- PDF ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Box:
    left: float
    bottom: float
    right: float
    top: float


def read_pdf(path: Path) -> Reading:
    """The text and the ruled table, over all pages. Raises Unreadable."""
    try:
        document = pypdfium2.PdfDocument(path)
    except (OSError, pypdfium2.PdfiumError) as error:
        raise Unreadable(f"not a PDF: {path.name}") from error
    text: list[str] = []
    table: list[tuple[str, ...]] = []
    continued: set[int] = set()
    try:
        pages = len(document)
        for page in document:
            outside, rows = _read_page(page)
            text.append(outside)
            header = table[:2]
            if header and rows:
                continued.add(len(table))
            table += rows[2:] if header and rows[:2] == header else rows
            page.close()
    finally:
        document.close()
    return Reading("".join(text), tuple(table), continued=frozenset(continued), pages=pages)


def _read_page(page: pypdfium2.PdfPage) -> tuple[str, list[tuple[str, ...]]]:
    height = page.get_height()
    across, upright = _rules(page)
    grid = _Grid(across, upright)
    outside: list[str] = []
    for character, x, y in _characters(page):
        if y > height - _TOP_MARGIN:
            continue
        if not grid.take(character, x, y):
            outside.append(character)
    return "".join(outside), grid.rows()


def _rules(page: pypdfium2.PdfPage) -> tuple[list[_Box], list[_Box]]:
    """Drawn lines: horizontal ones and vertical ones."""
    across, upright = [], []
    for thing in page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_PATH,), max_depth=4):
        box = _Box(*thing.get_bounds())
        if box.right - box.left < 2 * _NEAR:
            upright.append(box)
        elif box.top - box.bottom < 2 * _NEAR:
            across.append(box)
    return across, upright


def _characters(page: pypdfium2.PdfPage) -> Iterator[tuple[str, float, float]]:
    """Every visible character with the middle of its box, in the order of the file."""
    textpage = page.get_textpage()
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    for index in range(pdfium.FPDFText_CountChars(textpage)):
        character = chr(pdfium.FPDFText_GetUnicode(textpage, index)).translate(_HYPHENS)
        if character.isspace() or character in _UNSEEN:
            continue
        pdfium.FPDFText_GetCharBox(textpage, index, left, right, bottom, top)
        yield character, (left.value + right.value) / 2, (bottom.value + top.value) / 2
    textpage.close()


@dataclass(frozen=True)
class _Field:
    """A cell, or the part of a cell within one band: its sides, and where what stands in it is gathered."""

    left: float
    right: float
    content: list[str]


class _Grid:
    """The ruled table of one page: the fields between its lines, and what stands in them."""

    def __init__(self, across: list[_Box], upright: list[_Box]) -> None:
        foot = min((line.bottom for line in upright), default=0.0)
        head = max((line.top for line in upright), default=0.0)
        self._edges = _levels(line.top for line in across if foot - _NEAR < line.top < head + _NEAR)
        self._bands: list[list[_Field]] = []
        self._rows: list[list[list[str]]] = []
        for top, bottom in pairwise(self._edges):
            sides = sorted(line.left for line in upright if line.bottom < (top + bottom) / 2 < line.top)
            fields, begun = [], []
            for left, right in pairwise(sides):
                above = self._field_at((left + right) / 2)
                if above is None or _is_ruled_at(across, top, (left + right) / 2):
                    field = _Field(left, right, [])
                    begun.append(field.content)
                else:
                    field = _Field(left, right, above.content)
                fields.append(field)
            self._bands.append(fields)
            self._rows.append(begun)

    def _field_at(self, x: float, band: int = -1) -> _Field | None:
        fields = self._bands[band] if self._bands else []
        return next((field for field in fields if field.left < x < field.right), None)

    def take(self, character: str, x: float, y: float) -> bool:
        """Put a character into its cell; False when it stands outside the table."""
        band = bisect_left(self._edges, -y, key=neg) - 1
        if not 0 <= band < len(self._bands):
            return False
        field = self._field_at(x, band)
        if field is None:
            return False
        field.content.append(character)
        return True

    def rows(self) -> list[tuple[str, ...]]:
        """The cells that begin in each row, from left to right."""
        return [tuple("".join(cell) for cell in row) for row in self._rows]


def _levels(heights: Iterable[float]) -> list[float]:
    """Distinct heights from the top down; lines that almost meet are one."""
    levels: list[float] = []
    for height in sorted(heights, reverse=True):
        if not levels or levels[-1] - height > _NEAR:
            levels.append(height)
    return levels


def _is_ruled_at(across: list[_Box], height: float, x: float) -> bool:
    return any(abs(line.top - height) <= _NEAR and line.left < x < line.right for line in across)

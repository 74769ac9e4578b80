"""Reading a written page again, figure by figure, before its release becomes current.

Belongs here: what a browser would find in the file, compared with the content. Does not belong here: how it is written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import lxml.html
from lxml import etree

from publication.content.release_content import FormRow, ReleaseContent
from publication.formatting import parse_number
from publication.page.neighbours import index_link, neighbours
from publication.page.passport_data import embedded
from publication.page.render import policy, printable
from publication.page.unit_figures import unit_figures
from publication.page.view import UNIT_KINDS

_POLICY = "//meta[@http-equiv='Content-Security-Policy']/@content"


class PageDamaged(Exception):
    """A written page does not say what the release says."""


@dataclass(frozen=True)
class PageRow:
    """One form row as it stands in the page."""

    code: str
    printed_number: str
    name_vi: str
    unit_of_measure: str
    printed: str
    answer_vi: str
    status: str

    @property
    def value(self) -> Decimal | None:
        """The printed figure; None where nothing or a text is printed."""
        try:
            return parse_number(self.printed)
        except ValueError:
            return None


def read_page(path: Path) -> list[PageRow]:
    """The form rows of a written page, in order. Raises PageDamaged when it is not a page of a release."""
    return [_row(element) for element in _document(path).xpath("//table[@id='bang']//tr[@data-code]")]


def check_page(content: ReleaseContent, path: Path, passports: Any) -> None:
    """Compare every row, headline figure, passport and link of the page with the release. Raises PageDamaged."""
    document = _document(path)
    _check_policy(document)
    _check_rows(content, read_page(path))
    for card in document.xpath("//*[@data-headline]"):
        printed = _text(card, ".//*[@class='value']")
        row = content.rows_by_code[card.get("data-headline")]
        if row.printed and printed != printable(row.printed):
            raise PageDamaged(f"headline {row.code}: {printed} is printed, the figure is {row.printed}")
    (block,) = document.xpath("//script[@id='passports']")
    expected, rows_held = embedded(passports)
    if json.loads(block.text) != json.loads(expected) or (block.get("data-rows") == "held") != rows_held:
        raise PageDamaged("the passports in the page are not those of the release")
    _check_units(content, document)
    places = {f"#{identifier}" for identifier in document.xpath("//@id")}
    # The index may not be there yet; it is made anew after each release.
    places.add(index_link(content.unit_code, content.quarter))
    places |= {neighbour.link for neighbour in neighbours(content.unit_code, content.quarter)}
    for link in sorted(set(document.xpath("//a/@href")) - places):
        if link.startswith("#") or not (path.parent / link).exists():
            raise PageDamaged(f"the link {link} leads nowhere")


def _document(path: Path) -> Any:
    try:
        return lxml.html.document_fromstring(path.read_bytes().decode(), parser=lxml.html.HTMLParser(huge_tree=True))
    except (OSError, ValueError, etree.LxmlError) as error:
        raise PageDamaged(f"not a page: {path.name}") from error


def _check_policy(document: Any) -> None:
    style = "".join(document.xpath("//style/text()"))
    script = "".join(document.xpath("//script[not(@type)]/text()"))
    if document.xpath(_POLICY) != [policy(style, script)]:
        raise PageDamaged("the page's policy does not allow its own style and script")


def _check_rows(content: ReleaseContent, found: list[PageRow]) -> None:
    for row, got in zip(content.rows, found, strict=False):
        wanted = _wanted(row)
        if wanted != got or (row.value is not None and got.value != row.value):
            raise PageDamaged(f"row {row.row_no}: {wanted} was meant, {got} is in the page")
    if len(found) != len(content.rows):
        raise PageDamaged(f"the page holds {len(found)} rows, the form {len(content.rows)}")


def _check_units(content: ReleaseContent, document: Any) -> None:
    """The table of the units below, cell by cell."""
    wanted = {
        (unit.code, kind.id): unit.values[kind.id].printed
        for unit in unit_figures(content).units
        for kind in UNIT_KINDS
    }
    got = {
        (cell.get("data-line"), cell.get("data-figure")): str(cell.text_content()).strip()
        for cell in document.xpath("//*[@id='cac-don-vi']//*[@data-figure]")
    }
    for place in sorted(wanted.keys() | got.keys()):
        if wanted.get(place) != got.get(place):
            raise PageDamaged(f"unit {place}: {wanted.get(place)} was meant, {got.get(place)} is in the page")


def _wanted(row: FormRow) -> PageRow:
    number, name, unit, printed, answer = (
        printable(str(text or "")).strip()
        for text in (
            *(row.values[column] for column in ("printed_number", "indicator_name_vi", "unit_of_measure")),
            row.printed,
            row.answer_vi,
        )
    )
    return PageRow(
        row.code,
        number,
        name,
        unit,
        printed,
        answer,
        "" if row.values["kind"] == "heading" else str(row.values["status"]),
    )


def _row(element: Any) -> PageRow:
    number, name, unit, printed, answer = (
        _text(element, f".//*[@class='{part}']") for part in ("number", "name", "printed-unit", "value", "answer")
    )
    return PageRow(element.get("data-code"), number, name, unit, printed, answer, element.get("data-status"))


def _text(element: Any, path: str) -> str:
    return "".join(str(found.text_content()) for found in element.xpath(path)).strip()

"""A page for each unit below the reporting unit, ``report/don-vi/<code>.html``: its own cases beside all others'.

Belongs here: what such a page says, writing it and reading it again. Does not belong here: the figures
(``unit_figures``), the page of the whole release (``view``).

A page for each, not one page with places in it: who lives in a commune opens an address of their own on a phone, some
30 kB that say nothing of other places, can be sent on, found by its title and printed on its own; a page of all units
would be as many times longer. No script, so nothing has to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import lxml.html
from lxml import etree

from publication.content.approval import DRAFT_VI
from publication.content.release_content import ReleaseContent
from publication.formatting import alphabetical, format_date, format_number, parse_number
from publication.page.neighbours import Neighbour, index_link, neighbours
from publication.page.render import policy, printable, render
from publication.page.statistics import AGES_VI
from publication.page.unit_figures import (
    KINDS,
    AgeLine,
    FieldLine,
    Kind,
    Unit,
    UnitFigures,
    Value,
    unit_figures,
)
from publication.tables.annex import lower_first

FOLDER = "don-vi"
NOT_PLACED_VI = "không xếp"
_FIELD_COLUMNS: Mapping[str, str] = {
    "received": "Tiếp nhận",
    "online": "Nộp trực tuyến",
    "resolved": "Đã trả kết quả",
    "late": "Trễ hạn",
    "open": "Chưa xong",
    "overdue": "Quá hạn",
}
_AGE_COLUMNS: Mapping[str, str] = {"cases": "Chưa xong", "overdue": "Trong đó quá hạn"}


class UnitPageDamaged(Exception):
    """A written page of a unit does not say what the release says."""


@dataclass(frozen=True)
class Compared:
    """One figure of a unit beside the others; everything as printed."""

    kind: Kind
    own: str
    whole: str
    median: str
    place: str
    order_vi: str


@dataclass(frozen=True)
class UnitView:
    """Everything the template prints."""

    code: str
    name_vi: str
    area_vi: str
    quarter_vi: str
    window_vi: str
    release_vi: str
    draft_vi: str
    is_provisional: bool
    has_cases: bool
    summary_vi: tuple[str, ...]
    whole_vi: str
    compared: tuple[Compared, ...]
    field_columns: Mapping[str, str]
    fields: tuple[FieldLine, ...]
    fields_held_vi: tuple[str, ...]
    age_columns: Mapping[str, str]
    ages: tuple[tuple[str, AgeLine], ...]
    has_gaps: bool
    others: tuple[tuple[str, str], ...]
    catalogue: str
    neighbours: tuple[Neighbour, ...]
    contact_vi: str


def page_name(code: str) -> str:
    """The page of a unit, from the folder ``report``."""
    return f"{FOLDER}/{code}.html"


def write_unit_pages(content: ReleaseContent, folder: Path) -> None:
    """Write the pages into ``report/don-vi`` of the release folder; no folder where there is no unit below."""
    figures = unit_figures(content)
    if figures.units:
        (folder / "report" / FOLDER).mkdir()
    for unit in figures.units:
        page = render(
            "unit.html.j2",
            style=("page.css", "unit.css", "draft.css") if content.draft else ("page.css", "unit.css"),
            view=_view(content, figures, unit),
        )
        (folder / "report" / page_name(unit.code)).write_bytes(page)


def check_unit_pages(content: ReleaseContent, folder: Path) -> None:
    """Read every page again: each figure, each link, the policy. Raises UnitPageDamaged."""
    figures, places = unit_figures(content), folder / "report" / FOLDER
    found = sorted(path.name for path in places.iterdir()) if places.exists() else []
    if found != sorted(f"{unit.code}.html" for unit in figures.units):
        raise UnitPageDamaged(f"there are pages of {found}")
    for unit in figures.units:
        _check(content, figures, unit, folder / "report" / page_name(unit.code))


# --- what a page says -------------------------------------------------------------------------------------------------


def _view(content: ReleaseContent, figures: UnitFigures, unit: Unit) -> UnitView:
    quarter = next(row for row in content.tables["dim_quarter"].to_pylist() if row["quarter"] == content.quarter)
    up = "../"
    listed, held = _fields(unit)
    return UnitView(
        code=unit.code,
        name_vi=unit.name_vi,
        area_vi=content.unit_name_vi,
        quarter_vi=content.quarter_vi,
        window_vi=f"{format_date(quarter['opens_on'])} – {format_date(quarter['closes_on'])}",
        release_vi=(f"Dự thảo {content.draft} của bản" if content.draft else "Bản")
        + f" công bố r{content.revision.release if content.revision else 1}",
        draft_vi=DRAFT_VI if content.draft else "",
        is_provisional=bool(content.provisional_vi),
        has_cases=unit.has_cases,
        summary_vi=tuple(_summary(figures, unit, content.unit_name_vi)),
        whole_vi=figures.whole_vi,
        compared=tuple(_compared(figures, unit)),
        field_columns=_FIELD_COLUMNS,
        fields=listed,
        fields_held_vi=held,
        age_columns=_AGE_COLUMNS,
        ages=tuple((AGES_VI[line.age], line) for line in unit.ages),
        has_gaps=any(value.is_held_back for value in _every_value(figures, unit)) or bool(held),
        others=tuple((f"{other.code}.html", other.name_vi) for other in figures.units if other.code != unit.code),
        catalogue=index_link(content.unit_code, content.quarter, up=up),
        neighbours=neighbours(content.unit_code, content.quarter, up=up),
        contact_vi=content.imprint.contact_vi,
    )


def _every_value(figures: UnitFigures, unit: Unit) -> Iterator[Value]:
    yield from unit.values.values()
    yield from figures.whole.values()
    for line in unit.fields:
        yield from (getattr(line, column) for column in _FIELD_COLUMNS)
    for age in unit.ages:
        yield from (getattr(age, column) for column in _AGE_COLUMNS)


def _fields(unit: Unit) -> tuple[tuple[FieldLine, ...], tuple[str, ...]]:
    """The fields that have a figure to tell, and the names of those of which all that happened is held back."""

    def is_told(line: FieldLine) -> bool:
        values = [getattr(line, column) for column in _FIELD_COLUMNS]
        return any(value.number or value.told for value in values) or not any(value.is_held_back for value in values)

    told = {line.field_vi for line in unit.fields if is_told(line)}
    return (
        tuple(line for line in unit.fields if line.field_vi in told),
        tuple(sorted((line.field_vi for line in unit.fields if line.field_vi not in told), key=alphabetical)),
    )


def _summary(figures: UnitFigures, unit: Unit, area_vi: str) -> Iterator[str]:
    """The same as the table in a few sentences, each only where its figures are told."""
    own, whole = {name: value.number for name, value in unit.values.items()}, figures.whole
    if own["received"] is not None and own["resolved"] is not None:
        yield (
            f"Trong kỳ, {unit.name_vi} tiếp nhận {format_number(own['received'])} hồ sơ và trả kết quả "
            f"{format_number(own['resolved'])} hồ sơ."
        )
    if own["on_time_percent"] is not None:
        beside = whole["on_time_percent"].number
        yield f"Đúng hạn {format_number(own['on_time_percent'])}% số hồ sơ đã trả kết quả" + (
            f"; {lower_first(figures.whole_vi)} của {area_vi} là {format_number(beside)}%."
            if beside is not None
            else "."
        )
    if own["median_days"] == 0:
        yield "Một nửa số hồ sơ có kết quả ngay trong ngày tiếp nhận."
    elif own["median_days"] is not None:
        yield f"Một nửa số hồ sơ có kết quả trong vòng {format_number(own['median_days'])} ngày làm việc."
    if own["open"] == 0:
        yield "Cuối kỳ không còn hồ sơ nào chưa giải quyết xong."
    elif own["open"] is not None:
        yield f"Cuối kỳ còn {format_number(own['open'])} hồ sơ chưa giải quyết xong."


def _compared(figures: UnitFigures, unit: Unit) -> Iterator[Compared]:
    for kind in KINDS:
        own, place = unit.values[kind.id], figures.place(unit, kind)
        yield Compared(
            kind,
            own.printed,
            figures.whole[kind.id].printed,
            figures.medians[kind.id].printed,
            place.printed if place else NOT_PLACED_VI,
            kind.order_vi if place else "",
        )


# --- reading it again -------------------------------------------------------------------------------------------------


def _check(content: ReleaseContent, figures: UnitFigures, unit: Unit, path: Path) -> None:
    try:
        document: Any = lxml.html.document_fromstring(path.read_bytes().decode())
    except (OSError, ValueError, etree.LxmlError) as error:
        raise UnitPageDamaged(f"not a page: {path.name}") from error
    wanted, got = dict(_wanted(figures, unit)), read_figures(document)
    for place in sorted(wanted.keys() | got.keys()):
        value, printed = wanted.get(place), got.get(place)
        if value is None or printed != printable(value[0]) or (value[1] is not None and _parsed(printed) != value[1]):
            raise UnitPageDamaged(f"{path.name}, {' '.join(place)}: {value} was meant, {printed} is in the page")
    held = [str(item.text_content()) for item in document.xpath("//*[@id='giu-kin']//li")]
    if held != [printable(name) for name in _fields(unit)[1]]:
        raise UnitPageDamaged(f"{path.name}: other fields are named as held back")
    style = "".join(document.xpath("//style/text()"))
    if document.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") != [policy(style, "")]:
        raise UnitPageDamaged(f"{path.name}: the policy does not allow its own style, or more")
    view = _view(content, figures, unit)
    known = {view.catalogue, *(neighbour.link for neighbour in view.neighbours)}
    known |= {f"#{identifier}" for identifier in document.xpath("//@id")} | {"../index.html"}
    for link in sorted(set(document.xpath("//a/@href")) - known):
        if link.startswith("#") or not (path.parent / link.split("#")[0]).exists():
            raise UnitPageDamaged(f"{path.name}: the link {link} leads nowhere")


def read_figures(document: Any) -> dict[tuple[str, ...], str]:
    """Every figure of a page as printed, by table, line and column. Raises UnitPageDamaged where one stands twice."""
    found: dict[tuple[str, ...], str] = {}
    for cell in document.xpath("//*[@data-figure]"):
        place = (cell.get("data-table"), cell.get("data-line"), cell.get("data-figure"))
        if place in found:
            raise UnitPageDamaged(f"{' '.join(place)} stands twice")
        found[place] = str(cell.text_content()).strip()
    return found


def _wanted(figures: UnitFigures, unit: Unit) -> Iterator[tuple[tuple[str, ...], tuple[str, Decimal | None]]]:
    """Every figure of the page: what is printed, and the number that it must read back as."""
    for kind in KINDS if unit.has_cases else ():
        for column, value in {
            "own": unit.values[kind.id],
            "whole": figures.whole[kind.id],
            "median": figures.medians[kind.id],
        }.items():
            yield ("compared", kind.id, column), (value.printed, value.number)
        place = figures.place(unit, kind)
        yield ("compared", kind.id, "place"), (place.printed if place else NOT_PLACED_VI, None)
    for line in _fields(unit)[0]:
        for column in _FIELD_COLUMNS:
            value = getattr(line, column)
            yield ("fields", printable(line.field_vi), column), (value.printed, value.number)
    for age in unit.ages:
        for column in _AGE_COLUMNS:
            value = getattr(age, column)
            yield ("ages", age.age, column), (value.printed, value.number)


def _parsed(printed: str | None) -> Decimal | None:
    try:
        return parse_number(printed or "")
    except ValueError:
        return None

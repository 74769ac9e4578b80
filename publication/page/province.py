"""The page of a province's release: ranking, heat table, totals with their coverage, units and what is missing.

Belongs here: what that page says and reading it again. Does not belong here: its figures (``province.rollup``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import lxml.html

from publication.content.approval import DRAFT_VI
from publication.content.province_content import (
    LEVELS_VI,
    NO_PARTS_VI,
    ProvinceContent,
    coverage_vi,
    differs,
    is_counted,
)
from publication.formatting import format_date, format_number, percent_of
from publication.page.neighbours import index_link
from publication.page.readback import PageDamaged
from publication.page.render import policy, render

_STEPS = 5


@dataclass(frozen=True)
class Place:
    """A unit in a ranking; ``step`` 1 (least) to 5 (most) tells in which fifth of the range its value lies."""

    rank: int
    code: str
    name_vi: str
    value: str
    parts_vi: str
    step: int


@dataclass(frozen=True)
class Ranking:
    """One indicator and level, best first; ``total`` the same over all units."""

    id: str
    name_vi: str
    level_vi: str
    better_vi: str
    total: str
    places: tuple[Place, ...]


def rankings(content: ProvinceContent) -> list[Ranking]:
    """In the order of the form; levels apart."""
    order = {row["indicator_code"]: row["row_no"] for row in content.tables["province_totals"].to_pylist()}
    groups: dict[tuple[int, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in content.tables["province_ranking"].to_pylist():
        groups[order[row["indicator_code"]], row["indicator_code"], row["member_level"]].append(row)
    return [
        Ranking(
            f"xep-hang-{code.replace('.', '-')}-{level}",
            str(rows[0]["name_vi"]),
            LEVELS_VI[level],
            "cao hơn xếp trước" if rows[0]["direction"] == "up" else "thấp hơn xếp trước",
            _share(rows),
            tuple(_places(rows)),
        )
        for (_, code, level), rows in sorted(groups.items(), key=lambda group: _units_first(*group[0]))
    ]


def _units_first(row_no: int, code: str, level: str) -> tuple[int, str, bool, str]:
    """Of one row of the form departments come after units."""
    return row_no, code, level == "department", level


def _share(rows: Iterable[Mapping[str, Any]]) -> str:
    """Over all ranked units, made again from numerators and denominators."""
    listed = list(rows)
    whole = percent_of(sum(r["numerator"] for r in listed), sum(r["denominator"] for r in listed))
    return "" if whole is None else f"{format_number(whole)}%"


def _places(rows: Iterable[Mapping[str, Any]]) -> Iterable[Place]:
    listed = sorted(rows, key=lambda row: (row["rank"], row["member_code"]))
    values = [row["value"] for row in listed]
    least, span = min(values), max(values) - min(values)
    for row in listed:
        step = 1 + min(_STEPS - 1, int((row["value"] - least) * _STEPS / span)) if span else (_STEPS + 1) // 2
        yield Place(
            row["rank"],
            row["member_code"],
            row["member_name_vi"],
            f"{format_number(row['value'])}%",
            f"{format_number(row['numerator'])}/{format_number(row['denominator'])}",
            step,
        )


@dataclass(frozen=True)
class Line:
    """A row of the form over all units. ``remark_vi``: what the figure is, where it is no sum, and its coverage."""

    code: str
    number: str
    name_vi: str
    unit_vi: str
    is_heading: bool
    level: int
    value: str
    coverage: str
    missing_vi: str
    remark_vi: str


def lines(content: ProvinceContent) -> list[Line]:
    """Every row of the form, in order."""
    return [_line(row) for row in sorted(content.tables["province_totals"].to_pylist(), key=lambda row: row["row_no"])]


def _line(row: Mapping[str, Any]) -> Line:
    counted = is_counted(row)
    remark = ""
    if row["aggregate"] == "ratio" and row["denominator"] is not None:
        remark = f"{format_number(row['numerator'])}/{format_number(row['denominator'])}"
    elif row["aggregate"] == "units_with":
        remark = "số đơn vị, sở, ngành ghi Có" if row["departments_expected"] else "số đơn vị ghi Có"
    elif row["least"] is not None and row["aggregate"] == "none":
        why = NO_PARTS_VI if row["kind"] == "ratio" else "không cộng"
        remark = f"{why}; từ {format_number(row['least'])} đến {format_number(row['greatest'])}"
    return Line(
        row["indicator_code"],
        row["printed_number"] or "",
        row["indicator_name_vi"],
        row["unit_of_measure"] or "",
        row["kind"] == "heading",
        row["level"],
        printed(row["value"]),
        coverage_vi(
            row["units_counted"], row["units_expected"], row["departments_counted"], row["departments_expected"]
        )
        if counted
        else "",
        _missing_vi(row) if counted else "",
        remark,
    )


def _missing_vi(row: Mapping[str, Any]) -> str:
    """Who is missing in a row's total; of units, and of departments, nobody is named where none has a figure."""
    named = (
        row[f"{prefix}missing_vi"] if row[f"{who}_counted"] else None
        for prefix, who in (("", "units"), ("departments_", "departments"))
    )
    return "; ".join(filter(None, named))


def printed(value: Decimal | None) -> str:
    """A figure as printed; nothing for none."""
    return "" if value is None else format_number(value)


@dataclass(frozen=True)
class Compared:
    """A fact of which sources tell different figures: what each says, and by how much they differ."""

    code: str
    unit: str
    name_vi: str
    member_vi: str
    figures: tuple[str, str, str]
    portal_vi: str
    taken_on: str
    differences: tuple[str, str, str]


def compared(content: ProvinceContent) -> list[Compared]:
    """The facts whose sources differ, in order of the form and of units."""
    return [
        Compared(
            row["indicator_code"],
            row["member_code"],
            row["indicator_name_vi"],
            row["member_name_vi"],
            (printed(row["computed_value"]), printed(row["declared_value"]), printed(row["portal_value"])),
            row["portal_vi"] or "",
            format_date(row["portal_taken_on"]) if row["portal_taken_on"] else "",
            (
                _signed(row["declared_minus_computed"]),
                _signed(row["portal_minus_computed"]),
                _signed(row["portal_minus_declared"]),
            ),
        )
        for row in content.compared
        if differs(row)
    ]


def _signed(value: Decimal | None) -> str:
    """A difference with its sign; nothing where one of the two figures is not there."""
    return f"{'+' if value is not None and value > 0 else ''}{printed(value)}"


#: The way from the page of a release to the folder of releases.
_TO_RELEASES = "../../../.."


def release_link(member: Mapping[str, Any], quarter: str, published: str = _TO_RELEASES) -> str | None:
    """Where the page of the unit's release lies; ``published``: the way from where it is told to all releases."""
    if member["release_number"] is None:
        return None
    return f"{published}/{member['member_code']}/{quarter}/r{member['release_number']}/report/index.html"


def write_province_page(content: ProvinceContent, path: Path, published: str = _TO_RELEASES) -> None:
    """Write the page; equal contents give equal bytes. ``published``: the way from it to the folder of releases."""
    members = [(member, release_link(member, content.quarter, published)) for member in content.members]
    told = rankings(content)
    page = render(
        "province.html.j2",
        style=("page.css", "province.css", "draft.css") if content.draft else ("page.css", "province.css"),
        content=content,
        mark=DRAFT_VI if content.draft else "",
        members=members,
        levels=LEVELS_VI,
        rankings=told,
        heat=_heat(told, content),
        lines=lines(content),
        compared=compared(content),
        of_portal=sum(row["portal_value"] is not None for row in content.compared),
        delivered=_delivered_vi(content),
        findings=[f["message_vi"] for result in content.gate_results for f in result["findings"]],
        workbook="tong-hop.xlsx",
        release=content.revision.release if content.revision else 1,
        catalogue=index_link(content.unit_code, content.quarter),
    )
    path.write_bytes(page)


def _delivered_vi(content: ProvinceContent) -> dict[str, str]:
    """By department how many figures it delivered, and in which files, by their names in the manifest."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in content.tables["province_departments"].to_pylist():
        found[row["member_code"]].append(row["file_name"])
    return {code: f"{len(files)} số liệu, tệp {', '.join(sorted(set(files)))}" for code, files in found.items()}


def _heat(told: list[Ranking], content: ProvinceContent) -> list[tuple[Mapping[str, Any], list[Place | None]]]:
    """A row a unit, a cell a ranking; None where the unit is not ranked."""
    return [
        (member, [next((p for p in ranking.places if p.code == member["member_code"]), None) for ranking in told])
        for member in content.members
    ]


def check_province_page(content: ProvinceContent, path: Path) -> None:
    """Compare policy, totals, ranks and links of the written page with the release. Raises PageDamaged."""
    document: Any = lxml.html.document_fromstring(path.read_bytes().decode())
    style = "".join(document.xpath("//style/text()"))
    if document.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") != [policy(style, "")]:
        raise PageDamaged("the page's policy does not allow its own style")
    found = {
        row.get("data-code"): " ".join(row.xpath("string(td[@class='figure'])").split())
        for row in document.xpath("//table[@id='tong-hop']//tr[@data-code]")
    }
    wanted = {line.code: line.value for line in lines(content) if not line.is_heading}
    if found != wanted:
        raise PageDamaged(f"totals differ: {sorted(set(found.items()) ^ set(wanted.items()))[:4]}")
    ranks = [
        (
            section.get("id"),
            row.get("data-unit"),
            row.xpath("string(td[1])").strip(),
            row.xpath("string(td[2])").strip(),
        )
        for section in document.xpath("//section[@class='ranking']")
        for row in section.xpath(".//tr[@data-unit]")
    ]
    if ranks != [(r.id, p.code, str(p.rank), p.value) for r in rankings(content) for p in r.places]:
        raise PageDamaged("the ranking differs from the release")
    shown = [
        (row.get("data-code"), row.get("data-unit"), *(" ".join(td.text_content().split()) for td in row.xpath("td")))
        for row in document.xpath("//table[@id='nguon']//tbody/tr")
    ]
    if shown != [
        (c.code, c.unit, c.member_vi, *c.figures, c.portal_vi, c.taken_on, *c.differences) for c in compared(content)
    ]:
        raise PageDamaged("what several sources tell of one fact differs from the release")
    links = set(document.xpath("//a[contains(@href, '/report/index.html')]/@href"))
    if links != {link for m in content.members if (link := release_link(m, content.quarter))}:
        raise PageDamaged("the page leads to other releases than it was made from")

"""The figures of a province from the tables of its units' releases.

Belongs here: sums, ratios made again from their parts, counts of units, ranks, coverage; all exact (``Decimal``).
Does not belong here: reading releases (``members``), the proof that the figures hold (rules of stage ``province``).

What a row of the form becomes is told by its kind: a count is added up; a ratio is made again from the sums of its
numerators and denominators, never averaged; of a flag the units that say yes are counted. Percents, ratios that offices
declare as such (the form knows no parts of theirs), texts and what the form lists under ``not_added`` (distinct things
that all units have, such as procedures) have no total: the least and the greatest value of a unit are told instead. A
unit without a figure is not counted, and never read as zero.

The province's own departments (``Department``) stand beside the units: their figures come from what the province
delivered, are added up with those of the units and ranked apart from them, and their coverage is told by itself.

Beside what a unit counts and what it declares stands what a portal shows for it (``PortalFigure``), as the province
delivered it. It changes no other figure; a unit that the portal does not name has none.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa

from common.forms import Form
from publication.content.province_content import NO_PARTS_VI, percent
from publication.content.units_as_is import UnitToday
from publication.formatting import percent_of

INDICATORS, TOTALS, RANKING, MEMBERS, PORTAL, DEPARTMENTS = (
    "province_indicators",
    "province_totals",
    "province_ranking",
    "province_members",
    "province_portal",
    "province_departments",
)
#: Tables of a province's release.
TABLES = (INDICATORS, TOTALS, RANKING, MEMBERS, PORTAL, DEPARTMENTS)
#: The level of a province's own department.
DEPARTMENT = "department"
_FIGURE = pa.decimal128(18, 4)
_PERCENT = "%"
#: What a form's row of each kind becomes; any other kind has no total.
_AGGREGATES = {
    "count": "sum",
    "heading_with_value": "sum",
    "ratio": "ratio",
    "flag": "units_with",
}
_ROW = (
    "form_version", "row_no", "section", "printed_number", "level", "indicator_code", "indicator_name_vi",
    "unit_of_measure", "kind",
)  # fmt: skip
_TYPES: Mapping[str, pa.DataType] = {
    "row_no": pa.int32(),
    "level": pa.int32(),
    "release_number": pa.int32(),
    "rank": pa.int32(),
    "units_ranked": pa.int32(),
    "units_counted": pa.int32(),
    "units_expected": pa.int32(),
    "departments_counted": pa.int32(),
    "departments_expected": pa.int32(),
    "portals_shown": pa.int32(),
    "sheet_no": pa.int32(),
    "row_number": pa.int64(),
    "provisional": pa.bool_(),
    "taken_on": pa.date32(),
    "portal_taken_on": pa.date32(),
    **dict.fromkeys(
        (
            "value",
            "numerator",
            "denominator",
            "computed_value",
            "declared_value",
            "least",
            "greatest",
            "portal_value",
            "declared_minus_computed",
            "portal_minus_computed",
            "portal_minus_declared",
        ),
        _FIGURE,
    ),
}
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    MEMBERS: (
        "unit_code", "quarter", "member_code", "unit_name_vi", "member_name_vi", "member_level", "state", "why_vi",
        "release_number", "manifest_sha256", "form_version", "provisional", "member_code_as_is",
        "member_name_as_is_vi", "as_is_note_vi",
    ),
    INDICATORS: (
        "unit_code", "quarter", "indicator_code", "member_code", "member_name_vi", "member_level", "release_number",
        *(name for name in _ROW if name != "indicator_code"), "status", "value", "numerator", "denominator",
        "computed_value", "declared_value", "portals_shown", "portal_value", "portal_taken_on",
        "declared_minus_computed", "portal_minus_computed", "portal_minus_declared", "member_code_as_is",
        "member_name_as_is_vi",
    ),
    PORTAL: (
        "unit_code", "quarter", "indicator_code", "member_code", "portal_vi", "value", "taken_on", "computed_value",
        "declared_value", "portal_minus_computed", "portal_minus_declared", "file_name", "sheet_no", "row_number",
    ),
    TOTALS: (
        "unit_code", "quarter", "indicator_code", *(name for name in _ROW if name != "indicator_code"), "aggregate",
        "value", "numerator", "denominator", "least", "greatest", "units_counted", "units_expected", "missing_vi",
        "departments_counted", "departments_expected", "departments_missing_vi",
    ),
    DEPARTMENTS: (
        "unit_code", "quarter", "indicator_code", "member_code", "value", "numerator", "denominator", "evidence_vi",
        "file_name", "sheet_no", "row_number",
    ),
    RANKING: (
        "unit_code", "quarter", "indicator_code", "member_level", "member_code", "member_name_vi", "name_vi",
        "whole_code", "direction", "numerator", "denominator", "value", "rank", "units_ranked",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A unit of the province on the closing day, with the table of its release where it has published one; or a
    department of the province, with the rows that it delivered.

    ``why_vi``: why it has none; ``provisional``: whether the figures of its release are; ``form``: rows of
    ``report_indicators``; each empty where it has none; ``as_is``: where it is now, by the register's today.
    """

    code: str
    name_vi: str
    level: str
    release: int | None = None
    manifest_sha256: str = ""
    form_version: str = ""
    provisional: bool | None = None
    why_vi: str = ""
    form: tuple[Mapping[str, Any], ...] = ()
    as_is: UnitToday | None = None

    @property
    def is_published(self) -> bool:
        return self.release is not None

    @property
    def is_department(self) -> bool:
        return self.level == DEPARTMENT

    @property
    def state(self) -> str:
        """As ``province_members`` tells it."""
        if self.is_department:
            return "missing" if self.why_vi else "delivered"
        return "published" if self.is_published else "missing"


@dataclass(frozen=True)
class DepartmentFigure:
    """What a department tells of a row of the form, and where that stands in the province's delivery, as of a
    ``PortalFigure``. A ratio is told by its parts; ``value`` is then what was delivered beside them, if anything.
    """

    member_code: str
    indicator_code: str
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    evidence_vi: str | None
    file_name: str
    sheet_no: int
    row_number: int


@dataclass(frozen=True)
class Department:
    """A department of the province's register on the closing day, with its figures: none where it sent nothing."""

    code: str
    name_vi: str
    figures: tuple[DepartmentFigure, ...] = ()

    def as_member(self, form: Form) -> Member:
        """The department beside the units, each figure as a row of the form. One of a row that the form lacks is left
        out; the gate asks for it.
        """
        printed = {row["indicator_code"]: row for row in form.rows}
        rows = [
            _row_of(figure, printed[figure.indicator_code], form.form)
            for figure in self.figures
            if figure.indicator_code in printed
        ]
        why = "" if self.figures else "chưa nộp số liệu của kỳ"
        return Member(
            self.code, self.name_vi, DEPARTMENT, form_version=form.form if rows else "", why_vi=why, form=tuple(rows)
        )


def _row_of(figure: DepartmentFigure, printed: Mapping[str, str], form_version: str) -> dict[str, Any]:
    """A department's figure as a row of ``report_indicators``; a ratio is made from its parts."""
    value = figure.value
    if figure.numerator is not None and figure.denominator is not None:
        value = percent(figure.numerator, figure.denominator)
    return {
        "form_version": form_version,
        "row_no": int(printed["row_no"]),
        "section": printed["section"],
        "printed_number": printed["printed_number"] or None,
        "level": int(printed["level"]),
        "indicator_code": figure.indicator_code,
        "indicator_name_vi": printed["name_vi"],
        "unit_of_measure": printed["unit_vi"] or None,
        "unit_of_measure_canonical": printed["unit_canonical"] or None,
        "kind": printed["kind"],
        "direction": printed["direction"] or None,
        "status": "declared",
        "value": value,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "computed_value": None,
        "declared_value": figure.value,
    }


@dataclass(frozen=True)
class PortalFigure:
    """What a portal showed for a unit and row of the form on a day, and where that stands in the province's delivery:
    the file's neutral name, the place of its sheet among the names of its sheets, the row. ``portal_vi`` names it,
    where the delivery does: several portals may show one row of a unit.
    """

    member_code: str
    indicator_code: str
    value: Decimal
    taken_on: dt.date
    portal_vi: str | None
    file_name: str
    sheet_no: int
    row_number: int


def roll_up_tables(
    province: str,
    name_vi: str,
    quarter: str,
    members: Sequence[Member],
    form: Form,
    portal: Iterable[PortalFigure] = (),
    departments: Iterable[Department] = (),
) -> dict[str, pa.Table]:
    """The tables of a province and period, by name; rows in the order of the form and of unit codes, units before
    departments.

    ``form``: the one that the units report by; ``portal``: one figure a unit, row and portal; the figures of
    ``departments``: one a department and row.
    """
    listed = sorted(departments, key=lambda department: department.code)
    ordered = [*sorted(members, key=lambda member: member.code), *(one.as_member(form) for one in listed)]
    head = {"unit_code": province, "quarter": quarter}
    of_row: dict[str, list[tuple[Member, Mapping[str, Any]]]] = defaultdict(list)
    for member in ordered:
        for row in member.form:
            of_row[str(row["indicator_code"])].append((member, row))
    places = {code: int(rows[0][1]["row_no"]) for code, rows in of_row.items()}
    codes = sorted(of_row, key=lambda code: (places[code], code))
    shown: dict[tuple[str, str], list[PortalFigure]] = defaultdict(list)
    last = len(places)
    told = sorted(
        portal,
        key=lambda f: (places.get(f.indicator_code, last), f.indicator_code, f.member_code, f.portal_vi or ""),
    )
    for figure in told:
        shown[figure.member_code, figure.indicator_code].append(figure)
    own = {(member.code, code): row for code, rows in of_row.items() for member, row in rows}
    return {
        MEMBERS: _table(MEMBERS, [head | _member(member, name_vi) for member in ordered]),
        INDICATORS: _table(
            INDICATORS,
            [head | _indicator(m, row, shown.get((m.code, code), [])) for code in codes for m, row in of_row[code]],
        ),
        PORTAL: _table(
            PORTAL, [head | _shown(figure, own.get((figure.member_code, figure.indicator_code), {})) for figure in told]
        ),
        DEPARTMENTS: _table(
            DEPARTMENTS,
            [
                head | asdict(figure)
                for figure in sorted(
                    (figure for department in listed for figure in department.figures),
                    key=lambda f: (places.get(f.indicator_code, last), f.indicator_code, f.member_code),
                )
            ],
        ),
        TOTALS: _table(TOTALS, [head | _total(of_row[code], ordered, form) for code in codes]),
        RANKING: _table(RANKING, [head | place for place in _rankings(of_row, codes, form)]),
    }


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = pa.schema([(column, _TYPES.get(column, pa.string())) for column in _COLUMNS[name]])
    return pa.Table.from_pylist(rows, schema=schema)


def _member(member: Member, name_vi: str) -> dict[str, Any]:
    return {
        "member_code": member.code,
        "unit_name_vi": name_vi,
        "member_name_vi": member.name_vi,
        "member_level": member.level,
        "state": member.state,
        "why_vi": member.why_vi or None,
        "release_number": member.release,
        "manifest_sha256": member.manifest_sha256 or None,
        "form_version": member.form_version or None,
        "provisional": member.provisional,
        **_as_is(member),
        "as_is_note_vi": (member.as_is.note_vi or None) if member.as_is else None,
    }


def _as_is(member: Member) -> dict[str, Any]:
    """The unit of today that the member's figures are of; blank where a split or an end forbids it."""
    today = member.as_is
    return {
        "member_code_as_is": (today.code_as_is or None) if today else None,
        "member_name_as_is_vi": (today.now_vi.removesuffix(f" ({today.code_as_is})") or None) if today else None,
    }


def _shown(figure: PortalFigure, row: Mapping[str, Any]) -> dict[str, Any]:
    """A portal's figure beside the unit's own, where the unit has published ``row``."""
    computed, declared = row.get("computed_value"), row.get("declared_value")
    return {
        **asdict(figure),
        "computed_value": computed,
        "declared_value": declared,
        "portal_minus_computed": _difference(figure.value, computed),
        "portal_minus_declared": _difference(figure.value, declared),
    }


def _indicator(member: Member, row: Mapping[str, Any], portal: Sequence[PortalFigure]) -> dict[str, Any]:
    """A unit's row. Where portals contradict each other none of them is the portal's figure: ``province_portal`` has
    each.
    """
    computed, declared = row["computed_value"], row["declared_value"]
    shown = portal[0].value if portal and len({figure.value for figure in portal}) == 1 else None
    return {
        "member_code": member.code,
        "member_name_vi": member.name_vi,
        "member_level": member.level,
        "release_number": member.release,
        **{name: row[name] for name in _ROW},
        **{name: row[name] for name in ("status", "value", "numerator", "denominator")},
        "computed_value": computed,
        "declared_value": declared,
        "portals_shown": len(portal),
        "portal_value": shown,
        "portal_taken_on": max(figure.taken_on for figure in portal) if shown is not None else None,
        "declared_minus_computed": _difference(declared, computed),
        "portal_minus_computed": _difference(shown, computed),
        "portal_minus_declared": _difference(shown, declared),
        **_as_is(member),
    }


def _difference(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """None where either is not known: what is not there differs from nothing."""
    return None if one is None or other is None else one - other


def aggregate_of(row: Mapping[str, Any], form: Form) -> str:
    """``sum``, ``ratio``, ``units_with`` or ``none``: what becomes of a row of the form."""
    aggregate = _AGGREGATES.get(str(row["kind"]), "none")
    unit = row["unit_of_measure_canonical"] or row["unit_of_measure"] or ""
    not_added = aggregate == "sum" and (_PERCENT in unit or unit in form.not_added)
    without_parts = aggregate == "ratio" and not any(
        known["indicator_code"] == row["indicator_code"] and known["derivation"] == "ratio" for known in form.rows
    )
    return "none" if not_added or without_parts else aggregate


def _total(rows: Sequence[tuple[Member, Mapping[str, Any]]], members: Sequence[Member], form: Form) -> dict[str, Any]:
    first = rows[0][1]
    aggregate = aggregate_of(first, form)
    parts: list[tuple[Member, Decimal, Decimal]] = [
        (member, row["numerator"], row["denominator"])
        for member, row in rows
        if row["numerator"] is not None and row["denominator"] is not None
    ]
    values = [(member, row["value"]) for member, row in rows if row["value"] is not None]
    counted = {member.code for member, *_ in (parts if aggregate == "ratio" else values)}
    units, departments = ([m for m in members if m.is_department is apart] for apart in (False, True))
    figures: dict[str, Any] = {"value": None}
    if aggregate == "ratio" and parts:
        numerator = sum((numerator for _, numerator, _ in parts), Decimal(0))
        denominator = sum((denominator for _, _, denominator in parts), Decimal(0))
        value = percent(numerator, denominator)
        figures = {"numerator": numerator, "denominator": denominator, "value": value}
    elif aggregate == "sum" and values:
        figures["value"] = sum((value for _, value in values), Decimal(0))
    elif aggregate == "units_with" and values:
        figures["value"] = Decimal(sum(value == 1 for _, value in values))
    is_heading = first["kind"] == "heading"
    valued = {member.code for member, _ in values}
    return {
        **{name: first[name] for name in _ROW},
        "aggregate": aggregate,
        **figures,
        "least": min((value for _, value in values), default=None),
        "greatest": max((value for _, value in values), default=None),
        "units_counted": sum(member.code in counted for member in units),
        "units_expected": len(units),
        "missing_vi": None if is_heading else _listed(units, counted, valued),
        "departments_counted": sum(member.code in counted for member in departments),
        "departments_expected": len(departments),
        "departments_missing_vi": None if is_heading else _listed(departments, counted, valued),
    }


def _listed(members: Iterable[Member], counted: Container[str], valued: Container[str]) -> str | None:
    """Those that are not counted; of one that has a figure all the same what keeps it out."""
    return (
        "; ".join(
            f"{member.name_vi} ({member.code}{f', {NO_PARTS_VI}' if member.code in valued else ''})"
            for member in members
            if member.code not in counted
        )
        or None
    )


def _rankings(
    of_row: Mapping[str, Sequence[tuple[Member, Mapping[str, Any]]]], codes: Iterable[str], form: Form
) -> Iterable[dict[str, Any]]:
    """Units by each ratio that has a better and a worse, and by each share that the form names; levels apart."""
    for code in codes:
        first = of_row[code][0][1]
        if first["direction"] not in ("up", "down"):
            continue
        whole = form.shares.get(code)
        measured: list[tuple[Member, Decimal, Decimal]] = []
        if first["kind"] == "ratio":
            measured = [
                (member, row["numerator"], row["denominator"])
                for member, row in of_row[code]
                if row["numerator"] is not None and row["denominator"]
            ]
            name = form.names[code]
        elif whole is not None and whole in of_row:
            wholes = {member.code: row["value"] for member, row in of_row[whole]}
            measured = [
                (member, row["value"], wholes[member.code])
                for member, row in of_row[code]
                if row["value"] is not None and wholes.get(member.code)
            ]
            name = f"{form.names[code]} trên {form.names[whole]}"
        for level in sorted({member.level for member, *_ in measured}):
            yield from _ranked(
                code, name, whole, str(first["direction"]), level, [one for one in measured if one[0].level == level]
            )


def _ranked(
    code: str,
    name: str,
    whole: str | None,
    direction: str,
    level: str,
    measured: Sequence[tuple[Member, Decimal, Decimal]],
) -> Iterable[dict[str, Any]]:
    """Competition ranks (5, 5, 7) by the exact share: a late case that rounding hides is no equal first."""
    values = {member.code: Fraction(numerator) / Fraction(denominator) for member, numerator, denominator in measured}
    for member, numerator, denominator in measured:
        own = values[member.code]
        better = sum(value > own if direction == "up" else value < own for value in values.values())
        yield {
            "indicator_code": code,
            "member_level": level,
            "member_code": member.code,
            "member_name_vi": member.name_vi,
            "name_vi": name,
            "whole_code": whole,
            "direction": direction,
            "numerator": numerator,
            "denominator": denominator,
            "value": percent_of(numerator, denominator),
            "rank": 1 + better,
            "units_ranked": len(measured),
        }

"""What a province's release says, before it takes the look of any file.

Belongs here: the same as ``release_content`` of a unit's. Does not belong here: the figures (``province.rollup``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa

from publication.content.release_content import ReleaseContent, unit_name
from publication.store.candidate import Candidate
from publication.store.parquet import to_parquet

#: What the province's gate found, as a table of its release.
PROVINCE_CHECKS = "province_checks"
#: What people call the levels of members.
LEVELS_VI = {"province": "Tỉnh", "district": "Cấp huyện", "commune": "Cấp xã", "department": "Sở, ngành"}
#: Why a ratio cannot be made again over the province.
NO_PARTS_VI = "không có tử số, mẫu số"
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class ProvinceContent(ReleaseContent):
    """Everything the outputs of a province's release are made from: no form of its own, no decisions, only tables."""

    @property
    def unit_level(self) -> str:
        return "province"

    @property
    def members(self) -> list[dict[str, Any]]:
        """Rows of ``province_members``, units before departments, in order of code."""
        found: list[dict[str, Any]] = self.tables["province_members"].to_pylist()
        return sorted(found, key=by_level)

    @property
    def has_departments(self) -> bool:
        """Whether the province lists departments of its own."""
        return any(member["member_level"] == "department" for member in self.members)

    def covered_vi(self) -> str:
        """How many units and departments the totals are made of: ``103/103 đơn vị, 14/15 sở, ngành``."""
        there, all_of = (
            Counter(m["member_level"] == "department" for m in self.members if m["state"] in states)
            for states in (("published", "delivered"), ("published", "delivered", "missing"))
        )
        return coverage_vi(there[False], all_of[False], there[True], all_of[True])

    @property
    def compared(self) -> list[dict[str, Any]]:
        """Rows of ``province_indicators`` of which several sources tell something to compare: those that a portal shows
        too, once a portal with its name and figure (``portal_vi``, ``portals_differ``), and those whose declared figure
        is not the computed one. In order of the form, of units and of portals.
        """
        shown: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for figure in self.tables["province_portal"].to_pylist():
            shown[figure["indicator_code"], figure["member_code"]].append(figure)
        rows: list[dict[str, Any]] = []
        for row in self.tables["province_indicators"].to_pylist():
            figures = shown[row["indicator_code"], row["member_code"]]
            apart = len({figure["value"] for figure in figures}) > 1
            rows += [
                row
                | {"portal_value": figure["value"], "portal_taken_on": figure["taken_on"], "portals_differ": apart}
                | {name: figure[name] for name in ("portal_vi", "portal_minus_computed", "portal_minus_declared")}
                for figure in figures
            ]
            if not figures and row["declared_minus_computed"]:
                rows.append(row | {"portal_vi": None, "portals_differ": False})
        return rows

    @property
    def provisional_vi(self) -> tuple[str, ...]:
        """Units and departments that are missing, and those whose own figures are provisional; empty: final figures."""
        named = [(f"{member['member_name_vi']} ({member['member_code']})", member) for member in self.members]
        missing = [f"{name}: {member['why_vi']}" for name, member in named if member["state"] == "missing"]
        waiting = [f"{name}: số liệu tạm thời" for name, member in named if member["provisional"]]
        return (*missing, *waiting)


def by_level(row: Mapping[str, Any]) -> tuple[bool, str]:
    """By which rows of units come before those of departments, each in order of code."""
    return row["member_level"] == "department", row["member_code"]


def coverage_vi(units: int, units_expected: int, departments: int, departments_expected: int) -> str:
    """``103/103 đơn vị, 14/15 sở, ngành``; of a province that lists no departments the units alone."""
    of_departments = f", {departments}/{departments_expected} sở, ngành" if departments_expected else ""
    return f"{units}/{units_expected} đơn vị{of_departments}"


def is_counted(total: Mapping[str, Any]) -> bool:
    """Whether it is told of a row of ``province_totals`` how many units have a figure: where these make a total, and of
    a ratio without parts, of which nothing but the figures of the units can be told.
    """
    return bool(total["aggregate"] != "none" or total["kind"] == "ratio")


def differs(row: Mapping[str, Any]) -> bool:
    """Whether two of the figures that a row of ``ProvinceContent.compared`` has of one fact are not the same."""
    names = ("declared_minus_computed", "portal_minus_computed", "portal_minus_declared", "portals_differ")
    return any(row[name] for name in names)


def percent(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    """The percentage to two decimals, halves up, exactly; None where there is nothing to divide by."""
    if not denominator:
        return None
    hundredths = (20000 * numerator + denominator) // (2 * denominator)
    return (hundredths * _HUNDREDTH).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def gather_province(
    candidate: Candidate, *, gate_results: Sequence[Mapping[str, Any]], checks: pa.Table
) -> ProvinceContent:
    """The content of the release that a province's candidate becomes; ``checks``: its gate's results as a table."""
    tables = {name: candidate.table(name) for name in candidate.published_marts} | {PROVINCE_CHECKS: checks}
    return ProvinceContent(
        unit_code=candidate.unit_code,
        unit_name_vi=unit_name(tables, candidate.unit_code),
        quarter=candidate.quarter,
        form_version=candidate.form_version,
        tables=tables,
        mart_files={name: candidate.files.get(name) or to_parquet(table) for name, table in tables.items()},
        rows=(),
        footnotes=(),
        decisions=(),
        gate_results=tuple(gate_results),
        inputs=candidate.inputs,
    )

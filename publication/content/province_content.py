"""What a province's release says, before it takes the look of any file.

Belongs here: the same as ``release_content`` of a unit's. Does not belong here: the figures (``province.rollup``).
"""

from __future__ import annotations

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
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class ProvinceContent(ReleaseContent):
    """Everything the outputs of a province's release are made from: no form of its own, no decisions, only tables."""

    @property
    def unit_level(self) -> str:
        return "province"

    @property
    def members(self) -> list[dict[str, Any]]:
        """Rows of ``province_members``, in order of code."""
        found: list[dict[str, Any]] = self.tables["province_members"].to_pylist()
        return found

    @property
    def compared(self) -> list[dict[str, Any]]:
        """Rows of ``province_indicators`` of which several sources tell something to compare: those that a portal shows
        too, and those whose declared figure is not the computed one. In order of the form and of units.
        """
        rows: list[dict[str, Any]] = self.tables["province_indicators"].to_pylist()
        return [row for row in rows if row["portal_value"] is not None or row["declared_minus_computed"]]

    @property
    def provisional_vi(self) -> tuple[str, ...]:
        """Units that are missing, and those whose own figures are provisional; empty: final figures."""
        named = [(f"{member['member_name_vi']} ({member['member_code']})", member) for member in self.members]
        missing = [f"{name}: {member['why_vi']}" for name, member in named if member["release_number"] is None]
        waiting = [f"{name}: số liệu tạm thời" for name, member in named if member["provisional"]]
        return (*missing, *waiting)


def differs(row: Mapping[str, Any]) -> bool:
    """Whether two of the figures that a row of ``province_indicators`` has of one fact are not the same."""
    return any(row[name] for name in ("declared_minus_computed", "portal_minus_computed", "portal_minus_declared"))


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

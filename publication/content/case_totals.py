"""Counts of cases over whole levels, as the summary of a release tells them.

Belongs here: the sums over all units of a level, or over all, that stand beside the form's own figures. Does not
belong here: counts by unit, procedure or cause, which the tables hold as far as they may be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True)
class CaseTotals:
    """``by_decision``: cases late in the register and counted on time by decision, by level of the units; ``open`` and
    ``overdue``: not settled at the end of the reporting window, None where the release does not tell.
    """

    by_decision: Mapping[str, int] = field(default_factory=dict)
    open: int | None = None
    overdue: int | None = None


def case_totals(tables: Mapping[str, pa.Table]) -> CaseTotals:
    """The totals of a release's tables, as they were before small counts were held back."""
    decided: dict[str, int] = {}
    if "counted_on_time_by_decision" in _columns(tables, "case_processing"):
        for row in tables["case_processing"].select(["unit_level", "counted_on_time_by_decision"]).to_pylist():
            decided[row["unit_level"]] = decided.get(row["unit_level"], 0) + row["counted_on_time_by_decision"]
    if "overdue" not in _columns(tables, "case_backlog"):
        return CaseTotals(decided)
    # A district without a case in its registers has no rows; whether it has reported, the form's own rows say.
    known = bool(tables["case_processing"].num_rows)
    open_ = [row for row in tables["case_backlog"].to_pylist() if row["clock"] == "reporting_window"]
    return CaseTotals(
        decided,
        sum(row["cases"] for row in open_) if known else None,
        sum(row["overdue"] for row in open_) if known else None,
    )


def _columns(tables: Mapping[str, pa.Table], mart: str) -> list[str]:
    return tables[mart].column_names if mart in tables else []

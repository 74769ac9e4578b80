"""Counts of cases over whole levels, as the summary of a release tells them.

Belongs here: the sums over all units of a level, or over all, that stand beside the form's own figures. Does not
belong here: counts by unit, procedure or cause, which the tables hold as far as they may be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from common.forms import LEVELS


@dataclass(frozen=True)
class CaseTotals:
    """``by_decision``: cases late in the register and counted on time by decision, by level of the units; ``received``:
    by level and channel; ``open`` and ``overdue``: not settled at the end of the reporting window, by level;
    ``whole``: levels of which every unit expected sent its register, so that a sum of 0 says that there was none.
    ``backlog``: open cases and those overdue, by level and age; ``lateness``: late cases by kind
    and cause. In these two a count is None where it is held back.
    """

    by_decision: Mapping[str, int] = field(default_factory=dict)
    received: Mapping[tuple[str, str], int] = field(default_factory=dict)
    open: Mapping[str, int] = field(default_factory=dict)
    overdue: Mapping[str, int] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    backlog: Mapping[tuple[str, str], tuple[int | None, int | None]] = field(default_factory=dict)
    lateness: Mapping[tuple[str, str], int | None] = field(default_factory=dict)
    causes_vi: Mapping[str, str] = field(default_factory=dict)


def case_totals(tables: Mapping[str, pa.Table]) -> CaseTotals:
    """The totals of a release's tables, as they were before small counts were held back."""
    decided: dict[str, int] = {}
    received: dict[tuple[str, str], int] = {}
    for row in _rows(tables, "case_processing"):
        level, channel = row["unit_level"], row.get("channel") or ""
        decided[level] = decided.get(level, 0) + (row.get("counted_on_time_by_decision") or 0)
        received[level, channel] = received.get((level, channel), 0) + row["received"]
    late: dict[tuple[str, str], int | None] = {}
    causes: dict[str, str] = {}
    for row in _rows(tables, "case_lateness"):
        if row["clock"] == "reporting_window":
            key = row["lateness"], row["cause_code"]
            late[key] = (late.get(key) or 0) + row["cases"]
            causes[row["cause_code"]] = row["cause_vi"]
    backlog: dict[tuple[str, str], tuple[int | None, int | None]] = {}
    whole = {
        level
        for row in _rows(tables, "measure_values")
        for level in LEVELS
        if row["measure"] == f"{level}_cases_received" and 0 < row["units_expected"] == row["units_counted"]
    }
    # Without a row in the backlog none of the cases of a register was left open.
    open_: dict[str, int] = dict.fromkeys({*decided, *whole}, 0) if "case_backlog" in tables else {}
    overdue = dict(open_)
    for row in _rows(tables, "case_backlog"):
        if row["clock"] == "reporting_window":
            level = row["unit_level"]
            place = level, row["age_band"]
            cases, after = backlog.get(place, (0, 0))
            backlog[place] = (cases or 0) + row["cases"], (after or 0) + row["overdue"]
            open_[level] = open_.get(level, 0) + row["cases"]
            overdue[level] = overdue.get(level, 0) + row["overdue"]
    return CaseTotals(decided, received, open_, overdue, frozenset(whole), backlog, late, causes)


def _rows(tables: Mapping[str, pa.Table], mart: str) -> list[dict[str, Any]]:
    """A release of a program that did not yet have the mart has no such rows."""
    return tables[mart].to_pylist() if mart in tables else []

"""Register of the district's departments, public service units and communes.

Belongs here: canonical rows of ``org_units``.
Does not belong here: the units' names and codes (``districts``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sample.districts import DEPARTMENTS, District
from sample.quarters import QuarterPlan

_FOUNDED = dt.date(2016, 7, 1)
# Units that earn part of their regular spending (group 3), by position from the end; all others are paid for (group 4).
_GROUP_3_FROM_END = (1, 3)


def org_unit_rows(district: District, plan: QuarterPlan) -> list[dict[str, Any]]:
    """One row a unit. The real quarter classifies one unit only (group 2) and leaves thirty groups blank."""
    rows = [
        _row(district.code, district.committee, f"{district.name}", "district", None),
        *(
            _row(district.department_code(position), name, short, "department", district.code)
            for position, (name, short) in enumerate(DEPARTMENTS)
        ),
    ]
    units = district.service_units()
    for position, (code, name) in enumerate(units):
        row = _row(code, name, _short(name), "public_service_unit", district.code)
        row["applies_autonomy"] = True
        if plan.complete:
            row["autonomy_group"] = 3 if len(units) - position in _GROUP_3_FROM_END else 4
        elif code == district.project_board:
            row["autonomy_group"] = 2
        rows.append(row)
    rows += [
        _row(commune.code, commune.committee, commune.name, "commune", district.code) for commune in district.communes
    ]
    return rows


#: Kinds of units whose posts the report declares in sum, by the row of the form.
_TOTALS = {"department": 86, "public_service_unit": 92}


def assign_posts(units: list[dict[str, Any]], staff: Iterable[Mapping[str, Any]], plan: QuarterPlan) -> None:
    """Writes to each department, service unit and commune the posts assigned to it: as many as are filled, and of those
    that the report says are free one after the other in turn. The district's leaders hold none.
    """
    filled = Counter(
        person["unit"] for person in staff if person["left_on"] is None and person["category"] != "contract"
    )
    for kind in ("department", "public_service_unit", "commune"):
        of_kind = [unit for unit in units if unit["unit_type"] == kind]
        taken = sum(filled[unit["unit_code"]] for unit in of_kind)
        free = max(int(plan.declared.get(_TOTALS.get(kind, 0), taken)) - taken, 0)
        for place, unit in enumerate(of_kind):
            share = free // len(of_kind) + (place < free % len(of_kind))
            unit["assigned_posts"] = filled[unit["unit_code"]] + share


def _row(code: str, name: str, short_names: str | None, unit_type: str, parent: str | None) -> dict[str, Any]:
    return {
        "unit_code": code,
        "name": name,
        "short_names": short_names,
        "unit_type": unit_type,
        "parent_code": parent,
        "autonomy_group": None,
        "applies_autonomy": None,
        "assigned_posts": None,
        "valid_from": _FOUNDED,
        "valid_to": None,
    }


def _short(name: str) -> str | None:
    for long, short in (
        ("Trường Mẫu giáo", "MG"),
        ("Trường Mầm non", "MN"),
        ("Trường Tiểu học", "TH"),
        ("Trường Trung học cơ sở", "THCS"),
    ):
        if name.startswith(long):
            return name.replace(long, short)
    return None

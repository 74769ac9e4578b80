"""Register of the district's departments, public service units and communes.

Belongs here: canonical rows of ``org_units``.
Does not belong here: the units' names and codes (``districts``).
"""

from __future__ import annotations

import datetime as dt
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


def _row(code: str, name: str, short_names: str | None, unit_type: str, parent: str | None) -> dict[str, Any]:
    return {
        "unit_code": code,
        "name": name,
        "short_names": short_names,
        "unit_type": unit_type,
        "parent_code": parent,
        "autonomy_group": None,
        "applies_autonomy": None,
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

"""Roles of administrative units in reporting, read from the table that dbt reads too.

Belongs here: which role units of a level have on a day, and the office that their report goes to. Does not belong here:
the register of units and who is above whom (``ingestion.base.reference``), or which level a published row is of: that
is a statistical word (``district``, ``commune``) and never says who delivers.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

ROLES_FILE = Path(__file__).resolve().parents[1] / "dbt_project" / "seeds" / "unit_roles.csv"

Role = Literal["reporting_unit", "part", "superior"]
#: The unit whose report it is, which delivers every source of it; one that delivers its part through that unit; and the
#: one above, whose report is rolled up from theirs: it delivers what none of them has.
REPORTING_UNIT: Role = "reporting_unit"
PART: Role = "part"
SUPERIOR: Role = "superior"


@dataclass(frozen=True, slots=True)
class UnitRole:
    """The role of the units of a level in one stretch of time; ``reports_to_vi`` is the office above."""

    level: str
    role: Role
    reports_to_vi: str
    valid_from: dt.date | None
    valid_to: dt.date | None

    def holds_on(self, day: dt.date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@lru_cache(maxsize=2)
def load_roles(path: Path = ROLES_FILE) -> tuple[UnitRole, ...]:
    """The table of roles. Raises ``OSError`` where it cannot be read, ``ValueError`` where a role is none or a level
    has two on one day.
    """
    with path.open(encoding="utf-8-sig", newline="") as handle:
        roles = tuple(_of_row(row, path) for row in csv.DictReader(handle))
    for one in roles:
        for other in roles:
            shared = one is not other and one.level == other.level and _share_a_day(one, other)
            if shared:
                raise ValueError(f"{path}: units of level {one.level} have two roles on one day")
    return roles


def role_on(level: str, day: dt.date, roles: Iterable[UnitRole] | None = None) -> UnitRole:
    """The role of the units of a level on a day. Raises ``LookupError`` where the table says none."""
    for one in load_roles() if roles is None else roles:
        if one.level == level and one.holds_on(day):
            return one
    raise LookupError(f"units of level {level} have no role on {day}")


def _of_row(row: dict[str, str], path: Path) -> UnitRole:
    role = next((known for known in get_args(Role) if known == row["role"]), None)
    if role is None:
        raise ValueError(f"{path}: no role: {row['role']!r}")
    begin, end = (dt.date.fromisoformat(row[name]) if row[name] else None for name in ("valid_from", "valid_to"))
    return UnitRole(row["level"], role, row["reports_to_vi"], begin, end)


def _share_a_day(one: UnitRole, other: UnitRole) -> bool:
    begins = [role.valid_from or dt.date.min for role in (one, other)]
    ends = [role.valid_to or dt.date.max for role in (one, other)]
    return max(begins) <= min(ends)

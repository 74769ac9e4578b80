"""Units of a release under those of today: as-was is the release, as-is is where its figures stand now.

Belongs here: words and sums that a reader is shown. Does not belong here: what became of a unit (``common.units``).
"Today" is the last change that the register knows, so nothing here depends on the day on the clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from common.units import AdminUnit, AsIs, UnitRegister


@dataclass(frozen=True)
class UnitToday:
    """A unit of a release and where it is now; ``now_vi`` is blank where something forbids it (``note_vi``)."""

    code: str
    name_vi: str
    code_as_is: str
    now_vi: str
    note_vi: str


def unit_today(register: UnitRegister, code: str, then: dt.date) -> UnitToday | None:
    """Where a unit of a past day is now; None where the register does not know it."""
    try:
        as_is = register.under_units_of(code, then)
    except LookupError:
        return None
    now = as_is.now
    return UnitToday(code, as_is.unit.name, now.code if now else "", _named(now) if now else "", _note(as_is))


def changed_units(register: UnitRegister, codes: Iterable[str], then: dt.date) -> list[UnitToday]:
    """Those of the units that are no longer what they were, in the order given."""
    found = []
    for code in codes:
        unit = register.unit(code, then)
        if unit is not None and not unit.valid_on(max(register.last_change, then)):
            today = unit_today(register, code, then)
            assert today is not None
            found.append(today)
    return found


def _named(unit: AdminUnit) -> str:
    return f"{unit.name} ({unit.code})"


def _note(as_is: AsIs) -> str:
    if as_is.now is None:
        return "không chuyển được: " + "; ".join(obstacle.message_vi for obstacle in as_is.forbidden_by)
    if as_is.incomplete_by:
        obstacles = "; ".join(obstacle.message_vi for obstacle in as_is.incomplete_by)
        return f"là một phần; không cộng được số cũ của {as_is.now.name}: {obstacles}"
    if as_is.beside:
        return f"cộng cùng {', '.join(unit.name for unit in as_is.beside)}"
    return "" if as_is.is_unchanged else "toàn bộ"


def part_as_is(register: UnitRegister, then: dt.date, amounts: Sequence[tuple[str, Decimal]]) -> list[dict[str, Any]]:
    """What a part of a figure is made of, by unit of today: what each unit of the day (code, amount) added, summed.

    One entry a unit of today, in order of code, then one for each unit that cannot be moved; ``from`` names the units
    of the day with what each added. All amounts together are those given: nothing is lost or told twice.
    """
    groups: dict[str, dict[str, Any]] = {}
    by_unit: dict[str, Decimal] = {}
    for code, amount in amounts:
        by_unit[code] = by_unit.get(code, Decimal(0)) + amount
    for code, amount in sorted(by_unit.items()):
        today = unit_today(register, code, then)
        key = f"0{today.code_as_is}" if today and today.code_as_is else f"1{code}"
        group = groups.setdefault(
            key,
            {
                "unit_code_as_is": today.code_as_is if today and today.code_as_is else None,
                "name_as_is_vi": today.now_vi if today and today.now_vi else None,
                "amount": Decimal(0),
                "from": [],
                "forbidden_by_vi": None if today and today.code_as_is else (today.note_vi if today else _UNKNOWN_VI),
            },
        )
        group["amount"] += amount
        group["from"].append({"unit_code": code, "name_vi": today.name_vi if today else code, "amount": str(amount)})
    return [{**group, "amount": str(group["amount"])} for _, group in sorted(groups.items())]


_UNKNOWN_VI = "không chuyển được: danh mục đơn vị hành chính không có đơn vị này"


def passport_as_is(
    register: UnitRegister, unit: str, then: dt.date, passport: Mapping[str, Any], files: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A figure's passport under the units of today: the reporting unit, and each part by who delivered its rows.

    ``passport`` and ``files`` as in ``quality/passports.json``. Rows whose file the release does not name stay apart
    (``unnamed``).
    """
    today = unit_today(register, unit, then)
    parts = []
    for part in passport["parts"]:
        named = [(files[e["file"]]["unit_code"], Decimal(e["amount"])) for e in part["files"] if e["file"] is not None]
        unnamed = sum((Decimal(e["amount"]) for e in part["files"] if e["file"] is None), Decimal(0))
        parts.append(
            {
                "role": part["role"],
                "label_vi": part["label_vi"],
                "units": part_as_is(register, then, named),
                # A unit of today lacks what stands there, whoever of its units it is of.
                "unnamed": str(unnamed) if unnamed else None,
            }
        )
    return {
        "basis": "as-is",
        "as_of": register.last_change.isoformat(),
        "unit_code": unit,
        "unit_code_as_is": today.code_as_is or None if today else None,
        "name_as_is_vi": today.now_vi or None if today else None,
        "note_vi": today.note_vi if today else _UNKNOWN_VI,
        "parts": parts,
    }

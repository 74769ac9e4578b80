"""Procedure catalogue of the sample: invented dates and attributes over real-sounding procedures.

Belongs here: the procedures, when each comes into force and ends, and their rows as of a quarter's closing.
Does not belong here: cases.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sample import workdays
from sample.quarters import QuarterPlan

_NAMES = Path(__file__).with_name("procedures.csv")

# How many procedures come and go in each quarter, by scope (district only, commune only); both-level ones never do.
_ADDED = {"2022-Q4": (4, 2), "2023-Q1": (11, 4), "2023-Q2": (6, 2)}
_ENDED = {"2022-Q4": (3, 1), "2023-Q1": (12, 3), "2023-Q2": (3, 2)}
_PUBLISHED_ON = {"2022-Q4": dt.date(2022, 10, 27), "2023-Q1": dt.date(2023, 1, 12), "2023-Q2": dt.date(2023, 5, 4)}

# Counted among the procedures in force on 2023-03-14.
_COMMUNE_ELECTRONIC, _DISTRICT_ELECTRONIC = 54, 118
_CROSS_LEVEL = 31
_LEVEL_3, _LEVEL_4 = 41, 237
_LEVEL_3_OFFERED, _LEVEL_3_ON_PORTAL = 29, 14
_DISTRICT_POSTAL, _COMMUNE_POSTAL = 10, 2
_ENDED_ONLINE = 6
_FEE, _ONLINE_PAYMENT = 96, 61


@dataclass
class Procedure:
    """One procedure with everything that ever happens to it in the sample's quarters."""

    code: str
    name: str
    field: str
    scope: str
    time_limit: str
    valid_from: dt.date
    ended_on: dt.date | None = None
    interlinked: str = "none"
    electronic: bool = False
    eligible_level: str = "none"
    offered_level: str = "none"
    on_portal: bool = False
    has_fee: bool = False
    online_payment: bool = False
    postal: bool = False
    reviewed_on: list[dt.date] = dataclasses.field(default_factory=list)
    shortened: tuple[dt.date, str] | None = None
    components_reduced_on: dt.date | None = None

    @property
    def at_district(self) -> bool:
        return self.scope in ("district", "both")

    @property
    def at_commune(self) -> bool:
        return self.scope in ("commune", "both")

    @property
    def limit_days(self) -> int:
        """Time limit in working days; 0 where the result is due on the day of receipt."""
        head = self.time_limit.split()[0]
        return int(head) if head.isdigit() else 0


def _read_names() -> list[Procedure]:
    with _NAMES.open(encoding="utf-8", newline="") as handle:
        return [
            Procedure(
                code=row["procedure_code"],
                name=row["procedure_name"],
                field=row["field"],
                scope=row["scope"],
                time_limit=row["time_limit"],
                valid_from=dt.date.min,
            )
            for row in csv.DictReader(handle)
        ]


@cache
def procedures(seed: int) -> tuple[Procedure, ...]:
    """All procedures of the sample, in catalogue order; the same for both districts, as the province announces them."""
    rng = random.Random(f"procedures-{seed}")
    catalogue = _read_names()
    steady = _set_dates(rng, catalogue)
    _set_attributes(rng, catalogue, steady)
    _set_reviews(rng, steady)
    return tuple(catalogue)


def everyday(seed: int) -> list[Procedure]:
    """Procedures in force throughout the sample: those that cases are made of."""
    return [p for p in procedures(seed) if p.ended_on is None and p.valid_from < dt.date(2022, 9, 1)]


def _set_dates(rng: random.Random, catalogue: list[Procedure]) -> list[Procedure]:
    """Sets when each procedure begins and ends; returns those that neither begin nor end in the sample's quarters."""
    announced = workdays.between(dt.date(2018, 3, 1), dt.date(2022, 6, 30))
    for procedure in catalogue:
        procedure.valid_from = rng.choice(announced)
    # Procedures with a well-known code are the busy ones: they stay.
    pools = {
        scope: rng.sample([p for p in catalogue if p.scope == scope and p.code not in _BUSY], k=60)
        for scope in ("district", "commune")
    }
    changing: set[str] = set()
    for quarter, published_on in _PUBLISHED_ON.items():
        for scope, added, ended in zip(("district", "commune"), _ADDED[quarter], _ENDED[quarter], strict=True):
            for _ in range(added):
                procedure = pools[scope].pop()
                procedure.valid_from = published_on
                changing.add(procedure.code)
            for _ in range(ended):
                procedure = pools[scope].pop()
                procedure.ended_on = published_on
                changing.add(procedure.code)
    return [p for p in catalogue if p.code not in changing]


def _set_attributes(rng: random.Random, catalogue: list[Procedure], steady: list[Procedure]) -> None:
    commune_only = [p for p in steady if p.scope == "commune"]
    district_only = [p for p in steady if p.scope == "district"]
    for procedure in rng.sample([p for p in steady if p.at_commune], k=_COMMUNE_ELECTRONIC):
        procedure.electronic = True
    for procedure in rng.sample(district_only, k=_DISTRICT_ELECTRONIC):
        procedure.electronic = True

    linked = rng.sample(steady, k=_CROSS_LEVEL + 1)
    linked[0].interlinked = "same_level"
    for procedure in linked[1:]:
        procedure.interlinked = "cross_level"

    busy = [p for p in steady if p.code in _BUSY]
    others = rng.sample([p for p in steady if p.code not in _BUSY], k=_LEVEL_3 + _LEVEL_4 - len(busy))
    for procedure in [*busy, *others[_LEVEL_3:]]:
        procedure.eligible_level = procedure.offered_level = "level_4"
        procedure.on_portal = True
    for position, procedure in enumerate(others[:_LEVEL_3]):
        procedure.eligible_level = "level_3"
        procedure.offered_level = "level_3" if position < _LEVEL_3_OFFERED else "none"
        procedure.on_portal = position < _LEVEL_3_ON_PORTAL
    ended = [p for p in catalogue if p.ended_on == _PUBLISHED_ON["2023-Q1"]]
    for procedure in ended[:_ENDED_ONLINE]:
        procedure.eligible_level = procedure.offered_level = "level_4"
        procedure.on_portal = procedure.electronic = True

    fee = rng.sample(steady, k=_FEE)
    for position, procedure in enumerate(fee):
        procedure.has_fee = True
        procedure.online_payment = position < _ONLINE_PAYMENT

    for pool, count in ((district_only, _DISTRICT_POSTAL), (commune_only, _COMMUNE_POSTAL)):
        chosen = [p for p in pool if p.code in _BUSY][:count]
        chosen += rng.sample([p for p in pool if p.code not in _BUSY], k=count - len(chosen))
        for procedure in chosen:
            procedure.postal = True


def _set_reviews(rng: random.Random, steady: list[Procedure]) -> None:
    """Reviews of 2022 (twelve: five shortened, two with fewer papers) and of 2023-Q2 (nine: three and one)."""
    shortenable = [p for p in steady if p.limit_days >= 10]
    for year, reviewed_on, count, shortened, reduced in (
        (2022, dt.date(2022, 7, 21), 12, 5, 2),
        (2023, dt.date(2023, 5, 18), 9, 3, 1),
    ):
        chosen = rng.sample([p for p in shortenable if not p.reviewed_on], k=count)
        for procedure in chosen:
            procedure.reviewed_on.append(reviewed_on)
        decided_on = dt.date(year, reviewed_on.month + 1, 6)
        for procedure in chosen[:shortened]:
            procedure.shortened = (decided_on, f"{procedure.limit_days - 3:02d} ngày làm việc")
        for procedure in chosen[shortened : shortened + reduced]:
            procedure.components_reduced_on = decided_on


def catalogue_rows(seed: int, plan: QuarterPlan) -> list[dict[str, Any]]:
    """Rows of ``procedure_catalogue`` as of the quarter's closing: all procedures announced so far, ended ones too."""
    closing = plan.window.closes_on
    return [_row(p, closing, plan.complete) for p in procedures(seed) if p.valid_from <= closing]


def _row(procedure: Procedure, closing: dt.date, complete: bool) -> dict[str, Any]:
    shortened = procedure.shortened if procedure.shortened and procedure.shortened[0] <= closing else None
    ended = procedure.ended_on is not None and procedure.ended_on <= closing
    # The real quarter says nothing of the level offered for level 3, nor of fees.
    offered = procedure.offered_level if complete or procedure.eligible_level != "level_3" else None
    return {
        "procedure_code": procedure.code,
        "procedure_name": procedure.name,
        "field": procedure.field,
        "applies_district": procedure.at_district,
        "applies_commune": procedure.at_commune,
        "valid_from": procedure.valid_from,
        "ended_on": procedure.ended_on if ended else None,
        "interlinked": procedure.interlinked,
        "internal_process_electronic": procedure.electronic,
        "time_limit": procedure.time_limit,
        "shortened_time_limit": shortened[1] if shortened else None,
        "shortened_on": shortened[0] if shortened else None,
        "components_reduced_on": _past(procedure.components_reduced_on, closing),
        "online_eligible_level": procedure.eligible_level,
        "online_offered_level": offered,
        "on_national_portal": procedure.on_portal,
        "has_fee": procedure.has_fee if complete else None,
        "online_payment": procedure.online_payment if complete else None,
        "postal_service": procedure.postal,
        "reviewed_on": max((day for day in procedure.reviewed_on if day <= closing), default=None),
    }


def _past(day: dt.date | None, closing: dt.date) -> dt.date | None:
    return day if day is not None and day <= closing else None


_BUSY = frozenset({
    "2.000815", "2.000884", "2.000635", "1.001193", "1.004873", "1.000894", "1.000656", "2.000986", "1.001699",
    "1.001612", "2.000720", "1.001266", "1.001776", "1.001731",
})  # fmt: skip

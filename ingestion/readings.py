"""What comes of reading one cell: a value, or a remark that a clerk can act on.

Belongs here: the types shared by the parsers, the resolvers and the intake. Does not belong here: how anything is read.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, TypeAlias

Cell: TypeAlias = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | None


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a cell or row was rejected or remarked on: a stable code, and Vietnamese for people."""

    code: str
    reason_vi: str
    advice_vi: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One cell read. With a ``rejection`` there is no value; a ``finding`` stands beside an accepted value."""

    value: Any = None
    rejection: Remark | None = None
    finding: Remark | None = None


BLANK = Reading()


def rejected(code: str, reason_vi: str, advice_vi: str) -> Reading:
    return Reading(rejection=Remark(code, reason_vi, advice_vi))

"""What comes of reading one cell: a value, or a remark that a clerk can act on.

Belongs here: the types shared by the parsers, the resolvers and the intake. Does not belong here: how anything is read.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, TypeAlias

Cell: TypeAlias = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | None


class ShownNumber(float):
    """A number of which a sheet shows more than its digits: ``00042``, ``CB-042``. In a column of numbers it is the
    number, in one of texts or codes what is shown.
    """

    __slots__ = ("shown",)
    shown: str

    def __new__(cls, value: float, shown: str) -> ShownNumber:
        number = super().__new__(cls, value)
        number.shown = shown
        return number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShownNumber) and float(self) == float(other) and self.shown == other.shown

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((float(self), self.shown))


class MixedText(str):
    """A text with digits of which the file strikes out, raises or hides a part: in a column of texts a text as any, in
    one of numbers, days or codes no value.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a cell or row was rejected or remarked on: a stable code, and Vietnamese for people."""

    code: str
    reason_vi: str
    advice_vi: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A row that is no data: its row number, what it is and why (``REASONS`` in ``furniture``)."""

    row_number: int
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One cell read. With a ``rejection`` there is no value; a ``finding`` stands beside an accepted value."""

    value: Any = None
    rejection: Remark | None = None
    finding: Remark | None = None


BLANK = Reading()


def rejected(code: str, reason_vi: str, advice_vi: str) -> Reading:
    return Reading(rejection=Remark(code, reason_vi, advice_vi))

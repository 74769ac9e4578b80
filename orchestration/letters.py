"""Settings of each office's letter: number, day, signer.

Belongs here: what may be set, and what of it holds for a unit and period. Does not belong here: where settings are read
from (``settings``), how a letter prints them (``publication``).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from publication import Signing


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PeriodLetter(_Declared):
    """Of one period's letter; a signer here stands for the unit's."""

    number: str = Field(default="", pattern=r"^(\d{1,5})?$")
    dated: dt.date | None = None
    signer: str | None = Field(default=None, max_length=60)
    deputy: bool | None = None


class UnitLetters(_Declared):
    """Of all letters of a unit, and of single periods by their key (``2023-Q1``). What is not set is left blank."""

    signer: str = Field(default="", max_length=60)
    deputy: bool = False
    periods: dict[str, PeriodLetter] = Field(default_factory=dict)

    def signing(self, quarter: str) -> Signing:
        """What holds for one period."""
        from publication import Signing  # which most commands do without

        own = self.periods.get(quarter, PeriodLetter())
        return Signing(
            number=own.number,
            dated=own.dated,
            signer=self.signer if own.signer is None else own.signer,
            deputy=self.deputy if own.deputy is None else own.deputy,
        )

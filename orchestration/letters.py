"""Settings of each office's letter: number, day, signer.

Belongs here: what may be set, and what of it holds for a unit and period. Does not belong here: where settings are read
from (``settings``), how a letter prints them (``publication``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from publication import Signing


def printed_setting(text: str, *, allowed: Collection[str] = ()) -> str:
    """The text of a setting that documents print. Raises ``ValueError`` where it must not be published."""
    from expectations import published_text  # which most commands do without

    return published_text(text, "thiết đặt", allowed=allowed) if text else text


def _signer(text: str | None) -> str | None:
    return printed_setting(text, allowed=("person_name",)) if text else text


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PeriodLetter(_Declared):
    """Of one period's letter; a signer here stands for the unit's."""

    number: str = Field(default="", pattern=r"^(\d{1,5})?$")
    dated: dt.date | None = None
    signer: Annotated[str | None, AfterValidator(_signer)] = Field(default=None, max_length=60)
    deputy: bool | None = None


class UnitLetters(_Declared):
    """Of all letters of a unit, and of single periods by their key (``2023-Q1``). What is not set is left blank."""

    signer: Annotated[str, AfterValidator(_signer)] = Field(default="", max_length=60)
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

"""Every commune that reports by itself, with invented volumes, and the province above them: what the sample writes of a
whole province after the reform of 1 July 2025.

Belongs here: finding a province's communes in the register, their plans, and what a portal is made to show for them.
Does not belong here: the described communes and how a commune's rows are made (``communes``), districts (``places``).
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from functools import cache

from sample.communes import COMMUNE_WINDOWS, Row, StandingCommune, commune_named, headline_counts, shown_cases
from sample.places import register

#: Of so many communes the portal shows nothing for one; of so many of its figures one is not the commune's own.
_UNNAMED_EACH, _OTHER_EACH = 17, 9
_PORTAL = "Cổng Dịch vụ công quốc gia"
PORTAL_FILE = ("portal_figures", "so-lieu-tren-cong.xlsx")


@dataclass(frozen=True)
class StandingProvince:
    """A province that delivers what its communes have not: code and name."""

    code: str
    name: str

    @property
    def committee(self) -> str:
        return f"UBND {self.name[0].lower()}{self.name[1:]}"

    @property
    def seat(self) -> str:
        return self.name.removeprefix("Thành phố ").removeprefix("Tỉnh ")

    def unit_name(self, code: str, style: str) -> str:
        """How one of its communes is written; ``style`` as a layout has it."""
        commune = commune_named(code)
        return commune.committee if style == "committee" else commune.name


def communes_of(province: str, quarter: str) -> list[StandingCommune]:
    """The communes that report to a province on the quarter's closing day, in order of code. Raises ``KeyError``."""
    day = COMMUNE_WINDOWS[quarter].closes_on
    found = [u.code for u in register() if u.parent_code == province and u.level == "commune" and u.valid_on(day)]
    if not found:
        raise KeyError(province)
    return [commune_named(code) for code in sorted(found)]


@cache
def province_named(code: str) -> StandingProvince:
    """The province of a code after the reform. Raises ``KeyError`` where there is none."""
    day = next(iter(COMMUNE_WINDOWS.values())).closes_on
    for unit in register():
        if unit.code == code and unit.level == "province" and unit.valid_on(day):
            return StandingProvince(code, unit.name)
    raise KeyError(code)


def portal_rows(province: str, quarter: str, seed: int) -> list[Row]:
    """What the portal shows of the communes' cases, as the province copied it two days after the closing: mostly their
    own figures; some of another, as systems that are fed late do; of a few communes nothing.
    """
    window, rng = COMMUNE_WINDOWS[quarter], random.Random(f"portal-{province}-{quarter}-{seed}")
    rows: list[Row] = []
    for commune in communes_of(province, quarter):
        counts = headline_counts(shown_cases(commune, quarter, seed), window)
        if rng.randrange(_UNNAMED_EACH) == 0:
            continue
        for indicator, count in counts.items():
            behind = rng.randint(1, 9) if rng.randrange(_OTHER_EACH) == 0 else 0
            rows.append(
                {
                    "unit": commune.code,
                    "indicator_code": indicator,
                    "value": max(0, count - behind),
                    "taken_on": window.closes_on + dt.timedelta(days=2),
                    "portal": _PORTAL,
                }
            )
    return rows

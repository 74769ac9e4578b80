"""What an office sets of its letter: number, day, and who signs.

Belongs here: these facts as plain objects, blank where the office writes them by hand. Does not belong here: where they
are set (``orchestration.settings``), the words around them (``letter``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Signing:
    """Number without symbol (``85``), day, name of the signer, and whether a deputy signs for the chairman."""

    number: str = ""
    dated: dt.date | None = None
    signer: str = ""
    deputy: bool = False

    def to_json(self) -> dict[str, Any]:
        """What is set, for the manifest; nothing where all is left blank."""
        told = {
            "number": self.number,
            "dated": self.dated.isoformat() if self.dated else None,
            "signer": self.signer,
            "deputy": self.deputy,
        }
        return {name: value for name, value in told.items() if value}


UNSIGNED = Signing()


def day_in_words(day: dt.date) -> str:
    """``ngày 06 tháng 02 năm 2023``: Decree 30/2020/NĐ-CP puts a 0 before days below 10 and months 1 and 2."""
    month = f"{day.month:02d}" if day.month < 3 else str(day.month)
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"

"""The register of portal codes: which unit an agency's code meant on a day, inside case codes and beside cases.

Belongs here: reading ``portal_codes.csv``; one spelling for a code; the unit of a code on a day; the proof that the
table agrees with itself and with the register of units. Does not belong here: the units (``common.units``), whole case
codes (``ingestion.rows.values``; in SQL ``canonical_case_code``), what a unit of another code means for a row.

A code names agencies from the province or ministry down (``H51.32.23``); circular 01/2018/TT-VPCP, article 19, writes
it from below (``000.23.32.H51``). A code that is not in the table is that of the nearest agency above it that is: an
office of a unit has a number of its own below the unit's. Codes are given anew when units change, so a code alone
names nobody; a code and a day do.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from common.units import AdminUnit, RegisterFault, UnitRegister, read_rows
from common.validity import holds_on, read_day, span_vi

TABLE = "portal_codes.csv"
_FROM_BELOW = re.compile(r"(\d{3})\.(\d{2})\.(\d{2})\.([A-Z]\d{2})", re.ASCII)
_FROM_ABOVE = re.compile(r"([A-Z]\d{2})((?:\.\d{1,3}){0,3})", re.ASCII)
_DAY = dt.timedelta(days=1)


def agency_code(text: str) -> str | None:
    """The one spelling of an agency's code: from above, numbers without leading noughts, levels that are nought left
    out. None where the text is no such code.
    """
    text = text.upper()
    if match := _FROM_BELOW.fullmatch(text):
        fourth, third, second, first = match.groups()
        return _joined(first, [second, third, fourth])
    if match := _FROM_ABOVE.fullmatch(text):
        return _joined(match[1], match[2].split(".")[1:])
    return None


def _joined(first: str, numbers: Sequence[str]) -> str:
    return ".".join([first, *(number.lstrip("0") for number in numbers)]).rstrip(".")


@dataclass(frozen=True, slots=True)
class PortalCode:
    """An agency's code in one stretch of its validity, and the unit that it means then; ``basis_vi``: how it is known,
    or that it is invented.
    """

    code: str
    unit_code: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    basis_vi: str

    def valid_on(self, day: dt.date) -> bool:
        return holds_on(day, self.valid_from, self.valid_to)

    @property
    def label_vi(self) -> str:
        """``H51.32 (đến hết 30/06/2025)``."""
        shown = ", ".join(span_vi(self.valid_from, self.valid_to))
        return f"{self.code} ({shown})" if shown else self.code


@dataclass(frozen=True)
class PortalCodes:
    """The table. ``load`` raises ``OSError``, ``KeyError`` (a missing column) or ``ValueError`` (a bad date or row)."""

    codes: tuple[PortalCode, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> PortalCodes:
        return cls(
            read_rows(
                folder / TABLE,
                lambda row: PortalCode(
                    row["agency_code"],
                    row["unit_code"],
                    read_day(row["valid_from"]),
                    read_day(row["valid_to"]),
                    row["basis_vi"],
                ),
            )
        )

    @cached_property
    def _by_code(self) -> dict[str, list[PortalCode]]:
        found: dict[str, list[PortalCode]] = defaultdict(list)
        for code in self.codes:
            found[code.code].append(code)
        return found

    def unit_code(self, code: str, day: dt.date) -> str | None:
        """The unit that a code in its one spelling means on a day: its own entry, else that of the nearest agency above
        it. None where none of them is in the table for the day.
        """
        while code:
            for entry in self._by_code.get(code, ()):
                if entry.valid_on(day):
                    return entry.unit_code
            code = code.rpartition(".")[0]
        return None

    def of_units(self, codes: Sequence[str], day: dt.date) -> dict[str, str]:
        """The codes that mean one of the units on a day, each with its unit."""
        wanted = frozenset(codes)
        return {c.code: c.unit_code for c in self.codes if c.unit_code in wanted and c.valid_on(day)}

    def check(self, register: UnitRegister) -> list[RegisterFault]:
        """Everything in which the table contradicts itself or the register of units.

        A code is written in its one spelling, ends after it begins, means one unit on a day, says how it is known, and
        means a unit that is in being all the while: two units that bore a code one after the other are two entries.
        """
        return [*self._entries(register), *self._overlaps()]

    def _entries(self, register: UnitRegister) -> Iterator[RegisterFault]:
        for entry in self.codes:
            if agency_code(entry.code) != entry.code:
                written = agency_code(entry.code)
                yield _fault(
                    entry,
                    f"ghi mã từ cấp trên xuống, bỏ số 0 đứng trước: {written}"
                    if written
                    else "không phải mã cơ quan trên cổng, ví dụ H51.32",
                )
            if not entry.basis_vi.strip():
                yield _fault(entry, "thiếu căn cứ; ghi mã này biết từ đâu")
            first, last = entry.valid_from or dt.date.min, entry.valid_to or dt.date.max
            if last < first:
                yield _fault(entry, "kết thúc trước ngày bắt đầu")
                continue
            bearers = [unit for unit in register.units if unit.code == entry.unit_code]
            if not any(_covers(unit, first, last) for unit in bearers):
                yield _fault(entry, _not_in_being(entry, bearers, first))

    def _overlaps(self) -> Iterator[RegisterFault]:
        for entries in self._by_code.values():
            ordered = sorted(entries, key=lambda entry: entry.valid_from or dt.date.min)
            for i, one in enumerate(ordered):
                for other in ordered[i + 1 :]:
                    if (other.valid_from or dt.date.min) <= (one.valid_to or dt.date.max):
                        yield _fault(
                            one, f"cùng ngày còn là mã của {other.unit_code}: {other.label_vi}; sửa ngày của một dòng"
                        )


def _fault(entry: PortalCode, message_vi: str) -> RegisterFault:
    return RegisterFault(TABLE, entry.label_vi, message_vi)


def _covers(unit: AdminUnit, first: dt.date, last: dt.date) -> bool:
    return (unit.valid_from or dt.date.min) <= first and last <= (unit.valid_to or dt.date.max)


def _not_in_being(entry: PortalCode, bearers: Sequence[AdminUnit], first: dt.date) -> str:
    if not bearers:
        return f"không có đơn vị nào mang mã {entry.unit_code}"
    known = "; ".join(unit.label_vi for unit in bearers)
    began = next((u for u in bearers if (u.valid_from or dt.date.min) <= first <= (u.valid_to or dt.date.max)), None)
    if began is not None and began.valid_to is not None:
        return (
            f"đơn vị {entry.unit_code} chỉ còn đến hết {began.valid_to:%d/%m/%Y}; ghi ngày đó, và một dòng cho đơn vị "
            f"sau từ {began.valid_to + _DAY:%d/%m/%Y} ({known})"
        )
    return f"vào ngày bắt đầu chưa có đơn vị {entry.unit_code} ({known})"

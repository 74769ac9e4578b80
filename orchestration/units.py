"""Who reports in a quarter, and whose deliveries a unit reports by.

Belongs here: questions to the register of units as of a quarter's closing day.
Does not belong here: what arrived (``deliveries``), the register's own rules (``ingestion``).
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable
from functools import cached_property

from common.forms import follows_forms
from common.roles import Role
from common.units import SEEDS
from ingestion import AdminUnit, ReferenceData


class UnknownUnit(ValueError):
    """A code that reports nothing in a quarter; the message says why, in Vietnamese."""


@follows_forms(1)
def _reference() -> ReferenceData:
    """Once a process: a server asks at each look, and the register is of fourteen thousand rows."""
    return ReferenceData.load(SEEDS)


class ReportingUnits:
    """The register, asked by code and quarter; read at the first question. An unknown quarter raises ``KeyError``."""

    @cached_property
    def reference(self) -> ReferenceData:
        return _reference()

    def closing_day(self, quarter: str) -> dt.date:
        return self.reference.periods[quarter].closes_on

    def exists(self, code: str, quarter: str) -> bool:
        return self.reference.unit(code, self.closing_day(quarter)) is not None

    def name_of(self, code: str, quarter: str) -> str:
        """The name the unit bore when the quarter closed; its code where nobody bears it."""
        unit = self.reference.sender(code, self.closing_day(quarter))
        return unit.name if unit else code

    def is_superior(self, code: str, quarter: str) -> bool:
        """Whether a code is that of a unit above those that report, when the quarter closed."""
        return self.reference.is_superior(code, self.closing_day(quarter))

    def reporting_unit(self, code: str, quarter: str) -> str:
        """The unit a folder's figures are reported by; raises ``UnknownUnit`` where nobody carries the code then."""
        closing = self.closing_day(quarter)
        unit = self.reference.reporting_unit(code, closing)
        if unit is None:
            raise UnknownUnit(self._why_unknown(code, closing))
        return unit.code

    def reporting(self, code: str, quarter: str) -> AdminUnit | None:
        """The unit a folder's figures are reported by, None where nobody carries the code then."""
        return self.reference.reporting_unit(code, self.closing_day(quarter))

    def forms_of(self, codes: Iterable[str], quarter: str) -> dict[str, str]:
        """The id of the form by which each unit reports in a quarter; a unit without a form is left out."""
        closing, found = self.closing_day(quarter), {}
        for code in codes:
            unit = self.reporting(code, quarter)
            with contextlib.suppress(LookupError):
                if unit is not None:
                    found[code] = self.reference.form_of(unit, closing).form
        return found

    def role_of(self, code: str, quarter: str) -> Role:
        """As what a unit delivers on the quarter's closing date; raises ``UnknownUnit``."""
        closing = self.closing_day(quarter)
        unit = self.reference.sender(code, closing)
        if unit is None:
            raise UnknownUnit(self._why_unknown(code, closing))
        return self.reference.role_of(unit, closing)

    def since_begun(self, unit: str, quarters: Iterable[str]) -> list[str]:
        """Of some periods those in which a code means the unit that bears it in the last of them."""
        given = list(quarters)
        bearer = self.reference.unit(unit, self.closing_day(given[-1])) if given else None
        begins = self.reference.begins_on(bearer) if bearer else None
        return [quarter for quarter in given if begins is None or self.closing_day(quarter) >= begins]

    def folders_before(self, unit: str, quarter: str) -> list[tuple[list[str], list[str]]]:
        """Folders of other units that a unit's figures look at, as codes with the periods in which they mean that
        unit: of its predecessors, through any number of reforms, and in the period in which they went into it of the
        others that succeeded them.
        """
        periods, closing = self.reference.periods, self.closing_day(quarter)
        reporting, found = self.reference.unit(unit, closing), []
        for before in self.reference.succeeded_together(reporting, closing) if reporting else ():
            found.append(
                ([u.code for u in before.units], [key for key, p in periods.items() if before.has(p.closes_on)])
            )
            if before.last >= periods[quarter].opens_on - dt.timedelta(days=1):
                found.append((list(before.heirs), [quarter]))
        return found

    def own_windows(self, units: Iterable[str], quarter: str) -> dict[str, tuple[dt.date, dt.date]]:
        """Of reporting units that begin within the quarter the days that are left to them."""
        period, found = self.reference.periods[quarter], {}
        for code in units:
            unit = self.reference.unit(code, period.closes_on)
            window = self.reference.window_of(unit, period) if unit else period
            if window != period:
                found[code] = (window.opens_on, window.closes_on)
        return found

    def _why_unknown(self, code: str, closing: dt.date) -> str:
        ended = [u for u in self.reference.admin_units if u.code == code and u.valid_to and u.valid_to < closing]
        if not ended:
            return f"không có đơn vị nào mang mã {code} vào ngày chốt số liệu {closing:%d/%m/%Y}"
        last = max(ended, key=lambda u: u.valid_to or closing)
        message = f"{last.name} ({code}) kết thúc ngày {last.valid_to:%d/%m/%Y}, trước ngày chốt {closing:%d/%m/%Y}"
        # Where its parts outlived it, they have reported by themselves since.
        gone = [u for u in self.reference.admin_units if u.parent_code == code and not u.valid_on(closing)]
        return message + ("; từ đó mỗi xã, phường báo cáo riêng" if gone else "")

    def folders_expected(self, unit: str, quarter: str) -> list[str]:
        """The unit itself and those that report through it."""
        parts = self.reference.parts_of(unit, self.closing_day(quarter))
        return [unit, *sorted(part.code for part in parts)]

"""Who reports in a quarter, and whose deliveries a unit reports by.

Belongs here: questions to the register of units as of a quarter's closing day.
Does not belong here: what arrived (``deliveries``), the register's own rules (``ingestion``).
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable
from functools import cached_property

from ingestion import AdminUnit, ReferenceData, roles_of
from orchestration.settings import DBT_DIR


class UnknownUnit(ValueError):
    """A code that reports nothing in a quarter; the message says why, in Vietnamese."""


class ReportingUnits:
    """The register, asked by code and quarter; read at the first question. An unknown quarter raises ``KeyError``."""

    @cached_property
    def reference(self) -> ReferenceData:
        return ReferenceData.load(DBT_DIR / "seeds")

    def closing_day(self, quarter: str) -> dt.date:
        return self.reference.periods[quarter].closes_on

    def exists(self, code: str, quarter: str) -> bool:
        return self.reference.unit(code, self.closing_day(quarter)) is not None

    def name_of(self, code: str, quarter: str) -> str:
        """The name the unit bore when the quarter closed; its code where nobody bears it."""
        unit = self.reference.unit(code, self.closing_day(quarter))
        return unit.name if unit else code

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

    def roles_of(self, code: str, quarter: str) -> frozenset[str]:
        """As what a unit delivers on the quarter's closing date: ``district``, ``commune``; raises ``UnknownUnit``.

        Both where a commune reports by itself: it then owes what a district owes.
        """
        closing = self.closing_day(quarter)
        unit, reporting = self.reference.unit(code, closing), self.reference.reporting_unit(code, closing)
        if unit is None or reporting is None:
            raise UnknownUnit(self._why_unknown(code, closing))
        return roles_of(unit, reporting)

    def _why_unknown(self, code: str, closing: dt.date) -> str:
        ended = [u for u in self.reference.admin_units if u.code == code and u.valid_to and u.valid_to < closing]
        if not ended:
            return f"không có đơn vị nào mang mã {code} vào ngày chốt số liệu {closing:%d/%m/%Y}"
        last = max(ended, key=lambda u: u.valid_to or closing)
        message = f"{last.name} ({code}) kết thúc ngày {last.valid_to:%d/%m/%Y}, trước ngày chốt {closing:%d/%m/%Y}"
        return message + ("; từ đó mỗi xã, phường báo cáo riêng" if last.level == "district" else "")

    def folders_expected(self, unit: str, quarter: str) -> list[str]:
        """The unit itself and the communes that report through it."""
        communes = self.reference.communes_of(unit, self.closing_day(quarter))
        return [unit, *sorted(commune.code for commune in communes)]

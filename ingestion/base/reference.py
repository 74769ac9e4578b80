"""Reference data that ingestion is handed: administrative units with validity dates, reporting periods, the form.

Belongs here: reading the seeds. Does not belong here: matching names (``resolve``) or computing a window (nothing
does).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

from common.forms import Form, form_on, load_forms, used_until
from common.periods import Period, load_periods
from common.portals import PortalCodes
from common.roles import PART, REPORTING_UNIT, SUPERIOR, Role, UnitRole, load_roles, role_on
from common.unit_pasts import begins_on, pasts
from common.units import AdminUnit, Succession, UnitRegister
from common.validity import holds_on


@dataclass(frozen=True, slots=True, order=True)
class FormRow:
    """A row of the form in one stretch of its validity: its code, its printed names and what its figure is, where it
    is printed (section, number, and the unit of measure where the print says another one) and from which source its
    figure comes.
    """

    code: str
    names: tuple[str, ...]
    kind: str
    unit: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    section: str = ""
    number: str = ""
    source: str = ""
    form: str = ""
    printed_unit: str = ""

    @property
    def is_heading(self) -> bool:
        """Whether the row is printed without a figure."""
        return self.kind == "heading"

    @property
    def place_vi(self) -> str:
        """``“Kiểm tra CCHC” (mã I.06)``, for messages."""
        return f"“{self.names[0].strip(' -:')}” (mã {self.code})"

    def valid_on(self, day: dt.date) -> bool:
        return holds_on(day, self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True)
class Before:
    """Units from ``first`` (None: of the beginning) to ``last`` of which something is in another one later, with those
    that they reported by and all parts of these; ``heirs``: codes of all that took something of them over next day.
    """

    first: dt.date | None
    last: dt.date
    units: tuple[AdminUnit, ...]
    heirs: tuple[str, ...]

    def has(self, day: dt.date) -> bool:
        return holds_on(day, self.first, self.last)


_PROVINCE = "province"


@dataclass(frozen=True)
class ReferenceData:
    """The reference registers; ``load`` reads them from the folder of seeds.

    ``admin_units`` are those that report by a form, and their parts. ``provinces`` stand above them: their report is
    rolled up from those, and they deliver what no unit below has (``common.roles.SUPERIOR``).
    """

    admin_units: tuple[AdminUnit, ...]
    periods: dict[str, Period]
    form_rows: tuple[FormRow, ...] = ()
    roles: tuple[UnitRole, ...] = field(default_factory=load_roles)
    provinces: tuple[AdminUnit, ...] = ()
    successions: tuple[Succession, ...] = ()
    forms: tuple[Form, ...] = ()
    portals: PortalCodes = field(default_factory=PortalCodes)

    @classmethod
    def load(cls, seeds_dir: Path, forms_dir: Path | None = None) -> ReferenceData:
        """Reads the register of units, ``portal_codes.csv``, ``unit_roles.csv``, ``reporting_periods.csv`` and the
        forms' rows; raises ``OSError`` or ``ValueError`` where they are bad.
        """
        register = UnitRegister.load(seeds_dir)
        periods = {period.quarter: period for period in load_periods(seeds_dir / "reporting_periods.csv")}
        forms = load_forms(forms_dir)
        form_rows = tuple(
            FormRow(
                row["indicator_code"],
                tuple(name for name in (row["name_vi"], row["name_corrected_vi"]) if name),
                row["kind"],
                row["unit_canonical"],
                form.valid_from,
                used_until(form, forms),
                row["section"],
                row["printed_number"],
                row["source"],
                form.form,
                row["unit_vi"],
            )
            for form in forms
            for row in form.rows
        )
        return cls(
            tuple(unit for unit in register.units if unit.level != _PROVINCE),
            periods,
            form_rows,
            load_roles(seeds_dir / "unit_roles.csv"),
            tuple(unit for unit in register.units if unit.level == _PROVINCE),
            register.successions,
            forms,
            PortalCodes.load(seeds_dir),
        )

    @cached_property
    def unit_codes(self) -> frozenset[str]:
        """The codes that any unit ever bore, of those below whose folders deliveries may lie."""
        return frozenset(unit.code for unit in (*self.admin_units, *self.provinces))

    @cached_property
    def _by_code(self) -> dict[str, list[AdminUnit]]:
        found = defaultdict(list)
        for unit in self.admin_units:
            found[unit.code].append(unit)
        return found

    @cached_property
    def _by_parent(self) -> dict[str, list[AdminUnit]]:
        found = defaultdict(list)
        for unit in self.admin_units:
            found[unit.parent_code].append(unit)
        return found

    @cached_property
    def _register(self) -> UnitRegister:
        return UnitRegister((*self.provinces, *self.admin_units), self.successions, ())

    @cached_property
    def _out_of(self) -> dict[tuple[str, dt.date | None], set[str]]:
        """The codes of units that took something of one over, by its code and their first day."""
        found: dict[tuple[str, dt.date | None], set[str]] = defaultdict(set)
        for step in self.successions:
            found[step.old_code, step.effective_on].add(step.new_code)
        return found

    @cached_property
    def _places(self) -> dict[AdminUnit, int]:
        return {unit: place for place, unit in enumerate(self.admin_units)}

    def _in_order(self, units: Iterable[AdminUnit]) -> list[AdminUnit]:
        """As they stand in the register."""
        return sorted(units, key=self._places.__getitem__)

    def unit(self, code: str, day: dt.date) -> AdminUnit | None:
        """The unit that carries the code on the day, if any; of those that report by a form, and their parts."""
        return next((u for u in self._by_code.get(code, ()) if u.valid_on(day)), None)

    def sender(self, code: str, day: dt.date) -> AdminUnit | None:
        """The unit whose folder a code names on the day, if any: also one above those that report."""
        above = (u for u in self.provinces if u.code == code and u.valid_on(day))
        return self.unit(code, day) or next(above, None)

    def is_superior(self, code: str, day: dt.date) -> bool:
        """Whether the unit that carries the code on the day stands above those that report."""
        unit = self.sender(code, day)
        return unit is not None and self.role_of(unit, day) == SUPERIOR

    def below(self, superior: AdminUnit, day: dt.date) -> list[AdminUnit]:
        """The units that report to one above them on the day."""
        return [u for u in self._by_parent.get(superior.code, ()) if u.valid_on(day)]

    def role_of(self, unit: AdminUnit, day: dt.date) -> Role:
        """As what a unit delivers on a day. One whose role is a part, of nobody that reports, reports by itself."""
        role = role_on(unit.level, day, self.roles).role
        return REPORTING_UNIT if role == PART and self._above(unit, day) is None else role

    def parts_of(self, code: str, day: dt.date) -> list[AdminUnit]:
        """The units that deliver through a reporting unit on the day."""
        return [
            u
            for u in self._by_parent.get(code, ())
            if u.valid_on(day) and role_on(u.level, day, self.roles).role == PART
        ]

    def reporting_unit(self, code: str, day: dt.date) -> AdminUnit | None:
        """The unit through which ``code`` reports on the day: itself, or the one above that it is a part of."""
        unit = self.unit(code, day)
        if unit is None or self.role_of(unit, day) == REPORTING_UNIT:
            return unit
        return self._above(unit, day)

    def form_rows_of(self, reporting: AdminUnit, day: dt.date) -> tuple[FormRow, ...]:
        """The rows of the form by which a unit reports on a closing day, of a superior those of the units below it;
        none where no form is for it.
        """
        units = [reporting] if self.role_of(reporting, day) != SUPERIOR else self.below(reporting, day)
        try:
            forms = {self.form_of(unit, day).form for unit in units}
        except LookupError:
            return ()
        return tuple(row for row in self.form_rows if row.form in forms) if len(forms) == 1 else ()

    def form_of(self, reporting: AdminUnit, day: dt.date) -> Form:
        """The form by which a unit reports on a closing day. Raises ``LookupError`` where no form is for it."""
        return form_on(day, self.forms or None, level=reporting.level, issuer=reporting.parent_code)

    def window_of(self, unit: AdminUnit, period: Period) -> Period:
        """The period as it is for a unit that begins within it: its window, and its year, open with the unit.

        One that ends within a period closes its books in a period of its own (``docs/units.md``); one that goes on
        under another name, or in another province, keeps its window.
        """
        begins = self.begins_on(unit)
        if begins is None or not period.year_opens_on < begins <= period.closes_on:
            return period
        return replace(period, opens_on=max(period.opens_on, begins), year_opens_on=begins)

    def begins_on(self, unit: AdminUnit) -> dt.date | None:
        """The first day of a unit's life; see ``common.unit_pasts``."""
        return begins_on(self._register, unit, self.roles)

    def predecessors(self, unit: AdminUnit, day: dt.date) -> list[AdminUnit]:
        """The units before ``day`` of which anything is in a unit then, itself under another name included, and those
        that they reported by and that have ended too.
        """
        found = {p.unit: p.last for p in pasts(self._register, unit, day, self.roles) if p.unit != unit}
        above = {self._reported_by(u, last) for u, last in found.items()}
        return self._in_order({*found, *(u for u in above if u.valid_to is not None and u.valid_to < day)})

    def succeeded_together(self, unit: AdminUnit, day: dt.date) -> list[Before]:
        """Whoever may have known, before ``day``, of a case that is a unit's then: for each stretch of days in which
        others were in it, these with all parts of those that they reported by, and the codes of all units that took
        something of them over; the latest first.
        """
        found = []
        by_stretch = groupby(pasts(self._register, unit, day, self.roles), lambda past: (past.first, past.last))
        for (first, last), members in by_stretch:
            others = [past.unit for past in members if past.relation != "own"]
            if others:
                reporting = {self._reported_by(u, last) for u in others}
                parts = (part for u in reporting for part in self.parts_of(u.code, last))
                before = self._in_order({*others, *reporting, *parts})
                begins = last + dt.timedelta(days=1)
                heirs = {new for u in before for new in self._out_of.get((u.code, begins), ())}
                found.append(Before(first, last, tuple(before), tuple(sorted(heirs))))
        return found

    def _reported_by(self, unit: AdminUnit, day: dt.date) -> AdminUnit:
        return (self._above(unit, day) or unit) if self.role_of(unit, day) == PART else unit

    def superior(self, unit: AdminUnit, day: dt.date) -> AdminUnit | None:
        """The unit above on the day, whether it delivers or not."""
        above = (u for u in self.provinces if u.code == unit.parent_code and u.valid_on(day))
        return next(above, None) or self.unit(unit.parent_code, day)

    def _above(self, unit: AdminUnit, day: dt.date) -> AdminUnit | None:
        """The unit above, where there is one that reports on the day."""
        above = self.unit(unit.parent_code, day) if unit.parent_code else None
        return above if above is not None and role_on(above.level, day, self.roles).role == REPORTING_UNIT else None

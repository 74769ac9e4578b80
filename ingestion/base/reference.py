"""Reference data that ingestion is handed: administrative units with validity dates, reporting periods, the form.

Belongs here: reading the seeds. Does not belong here: matching names (``resolve``) or computing a window (nothing
does).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from common.forms import Form, form_on, load_forms, used_until
from common.periods import Period, load_periods
from common.units import AdminUnit, load_units


@dataclass(frozen=True, slots=True, order=True)
class FormRow:
    """A row of the form in one stretch of its validity: its code, its printed names and what its figure is, where it
    is printed (section and number) and from which source its figure comes.
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

    @property
    def is_heading(self) -> bool:
        """Whether the row is printed without a figure."""
        return self.kind == "heading"

    @property
    def place_vi(self) -> str:
        """``“Kiểm tra CCHC” (mã I.06)``, for messages."""
        return f"“{self.names[0].strip(' -:')}” (mã {self.code})"

    def valid_on(self, day: dt.date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


def roles_of(unit: AdminUnit, reporting_unit: AdminUnit) -> frozenset[str]:
    """As what a unit delivers on a day: ``district``, ``commune``, or both where a commune reports by itself."""
    return frozenset({unit.level, "district"} if unit.code == reporting_unit.code else {unit.level})


@dataclass(frozen=True)
class ReferenceData:
    """The reference registers; ``load`` reads them from the folder of seeds."""

    admin_units: tuple[AdminUnit, ...]
    periods: dict[str, Period]
    form_rows: tuple[FormRow, ...] = ()
    forms: tuple[Form, ...] = ()

    @classmethod
    def load(cls, seeds_dir: Path, forms_dir: Path | None = None) -> ReferenceData:
        """Reads ``admin_units.csv``, ``reporting_periods.csv`` and the forms' rows; raises ``OSError`` or
        ``ValueError`` where they are bad.
        """
        units = tuple(unit for unit in load_units(seeds_dir) if unit.level in ("district", "commune"))
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
            )
            for form in forms
            for row in form.rows
        )
        return cls(units, periods, form_rows, forms)

    def unit(self, code: str, day: dt.date) -> AdminUnit | None:
        """The unit that carries the code on the day, if any."""
        return next((u for u in self.admin_units if u.code == code and u.valid_on(day)), None)

    def communes_of(self, district_code: str, day: dt.date) -> list[AdminUnit]:
        return [
            u for u in self.admin_units if u.level == "commune" and u.parent_code == district_code and u.valid_on(day)
        ]

    def reporting_unit(self, code: str, day: dt.date) -> AdminUnit | None:
        """The unit through which ``code`` reports on the day: its district where it has one, else itself."""
        unit = self.unit(code, day)
        if unit is None or unit.level == "district":
            return unit
        parent = self.unit(unit.parent_code, day) if unit.parent_code else None
        return parent if parent is not None and parent.level == "district" else unit

    def form_rows_of(self, reporting: AdminUnit, day: dt.date) -> tuple[FormRow, ...]:
        """The rows of the form by which a unit reports on a closing day; none where no form is for it."""
        try:
            form = self.form_of(reporting, day)
        except LookupError:
            return ()
        return tuple(row for row in self.form_rows if row.form == form.form)

    def form_of(self, reporting: AdminUnit, day: dt.date) -> Form:
        """The form by which a unit reports on a closing day. Raises ``LookupError`` where no form is for it."""
        return form_on(day, self.forms or None, level=reporting.level, issuer=reporting.parent_code)

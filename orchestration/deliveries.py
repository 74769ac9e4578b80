"""What stands in the home of deliveries: files that lie there, receipts of those taken in, what a quarter is made from.

Belongs here: questions to the landing folder and to the ledger, by quarter and reporting unit. Nothing is changed.
Does not belong here: taking in (``stages``), who reports (``units``), what a delivery is (``ingestion``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.periods import find_period, in_order, is_owed, period_named, quarters_behind
from ingestion import (
    LandingFile,
    SourceStatus,
    inputs,
    load_contracts,
    read_deliveries,
    remarks_on_landing,
    status,
    waiting_files,
)
from orchestration.arrivals import folder_states, state_behind
from orchestration.settings import Home
from orchestration.units import ReportingUnits, UnknownUnit


class Deliveries:
    """The deliveries of one home. ``paths`` are the folders that ingestion works in."""

    def __init__(self, home: Home, units: ReportingUnits) -> None:
        self._home = home
        self.paths = home.ingest_paths
        self._units = units

    def landed(self, source: str, quarter: str) -> list[Path]:
        """Files in the landing folder, relative to it; hidden and half-written ones are not deliveries."""
        found = (p for p in self.paths.landing.glob(f"*/{quarter}/{source}/*") if p.is_file())
        return sorted(p.relative_to(self.paths.landing) for p in found if not p.name.startswith((".", "~$")))

    def waiting(self, quarter: str) -> list[LandingFile]:
        """Files that lie in the landing folder, of the quarter or of its look-back, and have not been taken in.

        Those of a unit that reports nothing then are left out: no report waits for them.
        """
        closing, reference = self._units.closing_day(quarter), self._units.reference
        found = waiting_files(self.paths, self.quarters_to_read(quarter), reference)
        return [file for file in found if reference.reporting_unit(file.unit_code, closing)]

    def superiors(self, quarter: str) -> list[str]:
        """Units above those that report of which something was delivered for a quarter, read or not."""
        folders = {path.parts[-2] for path in self.paths.landing.glob(f"*/{quarter}") if any(path.glob("*/*"))}
        folders |= {row["unit_code"] for row in self.receipts(quarter)}
        return sorted(folder for folder in folders if self._units.is_superior(folder, quarter))

    def waiting_of_superior(self, unit: str, quarter: str) -> list[LandingFile]:
        """Of a unit above those that report what lies in its folder of the quarter and has not been taken in."""
        found = waiting_files(self.paths, [quarter], self._units.reference)
        return [file for file in found if (file.unit_code, file.quarter) == (unit, quarter)]

    def sources(self, folders: Sequence[str], quarter: str) -> list[SourceStatus]:
        """What folder units have sent for a quarter, and what must still be: sources asked of them and not sent."""
        above = [folder for folder in folders if self._units.is_superior(folder, quarter)]
        waiting = [*self.waiting(quarter), *(f for folder in above for f in self.waiting_of_superior(folder, quarter))]
        found = status(self.paths, folders, quarter, load_contracts(), waiting)
        given = self.given_by_parts(folders, quarter)
        return [
            source
            for source in found
            if source.state != "not_sent"
            or (self._is_required(source) and (source.unit_code, source.source) not in given)
        ]

    def given_by_parts(self, folders: Iterable[str], quarter: str) -> set[tuple[str, str]]:
        """Unit and source of what a longer period has from the folders of each of its quarters."""
        parts, wanted = period_named(quarter).made_of, set(folders)
        if not parts:
            return set()
        readable = [row for row in read_deliveries(self.paths).to_pylist() if row["is_current"]]
        given = {
            part: {
                (row["unit_code"], row["source"])
                for row in readable
                if row["quarter"] == part and row["outcome"] != "refused" and row["unit_code"] in wanted
            }
            for part in parts
        }
        of_parts = {name for name, contract in load_contracts().items() if contract.longer_periods == "parts"}
        # Of the quarters before a unit began nobody asks it: its code may have been another's.
        lived = {folder: set(self._units.since_begun(folder, [*parts, quarter])) & set(parts) for folder in wanted}
        return {
            (folder, source)
            for folder in wanted
            for source in of_parts
            if lived[folder] and all((folder, source) in given[part] for part in lived[folder])
        }

    def missing(self, unit: str, quarter: str) -> list[SourceStatus]:
        """Sources asked of a reporting unit, or of those that report by it, of which no file is there that counts.

        As gate 1 asks for them: a file that was refused or lies in a wrong folder does not count, one that waits to be
        read does.
        """
        return self.missing_of(self.sources(self._units.folders_expected(unit, quarter), quarter))

    def missing_of(self, found: Sequence[SourceStatus]) -> list[SourceStatus]:
        """Of what :meth:`sources` found, that which is still missing."""
        nothing = ("not_sent", "held", "refused")
        return [s for s in found if s.state in nothing and not s.waiting and self._is_required(s)]

    def reporting_units(self, quarter: str) -> list[str]:
        """Who reports in a quarter, of those that ever delivered or published anything."""
        reporting = set()
        roots = (self._home.landing, self._home.published)
        known = {path.name for root in roots for path in root.glob("*") if path.is_dir()}
        known |= set(read_deliveries(self.paths)["unit_code"].to_pylist())
        for code in known:
            try:
                reporting.add(self._units.reporting_unit(code, quarter))
            except UnknownUnit:
                continue
        return sorted(reporting)

    def _is_required(self, source: SourceStatus) -> bool:
        role = self._units.role_of(source.unit_code, source.quarter)
        return role in load_contracts()[source.source].required_from

    def receipts(self, quarter: str) -> list[dict[str, Any]]:
        """Rows of ``deliveries.parquet`` for a quarter's folders, superseded deliveries included."""
        return [row for row in read_deliveries(self.paths).to_pylist() if row["quarter"] == quarter]

    def exist(self, quarter: str) -> bool:
        """Whether anything was delivered for a quarter, in the landing folder or taken in before; of a longer period,
        for any of its quarters.
        """
        return any(
            any(self.paths.landing.glob(f"*/{name}/*/*")) or bool(self.receipts(name))
            for name in (quarter, *period_named(quarter).made_of)
        )

    def state(self, quarter: str) -> str:
        """What lies in the folders that the quarter's figures are made from; see ``arrivals``."""
        return state_behind(folder_states(self._home, self.quarters_landed()), quarter)

    def quarters_landed(self) -> set[str]:
        """Quarters that have a folder in the landing folder."""
        return {p.name for p in self.paths.landing.glob("*/*") if p.is_dir() and find_period(p.name)}

    def quarters(self) -> list[str]:
        """Quarters with a delivery, in the landing folder or taken in before, in order."""
        return in_order(self.quarters_landed() | set(read_deliveries(self.paths)["quarter"].to_pylist()))

    def quarters_to_read(self, quarter: str) -> list[str]:
        """The quarter, and before it those of its look-back that have deliveries."""
        earlier = set(quarters_behind(quarter)) & set(self.quarters())
        return in_order(earlier | {quarter})

    def units_in(self, quarter: str, wanted: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
        """Reporting units of a run, each with the folder units that owe deliveries for it, in order.

        ``wanted`` limits the run; without it, every unit of which something was ever delivered for the quarter, read or
        not; of a longer period, for any of its quarters by a unit that owes a report on it. Who owes follows from the
        register of units on the closing day, never from what arrived.
        """
        folders = {row["unit_code"] for row in self.receipts(quarter)} | set(wanted)
        folders |= {file.unit_code for file in self.waiting(quarter) if file.quarter == quarter}
        # A province reports what its units have published: ``provinces``.
        own = [folder for folder in folders if not self._units.is_superior(folder, quarter)]
        reporting = {self._units.reporting_unit(folder, quarter) for folder in own}
        reporting |= self._owing(quarter)
        in_scope = sorted(reporting & set(wanted) if wanted else reporting)
        return {unit: tuple(self._units.folders_expected(unit, quarter)) for unit in in_scope}

    def _owing(self, quarter: str) -> set[str]:
        """Reporting units that owe a report on a longer period and of whose quarters something was delivered."""
        period, found = period_named(quarter), set()
        for folder in {row["unit_code"] for part in period.made_of for row in self.receipts(part)}:
            try:
                unit = self._units.reporting_unit(folder, quarter)
            except UnknownUnit:
                continue  # abolished since, with nobody who took it over
            if is_owed(period, unit):
                found.add(unit)
        return found

    def inputs_of(self, units: Iterable[str], quarter: str) -> dict[str, list[dict[str, str]]]:
        """The deliveries each unit's figures are made from: its own and its parts', its predecessors' up to their end,
        and in its first period those of the other units after them, among which their open cases are shared out.
        """
        return {unit: self._inputs_of(unit, quarter) for unit in units}

    def folders_behind(self, units: Iterable[str], quarter: str) -> dict[str, set[str]]:
        """The folders that each unit's figures look at, in any period: those of :meth:`inputs_of`, and all that ever
        delivered for whom the unit reports now or reported then.
        """
        wanted = list(units)
        found = {unit: set(self._units.folders_expected(unit, quarter)) for unit in wanted}
        for unit in wanted:
            for codes, _ in self._units.folders_before(unit, quarter):
                found[unit].update(codes)
        for code, delivered in {(row["unit_code"], row["quarter"]) for row in read_deliveries(self.paths).to_pylist()}:
            for period in {quarter, delivered}:
                reporting = self._units.reporting(code, period)
                if reporting is not None and reporting.code in found:
                    found[reporting.code].add(code)
        return found

    def told_of(self, behind: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
        """All that intake keeps of each unit's folders: their receipts in every period, in order, and remarks on where
        files lie, those of no known folder too.
        """
        told: dict[str, list[str]] = {}
        for row in sorted(read_deliveries(self.paths).to_pylist(), key=lambda row: row["delivery_rank"]):
            del row["delivery_rank"]  # a place among everybody's deliveries: what counts is the order of one's own
            told.setdefault(row["unit_code"], []).append(str(row))
        for row in remarks_on_landing(self.paths).to_pylist():
            told.setdefault(row["_unit_code"] or "", []).append(str(row))
        return {
            unit: [text for folder in sorted({"", *folders}) for text in told.get(folder, ())]
            for unit, folders in behind.items()
        }

    def _inputs_of(self, unit: str, quarter: str) -> list[dict[str, str]]:
        behind = quarters_behind(quarter)
        found = inputs(self.paths, self._units.folders_expected(unit, quarter), self._units.since_begun(unit, behind))
        for codes, quarters in self._units.folders_before(unit, quarter):
            found += inputs(self.paths, codes, set(quarters) & set(behind))
        return sorted({d["delivery_id"]: d for d in found}.values(), key=lambda d: d["delivery_id"])

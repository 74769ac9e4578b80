"""What stands in the home of deliveries: files that lie there, receipts of those taken in, what a quarter is made from.

Belongs here: questions to the landing folder and to the ledger, by quarter and reporting unit. Nothing is changed.
Does not belong here: taking in (``stages``), who reports (``units``), what a delivery is (``ingestion``).
"""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.periods import find_period, in_order, is_owed, period_named, quarters_behind
from ingestion import (
    LandingFile,
    SourceStatus,
    delivery_rows,
    inputs_by_folder,
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
        found = (p for p in self._lying(f"*/{quarter}/{source}/*") if os.path.isfile(self.paths.landing / p))
        return sorted(p for p in found if not p.name.startswith((".", "~$")))

    def waiting(self, quarter: str) -> list[LandingFile]:
        """Files that lie in the landing folder, of the quarter or of its look-back, and have not been taken in.

        Those of a unit that reports nothing then are left out: no report waits for them.
        """
        closing, reference = self._units.closing_day(quarter), self._units.reference
        found = waiting_files(self.paths, self.quarters_to_read(quarter), reference)
        return [file for file in found if reference.reporting_unit(file.unit_code, closing)]

    def superiors(self, quarter: str) -> list[str]:
        """Units above those that report, served by this home, of which something was delivered for a quarter."""
        folders = self._folders_with_deliveries(quarter)
        return sorted(f for f in folders if self._units.is_superior(f, quarter) and self._home.serves(f))

    def waiting_of_superiors(self, units: Collection[str], quarter: str) -> list[LandingFile]:
        """Of units above those that report what lies in their folders of the quarter and has not been taken in."""
        if not units:
            return []
        found = waiting_files(self.paths, [quarter], self._units.reference)
        return [file for file in found if file.unit_code in units]

    def sources(self, folders: Sequence[str], quarter: str) -> list[SourceStatus]:
        """What folder units have sent for a quarter, and what must still be: sources asked of them and not sent."""
        above = {folder for folder in folders if self._units.is_superior(folder, quarter)}
        waiting = [*self.waiting(quarter), *self.waiting_of_superiors(above, quarter)]
        found = status(self.paths, folders, quarter, load_contracts(), waiting)
        given = self.given_by_parts(folders, quarter)
        return [
            source
            for source in found
            if source.state != "not_sent"
            or (self._is_required(source) and (source.unit_code, source.source) not in given)
        ]

    def sources_of(self, folders: Mapping[str, Sequence[str]], quarter: str) -> dict[str, list[SourceStatus]]:
        """The same of many units, each with its folders: the home is looked at once for all of them."""
        by_folder: dict[str, list[SourceStatus]] = {}
        for source in self.sources(list(dict.fromkeys(code for codes in folders.values() for code in codes)), quarter):
            by_folder.setdefault(source.unit_code, []).append(source)
        return {unit: [s for code in codes for s in by_folder.get(code, ())] for unit, codes in folders.items()}

    def given_by_parts(self, folders: Iterable[str], quarter: str) -> set[tuple[str, str]]:
        """Unit and source of what a longer period has from the folders of each of its quarters."""
        parts, wanted = period_named(quarter).made_of, set(folders)
        if not parts:
            return set()
        asked = ["quarter", "unit_code", "source", "outcome"]
        given: dict[str, set[tuple[str, str]]] = {part: set() for part in parts}
        for row in delivery_rows(self.paths, quarters=parts, only_current=True, columns=asked):
            if row["outcome"] != "refused" and row["unit_code"] in wanted:
                given[row["quarter"]].add((row["unit_code"], row["source"]))
        of_parts = {name for name, contract in load_contracts().items() if contract.longer_periods == "parts"}
        # Of the quarters before a unit began nobody asks it: its code may have been another's.
        lived = {folder: set(self._units.since_begun(folder, [*parts, quarter])) & set(parts) for folder in wanted}
        return {
            (folder, source)
            for folder in wanted
            for source in of_parts
            if lived[folder] and all((folder, source) in given[part] for part in lived[folder])
        }

    def missing(self, units: Iterable[str], quarter: str) -> dict[str, list[SourceStatus]]:
        """Sources asked of each reporting unit, or of those that report by it, of which no file is there that counts.

        As gate 1 asks for them: a file that was refused or lies in a wrong folder does not count, one that waits to be
        read does.
        """
        folders = {unit: self._units.folders_expected(unit, quarter) for unit in units}
        return {unit: self.missing_of(found) for unit, found in self.sources_of(folders, quarter).items()}

    def missing_of(self, found: Sequence[SourceStatus]) -> list[SourceStatus]:
        """Of what :meth:`sources` found, that which is still missing."""
        nothing = ("not_sent", "held", "refused")
        return [s for s in found if s.state in nothing and not s.waiting and self._is_required(s)]

    def reporting_units(self, quarter: str) -> list[str]:
        """Who reports in a quarter, of those that ever delivered or published anything and are served by this home."""
        reporting = set()
        roots = (self._home.landing, self._home.published)
        known = {path.name for root in roots for path in root.glob("*") if os.path.isdir(path)}
        known |= set(read_deliveries(self.paths)["unit_code"].unique().to_pylist())
        for code in known:
            try:
                reporting.add(self._units.reporting_unit(code, quarter))
            except UnknownUnit:
                continue
        return sorted(unit for unit in reporting if self._home.serves(unit))

    def of_other_homes(self, quarter: str) -> list[str]:
        """Folders of which something was delivered here for a quarter, and of which another home makes the report."""
        if not self._home.units:
            return []
        owners = {code: self._owner(code, quarter) for code in self._folders_with_deliveries(quarter)}
        return sorted(code for code, owner in owners.items() if owner and not self._home.serves(owner))

    def _folders_with_deliveries(self, quarter: str) -> set[str]:
        """Folders of which something was delivered for a quarter, read or not."""
        folders = {path.parts[0] for path in self._lying(f"*/{quarter}/*/*")}
        return folders | {row["unit_code"] for row in self.receipts(quarter)}

    def _owner(self, code: str, quarter: str) -> str | None:
        """Whose report a folder's files are for: a province's own are its own; None where nobody carries the code."""
        unit = self._units.reporting(code, quarter)
        return code if self._units.is_superior(code, quarter) else unit.code if unit else None

    def _is_required(self, source: SourceStatus) -> bool:
        role = self._units.role_of(source.unit_code, source.quarter)
        return role in load_contracts()[source.source].required_from

    def receipts(self, quarter: str) -> list[dict[str, Any]]:
        """Rows of ``deliveries.parquet`` for a quarter's folders, superseded deliveries included."""
        return delivery_rows(self.paths, quarters=[quarter])

    def exist(self, quarter: str) -> bool:
        """Whether anything was delivered for a quarter, in the landing folder or taken in before; of a longer period,
        for any of its quarters.
        """
        return any(
            any(self._lying(f"*/{name}/*/*")) or bool(self.receipts(name))
            for name in (quarter, *period_named(quarter).made_of)
        )

    def state(self, quarter: str) -> str:
        """What lies in the folders that the quarter's figures are made from; see ``arrivals``."""
        return state_behind(folder_states(self._home, self.quarters_landed()), quarter)

    def quarters_landed(self) -> set[str]:
        """Quarters that have a folder in the landing folder, or what may be one and cannot be looked at."""
        found = (path for path in self._lying("*/*") if find_period(path.name))
        return {path.name for path in found if not os.path.isfile(self.paths.landing / path)}

    def _lying(self, pattern: str) -> Iterator[Path]:
        """What the landing folder holds under such names, relative to it, but for hidden entries. A folder that cannot
        be looked into holds nothing and keeps no other from being looked into, as pathlib's ``glob`` would; intake
        names it.
        """
        return map(Path, glob.iglob(pattern, root_dir=self.paths.landing))

    def quarters(self) -> list[str]:
        """Quarters with a delivery, in the landing folder or taken in before, in order."""
        return in_order(self.quarters_landed() | set(read_deliveries(self.paths)["quarter"].unique().to_pylist()))

    def quarters_to_read(self, quarter: str) -> list[str]:
        """The quarter, and before it those of its look-back that have deliveries."""
        earlier = set(quarters_behind(quarter)) & set(self.quarters())
        return in_order(earlier | {quarter})

    def units_in(self, quarter: str, wanted: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
        """Reporting units of a run, each with the folder units that owe deliveries for it, in order.

        ``wanted`` limits the run; without it, every unit that this home serves and of which something was ever
        delivered for the quarter, read or not; of a longer period, for any of its quarters by a unit that owes a report
        on it. Who owes follows from the register of units on the closing day, never from what arrived.
        """
        folders = {row["unit_code"] for row in self.receipts(quarter)} | set(wanted)
        folders |= {file.unit_code for file in self.waiting(quarter) if file.quarter == quarter}
        # A province reports what its units have published: ``provinces``.
        own = [folder for folder in folders if not self._units.is_superior(folder, quarter)]
        reporting = {self._units.reporting_unit(folder, quarter) for folder in own}
        reporting |= self._owing(quarter)
        in_scope = sorted(
            unit for unit in (reporting & set(wanted) if wanted else reporting) if self._home.serves(unit)
        )
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
        behind = quarters_behind(quarter)
        by_folder = inputs_by_folder(self.paths, behind)
        return {unit: self._inputs_of(unit, quarter, behind, by_folder) for unit in units}

    def folders_behind(self, units: Iterable[str], quarter: str) -> dict[str, set[str]]:
        """The folders that each unit's figures look at, in any period: those of :meth:`inputs_of`, and all that ever
        delivered for whom the unit reports now or reported then.
        """
        wanted = list(units)
        found = {unit: set(self._units.folders_expected(unit, quarter)) for unit in wanted}
        for unit in wanted:
            for codes, _ in self._units.folders_before(unit, quarter):
                found[unit].update(codes)
        places = delivery_rows(self.paths, columns=["unit_code", "quarter"])
        for code, delivered in {(row["unit_code"], row["quarter"]) for row in places}:
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

    def _inputs_of(
        self,
        unit: str,
        quarter: str,
        behind: Sequence[str],
        by_folder: Mapping[tuple[str, str], Sequence[dict[str, str]]],
    ) -> list[dict[str, str]]:
        """``by_folder``: what is current in the folders of all units in the periods ``behind`` the quarter."""
        places = {
            (code, period)
            for code in self._units.folders_expected(unit, quarter)
            for period in self._units.since_begun(unit, behind)
        }
        for codes, quarters in self._units.folders_before(unit, quarter):
            places |= {(code, period) for code in codes for period in set(quarters) & set(behind)}
        found = [d for place in places for d in by_folder.get(place, ())]
        return sorted(found, key=lambda d: d["delivery_id"])

"""The models of cases on made-up rows: the SQL that a build was made with, run on tables made here, in milliseconds."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections.abc import Collection, Iterable, Mapping
from contextlib import chdir
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from common.periods import in_order, period_named
from common.unit_pasts import pasts_csv
from common.units import UnitRegister, registered
from ingestion.base.contracts import load_contracts
from tests.support.dbt_build import QUARTER, Build

DISTRICT, COMMUNE, ELSEWHERE = "945", "31618", "942"
#: Unit -> level, reporting unit.
UNITS = {
    DISTRICT: ("district", DISTRICT), COMMUNE: ("commune", DISTRICT), "31615": ("commune", DISTRICT),
    ELSEWHERE: ("district", ELSEWHERE),
}  # fmt: skip
MODELS = (
    "int_case_versions", "int_case_handover", "int_decided_cases", "int_cases_by_clock", "int_procedures_used_online",
    "int_cases", "case_findings", "case_questions", "late_cases", "measures_cases", "period_moves",
)  # fmt: skip
INPUTS = (
    "stg_one_stop_cases__cases", "stg_deliveries__deliveries", "int_units", "int_report_scope", "int_calendar_scope",
    "int_reporting_units", "int_unit_windows", "int_procedures_listed", "int_decisions", "int_working_days",
    "int_late_causes", "int_coverage", "int_sheets", "int_report_deliveries", "int_forms_in_force",
    "stg_units__pasts",
)  # fmt: skip

SEEDS = (
    "int_periods",
    "stg_forms__rows",
    "int_rows_that_add_up",
    "int_working_days",
    "admin_units",
    "admin_unit_successors",
    "portal_codes",
)

LEVELS = {"district": [DISTRICT], "commune": [COMMUNE, "31615"], "all": [DISTRICT, COMMUNE, "31615"]}
COLUMNS = [column.name for column in load_contracts()["one_stop_cases"].columns]

Row = dict[str, Any]


def at(day: str | None, hour: int = 8) -> dt.datetime | None:
    """The hour of an ISO day."""
    return None if day is None else dt.datetime.combine(dt.date.fromisoformat(day), dt.time(hour))


def case(code: str = "000.00.32.H51-230103-0001", **values: Any) -> Row:
    """A delivered row: received 3 January 2023, in progress, in the district's file of the first quarter.

    Days are ISO texts; ``file`` tells the place of the delivery in the total order.
    """
    row: Row = {
        "case_code": code, "quarter": QUARTER, "delivering_unit_code": DISTRICT, "receiving_unit_code": DISTRICT,
        "status": "in_progress", "channel": "direct", "procedure_code": "1.000001", "received_at": "2023-01-03",
        "file": 1, "row_number": None,
    } | values  # fmt: skip
    row |= {name: at(row[name]) for name in ("received_at", "due_at", "finished_at", "returned_at", "extended_to")
            if isinstance(row.get(name), str)}  # fmt: skip
    return row


class CaseModels:
    """Tables with the columns of a real build, to be filled; ``build`` makes the models over them."""

    def __init__(self, build: Build, scratch: Path) -> None:
        self._sql = {name: build.compiled(name) for name in MODELS}
        # dbt, which lives in this process too, keeps its file to itself.
        for path in (build.home / "warehouse").glob("warehouse.duckdb*"):
            shutil.copy(path, scratch)
        self.connection = duckdb.connect()
        self.connection.execute("attach ':memory:' as warehouse")
        with chdir(build.home), duckdb.connect(str(scratch / "warehouse.duckdb")) as built:
            for name in INPUTS:
                columns = ", ".join(f"{row[0]} {row[1]}" for row in built.execute(f"describe {name}").fetchall())
                self.connection.execute(f"create table warehouse.main.{name} ({columns})")
            for name in SEEDS:
                table = built.execute(f"select * from {name}").fetch_arrow_table()
                self.connection.register("seed", table)
                self.connection.execute(f"create or replace table warehouse.main.{name} as select * from seed")
                self.connection.unregister("seed")
        self.connection.execute("use warehouse")

    def build(
        self,
        cases: Iterable[Row],
        quarter: str = QUARTER,
        procedures: Iterable[Row] = (),
        decisions: Iterable[Row] = (),
        nothing_sent: Iterable[tuple[str, str]] = (),
        dropped: Mapping[str, Iterable[str]] = MappingProxyType({}),
    ) -> CaseModels:
        """Builds the models for the run quarter over these rows.

        ``procedures`` and ``decisions`` are rows of int_procedures_listed and int_decisions without unit and quarter;
        ``nothing_sent`` are (unit, quarter) that delivered a file without cases; ``dropped`` columns that a unit's
        files do not have.
        """  # fmt: skip
        rows = [row | {"row_number": row["row_number"] or number} for number, row in enumerate(cases, start=1)]
        files = sorted({(r["quarter"], r["delivering_unit_code"], r["file"]) for r in rows})
        deliveries = [
            {"delivery_id": f"{unit}-{folder}-{file}", "source": "one_stop_cases", "delivering_unit_code": unit,
             "quarter": folder, "file_name": f"{file}.xlsx", "is_current": True, "outcome": "accepted",
             "delivery_rank": file, "rows_accepted": 1,
             "columns_mapped": [name for name in COLUMNS if name not in set(dropped.get(unit, ()))]}
            for folder, unit, file in files
        ]  # fmt: skip
        deliveries += [
            {"delivery_id": f"{unit}-{folder}-0", "source": "one_stop_cases", "delivering_unit_code": unit,
             "quarter": folder, "file_name": "0.xlsx", "is_current": True, "outcome": "nothing_to_report",
             "delivery_rank": 0}
            for unit, folder in nothing_sent
        ]  # fmt: skip
        staged = [
            {name: value for name, value in row.items() if name != "file"}
            | {"delivery_id": f"{row['delivering_unit_code']}-{row['quarter']}-{row['file']}",
               "delivery_rank": row["file"], "sheet": "Sheet1"}
            for row in rows
        ]  # fmt: skip
        folders = in_order({d["quarter"] for d in deliveries} | {quarter, *period_named(quarter).made_of})
        names = ("quarter", "opens_on", "closes_on", "year_opens_on", "period_no", "made_of")
        periods = {
            row[0]: dict(zip(names, row, strict=True))
            for row in self.connection.execute(f"select {', '.join(names)} from int_periods").fetchall()
        }
        parts = period_named(quarter).made_of
        here = [{"unit_code": DISTRICT, "quarter": q} for q in folders]
        self._fill("stg_one_stop_cases__cases", staged)
        self._fill("stg_deliveries__deliveries", deliveries)
        self._fill("int_units", [
            {"quarter": q, "unit_code": unit, "unit_level": level, "current_unit_code": unit,
             "reporting_unit_code": reporting}
            for q in folders for unit, (level, reporting) in UNITS.items()
        ])  # fmt: skip
        closing = period_named(quarter).closes_on
        self._fill("stg_units__pasts", [
            {name: value or None for name, value in past.items()}
            for past in csv.DictReader(pasts_csv(self.register(), closing).splitlines())
            if past["unit_code"] in self.units()
        ])  # fmt: skip
        self._fill("int_report_scope", [
            periods[q] | {"run_quarter": quarter, "is_run_quarter": q == quarter, "is_part": q in parts}
            for q in folders
        ])  # fmt: skip
        self._fill("int_reporting_units", [
            {name: value for name, value in periods[q].items() if name not in ("period_no", "made_of")}
            | {"unit_code": unit, "is_run_quarter": q == quarter}
            for q in folders for unit in (DISTRICT, ELSEWHERE)
        ])  # fmt: skip
        self._fill("int_forms_in_force", [
            {"unit_code": unit, "quarter": q, "form_version": "2023"} for q in folders for unit in (DISTRICT, ELSEWHERE)
        ])  # fmt: skip
        self._fill("int_unit_windows", [
            {name: value for name, value in periods[q].items() if name != "made_of"}
            | {"unit_code": unit, "is_run_quarter": q == quarter, "begins_within": False}
            for q in folders for unit in (DISTRICT, ELSEWHERE)
        ])  # fmt: skip
        self._fill("int_report_deliveries", [
            {name: d[name] for name in ("delivery_id", "source", "delivering_unit_code", "quarter", "outcome")}
            | {"report_quarter": q, "is_of_own_folder": q == d["quarter"], "is_latest": True}
            for q in folders for d in deliveries
            if q == d["quarter"] or d["quarter"] in period_named(q).made_of
        ])  # fmt: skip
        self._fill("int_procedures_listed", [
            unit | {"describes_procedure": True, "is_in_force": True, "is_answered_at_once": False} | procedure
            for unit in here for procedure in procedures
        ])  # fmt: skip
        self._fill("int_decisions", [
            unit | {"action": "count_as_on_time", "subject_kind": "case", "is_in_effect": True} | decision
            for unit in here for decision in decisions
        ])  # fmt: skip
        covered = {(d["quarter"], d["delivering_unit_code"]) for d in deliveries}
        self._fill("int_coverage", [
            {"unit_code": DISTRICT, "quarter": q, "source": "one_stop_cases", "measure_level": level,
             "units_counted": sum((q, unit) in covered for unit in units), "units_expected": len(units)}
            for q in folders for level, units in LEVELS.items()
        ])  # fmt: skip
        for name in MODELS:
            self.connection.execute(f"create or replace table warehouse.main.{name} as {self._sql[name]}")
        return self

    def register(self) -> UnitRegister:
        """The register of units as the models find it."""
        return registered()

    def units(self) -> Collection[str]:
        """The units of whom the models are told what they were before."""
        return UNITS

    def _fill(self, name: str, rows: list[Row]) -> None:
        self.connection.execute(f"delete from {name}")
        for columns in sorted({tuple(sorted(row)) for row in rows}):
            same = [[row[column] for column in columns] for row in rows if tuple(sorted(row)) == columns]
            marks = ", ".join("?" for _ in columns)
            self.connection.executemany(f"insert into {name} ({', '.join(columns)}) values ({marks})", same)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Answers a query over the models."""
        return self.connection.execute(query).fetchall()

    def cases(self, columns: str, quarter: str = QUARTER) -> list[tuple[Any, ...]]:
        """Columns of ``int_cases`` in a quarter, in the order of the codes as delivered."""
        return self.rows(
            f"select {columns} from int_cases where unit_code = '{DISTRICT}' and quarter = '{quarter}'"
            " order by case_code"
        )

    def findings(self, columns: str = "kind, case_code") -> list[tuple[Any, ...]]:
        """Columns of the findings of the run quarter."""
        return self.rows(f"select {columns} from case_findings where unit_code = '{DISTRICT}' order by kind, case_code")

    def measures(self, quarter: str = QUARTER) -> dict[str, tuple[int | None, int, int]]:
        """Measure -> value (None: not reported), units counted, units expected."""
        return {
            measure: (value if reported else None, counted, expected)
            for measure, value, reported, counted, expected in self.rows(
                "select measure, value, reported, units_counted, units_expected from measures_cases"
                f" where unit_code = '{DISTRICT}' and quarter = '{quarter}'"
            )
        }

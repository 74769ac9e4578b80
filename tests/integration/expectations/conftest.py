"""Small worlds for the gates: clean candidates and lakes as Parquet, and ways to spoil them one thing at a time."""

from __future__ import annotations

import copy
import csv
import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.declared import read_yaml
from expectations.declarations import Rule
from expectations.engine_sql import count_violations
from expectations.inspection import MartRequest, RawRequest
from expectations.suites import Compiled
from ingestion.base.contracts import LINEAGE_FIELDS, load_contracts
from ingestion.base.remarks import SCHEMA as REMARK_SCHEMA
from ingestion.rows.outcome import REMARK_SCHEMA as REJECTED_SCHEMA

QUARTER = "2023-Q2"
WINDOW = (dt.date(2023, 3, 15), dt.date(2023, 6, 14))
DECIMAL = pa.decimal128(18, 4)
CLEAN_REPORT = Path(__file__).parent / "clean_report.csv"
RELATION_MUTATIONS: dict[str, dict[str, Any]] = read_yaml(Path(__file__).parent / "relation_mutations.yml")
FORM = Path(__file__).parents[3] / "forms" / "2023" / "rows.csv"

Row = dict[str, Any]

_REPORT_SCHEMA = pa.schema(
    [
        ("unit_code", pa.string()),
        ("quarter", pa.string()),
        ("form_version", pa.string()),
        ("row_no", pa.int64()),
        ("indicator_code", pa.string()),
        ("indicator_name_vi", pa.string()),
        ("indicator_name_corrected_vi", pa.string()),
        ("section", pa.string()),
        ("printed_number", pa.string()),
        ("unit_of_measure", pa.string()),
        ("unit_of_measure_canonical", pa.string()),
        ("kind", pa.string()),
        ("source", pa.string()),
        ("period_basis", pa.string()),
        ("value", DECIMAL),
        ("value_text", pa.string()),
        ("status", pa.string()),
        ("numerator", DECIMAL),
        ("denominator", DECIMAL),
        ("computed_value", DECIMAL),
        ("declared_value", DECIMAL),
        ("decision_id", pa.string()),
        ("previous_quarter_value", DECIMAL),
    ]
)
_UNIT_AND_QUARTER = pa.schema([("unit_code", pa.string()), ("quarter", pa.string())])
MART_SCHEMAS = {
    "report_indicators": _REPORT_SCHEMA,
    "rule_inputs": pa.schema(
        [("unit_code", pa.string()), ("quarter", pa.string()), ("name", pa.string()), ("value", DECIMAL)]
    ),
    "decision_effects": pa.schema(
        [
            (name, pa.string())
            for name in (
                "unit_code",
                "quarter",
                "decision_id",
                "effect",
                "subject_kind",
                "subject",
                "action",
                "problem_vi",
                "applies_to",
                "figures_seen",
                "first_quarter",
                "last_quarter",
            )
        ]
    ),
    "case_processing": pa.schema(
        [(name, pa.string()) for name in ("unit_code", "quarter", "unit_level")]
        + [
            (name, pa.int64())
            for name in (
                "received",
                "resolved",
                "resolved_early",
                "resolved_on_time",
                "resolved_late",
                "resolved_without_appointment",
                "in_progress",
                "in_progress_within_due",
                "in_progress_overdue",
            )
        ]
    ),
    "e_document_exchange": _UNIT_AND_QUARTER,
    "staffing": _UNIT_AND_QUARTER,
    "procedure_coverage": _UNIT_AND_QUARTER,
    "case_form_06a": _UNIT_AND_QUARTER,
    "case_timeliness": _UNIT_AND_QUARTER,
    "case_backlog": _UNIT_AND_QUARTER,
    "procedure_duration": _UNIT_AND_QUARTER,
    "case_lateness": _UNIT_AND_QUARTER,
    "figure_rows": _UNIT_AND_QUARTER,
    "measure_values": _UNIT_AND_QUARTER,
    "indicator_trend": _UNIT_AND_QUARTER,
    "case_findings": pa.schema(
        [
            *((name, pa.string()) for name in ("unit_code", "quarter", "kind", "case_code", "file_name", "sheet")),
            *((name, pa.string()) for name in ("other_case_code", "correct_quarter")),
            *((name, pa.int64()) for name in ("row_number", "carried_over", "open_before")),
            *((name, pa.date32()) for name in ("received_on", "day")),
        ]
    ),
    "case_questions": pa.schema(
        [
            *((name, pa.string()) for name in ("unit_code", "quarter", "kind", "case_code", "file_name", "sheet")),
            *((name, pa.string()) for name in ("delivery_id", "neutral_sheet", "owner_name_vi")),
            *((name, pa.int64()) for name in ("row_number", "cases", "usual")),
            *((name, pa.date32()) for name in ("day", "earlier_day")),
        ]
    ),
    "report_narrative": pa.schema(
        [
            *((name, pa.string()) for name in ("unit_code", "quarter", "section", "text_vi", "file_name", "sheet")),
            ("paragraph_no", pa.int32()),
            ("row_number", pa.int64()),
        ]
    ),
    "period_moves": pa.schema(
        [
            *((name, pa.string()) for name in ("unit_code", "quarter", "indicator_code", "kind", "case_code")),
            *((name, pa.string()) for name in ("counted_in", "file_name", "sheet")),
            *((name, pa.int64()) for name in ("times_in_whole", "times_in_parts", "row_number")),
            *((name, pa.date32()) for name in ("received_on", "day")),
        ]
    ),
    "period_comparison": pa.schema(
        [
            *((name, pa.string()) for name in ("unit_code", "quarter", "indicator_code", "source")),
            *((name, DECIMAL) for name in ("value", "quarters_sum")),
            *((name, pa.int64()) for name in ("quarters", "cases_moved", "moved_net")),
        ]
    ),
    "rows_left_out": pa.schema(
        [
            *((name, pa.string()) for name in ("unit_code", "quarter", "source", "reason")),
            *((name, pa.string()) for name in ("file_name", "sheet", "told")),
            ("row_number", pa.int64()),
            ("rows_delivered", pa.int64()),
        ]
    ),
    "register_doubts": pa.schema(
        [
            (name, pa.string())
            for name in ("unit_code", "quarter", "source", "doubt", "subject", "label_vi", "expected", "found")
        ]
    ),
    "dim_indicator": pa.schema([("form_version", pa.string()), ("indicator_code", pa.string())]),
    "letter_findings": pa.schema(
        [
            *((name, pa.string()) for name in ("unit_code", "quarter", "kind", "subject", "message_vi")),
            *((name, pa.string()) for name in ("file_name", "sheet")),
            ("row_number", pa.int64()),
        ]
    ),
}
MEASURES = {
    "procedures_shared": 16,
    "communes_expected": 8,
    "district_cases_carried_over": 0,
    "district_cases_set_aside": 2,
    "district_cases_open": 532,
    "commune_cases_carried_over": 4,
    "commune_cases_set_aside": 4,
    "commune_cases_open": 30,
    "AUX.01": 2,
    "AUX.02": 7,
    "district_cases_received": 1145,
    "district_cases_resolved": 611,
    "commune_cases_received": 6530,
    "commune_cases_resolved": 6500,
}
# Rows of which the declared twin is asked for.
HEADLINE = {f"III.{number}" for number in range(23, 29)} | {f"VII.{number}" for number in range(12, 17)}


@dataclass
class Candidate:
    """The marts of one reporting unit as lists of rows."""

    unit: str
    marts: dict[str, list[Row]]
    #: Quarter, row of the form and figure that the quarters of a longer period have published.
    published: list[tuple[str, str, str | None]] = field(default_factory=list)

    def set_figure(self, name: str, value: Decimal | int | None) -> None:
        """Gives a form row or measure another value, in all marts that show it."""
        amount = None if value is None else Decimal(value)
        if name.startswith("previous("):
            self.row(name.removeprefix("previous(").removesuffix(")"))["previous_quarter_value"] = amount
            return
        for row in self.marts["rule_inputs"]:
            if row["name"] == name:
                row["value"] = amount
        for row in self.marts["report_indicators"]:
            if row["indicator_code"] == name:
                row.update(
                    value=amount,
                    computed_value=amount,
                    declared_value=amount if row["declared_value"] is not None else None,
                    status="computed" if amount is not None else "not_reported",
                )

    def break_relation(self, rule: Rule) -> frozenset[str]:
        """Sets figures so that the relation does not hold; the indicator codes and measures that were changed.

        Rules that restate the catalogue of a form are broken as the catalogue says, others as
        ``relation_mutations.yml`` does.
        """
        changes = RELATION_MUTATIONS[rule.id]["set"] if rule.id in RELATION_MUTATIONS else self._against_catalogue(rule)
        for name, value in changes.items():
            self.set_figure(name, value)
        return frozenset(name.removeprefix("previous(").removesuffix(")") for name in changes)

    def _against_catalogue(self, rule: Rule) -> dict[str, int | Decimal]:
        code = str(rule.indicator)
        # Of a form that says otherwise of a row the rule bears that form's mark.
        rule_id = re.sub(r"\.form_\w+$", "", rule.id)
        if rule_id.startswith("report.flag_domain."):
            return {code: 2}
        if rule_id.endswith(".grows_in_year"):
            return {f"previous({code})": (self.row(code)["value"] or 0) + 1}
        if rule_id.endswith(".zero_when_parent_zero"):
            (parent,) = rule.rows - {code}
            return {parent: 0, code: 1}
        assert rule_id.endswith(".equals_parts"), rule.id
        return {code: sum(self.row(part)["value"] or 0 for part in rule.rows - {code}) + 1}

    def row(self, code: str) -> Row:
        return next(row for row in self.marts["report_indicators"] if row["indicator_code"] == code)

    def decide(
        self,
        decision_id: str,
        kind: str,
        subject: str,
        action: str,
        effect: str | None,
        last_quarter: str = QUARTER,
        first_quarter: str = QUARTER,
        applies_to: str | None = None,
        figures_seen: str | None = None,
    ) -> None:
        self.marts["decision_effects"].append(
            {
                "unit_code": self.unit,
                "quarter": QUARTER,
                "decision_id": decision_id,
                "effect": effect,
                "subject_kind": kind,
                "subject": subject,
                "action": action,
                "problem_vi": None,
                "applies_to": applies_to,
                "figures_seen": figures_seen,
                "first_quarter": first_quarter,
                "last_quarter": last_quarter,
            }
        )

    def find_case(self, kind: str, **values: Any) -> None:
        """Adds a row of ``case_findings``, of row 7 of a file."""
        row = {"unit_code": self.unit, "quarter": QUARTER, "kind": kind, "case_code": "H51.32-230510-0001"}
        place = {"file_name": "ho-so.xlsx", "sheet": "Sheet1", "row_number": 7}
        self.marts["case_findings"].append(row | place | values)

    def ask_case(self, kind: str, **values: Any) -> None:
        """Adds a row of ``case_questions``, of row 7 of a file."""
        row = {"unit_code": self.unit, "quarter": QUARTER, "kind": kind, "case_code": "H51.32-230510-0001"}
        place = {"file_name": "ho-so.xlsx", "sheet": "Sheet1", "neutral_sheet": "trang 1", "row_number": 7}
        self.marts["case_questions"].append(row | place | {"delivery_id": "0123456789abcdef"} | values)

    def write(self, folder: Path) -> tuple[Path, str]:
        """Writes the candidate; returns its folder and hash."""
        (folder / "marts").mkdir(parents=True)
        manifest: dict[str, Any] = {"unit_code": self.unit, "quarter": QUARTER, "marts": {}}
        for mart, rows in self.marts.items():
            path = folder / "marts" / f"{mart}.parquet"
            pq.write_table(pa.Table.from_pylist(rows, schema=MART_SCHEMAS[mart]), path)
            manifest["marts"][mart] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "rows": len(rows)}
        body = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
        (folder / "candidate.json").write_bytes(body)
        return folder, hashlib.sha256(body).hexdigest()


def clean_candidate(unit: str) -> Candidate:
    """A candidate in which every declared rule holds."""
    report: list[Row] = []
    inputs: list[Row] = []
    key = {"unit_code": unit, "quarter": QUARTER}
    with FORM.open(encoding="utf-8-sig", newline="") as file:
        form = {row["indicator_code"]: row for row in csv.DictReader(file)}
    with CLEAN_REPORT.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            value = Decimal(line["value"]) if line["value"] else None
            blank = "not_applicable" if line["kind"] in ("heading", "text", "heading_with_value") else "not_reported"
            report.append(
                key
                | {
                    "form_version": "2023",
                    "row_no": int(line["row_no"]),
                    "indicator_code": line["indicator_code"],
                    "indicator_name_vi": line["name_vi"],
                    "section": line["indicator_code"].split(".")[0],
                    "kind": line["kind"],
                    "source": form[line["indicator_code"]]["source"],
                    "period_basis": form[line["indicator_code"]]["period_basis"],
                    "value": value,
                    "value_text": None,
                    "status": "computed" if value is not None else blank,
                    "numerator": Decimal(line["numerator"]) if line["numerator"] else None,
                    "denominator": Decimal(line["denominator"]) if line["denominator"] else None,
                    "computed_value": value,
                    "declared_value": value if line["indicator_code"] in HEADLINE else None,
                    "decision_id": None,
                    "previous_quarter_value": value,
                }
            )
            inputs.append(key | {"name": line["indicator_code"], "value": value})
    inputs += [key | {"name": name, "value": Decimal(value)} for name, value in MEASURES.items()]
    dim = [{"form_version": "2023", "indicator_code": row["indicator_code"]} for row in report]
    parts = {"in_progress": 3, "in_progress_within_due": 2, "in_progress_overdue": 1, "resolved_early": 1}
    parts["resolved_without_appointment"] = 0
    cases = [
        key
        | parts
        | {"unit_level": "district", "received": 1145, "resolved": 611, "resolved_on_time": 605, "resolved_late": 5},
        key
        | parts
        | {"unit_level": "commune", "received": 6530, "resolved": 6500, "resolved_on_time": 6489, "resolved_late": 10},
    ]
    return Candidate(
        unit,
        {
            "report_indicators": report,
            "rule_inputs": inputs,
            "decision_effects": [],
            "dim_indicator": dim,
            "case_processing": cases,
            "e_document_exchange": [dict(key)],
            "staffing": [dict(key)],
            "procedure_coverage": [dict(key)],
            "case_form_06a": [dict(key)],
            "case_timeliness": [dict(key)],
            "case_backlog": [dict(key)],
            "procedure_duration": [dict(key)],
            "case_lateness": [dict(key)],
            "figure_rows": [dict(key)],
            "measure_values": [dict(key)],
            "indicator_trend": [dict(key)],
            "case_findings": [],
            "case_questions": [],
            "report_narrative": [key | PARAGRAPH],
            "rows_left_out": [],
            "period_moves": [],
            "period_comparison": [],
            "register_doubts": [],
            "letter_findings": [],
        },
    )


PARAGRAPH: Row = {
    "section": "II.2",
    "paragraph_no": 1,
    "text_vi": "Trong quý giải quyết {III.24} hồ sơ.",
    "file_name": "noi-dung.txt",
    "sheet": "txt",
    "row_number": 12,
}


@dataclass
class CandidateWorld:
    """Candidates of several units under one folder."""

    folder: Path
    candidates: list[Candidate] = field(default_factory=list)

    def add(self, unit: str, *changes: Callable[[Candidate], object]) -> Candidate:
        candidate = clean_candidate(unit)
        for change in changes:
            change(candidate)
        self.candidates.append(candidate)
        return candidate

    def request(self) -> MartRequest:
        published = tuple((c.unit, *figure) for c in self.candidates for figure in c.published)
        return MartRequest(QUARTER, {c.unit: c.write(self.folder / c.unit) for c in self.candidates}, published)


_DAY = dt.date(2023, 5, 10)
_TIME = dt.datetime(2023, 5, 10, 9, 30)
CLEAN_ROWS: dict[str, Row] = {
    "one_stop_cases": {
        "case_code": "H51-230510-0001",
        "procedure_code": "1.004946",
        "procedure_name": "Đăng ký khai sinh",
        "field": "Hộ tịch",
        "receiving_unit": "945",
        "received_at": _TIME,
        "due_at": _TIME + dt.timedelta(days=5),
        "finished_at": _TIME + dt.timedelta(days=2),
        "returned_at": _TIME + dt.timedelta(days=3),
        "status": "returned",
        "channel": "direct",
        "return_channel": "direct",
        "suspended_days": 0,
        "extended_to": None,
        "late_reason": None,
    },
    "declared_returns": {
        "indicator_code": "III.23",
        "indicator_name": None,
        "value": Decimal(5),
        "value_text": "5",
        "note": None,
        "evidence_document": "12/BC-UBND",
        "prepared_by": None,
        "approved_on": dt.date(2023, 6, 15),
    },
    "e_document_counts": {
        "unit": "945",
        "month": dt.date(2023, 4, 1),
        "document_kind": "all",
        "topic": "all",
        "outgoing_total": 10,
        "electronic_only": 6,
        "electronic_and_paper": 3,
        "paper_only": 1,
        "incoming_total": 8,
        "incoming_electronic": 7,
        "connected": True,
    },
    "org_units": {
        "unit_code": "945-PB01",
        "name": "Phòng Nội vụ",
        "short_names": None,
        "unit_type": "department",
        "parent_code": "945",
        "autonomy_group": 2,
        "applies_autonomy": False,
        "valid_from": dt.date(2010, 1, 1),
        "valid_to": dt.date(2030, 1, 1),
    },
    "department_figures": {
        "department": "94-SNV",
        "indicator_code": "I.02",
        "printed_number": None,
        "indicator_name": None,
        "value": Decimal(80),
        "value_text": "80",
        "numerator": Decimal(8),
        "denominator": Decimal(10),
        "evidence": "45/BC-SNV",
    },
    "portal_figures": {
        "unit": "945",
        "indicator_code": "III.23",
        "printed_number": None,
        "indicator_name": None,
        "value": Decimal(5),
        "value_text": "5",
        "taken_on": dt.date(2023, 6, 16),
        "portal": "Cổng Dịch vụ công quốc gia",
    },
    "plan_tasks": {
        "plan": "cchc_year",
        "plan_document": "03/KH-UBND",
        "task_code": "1",
        "content": None,
        "unit_in_charge": None,
        "target_unit": None,
        "planned_quantity": 3,
        "due_on": _DAY,
        "done_on": _DAY,
        "evidence_document": "7/BC",
        "findings_found": 2,
        "findings_settled": 1,
        "status": "done",
    },
    "procedure_catalogue": {
        "procedure_code": "1.004946",
        "procedure_name": "Đăng ký khai sinh",
        "field": "Hộ tịch",
        "applies_district": True,
        "applies_commune": True,
        "valid_from": dt.date(2020, 1, 1),
        "ended_on": dt.date(2023, 7, 1),
        "interlinked": "none",
        "internal_process_electronic": True,
        "time_limit": None,
        "shortened_time_limit": None,
        "shortened_on": _DAY,
        "components_reduced_on": _DAY,
        "online_eligible_level": "level_4",
        "online_offered_level": "level_4",
        "on_national_portal": True,
        "has_fee": False,
        "online_payment": False,
        "postal_service": False,
        "reviewed_on": _DAY,
    },
    "staffing_roster": {
        "person_key": "k1",
        "person_name_key": None,
        "unit": "945-PB01",
        "category": "district_civil_servant",
        "salary_source": "state_budget",
        "position": None,
        "leadership": "department_leader",
        "rank_code": "01.003",
        "recruited_on": dt.date(2010, 1, 1),
        "recruitment_mode": "examination",
        "appointed_on": _DAY,
        "appointment_mode": "appointment",
        "left_on": _DAY,
        "leaving_reason": "retired",
        "disciplined_on": _DAY,
        "discipline_level": None,
        "training_course": None,
        "training_ended_on": _DAY,
        "rotated_on": _DAY,
        "digital_certificate": True,
        "official_email": True,
        "it_officer": False,
    },
    "survey_responses": {
        "form_number": "P1",
        "channel": "paper",
        "responded_on": _DAY,
        "attitude": "satisfied",
        "time": "satisfied",
        "quality": "satisfied",
        "overall": "satisfied",
    },
    "report_narrative": {
        "section": "II.2",
        "paragraph_no": 1,
        "text": "Một số xã cập nhật chưa kịp thời.",
    },
    "decisions": {
        "decision_id": "QD-01",
        "subject_kind": "row",
        "subject": "III.25",
        "applies_to": None,
        "figures_seen": None,
        "unit": "elsewhere",
        "quarter": QUARTER,
        "action": "accept_declared",
        "value": None,
        "value_text": None,
        "reason": "Đã đối chiếu",
        "approved_by": "Chủ tịch UBND huyện",
        "document_number": "20/QĐ-UBND",
        "dated": _DAY,
        "holds_until": QUARTER,
    },
}


@dataclass
class Delivery:
    """One current delivery: its receipt and its accepted rows."""

    unit: str
    source: str
    delivery_id: str
    rows: list[Row]
    outcome: str = "accepted"
    rows_rejected: int = 0
    rows_accepted: int | None = None
    is_current: bool = True
    quarter: str = QUARTER
    columns: tuple[str, ...] = ("a",)
    findings: list[Row] = field(default_factory=list)
    remarks: list[Row] = field(default_factory=list)
    message_vi: str = ""
    rank: int = 1


@dataclass
class Lake:
    """Deliveries of several units; what is changed in them before :meth:`write` is what the gate sees."""

    folder: Path
    deliveries: list[Delivery] = field(default_factory=list)
    units: dict[str, tuple[str, ...]] = field(default_factory=dict)
    landing_remarks: list[Row] = field(default_factory=list)
    waiting: list[tuple[str, str, str, str]] = field(default_factory=list)
    given_by_parts: list[tuple[str, str]] = field(default_factory=list)
    parts_held: list[tuple[str, str, str]] = field(default_factory=list)

    def add_unit(self, unit: str) -> None:
        """A district with one commune that together sent everything in order."""
        commune = f"{unit}-x"
        self.units[unit] = (unit, commune)
        for source, clean in CLEAN_ROWS.items():
            self.deliveries.append(Delivery(unit, source, f"{unit}.{source}", [copy.deepcopy(clean)]))
        self.deliveries.append(
            Delivery(
                commune,
                "one_stop_cases",
                f"{commune}.cases",
                [CLEAN_ROWS["one_stop_cases"] | {"case_code": "H51-230510-0002"}],
            )
        )

    def of(self, unit: str, source: str) -> Delivery:
        return next(d for d in self.deliveries if (d.unit, d.source) == (unit, source))

    def first(self, unit: str, source: str) -> Row:
        return self.of(unit, source).rows[0]

    def write(self) -> Path:
        contracts = load_contracts()
        for source, contract in contracts.items():
            schema = contract.arrow_schema()
            home = self.folder / "lake" / f"source={source}"
            home.mkdir(parents=True)
            pq.write_table(schema.empty_table(), home / "schema.parquet")
            records = [
                self._record(d, number, row)
                for d in self.deliveries
                if d.source == source
                for number, row in enumerate(d.rows, start=2)
            ]
            if records:
                # Which folder of the quarter a row lies in does not matter: its delivery says whose it is.
                part = home / f"quarter={QUARTER}" / "unit=all"
                part.mkdir(parents=True)
                pq.write_table(pa.Table.from_pylist(records, schema=schema), part / "rows.parquet")
        self._write_receipts()
        self._write_layer("findings", REJECTED_SCHEMA, {d.delivery_id: (d, d.findings) for d in self.deliveries})
        self._write_layer("remarks", REMARK_SCHEMA, {d.delivery_id: (d, d.remarks) for d in self.deliveries})
        pq.write_table(REMARK_SCHEMA.empty_table(), self.folder / "remarks" / "schema.parquet")
        if self.landing_remarks:
            table = pa.Table.from_pylist(self.landing_remarks, schema=REMARK_SCHEMA)
            pq.write_table(table, self.folder / "landing_remarks.parquet")
        return self.folder

    def _write_layer(self, layer: str, schema: pa.Schema, found: dict[str, tuple[Delivery, list[Row]]]) -> None:
        (self.folder / layer).mkdir(parents=True, exist_ok=True)
        for delivery, rows in found.values():
            if rows:
                folder = self.folder / layer / f"source={delivery.source}" / f"quarter={QUARTER}" / "unit=all"
                folder.mkdir(parents=True, exist_ok=True)
                records = [self._record(delivery, 1, {}) | row for row in rows]
                pq.write_table(pa.Table.from_pylist(records, schema=schema), folder / f"{delivery.delivery_id}.parquet")

    @staticmethod
    def _record(delivery: Delivery, number: int, row: Row) -> Row:
        lineage: list[Any] = [
            delivery.delivery_id,
            delivery.source,
            delivery.unit,
            QUARTER,
            f"{delivery.delivery_id}.xlsx",
            "0" * 64,
            "Sheet1",
            number,
        ]
        names = [lineage_field.name for lineage_field in LINEAGE_FIELDS]
        return dict(zip(names, lineage, strict=True)) | row

    def _write_receipts(self) -> None:
        schema = pa.schema(
            [
                (name, pa.string())
                for name in ("delivery_id", "source", "unit_code", "quarter", "file_name", "outcome", "message_vi")
            ]
            + [("is_current", pa.bool_()), ("columns_mapped", pa.list_(pa.string()))]
            + [
                (name, pa.int64())
                for name in (
                    "rows_read",
                    "rows_accepted",
                    "rows_rejected",
                    "rows_with_findings",
                    "rows_mended",
                    "delivery_rank",
                )
            ]
        )
        receipts = []
        for d in self.deliveries:
            accepted = len(d.rows) if d.rows_accepted is None else d.rows_accepted
            receipts.append(
                {
                    "delivery_id": d.delivery_id,
                    "source": d.source,
                    "unit_code": d.unit,
                    "quarter": d.quarter,
                    "file_name": f"{d.delivery_id}.xlsx",
                    "columns_mapped": list(d.columns),
                    "rows_with_findings": len({row["_row"] for row in d.findings}),
                    "outcome": d.outcome,
                    "message_vi": d.message_vi,
                    "is_current": d.is_current,
                    "delivery_rank": d.rank,
                    "rows_read": accepted + d.rows_rejected,
                    "rows_accepted": accepted,
                    "rows_rejected": d.rows_rejected,
                    "rows_mended": 0,
                }
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(receipts, schema=schema), self.folder / "deliveries.parquet")

    def request(self) -> RawRequest:
        hashes = {unit: f"inputs-of-{unit}" for unit in self.units}
        parts = tuple(self.parts_held)
        return RawRequest(
            self.write(), QUARTER, WINDOW, self.units, hashes, tuple(self.waiting), tuple(self.given_by_parts), parts
        )


@dataclass(frozen=True)
class PlainAnswer:
    holds: bool | None
    error: str | None = None


class PlainDatabase:
    """A database without Great Expectations: answers come from SQL, for tests that ask what follows from an answer."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()

    def __enter__(self) -> PlainDatabase:
        return self

    def __exit__(self, *exception: object) -> None:
        self.connection.close()

    def ask(self, suite: Iterable[Compiled]) -> dict[str, PlainAnswer]:
        counts = count_violations(self.connection, suite)
        return {rule_id: PlainAnswer(None if count.error else not count.failed) for rule_id, count in counts.items()}


class Worlds:
    """Makes empty worlds in a folder."""

    candidates = CandidateWorld
    lake = Lake
    plain = PlainDatabase


@pytest.fixture(scope="session")
def worlds() -> type[Worlds]:
    return Worlds


@pytest.fixture
def candidate_world(tmp_path: Path) -> CandidateWorld:
    return CandidateWorld(tmp_path / "candidates")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "raw")

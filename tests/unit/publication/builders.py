"""Small builds and candidates made by hand, so that publication is tested without dbt.

The form is the printed annex of 2023-Q1; the other marts hold a handful of rows.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import expectations
from expectations import verdicts
from expectations.declarations import Stage
from publication import read_candidate, record_build, write_candidates
from publication.store.candidate import Candidate

ANNEX = Path(__file__).parents[2] / "data" / "annex_2023-Q1.csv"
UNIT = "945"
OTHER_UNIT = "941"
QUARTER = "2023-Q1"
FORM_VERSION = "2023"
_DECIMAL = pa.decimal128(18, 4)
_FORM_TYPES: dict[str, pa.DataType] = {
    "unit_code": pa.string(),
    "quarter": pa.string(),
    "form_version": pa.string(),
    "row_no": pa.int32(),
    "section": pa.string(),
    "printed_number": pa.string(),
    "level": pa.int32(),
    "indicator_code": pa.string(),
    "indicator_name_vi": pa.string(),
    "indicator_name_corrected_vi": pa.string(),
    "unit_of_measure": pa.string(),
    "unit_of_measure_canonical": pa.string(),
    "kind": pa.string(),
    "value": _DECIMAL,
    "value_text": pa.string(),
    "status": pa.string(),
    "source": pa.string(),
    "period_basis": pa.string(),
    "direction": pa.string(),
    "numerator": _DECIMAL,
    "denominator": _DECIMAL,
    "computed_value": _DECIMAL,
    "declared_value": _DECIMAL,
    "decision_id": pa.string(),
    "note_vi": pa.string(),
    "footnote_vi": pa.string(),
    "previous_quarter_value": _DECIMAL,
    "same_quarter_last_year_value": _DECIMAL,
    "year_to_date_value": _DECIMAL,
    "units_counted": pa.int32(),
    "units_expected": pa.int32(),
}
_DECISION_TYPES: dict[str, pa.DataType] = dict.fromkeys(
    (
        "unit_code",
        "quarter",
        "decision_id",
        "effect",
        "subject_kind",
        "subject",
        "action",
        "problem_vi",
        "reason_vi",
        "approved_by_vi",
        "document_number",
    ),
    pa.string(),
) | {"dated": pa.date32(), "first_quarter": pa.string(), "last_quarter": pa.string()}


def printed_annex() -> list[dict[str, str]]:
    """The 211 rows of the real form, as transcribed from print."""
    with ANNEX.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def form_table(
    unit: str = UNIT, quarter: str = QUARTER, changes: Mapping[str, Mapping[str, Any]] | None = None
) -> pa.Table:
    """``report_indicators`` of one unit holding the printed figures; ``changes`` overrides cells by indicator code.

    Every figure is a computed one, so a changed value is a changed computed value unless the change says otherwise.
    """
    rows, within = [], {}
    for printed in printed_annex():
        within[printed["section"]] = within.get(printed["section"], 0) + 1
        code = f"{printed['section']}.{within[printed['section']]:02d}"
        value = Decimal(printed["value_number"]) if printed["value_number"] else None
        heading = printed["is_header"] == "1"
        row: dict[str, Any] = dict.fromkeys(_FORM_TYPES) | {
            "unit_code": unit,
            "quarter": quarter,
            "form_version": FORM_VERSION,
            "row_no": int(printed["row_no"]),
            "section": printed["section"],
            "printed_number": printed["stt"] or None,
            "indicator_code": code,
            "indicator_name_vi": printed["indicator_name_vi"],
            "unit_of_measure": printed["unit_vi"] or None,
            "value": value,
            "computed_value": value,
            "note_vi": printed["note_vi"] or None,
            "level": int(printed["level"]),
            "kind": "heading" if heading else "heading_with_value" if "heading" in printed["value_kind"] else "count",
            "status": "not_applicable" if heading else "not_reported" if value is None else "computed",
        }
        change = dict((changes or {}).get(code, {}))
        if "value" in change:
            change.setdefault("computed_value", change["value"])
        rows.append(row | change)
    schema = pa.schema([pa.field(name, kind) for name, kind in _FORM_TYPES.items()])
    return pa.Table.from_pylist(rows, schema=schema)


def build_tables(
    *,
    unit: str = UNIT,
    quarter: str = QUARTER,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    decisions: list[dict[str, Any]] | None = None,
    content: str = "a",
) -> dict[str, pa.Table]:
    """All marts of a small build: the form of one unit plus a few rows of everything else.

    ``content`` is that of the one delivery behind every figure.
    """
    form = form_table(unit, quarter, changes)
    return {
        "report_indicators": form,
        "case_processing": pa.table(
            {
                "unit_code": [unit, unit, OTHER_UNIT],
                "quarter": [quarter] * 3,
                "receiving_unit_code": [UNIT, UNIT, OTHER_UNIT],
                "field_vi": ["Hộ tịch", "Đất đai", "="],
                "channel": ["direct"] * 3,
                "unit_level": ["district"] * 3,
                "received": pa.array([7, 3, 1], pa.int64()),
                "resolved": pa.array([6, 2, 1], pa.int64()),
                "resolved_early": pa.array([3, 1, 1], pa.int64()),
                "resolved_on_time": pa.array([1, 1, 0], pa.int64()),
                "resolved_late": pa.array([1, 0, 0], pa.int64()),
                "resolved_without_appointment": pa.array([1, 0, 0], pa.int64()),
                "counted_on_time_by_decision": pa.array([1, 0, 0], pa.int64()),
                "median_days": pa.array([Decimal("1.5"), None, Decimal("2")], _DECIMAL),
            }
        ),
        "case_form_06a": form_06a_table(unit, quarter),
        "case_timeliness": _timeliness_table(unit, quarter),
        "delivery_log": pa.table(
            {
                "unit_code": [unit],
                "quarter": [quarter],
                "delivering_unit_code": [unit],
                "source": ["plan_tasks"],
                "file_name": ["hồ sơ.xlsx"],
                "sha256": ["a" * 64],
                "version": pa.array([1], pa.int32()),
                "is_current": [True],
                "rows_accepted": pa.array([19], pa.int64()),
                "rows_rejected": pa.array([0], pa.int64()),
            }
        ),
        "dim_unit": pa.table(
            {
                "unit_code": [UNIT, "31615", "945-PB01", OTHER_UNIT, "26734"],
                "reporting_unit_code": [UNIT, UNIT, UNIT, OTHER_UNIT, "26734"],
                "unit_level": ["district", "commune", "district", "district", "commune"],
                "unit_type": ["district", "commune", "department", "district", "commune"],
                "parent_unit_code": ["94", UNIT, UNIT, "94", "94"],
                "name_vi": ["Huyện Cù Lao Dung", "Thị trấn Cù Lao Dung", "Phòng Nội vụ", "Huyện khác", "Xã An Thạnh"],
            }
        ),
        "dim_quarter": pa.table(
            {
                "quarter": ["2022-Q4", "2023-Q1", "2023-Q2"],
                "opens_on": [dt.date(2022, 9, 15), dt.date(2022, 12, 15), dt.date(2023, 3, 15)],
                "closes_on": [dt.date(2022, 12, 14), dt.date(2023, 3, 14), dt.date(2023, 6, 14)],
                "year_opens_on": [dt.date(2021, 12, 15), dt.date(2022, 12, 15), dt.date(2022, 12, 15)],
                "previous_quarter": ["2022-Q3", "2022-Q4", "2023-Q1"],
                "same_quarter_last_year": ["2021-Q4", "2022-Q1", "2022-Q2"],
            }
        ),
        **_behind(form, content),
        "dim_procedure": pa.table(
            {
                "unit_code": [unit, OTHER_UNIT],
                "quarter": [quarter] * 2,
                "procedure_code": ["1.000001", "1.000002"],
            }
        ),
        "rule_inputs": form.select(["unit_code", "quarter"])
        .append_column("name", form["indicator_code"])
        .append_column("value", form["value"]),
        "decision_effects": pa.Table.from_pylist(
            [
                dict.fromkeys(_DECISION_TYPES) | {"unit_code": unit, "quarter": quarter} | decision
                for decision in decisions or []
            ],
            schema=pa.schema(list(_DECISION_TYPES.items())),
        ),
    }


def _timeliness_table(unit: str, quarter: str) -> pa.Table:
    """``case_timeliness`` of one unit: of 8 cases resolved 6 on time, one late and one that nobody can tell."""
    scopes = (("unit", UNIT), ("level", "district"), ("all", "all"))
    rows = [
        {
            "unit_code": unit,
            "quarter": quarter,
            "clock": "reporting_window",
            "scope_kind": kind,
            "scope_code": code,
            "denominator_kind": "resolved",
            "numerator": 6,
            "denominator": 8,
            "on_time_percent": Decimal(75),
            "window_from": dt.date(2022, 12, 15),
            "window_to": dt.date(2023, 3, 14),
            "is_complete": True,
        }
        for kind, code in scopes
    ]
    return pa.Table.from_pylist(rows)


def _behind(form: pa.Table, content: str) -> dict[str, pa.Table]:
    """What stands behind the form: a measure a row, each from one row of one delivery."""
    rows = form.to_pylist()
    measures = [f"m_{row['row_no']}" for row in rows]
    values = [row["computed_value"] for row in rows]
    place = {name: [row[name] for row in rows] for name in ("unit_code", "quarter")}
    found = [number for number, value in enumerate(values) if value is not None]
    amounts = pa.array([values[number] for number in found], _DECIMAL)
    texts = pa.nulls(len(rows), pa.string())
    return {
        "dim_indicator": pa.table(
            {
                **{name: form[name] for name in ("form_version", "row_no", "indicator_code")},
                "derivation": [None if row["kind"] == "heading" else "measure" for row in rows],
                "numerator": measures,
                "denominator": texts,
                "derived_from": texts,
                "logical_parent_code": texts,
            }
        ),
        "dim_measure": pa.table(
            {
                "measure": measures,
                "source": ["plan_tasks"] * len(rows),
                "aggregation": ["count"] * len(rows),
                "aggregated_column": texts,
                "requires_vi": texts,
                "requires_measure": texts,
                "description_vi": [row["indicator_name_vi"] for row in rows],
            }
        ),
        "measure_values": pa.table(
            {
                **place,
                "measure": measures,
                "value": pa.array(values, _DECIMAL),
                "is_reported": [value is not None for value in values],
                "units_counted": pa.array([1] * len(rows), pa.int32()),
                "units_expected": pa.array([1] * len(rows), pa.int32()),
            }
        ),
        "figure_rows": pa.table(
            {
                **{name: [column[number] for number in found] for name, column in place.items()},
                "figure": [measures[number] for number in found],
                "delivery_id": [delivery(content=content)["delivery_id"]] * len(found),
                "sheet": ["S"] * len(found),
                "amount_each": amounts,
                "decision_id": pa.nulls(len(found), pa.string()),
                "row_numbers": [str(number + 1) for number in found],
                "row_count": pa.array([1] * len(found), pa.int64()),
                "amount": amounts,
            }
        ),
        "indicator_trend": pa.table(
            {
                **place,
                "indicator_code": form["indicator_code"],
                "trend_quarter": form["quarter"],
                "value": form["value"],
                "status": form["status"],
            }
        ),
    }


def form_06a_table(unit: str = UNIT, quarter: str = QUARTER) -> pa.Table:
    """``case_form_06a`` of one unit: a district of one field, and its total, on both clocks."""
    figures = {
        "to_resolve": 1145,
        "received_online": 5,
        "received_direct_or_postal": 1140,
        "carried_over": 0,
        "resolved": 611,
        "resolved_early": 392,
        "resolved_on_time": 219,
        "resolved_late": 0,
        "in_progress": 534,
        "in_progress_within_due": 534,
        "in_progress_overdue": 0,
        "resolved_without_appointment": 0,
    }
    own = {"field": ("Hộ tịch", None), "unit": ("Huyện Cù Lao Dung", UNIT)}
    rows = [
        {
            "unit_code": unit,
            "quarter": quarter,
            "clock": clock,
            "breakdown": breakdown,
            "row_no": row_no,
            "row_kind": kind,
            "unit_level": "all" if kind == "total" else "district",
            "printed_number": printed,
            "name_vi": own[breakdown][0] if kind == "row" else name,
            "field_vi": "Hộ tịch" if kind == "row" and breakdown == "field" else None,
            "receiving_unit_code": own[breakdown][1] if kind == "row" else None,
            **figures,
            "window_quarter": quarter,
            "window_from": dt.date(2022, 12, 15),
            "window_to": dt.date(2023, 3, 14),
            "is_complete": clock == "reporting_window",
        }
        for clock in ("reporting_window", "calendar_quarter")
        for breakdown in own
        for row_no, (kind, printed, name) in enumerate(
            (("group", "I", "Cấp huyện"), ("row", "1", ""), ("total", None, "Tổng cộng")), start=1
        )
    ]
    return pa.Table.from_pylist(rows)


def delivery(
    unit: str = UNIT, quarter: str = QUARTER, source: str = "plan_tasks", content: str = "a"
) -> dict[str, Any]:
    """One input of a candidate; ``content`` stands for what is in the file."""
    return {
        "delivery_id": (content * 16)[:16],
        "source": source,
        "unit_code": unit,
        "quarter": quarter,
        "file_name": f"{source}.xlsx",
        "sha256": (content * 64)[:64],
        "fingerprint": "f" * 64,
        "outcome": "accepted",
    }


def write_build(
    warehouse: Path,
    tables: Mapping[str, pa.Table],
    quarter: str = QUARTER,
    inputs: Mapping[str, list[dict[str, Any]]] | None = None,
) -> None:
    """Lay tables out as dbt's post-hooks and the build step leave them."""
    marts = warehouse / "build" / "marts"
    marts.mkdir(parents=True, exist_ok=True)
    for old in marts.glob("*.parquet"):
        old.unlink()
    for name, table in tables.items():
        pq.write_table(table, marts / f"{name}.parquet")
    record_build(warehouse, quarter, inputs or {UNIT: [delivery()]})


def write_candidate(
    warehouse: Path,
    *,
    unit: str = UNIT,
    quarter: str = QUARTER,
    inputs: list[dict[str, Any]] | None = None,
    **build: Any,
) -> Path:
    """Build and slice one unit's candidate; returns its folder."""
    # Figures that differ come from a delivery that differs; nothing else would explain them.
    content = hashlib.sha256(repr(sorted(build.items())).encode()).hexdigest() if build else "a"
    deliveries = [delivery(unit, quarter, content=content)] if inputs is None else inputs
    if deliveries:
        build.setdefault("content", deliveries[0]["sha256"])
    write_build(warehouse, build_tables(unit=unit, quarter=quarter, **build), quarter, {unit: deliveries})
    return write_candidates(warehouse, quarter, [unit], {unit: deliveries}, {unit: FORM_VERSION})[unit]


def code_of(row_no: int) -> str:
    """Indicator code of a printed row."""
    rows = form_table().to_pylist()
    code = next(row["indicator_code"] for row in rows if row["row_no"] == row_no)
    assert re.fullmatch(r"[IV]+\.\d{2}", code)
    return str(code)


def passing_results(stage: Stage) -> list[expectations.Result]:
    """One passed result for every rule declared for the stage."""
    return [
        expectations.Result(
            expectation_id=rule.id,
            source=rule.source,
            sentence_vi=rule.sentence_vi,
            severity=rule.severity,
            status="pass",
            observed=None,
            failed_rows=0,
            covered_rows=0,
            decision_id=None,
            settleable=rule.settleable,
            makes_provisional=rule.makes_provisional,
            empty_allowed=rule.when_empty == "allowed",
            blocking=False,
        )
        for rule in expectations.declared_rules(stage, FORM_VERSION)
    ]


def passing_verdict(stage: Stage, subject_hash: str, unit: str = UNIT, quarter: str = QUARTER) -> expectations.Verdict:
    """A verdict in which every declared rule passed."""
    return expectations.Verdict(
        stage=stage,
        unit_code=unit,
        quarter=quarter,
        subject_hash=subject_hash,
        suite_version=expectations.suite_version(stage, FORM_VERSION),
        results=tuple(passing_results(stage)),
    )


def clear_candidate(warehouse: Path, candidate_dir: Path) -> Candidate:
    """Store passing verdicts of both stages for a candidate, as the gates would."""
    candidate = read_candidate(candidate_dir)
    subjects: dict[Stage, str] = {"raw": candidate.inputs_hash, "mart": candidate.candidate_hash}
    for stage, subject in subjects.items():
        verdicts.write_verdict(warehouse, passing_verdict(stage, subject, candidate.unit_code, candidate.quarter))
    return candidate


def settle_one(warehouse: Path, candidate: Candidate, stage: Stage, is_it: Callable[[verdicts.Result], bool]) -> None:
    """Store a verdict in which the first such result failed and a decision covers that, and every other passed."""
    verdict = passing_verdict(stage, candidate.inputs_hash if stage == "raw" else candidate.candidate_hash)
    results = list(verdict.results)
    place = next(place for place, result in enumerate(results) if is_it(result))
    failed = {"status": "fail", "failed_rows": 1, "covered_rows": 1, "decision_id": "QD-06"}
    results[place] = results[place].model_copy(update=failed)
    verdicts.write_verdict(warehouse, verdict.model_copy(update={"results": tuple(results)}))

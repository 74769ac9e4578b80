"""Writes the sample's canonical rows straight into the layout of the raw lake.

For tests of what reads the lake (models, gates) without reading files first. Figures do not depend on lineage values,
so those are made up here, deterministically: row numbers count from 1, hashes are of names.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.periods import period_named
from ingestion.base.contracts import Contract, load_contracts
from ingestion.base.remarks import SCHEMA as REMARK_SCHEMA
from ingestion.rows.noticing import of_blanks
from sample.quarters import WINDOWS
from sample.rows import DEFAULT_SEED, FileKey, Row, sample_rows

DELIVERIES_SCHEMA = pa.schema(
    [
        pa.field("delivery_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("unit_code", pa.string()),
        pa.field("quarter", pa.string()),
        pa.field("file_name", pa.string()),
        pa.field("path", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("size_bytes", pa.int64()),
        pa.field("delivered_at", pa.timestamp("us")),
        pa.field("version", pa.int32()),
        pa.field("delivery_rank", pa.int64()),
        pa.field("outcome", pa.string()),
        pa.field("is_current", pa.bool_()),
        pa.field("superseded_by", pa.string()),
        pa.field("rows_read", pa.int64()),
        pa.field("rows_accepted", pa.int64()),
        pa.field("rows_rejected", pa.int64()),
        pa.field("rows_mended", pa.int64()),
        pa.field("rows_with_findings", pa.int64()),
        pa.field("columns_mapped", pa.list_(pa.string())),
        pa.field("unknown_columns", pa.list_(pa.string())),
        pa.field("reporting_window_from", pa.date32()),
        pa.field("reporting_window_to", pa.date32()),
        pa.field("fingerprint", pa.string()),
        pa.field("message_vi", pa.string()),
    ]
)

Change = Callable[[str, dict[FileKey, list[Row]]], None]


def write_lake(
    raw_dir: Path,
    quarters: Iterable[str] = tuple(WINDOWS),
    district: str = "945",
    seed: int = DEFAULT_SEED,
    change: Change | None = None,
) -> list[dict[str, Any]]:
    """Adds the sample's rows of ``quarters`` to the lake under ``raw_dir`` and returns the delivery records added.

    May be called again for another district: ``deliveries.parquet`` then holds both. ``change(quarter, files)`` may
    alter the rows of a quarter in place before they are written (drop the decisions, say).
    """
    files_by_quarter = {}
    for quarter in quarters:
        files_by_quarter[quarter] = sample_rows(quarter, seed=seed, district=district)
        if change is not None:
            change(quarter, files_by_quarter[quarter])
    return write_files(raw_dir, files_by_quarter)


def write_files(raw_dir: Path, files_by_quarter: dict[str, dict[FileKey, list[Row]]]) -> list[dict[str, Any]]:
    """Adds files of any units to the lake under ``raw_dir`` and returns the delivery records added.

    A column that no row of a file carries is a column that the file does not have; so is one that is blank as intake
    judges it.
    """
    contracts = load_contracts()
    for contract in contracts.values():
        _write(raw_dir / "lake" / f"source={contract.source}" / "schema.parquet", contract.arrow_schema().empty_table())
    _write(raw_dir / "remarks" / "schema.parquet", REMARK_SCHEMA.empty_table())
    records = [
        _write_delivery(raw_dir, contracts[source], unit, quarter, file_name, rows)
        for quarter, files in files_by_quarter.items()
        for (unit, source, file_name), rows in files.items()
    ]
    _add_deliveries(raw_dir / "deliveries.parquet", records)
    return records


def _write_delivery(
    raw_dir: Path, contract: Contract, unit: str, quarter: str, file_name: str, rows: list[Row]
) -> dict[str, Any]:
    source = contract.source
    content = hashlib.sha256(repr((unit, quarter, source, file_name, rows)).encode()).hexdigest()
    delivery_id = hashlib.sha256(f"{unit}|{quarter}|{source}|{content}".encode()).hexdigest()[:16]
    lineage = {
        "_delivery_id": delivery_id,
        "_source": source,
        "_unit_code": unit,
        "_quarter": quarter,
        "_file_name": file_name,
        "_file_sha256": content,
        "_sheet": "Sheet1",
    }
    records = [{**lineage, "_row": number, **_lake_row(contract, row)} for number, row in enumerate(rows, 1)]
    path = raw_dir / "lake" / f"source={source}" / f"quarter={quarter}" / f"unit={unit}" / f"{delivery_id}.parquet"
    table = pa.Table.from_pylist(records, schema=contract.arrow_schema())
    _write(path, table)
    headed = {c.name for c in contract.columns if any(c.name in row for row in rows)}
    blank = {remark.subject for remark in of_blanks(table, headed, contract)}
    window = period_named(quarter)
    delivered_on = window.closes_on + dt.timedelta(days=1)
    return {
        "delivery_id": delivery_id,
        "source": source,
        "unit_code": unit,
        "quarter": quarter,
        "file_name": file_name,
        "path": f"{unit}/{quarter}/{source}/{file_name}",
        "sha256": content,
        "size_bytes": len(rows) * 100,
        "delivered_at": dt.datetime.combine(delivered_on, dt.time(8, 0)),
        "version": 1,
        "outcome": "accepted" if rows else "nothing_to_report",
        "is_current": True,
        "superseded_by": None,
        "rows_read": len(rows),
        "rows_accepted": len(rows),
        "rows_rejected": 0,
        "rows_mended": 0,
        "rows_with_findings": 0,
        "columns_mapped": [c.name for c in contract.columns if c.name in headed - blank],
        "unknown_columns": [],
        "reporting_window_from": window.opens_on,
        "reporting_window_to": window.closes_on,
        "fingerprint": hashlib.sha256(contract.source.encode()).hexdigest(),
        "message_vi": None,
    }


def _lake_row(contract: Contract, row: Row) -> dict[str, Any]:
    """The row as it stands in the lake: people keyed, transient columns gone, printed numbers beside their values."""
    values: dict[str, Any] = {}
    for column in contract.lake_columns():
        if column.derived_from is not None:
            values[column.name] = _person_key(row, column.derived_from.code, column.derived_from.hashed)
        elif column.type == "number_or_text":
            value = row.get(column.name)
            values[column.name] = None if value is None or isinstance(value, str) else Decimal(value)
            values[f"{column.name}_text"] = None if value is None else str(value)
        else:
            values[column.name] = row.get(column.name, column.default)
    return values


def _person_key(row: Row, code: str | None, hashed: list[str]) -> str | None:
    if code is None and not row.get(hashed[0]):
        return None
    identity = (row.get(code) if code else None) or "|".join(str(row.get(name)) for name in hashed)
    return hashlib.sha256(f"test-key|{identity}".encode()).hexdigest()


def _add_deliveries(path: Path, records: list[dict[str, Any]]) -> None:
    earlier = pq.read_table(path).to_pylist() if path.exists() else []
    kept = [record for record in earlier if record["delivery_id"] not in {r["delivery_id"] for r in records}]
    ordered = sorted([*kept, *records], key=lambda r: (r["quarter"], r["source"], r["unit_code"], r["file_name"]))
    ranked = [{**r, "delivery_rank": rank} for rank, r in enumerate(ordered, start=1)]
    table = pa.Table.from_pylist(sorted(ranked, key=lambda r: r["delivery_id"]), schema=DELIVERIES_SCHEMA)
    _write(path, table)


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)

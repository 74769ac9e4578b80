"""A published folder of several quarters and a corrected release, made of one real release.

The marts of the later ones are those of the first with another quarter and other counts, so that questions over
several releases have different answers in each; files that no such question asks for are left out.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from common.files import sha256_bytes
from publication.content.changes import compare
from publication.content.revision import CHANGES_COLUMNS
from publication.index import rebuild_index
from publication.store.csvfile import to_csv
from publication.store.parquet import from_parquet, to_parquet
from publication.store.pointer import move_pointer
from publication.tables.manifest import (
    MANIFEST_NAME,
    PreviousRelease,
    content_hash,
    describe_outputs,
    read_manifest,
)

Row = dict[str, Any]
#: Counts that differ between the made releases, by table; the share of each.
_COUNTS = {
    "case_timeliness": ("numerator",),
    "procedure_duration": ("median_working_days",),
    "case_form_06a": ("in_progress", "in_progress_overdue"),
    "case_processing": ("received",),
    "case_lateness": ("cases",),
}


def several_releases(release: Path, folder: Path) -> Path:
    """The folder with the release's own quarter as r1 and r2, the two quarters after it, the half-year and the year."""
    unit, quarter = release.parent.parent.name, release.parent.name
    year = quarter[:4]
    place = folder / unit / quarter
    (place / "r1").mkdir(parents=True)
    shutil.copytree(release, place / "r1", dirs_exist_ok=True)
    first = sha256_bytes((place / "r1" / MANIFEST_NAME).read_bytes())
    move_pointer(place, unit=unit, quarter=quarter, expected=None, release=1, manifest_sha256=first)
    corrected = _made(release, place / "r2", quarter, 2, _corrected, PreviousRelease(release=1, manifest_sha256=first))
    move_pointer(place, unit=unit, quarter=quarter, expected=1, release=2, manifest_sha256=corrected)
    for number, part in enumerate(("Q2", "Q3", "H1", "Y"), start=2):
        later = f"{year}-{part}"
        sha256 = _made(release, folder / unit / later / "r1", later, 1, _of_quarter(later, number), None)
        move_pointer(folder / unit / later, unit=unit, quarter=later, expected=None, release=1, manifest_sha256=sha256)
    rebuild_index(folder)
    return folder


def _made(
    release: Path,
    target: Path,
    quarter: str,
    number: int,
    change: Callable[[str, pa.Table], pa.Table],
    previous: PreviousRelease | None,
) -> str:
    """Writes one release and returns the hash of its manifest."""
    before = {path.stem: from_parquet(path.read_bytes()) for path in (release / "marts").glob("*.parquet")}
    after = {name: change(name, table) for name, table in before.items()}
    (target / "marts").mkdir(parents=True)
    (target / "quality").mkdir()
    for name, table in after.items():
        (target / "marts" / f"{name}.parquet").write_bytes(to_parquet(table))
    lines = [
        dict.fromkeys(CHANGES_COLUMNS)
        | {"mart": c.mart, "row": c.row, "name_vi": c.name_vi, "column": c.column, "old": c.old, "new": c.new}
        for c in (compare(before, after) if previous else [])
    ]
    (target / "quality" / "changes.csv").write_bytes(to_csv(CHANGES_COLUMNS, lines))
    outputs = describe_outputs(target)
    manifest = read_manifest(release).model_copy(
        update={
            "release": number, "quarter": quarter, "outputs": outputs, "content_sha256": content_hash(outputs),
            "previous": previous, "published_at": f"2023-10-0{number}T08:00:00+07:00",
        }
    )  # fmt: skip
    data = manifest.to_bytes()
    (target / MANIFEST_NAME).write_bytes(data)
    return sha256_bytes(data)


def _rows(table: pa.Table, change: Callable[[Row], Row]) -> pa.Table:
    return pa.Table.from_pylist([change(row) for row in table.to_pylist()], schema=table.schema)


def _corrected(name: str, table: pa.Table) -> pa.Table:
    if name != "report_indicators":
        return table
    new = {"I.02": Decimal("48.50"), "IV.11": Decimal(78)}
    return _rows(table, lambda row: row | {"value": new.get(row["indicator_code"], row["value"])})


def _of_quarter(quarter: str, number: int) -> Callable[[str, pa.Table], pa.Table]:
    def change(name: str, table: pa.Table) -> pa.Table:
        if "quarter" in table.column_names and name not in ("dim_quarter",):
            place = table.column_names.index("quarter")
            table = table.set_column(
                place, table.schema.field(place), pa.array([quarter] * table.num_rows, pa.string())
            )
        if name == "report_indicators":
            return _rows(table, lambda row: row | {"value": _moved(row, number)})
        if name == "delivery_log":
            refused = pc.equal(table["source"], "plan_tasks")
            place = table.column_names.index("outcome")
            outcome = pc.if_else(refused, "refused", table["outcome"])
            return table.set_column(place, table.schema.field(place), outcome)
        return _rows(table, lambda row: _other_counts(name, row, number)) if name in _COUNTS else table

    return change


def _moved(row: Mapping[str, Any], number: int) -> Decimal | None:
    value: Decimal | None = row["value"]
    is_moved = value is not None and row["unit_of_measure"] == "%" and row["row_no"] % 3 == number % 3
    return value - row["row_no"] if value is not None and is_moved else value


def _other_counts(name: str, row: Row, number: int) -> Row:
    added = number + len(str(row.get("field_vi") or row.get("scope_code") or ""))
    counts = {column: row[column] + added for column in _COUNTS[name] if row[column] is not None}
    if name == "case_timeliness" and row["denominator"] and row["numerator"] is not None:
        numerator = max(row["numerator"] - added, 0)
        percent = (Decimal(100 * numerator) / row["denominator"]).quantize(Decimal("0.01"))
        return row | {"numerator": numerator, "on_time_percent": percent}
    return row | counts

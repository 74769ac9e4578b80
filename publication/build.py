"""Builds: the exported marts of one run of dbt, and the candidates that are cut from them.

Belongs here: recording a build, slicing its marts by unit, what the letter of a slice would say that its figures do
not. Does not belong here: how a candidate is kept and read back (``store.candidate``), whether it may be published
(``expectations``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from common.faults import is_of_the_machine
from common.files import canonical_json, replace_durably, sha256_bytes
from common.periods import quarters_behind
from common.unit_pasts import begins_on
from common.units import registered
from publication.letter_findings import check_form_texts, letter_findings
from publication.store.candidate import FORM_MART, LETTER_FINDINGS, CandidateError, hash_inputs, write_candidate
from publication.store.parquet import from_parquet

BUILD_NAME = "build.json"
#: What a dimension is sliced by; every other mart by unit and quarter.
_SLICED_BY = {
    "dim_unit": ("reporting_unit_code",),
    "dim_quarter": ("quarter",),
    "dim_indicator": ("form_version",),
    "dim_measure": (),
}


def record_build(warehouse: Path, quarter: str, inputs_by_unit: Mapping[str, Iterable[Mapping[str, Any]]]) -> Path:
    """Write ``build.json``: the deliveries it was made from, and hash and row count of every exported mart.

    ``inputs_by_unit`` holds the deliveries of every reporting unit as they were when the build began; only their hash
    is kept. Call it after a successful build only.
    """
    build = warehouse / "build"
    marts: dict[str, dict[str, Any]] = {}
    for path in sorted((build / "marts").glob("*.parquet")):
        data = path.read_bytes()
        marts[path.stem] = {"sha256": sha256_bytes(data), "rows": from_parquet(data).num_rows}
    replace_durably(
        build / BUILD_NAME,
        canonical_json(
            {
                "quarter": quarter,
                "marts": marts,
                "inputs": {unit: hash_inputs(inputs) for unit, inputs in inputs_by_unit.items()},
            }
        ),
    )
    return build / BUILD_NAME


def read_build(warehouse: Path, quarter: str) -> tuple[dict[str, pa.Table], dict[str, str]]:
    """The exported marts of the last successful build by name, and by unit the hash of what it was made from.

    Raises CandidateError when the build is of another quarter or a file is not the one that ``build.json`` recorded.
    """
    build = warehouse / "build"
    try:
        record = json.loads((build / BUILD_NAME).read_bytes())
        recorded_quarter, marts, made_from = record["quarter"], record["marts"], dict(record["inputs"])
        hashes = {name: entry["sha256"] for name, entry in marts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if is_of_the_machine(error):
            raise
        raise CandidateError("chưa có kết quả dựng số liệu hoàn chỉnh (build.json)") from error
    if recorded_quarter != quarter:
        raise CandidateError(f"số liệu đã dựng là của {recorded_quarter}, không phải {quarter}")
    present = {path.stem for path in (build / "marts").glob("*.parquet")}
    if present != set(hashes):
        raise CandidateError(f"các bảng đã dựng không khớp build.json: {', '.join(sorted(present ^ set(hashes)))}")
    tables = {}
    for name in sorted(hashes):
        data = (build / "marts" / f"{name}.parquet").read_bytes()
        if sha256_bytes(data) != hashes[name]:
            raise CandidateError(f"bảng {name} đã bị sửa sau khi dựng")
        tables[name] = from_parquet(data)
    return tables, made_from


def write_candidates(
    warehouse: Path,
    quarter: str,
    units: Sequence[str],
    inputs_by_unit: Mapping[str, Iterable[Mapping[str, Any]]],
    form_versions: Mapping[str, str],
) -> dict[str, Path]:
    """Write one candidate folder a reporting unit and return the folders by unit.

    ``inputs_by_unit`` holds, for each unit, the current deliveries its figures were made from, as mappings with the
    keys of ``inputs`` in ``candidate.json``; ``form_versions`` the form it reports by. The same rows and inputs give
    the same folder name and the same bytes; a folder already there is kept when whole and replaced when damaged.
    Raises ValueError or LookupError when the words of the form are not whole, CandidateError when the build is not
    whole, a unit has no inputs listed or others than those that the build was made from, or has no form rows.
    """
    for form_version in sorted({form_versions[unit] for unit in units}):
        check_form_texts(form_version)
    tables, made_from = read_build(warehouse, quarter)
    folders = {}
    for unit in units:
        form_version = form_versions[unit]
        if unit not in inputs_by_unit:
            raise CandidateError(f"không có danh sách tệp đầu vào của đơn vị {unit}")
        if unit not in made_from:
            raise CandidateError(
                f"lần tính số liệu gần nhất không tính cho đơn vị {unit}; chạy cchc build {quarter} rồi "
                f"cchc check {quarter} trước khi công bố"
            )
        if made_from[unit] != hash_inputs(inputs_by_unit[unit]):
            raise CandidateError(
                f"tệp nộp của đơn vị {unit} đã thay đổi sau lần tính số liệu gần nhất; "
                f"chạy cchc build {quarter} rồi cchc check {quarter} trước khi công bố"
            )
        slices = {name: slice_mart(name, table, unit, quarter, form_version) for name, table in tables.items()}
        if FORM_MART not in slices or slices[FORM_MART].num_rows == 0:
            raise CandidateError(f"không có dòng biểu mẫu nào của đơn vị {unit} trong {quarter}")
        if {"dim_unit", "dim_quarter"} <= slices.keys():
            slices["dim_quarter"] = _own_window(slices["dim_quarter"], unit, quarter)
        try:
            slices[LETTER_FINDINGS] = letter_findings(slices, unit, quarter, form_version)
        except Exception as error:  # a text that cannot be read is this unit's own; its words may not stand in a log
            if is_of_the_machine(error):
                raise
            raise CandidateError(
                f"không soát được lời văn báo cáo của đơn vị {unit} ({type(error).__name__}); xem lại nội dung các "
                "đoạn báo cáo và ghi chú đã nộp, hoặc báo cho người quản trị hệ thống"
            ) from None
        parent = warehouse / "candidates" / unit / quarter
        folders[unit] = write_candidate(parent, unit, quarter, form_version, inputs_by_unit[unit], slices)
    return folders


def _own_window(quarters: pa.Table, unit: str, quarter: str) -> pa.Table:
    """``dim_quarter`` with the reported period as it is for a unit that begins within it: it, and its year, open with
    the unit, as its figures do (``int_unit_windows``).
    """
    register, rows = registered(), quarters.to_pylist()
    for row in rows:
        if row["quarter"] != quarter:
            continue
        bearer = register.unit(unit, row["closes_on"])
        begins = begins_on(register, bearer) if bearer else None
        if begins is not None and row["year_opens_on"] < begins <= row["closes_on"]:
            row["opens_on"], row["year_opens_on"] = max(row["opens_on"], begins), begins
    return pa.Table.from_pylist(rows, schema=quarters.schema)


def slice_mart(name: str, table: pa.Table, unit: str, quarter: str, form_version: str) -> pa.Table:
    """The rows of a mart that the unit's release for the quarter needs.

    Facts and ``dim_procedure``: the unit and the quarter. ``dim_unit``: the units that report through this one.
    ``dim_quarter``: no period after the one reported, by the order of closing, ``dim_indicator``: the form version
    used, so that a release does not change when a later quarter or form is added. ``dim_measure``: all of it, as
    declarations hold for every unit. Raises CandidateError for a mart that cannot be sliced.
    """
    for column in _SLICED_BY.get(name, ("unit_code", "quarter")):
        if column not in table.column_names:
            raise CandidateError(f"bảng {name} không có cột {column}")
    if name == "dim_measure":
        return table
    if name == "dim_unit":
        return table.filter(pc.equal(table["reporting_unit_code"], unit))
    if name == "dim_quarter":
        return table.filter(pc.is_in(table["quarter"], pa.array(quarters_behind(quarter))))
    if name == "dim_indicator":
        return table.filter(pc.equal(table["form_version"], form_version))
    return table.filter(pc.and_(pc.equal(table["unit_code"], unit), pc.equal(table["quarter"], quarter)))

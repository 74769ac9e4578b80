"""Candidates: the slice of a build that one reporting unit would publish for one quarter, addressed by its hash.

Belongs here: slicing the exported marts, writing a candidate and reading one back with every hash recomputed.
Does not belong here: whether a candidate may be published (``expectations``), what a release looks like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from common.files import (
    canonical_json,
    exclusive_lock,
    fsync_path,
    fsync_tree,
    is_regular_file,
    make_durable_directory,
    regular_files,
    remove_tree,
    replace_durably,
    sha256_bytes,
    write_durably,
)
from publication.tables import from_parquet, to_parquet

CANDIDATE_NAME = "candidate.json"
BUILD_NAME = "build.json"
#: Marts that gate 2 needs and no reader gets.
INTERNAL_MARTS = frozenset({
    "rule_inputs", "decision_effects", "case_findings", "rows_left_out", "register_doubts",
})  # fmt: skip
#: What the letter of these figures would say that they do not, made here and not by dbt; gate 2 alone reads it.
LETTER_FINDINGS = "letter_findings"
FORM_MART = "report_indicators"
#: What a dimension is sliced by; every other mart by unit and quarter.
_SLICED_BY = {
    "dim_unit": ("reporting_unit_code",), "dim_quarter": ("quarter",), "dim_indicator": ("form_version",),
    "dim_measure": (),
}

_INPUT_FIELDS = ("delivery_id", "file_name", "fingerprint", "outcome", "quarter", "sha256", "source", "unit_code")
_WRITING = ".writing-"
_MART_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CANDIDATE_FIELDS = {"unit_code", "quarter", "form_version", "inputs", "inputs_hash", "marts"}


class CandidateError(Exception):
    """The build or the candidate is not what it says it is. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class Candidate:
    """A candidate as read from disk; every hash was recomputed from the bytes held here."""

    unit_code: str
    quarter: str
    form_version: str
    inputs: tuple[Mapping[str, Any], ...]
    inputs_hash: str
    candidate_hash: str
    files: Mapping[str, bytes]

    def table(self, mart: str) -> pa.Table:
        """The rows of one mart. Raises KeyError when the candidate has no such mart."""
        return from_parquet(self.files[mart])

    @property
    def published_marts(self) -> list[str]:
        """Names of the marts that readers get, in order."""
        return sorted(set(self.files) - INTERNAL_MARTS - {LETTER_FINDINGS})


def hash_inputs(inputs: Iterable[Mapping[str, Any]]) -> str:
    """``inputs_hash`` of a list of deliveries: independent of their order. Raises CandidateError for a bad entry."""
    return sha256_bytes(canonical_json(_ordered_inputs(inputs)))


def neutral_name(entry: Mapping[str, Any]) -> str:
    """What a delivered file is called in a release: offices write persons' names and numbers into file names.

    From the delivery alone, so that it stays the same whatever else arrives. ``dbt_project/macros/neutral_names.sql``
    says the same in SQL.
    """
    return "-".join((entry["source"], entry["quarter"], entry["unit_code"], str(entry["delivery_id"])[:8]))


def _ordered_inputs(inputs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    entries = []
    for entry in inputs:
        missing = [name for name in _INPUT_FIELDS if name not in entry]
        if missing:
            raise CandidateError(f"thông tin tệp đầu vào thiếu trường: {', '.join(missing)}")
        entries.append({name: entry[name] for name in _INPUT_FIELDS} | {"file_name": neutral_name(entry)})
    entries.sort(key=lambda entry: str(entry["delivery_id"]))
    identifiers = [entry["delivery_id"] for entry in entries]
    if len(set(identifiers)) != len(identifiers):
        raise CandidateError("một tệp đầu vào được kê hai lần")
    return entries


def record_build(
    warehouse: Path, quarter: str, inputs_by_unit: Mapping[str, Iterable[Mapping[str, Any]]]
) -> Path:
    """Write ``build.json``: the deliveries it was made from, and hash and row count of every exported mart.

    ``inputs_by_unit`` holds the deliveries of every reporting unit as they were when the build began; only their hash
    is kept. Call it after a successful build only.
    """
    build = warehouse / "build"
    marts: dict[str, dict[str, Any]] = {}
    for path in sorted((build / "marts").glob("*.parquet")):
        data = path.read_bytes()
        marts[path.stem] = {"sha256": sha256_bytes(data), "rows": from_parquet(data).num_rows}
    replace_durably(build / BUILD_NAME, canonical_json({
        "quarter": quarter, "marts": marts,
        "inputs": {unit: hash_inputs(inputs) for unit, inputs in inputs_by_unit.items()},
    }))
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


def write_candidates(warehouse: Path, quarter: str, units: Sequence[str],
                     inputs_by_unit: Mapping[str, Iterable[Mapping[str, Any]]], form_version: str) -> dict[str, Path]:
    """Write one candidate folder a reporting unit and return the folders by unit.

    ``inputs_by_unit`` holds, for each unit, the current deliveries its figures were made from, as mappings with the
    keys of ``inputs`` in ``candidate.json``. The same rows and inputs give the same folder name and the same bytes;
    a folder already there is kept when whole and replaced when damaged.
    Raises CandidateError when the build is not whole, a unit has no inputs listed or others than those that the build
    was made from, or has no form rows.
    """
    # Imported here: the letter is composed from what a candidate holds, so its modules import this one.
    from publication.letter_findings import letter_findings

    tables, made_from = read_build(warehouse, quarter)
    folders = {}
    for unit in units:
        if unit not in inputs_by_unit:
            raise CandidateError(f"không có danh sách tệp đầu vào của đơn vị {unit}")
        if made_from.get(unit) != hash_inputs(inputs_by_unit[unit]):
            raise CandidateError(
                f"tệp nộp của đơn vị {unit} đã thay đổi sau lần tính số liệu gần nhất; "
                f"chạy cchc build {quarter} rồi cchc check {quarter} trước khi công bố"
            )
        slices = {name: slice_mart(name, table, unit, quarter, form_version) for name, table in tables.items()}
        if FORM_MART not in slices or slices[FORM_MART].num_rows == 0:
            raise CandidateError(f"không có dòng biểu mẫu nào của đơn vị {unit} trong {quarter}")
        try:
            slices[LETTER_FINDINGS] = letter_findings(slices, unit, quarter, form_version)
        except Exception as error:  # a text that cannot be read is this unit's own; its words may not stand in a log
            raise CandidateError(
                f"không soát được lời văn báo cáo của đơn vị {unit} ({type(error).__name__}); xem lại nội dung các "
                "đoạn báo cáo và ghi chú đã nộp, hoặc báo cho người quản trị hệ thống"
            ) from None
        parent = warehouse / "candidates" / unit / quarter
        folders[unit] = _write(parent, unit, quarter, form_version, _ordered_inputs(inputs_by_unit[unit]), slices)
    return folders


def slice_mart(name: str, table: pa.Table, unit: str, quarter: str, form_version: str) -> pa.Table:
    """The rows of a mart that the unit's release for the quarter needs.

    Facts and ``dim_procedure``: the unit and the quarter. ``dim_unit``: the units that report through this one.
    ``dim_quarter``: no quarter after the one reported, ``dim_indicator``: the form version used, so that a release
    does not change when a later quarter or form is added. ``dim_measure``: all of it, as declarations hold for every
    unit. Raises CandidateError for a mart that cannot be sliced.
    """
    for column in _SLICED_BY.get(name, ("unit_code", "quarter")):
        if column not in table.column_names:
            raise CandidateError(f"bảng {name} không có cột {column}")
    if name == "dim_measure":
        return table
    if name == "dim_unit":
        return table.filter(pc.equal(table["reporting_unit_code"], unit))
    if name == "dim_quarter":
        return table.filter(pc.less_equal(table["quarter"], quarter))
    if name == "dim_indicator":
        return table.filter(pc.equal(table["form_version"], form_version))
    return table.filter(pc.and_(pc.equal(table["unit_code"], unit), pc.equal(table["quarter"], quarter)))


def _write(parent: Path, unit: str, quarter: str, form_version: str, inputs: list[dict[str, Any]],
           slices: Mapping[str, pa.Table]) -> Path:
    files = {name: to_parquet(table) for name, table in slices.items()}
    content = canonical_json({
        "unit_code": unit, "quarter": quarter, "form_version": form_version, "inputs": inputs,
        "inputs_hash": sha256_bytes(canonical_json(inputs)),
        "marts": {name: {"sha256": sha256_bytes(files[name]), "rows": slices[name].num_rows} for name in files},
    })
    make_durable_directory(parent)
    with exclusive_lock(parent / ".lock"):
        return _store(parent, content, files)


def _store(parent: Path, content: bytes, files: Mapping[str, bytes]) -> Path:
    for leftover in parent.glob(f"{_WRITING}*"):
        remove_tree(leftover)
    folder = parent / sha256_bytes(content)
    if folder.exists():
        try:
            read_candidate(folder)
            return folder
        except CandidateError:
            remove_tree(folder)
    staging = parent / f"{_WRITING}{folder.name}"
    (staging / "marts").mkdir(parents=True)
    for name, data in files.items():
        write_durably(staging / "marts" / f"{name}.parquet", data)
    write_durably(staging / CANDIDATE_NAME, content)
    fsync_tree(staging)
    staging.rename(folder)
    fsync_path(parent)
    return folder


def read_candidate(folder: Path) -> Candidate:
    """Read a candidate whole, with every hash recomputed from the bytes that are returned.

    Raises CandidateError when anything is missing, added, linked, changed or badly formed.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise CandidateError("thư mục số liệu chờ công bố không có thật (hoặc là liên kết)")
    present = regular_files(folder)
    linked = [name for name, path in present.items() if not is_regular_file(path)]
    if linked:
        raise CandidateError(f"trong thư mục chờ công bố có liên kết hoặc tệp đặc biệt: {', '.join(linked)}")
    if CANDIDATE_NAME not in present:
        raise CandidateError("thư mục chờ công bố không có candidate.json")
    data = present.pop(CANDIDATE_NAME).read_bytes()
    candidate_hash = sha256_bytes(data)
    if candidate_hash != folder.name:
        raise CandidateError("candidate.json không khớp với tên thư mục chờ công bố: tệp đã bị sửa")
    content = _parse(data)
    expected = {f"marts/{name}.parquet": name for name in content["marts"]}
    if set(present) != set(expected):
        raise CandidateError(f"tệp thừa hoặc thiếu: {', '.join(sorted(set(present) ^ set(expected)))}")
    files = {name: present[path].read_bytes() for path, name in expected.items()}
    for name, entry in content["marts"].items():
        if sha256_bytes(files[name]) != entry["sha256"]:
            raise CandidateError(f"bảng {name} đã bị sửa sau khi ghi")
        if from_parquet(files[name]).num_rows != entry["rows"]:
            raise CandidateError(f"bảng {name} có số dòng khác candidate.json")
    return Candidate(content["unit_code"], content["quarter"], content["form_version"], tuple(content["inputs"]),
                     content["inputs_hash"], candidate_hash, files)


def _parse(data: bytes) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(data)
        whole = (
            set(content) == _CANDIDATE_FIELDS
            and canonical_json(content) == data
            and all(_MART_NAME.fullmatch(name) and {"sha256", "rows"} == set(entry)
                    for name, entry in content["marts"].items())
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CandidateError("candidate.json không đọc được") from error
    if not whole:
        raise CandidateError("candidate.json không đúng khuôn")
    if hash_inputs(content["inputs"]) != content["inputs_hash"]:
        raise CandidateError("danh sách tệp đầu vào không khớp inputs_hash")
    return content

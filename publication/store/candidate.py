"""Candidates: what one reporting unit would publish for one quarter, addressed by its hash.

Belongs here: writing a candidate and reading one back with every hash recomputed.
Does not belong here: what it is cut from (``build``), whether it may be published (``expectations``), what a
release looks like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from common.files import (
    canonical_json,
    exclusive_lock,
    fsync_path,
    fsync_tree,
    is_regular_file,
    make_durable_directory,
    regular_files,
    remove_tree,
    sha256_bytes,
    write_durably,
)
from publication.store.parquet import from_parquet, to_parquet

CANDIDATE_NAME = "candidate.json"
#: Marts that gate 2 needs and no reader gets.
INTERNAL_MARTS = frozenset(
    {
        "rule_inputs",
        "decision_effects",
        "case_findings",
        "case_questions",
        "late_cases",
        "period_moves",
        "period_comparison",
        "rows_left_out",
        "register_doubts",
    }
)
#: What the letter of these figures would say that they do not, made here and not by dbt; gate 2 alone reads it.
LETTER_FINDINGS = "letter_findings"
FORM_MART = "report_indicators"
#: What a province's candidate holds in place of the form: a row an indicator, over all units.
PROVINCE_MART = "province_totals"
#: The source of an input that is a release of a unit.
RELEASES_SOURCE = "releases"
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

    @property
    def is_of_province(self) -> bool:
        """Whether it was rolled up from releases of units."""
        return PROVINCE_MART in self.files

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


def write_candidate(
    parent: Path,
    unit: str,
    quarter: str,
    form_version: str,
    inputs: Iterable[Mapping[str, Any]],
    slices: Mapping[str, pa.Table],
) -> Path:
    """Write the candidate of these rows and inputs below the parent; one that is there is kept when it is whole."""
    ordered = _ordered_inputs(inputs)
    files = {name: to_parquet(table) for name, table in slices.items()}
    content = canonical_json(
        {
            "unit_code": unit,
            "quarter": quarter,
            "form_version": form_version,
            "inputs": ordered,
            "inputs_hash": sha256_bytes(canonical_json(ordered)),
            "marts": {name: {"sha256": sha256_bytes(files[name]), "rows": slices[name].num_rows} for name in files},
        }
    )
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
    return Candidate(
        content["unit_code"],
        content["quarter"],
        content["form_version"],
        tuple(content["inputs"]),
        content["inputs_hash"],
        candidate_hash,
        files,
    )


def _parse(data: bytes) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(data)
        whole = (
            set(content) == _CANDIDATE_FIELDS
            and canonical_json(content) == data
            and all(
                _MART_NAME.fullmatch(name) and {"sha256", "rows"} == set(entry)
                for name, entry in content["marts"].items()
            )
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CandidateError("candidate.json không đọc được") from error
    if not whole:
        raise CandidateError("candidate.json không đúng khuôn")
    if hash_inputs(content["inputs"]) != content["inputs_hash"]:
        raise CandidateError("danh sách tệp đầu vào không khớp inputs_hash")
    return content

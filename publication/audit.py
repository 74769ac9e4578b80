"""The last look before a release is made: do stored verdicts let exactly this candidate out?

Belongs here: finding the verdicts of a candidate and asking ``expectations`` about them.
Does not belong here: what blocks (``expectations.publishable`` says that), running any check. A green run in some
scheduler proves nothing here; only a stored verdict bound to the hash of these very bytes does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

import expectations
from common.files import is_regular_file, sha256_bytes
from publication.store.candidate import Candidate
from publication.tables.manifest import VerdictReference


@dataclass(frozen=True)
class Clearance:
    """The verdicts let the candidate out."""

    results: tuple[Mapping[str, Any], ...]
    table: pa.Table
    references: tuple[VerdictReference, ...]


@dataclass(frozen=True)
class Inspection:
    """What the verdicts say of a candidate that may not be let out, as far as there are any that can be trusted.

    ``results`` in the order of a release's; ``reasons`` why the candidate may not be published, empty where it may.
    """

    results: tuple[expectations.Result, ...]
    clearance: Clearance
    reasons: tuple[str, ...]


class NotCleared(Exception):
    """The candidate may not be published; ``reasons`` says why, each a Vietnamese sentence."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def clear(candidate: Candidate, verdicts_dir: Path) -> Clearance:
    """The clearance of a candidate from the verdicts in ``verdicts_dir`` (``warehouse/verdicts/<unit>/<quarter>``).

    Raises NotCleared with every reason found.
    """
    found = inspect(candidate, verdicts_dir)
    if found.reasons:
        raise NotCleared(list(found.reasons))
    return found.clearance


def inspect(candidate: Candidate, verdicts_dir: Path) -> Inspection:
    """The verdicts on a candidate and every reason they give not to let it out: both gates', or its own on a province.

    Raises NotCleared where one of them is missing or not to be trusted: then nobody can say what holds it back.
    """
    return (_inspect_province if candidate.is_of_province else _inspect_unit)(candidate, verdicts_dir)


def _inspect_unit(candidate: Candidate, verdicts_dir: Path) -> Inspection:
    raw, raw_sha256, raw_reasons = _stored(verdicts_dir / f"raw-{candidate.inputs_hash}.json", candidate)
    mart, mart_sha256, mart_reasons = _stored(verdicts_dir / f"mart-{candidate.candidate_hash}.json", candidate)
    reasons = raw_reasons + mart_reasons
    for refusal in expectations.publishable(
        raw, mart, candidate.candidate_hash, candidate.inputs_hash, candidate.form_version
    ):
        reasons.append(refusal.message_vi)
    if raw is None or mart is None:
        raise NotCleared(reasons)
    clearance = Clearance(
        tuple(result.model_dump() for verdict in (raw, mart) for result in verdict.results),
        expectations.gate_results_table([raw, mart]),
        (_reference(raw, raw_sha256), _reference(mart, mart_sha256)),
    )
    return Inspection((*raw.results, *mart.results), clearance, tuple(reasons))


def _inspect_province(candidate: Candidate, verdicts_dir: Path) -> Inspection:
    path = verdicts_dir / f"province-{candidate.candidate_hash}.json"
    verdict, sha256, reasons = _stored(path, candidate)
    reasons += [r.message_vi for r in expectations.province_publishable(verdict, candidate.candidate_hash)]
    if verdict is None:
        raise NotCleared(reasons)
    clearance = Clearance(
        tuple(result.model_dump() for result in verdict.results),
        expectations.gate_results_table([verdict]),
        (_reference(verdict, sha256),),
    )
    return Inspection(tuple(verdict.results), clearance, tuple(reasons))


def _stored(path: Path, candidate: Candidate) -> tuple[expectations.Verdict | None, str, list[str]]:
    """A stored verdict with its file's hash, or None with the reason when there is a file that is not to be trusted."""
    if not path.exists() and not path.is_symlink():
        return None, "", []
    if not is_regular_file(path):
        return None, "", [f"{path.name} là liên kết hoặc tệp đặc biệt, không phải kết quả kiểm tra."]
    data = path.read_bytes()
    try:
        verdict = expectations.load_verdict(path)
    except ValueError:
        return None, "", [f"{path.name} hỏng hoặc không phải là kết quả kiểm tra."]
    if verdict.to_bytes() != data:
        return None, "", [f"{path.name} không đúng như bộ kiểm tra đã ghi."]
    if (verdict.unit_code, verdict.quarter) != (candidate.unit_code, candidate.quarter):
        return None, "", [f"{path.name} là của đơn vị {verdict.unit_code}, kỳ {verdict.quarter}."]
    return verdict, sha256_bytes(data), []


def _reference(verdict: expectations.Verdict, file_sha256: str) -> VerdictReference:
    statuses = Counter(result.status for result in verdict.results)
    return VerdictReference(
        stage=verdict.stage,
        file_sha256=file_sha256,
        subject_hash=verdict.subject_hash,
        suite_version=verdict.suite_version,
        results=dict(sorted(statuses.items())),
    )

"""``manifest.json``: what a release was made from, what it holds and by whose word it was let out.

Belongs here: the schema of that file, building it, reading it. Does not belong here: checking files (``verify``).
The only clock in it is ``published_at``, which the caller passes and which is part of no table.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from common.files import canonical_json, readable_json, regular_files, sha256_bytes
from common.forms import form_named
from publication.content.release_content import ReleaseContent
from publication.store.candidate import Candidate
from publication.store.contracts import contract_versions
from publication.store.parquet import from_parquet

MANIFEST_NAME = "manifest.json"
SCHEMA = 1
#: Files whose bytes differ between two runs with the same inputs (see ``database``); the rows in them do not.
NOT_REPRODUCIBLE = frozenset({"marts.duckdb"})


class DamagedManifest(Exception):
    """``manifest.json`` is missing or not what this room writes."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OutputFile(_Strict):
    """One file of the release, by its path in the release folder. ``rows`` for Parquet files."""

    path: str
    sha256: str
    bytes: int
    rows: int | None


class PreviousRelease(_Strict):
    """The release that this one replaced."""

    release: int
    manifest_sha256: str


class AmendmentRecord(_Strict):
    """By whose word a locked quarter got this release, and which release had been locked."""

    reason: str
    by: str | None
    locked_release: int


class ApprovalRecord(_Strict):
    """By whose word, and by which document, a draft became this release; ``draft`` is the code of what was seen."""

    by: str
    document: str
    draft: str


class VerdictReference(_Strict):
    """The stored verdict of one gate stage."""

    stage: str
    file_sha256: str
    subject_hash: str
    suite_version: str
    results: dict[str, int]


class Manifest(_Strict):
    """``content_sha256`` covers all outputs whose bytes are a function of the inputs: equal inputs, equal hash.

    A field added after the first releases has a default and is written only where it was set, so that the manifests
    of older releases stay byte for byte what this class writes.
    """

    schema_version: int
    release: int
    unit_code: str
    quarter: str
    form_version: str
    published_at: str | None
    previous: PreviousRelease | None
    candidate_hash: str
    inputs_hash: str
    inputs: list[dict[str, Any]]
    outputs: list[OutputFile]
    content_sha256: str
    verdicts: list[VerdictReference]
    decisions: list[dict[str, Any]]
    code_version: str
    versions: dict[str, str]
    amendment: AmendmentRecord | None = None
    #: Of each table that has a contract; releases made before there were contracts do not say.
    contract_versions: dict[str, str] = {}
    #: sha256 of the form's files, where an office brought the form.
    form_sha256: str | None = None
    #: Why the figures are not final; releases whose figures are do not have it.
    provisional_vi: list[str] = []
    #: Where releases wait for somebody's approval.
    approval: ApprovalRecord | None = None
    #: Number, day and signer of the letter, as far as the office set them.
    signing: dict[str, Any] = {}

    def to_bytes(self) -> bytes:
        """The file's bytes: sorted keys, indented; a field that an older release does not have stays out."""
        return readable_json(self.model_dump(mode="json", exclude_unset=True))


def describe_outputs(folder: Path) -> list[OutputFile]:
    """Every file below the folder but the manifest, with hash, size and rows."""
    outputs = []
    for name, path in regular_files(folder).items():
        if name == MANIFEST_NAME:
            continue
        data = path.read_bytes()
        outputs.append(OutputFile(path=name, sha256=sha256_bytes(data), bytes=len(data), rows=_rows(name, data)))
    return outputs


def _rows(name: str, data: bytes) -> int | None:
    if name.endswith(".parquet"):
        return int(from_parquet(data).num_rows)
    return None


def content_hash(outputs: Iterable[OutputFile]) -> str:
    """sha256 over path and sha256 of every reproducible output."""
    return sha256_bytes(canonical_json({o.path: o.sha256 for o in outputs if o.path not in NOT_REPRODUCIBLE}))


def build_manifest(
    *,
    release: int,
    candidate: Candidate,
    content: ReleaseContent,
    outputs: list[OutputFile],
    previous: PreviousRelease | None,
    verdicts: list[VerdictReference],
    code_version: str,
    versions: Mapping[str, str],
    published_at: dt.datetime | None,
    amendment: AmendmentRecord | None = None,
) -> Manifest:
    """The manifest of a release whose outputs are written. ``published_at`` must know its time zone."""
    if published_at is not None and published_at.tzinfo is None:
        raise ValueError("published_at needs a time zone")
    return Manifest(
        schema_version=SCHEMA,
        release=release,
        unit_code=candidate.unit_code,
        quarter=candidate.quarter,
        form_version=candidate.form_version,
        published_at=published_at.isoformat() if published_at else None,
        previous=previous,
        candidate_hash=candidate.candidate_hash,
        inputs_hash=candidate.inputs_hash,
        inputs=[dict(entry) for entry in candidate.inputs],
        outputs=outputs,
        content_sha256=content_hash(outputs),
        verdicts=verdicts,
        decisions=[dict(decision) for decision in content.decisions],
        code_version=code_version,
        versions=dict(versions),
        contract_versions=contract_versions(content.tables),
        **({"amendment": amendment} if amendment else {}),
        **({"form_sha256": sha256} if (sha256 := form_named(candidate.form_version).fingerprint) else {}),
        **({"signing": content.signing.to_json()} if content.signing.to_json() else {}),
        **({"provisional_vi": list(content.provisional_vi)} if content.provisional_vi else {}),
        **({"approval": ApprovalRecord(**asdict(content.approval))} if content.approval else {}),
    )


def read_manifest(release_dir: Path, *, expected_sha256: str | None = None) -> Manifest:
    """The manifest of a release folder.

    Raises DamagedManifest when it is missing, not canonical, of another schema, or has another hash than expected.
    """
    try:
        data = (release_dir / MANIFEST_NAME).read_bytes()
        if expected_sha256 is not None and sha256_bytes(data) != expected_sha256:
            raise DamagedManifest(f"{release_dir.name}/{MANIFEST_NAME} không khớp với con trỏ")
        manifest = Manifest.model_validate(json.loads(data))
    except (OSError, ValueError, ValidationError) as error:
        raise DamagedManifest(f"{release_dir.name}/{MANIFEST_NAME} không đọc được") from error
    if manifest.to_bytes() != data or manifest.schema_version != SCHEMA:
        raise DamagedManifest(f"{release_dir.name}/{MANIFEST_NAME} không đúng khuôn")
    return manifest

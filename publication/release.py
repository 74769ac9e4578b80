"""Write, audit, publish: a cleared candidate becomes an immutable release in one atomic step.

Belongs here: the order of the steps and what a crash between any two of them leaves behind.
Does not belong here: what the outputs look like, what blocks, how the pointer is written.

The order: everything is written into a hidden sibling, read back, fsynced, described by the manifest (last),
fsynced, announced in a small intent file, renamed to ``r<N>``, made read-only; then the pointer moves by
compare-and-swap. Until the pointer moves, readers see the release before; a crash leaves either that or the new one.
The lock of the quarter folder is held throughout, so leftovers found under it belong to no living writer.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from publication import failpoints
from publication.audit import Clearance, NotCleared, clear
from publication.candidate import Candidate, CandidateError, read_candidate
from publication.content import ReleaseContent, gather
from publication.files import (
    canonical_json,
    exclusive_lock,
    fsync_path,
    fsync_tree,
    make_durable_directory,
    make_tree_read_only,
    remove_tree,
    replace_durably,
    sha256_bytes,
    write_durably,
)
from publication.index import rebuild_index
from publication.manifest import (
    MANIFEST_NAME,
    DamagedManifest,
    Manifest,
    PreviousRelease,
    build_manifest,
    describe_outputs,
    read_manifest,
)
from publication.outputs import check_outputs, write_outputs
from publication.pointer import DamagedPointer, Pointer, StalePointer, move_pointer, read_pointer, release_name
from publication.tables import from_parquet, in_total_order, to_parquet
from publication.verify import verify

GATE_RESULTS = "gate_results"
_STAGING_PREFIX = ".staging-"
_INTENT_NAME = ".intent.json"
_LOCK_NAME = ".lock"
_UNIT = re.compile(r"[0-9A-Z-]+")
_RELEASE = re.compile(r"r([1-9][0-9]*)")


@dataclass(frozen=True)
class Release:
    """A published release: its folder and the hash by which its manifest is known."""

    path: Path
    unit_code: str
    quarter: str
    number: int
    manifest_sha256: str

    @property
    def name(self) -> str:
        """``r3``."""
        return release_name(self.number)

    def manifest(self) -> Manifest:
        """The manifest, checked against its hash. Raises DamagedManifest."""
        return read_manifest(self.path, expected_sha256=self.manifest_sha256)


@dataclass(frozen=True)
class Published:
    """A new release is current."""

    release: Release


@dataclass(frozen=True)
class Unchanged:
    """The current release already says exactly this; nothing was written."""

    release: Release


@dataclass(frozen=True)
class Refused:
    """Nothing was published. ``stale`` is set when the only reason is that another writer was first."""

    reasons: tuple[str, ...]
    stale: StalePointer | None = None


PublishOutcome = Published | Unchanged | Refused


def current_release(published: Path, unit: str, quarter: str) -> Release | None:
    """The release readers should use, or None. Raises DamagedPointer when the pointer cannot be trusted."""
    quarter_dir = published / unit / quarter
    pointer = read_pointer(quarter_dir)
    return _release(quarter_dir, pointer, pointer.release) if pointer else None


def find_release(published: Path, unit: str, quarter: str, number: int) -> Release:
    """One release by number. Raises LookupError when it was never published."""
    quarter_dir = published / unit / quarter
    pointer = read_pointer(quarter_dir)
    if pointer is None or number not in pointer.manifests:
        raise LookupError(f"{unit}, {quarter}: chưa có bản phát hành {release_name(number)}")
    return _release(quarter_dir, pointer, number)


def _release(quarter_dir: Path, pointer: Pointer, number: int) -> Release:
    return Release(quarter_dir / release_name(number), pointer.unit_code, pointer.quarter, number,
                   pointer.manifests[number])


def publish(published: Path, candidate_dir: Path, verdicts_dir: Path, *, unit: str, quarter: str,
            expected_previous: int | None, code_version: str, published_at: dt.datetime | None = None,
            versions: Mapping[str, str] | None = None) -> PublishOutcome:
    """Publish a candidate of ``unit`` and ``quarter`` if its stored verdicts let it out.

    ``verdicts_dir`` is ``warehouse/verdicts/<unit>/<quarter>``; ``expected_previous`` the number of the release that
    the caller saw as current (None: none); ``versions`` goes into the manifest (dbt, duckdb, ...). Publishing what is
    already current is Unchanged, whatever was expected.
    Raises ReleaseNotWhole when a file does not read back as written; OSError when the disk fails.
    """
    try:
        candidate = _candidate_of(candidate_dir, unit, quarter)
        clearance = clear(candidate, verdicts_dir)
    except CandidateError as error:
        return Refused((str(error),))
    except NotCleared as error:
        return Refused(tuple(error.reasons))
    quarter_dir = published / unit / quarter
    make_durable_directory(quarter_dir)
    with exclusive_lock(quarter_dir / _LOCK_NAME):
        failpoints.reach("publish.locked")
        try:
            pointer = read_pointer(quarter_dir)
            _sweep(quarter_dir, pointer)
            current = _release(quarter_dir, pointer, pointer.release) if pointer else None
            if current and _says_the_same(current, candidate, clearance):
                rebuild_index(published)
                return Unchanged(current)
            if (current.number if current else None) != expected_previous:
                raise StalePointer(expected_previous, current.number if current else None)
            made = _make_release(quarter_dir, candidate, clearance, current, pointer, code_version, published_at,
                                 versions or {})
            move_pointer(quarter_dir, unit=unit, quarter=quarter, expected=expected_previous, release=made.number,
                         manifest_sha256=made.manifest_sha256)
        except StalePointer as error:
            return Refused((str(error),), stale=error)
        except (DamagedPointer, DamagedManifest) as error:
            return Refused((str(error),))
        failpoints.reach("publish.pointer_moved")
        (quarter_dir / _INTENT_NAME).unlink()
        fsync_path(quarter_dir)
        failpoints.reach("publish.intent_cleared")
    rebuild_index(published)
    failpoints.reach("publish.indexed")
    return Published(made)


def _candidate_of(candidate_dir: Path, unit: str, quarter: str) -> Candidate:
    if not _UNIT.fullmatch(unit):
        raise CandidateError(f"mã đơn vị không hợp lệ: {unit}")
    candidate = read_candidate(candidate_dir)
    if (candidate.unit_code, candidate.quarter) != (unit, quarter):
        raise CandidateError(f"số liệu chờ công bố là của {candidate.unit_code}, {candidate.quarter}; "
                             f"không phải của {unit}, {quarter}")
    return candidate


def _says_the_same(current: Release, candidate: Candidate, clearance: Clearance) -> bool:
    manifest = current.manifest()
    return manifest.candidate_hash == candidate.candidate_hash and manifest.verdicts == list(clearance.references)


def _sweep(quarter_dir: Path, pointer: Pointer | None) -> None:
    """Remove what a crashed publication left: staging folders, and a release that was announced but never current.

    Raises DamagedPointer when a release folder is there that neither the pointer nor an intent knows: then the
    pointer was lost, and nothing may be removed or published before a person has looked.
    """
    for leftover in sorted(quarter_dir.glob(f"{_STAGING_PREFIX}*")):
        remove_tree(leftover)
    for temporary in sorted(quarter_dir.glob(".*.tmp")):
        temporary.unlink()
    known = set(pointer.manifests) if pointer else set()
    intent = quarter_dir / _INTENT_NAME
    if intent.exists():
        announced = int(json.loads(intent.read_bytes())["release"])
        folder = quarter_dir / release_name(announced)
        if announced not in known and folder.exists():
            remove_tree(folder)
            fsync_path(quarter_dir)
        intent.unlink()
        fsync_path(quarter_dir)
    found = {int(match[1]) for path in quarter_dir.iterdir() if (match := _RELEASE.fullmatch(path.name))}
    if found - known:
        names = ", ".join(release_name(number) for number in sorted(found - known))
        raise DamagedPointer(f"có bản phát hành mà con trỏ không biết: {names}")


def _make_release(quarter_dir: Path, candidate: Candidate, clearance: Clearance, current: Release | None,
                  pointer: Pointer | None, code_version: str, published_at: dt.datetime | None,
                  versions: Mapping[str, str]) -> Release:
    number = pointer.last_release + 1 if pointer else 1
    content = _content(candidate, clearance, current)
    staging = quarter_dir / f"{_STAGING_PREFIX}{release_name(number)}"
    staging.mkdir()
    failpoints.reach("publish.staging_created")
    try:
        _write_checked_outputs(staging, content)
        previous = PreviousRelease(release=current.number, manifest_sha256=current.manifest_sha256) if current else None
        manifest = build_manifest(
            release=number, candidate=candidate, content=content, outputs=describe_outputs(staging),
            previous=previous, verdicts=list(clearance.references), code_version=code_version, versions=versions,
            published_at=published_at,
        ).to_bytes()
        folder = _seal(staging, manifest, number)
    except BaseException:
        if staging.exists():
            remove_tree(staging)
        raise
    return Release(folder, candidate.unit_code, candidate.quarter, number, sha256_bytes(manifest))


def _write_checked_outputs(staging: Path, content: ReleaseContent) -> None:
    write_outputs(content, staging)
    failpoints.reach("publish.outputs_written")
    check_outputs(content, staging)
    failpoints.reach("publish.outputs_read_back")
    fsync_tree(staging)
    failpoints.reach("publish.outputs_synced")


def _seal(staging: Path, manifest: bytes, number: int) -> Path:
    """Write the manifest last, then turn the staging folder into the read-only release folder."""
    quarter_dir = staging.parent
    write_durably(staging / MANIFEST_NAME, manifest)
    failpoints.reach("publish.manifest_written")
    fsync_path(staging)
    failpoints.reach("publish.staging_synced")
    replace_durably(quarter_dir / _INTENT_NAME, canonical_json({"release": number}))
    failpoints.reach("publish.intent_written")
    folder = quarter_dir / release_name(number)
    staging.rename(folder)
    fsync_path(quarter_dir)
    failpoints.reach("publish.renamed")
    make_tree_read_only(folder)
    failpoints.reach("publish.made_read_only")
    return folder


def _content(candidate: Candidate, clearance: Clearance, current: Release | None) -> ReleaseContent:
    gate_file = to_parquet(clearance.table)
    return gather(
        candidate, gate_results=clearance.results, extra_marts={GATE_RESULTS: gate_file},
        extra_tables={GATE_RESULTS: in_total_order(clearance.table)},
        previous_tables=_published_tables(current) if current else None,
    )


def _published_tables(current: Release) -> dict[str, pa.Table]:
    """The marts of the release before. Raises DamagedManifest when it is no longer what was published."""
    damages = verify(current.path)
    if damages:
        raise DamagedManifest(f"bản phát hành {current.name} đã hư hại, không so sánh được: {damages[0].message_vi}")
    return {path.stem: from_parquet(path.read_bytes()) for path in sorted((current.path / "marts").glob("*.parquet"))}

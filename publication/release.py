"""Write, audit, publish: a cleared candidate becomes an immutable release in one atomic step.

Belongs here: the order of the steps and what a crash between any two of them leaves behind.
Does not belong here: what the outputs look like, what blocks, how the pointer is written.

The order: everything is written into a hidden sibling, read back, described by the manifest (last), fsynced,
announced in a small intent file, renamed to ``r<N>``, made read-only; then the pointer moves by compare-and-swap.
Until the pointer moves, readers see the release before; a crash leaves either that or the new one. The writers' lock
of the quarter folder is held throughout, so leftovers found under it belong to no living writer.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from common.damage import RESTORE_VI
from common.files import (
    canonical_json,
    exclusive_lock,
    fsync_path,
    fsync_tree,
    make_tree_read_only,
    remove_tree,
    replace_durably,
    sha256_bytes,
)
from common.forms import form_named
from publication.audit import Clearance, NotCleared, clear
from publication.content.approval import Approval
from publication.content.causes import Lineage, Origin, UnexplainedChange
from publication.content.disclosure import DEFAULT_THRESHOLD, READ_BACK, without_small_counts
from publication.content.province_content import gather_province
from publication.content.release_content import NO_IMPRINT, Imprint, ReleaseContent, gather
from publication.content.revision import Amendment, Revision, revise
from publication.content.signing import UNSIGNED, Signing
from publication.index import rebuild_index
from publication.outputs import check_outputs, tell_of_approval, write_outputs
from publication.store.candidate import Candidate, CandidateError, read_candidate
from publication.store.parquet import from_parquet, in_total_order, to_parquet
from publication.store.pointer import (
    POINTER_NAME,
    DamagedPointer,
    Event,
    Pointer,
    StalePointer,
    Witness,
    move_pointer,
    read_pointer,
    release_name,
)
from publication.tables.manifest import (
    MANIFEST_NAME,
    NOT_REPRODUCIBLE,
    AmendmentRecord,
    DamagedManifest,
    Manifest,
    OutputFile,
    PreviousRelease,
    build_manifest,
    describe_outputs,
    read_manifest,
)
from publication.verify import verify

GATE_RESULTS = "gate_results"
_STAGING_PREFIX = ".staging-"
INTENT_NAME = ".intent.json"
WRITERS_LOCK = ".lock"
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
    """A new release is current; ``revision`` is what it changed, None for the first of its quarter."""

    release: Release
    revision: Revision | None


@dataclass(frozen=True)
class Unchanged:
    """The current release already says exactly this; nothing was written."""

    release: Release


@dataclass(frozen=True)
class Refused:
    """Nothing was published. ``stale`` is set when the only reason is that another writer was first."""

    reasons: tuple[str, ...]
    stale: StalePointer | None = None


@dataclass(frozen=True)
class Held:
    """The quarter is locked, so nothing was published: ``release`` stays current; ``revision`` is what would change."""

    release: Release
    lock: Event
    revision: Revision


PublishOutcome = Published | Unchanged | Refused | Held


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
        raise LookupError(f"{unit}, {quarter}: chưa có bản công bố {release_name(number)}")
    return _release(quarter_dir, pointer, number)


def _release(quarter_dir: Path, pointer: Pointer, number: int) -> Release:
    return Release(
        quarter_dir / release_name(number), pointer.unit_code, pointer.quarter, number, pointer.manifests[number]
    )


def publish(
    published: Path,
    candidate_dir: Path,
    verdicts_dir: Path,
    *,
    unit: str,
    quarter: str,
    expected_previous: int | None,
    code_version: str,
    published_at: dt.datetime | None = None,
    versions: Mapping[str, str] | None = None,
    lineage: Lineage | None = None,
    amendment: Amendment | None = None,
    approved: Approved | None = None,
    witness: Witness | None = None,
    signing: Signing = UNSIGNED,
    imprint: Imprint | None = None,
    least_count: int = DEFAULT_THRESHOLD,
) -> PublishOutcome:
    """Publish a candidate of ``unit`` and ``quarter`` if its stored verdicts let it out.

    ``verdicts_dir`` is ``warehouse/verdicts/<unit>/<quarter>``; ``expected_previous`` the number of the release that
    the caller saw as current (None: none); ``versions`` goes into the manifest (dbt, duckdb, ...); ``lineage`` makes
    the causes of a revision sharper; ``witness`` is told before the pointer moves; ``signing`` is what the office set
    of its letter; ``imprint`` names contact and licence; ``least_count`` is the least count of cases by procedure or
    unit and outcome that is told.
    Publishing what is already current is Unchanged, whatever was expected.
    A locked quarter is Held, with what would change, unless an ``amendment`` lets it be revised; where nothing that a
    reader sees would change it is Unchanged. An amendment of a quarter that is not locked is Refused, and so is a
    candidate that a rollback took back. With ``approved`` the release must be, file by file, the draft that was seen,
    or it is Refused.
    Raises ReleaseNotWhole when a file does not read back as written; OSError when the disk fails.
    """
    try:
        candidate = candidate_of(candidate_dir, unit, quarter)
        clearance = clear(candidate, verdicts_dir)
    except CandidateError as error:
        return Refused((str(error),))
    except NotCleared as error:
        return Refused(tuple(error.reasons))
    quarter_dir = published / unit / quarter
    make_quarter_dir(published, quarter_dir)
    with exclusive_lock(quarter_dir / WRITERS_LOCK):
        try:
            pointer = read_pointer(quarter_dir)
            _sweep(quarter_dir, pointer)
            current = _release(quarter_dir, pointer, pointer.release) if pointer else None
            if current and says_the_same(current, candidate, clearance, signing):
                rebuild_index(published)
                return Unchanged(current)
            if (current.number if current else None) != expected_previous:
                raise StalePointer(expected_previous, current.number if current else None)
            refusal = why_not(quarter_dir, pointer, candidate, amendment)
            if refusal:
                return Refused((refusal,))
            basis = Basis(
                quarter_dir,
                candidate,
                clearance,
                code_version,
                versions or {},
                lineage or Lineage(),
                published_at,
                amendment,
                approved,
                signing,
                imprint or NO_IMPRINT,
                least_count,
            )
            content = basis.content(pointer, current)
            if pointer and pointer.lock and current and content.revision and amendment is None:
                if not content.revision.changes_what_is_said:
                    rebuild_index(published)
                    return Unchanged(current)
                return Held(current, pointer.lock, content.revision)
            made = _make_release(quarter_dir, basis, content, current, pointer)
            move_pointer(
                quarter_dir,
                unit=unit,
                quarter=quarter,
                expected=expected_previous,
                release=made.number,
                manifest_sha256=made.manifest_sha256,
                events=tuple(basis.events(made.number)),
                witness=witness,
            )
        except StalePointer as error:
            return Refused((str(error),), stale=error)
        except DamagedManifest as error:
            return Refused((f"{quarter_dir}: {error}; {RESTORE_VI}",))
        except (DamagedPointer, UnexplainedChange, NotTheDraft) as error:
            return Refused((str(error),))
        (quarter_dir / INTENT_NAME).unlink()
    rebuild_index(published)
    return Published(made, content.revision)


def make_quarter_dir(published: Path, quarter_dir: Path) -> None:
    """Create the folder of a unit and quarter.

    Until something was published there, its entry and those above are synced each time: a writer may have died
    between making a folder and syncing it.
    """
    quarter_dir.mkdir(parents=True, exist_ok=True)
    if not (quarter_dir / POINTER_NAME).exists():
        for folder in (quarter_dir.parent, published, published.parent):
            fsync_path(folder)


def candidate_of(candidate_dir: Path, unit: str, quarter: str) -> Candidate:
    """The candidate in the folder. Raises CandidateError where it is damaged or of another unit or quarter."""
    if not _UNIT.fullmatch(unit):
        raise CandidateError(f"mã đơn vị không hợp lệ: {unit}")
    candidate = read_candidate(candidate_dir)
    if (candidate.unit_code, candidate.quarter) != (unit, quarter):
        raise CandidateError(
            f"số liệu chờ công bố là của {candidate.unit_code}, {candidate.quarter}; không phải của {unit}, {quarter}"
        )
    return candidate


def says_the_same(current: Release, candidate: Candidate, clearance: Clearance, signing: Signing) -> bool:
    """Whether the release was made of this candidate and let out by these verdicts. Raises DamagedManifest."""
    manifest = current.manifest()
    return (
        manifest.candidate_hash == candidate.candidate_hash
        and manifest.verdicts == list(clearance.references)
        and manifest.signing == signing.to_json()
        and manifest.form_sha256 == form_named(candidate.form_version).fingerprint
    )


def why_not(
    quarter_dir: Path, pointer: Pointer | None, candidate: Candidate, amendment: Amendment | None
) -> str | None:
    """Why this candidate may not follow the current release, whatever it says."""
    if amendment and not (pointer and pointer.lock):
        return "kỳ báo cáo chưa khóa; không cần sửa đổi có lý do"
    if pointer is None:
        return None
    for number in pointer.withdrawn:
        if _release(quarter_dir, pointer, number).manifest().candidate_hash == candidate.candidate_hash:
            return (
                f"đúng số liệu này đã công bố là {release_name(number)} và đã được thu hồi; "
                f"muốn dùng lại thì quay về {release_name(number)}"
            )
    return None


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
    intent = quarter_dir / INTENT_NAME
    if intent.exists():
        announced = int(json.loads(intent.read_bytes())["release"])
        folder = quarter_dir / release_name(announced)
        if announced not in known and folder.exists():
            remove_tree(folder)
            # Were only the intent's removal to reach the disk, the folder would be one that nobody knows.
            fsync_path(quarter_dir)
        intent.unlink()
    unknown = _folders_of_releases(quarter_dir) - known
    if unknown:
        names = ", ".join(map(release_name, sorted(unknown)))
        raise DamagedPointer(f"có bản công bố mà con trỏ không biết: {names}; chạy cchc rebuild")


class NotTheDraft(Exception):
    """What would be published is not what was approved. The message is for people, in Vietnamese."""


def seen_in_draft(outputs: Iterable[OutputFile]) -> dict[str, str]:
    """sha256 by path of the files that an approval holds for: all whose bytes are not other ones in each run."""
    return {output.path: output.sha256 for output in outputs if output.path not in NOT_REPRODUCIBLE}


@dataclass(frozen=True)
class Approved:
    """An approval with the sha256 of each file of the release that was seen as a draft, by path: as it is before it
    tells of the approval itself.
    """

    approval: Approval
    outputs: Mapping[str, str]

    def check(self, outputs: Iterable[OutputFile]) -> None:
        """Raises NotTheDraft where the files to be published are others than those that were approved."""
        found = seen_in_draft(outputs)
        if other := sorted(dict(found.items() ^ self.outputs.items())):
            raise NotTheDraft(
                f"bản sẽ công bố không đúng như dự thảo {self.approval.draft} đã xem, khác ở: {', '.join(other)}; "
                "lập lại dự thảo bằng cchc review rồi phê duyệt lại"
            )


@dataclass(frozen=True)
class Basis:
    """What a release is made from and by whose word, beside what is published already."""

    quarter_dir: Path
    candidate: Candidate
    clearance: Clearance
    code_version: str
    versions: Mapping[str, str]
    lineage: Lineage
    published_at: dt.datetime | None
    amendment: Amendment | None = None
    approved: Approved | None = None
    signing: Signing = UNSIGNED
    imprint: Imprint = NO_IMPRINT
    least_count: int = DEFAULT_THRESHOLD

    def content(self, pointer: Pointer | None, current: Release | None) -> ReleaseContent:
        """What the release will say. Raises UnexplainedChange, and DamagedManifest when ``current`` is not whole."""
        table, results = self.clearance.table, self.clearance.results
        content: ReleaseContent
        if self.candidate.is_of_province:
            content = gather_province(self.candidate, gate_results=results, checks=in_total_order(table))
        else:
            content = gather(
                self.candidate,
                gate_results=results,
                extra_marts={GATE_RESULTS: to_parquet(table)},
                extra_tables={GATE_RESULTS: in_total_order(table)},
                signing=self.signing,
            )
        content = replace(content, imprint=self.imprint)
        if not self.candidate.is_of_province:
            told = _told_before(self.quarter_dir, pointer)
            content = without_small_counts(content, self.least_count, told, _told_elsewhere(self.quarter_dir))
        if pointer is None or current is None:
            return content
        new = Origin(
            self.candidate.inputs,
            content.decisions,
            _form_as_it_was(content.form_version, form_named(content.form_version).fingerprint),
            self.code_version,
            self.versions,
            content.tables,
        )
        revision = revise(
            origin_of(current),
            new,
            self.lineage,
            previous=current.number,
            release=pointer.last_release + 1,
            amendment=self.amendment,
        )
        was_provisional = bool(current.manifest().provisional_vi)
        return replace(content, revision=revision, replaces_provisional=was_provisional and not content.provisional_vi)

    def events(self, number: int) -> Iterator[Event]:
        """What the pointer records of an amendment and of an approval."""
        at = self.published_at.isoformat() if self.published_at else None
        if self.amendment is not None:
            yield Event("amend", number, self.amendment.reason, self.amendment.by, at)
        if self.approved is not None:
            approval = self.approved.approval
            yield Event("approve", number, approval.document, approval.by, at)

    def amendment_record(self, lock: Event | None) -> AmendmentRecord | None:
        """What the manifest records of an amendment."""
        if self.amendment is None or lock is None:
            return None
        return AmendmentRecord(reason=self.amendment.reason, by=self.amendment.by, locked_release=lock.release)


def _make_release(
    quarter_dir: Path, basis: Basis, content: ReleaseContent, current: Release | None, pointer: Pointer | None
) -> Release:
    number = pointer.last_release + 1 if pointer else 1
    staging = quarter_dir / f"{_STAGING_PREFIX}{release_name(number)}"
    staging.mkdir()
    try:
        write_outputs(content, staging)
        check_outputs(content, staging)
        if basis.approved is not None:
            basis.approved.check(describe_outputs(staging))
            content = replace(content, approval=basis.approved.approval)
            tell_of_approval(content, staging)
        outputs = describe_outputs(staging)
        manifest = build_manifest(
            release=number,
            candidate=basis.candidate,
            content=content,
            outputs=outputs,
            previous=previous_of(current),
            verdicts=list(basis.clearance.references),
            code_version=basis.code_version,
            versions=basis.versions,
            published_at=basis.published_at,
            amendment=basis.amendment_record(pointer.lock if pointer else None),
        ).to_bytes()
        folder = _seal(staging, manifest, number)
    except BaseException:
        if staging.exists():
            remove_tree(staging)
        raise
    return Release(folder, content.unit_code, content.quarter, number, sha256_bytes(manifest))


def previous_of(current: Release | None) -> PreviousRelease | None:
    """What a release that follows the current one says of it."""
    return PreviousRelease(release=current.number, manifest_sha256=current.manifest_sha256) if current else None


def _seal(staging: Path, manifest: bytes, number: int) -> Path:
    """Write the manifest last, then turn the staging folder into the read-only release folder."""
    quarter_dir = staging.parent
    (staging / MANIFEST_NAME).write_bytes(manifest)
    fsync_tree(staging)
    replace_durably(quarter_dir / INTENT_NAME, canonical_json({"release": number}))
    folder = quarter_dir / release_name(number)
    staging.rename(folder)
    fsync_path(quarter_dir)
    make_tree_read_only(folder)
    return folder


def origin_of(release: Release) -> Origin:
    """What a release was made from, and its marts. Raises DamagedManifest when it is no longer what was published."""
    damages = verify(release.path)
    if damages:
        raise DamagedManifest(f"bản công bố {release.name} đã hư hại, không so sánh được: {damages[0].message_vi}")
    manifest = release.manifest()
    tables = {path.stem: from_parquet(path.read_bytes()) for path in sorted((release.path / "marts").glob("*.parquet"))}
    return Origin(
        manifest.inputs,
        manifest.decisions,
        _form_as_it_was(manifest.form_version, manifest.form_sha256),
        manifest.code_version,
        manifest.versions,
        tables,
    )


def _form_as_it_was(form_version: str, sha256: str | None) -> str:
    """A form by its id, and by its files where an office may change them."""
    return f"{form_version} ({sha256[:8]})" if sha256 else form_version


def _told_before(quarter_dir: Path, pointer: Pointer | None) -> list[dict[str, pa.Table]]:
    """The tables with small counts of every release of the quarter, those that were taken back too.

    Raises DamagedManifest where one cannot be read: what it held back would be told.
    """
    return [_told(quarter_dir, number) for number in sorted(pointer.manifests if pointer else ())]


def _told_elsewhere(quarter_dir: Path) -> list[dict[str, pa.Table]]:
    """The tables with small counts of every release of the unit's other periods. Raises DamagedManifest likewise.

    Where a period's pointer is lost, its release folders are asked: that keeps no other period from being published,
    and nothing it held back is told.
    """
    told = []
    for other in sorted(quarter_dir.parent.iterdir()) if quarter_dir.parent.is_dir() else ():
        if other == quarter_dir or not other.is_dir():
            continue
        try:
            pointer = read_pointer(other)
        except DamagedPointer:
            pointer = None
        numbers = pointer.manifests if pointer else _folders_of_releases(other)
        told += [_told(other, number) for number in sorted(numbers)]
    return told


def _told(quarter_dir: Path, number: int) -> dict[str, pa.Table]:
    folder = quarter_dir / release_name(number) / "marts"
    try:
        found = {name: path for name in READ_BACK if (path := folder / f"{name}.parquet").exists()}
        return {name: from_parquet(path.read_bytes()) for name, path in found.items()}
    except (OSError, pa.ArrowException) as error:
        name = f"{quarter_dir.name}/{release_name(number)}"
        raise DamagedManifest(f"bản công bố {name} đã hư hại, không đọc được") from error


def _folders_of_releases(quarter_dir: Path) -> set[int]:
    return {int(match[1]) for path in quarter_dir.iterdir() if (match := _RELEASE.fullmatch(path.name))}


def compare_releases(old: Release, new: Release, lineage: Lineage) -> Revision:
    """What ``new`` says otherwise than ``old``, two releases of one unit and quarter, and why.

    Raises DamagedManifest when one is no longer what was published, UnexplainedChange as :func:`publish` would.
    """
    amendment = new.manifest().amendment
    return revise(origin_of(old), origin_of(new), lineage, previous=old.number, release=new.number, amendment=amendment)

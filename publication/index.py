"""``published/index.json`` and what is made from it: all current releases at a glance, for programs and people.

Belongs here: deriving the list from the pointers. Nothing relies on it for truth: all of its files can be deleted and
rebuilt. Does not belong here: the look of the page (``page``), the feed and the catalogue of data (``feeds``), what the
database over all releases and the folders beside it hold (``collection``, ``folders``).

Only the pointers, which are small, are read each time. Name, date and files of a release never change, so they are
taken from the last index while the pointer names the same manifest, and from the releases themselves when it is new.
Whoever publishes many units does so within :func:`index_once`, since the files grow with the number of releases.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from common.files import canonical_json, exclusive_lock, replace_durably, sha256_bytes
from common.periods import period_named
from publication.collection import (
    CHANGES_FILE,
    DATABASE_NAME,
    PROOF_NAME,
    build_collection,
    is_proven,
    looks_of,
    proof_of,
)
from publication.content.release_content import unit_name
from publication.feeds import CATALOGUE_NAME, FEED_NAME, render_catalogue_of_data, render_feed
from publication.folders import PROOF_NAME as FOLDERS_PROOF_NAME
from publication.folders import folders_are_whole, layout_of_folders, refresh_folders
from publication.page import render_catalogue, render_dictionary
from publication.store.contracts import stored_contracts
from publication.store.csvfile import from_csv
from publication.store.parquet import from_parquet
from publication.store.pointer import POINTER_NAME, DamagedPointer, Pointer, read_pointer, release_name
from publication.tables.datapackage import PACKAGE_NAME, terms_of
from publication.tables.manifest import DamagedManifest, Manifest, read_manifest

INDEX_NAME = "index.json"
#: What is made from the list, by name. The page comes last: who sees it finds what it leads to.
_MADE: dict[str, Callable[[Sequence[dict[str, Any]]], bytes]] = {
    FEED_NAME: render_feed,
    CATALOGUE_NAME: render_catalogue_of_data,
    "dictionary.html": render_dictionary,
    "index.html": render_catalogue,
}
#: Every file of the index, in the order in which they are written.
NAMES = (INDEX_NAME, DATABASE_NAME, PROOF_NAME, FOLDERS_PROOF_NAME, *_MADE)
SCHEMA = 6
_FIELDS = {
    "unit_code",
    "unit_name_vi",
    "quarter",
    "release",
    "path",
    "manifest_sha256",
    "published_at",
    "files",
    "provisional",
    "history",
    "tables",
    "terms",
    "unit_pages",
    "window",
}
#: Files of a release that the index leads to, by the name it gives them.
_FILES = {
    "page": "report/index.html",
    "report_pdf": "report/report.pdf",
    "report_docx": "report/report.docx",
    "annex_xlsx": "report/annex.xlsx",
    "annex_csv": "report/annex.csv",
    "province_xlsx": "report/tong-hop.xlsx",
    "database": "marts.duckdb",
    "data_package": PACKAGE_NAME,
}
_MARTS, _UNIT_PAGES = "marts/", "report/don-vi/"
_UNKNOWN = dt.datetime.min.replace(tzinfo=dt.UTC)

#: Folders whose index is to be rebuilt at the end of the block of :func:`index_once`; None outside of one.
_postponed: ContextVar[set[Path] | None] = ContextVar("postponed", default=None)


@contextlib.contextmanager
def index_once() -> Iterator[None]:
    """Within this block the index waits: it is rebuilt once, at the end, if it was to be rebuilt at all."""
    asked: set[Path] = set()
    token = _postponed.set(asked)
    try:
        yield
    finally:
        _postponed.reset(token)
        for published in sorted(asked):
            rebuild_index(published)


def rebuild_index(published: Path, *, from_releases: bool = False) -> Path:
    """Write all files from the pointers and return the path of ``index.json``.

    Each is replaced in one step. A release that is damaged is listed as such, one whose pointer is stays listed as it
    was; another unit's publication does not fail over it. ``from_releases``: nothing is taken from the last index.
    """
    postponed = _postponed.get()
    if postponed is not None:
        postponed.add(published)
        return published / INDEX_NAME
    with exclusive_lock(published / ".index.lock"):
        known = {} if from_releases else _known_entries(published / INDEX_NAME)
        entries = _entries(published, known)
        index = _encode(entries)
        is_sound = bool(known) and _database_is_whole(published)
        if not (is_sound and _database_is_of(published, index)):
            # First, so that nobody finds a release in the list that the database cannot be made over.
            database = build_collection(published, entries, published / DATABASE_NAME if is_sound else None)
        else:
            database = None
        replace_durably(published / INDEX_NAME, index, sync_directory=False)
        if database is not None:
            replace_durably(published / DATABASE_NAME, database, sync_directory=False)
            replace_durably(published / PROOF_NAME, proof_of(database, index), sync_directory=False)
        refresh_folders(published, entries, anew=from_releases)
        for name, made in _MADE.items():
            replace_durably(published / name, made(entries), sync_directory=name == NAMES[-1])
    return published / INDEX_NAME


def is_of_another_version(published: Path) -> bool:
    """Whether another version of this program wrote the list: then nothing is damaged, and all is written anew."""
    try:
        data = (published / INDEX_NAME).read_bytes()
        index = json.loads(data)
        if index["schema"] < SCHEMA:
            return True
        return index["made_by"] != _maker() and data == _encode(index["releases"], index["made_by"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


@cache
def _maker() -> str:
    """Which version of this program writes: a hash of what it makes of a release that is always the same."""
    step = {"at": "2023-03-16T08:00:00+07:00", "previous": 1, "changed": 1, "reason": "x", "provisional": True}
    history = [{"action": action, "release": 2, **step} for action in ("publish", "rollback")]
    specimen = dict.fromkeys(_FIELDS, "x") | {
        "quarter": "2023-Q1",
        "release": 2,
        "published_at": step["at"],
        "provisional": True,
        "history": history,
        "files": {name: f"x/{path}" for name, path in _FILES.items()},
        "unit_pages": 1,
        "window": ["2022-12-15", "2023-03-14"],
        "terms": dict.fromkeys(("contact_vi", "licence_vi", "licence_url"), "x"),
        "tables": {name: contract.version for name, contract in stored_contracts().items() if contract.origin == "dbt"},
    }
    looks = b"".join(made([specimen]) for made in (looks_of, *_MADE.values()))
    return sha256_bytes(looks + layout_of_folders())[:16]


def index_is_whole(published: Path) -> bool:
    """Whether all files are what they would be were they written now from the pointers and the last list.

    The list carries its own hash and the others follow from it, so that no release has to be opened.
    """
    index = published / INDEX_NAME
    if not any(published.glob(f"*/*/{POINTER_NAME}")):
        return True
    try:
        data = index.read_bytes()
        entries = _entries(published, _known_entries(index))
        is_list = (
            data == _encode(entries) and _database_is_of(published, data) and folders_are_whole(published, entries)
        )
        return is_list and all((published / name).read_bytes() == made(entries) for name, made in _MADE.items())
    except OSError:
        return False


def _database_is_of(published: Path, index: bytes) -> bool:
    """Whether the database is the one that was written, and was made from this index."""
    try:
        return is_proven((published / DATABASE_NAME).read_bytes(), index, (published / PROOF_NAME).read_bytes())
    except OSError:
        return False


def _database_is_whole(published: Path) -> bool:
    """Whether the database is the one that was written, from whichever index."""
    try:
        proof = (published / PROOF_NAME).read_bytes()
        return proof[:64].decode() == sha256_bytes((published / DATABASE_NAME).read_bytes())
    except (OSError, ValueError):
        return False


def _entries(published: Path, known: Mapping[tuple[str, str, str], dict[str, Any]]) -> list[dict[str, Any]]:
    entries = []
    for path in sorted(published.glob(f"*/*/{POINTER_NAME}")):
        try:
            pointer = read_pointer(path.parent)
        except DamagedPointer:
            place = (path.parent.parent.name, path.parent.name)
            entries += [entry for key, entry in known.items() if key[:2] == place]
            continue
        if pointer is not None:
            entries.append(
                known.get((pointer.unit_code, pointer.quarter, pointer.manifest_sha256))
                or _entry(published, path.parent, pointer)
            )
    return entries


def entry_of(quarter_dir: Path) -> dict[str, Any] | None:
    """What the index says of one unit and period, told anew; None before its first release. Raises DamagedPointer."""
    pointer = read_pointer(quarter_dir)
    return None if pointer is None else _entry(quarter_dir.parent.parent, quarter_dir, pointer)


def _encode(entries: Sequence[Mapping[str, Any]], made_by: str = "") -> bytes:
    """Canonical JSON with a line for each release, so that it can be looked through, who made it (this version where
    none is named), and the hash of all that stands before it.
    """
    lines = b",\n".join(canonical_json(entry) for entry in entries)
    told = b'{"releases":[\n' + lines + b'\n],"schema":%d,"made_by":"%s"' % (SCHEMA, (made_by or _maker()).encode())
    return told + b',"sha256":"%s"}\n' % sha256_bytes(told).encode()


def _known_entries(path: Path) -> Mapping[tuple[str, str, str], dict[str, Any]]:
    """The entries of the last index by unit, quarter and manifest, but for damaged ones; none when it is unreadable or
    not what was written.
    """
    try:
        data = path.read_bytes()
        entries = json.loads(data)["releases"]
        if data != _encode(entries):
            return {}
        return {
            (entry["unit_code"], entry["quarter"], entry["manifest_sha256"]): entry
            for entry in entries
            if entry.keys() == _FIELDS and entry["files"]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _entry(published: Path, quarter_dir: Path, pointer: Pointer) -> dict[str, Any]:
    release = quarter_dir / pointer.release_name
    path = release.relative_to(published).as_posix()
    history = _history(quarter_dir, pointer)
    return {
        "unit_code": pointer.unit_code,
        "quarter": pointer.quarter,
        "release": pointer.release,
        "path": path,
        "manifest_sha256": pointer.manifest_sha256,
        "provisional": _standings(history)[pointer.release],
        "history": history,
        **_told_by_release(release, pointer, path),
    }


def _history(quarter_dir: Path, pointer: Pointer) -> list[dict[str, Any]]:
    """What was published and taken back, in order: the release that was current then, the moment where the manifest
    tells one, the release before, how many changes the release lists, the reason of an amendment or a rollback, and
    whether the figures are provisional (None where the manifest cannot be read).
    """
    steps: list[dict[str, Any]] = []
    for number, sha256 in sorted(pointer.manifests.items()):
        release = quarter_dir / release_name(number)
        try:
            manifest = read_manifest(release, expected_sha256=sha256)
        except (DamagedManifest, OSError):
            steps.append(_step("publish", number))
        else:
            steps.append(_published(manifest, release))
    # A release that comes back is as final, or not, as it was when it was published.
    standings = _standings(steps)
    steps += [
        _step("rollback", event.release, at=event.at, reason=event.reason, provisional=standings.get(event.release))
        for event in pointer.events
        if event.action == "rollback"
    ]
    # What no moment is known of stays where its number puts it, before what people did by hand.
    return sorted(steps, key=lambda step: dt.datetime.fromisoformat(step["at"]) if step["at"] else _UNKNOWN)


def _standings(steps: Sequence[Mapping[str, Any]]) -> dict[int, bool | None]:
    """Whether the figures of each release are provisional; None where its manifest does not tell."""
    return {step["release"]: step["provisional"] for step in steps if step["action"] == "publish"}


def _changes(manifest: Manifest, release: Path) -> int | None:
    """How many changed cells the release lists; None for a first one, and where the list is not what was published."""
    data = _as_published(manifest, release, CHANGES_FILE)
    return len(from_csv(data)) if manifest.previous and data is not None else None


def _terms(manifest: Manifest, release: Path) -> dict[str, str]:
    """Licence and contact that the release names; none where what names them is not what was published."""
    data = _as_published(manifest, release, PACKAGE_NAME)
    return {} if data is None else terms_of(json.loads(data))


def _as_published(manifest: Manifest, release: Path, path: str) -> bytes | None:
    """A file of the release; None where it has none or another than was published."""
    listed = next((output.sha256 for output in manifest.outputs if output.path == path), None)
    try:
        data = (release / path).read_bytes()
    except OSError:
        return None
    return data if sha256_bytes(data) == listed else None


def _published(manifest: Manifest, release: Path) -> dict[str, Any]:
    return _step(
        "publish",
        manifest.release,
        at=manifest.published_at,
        previous=manifest.previous.release if manifest.previous else None,
        changed=_changes(manifest, release),
        reason=manifest.amendment.reason if manifest.amendment else None,
        provisional=bool(manifest.provisional_vi),
    )


def _is_of_province(manifest: Manifest) -> bool:
    return any(output.path == f"{_MARTS}province_members.parquet" for output in manifest.outputs)


def _step(action: str, release: int, **more: Any) -> dict[str, Any]:
    unknown = {"at": None, "previous": None, "changed": None, "reason": None, "provisional": None}
    return {"action": action, "release": release, **unknown, **more}


def _told_by_release(release: Path, pointer: Pointer, path: str) -> dict[str, Any]:
    """The unit's name, the moment of publication, the files to lead to (none where the release is damaged), the days
    that its figures are of, its tables with the versions of their contracts (empty where it does not say), licence and
    contact as far as it names them, and how many units below it have a page of their own.
    """
    try:
        manifest = read_manifest(release, expected_sha256=pointer.manifest_sha256)
        named_in = "province_members" if _is_of_province(manifest) else "dim_unit"
        name = unit_name({named_in: _mart(release, named_in)}, pointer.unit_code)
        window = _window(release, manifest, pointer.quarter)
    except (DamagedManifest, OSError, LookupError, pa.ArrowException):
        return {
            "unit_name_vi": pointer.unit_code,
            "published_at": None,
            "files": {},
            "window": _of_period(pointer.quarter),
            "tables": {},
            "terms": {},
            "unit_pages": 0,
        }
    present = {output.path for output in manifest.outputs}
    marts = [Path(output).stem for output in sorted(present) if output.startswith(_MARTS)]
    return {
        "unit_name_vi": name,
        "published_at": manifest.published_at,
        "files": {kind: f"{path}/{file}" for kind, file in _FILES.items() if file in present},
        "window": window,
        "tables": {mart: manifest.contract_versions.get(mart, "") for mart in marts},
        "terms": _terms(manifest, release),
        "unit_pages": sum(output.startswith(_UNIT_PAGES) for output in present),
    }


def _mart(release: Path, name: str) -> pa.Table:
    return from_parquet((release / _MARTS / f"{name}.parquet").read_bytes())


def _window(release: Path, manifest: Manifest, quarter: str) -> list[str]:
    """First and last day of the period as it is for the unit, which may begin within it."""
    if _is_of_province(manifest):
        return _of_period(quarter)
    rows = {row["quarter"]: row for row in _mart(release, "dim_quarter").to_pylist()}
    own = rows.get(quarter)
    return [own[day].isoformat() for day in ("opens_on", "closes_on")] if own else _of_period(quarter)


def _of_period(quarter: str) -> list[str]:
    period = period_named(quarter)
    return [period.opens_on.isoformat(), period.closes_on.isoformat()]

"""``published/index.json`` and ``published/index.html``: all current releases at a glance, for programs and people.

Belongs here: deriving the list from the pointers. Nothing relies on it for truth: both files can be deleted and
rebuilt. Does not belong here: the look of the page (``page``).

Only the pointers, which are small, are read each time. Name, date and files of a release never change, so they are
taken from the last index while the pointer names the same manifest, and from the release itself when it is new.
Whoever publishes many units does so within :func:`index_once`, since both files grow with the number of releases.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pyarrow as pa

from common.files import canonical_json, exclusive_lock, replace_durably, sha256_bytes
from publication.content.release_content import unit_name
from publication.page import render_catalogue
from publication.store.parquet import from_parquet
from publication.store.pointer import POINTER_NAME, DamagedPointer, Pointer, read_pointer
from publication.tables.manifest import DamagedManifest, read_manifest

INDEX_NAME = "index.json"
PAGE_NAME = "index.html"
SCHEMA = 1
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
}
#: Files of a release that the index leads to, by the name it gives them.
_FILES = {
    "page": "report/index.html",
    "report_pdf": "report/report.pdf",
    "report_docx": "report/report.docx",
    "annex_xlsx": "report/annex.xlsx",
}


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
    """Write both files from the pointers and return the path of ``index.json``.

    Each is replaced in one step. A release that is damaged is listed as such, one whose pointer is stays listed as it
    was; another unit's publication does not fail over it. ``from_releases``: nothing is taken from the last index.
    """
    postponed = _postponed.get()
    if postponed is not None:
        postponed.add(published)
        return published / INDEX_NAME
    with exclusive_lock(published / ".index.lock"):
        entries = _entries(published, {} if from_releases else _known_entries(published / INDEX_NAME))
        replace_durably(published / INDEX_NAME, _encode(entries), sync_directory=False)
        replace_durably(published / PAGE_NAME, render_catalogue(entries))
    return published / INDEX_NAME


def index_is_whole(published: Path) -> bool:
    """Whether both files are what they would be were they written now from the pointers and the last list.

    The list carries its own hash and the page follows from it, so that no release has to be opened.
    """
    index, page = published / INDEX_NAME, published / PAGE_NAME
    if not any(published.glob(f"*/*/{POINTER_NAME}")):
        return True
    try:
        data = index.read_bytes()
        entries = _entries(published, _known_entries(index))
        is_list = data in (_encode(entries), _encode(entries, sealed=False))
        return is_list and page.read_bytes() == render_catalogue(entries)
    except OSError:
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


def _encode(entries: Sequence[Mapping[str, Any]], *, sealed: bool = True) -> bytes:
    """Canonical JSON with a line for each release, so that it can be looked through, and the hash of these lines.

    Indexes were written without the hash before; one that is still there is as good.
    """
    lines = b",\n".join(canonical_json(entry) for entry in entries)
    seal = b',"sha256":"%s"' % sha256_bytes(lines).encode() if sealed else b""
    return b'{"releases":[\n' + lines + b'\n],"schema":%d%s}\n' % (SCHEMA, seal)


def _known_entries(path: Path) -> Mapping[tuple[str, str, str], dict[str, Any]]:
    """The entries of the last index by unit, quarter and manifest, but for damaged ones; none when it is unreadable or
    not what was written.
    """
    try:
        data = path.read_bytes()
        entries = json.loads(data)["releases"]
        if data not in (_encode(entries), _encode(entries, sealed=False)):
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
    name, published_at, files, provisional = _told_by_release(release, pointer)
    return {
        "unit_code": pointer.unit_code,
        "unit_name_vi": name,
        "quarter": pointer.quarter,
        "release": pointer.release,
        "path": path,
        "manifest_sha256": pointer.manifest_sha256,
        "published_at": published_at,
        "provisional": provisional,
        "files": {kind: f"{path}/{file}" for kind, file in files.items()},
    }


def _told_by_release(release: Path, pointer: Pointer) -> tuple[str, str | None, dict[str, str], bool]:
    """The unit's name, the moment of publication, the files to lead to (none where the release is damaged), and
    whether its figures are provisional."""
    try:
        manifest = read_manifest(release, expected_sha256=pointer.manifest_sha256)
        units = from_parquet((release / "marts" / "dim_unit.parquet").read_bytes())
        name = unit_name({"dim_unit": units}, pointer.unit_code)
    except (DamagedManifest, OSError, LookupError, pa.ArrowException):
        return pointer.unit_code, None, {}, False
    present = {output.path for output in manifest.outputs}
    files = {kind: file for kind, file in _FILES.items() if file in present}
    return name, manifest.published_at, files, bool(manifest.provisional_vi)

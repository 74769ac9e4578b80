"""Is a release still what was published?

Belongs here: re-hashing every file, reading every value, naming what is missing, added or changed; which releases
there are to verify.
Does not belong here: mending anything; whether the figures are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from common.files import is_regular_file, regular_files, sha256_file
from publication.store.parquet import from_parquet
from publication.store.pointer import DamagedPointer, read_pointer, release_name
from publication.tables.database import DamagedDatabase, read_database
from publication.tables.manifest import (
    MANIFEST_NAME,
    DamagedManifest,
    Manifest,
    OutputFile,
    content_hash,
    read_manifest,
)

_RELEASE_DIR = re.compile(r"r[1-9][0-9]*")


@dataclass(frozen=True)
class Damage:
    """One thing wrong with a release. ``kind``: missing | extra | changed | unreadable | manifest."""

    path: str
    kind: str
    message_vi: str


def verify(release_dir: Path) -> list[Damage]:
    """Everything wrong with ``published/<unit>/<quarter>/r<N>``; empty when it is whole.

    The manifest itself is checked against the pointer of its quarter folder, which keeps the manifest hash of
    every release. Reads every byte of every file and every value of the Parquet and DuckDB files.
    """
    try:
        manifest = read_manifest(release_dir, expected_sha256=_recorded_hash(release_dir))
    except (DamagedManifest, DamagedPointer) as error:
        return [Damage(MANIFEST_NAME, "manifest", str(error))]
    return list(_check(release_dir, manifest))


def all_releases(published: Path) -> list[Path]:
    """Folders of every release ever published, in order of unit, quarter and number: those that a pointer knows,
    missing ones too, and those that lie there."""
    folders: set[Path] = set()
    for quarter_dir in {path.parent for path in published.glob("*/*/*") if not path.parent.name.startswith(".")}:
        folders |= {path for path in quarter_dir.iterdir() if _RELEASE_DIR.fullmatch(path.name)}
        try:
            pointer = read_pointer(quarter_dir)
        except DamagedPointer:
            continue  # Its releases are reported by verify, which cannot trust them either.
        folders |= {quarter_dir / release_name(number) for number in pointer.manifests} if pointer else set()
    return sorted(folders, key=lambda path: (path.parent, int(path.name[1:])))


def _recorded_hash(release_dir: Path) -> str:
    pointer = read_pointer(release_dir.parent)
    names = {release_name(number): sha256 for number, sha256 in pointer.manifests.items()} if pointer else {}
    if release_dir.name not in names:
        raise DamagedPointer(f"{release_dir.name} chưa từng được công bố")
    return names[release_dir.name]


def _check(release_dir: Path, manifest: Manifest) -> Iterator[Damage]:
    recorded = {output.path: output for output in manifest.outputs}
    present = regular_files(release_dir)
    present.pop(MANIFEST_NAME)
    for name in sorted(recorded.keys() - present.keys()):
        yield Damage(name, "missing", f"thiếu tệp {name}")
    for name in sorted(present.keys() - recorded.keys()):
        yield Damage(name, "extra", f"tệp {name} không có trong bản kê")
    if content_hash(manifest.outputs) != manifest.content_sha256:
        yield Damage(MANIFEST_NAME, "manifest", "bản kê không khớp với tổng hợp của chính nó")
    for name in sorted(recorded.keys() & present.keys()):
        yield from _check_file(present[name], recorded[name])


def _check_file(path: Path, recorded: OutputFile) -> Iterator[Damage]:
    if not is_regular_file(path):
        yield Damage(recorded.path, "changed", f"{recorded.path} không còn là tệp thường")
        return
    if path.stat().st_size != recorded.bytes or sha256_file(path) != recorded.sha256:
        yield Damage(recorded.path, "changed", f"nội dung {recorded.path} đã thay đổi")
        return
    try:
        if path.suffix == ".parquet" and from_parquet(path.read_bytes()).num_rows != recorded.rows:
            yield Damage(recorded.path, "changed", f"số dòng của {recorded.path} khác bản kê")
        elif path.suffix == ".duckdb":
            read_database(path)
    except (pa.ArrowException, DamagedDatabase, OSError) as error:
        yield Damage(recorded.path, "unreadable", f"không đọc được {recorded.path}: {error}")

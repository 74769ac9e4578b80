"""``published/index.json``: all current releases at a glance.

Belongs here: deriving the list from the pointers. Nothing relies on it for truth: it can be deleted and rebuilt.
"""

from __future__ import annotations

from pathlib import Path

from publication import failpoints
from publication.files import exclusive_lock, readable_json, replace_durably
from publication.pointer import POINTER_NAME, read_pointer

INDEX_NAME = "index.json"


def rebuild_index(published: Path) -> Path:
    """Write the index from the pointers and return its path. Raises DamagedPointer when one cannot be read."""
    with exclusive_lock(published / ".index.lock"):
        entries = []
        for path in sorted(published.glob(f"*/*/{POINTER_NAME}")):
            pointer = read_pointer(path.parent)
            if pointer is None:
                continue
            entries.append({
                "unit_code": pointer.unit_code, "quarter": pointer.quarter, "release": pointer.release,
                "path": path.parent.joinpath(pointer.release_name).relative_to(published).as_posix(),
                "manifest_sha256": pointer.manifest_sha256,
            })
        replace_durably(published / INDEX_NAME, readable_json({"schema": 1, "releases": entries}),
                        written=lambda: failpoints.reach("index.temporary_written"))
    return published / INDEX_NAME

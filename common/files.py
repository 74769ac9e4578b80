"""Files that are there whole or not at all, and what their bytes are: replacement, fsync, hashes, locks, JSON.

Belongs here: what every room needs from a POSIX file system. Does not belong here: what the files mean.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

#: Mode of what only the office that keeps the home may read.
PRIVATE = 0o600


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8: equal values are equal bytes. Raises ValueError for NaN."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def readable_json(value: Any) -> bytes:
    """The same determinism, indented, for files that people open."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False)
    return text.encode() + b"\n"


_SEAL = "seal"


def sealed_json(content: dict[str, Any]) -> bytes:
    """Readable JSON of a record that carries the hash of its own content, so that a changed byte is noticed."""
    return readable_json({**content, _SEAL: sha256_bytes(canonical_json(content))})


def unsealed(data: bytes) -> dict[str, Any]:
    """The content of a sealed record, without its seal; one that was written before there were seals has none.

    Raises ``ValueError`` where it is no record, or not the one that was written.
    """
    content = json.loads(data)
    if not isinstance(content, dict):
        raise ValueError("no record")
    seal = content.pop(_SEAL, None)
    if seal is not None and seal != sha256_bytes(canonical_json(content)):
        raise ValueError("not the record that was written")
    return content


def sha256_bytes(data: bytes) -> str:
    """Hex sha256 of the bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex sha256 of the file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fsync_path(path: Path) -> None:
    """Make a file's content, or a directory's entries, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_tree(root: Path) -> None:
    """fsync every file and then every directory below the root, the root last."""
    for folder, _, names in os.walk(root, topdown=False):
        for name in sorted(names):
            fsync_path(Path(folder, name))
        fsync_path(Path(folder))


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file and fsync it; the caller syncs the directory."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def make_durable_directory(path: Path) -> None:
    """Create the directory and its parents; each new entry is synced in its parent."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        fsync_path(folder.parent)


def _held_alone(path: Path, mode: int) -> BinaryIO:
    """The file, empty and open for writing, that no other process holds; made where it is missing."""
    while True:
        # Never through a link: others may write to the folder, and would choose what is written over.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        held = os.fstat(descriptor)
        try:
            if os.path.samestat(held, path.lstat()):
                break
        except FileNotFoundError:
            pass
        os.close(descriptor)  # whoever held it has put it in its place meanwhile
    if held.st_size:
        os.ftruncate(descriptor, 0)
    return open(descriptor, "wb")


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = 0o644, sync_directory: bool = True) -> Iterator[BinaryIO]:
    """Replace a file in one atomic step by what is written to the stream: temporary sibling, fsync, rename over, fsync
    of the directory.

    The sibling has one name, so what a killed process left is written over by the next; of several processes that
    replace one file at once, each waits for the one before. Where the block or the disk fails, the old file stays and
    the sibling goes.
    ``mode`` is narrowed by the process's umask. ``sync_directory`` is for a caller who replaces another file of the
    directory right after, whose sync serves both.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    stream = _held_alone(temporary, mode)
    try:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        stream.close()
    if sync_directory:
        fsync_path(path.parent)


def replace_durably(path: Path, data: bytes, *, mode: int = 0o644, sync_directory: bool = True) -> None:
    """:func:`replacing` for content that is held in memory; the directory is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, mode=mode, sync_directory=sync_directory) as stream:
        stream.write(data)


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the advisory lock of this file, or of a folder that is there; waits for another holder, freed by the kernel
    when a holder dies.
    """
    access = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, access | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def make_tree_read_only(root: Path) -> None:
    """Files 0444, directories 0555, deepest first."""
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            Path(folder, name).chmod(0o444)
        Path(folder).chmod(0o555)


def remove_tree(root: Path) -> None:
    """Remove a tree whether or not it was made read-only."""
    for folder, _, _ in os.walk(root):
        Path(folder).chmod(0o755)
    shutil.rmtree(root)


def regular_files(root: Path) -> dict[str, Path]:
    """Every entry below the root that is not a real directory, by its POSIX path relative to the root, in order."""
    found: dict[str, Path] = {}
    for folder, subfolders, names in os.walk(root):
        links = [name for name in subfolders if Path(folder, name).is_symlink()]
        for name in [*names, *links]:
            path = Path(folder, name)
            found[path.relative_to(root).as_posix()] = path
    return dict(sorted(found.items()))


def is_regular_file(path: Path) -> bool:
    """True for a plain file itself; false for links, devices, directories and nothing at all."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False

"""What was delivered, and whether it is safe to open; keeps the originals.

Belongs here: walking the landing folder, refusing what is no plain file, hashing and copying. Does not belong here:
reading content. The landing folder is never written to.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ingestion.paths import IngestPaths

LOCAL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class LandingProblem:
    """Something in the landing folder that is no delivery; ``path`` is relative to the landing folder."""

    path: str
    code: str
    message_vi: str


@dataclass(frozen=True, slots=True, order=True)
class LandingFile:
    """A plain file in a known place of the landing folder."""

    unit_code: str
    quarter: str
    source: str
    file_name: str
    path: Path

    @property
    def relative_path(self) -> str:
        return f"{self.unit_code}/{self.quarter}/{self.source}/{self.file_name}"


@dataclass(frozen=True, slots=True)
class KeptOriginal:
    """A delivered file as kept: what it is and when it arrived (local time, seconds)."""

    sha256: str
    size_bytes: int
    delivered_at: dt.datetime
    path: Path


def _entries(folder: Path, landing: Path, problems: list[LandingProblem]) -> list[str]:
    """Names of the real sub-folders of a folder, in order; anything else is a problem."""
    names: list[str] = []
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            names.append(entry.name)
        else:
            problems.append(
                LandingProblem(
                    str(Path(entry.path).relative_to(landing)),
                    "misplaced",
                    "Tệp không nằm trong thư mục đơn vị/kỳ/nguồn.",
                )
            )
    return names


def scan(
    paths: IngestPaths,
    *,
    known_units: Collection[str],
    known_quarters: Collection[str],
    known_sources: Collection[str],
    quarter: str | None = None,
) -> tuple[list[LandingFile], list[LandingProblem]]:
    """Plain files of the landing folder (of one quarter, if given) in a total order, and everything that is none."""
    files: list[LandingFile] = []
    problems: list[LandingProblem] = []
    if not paths.landing.is_dir():
        return files, problems
    for unit in _entries(paths.landing, paths.landing, problems):
        if unit not in known_units:
            problems.append(LandingProblem(unit, "unknown_unit", f"Không có đơn vị mang mã “{unit}” trong danh mục."))
            continue
        for name in _entries(paths.landing / unit, paths.landing, problems):
            if name not in known_quarters:
                problems.append(
                    LandingProblem(f"{unit}/{name}", "unknown_quarter", f"“{name}” không phải kỳ báo cáo đã khai báo.")
                )
                continue
            if quarter not in (None, name):
                continue
            for source in _entries(paths.landing / unit / name, paths.landing, problems):
                if source not in known_sources:
                    problems.append(
                        LandingProblem(
                            f"{unit}/{name}/{source}",
                            "unknown_source",
                            f"“{source}” không phải nguồn số liệu đã khai báo.",
                        )
                    )
                    continue
                _scan_source(paths, unit, name, source, files, problems)
    return files, sorted(problems)


def _scan_source(
    paths: IngestPaths, unit: str, quarter: str, source: str, files: list[LandingFile], problems: list[LandingProblem]
) -> None:
    for entry in sorted(os.scandir(paths.landing / unit / quarter / source), key=lambda e: e.name):
        relative = f"{unit}/{quarter}/{source}/{entry.name}"
        if entry.name.startswith((".", "~$")) or entry.name.lower().endswith(_UNFINISHED):
            problems.append(LandingProblem(relative, "unfinished", "Tệp tạm hoặc chưa chép xong, chưa được đọc."))
        elif entry.is_symlink() or not entry.is_file(follow_symlinks=False):
            problems.append(
                LandingProblem(relative, "not_a_file", "Không phải tệp thường (liên kết, thư mục hoặc thiết bị).")
            )
        elif not entry.name.isprintable():
            problems.append(LandingProblem(relative, "bad_name", "Tên tệp có ký tự điều khiển; đổi tên rồi nộp lại."))
        else:
            files.append(LandingFile(unit, quarter, source, entry.name, Path(entry.path)))


def original_path(paths: IngestPaths, sha256: str, file_name: str) -> Path:
    """Where the original of that content is kept; the name is made from the hash, never from the delivered name."""
    return paths.originals / sha256[:2] / f"{sha256}{suffix_of(file_name)}"


def suffix_of(file_name: str) -> str:
    """Lower-case suffix with its dot, made of letters and digits only, else empty."""
    suffix = Path(file_name).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() else ""


def keep_original(
    paths: IngestPaths, file: LandingFile, known_sizes: Collection[int] = ()
) -> KeptOriginal | LandingProblem:
    """Copies a delivered file into the originals (mode 0600), hashing what is copied; the copy appears whole or not at
    all. ``known_sizes`` are the sizes of the contents that were delivered before.
    """
    paths.originals.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        source = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        message = "Tệp là liên kết, không được đọc." if error.errno == errno.ELOOP else "Không mở được tệp để đọc."
        return LandingProblem(file.relative_path, "not_readable", message)
    try:
        before = os.fstat(source)
        if not stat.S_ISREG(before.st_mode):
            return LandingProblem(
                file.relative_path, "not_a_file", "Không phải tệp thường (liên kết, thư mục hoặc thiết bị)."
            )
        # What may be here already is hashed before it is copied; anything else is read once.
        sha256 = _copied(source, None) if before.st_size in known_sizes else ""
        path = original_path(paths, sha256, file.file_name)
        if not sha256 or not path.exists():
            os.lseek(source, 0, os.SEEK_SET)
            handle, name = tempfile.mkstemp(dir=paths.originals, prefix=".copy-")
            temporary = Path(name)
            try:
                with os.fdopen(handle, "wb") as target:
                    sha256 = _copied(source, target)
                    target.flush()
                    os.fsync(target.fileno())
                path = original_path(paths, sha256, file.file_name)
                if _unchanged(before, os.fstat(source)) and not path.exists():
                    path.parent.mkdir(exist_ok=True, mode=0o700)
                    temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        if not _unchanged(before, os.fstat(source)):
            return LandingProblem(file.relative_path, "unfinished", "Tệp đang được ghi, chưa được đọc.")
    finally:
        os.close(source)
    delivered_at = dt.datetime.fromtimestamp(int(before.st_mtime), LOCAL_TIME).replace(tzinfo=None)
    return KeptOriginal(sha256, before.st_size, delivered_at, path)


def _unchanged(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


def _copied(source: int, target: BinaryIO | None) -> str:
    """SHA-256 of what is left to read of an open file, copied to ``target`` if there is one.

    A block is hashed while it is being written; both run outside the interpreter's lock.
    """
    digest = hashlib.sha256()
    with ThreadPoolExecutor(1) as hasher:
        while block := os.read(source, _BLOCK):
            hashed = hasher.submit(digest.update, block)
            if target is not None:
                target.write(block)
            hashed.result()
    return digest.hexdigest()

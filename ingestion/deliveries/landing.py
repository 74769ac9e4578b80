"""What was delivered, and whether it is safe to open; keeps the originals.

Belongs here: walking the landing folder, refusing what is no plain file or not yet whole, hashing and copying. Does not
belong here: reading content. The landing folder is never written to.

A sender may put a ``.done`` file beside a delivery: ``<file>.done`` with the SHA-256 of the file and the number of its
rows, as JSON (``{"sha256": …, "rows": …}``) or as plain text (``<sha256> <rows>``). A delivery that has one is taken
only when it matches; one that has none is taken when it has stopped growing.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
import re
import stat
import tempfile
import time
import unicodedata
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from common.files import sha256_file
from ingestion.base.lake import DamagedError
from ingestion.base.paths import IngestPaths
from ingestion.deliveries.signatures import SIGNED_SOURCE, is_signature, read_signature, signature_name

LOCAL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart")
_BLOCK = 1 << 20
_SYNC_BYTES = 32 << 20
_DONE = ".done"
_MAX_DONE_BYTES = 4_096
# What is made of a name, such as the list of rejected rows, must still fit the 255 bytes of a file system.
_MAX_NAME_BYTES = 200
_FAULTS = frozenset({"disk_full", "not_readable", "program_fault", "store_damaged", "not_returned"})
# What lies in a folder but was not seen: it may have come before what was.
NOT_SEEN = frozenset({"disk_full", "not_readable", "waiting", "bad_done", "done_mismatch"})
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class LandingProblem:
    """Something in the landing folder that is no delivery, or was not taken in; ``path`` is relative to that folder."""

    path: str
    code: str
    message_vi: str

    @property
    def is_fault(self) -> bool:
        """Whether this program or its machine failed: nothing is said against whoever delivered."""
        return self.code in _FAULTS


@dataclass(frozen=True, slots=True, order=True)
class DoneFile:
    """What a ``.done`` file says of its delivery: the hash, and the rows if it tells them (-1 where not)."""

    sha256: str
    rows: int = -1


@dataclass(frozen=True, slots=True, order=True)
class LandingFile:
    """A plain file in a known place of the landing folder, with its sender's ``.done`` file if there is one, and the
    text of the signature beside it where its source is one that may be signed.
    """

    unit_code: str
    quarter: str
    source: str
    file_name: str
    path: Path
    done: DoneFile | None = None
    signature: str = ""

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


def shown(name: str) -> str:
    """A name fit for people and logs: control, formatting and undecodable characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in name)


def _listed(folder: Path, landing: Path, problems: list[LandingProblem]) -> list[os.DirEntry[str]]:
    """Entries of a folder by name; a folder that cannot be listed is a problem."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda e: e.name)
    except OSError:
        place = shown(str(folder.relative_to(landing)))
        problems.append(LandingProblem(place, "not_readable", "Không có quyền đọc thư mục này."))
        return []


def _entries(folder: Path, landing: Path, problems: list[LandingProblem]) -> list[str]:
    """Names of the real sub-folders of a folder, in order; anything else is a problem."""
    names: list[str] = []
    for entry in _listed(folder, landing, problems):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            names.append(entry.name)
        else:
            problems.append(
                LandingProblem(
                    shown(str(Path(entry.path).relative_to(landing))),
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
    quarters: Collection[str] | None = None,
) -> tuple[list[LandingFile], list[LandingProblem]]:
    """Plain files of the landing folder (of some quarters, if given) in a total order, and everything that is none."""
    files: list[LandingFile] = []
    problems: list[LandingProblem] = []
    if not paths.landing.is_dir():
        return files, problems
    for unit in _entries(paths.landing, paths.landing, problems):
        if unit not in known_units:
            problems.append(
                LandingProblem(shown(unit), "unknown_unit", f"Không có đơn vị mang mã “{shown(unit)}” trong danh mục.")
            )
            continue
        for name in _entries(paths.landing / unit, paths.landing, problems):
            if name not in known_quarters:
                problems.append(
                    LandingProblem(
                        shown(f"{unit}/{name}"),
                        "unknown_quarter",
                        f"“{shown(name)}” không phải kỳ báo cáo đã khai báo.",
                    )
                )
                continue
            if quarters is not None and name not in quarters:
                continue
            for source in _entries(paths.landing / unit / name, paths.landing, problems):
                if source not in known_sources:
                    problems.append(
                        LandingProblem(
                            shown(f"{unit}/{name}/{source}"),
                            "unknown_source",
                            f"“{shown(source)}” không phải nguồn số liệu đã khai báo.",
                        )
                    )
                    continue
                _scan_source(paths, unit, name, source, files, problems)
    return files, sorted(problems)


def _scan_source(
    paths: IngestPaths, unit: str, quarter: str, source: str, files: list[LandingFile], problems: list[LandingProblem]
) -> None:
    folder = paths.landing / unit / quarter / source
    entries = _listed(folder, paths.landing, problems)
    names = {entry.name for entry in entries}
    for entry in entries:
        if entry.name.lower().endswith(_DONE):
            if _delivery_of(entry.name, names) is None:
                problems.append(
                    LandingProblem(
                        shown(f"{unit}/{quarter}/{source}/{entry.name}"),
                        "waiting",
                        "Có tệp .done nhưng chưa có tệp số liệu đi kèm; đang chờ.",
                    )
                )
            continue
        if is_signature(entry.name):
            continue
        if (problem := _problem_of(entry)) is not None:
            problems.append(LandingProblem(shown(f"{unit}/{quarter}/{source}/{entry.name}"), *problem))
            continue
        if unicodedata.normalize("NFC", entry.name) in names - {entry.name}:
            message = "Trong thư mục có hai tệp cùng tên, chỉ khác cách ghi dấu; giữ lại một tệp."
            problems.append(LandingProblem(shown(f"{unit}/{quarter}/{source}/{entry.name}"), "same_name", message))
            continue
        signed_by = signature_name(entry.name, names) if source == SIGNED_SOURCE else None
        signature = read_signature(folder / signed_by) if signed_by else ""
        done: DoneFile | None = None
        for name in (f"{entry.name}{_DONE}", f"{Path(entry.name).stem}{_DONE}"):
            if name in names and _delivery_of(name, names) == entry.name:
                done = read_done_file(folder / name)
                if done is None:
                    problems.append(
                        LandingProblem(
                            shown(f"{unit}/{quarter}/{source}/{name}"),
                            "bad_done",
                            "Tệp .done không ghi mã SHA-256 của tệp số liệu; tệp số liệu chưa được đọc.",
                        )
                    )
                break
        else:
            files.append(LandingFile(unit, quarter, source, entry.name, Path(entry.path), None, signature))
            continue
        if done is not None:
            files.append(LandingFile(unit, quarter, source, entry.name, Path(entry.path), done, signature))


def _delivery_of(done_name: str, names: Collection[str]) -> str | None:
    """The delivery that a ``.done`` file speaks of: ``a.xlsx.done`` of ``a.xlsx``; ``a.done`` of the only ``a.*``."""
    stem = done_name[: -len(_DONE)]
    if stem in names:
        return stem
    found = [n for n in names if Path(n).stem == stem and not n.lower().endswith(_DONE) and not is_signature(n)]
    return found[0] if len(found) == 1 else None


def is_temporary(name: str) -> bool:
    """Whether a file's name says that it is hidden, unfinished, or the lock of a program that has another one open."""
    return name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED)


def _problem_of(entry: os.DirEntry[str]) -> tuple[str, str] | None:
    """Why an entry is no delivery: code and message; None for a plain file with a usable name."""
    problem = _problem_of_name(entry.name)
    if problem is not None and problem[1] != _TOO_LONG:
        return problem
    if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
        return "not_a_file", "Không phải tệp thường (liên kết, thư mục hoặc thiết bị)."
    return problem


_TOO_LONG = f"Tên tệp dài quá {_MAX_NAME_BYTES} byte; đặt tên ngắn hơn rồi nộp lại."


def _problem_of_name(name: str) -> tuple[str, str] | None:
    if not name.isprintable() or "\\" in name or "/" in name:
        return "bad_name", "Tên tệp có ký tự điều khiển hoặc dấu gạch chéo; đổi tên rồi nộp lại."
    if is_temporary(name):
        return "unfinished", "Tệp tạm hoặc chưa chép xong, chưa được đọc."
    if len(name.encode()) > _MAX_NAME_BYTES:
        return "bad_name", _TOO_LONG
    return None


def may_be_delivered(name: str) -> str | None:
    """Why no file can be delivered under a name, for people; None where one can be. Notes beside files are none."""
    if name.lower().endswith(_DONE):
        return "Tệp .done chỉ đi kèm tệp số liệu; nộp chính tệp số liệu."
    problem = _problem_of_name(name)
    return problem[1] if problem else None


def read_done_file(path: Path) -> DoneFile | None:
    """What a ``.done`` file says; None where it is no plain small file or names no hash."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            text = file.read(_MAX_DONE_BYTES).decode("utf-8-sig", errors="replace")
    except OSError:
        return None
    try:
        declared = json.loads(text)
    except ValueError:
        declared = None
    if isinstance(declared, dict):
        sha256, rows = str(declared.get("sha256", "")), declared.get("rows")
        if not _SHA256.fullmatch(sha256):
            return None
        return DoneFile(sha256.lower(), rows if isinstance(rows, int) and rows >= 0 else -1)
    hashes = _SHA256.findall(text)
    if len(hashes) != 1:
        return None
    numbers = re.findall(r"(?<![\w.])\d{1,9}(?![\w.])", text)
    return DoneFile(hashes[0].lower(), int(numbers[0]) if len(numbers) == 1 else -1)


def settled(files: list[LandingFile], seconds: float) -> tuple[list[LandingFile], list[LandingProblem]]:
    """Files that have stopped growing, and a problem for each that has not.

    Files changed in the last ``seconds`` are looked at twice, with one wait for all; a file with a ``.done`` file is
    not waited for, since its hash tells.
    """
    first = {file: _look(file.path) for file in files if file.done is None}
    now = time.time()
    ages = [now - look[1] / 1e9 for look in first.values() if look is not None]
    recent = [age for age in ages if age < seconds]
    if recent:
        time.sleep(min(seconds, seconds - min(recent)))
    moving = {file for file, look in first.items() if look is not None and recent and _look(file.path) != look}
    return [f for f in files if f not in moving], [
        LandingProblem(f.relative_path, "unfinished", "Tệp đang được ghi, chưa được đọc.") for f in sorted(moving)
    ]


def _look(path: Path) -> tuple[int, int] | None:
    try:
        state = path.lstat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


def original_path(paths: IngestPaths, sha256: str, file_name: str) -> Path:
    """Where the original of that content is kept; the name is made from the hash, never from the delivered name."""
    return paths.originals / sha256[:2] / f"{sha256}{suffix_of(file_name)}"


def suffix_of(file_name: str) -> str:
    """Lower-case suffix with its dot, made of letters and digits only, else empty."""
    suffix = Path(file_name).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() else ""


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def storage_problem(relative_path: str, error: OSError) -> LandingProblem:
    """What to say where a delivery could not be read or kept for want of space or of working storage."""
    if isinstance(error, DamagedError):
        return LandingProblem(
            relative_path,
            "store_damaged",
            f"Kho lưu trữ hư hại, không phải lỗi của tệp đã nộp: {error.args[0]}. Chạy cchc rebuild: hệ thống lấy lại "
            "từ thư mục nhận nếu còn, và nói rõ tệp nào phải lấy từ bản sao lưu.",
        )
    if error.errno in _FULL:
        return LandingProblem(
            relative_path, "disk_full", "Máy chủ hết chỗ trống khi nhận tệp; tệp chưa được đọc và sẽ được đọc lại."
        )
    if error.errno == errno.ELOOP:
        return LandingProblem(relative_path, "not_a_file", "Tệp là liên kết, không được đọc.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return LandingProblem(relative_path, "not_readable", "Không có quyền đọc tệp này; cấp quyền đọc cho hệ thống.")
    return LandingProblem(relative_path, "not_readable", "Không đọc được tệp từ nơi lưu trữ; tệp sẽ được đọc lại.")


def program_problem(relative_path: str, error: Exception) -> LandingProblem:
    """What to say where this program broke over a delivery; never the error's own message, which may quote a cell."""
    return LandingProblem(
        relative_path,
        "program_fault",
        f"Lỗi của chương trình ({type(error).__name__}), không phải lỗi của tệp đã nộp: tệp chưa được đọc, các tệp "
        "khác vẫn được đọc. Báo cho người quản trị hệ thống; không cần nộp lại.",
    )


def keep_original(
    paths: IngestPaths, file: LandingFile, known_sizes: Collection[int] = ()
) -> KeptOriginal | LandingProblem:
    """Copies a delivered file into the originals (mode 0600), hashing what is copied; the copy appears whole or not at
    all. A file that does not match its ``.done`` file, or changes meanwhile, is a problem. ``known_sizes`` are the
    sizes of the contents that were delivered before.
    """
    try:
        kept = _kept(paths, file, known_sizes)
    except OSError as error:
        return storage_problem(file.relative_path, error)
    if isinstance(kept, KeptOriginal) and file.done is not None and file.done.sha256 != kept.sha256:
        return LandingProblem(
            file.relative_path,
            "done_mismatch",
            "Tệp không khớp mã SHA-256 trong tệp .done: chép chưa xong hoặc bị hỏng. Chưa được đọc; chép lại tệp.",
        )
    return kept


def _kept(paths: IngestPaths, file: LandingFile, known_sizes: Collection[int]) -> KeptOriginal | LandingProblem:
    paths.originals.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
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
            sha256 = _place_copy(source, before, paths, file)
        if not _unchanged(before, os.fstat(source)):
            return LandingProblem(file.relative_path, "unfinished", "Tệp đang được ghi, chưa được đọc.")
    finally:
        os.close(source)
    delivered_at = dt.datetime.fromtimestamp(int(before.st_mtime), LOCAL_TIME).replace(tzinfo=None)
    return KeptOriginal(sha256, before.st_size, delivered_at, path)


def _unchanged(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


def _place_copy(source: int, before: os.stat_result, paths: IngestPaths, file: LandingFile) -> str:
    """Copies an open file into the originals unless it changes meanwhile or is not what its ``.done`` file says;
    returns the hash of what was copied.
    """
    handle, name = tempfile.mkstemp(dir=paths.originals, prefix=".copy-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            sha256 = _copied(source, target)
            target.flush()
            os.fsync(target.fileno())
        path = original_path(paths, sha256, file.file_name)
        matches = file.done is None or file.done.sha256 == sha256
        if matches and _unchanged(before, os.fstat(source)) and not path.exists():
            path.parent.mkdir(exist_ok=True, mode=0o700)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return sha256


def _copied(source: int, target: BinaryIO | None) -> str:
    """SHA-256 of what is left to read of an open file, copied to ``target`` if there is one.

    A block is hashed while it is being written, and what was written is sent to the disk while the next is read; both
    run outside the interpreter's lock. The last blocks are not yet on the disk.
    """
    digest = hashlib.sha256()
    synced: Future[None] | None = None
    unsynced = 0
    with ThreadPoolExecutor(2) as beside:
        while block := os.read(source, _BLOCK):
            hashed = beside.submit(digest.update, block)
            if target is not None:
                target.write(block)
                unsynced += len(block)
                if unsynced >= _SYNC_BYTES and (synced is None or synced.done()):
                    _ended(synced)
                    target.flush()
                    synced, unsynced = beside.submit(os.fdatasync, target.fileno()), 0
            hashed.result()
        _ended(synced)
    return digest.hexdigest()


def _ended(work: Future[None] | None) -> None:
    """Waits for the work and raises what it raised: an error of the disk is told once only."""
    if work is not None:
        work.result()


def whole(original: Path, sha256: str) -> Path:
    """The kept original itself; raises :class:`DamagedError` where its content is not what its name says."""
    if sha256_file(original) != sha256:
        raise DamagedError(f"{original} không còn là tệp đã nhận")
    return original


def extends(longer: Path, shorter: Path) -> bool:
    """Whether a file begins with all of another one and then says more than blanks."""
    with longer.open("rb") as whole, shorter.open("rb") as part:
        while block := part.read(_BLOCK):
            if whole.read(len(block)) != block:
                return False
        return any(block.strip(b"\0 \t\r\n") for block in iter(lambda: whole.read(_BLOCK), b""))

"""Files that come over the page: their names, the room in which they are tried, and their way into the landing folder.

Belongs here: that a file lies in the landing folder whole or not at all, under a name that can be delivered, and that
nothing which lay there before is lost. Does not belong here: what is in a file (``ingestion``), who may deliver
(``app``).
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import tempfile
import threading
import time
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import psutil

from common.damage import copy_aside
from common.files import exclusive_lock, is_regular_file, replacing, sha256_file
from ingestion import CheckedFile, may_be_delivered, read_deliveries
from orchestration.pipeline import Pipeline

_BLOCK = 1 << 20
#: How long what was sent is kept, and of how many of one login: others take nobody's place.
_KEPT_SECONDS, _MOST_KEPT = 3600.0, 20
_DONE = ".done"
_ROOM = "cchc-office-"
Outcome = Literal["new", "same", "replaced"]


class NotDeliverable(ValueError):
    """Why a file is not taken over the page, for people."""


def clean_name(name: str) -> str:
    """The file's own name as it is delivered: no folders, NFC. Raises :class:`NotDeliverable` where it cannot be."""
    plain = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2]).strip()
    if not plain:
        raise NotDeliverable("Chưa chọn tệp nào. Chọn tệp rồi bấm lại.")
    if why := may_be_delivered(plain):
        raise NotDeliverable(f"{why} Tên tệp: “{plain}”.")
    return plain


@dataclass(frozen=True)
class Staged:
    """A file that was sent and lies in a room of its own, what trying it showed, and whether it was delivered."""

    token: str
    path: Path
    source: str
    unit_code: str
    quarter: str
    login: str | None
    at: float
    checked: CheckedFile | None = None
    delivered: Outcome | None = None

    @property
    def name(self) -> str:
        return self.path.name


@dataclass
class Room:
    """Where files lie that were sent to be tried: a private folder that goes with the process; each file in an hour."""

    root: Path = field(default_factory=lambda: _made_room())
    kept: dict[str, Staged] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, stream: BinaryIO, name: str, source: str, unit_code: str, quarter: str, login: str | None) -> Staged:
        """Keeps what a browser sent. Raises ``OSError`` where there is no room."""
        token = secrets.token_urlsafe(18)
        folder = self.root / token
        folder.mkdir(mode=0o700)
        try:
            stream.seek(0)
            with (folder / name).open("xb") as target:
                shutil.copyfileobj(stream, target, _BLOCK)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Staged(token, folder / name, source, unit_code, quarter, login, time.monotonic())

    @contextmanager
    def holding(self, staged: Staged) -> Iterator[None]:
        """While entered, something is done with a file that was sent; however that ends, what was not kept goes."""
        try:
            yield
        finally:
            if staged.token not in self.kept:
                self._remove(staged)

    def keep(self, staged: Staged) -> None:
        """Keeps a file for the page that shows what trying it came to; the oldest of the same login go."""
        with self.lock:
            self.kept[staged.token] = staged
            mine = sorted((s for s in self.kept.values() if s.login == staged.login), key=lambda s: s.at)
            self._forget(mine[:-_MOST_KEPT])

    def sweep(self) -> None:
        """Forgets what was kept long enough."""
        with self.lock:
            self._forget([s for s in self.kept.values() if time.monotonic() - s.at > _KEPT_SECONDS])

    def find(self, token: str, login: str | None) -> Staged | None:
        """A file that was kept for this visitor and is not too old."""
        found = self.kept.get(token)
        fits = found is not None and found.login == login and time.monotonic() - found.at <= _KEPT_SECONDS
        return found if fits else None

    def _forget(self, old: Iterable[Staged]) -> None:
        for each in old:
            del self.kept[each.token]
            self._remove(each)

    def _remove(self, staged: Staged) -> None:
        shutil.rmtree(staged.path.parent, ignore_errors=True)

    def close(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def _made_room() -> Path:
    """A folder of this process's own; those of processes that were killed go, for they hold case records."""
    for left in Path(tempfile.gettempdir()).glob(f"{_ROOM}*-*"):
        number = left.name.removeprefix(_ROOM).partition("-")[0]
        with suppress(OSError):
            if number.isdigit() and not psutil.pid_exists(int(number)) and left.lstat().st_uid == os.geteuid():
                shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_ROOM}{os.getpid()}-"))


def deliver(pipeline: Pipeline, staged: Staged) -> Outcome:
    """Puts the file into the landing folder in one step, durably; a file that had its name makes way.

    The file before is in the originals where it was read; of one that was not a copy is set aside, so that nothing
    delivered is lost. A ``.done`` file that speaks of the name is written anew. All that needs room on a disk is
    written before anything takes its place: where this raises, or is killed before, what lay there still does. Raises
    :class:`NotDeliverable`, ``OSError``.
    """
    top = pipeline.home.landing / staged.unit_code
    folder = top / staged.quarter / staged.source
    mode = _make_folders(top, folder)
    sha256 = sha256_file(staged.path)
    with exclusive_lock(folder), ExitStack() as swap:  # of two senders at once each finds what the other one put there
        target = _as_it_lies_there(folder, staged.name)
        before = _content_there(target)
        for note in _done_files(folder, target.name):
            if sha256.encode() not in note.read_bytes().lower():
                _write_whole(swap.enter_context(replacing(note)), io.BytesIO(sha256.encode()))
        if before == sha256:
            return "same"
        # Entered last, so that it takes its place first: a note without its file would speak against the one before.
        stream = swap.enter_context(replacing(target))
        os.fchmod(stream.fileno(), mode & 0o666)
        with staged.path.open("rb") as source:
            _write_whole(stream, source)
        if before is not None and before not in _read_contents(pipeline, staged):
            copy_aside(target, pipeline.home.root)
    return "new" if before is None else "replaced"


def _content_there(target: Path) -> str | None:
    if not os.path.lexists(target):
        return None
    if not is_regular_file(target):
        raise NotDeliverable(f"Trong thư mục nhận đã có “{target.name}” không phải là tệp thường; đổi tên tệp.")
    return sha256_file(target)


def _write_whole(stream: BinaryIO, source: BinaryIO) -> None:
    """Writes all of it, so that a full disk shows now and not when the file takes its place."""
    shutil.copyfileobj(source, stream, _BLOCK)
    stream.flush()
    os.fsync(stream.fileno())


def _make_folders(top: Path, folder: Path) -> int:
    """Makes the folders of a source where they are missing; returns the mode that fits what lies in them.

    Where a unit also delivers by SFTP, its own folder lets nobody else pass: what lies below may then be open to all
    who got there, so that the unit can go on with what came over the page. Elsewhere it is the program's alone.
    """
    closed = top.is_dir() and not top.stat().st_mode & 0o007 and top.stat().st_uid != os.geteuid()
    mode = 0o777 if closed else 0o750
    for each in (top, folder.parent, folder):
        if not each.exists():
            each.mkdir(parents=True, exist_ok=True)
            each.chmod(mode | (each.stat().st_mode & 0o2000))
    return mode


def _as_it_lies_there(folder: Path, name: str) -> Path:
    """The path a file is delivered under: a name that lies there in another Unicode form is the same name."""
    for entry in sorted(folder.iterdir()):
        if unicodedata.normalize("NFC", entry.name) == name:
            return entry
    return folder / name


def _read_contents(pipeline: Pipeline, staged: Staged) -> Collection[str]:
    """Contents of the folder that were read, and so are kept as originals."""
    place = (staged.unit_code, staged.quarter, staged.source)
    rows = read_deliveries(pipeline.deliveries.paths).to_pylist()
    return {d["sha256"] for d in rows if (d["unit_code"], d["quarter"], d["source"]) == place}


def _done_files(folder: Path, name: str) -> list[Path]:
    """Notes of the file's sender: they would say of the new content that it is not whole."""
    alone = not [e for e in folder.iterdir() if e.stem == Path(name).stem and e.name not in (name, f"{e.stem}{_DONE}")]
    names = [f"{name}{_DONE}", *([f"{Path(name).stem}{_DONE}"] if alone else [])]
    return [folder / each for each in names if is_regular_file(folder / each)]

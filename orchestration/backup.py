"""Copies of a home in a restic repository, and a home made again from one.

Belongs here: which part of a home is copied, and that the copy is of one moment. Does not belong here: how copies are
stored, compared, encrypted and thinned out, which is restic's work (its manual: "Backing up", "Restoring").
What can be made again (the warehouse, dbt's files) is left out: the next run makes it, and publishes nothing new.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestration.settings import Home, Settings

#: Without a key of the office's own anybody who reads the folder of copies can read what is in it.
_OPEN_KEY = "cchc"
_PARTS = ("landing", "forms", "raw", "outbox", "review", "published", "set_aside", "logs", "person_key")
#: Where parts lie, while a copy is made, that cannot be copied as they lie in the home; a restored home puts them back.
_COPIED = ".backup"


class BackupError(RuntimeError):
    """A copy was not made or not read; the message says what is wrong, in Vietnamese, with restic's last words."""


class HomeNotEmpty(Exception):
    """A home was to be made where something lies; the message is the path."""


@dataclass(frozen=True)
class Copy:
    """A snapshot: its id, how many files it holds, and bytes that were not in the repository before."""

    snapshot: str
    files: int
    bytes_added: int


def back_up(settings: Settings, repository: str) -> Copy:
    """Copies the home into the repository, which is made where there is none. The caller holds the home's lock.

    Parts that are links are copied with what they lead to. Only content that the repository lacks is written. Raises
    :class:`BackupError`.
    """
    home = settings.paths
    if not _runs(settings, repository, ["--no-lock", "cat", "config"]):
        _restic(settings, repository, ["init"])
    _free(settings, repository)
    with _at_rest(home):
        words = ["backup", "--json", "--host", "cchc", "--tag", "cchc", *_asked_for(home)]
        lines = _restic(settings, repository, words, folder=home.root).splitlines()
    summary = next(found for found in map(json.loads, reversed(lines)) if found.get("message_type") == "summary")
    _restic(settings, repository, ["check"])
    return Copy(summary["snapshot_id"], summary["total_files_processed"], summary["data_added"])


def restore(settings: Settings, repository: str, snapshot: str) -> list[str]:
    """Makes the home from a snapshot (``latest`` or an id), each file's content checked as it is written.

    Returns the parts of which the snapshot holds a link and nothing else, as earlier versions copied them: the home
    gets an empty folder, for the link may lead to what another home works with. The home must be empty or missing.
    Raises :class:`HomeNotEmpty` where it is not, :class:`BackupError`.
    """
    home = settings.paths
    if home.root.exists() and any(home.root.iterdir()):
        raise HomeNotEmpty(str(home.root))
    _free(settings, repository)
    _restic(settings, repository, ["restore", snapshot, "--verify", "--tag", "cchc", "--target", str(home.root)])
    if (copied := home.root / _COPIED).exists():
        for part in copied.iterdir():
            part.rename(home.root / part.name)
        copied.rmdir()
    links = [part for part in _PARTS if (home.root / part).is_symlink()]
    for link in links:
        (home.root / link).unlink()
    home.create()
    return links


def _asked_for(home: Home) -> Iterator[str]:
    """What restic is told to copy, relative to the home.

    It stores a link that is named to it as a link, but follows one on the way to what is named: of a part that lies
    elsewhere its entries are named, and the copy has a folder in its place.
    """
    for part in (*_PARTS, _COPIED):
        path = home.root / part
        if not path.is_symlink():
            yield from [part] if path.exists() else []
        elif path.is_dir():
            yield from (f"{part}/{name}" for name in sorted(os.listdir(path)))


@contextmanager
def _at_rest(home: Home) -> Iterator[None]:
    """While entered, a copy of Dagster's databases of one moment lies in the home, and one of each file that lies
    elsewhere; the server may go on writing.
    """
    target = home.root / _COPIED
    if target.exists():  # of a copy that was killed
        shutil.rmtree(target)
    target.mkdir(mode=0o700)
    try:
        for part in filter(Path.is_symlink, (home.root / part for part in _PARTS)):
            if not part.exists():
                raise BackupError(f"{part} là liên kết tới nơi không có: {part.readlink()}; gắn lại ổ đĩa rồi sao lưu")
            if part.is_file():
                shutil.copy2(part, target / part.name)
        for path in sorted(home.dagster.rglob("*.db")):
            copy = target / "dagster" / path.relative_to(home.dagster)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(copy)) as kept:
                live.backup(kept)
        yield
    finally:
        shutil.rmtree(target)


def _environment(settings: Settings) -> dict[str, str]:
    key = settings.backup_key.get_secret_value() if settings.backup_key else _OPEN_KEY
    return {**os.environ, "RESTIC_PASSWORD": key}


def _command(repository: str, words: Sequence[str]) -> list[str]:
    if shutil.which("restic") is None:
        raise BackupError("máy chưa có chương trình restic; cài bằng: apt-get install restic")
    return ["restic", "--repo", repository, "--no-cache", *words]


def _free(settings: Settings, repository: str) -> None:
    """Takes off locks whose holders are dead: restic leaves its own where it is killed, and then refuses to work."""
    _restic(settings, repository, ["unlock"])


def _runs(settings: Settings, repository: str, words: Sequence[str]) -> bool:
    done = _done(settings, repository, words)
    if "wrong password" in done.stderr:
        raise BackupError(f"khóa (backup_key) không mở được kho sao lưu {repository}")
    return done.returncode == 0


def _restic(settings: Settings, repository: str, words: Sequence[str], folder: Path | None = None) -> str:
    done = _done(settings, repository, words, folder)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or f"mã {done.returncode}").splitlines()[-1]
        raise BackupError(f"restic {words[0]} không xong với kho {repository}: {last}")
    return done.stdout


def _done(
    settings: Settings, repository: str, words: Sequence[str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """What restic says. Where this is interrupted restic is too, and ends as it does by itself, its lock taken off."""
    command = _command(repository, words)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            said, complained = process.communicate()
        except BaseException:
            process.send_signal(signal.SIGINT)  # the one signal that every version cleans up after
            process.communicate()
            raise
    return subprocess.CompletedProcess(command, process.returncode, said, complained)

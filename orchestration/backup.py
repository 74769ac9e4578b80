"""Copies of a home in a restic repository, and a home made again from one.

Belongs here: which part of a home is copied, and that the copy is of one moment. Does not belong here: how copies are
stored, compared, encrypted and thinned out, which is restic's work (its manual: "Backing up", "Restoring").
What can be made again (the warehouse, dbt's files) is left out: the next run makes it, and publishes nothing new.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestration.settings import Home, Settings

#: Without a key of the office's own anybody who reads the folder of copies can read what is in it.
_OPEN_KEY = "cchc"
_PARTS = ("landing", "forms", "raw", "outbox", "published", "logs", "person_key")
_DAGSTER = Path(".backup") / "dagster"


class BackupError(RuntimeError):
    """A copy was not made or not read; the message says what is wrong, in Vietnamese, with restic's last words."""


@dataclass(frozen=True)
class Copy:
    """A snapshot: its id, how many files it holds, and bytes that were not in the repository before."""

    snapshot: str
    files: int
    bytes_added: int


def back_up(settings: Settings, repository: str) -> Copy:
    """Copies the home into the repository, which is made where there is none. The caller holds the home's lock.

    Only content that the repository lacks is written. Raises :class:`BackupError`.
    """
    home = settings.paths
    if not _runs(settings, repository, ["cat", "config"]):
        _restic(settings, repository, ["init"])
    with _dagster_at_rest(home):
        parts = [part for part in (*_PARTS, str(_DAGSTER)) if (home.root / part).exists()]
        words = ["backup", "--json", "--host", "cchc", "--tag", "cchc", *parts]
        lines = _restic(settings, repository, words, folder=home.root).splitlines()
    summary = next(found for found in map(json.loads, reversed(lines)) if found.get("message_type") == "summary")
    _restic(settings, repository, ["check"])
    return Copy(summary["snapshot_id"], summary["total_files_processed"], summary["data_added"])


def restore(settings: Settings, repository: str, snapshot: str) -> None:
    """Makes the home from a snapshot (``latest`` or an id), each file's content checked as it is written.

    The home must be empty or missing. Raises ``FileExistsError`` where it is not, :class:`BackupError`.
    """
    home = settings.paths
    if home.root.exists() and any(home.root.iterdir()):
        raise FileExistsError(str(home.root))
    _restic(settings, repository, ["restore", snapshot, "--verify", "--tag", "cchc", "--target", str(home.root)])
    if (copied := home.root / _DAGSTER).exists():
        copied.rename(home.dagster)
        copied.parent.rmdir()
    home.create()


@contextmanager
def _dagster_at_rest(home: Home) -> Iterator[None]:
    """While entered, a copy of Dagster's databases of one moment lies in the home; the server may go on writing."""
    target = home.root / _DAGSTER
    if target.parent.exists():  # of a copy that was killed
        shutil.rmtree(target.parent)
    try:
        for path in sorted(home.dagster.rglob("*.db")):
            copy = target / path.relative_to(home.dagster)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(copy)) as kept:
                live.backup(kept)
        yield
    finally:
        if target.parent.exists():
            shutil.rmtree(target.parent)


def _environment(settings: Settings) -> dict[str, str]:
    key = settings.backup_key.get_secret_value() if settings.backup_key else _OPEN_KEY
    return {**os.environ, "RESTIC_PASSWORD": key}


def _command(repository: str, words: Sequence[str]) -> list[str]:
    if shutil.which("restic") is None:
        raise BackupError("máy chưa có chương trình restic; cài bằng: apt-get install restic")
    return ["restic", "--repo", repository, "--no-cache", *words]


def _runs(settings: Settings, repository: str, words: Sequence[str]) -> bool:
    done = subprocess.run(
        _command(repository, words), env=_environment(settings), capture_output=True, text=True, check=False
    )
    if "wrong password" in done.stderr:
        raise BackupError(f"khóa (backup_key) không mở được kho sao lưu {repository}")
    return done.returncode == 0


def _restic(settings: Settings, repository: str, words: Sequence[str], folder: Path | None = None) -> str:
    done = subprocess.run(
        _command(repository, words), cwd=folder, env=_environment(settings), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or f"mã {done.returncode}").splitlines()[-1]
        raise BackupError(f"restic {words[0]} không xong với kho {repository}: {last}")
    return done.stdout

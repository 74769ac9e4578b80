"""The drill: a home is copied while others want it, lost, and made again from the copy, byte for byte."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
QUARTER = "2023-Q1"
pytestmark = pytest.mark.skipif(shutil.which("restic") is None, reason="needs Debian's package restic")


def _files(home: Path) -> dict[str, tuple[str, int]]:
    """Content and rights of all that cannot be made again."""
    parts = ("landing", "raw", "outbox", "published", "person_key")
    found = [p for part in parts for p in (home / part, *(home / part).rglob("*")) if p.is_file()]
    assert len(found) > 50
    return {
        p.relative_to(home).as_posix(): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mode & 0o777)
        for p in found
    }


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published_home, tmp_path / "home"))


def test_a_lost_home_comes_back_byte_for_byte(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCHC_BACKUP_KEY", "khóa của văn phòng")
    copies = str(tmp_path / "sao lưu")
    first = json.loads(cli(home, "backup", copies, "--json").stdout)
    again = json.loads(cli(home, "backup", copies, "--json").stdout)
    assert first["files"] == again["files"] > 50
    assert again["bytes_added"] < first["bytes_added"] / 10, "only what the copies lack is written"

    (home / "landing" / "945" / QUARTER / "sau.txt").write_text("sau lần sao lưu thứ hai", encoding="utf-8")
    before = {name: found for name, found in _files(home).items() if not name.endswith("sau.txt")}
    shutil.rmtree(home)
    done = cli(home, "restore", copies)
    assert done.code == 0, done.stdout + done.stderr
    assert "nguyên vẹn" in done.stdout
    assert _files(home) == before
    with closing(sqlite3.connect(home / "dagster" / "history" / "runs.db")) as runs:
        assert runs.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert runs.execute("select count(*) from runs").fetchone() > (0,)
    assert not (home / ".backup").exists()


@pytest.mark.long
def test_what_was_not_copied_is_made_again_and_nothing_new_is_published(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCHC_BACKUP_KEY", "khóa của văn phòng")
    assert cli(home, "backup", str(tmp_path / "copies")).code == 0
    shutil.rmtree(home)
    assert cli(home, "restore", str(tmp_path / "copies")).code == 0
    done = cli(home, "run", QUARTER)
    assert done.code == 0, done.stdout + done.stderr
    assert "không thay đổi" in done.stdout


def test_what_cannot_be_done_is_said(cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = str(tmp_path / "copies")
    assert cli(home, "restore", copies).code == 2, "a home that holds something is never written over"
    monkeypatch.setenv("CCHC_BACKUP_KEY", "một")
    assert cli(home, "backup", copies).code == 0
    monkeypatch.setenv("CCHC_BACKUP_KEY", "hai")
    other = cli(home, "backup", copies)
    assert (other.code, "backup_key" in other.stderr, "hai" in other.stderr) == (3, True, False)
    monkeypatch.setenv("CCHC_BACKUP_KEY", "một")
    for path in (p for p in (tmp_path / "copies" / "data").rglob("*") if p.is_file()):
        path.chmod(0o600)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    damaged = cli(tmp_path / "new", "restore", copies)
    assert damaged.code == 3
    assert "restic restore" in damaged.stderr
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = cli(home, "backup", copies)
    assert (missing.code, "apt-get install restic" in missing.stderr) == (3, True)

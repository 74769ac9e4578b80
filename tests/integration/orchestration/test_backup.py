"""The drill: a home is copied while others want it, lost, and made again from the copy, byte for byte."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
QUARTER = "2023-Q1"
DEPLOY = Path(__file__).parents[3] / "deploy"
pytestmark = pytest.mark.skipif(shutil.which("restic") is None, reason="needs Debian's package restic")


def _files(home: Path) -> dict[str, tuple[str, int]]:
    """Content and rights of all that cannot be made again."""
    parts = ("landing", "forms", "raw", "outbox", "review", "published", "set_aside", "person_key")
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


def _deployed_links() -> dict[str, str]:
    """Parts of a home that the documented host keeps elsewhere, and where."""
    lines = (DEPLOY / "tmpfiles.d" / "cchc.conf").read_text(encoding="utf-8")
    return dict(re.findall(r"^L\s+/var/lib/cchc/(\S+)(?:\s+-)+\s+(/\S+)$", lines, re.MULTILINE))


def test_the_documented_host_keeps_deliveries_elsewhere() -> None:
    assert _deployed_links() == {"landing": "/srv/cchc/landing"}


ELSEWHERE = ["landing", "raw", "outbox", "published", "logs", "person_key", "forms", "review", "set_aside", "dagster"]


@pytest.mark.parametrize("parts", [["landing"], ELSEWHERE], ids=["deployed", "every"])
def test_what_lies_elsewhere_is_copied_and_comes_back_as_the_homes_own(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: list[str]
) -> None:
    monkeypatch.setenv("CCHC_BACKUP_KEY", "khóa của văn phòng")
    folder = home / "landing" / "945" / QUARTER / "survey_responses"
    for name in ("chưa đọc.csv", "chưa đọc.csv.done", "quyet-dinh.xlsx.minisig"):
        (folder / name).write_text("chưa đọc", encoding="utf-8")
    for path in ("review/945/ghi.txt", "set_aside/landing/a.csv.1", "forms/x/form.yml"):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text("không lập lại được", encoding="utf-8")
    before = _files(home)
    elsewhere = tmp_path / "ổ khác"
    elsewhere.mkdir()
    for part in parts:
        (home / part).rename(elsewhere / part)
        (home / part).symlink_to(elsewhere / part)
    copies = str(tmp_path / "copies")
    done = cli(home, "backup", copies)
    assert done.code == 0, done.stderr
    live = {p: p.lstat().st_mtime_ns for p in elsewhere.rglob("*")}
    drill = cli(tmp_path / "drill", "restore", copies)
    assert drill.code == 0, drill.stdout + drill.stderr
    assert [p for p in (tmp_path / "drill").rglob("*") if p.is_symlink()] == []
    assert _files(tmp_path / "drill") == before
    assert {p: p.lstat().st_mtime_ns for p in elsewhere.rglob("*")} == live, "a drill touches nothing that is at work"
    shutil.rmtree(home)
    shutil.rmtree(elsewhere)
    assert cli(home, "restore", copies).code == 0, "on a new host, where nothing lies elsewhere"
    assert _files(home) == before


@pytest.mark.parametrize(("part", "code"), [("published", 2), ("forms", 3), ("person_key", 3)])
def test_a_disk_that_is_not_there_is_no_empty_part(cli: Cli, tmp_path: Path, part: str, code: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / part).symlink_to(tmp_path / "unmounted")
    done = cli(home, "backup", str(tmp_path / "copies"))
    assert (done.code, code == 2 or f"{part} là liên kết tới nơi không có" in done.stderr) == (code, True)


def test_a_copy_that_holds_a_link_only_says_so_and_leads_nowhere(cli: Cli, tmp_path: Path) -> None:
    """As copies were made before links were followed."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "landing").mkdir()
    (home / "landing").symlink_to(tmp_path / "landing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestration.backup._asked_for", lambda home: ["landing"])
        assert cli(home, "backup", str(tmp_path / "copies")).code == 0
    done = cli(tmp_path / "new", "restore", str(tmp_path / "copies"))
    assert (done.code, "chỉ giữ liên kết thay cho landing" in done.stdout) == (3, True)
    assert not (tmp_path / "new" / "landing").is_symlink()


def _locks(copies: Path) -> list[Path]:
    return [path for path in (copies / "locks").iterdir() if "-tmp-" not in path.name]


def _interrupted(command: list[str], copies: Path, number: int, **environment: str) -> int:
    """Ends a program with a signal while it holds a lock in the repository; its exit code."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, **environment}, **quiet)
    while process.poll() is None and not _locks(copies):
        time.sleep(0.001)
    process.send_signal(number)
    return process.wait(timeout=60)


@pytest.fixture
def small_home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "landing").mkdir(parents=True)
    (home / "landing" / "a.csv").write_bytes(os.urandom(32 << 20))
    return home


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_copy_that_was_asked_to_end_leaves_no_lock(cli: Cli, small_home: Path, tmp_path: Path, number: int) -> None:
    copies = tmp_path / "copies"
    assert cli(small_home, "backup", str(copies)).code == 0
    (small_home / "landing" / "lớn").write_bytes(os.urandom(100 << 20))
    command = [sys.executable, "-m", "orchestration.cli", "backup", str(copies)]
    assert _interrupted(command, copies, number, CCHC_HOME=str(small_home)) == 128 + number
    assert _locks(copies) == []
    assert not (small_home / ".backup").exists()


@pytest.mark.parametrize("words", [["backup", "--stdin"], ["check", "--read-data"]], ids=["shared", "exclusive"])
def test_a_lock_whose_holder_is_dead_stops_neither_copy_nor_restoring(
    cli: Cli, small_home: Path, tmp_path: Path, words: list[str]
) -> None:
    copies = tmp_path / "copies"
    assert cli(small_home, "backup", str(copies)).code == 0
    for again in ("backup", "restore"):
        while not _locks(copies):
            _interrupted(["restic", "-r", str(copies), *words], copies, signal.SIGKILL, RESTIC_PASSWORD="cchc")
        done = cli(small_home if again == "backup" else tmp_path / "new", again, str(copies))
        assert done.code == 0, done.stderr
        assert _locks(copies) == []


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

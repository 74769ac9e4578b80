"""No secret of the settings in any byte that commands leave or say, whether they come to a good end or not.

Keys and passwords are marked; then commands are run that use each of them, and commands that fail at each. What they
print is searched, and everything in the home, opened as far as it opens.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.opened_files import opened

Cli = Callable[..., Any]
QUARTER = "2023-Q1"
PROJECT = Path(__file__).parents[2]
SECRETS = {
    "CCHC_PERSON_KEY": "khoa-nguoi-CANARY1-0123456789abcdef",
    "CCHC_BACKUP_KEY": "khoa-sao-luu-CANARY2",
    "CCHC_POSTGRES_URL": "postgresql://cchc:CANARY3-mat-khau@127.0.0.1:9/cchc?sslmode=disable",
    "CCHC_ALERT_TO": json.dumps(
        [
            {"url": "json://bao:CANARY4-mat-khau@127.0.0.1:9/CANARY4-duong-dan"},
            {"url": "mailto://bao:CANARY4-hop-thu@127.0.0.1:9?from=a@example.org&to=b@example.org"},
        ]
    ),
}
FAILS = (1, 3)
CANARIES = ("CANARY1", "CANARY2", "CANARY3", "CANARY4")


def found_in(*roots: Path) -> list[str]:
    """Every mark found, by file."""
    files = (path for root in roots for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())
    return [
        f"{name}: {canary}"
        for path in files
        for name, data in opened(path)
        for canary in CANARIES
        if canary.encode() in data
    ]


@pytest.fixture(scope="module")
def home(sample_landing: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("secrets") / "home"
    for folder in sample_landing.glob(f"*/{QUARTER}"):
        shutil.copytree(folder, home / "landing" / folder.relative_to(sample_landing))
    return home


@pytest.fixture
def said(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a command says, which must end as ``code`` says; with the marked settings, or others."""

    def say(code: int | tuple[int, ...], *words: str, home: Path = home, **settings: str) -> str:
        for name, value in {**SECRETS, **settings}.items():
            monkeypatch.setenv(name, value)
        done = cli(home, *words)
        assert done.code in (code if isinstance(code, tuple) else (code,)), (words, done.stdout, done.stderr)
        return str(done.stdout + done.stderr)

    return say


def test_no_command_says_or_leaves_a_secret(said: Callable[..., str], home: Path, tmp_path: Path) -> None:
    copies = str(tmp_path / "copies")
    told = [
        # The database and both addresses of alerts are out of reach, so each of them is tried and told to have failed.
        said(FAILS, "run", QUARTER, "--verbose"),
        said(FAILS, "postgres"),
        said(0, "lock", QUARTER, "--unit", "945", "--reason", "đã ký", "--by", "Chủ tịch UBND huyện"),
        said(0, "verify"),
        said(0, "status"),
        said(FAILS, "watch", "--today", "2023-06-20"),
        said(0, "prepare"),
        said(0, "purge", "--dry-run"),
    ]
    if shutil.which("restic"):
        told += [
            said(0, "backup", copies),
            said(FAILS, "backup", copies, CCHC_BACKUP_KEY="khoa-khac-CANARY2"),
            said(FAILS, "backup", "/dev/null/none"),
            said(FAILS, "restore", copies, home=tmp_path / "again", CCHC_BACKUP_KEY="khoa-khac-CANARY2"),
        ]
    receipt = next((home / "raw" / "ledger").glob("[!.]*.json"))
    receipt.write_bytes(b"{")
    # A receipt that does not read is named: by status, which goes on, and by what looks at the whole home.
    told += [said((0, *FAILS), "status"), said((0, *FAILS), "rebuild")]
    assert (home / "logs" / "alerts.log").stat().st_size
    assert [text for text in told if any(canary in text for canary in CANARIES)] == []
    assert found_in(home, tmp_path) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CCHC_ALERT_TO", '[{"url": "khong-co://bao:CANARY4@may"}]'),
        ("CCHC_ALERT_TO", '[{"url": "json://bao:CANARY4@may", "kinds": ["khong-co"]}]'),
        ("CCHC_ALERT_TO", "khong phai json CANARY4"),
        ("CCHC_ALERT_TO", '{"url": "CANARY4"}'),
        ("CCHC_ALERT_LINKS", "CANARY4"),
        ("CCHC_DECISION_KEYS", '{"945": ["CANARY4"]}'),
    ],
)
def test_a_wrong_setting_is_named_and_not_quoted(
    said: Callable[..., str], tmp_path: Path, name: str, value: str
) -> None:
    text = said(2, "status", home=tmp_path / "home", **{name: value})
    assert name in text or name.lower().removeprefix("cchc_") in text
    assert "CANARY" not in text


@pytest.mark.parametrize(
    "content",
    ["person_key = CANARY1", 'person_key = "CANARY1', 'postgres_url = ["CANARY3"]', 'backup_kee = "CANARY2"'],
)
def test_a_settings_file_that_cannot_be_read_is_not_quoted(
    said: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "cchc.toml").write_text(content)
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(f"{__name__}.SECRETS", {})
    text = said(2, "status", home=tmp_path / "home", CCHC_SETTINGS=str(tmp_path / "cchc.toml"))
    assert "CANARY" not in text


def test_a_key_that_is_too_short_is_not_quoted(said: Callable[..., str], sample_landing: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_landing / "945" / QUARTER / "org_units", tmp_path / "landing/945" / QUARTER / "org_units")
    text = said(FAILS, "ingest", QUARTER, home=tmp_path, CCHC_PERSON_KEY="CANARY1")
    assert "CANARY" not in text
    assert found_in(tmp_path) == []


@pytest.mark.long
def test_the_servers_leave_none(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.ui"],
        cwd=PROJECT,
        env={**os.environ, **SECRETS, "CCHC_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    heard = []
    try:
        for line in process.stdout:
            heard.append(line)
            if "http://" in line:
                break
        time.sleep(10)  # the daemon looks at the landing folder
    finally:
        process.send_signal(signal.SIGTERM)
        heard.append(process.communicate(timeout=120)[0])
    assert "Ctrl-C stops it" in "".join(heard)
    assert "CANARY" not in "".join(heard)
    assert (home / "logs" / "ui.log").stat().st_size
    assert found_in(home) == []


def test_the_search_would_find_one(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("postgresql://cchc:CANARY3-mat-khau@127.0.0.1")
    assert len(found_in(tmp_path)) == 1

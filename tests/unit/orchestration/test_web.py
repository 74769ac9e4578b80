"""The web server listens beyond this machine only where a setting says that a proxy with a login stands before it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orchestration import ui, web
from orchestration.settings import Settings

OPEN = ["0.0.0.0", "::", "192.0.2.7", "2001:db8::1", "", "no.such.name.invalid", "0", "*", "::ffff:192.0.2.7"]
LOCAL = ["127.0.0.1", "127.0.0.53", "::1", "localhost"]


@pytest.mark.parametrize("host", OPEN)
def test_an_open_address_is_refused_without_the_setting(tmp_path: Path, host: str) -> None:
    why = web.why_not(Settings(home=tmp_path), host)
    assert why is not None
    assert "proxy_login" in why
    assert web.why_not(Settings(home=tmp_path, proxy_login=True), host) is None


@pytest.mark.parametrize("host", LOCAL)
def test_this_machine_is_always_allowed(tmp_path: Path, host: str) -> None:
    assert web.why_not(Settings(home=tmp_path), host) is None


@pytest.mark.parametrize(
    ("words", "environment"),
    [(["-h", "0.0.0.0"], {}), (["--host", "::"], {}), (["--host=0.0.0.0"], {}), (["-h0.0.0.0"], {}),
     (["-p", "3000", "-h", "0.0.0.0", "--read-only"], {}), ([], {"DAGSTER_WEBSERVER_HOST": "0.0.0.0"}),
     (["-h", "127.0.0.1", "-h", "0.0.0.0"], {})],
)  # fmt: skip
def test_it_ends_with_2_however_the_address_is_given(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    environment: dict[str, str],
) -> None:
    monkeypatch.setenv("CCHC_HOME", str(tmp_path / "home"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it was started"))
    assert web.main(words) == 2
    assert "không hỏi đăng nhập" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("login", ["", "true"])
def test_what_is_started_listens_where_it_was_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    started: list[list[str]] = []
    monkeypatch.setenv("CCHC_HOME", str(tmp_path))
    if login:
        monkeypatch.setenv("CCHC_PROXY_LOGIN", login)
    monkeypatch.setattr("os.execv", lambda _, words: started.append(words[1:]))
    web.main(["-p", "3000", "--read-only", "-m", "a.b", *(["-h", "0.0.0.0"] if login else [])])
    host = "0.0.0.0" if login else "127.0.0.1"
    assert started == [["--host", host, "-p", "3000", "--read-only", "-m", "a.b"]]


def test_the_user_interface_refuses_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CCHC_HOME", str(tmp_path / "home"))
    assert ui.main(["--host", "0.0.0.0"]) == 2
    assert "proxy_login" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_the_web_server_is_reached_through_the_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.web", "--version"],
        env={"CCHC_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "version" in done.stdout

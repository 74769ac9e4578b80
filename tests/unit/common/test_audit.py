"""The audit of the locked packages: which versions an advisory is about, and that what was not audited is said."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _advisory(events: list[dict[str, str]] | None = None, **affected: Any) -> dict[str, Any]:
    package = {"name": "Some.Package", "ecosystem": "PyPI"}
    ranges = [{"type": "ECOSYSTEM", "events": events}] if events is not None else []
    return {"id": "TEST-1", "affected": [{"package": package, "ranges": ranges, **affected}]}


@pytest.mark.parametrize(
    ("advisory", "version", "affected"),
    [
        (_advisory([{"introduced": "0"}, {"fixed": "2.0"}]), "1.9", True),
        (_advisory([{"introduced": "0"}, {"fixed": "2.0"}]), "2.0", False),
        (_advisory([{"introduced": "0"}, {"fixed": "2.0"}]), "2.0rc1", True),
        (_advisory([{"introduced": "1.10"}, {"fixed": "1.12"}]), "1.9", False),
        (_advisory([{"introduced": "1.10"}, {"fixed": "1.12"}]), "1.10", True),
        (_advisory([{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "2.0"}, {"fixed": "2.1"}]), "1.5", False),
        (_advisory([{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "2.0"}, {"fixed": "2.1"}]), "2.0.1", True),
        (_advisory([{"introduced": "0"}, {"last_affected": "2.0"}]), "2.0", True),
        (_advisory([{"introduced": "0"}, {"last_affected": "2.0"}]), "2.0.1", False),
        (_advisory([{"introduced": "0"}]), "99", True),
        (_advisory([{"introduced": "no version"}]), "1", True),
        (_advisory(versions=["1.0", "1.1"]), "1.1", True),
        (_advisory(versions=["1.0", "1.1"]), "1.2", False),
        (_advisory([{"introduced": "0"}], package={"name": "some-package", "ecosystem": "npm"}), "1", False),
        (_advisory([{"introduced": "0"}], package={"name": "another", "ecosystem": "PyPI"}), "1", False),
    ],
)
def test_an_advisory_is_about_the_versions_it_says(
    audit: ModuleType, advisory: dict[str, Any], version: str, affected: bool
) -> None:
    assert audit.affects(advisory, "some-package", version) is affected


def test_pip_audit_finds_what_the_folder_tells_and_nothing_else(
    audit: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pip_audit")
    advisory = _advisory([{"introduced": "0"}, {"fixed": "99"}], package={"name": "Jinja2", "ecosystem": "PyPI"})
    (tmp_path / "a.json").write_text(json.dumps(advisory), encoding="utf-8")
    assert audit.main([str(tmp_path)]) == 1
    assert "TEST-1" in capsys.readouterr().out
    advisory["affected"][0]["ranges"][0]["events"][1]["fixed"] = "1"
    (tmp_path / "a.json").write_text(json.dumps(advisory), encoding="utf-8")
    assert audit.main([str(tmp_path)]) == 0


def test_what_cannot_be_audited_is_said_and_ends_well(
    audit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main([str(tmp_path)]) == 0
    assert "skipped, no advisories" in capsys.readouterr().out
    # No proxy answers on that port, so nothing leaves this machine.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    pytest.importorskip("pip_audit")
    assert audit.main([]) == 0
    assert "skipped, the service of advisories cannot be reached" in capsys.readouterr().out


def test_another_failure_is_one(audit: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: the lock has no hashes")
    monkeypatch.setattr(audit, "audit", lambda *_: failed)
    assert audit.main([]) == 1


def test_a_file_that_is_no_advisory_is_not_passed_over(audit: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(ValueError, match=r"a\.json"):
        audit.main([str(tmp_path)])

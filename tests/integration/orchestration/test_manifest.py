"""The parsed project that definitions load from: whole, whoever else parses it at the same time or was killed at it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from common.files import sha256_file
from orchestration import dbt
from orchestration.settings import PROJECT_DIR

_ENSURE = (
    "import sys; from pathlib import Path; from orchestration import dbt\n"
    "parse = dbt._parse\n"
    "dbt._parse = lambda *what: (print('parsed'), parse(*what))\n"
    "dbt.ensure_manifest(Path(sys.argv[1]))"
)


def test_of_two_that_come_at_once_one_parses_and_both_find_it_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _ENSURE, str(tmp_path)]
    both = [subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(said) == ["", "parsed\n"]
    assert json.loads((tmp_path / "manifest.json").read_bytes())["nodes"]


def test_a_parse_that_is_killed_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where the project is again what it was when the last whole parse was made."""
    manifest = tmp_path / "manifest.json"
    manifest.write_text("{}")
    dbt.forget_what_was_parsed_elsewhere(tmp_path)
    (tmp_path / "manifest.sha256").write_text(f"before {sha256_file(manifest)}\n")
    assert dbt._is_parsed(tmp_path, "before")

    def killed(*args: object, **kwargs: object) -> None:
        manifest.write_text('{"nodes": {"a"')
        raise KeyboardInterrupt

    monkeypatch.setattr(dbt.subprocess, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        dbt._parse(tmp_path, "changed")
    assert not dbt._is_parsed(tmp_path, "before")
    assert not dbt._is_parsed(tmp_path, "changed")


def test_a_manifest_that_is_not_what_dbt_wrote_is_made_anew(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"nodes": {}}')
    dbt.forget_what_was_parsed_elsewhere(tmp_path)
    (tmp_path / "manifest.sha256").write_text(f"now {sha256_file(manifest)}\n")
    assert dbt._is_parsed(tmp_path, "now")
    manifest.write_text('{"nodes": {')
    assert not dbt._is_parsed(tmp_path, "now")

"""The parsed project that definitions load from: whole, whoever else parses it at the same time or was killed at it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration import dbt
from orchestration.settings import PROJECT_DIR

_ENSURE = (
    "import sys; from pathlib import Path; from orchestration import dbt; target = Path(sys.argv[1])\n"
    "dbt.MANIFEST, dbt.MANIFEST_RECORD = target / 'manifest.json', target / 'manifest.sha256'\n"
    "parse = dbt.parse_args\n"
    "dbt.parse_args = lambda home: [*parse(home), '--target-path', str(target)]\n"
    "counted = dbt._parse\n"
    "dbt._parse = lambda fingerprint: (print('parsed'), counted(fingerprint))\n"
    "dbt.ensure_manifest()"
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
    manifest, record = tmp_path / "manifest.json", tmp_path / "manifest.sha256"
    monkeypatch.setattr(dbt, "MANIFEST", manifest)
    monkeypatch.setattr(dbt, "MANIFEST_RECORD", record)
    manifest.write_text("{}")
    record.write_text("as it was\n")

    def killed(*args: object, **kwargs: object) -> None:
        manifest.write_text('{"nodes": {"a"')
        raise KeyboardInterrupt

    monkeypatch.setattr(dbt.subprocess, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        dbt._parse("changed")
    assert not dbt._is_parsed("as it was")
    assert not dbt._is_parsed("changed")

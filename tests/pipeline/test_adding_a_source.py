"""Follows ``docs/adding-a-source.md`` in a copy of the project: what the page says is what happens."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.version import ROOMS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-source.md").read_text(encoding="utf-8")
SOURCE, UNIT, QUARTER = "citizen_petitions", "945", "2023-Q1"


def block(language: str) -> str:
    """The page's one code block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the page's first two steps were taken."""
    copy = tmp_path_factory.mktemp("project")
    ignored = shutil.ignore_patterns("__pycache__", "target", "logs", "dbt_packages")
    for room in (*ROOMS, "dbt_project"):
        shutil.copytree(ROOT / room, copy / room, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    folder = copy / "ingestion" / "sources" / SOURCE
    folder.mkdir()
    (folder / "contract.yaml").write_text(block("yaml"), encoding="utf-8")
    (folder / "README.md").write_text(block("markdown"), encoding="utf-8")
    return copy


def cchc(project: Path, home: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    environment = {**os.environ, "CCHC_HOME": str(home), "PYTHONPATH": str(project)}
    command = [sys.executable, "-m", "orchestration.cli", *arguments, "--json"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def deliver(home: Path, sample_landing: Path, content: str) -> Path:
    """The page's file beside the register of units that its contract depends on."""
    register = Path(UNIT) / QUARTER / "org_units"
    shutil.copytree(sample_landing / register, home / "landing" / register)
    folder = home / "landing" / UNIT / QUARTER / SOURCE
    folder.mkdir(parents=True)
    (folder / "pakn.csv").write_text(content, encoding="utf-8")
    return folder / "pakn.csv"


def petitions(answer: dict[str, Any]) -> dict[str, Any]:
    (found,) = [s for s in answer["sources"] if s["source"] == SOURCE and s["unit_code"] == UNIT]
    return dict(found)


@pytest.mark.long
def test_a_source_is_taken_in_from_its_folder_alone(project: Path, sample_landing: Path, tmp_path: Path) -> None:
    deliver(tmp_path, sample_landing, block("csv"))
    for command in block("sh").splitlines():
        name, *arguments = command.split()
        assert name == "cchc"
        _, answer = cchc(project, tmp_path, *arguments)
        if arguments[0] == "ingest":
            found = petitions(answer)
            assert (found["state"], found["rows_accepted"], found["rows_rejected"]) == ("delivered", 2, 1)
    layers = ("raw/lake", "raw/rejected", "raw/findings")
    written = [p for layer in layers for p in (tmp_path / layer).rglob("*.parquet")]
    assert any(SOURCE in str(p) for p in written)
    assert not any("Ẩn".encode() in p.read_bytes() for p in written)
    (rejected,) = (p for p in written if "raw/rejected" in str(p))
    assert pq.read_table(rejected)["reason_vi"].to_pylist() == ["Ngày trả lời trước ngày tiếp nhận"]


@pytest.mark.long
def test_a_new_heading_is_one_line(project: Path, sample_landing: Path, tmp_path: Path) -> None:
    deliver(tmp_path, sample_landing, block("csv").replace("Mã phản ánh", "Mã số PAKN"))
    _, answer = cchc(project, tmp_path, "ingest", QUARTER)
    assert petitions(answer)["state"] == "refused"
    contract = project / "ingestion" / "sources" / SOURCE / "contract.yaml"
    before = contract.read_text(encoding="utf-8")
    old, new = (line[1:] for line in block("diff").splitlines())
    assert before.count(old) == 1
    contract.write_text(before.replace(old, new), encoding="utf-8")
    try:
        _, answer = cchc(project, tmp_path, "ingest", QUARTER)
        assert (petitions(answer)["state"], petitions(answer)["rows_accepted"]) == ("delivered", 2)
    finally:
        contract.write_text(before, encoding="utf-8")

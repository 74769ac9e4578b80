"""Runs of different units at once: a home for some units each, one folder of releases, one database of Dagster's runs.

What follows here is what ``docs/past-one-machine.md`` says; the homes stand for machines.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.instance import open_instance
from orchestration.settings import Home, Settings
from tests.conftest import CliResult
from tests.support import campaign, worlds
from tests.support.postgres import PostgresServer
from tests.support.read_release import file_hashes

ROOT = Path(__file__).parents[2]
QUARTER = worlds.QUARTER
Cli = Callable[..., CliResult]


@dataclass(frozen=True)
class Machine:
    """A home that works for some units; its releases lie in a folder that others share."""

    home: Path
    units: tuple[str, ...]
    database: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "CCHC_HOME": str(self.home),
            "CCHC_UNITS": json.dumps(self.units),
            "CCHC_DAGSTER_POSTGRES_URL": self.database,
            "CCHC_PERSON_KEY": "one key for all machines",
        }

    def run(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "orchestration.cli", "run", QUARTER, "--json"]
        environment = {**os.environ, **self.environment}
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def _states(process: subprocess.Popen[str]) -> dict[str, str]:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, out + err
    return {unit["unit_code"]: unit["state"] for unit in json.loads(out)["units"]}


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A home that works for two districts."""
    made = campaign.worlds_of(2, 11, most_communes=3)
    answers = campaign.published(tmp_path / "alone", map(worlds.papers, made), [w.district.code for w in made])
    assert not any(answer.held for answer in answers.values())
    return tmp_path / "alone"


@pytest.fixture
def machines(tmp_path: Path, alone: Path, postgres_server: PostgresServer) -> list[Machine]:
    """A machine for each of them with the same deliveries, and a third that wrongly serves the first one too."""
    shared, database = tmp_path / "shared", postgres_server.new_url()
    shared.mkdir()
    first, second = sorted(path.parent.name for path in alone.glob(f"published/*/{QUARTER}"))
    found = []
    for name, unit in (("east", first), ("west", second), ("astray", first)):
        home = tmp_path / name
        home.mkdir()
        (home / "published").symlink_to(shared)
        # With their parts: who delivers for whom is told by the release's inputs.
        manifest = json.loads((alone / "published" / unit / QUARTER / "r1" / "manifest.json").read_bytes())
        for folder in {entry["unit_code"] for entry in manifest["inputs"]}:
            shutil.copytree(alone / "landing" / folder, home / "landing" / folder)
        found.append(Machine(home, (unit,), database))
    return found


@pytest.mark.long
def test_several_at_once_publish_what_one_would(
    alone: Path, machines: list[Machine], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    east, west, astray = machines
    first, second, third = east.run(), west.run(), astray.run()
    # The pointer of a unit is moved by one at a time, whoever asks.
    assert {*_states(first).items(), *_states(third).items()} == {
        (east.units[0], "published"),
        (east.units[0], "unchanged"),
    }
    assert [path.name for path in (east.home / "published" / east.units[0] / QUARTER).glob("r[0-9]*")] == ["r1"]
    assert _states(second) == {west.units[0]: "published"}
    for machine in (east, west):
        where = Path(machine.units[0], QUARTER, "r1")
        assert file_hashes(east.home / "published" / where) == file_hashes(alone / "published" / where)
    rows = Path("tables", "report_indicators", f"quarter={QUARTER}", "rows.parquet")
    assert pq.read_table(east.home / "published" / rows).equals(pq.read_table(alone / "published" / rows))

    for key, value in east.environment.items():
        monkeypatch.setenv(key, value)
    with open_instance(Settings(home=east.home)) as instance:
        runs = instance.get_runs()
    assert [run.is_success for run in runs] == [True, True, True]
    # Each journal knows of its own unit's pointer, and misses none.
    monkeypatch.setenv("CCHC_UNITS", json.dumps(west.units))
    assert cli(west.home, "verify").code == 0


@pytest.fixture
def published(published_home: Path, tmp_path: Path) -> Path:
    """A home of one's own in which 945's first quarter of 2023 is published."""
    return shutil.copytree(published_home, tmp_path / "home")


def _serves(monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    monkeypatch.setenv("CCHC_UNITS", json.dumps([unit]))


@pytest.fixture
def elsewhere(published: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as if another home reported for 945."""
    _serves(monkeypatch, "946")
    return published


@pytest.mark.parametrize(
    "words",
    [
        ["run", "2023-Q1", "--unit", "945"],
        ["review", "2023-Q1", "--unit", "945"],
        ["lock", "2023-Q1", "--unit", "945", "--reason", "đã ký"],
        ["rollback", "2023-Q1", "--unit", "945", "--to", "1", "--reason", "sai"],
        ["approve", "2023-Q1", "--unit", "945", "--by", "Chủ tịch", "--document", "01/QĐ"],
        ["attach", "2023-Q1", "README.md", "--unit", "945"],
    ],
    ids=lambda words: words[0],
)
def test_what_makes_or_moves_a_release_is_for_its_own_home(elsewhere: Path, cli: Cli, words: list[str]) -> None:
    before = Home(elsewhere).published.joinpath("945", "2023-Q1", "current.json").read_bytes()
    refused = cli(elsewhere, *words)
    assert refused.code == 2
    assert "945 không do nơi này báo cáo (cài đặt units: 946)" in refused.stderr
    assert Home(elsewhere).published.joinpath("945", "2023-Q1", "current.json").read_bytes() == before


def test_what_is_delivered_for_another_home_is_kept_and_told_and_reported_by_nobody_here(
    elsewhere: Path, cli: Cli
) -> None:
    taken_in = len(list(Home(elsewhere).ledger.glob("[!.]*.json")))
    # Its own unit has sent nothing yet: what lies here is all of another home.
    ran = cli(elsewhere, "run", "2023-Q1", "--json")
    assert ran.code == 1, ran.stdout + ran.stderr
    told = json.loads(ran.stdout)
    assert told["units"] == []
    assert {(p["path"], p["code"]) for p in told["not_deliveries"]} >= {("945/2023-Q1", "of_another_home")}
    assert len(list(Home(elsewhere).ledger.glob("[!.]*.json"))) == taken_in
    # Reading what others published is for everybody.
    assert cli(elsewhere, "explain", "72", "--unit", "945", "--quarter", "2023-Q1").code == 0


def test_each_home_holds_the_pointers_of_its_own_units_against_its_journal(
    published: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Home(published).journal
    assert cli(published, "verify").code == 0
    journal.write_text(journal.read_text().splitlines(keepends=True)[0])  # without the line of the publication
    _serves(monkeypatch, "945")
    assert cli(published, "verify").code == 1
    _serves(monkeypatch, "946")
    assert cli(published, "verify").code == 0

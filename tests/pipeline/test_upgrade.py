"""Homes that earlier versions made: this one goes on with them, and loses and alters nothing in them.

``tests/support/make_home.py`` made them, each at the version that its name tells.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestration.history import entries
from orchestration.instance import open_instance
from orchestration.settings import Settings
from tests.conftest import run_cli
from tests.pipeline.conftest import indicators, release_of
from tests.support import worlds
from tests.support.read_release import file_hashes

READ_ANEW = frozenset({"fingerprint", "rows_sha256", "seal"})
HOMES = sorted((Path(__file__).parents[1] / "data" / "homes").glob("*.tar.xz"))


def _facts(receipt: bytes) -> dict[str, Any]:
    return {name: value for name, value in json.loads(receipt).items() if name not in READ_ANEW}


@pytest.mark.parametrize("archive", HOMES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def test_a_home_of_an_earlier_version_goes_on(archive: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(["tar", "-xJf", archive], cwd=home, check=True)
    settings = Settings(home=home)
    (unit,) = (path.name for path in (home / "published").iterdir() if path.is_dir())
    first = release_of(home, unit, worlds.QUARTER)
    assert first is not None
    whole, figures = file_hashes(first), indicators(first)
    records = [entry.run_id for entry in entries(settings.paths)]
    receipts = {path.name: path.read_bytes() for path in settings.paths.ledger.glob("*.json")}
    with open_instance(settings) as instance:
        runs = {run.run_id for run in instance.get_runs()}
    assert records
    assert receipts
    assert runs

    assert run_cli(home, "verify").code == 0
    done = run_cli(home, "run", worlds.QUARTER, "--json")
    assert done.code == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["damaged"] == []
    # The receipts' table, dbt's database: what follows from other things; never a delivery read anew.
    assert not [one for one in answer["mended"] if "/raw/lake/" in one["path"]]

    current = release_of(home, unit, worlds.QUARTER)
    assert current is not None
    assert {row: (r["value"], r["status"]) for row, r in indicators(current).items()} == {
        row: (r["value"], r["status"]) for row, r in figures.items()
    }
    assert file_hashes(first) == whole
    assert run_cli(home, "verify").code == 0
    # What a delivery was stays as it was noted; how it is read is found anew where the code reads it differently.
    assert {n: _facts(data) for n, data in receipts.items()}.items() <= {
        p.name: _facts(p.read_bytes()) for p in settings.paths.ledger.glob("*.json")
    }.items()
    assert [entry.run_id for entry in entries(settings.paths)][: len(records)] == records
    with open_instance(settings) as instance:
        assert runs < {run.run_id for run in instance.get_runs()}

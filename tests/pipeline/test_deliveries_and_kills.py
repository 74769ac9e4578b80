"""Five hundred files come one after another while the daemon is killed twenty times; nothing is lost or taken twice."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.deliveries.ledger import read_ledger
from orchestration.arrivals import folder_states, remembered, state_behind
from orchestration.pipeline import Pipeline
from publication import current_release
from tests.conftest import run_cli
from tests.support import campaign, worlds
from tests.support.server import Server, serving, until

_SEED = 500
_FILES = 500
_KILLS = 20
_DISTRICTS = 3
#: Sources whose exports may come in any number of files.
_DIVISIBLE = ("one_stop_cases", "survey_responses")
#: Seconds. A run begins when nothing changed between two looks, half a minute apart.
_LONGEST_PAUSE, _LONGEST_PAUSE_IN_BURST = 150.0, 0.4


def _in_parts(papers: worlds.Paper, rng: random.Random, files: int) -> worlds.Paper:
    """The same rows in that many files: those of cases and surveys dealt out at random, unevenly."""
    whole = {place: sheets for place, sheets in papers.items() if place[1][1] not in _DIVISIBLE}
    divided = {place: sheets for place, sheets in papers.items() if place not in whole}
    share = (files - len(whole)) / sum(len(sheet.rows) for (sheet,) in divided.values())
    found = dict(whole)
    for (quarter, (unit, source, name)), (sheet,) in sorted(divided.items(), key=lambda paper: paper[0]):
        count = max(1, round(len(sheet.rows) * share))
        weights = [rng.random() + 0.05 for _ in range(count)]
        # None is empty: the first rows are dealt one to each.
        dealt = [*range(count), *rng.choices(range(count), weights, k=max(0, len(sheet.rows) - count))]
        stem, _, suffix = name.rpartition(".")
        for part in range(count):
            mine = [row for row, of in zip(sheet.rows, dealt, strict=False) if of == part]
            rows = [[number, *row[1:]] for number, row in enumerate(mine, 1)]
            found[quarter, (unit, source, f"{stem}-{part:03}.{suffix}")] = [replace(sheet, rows=rows)]
    return found


def _at_rest(server: Server) -> bool:
    """Whether every run has ended, the last whole ones having seen all that lies in the folders now."""
    home = server.settings.paths
    states = folder_states(home, {path.name for path in home.landing.glob("*/*") if path.is_dir()})
    seen = all(remembered(home, quarter) == state_behind(states, quarter) for quarter in states)
    return seen and all(run.is_finished for run in server.runs())


def _marts(home: Path, district: str) -> dict[str, pa.Table]:
    """The tables of a district's release, but for the moment at which each file was first seen."""
    release = current_release(home / "published", district, worlds.QUARTER)
    assert release is not None
    tables = {path.stem: pq.read_table(path) for path in sorted((release.path / "marts").glob("*.parquet"))}
    # Its rows stand in the order of these moments.
    log = tables["delivery_log"].drop_columns("delivered_at").sort_by("sha256")
    return tables | {"delivery_log": log}


def _content(papers: worlds.Paper) -> dict[Path, bytes]:
    """Each file's bytes by its place in the landing folder."""
    return {
        Path(unit, quarter, source, name): worlds.file_bytes(sheets, Path(name).suffix)
        for (quarter, (unit, source, name)), sheets in papers.items()
    }


@pytest.mark.long
def test_every_file_is_taken_once_and_the_marts_are_those_of_a_quiet_run(tmp_path: Path) -> None:
    rng = random.Random(_SEED)
    made = campaign.worlds_of(_DISTRICTS, _SEED, most_communes=6)
    papers: worlds.Paper = {}
    for world in made:
        papers |= worlds.papers(world)
    files = _content(_in_parts(papers, rng, _FILES))
    assert len(files) > 0.95 * _FILES

    quiet = tmp_path / "quiet"
    for path, content in files.items():
        (quiet / "landing" / path).parent.mkdir(parents=True, exist_ok=True)
        (quiet / "landing" / path).write_bytes(content)
    assert run_cli(quiet, "run", worlds.BEFORE, worlds.QUARTER).code in (0, 1)
    expected = {world.district.code: _marts(quiet, world.district.code) for world in made}

    order = rng.sample(sorted(files), len(files))
    ends = sorted(rng.sample(range(1, len(order)), _KILLS))
    killed = set[int]()
    with serving(tmp_path / "home") as server:
        until("automation that nobody switched on", lambda: len(server.switched_on()) == 4)
        # In bursts of any size; the daemon dies in the pause after each, before, in or after the run that it starts.
        for first, last in zip([0, *ends], [*ends, len(order)], strict=True):
            for path in order[first:last]:
                target = server.home / "landing" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(files[path])
                time.sleep(rng.uniform(0, _LONGEST_PAUSE_IN_BURST))
            if last < len(order):
                time.sleep(rng.uniform(0, _LONGEST_PAUSE))
                # One that the server starts in its place may take longer than the pause before the next one's death.
                for daemon in until("a daemon", lambda: set(server.working("dagster-daemon")) - killed):
                    os.kill(daemon, signal.SIGKILL)
                    killed.add(daemon)
        assert len(killed) >= _KILLS
        until("the last run, of all that was delivered", lambda: _at_rest(server))

        receipts = read_ledger(Pipeline(server.settings).deliveries.paths).receipts.values()
        taken = sorted((Path(*receipt.folder), receipt.sha256) for receipt in receipts)
        assert taken == sorted((path.parent, hashlib.sha256(content).hexdigest()) for path, content in files.items())
        assert {len(receipt.arrivals) for receipt in receipts} == {1}
        for world in made:
            code = world.district.code
            assert _marts(server.home, code) == expected[code]
            figures = campaign.right_form(world).figures
            published = campaign.figures(server.home, code)
            assert {row: value for row, (value, _) in published.items()} == {r: figures[r].value for r in published}
        assert run_cli(server.home, "verify").code == 0
        server.stop()

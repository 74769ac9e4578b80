"""From nothing, nobody at the keyboard: the server is started, files are delivered, processes are killed.

Every wait is for something one sees, but for one: what a server at rest looks like is seen when it has rested.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import dagster as dg
import psutil
import pytest

from common.periods import load_periods
from orchestration.timing import now
from tests.conftest import run_cli
from tests.pipeline.conftest import QUARTER, UNIT, correct, indicators, release_of
from tests.support.server import Server, serving, until

#: In the order in which an office delivers them.
YEAR = (QUARTER, "2023-Q2", "2023-H1", "2023-Q3", "2023-Q4", "2023-Y")
#: Long enough for what a run had begun to end, and for Dagster to put code servers in each other's place.
_AT_REST_SECONDS = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "home") as made:
        yield made


def _first_release(server: Server, tmp_path: Path) -> None:
    """Waits until automation, which nobody switched on, has published what is delivered, and is at rest again."""
    automation = {"after_closing", "daily_look", "landing_watch", "alert_on_failure"}
    until("automation that nobody switched on", lambda: server.switched_on() == automation)
    at_rest = len(server.processes())

    # Delivered, one folder after another.
    assert run_cli(tmp_path / "sample", "sample", "--quarter", QUARTER).code == 0
    for folder in sorted(path for path in (tmp_path / "sample" / "landing").iterdir() if path.is_dir()):
        shutil.copytree(folder, server.home / "landing" / folder.name)
    until("the first release", lambda: server.release(UNIT, QUARTER) == 1)
    until("the end of the run", lambda: [r.status for r in server.runs()] == [dg.DagsterRunStatus.SUCCESS])
    until("as few processes as before the run", lambda: len(server.processes()) <= at_rest)
    assert server.not_made(QUARTER) == []


def test_a_release_comes_of_deliveries_alone(server: Server, tmp_path: Path) -> None:
    _first_release(server, tmp_path)
    assert run_cli(server.home, "verify").code == 0
    server.stop()
    until("the last process of the home to end", lambda: not server.processes())


@pytest.mark.long
def test_kills_of_daemon_run_and_server_lose_nothing(server: Server, tmp_path: Path) -> None:
    _first_release(server, tmp_path)
    (first,) = server.runs()

    # The daemon is killed, and the run that a late file starts as well.
    (daemon,) = server.working("dagster-daemon")
    os.kill(daemon, signal.SIGKILL)
    correct(server.home)
    until("another daemon", lambda: [pid for pid in server.working("dagster-daemon") if pid != daemon])
    until("dbt at work in the next run", lambda: len(server.runs()) > 1 and server.working("orchestration.dbt_process"))
    (dbt,) = server.working("orchestration.dbt_process")
    run = psutil.Process(dbt).parent()
    assert run is not None
    run.kill()
    until("dbt to end with its run", lambda: not psutil.pid_exists(dbt))
    until("the second release", lambda: server.release(UNIT, QUARTER) == 2)
    until("the end of every run", lambda: all(r.is_finished for r in server.runs()))
    ended = [r.status for r in server.runs()]
    assert ended[0] == ended[-1] == dg.DagsterRunStatus.SUCCESS
    assert dg.DagsterRunStatus.FAILURE in ended[1:-1]
    assert {r.tags["dagster/partition"] for r in server.runs()} == {QUARTER}
    assert run_cli(server.home, "verify").code == 0
    assert first.run_id == server.runs()[0].run_id

    server.stop()

    # Started again in the same home, and killed itself.
    again = Server(server.home)
    assert again.release(UNIT, QUARTER) == 2
    again.process.kill()
    until("the last process of the home to end", lambda: not again.processes())


@pytest.mark.long
def test_a_year_comes_of_deliveries_alone(tmp_path: Path) -> None:
    """Four quarters, the half-year and the year, with a unit held and mended, a late file and a corrected one: nobody
    does anything but deliver.
    """
    sample = tmp_path / "sample"
    for period in ("2022-Q4", *YEAR):
        assert run_cli(sample, "sample", "--quarter", period).code == 0
    with serving(tmp_path / "home") as server:
        landing = server.home / "landing"
        until("automation that nobody switched on", lambda: len(server.switched_on()) == 4)
        at_rest = len(server.processes())

        def deliver(period: str, *, without: str = "") -> None:
            for folder in sorted((sample / "landing").glob(f"*/{period}")):
                ignored = shutil.ignore_patterns(without) if without else None
                shutil.copytree(folder, landing / folder.relative_to(sample / "landing"), ignore=ignored)

        def delivered_comes_out(period: str) -> None:
            deliver(period)
            until(f"the release of {period}", lambda: server.release(UNIT, period) == 1)

        delivered_comes_out("2022-Q4")

        # Held back for want of decisions, told, mended by them.
        deliver(QUARTER, without="decisions")
        told = server.home / "logs" / "alerts.log"
        until("the unit held back", lambda: told.is_file() and "held_back" in told.read_text(encoding="utf-8"))
        assert server.release(UNIT, QUARTER) == 0
        decisions = Path(UNIT) / QUARTER / "decisions"
        shutil.copytree(sample / "landing" / decisions, landing / decisions)
        until("the release of the mended quarter", lambda: server.release(UNIT, QUARTER) == 1)

        delivered_comes_out("2023-Q2")
        delivered_comes_out("2023-H1")

        # A late file and a corrected one; the quarter after and the half-year are asked for again.
        until("the end of every run", lambda: all(r.is_finished for r in server.runs()))
        before = len(server.runs())
        correct(server.home)
        until("the revision", lambda: server.release(UNIT, QUARTER) == 2)
        until("the runs of what looks back on it", lambda: len(server.runs()) == before + 3)
        until("the end of every run", lambda: all(r.is_finished for r in server.runs()))
        assert [r.tags["dagster/partition"] for r in server.runs()[before:]] == [QUARTER, "2023-Q2", "2023-H1"]

        for period in ("2023-Q3", "2023-Q4", "2023-Y"):
            delivered_comes_out(period)
        until("the end of every run", lambda: all(r.is_finished for r in server.runs()))
        until("as few processes as before", lambda: len(server.processes()) <= at_rest)

        assert all(r.status == dg.DagsterRunStatus.SUCCESS for r in server.runs())
        for period in ("2022-Q4", *YEAR):
            assert server.not_made(period) == []
        received = {period: _received(server.home, period) for period in YEAR}
        assert received["2023-H1"] == received[QUARTER] + received["2023-Q2"]
        assert received["2023-Y"] == sum(received[period] for period in YEAR if "-Q" in period)
        assert run_cli(server.home, "verify").code == 0
        server.stop()


def _received(home: Path, period: str) -> Decimal:
    """Cases that the district received in a period, as published."""
    release = release_of(home, UNIT, period)
    assert release is not None
    value = indicators(release)[71]["value"]
    assert isinstance(value, Decimal)
    return value


@pytest.mark.long
def test_quarters_asked_for_at_once_in_the_browser_come_in_order_and_leave_nothing_behind(tmp_path: Path) -> None:
    """Backfills of all assets, with nothing that starts by itself; after twenty runs the server is as after three."""
    quarters = ["2022-Q4", QUARTER, "2023-Q2"]
    sample = tmp_path / "sample"
    assert run_cli(sample, "sample").code == 0
    with serving(tmp_path / "home", automation="false") as server:
        shutil.copytree(sample / "landing", server.home / "landing", dirs_exist_ok=True)
        listed = until("the quarters that the page lists", server.quarters)
        assert set(quarters) <= set(listed) <= {p.quarter for p in load_periods() if p.opens_on <= now().date()}
        sizes = []
        for _ in range(7):
            backfill = server.backfill(quarters)
            until(
                "the end of the backfill", lambda b=backfill: server.state_of_backfill(b) not in ("None", "REQUESTED")
            )
            assert server.state_of_backfill(backfill) == "COMPLETED_SUCCESS"
            if sizes:
                until("as few processes as after the first", lambda: len(server.processes()) <= sizes[0][0])
            else:
                time.sleep(_AT_REST_SECONDS)
            sizes.append((len(server.processes()), server.memory()))
        assert [(r.tags["dagster/partition"], r.status) for r in server.runs()] == [
            (quarter, dg.DagsterRunStatus.SUCCESS) for quarter in quarters
        ] * len(sizes)
        assert sizes[-1][1] < 1.1 * sizes[0][1], sizes
        assert [server.release(UNIT, quarter) for quarter in quarters] == [1, 1, 1]
        assert server.switched_on() == {"alert_on_failure"}
        server.stop()

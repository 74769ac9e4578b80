"""From nothing, nobody at the keyboard: the server is started, files are delivered, processes are killed.

Every wait is for something one sees.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest

from common.periods import load_periods
from orchestration.timing import now
from tests.conftest import run_cli
from tests.pipeline.conftest import QUARTER, UNIT, correct
from tests.support.server import Server, serving, until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "home") as made:
        yield made


def test_a_release_comes_of_deliveries_alone_and_kills_lose_nothing(server: Server, tmp_path: Path) -> None:
    automation = {"after_closing", "daily_look", "landing_watch", "alert_on_failure"}
    until("automation that nobody switched on", lambda: server.switched_on() == automation)
    at_rest = len(server.processes())

    # Delivered, one folder after another.
    assert run_cli(tmp_path / "sample", "sample", "--quarter", QUARTER).code == 0
    for folder in sorted(path for path in (tmp_path / "sample" / "landing").iterdir() if path.is_dir()):
        shutil.copytree(folder, server.home / "landing" / folder.name)
    until("the first release", lambda: server.release(UNIT, QUARTER) == 1)
    until("the end of the run", lambda: [r.status for r in server.runs()] == [dg.DagsterRunStatus.SUCCESS])
    (first,) = server.runs()
    until("as few processes as before the run", lambda: len(server.processes()) <= at_rest)
    assert server.not_made(QUARTER) == []

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
def test_quarters_come_one_after_another_and_a_held_unit_is_mended(tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    assert run_cli(sample, "sample").code == 0
    with serving(tmp_path / "home") as server:
        landing = server.home / "landing"
        until("automation that nobody switched on", lambda: len(server.switched_on()) == 4)
        at_rest = len(server.processes())

        def deliver(quarter: str, *, without: str = "") -> None:
            for folder in sorted((sample / "landing").glob(f"*/{quarter}")):
                ignored = shutil.ignore_patterns(without) if without else None
                shutil.copytree(folder, landing / folder.relative_to(sample / "landing"), ignore=ignored)

        deliver("2022-Q4")
        until("the release of the first quarter", lambda: server.release(UNIT, "2022-Q4") == 1)

        # Held back for want of decisions, told, mended by them.
        deliver(QUARTER, without="decisions")
        told = server.home / "logs" / "alerts.log"
        until("the unit held back", lambda: told.is_file() and "held_back" in told.read_text(encoding="utf-8"))
        assert server.release(UNIT, QUARTER) == 0
        decisions = Path(UNIT) / QUARTER / "decisions"
        shutil.copytree(sample / "landing" / decisions, landing / decisions)
        until("the release of the second quarter", lambda: server.release(UNIT, QUARTER) == 1)

        deliver("2023-Q2")
        until("the release of the third quarter", lambda: server.release(UNIT, "2023-Q2") == 1)

        # A late file and a corrected one; the quarter after is asked for again.
        before = len(server.runs())
        correct(server.home)
        until("the revision", lambda: server.release(UNIT, QUARTER) == 2)
        until("the run of the quarter after", lambda: len(server.runs()) == before + 2)
        until("the end of every run", lambda: all(r.is_finished for r in server.runs()))
        until("as few processes as before", lambda: len(server.processes()) <= at_rest)
        again = [r.tags["dagster/partition"] for r in server.runs()[before:]]
        assert again == [QUARTER, "2023-Q2"]

        assert all(r.status == dg.DagsterRunStatus.SUCCESS for r in server.runs())
        for quarter in ("2022-Q4", QUARTER, "2023-Q2"):
            assert server.not_made(quarter) == []
        assert run_cli(server.home, "verify").code == 0
        server.stop()


@pytest.mark.long
def test_quarters_asked_for_at_once_in_the_browser_come_in_order_and_leave_nothing_behind(tmp_path: Path) -> None:
    """Backfills of all assets, with nothing that starts by itself; after twenty runs the server is as after three."""
    quarters = ["2022-Q4", QUARTER, "2023-Q2"]
    sample = tmp_path / "sample"
    assert run_cli(sample, "sample").code == 0
    with serving(tmp_path / "home", automation="false") as server:
        shutil.copytree(sample / "landing", server.home / "landing", dirs_exist_ok=True)
        listed = until("the quarters that the page lists", server.quarters)
        assert set(quarters) <= set(listed) == {p.quarter for p in load_periods() if p.opens_on <= now().date()}
        sizes = []
        for _ in range(7):
            backfill = server.backfill(quarters)
            until(
                "the end of the backfill", lambda b=backfill: server.state_of_backfill(b) not in ("None", "REQUESTED")
            )
            assert server.state_of_backfill(backfill) == "COMPLETED_SUCCESS"
            sizes.append((len(server.processes()), server.memory()))
        assert [(r.tags["dagster/partition"], r.status) for r in server.runs()] == [
            (quarter, dg.DagsterRunStatus.SUCCESS) for quarter in quarters
        ] * len(sizes)
        assert {count for count, _ in sizes} == {sizes[0][0]}, sizes
        assert sizes[-1][1] < 1.1 * sizes[0][1], sizes
        assert [server.release(UNIT, quarter) for quarter in quarters] == [1, 1, 1]
        assert server.switched_on() == {"alert_on_failure"}
        server.stop()

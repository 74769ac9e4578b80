"""From nothing, nobody at the keyboard: the server is started, files are delivered, processes are killed.

The real web server, daemon, code servers and runs, as ``make ui`` starts them; every wait is for something one sees.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest

from orchestration.build import build_definitions
from orchestration.instance import open_instance
from orchestration.settings import PROJECT_DIR, Settings
from tests.conftest import run_cli
from tests.pipeline.conftest import QUARTER, UNIT, correct

_LONGEST_WAIT = 900


def _until(what: str, seen: Callable[[], Any]) -> Any:
    end = time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < end:
        if found := seen():
            return found
        time.sleep(0.5)
    raise AssertionError(f"not seen within {_LONGEST_WAIT} s: {what}")


class Server:
    """``python -m orchestration.ui`` in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self.settings = home, Settings(home=home)
        self._output = (home / "ui.out").open("w+")
        environment = {**os.environ, "CCHC_HOME": str(home)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestration.ui"], cwd=PROJECT_DIR, env=environment, stdout=self._output
        )
        self.url = _until("the address", self._address)

    def _address(self) -> str | None:
        assert self.process.poll() is None
        lines = (self.home / "ui.out").read_text().splitlines()
        return next((line.split()[1] for line in lines if line.startswith("ui: http")), None)

    def processes(self) -> dict[int, list[str]]:
        """Every process that works for this home, whoever started it."""
        found = {}
        for process in psutil.process_iter():
            try:
                if process.environ().get("CCHC_HOME") == str(self.home) and process.pid != self.process.pid:
                    found[process.pid] = process.cmdline()
            except psutil.Error:
                continue
        return found

    def working(self, words: str) -> list[int]:
        return [pid for pid, line in self.processes().items() if any(words in word for word in line)]

    def runs(self) -> list[dg.DagsterRun]:
        """The recorded runs, oldest first."""
        with open_instance(self.settings) as instance:
            return list(reversed(instance.get_runs()))

    def not_made(self, quarter: str) -> list[dg.AssetKey]:
        """Assets that no run made for a quarter; a backfill of it would end as failed."""
        graph = build_definitions(self.settings).get_repository_def().asset_graph
        with open_instance(self.settings) as instance:
            keys = graph.materializable_asset_keys
            return [key for key in keys if quarter not in instance.get_materialized_partitions(key)]

    def switched_on(self) -> set[str]:
        question = "{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { name scheduleState "
        question += "{ status } } sensors { name sensorState { status } } } } } }"
        body = json.dumps({"query": question}).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/graphql", body, headers), timeout=60) as answer:
            nodes = json.load(answer)["data"]["repositoriesOrError"]["nodes"]
        states: dict[str, str] = {}
        for node in nodes:  # none until the web server has loaded the definitions
            states |= {s["name"]: s["scheduleState"]["status"] for s in node["schedules"]}
            states |= {s["name"]: s["sensorState"]["status"] for s in node["sensors"]}
        return {name for name, status in states.items() if status == "RUNNING"}

    def release(self) -> int:
        pointer = self.home / "published" / UNIT / QUARTER / "current.json"
        return int(json.loads(pointer.read_text())["release"]) if pointer.is_file() else 0

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(120) == 0
        # Code servers of a daemon that was killed are nobody's child; they end when they hear nothing of it.
        _until("the last process of the home to end", lambda: not self.processes())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "home").mkdir()
    made = Server(tmp_path / "home")
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
        for pid in made.processes():
            os.kill(pid, signal.SIGKILL)


def test_a_release_comes_of_deliveries_alone_and_kills_lose_nothing(server: Server, tmp_path: Path) -> None:
    automation = {"after_closing", "daily_look", "landing_watch", "alert_on_failure"}
    _until("automation that nobody switched on", lambda: server.switched_on() == automation)
    at_rest = len(server.processes())

    # Delivered, one folder after another.
    assert run_cli(tmp_path / "sample", "sample", "--quarter", QUARTER).code == 0
    for folder in sorted(path for path in (tmp_path / "sample" / "landing").iterdir() if path.is_dir()):
        shutil.copytree(folder, server.home / "landing" / folder.name)
    _until("the first release", lambda: server.release() == 1)
    _until("the end of the run", lambda: [r.status for r in server.runs()] == [dg.DagsterRunStatus.SUCCESS])
    (first,) = server.runs()
    _until("as few processes as before the run", lambda: len(server.processes()) <= at_rest)
    assert server.not_made(QUARTER) == []

    # The daemon is killed, and the run that a late file starts as well.
    (daemon,) = server.working("dagster-daemon")
    os.kill(daemon, signal.SIGKILL)
    correct(server.home)
    _until("another daemon", lambda: [pid for pid in server.working("dagster-daemon") if pid != daemon])
    _until(
        "dbt at work in the next run", lambda: len(server.runs()) > 1 and server.working("orchestration.dbt_process")
    )
    (dbt,) = server.working("orchestration.dbt_process")
    run = psutil.Process(dbt).parent()
    assert run is not None
    run.kill()
    _until("dbt to end with its run", lambda: not psutil.pid_exists(dbt))
    _until("the second release", lambda: server.release() == 2)
    _until("the end of every run", lambda: all(r.is_finished for r in server.runs()))
    ended = [r.status for r in server.runs()]
    assert ended[0] == ended[-1] == dg.DagsterRunStatus.SUCCESS
    assert dg.DagsterRunStatus.FAILURE in ended[1:-1]
    assert {r.tags["dagster/partition"] for r in server.runs()} == {QUARTER}
    assert run_cli(server.home, "verify").code == 0
    assert first.run_id == server.runs()[0].run_id

    server.stop()

    # Started again in the same home, and killed itself.
    again = Server(server.home)
    assert again.release() == 2
    again.process.kill()
    _until("the last process of the home to end", lambda: not again.processes())

"""The server as ``make ui`` starts it, in a home of a test's own: web server, daemon, code servers and runs.

Belongs here: starting and ending it, seeing what it does. Does not belong here: what is delivered and expected.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psutil

from orchestration.build import build_definitions
from orchestration.instance import open_instance
from orchestration.settings import PROJECT_DIR, Settings

_LONGEST_WAIT = 900


def until(what: str, seen: Callable[[], Any]) -> Any:
    end = time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < end:
        if found := seen():
            return found
        time.sleep(0.5)
    raise AssertionError(f"not seen within {_LONGEST_WAIT} s: {what}")


def processes_of(home: Path) -> dict[int, list[str]]:
    """Every process that was started for a home, with its command line."""
    found = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get("CCHC_HOME") == str(home):
                found[process.pid] = process.cmdline()
        except psutil.Error:
            continue
    return found


def _share(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


class Server:
    """``python -m orchestration.ui`` in a home of its own."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home, self.settings = home, Settings(home=home)
        self._output = (home / "ui.out").open("w+")
        set_so = {f"CCHC_{name.upper()}": value for name, value in settings.items()}
        environment = {**os.environ, "CCHC_HOME": str(home), **set_so}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestration.ui"], cwd=PROJECT_DIR, env=environment, stdout=self._output
        )
        self.url = until("the address", self._address)

    def _address(self) -> str | None:
        assert self.process.poll() is None
        lines = (self.home / "ui.out").read_text().splitlines()
        return next((line.split()[1] for line in lines if line.startswith("ui: http")), None)

    def processes(self) -> dict[int, list[str]]:
        """Every process that works for this home, whoever started it."""
        return {pid: line for pid, line in processes_of(self.home).items() if pid != self.process.pid}

    def memory(self) -> float:
        """What all of them hold, in MiB; what they share is counted once."""
        return sum(_share(pid) for pid in (self.process.pid, *self.processes())) / 2**20

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

    def ask(self, question: str, **values: Any) -> dict[str, Any]:
        """What the web server answers, as to a browser's page."""
        body = json.dumps({"query": question, "variables": values}).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/graphql", body, headers), timeout=60) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
        return data

    def backfill(self, quarters: Sequence[str]) -> str:
        """Asks for all assets of some quarters, as the page does; returns the backfill's id."""
        graph = build_definitions(self.settings).get_repository_def().asset_graph
        question = "mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) "
        question += "{ __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"
        assets = [{"path": list(key.path)} for key in sorted(graph.materializable_asset_keys)]
        answer = self.ask(question, params={"assetSelection": assets, "partitionNames": list(quarters), "tags": []})
        assert answer["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["launchPartitionBackfill"]["backfillId"])

    def state_of_backfill(self, backfill: str) -> str:
        question = "query($id: String!) { partitionBackfillOrError(backfillId: $id) "
        question += "{ __typename ... on PartitionBackfill { status } } }"
        return str(self.ask(question, id=backfill)["partitionBackfillOrError"].get("status"))

    def quarters(self) -> list[str]:
        """The partitions of a published table, as the page lists them."""
        question = "query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) "
        question += "{ __typename ... on AssetNode { partitionKeys } } }"
        key = {"path": ["marts", "report_indicators"]}
        return list(self.ask(question, key=key)["assetNodeOrError"].get("partitionKeys", []))

    def switched_on(self) -> set[str]:
        question = "{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { name scheduleState "
        question += "{ status } } sensors { name sensorState { status } } } } } }"
        nodes = self.ask(question)["repositoriesOrError"]["nodes"]
        states: dict[str, str] = {}
        for node in nodes:  # none until the web server has loaded the definitions
            states |= {s["name"]: s["scheduleState"]["status"] for s in node["schedules"]}
            states |= {s["name"]: s["sensorState"]["status"] for s in node["sensors"]}
        return {name for name, status in states.items() if status == "RUNNING"}

    def release(self, unit: str, quarter: str) -> int:
        """The number of a quarter's current release; 0 where there is none."""
        pointer = self.home / "published" / unit / quarter / "current.json"
        return int(json.loads(pointer.read_text())["release"]) if pointer.is_file() else 0

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(120) == 0
        # Code servers of a daemon that was killed are nobody's child; they end when they hear nothing of it.
        until("the last process of the home to end", lambda: not self.processes())


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Server]:
    """A server in this home, which is made, with these settings; whatever works for it in the end is killed."""
    home.mkdir()
    made = Server(home, **settings)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
        for pid in made.processes():
            os.kill(pid, signal.SIGKILL)

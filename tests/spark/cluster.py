"""A standalone Spark cluster on this machine's loopback: one master and two workers of one core, storage a folder.

Belongs here: starting, losing and ending its processes. Does not belong here: what is computed on it.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

LOOPBACK = "127.0.0.1"
_PATIENCE_SECONDS = 90
#: Programs that live for minutes on a machine of few cores: what the second compiler costs they do not win back.
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_DEFAULTS = f"""spark.driver.memory 2g
spark.driver.extraJavaOptions {_SHORT_LIVED}
spark.executor.extraJavaOptions {_SHORT_LIVED}
"""


@dataclass
class Cluster:
    """A cluster at work: ``master`` is the setting ``spark_master``, ``settings`` what a driver is begun with."""

    master: str
    settings: dict[str, str]
    log: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def applications(self) -> list[str]:
        """Names of what has begun on the cluster, in order."""
        return re.findall(r"Registered app (.+) with ID", self.log.read_text(errors="replace"))

    def lose_a_worker(self) -> None:
        """Kills a worker and its executors at once, as a machine that loses its power."""
        _kill(self.workers.pop())


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A cluster for as long as the context lasts; its logs and working folders are in ``folder``."""
    settings = folder / "settings"
    settings.mkdir(parents=True)
    (settings / "spark-defaults.conf").write_text(_DEFAULTS)
    port, page = _free_port(), _free_port()
    begun = []
    try:
        place = ["--host", LOOPBACK, "--port", str(port), "--webui-port", str(page)]
        begun.append(_start(folder, "master", "org.apache.spark.deploy.master.Master", place))
        made = Cluster(f"spark://{LOOPBACK}:{port}", {"SPARK_CONF_DIR": str(settings)}, folder / "master.log")
        _wait_for(folder / "master.log", "New state: ALIVE", 1)
        for number in range(workers):
            size = ["--cores", "1", "--memory", "1500m", "--webui-port", str(_free_port()), "--host", LOOPBACK]
            work = ["--work-dir", str(folder / f"work-{number}"), made.master]
            begun.append(_start(folder, f"worker-{number}", "org.apache.spark.deploy.worker.Worker", [*size, *work]))
            made.workers.append(begun[-1])
        _wait_for(folder / "master.log", "Registering worker", workers)
        yield made
    finally:
        for process in reversed(begun):
            _kill(process)


def _start(folder: Path, name: str, main: str, arguments: list[str]) -> subprocess.Popen[bytes]:
    """A process that leads a group of its own, in which its executors are."""
    found = find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    spark = Path(found.origin).parent
    local = folder / f"{name}-local"
    own = {"SPARK_HOME": str(spark), "SPARK_LOCAL_IP": LOOPBACK, "SPARK_LOCAL_DIRS": str(local)}
    small = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": _SHORT_LIVED}
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [spark / "bin" / "spark-class", main, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **own, **small},
            cwd=folder,
            start_new_session=True,
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(log: Path, words: str, times: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while len(re.findall(words, log.read_text(errors="replace"))) < times:
        assert time.monotonic() < until, f"{words!r} is not in {log}:\n{log.read_text(errors='replace')[-3000:]}"
        time.sleep(0.2)

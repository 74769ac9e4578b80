"""Dagster and the office's page in the browser: ``python -m orchestration.ui`` starts web server, daemon and page, and
keeps them going.

Belongs here: the three processes on one machine, for one user. Does not belong here: the service of an office
(``deploy/``), where systemd keeps them.
Listens on 127.0.0.1; with ``--host``, elsewhere where that is allowed (``web``).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import psutil

from orchestration.aftermath import make_up_if_free
from orchestration.column_lineage import column_lineage
from orchestration.instance import open_instance
from orchestration.liveness import end_dead_runs
from orchestration.settings import PROJECT_DIR, Settings, load_settings
from orchestration.web import LOOPBACK, why_not

_FIRST_PORT, _FIRST_PAGE_PORT = 3000, 3100
_START_SECONDS = 120
_STOP_SECONDS = 15
# A process that ends by itself is started again, later each time; one that ran for a minute is as good as new. Never so
# late that a killed run is not repeated within a minute: daemons are killed more than once in the life of a server.
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS, _GOOD_SECONDS = 1.0, 30.0, 60.0


# Debian's setpriv has the kernel ask a process to end when this one is gone, however that came about.
_ENDING_WITH_THIS = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


def free_port(first: int = _FIRST_PORT, host: str = LOOPBACK) -> int:
    """The first port from ``first`` on that nobody listens on; raises ``OSError`` where a hundred are taken."""
    for port in range(first, first + 100):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {first} on")


@dataclass
class Kept:
    """A process that is started again where it ends by itself. ``below``: what it had started when it was stopped."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: BinaryIO
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait: float = _FIRST_WAIT_SECONDS
    again_at: float = 0.0
    below: list[psutil.Process] = field(default_factory=list)

    def start(self) -> None:
        # A session of its own, so that Ctrl-C reaches this program alone and both are stopped in order.
        self.process = subprocess.Popen(
            [*_ENDING_WITH_THIS, *self.command],
            cwd=PROJECT_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.started = time.monotonic()

    def look(self) -> None:
        """Starts the process again where it is gone and its wait is over."""
        if self.process is not None and self.process.poll() is None:
            return
        at = time.monotonic()
        if self.process is not None:
            print(f"ui: {self.name} ended with {self.process.returncode}; starting it again", flush=True)
            self.wait = _FIRST_WAIT_SECONDS if at - self.started > _GOOD_SECONDS else self.wait
            self.again_at, self.process = at + self.wait, None
            self.wait = min(self.wait * 2, _LONGEST_WAIT_SECONDS)
        elif at >= self.again_at:
            self.start()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.below = psutil.Process(self.process.pid).children(recursive=True)
            self.process.terminate()

    def stop(self) -> None:
        """Waits for the process, then ends whatever it had started: Dagster leaves its code servers to time out."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _, left = psutil.wait_procs(self.below, timeout=1)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=_STOP_SECONDS)


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/server_info", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def prepare(settings: Settings) -> None:
    """Makes what both processes need before either starts, and makes up for what killed runs left."""
    settings.paths.create()
    column_lineage()  # and the parsed project it is made of
    with open_instance(settings) as instance:
        # A run that is waiting for the home, or at work in it, holds its own lock and stays as it is.
        end_dead_runs(instance, settings.paths)
    make_up_if_free(settings)


def main(words: Sequence[str] = ()) -> int:
    options = argparse.ArgumentParser(prog="python -m orchestration.ui", allow_abbrev=False)
    options.add_argument("--host", default=LOOPBACK, help="address to listen on")
    host = options.parse_args(list(words)).host
    settings = load_settings()
    if why := why_not(settings, host):
        print(f"ui: {why}", file=sys.stderr)
        return 2
    print("ui: starting", flush=True)
    for stopping in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stopping, _interrupt)
    kept: list[Kept] = []
    log_path = settings.paths.logs / "ui.log"
    try:
        prepare(settings)
        env = {**os.environ, "DAGSTER_HOME": str(settings.plain_paths.dagster), "CCHC_HOME": str(settings.home)}
        # A backfill waits for definitions that do not load at the moment; else a code server that is late ends it.
        env["DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"] = "1"
        port = free_port(host=host)
        shown = f"http://[{host}]" if ":" in host else f"http://{host}"
        url = f"{shown}:{port}"
        page_port = free_port(_FIRST_PAGE_PORT, host)
        tools = Path(sys.executable).parent
        workspace = ["-w", str(PROJECT_DIR / "workspace.yaml")]
        with log_path.open("ab") as log:
            kept += [
                Kept(
                    "web server", [str(tools / "dagster-webserver"), *workspace, "-h", host, "-p", str(port)], env, log
                ),
                Kept("daemon", [str(tools / "dagster-daemon"), "run", *workspace], env, log),
                Kept(
                    "office page",
                    [sys.executable, "-m", "orchestration.office", "--host", host, "--port", str(page_port)],
                    env,
                    log,
                ),
            ]
            for one in kept:
                one.start()
            deadline = time.monotonic() + _START_SECONDS
            while not _is_up(url):
                if time.monotonic() > deadline:
                    print(f"ui: did not start; see {log_path}", file=sys.stderr)
                    return 3
                for one in kept:
                    one.look()
                time.sleep(0.3)
            print(f"ui: {url}  (Ctrl-C stops it; log in {log_path})", flush=True)
            print(f"ui: the office's page: {shown}:{page_port}", flush=True)
            print(f"ui: automation is {'on' if settings.automation else 'off (CCHC_AUTOMATION)'}", flush=True)
            while True:
                for one in kept:
                    one.look()
                time.sleep(0.5)
    except KeyboardInterrupt:
        print("ui: stopping", flush=True)
        return 0
    finally:
        for stopping in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(stopping, signal.SIG_IGN)
        for one in kept:
            one.ask_to_stop()
        for one in kept:
            one.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

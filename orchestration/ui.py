"""Dagster in the browser: ``python -m orchestration.ui`` starts the web server and the daemon, and stops both.

Listens on 127.0.0.1 only: the lake holds case records, and the web server asks nobody who they are.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from orchestration.dbt import ensure_manifest
from orchestration.instance import write_dagster_yaml
from orchestration.settings import PROJECT_DIR, load_settings

_HOST = "127.0.0.1"
_FIRST_PORT = 3000
_START_SECONDS = 90
_STOP_SECONDS = 15


def free_port(first: int = _FIRST_PORT) -> int:
    """The first port from ``first`` on that nobody listens on; raises ``OSError`` where a hundred are taken."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {first} on")


def _wait_until_up(url: str, processes: list[subprocess.Popen[bytes]]) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and all(p.poll() is None for p in processes):
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    return False


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    settings = load_settings()
    settings.paths.create()
    write_dagster_yaml(settings)
    ensure_manifest()
    env = {**os.environ, "DAGSTER_HOME": str(settings.plain_paths.dagster), "CCHC_HOME": str(settings.home)}
    port = free_port()
    url = f"http://{_HOST}:{port}"
    tools = Path(sys.executable).parent
    workspace = ["-w", str(PROJECT_DIR / "workspace.yaml")]
    commands = [
        [str(tools / "dagster-webserver"), *workspace, "-h", _HOST, "-p", str(port)],
        [str(tools / "dagster-daemon"), "run", *workspace],
    ]
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, _interrupt)
    log_path = settings.paths.logs / "ui.log"
    with log_path.open("ab") as log:
        # A session of their own, so that Ctrl-C reaches this program alone and both are stopped in order.
        processes = [
            subprocess.Popen(c, cwd=PROJECT_DIR, env=env, stdout=log, stderr=log, start_new_session=True)
            for c in commands
        ]
        try:
            print("ui: starting", flush=True)
            if not _wait_until_up(url, processes):
                print(f"ui: did not start; see {log_path}", file=sys.stderr)
                return 3
            print(f"ui: {url}  (Ctrl-C stops it; log in {log_path})", flush=True)
            while all(p.poll() is None for p in processes):
                time.sleep(0.5)
            print(f"ui: a process ended by itself; see {log_path}", file=sys.stderr)
            return 3
        except KeyboardInterrupt:
            print("ui: stopping", flush=True)
            return 0
        finally:
            _stop(processes)


if __name__ == "__main__":
    sys.exit(main())

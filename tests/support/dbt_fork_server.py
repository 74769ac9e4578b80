"""dbt's processes of runs in this process, forked from one that has imported dbt, which takes seconds of each run.

Belongs here: both ends of that. Does not belong here: what a dbt process does (``orchestration.dbt_process``); runs in
a process of their own begin dbt as they do for users.
"""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

_HEAD = 8


class DbtForkServer:
    """Stands for the beginning of dbt's command line; the server begins when a command is first made of it."""

    def __init__(self, address: Path) -> None:
        self._address = address
        self._server: subprocess.Popen[bytes] | None = None

    def __iter__(self) -> Iterator[str]:
        if self._server is None:
            command = [sys.executable, "-m", "tests.support.dbt_fork_server", "serve", str(self._address)]
            here = Path(__file__).parents[2]
            self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=here)
            assert self._server.stdout is not None
            assert self._server.stdout.readline() == b"ready\n"
        return iter([sys.executable, "-I", "-S", __file__, "ask", str(self._address)])

    def close(self) -> None:
        """Ends the server; what it forked ends with whoever started it."""
        if self._server is not None:
            self._server.communicate()


def ask(address: str, arguments: list[str]) -> int:
    """Has a process forked that has this one's files, folder and environment; gives its exit code."""
    content = json.dumps([arguments, dict(os.environ), os.getcwd()]).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        files = array.array("i", [0, 1, 2])
        connection.sendmsg(
            [len(content).to_bytes(_HEAD, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files.tobytes())]
        )
        connection.sendall(content)
        code = connection.recv(1)
        return code[0] if code else 1


def serve(address: str) -> None:
    """Forks a process for each that asks, until standard input ends."""
    import dbt.adapters.duckdb
    import dbt.artifacts.schemas.run
    import dbt.cli.main  # noqa: F401

    import orchestration.dbt_process  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            readable, _, _ = select.select([listening, 0], [], [])
            if 0 in readable:
                return
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _answer(connection)
            connection.close()


def _answer(connection: socket.socket) -> None:
    """The forked process: it is what was asked for, and never returns."""
    code = 1
    try:
        head, files, _, _ = socket.recv_fds(connection, _HEAD, 3)
        content = b""
        while len(content) < int.from_bytes(head, "big"):
            content += connection.recv(65_536)
        arguments, environment, folder = json.loads(content)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        from orchestration.dbt_process import main

        code = main(arguments)
    except BaseException:  # whatever it is, it may not come back into the server's loop
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        connection.sendall(bytes([code]))
        os._exit(code)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(ask(sys.argv[2], sys.argv[3:]))

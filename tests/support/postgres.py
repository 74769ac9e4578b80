"""A real PostgreSQL server in a temporary folder, started and ended by the tests.

Belongs here: the server and its databases. Does not belong here: what is put into them.
The server refuses to run as root, so root starts it as the user ``postgres`` that Debian's package brings.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

ADMIN = "quan_tri"
PASSWORD = "mật khẩu: 100%"
_DEBIAN = Path("/usr/lib/postgresql")
_SERVER_USER = "postgres"
_OPTIONS = "-c listen_addresses='' -c fsync=off -c max_connections=40 -c shared_buffers=32MB -k"
_numbers = count(1)


@dataclass(frozen=True)
class PostgresServer:
    """The folder of its socket, which is also its host name to clients."""

    socket: Path
    programs: Path

    def conninfo(self, database: str = "postgres", user: str = ADMIN, password: str = PASSWORD) -> str:
        return psycopg.conninfo.make_conninfo(
            host=str(self.socket), dbname=database, user=user, password=password, port=5432
        )

    def new_database(self) -> str:
        """The conninfo of an empty database, for the administrator."""
        name = f"cchc_{next(_numbers)}"
        with self.connect(self.conninfo()) as session:
            session.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return self.conninfo(name)

    def new_url(self) -> str:
        """The same as an address, with the driver that Dagster needs."""
        database = psycopg.conninfo.conninfo_to_dict(self.new_database())["dbname"]
        return f"postgresql+psycopg2://{ADMIN}:{quote(PASSWORD)}@/{database}?host={quote(str(self.socket))}&port=5432"

    @staticmethod
    def connect(conninfo: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(conninfo, autocommit=True)


def _programs() -> Path:
    """The folder of ``initdb``; Debian keeps one a version and none in the path."""
    found = [path.parent for path in _DEBIAN.glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0))
    if program := shutil.which("initdb"):
        return Path(program).parent
    pytest.skip("needs the Debian package postgresql")


def _as_server_user(folder: Path) -> list[str]:
    """What to put before a command of the server; gives the folder to the user it runs as."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam(_SERVER_USER)
    except KeyError:
        pytest.skip("needs the Debian package postgresql, which brings the user postgres")
    for path in (folder, *folder.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
    return ["runuser", "-u", _SERVER_USER, "--"]


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server for as long as the block lasts; its data are gone afterwards."""
    programs = _programs()
    # A socket's path may have about a hundred letters, which pytest's own folders use up.
    folder = Path(tempfile.mkdtemp(prefix="cchc-pg-"))
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    before = _as_server_user(folder)
    data = folder / "data"

    def run(*command: str) -> None:
        done = subprocess.run([*before, *command], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run(
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            ADMIN,
            "-A",
            "scram-sha-256",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
            f"--pwfile={folder / 'password'}",
        )
        control = [str(programs / "pg_ctl"), "-D", str(data), "-w"]
        run(*control, "-l", str(folder / "log"), "-o", f"{_OPTIONS} {folder}", "start")
        try:
            yield PostgresServer(folder, programs)
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""Other lines of DuckDB than the project's own, each in a folder beside the virtual environment.

Belongs here: installing them from their hashed lock files. Does not belong here: what is read with them.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_LOCKS = _ROOT / "tests" / "data"
_PLACE = _ROOT / "build"


def duckdb_line(line: str) -> Path:
    """The folder to put before the Python path for DuckDB ``1.4`` or ``2.0``; installed once.

    Skips, and says what is missing, where it is not installed yet and the package registry cannot be reached.
    """
    lock = _LOCKS / f"duckdb-{line}.lock"
    requirement = lock.read_text(encoding="utf-8").split()[0]
    folder = _PLACE / requirement.replace("==", "-")
    _PLACE.mkdir(exist_ok=True)
    with (_PLACE / ".duckdb.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.is_dir():
            _install(lock, requirement, folder)
    return folder


def _install(lock: Path, requirement: str, folder: Path) -> None:
    unfinished = folder.with_name(f".{folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "--disable-pip-version-check",
            "--target",
            str(unfinished),
            "--requirement",
            str(lock),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        # Only an unreachable registry is a reason to go without: a wrong hash is a fault.
        assert "THESE PACKAGES DO NOT MATCH THE HASHES" not in done.stderr, done.stderr
        pytest.skip(f"needs {requirement} from the package registry, which could not be had: {done.stderr[-300:]}")
    unfinished.rename(folder)

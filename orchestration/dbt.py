"""Running dbt: its arguments, what must be rebuilt, and a process made ready in advance.

Belongs here: dbt's command line as pure functions, the run's scope file, the manifest.
Does not belong here: SQL, and anything Dagster (``assets/dbt_models.py`` turns dbt's events into Dagster's).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from common.files import replace_durably, sha256_file
from common.forms import earlier_rows_csv, load_forms, rows_csv
from common.periods import period_named
from common.unit_pasts import pasts_csv
from common.units import registered
from ingestion import columns_csv, load_contracts
from orchestration.locks import one_run_at_a_time
from orchestration.settings import DBT_DIR, PROJECT_DIR, Engine, Home, Settings, load_settings

_log = logging.getLogger(__name__)

_CHECKOUT = (PROJECT_DIR / "pyproject.toml").is_file()
_MANIFEST, _RECORD = "manifest.json", "manifest.sha256"
#: What dbt parsed of the project, in its own words; it looks by itself whether that still holds.
PARSED = "partial_parse.msgpack"
#: Where the project lay that dbt parsed: seeds are found under the path of that day, whatever moved since.
_PLACE = "parsed_in"
#: The child process; it works in a home, and nothing there may pass for a module (-P).
_DBT = (sys.executable, "-P", "-m", "orchestration.dbt_process")
_PARSED_SUFFIXES = {".sql", ".yml", ".yaml", ".csv", ".md", ".py"}
#: The profile's outputs, by the setting ``engine``.
_TARGETS: Mapping[Engine, str] = {"duckdb": "local", "spark": "spark"}
_NOT_SOURCES = {"target", "logs", "dbt_packages"}


class DbtError(RuntimeError):
    """dbt could not read the project or did not finish; the message holds its last lines."""


def _fingerprint(files: Iterable[Path], base: Path) -> str:
    """sha256 over names and contents, in order of name."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(base).as_posix()}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()


def project_fingerprint(project: Path = DBT_DIR) -> str:
    """Identifies everything dbt parses: changes exactly when a project file is added, removed or edited."""
    files = (
        p
        for p in project.rglob("*")
        if p.suffix in _PARSED_SUFFIXES and p.is_file() and p.relative_to(project).parts[0] not in _NOT_SOURCES
    )
    return _fingerprint(files, project)


def _folders(target: Path) -> list[str]:
    """What is read from where, and the one folder that dbt writes its own files to."""
    read = ["--project-dir", str(DBT_DIR), "--profiles-dir", str(DBT_DIR)]
    return [*read, "--target-path", str(target), "--log-path", str(target)]


def base_args(home: Home, engine: Engine) -> list[str]:
    """Arguments every dbt command of a home shares."""
    return [*_folders(home.dbt_target), "--target", _TARGETS[engine]]


def build_args(home: Home, *, select: Sequence[str] = (), engine: Engine = "duckdb") -> list[str]:
    """``dbt build`` without unit tests.

    Seeds are loaded each time: it takes a second, and whatever was done to the warehouse file since the last build
    cannot pass for reference data. Of dbt's own records only the results of the run are kept (``dbt_process`` writes
    them); the manifest is that of ``ensure_manifest``, and writing another takes a second. What Spark built before is
    gone, so that it builds what is selected with all that it is made of.
    """
    args = [
        "build",
        *base_args(home, engine),
        "--log-format",
        "json",
        "--log-level",
        "info",
        "--no-use-colors",
    ]
    # Its log tells what failed and where; what it notes of each statement besides takes time and helps nobody here.
    args += ["--log-level-file", "info", "--no-write-json", "--exclude-resource-type", "unit_test"]
    if select:
        args += ["--select", " ".join(f"+{name}" if engine == "spark" else name for name in select)]
        if engine == "spark":  # a test that also asks for what was not built cannot be answered
            args += ["--indirect-selection", "buildable"]
    return args


def parse_args(home: Home, engine: Engine = "duckdb") -> list[str]:
    """``dbt parse`` for a home's next command; what was parsed goes from the one to the other in memory."""
    return ["parse", *base_args(home, engine), "--quiet", "--no-write-json"]


def write_scope(home: Home, quarter: str, folders: Iterable[str] | None = None) -> None:
    """Tells dbt which quarter it builds and of whose ``folders`` (None: of all), the forms, what units were before and
    what the contracts call their columns; clears what the last build exported, its record first.
    """
    home.warehouse.mkdir(parents=True, exist_ok=True)
    home.build_record.unlink(missing_ok=True)
    shutil.rmtree(home.built_marts, ignore_errors=True)
    home.built_marts.mkdir(parents=True)
    replace_durably(home.form_rows, rows_csv(load_forms()).encode())
    replace_durably(home.form_earlier_rows, earlier_rows_csv(load_forms()).encode())
    closing = period_named(quarter).closes_on
    replace_durably(home.unit_pasts, pasts_csv(registered(), closing).encode())
    replace_durably(home.source_columns, columns_csv(load_contracts()).encode())
    rows = [f"{quarter},{code}" for code in ([""] if folders is None else sorted(folders))]
    replace_durably(home.run_scope, "\n".join(["quarter,unit_code", *rows, ""]).encode())


def environment(settings: Settings | None, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment of a dbt process; without settings, the project's own defaults hold."""
    env = dict(os.environ if base is None else base)
    env.update(settings.dbt_environment() if settings else {})
    if _CHECKOUT:  # The child works in a home and must find this package from there too.
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PROJECT_DIR), env.get("PYTHONPATH"))))
    env.update(DBT_SEND_ANONYMOUS_USAGE_STATS="false", DO_NOT_TRACK="1", DBT_NO_VERSION_CHECK="1")
    return env


def manifest_folder() -> Path:
    """Where the parsed project is kept: beside a checkout's project, else in the home.

    The folder of an installed package belongs to whoever installed it, and may not be written to.
    """
    return DBT_DIR / "target" if _CHECKOUT else load_settings().paths.dbt_target / "manifest"


def ensure_manifest(folder: Path | None = None) -> Path:
    """The parsed project that Dagster loads its assets from; parsed again only when a project file has changed.

    Raises ``DbtError`` where dbt cannot parse the project.
    """
    folder = folder or manifest_folder()
    fingerprint = project_fingerprint()
    if not _is_parsed(folder, fingerprint):
        # Two at once would write into one file, and what they left would count as the project for good.
        with one_run_at_a_time(folder / ".lock", "đọc dự án dbt", _log.info):
            if not _is_parsed(folder, fingerprint):
                _parse(folder, fingerprint)
    return folder / _MANIFEST


def _is_parsed(folder: Path, fingerprint: str) -> bool:
    """Whether the manifest is of this project, and still what dbt wrote."""
    manifest, record = folder / _MANIFEST, folder / _RECORD
    if not manifest.is_file() or not record.is_file() or not _is_of_this_place(folder):
        return False
    return record.read_bytes().decode(errors="replace").split() == [fingerprint, sha256_file(manifest)]


def _parse(folder: Path, fingerprint: str) -> None:
    (folder / _RECORD).unlink(missing_ok=True)  # a parse that is killed leaves half a file
    forget_what_was_parsed_elsewhere(folder)
    done = subprocess.run(
        [*_DBT, "parse", *_folders(folder), "--quiet"],
        cwd=folder,
        env=environment(load_settings()),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not (folder / _MANIFEST).is_file():
        raise DbtError(f"dbt parse failed:\n{(done.stdout + done.stderr)[-4000:]}")
    replace_durably(folder / _RECORD, f"{fingerprint} {sha256_file(folder / _MANIFEST)}\n".encode())


def _is_of_this_place(target: Path) -> bool:
    try:
        return (target / _PLACE).read_bytes() == os.fsencode(DBT_DIR)
    except FileNotFoundError:
        return False


def forget_what_was_parsed_elsewhere(target: Path) -> None:
    """A checkout that was moved, or a home that another installation served, is parsed anew."""
    if not _is_of_this_place(target):
        (target / PARSED).unlink(missing_ok=True)
        replace_durably(target / _PLACE, os.fsencode(DBT_DIR))


def run_apart(command: Sequence[str], folder: Path) -> None:
    """Runs a dbt command that reads no data, in a folder of its own that is also its warehouse.

    Raises ``DbtError`` where it does not end well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*_DBT, *command, *_folders(folder), "--quiet"],
        cwd=folder,
        env={**environment(None), "CCHC_WAREHOUSE": str(folder), "CCHC_RAW": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DbtError(f"dbt {command[0]} failed:\n{(done.stdout + done.stderr)[-4000:]}")


class DbtProcess:
    """One dbt command in a child process that imports dbt and parses the project before it is asked to run.

    Importing and parsing take longer than a small build, so a run starts this first and lets it get ready while
    deliveries are read. ``start`` may be called early and often; ``run`` hands over the arguments, once.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is not None:
            return
        home = self._settings.paths
        home.dbt_target.mkdir(parents=True, exist_ok=True)
        forget_what_was_parsed_elsewhere(home.dbt_target)
        self._process = subprocess.Popen(
            [*_DBT, "--wait", *parse_args(home, engine=self._settings.engine)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=home.root,
            env=environment(self._settings),
        )

    def run(self, args: Sequence[str]) -> subprocess.Popen[bytes]:
        """Sends the arguments; the caller reads the process's output and its return code, then closes its input.

        While its input is open the process goes on; it ends with the process that holds the other end.
        """
        self.start()
        process, self._process = self._process, None
        assert process is not None
        assert process.stdin is not None
        process.stdin.write(json.dumps(list(args)).encode() + b"\n")
        process.stdin.flush()
        return process

    def close(self) -> None:
        """Ends a process that was made ready but never used."""
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.close()
            self._process.terminate()
            self._process.wait()
            self._process.stdout.close()
            self._process = None

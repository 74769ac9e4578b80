"""The record of every run: what it was asked, how it ended, how long it took, what it read, found and published.

Belongs here: the shape of a record, where it and the verdicts of its gates are kept, and reading them. Does not belong
here: making one (``recording``), what is shown of them (``history_views``), how long they are kept (``retention``),
Dagster's own storage, what the next run needs to know (``arrivals``).

A run writes its record while it holds the home's lock, so a record that another run has begun and not finished is one
of a process that is gone; whoever holds the lock next says so. Words in a record are ours: codes and names of offices,
counts, classes of errors, never what was delivered. Verdicts quote findings, so they lie in a folder of their own that
others may not read, each content once.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, computed_field

from common.files import PRIVATE, readable_json, replace_durably, sha256_bytes
from expectations import Verdict, parse_verdict
from orchestration.reports import State
from orchestration.settings import Home

_log = logging.getLogger(__name__)
Asked = Literal["run", "ingest", "build", "check", "publish", "review", "part"]
Counted = Literal["rules_failed", "findings", "waived", "decisions"]
Ended = Literal["running", "done", "held_back", "failed", "interrupted", "killed"]


class _Kept(BaseModel):
    """As it is kept; fields that a later version adds are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Intake(_Kept):
    """What lay in the quarter's folders for the units asked for: rows of the deliveries that intake looked at, and how
    many files were read anew (of the quarters before, too)."""

    files: int
    files_read: int
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_with_findings: int


class Space(_Kept):
    """Bytes: used by each folder of the home (``.``: by what lies beside them), free and in all on its disk."""

    used: dict[str, int]
    free: int
    total: int


class UnitEntry(_Kept):
    """One reporting unit in a run. ``release`` is ``unit/quarter/r1``, also where it is not new.

    ``rules_failed`` counts rules, remarks left out, ``findings`` rows, ``waived`` those of them that decisions settle;
    ``decisions`` counts decisions used. ``verdicts``: SHA-256 of the kept verdict by gate.
    """

    unit_code: str
    name: str
    state: State
    release: str | None
    rules_failed: int
    blocking: int
    findings: int
    waived: int
    decisions: int
    verdicts: dict[str, str]


class Entry(_Kept):
    """A run. Times are local, ISO, ``seconds`` wall seconds by stage and together, sizes bytes.

    ``exit_code`` is that of the command; a run of the server has the one the command would have had, a killed or
    running one none. ``broken``: steps that broke, and the class of the error. ``peak_memory`` is the largest the
    process has been, ``peak_memory_children`` the largest of those it started and saw ending. ``space`` is
    that at the end of the run.
    """

    schema_version: Literal[1] = 1
    run_id: str
    quarter: str
    asked: Asked
    by: Literal["cchc", "dagster"]
    units_asked: tuple[str, ...] = ()
    code_version: str
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    ended: Ended = "running"
    exit_code: int | None = None
    seconds: float | None = None
    stages: dict[str, float] = {}
    intake: Intake | None = None
    units: tuple[UnitEntry, ...] = ()
    broken: dict[str, str] = {}
    space: Space | None = None
    peak_memory: int | None = None
    peak_memory_children: int | None = None

    @property
    def over(self) -> bool:
        return self.ended != "running"

    @property
    def file_name(self) -> str:
        """Sorts by the moment of beginning."""
        return f"{self.started_at:%Y%m%dT%H%M%S}-{self.run_id[:13]}.json"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def held(self) -> list[str]:
        """Units that have no new release by what the gates or a lock say."""
        return [unit.unit_code for unit in self.units if unit.state in ("held_back", "locked")]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def published(self) -> list[str]:
        """Releases that the run made."""
        return [unit.release for unit in self.units if unit.state == "published" and unit.release]

    def total(self, of: Counted) -> int:
        return sum(getattr(unit, of) for unit in self.units)


def entries(home: Home) -> list[Entry]:
    """Every kept record, oldest first; one that cannot be read is passed over and named in the log."""
    found = []
    for path in sorted(home.run_records.glob("*.json")):
        try:
            found.append(Entry.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            _log.warning("the record %s of a run cannot be read: %s", path.name, type(error).__name__)
    return found


class Look(_Kept):
    """The last daily look: alerts found by kind, those an address has not taken yet, and the space there is."""

    at: dt.datetime
    found: dict[str, int]
    owed: int
    space: Space


def keep_look(home: Home, look: Look) -> None:
    """Writes the look in the place of the one before; raises ``OSError`` where it cannot."""
    replace_durably(home.last_look, readable_json(json.loads(look.model_dump_json())))


def last_look(home: Home) -> Look | None:
    """None where there was none, or what is kept of it cannot be read."""
    try:
        return Look.model_validate_json(home.last_look.read_bytes())
    except (OSError, ValidationError):
        return None


def path_of(home: Home, entry: Entry) -> Path:
    return home.run_records / entry.file_name


def verdict_path(home: Home, digest: str) -> Path:
    return home.run_verdicts / f"{digest}.json.gz"


def verdict_of(home: Home, digest: str) -> Verdict:
    """A kept verdict; raises ``FileNotFoundError`` where it has been pruned, ``ValueError`` where it is damaged."""
    data = gzip.decompress(verdict_path(home, digest).read_bytes())
    if sha256_bytes(data) != digest:
        raise ValueError(f"{digest} is not what was kept")
    return parse_verdict(data)


def end_killed(home: Home) -> list[Entry]:
    """Says of every record begun and not finished that its run was killed. The caller holds the home's lock."""
    killed = []
    for entry in entries(home):
        if entry.ended == "running":
            ended = entry.model_copy(update={"ended": "killed"})
            keep(home, ended)
            killed.append(ended)
    return killed


def keep_verdict(home: Home, verdict: Verdict) -> str:
    """Keeps a verdict under the hash of its bytes, which is returned; equal verdicts of many runs are one file."""
    data = verdict.to_bytes()
    digest = sha256_bytes(data)
    path = verdict_path(home, digest)
    if not path.exists():
        home.run_verdicts.mkdir(parents=True, exist_ok=True)
        home.run_verdicts.chmod(0o700)
        replace_durably(path, gzip.compress(data, mtime=0), mode=PRIVATE)
    return digest


def keep(home: Home, entry: Entry) -> None:
    """Writes the record; raises ``OSError`` where it cannot."""
    body: dict[str, Any] = json.loads(entry.model_dump_json())
    replace_durably(path_of(home, entry), readable_json(body))


def space_of(home: Home) -> Space:
    """The space now, as the file system counts it."""
    found: dict[str, int] = {}
    with os.scandir(home.root) as parts:
        for part in parts:
            if part.is_dir():
                found[part.name] = _used(part.path)
            else:
                found["."] = found.get(".", 0) + part.stat(follow_symlinks=False).st_blocks * 512
    disk = shutil.disk_usage(home.root)
    return Space(used=dict(sorted(found.items())), free=disk.free, total=disk.total)


def _used(folder: str) -> int:
    used = 0
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            with suppress(OSError):  # a file that is gone by now
                used += os.lstat(os.path.join(parent, name)).st_blocks * 512
    return used

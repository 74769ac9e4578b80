"""What a home keeps of its own work, and for how long: records and verdicts of runs, candidates, Dagster's runs, logs.

Belongs here: what goes because newer work has taken its place. Does not belong here: what was delivered and may not be
kept longer (``cchc purge``, ``ingestion``); deliveries, lake, releases, decisions and receipts, of which nothing goes.

Everything that goes here can be missed: a candidate and its verdicts are made again by the next run, a release holds
its own. The caller holds the home's lock, so nobody is at work on what is looked at; a run that has not ended, or that
Dagster is going to repeat, stays. What goes is said in the log.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.files import remove_tree
from orchestration.history import Entry, entries, path_of
from orchestration.locks import HomeBusy, one_run_at_a_time, to_stderr
from orchestration.settings import Home, Settings
from orchestration.timing import now

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

_log = logging.getLogger(__name__)
_LARGEST_LOG = 10 * 1024 * 1024
#: Runs of Dagster that one run deletes.
_AT_ONCE = 50


@dataclass(frozen=True)
class Pruned:
    """How many of each kind have gone."""

    records: int = 0
    verdicts: int = 0
    candidates: int = 0
    logs: int = 0

    def __bool__(self) -> bool:
        return self != Pruned()


def prune(settings: Settings, instance: DagsterInstance) -> None:
    """Prunes all that needs no run to know it, where nobody works in the home; else the next run does."""
    with suppress(HomeBusy), one_run_at_a_time(settings.paths.lock, "dọn hồ sơ cũ", to_stderr, wait=False):
        prune_files(settings)
        prune_dagster(instance, settings)


def prune_files(
    settings: Settings, *, used: Iterable[Entry] = (), candidates: Mapping[str, Path] | None = None, quarter: str = ""
) -> Pruned:
    """Prunes everything but Dagster's storage.

    ``used``: records that are about to be written, whose verdicts stay. ``candidates``: those that a run of ``quarter``
    has just written, by unit: they stay, and older ones of their units beyond the setting go.
    """
    home = settings.paths
    kept, gone = _records(settings)
    found = Pruned(
        records=gone,
        verdicts=_kept_verdicts(settings, [*kept, *used]),
        candidates=sum(
            _candidates(home, unit, quarter, folder, settings.keep_candidates)
            for unit, folder in (candidates or {}).items()
        ),
        logs=sum(_begun_anew(log) for log in home.logs.glob("*.log")),
    )
    if found:
        _log.info("pruned: %s", found)
    return found


def _records(settings: Settings) -> tuple[list[Entry], int]:
    """The newest records stay, as many as the setting says; of those beyond only runs that have not ended."""
    known = entries(settings.paths)
    beyond = [entry for entry in known[: -settings.keep_runs] if entry.ended != "running"]
    for entry in beyond:
        path_of(settings.paths, entry).unlink(missing_ok=True)
    gone = {entry.file_name for entry in beyond}
    return [entry for entry in known if entry.file_name not in gone], len(gone)


def _kept_verdicts(settings: Settings, records: Iterable[Entry]) -> int:
    """Verdicts of no record go, and those of records so old that the deliveries they quote may be kept no longer."""
    oldest = now() - dt.timedelta(days=settings.retention_days)
    named = {
        digest
        for entry in records
        if entry.started_at >= oldest
        for unit in entry.units
        for digest in unit.verdicts.values()
    }
    found = [path for path in settings.paths.run_verdicts.glob("*") if path.name.split(".")[0] not in named]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _candidates(home: Home, unit: str, quarter: str, current: Path, keep: int) -> int:
    """Of one unit or province and quarter: the candidate just written, that of its draft and the newest of the others
    stay, with their verdicts.

    Verdicts are written anew whenever a gate looks, so the newest of gate 1 are those of the deliveries in force.
    """
    used = {current, *_drafted(home, unit, quarter)}
    folders = [path for path in current.parent.glob("*") if path.is_dir() and path not in used]
    beyond = _oldest_first(folders)[: -(keep - 1) or None]
    for folder in beyond:
        remove_tree(folder)
    kept = {path.name for path in used} | {folder.name for folder in folders} - {folder.name for folder in beyond}
    verdicts = home.warehouse / "verdicts" / unit / quarter
    of_kept = {f"{stage}-{name}.json" for name in kept for stage in ("mart", "province")}
    of_kept |= {f"raw-{_inputs_hash(current.parent / name)}.json" for name in kept}
    newest = {path.name for path in _oldest_first(verdicts.glob("raw-*.json"))[-keep:]}
    for path in verdicts.glob("*"):  # one that was being written when its run was killed has another name
        if path.name not in of_kept | newest:
            path.unlink(missing_ok=True)
    return len(beyond)


def _drafted(home: Home, unit: str, quarter: str) -> Iterator[Path]:
    """The candidate that the draft of the unit would be published from: whoever approves, approves that one."""
    from publication import DamagedDraft, read_draft

    with suppress(DamagedDraft):
        draft = read_draft(home.draft_of(unit, quarter))
        yield home.warehouse / "candidates" / unit / quarter / draft.candidate_hash


def _oldest_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _inputs_hash(candidate: Path) -> str:
    try:
        return str(json.loads((candidate / "candidate.json").read_bytes())["inputs_hash"])
    except (OSError, ValueError, KeyError):
        return ""


def _begun_anew(log: Path) -> bool:
    """Empties a log that has grown, and keeps what was in it beside it. Whoever holds it open writes on at its end."""
    if log.stat().st_size <= _LARGEST_LOG:
        return False
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as open_log:
        open_log.truncate(0)
    return True


def prune_dagster(instance: DagsterInstance, settings: Settings) -> list[str]:
    """Deletes of each job the runs beyond the setting, with their events and what their steps wrote; returns their ids.

    Not those that have not ended or are to be repeated or whose backfill goes on, nor the last success of a quarter:
    by it the browser knows that the quarter was made. Breaks no run: the next one tries again, also where there are
    more of them than one run should wait for.
    """
    deleted: list[str] = []
    try:
        if instance.get_runs_count() > settings.keep_runs:
            for run_id in _beyond(instance, settings.keep_runs):
                _delete(instance, run_id)
                deleted.append(run_id)
    except Exception:
        _log.exception("Dagster's old runs are not pruned")
    if deleted:
        _log.info("pruned %d of Dagster's runs, the newest of them %s", len(deleted), deleted[-1])
    return deleted


def _beyond(instance: DagsterInstance, keep: int) -> list[str]:
    """The runs that may go, oldest first."""
    by_job = defaultdict(list)
    for run in instance.get_runs():  # newest first
        by_job[run.job_name].append(run)
    beyond = []
    for runs in by_job.values():
        last = _last_successes(runs)
        beyond += [run for run in runs[keep:] if run.run_id not in last and _is_over(instance, run)]
    return [run.run_id for run in beyond[::-1]][:_AT_ONCE]


def _last_successes(newest_first: Iterable[DagsterRun]) -> set[str]:
    from orchestration.assets.names import is_whole

    found: dict[str, str] = {}
    for run in newest_first:
        partition = run.tags.get("dagster/partition")
        if partition and run.is_success and is_whole(run.asset_selection):
            found.setdefault(partition, run.run_id)
    return set(found.values())


def _is_over(instance: DagsterInstance, run: DagsterRun) -> bool:
    from dagster._core.execution.backfill import BulkActionStatus
    from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, BACKFILL_ID_TAG, WILL_RETRY_TAG

    if not run.is_finished:
        return False
    if run.tags.get(WILL_RETRY_TAG) == "true" and AUTO_RETRY_RUN_ID_TAG not in run.tags:
        return False
    backfill = instance.get_backfill(run.tags[BACKFILL_ID_TAG]) if BACKFILL_ID_TAG in run.tags else None
    return backfill is None or backfill.status not in (
        BulkActionStatus.REQUESTED,
        BulkActionStatus.CANCELING,
        BulkActionStatus.FAILING,
    )


def _delete(instance: DagsterInstance, run_id: str) -> None:
    """As Dagster deletes a run, and what it leaves of one: results of its checks, the emptied database of its events,
    output of its steps.
    """
    from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable

    instance.delete_run(run_id)
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as connection:
            of_run = AssetCheckExecutionsTable.c.run_id == run_id
            connection.execute(AssetCheckExecutionsTable.delete().where(of_run))
    if isinstance(storage, SqliteEventLogStorage):
        path = Path(storage.path_for_shard(run_id))
        for part in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            part.unlink(missing_ok=True)
    instance.compute_log_manager.delete_logs(prefix=[run_id])

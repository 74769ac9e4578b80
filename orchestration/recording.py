"""Recording a run: its record is begun when it begins and finished however it ends; then old ones go, all are shown.

Belongs here: what of a pipeline's run goes into its record. Does not belong here: the shape of a record and where it is
kept (``history``), what is shown (``history_views``), what goes (``retention``).
Nothing here breaks a run: what cannot be written is named in the log.
"""

from __future__ import annotations

import logging
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from orchestration.aftermath import make_up
from orchestration.alerts import cause_of, settled
from orchestration.history import (
    Asked,
    Ended,
    Entry,
    Intake,
    UnitEntry,
    keep,
    keep_verdict,
    path_of,
    space_of,
)
from orchestration.history_views import show
from orchestration.locks import HomeBusy, WarehouseHeld
from orchestration.office import refresh
from orchestration.pipeline import Pipeline
from orchestration.reports import UnitReport, ending, unit_reports
from orchestration.retention import prune_files
from orchestration.timing import now
from orchestration.version import code_version

_log = logging.getLogger(__name__)
_BY_CODE: dict[int, Ended] = {0: "done", 1: "held_back", 3: "failed"}
_CODES: dict[Ended, int] = {ended: code for code, ended in _BY_CODE.items()}
#: Of these the gates, or what comes after them, say something of each unit.
_JUDGES_UNITS = ("run", "check", "publish")


@contextmanager
def recorded(
    pipeline: Pipeline,
    quarter: str,
    asked: Asked,
    by: Literal["cchc", "dagster"],
    *,
    no_run: tuple[type[BaseException], ...] = (),
    interrupted: Callable[[], int | None] = lambda: None,
) -> Iterator[None]:
    """Records the run that is done within; makes up for killed ones first. The caller holds the home's lock.

    The run leaves its exit code in ``pipeline.record``; where it leaves none, its outcomes say how it ended.
    ``no_run``: errors that mean that nothing was asked that can be run. ``interrupted`` gives the exit code of a run
    that somebody ended, None where nobody did.
    """
    home, record = pipeline.home, pipeline.record
    begun = Entry(
        run_id=record.run_id, quarter=quarter, asked=asked, by=by, code_version=code_version(), started_at=now()
    )
    make_up(pipeline)
    with _breaking_nothing():
        keep(home, begun)
    ended: Ended | None = None
    was_asked = True
    try:
        yield
    except no_run:
        was_asked = False
        with _breaking_nothing():
            path_of(home, begun).unlink(missing_ok=True)
        raise
    except GeneratorExit:  # Dagster closes what it opened, whatever came of the run
        raise
    except BaseException as error:
        by_signal = isinstance(error, KeyboardInterrupt)
        ended = "interrupted" if by_signal else "failed"
        record.exit_code = (interrupted() or 130) if by_signal else _exit_code_of(error)
        if not by_signal:
            record.broken.setdefault("", type(error).__name__)
        raise
    finally:
        if was_asked:
            _finish(pipeline, begun, ended, interrupted)


def _exit_code_of(error: BaseException) -> int:
    return 1 if isinstance(error, (HomeBusy, WarehouseHeld)) else 3


def _finish(pipeline: Pipeline, begun: Entry, ended: Ended | None, interrupted: Callable[[], int | None]) -> None:
    """Each part of the record by itself: where one cannot be had, the others are still kept."""
    home, record, timings = pipeline.home, pipeline.record, pipeline.timings.as_dict()
    reports: list[UnitReport] = []
    if begun.asked in _JUDGES_UNITS:
        with _breaking_nothing():
            in_scope = pipeline.deliveries.units_in(begun.quarter, record.units)
            reports = unit_reports(pipeline, begun.quarter, in_scope, checked_only=begun.asked == "check")
    code = record.exit_code
    if ended is None and code is None and (code := interrupted()) is not None:
        ended = "interrupted"
    if ended is None:
        ended = _BY_CODE[code] if code is not None else _came_to(pipeline, begun, reports)
    if begun.asked == "run" and ended in ("done", "held_back"):
        with _breaking_nothing():  # every step came to its end, the last one too: should one break again, that is news
            settled(pipeline.settings, cause_of("run_failed", begun.quarter))
    entry = begun.model_copy(
        update={
            "units_asked": record.units,
            "ended_at": now(),
            "ended": ended,
            "exit_code": _CODES.get(ended) if code is None else code,
            "seconds": timings["total"],
            "stages": timings["stages"],
            "intake": _intake(pipeline, begun.quarter),
            "broken": dict(record.broken),
            "peak_memory": _peak(resource.RUSAGE_SELF),
            "peak_memory_children": _peak(resource.RUSAGE_CHILDREN),
        }
    )
    with _breaking_nothing():
        entry = entry.model_copy(update={"units": tuple(_unit_entry(pipeline, report) for report in reports)})
    with _breaking_nothing():
        prune_files(pipeline.settings, used=[entry], candidates=record.candidates_in_use, quarter=begun.quarter)
    with _breaking_nothing():
        entry = entry.model_copy(update={"space": space_of(home)})
    with _breaking_nothing():
        keep(home, entry)
        show(pipeline.settings)
    read = {report.quarter for by_source in record.intake.values() for report in by_source}
    for quarter in sorted(read | {begun.quarter}):
        refresh(pipeline, quarter, now().date())


def _came_to(pipeline: Pipeline, begun: Entry, reports: list[UnitReport]) -> Ended:
    broken = bool(pipeline.record.broken)
    if begun.asked in _JUDGES_UNITS:
        return ending(broken, reports)
    return "failed" if broken else "done"


@contextmanager
def _breaking_nothing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _log.error("the record of a run is not written as it should be: %s", error)
    except Exception:
        _log.exception("the record of a run is not written as it should be")


def _intake(pipeline: Pipeline, quarter: str) -> Intake | None:
    reports = [report for by_quarter in pipeline.record.intake.values() for report in by_quarter]
    if not reports:
        return None
    own = [delivery for report in reports if report.quarter == quarter for delivery in report.deliveries]
    return Intake(
        files=len(own),
        files_read=sum(report.files_read for report in reports),
        rows_read=sum(delivery.rows_read for delivery in own),
        rows_accepted=sum(delivery.rows_accepted for delivery in own),
        rows_rejected=sum(delivery.rows_rejected for delivery in own),
        rows_with_findings=sum(delivery.rows_with_findings for delivery in own),
    )


def _unit_entry(pipeline: Pipeline, report: UnitReport) -> UnitEntry:
    verdicts = pipeline.record.verdicts.get(report.unit_code, {})
    results = [result for verdict in verdicts.values() for result in verdict.results]
    failed = [result for result in results if result.status == "fail" and result.severity != "info"]
    used = {result.decision_id for result in results} | {f.decision_id for r in results for f in r.findings}
    return UnitEntry(
        unit_code=report.unit_code,
        name=report.name,
        state=report.state,
        release=_release_name(report.release) if report.release else None,
        rules_failed=len(failed),
        blocking=sum(len(verdict.blocking()) for verdict in verdicts.values()),
        findings=sum(result.failed_rows for result in failed),
        waived=sum(result.covered_rows for result in failed),
        decisions=len(used - {None}),
        verdicts={stage: keep_verdict(pipeline.home, verdict) for stage, verdict in sorted(verdicts.items())},
    )


def _release_name(folder: str) -> str:
    return "/".join(Path(folder).parts[-3:])


def _peak(who: int) -> int:
    """Linux counts in KiB, BSD in bytes."""
    return resource.getrusage(who).ru_maxrss * (1024 if sys.platform.startswith("linux") else 1)

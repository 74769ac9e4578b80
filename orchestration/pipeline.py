"""The rooms, called in order. The only module that calls them on behalf of a run.

Belongs here: handing settings and paths to the rooms, which units a run is for, what came of each.
Does not belong here: the rooms' own logic, Dagster, the terminal.
Heavy rooms are imported where they are used, so that definitions load fast and Great Expectations never loads here.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from common.forms import form_on
from common.periods import find_period, quarters_behind
from orchestration.dbt import DbtProcess, build_args, write_scope
from orchestration.lineage import lineage
from orchestration.locks import one_run_at_a_time, wait_until_free
from orchestration.settings import DBT_DIR, TIME_ZONE, Settings
from orchestration.timing import Timings
from orchestration.version import code_version, tool_versions

if TYPE_CHECKING:
    from expectations import GateWorker, Verdict
    from ingestion import IngestPaths, IngestReport, LandingFile, LandingProblem, ReferenceData
    from publication import Amendment, Copied, Event, Held, PostgresError, ReleaseNotWhole, Revision

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What publication did for one unit: a release that is current, or why there is no new one.

    ``revision`` is what the release changed, or would change where a locked quarter held it back (``locked``).
    """

    unit_code: str
    release: str | None
    changed: bool = False
    reasons: tuple[str, ...] = ()
    revision: Revision | None = None
    locked: bool = False


class UnknownUnit(ValueError):
    """A code that reports nothing in a quarter; the message says why, in Vietnamese."""


class BrokenContract(RuntimeError):
    """dbt built tables that the stored contracts do not allow: somebody changed a model without its version."""


def closing_day(quarter: str) -> dt.date:
    """The day a quarter closes; raises ``KeyError`` where the table of periods does not know it."""
    period = find_period(quarter)
    if period is None:
        raise KeyError(quarter)
    return period.closes_on


def reporting_window(quarter: str) -> tuple[dt.date, dt.date]:
    """First and last day of a quarter's reporting window; raises ``KeyError`` where the periods do not know it."""
    period = find_period(quarter)
    if period is None:
        raise KeyError(quarter)
    return period.opens_on, period.closes_on


def form_version(quarter: str) -> str:
    """The version of the form in force when the quarter closed; raises ``LookupError`` where there is none."""
    return form_on(closing_day(quarter)).form


class Pipeline:
    """One home and the processes that serve it. Safe to build without doing anything; processes start when asked."""

    def __init__(self, settings: Settings, timings: Timings | None = None) -> None:
        self.settings = settings
        #: The word by which this run may revise locked quarters; without it they hold.
        self.amendment: Amendment | None = None
        self.home = settings.paths
        self.timings = timings or Timings()
        self.dbt = DbtProcess(settings)
        self._gate: GateWorker | None = None
        self.verdicts: dict[str, dict[str, Verdict]] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.copies: dict[str, Copied | PostgresError] = {}
        self.problems: list[LandingProblem] = []
        self._candidates: dict[str, Path] | None = None

    # -- processes ---------------------------------------------------------------------------------------------

    def warm_up(self, *, gate: bool, dbt: bool) -> None:
        """Starts the processes a run will need, so that they get ready while deliveries are read."""
        if gate:
            self.gate()
        if dbt:
            self.dbt.start()

    def gate(self) -> GateWorker:
        """The process that Great Expectations lives in; started by the first call."""
        if self._gate is None:
            from expectations import GateWorker

            self._gate = GateWorker(environment=self.settings.dbt_environment())
        return self._gate

    def alone(self) -> AbstractContextManager[None]:
        """Holds the home's lock: the command line and the server's steps wait for one another."""
        return one_run_at_a_time(self.home.lock, "một bước của máy chủ Dagster", _tell)

    def close(self) -> None:
        self.dbt.close()
        if self._gate is not None:
            self._gate.close()
            self._gate = None

    # -- units -------------------------------------------------------------------------------------------------

    @cached_property
    def reference(self) -> ReferenceData:
        from ingestion import ReferenceData

        return ReferenceData.load(DBT_DIR / "seeds")

    @cached_property
    def _secret(self) -> bytes:
        return self.settings.person_secret()

    @cached_property
    def ingest_paths(self) -> IngestPaths:
        from ingestion import IngestPaths

        return IngestPaths(self.home.landing, self.home.raw, self.home.rejected)

    def reporting_unit(self, code: str, quarter: str) -> str:
        """The unit a folder's figures are reported by; raises ``UnknownUnit`` where nobody carries the code then."""
        closing = closing_day(quarter)
        unit = self.reference.reporting_unit(code, closing)
        if unit is None:
            raise UnknownUnit(self._why_unknown(code, closing))
        return unit.code

    def _why_unknown(self, code: str, closing: dt.date) -> str:
        ended = [u for u in self.reference.admin_units if u.code == code and u.valid_to and u.valid_to < closing]
        if not ended:
            return f"không có đơn vị nào mang mã {code} vào ngày chốt số liệu {closing:%d/%m/%Y}"
        last = max(ended, key=lambda u: u.valid_to or closing)
        message = f"{last.name} ({code}) kết thúc ngày {last.valid_to:%d/%m/%Y}, trước ngày chốt {closing:%d/%m/%Y}"
        return message + ("; từ đó mỗi xã, phường báo cáo riêng" if last.level == "district" else "")

    def units_in(self, quarter: str, wanted: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
        """Reporting units of a run, each with the folder units that owe deliveries for it, in order.

        ``wanted`` limits the run; without it, every unit of which something was ever delivered for the quarter, read or
        not. Who owes follows from the register of units on the closing day, never from what arrived.
        """
        folders = {row["unit_code"] for row in self.receipts(quarter)} | set(wanted)
        folders |= {file.unit_code for file in self.waiting_files(quarter) if file.quarter == quarter}
        reporting = {self.reporting_unit(folder, quarter) for folder in folders}
        in_scope = sorted(reporting & set(wanted) if wanted else reporting)
        return {unit: tuple(self.folders_expected(unit, quarter)) for unit in in_scope}

    def receipts(self, quarter: str) -> list[dict[str, Any]]:
        """Rows of ``deliveries.parquet`` for a quarter's folders, superseded deliveries included."""
        from ingestion import read_deliveries

        return [row for row in read_deliveries(self.ingest_paths).to_pylist() if row["quarter"] == quarter]

    def waiting_files(self, quarter: str) -> list[LandingFile]:
        """Files that lie in the landing folder, of the quarter or of its look-back, and have not been taken in.

        Those of a unit that reports nothing then are left out: no report waits for them.
        """
        from ingestion import waiting_files

        closing = closing_day(quarter)
        found = waiting_files(self.ingest_paths, self._quarters_to_read(quarter), self.reference)
        return [file for file in found if self.reference.reporting_unit(file.unit_code, closing)]

    def roles_of(self, code: str, quarter: str) -> frozenset[str]:
        """As what a unit delivers on the quarter's closing date: ``district``, ``commune``; raises ``UnknownUnit``.

        Both where a commune reports by itself: it then owes what a district owes.
        """
        from ingestion import roles_of

        closing = closing_day(quarter)
        unit, reporting = self.reference.unit(code, closing), self.reference.reporting_unit(code, closing)
        if unit is None or reporting is None:
            raise UnknownUnit(self._why_unknown(code, closing))
        return roles_of(unit, reporting)

    def folders_expected(self, unit: str, quarter: str) -> list[str]:
        """The unit itself and the communes that report through it."""
        communes = self.reference.communes_of(unit, closing_day(quarter))
        return [unit, *sorted(commune.code for commune in communes)]

    def stored_verdicts(self, unit: str, quarter: str, inputs_hash: str) -> list[Verdict]:
        """The stored verdicts on exactly these inputs: gate 1, and gate 2 on the newest candidate made from them."""
        from expectations import load_verdict, path_of

        paths = [path_of(self.home.warehouse, "raw", unit, quarter, inputs_hash)]
        candidates = (self.home.warehouse / "candidates" / unit / quarter).glob("*/candidate.json")
        for candidate in sorted(candidates, key=lambda p: (p.stat().st_mtime_ns, p), reverse=True):
            if json.loads(candidate.read_bytes())["inputs_hash"] == inputs_hash:
                paths.append(path_of(self.home.warehouse, "mart", unit, quarter, candidate.parent.name))
                break
        return [load_verdict(path) for path in paths if path.is_file()]

    def quarters_delivered(self) -> list[str]:
        """Quarters with a delivery, in the landing folder or taken in before, in order."""
        from ingestion import read_deliveries

        landed = {p.name for p in self.home.landing.glob("*/*") if p.is_dir() and find_period(p.name)}
        return sorted(landed | set(read_deliveries(self.ingest_paths)["quarter"].to_pylist()))

    def anything_delivered(self, quarter: str) -> bool:
        return any(self.home.landing.glob(f"*/{quarter}/*/*")) or bool(self.receipts(quarter))

    # -- stages ------------------------------------------------------------------------------------------------

    def delivered_files(self, source: str, quarter: str) -> list[Path]:
        """Files in the landing folder, relative to it; hidden and half-written ones are not deliveries."""
        found = (p for p in self.home.landing.glob(f"*/{quarter}/{source}/*") if p.is_file())
        return sorted(p.relative_to(self.home.landing) for p in found if not p.name.startswith((".", "~$")))

    def ingest(self, source: str, quarter: str, units: Sequence[str]) -> IngestReport:
        """Takes in one source: the quarter's deliveries, and those of the quarters its figures look back to.

        A late file lies in its own quarter's folder; a release must not depend on when that quarter was last run.
        """
        from ingestion import ingest_source

        folders = self.folders_of(units, quarter)
        with self.alone(), self.timings.stage("ingest", f"nhận dữ liệu: {source}"):
            reports = {
                name: ingest_source(
                    self.ingest_paths,
                    source,
                    name,
                    units=folders,
                    reference=self.reference,
                    secret_key=self._secret,
                    limits=self.settings.intake,
                )
                for name in self._quarters_to_read(quarter)
            }
        self.problems = sorted({*self.problems, *(p for report in reports.values() for p in report.problems)})
        return reports[quarter]

    def _quarters_to_read(self, quarter: str) -> list[str]:
        """The quarter, and before it those of its look-back that have deliveries."""
        earlier = set(quarters_behind(quarter)) & set(self.quarters_delivered())
        return sorted(earlier | {quarter})

    def folders_of(self, units: Sequence[str], quarter: str) -> set[str] | None:
        """The folder units that deliver for these reporting units; None for everybody's."""
        if not units:
            return None
        return {folder for unit in units for folder in self.folders_expected(unit, quarter)}

    def inputs_of(self, units: Iterable[str], quarter: str) -> dict[str, list[dict[str, str]]]:
        """The deliveries each unit's figures are made from."""
        from ingestion import inputs

        behind = quarters_behind(quarter)
        return {unit: inputs(self.ingest_paths, self.folders_expected(unit, quarter), behind) for unit in units}

    def check_store(self) -> None:
        """Raises ``ingestion.DamagedError`` where the raw layer is not what ingestion left there."""
        from ingestion import check_store

        check_store(self.ingest_paths)

    def check_raw(self, quarter: str, units: Sequence[str]) -> dict[str, Verdict]:
        """Gate 1. Returns and stores one verdict a unit."""
        from expectations import run_raw_gate
        from publication import hash_inputs

        with self.alone(), self.timings.stage("gate_raw", "kiểm tra dữ liệu đầu vào"):
            self.check_store()
            in_scope = self.units_in(quarter, units)
            hashes = {unit: hash_inputs(found) for unit, found in self.inputs_of(in_scope, quarter).items()}
            waiting = [
                (file.unit_code, file.quarter, file.source, file.file_name) for file in self.waiting_files(quarter)
            ]
            verdicts = run_raw_gate(
                self.home.raw,
                self.home.warehouse,
                quarter,
                reporting_window(quarter),
                in_scope,
                hashes,
                waiting,
                self.gate(),
            )
        return self._remember(verdicts)

    def check_marts(self, quarter: str, units: Sequence[str]) -> dict[str, Verdict]:
        """Gate 2, on the candidates of the present build. Returns and stores one verdict a unit."""
        from expectations import run_mart_gate

        folders = self._present_candidates(quarter, units)
        with self.alone(), self.timings.stage("gate_marts", "kiểm tra số liệu báo cáo"):
            candidates = {unit: (folder, folder.name) for unit, folder in folders.items()}
            verdicts = run_mart_gate(self.home.warehouse, quarter, candidates, self.gate())
        return self._remember(verdicts)

    def _remember(self, verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
        for unit, verdict in verdicts.items():
            self.verdicts.setdefault(unit, {})[verdict.stage] = verdict
        return verdicts

    @contextmanager
    def building(self, quarter: str, selected: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """dbt at work on a quarter. What is exported counts as a build only where all models were built.

        ``selected`` names models of a partial build, made by hand from the browser; nothing is published from it.
        """
        from publication import record_build

        with self.alone(), self.timings.stage("dbt", "tính số liệu"):
            wait_until_free(self.home.warehouse_file, self.settings.warehouse_wait_seconds, _tell)
            self._candidates = None
            self.check_store()
            made_from = self.inputs_of(self.units_in(quarter), quarter)
            write_scope(self.home, quarter)
            yield self.dbt.run(build_args(self.home, select=selected))
            if not selected:
                self._keep_contracts()
                self.check_store()  # what lay there when dbt began is what it read
                record_build(self.home.warehouse, quarter, made_from)

    def _keep_contracts(self) -> None:
        """Raises ``BrokenContract`` where the build is not what programs were promised; then it counts as none."""
        import pyarrow.parquet as pq

        from publication import contract_breaches

        found = {path.stem: pq.read_schema(path) for path in self.home.built_marts.glob("*.parquet")}
        if breaches := contract_breaches(found):
            raise BrokenContract(f"the build breaks stored contracts (see `make contracts`): {'; '.join(breaches)}")

    def exported_rows(self, mart: str) -> int | None:
        """Rows of an exported mart, from the file's own footer."""
        import pyarrow.parquet as pq

        path = self.home.built_marts / f"{mart}.parquet"
        return int(pq.read_metadata(path).num_rows) if path.is_file() else None

    def write_candidates(self, quarter: str, units: Sequence[str]) -> dict[str, Path]:
        """The candidate folder of each unit; the same build and inputs give the same folder.

        A unit that has none (no build of the quarter, no row of the form) is left out, and its outcome says why.
        """
        from publication import CandidateError, write_candidates

        def write(inputs_by_unit: dict[str, Any]) -> dict[str, Path]:
            return write_candidates(self.home.warehouse, quarter, list(inputs_by_unit), inputs_by_unit, version)

        with self.timings.stage("candidates", "lập số liệu chờ công bố"):
            version = form_version(quarter)
            all_inputs = self.inputs_of(self.units_in(quarter, units), quarter)
            try:
                self._candidates = write(all_inputs)
            except CandidateError:
                # One by one, so that a unit without a candidate does not hold back the others.
                self._candidates = {}
                for unit, found in all_inputs.items():
                    try:
                        self._candidates.update(write({unit: found}))
                    except CandidateError as error:
                        self.outcomes[unit] = Outcome(unit, None, reasons=(str(error),))
            return self._candidates

    def _present_candidates(self, quarter: str, units: Sequence[str]) -> dict[str, Path]:
        """The candidates this run has just written; where it has not (a stage alone), they are written now."""
        return self.write_candidates(quarter, units) if self._candidates is None else self._candidates

    def publish(self, quarter: str, units: Sequence[str]) -> list[Outcome]:
        """Publishes every unit whose stored verdicts let its candidate out; what holds one unit back stays its own.

        A unit of whose texts no document can be made is held back with the row that is at fault. What breaks the
        program at one unit is raised when the others are done.
        """
        from publication import ReleaseNotWhole, index_once

        broken: list[Exception] = []
        folders = self._present_candidates(quarter, units)
        with self.alone(), self.timings.stage("publish", "công bố"), index_once():
            for unit, folder in folders.items():
                try:
                    self.outcomes[unit] = self._publish_unit(unit, quarter, folder)
                except ReleaseNotWhole as error:
                    # Its words quote delivered texts, which a log must not keep.
                    _log.error("%s, %s: %s failed: %s", unit, quarter, error.output, type(error.__cause__).__name__)
                    self.outcomes[unit] = Outcome(unit, None, reasons=self._why_not_whole(error, quarter, folder))
                except Exception as error:  # the next units' releases do not wait for this one's repair
                    broken.append(error)
        if broken:
            raise broken[0]
        return [self.outcomes[unit] for unit in sorted(self.outcomes)]

    def faults_of(self, unit: str, quarter: str) -> tuple[str, ...]:
        """What this run could not take in for want of space, rights or a sound disk; no sender is to blame for it."""
        folders = set(self.folders_expected(unit, quarter))
        return tuple(
            f"{p.path}: {p.message_vi}" for p in self.problems if p.is_fault and (p.path.split("/")[0] in folders)
        )

    def _why_not_whole(self, error: ReleaseNotWhole, quarter: str, folder: Path) -> tuple[str, ...]:
        """Which document could not be made, and of which delivered row, as far as that is known."""
        from publication import delivered_places

        head = f"Không lập được “{error.output}” đúng như số liệu, nên chưa công bố."
        if error.code is None:
            return (head, "Chi tiết kỹ thuật ở nhật ký chạy; báo cho người quản trị hệ thống.")
        files = {row["delivery_id"]: row["file_name"] for row in self.receipts(quarter)}
        places = [
            f"tệp {files.get(delivery_id, delivery_id)}, {sheet}, dòng {rows}"
            for delivery_id, sheet, rows in delivered_places(folder, error.code)
        ]
        where = f" ({'; '.join(places)})" if places else ""
        return (head, f"Nội dung gây lỗi ở chỉ tiêu {error.code}{where}: sửa lời văn của dòng này rồi gửi lại tệp.")

    def _publish_unit(self, unit: str, quarter: str, folder: Path) -> Outcome:
        from publication import Held, Published, Refused, current_release, publish

        if faults := self.faults_of(unit, quarter):
            return Outcome(unit, None, reasons=faults)
        current = current_release(self.home.published, unit, quarter)
        answer = publish(
            self.home.published,
            folder,
            self.home.warehouse / "verdicts" / unit / quarter,
            unit=unit,
            quarter=quarter,
            expected_previous=current.number if current else None,
            code_version=code_version(),
            published_at=now(),
            versions=tool_versions(),
            lineage=lineage() if current else None,
            amendment=self.amendment,
        )
        if isinstance(answer, Refused):
            return Outcome(unit, None, reasons=answer.reasons)
        if isinstance(answer, Held):
            return Outcome(unit, None, reasons=_why_locked(quarter, answer), revision=answer.revision, locked=True)
        if isinstance(answer, Published):
            return Outcome(unit, str(answer.release.path), changed=True, revision=answer.revision)
        return Outcome(unit, str(answer.release.path))


def _tell(message: str) -> None:
    sys.stderr.write(f"{message}\n")


def now() -> dt.datetime:
    """The present second in Viet Nam; for records of when something was done, never for figures."""
    return dt.datetime.now(ZoneInfo(TIME_ZONE)).replace(microsecond=0)


def lock_vi(lock: Event) -> str:
    """A lock as a clause: since when, at which release, why and by whom."""
    since = f" từ ngày {dt.datetime.fromisoformat(lock.at):%d/%m/%Y}" if lock.at else ""
    by = f"; người khóa: {lock.by}" if lock.by else ""
    return f"đã khóa{since} ở bản r{lock.release} (lý do: {lock.reason}{by})"


def _why_locked(quarter: str, held: Held) -> tuple[str, ...]:
    unit = held.release.unit_code
    return (
        f"Kỳ báo cáo {lock_vi(held.lock)}.",
        f"Nếu công bố số liệu mới: {held.revision.extent_vi}",
        f'Muốn công bố: cchc publish {quarter} --unit {unit} --amend --reason "…"',
    )

"""Ingestion of a quarter: every delivery of every source, read when it must be and not otherwise.

Belongs here: the order of sources, what a reading depends on, and when a delivery is out of date. Does not belong
here: how a file is read (``intake``) or when a quarter is run (orchestration).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from traceback import format_tb
from typing import Any, Protocol, Required, TypedDict, Unpack

import pyarrow as pa

from common.files import sha256_bytes, sha256_file
from common.periods import place_of
from common.roles import REPORTING_UNIT, SUPERIOR
from ingestion.base import lake
from ingestion.base.contracts import Contract, load_contracts
from ingestion.base.lake import DamagedError
from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits, UnreadableFileError
from ingestion.base.paths import IngestPaths
from ingestion.base.reference import AdminUnit, ReferenceData
from ingestion.clerk import feedback, outbox
from ingestion.clerk.fields import template_fields
from ingestion.deliveries import delivery_log, ledger
from ingestion.deliveries.integrity import held_by_records
from ingestion.deliveries.landing import (
    NOT_SEEN,
    KeptOriginal,
    LandingFile,
    LandingProblem,
    extends,
    keep_original,
    original_path,
    program_problem,
    scan,
    settled,
    storage_problem,
    suffix_of,
    whole,
)
from ingestion.deliveries.landing_remarks import rebuild_landing_remarks
from ingestion.deliveries.ledger import Arrival, Receipt
from ingestion.deliveries.readings import BrokeElsewhere, Readers, Reading
from ingestion.deliveries.signatures import NOT_SIGNED, SIGNED_SOURCE, Signers
from ingestion.reading.csv_files import CSV_SUFFIXES
from ingestion.rows.outcome import FileIdentity, Intake, refused
from ingestion.rows.resolve import Context, ProcedureEntry, ProcedureRegistry, UnitEntry, UnitRegistry
from ingestion.rows.returned import read_returned, read_row_origins, sheets_without_cells
from ingestion.rows.wholeness import CompletenessEvidence

_log = logging.getLogger(__name__)

# Raised whenever the code reads some file differently than before, so that deliveries are read again.
INGEST_VERSION = 11
# CSV files between these sizes (bytes) are read side by side; smaller ones are not worth it, larger ones too large.
_LARGE, _HUGE = 1 << 20, 1 << 27
_READERS = 2
# Bytes of originals that others read before what came of them is stored: so much is held here at once.
_BATCH = 1 << 28
_WITH_ROWS = frozenset({"accepted", "partly_accepted"})
#: Sources whose rows decide how those of others are read.
_REGISTERS = ("org_units", "procedure_catalogue")
#: The type of a department in the register of units.
_DEPARTMENT = "department"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One delivery after ingestion; ``was_read`` is false where nothing had changed.

    Rows that a mended rejection workbook has brought back count as read and taken there, and here no longer.
    """

    delivery_id: str
    unit_code: str
    quarter: str
    source: str
    file_name: str
    outcome: str
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_with_findings: int
    message_vi: str
    was_read: bool


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one ingestion did: a report for each delivery of the scope, and what was found that is no delivery."""

    quarter: str
    deliveries: tuple[DeliveryReport, ...]
    problems: tuple[LandingProblem, ...]

    @property
    def rows_read(self) -> int:
        return sum(d.rows_read for d in self.deliveries)

    @property
    def rows_accepted(self) -> int:
        return sum(d.rows_accepted for d in self.deliveries)

    @property
    def rows_rejected(self) -> int:
        return sum(d.rows_rejected for d in self.deliveries)

    @property
    def files_read(self) -> int:
        return sum(d.was_read for d in self.deliveries)


def source_order(contracts: Mapping[str, Contract]) -> list[str]:
    """Sources, each after those it depends on; ties by name. Raises ``graphlib.CycleError`` on a circle."""
    sorter = TopologicalSorter({name: set(contracts[name].depends_on) for name in sorted(contracts)})
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order


class Means(TypedDict, total=False):
    """With what deliveries are read. ``units``: those of whose folders, else all. With ``signers``, decisions count
    only where one of them signed the file. With ``readers``, deliveries are read by them, several at once; what is kept
    of each is written here all the same.
    """

    units: Collection[str] | None
    reference: Required[ReferenceData]
    secret_key: Required[bytes]
    limits: IntakeLimits
    signers: Signers | None
    readers: Readers | None


def ingest_quarter(
    paths: IngestPaths, quarter: str, *, sources: Iterable[str] | None = None, **means: Unpack[Means]
) -> IngestReport:
    """Ingests the quarter's deliveries of all sources, or of those named, in order.

    Raises ``KeyError`` for a quarter without a reporting period and for an unknown source, ``ValueError`` for a short
    key.
    """
    contracts = load_contracts()
    wanted = set(contracts if sources is None else sources)
    if unknown := wanted - set(contracts):
        raise KeyError(f"unknown sources: {sorted(unknown)}")
    found: list[DeliveryReport] = []
    problems: set[LandingProblem] = set()
    for source in source_order(contracts):
        if source in wanted:
            report = ingest_source(paths, source, quarter, **means)
            found += report.deliveries
            problems |= set(report.problems)
    return IngestReport(quarter, tuple(found), tuple(sorted(problems)))


def ingest_source(paths: IngestPaths, source: str, quarter: str, **means: Unpack[Means]) -> IngestReport:
    """Ingests one source of a quarter; the sources it depends on must have been ingested before.

    Deliveries that are already in the ledger are read again, from their original, where their fingerprint is out of
    date.
    """
    return ingest_quarters(paths, source, [quarter], **means)[quarter]


def ingest_quarters(
    paths: IngestPaths,
    source: str,
    quarters: Sequence[str],
    *,
    units: Collection[str] | None = None,
    reference: ReferenceData,
    secret_key: bytes,
    limits: IntakeLimits = DEFAULT_LIMITS,
    signers: Signers | None = None,
    readers: Readers | None = None,
) -> dict[str, IngestReport]:
    """Ingests one source of several quarters as :func:`ingest_source` does of one, in the order given, with the
    :class:`Means`.

    The landing folder, the ledger and what follows from them are looked at once for all of them.
    """
    if len(secret_key) < 16:
        raise ValueError("the secret key must have at least 16 bytes")
    contracts = load_contracts()
    known = ledger.read_ledger(paths)
    runs = {
        quarter: _Run(paths, contracts[source], quarter, reference, secret_key, limits, signers, known, readers)
        for quarter in quarters
    }
    lake.write_empty_schemas(paths, contracts.values())
    files, found = scan(
        paths,
        known_units=reference.unit_codes,
        known_quarters=set(reference.periods),
        known_sources=set(contracts),
        quarters=set(quarters),
    )
    chosen = None if units is None else frozenset(units)
    problems = {
        quarter: [p for p in found if _is_of(p, quarter, runs) and not delivery_log.is_log(p.path)] for quarter in runs
    }
    codes = reference.unit_codes if chosen is None else chosen
    for quarter in runs:
        problems[quarter] += delivery_log.take_in(paths, quarter, codes, set(contracts))
    held = held_by_records(paths, known)
    wanted = [f for f in files if f.source == source and (chosen is None or f.unit_code in chosen)]
    wanted = [f for f in wanted if (f.unit_code, f.quarter, f.source) not in held]
    wanted, growing = settled(wanted, limits.stability_seconds)
    sizes = frozenset(r.size_bytes for r in known.receipts.values())
    by_quarter: dict[str, list[LandingFile]] = {quarter: [] for quarter in runs}
    for file in wanted:
        by_quarter[file.quarter].append(file)
    reports: dict[str, list[DeliveryReport]] = {}
    for quarter, run in runs.items():
        growing_here = [p for p in growing if _is_of(p, quarter, runs)]
        problems[quarter] += [problem for of_folder in held.values() for problem in of_folder] + growing_here
        unseen = {p.path for p in growing_here} | {p.path for p in problems[quarter] if p.code in NOT_SEEN}
        for file in by_quarter[quarter]:
            kept = keep_original(paths, file, sizes)
            if isinstance(kept, LandingProblem):
                problems[quarter].append(kept)
                unseen.add(kept.path)
            else:
                run.register(file, kept)
        run.end_look({path.rpartition("/")[0] for path in unseen})
        reports[quarter] = run.settle_all(run.receipts_in_scope(chosen))
        problems[quarter] += run.problems
    ledger.rebuild_deliveries(paths)
    rebuild_landing_remarks(paths, contracts, reference, source, quarters, signed=signers is not None)
    mended = ledger.mended_rows(paths)
    for quarter, run in runs.items():
        reports[quarter] = [_without_mended(report, mended) for report in reports[quarter]]
        problems[quarter] += run.return_rejections(chosen, mended)
    return {q: IngestReport(q, tuple(reports[q]), tuple(sorted(problems[q]))) for q in runs}


def _is_of(problem: LandingProblem, quarter: str, quarters: Collection[str]) -> bool:
    """Whether a problem is to be told of one of ``quarters``: it is in a folder of it, or of none of them."""
    parts = problem.path.split("/")
    return len(parts) < 2 or parts[1] == quarter or parts[1] not in quarters


def departments_of(
    paths: IngestPaths, unit: str, quarter: str, reference: ReferenceData
) -> tuple[list[tuple[str, str]], str | None]:
    """Code and name of each department in the register that a unit delivered, in being when the quarter closes, in
    order of code; and the quarter of whose folder the register is, None where there is none.

    Raises ``KeyError`` for a quarter without a reporting period.
    """
    run = _Run(paths, load_contracts()["org_units"], quarter, reference, b"", DEFAULT_LIMITS)
    sender = reference.sender(unit, run.period.closes_on)
    if sender is None:
        return [], None
    found = {entry.code: entry.name for entry in run._org_units(sender, only_departments=True)}
    return sorted(found.items()), run.register_quarter("org_units", sender)


def reading_context(
    paths: IngestPaths, contract: Contract, unit_code: str, quarter: str, reference: ReferenceData
) -> Context | None:
    """What decides how a unit's deliveries of a source are read now; None where the code names no unit at the closing.

    Raises ``KeyError`` for a quarter without a reporting period. No person can be keyed with it.
    """
    return _Run(paths, contract, quarter, reference, b"", DEFAULT_LIMITS).context(unit_code)


class Reader(Protocol):
    """What reads deliveries of one source and quarter again whose rows were lost."""

    def read_again(self, receipt: Receipt) -> None:
        """Makes the files of rows again as the receipt has them; raises :class:`DamagedError` where they cannot be."""


def reading_again(
    paths: IngestPaths,
    contract: Contract,
    quarter: str,
    reference: ReferenceData,
    secret_key: bytes,
    limits: IntakeLimits,
    signers: Signers | None,
) -> Reader:
    """A reader for what was lost of a source and quarter. Raises ``KeyError`` for a quarter without a period."""
    return _Run(paths, contract, quarter, reference, secret_key, limits, signers)


class _Run:
    """The ingestion of one source of one quarter."""

    def __init__(
        self,
        paths: IngestPaths,
        contract: Contract,
        quarter: str,
        reference: ReferenceData,
        secret_key: bytes,
        limits: IntakeLimits,
        signers: Signers | None = None,
        known: ledger.Ledger | None = None,
        readers: Readers | None = None,
    ) -> None:
        self.readers = readers
        self._read_elsewhere: dict[str, Intake | Exception] = {}
        self.limits = limits
        self.signers = signers if contract.source == SIGNED_SOURCE else None
        self.paths = paths
        self.contract = contract
        self.period = reference.periods[quarter]
        self.reference = reference
        self.secret_key = secret_key
        self.problems: list[LandingProblem] = []
        self.receipts = (ledger.read_ledger(paths) if known is None else known).receipts
        self._contexts: dict[str, Context | None] = {}
        self._beginnings: dict[str, str] = {}
        self._looks: dict[tuple[str, str, str], int] = {}
        mine = (r for r in self.receipts.values() if (r.source, r.quarter) == (contract.source, quarter))
        self._by_folder = ledger.by_folder(mine)
        self._last = ledger.last_versions(r for receipts in self._by_folder.values() for r in receipts)

    def register(self, file: LandingFile, kept: KeptOriginal) -> None:
        """Notes that a content has arrived. From here on it is known, and kept, whatever becomes of the file."""
        identity = ledger.delivery_id(file.unit_code, file.quarter, file.source, kept.sha256)
        path = ledger.path_of(file.unit_code, file.quarter, file.source, file.file_name)
        last, version = self._last.get(path, ("", 0))
        known = self.receipts.get(identity)
        if known is None:
            known = Receipt(identity, file.source, file.unit_code, file.quarter, kept.sha256, kept.size_bytes, ())
        noted = known
        if last != identity:
            if known.folder not in self._looks:
                before = ledger.looks(self.paths, known.folder, self._by_folder.get(known.folder, ()))
                self._looks[known.folder] = before + 1
            arrival = Arrival(self._looks[known.folder], file.file_name, version + 1, kept.delivered_at.isoformat())
            noted = known.with_arrival(arrival)
            self._last[path] = (identity, arrival.version)
        if file.done is not None and (file.done.rows >= 0 or noted.declared_rows is None):
            noted = replace(noted, declared_rows=file.done.rows)
        if file.signature:
            noted = replace(noted, signature=file.signature)
        if noted != known:
            self.receipts[identity] = noted
            of_folder = self._by_folder[noted.folder]
            of_folder[:] = [*(r for r in of_folder if r.delivery_id != identity), noted]
            ledger.write_receipt(self.paths, noted)

    @cached_property
    def _registers_of(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Current deliveries with rows of the sources that say how others are read, by source and unit."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for source in _REGISTERS:
            for d in ledger.current(self.paths, source=source):
                if d["outcome"] in _WITH_ROWS:
                    found[source, d["unit_code"]].append(d)
        return found

    def end_look(self, unseen: Collection[str]) -> None:
        """Counts the looks that met something new and saw all that lay in the folder (``unit/quarter/source``)."""
        for folder, number in sorted(self._looks.items()):
            if "/".join(folder) not in unseen:
                ledger.count_look(self.paths, folder, number)

    def receipts_in_scope(self, units: frozenset[str] | None) -> list[Receipt]:
        return [
            r
            for _, r in sorted(self.receipts.items())
            if r.source == self.contract.source
            and r.quarter == self.period.quarter
            and (units is None or r.unit_code in units)
        ]

    def settle_all(self, receipts: Iterable[Receipt]) -> list[DeliveryReport]:
        """Reads every delivery that was never read or whose fingerprint is out of date; reports in the order given.

        Large CSV files are read two at a time, unless two of them might not fit into memory, or others read them.
        """
        receipts = list(receipts)
        for unit in {r.unit_code for r in receipts}:
            self.context(unit)  # made once, before several threads ask for it
        pending = [r for r in receipts if self.is_out_of_date(r)]
        self._note_hashes({r.delivery_id for r in receipts} - {r.delivery_id for r in pending})
        side_by_side = [r for r in pending if suffix_of(r.file_name) in CSV_SUFFIXES and _LARGE < r.size_bytes < _HUGE]
        if len(side_by_side) > 1 and self.readers is None:
            with ThreadPoolExecutor(_READERS) as pool:
                settled = list(pool.map(self._settled_or_problem, side_by_side))
            self.receipts.update({r.delivery_id: r for r in settled if r is not None})
        else:
            settled, side_by_side = list[Receipt | None](), []
        beside = {r.delivery_id for r in side_by_side}
        alone = {r.delivery_id: r for r in pending if r.delivery_id not in beside}
        while alone:
            # What brings back rejected rows is read after the delivery that had them.
            ready = [r for r in alone.values() if self.mended_by(r) not in alone] or list(alone.values())
            now = []
            for batch in _batches(ready):
                self._have_read(batch)
                now += [self._settled_or_problem(r) for r in batch]
            self.receipts.update({r.delivery_id: r for r in now if r is not None})
            settled += now
            for r in ready:
                del alone[r.delivery_id]
        done = [r for r in settled if r is not None]
        read = {r.delivery_id for r in done}
        failed = {r.delivery_id for r in pending} - read
        self.receipts.update({r.delivery_id: r for r in done})
        return [
            _report(self.receipts[r.delivery_id], was_read=r.delivery_id in read)
            for r in receipts
            if r.delivery_id not in failed
        ]

    def _have_read(self, receipts: Sequence[Receipt]) -> None:
        """Has others read deliveries that are settled next, where there are others and more than one to read.

        Raises what keeps them from reading at all.
        """
        if self.readers is None or len(receipts) < 2:
            return
        asked: dict[str, Reading] = {}
        for receipt in receipts:
            with suppress(Exception):  # it is met again, and told, where the delivery is settled
                reading = self.reading(receipt)
                if isinstance(reading, Reading):
                    asked[receipt.delivery_id] = reading
        self._read_elsewhere = dict(zip(asked, self.readers(list(asked.values())), strict=True))

    def read_again(self, receipt: Receipt) -> None:
        """Makes the files of rows of a delivery again from its original, as its receipt has them.

        Raises as ``settled``, and :class:`DamagedError` where there is no original.
        """
        if self.original(receipt) is None:
            raise DamagedError(f"bản gốc {receipt.sha256} của {receipt.file_name} không còn")
        self.context(receipt.unit_code)
        self.receipts[receipt.delivery_id] = self.settled(receipt)

    def _note_hashes(self, identities: Iterable[str]) -> None:
        """Gives receipts that were written before files of rows were hashed the hashes of what lies there."""
        for identity in sorted(identities):
            receipt = self.receipts[identity]
            files = {layer: self.paths.rows_file(layer, *_place(receipt)) for layer in lake.LAYERS}
            if not receipt.rows_sha256 and (hashes := {n: sha256_file(f) for n, f in files.items() if f.exists()}):
                self.receipts[identity] = replace(receipt, rows_sha256=hashes)
                ledger.write_receipt(self.paths, self.receipts[identity])

    def _settled_or_problem(self, receipt: Receipt) -> Receipt | None:
        """The settled receipt, or None where the disk or this program failed, which is told; the next run tries again.

        A file over which the program breaks stops no other one: it counts as not read, so that gate 1 holds its unit
        back, whatever an earlier reading made of it.
        """
        place = f"{receipt.unit_code}/{receipt.quarter}/{receipt.source}/{receipt.file_name}"
        try:
            return self.settled(receipt)
        except OSError as error:
            self.problems.append(storage_problem(place, error))
        except Exception as error:
            # Where it broke, and nothing that was read: the message may quote a person.
            where = "".join(format_tb(error.__traceback__))
            if isinstance(error.__cause__, BrokeElsewhere):
                where += str(error.__cause__)
            _log.error("%s in reading %s\n%s", type(error).__name__, place, where)
            self.problems.append(program_problem(place, error))
            self.receipts[receipt.delivery_id] = replace(receipt, outcome="", fingerprint="", rows_sha256={})
            ledger.write_receipt(self.paths, self.receipts[receipt.delivery_id])
        return None

    def is_out_of_date(self, receipt: Receipt) -> bool:
        """Whether a delivery must be read: never read yet, or read by other rules and still there to be read."""
        if not receipt.fingerprint:
            return True
        is_gone = any(not self.paths.rows_file(layer, *_place(receipt)).exists() for layer in receipt.rows_sha256)
        return (is_gone or receipt.fingerprint != self.fingerprint(receipt)) and self.original(receipt) is not None

    def settled(self, receipt: Receipt) -> Receipt:
        """Reads a delivery and stores what came of it; rows first, the receipt last.

        Raises :class:`DamagedError` where it is read by the same rules as before and is not what it was then: what a
        receipt says of rows that were lost is never made to fit what else can be had.
        """
        intake = self.read(receipt)
        tables = (intake.accepted, intake.rejected, intake.findings, intake.remarks, intake.furniture_rows)
        by_layer = dict(zip(lake.LAYERS, tables, strict=True))
        mends, fingerprint = self.mended_by(receipt), self.fingerprint(receipt)
        if fingerprint == receipt.fingerprint and receipt.rows_sha256:
            read = {layer: sha256_bytes(lake.table_bytes(table)) for layer, table in by_layer.items() if table.num_rows}
            if read != receipt.rows_sha256:
                again = f"đọc lại không ra đúng các dòng mà biên nhận {receipt.delivery_id}.json ghi"
                raise DamagedError(f"{self.original(receipt)} {again}")
        hashes: dict[str, str] = {}
        for layer, table in by_layer.items():
            hashes |= lake.write_rows(self.paths, layer, _place(receipt), table)
        settled = replace(
            receipt,
            outcome=intake.outcome,
            fingerprint=fingerprint,
            beginning_of=self.beginning_of(receipt),
            rows_read=intake.rows_read,
            rows_accepted=intake.accepted.num_rows,
            rows_rejected=intake.rows_rejected,
            rows_with_findings=intake.rows_with_findings,
            columns_mapped=intake.columns_mapped,
            unknown_columns=intake.unknown_columns,
            furniture=intake.furniture,
            message_vi=intake.message_vi,
            refusal=intake.refusal,
            reporting_window_from=intake.window[0].isoformat() if intake.window else None,
            reporting_window_to=intake.window[1].isoformat() if intake.window else None,
            rows_sha256=hashes,
            mends=mends,
            mended=self.mended_rows(mends, receipt, intake) if mends else {},
        )
        ledger.write_receipt(self.paths, settled)
        return settled

    def mended_by(self, receipt: Receipt) -> str:
        """The delivery of the same folder whose rejection workbook this one is, mended or not; empty where none."""
        original = self.original(receipt)
        if original is None:
            return receipt.mends
        token = feedback.token_of(original) if suffix_of(receipt.file_name) == ".xlsx" else None
        answered = self.receipts.get((token or "").partition(" ")[0]) or self._answered_by_name(receipt)
        is_other = answered is not None and answered.folder == receipt.folder and answered is not receipt
        return answered.delivery_id if answered is not None and is_other else ""

    def _answered_by_name(self, receipt: Receipt) -> Receipt | None:
        """The delivery whose workbook this one is by its name: programs that keep no properties, and other formats,
        take its token away. None where several contents under the name had rows turned away: row numbers of one would
        be taken for those of another.
        """
        answered = {stem for a in receipt.arrivals if (stem := feedback.stem_of(a.file_name))}
        found = [
            r
            for r in self.receipts.values()
            if answered
            and r.folder == receipt.folder
            and _age(r) < _age(receipt)
            and (r.rows_rejected or not r.outcome)
            and any(feedback.stem_of(feedback.workbook_name(a.file_name)) in answered for a in r.arrivals)
        ]
        return found[0] if len(found) == 1 else None

    def mended_rows(self, mends: str, receipt: Receipt, intake: Intake) -> dict[str, list[int]]:
        """Rejected rows of the delivery ``mends`` that stand in this one too and were read there, by sheet."""
        original, context, answered = self.original(receipt), self.context(receipt.unit_code), self.receipts[mends]
        rejected = lake.read_rows(self.paths, "rejected", _place(answered), answered.rows_sha256)
        if original is None or context is None or rejected is None or not intake.rows_read:
            return {}
        read = {place for table in (intake.accepted, intake.rejected) for place in _rows_of(table)}
        back = read_row_origins(original, suffix_of(receipt.file_name), self.contract, context, self.limits)
        found: dict[str, list[int]] = {}
        for sheet, number in sorted({origin for place, origin in back.items() if place in read} & _rows_of(rejected)):
            found.setdefault(sheet, []).append(number)
        return found

    def original(self, receipt: Receipt) -> Path | None:
        """The kept original, under any suffix with which the content arrived."""
        places = (original_path(self.paths, receipt.sha256, a.file_name) for a in receipt.arrivals)
        return next((p for p in places if p.exists()), None)

    def read(self, receipt: Receipt) -> Intake:
        """What a delivery comes to, by whomever it is read. Raises as :meth:`Reading.make`."""
        elsewhere = self._read_elsewhere.pop(receipt.delivery_id, None)
        if isinstance(elsewhere, Exception):
            raise elsewhere
        if elsewhere is not None:
            return elsewhere
        reading = self.reading(receipt)
        return reading if isinstance(reading, Intake) else reading.make()

    def reading(self, receipt: Receipt) -> Reading | Intake:
        """All that the reading of a delivery follows from; its refusal where nothing of it needs to be read.

        Raises :class:`DamagedError` where an original that is looked at here is not what was taken in.
        """
        context, original = self.context(receipt.unit_code), self.original(receipt)
        if original is not None and (context is None or receipt.size_bytes == 0 or self.signers is not None):
            whole(original, receipt.sha256)
        if context is None:
            day = f"{self.period.closes_on:%d/%m/%Y}"
            return refused(
                self.contract, f"Đơn vị mang mã {receipt.unit_code} không tồn tại vào ngày chốt số liệu {day}."
            )
        if receipt.size_bytes == 0:
            return refused(self.contract, "Tệp rỗng (0 byte). Nộp lại tệp.")
        assert original is not None, "a delivery without a fingerprint has just been copied"
        if self.signers is not None:
            why = self.signers.why_not(receipt.unit_code, receipt.file_name, original, receipt.signature)
            if why is not None:
                return refused(self.contract, why, code=NOT_SIGNED)
        identity = FileIdentity(
            receipt.delivery_id, receipt.source, receipt.unit_code, receipt.quarter, receipt.file_name, receipt.sha256
        )
        return Reading(
            original,
            suffix_of(receipt.file_name),
            identity,
            self.contract,
            context,
            self.limits,
            CompletenessEvidence(receipt.declared_rows, bool(self.beginning_of(receipt))),
        )

    def beginning_of(self, receipt: Receipt) -> str:
        """The earlier version of the file that goes on where this one ends, if any; looked for once a run."""
        if receipt.delivery_id not in self._beginnings:
            self._beginnings[receipt.delivery_id] = self._beginning_of(receipt)
        return self._beginnings[receipt.delivery_id]

    def _beginning_of(self, receipt: Receipt) -> str:
        mine = self.original(receipt)
        for longer in ledger.longer_before(receipt, self._by_folder[receipt.folder]):
            theirs = self.original(longer)
            if mine is None or theirs is None:  # purged: what was found while both were there still holds
                if receipt.beginning_of == longer.delivery_id:
                    return longer.delivery_id
            elif extends(theirs, mine):
                return longer.delivery_id
        return ""

    def fingerprint(self, receipt: Receipt) -> str:
        """What the reading of a delivery depends on, besides its content."""
        context = self.context(receipt.unit_code)
        parts = [
            str(INGEST_VERSION),
            self.contract.model_dump_json(),
            context.digest() if context else "no unit",
            receipt.file_name,
            f"{receipt.declared_rows} {self.limits.csv_needs_proof} {self.beginning_of(receipt)}",
        ]
        if self.signers is not None:
            parts += [self.signers.digest(receipt.unit_code), receipt.signature]
        if mends := self.mended_by(receipt):
            parts.append(self.fingerprint(self.receipts[mends]))
        return sha256_bytes("\n".join(parts).encode())

    def return_rejections(self, units: frozenset[str] | None, mended: ledger.MendedRows) -> list[LandingProblem]:
        """Makes the clerk's workbooks those of the current deliveries: written where missing or outdated, else gone.

        A workbook that a stopped run did not get to write, or whose delivery counts again, is made from the original.
        One that cannot be written is a problem of its own; the next run writes it.
        """
        problems: list[LandingProblem] = []
        wanted: dict[Path, set[str]] = {
            feedback.folder_of(self.paths, r.unit_code, r.quarter, r.source): set()
            for r in self.receipts_in_scope(units)
        }
        for d in ledger.answered(self.paths, quarters=[self.period.quarter], source=self.contract.source):
            folder = feedback.folder_of(self.paths, d["unit_code"], d["quarter"], d["source"])
            if folder in wanted and (d["outcome"] == "refused" or d["rows_rejected"] > d["rows_mended"]):
                path = folder / feedback.workbook_name(d["file_name"])
                wanted[folder].add(path.name)
                back = {(sheet, n) for sheet, rows in mended.get(d["delivery_id"], {}).items() for n in rows}
                token = " ".join(
                    [d["delivery_id"], d["fingerprint"], feedback.LOOKS, *([_digest(back)] if back else [])]
                )
                try:
                    if feedback.token_of(path) != token and (answer := self._answer_to(d, back)):
                        outbox.write(self.paths, path, feedback.workbook_bytes(answer, token))
                except DamagedError as error:
                    problems.append(storage_problem(d["path"], error))
                except OSError:
                    message = "Không ghi được bảng tính các dòng bị trả lại; sẽ ghi lại ở lần chạy sau."
                    problems.append(LandingProblem(d["path"], "not_returned", message))
        for folder, names in wanted.items():
            feedback.remove_all_but(folder, names)
        return problems

    def _answer_to(self, delivery: dict[str, Any], mended: set[tuple[str, int]]) -> feedback.Answer | None:
        """What the clerk is told about a delivery; None where the original is gone: the answer went with it.

        Rows that were ``mended`` (sheet, row) are not asked for again.
        """
        receipt = self.receipts[delivery["delivery_id"]]
        original, context = self.original(receipt), self.context(receipt.unit_code)
        left = receipt.rows_rejected - len(mended)
        contract = self.contract.as_of(self.period.closes_on)
        answer = feedback.Answer(contract, receipt.unit_code, receipt.quarter, delivery["file_name"], left)
        if original is None:
            return None
        if receipt.outcome == "refused" or context is None:
            return replace(answer, message_vi=receipt.message_vi)
        rejected = lake.read_rows(self.paths, "rejected", _place(receipt), receipt.rows_sha256)
        if rejected is None:
            return None
        if mended:
            places = zip(rejected["_sheet"].to_pylist(), rejected["_row"].to_pylist(), strict=True)
            rejected = rejected.filter(pa.array([place not in mended for place in places]))
        try:
            suffix = suffix_of(receipt.file_name)
            original = whole(original, receipt.sha256)
            sheets = read_returned(original, suffix, contract, context, rejected, self.limits)
        except UnreadableFileError:  # read once, but not within its limits a second time: the reasons are worth having
            sheets = sheets_without_cells(rejected)
        fields = template_fields(contract, self.period, context)
        return replace(answer, sheets=sheets, reasons=feedback.reasons_by_row(rejected), fields=tuple(fields))

    # ------------------------------------------------------------------------------------------------------ registers

    def context(self, unit_code: str) -> Context | None:
        """What decides how this unit's deliveries are read; None where the code names no unit at the closing."""
        if unit_code not in self._contexts:
            self._contexts[unit_code] = self._context(unit_code)
        return self._contexts[unit_code]

    def _context(self, unit_code: str) -> Context | None:
        closing = self.period.closes_on
        folder_unit = self.reference.sender(unit_code, closing)
        is_superior = self.reference.is_superior(unit_code, closing)
        reporting = folder_unit if is_superior else self.reference.reporting_unit(unit_code, closing)
        if folder_unit is None or reporting is None:
            return None
        depends_on = self.contract.depends_on
        org_units = (
            self._org_units(reporting, only_departments=self.contract.names_departments)
            if ("org_units" in depends_on)
            else []
        )
        procedures = self._procedures(reporting) if "procedure_catalogue" in depends_on else []
        parts = self.reference.parts_of(reporting.code, closing)
        return Context(
            self.reference.window_of(reporting, self.period),
            folder_unit,
            UnitRegistry(
                reporting,
                parts,
                org_units,
                self.reference.superior(reporting, closing),
                self.reference.predecessors(reporting, closing) if self.contract.names_units_before else (),
                self.reference.portals if self.contract.names_units else None,
                closing,
                self.reference.below(reporting, closing) if is_superior else (),
                only_listed=self.contract.names_departments,
            ),
            ProcedureRegistry(procedures),
            tuple(org_units),
            self.secret_key,
            self.reference.form_rows_of(reporting, closing) if self.contract.speaks_of_the_form else (),
            SUPERIOR if is_superior else REPORTING_UNIT,
        )

    def _registers(self, source: str, reporting: AdminUnit) -> list[dict[str, Any]]:
        """Deliveries of a register by the reporting unit, of this quarter and earlier ones."""
        return [
            d
            for d in self._registers_of.get((source, reporting.code), ())
            if place_of(d["quarter"]) <= place_of(self.period.quarter)
        ]

    def register_quarter(self, source: str, reporting: AdminUnit) -> str | None:
        """The quarter of whose folder a register is taken: this one, else the latest earlier one that has any."""
        found = self._registers(source, reporting)
        return max((str(d["quarter"]) for d in found), key=place_of, default=None)

    def _register_rows(self, source: str, reporting: AdminUnit) -> list[dict[str, Any]]:
        """A register's rows of the reporting unit: of this quarter, else of the latest earlier one that has any."""
        found = self._registers(source, reporting)
        latest = self.register_quarter(source, reporting)
        rows: list[dict[str, Any]] = []
        for d in sorted((d for d in found if d["quarter"] == latest), key=lambda d: d["delivery_id"]):
            receipt = self.receipts[d["delivery_id"]]
            found_rows = lake.read_rows(self.paths, "lake", _place(receipt), receipt.rows_sha256)
            rows += found_rows.to_pylist() if found_rows is not None else []
        return rows

    def _org_units(self, reporting: AdminUnit, *, only_departments: bool = False) -> list[UnitEntry]:
        """The units of the register that were in being within the period; of departments those at its end."""
        since = self.period.closes_on if only_departments else self.period.opens_on
        entries = {
            UnitEntry(row["unit_code"], row["name"], tuple(_split_names(row["short_names"])), row["parent_code"])
            for row in self._register_rows("org_units", reporting)
            if row["valid_from"] <= self.period.closes_on
            and (row["valid_to"] is None or row["valid_to"] >= since)
            and (row["unit_type"] == _DEPARTMENT or not only_departments)
        }
        return sorted(entries)

    def _procedures(self, reporting: AdminUnit) -> list[ProcedureEntry]:
        return [
            ProcedureEntry(row["procedure_code"], row["procedure_name"], row["valid_from"], row["ended_on"])
            for row in self._register_rows("procedure_catalogue", reporting)
        ]


def _batches(receipts: Iterable[Receipt]) -> Iterator[list[Receipt]]:
    """The receipts in their order, as many together as may be held at once."""
    batch: list[Receipt] = []
    size = 0
    for receipt in receipts:
        if batch and size + receipt.size_bytes > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(receipt)
        size += receipt.size_bytes
    if batch:
        yield batch


def _place(receipt: Receipt) -> tuple[str, str, str, str]:
    return receipt.source, receipt.quarter, receipt.unit_code, receipt.delivery_id


def _rows_of(table: pa.Table) -> set[tuple[str, int]]:
    """Sheet and number of each row."""
    return set(zip(table["_sheet"].to_pylist(), table["_row"].to_pylist(), strict=True))


def _age(receipt: Receipt) -> tuple[int, int, str]:
    """An order in which a delivery comes before the workbook made of it, also where both were first seen together."""
    return receipt.arrivals[0].first_seen, len(receipt.file_name), receipt.delivery_id


def _digest(places: set[tuple[str, int]]) -> str:
    return sha256_bytes(repr(sorted(places)).encode())[:16]


def _split_names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(";") if name.strip()]


def _without_mended(report: DeliveryReport, mended: ledger.MendedRows) -> DeliveryReport:
    """The report of what is still turned away: rows that came back mended are read and taken in another delivery."""
    back = sum(map(len, mended.get(report.delivery_id, {}).values()))
    return replace(report, rows_read=report.rows_read - back, rows_rejected=report.rows_rejected - back)


def _report(receipt: Receipt, *, was_read: bool) -> DeliveryReport:
    return DeliveryReport(
        receipt.delivery_id,
        receipt.unit_code,
        receipt.quarter,
        receipt.source,
        receipt.file_name,
        receipt.outcome,
        receipt.rows_read,
        receipt.rows_accepted,
        receipt.rows_rejected,
        receipt.rows_with_findings,
        receipt.message_vi,
        was_read,
    )


__all__ = [
    "DeliveryReport",
    "IngestReport",
    "Reader",
    "departments_of",
    "ingest_quarter",
    "ingest_quarters",
    "ingest_source",
    "reading_again",
    "reading_context",
    "source_order",
]

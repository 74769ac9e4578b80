"""One delivery tried out: what would become of it, with nothing kept.

Belongs here: a scratch home with the registers a source needs. Does not belong here: any rule of its own; the file goes
through the same ingestion as a delivery, so the outcome is the same.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from common.periods import in_order, place_of
from ingestion.base.contracts import Contract, load_contracts
from ingestion.base.lake import read_rows
from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits
from ingestion.base.paths import IngestPaths
from ingestion.base.reference import AdminUnit, ReferenceData
from ingestion.clerk import feedback
from ingestion.clerk.prose_template import text_template
from ingestion.clerk.templates import template_bytes
from ingestion.deliveries import ledger
from ingestion.deliveries.signatures import Signers
from ingestion.engine import ingest_source, reading_context

NOT_A_DELIVERY = "not_a_delivery"


@dataclass(frozen=True)
class CheckedFile:
    """What would become of a file.

    ``rejections`` and ``findings`` are records as in the raw layer, and so is ``accepted``, of sources whose rows are
    asked for; ``workbook`` is what would go back to the clerk, None where nothing would.
    """

    source: str
    unit_code: str
    quarter: str
    file_name: str
    outcome: str
    message_vi: str
    rows_read: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_with_findings: int = 0
    unknown_columns: tuple[str, ...] = ()
    rejections: tuple[dict[str, Any], ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    workbook: bytes | None = None
    accepted: tuple[dict[str, Any], ...] = ()

    @property
    def would_be_taken(self) -> bool:
        """Whether the file would be taken in whole."""
        return self.outcome in ("accepted", "nothing_to_report")


def check_file(
    paths: IngestPaths,
    source: str,
    path: Path,
    unit_code: str,
    quarter: str,
    *,
    reference: ReferenceData,
    limits: IntakeLimits = DEFAULT_LIMITS,
    signers: Signers | None = None,
    with_rows: bool = False,
) -> CheckedFile:
    """Tries a file as a delivery of the unit and quarter, against the registers that were delivered to this home.

    Raises ``KeyError`` for an unknown source or quarter and ``OSError`` where the file cannot be copied.
    """
    contract = load_contracts()[source]
    # A key of the moment: nobody is ever looked up by what it makes.
    secret_key = secrets.token_bytes(32)
    with _scratch(paths, contract, unit_code, quarter, reference, secret_key) as scratch:
        folder = scratch.landing / unit_code / quarter / source
        folder.mkdir(parents=True)
        for file in _with_companions(path):
            shutil.copy2(file, folder / file.name)
        report = ingest_source(
            scratch,
            source,
            quarter,
            units=[unit_code],
            reference=reference,
            secret_key=secret_key,
            limits=limits,
            signers=signers,
        )
        mine = [d for d in ledger.read_deliveries(scratch).to_pylist() if d["source"] == source]
        if not mine:
            message = " ".join(p.message_vi for p in report.problems) or "Không phải tệp nộp số liệu."
            return CheckedFile(source, unit_code, quarter, path.name, NOT_A_DELIVERY, message)
        (found,) = mine
        workbook = feedback.folder_of(scratch, unit_code, quarter, source) / feedback.workbook_name(path.name)
        return CheckedFile(
            source,
            unit_code,
            quarter,
            path.name,
            found["outcome"],
            found["message_vi"],
            found["rows_read"],
            found["rows_accepted"],
            found["rows_rejected"],
            found["rows_with_findings"],
            tuple(found["unknown_columns"]),
            _records(scratch, "rejected", found),
            _records(scratch, "findings", found),
            workbook.read_bytes() if workbook.exists() else None,
            _records(scratch, "lake", found) if with_rows else (),
        )


def write_template(
    paths: IngestPaths,
    source: str,
    unit_code: str | None,
    quarter: str | None,
    *,
    reference: ReferenceData,
    as_text: bool = False,
) -> bytes:
    """A template of the source; for a unit and quarter, with the names that were delivered to this home and filled with
    what the unit's current deliveries of the period before say, where it is a workbook.

    A workbook, or a text to write into (``as_text``). Raises ``ValueError`` where the source takes no running text.
    """
    contract = load_contracts()[source]
    period = reference.periods[quarter] if quarter else None
    if unit_code is None or quarter is None or period is None:
        return text_template(contract, period) if as_text else template_bytes(contract, period)
    secret_key = secrets.token_bytes(32)
    with _scratch(paths, contract, unit_code, quarter, reference, secret_key) as scratch:
        context = reading_context(scratch, contract, unit_code, quarter, reference)
        if as_text:
            return text_template(contract, period, context)
        return template_bytes(
            contract, period, context, _last_rows(paths, contract, unit_code, period.previous_quarter)
        )


def _last_rows(paths: IngestPaths, contract: Contract, unit_code: str, quarter: str) -> list[dict[str, Any]]:
    """The accepted rows of the unit's current deliveries of a period, in the order of the deliveries.

    Raises :class:`DamagedError` where they are not those that were taken in.
    """
    if not contract.carried_over and contract.form_row is None:
        return []
    receipts = ledger.read_receipts(paths)
    rows: list[dict[str, Any]] = []
    for d in ledger.current(paths):
        if (d["source"], d["unit_code"], d["quarter"]) == (contract.source, unit_code, quarter):
            place = (d["source"], d["quarter"], d["unit_code"], d["delivery_id"])
            found = read_rows(paths, "lake", place, receipts[d["delivery_id"]].rows_sha256)
            rows += found.to_pylist() if found is not None else []
    return rows


def _with_companions(path: Path) -> list[Path]:
    """The file with what lies beside it: the note with which a sender says that it is complete, and its signature."""
    beside = (path.with_name(f"{path.name}{suffix}") for suffix in (".done", ".minisig"))
    return [path, *(found for found in beside if found.is_file())]


def _records(paths: IngestPaths, layer: str, delivery: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    file = paths.rows_file(
        layer, delivery["source"], delivery["quarter"], delivery["unit_code"], delivery["delivery_id"]
    )
    return tuple(pq.ParquetFile(file).read().to_pylist()) if file.exists() else ()


@contextmanager
def _scratch(
    paths: IngestPaths,
    contract: Contract,
    unit_code: str,
    quarter: str,
    reference: ReferenceData,
    secret_key: bytes,
) -> Iterator[IngestPaths]:
    """A home for one file, readable by its owner only and gone afterwards, with the registers the contract needs."""
    with tempfile.TemporaryDirectory(prefix="cchc-") as name:
        root = Path(name)
        scratch = IngestPaths(root / "landing", root / "raw", root / "outbox")
        closing = reference.periods[quarter].closes_on
        is_superior = reference.is_superior(unit_code, closing)  # which reports by nobody's form, and has own registers
        reporting = (
            reference.sender(unit_code, closing) if is_superior else reference.reporting_unit(unit_code, closing)
        )
        if reporting is not None:
            for register in contract.depends_on:
                _bring(paths, scratch, register, reporting, quarter, reference, secret_key)
        yield scratch


def _bring(
    paths: IngestPaths,
    scratch: IngestPaths,
    register: str,
    reporting: AdminUnit,
    quarter: str,
    reference: ReferenceData,
    secret_key: bytes,
) -> None:
    """Brings a register as the home knows it, then what has been delivered of it since."""
    for receipt in ledger.read_receipts(paths).values():
        if (receipt.source, receipt.unit_code) == (register, reporting.code):
            ledger.write_receipt(scratch, receipt)
            place = (register, receipt.quarter, receipt.unit_code, receipt.delivery_id)
            rows = paths.rows_file("lake", *place)
            if rows.exists():
                target = scratch.rows_file("lake", *place)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(rows, target)
    landed = in_order(
        folder.parent.name
        for folder in paths.landing.glob(f"{reporting.code}/*/{register}")
        if folder.parent.name in reference.periods and place_of(folder.parent.name) <= place_of(quarter)
    )
    for name in landed[-1:] or [quarter]:
        ingest_source(
            IngestPaths(paths.landing, scratch.raw, scratch.outbox),
            register,
            name,
            units=[reporting.code],
            reference=reference,
            secret_key=secret_key,
        )


__all__ = ["CheckedFile", "check_file", "write_template"]

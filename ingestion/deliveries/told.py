"""What a unit is told of each of its deliveries: what was read, taken and turned away, why, and where its rows lie.

Belongs here: putting receipts, reasons and rejection workbooks together, a delivery at a time. Does not belong here:
words for people beyond those that intake found (orchestration writes the receipt), reading files.

Reasons are told without the cells that they are about: a receipt outlives what was delivered.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingestion.base import lake
from ingestion.base.contracts import Contract, load_contracts
from ingestion.base.paths import IngestPaths
from ingestion.clerk import feedback
from ingestion.deliveries import ledger

_ROWS_NAMED = 8
_HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class ToldFault:
    """One kind of fault: the column's title (empty where it is about the row), why, what to do, how many rows have it,
    and the first of them as (sheet, row number).
    """

    column_vi: str
    reason_vi: str
    advice_vi: str
    rows: int
    places: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ToldDelivery:
    """One delivery. ``outcome`` and ``refusal`` as in the receipt; ``rows_rejected`` are those still turned away,
    ``rows_mended`` came back mended. ``replaced``: a later version counts; ``passed_over``: an earlier one does.
    ``workbook`` is the rejection workbook, None where none lies in the outbox.
    """

    source: str
    file_name: str
    delivered_at: dt.datetime
    outcome: str
    refusal: str
    replaced: bool
    passed_over: bool
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_mended: int
    rows_with_findings: int
    message_vi: str
    note_vi: str
    unknown_columns: tuple[str, ...]
    faults: tuple[ToldFault, ...]
    findings: tuple[ToldFault, ...]
    workbook: Path | None


def told_deliveries(paths: IngestPaths, quarter: str) -> dict[str, tuple[ToldDelivery, ...]]:
    """All deliveries of a quarter's folders that were read, by unit, in the order in which they came.

    Raises :class:`ingestion.DamagedError` where the table of deliveries or rows cannot be read.
    """
    contracts = load_contracts()
    mended = ledger.mended_rows(paths)
    receipts = ledger.read_receipts(paths)
    found: dict[str, list[ToldDelivery]] = defaultdict(list)
    rows = ledger.delivery_rows(paths, quarters=[quarter])
    for d in sorted(rows, key=lambda d: (d["source"], d["delivery_rank"])):
        contract = contracts.get(d["source"])
        back = {(sheet, n) for sheet, numbers in mended.get(d["delivery_id"], {}).items() for n in numbers}
        owed = d["superseded_by"] is None
        place = (d["source"], d["quarter"], d["unit_code"], d["delivery_id"])
        hashes = receipts[d["delivery_id"]].rows_sha256 if d["delivery_id"] in receipts else {}
        reasons = {
            layer: faults_of(_records(lake.read_rows(paths, layer, place, hashes), back), contract)
            for layer in ("rejected", "findings")
            if owed and contract is not None
        }
        found[d["unit_code"]].append(
            ToldDelivery(
                d["source"],
                d["file_name"],
                d["delivered_at"],
                d["outcome"],
                d["refusal"],
                d["superseded_by"] is not None,
                d["counts_instead"] is not None,
                d["rows_read"],
                d["rows_accepted"],
                d["rows_rejected"] - d["rows_mended"],
                d["rows_mended"],
                d["rows_with_findings"],
                d["message_vi"],
                d["note_vi"],
                tuple(d["unknown_columns"]),
                reasons.get("rejected", ()),
                reasons.get("findings", ()),
                _workbook(paths, d) if owed else None,
            )
        )
    return {unit: tuple(told) for unit, told in found.items()}


def _workbook(paths: IngestPaths, d: dict[str, Any]) -> Path | None:
    folder = feedback.folder_of(paths, d["unit_code"], d["quarter"], d["source"])
    path = folder / feedback.workbook_name(d["file_name"])
    return path if path.is_file() else None


def _records(table: pa.Table | None, mended: Collection[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    """Records of a layer, without those of rows that came back mended; a part at a time: there may be millions."""
    if table is None:
        return
    wanted = table.select(["_sheet", "_row", "column", "value", "reason_code", "reason_vi", "advice_vi"])
    for batch in wanted.to_batches(max_chunksize=10_000):
        yield from (r for r in batch.to_pylist() if (r["_sheet"], r["_row"]) not in mended)


def faults_of(records: Iterable[dict[str, Any]], contract: Contract) -> tuple[ToldFault, ...]:
    """The reasons of records as in ``raw/rejected`` or ``raw/findings`` (in the order of the file), each kind once, the
    most frequent first; the words are those of the first row that has it.
    """
    titles = {column.name: column.title_vi for column in contract.columns}
    first: dict[tuple[str, str], dict[str, Any]] = {}
    last: dict[tuple[str, str], tuple[str, int]] = {}
    rows: Counter[tuple[str, str]] = Counter()
    places: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for record in records:
        kind, place = (record["column"], record["reason_code"]), (record["_sheet"], record["_row"])
        first.setdefault(kind, record)
        if last.get(kind) != place:
            rows[kind] += 1
            last[kind] = place
            if len(places[kind]) < _ROWS_NAMED:
                places[kind].append(place)
    return tuple(
        ToldFault(
            titles.get(kind[0], ""),
            _without_cell(first[kind]["reason_vi"], first[kind]["value"]),
            _without_cell(first[kind]["advice_vi"], first[kind]["value"]),
            count,
            tuple(places[kind]),
        )
        for kind, count in rows.most_common()
    )


def _without_cell(text: str, value: str | None) -> str:
    return text.replace(f"“{value}”", f"“{_HIDDEN}”") if value else text


__all__ = ["ToldDelivery", "ToldFault", "faults_of", "told_deliveries"]

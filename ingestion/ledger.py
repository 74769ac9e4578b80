"""Receipts: which file arrived where and when, what became of it, and which delivery counts now.

Belongs here: the receipts and everything that follows from them (versions, current deliveries, the inputs of a
candidate). Does not belong here: reading files. A receipt's facts stay; an arrival is added, and a re-reading
replaces only what the reading found. Everything else, ``deliveries.parquet`` too, is derived.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.delivery_log import Replacement, replacements
from ingestion.lake import write_atomically, write_table
from ingestion.paths import IngestPaths

DELIVERIES_SCHEMA = pa.schema(
    [
        ("delivery_id", pa.string()),
        ("source", pa.string()),
        ("unit_code", pa.string()),
        ("quarter", pa.string()),
        ("file_name", pa.string()),
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("size_bytes", pa.int64()),
        ("delivered_at", pa.timestamp("us")),
        ("version", pa.int32()),
        ("outcome", pa.string()),
        ("is_current", pa.bool_()),
        ("superseded_by", pa.string()),
        ("rows_read", pa.int64()),
        ("rows_accepted", pa.int64()),
        ("rows_rejected", pa.int64()),
        ("rows_with_findings", pa.int64()),
        ("columns_mapped", pa.list_(pa.string())),
        ("unknown_columns", pa.list_(pa.string())),
        ("reporting_window_from", pa.date32()),
        ("reporting_window_to", pa.date32()),
        ("fingerprint", pa.string()),
        ("message_vi", pa.string()),
        ("refusal", pa.string()),
        ("note_vi", pa.string()),
    ]
)
# Why a file is refused that could be read but lies in the folder of another quarter or unit.
HELD = frozenset({"wrong_quarter", "wrong_unit"})
_INPUT_FIELDS = ("delivery_id", "source", "unit_code", "quarter", "file_name", "sha256", "fingerprint", "outcome")


def delivery_id(unit_code: str, quarter: str, source: str, sha256: str) -> str:
    """Identity of a delivery: the same content in the same folder is the same delivery under any name."""
    return hashlib.sha256(f"{unit_code}|{quarter}|{source}|{sha256}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    """The content was seen under this name, last changed at this local time (ISO, seconds)."""

    delivered_at: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of one delivery.

    ``beginning_of`` is the earlier delivery under the same name that goes on where this one ends, where there is one.
    """

    delivery_id: str
    source: str
    unit_code: str
    quarter: str
    sha256: str
    size_bytes: int
    arrivals: tuple[Arrival, ...]
    outcome: str = ""
    fingerprint: str = ""
    rows_read: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_with_findings: int = 0
    columns_mapped: tuple[str, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    reporting_window_from: str | None = None
    reporting_window_to: str | None = None
    furniture: dict[str, int] = field(default_factory=dict)
    message_vi: str = ""
    refusal: str = ""
    declared_rows: int | None = None
    beginning_of: str = ""

    @property
    def file_name(self) -> str:
        """The name under which the content first arrived."""
        return self.arrivals[0].file_name

    def with_arrival(self, arrival: Arrival) -> Receipt:
        return replace(self, arrivals=tuple(sorted({*self.arrivals, arrival})))


def _receipt(data: dict[str, Any]) -> Receipt:
    arrivals = tuple(Arrival(**a) for a in data.pop("arrivals"))
    mapped, unknown = tuple(data.pop("columns_mapped")), tuple(data.pop("unknown_columns"))
    return Receipt(arrivals=arrivals, columns_mapped=mapped, unknown_columns=unknown, **data)


def write_receipt(paths: IngestPaths, receipt: Receipt) -> None:
    text = json.dumps(asdict(receipt), ensure_ascii=False, sort_keys=True, indent=1)
    write_atomically(paths.ledger / f"{receipt.delivery_id}.json", text.encode())


def read_receipts(paths: IngestPaths) -> dict[str, Receipt]:
    """All receipts by delivery id, in the order of the ids."""
    return {
        p.stem: _receipt(json.loads(p.read_text(encoding="utf-8"))) for p in sorted(paths.ledger.glob("[!.]*.json"))
    }


def longer_before(receipt: Receipt, receipts: Iterable[Receipt]) -> list[Receipt]:
    """Larger contents that lay under a name of this delivery before it did, by id."""
    mine = {(a.file_name, (a.delivered_at, receipt.sha256)) for a in receipt.arrivals}
    return sorted(
        (
            r
            for r in receipts
            if (r.unit_code, r.quarter, r.source) == (receipt.unit_code, receipt.quarter, receipt.source)
            and r.size_bytes > receipt.size_bytes
            and any(a.file_name == name and (a.delivered_at, r.sha256) < at for a in r.arrivals for name, at in mine)
        ),
        key=lambda r: r.delivery_id,
    )


@contextmanager
def locked(paths: IngestPaths) -> Iterator[None]:
    """Holds the raw layer's lock: one process at a time rebuilds the table of deliveries."""
    paths.raw.mkdir(parents=True, exist_ok=True)
    with paths.lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of a path: from when on, under what name, and which delivery followed."""

    delivered_at: str
    file_name: str
    path: str
    version: int
    superseded_by: str | None


def _versions(receipts: Iterable[Receipt], said: Iterable[Replacement]) -> dict[str, list[_Version]]:
    """Versions by delivery. Arrivals of a path are ordered by (delivered_at, sha256); repeated content is no new
    version. The last version of a path is superseded where a delivery log says that another path takes its place.
    """
    by_path: dict[str, list[tuple[str, str, str, str]]] = defaultdict(list)
    for r in receipts:
        for a in r.arrivals:
            path = _path(r.unit_code, r.quarter, r.source, a.file_name)
            by_path[path].append((a.delivered_at, r.sha256, r.delivery_id, a.file_name))
    successor = _successors(by_path, said)
    result: dict[str, list[_Version]] = defaultdict(list)
    for path, arrivals in by_path.items():
        ordered = sorted(arrivals)
        runs = [a for i, a in enumerate(ordered) if i == 0 or ordered[i - 1][2] != a[2]]
        for i, (delivered_at, _, identity, file_name) in enumerate(runs):
            following: str | None = None
            if i + 1 < len(runs):
                following = runs[i + 1][2]
            elif path in successor:
                following = max(by_path[successor[path]])[2]
            result[identity].append(_Version(delivered_at, file_name, path, i + 1, following))
    return result


def _path(unit_code: str, quarter: str, source: str, file_name: str) -> str:
    return f"{unit_code}/{quarter}/{source}/{file_name}"


def _successors(paths: Iterable[str], said: Iterable[Replacement]) -> dict[str, str]:
    """For each path that is replaced by one that has arrived, the path that counts in its stead.

    Names agree in any Unicode form. Where several files replace one, the last by name does; files that replace each
    other in a circle replace nothing.
    """
    known = {unicodedata.normalize("NFC", path): path for path in sorted(paths)}
    direct: dict[str, str] = {}
    for r in sorted(said):
        old, new = (
            known.get(unicodedata.normalize("NFC", _path(r.unit_code, r.quarter, r.source, name)))
            for name in (r.replaces, r.file_name)
        )
        if old is not None and new is not None:
            direct[old] = new
    found: dict[str, str] = {}
    for path in direct:
        way = [path]
        while way[-1] in direct and direct[way[-1]] not in way:
            way.append(direct[way[-1]])
        if way[-1] not in direct:
            found[path] = way[-1]
    return found


def deliveries_table(receipts: Iterable[Receipt], said: Iterable[Replacement] = ()) -> pa.Table:
    """All deliveries that were read, as one table, ordered by delivery id.

    A delivery is current where it is the last version of one of its paths and no log says that the path is replaced.
    Where it holds several paths it is shown under the current one that it held first.
    """
    receipts = sorted((r for r in receipts if r.outcome), key=lambda r: r.delivery_id)
    versions = _versions(receipts, said)
    shown = {r.delivery_id: _shown(versions[r.delivery_id]) for r in receipts}
    elsewhere = _same_content(receipts, shown)
    rows = []
    for r in receipts:
        at = shown[r.delivery_id]
        row = {name: getattr(r, name) for name in DELIVERIES_SCHEMA.names if hasattr(r, name)}
        row |= {
            "file_name": at.file_name,
            "path": at.path,
            "version": at.version,
            "is_current": at.superseded_by is None,
            "delivered_at": dt.datetime.fromisoformat(at.delivered_at),
            "superseded_by": at.superseded_by,
            "columns_mapped": list(r.columns_mapped),
            "unknown_columns": list(r.unknown_columns),
            "note_vi": " ".join([*_copies(at, versions[r.delivery_id]), *elsewhere[r.delivery_id]]),
        }
        for name in ("reporting_window_from", "reporting_window_to"):
            row[name] = dt.date.fromisoformat(row[name]) if row[name] else None
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=DELIVERIES_SCHEMA)


def _shown(versions: list[_Version]) -> _Version:
    current = [v for v in versions if v.superseded_by is None]
    if current:
        return min(current, key=lambda v: (v.delivered_at, v.file_name))
    return max(versions, key=lambda v: (v.delivered_at, v.file_name))


def _copies(shown: _Version, versions: list[_Version]) -> list[str]:
    """Says under which other names the same content lies in the folder."""
    names = sorted({v.file_name for v in versions if v.superseded_by is None} - {shown.file_name})
    return [f"Tệp “{name}” có cùng nội dung nên không tính thêm." for name in names]


def _same_content(receipts: Iterable[Receipt], shown: dict[str, _Version]) -> dict[str, list[str]]:
    """Says in which other folders the content of a delivery with rows was delivered too."""
    by_content: dict[str, list[Receipt]] = defaultdict(list)
    for r in receipts:
        if shown[r.delivery_id].superseded_by is None and r.rows_read:
            by_content[r.sha256].append(r)
    notes: dict[str, list[str]] = defaultdict(list)
    for found in by_content.values():
        for r in found:
            others = sorted(shown[o.delivery_id].path for o in found if o is not r)
            notes[r.delivery_id] = [f"Nội dung giống hệt tệp “{path}” ở thư mục khác." for path in others]
    return notes


def rebuild_deliveries(paths: IngestPaths) -> pa.Table:
    """Rebuilds ``raw/deliveries.parquet`` from the receipts and returns it."""
    with locked(paths):
        table = deliveries_table(read_receipts(paths).values(), replacements(paths))
        if not paths.deliveries.exists() or pq.read_table(paths.deliveries) != table:
            write_table(paths.deliveries, table)
    return table


def deliveries(paths: IngestPaths) -> pa.Table:
    """All deliveries (see ``docs/architecture.md``); zero rows where nothing was ever ingested."""
    return pq.read_table(paths.deliveries) if paths.deliveries.exists() else DELIVERIES_SCHEMA.empty_table()


def current(paths: IngestPaths) -> list[dict[str, Any]]:
    """Current deliveries in their total order (delivered_at, file name, hash)."""
    rows = [d for d in deliveries(paths).to_pylist() if d["is_current"]]
    return sorted(rows, key=lambda d: (d["delivered_at"], d["file_name"], d["sha256"]))


def inputs(paths: IngestPaths, unit_codes: Iterable[str], quarters: Iterable[str]) -> list[dict[str, str]]:
    """Current deliveries in the folders of these units and quarters, as a candidate records them, by id."""
    units, windows = set(unit_codes), set(quarters)
    rows = [
        {name: d[name] for name in _INPUT_FIELDS}
        for d in current(paths)
        if d["unit_code"] in units and d["quarter"] in windows
    ]
    return sorted(rows, key=lambda d: d["delivery_id"])


def inputs_hash(rows: list[dict[str, str]]) -> str:
    """SHA-256 of the canonical JSON of :func:`inputs`."""
    text = json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """State of one source of one unit in one quarter.

    ``state`` is ``delivered``, ``nothing_to_report``, ``held`` (every file belongs elsewhere by its contents),
    ``refused`` or ``not_sent``; counts are over current deliveries, ``held`` and ``refused`` count files.
    ``delivered_from`` and ``delivered_to`` are the local times (ISO) of the first and the last current delivery.
    """

    unit_code: str
    quarter: str
    source: str
    state: str
    files: int
    rows_accepted: int
    rows_rejected: int
    messages_vi: tuple[str, ...]
    rows_with_findings: int = 0
    held: int = 0
    refused: int = 0
    superseded: int = 0
    delivered_from: str | None = None
    delivered_to: str | None = None


def status(paths: IngestPaths, unit_codes: Iterable[str], quarter: str, sources: Iterable[str]) -> list[SourceStatus]:
    """What each unit has sent of each source, in the order given."""
    by_place: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    rows = sorted(
        deliveries(paths).to_pylist(), key=lambda d: (d["delivered_at"], d["file_name"], d["sha256"], d["delivery_id"])
    )
    for d in rows:
        if d["quarter"] == quarter:
            by_place[d["unit_code"], d["source"]].append(d)
    names = list(sources)
    return [_status(unit, quarter, source, by_place[unit, source]) for unit in unit_codes for source in names]


def _status(unit: str, quarter: str, source: str, everything: list[dict[str, Any]]) -> SourceStatus:
    found = [d for d in everything if d["is_current"]]
    outcomes = {d["outcome"] for d in found}
    held = sum(d["refusal"] in HELD for d in found)
    refused = sum(d["outcome"] == "refused" for d in found) - held
    if outcomes & {"accepted", "partly_accepted"}:
        state = "delivered"
    elif "nothing_to_report" in outcomes:
        state = "nothing_to_report"
    elif refused:
        state = "refused"
    else:
        state = "held" if held else "not_sent"
    return SourceStatus(
        unit,
        quarter,
        source,
        state,
        len(found),
        sum(d["rows_accepted"] for d in found),
        sum(d["rows_rejected"] for d in found),
        tuple(text for d in found for text in (d["message_vi"], d["note_vi"]) if text),
        rows_with_findings=sum(d["rows_with_findings"] for d in found),
        held=held,
        refused=refused,
        superseded=len(everything) - len(found),
        delivered_from=found[0]["delivered_at"].isoformat() if found else None,
        delivered_to=found[-1]["delivered_at"].isoformat() if found else None,
    )

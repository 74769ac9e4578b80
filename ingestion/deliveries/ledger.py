"""Receipts: which file arrived where and when, what became of it, and which delivery counts now.

Belongs here: the receipts and everything that follows from them (versions, current deliveries, the inputs of a
candidate). Does not belong here: reading files. A receipt's facts stay; an arrival is added, and a re-reading
replaces only what the reading found. Everything else, ``deliveries.parquet`` too, is derived.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import operator
import os
import time
import unicodedata
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from common.files import PRIVATE, replace_durably, sealed_json, sha256_bytes, unsealed
from common.kept import KeptForTheLast
from common.periods import place_of
from ingestion.base.lake import DamagedError, is_same_table, read_again_and_again, write_table
from ingestion.base.paths import IngestPaths
from ingestion.deliveries.delivery_log import Replacement, replacements
from ingestion.deliveries.landing import LandingFile

T = TypeVar("T")

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
        ("first_seen", pa.int32()),
        ("delivery_rank", pa.int64()),
        ("outcome", pa.string()),
        ("is_current", pa.bool_()),
        ("superseded_by", pa.string()),
        ("counts_instead", pa.string()),
        ("rows_read", pa.int64()),
        ("rows_accepted", pa.int64()),
        ("rows_rejected", pa.int64()),
        ("rows_mended", pa.int64()),
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
#: Other files of the same content that a note names; how many more there are it says.
_MOST_COPIES = 10
_INPUT_FIELDS = ("delivery_id", "source", "unit_code", "quarter", "file_name", "sha256", "fingerprint", "outcome")


def delivery_id(unit_code: str, quarter: str, source: str, sha256: str) -> str:
    """Identity of a delivery: the same content in the same folder is the same delivery under any name."""
    return sha256_bytes(f"{unit_code}|{quarter}|{source}|{sha256}".encode())[:16]


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    """The content was seen under this name: as the ``version``-th content of the name, in the ``first_seen``-th look at
    its folder that met anything new. ``delivered_at`` is the file's local time then (ISO, seconds): told to people, and
    no order follows from it, since a copy changes it.
    """

    first_seen: int
    file_name: str
    version: int
    delivered_at: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of one delivery.

    ``beginning_of`` is the earlier delivery under the same name that goes on where this one ends, where there is one.
    ``rows_sha256`` holds the hash of each file of rows that the reading left, by layer. ``mends`` names the delivery
    whose rejected rows this one brings back, ``mended`` their numbers by sheet. ``signature`` is the text of the last
    one beside the file, where its source is one that may be signed.
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
    rows_sha256: dict[str, str] = field(default_factory=dict)
    mends: str = ""
    mended: dict[str, list[int]] = field(default_factory=dict)
    signature: str = ""

    @property
    def file_name(self) -> str:
        """The name under which the content first arrived."""
        return self.arrivals[0].file_name

    @property
    def folder(self) -> tuple[str, str, str]:
        return self.unit_code, self.quarter, self.source

    def with_arrival(self, arrival: Arrival) -> Receipt:
        return replace(self, arrivals=tuple(sorted({*self.arrivals, arrival})))


def _receipt(data: dict[str, Any]) -> Receipt:
    arrivals = tuple(Arrival(**{"first_seen": 1, "version": 0, **a}) for a in data.pop("arrivals"))
    mapped, unknown = tuple(data.pop("columns_mapped")), tuple(data.pop("unknown_columns"))
    return Receipt(arrivals=arrivals, columns_mapped=mapped, unknown_columns=unknown, **data)


def write_receipt(paths: IngestPaths, receipt: Receipt) -> None:
    # By way of JSON, whose lists stand for tuples: the seal is over what will be read again.
    content = json.loads(json.dumps(asdict(receipt)))
    replace_durably(paths.ledger / f"{receipt.delivery_id}.json", sealed_json(content), mode=PRIVATE)


def read_receipts(paths: IngestPaths) -> dict[str, Receipt]:
    """All whole receipts by delivery id, in the order of the ids."""
    return read_ledger(paths).receipts


@dataclass(frozen=True, slots=True)
class Ledger:
    """The receipts by delivery id, in the order of the ids, and the files that are not what was written there.

    Of a ``damaged`` one nobody knows more than its id: whoever goes on must leave its delivery's folder alone.
    """

    receipts: dict[str, Receipt]
    damaged: list[Path]


def read_ledger(paths: IngestPaths) -> Ledger:
    """All receipts. A file that nobody wrote to since this process read it is not read again."""
    looked_at = _looked_at(paths)
    found = {path.stem: receipt for path, receipt in looked_at.items() if receipt is not None}
    if any(a.version == 0 for r in found.values() for a in r.arrivals):
        found = _numbered(found)
    return Ledger(found, [path for path, receipt in looked_at.items() if receipt is None])


#: Tells whether somebody wrote to a file: number and size of the file, and when it or its inode was last changed,
#: which a writer cannot put back.
_State = tuple[int, int, int, int]
#: Clocks of file systems move in steps: a file that was changed this shortly before it was looked at may have been
#: changed once more in the same step. It is read again.
_STEP_NS = 50_000_000
#: Of the last ledgers that were read, by folder: each file's state and what it says.
_known_ledgers: OrderedDict[Path, dict[str, tuple[_State, Receipt | None]]] = OrderedDict()
_MOST_LEDGERS = 2


def _looked_at(paths: IngestPaths) -> dict[Path, Receipt | None]:
    """Each receipt file, in order, with what it says; None where its seal or its name does not fit its content."""
    before = _known_ledgers.get(paths.ledger, {})
    found: dict[Path, Receipt | None] = {}
    known: dict[str, tuple[_State, Receipt | None]] = {}
    for name in _names_of_receipts(paths.ledger):
        path = paths.ledger / name
        now, state = time.time_ns(), _state_of(path)
        if state is not None and (kept := before.get(name)) is not None and kept[0] == state:
            receipt = kept[1]
        else:
            receipt = _read_receipt(path)
        found[path] = receipt
        if state is not None and max(state[2:]) + _STEP_NS < now:
            known[name] = (state, receipt)
    _known_ledgers[paths.ledger] = known
    _known_ledgers.move_to_end(paths.ledger)
    while len(_known_ledgers) > _MOST_LEDGERS:
        _known_ledgers.popitem(last=False)
    return found


def _names_of_receipts(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".json") and not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _state_of(path: Path) -> _State | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _read_receipt(path: Path) -> Receipt | None:
    try:
        receipt = _receipt(unsealed(path.read_bytes()))
        is_whole = path.stem == delivery_id(*receipt.folder, receipt.sha256) and bool(receipt.arrivals)
    except (ValueError, KeyError, TypeError, IsADirectoryError):
        return None
    return receipt if is_whole else None


def folder_of_damaged(paths: IngestPaths, identity: str, known: Iterable[Receipt]) -> tuple[str, str, str] | None:
    """Unit, quarter and source of a delivery whose receipt is damaged; None where nothing tells them any more.

    Its rows lie under them; else they are found by its id, which is the hash of them and of a content that is kept.
    """
    for file in paths.raw.glob(f"*/source=*/quarter=*/unit=*/{identity}.parquet"):
        source, quarter, unit = (part.partition("=")[2] for part in file.parts[-4:-1])
        return unit, quarter, source
    landed = {file.relative_to(paths.landing).parts[:3] for file in paths.landing.glob("*/*/*")}
    folders = {r.folder for r in known} | {(unit, quarter, source) for unit, quarter, source in landed}
    contents = {file.stem for file in paths.originals.glob("*/*")}
    return next((f for f in sorted(folders) for sha256 in contents if delivery_id(*f, sha256) == identity), None)


def _numbered(receipts: dict[str, Receipt]) -> dict[str, Receipt]:
    """Receipts of homes that ordered versions by the files' times: their order is kept, as the order in which they
    were seen.
    """
    history = _history(receipts.values(), key=lambda arrival, r: (arrival.version, arrival.delivered_at, r.sha256))
    number = {
        (identity, arrival): place
        for arrivals in history.values()
        for place, (identity, arrival) in enumerate(arrivals, start=1)
    }
    return {
        identity: replace(
            r, arrivals=tuple(sorted(replace(a, version=a.version or number[identity, a]) for a in r.arrivals))
        )
        for identity, r in receipts.items()
    }


def path_of(unit_code: str, quarter: str, source: str, file_name: str) -> str:
    """What a version is a version of. One name may be written in several Unicode forms; a copy may change them."""
    return unicodedata.normalize("NFC", f"{unit_code}/{quarter}/{source}/{file_name}")


def _history(
    receipts: Iterable[Receipt], key: Callable[[Arrival, Receipt], Any] = lambda arrival, _: arrival.version
) -> dict[str, list[tuple[str, Arrival]]]:
    """Contents by path, first to last."""
    found: dict[str, list[tuple[Any, str, Arrival]]] = defaultdict(list)
    for r in receipts:
        for a in r.arrivals:
            found[path_of(*r.folder, a.file_name)].append((key(a, r), r.delivery_id, a))
    return {path: [(i, a) for _, i, a in sorted(arrivals)] for path, arrivals in found.items()}


def last_versions(receipts: Iterable[Receipt]) -> dict[str, tuple[str, int]]:
    """What was last seen under each path: delivery id and number of the version."""
    return {path: (arrivals[-1][0], arrivals[-1][1].version) for path, arrivals in _history(receipts).items()}


def by_folder(receipts: Iterable[Receipt]) -> dict[tuple[str, str, str], list[Receipt]]:
    """Receipts by unit, quarter and source, in the order given."""
    found: dict[tuple[str, str, str], list[Receipt]] = defaultdict(list)
    for r in receipts:
        found[r.folder].append(r)
    return found


def longer_before(receipt: Receipt, of_folder: Iterable[Receipt]) -> list[Receipt]:
    """Of the receipts of a delivery's folder larger contents that lay under a name of it before it did, by id."""
    mine = {path_of(*receipt.folder, a.file_name): a.version for a in receipt.arrivals}
    return sorted(
        (
            r
            for r in of_folder
            if r.size_bytes > receipt.size_bytes
            and any(a.version < mine.get(path_of(*r.folder, a.file_name), 0) for a in r.arrivals)
        ),
        key=lambda r: r.delivery_id,
    )


# Looks at a folder are counted, so that what came in a later one is known to be later. A look that did not get to see
# everything (a stopped run, a file still being written) is not counted: what the next one finds may have lain there.


def _looks_file(paths: IngestPaths, folder: tuple[str, str, str]) -> Path:
    return paths.ledger / "looks" / f"{'-'.join(folder)}.json"


def looks(paths: IngestPaths, folder: tuple[str, str, str], of_folder: Iterable[Receipt] = ()) -> int:
    """How many whole looks at a folder (unit, quarter, source) have met something new.

    Where the count was lost, what the receipts ``of_folder`` were first seen in stands for it, but for the last look,
    of which nothing else tells whether it was whole.
    """
    seen = [a.first_seen for r in of_folder for a in r.arrivals]
    return max(_counted(_looks_file(paths, folder)) or 0, max(seen, default=1) - 1)


def _counted(file: Path) -> int | None:
    """What a file of looks says, None where it is damaged; nothing was counted where there is none."""
    try:
        return int(json.loads(file.read_bytes()))
    except FileNotFoundError:
        return 0
    except (ValueError, TypeError, IsADirectoryError):
        return None


def damaged_looks(paths: IngestPaths) -> list[Path]:
    """Files of counted looks that cannot be read, in order."""
    return [file for file in sorted((paths.ledger / "looks").glob("[!.]*.json")) if _counted(file) is None]


def count_look(paths: IngestPaths, folder: tuple[str, str, str], number: int) -> None:
    """Notes that the look that met something new as the ``number``-th was whole."""
    replace_durably(_looks_file(paths, folder), str(number).encode(), mode=PRIVATE)


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


class _Worth(IntEnum):
    """How much of a version can be used. One worth less than an earlier one does not take its place."""

    NOTHING = 0
    LITTLE = 1
    ENOUGH = 2


#: Rejected rows that came back mended, by the delivery that had them, and sheet.
MendedRows = Mapping[str, Mapping[str, set[int]]]


def _worth(receipt: Receipt, mended: int) -> _Worth:
    """Rows that came back ``mended`` count neither as read nor as rejected of this delivery, as at gate 1."""
    if receipt.outcome == "refused":
        return _Worth.NOTHING
    rejected, read = receipt.rows_rejected - mended, receipt.rows_read - mended
    return _Worth.LITTLE if 2 * rejected > read else _Worth.ENOUGH


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of a path: its arrival, and which delivery followed or counts although it came before."""

    arrival: Arrival
    path: str
    superseded_by: str | None = None
    counts_instead: str | None = None

    @property
    def is_current(self) -> bool:
        return self.superseded_by is None and self.counts_instead is None


def _settled(
    receipts: Sequence[Receipt], logged: Sequence[Replacement]
) -> tuple[dict[str, list[_Version]], MendedRows]:
    """The versions, and the rows that those which count bring back mended.

    What a version is worth depends on what came back of it, and that on which workbooks count themselves. A workbook
    answers an earlier delivery, so after as many rounds as there are workbooks nothing changes any more; where a log
    says that a workbook replaces what it answers, the last round holds.
    """
    mended: MendedRows = {}
    versions = _versions(receipts, logged, mended)
    for _ in range(1 + sum(bool(r.mends) for r in receipts)):
        found = _mended(receipts, {r.delivery_id: _shown(versions[r.delivery_id]) for r in receipts})
        if found == mended:
            break
        mended = found
        versions = _versions(receipts, logged, mended)
    return versions, mended


def _count(mended: MendedRows, identity: str) -> int:
    return sum(map(len, mended.get(identity, {}).values()))


def _versions(
    receipts: Iterable[Receipt], logged: Iterable[Replacement], mended: MendedRows
) -> dict[str, list[_Version]]:
    """Versions by delivery.

    The last version of a path counts, unless an earlier one is worth more: then that one counts instead. So it is with
    the paths of a chain that a delivery log makes of files that replace one another.
    """
    by_id = {r.delivery_id: r for r in receipts}
    history = _history(by_id.values())
    worth = {identity: _worth(r, _count(mended, identity)) for identity, r in by_id.items()}
    kept = {path: _kept(arrivals, [worth[i] for i, _ in arrivals]) for path, arrivals in history.items()}
    counting = {path: ids[-1][0] for path, ids in kept.items()}
    replaced: dict[str, str] = {}
    passed_over: dict[str, str] = {}
    for chain in _chains(history, logged):
        standing = _kept(chain, [worth[counting[path]] for path in chain])
        last = chain.index(standing[-1])
        replaced[chain[0]] = standing[-1]
        passed_over.update(dict.fromkeys(chain[last + 1 :], standing[-1]))
    result: dict[str, list[_Version]] = defaultdict(list)
    for path, arrivals in history.items():
        numbers = {arrival.version: identity for identity, arrival in kept[path]}
        last_number = max(numbers)
        for identity, arrival in arrivals:
            following: str | None = None
            instead: str | None = None
            if arrival.version < last_number:
                following = numbers[min(n for n in numbers if n > arrival.version)]
            elif arrival.version > last_number:
                instead = counting[path]
            elif path in passed_over:
                instead = counting[passed_over[path]]
            elif replaced.get(path, path) != path:
                following = counting[replaced[path]]
            result[identity].append(_Version(arrival, path, following, instead))
    return result


def _kept(items: list[T], worth: list[_Worth]) -> list[T]:
    """The items that are not worth less than one before them, in order."""
    return [item for n, item in enumerate(items) if worth[n] >= max(worth[: n + 1])]


def _chains(paths: Iterable[str], logged: Iterable[Replacement]) -> list[list[str]]:
    """For each path that is replaced by one that has arrived, itself and what takes its place, one after the other.

    Where several files replace one, the last by name does; files that replace each other in a circle replace nothing.
    """
    known = set(paths)
    direct: dict[str, str] = {}
    for r in sorted(logged):
        old, new = (path_of(r.unit_code, r.quarter, r.source, name) for name in (r.replaces, r.file_name))
        if old in known and new in known:
            direct[old] = new
    found: list[list[str]] = []
    for path in direct:
        chain = [path]
        while chain[-1] in direct and direct[chain[-1]] not in chain:
            chain.append(direct[chain[-1]])
        if chain[-1] not in direct:
            found.append(chain)
    return found


def deliveries_table(receipts: Iterable[Receipt], logged: Iterable[Replacement] = ()) -> pa.Table:
    """All deliveries that were read, as one table, ordered by delivery id.

    A delivery is current where it is the version of one of its paths that counts. Where it holds several paths it is
    shown under the current one that it held first. ``delivery_rank`` is its place in the total order of deliveries.
    """
    receipts, logged = sorted((r for r in receipts if r.outcome), key=lambda r: r.delivery_id), list(logged)
    return _last_table(receipts, logged)


def _made_table(receipts: Sequence[Receipt], logged: Sequence[Replacement]) -> pa.Table:
    versions, mended = _settled(receipts, logged)
    shown = {r.delivery_id: _shown(versions[r.delivery_id]) for r in receipts}
    elsewhere = _same_content(receipts, shown)
    ranks = _ranks(receipts, shown)
    by_id = {r.delivery_id: r for r in receipts}
    refused_later: dict[str, list[_Version]] = defaultdict(list)
    for at in shown.values():
        if at.counts_instead is not None:
            refused_later[at.counts_instead].append(at)
    rows = []
    for r in receipts:
        at = shown[r.delivery_id]
        row = {name: getattr(r, name) for name in DELIVERIES_SCHEMA.names if hasattr(r, name)}
        notes = [
            *_copies(at, versions[r.delivery_id]),
            *elsewhere[r.delivery_id],
            *(_refused_later(v) for v in sorted(refused_later[r.delivery_id], key=lambda v: (v.path, v.arrival))),
        ]
        if at.counts_instead is not None:
            notes.append(_counts_instead(by_id[at.counts_instead], shown[at.counts_instead]))
        row |= {
            "file_name": at.arrival.file_name,
            "path": at.path,
            "version": at.arrival.version,
            "first_seen": at.arrival.first_seen,
            "delivery_rank": ranks[r.delivery_id],
            "is_current": at.is_current,
            "delivered_at": dt.datetime.fromisoformat(at.arrival.delivered_at),
            "superseded_by": at.superseded_by,
            "counts_instead": at.counts_instead,
            "rows_mended": _count(mended, r.delivery_id),
            "columns_mapped": list(r.columns_mapped),
            "unknown_columns": list(r.unknown_columns),
            "note_vi": " ".join(notes),
        }
        for name in ("reporting_window_from", "reporting_window_to"):
            row[name] = dt.date.fromisoformat(row[name]) if row[name] else None
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=DELIVERIES_SCHEMA)


# Every step of an intake asks anew. Receipts that were not read again are the very same ones, so comparing them costs
# next to nothing.
_last_table = KeptForTheLast(_made_table, operator.eq)
_last_mended = KeptForTheLast(lambda receipts, logged: _settled(receipts, logged)[1], operator.eq)


def _shown(versions: list[_Version]) -> _Version:
    current = [v for v in versions if v.is_current]
    if current:
        return min(current, key=lambda v: v.arrival)
    refused = [v for v in versions if v.counts_instead is not None]
    return max(refused or versions, key=lambda v: v.arrival)


def _ranks(receipts: Iterable[Receipt], shown: dict[str, _Version]) -> dict[str, int]:
    """Places in the total order: the folder's period first; within a folder the look that first met the delivery, then
    its name. Folders of one quarter have no order among themselves but that of their codes.
    """

    def place(r: Receipt) -> tuple[Any, ...]:
        arrival = shown[r.delivery_id].arrival
        return (
            place_of(r.quarter),
            r.source,
            r.unit_code,
            arrival.first_seen,
            arrival.file_name,
            r.sha256,
            r.delivery_id,
        )

    return {r.delivery_id: n for n, r in enumerate(sorted(receipts, key=place), start=1)}


def mended_rows(paths: IngestPaths) -> MendedRows:
    """Rejected rows that current deliveries bring back, by the delivery that had them, and sheet."""
    return _last_mended([r for r in read_receipts(paths).values() if r.outcome], replacements(paths))


def _mended(receipts: Iterable[Receipt], shown: dict[str, _Version]) -> MendedRows:
    found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for r in receipts:
        if r.mends and shown[r.delivery_id].is_current:
            for sheet, numbers in r.mended.items():
                found[r.mends][sheet] |= set(numbers)
    return found


def _copies(shown: _Version, versions: list[_Version]) -> list[str]:
    """Says under which other names the same content lies in the folder."""
    names = sorted({v.arrival.file_name for v in versions if v.is_current} - {shown.arrival.file_name})
    return [f"Tệp “{name}” có cùng nội dung nên không tính thêm." for name in names]


def _refused_later(refused: _Version) -> str:
    return f"Bản sửa gửi sau, “{refused.arrival.file_name}”, bị trả lại nên bản này vẫn được tính."


def _counts_instead(counting: Receipt, shown: _Version) -> str:
    rows = f"{counting.rows_accepted} dòng"
    return f"Bản sửa này bị trả lại: bản trước của tệp “{shown.arrival.file_name}” ({rows}) vẫn được tính."


def _same_content(receipts: Iterable[Receipt], shown: dict[str, _Version]) -> dict[str, list[str]]:
    """Says in which other folders the content of a delivery with rows was delivered too."""
    by_content: dict[str, list[Receipt]] = defaultdict(list)
    for r in receipts:
        if shown[r.delivery_id].is_current and r.rows_read:
            by_content[r.sha256].append(r)
    notes: dict[str, list[str]] = defaultdict(list)
    for found in by_content.values():
        places = sorted((shown[r.delivery_id].path, r.delivery_id) for r in found)
        for r in found:
            first = [path for path, identity in places[: _MOST_COPIES + 1] if identity != r.delivery_id][:_MOST_COPIES]
            notes[r.delivery_id] = [f"Nội dung giống hệt tệp “{path}” ở thư mục khác." for path in first]
            if more := len(found) - 1 - len(first):
                notes[r.delivery_id].append(f"Còn {more} tệp khác có cùng nội dung.")
    return notes


def rebuild_deliveries(paths: IngestPaths) -> pa.Table:
    """Rebuilds ``raw/deliveries.parquet`` from the receipts and returns it."""
    with locked(paths):
        table = deliveries_table(read_receipts(paths).values(), replacements(paths))
        if not is_same_table(paths.deliveries, table):
            write_table(paths.deliveries, table)
    return table


def read_deliveries(paths: IngestPaths) -> pa.Table:
    """All deliveries (see ``docs/architecture.md``); zero rows where nothing was ever ingested.

    Raises :class:`DamagedError` where the table cannot be read.
    """
    try:
        return read_again_and_again(paths.deliveries) if paths.deliveries.exists() else DELIVERIES_SCHEMA.empty_table()
    except (OSError, pa.ArrowException) as error:
        raise DamagedError(f"{paths.deliveries} bị hỏng; lập lại từ sổ nhận tệp bằng: cchc rebuild") from error


def delivery_rows(
    paths: IngestPaths,
    *,
    quarters: Collection[str] | None = None,
    source: str | None = None,
    only_current: bool = False,
    columns: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Rows of the table of deliveries, of some quarters, of one source or of current deliveries only, by id."""
    table = read_deliveries(paths)
    if quarters is not None:
        table = table.filter(pc.is_in(table["quarter"], pa.array(sorted(quarters), pa.string())))
    if source is not None:
        table = table.filter(pc.equal(table["source"], source))
    if only_current:
        table = table.filter(table["is_current"])
    rows: list[dict[str, Any]] = (table if columns is None else table.select(list(columns))).to_pylist()
    return rows


def current(
    paths: IngestPaths, *, quarters: Collection[str] | None = None, source: str | None = None
) -> list[dict[str, Any]]:
    """Current deliveries in their total order, of some quarters or of one source only where they are named."""
    found = delivery_rows(paths, quarters=quarters, source=source, only_current=True)
    return sorted(found, key=lambda d: d["delivery_rank"])


def answered(
    paths: IngestPaths, *, quarters: Collection[str] | None = None, source: str | None = None
) -> list[dict[str, Any]]:
    """Deliveries whose senders are owed an answer: current ones, and corrections that were refused, one a name."""
    found = delivery_rows(paths, quarters=quarters, source=source)
    rows = sorted(found, key=lambda d: (d["counts_instead"] is not None, d["version"]))
    last = {d["path"]: d for d in rows if d["is_current"] or d["counts_instead"] is not None}
    return sorted(last.values(), key=lambda d: d["delivery_rank"])


def inputs(paths: IngestPaths, unit_codes: Iterable[str], quarters: Iterable[str]) -> list[dict[str, str]]:
    """Current deliveries in the folders of these units and quarters, as a candidate records them, by id."""
    units = set(unit_codes)
    return [d for d in _inputs(paths, set(quarters)) if d["unit_code"] in units]


def inputs_by_folder(paths: IngestPaths, quarters: Iterable[str]) -> dict[tuple[str, str], list[dict[str, str]]]:
    """The same of all units in these quarters, by unit and quarter: for who asks for many units."""
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for d in _inputs(paths, set(quarters)):
        found[d["unit_code"], d["quarter"]].append(d)
    return found


def _inputs(paths: IngestPaths, quarters: Collection[str]) -> list[dict[str, str]]:
    return sorted(
        delivery_rows(paths, quarters=quarters, only_current=True, columns=_INPUT_FIELDS),
        key=lambda d: str(d["delivery_id"]),
    )


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """State of one source of one unit in one quarter.

    ``state`` is ``delivered``, ``nothing_to_report``, ``held`` (every file belongs elsewhere by its contents),
    ``refused``, ``not_read`` (all that lies in the folder waits to be read) or ``not_sent``; counts are over current
    deliveries, ``held`` and ``refused`` count files. ``waiting`` names the files that have not been read.
    ``rows_rejected`` are those that nobody has mended since; ``corrections_refused`` counts files in whose place an
    earlier version counts. ``delivered_from`` and ``delivered_to`` are the local times (ISO) of the first and the last
    current delivery's file.
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
    corrections_refused: int = 0
    waiting: tuple[str, ...] = ()
    delivered_from: str | None = None
    delivered_to: str | None = None


def status(
    paths: IngestPaths,
    unit_codes: Iterable[str],
    quarter: str,
    sources: Iterable[str],
    waiting: Iterable[LandingFile] = (),
) -> list[SourceStatus]:
    """What each unit has sent of each source, in the order given; ``waiting`` are the files that were not read."""
    unread: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in waiting:
        if file.quarter == quarter:
            unread[file.unit_code, file.source].append(file.file_name)
    by_place: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for d in sorted(delivery_rows(paths, quarters=[quarter]), key=lambda d: d["delivery_rank"]):
        by_place[d["unit_code"], d["source"]].append(d)
    names = list(sources)
    return [
        _status(unit, quarter, source, by_place[unit, source], tuple(unread[unit, source]))
        for unit in unit_codes
        for source in names
    ]


def _status(
    unit: str, quarter: str, source: str, everything: list[dict[str, Any]], waiting: tuple[str, ...]
) -> SourceStatus:
    found = [d for d in everything if d["is_current"]]
    corrections = [d for d in everything if d["counts_instead"] is not None]
    times = [d["delivered_at"].isoformat() for d in found]
    outcomes = {d["outcome"] for d in found}
    held = sum(d["refusal"] in HELD for d in found)
    refused = sum(d["outcome"] == "refused" for d in found) - held
    if outcomes & {"accepted", "partly_accepted"}:
        state = "delivered"
    elif "nothing_to_report" in outcomes:
        state = "nothing_to_report"
    elif refused:
        state = "refused"
    elif held:
        state = "held"
    else:
        state = "not_read" if waiting else "not_sent"
    return SourceStatus(
        unit,
        quarter,
        source,
        state,
        len(found),
        sum(d["rows_accepted"] for d in found),
        sum(d["rows_rejected"] - d["rows_mended"] for d in found),
        tuple(text for d in [*found, *corrections] for text in (d["message_vi"], d["note_vi"]) if text),
        rows_with_findings=sum(d["rows_with_findings"] for d in found),
        held=held,
        refused=refused,
        superseded=len(everything) - len(found) - len(corrections),
        corrections_refused=len(corrections),
        waiting=waiting,
        delivered_from=min(times) if times else None,
        delivered_to=max(times) if times else None,
    )

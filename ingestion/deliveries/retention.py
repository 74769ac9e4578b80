"""How long what was delivered is kept, and its deletion when the time is up.

Belongs here: which kept files are past their time, deleting them, and the log of what was deleted. Does not belong
here: the accepted rows in the lake, which figures are made from and which stay (``docs/architecture.md`` says what of
them is free text).

Three places hold the clerks' own cells: the kept originals, the rejection workbooks, and the values that were turned
away or remarked on; the landing folder holds the delivered file itself. A delivery's files, and those values, go
together, ``retention_days`` after the later of the quarter's closing and the day on which it was taken in; what was set
aside, as many days after it was. The log is written before a file is deleted, so that a stopped purge leaves no
deletion unlogged, and again where the file could not be; each entry carries the hash of the one before, so that none
can be taken out unseen.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.chained_log import BrokenChain, add_line, read_lines
from common.damage import RESTORE_VI, SET_ASIDE
from common.files import PRIVATE, fsync_path, is_regular_file, replace_durably, sha256_bytes, sha256_file
from ingestion.base.lake import DamagedError, table_bytes
from ingestion.base.paths import IngestPaths
from ingestion.base.reference import ReferenceData
from ingestion.clerk import feedback
from ingestion.deliveries import ledger
from ingestion.deliveries.landing import LOCAL_TIME
from ingestion.deliveries.ledger import Receipt

ORIGINAL, REJECTION, LANDING, RETURNED = "original", "rejection_workbook", "landing_file", "returned_values"
#: Row layers that hold single cells as delivered: values turned away or remarked on.
_VALUE_LAYERS = ("rejected", "findings")


@dataclass(frozen=True, slots=True, order=True)
class Expired:
    """A file past its time. ``path`` is relative to the home; ``sha256`` is empty of what is no plain file."""

    kind: str
    path: str
    sha256: str
    size_bytes: int
    delivery_ids: tuple[str, ...]
    expired_on: str


@dataclass(frozen=True, slots=True)
class PurgeEntry:
    """One line of the purge log. Not ``deleted``: takes back the line before, for the file could not be."""

    purged_on: str
    file: Expired
    deleted: bool = True


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge deleted, and what it could not, each with the system's words."""

    deleted: list[Expired]
    left: dict[Expired, str]


def log_path(paths: IngestPaths) -> Path:
    return paths.raw / "purge_log.jsonl"


def expired_files(paths: IngestPaths, reference: ReferenceData, retention_days: int, today: dt.date) -> list[Expired]:
    """Every kept file that is past its time on ``today``, in order.

    Raises :class:`DamagedError` while a receipt is damaged: nothing tells then how long its files are to be kept.
    """
    known = ledger.read_ledger(paths)
    if known.damaged:
        raise DamagedError(f"biên nhận {known.damaged[0]} bị hỏng, không rõ thời hạn lưu các tệp của nó; {RESTORE_VI}")
    receipts = known.receipts
    by_content: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts.values():
        by_content[receipt.sha256].append(receipt)
    keep = dt.timedelta(days=retention_days)
    found: list[Expired] = []

    def note(kind: str, path: Path, root: Path, owners: Iterable[Receipt], taken_in: dt.date) -> bool:
        """Notes the file where its time is up; it belongs to all ``owners`` and goes with the last of them."""
        owners = sorted(owners, key=lambda r: r.delivery_id)
        ends = max([taken_in, *(_closing(r, reference) for r in owners)]) + keep
        if ends >= today:
            return False
        ids = tuple(r.delivery_id for r in owners)
        relative = (Path(root.name) / path.relative_to(root)).as_posix()
        sha256 = sha256_file(path) if is_regular_file(path) else ""
        found.append(Expired(kind, relative, sha256, path.lstat().st_size, ids, ends.isoformat()))
        return True

    staying: set[str] = set()
    for path in _files(paths.originals):
        if not note(ORIGINAL, path, paths.raw, by_content[path.stem], _day(path)):
            staying.add(path.stem)
    gone = set(by_content) - staying
    answered = {_answer_path(paths, d): receipts[d["delivery_id"]] for d in ledger.answered(paths)}
    for path in _files(paths.outbox):
        owner = answered.get(path)
        if owner is None:
            note(REJECTION, path, paths.outbox, (), _day(path))
        elif owner.sha256 in gone:
            # The original it was made from is gone or goes now; it must not outlive it.
            note(REJECTION, path, paths.outbox, [owner], dt.date.min)
    for receipt in sorted(receipts.values(), key=lambda r: r.delivery_id):
        if receipt.sha256 in gone:
            place = (receipt.source, receipt.quarter, receipt.unit_code, receipt.delivery_id)
            for path in (paths.rows_file(layer, *place) for layer in _VALUE_LAYERS):
                if path.is_file() and _holds_values(path):
                    note(RETURNED, path, paths.raw, [receipt], dt.date.min)
            for path in _landing_copies(paths, receipt):
                note(LANDING, path, paths.landing, [receipt], _day(path, put_there=True))
    aside = paths.raw.parent / SET_ASIDE
    for path in sorted(path for path in aside.rglob("*") if path.is_symlink() or not path.is_dir()):
        note(SET_ASIDE, path, aside, (), _day(path, put_there=True))
    return sorted(found)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _closing(receipt: Receipt, reference: ReferenceData) -> dt.date:
    period = reference.periods.get(receipt.quarter)
    return period.closes_on if period else dt.date.min


def _day(path: Path, *, put_there: bool = False) -> dt.date:
    """The day a file was written, or ``put_there``: copies often keep the day on which their original was written."""
    found = path.lstat()
    return dt.datetime.fromtimestamp(found.st_ctime if put_there else found.st_mtime, LOCAL_TIME).date()


def _answer_path(paths: IngestPaths, delivery: dict[str, Any]) -> Path:
    folder = feedback.folder_of(paths, delivery["unit_code"], delivery["quarter"], delivery["source"])
    return folder / feedback.workbook_name(delivery["file_name"])


def _landing_copies(paths: IngestPaths, receipt: Receipt) -> list[Path]:
    """Files that still lie where the delivery arrived, under a name under which it arrived, with its content."""
    folder = paths.landing / receipt.unit_code / receipt.quarter / receipt.source
    names = sorted({arrival.file_name for arrival in receipt.arrivals})
    plain = [folder / name for name in names if (folder / name).is_file() and not (folder / name).is_symlink()]
    return [path for path in plain if sha256_file(path) == receipt.sha256]


# --------------------------------------------------------------------------------------------------------------- purge


def purge(paths: IngestPaths, reference: ReferenceData, retention_days: int, today: dt.date) -> Purged:
    """Deletes what is past its time and logs it; a file that cannot be deleted keeps none of the others.

    Raises :class:`DamagedError` before anything is deleted, and ``OSError`` where the log cannot be written.
    """
    done = Purged([], {})
    with ledger.locked(paths):
        read_log(paths)
        for file in expired_files(paths, reference, retention_days, today):
            path = _absolute(paths, file)
            entry = {"purged_on": today.isoformat(), **asdict(file)}
            add_line(log_path(paths), entry)
            try:
                if file.kind == RETURNED:
                    _forget_values(paths, path)
                else:
                    path.unlink(missing_ok=True)
            except (OSError, pa.ArrowException) as error:
                add_line(log_path(paths), {**entry, "deleted": False})
                done.left[file] = str(error)
            else:
                fsync_path(path.parent)
                done.deleted.append(file)
    return done


def _holds_values(path: Path) -> bool:
    """Whether there are values to empty, as far as the file tells: a damaged one may hold some."""
    try:
        table = pq.ParquetFile(path).read(columns=["value"])
    except pa.ArrowException:
        return True
    return bool(table["value"].null_count < table.num_rows)


def _forget_values(paths: IngestPaths, path: Path) -> None:
    """Empties the cells as delivered; places and reasons stay, so that rows read stay rows taken and turned away.

    The receipt is told first what the file will be: a purge that is stopped in between finds the values again, and
    :func:`emptied` what the receipt says.
    """
    data = emptied(path)
    receipt = ledger.read_receipts(paths)[path.stem]
    if receipt.rows_sha256:
        hashes = receipt.rows_sha256 | {_layer(paths, path): sha256_bytes(data)}
        ledger.write_receipt(paths, replace(receipt, rows_sha256=hashes))
    replace_durably(path, data, mode=PRIVATE)


def emptied(path: Path) -> bytes:
    """A file of values as a purge leaves it; raises ``ArrowException`` or ``OSError`` where it does not read."""
    table = pq.ParquetFile(path).read()
    place = table.schema.get_field_index("value")
    return table_bytes(table.set_column(place, table.schema.field(place), pa.nulls(table.num_rows, pa.string())))


def is_half_purged(paths: IngestPaths, path: Path, receipt: Receipt) -> bool:
    """Whether a file of rows is not as its receipt says for its values alone, which a purge took from the receipt."""
    layer = _layer(paths, path)
    if layer not in _VALUE_LAYERS or not is_regular_file(path):
        return False
    try:
        return sha256_bytes(emptied(path)) == receipt.rows_sha256[layer]
    except (pa.ArrowException, OSError):
        return False


def _layer(paths: IngestPaths, path: Path) -> str:
    return path.relative_to(paths.raw).parts[0]


def _absolute(paths: IngestPaths, file: Expired) -> Path:
    aside = paths.raw.parent / SET_ASIDE
    roots = {
        ORIGINAL: paths.raw,
        REJECTION: paths.outbox,
        LANDING: paths.landing,
        RETURNED: paths.raw,
        SET_ASIDE: aside,
    }
    root = roots[file.kind]
    return root.joinpath(*Path(file.path).parts[1:])


def read_log(paths: IngestPaths) -> list[PurgeEntry]:
    """The purge log, oldest first; raises :class:`DamagedError` where an entry was changed or taken out.

    A line that a power cut left without its end is passed over: its file was not deleted.
    """
    path = log_path(paths)
    try:
        return [PurgeEntry(d["purged_on"], _expired(d), d.get("deleted", True)) for d in read_lines(path)]
    except (BrokenChain, OSError, KeyError, TypeError) as error:
        why = str(error) if isinstance(error, BrokenChain | OSError) else f"{path}: có dòng không phải do việc xóa ghi"
        raise DamagedError(f"nhật ký xóa theo thời hạn lưu bị hư hại: {why}; {RESTORE_VI}") from error


def _expired(line: dict[str, Any]) -> Expired:
    return Expired(**{n: line[n] for n in Expired.__slots__} | {"delivery_ids": tuple(line["delivery_ids"])})


def purged_originals(paths: IngestPaths) -> dict[str, str]:
    """Contents whose original was purged, with the day; raises :class:`DamagedError` as :func:`read_log`."""
    days = {e.file.sha256: (e.purged_on, e.deleted) for e in read_log(paths) if e.file.kind == ORIGINAL}
    return {sha256: day for sha256, (day, deleted) in days.items() if deleted}


def not_rereadable(paths: IngestPaths) -> dict[str, str | None]:
    """Current deliveries whose original is no longer kept: the day it was purged, or None where nothing says why.

    Raises :class:`DamagedError` where the purge log is damaged.
    """
    purged = purged_originals(paths)
    kept = {path.stem for path in _files(paths.originals)}
    return {
        d["delivery_id"]: purged.get(d["sha256"])
        for d in ledger.current(paths)
        if d["sha256"] not in kept and d["size_bytes"]
    }

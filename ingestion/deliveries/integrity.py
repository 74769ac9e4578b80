"""Whether what ingestion left is still what it left: files of rows, and the table of deliveries, against the receipts.

Belongs here: the comparison that every hand-over begins with, and which folders wait for a receipt that is damaged.
Does not belong here: receipts themselves (``ledger``), originals (hashed whenever they are read again), anything made
from the rows, making again what is damaged (``ingestion.mending``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.damage import RESTORE_VI
from common.files import sha256_file
from ingestion.base.lake import LAYERS, DamagedError, is_same_table
from ingestion.base.paths import IngestPaths
from ingestion.deliveries import ledger
from ingestion.deliveries.delivery_log import FILE_NAME, damaged_logs, replacements
from ingestion.deliveries.landing import LandingProblem
from ingestion.deliveries.ledger import Ledger, Receipt

_NOT_OFFICES_VI = "Kho dữ liệu thô hư hại, không phải lỗi của tệp đã nộp"


@dataclass(frozen=True, slots=True)
class RowFiles:
    """Files of rows that are not as the receipts say: ``damaged`` or gone, each with its receipt, and ``unknown``."""

    damaged: dict[Path, Receipt]
    unknown: list[Path]


def held_by_records(paths: IngestPaths, known: Ledger) -> dict[tuple[str, str, str], list[LandingProblem]]:
    """What is damaged of the records that nothing in the home can make again, by the folder that waits for them.

    The folder is unit, quarter and source; for a delivery log, which speaks of all sources, the source is empty. Such a
    folder is not taken in, since a new receipt would be written over the damaged one and begin the count of versions
    anew, and nothing of its unit is published, since an older version of a file would count in its stead. All other
    units go on. Raises :class:`DamagedError` where nothing tells whose record it was: then everybody waits.
    """
    held: dict[tuple[str, str, str], list[LandingProblem]] = {}
    for path in known.damaged:
        folder = ledger.folder_of_damaged(paths, path.stem, known.receipts.values())
        if folder is None:
            raise DamagedError(f"{_NOT_OFFICES_VI}: biên nhận {path} bị hỏng, không rõ của đơn vị nào; {RESTORE_VI}")
        message = f"{_NOT_OFFICES_VI}: biên nhận {path} bị hỏng; {RESTORE_VI}. Chưa công bố số liệu của đơn vị này."
        held.setdefault(folder, []).append(LandingProblem("/".join(folder), "store_damaged", message))
    for path, unit, quarter in damaged_logs(paths):
        message = (
            f"{_NOT_OFFICES_VI}: bản ghi sổ giao nộp {path} bị hỏng; {RESTORE_VI}, hoặc nộp lại tệp {FILE_NAME}. "
            "Chưa công bố số liệu của đơn vị này."
        )
        problem = LandingProblem(f"{unit}/{quarter}/{FILE_NAME}", "store_damaged", message)
        held.setdefault((unit, quarter, ""), []).append(problem)
    return held


def row_files(paths: IngestPaths, known: Ledger) -> RowFiles:
    """Compares every file of rows with the hash that its receipt keeps; not what a damaged receipt left."""
    receipts = known.receipts.values()
    expected = {
        paths.rows_file(layer, r.source, r.quarter, r.unit_code, r.delivery_id): (r, sha256)
        for r in receipts
        for layer, sha256 in r.rows_sha256.items()
    }
    # Of a stopped run, whose rows nobody counts; or read before receipts kept hashes, and no longer to be read again.
    passed_over = {
        r.delivery_id for r in receipts if not r.outcome or ((r.rows_accepted or r.rows_rejected) and not r.rows_sha256)
    }
    passed_over |= {path.stem for path in known.damaged}
    present = {
        path
        for layer in LAYERS
        for path in (paths.raw / layer).rglob("*.parquet")
        if path.name != "schema.parquet" and path.stem not in passed_over
    }
    damaged = {
        path: receipt
        for path, (receipt, sha256) in sorted(expected.items())
        if path not in present or not path.is_file() or sha256_file(path) != sha256
    }
    return RowFiles(damaged, sorted(present - set(expected)))


def check_store(paths: IngestPaths) -> None:
    """Raises :class:`DamagedError`, naming the files, where rows or the table of deliveries are not what was left.

    A file of rows that no receipt knows is named too: whoever reads the folder would count its rows.
    """
    known = ledger.read_ledger(paths)
    rows = row_files(paths, known)
    found = [
        *(f"{path} bị hỏng, bị sửa hoặc bị mất" for path in rows.damaged),
        *(unknown_vi(path) for path in rows.unknown),
    ]
    if known.receipts and not found:
        table = ledger.deliveries_table(known.receipts.values(), replacements(paths))
        if not is_same_table(paths.deliveries, table):
            found.append(f"{paths.deliveries} không khớp sổ nhận tệp")
    if found:
        advice = "Chạy cchc rebuild: hệ thống đọc lại từ bản gốc đã lưu, và nói rõ tệp nào phải lấy từ bản sao lưu."
        raise DamagedError(f"{_NOT_OFFICES_VI}: {'; '.join(found)}. {advice}")


def unknown_vi(path: Path) -> str:
    """What to say, and to do, about a file of rows that no receipt knows."""
    return (
        f"{path} không do hệ thống ghi, hoặc biên nhận {path.stem}.json đã mất (tệp lạ thì dời khỏi kho; biên nhận thì "
        "lấy lại từ bản sao lưu)"
    )

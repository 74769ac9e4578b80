"""Whether what ingestion left is still what it left: files of rows, and the table of deliveries, against the receipts.

Belongs here: the comparison that every hand-over begins with. Does not belong here: receipts themselves (``ledger``),
originals (hashed whenever they are read again), anything made from the rows.
"""

from __future__ import annotations

import pyarrow.parquet as pq

from common.files import sha256_file
from ingestion.base.lake import LAYERS, DamagedError
from ingestion.base.paths import IngestPaths
from ingestion.deliveries import ledger
from ingestion.deliveries.delivery_log import replacements


def check_store(paths: IngestPaths) -> None:
    """Raises :class:`DamagedError`, naming the files, where rows or the table of deliveries are not what was left.

    A file of rows that no receipt knows is named too: whoever reads the folder would count its rows.
    """
    receipts = ledger.read_receipts(paths)
    expected = {
        paths.rows_file(layer, r.source, r.quarter, r.unit_code, r.delivery_id): sha256
        for r in receipts.values()
        for layer, sha256 in r.rows_sha256.items()
    }
    # Of a stopped run, whose rows nobody counts; or read before receipts kept hashes, and no longer to be read again.
    unknown = {
        r.delivery_id
        for r in receipts.values()
        if not r.outcome or ((r.rows_accepted or r.rows_rejected) and not r.rows_sha256)
    }
    present = {
        path
        for layer in LAYERS
        for path in (paths.raw / layer).rglob("*.parquet")
        if path.name != "schema.parquet" and path.stem not in unknown
    }
    damaged = [path for path, sha256 in expected.items() if path not in present or sha256_file(path) != sha256]
    found = [
        *(f"{path} bị hỏng, bị sửa hoặc bị mất" for path in sorted(damaged)),
        *(f"{path} không do hệ thống ghi" for path in sorted(present - set(expected))),
    ]
    if receipts and not found:
        table = ledger.deliveries_table(receipts.values(), replacements(paths))
        if not paths.deliveries.exists() or pq.read_table(paths.deliveries) != table:
            found.append(f"{paths.deliveries} không khớp sổ nhận tệp")
    if found:
        advice = "Xóa các tệp vừa nêu rồi chạy lại cchc ingest: hệ thống đọc lại từ bản gốc đã lưu."
        raise DamagedError(f"Kho dữ liệu thô hư hại, không phải lỗi của tệp đã nộp: {'; '.join(found)}. {advice}")

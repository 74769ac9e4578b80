"""Accepted rows of current deliveries, for who needs them outside the warehouse.

Belongs here: reading them back whole, each delivery's as its receipt has them. Does not belong here: which row counts
where several have one key, which whoever counts decides.
"""

from __future__ import annotations

from typing import Any

from ingestion.base import lake
from ingestion.base.paths import IngestPaths
from ingestion.deliveries import ledger


def accepted_rows(paths: IngestPaths, source: str, unit: str, quarter: str) -> list[dict[str, Any]]:
    """The rows of a folder's current deliveries with their lineage (``_delivery_id``, ``_sheet``, ``_row``, …), those
    of the later delivery last. Raises ``DamagedError`` where rows are not those that were written.
    """
    receipts = ledger.read_receipts(paths)
    rows: list[dict[str, Any]] = []
    for delivery in ledger.current(paths, quarters=[quarter], source=source):
        if delivery["unit_code"] == unit:
            identity = delivery["delivery_id"]
            hashes = receipts[identity].rows_sha256
            table = lake.read_rows(paths, "lake", (source, quarter, unit, identity), hashes)
            rows += table.to_pylist() if table is not None else []
    return rows

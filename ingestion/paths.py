"""Where ingestion reads and writes. Made by the caller from its home folder; nothing here reads the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class IngestPaths:
    """The three folders ingestion knows: deliveries, the raw layer, and what goes back to the clerk."""

    landing: Path
    raw: Path
    rejected: Path

    @property
    def originals(self) -> Path:
        return self.raw / "originals"

    @property
    def ledger(self) -> Path:
        return self.raw / "ledger"

    @property
    def deliveries(self) -> Path:
        return self.raw / "deliveries.parquet"

    @property
    def lock(self) -> Path:
        return self.raw / ".lock"

    def lake(self, source: str) -> Path:
        return self.raw / "lake" / f"source={source}"

    def rows_file(self, layer: str, source: str, quarter: str, unit_code: str, delivery_id: str) -> Path:
        """File of one delivery in a row layer (``lake``, ``rejected`` or ``findings``)."""
        return (
            self.raw
            / layer
            / f"source={source}"
            / f"quarter={quarter}"
            / f"unit={unit_code}"
            / f"{delivery_id}.parquet"
        )

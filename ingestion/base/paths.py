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

    @property
    def remarks(self) -> Path:
        """Folder of the remarks on deliveries; ``schema.parquet`` in it has no rows."""
        return self.raw / "remarks"

    @property
    def landing_remarks(self) -> Path:
        return self.raw / "landing_remarks.parquet"

    def rows_file(self, layer: str, source: str, quarter: str, unit_code: str, delivery_id: str) -> Path:
        """File of one delivery in a row layer (see ``lake.LAYERS``)."""
        return (
            self.raw
            / layer
            / f"source={source}"
            / f"quarter={quarter}"
            / f"unit={unit_code}"
            / f"{delivery_id}.parquet"
        )

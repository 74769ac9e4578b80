"""Where ingestion reads and writes. Made by the caller from its home folder; nothing here reads the environment.

Belongs here: names of folders and files, and who may read them. Does not belong here: what is in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OutboxAccess:
    """Who besides this program may read what goes back to a unit.

    ``folder_mode`` is that of a unit's folders, files have it without the right to enter; ``group`` is the group that
    they belong to, empty for the program's own. ``{unit}`` in it stands for the unit's code.
    """

    folder_mode: int = 0o700
    group: str = ""

    @property
    def root_mode(self) -> int:
        """Mode of the outbox itself: where others may read a unit's folder they pass through, and see no names."""
        return 0o700 if self.folder_mode == 0o700 else 0o711

    def group_of(self, unit_code: str) -> str:
        return self.group.replace("{unit}", unit_code)


@dataclass(frozen=True, slots=True)
class IngestPaths:
    """The three folders ingestion knows: deliveries, the raw layer, and what goes back to the clerk."""

    landing: Path
    raw: Path
    outbox: Path
    access: OutboxAccess = field(default_factory=OutboxAccess)

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

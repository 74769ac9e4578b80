"""What a build of the dbt project exported, for tests that look at it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

QUARTER = "2023-Q1"
DISTRICT, OTHER_DISTRICT = "945", "942"
# As the pipeline runs it: dbt's own unit tests are of the code, not of the data.
BUILD = ("build", "--exclude-resource-type", "unit_test")


@dataclass(frozen=True)
class Build:
    """One run of `dbt build`: where its files lie, and how to read what it exported."""

    home: Path
    target: Path

    def compiled(self, model: str) -> str:
        """The SQL that a model was built with."""
        [path] = (self.target / "compiled" / "cchc" / "models").rglob(f"{model}.sql")
        return path.read_text(encoding="utf-8")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Answers a query in which `{mart}` stands for the exported file of the mart."""
        folder = self.home / "warehouse" / "build" / "marts"
        files = {path.stem: f"read_parquet('{path}')" for path in folder.glob("*.parquet")}
        with duckdb.connect() as connection:
            return connection.execute(query.format(**files)).fetchall()

    def figures(self, column: str = "value", unit: str = DISTRICT) -> dict[str, Any]:
        """One column of the report by indicator code."""
        query = f"select indicator_code, {column} from {{report_indicators}} where unit_code = '{unit}'"
        return dict(self.rows(query))

    def inputs(self, unit: str = DISTRICT) -> dict[str, Decimal | None]:
        """What the rules between rows are evaluated on, by name."""
        return dict(self.rows(f"select name, value from {{rule_inputs}} where unit_code = '{unit}'"))

    def hashes(self) -> dict[str, str]:
        """sha256 of every exported file by mart."""
        folder = self.home / "warehouse" / "build" / "marts"
        return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.parquet"))}


Invoke = Callable[..., Build]

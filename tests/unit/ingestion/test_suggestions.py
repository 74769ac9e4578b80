"""What is advised for a name that a register does not have, and that it costs little however many there are."""

from __future__ import annotations

import csv
import datetime as dt
import time
from pathlib import Path

import pytest

from ingestion.rows.resolve import ProcedureEntry, ProcedureRegistry

NAMES = Path(__file__).parents[3] / "sample" / "procedures.csv"
DAY = dt.date(2023, 1, 10)


@pytest.fixture(scope="module")
def registry() -> ProcedureRegistry:
    with NAMES.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    (column,) = [name for name in rows[0] if name == "name" or name.endswith("name")]
    return ProcedureRegistry(
        ProcedureEntry(f"1.{place:06}", row[column], dt.date(2020, 1, 1)) for place, row in enumerate(rows)
    )


def test_the_name_meant_is_advised(registry: ProcedureRegistry) -> None:
    for entry in registry.entries[::7]:
        longer = (f"{entry.name} - bổ sung", f"Thủ tục {entry.name}")
        for wrong in (*longer, entry.name[1:], entry.name.replace("a", "ă", 1)):
            found = registry.resolve(wrong, DAY)
            if found.rejection is not None and found.rejection.code == "unknown_procedure":
                assert entry.name in found.rejection.advice_vi, wrong


def test_what_is_advised_does_not_depend_on_what_was_asked_before(registry: ProcedureRegistry) -> None:
    asked = [f"{entry.name} {n}" for n, entry in enumerate(registry.entries[:40])]
    first = [registry.resolve(name, DAY) for name in asked]
    assert [registry.resolve(name, DAY) for name in reversed(asked)] == first[::-1]


def test_thousands_of_unknown_names_cost_little(registry: ProcedureRegistry) -> None:
    entries = registry.entries
    names = [f"{entries[n % len(entries)].name} Nguyễn Văn {n}" for n in range(2_000)]
    started = time.process_time()
    for name in names:
        registry.resolve(name, DAY)
    # 43 ms a name once; a tenth of that leaves room for a slow machine.
    assert (time.process_time() - started) / len(names) < 0.0043

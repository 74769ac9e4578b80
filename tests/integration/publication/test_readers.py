"""Readers that poll while releases come see one release or the next, whole, and never an older one again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.files import regular_files
from publication import DamagedPointer, Published, current_release
from publication.tables.annex import AnnexDamaged, read_annex_csv, read_annex_xlsx
from publication.tables.database import DamagedDatabase, read_database
from publication.tables.manifest import DamagedManifest
from tests.integration.publication.conftest import Home
from tests.integration.publication.publish_once import publish_once
from tests.integration.publication.watched import Watched
from tests.unit.publication.builders import QUARTER, UNIT, delivery

READERS = 3
_ROW = 3
_UNREADABLE = (OSError, DamagedPointer, DamagedManifest, AnnexDamaged, pa.ArrowException, DamagedDatabase)

#: Brings the next number to the readers: publishes it, or (to try the test) overwrites what is there.
Swap = Callable[[Home, int], None]


def poll(published: str, done: str) -> dict[str, int]:
    """Read again and again until the file ``done`` is there; every part must tell the same number.

    Returns how often a read was whole, torn (parts of two releases), unreadable, or backwards (an older number).
    """
    counts: Counter[str] = Counter()
    last = 0
    while not Path(done).exists():
        try:
            numbers = _read(Path(published), last % 8 == 0)
        except _UNREADABLE:
            counts["unreadable"] += 1
            continue
        kind = "torn" if len(numbers) > 1 else "backwards" if max(numbers) < last else "whole"
        counts[kind] += 1
        last = max(last, *numbers)
    return dict(counts)


def _read(published: Path, with_workbook: bool) -> set[int]:
    """The numbers that the parts of the current release tell. The pointer is read once."""
    release = current_release(published, UNIT, QUARTER)
    assert release is not None
    manifest = release.manifest()
    marts = pq.read_table(release.path / "marts" / "report_indicators.parquet", use_threads=False).to_pylist()
    figures = [
        marts[_ROW]["value"],
        read_annex_csv(release.path / "report" / "annex.csv")[_ROW].value,
        read_database(release.path / "marts.duckdb")["report_indicators"].to_pylist()[_ROW]["value"],
    ]
    if with_workbook:
        figures.append(read_annex_xlsx(release.path / "report" / "annex.xlsx")[_ROW].value)
    return {int(manifest.inputs[0]["delivery_id"]), *(int(figure or 0) for figure in figures)}


def _candidate(home: Home, number: int) -> Path:
    """A candidate whose figure and delivery both are the number."""
    return home.candidate(changes={"I.04": {"value": Decimal(number)}}, inputs=[delivery(content=f"{number:016d}")])


def _publish(home: Home, number: int) -> None:
    writer = Watched(publish_once, *home.arguments(_candidate(home, number), expected=number - 1))
    writer.go()
    assert writer.end() == f"Published r{number}"


def _overwrite_in_place(home: Home, number: int) -> None:
    """What a careless writer does: the next files and the next pointer over those that are there."""
    twin = Home(home.root / f"twin-{number}", home.only)
    made = twin.publish(_candidate(twin, number))
    assert isinstance(made, Published)
    target = home.quarter_dir / made.release.name
    for name, path in regular_files(made.release.path).items():
        (target / name).chmod(0o644)
        (target / name).write_bytes(path.read_bytes())
    (home.quarter_dir / "current.json").write_bytes((twin.quarter_dir / "current.json").read_bytes())


def _poll_while(home: Home, swap: Swap, swaps: int) -> Counter[str]:
    """Readers in processes of their own poll while swaps are made; returns the sum of what they count."""
    assert isinstance(home.publish(_candidate(home, 1)), Published)
    done = home.root / "done"
    readers = [Watched(poll, str(home.published), str(done)) for _ in range(READERS)]
    for reader in readers:
        reader.go()
    try:
        for number in range(2, swaps + 2):
            swap(home, number)
    finally:
        done.touch()
    return sum((Counter(reader.end()) for reader in readers), Counter())


def test_polling_readers_see_no_mix_and_never_go_back(light_home: Home) -> None:
    counts = _poll_while(light_home, _publish, 4)
    assert set(counts) == {"whole"}, counts
    assert counts["whole"] > 4


def test_the_same_readers_catch_a_writer_who_overwrites(light_home: Home) -> None:
    """The test of the test: without new folders and one pointer the readers do see faults."""
    counts = _poll_while(light_home, _overwrite_in_place, 5)
    assert counts["torn"] + counts["unreadable"] > 0, counts


@pytest.mark.long
def test_over_two_hundred_swaps(light_home: Home) -> None:
    counts = _poll_while(light_home, _publish, 200)
    assert set(counts) == {"whole"}, counts
    assert counts["whole"] >= 3000

"""Readers that poll while releases come see one release or the next, whole, and never an older one again."""

from __future__ import annotations

import threading
from decimal import Decimal

import pyarrow.parquet as pq

from publication import current_release, read_annex_csv
from publication.database import read_database
from tests.integration.publication.conftest import Home
from tests.unit.publication.builders import QUARTER, UNIT, delivery

RELEASES = 6


def _poll(home: Home, done: threading.Event, seen: list[int], faults: list[str]) -> None:
    """Read the pointer once, then all through it: every part must tell the figure that is the release's number."""
    while not done.is_set():
        release = current_release(home.published, UNIT, QUARTER)
        if release is None:
            continue
        manifest = release.manifest()
        marts = pq.read_table(release.path / "marts" / "report_indicators.parquet").to_pylist()
        csv = read_annex_csv(release.path / "report" / "annex.csv")
        stored = read_database(release.path / "marts.duckdb")["report_indicators"].to_pylist()
        figures = {marts[3]["value"], csv[3].value, stored[3]["value"]}
        if figures != {Decimal(release.number)} or manifest.release != release.number:
            faults.append(f"{release.name}: {figures}")
        seen.append(release.number)


def test_polling_readers_see_no_mix_and_never_go_back(home: Home) -> None:
    candidates = [
        home.candidate(changes={"I.04": {"value": Decimal(number)}}, inputs=[delivery(content=str(number))])
        for number in range(1, RELEASES + 1)
    ]
    done = threading.Event()
    seen: list[list[int]] = [[], []]
    faults: list[str] = []
    readers = [threading.Thread(target=_poll, args=(home, done, mine, faults)) for mine in seen]
    for reader in readers:
        reader.start()
    try:
        for number, folder in enumerate(candidates, start=1):
            process = home.start(folder, expected=number - 1 or None)
            assert process.communicate(timeout=60)[0].strip() == f"Published r{number}"
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert faults == []
    for mine in seen:
        assert mine == sorted(mine)
        assert len(set(mine)) > 1

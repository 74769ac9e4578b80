"""A file that is written with pauses longer than any window: what is taken of it, and how it is said.

Belongs here: states of a delivery in time, through the landing folder. Does not belong here: one cut file alone
(``test_damaged_files``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ingestion import ingest_source, read_deliveries
from ingestion.base.limits import IntakeLimits
from ingestion.deliveries.ledger import read_receipts
from ingestion.reading.grid import NOTHING_PROVES_VI
from tests.corpus.tables import HEAD, SOURCE, text_rows
from tests.corpus.writers import csv_text
from tests.integration.ingestion.conftest import KEY, LOCAL, QUARTER, Home

PLAIN = csv_text([HEAD, *text_rows()]).encode()
COUNTED = csv_text([["UBND huyện"], HEAD, *text_rows(), ["Tổng cộng: 6 nhiệm vụ"]]).encode()
AT_REST = IntakeLimits(stability_seconds=0)
STRICT = IntakeLimits(stability_seconds=0, csv_needs_proof=True)
NOON = dt.datetime(2023, 3, 15, 12, 0, tzinfo=LOCAL)


def at_rest(home: Home, data: bytes, minute: int = 0, limits: IntakeLimits = AT_REST) -> dict[str, Any] | None:
    """The delivery after a run that found these bytes, last changed long ago; None where nothing was taken in."""
    path = home.place(SOURCE, "a.csv")
    path.write_bytes(data)
    home.touch(path, NOON + dt.timedelta(minutes=minute))
    ingest_source(home.paths, SOURCE, QUARTER, reference=home.reference, secret_key=KEY, limits=limits)
    return home.delivery(SOURCE) if read_receipts(home.paths) else None


def codes(home: Home) -> list[str]:
    return [row["task_code"] for row in home.rows(SOURCE)]


ALL = [str(row[1]) for row in text_rows()]


def places(data: bytes, count: int) -> list[int]:
    """Where a writer may pause: evenly over the file, and at every line end."""
    ends = [i + 1 for i, byte in enumerate(data[:-1]) if byte == 0x0A]
    return sorted({*range(1, len(data), max(1, len(data) // count)), *ends})


def sealed(path: Path, data: bytes) -> None:
    path.with_name(f"{path.name}.done").write_text(json.dumps({"sha256": hashlib.sha256(data).hexdigest()}))


def paused(home: Home, data: bytes, stops: Sequence[int], limits: IntakeLimits = AT_REST) -> int:
    """Lets the writer pause at each place; returns how often a part of the rows was taken for the file."""
    partial = 0
    for minute, stop in enumerate(stops):
        found = at_rest(home, data[:stop], minute, limits)
        if found is not None and found["rows_accepted"]:
            partial += codes(home) != ALL
    whole = at_rest(home, data, len(stops), limits)
    assert whole is not None
    assert (whole["outcome"], codes(home)) == ("accepted", ALL)
    return partial


@pytest.mark.parametrize("count", [4, pytest.param(200, marks=pytest.mark.long)])
def test_no_part_of_a_csv_that_can_be_proven_whole_is_taken(home: Home, tmp_path: Path, count: int) -> None:
    assert paused(home, COUNTED, places(COUNTED, count), STRICT) == 0
    other = Home(tmp_path / "sealed", home.reference)
    sealed(other.place(SOURCE, "a.csv"), PLAIN)
    assert paused(other, PLAIN, places(PLAIN, count)) == 0


def test_a_csv_without_proof_is_taken_at_line_ends_only_and_that_is_said(home: Home) -> None:
    ends = [i + 1 for i, byte in enumerate(PLAIN[:-1]) if byte == 0x0A]
    assert paused(home, PLAIN, [end - 3 for end in ends]) == 0


def newest(home: Home) -> dict[str, Any]:
    """The version that came last, whether it counts or not."""
    return max(read_deliveries(home.paths).to_pylist(), key=lambda row: row["version"])


CUT = PLAIN[: PLAIN[:-2].rindex(b"\n") + 1]


@pytest.mark.parametrize("minute", [5, -5])
def test_a_later_version_that_is_the_beginning_of_an_earlier_one_is_held_whatever_its_time(
    home: Home, minute: int
) -> None:
    at_rest(home, PLAIN, 0)
    counts = at_rest(home, CUT, minute)
    found = newest(home)
    assert (found["outcome"], found["refusal"], found["rows_read"]) == ("refused", "truncated", 0)
    assert "phần đầu của bản cùng tên" in found["message_vi"]
    assert counts is not None
    assert (counts["version"], codes(home)) == (1, ALL)
    whole = at_rest(home, PLAIN + b"\r\n", 9)
    assert whole is not None
    assert (whole["outcome"], codes(home)) == ("accepted", ALL)


def test_an_earlier_version_that_a_later_one_goes_on_from_was_only_slow(home: Home) -> None:
    first = at_rest(home, CUT, 0)
    assert first is not None
    assert first["outcome"] == "accepted"
    assert NOTHING_PROVES_VI in first["message_vi"]
    second = at_rest(home, PLAIN, 5)
    assert second is not None
    assert (second["outcome"], second["version"], codes(home)) == ("accepted", 2, ALL)


def test_rows_may_be_taken_off_the_end_where_the_sender_vouches_for_it(home: Home) -> None:
    at_rest(home, PLAIN, 0)
    sealed(home.place(SOURCE, "a.csv"), CUT)
    found = at_rest(home, CUT, 5)
    assert found is not None
    assert (found["outcome"], codes(home)) == ("accepted", ALL[:-1])
    assert NOTHING_PROVES_VI not in found["message_vi"]


def test_what_was_found_while_both_versions_were_kept_holds_after_one_is_purged(home: Home) -> None:
    at_rest(home, PLAIN, 0)
    at_rest(home, CUT, 5)
    (whole,) = [p for p in home.paths.originals.rglob("*.csv") if p.read_bytes() == PLAIN]
    whole.unlink()
    ingest_source(home.paths, SOURCE, QUARTER, reference=home.reference, secret_key=KEY, limits=AT_REST)
    assert newest(home)["refusal"] == "truncated"

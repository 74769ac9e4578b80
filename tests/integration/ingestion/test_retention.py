"""Retention: what is past its time goes, from every place that holds it, and the log says so."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ingestion import expired_files, inputs, not_rereadable, purge, read_deliveries
from ingestion.deliveries.integrity import check_store
from ingestion.deliveries.retention import PurgeLogDamagedError, log_path, read_log

HEAD = ["Số phiếu", "Họ và tên", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
CANARY = "Hoàng Yến Canh Gác"
DAYS = 30
CLOSING = dt.date(2023, 3, 14)
LONG_AFTER = dt.date(2199, 1, 1)


def deliver(home: Any, name: str = "a.xlsx", number: int = 1) -> Path:
    path: Path = home.workbook(
        "survey_responses",
        [
            HEAD,
            [f"P{number}", CANARY, "Phiếu giấy", "10/01/2023", "Hài lòng"],
            ["X", CANARY, "Bồ câu", "10/01/2023", "Hài lòng"],
        ],
        name=name,
    )
    return path


def kept(home: Any) -> list[Path]:
    """Files that show what the clerk wrote."""
    folders = (home.paths.originals, home.paths.outbox, home.paths.landing)
    found = [p for folder in folders for p in sorted(folder.rglob("*")) if p.is_file()]
    layers = [p for layer in ("rejected", "findings") for p in sorted((home.paths.raw / layer).rglob("*.parquet"))]
    return found + [p for p in layers if any(pq.ParquetFile(p).read()["value"].to_pylist())]


def taken_in(home: Any, day: dt.date) -> None:
    """As if the originals had been taken in on that day."""
    moment = dt.datetime(day.year, day.month, day.day, 12).timestamp()
    for path in home.paths.originals.rglob("*"):
        os.utime(path, (moment, moment))


def test_everything_that_shows_the_clerks_cells_goes_and_the_rows_stay(home: Any) -> None:
    deliver(home)
    home.place("survey_responses", "rác.xlsx").write_bytes(CANARY.encode())
    home.ingest()
    rows, before = home.rows("survey_responses"), inputs(home.paths, ["945"], ["2023-Q1"])
    assert len(kept(home)) == 7
    gone = purge(home.paths, home.reference, DAYS, LONG_AFTER)
    assert {file.kind for file in gone} == {
        "original", "rejection_workbook", "landing_file", "returned_values",
    }  # fmt: skip
    assert kept(home) == []
    check_store(home.paths)
    assert home.ingest().files_read == 0
    assert (home.rows("survey_responses"), inputs(home.paths, ["945"], ["2023-Q1"])) == (rows, before)
    assert kept(home) == []


def test_nothing_goes_before_its_time(home: Any) -> None:
    deliver(home)
    home.ingest()
    taken_in(home, dt.date(2023, 3, 20))
    last_day = dt.date(2023, 3, 20) + dt.timedelta(days=DAYS)
    assert expired_files(home.paths, home.reference, DAYS, last_day) == []
    first = expired_files(home.paths, home.reference, DAYS, last_day + dt.timedelta(days=1))
    assert {file.kind for file in first} >= {"original", "rejection_workbook"}
    assert {file.expired_on for file in first if file.kind == "original"} == {last_day.isoformat()}


def test_what_was_taken_in_before_the_closing_counts_from_the_closing(home: Any) -> None:
    deliver(home)
    home.ingest()
    taken_in(home, dt.date(2023, 1, 2))
    assert expired_files(home.paths, home.reference, DAYS, CLOSING + dt.timedelta(days=DAYS)) == []
    assert expired_files(home.paths, home.reference, DAYS, CLOSING + dt.timedelta(days=DAYS + 1)) != []


def test_a_content_that_two_folders_share_stays_as_long_as_the_later_one_needs_it(home: Any) -> None:
    path = deliver(home)
    later = home.place("survey_responses", "a.xlsx", quarter="2023-Q2")
    later.write_bytes(path.read_bytes())
    home.ingest()
    home.ingest("2023-Q2")
    taken_in(home, dt.date(2023, 1, 2))
    assert expired_files(home.paths, home.reference, DAYS, CLOSING + dt.timedelta(days=DAYS + 1)) == []
    (original,) = [f for f in expired_files(home.paths, home.reference, DAYS, LONG_AFTER) if f.kind == "original"]
    assert len(original.delivery_ids) == 2


def test_looking_deletes_nothing_and_purging_twice_deletes_once(home: Any) -> None:
    deliver(home)
    home.ingest()
    looked = expired_files(home.paths, home.reference, DAYS, LONG_AFTER)
    assert len(kept(home)) == 4
    assert purge(home.paths, home.reference, DAYS, LONG_AFTER) == looked
    assert purge(home.paths, home.reference, DAYS, LONG_AFTER) == []
    assert [entry.file for entry in read_log(home.paths)] == looked


def test_a_newer_file_under_the_same_name_is_not_deleted_from_landing(home: Any) -> None:
    deliver(home)
    home.ingest()
    newer = deliver(home, number=2)
    assert "landing_file" not in {f.kind for f in purge(home.paths, home.reference, DAYS, LONG_AFTER)}
    assert newer.exists()


def test_a_file_delivered_again_after_the_purge_can_be_read_again(home: Any) -> None:
    content = deliver(home).read_bytes()
    home.ingest()
    purge(home.paths, home.reference, DAYS, LONG_AFTER)
    (identity,) = [d["delivery_id"] for d in read_deliveries(home.paths).to_pylist()]
    assert not_rereadable(home.paths) == {identity: LONG_AFTER.isoformat()}
    home.place("survey_responses", "a.xlsx").write_bytes(content)
    home.ingest()
    assert not_rereadable(home.paths) == {}


def test_an_original_that_vanished_without_a_purge_is_told_apart(home: Any) -> None:
    deliver(home)
    home.ingest()
    for path in [p for p in home.paths.originals.rglob("*") if p.is_file()]:
        path.unlink()
    assert list(not_rereadable(home.paths).values()) == [None]


def test_the_log_is_chained_and_a_changed_or_missing_entry_stops_the_next_purge(home: Any) -> None:
    for n in (1, 2):
        deliver(home, f"{n}.xlsx", n)
    home.ingest()
    purge(home.paths, home.reference, DAYS, LONG_AFTER)
    path = log_path(home.paths)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(lines) == 8
    changed = json.loads(lines[1]) | {"purged_on": "2000-01-01"}
    for damaged in (
        [lines[0], json.dumps(changed, ensure_ascii=False) + "\n", *lines[2:]],
        [lines[0], *lines[2:]],
        lines[1:],
        ["không phải JSON\n", *lines],
    ):
        path.write_text("".join(damaged), encoding="utf-8")
        deliver(home, "c.xlsx", 3)
        home.ingest()
        before = kept(home)
        with pytest.raises(PurgeLogDamagedError):
            purge(home.paths, home.reference, DAYS, LONG_AFTER)
        assert kept(home) == before


def test_a_half_written_last_entry_is_cut_off(home: Any) -> None:
    deliver(home)
    home.ingest()
    purge(home.paths, home.reference, DAYS, LONG_AFTER)
    path = log_path(home.paths)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:50])
    assert len(read_log(home.paths)) == 4
    deliver(home, "b.xlsx", 2)
    home.ingest()
    purge(home.paths, home.reference, DAYS, LONG_AFTER)
    assert len(read_log(home.paths)) == 8


def test_a_stopped_purge_has_logged_what_it_deleted_and_the_next_one_ends_it(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(home)
    home.ingest()

    def power_cut(path: Path) -> None:
        raise OSError("mất điện")

    with monkeypatch.context() as patch:
        patch.setattr("ingestion.deliveries.retention.fsync_path", power_cut)
        with pytest.raises(OSError, match="mất điện"):
            purge(home.paths, home.reference, DAYS, LONG_AFTER)
    assert len(kept(home)) == 3
    assert [e.file.kind for e in read_log(home.paths)] == ["landing_file"]
    purge(home.paths, home.reference, DAYS, LONG_AFTER)
    assert kept(home) == []
    assert len(read_log(home.paths)) == 4


def test_after_the_purge_no_byte_of_a_name_is_left(home: Any) -> None:
    deliver(home)
    home.ingest()
    purge(home.paths, home.reference, DAYS, LONG_AFTER)
    for path in [p for p in home.paths.raw.parent.rglob("*") if p.is_file()]:
        assert CANARY.encode() not in path.read_bytes()

"""Retention: what is past its time goes, from every place that holds it, and the log says so."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from common.chained_log import chained
from ingestion import DamagedError, expired_files, inputs, not_rereadable, purge, read_deliveries
from ingestion.base.limits import IntakeLimits
from ingestion.deliveries.integrity import check_store
from ingestion.deliveries.retention import Purged, log_path, purged_originals, read_log
from ingestion.mending import mend_store
from tests.support.stopped_calls import How, at_each_call

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
    gone = purge(home.paths, home.reference, DAYS, LONG_AFTER).deleted
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
    assert purge(home.paths, home.reference, DAYS, LONG_AFTER) == Purged(looked, {})
    assert purge(home.paths, home.reference, DAYS, LONG_AFTER) == Purged([], {})
    assert [entry.file for entry in read_log(home.paths)] == looked


def test_a_newer_file_under_the_same_name_is_not_deleted_from_landing(home: Any) -> None:
    deliver(home)
    home.ingest()
    newer = deliver(home, number=2)
    assert "landing_file" not in {f.kind for f in purge(home.paths, home.reference, DAYS, LONG_AFTER).deleted}
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
        with pytest.raises(DamagedError):
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


@pytest.mark.parametrize("how", ["killed", "full"])
def test_a_purge_that_is_stopped_anywhere_is_ended_by_the_next_run(
    home: Any, tmp_path_factory: pytest.TempPathFactory, how: How
) -> None:
    deliver(home)
    home.ingest()
    root, spare = home.paths.raw.parent, tmp_path_factory.mktemp("spare") / "home"
    aside = root / "set_aside" / "raw" / "x.parquet.1"
    aside.parent.mkdir(parents=True)
    aside.write_bytes(CANARY.encode())
    shutil.copytree(root, spare)

    def prepare() -> None:
        shutil.rmtree(root)
        shutil.copytree(spare, root)

    stopped = 0
    for number in at_each_call(prepare, lambda: purge(home.paths, home.reference, DAYS, LONG_AFTER), how):
        foreseen = mended(home, dry_run=True)
        done = mended(home)
        assert (done.lost, done.named, done.problems) == ([], [], []), number
        assert foreseen.mended == done.mended
        stopped += any("xóa nốt" in one.remedy_vi for one in done.mended)
        check_store(home.paths)
        assert CANARY.encode() not in b"".join(
            p.read_bytes() for p in root.glob("set_aside/raw/rejected/**/*.parquet*")
        )
        left = purge(home.paths, home.reference, DAYS, LONG_AFTER)
        assert left.left == {}
        assert kept(home) == []
        assert not aside.exists()
        assert {e.file.kind for e in read_log(home.paths) if e.deleted} >= {"original", "landing_file", "set_aside"}
    assert stopped, "the two writes of one file were never told apart"


def mended(home: Any, *, dry_run: bool = False) -> Any:
    return mend_store(home.paths, home.reference, lambda: b"k" * 32, IntakeLimits(), originals=True, dry_run=dry_run)


def test_a_file_that_may_not_be_deleted_keeps_no_other_and_the_log_says_so(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(home)
    home.ingest()
    unlink = Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if home.paths.landing in path.parents or home.paths.originals in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        done = purge(home.paths, home.reference, DAYS, LONG_AFTER)
    assert [file.kind for file in done.left] == ["landing_file", "original"]
    assert {file.kind for file in done.deleted} == {"rejection_workbook", "returned_values"}
    log = [(entry.file.kind, entry.deleted) for entry in read_log(home.paths)]
    assert log[:4] == [("landing_file", True), ("landing_file", False), ("original", True), ("original", False)]
    assert not_rereadable(home.paths) == {}
    assert purged_originals(home.paths) == {}
    assert {f.kind for f in purge(home.paths, home.reference, DAYS, LONG_AFTER).deleted} == {"landing_file", "original"}
    assert kept(home) == []


def test_damaged_values_keep_no_other_file_and_are_told(home: Any) -> None:
    deliver(home)
    home.ingest()
    [path] = (home.paths.raw / "rejected").rglob("*.parquet")
    path.write_bytes(b"PAR1 and no more")
    done = purge(home.paths, home.reference, DAYS, LONG_AFTER)
    assert [file.kind for file in done.left] == ["returned_values"]
    assert {file.kind for file in done.deleted} == {"landing_file", "original", "rejection_workbook"}
    assert [(e.file.kind, e.deleted) for e in read_log(home.paths)][-1] == ("returned_values", False)


HARMS = {
    "changed": lambda data: data.replace(b"2199", b"2198", 1),
    "cut": lambda data: data[len(data) // 3 :],
    "no_json": lambda data: b"\xff\x00\n" + data,
    "of_another_kind": lambda data: chained([{"x": 1}]),
    "a_folder": None,
}


@pytest.mark.parametrize("harm", list(HARMS))
def test_a_damaged_log_is_named_and_hinders_only_what_needs_it(home: Any, harm: str) -> None:
    deliver(home)
    home.ingest()
    purge(home.paths, home.reference, DAYS, LONG_AFTER)
    path, change = log_path(home.paths), HARMS[harm]
    data = path.read_bytes()
    path.unlink()
    if change is None:
        path.mkdir()
    else:
        path.write_bytes(change(data))
    home.paths.deliveries.unlink()
    done = mended(home)
    assert (done.lost, done.problems) == ([], [])
    (named,) = done.named
    assert str(path) in named
    assert "cchc restore" in named
    assert [one.path for one in done.mended] == [str(home.paths.deliveries)], "what does not need it is made again"
    with pytest.raises(DamagedError, match="nhật ký xóa"):
        purge(home.paths, home.reference, DAYS, LONG_AFTER)
    deliver(home, "b.xlsx", 2)
    assert home.ingest().files_read == 1


def test_after_the_purge_no_byte_of_a_name_is_left(home: Any) -> None:
    deliver(home)
    home.ingest()
    purge(home.paths, home.reference, DAYS, LONG_AFTER)
    for path in [p for p in home.paths.raw.parent.rglob("*") if p.is_file()]:
        assert CANARY.encode() not in path.read_bytes()

"""What ingestion left is held against its receipts before anybody reads it; a damaged store is nobody's delivery."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from ingestion import IntakeLimits, check_store, engine, mend_store, read_deliveries, status
from ingestion.base import lake
from ingestion.base.lake import DamagedError
from ingestion.deliveries import landing, ledger, readings
from tests.integration.ingestion.conftest import KEY

HEAD = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]


def answers(*numbers: int, mark: str = "Hài lòng") -> list[list[Any]]:
    return [HEAD, *([f"P{n}", "Phiếu giấy", "10/01/2023", mark] for n in numbers)]


def lake_file(home: Any) -> Path:
    (path,) = home.paths.lake("survey_responses").glob("quarter=*/unit=*/*.parquet")
    return Path(path)


def edit(home: Any) -> Path:
    path = lake_file(home)
    pq.write_table(pq.ParquetFile(path).read().slice(1), path)
    return path


def cut(home: Any) -> Path:
    path = lake_file(home)
    path.write_bytes(path.read_bytes()[:-20])
    return path


def lose(home: Any) -> Path:
    path = lake_file(home)
    path.unlink()
    return path


def plant(home: Any) -> Path:
    path = lake_file(home)
    planted = path.with_name("0123456789abcdef.parquet")
    shutil.copy(path, planted)
    return planted


def forge_deliveries(home: Any) -> Path:
    table = read_deliveries(home.paths)
    lake.write_table(home.paths.deliveries, table.slice(0, 0))
    return Path(home.paths.deliveries)


@pytest.mark.parametrize("harm", [edit, cut, lose, plant, forge_deliveries])
def test_a_changed_store_is_seen_named_and_mended_from_the_originals(home: Any, harm: Any) -> None:
    home.workbook("survey_responses", answers(1, 2))
    home.ingest()
    check_store(home.paths)
    whole = lake_file(home).read_bytes()
    path = harm(home)
    with pytest.raises(DamagedError) as caught:
        check_store(home.paths)
    assert str(path) in str(caught.value)
    assert "không phải lỗi của tệp đã nộp" in str(caught.value)
    path.unlink(missing_ok=True)  # as the message says
    home.ingest()
    check_store(home.paths)
    assert lake_file(home).read_bytes() == whole


def test_a_planted_or_rotten_original_is_a_fault_and_no_finding_about_the_delivery(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.workbook("survey_responses", answers(1, 2))
    home.ingest()
    before = home.delivery("survey_responses")
    (original,) = [p for p in home.paths.originals.rglob("*") if p.is_file()]
    good = original.read_bytes()
    other = home.workbook("survey_responses", answers(7, 8, 9), name="elsewhere.xlsx")
    original.write_bytes(other.read_bytes())
    other.unlink()
    monkeypatch.setattr(engine, "INGEST_VERSION", engine.INGEST_VERSION + 1)  # everything is read again
    (problem,) = home.ingest().problems
    assert (problem.code, problem.is_fault) == ("store_damaged", True)
    assert str(original) in problem.message_vi
    assert home.delivery("survey_responses") == before
    original.unlink()  # as the message says; the file still lies in the landing folder
    home.ingest()
    assert original.read_bytes() == good
    assert len(home.rows("survey_responses")) == 2


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("place", ["copy", "rows", "read"])
def test_a_failing_disk_is_a_fault_and_the_next_run_takes_the_delivery(
    home: Any, monkeypatch: pytest.MonkeyPatch, code: int, place: str
) -> None:
    home.workbook("survey_responses", answers(1, 2))
    error = OSError(code, os.strerror(code))

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        if place == "copy":
            patch.setattr(landing, "_place_copy", fail)
        elif place == "rows":
            patch.setattr(engine.lake, "write_rows", fail)
        else:
            patch.setattr(readings, "whole", fail)
        report = home.ingest(sources=["survey_responses"])
    assert [p.is_fault for p in report.problems] == [True]
    assert not [d for d in read_deliveries(home.paths).to_pylist() if d["outcome"] == "refused"]
    home.ingest()
    (state,) = status(home.paths, ["945"], "2023-Q1", ["survey_responses"])
    assert (state.state, state.rows_accepted) == ("delivered", 2)


# ----------------------------------------------------------------------------------------- rejection workbooks put back


def mend(path: Path, mended: dict[str, str]) -> bytes:
    """The workbook as a clerk leaves it: some answers mended, its own columns and properties untouched."""
    book = openpyxl.load_workbook(path)
    for row in book.active.iter_rows():
        cells = {cell.value: cell for cell in row}
        for number, mark in mended.items():
            if number in cells:
                row[-1].value = mark
    book.save(path)
    return path.read_bytes()


def test_a_mended_workbook_that_is_delivered_ends_what_it_was_sent_back_for(home: Any, tmp_path: Path) -> None:
    home.workbook("survey_responses", [*answers(1), *answers(2, 3, 4, mark="không rõ")[1:]])
    home.ingest()
    (answer,) = home.paths.outbox.rglob("*.xlsx")
    back = tmp_path / answer.name
    back.write_bytes(answer.read_bytes())
    home.place("survey_responses", answer.name).write_bytes(mend(back, {"P2": "Hài lòng", "P3": "Hài lòng"}))
    home.ingest()
    found = {d["file_name"]: d for d in read_deliveries(home.paths).to_pylist()}
    first, second = found["a.xlsx"], found[answer.name]
    assert (first["rows_rejected"], first["rows_mended"]) == (3, 3)
    assert (second["rows_accepted"], second["rows_rejected"]) == (2, 1)
    assert {r["form_number"] for r in home.rows("survey_responses")} == {"P1", "P2", "P3"}
    (state,) = status(home.paths, ["945"], "2023-Q1", ["survey_responses"])
    assert (state.rows_accepted, state.rows_rejected) == (3, 1)
    (left,) = home.paths.outbox.rglob("*.xlsx")  # of what is still wrong, and of nothing else
    assert left.name == f"{answer.name}.rejected.xlsx"
    last = tmp_path / left.name
    last.write_bytes(left.read_bytes())
    home.place("survey_responses", left.name).write_bytes(mend(last, {"P4": "Hài lòng"}))
    home.ingest()
    (state,) = status(home.paths, ["945"], "2023-Q1", ["survey_responses"])
    assert (state.rows_accepted, state.rows_rejected) == (4, 0)
    assert not list(home.paths.outbox.rglob("*.xlsx"))
    assert sum(len(r.mended) for r in ledger.read_receipts(home.paths).values()) == 2


def test_rows_taken_out_of_the_workbook_are_still_missing(home: Any, tmp_path: Path) -> None:
    home.workbook("survey_responses", [*answers(1), *answers(2, 3, mark="không rõ")[1:]])
    home.ingest()
    (answer,) = home.paths.outbox.rglob("*.xlsx")
    back = tmp_path / answer.name
    back.write_bytes(answer.read_bytes())
    mend(back, {"P2": "Hài lòng"})
    book = openpyxl.load_workbook(back)
    (row,) = [r[0].row for r in book.active.iter_rows() if any(c.value == "P3" for c in r)]
    book.active.delete_rows(row)
    book.save(back)
    home.place("survey_responses", answer.name).write_bytes(back.read_bytes())
    home.ingest()
    (state,) = status(home.paths, ["945"], "2023-Q1", ["survey_responses"])
    assert (state.rows_accepted, state.rows_rejected) == (2, 1)
    (left,) = home.paths.outbox.rglob("*.xlsx")
    cells = [c for row in openpyxl.load_workbook(left).active.iter_rows(values_only=True) for c in row]
    assert "P3" in cells
    assert "P2" not in cells


# ------------------------------------------------------------------------------------- records nothing can be made from


def receipt_of(home: Any, unit: str) -> Path:
    (found,) = [r for r in ledger.read_receipts(home.paths).values() if r.unit_code == unit]
    return Path(home.paths.ledger / f"{found.delivery_id}.json")


def test_every_byte_of_a_receipt_counts(home: Any) -> None:
    home.workbook("survey_responses", answers(1, 2))
    home.ingest()
    path = receipt_of(home, "945")
    data = path.read_bytes()
    assert ledger.read_ledger(home.paths).damaged == []
    for place in range(0, len(data) - 1, 7):
        # Not a letter's case nor a blank between two words of JSON: both would be other bytes of the same record.
        path.write_bytes(data[:place] + bytes([data[place] ^ 3]) + data[place + 1 :])
        same = data[place : place + 1].isspace()
        assert same or ledger.read_ledger(home.paths).damaged == [path], (place, data[place : place + 1])


def test_a_damaged_receipt_holds_its_folder_and_no_other(home: Any) -> None:
    for unit in ("945", "941"):
        home.workbook("survey_responses", answers(1, 2), unit=unit)
    home.ingest()
    path = receipt_of(home, "945")
    garbled = path.read_bytes()[:100]
    path.write_bytes(garbled)
    home.workbook("survey_responses", answers(1, 2, 3))
    home.workbook("survey_responses", answers(5, 6, 7), unit="941")
    problems = home.ingest(sources=["survey_responses"]).problems
    (held,) = [p for p in problems if p.code == "store_damaged"]
    assert (held.path, held.is_fault) == ("945/2023-Q1/survey_responses", True)
    assert str(path) in held.message_vi
    assert "cchc restore" in held.message_vi
    assert path.read_bytes() == garbled, "the folder is left alone: nothing is written over what is damaged"
    assert {d["unit_code"] for d in read_deliveries(home.paths).to_pylist()} == {"941"}
    (state,) = status(home.paths, ["941"], "2023-Q1", ["survey_responses"])
    assert (state.state, state.rows_accepted) == ("delivered", 3)
    check_store(home.paths)


def test_a_receipt_that_says_nothing_of_whose_it_was_stops_all_by_name(home: Any) -> None:
    home.workbook("survey_responses", answers(1, 2))
    home.ingest()
    path = home.paths.ledger / "0123456789abcdef.json"
    path.write_text("{")
    with pytest.raises(DamagedError) as caught:
        home.ingest()
    assert str(path) in str(caught.value)
    assert "cchc restore" in str(caught.value)


@pytest.mark.parametrize("in_landing", [True, False])
def test_a_damaged_record_of_a_delivery_log_is_read_again_or_named(home: Any, in_landing: bool) -> None:
    home.workbook("survey_responses", answers(1), name="a.xlsx")
    home.workbook("survey_responses", answers(2), name="b.xlsx")
    log = home.paths.landing / "945" / "2023-Q1" / "delivery_log.csv"
    log.write_text("source,file,replaces\nsurvey_responses,b.xlsx,a.xlsx\n", encoding="utf-8")
    home.ingest()
    before = read_deliveries(home.paths)
    (record,) = (home.paths.ledger / "logs").glob("*.json")
    record.write_bytes(record.read_bytes().replace(b"a.xlsx", b"c.xlsx"))
    if not in_landing:
        log.unlink()
    mended = mend_store(home.paths, home.reference, lambda: KEY, IntakeLimits())
    if in_landing:
        assert [one.path for one in mended.mended] == [str(record)]
        assert mended.problems == []
        assert read_deliveries(home.paths) == before
        check_store(home.paths)
    else:
        (held,) = mended.problems
        assert (held.path, held.is_fault) == ("945/2023-Q1/delivery_log.csv", True)
        assert str(record) in held.message_vi


def test_a_lost_count_of_looks_makes_nothing_later_than_it_was(home: Any) -> None:
    for numbers in ((1,), (2,), (3,)):
        home.workbook("survey_responses", answers(*numbers), name=f"{numbers[0]}.xlsx")
        home.ingest()
    (counted,) = (home.paths.ledger / "looks").glob("*survey_responses.json")
    counted.write_text("rubbish")
    (told,) = mend_store(home.paths, home.reference, lambda: KEY, IntakeLimits()).mended
    assert told.path == str(counted)
    home.workbook("survey_responses", answers(4), name="4.xlsx")
    home.ingest()
    seen = {d["file_name"]: d["first_seen"] for d in read_deliveries(home.paths).to_pylist()}
    # Whether the third look was whole is not known any more, so the fourth file may have come with the third.
    assert seen == {"1.xlsx": 1, "2.xlsx": 2, "3.xlsx": 3, "4.xlsx": 3}


def test_rows_that_the_original_does_not_lead_to_are_not_made_up(home: Any) -> None:
    """A receipt that says something else than its original reads to: the rows stay lost, and are named."""
    home.workbook("survey_responses", answers(1, 2))
    home.ingest()
    (receipt,) = ledger.read_receipts(home.paths).values()
    said = receipt.rows_sha256 | {"lake": "0" * 64}
    ledger.write_receipt(home.paths, replace(receipt, rows_sha256=said))
    path = lake_file(home)
    for _ in range(2):
        found = mend_store(home.paths, home.reference, lambda: KEY, IntakeLimits())
        (line,) = found.lost
        assert str(path) in line
        assert "cchc restore" in line
        assert not path.exists()
    assert ledger.read_receipts(home.paths)[receipt.delivery_id].rows_sha256 == said

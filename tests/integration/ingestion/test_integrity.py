"""What ingestion left is held against its receipts before anybody reads it; a damaged store is nobody's delivery."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from ingestion import check_store, engine, read_deliveries, status
from ingestion.base import lake
from ingestion.base.lake import DamagedError
from ingestion.deliveries import landing, ledger

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
            patch.setattr(engine, "whole", fail)
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
    (answer,) = home.paths.rejected.rglob("*.xlsx")
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
    (left,) = home.paths.rejected.rglob("*.xlsx")  # of what is still wrong, and of nothing else
    assert left.name == f"{answer.name}.rejected.xlsx"
    last = tmp_path / left.name
    last.write_bytes(left.read_bytes())
    home.place("survey_responses", left.name).write_bytes(mend(last, {"P4": "Hài lòng"}))
    home.ingest()
    (state,) = status(home.paths, ["945"], "2023-Q1", ["survey_responses"])
    assert (state.rows_accepted, state.rows_rejected) == (4, 0)
    assert not list(home.paths.rejected.rglob("*.xlsx"))
    assert sum(len(r.mended) for r in ledger.read_receipts(home.paths).values()) == 2


def test_rows_taken_out_of_the_workbook_are_still_missing(home: Any, tmp_path: Path) -> None:
    home.workbook("survey_responses", [*answers(1), *answers(2, 3, mark="không rõ")[1:]])
    home.ingest()
    (answer,) = home.paths.rejected.rglob("*.xlsx")
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
    (left,) = home.paths.rejected.rglob("*.xlsx")
    cells = [c for row in openpyxl.load_workbook(left).active.iter_rows(values_only=True) for c in row]
    assert "P3" in cells
    assert "P2" not in cells

"""The outbox of a unit: receipt of deliveries, what is missing, reminder; who may read it; the folder of old homes."""

from __future__ import annotations

import datetime as dt
import grp
import os
import stat
from pathlib import Path

import lxml.html
import openpyxl
import pytest

from ingestion import outbox_folder, write_into_outbox
from orchestration import doctor
from orchestration.office import boxes, papers, refresh
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.stages import ingest

UNIT, COMMUNE, QUARTER = "945", "31615", "2023-Q1"
SOURCE = "survey_responses"
HEAD = "Số phiếu;Hình thức;Ngày trả lời;Đánh giá chung\n"
GOOD = "P1;Phiếu giấy;10/01/2023;Hài lòng\n"
BAD = "P2;Phiếu giấy;30/02/2023;Không rõ\nP1;Phiếu giấy;11/01/2023;Không rõ\n"
BEFORE, AFTER = dt.date(2023, 3, 12), dt.date(2023, 3, 20)


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    settings = Settings(home=tmp_path / "home")
    settings.paths.create()
    return Pipeline(settings)


def deliver(pipeline: Pipeline, name: str, text: str | bytes, source: str = SOURCE) -> None:
    path = pipeline.home.landing / UNIT / QUARTER / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, (1_678_000_000, 1_678_000_000))


def taken_in(pipeline: Pipeline, today: dt.date = BEFORE) -> Path:
    ingest(pipeline, SOURCE, QUARTER, [UNIT])
    refresh(pipeline, QUARTER, today)
    return outbox_folder(pipeline.deliveries.paths, UNIT, QUARTER)


def words(path: Path) -> str:
    return " ".join(lxml.html.fromstring(path.read_bytes()).find("body").text_content().split())


def test_a_receipt_tells_what_was_read_taken_and_turned_away_and_how_it_is_mended(pipeline: Pipeline) -> None:
    deliver(pipeline, "phieu <b>1.csv", HEAD + GOOD + BAD)
    deliver(pipeline, "rong.csv", "")
    folder = taken_in(pipeline)
    text = words(folder / papers.RECEIPT)
    assert "phieu <b>1.csv" in text
    assert "đọc 3 dòng, nhận 1, trả lại 2, nhắc 0" in text
    assert "nhận một phần, còn 2 dòng bị trả lại" in text
    assert "nộp lúc 14:06 ngày 05/03/2023" in text
    assert "Cột “Ngày trả lời”: Ngày không có thật: “…” (dòng 3)." in text, "the reason, and never the cell itself"
    assert "30/02" not in text
    assert "cả tệp bị trả lại" in text
    assert "Tệp rỗng (0 byte). Nộp lại tệp." in text
    (link,) = lxml.html.fromstring((folder / papers.RECEIPT).read_bytes()).xpath(
        "//section[contains(., 'phieu')]//a/@href"
    )
    assert "%3Cb%3E" in link, "opened by a double click, so the link is one of a file"
    assert "Còn thiếu" in text
    assert "Danh mục cơ quan, đơn vị" in text
    # The commune has sent nothing, and is told what is missing too.
    assert "Hồ sơ một cửa" in words(outbox_folder(pipeline.deliveries.paths, COMMUNE, QUARTER) / papers.RECEIPT)


def test_what_status_counts_as_missing_is_what_the_outbox_names(pipeline: Pipeline) -> None:
    deliver(pipeline, "a.csv", HEAD + GOOD)
    taken_in(pipeline)
    found = {(box.unit_code, source.source) for box in boxes(pipeline, QUARTER) for source in box.missing}
    assert found == {(s.unit_code, s.source) for s in pipeline.deliveries.missing([UNIT], QUARTER)[UNIT]}
    assert (UNIT, SOURCE) not in found
    assert (COMMUNE, "one_stop_cases") in found


@pytest.mark.parametrize(
    ("today", "there"), [(dt.date(2023, 3, 1), False), (BEFORE, True), (dt.date(2023, 3, 14), True), (AFTER, True)]
)
def test_the_reminder_lies_there_while_it_is_time_and_something_is_missing(
    pipeline: Pipeline, today: dt.date, there: bool
) -> None:
    deliver(pipeline, "a.csv", HEAD + GOOD)
    folder = taken_in(pipeline, today)
    reminder = folder / papers.REMINDER
    assert reminder.exists() is there
    if not there:
        return
    text = words(reminder)
    assert f"{UNIT}/{QUARTER}/org_units" in text
    assert ("sắp đến ngày chốt số liệu 14/03/2023" in text) is (today <= dt.date(2023, 3, 14))
    out = pipeline.home.published / UNIT / QUARTER / "current.json"
    out.parent.mkdir(parents=True)
    out.write_text("{}")
    refresh(pipeline, QUARTER, today)
    assert not reminder.exists(), "a unit whose report is out owes nothing more"
    assert (folder / papers.RECEIPT).exists()


def test_papers_that_say_the_same_are_the_same_file(pipeline: Pipeline) -> None:
    deliver(pipeline, "a.csv", HEAD + GOOD + BAD)
    receipt = taken_in(pipeline) / papers.RECEIPT
    os.utime(receipt, (1, 1))
    refresh(pipeline, QUARTER, BEFORE)
    assert receipt.stat().st_mtime == 1
    deliver(pipeline, "b.csv", HEAD + GOOD)
    taken_in(pipeline)
    assert "b.csv" in words(receipt)


def test_a_mended_workbook_that_is_put_back_ends_what_the_receipt_asks_for(pipeline: Pipeline) -> None:
    deliver(pipeline, "a.csv", HEAD + GOOD + "P2;Phiếu giấy;10/01/2023;không rõ\n")
    folder = taken_in(pipeline)
    (workbook,) = (folder / SOURCE).glob("*.xlsx")
    book = openpyxl.load_workbook(workbook)
    (row,) = [row for row in book.active.iter_rows() if any(cell.value == "P2" for cell in row)]
    row[-1].value = "Hài lòng"
    book.save(pipeline.home.root / workbook.name)
    deliver(pipeline, workbook.name, (pipeline.home.root / workbook.name).read_bytes())
    report = ingest(pipeline, SOURCE, QUARTER, [UNIT])
    assert (report.rows_read, report.rows_accepted, report.rows_rejected) == (2, 2, 0)
    refresh(pipeline, QUARTER, BEFORE)
    text = words(folder / papers.RECEIPT)
    assert "nhận đủ, các dòng bị trả lại đã được sửa" in text
    assert "1 dòng đã sửa nhận ở tệp khác" in text
    assert "Cần sửa" not in text.replace("mục “Cần sửa”", "")
    assert not (folder / SOURCE).exists()
    (box,) = [box for box in boxes(pipeline, QUARTER) if box.unit_code == UNIT]
    assert (box.rows_rejected, box.to_mend) == (0, ())


def test_nothing_that_cannot_be_written_breaks_a_run(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    deliver(pipeline, "a.csv", HEAD + GOOD)
    ingest(pipeline, SOURCE, QUARTER, [UNIT])
    outbox_folder(pipeline.deliveries.paths, UNIT, QUARTER).parent.write_text("a file where a folder belongs")
    refresh(pipeline, QUARTER, BEFORE)
    assert "not all written" in caplog.text


# --- who may read it


def modes(folder: Path) -> set[tuple[str, str]]:
    return {("folder" if p.is_dir() else "file", oct(stat.S_IMODE(p.stat().st_mode))) for p in folder.rglob("*")}


@pytest.mark.parametrize(
    ("mode", "root", "expected"),
    [
        ("0700", 0o700, {("folder", "0o700"), ("file", "0o600")}),
        ("0750", 0o711, {("folder", "0o750"), ("file", "0o640")}),
    ],
)
def test_folders_have_the_mode_and_the_group_of_the_settings(
    tmp_path: Path, mode: str, root: int, expected: set[tuple[str, str]]
) -> None:
    mine = grp.getgrgid(os.getgid()).gr_name
    settings = Settings.model_validate({"home": tmp_path / "home", "outbox_mode": mode, "outbox_group": mine})
    old = os.umask(0o077)
    try:
        settings.paths.create()
        paths = settings.paths.ingest_paths
        write_into_outbox(paths, outbox_folder(paths, UNIT, QUARTER) / "a" / "b.txt", b"x")
    finally:
        os.umask(old)
    assert modes(paths.outbox) == expected
    assert stat.S_IMODE(paths.outbox.stat().st_mode) == root
    assert {p.stat().st_gid for p in paths.outbox.rglob("*")} == {os.getgid()}


def test_each_unit_has_a_group_of_its_own_and_without_it_the_folder_stays_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home", outbox_mode="0750", outbox_group="cchc-{unit}")
    settings.paths.create()
    given: list[tuple[str, int]] = []
    known = {"cchc-945": grp.getgrgid(os.getgid())}
    monkeypatch.setattr("grp.getgrnam", lambda name: known[name])
    monkeypatch.setattr("os.chown", lambda path, _, group: given.append((Path(path).name, group)))
    paths = settings.paths.ingest_paths
    for unit in (UNIT, COMMUNE):
        write_into_outbox(paths, outbox_folder(paths, unit, QUARTER) / "a.txt", b"x")
    assert modes(paths.outbox / UNIT) == {("folder", "0o750"), ("file", "0o640")}
    assert modes(paths.outbox / COMMUNE) == {("folder", "0o700"), ("file", "0o600")}
    assert {name for name, _ in given} == {UNIT, QUARTER, "a.txt"}
    (seen,) = [one for one in doctor._unread_outboxes(settings) if one.state == "look"]
    assert COMMUNE in seen.seen


@pytest.mark.parametrize("group", ["a b", "x;y", "{code}", "nhóm"])
def test_a_group_that_is_none_is_refused(tmp_path: Path, group: str) -> None:
    with pytest.raises(ValueError, match="outbox_group"):
        Settings(home=tmp_path, outbox_group=group)


# --- homes of earlier versions


def test_what_an_earlier_version_kept_for_clerks_is_brought_over_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    place = Path(UNIT, QUARTER, SOURCE, "a.csv.rejected.xlsx")
    old = settings.home / "rejected" / place
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    (old.parent.parent / "empty").mkdir()
    settings.paths.create()
    settings.paths.create()
    assert (settings.paths.outbox / place).read_bytes() == b"old"
    assert not (settings.home / "rejected").exists()
    # A copy of a home that is given back later brings nothing old over something new.
    old.parent.mkdir(parents=True)
    old.write_bytes(b"older")
    other = old.with_name("b.csv.rejected.xlsx")
    other.write_bytes(b"other")
    settings.paths.create()
    assert (settings.paths.outbox / place).read_bytes() == b"old"
    assert (settings.paths.outbox / place).with_name(other.name).read_bytes() == b"other"
    assert not (settings.home / "rejected").exists()


def test_a_link_called_rejected_is_left_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.xlsx").write_bytes(b"mine")
    settings.home.mkdir()
    (settings.home / "rejected").symlink_to(elsewhere)
    settings.paths.create()
    assert (elsewhere / "mine.xlsx").read_bytes() == b"mine"

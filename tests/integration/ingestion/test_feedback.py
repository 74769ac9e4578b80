"""Rejection workbooks: what the clerk gets back, where it lies, how long, and that it is inert."""

from __future__ import annotations

import datetime as dt
import stat
import zipfile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from ingestion.base.limits import UnreadableFileError
from ingestion.clerk.feedback import OWN_HEADINGS, SUFFIX, token_of, workbook_name
from ingestion.rows.own_words import LISTS_SHEET

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
HEAD = ["Số phiếu", "Họ và tên", "Hình thức", "Ngày trả lời", "Ghi thêm", "Đánh giá chung"]
EARLY, LATE = dt.datetime(2023, 3, 15, 8, tzinfo=LOCAL), dt.datetime(2023, 3, 16, 8, tzinfo=LOCAL)
DAY = dt.date(2023, 1, 10)
LEADS = ("=", "+", "-", "@", "\t", "\r")


def good(number: int) -> list[Any]:
    return [f"P{number}", "Trần Thị B", "Phiếu giấy", DAY, "x", "Hài lòng"]


def answer_path(home: Any, name: str, source: str = "survey_responses", unit: str = "945") -> Path:
    path: Path = home.paths.outbox / unit / "2023-Q1" / source / f"{name}{SUFFIX}"
    return path


def table(path: Path, sheet: str | None = None) -> tuple[list[str], list[list[Any]]]:
    """Headings (last header row) and rows of a rejection workbook's sheet."""
    book = openpyxl.load_workbook(path)
    rows = [[cell.value for cell in row] for row in (book[sheet] if sheet else book.worksheets[0]).iter_rows()]
    start = next(i for i, row in enumerate(rows) if row[0] == OWN_HEADINGS[0])
    return rows[start], rows[start + 1 :]


def test_rejected_rows_come_back_as_delivered_with_place_reason_and_advice(home: Any) -> None:
    bad = ["P2", "Trần Thị B", "Bồ câu", DAY, 12.5, "Hài lòng"]
    home.workbook("survey_responses", [["Phiếu khảo sát"], HEAD, good(1), bad, good(3)])
    home.ingest()
    headings, rows = table(answer_path(home, "a.xlsx"))
    assert headings == [*OWN_HEADINGS, *HEAD]
    ((number, reason, advice, sheet, *cells),) = rows
    assert (number, sheet) == (4, "Sheet1")
    assert cells == ["P2", "Trần Thị B", "Bồ câu", dt.datetime(2023, 1, 10), 12.5, "Hài lòng"]
    assert "Bồ câu" in reason
    assert "Phiếu giấy" in advice


def test_exactly_the_cells_at_fault_are_highlighted(home: Any) -> None:
    home.workbook("survey_responses", [HEAD, ["P2", "B", "Bồ câu", "30/02/2023", "x", "Hài lòng"], good(3)])
    home.ingest()
    sheet = openpyxl.load_workbook(answer_path(home, "a.xlsx")).active
    row = next(r for r in sheet.iter_rows() if r[4].value == "P2")
    red = [cell.column - len(OWN_HEADINGS) for cell in row if cell.fill.fgColor.rgb == "FFFFC7CE"]
    assert [HEAD[i - 1] for i in red] == ["Hình thức", "Ngày trả lời"]
    first, second = row[1].value.split("\n")
    assert first.startswith("1. Hình thức không có trong danh sách")
    assert second.startswith("2. Cột “Ngày trả lời”: ")


def test_a_blank_required_cell_and_a_repeated_key_are_highlighted(home: Any) -> None:
    home.workbook("survey_responses", [HEAD, good(1), ["P2", "B", None, DAY, "x", "Hài lòng"], good(1)])
    home.ingest()
    sheet = openpyxl.load_workbook(answer_path(home, "a.xlsx")).active
    red = [c.coordinate for row in sheet.iter_rows() for c in row if c.fill.fgColor.rgb == "FFFFC7CE"]
    assert [c[0] for c in red] == ["G", "E"]


def test_every_sheet_with_rejected_rows_has_its_own(home: Any) -> None:
    def second(book: Any) -> None:
        sheet = book.add_worksheet("Đợt 2")
        for r, row in enumerate([HEAD, ["P9", "B", "Bồ câu", "10/01/2023", "x", "Hài lòng"]]):
            sheet.write_row(r, 0, row)

    home.workbook("survey_responses", [HEAD, good(1)], before_closing=second)
    home.ingest()
    assert openpyxl.load_workbook(answer_path(home, "a.xlsx")).sheetnames == ["Đợt 2", LISTS_SHEET]


def test_rows_of_a_csv_come_back_too(home: Any) -> None:
    home.csv("survey_responses", [HEAD, ["P1", "B", "Bồ câu", "10/01/2023", "", "Hài lòng"]], delimiter=";")
    home.ingest()
    headings, rows = table(answer_path(home, "a.csv"))
    assert headings[4:] == HEAD
    assert [row[0] for row in rows] == [2]
    assert rows[0][4:] == ["P1", "B", "Bồ câu", "10/01/2023", None, "Hài lòng"]


def test_header_rows_and_title_lines_stay_above_the_rows(registers: Any) -> None:
    registers.workbook(
        "staffing_roster",
        [
            ["UBND huyện Cù Lao Dung"],
            ["Số hiệu", "Họ và tên", "Ngày sinh", None, "Đơn vị công tác", "Đối tượng"],
            [None, None, "Nam", "Nữ", None, None],
            [None, "Nguyễn Văn C", None, None, "Phòng Nội vụ", "Công chức"],
        ],
    )
    registers.ingest()
    book = openpyxl.load_workbook(answer_path(registers, "a.xlsx", "staffing_roster"))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert sum(row[0] == "UBND huyện Cù Lao Dung" for row in rows) == 1
    assert any(row[6:8] == ["Nam", "Nữ"] for row in rows)
    assert "Nguyễn Văn C" in rows[-1]
    red = [c.value for row in book.active.iter_rows() for c in row if c.fill.fgColor.rgb == "FFFFC7CE"]
    assert red == [None, "Nguyễn Văn C", None, None]


def test_a_refused_file_comes_back_with_the_reason_and_what_to_do(home: Any) -> None:
    home.place("survey_responses", "hỏng.xlsx").write_bytes(b"no workbook")
    home.ingest()
    book = openpyxl.load_workbook(answer_path(home, "hỏng.xlsx"))
    texts = [str(cell.value) for row in book.active.iter_rows() for cell in row]
    assert home.delivery("survey_responses")["message_vi"] in texts
    assert any("cchc template survey_responses" in text for text in texts)
    assert any("“Số phiếu”" in text for text in texts)


def test_workbook_and_folders_are_their_owners_only(home: Any) -> None:
    home.workbook("survey_responses", [HEAD, ["P1"]])
    home.ingest()
    path = answer_path(home, "a.xlsx")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    folders = [path.parents[i] for i in range(4)]
    assert folders[-1] == home.paths.outbox
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_a_corrected_file_takes_the_workbook_away_and_the_old_one_brings_it_back(home: Any) -> None:
    bad = [HEAD, good(1), ["P2", "B", "Bồ câu", DAY, "x", "Hài lòng"]]
    home.workbook("survey_responses", bad, at=EARLY)
    home.ingest()
    path = answer_path(home, "a.xlsx")
    before = path.read_bytes()
    home.workbook("survey_responses", [HEAD, good(1), good(2)], at=LATE)
    home.ingest()
    assert not path.exists()
    home.workbook("survey_responses", bad, at=LATE + dt.timedelta(days=1))
    home.ingest()
    assert path.read_bytes() == before


def test_a_workbook_lost_by_a_stopped_run_is_made_again_with_the_same_bytes(home: Any) -> None:
    home.workbook("survey_responses", [HEAD, ["P2", "B", "Bồ câu", DAY, "x", "Hài lòng"]])
    home.ingest()
    path = answer_path(home, "a.xlsx")
    before = path.read_bytes()
    path.unlink()
    assert home.ingest().files_read == 0
    assert path.read_bytes() == before
    assert token_of(path) is not None


def test_where_the_cells_cannot_be_read_again_the_reasons_still_come_back(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*arguments: object) -> None:
        raise UnreadableFileError("time_limit", "quá giờ")

    monkeypatch.setattr("ingestion.engine.read_returned", too_slow)
    home.workbook("survey_responses", [HEAD, ["P2", "B", "Bồ câu", DAY, "x", "Hài lòng"]])
    home.ingest()
    headings, ((number, reason, _, sheet),) = table(answer_path(home, "a.xlsx"))
    assert (headings, number, sheet) == (list(OWN_HEADINGS), 2, "Sheet1")
    assert "Bồ câu" in reason


def test_a_workbook_that_cannot_be_written_is_told_and_written_by_the_next_run(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    home.workbook("survey_responses", [HEAD, good(1), ["P2", "B", "Bồ câu", DAY, "x", "Hài lòng"]])
    with monkeypatch.context() as patch:
        patch.setattr("ingestion.clerk.outbox.replace_durably", full)
        report = home.ingest()
    assert [(p.code, p.path) for p in report.problems] == [("not_returned", "945/2023-Q1/survey_responses/a.xlsx")]
    assert len(home.rows("survey_responses")) == 1
    home.ingest()
    assert answer_path(home, "a.xlsx").exists()


def test_a_mended_workbook_can_be_delivered_itself(home: Any, tmp_path: Path) -> None:
    bad = [["P2", "B", "Bồ câu", DAY, "x", "Hài lòng"], ["P3", "B", "Khói", DAY, "x", "?"]]
    home.workbook("survey_responses", [["UBND huyện"], HEAD, good(1), *bad])
    home.ingest()
    book = openpyxl.load_workbook(answer_path(home, "a.xlsx"))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    for cell in cells:
        if cell.value == "Bồ câu":
            cell.value = "Phiếu giấy"
    book.save(home.place("survey_responses", f"a.xlsx{SUFFIX}"))
    home.ingest()
    assert {r["form_number"] for r in home.rows("survey_responses")} == {"P1", "P2"}
    headings, rows = table(answer_path(home, f"a.xlsx{SUFFIX}"))
    assert headings == [*OWN_HEADINGS, *HEAD]
    assert [row[4] for row in rows] == ["P3"]


@pytest.mark.parametrize("lead", LEADS)
def test_no_cell_of_a_rejection_workbook_is_a_formula_and_values_come_back(home: Any, lead: str) -> None:
    text = f"{lead}1+HYPERLINK(x)"
    home.csv("survey_responses", [[*HEAD[:4], text, HEAD[5]], [text] * 6], name=f"{lead.strip() or 'x'}a.csv")
    home.ingest()
    (path,) = home.paths.outbox.rglob(f"*{SUFFIX}")
    sheet = openpyxl.load_workbook(path).active
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    with zipfile.ZipFile(path) as archive:
        cells = archive.read("xl/worksheets/sheet1.xml").partition(b"<sheetData>")[2].partition(b"</sheetData>")[0]
        assert b"<f" not in cells, "the lists to choose from are named behind them"
    cell = next(c for row in sheet.iter_rows(min_col=5) for c in row if c.row == sheet.max_row)
    assert unescape(str(cell.value)) == text
    assert lead.isspace() or cell.quotePrefix


def test_rows_with_too_many_cells_say_nothing_of_the_cells_that_moved(home: Any) -> None:
    moved = ["P1", "Lê Bí Mật", "0912 000 111", "Phiếu giấy", "10/01/2023", "x", "Hài lòng"]
    home.csv("survey_responses", [HEAD, moved])
    home.ingest()
    (rejected,) = home.rows("survey_responses", "rejected")
    assert (rejected["reason_code"], rejected["value"]) == ("wrong_field_count", "")
    assert "0912" not in str(rejected)
    headings, ((_, _, _, _, *cells),) = table(answer_path(home, "a.csv"))
    assert cells == moved
    assert headings[:-1] == [*OWN_HEADINGS, *HEAD]
    assert not headings[-1]


@pytest.mark.parametrize("name", ["ngắn.xlsx", "Ấ" * 60 + ".xlsx", "Ấ" * 83 + ".csv"])
def test_names_of_workbooks_fit_a_file_system_and_stay_apart(name: str) -> None:
    made = workbook_name(name)
    assert len(made.encode()) <= 255
    assert made.endswith(SUFFIX)
    assert made != workbook_name(name[1:])
    assert made == workbook_name(name)

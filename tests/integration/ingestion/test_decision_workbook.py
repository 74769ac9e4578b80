"""The workbook of decisions to take comes back as a delivery: untouched, filled in half, filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingestion import (
    DecisionBook,
    DecisionLine,
    check_file,
    decision_workbook,
    load_contracts,
    read_deliveries,
    remarks_on_landing,
)
from tests.support.decision_workbooks import ASKED, FILLED, SHEET, Line, lines_of

QUARTER, UNIT = "2023-Q1", "945"
CONTRACT = load_contracts()["decisions"]
CASES = "000.00.32.H51-230301-0001; 000.00.32.H51-230301-0002"
#: Names that a cell must carry unharmed.
NAMES = '945/"Sổ; cũ=mới: 1".xlsx; 945/b.xlsx'


def _line(number: int, *actions: str, **values: Any) -> DecisionLine:
    named = {
        "decision_id": f"QD-0A1B2C{number:02d}", "subject_kind": "Chỉ tiêu", "subject": f"III.{number:02d}",
        "applies_to": NAMES, "cases": CASES, "unit": UNIT, "quarter": QUARTER, "holds_until": QUARTER,
        "figures_seen": "số tính toán = 606; số khai báo = 611",
    }  # fmt: skip
    return DecisionLine((str(number), f"Việc {number}", "606", "611", "• cách"), actions, named | values)


BOOK = DecisionBook(
    titles=("QUYẾT ĐỊNH CẦN LẤY", "Huyện Cù Lao Dung", "Từ ngày 15/12/2022 đến ngày 14/03/2023", "Chỉ điền cột cam."),
    guide=("Bốn bước.",),
    lines=(
        _line(1, "accept_declared", "accept_computed", "withhold"),
        _line(2, "accept_declared", "count_as_on_time"),
        _line(3),
        _line(
            4, "accept_declared", action="Chấp nhận số khai báo", reason="Đúng", approved_by="Chủ tịch UBND huyện",
            document_number="1/UBND", dated=dt.date(2023, 3, 15),
        ),
    ),
    details=tuple(
        (1, "73", "Hồ sơ trễ hạn", code, "a.xlsx", "Danh sách", n, "") for n, code in enumerate(CASES.split("; "), 2)
    ),
)  # fmt: skip


@pytest.fixture
def tried(tmp_path: Path, home: Any) -> Callable[..., Any]:
    """The workbook with what is done to its lines, tried as a delivery."""

    def deliver(*changes: Callable[[list[Line]], None], book: DecisionBook = BOOK) -> Any:
        path = tmp_path / "quyet-dinh-can-lay.xlsx"
        path.write_bytes(decision_workbook(CONTRACT, book))
        opened = openpyxl.load_workbook(path)
        for change in changes:
            change(list(lines_of(opened)))
        opened.save(path)
        return check_file(home.paths, "decisions", path, UNIT, QUARTER, reference=home.reference, with_rows=True)

    return deliver


def test_equal_content_is_equal_bytes_and_each_line_offers_what_is_allowed(tmp_path: Path) -> None:
    data = decision_workbook(CONTRACT, BOOK)
    assert data == decision_workbook(CONTRACT, BOOK)
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)
    offered = [line.offered for line in lines_of(openpyxl.load_workbook(path))]
    assert offered == [
        ("Chấp nhận số khai báo", "Chấp nhận số tính toán", "Không công bố"),
        ("Chấp nhận số khai báo", "Tính là đúng hạn"),
        (),
        ("Chấp nhận số khai báo",),
    ]


def test_an_untouched_workbook_is_no_error_and_asks(tried: Callable[..., Any]) -> None:
    found = tried(book=DecisionBook(BOOK.titles, BOOK.guide, BOOK.lines[:3], BOOK.details))
    assert (found.outcome, found.rows_read, found.rejections, found.unknown_columns) == ("nothing_to_report", 0, (), ())
    assert found.message_vi.startswith("Còn 3 dòng chưa quyết định (dòng 7, 8, 9).")
    assert "Không phát sinh" not in found.message_vi
    for heading in ASKED:
        assert f"“{heading}”" in found.message_vi


def test_what_is_filled_in_is_read_as_it_is_and_the_rest_is_told(tried: Callable[..., Any]) -> None:
    found = tried(lambda lines: lines[1].decide("Tính là đúng hạn"))
    assert (found.outcome, found.rows_read) == ("accepted", 2)
    counted, carried = found.accepted
    assert (counted["decision_id"], counted["action"], counted["cases"]) == ("QD-0A1B2C02", "count_as_on_time", CASES)
    assert counted["applies_to"] == NAMES
    assert (counted["unit"], counted["quarter"], counted["holds_until"]) == (UNIT, QUARTER, QUARTER)
    assert counted["dated"] == FILLED[-1].date()
    assert (carried["decision_id"], carried["dated"]) == ("QD-0A1B2C04", dt.date(2023, 3, 15))
    assert "Còn 2 dòng chưa quyết định (dòng 7, 9)." in found.message_vi


@pytest.mark.parametrize("blank", ASKED)
def test_a_line_filled_in_half_is_turned_away_with_its_place(tried: Callable[..., Any], blank: str) -> None:
    def half(lines: list[Line]) -> None:
        lines[0].decide("Chấp nhận số khai báo")
        lines[0][blank] = None

    found = tried(half)
    assert found.outcome == "partly_accepted"
    assert [(r["_sheet"], r["_row"], r["reason_vi"]) for r in found.rejections] == [(SHEET, 7, f"Thiếu “{blank}”")]


def test_an_action_that_is_none_is_turned_away_with_what_was_written(tried: Callable[..., Any]) -> None:
    found = tried(lambda lines: lines[0].decide("Cho qua"))
    assert [(r["_row"], r["column"], r["value"]) for r in found.rejections] == [(7, "action", "Cho qua")]


def test_an_untouched_workbook_in_the_place_of_a_filled_one_is_noticed(home: Any, tmp_path: Path) -> None:
    folder = home.paths.landing / UNIT / QUARTER / "decisions"
    folder.mkdir(parents=True)
    path = folder / "quyet-dinh-can-lay.xlsx"
    for touched in (True, False):
        path.write_bytes(decision_workbook(CONTRACT, DecisionBook(BOOK.titles, BOOK.guide, BOOK.lines[:2])))
        if touched:
            book = openpyxl.load_workbook(path)
            next(lines_of(book)).decide("Không công bố")
            book.save(path)
        home.ingest()
    current = [d for d in read_deliveries(home.paths).to_pylist() if d["is_current"]]
    assert [(d["outcome"], d["rows_accepted"]) for d in current] == [("nothing_to_report", 0)]
    assert "correction_empty" in remarks_on_landing(home.paths)["kind"].to_pylist()

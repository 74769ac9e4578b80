"""Lines of a department's annex are told apart from its furniture, and matched as surely as their names allow."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from common.forms import form_named
from ingestion import Annex, NoAnnex, line_key, read_form_annex, unit_of
from tests.support import annexes

KNOWN = form_named("xa-2025")
HEADER = ["STT", "Chỉ tiêu", "Đơn vị tính", "Số lượng", "Ghi chú"]
SECTION = ["I", "Công tác chỉ đạo điều hành CCHC"]
ASKED = ["1", "Số lượng phiếu khảo sát", "Phiếu"]
Sheet = Sequence[Sequence[Any]]


def read(tmp_path: Path, rows: Sheet, *more: Sheet, merged: Sequence[str] = (), **decided: str | None) -> Annex:
    """The annex of a workbook with such sheets. ``decided``: by cell of the first sheet (``B3``), its row's name."""
    book = openpyxl.Workbook()
    for number, sheet in enumerate((rows, *more)):
        page = book.create_sheet(f"P{number}")
        for row in sheet:
            page.append(row)
        for cells in merged if number == 0 else ():
            page.merge_cells(cells)
    del book["Sheet"]
    book.save(tmp_path / "bieu.xlsx")
    said = {line_key(f"P0!{at[1:]}", str(book["P0"][at].value)): code for at, code in decided.items()}
    return read_form_annex(tmp_path / "bieu.xlsx", KNOWN, said)


def printed(annex: Annex) -> list[tuple[str, str, str]]:
    return [(match.line.number, match.line.name, match.line.unit) for match in annex.matches]


def test_the_first_provinces_annex_comes_back_line_by_line(tmp_path: Path) -> None:
    lines = annexes.as_printed(KNOWN)
    annexes.write_first(tmp_path / "bieu.xlsx", lines)
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN)
    assert [(m.line.number, m.line.name, m.line.unit) for m in annex.matches] == [
        (line.number, line.name, line.unit) for line in lines
    ]
    assert [match.code for match in annex.matches] == [line.code for line in lines]
    assert [step.relation for step in annex.steps] == ["same"] * len(lines)
    # What is computed stays computed, in its place.
    same = ("indicator_code", "section", "level", "numerator", "denominator", "derived_from", "logical_parent_code")
    assert [{name: row[name] for name in same} for row in annex.rows] == [
        {name: row[name] for name in same} for row in KNOWN.rows
    ]


def test_two_lines_of_one_name_under_one_heading_are_nobodys_certainty(tmp_path: Path) -> None:
    annexes.write_first(tmp_path / "bieu.xlsx", annexes.as_printed(KNOWN))
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN)
    unsure = {match.code: match.other_code for match in annex.matches if match.certainty != "certain"}
    assert unsure == {"II.07": "II.10", "II.08": "II.11"}


def test_a_new_row_takes_no_code_that_a_form_before_ever_used(tmp_path: Path) -> None:
    annexes.write_variant(tmp_path / "bieu.xlsx", annexes.variant(KNOWN, []))
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN)
    fresh = {row["indicator_code"] for row in annex.rows} - KNOWN.codes
    assert len(fresh) == len(annexes.new_rows())
    assert not fresh & form_named("2023").codes


@pytest.mark.parametrize("left_out", [[], ["V.06", "V.09", "VII.15", "I.03"]], ids=["all rows", "some gone"])
def test_the_variant_is_matched_and_never_surely_wrong(tmp_path: Path, left_out: list[str]) -> None:
    lines = annexes.variant(KNOWN, left_out)
    annexes.write_variant(tmp_path / "bieu.xlsx", lines)
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN)
    assert [match.line.name for match in annex.matches] == [line.name for line in lines]
    for match, meant in zip(annex.matches, lines, strict=True):
        if match.certainty == "certain":
            assert match.code == meant.code, match
    certain = sum(match.certainty == "certain" for match in annex.matches)
    assert certain > 0.9 * (len(lines) - len(annexes.new_rows()))
    assert {step.old_code for step in annex.steps if step.relation == "ended"} >= set(left_out)


def test_what_a_person_decided_holds_and_no_row_is_taken_twice(tmp_path: Path) -> None:
    annexes.write_first(tmp_path / "bieu.xlsx", annexes.as_printed(KNOWN))
    key = line_key("Sheet!7", KNOWN.rows[1]["name_vi"])
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN, {key: ""})
    assert annex.matches[1].certainty == "decided"
    assert annex.rows[1]["indicator_code"] not in KNOWN.codes
    assert annex.rows[1]["source"] == "declared_returns"
    codes = [row["indicator_code"] for row in annex.rows]
    assert len(set(codes)) == len(codes)


def test_a_sum_that_lost_a_term_is_declared(tmp_path: Path) -> None:
    lines = [line for line in annexes.as_printed(KNOWN) if line.code != "V.06"]
    annexes.write_first(tmp_path / "bieu.xlsx", lines)
    rows = {row["indicator_code"]: row for row in read_form_annex(tmp_path / "bieu.xlsx", KNOWN).rows}
    assert (rows["V.05"]["derivation"], rows["V.05"]["source"]) == ("", "declared_returns")


@pytest.mark.parametrize(
    ("unit", "kind"),
    [
        ("Có = 1 Không = 0", "flag"),
        ("Kém = 0; Khá = 1; Tốt = 2", "code"),
        ("Trực tuyến = 1 Phát phiếu = 2 Kết hợp = 3", "code"),
        ("Có/Không", "flag"),
        ("1: Có; 0: Không", "flag"),
        ("0 - Chưa; 1 - Rồi", "flag"),
        ("%", "ratio"),
        ("Tỷ lệ %", "ratio"),
        ("Phần trăm (%)", "ratio"),
        ("tỷ lệ", "ratio"),
        ("Hồ sơ", "count"),
        ("Tin, bài", "count"),
        ("Lượt người", "count"),
        # Nobody can tell: a person has to say it.
        ("Triệu đồng", ""),
        ("Có = 1; Có = 0", ""),
        ("", ""),
    ],
)
def test_a_new_row_is_of_the_kind_that_its_unit_says(tmp_path: Path, unit: str, kind: str) -> None:
    lines = [*annexes.as_printed(KNOWN), annexes.Printed("", "Chỉ tiêu chưa ai biết bao giờ", unit, "")]
    annexes.write_first(tmp_path / "bieu.xlsx", lines)
    row = read_form_annex(tmp_path / "bieu.xlsx", KNOWN).rows[-1]
    assert (row["kind"], row["unit_vi"]) == (kind, unit)


def test_a_workbook_without_an_annex_says_what_is_missing(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Họ tên", "Chức vụ"])
    book.save(tmp_path / "khac.xlsx")
    with pytest.raises(NoAnnex, match=r"khac\.xlsx: không tìm thấy bảng chỉ tiêu.*Chỉ tiêu thống kê"):
        read_form_annex(tmp_path / "khac.xlsx", KNOWN)
    (tmp_path / "hong.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(NoAnnex, match=r"hong\.xlsx"):
        read_form_annex(tmp_path / "hong.xlsx", KNOWN)


# --- what is a line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        # A unit that is also a heading, in the first row below the header.
        ([HEADER, ["1", "Số phòng đã kiểm tra", "Đơn vị"], ASKED],
         [("1", "Số phòng đã kiểm tra", "Đơn vị"), tuple(ASKED)]),
        # Words that end a table elsewhere.
        ([HEADER, ["2", "Người lập danh sách một cửa", "Người"], ["3", "Nơi nhận hồ sơ tại nhà", "Hồ sơ"], ASKED],
         [("2", "Người lập danh sách một cửa", "Người"), ("3", "Nơi nhận hồ sơ tại nhà", "Hồ sơ"), tuple(ASKED)]),
        ([HEADER, [None, "Nơi nhận hồ sơ tại nhà", "Hồ sơ"]], [("", "Nơi nhận hồ sơ tại nhà", "Hồ sơ")]),
        ([HEADER, [*ASKED, None, "Người lập biểu ghi kèm danh mục"]], [tuple(ASKED)]),
        # What does end it.
        ([HEADER, ASKED, ["Ghi chú: (*) Số liệu chốt ngày 14"], [None, "Cần Thơ, ngày … tháng … năm 2026"],
          [None, "NGƯỜI LẬP BIỂU", None, "THỦ TRƯỞNG ĐƠN VỊ"], [None, "Nguyễn Văn A", "Trần Thị B"]], [tuple(ASKED)]),
        # Numbers in the cell of the name, or before a text over the whole table.
        ([HEADER, ["II. CẢI CÁCH THỂ CHẾ"], [None, "1. Việc gì đó", "Việc"], [None, "1.2 Việc khác", "Việc"]],
         [("II", "CẢI CÁCH THỂ CHẾ", ""), ("1", "Việc gì đó", "Việc"), ("1.2", "Việc khác", "Việc")]),
        ([HEADER, ["Phần III: Cải cách TTHC"], ["1", "Số mô hình 4.0", "Mô hình"]],
         [("III", "Cải cách TTHC", ""), ("1", "Số mô hình 4.0", "Mô hình")]),
        # Headings as departments write them, and a row with the office's own name above.
        ([["STT", "CHỈ TIÊU (1)", "ĐVT (2)", "SỐ LƯỢNG (3)"], ASKED], [tuple(ASKED)]),
        ([["Số TT", "Tên chỉ tiêu, nội dung", "ĐVT", "Kết quả"], ASKED], [tuple(ASKED)]),
        ([["UBND TỈNH", "Biểu số 01/CCHC", "Đơn vị báo cáo: …"], HEADER, ASKED], [tuple(ASKED)]),
        ([["Đơn vị", "UBND xã A"], ["STT", "Các chỉ tiêu", "ĐVT", "Kết quả"], ASKED], [tuple(ASKED)]),
        ([[None, "BIỂU SỐ 01"], ["Đơn vị", "UBND xã A"], ["Kết quả"], HEADER, ["(1)", "(2)", "(3)", "(4)=3/2"], ASKED],
         [tuple(ASKED)]),
        # The header again on another page, in another order.
        ([HEADER, ASKED, ["STT", "ĐVT", "Chỉ tiêu", "Số liệu"], ["2", "Văn bản", "Số văn bản"]],
         [tuple(ASKED), ("2", "Số văn bản", "Văn bản")]),
    ],
)  # fmt: skip
def test_every_row_of_a_table_is_a_line_or_known_to_be_none(
    tmp_path: Path, rows: Sheet, lines: list[tuple[str, str, str]]
) -> None:
    annex = read(tmp_path, rows)
    assert printed(annex) == lines
    assert not annex.unread


def test_groups_beside_their_parts_are_lines_of_their_own(tmp_path: Path) -> None:
    rows = [
        ["STT", "Nội dung", None, "Đơn vị tính", "Số lượng"],
        ["1", "Văn bản", "Số VBQPPL đã ban hành", "Văn bản"],
        [None, None, "Số VBQPPL được ban hành đúng tiến độ", "Văn bản"],
        ["2", "Số lượng phiếu khảo sát", None, "Phiếu"],
    ]
    annex = read(tmp_path, rows, merged=["B1:C1", "A2:A3", "B2:B3", "B4:C4"])
    assert printed(annex) == [
        ("1", "Văn bản", ""),
        ("", "Số VBQPPL đã ban hành", "Văn bản"),
        ("", "Số VBQPPL được ban hành đúng tiến độ", "Văn bản"),
        ("2", "Số lượng phiếu khảo sát", "Phiếu"),
    ]
    assert [row["level"] for row in annex.rows] == ["1", "2", "2", "1"]


@pytest.mark.parametrize(
    ("sheets", "told"),
    [
        ([[HEADER, ASKED], [["TT", "Nội dung gì đó"], ["1", "Số hộ"]]], "P1!: cả trang tính, bắt đầu bằng “TT”"),
        ([[HEADER, ASKED], [["3", "Số hộ", "Hộ"]]], "P1!: cả trang tính"),
        ([[["STT", "Chỉ tiêu", "ĐVT", "Kỳ báo cáo", "Lũy kế năm"], ASKED]], "P0!E: cột “Lũy kế năm”"),
        ([[["STT", "Chỉ tiêu", "ĐVT", "Kết quả", None], [None, None, None, "Kỳ này", "Năm"], ASKED]],
         "P0!E: cột “Năm”"),
        ([[[*HEADER, "Cơ quan theo dõi"], ASKED]], "P0!F: cột “Cơ quan theo dõi”"),
        ([[HEADER, [*ASKED, None, None, "Sở Nội vụ"]]], "P0!F: cột “Sở Nội vụ”"),
        ([[["1", "Số hộ", "Hộ"], HEADER, ASKED]], "P0!1: dòng nằm trên tiêu đề bảng"),
    ],
)  # fmt: skip
def test_what_was_not_read_is_told(tmp_path: Path, sheets: list[Sheet], told: str) -> None:
    annex = read(tmp_path, *sheets)
    assert printed(annex) == [tuple(ASKED)]
    assert [f"{part.place}: {part.text_vi}".startswith(told) for part in annex.unread] == [True], annex.unread


def test_a_text_outside_the_columns_is_nobodys_certainty(tmp_path: Path) -> None:
    annex = read(tmp_path, [HEADER, ["Số lượng phiếu khảo sát"], ["Điều gì đó"], ASKED])
    assert [match.certainty for match in annex.matches] == ["doubtful", "unclear", "new"]


def test_a_line_that_a_person_says_is_none_is_no_row(tmp_path: Path) -> None:
    annex = read(tmp_path, [HEADER, SECTION, ["2", "Điều gì đó", "Việc"], ASKED], B3=None)
    assert [match.certainty for match in annex.matches] == ["certain", "dropped", "certain"]
    assert [row["name_vi"] for row in annex.rows] == [SECTION[1], ASKED[1]]


def test_parts_follow_from_numbers(tmp_path: Path) -> None:
    numbers = ["I", "1", "1.1", "1.1.1", "a", "b)", "-", "1.2", "a", "2", None, "-"]
    rows = [[number, f"Việc chưa ai biết thứ {place}", "Việc"] for place, number in enumerate(numbers)]
    made = read(tmp_path, [HEADER, *rows]).rows
    place_of = {row["indicator_code"]: place for place, row in enumerate(made)}
    assert [place_of.get(row["logical_parent_code"]) for row in made] == [None, 0, 1, 2, 3, 3, 5, 1, 7, 0, 9, 10]
    assert {row["level"] for row in made} == {"0", "1", "2", "3"}


def test_no_row_is_a_part_of_its_own_part(tmp_path: Path) -> None:
    by_code = {row["indicator_code"]: row for row in KNOWN.rows}
    parted = [(code, row["logical_parent_code"]) for code, row in by_code.items() if row["logical_parent_code"]]
    assert len(parted) > 100
    lines = [["III", "Cải cách thủ tục hành chính"]]
    for code, whole in parted:
        lines += [["1", by_code[code]["name_vi"], by_code[code]["unit_vi"]]]
        lines += [[None, by_code[whole]["name_vi"], by_code[whole]["unit_vi"]]]
    rows = read(tmp_path, [HEADER, *lines]).rows
    parents = {row["indicator_code"]: row["logical_parent_code"] for row in rows}
    for code in parents:
        seen = [code]
        while seen[-1]:
            seen.append(parents[seen[-1]])
            assert seen.count(seen[-1]) == 1, seen


# --- units of measure -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "unit", "goes_on"),
    [
        ("I.26", "Trực tuyến = 1 Phát phiếu = 2 Kết hợp = 3", False),  # numbered anew
        ("I.29", "Tốt = 0 Có vi phạm = 1", False),  # turned round
        ("I.17", "Có = 1; Không = 0; Không biết = 2", False),
        ("I.17", "Lượt", False),
        ("I.25", "%", False),
        ("I.27", "Phiếu", False),
        ("I.12", "Cuộc", False),  # a heading becomes a figure
        ("I.25", "Lượt", True),  # another word for what is counted
    ],
)
def test_a_unit_that_says_something_else_is_for_a_person(tmp_path: Path, code: str, unit: str, goes_on: bool) -> None:
    name = next(row["name_vi"] for row in KNOWN.rows if row["indicator_code"] == code)
    rows = [HEADER, SECTION, ["1", name, unit]]
    (match,) = read(tmp_path, rows).matches[1:]
    assert (match.code, match.certainty) == (code, "doubtful")
    # A person says that it is that row all the same: another figure is declared, with a code of its own.
    annex = read(tmp_path, rows, B3=code)
    row, relations = annex.rows[1], {step.old_code or step.new_code: step.relation for step in annex.steps}
    assert (row["indicator_code"] == code) is goes_on
    assert row["unit_canonical"] == unit_of(unit).canonical
    assert relations[code] == ("renamed" if goes_on else "ended")
    if not goes_on:
        assert (row["source"], row["derivation"], relations[row["indicator_code"]]) == ("declared_returns", "", "new")


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("I.17", "Có/Không"), ("I.17", "Không = 0, Có = 1"), ("I.17", "1: Có; 0: Không"), ("I.27", "Tỷ lệ %"),
        ("I.26", "0: Trực tuyến; 1: Phát phiếu; 2: Kết hợp"), ("I.25", "phiếu"), ("II.02", "VB"),
        ("II.05", ""), ("III.03", "Thủ tục hành chính"),
    ],
)  # fmt: skip
def test_a_unit_in_other_spelling_is_the_same(tmp_path: Path, code: str, unit: str) -> None:
    known = {row["indicator_code"]: row for row in KNOWN.rows}
    annex = read(tmp_path, [HEADER, ["1", known[code]["name_vi"], unit]])
    assert (annex.matches[0].code, annex.matches[0].certainty) == (code, "certain")
    assert annex.rows[0]["unit_canonical"] == known[code]["unit_canonical"]
    assert {step.old_code: step.relation for step in annex.steps}[code] == "same"


# --- what was decided before ----------------------------------------------------------------------------------------


def test_a_decision_goes_with_its_line_and_is_never_lost(tmp_path: Path) -> None:
    rows = [HEADER, SECTION, ["1.10", "Điều gì đó", "Việc"], ASKED]
    key = line_key("P0!3", "Điều gì đó")
    read(tmp_path, rows)
    said = {key: None}
    moved = [[None], *rows[:2], ["9", "Điều khác", "Việc"], *rows[2:]]
    read(tmp_path, moved)
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN, said)
    assert [match.line.name for match in annex.matches if match.certainty == "dropped"] == ["Điều gì đó"]
    for changed in (["1.10", "Điều gì đó khác", "Việc"], None):
        read(tmp_path, [row for row in (*rows[:2], changed, ASKED) if row])
        with pytest.raises(NoAnnex, match=r"không còn dòng mà matches\.csv đã quyết định ở P0!3"):
            read_form_annex(tmp_path / "bieu.xlsx", KNOWN, said)


@pytest.mark.parametrize("seed", range(60))
def test_no_row_of_any_table_is_lost(tmp_path: Path, seed: int) -> None:
    """Whatever cells are filled: each row with text is a line of its place, a header, column numbers, or below the end;
    each column with text is one that lines are made of, or told."""
    chance = random.Random(seed)
    columns = chance.sample(["STT", "Chỉ tiêu", "Đơn vị tính", "Số lượng", "Ghi chú", "Cột lạ"], 6)
    words = ["1", "1.2", "II", "a)", "-", "Hồ sơ", "%", "Đơn vị", "Ghi chú", "Nơi nhận: UBND", "Người lập", "Kết quả"]
    rows = [
        [chance.choice([*words, f"Việc {number}"]) if chance.random() < 0.4 else "" for _ in columns]
        for number in range(30)
    ]
    rows.append(["1" if name == "STT" else "Việc cuối" if name == "Chỉ tiêu" else "" for name in columns])
    with (tmp_path / "bieu.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([columns, *rows])
    annex = read_form_annex(tmp_path / "bieu.csv", KNOWN)
    places = {match.line.row for match in annex.matches}
    lost = [row for number, row in enumerate(rows, 2) if any(row) and number not in places]
    name = columns.index("Chỉ tiêu")
    # A row that says more of the header stands right below it, without a name; nothing else is no line.
    assert all(row in rows[:3] and row[name] in ("", *columns) for row in lost), lost
    assert any("Cột lạ" in part.text_vi for part in annex.unread)

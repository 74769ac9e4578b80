"""The printed form, filled in by an office, as a declared return: its rows are told by place and name, or sent back."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest

from common.forms import form_named
from ingestion.reading.docx_text import read_tables
from tests.support.printed_form import BOTTOM, TOP, Line, merged_as_printed, printed_lines, reordered

FORM = form_named("2023")
SOURCE = "declared_returns"
TITLE = ["BẢNG TỔNG HỢP"]
KINDS = {row["indicator_code"]: row["kind"] for row in FORM.rows}
ROWS = {row["indicator_code"]: k for k, row in enumerate(FORM.rows)}
DECLARED = [code for code, kind in KINDS.items() if kind != "heading"]


def a_figure(code: str, chance: random.Random) -> Any:
    """A figure that the row may have, as it is typed into a cell: a number, or a text with a decimal comma."""
    match KINDS[code]:
        case "flag":
            return chance.randint(0, 1)
        case "ratio":
            return f"{chance.randint(0, 99)},{chance.randint(1, 9)}"
        case "text":
            return f"Kế hoạch số {chance.randint(1, 99)}/KH-UBND"
        case "code":
            return chance.randint(0, 2)
    number = chance.randint(0, 9999)
    return chance.choice([number, str(number), f"{number:,}".replace(",", ".")])


def figures_for(seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    return {code: a_figure(code, chance) for code in DECLARED}


def value_of(figure: Any) -> Any:
    text = str(figure)
    try:
        return Decimal(text.replace(".", "").replace(",", "."))
    except ArithmeticError:
        return text


def taken(home: Any) -> dict[str, Any]:
    """What was declared, by code: a number or a text."""
    rows = home.rows(SOURCE)
    assert len({row["indicator_code"] for row in rows}) == len(rows)
    return {r["indicator_code"]: r["value"] if r["value"] is not None else r["value_text"] for r in rows}


def deliver(home: Any, lines: list[Line], head: tuple[Any, ...] = (TOP, BOTTOM), **how: Any) -> dict[str, Any]:
    home.workbook(SOURCE, [TITLE, [], *map(list, head), *lines], **how)
    home.ingest(sources=[SOURCE])
    found: dict[str, Any] = home.delivery(SOURCE)
    return found


def kinds(home: Any) -> dict[str, Any]:
    return {remark["kind"]: remark for remark in home.rows(SOURCE, "remarks")}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("merged", [True, False])
def test_every_row_filled_in_comes_back_as_it_was_typed(home: Any, seed: int, merged: bool) -> None:
    figures = figures_for(seed)
    found = deliver(home, printed_lines(FORM, figures), before_closing=merged_as_printed(FORM, 2) if merged else None)
    assert (found["outcome"], found["rows_rejected"], found["unknown_columns"]) == ("accepted", 0, [])
    assert taken(home) == {code: value_of(figure) for code, figure in figures.items()}
    assert not {"form_rows_missing", "form_renumbered", "serial_gap", "skipped_block"} & set(kinds(home))


def test_only_what_is_filled_in_is_declared_and_the_rest_is_told_apart(home: Any) -> None:
    notes = {"I.02": "Kế hoạch số 03/KH-UBND ngày 04/01/2023", "I.06": "Theo kế hoạch năm ¹ ²", "I.14": "³"}
    found = deliver(home, printed_lines(FORM, {"I.14": 12, "I.15": "-", "I.16": "..."}, notes))
    assert found["outcome"] == "accepted"
    rows = {row["indicator_code"]: row for row in home.rows(SOURCE)}
    assert {code: (row["value"], row["note"]) for code, row in rows.items()} == {
        "I.02": (None, notes["I.02"]), "I.06": (None, "Theo kế hoạch năm"), "I.14": (Decimal(12), None),
    }  # fmt: skip
    reasons = [row["reason"] for row in home.rows(SOURCE, "furniture")]
    headings = sum(kind == "heading" for kind in KINDS.values())
    assert reasons.count("form_heading") == headings - 1
    assert reasons.count("form_row_left_blank") == len(KINDS) - headings - 2


def test_a_form_that_nobody_filled_in_declares_nothing(home: Any) -> None:
    found = deliver(home, printed_lines(FORM, {}))
    assert (found["outcome"], found["rows_read"]) == ("nothing_to_report", 0)
    assert "nothing_unsaid" in kinds(home)


@pytest.mark.parametrize("order", [(1, 3, 2, 4, 0), (4, 3, 2, 1, 0), (0, 1, 4, 2, 3)])
def test_columns_may_stand_in_any_order(home: Any, order: tuple[int, ...]) -> None:
    figures = figures_for(7)
    heads = ("STT", "Chỉ tiêu thống kê", "Đơn vị tính", "Số lượng/Tỷ lệ", "Ghi chú")
    lines = reordered(printed_lines(FORM, figures), order)
    assert deliver(home, lines, (tuple(heads[i] for i in order),))["outcome"] == "accepted"
    assert taken(home) == {code: value_of(figure) for code, figure in figures.items()}


@pytest.mark.parametrize("shift", [1, 3])
def test_the_table_may_stand_further_right_and_lower(home: Any, shift: int) -> None:
    figures = figures_for(8)
    found = deliver(
        home, printed_lines(FORM, figures), first_row=shift, first_column=shift,
        before_closing=None,
    )  # fmt: skip
    assert found["outcome"] == "accepted"
    assert taken(home) == {code: value_of(figure) for code, figure in figures.items()}


def test_without_numbers_the_names_tell(home: Any) -> None:
    figures = figures_for(9)
    lines = [line[1:] for line in printed_lines(FORM, figures)]
    assert deliver(home, lines, (TOP[1:], BOTTOM[1:]))["outcome"] == "accepted"
    assert taken(home) == {code: value_of(figure) for code, figure in figures.items()}


def test_other_numbers_are_told_and_the_names_count(home: Any) -> None:
    figures = figures_for(10)
    lines = printed_lines(FORM, figures)
    for k, line in enumerate(lines, start=1):
        line[0] = k
    assert deliver(home, lines)["outcome"] == "accepted"
    assert taken(home) == {code: value_of(figure) for code, figure in figures.items()}
    remark = kinds(home)["form_renumbered"]
    assert remark["count"] > 200
    assert "mã I.01 ghi “1”, biểu in “I”" in remark["message_vi"]


@pytest.mark.parametrize("seed", range(4))
def test_rows_that_are_missing_are_told_and_move_no_other(home: Any, seed: int) -> None:
    chance, figures = random.Random(seed), figures_for(seed)
    gone = set(chance.sample(DECLARED, 9))
    lines = [line for code, line in zip(KINDS, printed_lines(FORM, figures), strict=True) if code not in gone]
    deliver(home, lines)
    doubtful = {row["value"] for row in home.rows(SOURCE, "rejected")}
    told = kinds(home)["form_rows_missing"]
    expected = {code: value_of(figure) for code, figure in figures.items() if code not in gone}
    # Of two rows of one name of which one is gone, the one that is there may be either: it is sent back, never guessed.
    assert {code: v for code, v in expected.items() if code not in doubtful} == taken(home)
    assert {r["reason_code"] for r in home.rows(SOURCE, "rejected")} <= {"form_row_ambiguous"}
    assert told["count"] == len(gone)
    assert all(code in gone for code in told["value"].replace(", …", "").split(", "))


NAMES = [row["name_corrected_vi"] or row["name_vi"] for row in FORM.rows]
LONELY = [code for code in DECLARED if NAMES.count(NAMES[ROWS[code]]) == 1]


@pytest.mark.parametrize("seed", range(6))
def test_two_rows_exchanged_are_both_sent_back_with_name_and_place(home: Any, seed: int) -> None:
    chance, figures = random.Random(seed), figures_for(seed)
    one = chance.choice(LONELY[:-12])
    other = chance.choice([LONELY[LONELY.index(one) + 1], chance.choice(LONELY[LONELY.index(one) + 1 :])])
    lines = printed_lines(FORM, figures)
    a, b = ROWS[one], ROWS[other]
    lines[a], lines[b] = lines[b], lines[a]
    found = deliver(home, lines)
    assert found["outcome"] == "partly_accepted"
    reasons = {r["value"]: r["reason_vi"] for r in home.rows(SOURCE, "rejected")}
    assert set(reasons) == {one, other}
    assert all(one in reason and other in reason for reason in reasons.values())
    assert taken(home) == {code: value_of(v) for code, v in figures.items() if code not in (one, other)}


@pytest.mark.parametrize("seed", range(3))
def test_a_row_that_was_moved_is_sent_back_alone(home: Any, seed: int) -> None:
    chance, figures = random.Random(seed), figures_for(seed)
    moved = chance.choice(LONELY[:80])
    lines = printed_lines(FORM, figures)
    lines.insert(ROWS[moved] + chance.randint(20, 60), lines.pop(ROWS[moved]))
    deliver(home, lines)
    assert [(r["value"], r["reason_code"]) for r in home.rows(SOURCE, "rejected")] == [(moved, "form_row_out_of_place")]
    assert set(taken(home)) == set(DECLARED) - {moved}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda line: line.__setitem__(1, "Số bài viết trên báo"), "name_not_in_form"),
        (lambda line: line.__setitem__(1, None), "name_not_in_form"),
        (lambda line: line.__setitem__(3, "mười hai"), "text_in_figure"),
        (lambda line: line.__setitem__(3, -3), "not_a_count"),
    ],
)
def test_what_no_row_of_the_form_is_goes_back_with_its_place(home: Any, change: Any, reason: str) -> None:
    figures = figures_for(11)
    lines = printed_lines(FORM, figures)
    change(lines[ROWS["I.14"]])
    deliver(home, lines)
    (told,) = home.rows(SOURCE, "rejected")
    assert (told["reason_code"], told["_row"]) == (reason, ROWS["I.14"] + 5)
    assert "I.14" in told["reason_vi"]
    assert set(taken(home)) == set(DECLARED) - {"I.14"}


def test_a_figure_on_a_heading_goes_back(home: Any) -> None:
    deliver(home, printed_lines(FORM, {"I.06": 4, "I.14": 1}))
    assert [r["reason_code"] for r in home.rows(SOURCE, "rejected")] == ["figure_on_heading"]
    assert set(taken(home)) == {"I.14"}


@pytest.mark.parametrize("fold", [str.upper, str.lower, lambda t: t.replace("ố", "ô"), lambda t: f"-  {t} :"])
def test_names_are_held_against_the_form_as_vietnamese_is_typed(home: Any, fold: Any) -> None:
    figures = figures_for(12)
    lines = printed_lines(FORM, figures)
    for line in lines:
        line[1] = fold(line[1])
    assert deliver(home, lines)["outcome"] == "accepted"
    assert taken(home) == {code: value_of(figure) for code, figure in figures.items()}


def test_what_stands_around_the_rows_is_no_data(home: Any) -> None:
    """Numbered columns, the heading again on the next page, notes and signatures below."""
    figures = figures_for(13)
    lines = printed_lines(FORM, figures)
    around = [
        ["(1)", "(2)", "(3)", "(4)", "(5)"],
        *lines[:100],
        list(TOP),
        list(BOTTOM),
        *lines[100:],
        [],
        ["Ghi chú:"],
        ["¹ Số liệu tính đến ngày 14/3/2023 theo báo cáo của các xã."],
        [None, "NGƯỜI LẬP BIỂU", None, "CHỦ TỊCH"],
        [None, "Nguyễn Văn An", None, "Trần Thị Bình"],
    ]
    found = deliver(home, around)
    assert (found["outcome"], found["rows_rejected"]) == ("accepted", 0)
    assert taken(home) == {code: value_of(figure) for code, figure in figures.items()}


def test_a_note_that_goes_on_below_belongs_to_its_row(home: Any) -> None:
    lines = printed_lines(FORM, {"I.14": 3, "I.15": 4}, {"I.14": "Danh sách tin, bài "})
    lines.insert(ROWS["I.14"] + 1, [None, None, None, None, "kèm theo báo cáo"])
    deliver(home, lines)
    notes = {row["indicator_code"]: row["note"] for row in home.rows(SOURCE)}
    assert notes == {"I.14": "Danh sách tin, bài kèm theo báo cáo", "I.15": None}


def test_a_row_beyond_the_form_is_sent_back(home: Any) -> None:
    deliver(home, [*printed_lines(FORM, {"I.14": 3}), [None, "Số biên chế phải tinh giản", "Người", 2, None]])
    assert [r["reason_code"] for r in home.rows(SOURCE, "rejected")] == ["name_not_in_form"]


def test_figures_of_rows_the_contract_does_not_take_are_set_apart_and_told(home: Any, monkeypatch: Any) -> None:
    from ingestion import load_contracts

    contract = load_contracts()[SOURCE]
    plan = contract.form_row
    assert plan is not None
    monkeypatch.setitem(plan.__dict__, "printed_sources", ["declared_returns"])
    figures = figures_for(14)
    deliver(home, printed_lines(FORM, figures))
    own = {row["indicator_code"] for row in FORM.rows if row["source"] == "declared_returns"}
    assert set(taken(home)) == own
    assert kinds(home)["form_figures_not_taken"]["count"] == len(DECLARED) - len(own)


def word_document(path: Path, lines: list[Line], *, merged: bool, parts: int = 1) -> None:
    """The form in a Word document: a letter's head, titles, the table (in so many parts), signatures in a table."""
    document = docx.Document()
    document.add_table(1, 2).rows[0].cells[0].text = "UBND HUYỆN CÙ LAO DUNG"
    for number in range(30):
        document.add_paragraph(f"Đoạn {number} của báo cáo.")
    document.add_paragraph("BẢNG TỔNG HỢP QUÝ I/2023")
    rows = [TOP, BOTTOM, *lines]
    step = -(-len(rows) // parts)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        table = document.add_table(len(some), 5)
        for row, line in zip(table.rows, some, strict=True):
            cells = row.cells
            for cell, value in zip(cells, line, strict=True):
                cell.text = "" if value is None else str(value)
        if merged and start == 0:
            for column in (0, 1, 4):
                table.cell(0, column).merge(table.cell(1, column))
            table.cell(0, 2).merge(table.cell(0, 3))
            table.cell(2, 1).merge(table.cell(2, 3))
    document.add_paragraph("Ghi chú: số liệu tính đến ngày chốt.")
    signed = document.add_table(1, 2).rows[0].cells
    signed[0].text, signed[1].text = "NGƯỜI LẬP BIỂU", "CHỦ TỊCH"
    document.save(str(path))


@pytest.mark.parametrize(("merged", "parts"), [(False, 1), (True, 1), (True, 3)])
def test_the_form_in_a_word_document_is_read_like_the_workbook(home: Any, merged: bool, parts: int) -> None:
    figures = figures_for(15)
    path = home.place(SOURCE, "bieu.docx")
    word_document(path, printed_lines(FORM, figures), merged=merged, parts=parts)
    home.touch(path)
    home.ingest(sources=[SOURCE])
    found = home.delivery(SOURCE)
    assert (found["outcome"], found["rows_rejected"]) == ("accepted", 0)
    assert taken(home) == {code: value_of(figure) for code, figure in figures.items()}
    assert "not_read" in kinds(home)


def test_a_word_document_without_a_table_is_sent_back(home: Any) -> None:
    document = docx.Document()
    document.add_paragraph("Kính gửi")
    path = home.place(SOURCE, "a.docx")
    document.save(str(path))
    home.touch(path)
    home.ingest(sources=[SOURCE])
    found = home.delivery(SOURCE)
    assert (found["outcome"], "không có bảng nào" in found["message_vi"]) == ("refused", True)


def test_rows_that_were_sent_back_come_back_mended_in_their_workbook(home: Any) -> None:
    lines = printed_lines(FORM, figures_for(16))
    lines[ROWS["I.14"]][1], lines[ROWS["I.17"]][3] = "Số bài viết trên báo", "thường xuyên"
    deliver(home, lines)
    assert {r["_row"] for r in home.rows(SOURCE, "rejected")} == {ROWS["I.14"] + 5, ROWS["I.17"] + 5}
    (sent_back,) = home.paths.outbox.rglob("*.xlsx")
    book = openpyxl.load_workbook(sent_back)
    for row in book.worksheets[0].iter_rows():
        for cell in row:
            if cell.value in ("Số bài viết trên báo", "thường xuyên"):
                cell.value = NAMES[ROWS["I.14"]] if cell.value != "thường xuyên" else 1
    path = home.place(SOURCE, "da-sua.xlsx")
    book.save(path)
    home.touch(path)
    home.ingest(sources=[SOURCE])
    assert set(taken(home)) == set(DECLARED)
    assert taken(home)["I.17"] == 1
    told = [r["_file_name"] for r in home.rows(SOURCE, "remarks") if r["kind"] == "form_rows_missing"]
    assert told == ["a.xlsx"]


# How Word wraps rows of a table: where they stand in it, by the tags around them.
WRAPPED = {
    "a content control": ["sdt", "sdtContent"],
    "a repeated section": ["sdt", "sdtContent", "sdt", "sdtContent"],
    "a tag of a system": ["customXml"],
}


@pytest.mark.parametrize("way", WRAPPED)
def test_rows_of_a_word_table_are_read_wherever_they_stand(way: str, tmp_path: Path) -> None:
    document = docx.Document()
    table = document.add_table(rows=0, cols=3)
    rows = [["STT", "Chỉ tiêu", "Số liệu"], ["1", "Số văn bản", "5"], ["2", "Số hồ sơ", "7"], ["3", "Số phiếu", "9"]]
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    inner = table.rows[3].cells[2].add_table(rows=1, cols=1)
    inner.cell(0, 0).text = "trong ô"
    for row in table.rows[1:3]:
        outer = row._tr.getparent()
        place = outer.index(row._tr)
        wrapper = row._tr
        for tag in reversed(WRAPPED[way]):
            around = docx.oxml.OxmlElement(f"w:{tag}")
            around.append(wrapper)
            wrapper = around
        outer.insert(place, wrapper)
    path = tmp_path / "a.docx"
    document.save(str(path))
    [found], _ = read_tables(path)
    assert [row[:2] for row in found.rows] == [row[:2] for row in rows]
    assert [row[2] for row in found.rows[:3]] == ["Số liệu", "5", "7"]

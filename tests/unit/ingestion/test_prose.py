"""Running text as a grid: which lines are headings, which are paragraphs, and that none is passed over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.base.cell_fault import CellFault
from ingestion.base.contracts import Contract, load_contracts
from ingestion.clerk.prose_template import heading, text_of, text_template
from ingestion.reading.grid import CellSheet
from ingestion.rows.prose import Headings, grid_of
from ingestion.text.vietnamese import clean

CONTRACT = load_contracts()["report_narrative"]
LABELS = CONTRACT.column("section").labels
HEADINGS = Headings(CONTRACT)


def sheet_of(text: str) -> CellSheet:
    (sheet,) = grid_of(text.split("\n"), CONTRACT, "txt").sheets
    assert isinstance(sheet, CellSheet)
    return sheet


def rows_of(text: str) -> list[tuple[int, Any, Any, Any]]:
    """Line number, section, paragraph number and text below the header."""
    sheet = sheet_of(text)
    head = sheet.line_numbers.index(0)
    assert sheet.rows[head] == ["Mục", "Đoạn", "Nội dung"]
    lines = zip(sheet.line_numbers, sheet.rows, strict=True)
    return [(number, *row) for number, row in list(lines)[head + 1 :]]


def reason(cell: Any) -> str:
    return cell.remark.code if isinstance(cell, CellFault) else ""


@pytest.mark.parametrize(
    ("line", "section"),
    [
        ("[II.2]", "II.2"),
        ("[ II.2 ] Hạn chế", "II.2"),
        ("[Hạn chế]", "II.2"),
        ("[han che]", "II.2"),
        ("## II.2 Hạn chế", "II.2"),
        ("# Hạn chế:", "II.2"),
        ("## 2. Hạn chế ##", "II.2"),
        ("2. Hạn chế.", "II.2"),
        ("**2. Hạn chế**", "II.2"),
        ("II.2. HẠN CHẾ", "II.2"),
        ("II.2", "II.2"),
        ("Ưu điểm:", "II.1"),
        ("1. Ưu điểm.", "II.1"),
        ("Tồn tại, hạn chế", "II.2"),
        ("3. Cải cách thủ tục hành chính (TTHC)", "I.3"),
        ("7. Xây dựng và phát triển Chính phủ điện tử, Chính phủ số", "I.7"),
        ("10. Thực hiện phân cấp quản lý", "I.10"),
        ("[I.10]", "I.10"),
        ("III. PHƯƠNG HƯỚNG NHIỆM VỤ QUÝ II", "III"),
        ("III. PHƯƠNG HƯỚNG, NHIỆM VỤ QUÝ II NĂM 2023", "III"),
        ("Phương hướng, nhiệm vụ quý sau", "III"),
        ("[III] Phương hướng, nhiệm vụ quý III/2023", "III"),
        ("Nơi nhận:", "receivers"),
        ("[Mở đầu]", "opening"),
        (
            "9. Thực hiện Chỉ thị số 26/CT-TTg ngày 05/09/2016 của Thủ tướng Chính phủ và Chỉ thị số 10/CT-CTUBND ngày "
            "28/12/2012 của Chủ tịch Ủy ban nhân dân tỉnh Sóc Trăng",
            "I.9",
        ),
    ],
)
def test_headings_are_known_in_the_forms_that_clerks_write(line: str, section: str) -> None:
    place = HEADINGS.of(line)
    assert place is not None
    assert (place.label, place.fault, place.line_fault) == (LABELS[section][0], None, None)


@pytest.mark.parametrize(
    "line",
    [
        "1. Ủy ban nhân dân huyện tiếp tục triển khai thực hiện các nhiệm vụ theo kế hoạch.",
        "- Hạn chế",
        "-Hạn chế",
        "* Hạn chế",
        "Hạn chế là một số xã chưa cập nhật kịp thời.",
        "7.1. Tình hình ứng dụng CNTT trong hoạt động của đơn vị",
        "a) Công tác kiểm tra, rà soát VBQPPL",
        "Hết",
        "IV tổ chức trực thuộc",
        "Quý I huyện không phát sinh phản ánh.",
        "IV. Các xã, thị trấn báo cáo đúng hạn.",
        "Hạn 2. chế",
    ],
)
def test_other_lines_are_paragraphs(line: str) -> None:
    assert HEADINGS.of(line) is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("[II.9]", "unknown_heading"),
        ("[Tâm tư]", "unknown_heading"),
        ("## Đánh giá của lãnh đạo", "unknown_heading"),
        ("IV. TỔ CHỨC THỰC HIỆN", "unknown_heading"),
        ("II.7. Nguyên nhân", "unknown_heading"),
        ("[II.1] Hạn chế", "contradictory_heading"),
        ("II.1. Hạn chế", "contradictory_heading"),
    ],
)
def test_a_heading_that_leads_nowhere_is_rejected_with_all_below_it(line: str, code: str) -> None:
    rows = rows_of(f"[II.1]\nmột\n{line}\nhai\n\nba\n[II.2]\nbốn")
    assert [(number, reason(section), text) for number, section, _, text in rows] == [
        (2, "", "một"),
        (3, code, line),
        (4, code, "hai"),
        (6, code, "ba"),
        (8, "", "bốn"),
    ]
    assert line.removeprefix("## ") in rows[1][1].remark.reason_vi


@pytest.mark.parametrize("line", ["[II.2] Không phát sinh.", "[II] Toàn phần.", "[Hết] Còn nữa."])
def test_words_behind_a_heading_are_no_heading_and_are_not_lost(line: str) -> None:
    (found,) = rows_of(f"[II.1]\n{line}")
    assert (found[0], reason(found[1]), found[3]) == (2, "text_in_heading", line)


def test_text_before_headings_below_groups_among_signatures_and_after_the_end_is_rejected() -> None:
    text = (
        "BÁO CÁO\n[Mở đầu]\nCăn cứ\nI. KẾT QUẢ THỰC HIỆN QUÝ I\nlạc\n1. Cải cách thể chế\n[Nơi nhận]\n- Sở;\n"
        "TM. ỦY BAN NHÂN DÂN\nCHỦ TỊCH\nmột người\n[Hết]\nsau"
    )
    assert [(number, reason(section), text) for number, section, _, text in rows_of(text)] == [
        (1, "text_without_heading", "BÁO CÁO"),
        (3, "", "Căn cứ"),
        (5, "text_without_heading", "lạc"),
        (8, "", "- Sở;"),
        (11, "signature", "một người"),
        (13, "text_after_end", "sau"),
    ]


def test_paragraphs_are_counted_within_their_section_also_where_it_comes_again() -> None:
    rows = rows_of("[II.1]\na\nb\n[II.2]\nc\n[II.1]\nd")
    assert [(text, number) for _, _, number, text in rows] == [("a", 1), ("b", 2), ("c", 1), ("d", 3)]


def test_a_stray_paragraph_has_a_number_that_no_section_has() -> None:
    rows = rows_of("lạc\n[II.1]\na\nb\n[II.9]\nc\n[II.2]\nd")
    assert [(text, number) for _, _, number, text in rows] == [
        ("lạc", 3), ("a", 1), ("b", 2), ("[II.9]", 4), ("c", 5), ("d", 1),
    ]  # fmt: skip


def test_reminders_rules_and_blank_lines_are_no_text() -> None:
    assert rows_of("[II.1]\n// nhắc\n……………\n-----\n \u00a0\na") == [(6, LABELS["II.1"][0], 1, "a")]


def test_reminders_above_the_first_heading_are_the_title() -> None:
    sheet = sheet_of("// Quý I/2023\n//\n[II.1]\n// Quý II/2023\na")
    assert sheet.rows[0] == ["Quý I/2023"]
    assert sheet.line_numbers[:2] == [1, 0]


@pytest.mark.parametrize("text", ["[II.1]\na\n[Hết]", "// x\n\n[hết]"])
def test_the_closing_line_proves_that_a_text_is_whole(text: str) -> None:
    content = grid_of(text.split("\n"), CONTRACT, "txt")
    assert (content.may_be_cut, content.proves_itself) == (False, True)


def test_nothing_to_report_can_be_said_in_words() -> None:
    assert rows_of("// x\nKhông phát sinh.") == [(2, "Không phát sinh.", None, None)]
    assert [row[3] for row in rows_of("[I.9]\nKhông phát sinh.")] == ["Không phát sinh."]


def test_the_template_holds_every_heading_and_no_paragraph() -> None:
    lines = text_template(CONTRACT).decode("utf-8-sig").split("\r\n")
    assert rows_of("\n".join(lines)) == []
    assert [heading(value, labels[0]) for value, labels in LABELS.items()] == [
        line for line in lines if line.startswith("[") and line != "[Hết]"
    ]
    for value, labels in LABELS.items():
        place = HEADINGS.of(heading(value, labels[0]))
        assert place is not None
        assert place.label == labels[0]


def test_every_label_of_the_contract_heads_its_section() -> None:
    for labels in LABELS.values():
        for label in labels:
            for form in (label, f"[{label}]", f"## {label}", label.upper()):
                place = HEADINGS.of(form)
                assert place is not None, form
                assert (place.label, place.fault) == (labels[0], None), form


def test_a_contract_takes_running_text_only_with_the_columns_for_it() -> None:
    given_data = CONTRACT.model_dump()
    for change in ({"heading": "text"}, {"number": "section"}, {"text": "none"}, {"hints": {}}):
        with pytest.raises(ValueError, match="prose needs"):
            Contract.model_validate(given_data | {"prose": given_data["prose"] | change})


def test_contracts_without_running_text_do_not_speak_of_it() -> None:
    # What is kept of a reading is compared by the contract's text; a new field must not outdate every delivery.
    for source, contract in load_contracts().items():
        assert ('"prose"' in contract.model_dump_json()) == (source == "report_narrative")


_WORDS = st.sampled_from(
    ["huyện", "xã,", "Ủy ban", "giải quyết", "{III.24}", "hồ sơ;", "{I.02}%", "16/3/2023", "(CCHC)", "“tốt”", "3."]
)


@st.composite
def paragraphs(draw: st.DrawFn) -> str:
    words = " ".join(draw(st.lists(_WORDS, min_size=1, max_size=12)))
    text = draw(st.sampled_from(["", "- ", "1. ", "a) ", "+ "])) + words
    return text if HEADINGS.of(clean(text)) is None and any(c.isalnum() for c in text) else "Đoạn văn " + words


@given(st.lists(st.tuples(st.sampled_from(list(LABELS)), paragraphs()), max_size=20))
def test_what_is_written_is_what_is_read(written: list[tuple[str, str]]) -> None:
    text = text_of(CONTRACT, written, ["UBND huyện", "Quý I/2023"]).decode("utf-8-sig")
    labels = {labels[0]: value for value, labels in LABELS.items()}
    rows = rows_of(text.replace("\r\n", "\n"))
    assert [(labels[section], paragraph) for _, section, _, paragraph in rows] == written
    keys = [(section, number) for _, section, number, _ in rows]
    assert len(set(keys)) == len(keys)


_LINES = st.one_of(
    st.sampled_from(["[II.1]", "## II.2", "III.", "[x]", "// nhắc", "", "...", "I. KẾT QUẢ", "TM. UBND", "[Hết]"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40),
    paragraphs(),
)


@given(st.lists(_LINES, max_size=25))
def test_every_line_is_a_row_or_known_for_what_it_is(lines: list[str]) -> None:
    text = [clean(line) for line in lines]
    rows = rows_of("\n".join(lines)) if lines else []
    told = {number for number, *_ in rows}
    for number, line in enumerate(text, start=1):
        if number not in told:
            place = HEADINGS.of(line)
            is_heading = place is not None and place.line_fault is None
            assert is_heading or line.startswith("//") or not any(c.isalnum() for c in line)
    assert [number for number, *_ in rows] == sorted(told)
    assert all(text[number - 1] == cell for number, *_, cell in rows if cell is not None)

"""What stands outside the table that was read, and headings without a meaning: refused or told, never dropped."""

from __future__ import annotations

import datetime as dt
from typing import Any

import openpyxl
import pytest

from ingestion import read_deliveries
from ingestion.base.contracts import load_contracts

CASES = ["STT", "Mã hồ sơ", "Mã TTHC", "Cơ quan tiếp nhận", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày kết thúc xử lý",
         "Trạng thái", "Hình thức"]  # fmt: skip


def case(n: int, **other: Any) -> list[Any]:
    row = {
        "STT": n, "Mã hồ sơ": f"000.00.04.H51-230110-{n:04}", "Mã TTHC": "1.004946",
        "Cơ quan tiếp nhận": "Phòng Nội vụ", "Ngày tiếp nhận": "10/01/2023",
        "Ngày hẹn trả": "20/01/2023", "Ngày kết thúc xử lý": "15/01/2023",
        "Trạng thái": "Đã trả kết quả", "Hình thức": "Trực tiếp",
    }  # fmt: skip
    return [(row | other)[name] for name in CASES]


TASKS = ["Loại kế hoạch", "Mã nhiệm vụ", "Nội dung", "Ngày hoàn thành"]
TABLES: dict[str, tuple[list[str], list[list[Any]]]] = {
    "one_stop_cases": (CASES, [case(n) for n in range(1, 9)]),
    "plan_tasks": (TASKS, [["Tuyên truyền", f"NV-{n:02}", "Đưa tin", "10/01/2023"] for n in range(1, 9)]),
    "e_document_counts": (
        ["Đơn vị", "Tháng", "Loại văn bản", "Tổng số văn bản đi"],
        [[unit, f"{month:02}/2023", "Tất cả", "12"] for unit in ("Phòng Nội vụ", "VP") for month in (1, 2, 3)],
    ),
    "survey_responses": (
        ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"],
        [[f"P{n:03}", "Phiếu giấy", "10/01/2023", "Hài lòng"] for n in range(1, 9)],
    ),
    "declared_returns": (
        ["Mã chỉ tiêu", "Chỉ tiêu", "Số liệu"],
        [[f"III.{n}", None, str(n)] for n in range(23, 29)],
    ),
    "procedure_catalogue": (
        ["Mã TTHC", "Tên TTHC", "Lĩnh vực", "Cấp huyện", "Cấp xã", "Ngày công bố"],
        [[f"1.00{n}", f"Thủ tục {n}", "Hộ tịch", "x", "x", "01/01/2020"] for n in range(4000, 4008)],
    ),
    "staffing_roster": (
        ["Số hiệu", "Họ và tên", "Đơn vị công tác", "Đối tượng"],
        [[f"CB{n:03}", "Trần Văn A", "Phòng Nội vụ", "Công chức"] for n in range(1, 9)],
    ),
}


def write_sheets(book: Any, **sheets: list[list[Any]]) -> None:
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if cell is not None:
                    sheet.write(r, c, cell)


def remarks(home: Any, source: str, kind: str) -> list[dict[str, Any]]:
    return [r for r in home.layer("remarks", home.delivery(source)) if r["kind"] == kind]


@pytest.mark.parametrize("source", sorted(TABLES))
def test_a_sheet_that_goes_on_without_a_header_is_not_passed_over(registers: Any, source: str) -> None:
    head, rows = TABLES[source]
    registers.workbook(source, [head, *rows[:4]], before_closing=lambda book: write_sheets(book, Tiep=rows[4:]))
    registers.ingest()
    found = registers.delivery(source)
    assert (found["outcome"], found["refusal"]) == ("refused", "rows_passed_over"), found["message_vi"]
    assert "“Tiep”" in found["message_vi"]


@pytest.mark.parametrize("source", ["one_stop_cases", "plan_tasks", "survey_responses", "declared_returns"])
@pytest.mark.parametrize("shift", [1, 3])
def test_rows_in_other_columns_or_beside_the_table_are_known_by_their_keys(
    registers: Any, source: str, shift: int
) -> None:
    head, rows = TABLES[source]
    shifted = [[None] * shift + row for row in rows[4:]]
    registers.workbook(
        source, [head, *rows[:4]], name="a.xlsx", before_closing=lambda book: write_sheets(book, Tiep=shifted)
    )
    gap = [None] * (len(head) + shift)
    beside = [[*row, *gap[: shift + 1], *other] for row, other in zip(rows[:4], rows[4:], strict=False)]
    registers.workbook(source, [head, *beside], name="b.xlsx")
    registers.ingest()
    found = [d for d in read_deliveries(registers.paths).to_pylist() if d["source"] == source]
    assert [(d["file_name"], d["refusal"]) for d in sorted(found, key=lambda d: d["file_name"])] == [
        ("a.xlsx", "rows_passed_over"), ("b.xlsx", "rows_passed_over"),
    ]  # fmt: skip


@pytest.mark.parametrize("heading", ["Mã HSQ", "Hồ sơ số", "Code", None])
def test_a_sheet_whose_key_heading_differs_refuses_the_file(registers: Any, heading: str | None) -> None:
    head = [heading if name == "Mã hồ sơ" else name for name in CASES]
    rows = [head, *(case(n) for n in range(5, 9))]
    registers.workbook(
        "one_stop_cases", [CASES, *(case(n) for n in range(1, 5))], before_closing=lambda b: write_sheets(b, S2=rows)
    )
    registers.ingest()
    assert registers.delivery("one_stop_cases")["outcome"] == "refused"


def test_rows_above_the_header_refuse_the_file(registers: Any) -> None:
    registers.workbook("one_stop_cases", [case(1), case(2), CASES, case(3)])
    registers.ingest()
    assert registers.delivery("one_stop_cases")["refusal"] == "rows_passed_over"


def test_what_looks_like_no_rows_is_told_and_does_not_refuse(registers: Any) -> None:
    notes = [["Ghi chú"], ["Số liệu tính đến 14/3"], ["Thủ tục", "Số hồ sơ"], ["1.004946", 4], ["Hồ sơ III.23", 7]]
    beside = [[*case(1), None, "đã rà"], case(2), case(3)]
    registers.workbook(
        "one_stop_cases", [CASES, *beside], before_closing=lambda b: write_sheets(b, Tong=notes, Lap=[case(1), case(2)])
    )
    registers.ingest()
    found = registers.delivery("one_stop_cases")
    assert (found["outcome"], found["rows_accepted"]) == ("accepted", 3), found["message_vi"]
    assert [(r["_sheet"], r["count"], r["column"]) for r in remarks(registers, "one_stop_cases", "skipped_sheet")] == [
        ("Tong", 5, None), ("Lap", 2, None),
    ]  # fmt: skip
    assert [(r["count"], r["column"]) for r in remarks(registers, "one_stop_cases", "skipped_block")] == [(1, None)]
    assert "“Tong”" in found["message_vi"]


def test_a_single_key_outside_the_table_is_a_remark_that_names_it(registers: Any) -> None:
    registers.workbook(
        "one_stop_cases", [CASES, case(1)], before_closing=lambda b: write_sheets(b, Nho=[["Xem", case(9)[1]]])
    )
    registers.ingest()
    (remark,) = remarks(registers, "one_stop_cases", "skipped_sheet")
    assert (remark["column"], remark["expected"], remark["subject"]) == ("case_code", "Mã hồ sơ", "Nho")
    assert "B1" in remark["message_vi"]


def test_a_second_table_of_a_sheet_is_read_by_its_own_header(registers: Any) -> None:
    swapped = list(CASES)
    swapped[5], swapped[6] = swapped[6], swapped[5]
    second = [case(n) for n in (4, 5)]
    for row in second:
        row[5], row[6] = row[6], row[5]
    registers.workbook("one_stop_cases", [CASES, *(case(n) for n in (1, 2, 3)), [], swapped, *second])
    registers.ingest()
    found = registers.delivery("one_stop_cases")
    assert (found["outcome"], found["rows_read"]) == ("accepted", 5)
    rows = registers.rows("one_stop_cases")
    assert {(r["due_at"].day, r["finished_at"].day) for r in rows} == {(20, 15)}
    assert [r["_row"] for r in rows] == [2, 3, 4, 7, 8]


def test_a_second_header_that_lacks_a_required_column_refuses_the_file(registers: Any) -> None:
    registers.workbook("one_stop_cases", [CASES, case(1), CASES[:-1], case(2)[:-1]])
    registers.ingest()
    found = registers.delivery("one_stop_cases")
    assert found["outcome"] == "refused"
    assert "dòng 3" in found["message_vi"]


def test_rejected_rows_of_a_second_table_go_back_under_its_own_header(registers: Any) -> None:
    moved = [*CASES[1:], CASES[0]]
    row = case(2, **{"Ngày tiếp nhận": "không rõ"})
    registers.workbook("one_stop_cases", [CASES, case(1), moved, [*row[1:], row[0]]])
    registers.ingest()
    book = openpyxl.load_workbook(
        registers.paths.outbox / "945/2023-Q1/one_stop_cases/a.xlsx.rejected.xlsx", read_only=True
    )
    cells = [list(r) for r in book.active.iter_rows(values_only=True)]
    at = next(i for i, r in enumerate(cells) if "Mã hồ sơ" in r)
    assert cells[at][4:6] == ["Mã hồ sơ", "Mã TTHC"]
    assert cells[at + 1][4] == row[1]


# ---------------------------------------------------------------------------------------------------------- headings


@pytest.mark.parametrize(
    ("heading", "resembles"),
    [("Ngày hẹn người dân", "due_at"), ("Hẹn trả KQ", "due_at"), ("Deadline", "due_at"), ("Cột 6", "due_at")],
)
def test_an_unknown_heading_for_an_absent_column_is_told_with_what_it_may_be(
    registers: Any, heading: str, resembles: str
) -> None:
    head = [heading if name == "Ngày hẹn trả" else name for name in CASES]
    registers.workbook("one_stop_cases", [head, *(case(n) for n in range(1, 6))])
    registers.ingest()
    (unknown,) = remarks(registers, "one_stop_cases", "unknown_heading")
    missing = {r["column"]: r for r in remarks(registers, "one_stop_cases", "missing_column")}
    assert (unknown["subject"], unknown["value"], unknown["count"]) == (heading, "F", 5)
    assert unknown["column"] in missing
    assert (missing[resembles]["value"], missing[resembles]["count"]) == (heading, 1)


@pytest.mark.parametrize(("heading", "told"), [(None, False), ("Biên chế", True), ("Ghi chú thêm", False)])
def test_a_column_that_is_kept_elsewhere_is_missed_only_where_a_heading_may_be_it(
    registers: Any, heading: str | None, told: bool
) -> None:
    head = ["Mã đơn vị", "Tên đơn vị", "Loại đơn vị", "Hiệu lực từ", *([heading] if heading else [])]
    rows = [[f"945-PB{n:02}", f"Phòng {n}", "Cơ quan chuyên môn", "01/07/2016"] for n in range(1, 6)]
    registers.workbook("org_units", [head, *([*row, 7] if heading else row for row in rows)])
    registers.ingest()
    missing = {r["column"] for r in remarks(registers, "org_units", "missing_column")}
    assert ("assigned_posts" in missing) is told
    assert "autonomy_group" in missing


def test_headings_that_are_known_to_mean_nothing_and_empty_columns_are_no_doubt(registers: Any) -> None:
    head = [*(name for name in CASES if name != "Ngày hẹn trả"), "Ngày nộp", "Số điện thoại", "Để trống"]
    rows = [[c for i, c in enumerate(case(n)) if i != 5] + ["09/01/2023", "0909", None] for n in (1, 2)]
    registers.workbook("one_stop_cases", [head, *rows])
    registers.ingest()
    assert [(r["subject"], r["count"]) for r in remarks(registers, "one_stop_cases", "unknown_heading")] == [
        ("Để trống", 0)
    ]
    missing = {r["column"]: r for r in remarks(registers, "one_stop_cases", "missing_column")}
    assert (missing["due_at"]["value"], missing["due_at"]["count"]) == (None, 0)


BLANKS = {
    "flags": ("staffing_roster", "Chuyên trách CNTT", [None, None], True),
    "one flag is said": ("staffing_roster", "Chuyên trách CNTT", ["Không", None], False),
    "no value by its own word": ("staffing_roster", "Chuyên trách CNTT", ["NULL", "-"], True),
    "whether there is one": ("staffing_roster", "Thư điện tử công vụ", [None, None], True),
    "whether there is one is denied": ("staffing_roster", "Thư điện tử công vụ", ["Không", 0], False),
    "an enum": ("procedure_catalogue", "Đang cung cấp mức độ", [None, None], True),
    "days on which nothing happened": ("staffing_roster", "Ngày kỷ luật", [None, None], False),
    "reasons that nobody is asked for": ("staffing_roster", "Lý do thôi công tác", [None, None], False),
    "quantities that nobody is asked for": ("plan_tasks", "Số lượng theo kế hoạch", [None, None], False),
    "papers that prove what is done": ("plan_tasks", "Văn bản minh chứng", [None, None], True),
}


@pytest.mark.parametrize("name", BLANKS)
def test_a_column_without_a_value_is_absent_where_a_blank_is_no_answer(registers: Any, name: str) -> None:
    source, heading, cells, is_absent = BLANKS[name]
    head, rows = TABLES[source]
    registers.workbook(
        source, [[*head, heading], *([*row, cell] for row, cell in zip(rows[: len(cells)], cells, strict=True))]
    )
    registers.ingest()
    [column] = [c.name for c in load_contracts()[source].columns if heading in c.aliases]
    blank = remarks(registers, source, "blank_column")
    assert [(r["column"], r["count"]) for r in blank] == ([(column, len(cells))] if is_absent else [])
    [delivery] = [d for d in read_deliveries(registers.paths).to_pylist() if d["source"] == source]
    assert (column in delivery["columns_mapped"]) is not is_absent
    assert (heading in (delivery["message_vi"] or "")) is is_absent


# Rows that ask for every column of which a blank is no answer.
ASKING = {
    **TABLES,
    "org_units": (
        ["Mã đơn vị", "Tên đơn vị", "Loại đơn vị", "Hiệu lực từ"],
        [[f"945-TH{n:02}", f"Trường {n}", "ĐVSNCL", "01/07/2016"] for n in (1, 2)],
    ),
    "plan_tasks": (TASKS, [["Kiểm tra CCHC", f"KT-{n:02}", "Kiểm tra", "10/01/2023"] for n in (1, 2)]),
}


@pytest.mark.parametrize("source", sorted(ASKING))
def test_what_a_remark_on_a_blank_column_advises_says_that_there_is_none(registers: Any, source: str) -> None:
    head, rows = ASKING[source]
    columns = [
        c
        for c in load_contracts()[source].lake_columns()
        if c.is_absent_when_blank and c.asked_on(dt.date(2023, 3, 14)) and not set(c.aliases) & set(head)
    ]
    titles = [c.aliases[0] for c in columns]
    registers.workbook(source, [[*head, *titles], *([*row, *[None] * len(titles)] for row in rows[:2])])
    registers.ingest()
    advice = {r["column"]: r["advice_vi"] for r in remarks(registers, source, "blank_column")}
    says = {name: "Không" if "“Không”" in text else 0 for name, text in advice.items() if "không có thì ghi" in text}
    assert {c.name for c in columns if c.type in ("flag", "presence") and not c.asked_where} <= says.keys()
    cells = [says.get(c.name) for c in columns]
    registers.workbook(source, [[*head, *titles], *([*row, *cells] for row in rows[:2])])
    registers.ingest()
    assert registers.reasons(source) == []
    for row in registers.rows(source):
        assert {name: row[name] for name in says} == dict.fromkeys(says, 0), "False and 0, not blank and not True"


def test_a_column_in_one_sheet_only_is_told(registers: Any) -> None:
    bare = [name for name in CASES if name != "Ngày hẹn trả"]
    rows = [bare, *([c for i, c in enumerate(case(n)) if i != 5] for n in (3, 4, 5))]
    registers.workbook("one_stop_cases", [CASES, case(1)], before_closing=lambda b: write_sheets(b, S2=rows))
    registers.ingest()
    (remark,) = remarks(registers, "one_stop_cases", "column_in_part")
    assert (remark["column"], remark["_sheet"], remark["count"]) == ("due_at", "S2", 3)


# ------------------------------------------------------------------------------------------------- numbers and windows


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([1, 2, 3, 4], None),
        ([1, 2, 1, 2], None),
        ([1, 2, 4, 8], ("3, 5–7", 4)),
        ([3, 4, 5, 6], ("1–2", 2)),
        (["1", "2.", "x", "3"], None),
        ([4, 3, 2, 1], None),
        ([3, 1, 4, 2], None),
        ([5, 4, 3, 2], ("1", 1)),
        ([7, 2, 9, 1], ("3–6, 8", 5)),
    ],
)
def test_gaps_in_the_numbers_of_rows_are_told_with_figures(
    registers: Any, numbers: list[Any], told: tuple[str, int] | None
) -> None:
    registers.workbook("one_stop_cases", [CASES, *(case(i + 1, STT=n) for i, n in enumerate(numbers))])
    registers.ingest()
    found = [(r["value"], r["count"]) for r in remarks(registers, "one_stop_cases", "serial_gap")]
    assert found == ([told] if told else [])


def test_numbers_go_on_from_sheet_to_sheet(registers: Any) -> None:
    rows = [CASES, *(case(n) for n in (3, 4))]
    registers.workbook("one_stop_cases", [CASES, case(1), case(2)], before_closing=lambda b: write_sheets(b, S2=rows))
    registers.ingest()
    assert remarks(registers, "one_stop_cases", "serial_gap") == []


def test_printed_pages_that_are_missing_are_told(registers: Any) -> None:
    rows = [CASES, case(1), [None, "Trang 1/3"], CASES, case(2), [None, "Trang 2/3"]]
    registers.workbook("one_stop_cases", rows)
    registers.ingest()
    (remark,) = remarks(registers, "one_stop_cases", "page_missing")
    assert (remark["value"], remark["expected"], remark["count"]) == ("1, 2", "3", 1)


@pytest.mark.parametrize(
    ("title", "value", "count"),
    [
        ("Từ ngày 15/12/2022 đến ngày 14/03/2023", "2022-12-15/2023-03-14", 0),
        ("Từ ngày 15/12/2022 đến ngày 28/02/2023", "2022-12-15/2023-02-28", 14),
        ("Tháng 1/2023", "2023-01-01/2023-01-31", 42),
        ("BÁO CÁO THÁNG 01 NĂM 2023", "2023-01-01/2023-01-31", 42),
        ("Tháng 12/2022 và tháng 2/2023", "2022-12-01/2023-02-28", 14),
        ("Số liệu tính đến ngày 28/02/2023", "../2023-02-28", 14),
        ("Tính đến hết ngày 14/03/2023", "../2023-03-14", 0),
        ("Từ 15/12/2022 - 28/2/2023", "2022-12-15/2023-02-28", 14),
        ("Lũy kế từ đầu năm đến ngày 14/03/2023", "2022-12-15/2023-03-14", 0),
        ("6 tháng đầu năm 2023", "2023-01-01/2023-06-30", 0),
        ("Quý I năm 2023", None, None),
        ("Danh sách hồ sơ", None, None),
    ],
)
def test_the_window_that_a_title_states_is_kept(
    registers: Any, title: str, value: str | None, count: int | None
) -> None:
    registers.workbook("one_stop_cases", [[title], CASES, case(1)])
    registers.ingest()
    found = [(r["value"], r["count"]) for r in remarks(registers, "one_stop_cases", "stated_window")]
    assert found == ([(value, count)] if value else [])


@pytest.mark.parametrize("title", ["Công bố tháng 5/2021", "DANH MỤC QUÝ IV/2022", "Danh mục năm 2021"])
def test_a_register_bears_the_time_of_its_issue(registers: Any, title: str) -> None:
    head = ["Mã đơn vị", "Tên đơn vị", "Loại đơn vị", "Hiệu lực từ"]
    row = ["945-PB03", "Phòng Tư pháp", "Cơ quan chuyên môn", "01/05/2016"]
    registers.workbook("org_units", [[title], head, row])
    registers.ingest(sources=["org_units"])
    assert registers.delivery("org_units")["outcome"] == "accepted"
    assert remarks(registers, "org_units", "stated_window") == []


@pytest.mark.parametrize(
    ("above", "sheet", "told"),
    [
        ([["DANH SÁCH NĂM 2022"]], "Sheet1", "NĂM 2022"),
        ([["QUÝ IV"]], "Sheet1", "QUÝ IV"),
        ([["DANH SÁCH"]], "Quý IV-2022", "Quý IV-2022"),
        ([], "2022", "2022"),
        ([], "T11.2022", "tháng 11/2022"),
        ([["QUÝ I"]], "Sheet1", None),
        ([["DANH SÁCH NĂM 2023"]], "2022", None),
        ([["Từ ngày 15/12/2022 đến ngày 14/03/2023"]], "Quý IV-2022", None),
        ([["Sóc Trăng, ngày 15 tháng 12 năm 2022"], ["Kế hoạch số 12/KH-UBND năm 2022"]], "Danh sách", None),
    ],
)
def test_a_title_or_sheet_that_names_only_another_time_is_told(
    registers: Any, above: list[list[Any]], sheet: str, told: str | None
) -> None:
    registers.workbook("one_stop_cases", [*above, CASES, case(1)], sheet_name=sheet)
    registers.ingest()
    found = [r["value"] for r in remarks(registers, "one_stop_cases", "other_time")]
    assert found == ([told] if told else [])
    if told:
        assert f"ghi {told} ở tiêu đề hoặc tên trang" in registers.delivery("one_stop_cases")["message_vi"]


@pytest.mark.parametrize(
    ("source", "said", "told"),
    [
        ("e_document_counts", "Đơn vị tính: nghìn văn bản", "nghìn"),
        ("e_document_counts", "ĐVT: Ngàn văn bản", "Ngàn"),
        ("e_document_counts", "(Nghìn văn bản)", "Nghìn"),
        ("e_document_counts", "Số liệu tính bằng chục văn bản", "chục"),
        ("e_document_counts", "Đơn vị tính: %", "%"),
        ("declared_returns", "Đơn vị tính: %", None),
        ("declared_returns", "ĐVT: triệu", "triệu"),
        ("e_document_counts", "DVT: nghin van ban", "nghin"),
        ("e_document_counts", "(Triệu văn bản)", "Triệu"),
        ("e_document_counts", "Đơn vị tính: tỷ lệ %", "%"),
        ("e_document_counts", "Đơn vị tính: văn bản", None),
        ("e_document_counts", "Đơn vị tính: văn bản, %", None),
        ("e_document_counts", "tỷ lệ tính theo % trên tổng số văn bản", None),
        ("e_document_counts", "Triệu Thị Hoa", None),
        ("e_document_counts", "TRIỆU PHONG, ngày 20/3/2023", None),
        ("e_document_counts", "Số văn bản, tỷ lệ gửi điện tử", None),
        ("e_document_counts", "Đơn vị: Phòng Nội vụ", None),
        ("e_document_counts", "Nghìn lẻ một văn bản của huyện Cù Lao Dung", None),
        ("survey_responses", "Đơn vị tính: nghìn phiếu", None),
    ],
)
@pytest.mark.parametrize("is_below", [False, True])
def test_another_unit_than_one_is_told(
    registers: Any, source: str, said: str, told: str | None, is_below: bool
) -> None:
    tables = {
        "e_document_counts": [["Đơn vị", "Loại văn bản", "Văn bản đi"], ["Phòng Nội vụ", "Tất cả", 50]],
        "declared_returns": [["Mã chỉ tiêu", "Số liệu"], ["VII.40", 3]],
        "survey_responses": [
            ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"],
            ["P1", "Phiếu giấy", "10/01/2023", "Hài lòng"],
        ],
    }
    rows = [*tables[source], [], [f"Ghi chú: {said}"]] if is_below else [[said], *tables[source]]
    registers.workbook(source, rows)
    registers.ingest()
    if is_below and (said.startswith("(") or source == "declared_returns"):
        told = None  # a note says what it is about; below rows of any code it is a row
    assert [r["value"] for r in remarks(registers, source, "other_unit")] == ([told] if told else [])


@pytest.mark.parametrize(
    ("above", "below", "signed", "early"),
    [
        ([], [["Người lập biểu"], [None, "An Thạnh 1, ngày 15 tháng 12 năm 2022"]], "2022-12-15", 89),
        ([["DANH SÁCH", "Cù Lao Dung, ngày 01/03/2023"]], [], "2023-03-01", 13),
        ([], [[None, "Cù Lao Dung, ngày 20 tháng 3 năm 2023"]], "2023-03-20", 0),
    ],
)
def test_the_day_of_signing_is_kept(
    registers: Any, above: list[list[Any]], below: list[list[Any]], signed: str, early: int
) -> None:
    registers.workbook("one_stop_cases", [*above, CASES, case(1), [], *below])
    registers.ingest()
    found = [(r["value"], r["count"]) for r in remarks(registers, "one_stop_cases", "signed_on")]
    assert found == [(signed, early)]


@pytest.mark.parametrize(
    "line",
    ["Ngày xuất: 01/03/2023", "In ngày 01/03/2023", "Thời gian kết xuất: 08:30:15 01/03/2023",
     "Xuất lúc 7:05 01/03/2023", "Ngày in: 01/03/2023"],
)  # fmt: skip
def test_the_day_of_export_and_the_span_of_days_are_kept(registers: Any, line: str) -> None:
    registers.workbook("one_stop_cases", [[line], CASES, case(1), case(2, **{"Ngày tiếp nhận": "12/01/2023"})])
    registers.ingest()
    (exported,) = remarks(registers, "one_stop_cases", "exported_on")
    assert (exported["value"], exported["expected"], exported["count"]) == ("2023-03-01", "2023-03-14", 13)
    spans = {r["column"]: (r["value"], r["count"]) for r in remarks(registers, "one_stop_cases", "span")}
    assert spans == {
        "received_at": ("2023-01-10/2023-01-12", 2), "finished_at": ("2023-01-15/2023-01-15", 2),
    }  # fmt: skip

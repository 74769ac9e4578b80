"""Templates that bring what is known, rows of the period before and of the form; what becomes of them untouched."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from common.forms import form_named
from ingestion import load_contracts, write_template
from ingestion.clerk.fields import template_columns
from ingestion.clerk.templates import DATA_SHEET
from ingestion.rows.own_words import LISTS_SHEET
from ingestion.rows.untouched import NOTHING, UNCHANGED
from tests.integration.ingestion.test_printed_form import DECLARED, KINDS, figures_for, value_of

DISTRICT, NOW = "945", "2023-Q2"
FORM = form_named("2023")
ROSTER = [
    ["Số hiệu", "Họ và tên", "Ngày sinh", "Đơn vị công tác", "Đối tượng", "Ngày tuyển dụng", "Thư điện tử công vụ"],
    ["CB001", "Nguyễn Thị Mười Hai", "20/05/1985", "Phòng Nội vụ", "Công chức", "01/07/2014", "x"],
    ["", "Trần Văn Mười Ba", "21/06/1986", "PNV", "Viên chức", "01/08/2015", ""],
]
TASKS = [
    ["Kế hoạch", "Số văn bản kế hoạch", "Mã nhiệm vụ", "Nội dung", "Đơn vị chủ trì", "Số lượng theo kế hoạch",
     "Thời hạn", "Trạng thái"],
    ["CCHC năm", "03/KH-UBND ngày 04/01/2023", "NV01", "Rà soát thủ tục", "PNV", 3, dt.date(2023, 5, 30),
     "Đang thực hiện"],
    ["Kiểm tra", "04/KH-UBND ngày 04/01/2023", "NV02", "Kiểm tra xã", "Văn phòng HĐND và UBND", None, "30/06/2023", ""],
]  # fmt: skip


@pytest.fixture
def known(registers: Any) -> Any:
    """A home whose district has delivered its registers, its plan and its roster for the period before."""
    registers.workbook("plan_tasks", TASKS)
    registers.workbook("staffing_roster", ROSTER)
    registers.ingest()
    return registers


def template(home: Any, source: str, unit: str = DISTRICT) -> Any:
    data = write_template(home.paths, source, unit, NOW, reference=home.reference)
    assert data == write_template(home.paths, source, unit, NOW, reference=home.reference)
    return openpyxl.load_workbook(io.BytesIO(data))


def table(book: Any, source: str) -> tuple[int, dict[str, int], list[dict[str, Any]]]:
    """The row of the headings, the place of each column by its heading, and what stands below them."""
    sheet = book[DATA_SHEET]
    first = template_columns(load_contracts()[source])[0].title_vi
    head = next(row[0].row for row in sheet.iter_rows() if row[0].value == first)
    places = {cell.value: cell.column for cell in sheet[head]}
    below = [
        {title: sheet.cell(row, place).value for title, place in places.items()}
        for row in range(head + 1, sheet.max_row + 1)
    ]
    return head, places, [row for row in below if any(value is not None for value in row.values())]


def delivered(home: Any, book: Any, source: str, unit: str = DISTRICT, name: str = "mau.xlsx") -> dict[str, Any]:
    path = home.place(source, name, unit, NOW)
    if name.endswith(".csv"):
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([v if v is not None else "" for v in row] for row in book[DATA_SHEET].values)
    else:
        book.save(path)
    home.touch(path)
    home.ingest(NOW)
    (found,) = [d for d in home_deliveries(home) if d["source"] == source and d["quarter"] == NOW and d["is_current"]]
    return dict(found)


def home_deliveries(home: Any) -> list[dict[str, Any]]:
    from ingestion import read_deliveries

    rows: list[dict[str, Any]] = read_deliveries(home.paths).to_pylist()
    return rows


def answer(book: Any, text: str) -> None:
    """Chooses an answer in the cell that takes one."""
    sheet = book[DATA_SHEET]
    rule = next(r for r in sheet.data_validations.dataValidation if r.formula1 and NOTHING in r.formula1)
    cell = sheet[str(rule.sqref).split(":")[0]]
    assert f'"{text}"' == rule.formula1 or text in rule.formula1.strip('"').split(",")
    cell.value = text


def test_a_register_brings_the_rows_of_the_period_before_as_a_clerk_types_them(known: Any) -> None:
    _, _, rows = table(template(known, "plan_tasks"), "plan_tasks")
    assert [{k: v for k, v in row.items() if v is not None} for row in rows] == [
        {"Kế hoạch": "Kế hoạch CCHC năm", "Số văn bản kế hoạch": "03/KH-UBND ngày 04/01/2023", "Mã nhiệm vụ": "NV01",
         "Nội dung": "Rà soát thủ tục", "Đơn vị chủ trì": "Phòng Nội vụ", "Số lượng theo kế hoạch": 3,
         "Thời hạn": "30/05/2023", "Trạng thái": "Đang thực hiện"},
        {"Kế hoạch": "Kiểm tra CCHC", "Số văn bản kế hoạch": "04/KH-UBND ngày 04/01/2023", "Mã nhiệm vụ": "NV02",
         "Nội dung": "Kiểm tra xã", "Đơn vị chủ trì": "Văn phòng HĐND và UBND", "Thời hạn": "30/06/2023"},
    ]  # fmt: skip
    for source in ("org_units", "procedure_catalogue"):
        before = [d for d in home_deliveries(known) if d["source"] == source]
        assert len(table(template(known, source), source)[2]) == sum(d["rows_accepted"] for d in before) > 0


def test_only_what_counts_now_is_brought(known: Any) -> None:
    """The version that counts, of this unit; of rows with one key the last."""
    known.workbook("plan_tasks", [TASKS[0], [*TASKS[1][:3], "Rà soát lại", *TASKS[1][4:]]])
    known.workbook("plan_tasks", [TASKS[0], [*TASKS[1][:3], "Rà soát lần ba", *TASKS[1][4:]]], name="b.xlsx")
    known.ingest()
    _, _, rows = table(template(known, "plan_tasks"), "plan_tasks")
    assert [row["Nội dung"] for row in rows] == ["Rà soát lần ba"]
    assert table(template(known, "staffing_roster", unit="31618"), "staffing_roster")[2] == []


@pytest.mark.parametrize("name", ["mau.xlsx", "mau.csv"])
@pytest.mark.parametrize("change", [lambda rows: rows, lambda rows: rows[::-1]])
def test_untouched_rows_of_the_period_before_are_asked_about(known: Any, name: str, change: Any) -> None:
    book = template(known, "plan_tasks")
    head, places, rows = table(book, "plan_tasks")
    for offset, row in enumerate(change(rows), start=1):
        for title, value in row.items():
            book[DATA_SHEET].cell(head + offset, places[title]).value = value
    found = delivered(known, book, "plan_tasks", name=name)
    assert (found["outcome"], found["refusal"]) == ("refused", "untouched_template")
    assert "còn nguyên 2 dòng của kỳ trước: không có gì thay đổi?" in found["message_vi"]


@pytest.mark.parametrize("name", ["mau.xlsx", "mau.csv"])
def test_rows_that_the_office_says_are_unchanged_are_taken_and_this_is_told(known: Any, name: str) -> None:
    book = template(known, "plan_tasks")
    answer(book, UNCHANGED)
    found = delivered(known, book, "plan_tasks", name=name)
    assert (found["outcome"], found["rows_accepted"]) == ("accepted", 2)
    assert UNCHANGED in found["message_vi"]
    remarks = [r["kind"] for r in known.layer("remarks", found)]
    assert "unchanged_said" in remarks


def test_one_cell_changed_is_a_delivery(known: Any) -> None:
    book = template(known, "plan_tasks")
    head, places, _ = table(book, "plan_tasks")
    book[DATA_SHEET].cell(head + 1, places["Nội dung"]).value = "Rà soát, đơn giản hóa thủ tục"
    found = delivered(known, book, "plan_tasks")
    assert (found["outcome"], found["rows_accepted"]) == ("accepted", 2)
    assert "unchanged_said" not in [r["kind"] for r in known.layer("remarks", found)]


@pytest.mark.parametrize("said", [None, NOTHING])
def test_a_template_that_was_emptied_is_asked_about_until_the_office_says_so(known: Any, said: str | None) -> None:
    book = template(known, "plan_tasks")
    head, _, rows = table(book, "plan_tasks")
    book[DATA_SHEET].delete_rows(head + 1, len(rows))
    if said:
        answer(book, said)
    found = delivered(known, book, "plan_tasks")
    assert found["outcome"] == ("nothing_to_report" if said else "refused")
    assert bool(found["message_vi"]) != bool(said)


@pytest.mark.parametrize(("said", "edited"), [(NOTHING, False), (NOTHING, True), (UNCHANGED, True)])
def test_an_answer_that_the_table_contradicts_is_sent_back(known: Any, said: str, edited: bool) -> None:
    book = template(known, "plan_tasks")
    head, places, _ = table(book, "plan_tasks")
    answer(book, said)
    if edited:
        book[DATA_SHEET].cell(head + 1, places["Nội dung"]).value = "Việc khác"
    found = delivered(known, book, "plan_tasks")
    assert (found["outcome"], found["refusal"]) == ("refused", "answer_contradicted")
    assert said in found["message_vi"]


def test_of_persons_a_template_tells_nothing_and_asks_for_them(known: Any) -> None:
    book = template(known, "staffing_roster")
    head, places, rows = table(book, "staffing_roster")
    assert [row["Đơn vị công tác"] for row in rows] == ["Phòng Nội vụ"] * 2
    everything = {str(c.value) for row in book[DATA_SHEET].iter_rows() for c in row if c.value}
    assert not everything & {str(cell) for row in ROSTER[1:] for cell in row[:3]}
    asked = {title for title, place in places.items()
             if book[DATA_SHEET].cell(head + 1, place).fill.fgColor.rgb == "FFFFF2CC"}  # fmt: skip
    assert asked == {"Số hiệu", "Họ và tên", "Ngày sinh"}
    sheet = book[DATA_SHEET]
    found = delivered(known, book, "staffing_roster")
    assert (found["outcome"], found["refusal"]) == ("refused", "untouched_template")
    sheet.cell(head + 1, places["Số hiệu"]).value = "CB001"
    found = delivered(known, book, "staffing_roster")
    assert (found["rows_accepted"], found["rows_rejected"]) == (1, 1)
    sheet.cell(head + 2, places["Họ và tên"]).value = "Trần Văn Mười Ba"
    sheet.cell(head + 2, places["Ngày sinh"]).value = "21/06/1986"
    found = delivered(known, book, "staffing_roster")
    assert (found["outcome"], found["rows_accepted"]) == ("accepted", 2)


def test_every_row_of_the_form_stands_in_the_template_and_comes_back_as_filled_in(registers: Any) -> None:
    registers.workbook(
        "declared_returns",
        [["Mã chỉ tiêu", "Chỉ tiêu", "Số liệu", "Văn bản minh chứng"], ["I.14", None, "1.145", "45/BC-UBND"],
         ["AUX.01", "Số biên chế phải tinh giản", 2, None], ["I.15", None, "47,5", None]],
    )  # fmt: skip
    registers.ingest()
    book = template(registers, "declared_returns")
    head, places, rows = table(book, "declared_returns")
    sheet = book[DATA_SHEET]
    plan = load_contracts()["declared_returns"].form_row
    assert plan is not None
    for row, form_row in zip(rows, FORM.rows, strict=False):
        assert [row["Mã chỉ tiêu"], row[plan.shown.number], row["Chỉ tiêu"], row[plan.shown.unit]] == [
            form_row["indicator_code"], form_row["printed_number"] or None,
            form_row["name_corrected_vi"] or form_row["name_vi"], form_row["unit_canonical"] or None,
        ]  # fmt: skip
        assert row["Số liệu"] is None
    assert [row["Mã chỉ tiêu"] for row in rows[len(FORM.rows) :]] == ["AUX.01"]
    by_code = {row["Mã chỉ tiêu"]: row for row in rows}
    shown = {code: (r[plan.shown.previous], r[plan.shown.evidence]) for code, r in by_code.items()}
    assert {code: v for code, v in shown.items() if any(v)} == {
        "I.14": ("1.145", "45/BC-UBND"), "AUX.01": ("2", None),
    }  # fmt: skip
    figures: dict[str, Any] = {**figures_for(21), "AUX.01": 5}
    for offset, row in enumerate(rows, start=1):
        cell = sheet.cell(head + offset, places["Số liệu"])
        assert cell.protection.locked == (KINDS.get(row["Mã chỉ tiêu"]) == "heading")
        if row["Mã chỉ tiêu"] in figures:
            cell.value = figures[row["Mã chỉ tiêu"]]
    found = delivered(registers, book, "declared_returns")
    assert (found["outcome"], found["rows_rejected"], found["message_vi"]) == ("accepted", 0, "")
    declared = {
        r["indicator_code"]: r["value"] if r["value"] is not None else r["value_text"]
        for r in registers.layer("lake", found)
    }
    assert declared == {code: value_of(figure) for code, figure in figures.items()}


def test_figures_of_the_period_before_are_never_declared_again(registers: Any) -> None:
    rows = [["Mã chỉ tiêu", "Số liệu"], *([code, 1] for code in DECLARED if KINDS[code] in ("count", "flag"))]
    registers.workbook("declared_returns", rows)
    registers.ingest()
    book = template(registers, "declared_returns")
    head, places, _ = table(book, "declared_returns")
    found = delivered(registers, book, "declared_returns")
    assert (found["outcome"], found["refusal"]) == ("refused", "untouched_template")
    book[DATA_SHEET].cell(head + 14, places["Số liệu"]).value = "7"
    found = delivered(registers, book, "declared_returns")
    assert [(r["indicator_code"], r["value"]) for r in registers.layer("lake", found)] == [("I.14", Decimal(7))]


def test_the_words_for_nothing_may_be_typed_over_the_first_row_of_the_form(registers: Any) -> None:
    book = template(registers, "declared_returns")
    book[DATA_SHEET].cell(table(book, "declared_returns")[0] + 1, 1).value = NOTHING
    assert delivered(registers, book, "declared_returns")["outcome"] == "nothing_to_report"


def test_a_commune_is_offered_its_own_name_only(registers: Any) -> None:
    for unit, least in (("31618", 1), (DISTRICT, 5)):
        book = template(registers, "one_stop_cases", unit=unit)
        lists = {c[2].value: [x.value for x in c[3:] if x.value] for c in book[LISTS_SHEET].iter_cols()}
        offered = lists["Danh sách: Đơn vị tiếp nhận"]
        assert len(offered) >= least
        assert (offered == ["Xã An Thạnh 1"]) == (unit == "31618")


def test_drop_downs_stay_within_what_a_spreadsheet_takes(known: Any) -> None:
    for source in load_contracts():
        for rule in template(known, source)[DATA_SHEET].data_validations.dataValidation:
            assert len(rule.formula1 or "") <= 255
            assert len(rule.prompt or "") <= 255
            assert len(rule.promptTitle or "") <= 32


def test_every_column_says_what_is_meant() -> None:
    for contract in load_contracts().values():
        for column in template_columns(contract):
            assert column.help_vi, f"{contract.source}.{column.name}"
            assert column.help_vi.endswith("."), f"{contract.source}.{column.name}"


def test_a_template_is_the_same_whatever_order_the_clock_and_the_folder_have(known: Any, tmp_path: Path) -> None:
    before = write_template(known.paths, "plan_tasks", DISTRICT, NOW, reference=known.reference)
    for file in sorted(known.paths.landing.rglob("*.xlsx"), key=lambda _: random.random()):
        known.touch(file, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    assert write_template(known.paths, "plan_tasks", DISTRICT, NOW, reference=known.reference) == before

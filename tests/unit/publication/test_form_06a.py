"""Form II.06a: what is printed, that it is inert, and that damage is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from publication.content.release_content import ReleaseContent, gather
from publication.tables.form_06a import (
    DATA_SHEET,
    FIGURE_COLUMNS,
    MART,
    SHEETS,
    FormDamaged,
    check_form,
    read_data,
    read_form,
    title_lines,
    write_form,
)
from tests.unit.publication.builders import clear_candidate, write_candidate


@pytest.fixture
def content(tmp_path: Path) -> ReleaseContent:
    candidate = clear_candidate(tmp_path, write_candidate(tmp_path))
    return gather(candidate, gate_results=[], extra_marts={}, extra_tables={})


def _with_rows(content: ReleaseContent, change: dict[str, object]) -> ReleaseContent:
    """The content with cells of every row changed."""
    table = content.tables[MART]
    rows = [row | change for row in table.to_pylist()]
    return replace(content, tables={**content.tables, MART: pa.Table.from_pylist(rows, schema=table.schema)})


def test_the_form_reads_back_as_the_mart(content: ReleaseContent, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    write_form(path, content)
    check_form(content, path)
    lines = read_form(path)["reporting_window"]
    assert [line[1] for line in lines] == [
        "A. THEO LĨNH VỰC",
        "Cấp huyện",
        "Hộ tịch",
        "Tổng cộng",
        "B. THEO ĐƠN VỊ TIẾP NHẬN, GIẢI QUYẾT",
        "Cấp huyện",
        "Huyện Cù Lao Dung",
        "Tổng cộng",
    ]
    assert lines[2] == ("1", "Hộ tịch", "1.145", "5", "1.140", "0", "611", "392", "219", "0", "534", "534", "0")


def test_the_head_has_thirteen_columns_in_three_rows_and_their_identities(
    content: ReleaseContent, tmp_path: Path
) -> None:
    path = tmp_path / "form.xlsx"
    write_form(path, content)
    sheet = openpyxl.load_workbook(path)[SHEETS["reporting_window"]]
    numbers = [cell.value for cell in sheet[10]]
    assert [numbers[2], numbers[6], numbers[10]] == ["(3)=(4)+(5)+(6)", "(7)=(8)+(9)+(10)", "(11)=(12)+(13)"]
    assert len([number for number in numbers if number]) == 13
    assert {str(area) for area in sheet.merged_cells.ranges} >= {"A7:A9", "C7:F7", "D8:E8", "G7:J7", "K7:M7"}


def test_titles_name_window_unit_and_measure(content: ReleaseContent) -> None:
    assert title_lines(content, "reporting_window")[2:] == (
        "Kỳ báo cáo: quý I năm 2023 (từ ngày 15/12/2022 đến ngày 14/03/2023)",
        "Đơn vị báo cáo: Huyện Cù Lao Dung",
        "Đơn vị tính: Số hồ sơ TTHC",
    )


def test_a_window_that_is_not_whole_says_so(content: ReleaseContent, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    write_form(path, content)
    book = openpyxl.load_workbook(path)
    told = {
        clock: any("Chưa đủ dữ liệu" in str(cell.value) for row in book[name] for cell in row)
        for clock, name in SHEETS.items()
    }
    assert told == {"reporting_window": False, "calendar_quarter": True}


def test_cases_without_an_appointment_are_told_below(content: ReleaseContent, tmp_path: Path) -> None:
    told = {}
    for unknown in (0, 7):
        path = tmp_path / f"{unknown}.xlsx"
        write_form(path, _with_rows(content, {"resolved_without_appointment": unknown}))
        cells = [str(cell.value) for row in openpyxl.load_workbook(path)["Kỳ báo cáo"] for cell in row]
        told[unknown] = [text for text in cells if "không có ngày hẹn trả" in text]
    assert told[0] == []
    assert len(told[7]) == 1
    assert "7 hồ sơ" in told[7][0]


def test_equal_content_is_equal_bytes(content: ReleaseContent, tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_form(tmp_path / name, content)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum(1)", "\tx", "http://example.com"])
def test_delivered_names_stay_text(content: ReleaseContent, tmp_path: Path, text: str) -> None:
    path = tmp_path / "form.xlsx"
    changed = _with_rows(content, {"name_vi": text})
    write_form(path, changed)
    check_form(changed, path)
    cells = [cell for sheet in openpyxl.load_workbook(path) for row in sheet for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b", "d"}
    assert all(cell.hyperlink is None for cell in cells)


def test_an_office_without_cases_gets_an_empty_form(content: ReleaseContent, tmp_path: Path) -> None:
    empty = replace(content, tables={**content.tables, MART: content.tables[MART].slice(0, 0)})
    write_form(tmp_path / "form.xlsx", empty)
    check_form(empty, tmp_path / "form.xlsx")


@pytest.mark.parametrize("column", range(len(FIGURE_COLUMNS)))
def test_any_changed_figure_is_seen(content: ReleaseContent, tmp_path: Path, column: int) -> None:
    path = tmp_path / "form.xlsx"
    write_form(path, content)
    book = openpyxl.load_workbook(path)
    book[SHEETS["calendar_quarter"]].cell(13, column + 3).value = "7"
    book.save(path)
    with pytest.raises(FormDamaged, match="Quý dương lịch"):
        check_form(content, path)


def test_figures_are_numbers_that_can_be_added_up_where_they_stand(content: ReleaseContent, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    write_form(path, content)
    book = openpyxl.load_workbook(path)
    for clock, name in SHEETS.items():
        rows = {row["name_vi"]: row for row in content.tables[MART].to_pylist() if row["clock"] == clock}
        lines = [line for line in book[name].iter_rows(min_row=11) if line[1].value in rows]
        assert lines
        for line in lines:
            found = [cell.value for cell in line[2:13]]
            assert found == [rows[line[1].value][column] for column in FIGURE_COLUMNS]
            assert {(type(cell.value), cell.number_format) for cell in line[2:13]} == {(int, "[$-42A]#,##0")}
    assert book.sheetnames == [*SHEETS.values(), DATA_SHEET]
    assert read_data(path) == content.tables[MART].to_pylist()


@pytest.mark.parametrize("name", [*SHEETS.values(), DATA_SHEET])
def test_a_figure_that_became_text_or_another_one_is_seen(content: ReleaseContent, tmp_path: Path, name: str) -> None:
    for change in (str, lambda value: value + 1):
        path = tmp_path / "form.xlsx"
        write_form(path, content)
        book = openpyxl.load_workbook(path)
        cell = next(cell for row in book[name].iter_rows(min_row=11 if name in SHEETS.values() else 2)
                    for cell in row[2:] if type(cell.value) is int)  # fmt: skip
        cell.value = change(cell.value)
        book.save(path)
        with pytest.raises(FormDamaged, match=name):
            check_form(content, path)


def test_a_formula_or_another_file_is_seen(content: ReleaseContent, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    write_form(path, content)
    book = openpyxl.load_workbook(path)
    book[SHEETS["reporting_window"]]["C13"].value = "=1"
    book.save(path)
    with pytest.raises(FormDamaged, match="formula"):
        check_form(content, path)
    path.write_bytes(b"none")
    with pytest.raises(FormDamaged, match="does not open"):
        check_form(content, path)

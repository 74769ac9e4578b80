"""The annex has the official layout, cannot run anything, and reads back exactly."""

import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.cell import MergedCell

from publication.content.release_content import ReleaseContent
from publication.tables.annex import (
    ANNEX_COLUMNS,
    AnnexDamaged,
    annex_rows,
    check_read_back,
    read_annex_csv,
    read_annex_xlsx,
    title_lines,
    write_annex_csv,
    write_annex_xlsx,
)
from tests.unit.publication.builders import printed_annex

MakeContent = Callable[..., ReleaseContent]
DECIDED: dict[str, Any] = {
    "changes": {"III.05": {"decision_id": "QD-07", "declared_value": Decimal(1), "computed_value": Decimal(0)}},
    "decisions": [
        {
            "decision_id": "QD-07",
            "effect": "applied",
            "subject_kind": "row",
            "subject": "III.05",
            "action": "accept_declared",
        }
    ],
}


@pytest.fixture
def sheet(make_content: MakeContent, tmp_path: Path) -> Any:
    """The printed sheet of an annex with one footnote, as openpyxl reads it."""
    write_annex_xlsx(tmp_path / "annex.xlsx", make_content(**DECIDED))
    return openpyxl.load_workbook(tmp_path / "annex.xlsx")["Biểu tổng hợp"]


def test_the_title_is_the_official_one(sheet: Any) -> None:
    assert sheet["A1"].value == "BẢNG TỔNG HỢP"
    assert sheet["A2"].value == (
        "SỐ LIỆU VÀ KẾT QUẢ THỰC HIỆN CÔNG TÁC CẢI CÁCH HÀNH CHÍNH QUÝ I NĂM 2023 TRÊN ĐỊA BÀN HUYỆN CÙ LAO DUNG"
    )
    assert sheet["A3"].value.startswith("(Kèm theo Báo cáo số ")
    assert sheet["A3"].value.endswith("của Ủy ban nhân dân huyện Cù Lao Dung)")
    assert {"A1:E1", "A2:E2", "A3:E3"} <= {str(area) for area in sheet.merged_cells.ranges}


def test_the_header_has_two_rows_and_is_repeated_on_each_page(sheet: Any) -> None:
    assert [cell.value for cell in sheet[5]] == ["STT", "Chỉ tiêu thống kê", "Kết quả thống kê", None, "Ghi chú"]
    assert [cell.value for cell in sheet[6]] == [None, None, "Đơn vị tính", "Số lượng / Tỷ lệ", None]
    assert {"A5:A6", "B5:B6", "C5:D5", "E5:E6"} <= {str(area) for area in sheet.merged_cells.ranges}
    assert sheet.print_title_rows == "$5:$6"


def test_the_page_is_a4_fitted_to_width_in_times_new_roman_13(sheet: Any) -> None:
    assert sheet.page_setup.paperSize == 9
    assert sheet.page_setup.fitToWidth in (None, 1)  # one page wide is the default
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    cells = [cell for row in sheet["A7:E217"] for cell in row if not isinstance(cell, MergedCell)]
    assert {(cell.font.name, cell.font.size) for cell in cells} == {("Times New Roman", 13)}
    assert all(cell.border.left.style and cell.border.bottom.style for cell in cells)


def test_every_printed_row_stands_as_on_paper(sheet: Any) -> None:
    for printed, line in zip(printed_annex(), sheet["A7:E217"], strict=True):
        number, name, unit, _, note = (cell.value or "" for cell in line)
        figure = printed_as(line[3])
        assert (number, name) == (printed["stt"], printed["indicator_name_vi"])
        assert (unit, figure) == (printed["unit_vi"], printed["value_raw"])
        assert note.rstrip(" ¹") == printed["note_vi"]


def test_section_rows_are_bold_and_merged(sheet: Any) -> None:
    sections = [row for row in range(7, 218) if sheet.cell(row, 1).value in ("I", "II", "III", "IV", "V", "VI", "VII")]
    assert len(sections) == 7
    merged = {str(area) for area in sheet.merged_cells.ranges}
    for row in sections:
        assert sheet.cell(row, 2).font.bold
        assert f"B{row}:D{row}" in merged
    assert not sheet["B8"].font.bold


def printed_as(cell: Any) -> str:
    """What a program prints of a cell in the Vietnamese locale: thousands apart, decimals as the format has them."""
    if isinstance(cell, MergedCell) or cell.data_type != "n" or cell.value is None:
        return "" if cell.value is None else str(cell.value)
    whole, _, decimals = re.fullmatch(r"(\[\$-42A\]#,##0)(\.(0+))?", cell.number_format).groups()
    assert whole
    text = f"{Decimal(str(cell.value)):,.{len(decimals or '')}f}"
    return text.translate(str.maketrans(",.", ".,"))


def test_figures_are_numbers_that_are_printed_as_the_form_does(sheet: Any) -> None:
    assert (sheet["D8"].value, sheet["D8"].data_type, printed_as(sheet["D8"])) == (47.37, "n", "47,37")
    assert sheet["D8"].alignment.horizontal == "right"
    figures = [cell for (cell,) in sheet["D7:D217"] if cell.value is not None and cell.data_type == "n"]
    assert len(figures) == sum(bool(row["value_number"]) for row in printed_annex())


@pytest.mark.parametrize(
    ("value", "printed", "is_number"),
    [
        ("0", "0", True),
        ("-1234567", "-1.234.567", True),
        ("1145", "1.145", True),
        ("0.0001", "0,0001", True),
        ("12345678901.2345", "12.345.678.901,2345", True),
        ("99999999999.5", "99.999.999.999,5", True),
        ("12345678901234.5678", "12.345.678.901.234,5678", False),
    ],
)
def test_a_number_that_a_cell_would_round_stays_text(
    value: str, printed: str, is_number: bool, make_content: MakeContent, tmp_path: Path
) -> None:
    content = make_content(changes={"I.02": {"value": Decimal(value)}})
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    write_annex_csv(tmp_path / "annex.csv", content)
    check_read_back(content, tmp_path / "annex.xlsx", tmp_path / "annex.csv")
    cell = openpyxl.load_workbook(tmp_path / "annex.xlsx")["Biểu tổng hợp"]["D8"]
    assert (printed_as(cell), cell.data_type == "n") == (printed, is_number)


def test_a_number_stands_beside_a_note_that_goes_on_below(make_content: MakeContent, tmp_path: Path) -> None:
    content = make_content(changes={"I.02": {"note_vi": " ".join(f"chữ{number}." for number in range(200))}})
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    write_annex_csv(tmp_path / "annex.csv", content)
    check_read_back(content, tmp_path / "annex.xlsx", tmp_path / "annex.csv")
    sheet = openpyxl.load_workbook(tmp_path / "annex.xlsx")["Biểu tổng hợp"]
    assert (printed_as(sheet["D8"]), printed_as(sheet["D9"])) == ("47,37", "")


@pytest.mark.parametrize(
    ("value", "look"),
    [("47,37", "[$-42A]#,##0.00"), (47.37, "General"), (47.37, "[$-42A]#,##0"), (47.37, "#,##0.00"), (True, "General")],
)
def test_a_figure_that_is_no_number_or_printed_otherwise_is_noticed(
    value: Any, look: str, make_content: MakeContent, tmp_path: Path
) -> None:
    write_annex_xlsx(tmp_path / "annex.xlsx", make_content())
    book = openpyxl.load_workbook(tmp_path / "annex.xlsx")
    cell = book["Biểu tổng hợp"]["D8"]
    cell.value, cell.number_format = value, look
    book.save(tmp_path / "altered.xlsx")
    with pytest.raises(AnnexDamaged):
        read_annex_xlsx(tmp_path / "altered.xlsx")


def test_a_decision_is_a_footnote_below_the_table(sheet: Any) -> None:
    assert sheet.cell(6 + 53, 5).value == "¹"
    assert sheet["A219"].value == "Ghi chú:"
    assert sheet["A220"].value == (
        "¹ “Đơn giản hóa TTHC” (mục III.1): số liệu do cơ quan, đơn vị báo cáo, theo văn bản giải trình của cơ quan."
    )


def test_nothing_internal_is_below_the_table(sheet: Any) -> None:
    assert [cell.value for row in sheet["A221:E260"] for cell in row if cell.value] == []


def test_names_that_the_form_spells_wrong_are_printed_right(make_content: MakeContent, tmp_path: Path) -> None:
    right = "Bố trí công chức, viên chức chuyên trách CNTT"
    content = make_content(changes={"VII.03": {"indicator_name_corrected_vi": right}})
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    write_annex_csv(tmp_path / "annex.csv", content)
    check_read_back(content, tmp_path / "annex.xlsx", tmp_path / "annex.csv")
    book = openpyxl.load_workbook(tmp_path / "annex.xlsx")
    assert book["Biểu tổng hợp"].cell(6 + 154, 2).value == right
    assert [row[2].value for row in book["Số liệu"].iter_rows()][154].startswith("Bổ trí")  # as the form has it


def test_both_files_read_back_exactly(make_content: MakeContent, tmp_path: Path) -> None:
    content = make_content(**DECIDED)
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    write_annex_csv(tmp_path / "annex.csv", content)
    assert read_annex_xlsx(tmp_path / "annex.xlsx") == annex_rows(content.rows)
    assert read_annex_csv(tmp_path / "annex.csv") == annex_rows(content.rows)
    figures = {row.row_no: row.value for row in read_annex_xlsx(tmp_path / "annex.xlsx") if row.value is not None}
    assert figures == {int(p["row_no"]): Decimal(p["value_number"]) for p in printed_annex() if p["value_number"]}


def test_equal_content_is_equal_bytes(make_content: MakeContent, tmp_path: Path) -> None:
    content = make_content(**DECIDED)
    for name in ("one.xlsx", "two.xlsx"):
        write_annex_xlsx(tmp_path / name, content)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "\t", "\r", "http://", "1"])
@pytest.mark.parametrize("column", ["indicator_name_vi", "unit_of_measure", "note_vi", "value_text", "printed_number"])
def test_no_text_becomes_a_formula_link_or_number(
    make_content: MakeContent, tmp_path: Path, lead: str, column: str
) -> None:
    text = f"{lead}1+1"
    content = make_content(changes={"I.08": {column: text, "value": None, "status": "not_reported"}})
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    write_annex_csv(tmp_path / "annex.csv", content)
    check_read_back(content, tmp_path / "annex.xlsx", tmp_path / "annex.csv")
    book = openpyxl.load_workbook(tmp_path / "annex.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert text.replace("\r", "") in {str(cell.value).replace("_x000D_", "") for cell in cells}
    assert "<f>" not in zipfile.ZipFile(tmp_path / "annex.xlsx").read("xl/worksheets/sheet1.xml").decode()


def test_every_column_of_the_csv_is_documented(make_content: MakeContent) -> None:
    assert list(ANNEX_COLUMNS) == make_content().tables["report_indicators"].column_names


def test_an_altered_figure_is_noticed(make_content: MakeContent, tmp_path: Path) -> None:
    content = make_content()
    write_annex_csv(tmp_path / "annex.csv", content)
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    book = openpyxl.load_workbook(tmp_path / "annex.xlsx")
    book["Biểu tổng hợp"]["D8"].value = 47.38
    book.save(tmp_path / "altered.xlsx")
    with pytest.raises(AnnexDamaged, match="row 2"):
        read_annex_xlsx(tmp_path / "altered.xlsx")
    altered = (tmp_path / "annex.csv").read_text(encoding="utf-8").replace("47.37", "47.38", 1)
    (tmp_path / "altered.csv").write_text(altered, encoding="utf-8")
    with pytest.raises(AnnexDamaged, match="row 2"):
        check_read_back(content, tmp_path / "annex.xlsx", tmp_path / "altered.csv")


def test_a_lost_row_is_noticed(make_content: MakeContent, tmp_path: Path) -> None:
    content = make_content()
    write_annex_csv(tmp_path / "annex.csv", content)
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    lines = (tmp_path / "annex.csv").read_bytes().splitlines(keepends=True)
    (tmp_path / "annex.csv").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(AnnexDamaged, match="210"):
        check_read_back(content, tmp_path / "annex.xlsx", tmp_path / "annex.csv")


@pytest.mark.parametrize("data", [b"", b"not a workbook", b"PK\x03\x04"])
def test_other_files_are_no_annex(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "annex.xlsx").write_bytes(data)
    with pytest.raises(AnnexDamaged):
        read_annex_xlsx(tmp_path / "annex.xlsx")


def test_a_commune_has_its_own_title(make_content: MakeContent) -> None:
    content = make_content(unit="26734", quarter="2025-Q3")
    assert title_lines(content)[1].endswith("QUÝ III NĂM 2025 TRÊN ĐỊA BÀN XÃ AN THẠNH")

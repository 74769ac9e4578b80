"""Files with one peculiarity each, beside a control without it: read rightly, or named where they cannot be.

``tests/data/files`` holds one small file a peculiarity, by its letter: c .xls records, d .xlsx packages and cells,
e dates exchanged by a program, f .ods, g HTML, h and j literals, i letters. Other members of the classes are written
here.
"""

from __future__ import annotations

import base64
import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt

from ingestion.base.limits import MIB, IntakeLimits, UnreadableFileError
from ingestion.reading.files import read_sheets
from ingestion.reading.sandbox import shared_sandbox
from ingestion.rows.outcome import Intake
from tests.corpus.writers import csv_text

FILES = Path(__file__).parents[2] / "data" / "files"
DOCUMENTS, CASES = "e_document_counts", "one_stop_cases"
HEAD = [
    "STT", "Cơ quan, đơn vị", "Tháng", "Loại văn bản", "Lĩnh vực", "Tổng số văn bản đi", "Gửi hoàn toàn điện tử",
    "Song song văn bản giấy", "Chỉ gửi giấy", "Tổng số văn bản đến", "Văn bản đến điện tử", "Đã liên thông",
]  # fmt: skip
FIGURES = ("outgoing_total", "electronic_only", "electronic_and_paper", "paper_only", "incoming_total",
           "incoming_electronic")  # fmt: skip
JANUARY, FEBRUARY = (120, 100, 15, 5, 300, 280), (90, 80, 6, 4, 210, 200)


def documents() -> list[list[Any]]:
    unit = "UBND thị trấn Cù Lao Dung"
    return [
        [1, unit, "01/2023", "Tất cả", "Tất cả", *JANUARY, "Có"],
        [2, unit, "02/2023", "Tất cả", "Tất cả", *FEBRUARY, "Có"],
    ]


def figures(intake: Intake) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in FIGURES) for row in intake.accepted.to_pylist()]


def codes(intake: Intake) -> set[str]:
    return set(intake.rejected.column("reason_code").to_pylist())


READ_LIKE_THE_CONTROL = [
    "c00_control.xls", "c01_format_ids_from_50.xls", "c02_label_records.xls", "c03_formula_0406.xls",
    "c05_codepage_1252.xls", "d00_control.xlsx", "d01_backslash.xlsx", "d02_workbook_at_root.xlsx",
    "d03_formula_result_zero.xlsx", "d08_iso_date_utc.xlsx", "d16_total_formula_zero.xlsx", "f00_control.ods",
    "f01_pretty_printed.ods", "f02_text_without_type.ods", "g00_control.xls", "g01_text_after_table.xls",
    "g02_script_after_table.xls", "g08_spreadsheetml_2003.xls",
]  # fmt: skip


@pytest.mark.parametrize("name", READ_LIKE_THE_CONTROL)
def test_files_that_hold_the_control_are_read_as_it_is(name: str, intake_of: Callable[..., Intake]) -> None:
    intake = intake_of(FILES / name)
    assert intake.refusal == "", intake.message_vi
    assert figures(intake) == [JANUARY, FEBRUARY]
    assert [(r["month"], r["topic"], r["connected"]) for r in intake.accepted.to_pylist()] == [
        (dt.date(2023, 1, 1), "all", True),
        (dt.date(2023, 2, 1), "all", True),
    ]


def test_figures_shown_divided_are_asked_for(intake_of: Callable[..., Intake]) -> None:
    intake = intake_of(FILES / "d07_shown_in_thousands.xlsx")
    assert codes(intake) == {"shown_divided"}
    assert "Ô F2 hiện 120" in " ".join(intake.rejected.column("reason_vi").to_pylist())


def test_the_value_of_a_merge_holds_for_its_rows(intake_of: Callable[..., Intake]) -> None:
    intake = intake_of(FILES / "d15_merged_topic_month.xlsx")
    assert [(r["month"].month, r["topic"], r["connected"]) for r in intake.accepted.to_pylist()] == [
        (1, "cchc", True), (1, "cchc", True), (2, "cchc", True), (2, "cchc", True),
    ]  # fmt: skip


def test_literals_for_no_value_are_none_and_never_nought(intake_of: Callable[..., Intake]) -> None:
    intake = intake_of(FILES / "h08_null_literals.csv")
    first, second = intake.accepted.to_pylist()
    assert (first["topic"], first["paper_only"], first["connected"]) == ("all", None, None)
    assert second["month"] is None


@pytest.mark.parametrize("name", ["j00_control.csv", "j01_sa_ch.csv", "j02_datetime2.csv", "j03_null_date.csv"])
def test_moments_in_other_ways_of_writing(name: str, intake_of: Callable[..., Intake]) -> None:
    intake = intake_of(FILES / name, CASES)
    assert [(r["received_at"], r["due_at"], r["finished_at"]) for r in intake.accepted.to_pylist()] == [
        (dt.datetime(2023, 1, 5, 9, 30), dt.datetime(2023, 1, 10, 16), dt.datetime(2023, 1, 9, 14, 30)),
        (dt.datetime(2023, 1, 20, 14, 5), dt.datetime(2023, 1, 30, 16), None),
    ]


def test_eth_is_read_as_d_and_words_of_other_languages_are_kept(intake_of: Callable[..., Intake]) -> None:
    for name, rows in (("i02_eth_heading.xlsx", 1), ("i03_eth_cells.xlsx", 5)):
        intake = intake_of(FILES / name, CASES)
        assert (intake.rows_read, intake.rows_rejected) == (rows, 0), intake.message_vi
        assert {r["status"] for r in intake.accepted.to_pylist()} == {"returned"}
    intake = intake_of(FILES / "i00_foreign_words.xlsx", CASES, "31615")
    written = [str(row[8]).replace("Ð", "Đ") for row in _cells(FILES / "i00_foreign_words.xlsx")[1:]]
    assert [r["late_reason"] for r in intake.accepted.to_pylist()] == written
    assert any("AÑO" in text for text in written)


def _cells(path: Path) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))


# ----------------------------------------------------------------------------------------------------------- packages


def _repacked(path: Path, change: Callable[[str, bytes], tuple[str, bytes]]) -> Path:
    source = FILES / "d03_formula_result_zero.xlsx"
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name in archive.namelist():
            out.writestr(*change(name, archive.read(name)))
    return path


_TRANSITIONAL = b"http://schemas.openxmlformats.org/"
PACKAGES: dict[str, Callable[[str, bytes], tuple[str, bytes]]] = {
    "strict": lambda name, data: (
        name,
        data.replace(
            _TRANSITIONAL + b"officeDocument/2006/relationships",
            b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        ).replace(_TRANSITIONAL + b"spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
    ),
    "strings elsewhere": lambda name, data: (
        name.replace("sharedStrings", "s1"),
        data.replace(b"sharedStrings.xml", b"s1.xml"),
    ),
    "styles elsewhere": lambda name, data: (
        name.replace("styles.xml", "s2.xml"),
        data.replace(b"styles.xml", b"s2.xml"),
    ),
    "sheets elsewhere": lambda name, data: (
        name.replace("xl/worksheets/", "xl/tabs/"),
        data.replace(b"worksheets/sheet1", b"tabs/sheet1"),
    ),
    "lower case": lambda name, data: (name if name.startswith("[") else name.lower(), data),
    "leading slash": lambda name, data: (f"/{name}", data),
    "another folder": lambda name, data: (
        name.replace("xl/", "book/"),
        data.replace(b'"xl/', b'"book/').replace(b'"/xl/', b'"/book/'),
    ),
}


@pytest.mark.parametrize("kind", PACKAGES)
def test_parts_are_found_by_their_relations(kind: str, tmp_path: Path, intake_of: Callable[..., Intake]) -> None:
    intake = intake_of(_repacked(tmp_path / "a.xlsx", PACKAGES[kind]))
    assert intake.refusal == "", intake.message_vi
    assert figures(intake) == [JANUARY, FEBRUARY]


# ----------------------------------------------------------------------------------------------------------- formulas


def _with_formulas(path: Path, formulas: dict[str, tuple[str, Any]], rows: list[list[Any]] | None = None) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for r, row in enumerate([HEAD, *(rows or documents())]):
            sheet.write_row(r, 0, row)
        for place, (formula, stored) in formulas.items():
            sheet.write_formula(place, formula, None, stored)
    return path


@pytest.mark.parametrize(
    ("formula", "stored", "outcome"),
    [
        ("=G2+H2+I2", 0, 120),
        ("=SUM(G2:I2)", 0, 120),
        ("=SUM(G2:H2,I2)*1", 0, 120),
        ("=(G2+H2+I2)*2/2", 0, 120),
        ("=SUM($G$2:$I$2)-0", 0, 120),
        ("=G2+H2+I2", 120, 120),
        ("=VLOOKUP(A2,X:Y,2,0)", 120, 120),
        ("=VLOOKUP(A2,X:Y,2,0)", 0, "formula_without_value"),
        ("=VLOOKUP(A2,X:Y,2,0)", "", "formula_without_value"),
        ("=G2+B2", 0, "formula_without_value"),
        ("=F2+1", 0, "formula_without_value"),
        ("=G2+H2+I2", 119, "stale_formula"),
        ("=SUM(G2:I2)", 77, "stale_formula"),
        ("=G2-G2", 0, 0),
    ],
)
def test_a_result_that_nobody_computed_is_computed_or_named(
    formula: str, stored: Any, outcome: Any, tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    intake = intake_of(_with_formulas(tmp_path / "a.xlsx", {"F2": (formula, stored)}))
    if isinstance(outcome, str):
        assert codes(intake) == {outcome}
        assert any("F2" in text for text in intake.rejected.column("reason_vi").to_pylist())
        assert figures(intake) == [FEBRUARY]
    else:
        assert [row[0] for row in figures(intake)] == [outcome, 90]


def test_one_stale_result_makes_all_others_of_an_uncalculated_file_doubtful(
    tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    formulas = {"F2": ("=G2+H2+I2", 119), "J3": ("=VLOOKUP(A3,X:Y,2,0)", 210)}
    assert codes(intake_of(_with_formulas(tmp_path / "a.xlsx", formulas))) == {"stale_formula", "formula_without_value"}


def test_a_formula_saved_by_openpyxl_has_no_result_and_is_computed(
    tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    book = openpyxl.Workbook()
    for row in [HEAD, *documents()]:
        book.active.append(row)
    book.active["F2"], book.active["J3"] = "=SUM(G2:I2)", "=COUNTIF(A:A,1)"
    book.save(tmp_path / "a.xlsx")
    intake = intake_of(tmp_path / "a.xlsx")
    assert figures(intake) == [JANUARY]
    assert codes(intake) == {"formula_without_value"}


def test_formulas_of_an_xls_that_only_excel_would_compute_are_named(
    tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Danh sách")
    for r, row in enumerate([HEAD, *documents()]):
        for c, cell in enumerate(row):
            sheet.write(r, c, xlwt.Formula("G2+H2+I2") if (r, c) == (1, 5) else cell)
    book.save(str(tmp_path / "a.xls"))
    intake = intake_of(tmp_path / "a.xls")
    assert codes(intake) == {"formula_without_value"}
    assert figures(intake) == [FEBRUARY]


# ------------------------------------------------------------------------------------------------------ number formats


@pytest.mark.parametrize(
    ("code", "stored", "outcome"),
    [
        ("#,##0", 120, 120),
        ("0", 120, 120),
        ("#,##0.00", 120, 120),
        ("0.00E+00", 120, 120),
        ('#,##0" văn bản"', 120, 120),
        ("_-* #,##0_-;-* #,##0_-", 120, 120),
        ("[Red]#,##0", 120, 120),
        ("00000", 120, 120),
        ('0" văn bản"', 120, 120),
        ('"Tổng: "#,##0', 120, 120),
        ("+0;-0", 120, 120),
        ('_(* #,##0_);_(* (#,##0);_(* "-"??_)', 0, 0),
        ('#,##0" nghìn"', 120, "shown_otherwise"),
        ('0" ngàn"', 120, "shown_otherwise"),
        ('#,##0.0"tr"', 120, "shown_otherwise"),
        ('0"k"', 120, "shown_otherwise"),
        ('General" chục"', 120, "shown_otherwise"),
        ('0"000"', 120, "shown_otherwise"),
        ('"1"00', 120, "shown_otherwise"),
        ('"-"0', 120, "shown_otherwise"),
        ("(#,##0)", 120, "shown_otherwise"),
        ("0;0", -120, "shown_otherwise"),
        ('"x"', 120, "shown_otherwise"),
        ("#,##0,", 120_000, "shown_divided"),
        ("0.0,,", 120_000_000, "shown_divided"),
        ('#,##0," nghìn"', 120_000, "shown_divided"),
        ("[>=1000]#,##0,;0", 120_000, "shown_divided"),
        ("0%", 1.2, "not_a_number"),
        ("0.00%", 120, "not_a_number"),
        ("dd/mm/yyyy", 120, "not_a_number"),
    ],
)
def test_a_format_that_changes_what_a_figure_means(
    code: str, stored: float, outcome: Any, tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for r, row in enumerate([HEAD, *documents()]):
            sheet.write_row(r, 0, row)
        sheet.write_number("F2", stored, book.add_format({"num_format": code}))
    book_xls = xlwt.Workbook(encoding="utf-8")
    sheet_xls = book_xls.add_sheet("a")
    for r, row in enumerate([HEAD, *documents()]):
        for c, cell in enumerate(row):
            if (r, c) == (1, 5):
                sheet_xls.write(r, c, stored, xlwt.easyxf(num_format_str=code))
            else:
                sheet_xls.write(r, c, cell)
    book_xls.save(str(tmp_path / "a.xls"))
    for name in ("a.xlsx", "a.xls"):
        intake = intake_of(tmp_path / name)
        if isinstance(outcome, str):
            assert (codes(intake), figures(intake)) == ({outcome}, [FEBRUARY]), name
        else:
            assert [row[0] for row in figures(intake)] == [outcome, 90], name


_MAPPED = '<style:map style:condition="value(){}" style:apply-style-name="{}"/>'


@pytest.mark.parametrize(
    ("style", "outcome"),
    [
        ('<number:number number:min-integer-digits="1"/><number:text> văn bản</number:text>', 120),
        ('<number:number number:decimal-places="0"/><number:text> nghìn</number:text>', "shown_otherwise"),
        ('<number:number number:decimal-places="2"/><number:text> ngàn</number:text><style:map/>', "shown_otherwise"),
        ("<number:text>-</number:text><number:number/>", "shown_otherwise"),
        # The style by which positive numbers, negative ones or those past a bound are shown is another one's.
        (f"<number:number/>{_MAPPED.format('&gt;=0', 'NK')}", "shown_divided"),
        (f"<number:number/>{_MAPPED.format('&lt;0', 'NK')}", 120),
        (f"<number:number/>{_MAPPED.format('&gt;=1000', 'NK')}{_MAPPED.format('&gt;=100', 'NT')}", "shown_otherwise"),
        (f"<number:number/>{_MAPPED.format('&gt;=1000', 'NK')}", 120),
        (f"<number:text>-</number:text><number:number/>{_MAPPED.format('&gt;=0', 'NP')}", 120),
        (f'<number:number number:display-factor="1000"/>{_MAPPED.format("&gt;0", "NP")}', 120),
    ],
)
@pytest.mark.parametrize("place", ["automatic", "of the document", "of a column"])
def test_a_style_of_open_document_that_changes_what_a_figure_means(
    style: str, outcome: Any, place: str, tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
        for name, space in (("style", "style"), ("number", "datastyle"))
    )
    styles = (
        '<number:number-style style:name="NK"><number:number number:display-factor="1000"/></number:number-style>'
        '<number:number-style style:name="NT"><number:number/><number:text> nghìn</number:text></number:number-style>'
        '<number:number-style style:name="NP"><number:number/></number:number-style>'
        f'<number:number-style style:name="N1">{style}</number:number-style>'
        '<style:style style:name="ce1" style:family="table-cell" style:data-style-name="N1"/>'
    )
    where = "styles" if place == "of the document" else "automatic-styles"
    styles = f"<office:{where} {spaces}>{styles}</office:{where}>"
    path, figure = tmp_path / "a.ods", 'office:value-type="float" office:value="120"'
    with zipfile.ZipFile(FILES / "f00_control.ods") as control, zipfile.ZipFile(path, "w") as archive:
        for name in control.namelist():
            text = control.read(name).decode()
            if name == "content.xml":
                if where == "automatic-styles":
                    text = text.replace("<office:body>", f"{styles}<office:body>")
                if place == "of a column":
                    text = text.replace(
                        "<table:table-column ", '<table:table-column table:default-cell-style-name="ce1" '
                    )
                else:
                    text = text.replace(figure, f'table:style-name="ce1" {figure}', 1)
            archive.writestr(name, text)
        if where == "styles":
            space = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
            archive.writestr("styles.xml", f"<office:document-styles {space}>{styles}</office:document-styles>")
    intake = intake_of(path)
    if isinstance(outcome, str):
        assert codes(intake) == {outcome}
    else:
        assert outcome in intake.accepted["outgoing_total"].to_pylist()


# -------------------------------------------------------------------------------------------------------------- merges


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".ods", ".html"])
def test_a_figure_cannot_be_merged_over_rows_nor_columns(
    suffix: str, tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    for merge, covered in (((1, 5, 2, 5), [(2, 5)]), ((1, 7, 1, 8), [(1, 8)])):
        path = tmp_path / f"a{merge[1]}{suffix}"
        rows: list[list[Any]] = [HEAD, *documents()]
        for r, c in covered:
            rows[r][c] = None
        _write_merged(path, rows, merge)
        intake = intake_of(path)
        assert "merged_cell" in codes(intake), (suffix, merge, intake.message_vi)
        assert all(row[0] != 120 for row in figures(intake))


def _write_merged(path: Path, rows: list[list[Any]], merge: tuple[int, int, int, int]) -> None:
    top, left, bottom, right = merge
    inside = {(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)} - {(top, left)}
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.active.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
        book.save(path)
    elif path.suffix == ".xls":
        old = xlwt.Workbook(encoding="utf-8")
        sheet = old.add_sheet("a")
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if (r, c) == (top, left):
                    sheet.write_merge(top, bottom, left, right, cell)
                elif cell is not None and (r, c) not in inside:
                    sheet.write(r, c, cell)
        old.save(str(path))
    else:
        is_ods = path.suffix == ".ods"
        lines = []
        for r, row in enumerate(rows):
            cells = []
            for c, cell in enumerate(row):
                spans = (bottom - top + 1, right - left + 1) if (r, c) == (top, left) else None
                cells.append(
                    _ods_cell(cell, spans, (r, c) in inside) if is_ods else _html_cell(cell, spans, (r, c) in inside)
                )
            lines.append("".join(cells))
        if is_ods:
            _write_ods(path, lines)
        else:
            body = "".join(f"<tr>{line}</tr>" for line in lines)
            path.write_text(f"<html><body><table>{body}</table></body></html>", encoding="utf-8")


def _ods_cell(cell: Any, spans: tuple[int, int] | None, is_covered: bool) -> str:
    if is_covered:
        return "<table:covered-table-cell/>"
    said = "" if spans is None else f' table:number-rows-spanned="{spans[0]}" table:number-columns-spanned="{spans[1]}"'
    kind = (
        f' office:value-type="float" office:value="{cell}"' if isinstance(cell, int) else ' office:value-type="string"'
    )
    return f"<table:table-cell{kind}{said}><text:p>{cell}</text:p></table:table-cell>"


def _html_cell(cell: Any, spans: tuple[int, int] | None, is_covered: bool) -> str:
    if is_covered:
        return ""
    said = "" if spans is None else f' rowspan="{spans[0]}" colspan="{spans[1]}"'
    return f"<td{said}>{cell}</td>"


def _write_ods(path: Path, lines: list[str]) -> None:
    names = ("office", "table", "text", "style")
    spaces = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in names)
    rows = "".join(f"<table:table-row>{line}</table:table-row>" for line in lines)
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        out.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="a">{rows}</table:table></office:spreadsheet></office:body>'
            "</office:document-content>",
        )


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".ods", ".html"])
def test_a_merged_unit_holds_for_all_its_rows(suffix: str, tmp_path: Path, intake_of: Callable[..., Intake]) -> None:
    rows: list[list[Any]] = [HEAD, *documents()]
    rows[2][1] = None
    _write_merged(tmp_path / f"a{suffix}", rows, (1, 1, 2, 1))
    assert figures(intake_of(tmp_path / f"a{suffix}")) == [JANUARY, FEBRUARY]


# ------------------------------------------------------------------------------------------------------- HTML, MHTML

TABLE = (FILES / "g00_control.xls").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (TABLE.replace("</body>", "<!-- <table> --></body>"), ""),
        (TABLE.replace("</body>", "<p>Trang 1 < 2</p></body>"), ""),
        (TABLE.replace("</body>", "<div><span>ký</span><br></div></body>"), ""),
        (TABLE.replace("</body></html>", ""), ""),
        (TABLE[: TABLE.index("</table>")], "truncated"),
        (TABLE[: TABLE.index("</table>") + 4], "truncated"),
        (TABLE.replace("</body></html>", "<table><tr><td>STT</td>"), "truncated"),
        (TABLE.replace("</body></html>", "<p"), "truncated"),
    ],
)
def test_what_stands_after_the_table_does_not_matter_but_an_open_table_does(
    text: str, refusal: str, tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    path = tmp_path / "a.xls"
    path.write_text(text, encoding="utf-8")
    intake = intake_of(path)
    assert intake.refusal == refusal, intake.message_vi
    if not refusal:
        assert figures(intake) == [JANUARY, FEBRUARY]
        assert ("</html>" in text) != ("không có gì chứng tỏ" in intake.message_vi)


@pytest.mark.parametrize("cut", [False, True])
def test_a_page_saved_as_one_file_is_read_and_a_cut_one_is_not(
    cut: bool, tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    body = base64.encodebytes(TABLE.encode()).decode()
    head = 'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="b"\n\n--b\n'
    text = f"{head}Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{body}\n--b--\n"
    path = tmp_path / "a.xls"
    path.write_text(text[: len(text) // 2] if cut else text, encoding="utf-8")
    intake = intake_of(path)
    assert bool(intake.refusal) is cut, intake.message_vi
    if not cut:
        assert figures(intake) == [JANUARY, FEBRUARY]


def test_a_cut_xml_spreadsheet_is_refused(tmp_path: Path, intake_of: Callable[..., Intake]) -> None:
    data = (FILES / "g08_spreadsheetml_2003.xls").read_bytes()
    path = tmp_path / "a.xls"
    for place in range(400, len(data) - 1, 97):
        path.write_bytes(data[:place])
        assert intake_of(path).refusal in ("damaged", "unknown_format"), place


# ---------------------------------------------------------------------------------------- rows swallowed by quotes


def _csv_cases(count: int = 40) -> list[list[str]]:
    head = ["Số hồ sơ", "Mã thủ tục", "Đơn vị tiếp nhận", "Ngày tiếp nhận", "Tình trạng", "Hình thức nộp", "Ghi chú"]
    rows = [
        [f"000.21.32.H51-2301{i % 28 + 1:02}-{i:04}", "1.001193", "UBND thị trấn Cù Lao Dung",
         f"{i % 28 + 1:02}/01/2023 08:00", "Đang xử lý", "Trực tiếp", "chưa xong"]
        for i in range(count)
    ]  # fmt: skip
    return [head, *rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(("first", "last", "column"), [(3, 4, 6), (3, 4, 2), (5, 30, 6), (1, 2, 0), (10, 12, 4)])
def test_rows_between_two_stray_quotation_marks_are_not_swallowed(
    first: int, last: int, column: int, delimiter: str, tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    rows = _csv_cases()
    lines = [delimiter.join(row) for row in rows]
    opened, closed = list(rows[first]), list(rows[last])
    opened[column] = f'"{opened[column]}'
    closed[column] = f'{closed[column]}"'
    lines[first], lines[last] = delimiter.join(opened), delimiter.join(closed)
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    intake = intake_of(path, CASES)
    assert intake.refusal == "stray_quotes"
    assert f"từ dòng {first + 1} đến dòng {last + 1}" in intake.message_vi


def test_line_breaks_inside_cells_swallow_nothing(tmp_path: Path, intake_of: Callable[..., Intake]) -> None:
    rows = _csv_cases()
    rows[4][6] = "chờ xác minh:\n1, 2, 3, 4, 5, 6\nxong"
    rows[9][6] = "một\n\nhai, ba, bốn, năm, sáu, bảy"
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text(rows).encode())
    assert intake_of(path, CASES, "31615").rows_read == 40


# ------------------------------------------------------------------------------------------------------- whole columns


def _case_rows(count: int = 60) -> list[list[Any]]:
    """Cases received over the quarter, due ten days and finished five days later."""
    head = ["Số hồ sơ", "Mã thủ tục", "Đơn vị tiếp nhận", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày hoàn thành",
            "Tình trạng", "Hình thức nộp"]  # fmt: skip
    rows: list[list[Any]] = [head]
    for i in range(count):
        day = dt.datetime(2022, 12, 16, 8) + dt.timedelta(days=i)
        rows.append(
            [f"000.21.32.H51-{day:%y%m%d}-{i:04}", "1.001193", "UBND thị trấn Cù Lao Dung", day,
             day + dt.timedelta(days=10), day + dt.timedelta(days=5), "Đã trả kết quả", "Trực tiếp"]
        )  # fmt: skip
    return rows


def _us_excel(cell: Any) -> Any:
    """What Excel with American settings makes of the text of a Vietnamese date."""
    if not isinstance(cell, dt.datetime):
        return cell
    return cell.replace(day=cell.month, month=cell.day) if cell.day <= 12 else f"{cell:%d/%m/%Y %H:%M:%S}"


def _swap(cell: Any) -> Any:
    can = isinstance(cell, dt.datetime) and cell.day <= 12
    return cell.replace(day=cell.month, month=cell.day) if can else cell


def _mapped(columns: tuple[int, ...], change: Callable[[Any], Any]) -> list[list[Any]]:
    head, *rows = _case_rows()
    return [head, *([change(c) if i in columns else c for i, c in enumerate(row)] for row in rows)]


def _exchange(rows: list[list[Any]], one: int, other: int) -> list[list[Any]]:
    rows[0][one], rows[0][other] = rows[0][other], rows[0][one]
    return rows


WHOLE: dict[str, tuple[list[list[Any]], str]] = {
    "right": (_case_rows(), ""),
    "right as text": (_mapped((3, 4, 5), lambda c: f"{c:%d/%m/%Y %H:%M}"), ""),
    "right as ISO text": (_mapped((3, 4, 5), lambda c: f"{c:%Y-%m-%d %H:%M:%S}"), ""),
    "cells and texts without a pattern": (_mapped((4,), lambda c: f"{c:%d/%m/%Y}" if c.day % 2 else c), ""),
    "American Excel": (_mapped((3, 4, 5), _us_excel), "day_month_swapped"),
    "American Excel, one column": (_mapped((5,), _us_excel), "day_month_swapped"),
    "month first as text": (_mapped((3, 4, 5), lambda c: f"{c:%m/%d/%Y}"), "day_month_swapped"),
    "month first as text, one column": (_mapped((4,), lambda c: f"{c:%m/%d/%Y %H:%M}"), "day_month_swapped"),
    "swapped cells": (_mapped((3, 4, 5), _swap), "day_month_swapped"),
    "swapped cells, one column": (_mapped((5,), _swap), "day_month_swapped"),
    "1904": (_mapped((3, 4, 5), lambda c: c - dt.timedelta(days=1462)), "epoch_1904"),
    "1904, one column": (_mapped((3,), lambda c: c - dt.timedelta(days=1462)), "epoch_1904"),
    "headings exchanged": (_exchange(_case_rows(), 3, 5), "headings_exchanged"),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_columns_of_dates_are_judged_as_a_whole(
    kind: str, suffix: str, tmp_path: Path, intake_of: Callable[..., Intake]
) -> None:
    rows, refusal = WHOLE[kind]
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv":
        shown = [[f"{c:%d/%m/%Y %H:%M:%S}" if isinstance(c, dt.datetime) else c for c in row] for row in rows]
        if kind.startswith("American"):
            return  # in a text file there are no date cells
        path.write_bytes(csv_text(shown).encode())
    else:
        with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy hh:mm"}) as book:
            sheet = book.add_worksheet()
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    sheet.write(r, c, cell)
    intake = intake_of(path, CASES, "31615")
    assert intake.refusal == refusal, intake.message_vi
    if not refusal:
        assert (intake.rows_read, intake.rows_rejected) == (60, 0)


@pytest.mark.parametrize(
    ("name", "refusal"), [("e00_control.xlsx", ""), ("e01_us_locale_swapped.xlsx", "day_month_swapped")]
)
def test_an_export_opened_with_american_settings(name: str, refusal: str, intake_of: Callable[..., Intake]) -> None:
    assert intake_of(FILES / name, CASES, "31615").refusal == refusal


def test_what_was_read_before_changes_nothing(tmp_path: Path) -> None:
    """Files that just fit into the memory that is allowed are read one after the other as each is alone."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for r in range(12_000):
            sheet.write_row(r, 0, [f"{r}-{c}-{'x' * 40}" for c in range(12)])
    shared_sandbox().close()
    least = next(mib for mib in range(60, 480, 20) if _is_read(path, mib))
    assert [_is_read(path, least) for _ in range(6)] == [True] * 6
    assert _is_read(path, 480)
    assert _is_read(path, least)


def _is_read(path: Path, mib: int) -> bool:
    try:
        return bool(read_sheets(path, path.suffix, IntakeLimits(child_memory_bytes=mib * MIB)).sheets)
    except UnreadableFileError:
        return False

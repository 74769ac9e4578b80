"""A cell of which a part is struck out, raised or hidden holds no number, day or code, in whatever format; a row that
is struck out as a whole is told.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import docx
import odf.opendocument
import odf.style
import odf.table
import odf.text
import openpyxl
import pytest
import xlsxwriter
import xlwt
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from ingestion.base.contracts import load_contracts
from ingestion.base.limits import DEFAULT_LIMITS
from ingestion.base.readings import MixedText
from ingestion.reading import sheet_xml
from ingestion.reading.grid import FileContent
from ingestion.rows.prose import read_content

# A cell is its parts: text and mark.
Parts = Sequence[tuple[str, str]]
PLAIN, STRUCK, RAISED, HIDDEN = "", "struck", "raised", "hidden"
HEAD: list[Parts] = [[("Đơn vị", PLAIN)], [("Tổng số văn bản đến", PLAIN)], [("Ghi chú", PLAIN)]]


def shared_strings(path: Path, rows: Sequence[Sequence[Parts]]) -> None:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("S")
    formats = {mark: book.add_format() for mark in (PLAIN, STRUCK, RAISED)}
    formats[STRUCK].set_font_strikeout()
    formats[RAISED].set_font_script(1)
    for r, row in enumerate(rows):
        for c, parts in enumerate(row):
            if len(parts) == 1:
                sheet.write_string(r, c, parts[0][0], formats[parts[0][1]])
            else:
                sheet.write_rich_string(r, c, *(piece for text, mark in parts for piece in (formats[mark], text)))
    book.close()


def inline_strings(path: Path, rows: Sequence[Sequence[Parts]]) -> None:
    book = openpyxl.Workbook()
    fonts = {PLAIN: InlineFont(), STRUCK: InlineFont(strike=True), RAISED: InlineFont(vertAlign="superscript")}
    for r, row in enumerate(rows, 1):
        for c, parts in enumerate(row, 1):
            cell = book.active.cell(r, c)
            if len(parts) == 1:
                cell.value, cell.font = parts[0][0], Font(strike=parts[0][1] == STRUCK)
            else:
                cell.value = CellRichText(*(TextBlock(fonts[mark], text) for text, mark in parts))
    book.save(path)


def old_workbook(path: Path, rows: Sequence[Sequence[Parts]]) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("S")

    def font(mark: str) -> Any:
        made = xlwt.Font()
        made.struck_out, made.escapement = mark == STRUCK, int(mark == RAISED)
        return made

    for r, row in enumerate(rows):
        for c, parts in enumerate(row):
            style = xlwt.XFStyle()
            style.font = font(parts[0][1] if len({mark for _, mark in parts}) > 1 or len(parts) == 1 else PLAIN)
            if len(parts) == 1:
                sheet.write(r, c, parts[0][0], style)
            else:
                sheet.write_rich_text(r, c, [(text, font(mark)) for text, mark in parts], style)
    book.save(str(path))


def open_document(path: Path, rows: Sequence[Sequence[Parts]]) -> None:
    book = odf.opendocument.OpenDocumentSpreadsheet()
    properties = {STRUCK: {"textlinethroughstyle": "solid"}, RAISED: {"textposition": "super 58%"}}
    for mark, said in properties.items():
        style = odf.style.Style(name=mark, family="text")
        style.addElement(odf.style.TextProperties(attributes=said))
        book.automaticstyles.addElement(style)
    table = odf.table.Table(name="S")
    book.spreadsheet.addElement(table)
    for row in rows:
        line = odf.table.TableRow()
        table.addElement(line)
        for parts in row:
            cell = odf.table.TableCell(valuetype="string")
            line.addElement(cell)
            paragraph = odf.text.P()
            cell.addElement(paragraph)
            for text, mark in parts:
                paragraph.addElement(odf.text.Span(stylename=mark, text=text) if mark else odf.text.Span(text=text))
    book.save(str(path))


def _tagged(parts: Parts, tags: dict[str, tuple[str, str]]) -> str:
    return "".join(tags[mark][0] + text + tags[mark][1] for text, mark in parts)


def web_page(path: Path, rows: Sequence[Sequence[Parts]]) -> None:
    tags = {PLAIN: ("", ""), STRUCK: ("<s>", "</s>"), RAISED: ("<sup>", "</sup>"),
            HIDDEN: ('<span style="display:none">', "</span>")}  # fmt: skip
    lines = ("<tr>" + "".join(f"<td>{_tagged(parts, tags)}</td>" for parts in row) + "</tr>" for row in rows)
    path.write_text(f"<html><meta charset=utf-8><body><table>{''.join(lines)}</table></body></html>", encoding="utf-8")


def xml_spreadsheet(path: Path, rows: Sequence[Sequence[Parts]]) -> None:
    tags = {PLAIN: ("<Font>", "</Font>"), STRUCK: ("<S>", "</S>"), RAISED: ("<Sup>", "</Sup>")}
    cells = ("".join(f'<Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40">{_tagged(p, tags)}'
                     "</ss:Data></Cell>" for p in row) for row in rows)  # fmt: skip
    path.write_text(
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="S"><Table>'
        + "".join(f"<Row>{row}</Row>" for row in cells)
        + "</Table></Worksheet></Workbook>",
        encoding="utf-8",
    )


def word(path: Path, rows: Sequence[Sequence[Parts]]) -> None:
    document = docx.Document()
    table = document.add_table(rows=0, cols=len(rows[0]))
    for row in rows:
        for cell, parts in zip(table.add_row().cells, row, strict=True):
            for text, mark in parts:
                font = cell.paragraphs[0].add_run(text).font
                font.strike, font.superscript, font.hidden = mark == STRUCK, mark == RAISED, mark == HIDDEN
    document.save(str(path))


FORMATS: dict[str, tuple[Callable[[Path, Sequence[Sequence[Parts]]], None], str]] = {
    "shared strings": (shared_strings, ".xlsx"),
    "inline strings": (inline_strings, ".xlsx"),
    "xls": (old_workbook, ".xls"),
    "ods": (open_document, ".ods"),
    "html": (web_page, ".xls"),
    "xml": (xml_spreadsheet, ".xls"),
    "docx": (word, ".docx"),
}
MIXED: dict[str, Parts] = {
    "a footnote's mark": [("5", PLAIN), ("1", RAISED)],
    "a figure that was mended": [("12", STRUCK), ("15", PLAIN)],
    "a day that was mended": [("05/01/2023", STRUCK), (" 09/01/2023", PLAIN)],
    "marks only": [("12", STRUCK), ("1", RAISED)],
}
# No mark, one mark throughout, or no digit.
WHOLE: dict[str, Parts] = {
    "plain runs": [("1", PLAIN), ("45", PLAIN)],
    "plain": [("145", PLAIN)],
    "raised as a whole": [("145", RAISED)],
    "words": [("Đạt", PLAIN), ("a", RAISED)],
}


def read(path: Path, suffix: str) -> FileContent:
    return read_content(path, suffix, load_contracts()["declared_returns"], DEFAULT_LIMITS)


def text_of(parts: Parts) -> str:
    return "".join(text for text, _ in parts)


@pytest.mark.parametrize("name", FORMATS)
def test_a_cell_with_marked_parts_is_told_in_every_format(name: str, tmp_path: Path) -> None:
    write, suffix = FORMATS[name]
    whole = {k: parts for k, parts in WHOLE.items() if name != "inline strings" or k != "raised as a whole"}
    cells = [*MIXED.values(), *whole.values()]
    if name in ("html", "docx"):
        cells.append([("9", HIDDEN), ("5", PLAIN)])
    rows: list[list[Parts]] = [HEAD, *([[("Xã An Thạnh 1", PLAIN)], parts, [("ghi chú", PLAIN)]] for parts in cells)]
    path = tmp_path / f"a{suffix}"
    write(path, rows)
    found = [row[1] for row in read(path, suffix).sheets[0].head()[1 : len(rows)]]
    assert [str(cell) for cell in found] == [text_of(parts) for parts in cells]
    assert [isinstance(cell, MixedText) for cell in found] == [
        len({m for _, m in parts}) > 1 and parts != WHOLE["words"] for parts in cells
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_rows_with_a_cell_that_is_struck_out_are_told_in_every_format(name: str, tmp_path: Path) -> None:
    write, suffix = FORMATS[name]
    rows = [HEAD, *([[(text, mark)] for text, mark in zip(("Xã", "5", "bỏ"), marks, strict=True)] for marks in (
        (STRUCK, STRUCK, STRUCK), (PLAIN, PLAIN, PLAIN), (STRUCK, PLAIN, STRUCK)))]  # fmt: skip
    path = tmp_path / f"a{suffix}"
    write(path, rows)
    told = [(r.value, r.count) for r in read(path, suffix).remarks if r.kind == "struck_rows"]
    assert told == [("2, 4", 2)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_text_all_parts_of_which_are_struck_out_is_told_like_a_cell_that_is(name: str, tmp_path: Path) -> None:
    write, suffix = FORMATS[name]
    values: list[Parts] = [
        [("1", STRUCK), ("5", STRUCK)],
        [("1", PLAIN), ("5", PLAIN)],
        [("bỏ ", STRUCK), ("hết", STRUCK)],
        [("bỏ ", STRUCK), ("một phần", PLAIN)],
    ]
    path = tmp_path / f"a{suffix}"
    write(path, [HEAD, *([[("Xã", PLAIN)], value, [("ghi chú", PLAIN)]] for value in values)])
    assert [r.value for r in read(path, suffix).remarks if r.kind == "struck_rows"] == ["2, 4"]


def test_parts_without_a_font_of_their_own_are_struck_out_with_their_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("S")
    struck, bold = book.add_format({"font_strikeout": True}), book.add_format({"bold": True})
    for r, (parts, style) in enumerate([
        (("12 ", struck, "15"), struck),  # all of it
        (("12 ", bold, "15"), struck),  # "12" alone
        ((bold, "1", bold, "5"), struck),  # nothing
        (("12 ", bold, "15"), None),
    ]):  # fmt: skip
        sheet.write_rich_string(r, 0, *parts, *([style] if style else []))
        sheet.write_row(r, 1, ["a", "b"])
    book.close()
    content = read(path, ".xlsx")
    assert [isinstance(row[0], MixedText) for row in content.sheets[0].head()] == [False, True, False, False]
    assert [r.value for r in content.remarks if r.kind == "struck_rows"] == ["1"]


@pytest.mark.parametrize("write", [shared_strings, inline_strings])
def test_any_number_of_texts_may_have_marked_parts(
    write: Callable[[Path, Sequence[Sequence[Parts]]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_xml, "_BLOCK", 10_000)  # bytes: as in a large file, many blocks
    path = tmp_path / "a.xlsx"
    rows: list[list[Parts]] = [
        [[("Xã ", PLAIN), (f"An Thạnh {n}", PLAIN)], [(str(n), PLAIN)], [(f"{n} m", PLAIN), ("2", RAISED)]]
        for n in range(1, 3_001)
    ]
    write(path, [HEAD, *rows])
    columns = read(path, ".xlsx").sheets[0].body(1, 3).columns
    found = [list(column.pick(range(3_000))) for column in columns]
    assert found == [[text_of(row[c]) for row in rows] for c in range(3)]
    assert {tuple(type(cell) for cell in row) for row in zip(*found, strict=True)} == {(str, str, MixedText)}


# Where a style that is struck out is named, in an OpenDocument table of which one row has it.
_STRIKE = '<style:text-properties style:text-line-through-style="solid"/>'
_NO_STRIKE = '<style:text-properties style:text-line-through-style="none"/>'
OPEN_DOCUMENT_STYLES: dict[str, tuple[str, str, str, list[str]]] = {
    # name: (styles.xml, automatic styles, rows, rows that are told)
    "of the document": (
        f'<style:style style:name="Bo" style:family="table-cell">{_STRIKE}</style:style>',
        "", "<r>{plain}</r><r>{Bo}</r>", ["3"],
    ),
    "that another stands on": (
        f'<style:style style:name="Bo" style:family="table-cell">{_STRIKE}</style:style>',
        '<style:style style:name="ce1" style:family="table-cell" style:parent-style-name="Bo"/>'
        '<style:style style:name="ce2" style:family="table-cell" style:parent-style-name="Bo">'
        f"{_NO_STRIKE}</style:style>",
        "<r>{ce2}</r><r>{ce1}</r>", ["3"],
    ),
    "of a column": (
        "",
        f'<style:style style:name="ce1" style:family="table-cell">{_STRIKE}</style:style>'
        '<style:style style:name="ce2" style:family="table-cell"/>',
        '<table:table-column/><table:table-column table:default-cell-style-name="ce1"/>'
        "<r>{ce2}</r><r>{}</r>", ["3"],
    ),
    "of a row": (
        "",
        f'<style:style style:name="ce1" style:family="table-cell">{_STRIKE}</style:style>',
        '<r>{}</r><table:table-row table:default-cell-style-name="ce1">{}</r>', ["3"],
    ),
    "of a paragraph": (
        "",
        f'<style:style style:name="P1" style:family="paragraph">{_STRIKE}</style:style>',
        "<r>{}</r><r>{p:P1}</r>", ["3"],
    ),
    "of an element of another kind": (
        "",
        f'<style:style style:name="ce1" style:family="paragraph">{_STRIKE}</style:style>',
        "<r>{ce1}</r>", [],
    ),
    "whose parts are not": (
        "",
        f'<style:style style:name="ce1" style:family="table-cell">{_STRIKE}</style:style>'
        f'<style:style style:name="T1" style:family="text">{_NO_STRIKE}</style:style>',
        "<r>{ce1:T1}</r>", [],
    ),
}  # fmt: skip


def _cell(style: str, text: str, of_paragraph: str = "") -> str:
    named = f' table:style-name="{style}"' if style else ""
    paragraph = f'<text:p text:style-name="{of_paragraph}">' if of_paragraph else "<text:p>"
    return f'<table:table-cell{named} office:value-type="string">{paragraph}{text}</text:p></table:table-cell>'


def _open_document_rows(rows: str) -> str:
    """Rows with a cell “Xã” and one of the style between braces; after a colon that of its paragraph or its part."""

    def cells(said: re.Match[str]) -> str:
        style, _, part = said[1].partition(":")
        if style == "p":
            return _cell("plain", "Xã") + _cell("", "5", part)
        text = f'<text:span text:style-name="{part}">5</text:span>' if part else "5"
        return _cell("plain", "Xã") + _cell(style, text)

    return re.sub(r"\{([^}]*)\}", cells, rows).replace("<r>", "<table:table-row>").replace("</r>", "</table:table-row>")


@pytest.mark.parametrize("name", OPEN_DOCUMENT_STYLES)
def test_styles_of_open_document_are_followed_to_where_they_say_that_a_text_is_struck_out(
    name: str, tmp_path: Path
) -> None:
    common, automatic, rows, told = OPEN_DOCUMENT_STYLES[name]
    names = ("office", "style", "text", "table")
    spaces = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in names)
    head = "<table:table-row>" + _cell("", "Đơn vị") + "</table:table-row>"
    cut = rows.rfind("/>") + 2 if rows.startswith("<table:table-column") else 0
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "styles.xml",
            f"<office:document-styles {spaces}><office:styles>{common}</office:styles></office:document-styles>",
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:automatic-styles>{automatic}</office:automatic-styles>"
            '<office:body><office:spreadsheet><table:table table:name="S">'
            f"{rows[:cut]}{head}{_open_document_rows(rows[cut:])}</table:table></office:spreadsheet></office:body>"
            "</office:document-content>",
        )
    assert [r.value for r in read(path, ".ods").remarks if r.kind == "struck_rows"] == told


def test_a_page_that_a_spreadsheet_saved_tells_by_classes(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_text(
        "<html><head><meta charset=utf-8><style><!-- .xl65 {mso-style-parent:style0; text-decoration:line-through;}\n"
        ".font5 {vertical-align:super;} --></style></head><body><table><tr><td>Đơn vị<td>Số<td>Ghi chú</tr>"
        '<tr><td>Xã<td class=xl65>5<td>a</tr><tr><td>Xã<td>5<font class="font5 x">1</font><td>a</tr></table></html>',
        encoding="utf-8",
    )
    content = read(path, ".xls")
    assert [r.value for r in content.remarks if r.kind == "struck_rows"] == ["2"]
    assert [isinstance(row[1], MixedText) for row in content.sheets[0].head()] == [False, False, True]


def test_such_a_cell_rejects_its_row_in_columns_of_numbers_days_and_codes_only(registers: Any) -> None:
    head = ["Loại kế hoạch", "Mã nhiệm vụ", "Nội dung", "Trạng thái", "Số lượng theo kế hoạch", "Ngày hoàn thành"]
    row = ["Kế hoạch CCHC năm", "NV-01", "Mở lớp 1", "Hoàn thành", "15", "10/01/2023"]
    rows = [row]
    mixed = {2: ("Mở lớp", " 2"), 1: ("NV-0", "2"), 4: ("1", "5"), 5: ("10/01/202", "3")}
    for place, parts in mixed.items():
        line: list[Any] = [*row]
        line[1] = f"NV-1{place}"
        line[place] = CellRichText(parts[0], TextBlock(InlineFont(vertAlign="superscript"), parts[1]))
        rows.append(line)
    book = openpyxl.Workbook()
    for line in [head, *rows]:
        book.active.append(line)
    path = registers.place("plan_tasks", "a.xlsx")
    book.save(path)
    registers.touch(path)
    registers.ingest()
    assert {(row, code) for row, _, code in registers.reasons("plan_tasks")} == {(n, "mixed_format") for n in (4, 5, 6)}
    assert [r["content"] for r in registers.rows("plan_tasks")] == ["Mở lớp 1", "Mở lớp 2"]

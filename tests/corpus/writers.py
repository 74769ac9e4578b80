"""Writers of one grid of cells as a file of each format, by the libraries that offices' systems use.

Belongs here: formats and encodings. Does not belong here: what stands in the grid (``files``).
"""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
import xlwt
from odf import opendocument, style, table, text

from ingestion.text.legacy_fonts import to_tcvn3, to_vni

Cells = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Grid:
    """Rows of cells, 0-based merges ``(row, column, last row, last column)`` and hidden rows and columns."""

    rows: Cells
    merges: Sequence[tuple[int, int, int, int]] = ()
    hidden_rows: Sequence[int] = ()
    hidden_columns: Sequence[int] = ()
    more_sheets: dict[str, Cells] = field(default_factory=dict)
    hidden_sheets: Sequence[str] = ()


def write_openpyxl(path: Path, grid: Grid) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Nhiệm vụ"
    _fill_openpyxl(sheet, grid.rows)
    for top, left, bottom, right in grid.merges:
        sheet.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    for row in grid.hidden_rows:
        sheet.row_dimensions[row + 1].hidden = True
    for column in grid.hidden_columns:
        sheet.column_dimensions[openpyxl.utils.get_column_letter(column + 1)].hidden = True
    for name, rows in grid.more_sheets.items():
        other = book.create_sheet(name)
        _fill_openpyxl(other, rows)
        if name in grid.hidden_sheets:
            other.sheet_state = "veryHidden"
    book.save(path)


def _fill_openpyxl(sheet: Any, rows: Cells) -> None:
    for r, row in enumerate(rows, start=1):
        for c, cell in enumerate(row, start=1):
            if cell is not None:
                sheet.cell(r, c, cell)


def write_xlsxwriter(path: Path, grid: Grid) -> None:
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"}) as book:
        for name, rows in {"Nhiệm vụ": grid.rows, **grid.more_sheets}.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(r, c, cell)
            if name in grid.hidden_sheets:
                sheet.hide()
        first = book.worksheets()[0]
        for top, left, bottom, right in grid.merges:
            first.merge_range(top, left, bottom, right, grid.rows[top][left])
        for row in grid.hidden_rows:
            first.set_row(row, None, None, {"hidden": True})
        for column in grid.hidden_columns:
            first.set_column(column, column, None, None, {"hidden": True})


def write_xlwt(path: Path, grid: Grid) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    day = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for name, rows in {"Nhiệm vụ": grid.rows, **grid.more_sheets}.items():
        sheet = book.add_sheet(name, cell_overwrite_ok=True)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write(r, c, cell, day)
                elif cell is not None:
                    sheet.write(r, c, cell)
        if name in grid.hidden_sheets:
            sheet.visibility = 1
    first = book.get_sheet(0)
    for top, left, bottom, right in grid.merges:
        first.merge(top, bottom, left, right)
    for row in grid.hidden_rows:
        first.row(row).hidden = True
    for column in grid.hidden_columns:
        first.col(column).hidden = True
    book.save(str(path))


def write_odfpy(path: Path, grid: Grid) -> None:
    document = opendocument.OpenDocumentSpreadsheet()
    unseen = style.Style(name="unseen", family="table")
    unseen.addElement(style.TableProperties(display="false"))
    document.automaticstyles.addElement(unseen)
    for name, rows in {"Nhiệm vụ": grid.rows, **grid.more_sheets}.items():
        sheet = table.Table(name=name, stylename=unseen) if name in grid.hidden_sheets else table.Table(name=name)
        first = name == "Nhiệm vụ"
        for c in range(max(len(row) for row in rows)):
            hidden = first and c in grid.hidden_columns
            sheet.addElement(table.TableColumn(visibility="collapse") if hidden else table.TableColumn())
        for r, row in enumerate(rows):
            line = table.TableRow(visibility="collapse") if first and r in grid.hidden_rows else table.TableRow()
            for cell in row:
                line.addElement(_odf_cell(cell))
            sheet.addElement(line)
        document.spreadsheet.addElement(sheet)
    document.save(str(path))


def _odf_cell(cell: Any) -> Any:
    if cell is None:
        return table.TableCell()
    if isinstance(cell, dt.date):
        made = table.TableCell(valuetype="date", datevalue=cell.isoformat())
        shown = f"{cell:%d/%m/%Y}"
    elif isinstance(cell, int | float):
        made, shown = table.TableCell(valuetype="float", value=str(cell)), str(cell)
    else:
        made, shown = table.TableCell(valuetype="string"), str(cell)
    made.addElement(text.P(text=shown))
    return made


def shown(cell: Any) -> str:
    if cell is None:
        return ""
    return f"{cell:%d/%m/%Y}" if isinstance(cell, dt.date) else str(cell)


def write_html(path: Path, grid: Grid) -> None:
    path.write_bytes(html_document(grid).encode())


def html_document(grid: Grid) -> str:
    covered = {
        (r, c): (top, left)
        for top, left, bottom, right in grid.merges
        for r in range(top, bottom + 1)
        for c in range(left, right + 1)
    }
    spans = {(m[0], m[1]): f' rowspan="{m[2] - m[0] + 1}" colspan="{m[3] - m[1] + 1}"' for m in grid.merges}
    lines = []
    for r, row in enumerate(grid.rows):
        cells = [
            f"<td{spans.get((r, c), '')}>{html.escape(shown(cell))}</td>"
            for c, cell in enumerate(row)
            if covered.get((r, c), (r, c)) == (r, c)
        ]
        style = ' style="display:none"' if r in grid.hidden_rows else ""
        lines.append(f"<tr{style}>{''.join(cells)}</tr>")
    tables = "<table border=1>" + "\n".join(lines) + "</table>"
    for rows in grid.more_sheets.values():
        body = "".join("<tr>" + "".join(f"<td>{html.escape(shown(c))}</td>" for c in row) + "</tr>" for row in rows)
        tables += f"<p>Bảng tiếp theo</p><table>{body}</table>"
    return f'<html><head><meta charset="utf-8"><style>td{{mso-x:1}}</style></head><body>{tables}</body></html>\n'


def csv_text(rows: Cells, delimiter: str = ",", newline: str = "\r\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO(newline="")
    width = max(len(row) for row in rows)
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([shown(c) for c in row] + [""] * (width - len(row)) for row in rows)
    return out.getvalue()


def write_csv(path: Path, grid: Grid) -> None:
    path.write_bytes(csv_text(grid.rows).encode())


@cache
def _letter_in_cp1258(letter: str) -> bytes:
    try:
        return letter.encode("cp1258")
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", letter)
        tone = next(c for c in parts if c in "\u0300\u0301\u0303\u0309\u0323")
        base = unicodedata.normalize("NFC", parts.replace(tone, ""))
        return base.encode("cp1258") + tone.encode("cp1258")


def to_cp1258(content: str) -> bytes:
    """Windows-1258: tones are marks of their own after the letter."""
    return b"".join(map(_letter_in_cp1258, unicodedata.normalize("NFC", content)))


def mojibake(content: str) -> str:
    """UTF-8 read as windows-1252, with the five undefined bytes as control codes."""
    return "".join(
        bytes([b]).decode("cp1252") if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(b) for b in content.encode()
    )


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda s: s.encode(),
    "utf-8-sig": lambda s: s.encode("utf-8-sig"),
    "utf-16": lambda s: s.encode("utf-16"),
    "utf-16-le": lambda s: s.encode("utf-16-le"),
    "utf-16-be": lambda s: s.encode("utf-16-be"),
    "cp1258": to_cp1258,
    "nfd": lambda s: unicodedata.normalize("NFD", s).encode(),
    "mixed": lambda s: "".join(unicodedata.normalize("NFD", c) if i % 2 else c for i, c in enumerate(s)).encode(),
    "tcvn3": lambda s: to_tcvn3(s).encode("latin-1"),
    "vni": lambda s: to_vni(s).encode("cp1252"),
    "utf-8 of tcvn3": lambda s: to_tcvn3(s).encode(),
    "utf-8 of vni": lambda s: to_vni(s).encode(),
    "mojibake": lambda s: mojibake(s).encode(),
}
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
WORKBOOK_WRITERS: dict[str, tuple[str, Callable[[Path, Grid], None]]] = {
    "openpyxl": (".xlsx", write_openpyxl),
    "xlsxwriter": (".xlsx", write_xlsxwriter),
    "xlwt": (".xls", write_xlwt),
    "odfpy": (".ods", write_odfpy),
    "html": (".xls", write_html),
    "csv": (".csv", write_csv),
}

"""What goes back to the clerk: one workbook a delivery, with the rows that were turned away, as they were delivered.

Belongs here: how such a workbook looks, its name, and that it lies there exactly as long as it is true. Does not belong
here: why a row is turned away (``values``, ``resolve``, ``rules``), who may read it (``outbox``).

The workbook shows the clerk's own cells, personal ones too, so it lies in the outbox of the unit that delivered them
(``outbox``), one of the two places (the kept originals are the other) where personal data may rest.
It can be mended and delivered itself: its headings are the delivered ones, what it adds stands in columns of its own,
to the left, and cells offer the values that a template would.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from common.files import sha256_bytes
from common.periods import quarter_vi
from common.workbooks import NO_DATE
from ingestion.base.contracts import Contract
from ingestion.base.paths import IngestPaths
from ingestion.base.readings import Cell
from ingestion.clerk import outbox
from ingestion.clerk.fields import Field, validation, write_lists
from ingestion.rows.own_words import COUNT_LINE, FILE_LINE, HOW_LINE, LISTS_SHEET, OWN_HEADINGS, TITLE
from ingestion.rows.returned import MAX_ROWS, ReturnedSheet
from ingestion.rows.untouched import NOTHING
from ingestion.rows.values import MAX_EXACT_NUMBER, printed

SUFFIX = ".rejected.xlsx"
#: Raised whenever workbooks look differently, so that those that lie there are written again. Part of their token.
LOOKS = "2"
# What a browser or an office program makes of the name: a number behind it, another format.
_SAVED_NAME = re.compile(r"(?P<stem>.+)\.rejected(?: ?\(\d+\))?\.[A-Za-z0-9]{1,5}", re.DOTALL)
_OWN_WIDTHS = (8, 38, 36, 11)
_REFUSED_SHEET = "Tệp bị trả lại"
_MAX_NAME_BYTES = 240
_MAX_CELL = 32_000
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Reason:
    """One reason why a row was turned away; ``column`` is the contract column it is about, or empty."""

    column: str
    code: str
    reason_vi: str
    advice_vi: str


@dataclass(frozen=True)
class Answer:
    """All that a rejection workbook says. ``message_vi`` is why a whole file was refused, else empty; ``fields`` is how
    the columns are filled in, as far as that is known.
    """

    contract: Contract
    unit_code: str
    quarter: str
    file_name: str
    rows_rejected: int
    message_vi: str = ""
    sheets: tuple[ReturnedSheet, ...] = ()
    reasons: dict[tuple[str, int], tuple[Reason, ...]] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()


def reasons_by_row(rejected: pa.Table) -> dict[tuple[str, int], tuple[Reason, ...]]:
    """Records of the layer ``raw/rejected``, in the order of the file, by sheet and row; of the rows shown at most."""
    found: dict[tuple[str, int], list[Reason]] = defaultdict(list)
    for batch in rejected.to_batches(max_chunksize=10_000):
        if len(found) > MAX_ROWS:
            break
        for record in batch.to_pylist():
            found[record["_sheet"], record["_row"]].append(
                Reason(record["column"], record["reason_code"], record["reason_vi"], record["advice_vi"])
            )
    return {place: tuple(reasons) for place, reasons in found.items()}


# -------------------------------------------------------------------------------------------------------- where it lies


def folder_of(paths: IngestPaths, unit_code: str, quarter: str, source: str) -> Path:
    return outbox.folder_of(paths, unit_code, quarter) / source


def workbook_name(file_name: str) -> str:
    """``<file name>.rejected.xlsx``; a name too long for a file system is cut and told apart by its hash."""
    if len(file_name.encode()) + len(SUFFIX) <= _MAX_NAME_BYTES:
        return file_name + SUFFIX
    mark = sha256_bytes(file_name.encode())[:8]
    head = file_name.encode()[: _MAX_NAME_BYTES - len(SUFFIX) - len(mark) - 1].decode(errors="ignore")
    return f"{head}~{mark}{SUFFIX}"


def stem_of(name: str) -> str | None:
    """Which file's rows a workbook shows by its name, however it was saved; None for a name of another kind."""
    match = _SAVED_NAME.fullmatch(unicodedata.normalize("NFC", name))
    return match["stem"] if match else None


def remove_all_but(folder: Path, wanted: Collection[str]) -> None:
    """Takes away the workbooks of a folder that answer nothing any more."""
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.name not in wanted:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def token_of(path: Path) -> str | None:
    """The token the workbook was written with (see :func:`workbook_bytes`), or None where there is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            match = re.search(rb"<cp:keywords>([^<]*)</cp:keywords>", archive.read("docProps/core.xml"))
    except (OSError, KeyError, zipfile.BadZipFile):
        return None
    return match[1].decode() if match else None


# -------------------------------------------------------------------------------------------------------- how it looks


class _Looks:
    """The cell formats, each made once. ``quote_prefix`` keeps a text a text when its cell is edited."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        font = {"font_name": "Times New Roman", "font_size": 12}
        self._book = book
        self._cell = {**font, "border": 1, "border_color": "#BFBFBF", "valign": "top"}
        self._made: dict[tuple[str, bool, bool], Format] = {}
        self.title = book.add_format({**font, "bold": True, "font_size": 14, "font_color": "#9C0006"})
        self.line = book.add_format({**font, "font_color": "#404040"})
        self.delivered_title = book.add_format({**font, "italic": True, "font_color": "#7F7F7F"})
        boxed = {**font, "bold": True, "border": 1, "text_wrap": True, "align": "center", "valign": "vcenter"}
        self.own_head = book.add_format({**boxed, "bg_color": "#FCE4D6"})
        self.head = book.add_format({**boxed, "bg_color": "#DDEBF7"})
        self.own = book.add_format({**self._cell, "text_wrap": True, "bg_color": "#FFF7F2"})
        self.own_number = book.add_format({**self._cell, "bg_color": "#FFF7F2", "align": "center"})
        self.label = book.add_format({**self._cell, "bold": True, "bg_color": "#F2F2F2"})
        self.wrapped = book.add_format({**self._cell, "text_wrap": True})

    def cell(self, kind: str, *, bad: bool, quoted: bool = False) -> Format:
        """The format of a delivered cell: ``text``, ``number``, ``date`` or ``moment``; at fault or not."""
        key = (kind, bad, quoted)
        if key not in self._made:
            number_format = {"text": "@", "number": "General", "date": "dd/mm/yyyy", "moment": "dd/mm/yyyy hh:mm:ss"}
            look = {**self._cell, "num_format": number_format[kind]}
            if bad:
                look |= {"bg_color": "#FFC7CE", "font_color": "#9C0006", "bold": True, "border_color": "#C00000"}
            if quoted:
                look["quote_prefix"] = True
            self._made[key] = self._book.add_format(look)
        return self._made[key]


def workbook_bytes(answer: Answer, token: str = "") -> bytes:
    """The workbook. Equal answers give equal bytes; ``token`` is kept in its properties.

    No cell holds a formula: texts are string cells, whatever they begin with.
    """
    buffer = io.BytesIO()
    options = {
        "in_memory": True,  # nothing of it passes through a temporary folder
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": TITLE, "keywords": token, "created": NO_DATE})
        looks = _Looks(book)
        if answer.message_vi:
            _write_refusal(book.add_worksheet(_REFUSED_SHEET), looks, answer)
        names = {LISTS_SHEET.casefold()}
        pages = [book.add_worksheet(_sheet_name(sheet.name, names)) for sheet in answer.sheets]
        fields = _offering(answer)
        ranges: dict[str, str] = {}
        if fields:
            lists = book.add_worksheet(LISTS_SHEET)
            ranges = write_lists(lists, looks.line, looks.head, looks.cell("text", bad=False), fields)
        for page, sheet in zip(pages, answer.sheets, strict=True):
            first = _write_rows(page, looks, answer, sheet)
            for each in fields:
                if sheet.rows and each.column.name in sheet.positions:
                    place = len(OWN_HEADINGS) + sheet.positions[each.column.name]
                    rule = validation(each, ranges, xl_rowcol_to_cell(first, place))
                    page.data_validation(first, place, first + len(sheet.rows) - 1, place, rule)
    return buffer.getvalue()


def _offering(answer: Answer) -> list[Field]:
    """The columns on the workbook's sheets that have values to choose from; none is to say that there are no rows."""
    shown = {name for sheet in answer.sheets for name in sheet.positions}
    plain = [replace(f, options=tuple(o for o in f.options if o != NOTHING)) for f in answer.fields]
    return [each for each in plain if each.options and each.column.name in shown]


def row_height(*cells: tuple[str, int]) -> float:
    """Height in points that shows wrapped texts in columns of these widths; not every program finds it by itself."""
    lines = max(sum(math.ceil(max(len(line), 1) / (width * 1.1)) for line in text.split("\n")) for text, width in cells)
    return min(16.5 * lines + 3, 400)


def _sheet_name(name: str, used: set[str]) -> str:
    """A sheet name that every spreadsheet takes, told apart from those in use."""
    plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", name).strip("' ")[:31] or "Trang tính"
    candidate, n = plain, 1
    while candidate.casefold() in used or candidate.casefold() == "history":
        n += 1
        candidate = f"{plain[: 28 - len(str(n))]} ({n})"
    used.add(candidate.casefold())
    return candidate


def _heading_lines(answer: Answer) -> list[str]:
    return [
        f"{TITLE}: {answer.contract.title_vi}",
        f"{FILE_LINE}: {answer.file_name} ({quarter_vi(answer.quarter)}, đơn vị mã {answer.unit_code})",
    ]


def _write_refusal(sheet: Worksheet, looks: _Looks, answer: Answer) -> None:
    """Why a whole file was refused, and what the source needs."""
    contract = answer.contract
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 100)
    sheet.hide_gridlines(2)
    sheet.fit_to_pages(1, 0)
    sheet.set_landscape()
    sheet.write_string(0, 0, f"TỆP BỊ TRẢ LẠI: {contract.title_vi}", looks.title)
    needed = [f"“{c.title_vi}”" for c in contract.columns if c.required and c.derived_from is None]
    needed += [" hoặc ".join(f"“{contract.column(name).title_vi}”" for name in group) for group in contract.any_of]
    facts = (
        ("Tệp đã nộp", answer.file_name),
        ("Đơn vị, kỳ", f"{answer.unit_code}, {quarter_vi(answer.quarter)}"),
        ("Lý do trả lại", answer.message_vi),
        ("Cột bắt buộc", "; ".join(needed)),
        (
            "Cần làm gì",
            "Sửa theo lý do ở trên rồi nộp lại tệp cùng tên vào cùng thư mục. Chưa có dòng nào của tệp này được nhận. "
            f"Có thể xin mẫu trống bằng lệnh: cchc template {contract.source}; "
            f"và thử trước khi nộp bằng lệnh: cchc check-file {contract.source} TỆP.",
        ),
    )
    for row, (label, text) in enumerate(facts, start=2):
        sheet.set_row(row, row_height((text, 100)))
        sheet.write_string(row, 0, label, looks.label)
        sheet.write_string(row, 1, _shown(text), looks.wrapped)


def _write_rows(sheet: Worksheet, looks: _Looks, answer: Answer, part: ReturnedSheet) -> int:
    """Writes a sheet; returns the 0-based row of the first rejected one."""
    lines = _heading_lines(answer)
    shown = sum(len(each.rows) for each in answer.sheets)
    rest = answer.rows_rejected - shown
    lines.append(
        f"{COUNT_LINE}: {answer.rows_rejected}"
        + (f"; tệp này chỉ ghi {shown} dòng đầu, còn {rest} dòng chưa ghi" if rest else "")
        + (f"; ở trang tính này: {len(part.rows)}" if len(answer.sheets) > 1 else "")
    )
    lines.append(
        f"{HOW_LINE}: sửa các ô tô đỏ theo cột “{OWN_HEADINGS[2]}” trên phần mềm rồi xuất lại, hoặc sửa ngay tại đây "
        "rồi nộp chính tệp này. Bốn cột đầu do hệ thống thêm, được bỏ qua khi nộp."
    )
    for row, text in enumerate(lines):
        sheet.write_string(row, 0, text, looks.title if row == 0 else looks.line)
    top = len(lines)
    for text in part.titles:
        sheet.write_string(top, 0, _shown(text), looks.delivered_title)
        top += 1
    first = top + max(len(part.header_rows), 1)
    widths = _widths(part)
    _write_heads(sheet, looks, part, top, widths)
    for i, width in enumerate((*_OWN_WIDTHS, *widths)):
        sheet.set_column(i, i, width)
    for offset, (number, cells) in enumerate(zip(part.numbers, part.rows, strict=True)):
        reasons = answer.reasons.get((part.name, number), ())
        bad = {place for reason in reasons for place in _places(reason, part, answer.contract)}
        row = first + offset
        why = _listed([_named(reason, part, answer.contract) for reason in reasons])
        how = _listed(list(dict.fromkeys(reason.advice_vi for reason in reasons)))
        sheet.set_row(row, row_height((why, _OWN_WIDTHS[1]), (how, _OWN_WIDTHS[2])))
        sheet.write_number(row, 0, number, looks.own_number)
        sheet.write_string(row, 1, why, looks.own)
        sheet.write_string(row, 2, how, looks.own)
        sheet.write_string(row, 3, part.name, looks.own)
        for i, cell in enumerate(cells):
            _write_cell(sheet, looks, row, len(OWN_HEADINGS) + i, cell, bad=i in bad)
    sheet.freeze_panes(first, len(OWN_HEADINGS))
    sheet.set_landscape()
    sheet.set_paper(8 if sum(widths) > 160 else 9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top, first - 1)
    return first


def _write_heads(sheet: Worksheet, looks: _Looks, part: ReturnedSheet, top: int, widths: list[int]) -> None:
    """The delivered header rows; the workbook's own headings stand in the last of them."""
    for k, labels in enumerate(part.header_rows):
        is_last = k == len(part.header_rows) - 1
        own = zip(OWN_HEADINGS, _OWN_WIDTHS, strict=True) if is_last else ()
        sheet.set_row(top + k, row_height(*own, *zip(labels, widths, strict=True)))
        for i, heading in enumerate(OWN_HEADINGS):
            sheet.write_string(top + k, i, heading if is_last else "", looks.own_head)
        for i, label in enumerate(labels):
            sheet.write_string(top + k, len(OWN_HEADINGS) + i, _shown(label), looks.head)


def _widths(part: ReturnedSheet) -> list[int]:
    sample = part.rows[:200]
    longest = [
        max([len(row[i]) // 2 for row in part.header_rows] + [len(printed(row[i])) for row in sample])
        for i in range(len(part.header_rows[0]))
    ]
    return [min(max(width + 1, 9), 38) for width in longest]


def _places(reason: Reason, part: ReturnedSheet, contract: Contract) -> list[int]:
    """Where among the delivered cells a reason points: its column, or those that its column is made from."""
    if not reason.column:
        return []
    if reason.column in part.positions:
        return [part.positions[reason.column]]
    plan = contract.column(reason.column).derived_from
    kin = plan.columns if plan else [n for g in contract.any_of if reason.column in g for n in g]
    return [part.positions[name] for name in kin if name in part.positions]


def _named(reason: Reason, part: ReturnedSheet, contract: Contract) -> str:
    """The reason, with the delivered heading it is about where it does not say so itself."""
    if reason.column not in part.positions or contract.column(reason.column).title_vi in reason.reason_vi:
        return reason.reason_vi
    heading = part.header_rows[-1][part.positions[reason.column]] or contract.column(reason.column).title_vi
    return f"Cột “{heading}”: {reason.reason_vi}"


def _listed(texts: list[str]) -> str:
    if len(texts) == 1:
        return _shown(texts[0])
    return _shown("\n".join(f"{n}. {text}" for n, text in enumerate(texts, start=1)))


def _shown(text: str) -> str:
    return text if len(text) <= _MAX_CELL else text[:_MAX_CELL] + "…"


def _write_cell(sheet: Worksheet, looks: _Looks, row: int, column: int, cell: Cell, *, bad: bool) -> None:
    """One delivered cell: numbers, booleans and dates as such, everything else as text."""
    if cell is None or cell == "":
        sheet.write_blank(row, column, None, looks.cell("text", bad=bad))
    elif isinstance(cell, bool):
        sheet.write_boolean(row, column, cell, looks.cell("number", bad=bad))
    elif isinstance(cell, int | float) and math.isfinite(cell) and abs(cell) < MAX_EXACT_NUMBER:
        sheet.write_number(row, column, cell, looks.cell("number", bad=bad))
    elif isinstance(cell, dt.datetime) and cell.year >= 1900:
        kind = "date" if cell.time() == dt.time() else "moment"
        sheet.write_datetime(row, column, cell.replace(tzinfo=None), looks.cell(kind, bad=bad))
    elif isinstance(cell, dt.date) and not isinstance(cell, dt.datetime) and cell.year >= 1900:
        sheet.write_datetime(row, column, cell, looks.cell("date", bad=bad))
    else:
        text = _shown(cell if isinstance(cell, str) else printed(cell))
        quoted = text.lstrip(" ").startswith(_STARTS_FORMULA)
        sheet.write_string(row, column, text, looks.cell("text", bad=bad, quoted=quoted))

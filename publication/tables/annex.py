"""The official form: ``report/annex.xlsx`` for people and ``report/annex.csv`` for programs, and the exact way back.

Belongs here: the look of the form and reading it again. Does not belong here: which figures it holds (the mart
``report_indicators``), number print (``formatting``), CSV rules (``csvfile``).

The workbook has two sheets. The first is the printed form, for people; the second, ``Số liệu``, has the same rows for
programs, a column each. Figures are true numbers in both. The number format of the first has as many decimals as the
print has, and the Vietnamese locale, so that a program that heeds it prints ``1.145`` and ``47,37`` on any computer
(LibreOffice does; Excel takes the separators of the reader's computer). A figure of more digits than a number cell
keeps is text. Every text is stored as a string cell, so row names that begin with ``- `` stay as printed and nothing is
a formula.

No row of a spreadsheet is higher than 409 points, and what a cell holds beyond that is not printed. A text of offices
that needs more goes on in the rows below, whose number, name and unit are empty.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from common.forms import form_named
from common.periods import period_named
from common.workbooks import NO_DATE
from publication.content.approval import DRAFT_SHEET_HEAD, DRAFT_VI
from publication.content.notes import printed_footnotes
from publication.content.release_content import FormRow, ReleaseContent
from publication.content.signing import day_in_words
from publication.formatting import footnote_mark, format_number, parse_number
from publication.store.candidate import FORM_MART
from publication.store.contracts import stored_contracts
from publication.store.csvfile import from_csv, to_csv
from publication.tables.read_back import NoWorkbook, cells_of, stored_value

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell

FOOTNOTES_VI = "Ghi chú:"
FORM_SHEET = "Biểu tổng hợp"
DATA_SHEET = "Số liệu"

#: Columns of ``annex.csv`` (those of the mart ``report_indicators``) and what each holds, in Vietnamese.
ANNEX_COLUMNS: Mapping[str, str] = {
    column.name: column.description_vi or "" for column in stored_contracts()[FORM_MART].columns
}

_DATA_COLUMNS = (
    "row_no",
    "indicator_code",
    "indicator_name_vi",
    "unit_of_measure",
    "value",
    "value_text",
    "status",
    "decision_id",
    "note_vi",
    "indicator_name_corrected_vi",
)
_HEADER_TOP = ("STT", "Chỉ tiêu thống kê", "Kết quả thống kê", None, "Ghi chú")
_HEADER_BOTTOM = (None, None, "Đơn vị tính", "Số lượng / Tỷ lệ", None)
_WIDTHS = (6, 56, 18, 14, 34)
_SUBJECT = "SỐ LIỆU VÀ KẾT QUẢ THỰC HIỆN CÔNG TÁC CẢI CÁCH HÀNH CHÍNH"
_HEADER_ROW = 4
_FIRST_ROW = 6
_LAST_COLUMN = 4
_A4 = 9
_LINE_HEIGHT = 17.5
_MOST_LINES = 23
# A column is measured in digits of another font. Words that wrap leave a line a little short of it.
_FILLED = 1 / 1.05
_WIDE, _FULL_WIDTH = 1.5, 2.2
_FONT = {"font_name": "Times New Roman", "font_size": 13}
_FORMAT = "[$-42A]#,##0"
#: Figures have four decimals at most (``decimal(18,4)``); a number cell keeps fifteen digits.
_MOST_DECIMALS, _DIGITS = 4, 15
_MARKS = "⁰¹²³⁴⁵⁶⁷⁸⁹ "
_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
#: The workbook says nothing about when it was made, so equal figures are equal bytes.


class AnnexDamaged(Exception):
    """A written annex does not read back as the form. ``row_no``: the row it is about, where it is."""

    def __init__(self, message: str, row_no: int | None = None) -> None:
        super().__init__(message)
        self.row_no = row_no


@dataclass(frozen=True)
class AnnexRow:
    """One form row as read back from a file."""

    row_no: int
    indicator_code: str
    printed_number: str
    name_vi: str
    unit_of_measure: str
    value: Decimal | None
    value_text: str
    status: str
    note_vi: str


def annex_rows(rows: Iterable[FormRow]) -> list[AnnexRow]:
    """What both files must read back as."""
    return [
        AnnexRow(
            row.row_no,
            row.code,
            _text(row.values["printed_number"]),
            row.name_vi,
            _text(row.values["unit_of_measure"]),
            row.value,
            _text(row.values["value_text"]),
            _text(row.values["status"]),
            _text(row.values["note_vi"]),
        )
        for row in rows
    ]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def number_format(decimals: int) -> str:
    """The format in which a number is printed with so many decimals, thousands apart."""
    return _FORMAT + ("." + "0" * decimals if decimals else "")


def _decimals(printed: str) -> int:
    return len(printed.partition(",")[2])


def _as_kept(value: Decimal | float) -> Decimal:
    """What a number cell keeps of a figure."""
    return Decimal(f"{float(value):.{_DIGITS}G}")


def _is_kept(value: Decimal) -> bool:
    """Whether a number cell gives the figure back as it is."""
    return _as_kept(value) == value


def title_lines(content: ReleaseContent) -> tuple[str, str, str]:
    """The three lines above the table. Number and date that were not set, the office writes in by hand."""
    signing = content.signing
    area = lower_first(content.unit_name_vi)
    year = period_named(content.quarter).report_year
    return (
        "BẢNG TỔNG HỢP",
        f"{_SUBJECT} {content.quarter_vi.upper()} TRÊN ĐỊA BÀN {area.upper()}"
        + (f" ({content.standing_vi.upper()})" if content.standing_vi else "")
        + (f" ({mark_vi.upper()})" if (mark_vi := form_named(content.form_version).mark_vi) else ""),
        f"(Kèm theo Báo cáo số {signing.number or '      '}/BC-UBND "
        f"{day_in_words(signing.dated) if signing.dated else f'ngày      tháng      năm {year}'}"
        f" của Ủy ban nhân dân {area})",
    )


def lower_first(text: str) -> str:
    """``Huyện Cù Lao Dung`` → ``huyện Cù Lao Dung``."""
    return text[:1].lower() + text[1:]


# --- workbook -------------------------------------------------------------------------------------------------------


def write_annex_xlsx(path: Path, content: ReleaseContent) -> None:
    """Write the official form. Equal content gives equal bytes."""
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties({"title": title_lines(content)[1], "created": NO_DATE})
        looks = _Looks(workbook)
        form = workbook.add_worksheet(FORM_SHEET)
        _set_up_page(form)
        _write_heads(form, looks, content)
        last = _write_form_rows(form, looks, content)
        _write_footnotes(form, looks, content, last + 2)
        _write_data_sheet(workbook.add_worksheet(DATA_SHEET), looks, content)
        if content.draft:
            form.write_string(_HEADER_ROW - 1, 0, DRAFT_VI, looks.note_head)
            for sheet in workbook.worksheets():
                sheet.set_header(DRAFT_SHEET_HEAD)


class _Looks:
    """The cell formats of the form, each made once."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        boxed = {**_FONT, "border": 1, "text_wrap": True, "valign": "vcenter"}
        self.title: Format = workbook.add_format(
            {**_FONT, "bold": True, "align": "center", "valign": "vcenter", "text_wrap": True}
        )
        self.subtitle: Format = workbook.add_format(
            {**_FONT, "italic": True, "align": "center", "text_wrap": True, "valign": "vcenter"}
        )
        self.head: Format = workbook.add_format({**boxed, "bold": True, "align": "center"})
        self.plain = {
            bold: {
                align: workbook.add_format({**boxed, "bold": bold, "align": align, "indent": indent})
                for align, indent in (("left", 0), ("center", 0), ("right", 1))
            }
            for bold in (False, True)
        }
        self.figures = {
            (bold, decimals): workbook.add_format(
                {
                    **{**boxed, "text_wrap": False, "shrink": True},
                    "bold": bold,
                    "align": "right",
                    "indent": 1,
                    "num_format": number_format(decimals),
                }
            )
            for bold in (False, True)
            for decimals in range(_MOST_DECIMALS + 1)
        }
        self.note_head: Format = workbook.add_format({**_FONT, "bold": True})
        self.note: Format = workbook.add_format({**_FONT, "text_wrap": True, "valign": "top"})
        self.data: Format = workbook.add_format({**_FONT, "valign": "top"})
        self.count: Format = workbook.add_format({**_FONT, "num_format": "0", "valign": "top"})
        self.values = {
            # No locale: programs that write the sheet out as text would put its comma into the numbers.
            decimals: workbook.add_format({**_FONT, "num_format": f"0.{'0' * decimals}".rstrip("."), "valign": "top"})
            for decimals in range(_MOST_DECIMALS + 1)
        }


def _set_up_page(form: Worksheet) -> None:
    form.set_paper(_A4)
    form.set_portrait()
    form.fit_to_pages(1, 0)
    form.set_margins(left=0.8, right=0.5, top=0.7, bottom=0.7)
    form.center_horizontally()
    form.repeat_rows(_HEADER_ROW, _HEADER_ROW + 1)
    form.freeze_panes(_FIRST_ROW, 0)
    form.set_footer("&C&P/&N")
    for column, width in enumerate(_WIDTHS):
        form.set_column(column, column, width)


def _write_heads(form: Worksheet, looks: _Looks, content: ReleaseContent) -> None:
    for row, line in enumerate(title_lines(content)):
        form.merge_range(row, 0, row, _LAST_COLUMN, line, looks.subtitle if row == 2 else looks.title)
        form.set_row(row, _height(len(_wrapped(line, sum(_WIDTHS)))))
    top = _HEADER_ROW
    for column in (0, 1, 4):
        form.merge_range(top, column, top + 1, column, _HEADER_TOP[column], looks.head)
    form.merge_range(top, 2, top, 3, _HEADER_TOP[2], looks.head)
    for column in (2, 3):
        form.write_string(top + 1, column, _text(_HEADER_BOTTOM[column]), looks.head)
    form.set_row(top, _LINE_HEIGHT)
    form.set_row(top + 1, _LINE_HEIGHT * 2)


def _write_form_rows(form: Worksheet, looks: _Looks, content: ReleaseContent) -> int:
    """Writes the form's rows from ``_FIRST_ROW`` on; the last sheet row that they fill."""
    marks = _marks_by_code(content)
    place = _FIRST_ROW - 1
    for row in content.rows:
        bold = row.is_section or row.is_heading
        styles = looks.plain[bold]
        name, unit = row.name_vi, _text(row.values["unit_of_measure"])
        note, mark = _text(row.values["note_vi"]), marks.get(row.code, "")
        note = f"{note} {mark}" if note and mark else note + mark
        least = max(
            len(_wrapped(name, sum(_WIDTHS[1:4]) if row.is_section else _WIDTHS[1])), len(_wrapped(unit, _WIDTHS[2]))
        )
        for part, (figure, note_part) in enumerate(
            zip_longest(_parts(row.printed, _WIDTHS[3]), _parts(note, _WIDTHS[4]), fillvalue="")
        ):
            place += 1
            number, heading = ("", "") if part else (_text(row.values["printed_number"]), name)
            form.write_string(place, 0, number, styles["center"])
            if row.is_section:
                form.merge_range(place, 1, place, 3, "", styles["left"])
                form.write_string(place, 1, heading, styles["left"])
            else:
                form.write_string(place, 1, heading, styles["left"])
                form.write_string(place, 2, "" if part else unit, styles["center"])
                if row.value is not None and _is_kept(row.value) and not part:
                    form.write_number(place, 3, row.value, looks.figures[bold, _decimals(figure)])
                else:
                    form.write_string(place, 3, figure, styles["right"])
            form.write_string(place, 4, note_part, looks.plain[False]["left"])
            form.set_row(
                place,
                _height(1 if part else least, len(_wrapped(figure, _WIDTHS[3])), len(_wrapped(note_part, _WIDTHS[4]))),
            )
    form.ignore_errors({"number_stored_as_text": f"A{_FIRST_ROW + 1}:D{place + 1}"})
    return place


def _marks_by_code(content: ReleaseContent) -> dict[str, str]:
    marks: dict[str, list[str]] = {}
    for footnote in printed_footnotes(content):
        for code in footnote.codes:
            marks.setdefault(code, []).append(footnote_mark(footnote.number))
    return {code: " ".join(found) for code, found in marks.items()}


def _write_footnotes(form: Worksheet, looks: _Looks, content: ReleaseContent, place: int) -> None:
    footnotes = printed_footnotes(content)
    if not footnotes:
        return
    form.write_string(place, 0, FOOTNOTES_VI, looks.note_head)
    for footnote in footnotes:
        for part in _parts(f"{footnote_mark(footnote.number)} {footnote.text_vi}", sum(_WIDTHS)):
            place += 1
            form.merge_range(place, 0, place, _LAST_COLUMN, "", looks.note)
            form.write_string(place, 0, part, looks.note)
            form.set_row(place, _height(len(_wrapped(part, sum(_WIDTHS)))))


def _height(*lines: int) -> float:
    """Points of a row whose fullest cell fills so many lines, up to the highest that spreadsheets know."""
    return _LINE_HEIGHT * min(max(lines), _MOST_LINES)


def _parts(text: str, width: float) -> list[str]:
    """A text in pieces that each fit a row in a column of that width; joined they are the text. At least one."""
    lines = _wrapped(text, width)
    return ["".join(lines[at : at + _MOST_LINES]) for at in range(0, len(lines), _MOST_LINES)]


def _wrapped(text: str, width: float) -> list[str]:
    """The lines that a text fills in a column of that width, rather more than fewer; joined they are the text."""
    lines, room = [""], width * _FILLED
    for word in re.findall(r"\S+|\s", text):
        size = sum(map(_size, word))
        if size > room and not word.isspace():
            lines.append("")
            room = width * _FILLED
        for character in word:
            room -= _size(character)
            if room < 0 and not character.isspace():
                lines.append("")
                room = width * _FILLED - _size(character)
            lines[-1] += character
        if word in _BREAKS:
            lines.append("")
            room = width * _FILLED
    return lines


def _size(character: str) -> float:
    """How many usual characters a character is as wide as."""
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return _FULL_WIDTH
    return _WIDE if character.isupper() or character in "mw@%—…□" else 1


def _write_data_sheet(sheet: Worksheet, looks: _Looks, content: ReleaseContent) -> None:
    for column, name in enumerate(_DATA_COLUMNS):
        sheet.write_string(0, column, name, looks.note_head)
    for place, row in enumerate(content.rows, start=1):
        for column, name in enumerate(_DATA_COLUMNS):
            value = row.values[name]
            if isinstance(value, Decimal):
                sheet.write_number(place, column, value, looks.values[_decimals(row.printed)])
            elif isinstance(value, int):
                sheet.write_number(place, column, value, looks.count)
            elif value is not None:
                sheet.write_string(place, column, str(value), looks.data)
    for column, width in enumerate((8, 14, 60, 20, 14, 20, 16, 16, 40, 60)):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.set_paper(_A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def read_annex_xlsx(path: Path) -> list[AnnexRow]:
    """The form rows of a written workbook, figures exact.

    Both sheets are read; raises AnnexDamaged when they disagree, when the header is not the form's, when a cell
    holds a formula, or when the file is no workbook.
    """
    try:
        cells = cells_of(path, {FORM_SHEET: _LAST_COLUMN + 1, DATA_SHEET: len(_DATA_COLUMNS)})
    except NoWorkbook as error:
        raise AnnexDamaged(str(error)) from error
    printed = [[_shown(cell) for cell in line] for line in cells[FORM_SHEET]]
    if [tuple(printed[_HEADER_ROW]), tuple(printed[_HEADER_ROW + 1])] != [_HEADER_TOP, _HEADER_BOTTOM]:
        raise AnnexDamaged("the header is not the form's")
    values = [[stored_value(cell) for cell in line] for line in cells[DATA_SHEET]]
    if tuple(values[0]) != _DATA_COLUMNS:
        raise AnnexDamaged(f"the columns of {DATA_SHEET} are not the annex's")
    rows = _whole_rows(printed[_FIRST_ROW:])
    if len(rows) < len(values) - 1:
        raise AnnexDamaged(f"{len(rows)} rows are printed, {len(values) - 1} are stored")
    return [
        _join(row, dict(zip(_DATA_COLUMNS, numbers, strict=True)))
        for row, numbers in zip(rows, values[1:], strict=False)  # the footnotes are printed below the rows
    ]


def _whole_rows(lines: Iterable[Sequence[Any]]) -> list[list[str]]:
    """The printed rows, each with what goes on in the rows below it."""
    rows: list[list[str]] = []
    for line in lines:
        number, name, unit, figure, note = (cell if isinstance(cell, _Number) else _text(cell) for cell in line)
        if rows and (figure or note) and not (number or name or unit):
            rows[-1][3] = rows[-1][3] + figure if figure else rows[-1][3]  # the print of a number stays one
            rows[-1][4] += note
        else:
            rows.append([number, name, unit, figure, note])
    return rows


class _Number(str):
    """The print of a number cell; ``fault`` says why its format does not print it so."""

    fault = ""


def _shown(cell: Cell | MergedCell) -> Any:
    """A text as it is stored, a number as the form prints it."""
    value = stored_value(cell)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    shown = _Number(format_number(Decimal(str(value))))
    if cell.number_format != number_format(_decimals(shown)):
        shown.fault = f"{cell.coordinate}: {value} in the format {cell.number_format} is not printed as {shown}"
    return shown


def _join(row: Sequence[str], numbers: Mapping[str, Any]) -> AnnexRow:
    printed_number, name, unit, figure, note = row
    row_no = int(numbers["row_no"])
    if fault := next((cell.fault for cell in row if isinstance(cell, _Number) and cell.fault), ""):
        raise AnnexDamaged(f"row {row_no}: {fault}", row_no)
    value: Decimal | None = None
    if numbers["value"] is not None:
        try:
            value = parse_number(figure)
        except ValueError as error:
            raise AnnexDamaged(f"row {row_no}: {error}", row_no) from error
        if _is_kept(value) != isinstance(figure, _Number):
            raise AnnexDamaged(
                f"row {row_no}: {figure} is no number where it should be, or one that loses digits", row_no
            )
        if _as_kept(value) != _as_kept(numbers["value"]):
            raise AnnexDamaged(f"row {row_no}: {figure} is printed, {numbers['value']} is stored", row_no)
    elif figure != _text(numbers["value_text"]):
        raise AnnexDamaged(f"row {row_no}: {figure} is printed, nothing is stored", row_no)
    if name != FormRow(numbers).name_vi or (unit and unit != numbers["unit_of_measure"]):
        raise AnnexDamaged(f"row {row_no}: the sheets name different indicators", row_no)
    stored_note = _text(numbers["note_vi"])
    if not note.startswith(stored_note) or note.removeprefix(stored_note).strip(_MARKS):
        raise AnnexDamaged(f"row {row_no}: the sheets hold different notes", row_no)
    return AnnexRow(
        row_no,
        str(numbers["indicator_code"]),
        printed_number,
        name,
        _text(numbers["unit_of_measure"]),
        value,
        _text(numbers["value_text"]),
        _text(numbers["status"]),
        stored_note,
    )


# --- CSV ------------------------------------------------------------------------------------------------------------


def write_annex_csv(path: Path, content: ReleaseContent) -> None:
    """Write every column of the mart ``report_indicators``, one row an indicator, by the rules of ``csvfile``."""
    path.write_bytes(
        to_csv(list(content.tables["report_indicators"].column_names), [row.values for row in content.rows])
    )


def read_annex_csv(path: Path) -> list[AnnexRow]:
    """The form rows of a written CSV, figures exact. Raises AnnexDamaged when it is not one."""
    try:
        return [
            AnnexRow(
                int(row["row_no"]),
                row["indicator_code"],
                row["printed_number"],
                FormRow(row).name_vi,
                row["unit_of_measure"],
                Decimal(row["value"]) if row["value"] else None,
                row["value_text"],
                row["status"],
                row["note_vi"],
            )
            for row in from_csv(path.read_bytes())
        ]
    except (OSError, ValueError, KeyError, InvalidOperation, AttributeError, TypeError) as error:
        raise AnnexDamaged(f"not an annex file: {path.name}") from error


def check_read_back(content: ReleaseContent, xlsx: Path, csv: Path) -> None:
    """Read both files again and compare them with the mart. Raises AnnexDamaged at the first difference."""
    expected = annex_rows(content.rows)
    for path, found in ((xlsx, read_annex_xlsx(xlsx)), (csv, read_annex_csv(csv))):
        for wanted, got in zip(expected, found, strict=False):
            if wanted != got:
                raise AnnexDamaged(f"{path.name}, row {wanted.row_no}: wrote {wanted}, read {got}", wanted.row_no)
        if len(found) != len(expected):
            raise AnnexDamaged(f"{path.name} holds {len(found)} rows, the form {len(expected)}")

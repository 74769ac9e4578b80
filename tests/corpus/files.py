"""The corpus: every file with its expected outcome.

Belongs here: layouts, states and attacks. Does not belong here: how formats are written (``writers``), the tests.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msoffcrypto
import openpyxl
import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile

from ingestion.text.legacy_fonts import to_tcvn3, to_vni
from tests.corpus.tables import CONTENT, HEAD, ROWS, text_rows
from tests.corpus.writers import (
    DELIMITERS,
    ENCODINGS,
    WORKBOOK_WRITERS,
    Grid,
    csv_text,
    html_document,
    mojibake,
    write_odfpy,
    write_openpyxl,
    write_xlwt,
)

LIBREOFFICE = Path(__file__).parent / "libreoffice"
ALL = frozenset(CONTENT)


@dataclass(frozen=True)
class Expected:
    """What must become of a file: the tasks taken, the reasons of rejected tasks, or the code of the refusal.

    ``says`` must stand in the message to the clerk.
    """

    taken: frozenset[str] = ALL
    rejected: tuple[str, ...] = ()
    refused: str = ""
    says: str = ""


WHOLE = Expected()


def refused(code: str) -> Expected:
    return Expected(frozenset(), refused=code)


@dataclass(frozen=True)
class CorpusFile:
    """One file: how it is written, under which suffix it is delivered, and what must become of it."""

    name: str
    suffix: str
    write: Callable[[Path], object]
    expected: Expected = WHOLE


def corpus() -> list[CorpusFile]:
    """All files, in a fixed order, each with a name of its own."""
    return [*_layouts(), *_texts(), *_saved(), *_renamed(), *_cells(), *_cut(), *_foreign(), *_hostile()]


# ---------------------------------------------------------------------------------------------------------- layouts

TITLE = [["UBND HUYỆN CÙ LAO DUNG"], ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"], ["Từ ngày 15/12/2022 đến ngày 14/03/2023"]]
FOOTER: list[list[Any]] = [
    [None, None, "Cù Lao Dung, ngày 15 tháng 3 năm 2023"],
    ["Người lập biểu", None, "Thủ trưởng đơn vị"],
]
_NUMBERING = [f"({i})" for i in range(1, 6)]


def _shifted(rows: list[list[Any]], down: int, right: int) -> list[list[Any]]:
    return [[None]] * down + [[None] * right + list(row) for row in rows]


def _grids() -> dict[str, tuple[Grid, Expected]]:
    plain = [HEAD, *ROWS]
    nhom = ["Nhiệm vụ", None, None, "Kết quả", None]
    return {
        "plain": (Grid(plain), WHOLE),
        "not at A1": (Grid(_shifted(plain, 4, 3)), WHOLE),
        "title block": (Grid([*TITLE, [None], *plain]), WHOLE),
        "two header rows": (Grid([nhom, HEAD, *ROWS], merges=[(0, 0, 0, 2), (0, 3, 0, 4)]), WHOLE),
        "three header rows": (
            Grid([["Kế hoạch năm 2023", *[None] * 4], nhom, HEAD, *ROWS], merges=[(0, 0, 0, 4), (1, 0, 1, 2)]),
            WHOLE,
        ),
        "four header rows": (
            Grid(
                [["Biểu 01", *[None] * 4], ["Kế hoạch năm 2023", *[None] * 4], nhom, HEAD, *ROWS],
                merges=[(0, 0, 0, 4), (1, 0, 1, 4), (2, 0, 2, 2), (2, 3, 2, 4)],
            ),
            WHOLE,
        ),
        "header merged downwards": (
            Grid(
                [[*HEAD[:3], "Kết quả", None], [None, None, None, *HEAD[3:]], *ROWS],
                merges=[(0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 1, 2), (0, 3, 0, 4)],
            ),
            WHOLE,
        ),
        "numbering row": (Grid([HEAD, _NUMBERING, *ROWS]), WHOLE),
        "groups and totals": (
            Grid([HEAD, ["I", None, "Quý I"], *ROWS[:3], ["II", None, "Quý II"], *ROWS[3:], ["Tổng cộng", None, "6"]]),
            WHOLE,
        ),
        "pages": (
            Grid([*TITLE, HEAD, _NUMBERING, *ROWS[:3], ["Trang 1/2"], HEAD, _NUMBERING, *ROWS[3:], ["Trang 2/2"]]),
            WHOLE,
        ),
        "footer": (Grid([*TITLE, HEAD, *ROWS, *FOOTER]), WHOLE),
        "right stated count": (Grid([HEAD, *ROWS, ["Tổng cộng: 6 nhiệm vụ"]]), WHOLE),
        "wrong stated count": (Grid([HEAD, *ROWS[:5], ["Tổng cộng: 6 nhiệm vụ"]]), refused("row_count_mismatch")),
        "empty rows": (Grid([HEAD, [None], *ROWS[:2], [None], [None], *ROWS[2:]]), WHOLE),
        "unknown column": (
            Grid([[*HEAD, "Điện thoại riêng"], *[[*row, "không đọc"] for row in ROWS]]),
            WHOLE,
        ),
        "no table": (Grid([["Kính gửi"], ["Báo cáo"]]), refused("unusable")),
        "missing column": (Grid([row[:1] + row[2:] for row in plain]), refused("bad_header")),
        "column twice": (Grid([[*HEAD, "Nội dung"], *[[*row, "x"] for row in ROWS]]), refused("bad_header")),
    }


def _layouts() -> Iterator[CorpusFile]:
    for layout, (grid, expected) in _grids().items():
        for writer, (suffix, write) in WORKBOOK_WRITERS.items():
            outcome = refused("no_table") if (layout, writer) == ("no table", "html") else expected
            yield CorpusFile(f"{layout}, {writer}", suffix, partial(write, grid=grid), outcome)
    for writer, (suffix, write) in WORKBOOK_WRITERS.items():
        if writer == "csv":
            continue
        rows = Grid([HEAD, *ROWS], hidden_rows=(2, 3))
        yield CorpusFile(f"hidden rows, {writer}", suffix, partial(write, grid=rows), Expected(says="2 dòng ẩn"))
        sheets = Grid([HEAD, *ROWS[:3]], more_sheets={"Tháng 3": [HEAD, *ROWS[3:]]})
        yield CorpusFile(f"two sheets, {writer}", suffix, partial(write, grid=sheets))
        if writer != "html":
            columns = Grid([HEAD, *ROWS], hidden_columns=(2,))
            yield CorpusFile(
                f"hidden column, {writer}", suffix, partial(write, grid=columns), Expected(says="1 cột ẩn")
            )
            secret = Grid([HEAD, *ROWS[:3]], more_sheets={"Nháp": [HEAD, *ROWS[3:]]}, hidden_sheets=["Nháp"])
            expected = Expected(says="Trang tính ẩn “Nháp” cũng được đọc.")
            yield CorpusFile(f"hidden sheet, {writer}", suffix, partial(write, grid=secret), expected)


# ------------------------------------------------------------------------------------------------------------ texts


def _bytes(data: bytes, path: Path) -> None:
    path.write_bytes(data)


def _texts() -> Iterator[CorpusFile]:
    rows = [HEAD, *text_rows()]
    for encoding, encode in ENCODINGS.items():
        for name, delimiter in DELIMITERS.items():
            data = encode(csv_text(rows, delimiter))
            yield CorpusFile(f"CSV {encoding}, {name}", ".csv", partial(_bytes, data))
    for name, newline in (("LF", "\n"), ("CR", "\r")):
        yield CorpusFile(f"CSV {name}", ".csv", partial(_bytes, csv_text(rows, newline=newline).encode()))
    quoted = csv_text(rows, quoting=csv.QUOTE_ALL).encode()
    yield CorpusFile("CSV all quoted", ".csv", partial(_bytes, quoted))
    yield CorpusFile("CSV with sep line", ".csv", partial(_bytes, b"sep=;\r\n" + csv_text(rows, ";").encode()))
    spaced = csv_text([[c.replace(" ", "\u00a0\u200b") for c in row] for row in rows]).encode()
    yield CorpusFile("CSV with NBSP and zero-width", ".csv", partial(_bytes, spaced))
    for font, convert in (("TCVN3", to_tcvn3), ("VNI", to_vni), ("mojibake", mojibake), ("NFD", _nfd)):
        grid = Grid([[convert(c) if isinstance(c, str) else c for c in row] for row in [HEAD, *ROWS]])
        for writer, (suffix, write) in WORKBOOK_WRITERS.items():
            if writer in ("openpyxl", "xlsxwriter") and font == "mojibake":
                continue  # XML cannot hold the control codes
            if writer == "odfpy" and font == "mojibake":
                continue
            yield CorpusFile(f"{font} in {writer}", suffix, partial(write, grid=grid))
    half = [*text_rows()[:3], *[[to_tcvn3(c) for c in row] for row in text_rows()[3:]]]
    yield CorpusFile("half Unicode, half TCVN3", ".csv", partial(_bytes, csv_text([HEAD, *half]).encode()))
    lost = [[c.replace("ộ", "\ufffd") for c in row] for row in text_rows()]
    keep = frozenset(row[1] for row in lost if "\ufffd" not in "".join(row))
    yield CorpusFile(
        "lost letters", ".csv", partial(_bytes, csv_text([HEAD, *lost]).encode()),
        Expected(keep, ("broken_text",) * (len(ROWS) - len(keep))),
    )  # fmt: skip
    damaged = csv_text(rows).encode().replace("ộ".encode(), b"\xe1\xbb", 1)
    yield CorpusFile("damaged UTF-8", ".csv", partial(_bytes, damaged), refused("bad_encoding"))
    german = "Größe;Übung;Äpfel\r\nschön;müde;Füße\r\n".encode("latin-1")
    yield CorpusFile("another language", ".csv", partial(_bytes, german), refused("bad_encoding"))


def _nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _copy(name: str, path: Path) -> None:
    path.write_bytes((LIBREOFFICE / name).read_bytes())


def _saved() -> Iterator[CorpusFile]:
    for suffix in (".xlsx", ".xls", ".ods"):
        yield CorpusFile(f"LibreOffice plain{suffix}", suffix, partial(_copy, f"plain{suffix}"))
        says = Expected(says="1 dòng ẩn")
        yield CorpusFile(f"LibreOffice base{suffix}", suffix, partial(_copy, f"base{suffix}"), says)
        for part in ("1 dòng ẩn", "1 cột ẩn", "Trang tính ẩn “Nháp & lưu” cũng được đọc."):
            hidden = partial(_copy, f"hidden{suffix}")
            yield CorpusFile(f"LibreOffice hidden{suffix}, {part}", suffix, hidden, Expected(says=part))
        fault = Expected(ALL - {"NV-02"}, ("error_cell",), says="")
        yield CorpusFile(f"LibreOffice errors{suffix}", suffix, partial(_copy, f"errors{suffix}"), fault)
    for suffix in (".xls", ".doc", ".html"):
        yield CorpusFile(f"LibreOffice HTML as {suffix}", suffix, partial(_copy, "plain.html"))
    yield CorpusFile("LibreOffice strict .xlsx", ".xlsx", partial(_copy, "ooxml.xlsx"))
    for name in ("utf8", "tab", "utf16"):
        yield CorpusFile(f"LibreOffice {name} CSV", ".csv", partial(_copy, f"{name}.csv"))
    yield CorpusFile("LibreOffice flat XML", ".ods", partial(_copy, "plain.fods"), refused("unknown_format"))


def _renamed() -> Iterator[CorpusFile]:
    grid = Grid([HEAD, *ROWS])
    expected = Expected(says="thực chất là")
    for suffix in (".xls", ".csv", ".ods", ".doc"):
        yield CorpusFile(f".xlsx as {suffix}", suffix, partial(write_openpyxl, grid=grid), expected)
    for suffix in (".xlsx", ".csv"):
        yield CorpusFile(f".xls as {suffix}", suffix, partial(write_xlwt, grid=grid), expected)
    for suffix in (".xlsx", ".xls"):
        yield CorpusFile(f".ods as {suffix}", suffix, partial(write_odfpy, grid=grid), expected)
    for suffix in (".xls", ".doc", ".xlsx", ".csv"):
        page = html_document(grid).encode()
        yield CorpusFile(f"HTML as {suffix}", suffix, partial(_bytes, page), expected)
        wide = html_document(grid).encode("utf-16")
        yield CorpusFile(f"UTF-16 HTML as {suffix}", suffix, partial(_bytes, wide), expected)
    for suffix in (".xlsx", ".xls"):
        text = csv_text(grid.rows, "\t").encode("utf-16")
        yield CorpusFile(f"text as {suffix}", suffix, partial(_bytes, text), expected)
    yield CorpusFile("text as .pdf", ".pdf", partial(_bytes, csv_text(grid.rows).encode()), refused("unknown_format"))


# ------------------------------------------------------------------------------------------------------------ cells


def _with_cell(row: int, column: int, cell: Any) -> Grid:
    rows = [HEAD, *[list(r) for r in ROWS]]
    rows[row][column] = cell
    return Grid(rows)


def _epoch(path: Path, *, as_serials: bool) -> None:
    with xlsxwriter.Workbook(path, {"date_1904": True, "default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        for r, row in enumerate(ROWS, start=1):
            for c, cell in enumerate(row):
                if isinstance(cell, dt.date) and as_serials:
                    sheet.write_number(r, c, (cell - dt.date(1904, 1, 1)).days)
                else:
                    sheet.write(r, c, cell)


def _cached_formulas(path: Path) -> None:
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        for r, row in enumerate(ROWS, start=1):
            for c, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_formula(r, c, f'="{cell}"', None, cell)
                else:
                    sheet.write(r, c, cell)


def _cells() -> Iterator[CorpusFile]:
    rest = ALL - {"NV-02"}
    uncalculated = partial(write_openpyxl, grid=_with_cell(2, 2, "=A1&B1"))
    yield CorpusFile("formula never calculated", ".xlsx", uncalculated, Expected(rest, ("formula_without_value",)))
    yield CorpusFile("formulas with results", ".xlsx", _cached_formulas)
    for shown in ("#DIV/0!", "#N/A", "#REF!"):
        write = partial(write_openpyxl, grid=_with_cell(2, 4, shown))
        yield CorpusFile(f"error cell {shown}", ".xlsx", write, Expected(rest, ("error_cell",)))
        data = csv_text(_with_cell(2, 2, shown).rows).encode()
        yield CorpusFile(f"error text {shown}", ".csv", partial(_bytes, data), Expected(rest, ("error_cell",)))
    yield CorpusFile("epoch 1904", ".xlsx", partial(_epoch, as_serials=False))
    yield CorpusFile("epoch 1904, serials", ".xlsx", partial(_epoch, as_serials=True))
    for writer, (suffix, write) in WORKBOOK_WRITERS.items():
        bad = partial(write, grid=_with_cell(2, 4, "31/02/2023"))
        yield CorpusFile(f"31 February, {writer}", suffix, bad, Expected(rest, ("impossible_date",)))
    for writer in ("openpyxl", "xlwt", "odfpy"):
        suffix, write = WORKBOOK_WRITERS[writer]
        big = partial(write, grid=_with_cell(2, 1, 1234567890123456789))
        yield CorpusFile(f"rounded code, {writer}", suffix, big, Expected(rest, ("code_as_number",)))
    extra = [*text_rows()]
    extra[1] = [*extra[1], "thừa"]
    text = "\r\n".join(",".join(f'"{c}"' for c in row) for row in [HEAD, *extra]) + "\r\n"
    yield CorpusFile("field too many", ".csv", partial(_bytes, text.encode()), Expected(rest, ("wrong_field_count",)))
    nothing = partial(write_openpyxl, grid=Grid([HEAD, ["Không phát sinh"]]))
    yield CorpusFile("nothing to report", ".xlsx", nothing, Expected(frozenset()))


# -------------------------------------------------------------------------------------------------------------- cut


def _made(write: Callable[..., object], path: Path, keep: float) -> None:
    write(path, Grid([HEAD, *ROWS]))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])


def _cut() -> Iterator[CorpusFile]:
    for writer in ("openpyxl", "xlsxwriter", "xlwt", "odfpy"):
        suffix, write = WORKBOOK_WRITERS[writer]
        for keep in (0.2, 0.6, 0.95):
            cut = partial(_made, write, keep=keep)
            yield CorpusFile(f"{writer} cut at {keep:.0%}", suffix, cut, refused("damaged"))
    page = html_document(Grid([HEAD, *ROWS])).encode()
    yield CorpusFile("HTML cut", ".xls", partial(_bytes, page[: len(page) * 2 // 3]), refused("truncated"))
    text = csv_text([HEAD, *text_rows()]).encode()
    yield CorpusFile("CSV without its last line end", ".csv", partial(_bytes, text[:-2]), refused("truncated"))
    yield CorpusFile("CSV cut in a row", ".csv", partial(_bytes, text[:-30]), refused("truncated"))
    total = csv_text([HEAD, *text_rows(), ["Tổng cộng: 6 nhiệm vụ"]]).encode().rstrip(b"\r\n")
    yield CorpusFile("CSV with total but no line end", ".csv", partial(_bytes, total))
    opened = text + b'"CCHC n\xc4\x83m,NV-07,'
    yield CorpusFile("CSV with an open quote", ".csv", partial(_bytes, opened), refused("truncated"))
    yield CorpusFile("zero bytes", ".xlsx", partial(_bytes, b""), refused("empty_file"))
    yield CorpusFile("blanks only", ".csv", partial(_bytes, b" \r\n\r\n"), refused("damaged"))
    yield CorpusFile("NUL bytes only", ".csv", partial(_bytes, b"\0" * 4096), refused("damaged"))


# ---------------------------------------------------------------------------------------------------------- foreign


def _zip(parts: dict[str, bytes], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def _foreign() -> Iterator[CorpusFile]:
    for name, suffix, head in (
        ("PDF", ".xlsx", b"%PDF-1.7\n%\xe2\xe3"),
        ("PNG", ".xls", b"\x89PNG\r\n\x1a\n\0\0"),
        ("JPEG", ".csv", b"\xff\xd8\xff\xe0\0\x10JFIF"),
        ("RTF", ".doc", b"{\\rtf1\\ansi"),
        ("MHTML", ".xls", b"MIME-Version: 1.0\r\n"),
        ("RAR", ".xlsx", b"Rar!\x1a\x07\x00"),
        ("program", ".xlsx", b"MZ\x90\0"),
        ("XML", ".csv", b"<?xml version='1.0'?><a/>"),
        ("Parquet", ".csv", b"PAR1\x15"),
    ):
        yield CorpusFile(name, suffix, partial(_bytes, head + b" " * 200), refused("unknown_format"))
    yield CorpusFile("Word document", ".xlsx", partial(_zip, {"word/document.xml": b"<w/>"}), refused("unknown_format"))
    yield CorpusFile("xlsb", ".xlsx", partial(_zip, {"xl/workbook.bin": b"\0"}), refused("unknown_format"))
    yield CorpusFile("zip of files", ".xlsx", partial(_zip, {"a.csv": b"a,b"}), refused("unknown_format"))
    noise = bytes((i * 7919 + i * i) % 251 + 4 for i in range(5000))
    yield CorpusFile("noise", ".xlsx", partial(_bytes, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise), refused("damaged"))


# ---------------------------------------------------------------------------------------------------------- hostile


def _base() -> dict[str, bytes]:
    buffer = io.BytesIO()
    book = openpyxl.Workbook()
    for row in [HEAD, *ROWS]:
        book.active.append(list(row))
    book.save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


SHEET = "xl/worksheets/sheet1.xml"


def _rewritten(change: Callable[[dict[str, bytes]], None], path: Path) -> None:
    parts = _base()
    change(parts)
    _zip(parts, path)


def _sheet(old: bytes, new: bytes, parts: dict[str, bytes]) -> None:
    assert old in parts[SHEET]
    parts[SHEET] = parts[SHEET].replace(old, new, 1)


def _add(name: str, data: bytes, parts: dict[str, bytes]) -> None:
    parts[name] = data


def _encrypted(path: Path) -> None:
    plain = io.BytesIO()
    _book = openpyxl.Workbook()
    _book.active.append(HEAD)
    _book.save(plain)
    plain.seek(0)
    with path.open("wb") as file:
        OOXMLFile(plain).encrypt("bí mật", file)
    with path.open("rb") as file:
        assert msoffcrypto.OfficeFile(file).is_encrypted()


def _flagged(path: Path) -> None:
    _zip(_base(), path)
    data = bytearray(path.read_bytes())
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 8] |= 1
        place = data.find(b"PK\x01\x02", place + 4)
    path.write_bytes(bytes(data))


def _doubled(path: Path) -> None:
    _zip(_base(), path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(SHEET.upper(), _base()[SHEET])


def _ods(change: Callable[[dict[str, bytes]], None], path: Path) -> None:
    """An .ods file of the table with some of its parts changed; the first part stays the uncompressed type."""
    write_odfpy(path, Grid([HEAD, *ROWS]))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    _zip(parts, path)


def _content(old: bytes, new: bytes, parts: dict[str, bytes]) -> None:
    assert old in parts["content.xml"]
    parts["content.xml"] = parts["content.xml"].replace(old, new, 1)


_LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">'.encode() for i in range(8)
) + b"]>"  # fmt: skip
_XXE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
_EXTERNAL_DTD = b'<!DOCTYPE worksheet SYSTEM "http://127.0.0.1:9/x.dtd">'


def _hostile() -> Iterator[CorpusFile]:
    def rewritten(name: str, change: Callable[[dict[str, bytes]], None], expected: Expected) -> CorpusFile:
        return CorpusFile(name, ".xlsx", partial(_rewritten, change), expected)

    bomb = b"<a>" + b" " * 60_000_000 + b"</a>"
    yield rewritten("zip bomb", partial(_add, "xl/sharedStrings.xml", bomb), refused("zip_bomb"))
    comment = b"<!--" + b"x" * 60_000_000 + b"-->"
    yield rewritten("giant comment", partial(_sheet, b"<sheetData>", comment + b"<sheetData>"), refused("zip_bomb"))

    def many(parts: dict[str, bytes]) -> None:
        parts.update({f"xl/media/{i}.txt": b"" for i in range(6000)})

    yield rewritten("too many parts", many, refused("zip_bomb"))
    for place in ("XFD1048576", "BZZ900000", "AAA1048576"):
        row = "".join(c for c in place if c.isdigit())
        cell = f'<row r="{row}"><c r="{place}"><v>1</v></c></row></sheetData>'.encode()
        yield rewritten(f"far cell {place}", partial(_sheet, b"</sheetData>", cell), refused("cell_budget"))
    # Within the budget of cells, but not within what a file of some kilobytes may cost.
    stray = b'<row r="1000000"><c r="T1000000"><v>1</v></c></row></sheetData>'
    yield rewritten("stray cell T1000000", partial(_sheet, b"</sheetData>", stray), refused("memory_limit"))
    for name, reference in (("small", b"A1:B2"), ("huge", b"A1:XFD1048576"), ("absurd", b"A1:ZZZZZ99999999")):
        yield rewritten(
            f"declared dimension {name}",
            partial(_sheet, b'<dimension ref="A1:E7"', b'<dimension ref="' + reference + b'"'),
            WHOLE,
        )
    for name, dtd in (("billion laughs", _LAUGHS), ("external entity", _XXE), ("external DTD", _EXTERNAL_DTD)):
        yield rewritten(f"{name} in a sheet", partial(_sheet, b"<worksheet", dtd + b"<worksheet"), refused("entities"))
        strings = dtd + b"<sst>&e;</sst>"
        yield rewritten(f"{name} in strings", partial(_add, "xl/sharedStrings.xml", strings), refused("entities"))
    for name, part in (
        ("macro", "xl/vbaProject.bin"),
        ("external link", "xl/externalLinks/externalLink1.xml"),
        ("OLE object", "xl/embeddings/oleObject1.bin"),
        ("ActiveX", "xl/activeX/activeX1.xml"),
    ):
        yield rewritten(name, partial(_add, part, b"<x/>"), refused("active_content"))
    yield rewritten(
        "DDE", partial(_add, "xl/links.xml", b'<x><ddeLink ddeService="cmd"/></x>'), refused("active_content")
    )
    cell = b'<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="%d"/>'
    for name, times, columns in (("all cells filled", 1_048_576, 16_384), ("a column filled", 1_048_576, 1),
                                 ("absurd", 999_999_999, 999_999_999)):  # fmt: skip
        row = b'<table:table-row table:number-rows-repeated="%d">' % times + cell % columns + b"</table:table-row>"
        filled = partial(_content, b"</table:table>", row + b"</table:table>")
        yield CorpusFile(f"ODS with {name}", ".ods", partial(_ods, filled), refused("cell_budget"))
    for name, dtd in (("billion laughs", _LAUGHS), ("external entity", _XXE), ("external DTD", _EXTERNAL_DTD)):
        declared = partial(_content, b"<office:document-content", dtd + b"<office:document-content")
        yield CorpusFile(f"ODS with {name}", ".ods", partial(_ods, declared), refused("entities"))
    basic = partial(_add, "Basic/Standard/Module1.xml", b"<x/>")
    yield CorpusFile("ODS with macro", ".ods", partial(_ods, basic), refused("active_content"))
    yield CorpusFile("ODS bomb", ".ods", partial(_ods, partial(_add, "styles.xml", bomb)), refused("zip_bomb"))
    yield rewritten("sheet without its part", lambda parts: parts.pop(SHEET) and None, refused("damaged"))
    yield rewritten("broken XML", partial(_sheet, b"</row>", b"</rwo>"), refused("damaged"))
    yield CorpusFile("password", ".xlsx", _encrypted, refused("encrypted"))
    yield CorpusFile("encrypted zip", ".xlsx", _flagged, refused("encrypted"))
    yield CorpusFile("part twice", ".xlsx", _doubled, refused("damaged"))
    spans = b"<table><tr>" + b"<td colspan=1000 rowspan=1000>x</td>" * 40 + b"</tr></table>"
    yield CorpusFile("HTML with vast spans", ".xls", partial(_bytes, spans), refused("cell_budget"))
    entities = b"<!DOCTYPE html [" + _LAUGHS[12:] + b"<html>&i;</html></table>"
    yield CorpusFile("HTML with entities", ".xls", partial(_bytes, entities), refused("no_table"))
    yield CorpusFile("HTML without a table", ".xls", partial(_bytes, b"<html><p>x</p></html>"), refused("no_table"))
    cut = b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
    yield CorpusFile("XML Spreadsheet cut", ".xls", partial(_bytes, cut), refused("damaged"))
    deep = b"<html>" + b"<div>" * 200_000 + b"<table></table>"
    yield CorpusFile("HTML a hundred thousand deep", ".xls", partial(_bytes, deep), refused("no_table"))
    yield CorpusFile("JSON", ".csv", partial(_bytes, json.dumps({"a": 1}).encode() + b"\n"), refused("unusable"))
    field = b'"' + b"x" * 2_000_000 + b'"\r\n'
    yield CorpusFile("CSV with a vast field", ".csv", partial(_bytes, field), refused("truncated"))
    yield CorpusFile("CSV of delimiters", ".csv", partial(_bytes, b"," * 500_000 + b"\n"), refused("unusable"))

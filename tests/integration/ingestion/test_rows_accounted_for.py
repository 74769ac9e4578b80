"""Rows with something in them, as readers that know nothing of this program count them, against what became of each.

Belongs here: every file of the corpus, of the peculiar ones and of the sample, and parts of files that no table holds.
Does not belong here: what a row is (``test_furniture``, ``test_nothing_vanishes``), cells (``test_second_reader``).

A file that is refused is refused whole: its message says so, and none of its rows is anywhere. Of every other file each
row is accepted, rejected or furniture, once, and a furniture row has the reason that proves it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import docx
import openpyxl
import pyarrow as pa
import pytest
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from lxml import etree

from ingestion import IngestPaths, ReferenceData, read_deliveries
from ingestion.base.limits import IntakeLimits
from ingestion.engine import ingest_quarter
from ingestion.rows.furniture import REASONS
from ingestion.rows.outcome import Intake
from tests.corpus.files import LIBREOFFICE, corpus
from tests.corpus.tables import SOURCE
from tests.integration.ingestion.conftest import KEY, Home

FILES = Path(__file__).parents[2] / "data" / "files"
LIMITS = IntakeLimits(child_wall_seconds=30, max_cells=20_000_000)
SECONDS = 300
Places = list[tuple[str, int]]

# --------------------------------------------------------------------------------------------------- the other readers

_NOTHING = re.compile(r'[\s,;|"\u200b\ufeff\xa0]*')
_MARKUP = re.compile(rb"\s*(?:<!DOCTYPE html|<html|<table|<head|<meta|<body|<!--)", re.IGNORECASE)


def _is_filled(text: object) -> bool:
    return text is not None and not _NOTHING.fullmatch(str(text))


def _decoded(data: bytes) -> str:
    """Text in which at least line ends, delimiters and quotation marks are right."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:200]:
        return data.decode("utf-16-be" if data[:2] == b"\xfe\xff" or data[0] == 0 else "utf-16-le").lstrip("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def of_workbook(path: Path) -> Places:
    """By openpyxl, formulas as such."""
    with path.open("rb") as file:  # from a path, it would go by the suffix
        book = openpyxl.load_workbook(file)
    return [
        (sheet.title, cells[0].row)
        for sheet in book.worksheets
        for cells in sheet.iter_rows()
        if any(str(cell.value).strip("\u200b\ufeff\xa0 \t\r\n") for cell in cells if cell.value is not None)
    ]


def of_parts(path: Path) -> int:
    """The rows of all worksheets of a package, by its XML; for packages whose relations other readers do not follow."""
    filled = 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".xml") and b"<sheetData" in (data := archive.read(name)):
                rows = etree.fromstring(data).iter("{*}row")
                filled += sum(any(True for _ in row.iter("{*}v", "{*}is", "{*}f")) for row in rows)
    return filled


def of_text(data: bytes, sheet: str = "csv") -> Places:
    """Records end at a line end with an even number of quotation marks before it; blank is one of delimiters only."""
    text = _decoded(data)
    places: Places = []
    record, begun = "", 1
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        record, begun = (record + line, begun) if record.count('"') % 2 else (line, number)
        if record.count('"') % 2 == 0 and _is_filled(record):
            places.append((sheet, begun))
    return places


def of_prose(path: Path) -> Places:
    """Lines, of Word documents by python-docx."""
    if path.suffix == ".txt":
        lines = path.read_text("utf-8-sig").splitlines()
        return [("txt", number) for number, line in enumerate(lines, start=1) if line.strip()]
    document = docx.Document(str(path))
    paragraphs = document.element.body.iter(qn("w:p"))
    lines = [line for p in paragraphs for line in Paragraph(p, document).text.split("\n")]
    return [("docx", number) for number, line in enumerate(lines, start=1) if line.strip()]


class _Page(HTMLParser):
    """Rows of tables, and lines of text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[str] = [""]
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in ("script", "style", "title")
        if tag in ("tr", "p", "h1", "h2", "h3", "div", "table", "center"):
            self.rows.append("")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "title")
        if tag in ("tr", "p", "h1", "h2", "h3", "div", "table", "center"):
            self.rows.append("")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.rows[-1] += data


def of_page(data: bytes) -> int:
    page = _Page()
    page.feed(_decoded(data))
    return sum(map(_is_filled, page.rows))


_SUFFIXES = {b"PK": ".ods", b"\xd0\xcf\x11\xe0": ".xls", b"\x09": ".xls"}


def converted(paths: list[Path], folder: Path) -> dict[Path, Places]:
    """By LibreOffice, many files at once."""
    office = shutil.which("soffice")
    assert office, "needs the Debian package libreoffice-calc (make packages)"
    # It goes by the suffix.
    suffixes = {
        path: next((s for start, s in _SUFFIXES.items() if path.read_bytes().startswith(start)), ".xml")
        for path in paths
    }
    named = {path: folder / "in" / f"{number}{suffixes[path]}" for number, path in enumerate(paths)}
    (folder / "in").mkdir(parents=True)
    for path, copy in named.items():
        shutil.copyfile(path, copy)
    subprocess.run(
        [office, f"-env:UserInstallation=file://{folder}/office", "--headless", "--convert-to", "xlsx", "--outdir",
         str(folder / "out"), *map(str, named.values())],
        check=True, capture_output=True, timeout=SECONDS,
    )  # fmt: skip
    return {path: of_workbook(folder / "out" / f"{copy.stem}.xlsx") for path, copy in named.items()}


def counted(paths: Iterable[Path], folder: Path) -> dict[Path, Places | int]:
    """Filled rows of each file by another reader than the one that intake uses for its format; of pages the number."""
    found: dict[Path, Places | int] = {}
    others: list[Path] = []
    for path in paths:
        data = path.read_bytes()
        plain = data[2:].replace(b"\0", b"") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data
        if _MARKUP.match(plain):
            found[path] = of_page(data)
        elif (data.startswith(b"PK") and b"word/document.xml" in data) or path.suffix == ".txt":
            found[path] = of_prose(path)
        elif data.startswith(b"PK") and b"opendocument" not in data[:200]:
            try:
                found[path] = of_workbook(path)
            except (KeyError, IndexError):  # a package that it does not follow
                found[path] = of_parts(path)
        elif data.startswith((b"PK", b"\xd0\xcf\x11\xe0", b"<?xml", b"\xef\xbb\xbf<?xml")) or data[0] == 9:
            others.append(path)
        else:
            found[path] = of_text(data)
    return found | (converted(others, folder) if others else {})


# ------------------------------------------------------------------------------------------------- what became of them


def accounted(accepted: pa.Table, rejected: pa.Table, furniture: pa.Table) -> Places:
    """Every row that is somewhere; a row is in one place only, and furniture has a declared reason."""
    where = [[(r["_sheet"], r["_row"]) for r in t.select(["_sheet", "_row"]).to_pylist()]
             for t in (accepted, rejected, furniture)]  # fmt: skip
    for row in furniture.to_pylist():
        assert row["reason"] in REASONS[row["kind"]]
    return sorted([*where[0], *set(where[1]), *where[2]])


def check(read: dict[Path, Intake], folder: Path) -> int:
    """Holds what became of the files against the other readers; returns how many rows were compared."""
    other = counted(read, folder)
    wrong: dict[str, object] = {}
    for path, intake in read.items():
        mine, theirs = accounted(intake.accepted, intake.rejected, intake.furniture_rows), other[path]
        if isinstance(theirs, int):
            if len(mine) != theirs:
                wrong[path.name] = (len(mine), theirs)
        elif mine != sorted(theirs):
            wrong[path.name] = {"only here": sorted(set(mine) - set(theirs)), "lost": sorted(set(theirs) - set(mine))}
    assert wrong == {}
    return sum(len(accounted(i.accepted, i.rejected, i.furniture_rows)) for i in read.values())


def test_the_corpus(tmp_path: Path, intake_of: Callable[..., Intake]) -> None:
    read: dict[Path, Intake] = {}
    for number, file in enumerate(corpus()):
        if file.expected.refused:
            continue
        name = re.sub(r"\W+", "_", file.name)
        path = tmp_path / f"{number}_{name}{file.suffix}"
        file.write(path)
        read[path] = intake_of(path, SOURCE, limits=LIMITS)
    assert len(read) > 200
    assert check(read, tmp_path / "other") > 1_500


def test_the_peculiar_files(tmp_path: Path, intake_of: Callable[..., Intake]) -> None:
    sources = {"h": "e_document_counts", "i": "one_stop_cases", "j": "one_stop_cases", "e": "one_stop_cases"}
    units = {"e00_control.xlsx": "31615", "i00_foreign_words.xlsx": "31615"}
    read = {}
    for path in sorted(FILES.iterdir()):
        intake = intake_of(
            path, sources.get(path.name[0], "e_document_counts"), units.get(path.name, "945"), limits=LIMITS
        )
        if intake.refusal:
            assert (path.name, intake.refusal) == ("e01_us_locale_swapped.xlsx", "day_month_swapped")
        else:
            read[path] = intake
    assert check(read, tmp_path / "other") > 80


def test_the_sample(tmp_path: Path, sample_landing: Path, reference: ReferenceData) -> None:
    paths = IngestPaths(sample_landing, tmp_path / "raw", tmp_path / "outbox")
    home = Home(tmp_path, reference)
    home.paths = paths
    found: list[dict] = []
    for quarter in sorted({path.parents[1].name for path in sample_landing.glob("*/*/*/*")}):
        ingest_quarter(paths, quarter, reference=reference, secret_key=KEY)
    found = [d for d in read_deliveries(paths).to_pylist() if d["outcome"] != "refused"]
    assert len(found) > 30
    other = counted([sample_landing / d["path"] for d in found], tmp_path / "other")
    for d in found:
        layers = [home.layer(layer, d) for layer in ("lake", "rejected", "furniture")]
        assert all(row["reason"] in REASONS[row["kind"]] for row in layers[2])
        where = [[(row["_sheet"], row["_row"]) for row in rows] for rows in layers]
        assert sorted([*where[0], *set(where[1]), *where[2]]) == sorted(other[sample_landing / d["path"]]), d["path"]


# ------------------------------------------------------------------------------------------- what stands in no table

PLAN = ["Loại kế hoạch", "Mã nhiệm vụ", "Nội dung", "Ngày hoàn thành"]
TASKS = [["Tuyên truyền", f"NV-{n}", f"Đưa tin {n}", "10/01/2023"] for n in range(1, 4)]


def _book(path: Path, sheets: dict[str, list[list[object]]], hidden: str = "") -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name == hidden:
            sheet.sheet_state = "hidden"
    book.save(path)


def _lines(path: Path, *lines: str) -> None:
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode())


TABLE = [PLAN, *TASKS]
NOTES: list[list[object]] = [["Ghi chép"], [], ["Họp ngày thứ hai"], [None, 5]]
HEAD_LINE = ",".join(PLAN)
TASK_LINES = [",".join(task) for task in TASKS]
APART: dict[str, tuple[str, Callable[[Path], object], set[str]]] = {
    "another sheet": (".xlsx", partial(_book, sheets={"A": TABLE, "B": NOTES}), {"sheet_without_table"}),
    "a hidden sheet": (".xlsx", partial(_book, sheets={"A": TABLE, "B": NOTES}, hidden="B"), {"hidden_sheet"}),
    "a help sheet": (".xlsx", partial(_book, sheets={"A": TABLE, "Hướng dẫn": NOTES}), {"help_sheet"}),
    "cells beside the last row": (
        ".xlsx", partial(_book, sheets={"A": [*TABLE, [None] * 6 + ["ngoài bảng"]]}), {"beside_table"},
    ),
    "cells beside rows": (".xlsx", partial(_book, sheets={"A": [PLAN, *([*t, None, "x"] for t in TASKS)]}), set()),
    "a field beyond in a row without any": (".csv", lambda p: _lines(p, HEAD_LINE, *TASK_LINES, ",,,,ngoài"), set()),
    "blank lines of any width": (".csv", lambda p: _lines(p, HEAD_LINE, "", ",", *TASK_LINES, ",,,,,,", " ,"), set()),
    "a record over lines": (
        ".csv", lambda p: _lines(p, "UBND HUYỆN", HEAD_LINE, 'Tuyên truyền,NV-9,"Đưa', 'tin",10/01/2023', *TASK_LINES),
        {"above_header"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", APART)
def test_what_stands_in_no_table(case: str, tmp_path: Path, intake_of: Callable[..., Intake]) -> None:
    suffix, write, reasons = APART[case]
    path = tmp_path / f"a{suffix}"
    write(path)
    intake = intake_of(path, "plan_tasks", limits=LIMITS)
    assert intake.refusal == "", intake.message_vi
    assert check({path: intake}, tmp_path / "other") >= 4
    assert set(intake.furniture_rows["reason"].to_pylist()) - {"header"} == reasons


PROSE = """// Đơn vị: huyện Cù Lao Dung
// Quý I năm 2023

[II.1]
Đoạn thứ nhất.
----
// nhớ xem lại
Đoạn thứ hai.

[II.99]
Đoạn không có mục.
[Hết]
"""


def _document(path: Path) -> None:
    document = docx.Document()
    for line in PROSE.splitlines():
        document.add_paragraph(line)
    document.save(str(path))


@pytest.mark.parametrize("write", [lambda p: p.with_suffix(".txt"), lambda p: p.with_suffix(".docx")],
                         ids=["text", "document"])  # fmt: skip
def test_lines_of_running_text(write: Callable[[Path], Path], tmp_path: Path, intake_of: Callable[..., Intake]) -> None:
    path = write(tmp_path / "a")
    if path.suffix == ".txt":
        path.write_text(PROSE)
    else:
        _document(path)
    intake = intake_of(path, "report_narrative", limits=LIMITS)
    assert intake.refusal == "", intake.message_vi
    assert check({path: intake}, tmp_path / "other") == 10
    reasons = intake.furniture_rows["reason"].to_pylist()
    assert sorted(set(reasons)) == ["above_header", "marked_as_reminder", "section_heading", "signs_only"]


def _saved_documents() -> Iterator[Path]:
    yield from LIBREOFFICE.glob("*.docx")


def test_documents_of_a_word_processor(tmp_path: Path, intake_of: Callable[..., Intake]) -> None:
    read = {path: intake_of(path, "report_narrative", limits=LIMITS) for path in _saved_documents()}
    assert [i.refusal for i in read.values()] == [""]
    assert check(read, tmp_path / "other") > 5

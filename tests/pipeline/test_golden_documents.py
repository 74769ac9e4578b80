"""The documents of 945, 2023-Q1 show the real report's figures to programs that know nothing of this project.

LibreOffice opens the workbook and the letter, poppler reads the PDF; what they show is laid beside the printed annex.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree, html

import publication
from publication import format_number
from tests.pipeline.conftest import ANNEX, PrintedRow, indicators, release_of
from tests.pipeline.test_golden import FILLED

MM = 72 / 25.4
#: The figures' column on the page: after 30 mm of margin, 12 + 63 + 33 mm of columns; 25 mm wide.
FIGURES = (138 * MM, 163 * MM)
NUMBER = re.compile(r"-?\d+(\.\d{3})*(,\d+)?")
SENTENCES = (
    "đã hoàn thành 9/19 nhiệm vụ, đạt 47,37% Kế hoạch CCHC năm 2023",
    "có 389 TTHC áp dụng trên địa bàn huyện, gồm 275 TTHC áp dụng tại Ủy ban nhân dân huyện và 130 TTHC",
    "tiếp nhận 1.145 hồ sơ TTHC, đã giải quyết 611 hồ sơ, trong đó 611 hồ sơ được giải quyết đúng hạn",
    "tiếp nhận 6.530 hồ sơ TTHC, đã giải quyết 6.530 hồ sơ",
    "đã tinh giản 02 viên chức, đạt 28,57% kế hoạch năm",
    "đang giải quyết 534 hồ sơ, không có hồ sơ quá hạn",
    "Kế hoạch số 03/KH-UBND ngày 04/01/2023 về thực hiện công tác CCHC năm 2023",
    "Trong số hồ sơ đúng hạn có 05 hồ sơ",
    "được giao trong năm là 83 người, có mặt đến ngày 14/03/2023 là 79 người",
)


DOCUMENTS = ("report", "phieu-trinh")
FONTS = Path(publication.__file__).parent / "letter" / "fonts"


def _needs(program: str, package: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs {program} of the Debian package {package}")


@pytest.fixture(scope="module")
def report(published_home: Path) -> Path:
    release = release_of(published_home)
    assert release is not None
    return release / "report"


@pytest.fixture(scope="module")
def figures(report: Path) -> list[str]:
    """What each of the 211 rows must show, as the real report prints it; two blank rows are filled from records."""
    filled = indicators(report.parent)
    with ANNEX.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    shown = [
        format_number(filled[int(row["row_no"])]["value"]) if int(row["row_no"]) in FILLED else row["value_raw"]
        for row in rows
    ]
    assert sum(figure != "" for figure in shown) == 169 + len(FILLED)
    return shown


def _convert(path: Path, to: str, folder: Path) -> Path:
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", to, "--outdir", str(folder), str(path)]
    # The letter's font, as on a computer of an office: another one sets other lines.
    fonts = folder / "fonts.conf"
    fonts.write_text(
        f"<fontconfig><dir>{FONTS}</dir><cachedir>{folder / 'fontcache'}</cachedir><alias binding='same'>"
        "<family>Times New Roman</family><prefer><family>Liberation Serif</family></prefer></alias></fontconfig>",
        encoding="utf-8",
    )
    environment = {**os.environ, "HOME": str(folder), "FONTCONFIG_FILE": str(fonts)}
    subprocess.run(command, check=True, capture_output=True, timeout=180, env=environment)
    return folder / f"{path.stem}.{to.partition(':')[0]}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def test_libreoffice_shows_the_printed_figures_of_the_workbook(
    report: Path, figures: list[str], tmp_path: Path, printed: dict[int, PrintedRow]
) -> None:
    _needs("soffice", "libreoffice-calc")
    table = _convert(report / "annex.xlsx", "csv:Text - txt - csv (StarCalc):44,34,76,1", tmp_path)
    with table.open(encoding="utf-8", newline="") as handle:
        lines = list(csv.reader(handle))
    rows = lines[6 : 6 + 211]
    assert [row[3] for row in rows] == figures
    assert [row[1] for row in rows] == _names(report, printed)


def _names(report: Path, printed: dict[int, PrintedRow]) -> list[str]:
    """The rows' names as the form prints them, those that it spells wrong as they are spelled right."""
    right = {number: row["indicator_name_corrected_vi"] for number, row in indicators(report.parent).items()}
    assert sum(bool(name) for name in right.values()) == 7
    return [right[number] or row.name for number, row in printed.items()]


def test_libreoffice_shows_the_printed_figures_of_the_letter(
    report: Path, figures: list[str], tmp_path: Path, printed: dict[int, PrintedRow]
) -> None:
    _needs("soffice", "libreoffice-writer")
    page = html.fromstring(
        _convert(report / "report.docx", "html", tmp_path).read_bytes(), parser=html.HTMLParser(encoding="utf-8")
    )
    (table,) = [table for table in page.iter("table") if len(table.findall(".//tr")) > 100]
    rows = [[_one_line(cell.text_content()) for cell in row.iter("td", "th")] for row in table.iter("tr")][2:]
    assert [row[1] for row in rows] == list(map(_one_line, _names(report, printed)))
    assert [row[3] if len(row) == 5 else "" for row in rows] == figures
    text = _one_line(page.text_content())
    assert [sentence for sentence in SENTENCES if sentence not in text] == []


def test_poppler_shows_the_printed_figures_of_the_pdf(report: Path, figures: list[str]) -> None:
    _needs("pdftotext", "poppler-utils")
    boxes = subprocess.run(["pdftotext", "-bbox", str(report / "report.pdf"), "-"], check=True, capture_output=True)
    assert _figures_in_column(boxes.stdout) == [figure for figure in figures if figure]
    plain = subprocess.run(["pdftotext", str(report / "report.pdf"), "-"], check=True, capture_output=True)
    text = _one_line(plain.stdout.decode())
    assert [sentence for sentence in SENTENCES if sentence not in text] == []


def _figures_in_column(boxes: bytes) -> list[str]:
    """Numbers that stand in the figures' column of the annex pages, from top to bottom."""
    found: list[str] = []
    for page in etree.fromstring(boxes).iter("{*}page"):
        words = [
            (word.text, float(word.get("xMin")), float(word.get("xMax")), float(word.get("yMin")))
            for word in page.iter("{*}word")
        ]
        if not any(text == "STT" for text, *_ in words):
            continue
        end = min((top for text, _, _, top in words if text == "chú:"), default=float("inf"))
        column = [
            (top, text)
            for text, left, right, top in words
            if FIGURES[0] < left and right < FIGURES[1] and top < end and NUMBER.fullmatch(text)
        ]
        found += [text for _, text in sorted(column)]
    return found


def test_all_fonts_of_the_pdf_are_embedded(report: Path) -> None:
    _needs("pdffonts", "poppler-utils")
    listed = subprocess.run(["pdffonts", str(report / "report.pdf")], check=True, capture_output=True, text=True)
    fonts = listed.stdout.splitlines()[2:]
    assert fonts
    assert all("LiberationSerif" in font and re.search(r"Identity-H +yes yes yes", font) for font in fonts)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_word_and_pdf_have_as_many_pages(report: Path, tmp_path: Path, name: str) -> None:
    _needs("soffice", "libreoffice-writer")
    pages = [_pages(path) for path in (report / f"{name}.pdf", _convert(report / f"{name}.docx", "pdf", tmp_path))]
    assert abs(pages[0] - pages[1]) <= 1, pages
    assert name != "phieu-trinh" or max(pages) <= 2


def _pages(path: Path) -> int:
    told = subprocess.run(["pdfinfo", str(path)], check=True, capture_output=True, text=True).stdout
    return int(re.search(r"^Pages: +(\d+)$", told, re.MULTILINE)[1])  # type: ignore[index]


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(
    ("package", "command"),
    [
        ("poppler-utils", ("pdfinfo",)),
        ("poppler-utils", ("pdftotext", "-q")),
        ("poppler-utils", ("pdftotext",)),
        ("mupdf-tools", ("mutool", "info")),
        # Without the colours of paper, which this program may have been built without; it says so of every file.
        ("mupdf-tools", ("mutool", "draw", "-N", "-q", "-F", "txt", "-o", "-")),
        ("qpdf", ("qpdf", "--check")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_other_programs_open_the_pdf_without_a_warning(
    report: Path, name: str, package: str, command: tuple[str, ...]
) -> None:
    _needs(command[0], package)
    last = ["-"] if command[0] == "pdftotext" else []
    run = subprocess.run([*command, str(report / f"{name}.pdf"), *last], check=True, capture_output=True, text=True)
    assert run.stderr == ""
    assert not re.search("warning|error:", run.stdout, re.IGNORECASE)
    if command[0] == "qpdf":
        assert "No syntax or stream encoding errors found" in run.stdout

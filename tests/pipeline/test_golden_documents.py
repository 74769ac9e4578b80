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

from publication import format_number
from tests.pipeline.conftest import ANNEX, PrintedRow, indicators, release_of
from tests.pipeline.test_golden import FILLED

MM = 72 / 25.4
#: The figures' column on the page: after 30 mm of margin, 12 + 63 + 33 mm of columns; 25 mm wide.
FIGURES = (138 * MM, 163 * MM)
NUMBER = re.compile(r"-?\d+(\.\d{3})*(,\d+)?")
SENTENCES = (
    "đã hoàn thành 9/19 nhiệm vụ, đạt 47,37% Kế hoạch CCHC năm 2023",
    "có 389 TTHC áp dụng trên địa bàn huyện, gồm 275 TTHC áp dụng tại UBND cấp huyện và 130 TTHC",
    "tiếp nhận 1.145 hồ sơ TTHC, đã giải quyết 611 hồ sơ, trong đó 611 hồ sơ được giải quyết đúng hạn",
    "tiếp nhận 6.530 hồ sơ TTHC, đã giải quyết 6.530 hồ sơ",
    "đã tinh giản 2 viên chức, đạt 28,57% kế hoạch năm",
    "được giao trong năm là 83 người, có mặt đến ngày 14/03/2023 là 79 người",
)


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
    environment = {**os.environ, "HOME": str(folder)}
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
    assert [row[1] for row in rows] == [row.name for row in printed.values()]


def test_libreoffice_shows_the_printed_figures_of_the_letter(
    report: Path, figures: list[str], tmp_path: Path, printed: dict[int, PrintedRow]
) -> None:
    _needs("soffice", "libreoffice-writer")
    page = html.fromstring(
        _convert(report / "report.docx", "html", tmp_path).read_bytes(), parser=html.HTMLParser(encoding="utf-8")
    )
    (table,) = [table for table in page.iter("table") if len(table.findall(".//tr")) > 100]
    rows = [[_one_line(cell.text_content()) for cell in row.iter("td", "th")] for row in table.iter("tr")][2:]
    assert [row[1] for row in rows] == [_one_line(row.name) for row in printed.values()]
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
        end = min((top for text, _, _, top in words if text == "(dòng"), default=float("inf"))
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

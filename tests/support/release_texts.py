"""What the documents of a release show to whoever opens them, as text without its layout."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pypdfium2


def texts_of(release: Path) -> dict[str, str]:
    """By name of the document, what it shows."""
    report = release / "report"
    book = openpyxl.load_workbook(report / "annex.xlsx")
    with zipfile.ZipFile(report / "report.docx") as archive:
        letter = re.sub(r"<w:tab/>|</w:p>", " ", archive.read("word/document.xml").decode())
    pages = {}
    for name in ("report.pdf", "phieu-trinh.pdf"):
        with pypdfium2.PdfDocument(report / name) as document:
            pages[name] = " ".join(page.get_textpage().get_text_range() for page in document)
    return {
        "annex.xlsx": " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row),
        "report.docx": re.sub(r"<[^>]+>", "", letter),
        **pages,
        "index.html": re.sub(r"<[^>]+>", " ", (report / "index.html").read_text(encoding="utf-8")),
        "notes.csv": (release / "quality" / "notes.csv").read_text(encoding="utf-8"),
    }

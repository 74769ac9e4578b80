"""What the workbook holds is what comes out of a printer: a spreadsheet program lays it out, and the page is read.

No row of a spreadsheet is higher than 409 points; a cell that holds more is printed as far as the row reaches, and
nothing says that the rest is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest

from publication.content.release_content import ReleaseContent, gather
from publication.store.candidate import read_candidate
from publication.tables.annex import check_read_back, write_annex_csv, write_annex_xlsx
from tests.unit.publication.builders import code_of, write_candidate

ROW = 22


def _numbered(words: int, before: str = "chữ", between: str = " ") -> str:
    return between.join(f"{before}{number}." for number in range(words))


# About 1,000 characters, and the most that is published (``fits`` in expectations/published_texts.yml).
TEXTS = {
    "a note of 1,000 characters": {"note_vi": _numbered(135)},
    "the longest note": {"note_vi": _numbered(950)},
    "a note in capitals": {"note_vi": _numbered(400, "CHƯƠNG")},
    "a note of many short lines": {"note_vi": _numbered(120, between="\n")},
    "words longer than the column": {"note_vi": _numbered(60, "x" * 90)},
    "the longest answer in words": {"value_text": _numbered(950), "value": None, "kind": "text"},
}


def _printed(workbook: Path) -> str:
    """Every character on the pages that LibreOffice prints, without white space."""
    profile = f"-env:UserInstallation={(workbook.parent / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(workbook.parent), str(workbook)]
    subprocess.run(command, check=True, capture_output=True, timeout=300,
                   env={**os.environ, "HOME": str(workbook.parent)})  # fmt: skip
    with pypdfium2.PdfDocument(workbook.with_suffix(".pdf")) as document:
        return "".join("".join(page.get_textpage().get_text_range().split()) for page in document)


@pytest.fixture
def make_content(tmp_path: Path) -> Callable[..., ReleaseContent]:
    def make(**build: object) -> ReleaseContent:
        candidate = read_candidate(write_candidate(tmp_path / "warehouse", **build))
        return gather(candidate, gate_results=[], extra_marts={}, extra_tables={})

    return make


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs soffice of the Debian package libreoffice-calc")
def test_every_word_of_a_long_text_is_on_paper(make_content: Callable[..., ReleaseContent], tmp_path: Path) -> None:
    rows = dict(zip(range(ROW, ROW + 100), TEXTS, strict=False))
    document = _numbered(900, "văn_bản")
    content = make_content(
        changes={code_of(row): TEXTS[name] for row, name in rows.items()},
        decisions=[{"decision_id": "QD-01", "effect": "applied", "subject_kind": "row", "subject": code_of(100),
                    "action": "withhold", "reason_vi": "lý do", "document_number": document}],
    )  # fmt: skip
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    write_annex_csv(tmp_path / "annex.csv", content)
    check_read_back(content, tmp_path / "annex.xlsx", tmp_path / "annex.csv")
    printed = _printed(tmp_path / "annex.xlsx")
    for name in TEXTS:
        text = str(TEXTS[name].get("note_vi") or TEXTS[name]["value_text"])
        missing = [word for word in text.split() if word not in printed]
        assert not missing, (name, len(missing), missing[:3])
    assert [word for word in document.split() if word not in printed] == []

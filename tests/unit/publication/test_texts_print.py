"""Any text that offices may write is printed whole in every document, or a character without a letter is seen to be
missing; none stops the release.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from publication.content.release_content import ReleaseContent
from publication.letter import DOCX, PDF, check_letter, write_letter
from publication.letter.reading import read_docx, read_pdf
from publication.outputs import OUTPUTS, ReleaseNotWhole, check_outputs, write_outputs
from publication.tables.annex import check_read_back, write_annex_csv, write_annex_xlsx
from tests.unit.publication.builders import code_of

Make = Callable[..., ReleaseContent]
TEXTS: dict[str, str] = {
    "a page long": "Ghi chú dài của cơ quan. " * 40,
    "many pages long": "Ghi chú rất dài của cơ quan. " * 270,
    "one endless word": "x" * 3000,
    "lines and tabs": "dòng một\nhai\tba\r\nbốn\x0bnăm\x85sáu\u2028bảy " * 20,
    "right to left and no width": "שלום \u202eabc\u202c a\u200bb\u200dc\ufeff",
    "emoji and other alphabets": "Đạt 😀 👩‍👩‍👧 日本 ไทย",
    "control characters": "a\x00b\x01c\x07d\x1b[31me\x7f",
    "markup": "#let x = [*a*] $x$ {{ 7*7 }} {% raw %} <script>alert(1)</script> &amp; {\\rtf1} @a <lbl> ]]> <!-- \\",
    "combining marks": "e\u0301\u0323 o\u0302\u0301 a\u0336\u0335 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "looks like a formula": '=HYPERLINK("x")',
}
#: Rows that stand in the middle of sections, one a text: a plain row each.
ROWS = (8, 9, 10, 12, 22, 71, 72, 73, 100, 150)


def _changes(column: str) -> dict[str, dict[str, object]]:
    blank = {"value": None, "kind": "text"} if column == "value_text" else {}
    return {code_of(row): {column: text, **blank} for row, text in zip(ROWS, TEXTS.values(), strict=True)}


@pytest.mark.parametrize("column", ["note_vi", "value_text", "indicator_name_vi", "unit_of_measure"])
def test_every_text_in_every_column_of_the_form_reads_back_from_every_document(
    make_content: Make, tmp_path: Path, column: str
) -> None:
    content = make_content(changes=_changes(column))
    write_letter(tmp_path, content)
    check_letter(tmp_path, content)
    assert read_docx(tmp_path / DOCX).text == read_pdf(tmp_path / PDF).text
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    write_annex_csv(tmp_path / "annex.csv", content)
    check_read_back(content, tmp_path / "annex.xlsx", tmp_path / "annex.csv")


@pytest.mark.parametrize("column", ["reason_vi", "document_number"])
def test_every_text_of_a_decision_reads_back_from_every_document(
    make_content: Make, tmp_path: Path, column: str
) -> None:
    decided = [
        {"decision_id": f"QD-{row:02d}", "effect": "applied", "subject_kind": "row", "subject": code_of(row),
         "action": "withhold", "reason_vi": "Lý do", "document_number": "1/QĐ", column: text}
        for row, text in zip(ROWS, TEXTS.values(), strict=True)
    ]  # fmt: skip
    content = make_content(decisions=decided)
    write_letter(tmp_path, content)
    check_letter(tmp_path, content)
    write_annex_xlsx(tmp_path / "annex.xlsx", content)
    write_annex_csv(tmp_path / "annex.csv", content)
    check_read_back(content, tmp_path / "annex.xlsx", tmp_path / "annex.csv")


def test_all_outputs_are_made_of_a_release_full_of_such_texts(make_content: Make, tmp_path: Path) -> None:
    content = make_content(changes=_changes("note_vi"))
    write_outputs(content, tmp_path)
    check_outputs(content, tmp_path)


def test_a_long_note_goes_on_over_pages_without_a_word_lost(make_content: Make, tmp_path: Path) -> None:
    words = [f"chữ{number}" for number in range(1500)]
    content = make_content(changes={code_of(8): {"note_vi": " ".join(words)}})
    write_letter(tmp_path, content, [PDF])
    reading = read_pdf(tmp_path / PDF)
    printed = "".join(row[4] for row in reading.table if len(row) == 5)
    assert "".join(words) in printed
    assert len(reading.table) > 2 + 211
    check_letter(tmp_path, content, [PDF])


def test_a_note_that_lost_its_page_is_noticed_with_its_row(make_content: Make, tmp_path: Path) -> None:
    whole = make_content(changes={code_of(8): {"note_vi": "từng chữ một " * 300}})
    cut = make_content(changes={code_of(8): {"note_vi": "từng chữ một " * 200}})
    (tmp_path / "report").mkdir()
    write_letter(tmp_path / "report", cut)
    pdf = next(output for output in OUTPUTS if output.name == PDF)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("publication.outputs.OUTPUTS", (pdf,))
        with pytest.raises(ReleaseNotWhole) as raised:
            check_outputs(whole, tmp_path)
    assert (raised.value.output, raised.value.code) == (PDF, code_of(8))


@pytest.mark.parametrize("section", ["opening", "I.1", "II.2", "III", "receivers"])
def test_every_paragraph_that_people_write_reads_back(make_content: Make, tmp_path: Path, section: str) -> None:
    content = make_content()
    written = pa.Table.from_pylist([
        {"unit_code": content.unit_code, "quarter": content.quarter, "section": section, "paragraph_no": number,
         "text_vi": text} for number, text in enumerate(TEXTS.values(), start=1)
    ])  # fmt: skip
    content = replace(content, tables={**content.tables, "report_narrative": written})
    write_letter(tmp_path, content)
    check_letter(tmp_path, content)


@pytest.mark.parametrize("name", TEXTS)
def test_a_unit_of_any_name_gets_its_letter(make_content: Make, tmp_path: Path, name: str) -> None:
    content = replace(make_content(), unit_name_vi=f"Huyện {TEXTS[name][:60]}")
    write_letter(tmp_path, content)
    check_letter(tmp_path, content)

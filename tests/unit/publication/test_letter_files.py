"""Word and PDF look official, are the same bytes for the same figures, and are believed only when they read back."""

from __future__ import annotations

import ctypes
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import docx
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from docx.oxml.ns import qn
from fontTools.ttLib import TTFont
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publication.content.release_content import ReleaseContent
from publication.letter import DOCX, PDF, LetterDamaged, check_letter, compose, write_letter
from publication.letter.check import check_reading, text_runs
from publication.letter.glyphs import MISSING, REPERTOIRE, printable
from publication.letter.model import Letter, Run
from publication.letter.pdf import FONTS, write_pdf
from publication.letter.reading import Reading, read_docx, read_pdf, squeeze
from publication.letter.word import write_docx
from tests.unit.publication.test_letter_words import with_narrative, with_values

MakeContent = Callable[..., ReleaseContent]
MM = 72 / 25.4
VOWELS = "aăâeêioôơuưy"
TONES = "\u0300\u0309\u0303\u0301\u0323"
#: The 134 letters that are neither in ASCII nor made of two code points.
VIETNAMESE = "".join(sorted(
    {unicodedata.normalize("NFC", letter) for lower in [*VOWELS, *(v + t for v in VOWELS for t in TONES), "đ"]
     for letter in (lower, lower.upper())} - {c for v in VOWELS for c in (v, v.upper()) if c.isascii()}
))  # fmt: skip


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> ReleaseContent:
    """The printed annex of 2023-Q1 with a decision, so that there is a footnote."""
    from publication import read_candidate
    from publication.content.release_content import gather
    from tests.unit.publication.builders import write_candidate

    folder = write_candidate(
        tmp_path_factory.mktemp("letter"),
        changes={"III.05": {"decision_id": "QD-07", "declared_value": Decimal(1), "computed_value": Decimal(0)}},
        decisions=[{"decision_id": "QD-07", "effect": "applied", "subject_kind": "row", "subject": "III.05",
                    "action": "accept_declared"}])  # fmt: skip
    return gather(read_candidate(folder), gate_results=[], extra_marts={}, extra_tables={})


@pytest.fixture(scope="module")
def folder(content: ReleaseContent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both files, written once. Not to be changed."""
    made = tmp_path_factory.mktemp("written")
    write_letter(made, content)
    return made


# --- whole and the same ---------------------------------------------------------------------------------------------


def test_both_files_read_back(content: ReleaseContent, folder: Path) -> None:
    check_letter(folder, content)
    word, pdf = read_docx(folder / DOCX), read_pdf(folder / PDF)
    assert len(word.table) == len(pdf.table) == 2 + 211
    assert word.table == pdf.table
    assert word.text == pdf.text


def test_equal_figures_are_equal_bytes_without_a_clock(
    content: ReleaseContent, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    write_letter(tmp_path, content)
    for name in (DOCX, PDF):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    with zipfile.ZipFile(folder / DOCX) as package:
        assert {member.date_time for member in package.infolist()} == {(2023, 3, 14, 0, 0, 0)}
    assert docx.Document(str(folder / DOCX)).core_properties.created.date().isoformat() == "2023-03-14"
    document = pypdfium2.PdfDocument(folder / PDF)
    assert document.get_metadata_value("CreationDate").startswith("D:20230314000000")
    assert document.get_metadata_value("ModDate").startswith("D:20230314000000")


# --- looks ----------------------------------------------------------------------------------------------------------


def test_the_word_page_is_that_of_the_decree(folder: Path) -> None:
    document = docx.Document(str(folder / DOCX))
    for section in document.sections:
        assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
        assert 20 <= section.top_margin.mm <= 25.1
        assert 20 <= section.bottom_margin.mm <= 25.1
        assert 30 <= section.left_margin.mm <= 35.1
        assert 14.9 <= section.right_margin.mm <= 20.1
        assert section.different_first_page_header_footer
        assert section._sectPr.find(qn("w:pgNumType")).get(qn("w:start")) == "1"
        assert "PAGE" in section.header._element.xml
    for name in ("Normal", "Body Text", "Heading 1", "Heading 2", "Cell"):
        style = document.styles[name]
        while style.font.size is None:
            style = style.base_style
        assert 13 <= style.font.size.pt <= 14
    assert document.styles["Normal"].font.name == "Times New Roman"


def test_the_word_table_repeats_its_header_and_splits_no_row(folder: Path) -> None:
    table = docx.Document(str(folder / DOCX)).tables[-1]
    properties = [row.find(qn("w:trPr")) for row in table._tbl.iter(qn("w:tr"))]
    assert [found.find(qn("w:tblHeader")) is not None for found in properties] == [True, True] + [False] * 211
    assert all(found.find(qn("w:cantSplit")) is not None for found in properties)


def test_the_pdf_repeats_its_header_and_stays_within_its_margins(folder: Path) -> None:
    document = pypdfium2.PdfDocument(folder / PDF)
    assert document.get_version() == 17
    with_header = 0
    for page in document:
        assert (round(page.get_width()), round(page.get_height())) == (595, 842)
        textpage = page.get_textpage()
        text = textpage.get_text_range()
        with_header += text.replace("\r\n", " ").count("Chỉ tiêu thống kê")
        for index in range(0, textpage.count_chars(), 7):
            letter = chr(pdfium.FPDFText_GetUnicode(textpage, index))
            left, bottom, right, _ = textpage.get_charbox(index)
            assert letter.isspace() or (left > 29 * MM and right < 196 * MM and bottom > 19 * MM), (letter, right)
    annex_pages = sum("Số lượng /" in page.get_textpage().get_text_range() for page in document)
    assert with_header == annex_pages > 5


def test_the_pdf_embeds_only_the_shipped_font(folder: Path) -> None:
    families = set()
    for page in pypdfium2.PdfDocument(folder / PDF):
        for thing in page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_TEXT,)):
            font = pdfium.FPDFTextObj_GetFont(thing.raw)
            assert pdfium.FPDFFont_GetIsEmbedded(font) == 1
            families.add(_base_name(font))
    assert families <= {
        "LiberationSerif",
        "LiberationSerif-Bold",
        "LiberationSerif-Italic",
        "LiberationSerif-BoldItalic",
    }
    assert "LiberationSerif" in families


def _base_name(font: object) -> str:
    buffer = ctypes.create_string_buffer(100)
    pdfium.FPDFFont_GetBaseFontName(font, buffer, 100)
    return buffer.value.decode().partition("+")[2] or buffer.value.decode()


# --- letters --------------------------------------------------------------------------------------------------------


def test_all_faces_have_every_letter_that_is_printed() -> None:
    assert len(VIETNAMESE) == 134
    assert set(VIETNAMESE) <= REPERTOIRE
    faces = sorted(FONTS.glob("*.ttf"))
    assert len(faces) == 4
    for face in faces:
        assert {ord(letter) for letter in REPERTOIRE} <= TTFont(face, lazy=True).getBestCmap().keys()
        assert face.stat().st_size < 2_000_000
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text(encoding="utf-8")


def test_every_vietnamese_letter_comes_back_from_the_files_in_nfc(content: ReleaseContent, tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", VIETNAMESE)
    written = with_narrative(content, [("II.1", 1, f"Chữ: {decomposed} hết.")])
    write_letter(tmp_path, written)
    check_letter(tmp_path, written)
    for reading in (read_docx(tmp_path / DOCX), read_pdf(tmp_path / PDF)):
        assert f"Chữ:{VIETNAMESE}hết." in reading.text
        assert unicodedata.is_normalized("NFC", reading.text)


def test_what_the_font_lacks_is_seen_to_be_missing() -> None:
    assert printable("a\tb\u200bc\x01 漢 ☺ e\u0302\u0301") == f"a bc {MISSING} {MISSING} ế"


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    texts=st.lists(st.text(max_size=120), min_size=3, max_size=3),
    figure=st.decimals(min_value=-(10**13), max_value=10**13, places=4),
)
def test_any_text_and_any_figure_reads_back(
    content: ReleaseContent, tmp_path: Path, texts: list[str], figure: Decimal
) -> None:
    _writes_and_reads(content, tmp_path, texts, figure)


@pytest.mark.long
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(max_size=300), min_size=3, max_size=3),
    figure=st.decimals(min_value=-(10**13), max_value=10**13, places=4),
)
def test_any_text_and_any_figure_reads_back_at_length(
    content: ReleaseContent, tmp_path: Path, texts: list[str], figure: Decimal
) -> None:
    _writes_and_reads(content, tmp_path, texts, figure)


def _writes_and_reads(content: ReleaseContent, tmp_path: Path, texts: list[str], figure: Decimal) -> None:
    letter_of = with_narrative(
        with_values(content, {"III.23": figure}),
        [("II.1", 1, texts[0].replace("{", "(")), ("opening", 1, texts[1].replace("{", "("))],
    )
    rows = list(letter_of.rows)
    changed = {"indicator_name_vi": texts[2], "note_vi": texts[0], "unit_of_measure": texts[1]}
    rows[4] = type(rows[4])({**rows[4].values, **changed})
    odd = replace(letter_of, rows=tuple(rows))
    write_letter(tmp_path, odd)
    check_letter(tmp_path, odd)


# --- damage ---------------------------------------------------------------------------------------------------------


def test_every_altered_figure_of_the_annex_is_noticed(content: ReleaseContent, folder: Path) -> None:
    letter = compose(content)
    reading = read_pdf(folder / PDF)
    noticed = 0
    for place, cells in enumerate(reading.table):
        if place < 2 or len(cells) < 5:
            continue
        for wrong in {"0", "", cells[3].replace(",", "."), f"1{cells[3]}"} - {cells[3]}:
            table = (*reading.table[:place], (*cells[:3], wrong, cells[4]), *reading.table[place + 1 :])
            with pytest.raises(LetterDamaged, match=f"row {place - 1}:"):
                check_reading(content, letter, replace(reading, table=table))
            noticed += 1
    assert noticed > 400


def test_every_altered_figure_of_the_text_is_noticed(content: ReleaseContent, folder: Path) -> None:
    """One figure of the letter at a time; also when not the file but what it was made from is wrong."""
    letter = compose(content)
    annex = read_docx(folder / DOCX).table
    for wrong in _with_one_figure_wrong(letter):
        reading = Reading("".join(squeeze(run.text) for run in text_runs(wrong)), annex)
        with pytest.raises(LetterDamaged, match="the text differs"):
            check_reading(content, letter, reading)
        with pytest.raises(LetterDamaged, match="the mart has"):
            check_reading(content, wrong, reading)


def _with_one_figure_wrong(letter: Letter) -> list[Letter]:
    wrong = []
    for at, paragraph in enumerate(letter.body):
        for place, run in enumerate(paragraph.runs):
            if run.code is not None:
                runs = (*paragraph.runs[:place], Run("8.888", run.code), *paragraph.runs[place + 1 :])
                body = (*letter.body[:at], replace(paragraph, runs=runs), *letter.body[at + 1 :])
                wrong.append(replace(letter, body=body))
    assert len(wrong) > 40
    return wrong


def _swapped(letter: Letter) -> Letter:
    annex = list(letter.annex)
    annex[70], annex[71] = annex[71], annex[70]
    return replace(letter, annex=tuple(annex))


DAMAGES: dict[str, Callable[[Letter], Letter]] = {
    "a row is missing": lambda letter: replace(letter, annex=letter.annex[:-1]),
    "two rows are swapped": _swapped,
    "a figure differs": lambda letter: replace(
        letter, annex=(*letter.annex[:70], replace(letter.annex[70], figure="1.146"), *letter.annex[71:])
    ),
    "a zero stands for a blank": lambda letter: replace(
        letter, annex=(*letter.annex[:55], replace(letter.annex[55], figure="0"), *letter.annex[56:])
    ),
    "a footnote is missing": lambda letter: replace(letter, footnotes=letter.footnotes[:-1]),
    "a sentence is missing": lambda letter: replace(letter, body=letter.body[:4] + letter.body[5:]),
    "a figure of the text differs": lambda letter: _with_one_figure_wrong(letter)[5],
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("name", "write"), [(DOCX, write_docx), (PDF, write_pdf)])
def test_a_file_of_other_content_is_refused(
    content: ReleaseContent, folder: Path, tmp_path: Path, damage: str, name: str, write: Callable[[Path, Letter], None]
) -> None:
    other = DOCX if name == PDF else PDF
    (tmp_path / other).write_bytes((folder / other).read_bytes())
    write(tmp_path / name, DAMAGES[damage](compose(content)))
    with pytest.raises(LetterDamaged, match=name):
        check_letter(tmp_path, content)


@pytest.mark.parametrize("name", [DOCX, PDF])
def test_a_cut_file_is_refused(content: ReleaseContent, folder: Path, tmp_path: Path, name: str) -> None:
    for path in (folder / DOCX, folder / PDF):
        data = path.read_bytes()
        (tmp_path / path.name).write_bytes(data[: len(data) // 3] if path.name == name else data)
    with pytest.raises(LetterDamaged, match=name):
        check_letter(tmp_path, content)


def test_a_figure_that_lost_its_mark_is_noticed(content: ReleaseContent, folder: Path, tmp_path: Path) -> None:
    (tmp_path / PDF).write_bytes((folder / PDF).read_bytes())
    with zipfile.ZipFile(folder / DOCX) as package, zipfile.ZipFile(tmp_path / DOCX, "w") as target:
        for name in package.namelist():
            target.writestr(name, package.read(name).replace(b'w:name="III_23_', b'w:name="other_'))
    with pytest.raises(LetterDamaged, match="marked figures"):
        check_letter(tmp_path, content)


def test_a_reading_of_nothing_is_refused(content: ReleaseContent) -> None:
    with pytest.raises(LetterDamaged, match="header"):
        check_reading(content, compose(content), Reading("", ()))

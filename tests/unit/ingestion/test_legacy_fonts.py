"""Legacy fonts there and back over every Vietnamese letter, and what is certain of a file's texts."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.base.cell_fault import CellFault
from ingestion.base.limits import UnreadableFileError
from ingestion.reading.legacy_encodings import mend_rows, to_utf8
from ingestion.text.legacy_fonts import from_tcvn3, from_vni, to_tcvn3, to_vni
from ingestion.text.syllables import is_syllable
from ingestion.text.vietnamese import VIETNAMESE_LETTERS, certain_repairs, repair

LETTERS = sorted(VIETNAMESE_LETTERS)


@pytest.mark.parametrize("letter", LETTERS)
def test_every_letter_goes_through_both_fonts_and_comes_back(letter: str) -> None:
    assert from_tcvn3(to_tcvn3(letter)) == letter
    assert from_vni(to_vni(letter)) == letter


def test_there_are_all_the_letters() -> None:
    assert len([c for c in LETTERS if not c.isascii()]) == 2 * 67


@given(st.text(st.sampled_from([*LETTERS, " ", ",", "1"])))
def test_texts_come_back_from_tcvn3(text: str) -> None:
    assert from_tcvn3(to_tcvn3(text)) == text


_PHRASES = """
Họ và tên Đơn vị tiếp nhận Ngày trả kết quả Lĩnh vực Hộ tịch Chứng thực Nguyễn Thị Thuỳ Trương Quyết Giếng
Huỳnh khuya nghiêng Uỷ ban nhân dân thị trấn Cù Lao Dung quốc gia giữa rượu khuyết ưu tiên yêu cầu loại hồ sơ
"""
WORDS = sorted(set(_PHRASES.split()))


@pytest.mark.parametrize("word", WORDS)
def test_words_of_the_language_are_syllables_and_come_back_from_vni(word: str) -> None:
    assert is_syllable(word)
    assert from_vni(to_vni(word)) == word


@pytest.mark.parametrize("word", ["teân", "hoï", "caùc", "ngaøy", "sè¸", "vµ", "Ngµy", "nguyÔn", "traû"])
def test_words_of_legacy_fonts_are_no_syllables(word: str) -> None:
    assert not is_syllable(word) or certain_repairs(word) == {}


@pytest.mark.skipif(shutil.which("iconv") is None, reason="needs the C library's iconv")
def test_the_table_is_that_of_the_c_library() -> None:
    for letter in LETTERS:
        if letter.isascii():
            continue
        made = to_tcvn3(letter).encode("latin-1")
        back = subprocess.run(
            ["iconv", "-f", "TCVN", "-t", "UTF-8"], input=made + b" ", capture_output=True, check=True
        )
        assert unicodedata.normalize("NFC", back.stdout.decode().rstrip(" ")) == letter


def test_a_lone_sound_text_takes_the_meaning_of_its_file() -> None:
    legacy = [["Hä vµ tªn", to_tcvn3("bộ")], ["Ngµy tr¶", "x"]]
    assert legacy[0][1] == "bé"
    rows, note = mend_rows(legacy)  # type: ignore[arg-type]
    assert rows == [["Họ và tên", "bộ"], ["Ngày trả", "x"]]
    assert "TCVN3" in note
    assert mend_rows([["bé", "Họ và tên"]]) == ([["bé", "Họ và tên"]], "")


def test_a_sound_text_between_two_encodings_is_not_guessed() -> None:
    rows, _ = mend_rows([["Hä vµ tªn", "bé", "Trần Thị Bưởi"], ["bé", "Nguyễn"], ["bé", "Hä vµ tªn"]])
    assert rows[0][0] == "Họ và tên"
    assert isinstance(rows[0][1], CellFault)
    assert rows[1] == ["bé", "Nguyễn"]
    assert rows[2] == ["bộ", "Họ và tên"]


@pytest.mark.parametrize("text", ["Nội dung", "Số thủ tục", "Đơn vị", "Ngày hoàn thành"])
def test_utf8_read_as_windows_1252_is_undone(text: str) -> None:
    broken = "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in text.encode())
    assert repair(broken) == text


def test_bytes_of_no_vietnamese_encoding_are_refused() -> None:
    with pytest.raises(UnreadableFileError) as refusal:
        to_utf8("Größe;Übung;schön;müde".encode("latin-1"))
    assert refusal.value.code == "bad_encoding"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(UnreadableFileError):
        to_utf8(data).decode()


ACRONYMS = ["P. GD&ĐT", "P. LĐ-TB&XH", "HĐND", "VP HĐND&UBND", "ĐVT", "QĐ", "NĐ-CP", "TT ĐKĐĐ", "CĐ-ĐH", "ĐTN, HĐND"]
NAMES = ["Phòng Nội vụ", "Văn phòng HĐND và UBND huyện", "Phòng Tư pháp", "Cơ quan chuyên môn", "đơn vị sự nghiệp"]


def _misread(text: str) -> str:
    return "".join(
        chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252")
        for byte in text.encode()
    )


@pytest.mark.parametrize("broken", [to_tcvn3, to_vni, _misread], ids=["tcvn3", "vni", "mojibake"])
def test_an_acronym_is_read_as_the_rest_of_its_file(broken: Callable[[str], str]) -> None:
    """No word of an acronym proves an encoding; what the names around it prove is what it is in."""
    rows, _ = mend_rows([[broken(text)] for text in (*NAMES, *ACRONYMS)])
    assert rows == [[text] for text in (*NAMES, *ACRONYMS)]


@pytest.mark.parametrize("acronym", ["AÑO", "ÑVT"])
def test_capitals_of_another_alphabet_stay_in_a_unicode_file(acronym: str) -> None:
    assert mend_rows([[text] for text in (*NAMES, acronym)])[0][-1] == [acronym]


@pytest.mark.parametrize("text", ["¹", "² ³", "Theo 16 TTHC ¹", "¹²"])
def test_marks_of_footnotes_are_no_letters_of_a_legacy_font(text: str) -> None:
    rows = [[text, "Trần Thị Bưởi"], ["Rà soát", text]]
    assert mend_rows(rows) == (rows, "")  # type: ignore[arg-type]

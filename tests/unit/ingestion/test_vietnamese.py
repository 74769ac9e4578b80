"""Text: folding matches spellings and nothing else; broken text is repaired with certainty or named broken."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.reading.legacy_encodings import mend_rows
from ingestion.text.vietnamese import (
    VIETNAMESE_LETTERS,
    LabelIndex,
    bare,
    certain_repairs,
    clean,
    fold,
    looks_broken,
    repair,
)

WORDS = st.text(alphabet=sorted(VIETNAMESE_LETTERS), min_size=1, max_size=8)
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


@given(TEXTS)
def test_folding_does_not_depend_on_normal_form_case_or_blanks(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
    assert fold(text.replace(" ", "\u00a0 ")) == fold(text)
    assert fold(f"\ufeff{text}\u200b") == fold(text)
    assert fold(text.upper()) == fold(text)


@given(TEXTS)
def test_clean_is_composed_and_stable(text: str) -> None:
    cleaned = clean(unicodedata.normalize("NFD", text))
    assert cleaned == unicodedata.normalize("NFC", text) == clean(cleaned)


@pytest.mark.parametrize(
    ("one", "other"), [("hoà", "hòa"), ("thuỷ", "thủy"), ("Uỷ ban", "Ủy ban"), ("Số  hồ-sơ", "số hồ sơ")]
)
def test_place_of_the_tone_and_punctuation_do_not_matter(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Nam", "Năm"), ("An Thạnh 1", "An Thạnh 2"), ("hẹn", "hèn"), ("đất", "dất")]
)
def test_different_words_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_a_label_with_fewer_diacritics_matches_but_a_contradicting_one_does_not() -> None:
    index: LabelIndex[str] = LabelIndex()
    index.add("Nam", "male")
    index.add("Mã hồ sơ", "case")
    assert index.find("MA HO SO") == {"case"}
    assert index.find("Mã ho sơ") == {"case"}
    assert index.find("Năm") == set()
    assert index.find("Mả hồ sơ") == set()


def test_a_label_that_may_mean_two_things_gives_both() -> None:
    index: LabelIndex[str] = LabelIndex()
    index.add("Cù Lao Dung", "945")
    index.add("Cù Lao Dung", "31615")
    assert index.find("cu lao dung") == {"945", "31615"}


@pytest.mark.parametrize("text", ["Số thủ tục", "Thành phần hồ sơ khác", "Hộ tịch – Chứng thực", "đã giải quyết"])
def test_utf8_read_as_a_single_byte_encoding_is_repaired(text: str) -> None:
    broken = text.encode().decode("cp1252", errors="ignore")
    if broken.encode("cp1252").decode("utf-8", errors="replace") == text:
        assert repair(broken) == text
    else:
        assert repair(broken) in (None, text)


@pytest.mark.parametrize(
    "acronym", ["P. GD&ĐT", "P. LĐ-TB&XH", "HĐND", "VP HĐND&UBND", "ĐVT", "QĐ", "NĐ-CP", "TT ĐKĐĐ", "CĐ-ĐH"]
)
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_an_acronym_with_d_is_repaired_by_the_control_sign_in_it(acronym: str, encoding: str) -> None:
    """The second byte of Đ is a letter of neither encoding: nothing else can be meant, though no syllable shows it."""
    broken = "".join(_as_read(byte, encoding) for byte in acronym.encode())
    assert repair(broken) == acronym
    assert repair("AÑO") == "AÑO"


def _as_read(byte: int, encoding: str) -> str:
    try:
        return bytes([byte]).decode(encoding)
    except UnicodeDecodeError:
        return chr(byte)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Hä vµ tªn", "Họ và tên"),
        ("Hoï vaø teân", "Họ và tên"),
        ("®¬n vÞ", "đơn vị"),
        ("ngµy hÑn", "ngày hẹn"),
        ("Ph\ufffdng", None),
        ("®¬n \ufffd", None),
    ],
)
def test_text_of_legacy_fonts_is_repaired_and_lost_letters_are_never_let_through(text: str, meant: str | None) -> None:
    assert looks_broken(text)
    assert repair(text) == meant


@given(TEXTS)
def test_right_text_is_never_taken_for_broken(text: str) -> None:
    assert repair(text) == clean(text)


def test_bare_has_no_diacritics() -> None:
    assert bare("Đăng ký khai sinh – Hoà") == "dang ky khai sinh hoa"


_SOUND = (
    "Rà soát, đánh giá thủ tục ở xã", "CÁC XÃ, THỊ TRẤN", "XÃ AN THẠNH 1", "ĐÃ GIẢI QUYẾT", "Bảng giá đất",
)  # fmt: skip


@pytest.mark.parametrize("sign", ["\u00a0", "” ", "’ ", "» ", " – ", "—", "…", " • "])
@pytest.mark.parametrize("text", _SOUND)
def test_what_follows_a_word_never_makes_it_broken_nor_other_words(text: str, sign: str) -> None:
    spelt = sign.join(text.split(" ")) + sign
    assert not looks_broken(spelt)
    assert repair(spelt) == clean(spelt)
    rows = [[spelt], ["Rà soát khoán"], [text]]
    assert mend_rows(rows) == (rows, "")


@given(st.sampled_from(_SOUND).flatmap(lambda text: st.sampled_from([w for w in text.split() if not w.isascii()])))
def test_utf8_read_as_a_one_byte_encoding_is_told(word: str) -> None:
    read = "".join(bytes([b]).decode("cp1252") if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(b)
                   for b in word.encode())  # fmt: skip
    assert looks_broken(read)
    assert repair(read) == word


def test_a_text_that_is_unicode_beyond_doubt_is_in_no_legacy_font() -> None:
    assert "vni" not in certain_repairs("Rà soát thủ tục")
    assert certain_repairs("Raø soaùt")["vni"] == "Rà soát"

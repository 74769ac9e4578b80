"""Which numbers of a Vietnamese sentence are figures, and how a report is cut into sentences."""

from __future__ import annotations

import unicodedata

import pytest

from publication.narrative.claims import declared_units
from publication.narrative.figures import Figure, figures
from publication.narrative.text import Sentence, key_of, sentences


def _figures(text: str) -> list[Figure]:
    return figures(Sentence(1, 1, text), declared_units())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hoàn thành 8/20 chỉ tiêu, đạt 40% kế hoạch", [("8/20", "ratio", "8"), ("40%", "percent", "40")]),
        ("hoàn thành 14 trên tổng số 24 nhiệm vụ", [("14 trên tổng số 24", "ratio", "14")]),
        ("tiếp nhận 1.145 hồ sơ", [("1.145", "count", "1145")]),
        ("tiếp nhận 1 145 hồ sơ", [("1 145", "count", "1145")]),
        ("tiếp nhận 1145 hồ sơ", [("1145", "count", "1145")]),
        ("tiếp nhận 1,145 hồ sơ", [("1,145", "count", "1145")]),
        ("có 05 (năm) hồ sơ trễ hạn", [("05", "count", "5")]),
        ("đạt 28,57 % kế hoạch năm", [("28,57 %", "percent", "28.57")]),
        ("đạt 28.57 phần trăm", [("28.57 phần trăm", "percent", "28.57")]),
        ("tổng số 15 thủ tục", [("15", "count", "15")]),
        ("biên chế được giao là 2023", [("2023", "count", "2023")]),
        ("không ban hành VBQPPL", [("không ban hành", "zero", "0")]),
        ("không còn hồ sơ trễ hạn", [("không còn", "zero", "0")]),
    ],
)
def test_figures_are_read_as_written(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(one.text, one.kind, str(one.value)) for one in _figures(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "Kế hoạch số 03/KH-UBND ngày 04/01/2023 về công tác năm 2023",
        "Kế hoạch số 43/KH-Ủy ban nhân dân ngày 22/02/2023",
        "Nghị định số 130/2005/NĐ-CP ngày 17/10/2005 của Chính phủ",
        "Quyết định 45/2019/QĐ-UBND",
        "Nghị quyết số 18 của Trung ương",
        "TCVN ISO 9001:2015",
        "giai đoạn 2022-2025 và tầm nhìn đến năm 2030",
        "dịch vụ công trực tuyến mức độ 3, 4",
        "tính đến ngày 15/3/2023",
        "ngày 16 tháng 3 năm 2023",
        "trong 6 tháng đầu năm",
        "trong thời hạn 05 ngày làm việc",
        "Riêng xã An Thạnh 1 chưa cập nhật",
        "các TTHC không còn phù hợp",
        "theo khoản 2 Điều 13",
        "đơn vị tự chủ chi thường xuyên theo mục 7.1.2",
    ],
)
def test_numbers_that_name_or_date_are_no_figures(text: str) -> None:
    assert _figures(text) == []


def test_a_self_financing_group_is_a_name_not_a_percentage() -> None:
    found = _figures("có 03 đơn vị sự nghiệp tự chủ 100% chi thường xuyên")
    assert [one.text for one in found] == ["03"]


def test_words_between_two_figures_belong_to_one_of_them() -> None:
    received, resolved, late = _figures("tiếp nhận 1.145 hồ sơ, đã giải quyết 611 hồ sơ, 05 hồ sơ trễ hạn")
    assert received.left == (key_of("tiếp"), key_of("nhận"))
    assert key_of("giải") in resolved.left
    assert key_of("giải") not in received.near
    assert key_of("trễ") in late.right
    assert key_of("trễ") not in resolved.near


@pytest.mark.parametrize("other", ["Uỷ", "ỦY", unicodedata.normalize("NFD", "Ủy")])
def test_spellings_of_a_word_have_one_key(other: str) -> None:
    assert key_of(other) == key_of("Ủy")


@pytest.mark.parametrize(("one", "other"), [("hoà", "hòa"), ("tỷ", "tỉ"), ("quý", "quí"), ("kỷ", "kỉ")])
def test_old_and_new_spelling_have_one_key(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


def test_different_words_keep_different_keys() -> None:
    assert len({key_of(word) for word in ("tay", "tai", "mấy", "mái", "hoa", "hòa", "giao", "giáo")}) == 8


def test_sentences_end_where_a_new_one_begins_and_carry_their_headings() -> None:
    found = sentences(
        [
            "A. KẾT QUẢ",
            "I. Chỉ đạo",
            "2. Thủ tục hành chính",
            "a) Cấp xã",
            "Đã có 08 UBND cấp xã. 100% cơ quan làm tốt; gồm TP. Sóc Trăng. Xong",
            "phần này.",
            "B. PHƯƠNG HƯỚNG",
            "- Làm tiếp.",
        ]
    )
    texts = [one.text for one in found]
    assert texts[4:] == [
        "Đã có 08 UBND cấp xã.",
        "100% cơ quan làm tốt; gồm TP. Sóc Trăng.",
        "Xong phần này.",
        "PHƯƠNG HƯỚNG",
        "Làm tiếp.",
    ]
    assert (found[4].chapter, found[4].section) == ("KẾT QUẢ / Chỉ đạo", "Thủ tục hành chính / Cấp xã")
    assert (found[8].chapter, found[8].section) == ("PHƯƠNG HƯỚNG", "")

"""Documents are cited as the field does, and an office has one name."""

from __future__ import annotations

import datetime as dt

import pytest

from publication.content.citations import boards, cite, issuing_office

DAY = dt.date(2023, 3, 6)


@pytest.mark.parametrize(
    ("number", "dated", "issuer", "cited"),
    [
        ("115/UBND-NV", DAY, "Sở Nội vụ", "Công văn số 115/UBND-NV ngày 06/03/2023 của Sở Nội vụ"),
        ("85/BC-UBND", DAY, "", "Báo cáo số 85/BC-UBND ngày 06/03/2023"),
        ("11/KH-TTrH", None, "", "Kế hoạch số 11/KH-TTrH"),
        ("01/2023/QĐ-UBND", DAY, "", "Quyết định số 01/2023/QĐ-UBND ngày 06/03/2023"),
        (" 7/TTr-PNV ", DAY, "", "Tờ trình số 7/TTr-PNV ngày 06/03/2023"),
        ("Công văn số 5/UBND ngày 1/2/2023 của huyện", DAY, "Sở", "Công văn số 5/UBND ngày 1/2/2023 của huyện"),
        ("275", DAY, "", "275 ngày 06/03/2023"),
        ("", DAY, "Sở", ""),
        (None, None, "", ""),
    ],
)
def test_a_document_is_cited_by_kind_number_day_and_issuer(
    number: str | None, dated: dt.date | None, issuer: str, cited: str
) -> None:
    assert cite(number, dated, issuer) == cited


@pytest.mark.parametrize(
    ("post", "office"),
    [
        ("Chủ tịch UBND huyện", "Ủy ban nhân dân huyện Cù Lao Dung"),
        ("KT. Chủ tịch Uỷ ban nhân dân huyện Cù Lao Dung", "Ủy ban nhân dân huyện Cù Lao Dung"),
        ("Phó Chủ tịch UBND huyện", "Ủy ban nhân dân huyện Cù Lao Dung"),
        ("Chủ tịch UBND tỉnh", "Ủy ban nhân dân tỉnh"),
        ("Trưởng phòng Nội vụ", "Phòng Nội vụ"),
        ("Phó Giám đốc Sở Nội vụ", "Sở Nội vụ"),
        ("Chánh Văn phòng", "Văn phòng"),
        ("Sở Nội vụ", "Sở Nội vụ"),
        (None, ""),
    ],
)
def test_a_post_signs_for_an_office_of_one_name(post: str | None, office: str) -> None:
    assert issuing_office(post, "Huyện Cù Lao Dung") == office


@pytest.mark.parametrize(("unit", "kind"), [("Thị trấn Cù Lao Dung", "thị trấn"), ("Xã An Thạnh", "xã"), ("Nơi", "")])
def test_a_board_is_called_by_the_kind_of_its_area(unit: str, kind: str) -> None:
    assert boards(unit) == (f"Ủy ban nhân dân {kind}".strip(), f"Ủy ban nhân dân {unit[:1].lower()}{unit[1:]}")

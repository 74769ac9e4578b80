"""The letter says what the mart says, in words that never take a missing figure for zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from common.forms import load_forms
from publication.content.release_content import FormRow, ReleaseContent
from publication.content.revision import RevisedFigure, Revision
from publication.letter import compose
from publication.letter.compose import NARRATIVE, UnknownFigure
from publication.letter.model import Letter
from publication.letter.wording import ParagraphWording, load_wording
from tests.unit.publication.builders import FORM_VERSION, UNIT

MakeContent = Callable[..., ReleaseContent]
MISSING = "số liệu báo cáo"


def body(letter: Letter) -> str:
    return "\n".join(paragraph.text for paragraph in (*letter.body, letter.closing))


def with_values(
    content: ReleaseContent, values: dict[str, Decimal | None], other: Decimal | None = None
) -> ReleaseContent:
    """The content with other figures; ``other`` is put into every row that is not named."""
    rows = []
    for row in content.rows:
        value = values.get(row.code, other if other is not None else row.value)
        status = "not_reported" if value is None else "computed"
        rows.append(FormRow({**row.values, "value": value, "status": status}))
    return replace(content, rows=tuple(rows))


def with_unit(content: ReleaseContent, **unit: str) -> ReleaseContent:
    table = pa.Table.from_pylist([{"unit_code": content.unit_code, **unit}])
    return replace(content, tables={**content.tables, "dim_unit": table}, unit_name_vi=unit["name_vi"])


def with_narrative(content: ReleaseContent, paragraphs: Iterable[tuple[str, int, str]]) -> ReleaseContent:
    rows = [
        {"unit_code": UNIT, "quarter": content.quarter, "section": section, "paragraph_no": number, "text_vi": text}
        for section, number, text in paragraphs
    ]
    return replace(content, tables={**content.tables, NARRATIVE: pa.Table.from_pylist(rows)})


@pytest.fixture
def content(make_content: MakeContent) -> ReleaseContent:
    return make_content()


# --- wording --------------------------------------------------------------------------------------------------------


def test_every_form_version_has_a_wording_that_names_only_its_rows() -> None:
    assert FORM_VERSION in {form.form for form in load_forms()}
    for form in load_forms():
        assert {code.partition(":")[0] for code in load_wording(form.form).codes} <= form.codes


def test_a_form_version_without_wording_is_said_to_have_none() -> None:
    with pytest.raises(LookupError, match="1999"):
        load_wording("1999")


@pytest.mark.parametrize(
    "choices",
    [
        [],
        [{"say": "Có {I.03} nhiệm vụ."}],
        [{"if": {"I.03": "zero"}, "say": "Không có."}],
        [{"say": ""}],
        [{"say": "Chưa có.", "when": {}}],
    ],
)
def test_a_sentence_that_could_fall_silent_is_refused(choices: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        ParagraphWording.model_validate({"sentences": [choices]})


# --- figures --------------------------------------------------------------------------------------------------------


def test_the_letter_of_the_real_quarter_says_its_figures(content: ReleaseContent) -> None:
    said = body(compose(content))
    for sentence in (
        "đã hoàn thành 9/19 nhiệm vụ, đạt 47,37% Kế hoạch CCHC năm 2023.",
        "Trong quý I năm 2023, Ủy ban nhân dân huyện không ban hành văn bản quy phạm pháp luật (VBQPPL).",
        "tiếp nhận 1.145 hồ sơ TTHC, đã giải quyết 611 hồ sơ, trong đó 611 hồ sơ được giải quyết đúng hạn.",
        "có 389 TTHC áp dụng trên địa bàn huyện, gồm 275 TTHC",
        "(trong đó có 16 TTHC dùng chung cấp huyện và cấp xã)",
        "Có 41 TTHC đủ điều kiện cung cấp trực tuyến mức độ 3; số TTHC đang cung cấp chưa có số liệu báo cáo.",
    ):
        assert sentence in said


def test_each_printed_figure_knows_its_row(content: ReleaseContent) -> None:
    rows = content.rows_by_code
    figures = list(compose(content).figures())
    assert len(figures) > 40
    assert {figure.text for figure in figures if figure.code == "III.23"} == {"1.145"}
    assert all(figure.text == rows[str(figure.code)].printed for figure in figures)


def test_a_missing_figure_is_said_to_be_missing_and_no_other_is(content: ReleaseContent) -> None:
    whole = with_values(content, {}, other=Decimal(7))
    assert MISSING not in body(compose(whole))
    district = {code for code in load_wording(FORM_VERSION).codes if code != "IV.27"}  # Only communes speak of it.
    for code in sorted(district):
        letter = compose(with_values(whole, {code: None}))
        assert code not in {figure.code for figure in letter.figures()}
        assert MISSING in body(letter), code


def test_zero_is_zero_and_not_missing(content: ReleaseContent) -> None:
    said = body(compose(with_values(content, {}, other=Decimal(0))))
    assert MISSING not in said
    assert "Trong quý không phát sinh phản ánh, kiến nghị của tổ chức, cá nhân về TTHC." in said


# --- units and quarters ---------------------------------------------------------------------------------------------


def test_a_district_writes_as_a_district(content: ReleaseContent) -> None:
    letter = compose(content)
    assert letter.agency == ("ỦY BAN NHÂN DÂN", "HUYỆN CÙ LAO DUNG")
    assert letter.place_and_date.startswith("Cù Lao Dung, ngày ")
    assert letter.subject == (
        "Kết quả thực hiện công tác cải cách hành chính quý I và phương hướng, nhiệm vụ quý II năm 2023"
    )
    assert letter.receivers == (
        "- Sở Nội vụ;",
        "- Các cơ quan, đơn vị huyện;",
        "- UBND các xã, thị trấn;",
        "- Lưu: VT.",
    )
    assert letter.dated.isoformat() == "2023-03-14"


@pytest.mark.parametrize(("parent", "superior"), [("945", "Phòng Nội vụ"), ("94", "Sở Nội vụ")])
def test_a_commune_writes_as_a_commune(content: ReleaseContent, parent: str, superior: str) -> None:
    commune = with_unit(content, name_vi="Xã An Thạnh", unit_level="commune", parent_unit_code=parent)
    letter = compose(commune)
    assert letter.agency == ("ỦY BAN NHÂN DÂN", "XÃ AN THẠNH")
    assert letter.place_and_date.startswith("An Thạnh, ngày ")
    assert letter.closing.text.endswith(f"Ủy ban nhân dân xã An Thạnh báo cáo {superior} biết, tổng hợp./.")
    assert letter.receivers[0] == f"- {superior};"
    assert "huyện" not in body(letter)
    assert "Bộ phận Một cửa cấp xã tiếp nhận 6.530 hồ sơ" in body(letter)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Thị trấn Cù Lao Dung", "Cù Lao Dung"),
        ("Phường 2", "Phường 2"),
        ("Thành phố Sóc Trăng", "Sóc Trăng"),
    ],
)
def test_places_are_named_without_their_kind_unless_they_are_numbers(
    content: ReleaseContent, name: str, place: str
) -> None:
    unit = with_unit(content, name_vi=name, unit_level="commune", parent_unit_code="945")
    assert compose(unit).place_and_date.startswith(f"{place}, ngày ")


def test_the_last_quarter_looks_into_the_next_year(content: ReleaseContent) -> None:
    quarters = pa.Table.from_pylist([{**content.tables["dim_quarter"].to_pylist()[0], "quarter": "2023-Q4"}])
    letter = compose(replace(content, quarter="2023-Q4", tables={**content.tables, "dim_quarter": quarters}))
    assert letter.subject.endswith("quý IV năm 2023 và phương hướng, nhiệm vụ quý I năm 2024")
    assert "III. PHƯƠNG HƯỚNG, NHIỆM VỤ QUÝ I NĂM 2024" in body(letter)


# --- what people write ----------------------------------------------------------------------------------------------


def test_without_paragraphs_of_people_there_are_dots_to_write_on(content: ReleaseContent) -> None:
    letter = compose(content)
    lines = [paragraph.text for paragraph in letter.body]
    for heading in ("1. Ưu điểm", "2. Hạn chế", "III. PHƯƠNG HƯỚNG, NHIỆM VỤ QUÝ II"):
        assert set(lines[lines.index(heading) + 1]) == {"…"}
    assert lines[0].startswith("Căn cứ ………")


def test_paragraphs_of_people_stand_in_their_sections_in_order(content: ReleaseContent) -> None:
    letter = compose(with_narrative(content, [
        ("II.2", 2, "Hai."), ("II.2", 1, "Một."), ("I.10", 1, "Phân cấp."), ("III", 1, "Tiếp tục."),
        ("opening", 1, "Căn cứ Kế hoạch số 192/KH-UBND, huyện báo cáo như sau:"), ("receivers", 1, "- Sở Nội vụ;"),
        ("receivers", 2, "Lưu: VT, NV"),
    ]))  # fmt: skip
    lines = [paragraph.text for paragraph in letter.body]
    assert lines[0] == "Căn cứ Kế hoạch số 192/KH-UBND, huyện báo cáo như sau:"
    at = lines.index("2. Hạn chế")
    assert lines[at + 1 : at + 5] == ["Một.", "Hai.", "III. PHƯƠNG HƯỚNG, NHIỆM VỤ QUÝ II", "Tiếp tục."]
    assert lines[lines.index("10. Thực hiện phân cấp quản lý") + 1] == "Phân cấp."
    assert letter.receivers == ("- Sở Nội vụ;", "- Lưu: VT, NV.")


def test_a_paragraph_may_quote_a_figure(content: ReleaseContent) -> None:
    letter = compose(with_narrative(content, [("II.1", 1, "Đã tiếp nhận {III.23} hồ sơ, {VII.23} thủ tục.")]))
    assert "Đã tiếp nhận 1.145 hồ sơ, (chưa có số liệu báo cáo) thủ tục." in body(letter)
    assert [figure.text for figure in letter.figures() if figure.code == "III.23"] == ["1.145", "1.145"]


def test_a_quotation_of_a_row_that_does_not_exist_stops_the_letter(content: ReleaseContent) -> None:
    with pytest.raises(UnknownFigure, match=r"III\.99"):
        compose(with_narrative(content, [("II.1", 1, "Có {III.99} hồ sơ.")]))


# --- annex and remarks ----------------------------------------------------------------------------------------------


def test_every_row_is_in_the_annex_as_the_form_prints_it(content: ReleaseContent) -> None:
    annex = compose(content).annex
    assert [line.figure for line in annex] == [row.printed for row in content.rows]
    assert [line.name for line in annex] == [row.values["indicator_name_vi"] for row in content.rows]


def test_rows_point_to_the_remarks_about_them(make_content: MakeContent) -> None:
    decided = {
        "decision_id": "QD-07",
        "effect": "applied",
        "subject_kind": "row",
        "subject": "III.05",
        "action": "accept_declared",
    }
    letter = compose(
        make_content(
            changes={"III.05": {"decision_id": "QD-07", "declared_value": Decimal(1), "computed_value": Decimal(0)}},
            decisions=[decided],
        )
    )
    assert letter.annex[52].note == "(1)"
    assert letter.remarks[0].lines == (
        "(1) Công bố số do cơ quan khai báo (1); số tính từ dữ liệu chi tiết là 0. (Giải trình QD-07; dòng 53)",
    )


def test_remarks_say_why_rows_are_blank_and_how_many_units_are_in(make_content: MakeContent) -> None:
    letter = compose(
        make_content(
            changes={
                "III.26": {"units_counted": 7, "units_expected": 8},
                "III.27": {"units_counted": 8, "units_expected": 8},
            }
        )
    )
    said = {block.heading: block.lines for block in letter.remarks}
    (blank,) = said["Dòng để trống"]
    assert blank.startswith("- Để trống vì cơ quan chưa gửi số liệu này; để trống không có nghĩa là bằng 0.")
    assert "phần V: dòng 127" in blank
    assert said["Số đơn vị đã tổng hợp"] == (
        "- 1 dòng tổng hợp đủ 8/8 đơn vị phải báo cáo.",
        "- Dòng 74: có số liệu của 7/8 đơn vị.",
    )


def test_a_further_release_says_what_changed(content: ReleaseContent) -> None:
    changed = RevisedFigure("III.23", 71, "Số hồ sơ TTHC do UBND cấp huyện tiếp nhận", "1.145", "1.146", ())
    letter = compose(replace(content, revision=Revision(1, 2, (), (changed,))))
    head, figure = letter.remarks[-1].lines
    assert letter.remarks[-1].heading == "Thay đổi so với bản phát hành trước"
    assert head == "- Bản phát hành r2 thay bản r1: 1 số liệu của biểu thay đổi."
    assert figure.startswith("- Dòng 71 (III.23) Số hồ sơ TTHC do UBND cấp huyện tiếp nhận: 1.145 → 1.146.")

"""The letter says what the mart says, in words that never take a missing figure for zero."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from common.forms import load_forms
from publication.content.release_content import FormRow, ReleaseContent
from publication.content.revision import Revision
from publication.content.signing import Signing
from publication.formatting import parse_number
from publication.letter import compose, compose_body
from publication.letter.compose import MEASURES, NARRATIVE, PLANS, UnknownFigure, sums
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


def with_plans(content: ReleaseContent, *plans: tuple[str, str, dt.date | None, str | None]) -> ReleaseContent:
    names = ("plan_kind", "document_number", "dated", "title_vi")
    rows = [dict(zip(names, plan, strict=True)) for plan in plans]
    return replace(content, tables={**content.tables, PLANS: pa.Table.from_pylist(rows)})


#: What the cases of the real quarter came to beyond the form's rows.
CASES = {
    "district_cases_late": 0,
    "district_cases_open": 534,
    "district_cases_overdue": 3,
    "commune_cases_late": 12,
    "commune_cases_open": 0,
    "commune_cases_overdue": 0,
}


def with_measures(content: ReleaseContent, **values: int | None) -> ReleaseContent:
    rows = [
        {"measure": measure, "value": value, "is_reported": value is not None}
        for measure, value in {**CASES, **values}.items()
    ]
    return replace(content, tables={**content.tables, MEASURES: pa.Table.from_pylist(rows)})


@pytest.fixture
def content(make_content: MakeContent) -> ReleaseContent:
    return with_measures(make_content())


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
        [{"say": "Đã làm.", "tells": "nothing"}],
        [{"say": "Thực hiện {plan.cchc_year}."}],
        [{"say": "Có {#district_late} hồ sơ trễ hạn."}],
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
        "trong đó 611 hồ sơ được giải quyết đúng hạn, không có hồ sơ trễ hạn. Trong số hồ sơ đúng hạn có 01 hồ sơ",
        "Bộ phận Một cửa cấp huyện đang giải quyết 534 hồ sơ, trong đó 03 hồ sơ quá hạn.",
        "trong đó 6.530 hồ sơ được giải quyết đúng hạn, 12 hồ sơ trễ hạn.",
        "Bộ phận Một cửa cấp xã không còn hồ sơ đang giải quyết.",
        "Trong quý đã tuyên truyền, phổ biến 02 văn bản pháp luật.",
        "có 389 TTHC áp dụng trên địa bàn huyện, gồm 275 TTHC",
        "(trong đó có 16 TTHC dùng chung cấp huyện và cấp xã)",
        "Có 41 TTHC đủ điều kiện cung cấp trực tuyến mức độ 3. Có 237 TTHC",
    ):
        assert sentence in said


def test_each_printed_figure_knows_its_row(content: ReleaseContent) -> None:
    known = {row.code: row.value for row in content.rows} | sums(content)
    figures = list(compose(content).figures())
    assert len(figures) > 40
    assert {figure.text for figure in figures if figure.code == "III.23"} == {"1.145"}
    assert all(parse_number(figure.text) == known[str(figure.code)] for figure in figures)


@pytest.mark.parametrize(
    ("value", "text"), [("0", "0"), ("1", "01"), ("9", "09"), ("10", "10"), ("2.5", "2,5"), ("1145", "1.145")]
)
def test_counts_below_ten_have_a_zero_before_them_in_running_text(
    content: ReleaseContent, value: str, text: str
) -> None:
    quoting = with_narrative(content, [("II.1", 1, "Có {III.23} hồ sơ, đạt {III.23}%, {III.23}/{III.23} hồ sơ.")])
    letter = compose(with_values(quoting, {"III.23": Decimal(value)}))
    plain = text.removeprefix("0") or "0"
    assert f"Có {text} hồ sơ, đạt {plain}%, {plain}/{plain} hồ sơ." in body(letter)
    assert letter.annex[70].figure == plain


def test_a_missing_figure_is_told_to_the_signer_and_never_read_as_zero(content: ReleaseContent) -> None:
    whole = with_values(content, {}, other=Decimal(7))
    assert not [one for one in compose_body(whole).left_out if MISSING in one.text]
    said = body(compose(whole))
    district = {code for code in load_wording(FORM_VERSION).codes if code != "IV.27"}  # Only communes speak of it.
    partly = {"VII.23", "VII.27", "VII.28", "VII.31"}  # What else the sentence says is said without them.
    for code in sorted(district):
        found = compose_body(with_values(whole, {code: None}))
        letter = compose(with_values(whole, {code: None}))
        assert code not in {figure.code for figure in letter.figures()}
        assert MISSING not in body(letter)
        assert body(letter) != said, code
        assert code in partly or [one for one in found.left_out if MISSING in one.text], code


def test_zero_is_zero_and_not_missing(content: ReleaseContent) -> None:
    nothing = with_values(content, {}, other=Decimal(0))
    assert not [one for one in compose_body(nothing).left_out if MISSING in one.text]
    assert "Trong quý không phát sinh phản ánh, kiến nghị của tổ chức, cá nhân về TTHC." in body(compose(nothing))


def test_the_letter_confesses_nothing_that_nobody_wrote(content: ReleaseContent) -> None:
    nothing = with_values(content, {}, other=Decimal(0))
    said, kept_back = body(compose(nothing)), [one.text for one in compose_body(nothing).left_out]
    assert "chưa có sáng kiến" not in said.lower()
    assert "Chưa có sáng kiến, giải pháp mới về CCHC." in kept_back
    assert len(kept_back) > 10
    assert not [text for text in kept_back if text in said]


def test_the_wording_may_let_the_letter_say_it(content: ReleaseContent, monkeypatch: pytest.MonkeyPatch) -> None:
    wording = load_wording(FORM_VERSION).model_copy(update={"left_out": frozenset()})
    monkeypatch.setattr(sys.modules["publication.letter.compose"], "load_wording", lambda _: wording)
    assert "Chưa có sáng kiến, giải pháp mới về CCHC." in body(compose(content))
    assert compose_body(content).left_out == ()


@pytest.mark.parametrize("order", ["Bỏ câu: Trong quý, lãnh đạo", "bỏ câu : “Trong quý, lãnh đạo ….”"])
def test_an_office_leaves_a_sentence_out(content: ReleaseContent, order: str) -> None:
    sentence = "Trong quý, lãnh đạo Ủy ban nhân dân huyện đã tổ chức đối thoại với người dân, doanh nghiệp."
    assert sentence in body(compose(content))
    told = with_narrative(content, [("I.1", 1, "Đã giao nhiệm vụ."), ("I.1", 2, order)])
    said = body(compose(told))
    assert "Đã giao nhiệm vụ." in said
    assert sentence not in said
    assert "ỏ câu" not in said
    found = compose_body(told)
    assert [one.text for one in found.left_out if one.by_office] == [sentence]
    assert found.unmatched == ()


def test_an_order_that_fits_no_sentence_is_told(content: ReleaseContent) -> None:
    told = with_narrative(content, [("I.2", 1, "Bỏ câu: Trong quý, lãnh đạo")])  # It stands in another section.
    assert compose_body(told).unmatched == ((("I.2", 1), "Trong quý, lãnh đạo"),)
    assert "Trong quý, lãnh đạo" in body(compose(told))


def test_no_line_announces_items_of_which_none_is_left(content: ReleaseContent) -> None:
    announced = "Kết quả thực hiện cơ chế một cửa, một cửa liên thông:"
    assert announced in body(compose(content))
    none = dict.fromkeys(("III.19", "III.23", "III.25", "III.26", "III.28", "I.25"))
    unknown = with_measures(with_values(content, none), **dict.fromkeys(CASES))
    assert announced not in body(compose(unknown))


def test_a_document_with_several_days_is_cited_without_one(content: ReleaseContent) -> None:
    plans = [("cchc_year", "03/KH-UBND", dt.date(2023, 1, day), None) for day in (4, 11)]
    said = body(compose(with_plans(content, *plans)))
    assert said.count("03/KH-UBND") == 1
    assert "03/KH-UBND ngày" not in said


def test_plans_are_cited_as_the_register_names_them(content: ReleaseContent) -> None:
    assert "Kết quả đến nay đã hoàn thành 9/19 nhiệm vụ" in body(compose(content))
    first = dt.date(2023, 1, 4)
    said = body(compose(with_plans(content, ("cchc_year", "03/KH-UBND", first, None))))
    plan = "Kế hoạch số 03/KH-UBND ngày 04/01/2023 về thực hiện công tác CCHC năm 2023"
    assert f"Thực hiện {plan}, kết quả đến nay đã hoàn thành 9/19 nhiệm vụ" in said
    later = ("cchc_year", "88/QĐ-UBND", None, "Về bổ sung kế hoạch")
    said = body(compose(with_plans(content, later, ("cchc_year", "03/KH-UBND", first, None))))
    assert f"Thực hiện {plan}; Quyết định số 88/QĐ-UBND về bổ sung kế hoạch, kết quả" in said


def test_the_letter_has_one_name_for_its_office(content: ReleaseContent) -> None:
    for sentence in {choice.say for choice in load_wording(FORM_VERSION).choices}:
        assert not re.search(r"UBND|Uỷ ban|huyện", sentence.replace("cấp huyện", "")), sentence
        assert "Ủy ban nhân dân cấp huyện" not in sentence


def test_open_and_late_cases_that_are_not_known_are_not_said(content: ReleaseContent) -> None:
    unknown = with_measures(content, **dict.fromkeys(CASES))
    said = body(compose(unknown))
    assert "trong đó 611 hồ sơ được giải quyết đúng hạn. Trong số" in said
    assert "đang giải quyết" not in said
    assert len([one for one in compose_body(unknown).left_out if "đang giải quyết" in one.text]) == 2


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


@pytest.mark.parametrize(
    ("closes", "parent", "superior"),
    [(dt.date(2023, 3, 14), "945", "Phòng Nội vụ"), (dt.date(2025, 9, 14), "92", "Sở Nội vụ")],
)
def test_a_commune_writes_as_a_commune(content: ReleaseContent, closes: dt.date, parent: str, superior: str) -> None:
    commune = with_unit(content, name_vi="Xã An Thạnh", unit_level="commune", parent_unit_code=parent)
    quarters = [row | {"closes_on": closes} for row in content.tables["dim_quarter"].to_pylist()]
    commune = replace(commune, tables={**commune.tables, "dim_quarter": pa.Table.from_pylist(quarters)})
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
    assert [line.name for line in annex] == [row.name_vi for row in content.rows]


def test_names_that_the_form_spells_wrong_are_printed_right(make_content: MakeContent) -> None:
    right = "Bố trí công chức, viên chức chuyên trách CNTT"
    letter = compose(make_content(changes={"VII.03": {"indicator_name_corrected_vi": right}}))
    assert letter.annex[153].name == right


def decided(code: str, action: str = "accept_declared", number: str = "115/UBND-NV", **more: Any) -> dict[str, Any]:
    return {
        "decision_id": f"QD-{code}",
        "effect": "applied",
        "subject_kind": "row",
        "subject": code,
        "action": action,
        "document_number": number,
        "dated": dt.date(2023, 3, 16),
        "approved_by_vi": "Chủ tịch UBND huyện",
        "reason_vi": "lý do của cơ quan",
        **more,
    }


def test_footnotes_are_short_and_numbered_by_place(make_content: MakeContent) -> None:
    codes = ("VI.04", "III.05", "I.16")
    letter = compose(
        make_content(
            changes={code: {"decision_id": f"QD-{code}", "declared_value": Decimal(1)} for code in codes},
            decisions=[decided("VI.04"), decided("III.05"), decided("I.16", number="9/QĐ-UBND")],
        )
    )
    office = "của Ủy ban nhân dân huyện Cù Lao Dung."
    assert letter.footnotes == (
        "(1) “Có thực hiện tuyên truyền CCHC thường xuyên thông qua phương tiện truyền thông (báo, đài, website, zalo, "
        f"...)” (mục I.3): số liệu do cơ quan, đơn vị báo cáo, theo Quyết định số 9/QĐ-UBND ngày 16/03/2023 {office}",
        "(2) “Đơn giản hóa TTHC” (mục III.1); “Số lượng đơn vị sự nghiệp công lập (SNCL) thực hiện cơ chế tự chủ” (mục "
        f"VI.3): số liệu do cơ quan, đơn vị báo cáo, theo Công văn số 115/UBND-NV ngày 16/03/2023 {office}",
    )
    assert (letter.annex[15].note, letter.annex[52].note, letter.annex[146].note) == ("(1)", "(2)", "(2)")


def test_what_is_internal_is_not_in_the_annex(make_content: MakeContent) -> None:
    content = make_content(
        changes={"III.26": {"units_counted": 7, "units_expected": 8}},
        decisions=[decided("III.05", "accept_finding", subject_kind="rule", subject="report.III.05.follows_parts")],
    )
    letter = compose(replace(content, revision=Revision(1, 2, (), ())))
    assert letter.footnotes == ()
    assert not [line.note for line in letter.annex if "(" in line.note and "dùng chung" not in line.note]


# --- number, day, signer --------------------------------------------------------------------------------------------


def test_number_day_and_signer_are_left_blank_or_as_set(content: ReleaseContent) -> None:
    blank = compose(content)
    assert (blank.number, blank.post, blank.signer) == ("Số:            /BC-UBND", ("CHỦ TỊCH",), "")
    assert "ngày        tháng" in blank.place_and_date
    made = compose(replace(content, signing=Signing("85", dt.date(2023, 2, 6), "Trần Văn Nguyên", deputy=True)))
    assert made.number == "Số: 85/BC-UBND"
    assert made.place_and_date == "Cù Lao Dung, ngày 06 tháng 02 năm 2023"
    assert (made.authority, made.post) == ("TM. ỦY BAN NHÂN DÂN", ("KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"))
    assert made.signer == "Trần Văn Nguyên"
    assert made.annex_title[-1] == (
        "(Kèm theo Báo cáo số 85/BC-UBND ngày 06 tháng 02 năm 2023 của Ủy ban nhân dân huyện Cù Lao Dung)"
    )

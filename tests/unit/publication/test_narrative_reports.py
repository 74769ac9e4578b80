"""The narrative check on reports labelled by hand: how much it finds, how much of that is right.

The real report and the invented one of 2024-Q2 were labelled before the claims were declared. That of 2024-Q3 was
held back: what the check made of it at first sight is told in ``docs/check-report.md``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publication.formatting import format_number
from publication.narrative import FigureCheck, ReportCheck, WrittenReport, check_written
from publication.narrative.check import check_sentence
from publication.narrative.claims import Claim, Meaning, claims_of, declared_units, meaning_of
from publication.narrative.figures import figures
from publication.narrative.published import PublishedFigures
from publication.narrative.text import Sentence, sentences
from tests.support.narrative import HELD_OUT, INVENTED, REAL, Score, labels, marts, report, score

COMPARED = ("agrees", "contradicts")
#: Precision and recall of what can be compared, by report.
REACHED = {
    REAL: (Fraction(1), Fraction(1)),
    INVENTED: (Fraction(1), Fraction(1)),
    HELD_OUT: (Fraction(1), Fraction(37, 41)),
}


def _checked(quarter: str, text: WrittenReport | None = None) -> ReportCheck:
    return check_written(text or report(quarter), marts(quarter), quarter)


@pytest.mark.parametrize("quarter", [REAL, INVENTED, HELD_OUT])
def test_precision_and_recall_of_labelled_reports(quarter: str) -> None:
    found = score(_checked(quarter), labels(quarter), COMPARED)
    precision, recall = REACHED[quarter]
    assert found.precision >= precision, "\n".join(found.wrong)
    assert found.recall >= recall, "\n".join(found.wrong)


@pytest.mark.parametrize("quarter", [REAL, INVENTED, HELD_OUT])
def test_no_contradiction_is_missed_or_invented(quarter: str) -> None:
    found = score(_checked(quarter), labels(quarter), ["contradicts"])
    assert (found.precision, found.recall) == (1, 1), "\n".join(found.wrong)


@pytest.mark.parametrize("quarter", [REAL, INVENTED])
def test_every_number_that_is_no_figure_is_left_alone(quarter: str) -> None:
    found: Score = score(_checked(quarter), labels(quarter), [*COMPARED, "not_found"])
    assert found.found == found.labelled


def test_the_real_report_contradicts_itself_where_it_is_known_to() -> None:
    told = {
        (one.text, one.published_vi, tuple(row.row_no for row in one.rows))
        for one in _checked(REAL).figures
        if one.verdict == "contradicts"
    }
    assert told == {
        ("8/20", "9 / 19", (4, 3)),
        ("40%", "47,37%", (2,)),
        ("05", "611 − 611 = 0", (72, 73)),
        ("43", "43 người", (129,)),
        ("11", "1", (206,)),
    }


def test_every_row_of_the_real_annex_is_found_though_pages_break_rows() -> None:
    rows = _checked(REAL).table_rows
    assert [row.row_no for row in rows] == list(range(1, 212))
    assert {row.verdict for row in rows} == {"agrees"}


def test_a_changed_cell_of_the_annex_contradicts_its_row() -> None:
    written = report(REAL)
    rows = tuple(("", row[1], row[2], "83.1", *row[4:]) if row[3:4] == ("788",) else row for row in written.table_rows)
    changed = [row for row in _checked(REAL, replace(written, table_rows=rows)).table_rows if row.verdict != "agrees"]
    assert [(row.row_no, row.verdict, row.published_vi) for row in changed] == [(93, "contradicts", "788")]


_TONE_PLACES = {"hòa": "hoà", "Hòa": "Hoà", "xóa": "xoá", "Ủy": "Uỷ", "tỷ": "tỉ", "quý": "quí", "kỷ": "kỉ"}


def _old_spelling(text: str) -> str:
    for new, old in _TONE_PLACES.items():
        text = text.replace(new, old)
    return text


@pytest.mark.parametrize(
    "retyped",
    [
        lambda text: unicodedata.normalize("NFD", text),
        _old_spelling,
        lambda text: text.replace(" ", "\u00a0"),
        lambda text: re.sub(r"(?<=\d)\.(?=\d{3}\b)", "", text),
        lambda text: re.sub(r"(?<=\d)\.(?=\d{3} hồ sơ)", " ", text),
        lambda text: text.replace("%", " %"),
        lambda text: text.replace("Ủy ban nhân dân", "UBND").replace("hồ sơ thủ tục hành chính", "hồ sơ TTHC"),
    ],
    ids=["decomposed", "old spelling", "hard blanks", "no dots", "blanks in numbers", "blank before %", "short forms"],
)
def test_the_same_report_typed_otherwise_gives_the_same_verdicts(retyped: object) -> None:
    for quarter in (REAL, INVENTED):
        written = report(quarter)
        lines = tuple(retyped(line) for line in written.lines)  # type: ignore[operator]
        before, after = _checked(quarter), _checked(quarter, WrittenReport(lines, ()))
        assert [(one.verdict, one.sources) for one in after.figures] == [
            (one.verdict, one.sources) for one in before.figures
        ]


def _agreeing() -> list[tuple[str, Sentence, FigureCheck]]:
    found = []
    for quarter in (REAL, INVENTED, HELD_OUT):
        by_number = {sentence.number: sentence for sentence in sentences(report(quarter).lines)}
        agreeing = (one for one in _checked(quarter).figures if one.verdict == "agrees")
        found += [(quarter, by_number[one.sentence_no], one) for one in agreeing]
    return found


AGREEING = _agreeing()
_PUBLISHED = {quarter: PublishedFigures(marts(quarter)) for quarter in (REAL, INVENTED, HELD_OUT)}


def _changed(figure: FigureCheck, number: int, style: str) -> str:
    """The sentence with another number in the figure's place."""
    written = {
        "plain": str(number),
        "dotted": format_number(number),
        "spaced": format_number(number).replace(".", " "),
        "zeros": f"{number:02d}",
    }[style]
    rest = figure.sentence[figure.start + len(figure.text) :]
    if figure.says_zero:
        verb = figure.text.split(" ", 1)[1]
        return f"{figure.sentence[: figure.start]}{verb} {written}{rest}"
    changed = re.sub(r"^[\d., ]*\d", written, figure.text)
    return f"{figure.sentence[: figure.start]}{changed}{rest}"


def _was(figure: FigureCheck) -> set[Decimal]:
    """Numbers that leave the figure right."""
    if figure.says_zero:
        return {Decimal(0)}
    digits = re.match(r"[\d., ]*\d", figure.text)[0]  # type: ignore[index]
    written = Decimal(re.sub(r"[. ]", "", digits).replace(",", "."))
    return {written, written.quantize(Decimal(1), ROUND_HALF_UP)}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(range(len(AGREEING))),
    st.integers(1, 99_999),
    st.sampled_from(["plain", "dotted", "spaced", "zeros"]),
)
def test_another_number_in_the_place_of_one_that_agreed_contradicts(place: int, number: int, style: str) -> None:
    quarter, sentence, figure = AGREEING[place]
    if number in _was(figure):
        return
    text = _changed(figure, number, style)
    found = check_sentence(replace(sentence, text=text), _PUBLISHED[quarter])
    here = [one for one in found if one.start >= figure.start - 1]
    assert here[0].verdict == "contradicts", text
    assert here[0].sources == figure.sources


def test_each_figure_that_agreed_is_told_from_its_neighbour() -> None:
    for quarter, sentence, figure in AGREEING:
        for number in {int(value) + step for value in _was(figure) for step in (2, 10)}:
            text = _changed(figure, number, "plain")
            found = check_sentence(replace(sentence, text=text), _PUBLISHED[quarter])
            here = [one for one in found if one.start >= figure.start - 1]
            assert (here[0].verdict, here[0].sources) == ("contradicts", figure.sources), text


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Huyện tiếp nhận hơn 1.100 hồ sơ.", "agrees"),
        ("Huyện tiếp nhận hơn 1.200 hồ sơ.", "contradicts"),
        ("Huyện tiếp nhận gần 1.150 hồ sơ.", "agrees"),
        ("Huyện tiếp nhận khoảng 1.150 hồ sơ.", "agrees"),
        ("Huyện tiếp nhận khoảng 1.500 hồ sơ.", "contradicts"),
        ("Huyện hoàn thành 9/19 nhiệm vụ, đạt 47,4% kế hoạch.", "agrees"),
        ("Huyện hoàn thành 9/19 nhiệm vụ, đạt 47,368% kế hoạch.", "agrees"),
        ("Huyện hoàn thành 9/19 nhiệm vụ, đạt 47,3% kế hoạch.", "contradicts"),
        ("Phấn đấu tiếp nhận 2.000 hồ sơ.", "not_found"),
        ("Huyện tiếp nhận số hồ sơ tăng 45 hồ sơ.", "not_found"),
        ("Cùng kỳ năm trước, huyện tiếp nhận 1.000 hồ sơ.", "not_found"),
        ("Số TTHC được công bố mới: 15.", "agrees"),
    ],
)
def test_what_is_written_decides_what_counts_as_equal(text: str, verdict: str) -> None:
    checked = check_written(WrittenReport((text,), ()), marts(REAL), REAL)
    assert checked.figures[-1].verdict == verdict, checked.figures


def test_a_blank_row_is_said_to_be_blank() -> None:
    written = WrittenReport(("Văn bản đi của UBND huyện là 3.105 văn bản.",), ())
    [one] = check_written(written, marts(REAL), REAL).figures
    assert (one.verdict, one.reason_vi, one.rows[0].row_no) == ("not_found", "bảng số liệu để trống số này", 162)


def test_another_quarter_named_in_the_title_is_remarked() -> None:
    written = report(REAL)
    assert check_written(written, marts(REAL), REAL).remarks_vi == ()
    assert "quý II năm 2023" in check_written(written, marts(REAL), "2023-Q2").remarks_vi[0]


@pytest.mark.parametrize("claim", claims_of("2023"), ids=lambda claim: claim.id)
def test_each_claim_is_the_one_its_example_makes(claim: Claim) -> None:
    sentence = Sentence(1, 1, claim.example)
    said = [meaning_of(figure, sentence, None, claims_of("2023")) for figure in figures(sentence, declared_units())]
    assert claim in [one.claim for one in said if isinstance(one, Meaning)], said


@pytest.mark.parametrize(
    "text",
    [
        "Huyện tiếp nhận 1.145 hồ sơ tăng so với cùng kỳ năm trước.",
        "Huyện tiếp nhận 1.145 hồ sơ, bằng 105% so với cùng kỳ; đã giải quyết 611 hồ sơ, bằng 98% so với quý trước.",
        "Huyện tiếp nhận 1.145 hồ sơ, tăng thêm 45 hồ sơ.",
        "Toàn huyện có 3 xã tổ chức tốt việc niêm yết.",
        "Đến nay 3 cơ quan chuyên môn đã hoàn thành báo cáo.",
        "Đã có 5 đơn vị sự nghiệp được khen thưởng.",
        "Có 12 hồ sơ khen thưởng cấp tỉnh.",
        "Các TTHC mức độ 3 và 4 được công khai.",
        "UBND 2 xã chưa gửi báo cáo.",
        "Phó Chủ tịch trực tiếp tiếp 15 lượt công dân.",
        "Đã trang bị 20 máy tính cho Bộ phận Một cửa cấp xã.",
        "Năm 2022, huyện tiếp nhận 4.512 hồ sơ.",
        "Quý IV, huyện tiếp nhận 1.200 hồ sơ.",
        "Trong tháng 01, huyện tiếp nhận 350 hồ sơ.",
        "Công an huyện tiếp nhận 900 hồ sơ cấp căn cước.",
        "Lĩnh vực Tư pháp tiếp nhận 46 hồ sơ, đã giải quyết 46 hồ sơ.",
        "Lĩnh vực Đất đai, Hộ tịch tiếp nhận 621 hồ sơ.",
        "Xã An Thạnh 1 có 02 công chức được đào tạo, bồi dưỡng.",
    ],
)
def test_figures_of_something_else_contradict_nothing(text: str) -> None:
    checked = check_written(WrittenReport((text,), ()), marts(REAL), REAL)
    assert "contradicts" not in {one.verdict for one in checked.figures}, checked.figures


@pytest.mark.parametrize(
    ("heading", "verdict"),
    [
        ("I. KẾT QUẢ THỰC HIỆN NHIỆM VỤ QUÝ I", "agrees"),
        ("II. NHIỆM VỤ QUÝ II", "not_found"),
    ],
)
def test_a_chapter_of_results_is_not_one_of_goals(heading: str, verdict: str) -> None:
    written = WrittenReport((heading, "Huyện tiếp nhận 1.145 hồ sơ."), ())
    assert [one.verdict for one in check_written(written, marts(REAL), REAL).figures] == [verdict]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lĩnh vực đất đai tiếp nhận 575 hồ sơ, đã giải quyết 250 hồ sơ.", ["agrees", "agrees"]),
        ("Lĩnh vực đất đai cấp huyện tiếp nhận 574 hồ sơ.", ["contradicts"]),
        ("Lĩnh vực đất đai tiếp nhận 574 hồ sơ.", ["not_found"]),
        ("Lĩnh vực đất đai tiếp nhận 575 hồ sơ. Đã giải quyết 250 hồ sơ.", ["agrees", "agrees"]),
        ("Xã An Thạnh 1 làm tốt công tác này. Huyện tiếp nhận 1.145 hồ sơ. Đã giải quyết 611 hồ sơ.", ["agrees"] * 2),
        ("Xã An Thạnh 1 tiếp nhận 776 hồ sơ, đã giải quyết 775 hồ sơ.", ["agrees", "contradicts"]),
        ("Xã An Thạnh 1 tiếp nhận 776 hồ sơ; toàn huyện tiếp nhận 7.675 hồ sơ.", ["agrees", "agrees"]),
        ("Trong kỳ tiếp nhận 7.675 hồ sơ.", ["agrees"]),
        ("Trong kỳ tiếp nhận 6.530 hồ sơ.", ["agrees"]),
        ("Trong kỳ tiếp nhận 6.531 hồ sơ.", ["not_found"]),
    ],
)
def test_figures_of_a_field_a_commune_or_all_levels(text: str, expected: list[str]) -> None:
    checked = check_written(WrittenReport((text,), ()), marts(REAL), REAL)
    assert [one.verdict for one in checked.figures] == expected, checked.figures

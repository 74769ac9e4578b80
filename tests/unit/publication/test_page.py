"""The page says what the release says, in words and numbers; nothing in it can run; it is read back whole."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import lxml.html
import pyarrow as pa
import pytest

from common.files import canonical_json
from common.forms import FORMS_DIR, Finding, Page, read_form
from publication import Revision
from publication.content.case_totals import CaseTotals
from publication.content.causes import Cause
from publication.content.changes import Change
from publication.content.passport import passports
from publication.content.release_content import FormRow, Imprint, ReleaseContent
from publication.content.revision import ExplainedChange
from publication.page import (
    PageDamaged,
    check_page,
    passport_data,
    read_page,
    render_catalogue,
    write_page,
    write_unit_pages,
)
from publication.page.charts import GAP_MARK, Series, draw_bars, draw_lines, draw_shares, print_all
from publication.page.differences import Difference, since_last_year, since_previous_quarter
from publication.page.pictures import trends
from publication.page.render import inline_hash, json_block, printable
from publication.page.view import CHANGES_LISTED
from publication.store.candidate import FORM_MART

MakeContent = Callable[..., ReleaseContent]
OFFERED = {
    "../datapackage.json",
    "annex.xlsx",
    "annex.csv",
    "../quality/notes.csv",
    "../quality/changes.csv",
    "../quality/passports.json",
}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\x00\x0b"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[ReleaseContent], Path]:
    """Writes a release's page beside the passports and stand-ins for the files it offers; returns its path."""

    def write_beside(content: ReleaseContent) -> Path:
        folder = tmp_path / "release"
        for name in ("report", "quality"):
            (folder / name).mkdir(parents=True)
        for name in OFFERED:
            (folder / "report" / name).resolve().touch()
        book = passports(content)
        (folder / "quality" / "passports.json").write_bytes(canonical_json(book))
        write_unit_pages(content, folder)
        write_page(content, folder, book)
        return folder / "report" / "index.html"

    return write_beside


def passports_of(page: Path) -> Any:
    return json.loads((page.parents[1] / "quality" / "passports.json").read_bytes())


def html(page: Path) -> Any:
    return lxml.html.document_fromstring(page.read_text(encoding="utf-8"))


# --- what it says -----------------------------------------------------------------------------------------------------


def test_every_row_of_the_form_is_in_the_page_and_read_back(make_content: MakeContent, write: Any) -> None:
    content = make_content()
    page = write(content)
    check_page(content, page, passports_of(page))
    rows = read_page(page)
    assert [(row.code, row.printed, row.value) for row in rows] == [
        (row.code, row.printed, row.value) for row in content.rows
    ]
    assert len(rows) == 211


def test_an_answer_stands_before_its_code_and_is_read_back(make_content: MakeContent, write: Any) -> None:
    asked = {"kind": "flag", "unit_of_measure_canonical": "Tốt = 1; Có vi phạm = 0"}
    content = make_content(
        changes={
            "I.03": asked | {"value": Decimal(1)},
            "I.04": asked | {"value": Decimal(0)},
            "I.05": asked | {"value": Decimal(2)},
            "I.07": asked | {"value": None, "status": "not_reported"},
            "I.08": asked | {"kind": "flag_or_count", "value": Decimal(1)},
        }
    )
    page = write(content)
    texts = {
        row.get("data-code"): " ".join(cell.text_content().split())
        for row in html(page).xpath("//tr[@data-code]")
        for cell in row.xpath("td[@class='figure']")
        if row.get("data-code") in ("I.03", "I.04", "I.05", "I.07", "I.08")
    }
    assert texts == {"I.03": "Tốt 1", "I.04": "Có vi phạm 0", "I.05": "2", "I.07": "", "I.08": "1"}
    page.write_text(page.read_text(encoding="utf-8").replace(">Có vi phạm<", ">Tốt<"), encoding="utf-8")
    with pytest.raises(PageDamaged, match="row 4"):
        check_page(content, page, passports_of(page))


def test_a_row_is_found_by_what_its_words_stand_for(make_content: MakeContent, write: Any) -> None:
    document = html(write(make_content()))
    also = {row.get("data-code"): row.get("data-also", "") for row in document.xpath("//tr[@data-code]")}
    assert also["III.23"] == "thủ tục hành chính; ủy ban nhân dân"
    assert also["I.21"] == "trễ hẹn; chậm trễ; muộn"
    assert also["I.25"] == ""
    explained = document.xpath("//p[@class='abbreviations']")[0].text_content()
    assert "TTHC thủ tục hành chính" in explained


def sentences(page: Path) -> list[str]:
    return [item.text_content() for item in html(page).xpath("//ul[@class='findings']/li")]


def test_findings_stand_on_top_in_plain_words(make_content: MakeContent, write: Any) -> None:
    amount = {"unit_of_measure_canonical": "Hồ sơ"}
    content = make_content(
        changes={
            "III.23": amount | {"previous_quarter_value": Decimal(1042)},
            "III.26": amount | {"previous_quarter_value": Decimal(9000), "value": Decimal(9000)},
            "VII.31": amount | {"value": Decimal(20), "previous_quarter_value": Decimal(10), "direction": "up"},
            "VII.30": amount | {"value": Decimal(40), "previous_quarter_value": Decimal(10)},
        }
    )
    told = sentences(write(with_statistics(content)))
    assert told == [
        "Cấp huyện tiếp nhận 1.145 hồ sơ, tăng 103 hồ sơ so với quý IV/2022 (1.042); cấp xã tiếp nhận 9.000 hồ sơ, "
        "không đổi so với quý IV/2022.",
        "Đúng hạn 100% ở cấp huyện (611 trên 611 hồ sơ đã trả kết quả, trong đó 1 hồ sơ trễ trên phần mềm được tính "
        "đúng hạn theo quyết định) và 100% ở cấp xã (6.530 trên 6.530 hồ sơ).",
        "Đến ngày 14/03/2023 còn 534 hồ sơ chưa giải quyết xong, trong đó 3 hồ sơ đã quá hạn.",
        "Nộp trực tuyến mức độ 3, 4: 20 trên 40 hồ sơ của các thủ tục này, đạt 50%, giảm 50 điểm\u00a0% so với "
        "quý IV/2022 (100%).",
        "Đã hoàn thành 47,37% kế hoạch cải cách hành chính năm; 100% số ý kiến khảo sát hài lòng.",
    ]


def test_late_cases_counted_by_decision_stand_beside_the_share(make_content: MakeContent, write: Any) -> None:
    (card,) = html(write(make_content())).xpath("//*[@data-headline='III.25']")
    context = card.xpath(".//*[@class='context']")[0].text_content()
    assert context == "100% của 611 hồ sơ đã trả kết quả; 1 hồ sơ trễ trên phần mềm được tính đúng hạn theo quyết định"


def test_a_finding_without_its_figures_says_so_and_never_zero(make_content: MakeContent, write: Any) -> None:
    content = make_content()
    blank = {"value": None, "computed_value": None, "status": "not_reported"}
    silent = make_content(changes=dict.fromkeys((row.code for row in content.rows), blank))
    told = sentences(write(silent))
    assert 3 <= len(told) <= 5
    assert all("chưa có" in sentence and not re.search(r"\d trên|\b0\b", sentence) for sentence in told)


@pytest.mark.parametrize(("whole", "left", "said"), [
    (("district", "commune"), {}, "không còn hồ sơ nào chưa giải quyết xong."),
    (("district",), {}, "cấp huyện không còn hồ sơ nào chưa giải quyết xong; cấp xã chưa có đủ số liệu."),
    (("district",), {"district": (7, 0)},
     "cấp huyện còn 7 hồ sơ chưa giải quyết xong, không có hồ sơ nào quá hạn; cấp xã chưa có đủ số liệu."),
    (("commune",), {"commune": (7, 2), "district": (1, 0)},
     "cấp xã còn 7 hồ sơ chưa giải quyết xong, trong đó 2 hồ sơ đã quá hạn; cấp huyện chưa có đủ số liệu."),
    ((), {"commune": (7, 2)}, None),
])  # fmt: skip
def test_no_level_is_said_to_have_no_open_case_that_is_not_wholly_counted(
    whole: tuple[str, ...],
    left: dict[str, tuple[int, int]],
    said: str | None,
    make_content: MakeContent,
    write: Any,
) -> None:
    content = with_statistics(make_content())
    like = content.tables["case_backlog"].to_pylist()[0]
    backlog = [like | {"unit_level": level, "cases": n, "overdue": m} for level, (n, m) in left.items()]
    tables = {
        "case_backlog": pa.Table.from_pylist(backlog, schema=content.tables["case_backlog"].schema),
        "measure_values": counted(make_content(), *whole),
    }
    told = sentences(write(replace(content, tables={**content.tables, **tables})))
    (open_,) = (one for one in told if "chưa giải quyết xong" in one)
    assert open_ == (f"Đến ngày 14/03/2023 {said}" if said else NO_OPEN_VI)


NO_OPEN_VI = "Số hồ sơ chưa giải quyết xong: chưa có đủ số liệu báo cáo."


@pytest.mark.parametrize(("resolved", "said"), [
    ((0, 0), "Không có hồ sơ nào trả kết quả trong kỳ, ở cấp huyện cũng như cấp xã."),
    ((0, 4), "Cấp huyện không có hồ sơ nào trả kết quả trong kỳ; đúng hạn 75% ở cấp xã (3 trên 4 hồ sơ)."),
    ((4, 0), "Đúng hạn 75% ở cấp huyện (3 trên 4 hồ sơ đã trả kết quả, trong đó 1 hồ sơ trễ trên phần mềm được tính "
     "đúng hạn theo quyết định); cấp xã không có hồ sơ nào trả kết quả trong kỳ."),
    ((0, None), "Cấp huyện không có hồ sơ nào trả kết quả trong kỳ; cấp xã chưa có đủ số liệu."),
    ((None, 0), "Tỷ lệ giải quyết đúng hạn: chưa có đủ số liệu báo cáo."),
])  # fmt: skip
def test_nothing_resolved_is_told_as_nothing_and_not_as_unknown(
    resolved: tuple[int | None, int | None], said: str, make_content: MakeContent, write: Any
) -> None:
    changes: dict[str, dict[str, Any]] = {"VII.30": {"value": Decimal(0)}, "VII.31": {"value": Decimal(0)}}
    for whole, part, count in zip(("III.24", "III.27"), ("III.25", "III.28"), resolved, strict=True):
        for code, value in ((whole, count), (part, count and count - 1)):
            changes[code] = {"value": None, "status": "not_reported"} if value is None else {"value": Decimal(value)}
    told = sentences(write(make_content(changes=changes)))
    assert (told[1], told[3]) == (said, "Nộp trực tuyến mức độ 3, 4: không có hồ sơ nào của các thủ tục này.")


def test_a_share_that_is_not_whole_is_never_printed_as_whole(make_content: MakeContent, write: Any) -> None:
    amounts = {"III.24": 30000, "III.25": 29999, "III.27": 30000, "III.28": 1, "VII.30": 3, "VII.31": 3}
    content = with_statistics(make_content(changes={code: {"value": Decimal(n)} for code, n in amounts.items()}))
    rates = content.tables["case_timeliness"]
    row = rates.to_pylist()[0] | {"numerator": 29999, "denominator": 30000}
    rates = pa.concat_tables([pa.Table.from_pylist([row], schema=rates.schema), rates.slice(1)])
    document = html(write(replace(content, tables={**content.tables, "case_timeliness": rates})))
    told = " ".join(document.xpath("//ul[@class='findings']")[0].text_content().split())
    assert "Đúng hạn 99,99% ở cấp huyện" in told
    assert "0,01% ở cấp xã" in told
    assert "đạt 100%" in told
    cells = [cell.text_content() for cell in document.xpath("(//section[@id='thong-ke']//tbody)[1]/tr[1]/*")]
    assert cells[-3:] == ["29.999", "30.000", "99,99%"]


@pytest.mark.parametrize("level", ["district", "commune"])
def test_no_sentence_judges(level: str) -> None:
    for path in FORMS_DIR.glob("*/form.yml"):
        for finding in read_form(path.parent).page.findings_at(level):
            for choice in finding.choices:
                assert not re.search(r"\b(tốt|kém|cao|thấp|đáng|tích cực|hiệu quả)\b", choice.say, re.IGNORECASE)


@pytest.mark.parametrize("wrong", [
    {"choices": [{"say": "{III.23} hồ sơ"}]},
    {"choices": [{"say": "{III.23:tot_hon}"}, {"say": "Chưa có."}]},
    {"choices": [{"say": "{unknown}"}, {"say": "Chưa có."}]},
    {"choices": [{"say": "[{III.23}"}, {"say": "Chưa có."}]},
    {"choices": [{"say": "{III.23"}, {"say": "Chưa có."}]},
    {"choices": [{"say": "{open:province}"}, {"say": "Chưa có."}]},
    {"choices": [{"level": "district", "say": "Chưa có."}]},
    {"choices": []},
])  # fmt: skip
def test_a_finding_that_could_not_be_said_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="Finding"):
        Finding.model_validate(wrong)


@pytest.mark.parametrize("choices", [
    [{"say": "Đạt {VII.31:share}."}],
    [{"if": {"VII.30": "positive"}, "say": "Có."}, {"say": "Nộp {VII.31}[, đạt {VII.31:share}]."}],
    [{"if": {"I.01": "zero"}, "say": "Không có."}, {"say": "Đạt {I.02:share}."}],
])  # fmt: skip
def test_a_share_whose_whole_may_be_zero_has_words_for_that(choices: list[dict[str, Any]]) -> None:
    parts = {"VII.31": {"of": "VII.30", "name_vi": "hồ sơ"}}
    with pytest.raises(ValueError, match="share"):
        Page.model_validate({"parts": parts, "findings": [{"choices": [*choices, {"say": "Chưa có."}]}]})


def test_every_code_of_every_form_has_an_answer() -> None:
    for rows in FORMS_DIR.glob("*/rows.csv"):
        with rows.open(encoding="utf-8", newline="") as handle:
            asked = [row for row in csv.DictReader(handle) if row["kind"] in ("flag", "code")]
        assert asked
        for row in asked:
            codes = re.findall(r"\d+", row["unit_canonical"])
            assert len(codes) >= 2, row
            for code in codes:
                values = {
                    "kind": row["kind"], "value": Decimal(code), "unit_of_measure_canonical": row["unit_canonical"],
                }  # fmt: skip
                assert FormRow(values).answer_vi, row


def test_equal_content_gives_equal_bytes(make_content: MakeContent, write: Any, tmp_path: Path) -> None:
    page = write(make_content())
    first = page.read_bytes()
    (tmp_path / "release").rename(tmp_path / "before")
    assert write(make_content()).read_bytes() == first


@pytest.mark.parametrize(("old", "new"), [
    ('<span class="value">1.145</span>', '<span class="value">1.154</span>'),
    ('<span class="value">1.145</span></td>', "</td>"),
    ("Số hồ sơ TTHC do UBND cấp huyện tiếp nhận<", "Số hồ sơ TTHC do UBND cấp xã tiếp nhận<"),
    ('data-status="computed"', 'data-status="declared"'),
    ('href="annex.xlsx"', 'href="annex.xls"'),
    ('href="#III.23"', 'href="#III.99"'),
    ('"use strict"', '"use stricter"'),
    ("font-weight: 700", "font-weight: 800"),
    ('"schema":1', '"schema":2'),
    ('data-rows="held"', 'data-rows="left-out"'),
])  # fmt: skip
def test_a_page_that_says_something_else_is_found(old: str, new: str, make_content: MakeContent, write: Any) -> None:
    content = make_content()
    page = write(content)
    passports = passports_of(page)
    text = page.read_text(encoding="utf-8")
    assert old in text
    place = text.index(old, text.index('<table id="bang"') if "value" in old else 0)
    page.write_text(text[:place] + new + text[place + len(old) :], encoding="utf-8")
    with pytest.raises(PageDamaged):
        check_page(content, page, passports)


def test_a_truncated_page_is_found(make_content: MakeContent, write: Any) -> None:
    content = make_content()
    page = write(content)
    passports = passports_of(page)
    page.write_bytes(page.read_bytes()[:-60_000])
    with pytest.raises((PageDamaged, ValueError)):
        check_page(content, page, passports)


def test_it_shows_notes_blanks_and_coverage(make_content: MakeContent, write: Any) -> None:
    content = make_content(
        changes={
            "III.05": {
                "decision_id": "QD-07",
                "declared_value": Decimal(1),
                "value": Decimal(1),
                "computed_value": Decimal(1),
            },
            "III.26": {"units_counted": 7, "units_expected": 8},
        },
        decisions=[
            {
                "decision_id": "QD-07",
                "effect": "applied",
                "subject_kind": "row",
                "subject": "III.05",
                "action": "accept_declared",
                "reason_vi": "Đang rà soát",
            }
        ],
        gate_results=[
            {
                "expectation_id": "x.y",
                "sentence_vi": "Chưa kèm minh chứng.",
                "severity": "info",
                "status": "fail",
                "failed_rows": 3,
                "decision_id": None,
                "findings": [{"subject": "I.05", "decision_id": None}],
            }
        ],
    )
    document = html(write(content))
    text = " ".join(document.xpath("//section[@id='chat-luong']")[0].text_content().split())
    assert "Đang rà soát" in text
    assert "Chưa kèm minh chứng. Số trường hợp không đạt: 3. 1 dòng: I.05" in text
    assert "Để trống vì cơ quan chưa gửi số liệu này" in text
    assert "Số liệu mới tổng hợp từ 7/8 đơn vị phải báo cáo. 1 dòng: III.26" in text
    assert document.xpath("//tr[@id='III.05']//sup/a/@href") == ["#ghi-chu-1"]
    assert document.xpath("//li[@id='ghi-chu-1']//a/@href") == ["#III.05"]


def test_charts_say_the_same_in_a_table(make_content: MakeContent, write: Any) -> None:
    document = html(write(make_content()))
    cells = [cell.text_content() for cell in document.xpath("//figure[@id='dung-han']//tbody/tr[1]/*")]
    assert cells == ["Huyện Cù Lao Dung", "8", "6", "2", "75%"]  # one late, one nobody can tell
    for figure in document.xpath("//figure"):
        (picture,) = figure.xpath(".//*[@role='img']")
        for name in ("labelledby", "describedby"):
            assert figure.xpath(".//*[@id=$id]", id=picture.get(f"aria-{name}"))
        assert figure.xpath(".//details//th[@scope='row']")
    assert len(document.xpath("//section[@id='bieu-do']//figure")) == 3
    # The two that the form declares, and each figure on top of the page that is in neither; one is blank here.
    assert len(document.xpath("//section[@id='cac-ky']//figure")) == 7


def with_trend(content: ReleaseContent, code: str, figures: dict[str, int | None]) -> ReleaseContent:
    """The content with a row of the form known in these quarters alone; None: known to have no figure."""
    rows = [
        {
            "unit_code": "945",
            "quarter": content.quarter,
            "indicator_code": code,
            "trend_quarter": quarter,
            "value": None if value is None else Decimal(value),
            "status": "withheld" if value is None else "computed",
        }
        for quarter, value in figures.items()
    ]
    table = pa.Table.from_pylist(rows, schema=content.tables["indicator_trend"].schema)
    return replace(content, tables={**content.tables, "indicator_trend": table})


def test_a_line_is_broken_where_a_period_has_no_figure(make_content: MakeContent, write: Any) -> None:
    known = {"2021-Q4": 3, "2022-Q1": None, "2022-Q4": 5, "2023-Q1": 7}
    document = html(write(with_trend(make_content(), "III.23", known)))
    (figure,) = document.xpath("//section[@id='cac-ky']//figure")
    lines = {line[0]: line[1] for line in ([str(cell.text_content()) for cell in row] for row in figure.iter("tr"))}
    assert list(lines.values())[1:] == [
        "3",
        "không công bố theo quyết định",
        "chưa có số liệu",
        "chưa có số liệu",
        "5",
        "7",
    ]
    texts = [text.text for text in figure.iter("text")]
    assert texts.count(GAP_MARK) == 6  # the other series has no figure at all
    assert "Dấu ✕: kỳ chưa có số liệu (6 trên 6 kỳ)" in figure.text_content()


@pytest.mark.parametrize(("basis", "lines"), [("year_to_date", [2, 2]), ("in_period", [4])])
def test_no_line_leads_from_one_year_to_the_next_where_a_figure_begins_again(
    basis: str, lines: list[int], make_content: MakeContent
) -> None:
    """The plan's 100 % of a whole year and the 47 % of the next one's first quarter are no fall."""
    known = {"2022-Q3": 80, "2022-Q4": 100, "2023-Q1": 47, "2023-Q2": 60}
    (chart,) = trends(with_trend(make_content(changes={"I.02": {"period_basis": basis}}), "I.02", known))
    drawn = lxml.html.fragment_fromstring(chart.svg).xpath(".//g[contains(@class, 'series')]/path")
    assert [len(re.findall("[0-9.]+ [0-9.]+", line.get("d"))) for line in drawn] == lines
    assert ("tính lại từ đầu" in chart.summary_vi) is (basis == "year_to_date")


@pytest.mark.parametrize(("values", "marks"), [((1, None, 3), 1), ((1, 2, 3), 0), ((None, None, 3), 2)])
def test_gaps_are_marked_at_the_foot_and_have_no_dot(values: tuple[int | None, ...], marks: int) -> None:
    svg = lxml.html.fragment_fromstring(
        draw_lines(["I", "II", "III"], [series(*values)], marked=[value is None for value in values])
    )
    signs = [text for text in svg.iter("text") if text.text == GAP_MARK]
    assert len(signs) == marks
    assert {text.get("text-anchor") for text in signs} <= {"middle"}
    dots = [float(dot.get("r")) for dot in svg.iter("circle")]
    assert dots.count(0) == marks
    assert GAP_MARK not in draw_lines(["I", "II", "III"], [series(*values)])


def test_units_below_stand_in_a_table_that_is_read_back(make_content: MakeContent, write: Any) -> None:
    content = with_statistics(make_content())
    page = write(content)
    check_page(content, page, passports_of(page))
    (row,) = html(page).xpath("//section[@id='cac-don-vi']//tbody/tr")
    assert row.xpath(".//a/@href") == ["don-vi/31615.html"]
    text = page.read_text(encoding="utf-8")
    cell = '<td data-line="31615" data-figure="open">'
    page.write_text(text.replace(cell, cell + "9"), encoding="utf-8")
    with pytest.raises(PageDamaged, match="31615"):
        check_page(content, page, passports_of(page))


def with_statistics(content: ReleaseContent) -> ReleaseContent:
    """The content with small marts on timeliness, backlog, duration and lateness."""
    window = {"window_from": dt.date(2022, 12, 15), "window_to": dt.date(2023, 3, 14), "is_complete": True}
    calendar = {"window_from": dt.date(2022, 10, 1), "window_to": dt.date(2022, 12, 31), "is_complete": False}
    marts: dict[str, list[dict[str, Any]]] = {
        "case_timeliness": [
            {
                "clock": clock,
                "scope_kind": scope,
                "scope_code": code,
                "denominator_kind": kind,
                "numerator": on_time,
                "denominator": all_,
                "on_time_percent": percent,
                **when,
            }
            for clock, scope, code, kind, on_time, all_, percent, when in (
                ("reporting_window", "all", "all", "resolved", 7141, 7141, Decimal(100), window),
                ("reporting_window", "level", "district", "received", 606, 1145, Decimal("52.93"), window),
                ("reporting_window", "unit", "945", "received", 606, 1145, Decimal("52.93"), window),
                ("reporting_window", "level", "commune", "due", 0, 0, None, window),
                ("calendar_quarter", "all", "all", "due", 1, 3, Decimal("33.33"), calendar),
            )
        ],
        "case_backlog": [
            {
                "clock": clock,
                "receiving_unit_code": unit,
                "unit_level": level,
                "age_band": age,
                "cases": cases,
                "overdue": overdue,
            }
            for clock, unit, level, age, cases, overdue in (
                ("reporting_window", "945", "district", "006-010", 500, 0),
                ("reporting_window", "31615", "commune", "006-010", 30, 2),
                ("reporting_window", "31618", "commune", "006-010", 4, 1),
                ("calendar_quarter", "945", "district", "000-005", 9, 9),
            )
        ],
        "procedure_duration": [
            {
                "clock": "reporting_window",
                "unit_level": "commune",
                "procedure_code": f"1.{number:06d}",
                "procedure_name_vi": None if number else "Chứng thực",
                "resolved": 100 - number,
                "resolved_late": 0,
                "median_working_days": None if number else Decimal("1.5"),
                "p90_working_days": Decimal(3),
            }
            for number in range(21)
        ],
        "case_lateness": [
            {"clock": "reporting_window", "lateness": kind, "cause_code": cause, "cause_vi": cause, "cases": cases}
            for kind, cause, cases in (
                ("counted_on_time_by_decision", "lỗi phần mềm", 3),
                ("counted_on_time_by_decision", "lỗi phần mềm", 2),
                ("in_progress_overdue", "<b>chưa ghi", 1),
            )
        ],
    }
    made = {name: pa.Table.from_pylist(rows) for name, rows in marts.items()}
    return replace(
        content, tables={**content.tables, **made, "measure_values": counted(content, "district", "commune")}
    )


def counted(content: ReleaseContent, *whole: str) -> pa.Table:
    """``measure_values`` where of these levels every unit sent its register, and of the others some."""
    found = content.tables["measure_values"]
    like = found.slice(0, 1).to_pylist()[0]
    rows = [
        like | {"measure": f"{level}_cases_received", "units_counted": 8 if level in whole else 0, "units_expected": 8}
        for level in ("district", "commune")
    ]
    return pa.concat_tables([found, pa.Table.from_pylist(rows, schema=found.schema)])


def test_statistics_name_their_denominators(make_content: MakeContent, write: Any) -> None:
    document = html(write(with_statistics(make_content())))
    found = {
        part.xpath(".//h3")[0].text: [[cell.text_content() for cell in line] for line in part.xpath(".//tbody/tr")]
        for part in document.xpath("//section[@id='thong-ke']/div")
    }
    window, calendar = "Kỳ báo cáo (15/12/2022 – 14/03/2023)", "Quý dương lịch (01/10/2022 – 31/12/2022)"
    assert found.pop("Thời gian giải quyết theo thủ tục")[:2] == [
        ["Chứng thực (1.000000)", "Cấp xã", "100", "0", "1,5", "3"],
        ["Thủ tục ngoài danh mục (1.000001)", "Cấp xã", "99", "0", "chưa rõ", "3"],
    ]
    assert found == {
        "Tỷ lệ đúng hạn theo từng mẫu số": [
            [window, "Toàn địa bàn", "hồ sơ đã trả kết quả trong kỳ", "7.141", "7.141", "100%"],
            [window, "Cấp huyện", "hồ sơ tiếp nhận trong kỳ", "606", "1.145", "52,93%"],
            [
                calendar,
                "Toàn địa bàn",
                "hồ sơ đến hạn trả trong kỳ",
                "1",
                "3",
                "33,33% (chưa đủ dữ liệu của mọi đơn vị)",
            ],
        ],
        "Hồ sơ chưa giải quyết xong theo thời gian chờ": [["6 đến 10 ngày", "500", "34", "3"]],
        "Hồ sơ trễ hạn theo nguyên nhân": [
            ["Đang giải quyết, quá hạn", "<b>chưa ghi", "1"],
            ["Trễ trên phần mềm, tính đúng hạn theo quyết định", "lỗi phần mềm", "5"],
        ],
    }
    assert len(document.xpath("//input[@class='search-lines']/ancestor::div[2]//tbody/tr")) == 21  # all, to search
    assert len(document.xpath("//input[@class='search-lines']")) == 1


def test_counts_held_back_are_said_to_be(make_content: MakeContent, write: Any) -> None:
    content = with_statistics(make_content())
    durations = content.tables["procedure_duration"].to_pylist()
    hidden = {"resolved": None, "median_working_days": None, "p90_working_days": None}
    durations[1] |= {**hidden, "held_back": ",".join(sorted(hidden))}
    durations[2] |= {"resolved_late": None, "p90_working_days": None, "held_back": "p90_working_days,resolved_late"}
    rates = content.tables["case_timeliness"].to_pylist()
    rates[2] |= {"denominator_kind": "resolved", "numerator": None, "denominator": None, "on_time_percent": None}
    held = replace(
        content,
        tables={
            **content.tables,
            "procedure_duration": pa.Table.from_pylist([{"held_back": None} | row for row in durations]),
            "case_timeliness": pa.Table.from_pylist(rates),
        },
        totals_before=CaseTotals(
            open={"district": 500, "commune": 34},
            backlog={("district", "006-010"): (500, None), ("commune", "006-010"): (34, 3)},
            lateness={("in_progress_overdue", "x"): None}, causes_vi={"x": "chưa ghi"},
        ),
        least_count=5,
    )  # fmt: skip
    document = html(write(held))
    lines = [[cell.text_content() for cell in line] for line in document.xpath("//section[@id='thong-ke']//tbody/tr")]
    assert ["6 đến 10 ngày", "500", "34", "giữ kín"] in lines
    assert ["Đang giải quyết, quá hạn", "chưa ghi", "giữ kín"] in lines
    assert ["Thủ tục ngoài danh mục (1.000002)", "Cấp xã", "98", "giữ kín", "chưa rõ", "giữ kín"] in lines
    (found,) = [line for line in lines if "1.000001" in line[0]]
    assert (found[2], found[4], found[5]) == ("giữ kín", "giữ kín", "giữ kín")
    assert document.text_content().count("Ô ghi “giữ kín” là số dưới 5 hồ sơ trễ hạn") == 1
    cells = [cell.text_content() for cell in document.xpath("//figure[@id='dung-han']//tbody/tr[1]/*")]
    assert cells == ["Huyện Cù Lao Dung", *["giữ kín"] * 4]


def revised(content: ReleaseContent, *changes: Change) -> ReleaseContent:
    cause = Cause("delivery", "d1", "tệp hồ sơ.xlsx của <b>Huyện gửi bổ sung")
    revision = Revision(1, 2, tuple(ExplainedChange(change, (cause,)) for change in changes), ())
    return replace(content, revision=revision)


def test_a_revision_says_what_changed_from_what_and_why(make_content: MakeContent, write: Any) -> None:
    name = "Số hồ sơ TTHC do UBND cấp huyện tiếp nhận"
    document = html(
        write(
            revised(
                make_content(),
                Change(FORM_MART, "III.23", name, "value", "1144", "1145"),
                Change(FORM_MART, "III.23", name, "computed_value", "1144", "1145"),
                Change(FORM_MART, "V.15", "Số lãnh đạo", "status", "computed", "not_reported"),
                Change("case_processing", "945 · Hộ tịch", None, None, None, "received=1"),
            )
        )
    )
    (note,) = document.xpath("//*[@class='revision']")
    assert "Bản công bố r2 thay bản r1" in note.text_content()
    assert "Bản công bố r2" in document.xpath("//*[@class='facts']")[0].text
    section = document.xpath("//section[@id='thay-doi']")[0]
    lines = [[cell.text_content() for cell in line] for line in section.xpath(".//tbody/tr")]
    why = "tệp hồ sơ.xlsx của <b>Huyện gửi bổ sung"
    assert lines == [
        [f"III.23 {name}", "Số liệu", "1.144", "1.145", why],
        ["V.15 Số lãnh đạo", "Trạng thái", "Tính từ dữ liệu chi tiết", "Chưa có số liệu", why],
        [f"III.23 {name}", "Số tính từ dữ liệu", "1.144", "1.145", why],
        ["case_processing · 945 · Hộ tịch", "Cả dòng", "trống", "received=1", why],
    ]
    assert "2 thay đổi khác" in section.text_content()
    assert [row.get("data-code") for row in document.xpath("//tr[@data-changed]")] == ["III.23", "V.15"]


@pytest.mark.parametrize("column", ["value", "numerator", "predecessor_value", "status", "received"])
def test_a_column_that_came_or_went_is_told_in_words(column: str, make_content: MakeContent, write: Any) -> None:
    came = Change("indicator_trend", "", None, column, None, "có cột này", of_layout=True)
    section = html(write(revised(make_content(), came))).xpath("//section[@id='thay-doi']")[0]
    assert section.xpath(".//tbody/tr/td")[2].text_content() == "có cột này"


def test_a_long_list_of_changes_is_cut_and_says_so(make_content: MakeContent, write: Any) -> None:
    changes = [Change("case_processing", str(number), None, "received", "1", "2") for number in range(201)]
    section = html(write(revised(make_content(), *changes))).xpath("//section[@id='thay-doi']")[0]
    assert len(section.xpath(".//tbody/tr")) == CHANGES_LISTED == 200
    assert "Số liệu của biểu không thay đổi." in section.text_content()
    assert "201 thay đổi khác" in section.text_content()
    assert "toàn bộ ở tệp quality/changes.csv" in section.text_content()


def test_a_first_release_says_that_it_is_one(make_content: MakeContent, write: Any) -> None:
    document = html(write(make_content()))
    assert "Đây là bản công bố đầu tiên của quý I năm 2023." in document.text_content()
    assert document.xpath("//*[@class='revision'] | //tr[@data-changed]") == []


# --- differences ------------------------------------------------------------------------------------------------------


def row(**values: Any) -> FormRow:
    blank = dict.fromkeys(
        ("value", "previous_quarter_value", "same_quarter_last_year_value", "value_text", "unit_of_measure_canonical")
    )
    named = {"quarter": "2023-Q2", "kind": "count", "period_basis": "in_period", "direction": "up"}
    return FormRow({**blank, **named, **{name: Decimal(v) if isinstance(v, int) else v for name, v in values.items()}})


@pytest.mark.parametrize(("direction", "verdict"), [("up", "better"), ("down", "worse"), ("neutral", "")])
def test_a_rise_is_good_or_bad_as_the_form_says(direction: str, verdict: str) -> None:
    move = since_previous_quarter(row(value=1145, previous_quarter_value=1038, direction=direction), "2023-Q1")
    assert move == Difference("1.038", 1, "107", "10,3%", verdict, "")


def test_a_fall_of_a_percentage_is_in_points() -> None:
    move = since_last_year(row(value=Decimal("41.54"), same_quarter_last_year_value=Decimal("41.86"), kind="ratio"))
    assert move == Difference("41,86", -1, "0,32 điểm\u00a0%", "", "worse", "")


def test_a_figure_that_starts_again_each_year_is_not_compared_across_years() -> None:
    figure = row(value=9, previous_quarter_value=18, period_basis="year_to_date", quarter="2023-Q1")
    move = since_previous_quarter(figure, "2022-Q4")
    assert move is not None
    assert (move.sign, move.verdict, move.remark_vi) == (None, "", "lũy kế cả năm trước")


def test_within_a_year_the_rise_of_a_cumulated_figure_is_no_merit() -> None:
    move = since_previous_quarter(row(value=12, previous_quarter_value=9, period_basis="year_to_date"), "2023-Q1")
    assert move is not None
    assert (move.sign, move.amount, move.verdict) == (1, "3", "")
    yearly = since_last_year(row(value=12, same_quarter_last_year_value=9, period_basis="year_to_date"))
    assert yearly is not None
    assert yearly.verdict == "better"


@pytest.mark.parametrize(("now", "before"), [(None, 1), (1, None), (None, None)])
def test_a_blank_is_compared_with_nothing(now: int | None, before: int | None) -> None:
    assert since_previous_quarter(row(value=now, previous_quarter_value=before), "2023-Q1") is None


def test_an_answer_has_no_amount() -> None:
    move = since_previous_quarter(row(value=1, previous_quarter_value=2, kind="code"), "2023-Q1")
    assert move is not None
    assert (move.sign, move.amount, move.remark_vi) == (None, "", "đã đổi")


def test_a_rise_from_nothing_has_no_percentage() -> None:
    move = since_previous_quarter(row(value=3, previous_quarter_value=0), "2023-Q1")
    assert move is not None
    assert (move.amount, move.share) == ("3", "")


@pytest.mark.parametrize(
    ("now", "before", "share"),
    [
        (30_001, 30_000, "dưới 0,1%"),
        (1, 3000, "99,9%"),
        (0, 3000, "100%"),
        (6000, 3000, "100%"),
        (6001, 3000, "100,1%"),
    ],
)
def test_a_move_is_not_rounded_to_none_or_to_all(now: int, before: int, share: str) -> None:
    move = since_previous_quarter(row(value=now, previous_quarter_value=before), "2023-Q1")
    assert move is not None
    assert move.share == share


def test_cases_on_time_are_judged_by_their_share(make_content: MakeContent, write: Any) -> None:
    """611 of 611 after 1.028 of 1.032: fewer, and better."""
    content = make_content(
        changes={
            "III.24": {"previous_quarter_value": Decimal(1032)},
            "III.25": {
                "previous_quarter_value": Decimal(1028),
                "direction": "up",
                "unit_of_measure_canonical": "Hồ sơ",
            },
        }
    )
    (card,) = html(write(content)).xpath("//*[@data-headline='III.25']")
    text = " ".join(card.text_content().split())
    assert "100% của 611 hồ sơ đã trả kết quả" in text
    assert (
        "giảm 417 hồ sơ (40,6%) so với quý IV/2022 (1.028) tỷ lệ ▲ tăng 0,39 điểm % tốt hơn (trước là 99,61%)" in text
    )


# --- nothing in it runs -----------------------------------------------------------------------------------------------


def test_hostile_texts_are_inert_wherever_they_stand(make_content: MakeContent, write: Any) -> None:
    columns = ("indicator_name_vi", "unit_of_measure", "unit_of_measure_canonical", "note_vi", "printed_number")
    content = make_content(
        changes={"I.08": dict.fromkeys(columns, HOSTILE), "II.01": {"indicator_name_vi": HOSTILE}},
        decisions=[
            {
                "decision_id": "QD-01",
                "effect": "applied",
                "subject_kind": "row",
                "subject": "I.08",
                "action": "accept_declared",
                "reason_vi": HOSTILE,
                "document_number": HOSTILE,
            }
        ],
    )
    names = content.tables["dim_unit"].to_pylist()
    hostile = pa.Table.from_pylist([{**unit, "name_vi": HOSTILE} for unit in names])
    content = replace(content, unit_name_vi=HOSTILE, tables={**content.tables, "dim_unit": hostile})
    page = write(content)
    check_page(content, page, passports_of(page))
    document = html(page)
    assert len(document.xpath("//script")) == 2
    assert document.xpath("//img | //iframe | //object | //embed | //link | //base") == []
    assert not [
        name for element in document.iter() for name in element.attrib if name.startswith("on") or name == "style"
    ]
    assert "alert(1)" in document.xpath("//tr[@id='I.08']//*[@class='name']")[0].text_content()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", page.read_text(encoding="utf-8"))


def test_the_policy_allows_only_what_stands_in_the_page(make_content: MakeContent, write: Any) -> None:
    document = html(write(make_content()))
    (policy,) = document.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    style, script = document.xpath("//style/text()")[0], document.xpath("//script[not(@type)]/text()")[0]
    assert policy == (
        f"default-src 'none'; style-src {inline_hash(style)}; script-src {inline_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    head = list(document.find("head"))
    assert [head[0].tag, head[1].get("http-equiv")] == ["meta", "Content-Security-Policy"]


def test_the_page_names_no_address_outside_itself(make_content: MakeContent, write: Any) -> None:
    page = write(make_content())
    text = page.read_text(encoding="utf-8")
    printed = {word for note in make_content().rows for word in re.findall(r"https?://\S+", str(note.values))}
    assert [
        link
        for link in re.findall(r"(?:https?:)?//[a-z][\w.-]*\.\w+", text)
        if not any(link in word for word in printed)
    ] == []
    assert {link for link in html(page).xpath("//@href | //@src") if not link.startswith("#")} == OFFERED | {
        "don-vi/31615.html",
        *(f"../../../../index.html#b-945-{quarter}" for quarter in ("2022-Q4", "2023-Q1", "2023-Q2")),
    }


def test_json_cannot_end_its_script() -> None:
    block = json_block({"a": "</script><!--&\u2028"})
    assert not re.search("[<>&\u2028]", block)
    assert json.loads(block) == {"a": "</script><!--&\u2028"}


def test_control_characters_are_shown_not_kept() -> None:
    assert printable("a\x00b\r\nc\x0bd\x9f") == "a�b\nc�d�"
    assert printable(7) == 7


# --- passports and charts ---------------------------------------------------------------------------------------------


def test_passports_too_large_for_a_page_keep_counts_and_lose_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    book = {
        "files": [{"file_name": "a"}],
        "figures": {
            "I.02": {"row_no": 2, "parts": [{"files": [{"file": 0, "rows": "1-3", "count": 3, "amount": "3"}]}]}
        },
    }
    whole, held = passport_data.embedded(book)
    assert held
    assert json.loads(whole) == book
    monkeypatch.setattr(passport_data, "LIMIT", len(whole) - 1)
    cut, held = passport_data.embedded(book)
    assert not held
    assert json.loads(cut)["figures"]["I.02"] == {
        "row_no": 2,
        "parts": [{"files": [{"file": 0, "rows": "", "count": 3, "amount": "3"}]}],
    }


def series(*values: int | None) -> Series:
    figures = tuple(None if value is None else Decimal(value) for value in values)
    return Series("Loạt", figures, print_all(figures, "%"))


def test_charts_are_shapes_only_and_print_exact_figures() -> None:
    for svg in (
        draw_lines(["I", "II", "III"], [series(1, None, 1234)]),
        draw_bars(["a", "b"], [series(0, 1234)]),
        draw_shares(["a"], [series(88), series(12)]),
    ):
        root = lxml.html.fragment_fromstring(svg)
        assert {element.tag for element in root.iter()} <= {"svg", "g", "path", "rect", "circle", "text"}
        assert not [name for element in root.iter() for name in element.attrib if name in ("style", "id")]
    assert "1.234%" in draw_lines(["I", "II", "III"], [series(1, None, 1234)])
    bars = lxml.html.fragment_fromstring(draw_bars(["a<b", "Thành phố Hồ Chí Minh và vùng phụ cận"], [series(5, 1234)]))
    assert [text.text for text in bars.iter("text")] == ["Thành phố Hồ Chí Minh và…", "a<b", "1.234%", "5%"]


@pytest.mark.parametrize(("first", "second", "labels"), [
    (6530, 611, ["6.530%", "611%"]), (6530, 6525, ["6.530% / 6.525%"]), (7, 7, ["7%"]), (7, None, ["7%", "5%"]),
])  # fmt: skip
def test_figures_at_the_ends_of_lines_do_not_stand_on_each_other(
    first: int, second: int | None, labels: list[str]
) -> None:
    svg = lxml.html.fragment_fromstring(draw_lines(["I", "II"], [series(9, first), series(5, second)]))
    assert [text.text for text in svg.iter("text") if text.get("class") == "value"] == labels


def test_a_longer_bar_is_a_larger_figure() -> None:
    bars = lxml.html.fragment_fromstring(draw_bars(["a", "b"], [series(50, 100)])).iter("rect")
    long, short = [float(bar.get("width")) for bar in bars]
    assert long == pytest.approx(2 * short, rel=0.02)


def test_nothing_to_draw_is_no_chart(make_content: MakeContent, write: Any) -> None:
    content = make_content()
    empty = {
        name: content.tables[name].slice(0, 0) for name in ("case_processing", "case_timeliness", "indicator_trend")
    }
    blank = {"value": None, "computed_value": None, "status": "not_reported"}
    staffless = make_content(changes=dict.fromkeys(("IV.10", "IV.11", "IV.16", "IV.17", "IV.21", "IV.22"), blank))
    content = replace(staffless, tables={**staffless.tables, **empty})
    document = html(write(content))
    assert document.xpath("//figure") == []
    assert document.xpath("//a[@href='#bieu-do']") == []


def test_a_page_leads_to_what_became_of_it_and_says_how_to_cite_it(make_content: MakeContent, write: Any) -> None:
    content = replace(make_content(), imprint=Imprint("Phòng Nội vụ, 0299 000 000", "CC BY 4.0"))
    page = write(content)
    check_page(content, page, passports_of(page))
    document = html(page)
    links = document.xpath("//a[starts-with(@href, '../../../../')]/@href")
    assert set(links) == {f"../../../../index.html#b-945-{quarter}" for quarter in ("2022-Q4", "2023-Q1", "2023-Q2")}
    neighbours = document.xpath("//header//a[contains(., 'Kỳ ')]/text()")
    assert neighbours == ["Kỳ trước: quý IV/2022", "Kỳ sau: quý II/2023"]
    text = " ".join(document.xpath("//section[@id='tai-ve']")[0].text_content().split())
    assert "Ủy ban nhân dân huyện Cù Lao Dung, Kết quả công tác cải cách hành chính quý I năm 2023, bản r1" in text
    assert "Điều kiện sử dụng lại: CC BY 4.0." in text
    assert "Liên hệ: Phòng Nội vụ, 0299 000 000." in text


# --- index page -------------------------------------------------------------------------------------------------------


def entry(unit: str, name: str, quarter: str, release: int = 1, **more: Any) -> dict[str, Any]:
    path = f"{unit}/{quarter}/r{release}"
    return {
        "unit_code": unit,
        "unit_name_vi": name,
        "quarter": quarter,
        "release": release,
        "path": path,
        "manifest_sha256": "a" * 64,
        "published_at": "2023-03-15T20:00:00+00:00",
        "provisional": False,
        "files": {"page": f"{path}/report/index.html", "annex_xlsx": f"{path}/report/annex.xlsx"},
    } | more


def test_the_index_leads_to_the_pages_of_the_units_below() -> None:
    entries = [entry("945", "Huyện Cù Lao Dung", "2023-Q1", unit_pages=8), entry("26734", "Xã A", "2023-Q1")]
    entries.append(entry("941", "Huyện B", "2023-Q1", unit_pages=9, files={}))
    links = lxml.html.document_fromstring(render_catalogue(entries).decode()).xpath("//a[contains(., 'Trang riêng')]")
    assert [(link.get("href"), link.text_content()) for link in links] == [
        (
            "945/2023-Q1/r1/report/index.html#cac-don-vi",
            "Trang riêng của 8 xã, phường, thị trấn của Huyện Cù Lao Dung",
        )
    ]


def test_the_index_lists_quarters_newest_first_and_names_who_is_missing() -> None:
    page = render_catalogue(
        [
            entry("945", "Huyện Cù Lao Dung", "2022-Q4"),
            entry("941", "Huyện <b>Khác", "2022-Q4"),
            entry("945", "Huyện Cù Lao Dung", "2023-Q1", release=2),
        ]
    )
    document = lxml.html.document_fromstring(page.decode())
    assert [h.text for h in document.xpath("//h2")] == ["Quý I năm 2023", "Quý IV năm 2022"]
    first, second = document.xpath("//section")
    (line,) = first.xpath(".//tbody/tr")
    assert " ".join(line.text_content().split()) == "Huyện Cù Lao Dung 945r2 (đã điều chỉnh)16/03/2023Excel"
    assert line.xpath(".//a/@href") == ["945/2023-Q1/r2/report/index.html", "945/2023-Q1/r2/report/annex.xlsx"]
    assert first.xpath(".//*[@class='missing']")[0].text_content().endswith("chưa có báo cáo kỳ này: Huyện <b>Khác.")
    assert second.xpath(".//*[@class='missing']") == []
    assert [line.get("data-unit") for line in second.xpath(".//tbody/tr")] == ["941", "945"]


def test_a_unit_that_is_no_longer_there_is_not_missing() -> None:
    """Districts ended on 30 June 2025; a unit that the register does not know may still be missing."""
    page = render_catalogue(
        [
            entry("945", "Huyện Cù Lao Dung", "2025-Q2"),
            entry("x01", "Huyện <b>Khác", "2025-Q2"),
            entry("31633", "Xã An Thạnh Ba", "2025-Q3"),
        ]
    )
    (missing,) = lxml.html.document_fromstring(page.decode()).xpath("//*[@class='missing']")
    assert missing.text_content().endswith("chưa có báo cáo kỳ này: Huyện <b>Khác.")


def test_a_replaced_release_is_not_called_current_where_the_moment_of_the_current_one_is_lost() -> None:
    unknown = {"previous": None, "changed": None, "reason": None, "provisional": False}
    steps = [
        {"action": "publish", "release": 2, "at": None, **unknown},
        {"action": "publish", "release": 1, "at": "2023-03-15T20:00:00+00:00", **unknown},
    ]
    page = render_catalogue([entry("945", "Huyện Cù Lao Dung", "2023-Q1", release=2, history=steps)])
    listed = lxml.html.document_fromstring(page.decode()).xpath("//ul[@class='steps']/li")
    assert ["bản hiện hành" in item.text_content() for item in listed] == [False, True]


def test_the_index_tells_what_was_replaced_when_and_why() -> None:
    steps = [
        {"action": "publish", "release": 1, "at": "2023-03-15T20:00:00+00:00", "previous": None, "changed": None,
         "reason": None, "provisional": False},
        {"action": "publish", "release": 2, "at": "2023-03-20T02:00:00+00:00", "previous": 1, "changed": 7,
         "reason": "gửi <b>bổ sung", "provisional": False},
        {"action": "rollback", "release": 1, "at": "2023-03-21T02:00:00+00:00", "previous": None, "changed": None,
         "reason": "số liệu sai", "provisional": False},
    ]  # fmt: skip
    page = render_catalogue([entry("945", "Huyện Cù Lao Dung", "2023-Q1", history=steps)])
    document = lxml.html.document_fromstring(page.decode())
    (line,) = document.xpath("//tr[@id='b-945-2023-Q1']")
    told = [" ".join(item.text_content().split()) for item in line.xpath(".//ul[@class='steps']/li")]
    assert told == [
        "21/03/2023: quay lại bản r1 (bản hiện hành). Bản r1 là bản hiện hành trở lại, các bản sau nó không còn hiệu "
        "lực. Lý do: số liệu sai",
        "20/03/2023: bản r2 thay bản r1. Thay bản r1. 7 thay đổi, xem quality/changes.csv của bản này. Lý do: gửi "
        "<b>bổ sung",
        "16/03/2023: công bố bản r1. Công bố lần đầu.",
    ]
    assert line.xpath(".//ul[@class='steps']//a/@href")[1] == "945/2023-Q1/r2/report/index.html"


@pytest.mark.parametrize(
    ("provisional", "said"),
    [(False, "r1"), (True, "r1 (số liệu tạm thời)"), (None, "r1 (chưa rõ số liệu tạm thời hay chính thức)")],
)
def test_the_index_says_how_final_figures_are_and_where_it_is_not_known(provisional: bool | None, said: str) -> None:
    page = render_catalogue([entry("945", "Huyện Cù Lao Dung", "2023-Q1", provisional=provisional)])
    (cell,) = lxml.html.document_fromstring(page.decode()).xpath("//tr[@id='b-945-2023-Q1']/td[1]")
    assert cell.text_content().strip() == said


def test_an_index_of_nothing_is_a_page() -> None:
    assert "Chưa có báo cáo nào được công bố." in render_catalogue([]).decode()


def test_units_that_are_no_longer_stand_beside_those_of_today(make_content: MakeContent, write: Any) -> None:
    """Of the units of the release alone, whatever else its tables name."""
    page = html(write(make_content()))
    rows = page.xpath('//section[@id="don-vi-hien-nay"]//tbody/tr')
    found = {row.get("data-as-was"): (row.get("data-as-is"), row.text_content()) for row in rows}
    assert list(found) == ["945", "31615"]
    assert found["945"][0] == ""
    assert "không chuyển được: Huyện Cù Lao Dung kết thúc hoạt động" in found["945"][1]
    assert found["31615"][0] == "31615"
    assert "Xã An Thạnh (31615)" in found["31615"][1]

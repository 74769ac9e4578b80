"""The list that is looked through before publication: what stands on it, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.files import canonical_json
from common.forms import form_named, load_forms
from expectations import Finding, Result, declared_rules
from publication.content.release_content import ReleaseContent
from publication.review import PARTS, Item, Spread, knife_edges, review_items, write_review
from publication.store.parquet import to_parquet


def _result(**values: Any) -> Result:
    known: dict[str, Any] = {
        "expectation_id": "report.x", "source": "one_stop_cases", "sentence_vi": "Phải đúng.", "severity": "critical",
        "status": "fail", "observed": "1", "failed_rows": 1, "covered_rows": 0, "decision_id": None,
        "settleable": True, "empty_allowed": True, "blocking": False,
    }  # fmt: skip
    return Result(**known | values)


def _finding(subject: str, **values: Any) -> Finding:
    return Finding(subject=subject, message_vi=f"{subject} sai", **values)


def _items(content: ReleaseContent, results: list[Result], published: Path = Path("none")) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {kind: [] for kind, _, _ in PARTS}
    for item in review_items(content, results, published):
        found[item.kind].append(item)
    return found


# -- rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, "blocks"),
        ({"status": "did_not_run"}, "blocks"),
        ({"severity": "warning"}, "warns"),
        ({"severity": "warning", "status": "no_data", "empty_allowed": False}, "blocks"),
        ({"covered_rows": 1, "decision_id": "QD-07"}, "waived"),
        ({"severity": "warning", "covered_rows": 1, "decision_id": "QD-07"}, "waived"),
        ({"severity": "info"}, "remark"),
        ({"severity": "info", "expectation_id": "case_questions.due_day_moved"}, "question"),
        ({"status": "pass"}, None),
        ({"status": "no_data"}, None),
        ({"severity": "info", "status": "no_data"}, None),
    ],
)
def test_each_result_stands_in_its_part_or_nowhere(
    make_content: Callable[..., ReleaseContent], values: dict[str, Any], kind: str | None
) -> None:
    items = _items(make_content(), [_result(**values)])
    of_rules = {name for name in ("blocks", "warns", "waived", "question", "remark") if items[name]}
    assert of_rules == ({kind} if kind else set())
    if kind == "waived":
        assert "quyết định QD-07" in items["waived"][0].text_vi


def test_what_bears_on_more_rows_comes_first(make_content: Callable[..., ReleaseContent]) -> None:
    results = [
        _result(expectation_id="report.III.25.one"),
        _result(expectation_id="report.two", findings=(_finding("I.04"), _finding("I.05"))),
        _result(expectation_id="report.none"),
        # At the delivered row of a figure: the sheet and file that it was counted from.
        _result(
            expectation_id="cases.three",
            severity="info",
            places=({"delivery_id": "a" * 16, "sheet": "S", "column_vi": None, "rows": "3-5, 9"},),
        ),
    ]
    items = _items(make_content(), results)
    assert [item.codes for item in items["blocks"]] == [("I.04", "I.05"), ("III.25",), ()]
    assert [item.effect_vi for item in items["blocks"]] == ["2 dòng của biểu", "1 dòng của biểu", "không số liệu nào"]
    (remark,) = items["remark"]
    assert remark.codes
    assert set(remark.codes) <= {"I.03", "I.04", "I.05", "I.09"}


def test_a_finding_is_told_with_its_place_and_what_to_do(make_content: Callable[..., ReleaseContent]) -> None:
    rule = next(rule for rule in declared_rules("mart") if rule.advice_vi)
    many = tuple(_finding(f"H-{n}") for n in range(50))
    (item,) = _items(make_content(), [_result(expectation_id=rule.id, findings=many, failed_rows=5000)])["blocks"]
    assert item.advice_vi == rule.advice_vi
    assert item.places[0] == "H-0 sai"
    assert item.places[-1] == "còn 4.980 trường hợp khác"


# -- changes, blanks -------------------------------------------------------------------------------------------------


def test_the_largest_change_since_the_last_quarter_comes_first(make_content: Callable[..., ReleaseContent]) -> None:
    content = make_content(
        changes={
            "III.23": {"value": Decimal(110), "previous_quarter_value": Decimal(100)},
            "III.24": {"value": Decimal(40), "previous_quarter_value": Decimal(100)},
            "III.26": {"value": Decimal(7), "previous_quarter_value": Decimal(7)},
            "III.27": {"value": Decimal(7), "previous_quarter_value": None},
        }
    )
    told = [item for item in _items(content, [])["previous"] if item.codes[0].startswith("III.2")]
    by_code = {item.codes[0]: item for item in told}
    assert "III.26" not in by_code
    assert "quý trước 100, nay 40" in by_code["III.24"].text_vi
    assert (by_code["III.24"].effect_vi, by_code["III.23"].effect_vi) == ("giảm 60%", "tăng 10%")
    order = [item.codes[0] for item in told if item.codes[0] in ("III.23", "III.24", "III.27")]
    assert order == ["III.27", "III.24", "III.23"]


def test_every_blank_row_stands_on_the_list(make_content: Callable[..., ReleaseContent]) -> None:
    content = make_content(changes={"I.04": {"value": None, "status": "withheld"}})
    blanks = [code for item in _items(content, [])["blank"] for code in item.codes]
    wanted = [row.code for row in content.rows if row.printed == "" and row.values["kind"] != "heading"]
    assert sorted(blanks) == sorted(wanted)
    assert "I.04" in blanks


# -- marks -----------------------------------------------------------------------------------------------------------


def _share(make_content: Callable[..., ReleaseContent], part: int, whole: int) -> list[Item]:
    content = make_content(changes={"III.25": {"value": Decimal(part)}, "III.24": {"value": Decimal(whole)}})
    return [item for item in knife_edges(content) if item.codes == ("III.25",)]


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (611, 611, ["bớt 1 là xuống dưới 100%"]),
        (610, 611, ["thêm 1 là đạt 100%"]),
        (609, 611, ["thêm 2 là đạt 100%"]),
        (608, 611, []),
        (95, 100, ["bớt 1 là xuống dưới 95%"]),
        (94, 100, ["thêm 1 là đạt 95%"]),
        (97, 100, []),
        (91, 100, ["bớt 2 là xuống dưới 90%"]),
        (0, 100, []),
        (0, 0, []),
    ],
)
def test_a_case_or_two_from_a_mark(
    make_content: Callable[..., ReleaseContent], part: int, whole: int, said: list[str]
) -> None:
    assert [item.text_vi.split("; ")[1].rstrip(".") for item in _share(make_content, part, whole)] == said


def test_marks_are_of_rows_that_have_a_share() -> None:
    for form in load_forms():
        shares = form.page.parts.keys() | {row["indicator_code"] for row in form.rows if row["kind"] == "ratio"}
        assert form.review.marks.keys() <= shares


# -- unusual values --------------------------------------------------------------------------------------------------


def test_the_robust_score_is_the_distance_in_deviations_from_the_median() -> None:
    spread = Spread.of([Decimal(n) for n in (10, 12, 14, 16, 18)])
    assert (spread.middle, spread.least, spread.greatest, spread.count) == (14, 10, 18, 5)
    assert spread.score(Decimal(14)) == 0
    assert spread.score(Decimal(20)) == pytest.approx(6 / (1.4826 * 2))
    assert Spread.of([Decimal(5)] * 4).score(Decimal(5)) == 0
    assert Spread.of([Decimal(5)] * 4).score(Decimal(6)) == float("inf")
    # More than half the same: the mean deviation stands in for the median one.
    assert Spread.of([Decimal(n) for n in (5, 5, 5, 9)]).score(Decimal(9)) == pytest.approx(4 / 1.2533)


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30),
    st.integers(0, 10**6),
    st.integers(1, 100),
    st.integers(0, 1000),
)
def test_the_score_does_not_depend_on_order_scale_or_origin(
    values: list[int], value: int, scale: int, origin: int
) -> None:
    plain = Spread.of(list(map(Decimal, values))).score(Decimal(value))
    moved = Spread.of([Decimal(v * scale + origin) for v in reversed(values)]).score(Decimal(value * scale + origin))
    assert moved == pytest.approx(plain, rel=1e-6, abs=1e-6)


def _release(published: Path, content: ReleaseContent, unit: str, quarter: str) -> None:
    """A current release that says what the content says, as far as the list reads it."""
    folder = published / unit / quarter
    (folder / "r1" / "marts").mkdir(parents=True)
    (folder / "r1" / "marts" / "report_indicators.parquet").write_bytes(to_parquet(content.tables["report_indicators"]))
    history = [{"release": 1, "manifest_sha256": "0" * 64}]
    pointer = {"schema": 1, "unit_code": unit, "quarter": quarter, "release": 1, "path": "r1",
               "manifest_sha256": "0" * 64, "history": history}  # fmt: skip
    (folder / "current.json").write_bytes(canonical_json(pointer))


def test_a_figure_is_held_against_the_releases_of_the_unit_and_of_others(
    make_content: Callable[..., ReleaseContent], tmp_path: Path
) -> None:
    published = tmp_path / "published"
    for number, (quarter, value) in enumerate({"2022-Q1": 100, "2022-Q2": 104, "2022-Q3": 98, "2022-Q4": 102}.items()):
        other = {"value": Decimal(80 + number), "kind": "ratio"}
        content = make_content(changes={"III.23": {"value": Decimal(value)}, "I.02": other})
        _release(published, content, "945", quarter)
        _release(published, content, f"94{number}", "2023-Q1")
    _release(published, make_content(changes={"III.23": {"value": Decimal(10**6)}}), "945", "2023-Q2")  # is to come

    def asked(**values: int) -> list[str]:
        changes = {
            "III.23": {"value": Decimal(values["count"])},
            "I.02": {"value": Decimal(values["rate"]), "kind": "ratio"},
        }
        items = _items(make_content(changes=changes), [], published)["unusual"]
        return [item.text_vi for item in items if item.codes[0] in changes]

    assert asked(count=101, rate=81) == []
    (count,) = asked(count=500, rate=81)
    assert "III.23" in count
    assert "500; các kỳ đã công bố của đơn vị (4 giá trị) từ 98 đến 104, trung vị 101" in count
    assert [text.split("; ")[1][:20] for text in asked(count=101, rate=12)] == [
        "các kỳ đã công bố củ",
        "các đơn vị khác kỳ n",
    ]
    # A damaged release is verify's to tell; nothing stops for it.
    (published / "945" / "2022-Q1" / "current.json").write_bytes(b"{")
    assert asked(count=500, rate=81) == []  # three are too few to say what is usual


# -- the page --------------------------------------------------------------------------------------------------------


def test_the_page_names_each_part_and_escapes_what_was_delivered(
    make_content: Callable[..., ReleaseContent], tmp_path: Path
) -> None:
    content = make_content()
    results = [_result(expectation_id="report.I.04.x", findings=(_finding("I.04", file="<script>x</script>.xlsx"),))]
    named: list[str] = []

    def real(lines: list[str]) -> list[str]:
        named.extend(lines)
        return [line.replace("sai", "<b>sai</b>") for line in lines]

    path = tmp_path / "ra-soat.html"
    write_review(path, content, results, reasons=["vì & vậy"], published=tmp_path, named=real)
    page = path.read_text(encoding="utf-8")
    for _, title, _ in PARTS:
        assert title in page
    assert "DỰ THẢO" in page
    assert "Chưa công bố được" in page
    assert "vì &amp; vậy" in page
    assert "I.04 &lt;b&gt;sai&lt;/b&gt;" in page
    assert {"I.04 sai", "vì & vậy"} <= set(named)
    again = tmp_path / "again.html"
    write_review(again, content, results, reasons=["vì & vậy"], published=tmp_path, named=real)
    assert again.read_bytes() == path.read_bytes()
    assert form_named(content.form_version).review.within == 2

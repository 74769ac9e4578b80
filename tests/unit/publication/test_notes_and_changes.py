"""Notes say why; changes say what, cell by cell."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from publication.content.changes import compare
from publication.content.notes import NOTES_COLUMNS, notes, notes_csv
from publication.content.release_content import ReleaseContent
from publication.content.revision import changes_csv
from publication.store.csvfile import from_csv
from tests.unit.publication.builders import UNIT, build_tables

MakeContent = Callable[..., ReleaseContent]


def decision(identifier: str, **fields: Any) -> dict[str, Any]:
    return {"decision_id": identifier, "effect": "applied", "subject_kind": "row", **fields}


def result(**fields: Any) -> dict[str, Any]:
    return {
        "expectation_id": "report.I.16.flag",
        "sentence_vi": "Dòng có/không chỉ nhận 0 hoặc 1.",
        "status": "fail",
        "severity": "info",
        "failed_rows": 1200,
        "decision_id": None,
        "findings": [],
        **fields,
    }


def test_alike_decisions_on_cases_are_one_footnote_without_case_codes(make_content: MakeContent) -> None:
    cases = [decision(f"QD-0{n}", subject_kind="case", subject=f"H51.{n}", action="count_as_on_time") for n in (2, 1)]
    content = make_content(decisions=cases)
    assert [note.decision_ids for note in content.footnotes] == [("QD-01", "QD-02")]
    assert "H51" not in str(notes(content))
    assert "H51" not in str(content.decisions)


def test_two_decisions_of_one_number_have_each_its_own_rows(make_content: MakeContent) -> None:
    """Two quarters' registers have it; a clerk's number may hold blanks, too."""
    older, newer = "QD 01 (2022-Q4)", "QD 01"
    decisions = [
        decision(older, subject="I.02", action="withhold"),
        decision(newer, subject="VI.04", action="withhold"),
    ]
    content = make_content(
        changes={"I.02": {"decision_id": older}, "VI.04": {"decision_id": newer}},
        decisions=decisions,
        gate_results=[
            result(severity="critical", decision_id=f"{newer}, {older}",
                   findings=[{"subject": "II.02", "decision_id": older}, {"subject": "II.03", "decision_id": newer}])
        ],
    )  # fmt: skip
    of = {note.decision_ids: set(note.indicator_codes) for note in content.footnotes}
    assert of == {(older,): {"I.02", "I.16", "II.02"}, (newer,): {"VI.04", "I.16", "II.03"}}


def test_a_footnote_gives_reason_and_document(make_content: MakeContent) -> None:
    settled = decision(
        "QD-01",
        subject_kind="case",
        subject="H51.1",
        action="count_as_on_time",
        reason_vi="Hồ sơ H51.1 lỗi cập nhật trên phần mềm.",
        document_number="12/BC-UBND",
        dated=dt.date(2023, 3, 15),
    )
    assert make_content(decisions=[settled]).footnotes[0].text_vi == (
        "Hồ sơ được tính là giải quyết đúng hạn, khác với thời điểm ghi trên phần mềm. "
        "Lý do: Hồ sơ … lỗi cập nhật trên phần mềm. Theo Báo cáo số 12/BC-UBND ngày 15/03/2023."
    )


def test_a_decision_on_a_rule_marks_the_rows_it_covers(make_content: MakeContent) -> None:
    accepted = decision(
        "QD-06", effect="covers_findings", subject_kind="rule", subject="report.I.16.flag", action="accept_finding"
    )
    covered = result(severity="critical", decision_id="QD-06", findings=[{"subject": "II.02", "decision_id": "QD-06"}])
    content = make_content(decisions=[accepted], gate_results=[covered])
    assert content.footnotes[0].indicator_codes == ("I.16", "II.02")
    assert content.footnotes[0].text_vi == "Chấp nhận điểm chưa khớp: Dòng có/không chỉ nhận 0 hoặc 1."


def test_decisions_without_effect_are_no_footnotes(make_content: MakeContent) -> None:
    invalid = decision("QD-99", effect="invalid", subject="I.02", action="withhold")
    assert make_content(decisions=[invalid]).footnotes == ()


def test_info_findings_are_noted_and_passed_rules_are_not(make_content: MakeContent) -> None:
    results = [
        result(findings=[{"subject": "I.16", "decision_id": None}]),
        result(status="pass"),
        result(severity="warning"),
    ]
    found = [note for note in notes(make_content(gate_results=results)) if note["kind"] == "finding"]
    assert [note["subject"] for note in found] == ["I.16"]
    assert found[0]["sentence_vi"].endswith("không đạt: 1.200.")


@pytest.mark.parametrize(("rows", "least", "placed"), [
    (("14, 87", "2-9"), 5, False),
    (("14-17", "2-9"), 5, False),
    (("14-18", "2-9"), 5, True),
    (("14", "87"), 1, True),
])  # fmt: skip
@pytest.mark.parametrize("of_outcome", [True, False])
def test_rows_that_tell_an_outcome_of_few_cases_of_a_unit_are_not_listed(
    rows: tuple[str, str], least: int, placed: bool, of_outcome: bool, make_content: MakeContent
) -> None:
    sent = [{"delivery_id": f"{n}" * 16, "file_name": f"f{n}", "unit_code": f"3161{n}"} for n in range(2)]
    places = [
        {"delivery_id": entry["delivery_id"], "sheet": "trang 1", "column_vi": None, "rows": text}
        for entry, text in zip(sent, rows, strict=True)
    ]
    asked = result(findings=[]) | {"places": places, "places_tell_outcome": of_outcome}
    content = replace(make_content(gate_results=[asked]), inputs=tuple(sent), least_count=least)
    told = [row["sentence_vi"] for row in from_csv(notes_csv(content)) if row["kind"] == "finding"]
    assert any(": tệp" in sentence for sentence in told) is (placed or not of_outcome)
    assert any("không công bố vì số trường hợp ít" in sentence for sentence in told) is (of_outcome and not placed)


def test_all_delivered_rows_of_a_remark_are_in_the_file_by_neutral_names(make_content: MakeContent) -> None:
    rows = ", ".join(map(str, range(2, 6_000, 2)))
    places = [
        {"delivery_id": "a" * 16, "sheet": "trang 1", "column_vi": "Ngày hẹn trả", "rows": rows},
        {"delivery_id": "b" * 16, "sheet": None, "column_vi": None, "rows": ""},
    ]
    noted = result(findings=[{"subject": "I.16", "decision_id": None}]) | {"places": places}
    covered = result(severity="warning") | {"places": places}
    content = make_content(gate_results=[noted, covered])
    content = replace(content, inputs=({"delivery_id": "a" * 16, "file_name": "plan_tasks-2023-Q1-945-aaaaaaaa"},))
    found = [row["sentence_vi"] for row in from_csv(notes_csv(content)) if ": tệp" in row["sentence_vi"]]
    sentence = noted["sentence_vi"].rstrip(".")
    assert found == [
        f"{sentence}: tệp plan_tasks-2023-Q1-945-aaaaaaaa, trang 1, cột Ngày hẹn trả, dòng {rows}.",
        f"{sentence}: tệp {'b' * 16}.",
    ]
    # The page says where they are.
    told = [note["sentence_vi"] for note in notes(content) if note["kind"] == "finding"]
    assert "2 dòng cuối của tệp quality/notes.csv" in told[-1]
    assert [note for note in notes(make_content(gate_results=[covered])) if "dòng cuối" in note["sentence_vi"]] == []


def test_every_blank_row_says_why_and_headings_need_no_reason(make_content: MakeContent) -> None:
    content = make_content(changes={"I.04": {"value": None, "status": "withheld", "decision_id": "QD-08"}})
    blanks = {note["subject"]: note for note in notes(content) if note["kind"] == "blank"}
    assert blanks["I.04"]["sentence_vi"] == "Để trống theo quyết định không công bố."
    assert "chưa gửi" in blanks["I.21"]["sentence_vi"]
    assert "I.01" not in blanks
    assert "I.06" not in blanks


def test_a_total_over_some_units_says_so(make_content: MakeContent) -> None:
    content = make_content(
        changes={
            "III.26": {"units_counted": 7, "units_expected": 8},
            "III.27": {"units_counted": 8, "units_expected": 8},
        }
    )
    coverage = [note for note in notes(content) if note["kind"] == "coverage"]
    assert [(note["subject"], note["sentence_vi"]) for note in coverage] == [
        ("III.26", "Số liệu mới tổng hợp từ 7/8 đơn vị phải báo cáo."),
    ]


def test_the_notes_file_has_its_documented_columns(make_content: MakeContent) -> None:
    rows = from_csv(notes_csv(make_content()))
    assert rows
    assert tuple(rows[0]) == NOTES_COLUMNS


def test_the_first_release_has_no_changes() -> None:
    assert changes_csv(None) == b"mart,row,name_vi,column,old,new,cause_kind,cause,cause_vi\n"


def test_equal_releases_have_no_changes() -> None:
    assert compare(build_tables(), build_tables()) == []


def test_each_changed_cell_is_listed_with_both_values() -> None:
    changed = build_tables(
        changes={
            "I.04": {"value": Decimal(10), "computed_value": Decimal(10)},
            "I.21": {"value": Decimal(0), "status": "computed"},
        }
    )
    old, new = ({"report_indicators": tables["report_indicators"]} for tables in (build_tables(), changed))
    assert [(change.row, change.column, change.old, change.new) for change in compare(old, new)] == [
        ("I.04", "computed_value", "9", "10"),
        ("I.04", "value", "9", "10"),
        ("I.21", "computed_value", None, "0"),
        ("I.21", "status", "not_reported", "computed"),
        ("I.21", "value", None, "0"),
    ]


def test_rows_of_other_marts_that_come_or_go_are_listed() -> None:
    for mart, row in (("case_processing", "945 · Hộ tịch · direct"), ("dim_unit", "945 · 945")):
        old = {mart: build_tables()[mart]}
        (gone,) = compare(old, {mart: old[mart].slice(1)})
        (come,) = compare({mart: old[mart].slice(1)}, old)
        assert (gone.mart, gone.row, gone.column, gone.new) == (mart, row, None, None)
        assert gone.old == come.new
        assert gone.old
        assert come.old is None


def test_a_row_that_came_twice_is_listed_once() -> None:
    units = build_tables()["dim_unit"]
    (change,) = compare({"dim_unit": units}, {"dim_unit": pa.concat_tables([units, units.slice(0, 1)])})
    assert change.new is not None
    assert "Huyện Cù Lao Dung" in change.new


def test_a_table_or_column_that_came_is_one_line_and_not_a_changed_figure() -> None:
    """A renewed program may bring tables and columns; that is not as many changed figures as they have cells."""
    old = {"dim_unit": build_tables()["dim_unit"]}
    wider = old["dim_unit"].append_column("level", pa.array(["x"] * old["dim_unit"].num_rows))
    (column, table) = compare(old, {"dim_unit": wider, "staffing": old["dim_unit"]})
    assert (column.mart, column.column, column.old, column.new) == ("dim_unit", "level", None, "có cột này")
    assert (table.mart, table.column, table.new) == ("staffing", None, "bảng có 5 dòng")
    assert column.of_layout
    assert table.of_layout


def test_a_decision_on_cases_marks_the_rows_that_count_them(make_content: MakeContent, monkeypatch: Any) -> None:
    from tests.unit.publication import builders

    def counted(**build: Any) -> dict[str, pa.Table]:
        tables = build_tables(**build)
        behind = tables["figure_rows"].to_pylist()
        decided = ["QD-01" if row["figure"] == "m_73" else None for row in behind]
        place = tables["figure_rows"].schema.get_field_index("decision_id")
        return tables | {"figure_rows": tables["figure_rows"].set_column(place, "decision_id", [decided])}

    monkeypatch.setattr(builders, "build_tables", counted)
    case = decision("QD-01", subject_kind="case", subject="H51.1", action="count_as_on_time")
    (footnote,) = make_content(decisions=[case]).footnotes
    assert footnote.indicator_codes == ("III.25",)


@pytest.mark.parametrize(
    ("findings", "why"),
    [
        ([{"subject": UNIT, "message_vi": f"Đơn vị {UNIT} chưa gửi."}], f"Đơn vị {UNIT} (Huyện Cù Lao Dung) chưa gửi."),
        ([{"subject": "x", "message_vi": "Tệp x chưa gửi."}], "Tệp x chưa gửi."),
        ([], "Không đạt: Mọi đơn vị đều đã gửi."),
    ],
)
def test_provisional_figures_tell_what_is_missing_and_not_how_it_should_be(
    make_content: MakeContent, findings: list[dict[str, Any]], why: str
) -> None:
    settled = result(
        severity="critical",
        makes_provisional=True,
        sentence_vi="Mọi đơn vị đều đã gửi.",
        decision_id="QD-01",
        findings=findings,
    )
    content = make_content(gate_results=[settled])
    assert content.provisional_vi == (why,)
    assert [n["sentence_vi"] for n in notes(content) if n["kind"] == "provisional"] == [f"Số liệu tạm thời. {why}"]


def test_each_place_of_the_letter_is_a_note_of_its_own(make_content: MakeContent) -> None:
    found = [{"subject": "mục I.7, đoạn 1: 12 tổ công nghệ số", "decision_id": None}]
    told = result(
        expectation_id="letter.figures_compared",
        sentence_vi="Con số không đối chiếu được.",
        failed_rows=3,
        findings=found,
    )
    content = make_content(gate_results=[told])
    assert [note["sentence_vi"] for note in notes(content) if note["kind"] == "finding"] == [
        "Con số không đối chiếu được: mục I.7, đoạn 1: 12 tổ công nghệ số.",
        "Con số không đối chiếu được: còn 2 chỗ khác.",
    ]

"""Lines of a department's annex are told apart from its furniture, and matched as surely as their names allow."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from common.forms import form_named
from ingestion import NoAnnex, read_form_annex
from tests.support import annexes

KNOWN = form_named("xa-2025")


def test_the_first_provinces_annex_comes_back_line_by_line(tmp_path: Path) -> None:
    lines = annexes.as_printed(KNOWN)
    annexes.write_first(tmp_path / "bieu.xlsx", lines)
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN)
    assert [(m.line.number, m.line.name, m.line.unit) for m in annex.matches] == [
        (line.number, line.name, line.unit) for line in lines
    ]
    assert [match.code for match in annex.matches] == [line.code for line in lines]
    assert [step.relation for step in annex.steps] == ["same"] * len(lines)
    # What is computed stays computed, in its place.
    same = ("indicator_code", "section", "level", "numerator", "denominator", "derived_from", "logical_parent_code")
    assert [{name: row[name] for name in same} for row in annex.rows] == [
        {name: row[name] for name in same} for row in KNOWN.rows
    ]


def test_two_lines_of_one_name_under_one_heading_are_nobodys_certainty(tmp_path: Path) -> None:
    annexes.write_first(tmp_path / "bieu.xlsx", annexes.as_printed(KNOWN))
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN)
    unsure = {match.code: match.other_code for match in annex.matches if match.certainty != "certain"}
    assert unsure == {"II.07": "II.10", "II.08": "II.11"}


def test_a_new_row_takes_no_code_that_a_form_before_ever_used(tmp_path: Path) -> None:
    annexes.write_variant(tmp_path / "bieu.xlsx", annexes.variant(KNOWN, []))
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN)
    fresh = {row["indicator_code"] for row in annex.rows} - KNOWN.codes
    assert len(fresh) == len(annexes.new_rows())
    assert not fresh & form_named("2023").codes


@pytest.mark.parametrize("left_out", [[], ["V.06", "V.09", "VII.15", "I.03"]], ids=["all rows", "some gone"])
def test_the_variant_is_matched_and_never_surely_wrong(tmp_path: Path, left_out: list[str]) -> None:
    lines = annexes.variant(KNOWN, left_out)
    annexes.write_variant(tmp_path / "bieu.xlsx", lines)
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN)
    assert [match.line.name for match in annex.matches] == [line.name for line in lines]
    for match, meant in zip(annex.matches, lines, strict=True):
        if match.certainty == "certain":
            assert match.code == meant.code, match
    certain = sum(match.certainty == "certain" for match in annex.matches)
    assert certain > 0.9 * (len(lines) - len(annexes.new_rows()))
    assert {step.old_code for step in annex.steps if step.relation == "ended"} >= set(left_out)


def test_what_a_person_decided_holds_and_no_row_is_taken_twice(tmp_path: Path) -> None:
    annexes.write_first(tmp_path / "bieu.xlsx", annexes.as_printed(KNOWN))
    first = KNOWN.rows[1]
    key = (first["printed_number"], first["name_vi"], 0)
    annex = read_form_annex(tmp_path / "bieu.xlsx", KNOWN, {key: ""})
    assert annex.matches[1].certainty == "new"
    assert annex.rows[1]["indicator_code"] not in KNOWN.codes
    assert annex.rows[1]["source"] == "declared_returns"
    codes = [row["indicator_code"] for row in annex.rows]
    assert len(set(codes)) == len(codes)


def test_a_sum_that_lost_a_term_is_declared(tmp_path: Path) -> None:
    lines = [line for line in annexes.as_printed(KNOWN) if line.code != "V.06"]
    annexes.write_first(tmp_path / "bieu.xlsx", lines)
    rows = {row["indicator_code"]: row for row in read_form_annex(tmp_path / "bieu.xlsx", KNOWN).rows}
    assert (rows["V.05"]["derivation"], rows["V.05"]["source"]) == ("", "declared_returns")


@pytest.mark.parametrize(
    ("unit", "kind"),
    [
        ("Có = 1 Không = 0", "flag"),
        ("Kém = 0; Khá = 1; Tốt = 2", "code"),
        ("%", "ratio"),
        ("Hồ sơ", "count"),
        ("", "text"),
    ],
)
def test_a_new_row_is_of_the_kind_that_its_unit_says(tmp_path: Path, unit: str, kind: str) -> None:
    lines = [*annexes.as_printed(KNOWN), annexes.Printed("", "Chỉ tiêu chưa ai biết bao giờ", unit, "")]
    annexes.write_first(tmp_path / "bieu.xlsx", lines)
    row = read_form_annex(tmp_path / "bieu.xlsx", KNOWN).rows[-1]
    assert (row["kind"], row["unit_vi"]) == (kind, unit)


def test_a_workbook_without_an_annex_says_what_is_missing(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Họ tên", "Chức vụ"])
    book.save(tmp_path / "khac.xlsx")
    with pytest.raises(NoAnnex, match=r"khac\.xlsx: không tìm thấy bảng chỉ tiêu.*Chỉ tiêu thống kê"):
        read_form_annex(tmp_path / "khac.xlsx", KNOWN)
    (tmp_path / "hong.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(NoAnnex, match=r"hong\.xlsx"):
        read_form_annex(tmp_path / "hong.xlsx", KNOWN)

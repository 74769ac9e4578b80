"""The sample's rows lead to the printed figures of the real quarter, and contradict themselves nowhere else."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from sample import DISTRICTS, QUARTERS, sample_rows
from sample.quarters import WINDOWS
from sample.rows import FileKey, Row
from tests.oracle import Form, reckon
from tests.oracle.form import code_of, row_of

ANNEX = Path(__file__).parents[2] / "data" / "annex_2023-Q1.csv"
CONTRADICTIONS = {
    ("report.settled", "III.25"),
    ("report.flag_domain.I.16", "I.16"),
    ("report.III.05.follows_parts", "III.05"),
    ("report.V.02.heading_contradicts_children", "V.02"),
    ("report.settled", "VI.04"),
    ("report.VI.04.sum_of_groups", "VI.04"),
    ("report.VI.06.requires_staff", "VI.06"),
    ("report.VII.29.at_most_offered", "VII.29"),
    *{("report.settled", code) for code in ("VII.44", "VII.45", "VII.50", "VII.51")},
    *{(f"report.{code}.iff_cases", code) for code in ("VII.44", "VII.45", "VII.50", "VII.51")},
    ("report.III.27.no_backlog", "III.27"),
}
# Rows blank in the report that the records can fill in.
FILLED = {21: Decimal(0), 182: Decimal(187)}


@cache
def _files(district: str, quarter: str) -> dict[FileKey, list[Row]]:
    return sample_rows(quarter, district=district)


@cache
def _form(district: str, quarter: str, *, without_decision: str | None = None) -> Form:
    """The form; ``without_decision`` is ``all`` or the id of a decision to leave out."""
    deliveries = {q: dict(_files(district, q)) for q in QUARTERS if q <= quarter}
    if without_decision is not None:
        files = deliveries[quarter]
        for key in [key for key in files if key[1] == "decisions"]:
            files[key] = [row for row in files[key] if without_decision not in ("all", row["decision_id"])]
    window = WINDOWS[quarter]
    return reckon(deliveries, district, quarter, (window.opens_on, window.closes_on, window.year_opens_on))


def _annex() -> Iterator[tuple[int, Decimal | None]]:
    with ANNEX.open(encoding="utf-8-sig", newline="") as handle:
        for row in csv.DictReader(handle):
            yield int(row["row_no"]), Decimal(row["value_number"]) if row["value_number"] else None


def test_real_quarter_gives_every_printed_figure() -> None:
    figures = _form("945", "2023-Q1").figures
    printed = {row: value for row, value in _annex() if value is not None}
    assert len(printed) == 169
    assert {row: figures[row].value for row in printed} == printed


def test_rows_blank_in_the_report_stay_blank_or_are_filled_from_records() -> None:
    figures = _form("945", "2023-Q1").figures
    blank = {row for row, value in _annex() if value is None}
    assert len(blank) == 42
    assert {row: figures[row].value for row in blank if figures[row].value is not None} == FILLED


def test_real_quarter_publishes_with_its_decisions() -> None:
    assert _form("945", "2023-Q1").findings == set()


def test_real_quarter_without_decisions_names_exactly_the_contradictions() -> None:
    form = _form("945", "2023-Q1", without_decision="all")
    assert form.findings == CONTRADICTIONS
    late = form.figures[row_of("III.25")]
    assert (late.computed, late.declared) == (Decimal(606), Decimal(611))


@pytest.mark.parametrize("number", range(1, 17))
def test_every_decision_is_needed(number: int) -> None:
    assert _form("945", "2023-Q1", without_decision=f"QD-{number:02d}").findings


@pytest.mark.parametrize(
    ("district", "quarter"),
    [(d, q) for d in DISTRICTS for q in QUARTERS if (d, q) != ("945", "2023-Q1")],
)
def test_invented_quarters_publish_without_a_decision(district: str, quarter: str) -> None:
    assert not any(source == "decisions" for _, source, _ in sample_rows(quarter, district=district))
    assert _form(district, quarter).findings == set()


def test_invented_quarters_differ_from_the_real_one() -> None:
    real, later = _form("945", "2023-Q1").figures, _form("945", "2023-Q2").figures
    other = _form("942", "2023-Q2").figures
    assert sum(real[row].value != later[row].value for row in real) > 50
    assert [other[row].value for row in range(71, 77)] != [later[row].value for row in range(71, 77)]


def test_open_cases_of_the_real_quarter_come_again_in_the_next() -> None:
    key = ("945", "one_stop_cases", "ho-so-mot-cua.xlsx")
    before, after = (sample_rows(quarter)[key] for quarter in ("2023-Q1", "2023-Q2"))
    still_open = {row["case_code"] for row in before if row["status"] in ("received", "in_progress")}
    again = {row["case_code"]: row["status"] for row in after if row["case_code"] in still_open}
    assert len(still_open) == len(again) == 534
    assert sum(status in ("finished", "returned") for status in again.values()) == 524


def test_codes_and_row_numbers_are_each_others_inverse() -> None:
    assert [row_of(code_of(row)) for row in range(1, 212)] == list(range(1, 212))
    with pytest.raises(ValueError, match="no row"):
        code_of(212)
    with pytest.raises(ValueError, match="no section"):
        row_of("VIII.01")

"""The seeds against the law's calendar and the printed form."""

from __future__ import annotations

import csv
import datetime as dt
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest

from common.forms import form_named

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
ANNEX = Path(__file__).parents[2] / "data" / "annex_2023-Q1.csv"


def _rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def holidays() -> dict[dt.date, str]:
    return {dt.date.fromisoformat(row["day"]): row["kind"] for row in _rows("holidays")}


def _is_working(day: dt.date, holidays: dict[dt.date, str]) -> bool:
    kind = holidays.get(day)
    return kind == "worked_saturday" or (kind is None and day.weekday() < 5)


def _after(day: dt.date, working_days: int, holidays: dict[dt.date, str]) -> dt.date:
    while working_days:
        day += dt.timedelta(days=1)
        working_days -= _is_working(day, holidays)
    return day


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2023-01-18", 5, "2023-02-01"),
        ("2023-01-19", 3, "2023-01-31"),
        ("2023-04-27", 2, "2023-05-04"),
        ("2023-08-31", 1, "2023-09-05"),
        ("2024-04-26", 3, "2024-05-04"),
        ("2025-04-25", 1, "2025-04-26"),
        ("2025-04-29", 2, "2025-05-06"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2022-12-30", 1, "2023-01-03"),
    ],
)
def test_days_off_and_worked_saturdays_give_the_decreed_deadlines(
    start: str, days: int, end: str, holidays: dict[dt.date, str]
) -> None:
    assert _after(dt.date.fromisoformat(start), days, holidays) == dt.date.fromisoformat(end)


@pytest.mark.parametrize(("year", "expected"), [(2022, 249), (2023, 249), (2024, 251), (2025, 250), (2026, 249)])
def test_years_have_their_number_of_working_days(year: int, expected: int, holidays: dict[dt.date, str]) -> None:
    first = dt.date(year, 1, 1)
    days = (first + dt.timedelta(days=n) for n in range((dt.date(year + 1, 1, 1) - first).days))
    assert sum(_is_working(day, holidays) for day in days) == expected


def test_windows_follow_each_other_and_are_due_two_working_days_after_closing(holidays: dict[dt.date, str]) -> None:
    all_by_decree = [p for p in _rows("reporting_periods") if p["calendar"] == "decree_09"]
    # Beside the windows of the decree: the short period in which units that end within a quarter close their books.
    by_decree = [p for p in all_by_decree if p["kind"] != "closing"]
    (closing,) = [p for p in all_by_decree if p["kind"] == "closing"]
    within = next(p for p in by_decree if p["quarter"] == closing["quarter"].removesuffix("E"))
    assert closing["opens_on"] == within["opens_on"] < closing["closes_on"] < within["closes_on"]
    assert [p["quarter"][:4] + p["quarter"][5:] for p in by_decree] == [
        f"{year}{name}" for year in range(2021, 2031) for name in ("Q1", "Q2", "H1", "Q3", "M9", "Q4", "Y")
    ]
    periods = [p for p in by_decree if p["kind"] == "quarter"]
    assert [p["quarter"] for p in periods] == [f"{y}-Q{q}" for y in range(2021, 2031) for q in range(1, 5)]
    for period in _rows("reporting_periods"):
        closes = dt.date.fromisoformat(period["closes_on"])
        assert dt.date.fromisoformat(period["due_on"]) == _after(closes, 2, holidays)
    for before, after in pairwise(periods):
        opens = dt.date.fromisoformat(before["closes_on"]) + dt.timedelta(days=1)
        assert dt.date.fromisoformat(after["opens_on"]) == opens
        assert after["previous_quarter"] == before["quarter"]
        starts_year = after["quarter"].endswith("Q1")
        assert after["year_opens_on"] == (after["opens_on"] if starts_year else before["year_opens_on"])


def test_calendar_windows_are_whole_months_and_follow_each_other() -> None:
    periods = [p for p in _rows("reporting_periods") if p["calendar"] == "calendar"]
    assert all(p["quarter"].endswith("C") for p in periods)
    for period in periods:
        opens, closes = (dt.date.fromisoformat(period[name]) for name in ("opens_on", "closes_on"))
        assert (opens.day, (closes + dt.timedelta(days=1)).day) == (1, 1)
        months = (closes.year - opens.year) * 12 + closes.month - opens.month + 1
        assert months == {"quarter": 3, "half_year": 6, "nine_months": 9, "year": 12}[period["kind"]]
    quarters = [p for p in periods if p["kind"] == "quarter"]
    for before, after in pairwise(quarters):
        assert after["previous_quarter"] == before["quarter"]
        assert dt.date.fromisoformat(after["opens_on"]) - dt.date.fromisoformat(before["closes_on"]) == dt.timedelta(1)


def test_the_calendar_clock_is_the_last_calendar_quarter_that_ended_by_closing() -> None:
    for period in _rows("reporting_periods"):
        year, quarter = int(period["calendar_quarter"][:4]), int(period["calendar_quarter"][-1])
        opens = dt.date(year, 3 * quarter - 2, 1)
        following = dt.date(year + quarter // 4, 3 * quarter % 12 + 1, 1)
        assert period["calendar_opens_on"] == opens.isoformat()
        assert period["calendar_closes_on"] == (following - dt.timedelta(days=1)).isoformat()
        closes = dt.date.fromisoformat(period["closes_on"])
        if period["calendar"] == "calendar":
            assert period["calendar_closes_on"] == period["closes_on"]
            continue
        assert following <= closes < dt.date(following.year + following.month // 10, (following.month + 2) % 12 + 1, 1)


def test_classes_of_lateness_have_one_rank_and_name_and_phrases_that_can_match() -> None:
    rows = _rows("late_causes")
    classes = {(row["rank"], row["cause_code"], row["cause_vi"]) for row in rows}
    assert len(classes) == len({row["rank"] for row in rows}) == len({row["cause_code"] for row in rows})
    assert {row["cause_code"] for row in rows if not row["phrase"]} == {"other", "not_said"}
    phrases = [row["phrase"] for row in rows if row["phrase"]]
    assert len(set(phrases)) == len(phrases)
    assert all(phrase == unicodedata.normalize("NFC", phrase.lower()).strip() for phrase in phrases)


def test_the_first_quarter_of_2023_is_the_real_reports() -> None:
    [period] = [p for p in _rows("reporting_periods") if p["quarter"] == "2023-Q1"]
    assert (period["opens_on"], period["closes_on"], period["due_on"]) == ("2022-12-15", "2023-03-14", "2023-03-16")


def test_the_form_has_the_printed_rows_verbatim() -> None:
    with ANNEX.open(encoding="utf-8") as file:
        printed = list(csv.DictReader(file))
    assert [
        (f["row_no"], f["section"], f["printed_number"], f["name_vi"], f["unit_vi"]) for f in form_named("2023").rows
    ] == [(r["row_no"], r["section"], r["stt"], r["indicator_name_vi"], r["unit_vi"]) for r in printed]


def test_form_rows_say_consistently_how_they_are_made() -> None:
    forms = form_named("2023").rows
    codes = {row["indicator_code"] for row in forms}
    assert len(codes) == len(forms) == 211
    for row in forms:
        parts = row["derived_from"].split("+") if row["derived_from"] else []
        assert set(parts) <= codes
        assert bool(row["derivation"]) == bool(row["numerator"] or parts)
        assert (row["derivation"] == "ratio") == (row["kind"] == "ratio")
        assert bool(row["denominator"]) == (row["derivation"] in {"ratio", "mode_code"})
        assert bool(row["period_basis"]) == (row["kind"] != "heading")
        if row["zero_when_parent_zero"] == "true":
            assert row["logical_parent_code"] in codes

"""Periods: partitions are the rows of the table of periods, and the schedule asks for those that have closed."""

from __future__ import annotations

import datetime as dt
import re
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from common import periods as table_of_periods
from common.periods import (
    in_order,
    is_owed,
    is_scheduled,
    last_closed,
    load_duties,
    load_kinds,
    load_periods,
    period_named,
    quarters_behind,
)
from common.quarters import KEY_PATTERN, quarter_number, spelled_key
from orchestration.jobs import QUARTER_JOB, quarter_job
from orchestration.partitions import add_quarters, quarters
from orchestration.schedules import closing_schedule, days_after_closing
from orchestration.settings import TIME_ZONE, Settings

UTC = dt.UTC


_COLUMNS = (
    "quarter,name_vi,short_name_vi,report_year,opens_on,closes_on,due_on,year_opens_on,previous_quarter,"
    "same_quarter_last_year,kind,calendar,in_year_vi,title_vi,ahead_vi,ahead_in_year_vi,decisions_hold_until,made_of"
)
_REST = "quarter,decree_09,quý,Quý,quý,quý,2030-Q4,"
FIRST = f"2030-Q1,quý I năm 2030,I/2030,2030,2029-12-25,2030-02-02,2030-02-05,2029-12-25,2029-Q4,2029-Q1,{_REST}"


def _write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([_COLUMNS, *rows]) + "\n", encoding="utf-8")
    return path


def _known(instance: dg.DagsterInstance) -> list[str]:
    return list(quarters().get_partition_keys(dynamic_partitions_store=instance))


def test_partition_keys_are_the_quarters_that_have_begun() -> None:
    rows = [period.quarter for period in load_periods() if is_scheduled(period)]
    with dg.DagsterInstance.ephemeral() as instance:
        add_quarters(instance, dt.date(2023, 6, 14))
        assert _known(instance) == rows[: rows.index("2023-H1") + 1]
        add_quarters(instance, dt.date(2023, 6, 15))
        assert _known(instance)[-1] == "2023-Q3"
        add_quarters(instance, dt.date(2023, 9, 15))
        assert _known(instance)[-2:] == ["2023-Q4", "2023-Y"]
        add_quarters(instance, dt.date(2040, 1, 1))
        assert _known(instance) == rows


def test_what_was_asked_for_too_early_stands_in_its_place() -> None:
    """A clock that is behind, or a folder for a quarter to come: known, and still in order."""
    with dg.DagsterInstance.ephemeral() as instance:
        add_quarters(instance, dt.date(2020, 1, 1), ["2023-Q2", "no-quarter"])
        assert _known(instance) == ["2023-Q2"]
        add_quarters(instance, dt.date(2020, 1, 1), ["2023-Q1", "2023-Q4"])
        assert _known(instance) == ["2023-Q1", "2023-Q2", "2023-Q4"]
        add_quarters(instance, dt.date(2023, 6, 15))
        assert _known(instance)[-5:] == ["2023-Q1", "2023-Q2", "2023-H1", "2023-Q3", "2023-Q4"]
        before = _known(instance)
        add_quarters(instance, dt.date(2023, 6, 1))
        assert _known(instance) == before


def test_windows_come_from_the_table_and_not_from_the_calendar(tmp_path: Path) -> None:
    later = "2030-Q2,quý II năm 2030,II/2030,2030,2030-02-03,2030-05-06,2030-05-09,2029-12-25,2030-Q1,2029-Q2," + _REST
    earlier = FIRST
    table = _write(tmp_path / "p.csv", later, earlier)
    periods = load_periods(table)
    assert [p.quarter for p in periods] == ["2030-Q1", "2030-Q2"]
    assert [p.quarter for p in last_closed(dt.date(2030, 5, 6), periods)] == ["2030-Q1"]
    assert [p.quarter for p in last_closed(dt.date(2030, 5, 7), periods)] == ["2030-Q2"]
    assert last_closed(dt.date(2030, 2, 2), periods) == ()


@pytest.mark.parametrize("rows", [(), (FIRST,) * 2])
def test_a_table_without_quarters_or_with_one_twice_is_refused(tmp_path: Path, rows: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"p\.csv"):
        load_periods(_write(tmp_path / "p.csv", *rows))


def _ask(moment: dt.datetime) -> list[str] | dg.SkipReason:
    @dg.asset(partitions_def=quarters())
    def figure() -> None: ...

    job = dg.define_asset_job(QUARTER_JOB, selection=[figure], partitions_def=quarters())
    schedule = closing_schedule(Settings(), job)
    definitions = dg.Definitions(assets=[figure], jobs=[job], schedules=[schedule])
    with (
        dg.DagsterInstance.local_temp() as instance,
        dg.build_schedule_context(
            instance=instance, scheduled_execution_time=moment, repository_def=definitions.get_repository_def()
        ) as context,
    ):
        answer = schedule(context)
        asked = [request.partition_key for request in answer] if isinstance(answer, list) else []
        assert set(asked) <= set(_known(instance))
        # The daemon takes a request only for a quarter that it finds known.
        assert [request.partition_key for request in schedule.evaluate_tick(context).run_requests or []] == asked
    if isinstance(answer, dg.SkipReason):
        return answer
    return asked


@pytest.mark.parametrize(
    ("closing_day", "closing", "before"),
    [
        (dt.date(2023, 3, 14), ["2023-Q1"], ["2022-Q4", "2022-Y"]),
        (dt.date(2023, 6, 14), ["2023-Q2", "2023-H1"], ["2023-Q1"]),
        (dt.date(2023, 9, 14), ["2023-Q3"], ["2023-Q2", "2023-H1"]),
        (dt.date(2023, 12, 14), ["2023-Q4", "2023-Y"], ["2023-Q3"]),
    ],
)
def test_a_period_ends_at_midnight_in_viet_nam(closing_day: dt.date, closing: list[str], before: list[str]) -> None:
    """Nine months are in the table, but nobody owes a report on them by the decree."""
    assert _ask(dt.datetime.combine(closing_day, dt.time(16, 59), UTC)) == before
    assert _ask(dt.datetime.combine(closing_day, dt.time(17, 1), UTC)) == closing


def test_there_is_a_tick_on_the_morning_after_every_closing_day() -> None:
    lines = days_after_closing()
    asked_for = [period for period in load_periods() if is_scheduled(period)]
    assert len(lines) == len({(p.closes_on.month, p.closes_on.day) for p in asked_for})
    for period in asked_for:
        tick = period.closes_on + dt.timedelta(days=1)
        assert f"0 6 {tick.day} {tick.month} *" in lines
    for period in [p for p in load_periods() if p.calendar == "decree_09"][::9]:
        tick = period.closes_on + dt.timedelta(days=1)
        morning = dt.datetime.combine(tick, dt.time(6), ZoneInfo(TIME_ZONE))
        assert (period.quarter in _ask(morning)) == is_scheduled(period)


@pytest.mark.parametrize("automation", [True, False])
def test_the_schedule_runs_without_a_click_unless_the_settings_say_otherwise(automation: bool) -> None:
    schedule = closing_schedule(Settings(automation=automation), quarter_job())
    running = dg.DefaultScheduleStatus.RUNNING if automation else dg.DefaultScheduleStatus.STOPPED
    assert schedule.default_status == running


def test_before_the_first_quarter_nothing_is_asked_for() -> None:
    assert isinstance(_ask(dt.datetime(1999, 3, 15, tzinfo=UTC)), dg.SkipReason)


def test_figures_look_back_to_every_earlier_quarter_and_to_no_later_one() -> None:
    behind = quarters_behind("2023-Q1")
    assert behind == [p.quarter for p in load_periods()][: len(behind)]
    assert behind[-6:] == ["2022-H1", "2022-Q3", "2022-M9", "2022-Q4", "2022-Y", "2023-Q1"]
    with pytest.raises(KeyError):
        quarters_behind("2023-Q5")


def test_periods_that_close_together_stand_in_order_of_length() -> None:
    assert in_order(["2023-Y", "2023-H1", "2023-Q4", "2023-M9", "2023-Q3", "2023-Q2", "2023-Q1", "2023-Q2"]) == [
        "2023-Q1", "2023-Q2", "2023-H1", "2023-Q3", "2023-M9", "2023-Q4", "2023-Y",
    ]  # fmt: skip
    assert "2023-H1" not in quarters_behind("2023-Q2")
    assert "2023-H1" in quarters_behind("2023-Q3")


def test_every_period_is_named_of_a_known_kind_and_made_of_quarters_that_fill_it() -> None:
    by_key = {period.quarter: period for period in load_periods()}
    for period in load_periods():
        assert re.fullmatch(KEY_PATTERN, period.quarter)
        assert period.kind in load_kinds()
        assert spelled_key(period.name_vi) in (period.quarter.removesuffix("C"), None)
        assert spelled_key(period.quarter) == period.quarter
        assert period.quarter.endswith("C") == (period.calendar == "calendar")
        assert period.quarter.endswith("E") == (period.kind == "closing")
        whole = period.kind in ("quarter", "closing")
        assert bool(period.made_of) == (not whole) == (quarter_number(period.quarter)[1] is None)
        parts = [by_key[key] for key in period.made_of]
        if parts:
            assert (parts[0].opens_on, parts[-1].closes_on) == (period.opens_on, period.closes_on)
            assert all(b.opens_on - a.closes_on == dt.timedelta(days=1) for a, b in pairwise(parts))
            assert {part.kind for part in parts} == {"quarter"}
        if (before := by_key.get(period.previous_quarter)) is not None and before.calendar == period.calendar:
            assert before.closes_on + dt.timedelta(days=1) == period.opens_on
        if (year_before := by_key.get(period.same_quarter_last_year)) is not None:
            # The last short period of units that end has none of its kind to be compared with.
            kind = "quarter" if period.kind == "closing" else period.kind
            assert (year_before.kind, year_before.report_year) == (kind, period.report_year - 1)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("2023-H1", "2023-H1"), ("6 tháng đầu năm 2023", "2023-H1"), ("06 tháng năm 2023", "2023-H1"),
        ("9 tháng đầu năm 2023", "2023-M9"), ("năm 2023", "2023-Y"), ("2023-Y", "2023-Y"), ("2023-q1", "2023-Q1"),
        ("2023", None), ("6 tháng", None), ("2023-H2", None),
    ],
)  # fmt: skip
def test_keys_are_read_from_what_offices_write(written: str, key: str | None) -> None:
    assert spelled_key(written) == key


def _duties(path: Path, *rows: str) -> Path:
    head = "unit_code,calendar,kinds,valid_from,valid_to,legal_basis"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_which_reports_an_office_owes_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (",decree_09,quarter half_year year,,,x", "945,decree_09,year,2023-01-01,2023-12-31,y")
    duties = load_duties(_duties(tmp_path / "d.csv", *rows))
    monkeypatch.setattr(table_of_periods, "load_duties", lambda: duties)
    owed = {
        unit: [p.quarter for p in load_periods() if p.report_year == 2023 and is_owed(p, unit)]
        for unit in ("945", "942")
    }
    assert owed == {
        "945": ["2023-Y"],
        "942": ["2023-Q1", "2023-Q2", "2023-H1", "2023-Q3", "2023-Q4", "2023-Y"],
    }
    assert is_owed(period_named("2024-Q1"), "945")


def test_which_calendar_an_office_uses_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (",decree_09,quarter half_year year,,,x", "92001,calendar,quarter half_year year,2025-07-01,,y")
    assert not any(is_scheduled(p) for p in load_periods() if p.calendar == "calendar"), "as the table is shipped"
    duties = load_duties(_duties(tmp_path / "d.csv", *rows))
    monkeypatch.setattr(table_of_periods, "load_duties", lambda: duties)
    year = [p for p in load_periods() if p.report_year == 2026]
    assert [p.quarter for p in year if is_owed(p, "92001")] == [
        "2026-Q1C", "2026-Q2C", "2026-H1C", "2026-Q3C", "2026-Q4C", "2026-YC",
    ]  # fmt: skip
    assert [p.quarter for p in year if is_owed(p, "92002")] == [
        "2026-Q1", "2026-Q2", "2026-H1", "2026-Q3", "2026-Q4", "2026-Y",
    ]  # fmt: skip
    assert [p.quarter for p in last_closed(dt.date(2026, 7, 1))] == ["2026-Q2C", "2026-H1C"]
    assert is_owed(period_named("2025-Q2"), "92001"), "until then by the decree"


def test_a_duty_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fortnight"):
        load_duties(_duties(tmp_path / "d.csv", ",decree_09,fortnight,,,x"))

"""Quarters: partitions are the rows of the table of periods, and the schedule asks for the one that has closed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from common.periods import PERIODS_FILE, last_closed, load_periods, quarters_behind
from orchestration.jobs import QUARTER_JOB, quarter_job
from orchestration.partitions import add_quarters, quarters
from orchestration.schedules import closing_schedule, days_after_closing
from orchestration.settings import TIME_ZONE, Settings

UTC = dt.UTC


FIRST = "2030-Q1,quý I năm 2030,I/2030,2030,2029-12-25,2030-02-02,2030-02-05,2029-12-25,2029-Q4,2029-Q1"
_COLUMNS = (
    "quarter,name_vi,short_name_vi,report_year,opens_on,closes_on,due_on,year_opens_on,previous_quarter,"
    "same_quarter_last_year"
)


def _write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([_COLUMNS, *rows]) + "\n", encoding="utf-8")
    return path


def _known(instance: dg.DagsterInstance) -> list[str]:
    return list(quarters().get_partition_keys(dynamic_partitions_store=instance))


def test_partition_keys_are_the_quarters_that_have_begun() -> None:
    rows = [row.split(",")[0] for row in PERIODS_FILE.read_text(encoding="utf-8").splitlines()[1:]]
    with dg.DagsterInstance.ephemeral() as instance:
        add_quarters(instance, dt.date(2023, 6, 14))
        assert _known(instance) == rows[: rows.index("2023-Q2") + 1]
        add_quarters(instance, dt.date(2023, 6, 15))
        assert _known(instance)[-1] == "2023-Q3"
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
        assert _known(instance)[-4:] == ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4"]
        before = _known(instance)
        add_quarters(instance, dt.date(2023, 6, 1))
        assert _known(instance) == before


def test_windows_come_from_the_table_and_not_from_the_calendar(tmp_path: Path) -> None:
    later = "2030-Q2,quý II năm 2030,II/2030,2030,2030-02-03,2030-05-06,2030-05-09,2029-12-25,2030-Q1,2029-Q2"
    earlier = FIRST
    table = _write(tmp_path / "p.csv", later, earlier)
    periods = load_periods(table)
    assert [p.quarter for p in periods] == ["2030-Q1", "2030-Q2"]
    assert last_closed(dt.date(2030, 5, 6), periods).quarter == "2030-Q1"
    assert last_closed(dt.date(2030, 5, 7), periods).quarter == "2030-Q2"
    assert last_closed(dt.date(2030, 2, 2), periods) is None


@pytest.mark.parametrize("rows", [(), (FIRST,) * 2])
def test_a_table_without_quarters_or_with_one_twice_is_refused(tmp_path: Path, rows: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"p\.csv"):
        load_periods(_write(tmp_path / "p.csv", *rows))


def _ask(moment: dt.datetime) -> dg.RunRequest | dg.SkipReason:
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
        asked = [answer.partition_key] if isinstance(answer, dg.RunRequest) else []
        assert set(asked) <= set(_known(instance))
        # The daemon takes a request only for a quarter that it finds known.
        assert [request.partition_key for request in schedule.evaluate_tick(context).run_requests or []] == asked
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


@pytest.mark.parametrize(
    ("closing_day", "closing_quarter", "quarter_before"),
    [
        (dt.date(2023, 3, 14), "2023-Q1", "2022-Q4"),
        (dt.date(2023, 6, 14), "2023-Q2", "2023-Q1"),
        (dt.date(2023, 9, 14), "2023-Q3", "2023-Q2"),
        (dt.date(2023, 12, 14), "2023-Q4", "2023-Q3"),
    ],
)
def test_a_quarter_ends_at_midnight_in_viet_nam(
    closing_day: dt.date, closing_quarter: str, quarter_before: str
) -> None:
    before = _ask(dt.datetime.combine(closing_day, dt.time(16, 59), UTC))
    after = _ask(dt.datetime.combine(closing_day, dt.time(17, 1), UTC))
    assert before.partition_key == quarter_before
    assert after.partition_key == closing_quarter


def test_there_is_a_tick_on_the_morning_after_every_closing_day() -> None:
    lines = days_after_closing()
    assert len(lines) == len({(p.closes_on.month, p.closes_on.day) for p in load_periods()})
    for period in load_periods():
        tick = period.closes_on + dt.timedelta(days=1)
        assert f"0 6 {tick.day} {tick.month} *" in lines
        morning = dt.datetime.combine(tick, dt.time(6), ZoneInfo(TIME_ZONE))
        assert _ask(morning).partition_key == period.quarter


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
    assert behind[-5:] == ["2022-Q1", "2022-Q2", "2022-Q3", "2022-Q4", "2023-Q1"]
    with pytest.raises(KeyError):
        quarters_behind("2023-Q5")

"""Statistics of cases from the sample's rows: the form, the rates, both clocks, and dbt tests that can fail."""

from __future__ import annotations

import datetime as dt
import math
import shutil
import statistics
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from sample.rows import FileKey, Row
from tests.support.dbt_build import BUILD, DISTRICT, QUARTER, Build, Invoke
from tests.support.lake_fixture import write_lake

FORM = "from {case_form_06a} where unit_code = '945' and clock = 'reporting_window'"


def test_the_form_prints_the_cases_of_the_report(two_districts: Build) -> None:
    rows = two_districts.rows(
        "select row_kind, printed_number, name_vi, to_resolve, received_online, received_direct_or_postal,"
        " carried_over,"
        " resolved, resolved_early, resolved_on_time, resolved_late, in_progress, in_progress_within_due,"
        f" in_progress_overdue {FORM} and breakdown = 'unit' and row_kind <> 'row' order by row_no"
    )
    assert rows == [
        ("group", "I", "Cấp huyện", 1145, 5, 1140, 0, 611, 392, 219, 0, 534, 534, 0),
        ("group", "II", "Cấp xã", 6533, 182, 6348, 3, 6533, 1644, 4889, 0, 0, 0, 0),
        ("total", None, "Tổng cộng", 7678, 187, 7488, 3, 7144, 2036, 5108, 0, 534, 534, 0),
    ]


def test_every_field_and_unit_has_one_numbered_row(two_districts: Build) -> None:
    rows = two_districts.rows(
        f"select breakdown, unit_level, printed_number, name_vi {FORM} and row_kind = 'row' order by row_no"
    )
    units = [(level, number, name) for breakdown, level, number, name in rows if breakdown == "unit"]
    assert units[0] == ("district", "1", "Huyện Cù Lao Dung")
    assert [number for level, number, _ in units if level == "commune"] == [str(n) for n in range(1, 9)]
    fields = {(level, name) for breakdown, level, _, name in rows if breakdown == "field"}
    assert fields == set(
        two_districts.rows("select distinct unit_level, field_vi from {case_processing} where unit_code = '945'")
    )


@pytest.mark.parametrize(
    ("kind", "numerator", "denominator", "percent"),
    [
        ("received", 611, 1145, "53.36"),
        ("resolved", 611, 611, "100"),
    ],
)
def test_rates_are_told_with_their_denominator(
    two_districts: Build, kind: str, numerator: int, denominator: int, percent: str
) -> None:
    assert two_districts.rows(
        "select numerator, denominator, on_time_percent from {case_timeliness} where unit_code = '945'"
        f" and clock = 'reporting_window' and scope_code = 'district' and denominator_kind = '{kind}'"
    ) == [(numerator, denominator, Decimal(percent))]


def test_how_long_cases_took_is_told_of_every_scope(two_districts: Build) -> None:
    """Median and nearest rank over the cases one by one, against those of the table."""
    with duckdb.connect(str(two_districts.home / "warehouse" / "warehouse.duckdb"), read_only=True) as connection:
        cases = connection.execute(
            "select clock, unit_code, unit_level, receiving_unit_code, working_days, cases from int_case_counts"
            " where outcome = 'resolved' and working_days is not null"
        ).fetchall()
    taken: dict[tuple[str, ...], list[int]] = {}
    for clock, unit, level, receiving, days, count in cases:
        for scope in (("unit", receiving), ("level", level), ("all", "all")):
            taken.setdefault((unit, clock, *scope), []).extend([days] * count)
    told = two_districts.rows(
        "select unit_code, clock, scope_kind, scope_code, denominator_kind, median_working_days, p90_working_days"
        " from {case_timeliness}"
    )
    assert {row[4] for row in told if row[5] is not None or row[6] is not None} == {"resolved"}
    found = {row[:4]: row[5:] for row in told if row[4] == "resolved" and row[5] is not None}
    assert found == {
        scope: (
            Decimal(str(statistics.median(days))),
            Decimal(sorted(days)[math.ceil(len(days) * Decimal("0.9")) - 1]),
        )
        for scope, days in taken.items()
    }


def test_cases_whose_time_was_up_are_asked_once(two_districts: Build) -> None:
    rates = two_districts.rows(
        "select scope_kind, sum(numerator), sum(denominator) from {case_timeliness} where unit_code = '945'"
        " and clock = 'calendar_quarter' and denominator_kind = 'due' group by scope_kind"
    )
    assert len(rates) == 3
    assert len({(numerator, denominator) for _, numerator, denominator in rates}) == 1
    [(_, numerator, denominator)] = rates[:1]
    assert 0 < numerator < denominator


def test_the_calendar_clock_tells_the_last_quarter_that_had_ended(two_districts: Build) -> None:
    assert two_districts.rows(
        "select distinct clock, window_quarter, window_from, window_to, is_complete from {case_form_06a}"
        " where unit_code = '945' order by clock"
    ) == [
        ("calendar_quarter", "2022-Q4", dt.date(2022, 10, 1), dt.date(2022, 12, 31), True),
        ("reporting_window", "2023-Q1", dt.date(2022, 12, 15), dt.date(2023, 3, 14), True),
    ]


def test_backlog_holds_the_open_cases_by_age(two_districts: Build) -> None:
    rows = two_districts.rows(
        "select age_band, cases, overdue, oldest_working_days from {case_backlog} where unit_code = '945'"
        " and clock = 'reporting_window' and receiving_unit_code = '945' and state = 'in_progress' order by age_band"
    )
    assert sum(cases for _, cases, _, _ in rows) == 534
    for band, _, overdue, oldest in rows:
        least, _, most = band.partition("-")
        assert int(least) <= oldest <= (int(most) if most else oldest)
        assert overdue == 0


def test_only_classes_of_causes_are_told(two_districts: Build) -> None:
    assert two_districts.rows(
        "select lateness, cause_code, cases from {case_lateness} where unit_code = '945'"
        " and clock = 'reporting_window' order by all"
    ) == [("counted_on_time_by_decision", "software", 5)]


SECRET = "Bà Nguyễn Thị Mẫu, số 12 ấp Giữa, không đến nhận"


def _late(quarter: str, files: dict[FileKey, list[Row]]) -> None:
    """Ten of the district's cases become late, for reasons that clerks write; no decision excuses any."""
    reasons = [
        SECRET,
        None,
        "Chờ cơ quan thuế PHỐI HỢP",
        "Phải đo đạc lại, phần mềm lỗi",
        "Cán bộ nghỉ ốm",
        SECRET,
        None,
        None,
        "Hồ sơ nhiều",
        "Chờ ký duyệt",
    ]
    for (unit, source, *_), rows in files.items():
        if quarter != QUARTER or unit != DISTRICT:
            continue
        if source == "decisions":
            rows[:] = [row for row in rows if row["action"] != "count_as_on_time"]
        if source == "one_stop_cases":
            for row in rows:
                row["late_reason"] = None
            early = [row for row in rows if row["finished_at"] and row["due_at"] and not row["extended_to"]]
            for row, reason in zip(early[20:], reasons, strict=False):
                row["due_at"], row["late_reason"] = row["received_at"] - dt.timedelta(days=1), reason


@pytest.fixture(scope="module")
def late(dbt: Invoke, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample's quarter alone, with late cases in the district."""
    home = tmp_path_factory.mktemp("late")
    write_lake(home / "raw", quarters=[QUARTER], change=_late)
    return dbt(home, *BUILD)


def test_a_reason_falls_in_one_class_and_is_never_published(late: Build) -> None:
    told = dict(
        late.rows(
            "select cause_code, cases from {case_lateness} where lateness = 'resolved_late' "
            "and clock = 'reporting_window' and receiving_unit_code = '945'"
        )
    )
    named = {code: count for code, count in told.items() if code != "not_said"}
    assert named == {"other": 2, "coordination": 1, "software": 1, "staff": 1, "volume": 1, "signing": 1}
    assert told["not_said"] >= 3
    for path in (late.home / "warehouse" / "build" / "marts").glob("*.parquet"):
        with duckdb.connect() as connection:
            for row in connection.execute(f"select * from read_parquet('{path}')").fetchall():
                assert "Nguyễn Thị Mẫu" not in str(row)


def test_a_calendar_quarter_whose_first_part_was_not_sent_is_not_complete(late: Build) -> None:
    assert late.rows("select distinct clock, is_complete from {case_timeliness} order by clock") == [
        ("calendar_quarter", False),
        ("reporting_window", True),
    ]


@pytest.mark.parametrize(
    ("test", "change"),
    [
        ("form_06a_identities_hold", "update case_form_06a set to_resolve = to_resolve + 1 where row_no = 2"),
        ("form_06a_identities_hold", "update case_form_06a set resolved_late = resolved_late + 1 where row_no = 2"),
        ("form_06a_identities_hold", "update case_form_06a set in_progress_overdue = 1 where row_kind = 'total'"),
        (
            "form_06a_identities_hold",
            "update case_form_06a set received_online = received_online + 1,"
            " received_direct_or_postal = received_direct_or_postal - 1 where row_kind = 'group'",
        ),
        ("form_06a_identities_hold", "delete from case_form_06a where row_kind = 'row' and row_no = 3"),
        ("case_statistics_agree", "update case_processing set resolved_on_time = resolved_on_time + 1"),
        ("case_statistics_agree", "update case_processing set refused = 1"),
        ("case_statistics_agree", "update case_form_06a set carried_over = 1, received_online = received_online - 1"),
        (
            "case_statistics_agree",
            "update case_timeliness set numerator = numerator - 1 where denominator_kind = 'resolved'",
        ),
        ("case_statistics_agree", "update case_backlog set overdue = 1"),
        ("case_statistics_agree", "delete from case_backlog"),
        ("case_statistics_agree", "update case_lateness set cases = cases + 1"),
        ("case_statistics_agree", "update procedure_duration set resolved = resolved + 1"),
        ("case_statistics_agree", "delete from case_form_06a where breakdown = 'unit' and row_kind = 'row'"),
        ("case_statistics_agree", "update int_measures set value = value + 1 where measure = 'commune_cases_received'"),
    ],
)
def test_a_wrong_statistic_fails_its_test(two_districts: Build, tmp_path: Path, test: str, change: str) -> None:
    warehouse = next((two_districts.home / "warehouse").glob("*.duckdb"))
    copy = tmp_path / warehouse.name
    shutil.copy(warehouse, copy)
    [compiled] = (two_districts.target / "compiled").rglob(f"tests/{test}.sql")
    query = compiled.read_text(encoding="utf-8")
    with duckdb.connect(str(copy)) as connection:
        assert connection.execute(query).fetchall() == []
        connection.execute(change)
        assert connection.execute(query).fetchall()

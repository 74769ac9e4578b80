"""What is strange about cases: numbers missing, endings in one minute or just before closing, appointments put off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.case_models import COMMUNE, DISTRICT, CaseModels, Row, case
from tests.support.dbt_build import Build

AGENCY = "000.00.32.H51"
COLUMNS = "kind, case_code, cases, usual, day, earlier_day"


@pytest.fixture(scope="module")
def models(two_districts: Build, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaseModels]:
    made = CaseModels(two_districts, tmp_path_factory.mktemp("case_questions"))
    yield made
    made.connection.close()


def _asked(models: CaseModels, cases: list[Row], kind: str, **build: Any) -> list[tuple[Any, ...]]:
    models.build(cases, **build)
    return [
        row[1:]
        for row in models.rows(f"select {COLUMNS} from case_questions order by kind, case_code")
        if row[0] == kind
    ]


def _on(day: str, *serials: int, agency: str = AGENCY, **values: Any) -> list[Row]:
    code = f"{agency}-{day[2:].replace('-', '')}"
    return [case(f"{code}-{serial:04}", received_at=day, **values) for serial in serials]


@pytest.mark.parametrize(
    ("serials", "missing"),
    [
        ([1, 2, 3], {}),
        ([3, 1, 2], {}),
        ([2, 3], {2: 1}),
        ([1, 4], {4: 2}),
        ([5], {5: 4}),
        ([1, 3, 10], {3: 1, 10: 6}),
    ],
)
def test_numbers_of_a_day_are_given_in_order(models: CaseModels, serials: list[int], missing: dict[int, int]) -> None:
    found = _asked(models, _on("2023-01-03", *serials), "serials_missing")
    day = dt.date(2023, 1, 3)
    assert found == [(f"{AGENCY}-230103-{n:04}", count, None, day, None) for n, count in sorted(missing.items())]


def test_each_day_and_agency_has_numbers_of_its_own(models: CaseModels) -> None:
    cases = _on("2023-01-03", 1, 2) + _on("2023-01-04", 1) + _on("2023-01-03", 1, agency="000.23.32.H51")
    assert _asked(models, cases, "serials_missing") == []
    # A code of older software is one number, and says nothing of the others.
    assert _asked(models, [case("123456789", received_at="2023-01-03")], "serials_missing") == []
    # Cases received before the window are the earlier quarter's to ask about.
    assert _asked(models, _on("2022-11-01", 7), "serials_missing") == []


def test_a_number_that_an_earlier_folder_told_is_not_missing(models: CaseModels) -> None:
    cases = _on("2022-12-15", 1, quarter="2022-Q4") + _on("2022-12-15", 2)
    assert _asked(models, cases, "serials_missing") == []


def _ended(serial: int, moment: str, **values: Any) -> Row:
    return case(
        f"{AGENCY}-230103-{serial:04}", status="finished", finished_at=dt.datetime.fromisoformat(moment), **values
    )


def test_endings_of_one_unit_in_one_minute_are_counted_together(models: CaseModels) -> None:
    together = [_ended(1, "2023-02-01T10:30:00"), _ended(2, "2023-02-01T10:30:59")]
    others = [_ended(3, "2023-02-01T10:31:00"), _ended(4, "2023-02-01T10:30:30", receiving_unit_code=COMMUNE)]
    found = _asked(models, together + others, "ended_together")
    assert [(code[-4:], cases, usual) for code, cases, usual, *_ in found] == [("0001", 2, 1), ("0002", 2, 1)]


def test_a_unit_that_ends_all_its_cases_in_one_minute_is_asked(models: CaseModels) -> None:
    """Whatever else it ended: there is no minute to compare with."""
    found = _asked(models, [_ended(serial, "2023-02-01T10:30:00") for serial in range(1, 31)], "ended_together")
    assert {(cases, usual) for _, cases, usual, *_ in found} == {(30, 1)}
    assert len(found) == 30


@pytest.mark.long
def test_a_counter_that_ends_many_in_every_minute_is_asked_about_twice_as_many(models: CaseModels) -> None:
    """Thirty thousand cases are more than one in each minute of the window's working days: two are usual."""
    minutes = [dt.datetime(2023, 2, 1, 8) + dt.timedelta(days=n // 400, minutes=n % 400) for n in range(10_000)]
    even = [_ended(3 * n + k, moment.isoformat()) for n, moment in enumerate(minutes) for k in range(3)]
    one_more = _ended(30_000, minutes[0].isoformat())
    found = _asked(models, [*even, one_more], "ended_together")
    assert [(cases, usual) for _, cases, usual, *_ in found] == [(4, 2)] * 4


def test_a_day_without_a_time_is_no_minute(models: CaseModels) -> None:
    cases = [_ended(serial, "2023-02-01T00:00:00") for serial in (1, 2, 3)]
    assert _asked(models, cases, "ended_together") == []


def test_the_last_working_day_before_closing_is_held_against_the_days_before(models: CaseModels) -> None:
    """The window of the first quarter closes on Tuesday 14 March 2023."""
    usual = [_ended(n, f"2023-03-{6 + n:02}T09:0{n}:00") for n in (1, 2, 3)]
    last = [_ended(10 + n, f"2023-03-14T1{n}:00:00") for n in range(4)]
    after = [_ended(20, "2023-03-15T10:00:00")]
    found = _asked(models, usual + last + after, "ended_at_closing")
    assert [(code[-4:], cases, days) for code, cases, days, *_ in found] == [(f"00{10 + n}", 4, 1) for n in range(4)]
    # Where a unit ended nothing before, there is no usual day to compare with.
    assert _asked(models, last, "ended_at_closing") == []


def _moved(due: str, later: str, **values: Any) -> list[Row]:
    code = f"{AGENCY}-221120-0001"
    before = case(code, quarter="2022-Q4", received_at="2022-11-20", due_at=due, **values)
    return [before, case(code, received_at="2022-11-20", due_at=later, file=2)]


def test_an_appointment_that_had_passed_and_is_later_now_is_asked_about(models: CaseModels) -> None:
    (found,) = _asked(models, _moved("2022-12-01", "2023-01-10"), "due_day_moved")
    assert found == (f"{AGENCY}-221120-0001", None, None, dt.date(2023, 1, 10), dt.date(2022, 12, 1))


@pytest.mark.parametrize(
    ("due", "later", "before"),
    [
        ("2022-12-01", "2022-12-01", {}),  # as it was
        ("2022-12-01", "2022-11-30", {}),  # brought forward
        ("2023-01-05", "2023-01-10", {}),  # put off in time
        ("2022-12-01", "2023-01-10", {"status": "finished", "finished_at": "2022-12-05"}),  # over by then
    ],
)
def test_what_was_put_off_in_time_or_is_over_is_not(
    models: CaseModels, due: str, later: str, before: dict[str, Any]
) -> None:
    assert _asked(models, _moved(due, later, **before), "due_day_moved") == []


def test_every_question_has_its_row(models: CaseModels) -> None:
    models.build(_on("2023-01-03", 3))
    place = models.rows("select unit_code, delivery_id, file_name, sheet, row_number from case_questions")
    assert place == [(DISTRICT, f"{DISTRICT}-2023-Q1-1", "1.xlsx", "Sheet1", 1)]


@pytest.mark.parametrize(
    ("agency", "of_another"),
    [
        ("000.00.32.H51", None),  # the district's own
        ("H51.032", None),
        ("000.07.32.H51", None),  # an office of the district: nearest above it that the register knows
        ("H51", None),  # the province above it
        ("H99.32", None),  # nobody's that the register knows
        ("000.25.32.H51", "Xã Đại Ân 1"),  # a commune's number beside the district
        ("H51.32.25.7", "Xã Đại Ân 1"),  # an office of that commune
        ("000.00.35.H51", "Huyện Châu Thành"),
        ("H13.331", None),  # nobody's in that year
    ],
)
def test_a_number_of_another_unit_is_asked_about(models: CaseModels, agency: str, of_another: str | None) -> None:
    code = f"{agency}-230103-0001"
    models.build([case(code, received_at="2023-01-03")])
    asked = models.rows("select case_code, owner_name_vi, day from case_questions where kind = 'code_of_another_unit'")
    assert asked == ([(code, of_another, dt.date(2023, 1, 3))] if of_another else [])


def test_a_communes_case_may_bear_the_number_of_the_district_and_not_of_another_commune(models: CaseModels) -> None:
    """Offices of the district (00), of the commune itself (22), of one beside it (25)."""
    cases = [
        case(f"000.{office}.32.H51-230103-0001", delivering_unit_code=COMMUNE, receiving_unit_code=COMMUNE,
             received_at="2023-01-03")
        for office in ("00", "22", "25")
    ]  # fmt: skip
    models.build(cases)
    owners = models.rows("select case_code, owner_name_vi from case_questions where kind = 'code_of_another_unit'")
    assert owners == [("000.25.32.H51-230103-0001", "Xã Đại Ân 1")]


def test_what_was_asked_for_an_earlier_period_is_not_asked_again(models: CaseModels) -> None:
    models.build([case("000.25.32.H51-221215-0001", received_at="2022-12-15", quarter="2022-Q4")])
    assert models.rows("select * from case_questions where kind = 'code_of_another_unit'") == []

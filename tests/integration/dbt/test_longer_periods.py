"""Half-years and years on made-up rows of cases: their own window, and where they are not the sum of their quarters."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.periods import period_named
from tests.support.case_models import DISTRICT, CaseModels, Row, case
from tests.support.dbt_build import Build

HALF, YEAR = "2023-H1", "2023-Y"
FIRST, SECOND, THIRD = "2023-Q1", "2023-Q2", "2023-Q3"
RECEIVED, RESOLVED = "III.23", "III.24"


@pytest.fixture(scope="module")
def models(two_districts: Build, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaseModels]:
    made = CaseModels(two_districts, tmp_path_factory.mktemp("models"))
    yield made
    made.connection.close()


def _counted(models: CaseModels, period: str) -> tuple[int, int]:
    """Received and resolved by the district in a period."""
    [row] = models.rows(
        "select count(*) filter (where is_received), count(*) filter (where is_resolved) from int_cases "
        f"where unit_code = '{DISTRICT}' and quarter = '{period}' and unit_level = 'district'"
    )
    return row


def _moves(models: CaseModels, code: str) -> list[tuple[str, str, str | None, int]]:
    return models.rows(
        "select kind, case_code, counted_in, row_number from period_moves "
        f"where unit_code = '{DISTRICT}' and indicator_code = '{code}' order by case_code"
    )


ONE = "000.00.32.H51-230103-0001"
IN_NO_QUARTER = ("in_no_quarter", ONE, "không quý nào", 1)


@pytest.mark.parametrize(
    ("name", "rows", "half", "first", "second", "received_moves", "resolved_moves"),
    [
        (
            "resolved in the other quarter: the sum",
            [case(), case(quarter=SECOND, status="returned", finished_at="2023-04-10", due_at="2023-04-12", file=2)],
            (1, 1), (1, 0), (0, 1), [], [],
        ),
        (
            "told late: no quarter counts the receipt nor the ending",
            [case(quarter=SECOND, status="returned", finished_at="2023-02-10", due_at="2023-02-12")],
            (1, 1), (0, 0), (0, 0), [IN_NO_QUARTER], [IN_NO_QUARTER],
        ),
        (
            "an ending told anew for the next quarter: counted in both quarters, once in the half-year",
            [
                case(status="returned", finished_at="2023-02-10", due_at="2023-02-12"),
                case(quarter=SECOND, status="returned", finished_at="2023-04-10", due_at="2023-02-12", file=2),
            ],
            (1, 1), (1, 1), (0, 1), [], [("in_several_quarters", ONE, "2023-Q1,2023-Q2", 2)],
        ),
        (
            "withdrawn after all: the quarter counted it as resolved, the half-year does not",
            [
                case(status="returned", finished_at="2023-02-10", due_at="2023-02-12"),
                case(quarter=SECOND, status="withdrawn", finished_at="2023-02-10", file=2),
            ],
            (1, 0), (1, 1), (0, 0), [], [("no_longer", ONE, "2023-Q1", 1)],
        ),
        (
            "a correction in the half-year's own folder: the quarters keep what they knew",
            [
                case(status="returned", finished_at="2023-02-10", due_at="2023-02-12"),
                case(quarter=HALF, status="not_received", file=2),
            ],
            (0, 0), (1, 1), (0, 0), [("no_longer", ONE, "2023-Q1", 1)], [("no_longer", ONE, "2023-Q1", 1)],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_half_year_counts_its_own_window_and_names_the_cases_that_moved(
    models: CaseModels,
    name: str,
    rows: list[Row],
    half: tuple[int, int],
    first: tuple[int, int],
    second: tuple[int, int],
    received_moves: list[tuple[str, str, str | None, int]],
    resolved_moves: list[tuple[str, str, str | None, int]],
) -> None:
    models.build(rows, HALF)
    assert [_counted(models, period) for period in (HALF, FIRST, SECOND)] == [half, first, second], name
    assert _moves(models, RECEIVED) == received_moves
    assert _moves(models, RESOLVED) == resolved_moves


def test_a_quarter_knows_nothing_of_the_half_years_folder(models: CaseModels) -> None:
    """Both close on one day; the half-year comes after."""
    rows = [
        case(quarter=SECOND, received_at="2023-04-03"),
        case(quarter=HALF, received_at="2023-04-03", status="returned", finished_at="2023-05-02", file=2),
    ]
    models.build([row for row in rows if row["quarter"] == SECOND], SECOND)
    assert _counted(models, SECOND) == (1, 0)
    assert models.rows("select * from period_moves") == []
    models.build(rows, HALF)
    assert (_counted(models, HALF), _counted(models, SECOND)) == ((1, 1), (1, 0))
    models.build([*rows, case("000.00.32.H51-230703-0002", quarter=THIRD, received_at="2023-07-03", file=3)], THIRD)
    assert _counted(models, THIRD) == (1, 0), (
        "what the half-year's folder said holds afterwards: nothing is carried over"
    )
    assert models.rows("select count(*) from int_cases where quarter = '2023-Q3' and is_carried_over") == [(0,)]


def test_cases_of_procedures_used_online_in_the_half_year_are_not_those_of_its_quarters(models: CaseModels) -> None:
    """The procedure is used online in the second quarter only: then the first quarter's case counts, too. No case moved
    for that, and the half-year is laid beside no sum.
    """
    first, second = "000.00.32.H51-230103-0001", "000.00.32.H51-230403-0002"
    rows = [case(first), case(second, quarter=SECOND, received_at="2023-04-03", channel="online", file=2)]
    models.build(rows, HALF, procedures=[{"procedure_code": "1.000001", "online_offered_level": "level_4"}])
    counted = models.rows(
        "select quarter, count(*) filter (where is_received and is_of_procedure_used_online) from int_cases "
        f"where unit_code = '{DISTRICT}' and quarter in ('{FIRST}', '{SECOND}', '{HALF}') group by quarter"
    )
    assert dict(counted) == {FIRST: 0, SECOND: 1, HALF: 2}
    assert [_moves(models, code) for code in ("VII.30", "VII.31")] == [[], []]
    assert models.rows(
        "select indicator_code from int_rows_that_add_up where form_version = '2023' "
        "and indicator_code in ('III.23', 'VII.24', 'VII.30', 'VII.31')"
    ) == [("III.23",)]


_DAYS = st.dates(dt.date(2022, 11, 1), dt.date(2023, 6, 30)).map(dt.date.isoformat)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 4), st.sampled_from([FIRST, SECOND, HALF]), _DAYS, st.none() | _DAYS,
            st.sampled_from(["in_progress", "returned", "withdrawn", "not_received"]),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_the_half_year_is_its_quarters_and_the_cases_that_moved(
    models: CaseModels, told: list[tuple[int, str, str, str | None, str]]
) -> None:
    """For whatever was told in whatever folder: the difference to the sum is that of the named cases, no more, no less.

    And the half-year itself is counted anew here, from the last row about each case.
    """
    rows = [
        case(f"000.00.32.H51-230103-{number:04d}", quarter=quarter, received_at=received, status=status,
             finished_at=ended if status != "in_progress" else None, file=file)
        for file, (number, quarter, received, ended, status) in enumerate(told, start=1)
    ]  # fmt: skip
    models.build(rows, HALF)
    order, last = [FIRST, SECOND, HALF], dict[str, Row]()
    for row in sorted(rows, key=lambda row: (order.index(row["quarter"]), row["file"])):
        last[row["case_code"]] = row
    window = period_named(HALF)
    received = sum(
        row["status"] != "not_received"
        and window.opens_on <= row["received_at"].date() <= window.closes_on
        and (row["finished_at"] is None or row["finished_at"].date() >= window.opens_on)
        for row in last.values()
    )
    assert _counted(models, HALF)[0] == received
    for place, code in enumerate((RECEIVED, RESOLVED)):
        net = Counter(
            dict(
                models.rows(
                    "select case_code, sum(times_in_whole - times_in_parts) from period_moves "
                    f"where unit_code = '{DISTRICT}' and indicator_code = '{code}' group by case_code"
                )
            )
        )
        parts = _counted(models, FIRST)[place] + _counted(models, SECOND)[place]
        assert _counted(models, HALF)[place] == parts + sum(net.values())

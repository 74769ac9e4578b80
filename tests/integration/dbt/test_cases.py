"""How cases are counted, on made-up rows: order of versions, identity, dates, appointments, post, late entry."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.case_models import COMMUNE, DISTRICT, ELSEWHERE, CaseModels, Row, case
from tests.support.dbt_build import QUARTER, Build

MARTS = Path(__file__).parents[3] / "docs" / "marts.md"
LAST_QUARTER, NEXT_QUARTER = "2022-Q4", "2023-Q2"
# Days before, in and after the window of 2023-Q1 (15 December to 14 March).
BEFORE, WITHIN, AFTER, LONG_AFTER = "2022-12-12", "2023-02-10", "2023-03-20", "2023-04-20"


@pytest.fixture(scope="module")
def models(two_districts: Build, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaseModels]:
    made = CaseModels(two_districts, tmp_path_factory.mktemp("models"))
    yield made
    made.connection.close()


# -- order of versions ---------------------------------------------------------------------------------------------


def test_an_older_quarters_file_sent_later_takes_nothing_back(models: CaseModels) -> None:
    """In progress in the first quarter, resolved in the second; then the first quarter's file comes once more."""
    models.build(
        [
            case(quarter=QUARTER, file=1),
            case(quarter=NEXT_QUARTER, status="returned", finished_at="2023-04-10", due_at="2023-04-12", file=2),
            case(quarter=QUARTER, file=3),
            case("000.00.32.H51-230301-0009", quarter=QUARTER, received_at="2023-03-01", file=3),
        ],
        NEXT_QUARTER,
    )
    assert models.cases("case_code, outcome", NEXT_QUARTER) == [
        ("000.00.32.H51-230103-0001", "resolved"), ("000.00.32.H51-230301-0009", "in_progress"),
    ]  # fmt: skip
    assert {outcome for _, outcome in models.cases("case_code, outcome", QUARTER)} == {"in_progress"}


def test_within_a_quarter_the_order_of_deliveries_decides(models: CaseModels) -> None:
    for first, second, outcome in ((1, 2, "resolved"), (2, 1, "in_progress")):
        models.build([case(file=first), case(status="finished", finished_at=WITHIN, due_at=WITHIN, file=second)])
        assert models.cases("outcome") == [(outcome,)]


NINE = [f"{year}-Q{number}" for year in (2021, 2022) for number in (1, 2, 3, 4)] + ["2023-Q1"]


def _history(rng: random.Random) -> list[Row]:
    """Cases of nine quarters, each told of by some quarters' files, sent in any order whatever."""
    rows = []
    for number in range(1, 9):
        received = dt.date(2020, 12, 20) + dt.timedelta(days=rng.randrange(800))
        for quarter in rng.sample(NINE, rng.randrange(1, 6)):
            for _ in range(rng.choice((1, 1, 2))):
                status = rng.choice(("in_progress", "returned", "withdrawn", "refused", "suspended", "not_received"))
                ended = received + dt.timedelta(days=rng.randrange(400))
                dated = status == "returned" or rng.random() < 0.3
                rows.append(case(
                    f"000.00.32.H51-{received:%y%m%d}-{number:04d}", quarter=quarter, status=status,
                    received_at=received.isoformat(), finished_at=ended.isoformat() if dated else None,
                    due_at=(received + dt.timedelta(days=30)).isoformat(), file=rng.randrange(1, 1000),
                ))  # fmt: skip
    return rows


def _reckoned(rows: list[Row], windows: dict[str, tuple[dt.date, dt.date]]) -> set[tuple[Any, ...]]:
    """(quarter, case, outcome) by the rule in words: each quarter counts the last version known in it."""
    found = set()
    for quarter, (opens, closes) in windows.items():
        for code in {row["case_code"] for row in rows}:
            known = [row for row in rows if row["case_code"] == code and row["quarter"] <= quarter]
            known.sort(key=lambda row: (row["quarter"], row["file"], row["row_number"]))
            if not known or known[-1]["status"] == "not_received" or known[-1]["received_at"].date() > closes:
                continue
            last = known[-1]
            ended = last["finished_at"].date() if last["finished_at"] else None
            if ended is None and last["status"] in ("withdrawn", "refused"):
                since = last
                for row in reversed(known):
                    if row["status"] not in ("withdrawn", "refused"):
                        break
                    since = row
                ended = windows[since["quarter"]][1]
            if ended is not None and ended < opens:
                continue
            if ended is None or ended > closes:
                outcome = "suspended" if ended is None and last["status"] == "suspended" else "in_progress"
            else:
                outcome = last["status"] if last["status"] in ("withdrawn", "refused") else "resolved"
            found.add((quarter, code, outcome))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_chain_of_nine_quarters_is_right_in_whatever_order_it_is_sent(models: CaseModels, seed: int) -> None:
    rows = [row | {"row_number": number} for number, row in enumerate(_history(random.Random(seed)), start=1)]
    windows = {
        quarter: (opens, closes)
        for quarter, opens, closes in models.rows("select quarter, opens_on, closes_on from int_periods")
        if quarter in NINE
    }
    query = f"select quarter, case_code, outcome from int_cases where unit_code = '{DISTRICT}' and is_in_stock"
    told = models.build(rows, NINE[-1], nothing_sent=[(DISTRICT, quarter) for quarter in NINE]).rows(query)
    assert len(told) == len(set(told)) > 3
    assert set(told) == _reckoned(rows, windows)
    # Only the order within a quarter matters: whole quarters sent at other times change nothing.
    shift = {quarter: 1000 * place for place, quarter in enumerate(random.Random(seed + 100).sample(NINE, len(NINE)))}
    again = models.build(
        [row | {"file": row["file"] + shift[row["quarter"]]} for row in rows], NINE[-1],
        nothing_sent=[(DISTRICT, quarter) for quarter in NINE],
    ).rows(query)  # fmt: skip
    assert set(again) == set(told)


def test_of_a_case_in_another_districts_folder_nothing_counts(models: CaseModels) -> None:
    models.build([case(delivering_unit_code=ELSEWHERE)])
    assert models.rows("select * from int_cases") == []


# -- identity ------------------------------------------------------------------------------------------------------


SAME = [
    "000.00.32.H51-230103-0001", "000.00.32.H51-230103-00001", "000.00.32.H51-230103-0000001", "H51.32-230103-0001",
    "H51.032-230103-000001",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SAME[1:])
def test_one_case_in_two_spellings_is_one_case_and_said(models: CaseModels, spelling: str) -> None:
    done = {"status": "returned", "finished_at": WITHIN, "due_at": WITHIN}
    models.build([case(SAME[0], **done), case(spelling, **done)])
    assert models.cases("outcome") == [("resolved",)]
    assert models.findings("kind") == [("spelling_merged",), ("spelling_merged",)]


@pytest.mark.parametrize("other", [
    {"receiving_unit_code": COMMUNE}, {"received_at": "2023-01-04"}, {"procedure_code": "1.000002"},
    {"status": "returned", "finished_at": WITHIN},
])  # fmt: skip
def test_two_spellings_that_do_not_agree_are_to_be_settled(models: CaseModels, other: Row) -> None:
    models.build([case(SAME[0]), case(SAME[1], **other)])
    assert ("spelling_doubt",) in models.findings("kind")
    assert ("spelling_merged",) not in models.findings("kind")


def test_a_later_quarter_may_spell_the_code_otherwise_and_say_how_it_ended(models: CaseModels) -> None:
    models.build([case(SAME[0]), case(SAME[3], quarter=NEXT_QUARTER, status="returned", finished_at="2023-04-10")],
                NEXT_QUARTER)  # fmt: skip
    assert models.cases("case_code, outcome, is_carried_over", NEXT_QUARTER) == [(SAME[3], "resolved", True)]
    assert ("spelling_merged",) in models.findings("kind")


@pytest.mark.parametrize("alike", ["H51.23-221215-0001", "000.23.31.H51-221215-0001"])
def test_codes_that_differ_in_the_agency_stay_two_cases_and_are_asked_about(models: CaseModels, alike: str) -> None:
    code = "000.23.32.H51-221215-0001"
    when = {"received_at": "2022-12-15"}
    models.build([case(code, **when), case(alike, **when)])
    assert len(models.cases("case_code")) == 2
    assert models.findings("kind, case_code, other_case_code") == sorted(
        [("same_case_other_agency", code, alike), ("same_case_other_agency", alike, code)]
    )
    for other in ({"receiving_unit_code": COMMUNE}, {"procedure_code": "1.000002"}):
        models.build([case(code, **when), case(alike, **when, **other)])
        assert len(models.cases("case_code")) == 2
        assert models.findings("kind") == []


@pytest.fixture(scope="module")
def keys(models: CaseModels, two_districts: Build) -> Callable[..., list[str]]:
    """The keys of some codes."""
    sql = two_districts.compiled("int_case_versions")
    [expression] = re.findall(r"select \*, (case.*?end) as case_key", sql, re.DOTALL)

    def of(*codes: str) -> list[str]:
        query = f"select {expression} from (select unnest(?::varchar[]) as case_code)"
        return [key for (key,) in models.connection.execute(query, [list(codes)]).fetchall()]

    return of


AGENCIES = st.tuples(st.integers(1, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 999))
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2029, 12, 31))


def _spelled(agency: tuple[int, int, int, int], day: dt.date, serial: int, digits: int) -> str:
    province, second, third, fourth = agency
    return f"{fourth:03d}.{third:02d}.{second:02d}.H{province:02d}-{day:%y%m%d}-{serial:0{digits}d}"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(AGENCIES, DAYS, st.integers(1, 9999), st.integers(4, 7), AGENCIES, DAYS, st.integers(1, 9999))
def test_equal_codes_have_one_key_and_others_another(
    keys: Callable[..., list[str]], agency: Any, day: dt.date, serial: int, digits: int, agency_2: Any, day_2: dt.date,
    serial_2: int,
) -> None:  # fmt: skip
    levels = [f"H{agency[0]:02d}", *(str(level) for level in agency[1:])]
    while levels[-1] == "0":
        levels.pop()
    short = f"{'.'.join(levels)}-{day:%y%m%d}-{serial:0{digits}d}"
    one = (agency, day, serial)
    others = [(agency_2, day, serial), (agency, day_2, serial), (agency, day, serial_2)]
    key, *same = keys(_spelled(*one, 4), _spelled(*one, digits), short)
    assert same == [key, key]
    told = keys(*(_spelled(*other, 4) for other in others))
    assert [other == key for other in told] == [other == one for other in others]


def test_codes_of_older_software_are_numbers(keys: Callable[..., list[str]]) -> None:
    first, same, other = keys("00352112000539", "352112000539", "00352112000593")
    assert first == same != other


# -- dates and labels ----------------------------------------------------------------------------------------------


def _documented() -> dict[tuple[str, str], str]:
    """(status, when it ended) -> what the case is at closing, as docs/marts.md says."""
    lines = MARTS.read_text(encoding="utf-8").splitlines()
    start = lines.index("### Statuses and dates of a case")
    table = [line for line in lines[start + 1 :] if line.startswith("| ")][:9]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {
        (status, when): outcome.strip("`")
        for statuses, *outcomes in rows
        for status in re.findall(r"\*\*(\w+)\*\*", statuses)
        for when, outcome in zip(head[1:], outcomes, strict=True)
    }


STATUSES = (
    "registered", "received", "not_received", "in_progress", "waiting_for_supplement", "waiting_for_payment",
    "withdrawn", "suspended", "refused", "finished", "returned",
)  # fmt: skip
ENDED = {"before the window": BEFORE, "in the window": WITHIN, "after closing": AFTER}
DATED: list[tuple[str, dict[str, str]]] = [("no day of ending", {})] + [
    (when, dict.fromkeys(names, day))
    for when, day in ENDED.items()
    for names in (("finished_at",), ("returned_at",), ("finished_at", "returned_at"))
]


@pytest.fixture(scope="module")
def every_combination(models: CaseModels) -> dict[int, tuple[Any, ...]]:
    """One case of each status and dates in one file: place -> what is told of it; those that left before are not."""
    models.build([
        case(f"H51-221201-{place:04d}", status=status, received_at="2022-12-01", due_at="2023-06-01", **dates)
        for place, (status, (_, dates)) in enumerate(product(STATUSES, DATED))
    ])  # fmt: skip
    told = models.cases("row_number - 1, outcome, is_resolved, is_open, is_carried_over")
    return {place: tuple(rest) for place, *rest in told if rest[0] != "left_before"}


@pytest.mark.parametrize("place", range(len(STATUSES) * len(DATED)))
def test_what_a_case_is_follows_from_status_and_dates(
    every_combination: dict[int, tuple[Any, ...]], place: int
) -> None:
    status, (when, _) = list(product(STATUSES, DATED))[place]
    expected = _documented()[status, when]
    if expected in ("no case", "left before"):
        assert place not in every_combination
    else:
        is_open = expected not in ("resolved", "withdrawn", "refused")
        assert every_combination[place] == (expected, expected == "resolved", is_open, True)


def test_every_status_of_the_contract_is_documented() -> None:
    from ingestion.base.contracts import load_contracts

    [column] = [c for c in load_contracts()["one_stop_cases"].columns if c.name == "status"]
    assert {status for status, _ in _documented()} == set(column.labels or {}) == set(STATUSES)


def test_the_day_of_finishing_goes_before_the_day_of_return(models: CaseModels) -> None:
    models.build([case(status="returned", finished_at=WITHIN, returned_at=AFTER, due_at=WITHIN)])
    assert models.cases("outcome, timeliness, is_returned") == [("resolved", "on_time", False)]


def test_resolved_long_after_closing_contradicts_itself(models: CaseModels) -> None:
    for day, named in ((WITHIN, 0), (AFTER, 0), (LONG_AFTER, 1)):
        models.build([case(status="returned", finished_at=day, due_at=WITHIN)])
        assert len(models.findings("kind")) == named


def test_lodged_and_ended_contradicts_itself(models: CaseModels) -> None:
    models.build([case(status="registered", finished_at=WITHIN)])
    assert models.findings("kind") == [("lodged_but_ended",)]


# -- appointments --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dates", "timeliness"), [
    ({"due_at": "2023-01-10", "finished_at": "2023-01-10"}, "on_time"),
    ({"due_at": "2023-01-10", "finished_at": "2023-01-09"}, "early"),
    ({"due_at": "2023-01-10", "finished_at": "2023-01-11"}, "late"),
    # The new appointment counts after an extension; suspended days by themselves move none.
    ({"due_at": "2023-01-10", "extended_to": "2023-01-12", "finished_at": "2023-01-11"}, "early"),
    ({"due_at": "2023-01-10", "extended_to": "2023-01-12", "finished_at": "2023-01-13"}, "late"),
    ({"due_at": "2023-01-10", "suspended_days": 5, "finished_at": "2023-01-11"}, "late"),
    ({"due_at": "2023-01-10", "extended_to": "2023-01-12", "suspended_days": 2, "finished_at": "2023-01-13"}, "late"),
    ({"extended_to": "2023-01-12", "finished_at": "2023-01-12"}, "on_time"),
    ({"finished_at": "2023-01-05"}, "unknown"),
])  # fmt: skip
def test_on_time_is_by_the_last_appointment(models: CaseModels, dates: Row, timeliness: str) -> None:
    models.build([case(status="finished", **dates)], procedures=[{"procedure_code": "1.000001"}])
    assert models.cases("timeliness") == [(timeliness,)]
    assert models.findings("kind") == ([("no_appointment",)] if timeliness == "unknown" else [])


def test_the_hour_does_not_matter(models: CaseModels) -> None:
    models.build(
        [case(status="finished", due_at=dt.datetime(2023, 1, 10, 9), finished_at=dt.datetime(2023, 1, 10, 16))]
    )
    assert models.cases("timeliness") == [("on_time",)]


@pytest.mark.parametrize(("received", "suspended", "days"), [
    ("2020-12-14", None, None), ("2020-12-14", 3, None), ("2020-12-15", None, 535), ("2023-02-08", None, 2),
    ("2023-02-08", 1, 1), ("2023-02-08", 5, 0), (WITHIN, None, 0), ("2023-02-13", None, 0),
])  # fmt: skip
def test_working_days_are_blank_where_a_day_is_not_in_the_calendar(
    models: CaseModels, received: str, suspended: int | None, days: int | None
) -> None:
    models.build([case(status="finished", received_at=received, finished_at=WITHIN, suspended_days=suspended)])
    assert models.cases("working_days") == [(days,)]


def test_without_an_appointment_only_what_is_answered_at_once_is_on_time(models: CaseModels) -> None:
    at_once = {"procedure_code": "1.000001", "is_answered_at_once": True}
    limited = {"procedure_code": "1.000002"}
    cases = [
        case(f"H51-230103-000{number}", procedure_code=code, status="finished", finished_at=WITHIN)
        for number, code in enumerate(("1.000001", "1.000002", "1.000009", None), start=1)
    ]
    models.build(cases, procedures=[at_once, limited])
    assert [told for (told,) in models.cases("timeliness")] == ["on_time", "unknown", "unknown", "unknown"]
    assert len(models.findings("kind")) == 3


def test_a_decision_settles_a_case_without_appointment_in_any_spelling(models: CaseModels) -> None:
    models.build(
        [case("000.00.32.H51-230103-0001", status="finished", finished_at=WITHIN)],
        decisions=[{"subject": "H51.32-230103-00001", "decision_id": "QD-1", "dated": dt.date(2023, 3, 15)},
                   {"subject": "000.00.32.H51-230103-0001", "decision_id": "QD-2", "dated": dt.date(2023, 3, 14)}],
    )  # fmt: skip
    assert models.cases("timeliness, decision_id, late_cause") == [("on_time", "QD-1", "not_said")]
    assert models.findings("kind") == []


def test_a_decision_about_a_row_counts_the_cases_it_names_and_the_others_stay_late(models: CaseModels) -> None:
    late = {"status": "finished", "due_at": dt.datetime(2023, 1, 9, 9), "finished_at": dt.datetime(2023, 1, 10, 16)}
    models.build(
        [case(f"H51.32-230103-000{number}", **late) for number in (1, 2, 3)],
        decisions=[{"subject_kind": "row", "subject": "III.25", "decision_id": "QD-1", "dated": dt.date(2023, 3, 15),
                    "cases": "000.00.32.H51-230103-0001; H51.32-230103-00003"}],
    )  # fmt: skip
    assert models.cases("timeliness, decision_id") == [("on_time", "QD-1"), ("late", None), ("on_time", "QD-1")]
    found = models.rows("select figure, case_code, due_on, left_on, decision_id from late_cases order by case_code")
    days = (dt.date(2023, 1, 9), dt.date(2023, 1, 10))
    assert found == [
        ("district_cases_on_time", f"H51.32-230103-000{number}", *days, decision)
        for number, decision in ((1, "QD-1"), (2, None), (3, "QD-1"))
    ]


@pytest.mark.parametrize(("limit", "at_once"), [
    ("Ngay trong ngày", True), ("Trong ngày", True), ("trong ngày làm việc", True), ("Trả ngay", True),
    ("Giải quyết ngay sau khi nhận đủ hồ sơ", True), ("NGAY", True), ("Trong buổi làm việc", True), ("0 ngày", True),
    ("Ngay trong ngày tiếp nhận; trường hợp nhận hồ sơ sau 15 giờ thì trả trong ngày làm việc tiếp theo", True),
    ("05 ngày làm việc", False), ("Trong 05 ngày", False), ("01 ngày làm việc", False), ("ba ngày", False),
    ("Trong ngày; trường hợp cần xác minh: 03 ngày làm việc", False), ("Trong ngày làm việc tiếp theo", False),
    ("Không quy định", False), ("15 ngày kể từ ngày nhận hồ sơ", False), ("", False), (None, False), ("08 giờ", False),
    ("10 ngày", False), ("1 tháng", False), ("Ngày làm việc tiếp theo", False), ("Ngoài ngày nghỉ", False),
])  # fmt: skip
def test_at_once_is_read_from_the_limit(models: CaseModels, two_districts: Build, limit: str, at_once: bool) -> None:
    sql = two_districts.compiled("int_procedures_listed")
    [expression] = re.findall(r"(coalesce\(\s*regexp_matches.*?false\s*\)) as is_answered_at_once", sql, re.DOTALL)
    [(told,)] = models.connection.execute(
        f"select {expression} from (select ?::varchar as time_limit, null::varchar as shortened_time_limit) as flagged",
        [limit],
    ).fetchall()
    assert told is at_once


# -- absence is not a value ----------------------------------------------------------------------------------------


# Optional column -> measures (without their level) that nobody can tell where a file has no such column.
BY_POST = {"cases_returned_by_post", "procedures_returned_by_post"}
NEEDS = {
    "due_at": {"cases_on_time", "cases_late", "cases_overdue", "cases_without_appointment"},
    "returned_at": BY_POST, "return_channel": BY_POST, "finished_at": set(), "extended_to": set(),
    "suspended_days": set(), "late_reason": set(), "field": set(), "procedure_name": set(), "procedure_code": set(),
}  # fmt: skip


def test_every_optional_column_is_tried() -> None:
    from ingestion.base.contracts import load_contracts

    assert {c.name for c in load_contracts()["one_stop_cases"].columns if not c.required} == set(NEEDS)


@pytest.mark.parametrize("column", NEEDS)
def test_without_a_column_what_it_decides_is_not_reported_and_never_zero(models: CaseModels, column: str) -> None:
    cases = [
        case(),
        case("H51.32.1-230103-0001", delivering_unit_code=COMMUNE, receiving_unit_code=COMMUNE, status="returned",
             **{name: day for name, day in (("finished_at", WITHIN), ("returned_at", WITHIN), ("due_at", WITHIN))
                if name != column}),
    ]  # fmt: skip
    models.build(cases, procedures=[{"procedure_code": "1.000001"}], dropped={COMMUNE: [column]})
    # Nobody sent a catalogue, so what was used online is not known either way.
    unknown = {name for name, (value, _, _) in models.measures().items() if value is None and "online" not in name}
    assert unknown == {f"commune_{name}" for name in NEEDS[column]}


def test_appointments_left_blank_in_every_case_are_no_hundred_per_cent(models: CaseModels) -> None:
    """The column is there and empty; what is answered at once needs none."""
    limited, at_once = (
        case(f"H51-230103-000{number}", status="finished", finished_at=WITHIN, procedure_code=f"1.00000{number}")
        for number in (1, 2)
    )
    procedures = [{"procedure_code": "1.000001"}, {"procedure_code": "1.000002", "is_answered_at_once": True}]
    known = case("H51-230103-0003", status="finished", finished_at=WITHIN, due_at=WITHIN)
    for cases, on_time, without in (([limited], None, 1), ([at_once], 1, 0), ([limited, at_once, known], 2, 1)):
        told = models.build(cases, procedures=procedures).measures()
        assert told["district_cases_resolved"][0] == len(cases)
        assert told["district_cases_on_time"][0] == on_time
        assert told["district_cases_without_appointment"][0] == without


def test_a_commune_without_resolved_cases_leaves_nothing_open(models: CaseModels) -> None:
    one = {"delivering_unit_code": COMMUNE, "receiving_unit_code": COMMUNE}
    models.build(
        [case("H51-230103-0001", status="finished", finished_at=WITHIN, due_at=WITHIN, **one)],
        nothing_sent=[("31615", QUARTER)],
    )
    assert models.measures()["commune_cases_on_time"] == (1, 2, 2)


# -- results by post -----------------------------------------------------------------------------------------------


def test_results_by_post_count_by_the_day_they_were_returned(models: CaseModels) -> None:
    post = {"return_channel": "postal", "due_at": "2023-06-01"}
    models.build([
        case("H51-230103-0011", status="finished", finished_at="2023-02-10", **post),
        case("H51-230103-0012", status="returned", finished_at="2023-03-14", returned_at="2023-03-16", **post),
        case("H51-221201-0013", status="returned", received_at="2022-12-01", finished_at="2022-12-14",
             returned_at="2022-12-16", **post),
        case("H51-230103-0014", status="returned", returned_at="2023-02-10", **post),
        case("H51-230103-0015", status="withdrawn", returned_at="2023-02-10", **post),
    ])  # fmt: skip
    assert models.cases("case_code, is_returned and return_channel = 'postal'") == [
        ("H51-221201-0013", True), ("H51-230103-0011", False), ("H51-230103-0012", False), ("H51-230103-0014", True),
        ("H51-230103-0015", False),
    ]  # fmt: skip
    # The one that had left before is in no count but this.
    assert models.rows(
        "select is_in_stock, is_received, is_carried_over, is_resolved, is_open, timeliness from int_cases"
        " where case_code = 'H51-221201-0013'"
    ) == [(False, False, False, False, False, None)]


def test_returned_by_post_on_no_day_is_asked_about(models: CaseModels) -> None:
    models.build([case(status="returned", finished_at=WITHIN, due_at=WITHIN, return_channel="postal")])
    assert models.findings("kind") == [("postal_return_without_day",)]


# -- late entry ----------------------------------------------------------------------------------------------------


def _second_quarter(**values: Any) -> Row:
    row = {"quarter": NEXT_QUARTER, "delivering_unit_code": COMMUNE, "receiving_unit_code": COMMUNE, "file": 2}
    return case(status="finished") | row | values


KNOWN = case("H51.32.1-230105-0001", delivering_unit_code=COMMUNE, receiving_unit_code=COMMUNE, due_at="2023-06-01",
             received_at="2023-01-05")  # fmt: skip


def test_a_case_entered_late_is_named_with_the_quarter_to_correct(models: CaseModels) -> None:
    """One ended in its own quarter, one in the next; both first come with the next quarter's file."""
    day = {"received_at": dt.datetime(2023, 2, 10, 8), "due_at": dt.datetime(2023, 6, 1)}
    models.build(
        [
            KNOWN,
            _second_quarter(**day, case_code="H51.32.1-230210-0001", finished_at=dt.datetime(2023, 2, 13)),
            _second_quarter(**day, case_code="H51.32.1-230210-0002", finished_at=dt.datetime(2023, 4, 3)),
        ],
        NEXT_QUARTER,
    )
    assert models.findings("kind, case_code, correct_quarter, carried_over, open_before, file_name, row_number") == [
        ("carried_over_unknown", "H51.32.1-230210-0002", QUARTER, 2, 1, "2.xlsx", 3),
        ("ended_unreported", "H51.32.1-230210-0001", QUARTER, None, None, "2.xlsx", 2),
    ]


def test_once_the_earlier_quarter_is_corrected_nothing_is_left_to_name(models: CaseModels) -> None:
    late = case("H51.32.1-230210-0002", delivering_unit_code=COMMUNE, receiving_unit_code=COMMUNE, due_at="2023-06-01",
                received_at="2023-02-10")  # fmt: skip
    models.build([KNOWN, late | {"file": 7}, late | {"quarter": NEXT_QUARTER, "file": 2}], NEXT_QUARTER)
    assert models.findings() == []


def test_a_case_that_was_open_and_now_had_ended_before_is_named(models: CaseModels) -> None:
    done = {"status": "finished", "finished_at": dt.datetime(2023, 2, 1)}
    models.build([KNOWN, KNOWN | {"quarter": NEXT_QUARTER, "file": 2} | done], NEXT_QUARTER)
    assert models.findings("kind, correct_quarter, carried_over, open_before, file_name") == [
        ("open_then_gone", QUARTER, 0, 1, "2.xlsx")
    ]


@pytest.mark.parametrize("now", [
    {"status": "not_received"}, {"received_at": dt.datetime(2023, 4, 1)}, {"receiving_unit_code": ELSEWHERE},
])  # fmt: skip
def test_an_open_case_that_leaves_the_stock_by_no_ending_is_named(models: CaseModels, now: Row) -> None:
    models.build([KNOWN, KNOWN | {"quarter": NEXT_QUARTER, "file": 2} | now], NEXT_QUARTER)
    assert models.findings("kind") == [("open_then_gone",)]


@pytest.mark.parametrize("ended", [None, dt.datetime(2023, 4, 3)])
def test_what_was_open_and_is_carried_over_is_in_order(models: CaseModels, ended: dt.datetime | None) -> None:
    status = "finished" if ended else "in_progress"
    models.build([KNOWN, KNOWN | {"quarter": NEXT_QUARTER, "file": 2, "status": status, "finished_at": ended}],
                NEXT_QUARTER)  # fmt: skip
    assert models.findings() == []
    # A case that the next quarter's file does not speak of stays open.
    models.build([KNOWN], NEXT_QUARTER)
    assert models.cases("outcome", NEXT_QUARTER) == [("in_progress",)]
    assert models.findings() == []


def test_a_unit_that_never_delivered_before_is_not_compared(models: CaseModels) -> None:
    old = case("H51.32.1-230105-0001", quarter=NEXT_QUARTER, delivering_unit_code=COMMUNE, receiving_unit_code=COMMUNE,
               due_at="2023-06-01", received_at="2023-01-05")  # fmt: skip
    models.build([old], NEXT_QUARTER)
    assert models.findings() == []
    models.build([old], NEXT_QUARTER, nothing_sent=[(COMMUNE, QUARTER)])
    assert models.findings("kind") == [("carried_over_unknown",)]
    # Another unit's earlier file says nothing about this one.
    models.build([old], NEXT_QUARTER, nothing_sent=[("31615", QUARTER)])
    assert models.findings() == []


def test_a_case_that_was_reported_resolved_and_is_open_again_is_named(models: CaseModels) -> None:
    done = KNOWN | {"status": "finished", "finished_at": dt.datetime(2023, 2, 1)}
    models.build([done, KNOWN | {"quarter": NEXT_QUARTER, "file": 2}], NEXT_QUARTER)
    assert models.findings("kind") == [("carried_over_unknown",)]

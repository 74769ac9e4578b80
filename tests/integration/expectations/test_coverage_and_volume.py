"""What is short of the window or far from a unit's own periods is asked about; few cases and small changes are not.

Each case is a unit of its own, and all go through the gate in one run.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from expectations.inspection import inspect_raw

if TYPE_CHECKING:
    from conftest import Lake

OPENS, CLOSES = dt.date(2023, 3, 15), dt.date(2023, 6, 14)

Change = Callable[["Lake", str], None]


def _received(days: list[dt.date], of: str = "") -> Change:
    """The unit's own cases, or its commune's (``-x``): one received on each of the days."""

    def change(lake: Lake, unit: str) -> None:
        delivery = lake.of(unit + of, "one_stop_cases")
        delivery.rows = [
            delivery.rows[0]
            | {
                "case_code": f"H51-{day:%y%m%d}-{number + 10:04d}",
                "received_at": (received := dt.datetime.combine(day, dt.time(9))),
                "due_at": received + dt.timedelta(days=5),
                "finished_at": received + dt.timedelta(hours=1),
                "returned_at": received + dt.timedelta(hours=2),
            }
            for number, day in enumerate(days)
        ]

    return change


def _spread(count: int, first: dt.date = OPENS, last: dt.date = CLOSES) -> list[dt.date]:
    return [first + (last - first) * number / max(count - 1, 1) for number in range(count)]


def _commune_rows(now: int, *before: int) -> Change:
    """The rows of the unit's commune now, and in its earlier periods."""

    def change(lake: Lake, unit: str) -> None:
        delivery = lake.of(f"{unit}-x", "one_stop_cases")
        _received(_spread(now), of="-x")(lake, unit)
        delivery.outcome = "accepted" if now else "nothing_to_report"
        for quarter, rows in zip(("2022-Q4", "2023-Q1"), before, strict=False):
            earlier = copy.deepcopy(delivery)
            earlier.delivery_id += quarter
            earlier.quarter, earlier.rows, earlier.rows_accepted, earlier.outcome = quarter, [], rows, "accepted"
            lake.deliveries.append(earlier)

    return change


def _no_longer_sent(lake: Lake, unit: str) -> None:
    earlier = copy.deepcopy(lake.of(unit, "e_document_counts"))
    earlier.unit, earlier.delivery_id, earlier.quarter, earlier.rows = f"{unit}-x", f"{unit}.old", "2023-Q1", []
    earlier.rows_accepted = 1
    lake.deliveries.append(earlier)


def _titles(*stated: str, source: str = "one_stop_cases") -> Change:
    """Sheets of the unit's file, or files, whose titles state these windows."""

    def change(lake: Lake, unit: str) -> None:
        lake.of(unit, source).remarks = [
            {"kind": "stated_window", "subject": f"S{number}", "value": value} for number, value in enumerate(stated)
        ]

    return change


def _title_says(kind: str, count: int | None, source: str, value: str = "quý IV") -> Change:
    remark = {"kind": kind, "subject": "S", "value": value, "count": count}
    return lambda lake, unit: lake.of(unit, source).remarks.append(remark)


def _noted(noted: int, read: int) -> Change:
    def change(lake: Lake, unit: str) -> None:
        _received(_spread(read))(lake, unit)
        lake.of(unit, "one_stop_cases").findings = [
            {"_row": row, "column": "case_code", "reason_code": "code_date_differs"} for row in range(2, noted + 2)
        ]

    return change


def _ended(moment: dt.datetime) -> Change:
    return lambda lake, unit: lake.first(unit, "one_stop_cases").update(finished_at=moment, returned_at=moment)


_CASES = "deliveries.one_stop_cases"
GAP, VOLUME, TITLE = f"{_CASES}.days_without_rows", f"{_CASES}.volume", f"{_CASES}.window_reaches_closing"
LATE_START = f"{_CASES}.window_starts_with_period"
COUNTS, RETURNS, ROSTER, PORTAL = "e_document_counts", "declared_returns", "staffing_roster", "portal_figures"
SHARE = f"{_CASES}.findings_share"
ENDED = {"one_stop_cases.finished_at_plausible", "one_stop_cases.returned_at_plausible"}

# What is said -> the change, and what is asked about.
WORLDS: dict[str, tuple[Change, set[str]]] = {
    "cases on every day": (_received(_spread(800)), set()),
    "an export of the first days": (_received(_spread(49, OPENS, dt.date(2023, 3, 20))), {GAP}),
    "an export of the first half month": (_received(_spread(145, OPENS, dt.date(2023, 3, 31))), {GAP}),
    "an export that begins late": (_received(_spread(400, dt.date(2023, 5, 1))), {GAP}),
    "a month is missing": (
        _received(_spread(200, OPENS, dt.date(2023, 4, 1)) + _spread(200, dt.date(2023, 5, 5))),
        {GAP},
    ),
    "a long holiday": (_received(_spread(300, OPENS, dt.date(2023, 4, 20)) + _spread(300, dt.date(2023, 5, 3))), set()),
    "a case every other week": (_received(_spread(7)), set()),
    "three cases in three days": (_received(_spread(3, dt.date(2023, 4, 10), dt.date(2023, 4, 12))), set()),
    "one case": (_received([dt.date(2023, 5, 1)]), set()),
    "only cases carried over": (_received(_spread(5, dt.date(2023, 2, 1), dt.date(2023, 3, 1))), set()),
    "first period of a home": (_commune_rows(838), set()),
    "49 rows after 838": (_commune_rows(49, 838), {VOLUME}),
    "none after 838": (_commune_rows(0, 838), {VOLUME}),
    "half": (_commune_rows(400, 838), set()),
    "one after twelve": (_commune_rows(1, 12), set()),
    "none after thirty": (_commune_rows(0, 30), {VOLUME}),
    "none after a few": (_commune_rows(0, 29), set()),
    "four times few": (_commune_rows(39, 10), set()),
    "more than three times": (_commune_rows(400, 100), {VOLUME}),
    "within a unit's own seasons": (_commune_rows(120, 100, 900), set()),
    "below a unit's own seasons": (_commune_rows(30, 100, 900), {VOLUME}),
    # Of a source that a commune need not send nothing else would say so.
    "no longer sent": (_no_longer_sent, {"deliveries.e_document_counts.volume"}),
    "a title of the period": (_titles("2023-03-15/2023-06-14"), set()),
    "a title to the day before": (_titles("2023-03-15/2023-06-13"), {TITLE}),
    "a title from the day after": (_titles("2023-03-16/2023-06-14"), {LATE_START}),
    "no window in the title": (_titles(), set()),
    "cases of the year to date": (_titles("2022-12-15/2023-06-14"), set()),
    "files of single months": (
        _titles("2023-05-01/2023-05-31", "2023-03-01/2023-03-31", "2023-06-01/2023-06-30", "2023-04-01/2023-04-30"),
        set(),
    ),
    "the last month is missing": (
        _titles("2023-03-01/2023-03-31", "2023-04-01/2023-04-30", "2023-05-01/2023-05-31"),
        {TITLE},
    ),
    "a month between is missing": (
        _titles("2023-03-01/2023-04-30", "2023-06-01/2023-06-30"),
        {TITLE, LATE_START},
    ),
    "a roster of the day before last period's closing": (
        _titles("../2023-03-14", source=ROSTER),
        {f"deliveries.{ROSTER}.window_reaches_closing"},
    ),
    "a roster of the month before": (_titles("../2023-05-31", source=ROSTER), set()),
    "counts of a calendar quarter": (_titles("2023-04-01/2023-06-30", source=COUNTS), set()),
    "counts of the year to date": (
        _titles("2022-12-15/2023-06-14", source=COUNTS),
        {f"deliveries.{COUNTS}.window_within_period"},
    ),
    "counts of one month": (
        _titles("2023-05-01/2023-05-31", source=COUNTS),
        {f"deliveries.{COUNTS}.window_starts_with_period"},
    ),
    "returns of the year to date": (
        _titles("2023-01-01/2023-06-30", source=RETURNS),
        {f"deliveries.{RETURNS}.window_within_period"},
    ),
    "portal figures up to a day of the next quarter": (
        _titles("../2023-09-14", source=PORTAL),
        {f"deliveries.{PORTAL}.window_within_period"},
    ),
    "another quarter's name": (_title_says("other_time", None, COUNTS), {"remarks.other_time"}),
    "a register of the year before": (_title_says("other_time", None, "org_units", "năm 2022"), set()),
    "signed a quarter before": (_title_says("signed_on", 91, COUNTS), {"remarks.signed_on"}),
    "signed when the month had ended": (_title_says("signed_on", 14, COUNTS), set()),
    "a catalogue signed a year ago": (_title_says("signed_on", 400, "procedure_catalogue"), set()),
    "a remark on every row": (_noted(761, 761), {SHARE}),
    "a remark on more than a tenth": (_noted(80, 700), {SHARE}),
    "a remark on fewer": (_noted(60, 700), set()),
    "a remark on a few rows of a small file": (_noted(3, 10), set()),
    "ended after closing": (_ended(dt.datetime(2023, 6, 20)), set()),
    "ended in the next year": (_ended(dt.datetime(2024, 1, 5)), set()),
    "ended long after": (_ended(dt.datetime(2033, 1, 5)), ENDED),
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, worlds: Any) -> dict[str, set[str]]:
    lake: Lake = worlds.lake(tmp_path_factory.mktemp("coverage"))
    for unit, (change, _) in WORLDS.items():
        lake.add_unit(unit)
        change(lake, unit)
    verdicts = inspect_raw(lake.request(), worlds.plain)
    return {verdict.unit_code: {result.expectation_id for result in verdict.blocking()} for verdict in verdicts}


@pytest.mark.parametrize("unit", WORLDS)
def test_only_what_is_out_of_the_ordinary_is_asked_about(asked: dict[str, set[str]], unit: str) -> None:
    assert asked[unit] == WORLDS[unit][1]

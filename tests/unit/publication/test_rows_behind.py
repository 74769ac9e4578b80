"""Rows behind figures of cases are named by file, but where that would tell of few cases of a unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from publication.content.rows_behind import BESIDE, GUARDED, measure_of, unnamed_before, without_telling_rows

UNITS = {"x1": "31615", "y1": "31618", "z1": "31621", "z0": "31621", "d1": "945"}
THRESHOLD = 5
_SCHEMA = pa.schema(
    [
        ("unit_code", pa.string()),
        ("quarter", pa.string()),
        ("figure", pa.string()),
        ("delivery_id", pa.string()),
        ("sheet", pa.string()),
        ("amount_each", pa.decimal128(18, 4)),
        ("decision_id", pa.string()),
        ("row_numbers", pa.string()),
        ("row_count", pa.int64()),
        ("amount", pa.decimal128(18, 4)),
        ("held_back", pa.string()),
    ]
)


def rows(
    *listed: tuple[str, str, int, int], level: str = "commune", decision: str | None = None
) -> list[dict[str, Any]]:
    """Rows from the first to the last of a delivery behind ``<level>_cases_<name>``; another name is a whole figure."""
    return [
        {
            "unit_code": "945",
            "quarter": "2023-Q1",
            "figure": measure_of(level, name) if name in (*GUARDED, *BESIDE, "received") else name,
            "delivery_id": delivery,
            "sheet": "csv",
            "amount_each": Decimal(1),
            "decision_id": decision,
            "row_numbers": f"{first}-{last}" if last > first else str(first),
            "row_count": last - first + 1,
            "amount": Decimal(last - first + 1),
            "held_back": None,
        }
        for name, delivery, first, last in listed
    ]


def published(found: list[dict[str, Any]], **more: Any) -> tuple[list[dict[str, Any]], dict[str, frozenset[str]]]:
    sources = {row["figure"]: "one_stop_cases" for row in found} | {"aux": "declared_returns"}
    table, unnamed = without_telling_rows(
        pa.Table.from_pylist(found, schema=_SCHEMA), UNITS, sources, THRESHOLD, **more
    )
    return table.to_pylist(), unnamed


def all_well(delivery: str, count: int = 100) -> list[dict[str, Any]]:
    return rows(*((name, delivery, 1, count) for name in ("received", "resolved", "on_time")))


def test_rows_that_tell_of_nobody_are_named() -> None:
    found = [*all_well("x1"), *all_well("y1"), *all_well("z1")]
    assert published(found) == (found, {"district": frozenset(), "commune": frozenset()})


@pytest.mark.parametrize(
    "few",
    [
        rows(("received", "x1", 101, 102), ("resolved", "x1", 101, 102), ("late", "x1", 101, 102)),
        rows(("received", "x1", 101, 102), ("resolved", "x1", 101, 102)),  # the late ones by their difference
        rows(("received", "x1", 101, 102), ("set_aside", "x1", 101, 102)),
        rows(("received", "x1", 101, 102)),  # neither resolved nor open
        rows(("received", "x1", 101, 106), ("open", "x1", 101, 106), ("overdue", "x1", 101, 103)),
        rows(("on_time", "x1", 101, 101), ("resolved", "x1", 101, 101), decision="QD-01"),
        # Ten late cases, but a list of cases handed in online tells how two of them came.
        rows(("resolved", "x1", 101, 110), ("late", "x1", 101, 110), ("online", "x1", 109, 112)),
    ],
)
def test_few_cases_that_ended_badly_are_not_named_and_another_unit_hides_them(few: list[dict[str, Any]]) -> None:
    found = [*all_well("x1"), *all_well("y1", 50), *all_well("z1"), *few]
    told, unnamed = published(found)
    assert unnamed["commune"] == {"31615", "31618"}
    outcomes = {measure_of("commune", name) for name in (*GUARDED, *BESIDE)}
    assert {row["delivery_id"] for row in told if row["figure"] in outcomes} == {None, "z1"}
    assert {row["delivery_id"] for row in told if row["figure"] == "commune_cases_received"} >= {"x1", "y1", "z1"}
    for figure in {row["figure"] for row in found}:
        sums = [sum(row["amount"] for row in where if row["figure"] == figure) for where in (found, told)]
        assert sums[0] == sums[1], figure
    assert all(row["row_numbers"] is None and row["held_back"] for row in told if row["delivery_id"] is None)


def test_many_late_cases_are_named() -> None:
    found = [*all_well("x1"), *all_well("y1"), *rows(("resolved", "x1", 101, 110), ("late", "x1", 101, 110))]
    assert published(found)[1]["commune"] == frozenset()


def test_a_file_of_an_earlier_period_is_looked_at_by_itself() -> None:
    late = rows(("resolved", "z1", 101, 110), ("late", "z1", 101, 110), ("resolved", "z0", 1, 2), ("late", "z0", 1, 2))
    assert published([*all_well("x1"), *all_well("z1"), *late])[1]["commune"] == {"31615", "31621"}


def test_the_only_unit_of_a_level_tells_what_the_report_tells() -> None:
    found = rows(("received", "d1", 1, 9), ("resolved", "d1", 1, 9), ("on_time", "d1", 1, 7), level="district")
    assert published(found)[1]["district"] == frozenset()
    online = rows(("online", "d1", 9, 9), level="district")
    # That one of the two came online, the report does not tell.
    assert published([*found, *online])[1]["district"] == {"945"}


def test_a_later_release_names_no_more_units_than_the_one_before() -> None:
    few = [*all_well("x1"), *all_well("y1"), *all_well("z1"), *rows(("received", "x1", 101, 102))]
    told, unnamed = published(few)
    assert unnamed_before([(told, UNITS)]) == {"district": frozenset(), "commune": unnamed["commune"]}
    again = [*all_well("x1"), *all_well("y1"), *all_well("z1")]
    assert published(again)[1]["commune"] == frozenset()
    assert published(again, before=unnamed_before([(told, UNITS)]))[1] == unnamed


def test_a_threshold_of_one_names_everything() -> None:
    found = [*all_well("x1"), *all_well("y1"), *rows(("received", "x1", 101, 102))]
    sources = {row["figure"]: "one_stop_cases" for row in found}
    table, _ = without_telling_rows(pa.Table.from_pylist(found, schema=_SCHEMA), UNITS, sources, 1)
    assert table.to_pylist() == found

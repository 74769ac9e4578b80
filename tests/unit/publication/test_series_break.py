"""A series through the beginning of a unit: both sides are told, and no line leads from one unit to another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest

from common.forms import form_named
from publication.content.release_content import ReleaseContent
from publication.page.charts import Chart
from publication.page.pictures import trends

QUARTERS = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4")
DISTRICT, PARTS = "Huyện Cù Lao Dung", "Xã An Thạnh 2, Xã An Thạnh 3"
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("unit_code", "quarter", "indicator_code", "trend_quarter", "status", "basis",
                                      "predecessor_codes", "predecessor_names_vi")]
    + [(name, pa.decimal128(18, 4)) for name in ("value", "predecessor_value")]
)  # fmt: skip


def _rows(content: ReleaseContent, code: str, basis: str) -> list[dict[str, object]]:
    base = {"unit_code": content.unit_code, "quarter": QUARTERS[-1], "indicator_code": code, "status": "computed"}
    before = {"predecessors": PARTS, "break": DISTRICT}[basis]
    told = []
    for number, quarter in enumerate(QUARTERS):
        own = number >= 2
        value = Decimal(100 + number) if own or basis == "predecessors" else None
        told.append(
            base
            | {"trend_quarter": quarter, "value": value, "basis": "own" if own else basis,
               "predecessor_names_vi": None if own else before,
               "predecessor_value": None if own else Decimal(9000 + number)}
        )  # fmt: skip
    return told


@pytest.fixture
def chart(make_content: Callable[..., ReleaseContent]) -> Chart:
    """The first chart of a unit that began on 1 July 2025: one row can be summed for the time before, one cannot."""
    content = replace(make_content(), unit_code="31633")
    trend = form_named(content.form_version).page.trends[0]
    first, second, *_ = trend.rows
    rows = _rows(content, first, "predecessors") + _rows(content, second, "break")
    tables = {**content.tables, "indicator_trend": pa.Table.from_pylist(rows, schema=_SCHEMA)}
    drawn = trends(replace(content, quarter=QUARTERS[-1], tables=tables))
    return next(one for one in drawn if one.identifier == trend.id)


def test_the_table_names_the_break_and_the_figures_of_the_unit_before(chart: Chart) -> None:
    table = [row[:3] for row in chart.lines]
    assert table == [
        ("I/2025", "100", "9.000 (huyện Cù Lao Dung)"),
        ("II/2025", "101", "9.001 (huyện Cù Lao Dung)"),
        ("Đổi đơn vị từ 01/07/2025", "", ""),
        ("III/2025", "102", "102"),
        ("IV/2025", "103", "103"),
    ]


def test_the_words_say_of_whom_the_figures_before_are(chart: Chart) -> None:
    assert "Trước ngày 01/07/2025 chưa có " in chart.summary_vi
    assert "tổng của các đơn vị cũ nhập trọn vào (xã An Thạnh 2, xã An Thạnh 3)" in chart.summary_vi
    assert "ghi số của huyện Cù Lao Dung" in chart.summary_vi


def test_no_line_crosses_the_break(chart: Chart) -> None:
    # Two pieces of the summed series, each of two points; of the other only the piece since.
    lines = str(chart.svg).count("<path")
    assert lines >= 3
    assert "9.000" not in str(chart.svg)

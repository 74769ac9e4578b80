"""Six months and a year of the sample, published: figures reckoned anew from the delivered rows, and what moved."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sample import sample_rows, writer
from sample.districts import DISTRICTS
from sample.quarters import LONGER_PLANS
from sample.rows import FileKey, Row
from tests.conftest import CliResult
from tests.oracle import reckon
from tests.oracle.form import code_of
from tests.pipeline.conftest import indicators, release_of

DISTRICT, HALF, YEAR = "945", "2023-H1", "2023-Y"
CASES: FileKey = (DISTRICT, "one_stop_cases", "ho-so-mot-cua.xlsx")
DECLARED: FileKey = (DISTRICT, "declared_returns", "so-lieu-khai-bao.xlsx")
#: A case that was received and returned in the first quarter, and of which the office told in the second.
LATE_CODE = "000.00.32.H51-230110-0999"


def _told_late() -> list[Row]:
    """The second quarter's cases, with one more that the first quarter's file should have had."""
    rows = sample_rows("2023-Q2")[CASES]
    of_the_unit = next(row for row in rows if row["status"] == "returned" and row["due_at"] is not None)
    day = dt.datetime(2023, 1, 10, 8, 30)
    return [
        *rows,
        of_the_unit
        | {"case_code": LATE_CODE, "received_at": day, "due_at": day + dt.timedelta(days=7), "extended_to": None,
           "finished_at": day + dt.timedelta(days=2), "returned_at": day + dt.timedelta(days=2)},
    ]  # fmt: skip


def _declared_with_it() -> list[Row]:
    """What the office declares for the half-year, the late case counted."""
    return [
        row | ({"value": row["value"] + 1} if row["indicator_code"] in ("III.23", "III.24", "III.25") else {})
        for row in sample_rows(HALF)[DECLARED]
    ]


def _deliver_told_late(landing: Path) -> None:
    for period, (unit, source, name), rows in (("2023-Q2", CASES, _told_late()), (HALF, DECLARED, _declared_with_it())):
        content = writer._content(DISTRICTS[DISTRICT], unit, period, source, ".xlsx", rows, 1)
        (landing / unit / period / source / name).write_bytes(b"".join(content))


def _reckoned(period: str, changed: Mapping[str, list[Row]]) -> dict[str, Decimal | None]:
    """The figures of a longer period by indicator code, from the rows that were delivered for its quarters.

    Registers are those of the last quarter; survey forms, assigned tasks and cases those of all; what is declared that
    of the period.
    ``changed``: the district's cases of a quarter, and what it declares for the period, where not the sample's.
    """
    plan = LONGER_PLANS[DISTRICT, period]
    deliveries: dict[str, dict[FileKey, list[Row]]] = {
        quarter: dict(sample_rows(quarter)) for quarter in ("2022-Q4", *plan.quarters)
    }
    for quarter, rows in changed.items():
        if quarter in deliveries:
            deliveries[quarter][CASES] = rows
    last = deliveries[plan.quarters[-1]]
    forms = (DISTRICT, "survey_responses", "phieu-khao-sat.xlsx")
    last[forms] = [row for quarter in plan.quarters for row in deliveries[quarter][forms]]
    tasks = (DISTRICT, "plan_tasks", "nhiem-vu-ke-hoach.xlsx")
    last[tasks] = last[tasks] + [
        row
        for quarter in plan.quarters[:-1]
        for row in deliveries[quarter][tasks]
        if row["plan"] == "province_assigned"
    ]
    last[DECLARED] = changed.get(period) or sample_rows(period)[DECLARED]
    decided = deliveries["2023-Q1"][DISTRICT, "decisions", "giai-trinh-so-lieu.xlsx"]
    last[DISTRICT, "decisions", "giai-trinh-so-lieu.xlsx"] = [
        row | {"quarter": plan.quarters[0], "holds_until": plan.quarters[-1]}
        for row in decided
        if row["subject_kind"] == "case"
    ]
    window = plan.window
    figures = reckon(
        deliveries, DISTRICT, plan.quarters[-1], (window.opens_on, window.closes_on, window.year_opens_on)
    ).figures
    return {code_of(row): figure.value for row, figure in figures.items()}


def _published(home: Path, period: str) -> dict[str, dict[str, Any]]:
    release = release_of(home, quarter=period)
    assert release is not None
    return {row["indicator_code"]: row for row in indicators(release).values()}


def _documents_sent(period: str, column: str, *, of_district: bool) -> int:
    """A column of the document counts of all kinds and topics, over the quarters' files."""
    return sum(
        row[column] or 0
        for quarter in LONGER_PLANS[DISTRICT, period].quarters
        for (unit, source, _), rows in sample_rows(quarter).items()
        if source == "e_document_counts" and (unit == DISTRICT) == of_district
        for row in rows
        if row["document_kind"] == "all" and row["topic"] == "all"
    )


def _check_figures(home: Path, period: str, changed: Mapping[str, list[Row]]) -> None:
    published, reckoned = _published(home, period), _reckoned(period, changed)
    differing = {
        code: (row["value"], reckoned[code])
        for code, row in published.items()
        if row["source"] != "e_document_counts" and row["value"] != reckoned[code]
    }
    assert differing == {}
    # The real first quarter gives no totals: what is not known of one quarter is not known of the whole.
    assert published["VII.11"]["value"] is None
    assert published["VII.12"]["value"] == _documents_sent(period, "electronic_only", of_district=True)
    assert published["VII.16"]["value"] == _documents_sent(period, "electronic_and_paper", of_district=False)
    assert published["I.05"]["value"] == sum(
        row["outgoing_total"]
        for quarter in LONGER_PLANS[DISTRICT, period].quarters
        for row in sample_rows(quarter)[DISTRICT, "e_document_counts", "van-ban-dien-tu.xlsx"]
        if row["topic"] == "cchc"
    )


def _findings(home: Path, period: str, rule: str) -> list[dict[str, Any]]:
    """What gate 2 found by a rule in its last verdict."""
    folder = home / "warehouse" / "verdicts" / DISTRICT / period
    verdict = json.loads(max(folder.glob("mart-*.json"), key=lambda path: path.stat().st_mtime_ns).read_text())
    [result] = [result for result in verdict["results"] if result["expectation_id"] == rule]
    return list(result["findings"])


@pytest.mark.long
def test_six_months_are_counted_from_their_own_window_and_name_the_case_that_no_quarter_has(
    published_home: Path, tmp_path: Path, cli: Callable[..., CliResult]
) -> None:
    """The first quarter is out; the second is delivered, with a case of the first that nobody had told of."""
    home = tmp_path / "home"
    shutil.copytree(published_home, home)
    for period in ("2023-Q2", HALF):
        assert cli(home, "sample", "--quarter", period).code == 0
    _deliver_told_late(home / "landing")
    result = cli(home, "run", HALF, "--json")
    assert result.code == 0, result.stdout + result.stderr
    _check_figures(home, HALF, {"2023-Q2": _told_late(), HALF: _declared_with_it()})

    moved = [finding for finding in _findings(home, HALF, "period_moves.case") if LATE_CODE in finding["subject"]]
    assert {finding["subject"].split()[0] for finding in moved} >= {"III.23", "III.24", "III.25"}
    assert {(finding["file"], finding["row"] is not None) for finding in moved} == {(CASES[2], True)}
    differing = [finding["subject"] for finding in _findings(home, HALF, "period_comparison.differs")]
    assert {"III.23", "III.24", "III.25"} <= set(differing)
    assert not {"III.26", "III.27"} & set(differing), "the communes told everything in time"

    release = release_of(home, quarter=HALF)
    assert release is not None
    letter = (release / "report" / "index.html").read_text(encoding="utf-8")
    assert "6 tháng đầu năm 2023" in letter
    assert "Quý trước" not in letter
    assert "Cùng kỳ năm trước" in letter
    trend = pq.read_table(release / "marts" / "indicator_trend.parquet")
    assert set(trend["trend_quarter"].to_pylist()) == {HALF}, "a half-year stands in no line with quarters"


@pytest.mark.long
def test_a_year_of_four_quarters_is_published_and_counted_from_its_own_window(
    published_home: Path, tmp_path: Path, cli: Callable[..., CliResult]
) -> None:
    home = tmp_path / "home"
    shutil.copytree(published_home, home)
    for period in ("2023-Q2", HALF, "2023-Q3", "2023-Q4", YEAR):
        assert cli(home, "sample", "--quarter", period).code == 0
    result = cli(home, "run", "--from", "2023-Q1", "--to", YEAR, "--json")
    assert result.code == 0, result.stdout + result.stderr
    ran = [document["quarter"] for document in json.loads(result.stdout)["quarters"]]
    assert ran == ["2023-Q1", "2023-Q2", HALF, "2023-Q3", "2023-Q4", YEAR]
    for period in (HALF, YEAR):
        _check_figures(home, period, {})
        assert _findings(home, period, "period_comparison.as_published") == []
        assert _findings(home, period, "period_comparison.explained") == []

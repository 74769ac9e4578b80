"""The floor of the benchmarks does all the work that it is compared with: its figures are those of the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks import floor
from publication import current_release
from sample import write_sample

QUARTER, DISTRICT = "2023-Q1", "945"
ROWS = [*range(71, 77), 169, 170, 175, 179, 181, 182, *range(195, 199), *range(201, 205)]
COLUMNS = """to_resolve, received_online, received_direct_or_postal, carried_over, resolved, resolved_early,
    resolved_on_time, resolved_late, in_progress, in_progress_within_due, in_progress_overdue"""


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's quarter with its cases as CSV, as large samples have them."""
    folder = tmp_path_factory.mktemp("cases-as-csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sample.writer.LARGEST_WORKBOOK", 590)  # fewer than any unit's cases, more than other lists
        write_sample(folder, [QUARTER])
    return folder


def _named(name: str | None) -> str:
    return (name or "").removeprefix("UBND ").lower()


def _by_row(rows: list[tuple[Any, ...]]) -> dict[tuple[str, str, str], tuple[int, ...]]:
    return {(kind, level, _named(name)): tuple(cells) for kind, level, name, *cells in rows}


def test_the_floor_counts_what_the_pipeline_counts(landing: Path, published_home: Path) -> None:
    rows, forms = floor.figures(landing, QUARTER, memory="256MB")
    release = current_release(published_home / "published", DISTRICT, QUARTER)
    assert release is not None
    candidates = published_home / "warehouse" / "candidates" / DISTRICT / QUARTER
    marts = candidates / release.manifest().candidate_hash / "marts"
    counted = dict(duckdb.execute(f"select row_no, computed_value from '{marts}/report_indicators.parquet'").fetchall())
    # Nothing is offered online at level 3 in the sample, so the form has no figure of its use.
    assert {row for row in ROWS if counted[row] is None} == {175}
    assert rows == {row: counted[row] or 0 for row in ROWS}
    assert sum(rows.values()) > 20_000, "figures were counted"
    for of, told in forms.items():
        query = f"""
            select row_kind, unit_level, case when row_kind = 'row' then name_vi end, {COLUMNS}
            from '{marts}/case_form_06a.parquet' where breakdown = ? and clock = 'reporting_window'
        """
        found = _by_row([row[1:] for row in told if row[0] == "reporting_window"])
        assert found == _by_row(duckdb.execute(query, [of]).fetchall())
        assert len(found) > 10

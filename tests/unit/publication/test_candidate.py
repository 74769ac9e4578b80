"""A candidate is its rows and inputs, addressed by hash; nothing about it can be altered unseen."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from common.periods import PERIODS_FILE, Period, load_periods
from publication import CandidateError, hash_inputs, read_candidate, write_candidates
from publication.build import record_build, slice_mart
from tests.unit.publication.builders import (
    FORM_VERSION,
    OTHER_UNIT,
    QUARTER,
    UNIT,
    build_tables,
    delivery,
    write_build,
    write_candidate,
)


def test_equal_rows_in_any_order_are_the_same_candidate(tmp_path: Path) -> None:
    first = write_candidate(tmp_path / "a", inputs=[delivery(content="a"), delivery(content="b")])
    shuffled = {
        name: table.take(pa.array(range(table.num_rows)[::-1], pa.int64())) for name, table in build_tables().items()
    }
    inputs = {UNIT: [delivery(content="b"), delivery(content="a")]}
    write_build(tmp_path / "b", shuffled, inputs=inputs)
    second = write_candidates(tmp_path / "b", QUARTER, [UNIT], inputs, {UNIT: FORM_VERSION})[UNIT]
    assert first.name == second.name
    for path in first.rglob("*.*"):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def test_another_figure_is_another_candidate(tmp_path: Path) -> None:
    one = write_candidate(tmp_path)
    other = write_candidate(tmp_path, changes={"I.04": {"value": Decimal(10)}})
    assert one.name != other.name
    assert one.exists()


def test_another_input_is_another_candidate(tmp_path: Path) -> None:
    assert write_candidate(tmp_path).name != write_candidate(tmp_path, inputs=[delivery(content="c")]).name


def test_a_candidate_holds_its_unit_and_quarter_only(tmp_path: Path) -> None:
    candidate = read_candidate(write_candidate(tmp_path))
    assert candidate.table("case_processing")["unit_code"].to_pylist() == [UNIT, UNIT]
    assert candidate.table("dim_quarter")["quarter"].to_pylist() == ["2022-Q4", "2023-Q1"]
    assert candidate.table("dim_unit")["unit_code"].to_pylist() == ["31615", UNIT, "945-PB01"]
    assert candidate.table("dim_procedure")["procedure_code"].to_pylist() == ["1.000001"]


@pytest.mark.parametrize("period", load_periods(), ids=lambda period: period.quarter)
def test_a_slice_has_the_periods_that_it_names_and_none_that_closes_later(period: Period) -> None:
    every = pa_csv.read_csv(PERIODS_FILE)
    rows = {row["quarter"]: row for row in slice_mart("dim_quarter", every, UNIT, period.quarter, "").to_pylist()}
    own = rows[period.quarter]
    named = {own["calendar_quarter"], own["previous_quarter"], own["same_quarter_last_year"], *own["made_of"].split()}
    assert named & set(every["quarter"].to_pylist()) <= rows.keys()
    assert max(row["closes_on"] for row in rows.values()) == own["closes_on"]


def test_a_later_form_version_does_not_change_a_candidate(tmp_path: Path) -> None:
    tables = build_tables()
    indicators = tables["dim_indicator"]
    later = indicators.set_column(0, "form_version", pa.array(["2025"] * indicators.num_rows))
    write_build(tmp_path, tables | {"dim_indicator": pa.concat_tables([indicators, later])})
    folder = write_candidates(tmp_path, QUARTER, [UNIT], {UNIT: [delivery()]}, {UNIT: FORM_VERSION})[UNIT]
    assert folder == write_candidate(tmp_path)


def test_internal_marts_are_checked_but_not_published(tmp_path: Path) -> None:
    candidate = read_candidate(write_candidate(tmp_path))
    assert {"rule_inputs", "decision_effects"} <= set(candidate.files)
    assert not {"rule_inputs", "decision_effects"} & set(candidate.published_marts)


def test_writing_again_keeps_a_whole_folder_and_mends_a_damaged_one(tmp_path: Path) -> None:
    folder = write_candidate(tmp_path)
    before = (folder / "candidate.json").stat().st_mtime_ns
    assert write_candidate(tmp_path) == folder
    assert (folder / "candidate.json").stat().st_mtime_ns == before
    (folder / "marts" / "report_indicators.parquet").write_bytes(b"")
    assert write_candidate(tmp_path) == folder
    read_candidate(folder)


def test_a_build_of_another_quarter_is_refused(tmp_path: Path) -> None:
    write_build(tmp_path, build_tables(), "2023-Q2")
    with pytest.raises(CandidateError, match="2023-Q2"):
        write_candidates(tmp_path, QUARTER, [UNIT], {UNIT: [delivery()]}, {UNIT: FORM_VERSION})


def test_a_mart_changed_after_the_build_is_refused(tmp_path: Path) -> None:
    write_build(tmp_path, build_tables())
    build = (tmp_path / "build" / "build.json").read_bytes()
    write_build(tmp_path, build_tables(changes={"I.04": {"value": Decimal(11)}}))
    (tmp_path / "build" / "build.json").write_bytes(build)
    with pytest.raises(CandidateError, match="figure_rows đã bị sửa"):
        write_candidates(tmp_path, QUARTER, [UNIT], {UNIT: [delivery()]}, {UNIT: FORM_VERSION})


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_build_with_other_files_than_recorded_is_refused(tmp_path: Path, change: str) -> None:
    write_build(tmp_path, build_tables())
    marts = tmp_path / "build" / "marts"
    if change == "added":
        (marts / "extra.parquet").write_bytes((marts / "dim_unit.parquet").read_bytes())
    else:
        (marts / "case_processing.parquet").unlink()
    with pytest.raises(CandidateError, match="không khớp"):
        write_candidates(tmp_path, QUARTER, [UNIT], {UNIT: [delivery()]}, {UNIT: FORM_VERSION})


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"quarter": "2023-Q1", "marts": 1}'])
def test_without_a_whole_build_record_nothing_is_written(tmp_path: Path, content: str) -> None:
    write_build(tmp_path, build_tables())
    (tmp_path / "build" / "build.json").write_text(content)
    with pytest.raises(CandidateError, match=r"build\.json"):
        write_candidates(tmp_path, QUARTER, [UNIT], {UNIT: [delivery()]}, {UNIT: FORM_VERSION})


def test_a_unit_without_form_rows_or_inputs_is_an_error(tmp_path: Path) -> None:
    write_build(tmp_path, build_tables(), inputs={OTHER_UNIT: []})
    with pytest.raises(CandidateError, match="không có dòng biểu mẫu"):
        write_candidates(tmp_path, QUARTER, [OTHER_UNIT], {OTHER_UNIT: []}, {OTHER_UNIT: FORM_VERSION})
    with pytest.raises(CandidateError, match="danh sách tệp đầu vào"):
        write_candidates(tmp_path, QUARTER, [UNIT], {}, {UNIT: FORM_VERSION})


def test_a_fact_without_unit_and_quarter_cannot_be_sliced() -> None:
    with pytest.raises(CandidateError, match="staffing không có cột unit_code"):
        slice_mart("staffing", pa.table({"quarter": [QUARTER]}), UNIT, QUARTER, FORM_VERSION)


def test_inputs_are_hashed_whatever_their_order_and_never_twice() -> None:
    one, two = delivery(content="a"), delivery(content="b")
    assert hash_inputs([one, two]) == hash_inputs([two, {**one, "path": "elsewhere"}])
    with pytest.raises(CandidateError, match="hai lần"):
        hash_inputs([one, one])
    with pytest.raises(CandidateError, match="sha256"):
        hash_inputs([{name: value for name, value in one.items() if name != "sha256"}])


@pytest.mark.parametrize(
    "now",
    [[delivery(content="b")], [delivery(), delivery(content="b")], [], [{**delivery(), "outcome": "partly_accepted"}]],
)
def test_a_build_made_from_other_deliveries_gives_no_candidate(tmp_path: Path, now: list[dict[str, Any]]) -> None:
    write_build(tmp_path, build_tables())
    with pytest.raises(CandidateError, match="đã thay đổi sau lần tính số liệu gần nhất; chạy cchc build 2023-Q"):
        write_candidates(tmp_path, QUARTER, [UNIT], {UNIT: now}, {UNIT: FORM_VERSION})


def test_the_build_record_counts_rows(tmp_path: Path) -> None:
    write_build(tmp_path, build_tables())
    record = json.loads(record_build(tmp_path, QUARTER, {UNIT: [delivery()]}).read_bytes())
    assert record["marts"]["report_indicators"]["rows"] == 211

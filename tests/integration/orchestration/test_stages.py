"""The stages through the command line, on the sample: alone, together, and again."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

QUARTER = "2023-Q1"
Cli = Callable[..., Any]


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    """A copy of the shared home, to be changed."""
    return Path(shutil.copytree(published_home, tmp_path / "home"))


def _units(result: Any) -> dict[str, dict[str, Any]]:
    return {unit["unit_code"]: unit for unit in json.loads(result.stdout)["units"]}


def test_a_published_quarter_is_told_with_its_folder(cli: Cli, home: Path) -> None:
    unit = json.loads(cli(home, "status", QUARTER, "--json").stdout)["quarters"][0]["units"][0]
    assert (unit["unit_code"], unit["state"]) == ("945", "published")
    assert unit["release"] == str(home / "published" / "945" / QUARTER / "r1")
    assert unit["reasons"] == []
    assert {source["state"] for source in unit["sources"]} == {"delivered"}


def test_publishing_again_changes_nothing(cli: Cli, home: Path) -> None:
    result = cli(home, "publish", QUARTER)
    assert result.code == 0
    assert "không thay đổi" in result.stdout
    assert [path.name for path in (home / "published" / "945" / QUARTER).glob("r*")] == ["r1"]


def test_links_that_lead_nowhere_are_named_and_hold_up_nobody_elses_files(cli: Cli, home: Path) -> None:
    places = ("947", f"946/{QUARTER}", f"31618/{QUARTER}/khong-phai-nguon", f"945/{QUARTER}/survey_responses/x.csv")
    for place in places:
        link = home / "landing" / place
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(link)  # looked into, it leads to itself
    said = cli(home, "ingest", QUARTER)
    assert f"{QUARTER}: 27 tệp" in said.stdout, said.stdout + said.stderr
    assert [place for place in places if place not in said.stdout] == []
    assert cli(home, "status", QUARTER).code == 0
    late = home / "landing" / "945" / QUARTER / "survey_responses" / "muon.csv"
    late.write_text("Số phiếu\n", encoding="utf-8")
    assert f"{QUARTER}: 28 tệp" in cli(home, "ingest", QUARTER).stdout


@pytest.mark.long
def test_quarters_asked_for_together_are_run_in_order_of_time(cli: Cli, home: Path) -> None:
    result = cli(home, "run", "2023-Q1", "--from", "2022-Q4", "--to", "2022-Q4", "--json")
    assert result.code == 0, result.stdout + result.stderr
    found = [(answer["quarter"], answer["units"][0]["state"]) for answer in json.loads(result.stdout)["quarters"]]
    # What was delivered for the earlier quarter was known to the later one already.
    assert found == [("2022-Q4", "published"), (QUARTER, "unchanged")]


@pytest.mark.long
def test_the_stages_alone_come_to_the_same(cli: Cli, home: Path) -> None:
    for folder in ("raw", "warehouse"):
        shutil.rmtree(home / folder)
    assert cli(home, "ingest", QUARTER).code in (0, 1)
    assert cli(home, "build", QUARTER).code == 0
    checked = cli(home, "check", QUARTER, "--json")
    assert _units(checked)["945"]["state"] == "cleared", checked.stdout
    assert _units(cli(home, "publish", QUARTER, "--json"))["945"]["state"] == "unchanged"


def test_publishing_without_a_build_of_the_quarter_is_refused(cli: Cli, home: Path) -> None:
    (home / "warehouse" / "build" / "build.json").unlink()
    result = cli(home, "publish", QUARTER)
    assert result.code == 1
    assert "build.json" in result.stdout


def test_publishing_after_a_further_delivery_without_a_build_is_refused(cli: Cli, home: Path) -> None:
    """A release names the deliveries it was made from; one that came after the build is in no figure of it."""
    further = home / "landing" / "945" / QUARTER / "survey_responses" / "phieu-bo-sung.csv"
    further.write_text(
        "Số phiếu;Hình thức;Ngày trả lời;Đánh giá chung\nBS-001;Phát phiếu;01/02/2023;Hài lòng\n", encoding="utf-8"
    )
    assert cli(home, "ingest", QUARTER).code == 0
    for command in ("check", "publish"):
        result = cli(home, command, QUARTER)
        assert result.code == 1, command
        assert "tệp nộp của đơn vị 945 đã thay đổi sau lần tính số liệu gần nhất" in result.stdout
        assert f"chạy cchc build {QUARTER} rồi cchc check {QUARTER} trước khi công bố" in result.stdout
    assert [path.name for path in (home / "published" / "945" / QUARTER).glob("r*")] == ["r1"]


def test_publishing_without_verdicts_is_refused(cli: Cli, home: Path) -> None:
    shutil.rmtree(home / "warehouse" / "verdicts")
    shutil.rmtree(home / "published")
    result = cli(home, "publish", QUARTER)
    assert result.code == 1
    assert "Chưa có kết quả kiểm tra" in result.stdout
    assert not (home / "published" / "945" / QUARTER / "current.json").exists()


def test_a_changed_release_is_found_out(cli: Cli, home: Path) -> None:
    assert cli(home, "verify").code == 0
    annex = home / "published" / "945" / QUARTER / "r1" / "report" / "annex.csv"
    annex.parent.chmod(0o755)
    annex.chmod(0o644)
    annex.write_bytes(annex.read_bytes() + b"\n")
    result = cli(home, "verify", str(annex.parents[1]))
    assert result.code == 1
    assert "report/annex.csv" in result.stdout


@pytest.mark.long
def test_a_source_not_sent_holds_the_unit_back_and_says_so(cli: Cli, home: Path) -> None:
    for folder in ("raw", "warehouse", "published"):
        shutil.rmtree(home / folder)
    shutil.rmtree(home / "landing" / "945" / QUARTER / "org_units")
    result = cli(home, "run", QUARTER)
    assert result.code == 1
    assert "945 Huyện Cù Lao Dung: CHƯA CÔNG BỐ, bị giữ lại" in result.stdout
    assert "“Danh mục cơ quan, đơn vị”" in result.stdout
    status = cli(home, "status", QUARTER).stdout
    assert "945 org_units: chưa gửi" in status
    assert "bị giữ lại" in status
    assert not (home / "published" / "945" / QUARTER / "current.json").exists()
    _is_told_as_held_not_as_broken(home)


def _is_told_as_held_not_as_broken(home: Path) -> None:
    """In Dagster the run came to its end; a check on what it judges says who is held back, where and what to do."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        [run] = instance.get_runs(limit=1)
        assert run.status is dg.DagsterRunStatus.SUCCESS
        evaluations = [
            event.asset_check_evaluation_data
            for event in (record.dagster_event for record in instance.all_logs(run.run_id))
            if event is not None and event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ]
    failed = {(e.asset_key.to_user_string(), e.check_name): e for e in evaluations if not e.passed}
    assert ("published/releases", "all_units_published") in failed
    assert {e.severity for e in failed.values()} == {dg.AssetCheckSeverity.WARN}
    assert {e.partition for e in failed.values()} == {QUARTER}
    gate = (
        failed["raw/deliveries", "rules"] if ("raw/deliveries", "rules") in failed else failed["raw/org_units", "rules"]
    )
    records = gate.metadata["findings"].records
    assert {record.data["don_vi"] for record in records} == {"945"}
    assert all(record.data["noi_dung"] and record.data["cach_xu_ly"] for record in records)


def test_only_dbt_opens_the_warehouse_and_it_holds_no_lock_afterwards(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.sql("select count(*) from reporting_periods").fetchall()[0][0] > 0


def test_the_run_is_recorded_with_rows_times_and_checks(published_home: Path) -> None:
    import dagster as dg

    mart = dg.AssetKey(["marts", "report_indicators"])
    check = dg.AssetCheckKey(mart, "report_indicators_has_one_row_for_each_unit_code_and_row_no")
    with dg.DagsterInstance.from_config(str(published_home / "dagster")) as instance:
        runs = instance.get_runs()
        assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS]
        event = instance.get_latest_materialization_event(mart)
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.partition == QUARTER
        rows = event.asset_materialization.metadata["dagster/row_count"].value
        assert 0 < event.asset_materialization.metadata["Execution Duration"].value < 3600
        events = [record.dagster_event for record in instance.all_logs(runs[0].run_id) if record.dagster_event]
        evaluation = instance.get_latest_asset_check_evaluation_record(check)
        assert evaluation is not None
        assert evaluation.evaluation is not None
        assert evaluation.evaluation.passed
        assert evaluation.evaluation.partition == QUARTER
        page = instance.get_latest_materialization_event(dg.AssetKey(["published", "report_page"]))
        assert page is not None
        assert page.asset_materialization is not None
        assert Path(str(page.asset_materialization.metadata["path_945"].value)).is_file()
    # A backfill counts what a run has planned and not made as failed, whatever the run says of itself.
    planned = {e.asset_key for e in events if e.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
    made = {e.asset_key: e.partition for e in events if e.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION}
    assert planned
    assert planned <= set(made)
    assert set(made.values()) == {QUARTER}
    steps = [e.step_key for e in events if e.event_type is dg.DagsterEventType.STEP_SUCCESS]
    assert steps.index("gates_raw") < steps.index("dbt_build") < steps.index("gates_marts") < steps.index("publish")
    assert (
        rows
        == duckdb.sql(
            f"select count(*) from read_parquet('{published_home}/warehouse/build/marts/report_indicators.parquet')"
        ).fetchall()[0][0]
    )


def test_timings_name_every_stage(published_home: Path) -> None:
    timings = json.loads((published_home / "warehouse" / "timings.json").read_text())
    assert {"imports", "ingest", "gate_raw", "dbt", "candidates", "gate_marts", "publish"} <= set(timings["stages"])
    assert all(seconds >= 0 for seconds in timings["stages"].values())


def test_what_holds_persons_is_closed_to_others(published_home: Path) -> None:
    assert stat.S_IMODE((published_home / "person_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((published_home / "raw").stat().st_mode) == 0o700
    key = (published_home / "person_key").read_text()
    for log in (path for path in (published_home / "logs").rglob("*") if path.is_file()):
        assert key not in log.read_text(encoding="utf-8", errors="replace")

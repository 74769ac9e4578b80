"""Records of runs: kept and read back, shown as table, page and figures; what is past its time goes, nothing else."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import duckdb
import lxml.html
import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestration import retention
from orchestration.addresses import AlertKind
from orchestration.history import (
    Ended,
    Entry,
    Look,
    Space,
    end_killed,
    entries,
    keep,
    keep_look,
    keep_verdict,
    verdict_of,
    verdict_path,
)
from orchestration.history_views import ASKED_VI, ENDED_VI, show
from orchestration.metrics import FIGURES
from orchestration.retention import prune_files
from orchestration.settings import PROJECT_DIR, Settings
from tests.support.run_records import BEGAN, record, verdict

Cli = Callable[..., Any]
DASHBOARD = PROJECT_DIR / "deploy" / "grafana" / "cchc.json"
ENDINGS: tuple[Ended, ...] = get_args(Ended)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path / "home")
    made.paths.create()
    return made


def _kept(settings: Settings, *records: Entry) -> Settings:
    for one in records:
        keep(settings.paths, one)
    return settings


# --- kept and read back -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ended", ENDINGS)
def test_what_is_kept_is_read_back(settings: Settings, ended: Ended) -> None:
    made = record(1, ended)
    assert entries(_kept(settings, made).paths) == [made]


def test_records_are_in_order_of_their_beginning_and_a_torn_one_hides_no_other(settings: Settings) -> None:
    made = [record(number) for number in (3, 1, 2)]
    _kept(settings, *made)
    (settings.paths.run_records / "20260105T080000-torn.json").write_text('{"run_id": ')
    assert [entry.run_id for entry in entries(settings.paths)] == [record(number).run_id for number in (1, 2, 3)]


def test_a_record_of_a_later_version_is_read(settings: Settings) -> None:
    _kept(settings, record(1))
    (path,) = settings.paths.run_records.glob("*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"new": 1}))
    assert entries(settings.paths) == [record(1)]


def test_equal_verdicts_are_kept_once_where_no_other_account_reads_them(settings: Settings) -> None:
    first, again, other = (keep_verdict(settings.paths, verdict(number)) for number in (1, 1, 2))
    assert first == again != other
    assert verdict_of(settings.paths, first) == verdict(1)
    assert len(list(settings.paths.run_verdicts.iterdir())) == 2
    assert stat.S_IMODE(settings.paths.run_verdicts.stat().st_mode) == 0o700
    assert stat.S_IMODE(verdict_path(settings.paths, first).stat().st_mode) == 0o600


def test_only_runs_that_were_begun_and_not_finished_were_killed(settings: Settings) -> None:
    _kept(settings, *(record(number, ended) for number, ended in enumerate(ENDINGS)))
    assert [entry.ended for entry in end_killed(settings.paths)] == ["killed"]
    assert [entry.ended for entry in entries(settings.paths)] == ["killed" if e == "running" else e for e in ENDINGS]
    assert end_killed(settings.paths) == []


# --- what goes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_of_any_runs_the_newest_remain_and_those_that_have_not_ended(settings: Settings, seed: int) -> None:
    draw = random.Random(seed)
    made = [record(number, draw.choice(ENDINGS)) for number in range(draw.randrange(1, 12))]
    limit = draw.randrange(1, 8)
    _kept(settings, *made)
    prune_files(settings.model_copy(update={"keep_runs": limit}))
    left = entries(settings.paths)
    assert left == [one for place, one in enumerate(made) if place >= len(made) - limit or one.ended == "running"]
    assert sum(one.ended != "running" for one in left) <= limit


def test_verdicts_stay_as_long_as_a_record_names_them(settings: Settings) -> None:
    digests = [keep_verdict(settings.paths, verdict(number)) for number in range(4)]

    def naming(number: int, *named: str) -> Entry:
        unit = record(number).units[0].model_copy(update={"verdicts": {"raw": named[0]}})
        return record(number, units=(unit,))

    fresh = settings.model_copy(update={"keep_runs": 2, "retention_days": 36_500})
    _kept(fresh, naming(1, digests[0]), naming(2, digests[1]), naming(3, digests[2]))
    prune_files(fresh, used=[naming(4, digests[3])])
    assert {path.name.split(".")[0] for path in fresh.paths.run_verdicts.iterdir()} == set(digests[1:])
    prune_files(fresh)
    assert {path.name.split(".")[0] for path in fresh.paths.run_verdicts.iterdir()} == set(digests[1:3])


def test_verdicts_are_kept_no_longer_than_the_deliveries_they_quote(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = keep_verdict(settings.paths, verdict(1))
    unit = record(1).units[0].model_copy(update={"verdicts": {"raw": digest}})
    _kept(settings, record(1, units=(unit,)))
    for days, there in ((729, True), (731, False)):
        monkeypatch.setattr(retention, "now", lambda days=days: BEGAN + dt.timedelta(days=days))
        prune_files(settings)
        assert verdict_path(settings.paths, digest).exists() is there
    assert len(entries(settings.paths)) == 1


def _candidate(settings: Settings, name: str, at: int, unit: str = "945", stage: str = "mart") -> Path:
    """A candidate and its verdicts, of one moment."""
    folder = settings.paths.warehouse / "candidates" / unit / "2023-Q1" / name
    verdicts = settings.paths.warehouse / "verdicts" / unit / "2023-Q1"
    folder.mkdir(parents=True)
    verdicts.mkdir(parents=True, exist_ok=True)
    (folder / "candidate.json").write_text(json.dumps({"inputs_hash": f"of-{name}"}))
    for path in (verdicts / f"{stage}-{name}.json", verdicts / f"raw-of-{name}.json"):
        path.touch()
        os.utime(path, (at, at))
    os.utime(folder, (at, at))
    return folder


@pytest.mark.parametrize("limit", [1, 2, 3, 9])
@pytest.mark.parametrize("current", ["a", "c", "e"])
@pytest.mark.parametrize("stage", ["mart", "province"])
def test_the_candidate_in_use_stays_with_its_verdicts_however_old_it_is(
    settings: Settings, current: str, limit: int, stage: str
) -> None:
    folders = {name: _candidate(settings, name, at, stage=stage) for at, name in enumerate("abcde")}
    other = _candidate(settings, "f", 0, unit="950")
    half = settings.paths.warehouse / "verdicts" / "945" / "2023-Q1" / ".mart-e.json.x1y2"
    half.touch()
    settings = settings.model_copy(update={"keep_candidates": limit})
    prune_files(settings, candidates={"945": folders[current]}, quarter="2023-Q1")
    others = [name for name in "abcde" if name != current]
    kept = {current, *(others[-(limit - 1) :] if limit > 1 else [])}
    assert {name for name, folder in folders.items() if folder.exists()} == kept
    names = {path.name for path in half.parent.iterdir()}
    assert {f"{stage}-{name}.json" for name in kept} == {name for name in names if name.startswith(stage)}
    assert {f"raw-of-{name}.json" for name in kept} <= names
    assert not half.exists()
    assert other.exists()


def test_a_log_that_has_grown_begins_anew_under_whoever_writes_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_LARGEST_LOG", 10)
    path = settings.paths.logs / "ui.log"
    with path.open("a") as log:
        log.write("twelve signs")
        log.flush()
        assert prune_files(settings).logs == 1
        log.write("after")
    assert path.read_text() == "after"
    assert path.with_name("ui.log.1").read_text() == "twelve signs"
    assert prune_files(settings).logs == 0


# --- shown ------------------------------------------------------------------------------------------------------------


def _shown(settings: Settings, *records: Entry) -> Settings:
    show(_kept(settings, *records))
    return settings


def test_analysts_read_runs_and_units_as_tables(settings: Settings) -> None:
    home = _shown(settings, record(1), record(2, "held_back"), record(3, "killed")).paths.history
    runs = duckdb.sql(
        f"select ended, exit_code, rows_read, findings, stages['dbt'], disk_used['raw'], published, epoch(started_at) "
        f"from '{home}/runs.parquet' order by started_at"
    ).fetchall()
    began = BEGAN.timestamp()
    assert runs == [
        ("done", 0, 12_345, 30, 30.5, 2_000_000, ["945/2023-Q1/r1"], began + 3600),
        ("held_back", 1, 12_345, 30, 30.5, 2_000_000, [], began + 7200),
        ("killed", None, None, 0, None, None, [], began + 10_800),
    ]
    units = duckdb.sql(f"select unit_code, state, blocking from '{home}/run_units.parquet'").fetchall()
    assert units == [("945", "published", 0), ("945", "held_back", 2)]


def test_operators_see_runs_over_time(settings: Settings) -> None:
    ended: tuple[Ended, ...] = ("done", "held_back", "failed", "killed", "interrupted", "running", "done", "held_back")
    records = [record(number, one) for number, one in enumerate(ended)]
    text = (_shown(settings, *records).paths.history / "index.html").read_text(encoding="utf-8")
    page = lxml.html.document_fromstring(text)
    rows = page.xpath("//section[@id='danh-sach']//tbody/tr")
    assert [row.xpath("string(td[3])").split(":")[0] for row in rows] == [ENDED_VI[one] for one in reversed(ended)]
    assert [figure.get("id") for figure in page.xpath("//figure")] == ["thoi-gian", "so-dong", "giu-lai", "dung-luong"]
    assert page.xpath("string(//figure[@id='thoi-gian']//p)").startswith("Lượt gần nhất: 1 phút 30 giây.")
    assert page.xpath("string(//ul/li[contains(., '2 quy tắc không đạt')])").startswith("Huyện Cù Lao Dung 945")
    assert "dbt_models: DbtError" in page.text_content()
    assert "script-src 'none'" in page.xpath("string(//meta[@http-equiv]/@content)")
    assert not page.xpath("//script | //*[@src] | //link")


def test_the_page_of_no_runs_says_so(settings: Settings) -> None:
    assert "Chưa có lượt chạy nào" in (_shown(settings).paths.history / "index.html").read_text(encoding="utf-8")


def test_the_page_stays_in_proportion(settings: Settings) -> None:
    units = tuple(record(1, "held_back").units[0].model_copy(update={"unit_code": f"{n:03}"}) for n in range(100))
    _shown(settings, *(record(number, "held_back", units=units) for number in range(250)))
    page = lxml.html.parse(settings.paths.history / "index.html")
    rows = page.xpath("//section[@id='danh-sach']//tbody/tr")
    assert len(rows) == 200
    assert "200 lượt mới nhất trong 250 lượt" in page.xpath("string(//caption)")
    assert "và 95 đơn vị khác" in rows[0].xpath("string(td[7])")


# --- figures for Prometheus -------------------------------------------------------------------------------------------


def _figures(settings: Settings) -> dict[str, dict[tuple[str, ...], float]]:
    text = settings.metrics_path().read_text(encoding="utf-8")
    return {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }


def _look(at: dt.datetime) -> Look:
    return Look(
        at=at,
        found=dict.fromkeys(get_args(AlertKind), 0) | {"overdue": 2},
        owed=1,
        space=Space(used={"raw": 3_000_000}, free=5, total=10),
    )


def test_every_figure_is_written_and_means_what_the_records_say(settings: Settings) -> None:
    keep_look(settings.paths, _look(BEGAN + dt.timedelta(days=1)))
    _shown(settings, record(1), record(2, "held_back"), record(3, "failed", asked="check", quarter="2022-Q4"))
    found = _figures(settings)
    assert found.keys() == FIGURES.keys()
    assert all(found.values()), [name for name, samples in found.items() if not samples]
    assert found["cchc_runs"] == {("done",): 1, ("failed",): 1, ("held_back",): 1}
    assert found["cchc_last_run_exit_code"] == {("run",): 1, ("check",): 3}
    assert found["cchc_last_run_ended"][("check", "failed")] == 1
    assert found["cchc_last_run_ended"][("check", "done")] == 0
    assert found["cchc_last_run_stage_seconds"][("run", "dbt")] == 30.5
    assert found["cchc_quarter_units"][("2023-Q1", "held_back")] == 1
    assert found["cchc_quarter_units"][("2023-Q1", "published")] == 0
    success = (BEGAN + dt.timedelta(hours=1, seconds=90)).timestamp()
    assert found["cchc_quarter_last_success_timestamp_seconds"] == {("2023-Q1",): success}
    assert found["cchc_daily_look_found"][("overdue",)] == 2
    # What was measured last counts, by run or look.
    assert found["cchc_home_disk_free_bytes"] == {(): 5}
    _shown(settings, record(48))
    assert _figures(settings)["cchc_home_disk_free_bytes"] == {(): 10**10}


def test_a_killed_run_leaves_no_exit_code_of_an_earlier_one(settings: Settings) -> None:
    found = _figures(_shown(settings, record(1), record(2, "killed")))
    assert found["cchc_last_run_exit_code"] == {}
    assert found["cchc_last_run_ended"][("run", "killed")] == 1


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_the_collector_may_read_the_file_whatever_the_service_lets_others(settings: Settings, umask: int) -> None:
    before = os.umask(umask)
    try:
        show(settings)
    finally:
        os.umask(before)
    assert stat.S_IMODE(settings.metrics_path().stat().st_mode) == 0o644
    assert [path.name for path in settings.metrics_path().parent.iterdir()] == ["cchc.prom"]


def test_figures_are_written_where_the_setting_says(settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"metrics_folder": tmp_path / "collector"})
    show(settings)
    assert (tmp_path / "collector" / "cchc.prom").is_file()


def test_the_dashboard_asks_for_figures_that_exist() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 10
    for panel in panels:
        for target in panel["targets"]:
            promql_parser.parse(target["expr"])
            asked = re.findall(r"\b(cchc_\w+)(?:\{([^}]*)\})?", target["expr"])
            assert asked, panel["title"]
            for name, matchers in asked:
                labels = set(re.findall(r"(\w+)=", matchers)) | set(
                    re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
                )
                assert labels <= set(FIGURES[name][1]), (panel["title"], name)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_shows_the_newest_runs_as_a_table(cli: Cli, settings: Settings) -> None:
    _kept(settings, *(record(number, one) for number, one in enumerate(ENDINGS)), record(9, quarter="2022-Q4"))
    lines = cli(settings.home, "history", "--quarter", "2023-Q1", "--last", "4").stdout.splitlines()
    assert lines[0].split()[:2] == ["bắt", "đầu"]
    assert [ENDED_VI[one] for one in reversed(ENDINGS[-4:])] == [
        next(words for words in ENDED_VI.values() if f"  {words}  " in line) for line in lines[1:] if line[:1] != " "
    ]
    starts = {line.index(ASKED_VI["run"]) for line in lines if ASKED_VI["run"] in line}
    assert len(starts) == 1, "columns stand below each other"


def test_the_command_shows_one_unit_and_gives_data(cli: Cli, settings: Settings) -> None:
    _kept(settings, record(1), record(2, "held_back"), record(3, "killed"))
    lines = cli(settings.home, "history", "--unit", "945").stdout.splitlines()
    assert lines[2].strip() == "945 Huyện Cù Lao Dung: CHƯA CÔNG BỐ, bị giữ lại, 2 quy tắc không đạt"
    document = json.loads(cli(settings.home, "history", "--json").stdout)
    assert [run["ended"] for run in document["runs"]] == ["killed", "held_back", "done"]
    assert document["runs"][1]["held"] == ["945"]
    assert document["runs"][2]["published"] == ["945/2023-Q1/r1"]


def test_a_run_that_was_killed_is_named_so_by_whoever_looks(cli: Cli, settings: Settings) -> None:
    _kept(settings, record(1, "running"))
    assert ENDED_VI["killed"] in cli(settings.home, "history").stdout
    assert [entry.ended for entry in entries(settings.paths)] == ["killed"]


def test_no_runs_no_table(cli: Cli, tmp_path: Path) -> None:
    assert cli(tmp_path / "nowhere", "history").stdout.strip() == "chưa có lượt chạy nào được ghi lại"
    assert not (tmp_path / "nowhere").exists()

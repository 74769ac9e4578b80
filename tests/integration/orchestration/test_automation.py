"""What ``cchc status`` says of automation: read from databases as Dagster writes them, and nothing is changed."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._utils.error import SerializableErrorInfo

from common.periods import is_scheduled, load_periods
from orchestration import automation as module
from orchestration.automation import SCHEDULES, Automation, Part, automation, next_closing, next_look
from orchestration.build import build_definitions
from orchestration.dagster_files import databases
from orchestration.doctor import by_itself
from orchestration.instance import open_instance
from orchestration.liveness import alive
from orchestration.schedules import days_after_closing
from orchestration.settings import TIME_ZONE, Settings

ZONE = ZoneInfo(TIME_ZONE)
NOON = dt.datetime(2023, 3, 10, 12, tzinfo=ZONE)


@dg.job(name="quarter")
def quarter() -> None: ...


@dg.job(name="daily_look")
def daily_look() -> None: ...


class Server:
    """What a server leaves in the home's storage."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings, self.instance = settings, instance

    def look(self, name: str, *, minutes_ago: float = 0, status: TickStatus = TickStatus.SKIPPED,
             switch: InstigatorStatus = InstigatorStatus.DECLARED_IN_CODE, broken: int = 0) -> None:  # fmt: skip
        location = RegisteredCodeLocationOrigin("orchestration")
        origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), name)
        kind = InstigatorType.SCHEDULE if name in SCHEDULES else InstigatorType.SENSOR
        state = InstigatorState(
            origin, kind, switch, ScheduleInstigatorData("0 6 * * *", 0.0) if name in SCHEDULES else None
        )
        if self.instance.get_instigator_state(state.instigator_origin_id, state.selector_id) is None:
            self.instance.add_instigator_state(state)
        else:
            self.instance.update_instigator_state(state)
        at = (module.now() - dt.timedelta(minutes=minutes_ago)).timestamp()
        tick = TickData(
            state.instigator_origin_id,
            name,
            kind,
            status,
            at,
            run_ids=["a-run"] if status is TickStatus.SUCCESS else [],
            error=SerializableErrorInfo("hỏng", [], None) if status is TickStatus.FAILURE else None,
            selector_id=state.selector_id,
            consecutive_failure_count=broken,
        )
        self.instance.create_tick(tick)

    def run(self, job: Any, status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS, **tags: str) -> str:
        named = {key.replace("__", "/"): value for key, value in tags.items()}
        run = self.instance.create_run_for_job(job, tags=named)
        if status is dg.DagsterRunStatus.FAILURE:
            self.instance.report_run_failed(run)
        elif status is dg.DagsterRunStatus.CANCELED:
            self.instance.report_run_canceled(run)
        return str(run.run_id)

    def seen(self) -> Automation:
        return automation(self.settings)

    def part(self, name: str) -> Part:
        (found,) = [part for part in self.seen().parts if part.name == name]
        return found


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(module, "now", lambda: NOON)
    settings = Settings(home=tmp_path)
    settings.paths.create()
    with open_instance(settings) as instance:
        yield Server(settings, instance)


def _said(found: Automation) -> str:
    return "\n".join(found.lines())


def test_names_are_those_of_the_definitions(tmp_path: Path) -> None:
    repository = build_definitions(Settings(home=tmp_path)).get_repository_def()
    declared = {d.name for d in (*repository.schedule_defs, *repository.sensor_defs)}
    assert {part.name for part in automation(Settings(home=tmp_path)).parts} == declared
    (watch,) = [d for d in repository.sensor_defs if d.name == module.LANDING_WATCH]
    assert watch.minimum_interval_seconds == module.SECONDS_BETWEEN_LOOKS


def test_with_a_server_at_work_it_says_what_is_due_and_what_was_done(server: Server) -> None:
    server.look("landing_watch", minutes_ago=1, status=TickStatus.SUCCESS)
    server.look("daily_look", minutes_ago=300)
    found = server.seen()
    assert (found.on, found.why_off, found.next_quarter) == (True, None, "2023-Q1")
    due = {part.name: part.next_at for part in found.parts}
    assert due == {
        "landing_watch": None,
        "after_closing": "2023-03-15T06:00:00+07:00",
        "daily_look": "2023-03-11T07:00:00+07:00",
        "alert_on_failure": None,
    }
    said = _said(found)
    assert "tự chạy: đang bật" in said
    assert "xem thư mục nhận mỗi 30 giây; chạy kỳ 2023-Q1 lúc 06:00 15/03/2023" in said
    assert "kiểm tra hằng ngày lúc 07:00 11/03/2023" in said
    assert "xem thư mục nhận 11:59 10/03/2023 (đã yêu cầu chạy)" in said
    assert "kiểm tra hằng ngày 07:00 10/03/2023 (không có việc)" in said


@pytest.mark.parametrize("status", list(TickStatus), ids=lambda s: s.value)
def test_every_end_of_a_tick_has_words(server: Server, status: TickStatus) -> None:
    server.look("landing_watch", status=status)
    assert server.part("landing_watch").last_status == status.value
    assert _said(server.seen())


@pytest.mark.parametrize(
    ("setting", "switch", "minutes_ago", "why"),
    [
        (True, InstigatorStatus.DECLARED_IN_CODE, 4, None),
        (True, InstigatorStatus.RUNNING, 4, None),
        (False, InstigatorStatus.RUNNING, 4, None),  # a click goes before the settings
        (False, InstigatorStatus.DECLARED_IN_CODE, 4, "Thiết đặt automation đang tắt"),
        (True, InstigatorStatus.STOPPED, 4, "bị tắt trên trang Dagster"),
        (True, InstigatorStatus.DECLARED_IN_CODE, 6, "không chạy đã hơn 5 phút"),
        (True, InstigatorStatus.DECLARED_IN_CODE, -60, None),  # a clock that was set back
    ],
)
def test_off_is_told_with_its_reason(
    server: Server, setting: bool, switch: InstigatorStatus, minutes_ago: float, why: str | None
) -> None:
    server.look("landing_watch", minutes_ago=minutes_ago, switch=switch)
    server.settings = server.settings.model_copy(update={"automation": setting})
    found = server.seen()
    assert found.on is (why is None)
    assert (why is None) == (found.why_off is None)
    assert why is None or why in _said(found)
    assert all(part.next_at is None for part in found.parts) is (why is not None or not setting)


@pytest.mark.parametrize(
    ("status", "broken", "works"),
    [
        (TickStatus.FAILURE, 1, True),
        (TickStatus.FAILURE, 2, True),
        (TickStatus.FAILURE, 3, False),
        (TickStatus.FAILURE, 10_000, False),
        (TickStatus.STARTED, 2, True),
        (TickStatus.STARTED, 3, False),  # the daemon counts on while it looks
        (TickStatus.SKIPPED, 0, True),
    ],
)
def test_a_watch_that_breaks_at_every_look_does_not_count_as_on(
    server: Server, status: TickStatus, broken: int, works: bool
) -> None:
    server.look("landing_watch", minutes_ago=1)
    server.look("landing_watch", status=status, broken=broken)
    found = server.seen()
    assert found.on is works
    assert ("tự chạy: KHÔNG HOẠT ĐỘNG. landing_watch hỏng ở mọi lần xem" in _said(found)) is not works


def test_a_schedule_switched_off_in_the_browser_is_told_and_not_due(server: Server) -> None:
    server.look("landing_watch")
    server.look("after_closing", minutes_ago=60, switch=InstigatorStatus.STOPPED)
    assert server.seen().on
    assert server.part("after_closing").next_at is None
    assert "đang tắt: chạy kỳ vừa đóng (after_closing)" in _said(server.seen())


@pytest.mark.parametrize(
    ("name", "broken", "said"),
    [
        ("alert_on_failure", 2, None),
        ("alert_on_failure", 3, "đang hỏng: alert_on_failure hỏng ở mọi lần xem gần đây"),
        ("after_closing", 1, "đang hỏng: after_closing hỏng ở mọi lần xem gần đây"),
    ],
)
def test_a_part_that_breaks_beside_a_watch_that_works_is_told(
    server: Server, name: str, broken: int, said: str | None
) -> None:
    server.look("landing_watch")
    server.look(name, status=TickStatus.FAILURE, broken=broken)
    found = server.seen()
    assert found.on
    assert (server.part(name).why_broken is None) == (said is None)
    assert "đang hỏng" in _said(found) if said else "đang hỏng" not in _said(found)
    assert (said or "") in _said(found)
    (finding,) = by_itself(server.settings)
    assert finding.state == ("ok" if said is None else "look")


def test_the_last_runs_are_those_of_the_server(server: Server) -> None:
    assert server.seen().runs == []
    server.run(quarter, dg.DagsterRunStatus.CANCELED, dagster__partition="2022-Q4")
    asked = {"dagster__partition": "2023-Q1", "dagster__sensor_name": "landing_watch"}
    failed = server.run(quarter, dg.DagsterRunStatus.FAILURE, **asked)
    server.run(quarter, dagster__partition="2023-Q2", cchc__stage="run")
    (run,) = server.seen().runs
    assert (run.run_id, run.quarter, run.status, run.asked_by) == (failed, "2023-Q1", "FAILURE", "landing_watch")
    assert run.ended_at
    assert dt.datetime.fromisoformat(run.ended_at).utcoffset() == dt.timedelta(hours=7)
    assert "kỳ 2023-Q1 hỏng lúc" in _said(server.seen())
    assert "(do landing_watch)" in _said(server.seen())
    server.run(daily_look)
    assert [run.job for run in server.seen().runs] == ["quarter", "daily_look"]
    assert "kiểm tra hằng ngày đang chờ" in _said(server.seen())


def test_a_run_whose_process_is_gone_is_not_told_as_running(server: Server) -> None:
    run = server.instance.create_run_for_job(quarter, tags={"dagster/partition": "2023-Q1"})
    server.instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job_name="quarter"), run_id=run.run_id
    )
    with alive(server.settings.paths, run.run_id):
        assert [run.status for run in server.seen().runs] == ["STARTED"]
    (server.settings.paths.alive / run.run_id).touch()
    assert [run.status for run in server.seen().runs] == ["GONE"]
    assert "tiến trình không còn" in _said(server.seen())


@contextmanager
def _process(home: Path, name: str) -> Iterator[int]:
    """A process that looks like one of Dagster's that serves a home."""
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    program = home.parent / name
    program.write_text(code)
    words = [sys.executable, str(program), "run"]
    environment = {"DAGSTER_HOME": str(home / "dagster")}
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process.pid
        process.kill()


def test_processes_of_this_home_are_seen_and_others_are_not(tmp_path: Path) -> None:
    here, there = Settings(home=tmp_path / "a" / "home"), Settings(home=tmp_path / "b" / "home")
    for settings in (here, there):
        settings.paths.create()
    with _process(here.home, "dagster-daemon") as daemon, _process(there.home, "dagster-webserver"):
        found = automation(here)
        assert found.processes == {"dagster-daemon": [daemon], "dagster-webserver": []}
        assert "dịch vụ nền đang chạy, trang web không thấy" in _said(found)
        assert "không chạy đã hơn một giờ" in str(found.why_off)
    assert automation(here).processes["dagster-daemon"] == []


def _tree(home: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in [home.parent, *home.parent.rglob("*")]}


@pytest.mark.parametrize("kind", ["missing", "empty", "used", "written to", "damaged"])
def test_asking_changes_nothing_in_the_home(
    tmp_path: Path, cli: Callable[..., Any], kind: str, request: pytest.FixtureRequest
) -> None:
    home = tmp_path / "home"
    settings = Settings(home=home)
    if kind != "missing":
        home.mkdir()
    if kind not in ("missing", "empty"):
        settings.paths.create()
        with open_instance(settings) as instance:
            Server(settings, instance).look("landing_watch")
    if kind == "written to":
        writer = request.getfixturevalue("_writers")
        writer(databases(settings.paths)["schedules"])
    if kind == "damaged":
        databases(settings.paths)["schedules"].write_bytes(b"x" * 5000)
    before = _tree(home)
    answer = cli(home, "status", "--json")
    assert answer.code == 0, answer.stderr
    said = json.loads(answer.stdout)["automation"]
    assert said["on"] is (kind in ("used", "written to"))
    assert bool(said["unreadable"]) is (kind == "damaged")
    assert "cchc doctor" in cli(home, "status").stdout or kind != "damaged"
    assert _tree(home) == before


@pytest.fixture
def _writers() -> Iterator[Callable[[Path], None]]:
    """Opens a database as a server that is about to write."""
    opened = []

    def write(path: Path) -> None:
        opened.append(sqlite3.connect(path))
        opened[-1].execute("insert into secondary_indexes (name) values ('x')")
        opened[-1].commit()

    yield write
    for connection in opened:
        with closing(connection):
            pass


def test_a_database_that_is_not_dagsters_is_told(server: Server) -> None:
    path = databases(server.settings.paths)["schedules"]
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table something (x)")
    found = server.seen()
    assert not found.on
    assert "no such table" in str(found.unreadable)


def test_status_does_not_load_dagster(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom orchestration.cli.app import run_app\ncode = run_app(['status'])\n"
        "sys.exit(code or 10 * ('dagster' in sys.modules))"
    )
    environment = {"CCHC_HOME": str(tmp_path), "CCHC_SETTINGS": str(tmp_path / "none.toml")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "tự chạy" in done.stdout


def test_the_next_closing_is_that_of_the_table_and_a_day_of_the_schedule() -> None:
    at, found = dt.datetime(2020, 1, 1, tzinfo=ZONE), []
    days = set(days_after_closing())
    while due := next_closing(at):
        found += due[0]
        assert f"0 6 {due[1].day} {due[1].month} *" in days
        assert due[1] > at
        at = due[1]
    assert found == [period for period in load_periods() if is_scheduled(period)]
    assert len(found) > len({period.closes_on for period in found})  # a half-year closes with its last quarter


@pytest.mark.parametrize(
    ("at", "due"),
    [("06:59", "2023-03-10"), ("07:00", "2023-03-11"), ("23:59", "2023-03-11"), ("00:00", "2023-03-10")],
)
def test_the_next_look_is_the_next_seven_o_clock(at: str, due: str) -> None:
    moment = dt.datetime.combine(NOON.date(), dt.time.fromisoformat(at), ZONE)
    assert next_look(moment).isoformat() == f"{due}T07:00:00+07:00"
    assert next_look(moment.astimezone(dt.UTC)) == next_look(moment)


def test_a_table_of_periods_that_ends_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.look("landing_watch")
    monkeypatch.setattr(module, "load_periods", lambda: load_periods()[:1])
    found = server.seen()
    assert found.next_quarter is None
    assert "bảng kỳ báo cáo không còn kỳ nào sắp đóng" in _said(found)

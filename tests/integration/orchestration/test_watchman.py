"""The daily look: each thing it looks for is told where it is there, and nothing where it is not."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

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
from pydantic import SecretStr

from common.periods import period_named
from ingestion import load_contracts
from orchestration import watchman
from orchestration.addresses import AlertAddress, AlertKind
from orchestration.alerts import Alert
from orchestration.automation import SCHEDULES
from orchestration.history import entries, keep, last_look
from orchestration.jobs import daily_look_job
from orchestration.locks import HomeBusy, one_run_at_a_time
from orchestration.pipeline import Pipeline
from orchestration.schedules import daily_schedule
from orchestration.settings import Settings
from orchestration.watchman import look
from tests.support.receivers import webhook
from tests.support.run_records import record

UNIT, QUARTER = "945", "2023-Q1"
PERIOD = period_named(QUARTER)
DAY = dt.timedelta(days=1)
COMMUNE = "31618"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home where everything was sent and nothing has run."""
    units = Pipeline(Settings(home=tmp_path)).units
    for folder in units.folders_expected(UNIT, QUARTER):
        for contract in load_contracts().values():
            if units.role_of(folder, QUARTER) in contract.required_from:
                file = tmp_path / "landing" / folder / QUARTER / contract.source / "tep.csv"
                file.parent.mkdir(parents=True)
                file.touch()
    made = Settings(home=tmp_path, disk_full_percent=100)
    made.paths.create()
    return made


@lru_cache
def _ticked(
    hours_ago: float = 0,
    status: InstigatorStatus = InstigatorStatus.DECLARED_IN_CODE,
    broken: int = 0,
    beside: tuple[str, InstigatorStatus, int] | None = None,
) -> dg.DagsterInstance:
    """An instance in which the watch looked that long ago, and so many looks up to that one broke.

    ``beside``: name, switch and broken looks of one more part.
    """
    instance = dg.DagsterInstance.local_temp()
    _add_part(instance, "landing_watch", hours_ago, status, broken)
    if beside:
        _add_part(instance, beside[0], 0, *beside[1:])
    return instance


def _add_part(instance: dg.DagsterInstance, name: str, hours_ago: float, status: InstigatorStatus, broken: int) -> None:
    location = RegisteredCodeLocationOrigin("orchestration")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), name)
    kind = InstigatorType.SCHEDULE if name in SCHEDULES else InstigatorType.SENSOR
    data = ScheduleInstigatorData("0 6 * * *", 0.0) if name in SCHEDULES else None
    state = InstigatorState(origin, kind, status, data)
    instance.add_instigator_state(state)
    at = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours_ago)).timestamp()
    instance.create_tick(
        TickData(state.instigator_origin_id, name, kind, TickStatus.FAILURE if broken else TickStatus.SKIPPED, at,
                 error=SerializableErrorInfo("hỏng", [], None) if broken else None, selector_id=state.selector_id,
                 consecutive_failure_count=broken)
    )  # fmt: skip


def _serve(settings: Settings, instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """The same, with what its parts left in the home's own storage, where the look reads it."""
    theirs, ours = Path(instance.root_directory) / "schedules", settings.paths.dagster / "schedules"
    if theirs.is_dir():
        shutil.copytree(theirs, ours, dirs_exist_ok=True)
    return instance


class Found(NamedTuple):
    kind: str
    unit: str | None


def _looked(settings: Settings, today: dt.date, instance: dg.DagsterInstance | None = None) -> list[Found]:
    found = look(Pipeline(settings), today, _serve(settings, instance or _ticked())).found
    return [Found(alert.kind, alert.unit) for alert in found]


def _of_automation(settings: Settings, instance: dg.DagsterInstance) -> list[Alert]:
    _serve(settings, instance)
    return list(watchman.automation_off(Pipeline(settings), 0))


def _told(settings: Settings) -> list[dict[str, Any]]:
    path = settings.alerts_path()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _publish(settings: Settings) -> None:
    folder = settings.paths.published / UNIT / QUARTER
    folder.mkdir(parents=True)
    (folder / "current.json").touch()


def test_missing_deliveries_are_told_before_and_after_the_due_day_to_unit_and_operator(settings: Settings) -> None:
    shutil.rmtree(settings.paths.landing / COMMUNE)
    with webhook() as operator, webhook() as unit:
        addresses = (
            AlertAddress(url=SecretStr(operator.url), kinds=("deliveries_missing", "deliveries_missing_summary")),
            AlertAddress(url=SecretStr(unit.url), kinds=("deliveries_missing",), units=(UNIT,)),
        )
        asked = settings.model_copy(update={"alert_to": addresses})
        for today in (
            PERIOD.closes_on - 6 * DAY,  # too early
            PERIOD.closes_on - 5 * DAY,
            PERIOD.closes_on,
            PERIOD.closes_on + DAY,
            PERIOD.due_on,
            PERIOD.due_on + DAY,
            PERIOD.due_on + 30 * DAY,
        ):
            look(Pipeline(asked), today, _serve(asked, _ticked()))
    stages = [
        "sắp đến ngày chốt số liệu 14/03/2023",
        "đã qua ngày chốt số liệu, hạn báo cáo 16/03/2023",
        "đã quá hạn báo cáo 16/03/2023",
    ]
    reminders = [f"[CCHC] 945 Huyện Cù Lao Dung, Quý I/2023: {when}, còn thiếu tệp" for when in stages]
    summaries = [f"[CCHC] Quý I/2023: {when}, 1 đơn vị báo cáo còn thiếu tệp" for when in stages]
    overdue = "đã quá hạn báo cáo 16/12/2022, 1 đơn vị báo cáo còn thiếu tệp"
    earlier = [f"[CCHC] {name}: {overdue}" for name in ("Quý IV/2022", "Năm 2022")]
    assert [title for title in unit.titles() if "Quý I/2023" in title] == reminders
    assert operator.titles() == [*earlier, *summaries]
    (line,) = [text for text in unit.taken[-1]["message"].splitlines() if f"- {COMMUNE}" in text]
    owed = [c.title_vi for c in load_contracts().values() if "part" in c.required_from]
    assert owed
    assert all(title in line for title in owed)


def test_who_sent_everything_or_has_a_release_is_not_reminded(settings: Settings) -> None:
    kinds = {found.kind for found in _looked(settings, PERIOD.closes_on + DAY)}
    assert not kinds & {"deliveries_missing", "deliveries_missing_summary"}
    shutil.rmtree(settings.paths.landing / COMMUNE)
    pipeline = Pipeline(settings)
    assert [alert.kind for alert in watchman.missing_deliveries(pipeline, PERIOD.closes_on + DAY)] == [
        "deliveries_missing",
        "deliveries_missing_summary",
    ]
    _publish(settings)
    assert list(watchman.missing_deliveries(pipeline, PERIOD.closes_on + DAY)) == []


def test_units_that_ended_or_are_unknown_are_asked_for_nothing(settings: Settings) -> None:
    (settings.paths.landing / "khong-phai-ma").mkdir()
    assert Pipeline(settings).deliveries.reporting_units(QUARTER) == [UNIT]
    assert UNIT not in Pipeline(settings).deliveries.reporting_units("2025-Q4")


def test_nothing_published_on_the_due_day_is_told_until_something_is(settings: Settings) -> None:
    overdue = Found("overdue", UNIT)
    assert overdue not in _looked(settings, PERIOD.due_on - DAY)
    assert overdue in _looked(settings, PERIOD.due_on)
    assert overdue in _looked(settings, PERIOD.due_on + DAY)
    assert [line["kind"] for line in _told(settings)].count("overdue") == 1
    pipeline = Pipeline(settings)
    _publish(settings)
    assert list(watchman.overdue(pipeline, PERIOD.due_on)) == []


def test_what_is_gone_is_forgotten_and_told_again_on_its_return(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = PERIOD.opens_on
    for percent, times in ((91, 1), (92, 1), (96, 2), (50, 2), (93, 3)):
        _use(percent, monkeypatch)
        _looked(settings.model_copy(update={"disk_full_percent": 90}), today)
        assert [line["kind"] for line in _told(settings)].count("disk_nearly_full") == times, percent


def _use(percent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil._ntuple_diskusage(100, percent, 100 - percent)  # type: ignore[attr-defined]
    monkeypatch.setattr("orchestration.watchman.shutil.disk_usage", lambda _: usage)


def test_a_disk_with_room_is_not_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(89, monkeypatch)
    limit = settings.model_copy(update={"disk_full_percent": 90})
    assert list(watchman.disk_nearly_full(Pipeline(limit))) == []


def test_a_damaged_pointer_and_raw_layer_are_told(settings: Settings) -> None:
    assert list(watchman.damage(Pipeline(settings))) == []
    _publish(settings)
    stray = settings.paths.raw / "lake" / "source=one_stop_cases" / "quarter=2023-Q1" / "unit=945" / "x.parquet"
    stray.parent.mkdir(parents=True)
    stray.touch()
    pointer, raw = watchman.damage(Pipeline(settings))
    assert (pointer.unit, pointer.quarter, pointer.lines_vi[1]) == (
        UNIT,
        QUARTER,
        "tệp con trỏ current.json bị hỏng; chạy cchc rebuild",
    )
    assert "x.parquet không do hệ thống ghi" in raw.lines_vi[0]


def test_a_changed_file_of_a_release_is_told(published_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(published_home, home)
    pipeline = Pipeline(Settings(home=home))
    assert list(watchman.damage(pipeline)) == []
    file = home / "published" / UNIT / QUARTER / "r1" / "quality" / "notes.csv"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b"x")
    (found,) = watchman.damage(pipeline)
    assert (found.kind, found.unit, found.quarter) == ("damage", UNIT, QUARTER)
    assert "notes.csv" in found.lines_vi[1]


def _hold(path: Path, ready: Any, end: Any) -> None:
    with one_run_at_a_time(path, "lượt chạy", print):
        ready.set()
        end.wait()


def test_the_raw_layer_is_left_alone_while_a_run_works_in_it(settings: Settings) -> None:
    import multiprocessing

    spawn = multiprocessing.get_context("spawn")
    (settings.paths.raw / "lake").mkdir()
    (settings.paths.raw / "lake" / "half.parquet").touch()
    ready, end = spawn.Event(), spawn.Event()
    run = spawn.Process(target=_hold, args=(settings.paths.lock, ready, end))
    run.start()
    assert ready.wait(60)
    with pytest.raises(HomeBusy):
        list(watchman.damage(Pipeline(settings)))
    end.set()
    run.join(60)
    assert [alert.kind for alert in watchman.damage(Pipeline(settings))] == ["damage"]


@pytest.mark.parametrize(
    ("instance", "why"),
    [
        (lambda: _ticked(0.9), None),
        (lambda: _ticked(1.1), "không chạy đã hơn một giờ"),
        (lambda: _ticked(status=InstigatorStatus.STOPPED), "bị tắt trên trang Dagster"),
        (lambda: _ticked(broken=2), None),
        (lambda: _ticked(broken=3), "hỏng ở mọi lần xem gần đây"),
        (dg.DagsterInstance.local_temp, "không chạy đã hơn một giờ"),
    ],
)
def test_automation_that_stands_still_is_told(
    settings: Settings, instance: Callable[[], dg.DagsterInstance], why: str | None
) -> None:
    found = _of_automation(settings, instance())
    assert [alert.kind for alert in found] == ([] if why is None else ["automation_off"])
    assert why is None or why in found[0].lines_vi[0]


@pytest.mark.parametrize(
    ("name", "status", "broken", "why"),
    [
        ("alert_on_failure", InstigatorStatus.DECLARED_IN_CODE, 2, None),
        ("alert_on_failure", InstigatorStatus.DECLARED_IN_CODE, 3, "lượt chạy hỏng không được báo"),
        ("alert_on_failure", InstigatorStatus.STOPPED, 0, "bị tắt trên trang Dagster"),
        ("after_closing", InstigatorStatus.DECLARED_IN_CODE, 0, None),
        ("after_closing", InstigatorStatus.DECLARED_IN_CODE, 1, "kỳ vừa đóng không tự chạy"),
        ("daily_look", InstigatorStatus.STOPPED, 0, "không ai được nhắc"),
        ("of_an_earlier_version", InstigatorStatus.STOPPED, 9, None),
    ],
)
def test_a_part_beside_the_watch_that_is_off_or_breaks_is_told(
    settings: Settings, name: str, status: InstigatorStatus, broken: int, why: str | None
) -> None:
    found = _of_automation(settings, _ticked(beside=(name, status, broken)))
    assert [(alert.kind, alert.subject) for alert in found] == ([] if why is None else [("automation_off", name)])
    assert why is None or why in found[0].lines_vi[0]


def test_automation_switched_off_in_the_settings_is_told_once(settings: Settings) -> None:
    off = settings.model_copy(update={"automation": False})
    for _ in range(2):
        assert Found("automation_off", None) in _looked(off, PERIOD.opens_on)
    assert [line["kind"] for line in _told(off)].count("automation_off") == 1


def test_a_part_that_breaks_is_told_and_forgets_nothing_of_its_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise OSError("hỏng")

    assert Found("overdue", UNIT) in _looked(settings, PERIOD.due_on)
    with monkeypatch.context() as patch:
        patch.setattr(watchman, "overdue", broken)
        kinds = [found.kind for found in _looked(settings, PERIOD.due_on)]
    assert "watch_failed" in kinds
    _looked(settings, PERIOD.due_on)
    assert [line["kind"] for line in _told(settings)].count("overdue") == 1


def _damage_everything(settings: Settings) -> None:
    """A release, the journal and a file of the home, each damaged for good."""
    _publish(settings)
    settings.paths.journal.write_text("no line\n", encoding="utf-8")
    stray = settings.paths.raw / "lake" / "x.parquet"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.touch()


def _breaking(*names: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Parts of the look that break, after what they found before."""

    def breaks(patch: pytest.MonkeyPatch) -> None:
        for name in names:
            patch.setattr(watchman, name, _found_and_broken(getattr(watchman, name)))

    return breaks


def _found_and_broken(part: Callable[..., Iterator[Alert]]) -> Callable[..., Iterator[Alert]]:
    def broken(*given: Any) -> Iterator[Alert]:
        yield from part(*given)
        raise OSError("hỏng")

    return broken


def _busy(patch: pytest.MonkeyPatch) -> None:
    def held(*_: Any, **__: Any) -> Any:
        raise HomeBusy("lượt chạy khác đang làm việc")

    patch.setattr(watchman, "one_run_at_a_time", held)


PARTS = ("missing_deliveries", "overdue", "damage", "disk_nearly_full", "automation_off")
DAYS: dict[str, list[Callable[[pytest.MonkeyPatch], None]]] = {
    "each day alike": [lambda _: None] * 4,
    "a run at work now and then": [lambda _: None, _busy, lambda _: None, _busy, lambda _: None],
    "all parts break": [_breaking(*PARTS)] * 4,
    "parts break in turn": [*(_breaking(name) for name in PARTS), _breaking(*PARTS)],
}


@pytest.mark.parametrize("days", DAYS.values(), ids=DAYS)
def test_what_stays_as_it_is_is_told_and_sent_once_whatever_the_look_comes_to(
    settings: Settings, days: list[Callable[[pytest.MonkeyPatch], None]]
) -> None:
    shutil.rmtree(settings.paths.landing / COMMUNE)
    _damage_everything(settings)
    with webhook() as operator:
        asked = settings.model_copy(update={"alert_to": (AlertAddress(url=SecretStr(operator.url)),)})
        for day in days:
            with pytest.MonkeyPatch.context() as patch:
                day(patch)
                found = look(Pipeline(asked), PERIOD.due_on, _serve(asked, _ticked(3))).found
                assert len({alert.cause for alert in found}) == len(found)
    told = Counter((line["kind"], line["quarter"], line["unit"], line["message"]) for line in _told(settings))
    kinds = Counter(kind for kind, *_ in told)
    assert kinds["damage"] == 3
    assert kinds["automation_off"] == 1
    assert {cause: times for cause, times in told.items() if times > 1 and cause[0] != "watch_failed"} == {}
    assert Counter(operator.titles()) == Counter(
        f"[CCHC] {line['message']}" for line in _told(settings) if line["kind"] != "deliveries_missing"
    )


def test_every_kind_that_the_look_tells_is_forgotten_by_it(settings: Settings) -> None:
    grouped: set[AlertKind] = {kind for kinds in watchman._GROUPS.values() for kind in kinds}
    assert grouped == {
        "deliveries_missing", "deliveries_missing_summary", "overdue", "damage", "disk_nearly_full", "automation_off",
    }  # fmt: skip


def test_the_command_looks_as_of_a_day(settings: Settings, cli: Callable[..., Any]) -> None:
    result = cli(settings.home, "watch", "--today", PERIOD.due_on.isoformat(), "--json")
    assert result.code == 1, result.stderr
    found = json.loads(result.stdout)["found"]
    assert ("overdue", UNIT) in [(alert["kind"], alert["unit"]) for alert in found]
    assert cli(settings.home, "watch", "--today", "16/03/2023").code == 2


def test_the_schedule_looks_every_morning_by_a_job_of_its_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = daily_look_job(settings)
    schedule = daily_schedule(settings, job)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 7 * * *", "Asia/Ho_Chi_Minh")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    monkeypatch.setattr("orchestration.jobs._PATIENCE_SECONDS", 0)
    assert job.execute_in_process(instance=_serve(settings, _ticked())).success
    assert "overdue" in [line["kind"] for line in _told(settings)]


# --- keeping house ----------------------------------------------------------------------------------------------------


def test_a_look_prunes_names_killed_runs_and_shows_what_it_found(settings: Settings) -> None:
    settings = settings.model_copy(update={"keep_runs": 2})
    for number, ended in enumerate(("done", "done", "running")):
        keep(settings.paths, record(number, ended))
    found = _looked(settings, PERIOD.due_on)
    assert [entry.ended for entry in entries(settings.paths)] == ["done", "killed"]
    kept = last_look(settings.paths)
    assert kept is not None
    assert {kind: count for kind, count in kept.found.items() if count} == Counter(alert.kind for alert in found)
    assert "cchc_daily_look_timestamp_seconds" in settings.metrics_path().read_text(encoding="utf-8")


def test_a_look_leaves_the_records_of_a_home_in_which_a_run_works(settings: Settings) -> None:
    for number in range(3):
        keep(settings.paths, record(number, "running"))
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(settings.paths.lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline()
        _looked(settings.model_copy(update={"keep_runs": 1}), PERIOD.due_on)
        run.communicate()
    assert [entry.ended for entry in entries(settings.paths)] == ["running"] * 3


_HOLDS = (
    "import fcntl, sys; file = open(sys.argv[1], 'a+'); fcntl.flock(file, fcntl.LOCK_EX); "
    "print('held', flush=True); sys.stdin.read()"
)

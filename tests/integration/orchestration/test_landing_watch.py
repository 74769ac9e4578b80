"""The sensor on the landing folder: complete and stable, once for each content, and again when it changes."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from common.periods import period_named
from ingestion import load_contracts
from orchestration import sensors
from orchestration.arrivals import remember
from orchestration.jobs import QUARTER_JOB, quarter_job
from orchestration.pipeline import Pipeline
from orchestration.sensors import landing_watch
from orchestration.settings import TIME_ZONE, Settings

BEFORE, QUARTER = "2022-Q4", "2023-Q1"
NOON = dt.datetime(2023, 3, 10, 12, tzinfo=ZoneInfo(TIME_ZONE))


@pytest.fixture
def settings(sample_landing: Path, tmp_path: Path) -> Settings:
    _deliver(sample_landing, tmp_path, QUARTER)
    return Settings(home=tmp_path)


def _deliver(sample: Path, home: Path, *quarters: str) -> None:
    for quarter in quarters:
        for folder in sample.glob(f"*/{quarter}"):
            shutil.copytree(folder, home / "landing" / folder.relative_to(sample), dirs_exist_ok=True)


class Watch:
    """Ticks of the sensor, each with the cursor that the one before left, by a clock that the test sets."""

    def __init__(self, settings: Settings, patch: pytest.MonkeyPatch) -> None:
        self._settings = settings
        self._sensor = landing_watch(settings, quarter_job(), load_contracts())
        self._cursor: str | None = None
        self.instance = dg.DagsterInstance.ephemeral()
        self.at = NOON
        patch.setattr(sensors, "now", lambda: self.at)

    def forget(self) -> None:
        self._cursor = None

    def note(self, quarter: str, **facts: object) -> None:
        """Puts facts into what the cursor says of a quarter."""
        known = json.loads(str(self._cursor))
        known[quarter] |= facts
        self._cursor = json.dumps(known)

    def tick(self) -> list[str]:
        context = dg.build_sensor_context(instance=self.instance, cursor=self._cursor)
        result = self._sensor(context)
        assert isinstance(result, dg.SensorResult)
        self._cursor = result.cursor
        return [str(r.partition_key) for r in result.run_requests or []]

    def ticks(self) -> list[str]:
        """What two looks at folders that rest ask for."""
        assert self.tick() == []
        return self.tick()

    def end_run(self, quarter: str) -> None:
        """What a whole run leaves that came to its end, and began with what lies in the folders now."""
        remember(self._settings.paths, quarter, Pipeline(self._settings).deliveries.state(quarter))


@pytest.fixture
def watch(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(settings, monkeypatch)


def _folder(settings: Settings, quarter: str = QUARTER) -> Path:
    return settings.paths.landing / "945" / quarter / "survey_responses"


def test_a_complete_quarter_is_asked_for_once_it_is_stable_and_only_once(watch: Watch) -> None:
    assert watch.ticks() == [QUARTER]
    assert watch.tick() == []
    watch.end_run(QUARTER)
    assert watch.tick() == []


def test_an_incomplete_quarter_is_asked_for_when_its_report_is_due(settings: Settings, watch: Watch) -> None:
    shutil.rmtree(settings.paths.landing / "31618")
    assert watch.ticks() == []
    due = period_named(QUARTER).due_on
    watch.at = dt.datetime.combine(due, dt.time(0), ZoneInfo(TIME_ZONE)) - dt.timedelta(seconds=1)
    assert watch.tick() == []
    watch.at += dt.timedelta(seconds=1)
    assert watch.tick() == [QUARTER]


def test_a_growing_file_delays_the_run(settings: Settings, watch: Watch) -> None:
    growing = _folder(settings) / "late.csv"
    for size in (10, 20, 30):
        growing.write_bytes(b"x" * size)
        assert watch.tick() == []
    assert watch.tick() == [QUARTER]


def _late(settings: Settings) -> None:
    path = _folder(settings) / "bo-sung.csv"
    path.write_text("Số phiếu\n", encoding="utf-8")
    os.utime(path, (0, 0))


def _any(settings: Settings) -> Path:
    return next(path for path in sorted(_folder(settings).iterdir()) if path.is_file())


def _same_size_same_time(settings: Settings) -> None:
    path = _any(settings)
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replaced_by_a_copy(settings: Settings) -> None:
    path = _any(settings)
    other = path.with_name(".copy")
    shutil.copy2(path, other)
    other.replace(path)


def _renamed(settings: Settings) -> None:
    path = _any(settings)
    path.rename(path.with_name("ten-khac" + path.suffix))


def _taken_away(settings: Settings) -> None:
    _any(settings).unlink()


def _log(settings: Settings) -> None:
    (settings.paths.landing / "945" / QUARTER / "delivery_log.csv").write_text("a;b\n", encoding="utf-8")


CHANGES = [_late, _same_size_same_time, _replaced_by_a_copy, _renamed, _taken_away, _log]


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__.strip("_"))
@pytest.mark.parametrize("restarted", [False, True], ids=["", "restarted"])
def test_whatever_changes_asks_again_once(
    settings: Settings, watch: Watch, change: Callable[[Settings], None], restarted: bool
) -> None:
    watch.ticks()
    watch.end_run(QUARTER)
    assert watch.tick() == []
    change(settings)
    if restarted:
        watch.forget()
    # Where the change alone made it incomplete, a release that is out is outdated all the same.
    (settings.paths.published / "945" / QUARTER).mkdir(parents=True)
    (settings.paths.published / "945" / QUARTER / "current.json").touch()
    assert watch.ticks() == [QUARTER]
    watch.end_run(QUARTER)
    assert [watch.tick(), watch.tick()] == [[], []]


def test_what_no_sender_sent_asks_for_nothing(settings: Settings, watch: Watch) -> None:
    watch.ticks()
    watch.end_run(QUARTER)
    for name in (".lock", "~$so-lieu.xlsx"):
        (_folder(settings) / name).touch()
    assert [watch.tick(), watch.tick()] == [[], []]


def test_a_lost_cursor_asks_for_nothing_that_a_run_has_seen(watch: Watch) -> None:
    watch.ticks()
    watch.end_run(QUARTER)
    watch.forget()
    assert [watch.tick(), watch.tick()] == [[], []]


def test_content_put_back_asks_again(settings: Settings, watch: Watch) -> None:
    path = _any(settings)
    content, times = path.read_bytes(), path.stat()
    for written in (b"khac", content):
        path.write_bytes(written)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert watch.ticks() == [QUARTER]
        watch.end_run(QUARTER)


def test_a_late_file_of_an_earlier_quarter_asks_for_the_later_ones_in_order(
    sample_landing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _deliver(sample_landing, tmp_path, BEFORE, QUARTER)
    settings = Settings(home=tmp_path)
    watch = Watch(settings, monkeypatch)
    assert watch.ticks() == [BEFORE, QUARTER]
    for quarter in (BEFORE, QUARTER):
        watch.end_run(quarter)
    (_folder(settings) / "sau.csv").write_bytes(b"x")
    assert watch.ticks() == [QUARTER]
    watch.end_run(QUARTER)
    (_folder(settings, BEFORE) / "muon.csv").write_bytes(b"x")
    assert watch.ticks() == [BEFORE, QUARTER]


def test_a_run_that_does_not_come_to_its_end_is_asked_for_again_later_each_time(watch: Watch) -> None:
    assert watch.ticks() == [QUARTER]
    asked = []
    for minute in range(1, 26 * 60):
        watch.at = NOON + dt.timedelta(minutes=minute)
        asked += [minute] * len(watch.tick())
    assert asked == [5, 20, 65, 200, 560, 920, 1280]
    assert watch.tick() == []


@pytest.mark.parametrize("times", [1, 5, 6, 25, 26, 10_000])
def test_however_often_it_asked_it_asks_again_within_six_hours(watch: Watch, times: int) -> None:
    assert watch.ticks() == [QUARTER]
    watch.note(QUARTER, times=times)
    watch.at = NOON + dt.timedelta(hours=6)
    assert watch.tick() == [QUARTER]


def test_new_content_does_not_wait_for_the_failure_of_the_old(settings: Settings, watch: Watch) -> None:
    assert watch.ticks() == [QUARTER]
    _late(settings)
    assert watch.ticks() == [QUARTER]


@pytest.mark.parametrize(
    "status",
    sorted(set(dg.DagsterRunStatus) - {dg.DagsterRunStatus.QUEUED}, key=lambda s: s.value),
    ids=lambda s: s.value,
)
def test_while_a_run_of_the_quarter_is_under_way_no_other_is_asked_for(
    watch: Watch, status: dg.DagsterRunStatus
) -> None:
    @dg.op
    def nothing() -> None: ...

    @dg.job(name=QUARTER_JOB)
    def idle() -> None:
        nothing()

    # A run that is queued needs a server to be recorded; for this it is as one that is not started.
    watch.instance.create_run_for_job(idle, status=status, tags={"dagster/partition": QUARTER})
    ended = status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
    assert watch.ticks() == ([QUARTER] if ended else [])


@pytest.mark.parametrize("automation", [True, False])
def test_it_runs_without_a_click_unless_the_settings_say_otherwise(tmp_path: Path, automation: bool) -> None:
    sensor = landing_watch(Settings(home=tmp_path, automation=automation), quarter_job(), load_contracts())
    running = dg.DefaultSensorStatus.RUNNING if automation else dg.DefaultSensorStatus.STOPPED
    assert sensor.default_status == running


# --- what breaks costs only itself


def _told(settings: Settings) -> list[tuple[str, str]]:
    path = settings.alerts_path()
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(told["kind"], told["quarter"]) for told in map(json.loads, lines)]


def _seen_is_a_folder(settings: Settings, _: pytest.MonkeyPatch) -> None:
    (settings.paths.runs / f"{BEFORE}.seen").mkdir(parents=True)


def _for_one(name: str, error: Exception) -> Callable[[Settings, pytest.MonkeyPatch], None]:
    """A question that breaks for one quarter."""

    def breaks(_: Settings, patch: pytest.MonkeyPatch) -> None:
        asked = getattr(sensors, name)

        def answer(*given: object) -> object:
            if BEFORE in given:
                raise error
            return asked(*given)

        patch.setattr(sensors, name, answer)

    return breaks


FAULTS = {
    "a note that is a folder": _seen_is_a_folder,
    "a disk that fails": _for_one("remembered", OSError(errno.EIO, "Input/output error")),
    "a release that cannot be listed": _for_one("_is_ready", PermissionError(errno.EACCES, "Permission denied")),
    "runs that cannot be asked for": _for_one("_is_under_way", RuntimeError("database is locked")),
    "a fault of the program": _for_one("period_named", OverflowError("date value out of range")),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_quarter_that_breaks_costs_only_itself_and_is_told_until_it_is_mended(
    sample_landing: Path, tmp_path: Path, fault: Callable[[Settings, pytest.MonkeyPatch], None]
) -> None:
    _deliver(sample_landing, tmp_path, BEFORE, QUARTER)
    settings = Settings(home=tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        watch = Watch(settings, patch)
        for told in (1, 2):
            with pytest.MonkeyPatch.context() as broken:
                fault(settings, broken)
                watch.ticks()
                assert watch.tick() == []
                watch.forget()
                assert watch.ticks() == [QUARTER]
            assert _told(settings) == [("not_watched", BEFORE)] * told
            shutil.rmtree(settings.paths.runs, ignore_errors=True)
            watch.forget()
            assert watch.ticks() == [BEFORE, QUARTER]


def _loop(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("khong-co")


def _pipe(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


OTHER = "946"
PLACES = (
    OTHER,
    f"{OTHER}/{QUARTER}",
    f"{OTHER}/{QUARTER}/survey_responses",
    f"{OTHER}/{QUARTER}/survey_responses/x.csv",
)


@pytest.mark.parametrize("place", PLACES, ids=["unit", "quarter", "source", "file"])
@pytest.mark.parametrize("make", [_loop, _dangling, _pipe], ids=lambda f: f.__name__.strip("_"))
def test_what_is_no_file_holds_up_nobody_elses(
    settings: Settings, watch: Watch, place: str, make: Callable[[Path], None]
) -> None:
    make(settings.paths.landing / place)
    assert watch.ticks() == [QUARTER]
    watch.end_run(QUARTER)
    assert [watch.tick(), watch.tick()] == [[], []]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.ENAMETOOLONG], ids=errno.errorcode.get)
@pytest.mark.parametrize("place", PLACES, ids=["unit", "quarter", "source", "file"])
def test_what_cannot_be_looked_at_holds_up_nobody_elses_and_is_another_state_once_it_can(
    settings: Settings, watch: Watch, place: str, number: int
) -> None:
    closed = settings.paths.landing / place
    file = settings.paths.landing / PLACES[-1]
    file.parent.mkdir(parents=True)
    file.touch()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("stat", "lstat", "scandir"):
            patch.setattr(os, name, _failing(getattr(os, name), closed, number))
        assert watch.ticks() == [QUARTER]
        watch.end_run(QUARTER)
        assert watch.tick() == []
    assert watch.ticks() == [QUARTER]


def _failing(call: Callable[..., object], closed: Path, number: int) -> Callable[..., object]:
    """The call of the system, failing for what lies at a place or below it."""

    def answer(path: object = ".", *given: object, **named: object) -> object:
        if isinstance(path, (str, Path)) and Path(path).is_relative_to(closed):
            raise OSError(number, os.strerror(number), str(path))
        return call(path, *given, **named)

    return answer


def test_a_damaged_table_of_deliveries_asks_for_the_run_that_mends_it(settings: Settings, watch: Watch) -> None:
    table = settings.paths.raw / "deliveries.parquet"
    table.parent.mkdir(parents=True)
    table.write_bytes(b"no table")
    assert watch.ticks() == [QUARTER]
    assert _told(settings) == []

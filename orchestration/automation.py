"""What runs by itself: its names and hours, whether it is on, when it is next due, what it did last.

Belongs here: what is known of that without loading Dagster, since ``cchc status`` is asked often: the table of periods,
the processes of the server, and Dagster's databases, read and never opened for writing. Does not belong here: the
schedules and sensors themselves (``schedules``, ``sensors``), who is told that automation stands still (``watchman``).
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from common.periods import Period, is_scheduled, load_periods
from orchestration.dagster_files import databases, rows
from orchestration.liveness import is_alive
from orchestration.settings import TIME_ZONE, Home, Settings
from orchestration.timing import now

#: The sensor whose ticks show that the server works by itself.
LANDING_WATCH = "landing_watch"
AFTER_CLOSING = "after_closing"
DAILY_LOOK = "daily_look"
ALERT_ON_FAILURE = "alert_on_failure"
#: Parts that look at an hour, not all the time.
SCHEDULES = (AFTER_CLOSING, DAILY_LOOK)
QUARTER_JOB = "quarter"
#: Tag of the runs that the command line records.
STAGE_TAG = "cchc/stage"

SECONDS_BETWEEN_LOOKS = 30
HOUR_OF_RUN = 6
HOUR_OF_LOOK = 7

_SILENCE = (dt.timedelta(hours=1), "một giờ")
# Of a server of which no process is seen: it may be one of another container.
_SILENCE_UNSEEN = (dt.timedelta(minutes=5), "5 phút")
# A look that breaks once may have met a moment's trouble; so many in a row mean that it breaks at every one.
_BROKEN_LOOKS = 3
#: What each part is for.
PARTS_VI = {
    LANDING_WATCH: "xem thư mục nhận",
    AFTER_CLOSING: "chạy kỳ vừa đóng",
    DAILY_LOOK: "kiểm tra hằng ngày",
    ALERT_ON_FAILURE: "báo lượt chạy hỏng",
}
_UNDONE_VI = {
    LANDING_WATCH: "không kỳ nào được xem",
    AFTER_CLOSING: "kỳ vừa đóng không tự chạy",
    DAILY_LOOK: "không ai được nhắc và được báo hằng ngày",
    ALERT_ON_FAILURE: "lượt chạy hỏng không được báo",
}
_TICKS_VI = {
    "STARTED": "đang xem",
    "SKIPPED": "không có việc",
    "SUCCESS": "đã yêu cầu chạy",
    "FAILURE": "hỏng, xem trên trang Dagster",
}
_RUNS_VI = {
    "STARTED": "đang chạy",
    "SUCCESS": "xong",
    "FAILURE": "hỏng",
    "CANCELING": "đang dừng",
    "CANCELED": "đã hủy",
    "GONE": "tiến trình không còn",
}
_SERVER_VI = {"dagster-daemon": "dịch vụ nền", "dagster-webserver": "trang web"}


class Tick(NamedTuple):
    """A look of a sensor or schedule: seconds since 1970, how it ended, how many up to it broke in a row."""

    timestamp: float
    status: str
    broken_in_a_row: int


@dataclass(frozen=True)
class Part:
    """A sensor or schedule. ``next_at``: when it is next due, None where it is off, or looks all the time.

    ``why_broken``: that it breaks whenever it looks, a sentence; None where it does not.
    """

    name: str
    on: bool
    why_broken: str | None
    next_at: str | None
    last_at: str | None
    last_status: str | None


@dataclass(frozen=True)
class ServerRun:
    """The last run of a job that was not the command line's. ``status`` is Dagster's, or GONE; times have a zone."""

    job: str
    quarter: str | None
    status: str
    began_at: str | None
    ended_at: str | None
    asked_by: str | None
    run_id: str


@dataclass(frozen=True)
class Automation:
    """Whether anything runs by itself. ``why_off`` is a sentence, None where it is on; ``unreadable`` says what is
    wrong with Dagster's databases. ``processes``: those of the server on this machine, by program.
    """

    on: bool
    why_off: str | None
    setting: bool
    processes: dict[str, list[int]]
    next_quarter: str | None
    parts: list[Part] = field(default_factory=list)
    runs: list[ServerRun] = field(default_factory=list)
    unreadable: str | None = None

    def lines(self) -> list[str]:
        """For people: whether it is on, what is due next, who is there, what was done last."""
        lines = ["tự chạy: đang bật" if self.on else f"tự chạy: KHÔNG HOẠT ĐỘNG. {self.why_off}"]
        if self.on:
            lines.append(f"  tiếp theo: {'; '.join(self._due())}")
        off = [f"{PARTS_VI[part.name]} ({part.name})" for part in self.parts if not part.on]
        if self.on and off:
            lines.append(f"  đang tắt: {', '.join(off)}; bật lại trên trang Dagster")
        if self.on and (broken := [part.why_broken for part in self.parts if part.why_broken]):
            lines.append(f"  đang hỏng: {' '.join(broken)}")
        seen = (f"{_SERVER_VI[name]} {'đang chạy' if pids else 'không thấy'}" for name, pids in self.processes.items())
        lines.append(f"  máy chủ, trên máy này: {', '.join(seen)}")
        ticks = [f"{PARTS_VI[p.name]} {_shown(p.last_at)} ({_TICKS_VI[p.last_status or '']})"
                 for p in self.parts if p.last_at]  # fmt: skip
        lines.append(f"  lần cuối: {'; '.join(ticks) or 'chưa lần nào'}")
        lines.append(f"  lượt chạy cuối của máy chủ: {'; '.join(map(_run_vi, self.runs)) or 'chưa có'}")
        return lines

    def _due(self) -> Iterator[str]:
        for part in self.parts:
            if part.on and part.name == LANDING_WATCH:
                yield f"{PARTS_VI[part.name]} mỗi {SECONDS_BETWEEN_LOOKS} giây"
            elif part.on and part.next_at:
                title = f"chạy kỳ {self.next_quarter}" if part.name == AFTER_CLOSING else PARTS_VI[part.name]
                yield f"{title} lúc {_shown(part.next_at)}"
        if self.next_quarter is None:
            yield "bảng kỳ báo cáo không còn kỳ nào sắp đóng"


def _run_vi(run: ServerRun) -> str:
    what = f"kỳ {run.quarter}" if run.quarter else PARTS_VI.get(run.job, run.job)
    text = f"{what} {_RUNS_VI.get(run.status, 'đang chờ')}"
    moment = run.ended_at or run.began_at
    return f"{text}{f' lúc {_shown(moment)}' if moment else ''}{f' (do {run.asked_by})' if run.asked_by else ''}"


def _shown(moment: str | None) -> str:
    return f"{dt.datetime.fromisoformat(moment):%H:%M %d/%m/%Y}" if moment else ""


def automation(settings: Settings) -> Automation:
    """What is known of automation in a home. Reads only; a home without Dagster's databases gets none."""
    at = now()
    processes = server_processes(settings.paths)
    closing_next = next_closing(at)
    switches: dict[str, list[str]] = {}
    ticks: dict[str, Tick] = {}
    runs, unreadable = [], None
    try:
        switches, ticks = switches_and_ticks(settings)
        runs = [run for job in (QUARTER_JOB, DAILY_LOOK) if (run := _last_run(settings, job))]
    except (sqlite3.Error, OSError, ValueError, KeyError, TypeError) as error:
        unreadable = f"{type(error).__name__}: {error}"
    last = {name: _local(tick.timestamp) for name, tick in ticks.items()}
    silence = _SILENCE if processes["dagster-daemon"] else _SILENCE_UNSEEN
    why = switched_off(settings, switches.get(LANDING_WATCH, [])) or stands_still(ticks.get(LANDING_WATCH), silence)
    if unreadable:
        why = f"Không rõ: không đọc được sổ của Dagster ({unreadable}). Xem: cchc doctor"
    due = {AFTER_CLOSING: closing_next[1] if closing_next else None, DAILY_LOOK: next_look(at)}
    parts = []
    for name in PARTS_VI:
        on = _is_on(switches.get(name, []), settings.automation or name == ALERT_ON_FAILURE)
        next_at = due.get(name) if on and why is None else None
        last_at, status = last.get(name), ticks[name].status if name in ticks else None
        parts.append(Part(name, on, breaks(name, ticks.get(name)), _iso(next_at), _iso(last_at), status))
    quarter = ", ".join(period.quarter for period in closing_next[0]) if closing_next else None
    return Automation(why is None, why, settings.automation, processes, quarter, parts, runs, unreadable)


def switched_off(settings: Settings, switches: Collection[str]) -> str | None:
    """Who switched automation off, a sentence; None where nobody did.

    ``switches`` are the states of ``landing_watch`` in Dagster's storage; a click in the browser goes before the
    settings.
    """
    if "STOPPED" in switches:
        return f"{LANDING_WATCH} bị tắt trên trang Dagster; bật lại ở đó."
    return None if _is_on(switches, settings.automation) else "Thiết đặt automation đang tắt."


def part_off(name: str, switches: Collection[str], last: Tick | None) -> str | None:
    """That a part beside ``landing_watch`` was switched off in the browser, or breaks whenever it looks, a sentence."""
    if "STOPPED" in switches:
        return f"{name} bị tắt trên trang Dagster, nên {_UNDONE_VI[name]}; bật lại ở đó."
    return breaks(name, last)


def stands_still(last: Tick | None, silence: tuple[dt.timedelta, str] = _SILENCE) -> str | None:
    """That ``landing_watch`` has not looked for too long, or breaks at every look, a sentence; None where it works.

    ``silence`` is how long ago its last look may be, and how that is said.
    """
    if last is None or _local(last.timestamp) < now() - silence[0]:
        return f"{LANDING_WATCH} không chạy đã hơn {silence[1]}: máy chủ chưa bật, hoặc đã dừng."
    return breaks(LANDING_WATCH, last)


def breaks(name: str, last: Tick | None) -> str | None:
    """That a sensor or schedule breaks whenever it looks, and what is left undone for it, a sentence; None where not.

    A sensor looks again within a minute, a schedule once a day or a quarter: one that broke is not waited for.
    """
    limit = 1 if name in SCHEDULES else _BROKEN_LOOKS
    if last is None or last.broken_in_a_row < limit:
        return None
    return f"{name} hỏng ở mọi lần xem gần đây, nên {_UNDONE_VI[name]}; xem lỗi trên trang Dagster."


def _is_on(switches: Collection[str], by_default: bool) -> bool:
    return "STOPPED" not in switches and (by_default or "RUNNING" in switches)


def next_closing(at: dt.datetime) -> tuple[tuple[Period, ...], dt.datetime] | None:
    """The periods that are run next because they close, a quarter and with it perhaps a half-year or a year, and when;
    None where the table has no further one.
    """
    closing: dict[dt.datetime, list[Period]] = {}
    for period in filter(is_scheduled, load_periods()):
        due = _on(period.closes_on + dt.timedelta(days=1), HOUR_OF_RUN)
        if due > at:
            closing.setdefault(due, []).append(period)
    return (tuple(closing[min(closing)]), min(closing)) if closing else None


def next_look(at: dt.datetime) -> dt.datetime:
    """When the daily look is next due."""
    today = at.astimezone(ZoneInfo(TIME_ZONE)).date()
    due = _on(today, HOUR_OF_LOOK)
    return due if due > at else _on(today + dt.timedelta(days=1), HOUR_OF_LOOK)


def _on(day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), ZoneInfo(TIME_ZONE))


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _local(timestamp: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(timestamp), ZoneInfo(TIME_ZONE))


def server_processes(home: Home) -> dict[str, list[int]]:
    """Processes on this machine that serve a home, by program; those of another user may go unseen."""
    import psutil

    found: dict[str, list[int]] = {name: [] for name in _SERVER_VI}
    for process in psutil.process_iter():
        try:
            words = {Path(word).name for word in process.cmdline()[:3]}
            for name in found.keys() & words:
                served = process.environ().get("DAGSTER_HOME")
                if served and Path(served).resolve() == home.dagster:
                    found[name].append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def recorded_rows(settings: Settings, of: str, query: str, *values: Any) -> list[Any]:
    """The same of what Dagster keeps ``of`` runs, events or schedules, wherever it keeps it.

    Raises ``sqlite3.Error``; ``ConnectionError`` where PostgreSQL does not answer as it should.
    """
    if settings.dagster_postgres_url is None:
        return rows(databases(settings.paths)[of], query, *values)
    import psycopg

    address = settings.dagster_postgres_url.get_secret_value().replace("+psycopg2", "", 1)
    try:
        with psycopg.connect(address, connect_timeout=10) as connection:
            return connection.execute(query.replace("?", "%s").encode(), values).fetchall()
    except psycopg.Error as error:
        raise ConnectionError(f"PostgreSQL: {type(error).__name__}") from None


def switches_and_ticks(settings: Settings) -> tuple[dict[str, list[str]], dict[str, Tick]]:
    """By name of schedule or sensor: its states, one for each way in which it was ever loaded, and its last tick.

    Raises as ``recorded_rows``, and ``ValueError``, ``KeyError`` or ``TypeError`` where what stands there is not
    Dagster's.
    """
    switches: dict[str, list[str]] = {}
    ticks: dict[str, Tick] = {}
    for selector, status, body in recorded_rows(
        settings, "schedules", "select selector_id, status, instigator_body from instigators"
    ):
        name = json.loads(body)["origin"]["job_name"]
        switches.setdefault(name, []).append(status)
        newest = "select status, tick_body from job_ticks where selector_id = ? order by timestamp desc limit 1"
        for tick_status, tick in recorded_rows(settings, "schedules", newest, selector):
            kept = json.loads(tick)
            found = Tick(float(kept["timestamp"]), tick_status, kept.get("consecutive_failure_count") or 0)
            ticks[name] = max(ticks.get(name, found), found)
    return switches, ticks


def _last_run(settings: Settings, job: str) -> ServerRun | None:
    found = recorded_rows(
        settings,
        "runs",
        """
        select run_id, partition, status, start_time, end_time,
            (select max(value) from run_tags tag where tag.run_id = runs.run_id
             and key in ('dagster/sensor_name', 'dagster/schedule_name'))
        from runs
        where pipeline_name = ? and not exists
            (select 1 from run_tags tag where tag.run_id = runs.run_id and key = ?)
        order by id desc limit 1
        """,
        job,
        STAGE_TAG,
    )
    for run_id, quarter, status, began, ended, asked_by in found:
        gone = status == "STARTED" and is_alive(settings.paths, run_id) is False
        began_at, ended_at = (_iso(_local(moment)) if moment else None for moment in (began, ended))
        return ServerRun(job, quarter, "GONE" if gone else status, began_at, ended_at, asked_by, run_id)
    return None

"""The page of runs, for those who keep the service going: how long, how much, who is held back, over time.

Belongs here: the runs that it is given as words, tables and charts. Does not belong here: what a run is and where its
record lies (whoever asks for the page), anything that citizens read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.periods import find_period
from publication.formatting import format_number
from publication.page.charts import Chart, Series, draw_lines, print_all
from publication.page.render import render

#: Runs of a chart, and of the table; the tables for programs hold all.
_DRAWN, _LISTED = 40, 200
#: Names of a cell; of more, how many there are.
_NAMED = 5
_MIB = 1024 * 1024


@dataclass(frozen=True)
class HeldUnit:
    """A unit that a run left without a new release, and how many rules hold it back."""

    code: str
    name: str
    state_vi: str
    blocking: int


@dataclass(frozen=True)
class RunLine:
    """One run. ``at`` is local time; ``seconds`` wall seconds, None where nobody knows; sizes are bytes.

    ``whole``: it was to go from deliveries to releases. ``good``: it ended as it should.
    """

    at: dt.datetime
    quarter: str
    asked_vi: str
    by_vi: str
    ended_vi: str
    exit_code: int | None
    whole: bool
    good: bool
    seconds: float | None
    stages: Mapping[str, float]
    rows_read: int | None
    rows_accepted: int | None
    rows_rejected: int | None
    findings: int
    waived: int
    decisions: int
    units: int
    held: tuple[HeldUnit, ...]
    published: tuple[str, ...]
    broken_vi: tuple[str, ...]
    disk: int | None
    free: int | None
    memory: int | None


@dataclass(frozen=True)
class _HeldQuarter:
    name_vi: str
    at_vi: str
    lines: tuple[HeldUnit, ...]


def render_runs(runs: Sequence[RunLine], written_at: dt.datetime) -> bytes:
    """The page, from runs oldest first. Equal runs and time give equal bytes."""
    whole = [run for run in runs if run.whole and run.seconds is not None]
    return render(
        "runs.html.j2",
        style="page.css",
        written_vi=_moment(written_at),
        last=_cells(runs[-1]) if runs else None,
        lines=[_cells(run) for run in runs[: -_LISTED - 1 : -1]],
        total=len(runs),
        charts=[chart for chart in (_durations(whole), _rows(whole), _units(whole), _space(runs)) if chart],
        held=_held(runs),
    )


def _moment(at: dt.datetime) -> str:
    return f"{at:%H:%M} {at:%d/%m/%Y}"


def _duration(seconds: float | None) -> str:
    """``1 giờ 02 phút``, ``3 phút 05 giây``, ``41 giây``."""
    if seconds is None:
        return "không rõ"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} giờ {whole % 3600 // 60:02} phút"
    return f"{whole // 60} phút {whole % 60:02} giây" if whole >= 60 else f"{whole} giây"


def _size(value: int | None) -> str:
    return "không rõ" if value is None else f"{format_number(round(value / _MIB))} MiB"


def _count(value: int | None) -> str:
    return "–" if value is None else format_number(value)


def _named(names: Sequence[str], what_vi: str) -> str:
    more = len(names) - _NAMED
    return "; ".join([*names[:_NAMED], *([f"và {more} {what_vi} khác"] if more > 0 else [])])


def _cells(run: RunLine) -> dict[str, object]:
    return {
        "at": _moment(run.at),
        "quarter": _quarter(run.quarter),
        "asked": run.asked_vi,
        "by": run.by_vi,
        "ended": run.ended_vi,
        "good": run.good,
        "exit_code": run.exit_code,
        "seconds": _duration(run.seconds),
        "read": _count(run.rows_read),
        "accepted": _count(run.rows_accepted),
        "rejected": _count(run.rows_rejected),
        "findings": format_number(run.findings),
        "waived": format_number(run.waived),
        "decisions": format_number(run.decisions),
        "units": run.units,
        "held": _named([unit.name for unit in run.held], "đơn vị"),
        "held_count": len(run.held),
        "published": _named(run.published, "bản"),
        "broken": "; ".join(run.broken_vi),
        "disk": _size(run.disk),
        "free": _size(run.free),
        "memory": _size(run.memory),
    }


def _quarter(key: str) -> str:
    period = find_period(key)
    return period.short_name_vi if period else key


def _held(runs: Sequence[RunLine]) -> list[_HeldQuarter]:
    """By the last whole run of each quarter, newest quarter first."""
    last = {run.quarter: run for run in runs if run.whole and run.units}
    return [
        _HeldQuarter(_quarter(quarter), _moment(last[quarter].at), last[quarter].held)
        for quarter in sorted(last, reverse=True)
        if last[quarter].held
    ]


def _drawn(
    identifier: str, title_vi: str, summary_vi: str, runs: Sequence[RunLine], series: Sequence[Series]
) -> Chart | None:
    if len(runs) < 2 or all(value is None for one in series for value in one.values):
        return None
    days = [f"{run.at:%d/%m}" for run in runs]
    labels = [day if day != after else "" for day, after in zip(days, [*days[1:], ""], strict=True)]
    return Chart(
        identifier,
        title_vi,
        summary_vi,
        draw_lines(labels, series),
        tuple(one.name_vi for one in series),
        ("Lượt chạy", *(one.name_vi for one in series)),
        tuple(
            (f"{_moment(run.at)}, {_quarter(run.quarter)}", *(one.printed[place] for one in series))
            for place, run in enumerate(runs)
        ),
    )


def _series(name_vi: str, values: Sequence[float | None], unit: str = "") -> Series:
    exact = tuple(None if value is None else Decimal(round(value)) for value in values)
    return Series(name_vi, exact, print_all(exact, unit))


def _durations(whole: Sequence[RunLine]) -> Chart | None:
    runs = whole[-_DRAWN:]
    if not runs:
        return None
    series = [
        _series("Cả lượt", [run.seconds for run in runs], " giây"),
        _series("Tính số liệu", [run.stages.get("dbt") for run in runs], " giây"),
        _series("Kiểm tra", [run.stages.get("gate_raw", 0) + run.stages.get("gate_marts", 0) for run in runs], " giây"),
    ]
    longest = max(runs, key=lambda run: run.seconds or 0)
    summary = (
        f"Lượt gần nhất: {_duration(runs[-1].seconds)}. Lâu nhất: {_duration(longest.seconds)}, {_moment(longest.at)}."
    )
    return _drawn("thoi-gian", "Thời gian chạy", summary, runs, series)


def _rows(whole: Sequence[RunLine]) -> Chart | None:
    runs = [run for run in whole if run.rows_read is not None][-_DRAWN:]
    if not runs:
        return None
    series = [
        _series("Dòng đã đọc", [run.rows_read for run in runs]),
        _series("Dòng trả lại", [run.rows_rejected for run in runs]),
    ]
    last = runs[-1]
    summary = f"Lượt gần nhất: đọc {_count(last.rows_read)} dòng, trả lại {_count(last.rows_rejected)} dòng."
    return _drawn("so-dong", "Số dòng của các tệp đã gửi", summary, runs, series)


def _units(whole: Sequence[RunLine]) -> Chart | None:
    runs = [run for run in whole if run.units][-_DRAWN:]
    if not runs:
        return None
    series = [
        _series("Đơn vị trong lượt", [run.units for run in runs]),
        _series("Bị giữ lại", [len(run.held) for run in runs]),
    ]
    summary = f"Lượt gần nhất: {len(runs[-1].held)} trên {runs[-1].units} đơn vị bị giữ lại."
    return _drawn("giu-lai", "Đơn vị bị giữ lại", summary, runs, series)


def _space(all_runs: Sequence[RunLine]) -> Chart | None:
    runs = [run for run in all_runs if run.disk is not None][-_DRAWN:]
    if not runs:
        return None
    series = [_series("Đã dùng", [None if run.disk is None else run.disk / _MIB for run in runs], " MiB")]
    summary = f"Thư mục làm việc đang dùng {_size(runs[-1].disk)}; ổ đĩa còn trống {_size(runs[-1].free)}."
    return _drawn("dung-luong", "Dung lượng của thư mục làm việc", summary, runs, series)

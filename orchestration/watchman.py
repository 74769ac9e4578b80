"""The daily look: what nobody would notice because nothing runs, or because what runs does not look there.

Belongs here: deliveries missing around the day a period closes, reports overdue, damage, disk space, automation that
stands still, and who is told of each. Does not belong here: what a run came to (``telling``), what must be delivered
(``deliveries``), what damage is (``ingestion``, ``publication``).
"""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from common.periods import is_owed, last_closed
from ingestion import SourceStatus
from orchestration.addresses import AlertKind
from orchestration.aftermath import make_up_if_free
from orchestration.alerts import Alert, cause_of, send_owed, settled, tell_all
from orchestration.automation import LANDING_WATCH, PARTS_VI, part_off, stands_still, switched_off, switches_and_ticks
from orchestration.healing import mend
from orchestration.history import Look as LastLook
from orchestration.history import keep_look, space_of
from orchestration.history_views import show
from orchestration.journal import check_journal
from orchestration.locks import HomeBusy, one_run_at_a_time, to_stderr
from orchestration.office import how_to_deliver_vi, is_out, missing_vi, owed, periods_asked_for, refresh, when_vi
from orchestration.pipeline import Pipeline
from orchestration.retention import prune
from orchestration.settings import Settings
from orchestration.telling import quarter_title
from orchestration.timing import now

if TYPE_CHECKING:
    from dagster import DagsterInstance

_log = logging.getLogger(__name__)
# Used space is told in steps, so that it is not told anew every day.
_FULLER = (95, 98, 99)
_GROUPS: dict[str, tuple[AlertKind, ...]] = {
    "deliveries": ("deliveries_missing", "deliveries_missing_summary"),
    "releases": ("overdue",),
    "damage": ("damage",),
    "disk": ("disk_nearly_full",),
    "automation": ("automation_off",),
}


@dataclass(frozen=True)
class Look:
    """What a look found, all of it and what of it was told now, and how many messages no server has taken yet."""

    found: list[Alert]
    told: list[Alert]
    owed: int


def look(pipeline: Pipeline, today: dt.date, instance: DagsterInstance, *, patience_seconds: float = 0) -> Look:
    """Looks at everything and tells what is new or has changed; what is gone is forgotten.

    ``patience_seconds`` is how long a server that has just been started may take to show that its automation works.
    A part that breaks is told and keeps no other from its turn. Of a part that did not come to its end, broken or kept
    out by a run at work, what it found is told and nothing is forgotten.
    """
    parts: dict[str, Callable[[], Iterator[Alert]]] = {
        "deliveries": lambda: missing_deliveries(pipeline, today),
        "releases": lambda: overdue(pipeline, today),
        "damage": lambda: damage(pipeline),
        "disk": lambda: disk_nearly_full(pipeline),
        "automation": lambda: automation_off(pipeline, patience_seconds),
    }
    found, looked_at = [], list[AlertKind](["watch_failed"])
    for name, part in parts.items():
        try:
            for alert in part():
                found.append(alert)
            looked_at += _GROUPS[name]
        except HomeBusy as error:
            _log.info("the daily look at %s did not come to its end: %s", name, error)
        except Exception as error:
            _log.exception("the daily look at %s broke", name)
            lines = (f"{name}: {type(error).__name__}", "Xem nhật ký; phần này chưa được kiểm tra hôm nay.")
            found.append(Alert("watch_failed", f"Kiểm tra hằng ngày không xong: {name}", lines, subject=name))
    told = tell_all(pipeline.settings, found, looked_at)
    for period in periods_asked_for(today, pipeline.settings.remind_days):
        refresh(pipeline, period.quarter, today)
    settled(pipeline.settings, cause_of("run_failed"))  # a look that broke as a whole, now that one came to its end
    answer = Look(found, told, send_owed(pipeline.settings))
    _keep_house(pipeline.settings, instance, answer)
    return answer


def _keep_house(settings: Settings, instance: DagsterInstance, answer: Look) -> None:
    """What killed runs left is made up for, what is past its time goes, and what there is is shown anew."""
    home, kinds = settings.paths, Counter(alert.kind for alert in answer.found)
    try:
        make_up_if_free(settings)
        prune(settings, instance)
        counts = {kind: kinds[kind] for kind in get_args(AlertKind)}
        keep_look(home, LastLook(at=now(), found=counts, owed=answer.owed, space=space_of(home)))
        show(settings)
    except Exception:
        _log.exception("the house is not kept as it should be")


def missing_deliveries(pipeline: Pipeline, today: dt.date) -> Iterator[Alert]:
    """A reminder to each unit that owes deliveries of the period that closed last or closes soon, and one summary.

    A unit whose report is out owes nothing more: what it left out was decided.
    """
    for period in periods_asked_for(today, pipeline.settings.remind_days):
        quarter, when = period.quarter, when_vi(period, today)
        summary = []
        asked = [unit for unit in pipeline.deliveries.reporting_units(quarter) if is_owed(period, unit)]
        for unit, missing in owed(pipeline, asked, quarter).items():
            if not missing:
                continue
            name = pipeline.units.name_of(unit, quarter)
            lines = _by_folder(pipeline, missing, quarter)
            summary.append(f"{unit} {name}: thiếu {len(missing)} nguồn của {len(lines)} đơn vị")
            advice = how_to_deliver_vi(quarter)
            title = f"{unit} {name}, {quarter_title(quarter)}: {when}, còn thiếu tệp"
            yield Alert("deliveries_missing", title, (advice, *lines), quarter, unit)
        if summary:
            title = f"{quarter_title(quarter)}: {when}, {len(summary)} đơn vị báo cáo còn thiếu tệp"
            lines = [f"Nhắc các đơn vị; xem từng nguồn bằng: cchc status {quarter}", *summary]
            yield Alert("deliveries_missing_summary", title, tuple(lines), quarter)


def _by_folder(pipeline: Pipeline, missing: list[SourceStatus], quarter: str) -> list[str]:
    by_folder = dict[str, list[str]]()
    for source in missing:
        by_folder.setdefault(source.unit_code, []).append(missing_vi(source))
    return [f"{code} {pipeline.units.name_of(code, quarter)}: {'; '.join(by_folder[code])}" for code in by_folder]


def overdue(pipeline: Pipeline, today: dt.date) -> Iterator[Alert]:
    """Each unit of whose period nothing is out on the day its report is due: told also where nothing ran at all."""
    asked = [
        (period, unit)
        for period in last_closed(today)
        if today >= period.due_on
        for unit in pipeline.deliveries.reporting_units(period.quarter)
        if is_owed(period, unit)
    ]
    for period, unit in asked:
        quarter = period.quarter
        if not is_out(pipeline, unit, quarter):
            title = f"{unit} {pipeline.units.name_of(unit, quarter)}, {quarter_title(quarter)}: đến hạn mà chưa công bố"
            lines = (
                f"Hạn báo cáo {period.due_on:%d/%m/%Y}; chưa có bản công bố nào.",
                f"Xem vì sao: cchc status {quarter}. Chạy lại: cchc run {quarter} --unit {unit}",
            )
            yield Alert("overdue", title, lines, quarter, unit)


def damage(pipeline: Pipeline) -> Iterator[Alert]:
    """Current releases and signed reports that are not what was published, a journal that does not hold, and what else
    of the home is not what was left there, every original included. Nothing is mended: that is for the next run, or
    ``cchc rebuild``.

    While a run works in the home, the raw layer changes under any look, and the run looks at it by itself: then, after
    the releases, raises ``HomeBusy``.
    """
    from publication import DamagedPointer, current_release, verify, verify_attached

    for pointer in sorted(pipeline.home.published.glob("*/*/current.json")):
        unit, quarter = pointer.parent.parent.name, pointer.parent.name
        try:
            release = current_release(pipeline.home.published, unit, quarter)
            found = [item.message_vi for item in verify(release.path)] if release else []
        except DamagedPointer as error:
            found = [str(error)]
        found += verify_attached(pointer.parent)
        if found:
            title = f"{unit}, {quarter_title(quarter)}: bản công bố hiện hành bị hư hại"
            advice = f"Khôi phục thư mục published/{unit}/{quarter} từ bản sao lưu rồi chạy: cchc verify"
            yield Alert("damage", title, (advice, *found), quarter, unit)
    with one_run_at_a_time(pipeline.home.lock, "kiểm tra hằng ngày", to_stderr, wait=False):
        journal = check_journal(pipeline.home)
        if journal.damages:
            advice = "Đối chiếu với bản sao lưu và thư báo công bố; xem lại bằng: cchc verify"
            yield Alert("damage", "Nhật ký thao tác bị hư hại", (advice, *journal.damages), subject="journal")
        seen = Pipeline(pipeline.settings)
        mend(seen, thorough=True, dry_run=True)
    record = seen.record
    lines = [*record.damaged, *(f"{one.path}: {one.message_vi}" for one in record.problems)]
    if lines := [*lines, *(mended.line_vi(done=False) for mended in record.mended)]:
        advice = "Dựng lại những gì dựng được: cchc rebuild"
        yield Alert("damage", "Thư mục làm việc có tệp hư hại", (*lines, advice), subject="home")


def used_percent(folder: Path) -> float:
    """Used space of a folder's disk, as ``df`` counts it."""
    space = shutil.disk_usage(folder)
    return 100 * space.used / (space.used + space.free)


def disk_nearly_full(pipeline: Pipeline) -> Iterator[Alert]:
    """Whether the disk of the home is used beyond the setting."""
    limit = pipeline.settings.disk_full_percent
    used = used_percent(pipeline.home.root)
    if used >= limit:
        reached = max(step for step in (limit, *_FULLER) if step <= used)
        lines = ("Dọn bớt hoặc thêm dung lượng: khi đầy, không tệp nào được nhận và không bản nào được công bố.",)
        yield Alert("disk_nearly_full", f"Ổ đĩa của kho số liệu đã dùng từ {reached} % trở lên", lines)


def automation_off(pipeline: Pipeline, patience_seconds: float) -> Iterator[Alert]:
    """Whether anything runs by itself: the settings, the switch in the browser, and the watch's own ticks say so; then
    each other part that was switched off there or breaks whenever it looks.
    """
    if why := _why_off(pipeline, patience_seconds):
        advice = "Không kỳ nào tự chạy. Khởi động lại máy chủ (make ui), hoặc chạy tay: cchc run KỲ"
        yield Alert("automation_off", "Chế độ tự chạy không hoạt động", (why, advice))
    switches, ticks = switches_and_ticks(pipeline.settings)
    for name in sorted(PARTS_VI):
        if name != LANDING_WATCH and (why := part_off(name, switches.get(name, []), ticks.get(name))):
            advice = "Xem lần xem cuối ở mục Automation trên trang Dagster; sau khi sửa, khởi động lại máy chủ."
            title = f"Một phần của chế độ tự chạy không hoạt động: {PARTS_VI[name]}"
            yield Alert("automation_off", title, (why, advice), subject=name)


def _why_off(pipeline: Pipeline, patience_seconds: float) -> str | None:
    end = time.monotonic() + patience_seconds
    while True:
        switches, ticks = switches_and_ticks(pipeline.settings)
        why = switched_off(pipeline.settings, switches.get(LANDING_WATCH, []))
        if why is not None:
            return why
        why = stands_still(ticks.get(LANDING_WATCH))
        if why is None or time.monotonic() >= end:
            return why
        time.sleep(min(5.0, patience_seconds))

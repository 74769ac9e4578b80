"""What of a run is worth an alert: each unit's outcome, and that the run broke.

Belongs here: alerts from a run's record and from Dagster's events, for the server and the command line alike.
Does not belong here: sending (``alerts``), what is there without a run (``watchman``), the words of an outcome
(``reports``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from common.periods import find_period, quarter_vi
from orchestration.addresses import AlertKind
from orchestration.alerts import Alert, cause_of, settled, tell
from orchestration.causes import cause_vi
from orchestration.lineage import lineage
from orchestration.pipeline import Pipeline
from orchestration.reports import UnitReport, unit_reports
from orchestration.settings import Settings
from orchestration.untold import strike_out, untold

if TYPE_CHECKING:
    from publication import Release, Revision

_log = logging.getLogger(__name__)
_FIGURES_SHOWN = 10
# Why a unit has no new release; one of them holds at a time.
_WAITING: tuple[AlertKind, ...] = ("held_back", "held_by_lock", "awaits_approval")
# Of these the messages are ours and name no more than files of the home; others may quote what was delivered.
OUR_ERRORS = frozenset(
    {
        "DamagedError",
        "WarehouseHeld",
        "HomeBusy",
        "BrokenContract",
        "RunFault",
        "LostPersonKey",
        "DamagedPointer",
        "NoSpark",
    }
)
_MEND_OR_DECIDE = "Sửa tệp rồi gửi lại cùng tên, hoặc gửi quyết định giải trình; hệ thống tự chạy lại khi tệp thay đổi."
_OWN_FAULT = "Xem nhật ký của lượt chạy; các bản đã công bố vẫn có hiệu lực. Sửa xong, chạy lại: cchc run {quarter}"


def tell_run(pipeline: Pipeline, quarter: str, units: Sequence[str], run_id: str) -> bool:
    """Tells what is known by now of each unit of a run; False where there was nothing to make a report of."""
    settings = pipeline.settings
    in_scope = pipeline.deliveries.units_in(quarter, units)
    if not in_scope:
        tell_nothing_delivered(settings, quarter, run_id)
        return False
    _tell_reports(pipeline, quarter, in_scope, run_id, [cause_of("nothing_delivered", quarter)])
    return True


def tell_provinces(pipeline: Pipeline, quarter: str, provinces: Iterable[str], run_id: str) -> None:
    """Tells what came of provinces that were rolled up, and which of them PostgreSQL did not take."""
    named = set(provinces)
    _tell_reports(pipeline, quarter, sorted(named), run_id, [])
    copies = {place: copy for place, copy in pipeline.record.copies.items() if place.split("/")[0] in named}
    tell_copies(pipeline, quarter, copies, run_id)


def _tell_reports(pipeline: Pipeline, quarter: str, units: Iterable[str], run_id: str, gone: list[str]) -> None:
    """``gone``: causes of alerts that hold no longer."""
    alerts, settings = [], pipeline.settings
    for report in unit_reports(pipeline, quarter, units):
        unit = report.unit_code
        if report.state in ("published", "unchanged"):
            gone += [cause_of(kind, quarter, unit) for kind in _WAITING]
        if alert := _alert_of(pipeline, quarter, report, run_id):
            alerts.append(alert)
            if alert.kind in _WAITING:
                gone += [cause_of(kind, quarter, unit) for kind in _WAITING if kind != alert.kind]
    settled(settings, *gone)
    tell(settings, *alerts)
    for alert in alerts:
        if alert.kind == "published":
            strike_out(pipeline.home, str(alert.unit), quarter)


def tell_untold(pipeline: Pipeline) -> None:
    """Tells the current releases that a process published which ended before it had told them, in the same words; a
    note of one that did not become current stays for the next publication.

    The caller holds the home's lock: while a run works, it tells its own.
    """
    from publication import DamagedPointer, current_release

    for unit, quarter, name in untold(pipeline.home):
        try:
            release = current_release(pipeline.home.published, unit, quarter)
        except DamagedPointer:
            continue  # a run puts it back, or the daily look names it
        if release is not None and release.name == name:
            tell(pipeline.settings, _published(pipeline, unit, quarter, name, _revision_of(pipeline, release), ""))
            strike_out(pipeline.home, unit, quarter)


def _revision_of(pipeline: Pipeline, release: Release) -> Revision | None:
    """What a release changed, found anew; None where it is the first, or cannot be compared any more."""
    from publication import DamagedManifest, UnexplainedChange, compare_releases, find_release

    try:
        previous = release.manifest().previous
        if previous is None:
            return None
        before = find_release(pipeline.home.published, release.unit_code, release.quarter, previous.release)
        return compare_releases(before, release, lineage())
    except (LookupError, DamagedManifest, UnexplainedChange) as error:
        _log.warning("%s: what it changed cannot be told: %s", release.path, type(error).__name__)
        return None


def _alert_of(pipeline: Pipeline, quarter: str, report: UnitReport, run_id: str) -> Alert | None:
    """None where a unit's outcome is nothing new, or a step broke and left it without one."""
    unit, settings = report.unit_code, pipeline.settings
    about = f"{unit} {report.name}, {quarter_title(quarter)}"
    links = run_link(settings, run_id)
    if report.state == "published":
        name = str(report.release).rsplit("/", maxsplit=1)[-1]
        return _published(pipeline, unit, quarter, name, report.revision, run_id)
    if report.state == "locked":
        title = f"{about}: kỳ báo cáo đã khóa, số liệu mới chưa công bố"
        figures = report.revision.lines_vi[1 : _FIGURES_SHOWN + 1] if report.revision else []
        return Alert("held_by_lock", title, (*report.reasons, *figures), quarter, unit, links)
    if report.state == "drafted":
        title = f"{about}: đã lập dự thảo, chờ phê duyệt"
        return Alert("awaits_approval", title, tuple(report.reasons), quarter, unit, links)
    if not report.reasons:
        return None
    title = f"{about}: chưa công bố, bị giữ lại"
    if report.state == "failed":
        return Alert("held_back", title, tuple(report.reasons), quarter, unit, links)
    links |= _outbox_links(pipeline, unit, quarter)
    if report.workbook:
        links["Quyết định cần lấy"] = report.workbook
    if pipeline.units.is_superior(unit, quarter):  # nobody takes decisions on what a province delivers
        return Alert("held_back", title, tuple(report.reasons), quarter, unit, links)
    what = (_MEND_OR_DECIDE, *([report.workbook_vi] if report.workbook_vi else []))
    return Alert("held_back", title, (*what, *report.reasons), quarter, unit, links)


def _published(pipeline: Pipeline, unit: str, quarter: str, name: str, revision: Revision | None, run_id: str) -> Alert:
    lines = revision.lines_vi[: _FIGURES_SHOWN + 1] if revision else []
    if revision and (more := len(revision.figures) - _FIGURES_SHOWN) > 0:
        lines.append(f"Còn {more} số liệu khác thay đổi; xem đủ bằng: cchc diff {quarter} --unit {unit}")
    title = f"{unit} {pipeline.units.name_of(unit, quarter)}, {quarter_title(quarter)}: đã công bố bản {name}"
    links = {**run_link(pipeline.settings, run_id), **_page_link(pipeline, unit, quarter, name)}
    return Alert("published", title, tuple(lines), quarter, unit, links)


def tell_nothing_delivered(settings: Settings, quarter: str, run_id: str = "") -> None:
    """A run of a quarter for which nobody has sent anything."""
    lines = (nothing_delivered_vi(quarter), "Nhắc các đơn vị gửi tệp; hệ thống tự chạy khi có đơn vị gửi đủ.")
    title = f"{quarter_title(quarter)}: chưa có báo cáo vì chưa có tệp nào"
    tell(settings, Alert("nothing_delivered", title, lines, quarter, links=run_link(settings, run_id)))


def nothing_delivered_vi(quarter: str) -> str:
    """Why a run of the quarter came to nothing."""
    return f"Chưa đơn vị báo cáo nào gửi tệp của kỳ {quarter}, nên không có gì để tính và công bố."


def tell_copies(pipeline: Pipeline, quarter: str, copies: dict[str, Any], run_id: str) -> dict[str, str]:
    """Tells which releases PostgreSQL did not take; returns them with the reason, by ``unit/quarter``."""
    failed = {place: str(copy) for place, copy in copies.items() if isinstance(copy, Exception)}
    settings, advice = pipeline.settings, "Bản công bố vẫn có hiệu lực; lượt chạy sau chép lại, hoặc: cchc postgres"
    settled(
        settings,
        *(cause_of("postgres_failed", quarter, place.split("/")[0]) for place in copies if place not in failed),
    )
    tell(
        settings,
        *(
            Alert(
                "postgres_failed",
                f"{place}: không chép được sang PostgreSQL",
                (message, advice),
                quarter,
                place.split("/")[0],
                run_link(settings, run_id),
            )
            for place, message in failed.items()
        ),
    )
    return failed


def tell_failure(
    settings: Settings,
    quarter: str,
    run_id: str,
    events: Iterable[Any],
    message: str = "",
    job: str = "",
    error: Any = None,
) -> None:
    """Tells that a run broke: the steps of Dagster's failure ``events`` and why, or, where it has none, the ``error``
    that kept it from its first step, else ``message``.

    Steps that said themselves why there was nothing to do (``dagster.Failure``) have told it.
    """
    found = list(events)
    broken = [event for event in found if event.event_specific_data.user_failure_data is None]
    if found and not broken:
        return
    lines = [f"Bước {event.step_key} hỏng: {_why(event.event_specific_data.error, settings)}" for event in broken]
    _tell_broken(settings, quarter, lines or [_why(error, settings) if error else message], run_id, job)


def tell_unwatched(settings: Settings, quarter: str, why: str | None) -> None:
    """Tells why nobody can say whether a quarter is to be run, so that it does not run by itself; None: it can be."""
    if why is None:
        settled(settings, cause_of("not_watched", quarter))
        return
    lines = (why, f"Các kỳ khác vẫn tự chạy. Xem: cchc doctor. Chạy tay: cchc run {quarter}")
    title = f"{quarter_title(quarter)}: không tự chạy được, hệ thống gặp lỗi khi xem tệp đã gửi"
    tell(settings, Alert("not_watched", title, lines, quarter))


def tell_error(settings: Settings, quarter: str, error: Exception) -> None:
    """Tells that a run of the command line broke before its first step or after its last."""
    _tell_broken(settings, quarter, [_named(type(error).__name__, str(error), settings)])


def _tell_broken(settings: Settings, quarter: str, lines: Iterable[str], run_id: str = "", job: str = "") -> None:
    about = quarter_title(quarter) or f"Việc {job}"
    advice = _OWN_FAULT.format(quarter=quarter).rstrip() if quarter else "Xem nhật ký của lượt chạy."
    alert = Alert("run_failed", f"{about}: lượt chạy hỏng", (*lines, advice), quarter, links=run_link(settings, run_id))
    tell(settings, alert)


def _why(error: Any, settings: Settings) -> str:
    """Why a step broke, of its error, by its class; with its words where they are ours."""
    return _named(*first_cause(error), settings)


def first_cause(error: Any) -> tuple[str, str]:
    """Class and message of what a step of Dagster's broke by; of one of ours the message without the class before it,
    which Dagster writes.
    """
    chain = []
    while error is not None:
        chain.append((error.cls_name, error.message.strip()))
        error = error.cause
    name, message = _telling(chain)
    return name, message.split(": ", maxsplit=1)[-1] if name in OUR_ERRORS else message


def why_broken(error: BaseException | None, settings: Settings) -> str:
    """The same of an error in hand."""
    chain = []
    while error is not None:
        chain.append((type(error).__name__, str(error)))
        error = error.__cause__
    return _named(*_telling(chain), settings) if chain else ""


def _telling(chain: list[tuple[str, str]]) -> tuple[str, str]:
    """Of an error and what it came of, the outermost that is ours, else the root: what one of ours came of says less
    of what to do, and may quote what was delivered.
    """
    return next((each for each in chain if each[0] in OUR_ERRORS), chain[-1])


def _named(name: str, message: str, settings: Settings) -> str:
    if name in OUR_ERRORS and message:
        return f"{name}: {message.splitlines()[0]}"
    cause = cause_vi(message, settings)
    return f"{name}: {cause}" if cause else name


def quarter_title(quarter: str) -> str:
    """``Quý I/2023``; empty for no quarter, the key itself where the table does not know it."""
    return quarter_vi(quarter) if find_period(quarter) else quarter


def run_link(settings: Settings, run_id: str) -> dict[str, str]:
    """Where a run is looked at: its address, or its number where no address of Dagster is set."""
    base = settings.alert_links.dagster
    return {"Lượt chạy": f"{base}/runs/{run_id}" if base else run_id} if run_id else {}


def _page_link(pipeline: Pipeline, unit: str, quarter: str, release: str) -> dict[str, str]:
    base = pipeline.settings.alert_links.page or str(pipeline.home.published)
    return {"Trang số liệu": f"{base}/{unit}/{quarter}/{release}/report/index.html"}


def _outbox_links(pipeline: Pipeline, unit: str, quarter: str) -> dict[str, str]:
    """Where rows to mend lie, of the unit and of those that report by it."""
    home, base = pipeline.home, pipeline.settings.alert_links.outbox or str(pipeline.home.outbox)
    folders = pipeline.units.folders_expected(unit, quarter)
    found = [folder for folder in folders if any((home.outbox / folder / quarter).glob("*/*"))]
    return {f"Dòng trả lại để sửa, {folder}": f"{base}/{folder}/{quarter}" for folder in found}

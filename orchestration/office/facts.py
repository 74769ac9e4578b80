"""What a unit delivered for a period, what is missing by name, what came back and how it is mended: in words.

Belongs here: these facts for the outbox, the page, the reminder and the alerts alike; they are what ``cchc status``
counts. Does not belong here: how they look (``papers``, ``app``), who is sent an alert (``watchman``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from common.periods import Period, is_scheduled, last_closed, load_periods, period_named
from ingestion import SourceStatus, ToldDelivery, load_contracts, remarks_on_landing, told_deliveries
from orchestration.pipeline import Pipeline

Standing = Literal["good", "mend", "old"]
#: What would become of a file that is only tried.
WOULD_BE_VI = {
    "accepted": "sẽ được nhận đủ",
    "partly_accepted": "sẽ được nhận một phần",
    "nothing_to_report": "sẽ được hiểu là không phát sinh",
    "refused": "sẽ bị trả lại cả tệp",
    "not_a_delivery": "không phải là tệp nộp",
}
_HELD = ("wrong_quarter", "wrong_unit")
_MEND_ROWS = (
    "Mở bảng tính trả lại, sửa các ô tô đỏ rồi nộp chính bảng tính ấy cho cùng nguồn (các dòng đã sửa được cộng thêm); "
    "hoặc sửa trên phần mềm, xuất lại cả tệp và nộp cùng tên tệp cũ."
)
_MEND_FILE = "Sửa theo lý do ở trên rồi nộp lại cùng tên tệp. Chưa có dòng nào của tệp này được nhận."
_MEND_PLACE = "Nộp tệp vào đúng đơn vị và kỳ của nó, hoặc sửa kỳ, tên đơn vị ghi trong tệp rồi nộp lại."


@dataclass(frozen=True)
class Told:
    """One delivery as people are told: what became of it, and what to do. ``standing``: is there anything to do."""

    source_vi: str
    delivery: ToldDelivery
    standing: Standing
    outcome_vi: str
    remedy_vi: str

    @property
    def counts_vi(self) -> str:
        d = self.delivery
        parts = [f"đọc {d.rows_read} dòng", f"nhận {d.rows_accepted}"]
        parts += [f"{d.rows_mended} dòng đã sửa nhận ở tệp khác"] if d.rows_mended else []
        return ", ".join([*parts, f"trả lại {d.rows_rejected}", f"nhắc {d.rows_with_findings}"])


@dataclass(frozen=True)
class Box:
    """One folder unit in one period. ``missing`` are the names of sources asked of it of which nothing counts;
    ``waiting`` the files that were delivered and not read yet, as (source's title, file name).
    """

    unit_code: str
    name: str
    period: Period
    reporting_unit: str
    told: tuple[Told, ...]
    sources: tuple[SourceStatus, ...]
    missing: tuple[SourceStatus, ...]
    waiting: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]

    @property
    def to_mend(self) -> tuple[Told, ...]:
        return tuple(told for told in self.told if told.standing == "mend")

    @property
    def rows_rejected(self) -> int:
        return sum(source.rows_rejected for source in self.sources)

    @property
    def state_vi(self) -> str:
        """In a few words: what comes first of what there is to do."""
        if self.missing:
            return f"còn thiếu {len(self.missing)} nguồn"
        if self.to_mend:
            return f"{len(self.to_mend)} tệp cần sửa"
        if self.waiting:
            return "đang chờ đọc tệp"
        return "đã nộp đủ" if self.told else "không phải nộp"


def boxes(pipeline: Pipeline, quarter: str, units: Iterable[str] | None = None) -> Iterator[Box]:
    """The boxes of all folder units of a period's reporting units (or of ``units`` of these), each after the unit that
    it reports by. Raises :class:`ingestion.DamagedError` where the raw layer cannot be read.
    """
    deliveries = pipeline.deliveries
    everybody = [*deliveries.reporting_units(quarter), *deliveries.superiors(quarter)] if units is None else units
    reporting = sorted(everybody)
    period, contracts = period_named(quarter), load_contracts()
    owners = {folder: unit for unit in reporting for folder in pipeline.units.folders_expected(unit, quarter)}
    statuses: dict[str, list[SourceStatus]] = {folder: [] for folder in owners}
    for status in pipeline.deliveries.sources(list(owners), quarter):
        statuses[status.unit_code].append(status)
    told = told_deliveries(pipeline.deliveries.paths, quarter)
    remarks: dict[str, list[str]] = {}
    for remark in remarks_on_landing(pipeline.deliveries.paths).to_pylist():
        if remark["_quarter"] == quarter and remark["_unit_code"]:
            remarks.setdefault(remark["_unit_code"], []).append(f"{remark['message_vi']} {remark['advice_vi']}".strip())
    for folder, unit in owners.items():
        found = statuses[folder]
        yield Box(
            folder,
            pipeline.units.name_of(folder, quarter),
            period,
            unit,
            tuple(_told(delivery) for delivery in told.get(folder, ())),
            tuple(found),
            tuple(pipeline.deliveries.missing_of(found)),
            tuple((contracts[s.source].title_vi, name) for s in found for name in s.waiting),
            tuple(remarks.get(folder, ())),
        )


def _told(d: ToldDelivery) -> Told:
    standing, outcome, remedy = _words(d)
    contract = load_contracts().get(d.source)
    return Told(contract.title_vi if contract else d.source, d, standing, outcome, remedy)


def _words(d: ToldDelivery) -> tuple[Standing, str, str]:
    if d.replaced:
        return "old", "đã có bản nộp sau thay", ""
    kept = " Bản nộp trước vẫn được tính." if d.passed_over else ""
    if d.outcome == "refused":
        if d.refusal in _HELD:
            return "mend", "giữ lại vì không khớp thư mục", _MEND_PLACE + kept
        return "mend", "cả tệp bị trả lại", _MEND_FILE + kept
    if d.rows_rejected:
        taken = "chưa được tính" if d.passed_over else "nhận một phần"
        return "mend", f"{taken}, còn {d.rows_rejected} dòng bị trả lại", _MEND_ROWS + kept
    if d.passed_over:
        return "mend", "chưa được tính", f"Soát lại tệp rồi nộp lại cùng tên.{kept}"
    if d.outcome == "nothing_to_report":
        return "good", "hiểu là không phát sinh", ""
    return "good", "nhận đủ" if not d.rows_mended else "nhận đủ, các dòng bị trả lại đã được sửa", ""


# ------------------------------------------------------------------------------------------------------------- reminder


def missing_vi(source: SourceStatus) -> str:
    """A source that is missing, by name; whether anything was sent."""
    title = load_contracts()[source.source].title_vi
    return title if source.state == "not_sent" else f"{title} (tệp đã gửi bị trả lại)"


def owed(pipeline: Pipeline, units: Iterable[str], quarter: str) -> dict[str, list[SourceStatus]]:
    """What each reporting unit still has to send for a period, itself and for those that report by it; nothing once its
    report is out: what it left out was decided.
    """
    asked = list(units)
    missing = pipeline.deliveries.missing([unit for unit in asked if not is_out(pipeline, unit, quarter)], quarter)
    return {unit: missing.get(unit, []) for unit in asked}


def is_out(pipeline: Pipeline, unit: str, quarter: str) -> bool:
    """Whether anything is published of a unit's period."""
    return (pipeline.home.published / unit / quarter / "current.json").is_file()


def periods_asked_for(today: dt.date, remind_days: int) -> list[Period]:
    """The periods that closed last, and those that close within ``remind_days``, of those that anybody reports on."""
    soon = today + dt.timedelta(days=remind_days)
    closing = [period for period in load_periods() if today <= period.closes_on <= soon and is_scheduled(period)]
    return [*last_closed(today), *closing]


def when_vi(period: Period, today: dt.date) -> str:
    """Words that change as days of the period pass, not every day."""
    if today <= period.closes_on:
        return f"sắp đến ngày chốt số liệu {period.closes_on:%d/%m/%Y}"
    if today <= period.due_on:
        return f"đã qua ngày chốt số liệu, hạn báo cáo {period.due_on:%d/%m/%Y}"
    return f"đã quá hạn báo cáo {period.due_on:%d/%m/%Y}"


def how_to_deliver_vi(quarter: str) -> str:
    return (
        f"Gửi tệp trên trang nộp tệp, hoặc vào thư mục nhận <mã đơn vị>/{quarter}/<nguồn>; không có gì để báo cáo thì "
        "chọn “Không phát sinh” ở ô trả lời phía trên bảng của mẫu, hoặc gửi tệp của phần mềm chỉ có dòng tiêu đề. Mẫu "
        "trống: cchc template <nguồn>"
    )

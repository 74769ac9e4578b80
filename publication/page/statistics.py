"""Statistics of cases beyond the form, as tables of the page.

Belongs here: which rows of the marts on timeliness, backlog, duration and lateness the page lists, and in which words.
Does not belong here: how they are counted (the marts), the form II.06a (a file of the release).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from common.forms import form_named
from publication.content.release_content import ReleaseContent
from publication.formatting import HELD_BACK_VI, alphabetical, format_count, format_date, format_number, percent_of

_CLOCKS = {"reporting_window": "Kỳ báo cáo", "calendar_quarter": "Quý dương lịch"}
_LEVELS = {"all": "Toàn địa bàn", "district": "Cấp huyện", "commune": "Cấp xã"}
_DENOMINATORS = {
    "received": "hồ sơ tiếp nhận trong kỳ",
    "resolved": "hồ sơ đã trả kết quả trong kỳ",
    "due": "hồ sơ đến hạn trả trong kỳ",
}
AGES_VI = {
    "000-005": "đến 5 ngày làm việc",
    "006-010": "6 đến 10 ngày",
    "011-020": "11 đến 20 ngày",
    "021-040": "21 đến 40 ngày",
    "041-": "trên 40 ngày",
    "unknown": "chưa rõ",
}
_LATENESS = {
    "resolved_late": "Đã trả kết quả, trễ hạn",
    "in_progress_overdue": "Đang giải quyết, quá hạn",
    "counted_on_time_by_decision": "Trễ trên phần mềm, tính đúng hạn theo quyết định",
}
#: Procedures listed, those with most cases first; the mart has all.
PROCEDURES_LISTED = 1000


@dataclass(frozen=True)
class Table:
    """A table with a heading and a sentence on how to read it; the first cell of each line names the line.

    ``searched_vi`` labels the field in which lines are looked for; empty where there are few.
    """

    title_vi: str
    note_vi: str
    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    searched_vi: str = ""


def tables(content: ReleaseContent) -> list[Table]:
    """The tables for which the release has rows, in the order of the page."""
    found = (_timeliness(content), _backlog(content), _lateness(content), _durations(content))
    return [table for table in found if table is not None and table.lines]


def held_back_vi(content: ReleaseContent, cells: Iterable[str]) -> str:
    """What a cell says that is held back, where one is; empty where none is."""
    if HELD_BACK_VI not in cells:
        return ""
    few = f"dưới {content.least_count} hồ sơ" if content.least_count > 1 else "rất ít hồ sơ"
    return (
        f"Ô ghi “{HELD_BACK_VI}” là số {few} trễ hạn, quá hạn, chờ bổ sung, bị từ chối, … của một đơn vị hay một "
        "thủ tục, là số mà từ đó suy ra được số ấy, hoặc là thời gian tính trên quá ít hồ sơ. Các số này không công bố "
        "để không ai biết được kết quả hồ sơ của từng người; số chung của từng cấp trong báo cáo luôn được công bố."
    )


def _rows(content: ReleaseContent, mart: str) -> list[Mapping[str, Any]]:
    """A release of a program that did not yet have the mart has no such rows."""
    return content.tables[mart].to_pylist() if mart in content.tables else []


def _timeliness(content: ReleaseContent) -> Table:
    found = {
        (row["clock"], row["scope_kind"], row["scope_code"], row["denominator_kind"]): row
        for row in _rows(content, "case_timeliness")
    }
    lines = []
    for clock, clock_vi in _CLOCKS.items():
        for level, level_vi in _LEVELS.items():
            for kind, kind_vi in _DENOMINATORS.items():
                row = found.get((clock, "all" if level == "all" else "level", level, kind))
                if row is None or row["denominator"] == 0:
                    continue
                window = f"{format_date(row['window_from'])} – {format_date(row['window_to'])}"
                lines.append(
                    (
                        f"{clock_vi} ({window})",
                        level_vi,
                        kind_vi,
                        format_count(row["numerator"]),
                        format_count(row["denominator"]),
                        _percent(row),
                    )
                )
    return Table(
        "Tỷ lệ đúng hạn theo từng mẫu số",
        "Mỗi tỷ lệ đi cùng mẫu số của nó; tỷ lệ theo các mẫu số khác nhau không so sánh được với nhau.",
        ("Kỳ", "Phạm vi", "Mẫu số", "Đúng hoặc trước hạn", "Tổng số", "Tỷ lệ"),
        tuple(lines),
    )


def _percent(row: Mapping[str, Any]) -> str:
    if row["on_time_percent"] is None:
        return HELD_BACK_VI
    told = f"{format_number(percent_of(row['numerator'], row['denominator']) or 0)}%"
    return told + ("" if row["is_complete"] else " (chưa đủ dữ liệu của mọi đơn vị)")


def _backlog(content: ReleaseContent) -> Table:
    found = content.case_totals.backlog
    # A commune that reports by itself has no cases of a district to tell of.
    levels = form_named(content.form_version).case_levels
    lines = []
    for age, age_vi in AGES_VI.items():
        at = [found.get((level, age), (0, 0)) for level in levels]
        if any(cases != 0 for cases, _ in at):
            after = [overdue for _, overdue in at if overdue is not None]
            overdue = sum(after) if len(after) == len(at) else None
            lines.append((age_vi, *(format_count(cases) for cases, _ in at), format_count(overdue)))
    return Table(
        "Hồ sơ chưa giải quyết xong theo thời gian chờ",
        "Tính đến ngày chốt số liệu, theo ngày làm việc từ khi tiếp nhận; gồm cả hồ sơ chờ bổ sung và tạm dừng.",
        ("Đã chờ", *(_LEVELS[level] for level in levels), "Trong đó quá hạn"),
        tuple(lines),
    )


def _durations(content: ReleaseContent) -> Table:
    rows = [
        row
        for row in _rows(content, "procedure_duration")
        if row["clock"] == "reporting_window" and row["resolved"] != 0
    ]
    listed = sorted(rows, key=lambda row: (-(row["resolved"] or 0), row["procedure_code"], row["unit_level"]))
    more = f" {PROCEDURES_LISTED} thủ tục nhiều hồ sơ nhất trong {len(rows)}." if len(rows) > PROCEDURES_LISTED else ""
    return Table(
        "Thời gian giải quyết theo thủ tục",
        "Số ngày làm việc từ khi tiếp nhận đến khi có kết quả, đã trừ thời gian tạm dừng: một nửa và chín phần mười "
        f"số hồ sơ không quá số ngày này.{more}",
        ("Thủ tục", "Cấp", "Đã trả kết quả", "Trễ hạn", "Một nửa", "Chín phần mười"),
        tuple(
            (
                f"{row['procedure_name_vi'] or 'Thủ tục ngoài danh mục'} ({row['procedure_code']})",
                _LEVELS[row["unit_level"]],
                format_count(row["resolved"]),
                format_count(row["resolved_late"]),
                *_days(row),
            )
            for row in listed[:PROCEDURES_LISTED]
        ),
        searched_vi="Thủ tục của tôi mất bao lâu? Tìm theo tên hoặc mã",
    )


def _days(row: Mapping[str, Any]) -> Iterator[str]:
    gaps = (row.get("held_back") or "").split(",")
    for name in ("median_working_days", "p90_working_days"):
        yield format_number(row[name]) if row[name] is not None else HELD_BACK_VI if name in gaps else "chưa rõ"


def _lateness(content: ReleaseContent) -> Table:
    totals = content.case_totals
    order = list(_LATENESS)
    listed = sorted(
        totals.lateness.items(),
        key=lambda item: (order.index(item[0][0]), -(item[1] or 0), alphabetical(totals.causes_vi[item[0][1]])),
    )
    return Table(
        "Hồ sơ trễ hạn theo nguyên nhân",
        "Nguyên nhân như đơn vị ghi, xếp theo loại.",
        ("Tình trạng", "Nguyên nhân", "Số hồ sơ"),
        tuple(
            (_LATENESS[lateness], totals.causes_vi[cause], format_count(cases)) for (lateness, cause), cases in listed
        ),
    )

"""The charts of the page: which figures they show and how the same is said in words.

Belongs here: picking figures from the marts for each chart, its title, summary and table.
Does not belong here: drawing (``charts``), the rest of the page (``view``).

Shares in percent are of two counts of one mart row or of a sum of such rows; they place bars and stand beside the
counts they come from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

from common.forms import form_named
from common.periods import in_order, kind_of, load_periods, period_named, quarter_vi, running_title_vi
from common.unit_pasts import alone_since, begins_on
from common.units import registered
from publication.content.passport import STATUS_VI
from publication.content.release_content import ReleaseContent
from publication.formatting import HELD_BACK_VI, format_count, format_date, format_number, percent_of
from publication.page.charts import GAP_MARK, Chart, Series, draw_bars, draw_lines, draw_shares, print_all
from publication.tables.annex import lower_first

_LEVELS = {"district": "Cấp huyện", "commune": "Cấp xã"}
_CHANNELS = {"direct": "Trực tiếp", "online": "Trực tuyến", "postal": "Bưu chính công ích"}
_PERCENT = "%"
_T = TypeVar("_T")
NO_FIGURE_VI = "chưa có số liệu"


def charts(content: ReleaseContent) -> list[Chart]:
    """Every chart of the period for which the release has figures, in the order of the page."""
    found = [_on_time(content), _channels(content), _staffing(content)]
    return [chart for chart in found if chart is not None]


def trends(content: ReleaseContent) -> list[Chart]:
    """The figures on top of the page, and what the form declares to be shown together, over all periods that the
    release knows: a line each, broken where a period has no figure and where the unit begins.
    """
    told = {(row["trend_quarter"], row["indicator_code"]): row for row in content.tables["indicator_trend"].to_pylist()}
    quarters = _whole_stretch([quarter for quarter, _ in told])
    page, each = form_named(content.form_version).page, kind_of(content.quarter).each_vi
    asked = [(trend.id, trend.title_vi.format(each=each), trend.rows) for trend in page.trends]
    shown = {code for trend in page.trends for code in trend.rows}
    asked += [
        (f"cac-ky-{card.row.replace('.', '-')}", f"{card.title_vi}, qua các {each}", {card.row: "Số liệu"})
        for card in page.cards
        if card.row not in shown
    ]
    charted = (_trend(content, told, quarters, *one) for one in asked)
    return [chart for chart in charted if chart is not None]


def _whole_stretch(quarters: Iterable[str]) -> list[str]:
    """Every period from the first to the last, those between of which nothing is known too."""
    known = in_order(quarters)
    if not known:
        return []
    first, last = period_named(known[0]), period_named(known[-1])
    between = (
        period.quarter
        for period in load_periods()
        if (period.kind, period.calendar) == (last.kind, last.calendar)
        and first.closes_on <= period.closes_on <= last.closes_on
    )
    return in_order([*known, *between])


def _trend(
    content: ReleaseContent,
    told: Mapping[tuple[str, str], Mapping[str, Any]],
    quarters: Sequence[str],
    identifier: str,
    title_vi: str,
    rows: Mapping[str, str],
) -> Chart | None:
    series = []
    for code, name in rows.items():
        figures = tuple(told.get((quarter, code), {}).get("value") for quarter in quarters)
        gaps = [STATUS_VI[told[at, code]["status"]].lower() if (at, code) in told else NO_FIGURE_VI for at in quarters]
        printed = tuple(text or gap for text, gap in zip(print_all(figures), gaps, strict=True))
        series.append(Series(name, figures, printed))
    if all(value is None for one in series for value in one.values):
        return None
    labels = tuple(period_named(quarter).short_name_vi for quarter in quarters)
    cells = [
        tuple(_cell(told.get((quarter, code)), one.printed[place]) for code, one in zip(rows, series, strict=True))
        for place, quarter in enumerate(quarters)
    ]
    table = [(label, *row) for label, row in zip(labels, cells, strict=True)]
    before = _before(told, quarters)
    if before:
        table.insert(before, (f"{_BREAK_VI} {format_date(_begins(content)[0])}", *("" for _ in series)))
    # What came before the unit is told by the break, not by a mark.
    missing = [place >= before and any(one.values[place] is None for one in series) for place in range(len(quarters))]
    years = _new_years(content, rows, quarters)
    breaks = {**dict.fromkeys(years, ""), **({before: "‖"} if before else {})}
    broken = [
        Series(
            one.name_vi,
            _broken(one.values, dict.fromkeys(breaks)),
            _broken(one.printed, dict.fromkeys(breaks, "")),
        )
        for one in series
    ]
    return Chart(
        identifier,
        title_vi,
        _trend_summary(quarters, series, _unit_of(content, rows), sum(missing))
        + (f" {_break_vi(content, told)}" if before else "")
        + (f" {_NEW_YEAR_VI}" if years else ""),
        draw_lines(_broken(labels, breaks), broken, marked=_broken(missing, dict.fromkeys(breaks, False))),
        tuple(one.name_vi for one in series) if len(series) > 1 else (),
        (kind_of(content.quarter).heading_vi, *(one.name_vi for one in series)),
        tuple(table),
    )


_NEW_YEAR_VI = "Số lũy kế từ đầu năm, mỗi năm tính lại từ đầu nên đường bị ngắt giữa hai năm."


def _new_years(content: ReleaseContent, codes: Iterable[str], quarters: Sequence[str]) -> list[int]:
    """Where a figure summed up over the year begins again: no line leads there, as no words compare across years
    (``differences``). Longer periods are held against the year before alone.
    """
    rows = [content.rows_by_code[code].values for code in codes if code in content.rows_by_code]
    if not kind_of(content.quarter).previous_vi or not any(row["period_basis"] == "year_to_date" for row in rows):
        return []
    years = [period_named(quarter).report_year for quarter in quarters]
    return [place for place, (one, next_one) in enumerate(pairwise(years), start=1) if one != next_one]


def _broken(items: Sequence[_T], breaks: Mapping[int, _T]) -> tuple[_T, ...]:
    """The items with what stands at each break before the place of that number."""
    found: list[_T] = []
    for place, item in enumerate(items):
        found += [breaks[place]] if place in breaks else []
        found.append(item)
    return tuple(found)


def _unit_of(content: ReleaseContent, codes: Iterable[str]) -> str:
    """What the figures of these rows are counted in, where all say the same."""
    rows = [content.rows_by_code[code].values for code in codes if code in content.rows_by_code]
    units = {str(row["unit_of_measure_canonical"] or row["unit_of_measure"] or "") for row in rows}
    return units.pop() if len(units) == 1 else ""


#: What stands in a table of a series where the unit begins.
_BREAK_VI = "Đổi đơn vị từ"


def _before(told: Mapping[tuple[str, str], Mapping[str, Any]], quarters: Sequence[str]) -> int:
    """How many of the periods came before the unit: of them the series tell its predecessors or nothing."""
    own = {quarter for (quarter, _), row in told.items() if row.get("basis", "own") == "own"}
    return next((place for place, quarter in enumerate(quarters) if quarter in own), 0)


def _begins(content: ReleaseContent) -> tuple[dt.date, bool]:
    """Since when a unit with a break has been made of nobody else, and whether it began then or others came into it."""
    register, day = registered(), period_named(content.quarter).closes_on
    unit = register.unit(content.unit_code, day)
    since = alone_since(register, unit, day) if unit else None
    if unit is None or since is None:
        raise LookupError(f"the register knows no day since which {content.unit_code} has been what it is")
    return since, since == begins_on(register, unit)


def _cell(row: Mapping[str, Any] | None, printed: str) -> str:
    """A figure, or at a break that of the unit that reported then, by its name."""
    if row is None or row.get("basis", "own") != "break" or row["predecessor_value"] is None:
        return printed
    return f"{format_number(row['predecessor_value'])} ({lower_first(row['predecessor_names_vi'])})"


def _break_vi(content: ReleaseContent, told: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    """What the periods before the unit show, and of whom."""
    since, is_new = _begins(content)
    summed = next((row["predecessor_names_vi"] for row in told.values() if row.get("basis") == "predecessors"), None)
    reporting = next(
        (
            row["predecessor_names_vi"]
            for row in told.values()
            if row.get("basis") == "break" and row["predecessor_names_vi"]
        ),
        None,
    )
    name, not_yet = lower_first(content.unit_name_vi), f"Trước ngày {format_date(since)}"
    said = [f"{not_yet} chưa có {name}" if is_new else f"{not_yet} {name} chưa gồm đơn vị nhập vào"]
    if summed:
        said.append(
            f"số liệu là tổng của các đơn vị cũ nhập trọn vào ({', '.join(map(lower_first, summed.split(', ')))})"
        )
    if reporting:
        said.append(f"chỉ tiêu không tách được thì ghi số của {lower_first(reporting)}, không vẽ trên biểu đồ")
    return "; ".join(said) + "."


def _trend_summary(quarters: Sequence[str], series: Sequence[Series], unit_vi: str, missing: int) -> str:
    last = "; ".join(f"{one.name_vi.lower()} {one.printed[-1]}" for one in series)
    begin, end = running_title_vi(quarters[0]), running_title_vi(quarters[-1])
    stretch = f"Từ {begin} đến {end}. " if len(quarters) > 1 else ""
    gaps = f" Dấu {GAP_MARK}: kỳ chưa có số liệu ({missing} trên {len(quarters)} kỳ)." if missing else ""
    return f"{stretch}{quarter_vi(quarters[-1])}: {last}{f' ({unit_vi})' if unit_vi else ''}.{gaps}"


def _on_time(content: ReleaseContent) -> Chart | None:
    """Of the cases resolved, those on time as the form counts them: one whose appointment nobody knows is not."""
    names = {row["unit_code"]: row["name_vi"] for row in content.tables["dim_unit"].to_pylist()}
    levels = {row["unit_code"]: row["unit_level"] for row in content.tables["dim_unit"].to_pylist()}
    rows = [row for row in _rates(content) if row["denominator_kind"] == "resolved"]
    units = sorted(
        (row for row in rows if row["scope_kind"] == "unit" and row["denominator"] != 0),
        key=lambda row: (levels.get(row["scope_code"]) != "district", row["scope_code"]),
    )
    whole = next((row for row in rows if row["scope_kind"] == "all"), None)
    if not units or whole is None:
        return None
    lines = [
        (str(names.get(row["scope_code"], row["scope_code"])), row["denominator"], row["numerator"]) for row in units
    ]
    rates = tuple(
        None if resolved is None or on_time is None else percent_of(on_time, resolved) for _, resolved, on_time in lines
    )
    series = Series("Đúng hạn", rates, tuple(text or HELD_BACK_VI for text in print_all(rates, _PERCENT)))
    return Chart(
        "dung-han",
        "Giải quyết đúng hạn theo nơi tiếp nhận",
        f"{format_count(whole['numerator'])} trên {format_count(whole['denominator'])} hồ sơ đã trả kết quả là đúng "
        "hoặc trước hạn, tính như biểu: theo số liệu chi tiết của phần mềm và các quyết định giải trình.",
        draw_bars([name for name, _, _ in lines], [series], top=Decimal(100)),
        (),
        ("Nơi tiếp nhận", "Đã trả kết quả", "Đúng hoặc trước hạn", "Trễ hạn hoặc chưa rõ hạn", "Tỷ lệ đúng hạn"),
        tuple(
            (
                name,
                format_count(resolved),
                format_count(on_time),
                format_count(None if resolved is None or on_time is None else resolved - on_time),
                rate,
            )
            for (name, resolved, on_time), rate in zip(lines, series.printed, strict=True)
        ),
    )


def _rates(content: ReleaseContent) -> list[dict[str, Any]]:
    """On-time rates on the clock of the report; a release of a program that did not yet have them has none."""
    found = content.tables["case_timeliness"].to_pylist() if "case_timeliness" in content.tables else []
    return [row for row in found if row["clock"] == "reporting_window"]


def _channels(content: ReleaseContent) -> Chart | None:
    counts = content.case_totals.received
    levels = [level for level in _LEVELS if sum(count for (at, _), count in counts.items() if at == level)]
    if not levels:
        return None
    received = {level: [counts.get((level, channel), 0) for channel in _CHANNELS] for level in levels}
    series = []
    for place, name in enumerate(_CHANNELS.values()):
        shares = tuple(percent_of(received[level][place], sum(received[level])) for level in levels)
        series.append(Series(name, shares, print_all(shares, _PERCENT)))
    online = sum(found[1] for found in received.values())
    total = sum(sum(found) for found in received.values())
    return Chart(
        "kenh-tiep-nhan",
        "Kênh tiếp nhận hồ sơ",
        f"{format_number(online)} trên {format_number(total)} hồ sơ tiếp nhận trong {kind_of(content.quarter).span_vi} "
        f"được nộp trực tuyến ({format_number(percent_of(online, total) or 0)}{_PERCENT} của mọi hồ sơ, kể cả của thủ "
        "tục chưa cung cấp trực tuyến).",
        draw_shares([_LEVELS[level] for level in levels], series),
        tuple(_CHANNELS.values()),
        ("Cấp tiếp nhận", *_CHANNELS.values(), "Tổng số"),
        tuple(
            (
                _LEVELS[level],
                *(
                    f"{format_number(count)} ({text})"
                    for count, text in zip(received[level], [one.printed[place] for one in series], strict=True)
                ),
                format_number(sum(received[level])),
            )
            for place, level in enumerate(levels)
        ),
    )


def _staffing(content: ReleaseContent) -> Chart | None:
    rows = content.rows_by_code
    lines = []
    for kind in form_named(content.form_version).page.staffing:
        quota, now = (rows[code].value if code in rows else None for code in (kind.quota, kind.present))
        if quota or now:
            lines.append((kind.title_vi, quota, now))
    if not lines:
        return None
    quotas = tuple(quota for _, quota, _ in lines)
    present = tuple(now for _, _, now in lines)
    given, there = Series("Được giao", quotas, print_all(quotas)), Series("Có mặt", present, print_all(present))
    missing = [(None if quota is None or now is None else quota - now) for _, quota, now in lines]
    return Chart(
        "bien-che",
        "Biên chế được giao và có mặt",
        " ".join(
            f"{name}: có mặt {there.printed[place] or 'chưa rõ'} trên {given.printed[place] or 'chưa rõ'} "
            "người được giao."
            for place, (name, _, _) in enumerate(lines)
        ),
        draw_bars([name for name, _, _ in lines], [given, there]),
        (given.name_vi, there.name_vi),
        ("Loại", given.name_vi, there.name_vi, "Còn thiếu so với số được giao"),
        tuple(
            (name, given.printed[place], there.printed[place], text)
            for place, ((name, _, _), text) in enumerate(zip(lines, print_all(missing), strict=True))
        ),
    )

"""One-stop cases of the sample: received, handled and returned on working days, with codes that carry the receipt date.

Belongs here: canonical rows of ``one_stop_cases`` for one unit and quarter, and their multiplication for large samples.
Does not belong here: the people in the files (``workbooks``), the figures aimed at (``quarters``).
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

from sample import workdays
from sample.districts import Commune, District
from sample.places import plan_of
from sample.procedures import Procedure, everyday
from sample.quarters import PostalUse, QuarterPlan, Window, quarter_before

Row = dict[str, Any]

SOFTWARE_REASON = "Lỗi cập nhật trên phần mềm, trả đúng hạn cho người dân"
_LATE_REASONS = (
    "Cơ quan phối hợp chậm cho ý kiến, đã gửi phiếu xin lỗi",
    "Phải xác minh thêm tại thực địa, đã gửi phiếu xin lỗi và hẹn lại ngày trả",
    "Cán bộ thụ lý nghỉ ốm, đã gửi phiếu xin lỗi",
)
_REFUSAL = "Không đủ điều kiện giải quyết, đã có văn bản trả lời"
_OPENING_HOURS = ((7, 0, 11, 0), (13, 30, 16, 30))
# Share of cases of everyday life at each level; the remaining ones are spread over the whole catalogue.
_DISTRICT_WEIGHTS = {
    "2.000815": 9, "2.000635": 4, "1.001612": 11, "2.000720": 5, "1.001266": 4, "1.001776": 14, "1.001731": 6,
}  # fmt: skip
_COMMUNE_WEIGHTS = {
    "2.000815": 30, "2.000884": 16, "2.000635": 9, "1.001193": 9, "1.004873": 6, "1.000894": 5, "1.000656": 5,
    "2.000986": 4, "1.001699": 4,
}  # fmt: skip
_LAND_WEIGHT, _OTHER_WEIGHT = 3, 0.12
# More than the largest serial a unit gives out on one day before multiplication; see ``multiplied``.
_SERIAL_STEP = 1000
#: A case code has at most seven digits for the day's serial, as intake reads it: as many copies fit into them.
LARGEST_SCALE = 10_000_000 // _SERIAL_STEP


@dataclass
class _Draft:
    """A case before its code is known."""

    procedure: Procedure
    channel: str = "direct"
    return_channel: str = "direct"
    outcome: str = "resolved"
    late: bool = False


def district_rows(seed: int, district: District, quarter: str) -> list[Row]:
    """The district's export of the quarter, with the cases that were open when the quarter began."""
    return [dict(row) for row in _district_rows(seed, district, quarter)]


def commune_rows(seed: int, district: District, commune: Commune, quarter: str) -> list[Row]:
    """The commune's export of the quarter, with the cases that were open when the quarter began."""
    return [dict(row) for row in _commune_rows(seed, district, commune, quarter)]


@cache
def _district_rows(seed: int, district: District, quarter: str) -> tuple[Row, ...]:
    plan = plan_of(district.code, quarter)
    cases = plan.district_cases
    rng = random.Random(f"cases-{seed}-{district.code}-{quarter}")
    outcomes = (
        ["resolved"] * cases.resolved
        + ["open"] * cases.open
        + ["withdrawn"] * cases.withdrawn
        + ["refused"] * cases.refused
        + ["not_received"] * cases.not_received
        + ["registered"] * cases.registered
    )
    drafts = _draft(
        rng,
        outcomes,
        [(online.code, online.district_cases) for online in plan.online],
        _pool(seed, "district"),
        {code: split[0] for code, split in _online_split(plan).items()},
        plan.district_post,
    )
    for draft in rng.sample(
        [d for d in drafts if d.outcome == "resolved" and 3 <= d.procedure.limit_days <= 15], k=cases.late
    ):
        draft.late = True
    prefix = f"000.00.{district.case_code}.H51"
    reasons = _LATE_REASONS if plan.complete else (SOFTWARE_REASON,)
    rows = _rows(rng, drafts, district.code, prefix, plan.window, reasons)
    return (*_carried_to_district(seed, district, quarter, plan), *rows)


@cache
def _commune_rows(seed: int, district: District, commune: Commune, quarter: str) -> tuple[Row, ...]:
    plan = plan_of(district.code, quarter)
    position = district.communes.index(commune)
    rng = random.Random(f"cases-{seed}-{commune.code}-{quarter}")
    resolved, still_open = plan.commune_resolved[position], plan.commune_open[position]
    drafts = _draft(
        rng,
        ["resolved"] * resolved + ["open"] * still_open,
        [(online.code, _share(online.commune_cases, position, plan)) for online in plan.online],
        _pool(seed, "commune"),
        {code: _share(split[1], position, plan) for code, split in _online_split(plan).items()},
        plan.commune_post if position == 0 else PostalUse((0, 0), (0, 0)),
    )
    prefix = f"000.{21 + position}.{district.case_code}.H51"
    rows = _rows(rng, drafts, commune.code, prefix, plan.window, _LATE_REASONS)
    return (*_carried_to_commune(seed, district, commune, quarter, plan), *rows)


def software_late_codes(seed: int, district: District, quarter: str) -> list[str]:
    """Codes of the cases that were returned on time but closed late in the software, in order."""
    rows = district_rows(seed, district, quarter)
    return sorted(row["case_code"] for row in rows if row["late_reason"] == SOFTWARE_REASON)


def multiplied(rows: list[Row], scale: int) -> Iterator[Row]:
    """Each row ``scale`` times, its copies told apart by serials further on in the same day."""
    for row in rows:
        endings = endings_of_copies(row, scale)
        for copy, code in enumerate(multiplied_codes(row["case_code"], scale)):
            yield {**endings[copy % len(endings)], "case_code": code}


def endings_of_copies(row: Row, scale: int) -> list[Row]:
    """What copies of a case take in turn: the row itself, then each ended a minute after the one before.

    All in the same hour and none past a due moment that the case met: no figure but the number of cases differs. Were
    all copies to end in one minute, each would be one of a mass closing.
    """
    ended = [row[name] for name in ("finished_at", "returned_at") if row[name] is not None]
    due = [row[name] for name in ("due_at", "extended_to") if row[name] is not None]
    room = min((60 - moment.minute for moment in ended), default=1)
    left = [int((end - moment).total_seconds()) // 60 + 1 for end in due for moment in ended if moment <= end]
    return [
        {
            **row,
            **{name: row[name] + dt.timedelta(minutes=later) for name in ("finished_at", "returned_at") if row[name]},
        }
        for later in range(min(scale, room, *left))
    ]


def multiplied_codes(code: str, scale: int) -> Iterator[str]:
    """The codes of the ``scale`` copies of a case; the first is ``code`` itself."""
    head, _, serial = code.rpartition("-")
    first = int(serial)
    return (f"{head}-{first + copy * _SERIAL_STEP:04d}" for copy in range(scale))


def _online_split(plan: QuarterPlan) -> dict[str, tuple[int, int]]:
    """Online cases by procedure at (district, communes), in proportion to the cases of the two levels."""
    split = {}
    for online in plan.online:
        at_district = online.online * online.district_cases // (online.district_cases + online.commune_cases)
        split[online.code] = (at_district, online.online - at_district)
    return split


def _share(total: int, position: int, plan: QuarterPlan) -> int:
    """The part of ``total`` that falls to the commune at ``position``, by its cases; the parts add up to ``total``."""
    sizes = [a + b for a, b in zip(plan.commune_resolved, plan.commune_open, strict=True)]
    upper = total * sum(sizes[: position + 1]) // sum(sizes)
    return upper - total * sum(sizes[:position]) // sum(sizes)


def _pool(seed: int, level: str) -> tuple[list[Procedure], list[float]]:
    weights = _DISTRICT_WEIGHTS if level == "district" else _COMMUNE_WEIGHTS
    pool = [p for p in everyday(seed) if (p.at_district if level == "district" else p.at_commune)]
    rest = {p.code: (_LAND_WEIGHT if p.field == "Đất đai" else _OTHER_WEIGHT) for p in pool}
    return pool, [weights.get(p.code, rest[p.code]) for p in pool]


def _draft(
    rng: random.Random,
    outcomes: list[str],
    fixed: list[tuple[str, int]],
    pool: tuple[list[Procedure], list[float]],
    online: dict[str, int],
    post: PostalUse,
) -> list[_Draft]:
    """Gives each outcome a procedure and its channels; ``fixed`` procedures get exactly their number of cases.

    Outcomes that do not count as received never take a fixed procedure.
    """
    procedures, weights = pool
    by_code = {p.code: p for p in procedures}
    pools: dict[bool, tuple[list[Procedure], list[float]]] = {}
    for slow in (False, True):
        chosen = [
            (p, w)
            for p, w in zip(procedures, weights, strict=True)
            if p.code not in dict(fixed) and (not slow or p.limit_days >= 10)
        ]
        pools[slow] = ([p for p, _ in chosen], list(accumulate(w for _, w in chosen)))
    drafts = []
    for outcome in outcomes:
        among, cumulative = pools[outcome == "open"]
        drafts.append(_Draft(rng.choices(among, cum_weights=cumulative)[0], outcome=outcome))
    replaceable = [d for d in drafts if d.outcome == "resolved"]
    rng.shuffle(replaceable)
    for code, count in fixed:
        for number in range(count):
            draft = replaceable.pop()
            draft.procedure = by_code[code]
            draft.channel = "online" if number < online[code] else "direct"
            draft.return_channel = "online" if draft.channel == "online" and rng.random() < 0.3 else "direct"
    _send_by_post(drafts, post)
    rng.shuffle(drafts)
    return drafts


def _send_by_post(drafts: list[_Draft], post: PostalUse) -> None:
    """Marks exactly the planned numbers of cases and procedures as received and returned by post."""
    for attribute, (procedure_count, case_count) in (("channel", post.received), ("return_channel", post.returned)):
        free = [
            d for d in drafts if d.procedure.postal and d.outcome == "resolved" and getattr(d, attribute) == "direct"
        ]
        uses = Counter(d.procedure.code for d in free)
        codes = sorted(uses, key=lambda code: (-uses[code], code))[:procedure_count]
        firsts = [next(d for d in free if d.procedure.code == code) for code in codes]
        others = [d for d in free if d.procedure.code in codes and not any(d is first for first in firsts)]
        for draft in [*firsts, *others[: case_count - procedure_count]]:
            setattr(draft, attribute, "postal")


def _rows(
    rng: random.Random,
    drafts: list[_Draft],
    unit: str,
    prefix: str,
    window: Window,
    late_reasons: tuple[str, ...],
) -> list[Row]:
    rows = [_dated(rng, draft, unit, window, late_reasons) for draft in drafts]
    rows.sort(key=lambda row: row["received_at"])
    serials: Counter[str] = Counter()
    for row in rows:
        day = row["received_at"].strftime("%y%m%d")
        serials[day] += 1
        row["case_code"] = f"{prefix}-{day}-{serials[day]:04d}"
    return rows


def _dated(rng: random.Random, draft: _Draft, unit: str, window: Window, late_reasons: tuple[str, ...]) -> Row:
    """A row with dates that fit its outcome; ``case_code`` is still empty."""
    days = workdays.between(window.opens_on, window.closes_on)
    limit, last = draft.procedure.limit_days, len(days) - 1
    spent, extension = 0, 0
    if draft.outcome == "open":
        start = rng.randint(max(0, last + 1 - limit), last)
    elif draft.late:
        overrun = rng.randint(1, 2)
        spent = limit + overrun
        start = rng.randint(0, last - spent)
    else:
        start = rng.randint(0, last)
        spent = min(rng.randint((limit + 1) // 2, limit), last - start)
        if draft.outcome == "resolved" and limit >= 15 and last - start > limit + 4 and rng.random() < 0.02:
            extension = 5
            spent = limit + rng.randint(1, extension)
    begins = days[start]
    received_at = _received_at(rng, draft.channel, begins, window, same_day=spent == 0)
    due_on = workdays.add(begins, limit)
    due_at = None if limit == 0 and rng.random() < 0.6 else dt.datetime.combine(due_on, dt.time(17, 0))
    row = _empty_row(draft, unit, received_at, due_at)
    if extension:
        row["extended_to"] = dt.datetime.combine(workdays.add(due_on, extension), dt.time(17, 0))
    _settle(rng, draft, row, begins, spent, window, late_reasons)
    return row


def _empty_row(draft: _Draft, unit: str, received_at: dt.datetime, due_at: dt.datetime | None) -> Row:
    return {
        "case_code": "",
        "procedure_code": draft.procedure.code,
        "procedure_name": draft.procedure.name,
        "field": draft.procedure.field,
        "receiving_unit": unit,
        "received_at": received_at,
        "due_at": due_at,
        "finished_at": None,
        "returned_at": None,
        "status": "in_progress",
        "channel": draft.channel,
        "return_channel": None,
        "suspended_days": None,
        "extended_to": None,
        "late_reason": None,
    }


def _settle(
    rng: random.Random,
    draft: _Draft,
    row: Row,
    begins: dt.date,
    spent: int,
    window: Window,
    late_reasons: tuple[str, ...],
) -> None:
    if draft.outcome == "resolved":
        finished_at = _finished_at(rng, row["received_at"], workdays.add(begins, spent))
        _resolve(rng, row, finished_at, window, draft.return_channel)
        if draft.late:
            row["late_reason"] = rng.choice(late_reasons)
            row["finished_at"] = finished_at
    elif draft.outcome == "open":
        row["status"] = "received" if begins >= window.closes_on - dt.timedelta(days=1) else "in_progress"
    else:
        row["status"] = draft.outcome
        if draft.outcome == "refused":
            row["late_reason"] = _REFUSAL
        if draft.outcome in ("registered", "not_received"):
            row["due_at"] = None


def _resolve(rng: random.Random, row: Row, finished_at: dt.datetime, window: Window, return_channel: str) -> None:
    """Closes a case: most results are returned at once or within two days, some wait to be fetched."""
    row["finished_at"] = finished_at
    if rng.random() < 0.12 and return_channel == "direct":
        row["status"] = "finished"
        return
    row["status"], row["return_channel"] = "returned", return_channel
    row["returned_at"] = finished_at + dt.timedelta(minutes=rng.randint(5, 90))
    if rng.random() < 0.3:
        later = workdays.add(finished_at.date(), rng.randint(1, 2))
        if later <= window.closes_on:
            row["returned_at"] = dt.datetime.combine(later, dt.time(rng.randint(7, 10), rng.randint(0, 59)))
    elif rng.random() < 0.04 and row["returned_at"].date() == finished_at.date():
        # Some clerks record the return only.
        row["finished_at"] = None


def _received_at(rng: random.Random, channel: str, begins: dt.date, window: Window, *, same_day: bool) -> dt.datetime:
    """Time of receipt; online cases also come in on the days off before the working day ``begins``."""
    before = begins - dt.timedelta(days=1)
    if channel == "online" and not same_day and before >= window.opens_on and before not in workdays.working_days():
        return dt.datetime.combine(before, dt.time(rng.randint(6, 21), rng.randint(0, 59), rng.randint(0, 59)))
    from_hour, from_minute, to_hour, to_minute = rng.choice(_OPENING_HOURS)
    minute = rng.randint(from_hour * 60 + from_minute, to_hour * 60 + to_minute)
    return dt.datetime.combine(begins, dt.time(minute // 60, minute % 60, rng.randint(0, 59)))


def _finished_at(rng: random.Random, received_at: dt.datetime, day: dt.date) -> dt.datetime:
    if day == received_at.date():
        return received_at + dt.timedelta(minutes=rng.randint(5, 25))
    return dt.datetime.combine(day, dt.time(rng.randint(8, 15), rng.randint(0, 59), rng.randint(0, 59)))


def open_rows(rows: Iterable[Row]) -> list[Row]:
    """Copies of the cases that the export shows neither ended nor set aside."""
    return [dict(row) for row in rows if row["status"] in ("received", "in_progress")]


def _carried_to_district(seed: int, district: District, quarter: str, plan: QuarterPlan) -> list[Row]:
    """The district's cases left open by the quarter before, as they stand at this quarter's closing."""
    previous = quarter_before(quarter)
    if previous is None:
        return []
    rng = random.Random(f"carried-{seed}-{district.code}-{quarter}")
    rows = open_rows(_district_rows(seed, district, previous))
    unresolved = rng.sample(range(len(rows)), k=plan.carried.withdrawn + plan.carried.still_open)
    withdrawn = set(unresolved[: plan.carried.withdrawn])
    late = set(rng.sample([n for n in range(len(rows)) if n not in set(unresolved)], k=plan.carried.late))
    for number, row in enumerate(rows):
        if number in withdrawn:
            row["status"] = "withdrawn"
        elif number in unresolved:
            extended_on = workdays.next_on_or_after(plan.window.closes_on + dt.timedelta(days=16))
            row["status"], row["extended_to"] = "in_progress", dt.datetime.combine(extended_on, dt.time(17, 0))
        else:
            _resolve_carried(rng, row, plan.window, late=number in late)
    return rows


def _carried_to_commune(seed: int, district: District, commune: Commune, quarter: str, plan: QuarterPlan) -> list[Row]:
    """The commune's cases left open by the quarter before: withdrawn in the real quarter, else resolved in time."""
    previous = quarter_before(quarter)
    if previous is None:
        return []
    rng = random.Random(f"carried-{seed}-{commune.code}-{quarter}")
    rows = open_rows(_commune_rows(seed, district, commune, previous))
    for row in rows:
        if plan.complete:
            _resolve_carried(rng, row, plan.window, late=False)
        else:
            row["status"] = "withdrawn"
    return rows


def _resolve_carried(rng: random.Random, row: Row, window: Window, *, late: bool) -> None:
    due_on = (row["extended_to"] or row["due_at"]).date()
    first = workdays.next_on_or_after(window.opens_on)
    last = workdays.distance(first, due_on)
    steps = last + rng.randint(1, 3) if late else rng.randint(0, last)
    _resolve(rng, row, _finished_at(rng, row["received_at"], workdays.add(first, steps)), window, "direct")
    if late:
        row["late_reason"] = rng.choice(_LATE_REASONS)
        row["finished_at"] = row["finished_at"] or row["returned_at"]

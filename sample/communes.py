"""The sample after the reform of 1 July 2025: communes that report by themselves, of which those two are described that
succeeded the sample's district.

Belongs here: the two units and their plans of each quarter, how any other commune gets its own, and the canonical rows
of all their files, in the words and codes of those years. Unit names and codes are real; people, cases, and every
identifier that is not known publicly are invented: the agency numbers inside case codes (``H13.331``, ``G15.331``),
office codes, document numbers.
Does not belong here: the district (``districts``, ``quarters``), how files look (``layouts``, ``workbooks``).

Cases of procedures that a ministry's own system handles bear that system's code (six digits, or seven) and stand in
its export and in the province's, under the one code. Cases that the district received and did not finish stand in the
export of the commune that took them over, under the district's code.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from common.units import registered
from sample import cases, people, workdays
from sample.districts import CU_LAO_DUNG
from sample.procedures import Procedure, everyday
from sample.quarters import CLOSING, CLOSING_WINDOWS, Window

Row = dict[str, Any]
FileKey = tuple[str, str, str]

REFORM = dt.date(2025, 7, 1)
#: Windows of the communes: the first begins with them.
COMMUNE_WINDOWS = {
    "2025-Q3": Window(REFORM, dt.date(2025, 9, 14), REFORM),
    "2025-Q4": Window(dt.date(2025, 9, 15), dt.date(2025, 12, 14), REFORM),
    "2026-Q1": Window(dt.date(2025, 12, 15), dt.date(2026, 3, 14), dt.date(2025, 12, 15)),
}
COMMUNE_QUARTERS = tuple(COMMUNE_WINDOWS)
_CLOSING = CLOSING_WINDOWS[CLOSING]

_OFFICES = (
    ("Văn phòng HĐND và UBND", "VP HĐND&UBND"),
    ("Phòng Kinh tế", "P. Kinh tế"),
    ("Phòng Văn hóa - Xã hội", "P. VH-XH"),
    ("Trung tâm Phục vụ hành chính công", "TT PVHCC"),
)
_ONE_STOP = 3
_TYPE = re.compile(r"^(?:Xã|Phường|Đặc khu) ")
#: The number inside case codes of the first commune of a province that is not described, and on from there.
_FIRST_AGENCY = 401
#: Procedures of the district that are the communes' since the reform.
_TAKEN_OVER = ("2.000720", "1.001612", "1.001266")
#: Fields of which a ministry keeps a system of its own, and the first part of its codes.
_MINISTRY_SYSTEMS = {"Hộ tịch": "G15"}
_CASE_HOURS = (7, 8, 9, 10, 13, 14, 15)


@dataclass(frozen=True)
class StandingCommune:
    """A commune that reports by itself: code, name, its number inside case codes, the schools it looks after, and which
    communes of the sample's district went whole into it.
    """

    code: str
    name: str
    agency: str
    schools: tuple[str, ...]
    parts: tuple[str, ...] = ()

    @property
    def committee(self) -> str:
        return f"UBND {self.name[0].lower()}{self.name[1:]}"

    @property
    def seat(self) -> str:
        return _TYPE.sub("", self.name)

    @property
    def offices(self) -> tuple[tuple[str, str], ...]:
        """(code, name) of its offices."""
        return tuple((f"{self.code}-PB{number:02d}", name) for number, (name, _) in enumerate(_OFFICES, 1))

    def service_units(self) -> list[tuple[str, str]]:
        """(code, name) of its public service units."""
        return [(f"{self.code}-SN{number:02d}", name) for number, name in enumerate(self.schools, 1)]

    def unit_name(self, code: str, style: str) -> str:
        """How one of its units is written; cases name the office that took them in."""
        if code == self.code:
            if style == "one_stop":
                return f"{_OFFICES[_ONE_STOP][0]} {self.name[0].lower()}{self.name[1:]}"
            return self.name if style == "name" else self.committee
        if code == CU_LAO_DUNG.code:
            return CU_LAO_DUNG.committee
        return {**dict(self.offices), **dict(self.service_units())}[code]


AN_THANH = StandingCommune(
    "31615",
    "Xã An Thạnh",
    "331",
    (
        "Trường Mầm non Cù Lao Dung", "Trường Tiểu học An Thạnh 1", "Trường Tiểu học An Thạnh Đông",
        "Trường Trung học cơ sở Cù Lao Dung",
    ),
    ("31615", "31618", "31621", "31624"),
)  # fmt: skip
CU_LAO_DUNG_COMMUNE = StandingCommune(
    "31633",
    "Xã Cù Lao Dung",
    "332",
    ("Trường Mầm non Đại Ân 1", "Trường Tiểu học An Thạnh 3", "Trường Trung học cơ sở An Thạnh Nam"),
    ("31627", "31630", "31633", "31636"),
)
COMMUNES = {commune.code: commune for commune in (AN_THANH, CU_LAO_DUNG_COMMUNE)}


@dataclass(frozen=True)
class CommunePlan:
    """What one commune's files of a quarter are made to carry; open and set-aside cases are among those received."""

    received: int
    late: int
    open: int
    waiting: int = 0
    suspended: int = 0
    withdrawn: int = 0
    refused: int = 0
    not_received: int = 0
    online: float = 0.7
    by_post: int = 5
    documents: tuple[int, int, int, int] = (160, 22, 3, 410)
    forms: int = 30
    tasks_done: int = 4
    steering: int = 6


PLANS = {
    ("31615", "2025-Q3"): CommunePlan(412, 6, 21, 3, 2, 2, 1, 3, 0.58, 6, (168, 41, 9, 402), 24, 4, 9),
    ("31615", "2025-Q4"): CommunePlan(538, 4, 17, 2, 1, 3, 1, 2, 0.71, 9, (233, 28, 4, 517), 32, 7, 5),
    ("31615", "2026-Q1"): CommunePlan(497, 2, 12, 1, 1, 2, 0, 2, 0.83, 11, (241, 15, 2, 488), 30, 3, 8),
    ("31633", "2025-Q3"): CommunePlan(365, 9, 26, 4, 1, 1, 1, 2, 0.52, 4, (151, 38, 11, 366), 20, 3, 8),
    ("31633", "2025-Q4"): CommunePlan(471, 5, 19, 2, 2, 2, 1, 1, 0.66, 7, (204, 30, 6, 455), 26, 6, 6),
    ("31633", "2026-Q1"): CommunePlan(448, 3, 11, 2, 0, 2, 1, 2, 0.79, 8, (219, 18, 3, 431), 25, 3, 7),
}

#: Answers to yes/no rows, and what nothing but a declaration tells, by row of the form: the same in every quarter but
#: for the counts of news items and meetings.
_DECLARED = {
    "I.14": 3, "I.15": 5, "I.16": 1, "I.17": 1, "I.22": 0, "I.23": 0, "I.28": 1, "I.29": 1, "II.03": 0, "II.04": 0,
    "II.06": 0, "II.07": 0, "II.08": 0, "II.09": 0, "II.10": 0, "II.11": 0, "II.13": 0, "II.14": 0, "II.15": 0,
    "II.16": 0, "II.17": 1, "II.18": 4, "III.02": 1, "III.08": 0, "III.15": 1, "III.16": 2, "III.17": 2, "V.03": 1,
    "V.04": 1, "V.12": 0, "VI.02": 1, "VII.06": 1, "VII.09": 1, "VII.34": 1, "VII.58": 0, "VII.59": 0, "VII.60": 0,
}  # fmt: skip


def commune_rows(commune: StandingCommune, quarter: str, seed: int) -> dict[FileKey, list[Row]]:
    """Canonical rows of a commune's files of a quarter, by (unit code, source, file name)."""
    plan, window = plan_of_commune(commune.code, quarter), COMMUNE_WINDOWS[quarter]
    exported = case_rows(commune, quarter, seed)
    ministry = [row for row in exported if row["case_code"].startswith("G")]
    files: dict[tuple[str, str], list[Row]] = {
        ("org_units", "danh-muc-co-quan-don-vi.xlsx"): _org_units(commune),
        ("procedure_catalogue", "danh-muc-tthc-cap-xa.xlsx"): _catalogue(seed),
        ("staffing_roster", "danh-sach-can-bo-cong-chuc-vien-chuc.xlsx"): _roster(commune, window, seed),
        ("plan_tasks", "nhiem-vu-ke-hoach.xlsx"): _tasks(plan, window),
        ("survey_responses", "phieu-khao-sat.xlsx"): _survey(commune, plan, quarter, seed),
        ("declared_returns", "so-lieu-khai-bao.xlsx"): _declared(commune, quarter, plan, window, seed),
        ("e_document_counts", "van-ban-dien-tu.xlsx"): _documents(commune, plan),
        # What a ministry's system tells of its own cases, the province's tells too: one case, one code.
        ("one_stop_cases", "ho-so-he-thong-tinh.xlsx"): exported,
        ("one_stop_cases", "ho-so-he-thong-bo.csv"): ministry,
        ("report_narrative", "noi-dung-bao-cao.txt"): _narrative(commune),
    }
    return {(commune.code, source, name): rows for (source, name), rows in files.items()}


@cache
def commune_named(code: str) -> StandingCommune:
    """The commune of a code since the reform; one that is not described has schools and a number in case codes that are
    invented. Raises ``KeyError`` where none bears the code.
    """
    if code in COMMUNES:
        return COMMUNES[code]
    day = COMMUNE_WINDOWS[COMMUNE_QUARTERS[-1]].closes_on
    unit = next((u for u in registered().units if u.code == code and u.level == "commune" and u.valid_on(day)), None)
    if unit is None:
        raise KeyError(code)
    beside = sorted(u.code for u in registered().units if u.parent_code == unit.parent_code and u.valid_on(day))
    bare = _TYPE.sub("", unit.name)
    schools = tuple(f"Trường {kind} {bare}" for kind in ("Mầm non", "Tiểu học", "Trung học cơ sở"))
    return StandingCommune(code, unit.name, f"{_FIRST_AGENCY + beside.index(code):03d}", schools)


@cache
def plan_of_commune(code: str, quarter: str) -> CommunePlan:
    """What a commune's files of a quarter carry; of an undescribed one the same at every call."""
    if (code, quarter) in PLANS:
        return PLANS[code, quarter]
    rng = random.Random(f"commune-plan-{code}-{quarter}")
    received, outgoing = rng.randint(240, 620), rng.randint(140, 280)
    waiting, suspended = rng.randint(0, 3), rng.randint(0, 2)
    return CommunePlan(
        received=received,
        late=rng.randint(0, 8),
        open=waiting + suspended + rng.randint(4, 16),
        waiting=waiting,
        suspended=suspended,
        withdrawn=rng.randint(0, 3),
        refused=rng.randint(0, 2),
        not_received=rng.randint(0, 3),
        online=round(rng.uniform(0.55, 0.9), 2),
        by_post=rng.randint(2, 12),
        documents=(outgoing, rng.randint(8, 40), rng.randint(0, 9), rng.randint(350, 520)),
        forms=rng.randint(20, 40),
        tasks_done=rng.randint(2, 4),
        steering=rng.randint(3, 10),
    )


# ------------------------------------------------------------------------------------------------------------- cases


def district_open_cases(seed: int) -> list[Row]:
    """The cases that the district had received and not finished on 30 June 2025, in order of receipt.

    They are shared out among its successors (:func:`carried_from_district`); the last stands in neither's export.
    All were received in the district's last short period, whose export shows them open (``closing``).
    """
    rng = random.Random(f"open-at-the-end-{seed}")
    procedures = [p for p in _procedures(seed) if p.code in _TAKEN_OVER]
    days = workdays.between(_CLOSING.opens_on, _CLOSING.closes_on)
    rows: list[Row] = []
    serials: Counter[dt.date] = Counter()
    for day in sorted(rng.choice(days) for _ in range(20)):
        serials[day] += 1
        procedure = procedures[len(rows) % len(procedures)]
        row = _case(rng, procedure, CU_LAO_DUNG.code, day, online=rng.random() < 0.3)
        row["case_code"] = f"000.00.{CU_LAO_DUNG.case_code}.H51-{day:%y%m%d}-{serials[day]:04d}"
        row["due_at"] = _at(workdays.add(_CLOSING.closes_on, 12), 17)
        rows.append(row)
    return rows


def carried_from_district(commune: StandingCommune, seed: int) -> list[Row]:
    """Of those the commune's share, as its export of the first quarter shows them: finished in time."""
    rng = random.Random(f"taken-over-{seed}-{commune.code}")
    position = list(COMMUNES).index(commune.code)
    rows = [dict(row) for row in district_open_cases(seed)[:-1][position :: len(COMMUNES)]]
    for number, row in enumerate(rows):
        # The systems still name the district beside some of its cases.
        row["receiving_unit"] = CU_LAO_DUNG.code if number % 3 == 2 else commune.code
        _finish(rng, row, workdays.add(REFORM, rng.randint(1, 9)), COMMUNE_WINDOWS["2025-Q3"])
    return rows


def carried_from_parts(commune: StandingCommune, seed: int) -> list[Row]:
    """The cases that the communes which went into it had left open, as the same export shows them: finished in time."""
    rng = random.Random(f"taken-over-from-parts-{seed}-{commune.code}")
    parts = [part for part in CU_LAO_DUNG.communes if part.code in commune.parts]
    rows = [row for part in parts for row in cases.open_rows(cases.commune_rows(seed, CU_LAO_DUNG, part, CLOSING))]
    for row in rows:
        row["receiving_unit"] = commune.code
        _finish_carried(rng, row, COMMUNE_WINDOWS["2025-Q3"])
    return rows


def case_rows(commune: StandingCommune, quarter: str, seed: int) -> list[Row]:
    """The export of the province's system: cases carried over as they stand at closing, then those received."""
    return [dict(row) for row in _case_rows(commune, quarter, seed)]


def shown_cases(commune: StandingCommune, quarter: str, seed: int) -> Sequence[Row]:
    """The same cases, to be looked at and not changed."""
    return _case_rows(commune, quarter, seed)


@cache
def _case_rows(commune: StandingCommune, quarter: str, seed: int) -> tuple[Row, ...]:
    plan, window = plan_of_commune(commune.code, quarter), COMMUNE_WINDOWS[quarter]
    rng = random.Random(f"commune-cases-{seed}-{commune.code}-{quarter}")
    return (*_carried(rng, commune, quarter, seed), *_received(rng, commune, plan, window, seed))


def _carried(rng: random.Random, commune: StandingCommune, quarter: str, seed: int) -> list[Row]:
    position = COMMUNE_QUARTERS.index(quarter)
    if position == 0:
        if commune.code not in COMMUNES:
            return []
        return [*carried_from_district(commune, seed), *carried_from_parts(commune, seed)]
    window = COMMUNE_WINDOWS[quarter]
    left = ("received", "in_progress", "waiting_for_supplement", "waiting_for_payment", "suspended")
    rows = [dict(r) for r in _case_rows(commune, COMMUNE_QUARTERS[position - 1], seed) if r["status"] in left]
    for row in rows:
        _finish_carried(rng, row, window)
    return rows


def _finish_carried(rng: random.Random, row: Row, window: Window) -> None:
    """Ends a case that was open when the window opened, by the day it is due where that is still to come."""
    first = workdays.next_on_or_after(window.opens_on)
    due = max(workdays.next_on_or_after(row["due_at"].date()), first) if row["due_at"] else first
    _finish(rng, row, workdays.add(first, rng.randint(0, workdays.distance(first, due))), window)


def _received(rng: random.Random, commune: StandingCommune, plan: CommunePlan, window: Window, seed: int) -> list[Row]:
    set_aside = ("withdrawn",) * plan.withdrawn + ("refused",) * plan.refused
    still_open = ("waiting_for_supplement",) * plan.waiting + ("suspended",) * plan.suspended
    still_open += ("in_progress",) * (plan.open - len(still_open))
    resolved = plan.received - len(set_aside) - len(still_open)
    outcomes = ["resolved"] * (resolved - plan.late) + ["late"] * plan.late
    outcomes += [*set_aside, *still_open, *["not_received"] * plan.not_received]
    rng.shuffle(outcomes)
    everything = list(_procedures(seed))
    slow = [p for p in everything if p.limit_days >= 5]
    busy = [p for p in everything if p.code in _WEIGHTS] * 6 + everything
    post = Counter({"channel": plan.by_post, "return_channel": plan.by_post})
    rows = []
    for outcome in outcomes:
        at_ministry = [p for p in everything if p.field in _MINISTRY_SYSTEMS and p.limit_days]
        among = busy if outcome in ("resolved", "not_received") else at_ministry if outcome == "suspended" else slow
        procedure = rng.choice(among)
        rows.append(_with_outcome(rng, commune, procedure, outcome, window, plan, post))
    return _numbered(rng, commune, sorted(rows, key=lambda row: row["received_at"]))


def _with_outcome(
    rng: random.Random,
    commune: StandingCommune,
    procedure: Procedure,
    outcome: str,
    window: Window,
    plan: CommunePlan,
    post: Counter[str],
) -> Row:
    days, limit = workdays.between(window.opens_on, window.closes_on), procedure.limit_days
    last = len(days) - 1
    match outcome:
        case "in_progress" | "waiting_for_supplement" | "suspended":
            start, spent = rng.randint(max(0, last - limit + 1), last), 0
        case "late":
            spent = limit + rng.randint(1, 3)
            start = rng.randint(0, last - spent)
        case _:
            start = rng.randint(0, last)
            spent = rng.randint(0, min(limit, last - start))
    online = rng.random() < plan.online or outcome == "suspended"
    row = _case(rng, procedure, commune.code, days[start], online=online)
    if outcome in ("resolved", "late"):
        by_post = not online and post["channel"] > 0
        row["channel"] = "postal" if by_post else row["channel"]
        post["channel"] -= by_post
        _finish(rng, row, days[start + spent], window, by_post=post["return_channel"] > 0 and not online)
        post["return_channel"] -= row["return_channel"] == "postal"
        row["late_reason"] = "Phần mềm chuyển đổi dữ liệu chậm" if outcome == "late" else None
    else:
        row["status"] = "received" if outcome == "in_progress" and start >= last - 1 else outcome
        row["due_at"] = None if outcome == "not_received" else row["due_at"]
    return row


def _case(rng: random.Random, procedure: Procedure, unit: str, day: dt.date, *, online: bool) -> Row:
    limit = procedure.limit_days
    received = _at(day, rng.choice(_CASE_HOURS), rng.randint(0, 59), rng.randint(0, 59))
    return {
        "case_code": "",
        "procedure_code": procedure.code,
        "procedure_name": procedure.name,
        "field": procedure.field,
        "receiving_unit": unit,
        "received_at": received,
        "due_at": _at(workdays.add(day, limit), 17) if limit else None,
        "finished_at": None,
        "returned_at": None,
        "status": "in_progress",
        "channel": "online" if online else "direct",
        "return_channel": None,
        "extended_to": None,
        "late_reason": None,
    }


def _finish(rng: random.Random, row: Row, day: dt.date, window: Window, *, by_post: bool = False) -> None:
    """Ends a case on a working day; some results still wait to be fetched."""
    same_day = day == row["received_at"].date()
    ended = _at(day, rng.randint(8, 15), rng.randint(0, 59))
    row["finished_at"] = row["received_at"] + dt.timedelta(minutes=rng.randint(8, 40)) if same_day else ended
    if rng.random() < 0.1 and not by_post:
        row["status"] = "finished"
        return
    later = row["finished_at"] + dt.timedelta(minutes=rng.randint(5, 60))
    row["status"], row["returned_at"] = "returned", min(later, _at(window.closes_on, 23))
    row["return_channel"] = "postal" if by_post else "online" if row["channel"] == "online" else "direct"


def _numbered(rng: random.Random, commune: StandingCommune, rows: list[Row]) -> list[Row]:
    """Codes by the system that took the case in: the province's of four digits, a ministry's of six or seven."""
    serials: Counter[tuple[str, dt.date]] = Counter()
    for row in rows:
        day = row["received_at"].date()
        ministry = _MINISTRY_SYSTEMS.get(row["field"]) if row["channel"] == "online" else None
        system = ministry or "H13"
        serials[system, day] += 1
        number = serials[system, day]
        # A ministry's serials run through the whole country.
        serial = f"{number:04d}" if ministry is None else str(rng.choice((100_000, 1_000_000)) + number * 137)
        row["case_code"] = f"{system}.{commune.agency}-{day:%y%m%d}-{serial}"
    return rows


def _at(day: dt.date, hour: int, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute, second))


# --------------------------------------------------------------------------------------------------------- registers

_WEIGHTS = frozenset({"2.000815", "2.000635", "1.001193", "1.004873", "1.000894", "1.000656"})
#: Of a hundred and more procedures of communes the sample's catalogue has those that are met every day.
_CATALOGUE = 36


@cache
def _procedures(seed: int) -> tuple[Procedure, ...]:
    """The communes' procedures: what was theirs and, since the reform, a few that were the district's."""
    known = everyday(seed)
    taken = [p for p in known if p.code in _TAKEN_OVER]
    own = sorted((p for p in known if p.at_commune), key=lambda p: (p.code not in _WEIGHTS, p.code))
    return (*own[: _CATALOGUE - len(taken)], *taken)


def _catalogue(seed: int) -> list[Row]:
    rows = []
    for number, procedure in enumerate(_procedures(seed)):
        whole = procedure.code in _WEIGHTS or number % 3 == 0
        rows.append(
            {
                "procedure_code": procedure.code,
                "procedure_name": procedure.name,
                "field": procedure.field,
                "applies_commune": True,
                "valid_from": REFORM,
                "interlinked": "none",
                "internal_process_electronic": True,
                "time_limit": procedure.time_limit,
                "online_eligible_level": "level_4" if whole else "level_3",
                "online_offered_level": "level_4" if whole else "level_3",
                "on_national_portal": True,
                "has_fee": number % 4 == 0,
                "online_payment": number % 4 == 0,
                "postal_service": True,
            }
        )
    return rows


def _org_units(commune: StandingCommune) -> list[Row]:
    base: Row = {"short_names": None, "parent_code": commune.code, "autonomy_group": None, "applies_autonomy": None}
    base |= {"assigned_posts": None}
    base |= {"valid_from": REFORM, "valid_to": None}
    own = base | {"unit_code": commune.code, "name": commune.committee, "unit_type": "commune", "parent_code": None}
    offices = [
        base | {"unit_code": code, "name": name, "short_names": short, "unit_type": "department"}
        for (code, name), (_, short) in zip(commune.offices, _OFFICES, strict=True)
    ]
    schools = [
        base
        | {"unit_code": code, "name": name, "unit_type": "public_service_unit", "applies_autonomy": True,
           "autonomy_group": 4}
        for code, name in commune.service_units()
    ]  # fmt: skip
    return [own, *offices, *schools]


def _roster(commune: StandingCommune, window: Window, seed: int) -> list[Row]:
    rng = random.Random(f"commune-roster-{seed}-{commune.code}")
    offices = [code for code, _ in commune.offices]
    schools = [code for code, _ in commune.service_units()]
    leader = (commune.code, "commune_official", "commune_leader", "Lãnh đạo UBND xã")
    posts: list[tuple[str, str, str | None, str]] = [leader] * 3
    posts += [(office, "commune_civil_servant", None, "Chuyên viên") for office in offices for _ in range(6)]
    posts += [(school, "public_employee", None, "Giáo viên") for school in schools for _ in range(11)]
    rows = []
    for number, (unit, category, leadership, position) in enumerate(posts, 1):
        female = rng.random() < 0.5
        name, born = people.full_name(rng, female=female), people.birth_date(rng)
        trained = window.opens_on + dt.timedelta(days=20) if number % 9 == 4 else None
        rows.append(
            {
                "staff_code": f"CT{commune.code}{number:04d}",
                "full_name": name,
                "birth_date_male": None if female else born,
                "birth_date_female": born if female else None,
                "unit": unit,
                "category": category,
                "salary_source": "state_budget",
                "position": position,
                "leadership": leadership,
                "rank_code": "01.003" if category == "commune_civil_servant" else None,
                "recruited_on": dt.date(2012, 3, 1),
                "recruitment_mode": "examination",
                "training_course": "Bồi dưỡng kỹ năng số cho cán bộ, công chức cấp xã" if trained else None,
                "training_ended_on": trained,
                "digital_certificate": category != "public_employee",
                "it_officer": number == 5,
            }
        )
    return rows


def _tasks(plan: CommunePlan, window: Window) -> list[Row]:
    year = window.closes_on.year
    document = {2025: "05/KH-UBND ngày 10/07/2025", 2026: "03/KH-UBND ngày 06/01/2026"}[year]
    due = dt.date(year, 12, 1)
    first = max(REFORM, dt.date(year, 1, 5))
    done = [workdays.next_on_or_after(first + dt.timedelta(days=21 + 17 * number)) for number in range(8)]
    contents = (
        "Niêm yết, công khai thủ tục hành chính tại Trung tâm Phục vụ hành chính công",
        "Rà soát quy trình nội bộ giải quyết thủ tục hành chính",
        "Số hóa kết quả giải quyết thủ tục hành chính còn hiệu lực",
        "Kiểm tra việc tiếp nhận hồ sơ không phụ thuộc địa giới hành chính",
        "Hướng dẫn người dân nộp hồ sơ trực tuyến toàn trình",
        "Khảo sát sự hài lòng của người dân, tổ chức",
        "Phân công lại nhiệm vụ của công chức sau sắp xếp",
        "Cập nhật dữ liệu hộ tịch vào hệ thống dùng chung",
    )
    rows = [
        _task(
            "cchc_year",
            document,
            f"NV{number:02d}",
            content,
            due,
            done[number - 1] if number <= plan.tasks_done else None,
        )
        for number, content in enumerate(contents, 1)
    ]
    rows.append(_task("propaganda", document, "TT01", "Tuyên truyền trên đài truyền thanh xã", due, done[0]))
    others = ("training", "rotation", "procedure_review", "digital_government")
    for number, other in enumerate(others, 1):
        row = _task(other, document, f"KH{number:02d}", None, due, None)
        row["planned_quantity"] = {"training": 12, "rotation": 2}.get(other)
        rows.append(row)
    return rows


def _task(plan: str, document: str, code: str, content: str | None, due: dt.date, done: dt.date | None) -> Row:
    return {
        "plan": plan,
        "plan_document": document,
        "task_code": code,
        "content": content,
        "planned_quantity": None,
        "due_on": due,
        "done_on": done,
        "evidence_document": "12/BC-UBND" if done else None,
        "status": "done" if done else "in_progress",
    }


def _survey(commune: StandingCommune, plan: CommunePlan, quarter: str, seed: int) -> list[Row]:
    rng = random.Random(f"commune-survey-{seed}-{commune.code}-{quarter}")
    days = workdays.between(COMMUNE_WINDOWS[quarter].opens_on, COMMUNE_WINDOWS[quarter].closes_on)
    dates = sorted(rng.choice(days) for _ in range(plan.forms))
    return [
        {
            "form_number": f"PKS-{quarter.replace('-', '')}-{number:03d}",
            "channel": "online" if number % 3 else "paper",
            "responded_on": day,
            "attitude": "very_satisfied" if number % 4 else "satisfied",
            "time": "satisfied",
            "quality": "satisfied",
            "overall": "neutral" if number == 7 else "satisfied",
        }
        for number, day in enumerate(dates, 1)
    ]


def _documents(commune: StandingCommune, plan: CommunePlan) -> list[Row]:
    only, both, paper, incoming = plan.documents
    base: Row = {"unit": commune.code, "document_kind": "all", "topic": "all"}
    blank = dict.fromkeys(("electronic_only", "electronic_and_paper", "paper_only", "incoming_total"))
    counted = {"outgoing_total": only + both + paper, "electronic_only": only, "electronic_and_paper": both}
    counted |= {
        "paper_only": paper,
        "incoming_total": incoming,
        "incoming_electronic": incoming - 20,
        "connected": True,
    }
    return [
        base | counted,
        base | blank | {"topic": "cchc", "outgoing_total": plan.steering},
        base | blank | {"document_kind": "legal_normative", "outgoing_total": 0},
    ]


# ---------------------------------------------------------------------------------------------- figures and sentences


def headline_counts(rows: Sequence[Row], window: Window) -> dict[str, int]:
    """What the commune counts of its cases: received, resolved, on time in the window, by row of the form."""
    taken_in = [row for row in rows if row["status"] not in ("registered", "not_received")]
    resolved = [row for row in taken_in if row["finished_at"] and row["finished_at"].date() >= window.opens_on]
    on_time = [row for row in resolved if not row["due_at"] or row["finished_at"].date() <= row["due_at"].date()]
    received = [row for row in taken_in if row["received_at"].date() >= window.opens_on]
    return {"III.26": len(received), "III.27": len(resolved), "III.28": len(on_time)}


def _declared(commune: StandingCommune, quarter: str, plan: CommunePlan, window: Window, seed: int) -> list[Row]:
    only, both, paper, _ = plan.documents
    counts = headline_counts(_case_rows(commune, quarter, seed), window)
    documents = {"VII.14": only + both + paper, "VII.15": only, "VII.16": both}
    approved = window.closes_on + dt.timedelta(days=1)
    return [
        {"indicator_code": code, "value": value, "prepared_by": "Văn phòng HĐND và UBND", "approved_on": approved}
        for code, value in sorted((_DECLARED | counts | documents).items())
    ]


def _narrative(commune: StandingCommune) -> list[Row]:
    area = f"{commune.name[0].lower()}{commune.name[1:]}"
    texts = (
        ("I.3", f"Trung tâm Phục vụ hành chính công {area} tiếp nhận hồ sơ không phụ thuộc địa giới hành chính, công "
                "khai đầy đủ thủ tục hành chính và hướng dẫn người dân nộp hồ sơ trực tuyến toàn trình."),
        ("I.9", "Trong quý không phát sinh phản ánh, kiến nghị của người dân về thái độ phục vụ của công chức."),
    )  # fmt: skip
    return [{"section": section, "text": text} for section, text in texts]

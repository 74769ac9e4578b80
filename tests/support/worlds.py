"""Small random districts whose deliveries are complete and well shaped, so that the right figures are known.

Belongs here: canonical rows of a district and its communes for two quarters, made from a seed; a short paper form of
them (``Sheet``) and its files. Does not belong here: the right figures (``tests.oracle``), faults (``mutants``).
Units are real ones of the seeds, persons and cases are invented.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter

from common.forms import form_named
from ingestion.base.contracts import Column, Contract, load_contracts
from sample.quarters import WINDOWS as SAMPLE_WINDOWS
from sample.quarters import Window

Row = dict[str, Any]
FileKey = tuple[str, str, str]
Cell = str | int | float | dt.date | dt.datetime | None
#: Stands for a quotation mark that a CSV writer should have doubled and did not.
STRAY_QUOTE = "\N{SYMBOL FOR SUBSTITUTE}"

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
QUARTER, BEFORE = "2023-Q1", "2022-Q4"
WINDOWS = {quarter: SAMPLE_WINDOWS[quarter] for quarter in (BEFORE, QUARTER)}


@dataclass(frozen=True)
class Unit:
    """An administrative unit: code and full name (``Xã An Thạnh 1``)."""

    code: str
    name: str

    @property
    def committee(self) -> str:
        return f"UBND {self.name[0].lower()}{self.name[1:]}"


@dataclass(frozen=True)
class World:
    """A district with its communes and the canonical rows of each delivered file, by quarter."""

    seed: int
    district: Unit
    communes: tuple[Unit, ...]
    files: dict[str, dict[FileKey, list[Row]]] = field(hash=False)

    def unit_name(self, code: str) -> str:
        """How a unit is written in a cell."""
        for unit in (self.district, *self.communes):
            if unit.code == code:
                return unit.committee
        files = self.files[QUARTER]
        register = next(rows for (_, source, _), rows in files.items() if source == "org_units")
        return str(next(row["name"] for row in register if row["unit_code"] == code))


@cache
def districts(fewest: int = 1, most: int = 7) -> tuple[tuple[Unit, tuple[Unit, ...]], ...]:
    """Districts of the windows' days with between ``fewest`` and ``most`` communes, in order of code."""
    day = WINDOWS[QUARTER].closes_on.isoformat()
    with (SEEDS / "admin_units.csv").open(encoding="utf-8-sig", newline="") as handle:
        units = [u for u in csv.DictReader(handle) if u["valid_from"] <= day <= (u["valid_to"] or "9999")]
    since = {u["unit_code"]: u["valid_from"] for u in units}
    below: dict[str, list[Unit]] = {}
    for unit in units:
        if unit["level"] == "commune":
            below.setdefault(unit["parent_code"], []).append(Unit(unit["unit_code"], unit["name_vi"]))
    found = []
    for unit in units:
        communes = below.get(unit["unit_code"], [])
        names = {c.name for c in communes}
        opened = WINDOWS[BEFORE].opens_on.isoformat()
        steady = all(since[c] <= opened for c in (unit["unit_code"], *(u.code for u in communes)))
        if unit["level"] == "district" and fewest <= len(communes) <= most and len(names) == len(communes) and steady:
            found.append((Unit(unit["unit_code"], unit["name_vi"]), tuple(sorted(communes, key=lambda u: u.code))))
    return tuple(sorted(found, key=lambda pair: pair[0].code))


# ------------------------------------------------------------------------------------------------------------- rows

_LIMITS = {"05 ngày làm việc": 5, "10 ngày làm việc": 10, "03 ngày làm việc": 3, "Ngay trong ngày": 0}
_FIELDS = ("Hộ tịch", "Chứng thực", "Đất đai", "Bảo trợ xã hội")
_FIRST, _LAST = ("An", "Bình", "Chi", "Dũng", "Hoa", "Tâm"), ("Nguyễn", "Trần", "Lê", "Phạm", "Tống", "Công")


def make_world(seed: int, district: Unit, communes: tuple[Unit, ...]) -> World:
    """The world of a seed; equal arguments give equal rows."""
    rng = random.Random(f"world-{seed}-{district.code}")
    procedures = _procedures(rng)
    units = _org_units(rng, district, communes)
    people = _people(rng, district, communes, units)
    histories = {
        unit.code: _case_histories(
            rng, _agency(district, position), unit.code, [p for p in procedures if p[level] and p["ended_on"] is None]
        )
        for position, (unit, level) in enumerate(
            [(district, "applies_district"), *((commune, "applies_commune") for commune in communes)]
        )
    }
    files: dict[str, dict[FileKey, list[Row]]] = {}
    for quarter, window in WINDOWS.items():
        own = random.Random(f"world-{seed}-{district.code}-{quarter}")
        cases = {unit: _export(history, window) for unit, history in histories.items()}
        current: dict[FileKey, list[Row]] = {
            (district.code, "org_units", "don-vi.xlsx"): units,
            (district.code, "procedure_catalogue", "danh-muc.xlsx"): [
                p for p in procedures if p["valid_from"] <= window.closes_on
            ],
            (district.code, "staffing_roster", "can-bo.xlsx"): people,
            (district.code, "plan_tasks", "nhiem-vu.xlsx"): _plan_tasks(own, window, units),
            (district.code, "survey_responses", "phieu.xlsx"): _surveys(own, window, cases, quarter),
            (district.code, "e_document_counts", "van-ban.xlsx"): _documents(own, window, district.code, steering=True),
            (district.code, "declared_returns", "khai-bao.xlsx"): [],
        }
        for unit, rows in cases.items():
            current[unit, "one_stop_cases", "ho-so.xlsx"] = rows
        for commune in communes:
            current[commune.code, "e_document_counts", "van-ban.xlsx"] = _documents(own, window, commune.code)
        files[quarter] = current
    world = World(seed, district, communes, files)
    for quarter in WINDOWS:
        files[quarter][district.code, "declared_returns", "khai-bao.xlsx"] = _declared(world, quarter)
    return world


def _procedures(rng: random.Random) -> list[Row]:
    rows = []
    for number in range(rng.randint(8, 14)):
        level = ("applies_district", "applies_commune", "both")[number % 3]
        offered = rng.choice(("level_3", "level_4", "level_4", "none"))
        fee = rng.random() < 0.5
        rows.append(
            {
                "procedure_code": f"1.0{rng.randint(10000, 99999):05d}",
                "procedure_name": f"Thủ tục thử nghiệm số {number + 1}",
                "field": rng.choice(_FIELDS),
                "applies_district": level != "applies_commune",
                "applies_commune": level != "applies_district",
                "valid_from": rng.choice((dt.date(2019, 3, 4), dt.date(2021, 6, 7), dt.date(2022, 7, 1))),
                "ended_on": None,
                "interlinked": rng.choice(("none", "none", "same_level", "cross_level")),
                "internal_process_electronic": rng.random() < 0.6,
                "time_limit": rng.choice(list(_LIMITS)),
                "shortened_time_limit": None,
                "shortened_on": None,
                "components_reduced_on": None,
                "online_eligible_level": offered,
                "online_offered_level": offered,
                "on_national_portal": offered != "none" and rng.random() < 0.7,
                "has_fee": fee,
                "online_payment": fee and rng.random() < 0.5,
                "postal_service": rng.random() < 0.4,
                "reviewed_on": None,
            }
        )
    rows[0]["valid_from"] = dt.date(2023, 2, 1)
    rows[-1]["ended_on"] = dt.date(2023, 1, 9)
    return [row for row in rows if len({r["procedure_code"] for r in rows}) == len(rows)] or _procedures(rng)


def _org_units(rng: random.Random, district: Unit, communes: tuple[Unit, ...]) -> list[Row]:
    founded = dt.date(2016, 7, 1)

    def row(code: str, name: str, kind: str, **more: Any) -> Row:
        return {
            "unit_code": code, "name": name, "short_names": None, "unit_type": kind,
            "parent_code": None if code == district.code else district.code, "autonomy_group": None,
            "applies_autonomy": None, "valid_from": founded, "valid_to": None, **more,
        }  # fmt: skip

    names = ["Văn phòng HĐND và UBND", "Phòng Nội vụ", "Phòng Tư pháp", "Phòng Tài chính - Kế hoạch", "Thanh tra huyện"]
    rows = [row(district.code, district.committee, "district")]
    rows += [
        row(f"{district.code}-PB{n:02d}", name, "department") for n, name in enumerate(names[: rng.randint(3, 5)], 1)
    ]
    rows += [
        row(f"{district.code}-SN{n:02d}", f"Trường Tiểu học số {n}", "public_service_unit", applies_autonomy=True,
            autonomy_group=rng.choice((3, 4, 4)))
        for n in range(1, rng.randint(3, 6))
    ]  # fmt: skip
    return rows + [row(commune.code, commune.committee, "commune") for commune in communes]


def _people(rng: random.Random, district: Unit, communes: tuple[Unit, ...], units: list[Row]) -> list[Row]:
    rows: list[Row] = []

    def add(unit: str, category: str, leadership: str | None = None) -> Row:
        number = len(rows) + 1
        row: Row = {
            "staff_code": f"CB{district.code}{number:04d}",
            "full_name": f"{rng.choice(_LAST)} {rng.choice(('Văn', 'Thị', 'Minh'))} {rng.choice(_FIRST)}",
            "birth_date": dt.date(rng.randint(1965, 1995), rng.randint(1, 12), rng.randint(1, 28)),
            "unit": unit,
            "category": category,
            "salary_source": "state_budget" if rng.random() < 0.8 or category != "public_employee" else "own_revenue",
            "position": "Lãnh đạo" if leadership else "Chuyên viên",
            "leadership": leadership,
            "rank_code": "01.003",
            "recruited_on": dt.date(rng.randint(2000, 2020), rng.randint(1, 12), rng.randint(1, 28)),
            "recruitment_mode": "examination",
            "appointed_on": dt.date(2019, 5, 6) if leadership else None,
            "appointment_mode": "appointment" if leadership else None,
            "left_on": None,
            "leaving_reason": None,
            "disciplined_on": None,
            "discipline_level": None,
            "training_course": None,
            "training_ended_on": None,
            "rotated_on": None,
            "digital_certificate": bool(leadership) and rng.random() < 0.7,
            "official_email": rng.random() < 0.9,
            "it_officer": False,
        }
        rows.append(row)
        return row

    departments = [u["unit_code"] for u in units if u["unit_type"] == "department"]
    services = [u["unit_code"] for u in units if u["unit_type"] == "public_service_unit"]
    for _ in range(2):
        add(district.code, "official", "district_leader")
    for department in departments:
        add(department, "district_civil_servant", "department_leader")
        for _ in range(rng.randint(1, 3)):
            add(department, "district_civil_servant")
    add(departments[0], "contract")
    for service in services:
        add(service, "public_employee", "subordinate_unit_leader")
        for _ in range(rng.randint(1, 4)):
            add(service, "public_employee")
    for commune in communes:
        add(commune.code, "commune_official", "commune_leader")
        add(commune.code, "commune_civil_servant")
    plain = [
        r for r in rows if r["leadership"] is None and r["category"] in ("district_civil_servant", "public_employee")
    ]
    for row in rng.sample(plain, k=min(3, len(plain))):
        change = rng.choice(("left", "trained", "rotated", "recruited"))
        if change == "left":
            row.update(left_on=dt.date(2023, 2, 1), leaving_reason=rng.choice(("retired", "transferred")))
        elif change == "trained":
            row.update(training_course="Bồi dưỡng ngạch chuyên viên", training_ended_on=dt.date(2023, 2, 17))
        elif change == "rotated":
            row.update(rotated_on=dt.date(2023, 1, 9))
        else:
            row.update(recruited_on=dt.date(2023, 1, 3), recruitment_mode=rng.choice(("examination", "special")))
    plain[0]["it_officer"] = True
    return rows


def _agency(district: Unit, position: int) -> str:
    """An agency's part of a case code, as no other district has it; ``position`` 0 is the district itself."""
    number = int(district.code)
    return f"000.{position + 11:02d}.{number % 100:02d}.H{10 + number // 100}"


def _case_histories(rng: random.Random, agency: str, unit: str, procedures: list[Row]) -> list[Row]:
    """Whole lives of a unit's cases over both windows, as they will have been in the end."""
    first, last = WINDOWS[BEFORE].opens_on, WINDOWS[QUARTER].closes_on
    days = (last - first).days
    serials: dict[dt.date, int] = {}
    lives = []
    for _ in range(rng.randint(24, 48)):
        day = first + dt.timedelta(days=rng.randint(0, days))
        serials[day] = serials.get(day, 0) + 1
        procedure = rng.choice(procedures)
        received = dt.datetime.combine(day, dt.time(rng.randint(7, 16), rng.randint(0, 59)))
        limit = _LIMITS[procedure["time_limit"]]
        due = received.replace(hour=17, minute=0) + dt.timedelta(days=limit * 7 // 5)
        outcome = rng.choices(("returned", "finished", "open", "withdrawn", "refused"), (70, 10, 12, 4, 4))[0]
        finished = received + dt.timedelta(
            days=rng.randint(0, max(1, limit * 7 // 5 + rng.choice((0, 0, 0, 6)))), minutes=30
        )
        if limit == 0 and outcome == "returned":
            finished = received.replace(hour=16, minute=59)
        returned = finished + dt.timedelta(days=rng.choice((0, 0, 1)), minutes=5) if outcome == "returned" else None
        lives.append(
            {
                "case_code": f"{agency}-{day:%y%m%d}-{serials[day]:04d}",
                "procedure_code": procedure["procedure_code"],
                "procedure_name": procedure["procedure_name"],
                "field": procedure["field"],
                "receiving_unit": unit,
                "received_at": received,
                "due_at": due,
                "finished_at": None if outcome == "open" else finished,
                "returned_at": returned,
                "extended_to": None,
                "status": "in_progress" if outcome == "open" else outcome,
                "channel": rng.choices(("direct", "online", "postal"), (70, 22, 8 * procedure["postal_service"]))[0],
                "return_channel": rng.choices(("direct", "postal"), (85, 15 * procedure["postal_service"]))[0],
            }
        )
    # At least one is open when the last window closes, and one was received in it.
    day = dt.date(2023, 3, 10)
    serials[day] = serials.get(day, 0) + 1
    moment = dt.datetime.combine(day, dt.time(9))
    lives.append(
        {
            **lives[0], "case_code": f"{agency}-{day:%y%m%d}-{serials[day]:04d}",
            "received_at": moment, "due_at": moment + dt.timedelta(days=14), "finished_at": None, "returned_at": None,
            "status": "in_progress", "return_channel": None,
        }
    )  # fmt: skip
    return sorted(lives, key=lambda life: life["case_code"])


def _export(lives: list[Row], window: Window) -> list[Row]:
    """What a system exports at closing: cases received in the window or open when it began, as known by then."""
    rows = []
    for life in lives:
        ended = life["finished_at"]
        if life["received_at"].date() > window.closes_on or (ended and ended.date() < window.opens_on):
            continue
        row = dict(life)
        if ended and ended.date() > window.closes_on:
            row.update(finished_at=None, returned_at=None, status="in_progress", return_channel=None)
        elif row["returned_at"] and row["returned_at"].date() > window.closes_on:
            row.update(returned_at=None, status="finished")
        rows.append(row)
    return rows


def _plan_tasks(rng: random.Random, window: Window, units: list[Row]) -> list[Row]:
    year = window.closes_on.year
    rows: list[Row] = []

    def add(plan: str, **more: Any) -> None:
        number = len(rows) + 1
        rows.append(
            {
                "plan": plan, "plan_document": f"{10 + number % 7:02d}/KH-UBND ngày {4 + number % 7:02d}/01/{year}",
                "task_code": f"NV{number:02d}", "content": f"Việc thử nghiệm số {number}", "unit_in_charge": None,
                "target_unit": None, "planned_quantity": None, "due_on": dt.date(year, 12, 1), "done_on": None,
                "evidence_document": None, "findings_found": None, "findings_settled": None,
                "status": "in_progress", **more,
            }
        )  # fmt: skip

    def done(evidence: str) -> Row:
        day = window.opens_on + dt.timedelta(days=rng.randint(25, (window.closes_on - window.opens_on).days))
        return {"done_on": day, "evidence_document": evidence, "status": "done"}

    # The plan of a year is the same in every quarter of it; the two windows lie in two years.
    for number in range(rng.randint(4, 9)):
        add("cchc_year", **(done(f"{number + 1}/BC-UBND") if rng.random() < 0.5 else {}))
    for number in range(rng.randint(2, 5)):
        add("propaganda", **(done(f"{number + 21}/BC-UBND") if rng.random() < 0.5 else {}))
    for unit in rng.sample([u for u in units if u["unit_type"] in ("department", "commune")], k=2):
        found = rng.randint(0, 3)
        visited = {**done("31/BC-UBND"), "findings_found": found, "findings_settled": rng.randint(0, found)}
        add("inspection", target_unit=unit["unit_code"], **(visited if rng.random() < 0.6 else {}))
    add("training", planned_quantity=rng.randint(10, 60))
    add("rotation", planned_quantity=rng.randint(5, 30))
    add("procedure_review")
    add("digital_government")
    return rows


def _surveys(rng: random.Random, window: Window, cases: dict[str, list[Row]], quarter: str) -> list[Row]:
    answered = sum(1 for rows in cases.values() for row in rows if row["status"] in ("returned", "finished"))
    days = (window.closes_on - window.opens_on).days
    count = min(12, max(3, answered // 3))
    return [
        {
            "form_number": f"PKS-{quarter.replace('-', '')}-{number:03d}",
            "channel": rng.choice(("paper", "online")),
            "responded_on": window.opens_on + dt.timedelta(days=days * number // count),
            "attitude": "satisfied", "time": "satisfied", "quality": "satisfied",
            "overall": rng.choice(("satisfied", "very_satisfied", "very_satisfied", "neutral")),
        }
        for number in range(1, count + 1)
    ]  # fmt: skip


_DOCUMENTS_IN_A_WINDOW = {"only": (60, 160), "both": (20, 60), "paper": (0, 8), "incoming": (80, 300)}


def _documents(rng: random.Random, window: Window, unit: str, *, steering: bool = False) -> list[Row]:
    first, last = window.opens_on, window.closes_on
    months: list[dt.date | None] = [None]
    if rng.random() < 0.5:
        count = (last.year - first.year) * 12 + last.month - first.month + 1
        months = [
            dt.date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count)
        ]
    rows = []

    def row(month: dt.date | None, kind: str, topic: str, **more: Any) -> Row:
        return {
            "unit": unit, "month": month, "document_kind": kind, "topic": topic, "outgoing_total": None,
            "electronic_only": None, "electronic_and_paper": None, "paper_only": None, "incoming_total": None,
            "incoming_electronic": None, "connected": None, **more,
        }  # fmt: skip

    # What a unit sends in a window differs little from one to the next, however it counts it.
    usual = random.Random(f"documents-{unit}")
    total = {name: round(usual.randint(*span) * rng.uniform(0.9, 1.1)) for name, span in _DOCUMENTS_IN_A_WINDOW.items()}
    for place, month in enumerate(months):
        only, both, paper, incoming = (
            value * (place + 1) // len(months) - value * place // len(months) for value in total.values()
        )
        rows.append(
            row(month, "all", "all", outgoing_total=only + both + paper, electronic_only=only,
                electronic_and_paper=both, paper_only=paper,
                incoming_total=incoming, incoming_electronic=incoming * 9 // 10, connected=True)
        )  # fmt: skip
        if steering:
            rows.append(row(month, "all", "cchc", outgoing_total=rng.randint(0, 3)))
            rows.append(row(month, "legal_normative", "all", outgoing_total=0))
    return rows


# What offices declare beside the records, by row of the form; nothing of it contradicts another.
_BARE = {
    14: 0, 15: 1, 16: 1, 17: 1, 22: 0, 23: 0, 28: 1, 29: 1, 33: 0, 34: 0, 36: 0, 37: 0, 38: 0, 39: 0, 40: 0, 41: 0,
    43: 0, 44: 0, 45: 0, 46: 0, 47: 1, 48: 2, 50: 1, 56: 0, 63: 1, 64: 0, 65: 0, 86: 60, 92: 90, 97: 20, 115: 1, 116: 0,
    124: 0, 145: 1, 146: 2, 156: 1, 157: 1, 160: 1, 185: 1, 191: 2, 206: 1, 207: 1, 208: 1, 209: 0, 210: 0, 211: 0,
}  # fmt: skip
# The rows of which the office's own count is asked for beside the records.
TWINS = (71, 72, 73, 74, 75, 76, 163, 164, 165, 166, 167)


def _declared(world: World, quarter: str) -> list[Row]:
    from tests.oracle import reckon
    from tests.oracle.form import code_of

    names = _form_names()
    rows: list[Row] = []

    def add(code: str, name: str, value: int) -> None:
        rows.append(
            {
                "indicator_code": code, "indicator_name": name, "value": value, "note": None,
                "evidence_document": "12/BC-UBND", "prepared_by": "Phòng Nội vụ",
                "approved_on": WINDOWS[quarter].closes_on + dt.timedelta(days=1),
            }
        )  # fmt: skip

    values = dict(_BARE)
    add("AUX.01", "Số biên chế công chức phải tinh giản theo kế hoạch năm", 2)
    add("AUX.02", "Số viên chức phải tinh giản theo kế hoạch năm", 3)
    world.files[quarter][world.district.code, "declared_returns", "khai-bao.xlsx"] = rows
    deliveries = {q: world.files[q] for q in WINDOWS if q <= quarter}
    window = WINDOWS[quarter]
    form = reckon(deliveries, world.district.code, quarter, (window.opens_on, window.closes_on, window.year_opens_on))
    for row in TWINS:
        figure = form.figures[row].computed
        if figure is not None:
            values[row] = int(figure)
    for row in sorted(values):
        add(code_of(row), names[code_of(row)], values[row])
    return rows


@cache
def _form_names() -> dict[str, str]:
    return {row["indicator_code"]: row["name_vi"] for row in form_named("2023").rows}


# ------------------------------------------------------------------------------------------------------------ files


@dataclass
class Sheet:
    """One table as it lies on paper: lines above it, headings, rows of cells, lines below it.

    ``fields`` names the contract's column under each heading; '#' counts the rows.
    """

    name: str
    title: list[str]
    fields: list[str]
    headings: list[str]
    rows: list[list[Cell]]
    footer: list[str] = field(default_factory=list)
    merges: list[tuple[int, int, int]] = field(default_factory=list)

    def column(self, name: str) -> int:
        """Place of a contract's column; raises ``ValueError`` where the sheet has none."""
        return self.fields.index(name)

    def lines(self) -> list[list[Cell]]:
        """Everything on the sheet, from the top."""
        return [*([line] for line in self.title), list(self.headings), *self.rows, *([line] for line in self.footer)]


Paper = dict[tuple[str, FileKey], list[Sheet]]


def papers(world: World) -> Paper:
    """Every delivered file of the world as sheets, by (quarter, (unit, source, file name))."""
    found: Paper = {}
    for quarter, files in world.files.items():
        for key, rows in files.items():
            found[quarter, key] = [_sheet(world, quarter, key, rows)]
    return found


def _sheet(world: World, quarter: str, key: FileKey, rows: list[Row]) -> Sheet:
    unit, source, _ = key
    contract = load_contracts()[source]
    rng = random.Random(f"paper-{world.seed}-{quarter}-{key}")
    names = [c.name for c in contract.columns if any(c.name in row for row in rows)]
    fields = ["#", *names]
    headings = ["STT", *_headings(rng, contract, names)]
    style = rng.choice(("text", "cell"))
    window = WINDOWS[quarter]
    agency = next(u for u in (world.district, *world.communes) if u.code == unit)
    title = []
    if rng.random() < 0.6:
        title = [agency.committee.upper(), contract.title_vi.upper(),
                 f"Từ ngày {window.opens_on:%d/%m/%Y} đến ngày {window.closes_on:%d/%m/%Y}"]  # fmt: skip
    table: list[list[Cell]] = [
        [number, *(_cell(world, contract.column(name), row.get(name), style) for name in names)]
        for number, row in enumerate(rows, 1)
    ]
    footer = ["Người lập biểu", "Thủ trưởng đơn vị"] if rng.random() < 0.3 else []
    return Sheet("Danh sách", title, fields, headings, table, footer)


def _headings(rng: random.Random, contract: Contract, names: list[str]) -> list[str]:
    from ingestion.rows.headers import HeaderMap

    headers = HeaderMap.of(contract, WINDOWS[QUARTER].closes_on)
    chosen: list[str] = []
    for name in names:
        column = contract.column(name)
        known = [a for a in column.aliases if headers.column_of([a]) == name and a not in chosen]
        chosen.append(rng.choice(known[:3]))
    return chosen


def _cell(world: World, column: Column, value: Any, style: str) -> Cell:
    if value is None:
        return None
    if column.type == "enum":
        return next(label for label in column.labels[value] if not label.isdigit())
    if column.type == "unit":
        return world.unit_name(value)
    if column.type in ("flag", "presence"):
        return ("Có" if value else "Không") if column.type == "flag" else ("x" if value else None)
    if isinstance(value, dt.datetime):
        return value if style == "cell" else f"{value:%d/%m/%Y %H:%M}"
    if isinstance(value, dt.date):
        if column.type == "month":
            return f"{value:%m/%Y}"
        return value if style == "cell" else f"{value:%d/%m/%Y}"
    return value if isinstance(value, int) else str(value)


def file_bytes(sheets: list[Sheet], suffix: str) -> bytes:
    """The sheets as ``.xlsx``, or the first of them as ``.csv`` with semicolons."""
    if suffix == ".csv":
        text = io.StringIO()
        csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(
            [["" if c is None else _printed(c) for c in line] for line in sheets[0].lines()]
        )
        return ("\ufeff" + text.getvalue().replace(STRAY_QUOTE, '"')).encode()
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": dt.datetime(2023, 1, 1)})
    formats = {dt.date: book.add_format({"num_format": "dd/mm/yyyy"}),
               dt.datetime: book.add_format({"num_format": "dd/mm/yyyy hh:mm"})}  # fmt: skip
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        for at, line in enumerate(sheet.lines()):
            for place, cell in enumerate(line):
                if isinstance(cell, str):
                    page.write_string(at, place, cell)
                elif isinstance(cell, dt.datetime | dt.date):
                    page.write_datetime(at, place, cell, formats[type(cell)])
                elif cell is not None:
                    page.write_number(at, place, cell)
        top = len(sheet.title) + 1
        for first, last, place in sheet.merges:
            value = sheet.rows[first][place]
            page.merge_range(top + first, place, top + last, place, "" if value is None else _printed(value))
    book.close()
    return buffer.getvalue()


def _printed(cell: Cell) -> str:
    if isinstance(cell, dt.datetime):
        return f"{cell:%d/%m/%Y %H:%M}"
    return f"{cell:%d/%m/%Y}" if isinstance(cell, dt.date) else str(cell)


def write_papers(landing: Path, found: Paper) -> None:
    """Writes the files into a landing folder."""
    for (quarter, (unit, source, name)), sheets in found.items():
        path = landing / unit / quarter / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file_bytes(sheets, path.suffix))

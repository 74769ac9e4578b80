"""Staffing rosters of the sample: invented people with dated events.

Belongs here: canonical rows of ``staffing_roster`` as of a quarter's closing.
Does not belong here: names and birth dates as such (``people``).
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sample import people
from sample.districts import DEPARTMENTS, District
from sample.quarters import QuarterPlan

Row = dict[str, Any]

_DEPARTMENT_LEADERS = (3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2)
_DEPARTMENT_SPECIALISTS = (6, 5, 3, 5, 5, 5, 4, 4, 5, 5, 2)
_STATE_PAID_EMPLOYEES = 788
_UNITS_WITH_TWO_DEPUTIES = 10
_SELF_PAID_EMPLOYEES = 6
_COURSES = (
    "Bồi dưỡng ngạch chuyên viên",
    "Bồi dưỡng kỹ năng lãnh đạo, quản lý cấp phòng",
    "Bồi dưỡng theo tiêu chuẩn chức danh nghề nghiệp giáo viên",
    "Tập huấn nghiệp vụ cải cách hành chính",
    "Trung cấp lý luận chính trị",
)
_COMMUNE_OFFICIALS = (
    "Bí thư Đảng ủy",
    "Phó Bí thư Đảng ủy",
    "Chủ tịch Ủy ban MTTQ",
    "Bí thư Đoàn Thanh niên",
    "Chủ tịch Hội Nông dân",
)
_COMMUNE_TITLES = (
    "Văn phòng - thống kê", "Địa chính - nông nghiệp - xây dựng và môi trường", "Tài chính - kế toán",
    "Tư pháp - hộ tịch", "Văn hóa - xã hội", "Chỉ huy trưởng Quân sự", "Địa chính - xây dựng", "Lao động - xã hội",
    "Văn phòng",
)  # fmt: skip


@dataclass
class Person:
    """One invented person of the roster with everything that ever happens to them in the sample's quarters."""

    staff_code: str
    name: str
    female: bool
    birth_date: dt.date
    unit: str
    category: str
    position: str
    recruited_on: dt.date
    recruitment_mode: str | None
    salary_source: str = "state_budget"
    rank_code: str | None = None
    leadership: str | None = None
    appointed_on: dt.date | None = None
    appointment_mode: str | None = None
    left_on: dt.date | None = None
    leaving_reason: str | None = None
    disciplined_on: dt.date | None = None
    discipline_level: str | None = None
    trainings: list[tuple[dt.date, str]] = field(default_factory=list)
    rotated_on: dt.date | None = None
    digital_certificate: bool = False
    it_officer: bool = False


class _Register:
    """Hands out people with distinct staff codes, and distinct pairs of name and birth date."""

    def __init__(self, rng: random.Random, district: District) -> None:
        self._rng = rng
        self._district = district
        self._known: set[tuple[str, dt.date]] = set()
        self.people: list[Person] = []

    def add(self, unit: str, category: str, position: str, rank_code: str | None = None, **changes: Any) -> Person:
        rng = self._rng
        female = rng.random() < (0.66 if category == "public_employee" else 0.38)
        while True:
            name, born = people.full_name(rng, female=female), people.birth_date(rng)
            if (name, born) not in self._known:
                break
        self._known.add((name, born))
        recruited_on = max(dt.date(born.year + rng.randint(22, 26), rng.randint(1, 12), 1), dt.date(1990, 9, 1))
        recruited_on = min(recruited_on, dt.date(2021, 9, 1))
        person = Person(
            staff_code=f"ST{self._district.code}{len(self.people) + 1:05d}",
            name=name,
            female=female,
            birth_date=born,
            unit=unit,
            category=category,
            position=position,
            rank_code=rank_code,
            recruited_on=recruited_on,
            recruitment_mode=rng.choice(("examination", "selection")),
        )
        for key, value in changes.items():
            setattr(person, key, value)
        self.people.append(person)
        return person


def roster_rows(seed: int, district: District, plan: QuarterPlan) -> list[Row]:
    """Leaders and staff of the district's departments and public service units, as of closing."""
    return _snapshot(district_people(seed, district), plan, staff_codes=True, appointments=True)


def commune_roster_rows(seed: int, district: District, plan: QuarterPlan) -> list[Row]:
    """Officials and civil servants of the communes, as of closing, without staff codes and appointments."""
    return _snapshot(commune_people(seed, district), plan, staff_codes=False, appointments=False)


@cache
def district_people(seed: int, district: District) -> tuple[Person, ...]:
    """Everybody ever on the district's roster in the sample's quarters."""
    rng = random.Random(f"staff-{seed}-{district.code}")
    register = _Register(rng, district)
    leaders = [
        register.add(district.code, "official", position, leadership="district_leader", digital_certificate=True)
        for position in ("Chủ tịch UBND huyện", "Phó Chủ tịch UBND huyện", "Phó Chủ tịch UBND huyện")
    ]
    heads, specialists = _departments(register, district)
    teachers, principals = _service_units(register, district)
    for person in (*leaders, *heads, *principals):
        person.appointed_on = dt.date(rng.randint(2016, 2021), rng.randint(1, 12), 1)
        person.appointed_on = max(person.appointed_on, person.recruited_on)
        person.appointment_mode = "appointment"
    _events(rng, register, district, heads, specialists, teachers)
    return tuple(register.people)


@cache
def commune_people(seed: int, district: District) -> tuple[Person, ...]:
    """Everybody on the roster of the communes."""
    rng = random.Random(f"communes-{seed}-{district.code}")
    register = _Register(rng, district)
    for commune in district.communes:
        for position in ("Chủ tịch UBND", "Phó Chủ tịch UBND", "Phó Chủ tịch UBND"):
            register.add(
                commune.code, "commune_official", position, leadership="commune_leader", digital_certificate=True
            )
        for position in _COMMUNE_OFFICIALS:
            register.add(commune.code, "commune_official", position)
        for position in _COMMUNE_TITLES:
            register.add(commune.code, "commune_civil_servant", position, "01.003")
    return tuple(register.people)


def _departments(register: _Register, district: District) -> tuple[list[Person], list[Person]]:
    heads, specialists = [], []
    for number, (name, _) in enumerate(DEPARTMENTS):
        unit = district.department_code(number)
        for rank in range(_DEPARTMENT_LEADERS[number]):
            heads.append(
                register.add(
                    unit, "district_civil_servant", _head_title(name, deputy=rank > 0), "01.003",
                    leadership="department_leader", digital_certificate=True,
                )
            )  # fmt: skip
        for _ in range(_DEPARTMENT_SPECIALISTS[number]):
            specialists.append(register.add(unit, "district_civil_servant", "Chuyên viên", "01.003"))
    culture = district.department("Phòng Văn hóa và Thông tin")
    next(p for p in specialists if p.unit == culture).it_officer = True
    return heads, specialists


def _head_title(department: str, *, deputy: bool) -> str:
    if department.startswith("Văn phòng"):
        title = "Chánh Văn phòng"
    elif department.startswith("Thanh tra"):
        title = "Chánh Thanh tra"
    else:
        title = "Trưởng phòng"
    return f"Phó {title}" if deputy else title


def _service_units(register: _Register, district: District) -> tuple[list[Person], list[Person]]:
    """Staff of the public service units: (everybody else, leaders); the state pays exactly 788 of them."""
    units = district.service_units()
    principals, staff = [], []
    for number, (unit, name) in enumerate(units):
        school = name.startswith("Trường")
        deputies = 2 if number < _UNITS_WITH_TWO_DEPUTIES else 1
        titles = ("Hiệu trưởng", "Phó Hiệu trưởng") if school else ("Giám đốc", "Phó Giám đốc")
        for rank in range(1 + deputies):
            principals.append(
                register.add(
                    unit, "public_employee", titles[min(rank, 1)], "V.07.03.28" if school else "01.003",
                    leadership="subordinate_unit_leader",
                )
            )  # fmt: skip
    for number in range(_STATE_PAID_EMPLOYEES - len(principals)):
        # Schools are larger than centres: every unit gets its turn, schools get two.
        unit, name = units[number % len(units)] if number % 3 else units[number % (len(units) - 4)]
        school = name.startswith("Trường")
        staff.append(
            register.add(
                unit, "public_employee", "Giáo viên" if school else "Viên chức chuyên môn",
                "V.07.03.29" if school else "01.003",
            )
        )  # fmt: skip
    for _ in range(_SELF_PAID_EMPLOYEES):
        register.add(
            district.project_board, "public_employee", "Kỹ sư quản lý dự án", "V.04.02.06", salary_source="own_revenue"
        )
    # The real report counts nobody in the one unit that pays all its regular spending (rows 97, 98 against row 149).
    for person in register.people:
        if person.unit == district.project_board:
            person.unit = units[-2][0]
    return staff, principals


def _events(
    rng: random.Random,
    register: _Register,
    district: District,
    heads: list[Person],
    specialists: list[Person],
    teachers: list[Person],
) -> None:
    """What happens to whom. People in being all along are the 79 and 788 of the real quarter."""
    free_teachers = rng.sample([p for p in teachers if p.birth_date.year >= 1970], k=160)
    elders = rng.sample([p for p in teachers if p.birth_date.year < 1968], k=3)
    free_specialists = rng.sample([p for p in specialists if not p.it_officer], k=30)

    # 2022: recruited, trained and rotated; five streamlined over the year, two of them in the last quarter.
    _recruited(free_specialists.pop(), dt.date(2022, 10, 3), "examination")
    for _ in range(3):
        _recruited(free_teachers.pop(), dt.date(2022, 9, 19), "selection")
    for day in ((2022, 3, 1), (2022, 5, 1), (2022, 8, 1), (2022, 10, 1), (2022, 12, 1)):
        _departed_teacher(register, district, dt.date(*day), "streamlined")
    for person in [free_teachers.pop() for _ in range(27)] + [free_specialists.pop() for _ in range(8)]:
        person.trainings.append((dt.date(2022, rng.randint(4, 11), rng.randint(10, 25)), rng.choice(_COURSES)))
    for _ in range(11):
        free_teachers.pop().rotated_on = dt.date(2022, rng.randint(6, 11), rng.randint(5, 25))

    # 2023-Q1: two public employees streamlined, one retired, one person trained.
    _departed_teacher(register, district, dt.date(2023, 2, 1), "streamlined")
    _departed_teacher(register, district, dt.date(2023, 3, 1), "streamlined")
    _departed_teacher(register, district, dt.date(2023, 1, 1), "retired")
    free_specialists.pop().trainings.append((dt.date(2023, 3, 3), _COURSES[0]))

    # 2023-Q2.
    for _ in range(2):
        newcomer = register.add(free_specialists[-1].unit, "district_civil_servant", "Chuyên viên", "01.003")
        _recruited(newcomer, dt.date(2023, 5, 15), "examination")
    _left(free_specialists.pop(), dt.date(2023, 6, 1), "retired")
    retiring = next(p for p in heads if p.position.startswith("Phó Trưởng phòng"))
    _left(retiring, dt.date(2023, 4, 1), "retired")
    successor = register.add(
        retiring.unit, "district_civil_servant", "Phó Trưởng phòng", "01.003",
        leadership="department_leader", digital_certificate=True,
    )  # fmt: skip
    _transferred_in(successor, dt.date(2023, 4, 3))
    for _ in range(4):
        newcomer = register.add(free_teachers[-1].unit, "public_employee", "Giáo viên", "V.07.03.29")
        _recruited(newcomer, dt.date(2023, 4, 17), "selection")
    for person, month in zip(elders, (4, 5, 6), strict=True):
        _left(person, dt.date(2023, month, 1), "retired")
    _left(free_teachers.pop(), dt.date(2023, 5, 1), "streamlined")
    for person in [free_teachers.pop() for _ in range(9)] + [free_specialists.pop() for _ in range(3)]:
        person.trainings.append((dt.date(2023, rng.randint(4, 5), rng.randint(10, 25)), rng.choice(_COURSES)))
    for _ in range(4):
        free_teachers.pop().rotated_on = dt.date(2023, rng.randint(4, 5), rng.randint(5, 25))
    disciplined = next(p for p in reversed(free_teachers) if p.position == "Giáo viên")
    disciplined.disciplined_on, disciplined.discipline_level = dt.date(2023, 4, 26), "Khiển trách"


def _recruited(person: Person, day: dt.date, mode: str) -> None:
    person.recruited_on, person.recruitment_mode = day, mode


def _transferred_in(person: Person, day: dt.date) -> None:
    """Somebody who comes from elsewhere straight into a leading post: appointed, and present from that day on."""
    person.recruited_on, person.recruitment_mode = day, None
    person.appointed_on, person.appointment_mode = day, "appointment"


def _left(person: Person, day: dt.date, reason: str) -> None:
    person.left_on, person.leaving_reason = day, reason


def _departed_teacher(register: _Register, district: District, day: dt.date, reason: str) -> None:
    """A teacher beyond those present in the real quarter, who left on ``day``."""
    units = district.service_units()
    unit = units[day.toordinal() % 24][0]
    person = register.add(unit, "public_employee", "Giáo viên", "V.07.03.29")
    person.recruited_on = min(person.recruited_on, dt.date(2010, 9, 1))
    _left(person, day, reason)


def _snapshot(everybody: tuple[Person, ...], plan: QuarterPlan, *, staff_codes: bool, appointments: bool) -> list[Row]:
    """The people known at closing, with events after it left out; those who left stay on the list."""
    closing = plan.window.closes_on
    return [_row(p, closing, staff_codes, appointments) for p in everybody if p.recruited_on <= closing]


def _row(person: Person, closing: dt.date, staff_codes: bool, appointments: bool) -> Row:
    left = person.left_on is not None and person.left_on <= closing
    disciplined = person.disciplined_on is not None and person.disciplined_on <= closing
    training = max((t for t in person.trainings if t[0] <= closing), default=None)
    row: Row = {
        "staff_code": person.staff_code,
        "full_name": person.name,
        "birth_date_male": None if person.female else person.birth_date,
        "birth_date_female": person.birth_date if person.female else None,
        "unit": person.unit,
        "category": person.category,
        "salary_source": person.salary_source,
        "position": person.position,
        "leadership": person.leadership,
        "rank_code": person.rank_code,
        "recruited_on": person.recruited_on,
        "recruitment_mode": person.recruitment_mode,
        "appointed_on": person.appointed_on,
        "appointment_mode": person.appointment_mode,
        "left_on": person.left_on if left else None,
        "leaving_reason": person.leaving_reason if left else None,
        "disciplined_on": person.disciplined_on if disciplined else None,
        "discipline_level": person.discipline_level if disciplined else None,
        "training_course": training[1] if training else None,
        "training_ended_on": training[0] if training else None,
        "rotated_on": person.rotated_on if person.rotated_on and person.rotated_on <= closing else None,
        "digital_certificate": person.digital_certificate,
        "it_officer": person.it_officer,
    }
    if not staff_codes:
        del row["staff_code"]
    if not appointments:
        del row["appointed_on"], row["appointment_mode"]
    return row

"""The register of administrative units: who a code was on a day, which act changed it, who came after it.

Belongs here: reading ``admin_units.csv``, ``admin_unit_successors.csv`` and ``unit_acts.csv``; what they say of a
unit's past and present; the proof that they agree with each other. Does not belong here: who delivers or reports in a
period (``ingestion.base.reference``), matching of names (``ingestion.rows.resolve``).
"""

from __future__ import annotations

import csv
import datetime as dt
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from common.validity import holds_on, read_day, span_vi

_Row = TypeVar("_Row")
#: From above down, a unit's parent stands higher; each with the number of digits of its codes.
LEVELS = {"province": 2, "district": 3, "commune": 5}
#: Of what took over a unit: all of it, the larger part, a part.
RELATIONS = ("whole", "part-main", "part")
SEEDS = Path(__file__).resolve().parents[1] / "dbt_project" / "seeds"
_DAY = dt.timedelta(days=1)
_TONES = "\u0300\u0301\u0303\u0309\u0323"


@dataclass(frozen=True, slots=True)
class AdminUnit:
    """An administrative unit in one stretch of its validity; a code alone does not identify a unit.

    ``begun_by`` and ``ended_by`` name the acts; blank where the stretch is older than the register, or goes on.
    """

    code: str
    level: str
    unit_type: str
    name: str
    parent_code: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    begun_by: str = ""
    ended_by: str = ""

    def valid_on(self, day: dt.date) -> bool:
        return holds_on(day, self.valid_from, self.valid_to)

    @property
    def label_vi(self) -> str:
        """``Xã An Thạnh 3 (31633, đến hết 30/06/2025)``: a code alone does not tell which unit is meant."""
        return f"{self.name} ({', '.join([self.code, *span_vi(self.valid_from, self.valid_to)])})"


@dataclass(frozen=True, slots=True)
class Succession:
    """A unit that ended on the eve of ``effective_on``, and one that took it over: whole, or a part of it."""

    old_code: str
    new_code: str
    relation: str
    effective_on: dt.date
    legal_act: str


@dataclass(frozen=True, slots=True)
class UnitAct:
    """An act that changed units; ``units_after`` where the act counts the units that it leaves."""

    legal_act: str
    dated: dt.date
    effective_on: dt.date
    title_vi: str
    units_after: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """Numbers of units on both sides of an act: those that ended (dissolved: nobody of their level took over) and
    those after.
    """

    went_whole: int
    were_split: int
    were_dissolved: int
    took_over: int
    began: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What forbids that figures go over to a unit of a later day, by ``legal_act``.

    ``kind``: ``split``, ``unit`` went to several ``heirs``; ``dissolved``, nobody of its level took it over and its
    parts are in the ``heirs``; ``part_of_another``, ``unit`` is in the heir too and was a part of somebody else.
    """

    unit: AdminUnit
    heirs: tuple[AdminUnit, ...]
    legal_act: str
    kind: str = "split"

    @property
    def message_vi(self) -> str:
        """``Xã X bị chia cho Xã Y, Xã Z (1/NQ)``."""
        heirs = ", ".join(f"{heir.name} ({heir.code})" for heir in self.heirs)
        if not heirs:
            return f"{self.unit.name} kết thúc hoạt động, không đơn vị nào nhận ({self.legal_act})"
        if self.kind == "part_of_another":
            return f"{heirs} còn gồm {self.unit.name} của đơn vị khác ({self.legal_act})"
        if self.kind == "dissolved":
            return f"{self.unit.name} kết thúc hoạt động, địa bàn nay thuộc {heirs} ({self.legal_act})"
        return f"{self.unit.name} bị chia cho {heirs} ({self.legal_act})"


@dataclass(frozen=True, slots=True)
class AsIs:
    """A unit of a past day under the units of a later one.

    ``now`` is the one unit in which all of it is, None where something forbids it: ``forbidden_by``. ``beside`` are the
    other units of that day that are whole in ``now``: figures of all of them, and of this one, add up to those of
    ``now`` unless ``incomplete_by`` names units of that day of which only a part is in it. ``acts``: by which it went.
    """

    unit: AdminUnit
    now: AdminUnit | None
    acts: tuple[str, ...] = ()
    forbidden_by: tuple[Obstacle, ...] = ()
    beside: tuple[AdminUnit, ...] = ()
    incomplete_by: tuple[Obstacle, ...] = ()

    @property
    def is_unchanged(self) -> bool:
        return self.now == self.unit

    @property
    def adds_up(self) -> bool:
        """Whether the unit of the later day can be told for the past at all: as the sum of whole units."""
        return self.now is not None and not self.incomplete_by


@dataclass(frozen=True, slots=True)
class RegisterFault:
    """What is wrong in the register: which table, which unit or act, and what to do, in Vietnamese."""

    table: str
    subject: str
    message_vi: str

    def __str__(self) -> str:
        return f"{self.table}: {self.subject}: {self.message_vi}"


def read_rows(path: Path, made_of: Callable[[dict[str, str]], _Row]) -> tuple[_Row, ...]:
    """What is made of each row of a table; ``ValueError`` names file, line and what could not be read."""
    found = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        for row in reader:
            try:
                if None in row or None in row.values():
                    raise ValueError("số ô không khớp với dòng tiêu đề")
                found.append(made_of(row))
            except ValueError as error:
                raise ValueError(f"{path.name} dòng {reader.line_num}: {error}") from None
    return tuple(found)


def _day_of(row: dict[str, str], column: str) -> dt.date:
    day = read_day(row[column])
    if day is None:
        raise ValueError(f"thiếu ngày ở cột {column}")
    return day


def _number(text: str) -> int | None:
    if text and not text.isdecimal():
        raise ValueError(f"“{text}” không phải số đơn vị; ghi một số, hoặc để trống nếu văn bản không nêu")
    return int(text) if text else None


@dataclass(frozen=True)
class UnitRegister:
    """The three tables. ``load`` raises ``OSError``, ``KeyError`` (a missing column) or ``ValueError`` (a bad date)."""

    units: tuple[AdminUnit, ...]
    successions: tuple[Succession, ...]
    acts: tuple[UnitAct, ...]

    @classmethod
    def load(cls, folder: Path) -> UnitRegister:
        return cls(
            load_units(folder),
            read_rows(
                folder / "admin_unit_successors.csv",
                lambda row: Succession(
                    row["old_unit_code"],
                    row["new_unit_code"],
                    row["relation"],
                    _day_of(row, "effective_on"),
                    row["legal_act"],
                ),
            ),
            read_rows(
                folder / "unit_acts.csv",
                lambda row: UnitAct(
                    row["legal_act"],
                    _day_of(row, "dated"),
                    _day_of(row, "effective_on"),
                    row["title_vi"],
                    _number(row["units_after"]),
                ),
            ),
        )

    @cached_property
    def _by_code(self) -> dict[str, list[AdminUnit]]:
        found: dict[str, list[AdminUnit]] = defaultdict(list)
        for unit in self.units:
            found[unit.code].append(unit)
        return found

    @cached_property
    def _after(self) -> dict[tuple[str, dt.date], list[Succession]]:
        found: dict[tuple[str, dt.date], list[Succession]] = defaultdict(list)
        for succession in self.successions:
            found[succession.old_code, succession.effective_on].append(succession)
        return found

    @cached_property
    def _before(self) -> dict[tuple[str, dt.date], list[Succession]]:
        found: dict[tuple[str, dt.date], list[Succession]] = defaultdict(list)
        for succession in self.successions:
            found[succession.new_code, succession.effective_on].append(succession)
        return found

    def unit(self, code: str, day: dt.date) -> AdminUnit | None:
        """The unit that bears the code on the day, if any."""
        return next((unit for unit in self._by_code.get(code, ()) if unit.valid_on(day)), None)

    def successors(self, unit: AdminUnit) -> list[Succession]:
        """Who took the unit over on the day after its last; empty while it is in being, or where nobody did."""
        return self._after.get((unit.code, unit.valid_to + _DAY), []) if unit.valid_to else []

    def predecessors(self, unit: AdminUnit) -> list[Succession]:
        """What the unit took over on its first day."""
        return self._before.get((unit.code, unit.valid_from), []) if unit.valid_from else []

    def as_is(self, code: str, then: dt.date, day: dt.date) -> tuple[list[AdminUnit], bool]:
        """What the unit that bore ``code`` ``then`` is on a later ``day``: the units, and whether it went there whole.

        One unit and True: it is, or is a part of, that one, so a figure of its own may be shown under it. Several, or
        False: it was split on the way and no figure can be moved. Empty: nobody bore the code, or nobody took over.
        ``ValueError`` where ``day`` lies before ``then``.
        """
        if day < then:
            raise ValueError("a unit is followed forward only")
        now, whole = [unit] if (unit := self.unit(code, then)) else [], True
        while any(not unit.valid_on(day) for unit in now):
            later: dict[tuple[str, dt.date | None], AdminUnit] = {}
            for unit in now:
                steps = [] if unit.valid_on(day) else self.successors(unit)
                whole = whole and (unit.valid_on(day) or [step.relation for step in steps] == ["whole"])
                heirs = [self.unit(step.new_code, step.effective_on) for step in steps]
                for heir in [unit] if unit.valid_on(day) else heirs:
                    if heir is not None:
                        later[heir.code, heir.valid_from] = heir
            now = list(later.values())
        return sorted(now, key=lambda unit: unit.code), whole

    @cached_property
    def last_change(self) -> dt.date:
        """The day of the last change that the register knows: its own today, whatever the day on the clock is."""
        days = [step.effective_on for step in self.successions]
        days += [unit.valid_from for unit in self.units if unit.valid_from]
        days += [unit.valid_to + _DAY for unit in self.units if unit.valid_to]
        return max(days, default=dt.date.min)

    def under_units_of(self, code: str, then: dt.date, day: dt.date | None = None) -> AsIs:
        """The unit that bore ``code`` ``then`` under the units of a later ``day`` (None: of the last change known).

        Whole successions compose, merges are sums, a split forbids whatever comes after it. A unit whose whole level
        ended is where its parts are. ``LookupError`` where nobody bore the code, ``ValueError`` as ``as_is``.
        """
        unit = self.unit(code, then)
        if unit is None:
            raise LookupError(f"nobody bears {code} on {then}")
        day = max(self.last_change, then) if day is None else day
        now, acts, obstacles = self._followed(unit, then, day)
        if now is None:
            return AsIs(unit, None, acts, obstacles)
        came = self._came_into(now, day, then)
        others = [u for u in came if u != unit and u.parent_code != unit.code]
        beside: dict[str, AdminUnit] = {}
        partly: list[Obstacle] = []
        for other in others:
            # Of a unit that was dissolved its parts came; so they did of one beside it.
            whole = other if unit in came else self.unit(other.parent_code, then) or other
            heir, _, forbids = self._followed(whole, then, day)
            if heir == now and whole.level == unit.level:
                beside[whole.code] = whole
            elif whole is other:
                partly += forbids
            else:
                partly.append(Obstacle(other, (now,), acts[-1], "part_of_another"))
        return AsIs(unit, now, acts, (), tuple(beside.values()), tuple(dict.fromkeys(partly)))

    def _followed(
        self, unit: AdminUnit, then: dt.date, day: dt.date
    ) -> tuple[AdminUnit | None, tuple[str, ...], tuple[Obstacle, ...]]:
        """The one unit of ``day`` in which all of a unit is; the acts on the way; else what forbids it."""
        if day < then:
            raise ValueError("a unit is followed forward only")
        acts: list[str] = []
        while not unit.valid_on(day):
            steps = self.successors(unit)
            if [step.relation for step in steps] != ["whole"]:
                if steps:
                    heirs = [self.unit(step.new_code, step.effective_on) for step in steps]
                    found = tuple(sorted({h for h in heirs if h is not None}, key=lambda heir: heir.code))
                    return None, tuple(acts), (Obstacle(unit, found, steps[0].legal_act),)
                return self._dissolved(unit, day, acts)
            acts.append(steps[0].legal_act)
            heir = self.unit(steps[0].new_code, steps[0].effective_on)
            if heir is None:
                return None, tuple(acts), (Obstacle(unit, (), steps[0].legal_act),)
            unit = heir
        return unit, tuple(dict.fromkeys(acts)), ()

    def _dissolved(
        self, unit: AdminUnit, day: dt.date, acts: Sequence[str]
    ) -> tuple[AdminUnit | None, tuple[str, ...], tuple[Obstacle, ...]]:
        """A unit that nobody took over: it is in one unit where all of its parts are, whole, and nothing else is."""
        assert unit.valid_to is not None
        parts = [p for p in self._below.get(unit.code, ()) if p.valid_on(unit.valid_to)]
        went = [self._followed(part, unit.valid_to, day) for part in parts]
        heirs = {heir for heir, _, _ in went if heir is not None}
        obstacles = [obstacle for _, _, forbids in went for obstacle in forbids]
        all_acts = tuple(
            dict.fromkeys([*acts, unit.ended_by, *(act for _, on_the_way, _ in went for act in on_the_way)])
        )
        if len(heirs) == 1 and not obstacles:
            return heirs.pop(), all_acts, ()
        heirs |= {heir for obstacle in obstacles for heir in obstacle.heirs}
        found = tuple(sorted(heirs, key=lambda heir: heir.code))
        return None, tuple(acts), (Obstacle(unit, found, unit.ended_by, "dissolved"), *obstacles)

    def _came_into(self, unit: AdminUnit, day: dt.date, then: dt.date) -> list[AdminUnit]:
        """The units of the day ``then`` of which anything went into a unit of a later day, in order of code."""
        found: dict[tuple[str, dt.date | None], AdminUnit] = {}
        stack = [unit]
        while stack:
            now = stack.pop()
            if now.valid_on(then):
                found[now.code, now.valid_from] = now
            for step in self.into(now):
                if then < step.effective_on <= day:
                    old = self.unit(step.old_code, step.effective_on - _DAY)
                    if old is not None:
                        stack.append(old)
        return sorted(found.values(), key=lambda found_unit: found_unit.code)

    def into(self, unit: AdminUnit) -> list[Succession]:
        """What the unit took over, on its first day and, while it went on, since."""
        return [step for step in self._into.get(unit.code, ()) if unit.valid_on(step.effective_on)]

    @cached_property
    def _into(self) -> dict[str, list[Succession]]:
        found: dict[str, list[Succession]] = defaultdict(list)
        for succession in self.successions:
            found[succession.new_code].append(succession)
        return found

    @cached_property
    def _below(self) -> dict[str, list[AdminUnit]]:
        found: dict[str, list[AdminUnit]] = defaultdict(list)
        for unit in self.units:
            found[unit.parent_code].append(unit)
        return found

    def check(self) -> list[RegisterFault]:
        """Everything in which the tables contradict each other or leave a unit without a past or a future.

        For each unit: its code has the digits of its level, stretches of a code do not overlap, a stretch does not end
        before it begins, its parent is in being all the while and stands higher, no neighbour bears its name, however
        that is written. For each change: an act that exists and takes effect that day; who ended has successors that
        are in being next day (all of it, or at least two parts) by the act that it ended by, unless its whole level
        ends that day and its children went elsewhere; who began has predecessors that ended on the eve. For each act:
        it stands once, its day is not after it takes effect, as many units went over as were taken over, and as many
        are left as it says.
        """
        return [
            *self._stretches(),
            *self._parents(),
            *self._names(),
            *self._changes(),
            *self._successions(),
            *self._acts(),
            *self._sums(),
        ]

    def _stretches(self) -> Iterator[RegisterFault]:
        for code, stretches in self._by_code.items():
            for unit in stretches:
                if unit.level not in LEVELS:
                    known = ", ".join(LEVELS)
                    yield RegisterFault(
                        "admin_units.csv", unit.label_vi, f"cấp “{unit.level}” không có; ghi một trong: {known}"
                    )
                elif not (code.isascii() and code.isdecimal() and len(code) == LEVELS[unit.level]):
                    yield RegisterFault(
                        "admin_units.csv",
                        unit.label_vi,
                        f"mã “{code}” không phải mã của cấp này: gồm đúng {LEVELS[unit.level]} chữ số, kể cả số 0 đứng "
                        "đầu, không dấu cách",
                    )
                if unit.valid_from and unit.valid_to and unit.valid_to < unit.valid_from:
                    yield RegisterFault("admin_units.csv", unit.label_vi, "ngày kết thúc trước ngày bắt đầu")
            ordered = sorted(stretches, key=lambda unit: unit.valid_from or dt.date.min)
            for one, next_one in pairwise(ordered):
                if one.valid_to is None or next_one.valid_from is None or next_one.valid_from <= one.valid_to:
                    yield RegisterFault(
                        "admin_units.csv",
                        code,
                        f"hai đơn vị mang cùng một mã trong cùng thời gian: {one.label_vi}; {next_one.label_vi}",
                    )

    def _parents(self) -> Iterator[RegisterFault]:
        for unit in self.units:
            if not unit.parent_code:
                if unit.level != "province":
                    yield RegisterFault("admin_units.csv", unit.label_vi, "thiếu mã đơn vị cấp trên (parent_code)")
                continue
            parents = [p for p in self._by_code.get(unit.parent_code, ()) if _share_days(p, unit)]
            if any(
                p.level in LEVELS and unit.level in LEVELS and LEVELS[p.level] >= LEVELS[unit.level] for p in parents
            ):
                yield RegisterFault(
                    "admin_units.csv", unit.label_vi, f"đơn vị cấp trên {unit.parent_code} không ở cấp cao hơn"
                )
            day = _uncovered(unit, parents)
            if day is not None:
                since = "" if day == dt.date.min else f" vào ngày {day:%d/%m/%Y}"
                yield RegisterFault(
                    "admin_units.csv", unit.label_vi, f"không có đơn vị cấp trên nào mang mã {unit.parent_code}{since}"
                )

    def _names(self) -> Iterator[RegisterFault]:
        beside: dict[tuple[str, str, str], list[AdminUnit]] = defaultdict(list)
        for unit in self.units:
            if not unit.name or unit.name != " ".join(unicodedata.normalize("NFC", unit.name).split()):
                yield RegisterFault(
                    "admin_units.csv",
                    unit.label_vi,
                    f"tên “{unit.name}” trống, thừa dấu cách hoặc không ở dạng Unicode dựng sẵn; ghi lại tên",
                )
            beside[unit.parent_code, unit.level, _told_alike(unit.name)].append(unit)
        for alike in beside.values():
            for i, one in enumerate(alike):
                for other in alike[i + 1 :]:
                    if one.code != other.code and _share_days(one, other):
                        yield RegisterFault(
                            "admin_units.csv", one.label_vi, f"trùng tên với {other.label_vi} của cùng đơn vị cấp trên"
                        )

    def _changes(self) -> Iterator[RegisterFault]:
        acts = {act.legal_act: act for act in self.acts}
        ends_with_level = self._levels_that_end()
        for unit in self.units:
            for what, day, act in (
                ("bắt đầu", unit.valid_from, unit.begun_by),
                ("kết thúc", unit.valid_to + _DAY if unit.valid_to else None, unit.ended_by),
            ):
                if day is None and act:
                    yield RegisterFault(
                        "admin_units.csv", unit.label_vi, f"ghi văn bản {act} nhưng không ghi ngày {what}"
                    )
                elif day is not None and not act:
                    yield RegisterFault("admin_units.csv", unit.label_vi, f"ghi ngày {what} nhưng không ghi văn bản")
                elif day is not None and act not in acts:
                    yield RegisterFault("unit_acts.csv", act, f"thiếu văn bản mà {unit.label_vi} dẫn; thêm một dòng")
                elif day is not None and acts[act].effective_on != day:
                    effective = acts[act].effective_on
                    yield RegisterFault(
                        "admin_units.csv",
                        unit.label_vi,
                        f"{what} từ {day:%d/%m/%Y}, văn bản {act} có hiệu lực từ {effective:%d/%m/%Y}",
                    )
            if unit.valid_from and not self.predecessors(unit):
                yield RegisterFault(
                    "admin_unit_successors.csv",
                    unit.label_vi,
                    "đơn vị mới không có đơn vị cũ nào; ghi đơn vị đã chuyển thành đơn vị này",
                )
            if unit.valid_to and not self.successors(unit):
                if (unit.level, unit.valid_to) not in ends_with_level:
                    yield RegisterFault(
                        "admin_unit_successors.csv",
                        unit.label_vi,
                        "đơn vị kết thúc mà không đơn vị nào nhận; ghi đơn vị nhận",
                    )
                elif not any(
                    child.parent_code == unit.code and child.valid_to == unit.valid_to for child in self.units
                ):
                    yield RegisterFault(
                        "admin_unit_successors.csv",
                        unit.label_vi,
                        "kết thúc cùng cả cấp mà không có đơn vị cấp dưới nào chuyển đi; ghi đơn vị nhận",
                    )

    def _levels_that_end(self) -> set[tuple[str, dt.date]]:
        """Levels with the last day on which any unit of theirs was in being."""
        last: dict[str, dt.date] = {}
        for unit in self.units:
            last[unit.level] = max(last.get(unit.level, dt.date.min), unit.valid_to or dt.date.max)
        return {(level, day) for level, day in last.items() if day != dt.date.max}

    def _successions(self) -> Iterator[RegisterFault]:
        acts = {act.legal_act: act for act in self.acts}
        table = "admin_unit_successors.csv"
        for (code, day), steps in self._after.items():
            subject = f"{code}, {day:%d/%m/%Y}"
            old = self.unit(code, day - _DAY)
            if old is None or old.valid_to != day - _DAY:
                yield RegisterFault(
                    table, subject, f"không có đơn vị nào mang mã {code} kết thúc ngày {day - _DAY:%d/%m/%Y}"
                )
            relations = [step.relation for step in steps]
            if unknown := sorted(set(relations) - set(RELATIONS)):
                yield RegisterFault(
                    table, subject, f"quan hệ “{unknown[0]}” không có; ghi một trong: {', '.join(RELATIONS)}"
                )
            elif "whole" in relations and len(steps) > 1:
                yield RegisterFault(
                    table, subject, "đã chuyển toàn bộ cho một đơn vị thì không còn phần nào cho đơn vị khác"
                )
            elif relations in (["part"], ["part-main"]):
                yield RegisterFault(table, subject, "chỉ một phần có đơn vị nhận; ghi đơn vị nhận phần còn lại")
            elif relations.count("part-main") > 1:
                yield RegisterFault(table, subject, "chỉ một đơn vị nhận được phần lớn hơn (part-main)")
            by = sorted({step.legal_act for step in steps})
            if old is not None and old.ended_by not in by and (old.level, old.valid_to) not in self._levels_that_end():
                yield RegisterFault(
                    table, subject, f"{old.label_vi} kết thúc theo {old.ended_by}, không theo {', '.join(by)}"
                )
            if len({step.new_code for step in steps}) < len(steps):
                yield RegisterFault(table, subject, "một đơn vị nhận ghi hai lần")
            for step in steps:
                new = self.unit(step.new_code, day)
                if new is None:
                    yield RegisterFault(
                        table, subject, f"không có đơn vị nào mang mã {step.new_code} vào ngày {day:%d/%m/%Y}"
                    )
                elif (
                    old is not None
                    and new.level != old.level
                    and (old.level, old.valid_to) not in self._levels_that_end()
                ):
                    yield RegisterFault(table, subject, f"{old.label_vi} chuyển thành đơn vị cấp khác: {new.label_vi}")
                if step.legal_act not in acts:
                    yield RegisterFault(
                        "unit_acts.csv", step.legal_act, f"thiếu văn bản mà dòng {subject} dẫn; thêm một dòng"
                    )
                elif acts[step.legal_act].effective_on != day:
                    yield RegisterFault(table, subject, f"văn bản {step.legal_act} có hiệu lực từ ngày khác")
                elif new is not None and new.valid_from == day and new.begun_by != step.legal_act:
                    yield RegisterFault(
                        table, subject, f"{new.label_vi} bắt đầu theo {new.begun_by}, không theo {step.legal_act}"
                    )

    def _acts(self) -> Iterator[RegisterFault]:
        table, told = "unit_acts.csv", Counter(act.legal_act for act in self.acts)
        for legal_act, times in told.items():
            if not legal_act:
                yield RegisterFault(table, "dòng không có số, ký hiệu", "ghi số, ký hiệu của văn bản")
            if times > 1:
                yield RegisterFault(table, legal_act, f"một văn bản ghi {times} dòng; chỉ giữ một")
        for act in self.acts:
            if act.dated > act.effective_on:
                yield RegisterFault(
                    table,
                    act.legal_act,
                    f"ban hành ngày {act.dated:%d/%m/%Y}, sau ngày có hiệu lực {act.effective_on:%d/%m/%Y}; sửa lại",
                )

    def _sums(self) -> Iterator[RegisterFault]:
        for act in self.acts:
            steps = [step for step in self.successions if step.legal_act == act.legal_act]
            began = {unit.code for unit in self.units if unit.begun_by == act.legal_act}
            if not (began or steps or any(unit.ended_by == act.legal_act for unit in self.units)):
                yield RegisterFault("unit_acts.csv", act.legal_act, "không đơn vị nào thay đổi theo văn bản này")
            if act.units_after is not None and len(began) != act.units_after:
                yield RegisterFault(
                    "unit_acts.csv",
                    act.legal_act,
                    f"văn bản để lại {act.units_after} đơn vị, bảng đơn vị có {len(began)}",
                )

    def balance(self, act: UnitAct) -> Balance:
        """What an act did, counted on both sides."""
        steps = [step for step in self.successions if step.legal_act == act.legal_act]
        whole = {step.old_code for step in steps if step.relation == "whole"}
        gone = {step.old_code for step in steps}
        return Balance(
            went_whole=len(whole),
            were_split=len(gone - whole),
            were_dissolved=len({u.code for u in self.units if u.ended_by == act.legal_act} - gone),
            took_over=len({step.new_code for step in steps}),
            began=len({unit.code for unit in self.units if unit.begun_by == act.legal_act}),
        )


@lru_cache(maxsize=1)
def registered() -> UnitRegister:
    """The project's own register, read once; raises as ``UnitRegister.load``."""
    return UnitRegister.load(SEEDS)


def load_units(folder: Path) -> tuple[AdminUnit, ...]:
    """``admin_units.csv`` alone; raises as ``UnitRegister.load``."""
    return read_rows(
        folder / "admin_units.csv",
        lambda row: AdminUnit(
            row["unit_code"],
            row["level"],
            row["unit_type"],
            row["name_vi"],
            row["parent_code"],
            read_day(row["valid_from"]),
            read_day(row["valid_to"]),
            row["begun_by"],
            row["ended_by"],
        ),
    )


def _told_alike(name: str) -> str:
    """A name as people tell it from others: small letters, single blanks, a syllable's tone behind it, since Hòa and
    Hoà are one.
    """
    words = unicodedata.normalize("NFD", name.casefold()).split()
    return " ".join("".join(sorted(word, key=_TONES.__contains__)) for word in words)


def _share_days(one: AdminUnit, other: AdminUnit) -> bool:
    first = max(one.valid_from or dt.date.min, other.valid_from or dt.date.min)
    return first <= min(one.valid_to or dt.date.max, other.valid_to or dt.date.max)


def _uncovered(unit: AdminUnit, parents: Sequence[AdminUnit]) -> dt.date | None:
    """The first day of the unit's stretch on which none of the parents is in being."""
    day, last = unit.valid_from or dt.date.min, unit.valid_to or dt.date.max
    for parent in sorted(parents, key=lambda p: p.valid_from or dt.date.min):
        if (parent.valid_from or dt.date.min) > day:
            return day
        end = parent.valid_to or dt.date.max
        if end >= last:
            return None
        day = max(day, end + _DAY)
    return day

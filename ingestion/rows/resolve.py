"""Names of units and procedures as codes that are valid on a date.

Belongs here: the two registers and the spellings under which their entries are met. Does not belong here: where the
entries come from (``engine``), or anything about a file. A name that may mean two things is never decided.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from common.periods import Period
from common.portals import PortalCodes, agency_code
from common.roles import PART, REPORTING_UNIT, Role
from expectations import kinds_of_personal_data
from ingestion.base.readings import Cell, Reading, rejected
from ingestion.base.reference import AdminUnit, FormRow
from ingestion.rows.values import parse_text
from ingestion.text.vietnamese import LabelIndex, bare, fold

_ABBREVIATIONS = {
    "huyện": ("huyện", "h"),
    "xã": ("xã", "x"),
    "thị trấn": ("thị trấn", "tt"),
    "phường": ("phường", "p"),
    "quận": ("quận", "q"),
    "thị xã": ("thị xã", "tx"),
    "thành phố": ("thành phố", "tp"),
    "đặc khu": ("đặc khu", "đk"),
}
# Offices that speak for the unit whose name follows them.
_OFFICE = re.compile(
    r"^(?:bộ phận (?:một cửa|1 cửa|tiếp nhận và trả kết quả)|bp một cửa|trung tâm phục vụ hành chính công)(?: của)?\s+",
    re.IGNORECASE,
)
_COMMITTEE = re.compile(r"^(?:ubnd|ủy ban nhân dân|uỷ ban nhân dân|uy ban nhan dan)\.?\s+", re.IGNORECASE)
_COMMITTEE_BARE = "(?:ubnd|uy ban nhan dan)"
_TYPES = "|".join(sorted(map(bare, _ABBREVIATIONS)))
_SHORT_TYPES = "|".join(sorted({bare(name) for names in _ABBREVIATIONS.values() for name in names}))
# The committee of a district or commune that heads a table, in bare words.
_HEADS = re.compile(rf"^(?:(?:don vi|co quan)(?: bao cao)? )?{_COMMITTEE_BARE} (?:{_SHORT_TYPES}) \S")
_OF_AN_OFFICE = re.compile(rf"(?:{_COMMITTEE_BARE}|{_TYPES}|tinh|so|phong|van phong)\b\D*$")
_OFFICE_BARE = re.compile(
    r"^(?:bo phan (?:mot cua|1 cua|tiep nhan va tra ket qua)|trung tam phuc vu hanh chinh cong)\s+"
)


@dataclass(frozen=True, slots=True, order=True)
class UnitEntry:
    """A unit that may be named in a delivery: code, official name, other names, the unit above it."""

    code: str
    name: str
    other_names: tuple[str, ...] = ()
    parent_code: str | None = field(default=None, compare=False)


def _proper_name(unit: AdminUnit) -> str:
    return re.sub(rf"^{re.escape(unit.unit_type)}\s+", "", unit.name, flags=re.IGNORECASE)


def admin_spellings(unit: AdminUnit) -> set[str]:
    """Spellings of an administrative unit: with its type, abbreviated, and without."""
    own = _proper_name(unit)
    return {unit.name, own} | {f"{short} {own}" for short in _ABBREVIATIONS.get(unit.unit_type.lower(), ())}


def names_an_office(text: str) -> bool:
    """Whether a name begins as those of offices do and tells of no person: one that may be quoted of a strange file."""
    return _OF_AN_OFFICE.match(bare(text)) is not None and not kinds_of_personal_data(text)


class UnitRegistry:
    """Units that may be named in the deliveries of one reporting unit in one quarter.

    ``parts`` deliver through it. ``superior`` is the unit above it, whose name may stand over its tables beside its.
    ``before`` are the units before it, where rows may still name them. ``portals`` tells which unit a code of a portal
    means ``on`` the day, and on the last days of the units ``before``. ``below`` are the units of one that stands above
    those that report: its rows are about them, and never about itself. With ``only_listed`` rows name the units of its
    register, ``org_units``, and nobody else.
    """

    def __init__(
        self,
        reporting_unit: AdminUnit,
        parts: Iterable[AdminUnit],
        org_units: Iterable[UnitEntry] = (),
        superior: AdminUnit | None = None,
        before: Iterable[AdminUnit] = (),
        portals: PortalCodes | None = None,
        on: dt.date | None = None,
        below: Iterable[AdminUnit] = (),
        *,
        only_listed: bool = False,
    ) -> None:
        parts, before, below = list(parts), list(before), list(below)
        self.heading_names = frozenset(bare(_proper_name(unit)) for unit in [reporting_unit, *parts, *below])
        spelled = admin_spellings(superior) - {_proper_name(superior)} if superior else set()
        self.superior_names = frozenset(map(bare, spelled))
        self.part_codes = frozenset(u.code for u in parts)
        self._names: dict[str, str] = {}
        self._index: LabelIndex[str] = LabelIndex()
        suffix = f" {reporting_unit.name}"
        named = [] if only_listed else below or [reporting_unit, *parts]
        for unit in sorted(named, key=lambda u: u.code):
            self._add(unit.code, unit.name, admin_spellings(unit))
        for entry in sorted(org_units):
            names = {entry.name, *entry.other_names}
            self._add(entry.code, entry.name, names | {name + suffix for name in names})
        if not below and not only_listed:
            self._index.add(reporting_unit.unit_type, reporting_unit.code)
        self.reporting_unit = reporting_unit
        self.names_before = self._take_over(before)
        self._portals, self._on = portals or PortalCodes(), on
        self._before = {(unit.code, unit.valid_to) for unit in before if unit.valid_to is not None}

    def _take_over(self, before: Iterable[AdminUnit]) -> tuple[str, ...]:
        """Names of the units before it, each with its kind, as the reporting unit's; one that means a unit of today
        already keeps that meaning.
        """
        spelled = {name for unit in before for name in admin_spellings(unit) - {_proper_name(unit)}}
        names = sorted(name for name in spelled if not self._index.find(name))
        self._index.add_all(names, self.reporting_unit.code)
        return tuple(names)

    def _add(self, code: str, name: str, spellings: Iterable[str]) -> None:
        self._names.setdefault(code, name)
        self._index.add_all(spellings, code)

    @cached_property
    def _suggestions(self) -> _Suggestions:
        return _Suggestions(self._names.values())

    @property
    def entries(self) -> list[tuple[str, str]]:
        """Code and name of every unit, in order."""
        return sorted(self._names.items())

    @property
    def agencies(self) -> dict[str, str]:
        """Codes of portals under which these units are met, each with its unit."""
        own = self._portals.of_units([*self._names], self._on) if self._on is not None else {}
        earlier = (self._portals.of_units([unit], last) for unit, last in sorted(self._before))
        return {code: self.reporting_unit.code for codes in earlier for code in codes} | own

    def _of_agency(self, code: str) -> str | None:
        """The unit that a code of a portal means, here or elsewhere: today, else in the days of the units before."""
        found = self._portals.unit_code(code, self._on) if self._on is not None else None
        if found in self._names:
            return found
        if any(self._portals.unit_code(code, last) == unit for unit, last in self._before):
            return self.reporting_unit.code
        return found

    def find(self, text: str) -> set[str]:
        """Codes that a name may mean."""
        if text in self._names:
            return {text}
        if agency := agency_code(text):
            unit = self._of_agency(agency)
            return {unit} if unit in self._names else set()
        found = self._index.find(text)
        if found:
            return found
        stripped = _COMMITTEE.sub("", _OFFICE.sub("", text))
        if stripped == text:
            stripped = re.sub(rf"^{_COMMITTEE_BARE}\s+", "", _OFFICE_BARE.sub("", bare(text)))
            if stripped == bare(text):
                return set()
        return self._index.find(stripped)

    def parse(self, cell: Cell) -> Reading:
        """The unit's code; a name that is unknown or may mean two units is rejected with advice."""
        reading = parse_text(cell)
        if reading.value is None:
            return reading
        found = self.find(reading.value)
        if len(found) == 1:
            return Reading(found.pop())
        if found:
            names = " hoặc ".join(f"{self._names[c]} ({c})" for c in sorted(found))
            return rejected(
                "ambiguous_unit",
                f"Tên đơn vị “{reading.value}” có thể là {names}",
                "Ghi đầy đủ tên đơn vị, kèm loại (huyện, thị trấn, xã).",
            )
        agency = agency_code(reading.value)
        if agency and (other := self._of_agency(agency)):
            return rejected(
                "unknown_unit",
                f"Mã “{reading.value}” là của đơn vị khác ({other}), không thuộc danh mục của kỳ",
                "Ghi tên đơn vị, hoặc mã của đơn vị trên cổng; hồ sơ của đơn vị khác thì để đơn vị đó gửi.",
            )
        return rejected(
            "unknown_unit",
            f"Không có đơn vị “{reading.value}” trong danh mục của kỳ",
            self._suggestions.advice(reading.value),
        )

    def stranger_in_titles(self, texts: Iterable[str]) -> str | None:
        """The title text that names the committee of a district or commune, where no title names a unit of these."""
        titles = {text: bare(text) for text in texts}
        if any(f" {name} " in f" {title} " for title in titles.values() for name in self.heading_names):
            return None
        return next(
            (text for text, title in titles.items() if _HEADS.match(title) and not self._heads_from_above(title)), None
        )

    def _heads_from_above(self, title: str) -> bool:
        return any(f" {title} ".endswith(f" {name} ") for name in self.superior_names)

    def in_titles(self, texts: Iterable[str]) -> str | None:
        """The unit a title block names: the one labelled as the unit, else the only lowest one named."""
        labelled: set[str] = set()
        named: set[str] = set()
        for text in texts:
            label = re.match(
                r"^(?:đơn vị|cơ quan|đơn vị tiếp nhận|cơ quan tiếp nhận|đơn vị báo cáo)\s*:\s*(.+)$",
                text,
                re.IGNORECASE,
            )
            found = self.find(label[1] if label else text)
            if len(found) == 1:
                (labelled if label else named).update(found)
        if len(labelled) == 1:
            return labelled.pop()
        lower = named - {self.reporting_unit.code}
        candidates = lower or named
        return candidates.pop() if len(candidates) == 1 and not labelled else None


class _Suggestions:
    """Names of a register that are close to one that it does not have.

    The few names with most of their words in common are compared by their pairs of letters, so that an export full of
    unknown names costs little more than reading it. What is advised depends on the name alone.
    """

    _WORDS, _COMPARED, _SHOWN = 12, 12, 3
    _LEAST = 0.6
    # Longer texts are no names; their first letters tell as much.
    _LETTERS = 200

    def __init__(self, known: Iterable[str]) -> None:
        names = sorted({bare(k): k for k in sorted(set(known))}.items())
        self._names = [(name, _pairs(key)) for key, name in names]
        self._words = [len(set(key.split())) for key, _ in names]
        self._having: dict[str, list[int]] = {}
        for place, (key, _) in enumerate(names):
            for word in sorted(set(key.split())):
                self._having.setdefault(word, []).append(place)

    def advice(self, name: str) -> str:
        key = bare(name[: self._LETTERS])
        mine = _pairs(key)
        ranked = [(-2 * len(mine & pairs) / (len(mine) + len(pairs)), place) for place, pairs in self._candidates(key)]
        close = [self._names[place][0] for score, place in sorted(ranked)[: self._SHOWN] if -score >= self._LEAST]
        if not close:
            return "Ghi đúng tên trong danh mục, hoặc bổ sung danh mục."
        return "Gần giống: " + "; ".join(close) + ". Ghi đúng tên trong danh mục."

    def _candidates(self, key: str) -> Iterator[tuple[int, frozenset[str]]]:
        # A register so small is compared whole: a name of one mistyped word shares no word with the right one.
        if len(self._names) <= self._COMPARED * 4:
            yield from ((place, pairs) for place, (_, pairs) in enumerate(self._names))
            return
        words = sorted(set(key.split()), key=lambda word: (len(self._having.get(word, ())), word))
        shared: Counter[int] = Counter()
        for word in words[: self._WORDS]:
            shared.update(self._having.get(word, ()))
        best = heapq.nsmallest(
            self._COMPARED, shared, key=lambda place: (-shared[place] / (len(words) + self._words[place]), place)
        )
        yield from ((place, self._names[place][1]) for place in best)


def _pairs(key: str) -> frozenset[str]:
    """Each two letters of a text that follow one another."""
    return frozenset(map("".join, pairwise(f" {key} ")))


@dataclass(frozen=True, slots=True, order=True)
class ProcedureEntry:
    """A procedure of the catalogue in one stretch of its validity; ``ended_on`` is the first day it is no longer in
    force.
    """

    code: str
    name: str
    valid_from: dt.date
    ended_on: dt.date | None = field(default=None, compare=False)

    def valid_on(self, day: dt.date) -> bool:
        return self.valid_from <= day and (self.ended_on is None or day < self.ended_on)


class ProcedureRegistry:
    """The procedures of a reporting unit's catalogue."""

    def __init__(self, entries: Iterable[ProcedureEntry] = ()) -> None:
        self.entries = sorted(set(entries))
        self.codes = frozenset(e.code for e in self.entries)
        self._index: LabelIndex[str] = LabelIndex()
        self._by_name: dict[str, list[ProcedureEntry]] = defaultdict(list)
        for entry in self.entries:
            key = fold(entry.name)
            self._index.add(entry.name, key)
            self._by_name[key].append(entry)

    @cached_property
    def _suggestions(self) -> _Suggestions:
        return _Suggestions(e.name for e in self.entries)

    def resolve(self, name: str, day: dt.date) -> Reading:
        """Code of the one procedure of that name in force on the day; otherwise a rejection with advice."""
        found = [e for key in sorted(self._index.find(name)) for e in self._by_name[key]]
        valid = sorted({e.code for e in found if e.valid_on(day)})
        if len(valid) == 1:
            return Reading(valid[0])
        if len(valid) > 1:
            return rejected(
                "ambiguous_procedure",
                f"Tên thủ tục “{name}” ứng với nhiều mã: {', '.join(valid)}",
                "Ghi thêm mã thủ tục hành chính.",
            )
        if found:
            return rejected(
                "procedure_not_in_force",
                f"Thủ tục “{name}” không có hiệu lực vào ngày {day:%d/%m/%Y}",
                "Kiểm tra ngày tiếp nhận hoặc cập nhật danh mục thủ tục.",
            )
        return rejected(
            "unknown_procedure",
            f"Không có thủ tục “{name}” trong danh mục của kỳ",
            self._suggestions.advice(name),
        )


@dataclass(frozen=True)
class Context:
    """Everything besides the file and the contract that decides how a delivery is read."""

    period: Period
    folder_unit: AdminUnit
    units: UnitRegistry
    procedures: ProcedureRegistry
    unit_entries: tuple[UnitEntry, ...]
    secret_key: bytes
    form_rows: tuple[FormRow, ...] = ()
    whole_role: Role = REPORTING_UNIT

    @property
    def role(self) -> Role:
        """As what the folder's unit delivers: as a part of the one that reports, or as the whole (``whole_role``)."""
        return PART if self.folder_unit.code in self.units.part_codes else self.whole_role

    def digest(self) -> str:
        """Hash of the registers, the window and the key: when it changes, deliveries are read again."""
        content = {
            "period": [self.period.quarter, self.period.opens_on.isoformat(), self.period.closes_on.isoformat()],
            "units": self.units.entries,
            "may_head": sorted(self.units.heading_names),
            "above": sorted(self.units.superior_names),
            "org_units": [[e.code, e.name, list(e.other_names)] for e in sorted(self.unit_entries)],
            "procedures": [
                [e.code, e.name, e.valid_from.isoformat(), e.ended_on.isoformat() if e.ended_on else None]
                for e in self.procedures.entries
            ],
            "form": [[r.code, r.names, r.kind, r.unit, r.section, r.number, r.source] for r in self.form_rows],
            "key": hashlib.sha256(b"fingerprint" + self.secret_key).hexdigest(),
        }
        if self.units.names_before:
            content["before"] = list(self.units.names_before)
        if agencies := self.units.agencies:
            content["agencies"] = sorted(agencies.items())
        return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()

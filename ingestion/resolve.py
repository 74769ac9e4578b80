"""Names of units and procedures as codes that are valid on a date.

Belongs here: the two registers and the spellings under which their entries are met. Does not belong here: where the
entries come from (``engine``), or anything about a file. A name that may mean two things is never decided.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ingestion.readings import Cell, Reading, rejected
from ingestion.reference import AdminUnit, Period
from ingestion.values import parse_text
from ingestion.vietnamese import LabelIndex, bare, fold

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
_OFFICE_BARE = re.compile(
    r"^(?:bo phan (?:mot cua|1 cua|tiep nhan va tra ket qua)|trung tam phuc vu hanh chinh cong)\s+"
)


@dataclass(frozen=True, slots=True, order=True)
class UnitEntry:
    """A unit that may be named in a delivery: code, official name, other names."""

    code: str
    name: str
    other_names: tuple[str, ...] = ()


def admin_spellings(unit: AdminUnit) -> set[str]:
    """Spellings of an administrative unit: with its type, abbreviated, and without."""
    own = re.sub(rf"^{re.escape(unit.unit_type)}\s+", "", unit.name, flags=re.IGNORECASE)
    return {unit.name, own} | {f"{short} {own}" for short in _ABBREVIATIONS.get(unit.unit_type.lower(), ())}


class UnitRegistry:
    """Units that may be named in the deliveries of one reporting unit in one quarter."""

    def __init__(
        self, reporting_unit: AdminUnit, communes: Iterable[AdminUnit], org_units: Iterable[UnitEntry] = ()
    ) -> None:
        communes = list(communes)
        self.commune_codes = frozenset(u.code for u in communes)
        self._names: dict[str, str] = {}
        self._index: LabelIndex[str] = LabelIndex()
        suffix = f" {reporting_unit.name}" if reporting_unit.level == "district" else ""
        for unit in sorted([reporting_unit, *communes], key=lambda u: u.code):
            self._add(unit.code, unit.name, admin_spellings(unit))
        for entry in sorted(org_units):
            names = {entry.name, *entry.other_names}
            self._add(entry.code, entry.name, names | {name + suffix for name in names})
        if suffix:
            self._index.add(reporting_unit.unit_type, reporting_unit.code)
        self.reporting_unit = reporting_unit

    def _add(self, code: str, name: str, spellings: Iterable[str]) -> None:
        self._names.setdefault(code, name)
        self._index.add_all(spellings, code)

    @property
    def entries(self) -> list[tuple[str, str]]:
        """Code and name of every unit, in order."""
        return sorted(self._names.items())

    def find(self, text: str) -> set[str]:
        """Codes that a name may mean."""
        if text in self._names:
            return {text}
        found = self._index.find(text)
        if found:
            return found
        stripped = _COMMITTEE.sub("", _OFFICE.sub("", text))
        if stripped == text:
            stripped = re.sub(r"^(?:ubnd|uy ban nhan dan)\s+", "", _OFFICE_BARE.sub("", bare(text)))
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
        return rejected(
            "unknown_unit",
            f"Không có đơn vị “{reading.value}” trong danh mục của kỳ",
            _closest(reading.value, self._names.values()),
        )

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


def _closest(name: str, known: Iterable[str]) -> str:
    by_key = {bare(k): k for k in sorted(set(known))}
    close = [by_key[k] for k in difflib.get_close_matches(bare(name), list(by_key), n=3, cutoff=0.6)]
    if not close:
        return "Ghi đúng tên trong danh mục, hoặc bổ sung danh mục."
    return "Gần giống: " + "; ".join(close) + ". Ghi đúng tên trong danh mục."


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
            _closest(name, (e.name for e in self.entries)),
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

    def digest(self) -> str:
        """Hash of the registers, the window and the key: when it changes, deliveries are read again."""
        content = {
            "period": [self.period.quarter, self.period.opens_on.isoformat(), self.period.closes_on.isoformat()],
            "units": self.units.entries,
            "org_units": [[e.code, e.name, list(e.other_names)] for e in sorted(self.unit_entries)],
            "procedures": [
                [e.code, e.name, e.valid_from.isoformat(), e.ended_on.isoformat() if e.ended_on else None]
                for e in self.procedures.entries
            ],
            "key": hashlib.sha256(b"fingerprint" + self.secret_key).hexdigest(),
        }
        return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()

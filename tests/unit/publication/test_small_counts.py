"""No small count can be worked out from what is published: audited by a solver that knows nothing of the choice.

The audit takes what a reader sees (cells, which rows there are, what every column counts, the report's own totals) as
constraints on single cases, and asks for the least and the greatest value of each small count.
"""

# ruff: noqa: E731 - a test of cases is one expression, bound to the loop it stands in.

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.optimize import linprog

from publication.content import disclosure, small_counts
from publication.content.disclosure import TABLES, row_key, without_small_counts
from publication.content.other_periods import OtherRelease, across
from publication.content.release_content import ReleaseContent
from publication.content.small_counts import Cell, System, hold_back
from publication.store.contracts import stored_contracts
from publication.store.parquet import from_parquet

THRESHOLD = 5
MakeContent = Callable[..., ReleaseContent]


class Reader:
    """What somebody knows of cases: sums with their values, and sums that are 1 or more."""

    def __init__(self, known: Iterable[tuple[np.ndarray, int]], at_least: Iterable[np.ndarray] = ()) -> None:
        rows = list(known)
        equal = np.array([row for row, _ in rows], dtype=float)
        values = np.array([value for _, value in rows], dtype=float)
        # Of a sum of nothing each part is nothing; what is left is far less.
        self.left = ~equal[values == 0].any(axis=0)
        whole = np.unique(np.column_stack([equal[:, self.left], values])[values != 0], axis=0)
        self.equal, self.values = whole[:, :-1], whole[:, -1]
        self.below = np.array([-row[self.left] for row in at_least], dtype=float)
        #: Worlds that agree with all that is known.
        self.worlds: list[np.ndarray] = []

    def bounds(self, asked: np.ndarray) -> list[float]:
        """The least and the greatest value of a sum of cases."""
        return [self._furthest(sign, asked[self.left].astype(float)) for sign in (1, -1)]

    def knows(self, asked: np.ndarray) -> bool:
        """Whether there is one value only."""
        # Two worlds that were found for other sums may differ in this one, too.
        values = [float(world @ asked[self.left]) for world in self.worlds] or [0.0]
        if max(values) - min(values) >= 1 - 1e-6:
            return False
        least, greatest = self.bounds(asked)
        return greatest - least < 1 - 1e-6

    def _furthest(self, sign: int, asked: np.ndarray) -> float:
        if not asked.any():
            return 0.0
        answer = linprog(
            sign * asked,
            A_eq=self.equal,
            b_eq=self.values,
            A_ub=self.below if len(self.below) else None,
            b_ub=-np.ones(len(self.below)) if len(self.below) else None,
            method="highs",
        )
        if answer.status == 3:
            return float(sign) * -np.inf
        self.worlds.append(answer.x)
        return float(sign * answer.fun)


def bounds(known: Iterable[tuple[np.ndarray, int]], at_least: Iterable[np.ndarray], asked: np.ndarray) -> Any:
    return Reader(known, at_least).bounds(asked)


# --- plain tables -----------------------------------------------------------------------------------------------------


def random_table(seed: int) -> tuple[System, dict[Any, np.ndarray]]:
    """A table of two or three dimensions with all its margins; what each published cell is of the inner ones."""
    chance = random.Random(seed)
    shape = [chance.randint(2, 5) for _ in range(chance.choice((2, 2, 3)))]
    inner = list(np.ndindex(*shape))
    counts = {place: chance.choice((0, 0, 1, 2, 3, 4, 6, 9, 20)) for place in inner}
    system, of = System(), {}
    for margin in np.ndindex(*[size + 1 for size in shape]):
        fixed = [(axis, value) for axis, value in enumerate(margin) if value < shape[axis]]
        members = [place for place in inner if all(place[axis] == value for axis, value in fixed)]
        is_inner = len(fixed) == len(shape)
        system.cells[margin] = Cell(
            sum(counts[place] for place in members), is_inner, 1.0 if is_inner else 10.0 if fixed else None
        )
        of[margin] = np.array([float(place in members) for place in inner])
    for margin in list(system.cells):
        for axis, size in enumerate(shape):
            if margin[axis] == size:
                system.add_sum(margin, [(*margin[:axis], value, *margin[axis + 1 :]) for value in range(size)])
    return system, of


def recoverable(system: System, of: Mapping[Any, np.ndarray], held: Iterable[Any]) -> list[Any]:
    """Small counts that the published cells determine."""
    hidden = set(held)
    known = [(of[key], cell.value) for key, cell in system.cells.items() if key not in hidden]
    small = [key for key, cell in system.cells.items() if cell.sensitive and 0 < cell.value < THRESHOLD]
    found = []
    for key in small:
        least, greatest = bounds(known, [], of[key])
        if greatest - least < 1 - 1e-6:
            found.append(key)
    return found


def audit(seed: int) -> tuple[int, int]:
    system, of = random_table(seed)
    found = hold_back(system, THRESHOLD)
    small = {key for key, cell in system.cells.items() if cell.sensitive and 0 < cell.value < THRESHOLD}
    assert small <= found.keys | found.told_elsewhere
    # What the total alone gives away, nobody can keep: then nothing else could have been held back to help.
    everything = [key for key, cell in system.cells.items() if cell.cost is not None]
    assert set(recoverable(system, of, everything)) == set(found.told_elsewhere)
    assert set(recoverable(system, of, found.keys)) == set(found.told_elsewhere)
    return len(small), len(found.keys)


def test_random_tables_give_no_small_count_away() -> None:
    small = sum(audit(seed)[0] for seed in range(20))
    assert small > 100


@pytest.mark.long
def test_two_hundred_random_tables_give_no_small_count_away() -> None:
    for seed in range(20, 220):
        audit(seed)


def test_the_audit_finds_what_a_difference_gives_away() -> None:
    """Only the small counts themselves held back: the margins give them away, and the audit sees it."""
    found = 0
    for seed in range(20):
        system, of = random_table(seed)
        naive = [key for key, cell in system.cells.items() if cell.sensitive and 0 < cell.value < THRESHOLD]
        found += bool(recoverable(system, of, naive))
    assert found > 6


def two_rows(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[System, dict[Any, np.ndarray]]:
    system, of = System(), {}
    for row, counts in enumerate((first, second)):
        for column, value in enumerate(counts):
            system.cells[row, column] = Cell(value, sensitive=True)
            of[row, column] = np.array([float((r, c) == (row, column)) for r in (0, 1) for c in range(len(counts))])
        system.cells[row, "all"] = Cell(sum(counts), cost=None)
        of[row, "all"] = sum(of[row, column] for column in range(len(counts)))
        system.add_sum((row, "all"), [(row, column) for column in range(len(counts))])
    return system, of


def test_a_revision_gives_nothing_away_by_its_difference() -> None:
    before, of = two_rows((2, 7, 30), (20, 30, 40))
    first = hold_back(before, THRESHOLD).keys
    assert (0, 0) in first
    assert len(first) >= 2
    after, _ = two_rows((6, 7, 30), (20, 30, 40))  # a late delivery: no count is small any more
    known = [(of[key], cell.value) for key, cell in before.cells.items() if key not in first]
    planted = [(of[key], cell.value) for key, cell in after.cells.items() if cell.value == before.cells[key].value]
    least, greatest = bounds([*known, *planted], [], of[0, 0])
    assert least == greatest == 2  # the planted attack: what did not change, the second release would tell
    second = hold_back(after, THRESHOLD, before=first).keys
    assert first <= second
    unchanged = [(of[key], cell.value) for key, cell in after.cells.items()
                 if key not in second and cell.value == before.cells[key].value]  # fmt: skip
    least, greatest = bounds([*known, *unchanged], [], of[0, 0])
    assert greatest - least >= 1


def test_equal_tables_are_held_back_alike_and_again() -> None:
    system, _ = random_table(3)
    first = hold_back(system, THRESHOLD)
    assert hold_back(random_table(3)[0], THRESHOLD) == first
    assert hold_back(system, THRESHOLD, before=first.keys).keys == first.keys


def test_a_programme_that_takes_too_long_holds_back_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    system, _ = random_table(3)
    found = hold_back(system, THRESHOLD).keys
    monkeypatch.setattr(small_counts, "MOST_STEPS", 1)
    everything = hold_back(system, THRESHOLD).keys
    assert everything == {key for key, cell in system.cells.items() if cell.cost is not None}
    assert found < everything


def test_nothing_small_is_nothing_held_back() -> None:
    assert hold_back(two_rows((5, 7), (0, 9))[0], THRESHOLD).keys == frozenset()
    assert hold_back(two_rows((1, 2), (3, 4))[0], 1).keys == frozenset()


def test_what_the_report_alone_tells_is_not_kept() -> None:
    system = System({"unit": Cell(3, sensitive=True), "report": Cell(3, cost=None)})
    system.add_sum("report", ["unit"])
    found = hold_back(system, THRESHOLD)
    assert (found.keys, found.told_elsewhere) == ({"unit"}, {"unit"})


def test_a_small_count_is_held_back_however_much_its_protection_costs() -> None:
    """Twelve counts in a ring, each two of them with a sum that is told: one can only change if all do."""
    ring = range(12)
    system = System({number: Cell(9 if number else 2, sensitive=not number, cost=2e4) for number in ring})
    for number in ring:
        pair = [number, (number + 1) % len(ring)]
        system.cells["both", number] = Cell(sum(system.cells[one].value for one in pair), cost=None)
        system.add_sum(("both", number), pair)
    found = hold_back(system, THRESHOLD)
    assert (found.keys, found.told_elsewhere) == (set(ring), frozenset())


# --- the tables of a release ------------------------------------------------------------------------------------------

UNITS = {"945": "district", "31615": "commune", "31618": "commune"}
PROCEDURES = {"1.000001": "Hộ tịch", "1.000002": "Hộ tịch", "1.000003": "Đất đai"}
#: ``early_later`` is early, its appointment after the window; ``at_once`` needs none: neither was due in the window.
RESOLVED = ("early", "early_later", "on_time", "at_once", "decided", "late", "unknown")
OPEN = ("within", "overdue", "waiting", "suspended")
KINDS = (*RESOLVED, *OPEN, "withdrawn", "refused")
AGES, CAUSES = ("000-005", "006-010"), ("software", "other")
Case = tuple[str, str, str, bool, str, str, str]


def all_cases() -> list[Case]:
    """Every sort of case there can be: unit, procedure, channel, carried over, kind, age where open, cause if late."""
    return [
        (unit, procedure, channel, carried, kind, age, cause)
        for unit in UNITS
        for procedure in PROCEDURES
        for channel in ("direct", "online")
        for carried in (False, True)
        for kind in KINDS
        for age in (AGES if kind in OPEN else ("",))
        for cause in (CAUSES if kind in ("late", "overdue", "decided") else ("",))
    ]


Test = Callable[[Case], bool]


def kind_in(*kinds: str) -> Test:
    return lambda case: case[4] in kinds


EARLY, IN_TIME = ("early", "early_later"), ("on_time", "at_once", "decided")
ON_TIME, IS_RESOLVED = kind_in(*EARLY, *IN_TIME), kind_in(*RESOLVED)
LEFT = ("waiting", "refused", "withdrawn")
PROCESSING: Mapping[str, Test] = {
    "carried_over": lambda case: case[3],
    "received": lambda case: not case[3],
    "resolved": IS_RESOLVED,
    "resolved_early": kind_in(*EARLY),
    "resolved_on_time": kind_in(*IN_TIME),
    "resolved_late": kind_in("late"),
    "resolved_without_appointment": kind_in("unknown"),
    "counted_on_time_by_decision": kind_in("decided"),
    "in_progress": kind_in("within", "overdue"),
    "in_progress_within_due": kind_in("within"),
    "in_progress_overdue": kind_in("overdue"),
    "waiting_for_supplement": kind_in("waiting"),
    "suspended": kind_in("suspended"),
    "withdrawn": kind_in("withdrawn"),
    "refused": kind_in("refused"),
}
FORM: Mapping[str, Test] = {
    "to_resolve": lambda case: True,
    "received_online": lambda case: not case[3] and case[2] == "online",
    "received_direct_or_postal": lambda case: not case[3] and case[2] == "direct",
    "carried_over": lambda case: case[3],
    "resolved": kind_in(*RESOLVED, *LEFT),
    "resolved_early": kind_in(*EARLY),
    "resolved_on_time": kind_in(*IN_TIME, *LEFT),
    "resolved_late": kind_in("late"),
    "in_progress": kind_in("within", "overdue", "suspended"),
    "in_progress_within_due": kind_in("within", "suspended"),
    "in_progress_overdue": kind_in("overdue"),
    "resolved_without_appointment": kind_in("unknown"),
}
DUE = kind_in("early", "on_time", "decided", "late", "overdue")
RATES: Mapping[str, Test] = {"received": lambda case: not case[3], "resolved": IS_RESOLVED, "due": DUE}
STATES = {"within": "in_progress", "overdue": "in_progress", "waiting": "waiting_for_supplement",
          "suspended": "suspended"}  # fmt: skip
LATENESS = {"late": "resolved_late", "overdue": "in_progress_overdue", "decided": "counted_on_time_by_decision"}


class World:
    """Invented cases, the tables that tell them, and what each cell counts."""

    def __init__(self, seed: int, counts: Mapping[Case, int] | None = None) -> None:
        chance = random.Random(seed)
        self.sorts = all_cases()
        often = chance.choice((40, 120, 300))
        self.counts = dict.fromkeys(self.sorts, 0) | {sort: (counts or {}).get(sort, 0) for sort in self.sorts}
        for _ in range(often if counts is None else 0):
            kind = chance.choices(KINDS, (10, 10, 10, 10, 1, 2, 1, 8, 1, 1, 1, 1, 1))[0]
            fits = [sort for sort in self.sorts if sort[4] == kind and (chance.random() < 0.2 or not sort[3])]
            self.counts[chance.choice(fits)] += 1
        self.tables: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        #: By key of a cell: the test of the cases it counts.
        self.cells: dict[Any, Test] = {}
        self._fill()

    def count(self, test: Test) -> int:
        return sum(number for case, number in self.counts.items() if number and test(case))

    def vector(self, test: Test) -> np.ndarray:
        return np.array([float(test(case)) for case in self.sorts])

    def _row(self, mart: str, about: dict[str, Any], columns: Mapping[str, Test], within: Test) -> None:
        tests = {name: (lambda case, test=test: within(case) and test(case)) for name, test in columns.items()}
        row = about | {name: self.count(test) for name, test in tests.items()}
        if mart not in ("case_backlog", "case_lateness") or row["cases"]:
            self.tables[mart].append(row)
        for name, test in tests.items():
            self.cells[(*row_key(mart, row), name)] = test

    def _fill(self) -> None:
        clock = {"clock": "reporting_window", "window_from": dt.date(2022, 12, 15), "window_to": dt.date(2023, 3, 14)}
        for unit, level in UNITS.items():
            for field in sorted(set(PROCEDURES.values())):
                for channel in ("direct", "online"):
                    within = lambda c, u=unit, f=field, h=channel: (c[0], PROCEDURES[c[1]], c[2]) == (u, f, h)
                    if self.count(within):
                        about = {
                            "receiving_unit_code": unit,
                            "unit_level": level,
                            "field_vi": field,
                            "channel": channel,
                        }
                        self._row("case_processing", about, PROCESSING, within)
            for kind, test in RATES.items():
                self._rate(clock, "unit", unit, kind, test, lambda c, u=unit: c[0] == u)
            for state in sorted(set(STATES.values())):
                for age in AGES:
                    within = lambda c, u=unit, s=state, a=age: (c[0], STATES.get(c[4]), c[5]) == (u, s, a)
                    about = clock | {"receiving_unit_code": unit, "unit_level": level, "state": state,
                                     "age_band": age}  # fmt: skip
                    columns = {"cases": lambda c: True, "overdue": kind_in("overdue")}
                    self._row("case_backlog", about, columns, within)
            for kind, lateness in LATENESS.items():
                for cause in CAUSES:
                    within = lambda c, u=unit, k=kind, x=cause: (c[0], c[4], c[6]) == (u, k, x)
                    about = clock | {"receiving_unit_code": unit, "unit_level": level, "lateness": lateness,
                                     "cause_code": cause, "cause_vi": cause}  # fmt: skip
                    self._row("case_lateness", about, {"cases": lambda c: True}, within)
        for level in ("district", "commune"):
            at = lambda c, at=level: UNITS[c[0]] == at
            for kind, test in RATES.items():
                self._rate(clock, "level", level, kind, test, at)
            for procedure, field in PROCEDURES.items():
                within = lambda c, at=at, p=procedure: at(c) and c[1] == p and IS_RESOLVED(c)
                if self.count(within):
                    about = clock | {"unit_level": level, "procedure_code": procedure, "field_vi": field}
                    columns = {"resolved": lambda c: True, "resolved_late": kind_in("late")}
                    self._row("procedure_duration", about, columns, within)
        for kind, test in RATES.items():
            self._rate(clock, "all", "all", kind, test, lambda c: True)
        self._form(clock)

    def _rate(self, clock: dict[str, Any], scope: str, code: str, kind: str, test: Test, within: Test) -> None:
        about = clock | {"scope_kind": scope, "scope_code": code, "denominator_kind": kind}
        columns = {"numerator": lambda c: test(c) and ON_TIME(c), "denominator": test}
        self._row("case_timeliness", about, columns, within)

    def _form(self, clock: dict[str, Any]) -> None:
        blank = {"field_vi": None, "receiving_unit_code": None}
        for breakdown in ("field", "unit"):
            for level in ("district", "commune"):
                at = lambda c, at=level: UNITS[c[0]] == at
                head = clock | {"breakdown": breakdown, "unit_level": level} | blank
                self._row("case_form_06a", head | {"row_kind": "group"}, FORM, at)
                if breakdown == "unit":
                    for unit in [unit for unit in UNITS if UNITS[unit] == level]:
                        about = head | {"row_kind": "row", "receiving_unit_code": unit}
                        self._row("case_form_06a", about, FORM, lambda c, u=unit: c[0] == u)
                else:
                    for field in sorted(set(PROCEDURES.values())):
                        within = lambda c, at=at, f=field: at(c) and PROCEDURES[c[1]] == f
                        if self.count(within):
                            about = head | {"row_kind": "row", "field_vi": field}
                            self._row("case_form_06a", about, FORM, within)
            total = clock | {"breakdown": breakdown, "unit_level": "all", "row_kind": "total"} | blank
            self._row("case_form_06a", total, FORM, lambda c: True)

    def content(self, base: ReleaseContent) -> ReleaseContent:
        tables = {
            name: pa.Table.from_pylist(
                [{column.name: row.get(column.name) for column in stored_contracts()[name].columns} for row in rows],
                schema=pa.schema([(column.name, _TYPES[column.type]) for column in stored_contracts()[name].columns]),
            )
            for name, rows in self.tables.items()
        }
        return replace(base, tables={**base.tables, **tables})

    def known_absent(self, tests: Iterable[Test]) -> list[Test]:
        """Rows of no case that a reader knows to be such: none stands for one that would tell by being there."""
        found = list(tests)
        return [] if any(map(self.count, found)) else found

    def told(self) -> list[tuple[np.ndarray, int]]:
        """What is always told: by the report and its measures, by rows over all units of a level or of the office."""
        tests = [test for key, test in self.cells.items() if is_of_all(key)]
        return [*self.reported(), *((self.vector(test), self.count(test)) for test in tests)]

    def reported(self) -> list[tuple[np.ndarray, int]]:
        """What the report's own rows, its measures, the summary and the table of procedures tell of each level."""
        tests: list[Test] = []
        for level in ("district", "commune"):
            at = lambda c, at=level: UNITS[c[0]] == at
            for test in (
                lambda c: not c[3],
                lambda c: c[3],
                IS_RESOLVED,
                ON_TIME,
                kind_in("decided"),
                kind_in("late"),
                kind_in("unknown"),
                kind_in("withdrawn", "refused"),
                kind_in(*OPEN),
                kind_in("overdue"),
            ):
                tests.append(lambda c, at=at, test=test: at(c) and test(c))
            tests += [lambda c, at=at, h=h: at(c) and not c[3] and c[2] == h for h in ("direct", "online")]
        # The table of procedures counts received cases by field, and those received online.
        for field in sorted(set(PROCEDURES.values())):
            tests.append(lambda c, f=field: PROCEDURES[c[1]] == f and not c[3])
            tests.append(lambda c, f=field: PROCEDURES[c[1]] == f and not c[3] and c[2] == "online")
        return [(self.vector(test), self.count(test)) for test in tests]


def is_of_all(key: Any) -> bool:
    of = {"case_timeliness": key[2], "case_form_06a": key[3]}.get(key[0])
    return of in ("group", "total", "level", "all")


_TYPES = {"varchar": pa.string(), "bigint": pa.int64(), "integer": pa.int32(), "boolean": pa.bool_(),
          "date": pa.date32(), "decimal(18,4)": pa.decimal128(18, 4), "decimal(9,1)": pa.decimal128(9, 1)}  # fmt: skip


def seen(tables: Mapping[str, pa.Table]) -> dict[Any, int | None]:
    """Every cell of the published tables by key, None where it is blank."""
    return {
        (*row_key(name, row), column.name): row[column.name]
        for name in TABLES
        for row in tables[name].to_pylist()
        for column in stored_contracts()[name].columns
        if column.small_counts in ("outcome", "volume")
    }


def seen_of(tables: Mapping[str, pa.Table], mart: str) -> dict[Any, int | None]:
    return {key: value for key, value in seen({name: tables.get(name, _NOTHING) for name in TABLES}).items()
            if key[0] == mart}  # fmt: skip


_NOTHING = pa.table({})


def absences(world: World, published: Iterable[Any]) -> list[tuple[np.ndarray, int]]:
    """What is known from rows that are not published: nothing of their kind happened."""
    there = {key[:-1] for key in published}
    tests: list[Test] = []
    clock = "reporting_window"
    for unit in UNITS:
        for kind, lateness in LATENESS.items():
            tests += world.known_absent(
                (lambda c, u=unit, k=kind, x=cause: (c[0], c[4], c[6]) == (u, k, x))
                for cause in CAUSES
                if ("case_lateness", clock, unit, lateness, cause) not in there
            )
        for state in sorted(set(STATES.values())):
            tests += world.known_absent(
                (lambda c, u=unit, s=state, a=age: (c[0], STATES.get(c[4]), c[5]) == (u, s, a))
                for age in AGES
                if ("case_backlog", clock, unit, state, age) not in there
            )
        for field in sorted(set(PROCEDURES.values())):
            for channel in ("direct", "online"):
                if ("case_processing", unit, field, channel) not in there:
                    tests.append(lambda c, u=unit, f=field, h=channel: (c[0], PROCEDURES[c[1]], c[2]) == (u, f, h))
    for level in ("district", "commune"):
        for procedure in PROCEDURES:
            if ("procedure_duration", clock, level, procedure) not in there:
                tests.append(lambda c, at=level, p=procedure: (UNITS[c[0]], c[1]) == (at, p) and IS_RESOLVED(c))
    return [(world.vector(test), 0) for test in tests]


def nowhere(world: World, published: Iterable[Any]) -> list[tuple[np.ndarray, int]]:
    """That no unit has a case of a state, or a late one of a kind, is told: 0 harms nobody, so no row is blank."""
    there = {(key[0], key[3]) for key in published if key[0] in ("case_backlog", "case_lateness")}
    tests = [lambda c, k=kind: c[4] == k for kind, name in LATENESS.items() if ("case_lateness", name) not in there]
    tests += [
        lambda c, s=state: STATES.get(c[4]) == s
        for state in sorted(set(STATES.values()))
        if ("case_backlog", state) not in there
    ]
    return [(world.vector(test), 0) for test in tests if not world.count(test)]


Known = list[tuple[np.ndarray, int]]


def given_away(
    world: World,
    published: Mapping[Any, int | None],
    told: Known | None = None,
    before: Iterable[tuple[np.ndarray, int]] = (),
) -> Iterator[Any]:
    """Small counts of a unit, a field or a procedure that a reader of all tables and of the report can work out, and
    that the report does not tell by itself (``told``); ``before``: what an earlier release told."""
    told = [*(world.told() if told is None else told)]
    cells = ((key, value) for key, value in published.items() if value is not None)
    known = [
        *told,
        *before,
        *absences(world, published),
        *((world.vector(world.cells[key]), value) for key, value in cells),
    ]
    # That a row of a procedure is there says that it counts something.
    there = [world.vector(world.cells[key]) for key in published
             if (key[0], key[-1]) == ("procedure_duration", "resolved")]  # fmt: skip
    reader, of_report = Reader(known, there), Reader([*told, *nowhere(world, published)])
    for name, test in guarded(world):
        asked = world.vector(test)
        if 0 < world.count(test) < THRESHOLD and reader.knows(asked) and not of_report.knows(asked):
            yield name


#: Outcomes that can harm, as a reader of a row would add them up.
HARM = ("late", "unknown", "overdue", "waiting", "suspended", "withdrawn", "refused")
HARM_TOGETHER = (HARM, HARM[3:], HARM[:2], HARM[5:], HARM[3:5], ("late", "overdue"))
#: What a reader would add them up over: the rows of a unit, of a field, of a channel of either.
ABOUT: Mapping[str, Callable[[Case], tuple[str, ...]]] = {
    "unit, field, channel": lambda case: (case[0], PROCEDURES[case[1]], case[2]),
    "unit, field": lambda case: (case[0], PROCEDURES[case[1]]),
    "unit, channel": lambda case: (case[0], case[2]),
    "unit": lambda case: (case[0],),
    "unit, age": lambda case: (case[0], case[5]),
    "unit, cause": lambda case: (case[0], case[6]),
    "level, field, channel": lambda case: (UNITS[case[0]], PROCEDURES[case[1]], case[2]),
    "level, field": lambda case: (UNITS[case[0]], PROCEDURES[case[1]]),
}


def guarded(world: World) -> Iterator[tuple[Any, Test]]:
    """What nobody may work out where it is small: outcomes that can harm, of a unit, a field or a procedure."""
    for key, test in world.cells.items():
        kinds = {column.name: column.small_counts for column in stored_contracts()[key[0]].columns}
        in_progress = key[0] == "case_backlog" and key[-1] == "cases" and "in_progress" in key
        if kinds[key[-1]] == "outcome" and not is_of_all(key) and not in_progress:
            yield key, test
    # Single outcomes and their sums, of a row and of what rows have together that no row tells.
    for names, about in ABOUT.items():
        for group in sorted({about(case) for case in world.sorts}):
            for some in (*((kind,) for kind in (*HARM, "decided")), *HARM_TOGETHER):
                yield (names, *group, some), lambda c, about=about, g=group, of=some: about(c) == g and c[4] in of


@pytest.mark.parametrize("seed", range(2))
def test_no_small_count_of_a_release_can_be_worked_out(seed: int, make_content: MakeContent) -> None:
    world = World(seed)
    content = without_small_counts(world.content(make_content()), THRESHOLD)
    assert list(given_away(world, seen(content.tables))) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 30))
def test_no_small_count_of_many_releases_can_be_worked_out(seed: int, make_content: MakeContent) -> None:
    world = World(seed)
    content = without_small_counts(world.content(make_content()), THRESHOLD)
    assert list(given_away(world, seen(content.tables))) == []


def test_that_a_row_received_nothing_tells_not_whose_case_was_withdrawn(make_content: MakeContent) -> None:
    """Of eleven cases that the district received ten ended on time, so the one withdrawn was received, too: it is of no
    field whose cases were all carried over, but which field received how many stays blank."""
    withdrawn = ("945", "1.000001", "direct", False, "withdrawn", "", "")
    on_time = {
        ("945", "1.000001", "direct", False): 6,
        ("945", "1.000001", "online", False): 4,
        ("945", "1.000003", "direct", True): 7,
        ("31615", "1.000001", "direct", False): 9,
        ("31615", "1.000003", "direct", False): 9,
        ("31618", "1.000001", "direct", False): 9,
    }
    world = World(0, {withdrawn: 1} | {(*sort, "on_time", "", ""): number for sort, number in on_time.items()})
    published = seen(without_small_counts(world.content(make_content()), THRESHOLD).tables)
    assert list(given_away(world, published)) == []
    careless = published | {key: world.count(world.cells[key]) for key in published if key[-1] == "received"}
    assert ("unit, field", "945", "Hộ tịch", ("withdrawn", "refused")) in given_away(world, careless)


def test_the_audit_of_a_release_finds_a_planted_gap(make_content: MakeContent) -> None:
    """Small counts alone blanked, as a careless program would: the sums of the other tables give them away."""
    world = World(1)
    naive = {key: value if value is None or not 0 < value < THRESHOLD else None
             for key, value in seen(world.content(make_content()).tables).items()}  # fmt: skip
    assert next(given_away(world, naive), None) is not None


def test_files_and_tables_say_the_same_and_name_their_gaps(make_content: MakeContent) -> None:
    content = without_small_counts(World(0).content(make_content()), THRESHOLD)
    gaps = 0
    for name in TABLES:
        assert from_parquet(content.mart_files[name]).to_pylist() == content.tables[name].to_pylist()
        kinds = {column.name for column in stored_contracts()[name].columns if column.small_counts}
        for row in content.tables[name].to_pylist():
            named = set((row["held_back"] or "").split(",")) - {""}
            assert named <= kinds
            assert all(row[column] is None for column in named)
            gaps += len(named)
    assert gaps > 20


def test_a_later_release_keeps_every_gap(make_content: MakeContent) -> None:
    first = without_small_counts(World(0).content(make_content()), THRESHOLD)
    again = without_small_counts(World(0).content(make_content()), 1, [first.tables])
    for key, value in seen(first.tables).items():
        assert value is not None or seen(again.tables)[key] is None, key
    same = without_small_counts(World(0).content(make_content()), THRESHOLD, [first.tables])
    assert {name: same.tables[name] for name in TABLES} == {name: first.tables[name] for name in TABLES}


LATE = "31621"


def two_releases(
    seed: int, base: ReleaseContent, monkeypatch: pytest.MonkeyPatch, *, again: bool
) -> tuple[World, Mapping[str, pa.Table], Known, Known]:
    """A world with a commune that its first release does not have, or of which that has half the cases; that release;
    what is told of both worlds by it, and by its report and its rows over all units.

    What a reader adds up are the cases of the world, and those that the commune had before.
    """
    monkeypatch.setitem(UNITS, LATE, "commune")
    world = World(seed)
    fewer = {sort: number - (number + 1) // 2 if sort[0] == LATE else number for sort, number in world.counts.items()}
    if not again:
        monkeypatch.delitem(UNITS, LATE)
    before = World(seed, fewer)
    first = without_small_counts(before.content(base), THRESHOLD).tables
    cells = [(before.vector(before.cells[key]), value) for key, value in seen(first).items() if value is not None]
    told = [*before.told(), *nowhere(before, seen(first))]
    monkeypatch.setitem(UNITS, LATE, "commune")
    place = {sort: number for number, sort in enumerate(before.sorts)}
    nothing = np.zeros(len(world.sorts))

    def of_before(row: np.ndarray) -> np.ndarray:
        there = np.array([row[place[sort]] if sort in place else 0.0 for sort in world.sorts])
        is_late = np.array([sort[0] == LATE for sort in world.sorts])
        return np.concatenate([np.where(is_late, 0.0, there), np.where(is_late, there, 0.0)])

    monkeypatch.setattr(world, "vector", lambda test: np.concatenate([World.vector(world, test), nothing]))
    return world, first, *([(of_before(row), value) for row, value in known] for known in (cells, told))


def of_the_late_one() -> Iterator[tuple[Any, Test]]:
    """What of it no row tells: what was late of a procedure."""
    for procedure in PROCEDURES:
        yield ("late", procedure), lambda c, p=procedure: c[0] == LATE and c[1] == p and c[4] == "late"


def given_away_by_two(
    seed: int, base: ReleaseContent, monkeypatch: pytest.MonkeyPatch, *, careless: bool = False, again: bool = False
) -> list[Any]:
    world, first, before, told_before = two_releases(seed, base, monkeypatch, again=again)
    # What is left is what nobody can untell: both reports, the first release's rows over all units, and what it says
    # of the commune itself.
    told = [*world.reported(), *told_before, *((row, n) for row, n in before if not row[: len(world.sorts)].any())]
    if careless:  # as if no unit had changed
        monkeypatch.setattr(disclosure, "changed_units", lambda *_: frozenset())
    second = seen(without_small_counts(world.content(base), THRESHOLD, [first]).tables)
    known = [*told, *before, *((world.vector(world.cells[k]), v) for k, v in second.items() if v is not None)]
    return [
        *given_away(world, second, told, before),
        *(
            name
            for name, test in of_the_late_one()
            if 0 < world.count(test) < THRESHOLD
            and Reader(known).knows(world.vector(test))
            and not Reader(told).knows(world.vector(test))
        ),
    ]


@pytest.mark.parametrize("again", [False, True])
def test_a_unit_that_came_late_or_again_is_not_told_by_two_releases(
    again: bool, make_content: MakeContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given_away_by_two(0, make_content(), monkeypatch, again=again) == []


def test_the_audit_of_two_releases_finds_what_their_difference_gives_away(
    make_content: MakeContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = given_away_by_two(1, make_content(), monkeypatch, careless=True)
    assert any(LATE in name for name in found)


@pytest.mark.long
@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("seed", range(1, 20))
def test_many_units_that_came_late_or_again_are_not_told_by_two_releases(
    seed: int, again: bool, make_content: MakeContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given_away_by_two(seed, make_content(), monkeypatch, again=again) == []


def in_windows(tables: Mapping[str, pa.Table], opens: dt.date, closes: dt.date) -> dict[str, pa.Table]:
    """The same figures as of another period."""
    form = tables["case_form_06a"]
    dates = {"window_from": opens, "window_to": closes}
    for name, day in dates.items():
        place = form.column_names.index(name)
        form = form.set_column(place, name, pa.array([day] * form.num_rows, pa.date32()))
    return {**tables, "case_form_06a": form}


QUARTER = dt.date(2022, 12, 15), dt.date(2023, 3, 14)
HALF_YEAR = dt.date(2022, 12, 15), dt.date(2023, 6, 14)


def nothing_happened(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    return {name: table.slice(0, 0) if name != "case_form_06a" else table.slice(0, 1) for name, table in tables.items()}


def test_a_half_year_tells_no_gap_of_its_quarter(make_content: MakeContent) -> None:
    """The other quarter of the half-year had no case at all: the sum would be the first quarter's own count."""
    world = World(0)
    whole = world.content(make_content())
    quarter = without_small_counts(whole, THRESHOLD)
    other = in_windows(nothing_happened(whole.tables), dt.date(2023, 3, 15), HALF_YEAR[1])
    half_year = replace(whole, tables=in_windows(whole.tables, *HALF_YEAR))
    careless = without_small_counts(half_year, 1)
    flows = ("resolved_late", "withdrawn", "refused", "resolved_without_appointment", "received")
    gaps = [key for key, value in seen(quarter.tables).items() if value is None and key[-1] in flows]
    gaps = [key for key in gaps if key[0] in ("case_processing", "procedure_duration")]
    assert gaps
    assert all(seen(careless.tables)[key] is not None for key in gaps)  # the planted difference
    careful = without_small_counts(half_year, 1, (), [quarter.tables, other])
    assert all(seen(careful.tables)[key] is None for key in gaps)


def test_a_period_that_closes_on_the_same_day_keeps_the_gaps_of_that_day(make_content: MakeContent) -> None:
    whole = World(0).content(make_content())
    quarter = without_small_counts(whole, THRESHOLD)
    ended_alike = replace(whole, tables=in_windows(whole.tables, dt.date(2022, 9, 15), QUARTER[1]))
    careful = seen(without_small_counts(ended_alike, 1, (), [quarter.tables]).tables)
    of_the_day = ("in_progress_overdue", "waiting_for_supplement", "suspended", "overdue")
    gaps = [key for key, value in seen(quarter.tables).items() if value is None and key[-1] in of_the_day]
    assert gaps
    assert all(careful.get(key) is None for key in gaps)


def test_a_period_that_closes_on_the_same_day_keeps_what_a_second_release_left_blank_over_all_units(
    make_content: MakeContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commune that came late is in the other period, too: taken from the first release that would tell it."""
    base = make_content()
    world, first, _, _ = two_releases(5, base, monkeypatch, again=False)
    whole = world.content(base)
    second = without_small_counts(whole, THRESHOLD, [first]).tables
    of_the_day = ("in_progress", "in_progress_within_due", "in_progress_overdue")
    gaps = [key for key, value in seen(second).items() if value is None and is_of_all(key) and key[-1] in of_the_day]
    assert gaps
    longer = replace(whole, tables=in_windows(whole.tables, dt.date(2022, 9, 15), QUARTER[1]))
    told = seen(without_small_counts(longer, 1, (), [first, second]).tables)
    assert [key for key in gaps if told[key] is not None] == []


def test_what_a_level_carries_over_tells_no_gap_of_the_calendar_quarter_before() -> None:
    """Of the reporting window the report tells both."""
    before = (dt.date(2022, 10, 1), dt.date(2022, 12, 31))
    for clock, held in (("calendar_quarter", True), ("reporting_window", False)):
        level = ("case_form_06a", clock, "unit", "group", "commune", None, None)
        other = OtherRelease({clock: before}, {(*level, "in_progress"): None})
        windows = {clock: (dt.date(2023, 1, 1), dt.date(2023, 3, 31))}
        found = across(windows, {(*level, "carried_over"): 7}, [other], THRESHOLD)
        assert found.held == ({(*level, "carried_over")} if held else set())


def test_what_is_carried_over_tells_no_gap_of_the_window_before(make_content: MakeContent) -> None:
    def lines(**cells: int | None) -> dict[str, pa.Table]:
        rows = {
            "case_processing": [
                {"receiving_unit_code": unit, "unit_level": "commune", "field_vi": "Hộ tịch", "channel": "direct"}
                | dict.fromkeys(PROCESSING, 0)
                | {name: value for name, value in cells.items() if unit == "31615" or name != "waiting_for_supplement"}
                for unit in ("31615", "31618")
            ],
            "case_form_06a": [{"clock": "reporting_window", "breakdown": "unit", "row_kind": "row",
                               "unit_level": "commune", "field_vi": None, "receiving_unit_code": "31615",
                               "window_from": QUARTER[0], "window_to": QUARTER[1]}
                              | dict.fromkeys(FORM, 0) | {"carried_over": cells.get("carried_over")}],
        }  # fmt: skip
        return {
            name: pa.Table.from_pylist(
                [{column.name: row.get(column.name) for column in stored_contracts()[name].columns} for row in found],
                schema=pa.schema([(column.name, _TYPES[column.type]) for column in stored_contracts()[name].columns]),
            )
            for name, found in rows.items()
        }

    base = make_content()
    before = replace(
        base, tables={**base.tables, **lines(received=9, in_progress=3, waiting_for_supplement=1, resolved=5)}
    )
    first = without_small_counts(before, THRESHOLD)
    gaps = {key[-1] for key, value in seen_of(first.tables, "case_processing").items() if value is None}
    assert "waiting_for_supplement" in gaps
    now = lines(carried_over=4, resolved=4)
    after = replace(base, tables={**base.tables, **in_windows(now, dt.date(2023, 3, 15), HALF_YEAR[1])})
    told = seen_of(without_small_counts(after, 1, (), [first.tables]).tables, "case_processing")
    assert told["case_processing", "31615", "Hộ tịch", "direct", "carried_over"] is None
    assert seen_of(without_small_counts(after, 1).tables, "case_processing") != told


def test_a_release_of_a_program_without_gaps_stays_as_it_is(make_content: MakeContent) -> None:
    content = make_content()
    assert without_small_counts(content, THRESHOLD) is content

"""Which rows of delivered files a release does not name behind its figures of cases, so that none tells a small count.

Belongs here: which units' files would tell, by the rows that are listed behind one figure and not behind another, of
few cases with an outcome that can harm; and the rows that stand in their place. Does not belong here: the tables on
cases (``disclosure``), how a passport prints rows (``passport``, ``page``).

A figure of a level is told by the report. Listed by file it is told by unit, and rows that are listed among the
resolved but not among those on time are the late ones. Where these are few, the rows of the level's outcomes in that
unit's files are not named, nor those of another unit, or its share would be what is left of the figure. The rows are
in the candidate, which an office can ask (``cchc explain --candidate``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from publication.content import row_ranges

FIGURE_ROWS = "figure_rows"
#: Columns of a row that names no rows.
_UNNAMED = ("delivery_id", "sheet", "row_numbers")
LEVELS = ("district", "commune")
#: Measures of cases by what they count, as ``<level>_cases_<name>``: outcomes that can harm, and those that only tell
#: of them by their difference from the others.
GUARDED = ("late", "without_appointment", "set_aside", "overdue")
BESIDE = ("carried_over", "resolved", "on_time", "open")
_SOURCE = "one_stop_cases"

Row = Mapping[str, Any]
#: A row of a delivered file.
_Place = tuple[str, str, int]


def measure_of(level: str, name: str) -> str:
    """The measure of a level's cases: ``commune_cases_late``."""
    return f"{level}_cases_{name}"


def without_telling_rows(
    table: pa.Table,
    units: Mapping[str, str],
    sources: Mapping[str, str],
    threshold: int,
    before: Mapping[str, frozenset[str]] | None = None,
) -> tuple[pa.Table, dict[str, frozenset[str]]]:
    """The table with the rows that would tell put together, and the units whose rows are so by level.

    ``units``: the sender of each delivery; ``sources``: the source of each measure; ``before``: units whose rows
    another release did not name, by level. Put together are the rows of one
    figure, amount and decision: their number and sum stay.
    """
    rows = table.to_pylist()
    unnamed: dict[str, frozenset[str]] = {}
    for level in LEVELS:
        at = _by_unit(rows, units, sources, level)
        telling = {unit for unit, sets in at.items() if _tells(sets, level, threshold, alone=len(at) == 1)}
        telling |= at.keys() & (before or {}).get(level, frozenset())
        if len(telling) == 1 and len(at) > 1:
            # The least of the others goes with it.
            telling.add(min(at.keys() - telling, key=lambda unit: (len(set().union(*at[unit].values())), unit)))
        unnamed[level] = frozenset(telling)
    outcomes = {measure_of(level, name): level for level in LEVELS for name in (*GUARDED, *BESIDE)}
    kept: list[dict[str, Any]] = []
    together: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        level = outcomes.get(row["figure"], "")
        if units.get(row["delivery_id"]) not in unnamed.get(level, ()):
            kept.append(row)
            continue
        key = (row["unit_code"], row["figure"], row["amount_each"], row["decision_id"])
        one = together.setdefault(key, row | dict.fromkeys(_UNNAMED) | {"row_count": 0, "amount": 0})
        one["row_count"] += row["row_count"]
        one["amount"] += row["amount"]
        one["held_back"] = ",".join(_UNNAMED)
    return pa.Table.from_pylist([*kept, *together.values()], schema=table.schema), unnamed


def unnamed_before(releases: Iterable[tuple[Iterable[Row], Mapping[str, str]]]) -> dict[str, frozenset[str]]:
    """Units whose rows other releases did not name, by level; of each release its rows and who sent its deliveries.

    A release does not say whose they are: those that have cases there, and no row behind an outcome.
    """
    found: dict[str, set[str]] = {level: set() for level in LEVELS}
    for rows, units in releases:
        outcomes = {measure_of(level, name): level for level in LEVELS for name in (*GUARDED, *BESIDE)}
        received = {measure_of(level, "received"): level for level in LEVELS}
        put_together: set[str] = set()
        named: dict[str, set[str]] = {level: set() for level in LEVELS}
        there: dict[str, set[str]] = {level: set() for level in LEVELS}
        for row in rows:
            level, unit = outcomes.get(row["figure"]), units.get(row["delivery_id"])
            if level and row["delivery_id"] is None:
                put_together.add(level)
            elif level and unit:
                named[level].add(unit)
            elif unit and (level := received.get(row["figure"])):
                there[level].add(unit)
        for level in put_together:
            found[level] |= there[level] - named[level]
    return {level: frozenset(units) for level, units in found.items()}


def _by_unit(
    rows: Iterable[Row], units: Mapping[str, str], sources: Mapping[str, str], level: str
) -> dict[str, dict[str, set[_Place]]]:
    """The delivered rows behind each figure of cases, by the unit that sent them; only units with cases there."""
    own = {measure_of(level, name) for name in (*GUARDED, *BESIDE, "received")}
    found: dict[str, dict[str, set[_Place]]] = {}
    of_level: set[str] = set()
    for row in rows:
        if sources.get(row["figure"]) != _SOURCE or row["row_numbers"] is None:
            continue
        unit = units[row["delivery_id"]]
        if row["figure"] in own:
            of_level.add(unit)
        names = [row["figure"], *(["decided"] if row["decision_id"] and row["figure"] in own else ())]
        for name in names:
            places = found.setdefault(unit, {}).setdefault(name, set())
            places.update((row["delivery_id"], row["sheet"], n) for n in row_ranges.rows(row["row_numbers"]))
    return {unit: found[unit] for unit in of_level}


def _tells(sets: Mapping[str, set[_Place]], level: str, threshold: int, *, alone: bool) -> bool:
    """Whether a unit's rows tell of few cases that ended, or stand, in a way that can harm; ``alone``: the unit is all
    of its level, so that only what other figures make of these cases tells more than the report.
    """
    own = {measure_of(level, name) for name in (*GUARDED, *BESIDE)}
    others = [places for name, places in sets.items() if name not in own and name != "decided"]
    everything = set().union(*sets.values())
    # Rows in a file of an earlier period are of cases carried over, and are listed by that period's release, too.
    others += [
        {place for place in everything if place[0] == delivery} for delivery in {place[0] for place in everything}
    ]
    for guarded in _guarded(sets, level):
        if not alone and 0 < len(guarded) < threshold:
            return True
        for places in others:
            parts = (len(guarded & places), len(guarded - places))
            if all(parts) and min(parts) < threshold:
                return True
    return False


def _guarded(sets: Mapping[str, set[_Place]], level: str) -> Iterator[set[_Place]]:
    def of(name: str) -> set[_Place]:
        return sets.get(measure_of(level, name), set())

    for name in GUARDED:
        yield of(name)
    yield of("late") | of("overdue")
    yield sets.get("decided", set())
    yield of("resolved") - of("on_time")
    # Of what there was to resolve, what was neither resolved nor is open was set aside.
    yield (of("received") | of("carried_over")) - of("resolved") - of("open")

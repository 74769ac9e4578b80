"""The second engine: the same rules by plain SQL, which also says in which unit and row a rule is broken.

Belongs here: counting rows in scope and violating rows by reporting unit, and fetching the violating rows.
Does not belong here: what the rules are, Great Expectations, what a violation leads to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from common.codes import ROW_CODE
from common.faults import is_of_the_machine
from expectations.expression import quote
from expectations.suites import COLUMN_TITLES, SHEET_NUMBERS, UNIT, Compiled
from expectations.verdicts import Place

PLACE_COLUMNS = (UNIT, "subject", "named", "file", "sheet", "row")
# Rules counted in one scan. Planning a query takes longer the more expressions it has, and faster than in proportion:
# 227 rules over the one row of a unit's figures cost seven times as much in one query as in queries of this size.
_RULES_A_SCAN = 32


class Connection(Protocol):
    """What is used of a DuckDB connection."""

    def execute(self, query: str, parameters: Any = ...) -> Any: ...


@dataclass
class Count:
    """What one rule found: rows in scope and violating rows by reporting unit, or why it could not run."""

    scope: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    error: str | None = None

    @property
    def total_failed(self) -> int:
        return sum(self.failed.values())


@dataclass(frozen=True)
class Violation:
    """A violating row: whose, about what, by which name a decision settles it, where it stands, and the values that the
    rule declares to be shown.
    """

    unit: str
    subject: str
    named: str
    file: str | None
    sheet: str | None
    row: int | None
    values: dict[str, Any]


@dataclass(frozen=True)
class Alike:
    """Violating rows of a unit that a decision names alike and that show the same values: one finding."""

    named: str
    values: dict[str, Any]
    rows: int


def count_violations(connection: Connection, suite: Iterable[Compiled]) -> dict[str, Count]:
    """Runs every rule over all units at once. What raises has ``error`` and no counts, and never counts as held."""
    counts: dict[str, Count] = {}
    ordered = sorted(suite, key=lambda compiled: (compiled.relation, compiled.rule.id))
    for relation, group in groupby(ordered, key=lambda compiled: compiled.relation):
        rules = list(group)
        row_rules = [compiled for compiled in rules if compiled.query is None]
        for start in range(0, len(row_rules), _RULES_A_SCAN):
            counts.update(_count_row_rules(connection, relation, row_rules[start : start + _RULES_A_SCAN]))
        for compiled in rules:
            if compiled.query is not None:
                counts[compiled.rule.id] = _count_query(connection, compiled)
    return counts


def fetch_violations(connection: Connection, compiled: Compiled, limit: int) -> list[Violation]:
    """Up to ``limit`` violating rows a unit, in a total order of subject and place."""
    order = ", ".join(("subject", "file", "sheet", "row", *map(quote, compiled.shown)))
    query = (
        f"select * from ({compiled.violations()}) as found "
        f"qualify row_number() over (partition by {UNIT} order by {order}) <= {limit} order by {UNIT}, {order}"
    )
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    found = []
    for record in cursor.fetchall():
        row = dict(zip(names, record, strict=True))
        place = {name: row.pop(name) for name in PLACE_COLUMNS}
        found.append(
            Violation(
                place[UNIT],
                str(place["subject"]),
                str(place["named"]),
                place["file"],
                place["sheet"],
                place["row"],
                values=row,
            )
        )
    return found


def count_alike(connection: Connection, compiled: Compiled) -> dict[str, list[Alike]]:
    """Violating rows by unit, and there by name and shown values; for rules that decisions settle."""
    shown = "".join(f", {quote(column)}" for column in compiled.shown)
    query = f"select {UNIT}, named, count(*){shown} from ({compiled.violations()}) as found group by all order by all"
    alike: dict[str, list[Alike]] = {}
    for unit, named, rows, *values in connection.execute(query).fetchall():
        found = Alike(str(named), dict(zip(compiled.shown, values, strict=True)), rows)
        alike.setdefault(unit, []).append(found)
    return alike


def subjects_of(connection: Connection, compiled: Compiled) -> dict[str, tuple[str, ...]]:
    """Every row of the form that a rule's violations are about, by unit, in order; none is left out."""
    query = (
        f"select distinct {UNIT}, cast(subject as varchar) from ({compiled.violations()}) as found "
        f"where regexp_full_match(cast(subject as varchar), '{ROW_CODE}') order by all"
    )
    found: dict[str, list[str]] = {}
    for unit, subject in connection.execute(query).fetchall():
        found.setdefault(unit, []).append(str(subject))
    return {unit: tuple(subjects) for unit, subjects in found.items()}


def places_of(connection: Connection, compiled: Compiled) -> dict[str, tuple[Place, ...]]:
    """Every delivered row that a rule's violations stand in, by unit, in order; none is left out.

    Empty for rules about figures, and about deliveries that are missing.
    """
    located = compiled.located()
    if located is None:
        return {}
    ranges = (
        f"with located as (select distinct * from ({located}) as found where delivery_id is not null), "
        'islands as (select *, "row" - row_number() over (partition by unit, delivery_id, sheet, column_name '
        'order by "row") as island from located), '
        'ranges as (select unit, delivery_id, sheet, column_name, min("row") as first, max("row") as last '
        "from islands group by unit, delivery_id, sheet, column_name, island) "
    )
    rows = (
        "coalesce(string_agg(case when first = last "
        "then first::varchar else first || '-' || last end, ', ' order by first), '') "
    )
    of_files = (
        "select r.unit, r.delivery_id, case when r.sheet in ('csv', 'txt', 'docx') then r.sheet "
        f"else 'trang ' || n.sheet_no end as sheet_name, coalesce(t.title_vi, r.column_name) as title, {rows}"
        f"from ranges as r left join {SHEET_NUMBERS} as n on n.delivery_id = r.delivery_id and n.sheet = r.sheet "
        "left join deliveries as d on d.delivery_id = r.delivery_id and d.reporting_unit = r.unit "
        f"left join {COLUMN_TITLES} as t on t.source = d.source and t.column_name = r.column_name "
        "group by r.unit, r.delivery_id, r.sheet, sheet_name, title order by all"
    )
    # A mart knows its sheets by the names that releases give them, and is about no single column.
    of_marts = f"select unit, delivery_id, sheet, column_name, {rows}from ranges group by all order by all"
    query = ranges + (of_files if compiled.rule.stage == "raw" else of_marts)
    found: dict[str, list[Place]] = {}
    for unit, delivery_id, sheet, title, rows in connection.execute(query).fetchall():
        found.setdefault(unit, []).append(Place(delivery_id=delivery_id, sheet=sheet, column_vi=title, rows=rows))
    return {unit: tuple(places) for unit, places in found.items()}


def _count_row_rules(connection: Connection, relation: str, rules: list[Compiled]) -> dict[str, Count]:
    """Row rules of a relation in one scan; one by one where one of them breaks the scan."""
    if not rules:
        return {}
    measures = ", ".join(
        f"count(*) filter (where {compiled.scope}), "
        f"count(*) filter (where ({compiled.scope}) and ({compiled.violation}))"
        for compiled in rules
    )
    query = f"select {UNIT}, {measures} from {quote(relation)} group by {UNIT}"
    try:
        rows = connection.execute(query).fetchall()
    except Exception as error:  # any failure of a rule is a finding about the rule, never a pass
        if is_of_the_machine(error):
            raise
        if len(rules) == 1:
            return {rules[0].rule.id: Count(error=first_line(error))}
        counts: dict[str, Count] = {}
        for compiled in rules:
            counts.update(_count_row_rules(connection, relation, [compiled]))
        return counts
    counts = {compiled.rule.id: Count() for compiled in rules}
    for unit, *numbers in rows:
        for position, compiled in enumerate(rules):
            count = counts[compiled.rule.id]
            count.scope[unit] = numbers[2 * position]
            if numbers[2 * position + 1]:
                count.failed[unit] = numbers[2 * position + 1]
    return counts


def _count_query(connection: Connection, compiled: Compiled) -> Count:
    try:
        scope = connection.execute(
            f"select {UNIT}, count(*) filter (where {compiled.scope}) from {quote(compiled.relation)} group by {UNIT}"
        ).fetchall()
        failed = connection.execute(
            f"select {UNIT}, count(*) from ({compiled.violations()}) as found group by {UNIT}"
        ).fetchall()
    except Exception as error:  # see _count_row_rules
        if is_of_the_machine(error):
            raise
        return Count(error=first_line(error))
    return Count(scope=dict(scope), failed=dict(failed))


def first_line(error: Exception) -> str:
    """What went wrong, short: the kind of error, and its first line where that speaks of names and not of values."""
    kind = type(error).__name__
    if kind not in ("BinderException", "CatalogException", "ParserException"):
        return kind
    return f"{kind}: {(str(error).splitlines() or [''])[0]}"[:200]

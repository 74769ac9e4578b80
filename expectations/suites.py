"""Declarations compiled: one rule becomes a native expectation (as data) and plain SQL with the same meaning.

Belongs here: the translation of a :class:`~expectations.declarations.Rule`, both ways from the one declaration.
Does not belong here: Great Expectations itself (``gate.py`` makes the objects), running SQL, verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from expectations.declarations import Rule
from expectations.document_symbols import violation_sql
from expectations.expression import quote

UNIT = "reporting_unit"
# Relations of the raw gate: the number by which releases name a sheet, the heading by which offices know a column.
SHEET_NUMBERS = "sheet_numbers"
COLUMN_TITLES = "column_titles"

# Where a relation keeps the place of a row; raw relations that are not listed hold the lineage columns of the lake.
_PLACES: dict[str, tuple[str, str, str]] = {
    "deliveries": ("file_name", "null", "null"),
    "findings_by_reason": ("file_name", "null", "null"),
    "waiting_files": ("file_name", "null", "null"),
}
# Marts hold figures, which come from many rows; a mart of single rows says where each stands.
_MART_PLACES: dict[str, tuple[str, str, str]] = {
    "case_findings": ("file_name", "sheet", "row_number"),
    "case_questions": ("file_name", "sheet", "row_number"),
    "period_moves": ("file_name", "sheet", "row_number"),
    "report_narrative": ("file_name", "sheet", "row_number"),
    "rows_left_out": ("file_name", "sheet", "row_number"),
    "letter_findings": ("file_name", "sheet", "row_number"),
}
# Of these also the delivery and the name that releases give the sheet: all rows of a remark are told with the release.
_MART_LOCATED = frozenset({"case_questions"})
_NO_PLACE = ("null", "null", "null")
_WITHOUT_LINEAGE = frozenset(
    {"expected_deliveries", "parts_held", "volumes", "figures", "decision_use", "report_indicators", "rule_inputs"}
)


# How a decision names one delivered row: where it stands and, by eight digits of a hash, what it says. A row that says
# something else, or one that slides into its place, is another finding.
DELIVERED_ROW = (
    "concat_ws('/', _unit_code, _file_name) || ', ' || concat_ws(', ', _sheet, 'dòng ' || _row) "
    "|| ' ~' || left(_content, 8)"
)
_ROW_OF_MART = {"rows_left_out": "concat_ws(', ', file_name, sheet, 'dòng ' || row_number)"}


@dataclass(frozen=True)
class Native:
    """An expectation as data: the name of its class, of Great Expectations or of ``gx_duckdb.py``, and arguments."""

    expectation: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Compiled:
    """A rule ready to run.

    ``scope`` and ``violation`` are SQL predicates over ``relation`` (row rules); ``query`` is a whole SELECT that
    yields the violating rows (rules over groups or several relations). ``shown`` are the columns a finding carries.
    """

    rule: Rule
    relation: str
    native: Native
    scope: str = "true"
    violation: str | None = None
    query: str | None = None
    shown: tuple[str, ...] = ()
    operands: frozenset[str] = frozenset()
    place: tuple[str, str, str] = _NO_PLACE

    @property
    def subject(self) -> str:
        """SQL expression of what a finding is about."""
        if self.rule.subject is not None:
            return self.rule.subject
        return literal(self.rule.indicator or (self.rule.columns[0] if self.rule.columns else self.rule.source))

    @property
    def named(self) -> str:
        """SQL expression of what a decision names: the subject, and of a rule about delivered rows the row itself, so
        that no two rows are one finding. A query of its own names its rows by its subject.
        """
        if self.rule.kind != "query" and self.place != _NO_PLACE:
            if self.relation in _ROW_OF_MART:
                return _ROW_OF_MART[self.relation]
            if self.place == _LAKE and self.relation != "remarks":
                return DELIVERED_ROW
        return self.subject if self.query is None else "subject"

    def violations(self) -> str:
        """SELECT of the violating rows: reporting_unit, subject, named, file, sheet, row, then the shown columns."""
        rows, subject = self.query, "subject"
        if rows is None:
            assert self.violation is not None
            rows = f"select * from {quote(self.relation)} where ({self.scope}) and ({self.violation})"
            subject = self.subject
        return (
            f"select {UNIT}, {subject} as subject, cast({self.named} as varchar) as named, "
            f"{self._places()}{self._shown()} from ({rows}) as violations"
        )

    def located(self) -> str | None:
        """SELECT of where the violating rows stand: unit, delivery_id, sheet, row, column_name; None for rules about
        figures or missing deliveries.
        """
        if self.place == _NO_PLACE or self.relation == "deliveries":
            return None
        rows = self.query or f"select * from {quote(self.relation)} where ({self.scope}) and ({self.violation})"
        if self.rule.stage != "raw":
            if self.relation not in _MART_LOCATED:
                return None
            return (
                f"select {UNIT} as unit, delivery_id, neutral_sheet as sheet, row_number as row, "
                f"null::varchar as column_name from ({rows}) as violations"
            )
        if self.relation == "findings_by_reason":
            return (
                f"select f.{UNIT} as unit, f._delivery_id as delivery_id, f._sheet as sheet, f._row as row, "
                f"f.column_name from findings as f join deliveries as d on d.delivery_id = f._delivery_id "
                f"join ({rows}) as v on v.{UNIT} = f.{UNIT} and v.source = d.source and v.unit_code = d.unit_code "
                "and v.file_name = d.file_name and v.reason_code = f.reason_code "
                "and v.column_name is not distinct from f.column_name"
            )
        of_column = self.rule.kind in ("not_null", "in_set", "matches", "between", "symbols")
        column = literal(self.rule.columns[0]) if of_column else "null"
        column = "column_name" if self.relation == "remarks" else f"cast({column} as varchar)"
        return (
            f"select {UNIT} as unit, _delivery_id as delivery_id, _sheet as sheet, _row as row, "
            f"{column} as column_name from ({rows}) as violations"
        )

    def _places(self) -> str:
        file, sheet, row = self.place
        return f"cast({file} as varchar) as file, cast({sheet} as varchar) as sheet, cast({row} as bigint) as row"

    def _shown(self) -> str:
        return "".join(f", {quote(column)}" for column in self.shown)


def literal(value: str | int) -> str:
    """A SQL literal."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def compile_rule(rule: Rule) -> Compiled:
    """One declaration, both ways. The SQL is the meaning; the native expectation must agree with it at every run."""
    common: dict[str, Any] = {"rule": rule, "relation": rule.relation, "place": _place(rule)}
    if rule.kind == "query":
        assert rule.violations is not None
        native = _unexpected(_guarded(rule.violations))
        return Compiled(
            **common, scope=rule.applies_when or "true", query=rule.violations, native=native, shown=rule.columns
        )
    if rule.kind == "unique":
        return Compiled(**common, **_unique(rule))
    scope, violation, native, shown = _row_rule(rule)
    operands = rule.parsed().operands if rule.kind == "relation" else frozenset()
    return Compiled(**common, scope=scope, violation=violation, native=native, shown=shown, operands=operands)


_LAKE = ("_file_name", "_sheet", "_row")


def _place(rule: Rule) -> tuple[str, str, str]:
    if rule.stage != "raw":
        return _MART_PLACES.get(rule.relation, _NO_PLACE)
    return _PLACES.get(rule.relation, _NO_PLACE if rule.relation in _WITHOUT_LINEAGE else _LAKE)


def _unique(rule: Rule) -> dict[str, Any]:
    relation = quote(rule.relation)
    columns = [quote(column) for column in (UNIT, *rule.columns)]
    same = " and ".join(f"repeated.{column} is not distinct from rows.{column}" for column in columns)
    listed = ", ".join(columns)
    # Hashes first, keys second: numbers are grouped several times faster and in less memory than texts, and where no
    # hash repeats, which is the rule, no key does, and no row is fetched. Rows that only share a hash pass the exists.
    query = (
        f"with suspects as (select hash({listed}) as key_hash from {relation} group by key_hash having count(*) > 1), "
        f"suspected as (select * from {relation} where hash({listed}) in (select key_hash from suspects)) "
        f"select rows.*, {rule.subject or literal(rule.source)} as subject from suspected as rows where exists ("
        f"select 1 from (select {listed} from suspected group by {listed} having count(*) > 1) as repeated "
        f"where {same})"
    )
    # Not ExpectCompoundColumnsToBeUnique: it lets keys with a blank part repeat, and here two such keys are one key.
    return {"query": query, "native": _unexpected(_guarded(query))}


def _row_rule(rule: Rule) -> tuple[str, str, Native, tuple[str, ...]]:
    """Scope, violation, native expectation and shown columns of a rule that looks at one row at a time."""
    if rule.kind == "relation":
        return _relation(rule)
    if rule.kind == "condition":
        scope, violation = rule.applies_when or "true", str(rule.violation)
        return scope, violation, _unexpected(_rows_where(scope, violation)), rule.columns
    column = quote(rule.columns[0])
    name = rule.columns[0]
    if rule.kind == "not_null":
        return "true", f"{column} is null", Native("ExpectColumnValuesToNotBeNull", {"column": name}), ()
    if rule.kind == "in_set":
        allowed = ", ".join(literal(value) for value in rule.values)
        native = Native("ExpectColumnValuesToBeInSet", {"column": name, "value_set": list(rule.values)})
        return "true", f"coalesce({column} not in ({allowed}), false)", native, ()
    if rule.kind == "matches":
        # Not ExpectColumnValuesToMatchRegex: the library knows no regular expressions of DuckDB.
        violation = f"not coalesce(regexp_matches({column}, {literal(str(rule.pattern))}), true)"
        return "true", violation, _unexpected(_rows_where("true", violation)), ()
    if rule.kind == "symbols":
        scope, violation = f"{column} is not null", violation_sql(column)
        return scope, violation, _unexpected(_rows_where(scope, violation)), rule.columns
    if rule.kind == "between":
        return "true", *_between(rule, column)
    other = quote(rule.columns[1])
    native = Native(
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {"column_A": rule.columns[1], "column_B": name, "or_equal": True, "ignore_row_if": "either_value_is_missing"},
    )
    return "true", f"coalesce({column} > {other}, false)", native, rule.columns


def _between(rule: Rule, column: str) -> tuple[str, Native, tuple[str, ...]]:
    bounds = []
    if rule.minimum is not None:
        bounds.append(f"{column} < {rule.minimum}")
    if rule.maximum is not None:
        bounds.append(f"{column} > {rule.maximum}")
    arguments = {"column": rule.columns[0], "min_value": rule.minimum, "max_value": rule.maximum}
    return f"coalesce({' or '.join(bounds)}, false)", Native("ExpectColumnValuesToBeBetween", arguments), ()


def _relation(rule: Rule) -> tuple[str, str, Native, tuple[str, ...]]:
    expression = rule.parsed()
    scope = " and ".join(f"{quote(column)} is not null" for column in sorted(expression.strict)) or "true"
    violation = f"not {expression.holds}"
    return scope, violation, _unexpected(_rows_where(scope, violation)), tuple(sorted(expression.columns))


def _rows_where(scope: str, violation: str) -> str:
    return f"select {UNIT} from {{batch}} where ({_escape(scope)}) and ({_escape(violation)})"


def _guarded(query: str) -> str:
    # Great Expectations wants every query to name its batch; counting it changes nothing in what is found.
    return f"select {UNIT} from ({_escape(query)}) as violations where (select count(*) from {{batch}}) >= 0"


def _escape(sql: str) -> str:
    """SQL in which the library finds no field to fill (a brace) and its driver no parameter (a colon)."""
    return sql.replace("{", "{{").replace("}", "}}").replace(":", "\\:")


def _unexpected(query: str) -> Native:
    return Native("NoUnexpectedRows", {"unexpected_rows_query": query})

"""Great Expectations and plain SQL give the same verdict on random tables, for every kind of rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.declarations import Rule
from expectations.engine_sql import count_violations
from expectations.gate import Database
from expectations.suites import Compiled, compile_rule

TABLE = "figures"


def _rule(rule_id: str, kind: str, **arguments: Any) -> Compiled:
    relation = arguments.pop("relation", TABLE)
    return compile_rule(
        Rule.model_validate(
            {
                "id": rule_id,
                "stage": "mart",
                "source": "test",
                "relation": relation,
                "kind": kind,
                "severity": "critical",
                "sentence_vi": "Một câu cho người đọc.",
                "advice_vi": "Một lời khuyên.",
                "owner": "Phòng Nội vụ",
                "since": "2022-Q1",
                "when_empty": "blocks",
                "settleable": True,
                **arguments,
            }
        )
    )


SUITE = [
    _rule("t.not_null", "not_null", columns=["a"]),
    _rule("t.in_set", "in_set", columns=["t"], values=["x", "y", "it's"]),
    _rule("t.in_numbers", "in_set", columns=["a"], values=[0, 1, 2]),
    _rule("t.matches", "matches", columns=["t"], pattern="^[x-z]+$"),
    # Braces are fields to Great Expectations, a colon is a parameter to its driver, and a quote ends a text of SQL.
    _rule("t.matches_signs", "matches", columns=["t"], pattern=r"^(?:[x-z]{1,2}|it's|\{x\}|\:x)?$"),
    _rule("t.matches_anywhere", "matches", columns=["t"], pattern="x"),
    _rule("t.at_least", "between", columns=["a"], minimum=1),
    _rule("t.at_most_three", "between", columns=["b"], maximum=3),
    _rule("t.within", "between", columns=["b"], minimum=0, maximum=4),
    _rule("t.pair", "at_most", columns=["a", "b"]),
    _rule("t.unique", "unique", columns=["a", "t"]),
    _rule("t.condition", "condition", violation="a + b > 5", applies_when="t is not null"),
    _rule("t.braces", "condition", violation="t = '{x}'"),
    _rule("t.colons", "condition", violation="a::varchar = '2' or t = ':x'"),
    _rule("t.relation", "relation", expression="I.01 = I.02 + {measure} => I.03 in (0, 1)"),
    _rule("t.blank", "relation", expression="I.01 > 1 => present(I.02)", blank_as_zero=["I.01"]),
    _rule("t.query", "query", violations=f"select reporting_unit, t as subject from {TABLE} where a = 2 and b = 2"),
]

_number = st.none() | st.integers(-1, 5)
_text = st.none() | st.sampled_from(["x", "y", "zz", "w", "it's", "{x}", ":x", "", "Ấp"])
_row = st.tuples(st.sampled_from(["u1", "u2", "u3"]), _number, _number, _text, _number, _number, _number, _number)
_tables = st.lists(_row, max_size=8)


def _disagreements(rows: list[tuple[Any, ...]]) -> list[tuple[str, Any, Any]]:
    with Database() as database:
        database.connection.execute(
            f"create table {TABLE} (reporting_unit varchar, a bigint, b bigint, t varchar, "
            '"I.01" decimal(18,4), "I.02" decimal(18,4), "I.03" decimal(18,4), measure decimal(18,4))'
        )
        for row in rows:
            database.connection.execute(f"insert into {TABLE} values (?, ?, ?, ?, ?, ?, ?, ?)", list(row))
        answers = database.ask(SUITE)
        counts = count_violations(database.connection, SUITE)
    return [
        (compiled.rule.id, answers[compiled.rule.id], counts[compiled.rule.id])
        for compiled in SUITE
        if counts[compiled.rule.id].error is not None
        or answers[compiled.rule.id].holds is not (not counts[compiled.rule.id].failed)
    ]


_RELAXED = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=_RELAXED)
@given(rows=_tables)
def test_the_engines_agree_on_random_tables(rows: list[tuple[Any, ...]]) -> None:
    assert _disagreements(rows) == []


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=_RELAXED)
@given(rows=_tables)
def test_the_engines_agree_on_five_hundred_random_tables(rows: list[tuple[Any, ...]]) -> None:
    assert _disagreements(rows) == []


@pytest.mark.parametrize(
    "broken",
    [
        _rule("t.broken", "not_null", columns=["no_such_column"]),
        _rule("t.broken", "condition", violation="no_such_column > 0"),
        _rule("t.broken", "not_null", columns=["a"], relation="nowhere"),
    ],
    ids=["missing column", "missing column of a query", "missing relation"],
)
def test_a_rule_on_what_is_not_there_is_answered_by_neither_engine_and_spoils_no_other(broken: Compiled) -> None:
    sound = _rule("t.sound", "not_null", columns=["a"])
    with Database() as database:
        database.connection.execute(f"create table {TABLE} as select 'u1' as reporting_unit, 1 as a")
        answers = database.ask([broken, sound])
        counts = count_violations(database.connection, [broken, sound])
    assert [answers[rule_id].holds for rule_id in ("t.broken", "t.sound")] == [None, True]
    assert [counts[rule_id].error is None for rule_id in ("t.broken", "t.sound")] == [False, True]


def test_a_rule_that_raises_while_it_reads_is_answered_by_neither_engine_and_spoils_no_other() -> None:
    suite = [
        _rule("t.a_raises", "condition", violation="cast(t as integer) > 0"),
        _rule("t.b_condition", "condition", violation="a > 3"),
        _rule("t.c_native", "not_null", columns=["t"]),
        _rule("t.d_other", "condition", violation="a > 3", relation="others"),
    ]
    with Database() as database:
        database.connection.execute(f"create table {TABLE} as select 'u1' as reporting_unit, 'x' as t, 1 as a")
        database.connection.execute(f"create table others as from {TABLE}")
        answers = database.ask(suite)
        counts = count_violations(database.connection, suite)
    assert [answers[compiled.rule.id].holds for compiled in suite] == [None, True, True, True]
    assert [counts[compiled.rule.id].error is None for compiled in suite] == [False, True, True, True]

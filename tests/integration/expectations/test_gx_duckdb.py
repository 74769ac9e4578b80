"""What is added to Great Expectations: that each addition works, and that the library still lacks it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import duckdb
import great_expectations as gx
import great_expectations.expectations as gxe
import pytest
import sqlalchemy as sa
from great_expectations.datasource.fluent import SQLDatasource

from expectations.gate import Database
from expectations.gx_duckdb import DuckDBDatasource, NoUnexpectedRows
from expectations.inspection import compiled_suite

URL = "duckdb:///:memory:gx_duckdb"
QUERY = "select a from {batch} where a > 2"


@pytest.fixture
def numbers() -> Iterator[None]:
    """A table ``numbers`` with one column ``a`` of 1 and 2, where ``URL`` finds it."""
    # The driver's own way to connect: DuckDB shares a database only between equal settings.
    engine = sa.create_engine(URL)
    with engine.connect() as connection:
        connection.execute(sa.text("create table numbers as select * from (values (1), (2)) as given(a)"))
        connection.commit()
        yield
    engine.dispose()


def _validated(kind: type[SQLDatasource], expectation: Any) -> tuple[bool, bool, list[str]]:
    """Whether the expectation holds on ``numbers``, whether it raised, and the statements that went to the database."""
    context = gx.get_context(mode="ephemeral")
    add = getattr(context.data_sources, f"add_{kind.__fields__['type'].default}")
    source = add(kind(name="source", connection_string=URL))
    statements: list[str] = []
    engine = source.get_execution_engine()
    sa.event.listen(engine.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    try:
        batch = source.add_table_asset("numbers").add_batch_definition_whole_table("all").get_batch()
        result = batch.validate(expectation, result_format="BOOLEAN_ONLY")
    finally:
        engine.close()
        source.get_engine().dispose()
    return bool(result.success), "'raised_exception': True" in str(result.exception_info), statements


@pytest.mark.parametrize("expectation", [NoUnexpectedRows, gxe.UnexpectedRowsExpectation])
def test_the_data_source_reads_duckdb(numbers: None, expectation: Any) -> None:
    holds, raised, _ = _validated(DuckDBDatasource, expectation(unexpected_rows_query=QUERY))
    assert (holds, raised) == (True, False)
    holds, raised, _ = _validated(DuckDBDatasource, expectation(unexpected_rows_query=QUERY.replace("2", "1")))
    assert (holds, raised) == (False, False)


@pytest.mark.filterwarnings("ignore:You are using a generic SQLDatasource")
def test_the_librarys_own_data_source_still_reads_no_duckdb(numbers: None) -> None:
    """Where this fails, ``DuckDBDatasource`` is needed no more."""
    holds, raised, statements = _validated(SQLDatasource, gxe.UnexpectedRowsExpectation(unexpected_rows_query=QUERY))
    assert any("a > 2" in statement for statement in statements)
    assert (holds, raised) == (False, True)


def _asked(expectation: Any) -> int:
    _, _, statements = _validated(DuckDBDatasource, expectation(unexpected_rows_query=QUERY))
    return sum("a > 2" in statement for statement in statements)


def test_the_expectation_asks_its_query_once(numbers: None) -> None:
    assert _asked(NoUnexpectedRows) == 1


def test_the_librarys_own_expectation_still_asks_its_query_twice(numbers: None) -> None:
    """Where this fails, ``NoUnexpectedRows.metric_dependencies`` and its ``_validate`` are needed no more."""
    assert _asked(gxe.UnexpectedRowsExpectation) == 2


def test_the_expectation_builds_its_configuration_once_and_as_the_library_does() -> None:
    arguments = {"unexpected_rows_query": QUERY, "severity": "warning", "meta": {"rule_id": "t.rule"}}
    ours, theirs = NoUnexpectedRows(**arguments), gxe.UnexpectedRowsExpectation(**arguments)
    assert ours.configuration is ours.configuration
    assert ours.configuration.to_json_dict() == theirs.configuration.to_json_dict() | {"type": "no_unexpected_rows"}


def test_the_library_still_builds_a_configuration_at_each_look() -> None:
    """Where this fails, ``NoUnexpectedRows.configuration`` is needed no more."""
    theirs = gxe.UnexpectedRowsExpectation(unexpected_rows_query=QUERY)
    assert theirs.configuration is not theirs.configuration


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Python collects no unreachable objects meanwhile, as it may not for a while in a run."""
    gc.disable()
    yield
    gc.enable()


def test_nothing_of_a_gates_database_is_left_behind(no_collection: None) -> None:
    """Where a connection were left open, the rows of one gate would stay in memory while the next one runs."""
    asked = next(compiled for compiled in compiled_suite("raw") if compiled.rule.kind == "condition")
    with Database() as database:
        database.connection.execute(f'create table "{asked.relation}" as select 1 as a')
        answers = database.ask([asked])
        name = database._url.removeprefix("duckdb:///")
    assert set(answers) == {asked.rule.id}
    with duckdb.connect(name) as connection:
        assert connection.execute("show tables").fetchall() == []

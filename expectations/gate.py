"""Great Expectations on DuckDB: runs a compiled suite and answers, for each rule, whether it holds over all units.

Belongs here: everything that touches Great Expectations, and the lines that teach this release the DuckDB dialect.
Does not belong here: rules, SQL of rules, units, decisions, verdicts. Imported in the gate's own process only: it takes
seconds and some 250 MB.
"""

from __future__ import annotations

import os

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before the import: it is read there

import itertools
import logging
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb_engine
import great_expectations as gx
import great_expectations.expectations as gxe
import great_expectations.expectations.metrics
import great_expectations.expectations.metrics.util as gx_metrics_util
import sqlalchemy as sa
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.execution_engine import sqlalchemy_execution_engine as gx_engine

from expectations.suites import Compiled, literal

logging.getLogger("great_expectations").setLevel(logging.ERROR)

_DATABASES = itertools.count(1)
# Unless CCHC_DUCKDB_MEMORY says otherwise.
_MEMORY = "2GB"


@dataclass(frozen=True)
class Answer:
    """Whether a rule holds over all units; ``holds`` is None where it could not be asked, and ``error`` says why.

    ``error`` never quotes the library's message, which may quote data.
    """

    holds: bool | None
    error: str | None = None


class _DuckDBDialect(str):
    """Looks like a member of the engine's own enumeration of dialects: a string with a ``value``."""

    value = "duckdb"


class Database:
    """A private DuckDB in memory that plain SQL and Great Expectations both see."""

    def __init__(self) -> None:
        teach_duckdb()
        name = f":memory:gate_{os.getpid()}_{next(_DATABASES)}"
        self._url = f"duckdb:///{name}"
        # Connected by the driver that Great Expectations uses: DuckDB shares a database only between equal settings.
        self.connection: Any = duckdb_engine.Dialect().connect(name)
        self._spill = tempfile.TemporaryDirectory(prefix="cchc-gate-")
        memory = os.environ.get("CCHC_DUCKDB_MEMORY", _MEMORY)
        self.connection.execute(f"set temp_directory = {literal(self._spill.name)}")
        self.connection.execute(f"set memory_limit = {literal(memory)}")

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exception: object) -> None:
        self.connection.close()
        self._spill.cleanup()

    def ask(self, suite: Iterable[Compiled]) -> dict[str, Answer]:
        """One validation a relation; answers by rule id. What raises is an answer without ``holds``."""
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        source = context.data_sources.add_sql("gate", connection_string=self._url)
        answers: dict[str, Answer] = {}
        try:
            ordered = sorted(suite, key=lambda compiled: (compiled.relation, compiled.rule.id))
            for relation, group in groupby(ordered, key=lambda compiled: compiled.relation):
                answers.update(self._ask_relation(source, relation, list(group)))
        finally:
            source.get_engine().dispose()
        return answers

    def _ask_relation(self, source: Any, relation: str, rules: list[Compiled]) -> dict[str, Answer]:
        try:
            asset = source.add_table_asset(relation, table_name=relation)
            batch = asset.add_batch_definition_whole_table("all").get_batch()
            suite = gx.ExpectationSuite(name=relation, expectations=[_expectation(compiled) for compiled in rules])
            validation = batch.validate(suite, result_format="BOOLEAN_ONLY")
        except Exception as error:  # whatever the library raises, the rules of this relation were not answered
            return {compiled.rule.id: Answer(None, type(error).__name__) for compiled in rules}
        answers = {compiled.rule.id: Answer(None, "no result was returned") for compiled in rules}
        for result in validation.results:
            rule_id = (result.expectation_config.meta or {})["rule_id"]
            raised = _raised(result.exception_info or {})
            answers[rule_id] = Answer(None, "the expectation raised") if raised else Answer(bool(result.success))
        return answers


def _expectation(compiled: Compiled) -> Any:
    kind = getattr(gxe, compiled.native.expectation)
    return kind(**compiled.native.arguments, severity=compiled.rule.severity, meta={"rule_id": compiled.rule.id})


def _raised(exception_info: dict[str, Any]) -> bool:
    """Whether an exception was met; Great Expectations reports it flat, or once for each metric."""
    reports = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    return any(report.get("raised_exception") for report in reports)


def teach_duckdb() -> None:
    """Makes this release of Great Expectations validate DuckDB tables; does nothing the second time.

    It knows no DuckDB: it closes the connection before it reads from it, and refuses regular expressions. Both are
    mended through private names, so the release is pinned exactly and a test fails where a name is gone.
    """
    if "duckdb" not in gx_engine._PERSISTED_CONNECTION_DIALECTS:
        persisted = (*gx_engine._PERSISTED_CONNECTION_DIALECTS, _DuckDBDialect("duckdb"))
        gx_engine._PERSISTED_CONNECTION_DIALECTS = persisted
    original = gx_metrics_util.get_dialect_regex_expression
    if getattr(original, "speaks_duckdb", False):
        return

    def regex_expression(column: Any, regex: str, dialect: Any, positive: bool = True) -> Any:
        expression = original(column, regex, dialect, positive)
        if expression is None:
            match = sa.func.regexp_matches(column, sa.literal(regex))
            expression = match if positive else sa.not_(match)
        return expression

    regex_expression.speaks_duckdb = True  # type: ignore[attr-defined]
    for name, module in list(sys.modules.items()):
        if name.startswith("great_expectations") and getattr(module, "get_dialect_regex_expression", None) is original:
            module.get_dialect_regex_expression = regex_expression  # type: ignore[attr-defined]

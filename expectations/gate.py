"""Great Expectations on DuckDB: runs a compiled suite and answers, for each rule, whether it holds over all units.

Belongs here: running Great Expectations, and the database it is run on.
Does not belong here: what the library lacks (``gx_duckdb.py``), rules, SQL of rules, units, decisions, verdicts.
Imported in the gate's own process only: it takes seconds and some 250 MB.
"""

from __future__ import annotations

import os

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before the import: it is read there

import itertools
import logging
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import duckdb_engine
import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.data_context.types.base import ProgressBarsConfig

from common.faults import is_of_the_machine
from expectations.expression import quote
from expectations.gx_duckdb import DuckDBDatasource, NoUnexpectedRows
from expectations.suites import Compiled, literal

logging.getLogger("great_expectations").setLevel(logging.ERROR)

_DATABASES = itertools.count(1)
# Unless CCHC_DUCKDB_MEMORY says otherwise.
_MEMORY = "2GB"
_OURS = {NoUnexpectedRows.__name__: NoUnexpectedRows}


@dataclass(frozen=True)
class Answer:
    """Whether a rule holds over all units; ``holds`` is None where it could not be asked, and ``error`` says why.

    ``error`` never quotes the library's message, which may quote data.
    """

    holds: bool | None
    error: str | None = None


class Database:
    """A private DuckDB in memory that plain SQL and Great Expectations both see."""

    def __init__(self) -> None:
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
        by_relation: dict[str, list[Compiled]] = {}
        answers: dict[str, Answer] = {}
        for compiled in sorted(suite, key=lambda compiled: (compiled.relation, compiled.rule.id)):
            by_relation.setdefault(compiled.relation, []).append(compiled)
        for relation in list(by_relation):
            try:
                # A data source is made of all its tables at once or not at all: it writes itself out at each change.
                self.connection.execute(f"select 1 from {quote(relation)} limit 1")
            except duckdb.Error as error:
                answers.update(_unanswered(by_relation.pop(relation), type(error).__name__))
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        tables = [{"type": "table", "name": name, "batch_definitions": [{"name": "all"}]} for name in by_relation]
        source = context.data_sources.add_duckdb(
            DuckDBDatasource(name="gate", connection_string=self._url, assets=tables)
        )
        try:
            for relation, rules in by_relation.items():
                answers.update(_validated(source.get_asset(relation), rules))
        finally:
            source.get_execution_engine().close()
            source.get_engine().dispose()
        return answers


def _validated(asset: Any, rules: list[Compiled]) -> dict[str, Answer]:
    try:
        suite = gx.ExpectationSuite(name=asset.name, expectations=[_expectation(compiled) for compiled in rules])
        validation = asset.get_batch_definition("all").get_batch().validate(suite, result_format="BOOLEAN_ONLY")
    except Exception as error:  # whatever the library raises, the rules of this relation were not answered
        if is_of_the_machine(error):
            raise
        return _unanswered(rules, type(error).__name__)
    answers = _unanswered(rules, "no result was returned")
    for result in validation.results:
        rule_id = (result.expectation_config.meta or {})["rule_id"]
        raised = _raised(result.exception_info or {})
        answers[rule_id] = Answer(None, "the expectation raised") if raised else Answer(bool(result.success))
    return answers


def _unanswered(rules: Iterable[Compiled], why: str) -> dict[str, Answer]:
    return {compiled.rule.id: Answer(None, why) for compiled in rules}


def _expectation(compiled: Compiled) -> Any:
    kind = _OURS.get(compiled.native.expectation) or getattr(gxe, compiled.native.expectation)
    return kind(**compiled.native.arguments, severity=compiled.rule.severity, meta={"rule_id": compiled.rule.id})


def _raised(exception_info: dict[str, Any]) -> bool:
    """Whether an exception was met; Great Expectations reports it flat, or once for each metric."""
    reports = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    return any(report.get("raised_exception") for report in reports)

"""What Great Expectations lacks for the gate: a data source for DuckDB, and an expectation that only counts.

Belongs here: subclasses through which the library is meant to be extended. Nothing of it is replaced, so nothing has to
be undone: where a release brings a data source for DuckDB of its own, this one goes.
Does not belong here: running a suite (``gate.py``), what is expected (``suites.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import great_expectations.expectations as gxe
import sqlalchemy as sa
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """The engine for SQL, with one connection for as long as it lives.

    The library fetches a result after it has given the connection back, and DuckDB has thrown the result away by then.
    For SQLite and three others, in a closed list of its own, the library keeps the connection as is done here. What a
    query that raised leaves behind is rolled back, or DuckDB would refuse every query after it.
    """

    _kept_connection: sa.Connection | None = None

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        if self._kept_connection is None:
            self._kept_connection = self.engine.connect()
        try:
            yield self._kept_connection
        except Exception:
            self._kept_connection.rollback()
            raise

    def close(self) -> None:
        if self._kept_connection is not None:
            self._kept_connection.close()
            self._kept_connection = None
        super().close()


class DuckDBDatasource(SQLDatasource):
    """Adds a DuckDB data source to the data context: ``context.data_sources.add_duckdb``."""

    type: Literal["duckdb"] = "duckdb"

    @property
    def execution_engine_type(self) -> Any:
        return DuckDBExecutionEngine


class NoUnexpectedRows(gxe.UnexpectedRowsExpectation):
    """Holds where ``unexpected_rows_query`` yields no row.

    The library's own asks each query twice, for the number of rows and for the first two hundred of them, whether or
    not the rows are wanted; the gate wants to know whether there are any. It also builds its configuration anew some
    thirty times in a validation; one that is never changed once it is made, as in the gate, builds it once.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)
    _built: Any = PrivateAttr(None)

    @property
    def configuration(self) -> Any:
        if self._built is None:
            self._built = super().configuration
        return self._built

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        return {"success": metrics["unexpected_rows_query.row_count"] == 0}

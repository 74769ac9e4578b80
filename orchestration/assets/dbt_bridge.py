"""What is used of dagster-dbt, imported without dbt.

Belongs here: that import.
Does not belong here: anything of our own about dbt.

dagster-dbt does without dbt-core where that is not installed, and dbt runs in a process of its own here
(``orchestration.dbt_process``). Importing dbt in this process too would take a second of every run.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Lets the import of a module fail as if it were not installed; what was loaded before is there again after."""
    loaded: ModuleType | None = sys.modules.pop(name, None)
    sys.modules[name] = None  # type: ignore[assignment]  # how Python itself marks a module that must not be imported
    try:
        yield
    finally:
        del sys.modules[name]
        if loaded is not None:
            sys.modules[name] = loaded


with _hidden("dbt.version"):
    from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtProject, dbt_assets

__all__ = ["DagsterDbtTranslator", "DbtCliInvocation", "DbtProject", "dbt_assets"]

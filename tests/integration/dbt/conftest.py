"""Builds of the dbt project on lakes made for the tests; one dbt process serves them all.

Builds are dear (seconds), so the ones that several tests look at are made once a session.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from common.forms import earlier_rows_csv, load_forms, rows_csv
from common.periods import period_named
from common.unit_pasts import pasts_csv
from common.units import registered
from ingestion import columns_csv, load_contracts
from sample.rows import FileKey, Row
from tests.conftest import made_once
from tests.support.dbt_build import BUILD, DISTRICT, OTHER_DISTRICT, QUARTER, Build, Invoke
from tests.support.lake_fixture import write_lake

PROJECT = Path(__file__).parents[3] / "dbt_project"


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Invoke:
    """`dbt(home, "build")` runs a dbt command on the lake under `home`; fails the test where dbt fails."""
    shared = tmp_path_factory.mktemp("dbt")
    runner = dbtRunner()

    def invoke(home: Path, *arguments: str, threads: int = 1, quarter: str = QUARTER) -> Build:
        warehouse = home / "warehouse"
        (warehouse / "build" / "marts").mkdir(parents=True, exist_ok=True)
        (warehouse / "run_scope.csv").write_text(f"quarter,unit_code\n{quarter},\n", encoding="utf-8")
        (warehouse / "form_rows.csv").write_text(rows_csv(load_forms()), encoding="utf-8")
        (warehouse / "form_earlier_rows.csv").write_text(earlier_rows_csv(load_forms()), encoding="utf-8")
        pasts = pasts_csv(registered(), period_named(quarter).closes_on)
        (warehouse / "unit_pasts.csv").write_text(pasts, encoding="utf-8")
        (warehouse / "source_columns.csv").write_text(columns_csv(load_contracts()), encoding="utf-8")
        environment = {
            "CCHC_RAW": "raw",
            "CCHC_WAREHOUSE": "warehouse",
            "CCHC_DUCKDB_THREADS": str(threads),
        }
        # In the home, as the pipeline runs it: what was parsed for one build holds for the next.
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(home)
            for name, value in environment.items():
                patch.setenv(name, value)
            result = runner.invoke(
                [
                    "--quiet",
                    "--log-path",
                    str(shared / "logs"),
                    *arguments,
                    "--target-path",
                    str(shared / "target"),
                    "--threads",
                    str(threads),
                    "--project-dir",
                    str(PROJECT),
                    "--profiles-dir",
                    str(PROJECT),
                ]
            )
        # The adapter tells databases apart by their path, which is the same in every home.
        if DuckDBConnectionManager._ENV is not None:
            DuckDBConnectionManager._ENV.close()
            DuckDBConnectionManager._ENV = None
        if not result.success:
            problems = [f"{r.node.name}: {r.message}" for r in getattr(result.result, "results", []) if r.message]
            pytest.fail(f"dbt {' '.join(arguments)} failed: {result.exception or os.linesep.join(problems)}")
        return Build(home, shared / "target")

    return invoke


@pytest.fixture(scope="session")
def two_districts(dbt: Invoke, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample's quarters of two districts, as delivered. Shared: nobody changes it."""

    def make(home: Path) -> None:
        for district in (DISTRICT, OTHER_DISTRICT):
            write_lake(home / "raw", district=district)
        _keep_compiled(dbt(home, *BUILD))

    home = made_once(tmp_path_factory, "two-districts", make)
    return Build(home, home / "target")


def _keep_compiled(build: Build) -> None:
    """Beside the build, where other workers find it and the next build does not write over it."""
    shutil.copytree(build.target / "compiled", build.home / "target" / "compiled")


@pytest.fixture(scope="session")
def damaged(dbt: Invoke, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The same, but one district's decisions and the other's plan tasks never arrived."""
    home = tmp_path_factory.mktemp("damaged")

    def without(source: str) -> Callable[[str, dict[FileKey, list[Row]]], None]:
        def drop(quarter: str, files: dict[FileKey, list[Row]]) -> None:
            for key in [key for key in files if quarter == QUARTER and key[1] == source]:
                del files[key]

        return drop

    write_lake(home / "raw", district=DISTRICT, change=without("decisions"))
    write_lake(home / "raw", district=OTHER_DISTRICT, change=without("plan_tasks"))
    return dbt(home, *BUILD)

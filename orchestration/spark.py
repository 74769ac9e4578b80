"""Apache Spark as the engine of a build: whether it can work here, and handing on what it made.

Belongs here: what Spark needs of a host and a home, the folder of its tables, the one file that is made of each mart.
Does not belong here: SQL (``dbt_project/macros/dialect.sql``), what a session is told (``dbt_project/profiles.yml``),
reading deliveries on executors (``spreading``). PySpark is not imported here: only dbt's own process needs it.

What follows from a build (contracts, candidates, gates, publication) reads ``warehouse/build`` and does not know which
engine filled it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import duckdb

from orchestration.settings import DBT_DIR, Settings, plain_path

#: What ``requirements-spark.lock`` brings: the module that is looked for, and what people know it as.
PACKAGES = {"pyspark": "PySpark", "dbt.adapters.spark": "dbt-spark"}
#: The database of all models and seeds, as the profile's ``schema`` names it.
_DATABASE = "cchc.db"
#: As ``duckdb__write_parquet`` has it, so that the same rows are the same bytes.
COPY = "copy (select * from {relation} order by all) to '{path}' (format parquet, compression zstd)"


class NoSpark(RuntimeError):
    """Spark is asked for and cannot work here; the message says why and what to do, in Vietnamese."""


def is_engine(settings: Settings) -> bool:
    return settings.engine == "spark"


def java() -> Path | None:
    """The program that Spark starts, found as Spark finds it; None where there is none."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    return Path(found) if found else None


def missing() -> Iterator[tuple[str, str]]:
    """What Spark needs of this host and is not here: its name, and what to do."""
    if lacking := [name for module, name in PACKAGES.items() if not _can_be_imported(module)]:
        yield ", ".join(lacking), "cài theo requirements-spark.lock (make setup-spark)"
    if java() is None:
        yield "Java", "cài openjdk-17-jre-headless, hoặc đặt JAVA_HOME"


def _can_be_imported(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it is in
        return False


def fault_vi(settings: Settings) -> str | None:
    """Why no build can be made as the settings ask; None where one can, or another engine is asked for."""
    if not is_engine(settings):
        return None
    lacking = [f"không có {name}: {to_do}" for name, to_do in missing()]
    if plain_path(settings.home) != settings.home:
        lacking.append(f"đường dẫn {settings.home} có ký tự mà Spark hiểu khác: đặt home ở đường dẫn không có ký tự đó")
    if not lacking:
        return None
    return f'engine = "spark" nhưng {"; ".join(lacking)}. Hoặc đặt lại engine = "duckdb" rồi chạy lại.'


def check(settings: Settings) -> None:
    """Raises ``NoSpark`` where no build can be made as the settings ask."""
    if fault := fault_vi(settings):
        raise NoSpark(fault)


def clear_tables(settings: Settings) -> None:
    """Takes away what the last build left: Spark's catalogue begins empty, and takes no folder that is there for its
    own. Every build is whole.
    """
    shutil.rmtree(settings.paths.spark_tables, ignore_errors=True)


def export_marts(settings: Settings) -> None:
    """Makes of each mart that Spark built the file that DuckDB would have written, in the build's folder."""
    home = settings.paths
    marts = {path.stem for path in (DBT_DIR / "models" / "marts").glob("*.sql")}
    limits: dict[str, str | bool | int | float | list[str]] = {
        "threads": settings.duckdb_threads,
        "memory_limit": settings.duckdb_memory,
        "temp_directory": str(home.warehouse / "spill"),
    }
    with duckdb.connect(config=limits) as database:
        for folder in sorted((home.spark_tables / _DATABASE).iterdir()):
            if folder.name in marts:
                files = f"read_parquet('{folder}/*.parquet')"
                database.execute(COPY.format(relation=files, path=home.built_marts / f"{folder.name}.parquet"))

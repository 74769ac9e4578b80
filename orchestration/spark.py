"""Apache Spark as the engine of a build: whether it can work here, and handing on what it made.

Belongs here: what Spark needs of a host and a home, the folder of its tables, the one file that is made of each mart.
Does not belong here: SQL (``dbt_project/macros/dialect.sql``), what a session is told (``dbt_project/profiles.yml``),
reading deliveries on executors (``spreading``). PySpark is not imported here: only dbt's own process needs it.

What follows from a build (contracts, candidates, gates, publication) reads ``warehouse/build`` and does not know which
engine filled it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from orchestration.settings import DBT_DIR, Settings, plain_path

#: What ``requirements-spark.lock`` brings: the module that is looked for, and what people know it as.
PACKAGES = {"pyspark": "PySpark", "dbt.adapters.spark": "dbt-spark"}
#: The least release of Java that it runs on.
JAVA = 17
_PATIENCE_SECONDS = 3
#: The database of all models and seeds, as the profile's ``schema`` names it.
_DATABASE = "cchc.db"
_DIALECT = DBT_DIR / "macros" / "dialect.sql"


class NoSpark(RuntimeError):
    """Spark is asked for and cannot work here; the message says why and what to do, in Vietnamese."""


def is_engine(settings: Settings) -> bool:
    return settings.engine == "spark"


def java() -> Path | None:
    """The program that Spark starts, found as Spark finds it; None where there is none."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    return Path(found) if found else None


def java_version(program: Path) -> int | None:
    """The release of Java that a program is of (17); None where it does not say so."""
    said = subprocess.run([program, "-version"], capture_output=True, text=True, errors="replace", check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else None


def faults(settings: Settings) -> Iterator[tuple[str, str]]:
    """What Spark needs of this host and of the home, and is not so: what is wrong, and what to do."""
    if lacking := [name for module, name in PACKAGES.items() if not _can_be_imported(module)]:
        yield f"không có {', '.join(lacking)}", "cài theo requirements-spark.lock (make setup-spark)"
    if java() is None:
        yield "không có Java", "cài openjdk-17-jre-headless, hoặc đặt JAVA_HOME"
    if plain_path(settings.home) != settings.home:
        yield f"đường dẫn {settings.home} có ký tự mà Spark hiểu khác", "đặt home ở đường dẫn không có ký tự đó"
    masters = re.findall(r"[^/,]+:\d+", settings.spark_master.partition("://")[2])
    if masters and not any(map(_answers, masters)):
        yield (
            f"không nối được máy chủ Spark {', '.join(masters)}",
            "bật máy chủ (master) của cụm, hoặc sửa spark_master",
        )


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _PATIENCE_SECONDS).close()
    except OSError:
        return False
    return True


def _can_be_imported(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it is in
        return False


def fault_vi(settings: Settings) -> str | None:
    """Why nothing can be done as the settings ask; None where it can, or another engine is asked for."""
    if not is_engine(settings):
        return None
    found = [f"{wrong}: {to_do}" for wrong, to_do in faults(settings)]
    if not found:
        return None
    return f'engine = "spark" nhưng {"; ".join(found)}. Hoặc đặt lại engine = "duckdb" rồi chạy lại.'


def check(settings: Settings) -> None:
    """Raises ``NoSpark`` where nothing can be done as the settings ask."""
    if fault := fault_vi(settings):
        raise NoSpark(fault)


def clear_tables(settings: Settings) -> None:
    """Takes away what the last build left: Spark's catalogue begins empty, and takes no folder that is there for its
    own. Every build is whole.
    """
    if settings.paths.spark_tables.exists():
        shutil.rmtree(settings.paths.spark_tables)


def write_parquet(relation: str, path: Path) -> str:
    """The statement with which dbt has DuckDB write a mart, so that the same rows are the same bytes."""
    from jinja2 import Environment

    macros: Any = Environment(extensions=["jinja2.ext.do"]).from_string(_DIALECT.read_text(encoding="utf-8")).module
    return str(macros.duckdb__write_parquet(relation, path)).strip()


def export_marts(settings: Settings) -> None:
    """Makes of each mart that Spark built the file that DuckDB would have written, in the build's folder."""
    import duckdb  # it takes a tenth of a second, and most commands build nothing

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
                database.execute(write_parquet(files, home.built_marts / f"{folder.name}.parquet"))

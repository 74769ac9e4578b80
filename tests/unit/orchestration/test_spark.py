"""Apache Spark as the engine, as far as it can be told without it: settings, arguments, lock, file of a mart."""

from __future__ import annotations

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from orchestration import dbt, spark
from orchestration.healing import mend
from orchestration.pipeline import Pipeline
from orchestration.settings import PROJECT_DIR, Engine, Settings
from orchestration.spreading import Executors

_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;\\]+)", re.MULTILINE)


def _locked(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for package, version in _LOCKED.findall((PROJECT_DIR / name).read_text(encoding="utf-8")):
        found.setdefault(package, set()).add(version)
    return found


def _spark(tmp_path: Path, spark_master: str = "local[*]") -> Settings:
    return Settings(home=tmp_path, engine="spark", spark_master=spark_master)


def test_duckdb_is_the_engine_where_nothing_is_set(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert not spark.is_engine(settings)
    assert spark.fault_vi(settings) is None
    assert "CCHC_SPARK_MASTER" not in settings.dbt_environment()


@pytest.mark.parametrize("master", ["local", "local[*]", "local[2]", "spark://127.0.0.1:7077", "spark://a.b:1,c-d:22"])
def test_a_master_is_this_machine_or_a_standalone_cluster(master: str, tmp_path: Path) -> None:
    assert _spark(tmp_path, spark_master=master).dbt_environment()["CCHC_SPARK_MASTER"] == master


@pytest.mark.parametrize(
    "master", ["", "yarn", "local[0]", "spark://host", "spark://host:7077;drop", "local[*] --jars x"]
)
def test_another_master_is_refused(master: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="spark_master"):
        _spark(tmp_path, spark_master=master)


def test_spark_is_given_whole_paths_and_keeps_to_this_machine_where_it_works_on_it(tmp_path: Path) -> None:
    alone = _spark(tmp_path).dbt_environment()
    assert (alone["CCHC_RAW"], alone["CCHC_WAREHOUSE"]) == (str(tmp_path / "raw"), str(tmp_path / "warehouse"))
    assert alone["SPARK_LOCAL_IP"] == "127.0.0.1"
    assert "SPARK_LOCAL_IP" not in _spark(tmp_path, spark_master="spark://cluster:7077").dbt_environment()


def test_dbt_is_told_the_target_of_the_engine(tmp_path: Path) -> None:
    home = Settings(home=tmp_path).paths
    targets: dict[Engine, str] = {"duckdb": "local", "spark": "spark"}
    for engine, target in targets.items():
        for args in (dbt.parse_args(home, engine=engine), dbt.build_args(home, engine=engine)):
            assert args[args.index("--target") + 1] == target
    args = dbt.build_args(home, select=["a", "b"], engine="spark")
    assert args[args.index("--select") + 1] == "+a +b", "what Spark built before is gone"
    assert args[args.index("--indirect-selection") + 1] == "buildable"
    assert "--indirect-selection" not in dbt.build_args(home, select=["a"])


def test_what_lacks_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "PACKAGES", {"no_such_package": "PySpark", "no_such.part": "dbt-spark"})
    monkeypatch.setattr(spark, "java", lambda: None)
    fault = spark.fault_vi(_spark(tmp_path)) or ""
    assert "PySpark, dbt-spark" in fault
    assert "make setup-spark" in fault
    assert "openjdk-17-jre-headless" in fault
    assert 'engine = "duckdb"' in fault
    with pytest.raises(spark.NoSpark, match="PySpark"):
        spark.check(_spark(tmp_path))


def test_a_home_whose_path_means_something_to_spark_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "PACKAGES", {})
    monkeypatch.setattr(spark, "java", lambda: Path("/usr/bin/java"))
    assert spark.fault_vi(_spark(tmp_path)) is None
    assert str(tmp_path / "a{b}") in (spark.fault_vi(_spark(tmp_path / "a{b}")) or "")


def test_java_is_looked_for_where_spark_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "jre" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jre"))
    assert spark.java() == program
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert spark.java() is None


def test_a_mart_that_spark_built_becomes_the_file_that_duckdb_writes(tmp_path: Path) -> None:
    settings = _spark(tmp_path)
    home = settings.paths
    home.built_marts.mkdir(parents=True)
    with duckdb.connect() as database:
        for name, parts in {"dim_unit": 3, "int_units": 1}.items():
            folder = home.spark_tables / "cchc.db" / name
            folder.mkdir(parents=True)
            (folder / "_SUCCESS").touch()
            for part in range(parts):
                database.execute(
                    f"copy (select 9 - i as a, 'x' || i as b from range({part}, 9, {parts}) as t(i)) "
                    f"to '{folder}/part-{part}.parquet' (format parquet)"
                )
        database.execute("create table whole as select 9 - i as a, 'x' || i as b from range(9) as t(i)")
        database.execute(spark.write_parquet("whole", tmp_path / "whole.parquet"))
    spark.export_marts(settings)
    assert [path.name for path in home.built_marts.iterdir()] == ["dim_unit.parquet"], "only marts are handed on"
    assert (home.built_marts / "dim_unit.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    spark.clear_tables(settings)
    assert not home.spark_tables.exists()


@pytest.mark.parametrize(("engine", "lost"), [("duckdb", 1), ("spark", 0)])
def test_the_file_of_duckdb_is_not_missed_where_spark_builds(engine: Engine, lost: int, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, engine=engine)
    settings.paths.create()
    settings.paths.build_record.parent.mkdir()
    settings.paths.build_record.touch()
    pipeline = Pipeline(settings)
    mend(pipeline)
    assert [mended.path for mended in pipeline.record.mended] == lost * [str(settings.paths.warehouse_file)]


@pytest.mark.skipif(find_spec("pyspark") is not None, reason="here Spark would begin")
def test_where_no_executor_can_be_asked_the_intake_says_so(tmp_path: Path) -> None:
    settings = _spark(tmp_path)
    settings.paths.create()
    executors = Executors(settings)
    with pytest.raises(spark.NoSpark, match=r"local\[\*\]") as caught:
        executors([])
    assert str(settings.paths.run_log) in str(caught.value)
    assert "No module named 'pyspark'" in settings.paths.run_log.read_text()
    executors.close()


def test_the_lock_of_spark_agrees_with_the_lock_of_all_else() -> None:
    ours, sparks = _locked("requirements.lock"), _locked("requirements-spark.lock")
    shared = ours.keys() & sparks.keys()
    assert len(shared) > 20
    assert {name: sparks[name] for name in shared} == {name: ours[name] for name in shared}
    extra = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["project"]["optional-dependencies"]["spark"]
    for asked in extra:
        name, version = asked.split("==")
        assert sparks[name.partition("[")[0]] == {version}

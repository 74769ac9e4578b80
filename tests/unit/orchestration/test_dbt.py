"""dbt's arguments, what makes seeds and the manifest out of date, and the scope of a run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ingestion import load_contracts
from orchestration import dbt
from orchestration.settings import Home, Settings


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.warehouse.mkdir(parents=True)
    return home


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "seeds").mkdir(parents=True)
    (folder / "target").mkdir()
    (folder / "models").mkdir()
    (folder / "seeds" / "periods.csv").write_text("quarter\n2023-Q1\n")
    (folder / "models" / "a.sql").write_text("select 1")
    return folder


def _option(args: list[str], name: str) -> list[str]:
    return [args[i + 1] for i, arg in enumerate(args) if arg == name]


def test_a_build_leaves_out_unit_tests_and_loads_the_seeds_each_time(home: Home) -> None:
    args = dbt.build_args(home)
    assert args[0] == "build"
    assert _option(args, "--exclude-resource-type") == ["unit_test"]
    assert "--select" not in args
    assert "--vars" not in args


def test_a_partial_build_names_its_models(home: Home) -> None:
    assert _option(dbt.build_args(home, select=["a", "b"]), "--select") == ["a b"]


def test_each_home_parses_for_itself(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    ours, theirs = (_option(dbt.parse_args(h), "--target-path") for h in (home, other))
    assert ours == [str(home.dbt_target)]
    assert ours != theirs


def test_an_installed_package_keeps_the_parsed_project_in_the_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dbt.manifest_folder() == dbt.DBT_DIR / "target"
    monkeypatch.setattr(dbt, "_CHECKOUT", False)
    monkeypatch.setenv("CCHC_HOME", str(home.root))
    assert dbt.manifest_folder().is_relative_to(home.root)


def test_the_project_changes_with_its_files_and_not_with_what_dbt_writes(project: Path) -> None:
    before = dbt.project_fingerprint(project)
    (project / "target" / "b.sql").write_text("select 2")
    assert dbt.project_fingerprint(project) == before
    (project / "models" / "a.sql").rename(project / "models" / "b.sql")
    renamed = dbt.project_fingerprint(project)
    (project / "models" / "b.sql").write_text("select 2")
    assert len({before, renamed, dbt.project_fingerprint(project)}) == 3


def test_a_scope_takes_back_the_last_build_before_anything_is_built(home: Home) -> None:
    home.built_marts.mkdir(parents=True)
    (home.built_marts / "old.parquet").touch()
    home.build_record.write_text("{}")
    dbt.write_scope(home, "2023-Q2")
    assert home.run_scope.read_text() == "quarter,unit_code\n2023-Q2,\n"
    with home.source_columns.open(encoding="utf-8", newline="") as file:
        written = [tuple(row.values()) for row in csv.DictReader(file)]
    assert written == [
        (source, contract.title_vi, column.name, column.title_vi, str(column.required).lower())
        for source, contract in sorted(load_contracts().items())
        for column in contract.columns
    ]
    assert not home.build_record.exists()
    assert list(home.built_marts.iterdir()) == []


def test_dbt_is_told_where_and_how_much_and_tells_nobody(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, duckdb_threads=3, duckdb_memory="512MB")
    env = dbt.environment(settings, {"PATH": "/bin", "CCHC_RAW": "/elsewhere"})
    assert (env["CCHC_RAW"], env["CCHC_WAREHOUSE"]) == ("raw", "warehouse")
    assert (env["CCHC_DUCKDB_THREADS"], env["CCHC_DUCKDB_MEMORY"]) == ("3", "512MB")
    assert env["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
    assert env["PATH"] == "/bin"
    assert "CCHC_WAREHOUSE" not in dbt.environment(None, {})


def test_what_was_parsed_where_the_project_lay_before_is_parsed_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """dbt looks for seeds where the project lay when it parsed them: a moved checkout, another installation."""
    monkeypatch.setattr(dbt, "manifest_folder", lambda: tmp_path / "nothing parsed")
    parsed = home.dbt_target / "partial_parse.msgpack"
    home.dbt_target.mkdir(parents=True)
    parsed.write_bytes(b"of before")
    dbt.forget_what_was_parsed_elsewhere(home.dbt_target)  # of whose place nothing is known
    assert not parsed.exists()
    parsed.write_bytes(b"of here")
    dbt.forget_what_was_parsed_elsewhere(home.dbt_target)
    assert parsed.read_bytes() == b"of here"
    monkeypatch.setattr(dbt, "DBT_DIR", tmp_path / "elsewhere")
    dbt.forget_what_was_parsed_elsewhere(home.dbt_target)
    assert not parsed.exists()

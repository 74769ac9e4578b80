"""Homes under any path, and DuckDB within any memory: what dbt and the gate are told of both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from orchestration.settings import DBT_DIR, Settings

NAMES = [
    "o'brien", "[945] {{ 7*7 }}", "{x}", "a*b", "100%", 'say "so"', "$HOME", "back\\slash", "xã An Thạnh 1",
    "with  blanks ", "%(x)s", "a;b", "#1", "a&b", "{% raw %}", "`x`", "a,b", "~", "[!a-z]", "tab\tbed",
]  # fmt: skip


def profile(settings: Settings) -> dict[str, Any]:
    """The profile as dbt renders it: Jinja first, then YAML."""
    env = settings.dbt_environment()
    text = (DBT_DIR / "profiles.yml").read_text(encoding="utf-8")
    rendered = jinja2.Environment(autoescape=False).from_string(text).render(env_var=env.get)
    found: dict[str, Any] = yaml.safe_load(rendered)["cchc"]["outputs"]["local"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_dbt_is_told_means_nothing_but_the_home_it_works_in(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / name)
    settings.paths.create()
    pq.write_table(pa.table({"a": [7]}), settings.paths.raw / "x.parquet")
    monkeypatch.chdir(settings.home)
    env = settings.dbt_environment()
    # As the models paste it: into Jinja, a format string, a quoted literal with a pattern.
    location = "read_parquet('" + env["CCHC_RAW"] + "/**/*.parquet')"
    location = jinja2.Environment(autoescape=False).from_string(location.format(name="s")).render()
    with duckdb.connect(profile(settings)["path"]) as connection:
        assert connection.execute(f"select a from {location}").fetchall() == [(7,)]
        connection.execute(f"copy (select 1) to '{env['CCHC_WAREHOUSE']}/out.parquet' (format parquet)")
    assert (settings.paths.warehouse / "out.parquet").is_file()
    assert settings.paths.warehouse_file.is_file()
    assert env == Settings(home=tmp_path).dbt_environment(), "every home is told the same, or dbt would parse anew"


def test_a_question_mark_in_the_path_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="question mark"):
        Settings(home=tmp_path / "what?")


def test_a_folder_of_links_that_others_may_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (tmp_path / f"cchc-{os.getuid()}").mkdir(mode=0o777)
    (tmp_path / f"cchc-{os.getuid()}").chmod(0o777)
    with pytest.raises(PermissionError):
        _ = Settings(home=tmp_path / "o'brien").plain_paths


_BIG = "select count(*) from (select range as a, repeat('x', 100) as b from range(1500000) order by hash(range), b)"


def test_dbts_database_spills_past_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, duckdb_memory="100MB")
    settings.paths.create()
    monkeypatch.chdir(settings.home)
    found = profile(settings)
    assert "settings" not in found
    config = {name: str(value) for name, value in found["config_options"].items()}
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), config=config) as connection:
        assert connection.execute("select current_setting('memory_limit')").fetchone() == ("95.3 MiB",)
        assert connection.execute(f"select * from ({_BIG})").fetchone() == (1_500_000,)
        connection.execute(f"create table sorted as {_BIG.replace('count(*)', 'a, b')}")
        assert connection.execute("select count(*) from sorted").fetchone() == (1_500_000,)


def test_the_gates_database_spills_past_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations.gate import Database

    monkeypatch.setenv("CCHC_DUCKDB_MEMORY", "100MB")
    with Database() as database:
        spill = Path(database.connection.execute("select current_setting('temp_directory')").fetchone()[0])
        database.connection.execute(f"create table sorted as {_BIG.replace('count(*)', 'a, b')}")
        assert database.connection.execute("select count(*) from sorted").fetchone() == (1_500_000,)
        assert spill.is_dir()
    assert not spill.exists()

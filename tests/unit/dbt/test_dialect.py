"""The project's SQL is for every engine: what differs stands in one file, and for each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3] / "dbt_project"
DIALECT = PROJECT / "macros" / "dialect.sql"
#: DuckDB's own way of making a table; no SQL of a model.
MATERIALIZATION = PROJECT / "macros" / "table.sql"
#: Macros of dbt itself that Spark needs others of.
OF_DBT = {"get_empty_schema_sql", "persist_constraints", "create_csv_table", "load_csv_rows"}

# What DuckDB understands and Spark does not, or otherwise.
_ONE_ENGINE = {
    "as varchar": r"\bas\s+varchar\b",
    "list": r"\b(list|list_(?!of\b|has\b)\w+|array_to_string|unnest|string_agg)\s*\(",
    "patterns": r"\bregexp_(split_to_array|matches|replace)\s*\(",
    "literal list": r"\b(then|else|select)\s+\[",
    "slice": r"\)\[\d+:\d+\]",
    "by name": r"\bunion\s+(all\s+)?by\s+name\b",
    "cast": r"::\s*[a-z]",
    "quotient": r"[\w)]\s*//\s*[\w(]",
    "functions": r"\b(strftime|strptime|try_strptime|isodow|generate_series|strip_accents|quantile_cont|hash)\s*\(",
    "join": r"\b(asof|positional)\s+join\b",
    "qualify": r"\bqualify\b",
    "stars": r"\*\s+(exclude|replace)\b",
    "trim of two": r"\br?l?trim\([^()]*,[^()]*\)",
    "group zero": r"\bregexp_extract\s*\(\s*[^,()]+,\s*'[^']*'\s*\)",
    "day arithmetic": r"\binterval\s+'?\d",
}


def sql_files() -> list[Path]:
    folders = ("models", "macros", "tests")
    found = [path for folder in folders for path in sorted((PROJECT / folder).rglob("*.sql"))]
    return [path for path in found if path not in (DIALECT, MATERIALIZATION)]


def without_words(sql: str) -> str:
    """The SQL without Jinja's and SQL's comments, and without what Jinja alone reads."""
    sql = re.sub(r"\{#.*?#\}", " ", sql, flags=re.DOTALL)
    sql = re.sub(r"\{%.*?%\}", " ", sql, flags=re.DOTALL)
    return re.sub(r"--[^\n]*", " ", sql)


@pytest.mark.parametrize("path", sql_files(), ids=lambda path: path.stem)
def test_no_model_speaks_one_engines_sql(path: Path) -> None:
    sql = without_words(path.read_text(encoding="utf-8")).lower()
    found = {name: match[0] for name, pattern in _ONE_ENGINE.items() if (match := re.search(pattern, sql))}
    assert found == {}
    assert not re.search(r"\b(duckdb|spark)__", sql), "macros of one engine belong in dialect.sql"


@pytest.mark.parametrize("name", ["as varchar", "list", "literal list", "slice", "by name", "trim of two", "stars"])
def test_the_words_of_one_engine_are_noticed(name: str) -> None:
    said = {
        "as varchar": "cast(x as varchar)",
        "list": "string_agg(x, ' ')",
        "literal list": "then [subject] else",
        "slice": "list(x)[1:5]",
        "by name": "union all by name",
        "trim of two": "rtrim(x, '.')",
        "stars": "select * exclude (a)",
    }
    assert re.search(_ONE_ENGINE[name], said[name])


def test_what_differs_is_said_for_each_engine_with_the_same_arguments() -> None:
    text = DIALECT.read_text(encoding="utf-8")
    macros = dict(re.findall(r"\{% macro (\w+)\(([^)]*)\)", text))
    dispatched = set(re.findall(r"adapter\.dispatch\('(\w+)'\)", text))
    assert len(dispatched) > 20
    for name in dispatched:
        arguments = re.sub(r"='[^']*'", "", macros[name])
        assert (macros[f"duckdb__{name}"], macros[f"spark__{name}"]) == (arguments, arguments), name
    of_engines = {name.partition("__")[2] for name in macros if "__" in name}
    assert of_engines - dispatched == OF_DBT

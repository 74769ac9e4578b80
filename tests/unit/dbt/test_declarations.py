"""Declarations that two rooms must agree on: staging against the contracts, measures among themselves."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from common.declared import read_yaml
from ingestion.base.contracts import load_contracts

PROJECT = Path(__file__).parents[3] / "dbt_project"
CONTRACTS = load_contracts()
# A source may be taken in before any figure is made of it; then it has no staging model yet.
STAGED = sorted(p.name for p in (PROJECT / "models" / "staging").iterdir() if p.name in CONTRACTS)
LINEAGE = re.compile(r"\bsource\.(_\w+)")
COLUMN = re.compile(r"^\s+source\.([a-z]\w*)", re.MULTILINE)


def _metas() -> list[dict[str, Any]]:
    return [
        model["config"]["meta"]
        for path in sorted((PROJECT / "models" / "intermediate" / "measures").glob("*.yml"))
        for model in read_yaml(path)["models"]
    ]


def _measures() -> list[dict[str, Any]]:
    return [measure for meta in _metas() for measure in meta["measures"]]


_META = {measure["id"]: meta for meta in _metas() for measure in meta["measures"]}


@pytest.mark.parametrize("source", STAGED)
def test_staging_selects_every_column_of_the_contract_and_no_other(source: str) -> None:
    [path] = (PROJECT / "models" / "staging" / source).glob("stg_*.sql")
    sql = path.read_text(encoding="utf-8")
    schema = CONTRACTS[source].arrow_schema().names
    assert sorted(COLUMN.findall(sql)) == sorted(n for n in schema if not n.startswith("_"))
    assert set(LINEAGE.findall(sql)) <= {n for n in schema if n.startswith("_")}
    assert path.name.startswith(f"stg_{source}__")


def _facts() -> dict[str, dict[str, list[str]]]:
    """Columns of each fact that measures are made of, with what each is made of."""
    facts = {}
    for path in (PROJECT / "models" / "intermediate").glob("int_*.yml"):
        [model] = read_yaml(path)["models"]
        facts[model["name"]] = {
            column["name"]: column.get("config", {}).get("meta", {}).get("from", [column["name"]])
            for column in model["columns"]
        }
    return facts


_SQL_WORDS = frozenset({"and", "or", "not", "is", "null", "in", "between", "coalesce", "true", "false"})


@pytest.mark.parametrize("measure", _measures(), ids=lambda measure: measure["id"])
def test_every_name_in_a_measures_sql_is_a_column_made_of_columns_of_the_contracts(measure: dict[str, Any]) -> None:
    """What a measure needs is read from these names, so one that is unknown would be needed by nobody."""
    meta = _META[measure["id"]]
    columns = _facts()[meta["fact"]]
    requires = measure.get("requires", {})
    sql = [*(measure.get(key) for key in ("filter", "column", "date")), requires.get("among"), requires.get("given")]
    names = set(re.findall(r"[a-z_]\w*", re.sub("'[^']*'", "", " ".join(filter(None, sql))))) - _SQL_WORDS
    assert names <= set(columns)
    for item in (item for name in names for item in columns[name]):
        source, _, choices = item.rpartition(".")
        columns_of = {column.name: column for column in CONTRACTS[source or meta["source"]].columns}
        assert set(choices.split("|")) <= set(columns_of), item
        # A file may have these without a heading of its own.
        assert not any(columns_of[choice].from_title_block for choice in choices.split("|")), item


def test_every_staged_source_has_a_lake_relation_and_an_asset_of_its_name() -> None:
    sources = read_yaml(PROJECT / "models" / "sources_of_deliveries.yml")["sources"]
    [lake] = [source for source in sources if source["name"] == "raw"]
    keys = {table["name"]: table["config"]["meta"]["dagster"]["asset_key"] for table in lake["tables"]}
    assert keys == {source: ["raw", source] for source in STAGED}


@pytest.mark.parametrize("fact", sorted({meta["fact"] for meta in _metas()}))
def test_every_fact_is_held_to_one_row_a_delivered_row(fact: str) -> None:
    """A join that finds two rows would double what is counted, and nothing else would say so."""
    [model] = read_yaml(PROJECT / "models" / "intermediate" / f"{fact}.yml")["models"]
    place = ["unit_code", "quarter", "delivery_id", "sheet", "row_number"]
    assert [test["unique_together"]["arguments"]["columns"] for test in model.get("data_tests", [])] == [place]


def test_measure_ids_are_unique_and_their_requirements_exist() -> None:
    measures = _measures()
    ids = Counter(measure["id"] for measure in measures)
    assert [name for name, times in ids.items() if times > 1] == []
    assert {m["requires_measure"] for m in measures if "requires_measure" in m} <= set(ids)


def test_what_figures_of_quarters_are_not_added_of_says_so() -> None:
    """What is counted once however often: what has a day of its own lies in one period, the others in many. And what
    counts because of what else happened in the period.
    """
    once = {m["id"] for m in _measures() if m["aggregation"] == "count_distinct" and m["window"] == "in_period"}
    dated = {m["id"] for m in _measures() if "date" in m}
    never_added = {m["id"] for m in _measures() if m.get("adds_up") is False}
    assert once - dated == never_added & once
    assert {m["id"] for m in _measures() if "is_of_procedure_used_online" in m.get("filter", "")} <= never_added
    assert all(m["window"] == "in_period" for m in _measures() if m["id"] in never_added)


def test_measures_and_what_they_need_are_described_in_vietnamese() -> None:
    for measure in _measures():
        texts = [measure.get("description_vi", "")]
        if "requires" in measure:
            texts.append(measure["requires"].get("given_vi", ""))
        assert all(text.strip() and not text.endswith(".") for text in texts), measure["id"]
        assert all(unicodedata.is_normalized("NFC", text) for text in texts), measure["id"]


def test_every_model_and_column_is_described() -> None:
    for path in sorted((PROJECT / "models").rglob("*.yml")):
        for model in (read_yaml(path) or {}).get("models", []):
            assert model["description"].strip(), model["name"]
            blank = [column["name"] for column in model["columns"] if not column.get("description", "").strip()]
            assert blank == [], model["name"]
    described = {path.stem for path in (PROJECT / "models").rglob("*.yml")}
    assert {path.stem for path in (PROJECT / "models").rglob("*.sql")} <= described

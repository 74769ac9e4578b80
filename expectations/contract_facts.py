"""What the contracts of the sources say that rules say too: titles, owners, keys, required columns, labels, bounds.

Belongs here: those words of ``ingestion/sources/*/contract.yaml``, which are data, under the names that rules use.
Does not belong here: rules, and what else a contract says, which is ``ingestion``'s.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from common.declared import read_yaml
from common.roles import PART, REPORTING_UNIT, SUPERIOR

CONTRACTS_DIR = Path(__file__).parents[1] / "ingestion" / "sources"

Facts = dict[str, dict[str, Any]]


@lru_cache(maxsize=1)
def source_facts() -> Facts:
    """By source: ``source``, ``title``, ``owner``, ``owed_by_reporting_unit``, ``owed_by_parts``, ``key_columns``
    and, as SQL and in words, ``key``, ``same_key`` (of rows r and k) and ``key_titles``.
    """
    return {contract["source"]: _of_source(contract) for contract in _contracts()}


@lru_cache(maxsize=1)
def column_facts() -> Facts:
    """By ``source.column``: ``source``, ``file`` (the source's title), ``owner``, ``column``, ``title``, ``day`` (SQL
    of its day), ``row`` (SQL of what a row is about), ``is_required`` in every period, or ``asked_while`` (SQL of the
    periods that it is required in); and where the contract gives them ``labels``, and ``minimum``, ``maximum`` with
    ``range_vi``.
    """
    return {
        f"{contract['source']}.{column['name']}": _of_column(contract, column)
        for contract in _contracts()
        for column in contract["columns"]
    }


@lru_cache(maxsize=1)
def sources_of_superiors() -> frozenset[str]:
    """The sources that only units above those that report by a form deliver."""
    return frozenset(contract["source"] for contract in _contracts() if contract["delivered_by"] == [SUPERIOR])


@lru_cache(maxsize=1)
def _contracts() -> list[dict[str, Any]]:
    paths = sorted(CONTRACTS_DIR.glob("*/contract.yaml"))
    return [read_yaml(path) for path in paths]


def _of_source(contract: dict[str, Any]) -> dict[str, Any]:
    key = contract["key"]
    titles = {column["name"]: column["title_vi"] for column in contract["columns"]}
    return {
        "source": contract["source"],
        "title": contract["title_vi"],
        "owner": contract["owner"],
        "owed_by_reporting_unit": REPORTING_UNIT in contract["required_from"],
        "owed_by_parts": PART in contract["required_from"],
        "key_columns": ["_delivery_id", *key],
        "key": ", ".join(key),
        "same_key": " and ".join(f"k.{name} is not distinct from r.{name}" for name in key),
        "key_titles": ", ".join(titles[name] for name in key),
    }


def _of_column(contract: dict[str, Any], column: dict[str, Any]) -> dict[str, Any]:
    name = column["name"]
    minimum, maximum = column.get("minimum"), column.get("maximum")
    bounds = {"valid_from": "_closes_on >= ", "valid_to": "_closes_on <= "}
    asked_while = " and ".join(f"{test}date '{column[name]}'" for name, test in bounds.items() if column.get(name))
    facts = {
        "source": contract["source"],
        "file": contract["title_vi"],
        "owner": contract["owner"],
        "column": name,
        "title": column["title_vi"],
        "day": f"cast({name} as date)" if column["type"] == "datetime" else name,
        "row": _row(contract),
        "is_required": bool(column.get("required")) and not asked_while,
    }
    if column.get("required") and asked_while:
        facts["asked_while"] = asked_while
    if column["type"] == "enum":
        facts["labels"] = list(column["labels"])
    if minimum is not None or maximum is not None:
        facts |= {"minimum": minimum, "maximum": maximum, "range_vi": _range_vi(minimum, maximum)}
    return facts


def _row(contract: dict[str, Any]) -> str:
    """A row is named by its key where that is one column and no person's; else by its place."""
    types = {column["name"]: column["type"] for column in contract["columns"]}
    alone = len(contract["key"]) == 1 and types[contract["key"][0]] != "person_key"
    return str(contract["key"][0]) if alone else "_file_name || ' dòng ' || _row"


def _range_vi(minimum: int | None, maximum: int | None) -> str:
    if maximum is None:
        return "không được âm" if minimum == 0 else f"phải từ {minimum} trở lên"
    return f"phải từ {minimum} đến {maximum}" if minimum is not None else f"không được quá {maximum}"

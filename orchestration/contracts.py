"""Contracts of the published tables, gathered from where each fact is declared.

Belongs here: reading dbt's model files, ``own_tables.yml`` and the shared vocabulary into contracts. Does not belong
here: what is written from them (``orchestration.generated``), what a change costs (``publication.store.contracts``).

One place for each fact: all that is said of a table or of its column is in ``dbt_project/models/marts/*.yml`` (for
tables that publication makes: ``publication/store/own_tables.yml``); only words that several tables share are in
``dbt_project/vocabulary.yml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from common.declared import read_yaml
from orchestration.settings import DBT_DIR
from publication import FIRST_VERSION, INTERNAL_MARTS, OWN_TABLES_PATH, Column, Contract

MARTS_DIR = DBT_DIR / "models" / "marts"
VOCABULARY_PATH = DBT_DIR / "vocabulary.yml"
_CLOSED_LIST = re.compile(r"(?P<column>\w+) in \((?P<values>'[^']*'(?:, '[^']*')*)\)")
_NUMBERS = ("integer", "bigint", "decimal")


def declared_contracts() -> dict[str, Contract]:
    """The contract of every published table as declared now, by name.

    Raises ValueError where a declaration cannot be a contract (no key, a check that is no list of values).
    """
    vocabulary = read_yaml(VOCABULARY_PATH)
    return {
        name: _contract(model, origin, vocabulary)
        for name, (model, origin) in declared_tables().items()
        if name not in INTERNAL_MARTS
    }


def declared_tables() -> dict[str, tuple[dict[str, Any], str]]:
    """Every mart and every table that publication makes, internal ones included: its declaration and who makes it."""
    models = [(model, "dbt") for path in sorted(MARTS_DIR.glob("*.yml")) for model in read_yaml(path)["models"]]
    models += [(model, meta_of(model).get("origin", "publication")) for model in read_yaml(OWN_TABLES_PATH)["models"]]
    return dict(sorted((model["name"], (model, origin)) for model, origin in models))


def meta_of(declared: Mapping[str, Any]) -> dict[str, Any]:
    """``config.meta`` of a model or of a column."""
    meta: dict[str, Any] = declared.get("config", {}).get("meta", {})
    return meta


#: When a published cell is blank though dbt always counts it.
HELD_BACK = "held back as a small count (`held_back`)"


def is_required(column: Mapping[str, Any]) -> bool:
    """Whether a published cell of the column is never blank; small counts are blank though dbt never leaves them so."""
    never_blank = any(constraint["type"] == "not_null" for constraint in column.get("constraints", []))
    return never_blank and "small_counts" not in meta_of(column)


def blank_when(column: Mapping[str, Any]) -> str | None:
    """When a cell of the column is blank; None where that is never or nobody says."""
    meta = meta_of(column)
    reasons = [meta.get("blank_when"), HELD_BACK if "small_counts" in meta else None]
    return "; ".join(filter(None, reasons)) or None


def _contract(model: Mapping[str, Any], origin: Any, vocabulary: Mapping[str, Any]) -> Contract:
    meta = meta_of(model)
    return Contract(
        version=meta.get("contract_version", FIRST_VERSION),
        origin=origin,
        description=model["description"],
        description_vi=meta.get("vi"),
        key=tuple(key_of(model)) if "data_tests" in model else (),
        columns=tuple(_column(model["name"], column, vocabulary) for column in model["columns"]),
    )


def key_of(model: Mapping[str, Any]) -> Iterable[str]:
    """The columns that no two rows share. Raises ValueError where none are declared."""
    for test in model["data_tests"]:
        if isinstance(test, dict) and "unique_together" in test:
            return list(test["unique_together"]["arguments"]["columns"])
    raise ValueError(f"{model['name']}: no test unique_together says what its key is")


def _column(table: str, column: Mapping[str, Any], vocabulary: Mapping[str, Any]) -> Column:
    name, meta = column["name"], meta_of(column)
    unit = meta.get("unit") if column["data_type"].startswith(_NUMBERS) else None
    required = is_required(column)
    return Column(
        name=name,
        type=column["data_type"],
        required=required,
        description=column["description"],
        description_vi=meta.get("vi", vocabulary["columns"].get(name)),
        unit=unit,
        unit_vi=vocabulary["units"].get(unit),
        blank_when=None if required else blank_when(column),
        values=_values(table, name, column.get("constraints", [])),
        small_counts=meta.get("small_counts"),
    )


def _values(table: str, name: str, constraints: Iterable[Mapping[str, Any]]) -> tuple[str, ...] | None:
    for constraint in constraints:
        if constraint["type"] == "check":
            match = _CLOSED_LIST.fullmatch(constraint["expression"])
            if match is None or match["column"] != name:
                raise ValueError(f"{table}.{name}: a check of a mart is a list, {name} in ('…', '…')")
            return tuple(re.findall(r"'([^']*)'", match["values"]))
    return None

"""Declared contracts gathered from where they are declared, and the stored copy refreshed from them.

Belongs here: reading dbt's model files, ``own_tables.yml``, the table pages and the vocabulary into contracts, the
exposures that name every published table, and the command ``python -m orchestration.contracts`` (``make contracts``).
Does not belong here: what a change costs (``publication.store.contracts``).

One place for each fact: types, blanks, keys, values and English meanings are in ``dbt_project/models/marts/*.yml``
(for tables that publication makes: ``publication/store/own_tables.yml``), units and when a cell is blank in
``docs/marts.md``, Vietnamese words in ``dbt_project/vocabulary.yml``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from orchestration.settings import DBT_DIR, PROJECT_DIR
from publication import (
    CONTRACTS_PATH,
    FIRST_VERSION,
    INTERNAL_MARTS,
    OWN_TABLES_PATH,
    Column,
    Contract,
    contracts_json,
    parse_contracts,
    version_faults,
)

MARTS_DIR = DBT_DIR / "models" / "marts"
VOCABULARY_PATH = DBT_DIR / "vocabulary.yml"
TABLE_PAGE = PROJECT_DIR / "docs" / "marts.md"
EXPOSURES_PATH = DBT_DIR / "models" / "exposures_of_all_marts.yml"
_CLOSED_LIST = re.compile(r"(?P<column>\w+) in \((?P<values>'[^']*'(?:, '[^']*')*)\)")
_NUMBERS = ("integer", "bigint", "decimal")


def declared_contracts() -> dict[str, Contract]:
    """The contract of every published table as declared now, by name.

    Raises ValueError where a declaration cannot be a contract (no key, a check that is no list of values).
    """
    vocabulary = _yaml(VOCABULARY_PATH)
    pages = _table_pages(TABLE_PAGE.read_text(encoding="utf-8"))
    found = {}
    for path in sorted(MARTS_DIR.glob("*.yml")):
        for model in _yaml(path).get("models", []):
            if model["name"] not in INTERNAL_MARTS:
                found[model["name"]] = _contract(model, "dbt", vocabulary, pages.get(model["name"], {}))
    for model in _yaml(OWN_TABLES_PATH)["models"]:
        found[model["name"]] = _contract(model, "publication", vocabulary, pages.get(model["name"], {}))
    return dict(sorted(found.items()))


def _yaml(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _table_pages(text: str) -> dict[str, dict[str, tuple[str, str]]]:
    """For each table and column of ``docs/marts.md``: the unit, and when the cell is blank."""
    pages: dict[str, dict[str, tuple[str, str]]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("## "):
            table = line.removeprefix("## ").strip()
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| `") else []
        if len(cells) == 5:
            pages.setdefault(table, {})[cells[0].strip("`")] = (cells[3], cells[4])
    return pages


def _contract(
    model: Mapping[str, Any], origin: Any, vocabulary: Mapping[str, Any], page: Mapping[str, tuple[str, str]]
) -> Contract:
    name = model["name"]
    meta = model.get("config", {}).get("meta", {})
    return Contract(
        version=meta.get("contract_version", FIRST_VERSION),
        origin=origin,
        description=model["description"],
        description_vi=vocabulary["tables"].get(name),
        key=tuple(_key(model)) if "data_tests" in model else (),
        columns=tuple(_column(name, column, vocabulary, page.get(column["name"])) for column in model["columns"]),
    )


def _key(model: Mapping[str, Any]) -> Iterable[str]:
    for test in model["data_tests"]:
        if isinstance(test, dict) and "unique_together" in test:
            return list(test["unique_together"]["arguments"]["columns"])
    raise ValueError(f"{model['name']}: no test unique_together says what its key is")


def _column(
    table: str, column: Mapping[str, Any], vocabulary: Mapping[str, Any], on_page: tuple[str, str] | None
) -> Column:
    name = column["name"]
    constraints = column.get("constraints", [])
    unit, blank_when = on_page or (None, None)
    unit = unit if column["data_type"].startswith(_NUMBERS) and unit != "number" else None
    required = any(constraint["type"] == "not_null" for constraint in constraints)
    words = vocabulary["columns"]
    return Column(
        name=name,
        type=column["data_type"],
        required=required,
        description=column["description"],
        description_vi=words.get(f"{table}.{name}", words.get(name)),
        unit=unit,
        unit_vi=vocabulary["units"].get(unit),
        blank_when=None if required else blank_when,
        values=_values(table, name, constraints),
    )


def _values(table: str, name: str, constraints: Iterable[Mapping[str, Any]]) -> tuple[str, ...] | None:
    for constraint in constraints:
        if constraint["type"] == "check":
            match = _CLOSED_LIST.fullmatch(constraint["expression"])
            if match is None or match["column"] != name:
                raise ValueError(f"{table}.{name}: a check of a mart is a list, {name} in ('…', '…')")
            return tuple(re.findall(r"'([^']*)'", match["values"]))
    return None


def exposures_yml(contracts: Mapping[str, Contract]) -> str:
    """The two exposures that hold every published table of dbt: the files of a release, and PostgreSQL."""
    head = "# Written by `make contracts`: products that hold every published table. Others are in exposures.yml.\n"
    depends_on = [f"ref('{name}')" for name, contract in contracts.items() if contract.origin == "dbt"]
    products = (
        (
            "release_tables",
            "Bảng số liệu của bản công bố",
            "Các bảng của một bản công bố: marts/*.parquet, "
            "marts.duckdb và datapackage.json. All tables of a release for programs, described by a data package.",
        ),
        (
            "postgresql",
            "Kho tra cứu PostgreSQL",
            "Bản sao các bảng công bố trong PostgreSQL, khi cài đặt "
            "postgres_url được đặt. A copy of the current releases, for SQL clients and dashboards.",
        ),
    )
    exposures = [
        {
            "name": name,
            "label": label,
            "type": "application",
            "maturity": "high",
            "description": description,
            "owner": {"name": "Tổ số liệu CCHC"},
            "depends_on": depends_on,
        }
        for name, label, description in products
    ]
    return head + yaml.dump(
        {"exposures": exposures}, Dumper=_PlainDumper, allow_unicode=True, sort_keys=False, width=110
    )


class _PlainDumper(yaml.SafeDumper):
    """Repeats a list instead of pointing back to it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def main(arguments: list[str]) -> int:
    """Refreshes the stored contracts and the exposures; refuses, and says why, where a version does not follow."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.contracts", description=main.__doc__)
    parser.add_argument("--remove", nargs="+", default=[], metavar="TABLE", help="tables that are published no more")
    removed = set(parser.parse_args(arguments).remove)
    new = declared_contracts()
    old = parse_contracts(CONTRACTS_PATH.read_bytes()) if CONTRACTS_PATH.exists() else {}
    faults = version_faults({name: contract for name, contract in old.items() if name not in removed}, new)
    if faults:
        sys.stderr.write("\n".join(["set config.meta.contract_version of the model first:", *faults]) + "\n")
        return 1
    CONTRACTS_PATH.write_bytes(contracts_json(new))
    EXPOSURES_PATH.write_text(exposures_yml(new), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Files that are written from declarations, so that no fact is written down twice.

Belongs here: what each of them says, and the command ``python -m orchestration.generated`` (``make contracts``; with
``--check``, as in ``make lint``, it writes nothing and names what is stale). Does not belong here: the declarations.

| file | written from |
| --- | --- |
| ``publication/store/contracts.json``, ``docs/marts.md``, ``exposures_of_all_marts.yml`` | the marts' yml |
| ``sources_of_deliveries.yml``, ``stg_<source>__*.yml`` | the sources' contracts and the staging models' select |
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

import ingestion
from ingestion import load_contracts
from orchestration.contracts import blank_when, declared_contracts, declared_tables, is_required, key_of, meta_of
from orchestration.settings import DBT_DIR, PROJECT_DIR
from publication import CONTRACTS_PATH, INTERNAL_MARTS, Contract, contracts_json, parse_contracts, version_faults

EXPOSURES_PATH = DBT_DIR / "models" / "exposures_of_all_marts.yml"
TABLE_PAGE = PROJECT_DIR / "docs" / "marts.md"
STAGING_DIR = DBT_DIR / "models" / "staging"
SOURCES_PATH = DBT_DIR / "models" / "sources_of_deliveries.yml"
_WRITTEN = "Written by `make contracts`"
_TYPES = {"date": "date", "boolean": "yes/no", "timestamp": "local time"}
_LISTED = re.compile(r"\{% call delivered_rows\('\w+'\) %\}\n(.*?)\{% endcall %\}", re.DOTALL)
_SELECTED = re.compile(r" +(source|deliveries)\.(\w+)(?: as (\w+))?,?")
#: Columns that macros/delivered_rows.sql gives every staging model, and what else one may take of the delivery.
_LINEAGE = {
    "delivery_id": "Delivery the row came with.",
    "delivery_rank": "Place of the delivery in the total order of deliveries; higher is later.",
    "delivering_unit_code": "Unit whose folder the file lay in.",
    "quarter": "Quarter whose folder the file lay in.",
    "sheet": "Sheet of the file; blank for CSV.",
    "row_number": "Row in the sheet or line in the CSV (1-based).",
}
_OF_DELIVERIES = {"file_name": "Name of the file."}
#: Where the lake lies; the file without rows gives the columns where nothing was delivered yet.
_LAKE = (
    """read_parquet(['{{ env_var("CCHC_RAW", "../data/raw") }}/lake/source={name}/schema.parquet', """
    """'{{ env_var("CCHC_RAW", "../data/raw") }}/lake/source={name}/**/*.parquet'], """
    "union_by_name = true, hive_partitioning = false)"
)
_PAGE = f"""# Marts

<!-- {_WRITTEN} from dbt_project/models/marts/*.yml and publication/store/own_tables.yml. -->

What each published table holds. Types are enforced by dbt contracts; a build that breaks one fails and leaves the old
table.

Rows hold the run quarter for all reporting units that delivered anything for it. Keys come first among the columns, and
exported files are ordered by all columns from left to right, so equal figures are equal files. Counts are integers,
figures decimal(18,4). A blank never stands for zero; the last column says when a blank may occur.
"""


def generated_files() -> dict[Path, str]:
    """Every file that is written from declarations, with what it should hold now."""
    contracts = declared_contracts()
    files = {
        CONTRACTS_PATH: contracts_json(contracts).decode(),
        EXPOSURES_PATH: exposures_yml(contracts),
        TABLE_PAGE: table_page(),
        SOURCES_PATH: sources_yml(load_contracts()),
    }
    for source, contract in load_contracts().items():
        for model in sorted((STAGING_DIR / source).glob("*.sql")):
            files[model.with_suffix(".yml")] = staging_yml(model, contract)
    return files


def table_page() -> str:
    """``docs/marts.md``: every table with its columns, in Markdown."""
    internal = ", ".join(f"`{name}`" for name in sorted(INTERNAL_MARTS))
    lines = [_PAGE, f"{internal} are internal: gate 2 reads them, releases do not carry them.", ""]
    for name, (model, _) in declared_tables().items():
        lines += _section(name, model)
    return "\n".join(lines)


def _section(name: str, model: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {name}", "", model["description"].strip(), "")
    if "data_tests" in model:
        yield from ("Key: " + ", ".join(f"`{column}`" for column in key_of(model)) + ".", "")
    yield from ("| column | type | meaning | unit | blank when |", "| --- | --- | --- | --- | --- |")
    for column in model["columns"]:
        meta = meta_of(column)
        unit = meta.get("unit", _TYPES.get(column["data_type"], ""))
        blank = "never" if is_required(column) else blank_when(column) or ""
        cells = (f"`{column['name']}`", column["data_type"], column["description"].strip(), unit, blank)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""
    if notes := meta_of(model).get("notes"):
        yield from (notes.strip(), "")


def sources_yml(contracts: Mapping[str, ingestion.Contract]) -> str:
    """The relation that each contract's accepted rows are to dbt; what only provinces deliver it does not read."""
    tables = [
        {
            "name": source,
            "description": f"{contract.title_vi}. {contract.description}",
            "config": {"meta": {"dagster": {"asset_key": ["raw", source]}}},
        }
        for source, contract in contracts.items()
        if not contract.is_of_superiors
    ]
    raw = {
        "name": "raw",
        "description": "The raw lake, one relation a source. Each holds the accepted rows of every delivery ever made, "
        "superseded ones included; staging keeps the current ones. `schema.parquet` gives the columns where nothing "
        "was delivered yet.",
        "config": {"meta": {"external_location": _LAKE}},
        "tables": tables,
    }
    return f"# {_WRITTEN} from ingestion/sources/*/contract.yaml.\n" + _dumped({"sources": [raw]})


def staging_yml(model: Path, contract: ingestion.Contract) -> str:
    """The columns that a staging model selects, with the contract's words. Raises ValueError for one it cannot have."""
    fields = {column.name: column.description for column in contract.columns}
    fields |= {f"{c.name}_text": f"{c.description} The cell as printed." for c in contract.columns}
    columns = [{"name": name, "description": description} for name, description in _LINEAGE.items()]
    for line in _LISTED.findall(model.read_text(encoding="utf-8"))[0].splitlines():
        selected = _SELECTED.fullmatch(line)
        if selected is None:
            raise ValueError(f"{model.name}: {line.strip()} is no column as it was delivered; the next model computes")
        origin, name, alias = selected.groups()
        known = _OF_DELIVERIES if origin == "deliveries" else fields
        if name not in known:
            raise ValueError(f"{model.name}: {origin}.{name} is no column of {contract.source}")
        columns.append({"name": alias or name, "description": " ".join(known[name].split())})
    text = f"Current rows of the source `{contract.source}` as delivered. Versions of one row are still apart here."
    vi = f"Các dòng đang dùng của nguồn “{contract.title_vi}”, như đơn vị đã gửi."
    meta = {"meta": {"vi": vi}}
    declared = {"models": [{"name": model.stem, "description": text, "config": meta, "columns": columns}]}
    return f"# {_WRITTEN} from the model's select and the source's contract.\n" + _dumped(declared)


def exposures_yml(contracts: Mapping[str, Contract]) -> str:
    """The two exposures that hold every published table of dbt: the files of a release, and PostgreSQL."""
    head = f"# {_WRITTEN}: products that hold every published table. Others are in exposures.yml.\n"
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
    return head + _dumped({"exposures": exposures})


def _dumped(document: Mapping[str, Any]) -> str:
    """As YAML; what holds no other mapping or list stands on a line."""
    return yaml.dump(
        document, Dumper=_PlainDumper, allow_unicode=True, sort_keys=False, width=118, default_flow_style=None
    )


class _PlainDumper(yaml.SafeDumper):
    """Repeats a list instead of pointing back to it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def stale_files() -> list[Path]:
    """Files that do not hold what their declarations say."""
    return [
        path
        for path, text in generated_files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    """Writes every generated file; refuses, and says why, where a published table changes without its version."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.generated", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name the files that are stale")
    parser.add_argument("--remove", nargs="+", default=[], metavar="TABLE", help="tables that are published no more")
    asked = parser.parse_args(arguments)
    if asked.check:
        stale = [path.relative_to(PROJECT_DIR).as_posix() for path in stale_files()]
        if stale:
            sys.stderr.write("\n".join(["stale; run `make contracts` and look at what it changes:", *stale]) + "\n")
        return 1 if stale else 0
    old = parse_contracts(CONTRACTS_PATH.read_bytes()) if CONTRACTS_PATH.exists() else {}
    kept = {name: contract for name, contract in old.items() if name not in asked.remove}
    if faults := version_faults(kept, declared_contracts()):
        sys.stderr.write("\n".join(["set config.meta.contract_version of the model first:", *faults]) + "\n")
        return 1
    for path, text in generated_files().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

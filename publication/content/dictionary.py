"""What every published table and column means, as rows: for the table ``dictionary`` and the page of that name.

Belongs here: which tables are described, and in which shape they stand where all releases are together. Does not
belong here: the meanings (declared with the tables, see ``store.contracts``), the page (``page.dictionary``), comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from publication.store.contracts import Contract, stored_contracts, table_name

Row = dict[str, Any]


def dictionary_rows(contracts: Mapping[str, Contract]) -> Iterator[Row]:
    """Rows of ``dictionary``: each table, then its columns."""
    for table, contract in contracts.items():
        yield {
            "table_name": table,
            "position": 0,
            "description_vi": contract.description_vi or contract.description,
            "description_en": contract.description,
            "is_key": False,
            "contract_version": contract.version,
        }
        for position, column in enumerate(contract.columns, start=1):
            yield {
                "table_name": table,
                "position": position,
                "column_name": column.name,
                "type": column.type,
                "description_vi": column.description_vi or column.description,
                "description_en": column.description,
                "unit_vi": column.unit_vi,
                "blank_when": "never" if column.required else column.blank_when,
                "values": ", ".join(column.values) if column.values else None,
                "is_key": column.name in contract.key,
            }


def described_tables(names: Iterable[str]) -> dict[str, Contract]:
    """Contracts of the file's own tables and of these marts, as they stand in it: where rows of all releases are
    together, ``release`` comes first and belongs to the key."""
    stored = stored_contracts()
    release = stored["releases"].by_name["release"]
    found: dict[str, Contract] = {}
    for name, contract in stored.items():
        if contract.origin == "index":
            found[name] = contract
        elif (shown := table_name(name, contract.version)) in names:
            key = ("release", *contract.key) if contract.key else ()
            found[shown] = contract.model_copy(update={"key": key, "columns": (release, *contract.columns)})
    return found

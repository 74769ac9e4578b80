"""``published/dictionary.html``: what every published table and column means, to look through without a network.

Belongs here: contracts as a page. Does not belong here: the meanings (``store.contracts``), the same as rows
(``content.dictionary``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from publication.content.dictionary import described_tables
from publication.page.render import render
from publication.store.contracts import Contract, stored_contracts, table_name


@dataclass(frozen=True)
class Group:
    """Tables that are found in one place."""

    key: str
    title_vi: str
    title_en: str
    tables: Mapping[str, Contract]


def render_dictionary(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """The page; the same for all entries of the index, since it tells what this version of the program promises."""
    del entries
    stored = stored_contracts()
    described = described_tables({table_name(name, contract.version) for name, contract in stored.items()})
    lists = {"notes", "changes"}
    index = {name: contract for name, contract in described.items() if contract.origin == "index"}
    marts = {name: contract for name, contract in described.items() if name not in lists | index.keys()}
    groups = (
        Group(
            "ban-cong-bo",
            "Lịch sử công bố và từ điển, trong all.duckdb",
            "History and dictionary, in all.duckdb",
            index,
        ),
        Group(
            "bang-so-lieu",
            "Bảng số liệu: trong all.duckdb, và tệp marts/*.parquet của từng bản (không có cột release)",
            "Figures: in all.duckdb, and as marts/*.parquet of each release (without the column release)",
            marts,
        ),
        Group(
            "danh-sach",
            "Danh sách của từng bản: quality/notes.csv, quality/changes.csv",
            "Lists of each release: quality/notes.csv, quality/changes.csv",
            {name: stored[name] for name in sorted(lists)},
        ),
    )
    columns = sum(len(contract.columns) for group in groups for contract in group.tables.values())
    tables = sum(len(group.tables) for group in groups)
    return render(
        "dictionary.html.j2",
        style="dictionary.css",
        script="dictionary.js",
        groups=groups,
        tables=tables,
        columns=columns,
    )

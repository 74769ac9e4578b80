"""Columns of assets as Dagster shows them: from which headings of delivered files each is made.

Belongs here: metadata of definitions. Does not belong here: finding out (``orchestration.column_lineage``).
It stands on the definitions, not on each materialization: it changes with the code, and a run need not write it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ingestion import Contract
from orchestration.column_lineage import Columns, Origin, Way


class Catalogue:
    """What is known of the columns of every table; nothing where no lineage was worked out."""

    def __init__(self, columns: Columns, keys: Mapping[str, dg.AssetKey]) -> None:
        self._columns = columns
        self._keys = keys
        self._way = Way(columns)

    def metadata(self, table: str) -> dict[str, Any]:
        """Metadata of a table's definition: Dagster's own column lineage, which its programs read, and the same for
        people, with the headings at its end (``nguon_goc_cot``), as the browser shows no column lineage by itself.
        """
        columns = self._columns.get(table)
        if not columns:
            return {}
        deps = {
            column: [dg.TableColumnDep(self._key(of), name) for of, name in origins if self._known(of)]
            for column, origins in columns.items()
        }
        records = [
            dg.TableRecord(
                {"cot": column, "tu": _listed(origins), "tieu_de": _listed(self._way.headings(table, column))}
            )
            for column, origins in columns.items()
        ]
        return {
            "dagster/column_lineage": dg.TableColumnLineage(deps),
            "nguon_goc_cot": dg.MetadataValue.table(records, schema=_SCHEMA),
        }

    def _known(self, table: str) -> bool:
        return "/" in table or table in self._keys

    def _key(self, table: str) -> dg.AssetKey:
        return self._keys.get(table) or dg.AssetKey(table.split("/"))


_SCHEMA = dg.TableSchema(
    columns=[
        dg.TableColumn("cot", "string", description="cột, hoặc dòng của biểu"),
        dg.TableColumn("tu", "string", description="làm từ cột nào của bảng nào"),
        dg.TableColumn("tieu_de", "string", description="tiêu đề cột trong tệp các đơn vị gửi"),
    ]
)


def _listed(origins: list[Origin]) -> str:
    """``one_stop_cases: Ngày tiếp nhận, Trạng thái; org_units: Mã đơn vị``"""
    by_table: dict[str, list[str]] = {}
    for table, column in origins:
        by_table.setdefault(table.removeprefix("landing/"), []).append(column)
    return "; ".join(f"{table}: {', '.join(columns)}" for table, columns in by_table.items())


def headings_schema(contract: Contract) -> dg.TableSchema:
    """The columns of a source's files by their headings; other headings that are understood in the description."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.title_vi,
                column.type,
                description=f"Tiêu đề khác cũng đọc được: {', '.join(column.aliases)}" if column.aliases else None,
                constraints=dg.TableColumnConstraints(nullable=not column.required),
            )
            for column in contract.columns
        ]
    )

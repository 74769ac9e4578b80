"""What the templates of clerks show, as tests fill them in.

Belongs here: rows made of a template's own examples. Does not belong here: how a template looks.
"""

from __future__ import annotations

import datetime as dt

from common.periods import Period
from ingestion.base.contracts import Contract, load_contracts
from ingestion.clerk.fields import template_fields
from ingestion.rows.resolve import Context


def example_row(contract: Contract, period: Period | None = None, context: Context | None = None) -> dict[str, str]:
    """The example of every column of the template, by column name."""
    return {field.column.name: field.example for field in template_fields(contract, period, context)}


#: A province's register of units as it delivers it: two departments, one that has ended, and a service unit.
PROVINCE_REGISTER: list[list[object]] = [
    ["Mã đơn vị", "Tên đơn vị", "Tên viết tắt", "Loại đơn vị", "Hiệu lực từ", "Hiệu lực đến"],
    ["94-SNV", "Sở Nội vụ", "SNV", "Cơ quan chuyên môn", dt.date(2016, 5, 1), None],
    ["94-STP", "Sở Tư pháp", None, "Cơ quan chuyên môn", dt.date(2016, 5, 1), None],
    ["94-STM", "Sở Thương mại", None, "Cơ quan chuyên môn", dt.date(2001, 5, 1), dt.date(2022, 12, 31)],
    ["94-TTPV", "Trung tâm Lưu trữ lịch sử", None, "Đơn vị sự nghiệp công lập", dt.date(2016, 5, 1), None],
]


def of_whom(contract: Contract) -> dict[str, str]:
    """By the column that names it, the unit that a row of what only a province delivers is about."""
    if not contract.is_of_superiors or contract.unit_column is None:
        return {}
    return {contract.unit_column: "Sở Nội vụ" if contract.names_departments else "945"}


def unit_of(source: str) -> str:
    """A unit that delivers the source: the district, or its province where only one above it does."""
    return "94" if load_contracts()[source].is_of_superiors else "945"

"""What the templates of clerks show, as tests fill them in.

Belongs here: rows made of a template's own examples. Does not belong here: how a template looks.
"""

from __future__ import annotations

from common.periods import Period
from ingestion.base.contracts import Contract, load_contracts
from ingestion.clerk.fields import template_fields
from ingestion.rows.resolve import Context


def example_row(contract: Contract, period: Period | None = None, context: Context | None = None) -> dict[str, str]:
    """The example of every column of the template, by column name."""
    return {field.column.name: field.example for field in template_fields(contract, period, context)}


def unit_of(source: str) -> str:
    """A unit that delivers the source: the district, or its province where only one above it does."""
    return "94" if load_contracts()[source].is_of_superiors else "945"

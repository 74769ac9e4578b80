"""Which parser reads a column of a contract, in a context.

Belongs here: the choice of parser by the column's type. Does not belong here: the parsers (``values``, ``resolve``).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ingestion.base.contracts import Column, Contract
from ingestion.base.readings import Cell
from ingestion.reading.grid import is_blank
from ingestion.rows import values as v
from ingestion.rows.resolve import Context


def parser_of(column: Column, context: Context, contract: Contract) -> v.Parser:
    """The parser of a column that is not derived."""
    match column.type:
        case "integer":
            parser = v.within(column, v.parse_integer)
        case "decimal":
            parser = v.within(column, v.parse_decimal)
        case "month":
            parser = v.month_parser(context.period)
        case "enum":
            parser = v.enum_parser(column)
        case "unit":
            parser = context.units.parse
        case "procedure_code":
            knows_catalogue = "procedure_catalogue" in contract.depends_on
            parser = v.procedure_code_parser(context.procedures.codes if knows_catalogue else None)
        case _:
            parser = {
                "text": v.parse_text,
                "code": v.parse_code,
                "case_code": v.parse_case_code,
                "date": v.parse_date,
                "datetime": v.parse_datetime,
                "quarter": v.parse_quarter,
                "flag": v.parse_flag,
                "presence": v.parse_presence,
                "number_or_text": v.parse_number_or_text,
            }[column.type]
    return v.not_after(context.period.closes_on, parser) if column.not_after == "closing" else parser


def fit_of(column: Column, context: Context, contract: Contract) -> Callable[[Cell], bool]:
    """Tells whether a cell is a value of the column: it parses, and a code is one word, or two with a digit."""
    parser = parser_of(column, context, contract)

    def fits(cell: Cell) -> bool:
        if is_blank(cell) or parser(cell).value is None:
            return False
        if column.type != "code":
            return True
        words = v.printed(cell).split()
        return len(words) == 1 or (len(words) == 2 and bool(re.search(r"\d", v.printed(cell))))

    return fits

"""What a release holds, by the names that claims use.

Belongs here: values of form rows and of simple sums over published marts, as exact numbers. Does not belong here:
what a sentence says (``claims``), verdicts.

An expression is terms joined by ``+`` and ``-``, with at most one ``/`` between two such sums. A term is a form row
(``III.23``), a part of a ratio row (``I.27:numerator``), or a sum over a mart: ``case_processing.received@district``
adds a column over rows of a level, ``dim_unit@commune`` counts rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from common.codes import ROW_CODE
from publication.content.release_content import FormRow, form_rows
from publication.narrative.text import phrase

_ROW = re.compile(rf"({ROW_CODE})(?::(numerator|denominator))?")
_SUM = re.compile(r"([a-z_]+)(?:\.([a-z_]+))?@([a-z_]+)")
_LEVEL = {"case_processing": "unit_level", "dim_unit": "unit_type"}
FORM_MART = "report_indicators"
#: The marts that expressions may speak of; a release must hold them to be checked against.
NEEDED_MARTS = (FORM_MART, *_LEVEL, "dim_quarter")


@dataclass(frozen=True)
class Term:
    """One term with its sign. ``source`` is an indicator code or the name of a mart."""

    sign: int
    text: str
    source: str
    part: str
    level: str


def parse(expression: str) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Dividend and divisor (empty: none) of an expression. Raises ValueError for anything else."""
    sides = [side.strip() for side in expression.split(" / ")]
    if len(sides) > 2 or not all(sides):
        raise ValueError(f"not an expression: {expression!r}")
    return _terms(sides[0]), _terms(sides[1]) if len(sides) == 2 else ()


def _terms(text: str) -> tuple[Term, ...]:
    parts = re.split(r" ([+-]) ", f"{text}")
    signs = ["+", *parts[1::2]]
    return tuple(_term(1 if sign == "+" else -1, part) for sign, part in zip(signs, parts[::2], strict=True))


def _term(sign: int, text: str) -> Term:
    if match := _ROW.fullmatch(text):
        return Term(sign, text, match[1], match[2] or "value", "")
    if match := _SUM.fullmatch(text):
        if match[1] not in _LEVEL:
            raise ValueError(f"no mart to add up: {text!r}")
        return Term(sign, text, match[1], match[2] or "", match[3])
    raise ValueError(f"not a term: {text!r}")


class PublishedFigures:
    """The figures of one release. ``column`` asks for another quarter's figure where the form row keeps it."""

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = tables
        self.rows: dict[str, FormRow] = {row.code: row for row in form_rows(tables[FORM_MART])}

    def value(self, expression: str, column: str = "value") -> Fraction | None:
        """The exact value; None where a figure is blank, unknown, or the divisor is 0.

        A ratio row is worth its numerator by its denominator in hundredths, so that it can be compared at any number
        of decimals.
        """
        dividend, divisor = parse(expression)
        above = self._sum(dividend, column)
        if above is None or not divisor:
            return above
        below = self._sum(divisor, column)
        return above * 100 / below if below else None

    def _sum(self, terms: tuple[Term, ...], column: str) -> Fraction | None:
        total = Fraction(0)
        for term in terms:
            value = self._term(term, column)
            if value is None:
                return None
            total += term.sign * value
        return total

    def _term(self, term: Term, column: str) -> Fraction | None:
        if term.level:
            return self._over_mart(term) if column == "value" else None
        row = self.rows.get(term.source)
        if row is None:
            return None
        if column != "value":
            return _exact(row.values[column]) if term.part == "value" else None
        if term.part != "value":
            return _exact(row.values[term.part])
        above, below = _exact(row.values["numerator"]), _exact(row.values["denominator"])
        if row.value is not None and above is not None and below:
            return above * 100 / below
        return _exact(row.value)

    def _over_mart(self, term: Term) -> Fraction | None:
        table = self._tables[term.source]
        own = table.filter(pc.equal(table[_LEVEL[term.source]], term.level))
        if not term.part:
            return Fraction(own.num_rows)
        return _sum_of(own[term.part])

    @property
    def form_version(self) -> str:
        """The form whose rows these are."""
        return str(next(iter(self.rows.values())).values["form_version"])

    @property
    def quarter(self) -> str:
        """The quarter reported on, e.g. ``2023-Q1``."""
        return str(next(iter(self.rows.values())).values["quarter"])

    @property
    def quarters(self) -> list[dict[str, object]]:
        """Rows of ``dim_quarter``; none where the marts come without it."""
        return self._tables["dim_quarter"].to_pylist() if "dim_quarter" in self._tables else []

    @cached_property
    def fields(self) -> dict[tuple[str, ...], str]:
        """Fields with cases, by the keys of their names."""
        names = self._tables["case_processing"]["field_vi"].unique().to_pylist()
        return {phrase(name): name for name in sorted(names)}

    @cached_property
    def commune_names(self) -> dict[str, str]:
        """Names of communes by code."""
        rows = self._tables["dim_unit"].select(["unit_code", "unit_type", "name_vi"]).to_pylist()
        return {row["unit_code"]: row["name_vi"] for row in rows if row["unit_type"] == "commune"}

    @cached_property
    def communes(self) -> dict[tuple[str, ...], str]:
        """Codes of communes by the keys of their names."""
        return {phrase(name): code for code, name in self.commune_names.items()}

    def cases(self, columns: str, level: str, field_vi: str | None, unit_code: str | None) -> Fraction | None:
        """Columns of ``case_processing`` added up over the rows of a field, a receiving unit, or both.

        None where a cell of them is held back as a small count.
        """
        table = self._tables["case_processing"]
        wanted = {
            "field_vi": field_vi,
            "receiving_unit_code": unit_code,
            "unit_level": None if unit_code or level == "whole" else level,
        }
        for column, value in wanted.items():
            if value is not None:
                table = table.filter(pc.equal(table[column], value))
        sums = [_sum_of(table[column]) for column in columns.split(" + ")]
        known = [found for found in sums if found is not None]
        return sum(known, Fraction(0)) if len(known) == len(sums) else None

    def by_name(self) -> dict[tuple[str, ...], str]:
        """Codes of rows that can be told by their name alone."""
        found: dict[tuple[str, ...], str | None] = {}
        for row in self.rows.values():
            name = str(row.values["indicator_name_corrected_vi"] or row.values["indicator_name_vi"])
            keys = phrase(name)
            if row.values["kind"] in ("count", "ratio"):
                found[keys] = None if keys in found else row.code
        return {keys: code for keys, code in found.items() if code is not None and len(keys) > 2}


def _sum_of(column: pa.ChunkedArray) -> Fraction | None:
    """The sum of counts; None where one is blank."""
    return None if column.null_count else Fraction(int(pc.sum(column).as_py() or 0))


def _exact(value: Decimal | int | None) -> Fraction | None:
    return None if value is None else Fraction(value)

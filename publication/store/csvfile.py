"""CSV that programs read exactly and spreadsheets open without running anything.

Belongs here: the print of one cell and its way back. Does not belong here: which rows a file holds.

Rules: UTF-8 without BOM, comma, ``\\n``, header line; null is an empty cell; numbers have a dot for decimals and no
grouping; dates are ISO; lists are joined by ``;``. A *text* cell that starts with ``= + - @``, tab, CR or LF (or
their full-width forms) would be run as a formula by a spreadsheet, so it gets one leading apostrophe; a text that
starts with apostrophes before such a character gets one more. Reading takes exactly one away, so no text is lost.
Only the form's own row names that begin with ``- `` need it in practice.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from publication.formatting import plain_number

_STARTS_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NEEDS_QUOTES = re.compile(r'[",\r\n]')
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def neutralise(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula; :func:`restore` is its exact inverse."""
    return "'" + text if _STARTS_FORMULA.match(text) else text


def restore(text: str) -> str:
    """The text that :func:`neutralise` was given."""
    return text[1:] if _NEUTRALISED.match(text) else text


def print_cell(value: Any) -> str:
    """One value as a cell. Raises TypeError for floats and for types that no mart holds."""
    if value is None:
        return ""
    if isinstance(value, str):
        return neutralise(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return plain_number(value)
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return neutralise(";".join(str(item) for item in value))
    raise TypeError(f"no CSV print for {type(value).__name__}")


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A CSV file of the rows, columns in the order given; a missing key is a null."""
    lines = [",".join(map(_quote, columns))]
    lines.extend(",".join(_quote(print_cell(row.get(column))) for column in columns) for row in rows)
    return ("\n".join(lines) + "\n").encode()


def _quote(cell: str) -> str:
    """The standard library's writer leaves a lone CR unquoted, which its own reader then takes for a line end."""
    return '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell


def from_csv(data: bytes) -> list[dict[str, str]]:
    """The cells of a file written by :func:`to_csv`, texts restored; numbers stay text."""
    reader = csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True)
    return [{name: restore(cell) for name, cell in row.items()} for row in reader]


def from_csv_header(data: bytes) -> list[str]:
    """The column names of a file written by :func:`to_csv`."""
    return next(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))

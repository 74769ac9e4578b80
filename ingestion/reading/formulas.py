"""Formulas of plain arithmetic over the cells of their own sheet, computed to check the results that a file stores.

Belongs here: sums, the four operations and references. Does not belong here: every other function; a formula that needs
one is not computed. Libraries that write spreadsheets store 0 or nothing as the result of a formula and leave the
computing to the program that opens the file; templates keep the results of their first day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from ingestion.base.readings import Cell

_TOKENS = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)(?![\w.])"
    r"|(?P<sum>SUM)\s*(?=\()"
    r"|\[?\.?\$?(?P<c1>[A-Z]{1,3})\$?(?P<r1>\d{1,7})(?::\.?\$?(?P<c2>[A-Z]{1,3})\$?(?P<r2>\d{1,7}))?\]?(?![\w(!.])"
    r"|(?P<sign>[-+*/(),;]))",
    re.IGNORECASE,
)
_ABSOLUTE = re.compile(r"(\$?)([A-Z]{1,3})(\$?)(\d{1,7})(?![\w(])", re.IGNORECASE)
_MOST_LOOKED_AT = 3_000_000
_DEEPEST = 100
_TOLERANCE = Fraction(1, 10**9)

Place = tuple[int, int]


class NotComputedError(Exception):
    """The formula is more than plain arithmetic, or a cell it needs holds no trusted number."""


def column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Spreadsheet letters of a 1-based column."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def moved(formula: str, down: int, right: int) -> str:
    """The formula as it stands for a cell further down and right; what is fixed with ``$`` stays."""

    def shifted(match: re.Match[str]) -> str:
        fixed_column, letters, fixed_row, row = match.groups()
        column = letters if fixed_column else column_letters(max(1, column_number(letters) + right))
        return f"{fixed_column}{column}{fixed_row}{row if fixed_row else int(row) + down}"

    return _ABSOLUTE.sub(shifted, formula)


@dataclass
class Sums:
    """Computes the formulas of one sheet. ``cell`` gives what stands at a 1-based (row, column)."""

    formulas: dict[Place, str]
    cell: Callable[[int, int], Cell]
    _known: dict[Place, Fraction | None] = field(default_factory=dict)
    _looked_at: int = 0

    def at(self, place: Place) -> Fraction | None:
        """The result of the formula at the place; None where it is not computed."""
        return self._result(place, 0)

    def _result(self, place: Place, depth: int) -> Fraction | None:
        if place not in self._known:
            self._known[place] = None  # of a circle nothing is computed
            if depth < _DEEPEST:
                try:
                    self._known[place] = _Parse(self.formulas[place], self, depth).whole()
                except (NotComputedError, ZeroDivisionError):
                    self._known[place] = None
        return self._known[place]

    def number(self, row: int, column: int, depth: int) -> Fraction | None:
        """The number at a place, None where it is blank; raises :class:`NotComputedError` where it holds another."""
        self._looked_at += 1
        if self._looked_at > _MOST_LOOKED_AT:
            raise NotComputedError
        if (row, column) in self.formulas:
            result = self._result((row, column), depth + 1)
            if result is None:
                raise NotComputedError
            return result
        cell = self.cell(row, column)
        if cell is None or cell == "":
            return None
        if isinstance(cell, bool) or not isinstance(cell, int | float):
            raise NotComputedError
        return Fraction(cell)


class _Parse:
    """A recursive descent over one formula."""

    def __init__(self, formula: str, sheet: Sums, depth: int) -> None:
        self._sheet, self._depth = sheet, depth
        self._tokens: list[re.Match[str]] = []
        place, text = 0, formula.strip()
        while place < len(text):
            match = _TOKENS.match(text, place)
            if match is None:
                raise NotComputedError
            self._tokens.append(match)
            place = match.end()
        self._at = 0

    def whole(self) -> Fraction:
        result = self._added()
        if self._at != len(self._tokens):
            raise NotComputedError
        return result

    def _sign(self, *signs: str) -> str:
        if self._at < len(self._tokens) and (sign := self._tokens[self._at]["sign"]) in signs:
            self._at += 1
            return str(sign)
        return ""

    def _added(self) -> Fraction:
        result = self._multiplied()
        while sign := self._sign("+", "-"):
            other = self._multiplied()
            result = result + other if sign == "+" else result - other
        return result

    def _multiplied(self) -> Fraction:
        result = self._single()
        while sign := self._sign("*", "/"):
            other = self._single()
            result = result * other if sign == "*" else result / other
        return result

    def _single(self) -> Fraction:
        if sign := self._sign("-", "+"):
            return -self._single() if sign == "-" else self._single()
        if self._sign("("):
            result = self._added()
            if not self._sign(")"):
                raise NotComputedError
            return result
        if self._at >= len(self._tokens):
            raise NotComputedError
        token = self._tokens[self._at]
        self._at += 1
        if token["number"]:
            return Fraction(token["number"].rstrip(".") if token["number"] != "." else "0")
        if token["sum"]:
            return self._summed()
        if token["c1"] and not token["c2"]:
            return self._sheet.number(int(token["r1"]), column_number(token["c1"]), self._depth) or Fraction()
        raise NotComputedError

    def _summed(self) -> Fraction:
        if not self._sign("("):
            raise NotComputedError
        result = Fraction()
        while True:
            token = self._tokens[self._at] if self._at < len(self._tokens) else None
            if token is not None and token["c2"]:
                self._at += 1
                rows = sorted((int(token["r1"]), int(token["r2"])))
                columns = sorted((column_number(token["c1"]), column_number(token["c2"])))
                for row in range(rows[0], rows[1] + 1):
                    for column in range(columns[0], columns[1] + 1):
                        result += self._of_range(row, column)
            else:
                result += self._added()
            if self._sign(")"):
                return result
            if not self._sign(",", ";"):
                raise NotComputedError

    def _of_range(self, row: int, column: int) -> Fraction:
        """A cell of a range that is summed: text in it counts for nothing."""
        if (row, column) not in self._sheet.formulas and type(self._sheet.cell(row, column)) is str:
            return Fraction()
        return self._sheet.number(row, column, self._depth) or Fraction()


def agrees(stored: Cell, computed: Fraction) -> bool:
    """Whether a stored result is the computed one, but for the tail of binary arithmetic."""
    if isinstance(stored, bool) or not isinstance(stored, int | float):
        return False
    return abs(Fraction(stored) - computed) <= _TOLERANCE * max(Fraction(1), abs(computed))


def is_placeholder(stored: Cell) -> bool:
    """Whether a stored result is what libraries store that compute nothing."""
    return stored is None or stored == "" or (isinstance(stored, int | float) and stored == 0)

"""Sums that a sheet states of itself in its total rows, against the sums of the rows that were read.

Belongs here: which sums a total row may mean, and what to tell the clerk where it means none. Does not belong here:
which rows are total rows (``furniture``), stated row counts (``wholeness``), what a difference leads to (the contract).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, combinations

from ingestion.base.contracts import Column, Contract
from ingestion.reading.grid import is_blank
from ingestion.rows.furniture import TotalRow
from ingestion.rows.rules import Rows
from ingestion.rows.tables import SheetRows
from ingestion.rows.values import parse_decimal, parse_integer
from ingestion.text.numbers import decimal_vi

# Of more kinds of rows than this, a total is held against each kind and all of them, not against every choice of kinds.
_FEW_KINDS = 6
_NONE = Decimal(0)


@dataclass(frozen=True)
class Difference:
    """A figure of a total row that is no sum of the rows: where it stands, what is stated, what the sheet's rows add up
    to.
    """

    sheet: str
    row: int
    column: Column
    stated: Decimal
    whole: Decimal

    @property
    def message_vi(self) -> str:
        return (
            f"Trang tính “{self.sheet}”, dòng {self.row}: cột “{self.column.title_vi}” ghi tổng "
            f"{decimal_vi(self.stated)} nhưng các dòng đọc được cộng lại là {decimal_vi(self.whole)}."
        )


@dataclass(frozen=True)
class TotalsCheck:
    """What the total rows say: the differences, and whether some total row proves its file whole."""

    differences: tuple[Difference, ...] = ()
    proves_whole: bool = False


def check_totals(rows: Rows, sheets: Sequence[SheetRows], contract: Contract) -> TotalsCheck:
    """Holds each figure of each total row against the rows read.

    A total may be of the whole file, its sheet, or any run of rows between two group or total rows of which one is its
    own place, so groups may be nested and totals stand above or below; and, where the contract splits rows into kinds,
    of some kinds only. A column with a cell that could not be read says nothing, and neither does a blank total.
    """
    plan = contract.totals
    if plan is None or not any(sheet.furniture.totals for sheet in sheets):
        return TotalsCheck()
    kinds = _kinds(rows, plan.split_by)
    differences: list[Difference] = []
    proves_whole = False
    for name in plan.columns:
        if rows.bad_cells[name].any():
            continue
        figures = [_NONE if figure is None else Decimal(figure) for figure in rows.columns[name].to_pylist()]
        for sheet in sheets:
            if name not in sheet.layout.positions:
                continue
            sums = _Sums(figures, kinds, sheet)
            for total in sheet.furniture.totals:
                stated = _stated(total, sheet.layout.positions[name], contract.column(name))
                if stated is None:
                    continue
                if not sums.has(total, stated):
                    column = contract.column(name)
                    differences.append(Difference(sheet.name, total.row_number, column, stated, sums.whole))
                elif stated and stated == sums.whole and sums.is_below_all(total):
                    proves_whole = True
    return TotalsCheck(tuple(differences), proves_whole and not differences)


def _kinds(rows: Rows, columns: Sequence[str]) -> list[int]:
    """For each row the number of its kind: which values it has in the columns."""
    numbers: dict[tuple[object, ...], int] = {}
    values = zip(*(rows.columns[name].to_pylist() for name in columns), strict=True) if columns else [()] * len(rows)
    return [numbers.setdefault(tuple(value), len(numbers)) for value in values]


def _stated(total: TotalRow, position: int, column: Column) -> Decimal | None:
    """The figure of a total row, read as the column is; None where there is none or it cannot be read."""
    cell = total.cells[position]
    if is_blank(cell):
        return None
    figure = (parse_integer if column.type == "integer" else parse_decimal)(cell).value
    return None if figure is None else Decimal(figure)


class _Sums:
    """The sums of one column that a total row of one sheet may mean."""

    def __init__(self, figures: Sequence[Decimal], kinds: Sequence[int], sheet: SheetRows) -> None:
        end = sheet.first + sheet.count
        of_sheet, kinds_of_sheet = figures[sheet.first : end], kinds[sheet.first : end]
        self.whole = sum(of_sheet, _NONE)
        self._count = sheet.count
        self._rows_above = list(accumulate((int(is_row) for is_row in sheet.furniture.data), initial=0))
        borders = [self._rows_above[place] for place in sheet.furniture.borders]
        self._choices: list[_Choice] = []
        for choice in _choices(sorted(set(kinds))):
            counted = [f if k in choice else _NONE for f, k in zip(of_sheet, kinds_of_sheet, strict=True)]
            above = list(accumulate(counted, initial=_NONE))
            whole_file = sum((f for f, k in zip(figures, kinds, strict=True) if k in choice), _NONE)
            self._choices.append(_Choice(above, Counter(above[place] for place in borders), whole_file))

    def has(self, total: TotalRow, stated: Decimal) -> bool:
        place = self._rows_above[total.index]
        return any(choice.has(place, stated) for choice in self._choices)

    def is_below_all(self, total: TotalRow) -> bool:
        return self._rows_above[total.index] == self._count


@dataclass(frozen=True)
class _Choice:
    """One choice of kinds: sums of the rows above each place, those at group and total rows counted, and the sum of
    the file.
    """

    above: list[Decimal]
    at_borders: Counter[Decimal]
    whole_file: Decimal

    def has(self, place: int, stated: Decimal) -> bool:
        here = self.above[place]
        if stated in (self.above[-1], self.whole_file):
            return True
        for there in (here - stated, here + stated):
            # The total row is a border itself: between it and itself, or the sheet's end beside it, is no group.
            if self.at_borders[there] - (there == here) > 0 or (stated and there in (_NONE, self.above[-1])):
                return True
        return False


def _choices(kinds: Sequence[int]) -> Iterator[frozenset[int]]:
    sizes = range(1, len(kinds) + 1) if len(kinds) <= _FEW_KINDS else (1, len(kinds))
    for size in sizes:
        yield from map(frozenset, combinations(kinds, size))

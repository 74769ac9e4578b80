"""The tables of one file, as each step of reading it hands them to the next.

Belongs here: the records that pass from ``finding`` over ``cutting`` and ``parsing`` to the checks. Does not belong
here: any step. The order of the steps stands in ``intake``.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ingestion.base.readings import Proof
from ingestion.base.remarks import FileRemark
from ingestion.reading.grid import Body, FileContent, Sheet
from ingestion.rows.furniture import Furniture
from ingestion.rows.headers import HeaderMap, Layout
from ingestion.rows.passed_over import DataProfile, Part
from ingestion.rows.rules import RowRemark, Rows


class ConservationError(AssertionError):
    """Rows were lost or made on the way: a fault of this program, never of a file."""


@dataclass(frozen=True)
class NonDataRows:
    """Rows that are no data: how many of each kind, blank ones too, and for each that holds something its sheet and the
    proof.
    """

    counts: Counter[str] = field(default_factory=Counter)
    proofs: tuple[tuple[str, Proof], ...] = ()

    @classmethod
    def of(cls, proofs: Iterable[tuple[str, Proof]]) -> NonDataRows:
        """Rows that are counted as what their proof says."""
        noted = tuple(proofs)
        return cls(Counter(proof.kind for _, proof in noted), noted)

    @classmethod
    def joined(cls, parts: Iterable[NonDataRows]) -> NonDataRows:
        counts: Counter[str] = Counter()
        proofs: list[tuple[str, Proof]] = []
        for part in parts:
            counts.update(part.counts)
            proofs += part.proofs
        return cls(counts, tuple(proofs))


@dataclass(frozen=True)
class FoundTable:
    """A sheet in which a table was found, and where."""

    sheet: Sheet
    layout: Layout

    def width(self) -> int:
        """How many columns of the sheet hold something, or are headed."""
        return max(self.layout.width, self.sheet.width())


@dataclass(frozen=True)
class FoundTables:
    """What ``finding`` gives: the sheets with a usable table, and what is known of the file besides.

    ``tables`` is emptied while the sheets are cut, so that each is let go before its columns are parsed; nothing else
    holds the sheets, ``file`` has none. ``passed_over`` are the parts outside the tables, ``non_data`` their rows.
    """

    file: FileContent
    tables: list[FoundTable]
    headers: HeaderMap
    profile: DataProfile
    passed_over: tuple[Part, ...]
    non_data: NonDataRows
    noticed: tuple[FileRemark, ...]


@dataclass(frozen=True)
class Table:
    """One table of a sheet: all rows below its header, and the rows that belong to its header.

    ``beside`` is what stands to the right of a sheet's tables; the first of them has it. ``form_rows_met``: the codes
    of the form's rows that a table of the printed form has, None for any other.
    """

    sheet: str
    layout: Layout
    body: Body
    non_data: NonDataRows
    beside: Part | None = None
    noticed: tuple[FileRemark, ...] = ()
    form_rows_met: frozenset[str] | None = None


@dataclass(frozen=True)
class DataTable:
    """One table of a sheet with its rows of data only; those that are none are in ``non_data``.

    ``typed`` are the rows as texts where the table is one of a template's, to tell whether somebody changed them.
    """

    sheet: str
    layout: Layout
    body: Body
    furniture: Furniture
    non_data: NonDataRows
    beside: Part | None
    noticed: tuple[FileRemark, ...] = ()
    form_rows_met: frozenset[str] | None = None
    typed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class SheetRows:
    """The rows of one table: ``first`` is the place of its first row among the rows of the file."""

    name: str
    layout: Layout
    furniture: Furniture
    first: int
    count: int
    form_rows_met: frozenset[str] | None = None
    typed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class DateNotation:
    """How the days of a sheet's date columns are written: as date cells or texts, up to the twelfth or later."""

    title_vi: str
    early_cells: int = 0
    late_cells: int = 0
    early_texts: int = 0
    late_texts: int = 0


@dataclass(frozen=True)
class FileRows:
    """What ``parsing`` gives: the rows of all tables of a file with what is wrong with their cells, in order."""

    rows: Rows
    remarks: Sequence[RowRemark]
    tables: tuple[SheetRows, ...]
    date_notations: tuple[DateNotation, ...]
    beside: tuple[Part, ...]
    non_data: NonDataRows
    noticed: tuple[FileRemark, ...]

    @property
    def window(self) -> tuple[dt.date, dt.date] | None:
        """The window that stands above the first table."""
        return self.tables[0].layout.title.window


@dataclass(frozen=True)
class JudgedRows:
    """What ``judging`` gives: the rows of a file, all that is said of them, and the mask of those that are rejected."""

    rows: Rows
    remarks: Sequence[RowRemark]
    rejected: np.ndarray

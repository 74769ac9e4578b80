"""Which counts of linked tables stay unpublished, so that no small one can be worked out from the others.

Belongs here: cells, the sums between them, and the choice of what is held back beside the small counts themselves.
Does not belong here: which tables and sums a release has (``disclosure``), how a gap looks in a file.

A reader knows every published cell, every sum, and that counts are not negative. A small count is safe when other
counts would agree with all of that just as well: so for each, another whole set of counts is found (by linear
programming) that differs in it by 1 at least. Cells that have to change in such a set are held back too, as few and as
unimportant ones as the programme finds. A small count that the figures of the signed report alone determine is held
back all the same: nobody has to see it twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: Changes smaller than this are rounding of the solver.
_TOLERANCE = 1e-6
#: Looks in random directions; far fewer are needed.
_MOST_ROUNDS = 40
#: What one unit of doubt about a small count is worth, in costs of held back cells.
_WORTH = 1e5

#: Steps of one programme, a bound that no clock moves; the invented district takes some thousands.
MOST_STEPS = 200_000

Key = Hashable


class _TooLarge(Exception):
    """The programme would take too long."""


@dataclass(frozen=True)
class Cell:
    """A count. ``cost`` of holding it back; None: it stays published whatever happens. ``hidden``: nobody publishes it,
    it only ties others together, or is a ``sensitive`` sum of them. ``least`` is what a reader knows it to be at least.
    """

    value: int
    sensitive: bool = False
    cost: float | None = 1.0
    hidden: bool = False
    least: int = 0


@dataclass
class System:
    """Cells by key, and sums: each a list of (key, coefficient) that come to 0."""

    cells: dict[Key, Cell] = field(default_factory=dict)
    sums: list[list[tuple[Key, int]]] = field(default_factory=list)

    def add_sum(self, whole: Key, parts: Iterable[Key]) -> None:
        """``whole`` is the sum of ``parts``. A sum that does not hold tells a reader nothing and is left out."""
        terms = [(whole, -1), *((part, 1) for part in parts)]
        if all(key in self.cells for key, _ in terms) and not sum(self.cells[key].value * by for key, by in terms):
            self.sums.append(terms)

    def add_at_most(self, less: Key, more: Key) -> None:
        """``less`` is never greater than ``more``."""
        if less in self.cells and more in self.cells and self.cells[less].value <= self.cells[more].value:
            rest = ("rest", less, more)
            self.cells[rest] = Cell(self.cells[more].value - self.cells[less].value, hidden=True)
            self.sums.append([(more, -1), (less, 1), (rest, 1)])


@dataclass(frozen=True)
class HeldBack:
    """``keys`` are not published; ``told_elsewhere`` are small counts that the signed report itself determines."""

    keys: frozenset[Key]
    told_elsewhere: frozenset[Key] = frozenset()


def hold_back(system: System, threshold: int, *, width: int = 2, before: Iterable[Key] = ()) -> HeldBack:
    """Counts from 1 to ``threshold`` - 1 of sensitive cells, what was held back ``before``, and what must follow them.

    Of each small count there is a doubt of at least 1, unless there is less with everything held back that may be: then
    it is ``told_elsewhere``. Equal systems give equal answers. Where the programme takes more steps than are allowed,
    everything that may be is held back: more than need be, never less.
    """
    small = [key for key, cell in system.cells.items() if cell.sensitive and 0 < cell.value < threshold]
    kept = [key for key in before if key in system.cells and not _is_fixed(system.cells[key])]
    known = frozenset(kept)
    if not small and not kept:
        return HeldBack(frozenset())
    programme = _Programme(system, width)
    # What was held back earlier must stay in doubt, small or not: else the earlier release would tell by this one.
    # That goes for a 0, too: what was hidden with it follows from it.
    wanted = {programme.place[key]: _TOLERANCE * 10 for key in kept}
    wanted |= {programme.place[key]: 1.0 if key in known else float(width) for key in small}
    held = np.zeros(len(programme.keys), dtype=bool)
    held[[programme.place[key] for key in (*small, *kept)]] = True
    try:
        doubt = programme.protect(held, wanted)
    except _TooLarge:
        return HeldBack(frozenset(key for key, cell in system.cells.items() if not _is_fixed(cell)))
    told = [place for place in map(programme.place.__getitem__, small) if doubt[place] < 1 - _TOLERANCE]
    return HeldBack(
        frozenset(
            key for key, is_held in zip(programme.keys, held, strict=True) if is_held and not system.cells[key].hidden
        ),
        frozenset(programme.keys[place] for place in told),
    )


def _is_fixed(cell: Cell) -> bool:
    return cell.cost is None or cell.hidden


def _opposite(aims: Mapping[int, float]) -> dict[int, float]:
    return {place: -by for place, by in aims.items()}


class _Programme:
    """The system as matrices: changes of cells that leave every sum as it is."""

    def __init__(self, system: System, width: int) -> None:
        from scipy.sparse import csr_array

        self.width = width
        self.keys = list(system.cells)
        self.place = {key: number for number, key in enumerate(self.keys)}
        cells = list(system.cells.values())
        self.room = np.array([cell.value - min(cell.least, cell.value) for cell in cells], dtype=float)
        self.fixed = np.array([cell.cost is None and not cell.hidden for cell in cells])
        self.hidden = np.array([cell.hidden for cell in cells])
        self.cost = np.array([0.0 if cell.cost is None else cell.cost for cell in cells])
        rows, columns, values = [], [], []
        for number, terms in enumerate(system.sums):
            for key, by in terms:
                rows.append(number)
                columns.append(self.place[key])
                values.append(float(by))
        self.sums = csr_array((values, (rows, columns)), shape=(len(system.sums), len(cells)))

    def protect(self, held: Any, wanted: Mapping[int, float]) -> Any:
        """Add to ``held`` until each wanted cell is in its doubt, or in as much as can be; the doubt by cell.

        Directions drawn at random for all cells at once are cheap and settle nearly all; but one cell may stand in the
        way of another, or cost more than it is worth. So what they leave in less doubt than 1 is settled cell by cell,
        whatever it costs: how far one goes alone, up and down, is all the doubt there can be of it.
        """
        more, less = np.zeros(len(self.keys)), np.zeros(len(self.keys))
        random = np.random.default_rng(0)

        def open_cells(most: float) -> list[int]:
            return [k for k, doubt in wanted.items() if more[k] + less[k] < min(doubt, most) - _TOLERANCE]

        def directions(places: Sequence[int]) -> dict[int, float]:
            signs = random.choice([-1.0, 1.0], len(places)) * random.uniform(1, 2, len(places))
            return dict(zip(places, signs, strict=True))

        def take(change: Any) -> None:
            if free:
                held[(np.abs(change) > _TOLERANCE) & ~self.hidden] = True
            np.maximum(more, change, out=more)
            np.maximum(less, -change, out=less)

        # What is held back already comes first, so that a release made again holds back nothing more; nor is anything
        # held back for more doubt than 1.
        for free in (False, True):
            for _ in range(_MOST_ROUNDS):
                left = open_cells(1.0 if free else self.width)
                if not left:
                    break
                known, aims = more + less, directions(left)
                for way in (aims, _opposite(aims)):
                    take(self._change(way, held, free=free))
                if (more + less - known)[left].max() <= _TOLERANCE:
                    break
            left = open_cells(1.0)
            still = [place for place in left if more[place] + less[place] <= _TOLERANCE]
            if not self._can_change(directions(still), held, free=free):
                left = [place for place in left if place not in still]
            for place in left:
                for sign, got in ((1, more), (-1, less)):
                    if place in open_cells(1.0):
                        take(self._furthest(place, sign, got[place], held, free=free))
        return more + less

    def _can_change(self, aims: Mapping[int, float], held: Any, *, free: bool) -> bool:
        """Whether any cell aimed at can: where none does in a direction drawn at random and its opposite, none can."""
        return any(
            np.abs(self._change(way, held, free=free, priced=False)[list(way)]).max() > _TOLERANCE
            for way in (aims, _opposite(aims))
            if way
        )

    def _furthest(self, place: int, sign: int, got: float, held: Any, *, free: bool) -> Any:
        """Changes in which the cell goes as far as it can at the least cost of others; none where it ``got`` there."""
        reach = sign * self._change({place: float(sign)}, held, free=free, priced=False)[place]
        if reach <= got + _TOLERANCE:
            return np.zeros(len(self.keys))
        return self._change({}, held, free=free, at=(place, sign * reach))

    def _change(
        self,
        aims: Mapping[int, float],
        held: Any,
        *,
        free: bool,
        priced: bool = True,
        at: tuple[int, float] | None = None,
    ) -> Any:
        """Changes that move the cells aimed at as far as the width in these directions, at the least cost of others.

        Not ``priced``: whatever it costs. ``at``: a cell and by how much it has to change.
        """
        from scipy.optimize import linprog
        from scipy.sparse import hstack

        usable = self.hidden | held
        if free:
            usable = usable | ~self.fixed
        count = len(self.keys)
        price = np.where(self.hidden | held, 1e-3, self.cost) if priced else np.zeros(count)
        gain = np.zeros(count)
        for place, by in aims.items():
            gain[place] = by * _WORTH
        reach = np.where(usable, np.inf, 0.0)
        up, down = reach.copy(), np.minimum(reach, self.room)
        low = np.zeros(2 * count)
        for place in aims:
            up[place], down[place] = self.width, min(self.width, self.room[place])
        high = np.concatenate([up, down])
        if at is not None:
            place, by = at
            high[[place, count + place]] = max(by, 0.0), max(-by, 0.0)
            # A little less than was found can be found again.
            low[[place, count + place]] = np.maximum(high[[place, count + place]] - _TOLERANCE / 10, 0)
        answer = linprog(
            np.concatenate([price - gain, price + gain]),
            A_eq=hstack([self.sums, -self.sums]).tocsr(),
            b_eq=np.zeros(self.sums.shape[0]),
            bounds=np.column_stack([low, high]),
            method="highs",
            options={"maxiter": MOST_STEPS},
        )
        if answer.status == 1:
            raise _TooLarge
        if answer.x is None:
            raise ArithmeticError(f"no programme for small counts: {answer.message}")
        return answer.x[:count] - answer.x[count:]

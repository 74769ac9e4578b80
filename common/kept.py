"""What follows from something large, kept for as long as the same is asked about.

Belongs here: the keeping. Does not belong here: what is made, and when two arguments are the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class KeptForTheLast(Generic[P, T]):
    """A function whose result is kept until it is asked about other arguments: each unit of a run asks about the same.

    ``same``: when an argument counts as that of before; one that is changed in place must not count as the same. Only
    the last result is held, so that memory is that of one.
    """

    def __init__(self, make: Callable[P, T], same: Callable[[Any, Any], bool] = operator.is_) -> None:
        self._make = make
        self._same = same
        self._last: tuple[tuple[Any, ...], T] | None = None

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> T:
        """As the function; arguments by name are not supported (``TypeError``)."""
        if named:
            raise TypeError("arguments by place only")
        last = self._last
        if last is not None and len(last[0]) == len(arguments) and all(map(self._same, last[0], arguments)):
            return last[1]
        made = self._make(*arguments, **named)
        self._last = (arguments, made)  # one assignment: several threads may ask
        return made

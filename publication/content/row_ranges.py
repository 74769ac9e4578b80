"""Row numbers of a sheet as short text: ``6-120,122``.

Belongs here: the text and its way back. Does not belong here: which rows stand behind a figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: First and last row number, both included.
Range = tuple[int, int]

_RANGE = re.compile(r"([1-9][0-9]*)(?:-([1-9][0-9]*))?")


def decode(text: str) -> list[Range]:
    """The ranges of a text written by :func:`encode`, in order.

    Raises ValueError for any other text: ranges out of order, touching or overlapping, empty, or not numbers.
    """
    ranges: list[Range] = []
    for item in text.split(",") if text else []:
        match = _RANGE.fullmatch(item)
        if match is None:
            raise ValueError(f"not a range of rows: {item!r}")
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if (match[2] and last <= first) or (ranges and first <= ranges[-1][1] + 1):
            raise ValueError(f"ranges of rows out of order: {text!r}")
        ranges.append((first, last))
    return ranges


def encode(ranges: Iterable[Range]) -> str:
    """The shortest text of the rows in ``ranges``, which may come in any order, touch or overlap."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in _joined(ranges))


def _joined(ranges: Iterable[Range]) -> Iterator[Range]:
    current: Range | None = None
    for first, last in sorted(ranges):
        if current is not None and first <= current[1] + 1:
            current = (current[0], max(current[1], last))
            continue
        if current is not None:
            yield current
        current = (first, last)
    if current is not None:
        yield current


def count(text: str) -> int:
    """How many rows a text names."""
    return sum(last - first + 1 for first, last in decode(text))


def rows(text: str) -> Iterator[int]:
    """Each row number of a text, in order."""
    for first, last in decode(text):
        yield from range(first, last + 1)

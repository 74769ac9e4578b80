"""The periods before and after one, and where the index tells of them.

Belongs here: choosing neighbours from the table of periods. Does not belong here: whether they are published: a page
never changes, so it leads to the index, which knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.periods import Period, load_periods, period_named, running_title_vi
from publication.page.catalogue import place_of


@dataclass(frozen=True)
class Neighbour:
    """A link to another period of the unit, from the page that holds it."""

    title_vi: str
    link: str


def index_link(unit: str, quarter: str, *, up: str = "") -> str:
    """From ``report/`` of a release (``up``: from deeper) to where the index tells of a unit and period."""
    return f"{up}../../../../index.html#{place_of(unit, quarter)}"


def neighbours(unit: str, quarter: str, *, up: str = "") -> tuple[Neighbour, ...]:
    """The period of the same kind and calendar before this one and the one after it, as far as the table goes."""
    own = period_named(quarter)
    same = [period for period in load_periods() if (period.kind, period.calendar) == (own.kind, own.calendar)]
    at = same.index(own)
    named: list[tuple[str, Period]] = []
    if at:
        named.append(("Kỳ trước", same[at - 1]))
    if at + 1 < len(same):
        named.append(("Kỳ sau", same[at + 1]))
    return tuple(
        Neighbour(f"{word}: {running_title_vi(period.quarter)}", index_link(unit, period.quarter, up=up))
        for word, period in named
    )

"""Releases that nobody has been told of yet: noted before one becomes current, struck out once its alert is kept.

Belongs here: these notes, one file a unit and quarter. Does not belong here: telling (``telling``), who tells what a
killed process left untold (``aftermath``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from common.files import replace_durably
from orchestration.settings import Home


class Untold(NamedTuple):
    """A release, ``r2``, that may have become the current one of a unit and quarter."""

    unit: str
    quarter: str
    release: str


def owe(home: Home, owed: Untold) -> None:
    """Notes a release that is about to become current. Raises ``OSError``: then it shall not."""
    home.untold.mkdir(parents=True, exist_ok=True)
    replace_durably(home.untold / f"{owed.unit}.{owed.quarter}", owed.release.encode())


def untold(home: Home) -> Iterator[Untold]:
    """What is noted, in order. Raises ``OSError`` where a note cannot be read."""
    for path in sorted(home.untold.glob("[!.]*")):
        unit, _, quarter = path.name.partition(".")
        yield Untold(unit, quarter, path.read_text(encoding="utf-8"))


def strike_out(home: Home, unit: str, quarter: str) -> None:
    """Says that the alert of the unit's release is kept: from here on it is owed by ``alerts``."""
    (home.untold / f"{unit}.{quarter}").unlink(missing_ok=True)

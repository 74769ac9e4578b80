"""What offices see without a terminal: the outbox of each unit, and the page on which files are tried and delivered.

Belongs here: what a unit delivered, what is missing and what came back, put into words (``facts``), written into the
outbox (``papers``), and shown and taken in by a page (``app``, ``delivering``; ``python -m orchestration.office``).
Does not belong here: reading deliveries (``ingestion``), runs, Dagster's own pages (``web``).

The page is imported only where it is served.
"""

from orchestration.office.facts import (
    WOULD_BE_VI,
    Box,
    boxes,
    how_to_deliver_vi,
    is_out,
    missing_vi,
    owed,
    periods_asked_for,
    when_vi,
)
from orchestration.office.papers import refresh

__all__ = [
    "WOULD_BE_VI",
    "Box",
    "boxes",
    "how_to_deliver_vi",
    "is_out",
    "missing_vi",
    "owed",
    "periods_asked_for",
    "refresh",
    "when_vi",
]

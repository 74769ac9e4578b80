"""How a process of the project begins.

Belongs here: what is set once for a whole interpreter. Does not belong here: environment variables, signals.
"""

from __future__ import annotations

import gc

#: New objects between two looks for cycles; Python's own is 700.
_BETWEEN_COLLECTIONS = 50_000


def begin() -> None:
    """Looks for cyclic garbage less often.

    The libraries loaded here keep some million objects for good, and Python's default would walk through them again
    and again while they are made: a tenth of a run's processor time, for 4 % less memory (``docs/performance.md``).
    """
    gc.set_threshold(_BETWEEN_COLLECTIONS, 10, 10)

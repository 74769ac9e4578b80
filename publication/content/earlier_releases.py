"""What an earlier release of the same quarter tells of a unit whose cases are others now: the difference of the two.

Belongs here: of which unit a cell of the tables on cases is, and which units changed since a release. Does not belong
here: which sums tie the cells and which were blank before (``disclosure``), reading releases (``publication.release``).

A first release without one commune and a second with it differ by that commune: what both tell of the level is, taken
from each other, its own count. A unit that did not change is the same in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Key = tuple[Any, ...]


def unit_of(key: Key) -> str | None:
    """The unit that a row, or a cell of it, is about; None of one over several."""
    if key[0] == "case_processing":
        return str(key[1])
    if key[0] in ("case_backlog", "case_lateness"):
        return str(key[2])
    unit = {"case_form_06a": 6, "case_timeliness": 3 if key[2] == "unit" else -1}.get(key[0], -1)
    return key[unit] if unit > 0 else None


def changed_units(
    own: Mapping[Key, int],
    told: Mapping[Key, int | None],
    sent: Iterable[Mapping[str, Any]],
    sent_before: Iterable[Mapping[str, Any]],
) -> frozenset[str]:
    """The units whose registers are other files than in an earlier release, or whose told counts are others.

    Args:
        own: every cell that may be held back; ``told``: of the earlier release, None where it held one back.
        sent: rows of ``delivery_log``, of this and of the earlier release.
    """
    marts = {key[0] for key in told}
    counts = {
        unit
        for key in own.keys() | told.keys()
        if key[0] in marts and (unit := unit_of(key)) and told.get(key, 0) not in (None, own.get(key, 0))
    }
    return frozenset(counts | {unit for unit, _ in _registers(sent) ^ _registers(sent_before)})


def _registers(log: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {
        (row["delivering_unit_code"], row["sha256"])
        for row in log
        if row["source"] == "one_stop_cases" and row["is_current"]
    }

"""What releases of other periods tell of a release's counts of cases, and what they hold back.

Belongs here: which windows are the same, lie in each other or follow each other, and which cells of the tables on cases
are the same or add up across them. Does not belong here: which counts are small (``disclosure``), the choice of what
else is held back (``small_counts``), reading releases (``publication.release``).

A half-year is the sum of its quarters and closes with the last; both its release and that quarter's tell of one
calendar quarter; what is open at the end of a window is carried over into the next. So a cell stays blank where one
that it equals, or is a part or the sum of, is blank in any release: rather one too many, since which of several blanks
moves with which nobody has to know.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
Key = tuple[Any, ...]
Window = tuple[dt.date, dt.date]
#: What a release tells: by key of a cell its count, None where it is held back.
Told = Mapping[Key, int | None]

_ONE_DAY = dt.timedelta(days=1)
_REPORTING = "reporting_window"
_OPEN = ("in_progress", "waiting_for_supplement", "suspended")
#: Columns that count what is there on the last day of the window, and on its first; kinds of late cases likewise.
_AT_CLOSING = frozenset({*_OPEN, "in_progress_within_due", "in_progress_overdue"})
_AT_OPENING = frozenset({"carried_over"})
#: Columns that count what happened in the window, by table: they add up over windows.
_IN_WINDOW: Mapping[str, frozenset[str]] = {
    "case_processing": frozenset(
        {
            "received", "resolved", "resolved_early", "resolved_on_time", "resolved_late",
            "resolved_without_appointment", "counted_on_time_by_decision", "withdrawn", "refused",
        }
    ),
    "case_form_06a": frozenset(
        {
            "received_online", "received_direct_or_postal", "resolved_early", "resolved_late",
            "resolved_without_appointment",
        }
    ),
    "procedure_duration": frozenset({"resolved", "resolved_late"}),
}  # fmt: skip
_RATES_IN_WINDOW = frozenset({("received", "denominator"), ("resolved", "denominator"), ("resolved", "numerator")})


@dataclass(frozen=True)
class OtherRelease:
    """A release of another period: its windows by clock, and what it tells of cells that may be held back."""

    windows: Mapping[str, Window]
    told: Told


@dataclass
class Across:
    """``equal``: by key of an own cell what another release tells of it; ``held``: own cells that stay blank because
    one elsewhere is; ``known``: own cells that come to a sum which another release tells.
    """

    equal: list[dict[Key, int | None]] = field(default_factory=list)
    held: set[Key] = field(default_factory=set)
    known: list[tuple[tuple[Key, ...], int]] = field(default_factory=list)


def windows_of(form_lines: Iterable[Row]) -> dict[str, Window]:
    """The windows of a release by clock, as its form II.06a tells them."""
    return {line["clock"]: (line["window_from"], line["window_to"]) for line in form_lines}


def across(
    windows: Mapping[str, Window], own: Mapping[Key, int], others: Sequence[OtherRelease], threshold: int
) -> Across:
    """How the cells of a release (``own``, by key) hang together with those of releases of other periods."""
    found = Across()
    for other in others:
        found.equal.append(_equal_cells(windows, other))
        for clock in windows.keys() & other.windows.keys():
            if other.windows[clock][1] + _ONE_DAY == windows[clock][0]:
                found.held |= set(_carried_over(clock, own, other.told, threshold))
            if windows[clock][1] + _ONE_DAY == other.windows[clock][0]:
                found.known += _left_open(clock, own, other.told)
    window = windows.get(_REPORTING)
    for rest in _sums_with(window, others) if window else ():
        held, told = _summed(own, rest)
        found.held |= held
        found.equal.append(told)
    return found


def clock_of(key: Key) -> str:
    """The clock of a cell's window; what has only one is told by the reporting window."""
    return _REPORTING if key[0] == "case_processing" else str(key[1])


def _equal_cells(windows: Mapping[str, Window], other: OtherRelease) -> dict[Key, int | None]:
    found = {}
    for key, value in other.told.items():
        clock = clock_of(key)
        if clock not in windows or clock not in other.windows:
            continue
        (opens, closes), (other_opens, other_closes) = windows[clock], other.windows[clock]
        if (
            (opens, closes) == (other_opens, other_closes)
            or (closes == other_closes and _is_of_closing(key))
            or (opens == other_opens and key[-1] in _AT_OPENING)
        ):
            found[key] = value
    return found


def _is_of_closing(key: Key) -> bool:
    if key[0] == "case_backlog":
        return True
    return "in_progress_overdue" in key if key[0] == "case_lateness" else key[-1] in _AT_CLOSING


def _is_of_window(key: Key) -> bool:
    if clock_of(key) != _REPORTING:
        return False
    if key[0] == "case_lateness":
        return "in_progress_overdue" not in key
    if key[0] == "case_timeliness":
        return (key[-2], key[-1]) in _RATES_IN_WINDOW
    return key[-1] in _IN_WINDOW.get(key[0], ())


# --- sums over windows ------------------------------------------------------------------------------------------------

#: The other cells of a sum, each with the sign that makes the own cell of them.
Rest = tuple[tuple[int, OtherRelease], ...]


def _sums_with(window: Window, others: Sequence[OtherRelease]) -> Iterator[Rest]:
    """Every way in which the window is made of others, or makes up a longer one with others."""
    spans = [(other.windows[_REPORTING], other) for other in others if _REPORTING in other.windows]
    for parts in _tilings(window, spans):
        yield tuple((1, other) for other in parts)
    for (opens, closes), longer in spans:
        if opens <= window[0] and window[1] <= closes and (opens, closes) != window:
            for before in _tilings((opens, window[0] - _ONE_DAY), spans):
                for after in _tilings((window[1] + _ONE_DAY, closes), spans):
                    yield ((1, longer), *((-1, other) for other in (*before, *after)))


def _tilings(window: Window, spans: Sequence[tuple[Window, OtherRelease]]) -> Iterator[tuple[OtherRelease, ...]]:
    """Releases whose windows make up this one without a gap; an empty window is made of none."""
    opens, closes = window
    if opens > closes:
        yield ()
        return
    for (first, last), other in spans:
        if first == opens and last <= closes:
            for following in _tilings((last + _ONE_DAY, closes), spans):
                yield (other, *following)


def _summed(own: Mapping[Key, int], rest: Rest) -> tuple[set[Key], dict[Key, int | None]]:
    held: set[Key] = set()
    told: dict[Key, int | None] = {}
    for key in own:
        if not _is_of_window(key):
            continue
        # A row that is not there tells of no case.
        terms = [(sign, other.told.get(key, 0)) for sign, other in rest]
        if any(value is None for _, value in terms):
            held.add(key)
        else:
            told[key] = sum(sign * (value or 0) for sign, value in terms)
    return held, told


# --- from one window into the next ------------------------------------------------------------------------------------


def _carried_over(clock: str, own: Mapping[Key, int], before: Told, threshold: int) -> Iterator[Key]:
    """Own counts of cases carried over that would tell what the release of the window before held back."""
    gaps = {key for key, value in before.items() if value is None and clock_of(key) == clock}
    rows = {key[:-1] for key in gaps if key[0] == "case_processing" and key[-1] in _OPEN}
    fields = {key[2] for key in rows}
    units = {key[2] for key in gaps if key[0] == "case_backlog" and key[-1] == "cases"} | {key[1] for key in rows}
    for key, value in own.items():
        if key[-1] != "carried_over" or clock_of(key) != clock:
            continue
        if key[0] == "case_processing":
            if key[:-1] in rows:
                yield key
            continue
        open_before = before.get((*key[:-1], "in_progress"), 0)
        # What is carried over beside cases in progress or suspended was waiting for papers.
        of_few = open_before is None or 0 < value - open_before < threshold
        is_telling = of_few or key[5] in fields or key[6] in units
        # Of a whole level the report tells it by its own clock.
        if is_telling if key[3] == "row" else open_before is None and clock != _REPORTING:
            yield key


def _left_open(clock: str, own: Mapping[Key, int], after: Told) -> Iterator[tuple[tuple[Key, ...], int]]:
    """Own open cases by row and by unit, which the release of the window after tells as carried over."""
    of_units: dict[str, list[Key]] = {}
    for cell in own:
        if cell[:2] == ("case_backlog", clock) and cell[-1] == "cases":
            of_units.setdefault(cell[2], []).append(cell)
    for key, value in after.items():
        if value is None or key[-1] != "carried_over" or clock_of(key) != clock:
            continue
        if key[0] == "case_processing":
            yield tuple((*key[:-1], name) for name in _OPEN), value
        elif key[3] == "row" and key[6] is not None:
            yield tuple(of_units.get(key[6], ())), value

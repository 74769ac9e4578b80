"""``published/index.html``: the way to every current release.

Belongs here: the entries of ``index.json`` as a page. Does not belong here: finding releases (``publication.index``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from common.periods import in_order, kind_of, period_named
from common.units import registered
from publication.content.release_content import PROVISIONAL_VI
from publication.content.steps import UNKNOWN_STANDING_VI, step_summary, step_title
from publication.formatting import alphabetical, format_date, format_quarter
from publication.page.render import render

#: Where the page of a release leads to the pages of the units below.
UNITS_PLACE = "cac-don-vi"
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class StepLine:
    """One thing that happened to the releases of a quarter; ``page`` leads to the release that came into force."""

    title_vi: str
    told_vi: str
    page: str | None
    in_force: bool


@dataclass(frozen=True)
class Line:
    """One unit's current release of a quarter; ``standing_vi`` says how final its figures are where they are not final
    or it is not known.
    """

    unit_name_vi: str
    unit_code: str
    release: int
    published_vi: str
    page: str | None
    standing_vi: str
    files: tuple[tuple[str, str], ...]
    place: str
    steps: tuple[StepLine, ...]
    units_page: str
    unit_pages: int


@dataclass(frozen=True)
class Quarter:
    """A quarter, newest first in the page, with the units that had published before and are missing in it."""

    key: str
    name_vi: str
    lines: tuple[Line, ...]
    missing: tuple[str, ...]


def render_catalogue(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """The page over all releases, from the entries of ``index.json``. Equal entries give equal bytes."""
    quarters = _quarters(entries)
    units = {entry["unit_code"] for entry in entries}
    return render(
        "catalogue.html.j2",
        style="page.css",
        script="catalogue.js",
        quarters=quarters,
        units=len(units),
        releases=len(entries),
    )


def place_of(unit: str, quarter: str) -> str:
    """Where the releases of a unit and quarter stand in the page; pages of releases lead there."""
    return f"b-{unit}-{quarter}"


def _steps(entry: Mapping[str, Any]) -> tuple[StepLine, ...]:
    """What happened to the releases, newest first: which were replaced, when and why, and what was taken back. In force
    is the last step to the current release, whatever else is known after it.
    """
    folder = entry["path"].rsplit("/", 1)[0]
    steps = entry.get("history", ())[::-1]
    in_force = next((place for place, step in enumerate(steps) if step["release"] == entry["release"]), None)
    lines: list[StepLine] = []
    for place, step in enumerate(steps):
        day = f"{_day(step['at'])}: " if step["at"] else ""
        page = f"{folder}/r{step['release']}/report/index.html" if "page" in entry["files"] else None
        told = " ".join(step_summary(step))
        lines.append(StepLine(f"{day}{step_title(step)}", told, page, place == in_force))
    return tuple(lines)


def _day(moment: str) -> str:
    return format_date(dt.datetime.fromisoformat(moment).astimezone(_ZONE))


def _quarters(entries: Sequence[Mapping[str, Any]]) -> list[Quarter]:
    by_quarter: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        by_quarter.setdefault(entry["quarter"], []).append(entry)
    found: list[Quarter] = []
    seen: dict[str, dict[str, tuple[str, str]]] = {}
    for key in in_order(by_quarter):
        before = seen.setdefault(kind_of(key).kind, {})
        present = {entry["unit_code"] for entry in by_quarter[key]}
        missing = tuple(
            sorted(
                (
                    name
                    for unit, (name, last) in before.items()
                    if unit not in present and not _ended_between(unit, last, key)
                ),
                key=alphabetical,
            )
        )
        lines = sorted(map(_line, by_quarter[key]), key=lambda line: (alphabetical(line.unit_name_vi), line.unit_code))
        name = format_quarter(key)
        found.append(Quarter(key, name[:1].upper() + name[1:], tuple(lines), missing))
        before |= {entry["unit_code"]: (entry["unit_name_vi"], key) for entry in by_quarter[key]}
    return found[::-1]


def _ended_between(unit: str, last: str, quarter: str) -> bool:
    """Whether a unit that was there when one period closed is no longer when another does: it owes no report."""
    register = registered()
    then, now = (period_named(key).closes_on for key in (last, quarter))
    return register.unit(unit, then) is not None and register.unit(unit, now) is None


def _line(entry: Mapping[str, Any]) -> Line:
    files = entry["files"]
    names = (
        ("report_pdf", "PDF"),
        ("report_docx", "Word"),
        ("annex_xlsx", "Excel"),
        ("annex_csv", "CSV"),
        ("province_xlsx", "Excel"),
        ("data_package", "Gói dữ liệu"),
    )
    moment = entry["published_at"]
    return Line(
        entry["unit_name_vi"],
        entry["unit_code"],
        entry["release"],
        _day(moment) if moment else "",
        files.get("page"),
        {True: PROVISIONAL_VI, None: UNKNOWN_STANDING_VI}.get(entry["provisional"], ""),
        tuple((files[key], name) for key, name in names if key in files),
        place_of(entry["unit_code"], entry["quarter"]),
        _steps(entry),
        f"{files['page']}#{UNITS_PLACE}" if "page" in files else "",
        entry.get("unit_pages", 0) if "page" in files else 0,
    )

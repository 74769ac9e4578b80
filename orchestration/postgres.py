"""The current releases of a home, copied into PostgreSQL where the setting ``postgres_url`` is.

Belongs here: which releases are copied, and that one which fails stays its own failure.
Does not belong here: how a release is copied (``publication.postgres``), who is told (``assets``, ``cli``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from orchestration.pipeline import Pipeline
from publication import Copied, PostgresCopy, PostgresError, PostgresTarget, Release, current_release


def copy_quarter(pipeline: Pipeline, quarter: str, units: Sequence[str]) -> dict[str, Copied | PostgresError]:
    """Copies the current releases of a quarter of units, and of the provinces among them; the run's record keeps the
    result, by ``unit/quarter``, too.

    A release that could not be copied before is tried again; one that is there costs a query.
    Raises ``RuntimeError`` where the setting is missing.
    """
    provinces = [unit for unit in units if pipeline.units.is_superior(unit, quarter)]
    own = [unit for unit in units if unit not in provinces]
    # Of provinces alone no unit is asked for, which would be all of them.
    found = pipeline.deliveries.units_in(quarter, own) if own or not provinces else ()
    with pipeline.timings.stage("postgres", "chép sang PostgreSQL"):
        return _copy(pipeline, [(unit, quarter) for unit in (*found, *provinces)])


def copy_home(pipeline: Pipeline) -> dict[str, Copied | PostgresError]:
    """Copies every current release of the home, for a server that is new or lost its copy; as ``copy_quarter``."""
    places = sorted(path.parent for path in pipeline.home.published.glob("*/*/current.json"))
    return _copy(pipeline, [(place.parent.name, place.name) for place in places])


def _copy(pipeline: Pipeline, places: Iterable[tuple[str, str]]) -> dict[str, Copied | PostgresError]:
    url = pipeline.settings.postgres_url
    if url is None:
        raise RuntimeError("setting postgres_url is missing")
    published = pipeline.home.published
    releases = [release for unit, quarter in places if (release := current_release(published, unit, quarter))]
    try:
        with PostgresCopy(PostgresTarget(url.get_secret_value(), pipeline.settings.postgres_reader)) as copy:
            copies = {_place(release): _copy_one(copy, published, release) for release in releases}
    except PostgresError as error:
        copies = dict.fromkeys(map(_place, releases), error)
    pipeline.record.copies |= copies
    return copies


def _copy_one(copy: PostgresCopy, published: Path, release: Release) -> Copied | PostgresError:
    try:
        return copy.copy(release, lambda: current_release(published, release.unit_code, release.quarter) == release)
    except PostgresError as error:
        return error


def _place(release: Release) -> str:
    return f"{release.unit_code}/{release.quarter}"

"""The units of a province and their current releases, each read once and whole.

Belongs here: which release of each unit is put into the roll-up, and why there is none. Does not belong here: which
units a province has, arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from common.periods import period_named
from common.units import registered
from publication.content.units_as_is import unit_today
from publication.province.rollup import Member
from publication.release import current_release
from publication.store.candidate import FORM_MART
from publication.store.parquet import from_parquet
from publication.store.pointer import DamagedPointer
from publication.tables.manifest import DamagedManifest
from publication.verify import verify


@dataclass(frozen=True)
class Unit:
    """A unit that reports to the province on the closing day."""

    code: str
    name_vi: str
    level: str


def read_members(
    published: Path, quarter: str, units: Iterable[Unit], why_missing: Mapping[str, str]
) -> tuple[Member, ...]:
    """A member a unit, in order of code. A release that is not what was published counts as missing, and is named.

    ``why_missing``: by unit, what is known of why it has published nothing. Where each unit is now is told by the
    project's register.
    """
    then, register = period_named(quarter).closes_on, registered()
    return tuple(
        replace(
            _member(published, quarter, unit, why_missing.get(unit.code, "")),
            as_is=unit_today(register, unit.code, then),
        )
        for unit in sorted(units, key=lambda unit: unit.code)
    )


def _member(published: Path, quarter: str, unit: Unit, why: str) -> Member:
    try:
        release = current_release(published, unit.code, quarter)
        if release is None:
            return Member(unit.code, unit.name_vi, unit.level, why_vi=why or "chưa có bản công bố của kỳ")
        if damages := verify(release.path):
            raise DamagedManifest(damages[0].message_vi)
        manifest = release.manifest()
        rows = from_parquet((release.path / "marts" / f"{FORM_MART}.parquet").read_bytes()).to_pylist()
    except (DamagedPointer, DamagedManifest) as error:
        return Member(unit.code, unit.name_vi, unit.level, why_vi=f"bản công bố đã hư hại: {error}")
    return Member(
        unit.code,
        unit.name_vi,
        unit.level,
        release.number,
        release.manifest_sha256,
        manifest.form_version,
        bool(manifest.provisional_vi),
        form=tuple(sorted(rows, key=lambda row: int(row["row_no"]))),
    )

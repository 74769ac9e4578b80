"""What a province would publish, as a candidate like any other: made of releases instead of deliveries.

Belongs here: putting members, form and tables together and writing the candidate. Does not belong here: whether it may
be published, the release.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from common.forms import form_named
from publication.content.province_causes import changed_inputs_vi
from publication.province.members import Unit, read_members
from publication.province.rollup import Department, Member, PortalFigure, roll_up_tables
from publication.store.candidate import RELEASES_SOURCE, Candidate, CandidateError, write_candidate


def roll_up(
    published: Path,
    warehouse: Path,
    *,
    province: str,
    name_vi: str,
    quarter: str,
    units: Iterable[Unit],
    why_missing: Mapping[str, str] | None = None,
    portal: Iterable[PortalFigure] = (),
    departments: Iterable[Department] = (),
    deliveries: Iterable[Mapping[str, Any]] = (),
) -> Path:
    """Writes the candidate of a province from its units' current releases and returns its folder.

    Each unit's release is read once, so that two releases of one unit never mix; ``why_missing`` says by unit why it
    has published nothing. ``deliveries``: the province's own, with the keys of ``inputs`` in ``candidate.json``;
    ``portal`` and ``departments``: the figures of them. The same releases and deliveries give the same folder.
    Raises CandidateError where no unit has published anything.
    """
    members = read_members(published, quarter, units, why_missing or {})
    versions = Counter(member.form_version for member in members if member.is_published)
    if not versions:
        raise CandidateError(f"chưa đơn vị nào của {name_vi} có bản công bố {quarter}")
    version = min(versions, key=lambda form: (-versions[form], form))
    tables = roll_up_tables(province, name_vi, quarter, members, form_named(version), portal, departments)
    parent = warehouse / "candidates" / province / quarter
    inputs = [*(_input(member, quarter) for member in members if member.is_published), *deliveries]
    return write_candidate(parent, province, quarter, version, inputs, tables)


def changed_since(
    candidate: Candidate,
    published: Path,
    quarter: str,
    units: Iterable[Unit],
    deliveries: Iterable[Mapping[str, Any]],
) -> list[str]:
    """What a roll-up of now would be made from and the candidate is not, or the other way round: a clause each, in
    Vietnamese; empty where it is still the roll-up of what is published and delivered. Arguments as of ``roll_up``.
    """
    members = read_members(published, quarter, units, {})
    names = {member.code: member.name_vi for member in members}
    now = [_input(member, quarter) for member in members if member.is_published]
    return changed_inputs_vi(candidate.inputs, [*now, *deliveries], names)


def _input(member: Member, quarter: str) -> dict[str, Any]:
    """A release as candidates and manifests list what they were made from."""
    return {
        "delivery_id": member.manifest_sha256,
        "file_name": "",
        "fingerprint": f"r{member.release}",
        "outcome": "published",
        "quarter": quarter,
        "sha256": member.manifest_sha256,
        "source": RELEASES_SOURCE,
        "unit_code": member.code,
    }

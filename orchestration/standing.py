"""Whether what a run would make is what stands already, so that nothing need be done again.

Belongs here: what the last whole run of a quarter was made from and which releases it left, and holding both against
the home as it is. Does not belong here: the state of the landing folders (``arrivals``), mending (``healing``), which
the caller has done: what is missing or damaged is no reason to trust what was written before.

Only a run that published or confirmed every unit, and had nothing to say of any file, leaves something to stand on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from common.files import canonical_json, replace_durably, sha256_bytes
from common.forms import forms_state
from ingestion import check_store
from orchestration.outcomes import Outcome
from orchestration.pipeline import Pipeline
from orchestration.version import code_version, tool_versions

if TYPE_CHECKING:
    from publication import Release


def _basis(pipeline: Pipeline, state: str) -> str:
    """A hash of all that a run's results follow from: what was delivered, the code with its declarations and tools,
    the home's forms, the settings. Secrets are not in it; a changed person key ends a run before this is asked.
    """
    settings = pipeline.settings.model_dump(mode="json")
    return sha256_bytes(canonical_json([state, code_version(), forms_state(), tool_versions(), settings]))


def stand(pipeline: Pipeline, quarter: str) -> None:
    """Notes what a whole run leaves, where another would have nothing to do; else forgets what was noted before."""
    record, note = pipeline.record, pipeline.home.standing(quarter)
    releases = {unit: _current(pipeline, unit, quarter) for unit in pipeline.deliveries.units_in(quarter)}
    rests = (
        bool(releases)
        and record.began_with is not None
        and not (record.problems or record.damaged or record.broken or pipeline.settings.postgres_url)
        and not pipeline.deliveries.waiting(quarter)
        and all(_is_of(record.outcomes.get(unit), release) for unit, release in releases.items())
    )
    if not rests:
        note.unlink(missing_ok=True)
        return
    assert record.began_with is not None
    found = {unit: release.manifest_sha256 for unit, release in releases.items() if release}
    replace_durably(note, canonical_json({"basis": _basis(pipeline, record.began_with), "releases": found}))


def standing(pipeline: Pipeline, quarter: str) -> dict[str, Outcome] | None:
    """The outcome of each unit where a run would only confirm it; None where it may have something to do.

    A release that is not what was published is for the run to tell. The caller holds the home's lock and has mended
    the home. Raises ``ingestion.DamagedError`` as the gates do where the raw layer is not what ingestion left there.
    """
    from publication import DamagedManifest

    note, record = pipeline.home.standing(quarter), pipeline.record
    if record.mended or record.problems or record.damaged or not note.is_file():
        return None
    if any(pipeline.home.alive.glob("*")):  # a run that died is to be told and ended, as a run does
        return None
    try:
        noted = json.loads(note.read_bytes())
        basis, manifests = noted["basis"], dict(noted["releases"])
    except (ValueError, LookupError, TypeError):
        return None
    if basis != _basis(pipeline, pipeline.deliveries.state(quarter)):
        return None
    releases = {unit: _current(pipeline, unit, quarter) for unit in pipeline.deliveries.units_in(quarter)}
    if manifests != {unit: release and release.manifest_sha256 for unit, release in releases.items()}:
        return None
    check_store(pipeline.deliveries.paths)
    outcomes = {}
    for unit, release in releases.items():
        assert release is not None
        try:
            release.manifest()
        except DamagedManifest:
            return None
        outcomes[unit] = Outcome(unit, str(release.path))
    return outcomes


def _current(pipeline: Pipeline, unit: str, quarter: str) -> Release | None:
    from publication import current_release

    return current_release(pipeline.home.published, unit, quarter)


def _is_of(outcome: Outcome | None, release: Release | None) -> bool:
    return outcome is not None and release is not None and outcome.release == str(release.path)

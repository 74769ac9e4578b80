"""Which units' results stand already, so that a run need not make them again.

Belongs here: what the last whole run of a quarter made each unit's result from and what came of it, and holding both
against the home as it is. Does not belong here: the state of the landing folders (``arrivals``), mending (``healing``),
which the caller has done: what is missing or damaged is no reason to trust what was written before.

The unit of work is a reporting unit in a quarter. Its result stands where everything that it follows from is the same,
by hash, and what it left is there: the release that was published or confirmed, or the verdicts that hold it back. A
draft, a lock and a fault are for each run to tell anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.files import canonical_json, replace_durably, sha256_bytes, sha256_file
from common.forms import forms_state
from expectations import Verdict
from ingestion import check_store
from orchestration.outcomes import Outcome
from orchestration.pipeline import Pipeline
from orchestration.review import judged, workbook_of
from orchestration.version import code_version, tool_versions

if TYPE_CHECKING:
    from publication import Release

Line = dict[str, Any]

#: Settings that no unit's result follows from. ``letters`` counts for the unit that it speaks of; provinces are rolled
#: up by each run; a changed person key ends a run before this is asked, and with ``postgres_url`` nothing stands.
OF_NO_RESULT = frozenset({
    "home", "spark_master", "duckdb_threads", "duckdb_memory", "warehouse_wait_seconds", "automation",
    "max_runtime_seconds", "alert_file", "alert_to", "alert_links", "remind_days", "disk_full_percent", "keep_runs",
    "keep_candidates", "metrics_folder", "retention_days", "office_logins", "signature_roots", "proxy_login",
    "provinces", "postgres_url", "postgres_reader", "dagster_postgres_url", "backup_key", "person_key", "letters",
})  # fmt: skip


def makers() -> list[Any]:
    """What makes every result beside what was delivered and set: code, forms of the home, tools."""
    return [code_version(), forms_state(), tool_versions()]


def stand(pipeline: Pipeline, quarter: str) -> None:
    """Notes what a whole run of a quarter leaves of each unit; forgets what was noted before.

    Where a form was brought or confirmed since the run began, nothing is noted: nobody knows which results were made by
    which forms.
    """
    record, note = pipeline.record, pipeline.home.standing(quarter)
    units = list(pipeline.deliveries.units_in(quarter))
    lines = {}
    if record.began_with is not None and record.made_by == makers() and _may_stand(pipeline):
        behind = _all_taken_in(pipeline, quarter, pipeline.deliveries.folders_behind(units, quarter))
        bases = _bases(pipeline, quarter, behind)
        lines = {unit: line for unit, basis in bases.items() if (line := _line(pipeline, unit, quarter, basis))}
    if not lines:
        note.unlink(missing_ok=True)
        return
    told = {"state": record.began_with, "said_nothing": not record.problems, "units": lines}
    replace_durably(note, canonical_json(told))


def standing(pipeline: Pipeline, quarter: str, asked: Sequence[str] = ()) -> dict[str, Outcome] | None:
    """The outcome of each unit where a run would only come to the same; None where it may have something to do.

    What was not taken in yet is told by the folders: nothing lies there that the last whole run did not see. ``asked``:
    the units of the run, all where empty. The caller holds the home's lock and has mended the home. Raises
    ``ingestion.DamagedError`` as the gates do where the raw layer is not what ingestion left there.
    """
    noted = _noted(pipeline, quarter)
    if noted is None or not noted.get("said_nothing") or noted.get("state") != pipeline.deliveries.state(quarter):
        return None
    units = list(pipeline.deliveries.units_in(quarter, asked))
    found = _found(pipeline, quarter, units, noted)
    if not units or len(found) < len(units):
        return None
    check_store(pipeline.deliveries.paths)
    return _taken_over(pipeline, found)


def left(pipeline: Pipeline, quarter: str, asked: Sequence[str]) -> list[str]:
    """The units of a run that there is something to do for, once all sources have been taken in.

    What stands of the others is taken into the run's record, as if it had come to it.
    """
    noted, units = _noted(pipeline, quarter), list(pipeline.deliveries.units_in(quarter, asked))
    found = _found(pipeline, quarter, units, noted) if noted is not None else {}
    if len(found) == len(units):  # whoever has a run begin wants to see its steps
        return units
    _taken_over(pipeline, found)
    return [unit for unit in units if unit not in found]


def _may_stand(pipeline: Pipeline) -> bool:
    record = pipeline.record
    return not (record.damaged or record.broken or pipeline.settings.postgres_url)


def _noted(pipeline: Pipeline, quarter: str) -> Mapping[str, Any] | None:
    """What the last whole run noted; None where there is nothing to trust."""
    record, note = pipeline.record, pipeline.home.standing(quarter)
    if record.mended or not _may_stand(pipeline) or not note.is_file():
        return None
    if any(path.name != record.run_id for path in pipeline.home.alive.glob("*")):
        return None  # a run that died is to be told and ended, as a run does
    try:
        noted = json.loads(note.read_bytes())
        return noted if isinstance(noted["units"], dict) else None
    except (ValueError, LookupError, TypeError):
        return None


def _all_taken_in(pipeline: Pipeline, quarter: str, behind: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The units in whose folders nothing lies that was not taken in: of such a file each gate is to say so itself."""
    faulty = {problem.path.split("/")[0] for problem in pipeline.record.problems}
    faulty |= {file.unit_code for file in pipeline.deliveries.waiting(quarter)}
    return {unit: folders for unit, folders in behind.items() if not faulty & folders}


def _bases(pipeline: Pipeline, quarter: str, behind: Mapping[str, set[str]]) -> dict[str, str]:
    """By unit a hash of all that its result follows from: what intake keeps of the folders ``behind`` it, the code with
    its declarations and tools, the home's forms, the settings that results follow from, with what is set of its own
    letter, which quarters anything was delivered for, and its releases of other periods with those that are current,
    since a small count is held back by what they tell, and a longer period is compared with the quarters it is made of.

    Secrets are not in it; a changed person key ends a run before this is asked.
    """
    deliveries, settings = pipeline.deliveries, pipeline.settings
    common = [makers(), settings.model_dump(mode="json", exclude=set(OF_NO_RESULT)), deliveries.quarters()]
    told, published = deliveries.told_of(behind), pipeline.home.published
    return {
        unit: sha256_bytes(
            canonical_json(
                [common, told[unit], settings.signing(unit, quarter).to_json(), _elsewhere(published / unit, quarter)]
            )
        )
        for unit in told
    }


def _elsewhere(published: Path, quarter: str) -> list[str]:
    releases = (path for path in published.glob("*/r*") if path.parent.name != quarter)
    pointers = (path for path in published.glob("*/current.json") if path.parent.name != quarter)
    return sorted(
        [
            *(f"{path.parent.name}/{path.name}" for path in releases),
            *(f"{path.parent.name} {sha256_file(path)}" for path in pointers),
        ]
    )


def _line(pipeline: Pipeline, unit: str, quarter: str, basis: str) -> Line | None:
    """What came of a unit, where it is something that stands."""
    outcome = pipeline.record.outcomes.get(unit)
    if outcome is None:
        return None
    if outcome.release is not None:
        release = _current(pipeline, unit, quarter)
        return _published(basis, release) if release and str(release.path) == outcome.release else None
    verdicts = list(pipeline.record.verdicts.get(unit, {}).values())
    if outcome.locked or outcome.awaits or outcome.draft or not any(verdict.blocking() for verdict in verdicts):
        return None
    return _held(pipeline, unit, quarter, basis, verdicts) | {"reasons": list(outcome.reasons)}


def _published(basis: str, release: Release) -> Line:
    return {"basis": basis, "release": release.manifest_sha256}


def _held(pipeline: Pipeline, unit: str, quarter: str, basis: str, verdicts: Iterable[Verdict]) -> Line:
    """With whether the workbook that asks for decisions is there: where it was taken away, a run makes it again."""
    asks = workbook_of(pipeline.home, unit, quarter).is_file()
    return {"basis": basis, "verdicts": _hash_of(verdicts), "asks": asks}


def _hash_of(verdicts: Iterable[Verdict]) -> str:
    told = sorted((verdict.stage, verdict.model_dump(mode="json")) for verdict in verdicts)
    return sha256_bytes(canonical_json(told))


def _found(
    pipeline: Pipeline, quarter: str, units: Sequence[str], noted: Mapping[str, Any]
) -> dict[str, tuple[Outcome, list[Verdict]]]:
    """Of the units those whose result stands: the outcome, and of one that is held back the verdicts behind it."""
    from publication import DamagedManifest, hash_inputs

    lines, deliveries = noted["units"], pipeline.deliveries
    behind = deliveries.folders_behind([unit for unit in units if unit in lines], quarter)
    bases = _bases(pipeline, quarter, _all_taken_in(pipeline, quarter, behind))
    found: dict[str, tuple[Outcome, list[Verdict]]] = {}
    held = [unit for unit in bases if isinstance(lines[unit], dict) and "verdicts" in lines[unit]]
    inputs = deliveries.inputs_of(held, quarter)
    for unit, basis in bases.items():
        line, release = lines[unit], _current(pipeline, unit, quarter)
        if release is not None and line == _published(basis, release):
            try:
                release.manifest()  # one that is not what was published is for the run to tell
            except DamagedManifest:
                continue
            found[unit] = (Outcome(unit, str(release.path)), [])
        elif isinstance(line, dict) and line.get("basis") == basis and "verdicts" in line:
            verdicts = list(judged(pipeline, unit, quarter, hash_inputs(inputs[unit])).verdicts)
            reasons = line.get("reasons", [])
            if line == _held(pipeline, unit, quarter, basis, verdicts) | {"reasons": reasons}:
                found[unit] = (Outcome(unit, None, reasons=tuple(reasons)), verdicts)
    return found


def _taken_over(pipeline: Pipeline, found: Mapping[str, tuple[Outcome, list[Verdict]]]) -> dict[str, Outcome]:
    for unit, (outcome, verdicts) in found.items():
        pipeline.record.outcomes[unit] = outcome
        for verdict in verdicts:
            pipeline.record.add_verdicts({unit: verdict})
    return {unit: outcome for unit, (outcome, _) in found.items()}


def _current(pipeline: Pipeline, unit: str, quarter: str) -> Release | None:
    from publication import current_release

    return current_release(pipeline.home.published, unit, quarter)

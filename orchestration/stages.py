"""The walk of a quarter: take in, check, build, write candidates, check again, publish. One function a stage.

Belongs here: calling the rooms in order, with what the home holds, and keeping what came of each unit.
Does not belong here: the rooms' own logic, Dagster, the terminal. ``publication`` is imported where it is used, so that
definitions load fast; Great Expectations never loads here.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from common.forms import held_forms
from expectations import Verdict, run_mart_gate, run_raw_gate
from ingestion import IngestReport, LandingProblem, check_store, ingest_quarters, load_contracts
from orchestration import review, spark
from orchestration.arrivals import remember
from orchestration.dbt import build_args, write_scope
from orchestration.healing import mend_warehouse
from orchestration.lineage import lineage
from orchestration.locks import to_stderr, wait_until_free
from orchestration.outcomes import Outcome, why_it_waits, why_locked, why_locked_draft, why_not_whole
from orchestration.pipeline import Pipeline
from orchestration.real_names import with_real_names
from orchestration.settings import Home
from orchestration.standing import left, makers, stand
from orchestration.timing import now
from orchestration.version import code_version, tool_versions

if TYPE_CHECKING:
    from publication import Amendment, Approval, Draft, Imprint, Lineage, PublishOutcome, Signing

_log = logging.getLogger(__name__)


class BrokenContract(RuntimeError):
    """dbt built tables that the stored contracts do not allow: somebody changed a model without its version."""


def ingest(pipeline: Pipeline, source: str, quarter: str, units: Sequence[str]) -> IngestReport:
    """Takes in one source: the quarter's deliveries, and those of the quarters its figures look back to.

    A late file lies in its own quarter's folder; a release must not depend on when that quarter was last run.
    """
    folders = {folder for unit in units for folder in pipeline.units.folders_expected(unit, quarter)}
    if pipeline.record.began_with is None:
        pipeline.record.began_with = pipeline.deliveries.state(quarter)
        pipeline.record.made_by = makers()
    with pipeline.timings.stage("ingest", f"nhận dữ liệu: {source}"):
        reports = ingest_quarters(
            pipeline.deliveries.paths,
            source,
            pipeline.deliveries.quarters_to_read(quarter),
            units=folders or None,
            reference=pipeline.units.reference,
            secret_key=pipeline.settings.person_secret(),
            limits=pipeline.settings.intake,
            signers=pipeline.settings.signers(),
            readers=pipeline.executors,
        )
    found = {problem for report in reports.values() for problem in report.problems}
    found.update(_of_other_homes(pipeline, quarter))
    pipeline.record.problems = sorted(found.union(pipeline.record.problems))
    pipeline.record.taken_in.add(source)
    pipeline.record.intake[source] = list(reports.values())
    return reports[quarter]


def _of_other_homes(pipeline: Pipeline, quarter: str) -> Iterator[LandingProblem]:
    """What was delivered here and is reported elsewhere: it is kept, and no report is made of it."""
    for folder in pipeline.deliveries.of_other_homes(quarter):
        message = (
            f"Nơi này không báo cáo cho {folder} (cài đặt units): tệp được nhận và giữ, không báo cáo nào ở đây dùng "
            "tệp đó. Nộp tệp vào nơi báo cáo của đơn vị, hoặc thêm đơn vị báo cáo vào units."
        )
        yield LandingProblem(f"{folder}/{quarter}", "of_another_home", message)


def _to_do(pipeline: Pipeline, quarter: str, units: Sequence[str]) -> Sequence[str]:
    """The units that a step after intake is for: of those asked for (all where none is named) the ones whose result
    does not stand already. Told once a run, when every source has been taken in; a step made alone is for all.
    """
    record = pipeline.record
    if record.left is None:
        if pipeline.full or record.taken_in != set(load_contracts()):
            return units
        record.left = left(pipeline, quarter, units)
        if standing := len(record.outcomes):
            to_stderr(f"{len(record.left)} đơn vị có thay đổi; {standing} đơn vị khác giữ nguyên kết quả đã có")
    return record.left


def check_raw(pipeline: Pipeline, quarter: str, units: Sequence[str]) -> dict[str, Verdict]:
    """Gate 1. Returns and stores one verdict a unit; raises ``ingestion.DamagedError`` where the raw layer is not what
    ingestion left there.
    """
    from publication import hash_inputs

    home, deliveries, period = pipeline.home, pipeline.deliveries, pipeline.units.reference.periods[quarter]
    with pipeline.timings.stage("gate_raw", "kiểm tra dữ liệu đầu vào"):
        check_store(deliveries.paths)
        in_scope = deliveries.units_in(quarter, _to_do(pipeline, quarter, units))
        folders = {folder for members in in_scope.values() for folder in members}
        verdicts = run_raw_gate(
            home.raw,
            home.warehouse,
            quarter,
            (period.opens_on, period.closes_on),
            in_scope,
            {unit: hash_inputs(found) for unit, found in deliveries.inputs_of(in_scope, quarter).items()},
            [(file.unit_code, file.quarter, file.source, file.file_name) for file in deliveries.waiting(quarter)],
            pipeline.gate(),
            deliveries.given_by_parts(folders, quarter),
            _parts_held(pipeline, quarter, in_scope),
            pipeline.units.forms_of(in_scope, quarter),
            pipeline.units.own_windows(in_scope, quarter),
        )
    pipeline.record.add_verdicts(verdicts)
    return _known_verdicts(pipeline, "raw")


def _known_verdicts(pipeline: Pipeline, stage: str) -> dict[str, Verdict]:
    """Of this run, and those that hold a unit back whose result stands."""
    return {unit: by_stage[stage] for unit, by_stage in sorted(pipeline.record.verdicts.items()) if stage in by_stage}


def _parts_held(pipeline: Pipeline, quarter: str, in_scope: dict[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    """Unit, quarter and reason of each quarter of a longer period whose deliveries do not pass gate 1 as they are now.

    Asked anew, since a file may have come after the quarter was last run.
    """
    from publication import hash_inputs

    home, deliveries, held = pipeline.home, pipeline.deliveries, []
    for part in pipeline.units.reference.periods[quarter].made_of:
        period = pipeline.units.reference.periods[part]
        # Before a unit began its code may have been another's.
        living = {
            unit: members
            for unit, members in in_scope.items()
            if part in pipeline.units.since_begun(unit, [part, quarter])
        }
        reporting = deliveries.units_in(part)
        # Who reports may have changed within the year; the quarter is judged for who reported then.
        wanted = {folder for members in living.values() for folder in members}
        asked = {unit: members for unit, members in reporting.items() if wanted & set(members)}
        verdicts = run_raw_gate(
            home.raw,
            home.warehouse,
            part,
            (period.opens_on, period.closes_on),
            asked,
            {unit: hash_inputs(found) for unit, found in deliveries.inputs_of(asked, part).items()},
            [(file.unit_code, file.quarter, file.source, file.file_name) for file in deliveries.waiting(part)],
            pipeline.gate(),
            forms=pipeline.units.forms_of(asked, part),
            own_windows=pipeline.units.own_windows(asked, part),
        )
        for unit, members in living.items():
            for other, verdict in verdicts.items():
                if (found := verdict.blocking()) and set(members) & set(asked[other]):
                    held.append((unit, part, "; ".join(result.sentence_vi for result in found)))
    return held


@contextmanager
def building(
    pipeline: Pipeline, quarter: str, selected: Sequence[str], units: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """dbt at work on a quarter, for the units that there is something to do for. What is exported counts as a build of
    these only where all models were built.

    ``selected`` names models of a partial build, made by hand from the browser; nothing is published from it.
    Raises ``BrokenContract``, ``spark.NoSpark``, and ``ingestion.DamagedError`` as ``check_raw``.
    """
    from publication import record_build

    home, deliveries, settings = pipeline.home, pipeline.deliveries, pipeline.settings
    with pipeline.timings.stage("dbt", "tính số liệu"):
        if spark.is_engine(settings):
            spark.check(settings)
            if pipeline.executors is not None:
                pipeline.executors.close()  # intake is over, and the build wants its cores
            spark.clear_tables(settings)
        else:
            wait_until_free(home.warehouse_file, settings.warehouse_wait_seconds, to_stderr)
            mend_warehouse(pipeline)
        pipeline.record.candidates = None
        check_store(deliveries.paths)
        wanted = _to_do(pipeline, quarter, units)
        made_from = deliveries.inputs_of(deliveries.units_in(quarter, wanted), quarter)
        behind = deliveries.folders_behind(made_from, quarter).values() if wanted else None
        write_scope(home, quarter, None if behind is None else set().union(*behind))
        (home.dbt_target / "run_results.json").unlink(missing_ok=True)  # the last build's would tell of this one
        process = pipeline.dbt.run(build_args(home, select=selected, engine=settings.engine))
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
        if spark.is_engine(settings):
            spark.export_marts(settings)
        if not selected:
            _keep_contracts(home)
            check_store(deliveries.paths)  # what lay there when dbt began is what it read
            record_build(home.warehouse, quarter, made_from)


def _keep_contracts(home: Home) -> None:
    """Raises ``BrokenContract`` where the build is not what programs were promised; then it counts as none."""
    from publication import contract_breaches

    found = {path.stem: pq.read_schema(path) for path in home.built_marts.glob("*.parquet")}
    if breaches := contract_breaches(found):
        raise BrokenContract(f"the build breaks stored contracts (see `make contracts`): {'; '.join(breaches)}")


def write_candidates(pipeline: Pipeline, quarter: str, units: Sequence[str]) -> dict[str, Path]:
    """The candidate folder of each unit; the same build and inputs give the same folder.

    A unit that has none (no build of the quarter, no row of the form) is left out, and its outcome says why.
    """
    from publication import CandidateError, write_candidates

    def write(inputs_by_unit: dict[str, Any]) -> dict[str, Path]:
        return write_candidates(pipeline.home.warehouse, quarter, list(inputs_by_unit), inputs_by_unit, forms)

    with pipeline.timings.stage("candidates", "lập số liệu chờ công bố"):
        wanted = _to_do(pipeline, quarter, units)
        inputs = pipeline.deliveries.inputs_of(pipeline.deliveries.units_in(quarter, wanted), quarter)
        forms = pipeline.units.forms_of(inputs, quarter)
        for unit in list(inputs):
            if reason := _why_no_form(pipeline, unit, quarter):
                pipeline.record.outcomes[unit] = Outcome(unit, None, reasons=(reason,))
                del inputs[unit]
        try:
            folders = write(inputs)
        except CandidateError:
            # One by one, so that a unit without a candidate does not hold back the others.
            folders = {}
            for unit, found in inputs.items():
                try:
                    folders |= write({unit: found})
                except CandidateError as error:
                    pipeline.record.outcomes[unit] = Outcome(unit, None, reasons=(str(error),))
        pipeline.record.candidates = folders
        return folders


def _why_no_form(pipeline: Pipeline, unit: str, quarter: str) -> str | None:
    """Why no report can be made by the form in force: there is none, or the office's own is held."""
    reporting, day = pipeline.units.reporting(unit, quarter), pipeline.units.closing_day(quarter)
    if reporting is not None:
        for form in held_forms():
            if form.is_for(day, reporting.level, reporting.parent_code):
                since = f" áp dụng từ {form.units.valid_from:%d/%m/%Y}" if form.units else ""
                return (
                    f"biểu mẫu {form.form}{since} {form.why_vi}; "
                    f"chạy cchc form check {form.form}, rồi cchc form confirm {form.form}"
                )
    if unit not in pipeline.units.forms_of([unit], quarter):
        return f"không có biểu mẫu nào áp dụng cho đơn vị {unit} vào ngày {day:%d/%m/%Y}"
    return None


def _present_candidates(pipeline: Pipeline, quarter: str, units: Sequence[str]) -> dict[str, Path]:
    """The candidates this run has just written; where it has not (a stage alone), they are written now."""
    found = pipeline.record.candidates
    return write_candidates(pipeline, quarter, units) if found is None else found


def check_marts(pipeline: Pipeline, quarter: str, units: Sequence[str]) -> dict[str, Verdict]:
    """Gate 2, on the candidates of the present build. Returns and stores one verdict a unit.

    Then both gates have spoken: what is to be decided of each unit is written, or taken away.
    """
    folders = _present_candidates(pipeline, quarter, units)
    with pipeline.timings.stage("gate_marts", "kiểm tra số liệu báo cáo"):
        candidates = {unit: (folder, folder.name) for unit, folder in folders.items()}
        published = _published_quarters(pipeline, quarter, candidates)
        verdicts = run_mart_gate(pipeline.home.warehouse, quarter, candidates, pipeline.gate(), published)
        wanted = _to_do(pipeline, quarter, units)
        review.refresh(pipeline, quarter, pipeline.deliveries.units_in(quarter, wanted), folders)
    pipeline.record.add_verdicts(verdicts)
    return _known_verdicts(pipeline, "mart")


def _published_quarters(
    pipeline: Pipeline, quarter: str, units: Iterable[str]
) -> list[tuple[str, str, str, str | None]]:
    """Unit, quarter, row of the form and figure of the current releases of the quarters that a period is made of."""
    from publication import current_release

    found = []
    for unit, part in product(units, pipeline.units.reference.periods[quarter].made_of):
        if release := current_release(pipeline.home.published, unit, part):
            table = pq.read_table(
                release.path / "marts" / "report_indicators.parquet", columns=["indicator_code", "value"]
            )
            for row in table.to_pylist():
                value = row["value"]
                found.append((unit, part, row["indicator_code"], None if value is None else str(value)))
    return found


def publish(pipeline: Pipeline, quarter: str, units: Sequence[str]) -> list[Outcome]:
    """Publishes every unit whose stored verdicts let its candidate out; what holds one unit back stays its own.

    A unit of whose texts no document can be made is held back with the row that is at fault. What breaks the
    program at one unit is raised when the others are done.
    """
    return _each_unit(pipeline, quarter, units, ("publish", "công bố"), _publish_unit)


def _each_unit(
    pipeline: Pipeline,
    quarter: str,
    units: Sequence[str],
    stage: tuple[str, str],
    make: Callable[[Pipeline, str, str, Path], Outcome],
) -> list[Outcome]:
    """What came of each unit that has a candidate, and of those that have none; what breaks is raised at the end."""
    from publication import ReleaseNotWhole, index_once

    broken: list[Exception] = []
    outcomes = pipeline.record.outcomes
    folders = _present_candidates(pipeline, quarter, units)
    with pipeline.timings.stage(*stage), index_once():
        for unit, folder in folders.items():
            try:
                outcomes[unit] = make(pipeline, unit, quarter, folder)
            except ReleaseNotWhole as error:
                # Its words quote delivered texts, which a log must not keep.
                _log.error("%s, %s: %s failed: %s", unit, quarter, error.output, type(error.__cause__).__name__)
                reasons = why_not_whole(error, folder, pipeline.deliveries.receipts(quarter))
                outcomes[unit] = Outcome(unit, None, reasons=reasons)
            except Exception as error:  # the next units' releases do not wait for this one's repair
                broken.append(error)
    if broken:
        raise broken[0]
    return [outcomes[unit] for unit in sorted(outcomes)]


def draft(pipeline: Pipeline, quarter: str, units: Sequence[str]) -> list[Outcome]:
    """Makes the draft of every unit that has a candidate, and publishes nothing; each unit's trouble stays its own."""
    return _each_unit(pipeline, quarter, units, ("draft", "lập dự thảo"), _draft_unit)


def remember_whole_run(pipeline: Pipeline, quarter: str, units: Sequence[str]) -> None:
    """A run that took in every source for every unit and met no fault of ours need not be repeated for what it saw.
    For the last step of a run, once it has told what it came to: one that breaks is to be repeated.
    """
    record = pipeline.record
    if record.began_with and not units and not record.has_faults and record.taken_in == set(load_contracts()):
        remember(pipeline.home, quarter, record.began_with)
        stand(pipeline, quarter)


def imprint_of(pipeline: Pipeline) -> Imprint:
    """What a release says of contact and licence, as set now."""
    from publication import Imprint

    settings = pipeline.settings
    return Imprint(settings.contact, settings.licence, settings.licence_url)


def _publish_unit(pipeline: Pipeline, unit: str, quarter: str, folder: Path) -> Outcome:
    return publish_unit(pipeline, unit, quarter, folder, pipeline.amendment)


def publish_unit(
    pipeline: Pipeline, unit: str, quarter: str, folder: Path, amendment: Amendment | None = None
) -> Outcome:
    """Publishes the candidate of a unit or province, or makes its draft where somebody has to approve it."""
    from publication import current_release, publish

    home = pipeline.home
    if faults := pipeline.record.faults_in(pipeline.units.folders_expected(unit, quarter)):
        return Outcome(unit, None, reasons=faults)
    if pipeline.settings.approval == "recorded":
        return draft_unit(pipeline, unit, quarter, folder, amendment)
    current = current_release(home.published, unit, quarter)
    answer = publish(
        home.published,
        folder,
        home.warehouse / "verdicts" / unit / quarter,
        unit=unit,
        quarter=quarter,
        expected_previous=current.number if current else None,
        code_version=code_version(),
        published_at=now(),
        versions=tool_versions(),
        lineage=_lineage(pipeline, unit, quarter) if current else None,
        amendment=amendment,
        witness=pipeline.journal.witness,
        signing=_signing(pipeline, unit, quarter),
        imprint=imprint_of(pipeline),
        least_count=pipeline.settings.least_count,
    )
    outcome = outcome_of(pipeline, unit, quarter, answer)
    if outcome.release is None and not outcome.locked and pipeline.settings.drafts:
        return replace(outcome, draft=draft_unit(pipeline, unit, quarter, folder, amendment).draft)
    return outcome


def _signing(pipeline: Pipeline, unit: str, quarter: str) -> Signing:
    """What the office set of its letter; a province's release has none."""
    from publication import Signing

    return Signing() if pipeline.units.is_superior(unit, quarter) else pipeline.settings.signing(unit, quarter)


def outcome_of(pipeline: Pipeline, unit: str, quarter: str, answer: PublishOutcome) -> Outcome:
    """What publication answered. A draft of what is published now, or was already, has served."""
    from publication import Held, Published, Refused, discard_draft

    if isinstance(answer, Refused):
        return Outcome(unit, None, reasons=answer.reasons)
    if isinstance(answer, Held):
        reasons = why_locked(answer, publishing(pipeline, unit, quarter))
        return Outcome(unit, None, reasons=reasons, revision=answer.revision, locked=True)
    discard_draft(pipeline.home.draft_of(unit, quarter))
    changed = isinstance(answer, Published)
    revision = answer.revision if isinstance(answer, Published) else None
    return Outcome(unit, str(answer.release.path), changed=changed, revision=revision)


def _lineage(pipeline: Pipeline, unit: str, quarter: str) -> Lineage | None:
    """Which source reaches which figure; a province's follow from releases, and no model of dbt makes them."""
    return None if pipeline.units.is_superior(unit, quarter) else lineage()


def publishing(pipeline: Pipeline, unit: str, quarter: str) -> str:
    """The command that publishes what a unit or province has now."""
    command = "province" if pipeline.units.is_superior(unit, quarter) else "publish"
    return f"cchc {command} {quarter} --unit {unit}"


def publish_draft(pipeline: Pipeline, draft: Draft, approval: Approval) -> Outcome:
    """Publishes a draft that was approved, and the copy in PostgreSQL with it; nothing else than what was seen."""
    from publication import Approved, publish

    unit, quarter, home = draft.unit_code, draft.quarter, pipeline.home
    answer = publish(
        home.published,
        home.warehouse / "candidates" / unit / quarter / draft.candidate_hash,
        home.warehouse / "verdicts" / unit / quarter,
        unit=unit,
        quarter=quarter,
        expected_previous=draft.expected,
        code_version=code_version(),
        published_at=now(),
        versions=tool_versions(),
        lineage=_lineage(pipeline, unit, quarter) if draft.expected else None,
        amendment=draft.amendment,
        approved=Approved(approval, draft.outputs or {}),
        witness=pipeline.journal.witness,
        signing=_signing(pipeline, unit, quarter),
        imprint=imprint_of(pipeline),
        least_count=pipeline.settings.least_count,
    )
    outcome = pipeline.record.outcomes[unit] = outcome_of(pipeline, unit, quarter, answer)
    if outcome.changed and pipeline.settings.postgres_url is not None:
        from orchestration.postgres import copy_quarter

        copy_quarter(pipeline, quarter, [unit])
    return outcome


def _draft_unit(pipeline: Pipeline, unit: str, quarter: str, folder: Path) -> Outcome:
    return draft_unit(pipeline, unit, quarter, folder, pipeline.amendment)


def draft_unit(
    pipeline: Pipeline, unit: str, quarter: str, folder: Path, amendment: Amendment | None = None
) -> Outcome:
    """The draft of a unit or province, also of a unit that is held back, as far as its candidate goes."""
    from publication import Refused, Unchanged, make_draft, read_pointer

    home = pipeline.home
    answer = make_draft(
        home.published,
        folder,
        home.warehouse / "verdicts" / unit / quarter,
        home.draft_of(unit, quarter),
        unit=unit,
        quarter=quarter,
        code_version=code_version(),
        versions=tool_versions(),
        lineage=_lineage(pipeline, unit, quarter),
        amendment=amendment,
        signing=_signing(pipeline, unit, quarter),
        imprint=imprint_of(pipeline),
        least_count=pipeline.settings.least_count,
        named=lambda lines: with_real_names(pipeline.deliveries.paths, lines) if lines else [],
    )
    if isinstance(answer, Unchanged):
        return Outcome(unit, str(answer.release.path))
    if isinstance(answer, Refused):
        return Outcome(unit, None, reasons=answer.reasons)
    drafted, command = str(answer.folder), publishing(pipeline, unit, quarter)
    if answer.can_be_approved:
        reasons = why_it_waits(answer, pipeline.settings, command)
        return Outcome(unit, None, reasons=reasons, draft=drafted, awaits=True)
    pointer = read_pointer(home.published / unit / quarter)
    if pointer and pointer.lock and amendment is None and len(answer.reasons) == 1:  # the lock alone
        return Outcome(unit, None, reasons=why_locked_draft(answer, pointer.lock, command), draft=drafted, locked=True)
    return Outcome(unit, None, reasons=answer.reasons, draft=drafted)

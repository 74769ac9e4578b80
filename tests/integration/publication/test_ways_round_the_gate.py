"""Every way round the gate that we could think of is refused, and nothing is published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import expectations
from publication import Published, Refused, read_candidate
from publication.store.candidate import Candidate
from tests.integration.publication.conftest import LIGHT, Home
from tests.unit.publication.builders import (
    OTHER_UNIT,
    clear_candidate,
    delivery,
    passing_verdict,
    settle_one,
    write_candidate,
)

Attempt = Callable[[Home, Path, Candidate], None]
ATTEMPTS: list[Attempt] = []
#: A home and its candidate, and two of them.
Template = tuple[Home, Path]
Templates = tuple[Template, Template]


def attempt(function: Attempt) -> Attempt:
    ATTEMPTS.append(function)
    return function


def _path(home: Home, candidate: Candidate, stage: str) -> Path:
    subject = candidate.inputs_hash if stage == "raw" else candidate.candidate_hash
    return home.verdicts / f"{stage}-{subject}.json"


def _write(path: Path, verdict: expectations.Verdict) -> None:
    path.write_bytes(verdict.to_bytes())


def _edit_result(
    home: Home, candidate: Candidate, changes: dict[str, Any], severity: str = "critical", stage: str = "mart"
) -> None:
    """Alter the first result of that severity in a stored verdict, and nothing else."""
    path = _path(home, candidate, stage)
    verdict = expectations.load_verdict(path)
    chosen = next(index for index, result in enumerate(verdict.results) if result.severity == severity)
    results = list(verdict.results)
    results[chosen] = results[chosen].model_copy(update=changes)
    _write(path, verdict.model_copy(update={"results": tuple(results)}))


@attempt
def no_verdict(home: Home, folder: Path, candidate: Candidate) -> None:
    shutil.rmtree(home.verdicts)


@attempt
def only_the_raw_verdict(home: Home, folder: Path, candidate: Candidate) -> None:
    _path(home, candidate, "mart").unlink()


@attempt
def only_the_mart_verdict(home: Home, folder: Path, candidate: Candidate) -> None:
    _path(home, candidate, "raw").unlink()


@attempt
def verdict_on_another_candidate(home: Home, folder: Path, candidate: Candidate) -> None:
    _write(_path(home, candidate, "mart"), passing_verdict("mart", "0" * 64))


@attempt
def verdict_on_other_inputs(home: Home, folder: Path, candidate: Candidate) -> None:
    _write(_path(home, candidate, "raw"), passing_verdict("raw", "0" * 64))


@attempt
def raw_verdict_in_place_of_the_mart_verdict(home: Home, folder: Path, candidate: Candidate) -> None:
    _write(_path(home, candidate, "mart"), passing_verdict("raw", candidate.candidate_hash))


@attempt
def older_suite(home: Home, folder: Path, candidate: Candidate) -> None:
    verdict = passing_verdict("mart", candidate.candidate_hash)
    _write(_path(home, candidate, "mart"), verdict.model_copy(update={"suite_version": "0" * 64}))


@attempt
def missing_expectation(home: Home, folder: Path, candidate: Candidate) -> None:
    verdict = passing_verdict("mart", candidate.candidate_hash)
    _write(_path(home, candidate, "mart"), verdict.model_copy(update={"results": verdict.results[1:]}))


@attempt
def no_expectation_at_all(home: Home, folder: Path, candidate: Candidate) -> None:
    verdict = passing_verdict("mart", candidate.candidate_hash)
    _write(_path(home, candidate, "mart"), verdict.model_copy(update={"results": ()}))


@attempt
def duplicate_expectation_hiding_a_failure(home: Home, folder: Path, candidate: Candidate) -> None:
    verdict = passing_verdict("mart", candidate.candidate_hash)
    doubled = (*verdict.results, verdict.results[0])
    _write(_path(home, candidate, "mart"), verdict.model_copy(update={"results": doubled}))


@attempt
def undeclared_expectation(home: Home, folder: Path, candidate: Candidate) -> None:
    verdict = passing_verdict("mart", candidate.candidate_hash)
    stranger = verdict.results[0].model_copy(update={"expectation_id": "report.invented"})
    _write(_path(home, candidate, "mart"), verdict.model_copy(update={"results": (*verdict.results, stranger)}))


@attempt
def failed_critical(home: Home, folder: Path, candidate: Candidate) -> None:
    _edit_result(home, candidate, {"status": "fail", "failed_rows": 1, "blocking": True})


@attempt
def failed_critical_marked_as_not_blocking(home: Home, folder: Path, candidate: Candidate) -> None:
    _edit_result(home, candidate, {"status": "fail", "failed_rows": 1, "blocking": False})


@attempt
def failed_critical_marked_as_info(home: Home, folder: Path, candidate: Candidate) -> None:
    _edit_result(home, candidate, {"status": "fail", "failed_rows": 1, "severity": "info", "blocking": False})


@attempt
def check_that_did_not_run(home: Home, folder: Path, candidate: Candidate) -> None:
    _edit_result(home, candidate, {"status": "did_not_run", "blocking": True})


@attempt
def no_data_where_the_rule_needs_some(home: Home, folder: Path, candidate: Candidate) -> None:
    _edit_result(home, candidate, {"status": "no_data", "empty_allowed": False, "blocking": True})


@attempt
def warning_without_a_decision(home: Home, folder: Path, candidate: Candidate) -> None:
    _edit_result(
        home, candidate, {"status": "fail", "failed_rows": 2, "covered_rows": 1, "blocking": True}, severity="warning"
    )


@attempt
def failed_raw_check(home: Home, folder: Path, candidate: Candidate) -> None:
    _edit_result(home, candidate, {"status": "fail", "failed_rows": 1, "blocking": True}, stage="raw")


@attempt
def mart_edited_after_the_verdict(home: Home, folder: Path, candidate: Candidate) -> None:
    other = write_candidate(home.warehouse, inputs=[delivery(content="e")], changes={"I.04": {"value": 12}})
    shutil.copy(other / "marts" / "report_indicators.parquet", folder / "marts" / "report_indicators.parquet")


@attempt
def candidate_json_edited_after_the_verdict(home: Home, folder: Path, candidate: Candidate) -> None:
    data = (folder / "candidate.json").read_bytes()
    (folder / "candidate.json").write_bytes(data.replace(b'"form_version":"2023"', b'"form_version":"2024"'))


@attempt
def mart_and_its_recorded_hash_edited(home: Home, folder: Path, candidate: Candidate) -> None:
    other = write_candidate(home.warehouse, inputs=[delivery(content="e")], changes={"I.04": {"value": 12}})
    shutil.rmtree(folder)
    shutil.copytree(other, folder)


@attempt
def inputs_edited_but_not_their_hash(home: Home, folder: Path, candidate: Candidate) -> None:
    content = json.loads((folder / "candidate.json").read_bytes())
    content["inputs"] = []
    (folder / "candidate.json").write_text(json.dumps(content, sort_keys=True, separators=(",", ":")))


@attempt
def mart_added(home: Home, folder: Path, candidate: Candidate) -> None:
    shutil.copy(folder / "marts" / "dim_unit.parquet", folder / "marts" / "extra.parquet")


@attempt
def mart_removed(home: Home, folder: Path, candidate: Candidate) -> None:
    (folder / "marts" / "case_processing.parquet").unlink()


@attempt
def verdict_of_another_unit(home: Home, folder: Path, candidate: Candidate) -> None:
    _write(_path(home, candidate, "mart"), passing_verdict("mart", candidate.candidate_hash, unit=OTHER_UNIT))


@attempt
def both_verdicts_of_another_unit(home: Home, folder: Path, candidate: Candidate) -> None:
    _write(_path(home, candidate, "raw"), passing_verdict("raw", candidate.inputs_hash, unit=OTHER_UNIT))
    _write(_path(home, candidate, "mart"), passing_verdict("mart", candidate.candidate_hash, unit=OTHER_UNIT))


@attempt
def both_verdicts_of_another_quarter(home: Home, folder: Path, candidate: Candidate) -> None:
    _write(_path(home, candidate, "raw"), passing_verdict("raw", candidate.inputs_hash, quarter="2023-Q2"))
    _write(_path(home, candidate, "mart"), passing_verdict("mart", candidate.candidate_hash, quarter="2023-Q2"))


@attempt
def truncated_verdict(home: Home, folder: Path, candidate: Candidate) -> None:
    path = _path(home, candidate, "mart")
    path.write_bytes(path.read_bytes()[:-20])


@attempt
def empty_verdict(home: Home, folder: Path, candidate: Candidate) -> None:
    _path(home, candidate, "mart").write_bytes(b"")


@attempt
def verdict_that_is_no_text(home: Home, folder: Path, candidate: Candidate) -> None:
    _path(home, candidate, "mart").write_bytes(b"\xff\xfe\x00")


@attempt
def verdict_with_a_field_said_twice(home: Home, folder: Path, candidate: Candidate) -> None:
    """A JSON parser keeps the last of two equal keys; a reader by eye sees the first."""
    path = _path(home, candidate, "mart")
    path.write_bytes(path.read_bytes().replace(b'"stage":"mart"', b'"stage":"raw","stage":"mart"'))


@attempt
def linked_verdict(home: Home, folder: Path, candidate: Candidate) -> None:
    path = _path(home, candidate, "mart")
    path.rename(home.root / "elsewhere.json")
    path.symlink_to(home.root / "elsewhere.json")


@attempt
def linked_candidate(home: Home, folder: Path, candidate: Candidate) -> None:
    folder.rename(home.root / "elsewhere")
    folder.symlink_to(home.root / "elsewhere")


@attempt
def linked_mart(home: Home, folder: Path, candidate: Candidate) -> None:
    mart = folder / "marts" / "report_indicators.parquet"
    mart.rename(home.root / "elsewhere.parquet")
    mart.symlink_to(home.root / "elsewhere.parquet")


@attempt
def linked_marts_folder(home: Home, folder: Path, candidate: Candidate) -> None:
    (folder / "marts").rename(home.root / "marts")
    (folder / "marts").symlink_to(home.root / "marts")


@attempt
def no_candidate(home: Home, folder: Path, candidate: Candidate) -> None:
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A home without a release and one with, each with a candidate that the gates let out. Shared: copied for each."""
    empty, released = (Home(tmp_path_factory.mktemp(name), LIGHT) for name in ("empty", "released"))
    assert isinstance(released.publish(released.candidate(changes={"I.04": {"value": 8}})), Published)
    return (empty, empty.candidate()), (released, released.candidate())


def _attempt(template: Template, root: Path, bypass: Attempt) -> tuple[Home, Path]:
    """A copy of the home, in which the way round is prepared, and the candidate."""
    original, candidate = template
    home = Home(shutil.copytree(original.root, root, symlinks=True), LIGHT)
    folder = root / candidate.relative_to(original.root)
    bypass(home, folder, read_candidate(folder))
    return home, folder


@pytest.mark.parametrize("bypass", ATTEMPTS, ids=lambda function: function.__name__)
def test_it_is_refused_and_nothing_is_published(templates: Templates, tmp_path: Path, bypass: Attempt) -> None:
    home, folder = _attempt(templates[0], tmp_path / "home", bypass)
    outcome = home.publish(folder)
    assert isinstance(outcome, Refused), outcome
    assert outcome.reasons
    assert all(outcome.reasons)
    assert not list(home.published.rglob("*"))


@pytest.mark.parametrize("bypass", ATTEMPTS, ids=lambda function: function.__name__)
def test_a_current_release_stays_as_it_is(templates: Templates, tmp_path: Path, bypass: Attempt) -> None:
    home, folder = _attempt(templates[1], tmp_path / "home", bypass)
    before = templates[1][0].tree()
    assert isinstance(home.publish(folder, expected=1), Refused)
    assert home.tree() == before


def test_a_candidate_of_another_unit_or_quarter_than_asked_is_refused(home: Home) -> None:
    folder = home.candidate()
    for asked in ({"unit": OTHER_UNIT}, {"quarter": "2023-Q2"}, {"unit": "../945"}):
        assert isinstance(home.publish(folder, **asked), Refused)
    assert not list(home.published.rglob("*"))


def test_covered_and_harmless_findings_let_the_candidate_out(home: Home) -> None:
    """The counterpart: the gate is no wall. A settled failure and an info finding are published with their notes."""
    folder = write_candidate(home.warehouse)
    settle_one(home.warehouse, clear_candidate(home.warehouse, folder), "mart", lambda rule: rule.settleable)
    outcome = home.publish(folder)
    assert not isinstance(outcome, Refused), outcome

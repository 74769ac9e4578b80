"""A text of which no document can be made holds back its unit, names its row, and the next units are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestration.outcomes import Outcome
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.stages import publish
from publication import ReleaseNotWhole
from publication.letter import PDF, LetterDamaged
from tests.unit.publication.builders import QUARTER, UNIT, clear_candidate, code_of, write_candidate

NOTE_ROW = 8


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """A cleared candidate of one unit; the form's row 8 was declared in the eighth row of the one delivery."""
    found = Pipeline(Settings(home=tmp_path))
    folder = write_candidate(found.home.warehouse)
    clear_candidate(found.home.warehouse, folder)
    found.record.candidates = {UNIT: folder}
    return found


def _damaged(*_: Any) -> None:
    raise LetterDamaged(f"row {NOTE_ROW}: wrote 'Bà Lan', read ''", NOTE_ROW)


def test_a_document_that_does_not_read_back_holds_back_with_document_and_row(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("publication.outputs.check_letter", _damaged)
    (outcome,) = publish(pipeline, QUARTER, [UNIT])
    assert outcome.release is None
    told = " ".join(outcome.reasons)
    assert "report.docx" in told
    assert f"chỉ tiêu {code_of(NOTE_ROW)}" in told
    assert "Bà Lan" not in told + caplog.text
    assert not (pipeline.home.published / UNIT / QUARTER / "r1").exists()


def test_whatever_a_writer_raises_is_a_fault_of_this_release(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError("a library's own words")

    monkeypatch.setattr("publication.outputs.write_annex_xlsx", breaks)
    (outcome,) = publish(pipeline, QUARTER, [UNIT])
    assert outcome.release is None
    assert "annex" in outcome.reasons[0]
    assert "a library's own words" not in " ".join(outcome.reasons)


def test_the_units_after_it_are_published(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    published = Outcome("950", "published/950/r1", changed=True)

    def publish_unit(pipeline: Pipeline, unit: str, quarter: str, folder: Path) -> Outcome:
        if unit == UNIT:
            raise ReleaseNotWhole("…", output=PDF, code=code_of(NOTE_ROW)) from LetterDamaged("…")
        return published

    monkeypatch.setattr("orchestration.stages._publish_unit", publish_unit)
    pipeline.record.candidates = {UNIT: next(iter(pipeline.record.candidates.values())), "950": Path("anything")}  # type: ignore[union-attr]
    first, second = publish(pipeline, QUARTER, [])
    assert (first.unit_code, first.release) == (UNIT, None)
    assert second is published


def test_a_broken_program_is_told_when_the_others_are_done(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def publish_unit(pipeline: Pipeline, unit: str, quarter: str, folder: Path) -> Outcome:
        if unit == UNIT:
            raise OSError(28, "No space left on device")
        done.append(unit)
        return Outcome(unit, "r1")

    monkeypatch.setattr("orchestration.stages._publish_unit", publish_unit)
    pipeline.record.candidates = {UNIT: Path("one"), "950": Path("other")}
    with pytest.raises(OSError, match="No space left"):
        publish(pipeline, QUARTER, [])
    assert done == ["950"]

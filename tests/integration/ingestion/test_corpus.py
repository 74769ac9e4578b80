"""Every file of the corpus comes to its expected outcome, quickly, and leaves this process alive."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ingestion.base.contracts import load_contracts
from ingestion.base.limits import IntakeLimits
from ingestion.rows.intake import read_delivery
from ingestion.rows.outcome import FileIdentity, Intake
from ingestion.rows.resolve import Context
from ingestion.rows.wholeness import CompletenessEvidence
from tests.corpus.files import CorpusFile, corpus
from tests.corpus.tables import CONTENT, SOURCE

CORPUS = corpus()
CONTRACT = load_contracts()[SOURCE]
LIMITS = IntakeLimits(child_wall_seconds=30, max_cells=20_000_000)
# A bound that only a hang or a bomb breaks, even on a busy machine.
MAX_SECONDS = 30.0


def read(path: Path, suffix: str, context: Context, declared_rows: int | None = None) -> Intake:
    identity = FileIdentity("d", SOURCE, "945", "2023-Q1", path.name, "0" * 64)
    return read_delivery(path, suffix, identity, CONTRACT, context, LIMITS, CompletenessEvidence(declared_rows))


def test_the_corpus_is_large_and_no_file_is_there_twice() -> None:
    assert len(CORPUS) >= 120
    assert sum(bool(file.expected.refused) for file in CORPUS) >= 30
    assert len({file.name for file in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_a_file_comes_to_its_outcome(file: CorpusFile, tmp_path: Path, context: Context) -> None:
    path = tmp_path / f"a{file.suffix}"
    file.write(path)
    started = time.monotonic()
    intake = read(path, file.suffix, context)
    assert time.monotonic() - started < MAX_SECONDS
    expected = file.expected
    assert intake.refusal == expected.refused, intake.message_vi
    accepted = intake.accepted.to_pylist()
    assert {row["task_code"]: (row["content"], row["done_on"]) for row in accepted} == {
        code: CONTENT[code] for code in expected.taken
    }
    assert sorted(intake.rejected.column("reason_code").to_pylist()) == sorted(expected.rejected)
    assert intake.rows_read == len(accepted) + intake.rows_rejected
    assert expected.says in intake.message_vi
    if expected.refused:
        assert intake.message_vi

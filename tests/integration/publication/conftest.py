"""A home with one cleared candidate, and publishing from it."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import publication
from common.files import remove_tree
from publication.collection import DATABASE_NAME, PROOF_NAME, is_proven
from publication.index import NAMES
from tests.integration.publication.publish_once import chosen_outputs, publish_once
from tests.integration.publication.watched import Call, Watched, record
from tests.support.collection import collection_content
from tests.unit.publication.builders import QUARTER, UNIT, clear_candidate, write_candidate


@dataclass(frozen=True)
class Home:
    """Paths of one home, and the steps that tests take in it. ``only``: the outputs that releases have; () for all."""

    root: Path
    only: tuple[str, ...] = ()

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def verdicts(self) -> Path:
        return self.warehouse / "verdicts" / UNIT / QUARTER

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def quarter_dir(self) -> Path:
        return self.published / UNIT / QUARTER

    def candidate(self, **build: Any) -> Path:
        """A candidate that both gates let out."""
        folder = write_candidate(self.warehouse, **build)
        clear_candidate(self.warehouse, folder)
        return folder

    def publish(self, candidate: Path, *, expected: int | None = None, **arguments: Any) -> publication.PublishOutcome:
        call: dict[str, Any] = {"unit": UNIT, "quarter": QUARTER, "expected_previous": expected, "code_version": "1.0"}
        with pytest.MonkeyPatch.context() as patch:
            if self.only:
                patch.setattr("publication.outputs.OUTPUTS", chosen_outputs(self.only))
            return publication.publish(self.published, candidate, self.verdicts, **{**call, **arguments})

    def arguments(self, candidate: Path, *, expected: int | None = None) -> tuple[Any, ...]:
        """What ``publish_once`` is called with for the same publication."""
        return (
            str(self.published),
            str(candidate),
            str(self.verdicts),
            UNIT,
            QUARTER,
            "" if expected is None else str(expected),
            self.only,
        )

    def start(self, candidate: Path, *, expected: int | None = None) -> Watched:
        """The same publication in a process of its own, under way."""
        watched = Watched(publish_once, *self.arguments(candidate, expected=expected))
        watched.go()
        return watched

    def index_files(self) -> dict[str, object]:
        """What the files of the index hold: their bytes, of the database what is in it. Its proof must fit it."""
        files: dict[str, object] = {name: (self.published / name).read_bytes() for name in NAMES}
        proof = (files.pop(DATABASE_NAME), files["index.json"], files.pop(PROOF_NAME))
        assert is_proven(*proof)
        return {**files, DATABASE_NAME: collection_content(self.published / DATABASE_NAME)}

    def keep(self) -> None:
        """Keep a copy of what is published, in place of the one kept before."""
        if self._kept.exists():
            remove_tree(self._kept)
        if self.published.exists():
            shutil.copytree(self.published, self._kept)

    def restore(self) -> None:
        """Publish what was kept, and nothing else."""
        if self.published.exists():
            remove_tree(self.published)
        if self._kept.exists():
            shutil.copytree(self._kept, self.published)

    @property
    def _kept(self) -> Path:
        return self.root / "kept"

    def foresee(self, candidate: Path, *, expected: int | None = None) -> list[Call]:
        """What this publication will do to files. What is published is kept, and stays as it is."""
        self.keep()
        # The first run compiles and caches what it imports late; the second makes the calls that all others make.
        for _ in range(2):
            self.restore()
            answer, calls = record(
                self.root / "log", self.published, publish_once, *self.arguments(candidate, expected=expected)
            )
            assert answer == f"Published r{(expected or 0) + 1}"
        self.restore()
        return calls

    def tree(self) -> dict[str, str]:
        """sha256 of every file below ``published``, but for empty lock files."""
        return {
            path.relative_to(self.published).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.published.rglob("*"))
            if path.is_file() and not path.name.endswith(".lock")
        }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path)


#: One output of each way of writing: Python's files, DuckDB's own, a zip that is written back and forth.
LIGHT = ("marts", "database", "annex", "notes", "changes")


@pytest.fixture
def light_home(tmp_path: Path) -> Home:
    """An empty home whose releases have few outputs, for tests that publish often."""
    return Home(tmp_path, LIGHT)

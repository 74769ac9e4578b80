"""A home with one cleared candidate, and publishing from it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import publication
from tests.unit.publication.builders import QUARTER, UNIT, clear_candidate, write_candidate

_ROOT = Path(__file__).parents[3]
_PUBLISH_ONCE = Path(__file__).parent / "publish_once.py"


@dataclass(frozen=True)
class Home:
    """Paths of one home, and the steps that tests take in it."""

    root: Path

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

    def publish(self, candidate: Path, *, expected: int | None = None, **arguments: Any
                ) -> publication.PublishOutcome:
        call: dict[str, Any] = {"unit": UNIT, "quarter": QUARTER, "expected_previous": expected, "code_version": "1.0"}
        return publication.publish(self.published, candidate, self.verdicts, **{**call, **arguments})

    def start(self, candidate: Path, *, expected: int | None = None, environment: Mapping[str, str] | None = None
              ) -> subprocess.Popen[str]:
        """The same publication in a process of its own; prints the outcome's name and release."""
        return subprocess.Popen(
            [sys.executable, str(_PUBLISH_ONCE), str(self.published), str(candidate), str(self.verdicts), UNIT, QUARTER,
             "" if expected is None else str(expected)],
            env={**os.environ, "PYTHONPATH": str(_ROOT), **(environment or {})}, stdout=subprocess.PIPE, text=True,
        )

    def tree(self) -> dict[str, str]:
        """sha256 of every file below ``published``, but for empty lock files."""
        return {
            path.relative_to(self.published).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.published.rglob("*")) if path.is_file() and not path.name.endswith(".lock")
        }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path)

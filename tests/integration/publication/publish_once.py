"""Publishes one candidate and says what came of it: what crash and race tests run in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path

from publication import Published, Refused, Unchanged, publish
from publication.failpoints import ENVIRONMENT_VARIABLE


def publish_once(published: str, candidate: str, verdicts: str, unit: str, quarter: str, expected: str) -> str:
    """The outcome's name and release, e.g. ``Published r2``; ``Refused, stale`` for one whom another forestalled."""
    outcome = publish(Path(published), Path(candidate), Path(verdicts), unit=unit, quarter=quarter,
                      expected_previous=int(expected) if expected else None, code_version="1.0")
    if isinstance(outcome, (Published, Unchanged)):
        return f"{type(outcome).__name__} {outcome.release.name}"
    return "Refused, stale" if isinstance(outcome, Refused) and outcome.stale else type(outcome).__name__


def publish_until(point: str, *arguments: str) -> str:
    """The same with a failpoint set; where the point is passed, the process dies there."""
    os.environ[ENVIRONMENT_VARIABLE] = point
    return publish_once(*arguments)

"""Publishes one candidate and says what came of it: what crash and race tests run in processes of their own."""

from __future__ import annotations

from pathlib import Path

from publication import Published, Refused, outputs, publish
from publication.release import Unchanged

_ALL = outputs.OUTPUTS


def publish_once(
    published: str, candidate: str, verdicts: str, unit: str, quarter: str, expected: str, only: tuple[str, ...] = ()
) -> str:
    """The outcome's name and release, e.g. ``Published r2``; ``Refused, stale`` for one whom another forestalled.

    ``only`` names the outputs that the release has, for tests to which the others are more of the same; () for all.
    """
    outputs.OUTPUTS = chosen_outputs(only)
    outcome = publish(
        Path(published),
        Path(candidate),
        Path(verdicts),
        unit=unit,
        quarter=quarter,
        expected_previous=int(expected) if expected else None,
        code_version="1.0",
    )
    if isinstance(outcome, (Published, Unchanged)):
        return f"{type(outcome).__name__} {outcome.release.name}"
    return "Refused, stale" if isinstance(outcome, Refused) and outcome.stale else type(outcome).__name__


def chosen_outputs(only: tuple[str, ...]) -> tuple[outputs.Output, ...]:
    """The outputs of those names, in order; all where there are none."""
    return tuple(output for output in _ALL if not only or output.name in only)

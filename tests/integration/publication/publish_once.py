"""Publishes one candidate and prints the outcome; run as a process by crash and race tests."""

from __future__ import annotations

import sys
from pathlib import Path

from publication import Published, Unchanged, publish


def main(published: str, candidate: str, verdicts: str, unit: str, quarter: str, expected: str) -> None:
    outcome = publish(Path(published), Path(candidate), Path(verdicts), unit=unit, quarter=quarter,
                      expected_previous=int(expected) if expected else None, code_version="1.0")
    release = outcome.release.name if isinstance(outcome, (Published, Unchanged)) else ""
    sys.stdout.write(f"{type(outcome).__name__} {release}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The command line, ``cchc``. Exit codes: 0 done, 1 held back or rejected input, 2 wrong use, 3 internal failure."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the ``cchc`` command."""
    from common import process

    process.begin()
    from orchestration.cli.app import run_app

    sys.exit(run_app(sys.argv[1:]))

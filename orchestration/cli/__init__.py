"""The command line, ``cchc``. Exit codes: 0 done, 1 held back or rejected input, 2 wrong use, 3 internal failure.

Belongs here: commands and their options (``app``), a module for the words and exit codes of those that belong together.
Does not belong here: doing the work, for which the other modules of ``orchestration`` call the rooms.
"""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Entry point of the ``cchc`` command."""
    # Until the command listens, an interrupt ends it as it ends any program; Python would print where it was.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from orchestration.cli.app import run_app
    from orchestration.cli.terminal import ENDING

    code = run_app(sys.argv[1:])
    # All is done and said. What is left, the interpreter's own end, would be cut short without a word and with another
    # code than the command's.
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)

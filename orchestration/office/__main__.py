"""The page of the offices as a process: ``python -m orchestration.office [--host ADDRESS] [--port PORT]``.

Belongs here: where it listens, under which path. Does not belong here: keeping it going (``ui``, ``deploy/systemd``).
The page asks nobody who they are: it listens on this machine only, unless the setting ``proxy_login`` says that a proxy
with a login stands before it (``web``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from orchestration.cli.terminal import complain
from orchestration.settings import load_settings
from orchestration.web import LOOPBACK, why_not


def main(words: Sequence[str]) -> int:
    """Serves until it is told to end; returns 2 where it may not listen there."""
    options = argparse.ArgumentParser(prog="python -m orchestration.office", allow_abbrev=False)
    options.add_argument("--host", default=LOOPBACK, help="address to listen on")
    options.add_argument("--port", type=int, default=3002)
    options.add_argument("--path-prefix", default="", help="path under which a proxy shows the page")
    asked = options.parse_args(list(words))
    settings = load_settings()
    if why := why_not(settings, asked.host):
        complain(why)
        return 2
    from orchestration.office.app import server

    server(settings, asked.host, asked.port, asked.path_prefix).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

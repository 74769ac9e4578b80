"""The child process that dbt runs in: ``python -m orchestration.dbt_process [--wait] ARGS...``.

With ``--wait`` it parses the project with ARGS, then waits for one line on standard input, a JSON list of arguments,
and runs them on the project already parsed. Without, it runs ARGS. It ends with dbt's exit code.
"""

from __future__ import annotations

import json
import sys


def _exit_code(result: object) -> int:
    """dbt's own codes: 0 done, 1 a node failed, 2 dbt itself failed."""
    if getattr(result, "success", False):
        return 0
    return 2 if getattr(result, "exception", None) else 1


def main(args: list[str]) -> int:
    from dbt.cli.main import dbtRunner

    if args[:1] != ["--wait"]:
        return _exit_code(dbtRunner().invoke(args))
    parsed = dbtRunner().invoke(args[1:])
    line = sys.stdin.readline()
    if not line.strip():
        return 0
    if not parsed.success:
        print(parsed.exception or "dbt could not parse the project", file=sys.stderr)
        return 2
    return _exit_code(dbtRunner(manifest=parsed.result).invoke(json.loads(line)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The child process that dbt runs in: ``python -m orchestration.dbt_process [--wait] ARGS...``.

Belongs here: what happens inside that process. Does not belong here: starting it and hearing what it says (``dbt``).
With ``--wait`` it parses the project with ARGS, then waits for one line on standard input, a JSON list of arguments,
and runs them on the project already parsed; what came of it is left in the target folder (``run_results.json``).
Without, it runs ARGS. It ends with dbt's exit code, or at once where standard input ends: then whoever started it is
gone, and would wait for the warehouse that it holds.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from pathlib import Path

#: Exit code where the process that started this one is gone.
ABANDONED = 137


def _exit_code(result: object) -> int:
    """dbt's own codes: 0 done, 1 a node failed, 2 dbt itself failed."""
    if getattr(result, "success", False):
        return 0
    return 2 if getattr(result, "exception", None) else 1


def main(args: list[str]) -> int:
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.cli.main import dbtRunner

    if args[:1] != ["--wait"]:
        return _exit_code(dbtRunner().invoke(args))
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    parsed = dbtRunner().invoke(args[1:])
    line = lines.get()
    if not parsed.success:
        print(parsed.exception or "dbt could not parse the project", file=sys.stderr)
        return 2
    arguments = json.loads(line)
    done = dbtRunner(manifest=parsed.result).invoke(arguments)
    if isinstance(done.result, RunExecutionResult):
        done.result.write(str(Path(arguments[arguments.index("--target-path") + 1], "run_results.json")))
    return _exit_code(done)


def _listen(lines: queue.SimpleQueue[bytes]) -> None:
    """Hands over the one line, and ends this process when there will be no other reader of what it does."""
    received = b""
    # Read below Python's buffers: their lock, held by a thread, would break the end of the interpreter.
    while part := os.read(0, 65_536):
        complete, received = b"\n" in received, received + part
        if not complete and b"\n" in received:
            lines.put(received)
    os._exit(ABANDONED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

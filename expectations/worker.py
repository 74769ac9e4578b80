"""The gate's own process: Great Expectations is imported there and nowhere else.

Belongs here: starting and warming the process, handing requests over, what a breakdown means.
Does not belong here: the gate run itself.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

from common.faults import is_of_the_machine
from common.forms import HOME_FORMS_ENV, use_forms_of
from expectations.declarations import Stage
from expectations.inspection import MartRequest, RawRequest, did_not_run
from expectations.verdicts import Verdict

_T = TypeVar("_T")
#: How the process begins: a fresh interpreter, in which no threads, locks or open databases are inherited.
START_METHOD = "spawn"


class GateWorker:
    """Runs gates in one child process, started and warmed up at once so that its import overlaps other work.

    Use as a context manager. ``inline=True`` runs in this process instead (tests, single-purpose commands).
    ``environment`` is added to that process's own: how much memory its database may take, and where it spills.
    A breakdown of a gate, or of the process, gives verdicts in which every rule did not run; it never raises them away.
    Only what befalls disk or memory is raised: it ends the run, and holds no unit back.
    """

    def __init__(self, inline: bool = False, environment: Mapping[str, str] | None = None) -> None:
        self._pool: ProcessPoolExecutor | None = None
        if not inline:
            context = multiprocessing.get_context(START_METHOD)
            # Said, not inherited: the process that starts this one may have begun when another home was worked in.
            added = ({**(environment or {}), HOME_FORMS_ENV: os.environ.get(HOME_FORMS_ENV, "")},)
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=added)
            self._warmed: Future[None] = self._pool.submit(warm_up)

    def __enter__(self) -> GateWorker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def check_raw(self, request: RawRequest) -> list[Verdict]:
        """Gate 1 for the units of the request. Raises what befalls disk or memory: no unit is held back for that."""
        try:
            return self._call(_check_raw, request)
        except Exception as error:  # whatever broke, the units must be held back with a verdict that says so
            if is_of_the_machine(error):
                raise
            return did_not_run("raw", request.quarter, request.subject_hashes, _breakdown(error))

    def check_marts(self, request: MartRequest) -> list[Verdict]:
        """Gate 2 for the candidates of the request. Raises as ``check_raw`` does."""
        return self._check_candidates("mart", _check_marts, request)

    def check_provinces(self, request: MartRequest) -> list[Verdict]:
        """The gate of provinces, for the candidates of the request. Raises as ``check_raw`` does."""
        return self._check_candidates("province", _check_provinces, request)

    def _check_candidates(
        self, stage: Stage, check: Callable[[MartRequest], list[Verdict]], request: MartRequest
    ) -> list[Verdict]:
        try:
            return self._call(check, request)
        except Exception as error:  # see check_raw
            if is_of_the_machine(error):
                raise
            hashes = {unit: candidate_hash for unit, (_, candidate_hash) in request.candidates.items()}
            return did_not_run(stage, request.quarter, hashes, _breakdown(error))

    def _call(self, function: Callable[..., _T], *arguments: object) -> _T:
        if self._pool is None:
            return function(*arguments)
        return self._pool.submit(function, *arguments).result()


def _breakdown(error: Exception) -> str:
    if isinstance(error, BrokenProcessPool):
        return "tiến trình kiểm tra kết thúc bất ngờ"
    return f"bước kiểm tra bị lỗi: {type(error).__name__}"


def _begin(environment: Mapping[str, str]) -> None:
    # Great Expectations imports PySpark where it is installed, and with it what would end this process; of Spark the
    # gate asks nothing, so here it is not to be found.
    sys.modules["pyspark"] = None  # type: ignore[assignment]
    os.environ.update(environment)
    if forms := environment.get(HOME_FORMS_ENV):
        use_forms_of(Path(forms))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker of a pool waits for ever where the process that would send it work was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def warm_up() -> None:
    """Imports Great Expectations."""
    import expectations.gate  # noqa: F401


def _check_raw(request: RawRequest) -> list[Verdict]:
    from expectations.gate import Database
    from expectations.inspection import inspect_raw

    return inspect_raw(request, Database)


def _check_marts(request: MartRequest) -> list[Verdict]:
    from expectations.gate import Database
    from expectations.inspection import inspect_marts

    return inspect_marts(request, Database)


def _check_provinces(request: MartRequest) -> list[Verdict]:
    from expectations.gate import Database
    from expectations.inspection import inspect_provinces

    return inspect_provinces(request, Database)

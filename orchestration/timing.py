"""What time it is, and how long each stage of a run takes, for the benchmark and ``--verbose``.

Belongs here: the present as records and messages tell it, seconds by stage. Does not belong here: days
and windows of periods (``common.periods``).
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from common.files import replace_durably
from orchestration.settings import TIME_ZONE


def now() -> dt.datetime:
    """The present second in Viet Nam; for records of when something was done, never for figures."""
    return dt.datetime.now(ZoneInfo(TIME_ZONE)).replace(microsecond=0)


class Timings:
    """Wall seconds by stage; a stage entered again adds up."""

    def __init__(self, on_stage: Callable[[str], None] | None = None) -> None:
        self.started = time.perf_counter()
        self.seconds: dict[str, float] = {}
        self._on_stage = on_stage

    @contextmanager
    def stage(self, name: str, title_vi: str | None = None) -> Iterator[None]:
        """Counts a stage; ``title_vi`` is how people see it while it runs."""
        if self._on_stage is not None and title_vi is not None:
            self._on_stage(title_vi)
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def as_dict(self) -> dict[str, Any]:
        """``{stages: {name: seconds}, total: seconds}``, stages in the order they were first entered."""
        stages = {name: round(seconds, 3) for name, seconds in self.seconds.items()}
        return {"stages": stages, "total": round(time.perf_counter() - self.started, 3)}

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, json.dumps(self.as_dict(), indent=1).encode())

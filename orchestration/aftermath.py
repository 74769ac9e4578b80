"""What a process that was killed left undone: the record of its run is ended, and what it came to is told.

Belongs here: doing that, once, by whoever holds the home's lock next (a run, ``cchc approve`` and ``cchc province``,
the server as it starts, the daily look, ``cchc history``). Does not belong here: ending Dagster's record of such a run
(``liveness``), which the server does when it sees it, and of which its own sensor tells the server's runs.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from orchestration.history import end_killed
from orchestration.liveness import GONE
from orchestration.locks import HomeBusy, one_run_at_a_time, to_stderr
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.telling import tell_failure, tell_untold

_log = logging.getLogger(__name__)


def make_up(pipeline: Pipeline) -> None:
    """Ends and tells what killed processes left. The caller holds the home's lock and has published nothing yet: a new
    release takes the place of an untold one. What cannot be told is named in the log and keeps nobody from his work.
    """
    try:
        for entry in end_killed(pipeline.home):
            if entry.by == "cchc":
                tell_failure(pipeline.settings, entry.quarter, entry.run_id, [], GONE)
        tell_untold(pipeline)
    except Exception:
        _log.exception("what killed processes left is not made up for as it should be")


def make_up_if_free(settings: Settings) -> None:
    """The same where nobody works in the home; else nothing."""
    with (
        suppress(HomeBusy),
        one_run_at_a_time(settings.paths.lock, "xem lại các lượt chạy", to_stderr, wait=False),
    ):
        make_up(Pipeline(settings))

"""Dagster's queue with one word more: by whose login a run was asked for.

Belongs here: what ``dagster.yaml`` names. Does not belong here: who that login may be (``deploy/nginx``, which sets the
header over whatever a browser sends), what is written down of it (``journal``).
Runs that the daemon asks for, of a schedule, a sensor or a backfill, come with no request and so without a login.
"""

from __future__ import annotations

from dagster import DagsterRun, QueuedRunCoordinator
from dagster._core.run_coordinator import SubmitRunContext

from orchestration.journal import LOGIN_TAG

LOGIN_HEADER = "X-Cchc-Login"
_LONGEST_LOGIN = 100


class HomeRunCoordinator(QueuedRunCoordinator):
    """Queues as Dagster does; see "Customizing run queue behavior" in its documentation."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run_id = context.dagster_run.run_id
        # A run may be started again with another's tags, or with any that its starter typed.
        login = (context.get_request_header(LOGIN_HEADER) or "")[:_LONGEST_LOGIN]
        if login or LOGIN_TAG in context.dagster_run.tags:
            self._instance.add_run_tags(run_id, {LOGIN_TAG: login})
        return super().submit_run(context)

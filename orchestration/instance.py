"""Dagster's own storage under the home: its settings file and the instance the command line records runs in.

Belongs here: ``dagster.yaml``, where Dagster's log lines go.
Does not belong here: definitions.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from common.damage import Mended
from common.files import replace_durably
from orchestration.healing import mend_dagster
from orchestration.locks import one_run_at_a_time, to_stderr
from orchestration.record_storage import keep_engines
from orchestration.settings import Settings
from orchestration.timing import now

if TYPE_CHECKING:
    from dagster import DagsterInstance

# Runs are serialised by the home's lock, which the kernel releases with its holder; Dagster's pools, which it does not,
# are not used. A run whose process died without a word is ended at the next look; only crashes are retried.
_TEMPLATE = """\
# Written by cchc; edits are overwritten. Set max_runtime_seconds in cchc.toml.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
run_coordinator:
  module: orchestration.coordinator
  class: HomeRunCoordinator
run_launcher:
  module: orchestration.launcher
  class: HomeRunLauncher
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  max_runtime_seconds: {max_runtime}
  poll_interval_seconds: 15
run_retries:
  enabled: true
  max_retries: 1
  retry_on_asset_or_op_failure: false
retention:
  schedule:
    purge_after_days: 400
  sensor:
    purge_after_days:
      skipped: 7
      success: 90
      failure: 400
python_logs:
  python_log_level: INFO
"""
# Named, not written: Dagster shows this file to whoever looks at its pages.
_POSTGRES = """\
storage:
  postgres:
    postgres_url:
      env: CCHC_DAGSTER_POSTGRES_URL
"""


def write_dagster_yaml(settings: Settings) -> None:
    """Writes ``dagster.yaml`` where it is missing or out of date."""
    path = settings.paths.dagster / "dagster.yaml"
    text = _TEMPLATE.format(max_runtime=settings.max_runtime_seconds)
    if settings.dagster_postgres_url is not None:
        # For this process and those that it starts; a service that starts by itself has it from its environment.
        os.environ["CCHC_DAGSTER_POSTGRES_URL"] = settings.dagster_postgres_url.get_secret_value()
        text += _POSTGRES
    content = text.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != content:
        replace_durably(path, content)


def open_instance(settings: Settings, mended: list[Mended] | None = None, asked: Iterable[str] = ()) -> DagsterInstance:
    """The persistent instance of the home; runs of the command line are seen in the browser too.

    Its databases are made here, by one process at a time: two that make them at once leave them unusable for good.
    Those that are damaged are set aside first and added to ``mended``. It knows the quarters that have begun, and
    those asked for.
    """
    from dagster import DagsterInstance

    from orchestration.partitions import add_quarters

    keep_engines()
    write_dagster_yaml(settings)
    with one_run_at_a_time(settings.paths.dagster / ".lock", "mở sổ ghi các lần chạy", to_stderr):
        found = mend_dagster(settings.paths)
        if mended is not None:
            mended += found
        # Dagster makes addresses of databases from the path, in which a question mark would begin the options.
        instance = DagsterInstance.from_config(str(settings.plain_paths.dagster))
        add_quarters(instance, now().date(), asked)
        return instance

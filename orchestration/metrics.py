"""Figures of a home for Prometheus: one file for the textfile collector of node_exporter.

Belongs here: which figures there are, their names and words. Does not belong here: when they are written
(``history_views``), what is drawn of them (``deploy/grafana``).
A collector reads the file whenever it likes; it is replaced in one step. Labels are codes that do not grow with time,
but for quarters, of which each year adds seven.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from common.files import replacing
from orchestration.history import Ended, Entry, Look
from orchestration.reports import State
from orchestration.settings import Settings

if TYPE_CHECKING:
    from prometheus_client import Metric

#: Every figure: its words and labels.
FIGURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "cchc_runs": ("Runs of which a record is kept, by how they ended.", ("ended",)),
    "cchc_last_run_start_timestamp_seconds": ("When the last run began.", ("asked",)),
    "cchc_last_run_end_timestamp_seconds": ("When the last run ended; none where it was killed.", ("asked",)),
    "cchc_last_run_ended": ("1 for how the last run ended, 0 for how it did not.", ("asked", "ended")),
    "cchc_last_run_exit_code": ("Exit code of the last run; none where it was killed.", ("asked",)),
    "cchc_last_run_seconds": ("How long the last run took.", ("asked",)),
    "cchc_last_run_stage_seconds": ("How long each stage of the last run took.", ("asked", "stage")),
    "cchc_last_run_peak_memory_bytes": ("Largest size of a process of the last run.", ("asked", "process")),
    "cchc_quarter_rows": (
        "Rows of deliveries in the last run of a quarter, by what became of them.",
        ("quarter", "rows"),
    ),
    "cchc_quarter_units": ("Units in the last run of a quarter, by what it came to for them.", ("quarter", "state")),
    "cchc_quarter_findings": ("Rows that rules found in the last run of a quarter.", ("quarter",)),
    "cchc_quarter_findings_waived": ("Those of them that decisions settle.", ("quarter",)),
    "cchc_quarter_last_success_timestamp_seconds": ("When a run of the quarter last ended well.", ("quarter",)),
    "cchc_home_disk_bytes": ("Disk used by each folder of the home.", ("part",)),
    "cchc_home_disk_free_bytes": ("Free space on the disk of the home.", ()),
    "cchc_home_disk_size_bytes": ("Size of the disk of the home.", ()),
    "cchc_daily_look_timestamp_seconds": ("When the daily look was last made.", ()),
    "cchc_daily_look_found": ("What the last daily look found, by kind of alert.", ("kind",)),
    "cchc_alerts_owed": ("Alerts that an address has not taken yet, at the last daily look.", ()),
}
Sample = tuple[str, tuple[str, ...], float]


def write_metrics(settings: Settings, records: Sequence[Entry], look: Look | None) -> None:
    """Writes the file from the records, oldest first, and the last daily look."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector

    class Figures(Collector):
        def collect(self) -> Iterator[Metric]:
            families = {name: GaugeMetricFamily(name, words, labels=of) for name, (words, of) in FIGURES.items()}
            for name, labels, value in _samples(records, look):
                families[name].add_metric(labels, value)
            yield from families.values()

    registry = CollectorRegistry()
    registry.register(Figures())
    path = settings.metrics_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        os.fchmod(stream.fileno(), 0o644)  # the collector is another account, and there is nothing private in it
        stream.write(generate_latest(registry))


def _samples(records: Sequence[Entry], look: Look | None) -> Iterator[Sample]:
    over = [entry for entry in records if entry.over]
    for ended in sorted({entry.ended for entry in records}):
        yield "cchc_runs", (ended,), sum(entry.ended == ended for entry in records)
    for entry in {entry.asked: entry for entry in over}.values():
        yield from _of_last_run(entry)
    for entry in {entry.quarter: entry for entry in over if entry.asked == "run" and entry.ended_at}.values():
        yield from _of_quarter(entry)
    for entry in {entry.quarter: entry for entry in over if entry.asked == "run" and entry.ended == "done"}.values():
        assert entry.ended_at
        yield "cchc_quarter_last_success_timestamp_seconds", (entry.quarter,), entry.ended_at.timestamp()
    if look:
        yield "cchc_daily_look_timestamp_seconds", (), look.at.timestamp()
        yield "cchc_alerts_owed", (), look.owed
        for kind, count in look.found.items():
            yield "cchc_daily_look_found", (kind,), count
    measured = [(entry.ended_at, entry.space) for entry in over if entry.ended_at and entry.space]
    measured += [(look.at, look.space)] if look else []
    if measured:
        _, space = max(measured, key=lambda one: one[0])
        yield "cchc_home_disk_free_bytes", (), space.free
        yield "cchc_home_disk_size_bytes", (), space.total
        for part, used in space.used.items():
            yield "cchc_home_disk_bytes", (part,), used


def _of_last_run(entry: Entry) -> Iterator[Sample]:
    yield "cchc_last_run_start_timestamp_seconds", (entry.asked,), entry.started_at.timestamp()
    if entry.ended_at:
        yield "cchc_last_run_end_timestamp_seconds", (entry.asked,), entry.ended_at.timestamp()
    for ended in get_args(Ended):
        yield "cchc_last_run_ended", (entry.asked, ended), entry.ended == ended
    if entry.exit_code is not None:
        yield "cchc_last_run_exit_code", (entry.asked,), entry.exit_code
    if entry.seconds is not None:
        yield "cchc_last_run_seconds", (entry.asked,), entry.seconds
    for stage, seconds in entry.stages.items():
        yield "cchc_last_run_stage_seconds", (entry.asked, stage), seconds
    for process, size in (("own", entry.peak_memory), ("child", entry.peak_memory_children)):
        if size is not None:
            yield "cchc_last_run_peak_memory_bytes", (entry.asked, process), size


def _of_quarter(entry: Entry) -> Iterator[Sample]:
    states = [unit.state for unit in entry.units]
    for state in get_args(State):
        yield "cchc_quarter_units", (entry.quarter, state), states.count(state)
    yield "cchc_quarter_findings", (entry.quarter,), entry.total("findings")
    yield "cchc_quarter_findings_waived", (entry.quarter,), entry.total("waived")
    if entry.intake:
        for what in ("read", "accepted", "rejected", "with_findings"):
            yield "cchc_quarter_rows", (entry.quarter, what), getattr(entry.intake, f"rows_{what}")

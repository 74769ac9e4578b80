"""``cchc rebuild``: everything of a home that follows from something else, checked whole and made again.

Belongs here: the order of the command and its answer. Does not belong here: what is mended and how (``healing``).
A run mends what it meets; this command reads every original and every release as well, and builds the warehouse anew.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from common.damage import RESTORE_VI
from ingestion import DamagedError
from orchestration.cli.overview import verify_releases
from orchestration.cli.runs import Stage, execute
from orchestration.healing import mend, mend_dagster
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.spark import is_engine


def rebuilt(settings: Settings, *, dry_run: bool) -> tuple[list[str], dict[str, Any], bool]:
    """Mends the home; lines, document, and whether all of it is sound now. The caller holds the home's lock.

    Damage that nothing can be made from is named, and what does not hang on it is made again all the same.
    """
    from publication import all_releases, rebuild_index

    pipeline = Pipeline(settings)
    home, record = pipeline.home, pipeline.record
    with suppress(DamagedError):  # the record has it, file by file
        mend(pipeline, thorough=True, dry_run=dry_run)
    if not dry_run:
        record.mended += mend_dagster(home)
    lines = [mended.line_vi(done=not dry_run) for mended in record.mended]
    broken: dict[str, str] = {}
    quarter = None if record.damaged else _quarter_to_build(pipeline)
    if quarter is not None:
        if not dry_run:
            home.warehouse_file.unlink(missing_ok=True)  # a build of Spark empties what it builds in by itself
            try:
                broken = execute(pipeline, Stage.BUILD, quarter, [], verbose=False).broken_steps
            finally:
                pipeline.close()
        made = home.spark_tables if is_engine(settings) else home.warehouse_file
        verb = "sẽ dựng lại" if dry_run else "đã dựng lại"
        lines += [f"bước {step} hỏng: {why}" for step, why in broken.items()] or [
            f"{made}: {verb} từ kho dữ liệu thô, kỳ {quarter}"
        ]
    record.damaged += [f"{problem.path}: {problem.message_vi}" for problem in record.problems]
    releases = all_releases(home.published)
    if releases:
        if not dry_run:
            rebuild_index(home.published, from_releases=True)
        lines.append(f"{home.published / 'index.html'}: {'sẽ' if dry_run else 'đã'} lập lại từ các bản công bố")
    told, document, whole = verify_releases(releases)
    lines += [*told, *(f"HƯ HẠI: {lost}" for lost in record.damaged)]
    if not whole:
        lines.append(f"bản công bố hư hại: {RESTORE_VI}")
    sound = whole and not record.damaged and not broken
    lines.append("thư mục làm việc nguyên vẹn" if sound else "còn hư hại mà hệ thống không tự dựng lại được, xem trên")
    document |= {
        "dry_run": dry_run,
        "quarter": quarter,
        "mended": [asdict(mended) for mended in record.mended],
        "damaged": record.damaged,
        "broken_steps": broken,
    }
    return lines, document, sound


def _quarter_to_build(pipeline: Pipeline) -> str | None:
    """The quarter that the warehouse was last built for, else the last with deliveries; None where there is none."""
    try:
        last = pipeline.home.run_scope.read_text().splitlines()[1].partition(",")[0]
    except (OSError, IndexError, UnicodeDecodeError):
        last = ""
    try:
        known = pipeline.deliveries.quarters()
    except DamagedError:  # only where nothing is to be mended but told
        return last or None
    return last if last in known else known[-1] if known else None

"""What became of the copy in PostgreSQL, and ``cchc postgres``, which makes it for every current release.

Belongs here: words and exit codes. Does not belong here: copying (``publication``), when a run copies (``assets``).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from orchestration.cli.runs import alone
from orchestration.cli.terminal import Exit, WrongUse
from orchestration.pipeline import Pipeline

_STATES_VI = {
    "copied": "đã chép",
    "present": "đã có sẵn",
    "superseded": "bỏ qua, vừa có bản mới hơn",
}


def copied_lines(pipeline: Pipeline) -> list[str]:
    """One line a release that the last copy was asked for, in order; a failure says that the release itself stands."""
    lines = []
    for place, copy in sorted(pipeline.record.copies.items()):
        if isinstance(copy, Exception):
            lines.append(f"PostgreSQL, {place}: KHÔNG CHÉP ĐƯỢC, {copy}")
            lines.append("  - bản công bố vẫn có hiệu lực; lần chạy sau sẽ chép lại")
            continue
        lines.append(f"PostgreSQL, {copy.release}: {_STATES_VI[copy.state]}")
        if copy.state == "copied":
            lines[-1] += f" {copy.rows} dòng vào {copy.tables} bảng"
        if copy.note_vi:
            lines.append(f"  - {copy.note_vi}")
    return lines


def copied_document(pipeline: Pipeline) -> dict[str, Any]:
    """The same as data, by ``unit/quarter``."""
    return {
        place: {"state": "failed", "message": str(copy)} if isinstance(copy, Exception) else asdict(copy)
        for place, copy in sorted(pipeline.record.copies.items())
    }


def with_copies(code: Exit, pipeline: Pipeline) -> Exit:
    """The exit code of a run, made worse where a release could not be copied."""
    failed = any(isinstance(copy, Exception) for copy in pipeline.record.copies.values())
    return Exit.HELD_BACK if failed and code is Exit.DONE else code


def copy_all(pipeline: Pipeline) -> tuple[list[str], dict[str, Any], Exit]:
    """Lines, data and exit code of ``cchc postgres``. Raises ``WrongUse`` where no server is set."""
    if pipeline.settings.postgres_url is None:
        raise WrongUse("chưa đặt postgres_url (CCHC_POSTGRES_URL)")
    from orchestration.postgres import copy_home

    with alone(pipeline.settings, "cchc postgres"):
        copy_home(pipeline)
    lines = copied_lines(pipeline) or ["chưa có bản công bố nào"]
    return lines, {"postgres": copied_document(pipeline)}, with_copies(Exit.DONE, pipeline)

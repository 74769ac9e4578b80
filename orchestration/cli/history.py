"""``cchc history``: the runs there were, as a table or as data.

Belongs here: which records are asked for, and their columns. Does not belong here: records (``orchestration.history``).
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from orchestration.aftermath import make_up_if_free
from orchestration.history import Entry, entries
from orchestration.history_views import ASKED_VI, ENDED_VI
from orchestration.reports import STATE_VI
from orchestration.settings import Settings

_HEAD = ("bắt đầu", "kỳ", "việc", "kết thúc", "mã", "giây", "dòng đọc", "trả lại", "vi phạm", "giải trình")
_NUMBERS = range(4, len(_HEAD))


def answer(settings: Settings, quarter: str, unit: str, last: int) -> tuple[list[str], dict[str, Any]]:
    """Lines and document of the newest ``last`` runs, newest first; of one quarter or unit where they are named."""
    if settings.home.is_dir():
        with suppress(OSError):  # who may only read is told what was written
            make_up_if_free(settings)
    found = [
        entry
        for entry in entries(settings.paths)
        if (not quarter or entry.quarter == quarter) and (not unit or any(one.unit_code == unit for one in entry.units))
    ][-last:][::-1]
    document = {"runs": [json.loads(entry.model_dump_json()) for entry in found]}
    if not found:
        return ["chưa có lượt chạy nào được ghi lại"], document
    table = [_HEAD, *map(_cells, found)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    lines = [_line(_HEAD, widths)]
    for entry, row in zip(found, table[1:], strict=True):
        lines += [_line(row, widths), *(f"    {text}" for text in _below(entry, unit))]
    return lines, document


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (
        text.rjust(width) if column in _NUMBERS else text.ljust(width)
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def _cells(entry: Entry) -> tuple[str, ...]:
    intake = entry.intake
    return (
        f"{entry.started_at:%d/%m/%Y %H:%M:%S}",
        entry.quarter,
        ASKED_VI[entry.asked],
        ENDED_VI[entry.ended],
        "–" if entry.exit_code is None else str(entry.exit_code),
        "–" if entry.seconds is None else f"{entry.seconds:.0f}",
        str(intake.rows_read) if intake else "–",
        str(intake.rows_rejected) if intake else "–",
        str(entry.total("findings")),
        str(entry.total("waived")),
    )


def _below(entry: Entry, unit: str) -> list[str]:
    """What broke, and the units that have a new release or none; of one that is asked for, whatever it came to."""
    lines = [f"bước {step} hỏng: {why}" if step else f"hỏng: {why}" for step, why in entry.broken.items()]
    for one in entry.units:
        if one.unit_code == unit or one.unit_code in entry.held or one.release in entry.published:
            release = f" {one.release}" if one.release else ""
            blocking = f", {one.blocking} quy tắc không đạt" if one.blocking else ""
            lines.append(f"{one.unit_code} {one.name}: {STATE_VI[one.state]}{release}{blocking}")
    return lines

"""What keeps a home in order: ``cchc purge`` and ``cchc prepare``.

Belongs here: the words of the answers. Does not belong here: what is past its time (``ingestion``), what a server needs
(``orchestration.ui``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import asdict
from typing import Any

from ingestion import expired_files, purge
from orchestration.cli.terminal import WrongUse, asked_path
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings

_KINDS_VI = {
    "original": "bản gốc",
    "rejection_workbook": "bảng tính dòng bị trả lại",
    "landing_file": "tệp trong thư mục nhận",
    "returned_values": "tệp giá trị bị trả lại hoặc có nhận xét (chỉ xóa giá trị)",
}


def day_of(text: str) -> dt.date:
    """The date of an option; raises ``WrongUse`` where it is none."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise WrongUse(f"không phải ngày dạng 2026-12-31: {text!r}") from error


def purged(pipeline: Pipeline, today: dt.date, *, dry_run: bool) -> tuple[list[str], dict[str, Any]]:
    """Deletes what is past its time, or with ``dry_run`` says what would be; lines and document of the answer."""
    days = pipeline.settings.retention_days
    act = expired_files if dry_run else purge
    files = act(pipeline.deliveries.paths, pipeline.units.reference, days, today)
    counts = Counter(file.kind for file in files)
    verb = "sẽ xóa" if dry_run else "đã xóa"
    lines = [f"{verb} {count} {_KINDS_VI[kind]}" for kind, count in sorted(counts.items())]
    head = f"thời hạn lưu {days} ngày, tính đến {today:%d/%m/%Y}"
    document = {
        "today": today.isoformat(),
        "retention_days": days,
        "dry_run": dry_run,
        "files": [asdict(file) for file in files],
        "bytes": sum(file.size_bytes for file in files),
    }
    return [head, *(lines or ["không có gì quá thời hạn"])], document


def prepared(settings: Settings) -> tuple[list[str], dict[str, Any]]:
    """Makes in the home what Dagster's processes need before they start; lines and document of the answer."""
    from orchestration.ui import prepare

    with asked_path(settings.home, "không dùng được thư mục"):
        prepare(settings)
    return [f"đã chuẩn bị {settings.home}"], {"home": str(settings.home)}

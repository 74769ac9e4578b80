"""What keeps a home in order: ``cchc prepare``, ``purge``, ``verify``, ``watch``, ``backup``, ``restore``.

Belongs here: the words of the answers. Does not belong here: what is past its time (``ingestion``), what is worth an
alert (``watchman``), what is copied (``backup``), what a server needs (``orchestration.ui``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ingestion import check_store, expired_files, purge
from orchestration.backup import HomeNotEmpty, back_up, restore
from orchestration.causes import cause_vi
from orchestration.cli import attachments
from orchestration.cli.overview import verify_releases
from orchestration.cli.terminal import WrongUse, asked_path
from orchestration.journal import check_journal
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.timing import now

_KINDS_VI = {
    "original": "bản gốc",
    "rejection_workbook": "bảng tính dòng bị trả lại",
    "landing_file": "tệp trong thư mục nhận",
    "returned_values": "tệp giá trị bị trả lại hoặc có nhận xét (chỉ xóa giá trị)",
    "set_aside": "tệp đã để riêng",
}


def day_of(text: str) -> dt.date:
    """The date of an option; raises ``WrongUse`` where it is none."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise WrongUse(f"không phải ngày dạng 2026-12-31: {text!r}") from error


def purged(pipeline: Pipeline, today: dt.date, *, dry_run: bool) -> tuple[list[str], dict[str, Any], bool]:
    """Deletes what is past its time, or with ``dry_run`` says what would be; lines, document, and whether all went."""
    days = pipeline.settings.retention_days
    asked = (pipeline.deliveries.paths, pipeline.units.reference, days, today)
    files, left = expired_files(*asked), {}
    if not dry_run:
        if files:
            pipeline.journal.note("purge", files=len(files))
        done = purge(*asked)
        files = done.deleted
        left = {file.path: cause_vi(why, pipeline.settings) or why for file, why in done.left.items()}
    counts = Counter(file.kind for file in files)
    verb = "sẽ xóa" if dry_run else "đã xóa"
    lines = [f"{verb} {count} {_KINDS_VI[kind]}" for kind, count in sorted(counts.items())]
    lines += [f"không xóa được {path}: {why}" for path, why in left.items()]
    head = f"thời hạn lưu {days} ngày, tính đến {today:%d/%m/%Y}"
    document = {
        "today": today.isoformat(),
        "retention_days": days,
        "dry_run": dry_run,
        "files": [asdict(file) for file in files],
        "bytes": sum(file.size_bytes for file in files),
        "left": left,
    }
    return [head, *(lines or ["không có gì quá thời hạn"])], document, not left


def backed_up(settings: Settings, repository: str) -> tuple[list[str], dict[str, Any]]:
    """Copies the home; lines and document of the answer."""
    copy = back_up(settings, repository)
    lines = [f"đã sao lưu {copy.files} tệp vào {repository}: bản {copy.snapshot[:8]}, ghi thêm {copy.bytes_added} byte"]
    if settings.backup_key is None:
        lines.append("chưa đặt backup_key: ai có thư mục sao lưu đều đọc được hồ sơ trong đó")
    return lines, {"repository": repository, **asdict(copy)}


def restored(settings: Settings, repository: str, snapshot: str) -> tuple[list[str], dict[str, Any], bool]:
    """Makes the home again; lines, document, and whether all that came back is what it was."""
    from publication import all_releases

    try:
        links = restore(settings, repository, snapshot)
    except HomeNotEmpty as error:
        raise WrongUse(f"{error} không trống; đặt CCHC_HOME là một thư mục mới") from error
    pipeline = Pipeline(settings)
    check_store(pipeline.deliveries.paths)
    lines, document, whole = verified(settings, all_releases(settings.paths.published))
    pipeline.journal.note("restore", snapshot=snapshot)
    told = [f"bản sao chỉ giữ liên kết thay cho {part}, không có tệp nào trong đó; lấy từ nơi khác" for part in links]
    document = {"home": str(settings.home), "not_copied": links, **document}
    return [f"đã dựng lại {settings.home} từ {repository}", *told, *lines], document, whole and not links


def verified(settings: Settings, folders: list[Path]) -> tuple[list[str], dict[str, Any], bool]:
    """Reads releases, what is made from them, and the journal of who did what; lines, document, and whether all is what
    it was. Files beside the pointers that the next run makes again are told, and are no damage.
    """
    from publication import mend_published

    lines, document, whole = verify_releases(folders)
    signed_lines, signed, signed_whole = attachments.checked(settings.paths.published)
    journal = check_journal(settings.paths)
    document |= {"signed": signed, "journal": asdict(journal)}
    derived = mend_published(settings.paths.published, dry_run=True).mended
    document["to_mend"] = [asdict(one) for one in derived]
    told = [f"{one.line_vi(done=False)} (ở lần chạy sau, hoặc bằng cchc rebuild)" for one in derived]
    return [*lines, *signed_lines, *told, *journal.lines_vi()], document, whole and signed_whole and not journal.damages


def watched(settings: Settings, today: dt.date) -> tuple[list[str], dict[str, Any]]:
    """Makes the daily look of a day; lines and document of the answer."""
    from orchestration.instance import open_instance
    from orchestration.watchman import look

    with asked_path(settings.home, "không dùng được thư mục"):
        settings.paths.create()
    with open_instance(settings) as instance:
        found = look(Pipeline(settings), today, instance)
    lines = [line for alert in found.found for line in (alert.title_vi, *(f"  - {text}" for text in alert.lines_vi))]
    lines = lines or ["không có gì cần báo"]
    if found.owed:
        lines.append(f"{found.owed} cảnh báo chưa gửi được; lần sau gửi lại")
    at = now().isoformat()
    document = {
        "today": today.isoformat(),
        "found": [alert.line(at) for alert in found.found],
        "told": len(found.told),
        "owed": found.owed,
    }
    return lines, document


def prepared(settings: Settings) -> tuple[list[str], dict[str, Any]]:
    """Makes in the home what Dagster's processes need before they start; lines and document of the answer."""
    from orchestration.ui import prepare

    with asked_path(settings.home, "không dùng được thư mục"):
        prepare(settings)
    return [f"đã chuẩn bị {settings.home}"], {"home": str(settings.home)}

"""``cchc form``: bringing a department's annex, what is missing of a form, and confirming it.

Belongs here: words and exit codes. Does not belong here: writing and judging a form's folder (``brought_forms``).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from common.units import registered
from ingestion import NoAnnex
from orchestration.brought_forms import (
    MATCHES_CSV,
    NoForm,
    confirm_form,
    default_id,
    faults_of,
    import_form,
    standing_of,
)
from orchestration.cli.terminal import Exit, WrongUse, asked_path
from orchestration.pipeline import Pipeline

_LEVELS = {"district": "district", "huyện": "district", "huyen": "district",
           "commune": "commune", "xã": "commune", "xa": "commune"}  # fmt: skip


def bring(
    pipeline: Pipeline, workbook: Path, issuer: str, level: str, valid_from: dt.date, form_id: str | None, title: str
) -> tuple[list[str], dict[str, Any], Exit]:
    """Lines, data and exit code of ``cchc form import``."""
    if level.casefold() not in _LEVELS:
        raise WrongUse(f"không có cấp {level!r}; dùng commune (xã) hoặc district (huyện)")
    known = _LEVELS[level.casefold()]
    province = next(
        (u for u in registered().units
         if u.code == issuer and u.level == "province" and u.valid_on(valid_from)),
        None,
    )  # fmt: skip
    if province is None:
        raise WrongUse(f"không có tỉnh, thành phố nào mang mã {issuer} vào ngày {valid_from:%d/%m/%Y}")
    with asked_path(workbook, "không mở được tệp"), workbook.open("rb"):
        pass
    try:
        done = import_form(
            pipeline.home.forms,
            workbook,
            form_id=form_id or default_id(issuer, known, valid_from),
            title_vi=title,
            issuer=issuer,
            level=known,
            valid_from=valid_from,
        )
    except (NoForm, NoAnnex) as error:
        raise WrongUse(str(error)) from None
    name, counts = done.folder.name, dict(sorted(done.counts.items()))
    lines = [
        f"{done.folder}: {sum(counts.values())} dòng, đối chiếu với biểu {done.before.form} ({province.name})",
        "  " + "; ".join(f"{words}: {count}" for words, count in counts.items()),
        f"  {len(done.ended)} chỉ tiêu của biểu trước không còn" + (f": {', '.join(done.ended)}" if done.ended else ""),
    ]
    if done.open_lines:
        lines.append(
            f"  còn {done.open_lines} dòng chờ quyết định: mở {done.folder / MATCHES_CSV}, điền cột quyet_dinh "
            "(đúng, mới, bỏ hoặc mã chỉ tiêu), rồi chạy lại đúng lệnh này"
        )
    lines.append(f"  sau đó: cchc form check {name}; cchc form confirm {name} --by “chức vụ, cơ quan”")
    document = {"form": name, "folder": str(done.folder), "before": done.before.form, "lines": counts,
                "ended": list(done.ended), "undecided": done.open_lines}  # fmt: skip
    return lines, document, Exit.DONE


def check(pipeline: Pipeline, form_id: str | None) -> tuple[list[str], dict[str, Any], Exit]:
    """Lines, data and exit code of ``cchc form check``."""
    home = pipeline.home.forms
    if form_id is None:
        found = standing_of(home)
        lines = [
            f"{name}: {'đã xác nhận' if is_confirmed else 'CHƯA XÁC NHẬN, chưa công bố gì'}"
            + (f", còn {missing} điểm" if missing else "")
            for name, is_confirmed, missing in found
        ]
        document: dict[str, Any] = {
            "forms": [{"form": name, "confirmed": done, "missing": missing} for name, done, missing in found]
        }
        unready = any(not done or missing for _, done, missing in found)
        return lines or [f"{home}: chưa có biểu mẫu nào của đơn vị"], document, Exit(int(unready))
    folder = home / form_id
    if not folder.is_dir():
        raise WrongUse(f"không có biểu mẫu {form_id} trong {home}")
    faults = faults_of(folder)
    is_confirmed = (form_id, True) in [(name, done) for name, done, _ in standing_of(home)]
    lines = [f"{form_id}: {fault}" for fault in faults]
    if not faults:
        ready = "đã đủ và đã xác nhận" if is_confirmed else f"đã đủ; xác nhận bằng cchc form confirm {form_id} --by …"
        lines = [f"{form_id}: {ready}"]
    held = bool(faults) or not is_confirmed
    return lines, {"form": form_id, "confirmed": is_confirmed, "missing": faults}, Exit(int(held))


def take(pipeline: Pipeline, form_id: str, by: str, on: dt.date) -> tuple[list[str], dict[str, Any]]:
    """Lines and data of ``cchc form confirm``."""
    if not by.strip():
        raise WrongUse("ghi --by: chức vụ, cơ quan người xác nhận")
    try:
        form = confirm_form(pipeline.home.forms, form_id, by.strip(), on)
    except NoForm as error:
        raise WrongUse(str(error)) from None
    pipeline.journal.note("confirm_form", form=form_id, by=by.strip(), sha256=form.fingerprint or "")
    lines = [f"{form_id}: đã xác nhận, dùng từ kỳ chốt {form.valid_from:%d/%m/%Y}; {len(form.rows)} dòng"]
    return lines, {"form": form_id, "sha256": form.fingerprint, "rows": len(form.rows)}

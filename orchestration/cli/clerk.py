"""What a clerk asks before delivering: is my file right, and what should it look like.

Belongs here: ``cchc check-file`` and ``cchc template``: whose file it is taken for, and the words of the answer.
Does not belong here: reading files (``ingestion``).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from common.periods import find_period
from ingestion import CheckedFile, check_file, load_contracts, write_template
from orchestration.cli.terminal import Exit, WrongUse, asked_path
from orchestration.office import WOULD_BE_VI
from orchestration.pipeline import Pipeline
from orchestration.review import SOURCE as DECISIONS
from orchestration.review import check_register
from orchestration.units import ReportingUnits

SHOWN = 20


def known_source(source: str) -> str:
    """The source itself; raises ``WrongUse`` where there is no such source, and says which there are."""
    contracts = load_contracts()
    if source not in contracts:
        names = "; ".join(f"{name} ({contract.title_vi})" for name, contract in contracts.items())
        raise WrongUse(f"không có nguồn số liệu {source!r}; các nguồn: {names}")
    return source


def place_of(pipeline: Pipeline, path: Path, unit: str | None, quarter: str | None) -> tuple[str, str]:
    """The unit and quarter a file is checked for: as asked, else by its landing folder, else by what the home knows.

    Raises ``WrongUse`` where neither tells.
    """
    register = pipeline.units
    folder_unit, folder_quarter = _folder_of(register, path)
    delivered = pipeline.deliveries.quarters() if quarter is None and folder_quarter is None else []
    quarter = quarter or folder_quarter or (delivered[-1] if delivered else None)
    if quarter is None:
        raise WrongUse("chưa rõ tệp thuộc kỳ nào; thêm --quarter, ví dụ --quarter 2023-Q1")
    units = {p.name for p in pipeline.home.landing.glob("*") if os.path.isdir(p)}
    units |= {row["unit_code"] for row in pipeline.deliveries.receipts(quarter)}
    reporting = sorted({register.reporting_unit(u, quarter) for u in units if register.exists(u, quarter)})
    unit = unit or folder_unit or (reporting[0] if len(reporting) == 1 else None)
    if unit is None:
        raise WrongUse("chưa rõ tệp của đơn vị nào; thêm --unit, ví dụ --unit 945")
    register.role_of(unit, quarter)
    return unit, quarter


def _folder_of(register: ReportingUnits, path: Path) -> tuple[str | None, str | None]:
    """Unit and quarter of a file that lies in ``<unit>/<quarter>/<source>/``."""
    parts = path.absolute().parts
    if len(parts) >= 4 and find_period(parts[-3]):
        unit, quarter = parts[-4], parts[-3]
        if register.exists(unit, quarter) or register.is_superior(unit, quarter):
            return unit, quarter
    return None, None


def checked(pipeline: Pipeline, source: str, path: Path, unit: str, quarter: str) -> CheckedFile:
    """The file tried out; raises ``WrongUse`` where it cannot even be copied."""
    with asked_path(path, "không mở được tệp"):
        path.stat()
        with path.open("rb"):
            pass
    return check_file(
        pipeline.deliveries.paths,
        source,
        path,
        unit,
        quarter,
        reference=pipeline.units.reference,
        limits=pipeline.settings.intake,
        signers=pipeline.settings.signers(),
        with_rows=source == DECISIONS,
    )


def answer(found: CheckedFile, out: Path | None) -> tuple[list[str], dict[str, Any], Exit]:
    """Lines for people, the document for machines, and how the command ends. Writes the workbook where asked."""
    written = _written(found, out)
    lines = [
        f"{found.file_name} ({found.source}, {found.unit_code}, {found.quarter}): {WOULD_BE_VI[found.outcome]}",
        f"  đọc {found.rows_read} dòng: nhận {found.rows_accepted}, trả lại {found.rows_rejected}, "
        f"nhắc {found.rows_with_findings}",
    ]
    if found.message_vi:
        lines.append(f"  {found.message_vi}")
    if found.unknown_columns:
        lines.append(f"  cột không dùng đến: {', '.join(found.unknown_columns)}")
    lines += _remark_lines("trả lại", found.rejections) + _remark_lines("nhắc", found.findings)
    if written:
        lines.append(f"  các dòng bị trả lại: {written}")
    document = {
        "source": found.source,
        "unit_code": found.unit_code,
        "quarter": found.quarter,
        "file": found.file_name,
        "outcome": found.outcome,
        "message_vi": found.message_vi,
        "rows_read": found.rows_read,
        "rows_accepted": found.rows_accepted,
        "rows_rejected": found.rows_rejected,
        "rows_with_findings": found.rows_with_findings,
        "unknown_columns": list(found.unknown_columns),
        "rejections": [_as_dict(r) for r in found.rejections],
        "findings": [_as_dict(r) for r in found.findings],
        "workbook": str(written) if written else None,
    }
    return lines, document, Exit.DONE if found.would_be_taken else Exit.HELD_BACK


def against_findings(
    pipeline: Pipeline, found: CheckedFile, told: tuple[list[str], dict[str, Any], Exit]
) -> tuple[list[str], dict[str, Any], Exit]:
    """The answer about a register of decisions, with what each line would settle and change, or why it does not."""
    lines, document, code = told
    if found.outcome not in ("accepted", "partly_accepted", "nothing_to_report"):
        return told
    if found.outcome == "nothing_to_report" and found.message_vi:
        lines[0] = lines[0].replace(WOULD_BE_VI["nothing_to_report"], "chưa có dòng nào được quyết định")
        code = Exit.HELD_BACK
    checked = check_register(pipeline, found.unit_code, found.quarter, found.file_name, found.accepted)
    action = load_contracts()[DECISIONS].column("action").labels
    for one in checked.lines:
        line = one.line
        lines.append(f"  {line.place_vi}: {line.decision_id}, {action[line.action][0].lower()}")
        lines += [f"    ứng với: {match}" for match in one.matches_vi[:SHOWN]]
        if len(one.matches_vi) > SHOWN:
            lines.append(f"    … và {len(one.matches_vi) - SHOWN} điểm khác")
        lines += [f"    sẽ làm: {one.changes_vi}"] if one.changes_vi else []
        lines += [f"    LỖI: {problem}" for problem in one.problems_vi]
    lines += [f"  {remark}" for remark in checked.remarks_vi]
    document["decisions"] = [
        {
            **{name: getattr(one.line, name) for name in ("decision_id", "subject_kind", "subject", "action")},
            "place_vi": one.line.place_vi,
            "matches_vi": one.matches_vi,
            "changes_vi": one.changes_vi,
            "problems_vi": one.problems_vi,
        }
        for one in checked.lines
    ]
    document["remarks_vi"] = list(checked.remarks_vi)
    return lines, document, code if checked.settles_all else Exit.HELD_BACK


def _remark_lines(verb: str, records: tuple[dict[str, Any], ...]) -> list[str]:
    lines = [f"  {verb} dòng {r['_row']} ({r['_sheet']}): {r['reason_vi']}. {r['advice_vi']}" for r in records[:SHOWN]]
    rest = len(records) - SHOWN
    return [*lines, f"  … và {rest} lý do khác"] if rest > 0 else lines


def _as_dict(record: dict[str, Any]) -> dict[str, Any]:
    shown = ("column", "value", "reason_code", "reason_vi", "advice_vi")
    return {"sheet": record["_sheet"], "row": record["_row"], **{name: record[name] for name in shown}}


def _written(found: CheckedFile, out: Path | None) -> Path | None:
    if out is None or found.workbook is None:
        return None
    write_file(out, found.workbook)
    return out


def template(pipeline: Pipeline, source: str, unit: str | None, quarter: str | None, out: Path | None) -> Path:
    """Writes a template and returns its path. A unit needs its quarter: names are valid on dates.

    A source that people write is a text to write into, unless a workbook is asked for by the name of the file.
    """
    if unit and not quarter:
        raise WrongUse("thêm --quarter: tên đơn vị và thủ tục đổi theo kỳ")
    if unit and quarter:
        pipeline.units.role_of(unit, quarter)
    is_prose = load_contracts()[source].prose is not None
    suffix = ".txt" if is_prose else ".xlsx"
    path = out or Path("-".join(["mau", source, *([unit] if unit else []), *([quarter] if quarter else [])]) + suffix)
    as_text = is_prose and path.suffix.lower() != ".xlsx"
    data = write_template(
        pipeline.deliveries.paths, source, unit, quarter, reference=pipeline.units.reference, as_text=as_text
    )
    write_file(path, data)
    return path


def write_file(path: Path, data: bytes) -> None:
    """Puts a file where the clerk asked for it, whole or not at all, readable by its owner only."""
    if not os.path.isdir(path.parent):  # a name too long is no folder either
        raise WrongUse(f"không có thư mục {path.parent}")
    with asked_path(path, "không ghi được tệp"):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".cchc-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)

"""What a written report says against what is published.

Belongs here: ``cchc check-report``: which release is asked, the words of the answer.
Does not belong here: reading reports, finding figures, comparing them (``publication``).
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli.terminal import Exit, WrongUse
from orchestration.settings import Settings

if TYPE_CHECKING:
    from publication import FigureCheck, Release, ReportCheck, TableRowCheck, TextRemark

_VERDICTS_VI = {"agrees": "KHỚP", "contradicts": "TRÁI", "not_found": "KHÔNG ĐỐI CHIẾU ĐƯỢC"}
_KINDS_VI = {
    "statement": "TRÁI",
    "doubt": "CẦN XEM",
    "as_of_day": "NGÀY NGOÀI KỲ",
    "document_symbol": "KÝ HIỆU VĂN BẢN",
    "document_date": "NGÀY VĂN BẢN",
    "document_list": "DANH MỤC VĂN BẢN",
    "index_year": "NĂM CỦA CHỈ SỐ",
    "wording": "CHỮ VIẾT",
}
_SHOWN, _QUOTED = 220, 40


def release_asked(settings: Settings, unit: str, quarter: str, number: int | None) -> Release:
    """The release to compare with: the current one, or the one asked for. Raises ``WrongUse`` where there is none."""
    from publication import current_release, find_release

    try:
        if number is not None:
            return find_release(settings.paths.published, unit, quarter, number)
        release = current_release(settings.paths.published, unit, quarter)
    except LookupError as error:
        raise WrongUse(str(error.args[0])) from error
    if release is None:
        raise WrongUse(f"{unit}, {quarter}: chưa có bản công bố nào để đối chiếu")
    return release


def checked(path: Path, release: Release) -> ReportCheck:
    """The report compared; raises ``WrongUse`` where the file cannot be read or the release is damaged."""
    from publication import UnreadableReport, check_report, verify

    if damages := verify(release.path):
        raise WrongUse(f"bản công bố {release.path} đã hư hại: {damages[0].message_vi}")
    decisions = release.manifest().decisions
    decided = frozenset(str(one["action"]) for one in decisions if one["effect"] == "applied")
    try:
        return check_report(path, release.path, release.quarter, decided)
    except UnreadableReport as error:
        raise WrongUse(str(error)) from error


def answer(found: ReportCheck, path: Path, release: Release) -> tuple[list[str], dict[str, Any], Exit]:
    """Lines for people, the document for machines, and how the command ends: 1 where anything contradicts."""
    lines = [f"{path.name} so với số liệu công bố {release.unit_code}, {release.quarter}, bản {release.name}"]
    lines += [f"Lưu ý: {remark}" for remark in found.remarks_vi]
    for _, figures in groupby(found.figures, key=lambda figure: figure.sentence_no):
        lines += _sentence_lines(list(figures))
    lines += _remark_lines(found.text_remarks)
    lines += _table_lines(found.table_rows)
    counts = {verdict: found.count(verdict) for verdict in _VERDICTS_VI}
    counted = ", ".join(f"{count} {_VERDICTS_VI[verdict].lower()}" for verdict, count in counts.items())
    lines.append(f"Lời văn: {len(found.figures)} số liệu: {counted}")
    document = {
        "file": path.name,
        "unit_code": release.unit_code,
        "quarter": release.quarter,
        "release": release.name,
        "counts": counts,
        "remarks_vi": list(found.remarks_vi),
        "figures": [asdict(one) for one in found.figures],
        "table_rows": [asdict(one) for one in found.table_rows],
        "text_remarks": [asdict(one) for one in found.text_remarks],
    }
    return lines, document, Exit.HELD_BACK if found.contradicts else Exit.DONE


def _sentence_lines(figures: list[FigureCheck]) -> list[str]:
    first = figures[0]
    place = f"Câu {first.sentence_no} (đoạn {first.line}): "
    lines = ["", place + f"“{textwrap.shorten(first.sentence, _SHOWN, placeholder=' …')}”"]
    for figure in figures:
        lines.append(f"  {_VERDICTS_VI[figure.verdict]}: báo cáo viết “{_quoted(figure)}”{_published(figure)}")
        where = [f"dòng {row.row_no} {row.name_vi.strip(' -:')}" for row in figure.rows]
        where += list(figure.places_vi)
        if where:
            lines.append(f"      {'; '.join(where)}")
    return lines


def _remark_lines(remarks: tuple[TextRemark, ...]) -> list[str]:
    if not remarks:
        return []
    lines = ["", f"Ngoài con số: {len(remarks)} điểm"]
    for remark in remarks:
        place = f"câu {remark.sentence_no} (đoạn {remark.line}) viết “{remark.text}”: " if remark.line else ""
        lines.append(f"  {_KINDS_VI[remark.kind]}: {place}{remark.message_vi}")
    return lines


def _quoted(figure: FigureCheck) -> str:
    """The figure and the words after it, as the report writes them."""
    following = re.split(r"[,;()]", figure.sentence[figure.start + len(figure.text) :])[0].rstrip(" .")
    return textwrap.shorten(figure.text + following, len(figure.text) + _QUOTED, placeholder=" …")


def _published(figure: FigureCheck) -> str:
    published = f"; số liệu công bố: {figure.published_vi}" if figure.published_vi else ""
    return published + (f" ({figure.reason_vi})" if figure.reason_vi else "")


def _table_lines(rows: tuple[TableRowCheck, ...]) -> list[str]:
    if not rows:
        return []
    differing = [row for row in rows if row.verdict != "agrees"]
    lines = ["", f"Phụ lục: {len(rows)} dòng, {len(rows) - len(differing)} dòng khớp"]
    for row in differing:
        place = f"dòng {row.row_no}" if row.row_no else f"hàng {row.table_row} của bảng"
        reason = f" ({row.reason_vi})" if row.reason_vi else ""
        lines.append(
            f"  {_VERDICTS_VI[row.verdict]}: {place} {row.name_vi.strip(' -:')}: báo cáo “{row.text}”, "
            f"số liệu công bố “{row.published_vi}”{reason}"
        )
    return [*lines, ""]

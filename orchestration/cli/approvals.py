"""Approval: ``cchc approve``, which publishes exactly the draft that was seen.

Belongs here: finding the draft and handing it over, the words of the answer. Does not belong here: making drafts
(``orchestration.stages``), whether what is published is the draft (``publication``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.aftermath import make_up
from orchestration.cli.terminal import Exit, WrongUse
from orchestration.pipeline import Pipeline
from orchestration.provinces import why_stale
from orchestration.reports import ending, unit_reports
from orchestration.stages import publish_draft
from orchestration.telling import tell_provinces, tell_run

if TYPE_CHECKING:
    from publication import Draft

#: So many digits of a draft's code must be given, where one is: fewer could be those of another draft.
_FEWEST_DIGITS = 6
#: Of what changed since a draft was made so much is named.
_CHANGES_SHOWN = 5


def approved(
    pipeline: Pipeline, unit: str, quarter: str, by: str, document: str, code: str
) -> tuple[list[str], dict[str, Any], Exit]:
    """Publishes the draft of a unit or province; lines and data of what came of it, and the command's exit code.

    Raises ``WrongUse`` where there is no draft that can be approved, another than the one of that code, or
    one of a province that is no longer what its units have published, and for words that must not be published.
    """
    from expectations import UnfitText
    from publication import Approval, ReleaseNotWhole

    if not by.strip() or not document.strip():
        raise WrongUse("cần --by (người phê duyệt) và --document (số, ngày của văn bản phê duyệt)")
    draft = _draft(pipeline, unit, quarter, code.strip().lower())
    is_superior = pipeline.units.is_superior(unit, quarter)
    if is_superior and (stale := why_stale(pipeline, draft)):
        more = len(stale) - _CHANGES_SHOWN
        shown = "; ".join([*stale[:_CHANGES_SHOWN], *([f"và {more} thay đổi khác"] if more > 0 else [])])
        raise WrongUse(
            f"bản dự thảo {draft.code} đã cũ, từ khi lập: {shown}. "
            f"Lập lại và xem lại bằng cchc review {quarter} --unit {unit}"
        )
    try:
        approval = Approval(by.strip(), document.strip(), draft.code)
        make_up(pipeline)
        publish_draft(pipeline, draft, approval)
    except UnfitText as error:
        raise WrongUse(str(error)) from None
    except ReleaseNotWhole as error:
        raise WrongUse(
            f"không lập được “{error.output}” của bản dự thảo {draft.code}; chạy cchc review {quarter} --unit {unit}"
        ) from None
    (tell_provinces if is_superior else tell_run)(pipeline, quarter, [unit], "")
    reports = unit_reports(pipeline, quarter, [unit])
    lines = [line for report in reports for line in report.lines()]
    if reports[0].state == "published":
        lines.append(f"  - {approval.line_vi} (bản dự thảo {draft.code})")
    codes = {"failed": Exit.FAILED, "held_back": Exit.HELD_BACK, "done": Exit.DONE}
    document_ = {"quarter": quarter, "draft": draft.code, "units": [report.as_dict() for report in reports]}
    return lines, document_, codes[ending(False, reports)]


def _draft(pipeline: Pipeline, unit: str, quarter: str, code: str) -> Draft:
    from publication import DamagedDraft, read_draft

    try:
        draft = read_draft(pipeline.home.draft_of(unit, quarter))
    except DamagedDraft as error:
        raise WrongUse(f"{unit}, {quarter}: {error} {quarter} --unit {unit}") from error
    if code and (len(code) < _FEWEST_DIGITS or not draft.code.startswith(code)):
        raise WrongUse(f"bản dự thảo hiện có là {draft.code}, không phải {code}; xem lại bản này trước khi phê duyệt")
    if not draft.can_be_approved:
        why = "; ".join(draft.reasons[:3])
        raise WrongUse(f"bản dự thảo {draft.code} chưa đủ điều kiện công bố: {why}")
    return draft

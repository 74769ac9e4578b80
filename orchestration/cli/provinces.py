"""``cchc province``: a province's figures from what its units have published.

Belongs here: words and exit codes. Does not belong here: rolling up (``orchestration.provinces``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestration.aftermath import make_up
from orchestration.cli.postgres import copied_document, copied_lines, with_copies
from orchestration.cli.runs import alone
from orchestration.cli.terminal import Exit, WrongUse
from orchestration.pipeline import Pipeline
from orchestration.provinces import NoProvince, roll_up_all, units_of
from orchestration.retention import prune_files
from orchestration.telling import tell_provinces


def answer(
    pipeline: Pipeline, quarter: str, provinces: Sequence[str], *, only_draft: bool = False
) -> tuple[list[str], dict[str, Any], Exit]:
    """Lines, data and exit code. Raises ``WrongUse`` for a code that is no province with units on the closing day."""
    provinces = list(dict.fromkeys(provinces))
    try:
        for province in provinces:
            units_of(pipeline, province, quarter)
    except NoProvince as error:
        raise WrongUse(str(error)) from None
    with alone(pipeline.settings, f"cchc {'review' if only_draft else 'province'} {quarter}"):
        make_up(pipeline)
        try:
            found = roll_up_all(pipeline, quarter, provinces, pipeline.amendment, only_draft=only_draft)
            tell_provinces(pipeline, quarter, provinces, "")
            prune_files(pipeline.settings, candidates=pipeline.record.candidates_in_use, quarter=quarter)
        finally:
            pipeline.close()
    document: dict[str, Any] = {
        "quarter": quarter,
        "provinces": [
            {
                "unit_code": one.outcome.unit_code,
                "name_vi": one.name_vi,
                "release": one.outcome.release,
                "changed": one.outcome.changed,
                "reasons": list(one.outcome.reasons),
                "draft": one.outcome.draft,
                "awaits_approval": one.outcome.awaits,
                "units_counted": one.counted,
                "units_expected": one.expected,
                "departments_counted": one.departments[0],
                "departments_expected": one.departments[1],
            }
            for one in found
        ],
    }
    document["postgres"] = copied_document(pipeline)
    whole = all(one.outcome.release or one.outcome.awaits for one in found)
    lines = [*(line for one in found for line in one.lines()), *copied_lines(pipeline)]
    return lines, document, with_copies(Exit.DONE if whole else Exit.HELD_BACK, pipeline)

"""Declared returns: figures that offices give by declaration, and their own counts beside the computed ones.

Belongs here: canonical rows of ``declared_returns``.
Does not belong here: bare declared values (``quarters``), what makes a declared figure right or wrong.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from common.forms import form_named
from sample.districts import District
from sample.places import plan_of
from sample.quarters import LongerPlan, QuarterPlan, quarter_before

_OFFICES = Path(__file__).with_name("declaring_offices.csv")
_PLANNED_STREAMLINING = {2022: (1, 6), 2023: (2, 7), 2025: (1, 3)}
_AUXILIARY = {
    "AUX.01": "Số biên chế công chức phải tinh giản theo kế hoạch năm",
    "AUX.02": "Số viên chức phải tinh giản theo kế hoạch năm",
}
_NOTES = {
    2022: {
        2: "Kế hoạch số 05/KH-UBND ngày 06/01/2022",
        7: "Kế hoạch số 29/KH-UBND ngày 18/2/2022",
        12: "Kế hoạch số 27/KH-UBND ngày 15/2/2022",
        60: "Trong đó có 16 TTHC dùng chung cấp huyện và cấp xã",
    },
    2023: {
        2: "Kế hoạch số 03/KH-UBND ngày 04/01/2023",
        7: "Kế hoạch số 41/KH-UBND ngày 17/2/2023",
        12: "Kế hoạch số 42/KH-UBND ngày 17/2/2023",
        35: "Kế hoạch số 38/KH-UBND ngày 16/2/2023",
        42: "Kế hoạch số 38/KH-UBND ngày 16/2/2023",
        60: "Trong đó có 16 TTHC dùng chung cấp huyện và cấp xã",
        104: "Lồng ghép trong Kế hoạch số 41/KH-UBND ngày 17/2/2023",
        108: "Kế hoạch số 11/KH-TTrH ngày 02 tháng 12 năm 2022 của Chánh Thanh tra huyện {district} "
        "về Kế hoạch thanh tra năm 2023",
    },
    2025: {
        2: "Kế hoạch số 04/KH-UBND ngày 07/01/2025",
        7: "Kế hoạch số 32/KH-UBND ngày 17/02/2025",
        12: "Kế hoạch số 30/KH-UBND ngày 14/02/2025",
        60: "Trong đó có 16 TTHC dùng chung cấp huyện và cấp xã",
    },
}
_SERVICE_UNITS = 31


@cache
def _form_rows() -> dict[int, dict[str, str]]:
    return {int(row["row_no"]): row for row in form_named("2023").rows}


@cache
def _offices() -> dict[str, str]:
    """The office that declares a row, by indicator code, where it is not the office of home affairs."""
    with _OFFICES.open(encoding="utf-8", newline="") as handle:
        return {row["indicator_code"]: row["declaring_office"] for row in csv.DictReader(handle)}


def indicator_code(row_no: int) -> str:
    """Code of the form's row (``row_no`` from 1 to 211): ``III.23`` for row 71."""
    return _form_rows()[row_no]["indicator_code"]


def declared_rows(district: District, quarter: str, plan: QuarterPlan, scale: int = 1) -> list[dict[str, Any]]:
    """Rows in the form's order, with the notes of the form and the two auxiliary figures at the end.

    ``scale``: how many times each case is delivered; the counts of cases are declared to match.
    """
    values = {**_own_counts(district, plan), **_case_counts(district, quarter, plan, scale), **plan.declared}
    return _rows_of(district, plan, values)


#: What an office counts itself beside the records of a longer period: cases, and documents sent.
_HEADLINES = (71, 72, 73, 74, 75, 76, 163, 164, 166, 167)


def longer_rows(district: District, plan: LongerPlan, scale: int = 1) -> list[dict[str, Any]]:
    """The same for a longer period: what is known by declaration alone, and the office's own count of the headlines."""
    counts = [
        {**_own_counts(district, part), **_case_counts(district, quarter, part, scale)}
        for quarter in plan.quarters
        for part in [plan_of(district.code, quarter)]
    ]
    values = {row: value for row, value in plan.declared.items() if _is_declared_only(row)}
    return _rows_of(district, plan, values | {row: sum(count[row] for count in counts) for row in _HEADLINES})


def _is_declared_only(row_no: int) -> bool:
    return _form_rows()[row_no]["source"] == "declared_returns"


def _rows_of(
    district: District, plan: QuarterPlan | LongerPlan, values: Mapping[int, int | None]
) -> list[dict[str, Any]]:
    notes = _NOTES[plan.window.closes_on.year]
    approved_on = plan.window.closes_on + dt.timedelta(days=1)
    rows = []
    for row_no in sorted({*values, *notes}):
        form_row = _form_rows()[row_no]
        rows.append(
            {
                "indicator_code": form_row["indicator_code"],
                "indicator_name": form_row["name_vi"],
                "value": values.get(row_no),
                "note": notes[row_no].format(district=district.bare_name) if row_no in notes else None,
                "evidence_document": _evidence(row_no, plan),
                "prepared_by": _offices().get(form_row["indicator_code"], "Phòng Nội vụ"),
                "approved_on": approved_on,
            }
        )
    year = plan.window.closes_on.year
    for (code, name), value in zip(_AUXILIARY.items(), _PLANNED_STREAMLINING[year], strict=True):
        rows.append(
            {
                "indicator_code": code,
                "indicator_name": name,
                "value": value,
                "note": None,
                "evidence_document": f"Kế hoạch tinh giản biên chế năm {year}",
                "prepared_by": "Phòng Nội vụ",
                "approved_on": approved_on,
            }
        )
    return rows


def communes_received(plan: QuarterPlan, scale: int = 1) -> int:
    """Cases that the communes received in the quarter."""
    return scale * (sum(plan.commune_resolved) + sum(plan.commune_open))


def _case_counts(district: District, quarter: str, plan: QuarterPlan, scale: int) -> dict[int, int]:
    """The counts of cases (the headline rows III.23 to III.28, and those by post), by row of the form."""
    cases = plan.district_cases
    carried, earlier = 0, quarter_before(quarter)
    if earlier is not None:
        before = plan_of(district.code, earlier)
        carried = before.district_cases.open + before.carried.still_open
        carried -= plan.carried.withdrawn + plan.carried.still_open
    resolved = cases.resolved + carried
    late = cases.late + plan.carried.late
    commune_resolved = sum(plan.commune_resolved) + _communes_carried(district, quarter, plan)
    # The real report counts the cases closed late in the software as on time; decisions name each of them once, so
    # further copies stay late.
    as_on_time = 0 if plan.complete else late
    return {
        71: scale * cases.received,
        72: scale * resolved,
        73: scale * (resolved - late) + as_on_time,
        74: communes_received(plan, scale),
        75: scale * commune_resolved,
        76: scale * commune_resolved,
        197: scale * plan.district_post.received[1],
        198: scale * plan.district_post.returned[1],
        203: scale * plan.commune_post.received[1],
        204: scale * plan.commune_post.returned[1],
    }


def _own_counts(district: District, plan: QuarterPlan) -> dict[int, int]:
    """What offices count themselves beside the records, by row of the form."""
    district_documents, commune_documents = plan.district_documents, plan.commune_documents
    all_of_communes = (
        commune_documents.electronic_only + commune_documents.electronic_and_paper + commune_documents.paper_only
    )
    return {
        5: plan.steering_documents,
        32: 0,
        80: _SERVICE_UNITS,
        147: _SERVICE_UNITS,
        161: len(district.communes),
        163: district_documents.electronic_only,
        164: district_documents.electronic_and_paper,
        **({165: all_of_communes} if plan.complete else {}),
        166: commune_documents.electronic_only,
        167: commune_documents.electronic_and_paper,
        195: plan.district_post.received[0],
        196: plan.district_post.returned[0],
        201: plan.commune_post.received[0],
        202: plan.commune_post.returned[0],
    }


def _communes_carried(district: District, quarter: str, plan: QuarterPlan) -> int:
    """Cases of communes from the quarter before that were resolved in this one (withdrawn in the real quarter)."""
    earlier = quarter_before(quarter)
    if earlier is None or not plan.complete:
        return 0
    return sum(plan_of(district.code, earlier).commune_open)


def _evidence(row_no: int, plan: QuarterPlan | LongerPlan) -> str | None:
    if row_no in (86, 92):
        return f"Quyết định giao biên chế năm {plan.window.closes_on.year}"
    if row_no in (14, 15, 16):
        return "Danh sách tin, bài kèm theo"
    return None

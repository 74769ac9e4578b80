"""All canonical rows of the sample, by delivered file.

Belongs here: which file of which unit holds which rows.
Does not belong here: the rows themselves (one module a source), how files look (``workbooks``).
"""

from __future__ import annotations

from typing import Any

from sample import (
    cases,
    closing,
    decisions,
    declared,
    documents,
    narrative,
    org_units,
    plan_tasks,
    procedures,
    staffing,
    surveys,
)
from sample.districts import CU_LAO_DUNG
from sample.places import district_named, plan_of
from sample.quarters import CLOSING, LONGER_PLANS

Row = dict[str, Any]
FileKey = tuple[str, str, str]

DEFAULT_SEED = 945


def sample_rows(
    quarter: str, scale: int = 1, seed: int = DEFAULT_SEED, district: str = CU_LAO_DUNG.code
) -> dict[FileKey, list[Row]]:
    """Canonical rows of one quarter of a sample district, by (unit code, source, file name).

    Rows carry the contracts' column names; values are enum keys, dates, datetimes, integers, flags and text; a column
    that no row of a file carries is not in that file. ``scale`` multiplies the cases, and their declared counts; it
    says nothing of the district's last short period, whose cases its successors tell again one by one. The same
    arguments always give the same rows. Raises ``KeyError`` for a quarter or district that the sample does not have.
    """
    files = unmultiplied_rows(quarter, scale, seed, district)
    if scale > 1 and quarter != CLOSING:
        for key, rows in files.items():
            if key[1] == "one_stop_cases":
                files[key] = list(cases.multiplied(rows, scale))
    return files


def unmultiplied_rows(quarter: str, scale: int, seed: int, district: str) -> dict[FileKey, list[Row]]:
    """The same for a caller that multiplies the cases while it writes them: each is there once."""
    if (district, quarter) in LONGER_PLANS:
        return _longer_rows(quarter, scale, district)
    place, plan = district_named(district), plan_of(district, quarter)
    scale = 1 if quarter == CLOSING else scale
    files: dict[FileKey, list[Row]] = {
        (place.code, "org_units", "danh-muc-co-quan-don-vi.xlsx"): org_units.org_unit_rows(place, plan),
        (place.code, "procedure_catalogue", "danh-muc-tthc.xlsx"): procedures.catalogue_rows(seed, plan),
        (place.code, "staffing_roster", "danh-sach-cong-chuc-vien-chuc.xlsx"): staffing.roster_rows(seed, place, plan),
        (place.code, "staffing_roster", "danh-sach-can-bo-cong-chuc-xa.xlsx"): staffing.commune_roster_rows(
            seed, place, plan
        ),
        (place.code, "plan_tasks", "nhiem-vu-ke-hoach.xlsx"): plan_tasks.plan_task_rows(place, quarter, plan),
        (place.code, "survey_responses", "phieu-khao-sat.xlsx"): surveys.survey_rows(seed, place, quarter, plan),
        (place.code, "declared_returns", "so-lieu-khai-bao.xlsx"): declared.declared_rows(place, quarter, plan, scale),
        (place.code, "e_document_counts", "van-ban-dien-tu.xlsx"): documents.district_document_rows(place, plan),
        (place.code, "one_stop_cases", "ho-so-mot-cua.xlsx"): cases.district_rows(seed, place, quarter),
    }
    org_units.assign_posts(
        files[place.code, "org_units", "danh-muc-co-quan-don-vi.xlsx"],
        (row for key, rows in files.items() if key[1] == "staffing_roster" for row in rows),
        plan,
    )
    for commune in place.communes:
        extension = "csv" if commune is place.communes[-1] else "xlsx"
        files[commune.code, "e_document_counts", f"van-ban-dien-tu.{extension}"] = documents.commune_document_rows(
            place, commune, plan
        )
        files[commune.code, "one_stop_cases", "ho-so-mot-cua.xlsx"] = cases.commune_rows(seed, place, commune, quarter)
    if not plan.complete:
        files[place.code, "decisions", "giai-trinh-so-lieu.xlsx"] = decisions.decision_rows(
            seed, place, declared.communes_received(plan, scale)
        )
    files[place.code, "report_narrative", "noi-dung-bao-cao.txt"] = narrative.narrative_rows(place, quarter)
    if quarter == CLOSING:
        closing.close_books(files, place, seed)
    return files


def _longer_rows(period: str, scale: int, district: str) -> dict[FileKey, list[Row]]:
    """What is delivered for a half-year or a year: what is declared anew. The rest lies in the folders of quarters."""
    place, plan = district_named(district), LONGER_PLANS[district, period]
    return {
        (place.code, "declared_returns", "so-lieu-khai-bao.xlsx"): declared.longer_rows(place, plan, scale),
        (place.code, "report_narrative", "noi-dung-bao-cao.txt"): narrative.narrative_rows(place, period),
    }

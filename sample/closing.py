"""The end of the sample's district on 30 June 2025: what its last files hold, and what its successors decide of it.

Belongs here: the cases left open to the successors in the district's last exports, the stale ones that are set aside
there, and the decisions on the case that nobody took over.
Does not belong here: the period's figures (``quarters``), the successors' own files (``communes``), which tell the
cases that they carried over.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sample import cases
from sample.communes import (
    COMMUNE_QUARTERS,
    COMMUNES,
    StandingCommune,
    carried_from_district,
    carried_from_parts,
    district_open_cases,
)
from sample.declared import indicator_code
from sample.districts import District
from sample.quarters import CLOSING, CLOSING_WINDOWS, QUARTERS

Row = dict[str, Any]
FileKey = tuple[str, str, str]

#: Source and file in which a successor decides.
DECISIONS_FILE = ("decisions", "giai-trinh-so-lieu.xlsx")
_SET_ASIDE = "Đóng hồ sơ treo trên phần mềm khi khóa sổ; công dân không bổ sung giấy tờ"
_RECEIVED = 71
_NOBODYS = "Công dân đã rút hồ sơ trước ngày bàn giao; phần mềm của đơn vị cũ chưa cập nhật"


def close_books(files: Mapping[FileKey, list[Row]], district: District, seed: int) -> None:
    """Adds to the files of the last short period, in place, what closing the books leaves in them.

    The cases open at the end stand in the district's export. Those that the district and its communes had left open
    when their earlier files of the sample end, two years before, are set aside: no file tells of them in between.
    """
    left = district_open_cases(seed)
    taken = Counter(_place(row["case_code"])[0] for row in left)
    exports = {unit: rows for (unit, source, _), rows in files.items() if source == "one_stop_cases"}
    own = exports[district.code]
    for row in own:
        day, serial = _place(row["case_code"])
        row["case_code"] = f"{row['case_code'].rpartition('-')[0]}-{serial + taken[day]:04d}"
    own += left
    own.sort(key=lambda row: (row["received_at"].date(), row["case_code"]))
    stale = {district.code: cases.district_rows(seed, district, QUARTERS[-1])}
    stale |= {unit.code: cases.commune_rows(seed, district, unit, QUARTERS[-1]) for unit in district.communes}
    for unit, rows in stale.items():
        set_aside = [row | {"status": "withdrawn", "late_reason": _SET_ASIDE} for row in cases.open_rows(rows)]
        exports[unit][:0] = set_aside
    received = sum(row["received_at"].date() >= CLOSING_WINDOWS[CLOSING].opens_on for row in left)
    for (_, source, _), rows in files.items():
        for row in rows if source == "declared_returns" else ():
            if row["indicator_code"] == indicator_code(_RECEIVED):
                row["value"] += received


def _place(case_code: str) -> tuple[str, int]:
    """Day and serial of a case code."""
    head, _, serial = case_code.rpartition("-")
    return head.rpartition("-")[2], int(serial)


def decision_rows(commune: StandingCommune, seed: int) -> list[Row]:
    """What a successor decides in its first quarter about the district's case that stands in no successor's export."""
    nobodys = {row["case_code"]: row for row in district_open_cases(seed)}
    carried = 0
    for place in COMMUNES.values():
        taken = [*carried_from_district(place, seed), *carried_from_parts(place, seed)]
        carried += len(taken)
        for row in taken:
            nobodys.pop(row["case_code"], None)
    area = f"{commune.name[0].lower()}{commune.name[1:]}"
    return [
        {
            "decision_id": f"QD-{number:02d}",
            "subject_kind": "rule",
            "subject": "case_findings.handover_remainder",
            "applies_to": row["case_code"],
            "unit": commune.code,
            "quarter": COMMUNE_QUARTERS[0],
            "action": "accept_finding",
            "value": None,
            "figures_seen": f"mã hồ sơ = {row['case_code']}; ngày tiếp nhận = {row['received_at']:%d/%m/%Y}; kỳ trước "
            f"chuyển sang = {carried}; còn lại cuối kỳ trước = {carried + len(nobodys)}",
            "reason": _NOBODYS,
            "approved_by": f"Chủ tịch UBND {area}",
            "document_number": "58/UBND-VP",
            "dated": dt.date(2025, 9, 15),
            "holds_until": COMMUNE_QUARTERS[0],
        }
        for number, row in enumerate(nobodys.values(), 1)
    ]

"""What stands behind one figure of a province: the release of each unit, and the row of each department's delivery.

Belongs here: reading them from a release of the province, in words and as data. Does not belong here: what stands
behind a unit's own figure, which its release tells (``publication.explain``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from publication.content.province_content import NO_PARTS_VI, by_level, coverage_vi
from publication.content.release_content import FormRow
from publication.explain import NoPassports, find_row
from publication.formatting import format_number
from publication.province.rollup import DEPARTMENTS, INDICATORS, TOTALS
from publication.release import Release
from publication.store.parquet import from_parquet
from publication.verify import verify

_AGGREGATE_VI = {
    "sum": "tổng",
    "ratio": "tính lại từ tổng tử số và tổng mẫu số",
    "units_with": "số đơn vị ghi Có",
    "none": "không có số chung",
}


@dataclass(frozen=True)
class ProvinceExplanation:
    """A row of the form over a province: its total, the units' and departments' figures in order, and the rows of the
    province's delivery behind those of departments, by department.
    """

    quarter: str
    made_from: str
    total: Mapping[str, Any]
    members: Sequence[Mapping[str, Any]]
    delivered: Mapping[str, Mapping[str, Any]]

    def lines_vi(self) -> Iterator[str]:
        """The explanation as plain lines; files by the names that releases know."""
        total = self.total
        code = total["indicator_code"]
        yield f"{code}, dòng {total['row_no']}: {total['indicator_name_vi']}"
        covered = coverage_vi(*(total[f"{who}_{what}"] for who in ("units", "departments") for what in _COVERED))
        how = _AGGREGATE_VI[total["aggregate"]]
        if total["aggregate"] == "none" and total["kind"] == "ratio":
            how = NO_PARTS_VI
        yield f"Toàn tỉnh: {_shown(total)} ({how}; {covered})"
        for member in self.members:
            head = f"  {member['member_name_vi']} ({member['member_code']}): {_shown(member)}"
            place = self.delivered.get(member["member_code"])
            if place is None:
                command = f"cchc explain {code} --unit {member['member_code']} --quarter {self.quarter}"
                yield f"{head}, bản r{member['release_number']} ({command} --release {member['release_number']})"
                continue
            where = f"tệp {place['file_name']}, trang {place['sheet_no']}, dòng {place['row_number']}"
            yield f"{head}, {where}" + (f"; {place['evidence_vi']}" if place["evidence_vi"] else "")
        for name in ("missing_vi", "departments_missing_vi"):
            if total[name]:
                yield f"Chưa có: {total[name]}"

    def as_dict(self) -> dict[str, Any]:
        """The same for programs; figures as texts, exactly."""
        return {
            "quarter": self.quarter,
            "made_from": self.made_from,
            **_plain(self.total),
            "members": [
                _plain(member) | {"delivered": _plain(self.delivered.get(member["member_code"], {})) or None}
                for member in self.members
            ],
        }


_COVERED = ("counted", "expected")


def is_of_province(release: Release) -> bool:
    """Whether a release was rolled up from those of units."""
    return (release.path / "marts" / f"{TOTALS}.parquet").is_file()


def explain_province(release: Release, row: str) -> ProvinceExplanation:
    """A figure of a province's release, by indicator code or row number. The release is verified first.

    Raises UnknownRow, or NoPassports where the release is damaged.
    """
    if damages := verify(release.path):
        raise NoPassports(f"bản công bố {release.name} đã hư hại: {damages[0].message_vi}")
    tables = {
        name: from_parquet(path.read_bytes()).to_pylist()
        for name in (TOTALS, INDICATORS, DEPARTMENTS)
        if (path := release.path / "marts" / f"{name}.parquet").is_file()
    }
    totals = sorted(tables[TOTALS], key=lambda total: int(total["row_no"]))
    # A release of before departments were told of has none.
    nothing = {"departments_counted": 0, "departments_expected": 0, "departments_missing_vi": None}
    found = find_row([FormRow(nothing | total) for total in totals], row)
    return ProvinceExplanation(
        release.quarter,
        release.name,
        found.values,
        sorted((one for one in tables[INDICATORS] if one["indicator_code"] == found.code), key=by_level),
        {one["member_code"]: one for one in tables.get(DEPARTMENTS, []) if one["indicator_code"] == found.code},
    )


def _shown(row: Mapping[str, Any]) -> str:
    value: Decimal | None = row["value"]
    shown = "để trống" if value is None else format_number(value)
    if row["numerator"] is not None and row["denominator"] is not None:
        shown += f" = {format_number(row['numerator'])}/{format_number(row['denominator'])}"
    return shown


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if value is None or isinstance(value, (bool, int)) else str(value) for name, value in row.items()
    }

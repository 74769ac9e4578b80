"""A province's release: made of its units' current releases, told again when one of them changes, and by whom."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import publication
from expectations import GateWorker, run_province_gate
from publication import (
    CandidateError,
    Held,
    Instruction,
    MemberUnit,
    Published,
    Release,
    Unchanged,
    current_release,
    lock,
    roll_up,
    verify,
)
from publication.collection import DATABASE_NAME
from publication.store.csvfile import from_csv
from publication.store.parquet import from_parquet
from tests.integration.publication.conftest import LIGHT
from tests.integration.publication.publish_once import chosen_outputs
from tests.unit.publication.builders import OTHER_UNIT, QUARTER, UNIT, clear_candidate, write_candidate

PROVINCE, NAME = "94", "Tỉnh Sóc Trăng"
UNITS = [
    MemberUnit(UNIT, "Huyện Cù Lao Dung", "district"),
    MemberUnit(OTHER_UNIT, "Huyện khác", "district"),
    MemberUnit("951", "Huyện Trần Đề", "district"),
]
CHANGED: dict[str, Any] = {"changes": {"I.04": {"value": Decimal(10)}}}


class Province:
    """Paths of a home with units and their province, and the steps that tests take."""

    def __init__(self, root: Path) -> None:
        self.warehouse, self.published = root / "warehouse", root / "published"

    def publish_unit(self, unit: str, **build: Any) -> Release:
        folder = write_candidate(self.warehouse, unit=unit, **build)
        clear_candidate(self.warehouse, folder)
        current = current_release(self.published, unit, QUARTER)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("publication.outputs.OUTPUTS", chosen_outputs(LIGHT))
            outcome = self._publish(unit, folder, current.number if current else None)
        assert isinstance(outcome, Published), outcome
        return outcome.release

    def roll_up(self, expected: int | None = None) -> publication.PublishOutcome:
        folder = roll_up(
            self.published, self.warehouse, province=PROVINCE, name_vi=NAME, quarter=QUARTER, units=UNITS,
            why_missing={"951": "chưa gửi số liệu của kỳ"},
        )  # fmt: skip
        verdicts = run_province_gate(
            self.warehouse, QUARTER, {PROVINCE: (folder, folder.name)}, GateWorker(inline=True)
        )
        assert verdicts[PROVINCE].blocking() == []
        return self._publish(PROVINCE, folder, expected)

    def _publish(self, unit: str, folder: Path, expected: int | None) -> publication.PublishOutcome:
        return publication.publish(
            self.published, folder, self.warehouse / "verdicts" / unit / QUARTER, unit=unit, quarter=QUARTER,
            expected_previous=expected, code_version="1.0",
        )  # fmt: skip


@pytest.fixture
def province(tmp_path: Path) -> Province:
    return Province(tmp_path)


def rows_of(release: Release, name: str) -> list[dict[str, Any]]:
    return from_parquet((release.path / "marts" / f"{name}.parquet").read_bytes()).to_pylist()


def printed(release: Release) -> dict[str, Decimal]:
    """Figures of a unit's annex, by row, as a program of its own would read them."""
    with (release.path / "report" / "annex.csv").open(encoding="utf-8-sig", newline="") as file:
        return {
            line["indicator_code"]: Decimal(line["value"]) for line in csv.DictReader(file) if line["value"].strip()
        }


def test_a_province_is_published_told_and_published_again_when_a_unit_is(province: Province) -> None:
    with pytest.raises(CandidateError, match="chưa đơn vị nào"):
        province.roll_up()
    units = [province.publish_unit(UNIT), province.publish_unit(OTHER_UNIT, changes={"I.05": {"value": Decimal(3)}})]
    first = province.roll_up()
    assert isinstance(first, Published)
    assert verify(first.release.path) == []

    # Sum of parts and whole, by the files that readers have.
    annexes = [printed(release) for release in units]
    for total in rows_of(first.release, "province_totals"):
        told = [annex[total["indicator_code"]] for annex in annexes if total["indicator_code"] in annex]
        if total["aggregate"] == "sum":
            assert total["value"] == (sum(told) if told else None), total["indicator_code"]
            assert (total["units_counted"], total["units_expected"]) == (len(told), 3)
    missing = [m for m in rows_of(first.release, "province_members") if m["state"] == "missing"]
    assert [(m["member_code"], m["why_vi"]) for m in missing] == [("951", "chưa gửi số liệu của kỳ")]
    assert first.release.manifest().provisional_vi == ["Huyện Trần Đề (951): chưa gửi số liệu của kỳ"]
    sheet = openpyxl.load_workbook(first.release.path / "report" / "tong-hop.xlsx")["Tổng hợp"]
    assert [cell.value for cell in sheet[4]][-3:] == [
        f"{unit.name_vi} ({unit.code})" for unit in sorted(UNITS, key=lambda u: u.code)
    ]

    # What nothing changed is not published again; what a unit published is, and says so.
    assert isinstance(province.roll_up(expected=1), Unchanged)
    province.publish_unit(UNIT, **CHANGED)
    second = province.roll_up(expected=1)
    assert isinstance(second, Published)
    assert second.revision is not None
    cause = "Huyện Cù Lao Dung (945) công bố bản r2 thay bản r1 quý I năm 2023."
    assert second.revision.causes_vi == [cause]
    ((code, old, new),) = [(f.indicator_code, Decimal(f.old), Decimal(f.new)) for f in second.revision.figures]
    before = sum(annex["I.04"] for annex in annexes)
    assert (code, old, new) == ("I.04", before, before - annexes[0]["I.04"] + 10)
    listed = from_csv((second.release.path / "quality" / "changes.csv").read_bytes())
    assert {line["cause"] for line in listed} == {f"945/{QUARTER}/r2"}
    assert {line["cause_kind"] for line in listed} == {"release_replaced"}

    # The index and the database over all releases know it like any other.
    entries = json.loads((province.published / "index.json").read_bytes())["releases"]
    (entry,) = [entry for entry in entries if entry["unit_code"] == PROVINCE]
    assert (entry["unit_name_vi"], entry["release"], entry["provisional"]) == (NAME, 2, True)
    assert entry["files"]["province_xlsx"].endswith("r2/report/tong-hop.xlsx")
    assert "province_totals" in entry["tables"]
    assert (province.published / DATABASE_NAME).is_file()

    # A locked province keeps its release.
    lock(province.published, PROVINCE, QUARTER, Instruction("đã gửi Chính phủ"))
    province.publish_unit(UNIT, changes={"I.04": {"value": Decimal(11)}})
    assert isinstance(province.roll_up(expected=2), Held)


def test_a_release_that_was_touched_is_missing_and_named(province: Province) -> None:
    province.publish_unit(UNIT)
    other = province.publish_unit(OTHER_UNIT)
    path = other.path / "marts" / "report_indicators.parquet"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    made = province.roll_up()
    assert isinstance(made, Published)
    (touched,) = [m for m in rows_of(made.release, "province_members") if m["member_code"] == OTHER_UNIT]
    assert touched["state"] == "missing"
    assert touched["why_vi"].startswith("bản công bố đã hư hại")
    assert {total["units_counted"] for total in rows_of(made.release, "province_totals")} <= {0, 1}

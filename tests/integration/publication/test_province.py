"""A province's release: made of its units' current releases, told again when one of them changes, and by whom."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import lxml.html
import openpyxl
import pytest

import publication
from expectations import GateWorker, run_province_gate
from publication import (
    CandidateError,
    Draft,
    Held,
    Instruction,
    MemberUnit,
    PortalFigure,
    Published,
    Release,
    Unchanged,
    changed_since,
    current_release,
    lock,
    make_draft,
    read_candidate,
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

    def roll_up(
        self, expected: int | None = None, portal: Sequence[PortalFigure] = (), deliveries: Sequence[str] = ()
    ) -> publication.PublishOutcome:
        """``deliveries``: hashes of what the province delivered itself."""
        return self._publish(PROVINCE, self._rolled_up(portal, deliveries), expected)

    def _rolled_up(self, portal: Sequence[PortalFigure] = (), deliveries: Sequence[str] = ()) -> Path:
        folder = roll_up(
            self.published, self.warehouse, province=PROVINCE, name_vi=NAME, quarter=QUARTER, units=UNITS,
            why_missing={"951": "chưa gửi số liệu của kỳ"}, portal=portal,
            deliveries=[delivered(sha256) for sha256 in deliveries],
        )  # fmt: skip
        verdicts = run_province_gate(
            self.warehouse, QUARTER, {PROVINCE: (folder, folder.name)}, GateWorker(inline=True)
        )
        assert verdicts[PROVINCE].blocking() == []
        return folder

    def draft(self, deliveries: Sequence[str] = ()) -> Draft:
        made = make_draft(
            self.published, self._rolled_up(deliveries=deliveries), self.warehouse / "verdicts" / PROVINCE / QUARTER,
            self.published.parent / "review" / PROVINCE / QUARTER / "du-thao", unit=PROVINCE, quarter=QUARTER,
            code_version="1.0",
        )  # fmt: skip
        assert isinstance(made, Draft), made
        return made

    def _publish(self, unit: str, folder: Path, expected: int | None) -> publication.PublishOutcome:
        return publication.publish(
            self.published, folder, self.warehouse / "verdicts" / unit / QUARTER, unit=unit, quarter=QUARTER,
            expected_previous=expected, code_version="1.0",
        )  # fmt: skip


@pytest.fixture
def province(tmp_path: Path) -> Province:
    return Province(tmp_path)


def delivered(sha256: str) -> dict[str, Any]:
    return {
        "delivery_id": sha256[:16], "file_name": "cổng.xlsx", "fingerprint": "f", "outcome": "accepted",
        "quarter": QUARTER, "sha256": sha256, "source": "portal_figures", "unit_code": PROVINCE,
    }  # fmt: skip


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

    # Page and workbook say how final the figures are, in the words of people; the page leads to what became of it.
    book = openpyxl.load_workbook(first.release.path / "report" / "tong-hop.xlsx")
    assert str(book["Tổng hợp"]["A1"].value).endswith("(SỐ LIỆU TẠM THỜI)")
    columns, *members = book["Đơn vị"].iter_rows(values_only=True)
    assert {member[columns.index("Cấp")] for member in members} == {"Cấp huyện"}
    page: Any = lxml.html.parse(str(first.release.path / "report" / "index.html")).getroot()
    header = " ".join(page.find(".//header").text_content().split())
    assert "SỐ LIỆU TẠM THỜI" in header
    assert "Bản công bố r1" in header
    assert f"../../../../index.html#b-{PROVINCE}-{QUARTER}" in page.xpath("//header//a/@href")

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


def test_what_a_portal_shows_stands_beside_and_its_delivery_is_the_cause_of_its_changes(province: Province) -> None:
    """The figure of the portal with its file and row; the other figures stay as they were, byte for byte."""
    province.publish_unit(UNIT, changes={"I.04": {"computed_value": Decimal(9), "declared_value": Decimal(8)}})
    plain = province.roll_up()
    assert isinstance(plain, Published)
    first, second = "a" * 64, "b" * 64
    name = f"portal_figures-{QUARTER}-{PROVINCE}-{first[:8]}"
    figure = PortalFigure(UNIT, "I.04", Decimal(7), dt.date(2023, 3, 16), "Cổng tỉnh", name, 1, 12)
    shown = province.roll_up(expected=1, portal=[figure], deliveries=[first])
    assert isinstance(shown, Published)
    assert verify(shown.release.path) == []
    (row,) = [row for row in rows_of(shown.release, "province_indicators") if row["portal_value"] is not None]
    names = ("indicator_code", "member_code", "portal_value", "declared_minus_computed", "portal_minus_computed")
    assert [row[name] for name in (*names, "portal_minus_declared")] == ["I.04", UNIT, 7, -1, -2, -1]
    assert [(p["file_name"], p["row_number"]) for p in rows_of(shown.release, "province_portal")] == [(name, 12)]
    inputs = json.loads((shown.release.path / "manifest.json").read_bytes())["inputs"]
    assert [(i["file_name"], i["sha256"]) for i in inputs if i["source"] != "releases"] == [(name, first)]
    for mart in ("province_totals", "province_ranking", "province_members"):
        paths = [release.path / "marts" / f"{mart}.parquet" for release in (plain.release, shown.release)]
        assert paths[0].read_bytes() == paths[1].read_bytes()
    assert shown.revision is not None
    assert [cause for cause in shown.revision.causes_vi if name in cause] == list(shown.revision.causes_vi)
    sheet = openpyxl.load_workbook(shown.release.path / "report" / "tong-hop.xlsx")["Đối chiếu"]
    assert [cell.value for cell in sheet[2]][-8:] == [9, 8, 7, "Cổng tỉnh", dt.datetime(2023, 3, 16), -1, -2, -1]
    page = lxml.html.document_fromstring((shown.release.path / "report" / "index.html").read_bytes().decode())
    (line,) = page.xpath("//table[@id='nguon']//tbody/tr")
    assert [cell.text_content() for cell in line.xpath("td")][1:] == [
        "9", "8", "7", "Cổng tỉnh", "16/03/2023", "-1", "-2", "-1",
    ]  # fmt: skip

    # Another file says otherwise; then the unit itself publishes anew.
    again = PortalFigure(UNIT, "I.04", Decimal(9), dt.date(2023, 3, 17), None, name.replace("aaaaaaaa", "b" * 8), 1, 3)
    replaced = province.roll_up(expected=2, portal=[again], deliveries=[second])
    assert isinstance(replaced, Published)
    listed = from_csv((replaced.release.path / "quality" / "changes.csv").read_bytes())
    assert {line["cause_kind"] for line in listed} == {"delivery_new;delivery_removed"}
    province.publish_unit(UNIT, changes={"I.04": {"computed_value": Decimal(10), "declared_value": Decimal(8)}})
    revised = province.roll_up(expected=3, portal=[again], deliveries=[second])
    assert isinstance(revised, Published)
    listed = from_csv((revised.release.path / "quality" / "changes.csv").read_bytes())
    assert {line["cause_kind"] for line in listed} == {"release_replaced"}


def test_a_draft_of_a_province_is_of_its_day(province: Province) -> None:
    """What a unit publishes, for the first time or anew, and what the province delivers, is told as what came since."""
    province.publish_unit(UNIT)
    draft = province.draft(["a" * 64])
    candidate = read_candidate(province.warehouse / "candidates" / PROVINCE / QUARTER / draft.candidate_hash)
    assert draft.can_be_approved
    assert not (province.published / PROVINCE).exists()

    def since(*hashes: str) -> list[str]:
        return changed_since(candidate, province.published, QUARTER, UNITS, [delivered(sha256) for sha256 in hashes])

    assert since("a" * 64) == []
    province.publish_unit(UNIT, **CHANGED)
    province.publish_unit(OTHER_UNIT)
    told = since("b" * 64)
    assert [line.partition(" quý")[0] for line in told[:2]] == [
        f"Huyện khác ({OTHER_UNIT}) công bố bản r1",
        "Huyện Cù Lao Dung (945) công bố bản r2 thay bản r1",
    ]
    assert [line.rpartition(") ")[2] for line in told[2:]] == ["tỉnh nộp", "không còn được dùng"]


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

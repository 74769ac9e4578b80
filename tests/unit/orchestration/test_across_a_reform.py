"""What follows from a reform that was entered as docs/units.md says: windows, names, folders."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from common.periods import is_owed, load_periods, period_named, quarters_behind
from ingestion import ReferenceData
from ingestion.base.reference import AdminUnit
from ingestion.rows.resolve import UnitRegistry
from orchestration.pipeline import Pipeline
from orchestration.provinces import provinces_of
from orchestration.settings import Settings
from orchestration.units import ReportingUnits

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
REFORM = dt.date(2025, 7, 1)
EVE = REFORM - dt.timedelta(days=1)
REFERENCE = ReferenceData.load(SEEDS)


def unit(reference: ReferenceData, code: str, day: dt.date) -> AdminUnit:
    found = reference.unit(code, day)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "quarter", "opens", "year_opens"),
    [
        ("945", "2025-Q2", dt.date(2025, 3, 15), dt.date(2024, 12, 15)),
        ("945", "2025-Q3E", dt.date(2025, 6, 15), dt.date(2024, 12, 15)),
        ("31633", "2025-Q3", REFORM, REFORM),
        ("31633", "2025-Q4", dt.date(2025, 9, 15), REFORM),
        ("31633", "2025-Y", REFORM, REFORM),
        ("31633", "2025-Q3C", REFORM, REFORM),
        ("31633", "2026-Q1", dt.date(2025, 12, 15), dt.date(2025, 12, 15)),
    ],
)
def test_a_period_opens_with_the_unit(code: str, quarter: str, opens: dt.date, year_opens: dt.date) -> None:
    period = REFERENCE.periods[quarter]
    window = REFERENCE.window_of(unit(REFERENCE, code, period.closes_on), period)
    assert (window.opens_on, window.year_opens_on, window.closes_on) == (opens, year_opens, period.closes_on)


def test_units_that_end_close_their_books_in_a_period_of_their_own() -> None:
    closing = period_named("2025-Q3E")
    assert closing.closes_on + dt.timedelta(days=1) == REFORM
    assert closing.opens_on == period_named("2025-Q2").closes_on + dt.timedelta(days=1)
    assert is_owed(closing, "945")
    order = [period.quarter for period in load_periods()]
    assert order.index("2025-Q2") < order.index("2025-H1") < order.index("2025-Q3E") < order.index("2025-Q3")
    assert "2025-Q3E" in quarters_behind("2025-Q3")
    assert "2025-Q3E" not in quarters_behind("2025-Q2")
    units = ReportingUnits()
    # The folder 31633 of that period is xã An Thạnh 3, which delivers through its district; later it is another unit.
    assert units.reporting_unit("31633", "2025-Q3E") == "945"
    assert units.reporting_unit("31633", "2025-Q3") == "31633"


def test_a_unit_looks_at_the_folders_of_those_before_it_up_to_their_end() -> None:
    units = ReportingUnits()
    (before, quarters), (heirs, first) = units.folders_before("31633", "2025-Q3")
    assert set(before) == {"945", "31615", "31618", "31621", "31624", "31627", "31630", "31633", "31636"}
    assert quarters[-1] == "2025-Q3E"
    assert (heirs, first) == (["31615", "31633"], ["2025-Q3"])
    assert len(units.folders_before("31633", "2025-Q4")) == 1
    assert units.folders_before("945", "2023-Q1") == []
    # A code that another unit bore before means that unit in its folders.
    assert units.since_begun("31633", ["2025-Q2", "2025-Q3E", "2025-Q3"]) == ["2025-Q3"]
    assert units.since_begun("945", ["2023-Q1", "2025-Q2"]) == ["2023-Q1", "2025-Q2"]


@pytest.mark.parametrize(
    ("code", "name", "means"),
    [
        ("31615", "UBND huyện Cù Lao Dung", {"31615"}),
        ("31633", "Bộ phận Một cửa huyện Cù Lao Dung", {"31633"}),
        ("31615", "TT. Cù Lao Dung", {"31615"}),
        ("31615", "UBND xã An Thạnh 1", {"31615"}),
        # Of what went into the other commune nobody here may speak.
        ("31615", "UBND xã An Thạnh 3", set()),
        ("31633", "Xã An Thạnh 3", {"31633"}),
        ("31633", "Trung tâm Phục vụ hành chính công xã Cù Lao Dung", {"31633"}),
    ],
)
def test_a_name_of_the_time_before_means_the_unit_of_today(code: str, name: str, means: set[str]) -> None:
    today = unit(REFERENCE, code, REFORM)
    registry = UnitRegistry(today, [], before=REFERENCE.predecessors(today, REFORM))
    assert registry.find(name) == means


@pytest.mark.parametrize(
    ("code", "written", "means"),
    [
        ("31615", "H13.331", {"31615"}),
        ("31615", "h13.331", {"31615"}),
        ("31615", "000.00.331.H13", set()),  # no spelling of the circular's
        ("31615", "G15.331", {"31615"}),
        ("31615", "H13.331.02", {"31615"}),  # an office of the commune's
        ("31615", "000.22.32.H51", {"31615"}),  # xã An Thạnh 1, which went into it whole
        ("31615", "H51.32", {"31615"}),  # the district that was before it
        ("31615", "H13.332", set()),
        ("31615", "000.27.32.H51", set()),  # xã An Thạnh 3, which went into the other commune
        ("31633", "H13.332", {"31633"}),
        ("31633", "H13", set()),
        ("31633", "H99.1", set()),
    ],
)
def test_a_code_of_a_portal_means_the_unit_of_its_day(code: str, written: str, means: set[str]) -> None:
    today = unit(REFERENCE, code, REFORM)
    before = REFERENCE.predecessors(today, REFORM)
    registry = UnitRegistry(today, [], before=before, portals=REFERENCE.portals, on=REFORM)
    assert registry.find(written) == means
    assert UnitRegistry(today, [], before=before).find(written) == set(), "without the register no code is a name"


def test_a_code_of_another_unit_is_turned_away_by_its_name() -> None:
    today = unit(REFERENCE, "31615", REFORM)
    registry = UnitRegistry(today, [], portals=REFERENCE.portals, on=REFORM)
    remark = registry.parse("H13.332").rejection
    assert remark is not None
    assert (remark.code, "31633" in remark.reason_vi) == ("unknown_unit", True)


def test_what_is_above_may_head_a_file_and_a_stranger_may_not() -> None:
    today = unit(REFERENCE, "31633", REFORM)
    registry = UnitRegistry(today, [], superior=REFERENCE.superior(today, REFORM))
    assert registry.stranger_in_titles(["UBND THÀNH PHỐ CẦN THƠ", "Danh sách hồ sơ"]) is None
    assert registry.stranger_in_titles(["UBND THÀNH PHỐ CẦN THƠ", "UBND XÃ AN THẠNH"]) == "UBND XÃ AN THẠNH"
    assert registry.stranger_in_titles(["UBND THÀNH PHỐ SÓC TRĂNG"]) == "UBND THÀNH PHỐ SÓC TRĂNG"


def test_a_reform_of_tomorrow_needs_rows_and_no_code(tmp_path: Path) -> None:
    """Two communes merge on 1 February 2026: what is entered in the tables is all that there is to do."""
    shutil.copytree(SEEDS, tmp_path, dirs_exist_ok=True)
    units = tmp_path / "admin_units.csv"
    lines = units.read_text(encoding="utf-8").splitlines()
    head = lines[0].split(",")
    changed = []
    for line in lines:
        cells = line.split(",")
        if cells[0] in ("31615", "31633") and cells[head.index("valid_from")] == "2025-07-01":
            cells[head.index("valid_to")], cells[head.index("ended_by")] = "2026-01-31", "thử"
        changed.append(",".join(cells))
    changed.append("31640,commune,xã,Xã Cồn Mới,92,2026-02-01,,thử,")
    units.write_text("\n".join(changed) + "\n", encoding="utf-8")
    with (tmp_path / "admin_unit_successors.csv").open("a", encoding="utf-8") as table:
        table.write("31615,31640,whole,2026-02-01,thử\n31633,31640,whole,2026-02-01,thử\n")
    reference = ReferenceData.load(tmp_path)
    period = reference.periods["2026-Q1"]
    merged = unit(reference, "31640", period.closes_on)
    assert reference.window_of(merged, period).opens_on == dt.date(2026, 2, 1)
    assert reference.reporting_unit("31640", period.closes_on) == merged
    assert {u.code for u in reference.predecessors(merged, period.closes_on)} >= {"31615", "31633", "31618", "945"}
    near, far = reference.succeeded_together(merged, period.closes_on)
    assert ({u.code for u in near.units}, near.heirs) == ({"31615", "31633"}, ("31640",))
    assert (near.first, far.last) == (REFORM, EVE), "through both reforms"
    assert "945" in {u.code for u in far.units}
    assert reference.unit("31633", period.closes_on) is None


@pytest.mark.parametrize("order", [("94", "92"), ("92", "94")])
@pytest.mark.parametrize(
    ("quarter", "publish", "rolled_up"),
    [
        ("2023-Q1", ["945"], ["94"]),
        ("2025-Q3E", ["945"], ["94"]),
        # Sóc Trăng was taken into Cần Thơ: a run of a later period goes on with who is left.
        ("2025-Q3", ["31615"], ["92"]),
        ("2026-Q1", ["31615"], ["92"]),
        # What a code meant before the reform publishes nothing for the province that its bearer is in since.
        ("2026-Q1", ["945"], []),
        ("2026-Q1", [], []),
    ],
)
def test_a_run_rolls_up_the_provinces_of_its_day(
    order: tuple[str, ...], quarter: str, publish: list[str], rolled_up: list[str], tmp_path: Path
) -> None:
    pipeline = Pipeline(Settings(home=tmp_path, provinces=order))
    for unit_code in publish:
        (pipeline.home.published / unit_code / quarter).mkdir(parents=True)
    assert provinces_of(pipeline, quarter) == rolled_up

"""The sample after the reform: what its two communes' files carry, in the words and codes of those years."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from common.forms import form_on
from ingestion import load_contracts
from sample import CLOSING, COMMUNE_QUARTERS, sample_rows, write_sample
from sample.closing import decision_rows
from sample.communes import (
    COMMUNE_WINDOWS,
    COMMUNES,
    PLANS,
    carried_from_district,
    case_rows,
    commune_rows,
    district_open_cases,
    headline_counts,
    plan_of_commune,
)
from sample.layouts import COUNTER, MINISTRY_CASES, OF_PROVINCE, standing_commune_layout
from sample.provinces import communes_of, department_rows, portal_rows, province_files, register_rows
from sample.quarters import ALL_WINDOWS, CLOSING_WINDOWS
from sample.rows import DEFAULT_SEED, Row

ALL = [(commune, quarter) for commune in COMMUNES for quarter in COMMUNE_QUARTERS]
_PROVINCE = re.compile(r"H13\.\d{3}-\d{6}-\d{4}")
_MINISTRY = re.compile(r"G15\.\d{3}-\d{6}-\d{6,7}")
_DISTRICT = re.compile(r"000\.\d\d\.32\.H51-2506\d{2}-\d{4}")


@pytest.mark.parametrize(("commune", "quarter"), ALL)
def test_cases_bear_the_codes_of_their_systems_and_one_case_has_one(commune: str, quarter: str) -> None:
    rows = case_rows(COMMUNES[commune], quarter, DEFAULT_SEED)
    codes = Counter(row["case_code"] for row in rows)
    assert set(codes.values()) == {1}
    kinds = Counter(
        next(kind for kind in (_PROVINCE, _MINISTRY, _DISTRICT) if kind.fullmatch(code)).pattern[:3] for code in codes
    )
    assert min(kinds[r"H13"], kinds[r"G15"]) > 50
    assert (kinds["000"] > 0) is (quarter == COMMUNE_QUARTERS[0])
    for row in rows:
        assert f"-{row['received_at']:%y%m%d}-" in row["case_code"]
        assert row["finished_at"] is None or row["received_at"] <= row["finished_at"]
        assert row["finished_at"] is None or row["finished_at"].date() <= COMMUNE_WINDOWS[quarter].closes_on


@pytest.mark.parametrize(("commune", "quarter"), ALL)
def test_the_plan_is_what_the_rows_carry(commune: str, quarter: str) -> None:
    plan, rows = PLANS[commune, quarter], case_rows(COMMUNES[commune], quarter, DEFAULT_SEED)
    counts = headline_counts(rows, COMMUNE_WINDOWS[quarter])
    carried = [row for row in rows if row["received_at"].date() < COMMUNE_WINDOWS[quarter].opens_on]
    assert counts["III.26"] == plan.received
    assert counts["III.27"] == plan.received - plan.open - plan.withdrawn - plan.refused + len(carried)
    assert counts["III.27"] - counts["III.28"] == plan.late


@pytest.mark.parametrize("commune", COMMUNES)
def test_what_was_open_is_told_again_until_it_ends(commune: str) -> None:
    place = COMMUNES[commune]
    for before, after in pairwise(COMMUNE_QUARTERS):
        left = {row["case_code"] for row in case_rows(place, before, DEFAULT_SEED)
                if row["status"] in ("received", "in_progress", "waiting_for_supplement", "suspended")}  # fmt: skip
        told = {row["case_code"]: row for row in case_rows(place, after, DEFAULT_SEED)}
        assert len(left) == PLANS[commune, before].open
        assert all(told[code]["finished_at"] for code in left)


def test_the_districts_open_cases_are_shared_out_but_for_one() -> None:
    left = [row["case_code"] for row in district_open_cases(DEFAULT_SEED)]
    taken = [row["case_code"] for place in COMMUNES.values() for row in carried_from_district(place, DEFAULT_SEED)]
    assert sorted(taken) == sorted(left[:-1])


def _last_exports() -> dict[str, list[Row]]:
    """The last exports of the district and of its communes, by unit."""
    return {unit: rows for (unit, source, _), rows in sample_rows(CLOSING).items() if source == "one_stop_cases"}


def test_what_the_last_exports_leave_open_is_told_by_one_successor_or_named_in_a_decision() -> None:
    ended = ("returned", "finished", "withdrawn", "refused", "registered", "not_received")
    exports = _last_exports()
    left = Counter(row["case_code"] for rows in exports.values() for row in rows if row["status"] not in ended)
    assert set(left.values()) == {1}
    told: Counter[str] = Counter()
    for place in COMMUNES.values():
        rows = {row["case_code"]: row for row in case_rows(place, COMMUNE_QUARTERS[0], DEFAULT_SEED)}
        told.update(left.keys() & rows)
        assert all(rows[code]["finished_at"].date() <= rows[code]["due_at"].date() for code in left.keys() & rows)
        decided = {row["applies_to"] for row in decision_rows(place, DEFAULT_SEED)}
        assert len(decided) == 1
        assert all(f"chuyển sang = {len(left) - 1}; " in r["figures_seen"] for r in decision_rows(place, DEFAULT_SEED))
    assert set(told.values()) == {1}
    assert left.keys() - told == decided
    # Of the district itself and of communes that went into both.
    assert {unit for unit, rows in exports.items() if any(row["case_code"] in left for row in rows)} > {"945"}


def test_the_last_exports_hold_the_days_of_the_short_period_and_set_aside_what_was_stale() -> None:
    window = CLOSING_WINDOWS[CLOSING]
    for unit, rows in _last_exports().items():
        codes = Counter(row["case_code"] for row in rows)
        assert set(codes.values()) == {1}, unit
        fresh = [row for row in rows if row["received_at"].date() >= window.opens_on]
        assert all(row["received_at"].date() <= window.closes_on for row in fresh)
        assert {row["status"] for row in rows if row not in fresh} <= {"withdrawn"}
    declared = {
        row["indicator_code"]: row["value"]
        for row in sample_rows(CLOSING)["945", "declared_returns", "so-lieu-khai-bao.xlsx"]
    }
    own = [row for row in _last_exports()["945"] if row["received_at"].date() >= window.opens_on]
    assert declared["III.23"] == sum(row["status"] not in ("registered", "not_received") for row in own)


def test_the_successors_decide_only_where_the_last_period_is_written_too(tmp_path: Path) -> None:
    for name, quarters in (("alone", ["2025-Q3"]), ("after", [CLOSING, "2025-Q3"])):
        write_sample(tmp_path / name, quarters, scale=3)
        found = sorted(path.parts[-4] for path in (tmp_path / name).glob("*/2025-Q3/decisions/*"))
        assert found == ([] if name == "alone" else sorted(COMMUNES))
    # A case that a successor tells again cannot be there three times.
    book = openpyxl.load_workbook(
        tmp_path / "after/945" / CLOSING / "one_stop_cases/ho-so-mot-cua.xlsx", read_only=True
    )
    codes = [row[1] for row in book.active.iter_rows(values_only=True) if str(row[1]).startswith("000.00.32")]
    assert codes == [row["case_code"] for row in _last_exports()["945"]]


@pytest.mark.parametrize(("commune", "quarter"), ALL)
def test_what_a_ministrys_system_tells_the_provinces_tells_too(commune: str, quarter: str) -> None:
    files = commune_rows(COMMUNES[commune], quarter, DEFAULT_SEED)
    exports = {name: rows for (_, source, name), rows in files.items() if source == "one_stop_cases"}
    of_ministry = exports["ho-so-he-thong-bo.csv"]
    assert of_ministry
    assert all(row in exports["ho-so-he-thong-tinh.xlsx"] for row in of_ministry)


def test_every_heading_is_an_alias_and_every_word_a_label() -> None:
    contracts = load_contracts()
    layouts = {source: [standing_commune_layout(source)] for source in contracts
               if source not in ("decisions", "report_narrative", *OF_PROVINCE) or source == "org_units"}  # fmt: skip
    for source, layout in OF_PROVINCE.items():
        layouts.setdefault(source, []).append(layout)
    layouts["one_stop_cases"].append(MINISTRY_CASES)
    for source, found in layouts.items():
        for layout in found:
            for heading in layout.headings:
                if heading.field.startswith("@"):
                    assert heading.text in contracts[source].personal
                elif heading.field != COUNTER:
                    assert heading.text in contracts[source].column(heading.field).aliases, (source, heading)
            for column, words in layout.words.items():
                for value, word in words.items():
                    assert word in contracts[source].column(column).labels[value]


def test_files_speak_as_the_portal_does_and_of_no_district(tmp_path: Path) -> None:
    write_sample(tmp_path, ["2025-Q3"])
    words: set[str] = set()
    for path in sorted(tmp_path.rglob("*.xlsx")):
        book = openpyxl.load_workbook(path, read_only=True)
        cells = {str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell}
        words |= cells
        if path.parent.name != "one_stop_cases":
            assert not [cell for cell in cells if "huyện" in cell.lower() and cell != "Cấp huyện"], path
            assert not [cell for cell in cells if re.search(r"mức độ [34]", cell, re.IGNORECASE)], path
    for path in sorted(tmp_path.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as handle:
            words |= {cell for row in csv.reader(handle, delimiter=";") for cell in row}
    assert {
        "Dịch vụ BCCI", "Tạm dừng giải quyết", "Dừng xử lý", "Được tiếp nhận", "Không được tiếp nhận", "Đang xử lý",
        "Đã trả kết quả", "Đã xử lý xong", "Công dân yêu cầu rút hồ sơ", "Yêu cầu bổ sung giấy tờ", "Trực tuyến",
        "Toàn trình", "Một phần", "Trung tâm Phục vụ hành chính công xã An Thạnh", "UBND huyện Cù Lao Dung",
    } <= words  # fmt: skip


def test_every_commune_of_a_province_has_its_own_plan_and_no_case_code_of_another() -> None:
    communes = communes_of("92", "2026-Q1")
    assert len(communes) == 103
    assert len({commune.agency for commune in communes}) == 103
    assert set(COMMUNES.values()) <= set(communes), "the described ones as they are"
    undescribed = [commune for commune in communes if commune.code not in COMMUNES]
    assert len({plan_of_commune(commune.code, "2026-Q1") for commune in undescribed}) > 90
    for commune in undescribed[:: len(undescribed) // 2]:
        plan, window = plan_of_commune(commune.code, "2026-Q1"), COMMUNE_WINDOWS["2026-Q1"]
        rows = case_rows(commune, "2026-Q1", DEFAULT_SEED)
        counts = headline_counts(rows, window)
        assert counts["III.26"] == plan.received
        assert counts["III.27"] - counts["III.28"] == plan.late
        agencies = {number for row in rows for number in re.findall(r"\.(\d{3})-", row["case_code"])}
        assert agencies == {commune.agency}
        names = {commune.unit_name(code, "name") for code, _ in (*commune.offices, *commune.service_units())}
        assert all(commune.seat in name for name in names if name.startswith("Trường"))
    with pytest.raises(KeyError):
        communes_of("94", "2026-Q1")  # taken into 92 by then


def test_the_portal_shows_mostly_the_units_own_figures_some_others_and_not_every_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = communes_of("92", "2026-Q1")[:30]
    monkeypatch.setattr("sample.provinces.communes_of", lambda province, quarter: few)
    monkeypatch.setattr("sample.provinces.shown_cases", lambda commune, quarter, seed: [])
    counts = {"III.26": 300, "III.27": 290, "III.28": 280}
    monkeypatch.setattr("sample.provinces.headline_counts", lambda rows, window: counts)
    rows = portal_rows("92", "2026-Q1", DEFAULT_SEED)
    assert rows == portal_rows("92", "2026-Q1", DEFAULT_SEED)
    assert rows != portal_rows("92", "2026-Q1", DEFAULT_SEED + 1)
    other = [row for row in rows if row["value"] != counts[row["indicator_code"]]]
    assert 0 < len(other) < len(rows) / 4
    assert 0 < 30 - len({row["unit"] for row in rows}) < 8
    assert {row["taken_on"] for row in rows} == {COMMUNE_WINDOWS["2026-Q1"].closes_on + dt.timedelta(days=2)}


@pytest.mark.parametrize(("province", "quarter", "window"), [
    ("94", "2023-Q1", ALL_WINDOWS["2023-Q1"]), ("92", "2026-Q1", COMMUNE_WINDOWS["2026-Q1"]),
])  # fmt: skip
def test_departments_of_a_province_tell_ratios_by_their_parts_and_a_few_are_silent(
    province: str, quarter: str, window: Any
) -> None:
    rows = department_rows(province, quarter, window, DEFAULT_SEED)
    assert rows == department_rows(province, quarter, window, DEFAULT_SEED)
    day = window.closes_on
    files = {
        source: listed for (source, _), listed in islice(province_files(province, quarter, window, DEFAULT_SEED), 2)
    }
    assert files["department_figures"] == rows
    assert {row["department"] for row in rows} <= {row["unit_code"] for row in files["org_units"]}
    assert all(row["valid_from"] <= day for row in files["org_units"]), "nobody enters what is yet to be founded"
    in_being = {r["unit_code"] for r in register_rows(province) if r["valid_from"] <= day <= (r["valid_to"] or day)}
    telling = {row["department"] for row in rows}
    assert telling < in_being, "one at least is silent, and nobody tells who is not there"
    assert len(in_being) > 12
    form = form_on(day, level="commune" if province == "92" else "district", issuer=province)
    kinds = {row["indicator_code"]: row["kind"] for row in form.rows}
    for row in rows:
        assert (row.get("numerator") is None) is (kinds[row["indicator_code"]] != "ratio")
        assert row.get("numerator", 0) <= row.get("denominator", 0)
    counted = {(row["department"], row["indicator_code"]): row["value"] for row in rows if "value" in row}
    for part, whole in form.shares.items():
        assert all(counted[d, part] <= counted[d, whole] for d in telling)

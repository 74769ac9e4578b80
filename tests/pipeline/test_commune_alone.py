"""From 1 July 2025 a commune reports by itself: it delivers what districts did, is asked for it, and publishes.

Two communes of the sample's former district, with the form of 2023 that is still in force: one sends something of
every source, the other only cases, their procedures and declared figures, and of everything else a table without rows.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ingestion import load_contracts
from tests.conftest import CliResult, run_cli
from tests.pipeline.conftest import indicators, release_of

FULL, SPARSE, QUARTER = "31633", "31615", "2025-Q3"
NAMES = {FULL: "Xã Cù Lao Dung", SPARSE: "Xã An Thạnh"}
AGENCY = {FULL: "41", SPARSE: "42"}
FIRST_DAY, CLOSING = dt.date(2025, 6, 15), dt.date(2025, 9, 14)
DAY = dt.date(2025, 8, 1)
CASES, LATE, OPEN = 60, 4, 2
Row = dict[str, Any]
COUNTED_CASES = {"III.26": CASES, "III.27": CASES - OPEN, "III.28": CASES - OPEN - LATE}
# Figures of the commune that sent something of every source, by row of the form.
COUNTED = {2: 50, 3: 2, 4: 1, 5: 2, 13: 100, 25: 20, 27: 80, 32: 0, 52: 1, 60: 2, 62: 2, 69: 100, 74: CASES, 103: 2,
           129: 5, 130: 1, 132: 1, 151: 1, 153: 1, 154: 1, 165: 83, 166: 61, 167: 20, 177: 2, 178: 2, 179: 1, 180: 2,
           181: CASES, 182: 20, 186: 7, 187: 2, 189: 2}  # fmt: skip

# Answers to yes/no rows, and what nothing but a declaration tells. Rows about a district are left out.
DECLARED = {
    "I.14": 3, "I.15": 5, "I.16": 1, "I.17": 1, "I.22": 0, "I.23": 0, "I.28": 1, "I.29": 1, "II.03": 0, "II.04": 0,
    "II.06": 0, "II.07": 0, "II.08": 0, "II.09": 0, "II.10": 0, "II.11": 0, "II.13": 0, "II.14": 0, "II.15": 0,
    "II.16": 0, "II.17": 1, "II.18": 4, "III.02": 1, "III.08": 0, "III.15": 1, "III.16": 2, "III.17": 2, "V.03": 1,
    "V.04": 1, "V.12": 0, "VII.06": 1, "VII.34": 1,
}  # fmt: skip


def _table(source: str, rows: list[Row]) -> bytes:
    """A CSV with every column of the contract under its own heading."""
    columns = [c for c in load_contracts()[source].columns if not c.derived_from]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow([column.title_vi for column in columns])
    for row in rows:
        cells = []
        for column in columns:
            value = row.get(column.name)
            if value is not None and column.type == "enum":
                value = next(label for label in column.labels[value] if not label.isdigit())
            cells.append(_printed(value))
        writer.writerow(cells)
    return ("\ufeff" + text.getvalue()).encode()


def _printed(value: Any) -> str:
    if isinstance(value, bool):
        return "Có" if value else "Không"
    if isinstance(value, dt.datetime):
        return f"{value:%d/%m/%Y %H:%M}"
    return f"{value:%d/%m/%Y}" if isinstance(value, dt.date) else "" if value is None else str(value)


def _cases(commune: str) -> Iterator[Row]:
    for number in range(CASES):
        received = dt.datetime.combine(FIRST_DAY, dt.time(8)) + dt.timedelta(days=number * 3 // 2)
        is_open, is_late = number >= CASES - OPEN, number < LATE
        ended = received + dt.timedelta(days=5 if is_late else 0, hours=5)
        yield {
            "case_code": f"H13.{AGENCY[commune]}-{received:%y%m%d}-{number + 1:04d}",
            "procedure_code": "1.001193", "procedure_name": "Thủ tục đăng ký khai sinh", "field": "Hộ tịch",
            "receiving_unit": NAMES[commune], "received_at": received,
            "due_at": received + dt.timedelta(days=30 if is_open else 3),
            "finished_at": None if is_open else ended,
            "returned_at": None if is_open else ended + dt.timedelta(hours=1),
            "status": "in_progress" if is_open else "returned",
            "channel": "online" if number % 3 == 0 else "direct", "return_channel": None if is_open else "direct",
        }  # fmt: skip


def _declared(figures: dict[str, int]) -> list[Row]:
    return [{"indicator_code": code, "value": value, "approved_on": dt.date(2025, 9, 15)}
            for code, value in figures.items()]  # fmt: skip


def _procedures() -> list[Row]:
    return [
        {"procedure_code": code, "procedure_name": name, "field": "Hộ tịch", "applies_district": False,
         "applies_commune": True, "valid_from": dt.date(2021, 6, 7), "interlinked": "none",
         "internal_process_electronic": True, "time_limit": "03 ngày làm việc", "online_eligible_level": "level_4",
         "online_offered_level": "level_4", "on_national_portal": True, "has_fee": False, "online_payment": False,
         "postal_service": False}
        for code, name in (("1.001193", "Thủ tục đăng ký khai sinh"), ("1.000894", "Thủ tục đăng ký kết hôn"))
    ]  # fmt: skip


def _of_every_source() -> dict[str, list[Row]]:
    """The files of a commune with two offices, a school, seven people and a plan."""
    since = dt.date(2025, 7, 1)
    office, school = "Phòng Văn hóa - Xã hội", "Trường Tiểu học An Thạnh 3"
    people = [(NAMES[FULL], "commune_official", "commune_leader")] * 2
    people += [(office, "commune_civil_servant", None)] * 3 + [(school, "public_employee", None)] * 2
    unit = {"valid_from": since, "parent_code": FULL}
    task = {"plan_document": "05/KH-UBND ngày 10/07/2025", "due_on": dt.date(2025, 12, 1), "status": "in_progress"}
    done = {"status": "done", "done_on": DAY, "evidence_document": "12/BC-UBND"}
    documents = {"unit": NAMES[FULL], "topic": "all", "document_kind": "all"}
    return {
        "one_stop_cases": list(_cases(FULL)),
        "declared_returns": _declared(
            DECLARED | COUNTED_CASES | {"VII.14": 83, "VII.15": 61, "VII.16": 20}
        ),
        "org_units": [
            {"unit_code": FULL, "name": "UBND xã Cù Lao Dung", "unit_type": "commune", "valid_from": since},
            unit | {"unit_code": f"{FULL}-PB01", "name": "Văn phòng HĐND và UBND", "unit_type": "department"},
            unit | {"unit_code": f"{FULL}-PB02", "name": office, "unit_type": "department"},
            unit | {"unit_code": f"{FULL}-SN01", "name": school, "unit_type": "public_service_unit",
                    "autonomy_group": 4, "applies_autonomy": True},
        ],
        "procedure_catalogue": _procedures(),
        "plan_tasks": [
            task | done | {"plan": "cchc_year", "task_code": "NV01", "content": "Niêm yết thủ tục hành chính"},
            task | {"plan": "cchc_year", "task_code": "NV02", "content": "Rà soát quy trình nội bộ"},
            task | done | {"plan": "propaganda", "task_code": "NV03", "content": "Tuyên truyền trên đài truyền thanh"},
            task | {"plan": "training", "task_code": "NV04", "planned_quantity": 5},
            task | {"plan": "rotation", "task_code": "NV05", "planned_quantity": 1},
            task | {"plan": "procedure_review", "task_code": "NV06"},
            task | {"plan": "digital_government", "task_code": "NV07"},
        ],
        "staffing_roster": [
            {"staff_code": f"CB{number:03d}", "full_name": f"Nguyễn Văn A{number}", "unit": unit_name,
             "category": category, "leadership": leadership, "salary_source": "state_budget",
             "birth_date": dt.date(1980, 1, number), "recruited_on": dt.date(2010, 3, 1),
             "recruitment_mode": "examination", "digital_certificate": bool(leadership), "official_email": True,
             "it_officer": number == 3, "training_ended_on": DAY if number == 4 else None}
            for number, (unit_name, category, leadership) in enumerate(people, 1)
        ],
        "survey_responses": [
            {"form_number": f"P{number:02d}", "channel": "paper",
             "responded_on": FIRST_DAY + dt.timedelta(days=number * 4),
             "overall": "satisfied" if number % 5 else "neutral"}
            for number in range(1, 21)
        ],
        "e_document_counts": [
            documents | {"outgoing_total": 83, "electronic_only": 61, "electronic_and_paper": 20, "paper_only": 2,
                         "incoming_total": 140, "incoming_electronic": 131, "connected": True},
            documents | {"topic": "cchc", "outgoing_total": 2},
            documents | {"document_kind": "legal_normative", "outgoing_total": 0},
        ],
    }  # fmt: skip


def _nothing_but_cases() -> dict[str, list[Row]]:
    sources = [name for name in load_contracts() if name not in ("decisions", "report_narrative")]
    files: dict[str, list[Row]] = {name: [] for name in sources}
    declared = DECLARED | COUNTED_CASES | {"VII.14": 0, "VII.15": 0, "VII.16": 0}
    return files | {
        "one_stop_cases": list(_cases(SPARSE)),
        "declared_returns": _declared(declared),
        "procedure_catalogue": _procedures(),
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CliResult]:
    """The home of both communes after one run of the quarter, and how the run ended."""
    home = tmp_path_factory.mktemp("communes") / "home"
    for commune, files in ((FULL, _of_every_source()), (SPARSE, _nothing_but_cases())):
        for source, rows in files.items():
            path = home / "landing" / commune / QUARTER / source / f"{source}.csv"
            path.parent.mkdir(parents=True)
            path.write_bytes(_table(source, rows))
    return home, run_cli(home, "run", QUARTER, "--json")


@pytest.mark.parametrize("commune", [FULL, SPARSE])
def test_a_commune_that_reports_by_itself_publishes(ran: tuple[Path, CliResult], commune: str) -> None:
    home, result = ran
    units = {unit["unit_code"]: unit for unit in json.loads(result.stdout)["units"]}
    assert (units[commune]["reasons"], units[commune]["state"], result.code) == ([], "published", 0)
    release = release_of(home, commune, QUARTER)
    assert release is not None
    rows = indicators(release)
    assert (rows[74]["value"], rows[75]["value"], rows[76]["value"]) == (CASES, CASES - OPEN, CASES - OPEN - LATE)


def _release(home: Path, commune: str) -> Path:
    release = release_of(home, commune, QUARTER)
    assert release is not None
    return release


def test_what_it_sent_is_counted(ran: tuple[Path, CliResult]) -> None:
    rows = indicators(_release(ran[0], FULL))
    figures = {number: rows[number]["value"] for number in COUNTED}
    assert figures == COUNTED
    assert {(rows[number]["units_counted"], rows[number]["units_expected"]) for number in COUNTED} == {(1, 1)}


@pytest.mark.parametrize("commune", [FULL, SPARSE])
def test_rows_about_districts_do_not_apply_and_nobody_is_said_to_owe_them(
    ran: tuple[Path, CliResult], commune: str
) -> None:
    rows = indicators(_release(ran[0], commune))
    about_districts = [row for row in rows.values() if "UBND cấp huyện" in row["indicator_name_vi"]]
    assert len(about_districts) > 20
    assert {row["status"] for row in about_districts} == {"not_applicable"}


def test_every_delivered_row_is_in_a_figure_or_told(ran: tuple[Path, CliResult]) -> None:
    home, _ = ran
    (left_out,) = (home / "warehouse" / "candidates" / FULL / QUARTER).glob("*/marts/rows_left_out.parquet")
    assert pq.read_table(left_out).num_rows == 0


@pytest.mark.parametrize("commune", [FULL, SPARSE])
def test_its_letter_speaks_of_a_commune(ran: tuple[Path, CliResult], commune: str) -> None:
    with zipfile.ZipFile(_release(ran[0], commune) / "report" / "report.docx") as archive:
        document = archive.read("word/document.xml").decode()
    letter = re.sub(r"<[^>]+>", "", document.replace("</w:p>", " ").replace("<w:tab/>", " "))
    letter = " ".join(letter.partition("BẢNG TỔNG HỢP")[0].split())
    area = NAMES[commune].lower()[:2] + NAMES[commune][2:]
    assert f"Ủy ban nhân dân {area} báo cáo kết quả" in letter
    assert f"tiếp nhận {CASES} hồ sơ TTHC, đã giải quyết {CASES - OPEN} hồ sơ" in letter
    assert "huyện" not in letter.lower()
    assert "None" not in letter

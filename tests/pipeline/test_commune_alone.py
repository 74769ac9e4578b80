"""From 1 July 2025 a commune reports by itself: it delivers what districts did, is asked for it, and publishes.

Two communes of the sample's former district, with the form of communes that stands in until there is an official one:
one sends something of every source, the other only cases, their procedures and declared figures, and of everything else
a table without rows.
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

import lxml.html
import pyarrow.parquet as pq
import pytest

from common.forms import form_named
from ingestion import load_contracts
from tests.conftest import CliResult, run_cli
from tests.pipeline.conftest import indicators, release_of

#: The sample's two communes stand in every run of the tests: ``test_communes_of_2025``.
pytestmark = pytest.mark.long

FULL, SPARSE, QUARTER = "31633", "31615", "2025-Q3"
NAMES = {FULL: "Xã Cù Lao Dung", SPARSE: "Xã An Thạnh"}
AGENCY = {FULL: "41", SPARSE: "42"}
#: The period opens for the commune on the day that it begins.
FIRST_DAY, CLOSING = dt.date(2025, 7, 1), dt.date(2025, 9, 14)
DAY = dt.date(2025, 8, 1)
CASES, LATE, OPEN = 60, 4, 2
Row = dict[str, Any]
COUNTED_CASES = {"III.26": CASES, "III.27": CASES - OPEN, "III.28": CASES - OPEN - LATE}
# Figures of the commune that sent something of every source, by row of the form.
COUNTED = {
    "I.02": 50, "I.03": 2, "I.04": 1, "I.05": 2, "I.13": 100, "I.25": 20, "I.27": 80, "II.02": 0, "III.04": 1,
    "III.12": 2, "III.14": 2, "III.21": 100, "III.26": CASES, "IV.27": 2, "V.17": 5, "V.18": 1, "V.20": 1,
    "VI.08": 1, "VII.02": 1, "VII.03": 1, "VII.14": 83, "VII.15": 61, "VII.16": 20, "VII.26": 2, "VII.27": 2,
    "VII.28": 1, "VII.29": 2, "VII.30": CASES, "VII.31": 20, "VII.35": 7, "VII.36": 2, "VII.38": 2, "IV.03": 2,
    "IV.04": 1, "IV.11": 3, "VII.18": 1,
}  # fmt: skip

# Answers to yes/no rows, and what nothing but a declaration tells.
DECLARED = {
    "I.14": 3, "I.15": 5, "I.16": 1, "I.17": 1, "I.22": 0, "I.23": 0, "I.28": 1, "I.29": 1, "II.03": 0, "II.04": 0,
    "II.06": 0, "II.07": 0, "II.08": 0, "II.09": 0, "II.10": 0, "II.11": 0, "II.13": 0, "II.14": 0, "II.15": 0,
    "II.16": 0, "II.17": 1, "II.18": 4, "III.02": 1, "III.08": 0, "III.15": 1, "III.16": 2, "III.17": 2, "V.03": 1,
    "V.04": 1, "V.12": 0, "VI.02": 1, "VII.06": 1, "VII.09": 1, "VII.34": 1, "VII.58": 1, "VII.59": 1, "VII.60": 0,
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
        received = dt.datetime.combine(FIRST_DAY, dt.time(8)) + dt.timedelta(days=number * 5 // 4)
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
        {"procedure_code": code, "procedure_name": name, "field": "Hộ tịch", "applies_commune": True,
         "valid_from": dt.date(2021, 6, 7), "interlinked": "none",
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
             "responded_on": FIRST_DAY + dt.timedelta(days=number * 3),
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


def nothing_but_cases(commune: str = SPARSE, declared_figures: dict[str, int] = DECLARED) -> dict[str, list[Row]]:
    """The files of a commune that sends cases, their procedures and declared figures, and tables without rows."""
    left_out = ("decisions", "report_narrative")
    sources = [n for n, contract in load_contracts().items() if n not in left_out and not contract.is_of_superiors]
    files: dict[str, list[Row]] = {name: [] for name in sources}
    declared = declared_figures | COUNTED_CASES | {"VII.14": 0, "VII.15": 0, "VII.16": 0}
    return files | {
        "one_stop_cases": list(_cases(commune)),
        "declared_returns": _declared(declared),
        "procedure_catalogue": _procedures(),
    }


def deliver(home: Path, commune: str, files: dict[str, list[Row]]) -> None:
    """Lays the files into the landing folder."""
    for source, rows in files.items():
        path = home / "landing" / commune / QUARTER / source / f"{source}.csv"
        path.parent.mkdir(parents=True)
        path.write_bytes(_table(source, rows))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CliResult]:
    """The home of both communes after one run of the quarter, and how the run ended."""
    home = tmp_path_factory.mktemp("communes") / "home"
    for commune, files in ((FULL, _of_every_source()), (SPARSE, nothing_but_cases())):
        deliver(home, commune, files)
    return home, run_cli(home, "run", QUARTER, "--json")


@pytest.mark.parametrize("commune", [FULL, SPARSE])
def test_a_commune_that_reports_by_itself_publishes(ran: tuple[Path, CliResult], commune: str) -> None:
    home, result = ran
    units = {unit["unit_code"]: unit for unit in json.loads(result.stdout)["units"]}
    assert (units[commune]["reasons"], units[commune]["state"], result.code) == ([], "published", 0)
    release = release_of(home, commune, QUARTER)
    assert release is not None
    rows = _by_code(release)
    assert {code: rows[code]["value"] for code in COUNTED_CASES} == COUNTED_CASES


def _by_code(release: Path) -> dict[str, Row]:
    return {row["indicator_code"]: row for row in indicators(release).values()}


def _release(home: Path, commune: str) -> Path:
    release = release_of(home, commune, QUARTER)
    assert release is not None
    return release


def test_what_it_sent_is_counted(ran: tuple[Path, CliResult]) -> None:
    rows = _by_code(_release(ran[0], FULL))
    figures = {code: rows[code]["value"] for code in COUNTED}
    assert figures == COUNTED
    assert {(rows[code]["units_counted"], rows[code]["units_expected"]) for code in COUNTED} == {(1, 1)}


#: Words of the form of districts that went before or with them.
GONE = re.compile(r"huyện|mức độ [34]|thị trấn|Sóc Trăng", re.IGNORECASE)


@pytest.mark.parametrize("commune", [FULL, SPARSE])
def test_nothing_it_publishes_speaks_of_a_district(ran: tuple[Path, CliResult], commune: str) -> None:
    release = _release(ran[0], commune)
    rows = _by_code(release)
    assert {row["form_version"] for row in rows.values()} == {"xa-2025"}
    assert not [row for row in rows.values() if GONE.search(row["indicator_name_vi"])]
    page = lxml.html.parse(str(release / "report" / "index.html")).getroot()
    for script in page.xpath("//script | //style"):
        script.drop_tree()
    assert not GONE.findall(page.text_content())
    assert not GONE.findall((release / "quality" / "passports.json").read_text(encoding="utf-8"))
    sentences = pq.read_table(release / "marts" / "gate_results.parquet", columns=["sentence_vi", "status"]).to_pylist()
    assert not [s for s in sentences if s["status"] != "no_data" and GONE.search(s["sentence_vi"])]


@pytest.mark.parametrize("document", ["report.docx", "phieu-trinh.docx"])
def test_the_form_is_marked_as_provisional_wherever_it_prints(ran: tuple[Path, CliResult], document: str) -> None:
    report = _release(ran[0], FULL) / "report"
    mark = form_named("xa-2025").mark_vi
    assert mark in (report / "index.html").read_text(encoding="utf-8")
    assert mark.upper() in _text(report / "annex.xlsx", "xl/sharedStrings.xml")
    text = _text(report / document, "word/document.xml")
    assert mark.casefold() in text.casefold()
    assert not GONE.findall(text)


def _text(path: Path, part: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return re.sub(r"<[^>]+>", "", archive.read(part).decode().replace("</w:p>", " ").replace("<w:tab/>", " "))


def test_every_delivered_row_is_in_a_figure_or_told(ran: tuple[Path, CliResult]) -> None:
    home, _ = ran
    (left_out,) = (home / "warehouse" / "candidates" / FULL / QUARTER).glob("*/marts/rows_left_out.parquet")
    assert pq.read_table(left_out).num_rows == 0


@pytest.mark.parametrize("commune", [FULL, SPARSE])
def test_its_letter_speaks_of_a_commune(ran: tuple[Path, CliResult], commune: str) -> None:
    letter = _text(_release(ran[0], commune) / "report" / "report.docx", "word/document.xml")
    letter = " ".join(letter.partition("BẢNG TỔNG HỢP")[0].split())
    area = NAMES[commune].lower()[:2] + NAMES[commune][2:]
    assert f"Ủy ban nhân dân {area} báo cáo kết quả" in letter
    assert f"tiếp nhận {CASES} hồ sơ TTHC, đã giải quyết {CASES - OPEN} hồ sơ" in letter
    assert "huyện" not in letter.lower()
    assert "None" not in letter

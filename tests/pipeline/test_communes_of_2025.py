"""The end of the sample's district and its two communes of 2025 and 2026: its books closed and published, what it left
open taken over by them, and they published by themselves, in their own words, from their first day on.
"""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from sample import CLOSING
from sample.closing import decision_rows
from sample.communes import COMMUNE_WINDOWS, COMMUNES, PLANS, case_rows, district_open_cases, headline_counts
from sample.districts import CU_LAO_DUNG
from sample.quarters import PLANS as PLANS_OF_DISTRICTS
from sample.rows import DEFAULT_SEED
from tests.conftest import CliResult, run_cli
from tests.pipeline.conftest import release_of

DISTRICT = CU_LAO_DUNG.code
#: The communes' first quarter, and a later one, whose run is looked at in the long tier.
QUARTERS = ("2025-Q3", pytest.param("2026-Q1", marks=pytest.mark.long))
OFFICES = [
    *((commune, "2025-Q3") for commune in COMMUNES),
    *(pytest.param(commune, "2026-Q1", marks=pytest.mark.long) for commune in COMMUNES),
]
Ran = Callable[[str], tuple[Path, CliResult]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """``ran(period)``: the home of all three after a run of the district's last period, and then of the communes' own,
    each made when it is first asked for.
    """
    home = tmp_path_factory.mktemp("communes-of-2025") / "home"
    periods = (CLOSING, *COMMUNE_WINDOWS)
    written = run_cli(home, "sample", *(part for period in periods for part in ("--quarter", period)))
    assert written.code == 0, written.stderr
    results = {CLOSING: run_cli(home, "run", CLOSING, "--json")}

    def run(period: str) -> tuple[Path, CliResult]:
        if period not in results:
            results[period] = run_cli(home, "run", period, "--json")
        return home, results[period]

    return run


def _release(ran: Ran, unit: str, quarter: str) -> Path:
    release = release_of(ran(quarter)[0], unit, quarter)
    assert release is not None
    return release


def _cases(home: Path, unit: str, quarter: str) -> dict[str, int]:
    """Sums of the counts of cases that a release was made from: small ones are held back in the release itself."""
    (made_from,) = (home / "warehouse" / "candidates" / unit / quarter).glob("*/marts/case_processing.parquet")
    table = pq.read_table(made_from)
    return {name: sum(table[name].to_pylist()) for name in ("carried_over", "received", "resolved", "in_progress")}


def test_the_district_publishes_its_last_report_of_the_days_to_its_end(ran: Ran) -> None:
    (unit,) = json.loads(ran(CLOSING)[1].stdout)["units"]
    assert (unit["unit_code"], unit["state"], unit["reasons"]) == (DISTRICT, "published", [])
    release = _release(ran, DISTRICT, CLOSING)
    figures = dict(zip(*(pq.read_table(release / "marts" / "report_indicators.parquet")
                         .select(["indicator_code", "value"]).to_pydict().values()), strict=True))  # fmt: skip
    plan = PLANS_OF_DISTRICTS[DISTRICT, CLOSING]
    left = len(district_open_cases(DEFAULT_SEED))
    assert figures["III.23"] == plan.district_cases.received + left
    assert (figures["III.24"], figures["III.25"]) == (plan.district_cases.resolved, plan.district_cases.resolved)
    texts = _texts(release)
    for words in (
        "kỳ cuối, từ ngày 15/6 đến ngày 30/6/2025 và phương hướng, nhiệm vụ bàn giao",
        "Tính đến ngày 30/06/2025",
        f"đang giải quyết {left} hồ sơ",
        "III. PHƯƠNG HƯỚNG, NHIỆM VỤ BÀN GIAO",
        "Ủy ban nhân dân huyện Cù Lao Dung báo cáo Sở Nội vụ",
    ):
        assert words in texts["report/report.pdf"]
    assert "15/06/2025 – 30/06/2025" in texts["report/index.html"]
    # Two weeks are compared with no quarter.
    for name in ("report/phieu-trinh.pdf", "report/phieu-trinh.docx", "report/index.html"):
        assert not re.search(r"Kỳ trước|Cùng kỳ|quý III/2024", texts[name])


def test_what_the_district_left_open_is_what_its_successors_carried_over_and_what_they_name(
    ran: Ran,
) -> None:
    """Open at the closing = carried over by the successors + the remainder, from what all three delivered."""
    home = ran("2025-Q3")[0]
    left = _cases(home, DISTRICT, CLOSING)["in_progress"]
    carried = {commune: _cases(home, commune, "2025-Q3")["carried_over"] for commune in COMMUNES}
    (nobodys,) = {row["applies_to"] for place in COMMUNES.values() for row in decision_rows(place, DEFAULT_SEED)}
    assert min(carried.values()) > 5
    assert left == sum(carried.values()) + 1
    for commune in COMMUNES:
        release = _release(ran, commune, "2025-Q3")
        told = {
            row["expectation_id"]: (row["status"], row["failed_rows"], row["decision_id"])
            for row in pq.read_table(release / "marts" / "gate_results.parquet").to_pylist()
            if row["expectation_id"].startswith("case_findings.handover_")
        }
        assert told == {
            "case_findings.handover_carried_twice": ("pass", 0, None),
            "case_findings.handover_received_twice": ("pass", 0, None),
            "case_findings.handover_remainder": ("fail", 1, "QD-01"),
        }
        # The office is told which case it is; readers, that there is one and why.
        (verdict,) = (home / "warehouse" / "verdicts" / commune / "2025-Q3").glob("mart-*.json")
        assert nobodys in verdict.read_text("utf-8")
        assert "phải có trong tệp của một đơn vị kế tục" in (release / "quality" / "notes.csv").read_text("utf-8-sig")
        # Received once, by the district.
        assert _cases(home, commune, "2025-Q3")["received"] == PLANS[commune, "2025-Q3"].received


@pytest.mark.parametrize("quarter", QUARTERS)
def test_both_publish(ran: Ran, quarter: str) -> None:
    result = ran(quarter)[1]
    units = {u["unit_code"]: (u["state"], u["reasons"]) for u in json.loads(result.stdout)["units"]}
    assert units == dict.fromkeys(COMMUNES, ("published", []))
    assert result.code == 0


@pytest.mark.parametrize(("commune", "quarter"), OFFICES)
def test_the_figures_are_what_the_cases_say(ran: Ran, commune: str, quarter: str) -> None:
    release = _release(ran, commune, quarter)
    figures = dict(zip(*(pq.read_table(release / "marts" / "report_indicators.parquet")
                         .select(["indicator_code", "value"]).to_pydict().values()), strict=True))  # fmt: skip
    expected = headline_counts(case_rows(COMMUNES[commune], quarter, DEFAULT_SEED), COMMUNE_WINDOWS[quarter])
    assert {code: figures[code] for code in expected} == expected
    # A case in two systems' exports is one.
    assert expected["III.26"] == PLANS[commune, quarter].received
    assert figures["VII.14"] == sum(PLANS[commune, quarter].documents[:3])


@pytest.mark.parametrize("commune", COMMUNES)
def test_the_first_quarter_opens_with_the_commune(ran: Ran, commune: str) -> None:
    release = _release(ran, commune, "2025-Q3")
    window = next(
        row
        for row in pq.read_table(release / "marts" / "dim_quarter.parquet").to_pylist()
        if row["quarter"] == "2025-Q3"
    )
    first = COMMUNE_WINDOWS["2025-Q3"].opens_on
    assert (window["opens_on"], window["year_opens_on"]) == (first, first)
    assert "01/07/2025 – 14/09/2025" in (release / "report" / "index.html").read_text(encoding="utf-8")


def _texts(release: Path) -> dict[str, str]:
    """What people read of a release, by file: every document and page, in one line each."""
    found = {}
    for path in sorted((*(release / "report").rglob("*"), release / "quality" / "notes.csv")):
        match path.suffix:
            case ".pdf":
                command = ["pdftotext", "-layout", str(path), "-"]
                text = subprocess.run(command, check=True, capture_output=True).stdout.decode()
            case ".docx":
                with zipfile.ZipFile(path) as parts:
                    text = re.sub(r"<[^>]+>", " ", parts.read("word/document.xml").decode())
            case ".xlsx":
                book = openpyxl.load_workbook(path, read_only=True)
                rows = (row for sheet in book for row in sheet.iter_rows(values_only=True))
                text = " ".join(str(cell) for row in rows for cell in row if cell is not None)
            case ".html":
                whole = path.read_text("utf-8")
                said = re.findall(r'(?:aria-label|title|data-label)="([^"]*)"', whole)
                text = " ".join((re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", whole, flags=re.DOTALL), *said))
            case ".csv":
                text = path.read_text("utf-8-sig")
            case _:
                continue
        found[path.relative_to(release).as_posix()] = " ".join(text.split())
    return found


@pytest.mark.parametrize(("commune", "quarter"), OFFICES)
def test_every_document_speaks_of_a_commune_in_the_words_of_its_day(ran: Ran, commune: str, quarter: str) -> None:
    texts = _texts(_release(ran, commune, quarter))
    assert {Path(name).name for name in texts} >= {
        "report.pdf", "report.docx", "annex.xlsx", "annex.csv", "phieu-trinh.pdf", "phieu-trinh.docx", "index.html",
        "form_06a.xlsx", "notes.csv",
    }  # fmt: skip
    of_another_day = re.compile(r".{0,40}(?:huyện|mức(?: độ)? [1-4]\b|\bNone\b|\bnan\b).{0,40}", re.IGNORECASE)
    assert {name: found for name, text in texts.items() if (found := of_another_day.findall(text))} == {}
    area = COMMUNES[commune].committee.removeprefix("UBND ")
    for name in ("report/report.pdf", "report/report.docx", "report/phieu-trinh.pdf", "report/index.html"):
        assert f"Ủy ban nhân dân {area}" in texts[name]
    for words in ("Sở Nội vụ", "Ủy ban nhân dân xã đã gửi", "cung cấp trực tuyến toàn trình"):
        assert words in texts["report/report.pdf"]


@pytest.mark.long
@pytest.mark.parametrize("commune", COMMUNES)
def test_its_series_begin_with_it(ran: Ran, commune: str) -> None:
    ran("2025-Q3")
    trend = pq.read_table(_release(ran, commune, "2026-Q1") / "marts" / "indicator_trend.parquet").to_pylist()
    told = {(row["trend_quarter"], row["basis"]) for row in trend}
    assert told == {(quarter, "own") for quarter in COMMUNE_WINDOWS}
    received = {row["trend_quarter"]: row["value"] for row in trend if row["indicator_code"] == "III.26"}
    assert received == {quarter: PLANS[commune, quarter].received for quarter in COMMUNE_WINDOWS}


def test_the_log_of_a_quarter_tells_its_own_deliveries(ran: Ran) -> None:
    log = pq.read_table(_release(ran, "31615", "2025-Q3") / "marts" / "delivery_log.parquet")
    assert set(log["quarter"].to_pylist()) == {"2025-Q3"}

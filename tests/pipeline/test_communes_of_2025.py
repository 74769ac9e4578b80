"""The sample's two communes of 2025 and 2026: published by themselves, in their own words, from their first day on."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from sample.communes import COMMUNE_WINDOWS, COMMUNES, PLANS, case_rows, headline_counts
from sample.rows import DEFAULT_SEED
from tests.conftest import CliResult, run_cli
from tests.pipeline.conftest import release_of

QUARTERS = ("2025-Q3", "2026-Q1")
OFFICES = [(commune, quarter) for commune in COMMUNES for quarter in QUARTERS]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, CliResult]]:
    """The home of both communes after a run of their first and of their third quarter."""
    home = tmp_path_factory.mktemp("communes-of-2025") / "home"
    written = run_cli(home, "sample", *(part for quarter in COMMUNE_WINDOWS for part in ("--quarter", quarter)))
    assert written.code == 0, written.stderr
    return home, {quarter: run_cli(home, "run", quarter, "--json") for quarter in QUARTERS}


def _release(home: Path, commune: str, quarter: str) -> Path:
    release = release_of(home, commune, quarter)
    assert release is not None
    return release


@pytest.mark.parametrize("quarter", QUARTERS)
def test_both_publish(ran: tuple[Path, dict[str, CliResult]], quarter: str) -> None:
    result = ran[1][quarter]
    units = {u["unit_code"]: (u["state"], u["reasons"]) for u in json.loads(result.stdout)["units"]}
    assert units == dict.fromkeys(COMMUNES, ("published", []))
    assert result.code == 0


@pytest.mark.parametrize(("commune", "quarter"), OFFICES)
def test_the_figures_are_what_the_cases_say(ran: tuple[Path, dict[str, CliResult]], commune: str, quarter: str) -> None:
    release = _release(ran[0], commune, quarter)
    figures = dict(zip(*(pq.read_table(release / "marts" / "report_indicators.parquet")
                         .select(["indicator_code", "value"]).to_pydict().values()), strict=True))  # fmt: skip
    expected = headline_counts(case_rows(COMMUNES[commune], quarter, DEFAULT_SEED), COMMUNE_WINDOWS[quarter])
    assert {code: figures[code] for code in expected} == expected
    # A case in two systems' exports is one.
    assert expected["III.26"] == PLANS[commune, quarter].received
    assert figures["VII.14"] == sum(PLANS[commune, quarter].documents[:3])


@pytest.mark.parametrize("commune", COMMUNES)
def test_the_first_quarter_opens_with_the_commune(ran: tuple[Path, dict[str, CliResult]], commune: str) -> None:
    release = _release(ran[0], commune, "2025-Q3")
    window = next(
        row
        for row in pq.read_table(release / "marts" / "dim_quarter.parquet").to_pylist()
        if row["quarter"] == "2025-Q3"
    )
    first = COMMUNE_WINDOWS["2025-Q3"].opens_on
    assert (window["opens_on"], window["year_opens_on"]) == (first, first)
    assert "01/07/2025 – 14/09/2025" in (release / "report" / "index.html").read_text(encoding="utf-8")
    # What the district had received is carried over, and received by nobody anew.
    # Small counts are held back in the release, not in what it was made from.
    (made_from,) = (ran[0] / "warehouse" / "candidates" / commune / "2025-Q3").glob("*/marts/case_processing.parquet")
    cases = pq.read_table(made_from).to_pydict()
    taken = [row for row in case_rows(COMMUNES[commune], "2025-Q3", DEFAULT_SEED) if row["received_at"].date() < first]
    assert sum(cases["carried_over"]) == len(taken) > 5


def _texts(release: Path) -> dict[str, str]:
    """What a reader sees, by file: the letter, the annex, the page."""
    letter = subprocess.run(
        ["pdftotext", "-layout", str(release / "report" / "report.pdf"), "-"], check=True, capture_output=True
    ).stdout.decode()
    book = openpyxl.load_workbook(release / "report" / "annex.xlsx", read_only=True)
    annex = " ".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell)
    page = re.sub(
        r"<(script|style)\b.*?</\1>|<[^>]+>",
        " ",
        (release / "report" / "index.html").read_text("utf-8"),
        flags=re.DOTALL,
    )
    return {"letter": " ".join(letter.split()), "annex": annex, "page": " ".join(page.split())}


@pytest.mark.parametrize(("commune", "quarter"), OFFICES)
def test_its_letter_speaks_of_a_commune_and_of_no_district(
    ran: tuple[Path, dict[str, CliResult]], commune: str, quarter: str
) -> None:
    letter = _texts(_release(ran[0], commune, quarter))["letter"].partition("BẢNG TỔNG HỢP")[0]
    area = COMMUNES[commune].committee.removeprefix("UBND ")
    assert f"Ủy ban nhân dân {area}" in letter
    assert "Sở Nội vụ" in letter
    assert "huyện" not in letter.lower()
    assert "None" not in letter


@pytest.mark.parametrize("commune", COMMUNES)
def test_its_series_begin_with_it(ran: tuple[Path, dict[str, CliResult]], commune: str) -> None:
    trend = pq.read_table(_release(ran[0], commune, "2026-Q1") / "marts" / "indicator_trend.parquet").to_pylist()
    told = {(row["trend_quarter"], row["basis"]) for row in trend}
    assert told == {(quarter, "own") for quarter in COMMUNE_WINDOWS}
    received = {row["trend_quarter"]: row["value"] for row in trend if row["indicator_code"] == "III.26"}
    assert received == {quarter: PLANS[commune, quarter].received for quarter in COMMUNE_WINDOWS}


def test_the_log_of_a_quarter_tells_its_own_deliveries(ran: tuple[Path, dict[str, CliResult]]) -> None:
    log = pq.read_table(_release(ran[0], "31615", "2025-Q3") / "marts" / "delivery_log.parquet")
    assert set(log["quarter"].to_pylist()) == {"2025-Q3"}

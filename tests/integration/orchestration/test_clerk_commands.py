"""``check-file``, ``template`` and ``purge`` as a clerk and an operator call them."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from orchestration.cli.terminal import Exit

Cli = Callable[..., Any]
QUARTER = "2023-Q1"


@pytest.fixture
def landed(sample_landing: Path, tmp_path: Path) -> Path:
    """A home with the sample's deliveries, of which nothing has been ingested."""
    home = tmp_path / "home"
    shutil.copytree(sample_landing, home / "landing")
    return home


def case_file(home: Path, unit: str = "31615") -> Path:
    return home / "landing" / unit / QUARTER / "one_stop_cases" / "ho-so-mot-cua.xlsx"


def test_a_good_file_in_its_folder_needs_no_options_and_nothing_is_stored(cli: Cli, landed: Path) -> None:
    result = cli(landed, "check-file", "one_stop_cases", str(case_file(landed)), "--json")
    assert result.code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert (answer["unit_code"], answer["quarter"], answer["outcome"]) == ("31615", QUARTER, "accepted")
    assert answer["rows_accepted"] == answer["rows_read"] > 1000
    assert [p.name for p in landed.iterdir()] == ["landing"]


def test_a_bad_file_ends_with_1_and_its_workbook_is_written_where_asked(cli: Cli, landed: Path, tmp_path: Path) -> None:
    delivered = tmp_path / "hồ sơ.xlsx"
    book = openpyxl.load_workbook(case_file(landed))
    for row in book.active.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and cell.value.startswith("Trực tiếp"):
                cell.value = "Bồ câu"
                break
    book.save(delivered)
    out = tmp_path / "trả lại.xlsx"
    arguments = ["--unit", "31615", "--quarter", QUARTER, "--out", str(out)]
    result = cli(landed, "check-file", "one_stop_cases", str(delivered), *arguments)
    assert result.code == 1
    assert "sẽ được nhận một phần" in result.stdout
    assert "Bồ câu" in result.stdout
    assert re.search(r"… và \d+ lý do khác", result.stdout)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert any(cell.value == "Bồ câu" for row in openpyxl.load_workbook(out).active.iter_rows() for cell in row)
    assert [p.name for p in landed.iterdir()] == ["landing"]


def test_a_file_elsewhere_is_taken_for_the_only_unit_and_the_latest_quarter(
    cli: Cli, landed: Path, tmp_path: Path
) -> None:
    source = landed / "landing" / "945" / QUARTER / "survey_responses"
    (delivered,) = source.iterdir()
    shutil.copy2(delivered, tmp_path / "p.xlsx")
    answer = json.loads(cli(landed, "check-file", "survey_responses", str(tmp_path / "p.xlsx"), "--json").stdout)
    assert (answer["unit_code"], answer["quarter"], answer["outcome"]) == ("945", QUARTER, "accepted")


def test_a_template_is_written_and_asks_when_it_comes_back_untouched(cli: Cli, landed: Path, tmp_path: Path) -> None:
    out = tmp_path / "mau.xlsx"
    arguments = ["--unit", "945", "--quarter", QUARTER, "--out", str(out)]
    assert cli(landed, "template", "plan_tasks", *arguments).code == 0
    result = cli(landed, "check-file", "plan_tasks", str(out))
    assert (result.code, "trong kỳ không phát sinh?" in result.stdout) == (Exit.HELD_BACK, True)
    assert [p.name for p in landed.iterdir()] == ["landing"]


def test_the_template_of_what_people_write_is_a_text_unless_a_workbook_is_asked_for(
    cli: Cli, landed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = ["--unit", "945", "--quarter", QUARTER]
    for arguments, name in (([], f"mau-report_narrative-945-{QUARTER}.txt"), (["--out", "mau.xlsx"], "mau.xlsx")):
        assert cli(landed, "template", "report_narrative", *place, *arguments).code == 0
        result = cli(landed, "check-file", "report_narrative", name, *place)
        assert (result.code, "không phát sinh?" in result.stdout) == (Exit.HELD_BACK, True)
    assert "[II.2] Hạn chế" in (tmp_path / f"mau-report_narrative-945-{QUARTER}.txt").read_text(encoding="utf-8-sig")
    assert openpyxl.load_workbook(tmp_path / "mau.xlsx").sheetnames[0] == "Số liệu"


def test_a_template_needs_no_home_at_all(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli(tmp_path / "home", "template", "survey_responses").code == 0
    assert (tmp_path / "mau-survey_responses.xlsx").is_file()
    assert not (tmp_path / "home").exists()


def test_purge_says_its_term_and_deletes_nothing_that_is_younger(
    cli: Cli, landed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCHC_RETENTION_DAYS", "400")
    result = cli(landed, "purge")
    assert (result.code, "400 ngày" in result.stdout, "không có gì" in result.stdout) == (0, True, True)

"""The command line's manners: exit codes of wrong use, help everywhere, plain words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from orchestration.cli.app import app
from orchestration.units import ReportingUnits

Cli = Callable[..., Any]
COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS)], ids=lambda a: " ".join(a) or "cchc")
def test_every_command_has_help(cli: Cli, tmp_path: Path, arguments: list[str]) -> None:
    result = cli(tmp_path, *arguments, "--help")
    assert result.code == 0
    assert "Usage: " in result.stdout
    if not arguments:
        assert all(f"  {command} " in result.stdout for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "2023-Q5"], "không có kỳ báo cáo"),
        (["run", "Q1"], "2021-Q1"),
        (["status", "2023Q1"], "không có kỳ báo cáo"),
        (["run", "2023-Q1", "--unit", "000"], "không có đơn vị nào mang mã 000"),
        (["run", "2023-Q1", "--unit", "31615"], "đơn vị báo cáo là 945"),
        (["run", "2025-Q3", "--unit", "945"], "kết thúc ngày 30/06/2025"),
        (["check", "2025-Q3", "--unit", "945"], "mỗi xã, phường báo cáo riêng"),
        (["sample", "--quarter", "2021-Q1"], "dữ liệu mẫu không có kỳ 2021-Q1"),
        (["verify", "nowhere"], "không có thư mục"),
        (["sample", "--scale", "0"], "scale"),
        (["nothing"], "nothing"),
        (["check-file", "no_source", "a.xlsx"], "one_stop_cases (Hồ sơ một cửa)"),
        (["check-file", "one_stop_cases", "a.xlsx"], "thêm --quarter"),
        (["check-file", "one_stop_cases", "a.xlsx", "--quarter", "2023-Q1"], "thêm --unit"),
        (["check-file", "one_stop_cases", "a.xlsx", "--quarter", "2023-Q1", "--unit", "000"], "mang mã 000"),
        (["check-file", "one_stop_cases", "none.xlsx", "--quarter", "2023-Q1", "--unit", "945"], "none.xlsx"),
        (["template", "no_source"], "không có nguồn"),
        (["template", "one_stop_cases", "--unit", "945"], "thêm --quarter"),
        (["template", "one_stop_cases", "--unit", "000", "--quarter", "2023-Q1"], "mang mã 000"),
        (["template", "one_stop_cases", "--out", "no/such/folder/a.xlsx"], "không có thư mục"),
        (["purge", "--today", "31/12/2026"], "không phải ngày"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_is_wrong(
    cli: Cli, tmp_path: Path, arguments: list[str], words: str
) -> None:
    result = cli(tmp_path, *arguments)
    assert result.code == 2, result.stdout
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_commune_reports_for_itself_once_districts_have_ended() -> None:
    units = ReportingUnits()
    assert units.reporting_unit("31615", "2025-Q2") == "945"
    assert units.reporting_unit("31615", "2025-Q3") == "31615"


def test_a_quarter_nobody_delivered_for_is_held_back(cli: Cli, tmp_path: Path) -> None:
    result = cli(tmp_path, "run", "2023-Q1", "--json")
    assert result.code == 1
    answer = json.loads(result.stdout)
    assert answer["units"] == []
    assert "chưa có tệp nào" in answer["message"]


def test_an_empty_home_has_an_empty_status(cli: Cli, tmp_path: Path) -> None:
    assert json.loads(cli(tmp_path, "status", "--json").stdout)["quarters"] == []
    assert "chưa có dữ liệu" in cli(tmp_path, "status", "2023-Q1").stdout
    assert cli(tmp_path, "verify").code == 0


def test_a_unit_that_sent_nothing_is_listed_with_what_it_owes(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "landing" / "945").mkdir(parents=True)
    told = cli(tmp_path, "status", "2023-Q1").stdout
    assert "945 Huyện Cù Lao Dung: chưa gửi dữ liệu" in told
    assert "945 staffing_roster: chưa gửi" in told


def test_a_failure_inside_ends_with_3_and_one_line(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise OSError("đĩa đầy")

    monkeypatch.setattr("orchestration.cli.app.quarter_status", broken)
    result = cli(tmp_path, "status", "2023-Q1")
    assert result.code == 3
    assert result.stderr.strip() == "cchc: hệ thống gặp lỗi: OSError: đĩa đầy"

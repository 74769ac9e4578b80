"""From 1 July 2025 a commune reports by itself: it delivers what districts did, is asked for it, and can publish."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion import load_contracts

COMMUNE, QUARTER = "31633", "2025-Q3"
_WINDOW = (dt.date(2025, 6, 15), dt.date(2025, 9, 14))
# Yes/no rows of the form, answered; the counts of cases and documents that the records are laid against.
_FLAGS = {"I.17": 1, "I.22": 0, "I.23": 0, "I.28": 1, "I.29": 1, "II.17": 1, "III.02": 1, "III.15": 1, "V.03": 1,
          "V.04": 1, "V.12": 0, "VI.02": 0, "VII.05": 1, "VII.06": 1, "VII.09": 1, "VII.34": 1}  # fmt: skip
_CASES = 60


def _sheet(source: str, rows: list[dict[str, Any]]) -> bytes:
    """A CSV under the contract's own headings, with the columns that the rows have or, without rows, all of them."""
    contract = load_contracts()[source]
    columns = [c for c in contract.columns if not rows or any(c.name in row for row in rows)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow([column.title_vi for column in columns])
    for row in rows:
        writer.writerow([row.get(column.name, "") for column in columns])
    return ("\ufeff" + text.getvalue()).encode()


def _cases() -> list[dict[str, Any]]:
    rows = []
    for number in range(_CASES):
        received = dt.datetime.combine(_WINDOW[0], dt.time(8)) + dt.timedelta(days=number * 3 // 2)
        is_open = number >= _CASES - 2
        rows.append(
            {
                "case_code": f"H51.{COMMUNE}-{received:%y%m%d}-{number + 1:04d}",
                "procedure_code": "1.001193",
                "procedure_name": "Thủ tục đăng ký khai sinh",
                "field": "Hộ tịch",
                "receiving_unit": "Xã Cù Lao Dung",
                "received_at": f"{received:%d/%m/%Y %H:%M}",
                "due_at": f"{received + dt.timedelta(days=30 if is_open else 3):%d/%m/%Y %H:%M}",
                "finished_at": "" if is_open else f"{received + dt.timedelta(hours=5):%d/%m/%Y %H:%M}",
                "returned_at": "" if is_open else f"{received + dt.timedelta(hours=6):%d/%m/%Y %H:%M}",
                "status": "Đang xử lý" if is_open else "Đã trả kết quả",
                "channel": "Trực tiếp",
                "return_channel": "Trực tiếp",
            }
        )
    return rows


def _declared() -> list[dict[str, Any]]:
    figures = {**_FLAGS, "III.26": _CASES, "III.27": _CASES - 2, "III.28": _CASES - 2}
    return [{"indicator_code": code, "value": value, "approved_on": "15/09/2025"} for code, value in figures.items()]


@pytest.fixture
def commune_home(tmp_path: Path) -> Path:
    """A home in which one commune has sent every source of the quarter: cases and declared figures, else nothing."""
    files = {
        source: _sheet(source, []) for source in load_contracts() if source not in ("decisions", "report_narrative")
    }
    files["one_stop_cases"], files["declared_returns"] = (
        _sheet("one_stop_cases", _cases()),
        _sheet("declared_returns", _declared()),
    )
    for source, content in files.items():
        folder = tmp_path / "landing" / COMMUNE / QUARTER / source
        folder.mkdir(parents=True)
        (folder / f"{source}.csv").write_bytes(content)
    return tmp_path


def test_a_commune_that_reports_by_itself_publishes(commune_home: Path, cli: Callable[..., Any]) -> None:
    result = cli(commune_home, "run", QUARTER, "--json")
    [unit] = json.loads(result.stdout)["units"]
    assert (unit["unit_code"], unit["reasons"], unit["state"], result.code) == (COMMUNE, [], "published", 0)
    pointer = json.loads((commune_home / "published" / COMMUNE / QUARTER / "current.json").read_text())
    assert pointer["unit_code"] == COMMUNE

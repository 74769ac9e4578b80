"""What a province delivers under its own code is read, checked as gate 1 checks, and put into its release, or told."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.conftest import CliResult

Cli = Callable[..., CliResult]

PROVINCE, QUARTER, UNIT = "94", "2023-Q1", "945"
HEAD = ["Đơn vị", "Mã chỉ tiêu", "Chỉ tiêu", "Số liệu", "Ngày lấy số", "Cổng"]
TAKEN = dt.date(2023, 3, 16)
FIGURE = [UNIT, "III.23", None, 1000, TAKEN]


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published_home, tmp_path / "home"))


def deliver(home: Path, *rows: Sequence[Any], name: str = "cong.xlsx", source: str = "portal_figures") -> None:
    folder = home / "landing" / PROVINCE / QUARTER / source
    folder.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in (HEAD, *rows):
        book.active.append(list(row))
    book.save(folder / name)


def marts(home: Path, number: int, mart: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    path = home / "published" / PROVINCE / QUARTER / f"r{number}" / "marts" / f"{mart}.parquet"
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def test_a_portal_table_is_taken_in_by_the_roll_up_itself_and_never_silently_left_out(cli: Cli, home: Path) -> None:
    deliver(home, FIGURE, ["942", "III.23", None, 777, TAKEN])
    made = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert made.code == 0, made.stdout + made.stderr
    (row,) = [row for row in marts(home, 1, "province_indicators") if row["portal_value"] is not None]
    assert (row["member_code"], row["indicator_code"], row["portal_value"]) == (UNIT, "III.23", 1000)
    assert row["portal_minus_computed"] == 1000 - row["computed_value"]
    # The other unit has published nothing: its figure is kept with its file and row, and told.
    portal = {figure["member_code"]: figure for figure in marts(home, 1, "province_portal")}
    assert {unit: (figure["sheet_no"], figure["row_number"]) for unit, figure in portal.items()} == {
        UNIT: (1, 2), "942": (1, 3),
    }  # fmt: skip
    failing = {c["expectation_id"] for c in marts(home, 1, "province_checks") if c["status"] == "fail"}
    assert {"province.indicators.portal_differs", "province.portal.no_release"} <= failing
    manifest = json.loads((home / "published" / PROVINCE / QUARTER / "r1" / "manifest.json").read_bytes())
    own = [entry for entry in manifest["inputs"] if entry["unit_code"] == PROVINCE]
    assert [entry["file_name"] for entry in own] == [portal[UNIT]["file_name"]]
    status = cli(home, "status", QUARTER)
    assert "94 Tỉnh Sóc Trăng" in status.stdout
    assert "94 portal_figures: đã nhận" in status.stdout

    # A file of which much is sent back, or of a source that is none of a province's, holds the province and no unit.
    deliver(home, FIGURE, ["Huyện Không Có", "III.23", None, 5, TAKEN])
    held = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert held.code != 0
    assert "1 trên 2 dòng bị loại" in held.stdout
    assert "Quyết định" not in held.stdout, "nobody takes decisions on these tables"
    assert (home / "outbox" / PROVINCE / QUARTER / "portal_figures" / "cong.xlsx.rejected.xlsx").is_file()
    deliver(home, FIGURE)
    deliver(home, ["III.23", "x", None, 5, TAKEN], source="declared_returns", name="khai.xlsx")
    held = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert held.code != 0
    assert "không nộp nguồn" in held.stdout
    assert not (home / "published" / PROVINCE / QUARTER / "r2").exists()


def test_a_province_is_locked_amended_and_rolled_back_like_a_unit(cli: Cli, home: Path) -> None:
    def asked(*words: str) -> CliResult:
        return cli(home, words[0], QUARTER, "--unit", PROVINCE, *words[1:])

    deliver(home, FIGURE)
    assert asked("province").code == 0
    assert asked("lock", "--reason", "Báo cáo đã ký").code == 0
    deliver(home, [*FIGURE[:3], 1001, TAKEN])
    held = asked("province")
    assert held.code == 1
    assert "khóa" in held.stdout
    assert asked("province", "--amend", "--reason", "Cổng đã sửa số").code == 0
    assert marts(home, 2, "province_portal")[0]["value"] == 1001
    assert asked("rollback", "--to", "1", "--reason", "nhầm").code == 2, "still locked"
    assert asked("unlock", "--reason", "quay về bản đã ký").code == 0
    assert asked("rollback", "--to", "1", "--reason", "nhầm").code == 0
    pointer = json.loads((home / "published" / PROVINCE / QUARTER / "current.json").read_bytes())
    assert pointer["release"] == 1
    assert cli(home, "verify").code == 0


def test_no_personal_datum_that_stands_in_a_portal_table_is_published(cli: Cli, home: Path) -> None:
    phone = "0909717123"
    deliver(home, [*FIGURE, f"Cổng Dịch vụ công quốc gia, gọi {phone}"])
    held = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert held.code == 1
    assert "“Cổng” có số điện thoại" in held.stdout
    assert phone not in held.stdout + held.stderr
    assert not (home / "published" / PROVINCE / QUARTER / "current.json").exists()
    deliver(home, [*FIGURE, "Cổng Dịch vụ công quốc gia"])
    assert cli(home, "province", QUARTER, "--unit", PROVINCE).code == 0
    assert marts(home, 1, "province_portal")[0]["portal_vi"] == "Cổng Dịch vụ công quốc gia"

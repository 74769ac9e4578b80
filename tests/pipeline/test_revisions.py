"""Corrections through the command line: what changed, why, and what a lock, an amendment and a rollback do."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.conftest import QUARTER, UNIT, correct, indicators, release_of

Cli = Callable[..., Any]
RunJson = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def released(published_home: Path, tmp_path: Path) -> Path:
    """A copy of the shared home, with its release."""
    own = tmp_path / "home"
    shutil.copytree(published_home, own, ignore=shutil.ignore_patterns("dagster"))
    return own


def _changes(release: Path) -> list[dict[str, str]]:
    with (release / "quality" / "changes.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_a_signed_quarter_is_held_amended_explained_and_rolled_back(
    released: Path, cli: Cli, run_json: RunJson
) -> None:
    asked = (QUARTER, "--unit", UNIT)
    signed = cli(released, "lock", *asked, "--reason", "Báo cáo đã ký", "--by", "Chủ tịch UBND huyện")
    assert signed.code == 0, signed.stderr
    assert cli(released, "publish", QUARTER).code == 0, "nothing new: a lock is no complaint"
    first = release_of(released)
    correct(released)

    # Held: the answer says what would change and why, and nothing was published.
    code, units = run_json(released)
    held = units[UNIT]
    assert (code, held["state"]) == (1, "locked"), held
    figures = {figure["row_no"]: figure for figure in held["revision"]["figures"]}
    assert {25, 195} <= set(figures) <= {24, 25, 26, 27, 195}, figures
    (late,) = figures[25]["causes"]
    assert late["kind"] == "delivery_new"
    assert late["text_vi"].startswith("tệp survey_responses-2023-Q1-945-")
    assert late["text_vi"].endswith(" (Phiếu khảo sát hài lòng, Huyện Cù Lao Dung, quý I năm 2023) gửi bổ sung")
    assert (figures[195]["old"], figures[195]["new"]) == ("10", "0")
    assert [cause["identity"] for cause in figures[195]["causes"]] == ["decision:QD-12"]
    assert release_of(released) == first
    alert = json.loads((released / "logs" / "alerts.log").read_text(encoding="utf-8").splitlines()[-1])
    assert (alert["kind"], alert["unit"]) == ("held_by_lock", UNIT)
    status = cli(released, "status", QUARTER).stdout
    assert "đã khóa từ ngày" in status
    assert "lý do: Báo cáo đã ký; người khóa: Chủ tịch UBND huyện" in status

    # Amended: published with the reason, and still locked.
    amended = cli(released, "publish", *asked, "--amend", "--reason", "Bổ sung phiếu khảo sát")
    assert amended.code == 0, amended.stdout
    assert "Dòng 195 (VII.44) Tổng số TTHC" in amended.stdout
    second = release_of(released)
    assert second is not None
    assert second.name == "r2"
    assert indicators(second)[195]["value"] == Decimal(0)
    rows = _changes(second)
    assert rows
    assert all(row["cause_kind"] and row["cause"] and row["cause_vi"] for row in rows)
    assert {row["row"] for row in rows if row["mart"] == "report_indicators" and row["column"] == "value"} == {
        figure["indicator_code"] for figure in figures.values()
    }
    manifest = json.loads((second / "manifest.json").read_bytes())
    assert manifest["amendment"]["reason"] == "Bổ sung phiếu khảo sát"
    assert cli(released, "publish", *asked).code == 0

    # Compared, taken back, verified.
    told = cli(released, "diff", *asked)
    assert "195 (VII.44)" in told.stdout
    assert "Lý do: Bổ sung phiếu khảo sát." in told.stdout
    data = json.loads(cli(released, "diff", *asked, "--from", "2", "--to", "1", "--json").stdout)["units"][0]
    back = {figure["row_no"]: (figure["old"], figure["new"]) for figure in data["revision"]["figures"]}
    assert back[195] == ("0", "10")
    assert len(data["revision"]["changes"]) == len(rows)
    assert cli(released, "rollback", *asked, "--to", "1", "--reason", "nhầm").code == 2, "still locked"
    assert cli(released, "unlock", *asked, "--reason", "cần quay về bản đã ký").code == 0
    assert cli(released, "rollback", *asked, "--to", "1", "--reason", "nhầm").code == 0
    assert release_of(released) == first
    again = cli(released, "publish", *asked)
    assert again.code == 1
    assert "đã được thu hồi" in again.stdout
    assert "đã thu hồi r2 (lý do: nhầm)" in cli(released, "status", QUARTER).stdout
    whole = json.loads(cli(released, "verify", "--json").stdout)["releases"]
    assert [(Path(release["path"]).name, release["whole"]) for release in whole] == [("r1", True), ("r2", True)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["publish", QUARTER, "--amend", "--reason", "vì"], "--amend cần --unit"),
        (["publish", QUARTER, "--unit", UNIT, "--amend"], "cần --reason"),
        (["publish", QUARTER, "--unit", UNIT, "--amend", "--reason", "vì"], "chưa khóa; bỏ --amend"),
        (["run", QUARTER, "--reason", "vì"], "chỉ dùng cùng --amend"),
        (["lock", QUARTER, "--unit", UNIT, "--reason", " "], "nêu lý do"),
        (["unlock", QUARTER, "--unit", UNIT, "--reason", "vì"], "không khóa"),
        (["lock", "2022-Q4", "--unit", UNIT, "--reason", "vì"], "chưa công bố bản nào"),
        (["lock", QUARTER, "--unit", "31615", "--reason", "vì"], "đơn vị báo cáo là 945"),
        (["rollback", QUARTER, "--unit", UNIT, "--to", "7", "--reason", "vì"], "chưa có bản công bố r7"),
        (["rollback", QUARTER, "--unit", UNIT, "--to", "1", "--reason", "vì"], "đang là bản hiện hành"),
        (["diff", QUARTER, "--unit", UNIT, "--to", "7"], "chưa có bản công bố r7"),
        (["diff", "2022-Q4", "--unit", UNIT], "chưa công bố bản nào"),
    ],
)
def test_wrong_use_is_told_and_changes_nothing(
    published_home: Path, cli: Cli, arguments: list[str], words: str
) -> None:
    pointer = published_home / "published" / UNIT / QUARTER / "current.json"
    before = pointer.read_bytes()
    result = cli(published_home, *arguments)
    assert result.code == 2, result.stdout
    assert words in result.stderr
    assert pointer.read_bytes() == before


def test_the_first_release_has_nothing_to_compare(published_home: Path, cli: Cli) -> None:
    result = cli(published_home, "diff", QUARTER)
    assert result.code == 0
    assert "r1 là bản đầu tiên" in result.stdout
    assert "chưa công bố bản nào" in cli(published_home, "diff", "2022-Q4").stdout

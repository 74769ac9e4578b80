"""The workbook of decisions to take beside a home's stored verdicts: what goes along, what goes away."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from expectations import Verdict, load_verdict, write_verdict
from ingestion import load_contracts
from orchestration import review
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from tests.support.decision_workbooks import lines_of

UNIT, QUARTER = "945", "2023-Q1"


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    own = tmp_path / "home"
    ignored = shutil.ignore_patterns("published", "dagster", "landing", "originals")
    shutil.copytree(published_home, own, ignore=ignored)
    shutil.copytree(published_home / "landing" / UNIT / QUARTER / "decisions", own / "landing/945/2023-Q1/decisions")
    return own


def _break(home: Path, rule: str) -> None:
    """Takes from the stored verdict of gate 2 the decision that settles a rule."""
    (path,) = (home / "warehouse" / "verdicts" / UNIT / QUARTER).glob("mart-*.json")
    verdict = load_verdict(path)
    results = [
        result.model_copy(
            update={
                "covered_rows": 0, "decision_id": None, "blocking": True,
                "findings": tuple(f.model_copy(update={"decision_id": None}) for f in result.findings),
            }
        )
        if result.expectation_id == rule
        else result
        for result in verdict.results
    ]  # fmt: skip
    write_verdict(home / "warehouse", Verdict(**{**dict(verdict), "results": tuple(results)}))


def _refresh(home: Path) -> Path:
    pipeline = Pipeline(Settings(home=home))
    review.refresh(pipeline, QUARTER, [UNIT], {})
    return review.workbook_of(pipeline.home, UNIT, QUARTER)


def test_what_an_earlier_workbook_decided_goes_along_and_is_delivered_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Any]
) -> None:
    """The new one takes the old one's place in the folder, so it must lose nothing that still settles something."""
    (delivered,) = (home / "landing" / UNIT / QUARTER / "decisions").iterdir()
    monkeypatch.setattr(review, "WORKBOOK", delivered.name)
    _break(home, "report.VII.29.at_most_offered")
    asks = _refresh(home)
    lines = list(lines_of(openpyxl.load_workbook(asks)))
    undecided = [line for line in lines if line["Cách xử lý"] is None]
    assert [line["Dòng trong biểu"] for line in undecided] == ["180"]
    carried = {line["Mã quyết định"] for line in lines if line["Cách xử lý"] is not None}
    # The one that settled what is open again settles nothing now.
    assert carried == {f"QD-{number:02d}" for number in range(1, 17)} - {"QD-11"}
    again = delivered.with_name(asks.name)
    shutil.copy2(asks, again)
    result = cli(home, "check-file", "decisions", str(again), "--json")
    found = json.loads(result.stdout)
    assert (found["outcome"], found["rows_accepted"], found["rejections"]) == ("accepted", 15, [])
    assert [line["decision_id"] for line in found["decisions"] if line["problems_vi"]] == []
    assert "còn 1 việc chưa quyết định" in " ".join(found["remarks_vi"])
    assert result.code == 0


def test_it_is_taken_away_when_nothing_holds_and_stays_the_same_while_nothing_changes(home: Path) -> None:
    assert not _refresh(home).exists()
    _break(home, "report.VII.29.at_most_offered")
    asks = _refresh(home)
    before = asks.stat()
    assert _refresh(home).stat().st_ino == before.st_ino
    (path,) = (home / "warehouse" / "verdicts" / UNIT / QUARTER).glob("mart-*.json")
    path.unlink()
    (raw,) = (home / "warehouse" / "verdicts" / UNIT / QUARTER).glob("raw-*.json")
    assert load_verdict(raw).blocking() == []
    _refresh(home)
    assert not asks.exists()
    assert list((home / "review").iterdir()) == []


def test_two_lines_that_contradict_say_so_with_the_way_out(home: Path, cli: Callable[..., Any]) -> None:
    """Also where the other stands in a file that was delivered before."""
    register = home.parent / "so-quyet-dinh.csv"
    titles = {column.name: column.title_vi for column in load_contracts()["decisions"].columns}
    cells = {
        "subject_kind": "Chỉ tiêu", "subject": "VI.04", "unit": UNIT, "quarter": QUARTER, "holds_until": QUARTER,
        "figures_seen": "số tính toán = 1; số khai báo = 31", "reason": "Đúng", "approved_by": "Chủ tịch UBND huyện",
        "document_number": "1/UBND", "dated": "16/03/2023",
    }  # fmt: skip
    with register.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(titles.values()), delimiter="\t")
        writer.writeheader()
        for number, action in enumerate(("Không công bố", "Chấp nhận số tính toán")):
            row = cells | {"decision_id": f"A-{number}", "action": action}
            writer.writerow({titles[name]: value for name, value in row.items()})
    (home / "landing" / UNIT / QUARTER).mkdir(parents=True, exist_ok=True)
    result = cli(home, "check-file", "decisions", str(register), "--unit", UNIT, "--quarter", QUARTER)
    assert result.code == 1, result.stdout
    assert "Trái với" in result.stdout
    assert "(A-1): cùng về VI.04" in result.stdout
    assert "(QD-09): cùng về VI.04" in result.stdout
    assert "Giữ một dòng" in result.stdout

"""A contradiction that nobody decided holds the report back, and the message names it and nothing else."""

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

from common.forms import form_named
from tests.pipeline.conftest import QUARTER, UNIT, indicators, release_of
from tests.support.decision_workbooks import fill, lines_of
from tests.support.workbooks import delete_rows

RunJson = Callable[..., tuple[int, dict[str, Any]]]

# Which rows of the form a missing decision brings to light.
ROWS_BY_DECISION = {
    **{f"QD-{number:02d}": {73} for number in range(1, 6)},
    "QD-06": {16}, "QD-07": {53}, "QD-08": {114}, "QD-09": {147}, "QD-10": {149}, "QD-11": {180},
    "QD-12": {195}, "QD-13": {196}, "QD-14": {201}, "QD-15": {202}, "QD-16": {75},
}  # fmt: skip
ROW_NUMBERS = {row["indicator_code"]: int(row["row_no"]) for row in form_named("2023").rows}
_CODE = re.compile(r"\b[IVX]+\.\d{2,}\b")


def _decisions_file(home: Path) -> Path:
    (path,) = (home / "landing" / UNIT / QUARTER / "decisions").iterdir()
    return path


def _subject_rows(reasons: list[str]) -> set[int]:
    """The rows that reasons speak of first: ``III.25 “Số hồ sơ …” (mục III.6): …``."""
    found = [_CODE.match(reason) for reason in reasons]
    assert all(found), reasons
    return {ROW_NUMBERS[match[0]] for match in found if match}


def _without(home: Path, decisions: list[str], run_json: RunJson) -> dict[str, Any]:
    delete_rows(_decisions_file(home), decisions)
    code, units = run_json(home)
    assert code == 1
    assert units[UNIT]["state"] == "held_back"
    assert release_of(home) is None
    assert not list((home / "published").glob(f"{UNIT}/{QUARTER}/r*"))
    reasons: list[str] = units[UNIT]["reasons"]
    return {"rows": _subject_rows(reasons), "text": "\n".join(reasons)}


@pytest.fixture(scope="module")
def held(
    published_home: Path, tmp_path_factory: pytest.TempPathFactory, run_json: RunJson
) -> tuple[Path, dict[str, Any]]:
    """A home whose district sent no decisions, and what its run came to."""
    home = tmp_path_factory.mktemp("held") / "home"
    shutil.copytree(
        published_home, home, ignore=shutil.ignore_patterns("published", "dagster", "raw", "warehouse", "decisions")
    )
    code, units = run_json(home)
    assert code == 1
    return home, units[UNIT]


def test_without_the_decisions_file_every_contradiction_is_named(held: tuple[Path, dict[str, Any]]) -> None:
    home, unit = held
    assert not list((home / "published").glob(f"{UNIT}/{QUARTER}/r*"))
    text = "\n".join(unit["reasons"])
    assert _subject_rows(unit["reasons"]) == set().union(*ROWS_BY_DECISION.values())
    named = {ROW_NUMBERS[code] for code in _CODE.findall(text)}
    assert {16, 53, 73, 114, 147, 148, 149, 150, 151, 97, 98, 180, 178, *range(195, 199), *range(201, 205)} <= named
    assert "606" in text
    assert "611" in text


def test_a_held_run_becomes_a_release_by_its_workbook_alone(
    held: tuple[Path, dict[str, Any]], run_json: RunJson, cli: Callable[..., Any]
) -> None:
    """Open it, choose and fill in, put it into the folder, run: four steps, filled in without reading a word."""
    home, unit = held
    asks = Path(unit["workbook"])
    assert asks == home / "review" / UNIT / QUARTER / "quyet-dinh-can-lay.xlsx"
    assert stat.S_IMODE(asks.stat().st_mode) == 0o600
    assert stat.S_IMODE(asks.parent.stat().st_mode) == 0o700
    (alert,) = [line for line in _alerts(home) if line["kind"] == "held_back"]
    for told in (unit["workbook_vi"], cli(home, "status", QUARTER).stdout, "\n".join(alert["reasons"])):
        assert str(asks) in told
    book = openpyxl.load_workbook(asks)
    lines = {line["Dòng trong biểu"]: line for line in lines_of(book)}
    assert len(lines) == 12  # sixteen decisions settled them: five cases are one thing to decide
    late = lines["73"]
    assert (late["Số tính toán"], late["Số khai báo"]) == ("606", "611")
    assert "Tính là đúng hạn" in late.offered
    cases = [
        row for row in book["Chi tiết"].iter_rows(min_row=5, values_only=True) if str(row[2]).startswith("Hồ sơ trễ")
    ]
    assert len(cases) == 5
    assert {row[3] for row in cases} == set(str(late["Hồ sơ tính đúng hạn"]).split("; "))
    assert {row[4] for row in cases} == {"ho-so-mot-cua.xlsx"}
    assert all(isinstance(row[6], int) for row in cases)

    untouched = cli(home, "check-file", "decisions", str(asks), "--unit", UNIT, "--quarter", QUARTER)
    assert untouched.code == 1
    assert "Còn 12 dòng chưa quyết định" in untouched.stdout
    filled = home / "landing" / UNIT / QUARTER / "decisions" / asks.name
    assert fill(asks, filled) == 12
    checked = cli(home, "check-file", "decisions", str(filled), "--json")
    assert checked.code == 0, checked.stdout
    found = json.loads(checked.stdout)
    assert all(line["matches_vi"] and line["changes_vi"] and not line["problems_vi"] for line in found["decisions"])
    assert found["remarks_vi"] == []

    code, units = run_json(home)
    assert code == 0, units[UNIT]["reasons"]
    release = release_of(home)
    assert release is not None
    printed = indicators(release)
    assert [printed[row]["value"] for row in (73, 147, 195)] == [611, 31, 10]
    assert not asks.exists()
    codes = [str(row[3]).encode() for row in cases]
    texts = [path for path in release.rglob("*") if path.suffix in {".json", ".csv", ".html"}]
    assert texts
    assert not [path.name for path in texts if any(code in path.read_bytes() for code in codes)]


def _alerts(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "logs" / "alerts.log").read_text(encoding="utf-8").splitlines()]


# At the gate alone each stands in every run of the tests: integration/expectations/test_decisions_at_the_gate.py.
@pytest.mark.long
@pytest.mark.parametrize("decision", sorted(ROWS_BY_DECISION))
def test_each_missing_decision_is_named_alone(home: Path, run_json: RunJson, decision: str) -> None:
    assert _without(home, [decision], run_json)["rows"] == ROWS_BY_DECISION[decision]


@pytest.mark.long
def test_one_late_case_undecided_shows_610_against_611(home: Path, run_json: RunJson) -> None:
    text = _without(home, ["QD-01"], run_json)["text"]
    assert "610" in text
    assert "611" in text

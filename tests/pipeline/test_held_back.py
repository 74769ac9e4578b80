"""A contradiction that nobody decided holds the report back, and the message names it and nothing else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.forms import form_named
from tests.pipeline.conftest import QUARTER, UNIT, release_of
from tests.support.workbooks import delete_rows

RunJson = Callable[..., tuple[int, dict[str, Any]]]

# Which rows of the form a missing decision brings to light.
ROWS_BY_DECISION = {
    **{f"QD-{number:02d}": {73} for number in range(1, 6)},
    "QD-06": {16}, "QD-07": {53}, "QD-08": {114}, "QD-09": {147}, "QD-10": {149}, "QD-11": {180},
    "QD-12": {195}, "QD-13": {196}, "QD-14": {201}, "QD-15": {202}, "QD-16": {75},
}  # fmt: skip
ROW_NUMBERS = {row["indicator_code"]: int(row["row_no"]) for row in form_named("2023").rows}
_CODE = re.compile(r"\b[IVX]+\.\d{2}\b")
IN_EVERY_RUN = ("QD-11",)  # about a rule; one about a case is below


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


def test_without_the_decisions_file_every_contradiction_is_named(home: Path, run_json: RunJson) -> None:
    shutil.rmtree(home / "landing" / UNIT / QUARTER / "decisions")
    for derived in ("raw", "warehouse"):
        shutil.rmtree(home / derived)
    code, units = run_json(home)
    assert code == 1
    assert release_of(home) is None
    text = "\n".join(units[UNIT]["reasons"])
    assert _subject_rows(units[UNIT]["reasons"]) == set().union(*ROWS_BY_DECISION.values())
    named = {ROW_NUMBERS[code] for code in _CODE.findall(text)}
    assert {16, 53, 73, 114, 147, 148, 149, 150, 151, 97, 98, 180, 178, *range(195, 199), *range(201, 205)} <= named
    assert "606" in text
    assert "611" in text


def _each(decisions: tuple[str, ...]) -> Any:
    return pytest.mark.parametrize("decision", decisions)


@_each(IN_EVERY_RUN)
def test_a_missing_decision_is_named_alone(home: Path, run_json: RunJson, decision: str) -> None:
    assert _without(home, [decision], run_json)["rows"] == ROWS_BY_DECISION[decision]


@pytest.mark.long
@_each(tuple(sorted(ROWS_BY_DECISION.keys() - set(IN_EVERY_RUN))))
def test_each_missing_decision_is_named_alone(home: Path, run_json: RunJson, decision: str) -> None:
    assert _without(home, [decision], run_json)["rows"] == ROWS_BY_DECISION[decision]


def test_one_late_case_undecided_shows_610_against_611(home: Path, run_json: RunJson) -> None:
    text = _without(home, ["QD-01"], run_json)["text"]
    assert "610" in text
    assert "611" in text

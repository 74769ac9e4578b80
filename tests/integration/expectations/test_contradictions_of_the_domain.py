"""The 39 contradictions of a real report: each planted in data or text is found by its rule, its good twin is not.

All plants of a gate go through it in one run, each in a unit of its own.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from common.declared import read_yaml
from expectations.declarations import STAGES, declared_rules
from expectations.gate import Database
from expectations.inspection import inspect_marts, inspect_raw
from tests.support.narrative import letter_rows

if TYPE_CHECKING:
    from conftest import Candidate, CandidateWorld, Lake

HERE = Path(__file__).parent
CONTRADICTIONS: list[dict[str, Any]] = read_yaml(HERE / "domain_contradictions.yml")
DOCUMENT = Path(__file__).parents[3] / "docs" / "contradictions.md"
PLANTS = [(f"{one['number']}-{number}", plant) for one in CONTRADICTIONS for number, plant in enumerate(one["plants"])]
ON_MARTS = [(name, plant) for name, plant in PLANTS if "raw" not in plant]
ON_ROWS = [(name, plant) for name, plant in PLANTS if "raw" in plant]
RULES = {rule.id: rule for stage in STAGES for rule in declared_rules(stage)}
SEVERITY = {rule_id: rule.severity for rule_id, rule in RULES.items()}


def _cells(values: dict[str, Any]) -> dict[str, Any]:
    numbers = ("value", "computed_value", "numerator", "denominator")
    return {name: Decimal(cell) if name in numbers and cell is not None else cell for name, cell in values.items()}


def _plant(candidate: Candidate, plant: dict[str, Any], *, spoilt: bool) -> None:
    if "text" in plant:
        changes = plant.get("changes" if spoilt else "sound_changes", {})
        rows = letter_rows(plant["text" if spoilt else "sound"], plant["section"], changes)
        known = {"kind", "subject", "message_vi", "file_name", "sheet", "row_number"}
        candidate.marts["letter_findings"] = [{key: row[key] for key in known} for row in rows]
    elif "row" in plant:
        candidate.row(plant["row"]).update(_cells(plant["spoilt" if spoilt else "sound"]))
    elif spoilt:
        candidate.break_relation(RULES[plant["rule"]])


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, worlds: Any) -> dict[str, set[str]]:
    """Rules that fail, by unit: the plant's name, with ``good`` before that of its twin."""
    world: CandidateWorld = worlds.candidates(tmp_path_factory.mktemp("marts"))
    for name, plant in ON_MARTS:
        world.add(name, lambda candidate, plant=plant: _plant(candidate, plant, spoilt=True))
        world.add(f"good {name}", lambda candidate, plant=plant: _plant(candidate, plant, spoilt=False))
    lake: Lake = worlds.lake(tmp_path_factory.mktemp("raw"))
    for name, plant in ON_ROWS:
        lake.add_unit(name)
        lake.first(name, plant["raw"]).update(plant["spoilt"])
    lake.add_unit("good")
    verdicts = [*inspect_marts(world.request(), Database), *inspect_raw(lake.request(), Database)]
    return {
        verdict.unit_code: {result.expectation_id for result in verdict.results if result.status == "fail"}
        for verdict in verdicts
    }


def test_every_contradiction_of_the_domain_is_in_the_table() -> None:
    assert [one["number"] for one in CONTRADICTIONS] == list(range(1, 40))
    assert all(one["plants"] for one in CONTRADICTIONS)


@pytest.mark.parametrize(("name", "plant"), PLANTS, ids=[name for name, _ in PLANTS])
def test_a_planted_contradiction_is_found_and_its_good_twin_is_not(
    found: dict[str, set[str]], name: str, plant: dict[str, Any]
) -> None:
    assert plant["rule"] in found[name], found[name]
    assert plant["rule"] not in found["good" if "raw" in plant else f"good {name}"]


def test_what_contradicts_holds_back_and_what_is_only_odd_is_said() -> None:
    """FAIL: at least one rule must be settled by decision; FORM and what holds in the real report need not."""
    for one in CONTRADICTIONS:
        severities = {SEVERITY[plant["rule"]] for plant in one["plants"]}
        if one["kind"] == "FAIL":
            assert severities & {"critical", "warning"}, one


def test_the_document_tells_the_table() -> None:
    """``docs/contradictions.md`` is the table as people read it; the expected lines are printed where it is not."""
    held = "chặn đến khi có quyết định"
    blocks = {"critical": held, "warning": held, "info": "ghi vào ghi chú"}
    lines = [
        f"| {one['number']} | {one['kind']} | {one['what']} | "
        + "<br>".join(f"`{plant['rule']}`: {blocks[SEVERITY[plant['rule']]]}" for plant in one["plants"])
        + " |"
        for one in CONTRADICTIONS
    ]
    told = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][2:]
    assert told == lines, "\n".join(lines)


def test_a_finding_names_place_words_and_figures() -> None:
    [row] = [row for row in letter_rows("Huyện tiếp nhận 1.146 hồ sơ.", "I.3") if row["kind"] == "figure"]
    assert row["subject"] == "mục I.3, đoạn 1: 1.146 hồ sơ, biểu: 1.145"
    assert row["message_vi"] == "mục I.3, đoạn 1 viết “1.146 hồ sơ”; số liệu công bố: 1.145 (dòng 71)"
    assert (row["file_name"], row["row_number"], row["indicator_codes"]) == ("noi-dung.txt", 12, "III.23")

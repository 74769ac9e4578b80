"""Relations that a form declares of its rows: what published reports got wrong is found, with the exact difference.

The form prints, beside the rows of 2023, a share, the late cases, two kinds of the resolved, and the resolved again in
another table. Its data are each wrong in one way in which published reports are.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from common.forms import FORMS_DIR, confirm, use_forms_of
from expectations import declared_rules
from expectations.inspection import inspect_marts
from expectations.verdicts import Finding, Verdict

if TYPE_CHECKING:
    from conftest import Candidate, CandidateWorld

FORM = "thu-quan-he"
RESOLVED, ON_TIME, SHARE, LATE, EARLY, IN_TIME, AGAIN = (
    "III.24", "III.25", "III.90", "III.91", "III.92", "III.93", "III.94",
)  # fmt: skip
RELATIONS: list[dict[str, Any]] = [
    {"id": "share_of_the_resolved", "expression": f"{RESOLVED} > 0 => {SHARE} = percent({ON_TIME}, {RESOLVED})",
     "sentence_vi": f"Tỷ lệ {{{SHARE}}} phải bằng {{{ON_TIME}}} trên {{{RESOLVED}}}."},
    {"id": "late_is_the_rest", "expression": f"{LATE} = {RESOLVED} - {ON_TIME}",
     "sentence_vi": f"{{{LATE}}} phải bằng {{{RESOLVED}}} trừ {{{ON_TIME}}}."},
    {"id": "parts_within_the_whole", "expression": f"{EARLY} + {IN_TIME} <= {RESOLVED}",
     "sentence_vi": f"{{{EARLY}}} cộng {{{IN_TIME}}} không được lớn hơn {{{RESOLVED}}}."},
    {"id": "one_total", "expression": f"{AGAIN} = {RESOLVED}"},
]  # fmt: skip
GOOD = {RESOLVED: 611, ON_TIME: 605, SHARE: "99.02", LATE: 6, EARLY: 400, IN_TIME: 205, AGAIN: 611}
#: Of published reports: the figures that are wrong, the relation that says so, by how much.
WRONG: dict[str, tuple[dict[str, int | str], str, str]] = {
    # 605 of the 1,145 received.
    "a share of another denominator": ({SHARE: "52.84"}, "share_of_the_resolved", "Chênh lệch: 46,18."),
    "a share rounded the other way": ({SHARE: "99.01"}, "share_of_the_resolved", "Chênh lệch: 0,01."),
    "none late, and six not on time": ({LATE: 0}, "late_is_the_rest", "Chênh lệch: 6."),
    "parts that exceed the whole": ({EARLY: 410, IN_TIME: 205}, "parts_within_the_whole", "Vượt: 4."),
    "one count under two totals": ({AGAIN: 1145}, "one_total", "Chênh lệch: 534."),
    "all at once": (
        {SHARE: "100", LATE: 0, EARLY: 611, IN_TIME: 1, AGAIN: 610}, "one_total", "Chênh lệch: 1.",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home") / "forms"
    folder = home / FORM
    folder.mkdir(parents=True)
    with (FORMS_DIR / "2023" / "rows.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    model = next(row for row in rows if row["indicator_code"] == "III.24")
    plain = dict.fromkeys(("derivation", "numerator", "denominator", "logical_parent_code", "derived_from"), "")
    for code in (SHARE, LATE, EARLY, IN_TIME, AGAIN):
        rows.append(model | plain | {"indicator_code": code, "name_vi": f"Dòng in thêm {code}",
                                     "row_no": str(len(rows) + 1), "source": "declared_returns"})  # fmt: skip
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    said = {"form": FORM, "title_vi": "Biểu thử", "level": "district", "derived_from": "2023", "issuer": "94",
            "valid_from": dt.date(2023, 1, 1)}  # fmt: skip
    (folder / "form.yml").write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    (folder / "relations.yml").write_text(yaml.safe_dump({"relations": RELATIONS}, allow_unicode=True), "utf-8")
    use_forms_of(home)
    confirm(home / FORM, "Văn phòng", dt.date(2023, 1, 2))
    use_forms_of(home)
    yield folder
    use_forms_of(home.parent / "none")


def _printing(candidate: Candidate, figures: dict[str, int | str]) -> None:
    """A candidate by the form, with these figures."""
    for row in [*candidate.marts["report_indicators"], *candidate.marts["dim_indicator"]]:
        row["form_version"] = FORM
    for code, value in figures.items():
        if not any(row["name"] == code for row in candidate.marts["rule_inputs"]):
            candidate.marts["rule_inputs"].append({"unit_code": candidate.unit, "quarter": "2023-Q2", "name": code})
            row = dict(candidate.row("III.24")) | {"indicator_code": code, "row_no": 300 + int(code[-2:])}
            candidate.marts["report_indicators"].append(row)
            candidate.marts["dim_indicator"].append({"form_version": FORM, "indicator_code": code})
        candidate.set_figure(code, Decimal(value))


@pytest.fixture(scope="module")
def verdicts(form: Path, tmp_path_factory: pytest.TempPathFactory, worlds: Any) -> dict[str, Verdict]:
    from expectations.gate import Database

    world: CandidateWorld = worlds.candidates(tmp_path_factory.mktemp("printed"))
    world.add("good", lambda candidate: _printing(candidate, GOOD))
    for name, (figures, _, _) in WRONG.items():
        world.add(name, lambda candidate, figures=figures: _printing(candidate, GOOD | figures))
    return {verdict.unit_code: verdict for verdict in inspect_marts(world.request(), Database)}


def _found(verdict: Verdict) -> dict[str, list[Finding]]:
    prefix = f"form.{FORM.replace('-', '_')}."
    asked = [result for result in verdict.results if result.expectation_id.startswith(prefix)]
    assert len(asked) == len(RELATIONS)
    assert {result.status for result in asked} <= {"pass", "fail"}
    return {r.expectation_id.removeprefix(prefix): list(r.findings) for r in asked if r.status == "fail"}


def test_good_figures_pass(verdicts: dict[str, Verdict]) -> None:
    assert _found(verdicts["good"]) == {}


@pytest.mark.parametrize("name", WRONG)
def test_what_published_reports_got_wrong_is_found_with_its_difference(verdicts: dict[str, Verdict], name: str) -> None:
    _, relation, difference = WRONG[name]
    found = _found(verdicts[name])
    assert set(found) == ({relation} if name != "all at once" else {one["id"] for one in RELATIONS})
    (finding,) = found[relation]
    assert finding.message_vi.endswith(difference)
    assert finding.settle_vi, "a decision that explains it may settle it"
    # What a decision has to have seen are the figures, not what follows from them.
    assert set(finding.figures) <= {RESOLVED, ON_TIME, SHARE, LATE, EARLY, IN_TIME, AGAIN}


def test_they_are_asked_of_that_form_alone(form: Path) -> None:
    prefix = f"form.{FORM.replace('-', '_')}."
    named = {rule.id for rule in declared_rules("mart", FORM) if rule.id.startswith(prefix)}
    assert named == {prefix + one["id"] for one in RELATIONS}
    assert not any(rule.id.startswith(prefix) for rule in declared_rules("mart", "2023"))

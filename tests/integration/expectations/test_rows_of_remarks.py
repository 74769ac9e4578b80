"""Every delivered row that a remark of gate 1 is about is in the verdict, uncut and without the file's own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expectations.declarations import Rule
from expectations.engine_sql import places_of
from expectations.inspection import compiled_suite, inspect_raw
from expectations.relations import lay_raw
from expectations.verdicts import MAX_FINDINGS, Place

if TYPE_CHECKING:
    from conftest import Lake


def test_the_rows_of_a_remark_are_all_there(lake: Lake, worlds: Any) -> None:
    lake.add_unit("945")
    many = MAX_FINDINGS + 500
    delivery = lake.of("945", "decisions")
    first = delivery.rows[0]
    # Symbols of a wrong form, in every row but one.
    delivery.rows = [
        {**first, "decision_id": f"QD-{n}", "document_number": "20/QĐ-UBND" if n == 7 else "115/QĐ-Ủy ban"}
        for n in range(many)
    ]
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    [result] = [r for r in verdict.results if r.expectation_id == "decisions.document_number_symbol"]
    assert (result.status, result.failed_rows) == ("fail", many - 1)
    assert len(result.findings) == MAX_FINDINGS
    assert len(result.places) == 1
    [place] = result.places
    assert (place.delivery_id, place.sheet, place.column_vi) == (delivery.delivery_id, "trang 1", "Số văn bản")
    covered = [n for part in place.rows.split(", ") for n in range(*_ends(part))]
    assert len(covered) == len(set(covered)) == many - 1
    assert len(place.rows.split(", ")) == 2, "ranges"


def _ends(part: str) -> tuple[int, int]:
    first, _, last = part.partition("-")
    return int(first), int(last or first) + 1


def test_rows_are_published_of_remarks_that_say_so_and_outcomes_of_cases_are_told_apart() -> None:
    located = [c.rule for stage in ("raw", "mart") for c in compiled_suite(stage) if c.located() is not None]
    remarks = [rule for rule in located if rule.severity == "info"]
    assert {rule.id for rule in remarks if rule.places == "outcome"} == {
        "case_questions.due_day_moved",
        "deliveries.one_stop_cases.findings",
    }
    assert {rule.id for rule in remarks if rule.places == "kept"} == set()
    assert Rule.model_fields["places"].default == "kept"


def test_the_place_of_every_rule_can_be_asked(lake: Lake, worlds: Any) -> None:
    """Whichever rule fails: none fails over where it is."""
    lake.add_unit("945")
    request = lake.request()
    suite = compiled_suite("raw")
    with worlds.plain() as database:
        sources = sorted({compiled.rule.source for compiled in suite})
        lay_raw(database.connection, request.raw_dir, request.quarter, request.window, request.units, sources)
        asked = [c for c in suite if c.located() is not None and c.rule.severity == "info"]
        assert {c.relation for c in asked} >= {"remarks", "one_stop_cases", "findings_by_reason"}
        for compiled in asked:
            assert all(isinstance(p, Place) for ps in places_of(database.connection, compiled).values() for p in ps)

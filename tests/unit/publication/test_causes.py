"""Every changed cell names what changed it: never nothing, never without the true cause, and no more than need be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publication import Lineage, neutral_name
from publication.content.causes import Cause, Origin, UnexplainedChange
from publication.content.changes import compare
from publication.content.revision import Revision, changes_csv, revise
from publication.store.csvfile import from_csv
from tests.unit.publication.builders import QUARTER, build_tables, delivery

DECISION = {
    "decision_id": "QD-07",
    "effect": "applied",
    "subject_kind": "row",
    "subject": "I.04",
    "action": "accept_declared",
    "reason_vi": "Sai sót",
    "document_number": "12/BC",
    "dated": "2023-03-15",
    "problem_vi": None,
}
CASE_DECISION = {**DECISION, "decision_id": "QD-01", "subject_kind": "case", "subject": None}
TEN = {"value": Decimal(10), "computed_value": Decimal(10)}
LINEAGE = Lineage(
    titles_vi={"plan_tasks": "Nhiệm vụ kế hoạch"},
    marts={"case_processing": frozenset({"one_stop_cases", "decisions"})},
    measures={f"m_{n}": frozenset({"plan_tasks"}) for n in range(1, 212)}
    | {"m_5": frozenset({"plan_tasks", "decisions"})},
)


def origin(
    *inputs: Mapping[str, Any],
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    content: str = "a",
    decisions: Sequence[Mapping[str, Any]] = (),
    without: Sequence[str] = (),
    **made: Any,
) -> Origin:
    tables = {
        name: table
        for name, table in build_tables(changes=changes, content=content).items()
        if name not in ("rule_inputs", "decision_effects", *without)
    }
    made = {"form_version": "2023", "code_version": "1", "versions": {"duckdb": "1"}, **made}
    return Origin(list(inputs) or [delivery()], list(decisions), tables=tables, **made)


def with_table(what: Origin, name: str, table: pa.Table) -> Origin:
    return replace(what, tables={**what.tables, name: table})


def causes(
    old: Origin, new: Origin, *, mart: str = "report_indicators", row: str = "I.04", column: str = "value"
) -> tuple[Cause, ...]:
    revision = revise(old, new, LINEAGE, previous=1, release=2)
    (found,) = [c for c in revision.changes if (c.change.mart, c.change.row, c.change.column) == (mart, row, column)]
    return found.causes


def kinds(found: Sequence[Cause]) -> list[str]:
    return [cause.kind for cause in found]


LATE = delivery(source="plan_tasks", content="b") | {"file_name": "bổ sung.xlsx", "unit_code": "31615"}
OTHER_LATE = delivery(source="plan_tasks", content="c") | {"file_name": "khác.xlsx"}
DECLARED = delivery(source="declared_returns", content="d")


def _log(old: Mapping[str, Any], new: Mapping[str, Any]) -> pa.Table:
    """A log of deliveries in which one took the place of the other."""
    return pa.table({"delivery_id": [old["delivery_id"]], "superseded_by": [new["delivery_id"]]})


def test_a_late_delivery_is_named_with_unit_quarter_and_hash() -> None:
    (cause,) = causes(origin(), origin(delivery(), LATE, changes={"I.04": TEN}))
    assert cause.kind == "delivery_new"
    assert cause.identity == f"plan_tasks/31615/{QUARTER}@{'b' * 12}"
    assert cause.name_vi == f"tệp {neutral_name(LATE)}"
    assert cause.text_vi == (
        f"tệp {neutral_name(LATE)} (Nhiệm vụ kế hoạch, Thị trấn Cù Lao Dung, quý I năm 2023) gửi bổ sung"
    )


def test_a_file_sent_again_stands_for_the_one_it_took_the_place_of() -> None:
    again = delivery(content="b")
    new = with_table(origin(again, changes={"I.04": TEN}, content="b"), "delivery_log", _log(delivery(), again))
    (cause,) = causes(origin(), new)
    assert cause.kind == "delivery_superseded"
    assert cause.identity.endswith(f"{QUARTER}@{'a' * 12}->{'b' * 12}")
    assert cause.text_vi.endswith(f"gửi thay tệp {neutral_name(delivery())}")


def test_a_file_that_the_log_says_replaces_another_does_so_under_any_name() -> None:
    new = with_table(origin(LATE, changes={"I.04": TEN}, content="b"), "delivery_log", _log(delivery(), LATE))
    (cause,) = causes(origin(), new)
    assert cause.kind == "delivery_superseded"
    assert f"gửi thay tệp {neutral_name(delivery())}" in cause.text_vi


def test_a_file_that_no_longer_counts_is_named() -> None:
    (cause,) = causes(origin(delivery(), LATE), origin(delivery(), changes={"I.04": TEN}))
    assert cause.kind == "delivery_removed"


def test_the_rows_behind_the_figure_tell_which_of_two_deliveries_moved_it() -> None:
    new = origin(delivery(), LATE, OTHER_LATE, changes={"I.04": TEN})
    behind = origin().tables["figure_rows"]
    (first,) = [row for row in behind.to_pylist() if row["figure"] == "m_4"]
    one = pa.Table.from_pylist(
        [first | {"delivery_id": LATE["delivery_id"], "amount_each": Decimal(1)}], schema=behind.schema
    )
    new = with_table(new, "figure_rows", pa.concat_tables([behind, one]))
    (cause,) = causes(origin(), new)
    assert cause.name_vi == f"tệp {neutral_name(LATE)}"


def test_where_the_rows_cannot_tell_every_candidate_is_listed() -> None:
    old = origin(without=["figure_rows"])
    new = origin(delivery(), LATE, OTHER_LATE, DECLARED, changes={"I.04": TEN}, without=["figure_rows"])
    found = causes(old, new)
    assert kinds(found) == ["delivery_new", "delivery_new"]
    assert {cause.source for cause in found} == {"plan_tasks"}


def test_what_was_declared_and_what_was_computed_have_causes_of_their_own() -> None:
    both = {**TEN, "computed_value": Decimal(9), "declared_value": Decimal(10), "status": "declared"}
    old = origin(without=["figure_rows"])
    new = origin(delivery(), LATE, DECLARED, changes={"I.04": both}, without=["figure_rows"])
    for column in ("value", "declared_value", "status"):
        assert {cause.source for cause in causes(old, new, column=column)} == {"declared_returns"}, column


def test_a_delivery_read_again_is_a_cause_only_where_there_is_no_other() -> None:
    again = delivery() | {"fingerprint": "0" * 64}
    old = origin(without=["figure_rows"])
    changed: dict[str, Any] = {"changes": {"I.04": TEN}, "without": ["figure_rows"]}
    assert kinds(causes(old, origin(again, **changed))) == ["delivery_reread"]
    assert kinds(causes(old, origin(again, LATE, **changed))) == ["delivery_new"]
    assert kinds(causes(old, origin(again, code_version="2", **changed))) == ["program"]


@pytest.mark.parametrize(
    ("before", "after", "verb"),
    [
        ([], [DECISION], "được ban hành"),
        ([DECISION], [], "không còn"),
        ([DECISION], [DECISION | {"action": "withhold"}], "được sửa"),
    ],
)
def test_a_decision_on_the_row_is_named_with_its_document(before: Any, after: Any, verb: str) -> None:
    register = delivery(source="decisions", content="e")
    (cause,) = causes(
        origin(delivery(), decisions=before),
        origin(delivery(), register, decisions=after, changes={"I.04": {"value": Decimal(10)}}),
    )
    assert (cause.kind, cause.identity) == ("decision", "decision:QD-07")
    assert cause.text_vi == f"quyết định giải trình QD-07 (12/BC ngày 15/03/2023) {verb}"


def test_what_the_gate_made_of_a_decision_is_no_change_of_it() -> None:
    old, new = ([DECISION | {"effect": effect}] for effect in ("applied", "no_effect"))
    (cause,) = causes(origin(decisions=old), origin(delivery(), LATE, decisions=new, changes={"I.04": TEN}))
    assert cause.kind == "delivery_new"


def test_a_decision_on_a_case_reaches_what_counts_cases_and_nothing_else() -> None:
    register = delivery(source="decisions", content="e")
    new = origin(
        delivery(),
        register,
        LATE,
        decisions=[CASE_DECISION],
        without=["figure_rows"],
        changes={"I.05": TEN, "I.04": TEN},
    )
    old = origin(without=["figure_rows"])
    assert kinds(causes(old, new, row="I.05")) == ["decision", "delivery_new"]
    assert kinds(causes(old, new, row="I.04")) == ["delivery_new"]


def test_a_case_decision_moved_to_another_case_is_found_by_its_register() -> None:
    """A release does not tell which case a decision is about, so the two look alike in it."""
    first, second = (delivery(source="decisions", content=content) for content in "ef")
    new = origin(delivery(), second, decisions=[CASE_DECISION], changes={"I.05": TEN}, without=["figure_rows"])
    (cause,) = causes(
        origin(delivery(), first, decisions=[CASE_DECISION], without=["figure_rows"]),
        with_table(new, "delivery_log", _log(first, second)),
        row="I.05",
    )
    assert (cause.kind, cause.source) == ("delivery_superseded", "decisions")


def _derived(what: Origin, code: str, parts: str | None, whole: str | None = None) -> Origin:
    rows = [
        dict(row, numerator=None, derived_from=parts, logical_parent_code=whole)
        if row["indicator_code"] == code
        else row
        for row in what.tables["dim_indicator"].to_pylist()
    ]
    return with_table(what, "dim_indicator", pa.Table.from_pylist(rows, schema=what.tables["dim_indicator"].schema))


def test_a_sum_has_the_causes_of_its_parts() -> None:
    old = _derived(origin(without=["figure_rows"]), "I.04", "I.05+I.08")
    new = _derived(
        origin(
            delivery(),
            DECLARED,
            changes={"I.04": TEN, "I.08": TEN | {"declared_value": Decimal(10)}},
            without=["figure_rows"],
        ),
        "I.04",
        "I.05+I.08",
    )
    assert {cause.source for cause in causes(old, new)} == {"declared_returns"}


def test_a_part_of_nothing_has_the_causes_of_its_whole() -> None:
    zero = {"value": Decimal(0), "computed_value": Decimal(0), "status": "computed"}
    whole = {"value": Decimal(0), "declared_value": Decimal(0), "computed_value": None}
    old = _derived(origin(without=["figure_rows"]), "I.04", None, "I.08")
    new = _derived(
        origin(delivery(), DECLARED, changes={"I.04": zero, "I.08": whole}, without=["figure_rows"]),
        "I.04",
        None,
        "I.08",
    )
    assert {cause.source for cause in causes(old, new)} == {"declared_returns"}


def test_an_earlier_quarters_figure_has_only_causes_of_earlier_folders() -> None:
    before = LATE | {"quarter": "2022-Q4"}
    new = origin(delivery(), before, OTHER_LATE, changes={"I.04": {"previous_quarter_value": Decimal(7)}})
    (cause,) = causes(origin(), new, column="previous_quarter_value")
    assert cause.quarter == "2022-Q4"


def test_another_mart_has_the_causes_that_its_lineage_lets_through() -> None:
    cases = delivery(source="one_stop_cases", content="f")
    new = origin(delivery(), cases, LATE)
    fewer = with_table(new, "case_processing", new.tables["case_processing"].slice(1))
    revision = revise(origin(), fewer, LINEAGE, previous=1, release=2)
    (gone,) = revision.changes
    assert [cause.source for cause in gone.causes] == ["one_stop_cases"]


def test_the_program_and_the_form_are_causes() -> None:
    new = origin(changes={"I.04": TEN}, form_version="2024", code_version="2", versions={"duckdb": "2"})
    found = causes(origin(), new)
    assert kinds(found) == ["form", "program"]
    assert found[1].identity == "program 1->2, duckdb 1->2"
    assert found[1].text_vi == "chương trình tính số liệu được thay bằng bản mới"


def test_the_program_is_no_cause_where_a_delivery_moved_every_row_that_moved() -> None:
    again = delivery(content="b")
    late = origin(again, changes={"I.04": TEN}, content="b", code_version="2")
    late = with_table(late, "delivery_log", _log(delivery(), again))
    assert kinds(causes(origin(), late)) == ["delivery_superseded"]
    assert kinds(causes(origin(without=["figure_rows"]), late)) == ["delivery_superseded", "program"]


def test_a_change_that_nothing_explains_is_an_error() -> None:
    with pytest.raises(UnexplainedChange, match=r"I\.04.* value: .*9 → 10"):
        revise(origin(), origin(changes={"I.04": TEN}), LINEAGE, previous=1, release=2)


def test_an_indirect_cause_is_better_than_none() -> None:
    """Lineage lets no declared figure reach this mart. It did change, so the lineage is wrong: all is listed."""
    new = origin(delivery(), DECLARED)
    fewer = with_table(new, "case_processing", new.tables["case_processing"].slice(1))
    (gone,) = revise(origin(), fewer, LINEAGE, previous=1, release=2).changes
    assert [cause.source for cause in gone.causes] == ["declared_returns"]


# --- any world ------------------------------------------------------------------------------------------------------

FIGURES = ("I.03", "I.04", "I.08", "I.09")
_world = st.dictionaries(
    st.tuples(st.sampled_from(["31615", "31618"]), st.sampled_from(["x.xlsx", "y.xlsx"])),
    st.tuples(st.sampled_from("bcdef"), st.lists(st.integers(0, 3), min_size=len(FIGURES), max_size=len(FIGURES))),
    max_size=4,
)


def _key(file: tuple[str, str], world: Mapping[tuple[str, str], tuple[str, list[int]]]) -> str:
    """What stands for the delivery of a file and for its hash."""
    content, amounts = world[file]
    return f"{file[0][-1]}{file[1][0]}{content}{'-'.join(map(str, amounts))}"


def _origin_of(world: Mapping[tuple[str, str], tuple[str, list[int]]], rows_known: bool) -> Origin:
    """A release in which each figure is the sum of what each delivered file holds for it."""
    inputs, behind, totals = [], [], dict.fromkeys(FIGURES, 0)
    for (unit, name), (content, amounts) in world.items():
        key = _key((unit, name), world)
        inputs.append(
            delivery(content=content) | {"delivery_id": key, "unit_code": unit, "file_name": name, "sha256": key}
        )
        for place, (code, amount) in enumerate(zip(FIGURES, amounts, strict=True)):
            totals[code] += amount
            behind += (
                [
                    {
                        "figure": f"m_{int(code[2:])}",
                        "delivery_id": key,
                        "sheet": "S",
                        "row_numbers": str(place),
                        "amount_each": Decimal(amount),
                        "decision_id": None,
                    }
                ]
                if amount
                else []
            )
    changes = {code: {"value": Decimal(total), "computed_value": Decimal(total)} for code, total in totals.items()}
    made = origin(delivery(), *inputs, changes=changes)
    schema = pa.schema(
        [(name, pa.string()) for name in ("figure", "delivery_id", "sheet", "row_numbers")]
        + [("amount_each", pa.decimal128(18, 4)), ("decision_id", pa.string())]
    )
    tables = dict(made.tables) | {"figure_rows": pa.Table.from_pylist(behind, schema=schema)}
    return replace(made, tables={name: table for name, table in tables.items() if rows_known or name != "figure_rows"})


@settings(max_examples=60, deadline=None)
@given(_world, _world, st.booleans())
def test_in_any_world_no_cell_is_unexplained_and_no_true_cause_is_missed(old: Any, new: Any, rows_known: bool) -> None:
    before, after = (_origin_of(world, rows_known) for world in (old, new))
    revision = revise(before, after, LINEAGE, previous=1, release=2)
    assert len(revision.changes) == len(compare(before.tables, after.tables))
    assert all(explained.causes for explained in revision.changes)
    for place, code in enumerate(FIGURES):
        true = {
            _key(file, world)[:12]
            for file in old.keys() | new.keys()
            if old.get(file, ("", [0] * 4))[1][place] != new.get(file, ("", [0] * 4))[1][place]
            for world in (old, new)
            if file in world and world[file][1][place]
        }
        for explained in revision.changes:
            if (explained.change.row, explained.change.column) == (code, "value"):
                named = " ".join(cause.identity for cause in explained.causes)
                assert [key for key in true if key not in named] == []


# --- how it is told -------------------------------------------------------------------------------------------------


def _revision(**more: Any) -> Revision:
    new = origin(
        delivery(),
        LATE,
        changes={"I.04": TEN, "I.21": {"value": Decimal(3), "computed_value": Decimal(3), "status": "computed"}},
    )
    return revise(origin(), new, LINEAGE, previous=1, release=2, **more)


def test_the_revision_is_told_in_vietnamese() -> None:
    told = _revision().lines_vi
    assert told[0] == "Bản công bố r2 thay bản r1: 2 số liệu của biểu thay đổi."
    figure = "Dòng 4 (I.04) Số nhiệm vụ đã hoàn thành: 9 → 10. "
    assert told[1].startswith(f"{figure}Tệp {neutral_name(LATE)} (Nhiệm vụ kế hoạch, ")
    assert ": để trống → 3. " in told[2]


def test_every_changed_cell_is_in_the_file_with_its_cause() -> None:
    revision = _revision()
    rows = from_csv(changes_csv(revision))
    assert len(rows) == len(revision.changes)
    assert all(row["cause_kind"] and row["cause"] and row["cause_vi"] for row in rows)
    (row,) = [row for row in rows if (row["row"], row["column"]) == ("I.04", "value")]
    assert (row["old"], row["new"], row["cause_kind"]) == ("9", "10", "delivery_new")
    assert row["cause_vi"] == f"tệp {neutral_name(LATE)}"
    assert [text for text in revision.causes_vi if text.endswith("gửi bổ sung.")]

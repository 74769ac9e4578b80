"""What becomes of units' figures over a province: exact, in any order, and never a zero for what is not there."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.forms import form_named
from publication.content.province_content import percent
from publication.content.units_as_is import UnitToday
from publication.province.rollup import (
    INDICATORS,
    MEMBERS,
    PORTAL,
    RANKING,
    TOTALS,
    Member,
    PortalFigure,
    roll_up_tables,
)

FORM = form_named("2023")
KINDS = {row["indicator_code"]: row for row in FORM.rows}
RATIO, COUNT, FLAG, TEXT, PROCEDURES, PART, WHOLE = "I.02", "III.23", "I.07", "I.29", "III.12", "III.25", "III.24"


def row(code: str, **figures: Any) -> dict[str, Any]:
    """A row of a unit's form, blank but for ``figures``."""
    printed = KINDS.get(code, KINDS[RATIO])
    return {
        "form_version": "2023", "row_no": int(printed["row_no"]), "section": printed["section"],
        "printed_number": printed["printed_number"], "level": int(printed["level"]), "indicator_code": code,
        "indicator_name_vi": printed["name_vi"], "unit_of_measure": printed["unit_vi"],
        "unit_of_measure_canonical": printed["unit_canonical"], "kind": printed["kind"],
        "direction": printed["direction"], "status": "computed",
        **dict.fromkeys(("value", "numerator", "denominator", "computed_value", "declared_value")), **figures,
    }  # fmt: skip


def ratio(numerator: int | None, denominator: int | None) -> dict[str, Any]:
    parts = None if numerator is None or denominator is None else (Decimal(numerator), Decimal(denominator))
    return row(
        RATIO, numerator=parts and parts[0], denominator=parts and parts[1], value=parts and percent(*parts)
    )  # fmt: skip


def member(code: str, *rows: dict[str, Any], level: str = "district") -> Member:
    return Member(code, f"Huyện {code}", level, 1, "a" * 64, "2023", form=rows)


def portal_figure(unit: str, code: str, value: int, number: int = 5) -> PortalFigure:
    """What a portal shows, in the first sheet of the province's file."""
    return PortalFigure(
        unit, code, Decimal(value), dt.date(2023, 3, 16), None, "portal_figures-2023-Q1-94-0", 1, number
    )


MISSING = Member("999", "Huyện 999", "district", why_vi="chưa gửi số liệu của kỳ")


def tables(members: Iterable[Member]) -> dict[str, list[dict[str, Any]]]:
    made = roll_up_tables("94", "Tỉnh A", "2023-Q1", list(members), FORM)
    return {name: table.to_pylist() for name, table in made.items()}


def totals(members: Iterable[Member]) -> Mapping[str, dict[str, Any]]:
    return {total["indicator_code"]: total for total in tables(members)[TOTALS]}


def test_a_ratio_is_made_again_from_its_parts_and_never_averaged() -> None:
    total = totals([member("1", ratio(1, 2)), member("2", ratio(99, 100)), MISSING])[RATIO]
    assert total["value"] == Decimal("98.04"), "100 of 102; the average would be 74.5"
    assert (total["numerator"], total["denominator"]) == (100, 102)
    assert (total["units_counted"], total["units_expected"]) == (2, 3)
    assert total["missing_vi"] == "Huyện 999 (999)"


def test_what_no_unit_told_is_blank_and_what_one_told_is_not_a_zero_of_the_others() -> None:
    found = totals([member("1", row(COUNT), ratio(None, None)), member("2", row(COUNT), ratio(0, 0)), MISSING])
    assert (found[COUNT]["value"], found[COUNT]["units_counted"]) == (None, 0)
    assert (found[RATIO]["value"], found[RATIO]["units_counted"]) == (None, 1)
    some = totals([member("1", row(COUNT, value=Decimal(7))), member("2", row(COUNT)), MISSING])[COUNT]
    assert (some["value"], some["units_counted"], some["missing_vi"]) == (7, 1, "Huyện 2 (2); Huyện 999 (999)")


def test_each_kind_of_row_becomes_what_its_kind_can() -> None:
    flag = next(code for code, printed in KINDS.items() if printed["kind"] == "flag")
    text = next(code for code, printed in KINDS.items() if printed["kind"] == "text")
    made = [
        member(
            code, row(flag, value=Decimal(yes)), row(text), row(PROCEDURES, value=Decimal(300 + yes)),
            row(COUNT, value=Decimal(5)),
        )
        for code, yes in (("1", 1), ("2", 0), ("3", 1))
    ]  # fmt: skip
    found = totals(made)
    assert (found[flag]["aggregate"], found[flag]["value"]) == ("units_with", 2)
    assert (found[text]["aggregate"], found[text]["value"]) == ("none", None)
    assert (found[COUNT]["aggregate"], found[COUNT]["value"]) == ("sum", 15)
    procedures = found[PROCEDURES]
    assert (procedures["aggregate"], procedures["value"]) == ("none", None), "all units count the same procedures"
    assert (procedures["least"], procedures["greatest"]) == (300, 301)


def test_what_a_portal_shows_stands_beside_and_changes_nothing() -> None:
    """Each difference is of the two figures that are there; a unit or row that the portal does not name has none."""
    figures = {"computed_value": Decimal(5), "declared_value": Decimal(7), "value": Decimal(5)}
    made = [
        member("1", row(COUNT, **figures), row(WHOLE, **figures)),
        member("2", row(COUNT, **figures), row(WHOLE, value=Decimal(5), declared_value=Decimal(5))),
        MISSING,
    ]
    shown = [portal_figure("2", WHOLE, 0), portal_figure("1", COUNT, 9), portal_figure("999", COUNT, 3)]
    plain, beside = (roll_up_tables("94", "Tỉnh A", "2023-Q1", made, FORM, given) for given in ((), shown))
    columns = ("portal_value", "declared_minus_computed", "portal_minus_computed", "portal_minus_declared")
    found = {
        (r["indicator_code"], r["member_code"]): tuple(r[name] for name in columns)
        for r in beside[INDICATORS].to_pylist()
    }
    assert found == {
        (COUNT, "1"): (9, 2, 4, 2),
        (COUNT, "2"): (None, 2, None, None),
        (WHOLE, "1"): (None, 2, None, None),
        (WHOLE, "2"): (0, None, None, -5),
    }
    assert [(r["indicator_code"], r["member_code"], r["row_number"]) for r in beside[PORTAL].to_pylist()] == [
        (COUNT, "1", 5), (COUNT, "999", 5), (WHOLE, "2", 5),
    ]  # fmt: skip
    for name in (TOTALS, RANKING, MEMBERS):
        assert beside[name].equals(plain[name])
    assert plain[PORTAL].num_rows == 0


def test_ties_share_a_rank_and_the_next_is_left_out_levels_apart() -> None:
    made = [member(str(i), ratio(*parts)) for i, parts in enumerate([(9, 10), (1, 2), (90, 100), (3, 4)])]
    made += [member("c", ratio(1, 100), level="commune")]
    ranks = {place["member_code"]: (place["rank"], place["units_ranked"]) for place in tables(made)[RANKING]}
    assert ranks == {"0": (1, 4), "2": (1, 4), "3": (3, 4), "1": (4, 4), "c": (1, 1)}


def test_a_share_named_by_the_form_is_ranked_by_part_and_whole() -> None:
    made = [
        member("1", row(WHOLE, value=Decimal(200)), row(PART, value=Decimal(150))),
        member("2", row(WHOLE, value=Decimal(10)), row(PART, value=Decimal(9))),
        member("3", row(WHOLE, value=Decimal(0)), row(PART, value=Decimal(0))),
        member("4", row(WHOLE), row(PART, value=Decimal(3))),
    ]
    places = [(p["member_code"], p["rank"], p["value"], p["whole_code"]) for p in tables(made)[RANKING]]
    assert sorted(places) == [("1", 2, Decimal(75), WHOLE), ("2", 1, Decimal(90), WHOLE)]


counts = st.integers(0, 10**7)
UNITS = st.lists(
    st.tuples(st.one_of(st.none(), counts), st.one_of(st.none(), st.tuples(counts, counts))), min_size=1, max_size=12
)


@given(UNITS, st.randoms())
def test_sum_of_parts_is_the_whole_in_any_order(units: list[tuple[Any, Any]], rng: random.Random) -> None:
    made = [
        member(f"{i:03}", row(COUNT, value=None if count is None else Decimal(count)), ratio(*(parts or (None, None))))
        for i, (count, parts) in enumerate(units)
    ]
    found = tables(made)
    told = [count for count, _ in units if count is not None]
    by_code = {total["indicator_code"]: total for total in found[TOTALS]}
    assert by_code[COUNT]["value"] == (sum(told) if told else None)
    assert by_code[COUNT]["units_counted"] == len(told)
    shares = [parts for _, parts in units if parts is not None]
    whole = sum(part[1] for part in shares)
    assert by_code[RATIO]["value"] == (
        exact_percent(sum(part[0] for part in shares), whole) if shares and whole else None
    )
    assert len(found[INDICATORS]) == 2 * len(units)
    assert len(found[MEMBERS]) == len(units)
    rng.shuffle(made)
    assert tables(made) == found


@given(counts, st.integers(1, 10**7))
def test_percents_round_halves_up_exactly(numerator: int, denominator: int) -> None:
    assert percent(Decimal(numerator), Decimal(denominator)) == exact_percent(numerator, denominator)


def exact_percent(numerator: int, denominator: int) -> Decimal:
    """The same by fractions and Python's own rounding."""
    share = Fraction(100 * numerator, denominator)
    digits = Decimal(share.numerator * 10**30 // share.denominator).scaleb(-30)
    return digits.quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_nothing_to_divide_by_is_no_percentage() -> None:
    assert percent(Decimal(0), Decimal(0)) is None


@pytest.mark.parametrize("members", [[], [MISSING]])
def test_without_releases_there_are_no_totals(members: list[Member]) -> None:
    assert tables(members)[TOTALS] == []


def test_a_units_figures_name_the_unit_of_today_or_that_none_may_have_them() -> None:
    moved = UnitToday("1", "Huyện 1", "31615", "Xã An Thạnh (31615)", "toàn bộ")
    kept = UnitToday("2", "Huyện 2", "", "", "không chuyển được: Huyện 2 bị chia")
    members = [replace(member("1", row(COUNT)), as_is=moved), replace(member("2", row(COUNT)), as_is=kept), MISSING]
    made = tables(members)
    told = {r["member_code"]: (r["member_code_as_is"], r["member_name_as_is_vi"]) for r in made[INDICATORS]}
    assert told == {"1": ("31615", "Xã An Thạnh"), "2": (None, None)}
    notes = {r["member_code"]: (r["member_code_as_is"], r["as_is_note_vi"]) for r in made[MEMBERS]}
    assert notes["1"] == ("31615", "toàn bộ")
    assert notes["2"] == (None, "không chuyển được: Huyện 2 bị chia")
    assert notes["999"] == (None, None)

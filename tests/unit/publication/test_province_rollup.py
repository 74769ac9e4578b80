"""What becomes of units' figures over a province: exact, in any order, and never a zero for what is not there."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.forms import form_named
from publication.content.province_content import coverage_vi, percent
from publication.content.units_as_is import UnitToday
from publication.page.province import lines
from publication.province.explain import ProvinceExplanation
from publication.province.rollup import (
    DEPARTMENTS,
    INDICATORS,
    MEMBERS,
    PORTAL,
    RANKING,
    TOTALS,
    Department,
    DepartmentFigure,
    Member,
    PortalFigure,
    roll_up_tables,
)

FORM = form_named("2023")
KINDS = {row["indicator_code"]: row for row in FORM.rows}
RATIO, COUNT, FLAG, TEXT, PROCEDURES, PART, WHOLE = "I.02", "III.23", "I.07", "I.29", "III.12", "III.25", "III.24"
#: A row that no form of the project has.
NEW = "I.31"


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


def portal_figure(unit: str, code: str, value: int, number: int = 5, portal: str | None = None) -> PortalFigure:
    """What a portal shows, in the first sheet of the province's file."""
    return PortalFigure(
        unit, code, Decimal(value), dt.date(2023, 3, 16), portal, "portal_figures-2023-Q1-94-0", 1, number
    )


def told(unit: str, code: str, value: int | None = None, parts: tuple[int, int] | None = None) -> DepartmentFigure:
    """What a department tells of a row, in the first sheet of the province's file."""
    numerator, denominator = (None, None) if parts is None else map(Decimal, parts)
    number = None if value is None else Decimal(value)
    return DepartmentFigure(
        unit, code, number, numerator, denominator, "45/BC-SNV", "department_figures-2023-Q1-94-0", 1, 5
    )


def department(code: str, *figures: DepartmentFigure) -> Department:
    return Department(code, f"Sở {code}", figures)


MISSING = Member("999", "Huyện 999", "district", why_vi="chưa gửi số liệu của kỳ")


def tables(members: Iterable[Member], departments: Iterable[Department] = ()) -> dict[str, list[dict[str, Any]]]:
    made = roll_up_tables("94", "Tỉnh A", "2023-Q1", list(members), FORM, departments=departments)
    return {name: table.to_pylist() for name, table in made.items()}


def totals(members: Iterable[Member]) -> Mapping[str, dict[str, Any]]:
    return {total["indicator_code"]: total for total in tables(members)[TOTALS]}


def test_of_a_unit_without_a_release_and_of_a_department_it_is_not_told_that_figures_are_final() -> None:
    members = [replace(member("1", ratio(1, 2)), provisional=False), MISSING]
    found = tables(members, [department("94-STP", told("94-STP", COUNT, 3))])[MEMBERS]
    assert {m["member_code"]: m["provisional"] for m in found} == {"1": False, "999": None, "94-STP": None}


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


def declared_percent(code: str, value: int, **other: Any) -> dict[str, Any]:
    """A percentage that an office declares in a row of its own, of which the form knows no parts."""
    figures = {"value": Decimal(value), "declared_value": Decimal(value), "status": "declared"}
    return row(code, direction="neutral", **figures, **other)


@pytest.mark.parametrize("unit", ["%", "Tỷ lệ %", "Tỷ lệ (%)"])
@pytest.mark.parametrize("kind", ["ratio", "count"])
def test_a_percentage_that_offices_declare_is_neither_added_nor_averaged_nor_missing(kind: str, unit: str) -> None:
    told_as = {"kind": kind, "unit_of_measure": unit, "unit_of_measure_canonical": unit}
    made = tables([*(member(str(i), declared_percent(NEW, 90 + i, **told_as)) for i in (1, 2, 3)), MISSING])
    (total,) = made[TOTALS]
    assert (total["aggregate"], total["value"], total["numerator"]) == ("none", None, None)
    assert (total["least"], total["greatest"]) == (91, 93)
    assert (total["units_counted"], total["units_expected"], total["missing_vi"]) == (3, 4, "Huyện 999 (999)")
    assert made[RANKING] == [], "nobody said which way is better of what the form knows nothing of"
    # What people are told: whose figures there are, and why they make no total.
    content: Any = SimpleNamespace(tables={TOTALS: pa.Table.from_pylist(made[TOTALS])})
    (line,) = lines(content)
    explained = list(ProvinceExplanation("2023-Q1", "r1", total, made[INDICATORS], {}).lines_vi())
    if kind == "ratio":
        assert (line.value, line.remark_vi) == ("", "không có tử số, mẫu số; từ 91 đến 93")
        assert (line.coverage, line.missing_vi) == ("3/4 đơn vị", "Huyện 999 (999)")
        assert explained[1] == "Toàn tỉnh: để trống (không có tử số, mẫu số; 3/4 đơn vị)"
    else:
        assert (line.value, line.remark_vi, line.coverage) == ("", "không cộng; từ 91 đến 93", "")
        assert explained[1] == "Toàn tỉnh: để trống (không có số chung; 3/4 đơn vị)"
    assert explained[-1] == "Chưa có: Huyện 999 (999)"


def test_a_unit_that_has_a_ratio_and_not_its_parts_is_not_told_to_have_none() -> None:
    made = [member("1", ratio(1, 2)), member("2", declared_percent(RATIO, 93)), member("3", row(RATIO)), MISSING]
    total = totals(made)[RATIO]
    assert (total["aggregate"], total["value"], total["units_counted"]) == ("ratio", 50, 1)
    assert total["missing_vi"] == "Huyện 2 (2, không có tử số, mẫu số); Huyện 3 (3); Huyện 999 (999)"


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


def test_two_portals_of_one_row_are_both_kept_and_none_of_them_is_the_portals_figure_where_they_differ() -> None:
    figures = {"computed_value": Decimal(5), "declared_value": Decimal(7), "value": Decimal(5)}
    members = [member("1", row(COUNT, **figures), row(WHOLE, **figures)), MISSING]
    shown = [
        portal_figure("1", COUNT, 9, portal="Cổng tỉnh"), portal_figure("1", COUNT, 4, 6, "Cổng quốc gia"),
        portal_figure("1", WHOLE, 5, 7, "Cổng tỉnh"), portal_figure("1", WHOLE, 5, 8), portal_figure("999", COUNT, 3),
    ]  # fmt: skip
    made = roll_up_tables("94", "Tỉnh A", "2023-Q1", members, FORM, shown)
    kept = [
        (p["indicator_code"], p["member_code"], p["portal_vi"], p["value"], p["portal_minus_computed"],
         p["portal_minus_declared"], p["row_number"])
        for p in made[PORTAL].to_pylist()
    ]  # fmt: skip
    assert kept == [
        (COUNT, "1", "Cổng quốc gia", 4, -1, -3, 6), (COUNT, "1", "Cổng tỉnh", 9, 4, 2, 5),
        (COUNT, "999", None, 3, None, None, 5), (WHOLE, "1", None, 5, 0, -2, 8), (WHOLE, "1", "Cổng tỉnh", 5, 0, -2, 7),
    ]  # fmt: skip
    beside = {
        r["indicator_code"]: (r["portals_shown"], r["portal_value"], r["portal_minus_computed"])
        for r in made[INDICATORS].to_pylist()
    }
    assert beside == {COUNT: (2, None, None), WHOLE: (2, 5, 0)}
    assert roll_up_tables("94", "Tỉnh A", "2023-Q1", members, FORM, shown[::-1]) == made


def test_ties_share_a_rank_and_the_next_is_left_out_levels_apart() -> None:
    made = [member(str(i), ratio(*parts)) for i, parts in enumerate([(9, 10), (1, 2), (90, 100), (3, 4)])]
    made += [member("c", ratio(1, 100), level="commune")]
    ranks = {place["member_code"]: (place["rank"], place["units_ranked"]) for place in tables(made)[RANKING]}
    assert ranks == {"0": (1, 4), "2": (1, 4), "3": (3, 4), "1": (4, 4), "c": (1, 1)}


def test_a_late_case_that_rounding_hides_is_no_equal_first() -> None:
    parts = [(30000, 30000), (29999, 30000), (1, 30000), (0, 30000)]
    made = [member(str(i), ratio(*each)) for i, each in enumerate(parts)]
    ranks = {place["member_code"]: (place["rank"], place["value"]) for place in tables(made)[RANKING]}
    assert ranks == {
        "0": (1, Decimal(100)), "1": (2, Decimal("99.99")), "2": (3, Decimal("0.01")), "3": (4, Decimal(0)),
    }  # fmt: skip


def test_a_share_named_by_the_form_is_ranked_by_part_and_whole() -> None:
    made = [
        member("1", row(WHOLE, value=Decimal(200)), row(PART, value=Decimal(150))),
        member("2", row(WHOLE, value=Decimal(10)), row(PART, value=Decimal(9))),
        member("3", row(WHOLE, value=Decimal(0)), row(PART, value=Decimal(0))),
        member("4", row(WHOLE), row(PART, value=Decimal(3))),
    ]
    places = [(p["member_code"], p["rank"], p["value"], p["whole_code"]) for p in tables(made)[RANKING]]
    assert sorted(places) == [("1", 2, Decimal(75), WHOLE), ("2", 1, Decimal(90), WHOLE)]


def test_departments_are_added_and_made_again_and_the_silent_one_is_missing_and_no_zero() -> None:
    made = tables(
        [member("1", row(COUNT, value=Decimal(100)), ratio(1, 2), row(FLAG, value=Decimal(1))), MISSING],
        [
            department("94-A", told("94-A", COUNT, 7), told("94-A", RATIO, parts=(99, 100)), told("94-A", FLAG, 1)),
            department("94-B", told("94-B", COUNT, 0), told("94-B", RATIO, 98, (1, 10)), told("94-B", FLAG, 0)),
            department("94-C"),
        ],
    )
    found = {total["indicator_code"]: total for total in made[TOTALS]}
    assert (found[COUNT]["value"], found[RATIO]["value"], found[FLAG]["value"]) == (107, Decimal("90.18"), 2)
    assert (found[RATIO]["numerator"], found[RATIO]["denominator"]) == (101, 112)
    for code in (COUNT, RATIO, FLAG):
        names = ("units_counted", "units_expected", "departments_counted", "departments_expected")
        assert [found[code][name] for name in names] == [1, 2, 2, 3]
        assert found[code]["departments_missing_vi"] == "Sở 94-C (94-C)"
        assert found[code]["missing_vi"] == "Huyện 999 (999)"
    states = {m["member_code"]: (m["member_level"], m["state"], m["why_vi"]) for m in made[MEMBERS]}
    assert states["94-A"] == ("department", "delivered", None)
    assert states["94-C"] == ("department", "missing", "chưa nộp số liệu của kỳ")
    rows = {(r["member_code"], r["indicator_code"]): r for r in made[INDICATORS]}
    assert {code for unit, code in rows if unit == "94-A"} == {COUNT, RATIO, FLAG}, "it told of no other row"
    assert rows["94-A", RATIO]["value"] == 99
    assert rows["94-B", RATIO]["value"] == 10, "made from its parts, whatever stands beside"
    assert (rows["94-B", RATIO]["declared_value"], rows["94-B", RATIO]["release_number"]) == (98, None)
    assert [(d["member_code"], d["indicator_code"], d["row_number"]) for d in made[DEPARTMENTS]] == [
        ("94-A", RATIO, 5), ("94-B", RATIO, 5), ("94-A", FLAG, 5), ("94-B", FLAG, 5), ("94-A", COUNT, 5),
        ("94-B", COUNT, 5),
    ]  # fmt: skip


def test_departments_are_ranked_by_themselves_with_competition_ranks() -> None:
    parts = {"94-A": (1, 2), "94-B": (2, 4), "94-C": (9, 10), "94-D": (1, 10)}
    made = tables(
        [member("1", ratio(99, 100)), member("c", ratio(1, 100), level="commune")],
        [department(code, told(code, RATIO, parts=told_parts)) for code, told_parts in parts.items()],
    )
    ranks = {p["member_code"]: (p["member_level"], p["rank"], p["units_ranked"]) for p in made[RANKING]}
    assert ranks["1"] == ("district", 1, 1)
    assert ranks["c"] == ("commune", 1, 1)
    assert [ranks[code][1:] for code in sorted(parts)] == [(2, 4), (2, 4), (1, 4), (4, 4)]


def test_without_a_register_of_departments_nothing_is_told_of_any() -> None:
    total = totals([member("1", row(COUNT, value=Decimal(5)))])[COUNT]
    assert (total["departments_counted"], total["departments_expected"], total["departments_missing_vi"]) == (
        0,
        0,
        None,
    )
    assert coverage_vi(1, 1, 0, 0) == "1/1 đơn vị"
    assert coverage_vi(103, 103, 14, 15) == "103/103 đơn vị, 14/15 sở, ngành"


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


OF_DEPARTMENTS = st.lists(st.tuples(st.one_of(st.none(), counts), st.one_of(st.none(), st.tuples(counts, counts))))


@given(UNITS, OF_DEPARTMENTS, st.randoms())
def test_units_and_departments_add_up_as_a_sum_of_their_files_does(
    units: list[tuple[Any, Any]], of_departments: list[tuple[Any, Any]], rng: random.Random
) -> None:
    """The sum of what stands in CSV files of units and departments, read again by nothing of this program."""
    made = [
        member(f"{i:03}", row(COUNT, value=None if count is None else Decimal(count)), ratio(*(parts or (None, None))))
        for i, (count, parts) in enumerate(units)
    ]
    listed = [
        department(
            f"94-{i:02}",
            *([told(f"94-{i:02}", COUNT, count)] if count is not None else []),
            *([told(f"94-{i:02}", RATIO, parts=parts)] if parts is not None else []),
        )
        for i, (count, parts) in enumerate(of_departments)
    ]
    text = io.StringIO()
    csv.writer(text).writerows([count, *(parts or ("", ""))] for count, parts in (*units, *of_departments))
    lines = list(csv.reader(io.StringIO(text.getvalue())))
    summed = [sum((Decimal(line[place]) for line in lines if line[place]), Decimal(0)) for place in range(3)]
    found = {total["indicator_code"]: total for total in tables(made, listed)[TOTALS]}
    assert found[COUNT]["value"] == (summed[0] if any(line[0] for line in lines) else None)
    assert found[RATIO]["value"] == (exact_percent(int(summed[1]), int(summed[2])) if summed[2] else None)
    assert found[COUNT]["departments_counted"] == sum(count is not None for count, _ in of_departments)
    assert found[COUNT]["departments_expected"] == len(of_departments)
    before = tables(made, listed)
    rng.shuffle(listed)
    assert tables(made, listed) == before


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

"""Units of a past day under those of a later one: whole successions compose, merges are sums, a split forbids."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.units import AdminUnit, Succession, UnitAct, UnitRegister

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
REAL = UnitRegister.load(SEEDS)
THEN = dt.date(2023, 3, 14)
REFORM = dt.date(2025, 7, 1)
DAYS = [dt.date(2031, 1, 1), dt.date(2032, 7, 1), dt.date(2034, 1, 1)]
_ONE = dt.timedelta(1)


def _world(seed: int) -> UnitRegister:
    """A province of some communes, and up to three reforms of any kinds, one after the other."""
    rng = random.Random(seed)
    names = iter(f"Xã {n}" for n in range(1, 999))
    codes = iter(f"{n:05}" for n in range(1, 999))
    living = [AdminUnit(next(codes), "commune", "xã", next(names), "90", None, None) for _ in range(rng.randint(3, 9))]
    done: list[AdminUnit] = [AdminUnit("90", "province", "tỉnh", "Tỉnh A", "", None, None)]
    steps: list[Succession] = []
    acts: list[UnitAct] = []
    for day in DAYS[: rng.randint(1, 3)]:
        act = f"{day.year}/NQ"
        acts.append(UnitAct(act, day - _ONE, day, "Nghị quyết"))
        going = rng.sample(living, k=rng.randint(1, len(living)))
        staying = [unit for unit in living if unit not in going]
        heirs: list[AdminUnit] = []
        while going:
            kind = rng.choice(["renamed", "merged", "split", "taken in"])
            ended = [going.pop() for _ in range(min(len(going), rng.randint(2, 3) if kind == "merged" else 1))]
            if kind == "taken in" and staying:
                takers = [rng.choice(staying)]
            else:
                takers = [
                    AdminUnit(
                        # A code is used again.
                        ended[0].code if n == 0 and rng.random() < 0.6 else next(codes),
                        "commune", "xã", next(names), "90", day, None, begun_by=act,
                    )
                    for n in range(2 if kind == "split" else 1)
                ]  # fmt: skip
                heirs += takers
            if kind == "split" and heirs[:-2] and rng.random() < 0.4:
                takers.append(heirs[0])  # a part of it goes into what others became
            for unit in ended:
                relation = "whole" if len(takers) == 1 else "part"
                steps += [Succession(unit.code, taker.code, relation, day, act) for taker in takers]
                done.append(replace(unit, valid_to=day - _ONE, ended_by=act))
        living = [*staying, *heirs]
    return UnitRegister((*done, *living), tuple(steps), tuple(acts))


@given(st.integers(0, 10_000))
def test_no_figure_is_lost_or_counted_twice(seed: int) -> None:
    made = _world(seed)
    assert made.check() == []
    then = DAYS[0] - _ONE
    figures = {
        u.code: n * 7 + 1 for n, u in enumerate(u for u in made.units if u.level == "commune" and u.valid_on(then))
    }
    moved: dict[str, int] = defaultdict(int)
    kept = 0
    found = {code: made.under_units_of(code, then) for code in figures}
    for code, as_is in found.items():
        if as_is.now is None:
            kept += figures[code]
            assert as_is.forbidden_by, "what forbids it is named"
            assert all(len(obstacle.heirs) > 1 for obstacle in as_is.forbidden_by)
        else:
            moved[as_is.now.code] += figures[code]
            assert as_is.now.valid_on(made.last_change)
    assert sum(moved.values()) + kept == sum(figures.values())
    for code, as_is in found.items():
        if as_is.now is not None:
            # Everybody in one unit of today says so of each other.
            assert moved[as_is.now.code] == figures[code] + sum(figures[other.code] for other in as_is.beside)
            assert all(found[other.code].now == as_is.now for other in as_is.beside)
            # Whatever of a split unit is in it keeps it from being told for the past.
            split = {
                u for u in figures if found[u].now is None and as_is.now in made.as_is(u, then, made.last_change)[0]
            }
            assert as_is.adds_up == (not split)


@given(st.integers(0, 10_000))
def test_what_goes_whole_goes_whole_step_by_step(seed: int) -> None:
    made = _world(seed)
    then = DAYS[0] - _ONE
    for unit in (u for u in made.units if u.level == "commune" and u.valid_on(then)):
        whole = made.under_units_of(unit.code, then, DAYS[2])
        half = made.under_units_of(unit.code, then, DAYS[1])
        rest = made.under_units_of(half.now.code, DAYS[1], DAYS[2]) if half.now else None
        assert whole.now == (rest.now if rest else None), "a split stays a split, whatever joins again"
        assert made.under_units_of(unit.code, then, then).is_unchanged
        units, went_whole = made.as_is(unit.code, then, DAYS[2])
        assert (whole.now is not None) == went_whole
        assert whole.now is None or units == [whole.now]


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_rows_says_nothing(seed: int, rng: random.Random) -> None:
    made = _world(seed)
    units, steps = list(made.units), list(made.successions)
    rng.shuffle(units)
    rng.shuffle(steps)
    shuffled = UnitRegister(tuple(units), tuple(steps), made.acts)
    then = DAYS[0] - _ONE
    for unit in (u for u in made.units if u.valid_on(then)):
        one, other = made.under_units_of(unit.code, then), shuffled.under_units_of(unit.code, then)
        assert (one.now, one.beside, one.acts) == (other.now, other.beside, other.acts)
        assert sorted(o.message_vi for o in one.forbidden_by) == sorted(o.message_vi for o in other.forbidden_by)


def test_a_register_that_nothing_happened_in_has_everybody_where_they_were() -> None:
    made = UnitRegister((AdminUnit("90", "province", "tỉnh", "Tỉnh A", "", None, None),), (), ())
    found = made.under_units_of("90", THEN)
    assert (found.is_unchanged, found.adds_up, found.beside) == (True, True, ())
    with pytest.raises(LookupError):
        made.under_units_of("91", THEN)
    with pytest.raises(ValueError, match="forward"):
        made.under_units_of("90", THEN, THEN - _ONE)


def _names(units: tuple[AdminUnit, ...]) -> list[str]:
    return [unit.name for unit in units]


def test_the_units_of_the_sample() -> None:
    town = REAL.under_units_of("31615", THEN)
    assert town.now is not None
    assert (town.now.name, town.acts) == ("Xã An Thạnh", ("1668/NQ-UBTVQH15",))
    assert _names(town.beside) == ["Xã An Thạnh 1", "Xã An Thạnh Tây", "Xã An Thạnh Đông"]
    district = REAL.under_units_of("945", THEN)
    assert district.now is None
    assert [obstacle.message_vi for obstacle in district.forbidden_by] == [
        "Huyện Cù Lao Dung kết thúc hoạt động, địa bàn nay thuộc Xã An Thạnh (31615), Xã Cù Lao Dung (31633) "
        "(203/2025/QH15)"
    ]
    province = REAL.under_units_of("94", THEN)
    assert province.now is not None
    assert (province.now.name, _names(province.beside)) == (
        "Thành phố Cần Thơ",
        ["Thành phố Cần Thơ", "Tỉnh Hậu Giang"],
    )


def test_a_district_whose_communes_all_went_into_one_unit_is_that_unit() -> None:
    """Cát Hải became a special zone; into the ward Mường Lay went a commune of another district as well."""
    island = REAL.under_units_of("317", THEN)
    assert island.now is not None
    assert (island.now.name, island.adds_up, island.beside) == ("Đặc khu Cát Hải", True, ())
    town = REAL.under_units_of("095", THEN)
    assert town.now is not None
    assert (town.now.name, town.adds_up) == ("Phường Mường Lay", False)
    assert ["Xã Sá Tổng của đơn vị khác" in one.message_vi for one in town.incomplete_by] == [True]


def test_the_register_decides_what_is_today() -> None:
    assert REAL.last_change == REFORM
    assert REAL.under_units_of("31615", REFORM).is_unchanged
    assert REAL.under_units_of("31615", dt.date(2099, 1, 1)).is_unchanged

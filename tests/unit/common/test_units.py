"""The register of units: what became of a unit, and that the three tables cannot contradict each other unseen."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.units import AdminUnit, Succession, UnitAct, UnitRegister

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
DAY = dt.date(2030, 7, 1)
EVE, LATER = DAY - dt.timedelta(1), DAY + dt.timedelta(days=900)
ACT, NEXT = "1/NQ", "2/NQ"


def unit(code: str, name: str, parent: str = "90", *, level: str = "commune", old: bool = False, new: bool = False,
         kind: str = "xã", act: str = ACT, day: dt.date = DAY) -> AdminUnit:  # fmt: skip
    return AdminUnit(
        code, level, kind, name, parent, day if new else None, day - dt.timedelta(1) if old else None,
        act if new else "", act if old else "",
    )  # fmt: skip


def register(*units: AdminUnit, steps: tuple[tuple[str, str, str], ...] = (), day: dt.date = DAY) -> UnitRegister:
    provinces = (unit("90", "Tỉnh A", "", level="province"), unit("91", "Tỉnh B", "", level="province"))
    return UnitRegister(
        (*provinces, *units),
        tuple(Succession(old, new, relation, day, ACT) for old, new, relation in steps),
        (UnitAct(ACT, EVE, day, "Nghị quyết"),) if steps or any(u.begun_by or u.ended_by for u in units) else (),
    )


#: Kinds of change: the register, and for each code what it is later and whether it went there whole.
CHANGES: dict[str, tuple[UnitRegister, dict[str, tuple[list[str], bool]]]] = {
    "renamed": (
        register(unit("1", "Xã Cũ", old=True), unit("1", "Xã Mới", new=True), steps=(("1", "1", "whole"),)),
        {"1": (["Xã Mới"], True)},
    ),
    "a changed type": (
        register(
            unit("7", "Tỉnh C", "", level="province", kind="tỉnh", old=True),
            unit("7", "Thành phố C", "", level="province", kind="thành phố", new=True),
            unit("1", "Xã X", "7"),
            steps=(("7", "7", "whole"),),
        ),
        {"7": (["Thành phố C"], True), "1": (["Xã X"], True)},
    ),
    "merged": (
        register(
            unit("1", "Xã X", old=True), unit("2", "Xã Y", old=True), unit("2", "Xã Z", new=True),
            steps=(("1", "2", "whole"), ("2", "2", "whole")),
        ),
        {"1": (["Xã Z"], True), "2": (["Xã Z"], True)},
    ),
    "a split with shares unknown": (
        register(
            unit("1", "Xã X", old=True), unit("2", "Xã Y", new=True), unit("3", "Xã Z", new=True),
            steps=(("1", "2", "part"), ("1", "3", "part")),
        ),
        {"1": (["Xã Y", "Xã Z"], False)},
    ),
    "a merge into another province": (
        register(
            unit("1", "Xã X", "90", old=True), unit("1", "Xã X", "91", new=True), steps=(("1", "1", "whole"),),
        ),
        {"1": (["Xã X"], True)},
    ),
    "taken into a unit that goes on": (
        register(unit("1", "Xã X", old=True), unit("2", "Xã Y"), steps=(("1", "2", "whole"),)),
        {"1": (["Xã Y"], True), "2": (["Xã Y"], True)},
    ),
    "a level that ends": (
        register(
            unit("5", "Huyện H", level="district", old=True), unit("1", "Xã X", "5", old=True),
            unit("1", "Xã X", "90", new=True), steps=(("1", "1", "whole"),),
        ),
        {"5": ([], False), "1": (["Xã X"], True)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_each_kind_of_change_is_proven_and_followed(kind: str) -> None:
    made, expected = CHANGES[kind]
    assert made.check() == []
    for code, (names, whole) in expected.items():
        then = made.as_is(code, EVE, EVE)
        assert ([u.code for u in then[0]], then[1]) == ([code], True), "as it was"
        now = made.as_is(code, EVE, LATER)
        assert ([u.name for u in now[0]], now[1]) == (names, whole)


def test_a_unit_is_followed_through_several_changes_and_a_split_stays_a_split() -> None:
    second = dt.date(2031, 1, 1)
    first = register(
        unit("1", "Xã X", old=True),
        replace(unit("2", "Xã Y", new=True), valid_to=second - dt.timedelta(1), ended_by=NEXT),
        replace(unit("3", "Xã Z", new=True), valid_to=second - dt.timedelta(1), ended_by=NEXT),
        unit("4", "Xã T", new=True, act=NEXT, day=second),
        steps=(("1", "2", "part"), ("1", "3", "part-main")),
    )  # fmt: skip
    both = replace(
        first,
        successions=(*first.successions, *(Succession(c, "4", "whole", second, NEXT) for c in "23")),
        acts=(*first.acts, UnitAct(NEXT, second, second, "Nghị quyết")),
    )
    assert both.check() == []
    assert [u.name for u in both.as_is("1", EVE, DAY)[0]] == ["Xã Y", "Xã Z"]
    united, whole = both.as_is("1", EVE, LATER)
    assert [u.name for u in united] == ["Xã T"]
    assert not whole, "its shares were never known"
    assert both.as_is("2", DAY, LATER)[1]
    assert both.as_is("9", EVE, LATER) == ([], True)
    with pytest.raises(ValueError, match="forward"):
        both.as_is("1", DAY, EVE)


def _without(made: UnitRegister, n: int) -> UnitRegister:
    return replace(made, successions=made.successions[:n] + made.successions[n + 1 :])


def _with(made: UnitRegister, code: str, **changes: object) -> UnitRegister:
    """The last unit of a code, changed."""
    place = max(i for i, u in enumerate(made.units) if u.code == code)
    units = list(made.units)
    units[place] = replace(units[place], **changes)  # type: ignore[arg-type]
    return replace(made, units=tuple(units))


def _step(made: UnitRegister, **changes: object) -> UnitRegister:
    return replace(made, successions=(replace(made.successions[0], **changes), *made.successions[1:]))  # type: ignore[arg-type]


MERGED, SPLIT = CHANGES["merged"][0], CHANGES["a split with shares unknown"][0]
ENDED = CHANGES["a level that ends"][0]
#: Each a fault of its own kind, with words of the sentence that must name it.
FAULTS: dict[str, tuple[UnitRegister, str]] = {
    "two units bear a code at once": (_with(MERGED, "2", valid_from=EVE), "cùng một mã trong cùng thời gian"),
    "ends before it begins": (_with(MERGED, "2", valid_to=EVE, ended_by=ACT), "kết thúc trước ngày bắt đầu"),
    "an unknown level": (_with(MERGED, "2", level="huyện"), "cấp “huyện” không có"),
    "no parent": (_with(MERGED, "2", parent_code=""), "thiếu mã đơn vị cấp trên"),
    "an unknown parent": (_with(MERGED, "2", parent_code="99"), "không có đơn vị cấp trên nào mang mã 99"),
    "a parent that has ended": (
        _with(MERGED, "90", valid_to=LATER, ended_by=ACT), f"mang mã 90 vào ngày {LATER + dt.timedelta(1):%d/%m/%Y}",
    ),
    "a parent of its own level": (
        _with(CHANGES["taken into a unit that goes on"][0], "2", parent_code="1"), "không ở cấp cao hơn",
    ),
    "two of one name beside each other": (_with(SPLIT, "3", name="Xã Y"), "trùng tên"),
    "a day without an act": (_with(MERGED, "2", begun_by=""), "không ghi văn bản"),
    "an act without a day": (_with(MERGED, "2", ended_by=ACT), "không ghi ngày kết thúc"),
    "an unknown act": (_with(MERGED, "2", begun_by="9/NQ"), "thiếu văn bản"),
    "an act of another day": (
        replace(MERGED, acts=(replace(MERGED.acts[0], effective_on=LATER),)), "có hiệu lực từ",
    ),
    "nobody took over": (_without(MERGED, 0), "không đơn vị nào nhận"),
    "came from nowhere": (_without(_without(MERGED, 1), 0), "không có đơn vị cũ nào"),
    "dissolved with its level, and nothing below it": (
        replace(ENDED, units=tuple(u for u in ENDED.units if u.parent_code != "5"), successions=()),
        "không có đơn vị cấp dưới nào chuyển đi",
    ),
    "the rest is nowhere": (_without(SPLIT, 0), "ghi đơn vị nhận phần còn lại"),
    "whole, and a part besides": (_step(SPLIT, relation="whole"), "không còn phần nào"),
    "two larger parts": (
        replace(SPLIT, successions=tuple(replace(s, relation="part-main") for s in SPLIT.successions)),
        "chỉ một đơn vị",
    ),
    "an unknown relation": (_step(MERGED, relation="half"), "quan hệ “half” không có"),
    "twice the same": (replace(SPLIT, successions=(SPLIT.successions[0],) * 2), "ghi hai lần"),
    "into nobody": (_step(MERGED, new_code="8"), "không có đơn vị nào mang mã 8"),
    "of nobody": (_step(MERGED, old_code="8"), "không có đơn vị nào mang mã 8 kết thúc"),
    "into another level": (_step(MERGED, new_code="90"), "đơn vị cấp khác"),
    "by an act nobody knows": (_step(MERGED, legal_act="9/NQ"), "thiếu văn bản"),
    "by another act than it began by": (
        replace(_step(MERGED, legal_act=NEXT), acts=(*MERGED.acts, UnitAct(NEXT, EVE, DAY, "Nghị quyết"))),
        "không theo 2/NQ",
    ),
    "an act that changed nobody": (
        replace(MERGED, acts=(*MERGED.acts, UnitAct(NEXT, EVE, DAY, "Nghị quyết"))), "không đơn vị nào thay đổi",
    ),
    "another number than the act leaves": (
        replace(MERGED, acts=(replace(MERGED.acts[0], units_after=2),)), "để lại 2 đơn vị, bảng đơn vị có 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_named(fault: str) -> None:
    made, words = FAULTS[fault]
    found = [str(one) for one in made.check()]
    assert any(words in one for one in found), found


#: What can be done to a row: no register that lost, doubled or bent one passes.
BENDS: dict[str, Callable[[UnitRegister, int], UnitRegister]] = {
    "a succession is lost": lambda made, n: _without(made, n % len(made.successions)),
    "a succession stands twice": lambda made, n: replace(
        made, successions=(*made.successions, made.successions[n % len(made.successions)])
    ),
    "a unit that changed is lost": lambda made, n: replace(
        made, units=tuple(u for u in made.units if u != _changed(made)[n % len(_changed(made))])
    ),
    "a succession has another day": lambda made, n: replace(
        made,
        successions=tuple(
            replace(s, effective_on=s.effective_on + dt.timedelta(days=1 + n)) if i == n % len(made.successions) else s
            for i, s in enumerate(made.successions)
        ),
    ),
}


def _changed(made: UnitRegister) -> list[AdminUnit]:
    return [u for u in made.units if u.begun_by or (u.ended_by and u.level == "commune")]


@given(st.sampled_from(sorted(CHANGES)), st.sampled_from(sorted(BENDS)), st.integers(0, 9))
def test_a_register_that_lost_or_doubled_anything_does_not_pass(kind: str, bend: str, n: int) -> None:
    assert BENDS[bend](CHANGES[kind][0], n).check()


def test_the_register_of_the_country_holds_together() -> None:
    real = UnitRegister.load(SEEDS)
    assert real.check() == []
    ended = Counter(u.level for u in real.units if u.valid_to == dt.date(2025, 6, 30))
    begun = Counter(u.level for u in real.units if u.valid_from == dt.date(2025, 7, 1))
    assert ended == {"province": 63, "district": 696, "commune": 10035}
    assert begun == {"province": 34, "commune": 3321}
    assert sum(real.balance(act).began for act in real.acts) == 34 + 3321
    for old, new in {"31615": "31615", "31618": "31615", "31627": "31633", "31636": "31633", "94": "92"}.items():
        assert [u.code for u in real.as_is(old, dt.date(2023, 3, 14), dt.date(2026, 1, 1))[0]] == [new]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("unit_acts.csv", "legal_act,dated,effective_on,title_vi,units_after\n1,x,2025-07-01,t,\n", ValueError),
        ("unit_acts.csv", "legal_act,dated\n1,2025-07-01\n", KeyError),
        ("unit_acts.csv", "legal_act,dated,effective_on,title_vi,units_after\n1,2025-07-01\n", ValueError),
        ("admin_units.csv", "unit_code,level\n1,commune,x\n", ValueError),
    ],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, error: type[Exception]) -> None:
    for file in ("admin_units.csv", "admin_unit_successors.csv", "unit_acts.csv"):
        (tmp_path / file).write_bytes((SEEDS / file).read_bytes())
    (tmp_path / name).write_text(text)
    with pytest.raises(error):
        UnitRegister.load(tmp_path)

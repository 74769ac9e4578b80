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
from orchestration.cli.terminal import WrongUse
from orchestration.cli.units import check

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
        register(
            unit("10001", "Xã Cũ", old=True), unit("10001", "Xã Mới", new=True), steps=(("10001", "10001", "whole"),),
        ),
        {"10001": (["Xã Mới"], True)},
    ),
    "a changed type": (
        register(
            unit("70", "Tỉnh C", "", level="province", kind="tỉnh", old=True),
            unit("70", "Thành phố C", "", level="province", kind="thành phố", new=True),
            unit("10001", "Xã X", "70"),
            steps=(("70", "70", "whole"),),
        ),
        {"70": (["Thành phố C"], True), "10001": (["Xã X"], True)},
    ),
    "merged": (
        register(
            unit("10001", "Xã X", old=True), unit("10002", "Xã Y", old=True), unit("10002", "Xã Z", new=True),
            steps=(("10001", "10002", "whole"), ("10002", "10002", "whole")),
        ),
        {"10001": (["Xã Z"], True), "10002": (["Xã Z"], True)},
    ),
    "a split with shares unknown": (
        register(
            unit("10001", "Xã X", old=True), unit("10002", "Xã Y", new=True), unit("10003", "Xã Z", new=True),
            steps=(("10001", "10002", "part"), ("10001", "10003", "part")),
        ),
        {"10001": (["Xã Y", "Xã Z"], False)},
    ),
    "a merge into another province": (
        register(
            unit("10001", "Xã X", "90", old=True), unit("10001", "Xã X", "91", new=True),
            steps=(("10001", "10001", "whole"),),
        ),
        {"10001": (["Xã X"], True)},
    ),
    "taken into a unit that goes on": (
        register(unit("10001", "Xã X", old=True), unit("10002", "Xã Y"), steps=(("10001", "10002", "whole"),)),
        {"10001": (["Xã Y"], True), "10002": (["Xã Y"], True)},
    ),
    "a level that ends": (
        register(
            unit("105", "Huyện H", level="district", old=True), unit("10001", "Xã X", "105", old=True),
            unit("10001", "Xã X", "90", new=True), steps=(("10001", "10001", "whole"),),
        ),
        {"105": ([], False), "10001": (["Xã X"], True)},
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
        unit("10001", "Xã X", old=True),
        replace(unit("10002", "Xã Y", new=True), valid_to=second - dt.timedelta(1), ended_by=NEXT),
        replace(unit("10003", "Xã Z", new=True), valid_to=second - dt.timedelta(1), ended_by=NEXT),
        unit("10004", "Xã T", new=True, act=NEXT, day=second),
        steps=(("10001", "10002", "part"), ("10001", "10003", "part-main")),
    )  # fmt: skip
    both = replace(
        first,
        successions=(*first.successions, *(Succession(c, "10004", "whole", second, NEXT) for c in ("10002", "10003"))),
        acts=(*first.acts, UnitAct(NEXT, second, second, "Nghị quyết")),
    )
    assert both.check() == []
    assert [u.name for u in both.as_is("10001", EVE, DAY)[0]] == ["Xã Y", "Xã Z"]
    united, whole = both.as_is("10001", EVE, LATER)
    assert [u.name for u in united] == ["Xã T"]
    assert not whole, "its shares were never known"
    assert both.as_is("10002", DAY, LATER)[1]
    assert both.as_is("10009", EVE, LATER) == ([], True)
    with pytest.raises(ValueError, match="forward"):
        both.as_is("10001", DAY, EVE)


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
    "two units bear a code at once": (_with(MERGED, "10002", valid_from=EVE), "cùng một mã trong cùng thời gian"),
    "ends before it begins": (_with(MERGED, "10002", valid_to=EVE, ended_by=ACT), "kết thúc trước ngày bắt đầu"),
    "an unknown level": (_with(MERGED, "10002", level="huyện"), "cấp “huyện” không có"),
    "no parent": (_with(MERGED, "10002", parent_code=""), "thiếu mã đơn vị cấp trên"),
    "an unknown parent": (_with(MERGED, "10002", parent_code="99"), "không có đơn vị cấp trên nào mang mã 99"),
    "a parent that has ended": (
        _with(MERGED, "90", valid_to=LATER, ended_by=ACT), f"mang mã 90 vào ngày {LATER + dt.timedelta(1):%d/%m/%Y}",
    ),
    "a parent of its own level": (
        _with(CHANGES["taken into a unit that goes on"][0], "10002", parent_code="10001"), "không ở cấp cao hơn",
    ),
    "two of one name beside each other": (_with(SPLIT, "10003", name="Xã Y"), "trùng tên"),
    "a day without an act": (_with(MERGED, "10002", begun_by=""), "không ghi văn bản"),
    "an act without a day": (_with(MERGED, "10002", ended_by=ACT), "không ghi ngày kết thúc"),
    "an unknown act": (_with(MERGED, "10002", begun_by="9/NQ"), "thiếu văn bản"),
    "an act of another day": (
        replace(MERGED, acts=(replace(MERGED.acts[0], effective_on=LATER),)), "có hiệu lực từ",
    ),
    "nobody took over": (_without(MERGED, 0), "không đơn vị nào nhận"),
    "came from nowhere": (_without(_without(MERGED, 1), 0), "không có đơn vị cũ nào"),
    "dissolved with its level, and nothing below it": (
        replace(ENDED, units=tuple(u for u in ENDED.units if u.parent_code != "105"), successions=()),
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
    "into nobody": (_step(MERGED, new_code="10008"), "không có đơn vị nào mang mã 10008"),
    "of nobody": (_step(MERGED, old_code="10008"), "không có đơn vị nào mang mã 10008 kết thúc"),
    "into another level": (_step(MERGED, new_code="90"), "đơn vị cấp khác"),
    "by an act nobody knows": (_step(MERGED, legal_act="9/NQ"), "thiếu văn bản"),
    "by another act than it began by": (
        replace(_step(MERGED, legal_act=NEXT), acts=(*MERGED.acts, UnitAct(NEXT, EVE, DAY, "Nghị quyết"))),
        "không theo 2/NQ",
    ),
    "an act that changed nobody": (
        replace(MERGED, acts=(*MERGED.acts, UnitAct(NEXT, EVE, DAY, "Nghị quyết"))), "không đơn vị nào thay đổi",
    ),
    "by another act than it ended by": (
        replace(
            MERGED,
            units=tuple(replace(u, ended_by=NEXT) if u.code == "10001" else u for u in MERGED.units),
            acts=(*MERGED.acts, UnitAct(NEXT, EVE, DAY, "Nghị quyết")),
        ),
        "kết thúc theo 2/NQ, không theo 1/NQ",
    ),
    "an act that stands twice": (
        replace(MERGED, acts=(*MERGED.acts, replace(MERGED.acts[0], units_after=1))), "ghi 2 dòng",
    ),
    "an act without a number": (
        replace(MERGED, acts=(*MERGED.acts, UnitAct("", EVE, DAY, "Nghị quyết"))), "ghi số, ký hiệu",
    ),
    "an act of a day after it takes effect": (
        replace(MERGED, acts=(replace(MERGED.acts[0], dated=LATER),)), "sau ngày có hiệu lực",
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


@pytest.mark.parametrize(
    ("level", "code"),
    [
        *(("commune", code) for code in ("", " 10001", "10001 ", "1000", "010001", "1000a", "１０００１", "10 01")),
        ("district", "45"), ("district", "0945"), ("province", "1"), ("province", "092"),
    ],
)  # fmt: skip
def test_a_code_has_the_digits_of_its_level(level: str, code: str) -> None:
    made = register(unit(code, "Xã X", level=level))
    assert any(f"mã “{code}” không phải mã của cấp này" in str(one) for one in made.check())


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Xã Hòa", "Xã Hoà", True), ("Xã Hòa Bình", "xã HÒA BÌNH", True), ("Xã Thủy", "Xã Thuỷ", True),
        ("Xã Hòa", "Xã Ho\u0300a", True), ("Xã Tân  Phú", "Xã Tân Phú ", True), ("Xã Ngộ", "Xã Ngo\u0323\u0302", True),
        ("Xã Hòa", "Xã Hóa", False), ("Xã An Thạnh", "Phường An Thạnh", False), ("Xã Đà", "Xã Da", False),
    ],
)  # fmt: skip
def test_names_beside_each_other_are_told_apart_as_people_tell_them(one: str, other: str, alike: bool) -> None:
    made = register(unit("10001", one), unit("10002", other))
    assert any("trùng tên" in str(fault) for fault in made.check()) is alike
    elsewhere = register(unit("10001", one), unit("10002", other, "91"))
    assert not any("trùng tên" in str(fault) for fault in elsewhere.check())


@pytest.mark.parametrize("name", ["", "Xã X ", " Xã X", "Xã  X", "Xã Ho\u0300a"])
def test_a_name_is_written_as_it_is_printed(name: str) -> None:
    assert any("ghi lại tên" in str(fault) for fault in register(unit("10001", name)).check())


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


_HEADS = {
    "admin_units.csv": "unit_code,level,unit_type,name_vi,parent_code,valid_from,valid_to,begun_by,ended_by",
    "admin_unit_successors.csv": "old_unit_code,new_unit_code,relation,effective_on,legal_act",
    "unit_acts.csv": "legal_act,dated,effective_on,title_vi,units_after",
    "portal_codes.csv": "agency_code,unit_code,valid_from,valid_to,basis_vi",
}


@pytest.mark.parametrize(
    ("name", "row", "words"),
    [
        ("admin_units.csv", "10001,commune,xã,Xã X,90,,9999-12-31,,", "“9999-12-31” không phải ngày có thật"),
        ("admin_units.csv", "10001,commune,xã,Xã X,90,0001-01-01,,,", "“0001-01-01” không phải ngày có thật"),
        ("admin_units.csv", "10001,commune,xã,Xã X,90,,30/06/2025,,", "ví dụ 2025-06-30"),
        ("admin_units.csv", "10001,commune,xã,Xã X,90,,20250630,,", "ví dụ 2025-06-30"),
        ("admin_units.csv", "10001,commune,xã,Xã X,90,,2025-06-31,,", "ví dụ 2025-06-30"),
        ("admin_unit_successors.csv", "10001,10002,whole,9999-12-31,1/NQ", "“9999-12-31” không phải ngày có thật"),
        ("admin_unit_successors.csv", "10001,10002,whole,,1/NQ", "thiếu ngày ở cột effective_on"),
        ("unit_acts.csv", "1/NQ,9999-12-31,2025-07-01,t,", "“9999-12-31” không phải ngày có thật"),
        ("unit_acts.csv", "1/NQ,2025-06-01,,t,", "thiếu ngày ở cột effective_on"),
        ("unit_acts.csv", "1/NQ,2025-06-01,2025-07-01,t,ba", "“ba” không phải số đơn vị"),
        ("unit_acts.csv", "1/NQ,2025-06-01,2025-07-01,t,-3", "“-3” không phải số đơn vị"),
        ("portal_codes.csv", "H51,94,,9999-12-31,công khai", "“9999-12-31” không phải ngày có thật"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, name: str, row: str, words: str) -> None:
    for file, head in _HEADS.items():
        (tmp_path / file).write_text(f"{head}\n{row}\n" if file == name else f"{head}\n", encoding="utf-8")
    with pytest.raises(WrongUse, match=f"{name} dòng 2: .*{words}"):
        check(tmp_path)


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

"""Figures of a release under the units of today: sums of whole units, what is forbidden named, nothing lost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.units import registered
from publication.content.units_as_is import changed_units, part_as_is, passport_as_is, unit_today

REGISTER = registered()
THEN = dt.date(2023, 3, 14)
#: Communes of the sample's district; one that was split; the district; one nobody knows.
AN_THANH, CU_LAO_DUNG = ("31615", "31618", "31621", "31624"), ("31627", "31630", "31633", "31636")
SPLIT = next(
    unit.code
    for unit in REGISTER.units
    if unit.level == "commune" and unit.valid_on(THEN) and REGISTER.under_units_of(unit.code, THEN).now is None
)
CODES = (*AN_THANH, *CU_LAO_DUNG, SPLIT, "945", "99999")


@given(st.lists(st.tuples(st.sampled_from(CODES), st.integers(0, 500))))
def test_all_amounts_are_told_once(rows: list[tuple[str, int]]) -> None:
    amounts = [(code, Decimal(amount)) for code, amount in rows]
    groups = part_as_is(REGISTER, THEN, amounts)
    assert sum(Decimal(group["amount"]) for group in groups) == sum(amount for _, amount in amounts)
    for group in groups:
        assert Decimal(group["amount"]) == sum(Decimal(unit["amount"]) for unit in group["from"])
        assert (group["unit_code_as_is"] is None) == bool(group["forbidden_by_vi"])
    told = [unit["unit_code"] for group in groups for unit in group["from"]]
    assert sorted(told) == sorted({code for code, _ in amounts})


def test_whole_units_add_up_and_a_split_one_stands_alone() -> None:
    groups = part_as_is(REGISTER, THEN, [(code, Decimal(n)) for n, code in enumerate(CODES, 1)])
    found: dict[str | None, list[str]] = {}
    for group in groups:
        found.setdefault(group["unit_code_as_is"], []).append(group["amount"])
    assert found["31615"] == ["10"]
    assert found["31633"] == ["26"]
    assert found[None] == ["10", "9", "11"] or sorted(found[None]) == ["10", "11", "9"]
    words = {unit["unit_code"]: group["forbidden_by_vi"] for group in groups for unit in group["from"]}
    assert "bị chia cho" in words[SPLIT]
    assert "Xã An Thạnh (31615), Xã Cù Lao Dung (31633)" in words["945"]
    assert "danh mục đơn vị hành chính không có" in words["99999"]


def test_only_units_that_changed_are_told_of() -> None:
    changed = changed_units(REGISTER, ["945", *AN_THANH, "99999"], THEN)
    assert [unit.code for unit in changed] == ["945", *AN_THANH]
    assert changed[1].now_vi == "Xã An Thạnh (31615)"
    assert changed[1].note_vi == "cộng cùng Xã An Thạnh 1, Xã An Thạnh Tây, Xã An Thạnh Đông"
    assert changed_units(REGISTER, ["31615", "31633"], dt.date(2025, 9, 14)) == []
    today = unit_today(REGISTER, "31615", dt.date(2025, 9, 14))
    assert today is not None
    assert (today.code_as_is, today.note_vi) == ("31615", "")


def test_a_passport_under_the_units_of_today() -> None:
    files = [{"unit_code": code} for code in ("31615", "31618", "945")]
    entries: list[dict[str, Any]] = [
        {"file": 0, "amount": "4"}, {"file": 1, "amount": "6"}, {"file": 0, "amount": "1"}, {"file": 2, "amount": "9"},
        {"file": None, "amount": "3"},
    ]  # fmt: skip
    passport = {"parts": [{"role": "value", "label_vi": "Hồ sơ", "files": entries}]}
    found = passport_as_is(REGISTER, "945", THEN, passport, files)
    assert (found["as_of"], found["unit_code_as_is"], found["name_as_is_vi"]) == ("2025-07-01", None, None)
    assert found["note_vi"].startswith("không chuyển được: Huyện Cù Lao Dung kết thúc hoạt động")
    (part,) = found["parts"]
    assert [(group["unit_code_as_is"], group["amount"]) for group in part["units"]] == [("31615", "11"), (None, "9")]
    assert part["unnamed"] == "3"

"""Codes of portals: one spelling, one unit on a day, and faults that are found when the table is entered."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.portals import PortalCode, PortalCodes, agency_code
from common.units import UnitRegister
from sample.communes import COMMUNES
from sample.districts import DISTRICTS

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
REGISTER, REAL = UnitRegister.load(SEEDS), PortalCodes.load(SEEDS)
EVE, REFORM = dt.date(2025, 6, 30), dt.date(2025, 7, 1)


def entry(code: str, unit: str, first: dt.date | None = None, last: dt.date | None = EVE) -> PortalCode:
    return PortalCode(code, unit, first, last, "công khai")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("000.00.32.H51", "H51.32"), ("000.23.32.H51", "H51.32.23"), ("007.23.32.H51", "H51.32.23.7"),
        ("H51", "H51"), ("H51.32", "H51.32"), ("H51.032", "H51.32"), ("H13.331", "H13.331"), ("h13.331", "H13.331"),
        ("G15.331.0", "G15.331"), ("H51.32.", None), ("51.32", None), ("Huyện Cù Lao Dung", None), ("", None),
        ("H51.32-230103-0001", None), ("H5.1", None), ("H51.1234", None),
    ],
)  # fmt: skip
def test_a_code_has_one_spelling(text: str, code: str | None) -> None:
    assert agency_code(text) == code


@given(st.tuples(*[st.integers(0, 99)] * 2, st.integers(0, 999)))
def test_a_code_from_below_and_from_above_is_one(numbers: tuple[int, int, int]) -> None:
    second, third, fourth = numbers
    below, above = f"{fourth:03}.{third:02}.{second:02}.H51", f"H51.{second}.{third}.{fourth}"
    assert agency_code(below) == agency_code(above)


@pytest.mark.parametrize(
    ("code", "day", "unit"),
    [
        ("H51.32", EVE, "945"), ("H51.32", REFORM, None), ("H51.32.21", EVE, "31615"), ("H51.32.21.4", EVE, "31615"),
        ("H51.32.99", EVE, "945"), ("H51.77", EVE, "94"), ("H13.331", REFORM, "31615"), ("H13.331", EVE, None),
        ("H13.9", REFORM, "92"), ("G15.332", REFORM, "31633"), ("G15", REFORM, None), ("", EVE, None),
    ],
)  # fmt: skip
def test_a_code_means_the_unit_of_its_day_or_the_nearest_above(code: str, day: dt.date, unit: str | None) -> None:
    assert REAL.unit_code(code, day) == unit


def test_the_projects_table_agrees_with_the_register() -> None:
    assert REAL.check(REGISTER) == []
    invented = [code for code in REAL.codes if "dữ liệu mẫu" in code.basis_vi]
    assert 0 < len(invented) < len(REAL.codes), "what is invented says so, and not all is"


def test_the_sample_writes_the_codes_of_the_table() -> None:
    for district in DISTRICTS.values():
        assert REAL.unit_code(f"H51.{district.case_code}", EVE) == district.code
        for number, commune in enumerate(district.communes, 21):
            assert REAL.unit_code(f"H51.{district.case_code}.{number}", EVE) == commune.code
    for commune in COMMUNES.values():
        assert {REAL.unit_code(f"{system}.{commune.agency}", REFORM) for system in ("H13", "G15")} == {commune.code}


#: Each a fault of its own kind, with words of the sentence that must name it.
FAULTS: dict[str, tuple[tuple[PortalCode, ...], str]] = {
    "two units on one day": (
        (entry("H51.32", "945"), entry("H51.32", "942", dt.date(2025, 1, 1))), "cùng ngày còn là mã của 942",
    ),
    "twice the same": ((entry("H51.32", "945"), entry("H51.32", "945")), "cùng ngày còn là mã của 945"),
    "a unit nobody knows": ((entry("H51.32", "999"),), "không có đơn vị nào mang mã 999"),
    "a unit that has ended": ((entry("H51.32", "945", None, None),), "chỉ còn đến hết 30/06/2025"),
    "two units of one code": ((entry("H51.32.27", "31633", None, None),), "một dòng cho đơn vị sau từ 01/07/2025"),
    "a unit that was not there yet": ((entry("H13.331", "00091", dt.date(1900, 1, 1), None),), "00091"),
    "before it began": ((entry("H51.32", "945", EVE, EVE - dt.timedelta(1)),), "kết thúc trước ngày bắt đầu"),
    "another spelling": ((entry("000.00.32.H51", "945"),), "bỏ số 0 đứng trước: H51.32"),
    "no code at all": ((entry("Cù Lao Dung", "945"),), "không phải mã cơ quan"),
    "known from nowhere": ((replace(entry("H51.32", "945"), basis_vi=" "),), "thiếu căn cứ"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_named(fault: str) -> None:
    codes, words = FAULTS[fault]
    found = [str(one) for one in PortalCodes(codes).check(REGISTER)]
    assert any(words in one for one in found), found


def test_a_code_given_anew_the_day_after_is_no_fault() -> None:
    codes = PortalCodes((entry("H51.32.27", "31633"), entry("H51.32.27", "31633", REFORM, None)))
    assert codes.check(REGISTER) == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("agency_code,unit_code,valid_from,valid_to,basis_vi\nH51,94,x,,a\n", ValueError),
        ("agency_code,unit_code,valid_from,valid_to,basis_vi\nH51,94\n", ValueError),
        ("agency_code,unit_code\nH51,94\n", KeyError),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path, text: str, error: type[Exception]) -> None:
    (tmp_path / "portal_codes.csv").write_text(text, encoding="utf-8")
    with pytest.raises(error):
        PortalCodes.load(tmp_path)

"""What is printed is read back, in any spelling that means the same; whatever else is written is rejected, not guessed.

Belongs here: flags, labels, months, codes, texts and units. Does not belong here: numbers and dates
(``test_values``).
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.periods import find_period
from ingestion.base.contracts import load_contracts
from ingestion.base.reference import AdminUnit, ReferenceData
from ingestion.rows import values as v
from ingestion.rows.resolve import UnitEntry, UnitRegistry, admin_spellings
from ingestion.text.vietnamese import bare, clean, fold

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
PERIOD = find_period("2023-Q1")
LABELS = [
    (contract.source, column.name, value, label)
    for contract in load_contracts().values()
    for column in contract.columns
    for value, labels in column.labels.items()
    for label in labels
]
CASES = (str, str.upper, str.lower, str.title)
FORMS = ("NFC", "NFD")
BLANKS = ("", " ", "\u00a0", "\u200b", "\ufeff")
ANY_TEXT = st.text(max_size=20) | st.text("xXcóCó khôngKHÔNG01đĐ✓-", max_size=6)


@st.composite
def spelt(draw: st.DrawFn, text: str) -> str:
    """The text as somebody else writes it: case, Unicode form, stray blanks."""
    cased = draw(st.sampled_from(CASES))(text)
    blank = draw(st.sampled_from(BLANKS))
    return blank + unicodedata.normalize(draw(st.sampled_from(FORMS)), cased).replace(" ", " " + blank) + blank


# ------------------------------------------------------------------------------------------------- flags and labels


@given(st.data(), st.sampled_from(["x", "Có", "1", "đ", "TRUE", "Đúng"]))
def test_yes_is_read_in_any_spelling(data: st.DataObject, word: str) -> None:
    assert v.parse_flag(data.draw(spelt(word))).value is True


@given(st.data(), st.sampled_from(["Không", "0", "FALSE", "Sai"]))
def test_no_is_read_in_any_spelling(data: st.DataObject, word: str) -> None:
    assert v.parse_flag(data.draw(spelt(word))).value is False


@given(ANY_TEXT)
def test_any_other_text_is_neither(text: str) -> None:
    reading = v.parse_flag(text)
    words = {True: v._YES, False: v._NO}
    if reading.value is not None:
        assert (
            fold(text) in {fold(word) for word in words[reading.value]}
            or clean(text).casefold() in words[reading.value]
        )
        assert reading.rejection is None
    else:
        assert reading.rejection is not None or not clean(text) or v.is_null_text(clean(text))


@given(st.data(), st.sampled_from(LABELS))
def test_every_label_of_every_contract_means_its_value_in_any_spelling(
    data: st.DataObject, label: tuple[str, str, str, str]
) -> None:
    source, name, value, text = label
    parse = v.enum_parser(load_contracts()[source].column(name))
    assert parse(data.draw(spelt(text))).value == value


@given(
    st.sampled_from(sorted({(source, name) for source, name, _, _ in LABELS})),
    ANY_TEXT | st.sampled_from(["-", "NULL"]),
)
def test_no_other_text_is_taken_for_a_label(column: tuple[str, str], text: str) -> None:
    source, name = column
    found = load_contracts()[source].column(name)
    reading = v.enum_parser(found)(text)
    if reading.value is not None and clean(text) and not v.is_null_text(clean(text)):
        assert bare(text) in {bare(label) for label in found.labels[reading.value]}


# ------------------------------------------------------------------------------------------------ months and codes


@given(st.integers(1, 12), st.integers(1900, 2100), st.data())
def test_a_month_is_read_back_from_every_form_it_is_printed_in(month: int, year: int, data: st.DataObject) -> None:
    plain = (f"{month:02}/{year}", f"{month}/{year}", f"{year}-{month:02}")
    for form in (*plain, f"tháng {month} năm {year}", f"T{month}/{year}"):
        assert v.month_parser(PERIOD)(data.draw(spelt(form))).value == dt.date(year, month, 1), form


@given(st.integers(0, 99))
def test_a_month_alone_is_that_of_the_window_or_rejected(number: int) -> None:
    reading = v.month_parser(PERIOD)(f"Tháng {number}")
    expected = {12: dt.date(2022, 12, 1), 1: dt.date(2023, 1, 1), 2: dt.date(2023, 2, 1), 3: dt.date(2023, 3, 1)}
    assert reading.value == expected.get(number)
    assert (reading.rejection is None) == (number in expected)


PROCEDURES = st.from_regex(r"[0-9]\.[0-9]{6}", fullmatch=True).filter(str.isascii)


@given(st.sets(PROCEDURES, min_size=1, max_size=30), st.sampled_from(["", ".H51", ".000.00.00.H51"]), st.data())
def test_a_procedure_code_is_read_back_and_what_a_spreadsheet_makes_of_it_is_never_another(
    codes: set[str], rest: str, data: st.DataObject
) -> None:
    code = data.draw(st.sampled_from(sorted(codes)))
    parse = v.procedure_code_parser(frozenset(codes))
    assert parse(data.draw(spelt(code + rest))).value == code
    rounded = Decimal(code).quantize(Decimal("0.00001"), ROUND_HALF_UP)
    for shown in (float(code), code.replace(".", ","), str(rounded), str(rounded).replace(".", ",")):
        assert parse(shown).value in (code, None), shown


@given(st.text("0123456789.HGhg-–— \u00a0абAB", max_size=30))
def test_what_is_taken_for_a_case_code_has_the_form_of_one(text: str) -> None:
    code = v.parse_case_code(text).value
    assert code is None or v.CASE_CODE.fullmatch(code) or v.LEGACY_CASE_CODE.fullmatch(code)
    assert code is None or [c for c in code if c.isdigit()] == [c for c in text if c.isdigit()]


@given(st.text("0123456789", min_size=1, max_size=30), st.data())
def test_no_digit_of_a_code_is_lost(code: str, data: st.DataObject) -> None:
    assert v.parse_code(data.draw(spelt(code))).value == code


# ------------------------------------------------------------------------------------------------ texts and figures


@given(st.text(max_size=40))
def test_a_text_that_was_read_is_read_as_itself(text: str) -> None:
    once = v.parse_text(text).value
    if once is not None:
        assert v.parse_text(once).value == once == clean(once)


@given(st.decimals(Decimal("-999999999.9999"), Decimal("999999999.9999"), places=4))
def test_a_declared_figure_is_kept_as_number_and_as_text(number: Decimal) -> None:
    printed = f"{number:f}".replace(".", ",")
    reading = v.parse_number_or_text(printed)
    if reading.rejection is None:
        assert reading.value == (number, printed)
    else:
        assert reading.rejection.code == "ambiguous_number"


@given(ANY_TEXT)
def test_a_declared_text_is_kept_whole(text: str) -> None:
    reading = v.parse_number_or_text(text)
    if reading.value is not None:
        number, kept = reading.value
        assert kept == v.parse_text(text).value
        assert number is None or any(c.isdigit() for c in text)


@given(ANY_TEXT)
def test_presence_is_an_address_or_said_in_words_and_nothing_else(text: str) -> None:
    reading, flag = v.parse_presence(text), v.parse_flag(text)
    if flag.rejection is None:
        assert reading == flag
    elif reading.rejection is None:
        assert reading.value is ("@" in v.parse_text(text).value)


# ------------------------------------------------------------------------------------------------------------ units

REFERENCE = ReferenceData.load(SEEDS)
DISTRICT = next(u for u in REFERENCE.admin_units if u.code == "945" and u.valid_on(PERIOD.closes_on))
COMMUNES = REFERENCE.parts_of("945", PERIOD.closes_on)
OFFICES = [UnitEntry("945-PB01", "Phòng Nội vụ", ("PNV", "Nội vụ")), UnitEntry("945-PB05", "Phòng Tư pháp", ())]
UNITS = UnitRegistry(DISTRICT, COMMUNES, OFFICES)
SPELLINGS = sorted((unit.code, text) for unit in [DISTRICT, *COMMUNES] for text in admin_spellings(unit))


@given(st.data(), st.sampled_from(SPELLINGS), st.sampled_from(["", "UBND ", "Ủy ban nhân dân ", "Bộ phận Một cửa "]))
def test_a_unit_in_any_spelling_is_that_unit_or_rejected(
    data: st.DataObject, spelling: tuple[str, str], office: str
) -> None:
    code, text = spelling
    full = next(u for u in [DISTRICT, *COMMUNES] if u.code == code).name
    assert UNITS.parse(data.draw(spelt(office + text))).value in (code, None)
    assert UNITS.parse(data.draw(spelt(office + full))).value == code


@given(ANY_TEXT | st.text("AnThạnh 123ĐôngTâyNamxãXÃ.", max_size=14))
def test_no_other_text_is_taken_for_a_unit(text: str) -> None:
    code = UNITS.parse(text).value
    if code is not None:
        names = dict(UNITS.entries)
        known = {bare(t) for c, t in SPELLINGS if c == code} | {bare(names[code])}
        known |= {bare(other) for office in OFFICES if office.code == code for other in office.other_names}
        known |= {f"{name} {bare(names['945'])}" for name in known} | {bare("huyện"), bare(code)}
        assert bare(text).removeprefix("ubnd ").removeprefix("uy ban nhan dan ") in known


@pytest.mark.parametrize(
    ("name", "codes"), [("Xã Cũ", ("1", None)), ("Xã Mới", (None, "2")), ("Xã Giữ tên", ("3", "3"))]
)
def test_a_name_means_the_unit_that_bears_it_on_the_day(name: str, codes: tuple[str | None, str | None]) -> None:
    change = dt.date(2023, 1, 1)
    before, after = change - dt.timedelta(days=1), change
    units = [
        AdminUnit("1", "commune", "xã", "Xã Cũ", "945", dt.date(2000, 1, 1), before),
        AdminUnit("2", "commune", "xã", "Xã Mới", "945", change, None),
        AdminUnit("3", "commune", "xã", "Xã Giữ tên", "945", dt.date(2000, 1, 1), None),
    ]
    for day, code in zip((before, after), codes, strict=True):
        communes = ReferenceData((*units,), {}).parts_of("945", day)
        assert UnitRegistry(DISTRICT, communes).parse(name).value == code

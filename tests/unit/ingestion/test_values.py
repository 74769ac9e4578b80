"""Cells: what is printed is read back as itself, and what has two readings is never read silently."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.periods import find_period
from ingestion.base.contracts import load_contracts
from ingestion.base.readings import Cell
from ingestion.rows import values as v

PERIOD = find_period("2023-Q1")
DATES = st.dates(dt.date(1900, 3, 1), dt.date(2099, 12, 31))
CATALOGUE = frozenset({"1.004946", "1.001193", "2.000815", "1.009990", "1.009991"})


def grouped(number: int) -> str:
    return f"{number:,}".replace(",", ".")


@given(st.integers(-(10**9) + 1, 10**9 - 1))
def test_whole_numbers_printed_the_vietnamese_way_are_read_back(number: int) -> None:
    assert v.parse_integer(grouped(number)).value == number
    assert v.parse_integer(str(number)).value == number
    assert v.parse_integer(number).value == number
    assert v.parse_decimal(grouped(number)).value == number


@given(st.decimals(Decimal("-999999999.9999"), Decimal("999999999.9999"), places=4))
def test_decimals_printed_the_vietnamese_way_are_read_back(number: Decimal) -> None:
    whole, fraction = f"{abs(number):.4f}".split(".")
    sign = "-" if number < 0 else ""
    assert v.parse_decimal(f"{sign}{grouped(int(whole))},{fraction}").value == number


@given(st.integers(1, 999), st.integers(0, 999))
def test_a_comma_before_three_digits_in_a_whole_number_shows_both_readings(whole: int, rest: int) -> None:
    text = f"{whole},{rest:03}"
    for parse in (v.parse_integer, v.parse_number_or_text):
        reading = parse(text)
        assert reading.value is None
        assert reading.rejection is not None
        assert reading.rejection.code == "ambiguous_number"
        assert text.replace(",", ".") in reading.rejection.reason_vi


@given(st.text(alphabet="0123456789.,- %", max_size=12))
def test_no_text_is_read_as_two_different_numbers(text: str) -> None:
    as_integer, as_decimal = v.parse_integer(text), v.parse_decimal(text)
    if as_integer.value is not None:
        assert as_decimal.value == as_integer.value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1.145", 1145),
        ("268763", 268763),
        ("1 145", 1145),
        ("6.530", 6530),
        (1145.0, 1145),
        ("0", 0),
        ("", None),
        (None, None),
    ],
)
def test_whole_numbers(cell: Cell, value: int | None) -> None:
    reading = v.parse_integer(cell)
    assert (reading.value, reading.rejection) == (value, None)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (1.145, "ambiguous_number"),
        ("47,37", "not_whole"),
        ("một", "not_a_number"),
        (True, "not_a_number"),
        ("0.145", "ambiguous_number"),
        ("1.14", "not_whole"),
        ("1,234,567", "not_a_number"),
        (dt.datetime(2023, 1, 1), "not_a_number"),
    ],
)
def test_cells_that_are_no_whole_number(cell: Cell, code: str) -> None:
    reading = v.parse_integer(cell)
    assert reading.value is None
    assert reading.rejection is not None
    assert reading.rejection.code == code


def test_text_and_number_cells_of_the_same_look_are_told_apart() -> None:
    assert v.parse_decimal("1.145").value == Decimal(1145)
    assert v.parse_decimal(1.145).value == Decimal("1.1450")
    assert v.parse_number_or_text("1.145").value == (Decimal(1145), "1.145")
    assert v.parse_number_or_text(47.37).value == (Decimal("47.3700"), "47,37")
    assert v.parse_number_or_text("10,18 ngàn").value == (None, "10,18 ngàn")


def test_a_number_the_lake_cannot_hold_is_rejected() -> None:
    assert v.parse_decimal("1,23456").rejection is not None
    assert v.parse_decimal("100000000000000").rejection is not None
    assert v.parse_integer(10**15).rejection is not None


@given(DATES)
def test_a_day_is_read_back_from_every_form_it_is_printed_in(day: dt.date) -> None:
    serial = (day - dt.date(1899, 12, 30)).days
    forms: list[Cell] = [
        f"{day:%d/%m/%Y}",
        f"{day.day}/{day.month}/{day.year}",
        f"{day:%d-%m-%Y}",
        f"{day.day}.{day.month}.{day.year}",
        day.isoformat(),
        f"{day:%Y%m%d}",
        int(f"{day:%Y%m%d}"),
        serial,
        float(serial),
        day,
        dt.datetime(day.year, day.month, day.day),
        f"ngày {day.day} tháng {day.month} năm {day.year}",
    ]
    assert {v.parse_date(form).value for form in forms} == {day}


@given(st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(2099, 12, 31)))
def test_a_moment_is_read_back_from_every_form_it_is_printed_in(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=0)
    forms = [
        f"{moment:%d/%m/%Y %H:%M:%S}",
        f"{moment:%H:%M:%S %d/%m/%Y}",
        moment.isoformat(),
        moment.isoformat(" "),
        f"{moment:%Y%m%d%H%M%S}",
        f"{moment.hour} giờ {moment.minute} phút {moment.second} giây, ngày {moment:%d/%m/%Y}",
    ]
    assert {v.parse_datetime(form).value for form in forms} == {moment}
    minute = moment.replace(second=0)
    forms = [f"{minute:%d/%m/%Y %H:%M}", f"{minute:%H} giờ {minute:%M} phút, ngày {minute:%d/%m/%Y}"]
    assert {v.parse_datetime(form).value for form in forms} == {minute}


@given(st.integers(13, 31), st.integers(1, 12))
def test_month_first_is_never_read(day: int, month: int) -> None:
    assert v.parse_date(f"{month:02}/{day:02}/2023").value is None


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("31/02/2023", "impossible_date"),
        ("29/02/2023", "impossible_date"),
        ("15/03/23", "short_year"),
        ("2023", "not_a_date"),
        ("15/03/0023", "impossible_date"),
        (60, "not_a_date"),
        (-5, "not_a_date"),
        (True, "not_a_date"),
        ("44970", "not_a_date"),
        ("01/01/2023 25:00", "impossible_date"),
        (dt.time(8), "not_a_date"),
        ("2023-01-01T08:00:00+7", "not_a_date"),
        ("10/01/2023 14:30 SA", "impossible_date"),
        ("10/01/2023 0:30 CH", "impossible_date"),
        ("#N/A", "error_cell"),
    ],
)
def test_cells_that_are_no_date(cell: Cell, code: str) -> None:
    reading = v.parse_datetime(cell)
    assert reading.value is None
    assert reading.rejection is not None
    assert reading.rejection.code == code


def test_a_date_after_closing_is_rejected_with_both_dates() -> None:
    parse = v.not_after(PERIOD.closes_on, v.parse_datetime)
    assert parse("14/03/2023 23:59").value == dt.datetime(2023, 3, 14, 23, 59)
    rejection = parse("15/03/2023").rejection
    assert rejection is not None
    assert "15/03/2023" in rejection.reason_vi
    assert "14/03/2023" in rejection.reason_vi


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("01/2023", (2023, 1)),
        ("Tháng 1/2023", (2023, 1)),
        ("tháng 01 năm 2023", (2023, 1)),
        ("2023-01", (2023, 1)),
        ("12", (2022, 12)),
        (2, (2023, 2)),
        ("Tháng 12", (2022, 12)),
        (dt.datetime(2023, 1, 1), (2023, 1)),
        ("2023-01-01", (2023, 1)),
    ],
)
def test_months(cell: Cell, value: tuple[int, int]) -> None:
    assert v.month_parser(PERIOD)(cell).value == dt.date(*value, 1)


@pytest.mark.parametrize("cell", ["13/2023", "7", "Quý I", dt.datetime(2023, 1, 15), "0/2023"])
def test_cells_that_are_no_month_of_the_window(cell: Cell) -> None:
    assert v.month_parser(PERIOD)(cell).rejection is not None


@given(st.integers(1, 4), st.integers(2000, 2099))
def test_quarters(number: int, year: int) -> None:
    roman = ["I", "II", "III", "IV"][number - 1]
    forms = [
        f"Quý {roman}/{year}",
        f"quý {number} năm {year}",
        f"Q{number}/{year}",
        f"{year}-Q{number}",
        f"{roman}/{year}",
    ]
    assert {v.parse_quarter(form).value for form in forms} == {f"{year}-Q{number}"}


@pytest.mark.parametrize("cell", ["x", "X", "Có", "có", "CO", "1", 1, 1.0, "TRUE", True, "đ", "Đúng", "✓"])
def test_yes(cell: Cell) -> None:
    assert v.parse_flag(cell).value is True


@pytest.mark.parametrize("cell", ["Không", "khong", "0", 0, "FALSE", False, "Sai"])
def test_no(cell: Cell) -> None:
    assert v.parse_flag(cell).value is False


PARTED = ["5\n120", "12\r\n345", "1\u2028145", "5\t120", "5  120", "12 345\n678", "5\x0b120"]


@pytest.mark.parametrize("cell", PARTED)
@pytest.mark.parametrize("parse", [v.parse_integer, v.parse_decimal, v.parse_number_or_text])
def test_digits_that_a_line_or_a_gap_parts_are_no_number(parse: v.Parser, cell: str) -> None:
    rejection = parse(cell).rejection
    assert rejection is not None
    assert rejection.code == "two_numbers"


@pytest.mark.parametrize(
    "cell", ["1 145", "1\u00a0145", "1\u202f145", "1\u2009145", " 1145\n", "\n1.145 ", "1\u200b145"]
)
def test_a_number_with_its_thousands_apart_is_one(cell: str) -> None:
    assert v.parse_integer(cell).value == 1145


ABSENT = [
    "Không",
    "0",
    0,
    False,
    "FALSE",
    "K",
    "Chưa",
    "Chưa có",
    "chưa được cấp",
    "Không có thư công vụ",
    "KHÔNG SỬ DỤNG",
]


@pytest.mark.parametrize("cell", ABSENT)
def test_presence_that_is_denied(cell: Cell) -> None:
    assert v.parse_presence(cell).value is False


@pytest.mark.parametrize(
    "cell", ["x", "Có", 1, True, "Đã cấp", "đã có", "a.b@soctrang.gov.vn", "Không nhớ; lan@soctrang.gov.vn"]
)
def test_presence_that_is_said_or_shown(cell: Cell) -> None:
    assert v.parse_presence(cell).value is True


@pytest.mark.parametrize("cell", [None, "", " ", "-", "N/A"])
def test_presence_that_is_not_said(cell: Cell) -> None:
    assert v.parse_presence(cell) == v.BLANK


@pytest.mark.parametrize(
    "cell",
    [
        "Phòng Nội vụ",
        "không rõ",
        "chưa xác định",
        "?",
        2,
        "soctrang.gov.vn",
        "Đang cấp",
        "đã thu hồi",
        "đã cấp, không dùng",
    ],
)
def test_what_is_neither_an_address_nor_a_word_for_it_is_no_presence(cell: Cell) -> None:
    assert v.parse_presence(cell).rejection is not None


@pytest.mark.parametrize("cell", ["2", 2, "?", "có thể"])
def test_neither_yes_nor_no(cell: Cell) -> None:
    assert v.parse_flag(cell).rejection is not None
    assert v.parse_flag(cell).value is None


def test_labels_are_matched_by_meaning_and_unknown_ones_rejected_with_the_list() -> None:
    status = v.enum_parser(load_contracts()["one_stop_cases"].column("status"))
    assert {status(c).value for c in ["Đã trả kết quả", "DA TRA KET QUA", "10", 10, 10.0]} == {"returned"}
    rejection = status("Đang bay").rejection
    assert rejection is not None
    assert "Đang bay" in rejection.reason_vi
    assert "Đã trả kết quả" in rejection.advice_vi


def test_a_blank_label_takes_the_default_only_where_there_is_one() -> None:
    contracts = load_contracts()
    assert v.enum_parser(contracts["e_document_counts"].column("topic"))("").value == "all"
    assert v.enum_parser(contracts["one_stop_cases"].column("status"))(None).value is None


CASE_CODES = st.from_regex(v.CASE_CODE, fullmatch=True)


@given(
    st.from_regex(r"[A-Z0-9Đ]{1,4}(-[A-Z0-9]{1,4}){0,3}", fullmatch=True).filter(lambda code: v.parse_text(code).value),
    st.sampled_from(["-", "–", " - ", "\u00a0-", "—", "−", " –  "]),
)
def test_one_code_has_one_spelling_whatever_its_dashes(code: str, dash: str) -> None:
    assert v.parse_code(f" {code.replace('-', dash)}").value == v.parse_code(code).value == code
    if code[-1].isdigit():
        assert v.parse_code(f"{code}.0").value == code


@given(CASE_CODES, st.sampled_from(["-", "–", " - ", "\u00a0-", "—", "−"]))
def test_case_codes_are_mended_only_in_dashes_and_blanks(code: str, dash: str) -> None:
    assert v.parse_case_code(code.replace("-", dash) + "\u00a0").value == code
    assert v.parse_case_code(code.replace("H", "\u041d").lower()).value == code


@pytest.mark.parametrize(
    "cell", ["000.00.04.H51-230316", "0.00.04.H51-230316-0012", 352112000539, 3.5e13, "00.4.X51-230316-0012", "12345"]
)
def test_a_case_code_that_lost_digits_is_rejected(cell: Cell) -> None:
    assert v.parse_case_code(cell).value is None
    assert v.parse_case_code(cell).rejection is not None


def test_procedure_codes_keep_their_first_two_groups() -> None:
    parse = v.procedure_code_parser(CATALOGUE)
    assert {parse(c).value for c in ["1.004946", "1.004946.000.00.00.H51", " 1.004946.H51 ", 1.004946]} == {"1.004946"}


def test_a_code_that_a_spreadsheet_made_a_number_is_repaired_only_where_one_code_can_be_meant() -> None:
    parse = v.procedure_code_parser(CATALOGUE)
    repaired = parse("1,004946")
    assert repaired.value == "1.004946"
    assert repaired.finding is not None
    assert repaired.finding.code == "procedure_code_repaired"
    assert parse(1.00495).value == "1.004946"
    assert parse(1.00999).rejection is not None, "both 1.009990 and 1.009991 print as 1.00999"
    assert v.procedure_code_parser(None)(1.00495).rejection is not None, (
        "the catalogue itself has nothing to be repaired from"
    )


def test_an_unknown_procedure_code_is_accepted_with_a_finding() -> None:
    reading = v.procedure_code_parser(CATALOGUE)("9.999999")
    assert reading.value == "9.999999"
    assert reading.finding is not None
    assert reading.finding.code == "procedure_not_in_catalogue"


@pytest.mark.parametrize(
    ("cell", "value"), [("007", "007"), (7, "7"), (7.0, "7"), ("01.003", "01.003"), (" A 1 ", "A 1")]
)
def test_codes_stay_text(cell: Cell, value: str) -> None:
    assert v.parse_code(cell).value == value


@pytest.mark.parametrize("cell", [1.003, 1234567890123456789, 1e16, True, dt.datetime(2023, 1, 2)])
def test_a_code_that_may_have_lost_digits_is_rejected(cell: Cell) -> None:
    assert v.parse_code(cell).rejection is not None


@given(st.binary(min_size=16), st.text(min_size=1), st.text(min_size=1))
def test_person_keys_depend_on_the_secret_and_on_every_part(secret: bytes, one: str, other: str) -> None:
    key = v.person_key(secret, "name", one)
    assert key == v.person_key(secret, "name", one)
    assert len(key) == 64
    assert key != v.person_key(secret + b"x", "name", one)
    assert v.person_key(secret, one, other) != v.person_key(secret, one + other, "")


def test_broken_text_is_rejected_in_every_text_column() -> None:
    for parse in (v.parse_text, v.parse_code, v.parse_case_code, v.parse_flag, v.parse_quarter):
        reading = parse("Ph\ufffdng")
        assert reading.rejection is not None
        assert reading.rejection.code == "broken_text"

"""Parsers of single cells: text, numbers, dates, codes, flags, labels.

Belongs here: what one cell of a contract's type may look like, in Vietnamese practice, and what it then means.
Does not belong here: names of units and procedures (``resolve``), rules over a whole row (``rules``).

Every parser takes a native cell and returns a :class:`Reading`: the value, None for a blank cell, or a rejection with a
reason. Where two readings are possible the cell is rejected and both are shown; nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from common.periods import Period
from common.quarters import quarter_key, spelled_key
from ingestion.base.cell_fault import ERROR_TEXT, CellFault, broken_text, error_remark
from ingestion.base.contracts import Column
from ingestion.base.readings import BLANK, Cell, MixedText, Reading, Remark, ShownNumber, rejected
from ingestion.text.numbers import factor_in
from ingestion.text.vietnamese import LabelIndex, bare, clean, fold, repair

Parser = Callable[[Cell], Reading]

SCALE = Decimal("0.0001")
# No figure of a district comes near a billion; sums of a million rows of them still fit the marts' decimal(18,4).
MAX_DECIMAL = Decimal(10) ** 9
MAX_EXACT_NUMBER = 10**15
EARLIEST_YEAR, LATEST_YEAR = 1900, 2100

_THOUSANDS = re.compile(r"[+-]?\d{1,3}([. ])\d{3}(?:\1\d{3})*(?:,\d+)?")
_PLAIN = re.compile(r"[+-]?\d+(?:,\d+)?")
_DOT_DECIMAL = re.compile(r"[+-]?\d+\.(?:\d{1,2}|\d{4,})")
_COMMA_THREE = re.compile(r"[+-]?\d{1,3},\d{3}")

_YES = frozenset({"x", "v", "có", "co", "1", "true", "yes", "y", "đúng", "dung", "đ", "✓", "✔", "☑", "☒"})
_NO = frozenset({"không", "khong", "0", "false", "no", "n", "sai", "s", "k", "ko", "☐"})


# What databases and office systems write for "no value". None of these is ever a value, in a column of any type; in a
# count it is "not reported", never 0. "#N/A" is not among them: it is the error of a formula.
NULL_TEXTS = frozenset(
    {"null", "(null)", "<null>", "[null]", "\\n", "nan", "nat", "none", "undefined", "n/a"}
    | {sign * count for sign in "-–—" for count in range(1, 6)}
)

NULL_CELLS = NULL_TEXTS | {text.upper() for text in NULL_TEXTS} | {text.capitalize() for text in NULL_TEXTS}


def is_null_text(text: str) -> bool:
    """Whether a clean text says that there is no value."""
    return len(text) <= _LONGEST_NULL and text.casefold() in NULL_TEXTS


_LONGEST_NULL = max(map(len, NULL_TEXTS))


def printed(cell: Cell) -> str:
    """The cell as a Vietnamese sheet prints it; used for what is shown to people and kept as text."""
    if cell is None:
        return ""
    if isinstance(cell, ShownNumber):
        return cell.shown
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < MAX_EXACT_NUMBER else repr(cell).replace(".", ",")
    if isinstance(cell, dt.datetime):
        return f"{cell:%d/%m/%Y}" if cell.time() == dt.time() else f"{cell:%d/%m/%Y %H:%M:%S}"
    if isinstance(cell, dt.date):
        return f"{cell:%d/%m/%Y}"
    return str(cell)


def _broken() -> Reading:
    return Reading(rejection=broken_text("").remark)


def parse_text(cell: Cell) -> Reading:
    """Any text; numbers and dates are taken as they are printed."""
    if not isinstance(cell, str):
        return BLANK if cell is None else Reading(printed(cell))
    if isinstance(cell, CellFault):
        return Reading(rejection=cell.remark)
    text = repair(cell)
    if text is None:
        return _broken()
    if is_null_text(text):
        return BLANK
    if text.startswith(("#", "E", "e")) and ERROR_TEXT.fullmatch(text):
        return Reading(rejection=error_remark(text))
    return Reading(text or None)


def _one_text(cell: Cell) -> Reading:
    """The text of a cell that holds one value, not one beside what is struck out, raised or hidden."""
    if isinstance(cell, MixedText):
        return rejected(
            "mixed_format",
            f"Một phần của ô bị gạch bỏ, viết nhỏ (chú thích) hoặc bị ẩn: “{clean(cell)}”",
            "Chỉ để lại trong ô giá trị đúng, xóa phần bị gạch, phần ẩn và dấu chú thích, rồi nộp lại.",
        )
    return parse_text(cell)


def parse_code(cell: Cell) -> Reading:
    """A code, kept as text; dashes of every kind, with blanks around them or not, are one, and the ``.0`` of a program
    that took codes for numbers is none. A number cell is a code only where it cannot have lost digits; where its format
    shows zeros or a prefix that the number lacks, what is shown is the code.
    """
    if isinstance(cell, bool | dt.date | dt.time | dt.timedelta):
        return rejected(
            "code_not_text",
            f"Mã không phải dạng văn bản: “{printed(cell)}”",
            "Định dạng cột mã là Văn bản (Text) rồi nhập lại mã.",
        )
    if isinstance(cell, int | float) and (abs(cell) >= MAX_EXACT_NUMBER or cell != int(cell)):
        return rejected(
            "code_as_number",
            f"Mã bị bảng tính đổi thành số: {printed(cell)}",
            "Định dạng cột mã là Văn bản (Text) rồi nhập lại mã.",
        )
    reading = _one_text(cell)
    if isinstance(reading.value, str) and not reading.value.isalnum():
        code = _DASHES.sub("-", " ".join(reading.value.split()))
        return replace(reading, value=_AS_DECIMAL.sub("", code))
    return reading


# ---------------------------------------------------------------------------------------------------------- numbers


def _not_a_number(text: str) -> Reading:
    return rejected(
        "not_a_number", f"Không đọc được số: “{text}”", "Nhập số theo cách viết Việt Nam, ví dụ 1.145 hoặc 47,37."
    )


def _two_readings(text: str, first: str, second: str) -> Reading:
    return rejected(
        "ambiguous_number",
        f"Số “{text}” có hai cách đọc: {first} hoặc {second}",
        "Nhập lại: dấu chấm ngăn hàng nghìn, dấu phẩy ngăn phần thập phân.",
    )


def _decimal_of_text(text: str) -> Reading:
    """The number a text prints, as Decimal, by Vietnamese convention."""
    digits = text.replace("−", "-")
    if _THOUSANDS.fullmatch(digits):
        if digits.lstrip("+-").startswith("0"):
            return _two_readings(text, digits.replace(".", ","), digits.replace(".", "").lstrip("+-0") or "0")
        return Reading(Decimal(digits.replace(".", "").replace(" ", "").replace(",", ".")))
    if _PLAIN.fullmatch(digits):
        return Reading(Decimal(digits.replace(",", ".")))
    if _DOT_DECIMAL.fullmatch(digits):
        return Reading(Decimal(digits))
    return _not_a_number(text)


# A line that ends, a tab or several blanks: whoever writes them between digits writes two numbers, or half of one.
_APART = re.compile(r"\d(?:\s{2,}|[^\S \xa0\u2007\u2009\u202f])\d")


def _one_number(cell: Cell, number: Reading) -> Reading:
    """The number that a text was read as, unless it was put together from two."""
    if number.value is None or not isinstance(cell, str) or not _APART.search(cell):
        return number
    parts = " | ".join(cell.split())
    return rejected(
        "two_numbers",
        f"Hai số, hoặc một số bị ngắt, trong một ô: “{parts}”",
        "Ghi một số, liền trên một dòng; số khác thì ghi vào ô của nó.",
    )


def _fitted(value: Decimal, text: str) -> Reading:
    if abs(value) >= MAX_DECIMAL:
        return rejected("number_too_large", f"Số quá lớn: {text}", "Kiểm tra lại số liệu.")
    fitted = value.quantize(SCALE)
    if fitted != value:
        return rejected(
            "too_many_decimals",
            f"Số có quá bốn chữ số thập phân: {text}",
            "Làm tròn số đến tối đa bốn chữ số thập phân.",
        )
    return Reading(fitted)


def _shown_otherwise(cell: ShownNumber) -> Reading | None:
    """The rejection of a number of which the sheet shows another one: a factor (``50 nghìn``), other digits, a sign
    that it has not, or none. What is counted (``50 văn bản``) changes nothing; a percentage may be shown as one.
    """
    number, shown = float(cell), cell.shown
    shows_minus = shown.startswith(("-", "−")) or (shown.startswith("(") and shown.endswith(")"))
    digits, stored = (re.sub(r"\D", "", text).lstrip("0") for text in (shown, printed(number)))
    if digits == stored and not factor_in(shown.removesuffix("%")) and (number == 0 or shows_minus == (number < 0)):
        return None
    return rejected(
        "shown_otherwise",
        f"Ô hiện “{shown}” vì định dạng, nhưng giá trị lưu là {printed(number)}",
        "Ghi đúng số vào ô, đổi định dạng về Chung (General) hoặc Số (Number) rồi nộp lại.",
    )


def parse_decimal(cell: Cell) -> Reading:
    """A number with up to four decimals. Number cells are numbers, unless the sheet shows another one; their binary
    tail is rounded to four decimals.
    """
    if cell is None:
        return BLANK
    if isinstance(cell, ShownNumber) and (fault := _shown_otherwise(cell)) is not None:
        return fault
    if isinstance(cell, bool | dt.date | dt.time | dt.timedelta):
        return _not_a_number(printed(cell))
    if isinstance(cell, int | float):
        value = Decimal(repr(float(cell) if isinstance(cell, float) else cell))
        if not value.is_finite() or abs(value) >= MAX_DECIMAL:
            return _not_a_number(printed(cell))
        return Reading(value.quantize(SCALE, rounding=ROUND_HALF_UP))
    reading = _one_text(cell)
    if reading.value is None:
        return reading
    text = reading.value
    number = _one_number(cell, _decimal_of_text(text.removesuffix("%").rstrip()))
    return number if number.rejection else _fitted(number.value, text)


def parse_integer(cell: Cell) -> Reading:
    """A whole number. ``1,145`` as text, or 1.145 in a number cell, has two readings and is rejected."""
    if isinstance(cell, str):
        reading = _one_text(cell)
        if reading.value is None:
            return reading
        text = reading.value
        if _COMMA_THREE.fullmatch(text):
            return _two_readings(text, text.replace(",", "."), f"{text} (số thập phân)")
        number = _one_number(cell, _decimal_of_text(text))
    else:
        text = printed(cell)
        if isinstance(cell, ShownNumber) and cell.shown.endswith("%"):
            return _not_a_number(text)
        if isinstance(cell, float) and re.fullmatch(r"-?\d{1,3}\.\d{1,3}", repr(cell)) and not cell.is_integer():
            whole, fraction = repr(cell).split(".")
            return _two_readings(text, f"{whole}.{fraction.ljust(3, '0')}", f"{text} (số thập phân)")
        number = parse_decimal(cell)
    if number.value is None:
        return number
    if number.value != number.value.to_integral_value():
        return rejected("not_whole", f"Phải là số nguyên: {text}", "Nhập số nguyên, không có phần thập phân.")
    if abs(number.value) >= MAX_DECIMAL:
        return rejected("number_too_large", f"Số quá lớn: {text}", "Kiểm tra lại số liệu.")
    return Reading(int(number.value))


def parse_number_or_text(cell: Cell) -> Reading:
    """A figure or a text. Value is the pair (Decimal or None, text as printed)."""
    reading = parse_text(cell)
    if reading.value is None:
        return reading
    text = reading.value
    if isinstance(cell, str) and _COMMA_THREE.fullmatch(text):
        return _two_readings(text, text.replace(",", "."), f"{text} (số thập phân)")
    if isinstance(cell, bool | dt.date | dt.time | dt.timedelta):
        return _not_a_number(text)
    number = parse_decimal(text if isinstance(cell, MixedText) else cell)
    if number.rejection is not None and number.rejection.code != "not_a_number":
        return number
    if number.value is not None and isinstance(cell, MixedText):
        return _one_text(cell)
    return Reading((number.value, text))


def within(column: Column, parser: Parser) -> Parser:
    """The parser with the column's minimum and maximum."""

    def parse(cell: Cell) -> Reading:
        reading = parser(cell)
        if reading.value is None:
            return reading
        if column.minimum is not None and reading.value < column.minimum:
            return rejected("below_minimum", f"Số {printed(cell)} nhỏ hơn {column.minimum}", "Kiểm tra lại số liệu.")
        if column.maximum is not None and reading.value > column.maximum:
            return rejected("above_maximum", f"Số {printed(cell)} lớn hơn {column.maximum}", "Kiểm tra lại số liệu.")
        return reading

    return parse if column.minimum is not None or column.maximum is not None else parser


# ------------------------------------------------------------------------------------------------------------ dates

# Half days as Windows prints them in Vietnamese (sáng, chiều) and English; seconds to the seventh place (datetime2).
_TIME = (
    r"(?P<H>\d{1,2})(?:[:hg](?P<M>\d{2})(?:[:m'p](?P<S>\d{2})s?(?:[.,]\d{1,9})?)?['pm]?|[hg])"
    r"(?: ?(?P<half>SA|CH|AM|PM|A\.M\.|P\.M\.))?"
)
_OFFSET = r"(?: ?(?P<offset>Z|UTC|[+-]\d{2}:?\d{2}))?"
_DMY = r"(?P<d>\d{1,2})(?P<sep>[/.-])(?P<m>\d{1,2})(?P=sep)(?P<y>\d{4})"
_YMD = r"(?P<y>\d{4})(?P<sep>[/-])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})"
_DATE_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"{_DMY}(?:,? {_TIME})?",
        rf"{_TIME},? (?:ngày )?{_DMY}",
        rf"{_YMD}(?:[T ]{_TIME}{_OFFSET})?",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2}))?",
        rf"(?P<H>\d{{1,2}}) giờ (?P<M>\d{{1,2}})(?: phút)?(?: (?P<S>\d{{1,2}}) giây)?,? ngày {_DMY}",
        r"(?:ngày )?(?P<d>\d{1,2}) tháng (?P<m>\d{1,2}) năm (?P<y>\d{4})",
        rf"ngày {_DMY}",
    )
)
_LOCAL_OFFSET = dt.timedelta(hours=7)
# What systems write for "no date": zeros, and the first or last day that their type can hold.
_ZERO_DATE = re.compile(
    r"(?:0|0{1,2}([/.-])0{1,2}\1(?:0{4}|1900)|0{4}([/-])0{1,2}\2 ?0{1,2})(?:[T ]0{1,2}:00(?::00(?:\.0+)?)?)?"
)
_NO_DATES = frozenset(
    {dt.date(1, 1, 1), dt.date(1753, 1, 1), dt.date(1899, 12, 30), dt.date(1899, 12, 31), dt.date(1900, 1, 1)}
    | {dt.date(9999, 12, 31)}
)
#: Days from the epoch of 1900, from which spreadsheets count days, to the other one.
EPOCHS_APART = 1462
_SERIAL_LIMIT = 109_574  # last serial of the year 2199; compact dates such as 20230316 are far above it
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}(?:\D.*)?")


#: A day in running text, in one group that :func:`parse_date` reads.
DAY_IN_TEXT = r"(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{1,2} tháng \d{1,2} năm \d{4})"


def _bad_date(text: str) -> Reading:
    return rejected(
        "not_a_date", f"Không đọc được ngày: “{text}”", "Nhập ngày theo dạng ngày/tháng/năm, ví dụ 15/03/2023."
    )


def _impossible_date(text: str) -> Reading:
    return rejected(
        "impossible_date", f"Ngày không có thật: “{text}”", "Kiểm tra lại ngày, tháng, năm (ngày/tháng/năm)."
    )


def _moment_of_text(text: str) -> Reading:
    for form in _DATE_FORMS:
        match = form.fullmatch(text)
        if match:
            named_groups = match.groupdict()
            part = {k: int(v) for k, v in named_groups.items() if v and k not in ("sep", "half", "offset")}
            hour = _hour(part.get("H", 0), named_groups.get("half"))
            if hour is None:
                return _impossible_date(text)
            try:
                moment = dt.datetime(part["y"], part["m"], part["d"], hour, part.get("M", 0), part.get("S", 0))
                return Reading(moment + _to_local(named_groups.get("offset")))
            except (ValueError, OverflowError):
                return _impossible_date(text)
    if _SHORT_YEAR.fullmatch(text):
        return rejected(
            "short_year", f"Năm chỉ có hai chữ số: “{text}”", "Ghi đủ bốn chữ số của năm, ví dụ 15/03/2023."
        )
    return _bad_date(text)


def _hour(hour: int, half: str | None) -> int | None:
    """The hour of the day; an hour after noon may be said to be one (“14:30 CH”). None where the two contradict."""
    if not half:
        return hour
    if half.upper() in ("SA", "AM", "A.M."):
        return hour % 12 if hour <= 12 else None
    return hour if hour > 12 else hour % 12 + 12 if hour else None


def _to_local(offset: str | None) -> dt.timedelta:
    """What makes a moment with the offset from UTC a local one (UTC+7)."""
    if not offset:
        return dt.timedelta()
    if offset.upper() in ("Z", "UTC"):
        return _LOCAL_OFFSET
    digits = offset[1:].replace(":", "")
    ahead = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return _LOCAL_OFFSET - (ahead if offset[0] == "+" else -ahead)


def _moment_of_number(number: int | float) -> Reading:
    if number == 0:
        return BLANK
    if 61 <= number < _SERIAL_LIMIT:
        seconds = round((number % 1) * 86400)
        return Reading(dt.datetime(1899, 12, 30) + dt.timedelta(days=int(number), seconds=seconds))
    text = printed(number)
    return _moment_of_text(text) if text.isdigit() and len(text) in (8, 14) else _bad_date(text)


def is_no_date(moment: dt.datetime | dt.date) -> bool:
    """Whether a day is what a system writes where there is no date. A clock time on day zero is a time, and no such
    day, except where the day is beyond all doubt (the first and the last of the calendar).
    """
    day = moment.date() if isinstance(moment, dt.datetime) else moment
    is_midnight = not isinstance(moment, dt.datetime) or moment.time() == dt.time()
    return day in _NO_DATES and (is_midnight or day.year in (1, 9999))


def parse_datetime(cell: Cell) -> Reading:
    """A local moment, to the second; a date without a time is its midnight. Day before month, always; a moment with
    an offset from UTC is taken to local time. What systems write for "no date" is none.
    """
    if cell is None:
        return BLANK
    if isinstance(cell, dt.datetime):
        if is_no_date(cell):
            return BLANK
        reading = Reading((cell + dt.timedelta(microseconds=500_000)).replace(microsecond=0, tzinfo=None))
    elif isinstance(cell, dt.date):
        reading = Reading(dt.datetime(cell.year, cell.month, cell.day))
    elif cell == dt.time():
        return BLANK  # zero in a cell formatted as a date or time
    elif isinstance(cell, bool | dt.time | dt.timedelta):
        return _bad_date(printed(cell))
    elif isinstance(cell, int | float):
        reading = _moment_of_number(cell)
    else:
        text = _one_text(cell)
        if text.value is None:
            return text
        if _ZERO_DATE.fullmatch(text.value):
            return BLANK
        reading = _moment_of_text(text.value)
    if reading.value is not None and is_no_date(reading.value):
        return BLANK
    if reading.value is not None and not EARLIEST_YEAR <= reading.value.year <= LATEST_YEAR:
        return _impossible_date(printed(cell))
    return reading


def parse_date(cell: Cell) -> Reading:
    """A calendar day; a time of day, if any, is left out."""
    reading = parse_datetime(cell)
    return reading if reading.value is None else Reading(reading.value.date())


def not_after(last_day: dt.date, parser: Parser) -> Parser:
    """The parser, rejecting what lies after ``last_day``."""

    def parse(cell: Cell) -> Reading:
        reading = parser(cell)
        if reading.value is not None:
            day = reading.value.date() if isinstance(reading.value, dt.datetime) else reading.value
            if day > last_day:
                return rejected(
                    "after_closing",
                    f"Ngày {day:%d/%m/%Y} sau ngày chốt số liệu {last_day:%d/%m/%Y}",
                    "Kiểm tra lại ngày; nếu đúng thì nộp dòng này vào kỳ báo cáo sau.",
                )
        return reading

    return parse


_MONTH = re.compile(r"(?:tháng|thang|t)?\s*(?P<m>\d{1,2})\s*(?:[/.-]|năm|nam)\s*(?P<y>\d{4})", re.IGNORECASE)
_YEAR_MONTH = re.compile(r"(?P<y>\d{4})[/-](?P<m>\d{1,2})")
_MONTH_ALONE = re.compile(r"(?:tháng|thang|t)?\s*(?P<m>\d{1,2})", re.IGNORECASE)


def month_parser(period: Period) -> Parser:
    """Months as their first day. A month without a year is the month of that number inside the quarter's window."""
    months: dict[int, set[int]] = {}
    day = period.opens_on.replace(day=1)
    while day <= period.closes_on:
        months.setdefault(day.month, set()).add(day.year)
        day = (day + dt.timedelta(days=32)).replace(day=1)

    def bad(text: str) -> Reading:
        return rejected(
            "not_a_month", f"Không đọc được tháng: “{text}”", "Nhập tháng theo dạng tháng/năm, ví dụ 01/2023."
        )

    def parse(cell: Cell) -> Reading:
        if isinstance(cell, dt.date):
            if is_no_date(cell):
                return BLANK
            return Reading(dt.date(cell.year, cell.month, 1)) if cell.day == 1 else bad(printed(cell))
        reading = _one_text(cell)
        if reading.value is None or isinstance(cell, bool | dt.time | dt.timedelta):
            return reading if reading.value is None else bad(printed(cell))
        text = reading.value
        match = _MONTH.fullmatch(text) or _YEAR_MONTH.fullmatch(text)
        if match and 1 <= int(match["m"]) <= 12 and EARLIEST_YEAR <= int(match["y"]) <= LATEST_YEAR:
            return Reading(dt.date(int(match["y"]), int(match["m"]), 1))
        moment = parse_date(text)
        if moment.value is not None:
            return Reading(moment.value) if moment.value.day == 1 else bad(text)
        if moment.rejection is None:
            return BLANK
        match = _MONTH_ALONE.fullmatch(text)
        years = months.get(int(match["m"]), set()) if match else set()
        return Reading(dt.date(next(iter(years)), int(match["m"]), 1)) if match and len(years) == 1 else bad(text)

    return parse


_QUARTER_FORMS = (
    re.compile(r"(?:quý|quí|quy|q)\s*(?P<q>iv|iii|ii|i|[1-4])\s*(?:[/.-]|,?\s*năm|\s)\s*(?P<y>\d{4})", re.IGNORECASE),
    re.compile(r"(?P<y>\d{4})\s*[-/]?\s*q(?P<q>[1-4])", re.IGNORECASE),
    re.compile(r"(?P<q>iv|iii|ii|i)\s*/\s*(?P<y>\d{4})", re.IGNORECASE),
)


def parse_quarter(cell: Cell) -> Reading:
    """A period as its key: ``2023-Q1``, ``Quý I/2023``, ``Q1/2023``; ``2023-H1``, ``6 tháng đầu năm 2023``."""
    reading = _one_text(cell)
    if reading.value is None:
        return reading
    if key := spelled_key(reading.value):
        return Reading(key)
    for form in _QUARTER_FORMS:
        if match := form.fullmatch(reading.value):
            return Reading(quarter_key(match["y"], match["q"]))
    return rejected(
        "not_a_quarter",
        f"Không đọc được kỳ báo cáo: “{reading.value}”",
        "Ghi kỳ theo dạng Quý I/2023 hoặc 2023-Q1; 6 tháng: 2023-H1, 9 tháng: 2023-M9, năm: 2023-Y.",
    )


# -------------------------------------------------------------------------------------------- flags, labels, codes


def parse_flag(cell: Cell) -> Reading:
    """Yes or no. A blank is neither."""
    if isinstance(cell, bool):
        return Reading(cell)
    reading = parse_text(cell)
    if reading.value is None:
        return reading
    word = reading.value.casefold()
    folded = fold(word)
    if word in _YES or folded in _FOLDED_YES:
        return Reading(True)
    if word in _NO or folded in _FOLDED_NO:
        return Reading(False)
    return rejected(
        "not_a_flag", f"Không phải “Có” hoặc “Không”: “{reading.value}”", "Ghi Có hoặc Không (hoặc đánh dấu x)."
    )


_FOLDED_YES = frozenset(fold(word) for word in _YES) - {""}
_FOLDED_NO = frozenset(fold(word) for word in _NO) - {""}


_WHAT_WAS_DONE = "co|duoc|cap|dang ky|tao|lap|mo|su dung|dung"
_NONE_THERE = re.compile(rf"(?:chua|khong)(?: (?:{_WHAT_WAS_DONE})\b.*)?")
_THERE = re.compile(rf"(?:da|co) (?:{_WHAT_WAS_DONE})\b(?!.* (?:chua|khong)\b).*")


def parse_presence(cell: Cell) -> Reading:
    """Whether there is an address: itself, which is dropped, or yes or no in words. A blank is neither; anything else
    is rejected, since it would stand for a yes.
    """
    reading = parse_flag(cell)
    if reading.rejection is None or isinstance(cell, CellFault):
        return reading
    text = parse_text(cell).value
    if text is not None and "@" in text:
        return Reading(True)
    for pattern, is_there in ((_NONE_THERE, False), (_THERE, True)):
        if text is not None and pattern.fullmatch(bare(text)):
            return Reading(is_there)
    return reading


def enum_parser(column: Column) -> Parser:
    """Labels of the contract as their canonical value; a blank takes the column's default, if it has one."""
    index: LabelIndex[str] = LabelIndex()
    for value, labels in column.labels.items():
        index.add_all(labels, value)
    known = ", ".join(next((x for x in labels if not x.isdigit()), labels[0]) for labels in column.labels.values())

    def parse(cell: Cell) -> Reading:
        reading = parse_text(cell)
        if reading.rejection:
            return reading
        if reading.value is None:
            return Reading(column.default)
        found = index.find(reading.value)
        if len(found) == 1:
            return Reading(found.pop())
        return rejected(
            "unknown_label",
            f"{column.title_vi} không có trong danh sách: “{reading.value}”",
            f"Chọn một trong các giá trị: {known}.",
        )

    return parse


CASE_CODE = re.compile(r"(?:(?:\d{3}\.\d{2}\.\d{2}\.)?[HG]\d{2}(?:\.\d{1,3}){0,3})-\d{6}-\d{4,7}", re.ASCII)
LEGACY_CASE_CODE = re.compile(r"\d{12,14}", re.ASCII)
_DASHES = re.compile(r"\s*[-‐‑‒–—−]\s*")
_AS_DECIMAL = re.compile(r"(?<=[0-9])\.0$")


def parse_case_code(cell: Cell) -> Reading:
    """A case code. Dashes, blanks, case and a Cyrillic Н are mended where that gives a full code; digits never."""
    if cell is None:
        return BLANK
    if not isinstance(cell, str):
        return rejected(
            "code_as_number",
            f"Mã hồ sơ bị bảng tính đổi kiểu: {printed(cell)}",
            "Định dạng cột mã là Văn bản (Text) rồi nhập lại đủ số 0.",
        )
    reading = _one_text(cell)
    if reading.value is None:
        return reading
    code = _DASHES.sub("-", reading.value).upper().replace("\u041d", "H")
    if CASE_CODE.fullmatch(code) or LEGACY_CASE_CODE.fullmatch(code):
        return Reading(code)
    return rejected(
        "bad_case_code",
        f"Mã hồ sơ không đúng cấu trúc: “{reading.value}”",
        "Ghi đúng mã trên hệ thống một cửa, ví dụ 000.00.04.H51-230316-0012.",
    )


_SHOWN_DECIMALS = 5
_PROCEDURE = re.compile(r"(\d\.\d{6})(?:\.[0-9A-Z]{1,4})*", re.IGNORECASE | re.ASCII)


def procedure_code_parser(known_codes: frozenset[str] | None) -> Parser:
    """Procedure codes, joined on their first two groups (``1.004946``).

    ``known_codes`` is the catalogue, or None for the catalogue itself. A code that a spreadsheet made a number is
    repaired only where exactly one code of the catalogue can have been meant.
    """

    def bad(text: str) -> Reading:
        return rejected(
            "bad_procedure_code",
            f"Mã thủ tục hành chính không đúng cấu trúc: “{text}”",
            "Định dạng cột mã là Văn bản (Text) và ghi đúng mã quốc gia, ví dụ 1.004946.",
        )

    def accepted(code: str, repaired_from: str | None = None) -> Reading:
        finding = None
        if repaired_from is not None:
            finding = Remark(
                "procedure_code_repaired",
                f"Mã thủ tục “{repaired_from}” được hiểu là {code} theo danh mục",
                "Định dạng cột mã là Văn bản (Text) rồi nhập lại mã.",
            )
        elif known_codes is not None and code not in known_codes:
            finding = Remark(
                "procedure_not_in_catalogue",
                f"Mã thủ tục {code} không có trong danh mục của kỳ",
                "Bổ sung thủ tục vào danh mục hoặc sửa mã.",
            )
        return Reading(code, finding=finding)

    def repaired(shown: str, text: str) -> Reading:
        """``shown``: a digit, a dot and the decimals that the spreadsheet left: zeros dropped, or rounded to five."""
        number = Decimal(shown)
        rounds = len(shown.split(".")[1]) == _SHOWN_DECIMALS
        candidates = [
            code
            for code in known_codes or ()
            if Decimal(code) == number
            or (rounds and Decimal(code).quantize(Decimal(1).scaleb(-_SHOWN_DECIMALS), ROUND_HALF_UP) == number)
        ]
        return accepted(candidates[0], text) if len(candidates) == 1 else bad(text)

    def parse(cell: Cell) -> Reading:
        if cell is None:
            return BLANK
        if isinstance(cell, float) and not cell.is_integer():
            shown = repr(cell)
            if re.fullmatch(r"\d\.\d{6}", shown):
                return accepted(shown)
            return repaired(shown, printed(cell)) if re.fullmatch(r"\d\.\d{1,5}", shown) else bad(printed(cell))
        if not isinstance(cell, str):
            return bad(printed(cell))
        reading = _one_text(cell)
        if reading.value is None:
            return reading
        if match := _PROCEDURE.fullmatch(reading.value):
            return accepted(match[1])
        shown = reading.value.replace(",", ".")
        return repaired(shown, reading.value) if re.fullmatch(r"\d\.\d{3,6}", shown) else bad(reading.value)

    return parse


# ----------------------------------------------------------------------------------------------------------- persons


def person_key(secret_key: bytes, *parts: str) -> str:
    """Keyed hash (HMAC-SHA-256, hex) of what identifies a person; parts are told apart by position."""
    apart = (part.replace("\x1b", "\x1b\x1b").replace("\x1f", "\x1b_") for part in parts)
    return hmac.new(secret_key, "\x1f".join(apart).encode(), hashlib.sha256).hexdigest()


_YEAR_ONLY = re.compile(r"(?:19|20)\d{2}")


def parse_birth(cell: Cell) -> Reading:
    """A birth date, or the year alone where the roster knows no more; value is text, fit for a key."""
    text = printed(cell).strip()
    if _YEAR_ONLY.fullmatch(text):
        return Reading(text)
    reading = parse_date(cell)
    return reading if reading.value is None else Reading(reading.value.isoformat())

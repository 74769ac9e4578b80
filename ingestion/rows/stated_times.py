"""The times that the words of a title name: days, months, quarters, parts of a year, years.

Belongs here: reading them in any wording, and whether they are those of a period. Does not belong here: where such
words stand (``headers``), what follows from them (``belonging``, ``noticing``, gate 1).

Words are matched without diacritics, so that a title without them says the same. What cannot be a date says nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from common.periods import Period
from common.quarters import ROMAN, quarter_number
from ingestion.rows.values import EARLIEST_YEAR, LATEST_YEAR
from ingestion.text.vietnamese import clean, strip_marks

Window = tuple[dt.date | None, dt.date]


@dataclass(frozen=True)
class Part:
    """A part of a year by the numbers of its quarters (1 to 4), as ``said``; without a ``year`` none is named."""

    numbers: frozenset[int]
    year: int | None
    said: str

    def holds(self, period: Period) -> bool:
        """Whether the whole period lies in the part, by its quarters or by the calendar's: the last days of units that
        end in June are of the third quarter and of the first six months.
        """
        first, last = self.days(period)
        by_days = first <= period.opens_on and period.closes_on <= last
        return self.year in (None, period.report_year) and (_numbers_of(period) <= self.numbers or by_days)

    def meets(self, period: Period) -> bool:
        """Whether some of the period may lie in the part."""
        return self.year in (None, period.report_year) and bool(_numbers_of(period) & self.numbers)

    def days(self, period: Period) -> tuple[dt.date, dt.date]:
        """First and last day of the part's calendar months, in the year it names or the period's."""
        year = self.year or period.report_year
        return dt.date(year, 3 * min(self.numbers) - 2, 1), _month_end(year, 3 * max(self.numbers))


@dataclass(frozen=True)
class StatedTimes:
    """The times that some texts name, each with the words that say so.

    ``window``: from a day to a day, the first such. ``as_of``: up to a day. ``months``: year (None where none is said)
    and number. ``parts``: quarters, "6 tháng đầu năm". ``years``: years alone. ``is_cumulative``: from the beginning of
    the year on, no days said. ``referred``: the times of another report that the texts refer to.
    """

    window: tuple[dt.date, dt.date] | None = None
    as_of: dt.date | None = None
    months: tuple[tuple[int | None, int], ...] = ()
    parts: tuple[Part, ...] = ()
    years: tuple[int, ...] = ()
    is_cumulative: bool = False
    said: tuple[str, ...] = ()
    referred: StatedTimes | None = None

    @property
    def is_certain(self) -> bool:
        """Whether days, or months or parts of a named year are told."""
        dated = [*(year for year, _ in self.months), *(part.year for part in self.parts)]
        return bool(self.window or self.as_of) or any(dated)

    def of_a_register(self) -> StatedTimes:
        """The times as a register's, which holds on beyond the month or quarter in which it was issued and is named
        after: days only.
        """
        return replace(self, months=(), parts=(), years=(), is_cumulative=False, referred=None)

    def stated(self, period: Period) -> Window | None:
        """The window that is stated in any wording that tells one; without a first day where it is "up to a day". A
        quarter that is the period's own states nothing more.
        """
        if self.window is not None:
            return self.window
        if months := self._dated_months():
            (year, month), last = min(months), max(months)
            return dt.date(year, month, 1), _month_end(*last)
        if self.as_of is not None:
            return None, self.as_of
        if self.is_cumulative:
            return period.year_opens_on, period.closes_on
        if any(part.numbers == _numbers_of(period) for part in self.parts):
            return None
        return next((part.days(period) for part in self.parts if part.holds(period)), None)

    def of_another_period(self, period: Period) -> str | None:
        """The words for another period, where days, months or parts of a named year are told and are not the period's.

        Days and months agree where they lie inside the period (months: that it touches) or cover at least half of it:
        offices also report calendar quarters, single months and the year to date. An "up to" day excludes nothing.
        """
        parts = [part for part in self.parts if part.year is not None]
        if self.window is not None:
            first, last = self.window
            if not _agrees(first, last, period.opens_on, period.closes_on, period):
                return f"từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}"
        elif parts:
            if not any(part.holds(period) for part in parts):
                return ", ".join(dict.fromkeys(part.said for part in parts))
        elif months := self._dated_months():
            opens = period.opens_on.replace(day=1)
            closes = _month_end(period.closes_on.year, period.closes_on.month)
            if not _agrees(dt.date(*months[0], 1), _month_end(*months[-1]), opens, closes, period):
                return ", ".join(f"tháng {month:02d}/{year}" for year, month in months)
        return None

    def named_elsewhere(self, period: Period) -> str | None:
        """The words for times none of which is the period's, where neither days nor a year with its part are told;
        where no time is told at all, those of a report that is referred to.
        """
        if self.is_certain:
            return None
        if not (self.months or self.parts or self.years):
            return self.referred.of_another_period(period) if self.referred else None
        months = {number for _, number in self.months}
        of_period = _months_of(period)
        if self.years and period.report_year not in self.years:
            agrees = any((year, month) in of_period for year in self.years for month in months)
        else:
            agrees = not months or any(month in months for _, month in of_period)
        agrees = agrees and (not self.parts or any(part.meets(period) for part in self.parts))
        return None if agrees else ", ".join(dict.fromkeys(self.said))

    def _dated_months(self) -> list[tuple[int, int]]:
        return sorted({(year, month) for year, month in self.months if year is not None})


def _agrees(first: dt.date, last: dt.date, opens: dt.date, closes: dt.date, period: Period) -> bool:
    inside = opens <= first and last <= closes
    shared = (min(last, period.closes_on) - max(first, period.opens_on)).days + 1
    return inside or shared * 2 >= (period.closes_on - period.opens_on).days + 1


def _numbers_of(period: Period) -> frozenset[int]:
    """Numbers of the quarters of which a period consists."""
    found = {number for key in (period.quarter, *period.made_of) if (number := quarter_number(key)[1]) is not None}
    return frozenset(map(int, found))


def _months_of(period: Period) -> set[tuple[int, int]]:
    """Year and number of the months that a period touches."""
    months, day = set(), period.opens_on.replace(day=1)
    while day <= period.closes_on:
        months.add((day.year, day.month))
        day = (day + dt.timedelta(days=32)).replace(day=1)
    return months


def _month_end(year: int, month: int) -> dt.date:
    return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)


def _sound(year: int) -> int | None:
    return year if EARLIEST_YEAR <= year <= LATEST_YEAR else None


# ----------------------------------------------------------------------------------------------------------- wordings

# Not "năm", which is a year far more often than five; "từ ngày" is no "tư".
_WORDS = {"mot": 1, "nhat": 1, "gieng": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "sau": 6, "bay": 7, "tam": 8,
          "chin": 9, "muoi": 10, "muoi mot": 11, "muoi hai": 12, "chap": 12}  # fmt: skip
_SPELLED = "|".join(sorted(_WORDS, key=len, reverse=True))
_NO_NUMBER = r"(?! (?:ngay|thang|dau|lan|\d\d?)\b)"


def _day(name: str) -> str:
    """A day as a group of its own with the groups d, m and y; the year may be missing, or have two digits."""
    return (
        rf"(?:(?P<d{name}>\d{{1,2}})(?: ?/ ?|[.-]| thang )(?P<m{name}>\d{{1,2}})"
        rf"(?:(?: ?/ ?|[.-]| nam )(?P<y{name}>\d{{4}}|\d\d))?|(?P<Y{name}>\d{{4}})-(?P<M{name}>\d\d)-(?P<D{name}>\d\d))"
        r"(?![\d/]| /)"
    )


_HOUR = r"\d{1,2} ?(?:h|:|gio\b) ?\d{0,2}(?::\d\d(?:\.\d+)?)?"
_UP_TO = rf"(?:den|toi)(?: het| truoc)?(?: {_HOUR})?(?: ngay)?:? ?"
_RANGE = re.compile(
    rf"(?<![\d/.-]){_day('1')}(?:(?: |, |t){_HOUR})?,? ?(?:[-–—]>?|{_UP_TO}|(?:ngay )?ket thuc:?) ?"
    rf"(?:{_UP_TO})?(?:ngay )?{_day('2')}"
)
_FROM_START = re.compile(rf"(?:tu dau nam(?: \d{{4}})?|luy ke|cong don)\D{{0,40}}?{_UP_TO}{_day('2')}")
_SO_FAR = (
    r"(?:(?:tinh|so lieu|cap nhat|chot|co mat|hien co|\bco) (?:den|toi)|den het|(?:(?:tai|den) )?thoi diem|"
    r"chot(?: so lieu)?(?: vao)?|co mat|so lieu|\btai|\(den)(?: thoi diem| het)*"
)
_AS_OF = re.compile(
    rf"{_SO_FAR}(?:(?: bao cao)?:?(?: {_HOUR})?(?: ngay)?:? ?{_day('2')}|"
    r"(?: cuoi)? thang (?P<month>\d{1,2})(?:/| nam )(?P<year>\d{4})(?!\d))"
)
_YEAR_AFTER = r"(?:[\s/.,:(-]{0,3}(?:cua )?(?:nam:? )?(?P<y>\d{4})(?!\d)|/(?P<yy>\d\d)(?![\d/]))"
_MONTH = rf"\b(?:\d{{1,2}}|{_SPELLED})\b{_NO_NUMBER}"
_MONTHS = re.compile(
    rf"(?:(?<![\w/])t\.? ?(?P<short>\d{{1,2}})(?=[/.-]\d{{4}})|(?<!\b\d )(?<!\b\d\d )\bthang:? (?P<first>{_MONTH})"
    rf"(?P<more>(?: ?[,;+–-] ?| va | den (?:het )?)(?:thang )?{_MONTH})*){_YEAR_AFTER}?"
)
_LISTED = r"(?: ?[,;+–-] ?| va | den (?:het )?)(?:thang |t\.? ?)?"
# Months of which each has its year.
_DATED_MONTHS = re.compile(
    rf"\b(?:thang|ky(?: bao cao)?:?|(?<!thong )tu|t\.?) ?\d{{1,2}}[/.-]\d{{4}}(?:{_LISTED}\d{{1,2}}[/.-]\d{{4}})+(?!\d)"
)
_DATED_MONTH = re.compile(r"(\d{1,2})[/.-](\d{4})")
_QUARTER = rf"(?:iv|iii|ii|i|0?[1-4]|mot|nhat|hai|ba|bon|tu)\b{_NO_NUMBER}"
_QUARTERS = re.compile(
    # "UBND Q.1" and "phường Bến Nghé, Q.1" are of a district.
    rf"\b(?P<word>quy|qui|(?<!ubnd )(?<!hdnd )(?<!, )q)(?:\.|:)? ?(?:thu )?(?P<first>{_QUARTER})"
    rf"(?P<more>(?: ?[,;+&–-] ?| va | den )(?:qu[yi] )?{_QUARTER})*{_YEAR_AFTER}?"
)
_KEY = re.compile(r"(?<!\d)(?P<y>\d{4}) ?[-/]? ?q(?P<first>[1-4])\b")
_PARTS = re.compile(
    r"(?<![\d/])\b(?P<n>0?3|0?6|0?9|12|ba|sau|chin|muoi hai) thang\b"
    rf"(?P<end> (?:dau|cuoi)\b(?! quy)(?: nam\b)?)?{_YEAR_AFTER}?"
)
_YEARS = re.compile(r"(?<!doan )\bnam:? (?P<y>\d{4})(?: ?[-–] ?(?:nam )?(?P<last>\d{4}))?(?![\d/])")
_FULL_DAY = re.compile(r"(?<!\d)\d{1,2}(?:[/.-]| thang )\d{1,2}(?:[/.-]| nam )\d{4}(?!\d)")
# A day that is left for the pen: of a signature, or of a letter that the table goes with.
_OPEN_DAY = re.compile(r"\bngay[ .…_/-]*thang:?[ .…_]*(?:\d{1,2})?[ .…_/]*(?:nam[ .…_]*(?:\d{2,4})?)?")
_YEAR_ALONE = re.compile(r"(?:19|20)\d\d")
_CUMULATIVE = re.compile(r"(?P<no>\bkhong (?:\w+ ){0,2})?\b(?:luy ke|cong don|tu dau nam)\b")
# What a report is held against, what it plans, laws and far aims: no time of its figures.
_ONE_TIME = (
    r"(?:\b(?:quy|qui|q)\b\.? ?(?:iv|iii|ii|i|0?[1-4])\b|\bthang \d{1,2}\b|\b\d{1,2} thang (?:dau|cuoi)(?: nam)?\b)"
)
_COMPARED = re.compile(
    rf"\b(?:so voi|cung ky)\b[^,;()#]{{0,40}}?(?:{_ONE_TIME}|\bnam\b)(?:[ /.-]{{0,3}}(?:nam )?\d{{4}})?"
)
_AHEAD = re.compile(rf"\bphuong huong\b[^;()#]{{0,60}}?(?:{_ONE_TIME}|\bnam \d{{4}})")
_OF_A_LAW = re.compile(
    r"(?:(?<!ky )(?<!phap )\bluat\b[^;()#]{0,60}?|\bsua doi,? bo sung |\b(?:dinh huong|tam nhin|huong)(?: den| toi)? )"
    r"nam \d{4}"
)
# When a form was issued or came into use ("Mẫu ban hành tháng 5/2020"), and when an act was ("theo Công văn tháng
# 5/2020"). What else is issued, and what a plan or report is of ("kèm theo Báo cáo quý IV/2022"), is the figures' time.
_MONTH_OR_YEAR = r"(?:(?:vao )?thang \d{1,2}[ /.,-]{0,2}(?:nam )?|(?:vao )?nam )\d{4}(?!\d)"
_TIME_OF_A_YEAR = rf"(?:{_ONE_TIME}[ /.,-]{{0,3}}(?:nam )?|nam )\d{{4}}(?!\d)"
_OF_A_FORM = re.compile(
    r"(?:\bmau\b(?:(?!van ban|nghi quyet|ket qua|so lieu|tinh hinh)[^,;:()#–-]){0,40}?"
    r"\b(?:ban hanh|phien ban|su dung|thay doi|sua doi|(?:(?<=bieu )|(?<=mau ))cap nhat)\b[^,;()#]{0,30}?|"
    rf"\bmau (?:moi |cu |bieu )?(?=nam )|\bphien ban (?:moi )?){_MONTH_OR_YEAR}|"
    rf"\b(?:ap dung|co hieu luc)(?: thi hanh)?(?: ke)? tu (?:ngay )?{_TIME_OF_A_YEAR}"
)
_OF_AN_ACT = re.compile(
    r"\b(?:theo|can cu|tai) (?:cac )?(?:quyet dinh|qd|cong van|cv|thong tu|nghi dinh|nghi quyet|chi thi|to trinh|"
    r"huong dan|quy dinh|quy che)(?: so [\w.…/#-]*)?(?: cua [^,;()#]{2,30}?)?(?: ban hanh)? " + _MONTH_OR_YEAR
)
# Another report or plan that speaks of what the rows are about; its time is theirs where no other is told.
_REFERRED = re.compile(
    r"\b(?:neu|nhac|ghi|chi|dua|giao|de|xac dinh|yeu cau|phan cong|dang ky|kien nghi)(?: ra| den| ro)? "
    r"(?:o|tai|trong|theo) (?:bao cao|ke hoach|thong bao|chuong trinh|van ban)\b[^,;()]{0,60}?"
    rf"(?P<named>{_TIME_OF_A_YEAR})"
)
# The number of a document, with the day or year of its issue: it is about that document.
_DOCUMENT = re.compile(
    r"\d+\w*/(?:\d{4}/)?(?!NĂM|QUÝ)[A-ZĐƯ]{2}[\w.Đđ&-]*"
    r"(?i:,? ?(?:ngày[ \d/.…_-]*(?:tháng[ \d.…_]*(?:năm ?(?:\d{4})?)?)?|năm \d{4}))?"
)
_PLACE_AND_DAY = re.compile(rf"(?:(?!.*\bso\b)[^\d/;:()]{{2,40}}(?: \d{{1,2}})?, ?)?ngay {_day('2')}\.?")


def read_times(texts: Iterable[str], name: str = "") -> StatedTimes:
    """The times that texts name, and the name of their sheet; each text is clean, and what one begins the next may end
    (“Từ ngày …” | “đến …”). A name may be a year alone.
    """
    written = " ".join([*texts, name])
    written = _DOCUMENT.sub(lambda match: "#" * len(match[0]), written)
    plain = _Plain(written)
    referred = [written[slice(*match.span("named"))] for match in _REFERRED.finditer(plain.left)]
    for pattern in (_COMPARED, _AHEAD, _OF_A_LAW, _OF_A_FORM, _OF_AN_ACT, _REFERRED):
        plain.drop(pattern)
    window = next((found for match in plain.take(_RANGE) if (found := _range(match)) is not None), None)
    if window is None:
        window = next((found for match in plain.take(_FROM_START) if (found := _from_start(match)) is not None), None)
    as_of = max((day for match in plain.take(_AS_OF) if (day := _up_to(match)) is not None), default=None)
    for pattern in (_FULL_DAY, _OPEN_DAY):  # of signatures, or of some document
        plain.drop(pattern)
    parts = [(match, _quarters(match, plain)) for pattern in (_KEY, _QUARTERS) for match in plain.take(pattern)]
    parts += [(match, _part_of_year(match, plain)) for match in plain.take(_PARTS)]
    months: list[tuple[int | None, int]] = [
        (int(year), int(number))
        for match in plain.take(_DATED_MONTHS)
        for number, year in _DATED_MONTH.findall(match[0])
        if 1 <= int(number) <= 12 and _sound(int(year))
    ]
    months += [month for match in plain.take(_MONTHS) for month in _months(match)]
    years = [
        year for match in plain.take(_YEARS) for year in range(int(match["y"]), int(match["last"] or match["y"]) + 1)
    ]
    if _YEAR_ALONE.fullmatch(name):
        years.append(int(name))
        plain.said.append(name)
    return StatedTimes(
        window,
        as_of,
        tuple(dict.fromkeys(months)),
        _with_years([(match, part) for match, part in parts if part is not None]),
        tuple(years),
        any(not match["no"] for match in _CUMULATIVE.finditer(plain.left)),
        tuple(plain.said),
        read_times(referred) if referred else None,
    )


_NEAR = 60  # characters


def _with_years(parts: Sequence[tuple[re.Match[str], Part]]) -> tuple[Part, ...]:
    """The parts in their order; one without a year has that of the next: “quý I, nhiệm vụ quý II năm 2023”."""
    found: list[Part] = []
    following: tuple[int, int | None] = (0, None)
    for match, part in sorted(parts, key=lambda one: one[0].start(), reverse=True):
        start, year = following
        if part.year is None and year is not None and start - match.end() <= _NEAR:
            part = replace(part, year=year)
        following = match.start(), part.year
        found.insert(0, part)
    return tuple(found)


def signed_on(texts: Iterable[str]) -> dt.date | None:
    """The last day that a text gives with its place as signatures do: ``Cù Lao Dung, ngày 15 tháng 03 năm 2023``."""
    matches = [_PLACE_AND_DAY.fullmatch(strip_marks(clean(text)).lower()) for text in texts]
    return max((day for match in matches if match and (day := _day_of(match, "2"))), default=None)


class _Plain:
    """A text without diacritics of which every wording is taken once, the surest first."""

    def __init__(self, written: str) -> None:
        self._written = written
        # Sign by sign, so that what is found stands at the same place in what is written.
        self.left = "".join(strip_marks(sign).lower()[:1] or " " for sign in written)
        self.said: list[str] = []

    def take(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        for match in pattern.finditer(self.left):
            first, last = match.span()
            self.left = self.left[:first] + "#" * (last - first) + self.left[last:]
            self.said.append(self.words(match))
            yield match

    def drop(self, pattern: re.Pattern[str]) -> None:
        self.left = pattern.sub(lambda match: "#" * len(match[0]), self.left)

    def words(self, match: re.Match[str]) -> str:
        """The words of a match as they are written."""
        words = self._written[slice(*match.span())].strip(" ,:-")
        return f"{words})" if "(" in words and ")" not in words else words


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day) if _sound(year) else None
    except ValueError:
        return None


def _day_of(match: re.Match[str], name: str, year: int | None = None) -> dt.date | None:
    """The day of a match's groups; None where it has no year and none is given, or is no day."""
    if match[f"Y{name}"]:
        return _date(*(int(match[f"{part}{name}"]) for part in "YMD"))
    if match[f"y{name}"]:
        year = _full_year(match[f"y{name}"])
    return None if year is None else _date(year, int(match[f"m{name}"]), int(match[f"d{name}"]))


def _full_year(digits: str) -> int:
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _up_to(match: re.Match[str]) -> dt.date | None:
    if match["month"]:
        first = _date(int(match["year"]), int(match["month"]), 1)
        return first and _month_end(first.year, first.month)
    return _day_of(match, "2")


def _range(match: re.Match[str]) -> tuple[dt.date, dt.date] | None:
    last = _day_of(match, "2")
    first = _day_of(match, "1", last.year) if last else None
    if first and last and first > last and not match["y1"]:
        first = _day_of(match, "1", last.year - 1)  # from one year into the next, of which only that is named
    return (first, last) if first and last and first <= last else None


def _from_start(match: re.Match[str]) -> tuple[dt.date, dt.date] | None:
    """From the beginning of the year of which the last day is; reporting years begin in the middle of December."""
    last = _day_of(match, "2")
    return (dt.date(last.year - 1, 12, 15), last) if last else None


def _year(match: re.Match[str]) -> int | None:
    named = match.groupdict()
    return _sound(_full_year(digits)) if (digits := named["y"] or named.get("yy")) else None


def _number(word: str) -> int:
    return ROMAN.index(word.upper()) + 1 if word.upper() in ROMAN else _WORDS.get(word) or int(word)


def _numbers(match: re.Match[str], item: str) -> list[int]:
    """The numbers of a list, the ones between “1 đến 3” and “1-3” included."""
    listed = match.string[match.start("first") : match.end("more" if match["more"] else "first")]
    numbers = [_number(word) for word in re.findall(rf"\b{item}", listed)]
    is_span = len(numbers) > 1 and numbers[0] < numbers[-1] and re.search(r" den | ?[–-] ?", listed)
    return list(range(numbers[0], numbers[-1] + 1)) if is_span else numbers


def _quarters(match: re.Match[str], plain: _Plain) -> Part | None:
    if match.re is _KEY:
        return Part(frozenset({int(match["first"])}), _year(match), plain.words(match))
    word = unicodedata.normalize("NFD", plain.words(match)[:3].lower()).replace("\u0301", "")  # “quý” or “qúy”
    if word not in ("quy", "qui") and match["word"] != "q":
        return None  # a fund (quỹ)
    return Part(frozenset(_numbers(match, _QUARTER)), _year(match), plain.words(match))


def _part_of_year(match: re.Match[str], plain: _Plain) -> Part | None:
    count = _number(match["n"]) // 3
    year = _year(match)
    if year is None and not match["end"]:
        return None  # a time limit, or how often something is reported
    numbers = range(5 - count, 5) if "cuoi" in (match["end"] or "") else range(1, count + 1)
    return Part(frozenset(numbers), year, plain.words(match))


def _months(match: re.Match[str]) -> Sequence[tuple[int | None, int]]:
    numbers = [int(match["short"])] if match["short"] else _numbers(match, _MONTH)
    return [(_year(match), number) for number in numbers if 1 <= number <= 12]

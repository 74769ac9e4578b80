"""What looks like a datum about a person in a text that would be published.

Belongs here: the detectors, one a kind of datum, over one text at a time; the gates and the contracts' row rules both
ask them. Does not belong here: which texts are published and where they come from (``published_texts.yml``), what a
finding leads to (``rules/personal_data.yml``, ``row_rules`` of a contract).

A text is first brought into one spelling (full-width and other digits, dashes, spaces, what has no width), so that a
number is the same number however it was written. Numbers are judged by the groups of digits they are written in: dates,
amounts with their unit and the codes of procedures, cases and documents are none.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

Kind = Literal["phone", "identity_number", "mail_address", "person_name"]

#: What each kind is called in a finding; the datum itself is never quoted.
KIND_VI: dict[Kind, str] = {
    "phone": "số điện thoại",
    "identity_number": "số căn cước, chứng minh nhân dân",
    "mail_address": "địa chỉ thư điện tử",
    "person_name": "tên người",
}


def kinds_of_personal_data(text: str) -> tuple[Kind, ...]:
    """The kinds of personal data that a text seems to hold, each once, in the order of ``KIND_VI``."""
    plain = _in_one_spelling(text)
    # Piece by piece, so that a text costs by its length; what lies across an edge is whole in the next piece.
    pieces = (plain[first : first + _PIECE] for first in range(0, max(len(plain) - _OVERLAP, 1), _PIECE - _OVERLAP))
    found = {kind for piece in pieces for kind in _kinds(piece)}
    return tuple(kind for kind in KIND_VI if kind in found)


_PIECE, _OVERLAP = 8000, 400


def _kinds(plain: str) -> Iterator[Kind]:
    yield from _numbers(plain)
    # The sign first: a word of thousands of letters is then looked through once, not once from each of its letters.
    if _SIGN.search(plain) and _MAIL.search(plain):
        yield "mail_address"
    if any(_names_somebody(plain)):
        yield "person_name"


def _in_one_spelling(text: str) -> str:
    """NFKC; every digit a Western one, every dash a hyphen, every space one space, without what has no width."""
    spelled = []
    for character in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(character)
        if category == "Nd":
            spelled.append(str(unicodedata.digit(character)))
        elif category == "Pd" or character in "−‐‑⁃":
            spelled.append("-")
        elif character.isspace():
            spelled.append(" ")
        elif category not in ("Cf", "Cc"):
            spelled.append(character)
    return " ".join("".join(spelled).split())


# --- numbers --------------------------------------------------------------------------------------------------------

_DATE = re.compile(r"(?<![\w])(?:(\d{1,2})([/.-])(\d{1,2})\2(\d{4})|(\d{4})-(\d{2})-(\d{2}))(?!\d)")
#: Stands where a date stood, so that its digits join no others.
_NO_DIGIT = "\N{CURRENCY SIGN}"
_RUN = re.compile(r"\+?\(?\+?\d(?:[ ./\-_,:|*·•()~\\]{0,4}\d)*")
_GROUP = re.compile(r"\d+")
_AMOUNT = re.compile(
    r"\s*(?:nghìn|ngàn|triệu|tỷ|tỉ|đồng|đ\b|vnđ|vnd|usd|lượt|hồ sơ|người|văn bản|phiếu|m2|km2|ha\b|kg\b|%)", re.I
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3})+|(?:,\d{3})+|(?: \d{3})+)")
_IDENTITY_WORDS = re.compile(
    r"(?:cccd|cmnd|cmtnd|căn cước|chứng minh|định danh|giấy tờ tùy thân|hộ chiếu)[^\d]{0,40}$", re.I
)
_PHONE_WORDS = re.compile(
    r"(?:điện thoại|đt|sđt|sdt|di động|hotline|zalo|phone|tel|mobile|liên hệ)\b[^\d]{0,30}$", re.I
)
_MOST_GROUPS = 12
#: Characters around a number in which the rest of a code is looked for.
_CODE_REACH = 40


def _numbers(text: str) -> Iterator[Kind]:
    without_dates = _DATE.sub(lambda match: _NO_DIGIT if _is_date(match) else match[0], text)
    for run in _RUN.finditer(without_dates):
        groups = [(run.start() + group.start(), run.start() + group.end()) for group in _GROUP.finditer(run[0])]
        known_spans: list[tuple[int, int]] = []
        # The longest first: the digits behind +84 are part of that number, and no other one.
        for size in range(min(len(groups), _MOST_GROUPS), 0, -1):
            for first in range(len(groups) - size + 1):
                if any(begin <= first and first + size <= end for begin, end in known_spans):
                    continue
                kind = _kind_of(without_dates, groups[first : first + size])
                if kind is not None:
                    known_spans.append((first, first + size))
                    yield kind


def _is_date(match: re.Match[str]) -> bool:
    day, month, year = (match[1], match[3], match[4]) if match[1] else (match[7], match[6], match[5])
    try:
        return dt.date(int(year), int(month), int(day)).year >= 1900
    except ValueError:
        return False


def _kind_of(text: str, groups: list[tuple[int, int]]) -> Kind | None:
    """What these neighbouring groups of digits are together, if they are a whole number of a person."""
    start, end = groups[0][0], groups[-1][1]
    digits = "".join(text[one:other] for one, other in groups)
    if not 9 <= len(digits) <= 15 or _is_part_of_a_code(text, start, end):
        return None
    between = "".join(text[one[1] : other[0]] for one, other in pairwise(groups))
    if any(sign in between for sign in ",:") and min(other - one for one, other in groups) < 3:
        return None  # A list of row numbers, or times.
    before = text[max(0, start - 60) : start]
    written = text[start:end]
    if (_THOUSANDS.fullmatch(written) or len(groups) == 1) and _AMOUNT.match(text, end):
        return None
    if _is_phone(digits, plus="+" in before[-3:]):
        return "phone"
    if _IDENTITY_WORDS.search(before) and len(digits) in (9, 12):
        return "identity_number"
    if _PHONE_WORDS.search(before) and 9 <= len(digits) <= 11:
        return "phone"
    return "identity_number" if _looks_like_an_identity(text, groups, digits, written) else None


def _looks_like_an_identity(text: str, groups: list[tuple[int, int]], digits: str, written: str) -> bool:
    """Twelve digits, or nine as on the old cards, with no word that says so: in one piece, or in groups alike."""
    alike = len(groups) == 1 or {other - one for one, other in groups} <= ({3, 4} if len(digits) == 12 else {3})
    if not alike or re.search(r"[^\W\d_][./\-_]$", text[: groups[0][0]]):
        return False
    if len(digits) == 12:
        return digits[0] == "0" or len(groups) == 1
    return len(digits) == 9 and not (_THOUSANDS.fullmatch(written) and " " not in written)


def _is_phone(digits: str, *, plus: bool) -> bool:
    """A number in the country (0 and nine or ten digits), or with the country's code before it."""
    if digits.startswith("0084"):
        digits = digits[2:]
        plus = True
    if digits.startswith("84") and (plus or len(digits) in (11, 12)):
        rest = digits[2:].removeprefix("0")
        return len(rest) in (9, 10)
    return digits[0] == "0" and len(digits) in (10, 11)


def _is_part_of_a_code(text: str, start: int, end: int) -> bool:
    """Whether more of a code is bound to the digits, by a sign and no space: ``1.``, ``.00``, ``.H51``, ``/NĐ-CP``."""
    before, after = text[max(0, start - _CODE_REACH) : start], text[end : end + _CODE_REACH]
    if before and before[-1].isalpha():
        return True
    neighbours = (re.search(r"([^\W_]+)[./\-_\\]$", before), re.match(r"[./\-_\\]([^\W_]+)", after))
    # Two whole numbers with a stroke between them are two numbers.
    if any(n and re.search(r"\d", n[1]) and not re.fullmatch(r"\d{9,}", n[1]) for n in neighbours):
        return True
    return bool((after and after[0].isalnum()) or re.match(r"[/\-][A-ZĐ]{2,}", after))


# --- mail addresses -------------------------------------------------------------------------------------------------

_AT = r"(?:@|[\(\[\{<]\s*(?:at|a|@|a còng)\s*[\)\]\}>]|\ba còng\b)"
_DOT = r"(?:\.|[\(\[\{<]\s*(?:dot|chấm|\.)\s*[\)\]\}>]|\s(?:dot|chấm)\s)"
_SIGN = re.compile(rf"{_AT}| at ", re.I)
_MAIL = re.compile(
    rf"[\w.+\-]+\s*{_AT}\s*[\w\-]+"
    rf"|[\w.+\-]+ at [\w\-]+\s*{_DOT}\s*(?:vn|com|net|org|edu|gov|info)\b",
    re.I,
)

# --- names ----------------------------------------------------------------------------------------------------------

_UPPER = "A-ZÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴĐ"
_WORD = rf"[{_UPPER}][^\W\d_]*"
#: After these words stands the name of a place, a road or an institution, not of a person.
_PLACES = (
    r"(?:xã|phường|thị trấn|huyện|quận|thị xã|tỉnh|thành phố|tp\.?|đặc khu|đường|phố|ngõ|hẻm|ấp|thôn|khóm|bản|khu phố|"
    r"sông|núi|chợ|cầu|kênh|rạch|cồn|đảo|hòn|vịnh|biển|cảng|cửa|trường|tiểu học|thcs|thpt|mầm non|mẫu giáo|bệnh viện|"
    r"công viên|đền|chùa|giải thưởng|huy hiệu|quỹ|phong trào|học viện|đại học|nhà văn hóa|hai|địa bàn)"
)
_AFTER_A_PLACE = re.compile(rf"{_PLACES}\s+$", re.I)
#: Words of respect that stand before names; the last four are also the beginnings of places' names.
_STRICT = re.compile(
    rf"(?<!\w)(?:[Ôô]ng|ÔNG|[Bb]à|BÀ|[Ôô]ng(?:/| và )[Bb]à)(?:\s*\([^)]{{1,10}}\))?\s*[:.]?\s*({_WORD}(?:\s+{_WORD})*)"
)
_LOOSE = re.compile(
    rf"(?<!\w)(?:[Aa]nh|[Cc]hị|[Cc]ô|[Cc]hú|[Bb]ác|[Tt]hầy|[Đđ]ồng chí|ĐỒNG CHÍ|[Đđ]/c|đ\.c)\s*[:.]?\s*"
    rf"({_WORD}(?:\s+{_WORD})+)"
)
_FULL_NAME = re.compile(
    r"(?<!\w)(?:Nguyễn|Trần|Lê|Phạm|Hoàng|Huỳnh|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Hồ|Ngô|Dương|Lý|Lâm|Thạch|Sơn|Kim|Danh|Châu|"
    r"Trương|Đinh|Mai|Tô|Trịnh|Đoàn|Cao|Hà|Tạ|Quách|Lưu|Thái|La|Từ|Triệu|Lương|Đào|Phùng|Vương|Tăng|Diệp|Ông)"
    rf"\s+(?:Văn|Thị|Hữu|Đức|Ngọc|Minh|Thanh|Quốc|Hoàng|Xuân|Thành|Công|Quang|Tấn|Kim|Bá|Đình)\s+{_WORD}",
    re.I,
)
_NO_PERSON = re.compile(
    r"(?:Rịa|Nà|Đen|Điểm|Trưng|Triệu|Chiểu|Đốc|Hom|Nai|Chủ tịch|Bí thư|Trưởng|Phó|Mẹ|Hồ|Tô|Sơn)\b(?!\s+(?:Văn|Thị))",
    re.I,
)
_OFFICES = re.compile(
    r"(?:UBND|HĐND|UBMTTQ|Phòng|Sở|Ban|Bộ|Ủy|Hội|Chi|Đảng|Văn phòng|Chánh|Giám|Thư|Lãnh|Cán|Công|Viên|TTHC|CCHC|Nhà|"
    r"Việt|Nam|Quốc)\b",
    re.I,
)


def _names_somebody(text: str) -> Iterator[bool]:
    for pattern in (_STRICT, _LOOSE):
        for match in pattern.finditer(text):
            name = match[1]
            if not (_AFTER_A_PLACE.search(text[: match.start()]) or _NO_PERSON.match(name) or _OFFICES.match(name)):
                yield True
    for match in _FULL_NAME.finditer(text):
        written = match[0]
        cased = written.isupper() or all(word[0].isupper() for word in written.split())
        if cased and not _AFTER_A_PLACE.search(text[: match.start()]):
            yield True

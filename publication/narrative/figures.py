"""Figures in a sentence: counts, ratios, percentages and statements of zero, each with the words around it.

Belongs here: which numbers are figures at all, how they are written, what noun they count, which words speak of
them. Does not belong here: which form row they are about (``claims``), whether they are right (``verdicts``).

Not figures: dates, years, durations, numbers of documents, laws, standards, lists, levels of service, and numbers
that are part of a name (``xã An Thạnh 1``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from publication.narrative.numerals import in_words
from publication.narrative.text import Sentence, Token, phrase, places, tokens

COUNT, RATIO, PERCENT, ZERO = "count", "ratio", "percent", "zero"

_WHOLE = re.compile(r"[0-9]+")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})+")
_DECIMAL = re.compile(r"([0-9]+)[.,]([0-9]+)")
_GROUPED_DECIMAL = re.compile(r"([0-9]{1,3}(?:\.[0-9]{3})+),([0-9]+)")
_HARD = frozenset(';()[]“”"')
#: Where words that follow a figure may pass to the next one: rather at the first kind, else at the second.
_BREAKS = (frozenset(phrase("và với cùng trong còn gồm đạt chiếm tăng giảm")), frozenset(phrase("đã đang có")))
#: Words after a number that are no noun, so that what it counts is not said.
_NO_NOUN = frozenset(phrase("và với cùng trong còn gồm đạt chiếm tăng giảm đã đang có được chưa không so theo tại ở"))
#: The unit of a figure that counts something no claim knows.
OTHER_UNIT = "?"
_BEFORE_DATE = frozenset(phrase("ngày tháng năm quý kỳ giai đoạn lúc"))
_TIMES = frozenset(phrase("ngày tháng năm giờ phút tuần quý"))
_BEFORE_NAME = frozenset(
    phrase(
        "điều khoản điểm chương mục dòng mẫu biểu phụ lục iso tcvn qcvn mức độ cấp lần thứ khóa nhiệm kỳ đợt phiên số "
        "điện thoại ấp khu khóm thôn phường"
    )
)
_LAW = frozenset(phrase("nghị định quyết định kế hoạch chỉ thị thông tư công văn nghị quyết luật"))
_HEDGES = {
    word: phrase(word)
    for word in (
        "khoảng",
        "gần",
        "hơn",
        "trên",
        "xấp xỉ",
        "ít nhất",
        "tối thiểu",
        "dưới",
        "không quá",
        "tối đa",
    )
}
_FROM, _TO = phrase("từ đến")
#: Before a number in words that is a word of its own as well: "năm" is a year, "một" also "a".
_BEFORE_FIVE = frozenset(phrase("có là gồm được với còn thêm khoảng đã"))
_BEFORE_ONE = frozenset(phrase("có là chỉ còn"))
_ONE, _FIVE, _EACH = phrase("một năm mỗi")
_EACH_WITHIN = 5
_NUMERALS = frozenset(phrase("không một mốt hai ba bốn tư năm lăm sáu bảy tám chín mười mươi trăm nghìn ngàn linh lẻ"))
_AND, _NUMBER, _TOTAL, _IS = phrase("và số tổng là")
_PER_CENT = phrase("phần trăm")
#: "Tự chủ 100% chi thường xuyên" names a group of units.
_SPENDING = phrase("chi")[0]
_OF = tuple(phrase(text) for text in ("trên tổng số", "trong tổng số", "trên tổng", "trên"))
_ZERO_STATEMENTS = tuple(
    phrase(text)
    for text in (
        "không phát sinh",
        "chưa phát sinh",
        "không ban hành",
        "chưa ban hành",
        "không để xảy ra",
        "không xảy ra",
        "không phát hiện",
        "chưa phát hiện",
        "không tiếp nhận",
        "chưa tiếp nhận",
        "không nhận được",
        "chưa nhận được",
        "không có",
        "chưa có",
        "không còn",
        "không thực hiện",
        "không tuyển dụng",
        "không tinh giản",
    )
)
#: These say zero only of something counted: "không còn hồ sơ", but not "không còn phù hợp".
_NEEDS_UNIT = frozenset({phrase("không còn"), phrase("chưa có"), phrase("không thực hiện")})
_ZERO_FILLERS = frozenset(phrase("trường hợp nào bất kỳ tình trạng việc"))


@dataclass(frozen=True)
class Figure:
    """One figure of a sentence.

    ``value`` (and ``whole`` for a ratio ``value/whole``) is what is written, ``decimals`` how many places of it.
    ``unit`` names the noun counted, "" where none follows, ``OTHER_UNIT`` where an unknown one does. ``left`` and
    ``right`` are the keys of the words that speak of this figure only; ``alone``: of these, none but its noun comes
    after it. ``least`` is the lower end of a range,
    ``value`` then the upper. ``start`` and ``end`` are places in the sentence.
    """

    text: str
    kind: str
    value: Decimal
    whole: Decimal | None
    decimals: int
    hedge: str
    unit: str
    start: int
    end: int
    left: tuple[str, ...]
    right: tuple[str, ...]
    alone: bool
    least: Decimal | None = None

    @property
    def near(self) -> tuple[str, ...]:
        """All words that speak of this figure alone."""
        return self.left + self.right


@dataclass(frozen=True)
class _Found:
    """A figure's own tokens: the number itself spans ``first`` to ``last``, its unit ends before ``after``."""

    kind: str
    value: Decimal
    whole: Decimal | None
    decimals: int
    first: int
    last: int
    unit: str
    after: int
    least: Decimal | None = None


class Units:
    """The nouns that figures count, by the name of the unit."""

    def __init__(self, nouns: Mapping[str, Sequence[str]]) -> None:
        known = [(phrase(noun), unit) for unit, listed in nouns.items() for noun in listed]
        self._nouns = sorted(known, key=lambda noun: (-len(noun[0]), noun))

    def at(self, words: Sequence[Token], place: int) -> tuple[str, int]:
        """The unit whose noun begins here and where the noun (and what is listed with it) ends; "" where none does."""
        unit, end = self._one(words, place)
        while unit:
            following = end + 1 if end < len(words) and words[end].key in (",", _AND) else end
            again, further = self._one(words, following)
            if again != unit:
                break
            end = further
        return unit, end

    def _one(self, words: Sequence[Token], place: int) -> tuple[str, int]:
        for noun, unit in self._nouns:
            if tuple(token.key for token in words[place : place + len(noun)]) == noun:
                return unit, place + len(noun)
        return "", place


def figures(sentence: Sentence, units: Units) -> list[Figure]:
    """The figures of a sentence, in order."""
    words = tokens(sentence.text)
    found = _numbers(sentence.text, words, units)
    taken = {place for one in found for place in range(one.first, one.last + 1)}
    found += [zero for zero in _zeros(words, units) if zero.first not in taken]
    found.sort(key=lambda one: one.first)
    result = []
    left_from = 0
    for position, one in enumerate(found):
        following = found[position + 1].first if position + 1 < len(found) else None
        begin = max([left_from, *(place + 1 for place in range(one.first) if words[place].key in _HARD)])
        end = _right_end(words, one, following)
        left_from = max(end, one.last + 1)
        own = words[one.first : one.last + 1] if one.kind == ZERO else ()
        result.append(
            Figure(
                text=sentence.text[words[one.first].start : words[one.last].end],
                kind=one.kind,
                value=one.value,
                whole=one.whole,
                decimals=one.decimals,
                hedge=_hedge(words, one.first),
                unit=one.unit,
                start=words[one.first].start,
                end=words[one.last].end,
                left=tuple(token.key for token in words[begin : one.first] if token.kind != "sign"),
                right=tuple(token.key for token in (*own, *words[one.last + 1 : end]) if token.kind != "sign"),
                alone=not any(token.kind != "sign" for token in words[one.after : end]),
                least=one.least,
            )
        )
    return result


def _right_end(words: Sequence[Token], one: _Found, following: int | None) -> int:
    """Where the words that speak of this figure end, and those of the next begin."""
    stop = len(words) if following is None else following
    for place in range(one.last + 1, stop):
        if words[place].key in _HARD:
            stop = place
            break
    for place in range(one.after, stop):
        if words[place].key in (",", ":") or words[place].key == ".":
            return place
    if following is not None and stop == following:
        for breaks in _BREAKS:
            for place in range(one.after, stop):
                if words[place].key in breaks:
                    return place
    return stop


def _hedge(words: Sequence[Token], first: int) -> str:
    before = words[first - 1].key if first else ""
    return next((hedge for hedge, keys in _HEDGES.items() if keys[-1] == before), "")


# --- numbers --------------------------------------------------------------------------------------------------------


def _numbers(text: str, words: Sequence[Token], units: Units) -> list[_Found]:
    found: list[_Found] = []
    place = 0
    while place < len(words):
        one = _number_at(text, words, place, units) if words[place].is_number else _in_words(words, place, units)
        if one is not None:
            found.append(_ranged(found, words, one))
        place = one.last + 1 if one else _after_number(text, words, place)
    return found


def _number_at(text: str, words: Sequence[Token], place: int, units: Units) -> _Found | None:
    """The figure that begins at a number, None where the number is no figure."""
    first = place
    digits, last = _spaced_digits(text, words, place)
    written = _written(digits)
    if written is None or _is_glued(text, words, first, last):
        return None
    value, decimals = written
    share = _share(words, last)
    if share is not None:
        if _is_named(words, first, "") or [t.key for t in words[share + 1 : share + 2]] == [_SPENDING]:
            return None
        return _Found(PERCENT, value, None, decimals, first, share, "%", share + 1)
    whole = _whole_of(text, words, last)
    unit, after = units.at(words, _after_numerals(words, (whole[1] if whole else last) + 1))
    if _is_time(words, first, after if unit else last + 1, unit) or _is_named(words, first, unit):
        return None
    if whole is not None:
        if not unit and words[first - 1].key in _BEFORE_DATE:
            return None
        return _Found(RATIO, value, whole[0], 0, first, whole[1], unit or _other_unit(words, after), after)
    if not unit and (_is_year(words, first) or _is_in_name(text, words, first)):
        return None
    # A count has no decimals, so "1,145 hồ sơ" is one thousand and more.
    if unit and _GROUPED.fullmatch(digits):
        value, decimals = Decimal(re.sub(r"[.,]", "", digits)), 0
    return _Found(COUNT, value, None, decimals, first, last, unit or _other_unit(words, after), after)


def _ranged(found: list[_Found], words: Sequence[Token], one: _Found) -> _Found:
    """``từ 10 đến 15 hồ sơ`` is one figure; its lower end is taken from what was found before."""
    lower = found[-1] if found else None
    joined = lower is not None and lower.first > 0 and words[lower.first - 1].key == _FROM
    if (
        lower is None
        or not joined
        or one.kind != COUNT
        or lower.kind != COUNT
        or lower.value > one.value
        or [token.key for token in words[lower.after : one.first]] != [_TO]
    ):
        return one
    found.pop()
    return replace(one, first=lower.first, least=lower.value)


def _in_words(words: Sequence[Token], place: int, units: Units) -> _Found | None:
    """A number in words, of which only one that counts a known noun is a figure (``năm hồ sơ``)."""
    read = in_words(words, place)
    if read is None:
        return None
    value, last = read
    before = words[place - 1].key if place else ""
    if before in _BEFORE_NAME | _BEFORE_DATE or (place == last and not _counts(words, place, before)):
        return None
    kind, whole = COUNT, None
    for words_between in _OF:
        end = last + 1 + len(words_between)
        more = in_words(words, end) if tuple(t.key for t in words[last + 1 : end]) == words_between else None
        if more is not None:
            kind, (whole, last) = RATIO, more
            break
    unit, after = units.at(words, last + 1)
    return _Found(kind, value, whole, 0, place, last, unit, after) if unit else None


def _counts(words: Sequence[Token], place: int, before: str) -> bool:
    """Whether a single word for a number is meant as one."""
    if words[place].key == _FIVE:
        return before in _BEFORE_FIVE
    if words[place].key == _ONE:
        lately = [token.key for token in words[max(0, place - _EACH_WITHIN) : place]]
        return before in _BEFORE_ONE and _EACH not in lately
    return True


def _other_unit(words: Sequence[Token], after: int) -> str:
    """``OTHER_UNIT`` where a noun follows that is none of the known ones."""
    follows = after < len(words) and words[after].kind == "word" and words[after].key not in _NO_NOUN
    return OTHER_UNIT if follows else ""


def _is_in_name(text: str, words: Sequence[Token], first: int) -> bool:
    """A number after a capitalised word within a sentence is part of a name (``xã An Thạnh 1``)."""
    before = text[words[first - 1].start : words[first - 1].end] if first > 1 else ""
    return before[:1].isupper() and not before.isupper()


def _after_number(text: str, words: Sequence[Token], place: int) -> int:
    """The token after this one; of a number that is no figure, after what is glued to it (``15/3/2023``)."""
    end = place
    while (
        words[place].is_number
        and end + 1 < len(words)
        and words[end].end == words[end + 1].start
        and (words[end].key in "/-:" or words[end + 1].key in "/-:")
    ):
        end += 1
    return end + 1


def _spaced_digits(text: str, words: Sequence[Token], place: int) -> tuple[str, int]:
    """The digits of a number whose thousands may stand apart (``1 145``), and its last token."""
    digits, last = words[place].key, place
    while (
        len(words[place].key) <= 3
        and words[place].key != "0"
        and last + 1 < len(words)
        and re.fullmatch(r"[0-9]{3}(?:,[0-9]+)?", words[last + 1].key)
        and text[words[last].end : words[last + 1].start] == " "
        and "," not in digits
    ):
        digits, last = f"{digits}.{words[last + 1].key}", last + 1
    return digits, last


def _written(digits: str) -> tuple[Decimal, int] | None:
    """Value and number of decimals of a number as written; None where it is no number (``7.1.2``)."""
    if _WHOLE.fullmatch(digits):
        return Decimal(digits), 0
    if match := _GROUPED_DECIMAL.fullmatch(digits):
        return Decimal(f"{match[1].replace('.', '')}.{match[2]}"), len(match[2])
    if _GROUPED.fullmatch(digits) and "," not in digits:
        return Decimal(digits.replace(".", "")), 0
    if match := _DECIMAL.fullmatch(digits):
        return Decimal(f"{match[1]}.{match[2]}"), len(match[2])
    return None


def _share(words: Sequence[Token], last: int) -> int | None:
    """The last token of the per cent sign or words that follow; None where none do."""
    if last + 1 < len(words) and words[last + 1].key == "%":
        return last + 1
    if tuple(token.key for token in words[last + 1 : last + 3]) == _PER_CENT:
        return last + 2
    return None


def _whole_of(text: str, words: Sequence[Token], last: int) -> tuple[Decimal, int] | None:
    """The whole of ``8/20`` or ``8 trên tổng số 20`` and its last token."""
    after = last + 1
    if after + 1 < len(words) and words[after].key == "/" and words[after + 1].is_number:
        digits, end = _spaced_digits(text, words, after + 1)
        written = _written(digits)
        return (written[0], end) if written and not written[1] else None
    for words_between in _OF:
        end = after + len(words_between)
        if end < len(words) and words[end].is_number and tuple(t.key for t in words[after:end]) == words_between:
            written = _written(words[end].key)
            return (written[0], end) if written and not written[1] else None
    return None


def _after_numerals(words: Sequence[Token], place: int) -> int:
    """Past the number in words that offices put in brackets: ``05 (năm) hồ sơ``."""
    if place < len(words) and words[place].key == "(":
        end = place + 1
        while end < len(words) and words[end].key in _NUMERALS:
            end += 1
        if place + 1 < end < len(words) and words[end].key == ")":
            return end + 1
    return place


def _is_glued(text: str, words: Sequence[Token], first: int, last: int) -> bool:
    """Whether the number is part of a document's number, a date, a range or a word (``03/KH-UBND``, ``15/3/2023``)."""
    before = text[words[first].start - 1 : words[first].start]
    if before.isalnum() or (before in ("/", "-", "–", ":", "_") and _joins(text, words[first].start - 2)):
        return True
    rest = text[words[last].end :]
    return bool(re.match(r"\s?/\s?[^\W\d_]|/\d+/|[-–:]\d|[^\W\d_]|\s?[-–]\s?(?:19|20)\d\d", rest))


def _joins(text: str, place: int) -> bool:
    return place >= 0 and text[place].isalnum()


def _is_time(words: Sequence[Token], first: int, after: int, unit: str) -> bool:
    """A day, a month, a year, or how long something took."""
    before = words[first - 1].key if first else ""
    if before in _BEFORE_DATE and not unit:
        return True
    return not unit and after < len(words) and words[after].key in _TIMES


def _is_named(words: Sequence[Token], first: int, unit: str) -> bool:
    """A number that names something: an article, a level, a document, a commune."""
    if first == 0:
        return False
    before = words[first - 1].key
    if before == _NUMBER:
        # "Tổng số 15 thủ tục" counts; "Nghị quyết số 18" names.
        named = first >= 2 and words[first - 2].key in _LAW
        return named or (not unit and not (first >= 2 and words[first - 2].key == _TOTAL))
    if before in (",", _AND) and first >= 2 and words[first - 2].is_number and not unit:
        return first >= 3 and words[first - 3].key in _BEFORE_NAME
    return not unit and before in _BEFORE_NAME


def _is_year(words: Sequence[Token], first: int) -> bool:
    """A bare number like 2023, unless a sentence says that something comes to it (``được giao là 2023``)."""
    is_stated = first > 0 and words[first - 1].key in (_IS, ":")
    return not is_stated and bool(re.fullmatch(r"(?:19|20)[0-9]{2}", words[first].key))


# --- statements of zero ---------------------------------------------------------------------------------------------


def _zeros(words: Sequence[Token], units: Units) -> list[_Found]:
    keys = [token.key for token in words]
    found: dict[int, _Found] = {}
    for statement in _ZERO_STATEMENTS:
        for place in places(keys, statement):
            after = place + len(statement)
            while after < len(keys) and keys[after] in _ZERO_FILLERS:
                after += 1
            unit, end = units.at(words, after)
            if unit or statement not in _NEEDS_UNIT:
                found.setdefault(
                    place, _Found(ZERO, Decimal(0), None, 0, place, place + len(statement) - 1, unit, max(end, after))
                )
    return list(found.values())

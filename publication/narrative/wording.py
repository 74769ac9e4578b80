"""How a report words what it says: days up to which it counted, indexes of years, spelling, names, repetitions.

Belongs here: what can be seen in a sentence without any figure. Does not belong here: documents (``documents``),
statements that rows deny (``statements``).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from common.declared import read_yaml
from publication.formatting import format_date
from publication.narrative.claims import declarations, is_goal
from publication.narrative.remarks import DAY, TextRemark, Window, holds_any, keys_of, quoted, words_of
from publication.narrative.text import Sentence, Token, key_of, phrase, places

_DECLARATIONS = Path(__file__).with_name("wording.yml")
#: Repetitions are looked for over at least two and at most seven words: single words are doubled rightly.
_REPEATED = range(7, 1, -1)
_PAIR = 2


class Words(BaseModel):
    """The whole of ``wording.yml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    misspelt: dict[str, str]
    renamed: dict[str, str]
    unless: tuple[str, ...]
    index_names: tuple[str, ...]
    index_published: tuple[str, ...]
    index_planned: tuple[str, ...]


@lru_cache(maxsize=1)
def declared_words() -> Words:
    """The declared words. Raises pydantic.ValidationError when the file is not what it should be."""
    return Words.model_validate(read_yaml(_DECLARATIONS))


_UNTIL = re.compile(
    r"(?P<counted>tính đến|tính tới|số liệu(?: được)?(?: tổng hợp| thống kê)? đến"
    r"|(?:tổng hợp|thống kê)(?: số liệu)? đến|chốt(?: số liệu)?(?: đến)?|đến hết|đến thời điểm"
    r"|cập nhật đến|lũy kế đến)\s+"
    r"(?:(?:hết|thời điểm|cuối)\s+)*(?:ngày\s+)?" + DAY.format("a"),
    re.IGNORECASE,
)
_FROM_TO = re.compile(
    r"từ ngày\s+" + DAY.format("b") + r"\s*(?:đến|-|–)\s*(?:hết\s+)?(?:ngày\s+)?" + DAY.format("a"), re.IGNORECASE
)


_MONTH_END = re.compile(
    r"(?:tính đến|tính tới|số liệu đến|lũy kế đến)\s+(?:hết|cuối)\s+tháng\s+"
    r"(?P<m>\d{1,2})(?:\s?/\s?|\s+năm\s+)(?P<y>\d{4})",
    re.IGNORECASE,
)
_DECEMBER = 12
#: "Đến hết ngày" is also how a term is set; with one of these words, it is.
_TERM = ("sẽ", "phải", "kế hoạch", "thời hạn", "hạn chót", "yêu cầu", "hoàn thành việc", "chậm nhất")


def days_outside(sentence: Sentence, window: Window | None) -> Iterator[TextRemark]:
    """Days up to which something was counted, that lie before or after the window."""
    if window is None or is_goal(sentence) or holds_any(keys_of(sentence.text), declarations().comparisons):
        return
    for text, day in _days_counted_to(sentence.text, window):
        if not window.opens_on <= day <= window.closes_on:
            yield TextRemark(
                "as_of_day",
                sentence.number,
                sentence.line,
                text,
                f"ngày {format_date(day)} nằm ngoài kỳ báo cáo, từ {format_date(window.opens_on)} đến "
                f"{format_date(window.closes_on)}",
            )


def _days_counted_to(text: str, window: Window) -> Iterator[tuple[str, dt.date]]:
    known_starts: set[int] = set()
    term = holds_any(keys_of(text), _TERM)
    for pattern in (_FROM_TO, _UNTIL):
        for match in pattern.finditer(text):
            sets_a_term = term and match.groupdict().get("counted", "").lower() == "đến hết"
            day = _day(match["ad"], match["am"], match["ay"], window)
            if day is not None and not sets_a_term and match.start("ad") not in known_starts:
                known_starts.add(match.start("ad"))
                yield match[0], day
    for match in _MONTH_END.finditer(text):
        month, year = int(match["m"]), int(match["y"])
        if 1 <= month <= _DECEMBER:
            yield match[0], dt.date(year, month, calendar.monthrange(year, month)[1])


def _day(day: str, month: str, year: str | None, window: Window) -> dt.date | None:
    """The day written; without a year, the one nearest to the closing day. None where there is no such day."""
    years = [int(year)] if year else [window.closes_on.year, window.closes_on.year - 1]
    found = []
    for candidate in years:
        try:
            found.append(dt.date(candidate, int(month), int(day)))
        except ValueError:
            continue
    return min(found, key=lambda one: abs(one - window.closes_on), default=None)


_INDEX_REACH = 16


def early_indexes(sentence: Sentence, window: Window | None) -> Iterator[TextRemark]:
    """An index or ranking that is told or announced of a year that has not ended by the closing day."""
    declared = declared_words()
    keys = keys_of(sentence.text)
    if window is None or holds_any(keys, declared.index_planned) or not holds_any(keys, declared.index_published):
        return
    for name in declared.index_names:
        for place in places(keys, phrase(name)):
            following = keys[place : place + _INDEX_REACH]
            for at in places(following, phrase("năm")):
                year = following[at + 1] if at + 1 < len(following) else ""
                if (
                    re.fullmatch(r"20\d\d", year)
                    and following[at - 1] != phrase("trong")[0]
                    and dt.date(int(year), 12, 31) > window.closes_on
                ):
                    yield TextRemark(
                        "index_year",
                        sentence.number,
                        sentence.line,
                        f"{name} … năm {year}",
                        f"năm {year} chưa kết thúc vào ngày {format_date(window.closes_on)} nên chưa thể có "
                        "chỉ số của năm ấy",
                    )
                    return


def misspelt(sentence: Sentence) -> Iterator[TextRemark]:
    """Wrong words, names that the form gives otherwise, words that stand twice in a row."""
    declared = declared_words()
    words = words_of(sentence.text)
    # As typed: a key would make one word of "kỹ" and "kĩ", and of what offices shorten.
    typed = tuple(word.lower() for word in re.findall(r"[^\W\d_]+", sentence.text))
    for wrong, right in declared.misspelt.items():
        if places(typed, tuple(wrong.split())):
            yield TextRemark("wording", sentence.number, sentence.line, wrong, f"có lẽ là “{right}”")
    elsewhere = any(places(typed, tuple(words_.split())) for words_ in declared.unless)
    for other, name in declared.renamed.items():
        if places(typed, tuple(other.split())) and not elsewhere:
            yield TextRemark("wording", sentence.number, sentence.line, other, f"biểu gọi là “{name}”")
    for span in _repeated(sentence.text, words):
        yield TextRemark("wording", sentence.number, sentence.line, quoted(sentence.text, words, span), "viết lặp")


def _repeated(text: str, words: Sequence[Token]) -> list[tuple[int, int]]:
    """The longest words that stand twice in a row with no sign between, or twice about an "and"."""
    keys = [word.key for word in words]
    link = key_of("và")
    for length in _REPEATED:
        for begin in range(len(keys) - 2 * length + 1):
            once, after = keys[begin : begin + length], begin + length
            if any(key.isdigit() for key in once):
                continue
            if length > _PAIR and keys[after] == link:
                after += 1
            end = after + length
            if once == keys[after:end]:
                between = text[words[begin + length - 1].end : words[after].start].strip()
                if between in ("", "và"):
                    return [(begin, end)]
    return []

"""What a report says beside its figures: statements without a number, days, document symbols, indexes, wording.

Belongs here: finding them in sentences and laying them against the release. Does not belong here: figures
(``figures``, ``claims``), what blocks (``expectations``).

Kinds: ``statement`` contradicts a row; ``doubt`` may have an innocent cause; ``as_of_day`` lies outside the quarter's
window; ``document_symbol`` is not of the form of Decree 30/2020; ``document_date`` gives one document two days;
``document_list``: form and text name different documents; ``index_year``: an index of a year that has not ended;
``wording``: misspelt, repeated, or another name than the form's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from expectations import spoilt_symbols
from publication.formatting import format_date, format_number
from publication.narrative.claims import declarations, is_goal, level_before
from publication.narrative.published import PublishedFigures, parse
from publication.narrative.text import Sentence, Token, key_of, phrase, places, tokens

_DECLARATIONS = Path(__file__).with_name("statements.yml")
_GAP, _GAP_WORDS = "…", 4
_NEGATIONS = frozenset(phrase("không chưa chẳng hết tránh"))
_NEGATED_WITHIN = 2
_QUOTED_WORDS = 14
#: Repetitions are looked for over at least two and at most seven words: single words are doubled rightly.
_REPEATED = range(7, 1, -1)
_PAIR = 2

Condition = Literal["zero", "positive", "hundred"]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Statement(_Declared):
    """Words that deny what rows say. ``scope``: only where this level was named last before them.

    ``about``: one of these is in the sentence or its headings too. ``in_goals``: also where aims are told.
    ``explained_by``: decisions of this action explain why the rows say otherwise, so that only a doubt is left.
    """

    id: str
    example: str
    says: tuple[str, ...]
    about: tuple[str, ...] = ()
    scope: str | None = None
    in_goals: bool = False
    when: dict[str, Condition]
    explained_by: str | None = None
    doubt: bool = False
    message_vi: str

    @model_validator(mode="after")
    def _can_be_evaluated(self) -> Statement:
        for expression in self.when:
            parse(expression)
        return self

    @property
    def rows(self) -> tuple[str, ...]:
        """Indicator codes that the statement is about."""
        terms = [term for expression in self.when for side in parse(expression) for term in side]
        return tuple(dict.fromkeys(term.source for term in terms if "." in term.source))


class Statements(_Declared):
    """The whole of ``statements.yml``."""

    statements: tuple[Statement, ...]
    unmentioned: dict[str, str]
    misspelt: dict[str, str]
    renamed: dict[str, str]
    unless: tuple[str, ...]
    index_names: tuple[str, ...]
    index_published: tuple[str, ...]
    index_planned: tuple[str, ...]


@dataclass(frozen=True)
class Remark:
    """One remark on a sentence: its kind, the words concerned, what is wrong with them, the rows to look at.

    ``sentence_no`` and ``line`` are 0 where the report as a whole is meant.
    """

    kind: str
    sentence_no: int
    line: int
    text: str
    message_vi: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Window:
    """The quarter reported on: its first and closing day, and the first day of its year."""

    opens_on: dt.date
    closes_on: dt.date
    year_opens_on: dt.date


@lru_cache(maxsize=1)
def declared_statements() -> Statements:
    """The declared statements. Raises pydantic.ValidationError when the file is not what it should be."""
    return Statements.model_validate(yaml.safe_load(_DECLARATIONS.read_text(encoding="utf-8")))


def remarks_on(said: Sequence[Sentence], published: PublishedFigures, window: Window | None,
               decided: frozenset[str] = frozenset(), by_people: frozenset[int] | None = None) -> list[Remark]:
    """All remarks on a report's sentences, in reading order, those on the whole last.

    ``window``: None where the release does not say when the quarter closes. ``decided``: actions of decisions that
    took effect (``count_as_on_time``). ``by_people``: lines that people wrote; None: all of them.
    """
    found: list[Remark] = []
    for sentence in said:
        found += remarks_on_sentence(sentence, published, window, decided)
    found += _document_dates(said, published)
    found += _document_lists(said, published)
    found += _unmentioned([one for one in said if by_people is None or one.line in by_people], published)
    return found


def remarks_on_sentence(sentence: Sentence, published: PublishedFigures, window: Window | None,
                        decided: frozenset[str] = frozenset()) -> list[Remark]:
    """The remarks that a sentence calls for by itself."""
    return [*_statements(sentence, published, decided), *remarks_on_words(sentence, window)]


def remarks_on_words(sentence: Sentence, window: Window | None) -> list[Remark]:
    """The remarks on a text that do not depend on figures: symbols, days, indexes, wording."""
    return [*_symbols(sentence), *_days(sentence, window), *_indexes(sentence, window), *_wording(sentence)]


# --- statements -----------------------------------------------------------------------------------------------------

def _statements(sentence: Sentence, published: PublishedFigures, decided: frozenset[str]) -> Iterator[Remark]:
    words = [token for token in tokens(sentence.text) if token.kind != "sign"]
    keys = [token.key for token in words]
    around = [*keys, *_keys(sentence.section), *_keys(sentence.earlier)]
    goal = is_goal(sentence)
    told: set[int] = set()
    for statement in declared_statements().statements:
        if (goal and not statement.in_goals) or (statement.about and not _any(around, statement.about)):
            continue
        span = _said(keys, statement.says)
        if span is None or span[0] in told or not _holds(statement, published):
            continue
        if statement.scope and statement.scope != level_before(sentence, words[span[0]].start):
            continue
        told.add(span[0])
        explained = statement.explained_by in decided
        reason = "; đã có quyết định tính các hồ sơ ấy là đúng hạn" if explained else ""
        yield Remark(
            "doubt" if statement.doubt or explained else "statement", sentence.number, sentence.line,
            _quoted(sentence.text, words, span), f"theo biểu, {statement.message_vi}{reason}", statement.rows,
        )


def _holds(statement: Statement, published: PublishedFigures) -> bool:
    return all(_is(published.value(expression), condition) for expression, condition in statement.when.items())


def _is(value: Fraction | None, condition: Condition) -> bool:
    """Whether a figure is what the condition says; a blank one is neither."""
    if value is None:
        return False
    return value > 0 if condition == "positive" else value == (0 if condition == "zero" else 100)


def _said(keys: Sequence[str], phrases: Sequence[str]) -> tuple[int, int] | None:
    """Where the first of the phrases stands that nothing before it denies; begin and end."""
    spans = [span for text in phrases for span in _spans(keys, text)]
    affirmed = [span for span in spans if not _NEGATIONS & set(keys[max(0, span[0] - _NEGATED_WITHIN) : span[0]])]
    return min(affirmed, default=None)


def _spans(keys: Sequence[str], text: str) -> Iterator[tuple[int, int]]:
    first, *others = _parts(text)
    for begin in places(keys, first):
        end: int | None = begin + len(first)
        for part in others:
            assert end is not None
            near = places(keys[end : end + _GAP_WORDS + len(part)], part)
            end = end + near[0] + len(part) if near else None
            if end is None:
                break
        if end is not None:
            yield begin, end


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(phrase(part) for part in text.split(_GAP))


def _unmentioned(said: Sequence[Sentence], published: PublishedFigures) -> Iterator[Remark]:
    """Rows that say that something was done of which the text has no word. A text of no sentence says nothing."""
    for code, words in declared_statements().unmentioned.items():
        value = published.value(code)
        if said and value and not any(places(_keys(one.text), phrase(words)) for one in said):
            yield Remark("doubt", 0, 0, words, f"theo biểu, dòng {_row_no(published, code)} ghi có, "
                         f"nhưng lời văn không nói về {words}", (code,))


# --- days -----------------------------------------------------------------------------------------------------------

_DAY = r"(?P<{0}d>\d{{1,2}})(?:\s?[/.-]\s?|\s+tháng\s+)(?P<{0}m>\d{{1,2}})(?:(?:\s?[/.-]\s?|\s+năm\s+)(?P<{0}y>\d{{4}}))?(?![\d/])"
_UNTIL = re.compile(
    r"(?:tính đến|tính tới|số liệu đến|chốt(?: số liệu)?(?: đến)?|đến hết|đến thời điểm|cập nhật đến|lũy kế đến)\s+"
    r"(?:(?:hết|thời điểm|cuối)\s+)*(?:ngày\s+)?" + _DAY.format("a"), re.IGNORECASE)
_FROM_TO = re.compile(
    r"từ ngày\s+" + _DAY.format("b") + r"\s*(?:đến|-|–)\s*(?:hết\s+)?(?:ngày\s+)?" + _DAY.format("a"), re.IGNORECASE)


def _days(sentence: Sentence, window: Window | None) -> Iterator[Remark]:
    """Days up to which something was counted, that lie before or after the window."""
    if window is None or is_goal(sentence) or _any(_keys(sentence.text), declarations().comparisons):
        return
    told: set[int] = set()
    for pattern in (_FROM_TO, _UNTIL):
        for match in pattern.finditer(sentence.text):
            day = _day(match["ad"], match["am"], match["ay"], window)
            if day is None or match.start("ad") in told:
                continue
            told.add(match.start("ad"))
            if not window.opens_on <= day <= window.closes_on:
                yield Remark(
                    "as_of_day", sentence.number, sentence.line, match[0],
                    f"ngày {format_date(day)} nằm ngoài kỳ báo cáo, từ {format_date(window.opens_on)} đến "
                    f"{format_date(window.closes_on)}")


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


# --- indexes --------------------------------------------------------------------------------------------------------

_OF_YEAR = re.compile(r"(?P<within>trong\s+)?\bnăm\s+(?P<year>20\d\d)\b", re.IGNORECASE)
_INDEX_REACH = 16


def _indexes(sentence: Sentence, window: Window | None) -> Iterator[Remark]:
    """An index or ranking that is told or announced of a year that has not ended by the closing day."""
    declared = declared_statements()
    keys = _keys(sentence.text)
    if window is None or _any(keys, declared.index_planned) or not _any(keys, declared.index_published):
        return
    for name in declared.index_names:
        for place in places(keys, phrase(name)):
            told = keys[place : place + _INDEX_REACH]
            for at in places(told, phrase("năm")):
                year = told[at + 1] if at + 1 < len(told) else ""
                if (re.fullmatch(r"20\d\d", year) and told[at - 1] != phrase("trong")[0]
                        and dt.date(int(year), 12, 31) > window.closes_on):
                    yield Remark("index_year", sentence.number, sentence.line, f"{name} … năm {year}",
                                 f"năm {year} chưa kết thúc vào ngày {format_date(window.closes_on)} nên chưa thể có "
                                 "chỉ số của năm ấy")
                    return


# --- documents ------------------------------------------------------------------------------------------------------

_CITED_DAY = re.compile(r"(?P<symbol>\d{1,5}/[A-ZĐ][\w-]*-UBND)\s*,?\s*ngày\s+" + _DAY.format("a"))
_OTHER_ISSUER = re.compile(r"^.{0,40}?(?:của\s+)?(?:UBND|Ủy ban nhân dân|Uỷ ban nhân dân)\s+(?:tỉnh|xã|thị trấn)", re.DOTALL)
_CITED = re.compile(
    r"(?P<kind>chỉ thị|nghị quyết|kết luận)\s+(?:số\s+)?(?P<number>\d{1,4})(?:/(?P<symbol>[\w-]+))?", re.IGNORECASE)
_OWN_SYMBOL = re.compile(r"\d{1,5}/(?:[A-ZĐ][\w]*-)?UBND(?:-[A-ZĐ]+)?")
_ISSUERS = {"thủ tướng": "Thủ tướng", "chủ tịch": "Chủ tịch UBND", "TTg": "Thủ tướng", "CTUBND": "Chủ tịch UBND"}


def _symbols(sentence: Sentence) -> Iterator[Remark]:
    for symbol in spoilt_symbols(sentence.text):
        yield Remark("document_symbol", sentence.number, sentence.line, symbol,
                     "số, ký hiệu văn bản không đúng thể thức (ví dụ đúng: 43/KH-UBND)")


def _document_dates(said: Sequence[Sentence], published: PublishedFigures) -> Iterator[Remark]:
    """Documents of the reporting unit that text and notes give different days."""
    days: dict[str, tuple[dt.date, str]] = {}
    texts = [(0, 0, f"ghi chú dòng {row.row_no}", str(row.values["note_vi"])) for row in published.rows.values()
             if row.values.get("note_vi")]
    texts += [(one.number, one.line, "lời văn", one.text) for one in said]
    for number, line, where, text in texts:
        for match in _CITED_DAY.finditer(text):
            if match["ay"] is None or _OTHER_ISSUER.match(text[match.end() :]):
                continue
            try:
                day = dt.date(int(match["ay"]), int(match["am"]), int(match["ad"]))
            except ValueError:
                yield Remark("document_date", number, line, match[0], "không có ngày này trong lịch")
                continue
            # Numbers begin anew each year, so one symbol of two years is two documents.
            symbol = f"{match['symbol']} {day.year}"
            known, place = days.setdefault(symbol, (day, where))
            if known != day:
                yield Remark("document_date", number, line, match[0],
                             f"{place} ghi văn bản này ngày {format_date(known)}")


def _document_lists(said: Sequence[Sentence], published: PublishedFigures) -> Iterator[Remark]:
    """Directives that the form's rows name beside those of the text, and how many own documents are named at all."""
    in_text = {cited for one in said for cited in _cited(one.text)}
    for row in published.rows.values():
        named = _cited(str(row.values.get("indicator_name_corrected_vi") or row.values["indicator_name_vi"]))
        missing = sorted(set(named) - in_text)
        if missing and in_text & set(named):
            listed = ", ".join(f"{kind} {number} của {issuer}" for kind, number, issuer in missing)
            yield Remark("document_list", 0, 0, listed, f"dòng {row.row_no} của biểu nêu {listed}; lời văn không nêu",
                         (row.code,))
    issued = published.value("I.05") if "I.05" in published.rows else None
    notes = [str(row.values["note_vi"]) for row in published.rows.values() if row.values.get("note_vi")]
    own = {match[0] for text in (*(one.text for one in said), *notes) for match in _OWN_SYMBOL.finditer(text)}
    if said and issued is not None and issued > len(own):
        yield Remark("document_list", 0, 0, f"{format_number(int(issued))} văn bản chỉ đạo",
                     f"dòng {_row_no(published, 'I.05')} ghi {format_number(int(issued))} văn bản chỉ đạo; lời văn và "
                     f"ghi chú chỉ nêu số, ký hiệu của {len(own)} văn bản, cần có danh mục", ("I.05",))


def _cited(text: str) -> list[tuple[str, str, str]]:
    """Kind, number and issuer of the directives a text names; the issuer is the next that is named, or the symbol's."""
    found = []
    for match in _CITED.finditer(text.replace("Chi thị", "Chỉ thị")):
        following = text[match.end() :].lower()
        known = [(following.find(word), issuer) for word, issuer in _ISSUERS.items() if word.islower()]
        by_words = min(((place, issuer) for place, issuer in known if place >= 0), default=(0, ""))[1]
        by_symbol = next((issuer for sign, issuer in _ISSUERS.items() if match["symbol"] and sign in match["symbol"]), "")
        if by_symbol or by_words:
            found.append((match["kind"].capitalize(), match["number"].lstrip("0"), by_symbol or by_words))
    return found


# --- wording --------------------------------------------------------------------------------------------------------

def _wording(sentence: Sentence) -> Iterator[Remark]:
    declared = declared_statements()
    words = [token for token in tokens(sentence.text) if token.kind != "sign"]
    # As typed: a key would make one word of "kỹ" and "kĩ", and of what offices shorten.
    typed = tuple(word.lower() for word in re.findall(r"[^\W\d_]+", sentence.text))
    for wrong, right in declared.misspelt.items():
        if places(typed, tuple(wrong.split())):
            yield Remark("wording", sentence.number, sentence.line, wrong, f"có lẽ là “{right}”")
    for other, name in declared.renamed.items():
        if places(typed, tuple(other.split())) and not any(places(typed, tuple(one.split())) for one in declared.unless):
            yield Remark("wording", sentence.number, sentence.line, other, f"biểu gọi là “{name}”")
    for span in _repeated(sentence.text, words):
        yield Remark("wording", sentence.number, sentence.line, _quoted(sentence.text, words, span), "viết lặp")


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


# --- shared ---------------------------------------------------------------------------------------------------------

def _row_no(published: PublishedFigures, code: str) -> int:
    return published.rows[code].row_no


def _quoted(text: str, words: Sequence[Token], span: tuple[int, int]) -> str:
    return text[words[span[0]].start : words[min(span[1], span[0] + _QUOTED_WORDS) - 1].end]


def _any(keys: Sequence[str], phrases: Sequence[str]) -> bool:
    return any(places(keys, phrase(text)) for text in phrases)


def _keys(text: str) -> tuple[str, ...]:
    return tuple(token.key for token in tokens(text) if token.kind != "sign")


def window_of(quarters: Sequence[Mapping[str, object]], quarter: str) -> Window | None:
    """The window of a quarter by rows of ``dim_quarter``; None where they do not know it."""
    row = next((row for row in quarters if row["quarter"] == quarter), None)
    if row is None:
        return None
    opens, closes, year = (row[name] for name in ("opens_on", "closes_on", "year_opens_on"))
    assert isinstance(opens, dt.date) and isinstance(closes, dt.date) and isinstance(year, dt.date)
    return Window(opens, closes, year)

"""Remarks on the text of a report beside its figures: what one is, and what time they are made against.

Belongs here: the shape of a remark, the window of a quarter, words shared by what makes remarks. Does not belong here:
finding any (``statements``, ``documents``, ``wording``), what blocks (``expectations``).

Kinds: ``statement`` contradicts a row; ``doubt`` may have an innocent cause; ``as_of_day`` lies outside the quarter's
window; ``document_symbol`` is not of the form of Decree 30/2020; ``document_date`` gives one document two days;
``document_list``: form and text name different documents; ``index_year``: an index of a year that has not ended;
``wording``: misspelt, repeated, or another name than the form's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from publication.narrative.text import Token, phrase, places, tokens

#: A day as written, with or without its year; groups ``<prefix>d``, ``<prefix>m``, ``<prefix>y``.
DAY = (
    r"(?P<{0}d>\d{{1,2}})(?:\s?[/.-]\s?|\s+tháng\s+)(?P<{0}m>\d{{1,2}})"
    r"(?:(?:\s?[/.-]\s?|\s+năm\s+)(?P<{0}y>\d{{4}}))?(?![\d/])"
)
_QUOTED_WORDS = 14


@dataclass(frozen=True)
class TextRemark:
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


def window_of(quarters: Sequence[Mapping[str, object]], quarter: str) -> Window | None:
    """The window of a quarter by rows of ``dim_quarter``; None where they do not know it."""
    row = next((row for row in quarters if row["quarter"] == quarter), None)
    if row is None:
        return None
    opens, closes, year = (row[name] for name in ("opens_on", "closes_on", "year_opens_on"))
    if not (isinstance(opens, dt.date) and isinstance(closes, dt.date) and isinstance(year, dt.date)):
        raise TypeError("dim_quarter holds no days")
    return Window(opens, closes, year)


def words_of(text: str) -> list[Token]:
    """The words and numbers of a text, without signs."""
    return [token for token in tokens(text) if token.kind != "sign"]


def keys_of(text: str) -> tuple[str, ...]:
    """The keys of a text's words and numbers."""
    return tuple(token.key for token in words_of(text))


def holds_any(keys: Sequence[str], phrases: Sequence[str]) -> bool:
    """Whether one of the phrases stands among the keys."""
    return any(places(keys, phrase(text)) for text in phrases)


def quoted(text: str, words: Sequence[Token], span: tuple[int, int]) -> str:
    """The text from one word to another, as written, cut where it is long."""
    return text[words[span[0]].start : words[min(span[1], span[0] + _QUOTED_WORDS) - 1].end]

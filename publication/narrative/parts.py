"""Figures that are about less than the form's rows: one field, one commune, another body, another time.

Belongs here: seeing that a sentence speaks of a part, and of which. Does not belong here: the part's figures
(``published``), verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from common.quarters import ROMAN, quarter_number
from publication.narrative.claims import declarations, since_level
from publication.narrative.figures import Figure
from publication.narrative.published import PublishedFigures
from publication.narrative.text import Sentence, phrase, places, tokens

_FIELD, _YEAR, _MONTH, _DAY, _QUARTER = phrase("lĩnh vực"), *phrase("năm tháng ngày quý")
_ROMANS = tuple(map(str.lower, ROMAN))


@dataclass(frozen=True)
class Part:
    """What a figure is about in words, and the field and receiving unit where the release knows them.

    ``of_cases``: only figures of cases are told by field, so no other figure becomes one of a part by naming a field.
    """

    label_vi: str
    of_cases: bool = False
    field_vi: str | None = None
    unit_code: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether the release tells figures of this part."""
        return self.field_vi is not None or self.unit_code is not None


def part_of(figure: Figure, sentence: Sentence, published: PublishedFigures) -> Part | None:
    """The part that a figure is about; None where it is about the whole that the form counts."""
    preceding = _keys(sentence.section) + _keys(sentence.earlier) + _keys(sentence.text[: figure.start])
    words = _since_whole(preceding) + figure.right
    for body in declarations().other_bodies:
        if places(words, phrase(body)):
            return Part(body)
    if time := _other_time(figure, published.quarter):
        return Part(time)
    units = _named(since_level(_since_whole(preceding)) + figure.right, published.communes)
    fields = _named(figure.near, published.fields) or _named(words, published.fields)[-1:]
    if not units and not fields:
        return Part("một lĩnh vực", of_cases=True) if places(words, _FIELD) else None
    if len(set(units)) > 1 or len(set(fields)) > 1:
        return Part("nhiều đơn vị hoặc lĩnh vực cùng lúc", of_cases=not units)
    code, field = units[-1] if units else None, fields[-1] if fields else None
    names = [published.commune_names[code] if code else "", f"lĩnh vực {field}" if field else ""]
    return Part(", ".join(filter(None, names)), not units, field, code)


def _since_whole(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words after the last that speak of the whole again (``toàn huyện``, ``tổng số``)."""
    ends = [place + len(keys) for keys in map(phrase, declarations().wholes) for place in places(words, keys)]
    return words[max(ends, default=0) :]


def _other_time(figure: Figure, quarter: str) -> str:
    """Another year, quarter or a month named just before the figure; empty where none is."""
    year, number = quarter_number(quarter)
    own = (number, _ROMANS[int(number) - 1]) if number else ()
    for before, word in zip(figure.left, figure.left[1:], strict=False):
        if before == _YEAR and word.isdigit() and len(word) == len(year) and word != year:
            return f"năm {word}"
        if before == _QUARTER and word in (*_ROMANS, *"1234") and word not in own:
            return f"quý {word.upper()}"
        if before == _MONTH and word.isdigit() and _DAY not in figure.left:
            return f"tháng {word}"
    return ""


def _named(words: Sequence[str], known: Mapping[tuple[str, ...], str]) -> list[str]:
    """What is named among words, in order; a name within a longer one that is named there does not count."""
    found = [(place, place + len(keys), target) for keys, target in known.items() for place in places(words, keys)]
    return [
        target
        for begin, end, target in sorted(found)
        if not any(b <= begin and end <= e and e - b > end - begin for b, e, _ in found)
    ]


@lru_cache(maxsize=1024)
def _keys(text: str) -> tuple[str, ...]:
    return tuple(token.key for token in tokens(text) if token.kind != "sign")

"""Is what a figure says what the release holds?

Belongs here: comparing one figure with the expressions of its claim. Does not belong here: finding the claim
(``claims``), reading files, the order of an answer (``check``).

Equal means equal as written: a percentage is rounded half up to the decimals the report prints. ``hơn``, ``gần`` and
``khoảng`` allow a twentieth to their side, a share that is said to be ``trên 90%`` any value above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from publication.formatting import format_number
from publication.narrative.claims import (
    Meaning,
    claims_of,
    declarations,
    is_change,
    is_goal,
    meaning_of,
    quarter_column,
)
from publication.narrative.figures import COUNT, PERCENT, RATIO, ZERO, Figure
from publication.narrative.parts import Part, part_of
from publication.narrative.published import PublishedFigures, parse
from publication.narrative.text import Sentence

AGREES, CONTRADICTS, NOT_FOUND = "agrees", "contradicts", "not_found"

_TOLERANCE = Fraction(1, 20)
_LEAST_DECIMALS = 2
#: Bounds, which say nothing of how far the figure is from them; so does "trên 90%".
_AT_LEAST, _AT_MOST = ("ít nhất", "tối thiểu"), ("dưới", "không quá", "tối đa")
_MORE = ("hơn", "trên")
_OTHER_QUARTERS_VI = {
    "previous_quarter_value": "quý trước",
    "same_quarter_last_year_value": "cùng quý năm trước",
    "year_to_date_value": "cả năm đến nay",
}
_MARTS_VI = {"case_processing": "bảng case_processing", "dim_unit": "danh sách xã, thị trấn"}


@dataclass(frozen=True)
class Verdict:
    """What came of one figure. ``sources``: indicator codes and marts compared with; ``rows``: form rows to look at.

    ``published_vi`` is what the release holds, in print; ``reason_vi`` says why where that does not speak for itself.
    """

    verdict: str
    sources: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    published_vi: str = ""
    reason_vi: str = ""


def judge(
    figure: Figure, sentence: Sentence, previous: Meaning | None, published: PublishedFigures
) -> tuple[Verdict, Meaning | None]:
    """The verdict on a figure, and what it was taken to say. ``previous`` is what the figure before it said."""
    if is_goal(sentence):
        return Verdict(NOT_FOUND, reason_vi="là mục tiêu, nhiệm vụ, không phải kết quả trong kỳ"), None
    if is_change(figure):
        return Verdict(NOT_FOUND, reason_vi="là mức tăng, giảm so với kỳ khác; bảng số liệu không có số này"), None
    meaning = meaning_of(figure, sentence, previous, claims_of(published.form_version))
    if meaning is None:
        code = _named_row(figure, published)
        if code is None:
            return Verdict(NOT_FOUND, reason_vi="bảng số liệu không có số này"), None
        return _compare(figure, (code,), (), "", published), None
    if isinstance(meaning, tuple):
        return _undecided(figure, sentence, meaning, published)
    return _judge_one(figure, sentence, meaning, published), meaning


def _undecided(
    figure: Figure, sentence: Sentence, meanings: tuple[Meaning, ...], published: PublishedFigures
) -> tuple[Verdict, Meaning | None]:
    """Of claims that differ only in the level, which nobody names, the one that agrees; or what all come to."""
    levels = [one.claim.scope for one in meanings]
    if None not in levels and len(set(levels)) == len(levels):
        verdicts = [_judge_one(figure, sentence, one, published) for one in meanings]
        for verdict, one in zip(verdicts, meanings, strict=True):
            if verdict.verdict == AGREES or verdicts.count(verdict) == len(verdicts):
                return verdict, one
    rows = tuple(dict.fromkeys(code for one in meanings for code in _rows(one.expressions, one.claim.related)))
    return Verdict(NOT_FOUND, rows=rows, reason_vi="câu chữ có thể nói về nhiều dòng khác nhau"), None


def _judge_one(figure: Figure, sentence: Sentence, meaning: Meaning, published: PublishedFigures) -> Verdict:
    part = part_of(figure, sentence, published)
    if part is not None and (meaning.claim.cases or not part.of_cases):
        return _compare_part(figure, meaning, part, published)
    verdict = _compare(figure, meaning.expressions, meaning.claim.related, meaning.claim.note_vi or "", published)
    if meaning.wrong_unit and verdict.verdict != NOT_FOUND:
        counted, form_unit = (declarations().units[unit][0] for unit in (figure.unit, meaning.claim.units[0]))
        reason = f"báo cáo tính theo {counted}, biểu tính theo {form_unit}"
        return Verdict(CONTRADICTS, verdict.sources, verdict.rows, f"{verdict.published_vi} {form_unit}", reason)
    return verdict


def _compare_part(figure: Figure, meaning: Meaning, part: Part, published: PublishedFigures) -> Verdict:
    """A count of the cases of one field or commune; other figures of a part are nowhere published."""
    if not meaning.claim.cases or not part.is_known or figure.kind not in (COUNT, ZERO):
        return Verdict(NOT_FOUND, reason_vi=f"nói riêng về {part.label_vi}, bảng số liệu không có số này")
    value = published.cases(meaning.claim.cases, meaning.claim.scope or "whole", part.field_vi, part.unit_code)
    if value is None:
        return Verdict(NOT_FOUND, reason_vi=f"số của riêng {part.label_vi} nhỏ nên không công bố")
    verdict = AGREES if _agrees(figure, figure.value, value) else CONTRADICTS
    return Verdict(verdict, ("case_processing",), (), printed(value), f"của riêng {part.label_vi}")


def _named_row(figure: Figure, published: PublishedFigures) -> str | None:
    """The form row whose whole name stands before the figure."""
    if figure.kind == ZERO:
        return None
    names = published.by_name().items()
    return next((code for name, code in names if figure.left[-len(name) :] == name), None)


def _compare(
    figure: Figure, expressions: tuple[str, ...], related: tuple[str, ...], note: str, published: PublishedFigures
) -> Verdict:
    column = quarter_column(figure)
    values = [published.value(text, column) for text in expressions]
    sources, rows = _sources(expressions), _rows(expressions, related)
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        when = f" của {_OTHER_QUARTERS_VI[column]}" if column != "value" else ""
        return Verdict(NOT_FOUND, sources, rows, reason_vi=f"bảng số liệu để trống số này{when}")
    written = [figure.value] if figure.kind != RATIO else [figure.value, figure.whole or Decimal(0)]
    same = all(_agrees(figure, mine, theirs) for mine, theirs in zip(written, known, strict=True))
    published_vi = " / ".join(
        _calculation_vi(text, value, figure, published, column) for text, value in zip(expressions, known, strict=True)
    )
    reason = note
    if same and figure.kind == PERCENT and not figure.hedge and known[0] != Fraction(figure.value):
        reason = "đúng sau khi làm tròn như báo cáo viết"
    return Verdict(AGREES if same else CONTRADICTS, sources, rows, published_vi, reason)


def _agrees(figure: Figure, written: Decimal, value: Fraction) -> bool:
    reported = Fraction(written)
    if reported == value or (figure.kind == PERCENT and reported == rounded(value, figure.decimals)):
        return True
    room = abs(value) * _TOLERANCE
    above, below = 0 < value - reported <= room, 0 < reported - value <= room
    if figure.least is not None:
        return Fraction(figure.least) <= value <= reported
    if figure.hedge in _AT_LEAST or (figure.kind == PERCENT and figure.hedge in _MORE):
        return value > reported
    if figure.hedge in _AT_MOST:
        return value < reported
    if figure.hedge in _MORE:
        return above
    if figure.hedge == "gần":
        return below
    return figure.hedge in ("khoảng", "xấp xỉ") and (above or below)


def rounded(value: Fraction, decimals: int) -> Fraction:
    """The value rounded half up; exact."""
    scale = 10**decimals
    return Fraction((value * scale + Fraction(1, 2)).__floor__(), scale)


def printed(value: Fraction, decimals: int = _LEAST_DECIMALS) -> str:
    """The value as the form prints numbers, rounded half up where it does not end."""
    short = rounded(value, max(decimals, _LEAST_DECIMALS))
    return format_number(Decimal(short.numerator) / Decimal(short.denominator))


def _calculation_vi(expression: str, value: Fraction, figure: Figure, published: PublishedFigures, column: str) -> str:
    """``611 − 611 = 0``: the terms where there are several, and what they come to."""
    dividend, divisor = parse(expression)
    sign = "%" if figure.kind == PERCENT else ""
    result = f"{printed(value, figure.decimals)}{sign}"
    if not divisor and len(dividend) == 1:
        return result
    sides = []
    for terms in filter(None, (dividend, divisor)):
        text = "".join(
            f"{' + ' if term.sign > 0 else ' − '}{printed(published.value(term.text, column) or Fraction(0))}"
            for term in terms
        )
        sides.append(text.removeprefix(" + "))
    if divisor and len(dividend) > 1:
        sides[0] = f"({sides[0]})"
    return f"{' / '.join(sides)} = {result}"


def _sources(expressions: tuple[str, ...]) -> tuple[str, ...]:
    terms = [term for text in expressions for side in parse(text) for term in side]
    return tuple(dict.fromkeys(term.source for term in terms))


def _rows(expressions: tuple[str, ...], related: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(s for s in _sources(expressions) if s not in _MARTS_VI), *related]))


def source_vi(mart: str) -> str:
    """A mart in words, for people."""
    return _MARTS_VI[mart]

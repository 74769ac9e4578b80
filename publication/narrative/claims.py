"""Which form rows a figure of a report speaks of, by declared phrases (``claims.yml``).

Belongs here: reading the declarations, matching a figure's words with them. Does not belong here: finding figures
(``figures``), whether what is said is right (``verdicts``).

A claim fits a figure when the figure counts its unit, is of its level, and the declared words are there: ``near``
among the words that speak of this figure alone, ``before`` anywhere before it in the sentence, ``context`` in the
sentence or the headings above it; ``never`` must not be near, ``absent`` not in the sentence; ``alone``: nothing but
the unit follows. ``near``, ``before`` and ``context`` are lists of groups, of a group one phrase is enough. Of several
claims that fit, the one that more words speak for is meant, then the one whose words stand closer. Where two remain
that say different things, the figure is left undecided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from common.declared import read_yaml
from common.forms import Form, follows_forms, form_named
from publication.narrative.figures import PERCENT, RATIO, ZERO, Figure, Units
from publication.narrative.published import parse
from publication.narrative.text import Sentence, phrase, places, tokens

_DECLARATIONS = Path(__file__).with_name("words_of_figures.yml")
_FAR = 10_000
#: A word that turns a figure into a difference stands at most this many words before it (``tăng thêm 12``).
_CLOSE = 2
_LINKS = frozenset(phrase("đạt chiếm bằng tỷ lệ tương đương là tức với khoảng gần hơn trên được"))

Groups = tuple[tuple[str, ...], ...]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(_Declared):
    """What reports say about one figure, and the expressions over the release that tell it (see ``published``)."""

    id: str
    example: str
    units: tuple[str, ...]
    wrong_units: tuple[str, ...] = ()
    scope: str | None = None
    near: Groups = ()
    before: Groups = ()
    context: Groups = ()
    never: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    alone: bool = False
    zero_only: bool = False
    count: str | None = None
    pair: tuple[str, str] | None = None
    percent: str | None = None
    related: tuple[str, ...] = ()
    cases: str | None = None
    note_vi: str | None = None

    @model_validator(mode="after")
    def _can_be_evaluated(self) -> Claim:
        expressions = [text for text in (self.count, self.percent, *(self.pair or ())) if text]
        if not expressions:
            raise ValueError(f"claim {self.id} says nothing that can be compared")
        for text in expressions:
            parse(text)
        return self

    @property
    def rows(self) -> tuple[str, ...]:
        """Indicator codes that the claim is about, related ones included."""
        texts = [text for text in (self.count, self.percent, *(self.pair or ()), *self.related) if text]
        terms = [term for text in texts for side in parse(text) for term in side]
        return tuple(dict.fromkeys(term.source for term in terms if "." in term.source))

    def expressions(self, kind: str) -> tuple[str, ...]:
        """What a figure of this kind is compared with; empty where the claim is not made that way."""
        if kind == RATIO:
            return self.pair or ()
        if kind == PERCENT:
            return (self.percent,) if self.percent else ()
        if self.zero_only and kind != ZERO:
            return ()
        return (self.count,) if self.count else ()


class Declarations(_Declared):
    """The whole of ``words_of_figures.yml``."""

    units: dict[str, tuple[str, ...]]
    scopes: dict[str, tuple[str, ...]]
    goals: tuple[str, ...]
    goal_chapters: tuple[str, ...]
    result_chapters: tuple[str, ...]
    changes: tuple[str, ...]
    comparisons: tuple[str, ...]
    other_quarters: dict[str, tuple[str, ...]]
    other_bodies: tuple[str, ...]
    wholes: tuple[str, ...]


@dataclass(frozen=True)
class Meaning:
    """What a figure was found to say: the claim and the expressions to compare it with.

    ``cases`` of a claim are the columns of ``case_processing`` that tell the same of one field or receiving unit.
    """

    claim: Claim
    expressions: tuple[str, ...]
    wrong_unit: bool = False


@lru_cache(maxsize=1)
def declarations() -> Declarations:
    """The declared words. Raises pydantic.ValidationError when the file is not what it should be."""
    return Declarations.model_validate(read_yaml(_DECLARATIONS))


@follows_forms(8)
def claims_of(form_id: str) -> tuple[Claim, ...]:
    """What reports say of a form's figures (``claims.yml`` of its folder).

    Raises ValueError where a claim is declared twice, or names a unit, a level or a row that is not.
    """
    return claims_in(form_named(form_id))


def claims_in(form: Form) -> tuple[Claim, ...]:
    """The claims of a form that need not be in use. Raises as :func:`claims_of`."""
    known = declarations()
    claims = tuple(map(Claim.model_validate, form.declared("claims.yml")["claims"]))
    if len({claim.id for claim in claims}) != len(claims):
        raise ValueError("a claim is declared twice")
    for claim in claims:
        if {*claim.units, *claim.wrong_units} - set(known.units) or claim.scope not in (None, *known.scopes):
            raise ValueError(f"claim {claim.id} names an unknown unit or scope")
        form.require(claim.rows, f"claim {claim.id}")
    return claims


@lru_cache(maxsize=1)
def declared_units() -> Units:
    """The nouns that figures count."""
    return Units(declarations().units)


def is_goal(sentence: Sentence) -> bool:
    """Whether the sentence speaks of what is to be reached, not of what was; the heading next above it decides."""
    declared = declarations()
    for heading in map(_keys, reversed(sentence.chapter.split(" / "))):
        if _any(heading, declared.result_chapters):
            break
        if _any(heading, declared.goal_chapters):
            return True
    return _any(_keys(sentence.text), declared.goals)


def is_change(figure: Figure) -> bool:
    """Whether the figure is a difference from another quarter (``tăng 12 hồ sơ``, ``bằng 105% so với cùng kỳ``)."""
    if figure.kind == PERCENT and _any(figure.right, declarations().comparisons):
        return True
    return _any(figure.left[-_CLOSE:], declarations().changes)


def quarter_column(figure: Figure) -> str:
    """The column of the form row that holds the quarter the figure is of; ``value`` is this quarter's."""
    compared = _any(figure.right, declarations().comparisons)
    words = figure.left if compared else figure.near
    return next((column for column, phrases in declarations().other_quarters.items() if _any(words, phrases)), "value")


def meaning_of(
    figure: Figure, sentence: Sentence, previous: Meaning | None, claims: Sequence[Claim]
) -> Meaning | tuple[Meaning, ...] | None:
    """The claim that a figure makes, of those of the form.

    One, None where no claim fits, several where the words fit different ones alike.
    """
    if figure.kind == PERCENT and previous and previous.claim.percent and _follows_on(figure):
        return Meaning(previous.claim, (previous.claim.percent,))
    fitting: list[tuple[tuple[int, int], Meaning]] = []
    level = _level(figure, sentence)
    for claim in claims:
        expressions = claim.expressions(figure.kind)
        if not expressions or (level and claim.scope not in (None, level)):
            continue
        wrong_unit = figure.unit in claim.wrong_units
        if figure.kind != PERCENT and not wrong_unit and not _may_count(figure, claim, sentence):
            continue
        weight = _weight(claim, figure, sentence)
        if weight is not None:
            fitting.append((weight, Meaning(claim, expressions, wrong_unit)))
    if not fitting:
        return None
    best = max(weight for weight, _ in fitting)
    best_fitting = [one for weight, one in fitting if weight == best]
    return best_fitting[0] if len({one.expressions for one in best_fitting}) == 1 else tuple(best_fitting)


def _may_count(figure: Figure, claim: Claim, sentence: Sentence) -> bool:
    """A figure without a noun of its own counts what was named before it, and needs words of its own."""
    if figure.unit or not claim.near:
        return figure.unit in claim.units
    named = sentence.text if figure.kind == ZERO else sentence.text[: figure.start]
    return any(_any(_keys(named), declarations().units[unit]) for unit in claim.units)


def _follows_on(figure: Figure) -> bool:
    """Whether a percentage goes on about the figure before it (``đạt 40% kế hoạch``, ``(99,35%)``)."""
    return set(figure.left) <= _LINKS and bool(figure.left or not figure.right)


def _weight(claim: Claim, figure: Figure, sentence: Sentence) -> tuple[int, int] | None:
    """How much speaks for the claim and how closely; None where it does not fit."""
    around = _keys(f"{sentence.text} . {sentence.section}")
    earlier = _keys(sentence.text[: figure.start])
    if _any(figure.near, claim.never) or _any(around, claim.absent) or (claim.alone and not figure.alone):
        return None
    distance = 0
    for group in claim.near:
        closest = min((_distance(figure, keys) for keys in map(phrase, group)), default=_FAR)
        if closest >= _FAR:
            return None
        distance += closest
    for group in claim.before:
        last = max((place for keys in map(phrase, group) for place in places(earlier, keys)), default=None)
        if last is None:
            return None
        distance += len(earlier) - last
    if not all(_any(around, group) for group in claim.context):
        return None
    return 10 * len(claim.near) + 3 * (len(claim.before) + len(claim.context)) + bool(figure.unit), -distance


def _distance(figure: Figure, keys: tuple[str, ...]) -> int:
    before = [len(figure.left) - place - len(keys) for place in places(figure.left, keys)]
    after = places(figure.right, keys)
    return min([*before, *after], default=_FAR)


def _level(figure: Figure, sentence: Sentence) -> str:
    """``district``, ``commune`` or ``whole``: the level that the nearest words name; empty where none do."""
    after = _levels(figure.right)
    before = _levels(figure.left)
    if after or before:
        nearest = [(place, level) for place, _, level in after]
        nearest += [(len(figure.left) - end, level) for _, end, level in before]
        return min(nearest)[1]
    return level_before(sentence, figure.start)


def level_before(sentence: Sentence, start: int) -> str:
    """The level that was last named before a place in the sentence, its paragraph or its headings; empty: none."""
    for words in (sentence.text[:start], sentence.earlier, sentence.section):
        if found := _levels(_keys(words)):
            return max(found)[2]
    return ""


def since_level(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The words from the last that name a level; all where none do."""
    return keys[max((begin for begin, _, _ in _levels(keys)), default=0) :]


def _levels(keys: Sequence[str]) -> list[tuple[int, int, str]]:
    """Places (begin, end) at which a level is named; of phrases that overlap only the longest."""
    named = [
        (place, place + len(words), level)
        for level, phrases in declarations().scopes.items()
        for words in map(phrase, phrases)
        for place in places(keys, words)
    ]
    return [
        one
        for one in named
        if not any(o[0] <= one[0] and one[1] <= o[1] and o[1] - o[0] > one[1] - one[0] for o in named)
    ]


@lru_cache(maxsize=4096)
def _keys(text: str) -> tuple[str, ...]:
    return tuple(token.key for token in tokens(text) if token.kind != "sign")


def _any(keys: Sequence[str], phrases: Iterable[str]) -> bool:
    return any(places(keys, words) for words in map(phrase, phrases))

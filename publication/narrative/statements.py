"""Statements without a number, laid against the rows that say otherwise, by declared phrases (``statements.yml``).

Belongs here: reading the declarations, finding a statement in a sentence, asking the rows. Does not belong here:
figures (``figures``, ``claims``), documents, days and wording (their own modules).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from common.codes import ROW_CODE
from common.forms import Form, follows_forms, form_named
from publication.narrative.claims import is_goal, level_before
from publication.narrative.published import PublishedFigures, parse
from publication.narrative.remarks import TextRemark, holds_any, keys_of, quoted, words_of
from publication.narrative.text import Sentence, phrase, places

_GAP, _GAP_WORDS = "…", 6
_CLAUSE_END = re.compile(r"[,;:(]")
_NEGATIONS = frozenset(phrase("không chưa chẳng hết tránh"))

Condition = Literal["zero", "positive", "hundred"]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Statement(_Declared):
    """Words that deny what rows say. ``scope``: only where this level was named last before them.

    ``denied_within``: so many words before them, within the clause, a negation denies them. ``about``: one of these
    is in the sentence or its headings too. ``in_goals``: also where aims are told. ``explained_by``: decisions of this
    action explain why the rows say otherwise, so that only a doubt is left.
    """

    id: str
    example: str
    says: tuple[str, ...]
    denied_within: int = 2
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


_ROW_NO = re.compile(rf"\{{({ROW_CODE}):row\}}")


def _with_rows(declared: dict[str, Any], form: Form) -> dict[str, Any]:
    """``{I.22:row}`` in a message is the number of that row of the form."""
    numbers = {row["indicator_code"]: row["row_no"] for row in form.rows}
    statements = [
        {**one, "message_vi": _ROW_NO.sub(lambda match: numbers[match[1]], one["message_vi"])}
        for one in declared["statements"]
    ]
    return {**declared, "statements": statements}


@follows_forms(8)
def declared_statements(form_id: str) -> Statements:
    """The statements declared for a form. Raises ValueError when they are not what they should be."""
    return statements_in(form_named(form_id))


def statements_in(form: Form) -> Statements:
    """The statements of a form that need not be in use. Raises as :func:`declared_statements`."""
    declared = Statements.model_validate(_with_rows(form.declared("statements.yml"), form))
    for statement in declared.statements:
        form.require(statement.rows, f"statement {statement.id}")
    form.require(declared.unmentioned, "unmentioned")
    return declared


def statement_remarks(sentence: Sentence, published: PublishedFigures, decided: frozenset[str]) -> Iterator[TextRemark]:
    """What the sentence says that rows deny. ``decided``: actions of decisions that took effect."""
    words = words_of(sentence.text)
    keys = [token.key for token in words]
    around = [*keys, *keys_of(sentence.section), *keys_of(sentence.earlier)]
    ends = [token.end for token in words]
    clauses = [bisect_right(ends, match.start()) for match in _CLAUSE_END.finditer(sentence.text)]
    goal = is_goal(sentence)
    known_starts: set[int] = set()
    for statement in declared_statements(published.form_version).statements:
        if (goal and not statement.in_goals) or (statement.about and not holds_any(around, statement.about)):
            continue
        span = _affirmed_span(keys, statement, clauses)
        if span is None or span[0] in known_starts or not _holds(statement, published):
            continue
        if statement.scope and statement.scope != level_before(sentence, words[span[1] - 1].end):
            continue
        known_starts.add(span[0])
        explained = statement.explained_by in decided
        reason = "; đã có quyết định tính các hồ sơ ấy là đúng hạn" if explained else ""
        yield TextRemark(
            "doubt" if statement.doubt or explained else "statement",
            sentence.number,
            sentence.line,
            quoted(sentence.text, words, span),
            f"theo biểu, {statement.message_vi}{reason}",
            statement.rows,
        )


def _holds(statement: Statement, published: PublishedFigures) -> bool:
    return all(_is(published.value(expression), condition) for expression, condition in statement.when.items())


def _is(value: Fraction | None, condition: Condition) -> bool:
    """Whether a figure is what the condition says; a blank one is neither."""
    if value is None:
        return False
    return value > 0 if condition == "positive" else value == (0 if condition == "zero" else 100)


def _affirmed_span(keys: Sequence[str], statement: Statement, clauses: Sequence[int]) -> tuple[int, int] | None:
    """Where the first of the phrases stands that nothing before it denies; begin and end."""
    occurrences = [(span, text) for text in statement.says for span in _spans(keys, text)]
    affirmed = []
    for span, text in occurrences:
        clause = max((begin for begin in clauses if begin <= span[0]), default=0)
        if not _denied(keys[max(clause, span[0] - statement.denied_within) : span[1]], text):
            affirmed.append(span)
    return min(affirmed, default=None)


def _denied(keys: Sequence[str], text: str) -> bool:
    """Whether a negation stands among the words of and before a phrase, beyond those that the phrase itself has."""
    own = sum(key in _NEGATIONS for part in _parts(text) for key in part)
    return sum(key in _NEGATIONS for key in keys) > own


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


def unmentioned(sentences: Sequence[Sentence], published: PublishedFigures) -> Iterator[TextRemark]:
    """Rows that say that something was done of which the text has no word. A text of no sentence says nothing."""
    for code, words in declared_statements(published.form_version).unmentioned.items():
        value = published.value(code)
        if sentences and value and not any(places(keys_of(one.text), phrase(words)) for one in sentences):
            yield TextRemark(
                "doubt",
                0,
                0,
                words,
                f"theo biểu, dòng {published.rows[code].row_no} ghi có, nhưng lời văn không nói về {words}",
                (code,),
            )

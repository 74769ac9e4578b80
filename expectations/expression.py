"""Relations between form rows: a small grammar, compiled to SQL over the ``figures`` relation.

Belongs here: tokens, grammar and SQL of expressions such as ``III.12 = III.13 + III.14 - {procedures_shared}``.
Does not belong here: which relations are declared (``rules/report.yml``), running the SQL.

Grammar, weakest first::

    rule       := disjunct [ "=>" rule ]                      implication
    disjunct   := conjunct { "or" conjunct }
    conjunct   := negation { "and" negation }
    negation   := "not" negation | comparison
    comparison := sum [ ( "=" | "<>" | "<=" | "<" | ">=" | ">" ) sum | "in" "(" number {"," number} ")" ]
    sum        := product { ( "+" | "-" ) product }
    product    := atom { "*" atom }
    atom       := number | operand | "previous" "(" operand ")" | "present" "(" operand ")" | "(" rule ")"
                | "percent" "(" sum "," sum ")"
    operand    := indicator code (III.12, AUX.02) | "{" measure id "}"

An operand that is null leaves the rule with nothing to say (``no_data``), unless it is counted as zero or the rule
asks by ``present`` whether it is there. ``previous(x)`` is the value one quarter earlier in the same year.
``percent(a, b)`` is ``a`` of ``b`` in percent with two decimals, half up, as ratios of the form are made; of a ``b`` of
0 there is none, so a rule asks first whether there is one (``b > 0 => …``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from common.codes import FIGURE_CODE

_TOKEN = re.compile(
    rf"\s*(?:(?P<operand>{FIGURE_CODE}|\{{[a-z][a-z0-9_]*\}})|(?P<number>\d+)"
    r"|(?P<word>and|or|not|in|present|previous|percent)\b|(?P<sign>=>|<=|>=|<>|[=<>+\-*(),]))"
)
Values = Mapping[str, Decimal | None]
#: A term's figure from the columns' values; None where one that it needs is blank.
Term = Callable[[Values], Decimal | None]
_HUNDREDTH = Decimal("0.01")
_COMPARISONS = frozenset({"=", "<>", "<=", "<", ">=", ">"})


@dataclass(frozen=True)
class Comparison:
    """``left sign right``, both of them of figures: what a relation claims of two terms."""

    sign: str
    left: Term
    right: Term

    def difference(self, values: Values) -> Decimal | None:
        """Left less right, exactly; None where a figure is blank."""
        left, right = self.left(values), self.right(values)
        return None if left is None or right is None else left - right


@dataclass(frozen=True)
class Expression:
    """A compiled relation: ``holds`` is a SQL predicate (never null where ``strict`` columns are present).

    ``claims`` is the one comparison between figures that it asserts, where it asserts just one, under a condition or
    none: ``A = B``, ``C > 0 => A <= B``.
    """

    holds: str
    operands: frozenset[str]
    columns: frozenset[str]
    strict: frozenset[str]
    claims: Comparison | None = field(default=None, compare=False)


def column_name(operand: str, previous: bool = False) -> str:
    """Column of the ``figures`` relation that holds an operand."""
    return f"previous({operand})" if previous else operand


def quote(identifier: str) -> str:
    """A SQL identifier, quoted."""
    return '"' + identifier.replace('"', '""') + '"'


def parse(text: str, blank_as_zero: frozenset[str] = frozenset()) -> Expression:
    """Compiles an expression; raises ``ValueError`` with the place where the grammar is broken."""
    return _Parser(text, blank_as_zero).compile()


class _Parser:
    def __init__(self, text: str, blank_as_zero: frozenset[str]) -> None:
        self._text = text
        self._blank_as_zero = blank_as_zero
        self._tokens = self._tokenise(text)
        self._at = 0
        self._operands: set[str] = set()
        self._columns: set[str] = set()
        self._asked: set[str] = set()
        self._used: set[str] = set()
        self._named: list[str] = []
        #: Comparisons read so far, None for what is none between figures; and those of the last consequent.
        self._read: list[Comparison | None] = []
        self._asserted: list[Comparison | None] = []

    @staticmethod
    def _tokenise(text: str) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at = 0
        stripped = text.rstrip()
        while at < len(stripped):
            match = _TOKEN.match(stripped, at)
            if match is None:
                raise ValueError(f"cannot read {stripped[at:]!r} in {text!r}")
            kind = str(match.lastgroup)
            tokens.append((kind, match.group(kind).strip("{}")))
            at = match.end()
        return tokens

    def compile(self) -> Expression:
        predicate = self._rule()
        if self._at != len(self._tokens):
            raise ValueError(f"{self._tokens[self._at][1]!r} is not expected in {self._text!r}")
        if not self._operands:
            raise ValueError(f"{self._text!r} speaks of no figure")
        strict = self._used - self._asked
        return Expression(
            holds=f"coalesce({predicate}, false)",
            operands=frozenset(self._operands),
            columns=frozenset(self._columns),
            strict=frozenset(strict),
            claims=self._asserted[0] if len(self._asserted) == 1 else None,
        )

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, expected: str | None = None) -> tuple[str, str]:
        if self._at >= len(self._tokens) or (expected is not None and self._peek() != expected):
            raise ValueError(f"{expected or 'more'!r} is expected after token {self._at} of {self._text!r}")
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _rule(self) -> str:
        before = len(self._read)
        left = self._chain("or", lambda: self._chain("and", self._negation))
        if self._peek() != "=>":
            self._asserted = self._read[before:]
            return left
        self._take("=>")
        return f"((not {left}) or {self._rule()})"

    def _chain(self, operator: str, part: object) -> str:
        assert callable(part)
        parts = [part()]
        while self._peek() == operator:
            self._take(operator)
            parts.append(part())
        return parts[0] if len(parts) == 1 else "(" + f" {operator} ".join(parts) + ")"

    def _negation(self) -> str:
        if self._peek() == "not":
            self._take("not")
            negated = self._negation()
            # What is denied is not claimed.
            self._read += [None, None]
            return f"(not {negated})"
        return self._comparison()

    def _comparison(self) -> str:
        operands = len(self._named)
        left, left_of = self._sum()
        is_of_figures = len(self._named) > operands
        if self._peek() in _COMPARISONS:
            sign = self._take()[1]
            operands = len(self._named)
            right, right_of = self._sum()
            is_of_figures = is_of_figures and len(self._named) > operands
            of_figures = is_of_figures and left_of is not None and right_of is not None
            self._read.append(Comparison(sign, left_of, right_of) if of_figures and left_of and right_of else None)
            return f"({left} {sign} {right})"
        if self._peek() == "in":
            self._take("in")
            self._take("(")
            numbers = [self._number()]
            while self._peek() == ",":
                self._take(",")
                numbers.append(self._number())
            self._take(")")
            self._read.append(None)
            return f"({left} in ({', '.join(numbers)}))"
        return left

    def _sum(self) -> tuple[str, Term | None]:
        text, term = self._product()
        while self._peek() in ("+", "-"):
            sign = self._take()[1]
            other, other_term = self._product()
            text = f"({text} {sign} {other})"
            term = _combined(term, other_term, Decimal.__add__ if sign == "+" else Decimal.__sub__)
        return text, term

    def _product(self) -> tuple[str, Term | None]:
        text, term = self._atom()
        while self._peek() == "*":
            self._take("*")
            other, other_term = self._atom()
            text, term = f"({text} * {other})", _combined(term, other_term, Decimal.__mul__)
        return text, term

    def _number(self) -> str:
        kind, text = self._take()
        if kind != "number":
            raise ValueError(f"a number is expected, not {text!r}, in {self._text!r}")
        return text

    def _atom(self) -> tuple[str, Term | None]:
        kind, text = self._take()
        if kind == "number":
            number = Decimal(text)
            return text, lambda _: number
        if kind == "operand":
            return self._operand(text, previous=False)
        if text == "(":
            return self._bracket()
        if text == "percent":
            return self._percent()
        if text in ("present", "previous"):
            self._take("(")
            operand_kind, operand = self._take()
            if operand_kind != "operand":
                raise ValueError(f"{text}() takes a figure, not {operand!r}, in {self._text!r}")
            self._take(")")
            return self._operand(operand, previous=True) if text == "previous" else (self._present(operand), None)
        raise ValueError(f"{text!r} is not expected in {self._text!r}")

    def _bracket(self) -> tuple[str, Term | None]:
        """A term in brackets, or a rule: the latter is no figure."""
        at, read, named = self._at, list(self._read), list(self._named)
        with suppress(ValueError):
            text, term = self._sum()
            self._take(")")
            return text, term
        self._at, self._read, self._named = at, read, named
        inner = self._rule()
        self._take(")")
        return inner, None

    def _percent(self) -> tuple[str, Term | None]:
        self._take("(")
        part, part_of = self._sum()
        self._take(",")
        whole, whole_of = self._sum()
        self._take(")")
        parts, wholes = (f"cast({text} * 10000 as hugeint)" for text in (part, whole))
        made = f"cast((20000 * {parts} + {wholes}) // (2 * {wholes}) as decimal(18, 0)) * 0.01"
        return f"(case when {whole} > 0 then {made} end)", _combined(part_of, whole_of, _percent)

    def _operand(self, operand: str, previous: bool) -> tuple[str, Term]:
        column = column_name(operand, previous)
        self._operands.add(operand)
        self._columns.add(column)
        self._named.append(column)
        if operand in self._blank_as_zero:
            return f"coalesce({quote(column)}, 0)", lambda values: values.get(column) or Decimal(0)
        self._used.add(column)
        return quote(column), lambda values: values.get(column)

    def _present(self, operand: str) -> str:
        self._operands.add(operand)
        self._columns.add(operand)
        self._asked.add(operand)
        return f"({quote(operand)} is not null)"


def _combined(left: Term | None, right: Term | None, made: Callable[[Decimal, Decimal], Decimal | None]) -> Term | None:
    if left is None or right is None:
        return None

    def both(values: Values) -> Decimal | None:
        one, other = left(values), right(values)
        return None if one is None or other is None else made(one, other)

    return both


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return (100 * part / whole).quantize(_HUNDREDTH, ROUND_HALF_UP) if whole > 0 else None

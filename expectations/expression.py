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
    operand    := indicator code (III.12, AUX.02) | "{" measure id "}"

An operand that is null leaves the rule with nothing to say (``no_data``), unless it is counted as zero or the rule
asks by ``present`` whether it is there. ``previous(x)`` is the value one quarter earlier in the same year.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<operand>(?:[IVX]+|AUX)\.\d{2}|\{[a-z][a-z0-9_]*\})|(?P<number>\d+)"
    r"|(?P<word>and|or|not|in|present|previous)\b|(?P<sign>=>|<=|>=|<>|[=<>+\-*(),]))"
)
_COMPARISONS = frozenset({"=", "<>", "<=", "<", ">=", ">"})


@dataclass(frozen=True)
class Expression:
    """A compiled relation: ``holds`` is a SQL predicate (never null where ``strict`` columns are present)."""

    holds: str
    operands: frozenset[str]
    columns: frozenset[str]
    strict: frozenset[str]


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
        left = self._chain("or", lambda: self._chain("and", self._negation))
        if self._peek() != "=>":
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
            return f"(not {self._negation()})"
        return self._comparison()

    def _comparison(self) -> str:
        left = self._sum()
        if self._peek() in _COMPARISONS:
            sign = self._take()[1]
            return f"({left} {sign} {self._sum()})"
        if self._peek() == "in":
            self._take("in")
            self._take("(")
            numbers = [self._number()]
            while self._peek() == ",":
                self._take(",")
                numbers.append(self._number())
            self._take(")")
            return f"({left} in ({', '.join(numbers)}))"
        return left

    def _sum(self) -> str:
        text = self._product()
        while self._peek() in ("+", "-"):
            sign = self._take()[1]
            text = f"({text} {sign} {self._product()})"
        return text

    def _product(self) -> str:
        text = self._atom()
        while self._peek() == "*":
            self._take("*")
            text = f"({text} * {self._atom()})"
        return text

    def _number(self) -> str:
        kind, text = self._take()
        if kind != "number":
            raise ValueError(f"a number is expected, not {text!r}, in {self._text!r}")
        return text

    def _atom(self) -> str:
        kind, text = self._take()
        if kind == "number":
            return text
        if kind == "operand":
            return self._operand(text, previous=False)
        if text == "(":
            inner = self._rule()
            self._take(")")
            return inner
        if text in ("present", "previous"):
            self._take("(")
            operand_kind, operand = self._take()
            if operand_kind != "operand":
                raise ValueError(f"{text}() takes a figure, not {operand!r}, in {self._text!r}")
            self._take(")")
            return self._operand(operand, previous=True) if text == "previous" else self._present(operand)
        raise ValueError(f"{text!r} is not expected in {self._text!r}")

    def _operand(self, operand: str, previous: bool) -> str:
        column = column_name(operand, previous)
        self._operands.add(operand)
        self._columns.add(column)
        if operand in self._blank_as_zero:
            return f"coalesce({quote(column)}, 0)"
        self._used.add(column)
        return quote(column)

    def _present(self, operand: str) -> str:
        self._operands.add(operand)
        self._columns.add(operand)
        self._asked.add(operand)
        return f"({quote(operand)} is not null)"

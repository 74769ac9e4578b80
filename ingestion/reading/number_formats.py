"""What a number format makes of the number that a cell holds, where that is more than a matter of looks.

Belongs here: reading format codes as spreadsheets store them (always in American notation). Does not belong here: which
cells have which format (the readers), or what the figure means (``values``). Source: ECMA-376 part 1, 18.8.30 and .31.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache

from ingestion.base.cell_fault import CellFault
from ingestion.base.readings import Cell, Remark, ShownNumber
from ingestion.text.numbers import decimal_vi

_SECTION = re.compile(r'((?:[^;"\\]|\\.|"[^"]*"|"[^"]*$)*)(?:;|$)', re.S)
_TOKEN = re.compile(r'"([^"]*)"?|\\(.)|[_*].|\[([^\]]*)\]|(General)|(.)', re.S | re.I)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
_DECIMALS = Decimal("0.0001")
_DIGITS_OF_A_FLOAT = 17


class _Section:
    """One section of a format: its placeholders without literals, and both in order."""

    def __init__(self, code: str) -> None:
        self.bare = ""
        self.parts: list[tuple[str, bool]] = []
        self.condition: tuple[Callable[[float, float], bool], float] | None = None
        self.is_date = False
        for token in _TOKEN.finditer(code):
            quoted, escaped, bracket, general, sign = token.groups()
            if bracket is not None:
                if match := _CONDITION.fullmatch(bracket):
                    self.condition = _COMPARE[match[1]], float(match[2])
                self.is_date |= bool(re.fullmatch(r"h+|m+|s+", bracket, re.I))
            elif quoted is not None or escaped is not None:
                self.parts.append((quoted if quoted is not None else escaped, True))
            elif general is not None:
                self.bare += "#"
                self.parts.append(("#", False))
            elif sign is not None:
                self.bare += sign
                is_literal = sign not in "0#?.,%/Ee@"
                self.parts.append((sign, is_literal))
        letters = self.bare.lower().replace("e+", "").replace("e-", "")
        self.is_date |= bool(re.search(r"[ymdhsb]", letters)) and not re.search(r"[0#?]", letters.replace(".0", ""))

    def is_for_negative(self, sections: Sequence[_Section]) -> bool:
        """Whether numbers that it is chosen for are negative, among these sections of a format."""
        if any(s.condition for s in sections):
            return (
                self.condition is not None and self.condition[0] in (operator.lt, operator.le) and not self.condition[1]
            )
        return len(sections) > 1

    @property
    def percents(self) -> int:
        return self.bare.count("%")

    @property
    def thousands(self) -> int:
        """By how many thousands the number is divided: commas right of the last place of its whole or decimal part."""
        found = re.search(r"[0#?](,+)(?![0#?,])", self.bare)
        return len(found[1]) if found else 0

    @property
    def literal(self) -> str:
        """The words and signs that stand there whatever the number is."""
        return "".join(text for text, is_literal in self.parts if is_literal).strip()

    def shown(self, number: float) -> str | None:
        """What is shown of a number without its sign, where that is more than its digits; else None."""
        if any(sign in self.bare for sign in "%/Ee"):
            return None
        places = sum(not is_literal and text in "0#?" for text, is_literal in self.parts)
        if not places:
            return self.literal or None if number else None
        if any(sign in self.bare for sign in ".,") or not float(number).is_integer():
            return self._around(decimal_vi(Decimal(repr(abs(number))))) if self.literal else None
        if self.bare.count("0") < 2 and not self.literal:
            return None
        digits = list(str(abs(int(number))))
        out: list[str] = []
        for text, is_literal in reversed(self.parts):
            if is_literal:
                out.append(text)
                continue
            places -= 1
            if digits:
                out.append("".join(digits) if not places else digits.pop())
            elif text == "0":
                out.append("0")
        return "".join(reversed(out)).strip()

    def _around(self, digits: str) -> str:
        """The digits with the words and signs before their first place and after it."""
        first = next(place for place, (text, is_literal) in enumerate(self.parts) if not is_literal and text in "0#?")
        before, after = (
            "".join(text for text, is_literal in parts if is_literal)
            for parts in (self.parts[:first], self.parts[first:])
        )
        return f"{before}{digits}{after}".strip()


@lru_cache(maxsize=4096)
def _sections(code: str) -> tuple[_Section, ...]:
    found = [match[1] for match in _SECTION.finditer(code)]
    # The end of the last section is met once more, as an empty one.
    whole = found if code.endswith(";") or len(found) == 1 else found[:-1]
    return tuple(_Section(part) for part in whole[:3])


@lru_cache(maxsize=4096)
def matters(code: str) -> bool:
    """Whether cells of that format may mean something else than the number they hold."""
    if code.casefold() in ("general", "", "@"):
        return False
    sections = _sections(code)
    # That a minus, or parentheses, stand before negative numbers and a dash for none is a matter of looks.
    looks = (("",), ("-", "−", "()"), ("", "-"))
    return any(
        s.percents or s.thousands or (s.bare.count("0") > 1 and s.shown(0) is not None) or s.literal not in plain
        for s, plain in zip(sections, looks, strict=False)
        if not s.is_date
    )


def as_shown(cell: Cell, code: str, place: str) -> Cell:
    """The cell as its format makes it: a percentage as text (``47,37%``), a number whose digits are fewer than what is
    shown (``00042``, ``50 nghìn``, a minus or none) with both, and a fault where a number is shown divided, since
    nobody can tell which was meant.
    """
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return cell
    sections = _sections(code)
    chosen = sections[0]
    if len(sections) > 1 and cell < 0:
        chosen = sections[1]
    elif len(sections) > 2 and cell == 0:
        chosen = sections[2]
    if any(s.condition for s in sections):
        holds = (s for s in sections if s.condition is None or s.condition[0](cell, s.condition[1]))
        chosen = next(holds, sections[-1])
    if chosen.is_date:
        return cell
    if chosen.percents:
        return f"{_plain(Decimal(repr(float(cell))) * 100**chosen.percents)}%"
    if chosen.thousands and cell:
        divisor = 1000**chosen.thousands
        divided = _plain(Decimal(repr(float(cell))) / divisor)
        stored = _plain(Decimal(repr(float(cell))))
        return CellFault(
            divided,
            Remark(
                "shown_divided",
                f"Ô {place} hiện {divided} vì định dạng chia cho {divisor} nhưng giá trị lưu là {stored}",
                "Ghi đúng số vào ô, đổi định dạng về Chung (General) hoặc Số (Number) rồi nộp lại.",
            ),
        )
    shown = chosen.shown(cell)
    if cell < 0 and not chosen.is_for_negative(sections):
        shown = shown and f"-{shown}"  # a section for negative numbers has its own sign, or hides it
    elif shown is None and cell < 0:
        shown = decimal_vi(Decimal(repr(abs(cell))))
    return cell if shown is None or shown == decimal_vi(Decimal(repr(cell))) else ShownNumber(float(cell), shown)


def _plain(number: Decimal) -> str:
    """The number with four decimals, as far as any are left of its binary digits."""
    return decimal_vi(number.quantize(_DECIMALS) if number.adjusted() < _DIGITS_OF_A_FLOAT else number)

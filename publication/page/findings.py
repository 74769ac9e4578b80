"""The findings on top of the page: the form's declared sentences, filled with the release's figures.

Belongs here: which choice of a sentence can be said, and what stands in its places. Does not belong here: the words
(``forms/<id>/form.yml``), how a move is measured (``differences``). Nothing here says good or bad.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from common.forms import FINDING_PLACE, FindingChoice, Page
from publication.content.release_content import FormRow
from publication.formatting import format_number
from publication.page.differences import Difference

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


class Facts:
    """What the places of the sentences may be filled with; each is a printed text, empty where there is none."""

    def __init__(
        self,
        rows: Mapping[str, FormRow],
        moves: Mapping[str, tuple[Difference | None, Difference | None]],
        shares: Mapping[str, str],
        by_decision: Mapping[str, int],
        counts: Mapping[str, int | None],
        names: Mapping[str, str],
    ) -> None:
        self._rows, self._moves, self._shares, self._by_decision = rows, moves, shares, by_decision
        self._counts, self._names = counts, names
        self._aspects: Mapping[str, Callable[[str], str]] = {
            "": lambda code: rows[code].printed if code in rows else "",
            "share": lambda code: shares.get(code, ""),
            "by_decision": lambda code: format_number(by_decision[code]) if by_decision.get(code) else "",
            "previous": lambda code: self._move(code, 0),
            "last_year": lambda code: self._move(code, 1),
            "share_previous": lambda code: self._move(code, 0, of_share=True),
            "share_last_year": lambda code: self._move(code, 1, of_share=True),
        }

    def told(self, name: str, aspect: str) -> str:
        """The text of one place."""
        if "." in name:
            return self._aspects[aspect](name)
        if name in self._names:
            return self._names[name]
        count = self._counts.get(f"{name}:{aspect}" if aspect else name)
        return "" if count is None else format_number(count)

    def holds(self, name: str, wanted: str) -> bool:
        """Whether a figure is known and ``zero`` (``positive``)."""
        value = self._counts.get(name)
        if "." in name:
            row = self._rows.get(name)
            return row is not None and row.value is not None and (row.value == 0) is (wanted == "zero")
        return value is not None and (value == 0) is (wanted == "zero")

    def _move(self, code: str, which: int, *, of_share: bool = False) -> str:
        """``tăng 103 hồ sơ so với quý IV/2022``; with the share's own move where that is meant."""
        move = self._moves.get(code, (None, None))[which]
        if move is not None and of_share:
            move = move.rate
        if move is None or move.sign is None:
            return ""
        against = self._names[("previous_quarter", "last_year_quarter")[which]]
        if not move.sign:
            return f"{move.told_vi} so với {against}"
        return f"{move.told_vi} so với {against} ({move.earlier})"


def findings(declared: Page, level: str, facts: Facts) -> list[str]:
    """The sentences of a page of a unit of this level, in the order declared."""
    told = []
    for finding in declared.findings_at(level):
        choices = (choice for choice in finding.choices if choice.level in (None, level))
        told += [next(text for choice in choices if (text := _said(choice, facts)))]
    return told


def _said(choice: FindingChoice, facts: Facts) -> str:
    """The sentence with its places filled; empty where it cannot be said."""
    if not all(facts.holds(name, wanted) for name, wanted in choice.conditions.items()):
        return ""
    # Split by brackets, every second stretch is one that may be left out.
    stretches = [_filled(stretch, facts) for stretch in _OPTIONAL.split(choice.say)]
    needed = _OPTIONAL.split(choice.say)[::2]
    if not all(told or not stretch for stretch, told in zip(needed, stretches[::2], strict=True)):
        return ""
    return "".join(stretches)


def _filled(text: str, facts: Facts) -> str:
    """The text with its places filled; empty where one of them cannot be."""
    values = [facts.told(match[1], match[2] or "") for match in FINDING_PLACE.finditer(text)]
    if not all(values):
        return ""
    found = iter(values)
    return FINDING_PLACE.sub(lambda _: next(found), text)

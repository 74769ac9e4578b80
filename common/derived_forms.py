"""A form that says only what differs from another: its rows and its words, made from those of the other.

Belongs here: what a difference may say and how it is applied. Does not belong here: what the words mean, which form is
in force (``forms``).

``form.yml`` of such a form names the other under ``derived_from``; ``words`` replaces words of the print and of all
texts (longest first, each place once); ``rows`` says of a row by its code which columns of ``rows.csv`` differ, or, as
``ended``, why it is gone. What names a row that is gone goes with it: a choice of a sentence, a claim, a chart. What is
kept to the other level of unit goes too. A file of the folder is laid over what is left: a list of things that have ids
is laid over by id, everything else replaces, and null takes out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from common.codes import ROW_CODE

Row = dict[str, str]
#: Why a row is gone, among the columns that a difference may name.
ENDED = "ended"
_PRINTED = ("name_vi", "name_corrected_vi", "unit_vi")
_LEVELS = frozenset({"district", "commune"})
#: Lists of choices: what is left of one when only its last choice is left says nothing, and goes.
_CHOICE = "say"
_CONDITIONS = frozenset({"positive", "hundred"})
_NEEDED = frozenset({"sentences", "choices", "pair"})
_ROW = re.compile(ROW_CODE)
_GONE = object()


def replacing(words: Mapping[str, str]) -> Callable[[str], str]:
    """Replaces each of the words by its new one; of words that begin at one place the longest counts."""
    if not words:
        return lambda text: text
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
    return lambda text: pattern.sub(lambda match: words[match[0]], text)


def derived_rows(rows: Sequence[Mapping[str, str]], words: Mapping[str, str], changes: Mapping[str, Row]) -> list[Row]:
    """The rows of a derived form: those that are not ended, numbered anew.

    A part of a row that is gone becomes a part of that row's whole; a sum loses the terms that are gone.
    Raises ``ValueError`` for a change of a row or column that is not, and for a sum without a term.
    """
    columns, codes = set(rows[0]), {row["indicator_code"] for row in rows}
    for code, change in changes.items():
        if code not in codes:
            raise ValueError(f"rows: {code} is no row of the form it is derived from")
        if strangers := change.keys() - columns - {ENDED}:
            raise ValueError(f"rows: {code} has no column {', '.join(sorted(strangers))}")
    parents = {row["indicator_code"]: row["logical_parent_code"] for row in rows}
    ended = {code for code, change in changes.items() if ENDED in change}
    replaced = replacing(words)
    found: list[Row] = []
    for row in rows:
        code = row["indicator_code"]
        if code in ended:
            continue
        parent = parents[code]
        while parent in ended:
            parent = parents[parent]
        terms = [term for term in row["derived_from"].split("+") if term not in ended]
        if row["derived_from"] and not terms and not changes.get(code, {}).get("derived_from"):
            raise ValueError(f"rows: nothing is left of which {code} is a sum")
        printed = {name: replaced(row[name]) for name in _PRINTED}
        found.append(
            {
                **row,
                **printed,
                "logical_parent_code": parent,
                "derived_from": "+".join(terms),
                **changes.get(code, {}),
                "row_no": str(len(found) + 1),
            }
        )
    return found


def derived_document(document: Any, words: Mapping[str, str], ended: Iterable[str], level: str) -> Any:
    """A YAML document of the other form without what is gone, in the new words."""
    gone = sorted(ended)
    adapting = _Adapting(replacing(words), level, re.compile("|".join(map(re.escape, gone)) if gone else "(?!)"))
    parts = {key: adapting.adapted(part) for key, part in document.items()}
    return {key: part for key, part in parts.items() if part is not _GONE}


class _Adapting:
    """What a document becomes where some rows are gone; ``_GONE`` for what goes with them."""

    def __init__(self, replaced: Callable[[str], str], level: str, gone: re.Pattern[str]) -> None:
        self._replaced = replaced
        self._other_levels = _LEVELS - {level}
        self._names_gone = re.compile(rf"(?<![\w.])(?:{gone.pattern})(?!\w)").search

    def adapted(self, value: Any) -> Any:
        if isinstance(value, str):
            return _GONE if self._names_gone(value) else self._replaced(value)
        if isinstance(value, list):
            return self._list(value)
        return self._thing(value) if isinstance(value, dict) else value

    def _list(self, value: list[Any]) -> Any:
        parts = [self.adapted(part) for part in value]
        left = [part for part in parts if part is not _GONE]
        are_choices = len(value) > 1 and all(isinstance(part, dict) and _CHOICE in part for part in value[:-1])
        only_last = are_choices and len(left) == 1 and parts[-1] is not _GONE
        return _GONE if value and (not left or only_last) else left

    def _thing(self, value: dict[Any, Any]) -> Any:
        """A thing goes with what it cannot do without: a choice with its words, a claim with its figure, a chart with
        its rows. An entry of a mapping by rows goes alone.
        """
        if value.get("level") in self._other_levels or value.get("scope") in self._other_levels:
            return _GONE
        found = {}
        for key, part in value.items():
            if isinstance(key, str) and self._names_gone(key):
                # What is not there is nothing, so a condition that it be zero asks nothing; no other can hold.
                if isinstance(part, str) and part in _CONDITIONS:
                    return _GONE
                continue
            new = self.adapted(part)
            if new is not _GONE:
                found[key] = new
            elif not _ROW.fullmatch(str(key)) and (isinstance(part, str | dict) or key in _NEEDED):
                return _GONE
        return found if found or not value else _GONE


def laid_over(base: Any, own: Any) -> Any:
    """``base`` with what ``own`` says otherwise."""
    if isinstance(base, dict) and isinstance(own, dict):
        found = {key: part for key, part in base.items() if own.get(key, part) is not None}
        return {**found, **{key: laid_over(base.get(key), part) for key, part in own.items() if part is not None}}
    if _have_ids(base) and _have_ids(own):
        parts = {part["id"]: part for part in base}
        for part in own:
            parts[part["id"]] = laid_over(parts.get(part["id"]), part)
        return list(parts.values())
    return own


def _have_ids(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, dict) and "id" in part for part in value)

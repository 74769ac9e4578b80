"""What the unit of measure of a printed line says of its figure, however it is written.

Belongs here: legends of answers, percents, counted things, and whether two units are of one figure. Does not belong
here: matching names (``form_annex``), what an office fills in (``rows``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from common.declared import read_yaml
from ingestion.text.vietnamese import clean, fold

_LABEL_FIRST = re.compile(r"([^=:;,]+?)\s*[=:]\s*(\d+)(?![.,]?\d)")
_VALUE_FIRST = re.compile(r"(\d+)\s*[=:–-]\s*([^\d=:;,]+)")
_FIXED = frozenset({"ratio", "flag", "code"})


@lru_cache(1)
def form_words() -> Mapping[str, Any]:
    """``form_headings.yaml``: how departments write headings, ends and units."""
    found: Mapping[str, Any] = read_yaml(Path(__file__).with_name("form_headings.yaml"))
    return found


@dataclass(frozen=True)
class Unit:
    """A unit of measure: the kind of row it makes (empty: none that is known), how it is written for programs, and a
    key on which spellings of one unit agree.
    """

    kind: Literal["", "count", "ratio", "flag", "code"]
    canonical: str
    key: str


@lru_cache(4096)
def unit_of(text: str) -> Unit:
    """What a unit says: ``Tỷ lệ %`` is a ratio in ``%``, ``1: Có; 0: Không`` a flag ``Có = 1; Không = 0``."""
    folded = fold(text)
    text = _spellings().get(folded, text)
    if legend := _legend(text):
        kind: Literal["flag", "code"] = "flag" if legend.keys() == {0, 1} else "code"
        values = sorted(legend, reverse=kind == "flag")
        canonical = "; ".join(f"{legend[value]} = {value}" for value in values)
        return Unit(kind, canonical, " ".join(f"{value} {fold(legend[value])}" for value in values))
    if "%" in text:
        return Unit("ratio", "%", "%")
    folded = fold(text)
    is_counted = any(folded == thing or folded.startswith(f"{thing} ") for thing in _counted())
    return Unit("count" if is_counted else "", clean(text), folded)


def _legend(text: str) -> dict[int, str]:
    """Answer by value; empty where the text is no legend: two answers at least, no value and no answer twice."""
    if text[:1].isdigit():
        found = [(int(value), label) for value, label in _VALUE_FIRST.findall(text)]
    else:
        found = [(int(value), label) for label, value in _LABEL_FIRST.findall(text)]
    legend = {value: clean(label).strip(" ./-–") for value, label in found}
    distinct = {fold(label) for label in legend.values()}
    return legend if 2 <= len(found) == len(legend) == len(distinct) and "" not in distinct else {}


@lru_cache(1)
def _spellings() -> dict[str, str]:
    return {fold(spelling): unit for unit, spellings in form_words()["units"].items() for spelling in spellings}


@lru_cache(1)
def _counted() -> tuple[str, ...]:
    return tuple(map(fold, form_words()["counted"]))


def is_same_unit(unit: str, row: Mapping[str, str]) -> bool:
    """Whether a printed unit is that of a known row, as printed or as meant; a line without a unit contradicts none."""
    return not unit or unit_of(unit).key in {unit_of(row[name]).key for name in ("unit_vi", "unit_canonical")}


def is_other_figure(unit: str, row: Mapping[str, str]) -> bool:
    """Whether a printed unit makes another figure of a known row: other answers or values, percents for a count, a
    figure where there was none. Another word for what is counted does not.
    """
    if is_same_unit(unit, row):
        return False
    known = {unit_of(row[name]).kind for name in ("unit_vi", "unit_canonical")}
    return row["kind"] in ("heading", "text") or bool(_FIXED & (known | {unit_of(unit).kind}))
